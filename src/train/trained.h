/* A run's model, opened to be looked at: settings, images, and the parameters of its checkpoint. */
#ifndef EV_TRAIN_TRAINED_H
#define EV_TRAIN_TRAINED_H

#include "train/evaluation.h"
#include "train/run_folder.h"
#include "train/settings.h"
#include "train/split_source.h"

typedef struct {
    ev_run_folder run;
    ev_settings settings;
    ev_image_set images;
    ev_split_source test; /* made binary as the training images were */
    ev_gmvae model;
    float *parameters; /* (model.layout.size) */
    uint64_t step;     /* of the checkpoint */
} ev_trained;

/* data: another folder of images than the run's own, or NULL.  EV_BAD_INPUT when the folder is not a
 * run, its checkpoint is not of its model, or the images are not those it was trained on.
 * Do not move *trained afterwards. */
ev_status ev_trained_open(ev_trained *trained, const char *folder, const char *data,
                          ev_error *error);
void ev_trained_close(ev_trained *trained);
/* evaluation.h on its test images, with the run's seed. */
ev_status ev_trained_evaluate(const ev_trained *trained, size_t log_px_images,
                              ev_evaluation *evaluation, ev_error *error);

/* Where pixels of the training (0) or test (1) split come from under these settings. */
ev_pixel_source ev_settings_pixels(const ev_settings *settings, uint32_t split);

#endif
