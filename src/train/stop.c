#include "train/stop.h"

#include <signal.h>

static volatile sig_atomic_t last;

void ev_stop_request(int signal) { last = signal; }

bool ev_stop_requested(void) { return last != 0; }

int ev_stop_signal(void) { return last; }

void ev_stop_clear(void) { last = 0; }
