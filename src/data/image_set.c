#include "data/image_set.h"

#include "base/file_bytes.h"
#include "data/idx.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#ifndef EV_DATASET
#define EV_DATASET ""
#endif

const char *ev_image_set_default_folder(void) { return EV_DATASET; }

static bool is_default(const char *folder)
{
    return folder[0] != '\0' && strcmp(folder, EV_DATASET) == 0;
}

/* The names of one file: as distributed, and as some programs unpack it. */
static const char *const patterns[] = {"%s/%s-%s-idx%d-ubyte.gz", "%s/%s-%s-idx%d-ubyte",
                                       "%s/%s-%s.idx%d-ubyte"};

static char *format_path(size_t pattern, const char *folder, const char *split, const char *what,
                         int rank)
{
    size_t size = strlen(folder) + strlen(split) + strlen(what) + 32;
    char *path = malloc(size);
    if (path != NULL)
        snprintf(path, size, patterns[pattern], folder, split, what, rank);
    return path;
}

/* The first of the names that is there, on the heap; NULL when memory is short.  When none is there,
 * *found is false and the name is the first. */
static char *find_file(const char *folder, const char *split, const char *what, int rank,
                       bool *found)
{
    *found = true;
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        char *path = format_path(p, folder, split, what, rank);
        if (path == NULL || access(path, F_OK) == 0)
            return path;
        free(path);
    }
    *found = false;
    return format_path(0, folder, split, what, rank);
}

static ev_status refuse_missing(const char *folder, const char *path, ev_error *error)
{
    if (is_default(folder))
        return ev_file_refuse(
            error, path,
            "not there: install the Debian package dataset-fashion-mnist, or name "
            "another folder of IDX files with --data");
    return ev_file_refuse(error, path, "not there: the folder must hold %s",
                          "{train,t10k}-images-idx3-ubyte, plain or with .gz");
}

static ev_status read_images(const char *folder, const char *split, ev_idx *images, ev_error *error)
{
    bool found;
    char *path = find_file(folder, split, "images", 3, &found);
    if (path == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "no memory for a file name");
    ev_status status = found ? ev_idx_read(path, 3, images, error)
                             : refuse_missing(folder, path, error);
    if (status == EV_OK && images->size / images->shape[0] > EV_IMAGE_PIXELS)
        status = ev_file_refuse(error, path, "images of %zu x %zu pixels; at most %d in all",
                                images->shape[1], images->shape[2], EV_IMAGE_PIXELS);
    free(path);
    return status;
}

static ev_status read_labels(const char *folder, const char *split, size_t N, ev_idx *labels,
                             ev_error *error)
{
    bool found;
    char *path = find_file(folder, split, "labels", 1, &found);
    if (path == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "no memory for a file name");
    ev_status status = found ? ev_idx_read(path, 1, labels, error) : EV_OK;
    if (status == EV_OK && found && labels->size != N)
        status = ev_file_refuse(error, path, "%zu labels for the %zu images beside it",
                                labels->size, N);
    free(path);
    return status;
}

static size_t count_classes(const ev_idx *labels)
{
    size_t classes = 0;
    for (size_t i = 0; i < labels->size; i++)
        classes = labels->values[i] >= classes ? labels->values[i] + (size_t)1 : classes;
    return classes;
}

static ev_status read_split(const char *folder, const char *name, ev_image_set *set,
                            ev_image_split *split, ev_error *error)
{
    ev_idx images = {0}, labels = {0};
    ev_status status = read_images(folder, name, &images, error);
    if (status == EV_OK)
        status = read_labels(folder, name, images.shape[0], &labels, error);
    if (status != EV_OK) {
        ev_idx_free(&images);
        ev_idx_free(&labels);
        return status;
    }
    set->height = images.shape[1];
    set->width = images.shape[2];
    set->D = set->height * set->width;
    *split = (ev_image_split){.N = images.shape[0],
                              .pixels = images.values,
                              .labels = labels.values,
                              .classes = count_classes(&labels),
                              .checksum = (uint32_t)crc32_z(0, images.values, images.size)};
    return EV_OK;
}

static ev_status check_shapes(const char *folder, const ev_image_set *train,
                              const ev_image_set *test, ev_error *error)
{
    if (train->height == test->height && train->width == test->width)
        return EV_OK;
    return ev_file_refuse(error, folder,
                          "images to train on are %zu x %zu, those to test %zu x %zu",
                          train->height, train->width, test->height, test->width);
}

ev_status ev_image_set_read(const char *folder, ev_image_set *set, ev_error *error)
{
    ev_image_set other = {0};
    *set = (ev_image_set){0};
    if (folder[0] == '\0')
        return ev_error_set(error, EV_BAD_INPUT, "no folder of images is named: use --data");
    ev_status status = read_split(folder, "train", set, &set->train, error);
    if (status == EV_OK)
        status = read_split(folder, "t10k", &other, &set->test, error);
    if (status == EV_OK)
        status = check_shapes(folder, set, &other, error);
    if (status != EV_OK)
        ev_image_set_free(set);
    return status;
}

void ev_image_set_free(ev_image_set *set)
{
    free(set->train.pixels);
    free(set->train.labels);
    free(set->test.pixels);
    free(set->test.labels);
    *set = (ev_image_set){0};
}
