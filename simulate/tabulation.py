"""What is known at points only: a distribution given by a table, and the table of a distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from simulate.distributions import Array, Distribution, link_slope, to_link, unlinked

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Tabulated:
    """A distribution known at points: what a sample or a mixture of many parts comes to.

    On the scale of its bounds (log or logit) it is a monotone cubic (Fritsch and Carlson 1980) of a
    standard normal through ``(normal, linked)``, a straight line beyond both ends.
    """

    normal: tuple[float, ...]
    linked: tuple[float, ...]
    lower: float
    upper: float
    family: str = "predictive"

    @classmethod
    def from_cdf(cls, x: Array, p: Array, total: float, lower: float, upper: float) -> Tabulated:
        """Return the distribution with probability ``p / total`` of at most ``x``, both increasing.

        Points too far out to be told from 0 or 1 are dropped.
        """
        from scipy.special import ndtri

        share = np.asarray(p) / total
        inside = (share > FAR_OUT) & (share < 1 - FAR_OUT) & (x > lower) & (x < upper)
        linked, normal = to_link(np.asarray(x)[inside], lower, upper), ndtri(share[inside])
        rising = np.r_[True, (np.diff(linked) > 0) & (np.diff(normal) > 0)]
        return cls(tuple(normal[rising].tolist()), tuple(linked[rising].tolist()), lower, upper)

    @property
    def support(self) -> tuple[float, float]:
        return self.lower, self.upper

    @cached_property
    def curve(self) -> Any:
        """The monotone cubic from normal score to linked value."""
        from scipy.interpolate import PchipInterpolator

        return PchipInterpolator(self.normal, self.linked)

    @cached_property
    def inverse(self) -> Any:
        """The monotone cubic from linked value to normal score."""
        from scipy.interpolate import PchipInterpolator

        return PchipInterpolator(self.linked, self.normal)

    def from_normal(self, z: ArrayLike) -> Array:
        return unlinked(beyond(self.curve, np.asarray(z, dtype=float)), self.lower, self.upper)

    def rvs(self, rng: np.random.Generator, size: int) -> Array:
        return self.from_normal(rng.standard_normal(size))

    def ppf(self, p: ArrayLike) -> Array:
        from scipy.special import ndtri

        return self.from_normal(ndtri(p))

    def cdf(self, x: ArrayLike) -> Array:
        from scipy.special import ndtr

        inside, safe = self.guarded(x)
        z = beyond(self.inverse, to_link(safe, self.lower, self.upper))
        return np.where(inside, ndtr(z), np.where(np.asarray(x) >= self.upper, 1.0, 0.0))

    def pdf(self, x: ArrayLike) -> Array:
        inside, safe = self.guarded(x)
        linked = to_link(safe, self.lower, self.upper)
        z = beyond(self.inverse, linked)
        slope = self.inverse.derivative()(np.clip(linked, self.linked[0], self.linked[-1]))
        density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi) * slope * link_slope(safe, self.lower, self.upper)
        return np.where(inside, density, 0.0)

    def guarded(self, x: ArrayLike) -> tuple[Array, Array]:
        """Return which values lie in the support, and the values with the others replaced by one that does."""
        x = np.asarray(x, dtype=float)
        inside = (x > self.lower) & (x < self.upper)
        return inside, np.where(inside, x, self.from_normal(0.0))


FAR_OUT = 1e-14
"""Probability beyond which a tabulated distribution is a straight line on its linked scale."""


def beyond(curve: Any, at: Array) -> Array:
    """Return a curve's values, continued by a straight line at both ends."""
    first, last = curve.x[0], curve.x[-1]
    near = np.asarray(np.clip(at, first, last))
    values = np.asarray(curve(near))
    outside = near != at
    if outside.any():
        values[outside] += curve.derivative()(near[outside]) * (np.asarray(at)[outside] - near[outside])
    return values


KNOTS = np.linspace(-8.5, 8.5, 851)
"""Standard normal deviates at which `tabulate` takes a quantile function; outside lie 2e-17 of its draws."""


def tabulate(distribution: Distribution) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values and slopes of ``Q(Phi(z))`` at `KNOTS`, for monotone cubic Hermite interpolation.

    Slopes are the exact ``phi(z) / pdf(x)``, limited as Fritsch and Carlson (1980), SIAM J. Numer.
    Anal. 17(2), so that the interpolant increases. Both have shape ``(knot,)``.
    """
    values = np.maximum.accumulate(distribution.from_normal(KNOTS))
    secants = np.diff(values) / np.diff(KNOTS)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slopes = np.exp(-0.5 * KNOTS**2) / math.sqrt(2 * math.pi) / distribution.pdf(values)
    limit = 3 * np.minimum(np.r_[secants[:1], secants], np.r_[secants, secants[-1:]])
    return values, np.where(np.isfinite(slopes), np.clip(slopes, 0.0, limit), limit / 3)
