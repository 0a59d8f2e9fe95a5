"""What a report says of several runs: every cost side by side, and the assumptions in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulate import comparison, comparison_report, ledger, report, report_content, report_figures
from simulate.comparison import Comparison
from simulate.ingredients import Ingredient, ingredients
from simulate.naming import SCOPE_LABELS, Named, Names
from simulate.pages.ladder import Rung, ladder
from simulate.plot_axes import amounts, inner_probability, probability
from simulate.report_sources import Numbered
from simulate.results import Run

ABSENT = "–"


def content(runs: Sequence[Run]) -> dict[str, Any]:
    """Return all that the report of several runs says, by the names of its template.

    Intervals have the probability of the first run; a run made with another is summarised anew.
    """
    compared = comparison.compare(runs, probability=probability(runs[0].manifest))
    found = [ingredients(run) for run in runs]
    numbered = Numbered.of([one for each in found for one in each])
    names, called = [scenario.name for scenario in compared.scenarios], names_of(found)
    return {
        "names": names,
        "converged": compared.converged,
        "alarms": comparison_report.alarm(compared),
        "lead": lead(compared),
        "heading": comparison_report.heading(compared),
        "level": comparison_report.level(compared),
        "figures": figures(compared),
        "cells": comparison_report.scope_cells(compared),
        "ratios": comparison_report.relation_cells(compared, comparison.RATIO),
        "notes": compared.notes,
        "differences": differences(found, numbered, called),
        "facts": facts(names, runs, called),
        "evidence": evidence(names, found, called),
        "scenarios": comparison_report.scenario_cells(compared),
        "verdicts": [(name, report.verdict_lines(run.manifest)) for name, run in zip(names, runs, strict=True)],
        "identities": [identity(name, run) for name, run in zip(names, runs, strict=True)],
        "sources": numbered,
        "version": runs[0].manifest["versions"]["simulate"],
    }


def lead(compared: Comparison) -> str:
    """Return the headline: the widest scope that all have, in each."""
    shared = [name for name, found in compared.scopes.items() if len(found) == len(compared.scenarios)]
    if not shared:
        return "These runs have no cost scope in common."
    scope = shared[-1]
    found = compared.scopes[scope].items()
    each = (f"{name} {' ('.join(report.scope_words(estimate))})" for name, estimate in found)
    return f"{SCOPE_LABELS[scope]}, median and {comparison_report.level(compared)}: {'; '.join(each)}."


def figures(compared: Comparison) -> list[tuple[str, Any]]:
    """Return a figure for each scope that more than one scenario has, by its label."""
    found = [name for name in ledger.SCOPES if len(compared.scopes.get(name, ())) > 1]
    return [(SCOPE_LABELS[name], figure(compared, name, legend=name == found[-1])) for name in found]


def figure(compared: Comparison, scope: str, *, legend: bool) -> Any:
    """Return one scope in all scenarios."""
    inner = 100 * inner_probability(compared.probability)
    return ladder(
        [rung(name, found) for name, found in compared.scopes[scope].items()],
        name=f"{SCOPE_LABELS[scope]} in each scenario",
        level=comparison_report.level(compared),
        inner=f"{inner:g} %",
        table=False,
        legend=legend,
    )


def rung(name: str, found: Any) -> Rung:
    """Return a scope in one scenario as a rung."""
    ends = found["median"], found["lower"], found["upper"]
    return Rung(name, found["basis"], *ends, amounts(found), note=found["years"], inner=found["inner"])


def differences(found: Sequence[Sequence[Ingredient]], numbered: Numbered, called: Names) -> list[dict[str, Any]]:
    """Return the entries that are not given alike in all scenarios: name, meaning, and how each has it."""
    given = [dict(entries(each, numbered)) for each in found]
    rows = []
    for path in dict.fromkeys(path for each in given for path in each):
        cells = [each.get(path) for each in given]
        if len({cell and cell["given"] for cell in cells}) > 1:
            meaning = next(cell["meaning"] for cell in cells if cell)
            rows.append({"named": called(path), "meaning": meaning, "cells": cells})
    return sorted(rows, key=lambda row: report_content.place(row["named"].path))


def entries(each: Sequence[Ingredient], numbered: Numbered) -> Any:
    """Yield the entries and facts of a run by path: how each is given, and its sources; of a pool none."""
    for one in each if len(each) == 1 else ():
        for path, entry in one.priors.entries.items():
            if path in one.used and not path.startswith("groups."):
                refs = numbered.of_entry(one, path, entry.sources)
                yield path, {"given": entry.given, "meaning": entry.meaning, "refs": refs}
        for fact in one.priors.facts:
            refs = numbered.numbers(one, fact.sources)
            yield fact.path, {"given": f"probability {fact.probability:g}", "meaning": "a disputed fact", "refs": refs}


def names_of(found: Sequence[Sequence[Ingredient]]) -> Names:
    """Return the names of the entries and facts of all scenarios; a label is that of the first that has one."""
    every = [one.priors for each in found for one in each]
    labels = {key: label for priors in reversed(every) for key, label in priors.labels.items()}
    return Names.among({path: None for priors in every for path in Names.of_file(priors).known}, labels)


def facts(names: Sequence[str], runs: Sequence[Run], called: Names) -> list[Sequence[str | Named]]:
    """Return the probabilities of disputed facts after the evidence, header first; empty where there are none."""
    paths = dict.fromkeys(path for run in runs for path in run.manifest["facts"])
    rows: list[Sequence[str | Named]] = [
        [called(path), *(report.likely(f[path]) if path in (f := run.manifest["facts"]) else ABSENT for run in runs)]
        for path in paths
    ]
    return [["disputed fact", *names], *rows] if rows else []


def evidence(names: Sequence[str], found: Sequence[Sequence[Ingredient]], called: Names) -> list[list[str]]:
    """Return which claims each scenario has heard, header first; empty where all have heard the same or none."""
    heard = [
        dict.fromkeys(report_figures.says(claim, called) for one in each if one.heard for claim in one.priors.evidence)
        for each in found
    ]
    every = dict.fromkeys(says for each in heard for says in each)
    rows = [[says, *("heard" if says in each else ABSENT for each in heard)] for says in every]
    rows = [row for row in rows if len(set(row[1:])) > 1]
    return [["evidence", *names], *rows] if rows else []


def identity(name: str, run: Run) -> dict[str, Any]:
    """Return what identifies a run, and what makes it again."""
    return {
        "name": name,
        "title": run.manifest["title"],
        "pointer": f"{run.manifest['name']}/{run.folder.name}",
        "digest": run.manifest["digest"],
        "seed": run.manifest["sampling"]["seed"],
        "settings": run.manifest["settings"],
        "commands": report_content.commands(run)[:2],
        "downloads": report_content.downloads(run)[:2],
    }
