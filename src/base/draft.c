#define _XOPEN_SOURCE 700 /* realpath */

#include "base/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ev_status refuse(ev_error *error, const ev_draft *draft, int number)
{
    return ev_error_set(error, EV_IO, "can't write to %s: %s", draft->path, strerror(number));
}

/* A file of our own in target's directory, with the permissions that the new file shall have. */
static ev_status open_temporary(ev_draft *draft, const struct stat *old, ev_error *error)
{
    size_t length = strlen(draft->target);
    char *name = malloc(length + 8);
    if (name == NULL)
        return refuse(error, draft, ENOMEM);
    memcpy(name, draft->target, length);
    memcpy(name + length, ".XXXXXX", 8);
    draft->descriptor = mkstemp(name);
    if (draft->descriptor < 0) {
        int number = errno;
        free(name);
        return refuse(error, draft, number);
    }
    draft->temporary = name;
    mode_t mask = umask(0);
    umask(mask);
    mode_t mode = old != NULL ? old->st_mode & 0777 : 0666 & ~mask;
    return fchmod(draft->descriptor, mode) == 0 ? EV_OK : refuse(error, draft, errno);
}

static ev_status open_path(ev_draft *draft, ev_error *error)
{
    struct stat about;
    bool exists = stat(draft->path, &about) == 0;
    if (exists && !S_ISREG(about.st_mode)) {
        draft->descriptor = open(draft->path, O_WRONLY | O_NOCTTY);
        return draft->descriptor < 0 ? refuse(error, draft, errno) : EV_OK;
    }
    draft->target = exists ? realpath(draft->path, NULL) : strdup(draft->path);
    if (draft->target == NULL)
        return refuse(error, draft, errno);
    return open_temporary(draft, exists ? &about : NULL, error);
}

ev_status ev_draft_open(ev_draft *draft, const char *path, ev_error *error)
{
    *draft = (ev_draft){.descriptor = -1, .path = path};
    ev_status status = open_path(draft, error);
    if (status != EV_OK)
        ev_draft_discard(draft);
    return status;
}

ev_status ev_draft_write(ev_draft *draft, const void *bytes, size_t length, ev_error *error)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = write(draft->descriptor, (const char *)bytes + done, length - done);
        if (n < 0 && errno != EINTR)
            return refuse(error, draft, errno);
        done += n > 0 ? (size_t)n : 0;
    }
    return EV_OK;
}

/* 0, or the error's number. */
static int close_descriptor(ev_draft *draft)
{
    int failed = draft->descriptor >= 0 ? close(draft->descriptor) : 0;
    draft->descriptor = -1;
    return failed != 0 ? errno : 0;
}

/* The new name is on the disk only once its folder is.  File systems that can't flush a folder say
 * so with EINVAL; there is nothing to be done about it. */
static int flush_folder(const char *file)
{
    const char *slash = strrchr(file, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(file, (size_t)(slash - file) + 1);
    if (folder == NULL)
        return ENOMEM;
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY);
    free(folder);
    if (descriptor < 0)
        return errno == EACCES ? 0 : errno; /* a folder may be writable and not readable */
    int number = fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
    close(descriptor);
    return number;
}

static int take_name(ev_draft *draft)
{
    if (rename(draft->temporary, draft->target) != 0)
        return errno;
    free(draft->temporary);
    draft->temporary = NULL;
    return flush_folder(draft->target);
}

ev_status ev_draft_commit(ev_draft *draft, ev_error *error)
{
    bool whole = draft->temporary != NULL;
    int number = whole && fsync(draft->descriptor) != 0 ? errno : 0;
    int late = close_descriptor(draft); /* a full disk may only show here */
    number = number == 0 ? late : number;
    if (number == 0 && whole)
        number = take_name(draft);
    ev_status status = number == 0 ? EV_OK : refuse(error, draft, number);
    ev_draft_discard(draft);
    return status;
}

void ev_draft_discard(ev_draft *draft)
{
    close_descriptor(draft);
    if (draft->temporary != NULL)
        unlink(draft->temporary);
    free(draft->temporary);
    free(draft->target);
    *draft = EV_DRAFT_NONE;
}
