#include "train/audit_conv.h"

#include "train/audit_network.h"

#include <float.h>
#include <math.h>

/* --- One convolution --------------------------------------------------------------------------- */

/* One linear map of a stage, and where its parameters stand. */
typedef struct {
    const ev_conv *conv;
    bool transposed;
    size_t weight, bias;  /* offsets */
    size_t places;        /* of the coarser side */
    size_t channels, out; /* of what comes out: channels, numbers */
} map;

static map map_of(const ev_stage *s, size_t which)
{
    const ev_conv *c = &s->conv[which];
    const size_t places = ev_conv_out_height(c) * ev_conv_out_width(c);
    const size_t fine = c->height * c->width * c->channels, coarse = places * c->filters;
    const bool transposed = s->kind == EV_STAGE_TRANSPOSED;
    return (map){c,
                 transposed,
                 s->weight[which],
                 s->bias[which],
                 places,
                 transposed ? c->channels : c->filters,
                 transposed ? fine : coarse};
}

/* The pixel of the finer side under tap u of place i; false beyond the edge. */
static bool under(const ev_conv *c, size_t i, size_t u, size_t extent, size_t *at)
{
    *at = c->stride * i + u - c->padding; /* below 0 it is huge */
    return *at < extent;
}

/* y_f += sum_c w_cf x_c, for one tap of one place.  After a ReLU many x are 0. */
static void add_tap(const ev_conv *conv, const float *w, const double *x, double *y)
{
    const size_t F = conv->filters;
    for (size_t c = 0; c < conv->channels; c++) {
        const double at = x[c];
        if (at == 0)
            continue;
#pragma omp simd
        for (size_t f = 0; f < F; f++)
            y[f] += (double)w[c * F + f] * at;
    }
}

/* Transposed, x_c += sum_f w_cf y_f. */
static void add_tap_transposed(const ev_conv *conv, const float *w, const double *y, double *x)
{
    const size_t F = conv->filters;
    for (size_t c = 0; c < conv->channels; c++) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t f = 0; f < F; f++)
            sum += (double)w[c * F + f] * y[f];
        x[c] += sum;
    }
}

/* Either, of absolute values. */
static void add_tap_sizes(const ev_conv *conv, bool transposed, const float *w, const double *in,
                          double *out)
{
    for (size_t c = 0; c < conv->channels; c++)
        for (size_t f = 0; f < conv->filters; f++)
            out[transposed ? c : f] += fabs((double)w[c * conv->filters + f] *
                                            in[transposed ? f : c]);
}

/* out += map(in), of absolute values if these are sizes. */
static void add_taps(const map *m, const float *weight, bool sizes, const double *in, double *out)
{
    const ev_conv *c = m->conv;
    const size_t Q = ev_conv_out_width(c);
    size_t row, column;
    for (size_t tap = 0; tap < c->kernel * c->kernel; tap++)
        for (size_t place = 0; place < m->places; place++) {
            if (!under(c, place / Q, tap / c->kernel, c->height, &row) ||
                !under(c, place % Q, tap % c->kernel, c->width, &column))
                continue;
            const float *w = weight + tap * c->channels * c->filters;
            const size_t x = (row * c->width + column) * c->channels, y = place * c->filters;
            const double *from = in + (m->transposed ? y : x);
            double *to = out + (m->transposed ? x : y);
            if (sizes)
                add_tap_sizes(c, m->transposed, w, from, to);
            else if (m->transposed)
                add_tap_transposed(c, w, from, to);
            else
                add_tap(c, w, from, to);
        }
}

/* out = map(in) + bias. */
static void apply(const map *m, const float *parameters, bool sizes, const double *in, double *out)
{
    const float *bias = parameters + m->bias;
    for (size_t i = 0; i < m->out; i++)
        out[i] = sizes ? fabs((double)bias[i % m->channels]) : (double)bias[i % m->channels];
    add_taps(m, parameters + m->weight, sizes, in, out);
}

/* out = the derivative of that; false when it is 0, and not written. */
static bool apply_dot(const map *m, const float *parameters, const float *direction,
                      const double *in, const double *tangent, double *out)
{
    const size_t taps = ev_conv_taps(m->conv) * m->conv->filters;
    const float *weight = ev_audit_part_of(direction, m->weight, taps);
    const float *bias = ev_audit_part_of(direction, m->bias, m->channels);
    for (size_t i = 0; i < m->out; i++)
        out[i] = bias == NULL ? 0 : (double)bias[i % m->channels];
    if (weight != NULL)
        add_taps(m, weight, false, in, out);
    if (tangent != NULL)
        add_taps(m, parameters + m->weight, false, tangent, out);
    return weight != NULL || bias != NULL || tangent != NULL;
}

static void rectify(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] < 0 ? 0 : x[i]; /* a NaN stays */
}

static void add(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] += x[i];
}

/* The derivative passes where the unit does. */
static void pass(size_t n, const double *act, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = act[i] > 0 ? x[i] : 0;
}

/* --- Chains ------------------------------------------------------------------------------------ */

static size_t inner_size(const ev_stage *s)
{
    return s->kind == EV_STAGE_RESIDUAL ? map_of(s, 0).out : 0;
}

void ev_audit_conv_place(const ev_conv_net *net, ev_arena *arena, ev_audit_acts *acts)
{
    for (size_t l = 0; l < net->depth; l++) {
        const ev_stage *s = &net->stage[l];
        const bool residual = s->kind == EV_STAGE_RESIDUAL;
        acts->out[l] = ev_arena_array(arena, s->out, sizeof(double));
        acts->inner[0][l] = residual ? ev_arena_array(arena, s->in, sizeof(double)) : NULL;
        acts->inner[1][l] = residual ? ev_arena_array(arena, inner_size(s), sizeof(double)) : NULL;
    }
}

size_t ev_audit_conv_widest(const ev_conv_net *net, size_t most)
{
    for (size_t l = 0; l < net->depth; l++) {
        const size_t inner = inner_size(&net->stage[l]), out = net->stage[l].out;
        most = inner > most ? inner : most;
        most = out > most ? out : most;
    }
    return most;
}

/* What stage l adds up before its ReLU; of absolute values if these are sizes. */
static void sums_of(const ev_conv_net *net, size_t l, const float *parameters, bool sizes,
                    const double *x, const ev_audit_acts *acts, double *out)
{
    const ev_stage *s = &net->stage[l];
    const double *in = l == 0 ? x : acts->out[l - 1];
    const bool residual = s->kind == EV_STAGE_RESIDUAL;
    const map m = map_of(s, residual ? 1 : 0);
    apply(&m, parameters, sizes, residual ? acts->inner[1][l] : in, out);
    for (size_t i = 0; residual && i < s->out; i++)
        out[i] += sizes ? fabs(in[i]) : in[i];
}

static void inner_sums_of(const ev_conv_net *net, size_t l, const float *parameters, bool sizes,
                          const ev_audit_acts *acts, double *out)
{
    const map m = map_of(&net->stage[l], 0);
    apply(&m, parameters, sizes, acts->inner[0][l], out);
}

/* A residual block is x + pointwise(relu(conv(relu x))). */
void ev_audit_conv_net(const ev_conv_net *net, const float *parameters, const double *x,
                       const ev_audit_acts *acts)
{
    for (size_t l = 0; l < net->depth; l++) {
        const ev_stage *s = &net->stage[l];
        if (s->kind == EV_STAGE_RESIDUAL) {
            rectify(s->in, l == 0 ? x : acts->out[l - 1], acts->inner[0][l]);
            inner_sums_of(net, l, parameters, false, acts, acts->inner[1][l]);
            rectify(inner_size(s), acts->inner[1][l], acts->inner[1][l]);
        }
        sums_of(net, l, parameters, false, x, acts, acts->out[l]);
        if (s->relu)
            rectify(s->out, acts->out[l], acts->out[l]);
    }
}

void ev_audit_conv_sizes(const ev_conv_net *net, const float *parameters, const double *x,
                         const ev_audit_acts *acts, double *sizes)
{
    sums_of(net, net->depth - 1, parameters, true, x, acts, sizes);
}

/* --- Sides ------------------------------------------------------------------------------------- */

/* A row of ReLUs: `unit` of stage l, 0 or 1 of a residual block's inner ones, 2 of what it puts out. */
typedef struct {
    const ev_conv_net *net;
    const float *parameters;
    const double *x;
    const ev_audit_acts *acts;
    size_t l;
    int unit;
} rectifiers;

/* Their sums before the ReLU.  The first of a residual block has what the stage before puts out. */
static void before(const rectifiers *r, bool sizes, double *out)
{
    if (r->unit == 1)
        inner_sums_of(r->net, r->l, r->parameters, sizes, r->acts, out);
    else
        sums_of(r->net, r->unit == 0 ? r->l - 1 : r->l, r->parameters, sizes, r->x, r->acts, out);
}

static size_t settle(const rectifiers *r, size_t n, double *act, const float *own,
                     double resolution, double *const scratch[2], size_t *beyond)
{
    size_t kinks = 0, apart = 0;
    for (size_t i = 0; i < n; i++)
        apart += (act[i] > 0) != (own[i] > 0.0F);
    if (apart == 0)
        return 0;
    before(r, false, scratch[0]);
    before(r, true, scratch[1]);
    for (size_t i = 0; i < n; i++)
        if ((act[i] > 0) != (own[i] > 0.0F)) {
            const bool near = fabs(scratch[0][i]) <= resolution * scratch[1][i];
            kinks += near;
            *beyond += !near;
            if (near)
                act[i] = own[i] > 0.0F ? DBL_MIN : 0;
        }
    return kinks;
}

size_t ev_audit_conv_sides(const ev_conv_net *net, const float *parameters, const double *x,
                           const ev_audit_acts *acts, const ev_conv_acts *own, size_t b,
                           double resolution, double *const scratch[2], size_t *beyond)
{
    size_t kinks = 0;
    for (size_t l = 0; l < net->depth; l++) {
        const ev_stage *s = &net->stage[l];
        const size_t sizes[] = {l > 0 ? s->in : 0, inner_size(s), s->out};
        rectifiers r = {net, parameters, x, acts, l, 0};
        for (; s->kind == EV_STAGE_RESIDUAL && r.unit < 2; r.unit++)
            kinks += settle(&r, sizes[r.unit], acts->inner[r.unit][l],
                            own->inner[r.unit][l] + b * sizes[r.unit], resolution, scratch, beyond);
        r.unit = 2;
        if (s->relu)
            kinks += settle(&r, s->out, acts->out[l], own->out[l] + b * s->out, resolution, scratch,
                            beyond);
    }
    return kinks;
}

/* --- Tangents ---------------------------------------------------------------------------------- */

/* Of a residual block, into out; tangent may be NULL.  False where all is 0. */
static bool residual_dot(const ev_stage *s, size_t l, const float *parameters,
                         const float *direction, const ev_audit_acts *acts, const double *tangent,
                         double *inner, double *out)
{
    const map first = map_of(s, 0), second = map_of(s, 1);
    if (tangent != NULL) /* out is free until the second map */
        pass(s->in, acts->inner[0][l], tangent, out);
    const bool moved = apply_dot(&first, parameters, direction, acts->inner[0][l],
                                 tangent != NULL ? out : NULL, inner);
    pass(first.out, acts->inner[1][l], inner, inner);
    if (!apply_dot(&second, parameters, direction, acts->inner[1][l], moved ? inner : NULL, out))
        return false;
    if (tangent != NULL)
        add(s->out, tangent, out);
    return true;
}

const double *ev_audit_conv_tangent(const ev_conv_net *net, const float *parameters,
                                    const float *direction, const double *x,
                                    const ev_audit_acts *acts, const double *tangent,
                                    double *const scratch[3])
{
    for (size_t l = 0; l < net->depth; l++) {
        const ev_stage *s = &net->stage[l];
        double *out = scratch[l % 2];
        const map m = map_of(s, 0);
        const bool moved = s->kind == EV_STAGE_RESIDUAL
                               ? residual_dot(s, l, parameters, direction, acts, tangent,
                                              scratch[2], out)
                               : apply_dot(&m, parameters, direction, l == 0 ? x : acts->out[l - 1],
                                           tangent, out);
        if (moved && s->relu)
            pass(s->out, acts->out[l], out, out);
        tangent = moved ? out : NULL;
    }
    return tangent;
}
