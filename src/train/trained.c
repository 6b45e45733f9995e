#include "train/trained.h"

#include "nn/buffer.h"
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

ev_pixel_source ev_settings_pixels(const ev_settings *s, uint32_t split)
{
    return (ev_pixel_source){(ev_binarisation)s->binarise, s->seed, split};
}

static ev_status read_model(ev_trained *t, ev_error *error)
{
    const ev_train_config config = ev_settings_train_config(&t->settings);
    ev_status status = ev_gmvae_create(&t->model, &config.model, error);
    if (status != EV_OK)
        return status;
    t->parameters = ev_buffer_create(t->model.layout.size);
    char *path = ev_run_path(&t->run, "checkpoint.safetensors");
    if (t->parameters == NULL || path == NULL)
        status = ev_error_set(error, EV_NO_MEMORY, "out of memory for the model");
    else
        status = ev_checkpoint_read_parameters(path, &t->model, t->parameters, &t->step, error);
    free(path);
    return status;
}

ev_status ev_trained_open(ev_trained *t, const char *folder, const char *data, ev_error *error)
{
    ev_config_key keys[EV_SETTINGS_KEYS];
    *t = (ev_trained){.step = 0};
    ev_status status = ev_run_open(&t->run, folder, ev_settings_keys(&t->settings, keys), keys,
                                   error);
    if (status == EV_OK && data != NULL)
        snprintf(t->settings.data, sizeof t->settings.data, "%s", data);
    if (status == EV_OK)
        status = read_model(t, error);
    if (status == EV_OK)
        status = ev_image_set_read(t->settings.data, &t->images, error);
    if (status == EV_OK)
        status = ev_settings_bind_images(&t->settings, &t->images, error);
    const ev_pixel_source pixels = ev_settings_pixels(&t->settings, 1);
    if (status == EV_OK)
        status = ev_split_source_create(&t->test, &t->images.test, t->images.D, &pixels, error);
    if (status != EV_OK)
        ev_trained_close(t);
    return status;
}

ev_status ev_trained_evaluate(const ev_trained *t, size_t log_px_images, ev_evaluation *evaluation,
                              ev_error *error)
{
    const ev_evaluation_options options = {
        .batch = 256, .log_px_images = log_px_images, .seed = t->settings.seed};
    return ev_evaluation_run(&t->model, t->parameters, &t->test.source, t->images.test.labels,
                             t->images.test.classes, &options, evaluation, error);
}

void ev_trained_close(ev_trained *t)
{
    ev_split_source_destroy(&t->test);
    ev_image_set_free(&t->images);
    free(t->parameters);
    ev_run_close(&t->run);
    *t = (ev_trained){.step = 0};
}
