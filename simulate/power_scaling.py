"""Power-scaling: how much an answer moves when a prior, or some evidence, is given a little more weight.

The posterior is weighted by a component's density to the power of 1 % more and 1 % less, and the distance
that the answer's distribution moves is taken for each doubling of the weight: ArviZ's measure (`psense`),
over log-densities that a run holds. A distance of 0.05 is where it begins to matter.

References: Kallioinen, Paananen, Bürkner and Vehtari (2024), Stat. Comput. 34:57.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulate.jackknife import Estimate, Mask, jackknifed

Floats = NDArray[np.float64]

THRESHOLD = 0.05
ALPHAS = (0.99, 1.01)


@dataclass(frozen=True)
class Power:
    """What more weight on one prior does to the answer and to its own unknown, and evidence to the latter.

    All are distances for a doubling of the weight; ``evidence`` is all of it together, None where there is
    none. ``words`` is the diagnosis of prior and evidence.
    """

    path: str
    on_answer: Estimate
    prior: Estimate
    evidence: Estimate | None
    words: str


def sensitivity(answer: Floats, log_density: Floats, left: Mask) -> Estimate:
    """Return how far the answer moves with the weight of a component; both are ``(draw,)``."""

    def statistic(mask: Mask) -> Floats:
        return np.array([distance(answer[mask], log_density[mask])])

    value, error = jackknifed(statistic, left)
    return Estimate(float(value[0]), float(error[0]))


def distance(values: Floats, log_density: Floats) -> float:
    """Return ArviZ's power-scaling sensitivity of some draws to a component of their density."""
    from arviz_stats.base import array_stats

    if not np.ptp(log_density) > 0 or not np.ptp(values) > 0:
        return 0.0
    lower, upper = (weights(log_density, alpha)[None] for alpha in ALPHAS)
    found = array_stats.power_scale_sense(values[None], lower, upper, lower_alpha=ALPHAS[0], upper_alpha=ALPHAS[1])
    return float(found)


def weights(log_density: Floats, alpha: float) -> Floats:
    """Return Pareto-smoothed weights of the draws; plain ones where the tail has one value, as a fact's has."""
    from arviz_stats.base import array_stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            logs = array_stats.power_scale_lw(log_density, alpha=alpha)
        except ValueError:
            logs = (alpha - 1) * log_density
    raw = np.exp(logs - logs.max())
    return np.asarray(raw / raw.sum())


def pull(values: Floats, log_density: Floats) -> float:
    """Return which way more weight moves the mean: the sign of its derivative, ``cov(values, log_density)``."""
    return float(np.sign(((values - values.mean()) * log_density).mean()))


def diagnosis(prior: Estimate, evidence: Estimate | None, pulls: tuple[float, float]) -> str:
    """Return in words what two sensitivities of one unknown say of its prior and of the evidence.

    ``pulls`` are which way each of the two moves it. Where a sensitivity is within two standard errors of
    the threshold, the words say so.
    """
    if evidence is None:
        return "there is no evidence: the prior is all"
    near = any(abs(one.value - THRESHOLD) < 2 * one.mcse for one in (prior, evidence))
    return reading(prior.value >= THRESHOLD, evidence.value >= THRESHOLD, pulls) + ("; near the threshold" * near)


def reading(prior: bool, evidence: bool, pulls: tuple[float, float]) -> str:
    """Return what it means that the prior, the evidence, or both are felt (Kallioinen et al. 2024, table 1)."""
    if prior and evidence and pulls[0] * pulls[1] < 0:
        return f"possible prior-data conflict: the evidence pulls it {WAYS[pulls[1]]}, the prior {WAYS[pulls[0]]}"
    if prior and evidence:
        return "prior and evidence both shape it, and pull the same way"
    if not prior and not evidence:
        return "a little more or less weight on either hardly moves it"
    felt, other = ("prior", "evidence") if prior else ("evidence", "prior")
    return f"a little more or less weight on the {felt} moves it, on the {other} hardly"


WAYS = {1.0: "up", -1.0: "down"}
