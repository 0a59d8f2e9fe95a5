"""A comparison as tables a person reads, as one object for machines, and as the folder that holds both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulate import plots, report, results, summary
from simulate.comparison import DIFFERENCE, RATIO, Comparison, Relation, Scenario
from simulate.report import escape, markdown_table, table
from simulate.summary import amount

FOLDER = "comparisons"
"""Where comparisons lie in the folder of runs."""

NAME = "comparison"
ABSENT = "–"
WIDEST = 118
"""Characters in a line of a table in the terminal; what has more columns is continued below."""

MANY = 4
"""Scenarios from which they are the rows of the table."""

SIGNS = {RATIO: "/", DIFFERENCE: "−"}
ROLES = {RATIO: ("numerator", "denominator"), DIFFERENCE: ("minuend", "subtrahend")}


def level(comparison: Comparison) -> str:
    """Return the words for the intervals: ``90 % credible interval``."""
    return f"{100 * comparison.probability:g} % credible interval"


def scope_cells(comparison: Comparison) -> list[list[str]]:
    """Return the table of scopes, header first: a row for each scope, a column for each scenario.

    Of more than `MANY` scenarios each has a row of its own, and the scopes are the columns.
    """
    rows = [["scope", *comparison.heads.values()]]
    for name, found in comparison.scopes.items():
        cells = [report.scope_words(found[one.name]) if one.name in found else None for one in comparison.scenarios]
        rows.append([name, *(f"{cell[0]} ({cell[1]})" if cell else ABSENT for cell in cells)])
    if len(comparison.scenarios) <= MANY:
        return rows
    return [
        ["scenario", *(row[0] for row in rows[1:])],
        *(list(column) for column in list(zip(*rows, strict=True))[1:]),
    ]


def relation_cells(comparison: Comparison, kind: str) -> list[list[str]]:
    """Return the table of ratios or of differences, header first; empty when there are none."""
    rows = [relation_row(relation) for relation in comparison.of_kind(kind)]
    return [[kind, "of", "median", level(comparison)], *rows] if rows else []


def relation_row(relation: Relation) -> list[str]:
    row = relation.row
    ends = ((row.p50, row.mcse_p50), (row.lower, row.mcse_lower), (row.upper, row.mcse_upper))
    median, low, high = (amount(value, row.unit, mcse) for value, mcse in ends)
    pair = f"{relation.first} {SIGNS[relation.kind]} {relation.second}"
    return [relation.quantity, pair, median, f"{low} to {high}"]


def scenario_cells(comparison: Comparison) -> list[list[str]]:
    """Return the table of scenarios, header first."""
    rows = [["scenario", "what it is", "draws", "run", "verdict"]]
    for one in comparison.scenarios:
        verdict = "converged" if one.manifest["verdict"]["converged"] else "NOT CONVERGED"
        rows.append([one.name, title(one), f"{one.manifest['group']}, {one.way}", one.folder.name, verdict])
    return rows


def title(scenario: Scenario) -> str:
    """Return what a scenario is, with what was set by hand."""
    return "; ".join([str(scenario.manifest["title"]), *(str(setting) for setting in scenario.manifest["settings"])])


def folded(cells: Sequence[Sequence[str]], width: int) -> list[list[list[str]]]:
    """Return a table as several that are at most that wide, the first column in each.

    >>> folded([["a", "bb", "cc"]], 6)
    [[['a', 'bb']], [['a', 'cc']]]
    """
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    blocks: list[list[int]] = []
    room = 0
    for column in range(1, len(widths)):
        room -= widths[column] + 2
        if room < 0:
            blocks.append([])
            room = width - widths[0] - widths[column] - 2
        blocks[-1].append(column)
    return [[[row[0], *(row[column] for column in block)] for row in cells] for block in blocks]


def alarm(comparison: Comparison) -> list[str]:
    """Return the warning that some scenario has not converged, where one has not."""
    return [] if comparison.converged else [f"NOT CONVERGED, do not cite: {' | '.join(comparison.reasons)}"]


def heading(comparison: Comparison) -> str:
    """Return what the numbers of a comparison are."""
    names = [scenario.name for scenario in comparison.scenarios]
    money = " and ".join(comparison.values("money"))
    return (
        f"{', '.join(names)}: medians and {level(comparison)}s (equal-tailed) "
        f"of the {' and the '.join(comparison.values('group'))}, in {money}"
    )


def terminal(comparison: Comparison) -> str:
    """Return what ``simulate compare`` prints."""
    parts = [*alarm(comparison), heading(comparison)]
    parts += [table(block) for block in folded(scope_cells(comparison), WIDEST)]
    parts += [table(cells) for kind in (RATIO, DIFFERENCE) if (cells := relation_cells(comparison, kind))]
    return "\n\n".join([*parts, *comparison.notes, *alarm(comparison)])


def markdown(comparison: Comparison) -> str:
    """Return ``comparison.md``."""
    parts = ["# Comparison", *(f"> **{escape(text)}**" for text in alarm(comparison))]
    parts += [escape(heading(comparison)) + ".", "## Cost scopes", markdown_table(scope_cells(comparison))]
    for kind, words in ((RATIO, "Ratios"), (DIFFERENCE, "Differences")):
        if cells := relation_cells(comparison, kind):
            parts += [f"## {words}", markdown_table(cells)]
    parts += [escape(note) for note in comparison.notes]
    parts += ["## Scenarios", markdown_table(scenario_cells(comparison))]
    return "\n\n".join(parts) + "\n"


def for_machines(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as one JSON object."""
    keys = ("median", "lower", "upper", "probability", "kind", "unit")
    return {
        "converged": comparison.converged,
        "scenarios": [
            {
                "name": one.name,
                "run": str(one.folder),
                "converged": one.manifest["verdict"]["converged"],
                "digest": one.manifest["digest"],
                "seed": one.manifest["sampling"]["seed"],
            }
            for one in comparison.scenarios
        ],
        "scopes": {
            scope: {name: {key: found[key] for key in keys} for name, found in estimates.items()}
            for scope, estimates in comparison.scopes.items()
        },
        "ratios": [relation_object(relation) for relation in comparison.of_kind(RATIO)],
        "differences": [relation_object(relation) for relation in comparison.of_kind(DIFFERENCE)],
        "notes": list(comparison.notes),
    }


def relation_object(relation: Relation) -> dict[str, Any]:
    """Return a ratio or a difference as JSON; its ``kind`` is that of the interval."""
    row, (first, second) = relation.row, ROLES[relation.kind]
    return {
        "quantity": relation.quantity,
        first: relation.first,
        second: relation.second,
        "median": row.p50,
        "lower": row.lower,
        "upper": row.upper,
        "probability": row.probability,
        "kind": summary.KIND,
        "unit": row.unit,
    }


# ---------------------------------------------------------------------------------------------
# The folder


def save(comparison: Comparison, out: Path, *, figure: bool = True) -> Path:
    """Write tables, object and figure of a comparison into a folder of their own below ``out``; return it.

    Whole or not at all, as a run is. Raises `RunError` where the disk refuses.
    """
    with results.writing(out, FOLDER, digest(comparison)) as finish, results.disk(finish.folder):
        text = json.dumps(for_machines(comparison), indent=2, allow_nan=False)
        results.write_text(finish.folder / f"{NAME}.json", text + "\n")
        results.write_text(finish.folder / f"{NAME}.md", markdown(comparison))
        if figure:
            draw(comparison, finish.folder)
        return finish.move()


def draw(comparison: Comparison, folder: Path) -> None:
    """Write the figure of a comparison into a folder."""
    from simulate import comparison_plot
    from simulate.plot_style import house_style

    with house_style():
        made = comparison_plot.draw(comparison)
        plots.write(folder, NAME, made, comparison_plot.caption(comparison), comparison_plot.SHOWS)


def digest(comparison: Comparison) -> str:
    """Return the SHA-256 of what is compared: the runs, in their order, and what is asked of them."""
    asked = [[relation.kind, relation.quantity, relation.first, relation.second] for relation in comparison.relations]
    runs = [scenario.manifest["checksum"] for scenario in comparison.scenarios]
    return hashlib.sha256(json.dumps([runs, asked, comparison.probability]).encode()).hexdigest()
