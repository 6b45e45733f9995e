#include "cli/report.h"

#include "cli/message.h"

#include <stdlib.h>
#include <string.h>

void ev_record_label(const ev_record *record, char *text, size_t size)
{
    if (record->step > 0)
        snprintf(text, size, "%s@%zu", record->claim, record->step);
    else
        snprintf(text, size, "%s", record->claim);
}

void ev_record_place(const ev_record *record, char *text, size_t size)
{
    if (record->line > 0)
        snprintf(text, size, "%s:%zu:%zu", record->file, record->line, record->column);
    else
        snprintf(text, size, "%s", record->file);
}

const char *ev_record_relation(const char *relation, bool utf8)
{
    static const char *const names[][2] = {{"<=", "\xE2\x89\xA4"}, {">=", "\xE2\x89\xA5"},
                                           {"~", "\xE2\x89\x88"},  {"prop", "\xE2\x88\x9D"},
                                           {"statement", "says"},  {"assert", "fact"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(relation, names[i][0]) == 0)
            return utf8 || i >= 4 ? names[i][1] : relation;
    return relation;
}

char *ev_record_line(const ev_record *record, bool whole, bool utf8)
{
    const char *left = record->left == NULL || !whole ? "" : record->left;
    const char *right = record->right == NULL ? "" : record->right;
    const char *relation = record->step > 0 ? ev_record_relation(record->relation, utf8) : "";
    size_t size = strlen(left) + strlen(relation) + strlen(right) + 3;
    char *line = malloc(size);
    if (line != NULL)
        snprintf(line, size, "%s%s%s%s%s", left, *left == '\0' ? "" : " ", relation,
                 *relation == '\0' ? "" : " ", right);
    return line;
}

bool ev_record_goes_on(const ev_ledger *ledger, const ev_record *record)
{
    if (record->step < 2 || record == ledger->records)
        return false;
    const ev_record *before = record - 1;
    return before->step + 1 == record->step && strcmp(before->file, record->file) == 0 &&
           strcmp(before->claim, record->claim) == 0 && before->right != NULL &&
           record->left != NULL && strcmp(before->right, record->left) == 0;
}

void ev_record_mutants(const ev_record *record, char *text, size_t size)
{
    text[0] = '\0';
    if (record->mutants_total + record->mutants_equivalent == 0)
        return;
    int used = snprintf(text, size, "%zu/%zu", record->mutants_killed, record->mutants_total);
    if (record->mutants_equivalent > 0 && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, " +%zu", record->mutants_equivalent);
}

const char *ev_survivor(const char *list, size_t *length)
{
    int depth = 0;
    if (list == NULL)
        return NULL;
    list += strspn(list, "; ");
    const char *end = list;
    for (; *end != '\0' && !(depth <= 0 && strncmp(end, "; ", 2) == 0); end++) {
        if (*end == '\\' && end[1] != '\0')
            end++; /* \; is a space */
        else
            depth += (strchr("([{", *end) != NULL) - (strchr(")]}", *end) != NULL);
    }
    *length = (size_t)(end - list);
    return *length > 0 ? list : NULL;
}

static const struct {
    const char *name, *brief, *meaning;
} methods[] = {{"closed", "closed", NULL},
               {"hermite", "GH", "Gauss-Hermite"},
               {"cubature", "Cub", "adaptive cubature"},
               {"trapezoid", "Tr", "trapezoidal rule"},
               {"kronrod", "GK", "Gauss-Kronrod"},
               {"mc", "MC", "Monte Carlo"}};
enum { METHODS = sizeof methods / sizeof *methods };

/* Does a list like "hermite+mc" name a method? */
static bool names_method(const char *list, const char *method)
{
    size_t n = strlen(method);
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, "+");
        if (length == n && memcmp(list, method, n) == 0)
            return true;
        list += length + (list[length] == '+');
    }
    return false;
}

static void append(char *text, size_t size, const char *separator, const char *word)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used == 0 ? "" : separator, word);
}

/* Decided by a C module alone: a statement, or the module's own assertion. */
static bool module_alone(const ev_record *record)
{
    return record->step == 0 && record->measured != NULL && *record->measured != '\0';
}

void ev_record_methods(const ev_record *record, char *text, size_t size)
{
    const char *voice = record->second_voice == NULL ? "" : record->second_voice;
    text[0] = '\0';
    for (size_t i = 0; i < METHODS; i++)
        if (names_method(record->methods, methods[i].name))
            append(text, size, " ", methods[i].brief);
    if (module_alone(record))
        append(text, size, "", "C");
    else if (*voice != '\0')
        append(text, size, " ",
               strcmp(voice, "agrees") == 0      ? "+ C"
               : strcmp(voice, "disagrees") == 0 ? "not C"
                                                 : "+ C?");
}

void ev_report_methods_legend(const ev_ledger *ledger, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t m = 0; m < METHODS; m++) {
        bool used = false;
        for (size_t i = 0; i < ledger->count && !used; i++)
            used = names_method(ledger->records[i].methods, methods[m].name);
        if (!used || methods[m].meaning == NULL)
            continue;
        append(text, size, ", ", methods[m].brief);
        append(text, size, " ", methods[m].meaning);
    }
    for (size_t i = 0; i < ledger->count; i++) {
        const char *voice = ledger->records[i].second_voice;
        if (module_alone(&ledger->records[i]) || (voice != NULL && *voice != '\0')) {
            append(text, size, ", ", "C the C module");
            return;
        }
    }
}

int ev_report_exit(const ev_report *report)
{
    ev_tally tally = ev_ledger_tally(report->ledger);
    bool empty = tally.total == 0;
    for (size_t i = 0; report->only == NULL && i < report->document_count; i++)
        empty = empty || report->documents[i]->claim_count == 0;
    bool believed = report->canaries == NULL ||
                    report->canaries->as_planted == report->canaries->total;
    return empty || tally.green < tally.total || !believed ? EV_EXIT_UNEXPECTED : EV_EXIT_OK;
}

void ev_report_verdict(const ev_record *record, const ev_style *style, FILE *out, size_t width)
{
    bool green = ev_record_green(record);
    const char *mark = style->utf8 ? (green ? "\xE2\x9C\x93" : "\xE2\x9C\x97") : green ? "+" : "X";
    const char *name = ev_verdict_name(record->verdict);
    bool remark = green && record->verdict != EV_HOLDS;
    char text[64];
    snprintf(text, sizeof text, "%s %s%s", mark, name, remark ? " (expected)" : "");
    if (width > 0 && ev_text_columns(text) > width)
        snprintf(text, sizeof text, "%s %s", mark, name);
    ev_paint_set(out, style,
                 green                           ? EV_GREEN
                 : record->verdict == EV_SKIPPED ? EV_YELLOW
                                                 : EV_LOUD);
    ev_text_cell(out, style, text, width == 0 ? ev_text_columns(text) : width);
    ev_paint_set(out, style, EV_PLAIN);
}

void ev_report_unexpected(const ev_record *record, char *text, size_t size)
{
    const char *found = ev_verdict_name(record->verdict);
    size_t survive = ev_record_survivors(record);
    if (record->verdict != record->expected)
        snprintf(text, size, "expected %s, found %s", ev_verdict_name(record->expected), found);
    else
        snprintf(text, size, "%s, but %zu mutant%s", found, survive,
                 survive == 1 ? " survives" : "s survive");
}

void ev_report_finding(const ev_record *record, char *text, size_t size)
{
    const char *kind = record->kind == NULL ? "error" : record->kind;
    const char *what = strcmp(kind, "slip") == 0          ? "a slip of notation"
                       : strcmp(kind, "conditional") == 0 ? "true only under a condition"
                                                          : "an error";
    bool source = record->source != NULL && *record->source != '\0';
    bool see = record->see != NULL && *record->see != '\0';
    snprintf(text, size, "%s%s%s%s%s", what, source ? ", printed in " : "",
             source ? record->source : "", see ? "; corrected by " : "", see ? record->see : "");
}
