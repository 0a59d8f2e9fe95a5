"""The points at which a prior file is looked at: what is set at each.

A point is a list of ``PATH=EXPR``, as ``simulate run --set`` has it, and the options of `run`. A factorial grid has
a point for every combination of its axes' values, the last axis changing first; a design (``sobol``,
``latin-hypercube``; `scipy.stats.qmc`) spreads so many points evenly over all axes at once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulate import layers, limits
from simulate.schema import Table, dotted

FACTORIAL, SOBOL, LATIN = "factorial", "sobol", "latin-hypercube"


def within(ends: tuple[int, int]) -> Any:
    """Return the annotation of a field that lies between two numbers, both admitted."""
    return Field(ge=ends[0], le=ends[1])


class Options(Table):
    """The options of ``simulate run`` that decide numbers, with its names and defaults."""

    draws: Annotated[int, within(limits.SAMPLED)] = Field(default=2000, description="kept draws of each chain")
    tune: Annotated[int, within(limits.TUNE)] = Field(default=1000, description="draws to tune each chain")
    chains: Annotated[int, within(limits.CHAINS)] = Field(default=4)
    seed: Annotated[int, within(limits.SEED)] = Field(
        default=1, description="the same at every point unless it is an axis"
    )
    probability: float = Field(default=0.9, gt=0, lt=1, description="of the credible intervals")
    prior_only: bool = Field(default=False, description="leave the evidence out")
    extend: bool = Field(default=True, description="sample more where a point has not converged")
    sampler: Literal["nutpie", "pymc"] = "nutpie"


@dataclass(frozen=True)
class Axis:
    """A path (or an option), and what it runs through: ``values``, or all from ``low`` to ``high`` [``unit``]."""

    path: str
    values: tuple[Any, ...] = ()
    low: float = math.nan
    high: float = math.nan
    logarithmic: bool = False
    unit: str = ""

    @property
    def is_option(self) -> bool:
        return "." not in self.path

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values to try out for faults: all that were written, or both ends."""
        return self.values or (self.low, self.high)

    def at(self, share: float) -> Any:
        """Return what stands at a share, from 0 to less than 1, of the axis; values have equal parts of it."""
        if self.values:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        if self.logarithmic:
            return float(self.low * (self.high / self.low) ** share)
        return float(self.low + (self.high - self.low) * share)

    def setting(self, value: Any) -> str:
        """Return the ``PATH=EXPR`` that sets the path to a value."""
        return f"{self.path}={expression(value)}{f' {self.unit}' if self.unit else ''}"


@dataclass(frozen=True)
class Point:
    """A point by its number: its ``values`` on the axes, what is ``set``, and the options of `run`."""

    number: int
    values: tuple[Any, ...]
    set: tuple[str, ...]
    options: Options


@dataclass(frozen=True)
class Grid:
    """A grid file, read and checked as far as it can be by itself."""

    path: Path
    title: str
    design: str
    axes: tuple[Axis, ...]
    options: Options
    seed: int
    size: int
    text: str

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Where each point of a sampled design lies, (point, axis), from 0 to 1."""
        from scipy.stats import qmc

        kind = qmc.Sobol if self.design == SOBOL else qmc.LatinHypercube
        return np.asarray(kind(len(self.axes), scramble=True, rng=self.seed).random(self.size))

    def values(self, number: int) -> tuple[Any, ...]:
        """Return what stands on each axis at a point."""
        if self.design != FACTORIAL:
            return tuple(axis.at(float(u)) for axis, u in zip(self.axes, self.shares[number], strict=True))
        found = []
        for axis in reversed(self.axes):
            number, place = divmod(number, len(axis.values))
            found.append(axis.values[place])
        return tuple(reversed(found))

    def point(self, number: int) -> Point:
        return self.holding(number, self.values(number))

    def holding(self, number: int, values: tuple[Any, ...]) -> Point:
        """Return the point of some values."""
        both = list(zip(self.axes, values, strict=True))
        options = {axis.path: value for axis, value in both if axis.is_option}
        return Point(
            number,
            values,
            tuple(axis.setting(value) for axis, value in both if not axis.is_option),
            Options.model_validate({**self.options.model_dump(), **options}),
        )

    def trials(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield every value written in the file, or both ends: where it stands there, what sets it, and a point.

        At the point, all other axes are at their first value, or their lower end.
        """
        paths = [axis for axis in self.axes if not axis.is_option]
        first = tuple(axis.setting(axis.ends[0]) for axis in paths)
        for place, axis in enumerate(paths):
            for position, value in enumerate(axis.ends):
                where = dotted(["axes", axis.path, *(["values", position] if axis.values else [])])
                alone = axis.setting(value)
                yield where, alone, (*first[:place], alone, *first[place + 1 :])

    @property
    def decides(self) -> dict[str, Any]:
        """Everything that decides which points there are, as JSON."""
        return {
            "design": [self.design] if self.design == FACTORIAL else [self.design, self.seed, self.size],
            "axes": [[axis.path, *map(str, (axis.logarithmic, axis.unit, axis.low, axis.high))] for axis in self.axes],
            "values": [[expression(value) for value in axis.values] for axis in self.axes],
            "options": self.options.model_dump(),
        }


def expression(value: Any) -> str:
    """Return a TOML value as the EXPR of ``--set``, which gives it back.

    >>> expression(2.5), expression("2 to 4 year"), expression("true"), expression([1, "2k"])
    ('2.5', '2 to 4 year', '"true"', '[1, "2k"]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value if layers.parse_expression(value) == value else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        items = (f"{json.dumps(key, ensure_ascii=False)} = {part(inner)}" for key, inner in value.items())
        return f"{{ {', '.join(items)} }}"
    return f"[{', '.join(map(part, value))}]" if isinstance(value, list) else str(value)


def part(value: Any) -> str:
    """Return a value inside another: texts are quoted there."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else expression(value)
