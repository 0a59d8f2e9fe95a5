"""A run as what claims are tested against: where a figure lies among its draws, and how far it is from its scopes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulate import ledger
from simulate.distance import Floats, Off, distance
from simulate.figures import Figure, plural, span
from simulate.register import Claim
from simulate.report import likely
from simulate.results import Run
from simulate.summary import amount, published, row
from simulate.units import UnitError, factor

BROADER: Mapping[str, tuple[str, ...]] = {
    "final_run": ("development", "company"),
    "official_runs": ("development", "company"),
    "research_compute": ("development", "company"),
    "development": ("company",),
    "hardware": ("ownership", "company"),
    "operations": ("ownership", "company"),
    "ownership": ("company",),
    "company": (),
}
"""The wider scopes that a figure of each scope is set against."""

JUDGED_BY = 0.9
"""Probability of the narrowest interval outside of which a figure is inconsistent."""
ALIKE = 0.02
"""How far a piece of evidence may be from a figure and still be the same, rounded."""


@dataclass(frozen=True)
class Testimony:
    """Where a figure lies among the draws of what it speaks of; no ``percentile`` where they are all the same."""

    percentile: float | None
    holds: bool
    words: str
    independent: bool


def probability_of(run: Run) -> float:
    """Return the probability of a run's intervals."""
    return float(next(iter(run.manifest["scopes"].values()))["probability"])


class Witness:
    """A run as what claims are tested against: its draws by name, in their units."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.probability = probability_of(run)
        self.group_name = str(run.manifest["group"])
        self.heard = [c for c in run.manifest["claims"] if c["used"] and self.group_name == "posterior"]
        tree = run.tree(self.group_name, "constant_data")
        self.group: Any = tree[self.group_name].to_dataset().load()
        horizon = tree["constant_data"].dataset.get("scope.horizon")
        self.years = math.nan if horizon is None or horizon.dims else float(horizon)

    def draws(self, quantity: str) -> tuple[Floats, str] | None:
        """Return draws (chain, draw) and unit of a quantity or path; what may not exist counts as 0 there."""
        name, _, index = quantity.removesuffix("]").partition("[")
        if name not in self.group:
            return None
        found = self.group[name]
        dims = [dim for dim in found.dims if dim not in ("chain", "draw")]
        if bool(dims) != bool(index) or (dims and index not in found[dims[0]].values):
            return None
        values = found.sel({dims[0]: index}) if dims else found
        exists = f"{name.rpartition('.')[0]}.exists"
        gate = self.group[exists].to_numpy() if exists in self.group else 1.0
        return values.to_numpy() * gate, str(found.attrs["units"])

    def counts_the_years_of(self, claim: Claim) -> bool:
        """Whether the run's horizon is that which a claim counts, where it counts any."""
        return claim.entry.years in (None, self.years)

    def test(self, claim: Claim, figure: Figure) -> Testimony | None:
        """Return where a claim's figure lies in the draws, or None where the run does not speak of it."""
        found = self.draws(claim.entry.quantity)
        if found is None or not self.counts_the_years_of(claim):
            return None
        values, unit = found
        try:
            scale = factor(figure.unit, unit)
        except UnitError:
            return None
        if not np.ptp(values) > 0:
            return self.against_fixed(claim, figure, float(values.flat[0]), scale, unit)
        low, middle, high = (share_below(values, scale * end) for end in (figure.low, figure.value, figure.high))
        tail = 50 * (1 - max(self.probability, JUDGED_BY))
        holds = in_range(claim.entry.kind, high >= tail, low <= 100 - tail)
        echo = self.echo(claim, figure)
        words = joined(self.place_in_words(claim, values, unit, middle), self.fact_in_words(claim), echo)
        return Testimony(middle, holds, words, not echo)

    def against_fixed(self, claim: Claim, figure: Figure, value: float, scale: float, unit: str) -> Testimony:
        """Return how a figure stands to a quantity that the run takes as given."""
        holds = in_range(claim.entry.kind, scale * figure.high >= value, scale * figure.low <= value)
        words = f"the run has {claim.entry.quantity} fixed at {published(value, plural(unit))}"
        return Testimony(None, holds, words, independent=False)

    def echo(self, claim: Claim, figure: Figure) -> str:
        """Return why it is no independent test that a run agrees with a claim, or nothing."""
        quantity = claim.entry.quantity
        inputs = ledger.depends_on(quantity) | {quantity}
        if any(c["about"] == quantity and is_same(figure, c) for c in self.heard):
            return "the run has heard it as evidence"
        if any(stem(c["about"]) in inputs and is_same(part, c) for c in self.heard for part in claim.rests_on):
            return "the run has heard what it is computed from as evidence"
        unknowns = self.run.manifest["unknowns"].items()
        sources = {name for path, item in unknowns if {path, stem(path)} & inputs for name in item["sources"]}
        return "the run's priors have the same source" if claim.entry.source in sources else ""

    def fact_in_words(self, claim: Claim) -> str:
        """Return how probable it is that there is any of what a claim counts, where that is disputed."""
        path = f"{claim.entry.quantity.rpartition('.')[0]}.exists"
        facts, before = self.run.manifest["facts"], self.run.manifest["fact_priors"]
        if path not in facts:
            return ""
        after = f"{likely(facts[path])}, " if self.group_name == "posterior" else ""
        return f"{path} has probability {after}{likely(before[path])} before any evidence"

    def place_in_words(self, claim: Claim, values: Floats, unit: str, percentile: float) -> str:
        """Return where a figure lies, or how probable the draws find a bound."""
        quantity = claim.entry.quantity
        found = row(quantity, "", "", unit, values, self.probability)
        low = amount(found.lower, "", found.mcse_lower)
        high = amount(found.upper, "", found.mcse_upper)
        words = f"{span(low, high, plural(unit))} ({100 * self.probability:g} %, {self.group_name})"
        if claim.entry.kind == "estimate":
            return f"{ordinal(percentile)} of {quantity}, {words}"
        side, share = ("above", 100 - percentile) if claim.entry.kind == "floor" else ("below", percentile)
        return f"{quantity} is {side} it with probability {likely(share / 100)}: {words}"

    def off(self, claim: Claim, figure: Figure) -> Iterator[Off]:
        """Yield how far a figure of money is from its own scope, from that it is shown as, and from wider ones."""
        entry = claim.entry
        if figure.unit != "USD" or figure.value <= 0 or not self.counts_the_years_of(claim):
            return
        own = [name for name in (entry.quantity, entry.scope) if name in ledger.QUANTITIES]
        stated = [*own, *(name for name in (entry.shown_as,) if name in ledger.SCOPES)]
        for scope in dict.fromkeys((*stated, *BROADER.get(entry.scope or entry.quantity, ()))):
            found = self.draws(scope)
            if found is not None and found[1] == "USD":
                yield distance(scope, found[0], figure, self.probability, entry.kind, is_own=scope in stated)


def joined(*parts: str) -> str:
    """Return the parts that there are as one reason."""
    return "; ".join(part for part in parts if part)


def in_range(kind: str, at_least: bool, at_most: bool) -> bool:
    """Whether a claim of a kind holds, of which it is known whether it lies above the low and below the high end."""
    return {"estimate": at_least and at_most, "floor": at_most, "ceiling": at_least}[kind]


def is_same(figure: Figure, heard: Mapping[str, Any]) -> bool:
    """Whether a piece of evidence has a figure's value, to 2 %."""
    try:
        return math.isclose(figure.value * factor(figure.unit, heard["unit"]), heard["value"], rel_tol=ALIKE)
    except UnitError:
        return False


def stem(path: str) -> str:
    """Return the ledger's name for a path or an indexed quantity.

    >>> stem("runs.v3-pretraining.gpu_hours"), stem("gpu_hours[v3-pretraining]")
    ('gpu_hours', 'gpu_hours')
    """
    return path.partition("[")[0].rpartition(".")[2]


def share_below(values: Floats, at: float) -> float:
    """Return the share of draws below a number [percent]."""
    return 100 * float((values < at).mean())


def ordinal(percentile: float) -> str:
    """Return where something lies in words.

    >>> ordinal(37.2), ordinal(0.2), ordinal(99.7)
    ('37th percentile', 'below the 1st percentile', 'above the 99th percentile')
    """
    if percentile < 1:
        return "below the 1st percentile"
    if percentile > 99:
        return "above the 99th percentile"
    number = round(percentile)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number // 10 != 1 else 0, "th")
    return f"{number}{ending} percentile"
