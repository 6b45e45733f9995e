/* A run: plan every claim, fix the size of the false-alarm ledger, judge every step, let the C
 * modules speak, and write the records in the documents' order. */
#include "judge/judge.h"

#include "document/place.h"
#include "judge/check_run.h"
#include "judge/declared.h"
#include "judge/plan.h"
#include "judge/shrink.h"
#include "judge/strength.h"
#include "judge/witness_read.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* One step, or one statement (step 0). */
typedef struct {
    size_t document, claim, step;
    ev_step_result result;
    ev_arena *arena; /* of the witness */
    const char *witness;
    size_t points_tried;
    uint64_t planned;
    double seconds;
    ev_status status;
    ev_strength strength;
    const char *diagnosis;
    size_t witness_trials;
    ev_replay *replay; /* where a witness was given: the task's only point */
} task;

/* The tasks first .. first+count-1 share a claim's plan. */
typedef struct {
    size_t document, claim, first, count;
    ev_plan *plan;
    ev_status status;
    ev_error error;
} claim_tasks;

typedef struct {
    ev_document *const *documents;
    size_t document_count;
    const ev_judge_options *options;
    ev_budget budget;
    int threads;
    task *tasks;
    size_t task_count, task_capacity;
    claim_tasks *claims;
    size_t claim_count, claim_capacity;
    ev_check_job *jobs; /* one a document */
    ev_ledger *ledger;
} run;

static ev_status out_of_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "out of memory");
}

static const ev_claim *claim_of(const run *r, size_t document, size_t claim)
{
    return &r->documents[document]->claims[claim];
}

/* ---- what is to be done ---- */

static bool add_task(run *r, size_t document, size_t claim, size_t step)
{
    if (!ev_judge_wants(r->options->only, claim_of(r, document, claim)->id, step))
        return true;
    if (!ev_array_reserve(&r->tasks, r->task_count, &r->task_capacity, sizeof *r->tasks))
        return false;
    r->tasks[r->task_count++] = (task){.document = document,
                                       .claim = claim,
                                       .step = step,
                                       .witness = "",
                                       .strength = {.survivors = "", .unclear = "", .reason = ""},
                                       .diagnosis = ""};
    return true;
}

static bool add_claim(run *r, size_t document, size_t claim)
{
    const ev_claim *c = claim_of(r, document, claim);
    size_t first = r->task_count;
    if (c->is_statement)
        return add_task(r, document, claim, 0);
    for (size_t s = 1; s <= c->formula.step_count; s++)
        if (!add_task(r, document, claim, s))
            return false;
    if (r->task_count == first)
        return true;
    if (!ev_array_reserve(&r->claims, r->claim_count, &r->claim_capacity, sizeof *r->claims))
        return false;
    r->claims[r->claim_count++] = (claim_tasks){.document = document,
                                                .claim = claim,
                                                .first = first,
                                                .count = r->task_count - first,
                                                .error = EV_ERROR_NONE};
    return true;
}

static ev_status list_tasks(run *r, ev_error *error)
{
    for (size_t d = 0; d < r->document_count; d++)
        for (size_t c = 0; c < r->documents[d]->claim_count; c++)
            if (!add_claim(r, d, c))
                return out_of_memory(error);
    return EV_OK;
}

/* ---- planning ---- */

/* Each step at the point that was given. */
static void plan_replays(run *r, claim_tasks *c)
{
    const ev_judge_options *o = r->options;
    const ev_claim *claim = claim_of(r, c->document, c->claim);
    for (size_t i = 0; c->status == EV_OK && i < c->count; i++) {
        task *t = &r->tasks[c->first + i];
        c->status = ev_witness_read(&claim->formula, t->step - 1, claim->id, o->witness, &r->budget,
                                    o->seed, &t->replay, &c->error);
        t->points_tried = 1;
        t->planned = t->replay == NULL ? 0 : ev_replay_comparisons(t->replay);
    }
    if (c->error.line > 0)
        ev_error_place(&c->error, "--witness", o->witness, strlen(o->witness));
}

static void plan_claim(run *r, claim_tasks *c)
{
    const ev_claim *claim = claim_of(r, c->document, c->claim);
    if (r->options->witness != NULL) {
        plan_replays(r, c);
        return;
    }
    c->status = ev_plan_create(&claim->formula, claim->id, &r->budget, r->options->seed, &c->plan,
                               &c->error);
    for (size_t i = 0; c->status == EV_OK && i < c->count; i++) {
        task *t = &r->tasks[c->first + i];
        t->points_tried = ev_plan_points_tried(c->plan);
        c->status = ev_plan_prepare(c->plan, t->step - 1, &t->planned, &c->error);
    }
}

/* The first failure in document order, whichever thread met one first. */
static ev_status plan_all(run *r, ev_error *error)
{
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (size_t i = 0; i < r->claim_count; i++)
        plan_claim(r, &r->claims[i]);
    for (size_t i = 0; i < r->claim_count; i++) {
        claim_tasks *c = &r->claims[i];
        if (c->status == EV_OK)
            continue;
        const ev_document *document = r->documents[c->document];
        if (c->error.line == 0)
            c->error.line = claim_of(r, c->document, c->claim)->line;
        if (c->error.file[0] == '\0')
            ev_error_place(&c->error, document->file, document->text, document->length);
        if (error != NULL && error->status == EV_OK)
            *error = c->error;
        return c->status;
    }
    return EV_OK;
}

static const ev_check_entry *find_module(const ev_check_entry *checks, const char *name)
{
    for (; checks != NULL && checks->name != NULL; checks++)
        if (strcmp(checks->name, name) == 0)
            return checks;
    return NULL;
}

/* Every sampling comparison of the run gets the same share of one error probability. */
static void fix_ledger(run *r)
{
    uint64_t planned = 0;
    for (size_t i = 0; i < r->task_count; i++)
        planned += r->tasks[i].planned;
    for (size_t d = 0; d < r->document_count; d++)
        planned += r->jobs[d].entry != NULL ? EV_CHECK_ALLOWANCE : 0;
    r->ledger->comparisons_planned = planned;
    r->budget.effort.alpha = r->ledger->alpha_total / (double)(planned > 0 ? planned : 1);
}

/* ---- judging ---- */

static void report(run *r, const task *t, size_t *done)
{
    const ev_judge_options *o = r->options;
#pragma omp critical(ev_judge_progress)
    {
        ++*done;
        if (o->progress != NULL)
            o->progress(o->progress_context, *done, r->task_count,
                        claim_of(r, t->document, t->claim)->id);
    }
}

static ev_status shrink_witness(const run *r, task *t, const ev_plan *plan)
{
    const ev_claim *claim = claim_of(r, t->document, t->claim);
    const ev_shrink_request request = {.formula = &claim->formula,
                                       .step = t->step - 1,
                                       .id = claim->id,
                                       .seed = r->options->seed,
                                       .budget = &r->budget};
    return ev_shrink(&request, plan, t->arena, &t->result, &t->witness, &t->witness_trials);
}

static void judge_task(run *r, task *t, const ev_plan *plan)
{
    double start = omp_get_wtime();
    t->arena = ev_arena_create();
    t->status = EV_NO_MEMORY;
    if (t->arena != NULL && t->replay != NULL)
        t->status = ev_replay_judge(t->replay, &r->budget, t->arena, &t->result, &t->witness);
    else if (t->arena != NULL)
        t->status = ev_plan_judge(plan, t->step - 1, &r->budget, t->arena, &t->result, &t->witness);
    if (t->status == EV_OK && t->replay == NULL && t->result.verdict == EV_REFUTED &&
        r->options->shrink)
        t->status = shrink_witness(r, t, plan);
    t->seconds = omp_get_wtime() - start;
}

static const ev_plan *plan_of(const run *r, const task *t)
{
    for (size_t i = 0; i < r->claim_count; i++)
        if (r->claims[i].document == t->document && r->claims[i].claim == t->claim)
            return r->claims[i].plan;
    return NULL;
}

static ev_status judge_all(run *r, ev_error *error)
{
    size_t done = 0;
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (size_t i = 0; i < r->task_count; i++) {
        task *t = &r->tasks[i];
        if (t->step > 0)
            judge_task(r, t, plan_of(r, t));
        report(r, t, &done);
    }
    for (size_t i = 0; i < r->task_count; i++)
        if (r->tasks[i].status != EV_OK)
            return r->tasks[i].status == EV_NO_MEMORY
                       ? out_of_memory(error)
                       : ev_error_set(error, r->tasks[i].status, "%s@%zu could not be evaluated",
                                      claim_of(r, r->tasks[i].document, r->tasks[i].claim)->id,
                                      r->tasks[i].step);
    return EV_OK;
}

/* ---- strength and diagnosis ---- */

static bool is_measured(const run *r, const task *t)
{
    if (t->step == 0 || t->status != EV_OK)
        return false;
    ev_expectation expected = claim_of(r, t->document, t->claim)->expected[t->step - 1];
    return t->result.verdict == EV_REFUTED ||
           (t->result.verdict == EV_HOLDS && expected == EV_EXPECT_HOLDS);
}

static void strengthen_task(run *r, task *t)
{
    const ev_claim *claim = claim_of(r, t->document, t->claim);
    ev_strength_request request = {.id = claim->id,
                                   .seed = r->options->seed,
                                   .budget = &r->budget,
                                   .equivalent = claim->equivalent};
    double start = omp_get_wtime();
    t->status = t->result.verdict == EV_REFUTED
                    ? ev_strength_diagnose(&claim->formula, t->step - 1, &request, t->arena,
                                           &t->diagnosis)
                    : ev_strength_measure(&claim->formula, t->step - 1, &request, t->arena,
                                          &t->strength);
    t->seconds += omp_get_wtime() - start;
}

/* Every declared mutant must be one of the claim's that passes, when all its steps were broken: else
 * the first step says so.  The tasks of a claim stand together. */
static ev_status check_declarations(run *r, ev_error *error)
{
    for (size_t i = 0, end; i < r->task_count; i = end) {
        task *first = &r->tasks[i];
        const ev_claim *claim = claim_of(r, first->document, first->claim);
        uint64_t used = 0;
        bool all = claim->equivalent != NULL;
        for (end = i; end < r->task_count && r->tasks[end].document == first->document &&
                      r->tasks[end].claim == first->claim;
             end++) {
            const task *t = &r->tasks[end];
            used |= t->strength.declared;
            all = all && is_measured(r, t) && t->result.verdict == EV_HOLDS;
        }
        char text[200];
        if (!all || ev_declared_unused(claim->equivalent, used, sizeof text, text) == NULL)
            continue;
        first->strength.reason = ev_arena_format(
            first->arena, "declared equivalent, and no mutant of that name passes: %s", text);
        if (first->strength.reason == NULL)
            return out_of_memory(error);
    }
    return EV_OK;
}

static ev_status strengthen_all(run *r, ev_error *error)
{
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
    for (size_t i = 0; i < r->task_count; i++)
        if (is_measured(r, &r->tasks[i]))
            strengthen_task(r, &r->tasks[i]);
    for (size_t i = 0; i < r->task_count; i++)
        if (r->tasks[i].status != EV_OK)
            return out_of_memory(error);
    return check_declarations(r, error);
}

/* ---- records ---- */

static const char *copy(run *r, const char *text)
{
    if (text == NULL)
        return NULL;
    const char *kept = ev_arena_text(r->ledger->arena, text, strlen(text));
    return kept == NULL ? "" : kept; /* the arena remembers the failure */
}

static ev_verdict verdict_expected(ev_expectation expectation)
{
    static const ev_verdict verdicts[] = {[EV_EXPECT_HOLDS] = EV_HOLDS,
                                          [EV_EXPECT_REFUTED] = EV_REFUTED,
                                          [EV_EXPECT_VOID] = EV_VOID,
                                          [EV_EXPECT_VACUOUS] = EV_VACUOUS};
    return verdicts[expectation];
}

static ev_record record_of_claim(run *r, const task *t)
{
    static const char *const kinds[] = {
        [EV_KIND_ERROR] = "error", [EV_KIND_SLIP] = "slip", [EV_KIND_CONDITIONAL] = "conditional"};
    const ev_document *document = r->documents[t->document];
    const ev_claim *claim = claim_of(r, t->document, t->claim);
    return (ev_record){.document = copy(r, document->name),
                       .file = copy(r, document->file),
                       .section = copy(r, claim->section == NULL ? "" : claim->section),
                       .claim = copy(r, claim->id),
                       .step = t->step,
                       .line = claim->line,
                       .column = 1,
                       .left = "",
                       .source = copy(r, claim->source),
                       .see = copy(r, claim->see),
                       .note = copy(r, claim->note),
                       .kind = kinds[claim->kind],
                       .expected = verdict_expected(claim->expected[t->step > 0 ? t->step - 1 : 0]),
                       .reason = "",
                       .witness = "",
                       .diagnosis = "",
                       .methods = "",
                       .survivors = "",
                       .second_voice = "",
                       .measured = "",
                       .estimate_deviation = (double)NAN,
                       .sampling_p = (double)NAN,
                       .seed = r->options->seed,
                       .seconds = t->seconds};
}

static ev_evidence_value evidence(const ev_value *v)
{
    return (ev_evidence_value){v->value, v->rounding, v->quadrature, v->sampling};
}

static ev_record record_of_step(run *r, const task *t)
{
    char methods[80];
    const ev_step_result *result = &t->result;
    const ev_formula *formula = &claim_of(r, t->document, t->claim)->formula;
    const ev_formula_step *step = &formula->steps[t->step - 1];
    ev_record record = record_of_claim(r, t);
    record.line = step->line;
    record.column = step->column;
    record.relation = ev_relation_text(step->relation);
    record.left = copy(r, formula->member_texts[step->left]);
    record.right = copy(r, formula->member_texts[step->right]);
    record.verdict = result->verdict;
    record.reason = copy(r, result->reason);
    record.left_value = evidence(&result->at.left);
    record.right_value = evidence(&result->at.right);
    record.witness = copy(r, t->witness);
    record.witness_trials = t->witness_trials;
    record.agreeing_digits = result->points_effective > 0 ? result->digits : 0.0;
    record.resolution = result->resolution;
    record.smallest_detectable = result->smallest_detectable;
    record.methods = copy(r, ev_methods_text(result->methods, methods, sizeof methods));
    record.evaluations = result->evaluations;
    record.samples = result->samples;
    record.points_tried = t->points_tried;
    record.points_effective = result->points_effective;
    record.comparisons = result->comparisons;
    record.alpha_spent = (double)result->comparisons * r->budget.effort.alpha;
    record.sentinel = result->sentinel;
    record.estimate_deviation = result->deviation;
    record.sampling_p = result->p_value;
    record.mutants_killed = t->strength.killed;
    record.mutants_total = t->strength.total;
    record.mutants_undecided = t->strength.undecided;
    record.mutants_equivalent = t->strength.equivalent;
    record.survivors = copy(r, t->strength.survivors);
    record.unclear = copy(r, t->strength.unclear);
    record.diagnosis = copy(r, t->diagnosis);
    if (t->strength.reason[0] != '\0') {
        record.verdict = EV_VOID;
        record.reason = copy(r, t->strength.reason);
    }
    if (result->comparisons > t->planned) {
        record.verdict = EV_VOID;
        record.reason = "more sampling comparisons were spent than planned";
    }
    return record;
}

static ev_record record_of_statement(run *r, const task *t)
{
    ev_record record = record_of_claim(r, t);
    const char *statement = claim_of(r, t->document, t->claim)->statement;
    record.relation = "statement";
    record.right = copy(r, statement == NULL ? "" : statement);
    record.verdict = EV_SKIPPED;
    record.reason = "not decided";
    return record;
}

/* Each document's records together, where its module can find them. */
static ev_status make_records(run *r, ev_error *error)
{
    size_t i = 0;
    for (size_t d = 0; d < r->document_count; d++) {
        ev_check_job *job = &r->jobs[d];
        size_t first = i;
        while (i < r->task_count && r->tasks[i].document == d)
            i++;
        job->records = calloc(i - first + 1, sizeof *job->records);
        if (job->records == NULL)
            return out_of_memory(error);
        for (size_t k = first; k < i; k++) {
            const task *t = &r->tasks[k];
            job->records[job->count++] = t->step > 0 ? record_of_step(r, t)
                                                     : record_of_statement(r, t);
        }
    }
    return EV_OK;
}

static ev_status run_modules(run *r, ev_error *error)
{
    bool failed = false;
#pragma omp parallel for schedule(dynamic) num_threads(r->threads) reduction(|| : failed)
    for (size_t d = 0; d < r->document_count; d++)
        failed = ev_check_run(&r->jobs[d]) != EV_OK || failed;
    return failed ? out_of_memory(error) : EV_OK;
}

static ev_status write_ledger(run *r, ev_error *error)
{
    ev_ledger *ledger = r->ledger;
    for (size_t d = 0; d < r->document_count; d++) {
        const ev_check_job *job = &r->jobs[d];
        ledger->comparisons_spent += job->comparisons;
        for (size_t i = 0; i < job->count + job->own_count; i++) {
            ev_record *record = ev_ledger_append(ledger);
            if (record == NULL)
                return out_of_memory(error);
            *record = i < job->count ? job->records[i] : job->own[i - job->count];
            ledger->comparisons_spent += record->comparisons;
        }
        ledger->unchecked_displays += r->documents[d]->unchecked_displays;
    }
    return ev_arena_failed(ledger->arena) ? out_of_memory(error) : EV_OK;
}

/* ---- the whole ---- */

static ev_status start(run *r, const ev_check_entry *checks, ev_error *error)
{
    r->ledger = ev_ledger_create();
    r->jobs = calloc(r->document_count + 1, sizeof *r->jobs);
    if (r->ledger == NULL || r->jobs == NULL)
        return out_of_memory(error);
    r->ledger->seed = r->options->seed;
    r->ledger->effort = r->budget.name;
    r->ledger->document_count = r->document_count;
    for (size_t d = 0; d < r->document_count; d++)
        r->jobs[d] = (ev_check_job){.document = r->documents[d],
                                    .entry = r->options->witness != NULL
                                                 ? NULL
                                                 : find_module(checks, r->documents[d]->name),
                                    .budget = &r->budget,
                                    .effort = (int)r->options->effort,
                                    .seed = r->options->seed,
                                    .only = r->options->only,
                                    .arena = r->ledger->arena};
    return list_tasks(r, error);
}

static void finish(run *r)
{
    for (size_t i = 0; i < r->claim_count; i++)
        ev_plan_destroy(r->claims[i].plan);
    for (size_t i = 0; i < r->task_count; i++) {
        ev_replay_destroy(r->tasks[i].replay);
        ev_arena_destroy(r->tasks[i].arena);
    }
    for (size_t d = 0; r->jobs != NULL && d < r->document_count; d++) {
        free(r->jobs[d].records);
        free(r->jobs[d].own);
    }
    free(r->jobs);
    free(r->claims);
    free(r->tasks);
}

ev_status ev_judge_documents(ev_document *const *documents, size_t count,
                             const ev_check_entry *checks, const ev_judge_options *options,
                             ev_ledger **ledger, ev_error *error)
{
    run r = {.documents = documents,
             .document_count = count,
             .options = options,
             .budget = ev_budget_for((int)options->effort),
             .threads = options->threads > 0 ? (int)options->threads : omp_get_max_threads()};
    *ledger = NULL;
    if (options->points > 0) {
        r.budget.points = options->points;
        r.budget.first_point = options->first_point;
        r.budget.cases = options->points < r.budget.cases ? options->points : r.budget.cases;
    }
    ev_status status = start(&r, checks, error);
    if (status == EV_OK)
        status = plan_all(&r, error);
    if (status == EV_OK) {
        fix_ledger(&r);
        status = judge_all(&r, error);
    }
    if (status == EV_OK && options->mutants)
        status = strengthen_all(&r, error);
    if (status == EV_OK)
        status = make_records(&r, error);
    if (status == EV_OK)
        status = run_modules(&r, error);
    if (status == EV_OK)
        status = write_ledger(&r, error);
    finish(&r);
    if (status == EV_OK)
        *ledger = r.ledger;
    else
        ev_ledger_destroy(r.ledger);
    return status;
}
