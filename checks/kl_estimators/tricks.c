/* The two tricks, where they hold and how much they vary; the bias of a fit to samples. */
#include "numerics/integrand.h"
#include "numerics/quadrature.h"
#include "probability/log_space.h"
#include "scene.h"

/* A step function under q: score-function estimates, and reparameterised ones, the derivative
 * of f(g(e)) by phi in each draw. */
static int step_block(void *context, size_t worker, size_t n, const double *const *e,
                      double *const *out)
{
    const double *phi = context;
    double score[2];
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        const double h = 1e-9;
        double width = exp(phi[1]), x = phi[0] + width * e[0][i], f = x > 0;
        kl_score_q(phi, x, score);
        out[0][i] = f * score[0];
        out[1][i] = f * score[1];
        out[2][i] = ((x + h > 0) - (x - h > 0)) / (2 * h);
        out[3][i] = ((x + h * width * e[0][i] > 0) - (x - h * width * e[0][i] > 0)) / (2 * h);
    }
    return 0;
}

/* P(x > 0) = Phi(phi_1/sigma): its gradient is (1, -phi_1) times the density of q at 0. */
void kl_decide_continuity(ev_check *check)
{
    double phi[2] = {0.4, 0.3}, density = exp(kl_log_q(phi, 0));
    const double truth[2] = {density, -phi[0] * density};
    const char *id = "reparameterisation-needs-continuity";
    ev_sample_summary drawn[4];
    ev_stream stream = ev_check_stream(check, "step");
    if (ev_monte_carlo_expect(1, step_block, phi, 4, &stream, 100000, 2, drawn) != EV_OK) {
        ev_check_give_up(check, id, "sampling failed");
        return;
    }
    double half[2];
    bool score = true, path = true;
    for (int d = 0; d < 2; d++) {
        half[d] = ev_sample_half_width(&drawn[d], ev_check_alpha(check));
        score = score && covers(&drawn[d], half[d], truth[d]) && half[d] < 0.25 * fabs(truth[d]);
        path = path && fabs(drawn[2 + d].mean) <= 0 && drawn[2 + d].variance <= 0;
    }
    const ev_alternative others[] = {
        {"the reparameterised estimate is unbiased", path,
         ev_check_format(check, "0 in each of 100000 draws, the gradient is (%.4f, %.4f)", truth[0],
                         truth[1])},
        {"the score-function estimate needs continuity as well", score,
         ev_check_format(check, "it gives (%.4f, %.4f)", drawn[0].mean, drawn[1].mean)}};
    ev_check_decide(check, id, score && path,
                    ev_check_format(check,
                                    "gradient (%.5f, %.5f); score function (%.5f +- %.5f, %.5f +- "
                                    "%.5f); reparameterised 0 in every draw",
                                    truth[0], truth[1], drawn[0].mean, half[0], drawn[1].mean,
                                    half[1]),
                    2, others);
}

/* f = (x-a)^2, d = phi_1 - a, sigma = 1: the two estimates and their squares. */
static int square_block(void *context, size_t worker, size_t n, const double *const *e,
                        double *const *out)
{
    double d = *(const double *)context;
    (void)worker;
    for (size_t i = 0; i < n; i++) {
        double root = d + e[0][i];
        out[0][i] = root * root * e[0][i];
        out[1][i] = 2 * root;
        out[2][i] = out[0][i] * out[0][i];
        out[3][i] = out[1][i] * out[1][i];
    }
    return 0;
}

/* Variances of the score-function and of the reparameterised estimate at distance d. */
static void estimate_variances(double d, double variance[2])
{
    ev_integral out[4];
    size_t evaluations;
    for (int k = 0; k < 2; k++)
        variance[k] = (double)NAN;
    if (ev_kronrod_expect(12, 1e-14, 1e-12, square_block, &d, 4, out, &evaluations) == EV_OK)
        for (int k = 0; k < 2; k++)
            variance[k] = out[2 + k].value - out[k].value * out[k].value;
}

void kl_decide_reparameterisation_variance(ev_check *check)
{
    double near[2], far[2], farther[2], worst = 0;
    for (double d = 0; d <= 4; d++) {
        estimate_variances(d, near);
        worst = fmax(worst, fabs(near[0] / (pow(d, 4) + 14 * d * d + 15) - 1));
        worst = fmax(worst, fabs(near[1] / 4 - 1));
    }
    estimate_variances(128, far);
    estimate_variances(256, farther);
    double exponent = log2(farther[0] / far[0]), flat = log2(farther[1] / far[1]);
    const char *found = ev_check_format(check, "exponents %.4f and %.1e", exponent, flat);
    const ev_alternative others[] = {
        {"the score function's variance grows as the square", fabs(exponent - 2) > 0.1, found},
        {"the two variances are of one order", fabs(exponent - flat) > 0.1, found},
        {"the reparameterised variance grows too", fabs(flat) < 1e-6, found}};
    ev_check_decide(check, "reparameterisation-variance",
                    fabs(exponent - 4) < 0.01 && fabs(flat) < 1e-6 && worst < 1e-10,
                    ev_check_format(check,
                                    "exponents between distances 128 and 256: %.4f and %.1e; "
                                    "within %.1e of d^4 + 14 d^2 + 15 and of 4",
                                    exponent, flat, worst),
                    3, others);
}

/* log of the standard deviation fitted to N draws of N(0,1), bias and spread over FITS fits. */
enum { FITS = 6000 };

static void fitted_log_sd(const ev_stream *stream, size_t N, double *bias, double *deviation)
{
    double sum = 0, squares = 0, x[EV_BLOCK];
    for (size_t r = 0; r < FITS; r++) {
        double mean = 0, second = 0;
        ev_stream_normals(stream, (uint64_t)(r * N), N, x);
        for (size_t i = 0; i < N; i++) {
            mean += x[i] / (double)N;
            second += x[i] * x[i] / (double)N;
        }
        double fitted = 0.5 * log(second - mean * mean);
        sum += fitted / FITS;
        squares += fitted * fitted / FITS;
    }
    *bias = sum;
    *deviation = sqrt(squares - sum * sum);
}

/* (psi((N-1)/2) + log(2/N))/2 for even N: psi(n + 1/2) = -euler - 2 log 2 + 2 sum 1/(2k-1). */
static double exact_log_sd_bias(size_t N)
{
    double psi = -0.57721566490153286061 - 2 * EV_LOG_2;
    for (size_t k = 1; k <= (N - 2) / 2; k++)
        psi += 2 / (2 * (double)k - 1);
    return 0.5 * (psi + log(2 / (double)N));
}

void kl_decide_sample_minimiser(ev_check *check)
{
    static const size_t SIZE[] = {8, 32, 128};
    double bias[3], deviation[3], width[3], exact[3];
    bool agree = true;
    for (int i = 0; i < 3; i++) {
        ev_stream stream = ev_check_stream(check, ev_check_format(check, "scale %zu", SIZE[i]));
        fitted_log_sd(&stream, SIZE[i], &bias[i], &deviation[i]);
        ev_sample_summary s = {
            .samples = FITS, .standard_error = deviation[i] / sqrt(FITS), .khat = -HUGE_VAL};
        width[i] = ev_sample_half_width(&s, ev_check_alpha(check));
        exact[i] = exact_log_sd_bias(SIZE[i]);
        agree = agree && fabs(bias[i] - exact[i]) <= width[i];
    }
    double exponent = log2(deviation[2] / deviation[1]) / 2;
    double far = 1000 * exact_log_sd_bias(1000);
    const char *found = ev_check_format(check, "bias with 8 draws %.4f +- %.4f", bias[0], width[0]);
    const ev_alternative others[] = {
        {"the minimiser of the sum is unbiased", fabs(bias[0]) > width[0], found},
        {"it is too large on average", bias[0] + width[0] < 0, found},
        {"its bias is half as large, -1/(2N)", fabs(bias[0] + 1.0 / 16) > width[0], found}};
    ev_check_decide(
        check, "kl-sample-minimiser", agree && fabs(exponent + 0.5) < 0.1 && fabs(far + 1) < 0.01,
        ev_check_format(check,
                        "bias with 8, 32, 128 draws %.4f, %.4f, %.4f (exact %.4f, %.4f, "
                        "%.4f; N times it %.4f at N = 1000); spread as N^%.3f",
                        bias[0], bias[1], bias[2], exact[0], exact[1], exact[2], far, exponent),
        3, others);
}
