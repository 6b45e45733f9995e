#include "judge/declared.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The length of a dash at `at`; 0: there is none. */
static size_t dash_at(const char *at)
{
    static const char *const dashes[] = {"\xe2\x80\x94", " -- "};
    for (size_t i = 0; i < sizeof dashes / sizeof *dashes; i++)
        if (strncmp(at, dashes[i], strlen(dashes[i])) == 0)
            return strlen(dashes[i]);
    return 0;
}

/* A formula up to the dash or the semicolon behind it: one within brackets is its own, as that of
 * \mathcal{N}(z; a, 1). */
static size_t formula_length(const char *at)
{
    size_t n = 0;
    int depth = 0;
    for (; at[n] != '\0' && dash_at(at + n) == 0 && !(at[n] == ';' && depth <= 0); n++)
        depth += (strchr("([{", at[n]) != NULL) - (strchr(")]}", at[n]) != NULL);
    return n;
}

/* The next entry: its text without the reason, and what comes after it in *rest; NULL at the end. */
static const char *next_entry(const char *at, size_t *length, const char **rest)
{
    at += strspn(at, "; ");
    if (*at == '\0')
        return NULL;
    size_t n = formula_length(at);
    *rest = at + n + strcspn(at + n, ";");
    while (n > 0 && at[n - 1] == ' ')
        n--;
    *length = n;
    return at;
}

uint64_t ev_declared_find(const char *declarations, const char *mutant)
{
    const size_t n = strlen(mutant);
    uint64_t found = 0;
    size_t number = 0, length;
    const char *rest = declarations == NULL ? "" : declarations;
    for (const char *entry; (entry = next_entry(rest, &length, &rest)) != NULL; number++)
        if (length == n && strncmp(entry, mutant, n) == 0)
            found |= UINT64_C(1) << (number < EV_DECLARED_MOST ? number : EV_DECLARED_MOST - 1);
    return found;
}

const char *ev_declared_unused(const char *declarations, uint64_t used, size_t size, char *text)
{
    size_t number = 0, length;
    const char *rest = declarations == NULL ? "" : declarations;
    for (const char *entry; (entry = next_entry(rest, &length, &rest)) != NULL; number++) {
        const bool unused = number < EV_DECLARED_MOST && (used >> number & 1) == 0;
        if (!unused)
            continue;
        snprintf(text, size, "%.*s", (int)length, entry);
        return text;
    }
    return NULL;
}
