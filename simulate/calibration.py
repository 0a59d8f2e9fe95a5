"""Is the sampler right? Simulation-based calibration of everything between a prior file and its intervals.

Draw a truth from the prior, simulate the evidence that it would have given rise to, fit that evidence as `run`
does, and rank the truth among the draws. If every part is right (the densities and their transformations, the
shared errors, the sum over disputed facts, NUTS, what is completed afterwards, the ledger), truth and draws are
exchangeable and the ranks are uniform; what is wrong somewhere bends them (Talts et al. 2018, arXiv:1804.06788).

What is ranked: every unknown that varies, every disputed fact (ties broken at random), every cost scope, and the
log-likelihood of the simulated evidence. The last depends on the evidence, and so shows what ranks of unknowns
cannot, such as a fit that has heard nothing and returned the prior (Modrák et al. 2023, arXiv:2211.02383).

Floors and ceilings are no numbers that can be simulated: "at least v" is the observation that something perceived
was above v, and the v is the speaker's. So they are conditioned on. Truth and perceptions are drawn from their joint
prior predictive, and kept only when every floor and ceiling of the file holds in the perception; the bounds of one
group perceive with one error, as the likelihood has it. What is kept is a draw from the joint distribution of truth
and figures given the bounds, of which the fit is the conditional distribution of the truth given figures and bounds:
again truth and draws are exchangeable, for the file as it stands. What it does not show is a fit of bounds with
other values.

A claim about what does not exist in the truth is simulated as the likelihood hears it: as the figure of somebody who
perceives `propagation.SMALLEST`, which stands for nothing.

Draws of a chain are not independent. Those that are ranked are spread over it evenly, and the chain is made anew and
longer while it has fewer effective draws of anything than are ranked (Talts et al. 2018, algorithm 2).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulate import evidence, inference, propagation, samplers, uniformity
from simulate.errors import SimulateError
from simulate.evidence import Terms
from simulate.inference import Draws, Settings
from simulate.priors import Priors

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
Sampler = Callable[[Terms, Settings], "tuple[Mapping[str, Floats], xr.Dataset | None]"]
"""Draws the normal scores of the informed unknowns by path, given the figures of the claims."""

LOG_LIKELIHOOD = "log_likelihood"

BATCH = 200
"""Truths drawn at once; the first in which all bounds hold is taken."""

MOST_BATCHES = 1000
SAME = 1e-9
"""Relative difference below which truth and draw are the same number, up to rounding."""

R_HAT_LIMIT = 1.05
"""For the halves of one short chain, where it is noisier than between the chains of a run."""

STUCK = 1e6
"""Stands for the infinite R-hat of a chain that does not move."""

LEVEL = 0.05
"""Probability that anything at all fails where nothing is wrong."""


@dataclass(frozen=True)
class Plan:
    """How each fit is made: ``ranked`` of ``draws``, doubled up to ``doublings`` times while they are too dependent."""

    seed: int = 1
    ranked: int = 99
    draws: int = 990
    tune: int = 500
    doublings: int = 2
    target_accept: float = 0.9

    def settings(self, seed: int, doubled: int) -> Settings:
        """Return how to sample: one chain, whose length has been ``doubled`` some times."""
        draws = self.draws * 2**doubled
        return Settings(draws, self.tune, chains=1, seed=seed, target_accept=self.target_accept, cores=1)


@dataclass(frozen=True)
class Fit:
    """What is kept of one fit; all of it follows from prior file, plan and ``number``.

    ``ranks`` are the numbers of ranked draws below the truth; ``facts`` maps each disputed fact to its truth and
    its probability in the fit; ``ess`` are effective draws (bulk) of what varies. ``r_hat`` is the worst, of the two
    halves of the chain, and ``r_hat_of`` what it is of. ``draws`` is the length of the chain, and ``tried`` how many
    truths were drawn until all bounds held.
    """

    number: int
    ranks: Mapping[str, int]
    facts: Mapping[str, tuple[bool, float]]
    ess: Mapping[str, float]
    r_hat: float
    r_hat_of: str
    divergences: int
    draws: int
    tried: int

    def reasons(self, plan: Plan) -> tuple[str, ...]:
        """Return what stands against the fit; it is counted all the same."""
        least = min(self.ess, key=lambda name: self.ess[name], default="")
        found = []
        if self.r_hat >= R_HAT_LIMIT:
            found.append(f"R-hat of {self.r_hat_of} is {self.r_hat:.2f}")
        if least and self.ess[least] < plan.ranked:
            found.append(f"{self.ess[least]:.0f} effective draws of {least}")
        if self.divergences:
            found.append(f"{self.divergences} divergent transition{'s' if self.divergences > 1 else ''}")
        return tuple(found)


# ---------------------------------------------------------------------------------------------
# One fit


@dataclass(frozen=True)
class Simulated:
    """A truth (one draw), the claims with the figures it gave rise to, and how many truths were ``tried``."""

    truth: Draws
    terms: Terms
    tried: int


def simulated(priors: Priors, rng: np.random.Generator) -> Simulated:
    """Return a truth from the prior and its evidence, given that all floors and ceilings of the file hold.

    Raises `SimulateError` when they hold in next to no truth.
    """
    terms = evidence.terms(priors)
    for batch in range(MOST_BATCHES):
        drawn = inference.prior(priors, Settings(BATCH, chains=1, seed=int(rng.integers(2**32))))
        hold = bounds_hold(drawn.perceived[:, 0], terms)
        if hold.any():
            first = int(hold.argmax())
            heard = heard_by(terms, drawn.perceived[:, 0, first])
            return Simulated(single(priors, heard, drawn, first), heard, batch * BATCH + first + 1)
    raise SimulateError(
        f"{priors.name}: the floors and ceilings hold together in none of {MOST_BATCHES * BATCH:,} prior draws; "
        "`simulate check FILE --prior-predictive` shows where each lies"
    )


def bounds_hold(perceived: Floats, terms: Terms) -> NDArray[np.bool_]:
    """Return where every floor is perceived as reached and every ceiling as kept; ``perceived`` is (claim, draw)."""
    return np.asarray((terms.sign[:, None] * (perceived - terms.log_value[:, None]) >= 0).all(axis=0))


def heard_by(terms: Terms, perceived: Floats) -> Terms:
    """Return claims whose estimates say what was ``perceived`` (claim); bounds say what they say."""
    return dataclasses.replace(terms, log_value=np.where(terms.sign == 0, perceived, terms.log_value))


def single(priors: Priors, terms: Terms, draws: Draws, number: int) -> Draws:
    """Return one of the draws of a chain by itself, with the likelihood of the figures of ``terms``."""
    states = {path: values[:, number, None] for path, values in draws.states.items()}
    scores = draws.scores[:, :, number, None]
    found, rng = propagation.values(priors, scores), np.random.default_rng(0)
    return inference.complete(priors, terms, scores, found, states, draws.fact_probability, rng)


def followed(priors: Priors, draws: Draws) -> dict[str, Floats]:
    """Return all that is ranked, by name: (chain, draw)."""
    found = {unknown.path: draws.values[unknown.path] for unknown in priors.unknowns}
    found |= {fact.path: draws.states[fact.path] for fact in priors.facts}
    found |= {name: draws.quantities[name] for name in priors.scopes}
    return found | {LOG_LIKELIHOOD: draws.log_likelihood.sum(axis=0)}


def variables(priors: Priors) -> tuple[str, ...]:
    """Return the names of what is ranked: what does not vary has no rank."""
    drawn = followed(priors, inference.prior(priors, Settings(BATCH, chains=1)))
    return tuple(name for name, values in drawn.items() if np.ptp(values) > SAME * np.abs(values).max())


@dataclass(frozen=True)
class Fitter:
    """Makes the fits of a plan, each by itself: the same number, the same fit, whichever came before."""

    priors: Priors
    plan: Plan
    sampler: Sampler

    @cached_property
    def names(self) -> tuple[str, ...]:
        return variables(self.priors)

    @np.errstate(all="ignore")
    def fit(self, number: int) -> Fit:
        """Return a fit by its number. Raises `SimulateError` and `KeyboardInterrupt` as `inference.posterior` does."""
        rng = inference.stream(self.plan.seed, "calibration", str(number))
        found = simulated(self.priors, rng)
        draws = self.posterior(found.terms, int(rng.integers(2**32)))
        self.check(number, found.truth, draws)
        truth, drawn = (followed(self.priors, one) for one in (found.truth, draws))
        every = draws.scores.shape[-1] // self.plan.ranked
        thinned = {name: drawn[name][0, every - 1 :: every][: self.plan.ranked] for name in self.names}
        ess, r_hat = effective(drawn), split_r_hat(drawn)
        worst = max(r_hat, key=lambda name: r_hat[name], default="")
        return Fit(
            number,
            {name: rank(float(truth[name][0, 0]), thinned[name], rng) for name in self.names},
            {path: (bool(truth[path][0, 0]), p) for path, p in draws.fact_probability.items()},
            {name: round(found, 1) for name, found in ess.items()},
            round(min(r_hat.get(worst, 1.0), STUCK), 4),
            worst,
            int(draws.sample_stats["diverging"].sum()) if draws.sample_stats is not None else 0,
            draws.scores.shape[-1],
            found.tried,
        )

    def check(self, number: int, *drawn: Draws) -> None:
        """Raise `SimulateError` where truth or draws are no numbers, and have no rank."""
        absurd = dict.fromkeys(name for draws in drawn for name in inference.not_finite(draws))
        if absurd:
            raise SimulateError(
                f"{self.priors.name}: draws of {', '.join(absurd)} beyond all reason in fit {number}; "
                "a prior has too long a tail"
            )

    def posterior(self, terms: Terms, seed: int) -> Draws:
        """Return draws given the figures of ``terms``, from a chain long enough where that can be had."""
        for doubled in range(self.plan.doublings + 1):
            settings = self.plan.settings(seed, doubled)
            sampled, stats = self.sampler(terms, settings)
            draws = inference.completed(self.priors, terms, settings, sampled, stats)
            if min(effective(followed(self.priors, draws)).values(), default=math.inf) >= self.plan.ranked:
                break
        return draws


def rank(truth: float, draws: Floats, rng: np.random.Generator) -> int:
    """Return the number of draws below the truth; those that are equal to it count by chance.

    >>> rank(2.0, np.array([1.0, 3.0, 1.5]), np.random.default_rng(1))
    2
    """
    same = np.isclose(draws, truth, rtol=SAME, atol=0.0)
    return int(((draws < truth) & ~same).sum() + rng.integers(same.sum() + 1))


def effective(drawn: Mapping[str, Floats]) -> dict[str, float]:
    """Return the effective draws (bulk) of what varies."""
    from arviz_stats.base import array_stats

    return {name: float(array_stats.ess(values, method="bulk")) for name, values in varying(drawn)}


def split_r_hat(drawn: Mapping[str, Floats]) -> dict[str, float]:
    """Return the rank-normalised R-hat between the halves of the chain, of what varies."""
    from arviz_stats.base import array_stats

    halves = {name: values.reshape(2, -1) for name, values in varying(drawn)}
    return {name: float(array_stats.rhat(values, method="rank")) for name, values in halves.items()}


def varying(drawn: Mapping[str, Floats]) -> Iterator[tuple[str, Floats]]:
    for name, values in drawn.items():
        if np.ptp(values) > SAME * np.abs(values).max():
            yield name, values


def sampler(priors: Priors) -> Sampler:
    """Return what samples the posterior of a prior file: nothing, where the evidence speaks of no unknown."""
    if not priors.informed:
        return lambda terms, settings: ({}, None)
    return lambda terms, settings: samplers.sample(priors, terms, settings, None)


# ---------------------------------------------------------------------------------------------
# The verdict


@dataclass(frozen=True)
class Finding:
    """What one test of a calibration found.

    ``p_value`` decides; ``adjusted`` is it times the number of tests (Bonferroni), so that all tests together fail with
    a probability of at most `LEVEL` where nothing is wrong. ``chi_square`` is a second opinion, adjusted likewise.
    ``difference`` is the largest between the distribution function of the ranks and the uniform. A test of a fact's
    probability has neither.
    """

    name: str
    p_value: float
    adjusted: float
    chi_square: float = math.nan
    difference: float = math.nan

    @property
    def passed(self) -> bool:
        return self.adjusted > LEVEL


@dataclass(frozen=True)
class Reliability:
    """How often a disputed fact was true, and how often the fits expected it to be."""

    path: str
    true: int
    expected: float
    p_value: float


@dataclass(frozen=True)
class Calibration:
    """The fits of a prior file, and what they say of its sampler."""

    name: str
    title: str
    digest: str
    plan: Plan
    versions: Mapping[str, str]
    variables: tuple[str, ...]
    scopes: tuple[str, ...]
    facts: tuple[str, ...]
    fits: tuple[Fit, ...]

    @property
    def values(self) -> int:
        """How many values a rank can have."""
        return self.plan.ranked + 1

    def ranks(self, name: str) -> list[int]:
        """Return the ranks of a variable, a fit each."""
        return [fit.ranks[name] for fit in self.fits]

    @property
    def number(self) -> int:
        """How many tests there are: of the ranks of each variable, and of the probability of each fact."""
        return len(self.variables) + len(self.facts)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The test of each variable's ranks."""
        return tuple(self.finding(name) for name in self.variables)

    def finding(self, name: str) -> Finding:
        ranks, n = self.ranks(name), len(self.fits)
        uniform = (np.arange(self.values - 1) + 1) / self.values
        off = uniformity.cumulative(ranks, self.values) / n - uniform
        p = uniformity.ecdf_p_value(ranks, self.values)
        second = uniformity.chi_square_p_value(ranks, self.values)
        return Finding(name, p, self.adjust(p), self.adjust(second), float(off[np.abs(off).argmax()]))

    def adjust(self, p_value: float) -> float:
        return min(1.0, p_value * self.number)

    def reliabilities(self) -> list[Reliability]:
        """Return how often each fact was true and was expected to be."""
        return [self.reliability(path) for path in self.facts]

    def reliability(self, path: str) -> Reliability:
        happened, expected = zip(*(fit.facts[path] for fit in self.fits), strict=True)
        return Reliability(path, sum(happened), sum(expected), uniformity.events_p_value(happened, expected))

    @property
    def all_findings(self) -> list[Finding]:
        """The tests that decide, those of facts' probabilities last."""
        facts = [(f"P({found.path})", found.p_value) for found in self.reliabilities()]
        return [*self.findings, *(Finding(name, p, self.adjust(p)) for name, p in facts)]

    def band(self, *, of_all: bool = True) -> tuple[Floats, Floats]:
        """Return the envelope of a distribution function of ranks, for all tests together or for one alone."""
        return uniformity.band(len(self.fits), self.values, LEVEL / (self.number if of_all else 1))

    @property
    def failed(self) -> tuple[str, ...]:
        return tuple(found.name for found in self.all_findings if not found.passed)

    @property
    def passed(self) -> bool:
        return not self.failed

    @property
    def poor(self) -> dict[int, tuple[str, ...]]:
        """The fits that something stands against, and what."""
        found = {fit.number: fit.reasons(self.plan) for fit in self.fits}
        return {number: reasons for number, reasons in found.items() if reasons}

    def in_words(self) -> str:
        """Return the verdict: what was tested, at what level, and what failed or came nearest to it."""
        n, level = len(self.fits), f"{100 * (1 - LEVEL):g} %"
        if self.failed:
            what = ", ".join(self.failed)
            return f"NOT CALIBRATED in {n} fits: {what} outside the joint {level} band of {self.number} tests"
        nearest = min(self.all_findings, key=lambda found: found.p_value)
        return (
            f"calibrated as far as {n} fits can tell: all {self.number} tests within their joint {level} band; "
            f"nearest to its edge is {nearest.name} (p = {p_words(nearest.p_value)}, "
            f"times {self.number} tests {p_words(nearest.adjusted)})"
        )


def p_words(p: float) -> str:
    """Return a p-value in words.

    >>> p_words(0.0421), p_words(0.00004), p_words(1.0)
    ('0.042', '<0.0001', '1')
    """
    return "<0.0001" if p < 1e-4 else f"{p:.2g}"
