/* What a running C module is made of: shared by check.c and check_value.c only. */
#ifndef EV_JUDGE_CHECK_STATE_H
#define EV_JUDGE_CHECK_STATE_H

#include "judge/check_run.h"

/* The second voice on one record, as it builds up. */
typedef struct {
    bool decided; /* a statement */
    bool undecided;
    size_t points;
    double digits;
    size_t sides_agree, sides_differ;
    const char *disagreement; /* NULL: none */
    const char *unprinted;    /* why a statement is not the one that was decided; NULL: it is */
} ev_check_voice;

/* A claim's case at some integers, with one program a member; kept, since modules ask again. */
typedef struct {
    const ev_claim *claim;
    long *integers;
    ev_case *instance;
    struct ev_program **programs;
} ev_check_case;

struct ev_check {
    ev_check_job *job;
    ev_check_voice *voices; /* one a record */
    ev_check_case *cases;
    size_t case_count, case_capacity;
    const char *broken; /* first misuse: makes the check VOID */
    bool out_of_memory;
    uint32_t values_asked;
};

/* The first reason stays. */
void ev_check_break(ev_check *check, const char *reason);
const ev_claim *ev_check_claim(const ev_check *check, const char *id);
void ev_check_free_cases(ev_check *check);

#endif
