#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 1 << 16, ALIGNMENT = 64 };

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
} chunk;

struct ev_arena {
    chunk *chunks;
    bool failed;
};

static size_t fail_countdown; /* test hook; 0 is off */

void ev_arena_fail_after(size_t n) { fail_countdown = n; }

static bool injected_failure(void) { return fail_countdown != 0 && --fail_countdown == 0; }

ev_arena *ev_arena_create(void)
{
    if (injected_failure())
        return NULL;
    return calloc(1, sizeof(ev_arena));
}

void ev_arena_destroy(ev_arena *arena)
{
    if (arena == NULL)
        return;
    for (chunk *c = arena->chunks, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    free(arena);
}

bool ev_arena_failed(const ev_arena *arena) { return arena->failed; }

static void *fail(ev_arena *arena)
{
    arena->failed = true;
    return NULL;
}

/* The chunk's payload starts at the first multiple of ALIGNMENT after its header. */
static chunk *add_chunk(ev_arena *arena, size_t payload)
{
    size_t header = (sizeof(chunk) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (payload > SIZE_MAX - header - ALIGNMENT)
        return NULL;
    size_t size = (header + payload + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    chunk *c = aligned_alloc(ALIGNMENT, size);
    if (c == NULL)
        return NULL;
    c->size = size;
    c->used = header;
    c->next = arena->chunks;
    arena->chunks = c;
    return c;
}

void *ev_arena_array(ev_arena *arena, size_t count, size_t size)
{
    if (injected_failure() || (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size))
        return fail(arena);
    size_t bytes = count * size;
    size_t alignment = bytes > 256 ? (size_t)ALIGNMENT : 16;
    chunk *c = arena->chunks;
    size_t start = c == NULL ? 0 : (c->used + alignment - 1) / alignment * alignment;
    if (c == NULL || start > c->size || bytes > c->size - start) {
        c = add_chunk(arena, bytes > CHUNK_SIZE ? bytes : (size_t)CHUNK_SIZE);
        if (c == NULL)
            return fail(arena);
        start = c->used;
    }
    c->used = start + bytes;
    return memset((char *)c + start, 0, bytes);
}

char *ev_arena_text(ev_arena *arena, const char *text, size_t length)
{
    char *copy = ev_arena_array(arena, length == SIZE_MAX ? length : length + 1, 1);
    if (copy != NULL && length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *ev_arena_format(ev_arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? fail(arena) : ev_arena_array(arena, (size_t)length + 1, 1);
    if (text != NULL)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

bool ev_array_reserve(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    if (injected_failure() || wanted > SIZE_MAX / 2 / size)
        return false;
    void *old, *grown;
    memcpy(&old, items, sizeof old);
    grown = realloc(old, wanted * size);
    if (grown == NULL)
        return false;
    memcpy(items, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}
