/* Training as its users see it: a tiny data set, runs in folders, stops and resumptions. */
#include "data/image_set.h"
#include "program.h"

#include <math.h>
#include <stdint.h>

enum { SIDE = 6, TRAIN = 120, TESTS = 40 };

static void put_size(FILE *file, uint32_t n)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(n >> shift & 0xff), file);
}

/* Three kinds of images: a bright row at a place of its own, of varying brightness. */
static void write_images(const char *path, uint32_t count)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    fwrite("\0\0\x08\x03", 1, 4, file);
    put_size(file, count);
    put_size(file, SIDE);
    put_size(file, SIDE);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t p = 0; p < SIDE * SIDE; p++)
            fputc(p / SIDE == 2 * (i % 3) ? (int)(120 + i * 37 % 130) : (int)((i + p) % 20), file);
    cr_assert_eq(fclose(file), 0);
}

static void write_labels(const char *path, uint32_t count)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    fwrite("\0\0\x08\x01", 1, 4, file);
    put_size(file, count);
    for (uint32_t i = 0; i < count; i++)
        fputc((int)(i % 3), file);
    cr_assert_eq(fclose(file), 0);
}

static void setup(void)
{
    program_setup();
    cr_assert_eq(system("mkdir labelled plain"), 0);
    write_images("labelled/train-images-idx3-ubyte", TRAIN);
    write_images("labelled/t10k-images-idx3-ubyte", TESTS);
    cr_assert_eq(system("cp labelled/* plain"), 0);
    write_labels("labelled/train-labels-idx1-ubyte", TRAIN);
    write_labels("labelled/t10k-labels-idx1-ubyte", TESTS);
}

TestSuite(train, .init = setup, .fini = program_teardown, .timeout = 120);

#define TRAIN_GMVAE                                                                           \
    "\"$EVIDENCE\" train gmvae --threads 1 --hidden 12,8 --latent 2 --clusters 3 --batch 10 " \
    "--log-px-images 5 "

#define LONG_RUN                                                                    \
    TRAIN_GMVAE "--data plain --epochs 18 --held-epochs 2 --rounds 3 --restarts 2 " \
                "--no-eval "

Test(train, a_run_leaves_its_folder_and_ends_with_metrics_and_pictures)
{
    outcome o = run(TRAIN_GMVAE "--data labelled --out r --epochs 4 --autoencoder-epochs 3 "
                                "--layer-epochs 1 --corruption 0.1");
    STATUS(o, 0);
    HAS(o.err, "binarisation none");
    HAS(o.err, "mixture fitted to the means");
    HAS(o.err, "elbo 4/4: ELBO");
    HAS(o.out, "reconstruction");
    HAS(o.out, "log p(x), S = 500");
    HAS(o.out, "accuracy");
    HAS(o.out, "purity");
    HAS(o.out, "ARI");
    forget(&o);
    o = run("cd r && ls && head -1 metrics.tsv && wc -l <metrics.tsv");
    HAS(o.out,
        "audit.jsonl\ncheckpoint.safetensors\nclusters.tsv\nconfig.json\nlatent.tsv\nmetrics.tsv\n"
        "reconstructions.png\nsamples.png\n");
    HAS(o.out, "step\tepoch\tphase\t");
    HAS(o.out, "\n11\n"); /* a header, 3 layers, 3 and 4 epochs */
    forget(&o);
    o = run(
        "\"$EVIDENCE\" eval r && \"$EVIDENCE\" sample --out s.png r && "
        "\"$EVIDENCE\" reconstruct --rows 2 --columns 3 --out t.png r && head -c 4 s.png t.png");
    STATUS(o, 0);
    HAS(o.out, "NMI");
    cr_assert_eq(count_of(o.out, "\x89PNG"), 2);
    forget(&o);
}

/* The last line speaks of the model that is evaluated in the end. */
Test(train, clusters_are_counted_at_the_start_and_after_each_epoch)
{
    outcome o = run(TRAIN_GMVAE "--data labelled --out r --epochs 3 --autoencoder-epochs 2 && "
                                "cat r/clusters.tsv | sed 's/^/line /'");
    STATUS(o, 0);
    cr_expect_eq(count_of(o.out, "line "), 5, "%s", o.out);
    HAS(o.out,
        "line step\tepoch\taccuracy\tpurity\tnmi\tari\tentropy\tlargest\toccupied\tn_0\tn_1\tn_2");
    HAS(o.out, "line 24\t0\t");
    const char *last = strstr(o.out, "line 60\t3\t"), *told = strstr(o.out, "accuracy           ");
    cr_assert(last != NULL && told != NULL, "%s", o.out);
    cr_expect_float_eq(atof(last + strlen("line 60\t3\t")), atof(told + 19), 1e-4);
    size_t told_n[3];
    const char *counts = strstr(o.out, "images a cluster");
    cr_assert_not_null(counts);
    cr_assert_eq(sscanf(counts + strlen("images a cluster  "), "%zu %zu %zu", &told_n[0],
                        &told_n[1], &told_n[2]),
                 3);
    cr_expect_eq(told_n[0] + told_n[1] + told_n[2], TESTS);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\t%zu\t%zu\t%zu\n", told_n[0], told_n[1], told_n[2]);
    HAS(last, wanted);
    forget(&o);
}

/* Every series of a real run, and the figures made of them. */
Test(train, a_run_can_be_tabulated_and_drawn)
{
    outcome o = run(TRAIN_GMVAE "--data labelled --out r --epochs 3 --autoencoder-epochs 2 "
                                "--audit 1 && mkdir t && \"$EVIDENCE\" tabulate r | cut -f 2 | "
                                "while read s; do \"$EVIDENCE\" tabulate r $s --out t/$s.tsv || "
                                "exit 1; awk -F '\\t' -v s=$s '/^#/ && /\\t/ { n = NF } "
                                "/^[^#]/ { rows++; if (NF != n) exit 1 } END { print s, \"rows\", "
                                "(rows > 1) }' t/$s.tsv; done");
    STATUS(o, 0);
    cr_expect_eq(count_of(o.out, " rows 1"), 7, "%s", o.out);
    forget(&o);
    if (system("command -v gnuplot >/dev/null") != 0)
        cr_skip_test("gnuplot is missing");
    o = run("for s in t/*.tsv; do cp $s training-${s#t/}; done; gnuplot -e \"format='svg'; "
            "plot='training'; into='training'; run='r'\" %s/plots/style.gp %s/plots/training.gp && "
            "ls training-*.svg",
            program_source, program_source);
    STATUS(o, 0);
    HAS(o.out, "training-clusters.svg\ntraining-latent.svg\ntraining-loss.svg\n"
               "training-samples.svg\n");
    forget(&o);
}

Test(train, the_measures_of_a_run_are_a_row_of_a_table)
{
    outcome o = run(TRAIN_GMVAE "--data labelled --out r --epochs 2 --autoencoder-epochs 1 && "
                                "\"$EVIDENCE\" eval --format tsv --log-px-images 5 r");
    STATUS(o, 0);
    HAS(o.out, "model\tdata\tseed\tstep\taccuracy\tnmi\tari\tpurity\telbo\telbo_se\tlog_px\t"
               "log_px_se\tlog_px_images\tseconds\ngmvae\tlabelled\t1\t36\t");
    double m[10];
    cr_assert_eq(sscanf(strstr(o.out, "gmvae\tlabelled"),
                        "gmvae labelled 1 36 %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf", &m[0], &m[1],
                        &m[2], &m[3], &m[4], &m[5], &m[6], &m[7], &m[8], &m[9]),
                 10, "%s", o.out);
    /* As what was printed at the end of training has them. */
    static const struct {
        const char *name;
        size_t at;
    } printed[] = {{"accuracy           ", 0}, {"NMI                ", 1},
                   {"ARI                ", 2}, {"purity             ", 3},
                   {"ELBO               ", 4}, {"log p(x), S = 500  ", 6}};
    for (size_t i = 0; i < sizeof printed / sizeof *printed; i++) {
        const char *line = strstr(o.out, printed[i].name);
        cr_assert_not_null(line, "no %s in %s", printed[i].name, o.out);
        /* Four decimals there, six digits here. */
        cr_expect_float_eq(atof(line + strlen(printed[i].name)), m[printed[i].at],
                           5e-5 + 5e-6 * fabs(m[printed[i].at]), "%s", printed[i].name);
    }
    cr_expect(m[8] > 4.5 && m[8] < 5.5 && m[9] > 0);
    forget(&o);
}

Test(train, the_vae_has_no_clusters_to_report)
{
    outcome o = run(
        "\"$EVIDENCE\" train vae --threads 1 --hidden 12 --latent 2 --batch 10 --epochs 2 "
        "--posterior full --likelihood gaussian --data labelled --log-px-images 5");
    STATUS(o, 0);
    HAS(o.out, "ELBO");
    LACKS(o.out, "accuracy");
    HAS(o.out, "runs/vae/samples.png");
    forget(&o);
}

Test(train, labels_change_no_bit_of_the_training)
{
    outcome o = run(TRAIN_GMVAE "--data labelled --out a --epochs 2 --no-eval");
    STATUS(o, 0);
    forget(&o);
    o = run(TRAIN_GMVAE "--data plain --out b --epochs 2 --no-eval && "
                        "cmp a/checkpoint.safetensors b/checkpoint.safetensors");
    STATUS(o, 0);
    forget(&o);
}

/* Wherever the signal falls, before, within or after the run, the file at the end is the same. */
Test(train, a_run_that_is_stopped_and_resumed_ends_on_the_same_bytes)
{
    static const char *const signals[] = {"INT", "TERM", "KILL"};
    static const char *const delays[] = {"0.1", "0.2", "0.15"};
    size_t interrupted = 0;
    outcome o = run(LONG_RUN "--out whole");
    STATUS(o, 0);
    forget(&o);
    for (int i = 0; i < 3; i++) {
        o = run("rm -rf r; timeout -s %s %s " LONG_RUN "--out r; s=$?; sleep 0.2; exit $s",
                signals[i], delays[i]);
        const bool cut = o.status == 124 || o.status == 137;
        forget(&o);
        o = run("test -e r/checkpoint.safetensors || exit 77; "
                "\"$EVIDENCE\" train --resume r --threads 1 --no-eval && "
                "cmp whole/checkpoint.safetensors r/checkpoint.safetensors && "
                "cut -f 1-9 whole/metrics.tsv >w && cut -f 1-9 r/metrics.tsv >v && cmp w v && "
                "cmp whole/clusters.tsv r/clusters.tsv");
        if (o.status != 77) /* it was killed before it had begun */
            STATUS(o, 0);
        interrupted += cut && o.status == 0;
        forget(&o);
    }
    cr_expect_gt(interrupted, 0);
}

Test(train, a_stop_is_clean_and_says_how_to_go_on)
{
    outcome o = run("timeout -s INT 1 " TRAIN_GMVAE
                    "--data plain --out r --epochs 1000000; exit $?");
    /* timeout reports 124 when its signal was sent in time; the program itself said 0. */
    STATUS(o, 124);
    HAS(o.err, "'evidence train --resume r");
    forget(&o);
}

/* A run in d/r is stopped and goes on where writing fails: status 3, one message with the file and
 * the reason, and the checkpoint that was there is there still, alone. */
#define GOES_ON_WITHOUT_ROOM(before, with)                                                  \
    "mkdir d\n" before "\n" TRAIN_GMVAE                                                     \
    "--data plain --out d/r --epochs 1000000 --no-eval 2>log &\n"                           \
    "until test -e d/r/checkpoint.safetensors; do sleep 0.1; kill -0 $! || exit 70; done\n" \
    "kill -TERM $!; wait\n"                                                                 \
    "cp d/r/checkpoint.safetensors kept\n" with "\n"                                        \
    "\"$EVIDENCE\" train --resume d/r --threads 1 --no-eval\n"                              \
    "status=$?\n"                                                                           \
    "cmp kept d/r/checkpoint.safetensors || exit 71\n"                                      \
    "test $(ls -A d/r | wc -l) = 5 || exit 72\n"                                            \
    "exit $status"

static void expect_no_room(outcome *o, const char *reason)
{
    STATUS(*o, 3);
    HAS(o->err, "can't write to d/r/");
    HAS(o->err, reason);
    cr_assert_eq(count_of(o->err, "error:"), 1, "%s", o->err);
    forget(o);
}

Test(train, a_file_that_may_not_grow_stops_the_run_and_keeps_its_checkpoint)
{
    outcome o = run(GOES_ON_WITHOUT_ROOM("", "trap '' XFSZ; ulimit -f 8"));
    expect_no_room(&o, "File too large");
}

static bool can_mount(void)
{
    outcome o = run("unshare -rm mount -t tmpfs none .");
    const bool can = o.status == 0;
    forget(&o);
    return can;
}

/* The disk is a small one in memory, which a file then fills. */
Test(train, a_full_disk_stops_the_run_and_keeps_its_checkpoint)
{
    if (!can_mount())
        cr_skip_test("no file system can be mounted here");
    outcome o = run("unshare -rm sh -c '" GOES_ON_WITHOUT_ROOM(
        "mount -t tmpfs -o size=128k none d || exit 73", "cat /dev/zero >d/fill 2>sink") "'");
    expect_no_room(&o, "No space left on device");
}

/* An empty disk hides the folder, where there is one. */
Test(train, a_default_folder_that_is_not_there_names_its_package)
{
    const char *folder = ev_image_set_default_folder();
    const bool there = access(folder, F_OK) == 0;
    if (there && !can_mount())
        cr_skip_test("%s is there and can't be hidden", folder);
    outcome o = there ? run("unshare -rm sh -c 'mount -t tmpfs none \"$0\" && \"$EVIDENCE\" train "
                            "gmvae' '%s'",
                            folder)
                      : run("\"$EVIDENCE\" train gmvae");
    STATUS(o, 2);
    HAS(o.err, "not there: install the Debian package dataset-fashion-mnist, or name another");
    HAS(o.err, "--data");
    cr_assert_eq(count_of(o.err, "error:"), 1, "%s", o.err);
    forget(&o);
    o = run("test ! -e runs");
    STATUS(o, 0);
    forget(&o);
}

/* Command line, word of the message. */
static void refused(const char *words, const char *piece)
{
    outcome o = run("\"$EVIDENCE\" train %s", words);
    STATUS(o, 2);
    HAS(o.err, piece);
    cr_assert_eq(count_of(o.err, "error:"), 1, "%s", o.err);
    forget(&o);
}

Test(train, bad_input_is_one_clear_message_and_leaves_no_folder)
{
    refused("", "gmvae, vae or vqvae");
    refused("gan", "unknown model 'gan'");
    refused("gmvae --data nowhere", "nowhere");
    refused("gmvae --data plain --clusters 0", "--clusters");
    refused("gmvae --data plain --batch 10 --clusters 200", "200 clusters");
    refused("gmvae --data plain --rate -1", "rate");
    refused("gmvae --data plain --rate nan", "rate");
    refused("gmvae --data plain --batch 121", "batch");
    refused("gmvae --data plain --hidden 12,,3", "--hidden");
    refused("gmvae --data plain --gamma best", "--gamma");
    refused("vae --data plain --batch 10 --clusters 3", "one cluster");
    refused("--resume plain", "plain");
    refused("gmvae --resume plain --epochs 3", "--resume");
    outcome o = run("test ! -e runs");
    STATUS(o, 0);
    forget(&o);
}

Test(train, a_folder_that_holds_a_run_is_not_overwritten)
{
    outcome o = run(TRAIN_GMVAE "--data plain --out r --epochs 1 --no-eval");
    STATUS(o, 0);
    forget(&o);
    o = run("cp r/checkpoint.safetensors before; " TRAIN_GMVAE "--data plain --out r --epochs 2");
    STATUS(o, 2);
    forget(&o);
    o = run("cmp before r/checkpoint.safetensors");
    STATUS(o, 0);
    forget(&o);
}

Test(train, a_checkpoint_of_another_model_or_other_images_are_refused)
{
    outcome o = run(
        TRAIN_GMVAE
        "--data plain --out r --epochs 1 --no-eval; "
        "\"$EVIDENCE\" train gmvae --hidden 9 --batch 10 --threads 1 --data plain --out s "
        "--epochs 1 --no-eval; cp s/checkpoint.safetensors r; \"$EVIDENCE\" eval r");
    STATUS(o, 2);
    HAS(o.err, "encoder.0.weight");
    forget(&o);
    write_images("plain/train-images-idx3-ubyte", TRAIN - 1);
    o = run("\"$EVIDENCE\" eval s");
    STATUS(o, 2);
    HAS(o.err, "not the images of the run");
    forget(&o);
}

Test(train, a_file_of_settings_stands_between_preset_and_command_line)
{
    program_write("c.json", "{\"epochs\": 3, \"latent\": 4, \"hidden\": [9]}\n");
    outcome o = run("\"$EVIDENCE\" train gmvae --config c.json --epochs 2 --batch 10 --threads 1 "
                    "--clusters 3 --data plain --out r --no-eval && cat r/config.json");
    STATUS(o, 0);
    HAS(o.out, "\"epochs\": 2");
    HAS(o.out, "\"latent\": 4");
    HAS(o.out, "\"hidden\": [9]");
    HAS(o.out, "\"seed\": 1");
    HAS(o.out, "\"revision\"");
    HAS(o.out, "\"compiler\"");
    forget(&o);
    program_write("c.json", "{\"epoks\": 3}\n");
    o = run("\"$EVIDENCE\" train gmvae --config c.json --data plain");
    STATUS(o, 2);
    HAS(o.err, "epoks");
    forget(&o);
}

Test(train, training_is_audited_and_an_audit_on_demand_prints_its_rows)
{
    outcome o = run(TRAIN_GMVAE "--data plain --out r --epochs 2 --autoencoder-epochs 0 "
                                "--audit 1 --no-eval");
    STATUS(o, 0);
    HAS(o.err, "rows hold");
    forget(&o);
    o = run("cut -d, -f1 r/audit.jsonl | sort -u; grep -c REFUTED r/audit.jsonl");
    HAS(o.out, "{\"step\":0\n{\"step\":12\n");
    HAS(o.out, "\n0\n");
    forget(&o);
    o = run("\"$EVIDENCE\" audit --images 1 --samples 200 r");
    STATUS(o, 0);
    HAS(o.out, "gmvae-entropy-sign");
    HAS(o.out, "gradient along encoder.0.weight");
    HAS(o.out, " 0 refuted");
    forget(&o);
    o = run("\"$EVIDENCE\" audit nowhere");
    STATUS(o, 2);
    forget(&o);
}
