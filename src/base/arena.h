/* An arena: many small allocations freed together.
 *
 * Allocation sizes are overflow-checked.  A failed allocation returns NULL and
 * leaves the arena marked, so that a builder may check once at its end.
 *
 *   ev_arena *arena = ev_arena_create();
 *   double *x = ev_arena_array(arena, n, sizeof *x);
 *   ev_arena_destroy(arena);
 */
#ifndef EV_BASE_ARENA_H
#define EV_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ev_arena ev_arena;

/* NULL when memory is short. */
ev_arena *ev_arena_create(void);
/* Frees the arena and all that came from it; NULL is allowed. */
void ev_arena_destroy(ev_arena *arena);

/* count * size zeroed bytes, aligned for any type (and to 64 bytes when larger
 * than 256); NULL when memory is short or the product overflows. */
void *ev_arena_array(ev_arena *arena, size_t count, size_t size);
/* A copy of the first length bytes of text, with a terminating zero. */
char *ev_arena_text(ev_arena *arena, const char *text, size_t length);
/* A printf into the arena. */
char *ev_arena_format(ev_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* True once an allocation has failed. */
bool ev_arena_failed(const ev_arena *arena);

/* Grow a heap array to hold one more element: doubles *capacity when count has
 * reached it.  items is the address of the array's pointer.  False, with the array
 * untouched, when memory is short or the size would overflow. */
bool ev_array_reserve(void *items, size_t count, size_t *capacity, size_t size);

/* Test hook: the n-th allocation from now on fails (0: never). */
void ev_arena_fail_after(size_t n);

#endif
