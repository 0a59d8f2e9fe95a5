"""Follows a prior file's references to disclosed cases: each becomes the predictive that they give."""

from __future__ import annotations

from dataclasses import replace

from simulate import layers, reference, schema
from simulate.elicitation import Entry, Reference
from simulate.errors import Fault, InputError


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
            distribution, given = reference.mfu(read.references[asked.table], traits, asked.within, asked.without)
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
    middle = size.value if size.distribution is None else float(size.distribution.ppf(0.5))
    return reference.Traits(chip, float(middle or 1.0), reference.is_mixture(asked.architecture))


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
        distribution, given = reference.multiplier(read.references[asked.table], asked.within)
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
