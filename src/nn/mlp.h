/* Multi-layer perceptrons: dense layers with a ReLU after each but the last.
 *
 *   depth      layers
 *   width[l]   inputs of layer l; width[depth] the outputs
 *   act[l]     (B, width[l+1]) what layer l puts out, after its ReLU
 * The parameters are blocks of one array (layout.h): PREFIX.l.weight (width[l+1], width[l]) and
 * PREFIX.l.bias (width[l+1]).
 */
#ifndef EV_NN_MLP_H
#define EV_NN_MLP_H

#include "nn/layout.h"

#include <stddef.h>
#include <stdint.h>

enum { EV_MLP_DEPTH = 8 };

typedef struct {
    size_t depth;
    size_t width[EV_MLP_DEPTH + 1];
    size_t weight[EV_MLP_DEPTH]; /* offsets in the parameter array */
    size_t bias[EV_MLP_DEPTH];
} ev_mlp;

/* Enter the blocks of a network into the layout.  1 <= depth <= EV_MLP_DEPTH. */
void ev_mlp_create(ev_mlp *mlp, ev_layout *layout, const char *prefix, size_t depth,
                   const size_t *width);

/* X. Glorot & Y. Bengio (AISTATS 2010): weights uniform on +-sqrt(6/(in + out)), biases 0.  Each
 * layer has a stream of its own, a function of seed and name. */
void ev_mlp_initialise(const ev_mlp *mlp, const char *name, uint64_t seed, float *parameters);

/* act[0] .. act[depth-1] from x (B, width[0]). */
void ev_mlp_forward(const ev_mlp *mlp, const float *parameters, size_t B, const float *x,
                    float *const act[], float *work);
/* From d_out (B, width[depth]) the gradient's blocks of this network and, unless dx is NULL, dx
 * (B, width[0]).  scratch[0], scratch[1]: (B, the widest hidden layer) each.
 * work, here and above: ev_mlp_work_size(mlp, B) floats. */
void ev_mlp_backward(const ev_mlp *mlp, const float *parameters, size_t B, const float *x,
                     float *const act[], const float *d_out, float *const scratch[2], float *work,
                     float *gradient, float *dx);

/* The widest of the hidden layers; 0 when there is none. */
size_t ev_mlp_widest(const ev_mlp *mlp);

/* The work of the layer that needs most (dense.h). */
size_t ev_mlp_work_size(const ev_mlp *mlp, size_t B);

#endif
