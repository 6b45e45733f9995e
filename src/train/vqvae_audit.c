#include "train/vqvae_audit.h"

#include "nn/buffer.h"
#include "train/vqvae_audit_gradient.h"
#include "train/vqvae_reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 256 /* vectors whose nearest code is sought again */ };

static double largest(double a, double b) { return a >= b || isnan(a) ? a : b; }

/* --- Rows ---------------------------------------------------------------------------------- */

/* What should be 0, within a bound. */
static ev_status add(ev_audit *audit, const char *name, const char *claim, const char *method,
                     double worst, double bound, ev_error *error)
{
    ev_audit_row row = {.claim = claim,
                        .relation = "=",
                        .method = method,
                        .kind = "rounding",
                        .value = worst,
                        .error = bound};
    snprintf(row.name, sizeof row.name, "%s", name);
    return ev_audit_append(audit, &row, HUGE_VAL, error);
}

/* --- The loss ------------------------------------------------------------------------------ */

static ev_status add_value(ev_audit *audit, const char *name, const char *claim, double value,
                           double reference, double size, ev_error *error)
{
    ev_audit_row row = {.claim = claim,
                        .relation = "=",
                        .method = "closed form",
                        .kind = "rounding",
                        .value = value,
                        .reference = reference,
                        .error = EV_AUDIT_DEFAULTS.resolution * size};
    snprintf(row.name, sizeof row.name, "%s", name);
    snprintf(row.note, sizeof row.note, "%.3g of its bound",
             fabs(row.value - row.reference) / row.error);
    return ev_audit_append(audit, &row, HUGE_VAL, error);
}

static ev_status values(const ev_vqvae_audit_subject *s, ev_audit *audit, ev_error *error)
{
    static const char *const claims[EV_VQ_TERMS] = {"vq-bound", "vq-codebook-term",
                                                    "vq-commitment-term"};
    ev_vqvae_reference r;
    ev_status status = ev_vqvae_reference_run(s->model, s->parameters, s->B, s->x, s->w->index,
                                              s->w->threads, &r, error);
    for (size_t i = 0; i < EV_VQ_TERMS && status == EV_OK; i++)
        status = add_value(audit, ev_vqvae_term_names[i], claims[i], s->loss->term[i],
                           r.mean.term[i], r.size.term[i], error);
    if (status == EV_OK)
        status = add_value(audit, "loss", "vq-loss-encoder", ev_vqvae_total(s->model, s->loss),
                           ev_vqvae_total(s->model, &r.mean), ev_vqvae_total(s->model, &r.size),
                           error);
    if (status == EV_OK)
        status = add_value(audit, "bound", "vq-bound-positions", ev_vqvae_bound(s->model, s->loss),
                           ev_vqvae_bound(s->model, &r.mean), r.size.term[EV_VQ_RECONSTRUCTION],
                           error);
    return status;
}

static double quantised(const ev_vqvae_audit_subject *s)
{
    const size_t J = s->model->config.J;
    const float *codes = s->parameters + s->model->codebook;
    double worst = 0;
    for (size_t i = 0; i < s->B * s->model->N * J; i++)
        worst = largest(fabs((double)s->w->z_q[i] - (double)codes[s->w->index[i / J] * J + i % J]),
                        worst);
    return worst;
}

/* --- Gradients ----------------------------------------------------------------------------- */

static void gradient_of(const ev_vqvae_audit_subject *s, ev_vqvae_term term)
{
    double weight[EV_VQ_TERMS] = {0};
    weight[term] = 1;
    ev_vqvae_backward_terms(s->model, s->parameters, s->B, s->x, weight, s->w, s->gradient);
}

/* The largest gradient of the blocks whose names begin so. */
static double size_at(const ev_vqvae_audit_subject *s, const char *prefix)
{
    double most = 0;
    for (size_t i = 0; i < s->model->layout.count; i++) {
        const ev_block *b = &s->model->layout.block[i];
        for (size_t p = 0; strncmp(b->name, prefix, strlen(prefix)) == 0 && p < ev_block_size(b);
             p++)
            most = largest(fabs((double)s->gradient[b->offset + p]), most);
    }
    return most;
}

static double straight_through(const ev_vqvae_audit_subject *s)
{
    double worst = 0;
    for (size_t i = 0; i < s->B * s->model->N * s->model->config.J; i++)
        worst = largest(fabs((double)s->w->d_z[i] - (double)s->w->d_z_q[i]), worst);
    return worst;
}

/* Leaves the codebook term's gradient behind. */
static ev_status routing(const ev_vqvae_audit_subject *s, ev_audit *audit, ev_error *error)
{
    static const char method[] = "gradient of a term";
    gradient_of(s, EV_VQ_RECONSTRUCTION);
    ev_status status = add(audit, "routing of reconstruction", "vq-reconstruction-code", method,
                           size_at(s, "codebook"), 0, error);
    if (status == EV_OK)
        status = add(audit, "straight-through", "st-gradient", method, straight_through(s), 0,
                     error);
    gradient_of(s, EV_VQ_COMMITMENT);
    if (status == EV_OK)
        status = add(audit, "routing of commitment", "vq-commitment-term", method,
                     largest(size_at(s, "decoder"), size_at(s, "codebook")), 0, error);
    gradient_of(s, EV_VQ_CODEBOOK);
    if (status == EV_OK)
        status = add(audit, "routing of codebook", "vq-codebook-term", method,
                     largest(size_at(s, "encoder"), size_at(s, "decoder")), 0, error);
    return status;
}

/* --- The codes ----------------------------------------------------------------------------- */

static double square_distance(size_t J, const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < J; j++)
        sum += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
    return sum;
}

static double nearest(const ev_vqvae_audit_subject *s)
{
    const size_t J = s->model->config.J, vectors = s->B * s->model->N;
    const float *codes = s->parameters + s->model->codebook;
    const size_t stride = vectors > LOOKED_AT ? vectors / LOOKED_AT : 1;
    double worst = 0;
    for (size_t i = 0; i < vectors; i += stride) {
        const float *z = s->w->z + i * J;
        double chosen = square_distance(J, z, codes + s->w->index[i] * J);
        for (size_t k = 0; k < s->model->config.K; k++) {
            double other = square_distance(J, z, codes + k * J);
            worst = largest((chosen - other) / (chosen + other + 1e-30), worst);
        }
    }
    return worst;
}

/* e - B/(2 n) d e against the mean, relative to the distance and the mean's size. */
static double k_means(const ev_vqvae_audit_subject *s)
{
    const size_t J = s->model->config.J;
    double worst = 0;
    for (size_t k = 0; k < s->model->config.K; k++)
        for (size_t j = 0; s->w->n[k] > 0 && j < J; j++) {
            size_t p = s->model->codebook + k * J + j;
            double e = (double)s->parameters[p], mean = s->w->s[k * J + j] / s->w->n[k];
            double landed = e - (double)s->B / (2 * s->w->n[k]) * (double)s->gradient[p];
            worst = largest(fabs(landed - mean) / (1 + fabs(e) + fabs(mean)), worst);
        }
    return worst;
}

/* What one code's coordinate becomes, from the averages before; the claims' formulas as they stand. */
static double averaged(const ev_vqvae_audit_subject *s, size_t k, size_t j, double total)
{
    const ev_codebook_rule *r = &s->model->rule;
    const size_t K = s->model->config.K, i = k * s->model->config.J + j;
    double remains = 1 - pow(r->decay, (double)(s->average->steps + 1));
    double V = r->decay * (double)s->average->counts[k] + (1 - r->decay) * s->w->n[k];
    double Y = r->decay * (double)s->average->sums[i] + (1 - r->decay) * s->w->s[i];
    double nu = V / remains;
    double smoothed = (nu + r->epsilon) / (total + (double)K * r->epsilon) * total;
    return V > 0 ? Y / remains / smoothed : (double)s->parameters[s->model->codebook + i];
}

static double average(const ev_vqvae_audit_subject *s, const float *moved)
{
    const size_t K = s->model->config.K, J = s->model->config.J;
    double total = 0, worst = 0;
    for (size_t k = 0; k < K; k++)
        total += s->model->rule.decay * (double)s->average->counts[k] +
                 (1 - s->model->rule.decay) * s->w->n[k];
    total /= 1 - pow(s->model->rule.decay, (double)(s->average->steps + 1));
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < J; j++) {
            double wanted = averaged(s, k, j, total);
            worst = largest(fabs((double)moved[k * J + j] - wanted) / (1 + fabs(wanted)), worst);
        }
    return worst;
}

/* The same after one step on copies of the averages. */
static double average_on_copies(const ev_vqvae_audit_subject *s, float *copies)
{
    const size_t K = s->model->config.K, J = s->model->config.J;
    float *codes = copies, *sums = codes + K * J, *counts = sums + K * J;
    ev_codebook_average after = {s->average->steps, counts, sums};
    memcpy(codes, s->parameters + s->model->codebook, K * J * sizeof *codes);
    memcpy(sums, s->average->sums, K * J * sizeof *sums);
    memcpy(counts, s->average->counts, K * sizeof *counts);
    ev_codebook_step(&s->model->rule, K, J, s->w->n, s->w->s, &after, codes);
    return average(s, codes);
}

/* --- The batch ----------------------------------------------------------------------------- */

static double halves(const ev_vqvae_audit_subject *s)
{
    const size_t half = s->B / 2;
    double worst = 0;
    if (half == 0)
        return 0;
    ev_vqvae_loss first = ev_vqvae_forward(s->model, s->parameters, half, s->x, s->w);
    ev_vqvae_loss second = ev_vqvae_forward(s->model, s->parameters, s->B - half,
                                            s->x + half * s->model->D, s->w);
    for (size_t i = 0; i < EV_VQ_TERMS; i++) {
        double mean = ((double)half * first.term[i] + (double)(s->B - half) * second.term[i]) /
                      (double)s->B;
        worst = largest(fabs(mean - s->loss->term[i]) / (1 + fabs(mean)), worst);
    }
    return worst;
}

static ev_status codes(const ev_vqvae_audit_subject *s, ev_audit *audit, ev_error *error)
{
    const size_t K = s->model->config.K, J = s->model->config.J;
    float *copies = ev_buffer_create(ev_size_product(K, 2 * J + 1));
    if (copies == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for an audit");
    ev_codebook_sum(K, J, s->B * s->model->N, s->w->z, s->w->index, s->w->n, s->w->s);
    ev_status status = add(audit, "nearest", "vq-one-hot", "search in double", nearest(s), 0,
                           error);
    if (status == EV_OK)
        status = add(audit, "k-means", "codebook-step", "gradient of a term", k_means(s), 1e-4,
                     error);
    if (status == EV_OK && s->model->rule.average)
        status = add(audit, "average", "ema-step", "closed form", average_on_copies(s, copies),
                     1e-5, error);
    free(copies);
    return status;
}

/* Halves and the gradient come last: their forward passes write over the workspace. */
ev_status ev_vqvae_audit_run(const ev_vqvae_audit_subject *s, ev_audit *audit, ev_error *error)
{
    *audit = (ev_audit){.alpha = 0};
    ev_status status = values(s, audit, error);
    if (status == EV_OK)
        status = add(audit, "quantised", "st-value", "look-up", quantised(s), 0, error);
    if (status == EV_OK)
        status = routing(s, audit, error);
    if (status == EV_OK)
        status = codes(s, audit, error);
    if (status == EV_OK)
        status = add(audit, "halves", "", "two batches", halves(s), 1e-5, error);
    if (status == EV_OK)
        status = ev_vqvae_audit_few(s, audit, error);
    return status;
}
