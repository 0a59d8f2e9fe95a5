"""What a published claim is worth: each claim of a register against its own arithmetic and against runs.

Every claim gets one verdict, computed anew each time, by the first of these that applies:

=====================  ======================================================================================
not-about-cost         a market, a date, an industry, a capability
contradicts-arithmetic a sum that must hold does not, whatever the rounding
bound-as-estimate      the origin said "at least" (or "at most"), the article did not
wrong-scope            the number is right, but for another scope than the article takes it for
not-testable           an opinion, an original not located, a claim without a number
consistent             within the credible interval, or equal to the figures it rests on
inconsistent           outside the credible interval of what it speaks of, of the run or of 90 % if that is wider
=====================  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from simulate import ledger
from simulate.distance import Off
from simulate.figures import Figure, Period
from simulate.register import NOT_ABOUT_COST, Claim, Entry, Register, whose
from simulate.results import Run
from simulate.units import counted
from simulate.witness import Testimony, Witness, joined

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

KIND_WORDS = {"estimate": "just", "floor": "at least", "ceiling": "at most"}
TOPIC_WORDS = {
    "market": "a market",
    "industry": "other firms' spending",
    "date": "a date",
    "capability": "a capability",
}


@dataclass(frozen=True)
class Finding:
    """The verdict on a claim, why, and where its figure lies.

    ``percentile`` is the share of draws of ``quantity`` below the figure [percent], None where no run
    speaks of it; ``run`` is the run it was tested against, and ``independent`` whether agreeing with it
    says anything, None without one.
    """

    claim: Claim
    verdict: str
    reason: str
    percentile: float | None = None
    off: tuple[Off, ...] = ()
    run: str = ""
    independent: bool | None = None


def audit(register: Register, runs: Sequence[Run]) -> list[Finding]:
    """Return a finding for every claim, each tested by the run of its system."""
    asked = {str(run.manifest["subject"]): Witness(run) for run in witnesses(register, runs)}
    return [finding(claim, register, asked) for claim in register.claims]


def witnesses(register: Register, runs: Sequence[Run]) -> list[Run]:
    """Return the runs that claims are tested by: of each system of the register the first there is."""
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(str(run.manifest["subject"]), run)
    wanted = {system.subject for system in register.systems.values()}
    return [run for subject, run in first.items() if subject in wanted]


def finding(claim: Claim, register: Register, asked: Mapping[str, Witness]) -> Finding:
    """Return the verdict on a claim and what it rests on."""
    system = register.systems.get(claim.entry.system)
    witness = asked.get(system.subject) if system else None
    figure = claim.figure
    tested = witness.test(claim, figure) if witness and figure else None
    verdict, reason = judge(claim, tested, register)
    if verdict == NOT_TESTABLE:
        lacking = f"needs a run of {system.priors}" if system and not witness else lack(claim)
        if witness and not witness.counts_the_years_of(claim):
            lacking = f"counts {counted(f'{claim.entry.years:g}', 'year')}, and the run others"
        reason = joined(reason or lacking, witness.fact_in_words(claim) if witness and not tested else "")
    untold = verdict in (NOT_COST, NOT_TESTABLE)
    off = tuple(witness.off(claim, figure)) if witness and figure and not untold else ()
    if tested is None or witness is None:
        return Finding(claim, verdict, reason, off=off, run=str(witness.run.folder) if witness and off else "")
    return Finding(claim, verdict, reason, tested.percentile, off, str(witness.run.folder), tested.independent)


def lack(claim: Claim) -> str:
    """Return why a claim with nothing else against it cannot be tested."""
    return f"the run has no {claim.entry.quantity}" if claim.figure else "states no number"


def judge(claim: Claim, tested: Testimony | None, register: Register) -> tuple[str, str]:
    """Return verdict and reason: the first rule that applies."""
    entry = claim.entry
    where = tested.words if tested else ""
    failed = [check.words for check in claim.checks if not check.holds]
    held = list(held_in_words(claim))
    if entry.topic in NOT_ABOUT_COST:
        return NOT_COST, joined(
            f"about {TOPIC_WORDS[entry.topic]}", *told("does not hold", failed), *told("holds", held)
        )
    if failed:
        return CONTRADICTS, joined(*failed, where)
    if entry.said is not None and entry.said.kind != entry.kind:
        return BOUND, joined(bound_in_words(claim, register), where, *held)
    if entry.shown_as and entry.shown_as != entry.scope:
        reason = joined(f"belongs to {rung(entry)}; shown as {entry.shown_as}", where, *held)
        return (INCONSISTENT if tested and not tested.holds else WRONG_SCOPE), reason
    if entry.untestable:
        return NOT_TESTABLE, joined(entry.untestable, f"its figure: {where}" if where else "", *held)
    if tested:
        return (CONSISTENT if tested.holds else INCONSISTENT), joined(where, *held)
    return (CONSISTENT if held else NOT_TESTABLE), joined(*held)


def told(what: str, sums: Sequence[str]) -> list[str]:
    """Return sums under one heading, or nothing where there are none."""
    return [f"{what}: {joined(*sums)}"] if sums else []


def held_in_words(claim: Claim) -> Iterator[str]:
    """Yield the sums of a claim that hold, and of which only as a figure cut off."""
    for check in claim.checks:
        if check.holds:
            yield f"cut off, not rounded: {check.words}" if check.truncated else check.words


def rung(entry: Entry) -> str:
    """Return what a claim is of: its scope, and in brackets what it counts of it, where that is not all."""
    if not entry.scope or entry.quantity in (entry.scope, *ledger.SCOPES):
        return entry.scope or entry.quantity
    return f"{entry.scope} ({entry.quantity})"


def bound_in_words(claim: Claim, register: Register) -> str:
    """Return what the origin said and what the article made of it."""
    said, entry = claim.entry.said, claim.entry
    if said is None or claim.said is None:
        return ""
    who = said.by or whose(register.sources[said.source])
    here = f"here it is {KIND_WORDS[entry.kind]} {stated_in_words(claim)}"
    return f"{who} said {KIND_WORDS[said.kind]} {claim.said.words()}; {here}"


def stated_in_words(claim: Claim) -> str:
    """Return the figure or date of a claim as printed, or a dash where it is in words only."""
    return claim.stated.words() if isinstance(claim.stated, Figure | Period) else "–"


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many claims have each verdict, the gravest first."""
    each = [finding.verdict for finding in findings]
    return {verdict: each.count(verdict) for verdict in VERDICTS if verdict in each}
