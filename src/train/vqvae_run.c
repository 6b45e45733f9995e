#include "train/vqvae_run.h"

#include "train/vqvae_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ev_status open_source(const ev_vqvae_run *run, uint32_t split, const ev_image_split *images,
                             ev_split_source *source, ev_error *error)
{
    const ev_pixel_source how = {(ev_binarisation)run->settings.binarise, run->settings.seed,
                                 split};
    return ev_split_source_create(source, images, run->images.D, &how, error);
}

static ev_status open_trainer(ev_vqvae_run *run, ev_error *error)
{
    ev_status status = ev_image_set_read(run->settings.data, &run->images, error);
    if (status == EV_OK)
        status = ev_vqvae_settings_bind_images(&run->settings, &run->images, error);
    if (status == EV_OK)
        status = open_source(run, 0, &run->images.train, &run->train, error);
    if (status == EV_OK)
        status = open_source(run, 1, &run->images.test, &run->test, error);
    if (status != EV_OK)
        return status;
    const ev_vqvae_train_config config = ev_vqvae_settings_train_config(&run->settings);
    return ev_vqvae_trainer_create(&run->trainer, &config, &run->train.source, error);
}

ev_status ev_vqvae_run_create(ev_vqvae_run *run, const char *path, const char *header,
                              ev_error *error)
{
    ev_config_key keys[EV_VQVAE_SETTINGS_KEYS];
    const size_t count = ev_vqvae_settings_keys(&run->settings, keys, NULL);
    ev_status status = ev_config_check(count, keys, error);
    if (status == EV_OK)
        status = open_trainer(run, error);
    if (status == EV_OK)
        status = ev_vqvae_trainer_start(&run->trainer, error);
    if (status == EV_OK)
        status = ev_run_create(&run->folder, path, count, keys, header, error);
    return status == EV_OK ? ev_vqvae_run_save(run, error) : status;
}

ev_status ev_vqvae_run_open(ev_vqvae_run *run, const char *path, const char *data, uint64_t threads,
                            ev_error *error)
{
    ev_config_key keys[EV_VQVAE_SETTINGS_KEYS];
    const size_t count = ev_vqvae_settings_keys(&run->settings, keys, NULL);
    ev_status status = ev_run_open(&run->folder, path, count, keys, error);
    if (status != EV_OK)
        return status;
    if (data != NULL)
        snprintf(run->settings.data, sizeof run->settings.data, "%s", data);
    if (threads > 0)
        run->settings.threads = threads;
    status = open_trainer(run, error);
    char *checkpoint = ev_run_path(&run->folder, "checkpoint.safetensors");
    if (status == EV_OK)
        status = checkpoint == NULL ? ev_error_set(error, EV_NO_MEMORY, "out of memory")
                                    : ev_vqvae_checkpoint_read(checkpoint, &run->trainer, error);
    free(checkpoint);
    return status;
}

bool ev_vqvae_is_run(const char *path)
{
    char model[EV_CONFIG_TEXT_SIZE];
    ev_error ignored = EV_ERROR_NONE;
    return ev_run_model(path, model, &ignored) == EV_OK && strcmp(model, "vqvae") == 0;
}

ev_status ev_vqvae_run_save(const ev_vqvae_run *run, ev_error *error)
{
    char *path = ev_run_path(&run->folder, "checkpoint.safetensors");
    if (path == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory");
    ev_status status = ev_vqvae_checkpoint_write(path, &run->trainer, error);
    free(path);
    return status;
}

void ev_vqvae_run_close(ev_vqvae_run *run)
{
    ev_vqvae_trainer_destroy(&run->trainer);
    ev_split_source_destroy(&run->train);
    ev_split_source_destroy(&run->test);
    ev_image_set_free(&run->images);
    ev_run_close(&run->folder);
}
