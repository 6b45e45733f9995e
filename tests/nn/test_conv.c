/* The convolutions against the sum they stand for, taken term by term in double precision, against
 * the identities of an adjoint, and against central differences. */
#include "nn/buffer.h"
#include "nn/conv.h"
#include "numerics/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ev_conv conv;
    size_t B;
} geometry;

/* H, W, C, kernel, stride, padding, F, and B: the model's shapes made small; extents that differ;
 * taps that nothing reaches; strides beyond the kernel; one and several pieces and parts; one and two
 * channels on a side, with as many taps as fill the lanes; more channels than lanes. */
static const geometry GEOMETRIES[] = {
    {{8, 8, 1, 4, 2, 1, 5}, 3},   {{7, 7, 6, 3, 1, 1, 4}, 2},  {{7, 7, 5, 1, 1, 0, 9}, 4},
    {{5, 8, 3, 4, 2, 1, 2}, 2},   {{9, 4, 2, 3, 2, 0, 3}, 17}, {{6, 5, 2, 2, 3, 0, 3}, 2},
    {{1, 1, 3, 1, 1, 0, 2}, 1},   {{3, 3, 2, 3, 1, 2, 2}, 35}, {{4, 6, 2, 5, 1, 2, 3}, 1},
    {{2, 2, 1, 2, 2, 0, 1}, 300}, {{4, 4, 2, 1, 2, 0, 3}, 5},  {{3, 2, 2, 3, 3, 1, 2}, 20},
    {{8, 6, 1, 4, 2, 1, 8}, 5},   {{5, 4, 2, 3, 1, 1, 16}, 9}, {{4, 5, 16, 2, 1, 0, 2}, 6},
    {{5, 3, 33, 3, 1, 1, 20}, 2}, {{4, 4, 32, 3, 1, 1, 17}, 6}};
enum { GEOMETRY_COUNT = sizeof GEOMETRIES / sizeof *GEOMETRIES };

/* The arrays of one test: fine and coarse side, a cotangent for each, weights, both biases. */
typedef struct {
    ev_conv conv;
    size_t B, fine, coarse, weights;
    float *memory, *x, *y, *dx, *dy, *weight, *bias_f, *bias_c, *out_x, *out_y, *d_weight, *d_bias;
    ev_conv_scratch scratch;
} fixture;

static void place(fixture *f, ev_carve *carve)
{
    float **fine[] = {&f->x, &f->dx, &f->out_x}, **coarse[] = {&f->y, &f->dy, &f->out_y};
    for (size_t i = 0; i < 3; i++) {
        *fine[i] = ev_carve_take(carve, f->fine);
        *coarse[i] = ev_carve_take(carve, f->coarse);
    }
    f->weight = ev_carve_take(carve, f->weights);
    f->d_weight = ev_carve_take(carve, f->weights);
    f->bias_f = ev_carve_take(carve, f->conv.filters);
    f->bias_c = ev_carve_take(carve, f->conv.channels);
    f->d_bias = ev_carve_take(carve, f->conv.filters + f->conv.channels);
    f->scratch.memory = ev_carve_take(carve, ev_conv_scratch_size(&f->conv, f->scratch.threads));
}

static void draw(float *x, size_t n, uint32_t child, uint32_t point)
{
    ev_stream stream = ev_stream_make(7, ev_hash_text("conv"), child, point);
    for (size_t i = 0; i < n; i++) {
        double normal;
        ev_stream_normals(&stream, i, 1, &normal);
        x[i] = (float)normal;
    }
}

static fixture make(const geometry *g, size_t threads, uint32_t point)
{
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_conv_check(&g->conv, g->B, &error), EV_OK, "%s", error.message);
    fixture f = {.conv = g->conv, .B = g->B, .scratch.threads = threads};
    f.fine = g->B * g->conv.height * g->conv.width * g->conv.channels;
    f.coarse = g->B * ev_conv_out_height(&g->conv) * ev_conv_out_width(&g->conv) * g->conv.filters;
    f.weights = ev_conv_taps(&g->conv) * g->conv.filters;
    ev_carve count = {NULL, 0};
    place(&f, &count);
    f.memory = ev_buffer_create(count.used);
    cr_assert_not_null(f.memory);
    place(&f, &(ev_carve){f.memory, 0});
    draw(f.x, f.fine, 0, point);
    draw(f.y, f.coarse, 1, point);
    draw(f.dx, f.fine, 2, point);
    draw(f.dy, f.coarse, 3, point);
    draw(f.weight, f.weights, 4, point);
    draw(f.bias_f, g->conv.filters, 5, point);
    draw(f.bias_c, g->conv.channels, 6, point);
    /* What is overwritten begins as rubbish, for a result that is added to must show. */
    memset(f.out_x, 0x7f, f.fine * sizeof(float));
    memset(f.out_y, 0x7f, f.coarse * sizeof(float));
    memset(f.d_weight, 0x7f, f.weights * sizeof(float));
    memset(f.d_bias, 0x7f, (g->conv.filters + g->conv.channels) * sizeof(float));
    return f;
}

/* A sum in double precision, the sum of its magnitudes, and its number of terms. */
typedef struct {
    double sum, size;
    size_t terms;
} exact;

static void add(exact *e, double term)
{
    e->sum += term;
    e->size += fabs(term);
    e->terms++;
}

/* Every term of the definition: place(coarse index, fine index, weight index). */
static void each_term(const fixture *f, const float *x, const float *y, exact *to_x, exact *to_y,
                      exact *to_weight)
{
    const ev_conv *c = &f->conv;
    size_t P = ev_conv_out_height(c), Q = ev_conv_out_width(c);
    for (size_t b = 0; b < f->B; b++)
        for (size_t i = 0; i < P; i++)
            for (size_t j = 0; j < Q; j++)
                for (size_t t = 0; t < f->weights; t++) {
                    size_t filter = t % c->filters, channel = t / c->filters % c->channels;
                    size_t v = t / c->filters / c->channels % c->kernel;
                    size_t u = t / c->filters / c->channels / c->kernel;
                    size_t row = c->stride * i + u, column = c->stride * j + v;
                    if (row < c->padding || row - c->padding >= c->height || column < c->padding ||
                        column - c->padding >= c->width)
                        continue;
                    size_t at = ((b * c->height + row - c->padding) * c->width + column -
                                 c->padding) *
                                    c->channels +
                                channel;
                    size_t to = ((b * P + i) * Q + j) * c->filters + filter;
                    double w = (double)f->weight[t];
                    add(&to_x[at], w * (double)y[to]);
                    add(&to_y[to], w * (double)x[at]);
                    add(&to_weight[t], (double)x[at] * (double)y[to]);
                }
}

/* |sum - exact| <= n u sum|terms| for n float operations in any order; n counts the terms and one
 * more for each. */
static void same(const char *what, size_t which, size_t n, const float *found, const exact *wanted)
{
    for (size_t i = 0; i < n; i++) {
        double bound = (double)(2 * wanted[i].terms + 2) * 0x1p-24 * wanted[i].size;
        cr_assert(fabs((double)found[i] - wanted[i].sum) <= bound,
                  "%s, geometry %zu, element %zu: %.9g for %.9g, bound %.1e", what, which, i,
                  (double)found[i], wanted[i].sum, bound);
    }
}

static exact *zeros(size_t n)
{
    exact *e = calloc(n, sizeof *e);
    cr_assert_not_null(e);
    return e;
}

static void add_bias(exact *e, size_t n, size_t width, const float *bias)
{
    for (size_t i = 0; i < n; i++)
        add(&e[i], (double)bias[i % width]);
}

static exact *row_sums(const float *d, size_t n, size_t width)
{
    exact *sums = zeros(width);
    for (size_t i = 0; i < n; i++)
        add(&sums[i % width], (double)d[i]);
    return sums;
}

Test(conv, forward_and_transposed_forward_are_the_sums_they_stand_for)
{
    for (size_t g = 0; g < GEOMETRY_COUNT; g++) {
        fixture f = make(&GEOMETRIES[g], 2, (uint32_t)g);
        exact *x = zeros(f.fine), *y = zeros(f.coarse), *w = zeros(f.weights);
        each_term(&f, f.x, f.y, x, y, w);
        add_bias(y, f.coarse, f.conv.filters, f.bias_f);
        add_bias(x, f.fine, f.conv.channels, f.bias_c);
        ev_conv_forward(&f.conv, f.B, f.out_y, f.x, f.weight, f.bias_f, false, &f.scratch);
        same("forward", g, f.coarse, f.out_y, y);
        ev_conv_transposed_forward(&f.conv, f.B, f.out_x, f.y, f.weight, f.bias_c, false,
                                   &f.scratch);
        same("transposed forward", g, f.fine, f.out_x, x);
        free(x), free(y), free(w), free(f.memory);
    }
}

Test(conv, backward_passes_are_the_sums_they_stand_for)
{
    for (size_t g = 0; g < GEOMETRY_COUNT; g++) {
        fixture f = make(&GEOMETRIES[g], 2, (uint32_t)(100 + g));
        exact *dx = zeros(f.fine), *unused = zeros(f.coarse), *w = zeros(f.weights);
        each_term(&f, f.x, f.dy, dx, unused, w);
        ev_conv_backward_input(&f.conv, f.B, f.out_x, f.dy, f.weight, NULL, &f.scratch);
        same("backward input", g, f.fine, f.out_x, dx);
        ev_conv_backward_weights(&f.conv, f.B, f.d_weight, f.d_bias, f.dy, f.x, &f.scratch);
        same("backward weights", g, f.weights, f.d_weight, w);
        exact *bias = row_sums(f.dy, f.coarse, f.conv.filters);
        same("backward bias", g, f.conv.filters, f.d_bias, bias);
        free(dx), free(unused), free(w), free(bias), free(f.memory);
    }
}

Test(conv, transposed_backward_passes_are_the_sums_they_stand_for)
{
    for (size_t g = 0; g < GEOMETRY_COUNT; g++) {
        fixture f = make(&GEOMETRIES[g], 2, (uint32_t)(200 + g));
        exact *unused = zeros(f.fine), *dy = zeros(f.coarse), *w = zeros(f.weights);
        each_term(&f, f.dx, f.y, unused, dy, w);
        ev_conv_transposed_backward_input(&f.conv, f.B, f.out_y, f.dx, f.weight, NULL, &f.scratch);
        same("transposed backward input", g, f.coarse, f.out_y, dy);
        ev_conv_transposed_backward_weights(&f.conv, f.B, f.d_weight, f.d_bias, f.dx, f.y,
                                            &f.scratch);
        same("transposed backward weights", g, f.weights, f.d_weight, w);
        exact *bias = row_sums(f.dx, f.fine, f.conv.channels);
        same("transposed backward bias", g, f.conv.channels, f.d_bias, bias);
        free(unused), free(dy), free(w), free(bias), free(f.memory);
    }
}

static double dot(const float *a, const float *b, size_t n, double *size)
{
    double sum = 0;
    *size = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
        *size += fabs((double)a[i] * (double)b[i]);
    }
    return sum;
}

/* <conv(x), y> = <x, conv'(y)>, whichever function computes the two maps; without biases. */
Test(conv, input_gradients_and_transposes_are_adjoint_to_the_forward_map)
{
    for (size_t g = 0; g < GEOMETRY_COUNT; g++) {
        fixture f = make(&GEOMETRIES[g], 2, (uint32_t)(300 + g));
        double size, other, taps = (double)ev_conv_taps(&f.conv) + (double)f.conv.filters;
        memset(f.bias_f, 0, f.conv.filters * sizeof(float));
        memset(f.bias_c, 0, f.conv.channels * sizeof(float));
        ev_conv_forward(&f.conv, f.B, f.out_y, f.x, f.weight, f.bias_f, false, &f.scratch);
        double forward = dot(f.out_y, f.dy, f.coarse, &size);
        ev_conv_backward_input(&f.conv, f.B, f.out_x, f.dy, f.weight, NULL, &f.scratch);
        double bound = (size + 1) * taps * 0x1p-22;
        cr_expect_float_eq(forward, dot(f.x, f.out_x, f.fine, &other), bound, "geometry %zu", g);
        ev_conv_transposed_forward(&f.conv, f.B, f.out_x, f.dy, f.weight, f.bias_c, false,
                                   &f.scratch);
        cr_expect_float_eq(forward, dot(f.x, f.out_x, f.fine, &other), bound, "geometry %zu", g);
        ev_conv_transposed_backward_input(&f.conv, f.B, f.out_y, f.x, f.weight, NULL, &f.scratch);
        cr_expect_float_eq(forward, dot(f.out_y, f.dy, f.coarse, &other), bound, "geometry %zu", g);
        free(f.memory);
    }
}

/* A network of two layers with a ReLU between: its loss <c, convT(relu(conv(x)))> is piecewise
 * linear in every argument, so the central difference is exact but for rounding and for kinks.  Few
 * elements sit within the step of a kink; most must agree, and no sum of all may be far off. */
typedef struct {
    fixture first, second;
    float *hidden, *out;
} network;

static double network_loss(network *n)
{
    fixture *a = &n->first, *b = &n->second;
    double size;
    ev_conv_forward(&a->conv, a->B, n->hidden, a->x, a->weight, a->bias_f, true, &a->scratch);
    ev_conv_transposed_forward(&b->conv, b->B, n->out, n->hidden, b->weight, b->bias_c, false,
                               &b->scratch);
    return dot(b->dx, n->out, b->fine, &size);
}

static void differences_agree(network *n, const char *what, float *at, const float *gradient,
                              size_t count)
{
    const float step = 0x1p-8F;
    size_t off = 0;
    for (size_t i = 0; i < count; i++) {
        float held = at[i];
        at[i] = held + step;
        double up = network_loss(n);
        at[i] = held - step;
        double down = network_loss(n);
        at[i] = held;
        double slope = (up - down) / (2.0 * (double)step);
        off += fabs(slope - (double)gradient[i]) > 2e-2 * (1 + fabs(slope));
    }
    cr_expect(off * 10 <= count, "%s: %zu of %zu derivatives differ", what, off, count);
}

Test(conv, gradients_through_two_layers_and_a_relu_agree_with_central_differences)
{
    static const geometry layers[] = {{{6, 6, 2, 4, 2, 1, 3}, 2}, {{6, 6, 1, 4, 2, 1, 3}, 2}};
    network n = {make(&layers[0], 1, 400), make(&layers[1], 1, 401), NULL, NULL};
    fixture *a = &n.first, *b = &n.second;
    n.hidden = a->out_y;
    n.out = b->out_x;
    (void)network_loss(&n);
    ev_conv_transposed_backward_weights(&b->conv, b->B, b->d_weight, b->d_bias, b->dx, n.hidden,
                                        &b->scratch);
    ev_conv_transposed_backward_input(&b->conv, b->B, a->dy, b->dx, b->weight, n.hidden,
                                      &b->scratch);
    ev_conv_backward_weights(&a->conv, a->B, a->d_weight, a->d_bias, a->dy, a->x, &a->scratch);
    ev_conv_backward_input(&a->conv, a->B, a->out_x, a->dy, a->weight, NULL, &a->scratch);
    differences_agree(&n, "second weight", b->weight, b->d_weight, b->weights);
    differences_agree(&n, "second bias", b->bias_c, b->d_bias, b->conv.channels);
    differences_agree(&n, "first weight", a->weight, a->d_weight, a->weights);
    differences_agree(&n, "first bias", a->bias_f, a->d_bias, a->conv.filters);
    differences_agree(&n, "input", a->x, a->out_x, a->fine);
    free(a->memory), free(b->memory);
}

static void rectified(const char *what, size_t g, size_t n, const float *found, const float *plain)
{
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(found[i], plain[i] > 0 ? plain[i] : 0, "%s, geometry %zu, element %zu", what,
                     g, i);
}

static void masked(const char *what, size_t g, size_t n, const float *found, const float *plain,
                   const float *activation)
{
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(found[i], activation[i] > 0 ? plain[i] : 0, "%s, geometry %zu, element %zu",
                     what, g, i);
}

Test(conv, a_relu_and_its_mask_are_those_of_the_plain_results)
{
    for (size_t g = 0; g < GEOMETRY_COUNT; g++) {
        fixture f = make(&GEOMETRIES[g], 2, 500), p = make(&GEOMETRIES[g], 2, 500);
        const ev_conv *c = &f.conv;
        ev_conv_forward(c, f.B, f.out_y, f.x, f.weight, f.bias_f, true, &f.scratch);
        ev_conv_forward(c, f.B, p.out_y, f.x, f.weight, f.bias_f, false, &f.scratch);
        rectified("forward", g, f.coarse, f.out_y, p.out_y);
        ev_conv_transposed_forward(c, f.B, f.out_x, f.y, f.weight, f.bias_c, true, &f.scratch);
        ev_conv_transposed_forward(c, f.B, p.out_x, f.y, f.weight, f.bias_c, false, &f.scratch);
        rectified("transposed forward", g, f.fine, f.out_x, p.out_x);
        ev_conv_backward_input(c, f.B, f.out_x, f.dy, f.weight, f.x, &f.scratch);
        ev_conv_backward_input(c, f.B, p.out_x, f.dy, f.weight, NULL, &f.scratch);
        masked("backward input", g, f.fine, f.out_x, p.out_x, f.x);
        ev_conv_transposed_backward_input(c, f.B, f.out_y, f.dx, f.weight, f.y, &f.scratch);
        ev_conv_transposed_backward_input(c, f.B, p.out_y, f.dx, f.weight, NULL, &f.scratch);
        masked("transposed backward input", g, f.coarse, f.out_y, p.out_y, f.y);
        free(f.memory), free(p.memory);
    }
}

/* In an input, or in a weight that meets the first pixel: it must come out on the other side, rectified
 * or not. */
Test(conv, a_nan_is_not_lost)
{
    for (size_t g = 0; g < GEOMETRY_COUNT; g++)
        for (size_t way = 0; way < 4; way++) {
            fixture f = make(&GEOMETRIES[g], 2, 550);
            const ev_conv *c = &f.conv;
            size_t nans = 0;
            /* The tap through which place 0 sees pixel 0. */
            const size_t tap = (c->padding * c->kernel + c->padding) * c->channels;
            if (way < 2)
                f.x[0] = f.y[0] = NAN;
            else
                f.weight[tap * c->filters] = NAN;
            ev_conv_forward(c, f.B, f.out_y, f.x, f.weight, f.bias_f, way % 2 == 0, &f.scratch);
            ev_conv_transposed_forward(c, f.B, f.out_x, f.y, f.weight, f.bias_c, way % 2 == 0,
                                       &f.scratch);
            for (size_t i = 0; i < f.coarse; i += c->filters)
                nans += isnan(f.out_y[i]);
            cr_expect_gt(nans, 0, "forward, geometry %zu, way %zu", g, way);
            nans = 0;
            for (size_t i = 0; i < f.fine; i++)
                nans += isnan(f.out_x[i]);
            cr_expect_gt(nans, 0, "transposed, geometry %zu, way %zu", g, way);
            free(f.memory);
        }
}

static void the_same(const char *what, size_t g, size_t n, const float *a, const float *b)
{
    cr_expect_eq(memcmp(a, b, n * sizeof *a), 0, "%s, geometry %zu", what, g);
}

Test(conv, results_are_the_same_to_the_bit_for_any_number_of_threads)
{
    for (size_t g = 0; g < GEOMETRY_COUNT; g++)
        for (size_t transposed = 0; transposed < 2; transposed++) {
            fixture one = make(&GEOMETRIES[g], 1, 600), three = make(&GEOMETRIES[g], 3, 600);
            fixture *both[] = {&one, &three};
            for (size_t i = 0; i < 2; i++) {
                fixture *f = both[i];
                const ev_conv *c = &f->conv;
                const ev_conv_scratch *s = &f->scratch;
                if (transposed == 0) {
                    ev_conv_forward(c, f->B, f->out_y, f->x, f->weight, f->bias_f, true, s);
                    ev_conv_backward_input(c, f->B, f->out_x, f->dy, f->weight, f->x, s);
                    ev_conv_backward_weights(c, f->B, f->d_weight, f->d_bias, f->dy, f->x, s);
                    continue;
                }
                ev_conv_transposed_forward(c, f->B, f->out_x, f->y, f->weight, f->bias_c, true, s);
                ev_conv_transposed_backward_input(c, f->B, f->out_y, f->dx, f->weight, f->y, s);
                ev_conv_transposed_backward_weights(c, f->B, f->d_weight, f->d_bias, f->dx, f->y,
                                                    s);
            }
            the_same("y", g, one.coarse, one.out_y, three.out_y);
            the_same("x", g, one.fine, one.out_x, three.out_x);
            the_same("weight", g, one.weights, one.d_weight, three.d_weight);
            the_same("bias", g, transposed == 0 ? one.conv.filters : one.conv.channels, one.d_bias,
                     three.d_bias);
            free(one.memory), free(three.memory);
        }
}

Test(conv, absurd_geometries_are_refused_with_the_reason)
{
    static const geometry bad[] = {
        {{0, 8, 1, 3, 1, 1, 2}, 1},          {{8, 8, 1, 0, 1, 0, 2}, 1},
        {{8, 8, 1, 3, 0, 1, 2}, 1},          {{8, 8, 1, 3, 1, 3, 2}, 1},
        {{2, 9, 1, 5, 1, 1, 2}, 1},          {{8, 8, 1, 3, 1, 1, 0}, 1},
        {{8, 8, 1, 3, 1, 1, 2}, 0},          {{60000, 60000, 1, 3, 1, 1, 2}, 1},
        {{8, 8, (size_t)-1, 3, 1, 1, 2}, 1}, {{28, 28, 64, 3, 1, 1, 64}, 100000},
        {{8, 8, 1, 3, 11, 1, 2}, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ev_error error = EV_ERROR_NONE;
        cr_expect_eq(ev_conv_check(&bad[i].conv, bad[i].B, &error), EV_BAD_INPUT, "case %zu", i);
        cr_expect(strstr(error.message, "convolution") != NULL, "case %zu: %s", i, error.message);
    }
    cr_expect_eq(ev_conv_scratch_size(&GEOMETRIES[0].conv, SIZE_MAX / 2), SIZE_MAX);
}
