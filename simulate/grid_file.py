"""The shape of a grid file, and from its text to a `Grid`: all its faults at once, each with its path.

The format is described in ``docs/sweep.md``.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from simulate import layers
from simulate.elicitation import RANGE, SINGLE, parse_number
from simulate.errors import Fault, InputError
from simulate.grid import FACTORIAL, LATIN, SOBOL, Axis, Grid, Options
from simulate.schema import Table, as_faults, dotted, one_per_union, refuse_truth

MOST_POINTS = 10_000_000
SEE = "see docs/sweep.md for what is admitted here"


class AxisTable(Table):
    """What one path, or one option, runs through: ``values``, or from … to in so many steps, or an interval."""

    values: list[Any] | None = Field(default=None, min_length=1, max_length=100_000)
    from_: int | float | str | None = Field(default=None, alias="from")
    to: int | float | str | None = None
    steps: int | None = Field(default=None, ge=2, le=1_000_000)
    interval: list[int | float | str] | str | None = Field(default=None, description="of a sampled design")
    spacing: Literal["linear", "log"] = "linear"

    @model_validator(mode="before")
    @classmethod
    def listed(cls, raw: Any) -> Any:
        """Return a bare list as the values that it is short for."""
        return {"values": raw} if isinstance(raw, list) else raw


class GridFile(Table):
    """A grid file, whole."""

    version: Annotated[Literal[1], BeforeValidator(refuse_truth)] = Field(
        alias="schema", description="version of this format"
    )
    title: str = ""
    note: str = ""
    design: Literal["factorial", "sobol", "latin-hypercube"] = "factorial"
    points: int | None = Field(default=None, ge=1, le=MOST_POINTS, description="of a sampled design")
    seed: int = Field(default=1, ge=0, le=2**32 - 1, description="of a sampled design")
    settings: Options = Options()
    axes: dict[str, AxisTable] = Field(min_length=1)


def read(path: Path) -> Grid:
    """Return the grid of a file. Raises `InputError` with every fault of its shape."""
    faults: list[Fault] = []
    text = layers.read_text(path, "", faults)
    content = layers.parse(text, "", faults)
    faults += [Fault(where, "holds a control character", "remove it") for where in layers.control_characters(content)]
    if faults:
        raise InputError(path, faults)
    try:
        file = GridFile.model_validate(content)
    except ValidationError as error:
        raise InputError(path, [*shape_faults(error, content), *axis_faults(content)]) from None
    axes = tuple(axis_of(name, table, file.design, faults) for name, table in file.axes.items())
    faults += overlapping(axes)
    faults += [
        Fault(f"settings.{axis.path}", "is an axis too", "keep one of the two")
        for axis in axes
        if axis.path in file.settings.model_fields_set
    ]
    size = size_of(file, axes, faults)
    if faults:
        raise InputError(path, faults)
    return Grid(path, file.title, file.design, axes, file.settings, file.seed, size, text)


def shape_faults(error: ValidationError, content: Mapping[str, Any]) -> list[Fault]:
    """Return the faults of a grid's shape, in the words of the file."""
    found = error.errors(include_url=False)
    return one_per_union([fault for item in found for fault in worded(item, content)])


def axis_faults(content: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with the axes that have the right shape, of a grid that has not."""
    faults, axes = list[Fault](), content.get("axes")
    for name, raw in axes.items() if isinstance(axes, Mapping) else ():
        with contextlib.suppress(ValidationError):
            axis_of(name, AxisTable.model_validate(raw), str(content.get("design", FACTORIAL)), faults)
    return faults


def worded(item: Any, content: Mapping[str, Any]) -> list[Fault]:
    """Return the faults that one error stands for; a path without quotes is a common one."""
    location = item["loc"]
    if item["type"] == "extra_forbidden" and len(location) == 3 and location[0] == "axes" and "." not in location[1]:
        quoted = f'put the whole path in quotes: "{location[1]}.{location[2]}" = [2, 4]'
        return [Fault(dotted(list(location)), "unknown key", f"known here: {', '.join(KEYS)}; or {quoted}")]
    return as_faults(item, content, GridFile, SEE)


KEYS = ("from", "interval", "spacing", "steps", "to", "values")


def axis_of(name: str, table: AxisTable, design: str, faults: list[Fault]) -> Axis:
    """Return an axis; ``faults`` gains what is wrong with it."""
    where, found = dotted(["axes", name]), list[Fault]()
    path = path_of(name, found)
    ways = {
        "values": table.values is not None,
        "from, to and steps": any(key is not None for key in (table.from_, table.to, table.steps)),
        "interval": table.interval is not None,
    }
    given = [way for way, is_given in ways.items() if is_given]
    axis = Axis(path)
    if len(given) != 1:
        what = f"given in {len(given)} ways ({', '.join(given)})" if given else "gives no values"
        found.append(Fault("", what, "give values, or from, to and steps, or an interval"))
    elif given == ["values"]:
        axis = Axis(path, tuple(table.values or ()))
        if table.spacing == "log":
            found.append(Fault("spacing", "is of no use beside values", "remove it"))
    elif given == ["interval"]:
        axis = interval(path, table, design, found)
    else:
        axis = stepped(path, table, found)
    if path in Options.model_fields:
        found += option_faults(axis)
    faults += [Fault(dotted([where, fault.path]), fault.found, fault.mend) for fault in found]
    return axis


def path_of(name: str, found: list[Fault]) -> str:
    """Return the path of an axis in its plain spelling."""
    keys = layers.key_path(name)
    if not keys:
        found.append(Fault("", "is no path", "name an entry, such as scope.horizon, or an option, such as seed"))
    elif len(keys) == 1 and keys[0] not in Options.model_fields:
        known = ", ".join(Options.model_fields)
        found.append(Fault("", "is neither a path nor an option", f"options are {known}; a path has a dot in it"))
    return ".".join(keys) or name


def option_faults(axis: Axis) -> Iterator[Fault]:
    """Yield what is wrong with the values of an option."""
    for position, value in enumerate(axis.ends):
        try:
            Options.model_validate({axis.path: value})
        except ValidationError as error:
            [fault] = as_faults(error.errors(include_url=False)[0], {axis.path: value}, mend=SEE)
            found = f"{value} is not a whole number" if isinstance(value, float) else fault.found
            yield Fault(dotted(["values", position] if axis.values else []), found, fault.mend)


def end(raw: Any, key: str, found: list[Fault]) -> tuple[float | int, str]:
    """Return the number and the unit of an end of a range; NaN after a fault."""
    match = SINGLE.match(raw) if isinstance(raw, str) else None
    number = parse_number(match["low"] if match else raw)
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw, ""
    if number is None or not math.isfinite(number):
        what = "missing" if raw is None else f"{str(raw)[:60]!r} is not a number"
        found.append(Fault(key, what, 'write a number, such as 2.5, "8k" or "2 USD/GPU-hour"'))
        return math.nan, ""
    return number, (match["unit"] or "").strip() if match else ""


def ends(low: Any, high: Any, keys: tuple[str, str], table: AxisTable, found: list[Fault]) -> tuple[Any, Any, str]:
    """Return both ends of a range and its unit."""
    (first, unit), (last, other) = end(low, keys[0], found), end(high, keys[1], found)
    if unit and other and unit != other:
        found.append(Fault(keys[1], f"two units, {unit!r} and {other!r}", "keep one"))
    if first == last:
        found.append(Fault(keys[1], "both ends are the same", "give values = […] with the one"))
    if table.spacing == "log" and (first <= 0 or last <= 0):
        found.append(Fault("spacing", "an end is not positive, so it has no logarithm", 'use spacing = "linear"'))
    return first, last, unit or other


def interval(path: str, table: AxisTable, design: str, found: list[Fault]) -> Axis:
    """Return an axis of which every number may be drawn."""
    raw = table.interval
    match = RANGE.match(raw) if isinstance(raw, str) else None
    if match:
        raw = [match["low"], match["high"] + (match["unit"] or "")]
    if not isinstance(raw, list) or len(raw) != 2:
        found.append(Fault("interval", "is not two numbers", 'write [2, 4] or "2 to 4 USD/GPU-hour"'))
        return Axis(path)
    low, high, unit = ends(raw[0], raw[1], ("interval", "interval"), table, found)
    if low > high:
        found.append(Fault("interval", f"{low:g} to {high:g} does not increase", "put the lower end first"))
    if design == FACTORIAL:
        mend = 'use design = "sobol" or "latin-hypercube", or give from, to and steps'
        found.append(Fault("interval", "a factorial grid has no room for all of it", mend))
    return Axis(path, (), float(low), float(high), table.spacing == "log", unit)


def stepped(path: str, table: AxisTable, found: list[Fault]) -> Axis:
    """Return an axis of evenly spaced values; whole steps between whole ends are whole."""
    if table.steps is None:
        found.append(Fault("steps", "missing", "say how many values, both ends included"))
    first, last, unit = ends(table.from_, table.to, ("from", "to"), table, found)
    if found:
        return Axis(path)
    steps = table.steps or 2
    if table.spacing == "log":
        return Axis(path, tuple(float(value) for value in np.geomspace(first, last, steps)), unit=unit)
    whole = isinstance(first, int) and isinstance(last, int) and (last - first) % (steps - 1) == 0
    values = range(first, last + (1 if last > first else -1), (last - first) // (steps - 1)) if whole else None
    return Axis(path, tuple(values or (float(value) for value in np.linspace(first, last, steps))), unit=unit)


def overlapping(axes: tuple[Axis, ...]) -> Iterator[Fault]:
    """Yield a fault for each axis that sets what another one sets."""
    for position, axis in enumerate(axes):
        for other in axes[:position]:
            if axis.path == other.path or any(
                f"{one.path}.".startswith(f"{two.path}.") for one, two in ((axis, other), (other, axis))
            ):
                yield Fault(dotted(["axes", axis.path]), f"sets what {other.path} sets", "keep one of the two")


def size_of(file: GridFile, axes: tuple[Axis, ...], faults: list[Fault]) -> int:
    """Return how many points a grid has; ``faults`` gains what is wrong with that."""
    if file.design == FACTORIAL:
        size = math.prod(len(axis.values) for axis in axes)
        for key in {"points", "seed"} & file.model_fields_set:
            mend = f"remove it, or set design to {SOBOL} or {LATIN}; the seed of the draws stands in [settings]"
            faults.append(Fault(key, "is of no use in a factorial grid", mend))
        if size > MOST_POINTS:
            faults.append(Fault("axes", f"{size:,} points", f"at most {MOST_POINTS:,} are made"))
        return size
    if file.points is None:
        faults.append(Fault("points", "missing", "say how many points the design has"))
        return 0
    if file.design == SOBOL and file.points & (file.points - 1):
        below = 1 << (file.points.bit_length() - 1)
        mend = f"give {below} or {2 * below}, or use {LATIN}"
        faults.append(Fault("points", f"{file.points} is no power of two, and Sobol' points are even only then", mend))
    return file.points
