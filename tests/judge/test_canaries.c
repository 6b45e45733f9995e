#include <criterion/criterion.h>

#include "judge/canaries.h"

Test(canaries, every_planted_line_comes_out_as_planted_under_many_seeds)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        ev_canaries result;
        ev_error error = EV_ERROR_NONE;
        cr_assert(ev_canaries_judge(seed, &result, &error) == EV_OK, "%zu:%zu %s", error.line,
                  error.column, error.message);
        cr_expect(result.as_planted == result.total, "seed %d: %s", (int)seed,
                  result.first_failure);
    }
}
