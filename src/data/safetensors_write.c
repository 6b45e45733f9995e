#include "data/safetensors_internal.h"

#include "base/draft.h"
#include "base/file_bytes.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static ev_status no_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "no memory for the header of a tensor file");
}

/* {"dtype": ..., "shape": [...], "data_offsets": [from, to]} */
static json_t *describe(const ev_safetensor *tensor, size_t from)
{
    json_t *shape = json_array();
    for (size_t i = 0; i < tensor->rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]));
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", ev_dtype_name(tensor->dtype), "shape", shape,
                     "data_offsets", (json_int_t)from,
                     (json_int_t)(from + ev_safetensor_bytes(tensor)));
}

/* Takes value over; a text that is no UTF-8 makes no JSON. */
static ev_status add(json_t *object, const char *path, const char *key, json_t *value,
                     ev_error *error)
{
    if (key[0] == '\0' || strlen(key) > EV_TENSOR_NAME || json_object_get(object, key) != NULL ||
        strcmp(key, EV_TENSOR_METADATA) == 0) {
        json_decref(value);
        return ev_file_refuse(error, path, "the name '%.60s' is empty, too long or taken", key);
    }
    if (value == NULL || json_object_set_new(object, key, value) != 0)
        return ev_file_refuse(error, path, "'%.60s' or its value is no UTF-8", key);
    return EV_OK;
}

static ev_status add_metadata(json_t *header, const char *path, size_t pairs,
                              const ev_metadata *metadata, ev_error *error)
{
    json_t *texts = json_object();
    if (texts == NULL || json_object_set_new(header, EV_TENSOR_METADATA, texts) != 0)
        return no_memory(error);
    ev_status status = EV_OK;
    for (size_t i = 0; status == EV_OK && i < pairs; i++)
        status = add(texts, path, metadata[i].key, json_string(metadata[i].value), error);
    return status;
}

static ev_status add_tensors(json_t *header, const char *path, size_t count,
                             const ev_safetensor *tensors, ev_error *error)
{
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        size_t bytes = ev_safetensor_bytes(&tensors[i]);
        if (tensors[i].rank > EV_SAFETENSOR_RANK || bytes > EV_TENSOR_FILE_LIMIT - from)
            return ev_file_refuse(error, path, "'%.60s' is too large", tensors[i].name);
        ev_status status = add(header, path, tensors[i].name, describe(&tensors[i], from), error);
        if (status != EV_OK)
            return status;
        from += bytes;
    }
    return EV_OK;
}

/* The header's bytes, padded so that the values begin at a multiple of 8; on the heap. */
static ev_status dump(const json_t *header, char **text, size_t *length, ev_error *error)
{
    size_t size = json_dumpb(header, NULL, 0, JSON_COMPACT);
    *length = (size + 7) / 8 * 8;
    *text = size == 0 ? NULL : malloc(*length);
    if (*text == NULL)
        return no_memory(error);
    memset(*text, ' ', *length);
    json_dumpb(header, *text, size, JSON_COMPACT);
    return EV_OK;
}

static ev_status make_header(const char *path, size_t count, const ev_safetensor *tensors,
                             size_t pairs, const ev_metadata *metadata, char **text, size_t *length,
                             ev_error *error)
{
    json_t *header = json_object();
    if (header == NULL)
        return no_memory(error);
    ev_status status = pairs > 0 ? add_metadata(header, path, pairs, metadata, error) : EV_OK;
    if (status == EV_OK)
        status = add_tensors(header, path, count, tensors, error);
    if (status == EV_OK)
        status = dump(header, text, length, error);
    json_decref(header);
    return status;
}

static ev_status write_parts(ev_draft *draft, const char *header, size_t length, size_t count,
                             const ev_safetensor *tensors, ev_error *error)
{
    const uint64_t prefix = length;
    ev_status status = ev_draft_write(draft, &prefix, sizeof prefix, error);
    if (status == EV_OK)
        status = ev_draft_write(draft, header, length, error);
    for (size_t i = 0; status == EV_OK && i < count; i++)
        status = ev_draft_write(draft, tensors[i].data, ev_safetensor_bytes(&tensors[i]), error);
    return status;
}

ev_status ev_safetensors_write(const char *path, size_t count, const ev_safetensor *tensors,
                               size_t pairs, const ev_metadata *metadata, ev_error *error)
{
    char *header = NULL;
    size_t length = 0;
    ev_draft draft = EV_DRAFT_NONE;
    ev_status status = make_header(path, count, tensors, pairs, metadata, &header, &length, error);
    if (status == EV_OK)
        status = ev_draft_open(&draft, path, error);
    if (status == EV_OK)
        status = write_parts(&draft, header, length, count, tensors, error);
    if (status == EV_OK)
        status = ev_draft_commit(&draft, error);
    ev_draft_discard(&draft);
    free(header);
    return status;
}
