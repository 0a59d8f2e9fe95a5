"""The software, a run and its sources as BibTeX and as CSL-JSON.

BibTeX is for biber and BibLaTeX, and for pandoc: ``date`` has days, `@online` and `@software` are types. Classic BibTeX
styles read it too, and take a type they do not know for ``@misc``. Text is UTF-8. CSL-JSON is that of CSL 1.0.2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from simulate.markup import latex
from simulate.report import is_pool, origin
from simulate.results import Run
from simulate.sources import Source, with_own_keys

SOFTWARE = {
    "title": "simulate: credible intervals for what an AI lab really spent",
    "author": "The simulate maintainers",
    "license": "Apache-2.0",
}
"""As in CITATION.cff."""

KEY = "simulate"
"""Of the software; that of a run begins with it."""

PERSON = re.compile(r"(?P<given>(?:[^\W\d_]\.[ -]?)+) ?(?P<family>[^\W\d_][^\d_,;()]*)")
COMMA = re.compile(r"(?P<family>[^,]+), *(?P<given>[^,]+)")
OTHERS = re.compile(r",? +et al\.?$")

BIB_TYPES = {"software": "software", "dataset": "dataset", "webpage": "online", "document": "misc"}


@dataclass(frozen=True)
class Item:
    """An entry of a bibliography; ``type`` is CSL's."""

    key: str
    type: str
    title: str
    authors: tuple[str, ...] = ()
    publisher: str = ""
    date: str = ""
    url: str = ""
    version: str = ""
    note: str = ""


def items(run: Run, works: Sequence[Source]) -> list[Item]:
    """Return the entries of a run's bibliography: the software, the run, and its sources."""
    own = [Source(KEY, ""), Source(key_of(run), "")]
    keys = [work.key for work in with_own_keys([*own, *works])]
    return [software(run), of_run(run), *(of_source(work, key) for work, key in zip(works, keys[2:], strict=True))]


def key_of(run: Run) -> str:
    """Return the key of a run's entry, of its prior file and its folder: letters, digits and hyphens."""
    return f"{KEY}-{re.sub(r'[^A-Za-z0-9]+', '-', f'{run.manifest["name"]}-{run.folder.name}')}"


def software(run: Run) -> Item:
    """Return the software, in the version that made the run."""
    version = str(run.manifest["versions"]["simulate"])
    return Item(
        KEY,
        "software",
        SOFTWARE["title"],
        (SOFTWARE["author"],),
        date=str(run.manifest["created"])[:4],
        version=version,
        note=f"Licence: {SOFTWARE['license']}",
    )


def of_run(run: Run) -> Item:
    """Return a run, with all that identifies its numbers."""
    manifest = run.manifest
    verdict = "" if run.converged else f"{manifest['verdict']['in_words']}. "
    draws = manifest["sampling"]["chains"] * manifest["sampling"]["draws"]
    settings = f", set by hand: {'; '.join(manifest['settings'])}" if manifest["settings"] else ""
    note = (
        f"{verdict}{manifest['group'].capitalize()} of {origin(manifest)} {manifest['name']}{settings}; "
        f"{draws:,} draws, seed {manifest['sampling']['seed']}, digest {manifest['digest']}"
    )
    kind = "Pooled run" if is_pool(manifest) else "Run"
    return Item(
        key_of(run),
        "dataset",
        f"{kind} {run.folder.name} of simulate: {manifest['title']}",
        (),
        f"simulate {manifest['versions']['simulate']}",
        str(manifest["created"])[:10],
        note=note,
    )


def of_source(work: Source, key: str) -> Item:
    """Return a source; how its numbers are known is said where that is not from itself."""
    known = "" if work.known in ("", "primary") else f"known: {work.known}"
    note = "; ".join(part for part in (work.locator, known) if part)
    kind = "webpage" if work.url else "document"
    return Item(key, kind, work.title, work.authors, work.publisher, work.date, work.url, note=note)


# ---------------------------------------------------------------------------------------------
# Names


@dataclass(frozen=True)
class Person:
    """An author: a person with a given name, or, without one, whoever signs so: a company, a single name."""

    family: str
    given: str = ""


def people(authors: Iterable[str]) -> tuple[list[Person], bool]:
    """Return authors as they are indexed, and whether there are others.

    Only initials, or a comma, tell a person from an organisation: ``D. Patel`` and ``Patel, Dylan`` are persons,
    ``Epoch AI`` is taken as it stands.

    >>> people(["D. Patel", "Epoch AI", "An et al."])
    ([Person(family='Patel', given='D.'), Person(family='Epoch AI', given=''), Person(family='An', given='')], True)
    """
    found, others = [], False
    for author in authors:
        name = OTHERS.sub("", author)
        others = others or name != author
        match = PERSON.fullmatch(name) or COMMA.fullmatch(name)
        found.append(Person(match["family"].strip(), match["given"].strip()) if match else Person(name))
    return found, others


# ---------------------------------------------------------------------------------------------
# BibTeX


def bibtex(found: Iterable[Item]) -> str:
    r"""Return entries as BibTeX.

    >>> print(bibtex([Item("x", "webpage", "50 % of $1", ("D. Patel", "Meta"), date="2025-01", url="https://a.b/c_d")]))
    @online{x,
      author = {Patel, D. and {Meta}},
      title = {{50~\% of \$1}},
      date = {2025-01},
      url = {https://a.b/c_d},
    }
    <BLANKLINE>
    """
    return "\n".join(bibtex_entry(item) for item in found)


def bibtex_entry(item: Item) -> str:
    """Return one entry; the title is in braces of its own, so that no style changes its capitals."""
    fields = {
        "author": bibtex_authors(item.authors),
        "title": f"{{{latex(item.title)}}}",
        "howpublished" if item.type == "document" else "organization": latex(item.publisher),
        "version": latex(item.version),
        "date": item.date,
        "url": verbatim(item.url),
        "note": latex(item.note),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{BIB_TYPES[item.type]}{{{item.key},", *lines, "}", ""])


def bibtex_authors(authors: Iterable[str]) -> str:
    found, others = people(authors)
    names = [f"{latex(one.family)}, {latex(one.given)}" if one.given else f"{{{latex(one.family)}}}" for one in found]
    return " and ".join([*names, *(["others"] if others else [])])


def verbatim(url: str) -> str:
    """Return a URL that stands in braces as it is: what is no part of one, and braces, are percent-encoded.

    >>> verbatim("https://a.b/{c}?d=é%20f#g")
    'https://a.b/%7Bc%7D?d=%C3%A9%20f#g'
    """
    return quote(unicodedata.normalize("NFC", url), safe="%/:?#[]@!$&'()*+,;=~_.-")


# ---------------------------------------------------------------------------------------------
# CSL-JSON


def csl(found: Iterable[Item]) -> list[dict[str, Any]]:
    """Return entries as CSL-JSON."""
    return [csl_item(item) for item in found]


def csl_item(item: Item) -> dict[str, Any]:
    people_found, others = people(item.authors)
    authors: list[Mapping[str, str]] = [
        {"family": one.family, "given": one.given} if one.given else {"literal": one.family} for one in people_found
    ]
    fields: dict[str, Any] = {
        "id": item.key,
        "type": item.type,
        "title": item.title,
        "author": [*authors, *([{"literal": "others"}] if others else [])],
        "publisher": item.publisher,
        "issued": {"date-parts": [[int(part) for part in item.date.split("-")]]} if item.date else None,
        "URL": verbatim(item.url),
        "version": item.version,
        "note": item.note,
    }
    return {name: value for name, value in fields.items() if value}
