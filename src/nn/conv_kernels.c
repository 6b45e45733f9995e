#include "nn/conv_kernels.h"

#include "nn/lanes.h"

enum { WIDTH = EV_LANES, HALVES = EV_CONV_LANES / WIDTH };
_Static_assert((int)EV_CONV_TAPS == (int)WIDTH, "as many taps as lanes");
_Static_assert((int)HALVES == (int)EV_CONV_NARROW, "a register of sums for each column");

/* sums[i] of place or tap i. */
typedef struct {
    ev_lanes of[EV_CONV_PLACES][HALVES];
} sums;

static inline void add_product(ev_lanes sum[HALVES], float x, ev_lanes low, ev_lanes high)
{
    const ev_lanes all = ev_lanes_all(x);
    sum[0] += all * low;
    sum[1] += all * high;
}

static inline void add_products(ev_lanes sum[HALVES], const float *x, ev_lanes low, ev_lanes high)
{
    const ev_lanes own = ev_lanes_load(x);
    sum[0] += own * low;
    sum[1] += own * high;
}

static inline float total(ev_lanes v)
{
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

void ev_conv_products(const ev_conv_runs *runs, const float *const in[EV_CONV_PLACES],
                      const float *strip, const float bias[EV_CONV_LANES],
                      float sum[EV_CONV_PLACES * EV_CONV_LANES])
{
    const float *a = in[0], *b = in[1], *c = in[2], *d = in[3], *e = in[4], *f = in[5];
    sums s;
    for (size_t i = 0; i < EV_CONV_PLACES; i++)
        for (size_t half = 0; half < HALVES; half++)
            s.of[i][half] = ev_lanes_load(bias + half * WIDTH);
    for (size_t run = 0; run < runs->count; run++)
        for (size_t t = run * runs->step, end = t + runs->length; t < end; t++) {
            const ev_lanes low = ev_lanes_load(strip), high = ev_lanes_load(strip + WIDTH);
            strip += EV_CONV_LANES;
            add_product(s.of[0], a[t], low, high);
            add_product(s.of[1], b[t], low, high);
            add_product(s.of[2], c[t], low, high);
            add_product(s.of[3], d[t], low, high);
            add_product(s.of[4], e[t], low, high);
            add_product(s.of[5], f[t], low, high);
        }
    for (size_t i = 0; i < EV_CONV_PLACES; i++)
        for (size_t half = 0; half < HALVES; half++)
            ev_lanes_store(sum + i * EV_CONV_LANES + half * WIDTH, s.of[i][half]);
}

void ev_conv_narrow_products(const ev_conv_runs *runs, const float *const in[EV_CONV_PLACES],
                             const float *strip, const float bias[EV_CONV_NARROW],
                             float sum[EV_CONV_PLACES * EV_CONV_LANES])
{
    const float *a = in[0], *b = in[1], *c = in[2], *d = in[3], *e = in[4], *f = in[5];
    sums s = {{{{0}}}};
    for (size_t run = 0; run < runs->count; run++)
        for (size_t t = run * runs->step, end = t + runs->length; t < end; t += WIDTH) {
            const ev_lanes low = ev_lanes_load(strip), high = ev_lanes_load(strip + WIDTH);
            strip += EV_CONV_NARROW * WIDTH;
            add_products(s.of[0], a + t, low, high);
            add_products(s.of[1], b + t, low, high);
            add_products(s.of[2], c + t, low, high);
            add_products(s.of[3], d + t, low, high);
            add_products(s.of[4], e + t, low, high);
            add_products(s.of[5], f + t, low, high);
        }
    for (size_t i = 0; i < EV_CONV_PLACES; i++)
        for (size_t column = 0; column < EV_CONV_NARROW; column++)
            sum[i * EV_CONV_LANES + column] = bias[column] + total(s.of[i][column]);
}

void ev_conv_outer_products(const ev_conv_grid *grid, const float *x,
                            const size_t tap[EV_CONV_PLACES], const float *strip, size_t width,
                            float *sum)
{
    const size_t a = tap[0], b = tap[1], c = tap[2], d = tap[3], e = tap[4], f = tap[5];
    sums s;
    for (size_t i = 0; i < EV_CONV_PLACES; i++)
        for (size_t half = 0; half < HALVES; half++)
            s.of[i][half] = ev_lanes_load(sum + i * width + half * WIDTH);
    for (size_t row = 0, image = 0, left = grid->images * grid->rows; left > 0; left--) {
        size_t at = image + row * grid->row;
        image += ++row == grid->rows ? grid->image : 0;
        row = row == grid->rows ? 0 : row;
        for (size_t column = 0; column < grid->columns; column++) {
            const ev_lanes low = ev_lanes_load(strip), high = ev_lanes_load(strip + WIDTH);
            add_product(s.of[0], x[at + a], low, high);
            add_product(s.of[1], x[at + b], low, high);
            add_product(s.of[2], x[at + c], low, high);
            add_product(s.of[3], x[at + d], low, high);
            add_product(s.of[4], x[at + e], low, high);
            add_product(s.of[5], x[at + f], low, high);
            at += grid->column;
            strip += EV_CONV_LANES;
        }
    }
    for (size_t i = 0; i < EV_CONV_PLACES; i++)
        for (size_t half = 0; half < HALVES; half++)
            ev_lanes_store(sum + i * width + half * WIDTH, s.of[i][half]);
}
