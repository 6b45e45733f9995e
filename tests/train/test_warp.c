#include "train/warp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { HEIGHT = 9, WIDTH = 7, PIXELS = HEIGHT * WIDTH, COUNT = 20 };

static ev_stream stream_of(uint64_t seed) { return ev_stream_make(seed, 1, 2, 3); }

/* Interpolation between pixels is exact for a plane a + b row + c column. */
static double plane(double row, double column) { return 0.3 + 0.05 * row - 0.02 * column; }

static void planes(float *x)
{
    for (size_t i = 0; i < COUNT * PIXELS; i++)
        x[i] = (float)plane((double)(i % PIXELS / WIDTH), (double)(i % WIDTH));
}

Test(warp, without_anything_to_do_it_copies)
{
    float x[COUNT * PIXELS], out[COUNT * PIXELS];
    const ev_warp none = {0};
    const ev_stream stream = stream_of(1);
    planes(x);
    cr_assert_not(ev_warp_moves(&none));
    ev_warp_images(&none, &stream, COUNT, HEIGHT, WIDTH, x, out);
    cr_assert_eq(memcmp(x, out, sizeof x), 0);
}

/* The plane at the place that the printed map gives, for a kind of movement at a time and all three
 * together; where that place is outside, nothing is asked. */
Test(warp, a_plane_comes_out_turned_zoomed_and_shifted_as_the_map_says)
{
    static const ev_warp warps[] = {{40, 0, 0}, {0, 2.5, 0}, {0, 0, 0.3}, {25, 1.5, 0.2}};
    float x[COUNT * PIXELS], out[COUNT * PIXELS];
    planes(x);
    for (size_t w = 0; w < sizeof warps / sizeof *warps; w++) {
        const ev_stream stream = stream_of(w);
        size_t asked = 0, moved = 0;
        ev_warp_images(&warps[w], &stream, COUNT, HEIGHT, WIDTH, x, out);
        for (size_t i = 0; i < COUNT * PIXELS; i++) {
            double u[4];
            ev_stream_uniforms(&stream, i / PIXELS * 4, 4, u);
            const double a = (2 * u[0] - 1) * warps[w].degrees * acos(-1.0) / 180;
            const double s = 1 + (2 * u[1] - 1) * warps[w].zoom;
            const double r = (double)(i % PIXELS / WIDTH) - 4, c = (double)(i % WIDTH) - 3;
            const double row = 4 + s * (sin(a) * c + cos(a) * r) + (2 * u[3] - 1) * warps[w].pixels;
            const double column = 3 + s * (cos(a) * c - sin(a) * r) +
                                  (2 * u[2] - 1) * warps[w].pixels;
            if (row < 0 || row > HEIGHT - 1 || column < 0 || column > WIDTH - 1)
                continue;
            cr_assert_float_eq((double)out[i], plane(row, column), 1e-6, "warp %zu, pixel %zu", w,
                               i);
            asked++;
            moved += fabs((double)(out[i] - x[i])) > 1e-3;
        }
        cr_assert(asked > COUNT * PIXELS / 2 && moved > asked / 2);
    }
}

Test(warp, nothing_comes_in_from_outside)
{
    float x[COUNT * PIXELS], out[COUNT * PIXELS];
    const ev_warp far = {0, 1000, 0};
    const ev_stream stream = stream_of(5);
    size_t dark = 0;
    planes(x);
    ev_warp_images(&far, &stream, COUNT, HEIGHT, WIDTH, x, out);
    for (size_t i = 0; i < COUNT * PIXELS; i++)
        dark += out[i] == 0.0F;
    cr_assert_gt(dark, COUNT * PIXELS * 9 / 10);
}
