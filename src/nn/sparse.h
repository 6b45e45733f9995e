/* Products with a matrix many of whose elements are exactly 0.
 *
 * Behind a ReLU they are: in a network that has been trained for a while nine of ten activations, and
 * as many of the derivatives that pass back through them.  A zero adds nothing to a sum, so it is left
 * out.  Which elements to take is a bit for each; the rows of the other factor that they choose are
 * added up in registers.
 *
 *   C = A B, A (M,K) with zeros, B (K,N), C (M,N), none of the sizes 0
 * All are the caller's.  An element of C is the sum over k in ascending order, whichever thread makes it
 * and whatever else is in the batch: the same to the bit for any number of threads.  Where B holds an
 * infinity or a NaN, 0 times it counts as 0. */
#ifndef EV_NN_SPARSE_H
#define EV_NN_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No product has fewer columns: of few, too little is done for each element of A. */
enum { EV_SPARSE_LEAST = 64, EV_SPARSE_DEPTH = 64 };

/* Without these a vector fills no register, and a BLAS, which asks the processor, is always faster. */
#if defined __AVX2__ && defined __FMA__
#define EV_SPARSE_SERVES true
#else
#define EV_SPARSE_SERVES false
#endif

/* (M,K) by rows, and where it isn't 0. */
typedef struct {
    size_t M, K;
    const float *at;
    uint64_t *marks; /* (blocks of EV_SPARSE_DEPTH columns, M): bit i for column i of the block */
} ev_sparse;

/* Words of marks. */
size_t ev_sparse_words(size_t M, size_t K);

/* Mark the elements that aren't 0, a NaN among them, of all rows or, on the calling thread, of those from
 * begin to end; returns how many. */
size_t ev_sparse_mark(const ev_sparse *A);
size_t ev_sparse_mark_rows(const ev_sparse *A, size_t begin, size_t end);

/* The other factor: B (K,N) by rows, or its transpose (N,K) by rows. */
typedef struct {
    size_t N;
    const float *at;
    bool transposed;
} ev_factor;

/* What becomes of a sum. */
typedef struct {
    const float *bias; /* (N) added to each row; NULL: none */
    bool rectify;      /* below 0 it becomes 0; a NaN stays one */
    const float *gate; /* (M,N): it becomes 0 where this isn't above 0; NULL: none */
} ev_sum_end;
/* Of `width` sums, which with their bias stand in c; offset: of c in C. */
void ev_sum_finish(const ev_sum_end *end, size_t offset, size_t width, float *c);

/* C (M,N) by rows, N >= EV_SPARSE_LEAST. */
void ev_sparse_product(const ev_sparse *A, const ev_factor *B, const ev_sum_end *end, float *C);

#endif
