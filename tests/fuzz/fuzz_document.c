/* Any bytes make a document or an error with a place inside them; nothing else. */
#include "document/document.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(const uint8_t *data, size_t size)
{
    size_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ev_document *document = NULL;
    ev_error error = EV_ERROR_NONE;
    ev_status status = ev_document_parse("fuzz.md", (const char *)data, size, &document, &error);
    if (status == EV_OK) {
        if (document == NULL || error.status != EV_OK)
            abort();
    } else {
        size_t lines = count_lines(data, size);
        bool placed = error.line <= lines && (error.line == 0 || error.column > 0);
        if (document != NULL || error.status != status || error.message[0] == '\0' || !placed)
            abort();
        if (error.line > 0 && strcmp(error.file, "fuzz.md") != 0)
            abort();
    }
    ev_document_destroy(document);
    return 0;
}
