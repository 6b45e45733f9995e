#include "data/idx.h"

#include "scratch.h"

#include <sys/resource.h>
#include <zlib.h>

TestSuite(idx, .init = scratch_setup, .fini = scratch_teardown);

/* 2 images of 2 x 3 pixels. */
static const uint8_t small[] = {0, 0, 8, 3, 0, 0,   0, 2, 0,   0, 0, 2,  0,  0,
                                0, 3, 1, 2, 3, 250, 5, 6, 255, 8, 9, 10, 11, 12};

/* Gzip by zlib; returns the length. */
static size_t pack(const uint8_t *bytes, size_t length, uint8_t *out, size_t capacity)
{
    z_stream z = {0};
    cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (z_const Bytef *)bytes;
    z.avail_in = (uInt)length;
    z.next_out = out;
    z.avail_out = (uInt)capacity;
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void expect_small(const ev_idx *idx)
{
    cr_assert_eq(idx->size, 12);
    cr_expect_eq(idx->shape[0], 2);
    cr_expect_eq(idx->shape[1], 2);
    cr_expect_eq(idx->shape[2], 3);
    cr_expect_eq(memcmp(idx->values, small + 16, 12), 0);
}

/* Parse must fail with that message. */
static void refuse(const uint8_t *bytes, size_t length, size_t rank, const char *message)
{
    ev_idx idx;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_idx_parse("f", bytes, length, rank, &idx, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, message);
    cr_expect_str_eq(error.file, "f");
    cr_expect_null(idx.values);
}

Test(idx, plain_and_gzipped_files_say_the_same_whatever_their_names)
{
    uint8_t packed[128];
    size_t length = pack(small, sizeof small, packed, sizeof packed);
    scratch_spill("plain.gz", small, sizeof small);
    scratch_spill("packed", packed, length);
    ev_error error = EV_ERROR_NONE;
    ev_idx idx;
    cr_assert_eq(ev_idx_read("plain.gz", 3, &idx, &error), EV_OK);
    expect_small(&idx);
    ev_idx_free(&idx);
    cr_assert_eq(ev_idx_read("packed", 3, &idx, &error), EV_OK);
    expect_small(&idx);
    ev_idx_free(&idx);
}

Test(idx, a_gzip_file_of_several_members_is_one_file)
{
    uint8_t packed[256];
    size_t first = pack(small, 17, packed, sizeof packed);
    size_t second = pack(small + 17, sizeof small - 17, packed + first, sizeof packed - first);
    ev_idx idx;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_idx_parse("f", packed, first + second, 3, &idx, &error), EV_OK);
    expect_small(&idx);
    ev_idx_free(&idx);
}

Test(idx, a_file_cut_anywhere_is_refused_with_its_place)
{
    for (size_t n = 0; n < sizeof small; n++) {
        ev_idx idx;
        ev_error error = EV_ERROR_NONE;
        cr_assert_eq(ev_idx_parse("f", small, n, 3, &idx, &error), EV_BAD_INPUT, "%zu", n);
    }
    refuse(small, 0, 3, "ends at byte 0, inside its header");
    refuse(small, 10, 3, "ends at byte 10, inside its header");
    refuse(small, 27, 3, "truncated: its header says 12 values, which 27 bytes can't hold");
    uint8_t packed[128];
    size_t length = pack(small, sizeof small, packed, sizeof packed);
    for (size_t n = 2; n < length; n++) {
        ev_idx idx;
        ev_error error = EV_ERROR_NONE;
        cr_assert_eq(ev_idx_parse("f", packed, n, 3, &idx, &error), EV_BAD_INPUT, "%zu", n);
        cr_expect_not_null(strstr(error.message, "the compressed data end early, at byte "), "%s",
                           error.message);
    }
}

Test(idx, a_gzip_file_that_holds_less_than_its_header_says_is_refused)
{
    uint8_t packed[128];
    size_t length = pack(small, sizeof small - 2, packed, sizeof packed);
    refuse(packed, length, 3,
           "truncated at unpacked byte 26: its header says 12 values, 10 are there");
}

Test(idx, every_flipped_bit_of_a_gzip_file_is_noticed_or_harmless)
{
    uint8_t packed[128];
    size_t length = pack(small, sizeof small, packed, sizeof packed);
    for (size_t bit = 16; bit < 8 * length; bit++) {
        uint8_t changed[128];
        memcpy(changed, packed, length);
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ev_idx idx;
        ev_error error = EV_ERROR_NONE;
        if (ev_idx_parse("f", changed, length, 3, &idx, &error) == EV_OK)
            expect_small(&idx);
        ev_idx_free(&idx);
    }
}

Test(idx, what_follows_the_values_is_refused)
{
    uint8_t longer[sizeof small + 1] = {0}, packed[128];
    memcpy(longer, small, sizeof small);
    refuse(longer, sizeof longer, 3, "goes on after the 12 values of its header, at byte 28");
    size_t length = pack(longer, sizeof longer, packed, sizeof packed);
    refuse(packed, length, 3, "goes on after the 12 values of its header, at unpacked byte 28");
    length = pack(small, sizeof small, packed, sizeof packed);
    packed[length] = 'x';
    char wanted[128];
    snprintf(wanted, sizeof wanted, "goes on after its compressed data, at byte %zu", length);
    refuse(packed, length + 1, 3, wanted);
}

Test(idx, files_of_another_kind_are_told_apart)
{
    uint8_t other[sizeof small];
    memcpy(other, small, sizeof small);
    other[2] = 0x0d;
    refuse(other, sizeof other, 3, "type 0x0d at byte 2; only unsigned bytes (0x08) are read");
    refuse((const uint8_t *)"\x89PNG\r\n", 6, 3,
           "not an IDX file: it begins with 89 50 instead of 00 00");
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 7};
    refuse(labels, sizeof labels, 3,
           "1-dimensional (labels) by its byte 3, where 3 dimensions (images) are expected");
    refuse(small, sizeof small, 1,
           "3-dimensional (images) by its byte 3, where 1 dimensions (labels) are expected");
    memcpy(other, small, sizeof small);
    other[7] = 0;
    refuse(other, sizeof other, 3, "empty: size 1, at byte 4, is 0");
}

Test(idx, a_header_that_lies_allocates_nothing)
{
    static const uint8_t lie[] = {0, 0, 8, 3, 0, 0, 0x40, 0, 0, 0, 0x40, 0, 0, 0, 4, 0, 1, 2};
    refuse(lie, sizeof lie, 3, "its header asks for more than the 1073741824 values that are read");
    static const uint8_t large[] = {0, 0, 8, 1, 0x3f, 0xff, 0xff, 0xff, 1, 2};
    uint8_t packed[128];
    size_t length = pack(large, sizeof large, packed, sizeof packed);
    char wanted[128];
    snprintf(wanted, sizeof wanted,
             "truncated: its header says 1073741823 values, which %zu bytes can't hold", length);
    refuse(packed, length, 1, wanted);
    static const uint8_t overflow[] = {0,    0,    8,    4,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    refuse(overflow, sizeof overflow, 4,
           "its header asks for more than the 1073741824 values that are read");
}

/* 64 MiB of zeros in 64 KiB, behind the header of 12 values: unpacked only as far as asked. */
Test(idx, a_gzip_bomb_is_unpacked_no_further_than_its_header_says)
{
    enum { BOMB = 64 << 20, ROOM = 1 << 20 };
    uint8_t *bomb = calloc(1, BOMB), *packed = malloc(ROOM);
    memcpy(bomb, small, sizeof small);
    size_t length = pack(bomb, BOMB, packed, ROOM);
    free(bomb);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    refuse(packed, length, 3, "goes on after the 12 values of its header, at unpacked byte 28");
    getrusage(RUSAGE_SELF, &after);
    cr_expect_lt(after.ru_maxrss - before.ru_maxrss, 1024);
    free(packed);
}

Test(idx, what_can_not_be_read_as_a_file_is_said)
{
    ev_idx idx;
    ev_error error = EV_ERROR_NONE;
    cr_expect_eq(ev_idx_read("absent", 3, &idx, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "can't open: No such file or directory");
    error = EV_ERROR_NONE;
    cr_expect_eq(ev_idx_read(".", 3, &idx, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "not a file but a folder");
    error = EV_ERROR_NONE;
    cr_expect_eq(ev_idx_read("/dev/zero", 3, &idx, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "not a file but a device or pipe");
    cr_assert_eq(truncate(".", 0), -1);
    FILE *large = fopen("large", "w");
    cr_assert_eq(ftruncate(fileno(large), ((off_t)1 << 30) + 1), 0);
    fclose(large);
    error = EV_ERROR_NONE;
    cr_expect_eq(ev_idx_read("large", 3, &idx, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.message, "1073741825 bytes long; at most 1073741824 are read");
}
