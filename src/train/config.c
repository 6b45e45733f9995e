#include "train/config.h"

#include "base/draft.h"
#include "base/file_bytes.h"
#include "train/config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1 << 20 }; /* bytes of a config.json */

static const ev_config_key *find_key(size_t count, const ev_config_key *keys, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i].key, name) == 0)
            return &keys[i];
    return NULL;
}

/* Line and column of "name" as a key, for which JSON's reader keeps no place: the first time it
 * stands in quotes before a colon.  None is found when it is written with escapes. */
static void find_place(const char *bytes, size_t length, const char *name, ev_error *error)
{
    size_t size = strlen(name), line = 1, start = 0;
    for (size_t i = 0; i + size + 2 < length; i++) {
        if (bytes[i] == '\n') {
            line++;
            start = i + 1;
        }
        if (bytes[i] != '"' || memcmp(bytes + i + 1, name, size) != 0 ||
            bytes[i + 1 + size] != '"' || (i > 0 && bytes[i - 1] == '\\'))
            continue;
        size_t after = i + size + 2;
        after += strspn(bytes + after, " \t\r\n");
        if (after < length && bytes[after] == ':') {
            error->line = line;
            error->column = i - start + 1;
            error->length = size + 2;
            return;
        }
    }
}

typedef struct {
    const char *name, *bytes; /* of the file; bytes end with a zero */
    size_t length;
    size_t count;
    const ev_config_key *keys;
    ev_config_extent extent;
} reading;

static ev_status refuse(const reading *r, ev_error *error, const char *key, const char *reason)
{
    if (error == NULL || error->status != EV_OK)
        return EV_BAD_INPUT;
    find_place(r->bytes, r->length, key, error);
    return ev_file_refuse(error, r->name, "%.60s: %s", key, reason);
}

static ev_status parse(const reading *r, json_t **object, ev_error *error)
{
    json_error_t why;
    *object = json_loadb(r->bytes, r->length, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(*object))
        return EV_OK;
    if (error != NULL && error->status == EV_OK) {
        error->line = *object == NULL && why.line > 0 ? (size_t)why.line : 1;
        error->column = *object == NULL && why.column > 0 ? (size_t)why.column : 1;
    }
    return ev_file_refuse(error, r->name, "no JSON object of settings: %.200s",
                          *object == NULL ? why.text : "something else stands there");
}

/* Everything is looked at before anything is taken over. */
static ev_status check_object(const reading *r, json_t *object, ev_error *error)
{
    const char *name;
    json_t *json;
    ev_config_value value;
    char reason[EV_CONFIG_REASON];
    json_object_foreach(object, name, json)
    {
        const ev_config_key *key = find_key(r->count, r->keys, name);
        if (key == NULL)
            return refuse(r, error, name, "no such setting");
        if (!ev_config_decode(key, json, &value, reason) ||
            !ev_config_in_bounds(key, &value, reason))
            return refuse(r, error, name, reason);
    }
    for (size_t i = 0; r->extent == EV_CONFIG_COMPLETE && i < r->count; i++)
        if (json_object_get(object, r->keys[i].key) == NULL)
            return refuse(r, error, r->keys[i].key, "this setting is missing");
    return EV_OK;
}

static void store_object(const reading *r, const json_t *object)
{
    ev_config_value value;
    char reason[EV_CONFIG_REASON];
    for (size_t i = 0; i < r->count; i++) {
        const json_t *json = json_object_get(object, r->keys[i].key);
        if (json != NULL && ev_config_decode(&r->keys[i], json, &value, reason))
            ev_config_store(&r->keys[i], &value);
    }
}

/* bytes end with a zero. */
static ev_status read_bytes(const reading *r, ev_error *error)
{
    json_t *object = NULL;
    ev_status status = parse(r, &object, error);
    if (status == EV_OK)
        status = check_object(r, object, error);
    if (status == EV_OK)
        store_object(r, object);
    json_decref(object);
    return status;
}

ev_status ev_config_parse(const char *name, const char *bytes, size_t length, size_t count,
                          const ev_config_key *keys, ev_config_extent extent, ev_error *error)
{
    char *copy = malloc(length + 1);
    if (copy == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "no memory to read %s", name);
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = '\0';
    const reading r = {name, copy, length, count, keys, extent};
    ev_status status = read_bytes(&r, error);
    free(copy);
    return status;
}

ev_status ev_config_read(const char *path, size_t count, const ev_config_key *keys,
                         ev_config_extent extent, ev_error *error)
{
    uint8_t *bytes;
    size_t length;
    ev_status status = ev_file_bytes(path, LIMIT, &bytes, &length, error);
    if (status != EV_OK)
        return status;
    const reading r = {path, (const char *)bytes, length, count, keys, extent};
    status = read_bytes(&r, error);
    free(bytes);
    return status;
}

ev_status ev_config_read_text(const char *path, const char *key, char text[EV_CONFIG_TEXT_SIZE],
                              ev_error *error)
{
    uint8_t *bytes;
    size_t length;
    json_t *object = NULL;
    ev_status status = ev_file_bytes(path, LIMIT, &bytes, &length, error);
    if (status != EV_OK)
        return status;
    const reading r = {.name = path, .bytes = (const char *)bytes, .length = length};
    status = parse(&r, &object, error);
    const char *found = json_string_value(json_object_get(object, key));
    if (status == EV_OK && (found == NULL || strlen(found) >= EV_CONFIG_TEXT_SIZE))
        status = refuse(&r, error, key, "no text of that name");
    if (status == EV_OK)
        snprintf(text, EV_CONFIG_TEXT_SIZE, "%s", found);
    json_decref(object);
    free(bytes);
    return status;
}

ev_status ev_config_check(size_t count, const ev_config_key *keys, ev_error *error)
{
    ev_config_value value;
    char reason[EV_CONFIG_REASON];
    for (size_t i = 0; i < count; i++) {
        ev_config_load(&keys[i], &value);
        if (!ev_config_in_bounds(&keys[i], &value, reason))
            return ev_error_set(error, EV_BAD_INPUT, "%s: %s", keys[i].key, reason);
    }
    return EV_OK;
}

static ev_status write_line(ev_draft *draft, const ev_config_key *key, bool last, ev_error *error)
{
    ev_config_value value;
    ev_config_load(key, &value);
    char *text = ev_config_encode(key, &value);
    if (text == NULL)
        return ev_error_set(error, EV_BAD_INPUT, "%s: can't be written: it is no UTF-8", key->key);
    size_t size = strlen(key->key) + strlen(text) + 16;
    char *line = malloc(size);
    ev_status status = EV_NO_MEMORY;
    if (line != NULL) {
        int length = snprintf(line, size, "  \"%s\": %s%s\n", key->key, text, last ? "" : ",");
        status = ev_draft_write(draft, line, (size_t)length, error);
    }
    free(line);
    free(text);
    return status == EV_NO_MEMORY ? ev_error_set(error, status, "no memory for a setting") : status;
}

ev_status ev_config_write(const char *path, size_t count, const ev_config_key *keys,
                          ev_error *error)
{
    ev_draft draft;
    ev_status status = ev_draft_open(&draft, path, error);
    if (status == EV_OK)
        status = ev_draft_write(&draft, "{\n", 2, error);
    for (size_t i = 0; status == EV_OK && i < count; i++)
        status = write_line(&draft, &keys[i], i + 1 == count, error);
    if (status == EV_OK)
        status = ev_draft_write(&draft, "}\n", 2, error);
    if (status == EV_OK)
        status = ev_draft_commit(&draft, error);
    ev_draft_discard(&draft);
    return status;
}
