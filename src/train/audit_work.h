/* What the parts of an audit share.  Private to the audit. */
#ifndef EV_TRAIN_AUDIT_WORK_H
#define EV_TRAIN_AUDIT_WORK_H

#include "numerics/random.h"
#include "train/audit_reference.h"

typedef struct {
    const ev_audit_subject *subject;
    const ev_audit_options *options;
    ev_audit_reference reference;
    ev_audit *audit;
    size_t images; /* of them that are integrated and sampled */
    bool short_of_memory;
} ev_audit_work;

/* ev_audit_append; that memory was short is kept in mind until the end. */
void ev_audit_add(ev_audit_work *work, ev_audit_row row, double coarsest);
/* The stream of one purpose. */
ev_stream ev_audit_stream(const ev_audit_work *work, const char *purpose);

/* --- The parts, in the order of their rows --------------------------------------------------- */

void ev_audit_values(ev_audit_work *work);
/* Intervals that ev_audit_noise, _ranks and _samples will take. */
size_t ev_audit_intervals(const ev_audit_work *work);
void ev_audit_noise(ev_audit_work *work);
void ev_audit_ranks(ev_audit_work *work);

/* Means over the images, each found twice. */
typedef struct {
    double closed;                       /* the float's latent + categorical + entropy */
    double reconstruction, quadrature;   /* E_q[log p(x|z)] and its error by quadrature, or NaN */
    double log_px, log_px_quadrature;    /* the same for log p(x) */
    double sampled, half_width;          /* E_q[log p(x|z)] by sampling */
    double sampled_log_px, log_px_width; /* log p(x) by importance sampling */
    double khat;                         /* the heaviest of the weights' tails */
} ev_audit_bounds;
void ev_audit_exact(ev_audit_work *work, ev_audit_bounds *bounds);
void ev_audit_samples(ev_audit_work *work, ev_audit_bounds *bounds);
void ev_audit_gaps(ev_audit_work *work, const ev_audit_bounds *bounds);
void ev_audit_gradient(ev_audit_work *work);

/* --- Decoding anywhere ----------------------------------------------------------------------- */

/* The images' posteriors at whitened points: z_i = mu_i + L_i e for every point and image, decoded
 * together.  Column (i n + k) of `out` is image i at point k. */
typedef struct {
    ev_arena *arena;
    size_t columns; /* there is room for so many */
    double *z, *act[EV_MLP_DEPTH];
} ev_audit_decoder;

bool ev_audit_decoder_create(ev_audit_decoder *d, const ev_gmvae *model, size_t columns);
void ev_audit_decoder_destroy(ev_audit_decoder *d);
/* Decode d->z (J, stride of n); the outputs (E, that stride). */
const double *ev_audit_decode(ev_audit_decoder *d, const ev_audit_work *work, size_t n);

#endif
