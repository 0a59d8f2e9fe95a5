"""The shape of a prior file: every section, key, unit and range, in one place.

TOML text becomes these models, or faults; the JSON Schema that editors use is made from them. What
spans several sections (does a cited source exist? can this claim be tested?) is in `simulate.priors`.
"""

from __future__ import annotations

import copy
import datetime
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError, core_schema

from simulate.distributions import INFINITY, Johnson
from simulate.elicitation import (
    MEANINGS,
    PARAMETERS,
    REFERRING,
    Entry,
    FaultsFound,
    Place,
    elicit,
    parse_number,
)
from simulate.errors import Fault

QUANTITY_TABLE = {"type": "object", "title": "Quantity"}
"""Stands for the table form of an entry until `json_schema` puts the reference in."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Number(Place):
    """Annotation of a field that holds an `Entry`: reads it with `elicit`, describes it to editors."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return core_schema.with_info_plain_validator_function(self.read)

    def read(self, raw: Any, info: core_schema.ValidationInfo) -> Entry:
        if isinstance(raw, Entry):
            return raw
        context = info.context or {}
        try:
            return elicit(raw, self, context.get("currencies", ()))
        except FaultsFound as error:
            if context.get("lenient"):
                return self.stand_in(raw)
            raise PydanticCustomError(
                "faults", "{n} faults", {"n": len(error.faults), "faults": error.faults}
            ) from None

    def stand_in(self, raw: Any) -> Entry:
        """Return an entry in the place of a faulty one, so that what else is wrong can be found."""
        if isinstance(raw, Mapping) and "value" not in raw:
            upper = self.upper if math.isfinite(self.lower) else INFINITY
            return Entry(self.unit, distribution=Johnson(0.0, 1.0, lower=self.lower, upper=upper))
        return Entry(self.unit, value=self.lower + 0.5 if math.isfinite(self.lower) else 1.0)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        unit = f" [{self.unit}]" if self.unit else ""
        return {
            "description": f"{self.meaning}{unit}; {self.range_in_words()}",
            "anyOf": [{"type": "number"}, {"type": "string"}, dict(QUANTITY_TABLE)],
        }


COUNT = Number("GPU", "accelerators owned")
SERVER_COST = Number("USD/GPU", "server hardware per accelerator, all-in: chip, server, network")
POWER = Number("kW/GPU", "rated power of the server per accelerator")
PEAK = Number("FLOP/second/GPU", "peak dense BF16 arithmetic of one accelerator", closed=False)
RATE = Number("USD/GPU-hour", "rental rate")
LOAD = Number("", "mean power over rated power", 0.0, 1.0)
PUE = Number("", "power usage effectiveness of the data centre", 1.0)
ELECTRICITY = Number("USD/kWh", "price of electricity")
COLOCATION = Number("USD/kW/month", "floor space and cooling, without electricity")
MAINTENANCE = Number("1/year", "upkeep per year as a share of the purchase price")
LIFE = Number("year", "life over which hardware is written off", closed=False)
UTILISATION = Number("", "share of hours in which an accelerator is in use", 0.0, 1.0, closed=False)
HOURS = Number("GPU-hour", "billed accelerator-hours")
PARAMETER_COUNT = Number("parameter", "parameters active per token")
TOKENS = Number("token", "training tokens")
MFU = Number(
    "",
    "model FLOP utilisation of billed hours, by the 6ND definition",
    0.0,
    1.0,
    closed=False,
    reference="training_runs",
)
MULTIPLIER = Number("", "total development compute over the official runs", 1.0, reference="research_multipliers")
HEADCOUNT = Number("person", "people in the group")
PAY = Number("USD/person/year", "pay per person and year")
OVERHEAD = Number("", "employer's cost on top of pay, as a share of it")
AMOUNT = Number("USD", "spending, once; income is negative", lower=-INFINITY)
YEARLY = Number("USD/year", "spending per year; income is negative", lower=-INFINITY)
HORIZON = Number("year", "years of operation that the fleet's and the company's cost count", closed=False)
WINDOW = Number("year", "years of development of the models", closed=False)
ATTRIBUTION = Number("", "share of the fleet's cost that is the company's", 0.0, 1.0, closed=False)
BIAS = Number("", "factor by which the source's figures are too high", closed=False)
WORTH = Number("", "worth of one unit in USD")

INHERITED = ("sources", "note")


class Table(BaseModel):
    """A table of the file: unknown keys are faults, values are frozen once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
    """Deferred, because only the validator of the whole file is ever used: the tables' own are not built."""


class Section(Table):
    """A table of entries; ``sources`` and ``note`` beside them serve those that have none."""

    sources: list[str] = Field(default=[], description="serve every entry of this table that has none")
    note: str = Field(default="", description="serves every entry of this table that has none")

    @model_validator(mode="before")
    @classmethod
    def hand_down(cls, raw: Any) -> Any:
        """Give the table's sources and note to its entries without any."""
        if not isinstance(raw, Mapping):
            return raw
        shared = {key: raw[key] for key in INHERITED if raw.get(key)}
        return {key: inherit(value, shared) if is_entry_field(cls, key) else value for key, value in raw.items()}


def is_entry_field(table: type[BaseModel], key: str) -> bool:
    found = table.model_fields.get(key)
    return found is not None and any(isinstance(item, Number | type(EXISTS)) for item in found.metadata)


def inherit(value: Any, shared: Mapping[str, Any]) -> Any:
    """Return an entry in table form, with the shared provenance where it has none of its own."""
    if isinstance(value, bool):
        return value
    table = dict(value) if isinstance(value, Mapping) else {"text" if isinstance(value, str) else "value": value}
    has_own = any(table.get(key) for key in (*INHERITED, "source"))
    return table if has_own else {**table, **shared}


@dataclass(frozen=True)
class Existence:
    """Whether something disputed is there: certain, or true with ``probability``."""

    probability: float
    sources: tuple[str, ...] = ()
    note: str = ""

    @property
    def disputed(self) -> bool:
        return 0.0 < self.probability < 1.0


def read_existence(raw: Any) -> Existence:
    if isinstance(raw, Existence):
        return raw
    if isinstance(raw, bool):
        return Existence(float(raw))
    known = {"probability", "sources", "source", "note"}
    faults: list[Fault] = []
    if isinstance(raw, Mapping) and "probability" not in raw and len(raw.keys() & {"value", "text"}) == 1:
        raw = raw.get("value", raw.get("text"))
    if not isinstance(raw, Mapping):
        raise custom(
            [Fault("", f"{str(raw)[:40]!r} is no statement", "write true, false, or { probability = 0.5, … }")]
        )
    faults += [Fault(str(key), "unknown key", f"known here: {', '.join(sorted(known))}") for key in raw.keys() - known]
    probability = parse_number(raw.get("probability"))
    if probability is None or not 0 < probability < 1:
        given = raw.get("probability", "nothing")
        found = f"{str(given)[:40]} is not a probability between 0 and 1"
        faults.append(Fault("probability", found, "write exists = true or false where it is certain"))
    given = raw.get("sources", raw.get("source", []))
    sources = [given] if isinstance(given, str) else given
    if not isinstance(sources, list) or not all(isinstance(name, str) for name in sources):
        faults.append(Fault("sources", "not a list of source names", 'write sources = ["name", …]'))
        sources = []
    if not sources and not str(raw.get("note", "")).strip():
        faults.append(Fault("", "no source and no note", "say how the probability is known"))
    if faults:
        raise custom(faults)
    return Existence(float(probability or 0.0), tuple(sources), str(raw.get("note", "")))


def custom(faults: list[Fault]) -> PydanticCustomError:
    return PydanticCustomError("faults", "{n} faults", {"n": len(faults), "faults": faults})


class Exists(BeforeValidator):
    """Annotation of a field that says whether something disputed is there."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return core_schema.with_info_plain_validator_function(self.read)

    @staticmethod
    def read(raw: Any, info: core_schema.ValidationInfo) -> Existence:
        try:
            return read_existence(raw)
        except PydanticCustomError:
            if (info.context or {}).get("lenient"):
                return Existence(0.5)
            raise

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        probability = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
        disputed = {
            "type": "object",
            "properties": {
                "probability": probability,
                "sources": {"type": "array", "items": {"type": "string"}},
                "source": {"type": "string"},
                "note": {"type": "string"},
            },
            "required": ["probability"],
            "additionalProperties": False,
        }
        return {"description": "whether it is there at all", "anyOf": [{"type": "boolean"}, disputed]}


EXISTS = Exists(read_existence)
SOURCES = "names of `sources` that say so"
NOTE = "how it is known, in words"
LABEL = "what tables and figures call it; its name, unless given"


def refuse_truth(raw: Any) -> Any:
    """Return the value, or text for a boolean: Python takes true for 1."""
    return str(raw).lower() if isinstance(raw, bool) else raw


type Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$", max_length=60)]


class Currency(Section):
    """Another currency: what one unit of it is worth in the money of the file."""

    usd: Annotated[Entry, WORTH]


class Scope(Section):
    """What is counted: over how many years, and how much of a shared fleet."""

    horizon: Annotated[Entry | None, HORIZON] = None
    window: Annotated[Entry | None, WINDOW] = None
    attribution: Annotated[Entry | None, ATTRIBUTION] = None


class Hosting(Section):
    """What it takes to keep servers running."""

    load: Annotated[Entry | None, LOAD] = None
    pue: Annotated[Entry | None, PUE] = None
    electricity: Annotated[Entry | None, ELECTRICITY] = None
    colocation: Annotated[Entry | None, COLOCATION] = None
    maintenance: Annotated[Entry | None, MAINTENANCE] = None
    life: Annotated[Entry | None, LIFE] = None
    utilisation: Annotated[Entry | None, UTILISATION] = None


class Chip(Section):
    """A kind of accelerator on the market."""

    label: str = Field(default="", description=LABEL)
    server_cost: Annotated[Entry | None, SERVER_COST] = None
    power: Annotated[Entry | None, POWER] = None
    peak_flops: Annotated[Entry | None, PEAK] = None
    rental_rate: Annotated[Entry | None, RATE] = None


class Fleet(Section):
    """What is owned of one kind of accelerator."""

    count: Annotated[Entry, COUNT]
    exists: Annotated[Existence, EXISTS] = Existence(1.0)


class Run(Section):
    """A training run: its billed hours stated, or from its physics, or both."""

    chip: Name = Field(description="the kind of accelerator it ran on, one of `chips`")
    part_of: Literal["final_run", "official_runs"] = Field(
        description="the narrowest scope that counts it: the base model, or what was trained from it"
    )
    label: str = Field(default="", description=LABEL)
    gpu_hours: Annotated[Entry | None, HOURS] = None
    active_parameters: Annotated[Entry | None, PARAMETER_COUNT] = None
    tokens: Annotated[Entry | None, TOKENS] = None
    mfu: Annotated[Entry | None, MFU] = None
    exists: Annotated[Existence, EXISTS] = Existence(1.0)


class Research(Section):
    """Compute beyond the official runs: experiments, ablations, failed runs, earlier models."""

    multiplier: Annotated[Entry, MULTIPLIER]


class Staff(Section):
    """A group of people."""

    label: str = Field(default="", description=LABEL)
    headcount: Annotated[Entry, HEADCOUNT]
    pay: Annotated[Entry, PAY]
    overhead: Annotated[Entry, OVERHEAD]
    exists: Annotated[Existence, EXISTS] = Existence(1.0)


class Other(Section):
    """Any other item, by name: spent once (``amount``) or each year (``yearly``)."""

    label: str = Field(default="", description=LABEL)
    part_of: list[Literal["development", "company"]] = Field(min_length=1, description="the scopes that count it")
    amount: Annotated[Entry | None, AMOUNT] = None
    yearly: Annotated[Entry | None, YEARLY] = None
    exists: Annotated[Existence, EXISTS] = Existence(1.0)


class Correlation(Table):
    """How unknowns move together, as a Gaussian copula."""

    between: list[str] = Field(min_length=2, max_length=200, description="paths of unknowns")
    rank: float | list[list[float]] | None = Field(default=None, description="Spearman's, one number or a matrix")
    normal: float | list[list[float]] | None = Field(
        default=None, description="of the normal scores, one number or a matrix"
    )
    sources: list[str] = Field(default=[], description=SOURCES)
    note: str = Field(default="", description=NOTE)


type Year = Annotated[str, Field(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")]
"""A date as text, when only its year or month is known: ``2024-05``."""


class Evidence(Table):
    """A published claim about a quantity of the ledger or about an unknown."""

    quantity: str = Field(description="ownership, run_cost[v3-pretraining], fleet.h800.count, …")
    kind: Literal["estimate", "floor", "ceiling"] = Field(description="the claim says: about, at least, at most")
    value: float | str | None = Field(default=None, description="the figure as published, in `unit`")
    interval: list[float | str] | str | None = Field(
        default=None, description="the claim's own interval, 90 % unless level"
    )
    level: float | None = Field(default=None, gt=0, lt=1, description="of `interval`; 0.9 unless given")
    relative_error: float | str | None = Field(
        default=None, description="0.2: value / 1.2 to value × 1.2 is a 90 % interval"
    )
    unit: str | None = Field(default=None, description="that of the quantity, or one that converts to it")
    used: bool = Field(default=True, description="false: shown beside the result, without weight in it")
    label: str = Field(default="", description="what tables and figures call it; its claimant, unless given")
    claimant: str = Field(default="", description="who says so; the publisher of its source, unless given")
    date: datetime.date | Year | None = Field(default=None, description="when it was said: a day, a month or a year")
    years: float | None = Field(
        default=None, gt=0, description="of a figure over the horizon: how many it counts; the file's, unless given"
    )
    group: Name | None = Field(default=None, description="claims of one origin share one error")
    source: str | None = Field(default=None, description="the name of one of `sources`")
    sources: list[str] = Field(default=[], description="likewise, where there are several")
    computed_from: list[str] = Field(default=[], description="paths of the priors that the figure was computed from")
    independent: str = Field(
        default="", description="why it is no second use of a figure its source also set a prior with"
    )
    note: str = Field(default="", description=NOTE)


class Group(Table):
    """Claims of one origin: how much of their error they share."""

    correlation: float = Field(ge=0, lt=1, description="of the errors of its claims")
    note: str = Field(default="", description=NOTE)


class Likelihood(Table):
    """The error model of the evidence."""

    df: float = Field(default=4.0, gt=1, le=1000, description="degrees of freedom of the errors of estimates")
    group_correlation: float = Field(default=0.9, ge=0, lt=1, description="of a group that does not state its own")


class Source(Section):
    """Where a number comes from."""

    title: str = Field(min_length=1, description="of the article, paper, page or table")
    known: Literal["primary", "secondary", "derived", "general knowledge"] = Field(
        description="whether it says so itself, repeats it, was computed from, or is what everybody knows"
    )
    authors: list[str] = Field(default=[], description="Given Name Surname, each")
    publisher: str = Field(default="", description="newspaper, company, archive")
    date: datetime.date | Year | None = Field(default=None, description="of publication: a day, a month or a year")
    url: str = Field(default="", description="where it can be read")
    locator: str = Field(default="", description="table, page or section")
    bias: Annotated[Entry | None, BIAS] = None


class PriorFile(Table):
    """A prior file, whole."""

    version: Annotated[Literal[1], BeforeValidator(refuse_truth)] = Field(
        alias="schema", description="version of this format"
    )
    title: str = Field(min_length=1, description="what the file is, in a line")
    subject: str = Field(default="", description="whose cost it is, as a sentence names it")
    as_of: datetime.date | None = Field(default=None, description="the day whose knowledge the file has")
    money: str = Field(
        default="USD", pattern=r"^USD( (19|20)\d\d)?$", description="currency and price year, such as USD 2025"
    )
    note: str = Field(default="", description="premises and choices, for whoever reads a result")
    extends: list[str] = Field(default=[], description="prior files below this one or shipped, a later over an earlier")
    currencies: dict[Annotated[str, Field(pattern="^[A-Z]{3}$")], Currency] = {}
    scope: Scope = Scope()
    hosting: Hosting = Hosting()
    chips: dict[Name, Chip] = {}
    fleet: dict[Name, Fleet] = {}
    runs: dict[Name, Run] = {}
    research: Research | None = None
    staff: dict[Name, Staff] = {}
    other: dict[Name, Other] = {}
    correlations: dict[Name, Correlation] = {}
    evidence: dict[Name, Evidence] = {}
    groups: dict[Name, Group] = {}
    likelihood: Likelihood = Likelihood()
    sources: dict[Name, Source] = {}


def read(content: Mapping[str, Any], currencies: tuple[tuple[str, float], ...]) -> tuple[PriorFile | None, list[Fault]]:
    """Return the typed content of a prior file and every fault of its shape.

    With faults in entries or unknown keys only, the content comes all the same, with stand-ins, so that
    the faults that span sections can be found too; with others it is None.
    """
    try:
        return PriorFile.model_validate(content, context={"currencies": currencies}), []
    except ValidationError as error:
        faults = one_per_union([f for item in error.errors(include_url=False) for f in as_faults(item, content)])
        unknown = [item["loc"] for item in error.errors(include_url=False) if item["type"] == "extra_forbidden"]
        known = without(content, unknown)
    try:
        return PriorFile.model_validate(known, context={"currencies": currencies, "lenient": True}), faults
    except ValidationError:
        return None, faults


def without(content: Mapping[str, Any], locations: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """Return content less what stands at some locations."""
    left = copy.deepcopy(dict(content))
    for *tables, key in locations:
        node: Any = left
        for table in tables:
            node = node.get(table) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node.pop(key, None)
    return left


SUBJECT = re.compile(r"^(Input|String|List|Dictionary) should")
SEE_SCHEMA = "see `simulate schema` for what is admitted here"
WORDS = {
    "dict_type": "is not a table",
    "model_type": "is not a table",
    "list_type": "is not a list",
    "string_type": "is not a text",
    "float_type": "is not a number",
    "int_type": "is not a number",
    "bool_type": "is neither true nor false",
    "date_type": "is not a date",
    "string_too_short": "is empty",
}
"""What pydantic's types of error say of a prior file."""


def as_faults(
    item: Any, content: Mapping[str, Any], file: type[Table] = PriorFile, mend: str = SEE_SCHEMA
) -> list[Fault]:
    """Return the faults that one pydantic error stands for, in the words of the file; ``mend`` is for its values."""
    path = dotted(within_file(item["loc"], content))
    if item["type"] == "faults":
        return [Fault(dotted([path, inner.path]), inner.found, inner.mend) for inner in item["ctx"]["faults"]]
    if item["type"] == "extra_forbidden":
        return [Fault(path, "unknown key", f"known here: {', '.join(known_keys(item['loc'][:-1], file))}")]
    if item["type"] == "missing":
        return [Fault(path, "missing", "add it")]
    if item["type"] == "string_pattern_mismatch" and "[key]" in item["loc"]:
        return [Fault(path, "not a name", "use letters, digits, - and _ (a currency: three capitals)")]
    found = "" if isinstance(item["input"], Mapping | list) else f"{str(item['input'])[:60]!r} "
    if item["type"] == "string_pattern_mismatch" and path == "money":
        return [Fault(path, f"{found}is not the money of any scope", "write USD, or USD and the price year: USD 2025")]
    message = WORDS.get(item["type"]) or SUBJECT.sub("should", item["msg"]).replace(" after validation", "")
    return [Fault(path, f"{found}{message[:1].lower()}{message[1:]}", mend)]


def within_file(location: tuple[Any, ...], content: Any) -> list[Any]:
    """Return the part of pydantic's location that lies in the file: it also names branches of unions."""
    parts: list[Any] = []
    for part in location:
        if part == "[key]" or not isinstance(content, Mapping | list):
            break
        parts.append(part)
        if isinstance(content, Mapping):
            content = content.get(part)
        else:
            content = content[part] if isinstance(part, int) and part < len(content) else None
            parts = parts if isinstance(part, int) else parts[:-1]
    return parts


def one_per_union(faults: list[Fault]) -> list[Fault]:
    """Return the faults with those of one path's union, a fault for each branch, made one."""
    kept: dict[tuple[str, str], Fault] = {}
    for fault in faults:
        key = (fault.path, "kind" if fault.mend.startswith("see ") else fault.found)
        kept.setdefault(key, fault)
    return list(kept.values())


def dotted(parts: list[Any]) -> str:
    """Return a path: keys joined by dots, positions in brackets.

    >>> dotted(["correlations", "prices", "between", 1])
    'correlations.prices.between[1]'
    """
    text = ""
    for part in parts:
        if part == "":
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def known_keys(location: tuple[Any, ...], file: type[Table] = PriorFile) -> list[str]:
    """Return the keys that the table at a location of a file admits."""
    table: Any = file
    for part in location:
        if isinstance(table, type) and issubclass(table, BaseModel):
            named = {found.alias or name: found for name, found in table.model_fields.items()}
            table = named[part].annotation if part in named else None
        elif table is not None:
            table = table.__args__[-1]
        if table is not None and type(None) in getattr(table, "__args__", ()):
            table = table.__args__[0]
    if not (isinstance(table, type) and issubclass(table, BaseModel)):
        return []
    return sorted(found.alias or name for name, found in table.model_fields.items())


NUMBER = {"anyOf": [{"type": "number"}, {"type": "string"}]}
ENDS = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}
TEXT = {"type": "string"}
SHAPES: dict[str, dict[str, Any]] = {
    "interval": {"anyOf": [TEXT, ENDS]},
    "level": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "default": 0.9},
    "family": {"enum": list(PARAMETERS)},
    "components": {"type": "array", "minItems": 2, "items": {"type": "object"}},
    "sources": {"type": "array", "items": TEXT},
    **dict.fromkeys(("text", "unit", "source", "note", *REFERRING), TEXT),
}
"""What stands at a key of the table form of an entry, where it is not a number."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a prior file, for editors that complete and check TOML."""
    schema = PriorFile.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "simulate prior file"
    schema["$defs"]["Quantity"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {"description": meaning, **SHAPES.get(key, NUMBER)} for key, meaning in MEANINGS.items()},
    }
    referred: dict[str, Any] = refer(schema)
    return referred


def refer(node: Any) -> Any:
    """Return a JSON Schema with every `QUANTITY_TABLE` made a reference."""
    if node == QUANTITY_TABLE:
        return {"$ref": "#/$defs/Quantity"}
    if isinstance(node, dict):
        return {key: refer(value) for key, value in node.items()}
    return [refer(value) for value in node] if isinstance(node, list) else node
