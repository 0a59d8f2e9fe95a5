"""Monte Carlo errors of any statistic of autocorrelated draws, by leaving out one block of draws at a time.

A block is a stretch of consecutive draws of one chain, long against their autocorrelation, so that blocks
are as good as independent. The jackknife over blocks holds for smooth statistics and, because a block is
more than the square root of all draws, for quantiles too.

References: Künsch (1989), Ann. Statist. 17(3), 1217-1241 (blocks); Shao and Wu (1989), Ann. Statist. 17(3),
1176-1197 (quantiles).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

BLOCKS = 20
"""Blocks of a run, or one for each chain where there are more chains."""


@dataclass(frozen=True)
class Estimate:
    """A number with its Monte Carlo standard error, in the same unit."""

    value: float
    mcse: float


def blocks(chains: int, draws: int) -> Floats:
    """Return the block of each draw, ``(chain, draw)``: numbers from 0, equal stretches of each chain."""
    each = min(draws, max(1, round(BLOCKS / chains)))
    within = np.arange(draws) * each // draws
    return (np.arange(chains)[:, None] * each + within).astype(float)


def masks(chains: int, draws: int) -> Mask:
    """Return for each block the draws that remain without it, ``(block, chain * draw)``."""
    label = blocks(chains, draws).ravel()
    return np.asarray(label != np.unique(label)[:, None])


def error(replicates: Floats) -> Floats:
    """Return the standard error of a statistic from its values without each block, ``(block, …)``.

    ``sqrt((B - 1) / B * sum_b (t_b - mean)**2)``: Efron and Stein (1981), Ann. Statist. 9(3).

    >>> draws = np.array([1.0, 2.0, 4.0, 5.0])
    >>> bool(np.isclose(error((draws.sum() - draws) / 3), draws.std(ddof=1) / 2))
    True
    """
    number = len(replicates)
    return np.sqrt((number - 1) * np.asarray(replicates).var(axis=0))


def bias(whole: Floats, replicates: Floats) -> Floats:
    """Return the bias of a statistic that falls with the number of draws, Quenouille's estimate of it."""
    return (len(replicates) - 1) * (np.asarray(replicates).mean(axis=0) - whole)


def jackknifed(statistic: Callable[[Mask], Floats], left: Mask) -> tuple[Floats, Floats]:
    """Return a statistic of all draws and its Monte Carlo standard error.

    ``statistic`` maps the draws to keep, ``(draw,)`` of truths, to an array; ``left`` are `masks`.
    """
    whole = np.asarray(statistic(np.ones(left.shape[1], dtype=bool)))
    return whole, error(np.stack([statistic(mask) for mask in left]))
