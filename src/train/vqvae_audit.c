#include "train/vqvae_audit.h"

#include "nn/buffer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 256 /* vectors whose nearest code is sought again */ };

static double largest(double a, double b) { return a >= b || isnan(a) ? a : b; }

static void gradient_of(ev_vqvae_trainer *t, ev_vqvae_term term)
{
    double weight[EV_VQ_TERMS] = {0};
    weight[term] = 1;
    ev_vqvae_backward_terms(&t->model, t->autoencoder.parameters, t->config.batch, t->x, weight,
                            &t->w, t->autoencoder.gradient);
}

/* The largest gradient of the blocks whose names begin so. */
static double size_at(const ev_vqvae_trainer *t, const char *prefix)
{
    double most = 0;
    for (size_t i = 0; i < t->model.layout.count; i++) {
        const ev_block *b = &t->model.layout.block[i];
        for (size_t p = 0; strncmp(b->name, prefix, strlen(prefix)) == 0 && p < ev_block_size(b);
             p++)
            most = largest(fabs((double)t->autoencoder.gradient[b->offset + p]), most);
    }
    return most;
}

/* Leaves the codebook term's gradient behind. */
static double routing(ev_vqvae_trainer *t, double *straight_through)
{
    const size_t n = t->config.batch * t->model.N * t->config.model.J;
    double worst = 0;
    gradient_of(t, EV_VQ_RECONSTRUCTION);
    worst = largest(size_at(t, "codebook"), worst);
    *straight_through = 0;
    for (size_t i = 0; i < n; i++)
        *straight_through = largest(fabs((double)t->w.d_z[i] - (double)t->w.d_z_q[i]),
                                    *straight_through);
    gradient_of(t, EV_VQ_COMMITMENT);
    worst = largest(size_at(t, "decoder"), largest(size_at(t, "codebook"), worst));
    gradient_of(t, EV_VQ_CODEBOOK);
    return largest(size_at(t, "encoder"), largest(size_at(t, "decoder"), worst));
}

static double square_distance(size_t J, const float *a, const float *b)
{
    double sum = 0;
    for (size_t j = 0; j < J; j++)
        sum += ((double)a[j] - (double)b[j]) * ((double)a[j] - (double)b[j]);
    return sum;
}

static double nearest(const ev_vqvae_trainer *t)
{
    const size_t J = t->config.model.J, vectors = t->config.batch * t->model.N;
    const float *codes = t->autoencoder.parameters + t->model.codebook;
    const size_t stride = vectors > LOOKED_AT ? vectors / LOOKED_AT : 1;
    double worst = 0;
    for (size_t i = 0; i < vectors; i += stride) {
        const float *z = t->w.z + i * J;
        double chosen = square_distance(J, z, codes + t->w.index[i] * J);
        for (size_t k = 0; k < t->config.model.K; k++) {
            double other = square_distance(J, z, codes + k * J);
            worst = largest((chosen - other) / (chosen + other + 1e-30), worst);
        }
    }
    return worst;
}

/* e - B/(2 n) d e against the mean, relative to the distance and the mean's size. */
static double k_means(const ev_vqvae_trainer *t)
{
    const size_t J = t->config.model.J;
    double worst = 0;
    for (size_t k = 0; k < t->config.model.K; k++)
        for (size_t j = 0; t->w.n[k] > 0 && j < J; j++) {
            size_t p = t->model.codebook + k * J + j;
            double e = (double)t->autoencoder.parameters[p], mean = t->w.s[k * J + j] / t->w.n[k];
            double landed = e - (double)t->config.batch / (2 * t->w.n[k]) *
                                    (double)t->autoencoder.gradient[p];
            worst = largest(fabs(landed - mean) / (1 + fabs(e) + fabs(mean)), worst);
        }
    return worst;
}

/* What one code's coordinate becomes, from the averages before; the claims' formulas as they stand. */
static double averaged(const ev_vqvae_trainer *t, size_t k, size_t j, double total)
{
    const ev_codebook_rule *r = &t->model.rule;
    const size_t K = t->config.model.K, i = k * t->config.model.J + j;
    double remains = 1 - pow(r->decay, (double)(t->average.steps + 1));
    double V = r->decay * (double)t->average.counts[k] + (1 - r->decay) * t->w.n[k];
    double Y = r->decay * (double)t->average.sums[i] + (1 - r->decay) * t->w.s[i];
    double nu = V / remains;
    double smoothed = (nu + r->epsilon) / (total + (double)K * r->epsilon) * total;
    return V > 0 ? Y / remains / smoothed
                 : (double)t->autoencoder.parameters[t->model.codebook + i];
}

static double average(const ev_vqvae_trainer *t, const float *moved)
{
    const size_t K = t->config.model.K, J = t->config.model.J;
    double total = 0, worst = 0;
    for (size_t k = 0; k < K; k++)
        total += t->model.rule.decay * (double)t->average.counts[k] +
                 (1 - t->model.rule.decay) * t->w.n[k];
    total /= 1 - pow(t->model.rule.decay, (double)(t->average.steps + 1));
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < J; j++) {
            double wanted = averaged(t, k, j, total);
            worst = largest(fabs((double)moved[k * J + j] - wanted) / (1 + fabs(wanted)), worst);
        }
    return worst;
}

/* The codes after one step on copies of the averages; 0 where codes move by gradient. */
static double average_on_copies(const ev_vqvae_trainer *t, float *copies)
{
    const size_t K = t->config.model.K, J = t->config.model.J;
    float *codes = copies, *sums = codes + K * J, *counts = sums + K * J;
    ev_codebook_average after = {t->average.steps, counts, sums};
    memcpy(codes, t->autoencoder.parameters + t->model.codebook, K * J * sizeof *codes);
    memcpy(sums, t->average.sums, K * J * sizeof *sums);
    memcpy(counts, t->average.counts, K * sizeof *counts);
    if (!t->model.rule.average)
        return 0;
    ev_codebook_step(&t->model.rule, K, J, t->w.n, t->w.s, &after, codes);
    return average(t, codes);
}

static double halves(ev_vqvae_trainer *t, const ev_vqvae_loss *whole)
{
    const size_t B = t->config.batch, half = B / 2;
    const float *parameters = t->autoencoder.parameters;
    double worst = 0;
    if (half == 0)
        return 0;
    ev_vqvae_loss first = ev_vqvae_forward(&t->model, parameters, half, t->x, &t->w);
    ev_vqvae_loss second = ev_vqvae_forward(&t->model, parameters, B - half,
                                            t->x + half * t->model.D, &t->w);
    for (size_t i = 0; i < EV_VQ_TERMS; i++) {
        double mean = ((double)half * first.term[i] + (double)(B - half) * second.term[i]) /
                      (double)B;
        worst = largest(fabs(mean - whole->term[i]) / (1 + fabs(mean)), worst);
    }
    return worst;
}

ev_status ev_vqvae_audit(ev_vqvae_trainer *t, ev_vqvae_finding findings[EV_VQVAE_FINDINGS],
                         ev_error *error)
{
    const size_t B = t->config.batch, K = t->config.model.K, J = t->config.model.J;
    float *copies = ev_buffer_create(ev_size_product(K, 2 * J + 1));
    if (copies == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for an audit");
    t->images->shuffled(t->images->context, ev_vqvae_trainer_epoch(t),
                        ev_vqvae_trainer_epoch_step(t) * B, B, t->x);
    ev_vqvae_loss loss = ev_vqvae_forward(&t->model, t->autoencoder.parameters, B, t->x, &t->w);
    ev_codebook_sum(K, J, B * t->model.N, t->w.z, t->w.index, t->w.n, t->w.s);
    double through, misrouted = routing(t, &through);
    const ev_vqvae_finding all[EV_VQVAE_FINDINGS] = {
        {"routing", misrouted, 0},
        {"straight-through", through, 0},
        {"nearest", nearest(t), 0},
        {"k-means", k_means(t), 1e-4},
        {"average", average_on_copies(t, copies), 1e-5},
        {"batch", halves(t, &loss), 1e-5}};
    memcpy(findings, all, sizeof all);
    free(copies);
    return EV_OK;
}

const ev_vqvae_finding *ev_vqvae_audit_failure(const ev_vqvae_finding *findings)
{
    for (size_t i = 0; i < EV_VQVAE_FINDINGS; i++)
        if (!(findings[i].worst <= findings[i].bound))
            return &findings[i];
    return NULL;
}
