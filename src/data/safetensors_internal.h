/* What the writer and the reader of safetensors share.  Private to this room. */
#ifndef EV_DATA_SAFETENSORS_INTERNAL_H
#define EV_DATA_SAFETENSORS_INTERNAL_H

#include "data/safetensors.h"

enum { EV_TENSOR_PREFIX = 8, EV_TENSOR_NAME = 255 };
/* Bytes of a header, at most: 16 MiB.  Bytes of a file, at most: 64 GiB. */
#define EV_TENSOR_HEADER_LIMIT ((size_t)1 << 24)
#define EV_TENSOR_FILE_LIMIT ((size_t)1 << 36)
#define EV_TENSOR_METADATA "__metadata__"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "values are written and read as they are in memory");

/* Bytes of a tensor's values; SIZE_MAX when that overflows. */
size_t ev_safetensor_bytes(const ev_safetensor *tensor);

#endif
