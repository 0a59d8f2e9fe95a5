"""The findings of an audit as tables: in the terminal, in ``audit.md`` and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulate import audit, results
from simulate.audit import VERDICTS, Finding
from simulate.errors import RunError
from simulate.figures import Figure, Period
from simulate.register import Register
from simulate.report import escape, finite, markdown_table, table
from simulate.results import Run
from simulate.witness import probability_of

UNREMARKABLE = (audit.CONSISTENT, audit.NOT_COST)
"""Verdicts whose reasons the terminal leaves to ``audit.md``."""
NEW_LINE = "\n"
KIND_SIGNS = {"estimate": "", "floor": "≥ ", "ceiling": "≤ "}


def write(register: Register, findings: Sequence[Finding], runs: Sequence[Run]) -> tuple[Path | None, RunError | None]:
    """Write ``audit.md`` beside the first run; return its path, or why the disk refused it."""
    try:
        return results.add_page(runs[0].folder, "audit.md", markdown(register, findings, runs)), None
    except RunError as error:  # so that what was found can be told all the same
        return None, error


def terminal(register: Register, findings: Sequence[Finding], runs: Sequence[Run], page: Path | None = None) -> str:
    """Return what ``simulate audit`` prints."""
    parts = [f"{register.title}\n{tested_by(register, runs)}", table(cells(findings, runs))]
    for verdict, number in audit.counts(findings).items():
        if verdict not in UNREMARKABLE:
            lines = [
                f"  {f.claim.id}  {f.claim.entry.says}\n         {why(f)}" for f in findings if f.verdict == verdict
            ]
            parts.append("\n".join([f"{VERDICTS[verdict]} ({number}):", *lines]))
    if failing := failing_figures(register):
        parts.append(
            "\n".join(
                ["figures that fail their own sums:", *(f"  {says} ({key}): {words}" for key, says, words in failing)]
            )
        )
    return "\n\n".join([*parts, in_all(findings), *([f"in full: {page}"] if page else [])])


def tested_by(register: Register, runs: Sequence[Run]) -> str:
    """Return which runs the claims were tested by, which not, and whether one of them must not be cited."""
    asked = audit.witnesses(register, runs)
    lines = [f"tested by {', '.join(map(named, asked)) or 'no run: arithmetic only'}"]
    lines += [f"not asked: {named(run)}, {unasked(run, asked)}" for run in runs if run not in asked]
    bad = [str(run.manifest["name"]) for run in runs if not run.converged]
    return "\n".join([*lines, *([f"NOT CONVERGED, do not cite: {', '.join(bad)}"] if bad else [])])


def named(run: Run) -> str:
    """Return a run by its prior file, what it shows and its digest."""
    shown = "posterior" if run.manifest["group"] == "posterior" else "prior only, its evidence left out"
    return f"{run.manifest['name']} ({shown}, {run.manifest['digest'][:8]})"


def unasked(run: Run, asked: Sequence[Run]) -> str:
    """Return why a run tested no claim."""
    subject = run.manifest["subject"]
    rival = next((named(other) for other in asked if other.manifest["subject"] == subject), "")
    return f"since {rival} speaks of the same" if rival else f"since no claim is of {subject}"


def in_all(findings: Sequence[Finding]) -> str:
    each = "; ".join(f"{number} {VERDICTS[verdict]}" for verdict, number in audit.counts(findings).items())
    return f"{len(findings)} claims: {each}"


def cells(findings: Sequence[Finding], runs: Sequence[Run]) -> list[list[str]]:
    """Return the table of claims, header first."""
    header = ["claim", "says", "verdict", "scope", "percentile", f"how far off ({levels(runs)} credible interval)"]
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
    return "; ".join(wider) or everything_off(finding)


def why(finding: Finding) -> str:
    """Return the reason of a verdict, and what the register adds to it."""
    note = " ".join(finding.claim.entry.note.split())
    return f"{finding.reason}. {note}" if note else finding.reason


def failing_figures(register: Register) -> list[tuple[str, str, str]]:
    """Return key and words of the known figures whose own sums do not hold, with the sums."""
    return [
        (key, figure.says, check.words)
        for key, (figure, checks) in register.figures.items()
        for check in checks
        if not check.holds
    ]


def markdown(register: Register, findings: Sequence[Finding], runs: Sequence[Run]) -> str:
    """Return ``audit.md``."""
    by = escape(tested_by(register, runs).replace(NEW_LINE, "; "))
    parts = [
        f"# {escape(register.title)}",
        f"{by}. Register digest {register.digest[:16]}. How far off a figure is, is the ratio of a scope to it, as an "
        f"equal-tailed {levels(runs)} credible interval.",
        escape(in_all(findings)) + ".",
    ]
    for verdict in audit.counts(findings):
        rows = [[f.claim.id, where(f, register), f.claim.entry.says, says(f), percentile(f), why(f), everything_off(f)]
                for f in findings if f.verdict == verdict]  # fmt: skip
        header = ["claim", "printed in", "claim in words", "figure", "percentile", "why", "how far off"]
        parts += [f"## {VERDICTS[verdict].capitalize()}", markdown_table([header, *rows])]
    if failing := failing_figures(register):
        rows = [[f"{says} ({key})", words] for key, says, words in failing]
        parts += ["## Figures that fail their own sums", markdown_table([["figure", "sum"], *rows])]
    return "\n\n".join(parts) + "\n"


def levels(runs: Sequence[Run]) -> str:
    """Return the probability of the runs' intervals, or those, in the order of the runs."""
    return " or ".join(dict.fromkeys(f"{100 * probability_of(run):g} %" for run in runs))


def where(finding: Finding, register: Register) -> str:
    article = register.articles[finding.claim.entry.article]
    return f"{article.publisher}, {article.date}; {finding.claim.entry.claimant}"


def everything_off(finding: Finding) -> str:
    return "; ".join(item.words for item in finding.off) or "–"


def for_machines(
    register: Register, findings: Sequence[Finding], runs: Sequence[Run], page: Path | None = None
) -> dict[str, Any]:
    """Return what ``simulate audit --json`` prints; a number that does not exist is null."""
    asked = audit.witnesses(register, runs)
    return {
        "claims": [claim_object(finding, register) for finding in findings],
        "counts": audit.counts(findings),
        "figures": [{"figure": key, "says": says, "reason": words} for key, says, words in failing_figures(register)],
        "runs": [{"run": str(run.folder), "name": run.manifest["name"], "converged": run.converged,
                  "group": run.manifest["group"], "asked": run in asked} for run in runs],
        "register": register.digest,
        "page": str(page) if page else None,
    }  # fmt: skip


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
        "independent": finding.independent,
        "sums": [{"identity": check.expression, "holds": check.holds, "truncated": check.truncated,
                  "in_words": check.words} for check in finding.claim.checks],
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
