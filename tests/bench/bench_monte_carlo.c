/* Monte Carlo through the tape: draws of E_q[log p] a second, from the printed formula.
 *
 * Ours: the integral of BENCH_LEMMA with quadrature switched off; with the mean come the
 * variance, the skewness and the tail's Pareto shape.
 *
 * The peer: NumPy's mean of the same log density of the same Gaussian,
 *   one array    the formula as one would type it, on an array of all draws
 *   in chunks    of the best size, in place, its default generator
 *   by hand      in chunks, its fastest generator, constants and factors taken out of the mean, the
 *                squares added by BLAS
 * The target is for our two threads and the second of these on one, as NumPy is commonly run. */
#include "bench.h"

#include <stdio.h>

enum { TURNS = 4, MOST_THREADS = 2 };
static const uint64_t DRAWS = UINT64_C(1) << 24; /* slices as long as the peer's */
static const double SECONDS = 0.5;               /* of a turn */
static const size_t PEER_DRAWS = (size_t)1 << 22;
static const bench_point AT = {0.3, 0.8, -0.9, 1.3}; /* the peer has the same */

/* The most draws a second in one turn; *right becomes false when an estimate is not within its
 * interval of the closed form. */
static double measure(const bench_formula *lemma, const double *inputs, size_t threads,
                      uint32_t turn, bool *right)
{
    const ev_effort effort = {.max_dim = 0,
                              .samples = DRAWS,
                              .max_samples = DRAWS,
                              .sampling_relative = 1e-3,
                              .alpha = 1e-6,
                              .threads = threads};
    const ev_stream stream = ev_stream_make(1, ev_hash_text("bench"), (uint32_t)threads, turn);
    double best = 0, began = bench_clock();
    for (uint32_t i = 0; i == 0 || bench_clock() - began < SECONDS; i++) {
        const ev_stream own = ev_stream_child(&stream, i);
        ev_value value;
        double start = bench_clock();
        ev_status status = ev_program_evaluate(lemma->program, inputs, &effort, &own, &value);
        double seconds = bench_clock() - start;
        *right = *right && status == EV_OK && value.fit &&
                 fabs(value.value - bench_closed_form(&AT)) <= value.sampling;
        best = fmax(best, (double)DRAWS / seconds);
    }
    return best;
}

int main(void)
{
    enum { ONE_ARRAY, CHUNKS, BY_HAND = 3, WAYS = 5 };
    bench_formula lemma = bench_lemma(1);
    double inputs[BENCH_INPUTS], ours[MOST_THREADS] = {0}, peer[WAYS] = {0};
    char how[BENCH_WORDS] = "";
    bool right = true, has_peer = true, met = true;
    bench_lemma_inputs(&lemma, &AT, inputs);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        double figures[WAYS];
        for (size_t i = 0; i < MOST_THREADS; i++)
            ours[i] = fmax(ours[i], measure(&lemma, inputs, i + 1, turn, &right));
        has_peer = has_peer && bench_peer("numpy_monte_carlo", PEER_DRAWS, WAYS, figures, how);
        for (size_t i = 0; has_peer && i < WAYS; i++)
            peer[i] = fmax(peer[i], figures[i]);
    }
    bench_lemma_free(&lemma);

    printf("Monte Carlo, E_q[log p] in one dimension, million draws a second\n");
    printf("                                1 thread  2 threads\n");
    printf("  evidence                   %11.1f%11.1f\n", 1e-6 * ours[0], 1e-6 * ours[1]);
    if (has_peer) {
        printf("  NumPy, one array           %11.1f              (%s)\n", 1e-6 * peer[ONE_ARRAY],
               how);
        printf("  NumPy, in chunks           %11.1f%11.1f\n", 1e-6 * peer[CHUNKS],
               1e-6 * peer[CHUNKS + 1]);
        printf("  NumPy, by hand             %11.1f%11.1f\n", 1e-6 * peer[BY_HAND],
               1e-6 * peer[BY_HAND + 1]);
        printf("  ratio to one array         %11.1f\n", ours[0] / peer[ONE_ARRAY]);
        printf("  ratio to chunks            %11.1f%11.1f\n", ours[0] / peer[CHUNKS],
               ours[1] / peer[CHUNKS + 1]);
        printf("  ratio to chunks by hand    %11.1f%11.1f\n", ours[0] / peer[BY_HAND],
               ours[1] / peer[BY_HAND + 1]);
        met = bench_target("our 2 threads to its 1", ours[1] / peer[CHUNKS], 5);
    }
    if (!right)
        printf("  an estimate is further from the closed form than its interval allows\n");
    return met && right ? 0 : 1;
}
