/* A whole file in memory, for the readers of untrusted input. */
#ifndef EV_BASE_FILE_BYTES_H
#define EV_BASE_FILE_BYTES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* *bytes on the heap, with a zero after the last.  EV_BAD_INPUT when there is no such file, when it is a folder or a device, or
 * larger than limit; EV_IO when reading fails. */
ev_status ev_file_bytes(const char *path, size_t limit, uint8_t **bytes, size_t *length,
                        ev_error *error);

/* EV_BAD_INPUT at a file, with a message. */
ev_status ev_file_refuse(ev_error *error, const char *file, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
