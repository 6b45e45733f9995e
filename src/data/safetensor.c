#include "data/safetensors_internal.h"

static const struct {
    const char *name;
    size_t size;
} dtypes[EV_DTYPE_COUNT] = {
    [EV_DTYPE_U8] = {"U8", 1},   [EV_DTYPE_I8] = {"I8", 1},   [EV_DTYPE_U16] = {"U16", 2},
    [EV_DTYPE_I16] = {"I16", 2}, [EV_DTYPE_U32] = {"U32", 4}, [EV_DTYPE_I32] = {"I32", 4},
    [EV_DTYPE_U64] = {"U64", 8}, [EV_DTYPE_I64] = {"I64", 8}, [EV_DTYPE_F32] = {"F32", 4},
    [EV_DTYPE_F64] = {"F64", 8},
};

const char *ev_dtype_name(ev_dtype dtype) { return dtypes[dtype].name; }
size_t ev_dtype_size(ev_dtype dtype) { return dtypes[dtype].size; }

ev_safetensor ev_safetensor_f32(const char *name, size_t rank, const size_t *shape,
                                const float *data)
{
    ev_safetensor tensor = {.name = name, .dtype = EV_DTYPE_F32, .rank = rank, .data = data};
    for (size_t i = 0; i < rank && i < EV_SAFETENSOR_RANK; i++)
        tensor.shape[i] = shape[i];
    return tensor;
}

/* Saturating, but 0 when some size is 0. */
static size_t product(size_t count, const size_t *sizes, size_t start)
{
    size_t result = start;
    for (size_t i = 0; i < count; i++)
        if (sizes[i] == 0)
            return 0;
    for (size_t i = 0; i < count; i++)
        result = result > SIZE_MAX / sizes[i] ? SIZE_MAX : result * sizes[i];
    return result;
}

size_t ev_safetensor_values(const ev_safetensor *tensor)
{
    return product(tensor->rank, tensor->shape, 1);
}

size_t ev_safetensor_bytes(const ev_safetensor *tensor)
{
    return product(tensor->rank, tensor->shape, ev_dtype_size(tensor->dtype));
}
