#include "train/schedule.h"

const char *const ev_schedule_names[] = {"constant", "step", NULL};

double ev_schedule_rate(ev_schedule_kind kind, double start, size_t epoch)
{
    const double floor = start < 2e-4 ? start : 2e-4;
    double rate = start;
    if (kind == EV_SCHEDULE_CONSTANT)
        return start;
    for (size_t decays = epoch / 10; decays > 0 && rate > floor; decays--)
        rate *= 0.9;
    return rate > floor ? rate : floor;
}
