#include "train/audit_directions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    double ours, scale; /* gradient . v, and sqrt sum (gradient_i v_i)^2 */
    ev_audit_slope slope;
    double error;
} probe;

static double length(const float *v, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] * (double)v[i];
    return sqrt(sum);
}

static void add_signs(const ev_stream *stream, const ev_block *block, float weight, float *v)
{
    enum { CHUNK = 256 };
    double u[CHUNK];
    const size_t n = ev_block_size(block);
    for (size_t i = 0; i < n; i++) {
        if (i % CHUNK == 0)
            ev_stream_uniforms(stream, block->offset + i, n - i < CHUNK ? n - i : CHUNK, u);
        v[block->offset + i] = u[i % CHUNK] < 0.5 ? -weight : weight;
    }
}

/* 1. k even: the gradient's own direction in block k/2; odd: signs there.
 * 2. Beyond the blocks: signs everywhere. */
static bool make_direction(const ev_audit_descent *d, size_t k, float *v)
{
    const ev_layout *layout = d->layout;
    const float *gradient = d->gradient;
    const ev_stream stream = ev_stream_child(&d->stream, (uint32_t)k);
    memset(v, 0, layout->size * sizeof *v);
    if (k < 2 * layout->count) {
        const ev_block *block = &layout->block[k / 2];
        const size_t n = ev_block_size(block);
        const double norm = length(gradient + block->offset, n);
        if (k % 2 == 1) {
            add_signs(&stream, block, 1.0F, v);
            return true;
        }
        for (size_t i = 0; norm > 0.0 && i < n; i++)
            v[block->offset + i] = (float)((double)gradient[block->offset + i] / norm);
        return norm > 0.0 && isfinite(norm);
    }
    const double whole = length(gradient, layout->size);
    for (size_t i = 0; i < layout->count; i++) {
        const ev_block *block = &layout->block[i];
        const double norm = length(gradient + block->offset, ev_block_size(block));
        add_signs(&stream, block, (float)(1.0 / fmax(norm, 1e-6 * whole + 1e-30)), v);
    }
    return isfinite(whole);
}

double ev_audit_along(size_t n, const float *gradient, const float *v, double *scale)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (v[i] == 0.0F) /* what is not finite there is another direction's */
            continue;
        const double product = (double)gradient[i] * (double)v[i];
        sum += product;
        squares += product * product;
    }
    *scale = sqrt(squares);
    return sum;
}

static probe probe_along(const ev_audit_descent *d, size_t k, const float *v, bool split)
{
    double scale;
    probe p = {.ours = ev_audit_along(d->layout->size, d->gradient, v, &scale)};
    p.slope = d->slope(d->context, k, v, split);
    p.error = d->resolution * (scale + p.slope.size);
    return p;
}

void ev_audit_name_direction(const ev_layout *layout, size_t k, size_t room, char *name)
{
    if (k >= 2 * layout->count)
        snprintf(name, room, "gradient, random direction %zu", k - 2 * layout->count + 1);
    else
        snprintf(name, room, "gradient along %s%s", layout->block[k / 2].name,
                 k % 2 == 0 ? "" : ", random");
}

static const char *claim_of(const ev_audit_descent *d, size_t k)
{
    const char *block = k < 2 * d->layout->count ? d->layout->block[k / 2].name : "";
    const ev_audit_of_block *c = d->claims;
    while (strncmp(block, c->block, strlen(c->block)) != 0)
        c++;
    return c->name;
}

/* *differs is set when it does.  Where both are 0, the bound may be too. */
static ev_status add_probe(const ev_audit_descent *d, size_t k, const probe *p, ev_audit *audit,
                           bool *differs, ev_error *error)
{
    ev_audit_row row = {.claim = claim_of(d, k),
                        .relation = "=",
                        .method = "directional derivative",
                        .kind = "rounding",
                        .value = p->ours,
                        .reference = p->slope.sum,
                        .error = p->error};
    const double off = fabs(row.value - row.reference), ratio = off == 0.0 ? 0.0 : off / row.error;
    ev_audit_name_direction(d->layout, k, sizeof row.name, row.name);
    snprintf(row.note, sizeof row.note, "%.3g of its bound", ratio);
    if (ratio > audit->gradient_error)
        audit->gradient_error = ratio;
    *differs = *differs || !(off <= row.error);
    return ev_audit_append(audit, &row, HUGE_VAL, error);
}

/* --- Diagnosis ----------------------------------------------------------------------------- */

#define BIT(part) (1U << (part))

static double sum_of(const probe *p, unsigned parts)
{
    double sum = 0.0;
    for (unsigned i = 0; i < EV_AUDIT_PARTS; i++)
        sum += (parts & BIT(i)) != 0 ? p->slope.part[i] : 0.0;
    return sum;
}

/* Parts that may be wrong together, by a factor for each of two sets of them. */
typedef struct {
    unsigned parts[2]; /* the second may be none */
    double factor[2];
} fit;

/* Least squares of difference = factor[0] part[0] + factor[1] part[1], in units of the bounds.  False
 * when a part is nothing but rounding, which explains nothing, or both are one. */
static bool solve(size_t n, const probe *p, fit *f)
{
    double S[2][2] = {{0}}, y[2] = {0};
    for (size_t k = 0; k < n; k++) {
        if (p[k].error == 0.0) /* both sides are 0 */
            continue;
        const double off = (p[k].ours - p[k].slope.sum) / p[k].error;
        const double part[2] = {sum_of(&p[k], f->parts[0]) / p[k].error,
                                sum_of(&p[k], f->parts[1]) / p[k].error};
        for (int i = 0; i < 4; i++)
            S[i / 2][i % 2] += part[i / 2] * part[i % 2];
        y[0] += off * part[0];
        y[1] += off * part[1];
    }
    if (f->parts[1] == 0)
        S[1][1] = (double)n + 1.0;
    const double least = (double)n, determinant = S[0][0] * S[1][1] - S[0][1] * S[1][0];
    f->factor[0] = (y[0] * S[1][1] - y[1] * S[0][1]) / determinant;
    f->factor[1] = (y[1] * S[0][0] - y[0] * S[1][0]) / determinant;
    return S[0][0] > least && S[1][1] > least && determinant > least * fmax(S[0][0], S[1][1]);
}

/* Do the parts explain the differences, within twice the bounds, that of the fit itself among them? */
static bool explains(size_t n, const probe *p, fit *f)
{
    double worst = 0.0;
    if (!solve(n, p, f))
        return false;
    const double slack = 1.0 + fabs(f->factor[0]) + fabs(f->factor[1]);
    for (size_t k = 0; k < n; k++) {
        const double off = p[k].ours - p[k].slope.sum - f->factor[0] * sum_of(&p[k], f->parts[0]) -
                           f->factor[1] * sum_of(&p[k], f->parts[1]);
        worst = fmax(worst, fabs(off) / (p[k].error * slack));
    }
    return worst <= 2.0;
}

/* No parts fit.  The blocks still tell. */
static void blame_block(const ev_audit_of_block *blamed, ev_audit *audit)
{
    for (; blamed != NULL && blamed->block != NULL; blamed++)
        for (size_t i = 0; i < audit->count; i++) {
            const char *at = strstr(audit->rows[i].name, "gradient along ");
            if (audit->rows[i].verdict != EV_REFUTED || at != audit->rows[i].name)
                continue;
            at += strlen("gradient along ");
            if (strncmp(at, blamed->block, strlen(blamed->block)) == 0) {
                snprintf(audit->failed, sizeof audit->failed, "gradient of %s", blamed->name);
                return;
            }
        }
}

/* Parts of which some are counted and some are not have no factor of their own. */
static bool one_kind(const ev_audit_descent *d, const ev_audit_suspect *s)
{
    return (s->parts & d->counted) == 0 || (s->parts & d->counted) == s->parts;
}

/* As it is printed: what is 0 within the bounds is 0. */
static double shown(double factor) { return round(1e6 * factor) / 1e6 + 0.0; }

static void name_fit(const ev_audit_descent *d, const ev_audit_suspect *a,
                     const ev_audit_suspect *b, const fit *f, ev_audit *audit)
{
    const bool once = (a->parts & d->counted) != 0;
    int written = snprintf(audit->diagnosis, sizeof audit->diagnosis,
                           "the gradient counts that of %s %.4g times instead of %s", a->name,
                           shown(once + f->factor[0]), once ? "once" : "never");
    const bool once_too = b != NULL && (b->parts & d->counted) != 0;
    if (b != NULL && written > 0 && (size_t)written < sizeof audit->diagnosis)
        snprintf(audit->diagnosis + written, sizeof audit->diagnosis - (size_t)written,
                 ", that of %s %.4g times instead of %s", b->name, shown(once_too + f->factor[1]),
                 once_too ? "once" : "never");
    snprintf(audit->failed, sizeof audit->failed, "gradient of %s", a->name);
}

/* One set of parts, or else two, of which each has a factor of its own. */
static bool name_parts(const ev_audit_descent *d, size_t n, const probe *p, bool two,
                       ev_audit *audit)
{
    for (size_t s = 0; s < d->suspected; s++)
        for (size_t t = two ? s + 1 : s; t < (two ? d->suspected : s + 1); t++) {
            const ev_audit_suspect *a = &d->suspects[s], *b = two ? &d->suspects[t] : NULL;
            fit f = {{a->parts, two ? b->parts : 0}, {0, 0}};
            if (!one_kind(d, a) || (two && (!one_kind(d, b) || (a->parts & b->parts) != 0)) ||
                !explains(n, p, &f))
                continue;
            name_fit(d, a, b, &f, audit);
            return true;
        }
    return false;
}

/* --- The rows ------------------------------------------------------------------------------ */

ev_status ev_audit_directions(const ev_audit_descent *d, ev_audit *audit, ev_error *error)
{
    const size_t count = 2 * d->layout->count + d->random;
    float *v = calloc(d->layout->size, sizeof *v);
    probe *probes = calloc(count, sizeof *probes);
    const bool clean = audit->failed[0] == '\0';
    ev_status status = v != NULL && probes != NULL
                           ? EV_OK
                           : ev_error_set(error, EV_NO_MEMORY, "out of memory for the audit");
    bool differs = false;
    size_t n = 0;
    for (size_t k = 0; k < count && status == EV_OK; k++)
        if (make_direction(d, k, v)) {
            const probe p = probe_along(d, k, v, false);
            status = add_probe(d, k, &p, audit, &differs, error);
        }
    for (size_t k = 0; k < count && status == EV_OK && differs && clean; k++)
        if (make_direction(d, k, v))
            probes[n++] = probe_along(d, k, v, true);
    if (n > 0 && !name_parts(d, n, probes, false, audit) && !name_parts(d, n, probes, true, audit))
        blame_block(d->blamed, audit);
    free(v);
    free(probes);
    return status;
}
