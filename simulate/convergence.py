"""Effective draws and rank-normalised R-hat of chains (Vehtari et al. 2021, Bayesian Analysis 16(2)).

They are ArviZ's, to the last bit. It ranks the draws anew for each of them, which is most of the work; here they are
ranked once. And as each follows from ranks alone, what has the same ranks is diagnosed once: multiples of one another,
and what a refit with other numbers has left as it was.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ranks = NDArray[np.int32]
"""Twice the rank of each draw among all, a whole number: equal draws share the mean of their ranks."""

TAILS = (0.05, 0.95)
"""Quantiles whose effective draws are those of the tails."""

REMEMBERED = 4096
"""Diagnoses that are remembered, a few bytes each."""


def mixing(values: Floats) -> dict[str, float]:
    """Return effective draws and rank-normalised R-hat of draws ``(chain, draw)``; NaN for what does not vary."""
    if not np.ptp(values) > 0:
        return dict.fromkeys(("ess_bulk", "ess_tail", "r_hat"), math.nan)
    split = halves(values)
    if split.shape[-1] < 4 or not np.isfinite(values).all():
        return by_arviz(values)
    ranks, folded = (each.reshape(split.shape) for each in ranked(split.ravel()))
    ess_bulk, r_hat_bulk = once(of_bulk, ranks)
    (r_hat_folded,) = once(of_spread, folded)
    tails = [once(of_tail, halves(values <= end)) for end in np.quantile(values, TAILS)]
    return {
        "ess_bulk": ess_bulk,
        "ess_tail": min(tails)[0],
        "r_hat": max(r_hat_bulk, r_hat_folded) if len(values) > 1 else math.nan,
    }


def by_arviz(values: Floats) -> dict[str, float]:
    """Return what `mixing` does, each ranked anew; also of a handful of draws, and of infinite ones."""
    from arviz_stats.base import array_stats

    return {
        "ess_bulk": float(array_stats.ess(values, method="bulk")),
        "ess_tail": float(array_stats.ess(values, method="tail", prob=TAILS)),
        "r_hat": float(array_stats.rhat(values, method="rank")) if len(values) > 1 else math.nan,
    }


def halves(values: NDArray[Any]) -> NDArray[Any]:
    """Return the halves of all chains as chains; of an odd number of draws the middle one is left out."""
    half = values.shape[-1] // 2
    return np.concatenate([values[:, :half], values[:, -half:]])


# ---------------------------------------------------------------------------------------------
# Ranks


def ranked(values: Floats) -> tuple[Ranks, Ranks]:
    """Return the ranks of numbers, and of their distances from the median.

    Distances of sorted numbers fall and then rise, two runs that a stable sort only has to merge.
    """
    order = np.argsort(values)
    ordered = values[order]
    distance = np.abs(ordered - np.median(ordered))
    outwards = np.argsort(distance, kind="stable")
    return ranks_of(ordered, order), ranks_of(distance[outwards], order[outwards])


def ranks_of(ordered: Floats, order: NDArray[np.intp]) -> Ranks:
    """Return the ranks of numbers, given in their order, by where each of them was before."""
    ranks = np.empty(ordered.size, dtype=np.int32)
    rises = ordered[1:] > ordered[:-1]
    if rises.all():
        ranks[order] = np.arange(2, 2 * ordered.size + 1, 2, dtype=np.int32)
        return ranks
    first = np.concatenate([[0], np.flatnonzero(rises) + 1])
    after = np.append(first[1:], ordered.size)
    ranks[order] = np.repeat(first + after + 1, after - first)
    return ranks


@lru_cache(4)
def normal_scores(draws: int) -> Floats:
    """Return the normal score of every rank among so many draws (Blom 1958), by twice the rank."""
    from scipy.special import ndtri

    scores: Floats = ndtri((np.arange(2 * draws + 1) / 2 - 3 / 8) / (draws + 1 / 4))
    return scores


# ---------------------------------------------------------------------------------------------
# Diagnoses


def of_bulk(ranks: Ranks) -> tuple[float, ...]:
    """Return effective draws and R-hat."""
    from arviz_stats.base import array_stats

    scores = normal_scores(ranks.size)[ranks]
    return float(array_stats.ess(scores, method="identity")), *of_spread(ranks)


def of_spread(ranks: Ranks) -> tuple[float, ...]:
    """Return R-hat."""
    from arviz_stats.base import array_stats

    return (float(array_stats.rhat(normal_scores(ranks.size)[ranks], method="identity")),)


def of_tail(beyond: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return the effective draws of a share."""
    from arviz_stats.base import array_stats

    return (float(array_stats.ess(beyond, method="identity")),)


def once(diagnose: Callable[[NDArray[Any]], tuple[float, ...]], draws: NDArray[Any]) -> tuple[float, ...]:
    """Return ``diagnose(draws)``, remembered by the digest of the draws."""
    found = slot(diagnose, draws.shape, hashlib.blake2b(draws.tobytes(), digest_size=20).digest())
    if not found:
        found.append(diagnose(draws))
    return found[0]


@lru_cache(REMEMBERED)
def slot(*of: Any) -> list[tuple[float, ...]]:
    """Return where a diagnosis is remembered; empty until it is made."""
    return []
