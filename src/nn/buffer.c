#define _DEFAULT_SOURCE /* madvise */

#include "nn/buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    LINE = EV_BUFFER_ALIGNMENT,
    PAGE = 1 << 19 /* floats of a large page, 2 MB */
};

size_t ev_size_larger(size_t a, size_t b) { return a > b ? a : b; }

size_t ev_size_product(size_t a, size_t b) { return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b; }

float *ev_buffer_create(size_t count)
{
    const size_t unit = count < PAGE ? LINE : PAGE;
    if (count > PTRDIFF_MAX / sizeof(float) - unit)
        return NULL;
    size_t bytes = (count / unit + 1) * unit * sizeof(float);
    float *memory = aligned_alloc(unit * sizeof(float), bytes);
#ifdef MADV_HUGEPAGE
    /* Matrices of megabytes walked by columns need a page for each row; large pages are wished for
     * only, and all the same if refused. */
    if (memory != NULL && unit == PAGE)
        (void)madvise(memory, bytes, MADV_HUGEPAGE);
#endif
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
