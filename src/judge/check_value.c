/* The document's own value of a member at a point that a C module chose. */
#include "judge/check_state.h"
#include "judge/compare.h"
#include "judge/witness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Names are equal but for spaces and braces: \tilde\mu and \tilde{\mu}. */
static bool same_name(const char *a, const char *b)
{
    const char *skipped = " {}";
    for (;;) {
        a += strspn(a, skipped);
        b += strspn(b, skipped);
        if (*a != *b || *a == '\0')
            return *a == *b;
        a++;
        b++;
    }
}

static const ev_binding *find_binding(size_t n, const ev_binding *binding, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (binding[i].symbol != NULL && same_name(binding[i].symbol, name))
            return &binding[i];
    return NULL;
}

/* The claim's integers as bound; NULL with the check broken when one is missing. */
static long *bound_integers(ev_check *check, const ev_claim *claim, size_t n,
                            const ev_binding *binding)
{
    enum { MAX_INTEGERS = 64 };
    const ev_symbol_table *table = claim->formula.scope->table;
    int symbols[MAX_INTEGERS];
    size_t count = ev_formula_integers(&claim->formula, symbols, MAX_INTEGERS);
    long *integers = calloc(table->symbol_count + 1, sizeof *integers);
    if (integers == NULL || count > MAX_INTEGERS) {
        check->out_of_memory = true;
        free(integers);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = table->symbols[symbols[i]].name;
        const ev_binding *b = find_binding(n, binding, name);
        long low, high;
        ev_integer_range(table, symbols[i], integers, &low, &high);
        bool fine = b != NULL && b->count == 1 && b->values[0] >= (double)low &&
                    b->values[0] <= (double)high;
        if (!fine) {
            ev_check_break(check, ev_check_format(check,
                                                  "%s: the integer %s is not bound, or not "
                                                  "within its range",
                                                  claim->id, name));
            free(integers);
            return NULL;
        }
        integers[symbols[i]] = lround(b->values[0]);
    }
    return integers;
}

/* Takes integers over. */
static ev_check_case *case_at(ev_check *check, const ev_claim *claim, long *integers)
{
    size_t bytes = claim->formula.scope->table->symbol_count * sizeof *integers;
    for (size_t i = 0; i < check->case_count; i++)
        if (check->cases[i].claim == claim &&
            (bytes == 0 || memcmp(check->cases[i].integers, integers, bytes) == 0)) {
            free(integers);
            return &check->cases[i];
        }
    ev_error error = EV_ERROR_NONE;
    ev_check_case c = {.claim = claim, .integers = integers};
    ev_status status = ev_case_create(&claim->formula, integers, &c.instance, &error);
    if (status == EV_OK)
        c.programs = calloc(c.instance->member_count + 1, sizeof(ev_program *));
    if (status == EV_OK && c.programs != NULL &&
        ev_array_reserve(&check->cases, check->case_count, &check->case_capacity,
                         sizeof *check->cases)) {
        check->cases[check->case_count] = c;
        return &check->cases[check->case_count++];
    }
    if (status == EV_OK || status == EV_NO_MEMORY)
        check->out_of_memory = true;
    else
        ev_check_break(check, ev_check_format(check, "%s: %s", claim->id, error.message));
    ev_case_destroy(c.instance);
    free(c.programs);
    free(integers);
    return NULL;
}

void ev_check_free_cases(ev_check *check)
{
    for (size_t i = 0; i < check->case_count; i++) {
        ev_check_case *c = &check->cases[i];
        for (size_t k = 0; k < c->instance->member_count; k++)
            ev_program_destroy(c->programs[k]);
        ev_case_destroy(c->instance);
        free(c->programs);
        free(c->integers);
    }
    free(check->cases);
}

static ev_program *program_of(ev_check *check, ev_check_case *c, size_t member)
{
    ev_error error = EV_ERROR_NONE;
    const ev_case *instance = c->instance;
    if (c->programs[member] == NULL &&
        ev_program_compile(instance->graph, instance->member_sizes[member],
                           instance->members[member], &c->programs[member], &error) != EV_OK)
        ev_check_break(check, ev_check_format(check, "%s: %s", c->claim->id, error.message));
    return c->programs[member];
}

/* Fill the inputs that the member depends on. */
static bool bind_inputs(ev_check *check, const ev_check_case *c, size_t member, size_t n,
                        const ev_binding *binding, double *inputs, bool *used)
{
    const ev_case *instance = c->instance;
    const ev_symbol_table *table = c->claim->formula.scope->table;
    if (!ev_witness_inputs(instance, instance->member_sizes[member], instance->members[member],
                           used)) {
        check->out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < instance->slot_count; i++) {
        const ev_slot *slot = &instance->slots[i];
        bool needed = false;
        for (size_t k = 0; k < slot->count; k++)
            needed = needed || used[slot->first + k];
        const char *name = table->symbols[slot->symbol].name;
        const ev_binding *b = find_binding(n, binding, name);
        if (b != NULL && b->count == slot->count) {
            memcpy(inputs + slot->first, b->values, slot->count * sizeof *inputs);
        } else if (needed) {
            ev_check_break(check, ev_check_format(check, "%s: %s is not bound to %zu values",
                                                  c->claim->id, name, slot->count));
            return false;
        }
    }
    return true;
}

static ev_value evaluate(ev_check *check, ev_check_case *c, size_t member, size_t component,
                         const double *inputs)
{
    ev_value result = ev_value_of((double)NAN, HUGE_VAL);
    ev_program *program = program_of(check, c, member);
    ev_value *values = calloc(c->instance->member_sizes[member] + 1, sizeof *values);
    ev_effort effort = check->job->budget->effort;
    effort.samples = 0; /* the steps have had their third voice */
    ev_stream claims = ev_check_stream(check, c->claim->id);
    ev_stream stream = ev_stream_child(&claims, check->values_asked++);
    if (values == NULL)
        check->out_of_memory = true;
    else if (program != NULL &&
             ev_program_evaluate(program, inputs, &effort, &stream, values) == EV_OK) {
        result = values[component];
        if (result.comparisons > 0)
            check->job->comparisons += ev_program_comparisons(program);
        if (!result.fit || !result.domain || !isfinite(result.value)) {
            ev_check_break(check, ev_check_format(check, "%s: the document's value is unfit: %s",
                                                  c->claim->id, result.reason));
            result.value = (double)NAN;
        }
    }
    free(values);
    return result;
}

static ev_value value_at(ev_check *check, ev_check_case *c, size_t member, size_t component,
                         size_t n, const ev_binding *binding)
{
    ev_value result = ev_value_of((double)NAN, HUGE_VAL);
    double *inputs = calloc(c->instance->input_count + 1, sizeof *inputs);
    bool *used = calloc(c->instance->input_count + 1, sizeof *used);
    if (inputs == NULL || used == NULL)
        check->out_of_memory = true;
    else if (bind_inputs(check, c, member, n, binding, inputs, used))
        result = evaluate(check, c, member, component, inputs);
    free(inputs);
    free(used);
    return result;
}

double ev_check_document_value(ev_check *check, const char *id, size_t member, size_t component,
                               size_t bindings, const ev_binding *binding, double *error)
{
    if (error != NULL)
        *error = HUGE_VAL;
    const ev_claim *claim = ev_check_claim(check, id);
    if (claim == NULL || claim->is_statement || member >= claim->formula.member_count) {
        ev_check_break(check, ev_check_format(check, "%s has no member %zu", id, member));
        return (double)NAN;
    }
    long *integers = bound_integers(check, claim, bindings, binding);
    ev_check_case *c = integers == NULL ? NULL : case_at(check, claim, integers);
    if (c == NULL)
        return (double)NAN;
    if (member >= c->instance->member_count || c->instance->members[member] == NULL ||
        component >= c->instance->member_sizes[member]) {
        ev_check_break(check, ev_check_format(check, "%s: member %zu has no component %zu", id,
                                              member, component));
        return (double)NAN;
    }
    ev_value value = value_at(check, c, member, component, bindings, binding);
    if (error != NULL)
        *error = ev_value_error(&value);
    return value.value;
}
