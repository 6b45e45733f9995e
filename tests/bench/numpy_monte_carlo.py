"""The peer of bench_monte_carlo.c: NumPy's mean of log N(z; mu, sigma^2), z ~ N(m, s^2).

Prints draws a second: of one array of all draws on one thread; then of the two ways in chunks that
bench_monte_carlo.c describes, each on one thread and on two; and which chunks were best.  Each is
the best of several repetitions.  In chunks all operations are in place.
"""
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

M, S, MU, SIGMA = 0.3, 0.8, -0.9, 1.3
LOG_NORM = -0.5 * math.log(2 * math.pi * SIGMA**2)
TRUTH = LOG_NORM - (S**2 + (M - MU) ** 2) / (2 * SIGMA**2)
CHUNKS = (13, 15, 17)
REPETITIONS = 3


def one_array(rng, draws, _):
    """The formula as one would type it."""
    z = M + S * rng.standard_normal(draws)
    return float(np.sum(-0.5 * np.log(2 * np.pi * SIGMA**2) - (z - MU) ** 2 / (2 * SIGMA**2)))


def in_chunks(rng, draws, z):
    """Draws of q, the log density of each, their sum."""
    total = 0.0
    for _ in range(draws // z.size):
        rng.standard_normal(out=z)
        z *= S
        z += M
        z -= MU
        np.square(z, out=z)
        z /= -2 * SIGMA**2
        z += LOG_NORM
        total += float(z.sum())
    return total


def by_hand(rng, draws, z):
    """The same with constants and factors taken out, squares added by BLAS."""
    total = 0.0
    for _ in range(draws // z.size):
        rng.standard_normal(out=z)
        z *= S
        z += M - MU
        total += float(np.dot(z, z))
    return draws * LOG_NORM - total / (2 * SIGMA**2)


def measure(pool, way, kind, draws, chunk, threads):
    """Draws a second, of `draws` on each thread."""
    rngs = [np.random.Generator(kind(s)) for s in np.random.SeedSequence().spawn(threads)]
    buffers = [np.empty(chunk) for _ in rngs]
    best = 0.0
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        if threads == 1:
            total = way(rngs[0], draws, buffers[0])
        else:
            total = sum(pool.map(way, rngs, [draws] * threads, buffers))
        best = max(best, draws * threads / (time.perf_counter() - start))
        if abs(total / (draws * threads) - TRUTH) > 10 / math.sqrt(draws):
            sys.exit("the estimate is wrong")
    return best


def best_of(pool, way, kinds, draws, threads):
    return max(
        (measure(pool, way, kind, draws, 1 << power, threads), f"{kind.__name__}, 2^{power} draws")
        for kind in kinds
        for power in CHUNKS
    )


def main():
    draws = int(sys.argv[1])
    default = type(np.random.default_rng().bit_generator)
    kinds = (default, np.random.SFC64)
    with ThreadPoolExecutor(2) as pool:
        written = [best_of(pool, in_chunks, (default,), draws, t) for t in (1, 2)]
        hand = [best_of(pool, by_hand, kinds, draws, t) for t in (1, 2)]
        whole = measure(pool, one_array, default, draws, 1, 1)
    print(whole, *(speed for speed, _ in written + hand), f"NumPy {np.__version__}, {written[0][1]}")


main()
