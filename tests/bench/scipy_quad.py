"""The peer of bench_lemma.c: the same integral by scipy.integrate.quad, a Python integrand.

Prints seconds a case for the three ways that bench_lemma.c describes, each the mean over the
points of the best of a few repetitions.
"""
import math
import sys
import time

import numpy as np
import scipy
from scipy.integrate import quad

LOG_2PI = math.log(2 * math.pi)
ROOT_2PI = math.sqrt(2 * math.pi)
REPETITIONS = 4
TIGHT = {"epsabs": 0, "epsrel": 1e-11}


def point(i):
    def fraction(step):
        return math.fmod((i + 1) * step, 1.0)

    return (
        4 * fraction(0.8566748838545029) - 2,
        0.2 + 2 * fraction(0.733891856627126),
        4 * fraction(0.6287067210378087) - 2,
        0.2 + 2 * fraction(0.5385972572236101),
    )


def truth(m, s, mu, sigma):
    return -0.5 * math.log(2 * math.pi * sigma**2) - (s**2 + (m - mu) ** 2) / (2 * sigma**2)


def printed(m, s, mu, sigma):
    def f(z):
        q = np.exp(-((z - m) ** 2) / (2 * s**2)) / np.sqrt(2 * np.pi * s**2)
        return q * (-0.5 * np.log(2 * np.pi * sigma**2) - (z - mu) ** 2 / (2 * sigma**2))

    return f


def floats(m, s, mu, sigma):
    log_q, log_p = -0.5 * LOG_2PI - math.log(s), -0.5 * LOG_2PI - math.log(sigma)
    exp = math.exp

    def f(z):
        u, v = (z - m) / s, (z - mu) / sigma
        return exp(log_q - 0.5 * u * u) * (log_p - 0.5 * v * v)

    return f


def whitened(m, s, mu, sigma):
    log_p, shift, scale = -0.5 * LOG_2PI - math.log(sigma), (m - mu) / sigma, s / sigma
    exp = math.exp

    def f(e):
        v = shift + scale * e
        return exp(-0.5 * e * e) / ROOT_2PI * (log_p - 0.5 * v * v)

    return f


def as_written(*case):
    return quad(printed(*case), -math.inf, math.inf, **TIGHT)


def in_floats(*case):
    return quad(floats(*case), -math.inf, math.inf, **TIGHT)


BY_HAND = [
    lambda *case: quad(floats(*case), -math.inf, math.inf),
    lambda *case: quad(floats(*case), case[0] - 9 * case[1], case[0] + 9 * case[1]),
    lambda *case: quad(whitened(*case), -math.inf, math.inf),
    lambda *case: quad(whitened(*case), -9, 9),
]


def measure(way, cases):
    """Seconds a case; infinite when the way is not right to 1e-8 in each."""
    total = 0.0
    for case in cases:
        best = math.inf
        for _ in range(REPETITIONS):
            start = time.perf_counter()
            value = way(*case)[0]
            best = min(best, time.perf_counter() - start)
        if not abs(value - truth(*case)) <= 1e-8 * abs(truth(*case)):
            return math.inf
        total += best
    return total / len(cases)


def main():
    cases = [point(i) for i in range(int(sys.argv[1]))]
    by_hand = min(measure(way, cases) for way in BY_HAND)
    print(measure(as_written, cases), measure(in_floats, cases), by_hand, "SciPy", scipy.__version__)


main()
