/* Quadrature, where the latent space has one or two dimensions.
 *
 * 1. E_q[log p(x|z)], E_q[sum_c gamma_c log p(z|c)] and E_q[-log q], the means over the images, in
 *    q's whitened coordinates, as one vector integrand.
 * 2. log p(x) of each image.  log p(x,z) on a grid over the prior's support and q's gives the
 *    posterior's mean and covariance; the grid closes in on them; then p(x,z)/N(z; those, a third
 *    wider) is averaged in that Gaussian's whitened coordinates (J. C. Naylor & A. F. M. Smith,
 *    Appl. Stat. 31, 1982).  What the first grid steps over stays unseen.
 * The integrands have the kinks of the decoder's ReLUs, where no rule converges quickly: what is
 * reached is charged as the error. */
#include "train/audit_work.h"

#include "numerics/linear_algebra.h"
#include "numerics/quadrature.h"
#include "probability/gaussian_full.h"
#include "probability/log_space.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { DIM = 2, LINE = 1024, SQUARE = 40, ROUNDS = 5 };

typedef struct {
    ev_audit_work *work;
    ev_audit_decoder decoder;
    double *log_px;              /* (images EV_BLOCK) */
    size_t image;                /* of the second kind */
    double m[DIM], S[DIM * DIM]; /* the whitening Gaussian */
    double shift;
} integration;

static const float *image_of(const ev_audit_work *work, size_t i)
{
    return work->subject->x + i * work->subject->model->config.D;
}

/* --- 1. Under q ---------------------------------------------------------------------------- */

static void place(const integration *g, size_t n, const double *const *e)
{
    const ev_audit_reference *r = &g->work->reference;
    const size_t J = r->prior.J, columns = g->work->images * n, stride = ev_audit_stride(columns);
    for (size_t i = 0; i < g->work->images; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < J; j++) {
                double z = r->mu[i * J + j];
                for (size_t l = 0; l <= j; l++)
                    z += r->L[(i * J + j) * J + l] * e[l][k];
                g->decoder.z[j * stride + i * n + k] = z;
            }
}

/* Two integrands of image i in a column, added to t[1] and t[2]. */
static void add_terms(const integration *g, size_t stride, size_t i, size_t column, double t[3])
{
    const ev_audit_reference *r = &g->work->reference;
    const size_t J = r->prior.J, K = r->prior.K;
    double z[DIM], eps[DIM];
    for (size_t j = 0; j < J; j++)
        z[j] = g->decoder.z[j * stride + column];
    for (size_t c = 0; c < K; c++)
        t[1] += exp(r->log_gamma[i * K + c]) *
                (ev_mixture_log_joint(&r->prior, c, z) - r->log_pi[c]);
    t[2] -= ev_gaussian_full_log_density(J, z, r->mu + i * J, r->L + i * J * J, eps);
}

static int under_q(void *context, size_t worker, size_t n, const double *const *e,
                   double *const *out)
{
    integration *g = context;
    const size_t images = g->work->images, stride = ev_audit_stride(images * n);
    (void)worker;
    place(g, n, e);
    const double *decoded = ev_audit_decode(&g->decoder, g->work, images * n);
    for (size_t i = 0; i < images; i++)
        ev_audit_log_likelihoods(&g->work->reference, image_of(g->work, i), decoded, stride, i * n,
                                 n, g->log_px + i * n);
    for (size_t k = 0; k < n; k++) {
        double t[3] = {0};
        for (size_t i = 0; i < images; i++) {
            t[0] += g->log_px[i * n + k];
            add_terms(g, stride, i, i * n + k, t);
        }
        for (size_t f = 0; f < 3; f++)
            out[f][k] = t[f] / (double)images;
    }
    return 0;
}

static ev_quadrature_request request_for(size_t J)
{
    return (ev_quadrature_request){1e-6, J == 1 ? 4000 : 20000};
}

static void add_row(ev_audit_work *work, ev_elbo_term term, const ev_integral *found,
                    const ev_quadrature_report *report)
{
    const char *const claims[] = {"gmvae-reconstruction", "gmvae-line-3", "gmvae-zero-weights",
                                  "gmvae-entropy-sign"};
    ev_audit_row row = {.claim = claims[term],
                        .relation = "=",
                        .method = "quadrature",
                        .kind = "quadrature",
                        .reference = found->value};
    snprintf(row.name, sizeof row.name, "%s, integrated", ev_elbo_term_names[term]);
    double size = 0.0; /* what rounding errors of the float's are relative to */
    for (size_t i = 0; i < work->images; i++) {
        row.value += (double)work->subject->w->terms[i * EV_ELBO_TERMS + term] /
                     (double)work->images;
        size += work->reference.sizes[i * EV_ELBO_TERMS + term] / (double)work->images;
    }
    row.error = report->fit
                    ? found->error + work->options->resolution * fmax(found->magnitude, size)
                    : HUGE_VAL;
    snprintf(row.note, sizeof row.note, "%s%s%.60s", report->rules, report->fit ? "" : ": ",
             report->fit ? "" : report->reason);
    ev_audit_add(work, row, 1e-3 * (1.0 + found->magnitude));
}

static void integrate_under_q(integration *g, ev_audit_bounds *bounds)
{
    const size_t J = g->work->reference.prior.J;
    const ev_quadrature_request request = request_for(J);
    ev_integral found[3];
    ev_quadrature_report report;
    if (ev_normal_expect(J, under_q, g, 3, &request, found, &report) != EV_OK) {
        g->work->short_of_memory = true;
        return;
    }
    add_row(g->work, EV_LATENT, &found[1], &report);
    add_row(g->work, EV_ENTROPY, &found[2], &report);
    if (report.fit && isfinite(found[0].error)) {
        bounds->reconstruction = found[0].value;
        bounds->quadrature = found[0].error;
    }
}

/* --- 2. log p(x) --------------------------------------------------------------------------- */

/* log p(x,z) at the points in the decoder's z. */
static void log_joints(integration *g, size_t n, double *out)
{
    const ev_audit_reference *r = &g->work->reference;
    const size_t J = r->prior.J, stride = ev_audit_stride(n);
    const double *decoded = ev_audit_decode(&g->decoder, g->work, n);
    ev_audit_log_likelihoods(r, image_of(g->work, g->image), decoded, stride, 0, n, out);
    for (size_t k = 0; k < n; k++) {
        double z[DIM] = {0};
        for (size_t j = 0; j < J; j++)
            z[j] = g->decoder.z[j * stride + k];
        out[k] += ev_mixture_log_density(&r->prior, z);
    }
}

/* Sums of a weight w = e^(log w - top) and of w z, w z z^T. */
typedef struct {
    double top, w, z[DIM], zz[DIM * DIM];
} weighted;

static void add_point(weighted *s, double log_w, size_t J, const double *z)
{
    if (log_w > s->top) {
        const double fade = exp(s->top - log_w);
        s->w *= fade;
        for (size_t j = 0; j < J; j++)
            s->z[j] *= fade;
        for (size_t j = 0; j < J * J; j++)
            s->zz[j] *= fade;
        s->top = log_w;
    }
    const double w = exp(log_w - s->top);
    s->w += w;
    for (size_t j = 0; j < J; j++) {
        s->z[j] += w * z[j];
        for (size_t i = 0; i < J; i++)
            s->zz[j * J + i] += w * z[j] * z[i];
    }
}

/* The grid over centre +- half, cell by cell; its sums with coordinates from the centre. */
static weighted scan(integration *g, const double *centre, const double *half)
{
    const size_t J = g->work->reference.prior.J, side = J == 1 ? LINE : SQUARE;
    const size_t total = J == 1 ? side : side * side;
    weighted sums = {.top = -HUGE_VAL};
    for (size_t done = 0; done < total;) {
        double z[EV_BLOCK][DIM], value[EV_BLOCK];
        const size_t n = total - done < EV_BLOCK ? total - done : EV_BLOCK;
        const size_t stride = ev_audit_stride(n);
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < J; j++) {
                const size_t at = j == 0 ? (done + k) % side : (done + k) / side;
                z[k][j] = half[j] * (2.0 * ((double)at + 0.5) / (double)side - 1.0);
                g->decoder.z[j * stride + k] = centre[j] + z[k][j];
            }
        log_joints(g, n, value);
        for (size_t k = 0; k < n; k++)
            add_point(&sums, value[k], J, z[k]);
        done += n;
    }
    return sums;
}

/* All of the prior's clusters and q, to six deviations. */
static void whole_support(const integration *g, double *centre, double *half)
{
    const ev_audit_reference *r = &g->work->reference;
    const size_t J = r->prior.J;
    for (size_t j = 0; j < J; j++) {
        const double at = r->mu[g->image * J + j], sd = sqrt(r->var[g->image * J + j]);
        double low = at - 6.0 * sd, high = at + 6.0 * sd;
        for (size_t c = 0; c < r->prior.K; c++) {
            low = fmin(low, r->prior_mu[c * J + j] - 6.0 * r->prior_sigma[c * J + j]);
            high = fmax(high, r->prior_mu[c * J + j] + 6.0 * r->prior_sigma[c * J + j]);
        }
        centre[j] = 0.5 * (low + high);
        half[j] = 0.5 * (high - low);
    }
}

/* m and S of the whitening Gaussian, and log p(x) as the last grid has it. */
static bool whiten(integration *g)
{
    const size_t J = g->work->reference.prior.J, side = J == 1 ? LINE : SQUARE;
    double half[DIM], covariance[DIM * DIM];
    whole_support(g, g->m, half);
    for (int round = 0; round < ROUNDS; round++) {
        const weighted s = scan(g, g->m, half);
        double cell = 1.0, room[DIM];
        for (size_t j = 0; j < J; j++)
            cell *= room[j] = 2.0 * half[j] / (double)side;
        if (!isfinite(s.top) || !(s.w > 0.0))
            return false;
        g->shift = s.top + log(s.w * cell);
        for (size_t j = 0; j < J; j++)
            for (size_t i = 0; i < J; i++)
                covariance[j * J + i] = s.zz[j * J + i] / s.w - s.z[j] / s.w * (s.z[i] / s.w) +
                                        (i == j ? room[j] * room[j] / 12.0 : 0.0);
        for (size_t j = 0; j < J; j++) {
            g->m[j] += s.z[j] / s.w;
            half[j] = fmin(half[j], 8.0 * sqrt(covariance[j * J + j]));
        }
    }
    for (size_t j = 0; j < J * J; j++)
        covariance[j] *= 1.3;
    return ev_cholesky(J, covariance, g->S) == EV_OK;
}

static int joint_over_normal(void *context, size_t worker, size_t n, const double *const *e,
                             double *const *out)
{
    integration *g = context;
    const size_t J = g->work->reference.prior.J, stride = ev_audit_stride(n);
    (void)worker;
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < J; j++) {
            double z = g->m[j];
            for (size_t i = 0; i <= j; i++)
                z += g->S[j * J + i] * e[i][k];
            g->decoder.z[j * stride + k] = z;
        }
    log_joints(g, n, out[0]);
    for (size_t k = 0; k < n; k++) {
        double log_normal = 0.0;
        for (size_t j = 0; j < J; j++)
            log_normal -= 0.5 * (EV_LOG_2PI + e[j][k] * e[j][k]) + log(g->S[j * J + j]);
        out[0][k] = exp(out[0][k] - log_normal - g->shift);
    }
    return 0;
}

static void find_log_px(integration *g, ev_audit_bounds *bounds)
{
    ev_audit_work *work = g->work;
    const size_t J = work->reference.prior.J;
    const ev_quadrature_request request = request_for(J);
    double sum = 0.0, error = 0.0;
    for (g->image = 0; g->image < work->images; g->image++) {
        ev_integral found;
        ev_quadrature_report report;
        if (!whiten(g) ||
            ev_normal_expect(J, joint_over_normal, g, 1, &request, &found, &report) != EV_OK ||
            !report.fit || !(found.value > 2.0 * found.error))
            return;
        sum += g->shift + log(found.value);
        error += -log1p(-found.error / found.value);
    }
    bounds->log_px = sum / (double)work->images;
    bounds->log_px_quadrature = error / (double)work->images;
}

void ev_audit_exact(ev_audit_work *work, ev_audit_bounds *bounds)
{
    integration g = {.work = work};
    if (work->reference.prior.J > DIM)
        return;
    const size_t columns = work->images * EV_BLOCK;
    bool ready = ev_audit_decoder_create(&g.decoder, work->subject->model, columns);
    if (ready)
        g.log_px = ev_arena_array(g.decoder.arena, columns, sizeof *g.log_px);
    if (ready && g.log_px != NULL) {
        integrate_under_q(&g, bounds);
        find_log_px(&g, bounds);
    } else {
        work->short_of_memory = true;
    }
    ev_audit_decoder_destroy(&g.decoder);
}
