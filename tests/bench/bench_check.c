/* Wall time of the shipped derivations' check, at full effort.
 *
 * 1. Two of them without mutants, the better of two turns.
 * 2. All of them, once with their mutants, as `make check` runs them, and once without: what the
 *    mutants cost, in processor time. */
#include "bench.h"

#include <stdio.h>
#include <sys/resource.h>

enum { TURNS = 2 };

typedef struct {
    double wall, processor; /* seconds */
    int status;             /* not 0: a verdict is not as expected */
} spent;

static double processor_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/* words: what comes after `evidence check --effort full`, in the folder of the derivations. */
static spent check(const char *words)
{
    char command[1024];
    snprintf(command, sizeof command,
             "cd '" EV_SOURCE_DIR "/derivations' && '" EV_PROGRAM
             "' check --effort full %s >/dev/null",
             words);
    double start = bench_clock(), used = processor_seconds();
    spent s = {.status = system(command)};
    s.wall = bench_clock() - start;
    s.processor = processor_seconds() - used;
    return s;
}

static bool at_most(const char *what, double value, double limit)
{
    printf("  %-27s%8.1f   (target: at most %g, %s)\n", what, value, limit,
           value <= limit ? "met" : "missed");
    return value <= limit;
}

static bool two_documents(int *status)
{
    spent best = {HUGE_VAL, HUGE_VAL, 0};
    for (int i = 0; i < TURNS; i++) {
        const spent s = check("gaussian_expectation.md kl_estimators.md");
        best = (spent){fmin(best.wall, s.wall), fmin(best.processor, s.processor), s.status};
        *status |= s.status;
    }
    printf("The check of gaussian_expectation and kl_estimators, full effort, seconds\n");
    const bool met = at_most("wall clock, two cores", best.wall, 10);
    printf("  %-27s%8.1f\n", "all processors together", best.processor);
    return met;
}

static bool all_documents(int *status)
{
    static const char *const all = "$(ls *.md | grep -v README)";
    char words[256];
    snprintf(words, sizeof words, "--mutants off %s", all);
    const spent off = check(words);
    snprintf(words, sizeof words, "--mutants on %s", all);
    const spent on = check(words);
    *status |= off.status | on.status;
    printf("The check of all derivations, full effort, seconds\n");
    printf("  %-27s%8.1f\n", "wall clock without mutants", off.wall);
    const bool met = at_most("wall clock with mutants", on.wall, 120);
    return at_most("ratio, processor time", on.processor / off.processor, 3) && met;
}

int main(void)
{
    int status = 0;
    const bool two = two_documents(&status), all = all_documents(&status);
    if (status != 0)
        printf("  a verdict is not as expected: see make check\n");
    return status == 0 && two && all ? 0 : 1;
}
