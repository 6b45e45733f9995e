/* A folder of a test's own, which is the current one while the test runs. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_folder[64];

static inline void scratch_setup(void)
{
    strcpy(scratch_folder, "/tmp/evidence-test-XXXXXX");
    cr_assert_not_null(mkdtemp(scratch_folder));
    cr_assert_eq(chdir(scratch_folder), 0);
}

static inline void scratch_teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch_folder);
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(system(command), 0);
}

/* The bytes of a file, with a zero after them; *length unless NULL. */
static inline char *scratch_slurp(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    size_t used = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    for (size_t n; (n = fread(text + used, 1, capacity - used - 1, file)) > 0;) {
        used += n;
        if (capacity - used < 4096)
            text = realloc(text, capacity *= 2);
    }
    text[used] = '\0';
    fclose(file);
    if (length != NULL)
        *length = used;
    return text;
}

static inline void scratch_spill(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, length, file), length);
    cr_assert_eq(fclose(file), 0);
}

#endif
