/* The learning rate as a function of the epoch. */
#ifndef EV_TRAIN_SCHEDULE_H
#define EV_TRAIN_SCHEDULE_H

#include <stddef.h>

typedef enum {
    EV_SCHEDULE_CONSTANT,
    EV_SCHEDULE_STEP /* VaDE's: times 0.9 every 10 epochs, not below 2e-4 (or the start, if lower) */
} ev_schedule_kind;

/* "constant", "step"; ended by NULL. */
extern const char *const ev_schedule_names[];

/* The rate of an epoch, counted from 0, that starts at `start`. */
double ev_schedule_rate(ev_schedule_kind kind, double start, size_t epoch);

#endif
