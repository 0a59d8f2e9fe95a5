"""The controls of the page of `simulate explore`: one for each number, disputed fact, claim and source of a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simulate import schema
from simulate.changes import Changes
from simulate.changing import TWO_ENDS, Base, ends_of, typed
from simulate.distributions import Johnson, to_link, unlinked
from simulate.elicitation import Place
from simulate.naming import SECTIONS, Names
from simulate.priors import Claim, Constant, Unknown
from simulate.report import KIND_WORDS
from simulate.summary import published

GROUPS = {name: words for name, words in SECTIONS.items() if name != "groups"}
"""Sections of a prior file whose numbers have controls, in the order of the page."""

REACH = 1.6
"""How far a slider reaches beyond both ends, over the width of the interval, on the scale of the slider."""

LEAST_REACH = 0.7
"""The same, at least, as a logarithm."""


@dataclass(frozen=True)
class Scale:
    """How a slider lies over values from ``start`` to ``stop``: evenly (``linear``), or by their logarithm (``log``).

    The logarithm is that of the distance to ``lower``.
    """

    kind: str
    start: float
    stop: float
    lower: float = 0.0


@dataclass(frozen=True)
class Number:
    """A control of an entry: ``ends`` are what stands in its fields, one for a fixed value, in ``unit``.

    ``file`` are those of the prior file; ``becomes`` says what a new interval makes of it, where that is no mere shift.
    """

    path: str
    group: str
    label: str
    meaning: str
    unit: str
    given: str
    note: str
    sources: tuple[str, ...]
    ends: tuple[str, ...]
    file: tuple[str, ...]
    numbers: tuple[float, ...]
    scale: Scale
    becomes: str


@dataclass(frozen=True)
class Fact:
    """A control of a disputed fact: ``state`` is true, false or doubt, ``probability`` what stands in its field."""

    path: str
    group: str
    label: str
    state: str
    probability: str
    file: str
    note: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """A control of a claim: whether it is ``used``, in the ``file`` and now; ``lacks`` says why it cannot be."""

    name: str
    label: str
    says: str
    about: str
    used: bool
    file: bool
    lacks: str
    note: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Heard:
    """A control of a source: the claims that cite it, and the unknowns whose priors cite it, which stay."""

    name: str
    title: str
    claims: tuple[str, ...]
    sets: tuple[str, ...]


def numbers(base: Base, changes: Changes) -> Iterator[Number]:
    """Yield the controls of all entries that do something, in the order of the page."""
    names = Names.of_file(base.priors)
    known = [(path, entry) for path, entry in base.priors.entries.items() if path in base.places]
    for group in GROUPS:
        for path, entry in known:
            if path.split(".")[0] == group:
                yield number(base, path, entry, names(path).name, changes.entries.get(path))


def number(base: Base, path: str, entry: Unknown | Constant, label: str, given: str | None) -> Number:
    values = ends_of(entry) if isinstance(entry, Unknown) else (entry.value,)
    file = tuple(typed(value) for value in values)
    return Number(
        path=path,
        group=path.split(".")[0],
        label=label,
        meaning=entry.meaning,
        unit=entry.unit,
        given=entry.given,
        note=entry.note.strip(),
        sources=entry.sources,
        ends=tuple(given.split(" to ")[:2]) if given else file,
        file=file,
        numbers=values,
        scale=scale(values, base.places[path]),
        becomes=becomes(entry),
    )


def becomes(entry: Unknown | Constant) -> str:
    """Return what a new interval makes of an entry, where its shape does not simply go with it."""
    if isinstance(entry, Constant):
        return "Two numbers, such as 3 to 5, make an interval of it."
    family = entry.distribution.family
    if isinstance(entry.distribution, Johnson) and entry.distribution.skew:
        return "The median goes with the ends."
    return "" if family in TWO_ENDS else f"A new interval replaces its shape ({family}) by the usual one."


def scale(values: tuple[float, ...], place: Place) -> Scale:
    """Return the scale of a slider that shows the ends of a file with room on both sides."""
    low, high = values[0], values[-1]
    if math.isfinite(place.lower) and math.isfinite(place.upper):
        return Scale("linear", place.lower, place.upper)
    if not math.isfinite(place.lower) or low <= place.lower:
        reach = max(REACH * (high - low), abs(high), 1.0)
        start = low - reach if not math.isfinite(place.lower) else place.lower
        return Scale("linear", start, high + reach)
    start, stop = (float(to_link(float(value), place.lower, math.inf)) for value in (low, high))
    reach = max(REACH * (stop - start), LEAST_REACH)
    least, most = (float(unlinked(g, place.lower, math.inf)) for g in (start - reach, stop + reach))
    return Scale("log", least, most, place.lower)


def facts(base: Base, changes: Changes) -> Iterator[Fact]:
    """Yield the controls of the disputed facts."""
    names = Names.of_file(base.priors)
    for fact in base.priors.facts:
        given, file = changes.entries.get(fact.path, ""), f"{fact.probability:g}"
        state = given if given in ("true", "false") else "doubt"
        typed = given if given and state == "doubt" else file
        section, label = fact.path.split(".")[0], names(fact.path).name
        yield Fact(fact.path, section, label, state, typed, file, fact.note.strip(), fact.sources)


def claims(base: Base, changes: Changes) -> Iterator[Said]:
    """Yield the controls of the claims, evidence first."""
    names = Names.of_file(base.priors)
    for claim in sorted(base.priors.claims, key=lambda claim: not claim.used):
        yield Said(
            name=claim.name,
            label=claim.label or claim.name,
            says=f"{KIND_WORDS[claim.kind]} {published(claim.value, claim.unit)}",
            about=names(claim.about).name,
            used=changes.claims.get(claim.name, claim.used),
            file=claim.used,
            lacks="" if claim.used else lacks(claim),
            note=claim.note.strip(),
            sources=claim.sources,
        )


def lacks(claim: Claim) -> str:
    """Return why a claim that is only shown cannot have weight, empty where it can."""
    return "it states no error" if math.isnan(claim.log_error) else ""


def sources(base: Base) -> Iterator[Heard]:
    """Yield the controls of the sources of claims that have weight or can have it."""
    able: dict[str, list[str]] = {}
    names = Names.of_file(base.priors)
    for claim in base.priors.claims:
        for name in claim.sources if claim.used or not lacks(claim) else ():
            able.setdefault(name, []).append(claim.name)
    for name, cited in able.items():
        sets = tuple(names(unknown.path).name for unknown in base.priors.unknowns if name in unknown.sources)
        yield Heard(name, source_words(base.priors.sources[name]), tuple(cited), sets)


def source_words(source: schema.Source) -> str:
    """Return a source in words: who, and what."""
    who = source.publisher or ", ".join(source.authors)
    return f"{who}: {source.title}" if who else source.title


FEW = 12
"""Controls of a file whose groups are all open at first."""


def opened(found: list[Number], doubted: list[Fact], changes: Changes) -> set[str]:
    """Return the groups that are open at first: the first, those with disputed facts, and those with changes."""
    every = [*(one.group for one in found), *(fact.group for fact in doubted)]
    if len(every) <= FEW:
        return set(every)
    changed = {path.split(".")[0] for path in changes.entries}
    return {*every[:1], *(fact.group for fact in doubted), *changed}


def groups(found: list[Number], doubted: list[Fact]) -> Mapping[str, list[Number]]:
    """Return the controls of entries by their group, and a place for the facts of each."""
    names = [name for name in GROUPS if name in {*(one.group for one in found), *(fact.group for fact in doubted)}]
    return {name: [one for one in found if one.group == name] for name in names}
