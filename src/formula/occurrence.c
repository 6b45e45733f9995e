#include "formula/occurrence.h"

#include <stdlib.h>
#include <string.h>

/* Binding is dynamic: inside a definition that is opened, the binders around it hold. */
typedef struct {
    const ev_symbol_table *table;
    unsigned char *flags;
    unsigned *bound; /* how often each symbol is bound here */
    size_t visits;
} walker;

/* A formula that opens into more is refused when it is elaborated: here the walk only ends. */
enum { MAX_VISITS = 3000000 };

static void walk(walker *w, const ev_syntax *x);

static void mark_dim(walker *w, ev_dim dim)
{
    if (dim.symbol >= 0)
        w->flags[dim.symbol] |= EV_OCCURS_FREE;
}

static void mark_type(walker *w, const ev_symbol *s)
{
    if (s->kind == EV_SYMBOL_INTEGER) {
        mark_dim(w, s->low);
        mark_dim(w, s->high);
        return;
    }
    if (s->rank >= 1)
        mark_dim(w, s->rows);
    if (s->rank == 2)
        mark_dim(w, s->cols);
    if (s->is_sample)
        mark_dim(w, s->samples);
    for (size_t i = 0; i < s->argument_count; i++)
        if (s->argument_ranks[i] == 1)
            mark_dim(w, s->argument_dims[i]);
}

static void walk_definition(walker *w, const struct ev_definition *d)
{
    for (size_t i = 0; i < d->formal_count; i++) {
        w->bound[d->formals[i]]++;
        mark_type(w, &w->table->symbols[d->formals[i]]);
    }
    walk(w, d->body);
    for (size_t i = 0; i < d->formal_count; i++)
        w->bound[d->formals[i]]--;
}

static void walk_symbol(walker *w, int symbol)
{
    const ev_symbol *s = &w->table->symbols[symbol];
    unsigned char flag = w->bound[symbol] > 0 ? EV_OCCURS_BOUND : EV_OCCURS_FREE;
    bool first = (w->flags[symbol] & flag) == 0;
    w->flags[symbol] |= flag;
    mark_type(w, s);
    if (s->kind == EV_SYMBOL_DEFINITION)
        walk_definition(w, s->definition);
    if (s->sample_density != NULL && first && w->bound[symbol] == 0) {
        w->bound[symbol]++;
        walk(w, s->sample_density);
        w->bound[symbol]--;
    }
}

static void walk(walker *w, const ev_syntax *x)
{
    if (++w->visits > MAX_VISITS)
        return;
    bool binds_symbol = x->kind == EV_SYNTAX_SUM || x->kind == EV_SYNTAX_PRODUCT ||
                        x->kind == EV_SYNTAX_MAXIMUM || x->kind == EV_SYNTAX_MINIMUM;
    for (size_t i = 1; binds_symbol && i < x->child_count; i++)
        walk(w, x->children[i]); /* the range is outside */
    if (binds_symbol) {
        w->bound[x->symbol]++;
        mark_type(w, &w->table->symbols[x->symbol]);
    }
    for (size_t i = 0; i < x->variable_count; i++) {
        w->bound[x->variables[i]] += x->kind != EV_SYNTAX_ARGMIN && x->kind != EV_SYNTAX_ARGMAX;
        mark_type(w, &w->table->symbols[x->variables[i]]);
        if (x->kind == EV_SYNTAX_ARGMIN || x->kind == EV_SYNTAX_ARGMAX)
            w->flags[x->variables[i]] |= EV_OCCURS_FREE;
    }
    if (x->kind == EV_SYNTAX_SYMBOL || x->kind == EV_SYNTAX_APPLY || x->kind == EV_SYNTAX_GRADIENT)
        walk_symbol(w, x->symbol);
    for (size_t i = 0; i < (binds_symbol ? 1 : x->child_count); i++)
        walk(w, x->children[i]);
    for (size_t i = 0; i < x->variable_count; i++)
        w->bound[x->variables[i]] -= x->kind != EV_SYNTAX_ARGMIN && x->kind != EV_SYNTAX_ARGMAX;
    if (binds_symbol)
        w->bound[x->symbol]--;
}

void ev_mark_occurrences(const ev_symbol_table *table, const ev_syntax *expression,
                         unsigned char *flags)
{
    unsigned *bound = calloc(table->symbol_count + 1, sizeof *bound);
    walker w = {table, flags, bound, 0};
    if (bound != NULL)
        walk(&w, expression);
    free(bound);
}

bool ev_mark_formula(const ev_formula *formula, unsigned char *flags, bool *used)
{
    const ev_symbol_table *table = formula->scope->table;
    size_t n = table->symbol_count, conditions = formula->scope->condition_count;
    for (size_t i = 0; i < formula->member_count; i++)
        ev_mark_occurrences(table, formula->members[i], flags);
    unsigned char *touched = calloc(n + 1, 1);
    bool *taken = calloc(conditions + 1, sizeof *taken);
    bool ok = touched != NULL && taken != NULL;
    for (bool grew = ok; grew;) {
        grew = false;
        for (size_t c = 0; c < conditions; c++) {
            if (taken[c])
                continue;
            memset(touched, 0, n);
            ev_mark_occurrences(table, formula->scope->conditions[c].left, touched);
            ev_mark_occurrences(table, formula->scope->conditions[c].right, touched);
            bool meets = false;
            for (size_t s = 0; s < n; s++)
                meets |= (touched[s] & flags[s] & EV_OCCURS_FREE) != 0;
            if (!meets)
                continue;
            for (size_t s = 0; s < n; s++)
                flags[s] |= touched[s];
            taken[c] = grew = true;
        }
    }
    if (ok && used != NULL && conditions > 0)
        memcpy(used, taken, conditions * sizeof *used);
    free(touched);
    free(taken);
    return ok;
}

size_t ev_occurring_random_variables(const ev_symbol_table *table, const ev_syntax *expression,
                                     int *symbols, size_t capacity)
{
    unsigned char *flags = calloc(table->symbol_count + 1, 1);
    size_t n = 0;
    if (flags == NULL)
        return 0;
    ev_mark_occurrences(table, expression, flags);
    for (size_t s = 0; s < table->symbol_count && n < capacity; s++)
        if ((flags[s] & EV_OCCURS_FREE) != 0 && table->symbols[s].sample_density != NULL &&
            !table->symbols[s].is_sample)
            symbols[n++] = (int)s;
    free(flags);
    return n;
}

static bool finds_gradient(const ev_symbol_table *table, const ev_syntax *x, size_t *visits)
{
    if (x->kind == EV_SYNTAX_GRADIENT)
        return true;
    if (++*visits > MAX_VISITS)
        return false;
    if ((x->kind == EV_SYNTAX_SYMBOL || x->kind == EV_SYNTAX_APPLY) &&
        table->symbols[x->symbol].kind == EV_SYMBOL_DEFINITION &&
        finds_gradient(table, table->symbols[x->symbol].definition->body, visits))
        return true;
    for (size_t i = 0; i < x->child_count; i++)
        if (finds_gradient(table, x->children[i], visits))
            return true;
    return false;
}

bool ev_has_gradient(const ev_symbol_table *table, const ev_syntax *expression)
{
    size_t visits = 0;
    return finds_gradient(table, expression, &visits);
}

size_t ev_formula_integers(const ev_formula *formula, int *symbols, size_t capacity)
{
    const ev_symbol_table *table = formula->scope->table;
    unsigned char *flags = calloc(table->symbol_count + 1, 1);
    size_t n = 0;
    if (flags == NULL || !ev_mark_formula(formula, flags, NULL)) {
        free(flags);
        return 0;
    }
    for (size_t s = table->symbol_count; s-- > 0;) { /* ranges of integers that are needed */
        const ev_symbol *symbol = &table->symbols[s];
        if ((flags[s] & EV_OCCURS_FREE) == 0 || symbol->kind != EV_SYMBOL_INTEGER)
            continue;
        if (symbol->low.symbol >= 0)
            flags[symbol->low.symbol] |= EV_OCCURS_FREE;
        if (symbol->high.symbol >= 0)
            flags[symbol->high.symbol] |= EV_OCCURS_FREE;
    }
    for (size_t s = 0; s < table->symbol_count; s++)
        if ((flags[s] & EV_OCCURS_FREE) != 0 && table->symbols[s].kind == EV_SYMBOL_INTEGER) {
            if (n < capacity)
                symbols[n] = (int)s;
            n++;
        }
    free(flags);
    return n;
}

void ev_integer_range(const ev_symbol_table *table, int symbol, const long *values, long *low,
                      long *high)
{
    const ev_symbol *s = &table->symbols[symbol];
    *low = s->low.symbol < 0 ? s->low.offset
                             : s->low.multiplier * values[s->low.symbol] + s->low.offset;
    *high = s->high.symbol < 0 ? s->high.offset
                               : s->high.multiplier * values[s->high.symbol] + s->high.offset;
}
