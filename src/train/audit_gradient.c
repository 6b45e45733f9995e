/* The gradient against the reference's derivatives along directions (audit_directions.h). */
#include "train/audit_directions.h"
#include "train/audit_work.h"

#include <string.h>

#define BIT(part) (1U << (part))
#define ALL (BIT(EV_PARTS) - 1)
#define DRAWS (BIT(EV_PART_DRAW_MU) | BIT(EV_PART_DRAW_SCALE))
#define GAMMA (BIT(EV_PART_LATENT_GAMMA) | BIT(EV_PART_CATEGORICAL_GAMMA))
#define LATENT                                                                         \
    (BIT(EV_PART_LATENT_MU) | BIT(EV_PART_LATENT_VAR) | BIT(EV_PART_LATENT_PRIOR_MU) | \
     BIT(EV_PART_LATENT_PRIOR_VAR))
#define CATEGORICAL (BIT(EV_PART_CATEGORICAL_PI) | BIT(EV_PART_CATEGORICAL_GAMMA))

/* The single ones first: the smallest set that explains the differences is named. */
static const ev_audit_suspect suspects[] = {
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
    {ALL, "the whole loss"}};
enum { SUSPECTS = sizeof suspects / sizeof *suspects };

/* The loss is minus the ELBO. */
static const ev_audit_of_block claims[] = {{"", "loss-is-minus-elbo"}};

/* The reconstruction alone reaches the decoder, and the clusters' means and variances stand in the
 * latent term. */
static const ev_audit_of_block blamed[] = {{"decoder.", "reconstruction"},
                                           {"prior.mu", "latent"},
                                           {"prior.log_var", "latent"},
                                           {"prior.logits", "categorical"},
                                           {NULL, NULL}};

static ev_audit_slope loss_slope(void *context, size_t k, const float *direction, bool split)
{
    ev_audit_slope slope = ev_audit_reference_slope(context, direction, split);
    (void)k;
    slope.sum = -slope.sum;
    for (size_t p = 0; p < EV_PARTS; p++)
        slope.part[p] = -slope.part[p];
    return slope;
}

void ev_audit_gradient(ev_audit_work *work)
{
    ev_error ignored = EV_ERROR_NONE;
    const ev_audit_descent descent = {.layout = &work->subject->model->layout,
                                      .gradient = work->subject->gradient,
                                      .stream = ev_audit_stream(work, "directions"),
                                      .random = work->options->directions,
                                      .resolution = work->options->resolution,
                                      .slope = loss_slope,
                                      .context = &work->reference,
                                      .claims = claims,
                                      .blamed = blamed,
                                      .counted = ALL,
                                      .suspects = suspects,
                                      .suspected = SUSPECTS};
    if (ev_audit_directions(&descent, work->audit, &ignored) != EV_OK)
        work->short_of_memory = true;
}
