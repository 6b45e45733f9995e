#include "formula/parser.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

ev_symbol_table *ev_symbol_table_create(ev_arena *arena)
{
    ev_symbol_table *table = ev_arena_array(arena, 1, sizeof *table);
    if (table != NULL)
        table->arena = arena;
    return table;
}

void ev_symbol_table_destroy(ev_symbol_table *table)
{
    if (table != NULL) {
        free(table->symbols);
        table->symbols = NULL;
    }
}

int ev_symbol_table_add(ev_symbol_table *table, const ev_symbol *symbol)
{
    if (!ev_array_reserve(&table->symbols, table->symbol_count, &table->symbol_capacity,
                          sizeof *table->symbols))
        return -1;
    table->symbols[table->symbol_count] = *symbol;
    return (int)table->symbol_count++;
}

void ev_scope_init(ev_scope *scope, ev_symbol_table *table) { *scope = (ev_scope){.table = table}; }

void ev_scope_truncate(ev_scope *scope, size_t visible_count, size_t condition_count)
{
    scope->visible_count = visible_count;
    scope->condition_count = condition_count;
}

const ev_scope *ev_scope_snapshot(const ev_scope *scope, ev_arena *arena)
{
    ev_scope *copy = ev_arena_array(arena, 1, sizeof *copy);
    int *visible = ev_arena_array(arena, scope->visible_count + 1, sizeof *visible);
    ev_condition *conditions = ev_arena_array(arena, scope->condition_count + 1,
                                              sizeof *conditions);
    if (copy == NULL || visible == NULL || conditions == NULL)
        return NULL;
    if (scope->visible_count > 0)
        memcpy(visible, scope->visible, scope->visible_count * sizeof *visible);
    if (scope->condition_count > 0)
        memcpy(conditions, scope->conditions, scope->condition_count * sizeof *conditions);
    *copy = *scope;
    copy->visible = visible;
    copy->conditions = conditions;
    return copy;
}

void ev_scope_destroy(ev_scope *scope)
{
    free(scope->visible);
    free(scope->conditions);
    *scope = (ev_scope){.table = scope->table};
}

bool ev_scope_show(ev_scope *scope, int symbol)
{
    if (!ev_array_reserve(&scope->visible, scope->visible_count, &scope->visible_capacity,
                          sizeof *scope->visible))
        return false;
    scope->visible[scope->visible_count++] = symbol;
    return true;
}

static bool is_applied(const ev_symbol *symbol)
{
    return symbol->kind == EV_SYMBOL_FUNCTION ||
           (symbol->kind == EV_SYMBOL_DEFINITION && symbol->definition->applied);
}

int ev_scope_find(const ev_scope *scope, const char *name)
{
    for (size_t i = scope->visible_count; i-- > 0;) {
        const ev_symbol *symbol = &scope->table->symbols[scope->visible[i]];
        if (!is_applied(symbol) && strcmp(symbol->name, name) == 0)
            return scope->visible[i];
    }
    return -1;
}

int ev_scope_find_family(const ev_scope *scope, const char *name, size_t *before)
{
    size_t i = *before < scope->visible_count ? *before : scope->visible_count;
    while (i-- > 0) {
        const ev_symbol *symbol = &scope->table->symbols[scope->visible[i]];
        if (is_applied(symbol) && strcmp(symbol->name, name) == 0) {
            *before = i;
            return scope->visible[i];
        }
    }
    return -1;
}
