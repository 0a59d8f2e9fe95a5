"""How preparing, sampling and completing a posterior grow with the prior file.

    python -m benchmarks.growing [--figure PATH]

Prints a Markdown table, one row for each size, and with ``--figure`` draws it. Processor time of this process,
all threads, medians of `REPEATS` after one file that is not counted; the largest file once. 4 chains, 500 draws
to tune and 1,000 kept. For comparison the smaller files are compiled for PyMC too, the second time in one
process.
"""

from __future__ import annotations

import ctypes
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks import growing_files
from benchmarks.growing_files import Size
from simulate import density, evidence, inference, playback, samplers
from simulate.inference import Settings
from simulate.pipeline import cores

REPEATS = 3
GRADIENTS = 2000
LARGEST_FOR_PYMC = 100
"""Unknowns of the largest file that is compiled for PyMC too."""

SERIES = {
    "unknowns": tuple(Size(unknowns=n) for n in (25, 50, 100, 200, 400)),
    "claims": tuple(Size(claims=n) for n in (5, 10, 20, 50)),
    "disputed facts": tuple(Size(unknowns=40, facts=n, chips=8) for n in (0, 2, 4, 6, 8)),
    "chips": tuple(Size(unknowns=60, chips=n) for n in (1, 2, 4, 8, 16)),
}
ALL_AT_ONCE = Size(unknowns=400, claims=50, facts=8, chips=16)
SIZE_OF: dict[str, Callable[[Size], int]] = {
    "unknowns": lambda size: size.unknowns,
    "claims": lambda size: size.claims,
    "disputed facts": lambda size: size.combinations,
    "chips": lambda size: size.chips,
}
"""What is on the axis of each series: of disputed facts the combinations that are summed over."""


@dataclass(frozen=True)
class Measured:
    """What one file took, in processor seconds; ``instructions`` and ``gradients``, of the kept draws, are counts."""

    size: Size
    load: float
    record: float
    gradient: float
    instructions: int
    sampling: float
    gradients: int
    divergences: int
    completion: float
    pymc: float = field(default=float("nan"))

    @property
    def preparing(self) -> float:
        return self.load + self.record


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor time that work takes in all threads [s], and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def measure(size: Size, repeats: int = REPEATS) -> Measured:
    """Return the medians of some measurements of one size."""
    found = [measure_once(size, seed) for seed in range(1, repeats + 1)]
    middle: dict[str, Any] = {
        name: statistics.median(getattr(one, name) for one in found)
        for name in ("load", "record", "gradient", "instructions", "sampling", "gradients", "divergences", "completion")
    }
    return Measured(size, **middle, pymc=compiled_by_pymc(size) if size.unknowns <= LARGEST_FOR_PYMC else float("nan"))


def measure_once(size: Size, seed: int) -> Measured:
    """Return what one fit of a file of this size takes."""
    settings = Settings(draws=1000, tune=500, seed=seed, cores=cores())
    load, priors = timed(lambda: growing_files.load(size))
    terms = evidence.terms(priors)
    record, block = timed(lambda: density.record(priors, terms))
    sampling, (drawn, stats) = timed(lambda: samplers.sample(priors, terms, settings, None))
    completion, _ = timed(lambda: inference.completed(priors, terms, settings, drawn, stats))
    return Measured(
        size,
        load,
        record,
        gradient_time(block, len(priors.informed)),
        int(block[: 8 * playback.HEADER].view(np.int64)[2]),
        sampling,
        int(stats["n_steps"].sum()),
        int(stats["diverging"].sum()),
        completion,
    )


def gradient_time(block: Any, dimensions: int) -> float:
    """Return the processor time of one log-density with its gradient [s]."""
    density = playback.compiled().density.ctypes
    arrays = (np.zeros(dimensions), np.empty(dimensions), np.empty(1))
    pointers = [ctypes.cast(array.ctypes.data, ctypes.POINTER(ctypes.c_double)) for array in arrays]
    tape = block.ctypes.data
    return timed(lambda: [density(dimensions, *pointers, tape) for _ in range(GRADIENTS)])[0] / GRADIENTS


def compiled_by_pymc(size: Size) -> float:
    """Return the processor time of building the model in PyMC and compiling density and gradient, caches warm [s]."""
    from simulate import model

    priors = growing_files.load(size)

    def compile_once() -> None:
        built = model.build(priors)
        built.logp_dlogp_function(ravel_inputs=True)

    timed(compile_once)
    return timed(compile_once)[0]


# ---------------------------------------------------------------------------------------------
# As a table


COLUMNS = (
    "unknowns", "claims", "facts", "chips", "load [ms]", "record [ms]", "instructions", "gradient [µs]",
    "gradients of kept draws", "sampling [s]", "completion [ms]", "PyMC compiles [s]",
)  # fmt: skip


def table(found: list[Measured]) -> str:
    """Return what was measured as a Markdown table."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---:|" * len(COLUMNS)]
    return "\n".join([*lines, *(row(one) for one in found)])


def row(one: Measured) -> str:
    size = one.size
    cells = (
        *(str(n) for n in (size.unknowns, size.claims, size.facts, size.chips)),
        f"{1e3 * one.load:.0f}", f"{1e3 * one.record:.1f}", f"{one.instructions:,}", f"{1e6 * one.gradient:.3g}",
        f"{one.gradients:,}", f"{one.sampling:.2f}", f"{1e3 * one.completion:.0f}",
        "–" if np.isnan(one.pymc) else f"{one.pymc:.1f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def slope(x: list[float], y: list[float]) -> float:
    """Return the exponent of a power law through points, by least squares on logarithms."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


@click.command()
@click.option("--figure", type=click.Path(path_type=Path), help="Draw the growth there, as a PNG.")
def main(figure: Path | None) -> None:
    """Measure every size once for each series it is part of, and print the table."""
    measure_once(Size(), seed=1)
    found = {series: [measure(size) for size in sizes] for series, sizes in SERIES.items()}
    rows = {one.size: one for series in found.values() for one in series}
    print(table([*rows.values(), measure(ALL_AT_ONCE, repeats=1)]), "\n")
    for series, measured in found.items():
        x = [float(SIZE_OF[series](one.size)) for one in measured]
        for kind in ("preparing", "sampling"):
            y = [getattr(one, kind) for one in measured]
            print(f"- {series}: {kind} grows with power {slope(x, y):.2f}, {slope(x[-2:], y[-2:]):.2f} at the end")
    if figure:
        from benchmarks import growth_plot

        growth_plot.save(figure, found)


if __name__ == "__main__":
    main()
