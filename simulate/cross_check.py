"""The posterior again by another way: sequential Monte Carlo that shares no sampler with NUTS.

Particles start as draws of the prior and are led to the posterior by raising the likelihood to a power
that grows from 0 to 1 (Del Moral, Doucet and Jasra 2006, J. R. Stat. Soc. B 68(3)). Between powers they
move by preconditioned Crank-Nicolson steps, which leave the standard-normal prior of the scores as it is
(Cotter et al. 2013, Statistical Science 28(3)). There is no gradient, no PyMC and no PyTensor: only the
NumPy ledger and the likelihood. Several populations, each on its own, give the Monte Carlo error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from simulate import evidence, propagation
from simulate.inference import Progress, stream
from simulate.priors import Priors
from simulate.summary import Row

Floats = NDArray[np.float64]

POPULATIONS = 8
PARTICLES = 2000
MOVES = 20
"""Crank-Nicolson steps between two powers."""
KEPT = 0.5
"""Share of particles that a rise of the power may leave effective."""
WANTED_ACCEPTANCE = 0.3
LEVEL = 0.01
"""Probability of calling agreeing samplers different, over all quantities together."""


@dataclass(frozen=True)
class Comparison:
    """One quantile of one scope by both ways: ``z`` is their difference in Monte Carlo standard errors."""

    scope: str
    quantile: float
    nuts: float
    smc: float
    z: float


@dataclass(frozen=True)
class CrossCheck:
    """What sequential Monte Carlo says of a posterior; ``limit`` is the largest difference chance allows."""

    comparisons: tuple[Comparison, ...]
    limit: float
    populations: int
    particles: int

    @property
    def agrees(self) -> bool:
        return all(abs(item.z) <= self.limit for item in self.comparisons)

    def in_words(self) -> str:
        worst = max(self.comparisons, key=lambda item: abs(item.z))
        what = f"{worst.scope} at the {100 * worst.quantile:g} % quantile by {abs(worst.z):.1f} standard errors"
        how = f"{self.populations} × {self.particles:,} particles"
        if self.agrees:
            return (
                f"sequential Monte Carlo agrees ({how}): the largest difference is of {what}, {self.limit:.1f} allowed"
            )
        return f"SEQUENTIAL MONTE CARLO DISAGREES ({how}): {what}, {self.limit:.1f} allowed"


def cross_check(priors: Priors, rows: Iterable[Row], seed: int, progress: Progress | None = None) -> CrossCheck:
    """Return how the scopes' quantiles in posterior ``rows`` stand to those by sequential Monte Carlo.

    Differences are divided by the Monte Carlo errors of both; that of the populations has few degrees of
    freedom, so the limit is a Student-t quantile at `LEVEL`, shared among all comparisons (Bonferroni).
    """
    from scipy.special import stdtrit

    found, target = [], Target(priors)
    for number in range(POPULATIONS):
        found.append(population(target, stream(seed, "cross-check", str(number))))
        if progress:
            progress("cross-check", number + 1, POPULATIONS)
    shown = [row for row in rows if row.group == "posterior" and row.variable in priors.scopes]
    comparisons = tuple(item for row in shown for item in compare(row, [scopes[row.variable] for scopes in found]))
    limit = float(stdtrit(POPULATIONS - 1, 1 - LEVEL / (2 * len(comparisons))))
    return CrossCheck(comparisons, limit, POPULATIONS, PARTICLES)


def compare(row: Row, draws: list[Floats]) -> Iterable[Comparison]:
    """Yield the comparison of a scope's interval and median, on logarithms where it is positive."""
    tail = (1 - row.probability) / 2
    for p, nuts, mcse in (
        (tail, row.lower, row.mcse_lower),
        (0.5, row.p50, row.mcse_p50),
        (1 - tail, row.upper, row.mcse_upper),
    ):
        each = np.array([np.quantile(values, p) for values in draws])
        error = np.hypot(each.std(ddof=1) / np.sqrt(len(each)), mcse)
        yield Comparison(
            row.variable, p, nuts, float(each.mean()), float((each.mean() - nuts) / error) if error else 0.0
        )


class Target:
    """The posterior of the unknowns that the evidence speaks of; the others keep their priors.

    Particles are normal scores ``(informed unknown, particle)``.
    """

    def __init__(self, priors: Priors) -> None:
        self.priors = priors
        informed = {unknown.path for unknown in priors.informed}
        self.rows = [row for row, unknown in enumerate(priors.unknowns) if unknown.path in informed]
        self.states, self.log_probability = evidence.combinations(priors.facts)
        self.terms = evidence.terms(priors)

    def scores(self, z: Floats, others: Floats | float = 0.0) -> Floats:
        """Return the scores of all unknowns, those without evidence at ``others``."""
        full = np.broadcast_to(others, (len(self.priors.unknowns), z.shape[1])).copy()
        full[self.rows] = z
        return full

    def log_weights(self, scores: Floats) -> Floats:
        """Return log probability plus log-likelihood of each combination of facts: ``(particle, combination)``."""
        found = propagation.values(self.priors, scores)
        targets = propagation.log_targets_over(self.priors, found, self.states)
        weights: Floats = self.log_probability + evidence.log_likelihood(targets, self.terms).sum(axis=0)
        return weights

    def log_likelihood(self, z: Floats) -> Floats:
        """Return the log-likelihood of each particle, all combinations of facts summed: ``(particle,)``."""
        return np.asarray(logsumexp(self.log_weights(self.scores(z)), axis=-1))


def population(target: Target, rng: np.random.Generator) -> dict[str, Floats]:
    """Return the scopes of one population of particles of the posterior, each ``(particle,)``."""
    z = rng.standard_normal((len(target.rows), PARTICLES))
    value = target.log_likelihood(z)
    power, step = 0.0, 0.5
    while power < 1:
        rise = next_rise(value, 1 - power)
        power = min(1.0, power + rise)
        chosen = resampled(rise * value, rng)
        z, value = z[:, chosen], value[chosen]
        for _ in range(MOVES):
            z, value, accepted = moved(target, z, value, power, step, rng)
            step = float(np.clip(step * np.exp(accepted - WANTED_ACCEPTANCE), 0.02, 0.98))
    return scopes_of(target, z, rng)


def next_rise(value: Floats, most: float) -> float:
    """Return by how much the power may rise so that `KEPT` of the particles stay effective."""

    def effective(rise: float) -> float:
        weight = np.exp(rise * (value - value.max()))
        return float(weight.sum() ** 2 / (weight**2).sum()) / len(value)

    low, high = 0.0, most
    if effective(high) >= KEPT:
        return most
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= KEPT else (low, middle)
    return max(low, 1e-9)


def resampled(log_weight: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return positions drawn by systematic resampling (Carpenter, Clifford and Fearnhead 1999)."""
    weight = np.exp(log_weight - log_weight.max())
    edges = np.cumsum(weight) / weight.sum()
    at = (rng.random() + np.arange(len(weight))) / len(weight)
    return np.minimum(np.searchsorted(edges, at), len(weight) - 1)


def moved(
    target: Target, z: Floats, value: Floats, power: float, step: float, rng: np.random.Generator
) -> tuple[Floats, Floats, float]:
    """Return particles after one Crank-Nicolson step of size ``step`` in (0, 1), and the share that moved."""
    proposed = np.sqrt(1 - step**2) * z + step * rng.standard_normal(z.shape)
    there = target.log_likelihood(proposed)
    accept = np.log(rng.random(len(value))) < power * (there - value)
    return np.where(accept, proposed, z), np.where(accept, there, value), float(accept.mean())


def scopes_of(target: Target, z: Floats, rng: np.random.Generator) -> dict[str, Floats]:
    """Return the scopes of particles, their disputed facts drawn given everything else."""
    priors = target.priors
    scores = target.scores(z, rng.standard_normal((len(priors.unknowns), z.shape[1])))
    log_weight = target.log_weights(scores)
    _, chosen = evidence.choose(log_weight, rng.random((len(log_weight), 1)))
    true = {fact.path: row[chosen] for fact, row in zip(priors.facts, target.states, strict=True)}
    quantities = propagation.quantities(priors, propagation.values(priors, scores), true)
    return {name: quantities[name] for name in priors.scopes}
