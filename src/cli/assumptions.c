#include "cli/assumptions.h"

#include <math.h>
#include <string.h>

enum { TEXT = 256 };

typedef struct {
    char text[TEXT];
    size_t used;
} buffer;

static void add(buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(buffer *b, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(b->text + b->used, sizeof b->text - b->used, format, arguments);
    va_end(arguments);
    if (n > 0)
        b->used += (size_t)n < sizeof b->text - b->used ? (size_t)n : sizeof b->text - 1 - b->used;
}

static void add_dim(buffer *b, const ev_symbol_table *table, ev_dim dim)
{
    if (dim.symbol < 0 || (size_t)dim.symbol >= table->symbol_count) {
        add(b, "%ld", dim.offset);
        return;
    }
    if (dim.multiplier != 1)
        add(b, "%ld", dim.multiplier);
    add(b, "%s", table->symbols[dim.symbol].name);
    if (dim.offset != 0)
        add(b, "%+ld", dim.offset);
}

static void add_end(buffer *b, double end)
{
    if (isinf(end))
        add(b, "%s\\infty", end < 0 ? "-" : "");
    else
        add(b, "%g", end);
}

static void add_interval(buffer *b, const ev_domain *d)
{
    if (d->binary)
        add(b, "\\{0,1\\}");
    else if (isinf(d->low) && isinf(d->high))
        add(b, "\\mathbb{R}");
    else if (d->low == 0 && isinf(d->high))
        add(b, d->low_open ? "\\mathbb{R}_{>0}" : "\\mathbb{R}_{\\ge0}");
    else {
        add(b, d->low_open ? "(" : "[");
        add_end(b, d->low);
        add(b, ",");
        add_end(b, d->high);
        add(b, d->high_open ? ")" : "]");
    }
}

static void add_structure(buffer *b, unsigned structure)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{EV_MATRIX_LOWER, "lower triangular"},
                 {EV_MATRIX_POSITIVE_DIAGONAL, "positive diagonal"},
                 {EV_MATRIX_NONZERO_DIAGONAL, "nonzero diagonal"},
                 {EV_MATRIX_SYMMETRIC, "symmetric"},
                 {EV_MATRIX_POSITIVE_DEFINITE, "positive definite"},
                 {EV_MATRIX_ORTHOGONAL, "orthogonal"},
                 {EV_MATRIX_INVERTIBLE, "invertible"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (structure & names[i].bit)
            add(b, ", %s", names[i].name);
}

static void add_shape(buffer *b, const ev_symbol_table *table, const ev_symbol *s)
{
    if (s->domain.simplex) {
        add(b, "a probability vector of ");
        add_dim(b, table, s->rows);
        return;
    }
    add_interval(b, &s->domain);
    if (s->rank == 0)
        return;
    add(b, "^{");
    add_dim(b, table, s->rows);
    if (s->rank == 2) {
        add(b, "\\times ");
        add_dim(b, table, s->cols);
    }
    add(b, "}");
}

static void add_arguments(buffer *b, const ev_symbol_table *table, const ev_symbol *s)
{
    for (size_t i = 0; i < s->argument_count && i < 4; i++) {
        add(b, "%s\\mathbb{R}", i == 0 ? "" : " \\times ");
        if (s->argument_ranks[i] == 0)
            continue;
        add(b, "^{");
        add_dim(b, table, s->argument_dims[i]);
        add(b, "}");
    }
}

static void describe(buffer *b, const ev_symbol_table *table, const ev_symbol *s)
{
    switch (s->kind) {
    case EV_SYMBOL_INTEGER:
        add(b, "%s \\in \\{", s->name);
        add_dim(b, table, s->low);
        add(b, ",\\dots,");
        add_dim(b, table, s->high);
        add(b, "\\}");
        break;
    case EV_SYMBOL_REAL:
        add(b, "%s \\in ", s->name);
        add_shape(b, table, s);
        add_structure(b, s->domain.structure);
        if (s->is_sample) {
            add(b, ", samples 1 to ");
            add_dim(b, table, s->samples);
        }
        break;
    case EV_SYMBOL_FUNCTION:
        add(b, "%s : ", s->name);
        add_arguments(b, table, s);
        add(b, " \\to ");
        add_shape(b, table, s);
        add(b, ", any smooth function");
        break;
    case EV_SYMBOL_DEFINITION: add(b, "%s, as defined there", s->name); break;
    case EV_SYMBOL_CONSTANT:
        add(b, "%s, an unnamed constant", s->name);
        for (size_t i = 0; i < s->free_of_count && i < 4; i++)
            add(b, "%s%s", i == 0 ? " that does not depend on " : ", ",
                table->symbols[s->free_of[i]].name);
        break;
    }
}

/* The position of a place in the document's text; its length when there is no such place. */
static size_t position_of(const ev_document *document, size_t line, size_t column)
{
    size_t position = 0;
    for (size_t n = 1; n < line; n++) {
        const char *at = document->text + position;
        const char *newline = memchr(at, '\n', document->length - position);
        if (newline == NULL)
            return document->length;
        position += (size_t)(newline - at) + 1;
    }
    return column > document->length - position ? document->length : position + column - 1;
}

/* The formula that is printed at a place: to the dollar sign that ends it, or to a comma and \\quad,
 * which end the first of two formulas in one display. */
static void quote(buffer *b, const ev_document *document, size_t from)
{
    size_t to = from;
    const char *text = document->text;
    for (; to < document->length && text[to] != '$'; to++) {
        size_t after = to + 1 + strspn(text + to + 1, " \n");
        if (text[to] == ',' &&
            (strncmp(text + after, "\\quad", 5) == 0 || strncmp(text + after, "\\qquad", 6) == 0))
            break;
        if (text[to] == '\\' && to + 1 < document->length)
            to++;
    }
    while (to > from && strchr(" \n.,", text[to - 1]) != NULL)
        to--;
    if (from < to)
        add(b, "%.*s", (int)(to - from < TEXT ? to - from : TEXT), text + from);
}

static void put_line(const buffer *b, size_t line, const ev_style *style, FILE *out)
{
    fprintf(out, "  line %4zu     ", line);
    ev_text_wrap(out, style, b->text, 16, 16);
}

void ev_assumptions_put(const ev_document *document, const ev_scope *scope, const ev_style *style,
                        FILE *out)
{
    const ev_symbol_table *table = scope->table;
    for (size_t i = 0; i < scope->visible_count; i++) {
        const ev_symbol *s = &table->symbols[scope->visible[i]];
        buffer b = {.used = 0};
        if (s->kind == EV_SYMBOL_DEFINITION)
            quote(&b, document, position_of(document, s->line, s->column));
        if (b.used == 0)
            describe(&b, table, s);
        put_line(&b, s->line, style, out);
    }
    size_t before = document->length;
    for (size_t i = 0; i < scope->condition_count; i++) {
        const ev_condition *c = &scope->conditions[i];
        size_t from = position_of(document, c->line, c->column); /* of the relation sign */
        while (from > 0 && document->text[from - 1] != '$')
            from--;
        buffer b = {.used = 0};
        quote(&b, document, from);
        if (from != before) /* a < b < 3 is two conditions */
            put_line(&b, c->line, style, out);
        before = from;
    }
}
