/* The prior over codes: that it is one (its probabilities add to 1, each from earlier codes only),
 * its loss and gradient against double precision, its samples against its probabilities. */
#include "models/code_prior.h"
#include "numerics/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8192, MOST_PLACES = 64, MOST_WIDTH = 16 };

static const ev_code_prior_config SMALL = {
    .height = 3, .width = 4, .K = 5, .embedding = 3, .hidden = 4, .inner = 3, .blocks = 2};

typedef struct {
    ev_code_prior prior;
    ev_code_prior_workspace w;
    float parameters[MOST], gradient[MOST];
    uint32_t codes[MOST];
    size_t B;
} fixture;

/* The last layer and the biases are made different from 0. */
static fixture *make(const ev_code_prior_config *config, size_t B, size_t threads, uint32_t point)
{
    fixture *f = calloc(1, sizeof *f);
    ev_error error = EV_ERROR_NONE;
    cr_assert_not_null(f);
    f->B = B;
    cr_assert_eq(ev_code_prior_create(&f->prior, config, &error), EV_OK, "%s", error.message);
    cr_assert(f->prior.layout.size <= MOST && B * f->prior.N <= MOST);
    cr_assert_eq(ev_code_prior_workspace_create(&f->w, &f->prior, B, threads, &error), EV_OK);
    const ev_stream stream = ev_stream_make(point, ev_hash_text("code prior"), 0, 0);
    ev_code_prior_initialise(&f->prior, point, f->parameters);
    for (size_t i = 0; i < f->prior.layout.size; i++) {
        double e;
        ev_stream_normals(&stream, i, 1, &e);
        f->parameters[i] += (float)(0.3 * e);
    }
    ev_code_prior_mask(&f->prior, f->parameters);
    for (size_t i = 0; i < B * f->prior.N; i++) {
        double u;
        ev_stream_uniforms(&stream, MOST + i, 1, &u);
        f->codes[i] = (uint32_t)(u * (double)config->K);
    }
    return f;
}

static void discard(fixture *f)
{
    ev_code_prior_workspace_destroy(&f->w);
    free(f);
}

/* --- In double precision, from the causal neighbours alone -------------------------------------*/

typedef double layer[MOST_PLACES][MOST_WIDTH];

static const double *named(const ev_code_prior *prior, const double *parameters, size_t stage,
                           const char *rest)
{
    char name[64];
    snprintf(name, sizeof name, "net.%zu%s", stage, rest);
    const ev_block *block = ev_layout_find(&prior->layout, name);
    cr_assert_not_null(block, "%s", name);
    return parameters + block->offset;
}

/* out at place (i,j) from the places before it, and itself where `own`. */
static void causal(const ev_code_prior *prior, size_t kernel, bool own, size_t in, size_t out,
                   const double *weight, const double *bias, layer x, layer y)
{
    const long P = (long)prior->config.height, Q = (long)prior->config.width;
    const long k = (long)kernel, reach = k / 2;
    for (long place = 0; place < P * Q; place++) {
        for (size_t f = 0; f < out; f++)
            y[place][f] = bias[f];
        for (long other = 0; other < place + (own ? 1 : 0); other++) {
            long u = other / Q - place / Q + reach, v = other % Q - place % Q + reach;
            if (u < 0 || u >= k || v < 0 || v >= k)
                continue;
            for (size_t c = 0; c < in; c++)
                for (size_t f = 0; f < out; f++)
                    y[place][f] += weight[((size_t)(u * k + v) * in + c) * out + f] * x[other][c];
        }
    }
}

static void rectified(layer from, layer to)
{
    for (size_t i = 0; i < MOST_PLACES; i++)
        for (size_t c = 0; c < MOST_WIDTH; c++)
            to[i][c] = fmax(from[i][c], 0);
}

static double oracle(const ev_code_prior *prior, const double *parameters, const uint32_t *codes)
{
    static layer x, h, r, a;
    const ev_code_prior_config *c = &prior->config;
    size_t last = 1 + c->blocks;
    double sum = 0;
    for (size_t i = 0; i < prior->N; i++)
        for (size_t e = 0; e < c->embedding; e++)
            x[i][e] = parameters[prior->embedding + codes[i] * c->embedding + e] +
                      parameters[prior->position + i * c->embedding + e];
    causal(prior, 5, false, c->embedding, c->hidden, named(prior, parameters, 0, ".weight"),
           named(prior, parameters, 0, ".bias"), x, h);
    for (size_t block = 1; block <= c->blocks; block++) {
        rectified(h, r);
        causal(prior, 3, true, c->hidden, c->inner, named(prior, parameters, block, ".0.weight"),
               named(prior, parameters, block, ".0.bias"), r, a);
        rectified(a, a);
        causal(prior, 1, true, c->inner, c->hidden, named(prior, parameters, block, ".1.weight"),
               named(prior, parameters, block, ".1.bias"), a, r);
        for (size_t i = 0; i < prior->N; i++)
            for (size_t k = 0; k < c->hidden; k++)
                h[i][k] += r[i][k];
    }
    rectified(h, r);
    causal(prior, 1, true, c->hidden, c->K, named(prior, parameters, last, ".weight"),
           named(prior, parameters, last, ".bias"), r, x);
    for (size_t i = 0; i < prior->N; i++) {
        double total = 0;
        for (size_t k = 0; k < c->K; k++)
            total += exp(x[i][k]);
        sum += x[i][codes[i]] - log(total);
    }
    return sum;
}

static double oracle_loss(const fixture *f, const double *parameters)
{
    double sum = 0;
    for (size_t b = 0; b < f->B; b++)
        sum += oracle(&f->prior, parameters, f->codes + b * f->prior.N);
    return -sum / (double)f->B;
}

Test(code_prior, log_probabilities_and_their_gradient_are_those_of_double_precision)
{
    for (uint32_t i = 0; i < 3; i++) {
        ev_code_prior_config config = SMALL;
        config.height = 2 + i, config.blocks = 1 + i;
        fixture *f = make(&config, 3, 2, i);
        static double exact[MOST];
        for (size_t p = 0; p < f->prior.layout.size; p++)
            exact[p] = (double)f->parameters[p];
        double loss = -ev_code_prior_forward(&f->prior, f->parameters, f->B, f->codes, &f->w);
        cr_expect_float_eq(loss, oracle_loss(f, exact), 1e-4);
        ev_code_prior_backward(&f->prior, f->parameters, f->B, f->codes, &f->w, f->gradient);
        double largest = 0, worst = 0;
        for (size_t p = 0; p < f->prior.layout.size; p++) {
            const double h = 1e-5, held = exact[p];
            exact[p] = held + h;
            double up = oracle_loss(f, exact);
            exact[p] = held - h;
            double slope = (up - oracle_loss(f, exact)) / (2 * h);
            exact[p] = held;
            largest = fmax(largest, fabs(slope));
            worst = fmax(worst, fabs(slope - (double)f->gradient[p]));
        }
        cr_expect_lt(worst, 1e-4 * largest, "%.2e of %.2e", worst, largest);
        discard(f);
    }
}

/* Do the logits at place i depend on nothing from place i on, and on what is before? */
static bool looks_only_back(fixture *f)
{
    const size_t N = f->prior.N, K = f->prior.config.K;
    float *before = malloc(N * K * sizeof *before);
    bool back = true;
    cr_assert_not_null(before);
    (void)ev_code_prior_forward(&f->prior, f->parameters, 1, f->codes, &f->w);
    memcpy(before, f->w.logits, N * K * sizeof *before);
    for (size_t j = 0; j < N; j++) {
        uint32_t held = f->codes[j];
        f->codes[j] = (held + 1) % (uint32_t)K;
        (void)ev_code_prior_forward(&f->prior, f->parameters, 1, f->codes, &f->w);
        f->codes[j] = held;
        /* To the bit for the places up to j; the next one sees it. */
        back = back && memcmp(before, f->w.logits, (j + 1) * K * sizeof *before) == 0;
        cr_expect(j + 1 == N || memcmp(before + (j + 1) * K, f->w.logits + (j + 1) * K,
                                       (N - j - 1) * K * sizeof *before) != 0);
    }
    free(before);
    return back;
}

/* The sum over all K^N grids of their probabilities. */
static double total_probability(fixture *f, double *each)
{
    size_t grids = 1;
    double total = 0;
    for (size_t i = 0; i < f->prior.N; i++)
        grids *= f->prior.config.K;
    for (size_t grid = 0; grid < grids; grid++) {
        size_t rest = grid;
        for (size_t i = 0; i < f->prior.N; i++, rest /= f->prior.config.K)
            f->codes[i] = (uint32_t)(rest % f->prior.config.K);
        double p = exp(ev_code_prior_forward(&f->prior, f->parameters, 1, f->codes, &f->w));
        total += p;
        if (each != NULL)
            each[grid] = p;
    }
    return total;
}

static const ev_code_prior_config TINY = {
    .height = 2, .width = 2, .K = 3, .embedding = 3, .hidden = 4, .inner = 3, .blocks = 2};

Test(code_prior, each_place_looks_only_at_earlier_codes)
{
    fixture *f = make(&SMALL, 1, 1, 10);
    cr_expect(looks_only_back(f));
    discard(f);
}

Test(code_prior, the_probabilities_of_all_grids_add_to_one)
{
    static const size_t shapes[][3] = {{2, 2, 3}, {1, 4, 4}, {4, 1, 3}, {3, 2, 2}, {1, 1, 5}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        ev_code_prior_config config = TINY;
        config.height = shapes[i][0], config.width = shapes[i][1], config.K = shapes[i][2];
        fixture *f = make(&config, 1, 1, (uint32_t)(20 + i));
        cr_expect_float_eq(total_probability(f, NULL), 1, 1e-5);
        discard(f);
    }
}

/* The planted error: the first layer sees the place itself, as with mask B. */
Test(code_prior, a_mask_that_lets_the_place_itself_through_is_noticed)
{
    fixture *f = make(&TINY, 1, 1, 30);
    const ev_conv *conv = &f->prior.net.stage[0].conv[0];
    float *centre = f->parameters + f->prior.net.stage[0].weight[0] +
                    12 * conv->channels * conv->filters;
    for (size_t i = 0; i < conv->channels * conv->filters; i++)
        centre[i] = i % 2 == 0 ? 1.5F : -1;
    cr_expect_not(looks_only_back(f));
    cr_expect_gt(fabs(total_probability(f, NULL) - 1), 0.01);
    discard(f);
}

Test(code_prior, at_first_every_grid_costs_n_log_k)
{
    fixture *f = make(&SMALL, 3, 2, 40);
    ev_code_prior_initialise(&f->prior, 8, f->parameters);
    double log_p = ev_code_prior_forward(&f->prior, f->parameters, f->B, f->codes, &f->w);
    cr_expect_float_eq(log_p, -(double)f->prior.N * log(5), 1e-5);
    discard(f);
}

Test(code_prior, samples_come_as_often_as_their_probabilities_say)
{
    enum { DRAWS = 20000, BATCH = 500, GRIDS = 81 };
    fixture *f = make(&TINY, BATCH, 2, 50);
    double p[GRIDS], hits[GRIDS] = {0};
    (void)total_probability(f, p);
    for (uint64_t first = 0; first < DRAWS; first += BATCH) {
        ev_code_prior_sample(&f->prior, f->parameters, 4, first, BATCH, f->codes, &f->w);
        for (size_t b = 0; b < BATCH; b++) {
            const uint32_t *c = f->codes + 4 * b;
            hits[c[0] + 3 * c[1] + 9 * c[2] + 27 * c[3]]++;
        }
    }
    double chi = 0;
    for (size_t i = 0; i < GRIDS; i++)
        chi += (hits[i] - DRAWS * p[i]) * (hits[i] - DRAWS * p[i]) / (DRAWS * p[i]);
    /* Chi-square with 80 degrees of freedom: above 160 with probability 3e-7. */
    cr_expect(chi < 160 && chi > 20, "chi-square %g", chi);
    discard(f);
}

Test(code_prior, a_sample_depends_on_seed_and_number_not_on_batch_or_threads)
{
    fixture *all = make(&SMALL, 40, 1, 60), *some = make(&SMALL, 8, 3, 60);
    ev_code_prior_sample(&all->prior, all->parameters, 5, 0, 40, all->codes, &all->w);
    ev_code_prior_sample(&some->prior, some->parameters, 5, 20, 8, some->codes, &some->w);
    cr_expect_eq(memcmp(all->codes + 20 * SMALL.height * SMALL.width, some->codes,
                        8 * SMALL.height * SMALL.width * sizeof(uint32_t)),
                 0);
    discard(all);
    discard(some);
}

Test(code_prior, absurd_configurations_are_refused)
{
    ev_code_prior_config bad[5] = {SMALL, SMALL, SMALL, SMALL, SMALL};
    bad[0].K = 0, bad[1].blocks = 9, bad[2].height = 0, bad[3].embedding = 1000, bad[4].inner = 0;
    for (size_t i = 0; i < 5; i++) {
        ev_code_prior prior;
        ev_error error = EV_ERROR_NONE;
        cr_expect_eq(ev_code_prior_create(&prior, &bad[i], &error), EV_BAD_INPUT);
        cr_expect_not_null(strstr(error.message, "expected 1 to"));
    }
}
