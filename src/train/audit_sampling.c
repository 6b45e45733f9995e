/* Sampling, with intervals that share the audit's false-alarm probability.
 *
 * 1. The noise: with n = B M J numbers, if standard normal,
 *      P(|mean| > z/sqrt n) <= 2 e^(-z^2/2), and for the sum of squares s
 *      P(s/n - 1 > 2 sqrt(t/n) + 2 t/n), P(1 - s/n > 2 sqrt(t/n)) <= e^-t
 *    (B. Laurent & P. Massart, Ann. Stat. 28, 2000, lemma 1).  Draws with a wrong scale look right
 *    to every comparison that takes the noise as given.
 * 2. The reconstruction: each image's log p(x|z) has a rank among those of fresh draws, uniform if
 *    they have one distribution; the mean of B such ranks is within sqrt(log(2/alpha)/(2 B)) of 1/2
 *    (W. Hoeffding, JASA 58, 1963), whatever that distribution is.
 * 3. The terms of some images that are averages over z, and log p(x) by importance sampling.  The sum
 *    over clusters is taken exactly: a cluster too rare to be drawn would leave an interval too short.  All images share each draw of noise: the mean over them is one function.
 */
#include "train/audit_work.h"

#include "numerics/monte_carlo.h"
#include "probability/gaussian_full.h"
#include "probability/log_space.h"

#include <math.h>
#include <string.h>

size_t ev_audit_intervals(const ev_audit_work *work)
{
    enum { NOISE = 2, TERMS = 3 };
    return (size_t)NOISE + (work->options->ranks > 0 ? 1 : 0) +
           (work->images > 0 ? (size_t)TERMS + work->images : 0);
}

/* --- 1. Noise ------------------------------------------------------------------------------ */

void ev_audit_noise(ev_audit_work *work)
{
    const ev_gmvae *m = work->subject->model;
    const size_t count = work->subject->B * m->M * m->config.J;
    const double n = (double)count, t = log(2.0 / work->audit->share);
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double eps = (double)work->subject->noise[i];
        sum += eps;
        squares += eps * eps;
    }
    ev_audit_row row = {.name = "noise, mean",
                        .claim = "gmvae-reparameterised",
                        .relation = "=",
                        .method = "sampling",
                        .kind = "sampling",
                        .value = sum / n,
                        .error = sqrt(2.0 * t / n)};
    snprintf(row.note, sizeof row.note, "%zu numbers", count);
    ev_audit_add(work, row, HUGE_VAL);
    strcpy(row.name, "noise, variance");
    row.value = squares / n;
    row.reference = 1.0;
    row.error = 2.0 * sqrt(t / n) + (row.value > 1.0 ? 2.0 * t / n : 0.0);
    ev_audit_add(work, row, HUGE_VAL);
}

/* --- 2. Ranks ------------------------------------------------------------------------------ */

/* Fresh draws of every image in the columns b L + l. */
static void draw_all(const ev_audit_work *work, const ev_stream *stream, uint64_t round, double *z)
{
    const ev_audit_reference *r = &work->reference;
    const size_t J = r->prior.J, L = work->subject->model->config.samples;
    const size_t n = work->subject->B * L;
    for (size_t k = 0; k < n; k++) {
        double eps[EV_GMVAE_LATENT];
        const size_t b = k / L;
        ev_stream_normals(stream, (round * n + k) * J, J, eps);
        for (size_t j = 0; j < J; j++) {
            z[j * r->decoded + k] = r->mu[b * J + j];
            for (size_t i = 0; i <= j; i++)
                z[j * r->decoded + k] += r->L[(b * J + j) * J + i] * eps[i];
        }
    }
}

/* Over all rounds: how many of the batch's reconstructions lay above the fresh ones (equal ones count
 * half), and the rounds' means over the batch, with their sum of squares about the mean (Welford). */
typedef struct {
    double count, above, mean, squares;
} rounds;

static void add_round(const ev_audit_work *work, const double *out, rounds *all)
{
    const ev_audit_reference *r = &work->reference;
    const size_t L = work->subject->model->config.samples, D = work->subject->model->config.D;
    double mean = 0.0;
    for (size_t b = 0; b < work->subject->B; b++) {
        const double ours = (double)work->subject->w->terms[b * EV_ELBO_TERMS + EV_RECONSTRUCTION];
        double fresh = 0.0, bound = 0.0;
        for (size_t l = 0; l < L; l++) {
            double size;
            fresh += ev_audit_log_likelihood(r, work->subject->x + b * D, out, r->decoded,
                                             b * L + l, &size) /
                     (double)L;
            bound += r->resolution * size / (double)L;
        }
        all->above += fabs(ours - fresh) <= bound ? 0.5 : ours > fresh ? 1.0 : 0.0;
        mean += fresh / (double)work->subject->B;
    }
    const double step = mean - all->mean;
    all->count += 1.0;
    all->mean += step / all->count;
    all->squares += step * (mean - all->mean);
}

static void add_rank_row(ev_audit_work *work, const rounds *all)
{
    const double B = (double)work->subject->B;
    ev_audit_row row = {.name = "reconstruction, rank among fresh draws",
                        .claim = "gmvae-formula",
                        .relation = "=",
                        .method = "sampling",
                        .kind = "sampling",
                        .value = all->above / (B * all->count),
                        .reference = 0.5,
                        .error = sqrt(log(2.0 / work->audit->share) / (2.0 * B)),
                        .fresh_mean = all->mean};
    if (all->count > 1.0)
        row.fresh_deviation = sqrt(all->squares / (all->count - 1.0));
    snprintf(row.note, sizeof row.note, "%zu images, %zu draws beside each", work->subject->B,
             work->options->ranks);
    ev_audit_add(work, row, 0.5);
}

void ev_audit_ranks(ev_audit_work *work)
{
    const ev_audit_subject *s = work->subject;
    const size_t n = s->B * s->model->config.samples;
    const ev_stream stream = ev_audit_stream(work, "ranks");
    ev_audit_decoder decoder;
    rounds all = {0};
    if (work->options->ranks == 0)
        return;
    if (ev_audit_decoder_create(&decoder, s->model, n)) {
        for (size_t k = 0; k < work->options->ranks; k++) {
            draw_all(work, &stream, k, decoder.z);
            add_round(work, ev_audit_decode(&decoder, work, n), &all);
        }
        add_rank_row(work, &all);
    } else {
        work->short_of_memory = true;
    }
    ev_audit_decoder_destroy(&decoder);
}

/* --- 3. Terms and log p(x) ----------------------------------------------------------------- */

enum { LOG_X, LOG_Z, LOG_Q, FUNCTIONS };

typedef struct {
    ev_audit_work *work;
    ev_audit_decoder decoder;
    double *z, *eps; /* (EV_BLOCK images,J), scratch */
    double *log_px;  /* (EV_BLOCK images) */
} sampler;

static void place(const sampler *s, size_t n, const double *const *e)
{
    const ev_audit_reference *r = &s->work->reference;
    const size_t J = r->prior.J, stride = ev_audit_stride(s->work->images * n);
    for (size_t i = 0; i < s->work->images; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < J; j++) {
                double z = r->mu[i * J + j];
                for (size_t l = 0; l <= j; l++)
                    z += r->L[(i * J + j) * J + l] * e[l][k];
                s->decoder.z[j * stride + i * n + k] = z;
                s->z[(i * n + k) * J + j] = z;
            }
}

/* Image i at point k: the logarithms added to t, and its importance weight over e^ELBO. */
static double add_logarithms(const sampler *s, size_t n, size_t i, size_t k, double t[FUNCTIONS])
{
    const ev_audit_work *work = s->work;
    const ev_audit_reference *r = &work->reference;
    const size_t J = r->prior.J, K = r->prior.K, column = i * n + k;
    const double *z = s->z + column * J, *log_gamma = r->log_gamma + i * K;
    double shift = 0.0;
    const double log_x = s->log_px[column];
    const double log_q = ev_gaussian_full_log_density(J, z, r->mu + i * J, r->L + i * J * J,
                                                      s->eps + column * J);
    for (size_t term = 0; term < EV_ELBO_TERMS; term++)
        shift += r->terms[i * EV_ELBO_TERMS + term];
    t[LOG_X] += log_x;
    for (size_t c = 0; c < K; c++)
        t[LOG_Z] += exp(log_gamma[c]) * (ev_mixture_log_joint(&r->prior, c, z) - r->log_pi[c]);
    t[LOG_Q] -= log_q;
    return exp(log_x + ev_mixture_log_density(&r->prior, z) - log_q - shift);
}

static int logarithms(void *context, size_t worker, size_t n, const double *const *e,
                      double *const *out)
{
    const sampler *s = context;
    const size_t images = s->work->images;
    const size_t D = s->work->subject->model->config.D;
    sampler *own = context;
    (void)worker;
    place(s, n, e);
    const double *decoded = ev_audit_decode(&own->decoder, s->work, images * n);
    for (size_t i = 0; i < images; i++)
        ev_audit_log_likelihoods(&s->work->reference, s->work->subject->x + i * D, decoded,
                                 ev_audit_stride(images * n), i * n, n, own->log_px + i * n);
    for (size_t k = 0; k < n; k++) {
        double t[FUNCTIONS] = {0};
        for (size_t i = 0; i < images; i++)
            out[FUNCTIONS + i][k] = add_logarithms(s, n, i, k, t);
        for (size_t f = 0; f < FUNCTIONS; f++)
            out[f][k] = t[f] / (double)images;
    }
    return 0;
}

static void add_row(ev_audit_work *work, ev_elbo_term term, const char *claim,
                    const ev_sample_summary *found)
{
    ev_audit_row row = {.claim = claim,
                        .relation = "=",
                        .method = "sampling",
                        .kind = "sampling",
                        .reference = found->mean};
    snprintf(row.name, sizeof row.name, "%s, sampled", ev_elbo_term_names[term]);
    for (size_t i = 0; i < work->images; i++)
        row.value += (double)work->subject->w->terms[i * EV_ELBO_TERMS + term] /
                     (double)work->images;
    row.error = ev_sample_half_width(found, work->audit->share) +
                work->options->resolution * found->magnitude;
    snprintf(row.note, sizeof row.note, "%llu draws, k-hat %.2f",
             (unsigned long long)found->samples, found->khat);
    ev_audit_add(work, row, 0.1 * (1.0 + found->magnitude));
}

/* E_q[log p(x|z)] twice: by draws and by quadrature. */
static void compare_reconstructions(ev_audit_work *work, const ev_audit_bounds *b)
{
    ev_audit_row row = {.name = "reconstruction, sampled beside quadrature",
                        .claim = "gmvae-reparameterised",
                        .relation = "=",
                        .method = "sampling beside quadrature",
                        .kind = "sampling",
                        .value = b->sampled,
                        .reference = b->reconstruction,
                        .error = b->half_width + b->quadrature};
    if (!isnan(b->reconstruction))
        ev_audit_add(work, row, 0.1 * (1.0 + fabs(b->reconstruction)));
}

static void weigh(const ev_audit_work *work, const ev_sample_summary *weights, ev_audit_bounds *b)
{
    const ev_audit_reference *r = &work->reference;
    b->sampled_log_px = b->log_px_width = 0.0;
    b->khat = -HUGE_VAL;
    for (size_t i = 0; i < work->images; i++) {
        const double half = ev_sample_half_width(&weights[i], work->audit->share);
        double shift = 0.0;
        for (size_t t = 0; t < EV_ELBO_TERMS; t++)
            shift += r->terms[i * EV_ELBO_TERMS + t];
        b->sampled_log_px += (shift + log(weights[i].mean)) / (double)work->images;
        b->log_px_width += (half < weights[i].mean ? -log1p(-half / weights[i].mean) : HUGE_VAL) /
                           (double)work->images;
        b->khat = fmax(b->khat, weights[i].khat);
    }
}

static void sample(sampler *s, ev_sample_summary *found, ev_audit_bounds *b)
{
    ev_audit_work *work = s->work;
    const size_t J = work->reference.prior.J;
    const ev_stream stream = ev_audit_stream(work, "terms");
    if (ev_monte_carlo_expect(J, logarithms, s, FUNCTIONS + work->images, &stream,
                              work->options->samples, 1, found) != EV_OK) {
        work->short_of_memory = true;
        return;
    }
    add_row(work, EV_LATENT, "gaussian-expectation-sampled", &found[LOG_Z]);
    add_row(work, EV_ENTROPY, "gmvae-entropy-sign", &found[LOG_Q]);
    b->sampled = found[LOG_X].mean;
    b->half_width = ev_sample_half_width(&found[LOG_X], work->audit->share);
    compare_reconstructions(work, b);
    weigh(work, found + FUNCTIONS, b);
}

void ev_audit_samples(ev_audit_work *work, ev_audit_bounds *bounds)
{
    sampler s = {.work = work};
    const size_t columns = work->images * EV_BLOCK, J = work->reference.prior.J;
    if (work->options->samples == 0)
        return;
    bool ready = ev_audit_decoder_create(&s.decoder, work->subject->model, columns);
    ev_sample_summary *found = NULL;
    if (ready) {
        s.z = ev_arena_array(s.decoder.arena, columns * J, sizeof *s.z);
        s.eps = ev_arena_array(s.decoder.arena, columns * J, sizeof *s.eps);
        s.log_px = ev_arena_array(s.decoder.arena, columns, sizeof *s.log_px);
        found = ev_arena_array(s.decoder.arena, FUNCTIONS + work->images, sizeof *found);
        ready = !ev_arena_failed(s.decoder.arena);
    }
    if (ready)
        sample(&s, found, bounds);
    else
        work->short_of_memory = true;
    ev_audit_decoder_destroy(&s.decoder);
}
