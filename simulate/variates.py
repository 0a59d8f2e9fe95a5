"""Families of `scipy.stats` as NumPy draws them, which is much faster than through their quantile functions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def truncated_normal(rng: np.random.Generator, size: int, mean: float, sd: float, lower: float, upper: float) -> Floats:
    """Return truncated normal draws by inversion, from the tail in which probabilities are small."""
    from scipy import stats
    from scipy.special import ndtr, ndtri

    ends = (lower - mean) / sd, (upper - mean) / sd
    sign = -1.0 if ends[0] > 0 else 1.0
    low, high = np.sort(ndtr(sign * np.array(ends)))
    if high - low < SMALLEST_SHARE:
        found: Floats = stats.truncnorm.rvs(*ends, loc=mean, scale=sd, size=size, random_state=rng)
        return found
    drawn = mean + sign * sd * ndtri(high - (high - low) * rng.random(size))
    return np.clip(np.asarray(drawn), lower, upper)  # of rounding alone: inversion stays between the ends


SMALLEST_SHARE = 1e-250
"""Of the normal between the ends, below which probabilities are too small for inversion."""

DRAWN: dict[str, Callable[..., Floats]] = {
    "truncated-normal": truncated_normal,
    "uniform": lambda rng, size, low, high: rng.uniform(low, high, size),
    "loguniform": lambda rng, size, low, high: np.exp(rng.uniform(math.log(low), math.log(high), size)),
    "triangular": lambda rng, size, low, mode, high: rng.triangular(low, mode, high, size),
    "pert": lambda rng, size, low, mode, high: (
        low + (high - low) * rng.beta(1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low), size)
    ),
    "beta": lambda rng, size, alpha, beta, lower, upper: lower + (upper - lower) * rng.beta(alpha, beta, size),
    "gamma": lambda rng, size, shape, scale, lower: lower + scale * rng.standard_gamma(shape, size),
    "student-t": lambda rng, size, df, location, scale: location + scale * rng.standard_t(df, size),
}
"""The families of `simulate.distributions.CONSTRUCTORS`, by the same parameters."""
