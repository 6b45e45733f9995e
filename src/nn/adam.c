#include "nn/adam.h"

#include <math.h>

void ev_adam_step(const ev_adam *adam, uint64_t t, double rate, size_t n, const float *gradient,
                  float *m, float *v, float *parameters)
{
    const float b1 = (float)adam->beta1, b2 = (float)adam->beta2;
    const float c1 = (float)(1.0 - adam->beta1), c2 = (float)(1.0 - adam->beta2);
    /* With both corrections taken out of the loop: rate' m / (sqrt v + epsilon'). */
    const double correction = sqrt(1.0 - pow(adam->beta2, (double)t));
    const float scaled = (float)(rate * correction / (1.0 - pow(adam->beta1, (double)t)));
    const float epsilon = (float)(adam->epsilon * correction);
#pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < n; i++) {
        float g = gradient[i];
        float mean = b1 * m[i] + c1 * g, square = b2 * v[i] + c2 * (g * g);
        m[i] = mean;
        v[i] = square;
        parameters[i] -= scaled * mean / (sqrtf(square) + epsilon);
    }
}
