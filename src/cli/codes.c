/* evidence encode and decode: images to the codes of a VQ-VAE's run, and back, as safetensors. */
#include "cli/message.h"
#include "cli/options.h"
#include "cli/subcommand.h"
#include "data/png.h"
#include "data/safetensors.h"
#include "nn/buffer.h"
#include "train/vqvae_evaluation.h"

#include <stdlib.h>

static struct {
    const char *data, *out, *codes;
    uint64_t threads;
    int split;
} asked;

static const char *const splits[] = {"test", "train", NULL};

static const ev_option encode_options[] = {
    {"split", 0, EV_OPTION_CHOICE, NULL, "which images", &asked.split, 0, 0, splits},
    {"out", 0, EV_OPTION_TEXT, "FILE", "the codes (default: codes.safetensors in the run's folder)",
     &asked.out, 0, 0, NULL},
    {"data", 0, EV_OPTION_TEXT, "DIR", "the images' folder, where it has moved", &asked.data, 0, 0,
     NULL},
    {"threads", 0, EV_OPTION_NUMBER, "N", "threads (default: the run's)", &asked.threads, 1, 256,
     NULL},
};

static const ev_option decode_options[] = {
    {"codes", 0, EV_OPTION_TEXT, "FILE",
     "what encode wrote (default: codes.safetensors in the run's folder)", &asked.codes, 0, 0,
     NULL},
    {"out", 0, EV_OPTION_TEXT, "FILE",
     "the images (default: decoded.safetensors in the run's folder)", &asked.out, 0, 0, NULL},
    {"data", 0, EV_OPTION_TEXT, "DIR", "the images' folder, where it has moved", &asked.data, 0, 0,
     NULL},
    {"threads", 0, EV_OPTION_NUMBER, "N", "threads (default: the run's)", &asked.threads, 1, 256,
     NULL},
};
#define COUNT(options) (sizeof(options) / sizeof *(options))

static ev_status no_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "out of memory");
}

/* codes (n,P,Q) U32, or images (n,H,W) U8. */
static ev_safetensor codes_tensor(const ev_vqvae_run *run, size_t n, const uint32_t *codes)
{
    const ev_code_prior_config *grid = &run->trainer.prior.config;
    return (ev_safetensor){.name = "codes",
                           .dtype = EV_DTYPE_U32,
                           .rank = 3,
                           .shape = {n, grid->height, grid->width},
                           .data = codes};
}

static ev_safetensor images_tensor(const ev_vqvae_run *run, size_t n, const uint8_t *levels)
{
    return (ev_safetensor){.name = "images",
                           .dtype = EV_DTYPE_U8,
                           .rank = 3,
                           .shape = {n, run->images.height, run->images.width},
                           .data = levels};
}

static ev_status write_tensor(const char *path, const ev_safetensor *tensor, ev_error *error)
{
    ev_status status = ev_safetensors_write(path, 1, tensor, 0, NULL, error);
    if (status == EV_OK)
        printf("%s\n", path);
    return status;
}

/* --- Encode --------------------------------------------------------------------------------- */

static ev_status encode(ev_vqvae_run *run, const char *path, ev_error *error)
{
    const ev_image_source *source = asked.split == 0 ? &run->test.source : &run->train.source;
    const size_t B = run->trainer.config.batch, N = run->trainer.model.N, n = source->count;
    uint32_t *codes = calloc(ev_size_product(n, N), sizeof *codes);
    if (codes == NULL)
        return no_memory(error);
    for (size_t first = 0; first < n; first += B) {
        size_t take = n - first < B ? n - first : B;
        source->in_order(source->context, first, take, run->trainer.x);
        ev_vqvae_codes_of(run, take, run->trainer.x, codes + first * N);
    }
    const ev_safetensor tensor = codes_tensor(run, n, codes);
    ev_status status = write_tensor(path, &tensor, error);
    free(codes);
    return status;
}

/* --- Decode --------------------------------------------------------------------------------- */

/* The codes of a file, which is untrusted: shape and range are held against the run's. */
static ev_status read_codes(const ev_vqvae_run *run, const char *path, size_t *n, uint32_t **codes,
                            ev_error *error)
{
    const size_t N = run->trainer.model.N, K = run->trainer.config.model.K;
    ev_safetensors *file = NULL;
    ev_status status = ev_safetensors_read(path, &file, error);
    const ev_safetensor *found = status == EV_OK ? ev_safetensors_find(file, "codes") : NULL;
    if (status == EV_OK && (found == NULL || found->rank != 3 || found->shape[0] == 0))
        status = ev_error_set(error, EV_BAD_INPUT, "%s: no array 'codes' of images, rows, columns",
                              path);
    if (status == EV_OK) {
        *n = found->shape[0];
        *codes = calloc(ev_size_product(*n, N), sizeof **codes);
        const ev_safetensor wanted = codes_tensor(run, *n, NULL);
        status = *codes == NULL ? no_memory(error)
                                : ev_safetensors_take(file, &wanted, EV_ANY_VALUE, *codes, error);
    }
    for (size_t i = 0; status == EV_OK && i < *n * N; i++)
        if ((*codes)[i] >= K)
            status = ev_error_set(error, EV_BAD_INPUT,
                                  "%s: image %zu, place %zu: code %u, of a dictionary of %zu", path,
                                  i / N, i % N, (unsigned)(*codes)[i], K);
    ev_safetensors_destroy(file);
    return status;
}

static ev_status decode_all(ev_vqvae_run *run, size_t n, const uint32_t *codes, uint8_t *levels)
{
    const size_t B = run->trainer.config.batch, N = run->trainer.model.N, D = run->trainer.model.D;
    for (size_t first = 0; first < n; first += B) {
        size_t take = n - first < B ? n - first : B;
        ev_vqvae_images_of(run, take, codes + first * N, run->trainer.x);
        ev_png_levels(take * D, run->trainer.x, levels + first * D);
    }
    return EV_OK;
}

static ev_status decode(ev_vqvae_run *run, const char *from, const char *path, ev_error *error)
{
    uint32_t *codes = NULL;
    uint8_t *levels = NULL;
    size_t n = 0;
    ev_status status = read_codes(run, from, &n, &codes, error);
    if (status == EV_OK) {
        levels = calloc(n, run->trainer.model.D);
        status = levels == NULL ? no_memory(error) : decode_all(run, n, codes, levels);
    }
    if (status == EV_OK) {
        const ev_safetensor tensor = images_tensor(run, n, levels);
        status = write_tensor(path, &tensor, error);
    }
    free(codes);
    free(levels);
    return status;
}

/* --- The commands ---------------------------------------------------------------------------- */

static ev_status work(ev_vqvae_run *run, bool decodes, ev_error *error)
{
    char *codes = ev_run_path(&run->folder, "codes.safetensors");
    char *decoded = ev_run_path(&run->folder, "decoded.safetensors");
    ev_status status;
    if (codes == NULL || decoded == NULL)
        status = no_memory(error);
    else if (decodes)
        status = decode(run, asked.codes != NULL ? asked.codes : codes,
                        asked.out != NULL ? asked.out : decoded, error);
    else
        status = encode(run, asked.out != NULL ? asked.out : codes, error);
    free(codes);
    free(decoded);
    return status;
}

static int run_command(const ev_subcommand *self, const ev_option *options, size_t count,
                       bool decodes, int argc, char **argv)
{
    static ev_vqvae_run run; /* its sources point into it */
    ev_error error = EV_ERROR_NONE;
    switch (ev_options_parse(self->name, options, count, &argc, argv)) {
    case EV_OPTIONS_HELP: return ev_subcommand_help(self);
    case EV_OPTIONS_BAD: return EV_EXIT_INPUT;
    default: break;
    }
    if (argc != 1) {
        ev_message(EV_COLOUR_AUTO, "'evidence %s' takes the folder of one run", self->name);
        return EV_EXIT_INPUT;
    }
    ev_status status = ev_vqvae_run_open(&run, argv[0], asked.data, asked.threads, &error);
    if (status == EV_OK)
        status = work(&run, decodes, &error);
    if (status != EV_OK)
        ev_message_error(&error, EV_COLOUR_AUTO);
    ev_vqvae_run_close(&run);
    return ev_message_exit(status);
}

static int run_encode(int argc, char **argv)
{
    return run_command(&ev_encode_subcommand, encode_options, COUNT(encode_options), false, argc,
                       argv);
}

static int run_decode(int argc, char **argv)
{
    return run_command(&ev_decode_subcommand, decode_options, COUNT(decode_options), true, argc,
                       argv);
}

static void encode_help(FILE *out)
{
    fputs("Writes the codes of a VQ-VAE's run for its images: the array `codes`, U32, of images,\n"
          "rows and columns, in a safetensors file.\n\n",
          out);
    ev_options_help(out, encode_options, COUNT(encode_options));
}

static void decode_help(FILE *out)
{
    fputs(
        "Makes images of what encode wrote: the array `images`, U8, of images, rows and columns,\n"
        "in a safetensors file.\n\n",
        out);
    ev_options_help(out, decode_options, COUNT(decode_options));
}

const ev_subcommand ev_encode_subcommand = {
    "encode", "[OPTION...] RUN", "images to the codes of a VQ-VAE", run_encode, encode_help};
const ev_subcommand ev_decode_subcommand = {"decode", "[OPTION...] RUN",
                                            "codes of a VQ-VAE to images", run_decode, decode_help};
