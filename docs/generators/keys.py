"""The reference of prior files, from the models that read them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Any, Literal, TypeAliasType, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simulate import units as registry
from simulate.elicitation import FITTED_BY_QUANTILES, MEANINGS, PARAMETERS
from simulate.schema import Exists, Number, PriorFile

KINDS = {"str": "text", "float": "number", "int": "number", "bool": "true or false", "date": "date", "Year": "text"}
HEADING_OF_ALL = "The file itself"


def tables() -> str:
    """Return every table that a prior file may have, a section each."""
    return "\n\n".join(section(heading, model) for heading, model in models())


def models() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield every table with its heading, that of the whole file first."""
    yield HEADING_OF_ALL, PriorFile
    for name, field in PriorFile.model_fields.items():
        if model := table_of(field):
            named = get_origin(field.annotation) is dict
            yield f"\\[{name}.{'CODE' if name == 'currencies' else 'NAME'}\\]" if named else f"\\[{name}\\]", model


def table_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model of the table, or of each of the tables, that a field is; none for another field."""
    parts = [field.annotation, *get_args(field.annotation)]
    return next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)


def section(heading: str, model: type[BaseModel]) -> str:
    """Return a table of a prior file: what it is, and what stands at each of its keys."""
    shown = {field.alias or name: field for name, field in model.model_fields.items() if not table_of(field)}
    rows = [(f"`{key}`", kind(field), meaning(field), default(field)) for key, field in shown.items()]
    heads = ("key", "what stands there", "what it means", "unless given")
    return f"## {heading}\n\n{inspect.getdoc(model)}\n\n{table(heads, rows)}"


def kind(field: FieldInfo) -> str:
    """Return what stands at a key, a quantity with the unit in which it is kept."""
    for item in field.metadata:
        if isinstance(item, Number):
            return f"[quantity](#quantities), `{item.unit}`" if item.unit else "[quantity](#quantities)"
        if isinstance(item, Exists):
            return "[fact](#facts)"
    return spoken(field.annotation)


def spoken(annotation: Any) -> str:
    """Return a type in words."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, TypeAliasType):
        return spoken(annotation.__value__)
    if origin is Literal:
        return " or ".join(f'`"{part}"`' if isinstance(part, str) else f"`{part}`" for part in parts)
    if origin in (UnionType, Union):
        return " or ".join(dict.fromkeys(spoken(part) for part in parts if part is not NoneType))
    if origin is list:
        return f"list of {spoken(parts[0])}"
    return spoken(parts[0]) if parts else KINDS[annotation.__name__]


def meaning(field: FieldInfo) -> str:
    """Return what a key means, with the range of a number."""
    for item in field.metadata:
        if isinstance(item, Number):
            return f"{item.meaning}; {item.range_in_words()}"
        if isinstance(item, Exists):
            return "whether it is there at all"
    return (field.description or "").replace("|", "\\|")


def default(field: FieldInfo) -> str:
    """Return what a key is taken to be where the file has none; a fact is taken to be true."""
    if field.is_required():
        return "**required**"
    if any(isinstance(item, Exists) for item in field.metadata):
        return "`true`"
    shown = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return "" if shown in (None, "", []) else f"`{shown}`"


def numbers() -> str:
    """Return the keys of a quantity that is written as a table."""
    return table(("key", "what it means"), ((f"`{key}`", text) for key, text in MEANINGS.items() if key != "text"))


def families() -> str:
    """Return the families of distributions, and what gives each."""
    rows = []
    for name, sets in PARAMETERS.items():
        ways = [", ".join(f"`{key}`" for key in MEANINGS if key in names) for names in sets]
        ways += ["an interval or two quantiles"] if name in FITTED_BY_QUANTILES - {"three-quantile"} else []
        ways += ["three quantiles"] if name == "three-quantile" else []
        rows.append((f"`{name}`", "; or ".join(ways)))
    return table(("family", "given by"), rows)


def units() -> str:
    """Return the units that are known, as they are defined."""
    return "\n".join(["```text", *registry.DEFINITIONS, "```"])


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
