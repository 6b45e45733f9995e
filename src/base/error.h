/* Statuses and error reports.
 *
 * Every fallible function in src/ returns an ev_status and, where there is
 * something to say, fills an ev_error that its caller owns.  Nothing below
 * src/cli/ prints or exits.
 *
 *   ev_error error = EV_ERROR_NONE;
 *   if (ev_document_read("a.md", &document, &error) != EV_OK)
 *       fprintf(stderr, "%s:%zu:%zu: %s\n", error.file, error.line, error.column, error.message);
 */
#ifndef EV_BASE_ERROR_H
#define EV_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

typedef enum {
    EV_OK = 0,
    EV_BAD_INPUT, /* the document or the command line is wrong: exit status 2 */
    EV_UNFIT,     /* an integrator, sampler or domain can't give a number: VOID or VACUOUS */
    EV_NO_MEMORY, /* the machine failed us: exit status 3 */
    EV_IO         /* the machine failed us: exit status 3 */
} ev_status;

typedef struct {
    ev_status status;
    char file[256];    /* empty when there is no place */
    size_t line;       /* 1-based; 0 when unknown */
    size_t column;     /* 1-based, in bytes */
    size_t length;     /* bytes to underline; 0 is taken as 1 */
    char excerpt[256]; /* the source line, for the caret; may be empty */
    char message[512];
} ev_error;

#define EV_ERROR_NONE ((ev_error){.status = EV_OK})

/* Record status and message; returns status.  The first report stays: a later
 * one on the same ev_error is ignored.  error may be NULL. */
ev_status ev_error_set(ev_error *error, ev_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "ok", "bad input", "unfit", "out of memory", "input/output failed". */
const char *ev_status_name(ev_status status);

#endif
