#include "base/error.h"

#include <stdio.h>

ev_status ev_error_set(ev_error *error, ev_status status, const char *format, ...)
{
    if (error == NULL || error->status != EV_OK)
        return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

const char *ev_status_name(ev_status status)
{
    static const char *const names[] = {"ok", "bad input", "unfit", "out of memory",
                                        "input/output failed"};
    return names[status];
}
