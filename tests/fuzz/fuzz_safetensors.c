/* Any bytes make tensors that lie inside the file and can be taken, or an error with its name. */
#include "data/safetensors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every value is read, so that a sanitizer sees where it lies. */
static void take_all(const ev_safetensors *file, size_t size)
{
    size_t total = 0;
    for (size_t i = 0; i < ev_safetensors_count(file); i++) {
        const ev_safetensor *tensor = ev_safetensors_at(file, i);
        size_t bytes = ev_safetensor_values(tensor) * ev_dtype_size(tensor->dtype);
        void *out = malloc(bytes + 1);
        ev_error error = EV_ERROR_NONE;
        ev_status status = ev_safetensors_take(file, tensor, EV_FINITE, out, &error);
        if (ev_safetensors_find(file, tensor->name) != tensor || (total += bytes) > size ||
            (status != EV_OK && strstr(error.message, "is not finite") == NULL))
            abort();
        free(out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ev_safetensors *file;
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_safetensors_parse("fuzz", data, size, &file, &error);
    if (status == EV_OK)
        take_all(file, size);
    else if (file != NULL || error.status != EV_BAD_INPUT || error.message[0] == '\0' ||
             strcmp(error.file, "fuzz") != 0)
        abort();
    ev_safetensors_destroy(file);
    return 0;
}
