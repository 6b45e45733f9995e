#include "train/audit.h"

#include "train/audit_work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const ev_audit_options EV_AUDIT_DEFAULTS = {
    .alpha = 1e-6, .directions = 20, .images = 4, .samples = 1000, .ranks = 31, .resolution = 1e-5};

/* --- Rows ---------------------------------------------------------------------------------- */

static ev_verdict verdict_of(const ev_audit_row *row, double coarsest)
{
    const double distance = strcmp(row->relation, "=") == 0 ? fabs(row->value - row->reference)
                                                            : row->value - row->reference;
    const double slack = strcmp(row->kind, "quadrature") == 0 ? 4.0 : 1.0;
    if (!isfinite(row->reference))
        return EV_VOID;
    if (!isfinite(row->value))
        return EV_REFUTED;
    if (!isfinite(row->error) || row->error > coarsest)
        return EV_UNDECIDED;
    if (distance <= row->error)
        return EV_HOLDS;
    return distance > slack * row->error ? EV_REFUTED : EV_UNDECIDED;
}

ev_status ev_audit_append(ev_audit *audit, const ev_audit_row *row, double coarsest,
                          ev_error *error)
{
    if (!ev_array_reserve(&audit->rows, audit->count, &audit->capacity, sizeof *audit->rows))
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for the audit");
    ev_audit_row *added = &audit->rows[audit->count++];
    *added = *row;
    added->verdict = verdict_of(row, coarsest);
    if (added->verdict != EV_REFUTED || audit->failed[0] != '\0')
        return EV_OK;
    const bool of_claim = row->claim[0] != '\0';
    snprintf(audit->failed, sizeof audit->failed, "%s", row->name);
    snprintf(audit->diagnosis, sizeof audit->diagnosis,
             "%s: the float pass has %.9g, the %s %s%.9g within %.3g (%s%s%s)", row->name,
             row->value, row->method, strcmp(row->relation, "=") == 0 ? "" : "at most ",
             row->reference, row->error, row->kind, of_claim ? "; claim " : "", row->claim);
    return EV_OK;
}

void ev_audit_add(ev_audit_work *work, ev_audit_row row, double coarsest)
{
    ev_error ignored = EV_ERROR_NONE;
    if (ev_audit_append(work->audit, &row, coarsest, &ignored) != EV_OK)
        work->short_of_memory = true;
}

ev_stream ev_audit_stream(const ev_audit_work *work, const char *purpose)
{
    return ev_stream_make(work->options->seed, ev_hash_text(purpose), 0, 0);
}

bool ev_audit_passed(const ev_audit *audit) { return ev_audit_tally(audit, EV_REFUTED) == 0; }

size_t ev_audit_tally(const ev_audit *audit, ev_verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < audit->count; i++)
        count += audit->rows[i].verdict == verdict;
    return count;
}

/* --- Decoding ------------------------------------------------------------------------------ */

bool ev_audit_decoder_create(ev_audit_decoder *d, const ev_gmvae *model, size_t columns)
{
    *d = (ev_audit_decoder){.arena = ev_arena_create(), .columns = columns};
    if (d->arena == NULL)
        return false;
    const size_t stride = ev_audit_stride(columns);
    d->z = ev_arena_array(d->arena, model->config.J * stride, sizeof(double));
    for (size_t l = 0; l < model->decoder.depth; l++)
        d->act[l] = ev_arena_array(d->arena, model->decoder.width[l + 1] * stride, sizeof(double));
    return !ev_arena_failed(d->arena);
}

void ev_audit_decoder_destroy(ev_audit_decoder *d)
{
    ev_arena_destroy(d->arena);
    d->arena = NULL;
}

const double *ev_audit_decode(ev_audit_decoder *d, const ev_audit_work *work, size_t n)
{
    const ev_mlp *decoder = &work->subject->model->decoder;
    ev_audit_network(decoder, work->subject->parameters, ev_audit_stride(n), d->z, d->act);
    return d->act[decoder->depth - 1];
}

/* --- The audit ----------------------------------------------------------------------------- */

/* ELBO(gamma) <= ELBO(gamma*) <= log p(x), which is found by quadrature; the ELBO is too where that is fit,
 * or else by sampling, if anything is sampled. */
static void add_exact_gap(ev_audit_work *work, const ev_audit_bounds *b, double rounding)
{
    const bool integrated = !isnan(b->reconstruction);
    if (!integrated && work->options->samples == 0)
        return;
    const double reconstruction = integrated ? b->reconstruction : b->sampled;
    ev_audit_row row = {.name = "elbo below log p(x)",
                        .claim = "gmvae-gap",
                        .relation = "<=",
                        .method = integrated ? "quadrature" : "sampling beside quadrature",
                        .kind = integrated ? "quadrature" : "sampling",
                        .value = b->closed + reconstruction,
                        .reference = b->log_px,
                        .error = rounding + (integrated ? b->quadrature : b->half_width) +
                                 b->log_px_quadrature};
    snprintf(row.note, sizeof row.note, "the gap is %.4f nats", row.reference - row.value);
    ev_audit_add(work, row, 1.0);
}

void ev_audit_gaps(ev_audit_work *work, const ev_audit_bounds *b)
{
    const double rounding = 1e-5 * (1.0 + fabs(b->closed));
    ev_audit_row row = {.claim = "gmvae-gap", .relation = "<=", .kind = "sampling"};
    if (!isnan(b->log_px)) {
        add_exact_gap(work, b, rounding);
        if (isnan(b->sampled_log_px))
            return;
        row = (ev_audit_row){.name = "log p(x)", .claim = "weights-averaged", .relation = "="};
        row.method = "importance sampling beside quadrature";
        row.kind = "sampling";
        row.value = b->sampled_log_px;
        row.reference = b->log_px;
        row.error = b->log_px_quadrature + b->log_px_width;
        snprintf(row.note, sizeof row.note, "k-hat at most %.2f", b->khat);
        ev_audit_add(work, row, 2.0);
    } else if (!isnan(b->sampled_log_px)) {
        strcpy(row.name, "elbo below log p(x)");
        row.method = "importance sampling";
        row.value = b->closed + b->sampled;
        row.reference = b->sampled_log_px;
        row.error = rounding + b->half_width + b->log_px_width;
        snprintf(row.note, sizeof row.note, "the gap is %.2f nats; k-hat at most %.2f",
                 row.reference - row.value, b->khat);
        ev_audit_add(work, row, HUGE_VAL);
    }
}

static void bounds(ev_audit_work *work)
{
    const double nan = (double)NAN;
    ev_audit_bounds b = {0, nan, nan, nan, nan, nan, nan, nan, nan, nan};
    for (size_t i = 0; i < work->images; i++)
        for (size_t t = EV_LATENT; t <= EV_ENTROPY; t++)
            b.closed += (double)work->subject->w->terms[i * EV_ELBO_TERMS + t] /
                        (double)work->images;
    ev_audit_exact(work, &b);
    ev_audit_samples(work, &b);
    ev_audit_gaps(work, &b);
}

ev_status ev_audit_run(const ev_audit_subject *subject, const ev_audit_options *options,
                       ev_audit *audit, ev_error *error)
{
    ev_audit_work work = {.subject = subject, .options = options, .audit = audit};
    *audit = (ev_audit){.alpha = options->alpha, .seed = options->seed};
    work.images = options->images < subject->B ? options->images : subject->B;
    ev_status status = ev_audit_reference_create(&work.reference, subject, options->resolution,
                                                 error);
    if (status != EV_OK)
        goto done;
    audit->kinks = work.reference.kinks;
    audit->intervals = ev_audit_intervals(&work);
    audit->share = audit->alpha / (double)audit->intervals;
    ev_audit_noise(&work);
    ev_audit_values(&work);
    ev_audit_ranks(&work);
    if (work.images > 0)
        bounds(&work);
    if (subject->gradient != NULL)
        ev_audit_gradient(&work);
    if (work.short_of_memory)
        status = ev_error_set(error, EV_NO_MEMORY, "out of memory for the audit");
done:
    ev_audit_reference_destroy(&work.reference);
    return status;
}

void ev_audit_free(ev_audit *audit)
{
    free(audit->rows);
    *audit = (ev_audit){.rows = NULL};
}
