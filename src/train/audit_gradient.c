/* The gradient against derivatives of the reference along directions.
 *
 * 1. Along each block of parameters: the float gradient's own direction there, which shows a wrong
 *    factor, and a random one, which shows a wrong place.
 * 2. Along random directions in all blocks at once, each block weighted by 1/|its gradient|, so that
 *    small blocks are heard.
 * For a random direction v of independent signs and an error vector e, v.e is of size |e|, so a bound
 * relative to |g| (with the weights) is one on |e|/|g|.  It is the resolution times that, plus the
 * mean over samples of the sum of the derivative's |parts|, in which what cancels is not lost.
 * 3. If one differs: the differences, as a function of the direction, are matched with each part of
 *    the reference's derivative.  If they are proportional to one, that part of the gradient is
 *    wrong by a factor, and is named; otherwise the first block is. */
#include "train/audit_work.h"

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
static bool make_direction(const ev_audit_work *work, size_t k, float *v)
{
    const ev_layout *layout = &work->subject->model->layout;
    const float *gradient = work->subject->gradient;
    const ev_stream all = ev_audit_stream(work, "directions");
    const ev_stream stream = ev_stream_child(&all, (uint32_t)k);
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

static probe probe_along(const ev_audit_work *work, const float *v, bool split)
{
    const float *gradient = work->subject->gradient;
    probe p = {0};
    for (size_t i = 0; i < work->subject->model->layout.size; i++) {
        const double product = (double)gradient[i] * (double)v[i];
        p.ours += product;
        p.scale += product * product;
    }
    p.scale = sqrt(p.scale);
    p.slope = ev_audit_reference_slope(&work->reference, v, split);
    p.error = work->options->resolution * (p.scale + p.slope.size);
    return p;
}

static void name_direction(const ev_audit_work *work, size_t k, ev_audit_row *row)
{
    const ev_layout *layout = &work->subject->model->layout;
    if (k >= 2 * layout->count)
        snprintf(row->name, sizeof row->name, "gradient, random direction %zu",
                 k - 2 * layout->count + 1);
    else
        snprintf(row->name, sizeof row->name, "gradient along %s%s", layout->block[k / 2].name,
                 k % 2 == 0 ? "" : ", random");
}

/* The loss is minus the ELBO. */
static bool add_probe(ev_audit_work *work, size_t k, const probe *p)
{
    ev_audit_row row = {.claim = "loss-is-minus-elbo",
                        .relation = "=",
                        .method = "directional derivative",
                        .kind = "rounding",
                        .value = p->ours,
                        .reference = -p->slope.sum,
                        .error = p->error};
    const double ratio = fabs(row.value - row.reference) / row.error;
    name_direction(work, k, &row);
    snprintf(row.note, sizeof row.note, "%.3g of its bound", ratio);
    ev_audit_add(work, row, HUGE_VAL);
    if (ratio > work->audit->gradient_error)
        work->audit->gradient_error = ratio;
    return !(fabs(row.value - row.reference) <= row.error);
}

/* --- Diagnosis ----------------------------------------------------------------------------- */

#define BIT(part) (1U << (part))
#define DRAWS (BIT(EV_PART_DRAW_MU) | BIT(EV_PART_DRAW_SCALE))
#define GAMMA (BIT(EV_PART_LATENT_GAMMA) | BIT(EV_PART_CATEGORICAL_GAMMA))
#define LATENT                                                                         \
    (BIT(EV_PART_LATENT_MU) | BIT(EV_PART_LATENT_VAR) | BIT(EV_PART_LATENT_PRIOR_MU) | \
     BIT(EV_PART_LATENT_PRIOR_VAR))
#define CATEGORICAL (BIT(EV_PART_CATEGORICAL_PI) | BIT(EV_PART_CATEGORICAL_GAMMA))

/* The single ones first: the smallest set that explains the differences is named. */
static const struct {
    unsigned parts;
    const char *name;
} suspects[] = {
    {BIT(EV_PART_DECODER), "reconstruction (through the decoder)"},
    {BIT(EV_PART_DRAW_MU), "reconstruction (through the mean of z)"},
    {BIT(EV_PART_DRAW_SCALE), "reconstruction (through the scale of z)"},
    {BIT(EV_PART_LATENT_MU), "latent (through the mean of q)"},
    {BIT(EV_PART_LATENT_VAR), "latent (through the variance of q)"},
    {BIT(EV_PART_LATENT_PRIOR_MU), "latent (through prior.mu)"},
    {BIT(EV_PART_LATENT_PRIOR_VAR), "latent (through prior.log_var)"},
    {BIT(EV_PART_LATENT_GAMMA), "latent (through gamma)"},
    {BIT(EV_PART_CATEGORICAL_PI), "categorical (through prior.logits)"},
    {BIT(EV_PART_CATEGORICAL_GAMMA), "categorical (through gamma)"},
    {BIT(EV_PART_ENTROPY), "entropy"},
    {GAMMA, "latent and categorical (through gamma)"},
    {DRAWS, "reconstruction (through z)"},
    {DRAWS | BIT(EV_PART_DECODER), "reconstruction"},
    {LATENT, "latent (gamma held)"},
    {LATENT | BIT(EV_PART_LATENT_GAMMA), "latent"},
    {CATEGORICAL, "categorical"},
    {LATENT | GAMMA | CATEGORICAL | BIT(EV_PART_ENTROPY), "the terms but reconstruction"},
    {~0U, "the whole loss"}};
enum { SUSPECTS = sizeof suspects / sizeof *suspects };

static double sum_of(const probe *p, unsigned parts)
{
    double sum = 0.0;
    for (unsigned i = 0; i < EV_PARTS; i++)
        sum += (parts & BIT(i)) != 0 ? p->slope.part[i] : 0.0;
    return sum;
}

/* The factor a for which difference = a part fits best, and its worst residual in units of the
 * bounds, that of the fit itself among them. */
static double match(size_t n, const probe *p, unsigned parts, double *factor)
{
    double above = 0.0, below = 0.0, worst = 0.0;
    for (size_t k = 0; k < n; k++) {
        const double part = -sum_of(&p[k], parts), off = p[k].ours + p[k].slope.sum;
        above += off * part / (p[k].error * p[k].error);
        below += part * part / (p[k].error * p[k].error);
    }
    *factor = below > 0.0 ? above / below : 0.0;
    for (size_t k = 0; k < n; k++) {
        const double off = p[k].ours + p[k].slope.sum + *factor * sum_of(&p[k], parts);
        worst = fmax(worst, fabs(off) / (p[k].error * (1.0 + fabs(*factor))));
    }
    /* A part that is nothing but rounding explains nothing. */
    return below > (double)n ? worst : HUGE_VAL;
}

/* No part fits.  The blocks still tell: the reconstruction alone reaches the decoder, and the clusters'
 * means and variances stand in the latent term. */
static void blame_block(ev_audit *audit)
{
    static const struct {
        const char *block, *term;
    } reached[] = {{"gradient along decoder.", "gradient of reconstruction"},
                   {"gradient along prior.mu", "gradient of latent"},
                   {"gradient along prior.log_var", "gradient of latent"},
                   {"gradient along prior.logits", "gradient of categorical"}};
    for (size_t k = 0; k < sizeof reached / sizeof *reached; k++)
        for (size_t i = 0; i < audit->count; i++)
            if (audit->rows[i].verdict == EV_REFUTED &&
                strncmp(audit->rows[i].name, reached[k].block, strlen(reached[k].block)) == 0) {
                snprintf(audit->failed, sizeof audit->failed, "%s", reached[k].term);
                return;
            }
}

static void diagnose(ev_audit_work *work, size_t n, const probe *p)
{
    ev_audit *audit = work->audit;
    for (size_t s = 0; s < SUSPECTS; s++) {
        double factor;
        if (!(match(n, p, suspects[s].parts, &factor) <= 2.0))
            continue;
        snprintf(audit->failed, sizeof audit->failed, "gradient of %s", suspects[s].name);
        snprintf(audit->diagnosis, sizeof audit->diagnosis,
                 "the gradient counts that of %s %.4g times instead of once", suspects[s].name,
                 1.0 + factor);
        return;
    }
    blame_block(audit);
}

/* --- The rows ------------------------------------------------------------------------------ */

void ev_audit_gradient(ev_audit_work *work)
{
    const size_t count = 2 * work->subject->model->layout.count + work->options->directions;
    float *v = calloc(work->subject->model->layout.size, sizeof *v);
    probe *probes = calloc(count, sizeof *probes);
    const bool clean = work->audit->failed[0] == '\0';
    bool differs = false;
    size_t n = 0;
    if (v == NULL || probes == NULL) {
        work->short_of_memory = true;
        goto done;
    }
    for (size_t k = 0; k < count; k++)
        if (make_direction(work, k, v)) {
            const probe p = probe_along(work, v, false);
            differs = add_probe(work, k, &p) || differs;
        }
    if (!differs || !clean)
        goto done;
    for (size_t k = 0; k < count; k++)
        if (make_direction(work, k, v))
            probes[n++] = probe_along(work, v, true);
    diagnose(work, n, probes);
done:
    free(v);
    free(probes);
}
