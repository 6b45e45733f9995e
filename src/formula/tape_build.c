/* From a scope's nodes to a tape.
 *
 *  1. Emission: the scope's schedule in order; at a group of nested EXPECTs that bind the same
 *     coordinates, a loop with their common body inside.  Operands and results are values,
 *     numbered as they come.
 *  2. Lifetimes: a value dies at its last use; one made outside a loop and used in it
 *     lives until the loop's END.
 *  3. Slots: the linear scan; a result may take the register of an operand that dies there. */
#include "formula/tape.h"

#include <assert.h>
#include <stdlib.h>

typedef enum { OUTSIDE, COORDINATE, FUNCTION, LOOP_VALUE, SINGLE, BLOCK } kind;

typedef struct {
    kind sort;
    bool block;     /* differs from point to point */
    uint32_t index; /* in its part of the slots */
    ev_node node;   /* whose value it is; 0: of none */
    size_t made, last;
    uint32_t next; /* values that die at the same position: a list, ending in NONE */
} value;

typedef struct {
    size_t begin, end;
} span;

enum { NONE = EV_NO_VALUE };

typedef struct {
    const ev_graph *graph;
    ev_arena *arena;
    frame *f;
    const uint32_t *number_of;
    uint32_t
        *value_of; /* (nodes of the graph): the value of a node in the scopes open now, or NONE */
    ev_tape *tape;
    ev_scope scope;
    value *values;
    size_t value_count, value_capacity;
    ev_instruction *code;
    size_t length, code_capacity;
    ev_loop *loops;
    size_t loop_count, loop_capacity;
    uint32_t *scalars;
    size_t scalar_count, scalar_capacity;
    ev_error *error;
    ev_status status;
    uint32_t loop_values;
} builder;

static bool fail(builder *b, ev_status status)
{
    if (b->status == EV_OK)
        b->status = status;
    return false;
}

/* ---- 1. emission ---- */

/* A new value, that of a node if v.node is set. */
static bool new_value(builder *b, value v, uint32_t *number)
{
    if (b->value_count >= NONE ||
        !ev_array_reserve(&b->values, b->value_count, &b->value_capacity, sizeof v))
        return fail(b, EV_NO_MEMORY);
    v.made = b->length;
    v.next = NONE;
    b->values[b->value_count] = v;
    *number = (uint32_t)b->value_count++;
    if (v.node != 0)
        b->value_of[v.node] = *number;
    return true;
}

static bool emit(builder *b, ev_instruction instruction)
{
    if (!ev_array_reserve(&b->code, b->length, &b->code_capacity, sizeof instruction))
        return fail(b, EV_NO_MEMORY);
    b->code[b->length++] = instruction;
    return true;
}

/* The value of a node that this scope uses: a scalar from outside, or made before. */
static bool operand(builder *b, ev_node node, uint32_t *number)
{
    *number = b->value_of[node];
    if (*number != NONE)
        return true;
    if (!ev_array_reserve(&b->scalars, b->scalar_count, &b->scalar_capacity, sizeof *b->scalars))
        return fail(b, EV_NO_MEMORY);
    b->scalars[b->scalar_count] = b->number_of[node];
    value v = {.sort = OUTSIDE, .index = (uint32_t)b->scalar_count++, .node = node};
    return new_value(b, v, number);
}

static bool emit_operation(builder *b, ev_node node)
{
    const graph_node n = *node_at(b->graph, node);
    bool unary = n.b == 0;
    uint32_t x, y, result;
    if (!operand(b, n.a, &x))
        return false;
    y = x;
    if (!unary && !operand(b, n.b, &y))
        return false;
    bool p = b->values[x].block, q = b->values[y].block;
    ev_form form = p == q ? EV_FORM_VV : p ? EV_FORM_VS : EV_FORM_SV;
    ev_op op = (ev_op)n.op;
    ev_kernel kernel = ev_kernel_find(op, form);
    if (op == EV_OP_MUL && (node_at(b->graph, n.a)->log_zero || node_at(b->graph, n.b)->log_zero))
        kernel = ev_kernel_zero_product(form);
    value v = {.sort = p || q ? BLOCK : SINGLE, .block = p || q, .node = node};
    if (!new_value(b, v, &result))
        return false;
    return emit(b, (ev_instruction){.kernel = kernel,
                                    .dst = result,
                                    .a = x,
                                    .b = y,
                                    .code = EV_CODE_APPLY,
                                    .op = n.op,
                                    .single = !(p || q)});
}

static bool emit_scope(builder *b, size_t n, const ev_node *roots);

/* Does an EXPECT inside the tape differ from point to point? */
static bool is_block(const builder *b, ev_node node)
{
    return ev_sets_meet(b->graph, node_at(b->graph, node)->free, b->scope.set[0]);
}

static bool open_loop(builder *b, uint32_t set, uint32_t *loop)
{
    const size_t dim = b->graph->sets[set].n;
    uint32_t v;
    if (!ev_array_reserve(&b->loops, b->loop_count, &b->loop_capacity, sizeof *b->loops))
        return fail(b, EV_NO_MEMORY);
    *loop = (uint32_t)b->loop_count++;
    b->loops[*loop] = (ev_loop){.dim = (uint32_t)dim,
                                .coordinates = b->loop_values,
                                .weight = b->loop_values + (uint32_t)dim,
                                .begin = (uint32_t)b->length};
    for (size_t d = 0; d < dim; d++) {
        value coordinate = {
            .sort = LOOP_VALUE, .index = b->loop_values++, .node = b->graph->sets[set].items[d]};
        if (!new_value(b, coordinate, &v))
            return false;
    }
    b->loop_values++;
    b->tape->loop_dim = dim > b->tape->loop_dim ? dim : b->tape->loop_dim;
    return emit(b, (ev_instruction){.code = EV_CODE_LOOP, .dst = *loop});
}

static bool clear_sums(builder *b, size_t n, const ev_scheduled *expects)
{
    for (size_t i = 0; i < n; i++) {
        bool block = is_block(b, expects[i].node);
        uint32_t sum;
        value v = {.sort = block ? BLOCK : SINGLE, .block = block, .node = expects[i].node};
        if (!new_value(b, v, &sum) ||
            !emit(b, (ev_instruction){.code = EV_CODE_CLEAR, .dst = sum, .single = !block}))
            return false;
    }
    return true;
}

/* n EXPECTs that bind the same set: one loop for all. */
static bool emit_loop(builder *b, size_t n, const ev_scheduled *expects)
{
    if (b->scope.depth == EV_NESTING_MAX) {
        ev_error_set(b->error, EV_BAD_INPUT, "expectations are nested more than %d deep",
                     (int)EV_NESTING_MAX);
        return fail(b, EV_BAD_INPUT);
    }
    ev_node *bodies;
    uint32_t loop, v, weight;
    if (!ev_graph_fresh_array(&bodies, n, sizeof *bodies))
        return fail(b, EV_NO_MEMORY);
    for (size_t i = 0; i < n; i++)
        bodies[i] = node_at(b->graph, expects[i].node)->a;
    bool ok = clear_sums(b, n, expects) && open_loop(b, expects[0].set, &loop);
    b->scope.set[b->scope.depth++] = expects[0].set;
    ok = ok && emit_scope(b, n, bodies);
    b->scope.depth--;
    ok = ok && new_value(b, (value){.sort = LOOP_VALUE, .index = b->loops[loop].weight}, &weight);
    for (size_t i = 0; ok && i < n; i++)
        ok = operand(b, bodies[i], &v) &&
             emit(b, (ev_instruction){.kernel = ev_kernel_accumulate,
                                      .code = EV_CODE_ACCUMULATE,
                                      .dst = b->value_of[expects[i].node],
                                      .a = v,
                                      .b = weight,
                                      .single = !is_block(b, expects[i].node)});
    free(bodies);
    if (!ok)
        return false;
    b->loops[loop].end = (uint32_t)b->length;
    return emit(b, (ev_instruction){.code = EV_CODE_END, .dst = loop});
}

static bool emit_schedule(builder *b, const ev_schedule *schedule)
{
    for (size_t i = 0; i < schedule->n;) {
        const ev_scheduled *s = &schedule->items[i];
        size_t alike = 1;
        if (s->is_value) {
            if (ev_graph_op(b->graph, s->node) > EV_OP_COORDINATE && !emit_operation(b, s->node))
                return false;
        } else {
            while (i + alike < schedule->n && !s[alike].is_value && s[alike].set == s->set &&
                   s[alike].stage == s->stage)
                alike++;
            if (!emit_loop(b, alike, s))
                return false;
        }
        i += alike;
    }
    return true;
}

static bool emit_scope(builder *b, size_t n, const ev_node *roots)
{
    ev_schedule schedule;
    bool ok = ev_schedule_make(b->graph, b->f, &b->scope, n, roots, &schedule)
                  ? emit_schedule(b, &schedule)
                  : fail(b, EV_NO_MEMORY);
    free(schedule.items);
    return ok;
}

/* The functions' values go straight to the caller's arrays; a coordinate, or the same value
 * asked for twice, is copied. */
static bool emit_functions(builder *b, size_t n, const ev_node *bodies)
{
    for (size_t k = 0; k < n; k++) {
        uint32_t x, result;
        if (!operand(b, bodies[k], &x))
            return false;
        assert(b->values != NULL); /* coordinates came first */
        if (b->values[x].sort == BLOCK) {
            b->values[x].sort = FUNCTION;
            b->values[x].index = (uint32_t)k;
            continue;
        }
        if (!new_value(b, (value){.sort = FUNCTION, .block = true, .index = (uint32_t)k},
                       &result) ||
            !emit(b, (ev_instruction){.code = EV_CODE_COPY, .dst = result, .a = x}))
            return false;
    }
    return true;
}

static bool emit_all(builder *b, size_t n, const ev_node *bodies, uint32_t set)
{
    const coordinate_set bound = b->graph->sets[set];
    b->scope.set[b->scope.depth++] = set;
    for (size_t d = 0; d < bound.n; d++) {
        uint32_t v;
        value coordinate = {
            .sort = COORDINATE, .block = true, .index = (uint32_t)d, .node = bound.items[d]};
        if (!new_value(b, coordinate, &v))
            return false;
    }
    return emit_scope(b, n, bodies) && emit_functions(b, n, bodies);
}

/* ---- 2. lifetimes ---- */

/* Loops are numbered in the order of their beginnings and nest properly. */
static void use(builder *b, uint32_t v, size_t position)
{
    value *x = &b->values[v];
    size_t last = position;
    for (size_t l = 0; l < b->loop_count; l++)
        if (b->loops[l].begin < position && position < b->loops[l].end &&
            x->made < b->loops[l].begin) {
            last = b->loops[l].end;
            break; /* the outermost such loop */
        }
    x->last = last > x->last ? last : x->last;
}

static void find_lifetimes(builder *b)
{
    for (size_t p = 0; p < b->length; p++) {
        const ev_instruction *i = &b->code[p];
        switch ((ev_code)i->code) {
        case EV_CODE_APPLY:
        case EV_CODE_COPY:
            use(b, i->a, p);
            use(b, i->code == EV_CODE_COPY ? i->a : i->b, p);
            break;
        case EV_CODE_ACCUMULATE:
            use(b, i->a, p);
            use(b, i->dst, p);
            break;
        default: break;
        }
    }
}

/* ---- 3. slots ---- */

typedef struct {
    uint32_t *items; /* registers that are free now */
    size_t n, capacity;
    uint32_t made;
} pool;

static bool take(builder *b, pool *p, uint32_t *place)
{
    if (p->n > 0) {
        *place = p->items[--p->n];
        return true;
    }
    *place = p->made++;
    /* Room for all of them to come back. */
    return ev_array_reserve(&p->items, p->made, &p->capacity, sizeof *p->items) ||
           fail(b, EV_NO_MEMORY);
}

static void give_back(builder *b, pool pools[2], uint32_t v)
{
    const value *x = &b->values[v];
    if (x->sort == SINGLE || x->sort == BLOCK) {
        pool *p = &pools[x->sort == BLOCK];
        p->items[p->n++] = x->index;
    }
}

/* dying[p]: the list of values whose last use is at p. */
static bool assign_registers(builder *b, pool pools[2], uint32_t *dying)
{
    for (size_t p = 0; p <= b->length; p++)
        dying[p] = NONE;
    for (uint32_t v = 0; v < b->value_count; v++) {
        value *x = &b->values[v];
        x->last = x->last < x->made ? x->made : x->last;
        x->next = dying[x->last];
        dying[x->last] = v;
    }
    for (size_t p = 0; p < b->length; p++) {
        const ev_instruction *i = &b->code[p];
        for (uint32_t v = dying[p]; v != NONE; v = b->values[v].next)
            if (b->values[v].made < p)
                give_back(b, pools, v);
        value *x = &b->values[i->dst];
        bool makes = i->code == EV_CODE_APPLY || i->code == EV_CODE_CLEAR;
        if (makes && (x->sort == SINGLE || x->sort == BLOCK)) {
            if (!take(b, &pools[x->sort == BLOCK], &x->index))
                return false;
            if (x->last == p) /* made and never used */
                give_back(b, pools, i->dst);
        }
    }
    return true;
}

static uint32_t slot_of(const builder *b, uint32_t v)
{
    const value *x = &b->values[v];
    const ev_tape *t = b->tape;
    size_t first[] = {[OUTSIDE] = 0,
                      [COORDINATE] = t->scalars,
                      [FUNCTION] = t->scalars + t->dim,
                      [LOOP_VALUE] = t->scalars + t->dim + t->functions,
                      [SINGLE] = t->scalars + t->dim + t->functions + b->loop_values,
                      [BLOCK] = t->scalars + t->dim + t->functions + b->loop_values + t->singles};
    return (uint32_t)(first[x->sort] + x->index);
}

static bool lay_out(builder *b)
{
    pool pools[2] = {{0}, {0}};
    uint32_t *dying;
    if (!ev_graph_fresh_array(&dying, b->length + 1, sizeof *dying))
        return fail(b, EV_NO_MEMORY);
    bool ok = assign_registers(b, pools, dying);
    free(dying);
    free(pools[0].items);
    free(pools[1].items);
    ev_tape *t = b->tape;
    t->scalars = b->scalar_count;
    t->singles = pools[0].made;
    t->registers = pools[1].made;
    t->slots = t->scalars + t->dim + t->functions + b->loop_values + t->singles + t->registers;
    return ok;
}

/* The finished tape's arrays, with slots for values. */
static bool finish(builder *b)
{
    ev_tape *t = b->tape;
    t->length = b->length;
    t->loop_count = b->loop_count;
    t->code = ev_arena_array(b->arena, b->length, sizeof *t->code);
    t->loops = ev_arena_array(b->arena, b->loop_count, sizeof *t->loops);
    t->scalar_numbers = ev_arena_array(b->arena, b->scalar_count, sizeof *t->scalar_numbers);
    t->bounds = ev_arena_array(b->arena, t->slots, sizeof *t->bounds);
    if (ev_arena_failed(b->arena))
        return fail(b, EV_NO_MEMORY);
    for (size_t p = 0; p < b->length; p++) {
        ev_instruction i = b->code[p];
        if (i.code != EV_CODE_LOOP && i.code != EV_CODE_END) {
            i.dst = slot_of(b, i.dst);
            bool reads = i.code != EV_CODE_CLEAR;
            i.a = reads ? slot_of(b, i.a) : 0;
            i.b = reads && i.code != EV_CODE_COPY ? slot_of(b, i.b) : i.a;
        }
        t->code[p] = i;
    }
    for (size_t l = 0; l < b->loop_count; l++) {
        t->loops[l] = b->loops[l];
        uint32_t first = (uint32_t)(t->scalars + t->dim + t->functions);
        t->loops[l].coordinates += first;
        t->loops[l].weight += first;
    }
    for (size_t s = 0; s < b->scalar_count; s++)
        t->scalar_numbers[s] = b->scalars[s];
    size_t fits = 24 * 1024 / sizeof(double) / (t->registers + t->functions + t->dim);
    t->chunk = fits >= EV_BLOCK ? EV_BLOCK : fits >= 128 ? 128 : 64;
    return true;
}

static void free_builder(builder *b)
{
    for (size_t v = 0; v < b->value_count; v++)
        b->value_of[b->values[v].node] = NONE;
    free(b->values);
    free(b->code);
    free(b->loops);
    free(b->scalars);
}

ev_status ev_tape_build(ev_arena *arena, const ev_graph *graph, const ev_tape_scratch *scratch,
                        size_t n, const ev_node *bodies, uint32_t set, const ev_number *numbers,
                        ev_tape **tape, ev_error *error)
{
    builder b = {.graph = graph, .arena = arena, .f = scratch->f, .error = error};
    b.number_of = scratch->number_of;
    b.value_of = scratch->value_of;
    *tape = b.tape = ev_arena_array(arena, 1, sizeof *b.tape);
    if (b.tape == NULL)
        return EV_NO_MEMORY;
    b.tape->dim = graph->sets[set].n;
    b.tape->functions = n;
    b.tape->numbers = numbers;
    if (emit_all(&b, n, bodies, set)) {
        find_lifetimes(&b);
        if (lay_out(&b) && finish(&b) && !ev_tape_reserve(b.tape, 1))
            fail(&b, EV_NO_MEMORY);
    }
    free_builder(&b);
    return b.status;
}
