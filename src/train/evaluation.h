/* What a trained model is worth, on images that it was not trained on.
 *
 * The ELBO by term (one pass with the run's gamma and one set of draws), log p(x) by importance
 * sampling, and, from the argmax of gamma, the clusters: how many images each has, how sure the model
 * is, and how well they match the labels if there are any.  Labels are read here and nowhere else.
 */
#ifndef EV_TRAIN_EVALUATION_H
#define EV_TRAIN_EVALUATION_H

#include "models/gmvae.h"
#include "train/clustering.h"
#include "train/image_source.h"

#include <stdbool.h>

enum { EV_EVALUATION_SIZES = 3 };
/* S = 1, 10, 500. */
extern const size_t ev_evaluation_sizes[EV_EVALUATION_SIZES];

typedef struct {
    size_t N, K;
    ev_elbo elbo;         /* the mean over all images */
    double elbo_error;    /* standard error of its total, over the images */
    size_t log_px_images; /* the first so many: 500 draws each take their time */
    double log_px[EV_EVALUATION_SIZES];
    double log_px_error[EV_EVALUATION_SIZES]; /* standard errors over those images */
    double gamma_entropy; /* the mean of H(q(c|x)), nats; log K when gamma says nothing */
    bool labelled;
    ev_clustering clustering;  /* without labels only occupied and largest */
    size_t *occupancy, *match; /* (K) images of each cluster, its label (SIZE_MAX: none) */
    size_t *cluster;           /* (N) the argmax of gamma */
    float *mu;                 /* (N,J) posterior means */
} ev_evaluation;

typedef struct {
    size_t batch;         /* images at a time */
    size_t log_px_images; /* at most; 0 leaves log p(x) out */
    uint64_t seed;
} ev_evaluation_options;

/* labels (images->count), classes: NULL and 0 where there are none. */
ev_status ev_evaluation_run(const ev_gmvae *model, const float *parameters,
                            const ev_image_source *images, const uint8_t *labels, size_t classes,
                            const ev_evaluation_options *options, ev_evaluation *evaluation,
                            ev_error *error);
void ev_evaluation_destroy(ev_evaluation *evaluation);

/* True when one cluster has (nearly) everything: more than 99 of 100 images, though there are
 * several clusters. */
bool ev_evaluation_collapsed(const ev_evaluation *evaluation);

#endif
