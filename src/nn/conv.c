/* Three sums carry everything.  With X the taps of x, one row for each place of the coarser side, and
 * A' the transpose of A:
 *
 *   correlate   Y = X weight                   a convolution forward, a transposed one backward
 *   spread      X = Y weight', added up in x   a convolution backward, a transposed one forward
 *   outer       d_weight = X' Y                both backward
 *
 * X is never made.  An image is copied into a frame of zeros as wide as its taps reach; then a place
 * of y sees k runs of k C floats of the frame.  Spread is the same thing seen from x: its pixels
 * h = s i + a - p of one remainder a see the rows i, i-1, ... of y through the rows u = a, a + s, ...
 * of the kernel, and so do the columns.  So it is a correlation for each pair of remainders, with
 * runs of y and the kernel's rows and columns in descending order.
 */
#include "nn/conv.h"

#include "nn/buffer.h"
#include "nn/conv_frame.h"
#include "nn/conv_pass.h"

#include <limits.h>
#include <omp.h>
#include <stdint.h>
#include <string.h>

enum {
    IMAGES = 4, /* of a piece: their frames stay in the cache beside the weights */
    PARTS = 8,  /* sums over the batch are taken in so many parts, whatever the threads */
    PLACES = EV_CONV_PLACES,
    LANES = EV_CONV_LANES
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
    if (conv->padding >= conv->kernel || side + 2 * conv->padding < conv->kernel ||
        side + 2 * conv->padding < conv->stride)
        return ev_error_set(
            error, EV_BAD_INPUT,
            "a convolution of kernel %zu, stride %zu and padding %zu on an image of "
            "%zu x %zu",
            conv->kernel, conv->stride, conv->padding, conv->height, conv->width);
    size_t taps = ev_size_product(ev_size_product(conv->kernel, conv->kernel), conv->channels);
    fine = ev_size_product(ev_size_product(conv->height, conv->width), conv->channels);
    coarse = ev_size_product(ev_conv_out_height(conv), ev_conv_out_width(conv));
    const size_t sizes[] = {taps, ev_size_product(B, fine),
                            ev_size_product(B, ev_size_product(coarse, conv->filters)),
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

/* The arrays of a scratch: the weights in strips; a bias as wide; the frames of one piece and y in
 * whole strips, for each thread; the partial sums of weight and bias for each part.  The bias is the
 * finer side's in a transposed convolution. */
static size_t strips_size(const ev_conv *conv)
{
    size_t k = ev_size_product(conv->kernel, conv->kernel);
    size_t forward = ev_size_product(conv->channels, ev_conv_whole(conv->filters));
    size_t backward = ev_size_product(conv->filters, ev_conv_whole(conv->channels));
    return ev_size_product(k, ev_size_larger(forward, backward));
}

static size_t bias_size(const ev_conv *conv)
{
    return ev_conv_whole(ev_size_larger(conv->filters, conv->channels));
}

static size_t frames_size(const ev_conv *conv)
{
    const ev_conv_frame fine = ev_conv_frame_apart(ev_conv_fine_frame(conv)),
                        coarse = ev_conv_coarse_frame(conv);
    return ev_size_product(IMAGES,
                           ev_size_larger(ev_conv_frame_size(&fine), ev_conv_frame_size(&coarse)));
}

static size_t y_strips_size(const ev_conv *conv)
{
    return ev_size_product(IMAGES, ev_size_product(places(conv), ev_conv_whole(conv->filters)));
}

static size_t whole_taps(const ev_conv *conv)
{
    return (ev_conv_taps(conv) + PLACES - 1) / PLACES * PLACES;
}

static size_t weight_sums_size(const ev_conv *conv)
{
    return ev_size_product(whole_taps(conv), ev_conv_whole(conv->filters));
}

static size_t sums_size(const ev_conv *conv) { return weight_sums_size(conv) + bias_size(conv); }

typedef struct {
    float *strips, *bias, *frames, *y_strips, *sums;
} arrays;

static size_t place_arrays(const ev_conv *conv, size_t threads, float *base, arrays *a)
{
    ev_carve carve = {base, 0};
    a->strips = ev_carve_take(&carve, strips_size(conv));
    a->bias = ev_carve_take(&carve, bias_size(conv));
    a->frames = ev_carve_take(&carve, ev_size_product(threads, frames_size(conv)));
    a->y_strips = ev_carve_take(&carve, ev_size_product(threads, y_strips_size(conv)));
    a->sums = ev_carve_take(&carve, ev_size_product(PARTS, sums_size(conv)));
    return carve.used;
}

size_t ev_conv_scratch_size(const ev_conv *conv, size_t threads)
{
    arrays a;
    return place_arrays(conv, threads, NULL, &a);
}

static arrays arrays_of(const ev_conv *conv, const ev_conv_scratch *scratch)
{
    arrays a;
    (void)place_arrays(conv, scratch->threads, scratch->memory, &a);
    return a;
}

static size_t piece_count(size_t B) { return (B + IMAGES - 1) / IMAGES; }
static size_t piece_images(size_t B, size_t piece)
{
    return B - piece * IMAGES < IMAGES ? B - piece * IMAGES : IMAGES;
}

static void fill_bias(size_t channels, const float *bias, float *padded)
{
    for (size_t f = 0; f < ev_conv_whole(channels); f++)
        padded[f] = bias != NULL && f < channels ? bias[f] : 0.0F;
}

/* With the bias in whole strips, for the part of an output that begins so many floats on. */
static ev_conv_finish finish_of(const ev_conv_finish *whole, const float *bias, size_t offset)
{
    const float *activation = whole->activation;
    return (ev_conv_finish){bias, whole->relu, activation == NULL ? NULL : activation + offset};
}

static void correlate(const ev_conv *conv, size_t B, float *y, const float *x, const float *weight,
                      ev_conv_finish last, const ev_conv_scratch *scratch)
{
    const arrays a = arrays_of(conv, scratch);
    const ev_conv_frame f = ev_conv_fine_frame(conv);
    const size_t row = f.width * f.channels;
    const ev_conv_pass p = {.rows = ev_conv_out_height(conv),
                            .columns = ev_conv_out_width(conv),
                            .in_row = conv->stride * row,
                            .in_column = conv->stride * f.channels,
                            .out_row = ev_conv_out_width(conv) * conv->filters,
                            .out_column = conv->filters,
                            .runs = {conv->kernel, row, conv->kernel * f.channels},
                            .strips = a.strips};
    ev_conv_cut(ev_conv_taps(conv), conv->filters, weight, a.strips);
    ev_conv_pass_order(&p.runs, conv->filters, a.strips);
    fill_bias(conv->filters, last.bias, a.bias);
#pragma omp parallel for schedule(static) num_threads((int)scratch->threads)
    for (size_t piece = 0; piece < piece_count(B); piece++) {
        float *memory = a.frames + (size_t)omp_get_thread_num() * frames_size(conv);
        const size_t images = piece_images(B, piece), offset = piece * IMAGES * coarse_size(conv);
        const float *in = ev_conv_framed(&f, images, conv->height, conv->width,
                                         x + piece * IMAGES * fine_size(conv), memory);
        const ev_conv_finish mine = finish_of(&last, a.bias, offset);
        const ev_conv_block d = {
            in, y + offset, images, ev_conv_frame_size(&f), coarse_size(conv), conv->filters};
        ev_conv_pass_run(&p, &d, &mine);
    }
}

/* Of the kernel's rows, or columns, those that are `a` modulo the stride; and which pixels h of an
 * extent meet them: from first on, count of them, the first at i = floor((h + p)/s). */
typedef struct {
    size_t taps, first, count, i;
} phase;

static phase phase_of(const ev_conv *conv, size_t a, size_t extent)
{
    const size_t s = conv->stride, p = conv->padding;
    size_t i = a >= p ? 0 : (p - a + s - 1) / s, first = s * i + a - p;
    return (phase){.taps = a < conv->kernel ? (conv->kernel - 1 - a) / s + 1 : 0,
                   .first = first,
                   .count = first < extent ? (extent - 1 - first) / s + 1 : 0,
                   .i = i};
}

/* The weights of one pair of remainders in strips of the channels, rows and columns descending. */
static void cut_transpose(const ev_conv *conv, size_t a, size_t b, const float *weight,
                          float *strips)
{
    const size_t k = conv->kernel, C = conv->channels, F = conv->filters, s = conv->stride;
    const size_t rows = phase_of(conv, a, 1).taps, columns = phase_of(conv, b, 1).taps;
    for (size_t c = 0; c < C; c += LANES)
        for (size_t u = rows; u-- > 0;)
            for (size_t v = columns; v-- > 0;) {
                const float *from = weight + (((a + s * u) * k + b + s * v) * C + c) * F;
                for (size_t f = 0; f < F; f++)
                    for (size_t i = 0; i < LANES; i++)
                        *strips++ = c + i < C ? from[i * F + f] : 0.0F;
            }
}

static ev_conv_pass spread_pass(const ev_conv *conv, const ev_conv_frame *f, size_t a, size_t b)
{
    const phase down = phase_of(conv, a, conv->height), across = phase_of(conv, b, conv->width);
    const size_t row = f->width * f->channels, s = conv->stride, C = conv->channels;
    const bool none = down.taps == 0 || across.taps == 0;
    const size_t top = none ? 0 : down.i + f->before + 1 - down.taps;
    const size_t left = none ? 0 : across.i + f->before + 1 - across.taps;
    return (ev_conv_pass){.rows = down.count,
                          .columns = across.count,
                          .in = top * row + left * f->channels,
                          .in_row = row,
                          .in_column = f->channels,
                          .out = (down.first * conv->width + across.first) * C,
                          .out_row = s * conv->width * C,
                          .out_column = s * C,
                          .runs = {down.taps, row, across.taps * f->channels}};
}

/* The strips of all pairs of remainders, one after the other. */
static size_t pair_size(const ev_conv *conv, const ev_conv_pass *p)
{
    return p->runs.count * p->runs.length * ev_conv_whole(conv->channels);
}

static void cut_transposes(const ev_conv *conv, const ev_conv_frame *f, const float *weight,
                           float *strips)
{
    for (size_t a = 0; a < conv->stride; a++)
        for (size_t b = 0; b < conv->stride; b++) {
            const ev_conv_pass p = spread_pass(conv, f, a, b);
            cut_transpose(conv, a, b, weight, strips);
            ev_conv_pass_order(&p.runs, conv->channels, strips);
            strips += pair_size(conv, &p);
        }
}

static void spread(const ev_conv *conv, size_t B, float *x, const float *y, const float *weight,
                   ev_conv_finish last, const ev_conv_scratch *scratch)
{
    const arrays all = arrays_of(conv, scratch);
    const ev_conv_frame f = ev_conv_coarse_frame(conv);
    const size_t P = ev_conv_out_height(conv), Q = ev_conv_out_width(conv);
    cut_transposes(conv, &f, weight, all.strips);
    fill_bias(conv->channels, last.bias, all.bias);
#pragma omp parallel for schedule(static) num_threads((int)scratch->threads)
    for (size_t piece = 0; piece < piece_count(B); piece++) {
        float *memory = all.frames + (size_t)omp_get_thread_num() * frames_size(conv);
        const size_t images = piece_images(B, piece), offset = piece * IMAGES * fine_size(conv);
        const float *in = ev_conv_framed(&f, images, P, Q, y + piece * IMAGES * coarse_size(conv),
                                         memory);
        const ev_conv_block d = {
            in, x + offset, images, ev_conv_frame_size(&f), fine_size(conv), conv->channels};
        const float *strips = all.strips;
        const ev_conv_finish mine = finish_of(&last, all.bias, offset);
        for (size_t a = 0; a < conv->stride; a++)
            for (size_t b = 0; b < conv->stride; b++) {
                ev_conv_pass p = spread_pass(conv, &f, a, b);
                p.strips = strips;
                ev_conv_pass_run(&p, &d, &mine);
                strips += pair_size(conv, &p);
            }
    }
}

static void add_row_sums(float *sum, const float *d, size_t rows, size_t width)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < width; j++)
            sum[j] += d[i * width + j];
}

/* out (rows,width) is the sum of the parts, in their order; theirs have rows of `stride` floats. */
static void add_parts(size_t parts, size_t part_size, const float *sums, size_t rows, size_t width,
                      size_t stride, float *out, size_t threads)
{
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < rows; i++) {
        memcpy(out + i * width, sums + i * stride, width * sizeof *out);
        for (size_t part = 1; part < parts; part++)
            for (size_t j = 0; j < width; j++)
                out[i * width + j] += sums[part * part_size + i * stride + j];
    }
}

/* Where the taps from t on are in a frame; the last of all again where there are no more. */
static void tap_offsets(const ev_conv *conv, const ev_conv_frame *f, size_t t,
                        size_t offset[PLACES])
{
    const size_t taps = ev_conv_taps(conv), k = conv->kernel, C = conv->channels;
    for (size_t i = 0; i < PLACES; i++) {
        size_t tap = t + i < taps ? t + i : taps - 1;
        offset[i] = (tap / C / k * f->width + tap / C % k) * f->pixel + tap % C;
    }
}

/* sums += the outer products of one piece. */
static void outer_piece(const ev_conv *conv, size_t images, const float *x, const float *y,
                        float *sums, float *frames, float *strips)
{
    const ev_conv_frame f = ev_conv_frame_apart(ev_conv_fine_frame(conv));
    const size_t rows = images * places(conv), width = ev_conv_whole(conv->filters);
    const ev_conv_grid grid = {.images = images,
                               .rows = ev_conv_out_height(conv),
                               .columns = ev_conv_out_width(conv),
                               .image = ev_conv_frame_size(&f),
                               .row = conv->stride * f.width * f.pixel,
                               .column = conv->stride * f.pixel};
    x = ev_conv_framed(&f, images, conv->height, conv->width, x, frames);
    ev_conv_cut(rows, conv->filters, y, strips);
    for (size_t strip = 0; strip < width; strip += LANES)
        for (size_t t = 0; t < ev_conv_taps(conv); t += PLACES) {
            size_t offset[PLACES];
            tap_offsets(conv, &f, t, offset);
            ev_conv_outer_products(&grid, x, offset, strips + strip * rows, width,
                                   sums + t * width + strip);
        }
}

/* d_bias is the sum over the pixels of the finer side, or over the places of the coarser one. */
static void outer(const ev_conv *conv, size_t B, float *d_weight, float *d_bias, bool fine,
                  const float *x, const float *y, const ev_conv_scratch *scratch)
{
    const arrays a = arrays_of(conv, scratch);
    const size_t weights = weight_sums_size(conv), size = sums_size(conv), F = conv->filters;
    const size_t pieces = piece_count(B), parts = pieces < PARTS ? pieces : PARTS;
#pragma omp parallel for schedule(static) num_threads((int)scratch->threads)
    for (size_t part = 0; part < parts; part++) {
        float *sums = a.sums + part * size, *bias = sums + weights;
        const size_t thread = (size_t)omp_get_thread_num();
        memset(sums, 0, size * sizeof *sums);
        for (size_t piece = pieces * part / parts; piece < pieces * (part + 1) / parts; piece++) {
            const size_t images = piece_images(B, piece);
            const float *x_piece = x + piece * IMAGES * fine_size(conv);
            const float *y_piece = y + piece * IMAGES * coarse_size(conv);
            outer_piece(conv, images, x_piece, y_piece, sums, a.frames + thread * frames_size(conv),
                        a.y_strips + thread * y_strips_size(conv));
            if (fine)
                add_row_sums(bias, x_piece, images * conv->height * conv->width, conv->channels);
            else
                add_row_sums(bias, y_piece, images * places(conv), F);
        }
    }
    add_parts(parts, size, a.sums, ev_conv_taps(conv), F, ev_conv_whole(F), d_weight,
              scratch->threads);
    add_parts(parts, size, a.sums + weights, 1, fine ? conv->channels : F, 0, d_bias, 1);
}

void ev_conv_forward(const ev_conv *conv, size_t B, float *y, const float *x, const float *weight,
                     const float *bias, bool relu, const ev_conv_scratch *scratch)
{
    correlate(conv, B, y, x, weight, (ev_conv_finish){bias, relu, NULL}, scratch);
}

void ev_conv_backward_input(const ev_conv *conv, size_t B, float *dx, const float *dy,
                            const float *weight, const float *x, const ev_conv_scratch *scratch)
{
    spread(conv, B, dx, dy, weight, (ev_conv_finish){NULL, false, x}, scratch);
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
    spread(conv, B, x, y, weight, (ev_conv_finish){bias, relu, NULL}, scratch);
}

void ev_conv_transposed_backward_input(const ev_conv *conv, size_t B, float *dy, const float *dx,
                                       const float *weight, const float *y,
                                       const ev_conv_scratch *scratch)
{
    correlate(conv, B, dy, dx, weight, (ev_conv_finish){NULL, false, y}, scratch);
}

void ev_conv_transposed_backward_weights(const ev_conv *conv, size_t B, float *d_weight,
                                         float *d_bias, const float *dx, const float *y,
                                         const ev_conv_scratch *scratch)
{
    outer(conv, B, d_weight, d_bias, true, dx, y, scratch);
}
