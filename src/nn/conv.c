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
#include "nn/conv_kernels.h"

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
    if (conv->padding >= conv->kernel || side + 2 * conv->padding < conv->kernel)
        return ev_error_set(error, EV_BAD_INPUT,
                            "a convolution of kernel %zu and padding %zu on an image of %zu x %zu",
                            conv->kernel, conv->padding, conv->height, conv->width);
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

static size_t round_up(size_t n, size_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* An image in a frame of zeros: how many rows and columns of them come before it, and its extents
 * with them; the floats from one pixel to the next. */
typedef struct {
    size_t before, height, width, channels, pixel;
} frame;

/* The rows that places of a convolution read, of either extent. */
static size_t reach_fine(const ev_conv *conv, size_t extent)
{
    size_t last = (extent + 2 * conv->padding - conv->kernel) / conv->stride * conv->stride;
    return larger(extent + conv->padding, last + conv->kernel);
}

static frame fine_frame(const ev_conv *conv)
{
    return (frame){conv->padding, reach_fine(conv, conv->height), reach_fine(conv, conv->width),
                   conv->channels, conv->channels};
}

/* The rows of y that pixels see through the kernel: i - (k-1)/s .. i with i = floor((h + p)/s). */
static frame coarse_frame(const ev_conv *conv)
{
    size_t before = (conv->kernel - 1) / conv->stride;
    size_t last_row = (conv->height - 1 + conv->padding) / conv->stride;
    size_t last_column = (conv->width - 1 + conv->padding) / conv->stride;
    return (frame){before, before + larger(ev_conv_out_height(conv), last_row + 1),
                   before + larger(ev_conv_out_width(conv), last_column + 1), conv->filters,
                   conv->filters};
}

/* The frame of an x whose pixels are read many at a time, a few channels of each: they are set apart
 * by an odd number of cache lines, for a power of two would put them all in the same few sets. */
static frame apart(frame f)
{
    f.pixel += f.channels % (2 * LANES) == 0 ? LANES : 0;
    return f;
}

static size_t frame_size(const frame *f) { return f->height * f->width * f->pixel; }

/* The images themselves where the frame adds nothing to them. */
static const float *framed(const frame *f, size_t images, size_t height, size_t width,
                           const float *x, float *memory)
{
    const size_t C = f->channels, together = f->pixel == C ? width : 1;
    if (f->height == height && f->width == width && f->pixel == C)
        return x;
    memset(memory, 0, images * frame_size(f) * sizeof *memory);
    for (size_t b = 0; b < images; b++)
        for (size_t i = 0; i < height; i++)
            for (size_t j = 0; j < width; j += together) {
                size_t at = (i + f->before) * f->width + j + f->before;
                memcpy(memory + b * frame_size(f) + at * f->pixel,
                       x + ((b * height + i) * width + j) * C, together * C * sizeof *x);
            }
    return memory;
}

/* The arrays of a scratch: the weights in strips; a bias as wide; the frames of one piece and y in
 * whole strips, for each thread; the partial sums of weight and bias for each part.  The bias is the
 * finer side's in a transposed convolution. */
static size_t strips_size(const ev_conv *conv)
{
    size_t k = ev_size_product(conv->kernel, conv->kernel);
    size_t forward = ev_size_product(conv->channels, round_up(conv->filters, LANES));
    size_t backward = ev_size_product(conv->filters, round_up(conv->channels, LANES));
    return ev_size_product(k, larger(forward, backward));
}

static size_t bias_size(const ev_conv *conv)
{
    return round_up(larger(conv->filters, conv->channels), LANES);
}

static size_t frames_size(const ev_conv *conv)
{
    const frame fine = apart(fine_frame(conv)), coarse = coarse_frame(conv);
    return ev_size_product(IMAGES, larger(frame_size(&fine), frame_size(&coarse)));
}

static size_t y_strips_size(const ev_conv *conv)
{
    return ev_size_product(IMAGES, ev_size_product(places(conv), round_up(conv->filters, LANES)));
}

static size_t weight_sums_size(const ev_conv *conv)
{
    return ev_size_product(round_up(ev_conv_taps(conv), PLACES), round_up(conv->filters, LANES));
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

/* What is done to a result before it is written: a bias (NULL: 0), a ReLU, or a ReLU's derivative
 * where the activation is given. */
typedef struct {
    const float *bias;
    bool relu;
    const float *activation;
} finish;

/* The places of an image that one set of strips serves: where their runs begin in the frame and where
 * they go in the output, both counted in floats from the image's first. */
typedef struct {
    size_t rows, columns;
    size_t in, in_row, in_column, out, out_row, out_column;
    ev_conv_runs runs;
    const float *strips;
} pass;

/* A convolution's side that is read, the one that is written, an image's floats each. */
typedef struct {
    const float *in;
    float *out;
    size_t images, in_size, out_size, channels;
} block;

/* The next PLACES of a pass over a block, from image b, row i, column j on. */
typedef struct {
    size_t b, i, j;
} cursor;

static size_t next_places(const pass *p, const block *d, cursor *at, const float *in[PLACES],
                          float *out[PLACES])
{
    size_t n = 0;
    for (; n < PLACES && at->b < d->images; n++) {
        in[n] = d->in + at->b * d->in_size + p->in + at->i * p->in_row + at->j * p->in_column;
        out[n] = d->out + at->b * d->out_size + p->out + at->i * p->out_row + at->j * p->out_column;
        if (++at->j == p->columns) {
            at->j = 0;
            at->i++;
        }
        if (at->i == p->rows) {
            at->i = 0;
            at->b++;
        }
    }
    for (size_t i = n; i < PLACES; i++)
        in[i] = in[0];
    return n;
}

static inline void finish_row(float *out, const float *sum, size_t n, bool relu,
                              const float *activation)
{
    for (size_t f = 0; f < n; f++) { /* written so that a NaN stays one */
        float value = relu && sum[f] < 0.0F ? 0.0F : sum[f];
        out[f] = activation != NULL && !(activation[f] > 0.0F) ? 0.0F : value;
    }
}

/* Whole strips, the common case, as loops of a known length. */
static void finish_strip(float *out, const float *sum, size_t n, bool relu, const float *activation)
{
    if (n < LANES)
        finish_row(out, sum, n, relu, activation);
    else if (activation != NULL)
        finish_row(out, sum, LANES, relu, activation);
    else if (relu)
        finish_row(out, sum, LANES, true, NULL);
    else
        memcpy(out, sum, LANES * sizeof *out);
}

/* Few columns and long runs: the lanes run over the taps.  The strips have room either way. */
static bool is_narrow(size_t channels, size_t length)
{
    return channels <= EV_CONV_NARROW && length % EV_CONV_TAPS == 0;
}

/* One pass over a block; bias in whole strips; activation counts from the block's output. */
static void run_pass(const pass *p, const block *d, const float *bias, const finish *last)
{
    const size_t strip = p->runs.count * p->runs.length * LANES;
    const float *in[PLACES];
    float *out[PLACES], sum[PLACES * LANES];
    cursor at = {0, 0, 0};
    if (p->rows == 0 || p->columns == 0)
        return;
    for (size_t n; (n = next_places(p, d, &at, in, out)) > 0;)
        for (size_t f = 0; f < d->channels; f += LANES) {
            size_t width = d->channels - f < LANES ? d->channels - f : LANES;
            if (is_narrow(d->channels, p->runs.length))
                ev_conv_narrow_products(&p->runs, in, p->strips, bias, sum);
            else
                ev_conv_products(&p->runs, in, p->strips + f / LANES * strip, bias + f, sum);
            for (size_t i = 0; i < n; i++)
                finish_strip(out[i] + f, sum + i * LANES, width, last->relu,
                             last->activation == NULL ? NULL
                                                      : last->activation + (out[i] - d->out) + f);
        }
}

static void fill_bias(size_t channels, const float *bias, float *padded)
{
    for (size_t f = 0; f < round_up(channels, LANES); f++)
        padded[f] = bias != NULL && f < channels ? bias[f] : 0.0F;
}

/* A matrix in strips, each (rows,LANES), with zeros where there is no column. */
static void cut_rows(size_t rows, size_t width, const float *matrix, float *strips)
{
    for (size_t f = 0; f < width; f += LANES)
        for (size_t i = 0; i < rows; i++, strips += LANES) {
            const float *from = matrix + i * width + f;
            for (size_t lane = 0; lane < LANES; lane++)
                strips[lane] = f + lane < width ? from[lane] : 0.0F;
        }
}

/* Of a strip the first columns, in the order that narrow products want, in its own place: what is
 * written lies before what is still to be read. */
static void narrow(const ev_conv_runs *runs, float *strip)
{
    for (size_t t = 0; t < runs->count * runs->length; t++)
        for (size_t column = 0; column < EV_CONV_NARROW; column++)
            strip[(t / EV_CONV_TAPS * EV_CONV_NARROW + column) * EV_CONV_TAPS + t % EV_CONV_TAPS] =
                strip[t * LANES + column];
}

static void correlate(const ev_conv *conv, size_t B, float *y, const float *x, const float *weight,
                      finish last, const ev_conv_scratch *scratch)
{
    const arrays a = arrays_of(conv, scratch);
    const frame f = fine_frame(conv);
    const size_t row = f.width * f.channels;
    const pass p = {.rows = ev_conv_out_height(conv),
                    .columns = ev_conv_out_width(conv),
                    .in_row = conv->stride * row,
                    .in_column = conv->stride * f.channels,
                    .out_row = ev_conv_out_width(conv) * conv->filters,
                    .out_column = conv->filters,
                    .runs = {conv->kernel, row, conv->kernel * f.channels},
                    .strips = a.strips};
    cut_rows(ev_conv_taps(conv), conv->filters, weight, a.strips);
    if (is_narrow(conv->filters, p.runs.length))
        narrow(&p.runs, a.strips);
    fill_bias(conv->filters, last.bias, a.bias);
#pragma omp parallel for schedule(static) num_threads((int)scratch->threads)
    for (size_t piece = 0; piece < piece_count(B); piece++) {
        float *memory = a.frames + (size_t)omp_get_thread_num() * frames_size(conv);
        const size_t images = piece_images(B, piece), offset = piece * IMAGES * coarse_size(conv);
        const float *in = framed(&f, images, conv->height, conv->width,
                                 x + piece * IMAGES * fine_size(conv), memory);
        finish mine = last;
        if (mine.activation != NULL)
            mine.activation += offset;
        run_pass(&p,
                 &(block){in, y + offset, images, frame_size(&f), coarse_size(conv), conv->filters},
                 a.bias, &mine);
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

static pass spread_pass(const ev_conv *conv, const frame *f, size_t a, size_t b)
{
    const phase down = phase_of(conv, a, conv->height), across = phase_of(conv, b, conv->width);
    const size_t row = f->width * f->channels, s = conv->stride, C = conv->channels;
    const bool none = down.taps == 0 || across.taps == 0;
    const size_t top = none ? 0 : down.i + f->before + 1 - down.taps;
    const size_t left = none ? 0 : across.i + f->before + 1 - across.taps;
    return (pass){.rows = down.count,
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
static size_t pair_size(const ev_conv *conv, const pass *p)
{
    return p->runs.count * p->runs.length * round_up(conv->channels, LANES);
}

static void cut_transposes(const ev_conv *conv, const frame *f, const float *weight, float *strips)
{
    for (size_t a = 0; a < conv->stride; a++)
        for (size_t b = 0; b < conv->stride; b++) {
            const pass p = spread_pass(conv, f, a, b);
            cut_transpose(conv, a, b, weight, strips);
            if (is_narrow(conv->channels, p.runs.length))
                narrow(&p.runs, strips);
            strips += pair_size(conv, &p);
        }
}

static void spread(const ev_conv *conv, size_t B, float *x, const float *y, const float *weight,
                   finish last, const ev_conv_scratch *scratch)
{
    const arrays all = arrays_of(conv, scratch);
    const frame f = coarse_frame(conv);
    const size_t P = ev_conv_out_height(conv), Q = ev_conv_out_width(conv);
    cut_transposes(conv, &f, weight, all.strips);
    fill_bias(conv->channels, last.bias, all.bias);
#pragma omp parallel for schedule(static) num_threads((int)scratch->threads)
    for (size_t piece = 0; piece < piece_count(B); piece++) {
        float *memory = all.frames + (size_t)omp_get_thread_num() * frames_size(conv);
        const size_t images = piece_images(B, piece), offset = piece * IMAGES * fine_size(conv);
        const float *in = framed(&f, images, P, Q, y + piece * IMAGES * coarse_size(conv), memory);
        const block d = {in, x + offset, images, frame_size(&f), fine_size(conv), conv->channels};
        const float *strips = all.strips;
        finish mine = last;
        if (mine.activation != NULL)
            mine.activation += offset;
        for (size_t a = 0; a < conv->stride; a++)
            for (size_t b = 0; b < conv->stride; b++) {
                pass p = spread_pass(conv, &f, a, b);
                p.strips = strips;
                run_pass(&p, &d, all.bias, &mine);
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
static void tap_offsets(const ev_conv *conv, const frame *f, size_t t, size_t offset[PLACES])
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
    const frame f = apart(fine_frame(conv));
    const size_t rows = images * places(conv), width = round_up(conv->filters, LANES);
    const ev_conv_grid grid = {.images = images,
                               .rows = ev_conv_out_height(conv),
                               .columns = ev_conv_out_width(conv),
                               .image = frame_size(&f),
                               .row = conv->stride * f.width * f.pixel,
                               .column = conv->stride * f.pixel};
    x = framed(&f, images, conv->height, conv->width, x, frames);
    cut_rows(rows, conv->filters, y, strips);
    for (size_t strip = 0; strip < width; strip += LANES)
        for (size_t t = 0; t < ev_conv_taps(conv); t += PLACES) {
            size_t offset[PLACES];
            tap_offsets(conv, &f, t, offset);
            ev_conv_outer_products(&grid, x, offset, strips + strip * rows, width,
                                   sums + t * width + strip);
        }
}

/* d_bias is the sum over the pixels of the side that `fine` names, of `bias` channels. */
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
    add_parts(parts, size, a.sums, ev_conv_taps(conv), F, round_up(F, LANES), d_weight,
              scratch->threads);
    add_parts(parts, size, a.sums + weights, 1, fine ? conv->channels : F, 0, d_bias, 1);
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
