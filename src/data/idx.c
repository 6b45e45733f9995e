/* A file is read through a source, plain or gzipped:
 * 1. the header, which fixes the number of values;
 * 2. a bound from the file's own length (deflate packs at most 1032 bytes into one), so that a
 *    header that lies can't make us allocate;
 * 3. the values, and one byte more, which must not be there. */
#include "data/idx.h"

#include "base/file_bytes.h"
#include "data/gunzip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 4, SIZE_BYTES = 4, TYPE_BYTE = 0x08, DEFLATE_RATIO = 1032 };

typedef struct {
    const char *name;
    const uint8_t *bytes;
    size_t length, position; /* of the file; position is used when plain */
    ev_gunzip *gunzip;       /* NULL when plain */
} source;

static ev_status take(source *s, uint8_t *out, size_t wanted, size_t *got, ev_error *error)
{
    if (s->gunzip != NULL)
        return ev_gunzip_read(s->gunzip, out, wanted, got, error);
    *got = wanted < s->length - s->position ? wanted : s->length - s->position;
    if (*got > 0)
        memcpy(out, s->bytes + s->position, *got);
    s->position += *got;
    return EV_OK;
}

/* "byte 17", of the data as they are unpacked. */
static const char *whose_byte(const source *s) { return s->gunzip ? "unpacked byte" : "byte"; }

static ev_status take_header(source *s, uint8_t *out, size_t from, size_t count, ev_error *error)
{
    size_t got = 0;
    ev_status status = take(s, out, count, &got, error);
    if (status == EV_OK && got < count)
        return ev_file_refuse(error, s->name, "ends at %s %zu, inside its header", whose_byte(s),
                              from + got);
    return status;
}

static const char *kind(size_t rank)
{
    static const char *const kinds[] = {"labels", "a matrix", "images", "colour images"};
    return rank >= 1 && rank <= EV_IDX_RANK ? kinds[rank - 1] : "something else";
}

static ev_status read_magic(source *s, size_t rank, ev_error *error)
{
    uint8_t magic[MAGIC];
    ev_status status = take_header(s, magic, 0, MAGIC, error);
    if (status != EV_OK)
        return status;
    if (magic[0] != 0 || magic[1] != 0)
        return ev_file_refuse(error, s->name,
                              "not an IDX file: it begins with %02x %02x instead of 00 00",
                              magic[0], magic[1]);
    if (magic[2] != TYPE_BYTE)
        return ev_file_refuse(error, s->name,
                              "type 0x%02x at %s 2; only unsigned bytes (0x08) are read", magic[2],
                              whose_byte(s));
    if (magic[3] != rank)
        return ev_file_refuse(
            error, s->name,
            "%u-dimensional (%s) by its %s 3, where %zu dimensions (%s) are expected", magic[3],
            kind(magic[3]), whose_byte(s), rank, kind(rank));
    return EV_OK;
}

static ev_status read_shape(source *s, size_t rank, ev_idx *idx, ev_error *error)
{
    uint8_t sizes[EV_IDX_RANK * SIZE_BYTES];
    ev_status status = take_header(s, sizes, MAGIC, rank * SIZE_BYTES, error);
    if (status != EV_OK)
        return status;
    idx->rank = rank;
    idx->size = 1;
    for (size_t i = 0; i < rank; i++) {
        const uint8_t *b = sizes + i * SIZE_BYTES;
        size_t n = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
        if (n == 0)
            return ev_file_refuse(error, s->name, "empty: size %zu, at %s %zu, is 0", i + 1,
                                  whose_byte(s), MAGIC + i * SIZE_BYTES);
        if (n > EV_IDX_LIMIT / idx->size)
            return ev_file_refuse(error, s->name,
                                  "its header asks for more than the %zu values that are read",
                                  (size_t)EV_IDX_LIMIT);
        idx->shape[i] = n;
        idx->size *= n;
    }
    return EV_OK;
}

/* Can a file of this length hold that many values at all? */
static ev_status check_length(const source *s, const ev_idx *idx, ev_error *error)
{
    size_t header = MAGIC + idx->rank * SIZE_BYTES;
    if (s->gunzip == NULL ? s->length - header < idx->size : idx->size / DEFLATE_RATIO > s->length)
        return ev_file_refuse(error, s->name,
                              "truncated: its header says %zu values, which %zu bytes can't hold",
                              idx->size, s->length);
    return EV_OK;
}

static ev_status read_values(source *s, ev_idx *idx, ev_error *error)
{
    size_t header = MAGIC + idx->rank * SIZE_BYTES, got = 0, more = 0;
    idx->values = malloc(idx->size);
    if (idx->values == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "no memory for %s (%zu values)", s->name,
                            idx->size);
    ev_status status = take(s, idx->values, idx->size, &got, error);
    if (status == EV_OK && got < idx->size)
        return ev_file_refuse(error, s->name,
                              "truncated at %s %zu: its header says %zu values, %zu are there",
                              whose_byte(s), header + got, idx->size, got);
    uint8_t beyond;
    if (status == EV_OK)
        status = take(s, &beyond, 1, &more, error);
    if (status == EV_OK && more > 0)
        return ev_file_refuse(error, s->name,
                              "goes on after the %zu values of its header, at %s %zu", idx->size,
                              whose_byte(s), header + idx->size);
    return status;
}

static ev_status read_source(source *s, size_t rank, ev_idx *idx, ev_error *error)
{
    ev_status status = EV_OK;
    if (ev_gzip_begins(s->bytes, s->length))
        status = ev_gunzip_begin(&s->gunzip, s->name, s->bytes, s->length, error);
    if (status == EV_OK)
        status = read_magic(s, rank, error);
    if (status == EV_OK)
        status = read_shape(s, rank, idx, error);
    if (status == EV_OK)
        status = check_length(s, idx, error);
    if (status == EV_OK)
        status = read_values(s, idx, error);
    ev_gunzip_end(s->gunzip);
    return status;
}

ev_status ev_idx_parse(const char *name, const uint8_t *bytes, size_t length, size_t rank,
                       ev_idx *idx, ev_error *error)
{
    *idx = (ev_idx){0};
    if (rank < 1 || rank > EV_IDX_RANK)
        return ev_error_set(error, EV_BAD_INPUT, "rank %zu; 1 to %d are read", rank, EV_IDX_RANK);
    source s = {.name = name, .bytes = bytes, .length = length};
    ev_status status = read_source(&s, rank, idx, error);
    if (status != EV_OK)
        ev_idx_free(idx);
    return status;
}

ev_status ev_idx_read(const char *path, size_t rank, ev_idx *idx, ev_error *error)
{
    uint8_t *bytes;
    size_t length;
    *idx = (ev_idx){0};
    ev_status status = ev_file_bytes(path, EV_IDX_LIMIT, &bytes, &length, error);
    if (status == EV_OK)
        status = ev_idx_parse(path, bytes, length, rank, idx, error);
    free(bytes);
    return status;
}

void ev_idx_free(ev_idx *idx)
{
    free(idx->values);
    *idx = (ev_idx){0};
}
