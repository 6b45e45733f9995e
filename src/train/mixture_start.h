/* Where a round of epochs of the ELBO starts: a mixture fitted to the encoder's means of all training
 * images becomes the prior, and labels have no part in it.
 *   em        expectation-maximisation from k-means starts, the likeliest of the restarts
 *   spectral  the likeliest mixture given the clusters of the means' graph of neighbours
 *             (spectral.h), whatever their shape: the means of one class lie on a bent sheet, which
 *             a Gaussian fits badly and EM cuts up */
#ifndef EV_TRAIN_MIXTURE_START_H
#define EV_TRAIN_MIXTURE_START_H

#include "train/trainer.h"

typedef struct {
    double log_likelihood; /* of the means under the mixture, nats a point */
    size_t iterations;     /* of EM in the restart that was kept */
    size_t restart;        /* which one, from 0 */
    bool converged;
    double gap; /* of the graph, 1 - its K-th eigenvalue; 0 for em */
} ev_mixture_start;

/* As config.start says, with config.restarts restarts; nothing for a standard prior or without restarts, and *start is zeroed.
 * A function of the parameters, the images and the seed. */
ev_status ev_mixture_start_fit(ev_trainer *trainer, ev_mixture_start *start, ev_error *error);

#endif
