/* Interned sets of coordinates: what a node is free in, what an EXPECT binds. */
#include "formula/graph_internal.h"

#include <stdlib.h>
#include <string.h>

uint64_t ev_graph_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

bool ev_graph_fresh_array(void *items, size_t count, size_t size)
{
    void *array = NULL;
    size_t capacity = (count + 1) / 2;
    if (!ev_array_reserve(&array, capacity, &capacity, size))
        return false;
    memset(array, 0, capacity * size);
    memcpy(items, &array, sizeof array);
    return true;
}

static uint64_t hash_items(const ev_node *items, size_t n)
{
    uint64_t hash = n;
    for (size_t i = 0; i < n; i++)
        hash = ev_graph_mix(hash ^ (items[i] + UINT64_C(0x9e3779b97f4a7c15)));
    return hash;
}

static size_t find_slot(const ev_graph *graph, const ev_node *items, size_t n)
{
    size_t slot = (size_t)hash_items(items, n) & (graph->set_slots - 1);
    for (; graph->set_table[slot] != 0; slot = (slot + 1) & (graph->set_slots - 1)) {
        const coordinate_set *set = &graph->sets[graph->set_table[slot]];
        if (set->n == n && memcmp(set->items, items, n * sizeof *items) == 0)
            break;
    }
    return slot;
}

static bool grow_table(ev_graph *graph)
{
    if (2 * graph->set_count < graph->set_slots)
        return true;
    size_t slots = graph->set_slots == 0 ? 64 : 2 * graph->set_slots;
    uint32_t *table;
    if (!ev_graph_fresh_array(&table, slots, sizeof *table))
        return false;
    free(graph->set_table);
    graph->set_table = table;
    graph->set_slots = slots;
    for (uint32_t i = 1; i < graph->set_count; i++)
        table[find_slot(graph, graph->sets[i].items, graph->sets[i].n)] = i;
    return true;
}

static bool add_empty_set(ev_graph *graph)
{
    if (!ev_array_reserve(&graph->sets, 0, &graph->set_capacity, sizeof *graph->sets))
        return false;
    graph->sets[0] = (coordinate_set){0};
    graph->set_count = 1;
    return true;
}

uint32_t ev_set_intern(ev_graph *graph, const ev_node *ascending, size_t n)
{
    if (graph->set_count == 0 && !add_empty_set(graph))
        return EV_NO_SET;
    if (n == 0)
        return 0;
    if (!grow_table(graph))
        return EV_NO_SET;
    size_t slot = find_slot(graph, ascending, n);
    if (graph->set_table[slot] != 0)
        return graph->set_table[slot];
    ev_node *items = ev_arena_array(graph->arena, n, sizeof *items);
    if (items == NULL || graph->set_count >= EV_NO_SET ||
        !ev_array_reserve(&graph->sets, graph->set_count, &graph->set_capacity,
                          sizeof *graph->sets))
        return EV_NO_SET;
    memcpy(items, ascending, n * sizeof *items);
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i++)
        mask |= UINT64_C(1) << (ev_graph_mix(items[i]) & 63);
    graph->sets[graph->set_count] = (coordinate_set){items, n, mask};
    graph->set_table[slot] = (uint32_t)graph->set_count;
    return (uint32_t)graph->set_count++;
}

/* Merge two ascending lists: those in a or b, or those in a and not in b. */
static size_t merge(const coordinate_set *a, const coordinate_set *b, bool keep_b, ev_node *out)
{
    size_t n = 0, i = 0, j = 0;
    while (i < a->n || j < b->n) {
        if (j == b->n || (i < a->n && a->items[i] < b->items[j])) {
            out[n++] = a->items[i++];
        } else if (i == a->n || b->items[j] < a->items[i]) {
            if (keep_b)
                out[n++] = b->items[j];
            j++;
        } else {
            if (keep_b)
                out[n++] = a->items[i];
            i++;
            j++;
        }
    }
    return n;
}

static uint32_t combine(ev_graph *graph, uint32_t a, uint32_t b, bool keep_b)
{
    ev_node few[64], *items = few;
    size_t most = graph->sets[a].n + graph->sets[b].n;
    if (most > sizeof few / sizeof *few && !ev_graph_fresh_array(&items, most, sizeof *items))
        return EV_NO_SET;
    size_t n = merge(&graph->sets[a], &graph->sets[b], keep_b, items);
    uint32_t set = ev_set_intern(graph, items, n);
    if (items != few)
        free(items);
    return set;
}

uint32_t ev_set_union(ev_graph *graph, uint32_t a, uint32_t b)
{
    if (a == b || b == 0)
        return a;
    if (a == 0)
        return b;
    return combine(graph, a, b, true);
}

uint32_t ev_set_minus(ev_graph *graph, uint32_t a, uint32_t b)
{
    if (a == 0 || a == b)
        return 0;
    if (!ev_sets_meet(graph, a, b))
        return a;
    return combine(graph, a, b, false);
}

bool ev_set_contains(const ev_graph *graph, uint32_t set, ev_node coordinate)
{
    const coordinate_set *s = &graph->sets[set];
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->items[middle] < coordinate)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->n && s->items[low] == coordinate;
}

bool ev_sets_meet(const ev_graph *graph, uint32_t a, uint32_t b)
{
    const coordinate_set *x = &graph->sets[a], *y = &graph->sets[b];
    if ((x->mask & y->mask) == 0)
        return false;
    for (size_t i = 0, j = 0; i < x->n && j < y->n;) {
        if (x->items[i] == y->items[j])
            return true;
        if (x->items[i] < y->items[j])
            i++;
        else
            j++;
    }
    return false;
}
