/* JUnit's XML, as continuous integration servers read it: a suite for each document, a case for
 * each record.  REFUTED or HOLDS against expectation is a failure, and so are mutants that survive;
 * UNDECIDED, VACUOUS and VOID are errors: the check itself came to nothing. */
#include "cli/report.h"
#include "cli/value.h"

#include "document/text.h"

#include <string.h>

/* Text in an attribute or an element; what XML can't hold becomes U+FFFD. */
static void put_escaped(FILE *out, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        const char *entity = *text == '&'    ? "&amp;"
                             : *text == '<'  ? "&lt;"
                             : *text == '>'  ? "&gt;"
                             : *text == '"'  ? "&quot;"
                             : *text == '\'' ? "&apos;"
                             : *text == '\n' ? "&#10;"
                             : *text == '\t' ? "&#9;"
                                             : NULL;
        size_t n = ev_text_character(text, left);
        bool noncharacter = n == 3 && memcmp(text, "\xEF\xBF", 2) == 0 &&
                            (unsigned char)text[2] >= 0xBE;
        if (entity != NULL)
            fputs(entity, out);
        else if (n == 0 || noncharacter)
            fputs("\xEF\xBF\xBD", out);
        else
            fwrite(text, 1, n, out);
        n = n == 0 ? 1 : n;
        text += n;
        left -= n;
    }
}

static void put_attribute(FILE *out, const char *name, const char *text)
{
    fprintf(out, " %s=\"", name);
    put_escaped(out, text == NULL ? "" : text);
    fputc('"', out);
}

typedef struct {
    size_t tests, failures, errors, skipped;
    double seconds;
} counts;

static const char *outcome(const ev_record *r)
{
    if (r->verdict == EV_SKIPPED)
        return "skipped";
    if (ev_record_green(r))
        return NULL;
    bool survived = r->verdict == r->expected;
    return survived || r->verdict == EV_REFUTED || r->verdict == EV_HOLDS ? "failure" : "error";
}

static counts count(const ev_record *records, size_t n)
{
    counts c = {.tests = n};
    for (size_t i = 0; i < n; i++) {
        const char *what = outcome(&records[i]);
        c.failures += what != NULL && *what == 'f';
        c.errors += what != NULL && *what == 'e';
        c.skipped += what != NULL && *what == 's';
        c.seconds += records[i].seconds;
    }
    return c;
}

static void put_counts(FILE *out, const counts *c)
{
    fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
            c->tests, c->failures, c->errors, c->skipped, c->seconds);
}

static bool has(const char *text) { return text != NULL && *text != '\0'; }

/* What the mutants tell, a line each, each after a separator. */
static void put_strength(FILE *out, const ev_record *r, const char *before)
{
    const struct {
        const char *name, *text;
    } lines[] = {{"diagnosis", r->diagnosis}, {"survivors", r->survivors}};
    for (size_t i = 0; i < 2; i++)
        if (has(lines[i].text)) {
            fprintf(out, "%s%s: ", before, lines[i].name);
            put_escaped(out, lines[i].text);
            before = "\n";
        }
}

static void put_outcome(FILE *out, const ev_record *r, const char *what)
{
    const ev_style plain = {false, true, 100};
    char message[1024], why[128], left[EV_VALUE_TEXT], right[EV_VALUE_TEXT];
    ev_report_unexpected(r, why, sizeof why);
    snprintf(message, sizeof message, "%s%s%s", why, has(r->reason) ? ": " : "",
             has(r->reason) ? r->reason : "");
    fprintf(out, "      <%s", what);
    put_attribute(out, "message", message);
    if (*what == 's') {
        fputs("/>\n", out);
        return;
    }
    put_attribute(out, "type", ev_verdict_name(r->verdict));
    fputc('>', out);
    ev_evidence_text(&r->left_value, &plain, left);
    ev_evidence_text(&r->right_value, &plain, right);
    put_escaped(out, r->file);
    fprintf(out, ":%zu:%zu\n", r->line, r->column);
    put_escaped(out, r->right == NULL ? "" : r->right);
    fputs("\nat ", out);
    put_escaped(out, r->witness == NULL ? "" : r->witness);
    fprintf(out, "\nleft %s, right %s", left, right);
    put_strength(out, r, "\n");
    fprintf(out, "</%s>\n", what);
}

static void put_case(FILE *out, const ev_record *r)
{
    char label[128];
    ev_record_label(r, label, sizeof label);
    fputs("    <testcase", out);
    put_attribute(out, "classname", r->document);
    put_attribute(out, "name", label);
    put_attribute(out, "file", r->file);
    fprintf(out, " line=\"%zu\" time=\"%.3f\"", r->line, r->seconds);
    const char *what = outcome(r);
    bool strength = what == NULL && (has(r->diagnosis) || has(r->survivors));
    fputs(what == NULL && !strength ? "/>\n" : ">\n", out);
    if (what != NULL)
        put_outcome(out, r, what);
    if (strength) {
        fputs("      <system-out>", out);
        put_strength(out, r, "");
        fputs("</system-out>\n", out);
    }
    if (what != NULL || strength)
        fputs("    </testcase>\n", out);
}

ev_status ev_report_junit(const ev_report *report, FILE *out, ev_error *error)
{
    (void)error;
    const ev_ledger *ledger = report->ledger;
    counts all = count(ledger->records, ledger->count);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"evidence\"", out);
    put_counts(out, &all);
    for (size_t from = 0, to; from < ledger->count; from = to) {
        const ev_record *first = &ledger->records[from];
        for (to = from + 1; to < ledger->count; to++)
            if (strcmp(ledger->records[to].file, first->file) != 0)
                break;
        counts suite = count(first, to - from);
        fputs("  <testsuite", out);
        put_attribute(out, "name", first->document);
        put_attribute(out, "file", first->file);
        put_counts(out, &suite);
        for (size_t i = from; i < to; i++)
            put_case(out, &ledger->records[i]);
        fputs("  </testsuite>\n", out);
    }
    fputs("</testsuites>\n", out);
    return EV_OK;
}
