/* `evidence train vqvae`: the words behind it; returns an exit status. */
#ifndef EV_CLI_TRAIN_VQVAE_H
#define EV_CLI_TRAIN_VQVAE_H

int ev_train_vqvae(int argc, char **argv);

#endif
