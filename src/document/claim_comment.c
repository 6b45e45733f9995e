#include "document/claim_comment.h"

#include "document/place.h"

#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} keys[] = {
    {"claim", offsetof(ev_claim_comment, claim)},
    {"source", offsetof(ev_claim_comment, source)},
    {"expect", offsetof(ev_claim_comment, expect)},
    {"see", offsetof(ev_claim_comment, see)},
    {"kind", offsetof(ev_claim_comment, kind)},
    {"note", offsetof(ev_claim_comment, note)},
    {"equivalent", offsetof(ev_claim_comment, equivalent)},
};
enum { KEY_COUNT = sizeof keys / sizeof *keys };

static ev_span *value_of(ev_claim_comment *comment, size_t key)
{
    return (ev_span *)(void *)((char *)comment + keys[key].offset);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* The rest of a span from an offset; line and column follow. */
static ev_span tail(ev_span span, size_t offset)
{
    for (size_t i = 0; i < offset; i++) {
        span.column++;
        if (span.text[i] == '\n') {
            span.line++;
            span.column = 1;
        }
    }
    span.text += offset;
    span.length -= offset;
    return span;
}

static ev_span skip_space(ev_span span)
{
    size_t n = 0;
    while (n < span.length && is_space(span.text[n]))
        n++;
    return tail(span, n);
}

static bool is(ev_span span, const char *word)
{
    return span.length == strlen(word) && memcmp(span.text, word, span.length) == 0;
}

static size_t key_index(ev_span word)
{
    size_t i = 0;
    while (i < KEY_COUNT && !is(word, keys[i].name))
        i++;
    return i;
}

static char lower(char c) { return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); }

/* "claim" but for case, one letter missing, changed or too many, or two neighbours swapped. */
static bool resembles_claim(ev_span word)
{
    const char *claim = "claim";
    size_t head = 0, tail_length = 0, n = word.length;
    if (n < 4 || n > 6)
        return false;
    while (head < n && head < 5 && lower(word.text[head]) == claim[head])
        head++;
    while (tail_length < n - head && tail_length < 5 - head &&
           lower(word.text[n - 1 - tail_length]) == claim[4 - tail_length])
        tail_length++;
    size_t changed = n - head - tail_length, wanted = 5 - head - tail_length;
    if (changed <= 1 && wanted <= 1)
        return true;
    return changed == 2 && wanted == 2 && lower(word.text[head]) == claim[head + 1] &&
           lower(word.text[head + 1]) == claim[head];
}

static ev_span first_word(ev_span span)
{
    size_t n = 0;
    while (n < span.length && is_letter(span.text[n]))
        n++;
    span.length = n;
    return span;
}

bool ev_comment_claims(ev_span body)
{
    ev_span word = first_word(skip_space(body));
    if (is(word, "claim"))
        return true;
    const char *after = word.text + word.length, *end = body.text + body.length;
    while (after < end && *after == ' ')
        after++;
    bool colon = after < end && *after == ':';
    return colon && (resembles_claim(word) || key_index(word) < KEY_COUNT);
}

/* A value ends before two spaces, a tab or a line end. */
static size_t value_length(ev_span span)
{
    size_t n = 0;
    while (n < span.length && span.text[n] != '\n' && span.text[n] != '\t' &&
           !(span.text[n] == ' ' && n + 1 < span.length && is_space(span.text[n + 1])))
        n++;
    while (n > 0 && span.text[n - 1] == ' ')
        n--;
    return n;
}

/* "claim: a expect: refuted" must not become a claim with an odd name. */
static ev_status refuse_hidden_key(ev_span value, ev_error *error)
{
    for (size_t i = 1; i < value.length; i++) {
        if (value.text[i] != ':' || !is_letter(value.text[i - 1]))
            continue;
        size_t begin = i;
        while (begin > 0 && is_letter(value.text[begin - 1]))
            begin--;
        ev_span word = tail(value, begin);
        word.length = i - begin;
        if (begin > 0 && value.text[begin - 1] == ' ' && key_index(word) < KEY_COUNT)
            return ev_place_error(error, &word, "put two spaces or a line end before '%.*s:'",
                                  (int)word.length, word.text);
    }
    return EV_OK;
}

static ev_status read_pair(ev_span *rest, ev_claim_comment *comment, bool first, ev_error *error)
{
    ev_span word = first_word(*rest);
    size_t n = word.length;
    if (n == 0 || n == rest->length || rest->text[n] != ':') {
        ev_span place = *rest;
        place.length = n > 0 ? n : 1;
        return first ? ev_place_error(error, &place, "a claim's comment begins with 'claim: ID'")
                     : ev_place_error(error, &place,
                                      "expected 'key: value', after two spaces or on a "
                                      "line of its own");
    }
    size_t key = key_index(word);
    if (first && key != 0)
        return ev_place_error(error, &word, "a claim's comment begins with 'claim: ID'");
    if (key == KEY_COUNT)
        return ev_place_error(error, &word,
                              "unknown key '%.*s': a claim has claim, source, expect, "
                              "see, kind, note and equivalent",
                              (int)n, word.text);
    ev_span *value = value_of(comment, key);
    if (value->text != NULL)
        return ev_place_error(error, &word, "'%s:' is given twice", keys[key].name);
    ev_span after = tail(*rest, n + 1);
    size_t blanks = 0;
    while (blanks < after.length && (after.text[blanks] == ' ' || after.text[blanks] == '\t'))
        blanks++;
    *value = tail(after, blanks);
    value->length = value_length(*value);
    *rest = tail(after, blanks + value->length);
    ev_span next = first_word(*value);
    bool key_follows = key_index(next) < KEY_COUNT && next.length < value->length &&
                       value->text[next.length] == ':';
    if (value->length == 0 || key_follows)
        return ev_place_error(error, &word, "'%s:' has no value", keys[key].name);
    return refuse_hidden_key(*value, error);
}

static ev_status check_id(ev_span id, ev_error *error)
{
    for (size_t i = 0; i < id.length; i++) {
        char c = id.text[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    (c == '-' && i > 0 && i + 1 < id.length);
        if (!fine) {
            ev_span place = tail(id, i);
            place.length = 1;
            return ev_place_error(error, &place,
                                  "an id is made of lower-case letters, digits and "
                                  "hyphens between them");
        }
    }
    if (id.length > 80)
        return ev_place_error(error, &id, "an id has at most 80 characters");
    return EV_OK;
}

static const char *const kind_names[] = {
    [EV_KIND_ERROR] = "error", [EV_KIND_SLIP] = "slip", [EV_KIND_CONDITIONAL] = "conditional"};

ev_finding_kind ev_claim_comment_kind(const ev_claim_comment *comment)
{
    for (int i = 0; comment->kind.text != NULL && i < 3; i++)
        if (is(comment->kind, kind_names[i]))
            return (ev_finding_kind)i;
    return EV_KIND_ERROR;
}

static const char *const expectation_names[] = {[EV_EXPECT_HOLDS] = "holds",
                                                [EV_EXPECT_REFUTED] = "refuted",
                                                [EV_EXPECT_VOID] = "void",
                                                [EV_EXPECT_VACUOUS] = "vacuous"};

/* The word of expect: before its @. */
static ev_span expectation_word(ev_span value)
{
    const char *at = memchr(value.text, '@', value.length);
    value.length = at == NULL ? value.length : (size_t)(at - value.text);
    return value;
}

static ev_status check_values(const ev_claim_comment *comment, ev_error *error)
{
    ev_status status = check_id(comment->claim, error);
    if (status == EV_OK && comment->see.text != NULL)
        status = check_id(comment->see, error);
    if (status != EV_OK)
        return status;
    bool known = comment->expect.text == NULL;
    for (int i = 0; !known && i < 4; i++)
        known = is(expectation_word(comment->expect), expectation_names[i]);
    if (!known)
        return ev_place_error(error, &comment->expect,
                              "expected holds, refuted, void or vacuous, and "
                              "perhaps steps: refuted@1,3");
    known = comment->kind.text == NULL;
    for (int i = 0; !known && i < 3; i++)
        known = is(comment->kind, kind_names[i]);
    if (!known)
        return ev_place_error(error, &comment->kind, "expected error, slip or conditional");
    if (comment->kind.text != NULL &&
        (comment->expect.text == NULL || is(comment->expect, "holds")))
        return ev_place_error(error, &comment->kind,
                              "'kind:' is for a claim that is expected to fail: "
                              "it needs 'expect:'");
    return EV_OK;
}

ev_status ev_claim_comment_parse(ev_span body, ev_claim_comment *comment, ev_error *error)
{
    *comment = (ev_claim_comment){.claim = {.text = NULL}};
    ev_span rest = skip_space(body);
    ev_status status = read_pair(&rest, comment, true, error);
    while (status == EV_OK && (rest = skip_space(rest)).length > 0)
        status = read_pair(&rest, comment, false, error);
    return status == EV_OK ? check_values(comment, error) : status;
}

/* One number of refuted@1,3: from the front of *list, with the comma behind it. */
static ev_status read_step(ev_span *list, size_t steps, size_t *step, ev_error *error)
{
    size_t n = 0;
    *step = 0;
    while (n < list->length && list->text[n] >= '0' && list->text[n] <= '9' && *step <= steps)
        *step = *step * 10 + (size_t)(list->text[n++] - '0');
    ev_span place = *list;
    place.length = n > 0 ? n : 1;
    if (n == 0 || (n < list->length && list->text[n] != ',' && *step <= steps))
        return ev_place_error(error, &place, "expected step numbers, as in refuted@1,3");
    if (*step == 0)
        return ev_place_error(error, &place, "steps are counted from 1");
    if (*step > steps)
        return ev_place_error(error, &place, "this chain has only %zu step%s", steps,
                              steps == 1 ? "" : "s");
    if (n + 1 == list->length) {
        ev_span comma = tail(*list, n);
        return ev_place_error(error, &comma, "a step number is missing after the comma");
    }
    *list = tail(*list, n < list->length ? n + 1 : n);
    return EV_OK;
}

ev_status ev_claim_comment_expected(const ev_claim_comment *comment, size_t steps,
                                    bool is_statement, ev_arena *arena,
                                    const ev_expectation **expected, ev_error *error)
{
    ev_expectation *each = ev_arena_array(arena, steps, sizeof *each), what = EV_EXPECT_HOLDS;
    if (each == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "memory is short");
    *expected = each;
    if (comment->expect.text == NULL)
        return EV_OK;
    ev_span word = expectation_word(comment->expect);
    while (!is(word, expectation_names[what]))
        what++;
    bool listed = word.length < comment->expect.length;
    for (size_t i = 0; i < steps; i++)
        each[i] = listed ? EV_EXPECT_HOLDS : what;
    if (!listed)
        return EV_OK;
    ev_span list = tail(comment->expect, word.length + 1);
    if (what == EV_EXPECT_HOLDS || is_statement || list.length == 0)
        return ev_place_error(error, &comment->expect, "%s",
                              is_statement       ? "a statement has no steps"
                              : list.length == 0 ? "step numbers are missing after the @"
                                                 : "steps hold by default: name those that do not");
    while (list.length > 0) {
        size_t step;
        ev_span place = list;
        ev_status status = read_step(&list, steps, &step, error);
        if (status != EV_OK)
            return status;
        place.length = 1;
        if (each[step - 1] == what)
            return ev_place_error(error, &place, "step %zu is named twice", step);
        each[step - 1] = what;
    }
    return EV_OK;
}
