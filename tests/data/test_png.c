#include "data/png.h"

#include "scratch.h"

#include <math.h>
#include <png.h>
#include <signal.h>
#include <sys/resource.h>

TestSuite(png, .init = scratch_setup, .fini = scratch_teardown);

/* libpng's own reader, asked for the format that the file should have. */
static uint8_t *read_back(const char *path, png_uint_32 format, unsigned *height, unsigned *width)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    cr_assert(png_image_begin_read_from_file(&image, path), "%s", image.message);
    cr_expect_eq(image.format, format);
    *height = image.height;
    *width = image.width;
    uint8_t *pixels = malloc(PNG_IMAGE_SIZE(image));
    cr_assert(png_image_finish_read(&image, NULL, pixels, 0, NULL), "%s", image.message);
    return pixels;
}

Test(png, grey_and_coloured_pixels_come_back_as_they_were)
{
    uint8_t pixels[5 * 7 * 3];
    unsigned height, width;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(37 * i);
    ev_error error = EV_ERROR_NONE;
    for (size_t channels = 1; channels <= 3; channels += 2) {
        cr_assert_eq(ev_png_write("p.png", 5, 7, channels, pixels, &error), EV_OK, "%s",
                     error.message);
        uint8_t *back = read_back("p.png", channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB,
                                  &height, &width);
        cr_expect_eq(height, 5);
        cr_expect_eq(width, 7);
        cr_expect_eq(memcmp(back, pixels, 35 * channels), 0);
        free(back);
    }
}

Test(png, a_sheet_has_its_images_in_rows_with_gaps_and_zoom)
{
    uint8_t images[3 * 2 * 2];
    unsigned height, width;
    for (size_t i = 0; i < sizeof images; i++)
        images[i] = (uint8_t)(10 * (i + 1));
    ev_png_sheet sheet = {.rows = 2,
                          .columns = 2,
                          .height = 2,
                          .width = 2,
                          .channels = 1,
                          .gap = 1,
                          .zoom = 2,
                          .background = 255};
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_png_write_sheet("s.png", &sheet, 3, images, &error), EV_OK);
    uint8_t *back = read_back("s.png", PNG_FORMAT_GRAY, &height, &width);
    static const uint8_t wanted[11][11] = {{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
                                           {255, 10, 10, 20, 20, 255, 50, 50, 60, 60, 255},
                                           {255, 10, 10, 20, 20, 255, 50, 50, 60, 60, 255},
                                           {255, 30, 30, 40, 40, 255, 70, 70, 80, 80, 255},
                                           {255, 30, 30, 40, 40, 255, 70, 70, 80, 80, 255},
                                           {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
                                           {255, 90, 90, 100, 100, 255, 255, 255, 255, 255, 255},
                                           {255, 90, 90, 100, 100, 255, 255, 255, 255, 255, 255},
                                           {255, 110, 110, 120, 120, 255, 255, 255, 255, 255, 255},
                                           {255, 110, 110, 120, 120, 255, 255, 255, 255, 255, 255},
                                           {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}};
    cr_assert(height == 11 && width == 11);
    cr_expect_eq(memcmp(back, wanted, sizeof wanted), 0);
    free(back);
}

Test(png, sizes_that_make_no_picture_are_refused)
{
    uint8_t pixel[4] = {0};
    ev_png_sheet sheet = {.rows = 1, .columns = 1, .height = 1, .width = 1, .channels = 1};
    cr_expect_eq(ev_png_write("p", 0, 1, 1, pixel, NULL), EV_BAD_INPUT);
    cr_expect_eq(ev_png_write("p", 1, 1000001, 1, pixel, NULL), EV_BAD_INPUT);
    cr_expect_eq(ev_png_write("p", 1, 1, 2, pixel, NULL), EV_BAD_INPUT);
    cr_expect_eq(ev_png_write_sheet("p", &sheet, 2, pixel, NULL), EV_BAD_INPUT);
    sheet.zoom = SIZE_MAX;
    cr_expect_eq(ev_png_write_sheet("p", &sheet, 1, pixel, NULL), EV_BAD_INPUT);
    cr_expect_neq(access("p", F_OK), 0);
}

Test(png, a_full_disk_leaves_the_old_picture)
{
    static uint8_t pixels[300 * 300];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i >> 3);
    scratch_spill("p.png", "old", 3);
    struct rlimit limit = {1000, 1000};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ev_error error = EV_ERROR_NONE;
    cr_expect_eq(ev_png_write("p.png", 300, 300, 1, pixels, &error), EV_IO);
    cr_expect_str_eq(error.message, "can't write to p.png: File too large");
    char *old = scratch_slurp("p.png", NULL);
    cr_expect_str_eq(old, "old");
    free(old);
}

Test(png, intensities_go_to_the_nearest_level)
{
    const float x[] = {0, 1, 0.5f, -3, 7, NAN, 0.0019f, 0.002f, INFINITY};
    const uint8_t wanted[] = {0, 255, 128, 0, 255, 0, 0, 1, 255};
    uint8_t level[9];
    ev_png_levels(9, x, level);
    cr_expect_eq(memcmp(level, wanted, 9), 0);
}
