#include "document/claim_index.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a */
static size_t hash(const char *id)
{
    uint64_t h = 14695981039346656037u;
    for (; *id != '\0'; id++)
        h = (h ^ (unsigned char)*id) * 1099511628211u;
    return (size_t)(h ^ (h >> 32));
}

/* The slot that holds an id, or the empty one where it belongs. */
static size_t *slot_of(const ev_claim_index *index, const ev_claim *claims, const char *id)
{
    size_t i = hash(id) & (index->capacity - 1);
    while (index->slots[i] != 0 && strcmp(claims[index->slots[i] - 1].id, id) != 0)
        i = (i + 1) & (index->capacity - 1);
    return &index->slots[i];
}

size_t ev_claim_index_get(const ev_claim_index *index, const ev_claim *claims, const char *id)
{
    return index->capacity == 0 ? EV_CLAIM_NONE : *slot_of(index, claims, id) - 1;
}

static bool grow(ev_claim_index *index, const ev_claim *claims)
{
    ev_claim_index larger = {.capacity = index->capacity == 0 ? 64 : 2 * index->capacity,
                             .count = index->count};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i] != 0)
            *slot_of(&larger, claims, claims[index->slots[i] - 1].id) = index->slots[i];
    free(index->slots);
    *index = larger;
    return true;
}

bool ev_claim_index_add(ev_claim_index *index, const ev_claim *claims, const char *id,
                        size_t position)
{
    if (2 * index->count >= index->capacity && !grow(index, claims))
        return false;
    size_t *slot = slot_of(index, claims, id);
    if (*slot == 0) {
        *slot = position + 1;
        index->count++;
    }
    return true;
}

void ev_claim_index_destroy(ev_claim_index *index)
{
    free(index->slots);
    *index = (ev_claim_index){.slots = NULL};
}
