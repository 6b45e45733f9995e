#include "judge/difference.h"

#include "judge/point.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_POINTS = 8, FEWEST_POINTS = 5, MOST_TERMS = 160 };

/* The sides' component 0 .. count-1 at one point, and the dictionary there. */
typedef struct {
    size_t count;
    double *left, *right;
    double terms[MOST_TERMS];
} sight;

typedef struct {
    const ev_symbol_table *table;
    ev_arena *arena;
    const char *names[MOST_TERMS]; /* of the terms, "" for 1 */
    size_t term_count;
    sight sights[MOST_POINTS];
    size_t sight_count;
} gallery;

static const struct {
    const char *name;
    double value;
} coefficients[] = {{"", 1},
                    {"\\frac{1}{2}", 0.5},
                    {"2", 2},
                    {"\\frac{1}{4}", 0.25},
                    {"\\frac{3}{2}", 1.5},
                    {"3", 3},
                    {"4", 4}};
enum { COEFFICIENTS = sizeof coefficients / sizeof *coefficients };

static const double log_2pi = 1.83787706640934548356, log_2 = 0.69314718055994530942,
                    log_pi = 1.14472988584940017414;

/* ---- the dictionary at a point ---- */

static void add(gallery *g, sight *s, size_t *n, double value, const char *format, const char *name)
{
    if (*n == MOST_TERMS)
        return;
    if (*n == g->term_count)
        g->names[g->term_count++] = ev_arena_format(g->arena, format, name);
    s->terms[(*n)++] = value;
}

static void add_size(gallery *g, sight *s, size_t *n, double x, const char *name)
{
    add(g, s, n, x, "%s", name);
    add(g, s, n, x * log_2pi, "%s \\log(2\\pi)", name);
    add(g, s, n, x * log_2, "%s \\log 2", name);
    add(g, s, n, x * log_pi, "%s \\log \\pi", name);
    add(g, s, n, x * x, "%s^2", name);
    add(g, s, n, x * x * log_2pi, "%s^2 \\log(2\\pi)", name);
    add(g, s, n, log(x), "\\log %s", name);
    add(g, s, n, x / (x - 1), "%s", /* not finite at 1, where it is no term */
        ev_arena_format(g->arena, "\\frac{%s}{%s - 1}", name, name));
}

static void add_scalar(gallery *g, sight *s, size_t *n, double x, const char *name)
{
    add(g, s, n, x, "%s", name);
    add(g, s, n, x * x, "%s^2", name);
    add(g, s, n, log(x), "\\log %s", name);
}

static void fill_terms(gallery *g, sight *s, const ev_formula *formula, const ev_case *instance,
                       const long *integers, const double *inputs)
{
    enum { MAX_INTEGERS = 16 };
    int symbols[MAX_INTEGERS];
    size_t n = 0, count = ev_formula_integers(formula, symbols, MAX_INTEGERS);
    add(g, s, &n, 1, "%s", "");
    add(g, s, &n, log_2pi, "%s", "\\log(2\\pi)");
    add(g, s, &n, log_2, "%s", "\\log 2");
    add(g, s, &n, log_pi, "%s", "\\log \\pi");
    for (size_t i = 0; i < count && i < MAX_INTEGERS; i++)
        add_size(g, s, &n, (double)integers[symbols[i]], g->table->symbols[symbols[i]].name);
    for (size_t i = 0; i < instance->slot_count; i++) {
        const ev_slot *slot = &instance->slots[i];
        const ev_symbol *symbol = &g->table->symbols[slot->symbol];
        if (symbol->kind != EV_SYMBOL_REAL || symbol->is_sample || slot->count == 0)
            continue;
        if (symbol->rank == 0 && slot->count == 1)
            add_scalar(g, s, &n, inputs[slot->first], symbol->name);
        if (symbol->rank > 0) /* the entry that there is at all dimensions */
            add_scalar(
                g, s, &n, inputs[slot->first],
                ev_arena_format(g->arena, symbol->rank == 1 ? "%s_{1}" : "%s_{1,1}", symbol->name));
    }
}

/* ---- the sides at a point ---- */

static ev_status fill_sides(gallery *g, sight *s, const ev_case *instance, const double *inputs,
                            bool *had)
{
    enum { HERMITE_ORDER = 48 };
    const ev_case_step *step = &instance->steps[0];
    size_t n = step->count;
    ev_program *program = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_node *roots = ev_arena_array(g->arena, 2 * n, sizeof *roots);
    s->left = ev_arena_array(g->arena, 2 * n, sizeof *s->left);
    *had = false;
    if (roots == NULL || s->left == NULL)
        return EV_NO_MEMORY;
    s->right = s->left + n;
    s->count = n;
    memcpy(roots, step->left, n * sizeof *roots);
    memcpy(roots + n, step->right, n * sizeof *roots);
    ev_status status = ev_program_compile(instance->graph, 2 * n, roots, &program, &error);
    if (status == EV_OK)
        status = ev_program_values(program, inputs, HERMITE_ORDER, s->left);
    ev_program_destroy(program);
    *had = status == EV_OK;
    for (size_t i = 0; i < 2 * n; i++)
        *had = *had && isfinite(s->left[i]);
    return status == EV_NO_MEMORY ? status : EV_OK;
}

static ev_status look(gallery *g, const ev_formula *formula, const ev_plan *plan)
{
    for (size_t i = 0; i < ev_plan_points(plan) && g->sight_count < MOST_POINTS; i++) {
        const ev_case *instance;
        const double *inputs = ev_plan_point(plan, i, &instance);
        sight *s = &g->sights[g->sight_count];
        bool had;
        if (ev_point_is_corner(i) || (instance->steps[0].kind != EV_STEP_COMPARE &&
                                      instance->steps[0].kind != EV_STEP_ESTIMATE))
            continue;
        ev_status status = fill_sides(g, s, instance, inputs, &had);
        if (status != EV_OK)
            return status;
        if (had) {
            fill_terms(g, s, formula, instance, ev_plan_integers(plan, i), inputs);
            g->sight_count++;
        }
    }
    return EV_OK;
}

/* ---- fitting ---- */

static bool close_to(double a, double b)
{
    return isfinite(a) && isfinite(b) && fabs(a - b) <= 1e-6 * fmax(fabs(a), fabs(b));
}

/* Is left - right = c term everywhere? */
static bool is_difference(const gallery *g, double c, size_t term)
{
    for (size_t i = 0; i < g->sight_count; i++)
        for (size_t k = 0; k < g->sights[i].count; k++) {
            const sight *s = &g->sights[i];
            if (!close_to(s->left[k] - s->right[k], c * s->terms[term]))
                return false;
        }
    return true;
}

/* Is left term = c right (inverse), or left = c term right, everywhere, with sides that are not
 * always 0? */
static bool is_ratio(const gallery *g, double c, size_t term, bool inverse)
{
    double size = 0;
    for (size_t i = 0; i < g->sight_count; i++)
        for (size_t k = 0; k < g->sights[i].count; k++) {
            const sight *s = &g->sights[i];
            double t = s->terms[term], a = inverse ? s->left[k] * t : s->left[k];
            double b = c * s->right[k] * (inverse ? 1 : t);
            size = fmax(size, fabs(a));
            if (!close_to(a, b) && !(fabs(a) + fabs(b) <= 1e-12))
                return false;
        }
    return size > 1e-6;
}

static const char *product(const gallery *g, size_t c, size_t term)
{
    const char *factor = coefficients[c].name, *name = g->names[term];
    if (name[0] == '\0')
        return factor[0] == '\0' ? "1" : factor;
    return ev_arena_format(g->arena, "%s%s%s", factor, factor[0] == '\0' ? "" : " ", name);
}

static const char *name_difference(const gallery *g)
{
    for (size_t c = 0; c < COEFFICIENTS; c++)
        for (size_t t = 0; t < g->term_count; t++)
            for (int sign = -1; sign <= 1; sign += 2)
                if (is_difference(g, sign * coefficients[c].value, t))
                    return ev_arena_format(g->arena, "the right side is %s %s",
                                           sign > 0 ? "short of" : "too large by",
                                           product(g, c, t));
    return NULL;
}

/* "2 times too large", "the left side is n times the right one". */
static const char *ratio_text(const gallery *g, size_t c, size_t term, bool inverse)
{
    if (term == 0 && coefficients[c].value > 1)
        return ev_arena_format(g->arena, "the right side is %s times too %s", coefficients[c].name,
                               inverse ? "large" : "small");
    return ev_arena_format(g->arena, "the %s side is %s times the %s one",
                           inverse ? "right" : "left", product(g, c, term),
                           inverse ? "left" : "right");
}

static const char *name_ratio(const gallery *g)
{
    for (size_t c = 0; c < COEFFICIENTS; c++)
        for (size_t t = 0; t < g->term_count; t++)
            for (int inverse = 1; inverse >= 0; inverse--) {
                double factor = coefficients[c].value;
                if ((c > 0 || t > 0) && is_ratio(g, inverse ? 1 / factor : factor, t, inverse != 0))
                    return ratio_text(g, c, t, inverse != 0);
            }
    return is_ratio(g, -1, 0, false) ? "the right side has the wrong sign" : NULL;
}

ev_status ev_difference_name(const ev_formula *formula, const char *id, uint64_t seed,
                             ev_arena *arena, const char **text)
{
    gallery *g = calloc(1, sizeof *g);
    ev_plan *plan = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_budget budget = ev_budget_for(0);
    *text = NULL;
    if (g == NULL)
        return EV_NO_MEMORY;
    *g = (gallery){.table = formula->scope->table, .arena = arena};
    budget.points = 12;
    budget.cases = 4;
    ev_status status = ev_plan_create(formula, id, &budget, seed, &plan, &error);
    if (status == EV_OK)
        status = look(g, formula, plan);
    if (status == EV_OK && g->sight_count >= FEWEST_POINTS) {
        *text = name_difference(g);
        if (*text == NULL)
            *text = name_ratio(g);
    }
    ev_plan_destroy(plan);
    free(g);
    return status == EV_NO_MEMORY || ev_arena_failed(arena) ? EV_NO_MEMORY : EV_OK;
}
