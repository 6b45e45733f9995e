#include "cli/settings_options.h"

#include "cli/message.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What can be set on the command line, and what it is. */
static const struct {
    const char *key, *argument, *help;
} told[] = {
    {"hidden", "N,N,...", "widths of the encoder's hidden layers; the decoder mirrors them"},
    {"latent", "N", "dimensions of z"},
    {"clusters", "N", "clusters"},
    {"posterior", NULL, "covariance of q(z|x)"},
    {"likelihood", NULL, "p(x|z)"},
    {"gamma", NULL, "how q(c|x) is chosen"},
    {"samples", "N", "samples of z for each image"},
    {"gamma_samples", "N", "samples of z for --gamma average"},
    {"epochs", "N", "epochs of the model's own loss, in each round"},
    {"layer_epochs", "N", "epochs of each layer's autoencoder before that"},
    {"autoencoder_epochs", "N", "epochs of the whole autoencoder before that"},
    {"held_epochs", "N", "epochs of the loss with q(c|x) held at the clusters found, before that"},
    {"rounds", "N", "times that held epochs and those of the loss follow one another, 1 to 16"},
    {"batch", "N", "images a step"},
    {"rate", "X", "learning rate"},
    {"schedule", NULL, "of the learning rate; step: x0.9 every 10 epochs of a round, to 0.0002"},
    {"autoencoder_rate", "X", "learning rate of the autoencoders"},
    {"restore", NULL, "what the autoencoders minimise"},
    {"corruption", "X", "share of inputs set to 0 for the autoencoders"},
    {"rotation", "X",
     "widest rotation of images for the autoencoder and the held phase, in degrees"},
    {"shift", "X", "widest shift of images for the autoencoder and the held phase, in pixels"},
    {"zoom", "X", "widest zoom of images for the autoencoder and the held phase, as a share"},
    {"start", NULL, "how the clusters are found in the means"},
    {"restarts", "N", "starts of the mixture's fit, or of spectral clustering's k-means"},
    {"neighbours", "N", "of each image in the graph of a spectral start"},
    {"binarise", NULL, "how grey pixels become binary"},
    {"audit", "N", "epochs of the ELBO from audit to audit (0: none)"},
    {"threads", "N", "threads (0: OpenMP's default)"},
    {"seed", "N", "the seed of every random draw"},
    {"data", "DIR", "folder of IDX files, as MNIST's"},
};

static const char *help_of(const char *key, const char **argument)
{
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (strcmp(told[i].key, key) == 0) {
            *argument = told[i].argument;
            return told[i].help;
        }
    return NULL;
}

static ev_option option_of(ev_settings_options *o, const ev_config_key *key)
{
    ev_option option = {.choices = key->choices, .target = key->target};
    switch (key->kind) {
    case EV_CONFIG_WHOLE:
        option.kind = EV_OPTION_NUMBER;
        option.low = (uint64_t)key->low;
        option.high = (uint64_t)key->high;
        break;
    case EV_CONFIG_REAL: option.kind = EV_OPTION_REAL; break;
    case EV_CONFIG_CHOICE: option.kind = EV_OPTION_CHOICE; break;
    default:
        option.kind = EV_OPTION_TEXT;
        option.target = key->kind == EV_CONFIG_WHOLES ? &o->hidden : &o->data;
    }
    return option;
}

void ev_settings_options_make(ev_settings_options *o, size_t extra, const ev_option *own)
{
    ev_config_key keys[EV_SETTINGS_KEYS];
    const size_t count = ev_settings_keys(&o->settings, keys);
    o->count = 0;
    for (size_t i = 0; i < extra; i++)
        o->option[o->count++] = own[i];
    for (size_t k = 0; k < count && o->count < EV_SETTINGS_OPTIONS; k++) {
        const char *argument = NULL, *help = help_of(keys[k].key, &argument);
        if (help == NULL)
            continue;
        char *name = o->names[o->count];
        snprintf(name, sizeof o->names[0], "%s", keys[k].key);
        for (char *c = name; *c != '\0'; c++)
            *c = *c == '_' ? '-' : *c;
        ev_option option = option_of(o, &keys[k]);
        option.name = name;
        option.argument = argument;
        option.help = help;
        o->option[o->count++] = option;
    }
}

/* "500,500,2000". */
static bool read_list(const char *text, ev_config_list *list)
{
    ev_config_list read = {0};
    for (const char *at = text;; at++) {
        char *end;
        uintmax_t value = strtoumax(at, &end, 10);
        bool fits = *at >= '0' && *at <= '9' && value >= 1 && value <= EV_GMVAE_WIDTH &&
                    read.count < EV_GMVAE_HIDDEN;
        if (!fits || (*end != ',' && *end != '\0')) {
            ev_message(EV_COLOUR_AUTO,
                       "'--hidden %s': expected 1 to %d whole numbers from 1 to %d, with commas "
                       "between",
                       text, EV_GMVAE_HIDDEN, EV_GMVAE_WIDTH);
            return false;
        }
        read.value[read.count++] = (size_t)value;
        at = end;
        if (*end == '\0')
            break;
    }
    *list = read;
    return true;
}

bool ev_settings_options_take(ev_settings_options *o)
{
    if (o->hidden != NULL && !read_list(o->hidden, &o->settings.hidden))
        return false;
    if (o->data != NULL)
        snprintf(o->settings.data, sizeof o->settings.data, "%s", o->data);
    return true;
}
