#include "base/file_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ev_status ev_file_refuse(ev_error *error, const char *file, const char *format, ...)
{
    if (error == NULL || error->status != EV_OK)
        return EV_BAD_INPUT;
    error->status = EV_BAD_INPUT;
    snprintf(error->file, sizeof error->file, "%s", file);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return EV_BAD_INPUT;
}

/* What the user named wrongly is bad input; what the machine can't read is its failure. */
static ev_status refuse_open(ev_error *error, const char *path, int number)
{
    if (number == ENOENT || number == ENOTDIR || number == EACCES || number == ENAMETOOLONG ||
        number == ELOOP)
        return ev_file_refuse(error, path, "can't open: %s", strerror(number));
    return ev_error_set(error, EV_IO, "can't open %s: %s", path, strerror(number));
}

/* Up to *length bytes; a file that shrinks meanwhile gives fewer. */
static ev_status read_all(int descriptor, const char *path, uint8_t *bytes, size_t *length,
                          ev_error *error)
{
    size_t done = 0;
    while (done < *length) {
        ssize_t n = read(descriptor, bytes + done, *length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ev_error_set(error, EV_IO, "can't read %s: %s", path, strerror(errno));
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *length = done;
    return EV_OK;
}

static ev_status read_open(int descriptor, const char *path, size_t limit, uint8_t **bytes,
                           size_t *length, ev_error *error)
{
    struct stat about;
    if (fstat(descriptor, &about) != 0)
        return refuse_open(error, path, errno);
    if (!S_ISREG(about.st_mode))
        return ev_file_refuse(error, path, "not a file but a %s",
                              S_ISDIR(about.st_mode) ? "folder" : "device or pipe");
    if (about.st_size < 0 || (uintmax_t)about.st_size > limit)
        return ev_file_refuse(error, path, "%jd bytes long; at most %zu are read",
                              (intmax_t)about.st_size, limit);
    *length = (size_t)about.st_size;
    *bytes = malloc(*length + 1);
    if (*bytes == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "no memory for %s (%zu bytes)", path, *length);
    ev_status status = read_all(descriptor, path, *bytes, length, error);
    (*bytes)[*length] = 0;
    if (status != EV_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return status;
}

ev_status ev_file_bytes(const char *path, size_t limit, uint8_t **bytes, size_t *length,
                        ev_error *error)
{
    *bytes = NULL;
    *length = 0;
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0)
        return refuse_open(error, path, errno);
    ev_status status = read_open(descriptor, path, limit, bytes, length, error);
    close(descriptor);
    return status;
}
