#include "train/stop.h"

#include <criterion/criterion.h>
#include <signal.h>

Test(stop, a_signal_is_remembered_until_it_is_forgotten)
{
    struct sigaction action = {.sa_handler = ev_stop_request};
    cr_assert_eq(sigaction(SIGTERM, &action, NULL), 0);
    cr_expect_not(ev_stop_requested());
    raise(SIGTERM);
    cr_expect(ev_stop_requested());
    cr_expect_eq(ev_stop_signal(), SIGTERM);
    ev_stop_clear();
    cr_expect_not(ev_stop_requested());
}
