#include "data/png.h"

#include "base/draft.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 1000000, ZOOM = 100, GAP = 1000 };

/* libpng reports by a jump out of it; what it needs to know on the way stands here. */
typedef struct {
    ev_draft draft;
    ev_status status;
    ev_error *error;
    const char *path;
} sink;

static void put_bytes(png_structp png, png_bytep bytes, png_size_t length)
{
    sink *s = png_get_io_ptr(png);
    s->status = ev_draft_write(&s->draft, bytes, length, s->error);
    if (s->status != EV_OK)
        png_error(png, "write");
}

static void flush_nothing(png_structp png) { (void)png; }

static void fail(png_structp png, png_const_charp message)
{
    sink *s = png_get_error_ptr(png);
    if (s->status == EV_OK)
        s->status = ev_error_set(s->error, EV_NO_MEMORY, "can't make the picture %s: %s", s->path,
                                 message);
    png_longjmp(png, 1);
}

static void say_nothing(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

/* Between setjmp and its jump there are no variables of this function's own to be lost. */
static void encode(png_structp png, png_infop info, size_t height, size_t width, size_t channels,
                   const uint8_t *pixels)
{
    if (setjmp(png_jmpbuf(png)) != 0)
        return;
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8,
                 channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (size_t row = 0; row < height; row++)
        png_write_row(png, pixels + row * width * channels);
    png_write_end(png, info);
}

static ev_status write_open(sink *s, size_t height, size_t width, size_t channels,
                            const uint8_t *pixels)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, s, fail, say_nothing);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info != NULL) {
        png_set_user_limits(png, SIDE, SIDE);
        png_set_write_fn(png, s, put_bytes, flush_nothing);
        encode(png, info, height, width, channels, pixels);
    } else {
        s->status = ev_error_set(s->error, EV_NO_MEMORY, "no memory for the picture %s", s->path);
    }
    png_destroy_write_struct(&png, &info);
    return s->status;
}

ev_status ev_png_write(const char *path, size_t height, size_t width, size_t channels,
                       const uint8_t *pixels, ev_error *error)
{
    if (height == 0 || width == 0 || height > SIDE || width > SIDE ||
        (channels != 1 && channels != 3))
        return ev_error_set(error, EV_BAD_INPUT, "%s: a picture of %zu x %zu pixels, %zu channels",
                            path, height, width, channels);
    sink s = {.draft = EV_DRAFT_NONE, .error = error, .path = path};
    s.status = ev_draft_open(&s.draft, path, error);
    if (s.status == EV_OK)
        s.status = write_open(&s, height, width, channels, pixels);
    if (s.status == EV_OK)
        s.status = ev_draft_commit(&s.draft, error);
    ev_draft_discard(&s.draft);
    return s.status;
}

/* ---- Sheets ---- */

/* Side of a sheet with `count` images of `size` pixels. */
static size_t side(const ev_png_sheet *sheet, size_t count, size_t size, size_t zoom)
{
    return count * size * zoom + (count + 1) * sheet->gap;
}

static bool fits(const ev_png_sheet *s, size_t count)
{
    const size_t sizes[] = {s->rows, s->columns, s->height, s->width};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i] == 0 || sizes[i] > SIDE)
            return false;
    size_t zoom = s->zoom == 0 ? 1 : s->zoom;
    return zoom <= ZOOM && s->gap <= GAP && count <= s->rows * s->columns &&
           (s->channels == 1 || s->channels == 3) && side(s, s->rows, s->height, zoom) <= SIDE &&
           side(s, s->columns, s->width, zoom) <= SIDE;
}

/* One image, each pixel zoom x zoom, with its corner at `to` in rows of `stride` bytes. */
static void place(const ev_png_sheet *s, size_t zoom, const uint8_t *image, size_t stride,
                  uint8_t *to)
{
    for (size_t y = 0; y < s->height * zoom; y++)
        for (size_t x = 0; x < s->width * zoom; x++)
            memcpy(to + y * stride + x * s->channels,
                   image + ((y / zoom) * s->width + x / zoom) * s->channels, s->channels);
}

ev_status ev_png_write_sheet(const char *path, const ev_png_sheet *sheet, size_t count,
                             const uint8_t *images, ev_error *error)
{
    if (!fits(sheet, count))
        return ev_error_set(error, EV_BAD_INPUT,
                            "%s: %zu images of %zu x %zu pixels in %zu rows and %zu columns", path,
                            count, sheet->height, sheet->width, sheet->rows, sheet->columns);
    size_t zoom = sheet->zoom == 0 ? 1 : sheet->zoom;
    size_t height = side(sheet, sheet->rows, sheet->height, zoom);
    size_t width = side(sheet, sheet->columns, sheet->width, zoom);
    size_t stride = width * sheet->channels, size = sheet->height * sheet->width * sheet->channels;
    uint8_t *pixels = malloc(height * stride);
    if (pixels == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "no memory for the picture %s", path);
    memset(pixels, sheet->background, height * stride);
    for (size_t i = 0; i < count; i++) {
        size_t top = side(sheet, i / sheet->columns, sheet->height, zoom);
        size_t left = side(sheet, i % sheet->columns, sheet->width, zoom);
        place(sheet, zoom, images + i * size, stride,
              pixels + top * stride + left * sheet->channels);
    }
    ev_status status = ev_png_write(path, height, width, sheet->channels, pixels, error);
    free(pixels);
    return status;
}

void ev_png_levels(size_t n, const float *intensity, uint8_t *level)
{
    for (size_t i = 0; i < n; i++) {
        float x = intensity[i] > 0 ? intensity[i] : 0; /* NaN is not above 0 */
        level[i] = (uint8_t)((x < 1 ? x : 1) * 255 + 0.5f);
    }
}
