#include "train/warp.h"

#include <math.h>

#define RADIANS (3.14159265358979323846 / 180.0)

/* One image's map of places: (column, row) about the centre to (column, row) of the source. */
typedef struct {
    double cosine, sine, dx, dy; /* both times s */
} affine;

bool ev_warp_moves(const ev_warp *warp)
{
    return warp->degrees > 0.0 || warp->pixels > 0.0 || warp->zoom > 0.0;
}

static affine draw(const ev_warp *warp, const ev_stream *stream, size_t b)
{
    double u[4];
    ev_stream_uniforms(stream, 4 * b, 4, u);
    const double angle = (2.0 * u[0] - 1.0) * warp->degrees * RADIANS;
    const double scale = 1.0 + (2.0 * u[1] - 1.0) * warp->zoom;
    return (affine){scale * cos(angle), scale * sin(angle), (2.0 * u[2] - 1.0) * warp->pixels,
                    (2.0 * u[3] - 1.0) * warp->pixels};
}

static float pixel(const float *x, size_t height, size_t width, ptrdiff_t row, ptrdiff_t column)
{
    const bool inside = row >= 0 && column >= 0 && row < (ptrdiff_t)height &&
                        column < (ptrdiff_t)width;
    return inside ? x[(size_t)row * width + (size_t)column] : 0.0F;
}

static float interpolate(const float *x, size_t height, size_t width, double row, double column)
{
    const double top = floor(row), left = floor(column);
    const ptrdiff_t r = (ptrdiff_t)top, c = (ptrdiff_t)left;
    const float down = (float)(row - top), right = (float)(column - left);
    const float upper = (1.0F - right) * pixel(x, height, width, r, c) +
                        right * pixel(x, height, width, r, c + 1);
    const float lower = (1.0F - right) * pixel(x, height, width, r + 1, c) +
                        right * pixel(x, height, width, r + 1, c + 1);
    return (1.0F - down) * upper + down * lower;
}

void ev_warp_images(const ev_warp *warp, const ev_stream *stream, size_t B, size_t height,
                    size_t width, const float *x, float *out)
{
    const double middle_row = 0.5 * ((double)height - 1.0);
    const double middle_column = 0.5 * ((double)width - 1.0);
#pragma omp parallel for schedule(static)
    for (size_t b = 0; b < B; b++) {
        const affine map = draw(warp, stream, b);
        const float *from = x + b * height * width;
        float *to = out + b * height * width;
        for (size_t r = 0; r < height; r++)
            for (size_t c = 0; c < width; c++) {
                const double v = (double)r - middle_row, u = (double)c - middle_column;
                to[r * width + c] = interpolate(
                    from, height, width, middle_row + map.sine * u + map.cosine * v + map.dy,
                    middle_column + map.cosine * u - map.sine * v + map.dx);
            }
    }
}
