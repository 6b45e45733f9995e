/* The documents of tests/documents, which no shipped derivation was made from: each step must get
 * the verdict, and each refused document the place and the words, that verdicts.tsv wants.
 *   FILE  CLAIM[@STEP]  VERDICT
 *   FILE  refused       LINE:COLUMN  WORDS */
#include "program.h"

#include <glob.h>
#include <jansson.h>

TestSuite(documents, .timeout = 300);

enum { MOST_ROWS = 512 };

typedef struct {
    char *file, *step, *verdict, *words;
    size_t met;
} row;

static row rows[MOST_ROWS];
static size_t row_count;

static char *next_field(char **at)
{
    char *field = *at;
    if (field == NULL)
        return NULL;
    *at = strpbrk(field, "\t");
    if (*at != NULL)
        *(*at)++ = '\0';
    return field;
}

static void read_rows(void)
{
    row_count = 0;
    char *text = program_slurp(EV_SOURCE_DIR "/tests/documents/verdicts.tsv"); /* kept */
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        row *r = &rows[row_count++];
        cr_assert_lt(row_count, MOST_ROWS);
        *r = (row){next_field(&line), next_field(&line), next_field(&line), next_field(&line), 0};
        cr_assert_not_null(r->verdict, "%s", r->file);
    }
}

static row *row_of(const char *file, const char *step)
{
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].file, file) == 0 && strcmp(rows[i].step, step) == 0)
            return &rows[i];
    return NULL;
}

static glob_t files_of(const char *pattern)
{
    glob_t found;
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "%s", pattern);
    return found;
}

static const char *name_of(const char *path) { return strrchr(path, '/') + 1; }

static void expect_step(const char *file, const char *line)
{
    json_error_t error;
    json_t *o = json_loads(line, 0, &error);
    cr_assert_not_null(o, "%s: %s", file, error.text);
    char step[128];
    json_int_t number = json_integer_value(json_object_get(o, "step"));
    snprintf(step, sizeof step, "%s", json_string_value(json_object_get(o, "claim")));
    if (number > 0)
        snprintf(step + strlen(step), sizeof step - strlen(step), "@%d", (int)number);
    row *r = row_of(file, step);
    cr_assert_not_null(r, "%s: %s has no row", file, step);
    const char *verdict = json_string_value(json_object_get(o, "verdict"));
    cr_expect_str_eq(verdict, r->verdict, "%s: %s is %s, not %s", file, step, verdict, r->verdict);
    r->met++;
    json_decref(o);
}

Test(documents, every_step_has_exactly_its_verdict)
{
    read_rows();
    glob_t found = files_of(EV_SOURCE_DIR "/tests/documents/*.md");
    cr_expect_geq(found.gl_pathc, 40);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *file = name_of(found.gl_pathv[i]);
        if (row_of(file, "refused") != NULL)
            continue;
        char command[512];
        snprintf(command, sizeof command,
                 "'%s' check --effort quick --format jsonl '%s' 2>/dev/null", EV_PROGRAM,
                 found.gl_pathv[i]);
        FILE *pipe = popen(command, "r");
        static char line[1 << 16];
        cr_assert_not_null(pipe);
        while (fgets(line, sizeof line, pipe) != NULL)
            expect_step(file, line);
        cr_expect_leq(program_status(pclose(pipe)), 1, "%s", file);
    }
    globfree(&found);
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].step, "refused") != 0)
            cr_expect_eq(rows[i].met, 1, "%s: %s met %zu times", rows[i].file, rows[i].step,
                         rows[i].met);
}

Test(documents, what_is_refused_is_refused_at_its_place)
{
    read_rows();
    size_t refused = 0;
    for (size_t i = 0; i < row_count; i++) {
        const row *r = &rows[i];
        char command[512], place[160], said[2048];
        if (strcmp(r->step, "refused") != 0)
            continue;
        snprintf(command, sizeof command, "'%s' check '%s/tests/documents/%s' 2>&1 >/dev/null",
                 EV_PROGRAM, EV_SOURCE_DIR, r->file);
        FILE *pipe = popen(command, "r");
        cr_assert_not_null(pipe);
        said[fread(said, 1, sizeof said - 1, pipe)] = '\0';
        cr_expect_eq(program_status(pclose(pipe)), 2, "%s", r->file);
        snprintf(place, sizeof place, "%s:%s: error: %s", r->file, r->verdict, r->words);
        cr_expect_not_null(strstr(said, place), "%s is not in:\n%s", place, said);
        refused++;
    }
    cr_expect_geq(refused, 8);
}

/* One verdict of each kind occurs, and where a line is false it is one line among true ones. */
Test(documents, all_six_verdicts_occur)
{
    static const char *const verdicts[] = {"HOLDS",   "REFUTED", "UNDECIDED",
                                           "VACUOUS", "VOID",    "SKIPPED"};
    read_rows();
    for (size_t k = 0; k < sizeof verdicts / sizeof *verdicts; k++) {
        size_t n = 0;
        for (size_t i = 0; i < row_count; i++)
            n += strcmp(rows[i].verdict, verdicts[k]) == 0;
        cr_expect_gt(n, 0, "%s", verdicts[k]);
    }
}
