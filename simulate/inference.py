"""Draws from the prior and from the posterior, and the verdict on the latter.

The one door for random numbers: every stream is named by the seed and what it is for, so that adding
an unknown to a file leaves the prior draws of the others as they were.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulate import evidence, propagation, samplers
from simulate.elicitation import LARGEST
from simulate.evidence import Terms
from simulate.priors import Priors
from simulate.samplers import Sampler

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and how much there is (0: unknown); may raise, to leave off."""

BLOCK = 2_000_000
"""Numbers in an array over claims, draws and combinations of facts that are held at once."""

R_HAT_LIMIT = 1.01
ESS_PER_CHAIN = 100
ESS_LEAST = 400
"""Effective draws that a citation needs however few the chains."""
BFMI_LIMIT = 0.3
MCSE_LIMIT = 0.1
"""Share of an interval's width that the Monte Carlo error of its ends and of the median may be."""


@dataclass(frozen=True)
class Settings:
    """How many draws to take, from which seed, and how.

    ``nuts`` is one of `simulate.samplers`. Of ``draws * thin`` of its draws every ``thin``-th is kept. With
    ``extend``, a run that falls short of the thresholds is made again with more effort (`efforts`); with
    ``cross_check`` its posterior is compared with that of `simulate.cross_check`. With ``quasi``, draws that
    no evidence informs are those of `simulate.quasi`, and a chain is a scrambling of them.
    """

    draws: int = 2000
    tune: int = 1000
    chains: int = 4
    seed: int = 1
    target_accept: float = 0.9
    cores: int = 2
    prior_only: bool = False
    thin: int = 1
    extend: bool = True
    cross_check: bool = False
    quasi: bool = False
    nuts: str = "nutpie"


@dataclass(frozen=True)
class Draws:
    """Draws of everything, with ``(chain, draw)`` as the last two axes.

    ``scores`` are the normal scores of the unknowns (unknown, chain, draw); ``values`` every entry by
    path; ``states`` every disputed fact by path, as 0 and 1; ``quantities`` the ledger, indexed ones
    with their index first; ``log_likelihood`` (group, chain, draw) and ``perceived`` (claim, chain,
    draw), the replicated claims, belong to the evidence; ``fact_probability`` is each fact's
    probability, averaged over draws without the noise of drawing the facts; ``sample_stats`` are the
    sampler's, of every draw it made.
    """

    scores: Floats
    values: Mapping[str, Floats]
    states: Mapping[str, Floats]
    quantities: Mapping[str, Floats]
    log_likelihood: Floats
    perceived: Floats
    fact_probability: Mapping[str, float]
    sample_stats: xr.Dataset | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether the draws support a citation; ``reasons`` say what stands against it.

    ``extensions`` are what was tried before, in words, the first attempt left out.
    """

    converged: bool
    method: str
    reasons: tuple[str, ...] = ()
    diagnostics: Mapping[str, float | int | str | None] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()

    def in_words(self) -> str:
        extended = f" ({self.extensions[-1]})" if self.extensions else ""
        if not self.converged:
            return f"NOT CONVERGED, do not cite{extended}: " + "; ".join(self.reasons)
        found = self.diagnostics
        if self.method == "exact":
            return f"exact: {exact_in_words(found)}"
        mixing = (
            f"R-hat at most {found['r_hat']:.3f}, effective draws at least {found['ess_bulk']:.0f} (bulk) "
            f"and {found['ess_tail']:.0f} (tail)"
        )
        if self.method == "mixture":
            return f"converged: every member, and their mixture with {mixing}"
        return f"converged{extended}: {mixing}, {found['divergences']} divergences, E-BFMI at least {found['bfmi']:.2f}"


def exact_in_words(found: Mapping[str, float | int | str | None]) -> str:
    """Return how draws without a sampler were made, from the diagnostics of the verdict on them."""
    if "scramblings" in found:
        return (
            f"quasi-random draws, no sampler needed; {found['scramblings']} independent scramblings of Sobol' points "
            "give the standard errors"
        )
    if "kept" in found:
        return (
            f"{found['draws']:,} independent draws, no sampler needed; quantiles are order statistics of them all, "
            f"so that their only error is Monte Carlo error; {found['kept']:,} draws are kept"
        )
    return "independent draws, no sampler needed"


def efforts(settings: Settings) -> tuple[Settings, ...]:
    """Return the settings to try in turn until a run converges: more draws first, then a higher acceptance.

    The kept draws stay as many, and are the less correlated. After the last the run gives up.
    """
    more = [replace(settings, thin=thin) for thin in (1, 2, 4)]
    careful = [
        replace(settings, thin=thin, tune=2 * settings.tune, target_accept=max(accept, settings.target_accept))
        for thin, accept in ((4, 0.95), (8, 0.99))
    ]
    return (*more, *careful)


def next_effort(tried: int, verdict: Verdict) -> int:
    """Return which of the `efforts` comes after one that fell short; divergences need acceptance, not draws."""
    diverged = float(verdict.diagnostics.get("divergences") or 0) > 0
    geometry = diverged or float(verdict.diagnostics.get("bfmi") or 1) <= BFMI_LIMIT
    return max(tried + 1, 3) if geometry else tried + 1


def effort_in_words(settings: Settings) -> str:
    """Return what an extension of a run does."""
    draws = f"{settings.thin} times the draws, every {ORDINALS[settings.thin]} kept"
    return f"extended: {draws}, target acceptance {settings.target_accept:g}"


ORDINALS = {1: "one", 2: "second", 4: "fourth", 8: "eighth"}


def stream(
    seed: int, *purpose: str, bits: Callable[[list[int]], np.random.BitGenerator] = np.random.PCG64
) -> np.random.Generator:
    """Return the generator that ``seed`` and ``purpose`` name, independent of all others."""
    name = hashlib.sha256("\x1f".join(purpose).encode()).digest()
    return np.random.Generator(bits([seed, *np.frombuffer(name[:16], dtype=np.uint32).tolist()]))


def prior(priors: Priors, settings: Settings) -> Draws:
    """Return draws from the prior, independent or quasi-random, and the claims it predicts."""
    shape = (settings.chains, settings.draws)
    if settings.quasi:
        scores, uniform = quasi_random(priors, settings)
    else:
        scores = independent(priors, settings, "prior", {})
        uniform = [stream(settings.seed, "prior", fact.path).random(shape) for fact in priors.facts]
    states = {
        fact.path: (row < fact.probability).astype(float) for fact, row in zip(priors.facts, uniform, strict=True)
    }
    probability = {fact.path: fact.probability for fact in priors.facts}
    rng = stream(settings.seed, "prior", "claims")
    found = propagation.values(priors, scores)
    return complete(priors, evidence.terms(priors), scores, found, states, probability, rng)


def independent(priors: Priors, settings: Settings, group: str, known: Mapping[str, Floats]) -> Floats:
    """Return normal scores (unknown, chain, draw): those ``known``, and independent draws of the rest."""
    shape = (settings.chains, settings.draws)
    scores = np.empty((len(priors.unknowns), *shape))
    for row, unknown in zip(scores, priors.unknowns, strict=True):
        here = known.get(unknown.path)
        row[:] = stream(settings.seed, group, unknown.path).standard_normal(shape) if here is None else here
    return scores


def quasi_random(priors: Priors, settings: Settings) -> tuple[Floats, list[Floats]]:
    """Return normal scores (unknown, chain, draw) and a uniform number for each fact, from scrambled Sobol' points."""
    from scipy.special import ndtri

    from simulate import quasi

    rngs = [stream(settings.seed, "prior", f"scrambling {number}") for number in range(settings.chains)]
    unknowns = len(priors.unknowns)
    points = quasi.points(unknowns + len(priors.facts), settings.draws, rngs)
    return np.asarray(ndtri(points[:unknowns])), list(points[unknowns:])


def posterior(
    priors: Priors,
    settings: Settings,
    progress: Progress | None = None,
    terms: Terms | None = None,
    by: Sampler | None = None,
) -> Draws:
    """Return draws from the posterior, by NUTS over the unknowns that the evidence speaks of.

    ``terms`` are the claims of the file unless others are given, which must be as many; ``by`` is what draws, in place
    of the sampler that the settings name. Raises `KeyboardInterrupt` when sampling was interrupted, never a shorter
    sample.
    """
    terms = terms or evidence.terms(priors)
    sampled, stats = samplers.sample(priors, terms, settings, progress, by) if priors.informed else ({}, None)
    return completed(priors, terms, settings, sampled, stats)


def completed(
    priors: Priors,
    terms: Terms,
    settings: Settings,
    sampled: Mapping[str, Floats],
    stats: xr.Dataset | None = None,
) -> Draws:
    """Return whole draws from the posterior, given ``sampled`` normal scores (chain, draw) by path.

    The other unknowns keep the very draws of their priors, which are their posteriors, so that they have
    the same ones in every file of one seed, with evidence or without; the disputed facts are drawn from
    their exact probabilities given the rest and the figures of ``terms``.
    """
    scores = independent(priors, settings, "prior", sampled)
    combinations, log_probability = evidence.combinations(priors.facts)
    found = propagation.values(priors, scores)
    log_weight = log_probability + likelihoods(priors, terms, found, combinations)
    uniform = stream(settings.seed, "posterior", "facts").random((*log_weight.shape[:-1], 1))
    weight, chosen = evidence.choose(log_weight, uniform)
    states = {fact.path: row[chosen] for fact, row in zip(priors.facts, combinations, strict=True)}
    probability = {
        fact.path: float((weight * row).sum(axis=-1).mean())
        for fact, row in zip(priors.facts, combinations, strict=True)
    }
    rng = stream(settings.seed, "posterior", "claims")
    return complete(priors, terms, scores, found, states, probability, rng, sample_stats=stats)


def likelihoods(priors: Priors, terms: Terms, found: Mapping[str, Floats], combinations: Floats) -> Floats:
    """Return the log-likelihood of all claims at every draw under every combination of facts.

    ``found`` are the entries by path, ``(chain, draw)``; the result is ``(chain, draw, combination)``. Draws are
    taken in blocks, so that memory does not grow with draws times claims times combinations.
    """
    chains, draws = next(iter(found.values())).shape
    block = max(1, BLOCK // (chains * max(len(priors.evidence), 1) * combinations.shape[1]))
    parts = []
    for start in range(0, draws, block):
        here = {path: values[:, start : start + block] for path, values in found.items()}
        targets = propagation.log_targets_over(priors, here, combinations, terms)
        parts.append(evidence.log_likelihood(targets, terms).sum(axis=0))
    return np.concatenate(parts, axis=1)


def complete(
    priors: Priors,
    terms: Terms,
    scores: Floats,
    found: Mapping[str, Floats],
    states: Mapping[str, Floats],
    fact_probability: Mapping[str, float],
    rng: np.random.Generator,
    sample_stats: xr.Dataset | None = None,
) -> Draws:
    """Return what follows from the values of normal scores and from facts: ledger, likelihood, replicated claims."""
    nothing = np.zeros((0, *scores.shape[1:]))
    quantities = propagation.quantities(priors, found, states)
    log_likelihood, perceived = nothing, nothing
    if priors.evidence:
        targets = propagation.log_targets(priors, found, states, quantities, terms)
        log_likelihood = evidence.log_likelihood(targets, terms)
        perceived = evidence.perceive(targets, terms, rng)
    return Draws(scores, found, states, quantities, log_likelihood, perceived, fact_probability, sample_stats)


def judge(draws: Draws, settings: Settings, table: Mapping[str, Mapping[str, float]]) -> Verdict:
    """Return the verdict on posterior draws from the diagnostics of every unknown, fact and quantity.

    ``table`` maps each variable to its ``r_hat``, ``ess_bulk`` and ``ess_tail``, and each scope to ``mcse``,
    the largest Monte Carlo error of its median and interval over the interval's width (NaN for what does
    not vary). Thresholds: Vehtari et al. (2021), Bayesian Analysis 16(2), section 4 (R-hat below 1.01, 100
    effective draws per chain); Betancourt (2016), arXiv:1604.00695 (E-BFMI above 0.3).
    """
    if draws.sample_stats is None:
        scramblings = {"scramblings": settings.chains} if settings.quasi else {}
        return exact(not_finite(draws), {"draws": settings.draws * settings.chains, **scramblings})
    absurd = beyond_reason(not_finite(draws))
    from arviz_stats.base import array_stats

    worst, poor = mixing(table, settings.chains)
    divergences = int(draws.sample_stats["diverging"].sum())
    bfmi = float(np.min(array_stats.bfmi(draws.sample_stats["energy"].to_numpy())))
    reasons = absurd + poor
    if divergences:
        reasons.append(f"{divergences} divergent transitions")
    if not bfmi > BFMI_LIMIT:
        reasons.append(f"E-BFMI is {bfmi:.2f}, not above {BFMI_LIMIT}")
    diagnostics = {**worst, "divergences": divergences, "bfmi": bfmi, "draws": settings.draws * settings.chains}
    return Verdict(not reasons, "nuts", tuple(reasons), diagnostics)


def exact(absurd: Iterable[str], diagnostics: Mapping[str, int]) -> Verdict:
    """Return the verdict on draws that no sampler made; ``absurd`` are quantities with draws that are no numbers."""
    reasons = beyond_reason(absurd)
    return Verdict(not reasons, "exact", tuple(reasons), diagnostics)


def beyond_reason(absurd: Iterable[str]) -> list[str]:
    return [f"draws of {name} beyond all reason; a prior has too long a tail" for name in absurd]


def mixing(table: Mapping[str, Mapping[str, float]], chains: int) -> tuple[dict[str, float], list[str]]:
    """Return the worst of each diagnostic in a table as of `judge`, and what they say against a citation."""
    needed = max(ESS_LEAST, ESS_PER_CHAIN * chains)
    worst = {
        "r_hat": extreme(table, "r_hat", max),
        "ess_bulk": extreme(table, "ess_bulk", min),
        "ess_tail": extreme(table, "ess_tail", min),
    }
    reasons, few = [], []
    if chains < 2:
        reasons.append("one chain cannot be checked against another; use --chains 4")
    if not worst["r_hat"][1] < R_HAT_LIMIT and chains > 1:
        reasons.append(f"R-hat of {worst['r_hat'][0]} is {worst['r_hat'][1]:.3f}, not below {R_HAT_LIMIT}")
    for kind in ("ess_bulk", "ess_tail"):
        if not worst[kind][1] > needed:
            few.append(f"{kind} of {worst[kind][0]} is {worst[kind][1]:.0f}, not above {needed}")
    name, share = extreme(table, "mcse", max)
    if share > MCSE_LIMIT:
        found = f"the Monte Carlo error of the interval of {name} is {100 * share:.0f} % of its width"
        few.append(f"{found}, not below {100 * MCSE_LIMIT:.0f} %")
    if few:
        few[-1] += "; use more --draws"
    return {kind: value for kind, (_, value) in worst.items()}, [*reasons, *few]


def extreme(
    table: Mapping[str, Mapping[str, float]], kind: str, pick: Callable[..., tuple[float, str]]
) -> tuple[str, float]:
    """Return the variable with the worst value of a diagnostic, and the value, among those that vary."""
    finite = [(row[kind], name) for name, row in table.items() if not math.isnan(row.get(kind, math.nan))]
    if not finite:
        return "everything", math.nan
    value, name = pick(finite)
    return name, value


def not_finite(draws: Draws) -> list[str]:
    """Return the quantities with draws that are no numbers or too large to be any."""
    return [name for name, values in draws.quantities.items() if not (np.abs(values) < LARGEST).all()]
