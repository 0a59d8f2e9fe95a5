"""The layout of a prior file: its entries by path, and which of them each input of the ledger is read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulate import ledger, schema
from simulate.elicitation import Entry
from simulate.errors import Fault
from simulate.priors import Constant, Fact, Layout, Unknown

GATED = {"fleet": ("count",), "runs": ("gpu_hours",), "staff": ("headcount",), "other": ("amount", "yearly")}
"""What is zero where a table of a section does not exist."""


def tables(file: schema.PriorFile) -> Iterator[tuple[str, schema.Section]]:
    """Yield (path, table) of every table that holds entries and is not stated to be absent."""
    for name, table in (("scope", file.scope), ("hosting", file.hosting), ("research", file.research)):
        if table is not None:
            yield name, table
    for name in ("chips", "fleet", "runs", "staff", "other", "sources", "currencies"):
        for key, table in getattr(file, name).items():
            if is_there(table):
                yield f"{name}.{key}", table


def is_there(table: Any) -> bool:
    existence = getattr(table, "exists", None)
    return existence is None or existence.probability > 0


def entries(file: schema.PriorFile) -> Iterator[tuple[str, Unknown | Constant]]:
    """Yield every entry of the file with its path."""
    for path, table in tables(file):
        for key in type(table).model_fields:
            entry = getattr(table, key)
            if isinstance(entry, Entry):
                meaning = next(m.meaning for m in type(table).model_fields[key].metadata if hasattr(m, "meaning"))
                yield f"{path}.{key}", as_entry(f"{path}.{key}", entry, meaning)


def present(file: schema.PriorFile, section: str) -> dict[str, Any]:
    """Return the tables of a section that are not stated to be absent."""
    return {key: table for key, table in getattr(file, section).items() if is_there(table)}


def labels(file: schema.PriorFile) -> dict[str, str]:
    tables = [
        (key, table) for section in ("chips", "runs", "staff", "other") for key, table in getattr(file, section).items()
    ]
    return {key: table.label for key, table in tables if table.label}


def as_entry(path: str, entry: Entry, meaning: str) -> Unknown | Constant:
    if entry.distribution is None:
        return Constant(path, float(entry.value or 0.0), entry.unit, meaning, entry.given, entry.sources, entry.note)
    return Unknown(path, entry.distribution, entry.unit, meaning, entry.given, entry.sources, entry.note)


def facts(file: schema.PriorFile) -> tuple[Fact, ...]:
    found = []
    for section, names in GATED.items():
        for key, table in getattr(file, section).items():
            existence = table.exists
            if existence.disputed:
                gates = tuple(f"{section}.{key}.{name}" for name in names)
                found.append(
                    Fact(f"{section}.{key}.exists", existence.probability, gates, existence.sources, existence.note)
                )
    return tuple(found)


def needed(layout: Layout) -> set[str]:
    """Return the paths that some quantity of the file is computed from."""
    inputs = frozenset().union(*(ledger.depends_on(name) for name in ledger.available(layout.inputs)))
    return {path for name in inputs for path in layout.paths_of(name)}


@dataclass
class Laying:
    """Lays out a file's inputs, and notes what is half given."""

    file: schema.PriorFile
    faults: list[Fault]
    rows: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dims: dict[str, str] = field(default_factory=dict)

    def fault(self, path: str, found: str, mend: str) -> None:
        self.faults.append(Fault(path, found, mend))

    def layout(self) -> Layout:
        self.lay_fleet()
        derived, positions = self.lay_runs()
        self.lay_people()
        self.lay_items()
        return Layout(self.scalars(), self.rows, derived, positions, self.names, self.dims)

    def scalars(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path, table in tables(self.file):
            if path in ("scope", "hosting", "research"):
                found |= {
                    key: f"{path}.{key}" for key in type(table).model_fields if isinstance(getattr(table, key), Entry)
                }
        return found

    def lay_fleet(self) -> None:
        fleet = present(self.file, "fleet")
        for key in fleet:
            if key not in self.file.chips:
                self.fault(f"fleet.{key}", f"there is no chip {key!r}", f"define [chips.{key}]")
        if not fleet:
            return
        self.names["chip"] = tuple(fleet)
        self.rows["count"], self.dims["count"] = tuple(f"fleet.{key}.count" for key in fleet), "chip"
        for name, attribute in (("server_cost", "server_cost"), ("power", "power"), ("fleet_peak_flops", "peak_flops")):
            self.lay_chip_attribute(name, attribute, "chip", list(fleet), strict=name != "fleet_peak_flops")

    def lay_chip_attribute(self, name: str, attribute: str, dim: str, chips: list[str], *, strict: bool) -> None:
        """Lay one attribute of the chips in use; given for some and not for others it is a fault."""
        known = [key for key in dict.fromkeys(chips) if key in self.file.chips]
        lacking = [key for key in known if getattr(self.file.chips[key], attribute) is None]
        if len(known) < len(set(chips)):
            return
        if not lacking:
            self.rows[name], self.dims[name] = tuple(f"chips.{key}.{attribute}" for key in chips), dim
        elif strict and len(lacking) < len(set(chips)):
            for key in lacking:
                self.fault(f"chips.{key}.{attribute}", "missing, while other chips in use have it", "add it")

    def lay_runs(self) -> tuple[dict[str, tuple[str, str, str, str]], dict[str, tuple[int, ...]]]:
        runs = present(self.file, "runs")
        derived: dict[str, tuple[str, str, str, str]] = {}
        for key, run in runs.items():
            if run.chip not in self.file.chips:
                self.fault(f"runs.{key}.chip", f"there is no chip {run.chip!r}", f"define [chips.{run.chip}]")
            if self.has_physics(key, run):
                derived[f"runs.{key}.gpu_hours"] = (
                    f"runs.{key}.active_parameters",
                    f"runs.{key}.tokens",
                    f"chips.{run.chip}.peak_flops",
                    f"runs.{key}.mfu",
                )
            elif run.gpu_hours is None:
                self.fault(
                    f"runs.{key}",
                    "no accelerator-hours",
                    f"give gpu_hours, or active_parameters, tokens and mfu, and chips.{run.chip}.peak_flops",
                )
        if not runs:
            return derived, {}
        self.names["run"] = tuple(runs)
        chips = [run.chip for run in runs.values()]
        self.rows["gpu_hours"], self.dims["gpu_hours"] = tuple(f"runs.{key}.gpu_hours" for key in runs), "run"
        self.lay_chip_attribute("rental_rate", "rental_rate", "run", chips, strict=True)
        self.lay_chip_attribute("run_peak_flops", "peak_flops", "run", chips, strict=False)
        return derived, self.positions(runs)

    def positions(self, runs: dict[str, schema.Run]) -> dict[str, tuple[int, ...]]:
        """Return which runs are the base model's, which came from it, and each run's chip in the fleet."""
        parts = [run.part_of for run in runs.values()]
        found = {
            "final_runs": tuple(i for i, part in enumerate(parts) if part == "final_run"),
            "later_runs": tuple(i for i, part in enumerate(parts) if part == "official_runs"),
        }
        fleet = list(present(self.file, "fleet"))
        if {run.chip for run in runs.values()} <= set(fleet):
            found["chip_of_run"] = tuple(fleet.index(run.chip) for run in runs.values())
        return {name: positions for name, positions in found.items() if positions}

    def has_physics(self, key: str, run: schema.Run) -> bool:
        """Whether a run's hours follow from its physics; half a physics is a fault."""
        given = {name: getattr(run, name) for name in ("active_parameters", "tokens", "mfu")}
        lacking = [f"runs.{key}.{name}" for name, entry in given.items() if entry is None]
        if len(lacking) == len(given):
            return False
        chip = self.file.chips.get(run.chip)
        if chip is not None and chip.peak_flops is None:
            lacking.append(f"chips.{run.chip}.peak_flops")
        for path in lacking:
            self.fault(path, "missing, while the rest of the run's physics is there", "add it, or drop the rest")
        return not lacking

    def lay_people(self) -> None:
        staff = present(self.file, "staff")
        if staff:
            self.names["group"] = tuple(staff)
            for name in ("headcount", "pay", "overhead"):
                self.rows[name], self.dims[name] = tuple(f"staff.{key}.{name}" for key in staff), "group"

    def lay_items(self) -> None:
        for key, item in present(self.file, "other").items():
            given = [name for name in ("amount", "yearly") if getattr(item, name) is not None]
            if len(given) != 1:
                self.fault(f"other.{key}", f"{len(given)} of amount and yearly", "give the one or the other")
                continue
            for scope in dict.fromkeys(item.part_of):
                name = f"{scope}_{'amounts' if given == ['amount'] else 'rates'}"
                self.rows[name] = (*self.rows.get(name, ()), f"other.{key}.{given[0]}")
                self.names[name], self.dims[name] = (*self.names.get(name, ()), key), name
