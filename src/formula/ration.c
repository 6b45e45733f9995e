/* A batch's share of what its program may spend. */
#include "formula/program_internal.h"

void ev_program_set_meter(ev_program *program, ev_meter *meter) { program->meter = meter; }

void ev_setting_charge(const ev_setting *s, const ev_tape *tape, uint64_t points)
{
    ev_meter_charge(s->program->meter, points, ev_tape_operations(tape));
}

uint64_t ev_setting_ration(const ev_setting *s, const ev_tape *tape, uint64_t wanted, uint64_t part)
{
    ev_meter *meter = s->program->meter;
    if (meter == NULL)
        return wanted;
    const uint64_t left = meter->spent < s->until ? s->until - meter->spent : 0;
    const uint64_t points = left / part / ev_tape_operations(tape);
    meter->cut = meter->cut || points < wanted;
    return points < wanted ? points : wanted;
}
