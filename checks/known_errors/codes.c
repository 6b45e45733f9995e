/* Published errors in vector quantisation.
 *
 * A stop-gradient is a copy that stays behind when the original moves: the terms with their
 * copies as arguments of their own, differentiated by central differences, exact for squares. */
#include "sides.h"

typedef struct {
    double z, e, frozen_z, frozen_e, beta;
} quantised;

static double loss_right(const quantised *v)
{
    return pow(v->frozen_z - v->e, 2) + v->beta * pow(v->z - v->frozen_e, 2);
}

static double loss_exchanged(const quantised *v)
{
    return v->beta * pow(v->frozen_z - v->e, 2) + pow(v->z - v->frozen_e, 2);
}

/* The codebook term after z + sg[e - z]; the e in it is the copy. */
static double loss_after(const quantised *v)
{
    return pow(v->frozen_z - (v->z + v->frozen_e - v->frozen_z), 2);
}

static double slope(double (*loss)(const quantised *), const quantised *at, bool by_code)
{
    quantised up = *at, down = *at;
    *(by_code ? &up.e : &up.z) += 0.5;
    *(by_code ? &down.e : &down.z) -= 0.5;
    return loss(&up) - loss(&down);
}

/* A count without vectors, twice decayed: smoothed once, and each time; and in the long run. */
static void check_written_back(ev_check *check)
{
    const double alpha = 0.9, epsilon = 0.2, k = 4, v = 5, n = 1.7;
    double local = (alpha * alpha * n + epsilon) / (v + k * epsilon) * v, stored = n, last = n;
    for (int step = 0; step < 2; step++)
        stored = (alpha * stored + epsilon) / (v + k * epsilon) * v;
    errors_differ(check, "written-back", stored, local);
    for (int step = 0; step < 2000; step++)
        last = (alpha * last + epsilon) / (v + k * epsilon) * v;
    ev_check_sides(check, "written-back-limit", 1, last, 1e-12,
                   epsilon * v / ((1 - alpha) * v + k * epsilon), 1e-12);
}

void errors_check_quantisation(ev_check *check)
{
    const double j = 2, z[2] = {0.7, -1.3}, e[2] = {-0.2, 0.4}, beta = 0.25, alpha = 0.9;
    const double epsilon = 1e-5, k = 4, batch = 64, n = 3;
    const ev_binding at[] = {{"J", 1, &j},
                             {"z", 2, z},
                             {"e", 2, e},
                             {"\\beta", 1, &beta},
                             {"\\alpha", 1, &alpha},
                             {"\\varepsilon", 1, &epsilon},
                             {"K", 1, &k},
                             {"M", 1, &batch},
                             {"n", 1, &n}};
    double before = 0, after = 0;
    for (size_t i = 0; i < 2; i++) {
        const quantised v = {z[i], e[i], z[i], e[i], beta};
        double code = slope(loss_right, &v, true), encoder = slope(loss_right, &v, false);
        errors_says(check, "beta-codebook-right", 1, 0, i, 9, at, code, rounding(code));
        errors_says(check, "beta-codebook-right", 1, 1, i, 9, at, code, rounding(code));
        errors_says(check, "beta-encoder-right", 1, 0, i, 9, at, encoder, rounding(encoder));
        errors_says(check, "beta-encoder-right", 1, 1, i, 9, at, encoder, rounding(encoder));
        errors_says(check, "codebook-after-straight-through-zero", 1, 0, i, 9, at,
                    slope(loss_after, &v, true), 0);
        errors_differ(check, "beta-codebook", slope(loss_exchanged, &v, true), code);
        errors_differ(check, "beta-encoder", slope(loss_exchanged, &v, false), encoder);
        errors_differ(check, "codebook-after-straight-through", slope(loss_after, &v, true), code);
        double moved = alpha * e[i] + (1 - alpha) * z[i];
        before += pow(z[i] - e[i], 2);
        after += pow(z[i] - moved, 2);
        double total = (1 - alpha) * batch, count = epsilon * total / (total + k * epsilon);
        errors_differ(check, "unused-code", alpha * e[i] / count, e[i]);
    }
    errors_says(check, "update-first-factor", 1, 1, 0, 9, at, after, rounding(after));
    errors_differ(check, "update-first", after, before);
    /* by a difference, exact for squares, the moved code held */
    double held = alpha * e[0] + (1 - alpha) * z[0], h = 0.5;
    double slow = (pow(z[0] + h - held, 2) - pow(z[0] - h - held, 2)) / (2 * h);
    errors_differ(check, "update-first-gradient", slow, 2 * (z[0] - e[0]));
    ev_check_sides(check, "update-first-gradient-factor", 1, slow, 1e-12, 2 * alpha * (z[0] - e[0]),
                   1e-12);
    check_written_back(check);
}

static const double DECAY = 0.99;

/* One step of the moving averages of two codes, of which the batch (64 vectors of value 2) uses
 * the first: counts begin at count, sums at count times the code, or at the code if count is 0. */
static void first_step(double count, double epsilon, double code[2])
{
    const double alpha = DECAY, batch = 64, mean = 2, begun = count > 0 ? count : 1;
    double counts[2], sums[2], total = 0;
    for (int i = 0; i < 2; i++) {
        counts[i] = alpha * count + (i == 0 ? (1 - alpha) * batch : 0);
        sums[i] = alpha * begun * code[i] + (i == 0 ? (1 - alpha) * batch * mean : 0);
        total += counts[i];
    }
    for (int i = 0; i < 2; i++)
        code[i] = sums[i] / ((counts[i] + epsilon) / (total + 2 * epsilon) * total);
}

void errors_decide_unused_code(ev_check *check)
{
    double zero[2] = {1.5, -0.7}, alike[2] = {1.5, -0.7}, bare[2] = {1.5, -0.7};
    first_step(0, 1e-5, zero);
    first_step(1, 1e-5, alike);
    first_step(1, 0, bare);
    double growth = zero[1] / -0.7, kept = alike[1] / -0.7;
    const ev_alternative others[] = {
        {"smoothing the counts prevents it", growth > 1e4,
         ev_check_format(check, "with smoothing the factor is %.6g", growth)},
        {"the codes in use are right after the step", fabs(zero[0] - 2) > 0.1,
         ev_check_format(check, "the used code is %.4g, its vectors are all 2", zero[0])},
        {"the smoothing does it, not the beginning", fabs(kept - 1) < 1e-4,
         ev_check_format(check, "begun alike, with the same smoothing, the factor is %.8f", kept)}};
    ev_check_prints(check, "unused-code-grows",
                    "decay %g, $\\varepsilon = 10^{-5}$, sums begun at the codes", DECAY);
    ev_check_prints(check, "unused-code-grows", "by about $10^5$");
    ev_check_decide(check, "unused-code-grows",
                    growth > 0.9e5 && growth < 1.1e5 && fabs(bare[1] + 0.7) < 1e-14,
                    ev_check_format(check,
                                    "factor %.6g with counts begun at zero; %.8f begun alike, "
                                    "%.15g without smoothing",
                                    growth, kept, bare[1] / -0.7),
                    3, others);
}
