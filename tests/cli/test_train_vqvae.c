/* The VQ-VAE as its users see it: a run, its folder, stops and resumptions, codes and back. */
#include "program.h"

#include <stdint.h>

enum { SIDE = 8, TRAIN = 60, TESTS = 20 };

static void put_size(FILE *file, uint32_t n)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(n >> shift & 0xff), file);
}

static void write_images(const char *path, uint32_t count, uint32_t side)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    fwrite("\0\0\x08\x03", 1, 4, file);
    put_size(file, count);
    put_size(file, side);
    put_size(file, side);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t p = 0; p < side * side; p++)
            fputc(p / side / 2 == i % 4 ? (int)(120 + i * 37 % 130) : (int)((i + p) % 20), file);
    cr_assert_eq(fclose(file), 0);
}

static void setup(void)
{
    program_setup();
    cr_assert_eq(system("mkdir images odd"), 0);
    write_images("images/train-images-idx3-ubyte", TRAIN, SIDE);
    write_images("images/t10k-images-idx3-ubyte", TESTS, SIDE);
    write_images("odd/train-images-idx3-ubyte", TRAIN, 7);
    write_images("odd/t10k-images-idx3-ubyte", TESTS, 7);
}

TestSuite(train_vqvae, .init = setup, .fini = program_teardown, .timeout = 240);

#define SMALL                                                                            \
    "--data images --threads 1 --hidden 4 --inner 3 --blocks 1 --codes 6 --code-size 3 " \
    "--batch 10 --prior-hidden 6 --prior-blocks 1 --epochs 3 --prior-epochs 2 "
#define TRAIN_VQVAE "\"$EVIDENCE\" train vqvae "

Test(train_vqvae, a_run_leaves_its_folder_and_ends_with_numbers_and_pictures)
{
    outcome o = run(TRAIN_VQVAE SMALL "--out r");
    STATUS(o, 0);
    HAS(o.err, "6 codes of 3 dimensions by ema");
    HAS(o.err, "vqvae 3/3: loss");
    HAS(o.err, "prior 2/2:");
    HAS(o.out, "VQ-VAE after step 30, on 20 test images");
    HAS(o.out, "of 6 codes");
    HAS(o.out, "log p(codes), uniform");
    HAS(o.out, "-7.167"); /* 4 log 6 */
    HAS(o.out, "bits a pixel, learnt");
    forget(&o);
    o = run(
        "cd r && ls && wc -l <metrics.tsv && wc -l <audit.jsonl && grep -c HOLDS audit.jsonl && "
        "head -1 codes.tsv && wc -l <codes.tsv && head -c 4 codebook.png | tail -c 3");
    STATUS(o, 0);
    HAS(o.out, "audit.jsonl\ncheckpoint.safetensors\ncodebook.png\ncodes.tsv\nconfig.json\n"
               "metrics.tsv\nreconstructions.png\nsamples.png\n");
    HAS(o.out, "\n6\n18\n18\ncode\tcount\tshare\n7\nPNG"); /* 5 epochs; 6 findings in 3 epochs */
    forget(&o);
}

Test(train_vqvae, eval_sample_and_reconstruct_know_the_run)
{
    outcome o = run(TRAIN_VQVAE SMALL "--out r --no-eval --codebook gradient");
    STATUS(o, 0);
    HAS(o.err, "by gradient");
    forget(&o);
    o = run("\"$EVIDENCE\" eval r && \"$EVIDENCE\" sample --out s.png r && "
            "\"$EVIDENCE\" sample --out s2.png r && cmp s.png s2.png && "
            "\"$EVIDENCE\" reconstruct --rows 2 --columns 3 r && ls r");
    STATUS(o, 0);
    HAS(o.out, "VQ-VAE after step 30");
    HAS(o.out, "s.png\n");
    HAS(o.out, "reconstructions.png\n");
    forget(&o);
}

Test(train_vqvae, a_run_stopped_in_either_phase_goes_on_to_the_same_bytes)
{
    static const char *const stops[] = {"1", "20", "50"};
    outcome o = run(TRAIN_VQVAE SMALL "--out whole --no-eval --epochs 400 --prior-epochs 400");
    STATUS(o, 0);
    forget(&o);
    for (size_t i = 0; i < 3; i++) {
        char command[512];
        /* Killed by a signal after so many hundredths of a second: wherever that is. */
        snprintf(command, sizeof command,
                 "rm -rf cut; " TRAIN_VQVAE SMALL
                 "--out cut --no-eval --epochs 400 --prior-epochs 400 2>err & pid=$!; "
                 "while ! test -s cut/checkpoint.safetensors; do sleep 0.01; done; sleep 0.%s; "
                 "kill -TERM $pid; wait $pid; status=$?; cat err >&2; exit $status",
                 stops[i]);
        o = run("%s", command);
        STATUS(o, 0);
        forget(&o);
        o = run(TRAIN_VQVAE "--resume cut --no-eval && "
                            "cmp whole/checkpoint.safetensors cut/checkpoint.safetensors && "
                            "cut -f 1-11 whole/metrics.tsv >a && cut -f 1-11 cut/metrics.tsv >b && "
                            "cmp a b && cmp whole/audit.jsonl cut/audit.jsonl");
        STATUS(o, 0);
        HAS(o.err, "going on after step");
        forget(&o);
    }
}

Test(train_vqvae, images_go_to_codes_and_back_as_files)
{
    outcome o = run(TRAIN_VQVAE SMALL "--out r --no-eval && \"$EVIDENCE\" encode r && "
                                      "\"$EVIDENCE\" encode --split train --out t.safetensors r && "
                                      "\"$EVIDENCE\" decode r && \"$EVIDENCE\" decode --codes "
                                      "t.safetensors --out d.safetensors r");
    STATUS(o, 0);
    HAS(o.out, "r/codes.safetensors\n");
    HAS(o.out, "t.safetensors\n");
    HAS(o.out, "r/decoded.safetensors\n");
    HAS(o.out, "d.safetensors\n");
    forget(&o);
    o = run("grep -a -o '\"shape\": *\\[[0-9, ]*\\]' r/codes.safetensors t.safetensors "
            "r/decoded.safetensors d.safetensors | tr -d ' '");
    HAS(o.out, "r/codes.safetensors:\"shape\":[20,2,2]");
    HAS(o.out, "t.safetensors:\"shape\":[60,2,2]");
    HAS(o.out, "r/decoded.safetensors:\"shape\":[20,8,8]");
    HAS(o.out, "d.safetensors:\"shape\":[60,8,8]");
    forget(&o);
    /* The last code of the file becomes 200. */
    o = run("n=$(wc -c <t.safetensors) && head -c $((n - 4)) t.safetensors >bad && "
            "printf '\\310\\0\\0\\0' >>bad && \"$EVIDENCE\" decode --codes bad --out e r");
    STATUS(o, 2);
    HAS(o.err, "image 59, place 3: code 200, of a dictionary of 6");
    forget(&o);
    o = run("\"$EVIDENCE\" decode --codes d.safetensors --out e r; test $? = 2 && test ! -e e && "
            "\"$EVIDENCE\" decode --codes nowhere r");
    HAS(o.err, "no array 'codes'");
    HAS(o.err, "nowhere");
    forget(&o);
}

Test(train_vqvae, what_is_wrong_is_said_and_nothing_is_left_behind)
{
    static const struct {
        const char *words, *message;
    } bad[] = {{"--codes 0", "codes"},
               {"--rate -1", "rate"},
               {"--batch 61", "batch of 61: expected 1 to 60"},
               {"--hidden 5", "multiple of 2"},
               {"--data odd", "multiple of 4"},
               {"--data nowhere", "nowhere"},
               {"--codebook mean", "ema"},
               {"--decay 1", "decay"},
               {"--codes 1000 --batch 10", "1000"},
               {"more", "nothing but options"},
               {"--config nowhere.json", "nowhere.json"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char command[512];
        snprintf(command, sizeof command, TRAIN_VQVAE SMALL "--out r %s", bad[i].words);
        outcome o = run("%s", command);
        cr_expect_eq(o.status, 2, "%s: %d, %s", bad[i].words, o.status, o.err);
        HAS(o.err, bad[i].message);
        forget(&o);
        o = run("test ! -e r");
        STATUS(o, 0);
        forget(&o);
    }
    outcome o = run(TRAIN_VQVAE "--resume r --epochs 3; test $? = 2 && " TRAIN_VQVAE "--resume r");
    STATUS(o, 2);
    HAS(o.err, "epochs");
    forget(&o);
}

Test(train_vqvae, a_run_is_not_overwritten_and_a_damaged_one_not_gone_on_with)
{
    outcome o = run(TRAIN_VQVAE SMALL "--out r --no-eval && " TRAIN_VQVAE SMALL
                                      "--out r --no-eval");
    STATUS(o, 2);
    forget(&o);
    o = run(
        "head -c 3000 r/checkpoint.safetensors >x && mv x r/checkpoint.safetensors && " TRAIN_VQVAE
        "--resume r");
    STATUS(o, 2);
    HAS(o.err, "checkpoint.safetensors");
    forget(&o);
}
