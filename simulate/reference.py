"""Reference classes: what disclosed cases say of a number that nobody has disclosed.

A prior file asks for one with ``mfu = { reference = "training_runs", … }`` or
``multiplier = { reference = "research_multipliers" }`` and gets the posterior predictive of a case of a
new family, from the table of that name in ``priors/reference/``. Here the tables are read and their cases
put into classes; `simulate.predictives` learns from them.

The answer depends on which cases are taken for similar. The default learns from all of them what chip,
size and architecture do; ``within`` takes the plain members of a narrower class instead.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulate import ledger
from simulate.characters import CONTROL
from simulate.elicitation import parse_number
from simulate.errors import Fault, InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TRAINING_RUNS = "training_runs"
RESEARCH_MULTIPLIERS = "research_multipliers"
TABLES = (TRAINING_RUNS, RESEARCH_MULTIPLIERS)

CHIP_CLASSES = (
    ("V100", r"V100"),
    ("A100", r"A[18]00"),
    ("H100", r"G?H[128]00"),
    ("B200", r"G?B[23]00"),
    ("TPU", r"TPU"),
)
"""Chips of one generation, by what their names contain."""
OTHER_CHIP = "other"
CLASS_NAMES = (*(name for name, _ in CHIP_CLASSES), OTHER_CHIP)

LARGE = 1e10
"""Active parameters from which a run is a large one."""
PIVOT = 1e10
"""Active parameters of the run that the intercept speaks of."""


def chip_class(hardware: str) -> str:
    """Return the generation that a chip's name tells.

    >>> chip_class("NVIDIA H800 SXM"), chip_class("Google TPU v4"), chip_class("AMD MI250X")
    ('H100', 'TPU', 'other')
    """
    return next((name for name, pattern in CHIP_CLASSES if re.search(pattern, hardware, re.IGNORECASE)), OTHER_CHIP)


@dataclass(frozen=True)
class TrainingRun:
    """A training run whose hours somebody has disclosed.

    ``active_parameters`` [parameter], ``tokens`` [token], ``peak_flops`` [FLOP/second/GPU, dense BF16],
    ``gpu_hours`` [GPU-hour, billed]; ``role`` is ``yes`` (fitted and scored), ``flag`` (a caveat stands
    against it), ``target`` (what the fit judges) or ``no``.
    """

    model: str
    family: str
    architecture: str
    hardware: str
    active_parameters: float
    tokens: float
    peak_flops: float
    gpu_hours: float
    role: str = "yes"
    note: str = ""

    @property
    def complete(self) -> bool:
        """Whether all that the physics of the run needs is known."""
        return all(map(math.isfinite, (self.active_parameters, self.tokens, self.peak_flops, self.gpu_hours)))

    @property
    def ideal_hours(self) -> float:
        """What the run would take at an MFU of 1 [GPU-hour]."""
        return float(ledger.physical_gpu_hours(self.active_parameters, self.tokens, self.peak_flops, 1.0))

    @property
    def mfu(self) -> float:
        """Model FLOP utilisation of billed hours, 6ND over dense BF16 peak."""
        return self.ideal_hours / self.gpu_hours

    @property
    def traits(self) -> Traits:
        return Traits(chip_class(self.hardware), self.active_parameters, is_mixture(self.architecture))


@dataclass(frozen=True)
class Traits:
    """What is known of a run before its hours are."""

    chip: str
    active_parameters: float
    mixture: bool
    """Whether it is a mixture of experts."""

    def covariates(self) -> NDArray[np.float64]:
        """Return intercept, chip, size, size on that chip, architecture: the row of the design matrix."""
        import numpy as np

        chip = np.array([float(self.chip == name) for name in CLASS_NAMES])
        size = math.log10(self.active_parameters / PIVOT)
        return np.array([1.0, *chip, size, *(size * chip), float(self.mixture)])


def is_mixture(architecture: str) -> bool:
    return architecture.strip().lower() in ("moe", "mixture of experts")


type Member = Callable[[TrainingRun], bool]

CLASSES: Mapping[str, tuple[str, Member]] = {
    "all": ("all disclosed runs", lambda run: True),
    "h-class": ("runs on H100-class chips", lambda run: run.traits.chip == "H100"),
    "large": ("runs of at least 10bn active parameters", lambda run: run.active_parameters >= LARGE),
    "large-h-class": (
        "runs of at least 10bn active parameters on H100-class chips",
        lambda run: run.traits.chip == "H100" and run.active_parameters >= LARGE,
    ),
    "moe": ("mixtures of experts", lambda run: run.traits.mixture),
}
"""Reference classes that ``within`` may name: what they are, and who belongs to them."""


# ---------------------------------------------------------------------------------------------
# Tables


NEEDED = ("model", "architecture", "active_params", "tokens", "hardware", "gpu_hours")
NUMBERS = {"active_params": 1.0, "tokens": 1.0, "peak_tflops_bf16": 1e12, "gpu_hours": 1.0}
ROLES = ("yes", "flag", "target", "no")
MOST_ROWS = 1000
LONGEST_NAME = 100


def rows_of(text: str, name: str, needed: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Return (where, cell by column) for each row of a CSV table; white space is evened out.

    Raises `InputError` where the text is not such a table.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        columns = reader.fieldnames = [" ".join(column.split()) for column in reader.fieldnames or ()]
        rows = [(f"line {reader.line_num}", row) for row in reader]
    except csv.Error as error:
        raise InputError(name, [Fault(f"line {reader.line_num}", str(error), "mend the CSV there")]) from None
    faults = [Fault("header", f"{key} stands there twice", "keep one") for key in needed if columns.count(key) > 1]
    if lacking := [key for key in needed if key not in columns]:
        faults.append(Fault("header", f"has no {', '.join(lacking)}", f"needed: {', '.join(needed)}"))
    if len(rows) > MOST_ROWS:
        faults.append(Fault("rows", f"{len(rows):,} of them", f"give at most {MOST_ROWS:,}"))
    if faults:
        raise InputError(name, faults)
    return [(where, {key: " ".join((row.get(key) or "").split()) for key in columns}) for where, row in rows]


def read_training_runs(text: str, name: str, known: Sequence[TrainingRun] = ()) -> tuple[TrainingRun, ...]:
    """Return the rows of a table of training runs; ``known`` runs lend their chips' peaks and their families.

    Columns: model, architecture (dense, MoE), active_params, tokens, hardware, gpu_hours, and where given
    peak_tflops_bf16, family, physics_test_eligible and note; others are ignored. A row without a family gets
    that of its `lineage`. Raises `InputError` with every fault.
    """
    faults: list[Fault] = []
    runs = tuple(training_run(row, where, known, faults) for where, row in rows_of(text, name, NEEDED))
    for model, number in Counter(run.model for run in runs).items():
        if model and number > 1:
            faults.append(Fault(model[:LONGEST_NAME], "stands there more than once", "keep one row"))
    if faults:
        raise InputError(name, faults)
    return runs


def training_run(row: Mapping[str, str], where: str, known: Sequence[TrainingRun], faults: list[Fault]) -> TrainingRun:
    """Return a row as a run; an empty cell is not known, a wrong one is a fault."""
    faults += [
        Fault(f"{where}: {key}", "holds a control character", "remove it")
        for key, value in row.items()
        if CONTROL.search(value)
    ]
    model, architecture = row["model"], row["architecture"]
    if not 0 < len(model) <= LONGEST_NAME:
        faults.append(Fault(f"{where}: model", f"{len(model)} characters", f"name the run in 1 to {LONGEST_NAME}"))
    if architecture.lower() not in ("dense", "moe"):
        faults.append(Fault(f"{where}: architecture", f"{architecture[:40]!r}", "write dense or MoE"))
    numbers = {key: factor * cell(row.get(key, ""), f"{where}: {key}", faults) for key, factor in NUMBERS.items()}
    if math.isnan(numbers["peak_tflops_bf16"]):
        peaks = {run.hardware: run.peak_flops for run in known}
        numbers["peak_tflops_bf16"] = peaks.get(row["hardware"], math.nan)
    return TrainingRun(
        model,
        row.get("family") or family_of(model, known),
        architecture,
        row["hardware"],
        numbers["active_params"],
        numbers["tokens"],
        numbers["peak_tflops_bf16"],
        numbers["gpu_hours"],
        role_of(row.get("physics_test_eligible", ""), where, faults),
        row.get("note", ""),
    )


def family_of(model: str, known: Sequence[TrainingRun]) -> str:
    """Return the family of a run that names none: that of a known run of its lineage, or the lineage itself."""
    same = [run.family for run in known if run.model == model]
    alike = [run.family for run in known if run.role == "yes" and lineage(run.model) == lineage(model)]
    return next(iter((*same, *alike)), lineage(model))


SIZE = re.compile(r"(\d+x)?\d+(\.\d+)?[bmkt]|a\d+(\.\d+)?b", re.IGNORECASE)
VERSION = re.compile(r"v?(\d+)(\.\d+)*", re.IGNORECASE)


def lineage(model: str) -> str:
    """Return what the runs of one release have in common: their name without sizes, and its first version number.

    >>> lineage("Llama-3.2-3B"), lineage("Llama 3.1 405B"), lineage("DeepSeek-V2-Lite"), lineage("Pythia-410M")
    ('llama 3', 'llama 3', 'deepseek 2', 'pythia')
    """
    parts = [part for part in re.split(r"[\s_\-(),/]+", model.lower()) if part and not SIZE.fullmatch(part)]
    name = parts[0] if parts else model.lower()
    version = next((found[1] for part in parts[1:2] if (found := VERSION.fullmatch(part))), "")
    return f"{name} {version}".strip()


def role_of(text: str, where: str, faults: list[Fault]) -> str:
    """Return what a run may be used for; where nothing is said, it is fitted and scored."""
    found = next((role for role in ROLES if text.lower().startswith(role)), "")
    if text and not found:
        mend = f"write {', '.join(ROLES[:-1])} or {ROLES[-1]}, or nothing for yes"
        faults.append(Fault(f"{where}: physics_test_eligible", f"{text[:40]!r}", mend))
    return found or ROLES[0]


def cell(text: str, where: str, faults: list[Fault]) -> float:
    """Return a positive number, or NaN for an empty cell and after a fault."""
    if not text:
        return math.nan
    value = parse_number(text)
    if value is None or not 0 < value < 1e30:
        faults.append(Fault(where, f"{text[:40]!r} is not a positive number", "write digits such as 2664000 or 3.7e10"))
        return math.nan
    return value


@dataclass(frozen=True)
class Multiplier:
    """Total development compute over the final run, of a laboratory that one can tell it of."""

    case: str
    multiplier: float
    era: str
    role: str


def read_multipliers(text: str) -> tuple[Multiplier, ...]:
    """Return the rows of the table of research multipliers that have a number; raises `InputError`."""
    faults: list[Fault] = []
    rows = rows_of(text, RESEARCH_MULTIPLIERS, ("case", "multiplier", "era", "use"))
    found = tuple(
        Multiplier(row["case"], cell(row["multiplier"], f"{where}: multiplier", faults), row["era"], row["use"])
        for where, row in rows
        if row["multiplier"]
    )
    faults += [
        Fault(case.case, "not above 1", "all compute is more than the run") for case in found if case.multiplier <= 1
    ]
    if faults:
        raise InputError(RESEARCH_MULTIPLIERS, faults)
    return found


# ---------------------------------------------------------------------------------------------
# Classes


def members(runs: Sequence[TrainingRun], within: str = "all", without: str = "") -> tuple[TrainingRun, ...]:
    """Return the runs that a reference class is made of: complete, no caveat, in it, not of a family left out."""
    fit = (run for run in runs if run.role == "yes" and run.complete and CLASSES[within][1](run))
    return tuple(run for run in fit if run.family != without)


def nobody(table: str, what: str) -> InputError:
    """Return the error of a class that has no members."""
    return InputError(table, [Fault("rows", f"none for {what}", "add some, or ask for another class")])


def words(traits: Traits) -> str:
    """Return the traits of a run in words: ``37bn active, mixture of experts, H100 class``."""
    kind = "mixture of experts" if traits.mixture else "dense"
    return f"{traits.active_parameters / 1e9:.3g}bn active, {kind}, {traits.chip} class"


MULTIPLIER_CLASSES: Mapping[str, str] = {
    "": "cases",
    "early": "cases of 2020 to 2022",
    "recent": "cases of 2024 to 2026",
}


def cases_within(text: str, within: str) -> list[Multiplier]:
    return [case for case in read_multipliers(text) if case.role == "yes" and within in ("", case.era)]
