#include "nn/conv_frame.h"

#include "nn/buffer.h"

#include <string.h>

enum { LINE = EV_BUFFER_ALIGNMENT };

/* The rows that places of a convolution read, of either extent. */
static size_t reach_fine(const ev_conv *conv, size_t extent)
{
    size_t last = (extent + 2 * conv->padding - conv->kernel) / conv->stride * conv->stride;
    return ev_size_larger(extent + conv->padding, last + conv->kernel);
}

ev_conv_frame ev_conv_fine_frame(const ev_conv *conv)
{
    return (ev_conv_frame){conv->padding, reach_fine(conv, conv->height),
                           reach_fine(conv, conv->width), conv->channels, conv->channels};
}

ev_conv_frame ev_conv_coarse_frame(const ev_conv *conv)
{
    size_t before = (conv->kernel - 1) / conv->stride;
    size_t last_row = (conv->height - 1 + conv->padding) / conv->stride;
    size_t last_column = (conv->width - 1 + conv->padding) / conv->stride;
    return (ev_conv_frame){before, before + ev_size_larger(ev_conv_out_height(conv), last_row + 1),
                           before + ev_size_larger(ev_conv_out_width(conv), last_column + 1),
                           conv->filters, conv->filters};
}

ev_conv_frame ev_conv_frame_apart(ev_conv_frame f)
{
    f.pixel += f.channels % (2 * LINE) == 0 ? LINE : 0;
    return f;
}

size_t ev_conv_frame_size(const ev_conv_frame *f) { return f->height * f->width * f->pixel; }

const float *ev_conv_framed(const ev_conv_frame *f, size_t images, size_t height, size_t width,
                            const float *x, float *memory)
{
    const size_t C = f->channels, together = f->pixel == C ? width : 1;
    if (f->height == height && f->width == width && f->pixel == C)
        return x;
    memset(memory, 0, images * ev_conv_frame_size(f) * sizeof *memory);
    for (size_t b = 0; b < images; b++)
        for (size_t i = 0; i < height; i++)
            for (size_t j = 0; j < width; j += together) {
                size_t at = (i + f->before) * f->width + j + f->before;
                memcpy(memory + b * ev_conv_frame_size(f) + at * f->pixel,
                       x + ((b * height + i) * width + j) * C, together * C * sizeof *x);
            }
    return memory;
}
