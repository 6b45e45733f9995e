/* What passes through the choice of a code; k-means and its moving averages. */
#include "codes.h"
#include "numerics/monte_carlo.h"

#include <math.h>
#include <string.h>

static double wavy(double u) { return sin(3 * u); }

void vq_decide_quotients(ev_check *check)
{
    enum { CODES = 4, TRIES = 1000 };
    const double codes[CODES] = {-1.5, -0.4, 0.3, 1.2};
    ev_stream stream = ev_check_stream(check, "quotients");
    double z[TRIES], largest = 0, smallest = HUGE_VAL;
    int inside = 0, raised = 0;
    ev_stream_uniforms(&stream, 0, TRIES, z);
    for (int i = 0; i < TRIES; i++) {
        double at = 4 * z[i] - 2, border = HUGE_VAL;
        for (int k = 0; k + 1 < CODES; k++)
            border = fmin(border, fabs(at - (codes[k] + codes[k + 1]) / 2));
        if (border < 0.01)
            continue;
        double code = codes[vq_nearest(CODES, 1, codes, &at)], through = 3 * cos(3 * code);
        inside++;
        smallest = fmin(smallest, fabs(through));
        for (double h = 0.005; h > 1e-9; h /= 10) {
            double up = at + h, down = at - h;
            largest = fmax(largest, fabs(wavy(codes[vq_nearest(CODES, 1, codes, &up)]) -
                                         wavy(codes[vq_nearest(CODES, 1, codes, &down)])) /
                                        h);
        }
        double after = at - 0.5 * through;
        raised += wavy(codes[vq_nearest(CODES, 1, codes, &after)]) > wavy(code) + 0.01;
    }
    const char *found = ev_check_format(check,
                                        "the quotients are at most %g, the straight-through "
                                        "gradient at least %.3f in size",
                                        largest, smallest);
    const char *steps = ev_check_format(check, "%d of %d steps raise it", raised, inside);
    const ev_alternative others[] = {
        {"the straight-through gradient is the limit of the quotients", smallest > 0.1 + largest,
         found},
        {"the quotients are only small", !(largest > 0), found},
        {"a step against the straight-through gradient lowers the loss", raised > 0, steps}};
    ev_check_decide(check, "st-difference-quotients",
                    !(largest > 0) && smallest > 0.1 && raised > 0 && inside > TRIES / 2,
                    ev_check_format(check, "%d places: %s; %s", inside, found, steps), 3, others);
}

enum { POINTS = 60, CLUSTERS = 3 };

/* Three groups on a line, two of them close to each other; x: (POINTS). */
static void draw_groups(ev_check *check, double *x)
{
    const double centre[CLUSTERS] = {-3, -1.8, 3};
    ev_stream stream = ev_check_stream(check, "groups");
    ev_stream_normals(&stream, 0, POINTS, x);
    for (int i = 0; i < POINTS; i++)
        x[i] = 0.2 * x[i] + centre[i % CLUSTERS];
}

/* One Lloyd step on codes (CLUSTERS); returns the distortion before it, and the counts. */
static double lloyd_step(const double *x, double *codes, double *counts)
{
    double sums[CLUSTERS] = {0}, distortion = 0;
    memset(counts, 0, CLUSTERS * sizeof *counts);
    for (int i = 0; i < POINTS; i++) {
        size_t k = vq_nearest(CLUSTERS, 1, codes, x + i);
        distortion += (x[i] - codes[k]) * (x[i] - codes[k]) / POINTS;
        counts[k]++;
        sums[k] += x[i];
    }
    for (int k = 0; k < CLUSTERS; k++)
        if (counts[k] > 0)
            codes[k] = sums[k] / counts[k];
    return distortion;
}

void vq_decide_lloyd(ev_check *check)
{
    enum { STARTS = 100, LIMIT = 100 };
    double x[POINTS], start[STARTS * CLUSTERS], rise = 0, best = HUGE_VAL, worst = 0;
    int longest = 0, shortest = LIMIT;
    draw_groups(check, x);
    ev_stream stream = ev_check_stream(check, "starts");
    ev_stream_uniforms(&stream, 0, (size_t)STARTS * CLUSTERS, start);
    for (int i = 0; i < STARTS; i++) {
        double codes[CLUSTERS], counts[CLUSTERS], before = HUGE_VAL, now = 0;
        int steps = 0;
        for (int k = 0; k < CLUSTERS; k++)
            codes[k] = x[(size_t)(POINTS * start[CLUSTERS * i + k])];
        for (; steps < LIMIT; steps++) {
            now = lloyd_step(x, codes, counts);
            rise = fmax(rise, now - before);
            if (!(fabs(now - before) > 1e-15))
                break;
            before = now;
        }
        longest = steps > longest ? steps : longest;
        shortest = steps < shortest ? steps : shortest;
        best = fmin(best, now);
        worst = fmax(worst, now);
    }
    const char *ends = ev_check_format(check, "distortions at rest from %.4f to %.4f", best, worst);
    const char *lengths = ev_check_format(check, "at rest after %d to %d steps", shortest, longest);
    const ev_alternative others[] = {
        {"it rests at the least distortion, wherever it began", worst > 1.5 * best, ends},
        {"it comes to rest only in the limit", longest < LIMIT, lengths},
        {"one step is enough", longest > 1, lengths}};
    ev_check_decide(check, "codebook-lloyd", rise < 1e-14 && longest < LIMIT && worst > 1.5 * best,
                    ev_check_format(check, "100 starts: largest rise %.1e; %s; %s", fmax(rise, 0),
                                    lengths, ends),
                    3, others);
}

/* e' = alpha e + (1 - alpha) mean, the batch means standard normal: e after many steps. */
void vq_decide_noise(ev_check *check)
{
    enum { STEPS = 40, RUNS = 40000 };
    const double alpha = 0.8;
    ev_stream stream = ev_check_stream(check, "batches");
    double sum = 0, fourth = 0, mean[STEPS];
    for (uint64_t run = 0; run < RUNS; run++) {
        double e = 0;
        ev_stream_normals(&stream, run * STEPS, STEPS, mean);
        for (int t = 0; t < STEPS; t++)
            e = alpha * e + (1 - alpha) * mean[t];
        sum += e * e;
        fourth += e * e * e * e;
    }
    double variance = sum / RUNS, wanted = (1 - alpha) / (1 + alpha);
    ev_sample_summary squares = {.samples = RUNS,
                                 .mean = variance,
                                 .khat = -HUGE_VAL,
                                 .variance = fourth / RUNS - variance * variance,
                                 .skewness = sqrt(8)};
    squares.standard_error = sqrt(squares.variance / RUNS);
    double width = ev_sample_half_width(&squares, ev_check_alpha(check));
    const char *found = ev_check_format(check, "the variance is %.5f +- %.5f", variance, width);
    const ev_alternative others[] = {
        {"it is (1 - alpha)/2", fabs(variance - (1 - alpha) / 2) > width, found},
        {"it is (1 - alpha)^2", fabs(variance - (1 - alpha) * (1 - alpha)) > width, found},
        {"the code comes to rest", variance > width, found}};
    ev_check_prints(check, "ema-noise", "variance $\\frac{1-\\alpha}{1+\\alpha}$ of that");
    ev_check_decide(check, "ema-noise", fabs(variance - wanted) < width && width < 0.1 * wanted,
                    ev_check_format(check,
                                    "alpha = 0.8, 40000 runs: %s, (1 - alpha)/(1 + alpha) = "
                                    "%.5f",
                                    found, wanted),
                    3, others);
}

/* Moving averages on fixed data, from three codes of which the last is far from everything;
 * returns how far that one goes, and how far the used ones end from k-means at rest. */
static double move_averages(const double *x, double epsilon, double *others)
{
    const double alpha = 0.99;
    double codes[CLUSTERS] = {-2, 2, 40}, counts[CLUSTERS] = {1, 1, 1}, sums[CLUSTERS], total, n;
    double rest[CLUSTERS] = {-2, 2, 40}, used[CLUSTERS];
    memcpy(sums, codes, sizeof sums);
    for (int step = 0; step < 2500; step++) {
        for (int k = 0; k < CLUSTERS; k++) {
            counts[k] *= alpha;
            sums[k] *= alpha;
        }
        for (int i = 0; i < POINTS; i++) {
            size_t k = vq_nearest(CLUSTERS, 1, codes, x + i);
            counts[k] += 1 - alpha;
            sums[k] += (1 - alpha) * x[i];
        }
        total = counts[0] + counts[1] + counts[2];
        for (int k = 0; k < CLUSTERS; k++) {
            n = epsilon > 0 ? (counts[k] + epsilon) / (total + CLUSTERS * epsilon) * total
                            : counts[k];
            codes[k] = sums[k] / n;
        }
    }
    for (int step = 0; step < 50; step++)
        (void)lloyd_step(x, rest, used);
    *others = fmax(fabs(codes[0] - rest[0]), fabs(codes[1] - rest[1]));
    return fabs(codes[2] - 40);
}

void vq_decide_unused(ev_check *check)
{
    double x[POINTS], used, used_smoothed;
    draw_groups(check, x);
    double moved = move_averages(x, 0, &used), smoothed = move_averages(x, 1e-5, &used_smoothed);
    /* Its codebook term is a sum over no vectors: the gradient is an empty sum. */
    double codes[CLUSTERS] = {-2, 2, 40}, counts[CLUSTERS];
    (void)lloyd_step(x, codes, counts);
    const ev_alternative others[] = {
        {"the average draws it in slowly", moved < 1e-9,
         ev_check_format(check, "after 2500 steps it has moved by %.1e", moved)},
        {"it stays with smoothed counts too", smoothed > 1,
         ev_check_format(check,
                         "with smoothing it shrinks, by %.4g from 40, until vectors choose it",
                         smoothed)},
        {"the other codes stay too", used < 1e-6 && fabs(codes[0] + 2) > 0.01,
         ev_check_format(check, "they end within %.1e of k-means at rest", used)}};
    ev_check_decide(check, "ema-unused", moved < 1e-9 && !(counts[2] > 0),
                    ev_check_format(check,
                                    "%g vectors choose it; in 2500 steps it moves by %.1e, "
                                    "with smoothed counts by %.4g",
                                    counts[2], moved, smoothed),
                    3, others);
}
