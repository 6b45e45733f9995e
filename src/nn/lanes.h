/* Vectors of eight floats, the compiler's: AVX where the machine has it, two of four elsewhere.  Private
 * to src/nn. */
#ifndef EV_NN_LANES_H
#define EV_NN_LANES_H

#include <stddef.h>
#include <string.h>

enum { EV_LANES = 8 };

typedef float ev_lanes __attribute__((vector_size(EV_LANES * sizeof(float))));

static inline ev_lanes ev_lanes_load(const float *from)
{
    ev_lanes v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline void ev_lanes_store(float *to, ev_lanes v) { memcpy(to, &v, sizeof v); }

static inline ev_lanes ev_lanes_all(float x) { return (ev_lanes){x, x, x, x, x, x, x, x}; }

/* The transpose of eight rows of eight. */
static inline void ev_lanes_flip(ev_lanes v[EV_LANES])
{
    ev_lanes a[EV_LANES], b[EV_LANES];
    for (size_t i = 0; i < EV_LANES; i += 2) {
        a[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        a[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (size_t i = 0; i < EV_LANES; i += 4)
        for (size_t j = 0; j < 2; j++) {
            const ev_lanes x = a[i + j], y = a[i + j + 2];
            b[i + 2 * j] = __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13);
            b[i + 2 * j + 1] = __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (size_t i = 0; i < EV_LANES / 2; i++) {
        v[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        v[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* to (columns, rows) is the transpose of from (rows, columns); their rows begin every so many floats. */
static inline void ev_lanes_transpose(size_t rows, size_t columns, const float *from,
                                      size_t from_stride, float *to, size_t to_stride)
{
    size_t i = 0;
    for (; i + EV_LANES <= rows; i += EV_LANES) {
        size_t j = 0;
        for (; j + EV_LANES <= columns; j += EV_LANES) {
            ev_lanes v[EV_LANES];
            for (size_t k = 0; k < EV_LANES; k++)
                v[k] = ev_lanes_load(from + (i + k) * from_stride + j);
            ev_lanes_flip(v);
            for (size_t k = 0; k < EV_LANES; k++)
                ev_lanes_store(to + (j + k) * to_stride + i, v[k]);
        }
        for (; j < columns; j++)
            for (size_t k = 0; k < EV_LANES; k++)
                to[j * to_stride + i + k] = from[(i + k) * from_stride + j];
    }
    for (; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            to[j * to_stride + i] = from[i * from_stride + j];
}

#endif
