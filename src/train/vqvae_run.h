/* A VQ-VAE's run, new or taken up again: folder, settings, images, trainer. */
#ifndef EV_TRAIN_VQVAE_RUN_H
#define EV_TRAIN_VQVAE_RUN_H

#include "train/run_folder.h"
#include "train/split_source.h"
#include "train/vqvae_settings.h"
#include "train/vqvae_trainer.h"

typedef struct {
    ev_vqvae_settings settings;
    ev_run_folder folder;
    ev_image_set images;
    ev_split_source train, test; /* made binary, or not, alike */
    ev_vqvae_trainer trainer;
} ev_vqvae_run;

/* From run->settings, and the codes' start; the folder is made last, so that a run that can't begin
 * leaves none behind. */
ev_status ev_vqvae_run_create(ev_vqvae_run *run, const char *path, const char *header,
                              ev_error *error);
/* The run of that folder at its checkpoint; settings but for `data` and `threads`, where they are not
 * empty and not 0, are the folder's.  EV_BAD_INPUT when the folder is not such a run, its checkpoint is
 * not its own, or the images are not those it was trained on. */
ev_status ev_vqvae_run_open(ev_vqvae_run *run, const char *path, const char *data, uint64_t threads,
                            ev_error *error);
/* Does the folder say that it is the run of such a model? */
bool ev_vqvae_is_run(const char *path);
/* The state into checkpoint.safetensors. */
ev_status ev_vqvae_run_save(const ev_vqvae_run *run, ev_error *error);
/* A zeroed or failed one is allowed.  Do not move *run once it is open. */
void ev_vqvae_run_close(ev_vqvae_run *run);

#endif
