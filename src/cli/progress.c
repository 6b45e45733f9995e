#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24 };

double ev_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

ev_progress ev_progress_start(ev_colour_choice colour)
{
    const char *term = getenv("TERM");
    bool shown = isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
    ev_progress progress = {ev_style_of(STDERR_FILENO, colour), shown, ev_clock(), 0};
    ev_progress_step(&progress, 0, 0, "");
    return progress;
}

void ev_progress_step(void *context, size_t done, size_t total, const char *claim)
{
    ev_progress *progress = context;
    double now = ev_clock();
    if (!progress->shown || (done != total && now - progress->drawn < 0.1))
        return;
    progress->drawn = now;
    size_t filled = total == 0 ? 0 : done * BAR / total;
    fputs("\r[", stderr);
    ev_paint_set(stderr, &progress->style, EV_GREEN);
    for (size_t i = 0; i < BAR; i++)
        fputs(i >= filled ? " " : progress->style.utf8 ? "\xE2\x96\x88" : "#", stderr);
    ev_paint_set(stderr, &progress->style, EV_PLAIN);
    int used = fprintf(stderr, "] %zu/%zu  %.1f s  ", done, total, now - progress->began);
    size_t taken = BAR + 2 + (used > 0 ? (size_t)used : 0);
    if (claim != NULL && taken < progress->style.width)
        ev_text_put(stderr, &progress->style, claim, progress->style.width - taken - 1);
    fputs("\033[K", stderr);
    fflush(stderr);
}

void ev_progress_end(ev_progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}
