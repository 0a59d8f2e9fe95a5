"""A sweep as one tidy table, a row for each point and scope, as CSV and as Parquet.

Columns: the ``point``; each axis under its path; the options of `run`; ``digest``, ``group``, ``scope``, ``unit``,
``probability`` and ``kind`` of the interval; median, lower and upper end, each with its Monte Carlo standard error;
``method``, ``converged`` and ``reasons``; and ``P(…)`` of each disputed fact. A point at which nothing could be
sampled has one row, without a scope.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from simulate import ledger, results, summary
from simulate.grid import Axis, Options, Point, expression
from simulate.sweep import ESTIMATE, Outcome
from simulate.sweep_run import Swept

CSV, PARQUET = "sweep.csv", "sweep.parquet"
BLOCK = 20_000
"""Rows of the table that are in memory at once."""

TEXT, NUMBER, WHOLE, TRUTH = "string", "float64", "int64", "bool"


def columns(swept: Swept, facts: Iterable[str]) -> dict[str, str]:
    """Return the type of each column by its name, in their order."""
    options = {name: type_of_option(name) for name in Options.model_fields if name != "probability"}
    return {
        "point": WHOLE,
        **{axis.path: type_of(axis) for axis in swept.grid.axes},
        **options,
        **dict.fromkeys(("digest", "group", "scope", "unit"), TEXT),
        "probability": NUMBER,
        "kind": TEXT,
        **dict.fromkeys(ESTIMATE, NUMBER),
        "method": TEXT,
        "converged": TRUTH,
        "reasons": TEXT,
        **{f"P({path})": NUMBER for path in facts},
    }


def type_of(axis: Axis) -> str:
    """Return the type of the values of an axis: numbers, truths, or what they are as EXPR of ``--set``."""
    if axis.is_option:
        return type_of_option(axis.path)
    if not axis.values or all(isinstance(value, int | float) and not isinstance(value, bool) for value in axis.values):
        return NUMBER
    return TRUTH if all(isinstance(value, bool) for value in axis.values) else TEXT


def type_of_option(name: str) -> str:
    kinds: Mapping[Any, str] = {int: WHOLE, float: NUMBER, bool: TRUTH}
    return kinds.get(Options.model_fields[name].annotation, TEXT)


def rows(swept: Swept, found: Iterable[tuple[Point, Outcome]], facts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of points, each with every column that it has something for."""
    kinds = {axis.path: type_of(axis) for axis in swept.grid.axes}
    for point, outcome in found:
        values = {
            axis.path: expression(value) if kinds[axis.path] == TEXT else value
            for axis, value in zip(swept.grid.axes, point.values, strict=True)
        }
        common = {
            "point": point.number,
            **outcome.options,
            **values,
            "digest": outcome.digest,
            "group": outcome.group,
            "kind": summary.KIND,
            "method": outcome.method,
            "converged": outcome.converged,
            "reasons": "; ".join(outcome.reasons),
            **{f"P({path})": outcome.facts.get(path) for path in facts},
        }
        if not outcome.scopes:
            yield common
        for name in (name for name in ledger.SCOPES if name in outcome.scopes):
            own = dict(zip(ESTIMATE, outcome.scopes[name], strict=True))
            yield {**common, **own, "scope": name, "unit": outcome.units[name]}


def write(swept: Swept, facts: Iterable[str]) -> None:
    """Write both tables beside the points, in the place of older ones; each whole or not at all, block by block.

    Raises `RunError` where the disk refuses.
    """
    facts = list(facts)
    kinds = columns(swept, facts)
    with Table(swept.folder, CSV) as text, Table(swept.folder, PARQUET) as binary:
        with results.disk(swept.folder):
            written_text, written_binary = CsvTable(text.path, kinds), ParquetTable(binary.path, kinds, about(swept))
            with written_text, written_binary:
                every = rows(swept, swept.outcomes(), facts)
                while block := list(itertools.islice(every, BLOCK)):
                    written_text.add(block)
                    written_binary.add(block)
        text.finish()
        binary.finish()


def about(swept: Swept) -> dict[str, str]:
    """Return what a Parquet file says of itself."""
    units = {axis.path: axis.unit for axis in swept.grid.axes if axis.unit}
    said = {
        "title": swept.grid.title,
        "priors": swept.priors.name,
        "priors_title": swept.priors.title,
        "digest": swept.priors.digest,
        "money": swept.priors.money,
        "settings": list(swept.priors.settings),
        "versions": swept.journal.head["versions"],
        "axis_units": units,
    }
    return {"simulate": json.dumps(said, sort_keys=True, ensure_ascii=False)}


class Table:
    """A file that is written under another name, and gets its own when it is finished."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.place = folder, folder / name
        self.path = folder / f"{results.UNFINISHED}{name}-{os.getpid()}"

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *error: object) -> None:
        self.path.unlink(missing_ok=True)

    def finish(self) -> None:
        with results.disk(self.folder):
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
            self.path.replace(self.place)


class CsvTable:
    """Rows as CSV at full precision; truths are ``true`` and ``false``, nothing is empty."""

    def __init__(self, path: Path, kinds: Mapping[str, str]) -> None:
        self.kinds = kinds
        self.file = path.open("w", newline="", encoding="utf-8")
        self.writer = csv.DictWriter(self.file, fieldnames=list(kinds), lineterminator="\n")

    def __enter__(self) -> CsvTable:
        self.writer.writeheader()
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def add(self, block: list[dict[str, Any]]) -> None:
        truths = [name for name, kind in self.kinds.items() if kind == TRUTH]
        self.writer.writerows({**row, **{name: str(row[name]).lower() for name in truths}} for row in block)


class ParquetTable:
    """Rows as Parquet, with what they are of in the metadata."""

    def __init__(self, path: Path, kinds: Mapping[str, str], about: Mapping[str, str]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        types = {TEXT: pa.string(), NUMBER: pa.float64(), WHOLE: pa.int64(), TRUTH: pa.bool_()}
        fields = [pa.field(name, types[kind]) for name, kind in kinds.items()]
        self.schema = pa.schema(fields, metadata=dict(about))
        self.kinds = kinds
        self.writer = parquet.ParquetWriter(path, self.schema)

    def __enter__(self) -> ParquetTable:
        return self

    def __exit__(self, *error: object) -> None:
        self.writer.close()

    def add(self, block: list[dict[str, Any]]) -> None:
        import pyarrow as pa

        typed = {
            name: [as_number(row.get(name)) if kind == NUMBER else row.get(name) for row in block]
            for name, kind in self.kinds.items()
        }
        self.writer.write_table(pa.table(typed, schema=self.schema))


def as_number(value: Any) -> float | None:
    return None if value is None else float(value)
