#include "nn/conv_pass.h"

#include <string.h>

enum { PLACES = EV_CONV_PLACES, LANES = EV_CONV_LANES };

size_t ev_conv_whole(size_t n) { return (n + LANES - 1) / LANES * LANES; }

void ev_conv_cut(size_t rows, size_t width, const float *matrix, float *strips)
{
    for (size_t f = 0; f < width; f += LANES)
        for (size_t i = 0; i < rows; i++, strips += LANES) {
            const float *from = matrix + i * width + f;
            for (size_t lane = 0; lane < LANES; lane++)
                strips[lane] = f + lane < width ? from[lane] : 0.0F;
        }
}

/* Few columns and long runs: the lanes run over the taps.  The strips have room either way. */
static bool is_narrow(size_t channels, size_t length)
{
    return channels <= EV_CONV_NARROW && length % EV_CONV_TAPS == 0;
}

/* Of a strip the first columns, in the order that narrow products want, in its own place: what is
 * written lies before what is still to be read. */
static void narrow(const ev_conv_runs *runs, float *strip)
{
    for (size_t t = 0; t < runs->count * runs->length; t++)
        for (size_t column = 0; column < EV_CONV_NARROW; column++)
            strip[(t / EV_CONV_TAPS * EV_CONV_NARROW + column) * EV_CONV_TAPS + t % EV_CONV_TAPS] =
                strip[t * LANES + column];
}

void ev_conv_pass_order(const ev_conv_runs *runs, size_t channels, float *strips)
{
    if (is_narrow(channels, runs->length))
        narrow(runs, strips);
}

/* The next PLACES of a pass over a block, from image b, row i, column j on. */
typedef struct {
    size_t b, i, j;
} cursor;

static size_t next_places(const ev_conv_pass *p, const ev_conv_block *d, cursor *at,
                          const float *in[PLACES], float *out[PLACES])
{
    size_t n = 0;
    for (; n < PLACES && at->b < d->images; n++) {
        in[n] = d->in + at->b * d->in_size + p->in + at->i * p->in_row + at->j * p->in_column;
        out[n] = d->out + at->b * d->out_size + p->out + at->i * p->out_row + at->j * p->out_column;
        if (++at->j == p->columns) {
            at->j = 0;
            at->i++;
        }
        if (at->i == p->rows) {
            at->i = 0;
            at->b++;
        }
    }
    for (size_t i = n; i < PLACES; i++)
        in[i] = in[0];
    return n;
}

static inline void finish_row(float *out, const float *sum, size_t n, bool relu,
                              const float *activation)
{
    for (size_t f = 0; f < n; f++) { /* written so that a NaN stays one */
        float value = relu && sum[f] < 0.0F ? 0.0F : sum[f];
        out[f] = activation != NULL && !(activation[f] > 0.0F) ? 0.0F : value;
    }
}

/* Whole strips, the common case, as loops of a known length. */
static void finish_strip(float *out, const float *sum, size_t n, bool relu, const float *activation)
{
    if (n < LANES)
        finish_row(out, sum, n, relu, activation);
    else if (activation != NULL)
        finish_row(out, sum, LANES, relu, activation);
    else if (relu)
        finish_row(out, sum, LANES, true, NULL);
    else
        memcpy(out, sum, LANES * sizeof *out);
}

void ev_conv_pass_run(const ev_conv_pass *p, const ev_conv_block *d, const ev_conv_finish *last)
{
    const size_t strip = p->runs.count * p->runs.length * LANES;
    const float *in[PLACES];
    float *out[PLACES], sum[PLACES * LANES];
    cursor at = {0, 0, 0};
    if (p->rows == 0 || p->columns == 0)
        return;
    for (size_t n; (n = next_places(p, d, &at, in, out)) > 0;)
        for (size_t f = 0; f < d->channels; f += LANES) {
            size_t width = d->channels - f < LANES ? d->channels - f : LANES;
            if (is_narrow(d->channels, p->runs.length))
                ev_conv_narrow_products(&p->runs, in, p->strips, last->bias, sum);
            else
                ev_conv_products(&p->runs, in, p->strips + f / LANES * strip, last->bias + f, sum);
            for (size_t i = 0; i < n; i++)
                finish_strip(out[i] + f, sum + i * LANES, width, last->relu,
                             last->activation == NULL ? NULL
                                                      : last->activation + (out[i] - d->out) + f);
        }
}
