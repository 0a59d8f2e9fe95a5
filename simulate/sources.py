"""The sources that a run used: those of the numbers, claims and facts that its draws rest on, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulate import layers, reference, schema
from simulate.ingredients import Ingredient
from simulate.loading import citations


@dataclass(frozen=True)
class Source:
    """A work that a number comes from, under a ``key``; what is not known of it is empty.

    ``date`` is a year, a month or a day as ISO 8601 writes it; ``locator`` the table, page or section; ``known``
    how the number was read: from the work itself, from another, derived from it, or as generally known.
    """

    key: str
    title: str
    authors: tuple[str, ...] = ()
    publisher: str = ""
    date: str = ""
    url: str = ""
    locator: str = ""
    known: str = ""


def used(found: Iterable[Ingredient]) -> list[Source]:
    """Return the sources of several prior files, each once, with keys that differ even without regard to case."""
    works: dict[Source, None] = {}
    for one in found:
        named = dict.fromkeys(names(one))
        works |= dict.fromkeys(source(name, one.priors.sources[name]) for name in named)
        works |= dict.fromkeys(disclosed_cases(one))
    return list(with_own_keys(works))


def with_own_keys(works: Iterable[Source]) -> Iterator[Source]:
    """Yield works whose keys are taken under keys with a number."""
    taken: set[str] = set()
    for work in works:
        number, key = 1, work.key
        while key.casefold() in taken:
            number, key = number + 1, f"{work.key}-{number + 1}"
        taken.add(key.casefold())
        yield replace(work, key=key)


def source(name: str, found: schema.Source) -> Source:
    return Source(
        name,
        " ".join(found.title.split()),
        tuple(" ".join(author.split()) for author in found.authors if author.strip()),
        " ".join(found.publisher.split()),
        "" if found.date is None else str(found.date),
        found.url.strip(),
        " ".join(found.locator.split()),
        found.known,
    )


def names(one: Ingredient) -> Iterator[str]:
    """Yield the names of the sources that a prior file's draws rest on, those of its entries first."""
    priors = one.priors
    for path, entry in priors.entries.items():
        if path in one.used:
            yield from entry.sources
    for fact in priors.facts:
        if set(fact.gates) & (one.used | priors.layout.derived.keys()):
            yield from fact.sources
    for claim in priors.evidence if one.heard else ():
        yield from claim.sources
    content = one.layers.content
    for name, table in content.get("correlations", {}).items():
        if len(set(table["between"]) & set(priors.correlations.paths)) > 1:
            yield from (cited for _, cited in citations(table, f"correlations.{name}"))
    for code, table in content.get("currencies", {}).items():
        if any(re.search(rf"\b{code}\b", text) for text in amounts(one)):
            yield from (cited for _, cited in citations(table, f"currencies.{code}"))


def amounts(one: Ingredient) -> Iterator[str]:
    """Yield how each entry and claim that was used is written, without its notes, in the units it is given in."""
    content = one.layers.content
    claims = [f"evidence.{claim.name}" for claim in one.priors.evidence] if one.heard else []
    for path in (*one.used, *claims):
        raw = layers.value_at(content, path.split("."))
        kept = {key: raw[key] for key in raw.keys() - {"note", "label"}} if isinstance(raw, Mapping) else raw
        yield json.dumps(kept, default=str)


# ---------------------------------------------------------------------------------------------
# Tables of disclosed cases


def disclosed_cases(one: Ingredient) -> Iterator[Source]:
    """Yield what the rows were taken from of the tables of disclosed cases that the draws refer to."""
    cases: dict[tuple[str, str, str], dict[str, None]] = {}
    for path in sorted(one.used):
        raw = layers.value_at(one.layers.content, path.split("."))
        if isinstance(raw, Mapping) and raw.get("reference") in reference.TABLES:
            for table, case, text, known in rows(one, raw):
                cases.setdefault((table, text, known), {})[case] = None
    for number, ((table, text, known), found) in enumerate(cases.items(), start=1):
        yield Source(f"{table}-{number}", text, locator=f"disclosed case: {', '.join(found)}", known=known)


def rows(one: Ingredient, asked: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (table, case, source, how known) of the rows of a table that an entry is predicted from."""
    table, within = str(asked["reference"]), str(asked.get("within", ""))
    text = one.layers.references[table]
    if table == reference.TRAINING_RUNS:
        runs = reference.read_training_runs(text, table)
        column, found = (
            "model",
            {run.model for run in reference.members(runs, within or "all", asked.get("without", ""))},
        )
    else:
        column, found = "case", {case.case for case in reference.cases_within(text, within)}
    for _, row in reference.rows_of(text, table, (column,)):
        if row[column] in found:
            source = row.get("source") or f"Table {table} of disclosed cases"
            yield table, row[column], source, row.get("known", "")
