"""Follows a prior file's references to disclosed cases: each becomes the predictive that they give."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from simulate import layers, reference, schema
from simulate.distributions import at_score
from simulate.elicitation import Entry, Reference
from simulate.errors import Fault, InputError

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike

    from simulate.distributions import Array
    from simulate.tabulation import Tabulated


def answered(file: schema.PriorFile, read: layers.Layers, faults: list[Fault]) -> schema.PriorFile:
    """Return the file with every reference to disclosed cases followed."""
    runs = {key: run_answered(key, run, file, read, faults) for key, run in file.runs.items()}
    research = file.research
    if research is not None and research.multiplier.reference:
        entry = multiplier_answered(research.multiplier, read, faults)
        research = research.model_copy(update={"multiplier": entry})
    return file.model_copy(update={"runs": runs, "research": research})


def run_answered(
    key: str, run: schema.Run, file: schema.PriorFile, read: layers.Layers, faults: list[Fault]
) -> schema.Run:
    """Return a training run whose MFU, where it refers to disclosed runs, is their predictive."""
    if run.mfu is None or run.mfu.reference is None:
        return run
    asked, where = run.mfu.reference, f"runs.{key}.mfu"
    known = schema.MFU.stand_in({})
    before = len(faults)
    if asked.within not in ("", *reference.CLASSES):
        mend = f"name one of {', '.join(reference.CLASSES)}, or none for the regression on all runs"
        faults.append(Fault(f"{where}.within", f"there is no class {asked.within[:40]!r}", mend))
    traits = traits_asked(key, run, asked, file, faults)
    if len(faults) == before and traits is not None:
        try:
            distribution, given = mfu(read.references[asked.table], traits, asked.within, asked.without)
            known = replace(known, distribution=distribution, given=given)
        except InputError as error:
            faults += in_table(asked.table, where, error)
    return run.model_copy(update={"mfu": replace(known, value=None, sources=run.mfu.sources, note=run.mfu.note)})


def traits_asked(
    key: str, run: schema.Run, asked: Reference, file: schema.PriorFile, faults: list[Fault]
) -> reference.Traits | None:
    """Return the traits of a run: its chip's class, its size by the median, its architecture."""
    where = f"runs.{key}.mfu"
    if asked.architecture.lower() not in ("dense", "moe", *([""] if asked.within else [])):
        mend = 'write architecture = "moe" or "dense"'
        faults.append(Fault(f"{where}.architecture", f"{asked.architecture[:40]!r} is none", mend))
    label = getattr(file.chips.get(run.chip), "label", "")
    chip = asked.chip or reference.chip_class(f"{run.chip} {label}")
    if chip not in reference.CLASS_NAMES:
        names = ", ".join(reference.CLASS_NAMES)
        faults.append(Fault(f"{where}.chip", f"there is no class {chip[:40]!r}", f"name one of {names}"))
    size = run.active_parameters
    if size is None:
        return None
    middle = float((size.value if size.distribution is None else at_score(size.distribution, 0.0)) or 1.0)
    if middle < 1.0:
        mend = "give the parameters active per token, such as 37e9"
        faults.append(Fault(f"runs.{key}.active_parameters", f"{middle:g} is no size of a model", mend))
        return None
    return reference.Traits(chip, middle, reference.is_mixture(asked.architecture))


def multiplier_answered(entry: Entry, read: layers.Layers, faults: list[Fault]) -> Entry:
    """Return a multiplier that is the predictive of the disclosed ones."""
    asked = entry.reference
    if (
        asked is None
        or asked.within not in reference.MULTIPLIER_CLASSES
        or asked.architecture
        or asked.chip
        or asked.without
    ):
        names = ", ".join(name for name in reference.MULTIPLIER_CLASSES if name)
        mend = f"only within = {names}, or nothing for all cases"
        faults.append(Fault("research.multiplier", "asks for what the table does not hold", mend))
        return schema.MULTIPLIER.stand_in({})
    try:
        distribution, given = multiplier(read.references[asked.table], asked.within)
    except InputError as error:
        faults += in_table(asked.table, "research.multiplier", error)
        return schema.MULTIPLIER.stand_in({})
    return replace(entry, distribution=distribution, given=given, reference=None)


def in_table(table: str, where: str, error: InputError) -> list[Fault]:
    """Return the faults of a table of disclosed cases, or of what is asked of it, as a prior file has them."""
    return [
        replace(
            fault,
            path=f"{where}.without" if fault.path == "without" else f"{layers.REFERENCE}/{table}.csv: {fault.path}",
        )
        for fault in error.faults
    ]


# ---------------------------------------------------------------------------------------------
# Predictives


@dataclass(frozen=True)
class Predicted:
    """The predictive of disclosed cases as a distribution, computed when it is first used."""

    compute: Callable[[], Tabulated]
    support: tuple[float, float]
    family: str = "predictive"

    @cached_property
    def table(self) -> Tabulated:
        return self.compute()

    def from_normal(self, z: ArrayLike) -> Array:
        return self.table.from_normal(z)

    def rvs(self, rng: Generator, size: int) -> Array:
        return self.table.rvs(rng, size)

    def ppf(self, p: ArrayLike) -> Array:
        return self.table.ppf(p)

    def cdf(self, x: ArrayLike) -> Array:
        return self.table.cdf(x)

    def pdf(self, x: ArrayLike) -> Array:
        return self.table.pdf(x)


def mfu(text: str, traits: reference.Traits, within: str = "", without: str = "") -> tuple[Predicted, str]:
    """Return the predictive of the MFU of a run, and how it is come by in words.

    ``text`` is the table; ``within`` a reference class of `CLASSES`, or empty for the regression;
    ``without`` a family that is left out. Raises `InputError` for a table with faults, a family that is
    not in it, and a class without runs.
    """
    table = reference.read_training_runs(text, reference.TRAINING_RUNS)
    runs = reference.members(table, within or "all", without)
    families = {run.family for run in table}
    if without and without not in families:
        mend = f"name one of {', '.join(sorted(families))}"
        raise InputError(reference.TRAINING_RUNS, [Fault("without", f"there is no family {without[:40]!r}", mend)])
    if not runs:
        raise reference.nobody(reference.TRAINING_RUNS, reference.CLASSES[within or "all"][0])
    what = reference.CLASSES[within][0] if within else f"disclosed runs, as {reference.words(traits)}"
    number = len({run.family for run in runs})
    given = f"predicted from {len(runs)} {what}, of {number} families"
    return Predicted(partial(mfu_table, text, traits, within, without), (0.0, 1.0)), given


def multiplier(text: str, within: str = "") -> tuple[Predicted, str]:
    """Return the predictive of a research multiplier, and how it is come by in words."""
    number = len(reference.cases_within(text, within))
    if not number:
        raise reference.nobody(reference.RESEARCH_MULTIPLIERS, reference.MULTIPLIER_CLASSES[within])
    given = f"predicted from {number} {reference.MULTIPLIER_CLASSES[within]}"
    return Predicted(partial(multiplier_table, text, within), (1.0, math.inf)), given


def mfu_table(text: str, traits: reference.Traits, within: str, without: str) -> Tabulated:
    """Return the predictive of an MFU; a file is checked without it, so NumPy is not imported before."""
    from simulate import predictives

    return predictives.mfu_table(text, traits, within, without)


def multiplier_table(text: str, within: str) -> Tabulated:
    """Return the predictive of a research multiplier, likewise."""
    from simulate import predictives

    return predictives.multiplier_table(text, within)
