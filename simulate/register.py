"""A register of published claims: what each says, of which quantity and scope, and what must hold if it is right.

No verdict is stored in it; `simulate.audit` computes them. The shipped one is ``priors/claims.toml``.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from simulate import identities, layers, ledger
from simulate.elicitation import parse_number
from simulate.errors import Fault, InputError
from simulate.identities import Check, Figure, IdentityError, Known, Period
from simulate.loading import digest
from simulate.schema import Name, Source, Table, Year, dotted
from simulate.units import factor

ABOUT_COST = ("cost", "compute", "rate", "fleet", "people", "model", "ratio", "opinion", "definition", "disclosure")
NOT_ABOUT_COST = ("market", "industry", "date", "capability")

type Topic = Literal[
    "cost", "compute", "rate", "fleet", "people", "model", "ratio", "opinion", "definition", "disclosure",
    "market", "industry", "date", "capability",
]  # fmt: skip
type Kind = Literal["estimate", "floor", "ceiling"]
type Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]


class Article(Table):
    """Where claims were printed."""

    publisher: str
    date: datetime.date | Year
    author: str = ""
    note: str = ""


class System(Table):
    """Whose cost claims speak of, and the prior files that can test them: those of the same ``subject``."""

    label: str
    subject: str
    priors: str = Field(description="the prior file that tests them when the user names none")


class Stated(Table):
    """What figures and claims have in common: a value as printed, an interval, or a date."""

    says: str
    value: float | str | datetime.date | None = None
    interval: list[float | str] | None = Field(default=None, min_length=2, max_length=2)
    error: float | None = Field(default=None, ge=0, description="0.25: good to a factor of 1.25; 0: exact")
    unit: str = ""
    identity: list[str] = []
    source: str = ""
    note: str = ""


class KnownFigure(Stated):
    """A figure that claims are held against."""

    known: str = Field(default="", description="how it is known, where that is not as its source is")


class Said(Table):
    """What the origin of a claim said, where the claim is of another kind."""

    kind: Kind
    value: float | str
    unit: str = ""
    source: str


class Entry(Stated):
    """A published claim."""

    article: str
    claimant: str
    topic: Topic
    quantity: str
    system: str = ""
    scope: str = Field(default="", description="the cost scope it belongs to")
    shown_as: str = Field(default="", description="what the article takes it for, where that is not its scope")
    kind: Kind = "estimate"
    said: Said | None = None
    untestable: str = ""


class RegisterFile(Table):
    """The file as a whole."""

    register_: Literal[1] = Field(alias="register")
    title: str
    note: str = ""
    articles: dict[Key, Article]
    systems: dict[Name, System] = {}
    figures: dict[Key, KnownFigure] = {}
    claims: dict[Key, Entry]
    sources: dict[Name, Source] = {}


@dataclass(frozen=True)
class Claim:
    """A claim with its figure, or its date, as an interval; ``checks`` are what became of its identities."""

    id: str
    entry: Entry
    stated: Figure | Period | None
    checks: tuple[Check, ...]

    @property
    def figure(self) -> Figure | None:
        return self.stated if isinstance(self.stated, Figure) else None


@dataclass(frozen=True)
class Register:
    """A register, read and checked."""

    path: Path
    title: str
    digest: str
    articles: Mapping[str, Article]
    systems: Mapping[str, System]
    claims: tuple[Claim, ...]
    figures: Mapping[str, tuple[KnownFigure, tuple[Check, ...]]]
    sources: Mapping[str, Source]


def find(given: str | None = None) -> Path:
    """Return the register that is meant: a path, or the one beside the prior files, or the shipped one."""
    if given:
        return Path(given)
    here = Path("priors") / f"{layers.REGISTER}.toml"
    return here if layers.is_file(here) else layers.shipped_folder() / f"{layers.REGISTER}.toml"


def load(path: Path) -> Register:
    """Return the register at a path. Raises `InputError` with every fault."""
    faults: list[Fault] = []
    content = layers.parse(layers.read_text(path, "", faults), "", faults)
    faults += [Fault(where, "holds a control character", "remove it") for where in layers.control_characters(content)]
    if faults:
        raise InputError(path, faults)
    try:
        file = RegisterFile.model_validate(content)
    except ValidationError as error:
        faults = [Fault(dotted(list(item["loc"])), plain(item["msg"]), mend(item["type"])) for item in error.errors()]
        raise InputError(path, faults) from None
    reading = Reading(file)
    claims = tuple(reading.claims())
    figures = {key: (item, reading.checks(key, item, "figures")) for key, item in file.figures.items()}
    reading.check_names()
    if reading.faults:
        raise InputError(path, reading.faults)
    return Register(
        path, file.title, digest(content, {}), file.articles, file.systems, claims, figures, file.sources
    )  # fmt: skip


def in_words(register: Register) -> str:
    """Return what a checked register holds."""
    sums = sum(len(checks) for _, checks in register.figures.values()) + sum(len(c.checks) for c in register.claims)
    held = f"{len(register.figures)} figures, {sums} sums, {len(register.sources)} sources"
    return (
        f"ok: {register.path.stem}: {register.title}\n"
        f"  {len(register.claims)} claims of {len(register.articles)} articles, {held}\n  digest {register.digest}"
    )


def plain(message: str) -> str:
    return f"{message[:1].lower()}{message[1:]}".replace("input should", "should").replace("extra inputs are", "is")


def mend(kind: str) -> str:
    return "remove it, or mend its name" if kind == "extra_forbidden" else "mend it there"


@dataclass
class Reading:
    """Reads figures and identities, and notes the faults."""

    file: RegisterFile
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known: Known = dict(self.stated_of_all())
        self.money: dict[str, list[str]] = {}
        for key, item in self.file.claims.items():
            if item.unit == "USD" and isinstance(self.known.get(key), Figure):
                self.money.setdefault(item.article, []).append(key)

    def fault(self, path: str, found: str, mend: str) -> None:
        self.faults.append(Fault(path, found, mend))

    def stated_of_all(self) -> Iterator[tuple[str, Figure | Period]]:
        for section, items in (("figures", self.file.figures), ("claims", self.file.claims)):
            for key, item in items.items():
                found = self.stated(f"{section}.{key}", item)
                if found is not None:
                    yield key, found

    def stated(self, path: str, item: Stated) -> Figure | Period | None:
        """Return what an item states, or None where it states it in words only."""
        try:
            if item.interval is not None:
                low, high = (parse_number(end) for end in item.interval)
                if low is None or high is None or not 0 < low < high:
                    raise IdentityError(f"{item.interval} is no increasing interval")
                return identities.figure(None, self.unit(path, item.unit), interval=(low, high))
            if item.value is None:
                return None
            if isinstance(item.value, datetime.date):
                return identities.period(item.value)
            if isinstance(item.value, str) and parse_number(item.value) is None:
                return identities.period(item.value)
            return identities.figure(item.value, self.unit(path, item.unit), item.error)
        except (IdentityError, ValueError) as error:
            self.fault(f"{path}.value", str(error), "write a number such as 5.576M, or a date")
            return None

    def unit(self, path: str, unit: str) -> str:
        """Return a unit, after a fault an empty one."""
        try:
            factor(unit, unit)
            if unit:
                identities.interval_of(Figure(1, 1, 1, unit, "1"))
        except Exception as error:  # pint raises its parser's errors as they come
            self.fault(
                f"{path}.unit", f"unknown unit {unit[:40]!r} ({type(error).__name__})", "see a prior file's units"
            )
            return ""
        return unit

    def claims(self) -> Iterator[Claim]:
        for key, entry in self.file.claims.items():
            yield Claim(key, entry, self.known.get(key), self.checks(key, entry, "claims"))

    def checks(self, key: str, item: Stated, section: str) -> tuple[Check, ...]:
        """Return what becomes of an item's identities."""
        found = []
        for position, expression in enumerate(item.identity):
            try:
                found.append(identities.check(expression, self.known, self.money, key))
            except IdentityError as error:
                self.fault(
                    f"{section}.{key}.identity[{position}]", str(error), "names, numbers, + - * / and one relation"
                )
        return tuple(found)

    def check_names(self) -> None:
        """Note every name that is not defined."""
        file = self.file
        for key, item in file.claims.items():
            here = f"claims.{key}"
            self.defined(f"{here}.article", item.article, file.articles)
            self.defined(f"{here}.system", item.system, file.systems)
            self.defined(f"{here}.scope", item.scope, ledger.SCOPES)
            self.defined(f"{here}.source", item.source, file.sources)
            if item.said is not None:
                self.defined(f"{here}.said.source", item.said.source, file.sources)
        for key, figure in file.figures.items():
            self.defined(f"figures.{key}.source", figure.source, file.sources)
            if key in file.claims:
                self.fault(f"figures.{key}", "has the name of a claim", "rename it")

    def defined(self, path: str, name: str, known: Mapping[str, object] | tuple[str, ...]) -> None:
        if name and name not in known:
            self.fault(path, f"{name[:60]!r} is not defined", f"name one of {', '.join(sorted(known)[:30])}")
