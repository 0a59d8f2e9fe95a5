"""The unknowns of ``priors/semianalysis.toml`` as one would draw them by hand in NumPy, and nothing else.

The same distributions, transformed from what NumPy draws fastest: no ledger, no summary, no file. What disclosed
runs predict of the MFU is given as a table (normal score, logit), between whose points it is linear.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Z90 = 1.6448536269514722
RHO = 2 * np.sin(np.pi * 0.5 / 6)
FACTOR = np.linalg.cholesky(np.full((3, 3), RHO) + (1 - RHO) * np.eye(3))


def two_piece(z: Floats, low: float, middle: float, high: float, shift: float = 0.0) -> Floats:
    """Return a positive unknown through three quantiles (J-QPD-S)."""
    lo, mi, hi = (np.log(v - shift) for v in (low, middle, high))
    narrow = min(mi - lo, hi - mi)
    bend = np.sinh(np.arccosh((hi - lo) / (2 * narrow))) / Z90
    size = narrow / (bend * Z90)
    tilt = np.sign(lo + hi - 2 * mi) * Z90 * bend
    g = mi + size * bend * np.sqrt(1 + tilt**2) * z + size * tilt * (np.sqrt(1 + (bend * z) ** 2) - 1)
    return shift + np.exp(g)


def draw(n: int, seed: int, score: Floats, logit: Floats) -> dict[str, Floats]:
    """Return ``n`` draws of every unknown and disputed fact; ``score`` and ``logit`` are the table of the MFU."""
    rng = np.random.default_rng(seed)

    def spread(low: float, high: float) -> tuple[float, float]:
        return (low + high) / 2, (high - low) / (2 * Z90)

    def lognormal(low: float, high: float, shift: float = 0.0) -> Floats:
        middle, scale = spread(np.log(low - shift), np.log(high - shift))
        x = np.exp(middle + scale * rng.standard_normal(n))
        return x + shift if shift else x

    def logitnormal(low: float, high: float) -> Floats:
        middle, scale = spread(np.log(low / (1 - low)), np.log(high / (1 - high)))
        return 1 / (1 + np.exp(-(middle + scale * rng.standard_normal(n))))

    prices = FACTOR @ rng.standard_normal((3, n))
    ends = {"h800": (28_000, 50_000), "h100": (32_000, 57_000), "h20": (18_000, 30_000)}
    server = {}
    for row, (chip, (low, high)) in zip(prices, ends.items(), strict=True):
        middle, scale = spread(np.log(low), np.log(high))
        server[f"{chip}_cost"] = np.exp(middle + scale * row)
    return server | {
        "window": lognormal(0.8, 1.6),
        "attribution": rng.uniform(0.5, 1.0, n),
        "load": logitnormal(0.5, 0.9),
        "pue": lognormal(1.15, 1.5, shift=1.0),
        "electricity": two_piece(rng.standard_normal(n), 0.05, 0.082, 0.11),
        "colocation": lognormal(60, 180),
        "maintenance": lognormal(0.02, 0.06),
        "life": 3 + 3 * rng.beta(1 + 4 / 3, 1 + 8 / 3, n),
        "utilisation": logitnormal(0.5, 0.95),
        "multiplier": two_piece(rng.standard_normal(n), 1.5, 4, 10, shift=1.0),
        "a100_cost": two_piece(rng.standard_normal(n), 10_500, 13_000, 20_000),
        "a100_power": lognormal(0.32, 0.6),
        "h800_power": lognormal(1.15, 1.45),
        "h100_power": lognormal(1.15, 1.45),
        "h20_power": lognormal(0.7, 1.0),
        "rental_rate": lognormal(1.4, 3.5),
        "a100": lognormal(9_300, 10_700),
        "h800": lognormal(2_500, 20_000),
        "h100": lognormal(2_000, 30_000),
        "h20": lognormal(5_000, 50_000),
        "mfu": 1 / (1 + np.exp(-np.interp(rng.standard_normal(n), score, logit))),
        "headcount": lognormal(120, 250),
        "pay": lognormal(75_000, 265_000),
        "overhead": lognormal(0.25, 0.40),
        "shared_error": rng.standard_t(4, n),
        "h100_exists": rng.random(n) < 0.5,
        "h20_exists": rng.random(n) < 0.7,
    }
