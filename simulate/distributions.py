"""Univariate distributions: frozen values that map a standard normal onto an unknown.

Every distribution is a monotone function of a standard normal deviate ``z``: an unknown is
``x = Q(Phi(z))``, with ``Q`` its quantile function. That makes the model non-centred whatever the
family, lets a Gaussian copula correlate any two families, and keeps draws inside their support
without clipping. Four kinds cover every family:

`Johnson`
    a closed form in ``z``; normal, log-normal, logit-normal and three-quantile (J-QPD) families.
`Standard`
    a `scipy.stats` family through its quantile function.
`Mixture`
    a finite mixture, whose quantile function is found by root search.
`simulate.tabulation.Tabulated`
    what is known at points only, such as the predictive of a reference class.

`simulate.model` writes the same functions as tensors. NumPy and SciPy are imported where they compute: a
prior file is read and checked without them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike

Array = Any
"""A float array of any shape (NumPy's generic shapes carry no more information here)."""

INFINITY = math.inf


def normal_quantile(p: float) -> float:
    """Return the standard normal quantile of ``p`` in (0, 1)."""
    return NormalDist().inv_cdf(p)


class Distribution(Protocol):
    """What the rest of the package needs of a distribution."""

    @property
    def family(self) -> str:
        """Name of the family, as the prior file spells it."""

    @property
    def support(self) -> tuple[float, float]:
        """Ends of the interval outside which the density is zero."""

    def from_normal(self, z: ArrayLike) -> Array:
        """Return ``Q(Phi(z))``, elementwise; the shape of ``z`` is kept."""

    def rvs(self, rng: Generator, size: int) -> Array:
        """Return independent draws ``(size,)``, by the fastest way to this distribution.

        The same law as `from_normal` of normal deviates, and not the same numbers.
        """

    def ppf(self, p: ArrayLike) -> Array:
        """Return the quantile of each probability in (0, 1)."""

    def cdf(self, x: ArrayLike) -> Array:
        """Return the probability of a value of at most ``x``."""

    def pdf(self, x: ArrayLike) -> Array:
        """Return the density at ``x`` [1 / unit of the unknown]."""


@dataclass(frozen=True)
class Johnson:
    """A smooth two-slope function of a standard normal, on a linear, log or logit scale.

    On the scale of its bounds (none: identity; lower: ``log(x - lower)``; both: ``logit`` of the
    position between them) the unknown is

    ``g(z) = location + scale * z + skew * (sqrt(1 + (bend * z)**2) - 1)``

    whose median is ``location`` and whose slopes tend to ``scale -+ skew * bend`` in the tails. With
    ``skew = 0`` it is the normal, the (shifted) log-normal or the logit-normal. With three quantiles
    it is the J-QPD-S of Hadlock and Bickel (2017), "Johnson Quantile-Parameterized Distributions",
    Decision Analysis 14(1), equation 8, here written without hyperbolic functions; unlike the
    three-term metalog it exists for every increasing triple.

    ``scale > abs(skew) * bend`` holds, so ``g`` increases.
    """

    location: float
    scale: float
    skew: float = 0.0
    bend: float = 0.0
    lower: float = -INFINITY
    upper: float = INFINITY

    @property
    def family(self) -> str:
        if self.skew:
            return "three-quantile"
        return {"identity": "normal", "log": "lognormal", "logit": "logitnormal"}[self.link]

    @property
    def link(self) -> str:
        """The scale on which `from_normal` is ``g``: identity, log or logit."""
        if math.isinf(self.lower):
            return "identity"
        return "log" if math.isinf(self.upper) else "logit"

    @property
    def support(self) -> tuple[float, float]:
        return self.lower, self.upper

    def from_normal(self, z: ArrayLike) -> Array:
        import numpy as np

        return self.unlink(self.linked(np.asarray(z, dtype=float)))

    def linked(self, z: Array) -> Array:
        """Return ``g(z)``, the position on the linked scale; of a number of Python's own without NumPy."""
        g = self.location + self.scale * z
        if self.skew:
            g = g + self.skew * (elementary("sqrt", z)(1.0 + (self.bend * z) ** 2) - 1.0)
        return g

    def rvs(self, rng: Generator, size: int) -> Array:
        return self.from_normal(rng.standard_normal(size))

    def unlink(self, g: Array) -> Array:
        """Return the value whose position on the linked scale is ``g``."""
        return unlinked(g, self.lower, self.upper)

    def ppf(self, p: ArrayLike) -> Array:
        from scipy.special import ndtri

        return self.from_normal(ndtri(p))

    def to_normal(self, x: ArrayLike) -> Array:
        """Return the ``z`` of each ``x`` inside the support; the inverse of `from_normal`."""
        import numpy as np

        x = np.asarray(x, dtype=float)
        g = to_link(x, self.lower, self.upper)
        if not self.skew:
            return (g - self.location) / self.scale
        y = g - self.location + self.skew
        slopes = self.scale**2 - (self.skew * self.bend) ** 2
        return (self.scale * y - self.skew * np.sqrt((self.bend * y) ** 2 + slopes)) / slopes

    def cdf(self, x: ArrayLike) -> Array:
        import numpy as np
        from scipy.special import ndtr

        x = np.asarray(x, dtype=float)
        inside = (x > self.lower) & (x < self.upper)
        z = self.to_normal(np.where(inside, x, self.from_normal(0.0)))
        return np.where(inside, ndtr(z), np.where(x >= self.upper, 1.0, 0.0))

    def pdf(self, x: ArrayLike) -> Array:
        import numpy as np

        x = np.asarray(x, dtype=float)
        inside = (x > self.lower) & (x < self.upper)
        safe = np.where(inside, x, self.from_normal(0.0))
        z = self.to_normal(safe)
        slope = self.scale + self.skew * self.bend**2 * z / np.sqrt(1.0 + (self.bend * z) ** 2)
        density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi) * link_slope(safe, self.lower, self.upper) / slope
        return np.where(inside, density, 0.0)


def to_link(x: Array, lower: float, upper: float) -> Array:
    """Return ``x`` on the linked scale: itself, ``log(x - lower)``, or the logit between the bounds.

    Of a number of Python's own it is such a number, found without NumPy.
    """
    if math.isinf(lower):
        return x
    log = elementary("log", x)
    return log(x - lower) if math.isinf(upper) else log(x - lower) - log(upper - x)


def unlinked(g: Array, lower: float, upper: float) -> Array:
    """Return the value whose position on the linked scale is ``g``; the inverse of `to_link`, and like it."""
    if math.isinf(lower):
        return g
    if math.isinf(upper):
        return lower + elementary("exp", g)(g)
    if type(g) is float:
        return lower + (upper - lower) / (1.0 + math.exp(-g))
    from scipy.special import expit

    return lower + (upper - lower) * expit(g)


def elementary(name: str, x: Array) -> Callable[[Array], Array]:
    """Return the function of that name for what ``x`` is: a number of Python's own, or one of NumPy's arrays."""
    if type(x) is float:
        library: Any = math
    else:
        import numpy

        library = numpy
    found: Callable[[Array], Array] = getattr(library, name)
    return found


def link_slope(x: Array, lower: float, upper: float) -> Array:
    """Return the derivative of `to_link` at ``x``."""
    if math.isinf(lower):
        import numpy as np

        return np.ones_like(x)
    if math.isinf(upper):
        return 1.0 / (x - lower)
    return (upper - lower) / ((x - lower) * (upper - x))


def at_score(distribution: Distribution, z: float) -> float:
    """Return ``Q(Phi(z))`` at one normal score [unit of the unknown]; of a `Johnson` without NumPy."""
    if not isinstance(distribution, Johnson):
        return float(distribution.from_normal(z))
    g = distribution.linked(z)
    try:
        return float(distribution.unlink(g))
    except OverflowError:
        return distribution.support[g > 0]


def normal(mean: float, sd: float) -> Johnson:
    """Return the normal distribution."""
    return Johnson(mean, sd)


def lognormal(median: float, sigma: float, lower: float = 0.0) -> Johnson:
    """Return the log-normal of ``x - lower``; ``sigma`` is the standard deviation of its logarithm."""
    return Johnson(math.log(median - lower), sigma, lower=lower)


def from_quantiles(quantiles: dict[float, float], lower: float = -INFINITY, upper: float = INFINITY) -> Johnson:
    """Return the distribution through two quantiles, or through ``p``, 0.5 and ``1 - p``, exactly.

    ``quantiles`` maps probability to value [unit of the unknown], increasing and strictly inside the
    bounds. Two give a normal, log-normal or logit-normal by the bounds; three give the J-QPD of
    `Johnson`. Raises `ValueError` for other sets of probabilities.

    >>> d = from_quantiles({0.05: 8_000, 0.95: 12_000}, lower=0)
    >>> [round(float(d.ppf(p)), 6) for p in (0.05, 0.95)]
    [8000.0, 12000.0]
    """
    probabilities = sorted(quantiles)
    linked = [float(to_link(float(quantiles[p]), lower, upper)) for p in probabilities]
    z = [normal_quantile(p) for p in probabilities]
    if len(linked) == 2:
        scale = (linked[1] - linked[0]) / (z[1] - z[0])
        return Johnson(linked[0] - scale * z[0], scale, lower=lower, upper=upper)
    if len(linked) != 3 or probabilities[1] != 0.5 or not math.isclose(probabilities[0], 1 - probabilities[2]):
        raise ValueError("three quantiles are p, 0.5 and 1 - p, such as q05, q50, q95")
    low, middle, high = linked
    reach, narrow = z[2], min(middle - low, high - middle)
    ratio = (high - low) / (2 * narrow)
    if ratio - 1 < 1e-9:
        return Johnson(middle, (high - low) / (2 * reach), lower=lower, upper=upper)
    bend = math.sinh(math.acosh(ratio)) / reach
    size = narrow / (bend * reach)
    tilt = math.copysign(reach * bend, low + high - 2 * middle)
    scale = size * bend * math.sqrt(1 + tilt**2)
    return Johnson(middle, scale, size * tilt, bend, lower, upper)


@dataclass(frozen=True)
class Standard:
    """A family of `scipy.stats`, by the parameters a prior file gives it.

    ``parameters`` are those of `CONSTRUCTORS`; ``support`` is computed from them without importing
    SciPy, so that a file can be checked at once.
    """

    family: str
    parameters: tuple[tuple[str, float], ...]
    support: tuple[float, float] = field(default=(-INFINITY, INFINITY))

    @cached_property
    def frozen(self) -> Any:
        """The frozen `scipy.stats` distribution."""
        return CONSTRUCTORS[self.family](**dict(self.parameters))

    def from_normal(self, z: ArrayLike) -> Array:
        import numpy as np
        from scipy.special import ndtr

        z = np.asarray(z, dtype=float)
        below, found = z < 0, np.empty(z.shape)
        found[below] = self.frozen.ppf(ndtr(z[below]))
        found[~below] = self.frozen.isf(ndtr(-z[~below]))
        return found

    def rvs(self, rng: Generator, size: int) -> Array:
        from simulate import variates

        return variates.DRAWN[self.family](rng, size, **dict(self.parameters))

    def ppf(self, p: ArrayLike) -> Array:
        return self.frozen.ppf(p)

    def cdf(self, x: ArrayLike) -> Array:
        return self.frozen.cdf(x)

    def pdf(self, x: ArrayLike) -> Array:
        return self.frozen.pdf(x)


def _truncated_normal(mean: float, sd: float, lower: float, upper: float) -> Any:
    from scipy import stats

    return stats.truncnorm((lower - mean) / sd, (upper - mean) / sd, loc=mean, scale=sd)


def _uniform(low: float, high: float) -> Any:
    from scipy import stats

    return stats.uniform(low, high - low)


def _loguniform(low: float, high: float) -> Any:
    from scipy import stats

    return stats.loguniform(low, high)


def _triangular(low: float, mode: float, high: float) -> Any:
    from scipy import stats

    return stats.triang((mode - low) / (high - low), loc=low, scale=high - low)


def _pert(low: float, mode: float, high: float) -> Any:
    """Return the PERT beta: mean ``(low + 4 mode + high) / 6`` (Malcolm et al. 1959, Oper. Res. 7(5))."""
    from scipy import stats

    width = high - low
    return stats.beta(1 + 4 * (mode - low) / width, 1 + 4 * (high - mode) / width, loc=low, scale=width)


def _beta(alpha: float, beta: float, lower: float, upper: float) -> Any:
    from scipy import stats

    return stats.beta(alpha, beta, loc=lower, scale=upper - lower)


def _gamma(shape: float, scale: float, lower: float) -> Any:
    from scipy import stats

    return stats.gamma(shape, loc=lower, scale=scale)


def _student_t(df: float, location: float, scale: float) -> Any:
    from scipy import stats

    return stats.t(df, loc=location, scale=scale)


CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "truncated-normal": _truncated_normal,
    "uniform": _uniform,
    "loguniform": _loguniform,
    "triangular": _triangular,
    "pert": _pert,
    "beta": _beta,
    "gamma": _gamma,
    "student-t": _student_t,
}


@dataclass(frozen=True)
class Mixture:
    """A finite mixture; ``weights`` are positive and sum to one."""

    components: tuple[Distribution, ...]
    weights: tuple[float, ...]
    family: str = "mixture"

    @property
    def support(self) -> tuple[float, float]:
        ends = [component.support for component in self.components]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def _blend(self, method: str, x: ArrayLike) -> Array:
        parts = (w * getattr(c, method)(x) for c, w in zip(self.components, self.weights, strict=True))
        return sum(parts)

    def cdf(self, x: ArrayLike) -> Array:
        return self._blend("cdf", x)

    def pdf(self, x: ArrayLike) -> Array:
        return self._blend("pdf", x)

    def from_normal(self, z: ArrayLike) -> Array:
        """Return the quantile by a bracketed root search between the components' own quantiles."""
        import numpy as np
        from scipy.optimize.elementwise import find_root
        from scipy.special import ndtr

        z = np.asarray(z, dtype=float)
        each = np.stack([component.from_normal(z) for component in self.components])
        low, high = each.min(axis=0), each.max(axis=0)
        target = ndtr(z)
        found = find_root(lambda x, p: self.cdf(x) - p, (low, high), args=(target,))
        return np.where(low == high, low, np.where(found.success, found.x, 0.5 * (low + high)))

    def rvs(self, rng: Generator, size: int) -> Array:
        """Return draws of the components, each as often as its weight has it."""
        import numpy as np

        chosen = rng.choice(len(self.components), size=size, p=self.weights)
        drawn = np.empty(size)
        for number, component in enumerate(self.components):
            here = np.flatnonzero(chosen == number)
            drawn[here] = component.rvs(rng, len(here))
        return drawn

    def ppf(self, p: ArrayLike) -> Array:
        from scipy.special import ndtri

        return self.from_normal(ndtri(p))
