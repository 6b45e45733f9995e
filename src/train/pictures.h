/* What a model draws: samples of each cluster, and images beside their reconstructions. */
#ifndef EV_TRAIN_PICTURES_H
#define EV_TRAIN_PICTURES_H

#include "models/gmvae.h"
#include "train/image_source.h"

/* The sizes of one image. */
typedef struct {
    size_t height, width;
} ev_picture_size;

/* A row for each cluster: E[x|z] for `columns` draws z ~ p(z|c), a function of seed, cluster and
 * column.  With one cluster, as many rows as columns. */
ev_status ev_pictures_samples(const char *path, const ev_gmvae *model, const float *parameters,
                              ev_picture_size size, size_t columns, uint64_t seed, ev_error *error);
/* The first rows * columns images in pairs of rows: as they are, and below E[x|z] at z = mu(x). */
ev_status ev_pictures_reconstructions(const char *path, const ev_gmvae *model,
                                      const float *parameters, const ev_image_source *images,
                                      ev_picture_size size, size_t rows, size_t columns,
                                      ev_error *error);

#endif
