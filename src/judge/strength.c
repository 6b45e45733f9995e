#include "judge/strength.h"

#include "formula/unparse.h"
#include "judge/declared.h"
#include "judge/difference.h"
#include "judge/equivalence.h"
#include "judge/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MUTANT_LIMIT = 500, REPAIR_LIMIT = 160, REPAIRS_SHOWN = 3 };

/* One edit in one stage may spend this part of what the step may, and all edits together as much as
 * the step.  When that is spent, the edits that are left are undecided. */
enum { EDIT_PART = 5 };

/* Most mutants fall at the first points and by a wide margin, so few points are drawn at first,
 * with a coarse quadrature whose error is still counted; sampling as a voice of its own speaks
 * only in the third stage, which is as thorough as a quick run.  What still holds is asked again
 * where it costs little: a closed form, which may be wrong in one of its branches alone, at the
 * last stage's points. */
static const struct {
    size_t points, cases;
    double relative, resolution;
    size_t max_evaluations;
    bool sampling;
} stages[] = {{2, 1, 1e-6, 1e-4, 20000, false},
              {6, 3, 1e-6, 1e-4, 20000, false},
              {16, 7, 1e-11, 1e-9, 200000, true},
              {200, 7, 1e-11, 1e-9, 200000, true}};
enum { THOROUGH = 2, CLOSED_FORM };
/* Arg-mins that agree at ends of the domain alone have the thorough stage's other points. */
enum { ARGMIN_POINTS = 48 };

static ev_budget stage_budget(const ev_budget *run, size_t stage)
{
    ev_budget b = ev_budget_for(0);
    b.points = stages[stage].points;
    b.cases = stages[stage].cases;
    b.verdict_only = true;
    b.minimisation_points = stage >= THOROUGH ? 3 : 1;
    b.starts = 2;
    b.doublings = stage >= THOROUGH ? 1 : 0;
    b.effort.alpha = run->effort.alpha;
    b.operations = run->operations / EDIT_PART;
    b.resolution = stages[stage].resolution;
    b.effort.relative = stages[stage].relative;
    b.effort.max_evaluations = stages[stage].max_evaluations;
    /* Where the coarse quadrature fails, a few draws still tell a gross difference. */
    b.effort.samples = stages[stage].sampling ? 1 << 12 : 0;
    b.effort.max_samples = stages[stage].sampling ? b.effort.max_samples / 4 : 1 << 14;
    return b;
}

/* The verdict of a one-step formula; *meaning is false when it can't be had.  *closed: no integral
 * was met.  *spent grows. */
static ev_status verdict_of(const ev_formula *formula, const char *id, const ev_budget *budget,
                            uint64_t seed, uint64_t *spent, ev_verdict *verdict, bool *meaning,
                            bool *closed)
{
    ev_error error = EV_ERROR_NONE;
    ev_plan *plan = NULL;
    ev_arena *arena = ev_arena_create();
    ev_step_result result;
    const char *witness;
    uint64_t comparisons = 0;
    ev_status status = arena == NULL ? EV_NO_MEMORY
                                     : ev_plan_create(formula, id, budget, seed, &plan, &error);
    if (status == EV_OK)
        status = ev_plan_prepare(plan, 0, &comparisons, &error);
    if (status == EV_OK)
        status = ev_plan_judge(plan, 0, budget, arena, &result, &witness);
    *meaning = status == EV_OK;
    if (status == EV_OK) {
        *verdict = result.verdict;
        *closed = result.methods == 0;
        *spent += result.operations;
    }
    ev_plan_destroy(plan);
    ev_arena_destroy(arena);
    return status == EV_NO_MEMORY ? status : EV_OK;
}

static bool is_argmin(const ev_formula *formula)
{
    ev_syntax_kind kind = formula->members[0]->kind;
    return kind == EV_SYNTAX_ARGMIN || kind == EV_SYNTAX_ARGMAX;
}

/* The first REFUTED ends it.  Without sampling, what is not REFUTED is left to the thorough
 * stage.  Where the operations of all edits are spent before that, it is UNDECIDED. */
static ev_status staged_verdict(const ev_formula *formula, const ev_strength_request *request,
                                uint64_t seed, uint64_t *spent, ev_verdict *verdict, bool *meaning)
{
    bool argmin = is_argmin(formula), closed = false;
    ev_verdict found = EV_HOLDS;
    *meaning = true;
    for (size_t k = 0; k <= CLOSED_FORM; k++) {
        if (k == CLOSED_FORM && (!closed || argmin || *verdict != EV_HOLDS))
            return EV_OK;
        if (*spent >= request->budget->operations) {
            *verdict = EV_UNDECIDED;
            return EV_OK;
        }
        ev_budget budget = stage_budget(request->budget, k);
        if (k == THOROUGH && argmin) {
            budget.operations *= ARGMIN_POINTS / budget.points;
            budget.points = ARGMIN_POINTS;
        }
        ev_status status = verdict_of(formula, request->id, &budget, seed, spent, &found, meaning,
                                      &closed);
        if (status != EV_OK || !*meaning)
            return status;
        /* What holds so far may be undecided at one of the many points; it is as little refuted. */
        if (k < CLOSED_FORM || found == EV_REFUTED)
            *verdict = found;
        if (*verdict == EV_REFUTED)
            return EV_OK;
    }
    return EV_OK;
}

static bool has_types(const ev_formula *formula)
{
    ev_error error = EV_ERROR_NONE;
    return ev_formula_check_types(formula, &error) == EV_OK;
}

/* ---- mutants ---- */

typedef struct {
    const ev_formula *formula;
    size_t step;
    const ev_strength_request *request;
    ev_arena *arena;
    ev_strength *out;
    bool unclear; /* some edit could be neither refuted nor confirmed within a quick run */
    uint64_t spent;
} measurement;

static ev_status add_name(measurement *m, const char **list, const char *text)
{
    *list = ev_arena_format(m->arena, "%s%s%s", *list, (*list)[0] ? "; " : "", text);
    return *list == NULL ? EV_NO_MEMORY : EV_OK;
}

static ev_status note_undecided(measurement *m, const char *text)
{
    m->out->total++;
    m->out->undecided++;
    return add_name(m, &m->out->unclear, text);
}

/* What is declared has to hold at fresh points. */
static ev_status note_equivalent(measurement *m, const ev_formula *mutant, const char *text)
{
    ev_verdict verdict = EV_HOLDS;
    bool meaning;
    ev_status status = staged_verdict(mutant, m->request, m->request->seed ^ UINT64_C(0x5eed),
                                      &m->spent, &verdict, &meaning);
    if (status != EV_OK)
        return status;
    if (verdict != EV_HOLDS && verdict != EV_REFUTED)
        return note_undecided(m, text);
    if (verdict == EV_REFUTED)
        m->out->reason = ev_arena_format(m->arena, "declared equivalent, and is not: %s", text);
    m->out->equivalent++;
    return m->out->reason == NULL ? EV_NO_MEMORY : EV_OK;
}

static ev_status try_mutant(measurement *m, const ev_mutant *mutant)
{
    ev_verdict verdict = EV_HOLDS;
    bool meaning = true;
    ev_status status = staged_verdict(&mutant->formula, m->request, m->request->seed, &m->spent,
                                      &verdict, &meaning);
    if (status != EV_OK || !meaning)
        return status;
    if (verdict == EV_REFUTED) {
        m->out->killed++;
        m->out->total++;
        return EV_OK;
    }
    const uint64_t declared = ev_declared_find(m->request->equivalent, mutant->text);
    m->out->declared |= declared;
    if (mutant->edit != NULL &&
        ev_edit_changes_nothing(m->formula, m->step, mutant->edit, m->arena))
        return EV_OK;
    if (verdict != EV_HOLDS)
        return note_undecided(m, mutant->text);
    if (declared != 0)
        return note_equivalent(m, &mutant->formula, mutant->text);
    m->out->total++;
    return add_name(m, &m->out->survivors, mutant->text);
}

/* An inequality is reversed, and strengthened to an equality. */
static ev_status list_relations(const ev_formula *formula, size_t step, ev_arena *arena,
                                ev_mutant **mutants, size_t *count)
{
    ev_relation relation = formula->steps[step].relation;
    bool less = relation == EV_RELATION_LESS || relation == EV_RELATION_LESS_EQUAL;
    ev_mutant *list = ev_arena_array(arena, 2, sizeof *list);
    if (list == NULL)
        return EV_NO_MEMORY;
    list[0].text = less ? "\\ge for \\le" : "\\le for \\ge";
    list[1].text = less ? "= for \\le" : "= for \\ge";
    for (size_t i = 0; i < 2; i++) {
        list[i].edit = NULL;
        ev_status status = ev_formula_single_step(formula, step, NULL, arena, &list[i].formula);
        if (status != EV_OK)
            return status;
    }
    list[0].formula.steps[0].relation = less ? EV_RELATION_GREATER_EQUAL : EV_RELATION_LESS_EQUAL;
    list[1].formula.steps[0].relation = EV_RELATION_EQUAL;
    *mutants = list;
    *count = 2;
    return EV_OK;
}

static ev_status list_edits(const ev_formula *formula, size_t step, ev_arena *arena,
                            ev_mutant **mutants, size_t *count)
{
    ev_edit *edits;
    size_t n;
    ev_status status = ev_formula_edits(formula, step, false, MUTANT_LIMIT, arena, &edits, &n);
    ev_mutant *list = status == EV_OK ? ev_arena_array(arena, n + 1, sizeof *list) : NULL;
    if (list == NULL)
        return EV_NO_MEMORY;
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        ev_mutant *m = &list[*count];
        m->edit = &edits[i];
        m->text = ev_arena_format(arena, "%s for %s", edits[i].after, edits[i].before);
        if (m->text == NULL ||
            ev_formula_single_step(formula, step, m->edit, arena, &m->formula) != EV_OK)
            return EV_NO_MEMORY;
        *count += has_types(&m->formula);
    }
    *mutants = list;
    return EV_OK;
}

static bool is_inequality(ev_relation relation)
{
    return relation == EV_RELATION_LESS || relation == EV_RELATION_LESS_EQUAL ||
           relation == EV_RELATION_GREATER || relation == EV_RELATION_GREATER_EQUAL;
}

ev_status ev_strength_mutants(const ev_formula *formula, size_t step, ev_arena *arena,
                              ev_mutant **mutants, size_t *count)
{
    return is_inequality(formula->steps[step].relation)
               ? list_relations(formula, step, arena, mutants, count)
               : list_edits(formula, step, arena, mutants, count);
}

ev_status ev_strength_verdict(const ev_formula *mutant, const ev_strength_request *request,
                              ev_verdict *verdict)
{
    bool meaning;
    uint64_t spent = 0;
    ev_status status = staged_verdict(mutant, request, request->seed, &spent, verdict, &meaning);
    if (status == EV_OK && !meaning)
        *verdict = EV_SKIPPED;
    return status;
}

ev_status ev_strength_measure(const ev_formula *formula, size_t step,
                              const ev_strength_request *request, ev_arena *arena,
                              ev_strength *strength)
{
    *strength = (ev_strength){.survivors = "", .unclear = "", .reason = ""};
    measurement m = {formula, step, request, arena, strength, false, 0};
    ev_mutant *mutants;
    size_t count = 0;
    ev_status status = ev_strength_mutants(formula, step, arena, &mutants, &count);
    for (size_t i = 0; status == EV_OK && i < count; i++)
        status = try_mutant(&m, &mutants[i]);
    return status;
}

/* ---- diagnosis ---- */

/* Both sides are 0 at every point: an edit that kills them mends nothing. */
static ev_status vanishes(measurement *m, const ev_formula *repaired, bool *nothing)
{
    ev_error error = EV_ERROR_NONE;
    ev_plan *plan = NULL;
    ev_step_result result = {.verdict = EV_VOID};
    const char *witness;
    uint64_t comparisons = 0;
    ev_budget budget = stage_budget(m->request->budget, 0);
    budget.first_point = 3; /* two generic points: at corners many a true side is 0 */
    ev_status status = ev_plan_create(repaired, m->request->id, &budget, m->request->seed, &plan,
                                      &error);
    if (status == EV_OK)
        status = ev_plan_prepare(plan, 0, &comparisons, &error);
    if (status == EV_OK)
        status = ev_plan_judge(plan, 0, &budget, m->arena, &result, &witness);
    ev_plan_destroy(plan);
    const double none = 1e-12;
    *nothing = status == EV_OK && result.at.compared > 0 && fabs(result.at.left.value) < none &&
               fabs(result.at.right.value) < none;
    return status == EV_NO_MEMORY ? status : EV_OK;
}

/* Does it hold, at the points of the run and at fresh ones? */
static ev_status holds(measurement *m, const ev_formula *repaired, bool *repairs)
{
    ev_verdict verdict = EV_VOID;
    bool meaning = false;
    *repairs = false;
    if (!has_types(repaired))
        return EV_OK;
    ev_status status = staged_verdict(repaired, m->request, m->request->seed, &m->spent, &verdict,
                                      &meaning);
    m->unclear |= status == EV_OK && meaning && verdict == EV_UNDECIDED;
    if (status != EV_OK || !meaning || verdict != EV_HOLDS)
        return status;
    status = staged_verdict(repaired, m->request, m->request->seed ^ UINT64_C(0xf4e5), &m->spent,
                            &verdict, &meaning);
    m->unclear |= status == EV_OK && meaning && verdict == EV_UNDECIDED;
    bool nothing = false;
    if (status == EV_OK && repaired->steps[0].relation == EV_RELATION_EQUAL &&
        !is_argmin(repaired)) /* whose lowest values may well be 0 */
        status = vanishes(m, repaired, &nothing);
    *repairs = status == EV_OK && meaning && verdict == EV_HOLDS && !nothing;
    return status;
}

/* Both sides are one and the same formula: that says nothing. */
static bool is_tautology(const measurement *m, const ev_formula *repaired)
{
    const ev_symbol_table *table = m->formula->scope->table;
    const char *left = ev_syntax_to_tex(table, repaired->members[0], m->arena);
    const char *right = ev_syntax_to_tex(table, repaired->members[1], m->arena);
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

static ev_status is_repair(measurement *m, const ev_edit *edit, bool *repairs)
{
    ev_formula repaired;
    *repairs = false;
    ev_status status = ev_formula_single_step(m->formula, m->step, edit, m->arena, &repaired);
    if (status != EV_OK || is_tautology(m, &repaired))
        return status;
    return holds(m, &repaired, repairs);
}

/* What stands on the right before what it is said to be equal to: a chain goes on to the right, and
 * the slip is where it went.  Then the simplest kind of slip, and the shorter before the longer. */
static bool is_simpler(const ev_edit *a, const ev_edit *b, size_t right)
{
    if (a->member != b->member)
        return a->member == right;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return strlen(a->after) < strlen(b->after);
}

static void order_edits(size_t count, ev_edit *edits, size_t right)
{
    for (size_t i = 1; i < count; i++) {
        ev_edit edit = edits[i];
        size_t k = i;
        for (; k > 0 && is_simpler(&edit, &edits[k - 1], right); k--)
            edits[k] = edits[k - 1];
        edits[k] = edit;
    }
}

static ev_status note_repair(measurement *m, const char *after, const char *before, size_t *found,
                             const char **diagnosis)
{
    *diagnosis = ev_arena_format(m->arena, "%s%s with %s for %s", *diagnosis,
                                 *found == 0 ? "holds" : ", or", after, before);
    ++*found;
    return *diagnosis == NULL ? EV_NO_MEMORY : EV_OK;
}

/* The relations that a false one may have been meant for. */
static ev_status try_relations(measurement *m, size_t *found, const char **diagnosis)
{
    static const struct {
        ev_relation is, may_be;
        const char *before, *after;
    } slips[] = {{EV_RELATION_GREATER, EV_RELATION_GREATER_EQUAL, ">", "\\ge"},
                 {EV_RELATION_LESS, EV_RELATION_LESS_EQUAL, "<", "\\le"},
                 {EV_RELATION_GREATER_EQUAL, EV_RELATION_LESS_EQUAL, "\\ge", "\\le"},
                 {EV_RELATION_LESS_EQUAL, EV_RELATION_GREATER_EQUAL, "\\le", "\\ge"},
                 {EV_RELATION_EQUAL, EV_RELATION_LESS_EQUAL, "=", "\\le"},
                 {EV_RELATION_EQUAL, EV_RELATION_GREATER_EQUAL, "=", "\\ge"}};
    ev_relation relation = m->formula->steps[m->step].relation;
    ev_status status = EV_OK;
    for (size_t i = 0; status == EV_OK && *found == 0 && i < sizeof slips / sizeof *slips; i++) {
        ev_formula repaired;
        bool repairs;
        if (slips[i].is != relation)
            continue;
        status = ev_formula_single_step(m->formula, m->step, NULL, m->arena, &repaired);
        if (status == EV_OK) {
            repaired.steps[0].relation = slips[i].may_be;
            status = holds(m, &repaired, &repairs);
        }
        if (status == EV_OK && repairs)
            status = note_repair(m, slips[i].after, slips[i].before, found, diagnosis);
    }
    return status;
}

static ev_status try_edits(measurement *m, size_t *found, const char **diagnosis)
{
    ev_edit *edits;
    size_t count;
    ev_status status = ev_formula_edits(m->formula, m->step, true, REPAIR_LIMIT, m->arena, &edits,
                                        &count);
    if (status == EV_OK)
        order_edits(count, edits, m->formula->steps[m->step].right);
    for (size_t i = 0; status == EV_OK && i < count && *found < REPAIRS_SHOWN; i++) {
        bool repairs;
        status = is_repair(m, &edits[i], &repairs);
        if (status == EV_OK && repairs)
            status = note_repair(m, edits[i].after, edits[i].before, found, diagnosis);
    }
    return status;
}

static const char *no_repair(const measurement *m)
{
    return m->unclear ? "no one-edit repair that could be confirmed" : "no one-edit repair";
}

static ev_status name_difference(measurement *m, bool *named, const char **diagnosis)
{
    ev_formula single;
    const char *text = NULL;
    ev_status status = ev_formula_single_step(m->formula, m->step, NULL, m->arena, &single);
    if (status == EV_OK)
        status = ev_difference_name(&single, m->request->id, m->request->seed ^ UINT64_C(0xd1ff),
                                    m->arena, &text);
    *named = status == EV_OK && text != NULL;
    if (*named)
        *diagnosis = ev_arena_format(m->arena, "%s; %s", no_repair(m), text);
    return *diagnosis == NULL ? EV_NO_MEMORY : status;
}

ev_status ev_strength_diagnose(const ev_formula *formula, size_t step,
                               const ev_strength_request *request, ev_arena *arena,
                               const char **diagnosis)
{
    ev_strength unused;
    measurement m = {formula, step, request, arena, &unused, false, 0};
    bool inequality = is_inequality(formula->steps[step].relation);
    size_t found = 0;
    *diagnosis = "";
    ev_status status = inequality ? EV_OK : try_edits(&m, &found, diagnosis);
    bool named = false;
    if (status == EV_OK && !inequality && found == 0)
        status = name_difference(&m, &named, diagnosis);
    if (status == EV_OK && !named && found == 0)
        status = try_relations(&m, &found, diagnosis);
    if (status == EV_OK && !named && found == 0)
        *diagnosis = no_repair(&m);
    return status;
}
