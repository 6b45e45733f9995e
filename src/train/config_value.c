#include "train/config_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(char *reason, const char *what)
{
    snprintf(reason, EV_CONFIG_REASON, "%s", what);
    return false;
}

/* ---- From JSON ---- */

/* A JSON integer, or one that is too large for most readers of JSON, as text. */
static bool decode_whole(const json_t *json, uint64_t *whole)
{
    if (json_is_integer(json) && json_integer_value(json) >= 0) {
        *whole = (uint64_t)json_integer_value(json);
        return true;
    }
    const char *digits = json_string_value(json);
    if (digits == NULL || digits[0] == '\0' || strlen(digits) > 20 ||
        strspn(digits, "0123456789") != strlen(digits))
        return false;
    *whole = 0;
    for (; *digits != '\0'; digits++) {
        uint64_t digit = (uint64_t)(*digits - '0');
        if (*whole > (UINT64_MAX - digit) / 10)
            return false;
        *whole = *whole * 10 + digit;
    }
    return true;
}

static bool decode_choice(const ev_config_key *key, const json_t *json, int *choice, char *reason)
{
    const char *word = json_string_value(json);
    for (*choice = 0; word != NULL && key->choices[*choice] != NULL; ++*choice)
        if (strcmp(word, key->choices[*choice]) == 0)
            return true;
    int used = snprintf(reason, EV_CONFIG_REASON, "expected one of");
    for (size_t i = 0; key->choices[i] != NULL && used < EV_CONFIG_REASON - 40; i++)
        used += snprintf(reason + used, (size_t)(EV_CONFIG_REASON - used), "%s \"%.30s\"",
                         i > 0 ? "," : "", key->choices[i]);
    return false;
}

static bool decode_text(const json_t *json, char *text, char *reason)
{
    const char *words = json_string_value(json);
    if (words == NULL)
        return refuse(reason, "expected a text in quotes");
    if (strlen(words) >= EV_CONFIG_TEXT_SIZE)
        return refuse(reason, "the text is too long");
    memcpy(text, words, strlen(words) + 1);
    return true;
}

static bool decode_list(const json_t *json, ev_config_list *list, char *reason)
{
    list->count = json_array_size(json);
    if (!json_is_array(json) || list->count > EV_CONFIG_LIST)
        return refuse(reason, "expected a list of at most 16 whole numbers, as [500, 500]");
    for (size_t i = 0; i < list->count; i++) {
        uint64_t whole;
        if (!decode_whole(json_array_get(json, i), &whole) || whole > SIZE_MAX)
            return refuse(reason, "expected whole numbers in the list");
        list->value[i] = (size_t)whole;
    }
    return true;
}

bool ev_config_decode(const ev_config_key *key, const json_t *json, ev_config_value *value,
                      char *reason)
{
    *value = (ev_config_value){0};
    switch (key->kind) {
    case EV_CONFIG_WHOLE:
        return decode_whole(json, &value->whole) || refuse(reason, "expected a whole number");
    case EV_CONFIG_REAL:
        value->real = json_number_value(json);
        return json_is_number(json) || refuse(reason, "expected a number");
    case EV_CONFIG_FLAG:
        value->flag = json_is_true(json);
        return json_is_boolean(json) || refuse(reason, "expected true or false");
    case EV_CONFIG_CHOICE: return decode_choice(key, json, &value->choice, reason);
    case EV_CONFIG_TEXT: return decode_text(json, value->text, reason);
    case EV_CONFIG_WHOLES: return decode_list(json, &value->list, reason);
    }
    return refuse(reason, "a setting of no kind");
}

/* ---- Bounds ---- */

static bool number_in_bounds(const ev_config_key *key, double number, const char *shown,
                             char *reason)
{
    bool unbounded = key->low >= 0 && key->low <= 0 && key->high >= 0 && key->high <= 0;
    bool above = key->open ? number > key->low : number >= key->low;
    if (isfinite(number) && (unbounded || (above && number <= key->high)))
        return true;
    if (unbounded)
        snprintf(reason, EV_CONFIG_REASON, "%s is no finite number", shown);
    else
        snprintf(reason, EV_CONFIG_REASON, "%s is not %s %.10g and at most %.10g", shown,
                 key->open ? "above" : "at least", key->low, key->high);
    return false;
}

static bool whole_in_bounds(const ev_config_key *key, uint64_t whole, char *reason)
{
    char shown[32];
    snprintf(shown, sizeof shown, "%ju", (uintmax_t)whole);
    return number_in_bounds(key, (double)whole, shown, reason);
}

bool ev_config_in_bounds(const ev_config_key *key, const ev_config_value *value, char *reason)
{
    char shown[32];
    snprintf(shown, sizeof shown, "%.10g", value->real);
    if (key->kind == EV_CONFIG_WHOLE)
        return whole_in_bounds(key, value->whole, reason);
    if (key->kind == EV_CONFIG_REAL)
        return number_in_bounds(key, value->real, shown, reason);
    for (size_t i = 0; key->kind == EV_CONFIG_WHOLES && i < value->list.count; i++)
        if (!whole_in_bounds(key, value->list.value[i], reason))
            return false;
    return true;
}

/* ---- Targets ---- */

void ev_config_load(const ev_config_key *key, ev_config_value *value)
{
    *value = (ev_config_value){0};
    switch (key->kind) {
    case EV_CONFIG_WHOLE: value->whole = *(const uint64_t *)key->target; break;
    case EV_CONFIG_REAL: value->real = *(const double *)key->target; break;
    case EV_CONFIG_FLAG: value->flag = *(const bool *)key->target; break;
    case EV_CONFIG_CHOICE: value->choice = *(const int *)key->target; break;
    case EV_CONFIG_TEXT: memcpy(value->text, key->target, sizeof value->text); break;
    case EV_CONFIG_WHOLES: value->list = *(const ev_config_list *)key->target; break;
    }
}

void ev_config_store(const ev_config_key *key, const ev_config_value *value)
{
    switch (key->kind) {
    case EV_CONFIG_WHOLE: *(uint64_t *)key->target = value->whole; break;
    case EV_CONFIG_REAL: *(double *)key->target = value->real; break;
    case EV_CONFIG_FLAG: *(bool *)key->target = value->flag; break;
    case EV_CONFIG_CHOICE: *(int *)key->target = value->choice; break;
    case EV_CONFIG_TEXT: memcpy(key->target, value->text, sizeof value->text); break;
    case EV_CONFIG_WHOLES: *(ev_config_list *)key->target = value->list; break;
    }
}

/* ---- Into JSON ---- */

/* The shortest digits that read back as the same double. */
static char *encode_real(double real)
{
    char digits[40];
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, real);
        double back = strtod(digits, NULL);
        if (memcmp(&back, &real, sizeof real) == 0)
            break;
    }
    return strdup(digits);
}

static char *encode_whole(uint64_t whole)
{
    char digits[32];
    snprintf(digits, sizeof digits, whole > INT64_MAX ? "\"%ju\"" : "%ju", (uintmax_t)whole);
    return strdup(digits);
}

static char *encode_list(const ev_config_list *list)
{
    char text[EV_CONFIG_LIST * 24 + 3] = "[";
    size_t used = 1;
    for (size_t i = 0; i < list->count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu", i > 0 ? ", " : "",
                                 list->value[i]);
    memcpy(text + used, "]", 2);
    return strdup(text);
}

static char *encode_text(const char *text)
{
    json_t *json = json_string(text);
    char *encoded = json == NULL ? NULL : json_dumps(json, JSON_ENCODE_ANY);
    json_decref(json);
    return encoded;
}

char *ev_config_encode(const ev_config_key *key, const ev_config_value *value)
{
    switch (key->kind) {
    case EV_CONFIG_WHOLE: return encode_whole(value->whole);
    case EV_CONFIG_REAL: return encode_real(value->real);
    case EV_CONFIG_FLAG: return strdup(value->flag ? "true" : "false");
    case EV_CONFIG_CHOICE: return encode_text(key->choices[value->choice]);
    case EV_CONFIG_TEXT: return encode_text(value->text);
    case EV_CONFIG_WHOLES: return encode_list(&value->list);
    }
    return NULL;
}
