"""The figures of ``priors/semianalysis.toml`` as parameters of distributions: what the peers have in common.

An interval is the 5th and 95th percentile. Each peer writes the model on its own, in its own language; only
these numbers are shared, so that a figure that changes changes in one place.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import logit, ndtri, stdtr, stdtrit

Floats = NDArray[np.float64]

Z90 = ndtri(0.95)


def normal(low: ArrayLike, high: ArrayLike) -> tuple[Floats, Floats]:
    """Return the mean and the standard deviation of normals by their intervals."""
    return (np.asarray(high) + low) / 2, (np.asarray(high) - low) / (2 * Z90)


def two_piece(low: float, middle: float, high: float) -> tuple[float, float, float, float]:
    """Return location, scale, skew and bend of ``g`` through three quantiles.

    ``g(z) = location + scale * z + skew * (sqrt(1 + (bend * z)**2) - 1)`` of a standard normal ``z``: the
    J-QPD-S of Hadlock and Bickel (2017), Decision Analysis 14(1), equation 8, on the logarithm.
    """
    lo, mi, hi = np.log([low, middle, high])
    narrow = min(mi - lo, hi - mi)
    bend = np.sinh(np.arccosh((hi - lo) / (2 * narrow))) / Z90
    size = narrow / (bend * Z90)
    tilt = np.sign(lo + hi - 2 * mi) * Z90 * bend
    return mi, size * bend * np.sqrt(1 + tilt**2), size * tilt, bend


# ---------------------------------------------------------------------------------------------
# Priors

CHIPS = ("a100", "h800", "h100", "h20")
PEAK = np.array([312e12, 989e12, 989.4e12, 148e12])
COUNT = normal(np.log([9_300, 2_500, 2_000, 5_000]), np.log([10_700, 20_000, 30_000, 50_000]))
POWER = normal(np.log([0.32, 1.15, 1.15, 0.70]), np.log([0.60, 1.45, 1.45, 1.00]))
SERVERS = normal(np.log([28_000, 32_000, 18_000]), np.log([50_000, 57_000, 30_000]))
"""Of the three later chips; the first has three quantiles."""

SERVER_RANK_CORRELATION = 0.5
SERVER_CHOLESKY = np.linalg.cholesky(np.where(np.eye(3) == 1, 1.0, 2 * np.sin(np.pi * SERVER_RANK_CORRELATION / 6)))

_POSITIVE = {
    "pue_less_one": (0.15, 0.50),
    "colocation": (60, 180),
    "maintenance": (0.02, 0.06),
    "window": (0.8, 1.6),
    "rental_rate": (1.4, 3.5),
    "headcount": (120, 250),
    "pay": (75_000, 265_000),
    "overhead": (0.25, 0.40),
}
POSITIVE_NAMES = tuple(_POSITIVE)
POSITIVE = normal(*np.log(list(_POSITIVE.values())).T)

_SHARES = {"load": (0.50, 0.90), "utilisation": (0.50, 0.95), "mfu": (0.16, 0.44)}
SHARE_NAMES = tuple(_SHARES)
SHARES = normal(*logit(list(_SHARES.values())).T)
"""Logit-normal; that of ``mfu`` is a fit to what the disclosed runs predict."""

_THREE_QUANTILES = {
    "a100_cost": (10_500, 13_000, 20_000),
    "electricity": (0.050, 0.082, 0.110),
    "multiplier_less_one": (0.5, 3.0, 9.0),
}
THREE_QUANTILE_NAMES = tuple(_THREE_QUANTILES)
THREE_QUANTILES = np.array([two_piece(*quantiles) for quantiles in _THREE_QUANTILES.values()]).T

ATTRIBUTION = (0.5, 1.0)
LIFE = (3.0, 6.0, 1 + 4 / 3, 1 + 8 / 3)
"""Ends, and the two parameters of a beta between them: a PERT of mode 4."""

# ---------------------------------------------------------------------------------------------
# What is known

HOURS = 8766.0
HORIZON = 4.0
PRETRAINING_FLOP = 6 * 37e9 * 14.8e12
FINAL_HOURS = 119_000 + 5_000
LATER_HOURS = 101_000 + 5_000 + 41_000

# ---------------------------------------------------------------------------------------------
# Evidence

DF = 4.0
CORRELATION = 0.5
SHARED, OWN = np.sqrt(CORRELATION), np.sqrt(1 - CORRELATION)


def error_quantile() -> float:
    """Return the 95th percentile of ``SHARED * t + OWN * t'``, two independent Student t, by averaging over one."""
    shared = SHARED * stdtrit(DF, (np.arange(4000) + 0.5) / 4000)
    return float(brentq(lambda x: stdtr(DF, (x - shared) / OWN).mean() - 0.95, 0.0, 10.0))


LOG_FIGURES = np.log([10_000, 10_000, 30_000, 1.629e9, 944e6])
"""SemiAnalysis: H800, H100, H20, servers, operation."""

FIGURE_SCALES = np.log1p([0.4, 0.5, 0.5, 0.3, 0.35]) / error_quantile()
LOG_HOURS, HOURS_SCALE = np.log(2.61e6 * 2.72e6) / 2, np.log(2.72 / 2.61) / 2 / stdtrit(DF, 0.95)
MULTIPLIER_FLOOR, FLOOR_SCALE = 2.03, np.log(1.15) / np.log(19)
USE_CEILING, CEILING_SCALE = 1.0, np.log(1.1) / np.log(19)

STATES = np.array(list(itertools.product((1.0, 0.0), repeat=2)))
"""Whether H100 and H20 are there, (state, fact)."""

THERE = np.column_stack([np.ones((4, 2)), STATES])
"""Whether each chip is there, (state, chip)."""

LOG_WEIGHT = np.log(np.where(STATES == 1, [0.5, 0.7], [0.5, 0.3])).sum(axis=1)

SCOPES = (
    "final_run",
    "official_runs",
    "research_compute",
    "development",
    "hardware",
    "operations",
    "ownership",
    "company",
)
