#include "nn/layout.h"

#include "nn/buffer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

size_t ev_block_size(const ev_block *block)
{
    return ev_size_product(block->rows, block->columns == 0 ? 1 : block->columns);
}

size_t ev_layout_add(ev_layout *layout, const char *name, size_t rows, size_t columns)
{
    assert(layout->count < EV_LAYOUT_BLOCKS);
    ev_block *block = &layout->block[layout->count];
    *block = (ev_block){.offset = layout->size, .rows = rows, .columns = columns};
    snprintf(block->name, sizeof block->name, "%s", name);
    ev_carve carve = {NULL, layout->size};
    ev_carve_take(&carve, ev_block_size(block));
    layout->size = carve.used;
    return layout->count++;
}

const ev_block *ev_layout_find(const ev_layout *layout, const char *name)
{
    for (size_t i = 0; i < layout->count; i++)
        if (strcmp(layout->block[i].name, name) == 0)
            return &layout->block[i];
    return NULL;
}
