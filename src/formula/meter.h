/* What a computation may spend, counted in operations.
 *
 * One operation is one instruction of a tape at one point of a rule or of a sample, the nodes of
 * nested rules counted each.  The count follows from the formula, the point and the effort alone:
 * what a clock would stop at different places on different machines stops here at the same one on
 * all of them, whatever the number of threads. */
#ifndef EV_FORMULA_METER_H
#define EV_FORMULA_METER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t limit, spent;
    bool cut; /* something had less than it asked for, or nothing at all */
} ev_meter;

/* No meter: no limit. */
static inline uint64_t ev_meter_left(const ev_meter *meter)
{
    if (meter == NULL)
        return UINT64_MAX;
    return meter->spent < meter->limit ? meter->limit - meter->spent : 0;
}

static inline void ev_meter_charge(ev_meter *meter, uint64_t times, uint64_t operations)
{
    if (meter == NULL)
        return;
    const uint64_t room = UINT64_MAX - meter->spent;
    meter->spent += operations != 0 && times > room / operations ? room : times * operations;
}

#endif
