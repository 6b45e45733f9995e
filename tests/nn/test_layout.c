#include "nn/layout.h"

#include "nn/buffer.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

Test(layout, blocks_begin_on_cache_lines_and_do_not_overlap)
{
    ev_layout layout = {0};
    ev_layout_add(&layout, "a", 3, 7);
    ev_layout_add(&layout, "b", 5, 0);
    ev_layout_add(&layout, "c", 16, 2);
    cr_assert_eq(layout.count, 3);
    cr_assert_eq(layout.block[1].offset, 32);
    cr_assert_eq(layout.block[2].offset, 48);
    cr_assert_eq(layout.size, 80);
    cr_assert_eq(ev_block_size(&layout.block[0]), 21);
    cr_assert_eq(ev_block_size(&layout.block[1]), 5);
    cr_assert_eq(ev_layout_find(&layout, "c"), &layout.block[2]);
    cr_assert_null(ev_layout_find(&layout, "d"));
}

Test(buffer, memory_is_zero_and_aligned)
{
    float *memory = ev_buffer_create(1000);
    cr_assert_eq((uintptr_t)memory % 64, 0);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(memory[i], 0.0F);
    free(memory);
}

Test(buffer, a_size_that_overflows_is_refused_and_not_wrapped)
{
    ev_carve carve = {NULL, 0};
    cr_assert_eq(ev_size_product(SIZE_MAX / 2, 3), SIZE_MAX);
    ev_carve_take(&carve, ev_size_product(SIZE_MAX / 2, 3));
    ev_carve_take(&carve, 10);
    cr_assert_eq(carve.used, SIZE_MAX);
    cr_assert_null(ev_buffer_create(carve.used));
    cr_assert_null(ev_buffer_create(SIZE_MAX / 8));
}
