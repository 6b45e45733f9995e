/* The audit: what the optimiser sees, held against what was derived.
 *
 * On one minibatch, with its very noise, the float32 loss and gradient of a training step are
 * compared with
 *   (a) a reference in double precision that shares no code with the float pass (audit_reference.h):
 *       the draws of z, gamma, and each term of the loss by the closed forms of src/probability;
 *   (b) where J <= 2, quadrature of every expectation, E_q[log p(x|z)] among them, and log p(x);
 *   (c) sampling, with intervals that share one false-alarm probability;
 *   (d) ELBO(gamma) <= ELBO(gamma*) <= log p(x);
 *   (e) the reference's derivatives along 20 random directions and two along each parameter block.
 * Every comparison is a row, with the claim in derivations/ that it is the trained form of.  A row
 * that doesn't hold is REFUTED; one whose error is too large to say is UNDECIDED and does no harm.
 *
 *   ev_audit audit;
 *   status = ev_audit_run(&subject, &options, &audit, &error);
 *   if (status == EV_OK && !ev_audit_passed(&audit))
 *       ...                                     // audit.failed, audit.diagnosis
 *   ev_audit_free(&audit);
 */
#ifndef EV_TRAIN_AUDIT_H
#define EV_TRAIN_AUDIT_H

#include "base/error.h"
#include "judge/ledger.h"
#include "models/gmvae.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A training step after its forward and backward pass, before the update. */
typedef struct {
    const ev_gmvae *model;
    const float *parameters;
    size_t B;
    const float *x, *noise;      /* (B,D), (B,M,J) */
    const ev_elbo *elbo;         /* as reported: the mean over the batch */
    const ev_gmvae_workspace *w; /* terms, z, gamma, mu, scale and activations are read */
    const float *gradient;       /* (layout.size) of minus the mean ELBO; NULL: not audited */
} ev_audit_subject;

typedef struct {
    uint64_t seed;
    double alpha;      /* of one false alarm or more among all intervals of this audit */
    size_t directions; /* random ones; beside them two along each block */
    size_t images;     /* the first so many are integrated and sampled; 0: neither */
    size_t samples;    /* of z for each of those */
    size_t ranks;      /* draws beside which each of the batch's is ranked; 0: none */
    double resolution; /* relative, of float against double */
} ev_audit_options;

/* seed 0, alpha 1e-6, 20 directions, 4 images, 1000 samples, 31 ranks, resolution 1e-5. */
extern const ev_audit_options EV_AUDIT_DEFAULTS;

typedef struct {
    char name[64];        /* "entropy", "gradient along encoder.0.weight" */
    const char *claim;    /* an id of derivations/; "" where a definition is meant */
    const char *relation; /* "=", "<=" */
    const char *method;   /* "closed form", "quadrature", "sampling", "directional derivative" */
    double value, reference;
    double error;     /* what may lie between them */
    const char *kind; /* of that error: "rounding", "quadrature", "sampling" */
    ev_verdict verdict;
    double fresh_mean, fresh_deviation; /* of the row's mean over the batch, in nats, from fresh
                                           draws of z; deviation 0: the row has no such thing */
    char note[96];
} ev_audit_row;

typedef struct {
    size_t count, capacity;
    ev_audit_row *rows;
    char failed[64];       /* the first term that is REFUTED; "" when none is */
    char diagnosis[256];   /* what is known of it in a sentence */
    double alpha, share;   /* of the audit, of one interval */
    size_t intervals;      /* planned */
    size_t kinks;          /* ReLUs and limits where float and double stand on two sides */
    double gradient_error; /* the largest error of a derivative, in units of its bound */
    uint64_t seed;
} ev_audit;

/* EV_OK whatever the verdicts are; EV_NO_MEMORY.  Free *audit in any case. */
ev_status ev_audit_run(const ev_audit_subject *subject, const ev_audit_options *options,
                       ev_audit *audit, ev_error *error);
void ev_audit_free(ev_audit *audit);
/* Append a row and give the verdict on it, as of any audit: a value that is not finite is REFUTED, an
 * error above `coarsest` says nothing, UNDECIDED; as in judge/compare.h a quadrature refutes beyond
 * four times its error only.  The first row that is REFUTED fills `failed` and `diagnosis`. */
ev_status ev_audit_append(ev_audit *audit, const ev_audit_row *row, double coarsest,
                          ev_error *error);
bool ev_audit_passed(const ev_audit *audit);
size_t ev_audit_tally(const ev_audit *audit, ev_verdict verdict);

/* One row as a JSON object on a line, without the newline; on the heap, NULL when memory is short. */
char *ev_audit_row_json(const ev_audit *audit, size_t row, uint64_t step);

#endif
