/* A gzip file is one or more members, each with its checksum; nothing may stand between or after
 * them.  Output is made only into the caller's buffer, so that a bomb costs no memory. */
#include "data/gunzip.h"

#include "base/file_bytes.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS };

struct ev_gunzip {
    z_stream stream;
    const char *name;
    const uint8_t *bytes;
    size_t length;
    bool ended; /* at the end of the last member */
};

bool ev_gzip_begins(const uint8_t *bytes, size_t length)
{
    return length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

ev_status ev_gunzip_begin(ev_gunzip **gunzip, const char *name, const uint8_t *bytes, size_t length,
                          ev_error *error)
{
    ev_gunzip *g = calloc(1, sizeof *g);
    *gunzip = NULL;
    if (g == NULL || inflateInit2(&g->stream, GZIP_ONLY) != Z_OK) {
        free(g);
        return ev_error_set(error, EV_NO_MEMORY, "no memory to unpack %s", name);
    }
    g->name = name;
    g->bytes = bytes;
    g->length = length;
    g->stream.next_in = (z_const Bytef *)bytes;
    *gunzip = g;
    return EV_OK;
}

static size_t position(const ev_gunzip *g) { return (size_t)(g->stream.next_in - g->bytes); }

/* zlib counts in unsigned int: it is fed and drained in pieces. */
static uInt piece(size_t n) { return n < UINT_MAX ? (uInt)n : UINT_MAX; }

static ev_status refuse(const ev_gunzip *g, int result, ev_error *error)
{
    if (result == Z_MEM_ERROR)
        return ev_error_set(error, EV_NO_MEMORY, "no memory to unpack %s", g->name);
    if (result == Z_STREAM_END)
        return ev_file_refuse(error, g->name, "goes on after its compressed data, at byte %zu",
                              position(g));
    if (result == Z_BUF_ERROR)
        return ev_file_refuse(error, g->name, "the compressed data end early, at byte %zu",
                              position(g));
    return ev_file_refuse(error, g->name, "the compressed data are damaged at byte %zu: %s",
                          position(g), g->stream.msg == NULL ? "not gzip" : g->stream.msg);
}

/* One call of inflate.  At the end of a member that is not the file's, the next one begins;
 * Z_STREAM_END when something else does. */
static int advance(ev_gunzip *g)
{
    g->stream.avail_in = piece(g->length - position(g));
    int result = inflate(&g->stream, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
        g->ended = position(g) == g->length;
        if (g->ended)
            return Z_OK;
        if (ev_gzip_begins(g->bytes + position(g), g->length - position(g)))
            return inflateReset(&g->stream);
    }
    return result;
}

ev_status ev_gunzip_read(ev_gunzip *g, uint8_t *out, size_t wanted, size_t *got, ev_error *error)
{
    *got = 0;
    while (*got < wanted && !g->ended) {
        uInt room = piece(wanted - *got);
        g->stream.next_out = out + *got;
        g->stream.avail_out = room;
        int result = advance(g);
        *got += room - g->stream.avail_out;
        if (result != Z_OK)
            return refuse(g, result, error);
    }
    return EV_OK;
}

void ev_gunzip_end(ev_gunzip *g)
{
    if (g == NULL)
        return;
    inflateEnd(&g->stream);
    free(g);
}
