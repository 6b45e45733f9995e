#include "data/safetensors.h"

#include "scratch.h"

#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

TestSuite(safetensors, .init = scratch_setup, .fini = scratch_teardown);

static const float weight[6] = {1, -2.5f, 3, 1e-30f, 5, 6};
static const double moment[2] = {0.1, -1e300};
static const uint64_t state = UINT64_C(0x0123456789abcdef);

static ev_status write_small(const char *path, ev_error *error)
{
    const ev_safetensor tensors[] = {
        ev_safetensor_f32("encoder.0.weight", 2, (size_t[]){2, 3}, weight),
        {.name = "moment", .dtype = EV_DTYPE_F64, .rank = 1, .shape = {2}, .data = moment},
        {.name = "nothing", .dtype = EV_DTYPE_F32, .rank = 2, .shape = {0, 7}},
        {.name = "state \"\xc3\xa9\"", .dtype = EV_DTYPE_U64, .data = &state}};
    const ev_metadata metadata[] = {{"step", "1200"}, {"model", "gmvae"}};
    return ev_safetensors_write(path, 4, tensors, 2, metadata, error);
}

/* A file of this header, padded as asked, and n bytes of values, counting up from 0. */
static ev_status parse(const char *header, size_t n, ev_safetensors **file, ev_error *error)
{
    uint8_t bytes[4096] = {0};
    uint64_t length = strlen(header);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < n; i++)
        bytes[8 + length + i] = (uint8_t)i;
    *error = EV_ERROR_NONE;
    return ev_safetensors_parse("f", bytes, 8 + length + n, file, error);
}

static void refuse(const char *header, size_t n, const char *piece)
{
    ev_safetensors *file;
    ev_error error;
    cr_assert_eq(parse(header, n, &file, &error), EV_BAD_INPUT, "%s", header);
    cr_expect_not_null(strstr(error.message, piece), "no \"%s\" in: %s", piece, error.message);
    cr_expect_str_eq(error.file, "f");
    cr_expect_null(file);
}

Test(safetensors, what_is_written_is_read_back_bit_by_bit)
{
    ev_error error = EV_ERROR_NONE;
    ev_safetensors *file;
    cr_assert_eq(write_small("s", &error), EV_OK, "%s", error.message);
    cr_assert_eq(ev_safetensors_read("s", &file, &error), EV_OK, "%s", error.message);
    cr_expect_eq(ev_safetensors_count(file), 4);
    cr_expect_str_eq(ev_safetensors_metadata(file, "step"), "1200");
    cr_expect_null(ev_safetensors_metadata(file, "other"));
    cr_expect_str_eq(ev_safetensors_at(file, 3)->name, "state \"\xc3\xa9\"");
    float w[6];
    double m[2];
    uint64_t s;
    ev_safetensor wanted = ev_safetensor_f32("encoder.0.weight", 2, (size_t[]){2, 3}, NULL);
    cr_assert_eq(ev_safetensors_take(file, &wanted, EV_FINITE, w, &error), EV_OK);
    cr_expect_eq(memcmp(w, weight, sizeof w), 0);
    wanted = (ev_safetensor){.name = "moment", .dtype = EV_DTYPE_F64, .rank = 1, .shape = {2}};
    cr_assert_eq(ev_safetensors_take(file, &wanted, EV_FINITE, m, &error), EV_OK);
    cr_expect_eq(memcmp(m, moment, sizeof m), 0);
    wanted = (ev_safetensor){.name = "state \"\xc3\xa9\"", .dtype = EV_DTYPE_U64};
    cr_assert_eq(ev_safetensors_take(file, &wanted, EV_FINITE, &s, &error), EV_OK);
    cr_expect_eq(s, state);
    ev_safetensors_destroy(file);
}

/* The format's own description, followed with struct and json. */
static const char python[] =
    "import json, struct, sys\n"
    "b = open('s', 'rb').read()\n"
    "n, = struct.unpack('<Q', b[:8])\n"
    "assert (8 + n) % 8 == 0 and b[8:9] == b'{'\n"
    "h = json.loads(b[8:8 + n].decode('utf-8'))\n"
    "d = b[8 + n:]\n"
    "assert h.pop('__metadata__') == {'step': '1200', 'model': 'gmvae'}\n"
    "f = {'F32': 'f', 'F64': 'd', 'U64': 'Q'}\n"
    "end = 0\n"
    "for name, t in sorted(h.items(), key=lambda i: i[1]['data_offsets']):\n"
    "    a, z = t['data_offsets']\n"
    "    assert a == end\n"
    "    end = z\n"
    "    size = struct.calcsize('<' + f[t['dtype']])\n"
    "    print(name, t['dtype'], t['shape'],\n"
    "          struct.unpack('<%d%s' % ((z - a) // size, f[t['dtype']]), d[a:z]))\n"
    "assert end == len(d)\n";

Test(safetensors, python_reads_what_is_written)
{
    if (system("python3 -c '' 2>/dev/null") != 0)
        cr_skip_test("no python3");
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(write_small("s", &error), EV_OK);
    scratch_spill("read.py", python, strlen(python));
    cr_assert_eq(system("PYTHONIOENCODING=utf-8 python3 read.py >out 2>&1"), 0, "%s",
                 scratch_slurp("out", NULL));
    char *out = scratch_slurp("out", NULL);
    cr_expect_not_null(strstr(out, "encoder.0.weight F32 [2, 3] (1.0, -2.5, 3.0, "), "%s", out);
    cr_expect_not_null(strstr(out, "moment F64 [2] (0.1, -1e+300)\n"), "%s", out);
    cr_expect_not_null(strstr(out, "nothing F32 [0, 7] ()\n"), "%s", out);
    cr_expect_not_null(strstr(out, "state \"\xc3\xa9\" U64 [] (81985529216486895,)\n"), "%s", out);
    free(out);
}

Test(safetensors, a_file_written_by_others_is_read)
{
    ev_safetensors *file;
    ev_error error;
    cr_assert_eq(parse("{\"b\":{\"data_offsets\":[2,4],\"shape\":[2,1],\"dtype\":\"U8\"},"
                       "\"a\":{\"dtype\":\"I16\",\"shape\":[],\"data_offsets\":[0,2]}}  ",
                       4, &file, &error),
                 EV_OK, "%s", error.message);
    cr_expect_eq(((const uint8_t *)ev_safetensors_find(file, "b")->data)[1], 3);
    cr_expect_null(ev_safetensors_find(file, "c"));
    ev_safetensors_destroy(file);
}

#define ENTRY(name, dtype, shape, from, to)                                                        \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]" \
    "}"

Test(safetensors, offsets_that_overlap_leave_gaps_or_reach_outside_are_refused)
{
    refuse("{" ENTRY("a", "U8", "[4]", "0", "4") "," ENTRY("b", "U8", "[4]", "2", "6") "}", 6,
           "'b' begins at data_offsets 2, inside the tensor that ends at 4");
    refuse("{" ENTRY("a", "U8", "[4]", "0", "4") "," ENTRY("b", "U8", "[4]", "0", "4") "}", 4,
           "begins at data_offsets 0, inside the tensor that ends at 4");
    refuse("{" ENTRY("a", "U8", "[4]", "0", "4") "," ENTRY("b", "U8", "[1]", "5", "6") "}", 6,
           "'b' begins at data_offsets 5, behind a gap from 4");
    refuse("{" ENTRY("a", "U8", "[4]", "0", "4") "}", 6, "2 bytes after the last tensor");
    refuse("{" ENTRY("a", "U8", "[8]", "0", "8") "}", 6, "lie outside the 6 bytes of values");
    refuse("{" ENTRY("a", "U8", "[1]", "3", "2") "}", 6, "lie outside the 6 bytes of values");
    refuse("{" ENTRY("a", "U8", "[1]", "-1", "0") "}", 6, "not two whole numbers");
    refuse("{}", 1, "1 bytes after the last tensor, from byte 10");
}

Test(safetensors, sizes_that_lie_are_refused)
{
    refuse("{" ENTRY("a", "F32", "[2]", "0", "4") "}", 4,
           "'a': 4 bytes at data_offsets 0, where its shape asks for 8");
    refuse("{" ENTRY("a", "U8", "[4294967296,4294967296]", "0", "0") "}", 0, "asks for 1844674407");
    refuse("{" ENTRY("a", "F64", "[4611686018427387904]", "0", "0") "}", 0, "asks for 1844674407");
    refuse("{" ENTRY("a", "U8", "[99999999999999999999]", "0", "0") "}", 0, "wrong near byte ");
    refuse("{" ENTRY("a", "U8", "[1.0]", "0", "1") "}", 1, "shape is not");
    refuse("{" ENTRY("a", "U8", "[-1]", "0", "1") "}", 1, "shape is not");
    refuse("{" ENTRY("a", "U8", "[1,1,1,1,1,1,1,1,1]", "0", "1") "}", 1, "shape is not");
    refuse("{" ENTRY("a", "U8", "4", "0", "4") "}", 4, "shape is not");
}

Test(safetensors, headers_that_are_no_headers_are_refused)
{
    refuse("[]", 0, "no '{' at byte 8");
    refuse("", 0, "no '{' at byte 8");
    refuse("{\"a\": ", 0, "the header is wrong near byte 14");
    refuse("{\"a\":1}", 0, "'a': not an object of");
    refuse("{} x", 0, "the header is wrong near byte");
    refuse("{" ENTRY("a", "F16", "[1]", "0", "2") "}", 2, "'a': no dtype of");
    refuse("{" ENTRY("", "U8", "[1]", "0", "1") "}", 1, "name is empty");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":1}}", 1,
           "not an object of");
    refuse("{" ENTRY("a", "U8", "[1]", "0", "1") "," ENTRY("a", "U8", "[1]", "1", "2") "}", 2,
           "duplicate");
    refuse("{\"__metadata__\":{\"a\":1}}", 0, "'a' is no text");
    refuse("{\"__metadata__\":[]}", 0, "is no object");
    refuse("{\"\xff\":1}", 0, "the header is wrong near byte");
}

Test(safetensors, a_prefix_that_lies_is_refused)
{
    static const uint64_t lies[] = {UINT64_MAX, UINT64_C(1) << 63, 100, 1};
    for (size_t i = 0; i < 4; i++) {
        uint8_t bytes[8];
        memcpy(bytes, &lies[i], 8);
        ev_safetensors *file;
        ev_error error = EV_ERROR_NONE;
        cr_assert_eq(ev_safetensors_parse("f", bytes, 8, &file, &error), EV_BAD_INPUT);
        cr_expect_not_null(strstr(error.message, "bytes 0 to 7 say a header of"), "%s",
                           error.message);
    }
}

/* Cut at every length, and every byte changed in three ways: read whole, or refused. */
Test(safetensors, a_damaged_file_is_refused_or_read_whole)
{
    ev_error error = EV_ERROR_NONE;
    ev_safetensors *file;
    cr_assert_eq(write_small("s", &error), EV_OK);
    size_t length;
    uint8_t *bytes = (uint8_t *)scratch_slurp("s", &length);
    for (size_t n = 0; n < length; n++)
        cr_assert_eq(ev_safetensors_parse("f", bytes, n, &file, NULL), EV_BAD_INPUT, "%zu", n);
    static const uint8_t flips[] = {1, 0x20, 0xff};
    for (size_t n = 0; n < 3 * length; n++) {
        bytes[n / 3] ^= flips[n % 3];
        if (ev_safetensors_parse("f", bytes, length, &file, NULL) == EV_OK)
            for (size_t i = 0; i < ev_safetensors_count(file); i++)
                cr_assert_not_null(ev_safetensors_find(file, ev_safetensors_at(file, i)->name));
        ev_safetensors_destroy(file);
        bytes[n / 3] ^= flips[n % 3];
    }
    free(bytes);
}

static void refuse_take(const ev_safetensors *file, ev_safetensor wanted, const char *message)
{
    char out[256] = "untouched";
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_safetensors_take(file, &wanted, EV_FINITE, out, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, message);
    cr_expect_str_eq(out, "untouched");
}

Test(safetensors, a_tensor_of_another_model_is_refused_with_both_shapes)
{
    const float values[4] = {1, 2, NAN, 4};
    const ev_safetensor tensor = ev_safetensor_f32("w", 2, (size_t[]){2, 2}, values);
    ev_error error = EV_ERROR_NONE;
    ev_safetensors *file;
    cr_assert_eq(ev_safetensors_write("s", 1, &tensor, 0, NULL, &error), EV_OK);
    cr_assert_eq(ev_safetensors_read("s", &file, &error), EV_OK);
    refuse_take(file, ev_safetensor_f32("w", 2, (size_t[]){4, 1}, NULL),
                "'w' is F32 (2,2), where F32 (4,1) is needed");
    refuse_take(file, (ev_safetensor){.name = "w", .dtype = EV_DTYPE_F64, .rank = 1, .shape = {2}},
                "'w' is F32 (2,2), where F64 (2) is needed");
    refuse_take(file, ev_safetensor_f32("v", 2, (size_t[]){2, 2}, NULL), "'v' is not in it");
    refuse_take(file, tensor, "'w': value 2 is not finite");
    float any[4];
    cr_expect_eq(ev_safetensors_take(file, &tensor, EV_ANY_VALUE, any, &error), EV_OK);
    cr_expect(isnan(any[2]));
    ev_safetensors_destroy(file);
}

Test(safetensors, names_that_a_reader_would_refuse_are_not_written)
{
    const float x = 1;
    const ev_safetensor twice[] = {ev_safetensor_f32("w", 0, NULL, &x),
                                   ev_safetensor_f32("w", 0, NULL, &x)};
    const ev_safetensor latin = ev_safetensor_f32("\xe9", 0, NULL, &x);
    const ev_safetensor reserved = ev_safetensor_f32("__metadata__", 0, NULL, &x);
    const ev_metadata pair = {"a", "b"};
    ev_error error = EV_ERROR_NONE;
    cr_expect_eq(ev_safetensors_write("s", 2, twice, 0, NULL, &error), EV_BAD_INPUT);
    cr_expect_eq(ev_safetensors_write("s", 1, &latin, 0, NULL, &error), EV_BAD_INPUT);
    cr_expect_eq(ev_safetensors_write("s", 1, &reserved, 1, &pair, &error), EV_BAD_INPUT);
    cr_expect_eq(ev_safetensors_write("s", 1, &reserved, 0, NULL, &error), EV_BAD_INPUT);
    cr_expect_neq(access("s", F_OK), 0);
}

Test(safetensors, a_full_disk_and_a_missing_folder_leave_the_last_good_file)
{
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(write_small("s", &error), EV_OK);
    size_t before, after;
    char *old = scratch_slurp("s", &before);
    struct rlimit limit = {100, 100};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(write_small("s", &error), EV_IO);
    char *now = scratch_slurp("s", &after);
    cr_expect_eq(before, after);
    cr_expect_eq(memcmp(old, now, before), 0);
    error = EV_ERROR_NONE;
    cr_expect_eq(write_small("nowhere/s", &error), EV_IO);
    free(old);
    free(now);
}

Test(safetensors, a_number_of_the_metadata_is_whole_and_fits)
{
    const ev_metadata metadata[] = {{"most", "18446744073709551615"},
                                    {"more", "18446744073709551616"},
                                    {"minus", "-1"},
                                    {"half", "1.5"},
                                    {"spaced", " 7"},
                                    {"empty", ""}};
    ev_error error = EV_ERROR_NONE;
    ev_safetensors *file;
    uint64_t number = 0;
    cr_assert_eq(ev_safetensors_write("s", 0, NULL, 6, metadata, &error), EV_OK);
    cr_assert_eq(ev_safetensors_read("s", &file, &error), EV_OK, "%s", error.message);
    cr_expect_eq(ev_safetensors_number(file, "s", "most", &number, &error), EV_OK);
    cr_expect_eq(number, UINT64_MAX);
    for (size_t i = 1; i < 7; i++) {
        const char *key = i < 6 ? metadata[i].key : "missing";
        error = EV_ERROR_NONE;
        cr_expect_eq(ev_safetensors_number(file, "s", key, &number, &error), EV_BAD_INPUT, "%s",
                     key);
        cr_expect_not_null(strstr(error.message, key), "%s", error.message);
    }
    ev_safetensors_destroy(file);
}
