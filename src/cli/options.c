#include "cli/options.h"

#include "cli/message.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_WORD = 64 };

/* Levenshtein's distance, row by row. */
static size_t distance(const char *a, const char *b)
{
    size_t row[LONGEST_WORD + 1], m = strlen(a), n = strlen(b);
    if (m > LONGEST_WORD || n > LONGEST_WORD)
        return LONGEST_WORD;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]), above = row[j] + 1;
            diagonal = row[j];
            row[j] = row[j - 1] + 1;
            row[j] = row[j] < above ? row[j] : above;
            row[j] = row[j] < replaced ? row[j] : replaced;
        }
    }
    return row[n];
}

const char *ev_nearest(const char *word, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t least = strlen(word) / 3 + 2; /* farther is no likeness */
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, words[i]);
        if (d < least) {
            least = d;
            best = words[i];
        }
    }
    return best;
}

static ev_options_result refuse_unknown(const char *subcommand, const char *word,
                                        const ev_option *options, size_t count)
{
    const char *names[48] = {"help"};
    size_t known = 1;
    for (; known <= count && known < sizeof names / sizeof *names; known++)
        names[known] = options[known - 1].name;
    char name[LONGEST_WORD + 1] = "";
    if (word[1] == '-')
        snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = name[0] == '\0' ? NULL : ev_nearest(name, names, known);
    if (near != NULL)
        ev_message(EV_COLOUR_AUTO, "unknown option '%s'; did you mean '--%s'?", word, near);
    else
        ev_message(EV_COLOUR_AUTO, "unknown option '%s'; see 'evidence help %s'", word, subcommand);
    return EV_OPTIONS_BAD;
}

/* Digits only, wholly read, in range: no sign, no space, no octal. */
static bool read_number(const ev_option *option, const char *value)
{
    char *end;
    errno = 0;
    uintmax_t number = strtoumax(value, &end, 10);
    bool digits = value[0] >= '0' && value[0] <= '9' && *end == '\0';
    if (digits && errno == 0 && number >= option->low && number <= option->high) {
        *(uint64_t *)option->target = number;
        return true;
    }
    ev_message(EV_COLOUR_AUTO, "'--%s %s': expected a whole number from %" PRIu64 " to %" PRIu64,
               option->name, value, option->low, option->high);
    return false;
}

/* Decimal only, wholly read, finite; the locale's numbers are C's. */
static bool read_real(const ev_option *option, const char *value)
{
    char *end;
    double number = strtod(value, &end);
    bool decimal = strspn(value, "+-.0123456789eE") == strlen(value) && end != value;
    if (decimal && *end == '\0' && isfinite(number)) {
        *(double *)option->target = number;
        return true;
    }
    ev_message(EV_COLOUR_AUTO, "'--%s %s': expected a number", option->name, value);
    return false;
}

static bool read_choice(const ev_option *option, const char *value)
{
    size_t count = 0;
    char list[160] = "";
    for (; option->choices[count] != NULL; count++) {
        if (strcmp(value, option->choices[count]) == 0) {
            *(int *)option->target = (int)count;
            return true;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", count == 0 ? "" : ", ",
                 option->choices[count]);
    }
    ev_message(EV_COLOUR_AUTO, "'--%s %s': expected one of %s", option->name, value, list);
    return false;
}

static bool read_value(const ev_option *option, const char *value)
{
    switch (option->kind) {
    case EV_OPTION_NUMBER: return read_number(option, value);
    case EV_OPTION_REAL: return read_real(option, value);
    case EV_OPTION_CHOICE: return read_choice(option, value);
    default: break;
    }
    if (*value == '\0')
        ev_message(EV_COLOUR_AUTO, "'--%s': its value is empty", option->name);
    else
        *(const char **)option->target = value;
    return *value != '\0';
}

static const ev_option *find(const ev_option *options, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(options[i].name);
        if (word[1] == '-' && strncmp(word + 2, options[i].name, n) == 0 &&
            (word[2 + n] == '\0' || word[2 + n] == '='))
            return &options[i];
        if (word[1] != '-' && word[1] == options[i].letter && word[2] == '\0')
            return &options[i];
    }
    return NULL;
}

/* The option at argv[*at] with its value; *at moves to the last word used. */
static bool read_option(const ev_option *option, int argc, char **argv, int *at)
{
    const char *equals = argv[*at][1] == '-' ? strchr(argv[*at], '=') : NULL;
    if (option->kind == EV_OPTION_FLAG) {
        if (equals != NULL)
            ev_message(EV_COLOUR_AUTO, "'--%s' takes no value", option->name);
        *(bool *)option->target = true;
        return equals == NULL;
    }
    if (equals != NULL)
        return read_value(option, equals + 1);
    if (*at + 1 == argc) {
        ev_message(EV_COLOUR_AUTO, "'--%s' needs a value", option->name);
        return false;
    }
    return read_value(option, argv[++*at]);
}

ev_options_result ev_options_parse(const char *subcommand, const ev_option *options, size_t count,
                                   int *argc, char **argv)
{
    int operands = 0;
    bool ended = false;
    for (int at = 0; at < *argc; at++) {
        char *word = argv[at];
        if (ended || word[0] != '-' || word[1] == '\0') {
            argv[operands++] = word;
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            return EV_OPTIONS_HELP;
        } else {
            const ev_option *option = find(options, count, word);
            if (option == NULL)
                return refuse_unknown(subcommand, word, options, count);
            if (!read_option(option, *argc, argv, &at))
                return EV_OPTIONS_BAD;
        }
    }
    *argc = operands;
    return EV_OPTIONS_OK;
}

void ev_options_help(FILE *out, const ev_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char letter[5] = "    ", left[LONGEST_WORD];
        if (options[i].letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", options[i].letter);
        int used = snprintf(left, sizeof left, "%s--%s", letter, options[i].name);
        if (options[i].choices != NULL) {
            for (size_t c = 0; options[i].choices[c] != NULL && used < LONGEST_WORD; c++)
                used += snprintf(left + used, sizeof left - (size_t)used, "%c%s",
                                 c == 0 ? ' ' : '|', options[i].choices[c]);
        } else if (options[i].argument != NULL && used < LONGEST_WORD) {
            snprintf(left + used, sizeof left - (size_t)used, " %s", options[i].argument);
        }
        fprintf(out, "  %-38s  %s\n", left, options[i].help);
    }
    fprintf(out, "  -h, %-34s  %s\n", "--help", "this page");
}
