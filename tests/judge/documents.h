/* Small documents judged from memory. */
#ifndef EV_TESTS_JUDGE_DOCUMENTS_H
#define EV_TESTS_JUDGE_DOCUMENTS_H

#include "judge/judge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* One claim: declarations, its comment's keys beside the id, and its display. */
#define DOCUMENT(assumptions, keys, display) \
    "# A test\n\n" assumptions "\n\n<!-- claim: it" keys " -->\n$$\n" display "\n$$\n"

static inline ev_document *document_parse(const char *text)
{
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_document_parse("a_test.md", text, strlen(text), &document, &error);
    cr_assert_eq(status, EV_OK, "%zu:%zu: %s", error.line, error.column, error.message);
    return document;
}

static inline ev_ledger *document_judge(const char *text, const ev_check_entry *checks,
                                        ev_judge_options options)
{
    ev_document *document = document_parse(text);
    ev_ledger *ledger = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_judge_documents(&document, 1, checks, &options, &ledger, &error);
    cr_assert_eq(status, EV_OK, "%zu:%zu: %s", error.line, error.column, error.message);
    ev_document_destroy(document);
    return ledger;
}

static inline ev_judge_options quick_options(void)
{
    ev_judge_options options = EV_JUDGE_DEFAULTS;
    options.effort = EV_EFFORT_QUICK;
    options.threads = 1;
    return options;
}

static inline ev_ledger *document_judge_quickly(const char *text)
{
    return document_judge(text, NULL, quick_options());
}

#define cr_assert_record(ledger, index, wanted)                                         \
    do {                                                                                \
        cr_assert_gt((ledger)->count, (size_t)(index));                                 \
        const ev_record *record_ = &(ledger)->records[index];                           \
        cr_assert_eq(record_->verdict, (wanted), "%s@%zu is %s instead of %s: %s [%s]", \
                     record_->claim, record_->step, ev_verdict_name(record_->verdict),  \
                     ev_verdict_name(wanted), record_->reason, record_->witness);       \
    } while (0)

#endif
