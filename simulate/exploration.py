"""What `simulate explore` answers: a changed prior file simulated by its priors, or sampled as ``simulate run`` does.

Settings, seed and code are those of a run, so that a run of the same file has the same numbers to the last digit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate import inference, pipeline, summary
from simulate.inference import Draws, Progress, Settings, Verdict
from simulate.ladder_plot import HAS_AMOUNT, span_of
from simulate.layers import Layers
from simulate.loading import check
from simulate.naming import SCOPE_LABELS
from simulate.plot_axes import amounts, inner_probability
from simulate.plot_style import KIND_WORDS
from simulate.priors import Constant, Priors
from simulate.quantiles import ranks_around
from simulate.report import likely
from simulate.summary import Row, amount, published

PROBABILITY = 0.9
"""Of the intervals, as ``simulate run`` has it by default."""


@dataclass(frozen=True)
class Outcome:
    """Draws of a changed prior file, and what is said of them.

    ``scopes`` are as a manifest has them, those of the group that is shown; ``before`` is the prior's interval of each
    scope [USD], where a posterior is shown.
    """

    priors: Priors
    group: str
    draws: Draws
    rows: Sequence[Row]
    verdict: Verdict
    before: Mapping[str, tuple[float, float]]

    @property
    def scopes(self) -> dict[str, dict[str, Any]]:
        shown = [row for row in self.rows if row.group == self.group]
        return {row.variable: pipeline.scope(row) for row in summary.scope_rows(shown)}

    @property
    def hears(self) -> bool:
        """Whether evidence has weight in what is shown."""
        return self.group == "posterior" and bool(self.priors.evidence)


@np.errstate(all="ignore")
def simulated(layers: Layers) -> Outcome:
    """Return the prior simulation of a changed prior file. Raises `InputError` with all its faults."""
    priors, settings = check(layers), settings_of_runs()
    prior, rows = of_prior(priors, settings)
    return Outcome(priors, "prior", prior, rows, inference.judge(prior, settings, {}), {})


@np.errstate(all="ignore")
def refitted(layers: Layers, progress: Progress | None = None) -> Outcome:
    """Return the posterior of a changed prior file, extended as a run would be.

    Raises `InputError` with all its faults, and `SimulateError` where the evidence is impossible under it.
    """
    priors, settings = check(layers), settings_of_runs()
    prior, before = of_prior(priors, settings)

    def summarise(priors: Priors, draws: Draws, group: str, probability: float) -> list[Row]:
        return before if group == "prior" else summary.cited(priors, draws, group, probability)

    drawn, rows, verdict = pipeline.settled(priors, settings, prior, PROBABILITY, progress, summarise)
    ends = {row.variable: (row.lower, row.upper) for row in before if not row.index}
    return Outcome(priors, "posterior", drawn or prior, rows, verdict, ends)


class Simulations:
    """The latest prior simulations, by what decides them: the refit of what was just simulated needs it too.

    One is made at a time, so that a refit waits for the one under way rather than making it beside it.
    """

    MOST = 4

    def __init__(self) -> None:
        self.making = threading.Lock()
        self.made: dict[tuple[Any, ...], tuple[Draws, list[Row]]] = {}

    def __call__(self, priors: Priors, settings: Settings) -> tuple[Draws, list[Row]]:
        """Return draws from the prior of a file, and their rows."""
        decides = priors.digest, tuple(priors.entries), settings
        with self.making:
            found = self.made.pop(decides, None) or self.make(priors, settings)
            self.made[decides] = found
            while len(self.made) > self.MOST:
                del self.made[next(iter(self.made))]
        return found

    @staticmethod
    def make(priors: Priors, settings: Settings) -> tuple[Draws, list[Row]]:
        prior = inference.prior(priors, settings)
        return prior, summary.cited(priors, prior, "prior", PROBABILITY)


of_prior = Simulations()


def settings_of_runs() -> Settings:
    return Settings(cores=pipeline.cores())


# ---------------------------------------------------------------------------------------------
# In words


def rungs(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """Yield what a ladder shows of each scope, by the fields of `simulate.pages.ladder.Rung`."""
    inner, years = inner_probability(PROBABILITY), horizon(outcome.priors)
    for name, found in outcome.scopes.items():
        low, high = np.quantile(outcome.draws.quantities[name], [(1 - inner) / 2, (1 + inner) / 2])
        yield {
            "label": SCOPE_LABELS[name],
            "basis": found["basis"],
            "median": found["median"],
            "lower": found["lower"],
            "upper": found["upper"],
            "words": amounts(found),
            "inner": (float(low), float(high)),
            "before": outcome.before.get(name) if outcome.hears else None,
            "marks": list(marks(outcome, name)),
            "note": span_of(name, years),
        }


def marks(outcome: Outcome, scope: str) -> Iterator[dict[str, Any]]:
    """Yield the claims about a scope, smallest first; for a prior simulation none is evidence."""
    found = [claim for claim in outcome.priors.claims if claim.about == scope]
    for claim in sorted(found, key=lambda claim: (claim.value, claim.label)):
        label = claim.label or claim.name
        figure = f": {KIND_WORDS[claim.kind]}{published(claim.value, claim.unit)}"
        words = label if HAS_AMOUNT.search(label) else label + figure
        yield {"value": claim.value, "words": words, "kind": claim.kind, "used": claim.used and outcome.hears}


def facts(outcome: Outcome) -> dict[str, str]:
    """Return the probability of each disputed fact after the evidence, in words; nothing for a prior simulation."""
    if not outcome.hears:
        return {}
    return {path: likely(found) for path, found in outcome.draws.fact_probability.items()}


def intervals(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """Return the interval of each unknown after the evidence, as numbers and in words, with the digits it supports."""
    if not outcome.hears:
        return {}
    effective = {row.name: row.ess_tail for row in outcome.rows if row.group == "posterior"}
    informed = {unknown.path for unknown in outcome.priors.informed}
    return {
        unknown.path: ends(outcome.draws.values[unknown.path], effective[unknown.path], unknown.unit)
        for unknown in outcome.priors.unknowns
        if unknown.path in informed and unknown.path in effective
    }


def ends(values: NDArray[np.float64], effective: float, unit: str) -> dict[str, Any]:
    """Return the equal-tailed interval of draws, of which so many are ``effective``, in numbers and in words.

    The Monte Carlo error of an end is that of `summary.independent_errors`, with the effective draws for the draws.
    """
    ordered, found, words = np.sort(values, axis=None), [], []
    number = max(int(min(effective, ordered.size)), 2)
    for chance in ((1 - PROBABILITY) / 2, (1 + PROBABILITY) / 2):
        low, high = (min(rank * ordered.size // number, ordered.size - 1) for rank in ranks_around(number, chance))
        found.append(float(np.quantile(ordered, chance)))
        words.append(amount(found[-1], "", float(ordered[high] - ordered[low]) / 2))
    return {"low": found[0], "high": found[1], "words": f"{words[0]} to {words[1]} {unit}".strip()}


def standing(outcome: Outcome) -> str:
    """Return what is shown, in a few words."""
    if outcome.group == "prior":
        return "prior simulation"
    if not outcome.priors.evidence:
        return "prior, exact: no evidence is heard"
    return "posterior, converged" if outcome.verdict.converged else "NOT CONVERGED"


def horizon(priors: Priors) -> float | None:
    """Return the horizon [year], None where it is uncertain or not given."""
    found = priors.entries.get("scope.horizon")
    return found.value if isinstance(found, Constant) else None
