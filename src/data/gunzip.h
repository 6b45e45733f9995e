/* Gzipped bytes, unpacked no further than asked.  Private to this room. */
#ifndef EV_DATA_GUNZIP_H
#define EV_DATA_GUNZIP_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Do the bytes begin as a gzip file does? */
bool ev_gzip_begins(const uint8_t *bytes, size_t length);

typedef struct ev_gunzip ev_gunzip;

/* Unpack from bytes, which stay the caller's.  name is for messages.  EV_NO_MEMORY is the only way
 * to fail. */
ev_status ev_gunzip_begin(ev_gunzip **gunzip, const char *name, const uint8_t *bytes, size_t length,
                          ev_error *error);
/* The next bytes into out, at most `wanted`; *got is less only at the end of the file, which then
 * has the right length and checksum.  EV_BAD_INPUT, with the compressed byte, when the file is
 * damaged or ends early. */
ev_status ev_gunzip_read(ev_gunzip *gunzip, uint8_t *out, size_t wanted, size_t *got,
                         ev_error *error);
void ev_gunzip_end(ev_gunzip *gunzip);

#endif
