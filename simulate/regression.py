"""A hierarchical linear regression with a heavy tail: what similar cases say of the next one.

``y_i = x_i . b + u_f(i) + e_i``, with normal coefficients ``b_j ~ N(mean_j, sd_j)``, an effect of each
family ``u_f ~ N(0, between)``, so that near-duplicates count as about one, and Student-t errors
``e_i ~ t_df(0, within)``. Both spreads have half-t priors with 3 degrees of freedom.

Every conditional distribution of this model is a standard one, so it is drawn by Gibbs sampling, many
chains and many held-out folds at once, in NumPy: a fit takes less time than compiling a sampler.
The same model in PyMC gives the same posterior (tested).

References: Geweke (1993), J. Appl. Econometrics 8 (Student-t errors as a scale mixture of normals);
Wand et al. (2011), Bayesian Analysis 6(4), result 5 (half-t as a mixture of inverse gammas); Gelman
(2006), Bayesian Analysis 1(3) (half-t priors for spreads).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulate.inference import Progress

Floats = NDArray[np.float64]

DF = 4.0
"""Degrees of freedom of the errors, as for published claims."""
SPREAD_DF = 3.0
"""Degrees of freedom of the half-t priors of the spreads."""
LEAST = 1e-3
"""A spread is at least so much of its scale: cases that agree to the last digit would let it vanish."""


@dataclass(frozen=True)
class Regression:
    """The data and priors of a regression.

    ``y`` [case], ``x`` [case, covariate], ``family`` [case] as positions; ``mean`` and ``sd``
    [covariate] of the coefficients' normal priors; ``within`` and ``between`` are the scales of the
    spreads' half-t priors, in the unit of ``y``.
    """

    y: Floats
    x: Floats
    family: NDArray[np.intp]
    mean: Floats
    sd: Floats
    within: float
    between: float

    @property
    def families(self) -> int:
        return int(self.family.max()) + 1


@dataclass(frozen=True)
class Fit:
    """Posterior draws of a regression: ``coefficients`` (draw, covariate), ``within`` and ``between`` (draw,).

    Draws of several chains lie behind one another; ``chains`` says how many.
    """

    coefficients: Floats
    within: Floats
    between: Floats
    chains: int

    def by_chain(self) -> dict[str, Floats]:
        """Return every parameter as ``(chain, draw)``, by name."""
        found = {f"coefficient {j}": column for j, column in enumerate(self.coefficients.T)}
        found |= {"within": self.within, "between": self.between}
        return {name: values.reshape(self.chains, -1) for name, values in found.items()}


def fit(
    data: Regression,
    folds: Floats,
    rng: np.random.Generator,
    *,
    chains: int = 8,
    draws: int = 1000,
    tune: int = 500,
    thin: int = 4,
    progress: Progress | None = None,
) -> list[Fit]:
    """Return the posterior of each fold: ``folds`` (fold, case) is 1 where a case is seen and 0 where not.

    Of ``thin`` draws one is kept, because the spreads are slow to forget where they were.
    """
    seen = np.repeat(np.asarray(folds, dtype=float), chains, axis=0)
    state = Gibbs(data, seen, rng)
    kept, total = [], tune + draws * thin
    for number in range(total):
        drawn = state.step()
        if number >= tune and (number - tune) % thin == 0:
            kept.append(drawn)
        if progress and number % 100 == 0:
            progress("fitting", number, total)
    coefficients, within, between = (np.stack(column, axis=1) for column in zip(*kept, strict=True))
    return [
        Fit(
            coefficients[rows].reshape(-1, data.x.shape[1]),
            within[rows].reshape(-1),
            between[rows].reshape(-1),
            chains,
        )
        for rows in (slice(i * chains, (i + 1) * chains) for i in range(len(folds)))
    ]


class Gibbs:
    """The state of many chains at once; every array has the chain first."""

    def __init__(self, data: Regression, seen: Floats, rng: np.random.Generator) -> None:
        self.data, self.seen, self.rng = data, seen, rng
        self.design = np.hstack([data.x, np.eye(data.families)[data.family]])
        chains = len(seen)
        self.weight = np.ones(seen.shape)
        self.within = Spread(np.full(chains, data.within**2), data.within, rng)
        self.between = Spread(np.full(chains, data.between**2), data.between, rng)

    def step(self) -> tuple[Floats, Floats, Floats]:
        """Draw everything once, and return coefficients, within and between."""
        covariates = self.data.x.shape[1]
        effects = self.draw_effects()
        residual = self.data.y - effects @ self.design.T
        self.draw_weights(residual)
        square = (self.seen * self.weight * residual**2).sum(axis=1)
        self.within.draw(self.seen.sum(axis=1), square)
        families = effects[:, covariates:]
        self.between.draw(np.full(len(families), families.shape[1]), (families**2).sum(axis=1))
        return effects[:, :covariates], np.sqrt(self.within.variance), np.sqrt(self.between.variance)

    def draw_effects(self) -> Floats:
        """Draw coefficients and family effects jointly: normal, with this precision and mean."""
        chains = len(self.seen)
        weight = self.seen * self.weight / self.within.variance[:, None]
        families = np.repeat(1 / self.between.variance[:, None], self.data.families, axis=1)
        prior = np.hstack([np.broadcast_to(self.data.sd**-2.0, (chains, len(self.data.sd))), families])
        # One small product for each chain: as one large product, threads would cost more than they give.
        precision = np.matmul(self.design.T * weight[:, None, :], self.design)
        diagonal = np.arange(prior.shape[1])
        precision[:, diagonal, diagonal] += prior
        pull = np.zeros_like(prior)
        pull[:, : len(self.data.mean)] = self.data.mean / self.data.sd**2
        pull += (weight * self.data.y) @ self.design
        root = np.linalg.cholesky(precision)
        noise = self.rng.standard_normal(prior.shape)[..., None]
        effects: Floats = np.linalg.solve(precision, pull[..., None] + root @ noise)[..., 0]
        return effects

    def draw_weights(self, residual: Floats) -> None:
        """Draw the precision of each case's normal, which makes its error a Student t."""
        rate = (DF + self.seen * residual**2 / self.within.variance[:, None]) / 2
        self.weight = self.rng.gamma((DF + self.seen) / 2) / rate


class Spread:
    """A variance whose root has a half-t prior of a given scale, as a mixture of inverse gammas."""

    def __init__(self, variance: Floats, scale: float, rng: np.random.Generator) -> None:
        self.variance, self.scale, self.rng = variance, scale, rng
        self.mixing = np.ones_like(variance)

    def draw(self, number: Floats, square: Floats) -> None:
        """Draw the variance of ``number`` normal deviates with this sum of squares."""
        shape = (SPREAD_DF + number) / 2
        drawn = (SPREAD_DF / self.mixing + square / 2) / self.rng.gamma(shape)
        self.variance = np.maximum(drawn, (LEAST * self.scale) ** 2)
        rate = self.scale**-2.0 + SPREAD_DF / self.variance
        self.mixing = rate / self.rng.gamma((SPREAD_DF + 1) / 2, size=rate.shape)


@dataclass(frozen=True)
class Predictive:
    """The posterior predictive of a case of a family not seen: a mixture of Student t.

    ``location`` and ``scale`` (draw,) of each component; they have `DF` degrees of freedom. Draws of
    several chains lie behind one another.
    """

    location: Floats
    scale: Floats
    chains: int = 1

    def cdf(self, y: Floats) -> Floats:
        """Return the probability of at most ``y``, elementwise."""
        found: Floats = self.each_cdf(y).mean(axis=-1)
        return found

    def each_cdf(self, y: Floats) -> Floats:
        """Return the probability of at most ``y`` by each component, on a last axis."""
        from scipy.special import stdtr

        found: Floats = stdtr(DF, (np.asarray(y)[..., None] - self.location) / self.scale)
        return found

    def mcse(self, y: Floats) -> Floats:
        """Return the Monte Carlo standard error of the cdf at ``y``, elementwise.

        That of the mean of a correlated series (Vehtari et al. 2021, Bayesian Analysis 16(2)).
        """
        from arviz_stats.base import array_stats

        each = self.each_cdf(np.atleast_1d(y)).reshape(-1, self.chains, self.location.size // self.chains)
        return np.array([array_stats.mcse(series, method="mean") for series in each]).reshape(np.shape(y))

    def pdf(self, y: Floats) -> Floats:
        """Return the density at ``y``, elementwise."""
        from scipy.stats import t

        found: Floats = (t.pdf((np.asarray(y)[..., None] - self.location) / self.scale, DF) / self.scale).mean(axis=-1)
        return found

    def draws(self, rng: np.random.Generator) -> Floats:
        """Return one draw from each component."""
        return self.location + self.scale * rng.standard_t(DF, self.location.shape)

    def ppf(self, p: Floats) -> Floats:
        """Return quantiles, each by a bracketed root search."""
        from scipy.optimize.elementwise import find_root

        p = np.asarray(p, dtype=float)
        reach = 1e3 * float(self.scale.max()) + float(np.ptp(self.location))
        ends = float(self.location.min()) - reach, float(self.location.max()) + reach
        found: Floats = find_root(lambda y, q: self.cdf(y) - q, ends, args=(p,), tolerances={"xrtol": 1e-10}).x
        return found


def predict(fitted: Fit, x: Floats, rng: np.random.Generator) -> Predictive:
    """Return the predictive of a case with covariates ``x`` [covariate] in a family of its own."""
    mean = fitted.coefficients @ x
    return Predictive(mean + fitted.between * rng.standard_normal(mean.shape), fitted.within, fitted.chains)
