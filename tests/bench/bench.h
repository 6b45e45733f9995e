/* Shared by the benchmarks: a clock, a formula from its TeX, and a peer in Python.
 *
 * Ours and the peer take turns, and of each the fastest turn counts: what else the machine
 * does can only make a turn slower, and it does so to both. */
#ifndef EV_TESTS_BENCH_BENCH_H
#define EV_TESTS_BENCH_BENCH_H

#include "document/document.h"
#include "formula/program.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds of a clock that only goes forward. */
static inline double bench_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One claim, q = N(mu_q, sigma_q^2) and p = N(mu, sigma^2) in one dimension, as a document
 * prints it.  Members 0 and 1 are the integral and its closed form. */
static const char BENCH_LEMMA[] =
    "Assume $m, \\mu \\in \\mathbb{R}$ and $s, \\sigma \\in \\mathbb{R}_{>0}$. Define\n"
    "$$ q(z) = \\mathcal{N}(z;\\, m, s^2), \\qquad p(z) = \\mathcal{N}(z;\\, \\mu, \\sigma^2). $$\n"
    "\n"
    "<!-- claim: lemma -->\n"
    "$$ \\int q(z)\\log p(z)\\,dz\n"
    "   = -\\tfrac12\\log(2\\pi\\sigma^2) - \\frac{s^2 + (m-\\mu)^2}{2\\sigma^2} $$\n";

enum { BENCH_INPUTS = 4, BENCH_WORDS = 256 };

typedef struct {
    double m, s, mu, sigma;
} bench_point;

typedef struct {
    ev_document *document;
    ev_case *instance;
    ev_program *program; /* the roots: member 0, and member 1 if both were asked for */
} bench_formula;

/* Parse, fix the (absent) integers, compile the first n members.  Ends the program on failure. */
static inline bench_formula bench_lemma(size_t n)
{
    bench_formula f = {NULL, NULL, NULL};
    ev_error error = EV_ERROR_NONE;
    ev_node roots[2] = {0, 0};
    ev_status status = ev_document_parse("lemma.md", BENCH_LEMMA, strlen(BENCH_LEMMA), &f.document,
                                         &error);
    if (status == EV_OK) {
        long *integers = calloc(f.document->table->symbol_count + 1, sizeof *integers);
        status = integers == NULL ? EV_NO_MEMORY
                                  : ev_case_create(&f.document->claims[0].formula, integers,
                                                   &f.instance, &error);
        free(integers);
    }
    if (status == EV_OK) {
        for (size_t i = 0; i < n; i++)
            roots[i] = f.instance->members[i][0];
        status = ev_program_compile(f.instance->graph, n, roots, &f.program, &error);
    }
    if (status != EV_OK) {
        fprintf(stderr, "%s: %s\n", ev_status_name(status), error.message);
        exit(3);
    }
    return f;
}

static inline void bench_lemma_free(bench_formula *f)
{
    ev_program_destroy(f->program);
    ev_case_destroy(f->instance);
    ev_document_destroy(f->document);
}

/* inputs: (BENCH_INPUTS), each symbol's value where the case wants it. */
static inline void bench_lemma_inputs(const bench_formula *f, const bench_point *at, double *inputs)
{
    const struct {
        const char *name;
        double value;
    } values[] = {{"m", at->m}, {"s", at->s}, {"\\mu", at->mu}, {"\\sigma", at->sigma}};
    for (size_t i = 0; i < f->instance->slot_count; i++)
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            const ev_slot *slot = &f->instance->slots[i];
            if (strcmp(f->document->table->symbols[slot->symbol].name, values[k].name) == 0)
                inputs[slot->first] = values[k].value;
        }
}

static inline double bench_closed_form(const bench_point *at)
{
    double d = at->m - at->mu, var = at->sigma * at->sigma;
    return -0.5 * log(2 * 3.14159265358979323846 * var) - (at->s * at->s + d * d) / (2 * var);
}

/* Run tests/bench/NAME.py ARGUMENT: it prints `count` numbers and then, on the same line, in words
 * what was measured: how (BENCH_WORDS).  False when there is no Python with NumPy and SciPy, or it
 * failed. */
static inline bool bench_peer(const char *name, size_t argument, size_t count, double *figures,
                              char *how)
{
    char command[512], line[BENCH_WORDS];
    const char *python = getenv("EV_PYTHON");
    if (python == NULL || *python == '\0')
        return false;
    snprintf(command, sizeof command, "\"$EV_PYTHON\" '%s/tests/bench/%s.py' %zu", EV_SOURCE_DIR,
             name, argument);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return false;
    bool got = fgets(line, sizeof line, pipe) != NULL;
    if (pclose(pipe) != 0 || !got)
        return false;
    char *at = line;
    for (size_t i = 0; i < count; i++) {
        char *end;
        figures[i] = strtod(at, &end);
        if (end == at)
            return false;
        at = end;
    }
    at[strcspn(at, "\n")] = '\0';
    snprintf(how, BENCH_WORDS, "%s", at + strspn(at, " "));
    return true;
}

/* Print a ratio beside its target; returns whether it was met. */
static inline bool bench_target(const char *what, double ratio, double target)
{
    bool met = ratio >= target;
    printf("  %-27s%8.1f   (target: at least %g, %s)\n", what, ratio, target,
           met ? "met" : "missed");
    return met;
}

#endif
