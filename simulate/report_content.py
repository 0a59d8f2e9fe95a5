"""What a report says of one run, section by section, as its template takes it: every number in words.

Medians and ends have the digits that their Monte Carlo errors support, and each number of the prior file the
numbers of its sources.
"""

from __future__ import annotations

import base64
import csv
import io
import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from simulate import audit, audit_report, citations, ledger, methods, register, report, report_figures, results
from simulate import sensitivity as analyses
from simulate import sensitivity_report as words
from simulate.errors import SimulateError
from simulate.inference import Settings
from simulate.ingredients import Ingredient, ingredients
from simulate.markup import MARKUPS, Paragraph
from simulate.naming import SCOPE_LABELS, SECTIONS, Named, Names
from simulate.priors import Constant, Unknown
from simulate.report_figures import heard, level, scopes
from simulate.report_sources import Numbered
from simulate.results import Run
from simulate.summary import amount

DRIVERS = 12
"""Unknowns in the table of what drives a cost."""

SLOWEST = 8
"""Variables in the table of diagnostics, besides the scopes."""


@dataclass(frozen=True)
class Download:
    """A file that stands in the page: what it is, its name, its address (``data:``) and its size in words."""

    words: str
    name: str
    address: str
    size: str


@dataclass(frozen=True)
class Assumption:
    """An entry of a prior file: what it is called, what it means, how it is given, what became of it, its sources."""

    named: Named
    meaning: str
    given: str
    now: str
    refs: Sequence[int]
    judged: bool
    note: str


def content(run: Run) -> dict[str, Any]:
    """Return all that the report of a run says, by the names of its template."""
    manifest, tree = run.manifest, run.tree()
    found = ingredients(run)
    numbered = Numbered.of(found)
    rows = {(row["group"], name_of(row)): row for row in run.summary()}
    widest = headline_scope(manifest)
    return {
        "run": run,
        "manifest": manifest,
        "verdict": manifest["verdict"],
        "pointer": f"{manifest['name']}/{run.folder.name}",
        "level": level(manifest),
        "lead": lead(run, widest),
        "beneath": beneath(run, widest),
        "heading": report.heading(manifest),
        "made": report.date(manifest),
        "ladder": report_figures.ladder_of(manifest, tree),
        "costs": costs(run, rows),
        "heard": heard(manifest),
        "downloads": downloads(run),
        "quotes": [as_html([sentence]) for sentence in citations.sentences(run, scopes(manifest), short=True)],
        "claims": claims(manifest, found, numbered),
        "audit": audited(run),
        "drivers": drivers(run),
        "evidence": evidence(manifest, tree),
        "before_after": before_after(manifest, tree, rows),
        "facts": list(report_figures.facts(manifest)),
        "assumptions": assumptions(run, found, numbered, rows),
        "fact_entries": fact_entries(manifest, found, numbered),
        "correlations": correlation_cells(manifest),
        "note": paragraphs(manifest["note"]),
        "sources": numbered,
        "diagnostics": diagnostics(run, rows),
        "chains": report_figures.chains(manifest, tree, widest),
        "widest": SCOPE_LABELS[widest],
        "verdicts": report.verdict_lines(manifest),
        "methods": as_html(methods.paragraphs(run, found, scopes(manifest))),
        "commands": commands(run),
        "versions": sorted(manifest["versions"].items()),
        "members": report.member_cells(manifest),
    }


def name_of(row: Mapping[str, str]) -> str:
    """Return the name of a row of ``summary.csv``, with its index."""
    return f"{row['variable']}[{row['index']}]" if row["index"] else row["variable"]


def as_html(found: Iterable[Paragraph]) -> Markup:
    """Return paragraphs as HTML, escaped."""
    return Markup(MARKUPS["html"].write(found))


def paragraphs(text: str) -> list[str]:
    """Return a text of several paragraphs as such."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


# ---------------------------------------------------------------------------------------------
# The headline and the costs


def headline_scope(manifest: Mapping[str, Any]) -> str:
    """Return the scope of the headline: the company's cost where there is one, else the widest."""
    known = scopes(manifest)
    return analyses.WIDEST_SCOPE if analyses.WIDEST_SCOPE in known else known[-1]


def lead(run: Run, scope: str) -> str:
    """Return the headline: one sentence on a scope, with median, interval, level, kind, money and what was changed."""
    manifest = run.manifest
    found, noun = manifest["scopes"][scope], citations.in_words(run, [scope])[scope]
    median, ends = report.scope_words(found)
    text = f"{citations.lead(manifest)} {noun} at {median} ({level(manifest)} {ends}; "
    return f"{text[0].upper()}{text[1:]}{citations.money(manifest['money'])}{report.by_hand(manifest['settings'])})."


def beneath(run: Run, scope: str) -> str:
    """Return a second sentence, on the narrowest scope, where there is another than that of the headline."""
    manifest = run.manifest
    narrowest = scopes(manifest)[0]
    if narrowest == scope:
        return ""
    median, ends = report.scope_words(manifest["scopes"][narrowest])
    noun = citations.in_words(run, [narrowest])[narrowest]
    return f"It depends on what is counted: {noun} alone is {median} ({ends})."


def costs(run: Run, rows: Mapping[tuple[str, str], Mapping[str, str]]) -> list[dict[str, Any]]:
    """Return the table of scopes: name, what it is, basis, and the words of median and interval, also before."""
    manifest = run.manifest
    return [
        {
            "named": Named(SCOPE_LABELS[name], name),
            "meaning": ledger.QUANTITIES[name].label,
            "basis": manifest["scopes"][name]["basis"],
            "words": report.scope_words(manifest["scopes"][name]),
            "before": row_words(rows["prior", name]) if heard(manifest) else None,
        }
        for name in scopes(manifest)
    ]


def row_words(row: Mapping[str, str]) -> tuple[str, str]:
    """Return median and interval of a row of ``summary.csv`` in words."""
    median, low, high = (amount_of(row, key) for key in ("p50", "lower", "upper"))
    unit = row["unit"]
    short = low.removesuffix(unit.removeprefix("USD") if unit.startswith("USD") else f" {unit}")
    return median, f"{short} to {high}" if low != high else low


def amount_of(row: Mapping[str, str], key: str) -> str:
    """Return a number of a row in words, with the digits that its Monte Carlo error supports."""
    return amount(float(row[key]), row["unit"], float(row[f"mcse_{key}"]))


def downloads(run: Run) -> list[Download]:
    """Return the files of a report: the scopes, all variables, the bibliography, and the prior files."""
    manifest = run.manifest
    mark = "" if run.converged else "NOT-CONVERGED-"
    name = f"{mark}{manifest['name']}"
    bibliography = citations.cite(run, form=citations.BIBTEX, force=True)
    found = [
        download("Costs (CSV)", f"{name}-costs.csv", scopes_csv(run).encode(), "text/csv"),
        download(
            "Summary of all draws (CSV)", f"{name}-summary.csv", (run.folder / results.SUMMARY).read_bytes(), "text/csv"
        ),
        download("Bibliography (BibTeX)", f"{name}.bib", bibliography.encode(), "application/x-bibtex"),
    ]
    folder = run.folder / results.PRIORS
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = path.relative_to(folder).as_posix()
        found.append(download(f"Prior file {place}", path.name, path.read_bytes(), "text/plain"))
    return found


def download(words: str, name: str, raw: bytes, kind: str) -> Download:
    """Return a file as one that stands in the page."""
    address = f"data:{kind};charset=utf-8;base64,{base64.b64encode(raw).decode()}"
    return Download(words, name, address, f"{max(1, round(len(raw) / 1000)):,} kB")


def scopes_csv(run: Run) -> str:
    """Return the scopes at full precision, with what identifies the run in comment lines (``#``)."""
    manifest = run.manifest
    file = io.StringIO(newline="")
    said = {"run": f"{manifest['name']}/{run.folder.name}", "digest": manifest["digest"], "money": manifest["money"],
            "group": manifest["group"], "verdict": manifest["verdict"]["in_words"]}  # fmt: skip
    file.writelines(f"# {key}: {' '.join(str(value).split())}\n" for key, value in said.items())
    keys = ("median", "lower", "upper", "probability", "kind", "unit", "basis", "mcse_median", "mcse_lower",
            "mcse_upper")  # fmt: skip
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["scope", *keys])
    writer.writerows([name, *(manifest["scopes"][name][key] for key in keys)] for name in scopes(manifest))
    return file.getvalue()


# ---------------------------------------------------------------------------------------------
# Claims


def claims(manifest: Mapping[str, Any], found: Sequence[Ingredient], numbered: Numbered) -> list[dict[str, Any]]:
    """Return every claim of the prior file: what it says, where it lies in the draws, and where it comes from."""
    cited: dict[str, set[int]] = {}
    names = Names.of(manifest)
    for one in found:
        for claim in one.priors.claims:
            cited.setdefault(claim.name, set()).update(numbered.numbers(one, claim.sources))
    rows = zip(manifest["claims"], report.claim_cells(manifest)[1:], strict=True)
    return [
        {"label": cells[0], "about": names(claim["about"]), "says": cells[2], "percentiles": cells[3:-1],
         "weight": cells[-1], "refs": sorted(cited.get(claim["name"], ()))}
        for claim, cells in rows
    ]  # fmt: skip


def audited(run: Run) -> dict[str, Any] | None:
    """Return the findings on the claims of the shipped register that this run can test; None where there are none."""
    known = register.load(register.find(None))
    findings = [found for found in audit.audit(known, [run]) if found.run]
    if not findings:
        return None
    groups = [
        (audit.VERDICTS[verdict], [finding(one, known) for one in findings if one.verdict == verdict])
        for verdict in audit.counts(findings)
    ]
    return {
        "title": known.title,
        "digest": known.digest[:16],
        "number": len(findings),
        "of": len(known.claims),
        "groups": groups,
        "unremarkable": [audit.VERDICTS[verdict] for verdict in (*audit_report.UNREMARKABLE, audit.NOT_TESTABLE)],
    }


def finding(found: audit.Finding, known: register.Register) -> dict[str, str]:
    """Return a finding in words."""
    return {
        "id": found.claim.id,
        "says": found.claim.entry.says,
        "figure": audit_report.says(found),
        "where": audit_report.where(found, known),
        "percentile": audit_report.percentile(found),
        "why": audit_report.why(found),
        "off": audit_report.off(found),
    }


# ---------------------------------------------------------------------------------------------
# What drives it, and the evidence


def drivers(run: Run) -> dict[str, Any]:
    """Return what carries the headline: a figure, a table and advice, or why there is none."""
    try:
        priors = analyses.priors_of(run)
        scope = headline_scope(run.manifest)
        found = analyses.analyse(run, priors, scope=scope, refit=False, power=False)
    except SimulateError as error:
        return {"lacking": str(error).removeprefix(f"{run.folder}: ")}
    names = Names.of(run.manifest)
    return {
        "lacking": "",
        "scope": SCOPE_LABELS[scope],
        "name": scope,
        "figure": report_figures.tornado(found),
        "cells": called(words.influence_cells(found, DRIVERS), names),
        "more": max(0, len(found.influences) - DRIVERS),
        "asking": called([row[1:] for row in words.asking_cells(found)], names),
        "explained": words.explained(found),
        "what_if": called(words.what_if_cells(found), names),
    }


def called(cells: Sequence[Sequence[str]], names: Names, columns: int = 1) -> list[Sequence[str | Named]]:
    """Return a table, header first, whose first columns are paths, with their names in their place."""
    return [
        *cells[:1],
        *([names(cell) if place < columns else cell for place, cell in enumerate(row)] for row in cells[1:]),
    ]


def evidence(manifest: Mapping[str, Any], tree: Any) -> Markup | None:
    """Return the figure of the evidence; None where no evidence is known."""
    return report_figures.evidence(manifest, tree) if report_figures.has_evidence(tree, manifest["group"]) else None


def before_after(
    manifest: Mapping[str, Any], tree: Any, rows: Mapping[tuple[str, str], Mapping[str, str]]
) -> Markup | None:
    """Return the figure of the costs before and after the evidence; None where none was heard."""
    if not heard(manifest):
        return None
    return report_figures.before_after(
        manifest, tree, {name: row_words(rows["prior", name]) for name in scopes(manifest)}
    )


# ---------------------------------------------------------------------------------------------
# Assumptions


def assumptions(
    run: Run,
    found: Sequence[Ingredient],
    numbered: Numbered,
    rows: Mapping[tuple[str, str], Mapping[str, str]],
) -> list[tuple[str, list[Assumption]]]:
    """Return the entries that the draws rest on, by section of the prior file; those of a pool by member too."""
    groups: dict[str, list[Assumption]] = {}
    for one in found:
        names = Names.of_file(one.priors)
        entries = [one.priors.entries[path] for path in one.priors.entries if path in one.used]
        for entry in sorted(entries, key=lambda entry: place(entry.path)):
            section = entry.path.partition(".")[0]
            member = f"{one.name}: " if len(found) > 1 else ""
            title = f"{member}{SECTIONS.get(section, section)}"
            groups.setdefault(title, []).append(assumption(run, one, entry, names, numbered, rows))
    return list(groups.items())


def place(path: str) -> int:
    """Return the place of an entry's section in a report."""
    section = path.partition(".")[0]
    return list(SECTIONS).index(section) if section in SECTIONS else len(SECTIONS)


def assumption(
    run: Run,
    one: Ingredient,
    entry: Unknown | Constant,
    names: Names,
    numbered: Numbered,
    rows: Mapping[tuple[str, str], Mapping[str, str]],
) -> Assumption:
    """Return an entry as it is given, and what the draws make of it."""
    refs = numbered.of_entry(one, entry.path, entry.sources)
    row = rows.get((str(run.manifest["group"]), entry.path)) if isinstance(entry, Unknown) else None
    now = "" if row is None else "{} ({})".format(*row_words(row))
    shared = entry.path.startswith("groups.")
    given = entry.given if isinstance(entry, Unknown) else f"{entry.given}, taken as exact"
    return Assumption(
        names(entry.path), entry.meaning, given, now, refs, not refs and not shared, " ".join(entry.note.split())
    )


def fact_entries(manifest: Mapping[str, Any], found: Sequence[Ingredient], numbered: Numbered) -> list[dict[str, Any]]:
    """Return the disputed facts with their probabilities, sources and notes."""
    return [
        {
            "named": Names.of_file(one.priors)(fact.path),
            "before": f"{fact.probability:g}",
            "now": report.likely(manifest["facts"][fact.path]) if fact.path in manifest["facts"] else "–",
            "refs": numbered.numbers(one, fact.sources),
            "note": " ".join(fact.note.split()),
        }
        for one in found
        for fact in one.priors.facts
    ]


def correlation_cells(manifest: Mapping[str, Any]) -> list[Sequence[str | Named]]:
    """Return the stated rank correlations and those of the draws, header first; empty where there are none."""
    pairs = manifest["correlations"]
    cells = [[*pair["between"], f"{pair['stated_rank']:.2f}", f"{pair['achieved_rank']:.2f}"] for pair in pairs]
    head = ["between", "and", "stated", f"in the {manifest['group']}"]
    return called([head, *cells], Names.of(manifest), columns=2) if cells else []


# ---------------------------------------------------------------------------------------------
# Diagnostics, and how to make it again


def diagnostics(run: Run, rows: Mapping[tuple[str, str], Mapping[str, str]]) -> list[Sequence[str | Named]]:
    """Return the Monte Carlo errors and diagnostics of the scopes, and of what mixes worst, header first."""
    own = {name: row for (group, name), row in rows.items() if group == run.manifest["group"]}
    known = scopes(run.manifest)
    rest = sorted(
        (name for name in own if name not in known and is_sampled(own[name])), key=lambda name: worst(own[name])
    )
    head = ["variable", "median", "its Monte Carlo error", "effective draws, bulk", "tail", "R-hat"]
    return called([head, *(diagnosed(name, own[name]) for name in [*known, *rest[:SLOWEST]])], Names.of(run.manifest))


def is_sampled(row: Mapping[str, str]) -> bool:
    return math.isfinite(float(row["r_hat"]))


def worst(row: Mapping[str, str]) -> tuple[float, str]:
    """Return what the rows of diagnostics are sorted by: fewest effective draws first."""
    return min(float(row["ess_bulk"]), float(row["ess_tail"])), name_of(row)


def diagnosed(name: str, row: Mapping[str, str]) -> list[str]:
    """Return a row of the table of diagnostics; a dash for what does not apply."""
    error = float(row["mcse_p50"])
    counts = [f"{float(row[key]):,.0f}" if math.isfinite(float(row[key])) else "–" for key in ("ess_bulk", "ess_tail")]
    said = amount(error, row["unit"], words.place_of(error)) if error > 0 else "–"
    return [name, amount_of(row, "p50"), said, *counts, f"{float(row['r_hat']):.3f}" if is_sampled(row) else "–"]


def commands(run: Run) -> list[tuple[str, str]]:
    """Return what makes a run again, and asks it for more: what each command does, and the command."""
    manifest = run.manifest
    name, made = str(manifest["name"]), manifest["sampling"]
    pointer = shlex.quote(run.folder.name)
    found = [("Check and make the run again from its folder", f"simulate reproduce {pointer}")]
    if not report.is_pool(manifest):
        found.insert(0, ("Make a run of the same numbers", again(name, manifest["settings"], made)))
    return [
        *found,
        ("The sentence to quote, and the sources", f"simulate cite {pointer}"),
        ("Which source, prior and assumption it hangs on", f"simulate sensitivity {pointer}"),
    ]


NUMBERS = ("seed", "draws", "chains", "tune")
"""Settings of a run that are numbers, in the order of its command."""


def again(name: str, given: Sequence[str], made: Mapping[str, Any]) -> str:
    """Return the command that makes a run of the same numbers, its defaults left out."""
    usual = Settings()
    flags = [f"--{key} {made[key]}" for key in NUMBERS if made[key] != getattr(usual, key)]
    flags += [f"--{key.replace('_', '-')}" for key in ("prior_only", "quasi", "cross_check") if made.get(key)]
    flags += ["--sampler pymc"] if made.get("nuts") == "pymc" else []
    flags += ["--no-extend"] if not made.get("extend", True) else []
    flags += [f"--set {shlex.quote(str(setting))}" for setting in given]
    return " ".join(["simulate run --priors", shlex.quote(name), *flags])
