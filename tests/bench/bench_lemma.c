/* The one-dimensional lemma by quadrature, microseconds a case, on one thread.
 *
 * Ours: the integral of BENCH_LEMMA, parsed from its TeX and compiled once, at many points: two
 * rules of different families with their sentinels and every error bound, no sampling;
 * relative 1e-11, as a check asks.
 *
 * The peer: scipy.integrate.quad, once a case at the same points, with an integrand in Python:
 *   as written   the printed integrand in NumPy's functions, over the whole line, relative 1e-11
 *   in floats    the same from Python's math, logarithms of constants taken out by hand
 *   by hand      the fastest of several rewritings (whitened, on a finite interval, with the
 *                library's default tolerance) that is right to 1e-8
 * One rule each, and nobody checks it.  The target is for the first. */
#include "bench.h"

#include <stdio.h>

enum { CASES = 50, POINTS = 2000, PEER_CASES = 40, TURNS = 4 };

/* A Kronecker sequence, so that the peer has the same points; no sigma below a fifth. */
static double fraction(size_t i, double step)
{
    double x = (double)(i + 1) * step;
    return x - floor(x);
}

static bench_point point(size_t i)
{
    return (bench_point){
        4 * fraction(i, 0.8566748838545029) - 2, 0.2 + 2 * fraction(i, 0.733891856627126),
        4 * fraction(i, 0.6287067210378087) - 2, 0.2 + 2 * fraction(i, 0.5385972572236101)};
}

typedef struct {
    double seconds;  /* a case */
    double furthest; /* from the closed form, relative */
    bool right;      /* never further than the error bounds, and by both rules */
} result;

/* CASES points from the first on, as one measurement. */
static void measure(const bench_formula *lemma, size_t first, result *r)
{
    const unsigned rules = EV_METHOD_HERMITE | EV_METHOD_CUBATURE;
    const ev_effort effort = {
        .relative = 1e-11, .max_evaluations = 2000000, .max_dim = 4, .alpha = 1e-6, .threads = 1};
    const ev_stream stream = ev_stream_make(1, ev_hash_text("bench"), 1, 1);
    double inputs[CASES][BENCH_INPUTS], truths[CASES];
    ev_value values[CASES];
    for (size_t i = 0; i < CASES; i++) {
        bench_point at = point(first + i);
        bench_lemma_inputs(lemma, &at, inputs[i]);
        truths[i] = bench_closed_form(&at);
    }
    double start = bench_clock();
    for (size_t i = 0; i < CASES; i++)
        if (ev_program_evaluate(lemma->program, inputs[i], &effort, &stream, &values[i]) != EV_OK)
            r->right = false;
    r->seconds = fmin(r->seconds, (bench_clock() - start) / CASES);
    for (size_t i = 0; i < CASES; i++) {
        const ev_value *v = &values[i];
        double off = fabs(v->value - truths[i]), bound = v->rounding + v->quadrature;
        /* The closed form in doubles is itself a few roundings off. */
        r->right = r->right && v->fit && (v->methods & rules) == rules &&
                   off <= bound + 4e-16 * fabs(truths[i]);
        r->furthest = fmax(r->furthest, off / fabs(truths[i]));
    }
}

int main(void)
{
    enum { WAYS = 3 };
    bench_formula lemma = bench_lemma(1);
    result ours = {HUGE_VAL, 0, true};
    double peer[WAYS] = {HUGE_VAL, HUGE_VAL, HUGE_VAL};
    char how[BENCH_WORDS] = "";
    bool has_peer = true, met = true;
    for (size_t turn = 0; turn < TURNS; turn++) {
        double figures[WAYS];
        for (size_t first = 0; first < POINTS; first += CASES)
            measure(&lemma, first, &ours);
        has_peer = has_peer && bench_peer("scipy_quad", PEER_CASES, WAYS, figures, how);
        for (size_t i = 0; has_peer && i < WAYS; i++)
            peer[i] = fmin(peer[i], figures[i]);
    }
    bench_lemma_free(&lemma);

    printf("Quadrature, the one-dimensional lemma, microseconds a case\n");
    printf("  evidence                   %8.2f   (two rules, sentinels; off by %.0e at most)\n",
           1e6 * ours.seconds, ours.furthest);
    if (has_peer) {
        printf("  quad, as written           %8.1f   (%s)\n", 1e6 * peer[0], how);
        printf("  quad, in floats            %8.1f\n", 1e6 * peer[1]);
        printf("  quad, rewritten by hand    %8.1f\n", 1e6 * peer[2]);
        printf("  ratio to the last two      %8.1f and %.1f\n", peer[1] / ours.seconds,
               peer[2] / ours.seconds);
        met = bench_target("ratio to quad as written", peer[0] / ours.seconds, 50);
    }
    if (!ours.right)
        printf("  a value is further from the closed form than its bounds allow\n");
    return met && ours.right ? 0 : 1;
}
