"""The findings of an audit as tables: in the terminal, in ``audit.md`` and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulate import audit
from simulate.audit import VERDICTS, Finding
from simulate.identities import Figure, Period
from simulate.register import Register
from simulate.report import escape, finite, markdown_table, table
from simulate.results import Run

UNREMARKABLE = (audit.CONSISTENT, audit.NOT_COST)
"""Verdicts whose reasons the terminal leaves to ``audit.md``."""
KIND_SIGNS = {"estimate": "", "floor": "≥ ", "ceiling": "≤ "}


def terminal(register: Register, findings: Sequence[Finding], runs: Sequence[Run]) -> str:
    """Return what ``simulate audit`` prints."""
    parts = [f"{register.title}\n{tested_by(runs)}", table(cells(findings))]
    for verdict, number in audit.counts(findings).items():
        if verdict not in UNREMARKABLE:
            lines = [
                f"  {f.claim.id}  {f.claim.entry.says}\n         {why(f)}" for f in findings if f.verdict == verdict
            ]
            parts.append("\n".join([f"{VERDICTS[verdict]} ({number}):", *lines]))
    if failing := failing_figures(register):
        parts.append("\n".join(["figures that fail their own sums:", *(f"  {key}: {words}" for key, words in failing)]))
    return "\n\n".join([*parts, in_all(findings)])


def tested_by(runs: Sequence[Run]) -> str:
    """Return which runs the claims were tested by, and whether one of them must not be cited."""
    names = ", ".join(f"{run.manifest['name']} ({run.manifest['group']}, {run.manifest['digest'][:8]})" for run in runs)
    bad = [str(run.manifest["name"]) for run in runs if not run.converged]
    return f"tested by {names}" + (f"\nNOT CONVERGED, do not cite: {', '.join(bad)}" if bad else "")


def in_all(findings: Sequence[Finding]) -> str:
    each = ", ".join(f"{number} {VERDICTS[verdict]}" for verdict, number in audit.counts(findings).items())
    return f"{len(findings)} claims: {each}"


def cells(findings: Sequence[Finding]) -> list[list[str]]:
    """Return the table of claims, header first."""
    header = ["claim", "says", "verdict", "scope", "percentile", "how far off (credible interval)"]
    return [header, *map(line, findings)]


def line(finding: Finding) -> list[str]:
    scope = finding.claim.entry.scope or "–"
    return [finding.claim.id, says(finding), VERDICTS[finding.verdict], scope, percentile(finding), off(finding)]


def says(finding: Finding) -> str:
    return KIND_SIGNS[finding.claim.entry.kind] + audit.stated_in_words(finding.claim)


def percentile(finding: Finding) -> str:
    """Return a percentile without pretending to 0 or 100."""
    value = finding.percentile
    return "–" if value is None else "<1" if value < 1 else ">99" if value > 99 else f"{value:.0f}"


def off(finding: Finding) -> str:
    """Return how far off a figure is from the scopes beyond its own, or from its own where there is no other."""
    own = {finding.claim.entry.scope, finding.claim.entry.quantity}
    wider = [item.words for item in finding.off if item.scope not in own]
    return "; ".join(wider or [item.words for item in finding.off]) or "–"


def why(finding: Finding) -> str:
    """Return the reason of a verdict, and what the register adds to it."""
    note = " ".join(finding.claim.entry.note.split())
    return f"{finding.reason}. {note}" if note else finding.reason


def failing_figures(register: Register) -> list[tuple[str, str]]:
    """Return the known figures whose own sums do not hold, with the sums."""
    return [
        (f"{figure.says} ({key})", check.words)
        for key, (figure, checks) in register.figures.items()
        for check in checks
        if not check.holds
    ]


def markdown(register: Register, findings: Sequence[Finding], runs: Sequence[Run]) -> str:
    """Return ``audit.md``."""
    probability = f"{100 * level(runs):g} %"
    parts = [
        f"# {escape(register.title)}",
        f"{escape(tested_by(runs))}. Register digest {register.digest[:16]}. How far off a figure is, is the ratio "
        f"of a scope to it, as an equal-tailed {probability} credible interval.",
        escape(in_all(findings)) + ".",
    ]
    for verdict in audit.counts(findings):
        rows = [[f.claim.id, where(f, register), f.claim.entry.says, says(f), percentile(f), why(f), everything_off(f)]
                for f in findings if f.verdict == verdict]  # fmt: skip
        header = ["claim", "printed in", "claim in words", "figure", "percentile", "why", "how far off"]
        parts += [f"## {VERDICTS[verdict].capitalize()}", markdown_table([header, *rows])]
    if failing := failing_figures(register):
        rows = [[key, words] for key, words in failing]
        parts += ["## Figures that fail their own sums", markdown_table([["figure", "sum"], *rows])]
    return "\n\n".join(parts) + "\n"


def level(runs: Sequence[Run]) -> float:
    """Return the probability of the runs' intervals."""
    return float(next(iter(runs[0].manifest["scopes"].values()))["probability"])


def where(finding: Finding, register: Register) -> str:
    article = register.articles[finding.claim.entry.article]
    return f"{article.publisher}, {article.date}; {finding.claim.entry.claimant}"


def everything_off(finding: Finding) -> str:
    return "; ".join(item.words for item in finding.off) or "–"


def for_machines(register: Register, findings: Sequence[Finding], runs: Sequence[Run]) -> dict[str, Any]:
    """Return what ``simulate audit --json`` prints; a number that does not exist is null."""
    return {
        "claims": [claim_object(finding, register) for finding in findings],
        "counts": audit.counts(findings),
        "figures": [{"figure": key, "reason": words} for key, words in failing_figures(register)],
        "runs": [{"run": str(run.folder), "name": run.manifest["name"], "converged": run.converged} for run in runs],
        "register": register.digest,
    }


def claim_object(finding: Finding, register: Register) -> dict[str, Any]:
    """Return a finding as machines read it."""
    entry, stated = finding.claim.entry, finding.claim.stated
    article = register.articles[entry.article]
    return {
        "id": finding.claim.id,
        "verdict": finding.verdict,
        "verdict_in_words": VERDICTS[finding.verdict],
        "reason": finding.reason,
        "quantity": entry.quantity,
        "scope": entry.scope or None,
        "shown_as": entry.shown_as or None,
        "system": entry.system or None,
        "kind": entry.kind,
        **stated_object(stated),
        "unit": entry.unit or None,
        "percentile": None if finding.percentile is None else finite(round(finding.percentile, 2)),
        "off": [{"scope": o.scope, "median": o.median, "lower": o.lower, "upper": o.upper, "probability": o.probability,
                 "kind": "eti", "in_words": o.words} for o in finding.off],
        "says": entry.says,
        "claimant": entry.claimant,
        "publisher": article.publisher,
        "date": str(article.date),
        "source": entry.source or None,
        "note": entry.note,
        "run": finding.run or None,
    }  # fmt: skip


def stated_object(stated: Figure | Period | None) -> Mapping[str, Any]:
    """Return value and bounds of a claim: numbers, ISO dates, or nulls."""
    if isinstance(stated, Period):
        return {"value": stated.first.isoformat(), "low": stated.first.isoformat(), "high": stated.last.isoformat()}
    if stated is None:
        return {"value": None, "low": None, "high": None}
    return {"value": stated.value, "low": stated.low, "high": stated.high}
