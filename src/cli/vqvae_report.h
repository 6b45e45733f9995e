/* What is said of a trained VQ-VAE: numbers on standard output, codes.tsv and pictures in its folder. */
#ifndef EV_CLI_VQVAE_REPORT_H
#define EV_CLI_VQVAE_REPORT_H

#include "train/vqvae_run.h"

/* Messages go to standard error; returns an exit status. */
int ev_vqvae_report(ev_vqvae_run *run);

#endif
