#include "judge/budget.h"

#include <math.h>

static const ev_budget levels[] = {
    {.name = "quick",
     .points = 8,
     .cases = 3,
     .minimisation_points = 2,
     .redraws = 3,
     .starts = 3,
     .tries = 1000,
     .doublings = 1,
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
     .cases = 6,
     .minimisation_points = 4,
     .redraws = 5,
     .starts = 5,
     .tries = 2000,
     .doublings = 2,
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

size_t ev_budget_attempts(const ev_budget *budget) { return budget->doublings + 2; }
