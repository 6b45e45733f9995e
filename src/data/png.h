/* Pictures: 8-bit grey or RGB, written as PNG, whole or not at all.
 *
 *   const ev_png_sheet sheet = {.rows = 10, .columns = 12, .height = 28, .width = 28,
 *                               .channels = 1, .gap = 2, .zoom = 2};
 *   ev_png_write_sheet("samples.png", &sheet, 120, images, &error);
 */
#ifndef EV_DATA_PNG_H
#define EV_DATA_PNG_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* pixels (height,width,channels), channels 1 (grey) or 3 (red, green, blue).  EV_BAD_INPUT for a
 * size of 0 or above a million on a side; EV_IO as in base/draft.h. */
ev_status ev_png_write(const char *path, size_t height, size_t width, size_t channels,
                       const uint8_t *pixels, ev_error *error);

/* Images of one size in rows and columns, row by row. */
typedef struct {
    size_t rows, columns;           /* of images */
    size_t height, width, channels; /* of one image */
    size_t gap;                     /* pixels between images and around them */
    size_t zoom;                    /* each pixel becomes zoom x zoom; 0 is taken as 1 */
    uint8_t background;             /* grey level of gaps and of places without an image */
} ev_png_sheet;

/* images (count,height,width,channels), count <= rows columns. */
ev_status ev_png_write_sheet(const char *path, const ev_png_sheet *sheet, size_t count,
                             const uint8_t *images, ev_error *error);

/* Intensities 0 .. 1 to the nearest of 0 .. 255; what lies outside is clipped, NaN is 0. */
void ev_png_levels(size_t n, const float *intensity, uint8_t *level);

#endif
