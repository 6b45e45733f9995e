/* Claims by their ids: a hash table of positions in the document's array. */
#ifndef EV_DOCUMENT_CLAIM_INDEX_H
#define EV_DOCUMENT_CLAIM_INDEX_H

#include "document/document.h"

#include <stdint.h>

#define EV_CLAIM_NONE SIZE_MAX

/* All zero is an empty index. */
typedef struct {
    size_t *slots;          /* position + 1, or 0 */
    size_t capacity, count; /* capacity: a power of two */
} ev_claim_index;

/* The position of the claim with an id, or EV_CLAIM_NONE. */
size_t ev_claim_index_get(const ev_claim_index *index, const ev_claim *claims, const char *id);
/* Add the id of the claim at a position, unless it is there.  False when memory is short. */
bool ev_claim_index_add(ev_claim_index *index, const ev_claim *claims, const char *id,
                        size_t position);
void ev_claim_index_destroy(ev_claim_index *index);

#endif
