"""Published claims as likelihood terms, on anything that does arithmetic.

A claim perceives a quantity with an error that is additive on the logarithm.

- An *estimate* reports what it perceives. Estimates of one group share part of their errors: the
  group's errors are one multivariate Student t whose scale matrix has the group's correlation
  everywhere off its diagonal, so that ``n`` repetitions weigh as about
  ``n / (1 + (n - 1) * correlation)`` claims.
- A *floor* says that what it perceives is at least its value: a right-censored observation with a
  logistic error. A *ceiling* is left-censored. Bounds of one kind in one group share one error, so that
  the strictest of them is what counts.

A disputed fact is marginalised exactly: every term is computed for all combinations of the facts at
once, as the last axis, and the joint likelihood is their weighted sum.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.priors import Claim, Fact, Priors

Floats = NDArray[np.float64]

SIGNS = {"estimate": 0.0, "floor": 1.0, "ceiling": -1.0}


@dataclass(frozen=True)
class Terms:
    """The evidence of a prior file as arrays, over ``claim`` (C) and ``group`` (G).

    ``log_value`` [claim] is the logarithm of each claim's figure, ``scale`` [claim] the scale of its
    error (Student t for estimates, logistic for bounds), ``sign`` [claim] 0, 1 (floor) or -1 (ceiling).
    ``estimates``, ``floors``, ``ceilings`` [group, claim] are memberships as 0 and 1. ``correlation``,
    ``size`` and ``constant`` [group] belong to the group's Student t; ``df`` are its degrees of freedom.
    """

    log_value: Floats
    scale: Floats
    sign: Floats
    estimates: Floats
    floors: Floats
    ceilings: Floats
    correlation: Floats
    size: Floats
    constant: Floats
    df: float
    groups: tuple[str, ...]

    @property
    def tempering(self) -> Floats:
        """``rho / (1 + (n - 1) rho)`` of each group [group]."""
        return self.correlation / (1 + (self.size - 1) * self.correlation)


def terms(priors: Priors) -> Terms:
    """Return the evidence of a prior file as arrays."""
    claims = priors.evidence
    groups = tuple(dict.fromkeys(claim.group for claim in claims))
    sign = np.array([SIGNS[claim.kind] for claim in claims])
    member = np.array([[float(claim.group == group) for claim in claims] for group in groups]).reshape(
        len(groups), len(claims)
    )
    scale = np.array([error_scale(claim, priors.df) for claim in claims])
    correlation = np.array([priors.group_correlations[group] for group in groups])
    estimates = member * (sign == 0)
    size = estimates.sum(axis=1)
    return Terms(
        log_value=np.log([claim.value for claim in claims]),
        scale=scale,
        sign=sign,
        estimates=estimates,
        floors=member * (sign > 0),
        ceilings=member * (sign < 0),
        correlation=correlation,
        size=size,
        constant=student_t_constant(size, correlation, priors.df) - estimates @ np.log(scale),
        df=priors.df,
        groups=groups,
    )


def error_scale(claim: Claim, df: float) -> float:
    """Return the scale whose central interval of the claim's level is its stated error."""
    upper = (1 + claim.level) / 2
    if claim.kind != "estimate":
        return claim.log_error / math.log(upper / (1 - upper))
    from scipy.special import stdtrit

    return claim.log_error / float(stdtrit(df, upper))


def student_t_constant(size: Floats, correlation: Floats, df: float) -> Floats:
    """Return the log normalising constant of an equicorrelated multivariate Student t of unit scales.

    Kotz and Nadarajah (2004), Multivariate t Distributions and Their Applications, equation 1.1; the
    determinant of the scale matrix is ``(1 - rho)**(n - 1) * (1 + (n - 1) rho)``. Shapes ``(group,)``.
    """
    from scipy.special import gammaln

    spread = np.maximum(size - 1, 0)
    determinant = spread * np.log1p(-correlation) + np.log1p(spread * correlation)
    constant = gammaln((df + size) / 2) - gammaln(df / 2) - size / 2 * math.log(df * math.pi) - determinant / 2
    return np.where(size > 0, constant, 0.0)


def log_likelihood(log_quantity: Any, terms: Terms, xp: Any = np) -> Any:
    """Return the log-likelihood of each group of claims, shape ``(group, …)``.

    ``log_quantity`` has shape ``(claim, …)``: the logarithm of what each claim speaks of, biases
    included. ``xp`` is the array module, `numpy` or `pytensor.tensor`; the arrays of ``terms`` may be
    tensors too.
    """
    batch = (...,) + (None,) * (log_quantity.ndim - 1)
    residual = (terms.log_value[batch] - log_quantity) / terms.scale[batch]
    total = within(terms.estimates, residual, batch).sum(axis=1)
    squares = within(terms.estimates, residual**2, batch).sum(axis=1)
    distance = (squares - terms.tempering[batch] * total**2) / (1 - terms.correlation[batch])
    result = terms.constant[batch] - (terms.df + terms.size[batch]) / 2 * xp.log1p(distance / terms.df)
    result = xp.where(terms.size[batch] > 0, result, 0.0)
    holds = -xp.logaddexp(0.0, terms.sign[batch] * residual)
    for bounds in (terms.floors, terms.ceilings):
        result = result + within(bounds, holds, batch).min(axis=1)
    return result


def within(member: Any, values: Any, batch: tuple[Any, ...]) -> Any:
    """Return ``values`` (claim, …) for each group, zero outside it: (group, claim, …)."""
    return member[batch] * values[None]


def combinations(facts: Sequence[Fact]) -> tuple[Floats, Floats]:
    """Return all combinations of facts as 0 and 1, ``(fact, combination)``, and their log-probabilities.

    The first combination has every fact true. Without facts there is one combination, of probability 1.
    """
    states = np.array(list(itertools.product((1.0, 0.0), repeat=len(facts)))).reshape(2 ** len(facts), len(facts)).T
    probability = np.array([fact.probability for fact in facts])[:, None]
    return states, np.log(np.where(states == 1, probability, 1 - probability)).sum(axis=0)


def perceive(log_quantity: Floats, terms: Terms, rng: np.random.Generator) -> Floats:
    """Return replicated claims: the logarithm that each would perceive, shape ``(claim, …)``.

    The generative side of `log_likelihood`: a floor or a ceiling is the statement that what it
    perceives is above or below its value.
    """
    batch = log_quantity.shape[1:]
    spread = (...,) + (None,) * len(batch)
    group = np.argmax(terms.estimates + terms.floors + terms.ceilings, axis=0)
    groups = len(terms.groups)
    rho = terms.correlation[group][spread]
    common = rng.standard_normal((groups, *batch))[group]
    own = rng.standard_normal(log_quantity.shape)
    tail = np.sqrt(rng.chisquare(terms.df, (groups, *batch)) / terms.df)[group]
    student = (np.sqrt(rho) * common + np.sqrt(1 - rho) * own) / tail
    floors, ceilings = rng.logistic(size=(groups, *batch))[group], rng.logistic(size=(groups, *batch))[group]
    sign = terms.sign[spread]
    error = np.where(sign == 0, student, np.where(sign > 0, floors, ceilings))
    return log_quantity + terms.scale[spread] * error


def perceive_mixture(log_quantity: Floats, log_probability: Floats, terms: Terms, rng: np.random.Generator) -> Floats:
    """Return replicated claims with the facts drawn too: ``(…, claim)`` from ``(…, claim, combination)``."""
    batch = log_quantity.shape[:-2]
    weights = np.broadcast_to(np.exp(log_probability), (*batch, log_quantity.shape[-1]))
    chosen = (rng.random((*batch, 1)) > np.cumsum(weights, axis=-1)).sum(axis=-1)
    picked = np.take_along_axis(log_quantity, chosen[..., None, None], axis=-1)[..., 0]
    return np.moveaxis(perceive(np.moveaxis(picked, -1, 0), terms, rng), 0, -1)
