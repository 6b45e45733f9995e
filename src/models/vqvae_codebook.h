/* The dictionary of a vector-quantised autoencoder: how the codes move (nn/nearest.h chooses them).
 * Claims in brackets are those of derivations/vector_quantisation.md that a rule implements.
 *
 *   K       codes                     J   dimensions of a code
 *   N       vectors                   z   (N,J) what the encoder puts out
 *   codes   (K,J) the dictionary      index (N) the chosen code of each vector
 *   n       (K) how many vectors of a batch chose each code
 *   s       (K,J) their sums          alpha the decay, epsilon the smoothing
 *
 * By moving averages, a batch at a time, after it has been quantised with the codes as they were:
 *
 *   V_k = alpha V_k + (1 - alpha) n_k,  Y_k = alpha Y_k + (1 - alpha) s_k         [debias-weights]
 *   nu_k = V_k/(1 - alpha^t),  total = sum nu                              [debias-count-divided]
 *   nu~_k = (nu_k + epsilon)/(total + K epsilon) total                           [smoothing-total]
 *   codes_k = (Y_k/(1 - alpha^t))/nu~_k                               [ema-step, debias-quotient]
 *
 * V and Y both begin at 0, so that their quotient is a weighted mean of what has been seen
 * [debias-code]; nu~ is made anew each time and never stored.  A code that no vector has chosen yet,
 * V_k = 0, has no such mean and stays where it is [ema-unused].
 *
 * Revival: after the average has moved, a code with nu_k below `revive` times the even share total/K
 * is dead.  It is put onto a vector of this batch, drawn evenly, and gets the even share, with the
 * sum to match, so that Y_k/V_k is that vector.
 */
#ifndef EV_MODELS_VQVAE_CODEBOOK_H
#define EV_MODELS_VQVAE_CODEBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    double decay;   /* alpha, in [0, 1) */
    double epsilon; /* at least 0 */
    double revive;  /* share of the even share below which a code is dead; 0: never */
    bool average;   /* codes follow their averages; otherwise only the counts are kept */
} ev_codebook_rule;

/* Sonnet's: 0.99 and 1e-5.  A code is dead when it is chosen a hundredth as often as the others. */
#define EV_CODEBOOK_DEFAULT ((ev_codebook_rule){0.99, 1e-5, 0.01, true})

/* The averages: all 0 at first. */
typedef struct {
    uint64_t steps; /* t */
    float *counts;  /* (K) V */
    float *sums;    /* (K,J) Y */
} ev_codebook_average;

/* z_q (N,J): the chosen codes. */
void ev_codebook_look_up(size_t J, const float *codes, size_t N, const uint32_t *index, float *z_q);

/* n and s of a batch. */
void ev_codebook_sum(size_t K, size_t J, size_t N, const float *z, const uint32_t *index, double *n,
                     double *s);
/* One step of the averages; the codes follow where the rule says so. */
void ev_codebook_step(const ev_codebook_rule *rule, size_t K, size_t J, const double *n,
                      const double *s, ev_codebook_average *average, float *codes);
/* Revive the dead after a step, from z.  Step t of a run has a stream of its own, a function of seed
 * and t.  Returns how many; revived (K) says which, so that an optimiser can forget their past. */
size_t ev_codebook_revive(const ev_codebook_rule *rule, size_t K, size_t J, size_t N,
                          const float *z, uint64_t seed, ev_codebook_average *average, float *codes,
                          bool *revived);

/* exp(H) of the frequencies n_k / sum n, between 1 and K [perplexity-range]; 0 when nothing was
 * counted.  Of a batch from its n, of an epoch from the sum of them: it is not the average of its
 * batches' [perplexity-average]. */
double ev_codebook_perplexity(size_t K, const double *n);
/* How many codes were chosen at all. */
size_t ev_codebook_used(size_t K, const double *n);

#endif
