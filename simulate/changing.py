"""A prior file with changes of a page put in, as one file that needs no other.

What a page computes from is the very content of the file that it hands over, so that ``simulate run`` of that file
gives the same numbers. It is strict where ``--set`` is lenient: what speaks of a value that was fixed by hand is
told so in the file.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from simulate import layers, layout, loading, schema
from simulate.changes import Changes
from simulate.claims import TARGET, hours_path
from simulate.distributions import Johnson, to_link, unlinked
from simulate.elicitation import FaultsFound, Place, elicit, parse_number
from simulate.errors import Fault, InputError
from simulate.layers import Layers
from simulate.priors import Priors, Unknown

TWO_ENDS = ("normal", "lognormal", "logitnormal", "truncated-normal", "uniform", "loguniform", "beta", "gamma")
"""Families that an interval decides, and that a new interval keeps."""

BETWEEN = re.compile(r"(?P<low>.+?)\s+to\s+(?P<high>.+)")
BY_HAND = "changed by hand"


@dataclass(frozen=True)
class Base:
    """A prior file as it is on disk: its layers and what they mean."""

    read: Layers
    priors: Priors

    @classmethod
    def load(cls, path: Path) -> Base:
        """Return the prior file at a path. Raises `InputError` with every fault."""
        read = layers.read(path)
        return cls(read, loading.check(read))

    @cached_property
    def places(self) -> dict[str, Place]:
        """What each place that holds a number admits, by path."""
        currencies, _ = loading.currencies_of(self.read.content)
        file, _ = schema.read(self.read.content, currencies)
        tables = layout.tables(file) if file else ()
        return {f"{path}.{key}": place for path, table in tables for key, place in places(type(table))}

    @cached_property
    def hours(self) -> frozenset[str]:
        """Paths of stated hours that are evidence on the physics of their run."""
        return frozenset(claim.name for claim in self.priors.claims if claim.name in self.priors.layout.derived)


def places(table: type[schema.Section]) -> Iterator[tuple[str, Place]]:
    """Yield the keys of a table that hold numbers, and what is admitted there."""
    for key, found in table.model_fields.items():
        yield from ((key, item) for item in found.metadata if isinstance(item, Place))


def changed(base: Base, changes: Changes) -> Layers:
    """Return a prior file with changes as the layers of one file, named after it.

    Raises `InputError` with all that is wrong with the changes, each by the path of what it changes.
    """
    changing = Changing(base, copy.deepcopy({k: v for k, v in base.read.content.items() if k != "extends"}), [])
    changing.change(changes)
    if changing.faults:
        raise InputError(base.read.path, changing.faults)
    content = without_uncited(changing.content)
    name = file_name(base.priors.name)
    references = {table: base.read.references[table] for _, table in layers.referred(content)}
    return Layers(base.read.path.parent / name, content, {}, {name: content}, references=references)


def file_name(name: str) -> str:
    """Return the name of the file that holds what a page of a prior file shows, in letters that any system has.

    >>> file_name("my lab")
    'my_lab-as-shown.toml'
    """
    return f"{re.sub('[^A-Za-z0-9._-]', '_', name)}-as-shown.toml"


def text(shown: Layers, base: Base, changes: Changes) -> str:
    """Return the TOML of a changed prior file, to be run from any folder."""
    import tomli_w

    head = [
        f"# {base.priors.name} as `simulate explore` showed it: one file, with all that it extended in it.",
        f"# Run it with: simulate run --priors {shown.path.name}",
        f"# Changes: {changes.query() or 'none'}",
    ]
    return "\n".join([*head, "", tomli_w.dumps(shown.content, multiline_strings=True)])


@dataclass
class Changing:
    """Puts changes into content, and notes what is wrong with them."""

    base: Base
    content: dict[str, Any]
    faults: list[Fault]

    def change(self, changes: Changes) -> None:
        fixed = [path for path, given in changes.entries.items() if self.entry(path, given)]
        for name, used in changes.claims.items():
            self.claim(name, used)
        self.loosen(frozenset(fixed))
        self.content = layers.of_their_years(self.content, self.base.read.content)
        if changes and not self.faults:
            self.say(changes)

    def fault(self, path: str, found: str, mend: str) -> None:
        self.faults.append(Fault(path, found, mend))

    def put(self, path: str, value: Any) -> None:
        self.content = layers.put(self.content, path.split("."), value, self.faults, path)

    def entry(self, path: str, given: str) -> bool:
        """Put in what was typed for an entry or a fact; return whether it is now a fixed value."""
        if path in {fact.path for fact in self.base.priors.facts}:
            self.fact(path, given)
            return False
        known = self.base.priors.entries.get(path)
        if known is None or path not in self.base.places:
            self.fault(path, "nothing to change here", "change what has a control on the page")
            return False
        match = BETWEEN.fullmatch(given)
        ends = [parse_number(part) for part in (match["low"], match["high"])] if match else [parse_number(given)]
        if any(end is None or not math.isfinite(end) for end in ends):
            self.fault(path, f"{given[:60]!r} is not understood", "write digits, such as 8000, 8k or 1.6bn")
            return False
        numbers = [float(end) for end in ends if end is not None]
        one = len(set(numbers)) == 1
        number = {"value": plain(numbers[0])} if one else interval(known, numbers, self.base.places[path])
        note = f"{BY_HAND}; {self.base.priors.name} has {known.given}"
        entry = {**number, **({"unit": known.unit} if known.unit else {}), "note": note}
        try:
            elicit(entry, self.base.places[path])
        except FaultsFound as error:
            self.faults += [Fault(f"{path}.{fault.path}", fault.found, fault.mend) for fault in error.faults]
        self.put(path, entry)
        return one

    def fact(self, path: str, given: str) -> None:
        """Put in whether something disputed is there."""
        before = next(fact for fact in self.base.priors.facts if fact.path == path)
        if given in ("true", "false"):
            self.put(path, given == "true")
            return
        probability = parse_number(given)
        if probability is None or not 0 < probability < 1:
            self.fault(
                path, f"{given[:60]!r} is not a probability between 0 and 1", "write 0.5, or choose true or false"
            )
            return
        note = f"{BY_HAND}; {self.base.priors.name} has {before.probability:g}"
        self.put(path, {"probability": probability, "note": note})

    def claim(self, name: str, used: bool) -> None:
        """Give a claim weight or none; stated hours without weight are left out."""
        if name in self.base.hours:
            if not used:
                *tables, key = name.split(".")
                layers.value_at(self.content, tables).pop(key, None)
        elif isinstance(layers.value_at(self.content, ["evidence", name]), Mapping):
            self.put(f"evidence.{name}.used", used)
        else:
            self.fault(f"evidence.{name[:60]}", "there is no such claim", "switch what is on the page")

    def loosen(self, fixed: frozenset[str]) -> None:
        """Take claims and correlations from what was fixed by hand: nothing can move it."""
        for name, item in self.content.get("evidence", {}).items():
            match = TARGET.fullmatch(str(item.get("quantity")))
            if (hours_path(match) if match else item.get("quantity")) in fixed and item.get("used", True):
                self.put(f"evidence.{name}.used", False)
        for name, item in list(self.content.get("correlations", {}).items()):
            if fixed & set(item.get("between", ())):
                self.put(f"correlations.{name}", without(item, fixed))
        kept = {name: item for name, item in self.content.get("correlations", {}).items() if len(item["between"]) > 1}
        if "correlations" in self.content:
            self.content = {**self.content, "correlations": kept}

    def say(self, changes: Changes) -> None:
        """Say in title and note that this is not what the file's author holds."""
        named = [f"{path} = {given}" for path, given in changes.entries.items()]
        named += [f"{name} {'heard' if used else 'not heard'}" for name, used in changes.claims.items()]
        note = f"{BY_HAND.capitalize()} from {self.base.priors.name}: {'; '.join(named)}."
        before = str(self.content.get("note", "")).strip("\n")
        heading = {"title": f"{self.content['title']} ({BY_HAND})", "note": f"{note}\n\n{before}".strip()}
        self.content = {**self.content, **heading}


def plain(number: float) -> float | int:
    """Return a number as a file has it, without a point where it is whole."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def interval(known: Any, ends: Sequence[float], place: Place) -> dict[str, Any]:
    """Return the entry that has new ends, its 5th and 95th percentile, and the family that it had.

    Of three quantiles, the middle keeps its place between the ends; a family that an interval does not decide, such
    as a mixture, is replaced by the one that the place takes by default.
    """
    low, high = ends
    distribution = known.distribution if isinstance(known, Unknown) else None
    if isinstance(distribution, Johnson) and distribution.skew and within(ends, distribution):
        return {"q05": plain(low), "q50": float(f"{middle(distribution, ends):.6g}"), "q95": plain(high)}
    found: dict[str, Any] = {"interval": [plain(low), plain(high)]}
    if distribution is None or distribution.family not in TWO_ENDS:
        return found
    default = "lognormal" if math.isinf(place.upper) else "logitnormal"
    if distribution.family != default:
        found["family"] = distribution.family
    if isinstance(distribution, Johnson):
        found |= bounds(distribution, place)
    return found


def bounds(distribution: Johnson, place: Place) -> dict[str, float]:
    """Return the bounds that a file has given for a distribution, where they are not those of its place."""
    usual = (max(place.lower, 0.0), place.upper)
    given = zip(("lower", "upper"), distribution.support, usual, strict=True)
    return {key: value for key, value, other in given if math.isfinite(value) and value != other}


def within(ends: Sequence[float], distribution: Johnson) -> bool:
    """Whether ends increase inside the support."""
    low, high = distribution.support
    return low < ends[0] < ends[1] < high


def middle(distribution: Johnson, ends: Sequence[float]) -> float:
    """Return the median that lies between new ends as it did between the old, on the scale of the distribution."""
    lower, upper = distribution.support
    old = [float(to_link(distribution.ppf(p), lower, upper)) for p in (0.05, 0.5, 0.95)]
    low, high = (float(to_link(float(end), lower, upper)) for end in ends)
    share = (old[1] - old[0]) / (old[2] - old[0])
    return float(unlinked(low + share * (high - low), lower, upper))


def without(item: Mapping[str, Any], paths: frozenset[str]) -> dict[str, Any]:
    """Return a correlation without some paths, their rows and columns left out where it is a matrix."""
    kept = [place for place, path in enumerate(item["between"]) if path not in paths]
    found = {**item, "between": [item["between"][place] for place in kept]}
    for key in ("rank", "normal"):
        if isinstance(item.get(key), list):
            found[key] = [[item[key][i][j] for j in kept] for i in kept]
    return found


def without_uncited(content: dict[str, Any]) -> dict[str, Any]:
    """Return content less the sources that nothing cites any more."""
    cited = {name for _, name in loading.citations(content)}
    sources = {name: source for name, source in content.get("sources", {}).items() if name in cited}
    return {**content, "sources": sources} if "sources" in content else content


def ends_of(known: Unknown) -> tuple[float, float]:
    """Return the 5th and the 95th percentile of an unknown [its unit]."""
    low, high = (float(known.distribution.ppf(p)) for p in (0.05, 0.95))
    return low, high


def typed(value: float) -> str:
    """Return a number as one would type it, to four digits.

    >>> typed(9300.0), typed(0.0814), typed(1.629e9), typed(37e9), typed(2_610_000.0)
    ('9300', '0.0814', '1.629bn', '37bn', '2.61M')
    """
    for scale, word in ((1e12, "T"), (1e9, "bn"), (1e6, "M")):
        if abs(value) >= scale * (1 - 1e-9):
            return f"{float(f'{value / scale:.4g}'):.12g}{word}"
    rounded = float(f"{value:.4g}")
    return f"{rounded:.12f}".rstrip("0").rstrip(".") if rounded else "0"
