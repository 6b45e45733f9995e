#include "judge/repair.h"

#include "formula/syntax.h"
#include "formula/unparse.h"

#include <string.h>

/* What stands on the right before what it is said to be equal to: a chain goes on to the right, and
 * the slip is where it went. */
static bool is_simpler(const ev_edit *a, const ev_edit *b, size_t right)
{
    if (a->member != b->member)
        return a->member == right;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return strlen(a->after) < strlen(b->after);
}

void ev_repair_order(size_t count, ev_edit *edits, size_t right)
{
    for (size_t i = 1; i < count; i++) {
        ev_edit edit = edits[i];
        size_t k = i;
        for (; k > 0 && is_simpler(&edit, &edits[k - 1], right); k--)
            edits[k] = edits[k - 1];
        edits[k] = edit;
    }
}

/* ---- where ---- */

typedef struct {
    const ev_symbol_table *table;
    ev_arena *arena;
    const ev_edit *edit;
    size_t earlier, all; /* parts of the member that read as the one edited */
    bool failed;
} census;

static bool is_earlier(const ev_syntax *a, const ev_syntax *b)
{
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

static void count_same(census *c, const ev_syntax *x)
{
    const char *text = ev_syntax_to_tex(c->table, x, c->arena);
    c->failed |= text == NULL;
    if (text != NULL && strcmp(text, c->edit->before) == 0) {
        c->all++;
        c->earlier += is_earlier(x, c->edit->at);
    }
    for (size_t i = 0; i < x->child_count; i++)
        count_same(c, x->children[i]);
}

/* " on the right, second" */
static const char *place(const ev_formula *formula, size_t step, const ev_edit *edit,
                         ev_arena *arena)
{
    static const char *const ordinals[] = {", first", ", second", ", third", ", fourth", ", fifth"};
    enum { ORDINALS = sizeof ordinals / sizeof *ordinals };
    census c = {formula->scope->table, arena, edit, 0, 0, false};
    count_same(&c, formula->members[edit->member]);
    if (c.failed)
        return NULL;
    const char *side = edit->member == formula->steps[step].right ? "right" : "left";
    bool several = c.all > 1 && c.earlier < ORDINALS;
    return ev_arena_format(arena, " on the %s%s", side, several ? ordinals[c.earlier] : "");
}

static bool has_twin(const ev_repair *repairs, size_t count, size_t i)
{
    bool twin = false;
    for (size_t k = 0; k < count; k++)
        twin |= k != i && strcmp(repairs[k].after, repairs[i].after) == 0 &&
                strcmp(repairs[k].before, repairs[i].before) == 0;
    return twin && repairs[i].edit != NULL;
}

const char *ev_repair_text(const ev_formula *formula, size_t step, const ev_repair *repairs,
                           size_t count, ev_arena *arena)
{
    const char *text = "holds";
    for (size_t i = 0; i < count && text != NULL; i++) {
        const char *where = has_twin(repairs, count, i)
                                ? place(formula, step, repairs[i].edit, arena)
                                : "";
        text = where == NULL
                   ? NULL
                   : ev_arena_format(arena, "%s%s with %s for %s%s", text, i == 0 ? "" : ", or",
                                     repairs[i].after, repairs[i].before, where);
    }
    return text;
}
