/* The VQ-VAE as its users see it: a run, its folder, stops and resumptions, codes and back. */
#include "program.h"

#include <math.h>
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

/* All numbers of one tensor of a checkpoint become that value. */
static void set_floats(const char *path, const char *tensor, float value)
{
    unsigned char length[8];
    size_t from, to, header = 0;
    FILE *file = fopen(path, "r+b");
    cr_assert_not_null(file);
    cr_assert_eq(fread(length, 1, 8, file), 8);
    for (size_t i = 0; i < 8; i++)
        header += (size_t)length[i] << 8 * i;
    char *text = calloc(1, header + 1);
    cr_assert_eq(fread(text, 1, header, file), header);
    const char *at = strstr(text, tensor);
    at = at == NULL ? NULL : strstr(at, "\"data_offsets\"");
    cr_assert_not_null(at, "no %s in %s", tensor, path);
    cr_assert_eq(sscanf(strchr(at, '['), "[%zu , %zu", &from, &to), 2);
    cr_assert_eq(fseek(file, (long)(8 + header + from), SEEK_SET), 0);
    for (; from < to; from += sizeof value)
        cr_assert_eq(fwrite(&value, sizeof value, 1, file), 1);
    cr_assert_eq(fclose(file), 0);
    free(text);
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
    o = run("cd r && ls && wc -l <metrics.tsv && cut -d, -f1 audit.jsonl | uniq | wc -l && "
            "grep -c '\"gradient of commitment\"' audit.jsonl; grep -vc HOLDS audit.jsonl; head -1 "
            "codes.tsv && wc -l <codes.tsv && head -c 4 codebook.png | tail -c 3");
    STATUS(o, 0);
    HAS(o.out, "audit.jsonl\ncheckpoint.safetensors\ncodebook.png\ncodes.tsv\nconfig.json\n"
               "metrics.tsv\nreconstructions.png\nsamples.png\n");
    HAS(o.out, "\n6\n3\n3\n0\ncode\tcount\tshare\n7\nPNG"); /* 5 epochs; audits in 3 */
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
    /* Two somewhere in the autoencoder's epochs, one in the prior's. */
    static const char *const waits[] = {
        "sleep 0.01", "sleep 0.2",
        "until grep -q '^prior 9/' err; do sleep 0.01; kill -0 $pid || break; done"};
    outcome o = run(TRAIN_VQVAE SMALL "--out whole --no-eval --epochs 400 --prior-epochs 400");
    STATUS(o, 0);
    forget(&o);
    for (size_t i = 0; i < 3; i++) {
        char command[512];
        snprintf(command, sizeof command,
                 "rm -rf cut; " TRAIN_VQVAE SMALL
                 "--out cut --no-eval --epochs 400 --prior-epochs 400 2>err & pid=$!; "
                 "while ! test -s cut/checkpoint.safetensors; do sleep 0.01; done; %s; "
                 "kill -TERM $pid; wait $pid; status=$?; cat err >&2; exit $status",
                 waits[i]);
        o = run("%s", command);
        STATUS(o, 0);
        HAS(o.err, "stopped after step");
        cr_expect(i < 2 || strstr(o.err, "\nprior 9/") != NULL, "%s", o.err);
        forget(&o);
        o = run("\"$EVIDENCE\" train --resume cut --no-eval && "
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

/* The folder's config.json says which model it is. */
Test(train_vqvae, a_run_is_gone_on_with_by_its_folder_and_others_are_told_apart)
{
    outcome o = run(TRAIN_VQVAE SMALL
                    "--out r --no-eval && \"$EVIDENCE\" train gmvae --hidden 6 "
                    "--latent 2 --clusters 2 --batch 10 --threads 1 --data images "
                    "--epochs 1 --out g --no-eval");
    STATUS(o, 0);
    forget(&o);
    static const struct {
        const char *words;
        int status;
        const char *message;
    } asked[] = {
        {"train --resume r --no-eval", 0, "going on after step 30 of 30"},
        {"train --no-eval --resume=r", 0, "going on after step 30 of 30"},
        {"train vqvae --resume r --no-eval", 0, "going on after step 30 of 30"},
        {"train --resume g --no-eval", 0, "going on after step"},
        {"train gmvae --resume r", 2, "a run of the model 'vqvae', where one of gmvae or vae"},
        {"train vqvae --resume g", 2, "a run of the model 'gmvae', where one of vqvae"},
        {"train vae --resume g", 2, "g: a run of the model 'gmvae', not of 'vae'"},
        {"train --resume r gmvae", 2, "'gmvae' has no place beside --resume"},
        {"train --resume r --epochs 9", 2, "epochs"},
        {"train --resume", 2, "needs a value"},
        {"train --out x vqvae", 2, "stands before them"},
        {"encode g", 2, "a run of the model 'gmvae', where one of vqvae"}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        o = run("\"$EVIDENCE\" %s", asked[i].words);
        cr_expect_eq(o.status, asked[i].status, "%s: %d, %s", asked[i].words, o.status, o.err);
        HAS(o.err, asked[i].message);
        forget(&o);
    }
    o = run(
        "sed -i 's/\"beta\": [0-9.]*/\"beta\": -1/' r/config.json; \"$EVIDENCE\" train --resume r");
    STATUS(o, 2);
    HAS(o.err, "beta");
    forget(&o);
    o = run("sed -i 's/\"vqvae\"/\"gan\"/' r/config.json; \"$EVIDENCE\" train --resume r");
    STATUS(o, 2);
    HAS(o.err, "a run of the model 'gan'");
    forget(&o);
}

Test(train_vqvae, an_audit_on_demand_prints_its_rows_and_names_what_is_refuted)
{
    outcome o = run(TRAIN_VQVAE SMALL "--out r --no-eval");
    STATUS(o, 0);
    /* 14 rows without the gradient's: two for each of 23 blocks but the codebook's own, which has no
     * gradient when it moves by averages; 20 random directions, three terms, and the activations. */
    HAS(o.err, "audit: 83 of 83 rows hold");
    forget(&o);
    o = run("\"$EVIDENCE\" audit r && \"$EVIDENCE\" audit --jsonl --batch 7 r");
    STATUS(o, 0);
    HAS(o.out, "HOLDS      commitment");
    HAS(o.out, "vq-bound-positions");
    HAS(o.out, "HOLDS      gradient along encoder.3.1.weight, random");
    HAS(o.out, "HOLDS      gradient of codebook");
    HAS(o.out, "83 rows: 83 hold, 0 refuted, 0 undecided, 0 void\n");
    HAS(o.out, "{\"step\":30,\"name\":\"reconstruction\"");
    forget(&o);
    o = run("\"$EVIDENCE\" audit --samples 10 r");
    STATUS(o, 2);
    HAS(o.err, "--samples");
    forget(&o);
    o = run("\"$EVIDENCE\" audit --jsonl r >1; \"$EVIDENCE\" audit --jsonl --seed 1 r >2; "
            "\"$EVIDENCE\" audit --jsonl --seed 2 r >3; cmp 1 2 && ! cmp -s 2 3");
    STATUS(o, 0); /* the directions are the seed's */
    forget(&o);
    set_floats("r/checkpoint.safetensors", "\"codebook\"", 1e30F);
    o = run("\"$EVIDENCE\" audit r");
    STATUS(o, 1); /* squares of distances to such codes are no floats */
    HAS(o.out, "REFUTED    codebook");
    HAS(o.err, "the audit refutes 'reconstruction'");
    forget(&o);
    o = run("cp r/checkpoint.safetensors x && head -c 2000 x >r/checkpoint.safetensors; "
            "\"$EVIDENCE\" audit r");
    STATUS(o, 2);
    HAS(o.err, "checkpoint.safetensors");
    forget(&o);
}

Test(train_vqvae, measures_of_several_runs_are_one_table)
{
    outcome o = run(TRAIN_VQVAE SMALL "--out r --no-eval && " TRAIN_VQVAE SMALL
                                      "--out s --seed 2 --codebook gradient --no-eval");
    STATUS(o, 0);
    forget(&o);
    o = run("\"$EVIDENCE\" eval --format tsv r s && \"$EVIDENCE\" eval r");
    STATUS(o, 0);
    char data[2][16], *at = strstr(o.out, "\nvqvae\timages\t1\tgaussian\tnone\tema\t0.01\t30\t");
    double measures[8], squared_error, share, learnt, uniform;
    cr_assert_eq(strncmp(o.out,
                         "model\tdata\tseed\tlikelihood\tbinarise\tcodebook\trevive\tstep\tmse\tmse"
                         "_over_variance\t"
                         "perplexity\tcodes\tdead_share\tbits_learnt\tbits_uniform\tseconds\n",
                         80),
                 0, "%s", o.out);
    cr_assert_not_null(at, "%s", o.out);
    HAS(o.out, "\nvqvae\timages\t2\tgaussian\tnone\tgradient\t0.01\t30\t");
    cr_assert_eq(sscanf(at,
                        " %15s %15s 1 gaussian none ema 0.01 30 %lf %lf %lf %lf %lf %lf %lf %lf",
                        data[0], data[1], &measures[0], &measures[1], &measures[2], &measures[3],
                        &measures[4], &measures[5], &measures[6], &measures[7]),
                 10, "%s", at);
    cr_expect_float_eq(measures[3], 6, 0);
    cr_expect(measures[4] >= 0 && measures[4] < 1 && measures[7] > 0);
    /* What is printed for people says the same, with fewer digits. */
    cr_assert_eq(sscanf(strstr(o.out, "squared error"), "squared error %lf a pixel, %lf",
                        &squared_error, &share),
                 2);
    cr_assert_eq(sscanf(strstr(o.out, "bits a pixel, learnt"), "bits a pixel, learnt %lf", &learnt),
                 1);
    cr_assert_eq(
        sscanf(strstr(o.out, "bits a pixel, uniform"), "bits a pixel, uniform %lf", &uniform), 1);
    cr_expect_float_eq(measures[0], squared_error, 1e-6);
    cr_expect_float_eq(measures[1], share, 1e-4);
    cr_expect_float_eq(measures[5], learnt, 1e-4);
    cr_expect_float_eq(measures[6], uniform, 1e-4);
    /* A probability, of grey levels and codes: the bits are those of the two, and no fewer than 0. */
    double levels, codes;
    cr_assert_eq(sscanf(strstr(o.out, "log P(levels|z_q)"), "log P(levels|z_q) %lf", &levels), 1);
    cr_assert_eq(sscanf(strstr(o.out, "log p(codes), learnt"), "log p(codes), learnt %lf", &codes),
                 1);
    cr_expect(levels < 0 && codes < 0);
    cr_expect_float_eq(learnt, -(levels + codes) / (SIDE * SIDE * log(2)), 1e-4);
    HAS(o.out, "at most, of 256 grey levels");
    forget(&o);
}

/* Of grey pixels a Bernoulli has no probability, of binary ones it has. */
Test(train_vqvae, bits_are_said_only_of_what_has_a_probability)
{
    outcome o = run(TRAIN_VQVAE SMALL "--likelihood bernoulli --out b && " TRAIN_VQVAE SMALL
                                      "--likelihood bernoulli --binarise static --out c && "
                                      "\"$EVIDENCE\" eval --format tsv b c");
    STATUS(o, 0);
    HAS(o.out, "of a cross-entropy: pixels are not binary");
    HAS(o.out, "at most, of binary pixels");
    double bits;
    const char *at = strstr(o.out, "\nvqvae\timages\t1\tbernoulli\tnone\tema\t0.01\t30\t");
    cr_assert_not_null(at, "%s", o.out);
    cr_expect_eq(
        sscanf(at, " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s NA NA %lf", &bits), 1,
        "%s", at);
    at = strstr(o.out, "\nvqvae\timages\t1\tbernoulli\tstatic\tema\t0.01\t30\t");
    cr_assert_not_null(at, "%s", o.out);
    cr_expect_eq(sscanf(at, " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lf", &bits), 1,
                 "%s", at);
    cr_expect_gt(bits, 0);
    forget(&o);
}

Test(train_vqvae, runs_of_two_kinds_or_several_for_people_are_no_table)
{
    outcome o = run(TRAIN_VQVAE SMALL "--out r --no-eval && " TRAIN_VQVAE SMALL
                                      "--out s --seed 2 --no-eval");
    STATUS(o, 0);
    forget(&o);
    o = run(
        "\"$EVIDENCE\" train vae --hidden 6 --latent 2 --batch 10 --threads 1 --data images "
        "--epochs 1 --out g --no-eval && \"$EVIDENCE\" eval --format tsv --log-px-images 0 g && "
        "\"$EVIDENCE\" eval --format tsv r g");
    STATUS(o, 2);
    HAS(o.out, "vae\timages\t1\t6\tNA\tNA\tNA\tNA\t");
    HAS(o.out, "\tNA\tNA\t0\t");
    HAS(o.err, "runs of two kinds");
    forget(&o);
    o = run("\"$EVIDENCE\" eval r s");
    STATUS(o, 2);
    HAS(o.err, "one run");
    forget(&o);
    o = run("\"$EVIDENCE\" eval --format tsv r nowhere");
    STATUS(o, 2);
    cr_expect_str_eq(o.out, "");
    HAS(o.err, "nowhere");
    forget(&o);
    o = run("ls s"); /* a table writes nothing into a folder */
    LACKS(o.out, "codes.tsv");
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
