#include "train/batches.h"

#include "numerics/random.h"

const char *const ev_binarisation_names[] = {"none", "static", "dynamic", NULL};

enum { BLOCK = 256 }; /* uniforms drawn together */

/* R. A. Fisher & F. Yates, as R. Durstenfeld has it (Commun. ACM 7, 1964).  A uniform on (0,1) with 52
 * bits times i + 1 <= 2^32 favours no place by more than 2^-20 of its share. */
void ev_batches_order(uint64_t seed, uint64_t epoch, size_t N, uint32_t *order)
{
    ev_stream stream = ev_stream_make(seed, ev_hash_text("batch order"), (uint32_t)(epoch >> 32),
                                      (uint32_t)epoch);
    double u[BLOCK];
    for (size_t i = 0; i < N; i++)
        order[i] = (uint32_t)i;
    for (size_t done = 0; done + 1 < N; done++) {
        if (done % BLOCK == 0)
            ev_stream_uniforms(&stream, done, BLOCK, u);
        size_t last = N - 1 - done;
        size_t other = (size_t)(u[done % BLOCK] * (double)(last + 1));
        uint32_t moved = order[last];
        order[last] = order[other];
        order[other] = moved;
    }
}

static void intensities(size_t D, const uint8_t *pixels, float *x)
{
    for (size_t d = 0; d < D; d++)
        x[d] = (float)pixels[d] / 255.0f;
}

/* x_d = 1 with probability pixel_d/255: never where the pixel is 0, always where it is 255. */
static void draw_bits(const ev_stream *stream, size_t D, const uint8_t *pixels, float *x)
{
    double u[BLOCK];
    for (size_t from = 0; from < D; from += BLOCK) {
        size_t n = D - from < BLOCK ? D - from : (size_t)BLOCK;
        ev_stream_uniforms(stream, from, n, u);
        for (size_t d = 0; d < n; d++)
            x[from + d] = 255.0 * u[d] < (double)pixels[from + d] ? 1.0f : 0.0f;
    }
}

/* An image's own stream: of the data set alone when static, of seed and epoch otherwise. */
static ev_stream image_stream(const ev_pixel_source *source, uint64_t epoch, uint32_t image)
{
    uint64_t purpose = ev_hash_text("binarisation") + source->split;
    if (source->binarisation == EV_BINARISE_STATIC)
        return ev_stream_make(0, purpose, UINT32_MAX, image);
    ev_stream of_epoch = ev_stream_make(source->seed, purpose, (uint32_t)(epoch >> 32),
                                        (uint32_t)epoch);
    return ev_stream_child(&of_epoch, image);
}

void ev_batches_pixels(const ev_pixel_source *source, uint64_t epoch, size_t D,
                       const uint8_t *pixels, size_t B, const uint32_t *index, float *x)
{
#pragma omp parallel for schedule(static) if (B * D > 1 << 14)
    for (size_t b = 0; b < B; b++) {
        uint32_t image = index == NULL ? (uint32_t)b : index[b];
        const uint8_t *from = pixels + (size_t)image * D;
        if (source->binarisation == EV_BINARISE_NONE) {
            intensities(D, from, x + b * D);
        } else {
            ev_stream stream = image_stream(source, epoch, image);
            draw_bits(&stream, D, from, x + b * D);
        }
    }
}
