"""A register of published claims: what each says, of which quantity and scope, and what must hold if it is right.

No verdict is stored in it; `simulate.audit` computes them. The shipped one is ``priors/claims.toml``.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError

from simulate import figures, identities, layers, ledger
from simulate.elicitation import parse_number
from simulate.errors import Fault, InputError
from simulate.figures import Figure, IdentityError, Known, Period
from simulate.identities import NAME, Check
from simulate.loading import digest
from simulate.schema import Name, Source, Table, Year, as_faults, one_per_union, refuse_truth
from simulate.units import UnitError, parsed

ABOUT_COST = ("cost", "compute", "rate", "fleet", "people", "model", "ratio", "opinion", "definition", "disclosure")
NOT_ABOUT_COST = ("market", "industry", "date", "capability")

type Topic = Literal[
    "cost", "compute", "rate", "fleet", "people", "model", "ratio", "opinion", "definition", "disclosure",
    "market", "industry", "date", "capability",
]  # fmt: skip
type Kind = Literal["estimate", "floor", "ceiling"]


def printed(raw: Any) -> Any:
    """Return a number, a text or a date as it stands in the file. Raises `PydanticCustomError` for anything else."""
    if isinstance(raw, bool | datetime.datetime) or not isinstance(raw, int | float | str | datetime.date):
        raise PydanticCustomError("printed", "is neither a number, a text nor a date")
    return raw


type Printed = Annotated[Any, PlainValidator(printed)]
type Text = Annotated[str, Field(min_length=1)]
type Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]


class Article(Table):
    """Where claims were printed."""

    publisher: Text
    date: datetime.date | Year
    author: str = ""
    note: str = ""


class System(Table):
    """Whose cost claims speak of, and the prior files that can test them: those of the same ``subject``."""

    label: Text
    subject: Text
    priors: Text = Field(description="the prior file that tests them when the user names none")


class Stated(Table):
    """What figures and claims have in common: a value as printed, an interval, or a date."""

    says: Text
    value: Printed | None = None
    interval: list[Printed] | None = Field(default=None, min_length=2, max_length=2)
    error: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="0.25: good to a factor of 1.25; 0: exact"
    )
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
    value: Printed
    unit: str = ""
    source: Text
    by: str = Field(default="", description="who said it, where that is not whose the source is")


class Entry(Stated):
    """A published claim."""

    article: Text
    claimant: Text
    topic: Topic
    quantity: Text
    system: str = ""
    scope: str = Field(default="", description="the cost scope it belongs to")
    shown_as: str = Field(default="", description="what the article takes it for, where that is not its scope")
    kind: Kind = "estimate"
    years: float | None = Field(default=None, gt=0, description="of a figure over the horizon: how many it counts")
    said: Said | None = None
    untestable: str = ""


class RegisterFile(Table):
    """The file as a whole."""

    register_: Annotated[Literal[1], BeforeValidator(refuse_truth)] = Field(alias="register")
    title: Text
    note: str = ""
    articles: dict[Key, Article]
    systems: dict[Name, System] = {}
    figures: dict[Key, KnownFigure] = {}
    claims: dict[Key, Entry] = Field(min_length=1)
    sources: dict[Name, Source] = {}


@dataclass(frozen=True)
class Claim:
    """A claim with its figure, or its date, as an interval, and what the origin ``said`` where that is of another kind.

    ``checks`` are what became of its identities; ``rests_on`` the other figures they name.
    """

    id: str
    entry: Entry
    stated: Figure | Period | None
    said: Figure | None
    checks: tuple[Check, ...]
    rests_on: tuple[Figure, ...]

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
    content = read(path)
    try:
        file = RegisterFile.model_validate(content, context={"currencies": ()})
    except ValidationError as error:
        raise InputError(path, shape_faults(error, content)) from None
    reading = Reading(file)
    claims = tuple(reading.claims())
    checked = {key: (item, reading.checks(key, item, "figures")) for key, item in file.figures.items()}
    reading.check_names()
    if reading.faults:
        raise InputError(path, reading.faults)
    title = " ".join(file.title.split())
    return Register(path, title, digest(content, {}), file.articles, file.systems, claims, checked, file.sources)


def read(path: Path) -> dict[str, Any]:
    """Return the content of a register. Raises `InputError` where it cannot be had, or is none of a register."""
    faults: list[Fault] = []
    content = layers.parse(layers.read_text(path, "", faults), "", faults)
    faults += [Fault(where, "holds a control character", "remove it") for where in layers.control_characters(content)]
    if not faults and "register" not in content:
        faults.append(Fault("register", "missing: this is no register of claims", "write register = 1 at its head"))
    if faults:
        raise InputError(path, faults)
    return content


def shape_faults(error: ValidationError, content: Mapping[str, Any]) -> list[Fault]:
    """Return the faults of a register's shape, in the words of the file."""
    see = f"see {layers.REGISTER}.toml for what is admitted here"
    found = error.errors(include_url=False)
    return one_per_union([fault for item in found for fault in as_faults(item, content, RegisterFile, see)])


def whose(source: Source) -> str:
    """Return who speaks in a source: its author where there is one alone, or its publisher, or what it is."""
    if source.known in ("general knowledge", "derived"):
        return "general knowledge" if source.known == "general knowledge" else "our arithmetic"
    return source.authors[0] if len(source.authors) == 1 else source.publisher or source.title


def in_words(register: Register) -> str:
    """Return what a checked register holds."""
    sums = sum(len(checks) for _, checks in register.figures.values()) + sum(len(c.checks) for c in register.claims)
    held = f"{len(register.figures)} figures, {sums} sums, {len(register.sources)} sources"
    return (
        f"ok: {register.path.stem}: {register.title}\n"
        f"  {len(register.claims)} claims of {len(register.articles)} articles, {held}\n  digest {register.digest}"
    )


def is_date(raw: Any) -> bool:
    """Whether something is to be read as a date: one of TOML's, or text that is no number."""
    return isinstance(raw, datetime.date) or (isinstance(raw, str) and parse_number(raw) is None)


@dataclass
class Reading:
    """Reads figures and identities, and notes the faults."""

    file: RegisterFile
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wordless: dict[str, bool] = {}
        self.known: Known = dict(self.stated_of_all())
        self.money: dict[str, list[str]] = {}
        for key, item in self.file.claims.items():
            if item.unit == "USD" and isinstance(self.known.get(key), Figure):
                self.money.setdefault(item.article, []).append(key)

    def fault(self, path: str, found: str, mend: str) -> None:
        self.faults.append(Fault(path, found, mend))

    def stated_of_all(self) -> Iterator[tuple[str, Figure | Period]]:
        """Yield what each figure and claim states, and note which state nothing, by fault or in words only."""
        for section, items in (("figures", self.file.figures), ("claims", self.file.claims)):
            for key, item in items.items():
                before = len(self.faults)
                found = self.stated(f"{section}.{key}", item, self.whose(key, item))
                if found is not None:
                    yield key, found
                else:
                    self.wordless[key] = len(self.faults) == before

    def whose(self, key: str, item: Stated) -> str:
        """Return whose a figure is, as another is told beside it: a claim has its name."""
        source = self.file.sources.get(item.source)
        return key if isinstance(item, Entry) else whose(source) if source else ""

    def stated(self, path: str, item: Stated, whose: str) -> Figure | Period | None:
        """Return what an item states, or None where it states it in words only, or wrongly."""
        ends = item.interval if item.interval is not None else [] if item.value is None else [item.value]
        key = "value" if item.interval is None else "interval"
        if item.interval is not None and (item.value is not None or item.error is not None):
            self.fault(f"{path}.interval", "stands beside a value or an error", "keep one")
        if not ends or not self.has_unit(f"{path}.unit", item.unit):
            return None
        try:
            if all(is_date(end) for end in ends):
                return self.period(path, item.unit, ends)
            if len(ends) > 1:
                return figures.interval(ends[0], ends[1], item.unit, whose)
            return figures.figure(ends[0], item.unit, item.error, whose)
        except IdentityError as error:
            self.fault(f"{path}.{key}", str(error), error.mend)
            return None

    def period(self, path: str, unit: str, ends: Sequence[Any]) -> Period:
        """Return the period from the first to the last of dates. Raises `IdentityError`."""
        first, last = figures.period(ends[0]), figures.period(ends[-1])
        if first.first > last.last:
            raise IdentityError(f"{first.words()} to {last.words()} does not increase", "put the earlier date first")
        if unit:
            self.fault(f"{path}.unit", "a date has none", "remove it")
        return Period(first.first, last.last)

    def has_unit(self, path: str, unit: str) -> bool:
        """Whether there is such a unit; a fault where there is none."""
        try:
            parsed(unit)
        except UnitError as error:
            self.fault(path, str(error), "use those of prior files, such as USD, GPU, GPU-hour, USD/GPU-hour")
            return False
        return True

    def claims(self) -> Iterator[Claim]:
        for key, entry in self.file.claims.items():
            checks = self.checks(key, entry, "claims")
            names = dict.fromkeys(name for text in entry.identity for name in NAME.findall(text) if name != key)
            rests_on = tuple(item for name in names if isinstance(item := self.known.get(name), Figure))
            yield Claim(key, entry, self.known.get(key), self.said(key, entry), checks, rests_on)

    def said(self, key: str, entry: Entry) -> Figure | None:
        """Return what the origin of a claim said, where that is given."""
        path, said = f"claims.{key}.said", entry.said
        if said is None or not self.has_unit(f"{path}.unit", said.unit):
            return None
        try:
            return figures.figure(said.value, said.unit)
        except IdentityError as error:
            self.fault(f"{path}.value", str(error), error.mend)
            return None

    def checks(self, key: str, item: Stated, section: str) -> tuple[Check, ...]:
        """Return what becomes of an item's identities; one that names a faulty figure is passed over."""
        found = []
        for position, expression in enumerate(item.identity):
            names = [name for name in NAME.findall(expression) if name in self.wordless]
            if not all(self.wordless[name] for name in names):
                continue
            try:
                if names:
                    raise IdentityError(f"{names[0]!r} states no number and no date", "give it one, or name another")
                found.append(identities.check(expression, self.known, self.money, key))
            except IdentityError as error:
                self.fault(f"{section}.{key}.identity[{position}]", str(error), error.mend)
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
        """Note a name that is not among those known."""
        if name and name not in known:
            there = f"name one of {', '.join(sorted(known)[:30])}" if known else "define it; there are none yet"
            self.fault(path, f"{name[:60]!r} is not defined", there)
