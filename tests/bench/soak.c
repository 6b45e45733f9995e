/* The shipped derivations under many seeds: is the judge ever wrong?
 *
 *   soak SEEDS MINUTES FILE.tsv
 *
 *  1. Every document is read once.
 *  2. Under each seed all steps are judged at quick effort, at one point: the k-th seed takes
 *     the k-th of the 24 of a full run, in turn, so that 24 seeds try each kind of
 *     point.  A true line that is refuted is a false alarm.  One that is vacuous there, as an
 *     arg-min is at a corner, or has sides that vanish there, is judged again at the next point; one
 *     that is void or undecided, at the same point with full effort; what it is then is counted.  Under every twentieth seed the
 *     C modules speak too.
 *  3. Every step has at most one sampling comparison taken from it, by a rule that does not
 *     look at its outcome, and its p-value kept: they must be uniform (uniformity.h).
 *  4. Every step that holds is broken by one of its mutants, another one under each seed, and must be
 *     refuted.  The mutants in turn are those that are refuted under the default seed.
 *
 * It ends after SEEDS seeds or MINUTES minutes, whichever is first, and writes what it has. */
#include "bench.h"
#include "judge/judge.h"
#include "judge/strength.h"
#include "uniformity.h"

#include <glob.h>
#include <inttypes.h>
#include <omp.h>
#include <sys/resource.h>

enum { POINTS = 1, POINTS_IN_TURN = 24, MODULES_EVERY = 20, PROGRESS_EVERY = 50, FIRST_SEED = 1 };

typedef struct {
    const ev_claim *claim;
    size_t step; /* 0-based */
    size_t count;
    const ev_mutant *mutants; /* that are refuted under the default seed */
} broken_step;

/* What one seed brought. */
typedef struct {
    bool done;
    uint64_t seed;
    size_t judged;       /* steps, statements and assertions */
    size_t false_alarms; /* true, and REFUTED */
    size_t again;        /* true, and neither HOLDS nor REFUTED the first time */
    size_t unfit;        /* true, and VOID also then: no number could be had at this point */
    size_t undecided;    /* the same, UNDECIDED */
    size_t vacuous;      /* the same, VACUOUS */
    size_t unseen;       /* false, and not refuted at this one point */
    size_t broken, refuted, survived;
    size_t passed_over; /* mutants, for the next of the same step */
    uint64_t comparisons;
    double seconds; /* of one processor */
    char first[160];
} outcome;

typedef struct {
    ev_document *documents[64];
    size_t document_count;
    ev_arena *arena;
    broken_step *steps;
    size_t step_count, without_mutants, mutant_count;
    outcome *outcomes;
    double *p;
    size_t p_count, p_capacity;
} soak;

static double processor_seconds(int who)
{
    struct rusage used;
    getrusage(who, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static double thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void stop(const char *what, const ev_error *error)
{
    fprintf(stderr, "soak: %s: %s\n", what, error == NULL ? "memory is short" : error->message);
    exit(3);
}

static void read_documents(soak *s)
{
    glob_t found;
    ev_error error = EV_ERROR_NONE;
    if (glob(EV_SOURCE_DIR "/derivations/*.md", 0, NULL, &found) != 0)
        stop("no derivations", NULL);
    for (size_t i = 0; i < found.gl_pathc && s->document_count < 64; i++)
        if (strstr(found.gl_pathv[i], "README.md") == NULL &&
            ev_document_read(found.gl_pathv[i], &s->documents[s->document_count++], &error) !=
                EV_OK)
            stop(found.gl_pathv[i], &error);
    globfree(&found);
}

/* ---- the mutants in turn ---- */

static ev_strength_request request_of(const ev_claim *claim, uint64_t seed, const ev_budget *budget)
{
    return (ev_strength_request){
        .id = claim->id, .seed = seed, .budget = budget, .equivalent = claim->equivalent};
}

static ev_budget mutant_budget(void)
{
    ev_budget budget = ev_budget_for(0);
    budget.effort.alpha = 1e-12; /* nothing of the runs' own error probability */
    return budget;
}

static void list_steps(soak *s)
{
    size_t capacity = 0;
    for (size_t d = 0; d < s->document_count; d++)
        for (size_t c = 0; c < s->documents[d]->claim_count; c++) {
            const ev_claim *claim = &s->documents[d]->claims[c];
            for (size_t k = 0; !claim->is_statement && k < claim->formula.step_count; k++) {
                if (claim->expected[k] != EV_EXPECT_HOLDS)
                    continue;
                if (!ev_array_reserve(&s->steps, s->step_count, &capacity, sizeof *s->steps))
                    stop("steps", NULL);
                s->steps[s->step_count++] = (broken_step){claim, k, 0, NULL};
            }
        }
}

/* Keep the mutants that are refuted under the default seed. */
static void choose_mutants(broken_step *b, ev_arena *arena)
{
    const ev_budget budget = mutant_budget();
    const ev_strength_request request = request_of(b->claim, EV_JUDGE_DEFAULTS.seed, &budget);
    ev_mutant *mutants;
    size_t count, kept = 0;
    if (ev_strength_mutants(&b->claim->formula, b->step, arena, &mutants, &count) != EV_OK)
        stop("mutants", NULL);
    for (size_t i = 0; i < count; i++) {
        ev_verdict verdict;
        if (ev_strength_verdict(&mutants[i].formula, &request, &verdict) != EV_OK)
            stop("mutants", NULL);
        if (verdict == EV_REFUTED)
            mutants[kept++] = mutants[i];
    }
    b->mutants = mutants;
    b->count = kept;
}

static void prepare_mutants(soak *s)
{
    list_steps(s);
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < s->step_count; i++) {
        ev_arena *own = ev_arena_create(); /* kept to the end of the program */
        if (own == NULL)
            stop("mutants", NULL);
        choose_mutants(&s->steps[i], own);
    }
    for (size_t i = 0; i < s->step_count; i++) {
        s->mutant_count += s->steps[i].count;
        s->without_mutants += s->steps[i].count == 0;
        if (s->steps[i].count == 0)
            printf("no mutant: %s@%zu\n", s->steps[i].claim->id, s->steps[i].step + 1);
    }
}

/* A mutant without a value at this seed's points (its integral has too heavy a tail, say) gives way
 * to the next. */
static ev_verdict break_step(const broken_step *b, size_t turn, const ev_budget *budget, outcome *o)
{
    const ev_strength_request request = request_of(b->claim, o->seed, budget);
    ev_verdict verdict = EV_SKIPPED;
    for (size_t k = 0; k < b->count && verdict != EV_REFUTED && verdict != EV_HOLDS; k++) {
        const ev_mutant *mutant = &b->mutants[(turn + k) % b->count];
        if (ev_strength_verdict(&mutant->formula, &request, &verdict) != EV_OK)
            stop("a mutant", NULL);
        o->passed_over += verdict != EV_REFUTED && verdict != EV_HOLDS;
        if (verdict == EV_HOLDS)
            snprintf(o->first, sizeof o->first, "%s@%zu with %.90s: %s", b->claim->id, b->step + 1,
                     mutant->text, ev_verdict_name(verdict));
    }
    return verdict;
}

static void break_steps(const soak *s, size_t turn, outcome *o)
{
    const ev_budget budget = mutant_budget();
    for (size_t i = 0; i < s->step_count; i++) {
        if (s->steps[i].count == 0)
            continue;
        ev_verdict verdict = break_step(&s->steps[i], turn, &budget, o);
        o->broken++;
        o->refuted += verdict == EV_REFUTED;
        o->survived += verdict == EV_HOLDS;
    }
}

/* ---- the suite ---- */

static ev_judge_options options_of(uint64_t seed, size_t first_point)
{
    ev_judge_options options = EV_JUDGE_DEFAULTS;
    options.seed = seed;
    options.effort = EV_EFFORT_QUICK;
    options.points = POINTS;
    options.first_point = first_point;
    options.threads = 1;
    options.shrink = false;
    return options;
}

static const ev_check_entry no_modules[] = {{NULL, NULL}};

/* The verdict of one step with other options. */
static ev_verdict judge_step(const soak *s, const ev_record *r, ev_judge_options options,
                             outcome *o)
{
    char only[128];
    ev_ledger *ledger = NULL;
    ev_error error = EV_ERROR_NONE;
    snprintf(only, sizeof only, "%s@%zu", r->claim, r->step);
    options.only = only;
    if (ev_judge_documents(s->documents, s->document_count, no_modules, &options, &ledger,
                           &error) != EV_OK)
        stop(only, &error);
    if (ledger->count != 1)
        stop("one step, and not one record", NULL);
    ev_verdict verdict = ledger->records[0].verdict;
    o->comparisons += ledger->comparisons_spent;
    ev_ledger_destroy(ledger);
    return verdict;
}

/* The one point was no point for this step. */
static bool said_nothing(const ev_record *r)
{
    return r->verdict == EV_VACUOUS ||
           (r->verdict == EV_UNDECIDED && strstr(r->reason, "both sides vanish") != NULL);
}

/* What a step comes to that was neither HOLDS nor REFUTED: at the next points when its own said
 * nothing, with full effort when it was void or undecided. */
static ev_verdict judge_again(const soak *s, const ev_record *r, size_t point, outcome *o)
{
    enum { NEXT_POINTS = 3 };
    ev_verdict verdict = said_nothing(r) ? EV_VACUOUS : r->verdict;
    for (size_t k = 1; verdict == EV_VACUOUS && k <= NEXT_POINTS; k++)
        verdict = judge_step(s, r, options_of(o->seed, point += POINTS), o);
    if (verdict == EV_UNDECIDED || verdict == EV_VOID) {
        ev_judge_options options = options_of(o->seed, point);
        options.effort = EV_EFFORT_FULL;
        verdict = judge_step(s, r, options, o);
    }
    return verdict;
}

static void count_record(const soak *s, const ev_record *r, bool modules, size_t point, outcome *o)
{
    if (r->step == 0 && !modules)
        return; /* nobody is there to decide it */
    ev_verdict verdict = r->verdict;
    o->judged++;
    o->unseen += r->expected == EV_REFUTED && verdict != EV_REFUTED;
    if (r->expected != EV_HOLDS || verdict == EV_HOLDS)
        return;
    o->again += verdict != EV_REFUTED;
    if (r->step > 0)
        verdict = judge_again(s, r, point, o);
    o->false_alarms += verdict == EV_REFUTED;
    o->unfit += verdict == EV_VOID;
    o->undecided += verdict == EV_UNDECIDED;
    o->vacuous += verdict == EV_VACUOUS;
    if (verdict != EV_HOLDS)
        snprintf(o->first, sizeof o->first, "%s@%zu: %s %.100s", r->claim, r->step,
                 ev_verdict_name(verdict), r->reason);
}

static void keep_p_values(soak *s, const ev_ledger *ledger)
{
#pragma omp critical(soak_p_values)
    for (size_t i = 0; i < ledger->count; i++)
        if (!isnan(ledger->records[i].sampling_p)) {
            if (!ev_array_reserve(&s->p, s->p_count, &s->p_capacity, sizeof *s->p))
                stop("p-values", NULL);
            s->p[s->p_count++] = ledger->records[i].sampling_p;
        }
}

static void judge_suite(soak *s, size_t turn, outcome *o)
{
    bool modules = turn % MODULES_EVERY == 0;
    size_t point = POINTS * turn % POINTS_IN_TURN;
    const ev_judge_options options = options_of(o->seed, point);
    ev_ledger *ledger = NULL;
    ev_error error = EV_ERROR_NONE;
    if (ev_judge_documents(s->documents, s->document_count, modules ? ev_check_table : no_modules,
                           &options, &ledger, &error) != EV_OK)
        stop("the suite", &error);
    o->comparisons += ledger->comparisons_spent;
    for (size_t i = 0; i < ledger->count; i++)
        count_record(s, &ledger->records[i], modules, point, o);
    keep_p_values(s, ledger);
    ev_ledger_destroy(ledger);
}

static void run_seeds(soak *s, size_t seeds, double minutes)
{
    double start = bench_clock();
#pragma omp parallel for schedule(dynamic)
    for (size_t turn = 0; turn < seeds; turn++) {
        if (bench_clock() - start > 60 * minutes)
            continue;
        outcome *o = &s->outcomes[turn];
        double began = thread_seconds();
        o->seed = FIRST_SEED + turn;
        judge_suite(s, turn, o);
        break_steps(s, turn, o);
        o->seconds = thread_seconds() - began;
        o->done = true;
        if (o->first[0] != '\0')
            fprintf(stderr, "seed %" PRIu64 ": %s\n", o->seed, o->first);
        if ((turn + 1) % PROGRESS_EVERY == 0)
            fprintf(stderr, "seed %" PRIu64 " after %.0f s\n", o->seed, bench_clock() - start);
    }
}

/* ---- what came of it ---- */

static outcome sum_of(const soak *s, size_t seeds, size_t *done)
{
    outcome sum = {.done = true};
    *done = 0;
    for (size_t i = 0; i < seeds; i++) {
        const outcome *o = &s->outcomes[i];
        *done += o->done;
        sum.judged += o->judged;
        sum.false_alarms += o->false_alarms;
        sum.again += o->again;
        sum.unfit += o->unfit;
        sum.undecided += o->undecided;
        sum.vacuous += o->vacuous;
        sum.unseen += o->unseen;
        sum.broken += o->broken;
        sum.refuted += o->refuted;
        sum.survived += o->survived;
        sum.passed_over += o->passed_over;
        sum.comparisons += o->comparisons;
        sum.seconds += o->seconds;
    }
    return sum;
}

static void put_p_values(const soak *s, const uniformity *u, FILE *out)
{
    fprintf(out,
            "# p-values: %zu; Kolmogorov-Smirnov D %.5f, probability %.3f; Anderson-Darling %.3f\n",
            u->count, u->distance, u->probability, u->anderson_darling);
    double level = 0.1;
    size_t below = 0;
    for (int k = 1; k <= 6; k++, level /= 10) {
        for (below = 0; below < s->p_count && s->p[below] < level; below++)
            ;
        fprintf(out, "# below %g: %zu, of %.1f expected\n", level, below,
                level * (double)s->p_count);
    }
}

static void put_summary(const soak *s, const outcome *sum, size_t done, const uniformity *u,
                        FILE *out)
{
    fprintf(out, "# seeds: %zu, quick effort, %d point a step, C modules under every %dth\n", done,
            (int)POINTS, (int)MODULES_EVERY);
    fprintf(out,
            "# verdicts: %zu; false alarms %zu; false lines not seen at the one point %zu\n"
            "# true lines judged again (nothing to compare: at the next point; void or undecided: "
            "with full "
            "effort): %zu; then void %zu, undecided %zu, vacuous %zu\n",
            sum->judged, sum->false_alarms, sum->unseen, sum->again, sum->unfit, sum->undecided,
            sum->vacuous);
    fprintf(out, "# sampling comparisons: %" PRIu64 "\n", sum->comparisons);
    put_p_values(s, u, out);
    fprintf(out,
            "# mutants in turn: %zu of %zu steps (%zu steps have none)\n"
            "# broken steps: %zu; refuted %zu; surviving %zu; mutants passed over %zu\n",
            s->mutant_count, s->step_count, s->without_mutants, sum->broken, sum->refuted,
            sum->survived, sum->passed_over);
    fprintf(out, "# processor seconds: %.0f, %.2f a seed\n", processor_seconds(RUSAGE_SELF),
            done > 0 ? sum->seconds / (double)done : 0);
}

static void write_table(const soak *s, size_t seeds, const outcome *sum, size_t done,
                        const uniformity *u, const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL)
        stop(path, NULL);
    put_summary(s, sum, done, u, out);
    fputs("seed\tverdicts\tfalse_"
          "alarms\tagain\tvoid\tundecided\tvacuous\tunseen\tcomparisons\tbroken\trefuted\t"
          "surviving\tpassed_over\tseconds\tfirst\n",
          out);
    for (size_t i = 0; i < seeds; i++) {
        const outcome *o = &s->outcomes[i];
        if (o->done)
            fprintf(out,
                    "%" PRIu64 "\t%zu\t%zu\t%zu\t%zu\t%zu\t%zu\t%zu\t%" PRIu64
                    "\t%zu\t%zu\t%zu\t%zu\t%.2f\t%s\n",
                    o->seed, o->judged, o->false_alarms, o->again, o->unfit, o->undecided,
                    o->vacuous, o->unseen, o->comparisons, o->broken, o->refuted, o->survived,
                    o->passed_over, o->seconds, o->first);
    }
    if (fclose(out) != 0)
        stop(path, NULL);
}

int main(int argc, char **argv)
{
    soak s = {.document_count = 0};
    size_t seeds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, done;
    double minutes = argc > 2 ? strtod(argv[2], NULL) : 0;
    if (argc != 4 || seeds == 0 || !(minutes > 0)) {
        fputs("usage: soak SEEDS MINUTES FILE.tsv\n", stderr);
        return 2;
    }
    s.outcomes = calloc(seeds, sizeof *s.outcomes);
    if (s.outcomes == NULL)
        stop("seeds", NULL);
    read_documents(&s);
    prepare_mutants(&s);
    run_seeds(&s, seeds, minutes);
    outcome sum = sum_of(&s, seeds, &done);
    uniformity u = uniformity_of(s.p_count, s.p);
    put_summary(&s, &sum, done, &u, stdout);
    write_table(&s, seeds, &sum, done, &u, argv[3]);
    bool good = done > 0 && sum.false_alarms == 0 && sum.refuted == sum.broken &&
                u.probability >= 0.001;
    puts(good ? "as it should be" : "NOT as it should be");
    return good ? 0 : 1;
}
