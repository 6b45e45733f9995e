/* The nearest of K rows, for many vectors at once.
 *
 *   rows (K,J)    z (N,J)    index (N)    index_i = arg min_k |z_i - rows_k|^2
 *
 * The lowest k where several are nearest.  A product of matrices in float finds |rows_k|^2 - 2 z_i rows_k
 * up to |z_i|^2; whatever lies within its rounding error of the least is compared again in double.  So
 * the result is that of an exhaustive search, whatever the BLAS and the number of threads.
 *
 *   float *scratch = ev_buffer_create(ev_nearest_scratch_size(512, threads));
 *   ev_nearest_rows(512, 64, codes, N, z, index, scratch, threads);
 */
#ifndef EV_NN_NEAREST_H
#define EV_NN_NEAREST_H

#include <stddef.h>
#include <stdint.h>

/* Floats; SIZE_MAX, which no allocator grants, where that overflows. */
size_t ev_nearest_scratch_size(size_t K, size_t threads);
/* A NaN in z_i gives 0.  ev_dense_prepare comes first. */
void ev_nearest_rows(size_t K, size_t J, const float *rows, size_t N, const float *z,
                     uint32_t *index, float *scratch, size_t threads);

#endif
