"""The sources of a report, numbered in one list, and which of them each number, fact and claim comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulate import layers, reference, sources
from simulate.ingredients import Ingredient
from simulate.sources import Source


@dataclass(frozen=True)
class Numbered:
    """Sources in their order, each under its number from 1."""

    works: tuple[Source, ...]

    @classmethod
    def of(cls, found: Sequence[Ingredient]) -> Numbered:
        """Return the sources that the draws rest on, then those of claims that are only shown."""
        works = dict.fromkeys(map(nameless, sources.used(found)))
        return cls(tuple(works | dict.fromkeys(nameless(work) for one in found for work in shown_only(one))))

    def __iter__(self) -> Iterator[tuple[int, Source]]:
        return iter(enumerate(self.works, 1))

    def numbers(self, one: Ingredient, names: Iterable[str]) -> list[int]:
        """Return the numbers of the sources that a prior file calls by these names."""
        works = (nameless(sources.source(name, one.priors.sources[name])) for name in dict.fromkeys(names))
        return sorted({self.works.index(work) + 1 for work in works if work in self.works})

    def of_entry(self, one: Ingredient, path: str, names: Iterable[str]) -> list[int]:
        """Return the numbers of an entry's sources; of one that is predicted, those of the disclosed cases too."""
        raw = layers.value_at(one.layers.content, path.split("."))
        cases = set(cases_of(one, raw)) if is_predicted(raw) else set()
        predicted = [number for number, work in self if work in cases]
        return sorted({*self.numbers(one, names), *predicted})


def nameless(work: Source) -> Source:
    """Return a source without the key that a file gives it."""
    return replace(work, key="")


def shown_only(one: Ingredient) -> Iterator[Source]:
    """Yield the sources of claims that no draws rest on."""
    for name in dict.fromkeys(name for claim in one.priors.claims for name in claim.sources):
        yield sources.source(name, one.priors.sources[name])


def is_predicted(raw: Any) -> bool:
    """Whether an entry of a prior file is asked of a table of disclosed cases."""
    return isinstance(raw, Mapping) and raw.get("reference") in reference.TABLES


def cases_of(one: Ingredient, raw: Mapping[str, Any]) -> Iterator[Source]:
    """Yield what the disclosed cases were taken from that an entry is predicted from."""
    asked = {text for _, _, text, _ in sources.rows(one, raw)}
    yield from (nameless(work) for work in sources.disclosed_cases(one) if work.title in asked)
