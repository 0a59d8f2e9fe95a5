"""What a sweep found, in a few lines for a terminal and as one object for machines; the table has the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulate import ledger, report, summary, sweep_table
from simulate.grid import Grid, Point, expression
from simulate.report import table
from simulate.sweep import ESTIMATE, Outcome
from simulate.sweep_run import Swept

MOST_NAMED = 5
"""Points that have not converged and are named."""

LONGEST = 160
"""Characters of what is set at a point, in the terminal."""


@dataclass
class Extreme:
    """The lowest or highest median of a scope, as a manifest has it, and the point it is at."""

    point: Point
    estimate: Mapping[str, Any]


@dataclass
class Findings:
    """What all points say together: the range of each scope's medians, the facts there are, and who is not to be cited.

    Of the points that have not converged the first few are ``named`` with their reasons; their medians do not count.
    """

    points: int = 0
    poor: int = 0
    named: dict[int, str] = field(default_factory=dict)
    lowest: dict[str, Extreme] = field(default_factory=dict)
    highest: dict[str, Extreme] = field(default_factory=dict)
    facts: set[str] = field(default_factory=set)
    probabilities: set[float] = field(default_factory=set)

    @property
    def reasons(self) -> list[str]:
        """What stands against a citation."""
        if not self.poor:
            return []
        named = [f"point {number}: {reason}" for number, reason in self.named.items()]
        more = [f"and {self.poor - len(named)} more points"] if self.poor > len(named) else []
        return [f"{self.poor} of {self.points} points", *named, *more]

    def hear(self, point: Point, outcome: Outcome) -> None:
        """Take a point into account."""
        self.points += 1
        self.facts |= outcome.facts.keys()
        self.probabilities.add(point.options.probability)
        if not outcome.converged:
            self.poor += 1
            if len(self.named) < MOST_NAMED:
                self.named[outcome.number] = "; ".join(outcome.reasons)
            return
        for name, values in outcome.scopes.items():
            here = Extreme(point, {**dict(zip(ESTIMATE, values, strict=True)), "unit": outcome.units[name]})
            median = here.estimate["median"]
            if name not in self.lowest or median < self.lowest[name].estimate["median"]:
                self.lowest[name] = here
            if name not in self.highest or median > self.highest[name].estimate["median"]:
                self.highest[name] = here


def find(swept: Swept) -> Findings:
    """Return what all points of a sweep say together."""
    found = Findings()
    for point, outcome in swept.outcomes():
        found.hear(point, outcome)
    return found


def save(swept: Swept) -> Findings:
    """Write the tables of a sweep, and return what it found. Raises `RunError` where the disk refuses."""
    found = find(swept)
    sweep_table.write(swept, sorted(found.facts))
    return found


def terminal(swept: Swept, found: Findings) -> str:
    """Return what ``simulate sweep`` prints: the range of each scope's medians, and the verdict."""
    grid = swept.grid
    axes = ", ".join(axis.path for axis in grid.axes)
    parts = [f"{grid.title or 'Sweep'}: {swept.priors.name} at {grid.size:,} points ({grid.design}) over {axes}"]
    if found.lowest:
        parts += [table(cells(found)), places(grid, found)]
    return "\n\n".join([*parts, verdict(found)])


def cells(found: Findings) -> list[list[str]]:
    """Return the lowest and the highest estimate of each scope, header first."""
    levels = " or ".join(f"{100 * level:g} %" for level in sorted(found.probabilities))
    rows = [["scope", f"lowest median ({levels} credible interval)", "point", "highest median", "point"]]
    for name in (name for name in ledger.SCOPES if name in found.lowest):
        low, high = found.lowest[name], found.highest[name]
        rows.append([name, words(low), str(low.point.number), words(high), str(high.point.number)])
    return rows


def words(extreme: Extreme) -> str:
    median, interval = report.scope_words(extreme.estimate)
    return f"{median} ({interval})"


def places(grid: Grid, found: Findings) -> str:
    """Return what is set at the points that the table names."""
    points = {one.point.number: one.point for ends in (found.lowest, found.highest) for one in ends.values()}
    return "\n".join(f"point {number}: {settings(grid, points[number])}" for number in sorted(points))


def settings(grid: Grid, point: Point) -> str:
    """Return what is set at a point, in a line; the table has all digits of it."""
    both = zip(grid.axes, point.values, strict=True)
    shown = ((axis, f"{value:.4g}" if isinstance(value, float) else expression(value)) for axis, value in both)
    text = ", ".join(f"{axis.path}={value} {axis.unit}".rstrip() for axis, value in shown)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def verdict(found: Findings) -> str:
    if not found.poor:
        return f"all {found.points:,} points converged or exact"
    return f"NOT CONVERGED, do not cite: {'; '.join(found.reasons)}"


def for_machines(swept: Swept, found: Findings) -> dict[str, Any]:
    """Return a sweep as one JSON object."""
    return {
        "folder": str(swept.folder),
        "files": [sweep_table.CSV, sweep_table.PARQUET],
        "priors": swept.priors.name,
        "digest": swept.priors.digest,
        "design": swept.grid.design,
        "axes": [axis.path for axis in swept.grid.axes],
        "points": found.points,
        "converged": not found.poor,
        "not_converged": found.poor,
        "reasons": found.reasons,
        "kind": summary.KIND,
        "scopes": {
            name: {"lowest": as_object(found.lowest[name]), "highest": as_object(found.highest[name])}
            for name in found.lowest
        },
        "versions": dict(swept.journal.head["versions"]),
    }


def as_object(extreme: Extreme) -> dict[str, Any]:
    return {"point": extreme.point.number, "set": list(extreme.point.set), **extreme.estimate}
