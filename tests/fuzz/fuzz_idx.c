/* Any bytes make an array of the size that its header says, or an error with the file's name. */
#include "data/idx.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t rank = 1; rank <= EV_IDX_RANK; rank += 2) {
        ev_idx idx;
        ev_error error = EV_ERROR_NONE;
        ev_status status = ev_idx_parse("fuzz", data, size, rank, &idx, &error);
        if (status == EV_OK) {
            size_t product = 1;
            for (size_t i = 0; i < rank; i++)
                product *= idx.shape[i];
            if (idx.rank != rank || product != idx.size || idx.values == NULL ||
                error.status != EV_OK)
                abort();
        } else if (idx.values != NULL || error.status != status || error.message[0] == '\0' ||
                   (status == EV_BAD_INPUT && strcmp(error.file, "fuzz") != 0)) {
            abort();
        }
        ev_idx_free(&idx);
    }
    return 0;
}
