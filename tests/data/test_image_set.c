#include "data/image_set.h"

#include "scratch.h"

TestSuite(image_set, .init = scratch_setup, .fini = scratch_teardown);

/* N images of height x width, pixel p of image i is i + p; or labels i % 3. */
static void put_images(const char *path, uint8_t N, uint8_t height, uint8_t width)
{
    uint8_t bytes[4096] = {0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, height, 0, 0, 0, width};
    size_t D = (size_t)height * width;
    for (size_t i = 0; i < N * D; i++)
        bytes[16 + i] = (uint8_t)(i / D + i % D);
    scratch_spill(path, bytes, 16 + N * D);
}

static void put_labels(const char *path, uint8_t N)
{
    uint8_t bytes[264] = {0, 0, 8, 1, 0, 0, 0, N};
    for (size_t i = 0; i < N; i++)
        bytes[8 + i] = (uint8_t)(i % 3);
    scratch_spill(path, bytes, 8 + (size_t)N);
}

static void put_all(void)
{
    put_images("train-images-idx3-ubyte", 5, 3, 2);
    put_labels("train-labels-idx1-ubyte", 5);
    put_images("t10k-images-idx3-ubyte", 2, 3, 2);
    put_labels("t10k-labels-idx1-ubyte", 2);
}

static void refuse(const char *folder, const char *file, const char *message)
{
    ev_image_set set;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_image_set_read(folder, &set, &error), EV_BAD_INPUT);
    cr_expect_str_eq(error.file, file);
    cr_expect_str_eq(error.message, message);
    cr_expect_null(set.train.pixels);
    cr_expect_null(set.test.pixels);
}

Test(image_set, train_and_test_are_read_and_kept_apart)
{
    put_all();
    ev_image_set set;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_image_set_read(".", &set, &error), EV_OK, "%s", error.message);
    cr_expect_eq(set.D, 6);
    cr_expect_eq(set.height, 3);
    cr_expect_eq(set.train.N, 5);
    cr_expect_eq(set.test.N, 2);
    cr_expect_eq(set.train.pixels[4 * 6 + 5], 9);
    cr_expect_eq(set.test.pixels[6], 1);
    cr_expect_eq(set.train.classes, 3);
    cr_expect_eq(set.test.classes, 2);
    cr_expect_eq(set.test.labels[1], 1);
    cr_expect_neq(set.train.checksum, set.test.checksum);
    ev_image_set_free(&set);
}

Test(image_set, labels_may_be_absent)
{
    put_all();
    unlink("train-labels-idx1-ubyte");
    unlink("t10k-labels-idx1-ubyte");
    ev_image_set set;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_image_set_read(".", &set, &error), EV_OK);
    cr_expect_null(set.train.labels);
    cr_expect_eq(set.test.classes, 0);
    ev_image_set_free(&set);
}

Test(image_set, gzip_writes_what_is_read)
{
    put_all();
    cr_assert_eq(system("gzip train-images-idx3-ubyte && mv t10k-images-idx3-ubyte "
                        "t10k-images.idx3-ubyte"),
                 0);
    ev_image_set set;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_image_set_read(".", &set, &error), EV_OK, "%s", error.message);
    cr_expect_eq(set.train.pixels[4 * 6 + 5], 9);
    ev_image_set_free(&set);
}

Test(image_set, counts_and_shapes_that_do_not_match_are_refused)
{
    put_all();
    put_labels("t10k-labels-idx1-ubyte", 3);
    refuse(".", "./t10k-labels-idx1-ubyte", "3 labels for the 2 images beside it");
    put_all();
    put_images("t10k-images-idx3-ubyte", 2, 2, 3);
    refuse(".", ".", "images to train on are 3 x 2, those to test 2 x 3");
}

Test(image_set, what_is_missing_is_named)
{
    refuse("nowhere", "nowhere/train-images-idx3-ubyte.gz",
           "not there: the folder must hold {train,t10k}-images-idx3-ubyte, plain or with .gz");
    put_images("train-images-idx3-ubyte", 5, 3, 2);
    refuse(".", "./t10k-images-idx3-ubyte.gz",
           "not there: the folder must hold {train,t10k}-images-idx3-ubyte, plain or with .gz");
    ev_image_set set;
    ev_error error = EV_ERROR_NONE;
    cr_expect_eq(ev_image_set_read("", &set, &error), EV_BAD_INPUT);
}

/* The published counts: 60 000 and 10 000 images of 28 x 28 in ten even classes. */
Test(image_set, the_default_data_are_fashion_mnist)
{
    const char *folder = ev_image_set_default_folder();
    if (access(folder, F_OK) != 0)
        cr_skip_test("no %s (dataset-fashion-mnist)", folder);
    ev_image_set set;
    ev_error error = EV_ERROR_NONE;
    cr_assert_eq(ev_image_set_read(folder, &set, &error), EV_OK, "%s", error.message);
    cr_expect_eq(set.train.N, 60000);
    cr_expect_eq(set.test.N, 10000);
    cr_expect_eq(set.D, 784);
    size_t count[10] = {0};
    for (size_t i = 0; i < set.train.N; i++)
        count[set.train.labels[i] % 10]++;
    for (size_t c = 0; c < 10; c++)
        cr_expect_eq(count[c], 6000);
    ev_image_set_free(&set);
}
