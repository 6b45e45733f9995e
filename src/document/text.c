#include "document/text.h"

#include "document/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { READ_SIZE = 1 << 16 };

static ev_status refuse_file(ev_error *error, const char *file, ev_status status, const char *why)
{
    if (error != NULL && error->status == EV_OK)
        snprintf(error->file, sizeof error->file, "%s", file);
    return ev_error_set(error, status, "%s", why);
}

/* The length of the last, unfinished line once more bytes have come. */
static size_t open_line(size_t before, const char *bytes, size_t count)
{
    for (size_t i = count; i > 0; i--)
        if (bytes[i - 1] == '\n' || bytes[i - 1] == '\r')
            return count - i;
    return before + count;
}

static ev_status read_stream(FILE *stream, const char *file, char **bytes, size_t *length,
                             ev_error *error)
{
    size_t capacity = 0, line = 0, got;
    do {
        if (capacity - *length < READ_SIZE) {
            capacity = capacity == 0 ? READ_SIZE : 2 * capacity;
            char *grown = realloc(*bytes, capacity);
            if (grown == NULL)
                return refuse_file(error, file, EV_NO_MEMORY, "not enough memory to read it");
            *bytes = grown;
        }
        got = fread(*bytes + *length, 1, READ_SIZE, stream);
        line = open_line(line, *bytes + *length, got);
        *length += got;
    } while (got > 0 && *length <= EV_TEXT_LIMIT && line <= EV_LINE_LIMIT);
    if (ferror(stream))
        return refuse_file(error, file, errno == EISDIR ? EV_BAD_INPUT : EV_IO,
                           errno == EISDIR ? "it is a directory" : "reading it failed");
    return EV_OK;
}

ev_status ev_text_load(const char *file, char **bytes, size_t *length, ev_error *error)
{
    *bytes = NULL;
    *length = 0;
    struct stat about;
    if (stat(file, &about) != 0)
        return refuse_file(error, file, EV_BAD_INPUT, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return refuse_file(error, file, EV_BAD_INPUT, "it is a directory");
    if (S_ISREG(about.st_mode) && about.st_size > EV_TEXT_LIMIT)
        return refuse_file(error, file, EV_BAD_INPUT, "it is larger than 16 MiB");
    FILE *stream = fopen(file, "rb");
    if (stream == NULL)
        return refuse_file(error, file, EV_BAD_INPUT, strerror(errno));
    ev_status status = read_stream(stream, file, bytes, length, error);
    fclose(stream);
    if (status != EV_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return status;
}

/* UTF-8 by the table of well-formed byte sequences: shortest form, no surrogates. */
static size_t utf8_length(const unsigned char *b, size_t length)
{
    size_t n = b[0] < 0x80   ? 1
               : b[0] < 0xC2 ? 0
               : b[0] < 0xE0 ? 2
               : b[0] < 0xF0 ? 3
               : b[0] < 0xF5 ? 4
                             : 0;
    if (n == 0 || n > length)
        return 0;
    if (n >= 2) {
        unsigned char low = b[0] == 0xE0 ? 0xA0 : b[0] == 0xF0 ? 0x90 : 0x80;
        unsigned char high = b[0] == 0xED ? 0x9F : b[0] == 0xF4 ? 0x8F : 0xBF;
        if (b[1] < low || b[1] > high)
            return 0;
    }
    for (size_t i = 2; i < n; i++)
        if ((b[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

size_t ev_text_character(const char *bytes, size_t length)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (length == 0)
        return 0;
    size_t n = utf8_length(b, length);
    bool control = (n == 1 && (b[0] < 0x20 || b[0] == 0x7F)) ||
                   (n == 2 && b[0] == 0xC2 && b[1] < 0xA0);
    return control ? 0 : n;
}

static ev_status refuse_byte(ev_error *error, const ev_span *place)
{
    unsigned char byte = (unsigned char)place->text[0];
    if (byte == 0)
        return ev_place_error(error, place, "a zero byte: this is not plain text");
    if (byte < 0x80)
        return ev_place_error(error, place,
                              "a control character (byte 0x%02x): this is not plain text", byte);
    return ev_place_error(error, place, "byte 0x%02x begins no printable UTF-8 character", byte);
}

/* Copy to out, which has room for length + 2 bytes. */
static ev_status clean_lines(const char *file, const char *bytes, size_t length, char *out,
                             size_t *out_length, ev_error *error)
{
    size_t used = 0, line = 1, line_start = 0;
    for (size_t i = 0; i < length;) {
        ev_span here = {bytes + i, 1, line, used - line_start + 1, file};
        size_t n = ev_text_character(bytes + i, length - i);
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            i += bytes[i] == '\r' && i + 1 < length && bytes[i + 1] == '\n' ? 2 : 1;
            out[used++] = '\n';
            line++;
            line_start = used;
            continue;
        }
        if (n == 0 && bytes[i] != '\t') {
            const char *newline = memchr(bytes + i, '\n', length - i);
            size_t before = used - line_start;
            size_t rest = newline == NULL ? length - i : (size_t)(newline - (bytes + i));
            refuse_byte(error, &here);
            ev_error_show(error, bytes + i - before, before + rest);
            return EV_BAD_INPUT;
        }
        n = n == 0 ? 1 : n;
        memcpy(out + used, bytes + i, n);
        used += n;
        i += n;
        if (used - line_start > EV_LINE_LIMIT) {
            ev_span whole = {out + line_start, 1, line, 1, file};
            ev_place_error(error, &whole, "the line is longer than 1 MiB");
            ev_error_show(error, out + line_start, used - line_start);
            return EV_BAD_INPUT;
        }
    }
    if (used > line_start)
        out[used++] = '\n';
    out[used] = '\0';
    *out_length = used;
    return EV_OK;
}

ev_status ev_text_clean(const char *file, const char *bytes, size_t length, ev_arena *arena,
                        const char **text, size_t *text_length, ev_error *error)
{
    if (length > EV_TEXT_LIMIT)
        return refuse_file(error, file, EV_BAD_INPUT, "it is larger than 16 MiB");
    if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        bytes += 3;
        length -= 3;
    }
    char *out = ev_arena_array(arena, length + 2, 1);
    if (out == NULL)
        return refuse_file(error, file, EV_NO_MEMORY, "not enough memory to read it");
    ev_status status = clean_lines(file, bytes, length, out, text_length, error);
    if (status == EV_OK && strspn(out, " \t\n") == *text_length)
        status = refuse_file(error, file, EV_BAD_INPUT, "the file is empty");
    *text = out;
    return status;
}
