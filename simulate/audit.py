"""What a published claim is worth: each claim of a register against its own arithmetic and against runs.

Every claim gets one verdict, computed anew each time, by the first of these that applies:

=====================  ====================================================================
not-about-cost         a market, a date, an industry, a capability
contradicts-arithmetic a sum that must hold does not, whatever the rounding
bound-as-estimate      the origin said "at least" (or "at most"), the article did not
wrong-scope            the number is right, but for another scope than the article takes it for
not-testable           an opinion, an original not located, a claim without a number
consistent             within the credible interval, or equal to the figures it rests on
inconsistent           outside the credible interval of what it speaks of
=====================  ====================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate import ledger
from simulate.identities import Figure, Period, plural
from simulate.register import NOT_ABOUT_COST, Claim, Register
from simulate.report import likely
from simulate.results import Run
from simulate.summary import amount, published, row, with_unit
from simulate.units import UnitError, factor

Floats = NDArray[np.float64]

NOT_COST = "not-about-cost"
CONTRADICTS = "contradicts-arithmetic"
BOUND = "bound-as-estimate"
WRONG_SCOPE = "wrong-scope"
NOT_TESTABLE = "not-testable"
CONSISTENT = "consistent"
INCONSISTENT = "inconsistent"

VERDICTS: Mapping[str, str] = {
    CONTRADICTS: "contradicts its own arithmetic",
    INCONSISTENT: "inconsistent with the posterior",
    BOUND: "a bound turned into an estimate",
    WRONG_SCOPE: "right number, wrong scope",
    CONSISTENT: "consistent",
    NOT_TESTABLE: "not testable",
    NOT_COST: "not about cost",
}
"""Every verdict in words, the gravest first."""

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

KIND_WORDS = {"estimate": "about", "floor": "at least", "ceiling": "at most"}
TINY = 20.0
"""Ratio from which a figure is told as a share in percent."""


@dataclass(frozen=True)
class Off:
    """How far a figure is from a scope: the ratio scope ÷ figure, with its equal-tailed interval."""

    scope: str
    median: float
    lower: float
    upper: float
    probability: float
    words: str


@dataclass(frozen=True)
class Finding:
    """The verdict on a claim, why, and where its figure lies.

    ``percentile`` is the share of draws of ``quantity`` below the figure [percent], None where no run
    speaks of it; ``run`` is the run it was tested against.
    """

    claim: Claim
    verdict: str
    reason: str
    percentile: float | None = None
    off: tuple[Off, ...] = ()
    run: str = ""


@dataclass(frozen=True)
class Tested:
    """Where a figure lies among the draws of what it speaks of."""

    percentile: float
    holds: bool
    words: str


class Witness:
    """A run as what claims are tested against: its draws by name, in their units."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.subject = str(run.manifest["subject"])
        self.probability = float(next(iter(run.manifest["scopes"].values()))["probability"])
        self.group: Any = run.tree()[run.manifest["group"]].to_dataset().load()

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

    def test(self, claim: Claim, figure: Figure) -> Tested | None:
        """Return where a claim's figure lies in the posterior, or None where the run does not speak of it."""
        found = self.draws(claim.entry.quantity)
        if found is None or not np.ptp(found[0]) > 0:
            return None
        values, unit = found
        try:
            scale = factor(figure.unit, unit)
        except UnitError:
            return None
        low, middle, high = (share_below(values, scale * end) for end in (figure.low, figure.value, figure.high))
        tail = 50 * (1 - self.probability)
        holds = {
            "estimate": high >= tail and low <= 100 - tail,
            "floor": low <= 100 - tail,
            "ceiling": high >= tail,
        }[claim.entry.kind]
        words = self.place_in_words(claim, values, unit, middle)
        heard = "the run has heard it as evidence" if self.has_heard(claim.entry.quantity, scale * figure.value) else ""
        return Tested(middle, holds, joined(words, heard))

    def has_heard(self, quantity: str, value: float) -> bool:
        """Whether a figure is among the run's own evidence, so that agreeing with it is no test."""
        claims = self.run.manifest["claims"]
        return any(
            c["used"] and c["about"] == quantity and math.isclose(c["value"], value, rel_tol=0.02) for c in claims
        )

    def place_in_words(self, claim: Claim, values: Floats, unit: str, percentile: float) -> str:
        """Return where a figure lies, or how probable the draws find a bound."""
        quantity = claim.entry.quantity
        found = row(quantity, "", "", unit, values, self.probability)
        low, high = (
            amount(end, plural(unit), error)
            for end, error in ((found.lower, found.mcse_lower), (found.upper, found.mcse_upper))
        )
        span = f"{low} to {high} ({100 * self.probability:g} %, {self.run.manifest['group']})"
        if claim.entry.kind == "estimate":
            return f"{ordinal(percentile)} of {quantity}, {span}"
        side, share = ("above", 100 - percentile) if claim.entry.kind == "floor" else ("below", percentile)
        return f"{quantity} is {side} it with probability {likely(share / 100)}: {span}"

    def off(self, claim: Claim, figure: Figure) -> Iterator[Off]:
        """Yield how far a figure of money is from its own scope, from that it is shown as, and from wider ones."""
        entry = claim.entry
        if figure.unit != "USD" or figure.value <= 0 or entry.scope not in BROADER:
            return
        own = entry.quantity if entry.quantity in ledger.QUANTITIES else entry.scope
        shown = (entry.shown_as,) if entry.shown_as in ledger.SCOPES else ()
        for scope in dict.fromkeys((own, *shown, *BROADER[entry.scope])):
            found = self.draws(scope)
            if found is not None and found[1] == "USD":
                yield ratio(scope, found[0] / figure.value, self.probability, entry.kind)


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


def ratio(scope: str, draws: Floats, probability: float, kind: str) -> Off:
    """Return how far a figure is from a scope, from draws of scope ÷ figure."""
    found = row(scope, "", "", "", draws, probability)
    return Off(scope, found.p50, found.lower, found.upper, probability, ratio_words(scope, found, kind))


def ratio_words(scope: str, found: Any, kind: str) -> str:
    """Return a ratio scope ÷ figure in words, with the digits its Monte Carlo errors support."""
    if found.lower >= TINY:
        low, high = 100 / found.upper, 100 / found.lower
        ends = times(low, low * found.mcse_upper / found.upper), times(high, high * found.mcse_lower / found.lower)
        return f"is {ends[0]}–{ends[1]} % of {scope}"
    if found.upper < 1:
        low, high = 1 / found.upper, 1 / found.lower
        over = "overstates" if kind == "estimate" else "lies above"
        return f"{over} {scope} by {times(low, found.mcse_upper * low**2)}–{times(high, found.mcse_lower * high**2)}×"
    span = f"{times(found.lower, found.mcse_lower)}–{times(found.upper, found.mcse_upper)}"
    if found.lower > 1:
        return f"{'understates' if kind == 'estimate' else 'lies below'} {scope} by {span}×"
    return f"{scope} is {span} times it"


def times(value: float, mcse: float) -> str:
    """Return a ratio with at most two digits, fewer where its Monte Carlo error supports no more."""
    two_digits = 10.0 ** (math.floor(math.log10(value)) - 1)
    return amount(value, "", max(mcse, two_digits))


# ---------------------------------------------------------------------------------------------
# Verdicts


def audit(register: Register, runs: Sequence[Run]) -> list[Finding]:
    """Return a finding for every claim, each tested by the run of its system, the first where there are more."""
    witnesses: dict[str, Witness] = {}
    for run in runs:
        witnesses.setdefault(str(run.manifest["subject"]), Witness(run))
    return [finding(claim, register, witnesses) for claim in register.claims]


def finding(claim: Claim, register: Register, witnesses: Mapping[str, Witness]) -> Finding:
    """Return the verdict on a claim and what it rests on."""
    system = register.systems.get(claim.entry.system)
    witness = witnesses.get(system.subject) if system else None
    figure = claim.figure
    tested = witness.test(claim, figure) if witness and figure else None
    verdict, reason = judge(claim, tested, register)
    if verdict == NOT_TESTABLE and not reason:
        reason = f"needs a run of {system.priors}" if system and not witness else "no figure here to test it by"
    off = tuple(witness.off(claim, figure)) if witness and figure and verdict != NOT_COST else ()
    percentile = tested.percentile if tested else None
    return Finding(claim, verdict, reason, percentile, off, str(witness.run.folder) if tested and witness else "")


def judge(claim: Claim, tested: Tested | None, register: Register) -> tuple[str, str]:
    """Return verdict and reason: the first rule that applies."""
    entry = claim.entry
    failed = [check.words for check in claim.checks if not check.holds]
    if entry.topic in NOT_ABOUT_COST:
        return NOT_COST, "; ".join([f"about {TOPIC_WORDS[entry.topic]}", *failed])
    if failed:
        return CONTRADICTS, "; ".join(failed)
    if entry.said is not None and entry.said.kind != entry.kind:
        return BOUND, bound_in_words(claim, register)
    where = tested.words if tested else ""
    if entry.shown_as and entry.shown_as != entry.scope:
        reason = joined(f"belongs to {entry.scope or entry.quantity}, shown as {entry.shown_as}", where)
        return (INCONSISTENT if tested and not tested.holds else WRONG_SCOPE), reason
    if entry.untestable:
        return NOT_TESTABLE, entry.untestable
    if tested:
        return (CONSISTENT if tested.holds else INCONSISTENT), joined(where, *cut_in_words(claim))
    if claim.checks:
        return CONSISTENT, "; ".join(check.words for check in claim.checks)
    return NOT_TESTABLE, ""


TOPIC_WORDS = {
    "market": "a market",
    "industry": "other firms' spending",
    "date": "a date",
    "capability": "a capability",
}


def joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def cut_in_words(claim: Claim) -> list[str]:
    """Return that a figure was cut off, where that alone makes its sums hold."""
    cut = [check.words for check in claim.checks if check.truncated]
    return [f"cut off, not rounded: {cut[0]}"] if cut else []


def bound_in_words(claim: Claim, register: Register) -> str:
    """Return what the origin said and what the article made of it."""
    said, entry = claim.entry.said, claim.entry
    if said is None:
        return ""
    origin = register.sources[said.source]
    who = origin.publisher or ", ".join(origin.authors) or origin.title
    value = (
        published(said.value, said.unit) if isinstance(said.value, float | int) else with_unit(said.value, said.unit)
    )
    return f"{who} said {KIND_WORDS[said.kind]} {value}; here it is {KIND_WORDS[entry.kind]} {stated_in_words(claim)}"


def stated_in_words(claim: Claim) -> str:
    """Return the figure or date of a claim as printed, or a dash where it is in words only."""
    return claim.stated.words() if isinstance(claim.stated, Figure | Period) else "–"


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many claims have each verdict, the gravest first."""
    each = [finding.verdict for finding in findings]
    return {verdict: each.count(verdict) for verdict in VERDICTS if verdict in each}
