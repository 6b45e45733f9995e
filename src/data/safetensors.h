/* Named arrays in one file, in the safetensors format, which NumPy, PyTorch and others open:
 *
 *   8 bytes       length n of the header, little-endian
 *   n bytes       JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [from, to]}, ...,
 *                 "__metadata__": {"key": "text", ...}}, padded with spaces
 *   the values    row-major, little-endian, without gaps
 *
 * Files are untrusted.  Read ones are checked whole before anything of them is handed out: every
 * tensor has the bytes that its shape asks for, none overlap, none are left over, no name stands
 * twice.  Written ones appear whole or not at all (base/draft.h).
 *
 *   const ev_safetensor tensors[] = {ev_safetensor_f32("encoder.0.weight", 2, (size_t[]){500, 784}, w)};
 *   const ev_metadata about[] = {{"step", "1200"}};
 *   status = ev_safetensors_write(path, 1, tensors, 1, about, &error);
 *
 *   ev_safetensors *file;
 *   status = ev_safetensors_read(path, &file, &error);
 *   status = ev_safetensors_take(file, &wanted, EV_FINITE, w, &error);
 *   ev_safetensors_destroy(file);
 */
#ifndef EV_DATA_SAFETENSORS_H
#define EV_DATA_SAFETENSORS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { EV_SAFETENSOR_RANK = 8 };

typedef enum {
    EV_DTYPE_U8,
    EV_DTYPE_I8,
    EV_DTYPE_U16,
    EV_DTYPE_I16,
    EV_DTYPE_U32,
    EV_DTYPE_I32,
    EV_DTYPE_U64,
    EV_DTYPE_I64,
    EV_DTYPE_F32,
    EV_DTYPE_F64,
    EV_DTYPE_COUNT
} ev_dtype;

/* "U8", ..., "F64", as in the file; bytes of one value. */
const char *ev_dtype_name(ev_dtype dtype);
size_t ev_dtype_size(ev_dtype dtype);

/* One array.  Names are UTF-8, not empty, at most 255 bytes. */
typedef struct {
    const char *name;
    ev_dtype dtype;
    size_t rank; /* 0 is a single value */
    size_t shape[EV_SAFETENSOR_RANK];
    const void *data; /* to be written; of a file read: its bytes, which may be unaligned */
} ev_safetensor;

typedef struct {
    const char *key, *value; /* UTF-8; "format" is not special here */
} ev_metadata;

/* An (rank) shaped array of floats. */
ev_safetensor ev_safetensor_f32(const char *name, size_t rank, const size_t *shape,
                                const float *data);
/* Values of a tensor; SIZE_MAX when that overflows. */
size_t ev_safetensor_values(const ev_safetensor *tensor);

/* EV_IO when it can't be written: an older file of that name is then as it was.  EV_BAD_INPUT for
 * names that stand twice or are no UTF-8. */
ev_status ev_safetensors_write(const char *path, size_t count, const ev_safetensor *tensors,
                               size_t pairs, const ev_metadata *metadata, ev_error *error);

typedef struct ev_safetensors ev_safetensors;

/* Read and check a whole file.  EV_BAD_INPUT says what is wrong with it and where; *file is NULL
 * unless EV_OK. */
ev_status ev_safetensors_read(const char *path, ev_safetensors **file, ev_error *error);
/* The same from bytes in memory, of which a copy is kept; name is for messages. */
ev_status ev_safetensors_parse(const char *name, const uint8_t *bytes, size_t length,
                               ev_safetensors **file, ev_error *error);
void ev_safetensors_destroy(ev_safetensors *file);

/* Tensor i, in the file's order, i < count; the tensor of that name or NULL; a text of the metadata
 * or NULL.  All belong to the file. */
size_t ev_safetensors_count(const ev_safetensors *file);
const ev_safetensor *ev_safetensors_at(const ev_safetensors *file, size_t i);
const ev_safetensor *ev_safetensors_find(const ev_safetensors *file, const char *name);
const char *ev_safetensors_metadata(const ev_safetensors *file, const char *key);
/* A whole number of the metadata; EV_BAD_INPUT, in the name of path, when key has none. */
ev_status ev_safetensors_number(const ev_safetensors *file, const char *path, const char *key,
                                uint64_t *number, ev_error *error);

typedef enum {
    EV_ANY_VALUE,
    EV_FINITE /* a NaN or infinity among floats is refused, with its position */
} ev_value_check;

/* Copy the tensor of wanted's name into out, if it is there with wanted's dtype and shape;
 * EV_BAD_INPUT, with both shapes, if not.  wanted->data is not read.  out is written only on
 * EV_OK. */
ev_status ev_safetensors_take(const ev_safetensors *file, const ev_safetensor *wanted,
                              ev_value_check check, void *out, ev_error *error);

#endif
