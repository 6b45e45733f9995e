/* Numbers drawn one after another from a stream, for what is drawn sequentially. */
#ifndef EV_JUDGE_DICE_H
#define EV_JUDGE_DICE_H

#include "numerics/random.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    ev_stream uniforms, normals;
    uint64_t uniforms_used, normals_used;
} ev_dice;

ev_dice ev_dice_make(const ev_stream *stream);
double ev_dice_uniform(ev_dice *dice); /* on (0,1) */
double ev_dice_normal(ev_dice *dice);
/* One of 0 .. n-1, n > 0. */
size_t ev_dice_below(ev_dice *dice, size_t n);

#endif
