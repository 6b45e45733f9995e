#include "judge/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum { REAL, ABOVE, BELOW, BETWEEN, WEIGHTS, AT_LOW, AT_HIGH } part_kind;

/* `size` inputs with `size` coordinates (one less for WEIGHTS, none for AT_LOW and AT_HIGH). */
typedef struct {
    part_kind kind;
    size_t input, component, coordinate, size;
    double low, high;
    bool low_open, high_open;
} part;

struct ev_chart {
    part *parts;
    size_t part_count, dimension, components;
};

static part part_of(const ev_domain *domain)
{
    double low = domain->low, high = domain->high;
    part p = {REAL, 0, 0, 0, 1, low, high, domain->low_open, domain->high_open};
    if (isfinite(low))
        p.kind = isfinite(high) ? BETWEEN : ABOVE;
    else if (isfinite(high))
        p.kind = BELOW;
    return p;
}

static size_t coordinates(const part *p)
{
    if (p->kind == AT_LOW || p->kind == AT_HIGH)
        return 0;
    return p->kind == WEIGHTS ? p->size - 1 : p->size;
}

static void add_part(ev_chart *chart, part p, size_t input, size_t component)
{
    p.input = input;
    p.component = component;
    p.coordinate = chart->dimension;
    chart->dimension += coordinates(&p);
    chart->parts[chart->part_count++] = p;
}

/* A lower triangular matrix: entry (row, column) of n x n. */
static void add_triangular(ev_chart *chart, const ev_slot *slot, size_t entry, size_t n,
                           unsigned structure)
{
    size_t row = entry / n % n, column = entry % n;
    bool positive = row == column && (structure & EV_MATRIX_POSITIVE_DIAGONAL) != 0;
    ev_domain domain = {.low = positive ? 0.0 : -HUGE_VAL, .low_open = true, .high = HUGE_VAL};
    if (column <= row)
        add_part(chart, part_of(&domain), slot->first + entry, chart->components + entry);
}

static ev_status add_slot(ev_chart *chart, const ev_slot *slot, const ev_symbol *symbol,
                          const long *integers, ev_error *error)
{
    const ev_domain *domain = &symbol->domain;
    const unsigned with_coordinates = EV_MATRIX_LOWER | EV_MATRIX_POSITIVE_DIAGONAL |
                                      EV_MATRIX_NONZERO_DIAGONAL | EV_MATRIX_INVERTIBLE;
    if (domain->binary || (domain->structure & ~with_coordinates) != 0)
        return ev_error_set(error, EV_UNFIT, "an arg-min over the domain of %s can't be searched",
                            symbol->name);
    size_t n = 1;
    if (symbol->rank > 0)
        n = (size_t)(symbol->rows.offset +
                     (symbol->rows.symbol < 0
                          ? 0
                          : symbol->rows.multiplier * integers[symbol->rows.symbol]));
    if (domain->simplex && n > 0)
        for (size_t i = 0; i < slot->count; i += n)
            add_part(chart, (part){.kind = WEIGHTS, .size = n}, slot->first + i,
                     chart->components + i);
    for (size_t i = 0; !domain->simplex && i < slot->count; i++) {
        if ((domain->structure & EV_MATRIX_LOWER) != 0)
            add_triangular(chart, slot, i, n, domain->structure);
        else
            add_part(chart, part_of(domain), slot->first + i, chart->components + i);
    }
    chart->components += slot->count;
    return EV_OK;
}

static const ev_slot *find_slot(const ev_case *instance, int symbol)
{
    for (size_t i = 0; i < instance->slot_count; i++)
        if (instance->slots[i].symbol == symbol)
            return &instance->slots[i];
    return NULL;
}

ev_status ev_chart_create(const ev_case *instance, const ev_symbol_table *table,
                          const long *integers, size_t count, const int *symbols, ev_chart **out,
                          ev_error *error)
{
    *out = NULL;
    ev_chart *chart = calloc(1, sizeof *chart);
    if (chart != NULL)
        chart->parts = calloc(instance->input_count + 1, sizeof *chart->parts);
    if (chart == NULL || chart->parts == NULL) {
        ev_chart_destroy(chart);
        return ev_error_set(error, EV_NO_MEMORY, "out of memory");
    }
    ev_status status = EV_OK;
    for (size_t i = 0; status == EV_OK && i < count; i++) {
        const ev_slot *slot = find_slot(instance, symbols[i]);
        if (slot != NULL)
            status = add_slot(chart, slot, &table->symbols[symbols[i]], integers, error);
    }
    if (status == EV_OK && chart->dimension == 0)
        status = ev_error_set(error, EV_UNFIT, "the arg-min has nothing to vary");
    if (status != EV_OK) {
        ev_chart_destroy(chart);
        return status;
    }
    *out = chart;
    return EV_OK;
}

void ev_chart_destroy(ev_chart *chart)
{
    if (chart != NULL)
        free(chart->parts);
    free(chart);
}

size_t ev_chart_dimension(const ev_chart *chart) { return chart->dimension; }
size_t ev_chart_components(const ev_chart *chart) { return chart->components; }

ev_chart *ev_chart_copy(const ev_chart *chart)
{
    ev_chart *copy = malloc(sizeof *copy);
    if (copy == NULL)
        return NULL;
    *copy = *chart;
    copy->parts = malloc((chart->part_count + 1) * sizeof *copy->parts);
    if (copy->parts == NULL) {
        free(copy);
        return NULL;
    }
    memcpy(copy->parts, chart->parts, chart->part_count * sizeof *copy->parts);
    return copy;
}

/* Where the value is within a fraction near of an end that belongs to the domain. */
static part_kind held_kind(const part *p, double x, double near)
{
    bool bounded = p->kind == ABOVE || p->kind == BELOW || p->kind == BETWEEN;
    double reach = near * (p->kind == BETWEEN ? p->high - p->low : 1.0);
    if (bounded && p->kind != BELOW && !p->low_open && x - p->low <= reach)
        return AT_LOW;
    if (bounded && p->kind != ABOVE && !p->high_open && p->high - x <= reach)
        return AT_HIGH;
    return p->kind;
}

size_t ev_chart_hold(ev_chart *chart, const double *inputs, double near)
{
    size_t held = 0;
    chart->dimension = 0;
    for (size_t k = 0; k < chart->part_count; k++) {
        part *p = &chart->parts[k];
        p->kind = held_kind(p, inputs[p->input], near);
        p->coordinate = chart->dimension;
        chart->dimension += coordinates(p);
        held += p->kind == AT_LOW || p->kind == AT_HIGH;
    }
    return held;
}

double ev_chart_inward(const ev_chart *chart, size_t i, const double *gradient, size_t *component)
{
    for (size_t k = 0; k < chart->part_count; k++) {
        const part *p = &chart->parts[k];
        if ((p->kind != AT_LOW && p->kind != AT_HIGH) || i-- > 0)
            continue;
        *component = p->component;
        return p->kind == AT_LOW ? gradient[p->component] : -gradient[p->component];
    }
    *component = 0;
    return 0.0;
}

static const double smallest = 1e-12; /* keeps values at a closed end within reach */

static double coordinate(const part *p, double x)
{
    double below = fmax(x - p->low, smallest), above = fmax(p->high - x, smallest);
    switch (p->kind) {
    case ABOVE: return log(below);
    case BELOW: return -log(above);
    case BETWEEN: return log(below / above);
    default: return x;
    }
}

void ev_chart_from_inputs(const ev_chart *chart, const double *inputs, double *t)
{
    for (size_t k = 0; k < chart->part_count; k++) {
        const part *p = &chart->parts[k];
        const double *x = inputs + p->input;
        if (p->kind != WEIGHTS && coordinates(p) == 1)
            t[p->coordinate] = coordinate(p, x[0]);
        for (size_t i = 0; p->kind == WEIGHTS && i + 1 < p->size; i++)
            t[p->coordinate + i] = log(fmax(x[i], smallest) / fmax(x[p->size - 1], smallest));
    }
}

static void weights(const part *p, const double *t, double *x)
{
    double top = 0.0, total = 0.0;
    for (size_t i = 0; i + 1 < p->size; i++)
        top = fmax(top, t[p->coordinate + i]);
    for (size_t i = 0; i < p->size; i++)
        total += x[i] = exp((i + 1 < p->size ? t[p->coordinate + i] : 0.0) - top);
    for (size_t i = 0; i < p->size; i++)
        x[i] /= total;
}

void ev_chart_to_inputs(const ev_chart *chart, const double *t, double *inputs)
{
    for (size_t k = 0; k < chart->part_count; k++) {
        const part *p = &chart->parts[k];
        double *x = inputs + p->input;
        double s = p->kind == WEIGHTS || coordinates(p) == 0 ? 0.0 : t[p->coordinate];
        switch (p->kind) {
        case REAL: *x = s; break;
        case ABOVE: *x = p->low + exp(s); break;
        case BELOW: *x = p->high - exp(-s); break;
        case BETWEEN: *x = p->low + (p->high - p->low) / (1.0 + exp(-s)); break;
        case WEIGHTS: weights(p, t, x); break;
        case AT_LOW: *x = p->low; break;
        case AT_HIGH: *x = p->high; break;
        }
    }
}

/* dx/dt of a part with one coordinate. */
static double slope(const part *p, double x)
{
    switch (p->kind) {
    case ABOVE: return x - p->low;
    case BELOW: return p->high - x;
    case BETWEEN: return (x - p->low) * (p->high - x) / (p->high - p->low);
    default: return 1.0;
    }
}

/* dx_i/dt_j = x_i ([i = j] - x_j). */
static void pull_back_weights(const part *p, const double *x, const double *gradient, bool errors,
                              double *out)
{
    double mean = 0.0;
    for (size_t i = 0; i < p->size; i++)
        mean += x[i] * gradient[p->component + i];
    for (size_t j = 0; j + 1 < p->size; j++) {
        double own = gradient[p->component + j];
        out[p->coordinate + j] = x[j] * (errors ? own + mean : own - mean);
    }
}

static void pull_back(const ev_chart *chart, const double *inputs, const double *gradient,
                      bool errors, double *out)
{
    for (size_t k = 0; k < chart->part_count; k++) {
        const part *p = &chart->parts[k];
        const double *x = inputs + p->input;
        if (p->kind == WEIGHTS)
            pull_back_weights(p, x, gradient, errors, out);
        else if (coordinates(p) == 1)
            out[p->coordinate] = slope(p, x[0]) * gradient[p->component];
    }
}

void ev_chart_pull_back(const ev_chart *chart, const double *inputs, const double *gradient,
                        double *out)
{
    pull_back(chart, inputs, gradient, false, out);
}

void ev_chart_pull_back_errors(const ev_chart *chart, const double *inputs, const double *errors,
                               double *out)
{
    pull_back(chart, inputs, errors, true, out);
}
