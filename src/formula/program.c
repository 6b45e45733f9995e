/* Compilation: from roots to scalar instructions, batches of EXPECTs and their tapes. */
#include "formula/program_internal.h"

#include <stdlib.h>

typedef struct {
    ev_program *p;
    const ev_graph *graph;
    frame *f;
    uint32_t *number_of, *value_of; /* (nodes of the graph) */
    ev_schedule schedule;
    ev_error *error;
} compiler;

static ev_status check_roots(const compiler *c, size_t n, const ev_node *roots)
{
    for (size_t i = 0; i < n; i++) {
        if (roots[i] == 0 || roots[i] >= c->graph->count)
            return ev_error_set(c->error, EV_BAD_INPUT, "root %zu is no node", i);
        if (node_at(c->graph, roots[i])->free != 0)
            return ev_error_set(c->error, EV_BAD_INPUT, "root %zu has an unbound coordinate", i);
    }
    return EV_OK;
}

/* ---- the scalar part ---- */

static void count_parts(compiler *c)
{
    ev_program *p = c->p;
    for (size_t i = 0; i < c->schedule.n; i++) {
        ev_op op = ev_graph_op(c->graph, c->schedule.items[i].node);
        p->expectation_count += op == EV_OP_EXPECT;
        p->input_count += op == EV_OP_INPUT;
        p->instruction_count += op > EV_OP_COORDINATE && op != EV_OP_EXPECT;
        p->stage_count = c->schedule.items[i].stage + (size_t)1;
    }
}

static ev_status allocate(compiler *c)
{
    ev_program *p = c->p;
    ev_arena *arena = p->arena;
    p->number_count = c->schedule.n;
    p->numbers = ev_arena_array(arena, p->number_count, sizeof *p->numbers);
    p->instructions = ev_arena_array(arena, p->instruction_count, sizeof *p->instructions);
    p->inputs = ev_arena_array(arena, p->input_count, sizeof *p->inputs);
    p->expectations = ev_arena_array(arena, p->expectation_count, sizeof *p->expectations);
    p->batches = ev_arena_array(arena, p->expectation_count, sizeof *p->batches);
    p->stages = ev_arena_array(arena, p->stage_count, sizeof *p->stages);
    p->roots = ev_arena_array(arena, p->root_count, sizeof *p->roots);
    return ev_arena_failed(arena) ? EV_NO_MEMORY : EV_OK;
}

static ev_status add_scalar(compiler *c, uint32_t number, ev_node node, uint32_t *instruction_of)
{
    ev_program *p = c->p;
    const graph_node *n = node_at(c->graph, node);
    switch (n->op) {
    case EV_OP_VARIABLE: return ev_error_set(c->error, EV_BAD_INPUT, "a variable was left unbound");
    case EV_OP_CONSTANT:
        p->numbers[number] = ev_number_exact(n->value);
        p->numbers[number].error[EV_ERROR_ROUNDING] = n->error;
        return EV_OK;
    case EV_OP_INPUT: p->inputs[p->input_count++] = (scalar_input){number, n->a}; return EV_OK;
    case EV_OP_EXPECT:
        p->expectations[p->expectation_count++] = (expectation){.node = node, .number = number};
        return EV_OK;
    default:
        p->instructions[p->instruction_count++] = (scalar_instruction){
            n->op, number, c->number_of[n->a], n->b == 0 ? c->number_of[n->a] : c->number_of[n->b]};
        instruction_of[number] = (uint32_t)p->instruction_count;
        return EV_OK;
    }
}

static ev_status fill_scalars(compiler *c)
{
    ev_program *p = c->p;
    uint32_t *instruction_of = ev_arena_array(p->arena, p->number_count, sizeof *instruction_of);
    ev_node *nodes = ev_arena_array(p->arena, p->number_count, sizeof *nodes);
    if (instruction_of == NULL || nodes == NULL)
        return EV_NO_MEMORY;
    p->instruction_of = instruction_of;
    p->nodes = nodes;
    p->input_count = p->expectation_count = p->instruction_count = 0;
    for (size_t i = 0; i < c->schedule.n; i++) {
        nodes[i] = c->schedule.items[i].node;
        c->number_of[nodes[i]] = (uint32_t)i;
    }
    for (size_t i = 0; i < c->schedule.n; i++) {
        ev_status status = add_scalar(c, (uint32_t)i, nodes[i], instruction_of);
        if (status != EV_OK)
            return status;
        p->stages[c->schedule.items[i].stage].instruction_end = p->instruction_count;
    }
    for (size_t s = 1; s < p->stage_count; s++)
        if (p->stages[s].instruction_end < p->stages[s - 1].instruction_end)
            p->stages[s].instruction_end = p->stages[s - 1].instruction_end;
    return EV_OK;
}

/* ---- the EXPECTs ---- */

static ev_status build_tape(compiler *c, size_t first, size_t n, ev_tape **tape)
{
    ev_node bodies[EV_BATCH_MAX];
    for (size_t i = 0; i < n; i++)
        bodies[i] = node_at(c->graph, c->p->expectations[first + i].node)->a;
    const uint32_t set = node_at(c->graph, c->p->expectations[first].node)->b;
    const ev_tape_scratch scratch = {c->f, c->number_of, c->value_of};
    return ev_tape_build(c->p->arena, c->graph, &scratch, n, bodies, set, c->p->numbers, tape,
                         c->error);
}

static ev_status add_batch(compiler *c, size_t first, size_t n, size_t in_stage)
{
    ev_program *p = c->p;
    batch *b = &p->batches[p->batch_count++];
    *b = (batch){.first = first, .n = n};
    p->stages[in_stage].batch_end = p->batch_count;
    for (size_t i = 0; i < n; i++) {
        ev_status status = build_tape(c, first + i, 1, &p->expectations[first + i].tape);
        if (status != EV_OK)
            return status;
    }
    if (n > 1)
        return build_tape(c, first, n, &b->tape);
    b->tape = p->expectations[first].tape;
    return EV_OK;
}

/* The schedule has the EXPECTs of a stage side by side, those that bind alike together. */
static ev_status fill_batches(compiler *c)
{
    size_t expects = 0;
    const ev_schedule *s = &c->schedule;
    for (size_t i = 0; i < s->n;) {
        size_t alike = 1;
        if (s->items[i].is_value) {
            i++;
            continue;
        }
        while (i + alike < s->n && alike < EV_BATCH_MAX && !s->items[i + alike].is_value &&
               s->items[i + alike].set == s->items[i].set &&
               s->items[i + alike].stage == s->items[i].stage)
            alike++;
        ev_status status = add_batch(c, expects, alike, s->items[i].stage);
        if (status != EV_OK)
            return status;
        expects += alike;
        i += alike;
    }
    ev_program *p = c->p;
    for (size_t k = 1; k < p->stage_count; k++)
        if (p->stages[k].batch_end < p->stages[k - 1].batch_end)
            p->stages[k].batch_end = p->stages[k - 1].batch_end;
    return EV_OK;
}

/* ---- the roots ---- */

static bool everything(const ev_graph *graph, ev_node node, const void *context)
{
    (void)graph;
    (void)node;
    (void)context;
    return true;
}

static ev_status fill_root(compiler *c, ev_node node, program_root *root)
{
    ev_program *p = c->p;
    root->number = c->number_of[node];
    ev_frame_restart(c->f);
    if (!ev_frame_order(c->graph, c->f, 1, &node, everything, NULL))
        return EV_NO_MEMORY;
    for (size_t i = 0; i < p->expectation_count; i++)
        root->n += ev_frame_marked(c->f, p->expectations[i].node);
    uint32_t *list = ev_arena_array(p->arena, root->n, sizeof *list);
    if (list == NULL)
        return EV_NO_MEMORY;
    root->expectations = list;
    for (uint32_t i = 0; i < p->expectation_count; i++)
        if (ev_frame_marked(c->f, p->expectations[i].node))
            *list++ = i;
    return EV_OK;
}

static ev_status compile(compiler *c, size_t n, const ev_node *roots)
{
    const ev_scope point = {.depth = 0};
    ev_status status = check_roots(c, n, roots);
    if (status != EV_OK)
        return status;
    if (!ev_schedule_make(c->graph, c->f, &point, n, roots, &c->schedule))
        return EV_NO_MEMORY;
    count_parts(c);
    c->p->root_count = n;
    if ((status = allocate(c)) != EV_OK || (status = fill_scalars(c)) != EV_OK ||
        (status = fill_batches(c)) != EV_OK)
        return status;
    for (size_t i = 0; i < n && status == EV_OK; i++)
        status = fill_root(c, roots[i], &c->p->roots[i]);
    return status;
}

static ev_program *create(const ev_graph *graph)
{
    ev_program *program;
    if (!ev_graph_fresh_array(&program, 1, sizeof *program))
        return NULL;
    program->graph = graph;
    program->arena = ev_arena_create();
    if (program->arena == NULL) {
        free(program);
        return NULL;
    }
    return program;
}

ev_status ev_program_compile(const ev_graph *graph, size_t n, const ev_node *roots,
                             ev_program **program, ev_error *error)
{
    compiler c = {.graph = graph, .error = error, .p = create(graph), .f = ev_frame_create()};
    ev_status status = EV_NO_MEMORY;
    if (c.p != NULL && c.f != NULL &&
        ev_graph_fresh_array(&c.number_of, graph->count, sizeof *c.number_of) &&
        ev_graph_fresh_array(&c.value_of, graph->count, sizeof *c.value_of)) {
        for (size_t i = 0; i < graph->count; i++)
            c.value_of[i] = EV_NO_VALUE;
        status = compile(&c, n, roots);
    }
    free(c.number_of);
    free(c.value_of);
    free(c.schedule.items);
    ev_frames_free(c.f);
    if (status == EV_NO_MEMORY)
        ev_error_set(error, status, "out of memory");
    if (status != EV_OK) {
        ev_program_destroy(c.p);
        c.p = NULL;
    }
    *program = c.p;
    return status;
}

void ev_program_destroy(ev_program *program)
{
    if (program == NULL)
        return;
    for (size_t i = 0; program->expectations != NULL && i < program->expectation_count; i++)
        if (program->expectations[i].tape != NULL)
            ev_tape_free_workers(program->expectations[i].tape);
    for (size_t i = 0; i < program->batch_count; i++)
        if (program->batches[i].n > 1 && program->batches[i].tape != NULL)
            ev_tape_free_workers(program->batches[i].tape);
    ev_rules_clear(&program->rules);
    ev_arena_destroy(program->arena);
    free(program);
}

size_t ev_program_comparisons(const ev_program *program) { return program->expectation_count; }
