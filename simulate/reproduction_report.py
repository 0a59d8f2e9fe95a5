"""What came out when a run was made again: in the terminal and for machines."""

from __future__ import annotations

from typing import Any

from simulate import report, results
from simulate.characters import shown
from simulate.reproduction import FALSE_ALARM, Reproduction, Shift
from simulate.summary import amount

END_WORDS = {"median": "median", "lower": "lower end", "upper": "upper end"}


def terminal(found: Reproduction) -> str:
    """Return what ``simulate reproduce`` prints; text from a manifest cannot act on a terminal."""
    rows = [
        ["run", f"{found.run.folder}, made {report.date(found.run.manifest)}"],
        ["rerun", str(found.kept) if found.kept else "not kept; --keep keeps it"],
        ["versions", version_words(found) or "the same"],
        *([["assumed", f"{', '.join(found.assumed)}, by default: the run does not say"]] if found.assumed else []),
        ["draws", draw_words(found)],
        ["summary.csv", "identical" if found.same_summary else "differs"],
    ]
    width = max(len(row[0]) for row in rows)
    lines = [f"{name.ljust(width)}  {text}" for name, text in rows]
    table = [] if found.identical else [report.table(shift_cells(found))]
    return shown("\n\n".join(["\n".join(lines), *table, verdict(found)]))


def shift_cells(found: Reproduction) -> list[list[str]]:
    """Return the table of medians and intervals, header first; differences are in combined standard errors."""
    header = ["scope", "", "before", "now", "difference / Monte Carlo error"]
    return [header, *(shift_row(shift, found.limit) for shift in found.shifts)]


def shift_row(shift: Shift, limit: float) -> list[str]:
    before = amount(shift.before, shift.unit, shift.mcse_before)
    now = amount(shift.now, shift.unit, shift.mcse_now)
    beyond = "" if shift.z <= limit else "  BEYOND CHANCE"
    return [shift.scope, END_WORDS[shift.end], before, now, f"{shift.z:.1f}{beyond}"]


def version_words(found: Reproduction) -> str:
    return ", ".join(f"{name} {before} → {now}" for name, (before, now) in found.versions.items())


def draw_words(found: Reproduction) -> str:
    if not found.differing:
        return f"identical, bit for bit: {found.compared} variables"
    return f"not identical: {report.named(found.differing)}, of {found.compared} variables"


def interval_words(found: Reproduction) -> str:
    """Return how far the intervals are apart, and how far chance goes."""
    largest = found.largest
    chance = (
        f"up to {found.limit:.1f} is chance ({len(found.shifts)} comparisons, "
        f"{100 * FALSE_ALARM:g} % false alarms for all together)"
    )
    far = f"by {largest.z:.1f} combined Monte Carlo standard errors"
    return f"the {END_WORDS[largest.end]} of {largest.scope} differs most, {far}; {chance}"


def verdict(found: Reproduction) -> str:
    """Return in words whether the run is the same."""
    on = f", on other versions ({', '.join(found.versions)})" if found.versions else ""
    if found.same and not found.differing:
        also = ", and so is summary.csv" if found.same_summary else "; summary.csv is not"
        return f"the same{on}: every draw is identical, bit for bit{also}"
    if found.same:
        return f"the same within Monte Carlo error{on}: {interval_words(found)}"
    return f"NOT THE SAME{on}: {'; '.join(reasons(found))}"


def reasons(found: Reproduction) -> list[str]:
    """Return what stands against a run being the same."""
    other = [*found.differing, *([] if found.same_summary else [results.SUMMARY])]
    stands = [f"on the same versions, {report.named(other)} should be identical"] if not found.versions else []
    stands += found.lost
    if found.differing and not found.converged:
        stands.append("it has not converged, so its Monte Carlo errors are not to be trusted")
    return [*stands, *([interval_words(found)] if found.differing and found.shifts else [])]


def for_machines(found: Reproduction) -> dict[str, Any]:
    """Return what ``simulate reproduce --json`` prints; a number that does not exist is null."""
    return {
        "run": str(found.run.folder),
        "again": str(found.kept) if found.kept else None,
        "same": found.same,
        "identical": found.identical,
        "verdict": verdict(found),
        "versions": {name: {"before": before, "now": now} for name, (before, now) in found.versions.items()},
        "assumed": list(found.assumed),
        "differing": list(found.differing),
        "summary_identical": found.same_summary,
        "converged": found.converged,
        "lost": list(found.lost),
        "limit": found.limit,
        "intervals": [
            {
                "scope": shift.scope,
                "end": shift.end,
                "unit": shift.unit,
                "before": report.finite(shift.before),
                "now": report.finite(shift.now),
                "difference": report.finite(shift.z),
            }
            for shift in found.shifts
        ],
    }
