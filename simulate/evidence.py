"""Published claims as likelihood terms, on anything that does arithmetic.

A claim perceives a quantity with an error that is additive on the logarithm.

- An *estimate* reports what it perceives. Its error is Student t. Estimates of one group share a part of
  it: ``error = scale * (sqrt(rho) * shared + sqrt(1 - rho) * own)``, both Student t, the shared one an
  unknown of its own. Repetitions of one figure then weigh as about ``n / (1 + (n - 1) * rho)`` claims,
  however well they agree with one another.
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
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.priors import Claim, Fact, Priors

Floats = NDArray[np.float64]

SIGNS = {"estimate": 0.0, "floor": 1.0, "ceiling": -1.0}


@dataclass(frozen=True)
class Terms:
    """The evidence of a prior file as arrays, over ``claim`` and ``group``.

    ``log_value`` [claim] is the logarithm of each claim's figure; ``scale`` [claim] the scale of its own
    error (Student t with ``df`` degrees of freedom for estimates, logistic for bounds) and ``shared``
    [claim] that of the error it shares with its group; ``sign`` [claim] is 0, or 1 (floor) or -1
    (ceiling). ``estimates``, ``floors``, ``ceilings`` [group, claim] are memberships as 0 and 1.
    """

    log_value: Floats
    scale: Floats
    shared: Floats
    sign: Floats
    estimates: Floats
    floors: Floats
    ceilings: Floats
    df: float
    groups: tuple[str, ...]

    @property
    def log_constant(self) -> float:
        """Logarithm of the density of a standard Student t at zero."""
        df = self.df
        return math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)


def terms(priors: Priors) -> Terms:
    """Return the evidence of a prior file as arrays."""
    claims = priors.evidence
    groups = tuple(dict.fromkeys(claim.group for claim in claims))
    sign = np.array([SIGNS[claim.kind] for claim in claims])
    member = np.array([[float(claim.group == group) for claim in claims] for group in groups])
    member = member.reshape(len(groups), len(claims))
    rho = np.array([priors.group_correlations[claim.group] if claim.error else 0.0 for claim in claims])
    scale = np.array([error_scale(claim, priors.df, share) for claim, share in zip(claims, rho, strict=True)])
    return Terms(
        log_value=np.log([claim.value for claim in claims]),
        scale=scale * np.sqrt(1 - rho),
        shared=scale * np.sqrt(rho),
        sign=sign,
        estimates=member * (sign == 0),
        floors=member * (sign > 0),
        ceilings=member * (sign < 0),
        df=priors.df,
        groups=groups,
    )


def error_scale(claim: Claim, df: float, rho: float) -> float:
    """Return the scale whose central interval of the claim's level is its stated error.

    ``rho`` is the share of the error's square that is the group's; zero for a claim on its own.
    """
    upper = (1 + claim.level) / 2
    if claim.kind != "estimate":
        return claim.log_error / math.log(upper / (1 - upper))
    return claim.log_error / error_quantile(upper, df, rho)


@lru_cache(maxsize=256)
def error_quantile(p: float, df: float, rho: float) -> float:
    """Return the quantile of ``sqrt(rho) * t + sqrt(1 - rho) * t'``, two independent Student t.

    By averaging the distribution of one over the quantiles of the other; exact for ``rho = 0``.
    """
    from scipy.optimize import brentq
    from scipy.special import stdtr, stdtrit

    alone = float(stdtrit(df, p))
    if rho == 0:
        return alone
    common = math.sqrt(rho) * stdtrit(df, (np.arange(4000) + 0.5) / 4000)
    return float(brentq(lambda x: stdtr(df, (x - common) / math.sqrt(1 - rho)).mean() - p, 0.0, 3 * alone))


def log_likelihood(log_target: Any, terms: Terms, xp: Any = np) -> Any:
    """Return the log-likelihood of each group of claims, shape ``(group, …)``.

    ``log_target`` has shape ``(claim, …)``: the logarithm of what each claim speaks of, with the bias of
    its source and the error it shares with its group put in. ``xp`` is the array module, `numpy`,
    `pytensor.tensor` or `simulate.tape`; the arrays of ``terms`` may be tensors too.
    """
    batch = (...,) + (None,) * (log_target.ndim - 1)
    residual = (terms.log_value[batch] - log_target) / terms.scale[batch]
    density = -(terms.df + 1) / 2 * xp.log1p(residual**2 / terms.df)
    density = density + terms.log_constant - xp.log(terms.scale)[batch]
    holds = -xp.logaddexp(0.0, terms.sign[batch] * residual)
    rows = [group_likelihood(group, density, holds, terms, xp) for group in range(len(terms.groups))]
    return xp.stack(rows)


def group_likelihood(group: int, density: Any, holds: Any, terms: Terms, xp: Any) -> Any:
    """Return the log-likelihood of one group: its estimates together, and the strictest bound of each kind."""
    estimates, floors, ceilings = (
        np.flatnonzero(member[group]) for member in (terms.estimates, terms.floors, terms.ceilings)
    )
    parts = [density[estimates].sum(axis=0)] if estimates.size else []
    parts += [xp.min(holds[bounds], axis=0) for bounds in (floors, ceilings) if bounds.size]
    return sum(parts[1:], parts[0])


def combinations(facts: Sequence[Fact]) -> tuple[Floats, Floats]:
    """Return all combinations of facts as 0 and 1, ``(fact, combination)``, and their log-probabilities.

    The first combination has every fact true. Without facts there is one combination, of probability 1.
    """
    states = np.array(list(itertools.product((1.0, 0.0), repeat=len(facts)))).reshape(2 ** len(facts), len(facts)).T
    probability = np.array([fact.probability for fact in facts])[:, None]
    return states, np.log(np.where(states == 1, probability, 1 - probability)).sum(axis=0)


def choose(log_weight: Floats, uniform: Floats) -> tuple[Floats, Any]:
    """Return the probability of each combination of facts, ``(…, combination)``, and one drawn by ``uniform`` (…, 1).

    ``log_weight`` (…, combination) are logarithms of the probabilities up to a constant.
    """
    from scipy.special import logsumexp

    weight = np.exp(log_weight - logsumexp(log_weight, axis=-1, keepdims=True))
    chosen = (uniform > np.cumsum(weight, axis=-1)).sum(axis=-1)
    return weight, np.minimum(chosen, weight.shape[-1] - 1)


def perceive(log_target: Floats, terms: Terms, rng: np.random.Generator) -> Floats:
    """Return replicated claims: the logarithm that each would perceive, shape ``(claim, …)``.

    The generative side of `log_likelihood`: a floor or a ceiling is the statement that what it
    perceives is above or below its value.
    """
    batch = log_target.shape[1:]
    spread = (...,) + (None,) * len(batch)
    group = np.argmax(terms.estimates + terms.floors + terms.ceilings, axis=0)
    own = rng.standard_t(terms.df, log_target.shape)
    floors, ceilings = (rng.logistic(size=(len(terms.groups), *batch))[group] for _ in range(2))
    sign = terms.sign[spread]
    error = np.where(sign == 0, own, np.where(sign > 0, floors, ceilings))
    return log_target + terms.scale[spread] * error


def perceive_mixture(log_target: Floats, log_probability: Floats, terms: Terms, rng: np.random.Generator) -> Floats:
    """Return replicated claims with the facts drawn too: ``(…, claim)`` from ``(…, claim, combination)``."""
    batch = log_target.shape[:-2]
    weights = np.broadcast_to(np.exp(log_probability), (*batch, log_target.shape[-1]))
    chosen = (rng.random((*batch, 1)) > np.cumsum(weights, axis=-1)).sum(axis=-1)
    chosen = np.minimum(chosen, log_target.shape[-1] - 1)
    picked = np.take_along_axis(log_target, chosen[..., None, None], axis=-1)[..., 0]
    return np.moveaxis(perceive(np.moveaxis(picked, -1, 0), terms, rng), 0, -1)
