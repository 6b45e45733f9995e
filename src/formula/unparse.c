#include "formula/unparse.h"

#include "formula/claim.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const ev_symbol_table *table;
    char *text;
    size_t length, capacity;
    bool failed;
} writer;

/* How tightly an expression holds together: what stands beside it decides on brackets. */
typedef enum { LEVEL_SUM, LEVEL_PRODUCT, LEVEL_FACTOR, LEVEL_ATOM } level;

static void put(writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(writer *w, const char *format, ...)
{
    va_list arguments;
    for (;;) {
        size_t room = w->capacity - w->length;
        va_start(arguments, format);
        int n = vsnprintf(w->text == NULL ? NULL : w->text + w->length, w->text == NULL ? 0 : room,
                          format, arguments);
        va_end(arguments);
        if (n < 0 || w->failed)
            return;
        if (w->text != NULL && (size_t)n < room) {
            w->length += (size_t)n;
            return;
        }
        size_t wanted = (w->capacity + (size_t)n + 1) * 2;
        char *grown = realloc(w->text, wanted);
        if (grown == NULL) {
            w->failed = true;
            return;
        }
        w->text = grown;
        w->capacity = wanted;
    }
}

static void write_at(writer *w, const ev_syntax *x, level need);

static level level_of(const ev_syntax *x)
{
    switch (x->kind) {
    case EV_SYNTAX_ADD:
    case EV_SYNTAX_SUB:
    case EV_SYNTAX_NEG: return LEVEL_SUM;
    case EV_SYNTAX_MUL:
    case EV_SYNTAX_ODOT:
    case EV_SYNTAX_OSLASH:
    case EV_SYNTAX_SUM:
    case EV_SYNTAX_PRODUCT:
    case EV_SYNTAX_MAXIMUM:
    case EV_SYNTAX_MINIMUM:
    case EV_SYNTAX_INTEGRAL:
    case EV_SYNTAX_ARGMIN:
    case EV_SYNTAX_ARGMAX: return LEVEL_PRODUCT;
    case EV_SYNTAX_FUNCTION:
    case EV_SYNTAX_GRADIENT:
    case EV_SYNTAX_POW:
    case EV_SYNTAX_TRANSPOSE:
    case EV_SYNTAX_INVERSE:
    case EV_SYNTAX_DIV: return LEVEL_FACTOR;
    default: return LEVEL_ATOM;
    }
}

static const char *name(const writer *w, int symbol) { return w->table->symbols[symbol].name; }

/* Names of sample families end in ^{()}: the index goes between the brackets. */
static int stem_length(const char *text)
{
    size_t n = strlen(text);
    return (int)(n > 5 && strcmp(text + n - 5, "^{()}") == 0 ? n - 5 : n);
}

static void write_number(writer *w, double number)
{
    if (number == 3.14159265358979323846)
        put(w, "\\pi");
    else if (number == 2.71828182845904523536)
        put(w, "e");
    else if (isinf(number))
        put(w, "\\infty");
    else
        put(w, "%.15g", number);
}

static void write_list(writer *w, const ev_syntax *x, size_t first, const char *separator)
{
    for (size_t i = first; i < x->child_count; i++) {
        if (i > first)
            put(w, "%s", separator);
        write_at(w, x->children[i], LEVEL_SUM);
    }
}

static void write_index(writer *w, const ev_syntax *x)
{
    const ev_syntax *base = x->children[0];
    size_t first = 1;
    const ev_symbol *s = base->kind == EV_SYNTAX_SYMBOL ? &w->table->symbols[base->symbol] : NULL;
    bool sample = s != NULL && (s->is_sample ||
                                (s->kind == EV_SYMBOL_DEFINITION && s->definition->sample_index));
    if (sample) {
        put(w, "%.*s^{(", stem_length(s->name), s->name);
        write_at(w, x->children[1], LEVEL_SUM);
        put(w, ")}");
        first = 2;
    } else {
        write_at(w, base, LEVEL_ATOM);
    }
    if (first == x->child_count)
        return;
    bool subscripted = s != NULL && strchr(s->name, '_') != NULL;
    put(w, subscripted || (s == NULL && base->kind != EV_SYNTAX_INDEX) ? "|_{" : "_{");
    write_list(w, x, first, ",");
    put(w, "}");
}

static void write_application(writer *w, const ev_syntax *x)
{
    const ev_symbol *s = &w->table->symbols[x->symbol];
    size_t left = s->kind == EV_SYMBOL_DEFINITION ? s->definition->left_count : x->child_count;
    put(w, "%s(", s->name);
    for (size_t i = 0; i < x->child_count; i++) {
        put(w, "%s", i == 0 ? "" : i == left ? "\\mid " : ", ");
        write_at(w, x->children[i], LEVEL_SUM);
    }
    put(w, ")");
}

static bool ends_in_number(const ev_syntax *x) { return x->kind == EV_SYNTAX_NUMBER; }

static void write_product(writer *w, const ev_syntax *x)
{
    for (size_t i = 0; i < x->child_count; i++) {
        const ev_syntax *child = x->children[i];
        bool last = i + 1 == x->child_count;
        level l = level_of(child);
        bool open = l == LEVEL_SUM || (l == LEVEL_PRODUCT && !last) ||
                    ((child->kind == EV_SYNTAX_FUNCTION || child->kind == EV_SYNTAX_GRADIENT) &&
                     !last);
        if (i > 0)
            put(w, ends_in_number(child) && ends_in_number(x->children[i - 1]) ? " \\cdot " : " ");
        if (open)
            put(w, "(");
        write_at(w, child, LEVEL_SUM);
        if (open)
            put(w, ")");
    }
}

static void write_range(writer *w, const char *sign, const ev_syntax *x)
{
    put(w, "%s_{%s", sign, name(w, x->symbol));
    if (x->child_count == 3) {
        put(w, "=");
        write_at(w, x->children[1], LEVEL_SUM);
        put(w, "}^{");
        write_at(w, x->children[2], LEVEL_SUM);
    }
    put(w, "} ");
    write_at(w, x->children[0], LEVEL_PRODUCT);
}

static void write_function(writer *w, const ev_syntax *x)
{
    static const char *const names[] = {"\\log",
                                        "\\exp",
                                        "\\tanh",
                                        "\\sin",
                                        "\\cos",
                                        "\\sqrt",
                                        "\\operatorname{sigmoid}",
                                        "\\operatorname{softplus}",
                                        "\\operatorname{softmax}",
                                        "\\max",
                                        "\\min",
                                        "\\det",
                                        "\\operatorname{tr}",
                                        "\\operatorname{diag}",
                                        "\\operatorname{sg}"};
    const char *brackets = x->function == EV_FUNCTION_SQRT ? "{}" : "()";
    put(w, "%s%c", names[x->function], brackets[0]);
    write_list(w, x, 0, ", ");
    put(w, "%c", brackets[1]);
}

static void write_base_density(writer *w, const ev_syntax *x)
{
    static const char *const names[] = {"\\mathcal{N}", "\\mathrm{Ber}", "\\mathrm{Cat}"};
    put(w, "%s(", names[x->kind - EV_SYNTAX_NORMAL]);
    write_at(w, x->children[0], LEVEL_SUM);
    put(w, "; ");
    write_list(w, x, 1, ", ");
    put(w, ")");
}

static void write_operator(writer *w, const ev_syntax *x)
{
    switch (x->kind) {
    case EV_SYNTAX_INTEGRAL:
        for (size_t i = 0; i < x->variable_count; i++)
            put(w, "\\int ");
        write_at(w, x->children[0],
                 level_of(x->children[0]) == LEVEL_SUM ? LEVEL_PRODUCT : LEVEL_SUM);
        for (size_t i = 0; i < x->variable_count; i++)
            put(w, "\\,d%s", name(w, x->variables[i]));
        return;
    case EV_SYNTAX_EXPECT:
    case EV_SYNTAX_VARIANCE:
        put(w, x->kind == EV_SYNTAX_EXPECT ? "\\mathbb{E}" : "\\operatorname{Var}");
        if (x->child_count > 1) {
            put(w, "_{");
            write_list(w, x, 1, " ");
            put(w, "}");
        }
        put(w, "[");
        write_at(w, x->children[0], LEVEL_SUM);
        put(w, "]");
        return;
    case EV_SYNTAX_KL:
    case EV_SYNTAX_ENTROPY:
    case EV_SYNTAX_CROSS_ENTROPY:
        put(w, x->kind == EV_SYNTAX_KL ? "D_{KL}(" : "\\mathcal{H}(");
        write_list(w, x, 0, x->kind == EV_SYNTAX_KL ? " \\| " : ", ");
        put(w, ")");
        return;
    case EV_SYNTAX_GRADIENT:
        put(w, "\\nabla_{%s} ", name(w, x->symbol));
        write_at(w, x->children[0], LEVEL_FACTOR);
        return;
    default: /* arg min, arg max */
        put(w, "\\arg\\%s_{%s} ", x->kind == EV_SYNTAX_ARGMIN ? "min" : "max",
            name(w, x->variables[0]));
        write_at(w, x->children[0], LEVEL_PRODUCT);
    }
}

static void write_bare(writer *w, const ev_syntax *x)
{
    switch (x->kind) {
    case EV_SYNTAX_NUMBER: write_number(w, x->number); return;
    case EV_SYNTAX_SYMBOL: put(w, "%s", name(w, x->symbol)); return;
    case EV_SYNTAX_IDENTITY: put(w, "I"); return;
    case EV_SYNTAX_ONES: put(w, "\\mathbf{1}"); return;
    case EV_SYNTAX_INDEX: write_index(w, x); return;
    case EV_SYNTAX_APPLY: write_application(w, x); return;
    case EV_SYNTAX_ADD:
    case EV_SYNTAX_SUB:
        write_at(w, x->children[0], LEVEL_SUM);
        put(w, x->kind == EV_SYNTAX_ADD ? " + " : " - ");
        write_at(w, x->children[1], LEVEL_PRODUCT);
        return;
    case EV_SYNTAX_NEG:
        put(w, "-");
        write_at(w, x->children[0], LEVEL_PRODUCT);
        return;
    case EV_SYNTAX_MUL: write_product(w, x); return;
    case EV_SYNTAX_ODOT:
    case EV_SYNTAX_OSLASH:
        write_at(w, x->children[0], LEVEL_FACTOR);
        put(w, x->kind == EV_SYNTAX_ODOT ? " \\odot " : " \\oslash ");
        write_at(w, x->children[1], LEVEL_FACTOR);
        return;
    case EV_SYNTAX_DIV:
        put(w, "\\frac{");
        write_at(w, x->children[0], LEVEL_SUM);
        put(w, "}{");
        write_at(w, x->children[1], LEVEL_SUM);
        put(w, "}");
        return;
    case EV_SYNTAX_POW:
        write_at(w, x->children[0], LEVEL_ATOM);
        put(w, "^{");
        write_at(w, x->children[1], LEVEL_SUM);
        put(w, "}");
        return;
    case EV_SYNTAX_TRANSPOSE:
    case EV_SYNTAX_INVERSE:
        write_at(w, x->children[0], LEVEL_ATOM);
        put(w, x->kind == EV_SYNTAX_TRANSPOSE ? "^\\top" : "^{-1}");
        return;
    case EV_SYNTAX_FUNCTION: write_function(w, x); return;
    case EV_SYNTAX_NORM:
    case EV_SYNTAX_ABS:
        put(w, x->kind == EV_SYNTAX_NORM ? "\\lVert " : "\\lvert ");
        write_at(w, x->children[0], LEVEL_SUM);
        put(w, x->kind == EV_SYNTAX_NORM ? "\\rVert" : "\\rvert");
        return;
    case EV_SYNTAX_SUM: write_range(w, "\\sum", x); return;
    case EV_SYNTAX_PRODUCT: write_range(w, "\\prod", x); return;
    case EV_SYNTAX_MAXIMUM: write_range(w, "\\max", x); return;
    case EV_SYNTAX_MINIMUM: write_range(w, "\\min", x); return;
    case EV_SYNTAX_INDICATOR:
        put(w, "\\mathbb{1}[");
        write_at(w, x->children[0], LEVEL_SUM);
        put(w, " %s ", ev_relation_text((ev_relation)x->relation));
        write_at(w, x->children[1], LEVEL_SUM);
        put(w, "]");
        return;
    case EV_SYNTAX_NORMAL:
    case EV_SYNTAX_BERNOULLI:
    case EV_SYNTAX_CATEGORICAL: write_base_density(w, x); return;
    default: write_operator(w, x);
    }
}

static void write_at(writer *w, const ev_syntax *x, level need)
{
    bool brackets = level_of(x) < need;
    if (brackets)
        put(w, "(");
    write_bare(w, x);
    if (brackets)
        put(w, ")");
}

const char *ev_syntax_to_tex(const ev_symbol_table *table, const ev_syntax *expression,
                             ev_arena *arena)
{
    writer w = {.table = table};
    write_at(&w, expression, LEVEL_SUM);
    const char *copy = w.failed || w.text == NULL ? NULL : ev_arena_text(arena, w.text, w.length);
    free(w.text);
    return copy;
}
