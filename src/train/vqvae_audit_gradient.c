/* The gradient of a VQ-VAE against the reference's derivatives along directions (vqvae_tangent.h,
 * audit_directions.h): the whole along each, and each term's along the one where it is furthest off. */
#include "train/vqvae_audit_gradient.h"

#include "nn/buffer.h"
#include "train/audit_directions.h"
#include "train/vqvae_tangent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 4 };

#define BIT(part) (1U << (part))
#define RECONSTRUCTION (BIT(EV_VQ_PART_DECODER) | BIT(EV_VQ_PART_THROUGH))

/* The single ones first. */
static const ev_audit_suspect suspects[] = {
    {BIT(EV_VQ_PART_THROUGH), "reconstruction (straight through)"},
    {BIT(EV_VQ_PART_CODEBOOK), "codebook"},
    {BIT(EV_VQ_PART_COMMITMENT), "commitment"},
    {BIT(EV_VQ_PART_DECODER), "reconstruction (through the decoder)"},
    {RECONSTRUCTION, "reconstruction"},
    {BIT(EV_VQ_PART_THROUGH) | BIT(EV_VQ_PART_COMMITMENT), "the terms at the encoder's output"},
    {RECONSTRUCTION | BIT(EV_VQ_PART_COMMITMENT), "the terms but codebook"},
    {BIT(EV_VQ_PARTS) - 1, "the whole loss"}};

static const ev_audit_of_block claims[] = {{"encoder.", "vq-loss-encoder"},
                                           {"decoder.", "vq-decoder"},
                                           {"codebook", "vq-loss-code"},
                                           {"", "vq-loss-encoder"}};
static const char *const term_claims[EV_VQ_TERMS] = {"st-decoder-gradient", "vq-codebook-term",
                                                     "vq-commitment-term"};

/* --- Along one direction ------------------------------------------------------------------- */

typedef struct {
    const ev_vqvae_audit_subject *subject;
    const ev_vqvae_gradients *gradients;
    ev_vqvae_tangents tangents;
    ev_audit_row worst[EV_VQ_TERMS]; /* of each term's */
    double off[EV_VQ_TERMS];         /* in units of the bound; below 0 before the first */
} comparison;

static bool minimised(const ev_vqvae *model, ev_vqvae_term term)
{
    return term != EV_VQ_CODEBOOK || model->config.codebook == EV_CODEBOOK_GRADIENT;
}

static void compare_term(comparison *c, ev_vqvae_term term, size_t k, const float *direction,
                         double reference, double size)
{
    const ev_layout *layout = &c->subject->model->layout;
    ev_audit_row row = {.claim = term_claims[term],
                        .relation = "=",
                        .method = "directional derivative",
                        .kind = "rounding",
                        .reference = reference};
    char along[sizeof row.name];
    double scale;
    row.value = ev_audit_along(layout->size, c->gradients->term[term], direction, &scale);
    row.error = EV_AUDIT_DEFAULTS.resolution * (scale + size);
    const double distance = fabs(row.value - row.reference);
    const double off = distance == 0 ? 0 : distance / row.error;
    if (isnan(c->off[term]) || off <= c->off[term])
        return; /* nothing is worse than a NaN */
    ev_audit_name_direction(layout, k, sizeof along, along);
    snprintf(row.name, sizeof row.name, "gradient of %s", ev_vqvae_term_names[term]);
    snprintf(row.note, sizeof row.note, "%.3g of its bound: %s", off, along);
    c->worst[term] = row;
    c->off[term] = off;
}

static ev_audit_slope slope(void *context, size_t k, const float *direction, bool split)
{
    comparison *c = context;
    const ev_vqvae_slope found = ev_vqvae_tangents_slope(&c->tangents, direction, split);
    const double term[EV_VQ_TERMS] = {
        found.part[EV_VQ_PART_DECODER] + found.part[EV_VQ_PART_THROUGH],
        found.part[EV_VQ_PART_CODEBOOK], found.part[EV_VQ_PART_COMMITMENT]};
    ev_audit_slope slope = {{0}, 0, 0};
    for (ev_vqvae_term i = 0; i < EV_VQ_TERMS; i++) {
        slope.sum += minimised(c->subject->model, i) ? term[i] : 0;
        slope.size += minimised(c->subject->model, i) ? found.size[i] : 0;
        if (!split)
            compare_term(c, i, k, direction, term[i], found.size[i]);
    }
    memcpy(slope.part, found.part, sizeof found.part);
    return slope;
}

/* --- The rows ------------------------------------------------------------------------------ */

/* ReLUs and limits that rounding can't explain: another network than the reference's. */
static ev_status report_sides(const ev_vqvae_tangents *t, ev_audit *audit, ev_error *error)
{
    ev_audit_row row = {.name = "activations",
                        .claim = "",
                        .relation = "<=",
                        .method = "closed form",
                        .kind = "rounding",
                        .value = (double)t->beyond};
    snprintf(row.note, sizeof row.note, "%zu units within rounding of their kink", t->kinks);
    audit->kinks = t->kinks;
    return ev_audit_append(audit, &row, HUGE_VAL, error);
}

static ev_status compare(comparison *c, ev_audit *audit, ev_error *error)
{
    const ev_vqvae *model = c->subject->model;
    const ev_audit_descent descent = {
        .layout = &model->layout,
        .gradient = c->gradients->total,
        .stream = ev_stream_make(c->subject->seed, ev_hash_text("directions"), 0, 0),
        .random = EV_AUDIT_DEFAULTS.directions,
        .resolution = EV_AUDIT_DEFAULTS.resolution,
        .slope = slope,
        .context = c,
        .claims = claims,
        .counted = (BIT(EV_VQ_PARTS) - 1) &
                   ~(minimised(model, EV_VQ_CODEBOOK) ? 0U : BIT(EV_VQ_PART_CODEBOOK)),
        .suspects = suspects,
        .suspected = sizeof suspects / sizeof *suspects};
    ev_status status = report_sides(&c->tangents, audit, error);
    if (status == EV_OK)
        status = ev_audit_directions(&descent, audit, error);
    for (size_t i = 0; i < EV_VQ_TERMS && status == EV_OK; i++)
        status = ev_audit_append(audit, &c->worst[i], HUGE_VAL, error);
    return status;
}

ev_status ev_vqvae_audit_gradients(const ev_vqvae_audit_subject *s, size_t images,
                                   const ev_vqvae_gradients *gradients, ev_audit *audit,
                                   ev_error *error)
{
    comparison c = {.subject = s, .gradients = gradients, .off = {-1, -1, -1}};
    ev_status status = ev_vqvae_tangents_create(&c.tangents, s->model, s->parameters, images, s->x,
                                                s->w, EV_AUDIT_DEFAULTS.resolution, error);
    if (status == EV_OK)
        status = compare(&c, audit, error);
    ev_vqvae_tangents_destroy(&c.tangents);
    return status;
}

/* --- The float pass ------------------------------------------------------------------------ */

static void gradients_of(const ev_vqvae_audit_subject *s, size_t B, const float *x,
                         float *const term[EV_VQ_TERMS])
{
    (void)ev_vqvae_forward(s->model, s->parameters, B, x, s->w);
    for (ev_vqvae_term i = 0; i < EV_VQ_TERMS; i++) {
        double weight[EV_VQ_TERMS] = {0};
        weight[i] = 1;
        ev_vqvae_backward_terms(s->model, s->parameters, B, x, weight, s->w, term[i]);
    }
    ev_vqvae_backward(s->model, s->parameters, B, x, s->w, s->gradient);
}

ev_status ev_vqvae_audit_few(const ev_vqvae_audit_subject *s, ev_audit *audit, ev_error *error)
{
    const size_t images = s->B < IMAGES ? s->B : IMAGES, B = s->B / images * images;
    const size_t D = s->model->D, size = s->model->layout.size;
    float *x = ev_buffer_create(ev_size_product(B, D));
    float *memory = ev_buffer_create(ev_size_product(EV_VQ_TERMS, size));
    ev_status status = EV_OK;
    if (x != NULL && memory != NULL) {
        float *const term[EV_VQ_TERMS] = {memory, memory + size, memory + 2 * size};
        for (size_t b = 0; b < B; b++)
            memcpy(x + b * D, s->x + (b + b / images) % images * D, D * sizeof *x);
        gradients_of(s, B, x, term);
        const ev_vqvae_gradients gradients = {s->gradient, {term[0], term[1], term[2]}};
        status = ev_vqvae_audit_gradients(s, images, &gradients, audit, error);
    } else {
        status = ev_error_set(error, EV_NO_MEMORY, "out of memory for an audit");
    }
    free(x);
    free(memory);
    return status;
}
