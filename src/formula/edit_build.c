/* Nodes of edited formulas, and the list of edits. */
#include "formula/edit_state.h"
#include "formula/unparse.h"

#include <string.h>

ev_syntax *ev_edit_copy(ev_editor *ed, const ev_syntax *x, size_t children)
{
    ev_syntax *node = ev_arena_array(ed->arena, 1, sizeof *node);
    const ev_syntax **list = ev_arena_array(ed->arena, children + 1, sizeof *list);
    if (node == NULL || list == NULL) {
        ed->failed = true;
        return NULL;
    }
    *node = *x;
    size_t kept = x->child_count < children ? x->child_count : children;
    if (kept > 0)
        memcpy(list, x->children, kept * sizeof *list);
    node->children = list;
    node->child_count = children;
    return node;
}

const ev_syntax *ev_edit_node(ev_editor *ed, ev_syntax_kind kind, const ev_syntax *at,
                              const ev_syntax *a, const ev_syntax *b)
{
    ev_syntax like = {
        .kind = kind, .symbol = -1, .line = at->line, .column = at->column, .length = at->length};
    ev_syntax *node = a == NULL ? NULL : ev_edit_copy(ed, &like, b == NULL ? 1 : 2);
    if (node == NULL)
        return NULL;
    node->children[0] = a;
    if (b != NULL)
        node->children[1] = b;
    return node;
}

const ev_syntax *ev_edit_number(ev_editor *ed, const ev_syntax *at, double value)
{
    ev_syntax like = {.kind = EV_SYNTAX_NUMBER,
                      .symbol = -1,
                      .number = value,
                      .line = at->line,
                      .column = at->column,
                      .length = at->length};
    return ev_edit_copy(ed, &like, 0);
}

const ev_syntax *ev_edit_symbol(ev_editor *ed, const ev_syntax *at, int symbol)
{
    ev_syntax like = {.kind = EV_SYNTAX_SYMBOL,
                      .symbol = symbol,
                      .line = at->line,
                      .column = at->column,
                      .length = at->length};
    return ev_edit_copy(ed, &like, 0);
}

const ev_syntax *ev_edit_with_child(ev_editor *ed, const ev_syntax *x, size_t i,
                                    const ev_syntax *child)
{
    ev_syntax *node = child == NULL ? NULL : ev_edit_copy(ed, x, x->child_count);
    if (node != NULL)
        node->children[i] = child;
    return node;
}

/* A product without its factor i; the other factor itself when only one is left. */
const ev_syntax *ev_edit_without_child(ev_editor *ed, const ev_syntax *x, size_t i)
{
    if (x->child_count == 2)
        return x->children[1 - i];
    ev_syntax *node = ev_edit_copy(ed, x, x->child_count - 1);
    for (size_t k = i; node != NULL && k + 1 < x->child_count; k++)
        node->children[k] = x->children[k + 1];
    return node;
}

/* ---- recording an edit ---- */

void ev_edit_emit(ev_editor *ed, ev_edit_kind kind, const ev_syntax *before, const ev_syntax *after)
{
    if (after == NULL || ed->failed)
        return;
    const ev_syntax *whole = after;
    for (size_t i = ed->depth; i-- > 0 && whole != NULL;)
        whole = ev_edit_with_child(ed, ed->path[i].node, ed->path[i].child, whole);
    const char *from = ev_syntax_to_tex(ed->table, before, ed->arena);
    const char *to = ev_syntax_to_tex(ed->table, after, ed->arena);
    if (whole == NULL || from == NULL || to == NULL ||
        !ev_array_reserve(&ed->edits, ed->count, &ed->capacity, sizeof *ed->edits)) {
        ed->failed = true;
        return;
    }
    if (strcmp(from, to) != 0)
        ed->edits[ed->count++] = (ev_edit){kind, from, to, ed->member, whole, before};
}
