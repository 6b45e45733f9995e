/* The table of named blocks of a parameter array.
 *
 * All parameters of a model are one array of floats; so are their gradients, and each of Adam's
 * moments.  The table says where in such an array each matrix or vector stands.  Blocks begin on
 * cache lines; the floats between two blocks are 0 in every such array and stay so.
 */
#ifndef EV_NN_LAYOUT_H
#define EV_NN_LAYOUT_H

#include <stddef.h>

enum { EV_LAYOUT_BLOCKS = 64, EV_BLOCK_NAME = 32 };

typedef struct {
    char name[EV_BLOCK_NAME]; /* "encoder.0.weight" */
    size_t offset;            /* floats from the array's beginning */
    size_t rows;
    size_t columns; /* 0: a vector of `rows` */
} ev_block;

typedef struct {
    size_t count; /* blocks */
    size_t size;  /* floats of a whole array */
    ev_block block[EV_LAYOUT_BLOCKS];
} ev_layout;

/* Append a block; returns its index.  columns = 0 makes a vector.  At most EV_LAYOUT_BLOCKS. */
size_t ev_layout_add(ev_layout *layout, const char *name, size_t rows, size_t columns);
/* The floats of a block. */
size_t ev_block_size(const ev_block *block);
/* The block of that name, or NULL. */
const ev_block *ev_layout_find(const ev_layout *layout, const char *name);

#endif
