#include "judge/dice.h"

ev_dice ev_dice_make(const ev_stream *stream)
{
    return (ev_dice){.uniforms = ev_stream_child(stream, 0), .normals = ev_stream_child(stream, 1)};
}

double ev_dice_uniform(ev_dice *dice)
{
    double u;
    ev_stream_uniforms(&dice->uniforms, dice->uniforms_used++, 1, &u);
    return u;
}

double ev_dice_normal(ev_dice *dice)
{
    double x;
    ev_stream_normals(&dice->normals, dice->normals_used++, 1, &x);
    return x;
}

size_t ev_dice_below(ev_dice *dice, size_t n)
{
    size_t i = (size_t)(ev_dice_uniform(dice) * (double)n);
    return i < n ? i : n - 1;
}
