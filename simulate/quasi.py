"""Quasi-random draws: scrambled Sobol' points, for draws that no evidence informs.

An unknown is a function of a uniform number, by its normal score, and so is a disputed fact; a ledger of them
can therefore be computed at points that fill the unit cube more evenly than chance would. Scrambled at random
(Matoušek 1998, J. Complexity 14(4); Owen 1997, Ann. Stat. 25(4)), each set of points is without bias, and the
spread between independent scramblings is the standard error. A chain is one scrambling.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS, SCRAMBLINGS = 2048, 16
"""What is taken where nothing is asked for."""

FEWEST_SCRAMBLINGS = 8
"""With fewer, the standard error is known to worse than a quarter."""

MOST = 2**20
"""Points, of all scramblings together: they are all kept."""

BITS = 52
"""Of a coordinate, so that half a step can be added to it without rounding."""


def faults(draws: int, scramblings: int) -> list[str]:
    """Return what is wrong with the numbers of draws and scramblings, and what would mend it."""
    found = []
    if draws & (draws - 1):
        near = 2 ** round(math.log2(draws))
        found.append(f"{draws:,} draws are no power of 2, which Sobol' points need to be even: use --draws {near}")
    if scramblings < FEWEST_SCRAMBLINGS:
        found.append(
            f"{scramblings} scramblings (--chains) are too few for a standard error: use --chains {SCRAMBLINGS}"
        )
    if draws * scramblings > MOST:
        most = 2 ** int(math.log2(MOST // scramblings))
        found.append(f"{draws * scramblings:,} quasi-random draws are more than are kept: use --draws {most} or fewer")
    return found


def points(dimensions: int, draws: int, rngs: Sequence[np.random.Generator]) -> Floats:
    """Return points strictly inside the unit cube, ``(dimension, scrambling, draw)``; each of ``rngs`` scrambles once.

    ``draws`` is a power of 2. The points of SciPy lie at the lower ends of their cells; these lie in the middle.
    """
    from scipy.stats import qmc

    found = np.empty((dimensions, len(rngs), draws))
    for number, rng in enumerate(rngs):
        engine = qmc.Sobol(dimensions, scramble=True, bits=BITS, rng=rng)
        found[:, number] = engine.random(draws).T + 0.5 ** (BITS + 1)
    return found


def errors(values: Floats, chances: Mapping[str, float]) -> dict[str, float]:
    """Return the standard errors of mean, standard deviation and quantiles, from independent scramblings.

    ``values`` is (scrambling, draw), ``chances`` maps names of quantiles to probabilities. Each is the spread of the
    scramblings' own estimates over the square root of their number (L'Ecuyer 2018, MCQMC 2016, section 2.2).
    """
    each = np.quantile(values, list(chances.values()), axis=1)
    estimates = dict(zip(chances, each, strict=True)) | {"mean": values.mean(axis=1), "sd": values.std(axis=1, ddof=1)}
    return {f"mcse_{name}": float(np.std(own, ddof=1)) / math.sqrt(len(own)) for name, own in estimates.items()}
