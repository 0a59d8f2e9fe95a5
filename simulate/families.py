"""Families of distributions by their parameters or by two quantiles, in the unit of the unknown."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from simulate.distributions import INFINITY, Distribution, Johnson, Standard, lognormal, normal, normal_quantile


def truncated_normal(mean: float, sd: float, lower: float, upper: float) -> Standard:
    parameters = (("mean", mean), ("sd", sd), ("lower", lower), ("upper", upper))
    return Standard("truncated-normal", parameters, (lower, upper))


def beta(alpha: float, beta: float, lower: float, upper: float) -> Standard:
    parameters = (("alpha", alpha), ("beta", beta), ("lower", lower), ("upper", upper))
    return Standard("beta", parameters, (lower, upper))


def gamma(shape: float, scale: float, lower: float) -> Standard:
    return Standard("gamma", (("shape", shape), ("scale", scale), ("lower", lower)), (lower, INFINITY))


def student_t(df: float, location: float, scale: float) -> Standard:
    return Standard("student-t", (("df", df), ("location", location), ("scale", scale)))


def between(family: str) -> Builder:
    def build(p: dict[str, float], lower: float, upper: float) -> Standard:
        if family == "loguniform" and p["low"] <= 0:
            raise ValueError("a loguniform lies above 0")
        return Standard(
            family, tuple((key, p[key]) for key in ("low", "mode", "high") if key in p), (p["low"], p["high"])
        )

    return build


def build_lognormal(p: dict[str, float], lower: float, upper: float) -> Johnson:
    middle = p.get("median", p.get("mean", math.nan)) - lower
    if middle <= 0:
        raise ValueError(f"a lognormal above {lower:g} needs a median or mean above it")
    if "sigma" in p:
        return lognormal(middle + lower, p["sigma"], lower)
    sigma = math.sqrt(math.log1p((p["sd"] / middle) ** 2))
    return lognormal(middle * math.exp(-(sigma**2) / 2) + lower, sigma, lower)


def build_logitnormal(p: dict[str, float], lower: float, upper: float) -> Johnson:
    if math.isinf(upper) or not lower < p["median"] < upper:
        raise ValueError("a logitnormal needs bounds, and a median between them")
    return Johnson(math.log((p["median"] - lower) / (upper - p["median"])), p["sigma"], lower=lower, upper=upper)


def build_beta(p: dict[str, float], lower: float, upper: float) -> Standard:
    if math.isinf(upper):
        raise ValueError("a beta needs an upper bound")
    return beta(p["alpha"], p["beta"], lower, upper)


def build_gamma(p: dict[str, float], lower: float, upper: float) -> Standard:
    if "shape" in p:
        return gamma(p["shape"], p["scale"], lower)
    middle = p["mean"] - lower
    if middle <= 0:
        raise ValueError(f"a gamma above {lower:g} needs a mean above it")
    return gamma((middle / p["sd"]) ** 2, p["sd"] ** 2 / middle, lower)


type Builder = Callable[[dict[str, float], float, float], Distribution]

BUILDERS: dict[str, Builder] = {
    "normal": lambda p, lower, upper: normal(p["mean"], p["sd"]),
    "lognormal": build_lognormal,
    "logitnormal": build_logitnormal,
    "truncated-normal": lambda p, lower, upper: truncated_normal(p["mean"], p["sd"], lower, upper),
    "uniform": between("uniform"),
    "loguniform": between("loguniform"),
    "triangular": between("triangular"),
    "pert": between("pert"),
    "beta": build_beta,
    "gamma": build_gamma,
    "student-t": lambda p, lower, upper: student_t(p["df"], p["location"], p["scale"]),
}
"""Each family from its parameters and the bounds of its place; raises `ValueError` when they do not fit."""


def solve_quantiles(
    family: str, pairs: tuple[tuple[float, float], tuple[float, float]], lower: float, upper: float
) -> Distribution:
    """Return the beta, gamma or truncated normal through two quantiles, by root finding.

    Raises `ValueError` when the family has no member with those quantiles.
    """
    import numpy as np
    from scipy.optimize import root

    p, x = (np.array(column) for column in zip(*pairs, strict=True))
    if family == "beta" and math.isinf(upper):
        raise ValueError("a beta needs an upper bound")
    width = upper - lower if family == "beta" else float(x[1] - lower if family == "gamma" else x[1] - x[0])

    def member(theta: Any) -> Distribution:
        a, b = theta
        if family == "beta":
            return beta(math.exp(a), math.exp(b), lower, upper)
        if family == "gamma":
            return gamma(math.exp(a), math.exp(b) * width, lower)
        return truncated_normal(x[0] + a * width, math.exp(b) * width, lower, upper)

    def miss(theta: Any) -> Any:
        with np.errstate(all="ignore"):
            off = np.asarray(member(np.clip(theta, -30, 30)).ppf(p) - x) / width
        return np.where(np.isfinite(off), off, 1e6)

    for start in starts(family, p, x, lower, upper):
        found = root(miss, start)
        if np.abs(miss(found.x)).max() < 1e-9:
            return member(found.x)
    raise ValueError(f"no {family} has the quantiles {x[0]:g} and {x[1]:g}")


def starts(family: str, p: Any, x: Any, lower: float, upper: float) -> list[tuple[float, float]]:
    """Return starting points for `solve_quantiles`, the moment-matched one first."""
    z = normal_gap(p)
    if family == "truncated-normal":
        return [(0.5, math.log(1 / z)), (0.5, 0.0), (0.0, 1.0), (1.0, 1.0), (-3.0, 1.0)]
    mean, sd = (x[0] + x[1]) / 2 - lower, (x[1] - x[0]) / z
    if family == "gamma":
        shape = (mean / sd) ** 2
        span = x[1] - lower
        return [(math.log(shape), math.log(mean / shape / span)), (0.0, -1.0), (2.0, -3.0), (-1.0, 0.0)]
    share = mean / (upper - lower)
    size = max(share * (1 - share) * ((upper - lower) / sd) ** 2 - 1, 0.1)
    return [(math.log(share * size), math.log((1 - share) * size)), (0.0, 0.0), (1.0, 1.0), (-1.0, -1.0), (3.0, 3.0)]


def normal_gap(p: Any) -> float:
    """Return the distance between two standard normal quantiles."""
    return normal_quantile(float(p[1])) - normal_quantile(float(p[0]))
