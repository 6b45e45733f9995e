#include "judge/budget.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const ev_budget levels[] = {
    {.name = "quick",
     .points = 10,
     .cases = 5,
     .minimisation_points = 2,
     .redraws = 3,
     .starts = 3,
     .tries = 1000,
     .doublings = 1,
     .operations = UINT64_C(20000000000),
     .search = UINT64_C(100000000),
     .resolution = 1e-9,
     .sampling_resolution = 1e-3,
     .effort = {.relative = 1e-11,
                .max_evaluations = 500000,
                .max_dim = 4,
                .samples = 1 << 12,
                .max_samples = 1 << 20,
                .sampling_relative = 5e-4,
                .threads = 1}},
    {.name = "full",
     .points = 24,
     .cases = 7,
     .minimisation_points = 4,
     .redraws = 5,
     .starts = 5,
     .tries = 2000,
     .doublings = 2,
     .operations = UINT64_C(40000000000),
     .search = UINT64_C(400000000),
     .resolution = 1e-9,
     .sampling_resolution = 1e-3,
     .effort = {.relative = 1e-11,
                .max_evaluations = 2000000,
                .max_dim = 4,
                .samples = 1 << 14,
                .max_samples = 1 << 22,
                .sampling_relative = 5e-4,
                .threads = 1}},
    {.name = "deep",
     .points = 100,
     .cases = 12,
     .minimisation_points = 12,
     .redraws = 8,
     .starts = 10,
     .tries = 10000,
     .doublings = 3,
     .operations = UINT64_C(200000000000),
     .search = UINT64_C(2000000000),
     .resolution = 1e-9,
     .sampling_resolution = 1e-3,
     .effort = {.relative = 1e-11,
                .max_evaluations = 8000000,
                .max_dim = 4,
                .samples = 1 << 17,
                .max_samples = 1 << 24,
                .sampling_relative = 5e-4,
                .threads = 1}},
};

ev_budget ev_budget_for(int level) { return levels[level < 0 ? 0 : level > 2 ? 2 : level]; }

/* The relative error stops at 1e-13, where rounding takes over. */
ev_effort ev_budget_effort(const ev_budget *budget, size_t attempt)
{
    ev_effort effort = budget->effort;
    for (size_t i = 0; i < attempt; i++) {
        effort.relative = fmax(effort.relative / 4.0, 1e-13);
        effort.max_evaluations *= 2;
        effort.samples *= 2;
        effort.max_samples *= 4;
        effort.sampling_relative /= 2.0;
    }
    return effort;
}

const char *ev_budget_advice(const ev_budget *budget, size_t size, char *text)
{
    text[0] = '\0';
    for (size_t i = 0; i + 1 < sizeof levels / sizeof *levels; i++)
        if (strcmp(budget->name, levels[i].name) == 0)
            snprintf(text, size, " (--effort %s has %.3g)", levels[i + 1].name,
                     (double)levels[i + 1].operations);
    return text;
}

size_t ev_budget_attempts(const ev_budget *budget) { return budget->doublings + 2; }
