"""Are ranks uniform, and do events happen as often as they are expected? Exact tests, without simulation.

The rank test is that of Säilynoja, Bürkner and Vehtari (2022), Statistics and Computing 32:32 (arXiv:2103.10522): the
empirical distribution function of the ranks is compared with the uniform at every rank at once, by the binomial
probability of being so far out at the rank where it is farthest out. Their band is found by simulation or by
recursion over the ranks; here the recursion is exact for ranks that are whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FEWEST = 5.0
"""Ranks that each bin of a chi-square test needs (Cochran 1954, Biometrics 10(4))."""

MOST_BINS = 20


def cumulative(ranks: Sequence[int], values: int) -> Integers:
    """Return how many ranks are at most 0, 1, …, ``values - 2``; ranks are 0 to ``values - 1``."""
    return np.cumsum(np.bincount(np.asarray(ranks, dtype=int), minlength=values))[:-1]


@lru_cache(maxsize=8)
def tails(n: int, values: int) -> Floats:
    """Return twice the probability of being as far out, for each count of n ranks at most 0, 1, …, ``values - 2``.

    Shape ``(values - 1, n + 1)``. Under uniformity the number of ranks at most ``j`` is binomial with probability
    ``(j + 1) / values``.
    """
    from scipy.special import bdtr, bdtrc

    count = np.arange(n + 1)
    p = (np.arange(values - 1)[:, None] + 1) / values
    at_least = np.where(count > 0, bdtrc(np.maximum(count - 1, 0), n, p), 1.0)
    found: Floats = 2 * np.minimum(bdtr(count, n, p), at_least)
    return found


def farthest_out(ranks: Sequence[int], values: int) -> float:
    """Return the least of `tails` along the distribution function of some ranks."""
    found = tails(len(ranks), values)[np.arange(values - 1), cumulative(ranks, values)]
    return float(found.min())


def stays_inside(tail: float, n: int, values: int) -> float:
    """Return the probability that n uniform ranks have `farthest_out` above ``tail``.

    Counts of uniform ranks are independent Poisson counts given their sum, so the probability of a path of
    cumulative counts is found by convolving from rank to rank and dropping the paths that leave.
    """
    from scipy.stats import poisson

    each = poisson.pmf(np.arange(n + 1), n / values)
    at = np.zeros(n + 1)
    at[0] = 1.0
    for inside in tails(n, values) > tail:
        at = np.convolve(at, each)[: n + 1] * inside
    return min(1.0, float(at @ each[::-1]) / float(poisson.pmf(n, n)))


def ecdf_p_value(ranks: Sequence[int], values: int) -> float:
    """Return the probability that uniform ranks are as far out as these, at the rank where they are farthest out.

    >>> ecdf_p_value([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 10)
    1.0
    """
    return max(0.0, 1.0 - stays_inside(farthest_out(ranks, values), len(ranks), values))


@lru_cache(maxsize=32)
def band(n: int, values: int, level: float) -> tuple[Floats, Floats]:
    """Return the least and the greatest share of n ranks at most 0, 1, …, ``values - 2`` that pass at a level.

    The distribution function of uniform ranks stays inside everywhere with a probability of at least ``1 - level``,
    and leaves exactly where `ecdf_p_value` is at most ``level``.
    """
    candidates = np.unique(tails(n, values))
    low, high = -1, len(candidates) - 1
    while high - low > 1:
        middle = (low + high) // 2
        rejected = 1.0 - stays_inside(float(candidates[middle]), n, values) <= level
        low, high = (middle, high) if rejected else (low, middle)
    inside = tails(n, values) > (candidates[low] if low >= 0 else -1.0)
    least, greatest = inside.argmax(axis=1), n - inside[:, ::-1].argmax(axis=1)
    return least / n, greatest / n


def chi_square_p_value(ranks: Sequence[int], values: int) -> float:
    """Return the p-value of Pearson's chi-square on as many equal bins as the ranks fill with five each."""
    from scipy.stats import chisquare

    bins = next((b for b in range(MOST_BINS, 1, -1) if values % b == 0 and len(ranks) / b >= FEWEST), 1)
    counts = np.bincount(np.asarray(ranks, dtype=int) * bins // values, minlength=bins)
    return float(chisquare(counts).pvalue) if bins > 1 else 1.0


def events_p_value(happened: Sequence[bool], expected: Sequence[float]) -> float:
    """Return the two-sided p-value of how many events happened, each with its own expected probability.

    Twice the smaller tail of the Poisson binomial distribution, by convolution.

    >>> events_p_value([True, False], [0.5, 0.5])
    1.0
    """
    distribution = np.ones(1)
    for p in expected:
        distribution = np.convolve(distribution, [1 - p, p])
    number = int(np.sum(happened))
    return float(min(1.0, 2 * min(distribution[: number + 1].sum(), distribution[number:].sum())))
