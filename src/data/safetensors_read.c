/* 1. The prefix and the header's extent are checked against the file's length.
 * 2. The header is parsed (Jansson, duplicates refused) and every entry checked by itself.
 * 3. Sorted by their offsets, the tensors must tile the rest of the file: each begins where the one
 *    before ends, the last ends where the file does.  So none overlap and none reach outside. */
#include "data/safetensors_internal.h"

#include "base/arena.h"
#include "base/file_bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    size_t from, to; /* bytes after the header */
    size_t tensor;   /* its index */
} extent;

struct ev_safetensors {
    ev_arena *arena;
    const char *name;    /* of the file */
    uint8_t *bytes;      /* the whole file */
    size_t length, data; /* data: where the values begin */
    size_t count, pairs;
    ev_safetensor *tensors;
    extent *extents; /* (count) in ascending order, once they are checked */
    ev_metadata *metadata;
};

static ev_status no_memory(const ev_safetensors *file, ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "no memory to read %s", file->name);
}

/* ---- The header ---- */

static ev_status find_header(ev_safetensors *file, size_t *length, ev_error *error)
{
    if (file->length < EV_TENSOR_PREFIX)
        return ev_file_refuse(error, file->name, "no tensor file: %zu bytes long", file->length);
    uint64_t said;
    memcpy(&said, file->bytes, sizeof said);
    if (said > file->length - EV_TENSOR_PREFIX || said > EV_TENSOR_HEADER_LIMIT)
        return ev_file_refuse(
            error, file->name,
            "no tensor file, or truncated: bytes 0 to 7 say a header of %ju bytes, "
            "the file has %zu and %zu are allowed",
            (uintmax_t)said, file->length - EV_TENSOR_PREFIX, EV_TENSOR_HEADER_LIMIT);
    *length = (size_t)said;
    file->data = EV_TENSOR_PREFIX + *length;
    if (*length == 0 || file->bytes[EV_TENSOR_PREFIX] != '{')
        return ev_file_refuse(error, file->name, "no tensor file: no '{' at byte 8");
    return EV_OK;
}

static ev_status parse_header(ev_safetensors *file, json_t **header, ev_error *error)
{
    size_t length = 0;
    json_error_t why;
    ev_status status = find_header(file, &length, error);
    if (status != EV_OK)
        return status;
    *header = json_loadb((const char *)file->bytes + EV_TENSOR_PREFIX, length,
                         JSON_REJECT_DUPLICATES, &why);
    if (*header == NULL && json_error_code(&why) == json_error_out_of_memory)
        return no_memory(file, error);
    if (*header == NULL)
        return ev_file_refuse(error, file->name, "the header is wrong near byte %d: %.100s",
                              EV_TENSOR_PREFIX + (why.position < 0 ? 0 : why.position), why.text);
    return EV_OK;
}

/* ---- One entry of it ---- */

static bool read_dtype(const json_t *value, ev_dtype *dtype)
{
    const char *name = json_string_value(value);
    for (int d = 0; name != NULL && d < EV_DTYPE_COUNT; d++)
        if (strcmp(name, ev_dtype_name((ev_dtype)d)) == 0) {
            *dtype = (ev_dtype)d;
            return true;
        }
    return false;
}

/* An array of at most `most` whole numbers, none negative. */
static bool read_sizes(const json_t *value, size_t most, size_t *sizes, size_t *count)
{
    *count = json_array_size(value);
    if (!json_is_array(value) || *count > most)
        return false;
    for (size_t i = 0; i < *count; i++) {
        const json_t *n = json_array_get(value, i);
        if (!json_is_integer(n) || json_integer_value(n) < 0)
            return false;
        sizes[i] = (size_t)json_integer_value(n);
    }
    return true;
}

static ev_status read_entry(ev_safetensors *file, const char *name, const json_t *entry,
                            ev_safetensor *tensor, extent *where, ev_error *error)
{
    size_t offsets[2], n;
    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return ev_file_refuse(error, file->name,
                              "'%.60s': not an object of dtype, shape and data_offsets", name);
    if (!read_dtype(json_object_get(entry, "dtype"), &tensor->dtype))
        return ev_file_refuse(error, file->name,
                              "'%.60s': no dtype of U8 to U64, I8 to I64, F32, F64", name);
    if (!read_sizes(json_object_get(entry, "shape"), EV_SAFETENSOR_RANK, tensor->shape,
                    &tensor->rank))
        return ev_file_refuse(error, file->name,
                              "'%.60s': the shape is not at most %d whole numbers", name,
                              EV_SAFETENSOR_RANK);
    if (!read_sizes(json_object_get(entry, "data_offsets"), 2, offsets, &n) || n != 2)
        return ev_file_refuse(error, file->name,
                              "'%.60s': the data_offsets are not two whole numbers", name);
    where->from = offsets[0];
    where->to = offsets[1];
    if (where->from > where->to || where->to > file->length - file->data)
        return ev_file_refuse(
            error, file->name,
            "'%.60s': data_offsets %zu to %zu lie outside the %zu bytes of values", name,
            where->from, where->to, file->length - file->data);
    if (where->to - where->from != ev_safetensor_bytes(tensor))
        return ev_file_refuse(
            error, file->name,
            "'%.60s': %zu bytes at data_offsets %zu, where its shape asks for %zu", name,
            where->to - where->from, where->from, ev_safetensor_bytes(tensor));
    return EV_OK;
}

static ev_status read_metadata(ev_safetensors *file, json_t *texts, ev_error *error)
{
    if (!json_is_object(texts))
        return ev_file_refuse(error, file->name, "%s is no object", EV_TENSOR_METADATA);
    file->metadata = ev_arena_array(file->arena, json_object_size(texts) + 1,
                                    sizeof *file->metadata);
    const char *key;
    json_t *value;
    json_object_foreach(texts, key, value)
    {
        const char *text = json_string_value(value);
        if (text == NULL)
            return ev_file_refuse(error, file->name, "%s: '%.60s' is no text", EV_TENSOR_METADATA,
                                  key);
        if (file->metadata != NULL)
            file->metadata[file->pairs++] = (ev_metadata){
                ev_arena_text(file->arena, key, strlen(key)),
                ev_arena_text(file->arena, text, strlen(text))};
    }
    return ev_arena_failed(file->arena) ? no_memory(file, error) : EV_OK;
}

static ev_status read_entries(ev_safetensors *file, json_t *header, ev_error *error)
{
    size_t most = json_object_size(header) + 1;
    file->tensors = ev_arena_array(file->arena, most, sizeof *file->tensors);
    file->extents = ev_arena_array(file->arena, most, sizeof *file->extents);
    if (ev_arena_failed(file->arena))
        return no_memory(file, error);
    const char *name;
    json_t *entry;
    json_object_foreach(header, name, entry)
    {
        size_t i = file->count;
        bool metadata = strcmp(name, EV_TENSOR_METADATA) == 0;
        if (!metadata && (name[0] == '\0' || strlen(name) > EV_TENSOR_NAME))
            return ev_file_refuse(error, file->name, "a tensor's name is empty or too long");
        ev_status status = metadata ? read_metadata(file, entry, error)
                                    : read_entry(file, name, entry, &file->tensors[i],
                                                 &file->extents[i], error);
        if (status != EV_OK)
            return status;
        if (metadata)
            continue;
        file->tensors[i].name = ev_arena_text(file->arena, name, strlen(name));
        file->tensors[i].data = file->bytes + file->data + file->extents[i].from;
        file->extents[i].tensor = i;
        file->count++;
    }
    return ev_arena_failed(file->arena) ? no_memory(file, error) : EV_OK;
}

/* ---- All of them together ---- */

static int by_offset(const void *a, const void *b)
{
    const extent *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to); /* empty ones first */
}

static ev_status check_tiling(ev_safetensors *file, ev_error *error)
{
    size_t end = 0;
    qsort(file->extents, file->count, sizeof *file->extents, by_offset);
    for (size_t i = 0; i < file->count; i++) {
        const extent *e = &file->extents[i];
        if (e->from != end)
            return ev_file_refuse(
                error, file->name, "'%.60s' begins at data_offsets %zu, %s %zu",
                file->tensors[e->tensor].name, e->from,
                e->from < end ? "inside the tensor that ends at" : "behind a gap from", end);
        end = e->to;
    }
    if (end != file->length - file->data)
        return ev_file_refuse(error, file->name, "%zu bytes after the last tensor, from byte %zu",
                              file->length - file->data - end, file->data + end);
    return EV_OK;
}

static ev_status read_all(ev_safetensors *file, ev_error *error)
{
    json_t *header = NULL;
    ev_status status = parse_header(file, &header, error);
    if (status == EV_OK)
        status = read_entries(file, header, error);
    if (status == EV_OK)
        status = check_tiling(file, error);
    json_decref(header);
    return status;
}

/* Takes bytes over. */
static ev_status open_bytes(const char *name, uint8_t *bytes, size_t length, ev_safetensors **out,
                            ev_error *error)
{
    ev_safetensors *file = calloc(1, sizeof *file);
    if (file != NULL) {
        *file = (ev_safetensors){ev_arena_create(), name, bytes, length, 0, 0, 0, NULL, NULL, NULL};
        if (file->arena != NULL)
            file->name = ev_arena_text(file->arena, name, strlen(name));
    }
    if (file == NULL || file->arena == NULL || file->name == NULL) {
        if (file != NULL)
            ev_arena_destroy(file->arena);
        free(file);
        free(bytes);
        return ev_error_set(error, EV_NO_MEMORY, "no memory to read %s", name);
    }
    ev_status status = read_all(file, error);
    if (status == EV_OK)
        *out = file;
    else
        ev_safetensors_destroy(file);
    return status;
}

ev_status ev_safetensors_parse(const char *name, const uint8_t *bytes, size_t length,
                               ev_safetensors **file, ev_error *error)
{
    *file = NULL;
    uint8_t *copy = malloc(length + 1);
    if (copy == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "no memory to read %s", name);
    if (length > 0)
        memcpy(copy, bytes, length);
    return open_bytes(name, copy, length, file, error);
}

ev_status ev_safetensors_read(const char *path, ev_safetensors **file, ev_error *error)
{
    uint8_t *bytes;
    size_t length;
    *file = NULL;
    ev_status status = ev_file_bytes(path, EV_TENSOR_FILE_LIMIT, &bytes, &length, error);
    return status == EV_OK ? open_bytes(path, bytes, length, file, error) : status;
}

void ev_safetensors_destroy(ev_safetensors *file)
{
    if (file == NULL)
        return;
    free(file->bytes);
    ev_arena_destroy(file->arena);
    free(file);
}

/* ---- What is in it ---- */

size_t ev_safetensors_count(const ev_safetensors *file) { return file->count; }

const ev_safetensor *ev_safetensors_at(const ev_safetensors *file, size_t i)
{
    return &file->tensors[i];
}

const ev_safetensor *ev_safetensors_find(const ev_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

const char *ev_safetensors_metadata(const ev_safetensors *file, const char *key)
{
    for (size_t i = 0; i < file->pairs; i++)
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].value;
    return NULL;
}

ev_status ev_safetensors_number(const ev_safetensors *file, const char *path, const char *key,
                                uint64_t *number, ev_error *error)
{
    const char *text = ev_safetensors_metadata(file, key);
    char *end = NULL;
    errno = 0;
    *number = text == NULL ? 0 : strtoumax(text, &end, 10);
    if (text == NULL || text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        return ev_error_set(error, EV_BAD_INPUT, "%s: its metadata has no whole number '%s'", path,
                            key);
    return EV_OK;
}

static bool same_shape(const ev_safetensor *a, const ev_safetensor *b)
{
    return a->dtype == b->dtype && a->rank == b->rank &&
           memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

/* "F32 (500,784)" */
static const char *show(const ev_safetensor *tensor, char text[128])
{
    size_t used = (size_t)snprintf(text, 128, "%s (", ev_dtype_name(tensor->dtype));
    for (size_t i = 0; i < tensor->rank && used < 100; i++)
        used += (size_t)snprintf(text + used, 128 - used, i > 0 ? ",%zu" : "%zu", tensor->shape[i]);
    if (used < 127)
        snprintf(text + used, 128 - used, ")");
    return text;
}

/* The position of the first value that is not finite, or the count. */
static size_t first_not_finite(const ev_safetensor *tensor)
{
    size_t count = ev_safetensor_values(tensor), size = ev_dtype_size(tensor->dtype);
    bool is_float = tensor->dtype == EV_DTYPE_F32;
    if (!is_float && tensor->dtype != EV_DTYPE_F64)
        return count;
    for (size_t i = 0; i < count; i++) {
        float single = 0;
        double value = 0;
        memcpy(is_float ? (void *)&single : &value, (const char *)tensor->data + i * size, size);
        if (!isfinite(single) || !isfinite(value))
            return i;
    }
    return count;
}

ev_status ev_safetensors_take(const ev_safetensors *file, const ev_safetensor *wanted,
                              ev_value_check check, void *out, ev_error *error)
{
    char theirs[128], ours[128];
    const ev_safetensor *tensor = ev_safetensors_find(file, wanted->name);
    if (tensor == NULL)
        return ev_file_refuse(error, file->name, "'%.60s' is not in it", wanted->name);
    if (!same_shape(tensor, wanted))
        return ev_file_refuse(error, file->name, "'%.60s' is %s, where %s is needed", wanted->name,
                              show(tensor, theirs), show(wanted, ours));
    size_t bad = check == EV_FINITE ? first_not_finite(tensor) : ev_safetensor_values(tensor);
    if (bad < ev_safetensor_values(tensor))
        return ev_file_refuse(error, file->name, "'%.60s': value %zu is not finite", wanted->name,
                              bad);
    if (ev_safetensor_bytes(tensor) > 0)
        memcpy(out, tensor->data, ev_safetensor_bytes(tensor));
    return EV_OK;
}
