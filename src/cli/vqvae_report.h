/* What is said of a trained VQ-VAE: numbers on standard output, codes.tsv and pictures in its folder. */
#ifndef EV_CLI_VQVAE_REPORT_H
#define EV_CLI_VQVAE_REPORT_H

#include "train/vqvae_run.h"

/* Messages go to standard error; returns an exit status. */
int ev_vqvae_report(ev_vqvae_run *run);
/* eval (the report), sample or reconstruct of the run of that folder; out: the picture, or NULL for the
 * folder's own. */
int ev_vqvae_look_at(const char *what, const char *folder, const char *data, const char *out,
                     size_t rows, size_t columns, uint64_t seed);

#endif
