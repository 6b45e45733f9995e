#include "judge/strength.h"

#include "formula/unparse.h"
#include "judge/declared.h"
#include "judge/difference.h"
#include "judge/equivalence.h"
#include "judge/plan.h"
#include "judge/repair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MUTANT_LIMIT = 500, REPAIR_LIMIT = 240, REPAIRS_SHOWN = 3 };

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
    b.search = stage == THOROUGH ? b.search : 0;
    b.resolution = stages[stage].resolution;
    b.effort.relative = stages[stage].relative;
    b.effort.max_evaluations = stages[stage].max_evaluations;
    /* Where the coarse quadrature fails, a few draws still tell a gross difference. */
    b.effort.samples = stages[stage].sampling ? 1 << 12 : 0;
    b.effort.max_samples = stages[stage].sampling ? b.effort.max_samples / 4 : 1 << 14;
    return b;
}

/* A one-step formula judged; *meaning is false, and the result VOID, when it can't be.  *spent
 * grows. */
static ev_status judge_formula(const ev_formula *formula, const ev_strength_request *request,
                               const ev_budget *budget, uint64_t seed, uint64_t *spent,
                               ev_step_result *result, bool *meaning)
{
    ev_error error = EV_ERROR_NONE;
    ev_plan *plan = NULL;
    ev_arena *arena = ev_arena_create();
    const char *witness;
    uint64_t comparisons = 0;
    ev_status status = arena == NULL
                           ? EV_NO_MEMORY
                           : ev_plan_create(formula, request->id, budget, seed, &plan, &error);
    if (status == EV_OK)
        status = ev_plan_prepare(plan, 0, &comparisons, &error);
    if (status == EV_OK)
        status = ev_plan_judge(plan, 0, budget, arena, result, &witness);
    *meaning = status == EV_OK;
    if (status != EV_OK)
        *result = (ev_step_result){.verdict = EV_VOID};
    *spent += result->operations;
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
        ev_step_result result;
        ev_status status = judge_formula(formula, request, &budget, seed, spent, &result, meaning);
        if (status != EV_OK || !*meaning)
            return status;
        closed = result.methods == 0;
        /* What holds so far may be undecided at one of the many points; it is as little refuted. */
        if (k < CLOSED_FORM || result.verdict == EV_REFUTED)
            *verdict = result.verdict;
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
    const char *sign = relation == EV_RELATION_LESS         ? "<"
                       : relation == EV_RELATION_LESS_EQUAL ? "\\le"
                       : relation == EV_RELATION_GREATER    ? ">"
                                                            : "\\ge";
    list[0].text = ev_arena_format(arena, "%s for %s", less ? "\\ge" : "\\le", sign);
    list[1].text = ev_arena_format(arena, "= for %s", sign);
    if (list[0].text == NULL || list[1].text == NULL)
        return EV_NO_MEMORY;
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
    const double none = 1e-12;
    bool meaning;
    ev_step_result result;
    ev_budget budget = stage_budget(m->request->budget, 0);
    budget.first_point = 3; /* two generic points: at corners many a true side is 0 */
    ev_status status = judge_formula(repaired, m->request, &budget, m->request->seed, &m->spent,
                                     &result, &meaning);
    *nothing = result.at.compared > 0 && fabs(result.at.left.value) < none &&
               fabs(result.at.right.value) < none;
    return status;
}

/* Neither true nor false, for want of operations or of values. */
static bool is_open(ev_verdict verdict) { return verdict == EV_UNDECIDED || verdict == EV_VOID; }

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
    m->unclear |= status == EV_OK && meaning && is_open(verdict);
    if (status != EV_OK || !meaning || verdict != EV_HOLDS)
        return status;
    status = staged_verdict(repaired, m->request, m->request->seed ^ UINT64_C(0xf4e5), &m->spent,
                            &verdict, &meaning);
    m->unclear |= status == EV_OK && meaning && is_open(verdict);
    bool nothing = false;
    if (status == EV_OK && repaired->steps[0].relation == EV_RELATION_EQUAL &&
        !is_argmin(repaired)) /* whose lowest values may well be 0 */
        status = vanishes(m, repaired, &nothing);
    *repairs = status == EV_OK && meaning && verdict == EV_HOLDS && !nothing;
    return status;
}

/* What the edits have come to. */
typedef struct {
    ev_repair shown[REPAIRS_SHOWN];
    size_t count;
    const ev_edit *same; /* the first that makes both sides one and the same formula; or NULL */
} findings;

static bool is_tautology(const measurement *m, const ev_formula *repaired)
{
    const ev_symbol_table *table = m->formula->scope->table;
    const char *left = ev_syntax_to_tex(table, repaired->members[0], m->arena);
    const char *right = ev_syntax_to_tex(table, repaired->members[1], m->arena);
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

static void note_repair(findings *f, const char *after, const char *before, const ev_edit *edit)
{
    f->shown[f->count++] = (ev_repair){after, before, edit};
}

static ev_status try_edit(measurement *m, const ev_edit *edit, findings *f)
{
    ev_formula repaired;
    bool repairs;
    ev_status status = ev_formula_single_step(m->formula, m->step, edit, m->arena, &repaired);
    if (status != EV_OK)
        return status;
    if (is_tautology(m, &repaired)) {
        if (f->same == NULL && has_types(&repaired))
            f->same = edit;
        return EV_OK;
    }
    status = holds(m, &repaired, &repairs);
    if (status == EV_OK && repairs)
        note_repair(f, edit->after, edit->before, edit);
    return status;
}

static ev_status try_edits(measurement *m, findings *f)
{
    ev_edit *edits;
    size_t count;
    ev_status status = ev_formula_edits(m->formula, m->step, true, REPAIR_LIMIT, m->arena, &edits,
                                        &count);
    if (status == EV_OK)
        ev_repair_order(count, edits, m->formula->steps[m->step].right);
    for (size_t i = 0; status == EV_OK && i < count && f->count < REPAIRS_SHOWN; i++)
        status = try_edit(m, &edits[i], f);
    return status;
}

/* A step with another relation. */
static ev_status related(measurement *m, ev_relation relation, ev_formula *out)
{
    ev_status status = ev_formula_single_step(m->formula, m->step, NULL, m->arena, out);
    if (status == EV_OK)
        out->steps[0].relation = relation;
    return status;
}

/* Where <= holds: are there points at which < does not, because the sides are equal?  Exactly equal,
 * or too close for their errors, and not because both vanish, as a density does far out, nor because
 * a dimension is 1, where a wrong sum over one term is right. */
static ev_status is_attained(measurement *m, ev_relation strict, bool *attained)
{
    const double tiny = 1e-30;
    bool meaning;
    ev_formula formula;
    ev_step_result result = {.verdict = EV_VOID};
    ev_budget budget = stage_budget(m->request->budget, THOROUGH);
    budget.above_one = true;
    budget.search = 0; /* equality that has to be looked for is none that was meant */
    ev_status status = related(m, strict, &formula);
    if (status == EV_OK)
        status = judge_formula(&formula, m->request, &budget, m->request->seed, &m->spent, &result,
                               &meaning);
    *attained = result.verdict == EV_REFUTED ||
                (result.verdict == EV_UNDECIDED &&
                 fabs(result.at.left.value) + fabs(result.at.right.value) > tiny);
    return status;
}

/* The relations that a false one may have been meant for. */
static const struct {
    ev_relation is, may_be, strict;
    const char *before, *after, *larger;
} slips[] = {
    {EV_RELATION_GREATER, EV_RELATION_GREATER_EQUAL, EV_RELATION_EQUAL, ">", "\\ge", NULL},
    {EV_RELATION_LESS, EV_RELATION_LESS_EQUAL, EV_RELATION_EQUAL, "<", "\\le", NULL},
    {EV_RELATION_GREATER_EQUAL, EV_RELATION_LESS_EQUAL, EV_RELATION_EQUAL, "\\ge", "\\le", NULL},
    {EV_RELATION_LESS_EQUAL, EV_RELATION_GREATER_EQUAL, EV_RELATION_EQUAL, "\\le", "\\ge", NULL},
    {EV_RELATION_EQUAL, EV_RELATION_LESS_EQUAL, EV_RELATION_LESS, "=", "\\le", "right"},
    {EV_RELATION_EQUAL, EV_RELATION_GREATER_EQUAL, EV_RELATION_GREATER, "=", "\\ge", "left"}};
enum { SLIPS = sizeof slips / sizeof *slips };

/* An equation of which something was lost has often one side larger at every point.  A bound is
 * meant where equality is attained; else *larger is "left" or "right". */
static ev_status try_relations(measurement *m, findings *f, const char **larger)
{
    ev_relation relation = m->formula->steps[m->step].relation;
    ev_status status = EV_OK;
    *larger = NULL;
    for (size_t i = 0; status == EV_OK && f->count == 0 && i < SLIPS; i++) {
        ev_formula repaired;
        bool repairs = false, attained = true;
        if (slips[i].is != relation)
            continue;
        status = related(m, slips[i].may_be, &repaired);
        if (status == EV_OK)
            status = holds(m, &repaired, &repairs);
        if (status == EV_OK && repairs && slips[i].larger != NULL)
            status = is_attained(m, slips[i].strict, &attained);
        if (status == EV_OK && repairs && !attained)
            *larger = slips[i].larger;
        else if (status == EV_OK && repairs)
            note_repair(f, slips[i].after, slips[i].before, NULL);
    }
    return status;
}

/* What the sides are off by, or NULL. */
static ev_status name_difference(measurement *m, const char **name)
{
    ev_formula single;
    *name = NULL;
    ev_status status = ev_formula_single_step(m->formula, m->step, NULL, m->arena, &single);
    if (status == EV_OK)
        status = ev_difference_name(&single, m->request->id, m->request->seed ^ UINT64_C(0xd1ff),
                                    m->arena, name);
    return status;
}

/* Where no edit mends it. */
static const char *without_repair(const measurement *m, const findings *f, const char *name,
                                  const char *larger)
{
    const char *first = m->unclear ? "no one-edit repair that could be confirmed"
                                   : "no one-edit repair";
    if (f->same != NULL)
        first = ev_arena_format(m->arena, "the sides would be the same with %s for %s",
                                f->same->after, f->same->before);
    if (name != NULL)
        return ev_arena_format(m->arena, "%s; %s", first, name);
    if (larger != NULL)
        return ev_arena_format(m->arena, "%s; the %s side is never the smaller", first, larger);
    return first;
}

ev_status ev_strength_diagnose(const ev_formula *formula, size_t step,
                               const ev_strength_request *request, ev_arena *arena,
                               const char **diagnosis)
{
    ev_strength unused;
    measurement m = {formula, step, request, arena, &unused, false, 0};
    findings f = {.count = 0};
    const char *name = NULL, *larger = NULL;
    bool inequality = is_inequality(formula->steps[step].relation);
    ev_status status = inequality ? EV_OK : try_edits(&m, &f);
    if (status == EV_OK && !inequality && f.count == 0)
        status = name_difference(&m, &name);
    if (status == EV_OK && name == NULL && f.count == 0)
        status = try_relations(&m, &f, &larger);
    if (status != EV_OK)
        return status;
    *diagnosis = f.count > 0 ? ev_repair_text(formula, step, f.shown, f.count, arena)
                             : without_repair(&m, &f, name, larger);
    return *diagnosis == NULL ? EV_NO_MEMORY : EV_OK;
}
