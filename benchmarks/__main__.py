"""Every benchmark in turn, as the page ``docs/performance.md``.

    python -m benchmarks [--runs N] [--output PATH]

Takes about a quarter of an hour on two idle cores with five pairs, less with fewer, and says on standard error what
is being measured. The words between the measured tables are those of `sections`.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

LIBRARIES = (
    "nutpie",
    "numba",
    "numpy",
    "scipy",
    "pymc",
    "arviz",
    "xarray",
    "h5netcdf",
    "matplotlib",
    "numpyro",
    "pystan",
)

HEAD = """\
<!-- Written by python -m benchmarks: change the code or benchmarks/__main__.py, not this page. -->

# Performance

Only ratios within one run of a benchmark mean anything; the machine decides the seconds. Whole processes are timed in
turn, ours and the peer's, so that what else the machine does falls on both sides alike; medians, with the least and the
largest. `python -m benchmarks` writes this page anew; the words between the tables are fixed and state no measured
number.
"""


@dataclass(frozen=True)
class Section:
    """A part of the page: words, a module of this folder with its arguments, and words on what limits it.

    A module that prints lines and no Markdown is shown as it prints (``plain``).
    """

    title: str
    words: str
    module: str
    arguments: tuple[str, ...]
    limits: str
    plain: bool = False


def sections(runs: int) -> tuple[Section, ...]:
    """Return the page's parts, each measured over so many pairs."""
    pairs = str(runs)
    return (
        Section(
            "One run",
            "`simulate run --priors priors/semianalysis.toml` in a fresh process, with its caches warm, against "
            "the same model written by hand, which ends with `az.summary` and has no units, sources, checks, "
            "figures or run folder. Aims: at most 0.5 of the PyMC peer's wall time with everything written and "
            "drawn, at most 0.3 without figures, and no more memory.",
            "one_run",
            (pairs,),
            "Nothing is compiled for a file. What is left is importing libraries, the summary of every unknown and "
            "quantity, the NetCDF file with its many variables, and the figures. With figures, the chains are "
            "drawn by a process that ends before they are begun, and a second one draws a part of them; memory is that "
            "of all together.",
        ),
        Section(
            "The first run",
            "After an installation, with everything compiled anew. Aim: 1.0.",
            "cold",
            (),
            "Ours compiles one function, the same for every file; the peer compiles its model.",
        ),
        Section(
            "Starting",
            "The verbs that only read, against `python -c 'import click'`. Aims: 3 for `--help`, 6 for `check` of a "
            "good file. None of them imports PyMC, ArviZ, Numba, Matplotlib or pandas, which is a test and no timing.",
            "start_up",
            (pairs,),
            "Importing pydantic is the largest part of a check. A unit that is not among the common ones imports pint.",
        ),
        Section(
            "Refits",
            "The same structure with other numbers, from Python in one process: 4 chains of 1,000 kept draws. Aim: "
            "five a second on two cores. And eight scenarios beside one another against one run; aim: 2.",
            "refits",
            (pairs,),
            "A refit is gradients, then completing the draws in NumPy and turning nutpie's trace into arrays. Of "
            "eight scenarios, what is no sampling is summing up and writing each run, which processes do side by side.",
        ),
        Section(
            "Calibration",
            "Simulation-based calibration of `semianalysis` on all cores. Aim: 1,000 fits in six minutes on two.",
            "calibrating",
            (),
            "A fit is one chain, its completion, and the effective sample size and R-hat of everything that is ranked.",
        ),
        Section(
            "Prior simulation",
            "A million draws of the whole ledger with exact quantiles, moments and Monte Carlo errors, against bare "
            "NumPy that only draws and transforms the unknowns. Aim: 1.5.",
            "prior_simulation",
            ("--pairs", pairs),
            "Most of the time on either side is normal deviates and exponentials.",
            plain=True,
        ),
        Section(
            "A hundred million draws",
            "In one pass; the quantiles are order statistics of all draws, so that their only error is Monte Carlo "
            "error, which the summary states. Aim: under 600 MB.",
            "prior_simulation",
            ("--peak", "100000000"),
            "Memory grows with the square root of the number of draws: what is kept is the draws near each quantile.",
            plain=True,
        ),
        Section(
            "Growth",
            "Prior files of any size, made up: how long they take to prepare (read, record) and to sample. The "
            "structure is data of one compiled function, so that there is nothing to compile for any of them; the "
            "last column is what PyMC takes to compile the same file.",
            "growing",
            ("--figure", "docs/growth.png"),
            "Recording is linear in what there is to compute. A disputed fact doubles what it gates, since all "
            "combinations are summed; that is what limits, and ten facts are the most a file may have. Otherwise "
            "sampling grows with the instructions of the tape.\n\n"
            "![Preparing and sampling against the size of the prior file](growth.png)",
        ),
        Section("Past one machine", "", "cluster", (), ""),
    )


def measured(section: Section) -> str:
    """Return what the module of a section prints."""
    click.echo(f"measuring: {section.title}", err=True)
    command = (sys.executable, "-m", f"benchmarks.{section.module}", *section.arguments)
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return f"```text\n{found}\n```" if section.plain else found


def machine() -> str:
    """Return the machine and the versions, in a sentence."""
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"no {name}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Measured on {os.cpu_count()} processors ({platform.machine()}, {memory:.0f} GiB), "
        f"Python {platform.python_version()}, {', '.join(found)}."
    )


def page(parts: Sequence[tuple[Section, str]]) -> str:
    """Return the page; a section without words of its own prints its heading too."""
    texts = [f"{HEAD}\n{machine()}"]
    for section, found in parts:
        words = [f"## {section.title}", section.words] if section.words else []
        texts.append("\n\n".join([*words, found, *([section.limits] if section.limits else [])]))
    return "\n\n".join(texts) + "\n"


@click.command()
@click.option("--runs", type=click.IntRange(1, 50), default=5, show_default=True, help="Pairs of each comparison.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("docs/performance.md"), show_default=True)
def main(runs: int, output: Path) -> None:
    """Measure everything and write the page."""
    parts = [(section, measured(section)) for section in sections(runs)]
    output.write_text(page(parts), encoding="utf-8")
    click.echo(output)


if __name__ == "__main__":
    main()
