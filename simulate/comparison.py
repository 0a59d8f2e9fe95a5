"""The same quantities in several scenarios: intervals side by side, their ratios and differences.

Draws are paired by their position, chain and draw. In runs of one seed, an unknown that no evidence
informs is drawn from the stream that the seed and its path name (`simulate.inference.stream`), whatever
the file. What two scenarios share is then the same in both, draw by draw, and cancels in a ratio or a
difference: of two files that differ in one price, the ratio says what that price does. What the
evidence informs is sampled for each scenario on its own, so it is independent between them, and does not
cancel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulate import ledger, report, summary
from simulate.datatree import SAMPLE
from simulate.errors import Fault, InputError, RunError
from simulate.ladder_plot import OVER_HORIZON, over
from simulate.pipeline import scope
from simulate.plot_axes import inner_probability
from simulate.results import Run
from simulate.summary import Row

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

RATIO, DIFFERENCE = "ratio", "difference"
OPERATIONS: Mapping[str, Callable[[Floats, Floats], Floats]] = {RATIO: np.divide, DIFFERENCE: np.subtract}

ADDRESS = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<index>[^\[\]]+)\])?")

PAIRED = (
    "Draws are paired by position. In scenarios made with one seed, unknowns of the same path that no evidence informs "
    "have the same draws, so what is shared cancels; what the evidence informs is sampled for each on its own."
)


@dataclass(frozen=True)
class Scenario:
    """A run in a comparison, under a name that no other has there."""

    name: str
    folder: Path
    manifest: Mapping[str, Any]

    @property
    def way(self) -> str:
        """How the draws were made; those of scenarios that differ in it are not paired."""
        made = self.manifest["sampling"]
        found = f"seed {made['seed']}, {made['chains']} × {made['draws']} draws"
        # A coordinate of a point belongs to a place among the unknowns of a file, not to a path.
        return f"{found}, quasi-random for {str(self.manifest['digest'])[:8]}" if made.get("quasi") else found


@dataclass(frozen=True)
class Relation:
    """A ratio ``first / second`` or a difference ``first − second`` of one quantity, summarised in ``row``."""

    kind: str
    quantity: str
    first: str
    second: str
    row: Row


@dataclass(frozen=True)
class Comparison:
    """Several runs beside one another.

    ``scopes`` maps a cost scope and a scenario's name to its estimate as a manifest has it, with the ends of
    the ``inner`` interval and the ``years`` it is counted over; ``probability`` is that of the intervals; ``notes``
    say what a reader must know.
    """

    scenarios: tuple[Scenario, ...]
    probability: float
    scopes: Mapping[str, Mapping[str, Mapping[str, Any]]]
    relations: tuple[Relation, ...]
    notes: tuple[str, ...]

    @property
    def converged(self) -> bool:
        return not self.reasons

    @property
    def reasons(self) -> list[str]:
        """What stands against a citation, with the scenario's name."""
        verdicts = [(scenario.name, scenario.manifest["verdict"]) for scenario in self.scenarios]
        return [f"{name}: {'; '.join(found['reasons'])}" for name, found in verdicts if not found["converged"]]

    @property
    def heads(self) -> dict[str, str]:
        """The scenarios by name, with their groups and moneys where these are not the same in all."""
        keys = [key for key in ("group", "money") if len(self.values(key)) > 1]
        return {one.name: ", ".join([one.name, *(one.manifest[key] for key in keys)]) for one in self.scenarios}

    def of_kind(self, kind: str) -> list[Relation]:
        """Return the ratios, or the differences."""
        return [relation for relation in self.relations if relation.kind == kind]

    def values(self, key: str) -> list[str]:
        """Return what the scenarios' manifests say under a key, each value once."""
        return list(dict.fromkeys(str(scenario.manifest[key]) for scenario in self.scenarios))


def compare(
    runs: Sequence[Run],
    ratios: Sequence[str] = (),
    differences: Sequence[str] = (),
    *,
    scopes: Sequence[str] = (),
    probability: float = 0.9,
) -> Comparison:
    """Return runs side by side, with the ratios and differences of some quantities between each two.

    A quantity is a scope, any other ledger quantity, an unknown's path, or one of these with its index
    (``run_cost[r1]``). Where none is asked for, the ratio of each scope to that of the first run is given.
    ``scopes`` are those to show, all unless some are named.
    ``probability`` is that of the equal-tailed intervals; a run made with another is summarised anew.

    Raises `InputError` with every quantity that cannot be related, and `RunError` where the draws of the
    runs are not paired.
    """
    trees = {run.folder: run.tree(run.manifest["group"], "constant_data") for run in runs}
    comparing = Comparing(named(runs), trees, probability, tuple(scopes))
    shown = comparing.scopes()
    relations = comparing.asked(ratios, differences) if ratios or differences else comparing.to_the_first()
    return Comparison(comparing.scenarios, probability, shown, tuple(relations), comparing.all_notes(bool(relations)))


# ---------------------------------------------------------------------------------------------
# Names


def named(runs: Sequence[Run]) -> tuple[Scenario, ...]:
    """Return runs as scenarios: by the names of their files, with what tells apart those of one name."""
    names = [str(run.manifest["name"]) for run in runs]
    return tuple(
        Scenario(name if names.count(name) == 1 else f"{name} ({mark})", run.folder, run.manifest)
        for name, run, mark in zip(names, runs, marks(names, runs), strict=True)
    )


def marks(names: Sequence[str], runs: Sequence[Run]) -> Iterator[str]:
    """Yield what tells each run from the others of its name: group, digest or seed, or else its number."""
    for position, (name, run) in enumerate(zip(names, runs, strict=True)):
        same = [other for other_name, other in zip(names, runs, strict=True) if other_name == name]
        ways = ([tell(one) for one in (run, *same)] for tell in (group_of, digest_of, seed_of))
        number = names[: position + 1].count(name)
        yield next((own for own, *all_of in ways if len(set(all_of)) == len(all_of)), str(number))


def group_of(run: Run) -> str:
    return str(run.manifest["group"])


def digest_of(run: Run) -> str:
    return str(run.manifest["digest"])[:8]


def seed_of(run: Run) -> str:
    return f"seed {run.manifest['sampling']['seed']}"


# ---------------------------------------------------------------------------------------------
# Quantities


@dataclass(frozen=True)
class Drawn:
    """The draws of a quantity in one scenario, ``(chain, draw)``, and its unit."""

    values: Floats
    unit: str


def look_up(tree: xr.DataTree, group: str, quantity: str) -> Drawn | Fault:
    """Return the draws of a quantity of a run, or what is wrong with its name; a constant's are all the same."""
    match = ADDRESS.fullmatch(quantity)
    name, index = (match["name"], match["index"] or "") if match else (quantity, "")
    if name == "gpu_hours" and index:
        name, index = f"runs.{index}.gpu_hours", ""
    draws = tree[group].dataset
    constants = tree["constant_data"].dataset
    if name in constants and not constants[name].dims and name not in draws:
        shape = tuple(draws.sizes[dim] for dim in SAMPLE)
        return Drawn(np.full(shape, float(constants[name])), unit_of(constants[name]))
    if name not in draws.data_vars:
        return Fault(quantity, "there is no such quantity", "name a scope, a ledger quantity or an unknown's path")
    return at_index(draws[name], quantity, name, index)


def at_index(found: xr.DataArray, quantity: str, name: str, index: str) -> Drawn | Fault:
    """Return the draws of a quantity at its index, or what is wrong with the index."""
    dims = [str(dim) for dim in found.dims if dim not in SAMPLE]
    if not dims:
        fault = Fault(quantity, f"{name} has no index", f"write {name}")
        return fault if index else Drawn(found.to_numpy(), unit_of(found))
    known = [str(label) for label in found[dims[0]].to_numpy()]
    if index not in known:
        what = f"{name} has no {dims[0]} {index!r}" if index else f"{name} has one value per {dims[0]}"
        return Fault(quantity, what, f"write {name}[…] with one of {', '.join(known)}")
    return Drawn(found.sel({dims[0]: index}).to_numpy(), unit_of(found))


def unit_of(found: xr.DataArray) -> str:
    unit = str(found.attrs["units"])
    return "" if unit == "1" else unit


# ---------------------------------------------------------------------------------------------
# Comparing


@dataclass
class Comparing:
    """Compares scenarios, whose draws are in ``trees`` by folder, and notes what a reader must know."""

    scenarios: tuple[Scenario, ...]
    trees: Mapping[Path, xr.DataTree]
    probability: float
    wanted: tuple[str, ...] = ()
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def scopes(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the estimate of each scope wanted that any scenario has, in each that has it.

        Raises `InputError` for what is no scope.
        """
        mend = f"name one of {', '.join(ledger.SCOPES)}"
        faults = [
            Fault(f"--scope {name[:40]}", "is no scope", mend) for name in self.wanted if name not in ledger.SCOPES
        ]
        if faults:
            raise InputError("comparison", faults)
        found = {
            name: {s.name: self.estimate(s, name) for s in self.scenarios if name in s.manifest["scopes"]}
            for name in ledger.SCOPES
            if name in self.wanted or not self.wanted
        }
        return {name: estimates for name, estimates in found.items() if estimates}

    def estimate(self, scenario: Scenario, name: str) -> dict[str, Any]:
        """Return a scope of a scenario as its manifest has it, summarised anew for another probability."""
        found, group = scenario.manifest["scopes"][name], scenario.manifest["group"]
        values = self.trees[scenario.folder][group][name].to_numpy()
        if found["probability"] != self.probability:
            found = scope(summary.row(name, "", group, found["unit"], values, self.probability))
        inner = inner_probability(self.probability)
        low, high = np.quantile(values, [(1 - inner) / 2, (1 + inner) / 2])
        years = over(name, self.trees[scenario.folder])
        return {**found, "inner": (float(low), float(high)), "years": years}

    def asked(self, ratios: Sequence[str], differences: Sequence[str]) -> list[Relation]:
        """Return the relations asked for, between each scenario and each later one.

        Raises `InputError` and `RunError` as `compare` does.
        """
        wanted = [(RATIO, name) for name in dict.fromkeys(ratios)]
        wanted += [(DIFFERENCE, name) for name in dict.fromkeys(differences)]
        drawn = {name: self.drawn(name) for name in dict.fromkeys(name for _, name in wanted)}
        if self.faults:
            raise InputError("simulate compare", self.faults)
        if apart := self.apart():
            raise RunError(
                f"{apart}, so no ratio or difference can be taken; give the prior files in place of the runs, "
                "or runs of the same --seed, --chains and --draws"
            )
        found = [self.relation(kind, name, *pair) for kind, name in wanted for pair in pairs(drawn[name])]
        return [relation for relation in found if relation]

    def to_the_first(self) -> list[Relation]:
        """Return the ratio of every scope to that of the first scenario, none where draws are not paired."""
        if apart := self.apart():
            self.notes.append(f"No ratios are given: {apart}.")
            return []
        first, *others = self.scenarios
        found = []
        for name in self.wanted or first.manifest["scopes"]:
            if name not in first.manifest["scopes"]:
                continue
            having = [scenario for scenario in others if name in scenario.manifest["scopes"]]
            drawn = self.drawn(name) if having else {}
            pair = [((s.name, drawn[s.name]), (first.name, drawn[first.name])) for s in having]
            found += [self.relation(RATIO, name, *two) for two in pair]
        return [relation for relation in found if relation]

    def drawn(self, quantity: str) -> dict[str, Drawn]:
        """Return the draws of a quantity in each scenario that has it, two at least, or note why not."""
        looked_up = {s.name: look_up(self.trees[s.folder], s.manifest["group"], quantity) for s in self.scenarios}
        found = {name: one for name, one in looked_up.items() if isinstance(one, Drawn)}
        faults = {name: one for name, one in looked_up.items() if isinstance(one, Fault)}
        if len(self.scenarios) < 2:
            self.faults.append(Fault(quantity, "there is one scenario", "compare two or more"))
        elif len(found) < 2:
            self.faults += together(faults)
        elif quantity not in ledger.SCOPES:
            self.notes += [f"{quantity} is left out of {name}: {fault.found}." for name, fault in faults.items()]
        return found

    def relation(
        self, kind: str, quantity: str, first: tuple[str, Drawn], second: tuple[str, Drawn]
    ) -> Relation | None:
        """Return the ratio or difference of a quantity between two scenarios, or note why there is none."""
        (one, a), (other, b) = first, second
        with np.errstate(all="ignore"):
            values = OPERATIONS[kind](a.values, b.values)
        if not np.isfinite(values).all():
            zero = float((b.values == 0).mean())
            why = (
                f"{other} is zero in {report.percent(100 * zero)} of the draws" if zero else "not every draw is finite"
            )
            self.notes.append(f"{quantity} has no {kind} of {one} and {other}: {why}.")
            return None
        unit = a.unit if kind == DIFFERENCE else ""
        return Relation(kind, quantity, one, other, summary.row(quantity, "", kind, unit, values, self.probability))

    def apart(self) -> str:
        """Return why the draws of the scenarios are not paired; empty where they are."""
        ways = "; ".join(f"{scenario.name}: {scenario.way}" for scenario in self.scenarios)
        return f"draws are not paired ({ways})" if len({scenario.way for scenario in self.scenarios}) > 1 else ""

    def all_notes(self, related: bool) -> tuple[str, ...]:
        """Return what a reader must know, the rule of pairing first where anything is related."""
        return (
            *([PAIRED] if related else []),
            *self.differing(),
            *self.streamed(),
            *self.pooled(),
            *dict.fromkeys(self.notes),
        )

    def differing(self) -> Iterator[str]:
        """Yield what the scenarios do not have in common, and a reader may think they have."""
        level = f"{100 * self.probability:g} %"
        for key, words in (("group", "Not the same group of draws"), ("money", "Not the same money")):
            found = {scenario.name: scenario.manifest[key] for scenario in self.scenarios}
            if len(set(found.values())) > 1:
                yield f"{words}: {', '.join(f'{name}, {value}' for name, value in found.items())}."
        years = {
            s.name: over(name, self.trees[s.folder])
            for s in self.scenarios
            for name in s.manifest["scopes"]
            if name in OVER_HORIZON
        }
        if len(set(years.values())) > 1:
            yield f"Not counted over the same years: {'; '.join(f'{name}{found}' for name, found in years.items())}."
        for scenario in self.scenarios:
            own = next(iter(scenario.manifest["scopes"].values()))["probability"]
            if own != self.probability:
                yield f"{scenario.name} was run with {100 * own:g} % intervals; here all are {level} intervals."

    def streamed(self) -> Iterator[str]:
        """Yield which scenarios have kept a part of their draws alone, and what is of that part."""
        for scenario in self.scenarios:
            made = scenario.manifest["sampling"]
            if kept := made.get("kept"):
                total = made["chains"] * made["draws"]
                yield (
                    f"{scenario.name} has kept {kept:,} of its {total:,} draws: what is not in its own tables, such as "
                    "ratios, differences and inner intervals, is of those, with their Monte Carlo errors."
                )

    def pooled(self) -> Iterator[str]:
        """Yield which pools stand beside a member of theirs."""
        made = {(s.manifest["digest"], s.manifest["sampling"]["seed"]): s.name for s in self.scenarios}
        for scenario in self.scenarios:
            for member in scenario.manifest.get("members", ()):
                if name := made.get((member["digest"], member["seed"])):
                    share = report.share_words(member["share"])
                    yield f"{scenario.name} is a pool with {name} in it, whose very draws are {share} of the pool's."


def together(faults: Mapping[str, Fault]) -> list[Fault]:
    """Return faults by scenario, with the names of all the scenarios that have the same one."""
    found = {fault: [name for name, other in faults.items() if other == fault] for fault in faults.values()}
    return [Fault(f"{fault.path} in {', '.join(names)}", fault.found, fault.mend) for fault, names in found.items()]


def pairs(drawn: Mapping[str, Drawn]) -> Iterator[tuple[tuple[str, Drawn], tuple[str, Drawn]]]:
    """Yield each scenario with each later one."""
    found = list(drawn.items())
    for position, first in enumerate(found):
        for second in found[position + 1 :]:
            yield first, second
