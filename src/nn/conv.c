/* Three products carry everything.  With X the taps of x, one row for each place of the coarser side
 * (im2col), and A' the transpose of A:
 *
 *   correlate   Y = X weight                   a convolution forward, a transposed one backward
 *   spread      X = Y weight', added up in x   a convolution backward, a transposed one forward
 *   outer       d_weight = X' Y                both backward
 */
#include "nn/conv.h"

#include "nn/buffer.h"
#include "nn/dense.h"

#include <cblas.h>
#include <limits.h>
#include <omp.h>
#include <stdint.h>
#include <string.h>

enum {
    IMAGES = 16, /* of a piece: the taps stay near the cache, the product is tall enough */
    PARTS = 8    /* sums over the batch are taken in so many parts, whatever the threads */
};

size_t ev_conv_out_height(const ev_conv *conv)
{
    return (conv->height + 2 * conv->padding - conv->kernel) / conv->stride + 1;
}

size_t ev_conv_out_width(const ev_conv *conv)
{
    return (conv->width + 2 * conv->padding - conv->kernel) / conv->stride + 1;
}

size_t ev_conv_taps(const ev_conv *conv) { return conv->kernel * conv->kernel * conv->channels; }

static size_t fine_size(const ev_conv *conv) { return conv->height * conv->width * conv->channels; }
static size_t places(const ev_conv *conv)
{
    return ev_conv_out_height(conv) * ev_conv_out_width(conv);
}
static size_t coarse_size(const ev_conv *conv) { return places(conv) * conv->filters; }

ev_status ev_conv_check(const ev_conv *conv, size_t B, ev_error *error)
{
    const size_t extents[] = {
        conv->height, conv->width, conv->channels, conv->kernel, conv->stride, conv->filters, B};
    size_t side = conv->height < conv->width ? conv->height : conv->width, fine, coarse;
    for (size_t i = 0; i < sizeof extents / sizeof *extents; i++)
        if (extents[i] == 0 || extents[i] > INT_MAX / 4)
            return ev_error_set(error, EV_BAD_INPUT, "a convolution with an extent of %zu",
                                extents[i]);
    if (conv->padding >= conv->kernel || side + 2 * conv->padding < conv->kernel)
        return ev_error_set(error, EV_BAD_INPUT,
                            "a convolution of kernel %zu and padding %zu on an image of %zu x %zu",
                            conv->kernel, conv->padding, conv->height, conv->width);
    size_t taps = ev_size_product(ev_size_product(conv->kernel, conv->kernel), conv->channels);
    fine = ev_size_product(ev_size_product(conv->height, conv->width), conv->channels);
    coarse = ev_size_product(ev_conv_out_height(conv), ev_conv_out_width(conv));
    const size_t sizes[] = {taps, ev_size_product(B, fine),
                            ev_size_product(B, ev_size_product(coarse, conv->filters)),
                            ev_size_product(IMAGES, ev_size_product(coarse, taps)),
                            ev_size_product(taps, conv->filters)};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i] > INT_MAX)
            return ev_error_set(error, EV_BAD_INPUT,
                                "a convolution of %zu x %zu x %zu to %zu channels, kernel %zu, on "
                                "%zu images: too large",
                                conv->height, conv->width, conv->channels, conv->filters,
                                conv->kernel, B);
    return EV_OK;
}

/* The arrays of a scratch: the taps of one piece for each thread, then the partial sums of weight
 * and bias for each part.  The bias is the finer side's in a transposed convolution. */
static size_t taps_size(const ev_conv *conv)
{
    return ev_size_product(IMAGES, ev_size_product(places(conv), ev_conv_taps(conv)));
}

static size_t sums_size(const ev_conv *conv)
{
    size_t bias = conv->filters > conv->channels ? conv->filters : conv->channels;
    return ev_size_product(ev_conv_taps(conv), conv->filters) + bias;
}

size_t ev_conv_scratch_size(const ev_conv *conv, size_t threads)
{
    size_t taps = ev_size_product(threads, taps_size(conv));
    size_t sums = ev_size_product(PARTS, sums_size(conv));
    return taps > SIZE_MAX - sums ? SIZE_MAX : taps + sums;
}

void ev_conv_prepare(void) { ev_dense_prepare(); }

static float *thread_taps(const ev_conv *conv, const ev_conv_scratch *scratch)
{
    return scratch->memory + (size_t)omp_get_thread_num() * taps_size(conv);
}

static float *part_sums(const ev_conv *conv, const ev_conv_scratch *scratch, size_t part)
{
    return scratch->memory + scratch->threads * taps_size(conv) + part * sums_size(conv);
}

/* Row u of the kernel at place (i,j) covers kernel consecutive pixels of row y of the image, of which
 * those from `from` up to `to` are inside it; none when from = to.  image: the index of the first
 * float inside. */
typedef struct {
    size_t from, to, image;
} window;

static window row_window(const ev_conv *conv, size_t i, size_t j, size_t u)
{
    size_t y = conv->stride * i + u, x = conv->stride * j, p = conv->padding;
    if (y < p || y - p >= conv->height)
        return (window){0, 0, 0};
    size_t from = x < p ? p - x : 0, to = conv->kernel, end = conv->width + p;
    to = x + to > end ? (x < end ? end - x : 0) : to;
    if (from >= to)
        return (window){0, 0, 0};
    return (window){from, to, ((y - p) * conv->width + (x + from - p)) * conv->channels};
}

/* X (places, taps) of one image. */
static void gather(const ev_conv *conv, const float *x, float *X)
{
    const size_t C = conv->channels, row = conv->kernel * C;
    for (size_t i = 0; i < ev_conv_out_height(conv); i++)
        for (size_t j = 0; j < ev_conv_out_width(conv); j++)
            for (size_t u = 0; u < conv->kernel; u++, X += row) {
                window w = row_window(conv, i, j, u);
                memset(X, 0, w.from * C * sizeof *X);
                memcpy(X + w.from * C, x + w.image, (w.to - w.from) * C * sizeof *X);
                memset(X + w.to * C, 0, (row - w.to * C) * sizeof *X);
            }
}

/* x += the taps, each where it came from: the adjoint of gather. */
static void scatter(const ev_conv *conv, const float *X, float *x)
{
    const size_t C = conv->channels, row = conv->kernel * C;
    for (size_t i = 0; i < ev_conv_out_height(conv); i++)
        for (size_t j = 0; j < ev_conv_out_width(conv); j++)
            for (size_t u = 0; u < conv->kernel; u++, X += row) {
                window w = row_window(conv, i, j, u);
                float *to = x + w.image;
                const float *from = X + w.from * C;
                for (size_t n = (w.to - w.from) * C, t = 0; t < n; t++)
                    to[t] += from[t];
            }
}

/* Each place sees one pixel, in order: X is x itself. */
static bool is_pointwise(const ev_conv *conv)
{
    return conv->kernel == 1 && conv->stride == 1 && conv->padding == 0;
}

static const float *taps_of(const ev_conv *conv, size_t images, const float *x, float *X)
{
    if (is_pointwise(conv))
        return x;
    for (size_t b = 0; b < images; b++)
        gather(conv, x + b * fine_size(conv), X + b * places(conv) * ev_conv_taps(conv));
    return X;
}

static void fill_rows(float *x, size_t rows, size_t width, const float *row)
{
    for (size_t i = 0; i < rows; i++)
        if (row == NULL)
            memset(x + i * width, 0, width * sizeof *x);
        else
            memcpy(x + i * width, row, width * sizeof *x);
}

static void rectify(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) /* written so that a NaN stays one */
        x[i] = x[i] < 0.0F ? 0.0F : x[i];
}

static void mask(float *d, const float *activation, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d[i] = activation[i] > 0.0F ? d[i] : 0.0F;
}

static size_t piece_count(size_t B) { return (B + IMAGES - 1) / IMAGES; }
static size_t piece_images(size_t B, size_t piece)
{
    return B - piece * IMAGES < IMAGES ? B - piece * IMAGES : IMAGES;
}

/* What is done to a result while it is in the cache: begin from a bias (NULL: 0), then a ReLU, or a
 * ReLU's derivative where the activation is given. */
typedef struct {
    const float *bias;
    bool relu;
    const float *activation;
} finish;

static void finish_piece(float *out, const finish *last, size_t offset, size_t n)
{
    if (last->relu)
        rectify(out, n);
    if (last->activation != NULL)
        mask(out, last->activation + offset, n);
}

static void correlate(const ev_conv *conv, size_t B, float *y, const float *x, const float *weight,
                      finish last, const ev_conv_scratch *scratch)
{
    const int taps = (int)ev_conv_taps(conv), F = (int)conv->filters;
    size_t pieces = piece_count(B);
#pragma omp parallel for schedule(static) num_threads((int)scratch->threads)
    for (size_t piece = 0; piece < pieces; piece++) {
        size_t images = piece_images(B, piece), rows = images * places(conv);
        size_t offset = piece * IMAGES * coarse_size(conv);
        const float *X = taps_of(conv, images, x + piece * IMAGES * fine_size(conv),
                                 thread_taps(conv, scratch));
        fill_rows(y + offset, rows, conv->filters, last.bias);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, F, taps, 1.0F, X, taps,
                    weight, F, 1.0F, y + offset, F);
        finish_piece(y + offset, &last, offset, images * coarse_size(conv));
    }
}

static void spread(const ev_conv *conv, size_t B, float *x, const float *y, const float *weight,
                   finish last, const ev_conv_scratch *scratch)
{
    const int taps = (int)ev_conv_taps(conv), F = (int)conv->filters;
    const bool in_place = is_pointwise(conv);
    size_t pieces = piece_count(B);
#pragma omp parallel for schedule(static) num_threads((int)scratch->threads)
    for (size_t piece = 0; piece < pieces; piece++) {
        size_t images = piece_images(B, piece), rows = images * places(conv);
        size_t offset = piece * IMAGES * fine_size(conv);
        float *X = in_place ? x + offset : thread_taps(conv, scratch);
        fill_rows(x + offset, images * conv->height * conv->width, conv->channels, last.bias);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, taps, F, 1.0F,
                    y + piece * IMAGES * coarse_size(conv), F, weight, F, in_place ? 1.0F : 0.0F, X,
                    taps);
        for (size_t b = 0; !in_place && b < images; b++)
            scatter(conv, X + b * places(conv) * (size_t)taps, x + offset + b * fine_size(conv));
        finish_piece(x + offset, &last, offset, images * fine_size(conv));
    }
}

static void add_row_sums(float *sum, const float *d, size_t rows, size_t width)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < width; j++)
            sum[j] += d[i * width + j];
}

/* The sum of the parts, in their order. */
static void add_parts(const ev_conv *conv, size_t parts, size_t skip, size_t n, float *out,
                      const ev_conv_scratch *scratch)
{
#pragma omp parallel for schedule(static) num_threads((int)scratch->threads)
    for (size_t i = 0; i < n; i++) {
        float sum = 0.0F;
        for (size_t part = 0; part < parts; part++)
            sum += part_sums(conv, scratch, part)[skip + i];
        out[i] = sum;
    }
}

/* d_bias is the sum over the pixels of the side that `fine` names, of `bias` channels. */
static void outer(const ev_conv *conv, size_t B, float *d_weight, float *d_bias, bool fine,
                  const float *x, const float *y, const ev_conv_scratch *scratch)
{
    const int taps = (int)ev_conv_taps(conv), F = (int)conv->filters;
    const size_t weights = ev_conv_taps(conv) * conv->filters;
    size_t pieces = piece_count(B), parts = pieces < PARTS ? pieces : PARTS;
#pragma omp parallel for schedule(static) num_threads((int)scratch->threads)
    for (size_t part = 0; part < parts; part++) {
        float *sums = part_sums(conv, scratch, part);
        memset(sums, 0, sums_size(conv) * sizeof *sums);
        for (size_t piece = pieces * part / parts; piece < pieces * (part + 1) / parts; piece++) {
            size_t images = piece_images(B, piece), rows = images * places(conv);
            const float *x_piece = x + piece * IMAGES * fine_size(conv);
            const float *y_piece = y + piece * IMAGES * coarse_size(conv);
            const float *X = taps_of(conv, images, x_piece, thread_taps(conv, scratch));
            cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, taps, F, (int)rows, 1.0F, X, taps,
                        y_piece, F, 1.0F, sums, F);
            if (fine)
                add_row_sums(sums + weights, x_piece, images * conv->height * conv->width,
                             conv->channels);
            else
                add_row_sums(sums + weights, y_piece, rows, conv->filters);
        }
    }
    add_parts(conv, parts, 0, weights, d_weight, scratch);
    add_parts(conv, parts, weights, fine ? conv->channels : conv->filters, d_bias, scratch);
}

void ev_conv_forward(const ev_conv *conv, size_t B, float *y, const float *x, const float *weight,
                     const float *bias, bool relu, const ev_conv_scratch *scratch)
{
    correlate(conv, B, y, x, weight, (finish){bias, relu, NULL}, scratch);
}

void ev_conv_backward_input(const ev_conv *conv, size_t B, float *dx, const float *dy,
                            const float *weight, const float *x, const ev_conv_scratch *scratch)
{
    spread(conv, B, dx, dy, weight, (finish){NULL, false, x}, scratch);
}

void ev_conv_backward_weights(const ev_conv *conv, size_t B, float *d_weight, float *d_bias,
                              const float *dy, const float *x, const ev_conv_scratch *scratch)
{
    outer(conv, B, d_weight, d_bias, false, x, dy, scratch);
}

void ev_conv_transposed_forward(const ev_conv *conv, size_t B, float *x, const float *y,
                                const float *weight, const float *bias, bool relu,
                                const ev_conv_scratch *scratch)
{
    spread(conv, B, x, y, weight, (finish){bias, relu, NULL}, scratch);
}

void ev_conv_transposed_backward_input(const ev_conv *conv, size_t B, float *dy, const float *dx,
                                       const float *weight, const float *y,
                                       const ev_conv_scratch *scratch)
{
    correlate(conv, B, dy, dx, weight, (finish){NULL, false, y}, scratch);
}

void ev_conv_transposed_backward_weights(const ev_conv *conv, size_t B, float *d_weight,
                                         float *d_bias, const float *dx, const float *y,
                                         const ev_conv_scratch *scratch)
{
    outer(conv, B, d_weight, d_bias, true, dx, y, scratch);
}
