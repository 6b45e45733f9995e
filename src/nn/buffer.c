#include "nn/buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = EV_BUFFER_ALIGNMENT };

size_t ev_size_product(size_t a, size_t b) { return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b; }

float *ev_buffer_create(size_t count)
{
    if (count > PTRDIFF_MAX / sizeof(float) - LINE)
        return NULL;
    size_t bytes = (count + LINE) / LINE * LINE * sizeof(float);
    float *memory = aligned_alloc(LINE * sizeof(float), bytes);
    if (memory != NULL)
        memset(memory, 0, bytes);
    return memory;
}

float *ev_carve_take(ev_carve *carve, size_t count)
{
    size_t start = carve->used;
    if (count > SIZE_MAX - LINE || start > SIZE_MAX - count - LINE) {
        carve->used = SIZE_MAX;
        return NULL;
    }
    carve->used = start + (count + LINE - 1) / LINE * LINE;
    return carve->base == NULL ? NULL : carve->base + start;
}
