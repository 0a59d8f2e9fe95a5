"""One HTML file that says what a run says, or what several say side by side, to be opened by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simulate import results
from simulate.errors import RunError, SimulateError
from simulate.pages.writing import write
from simulate.results import Run

if TYPE_CHECKING:
    import xarray as xr

MOST_RUNS = 12
"""In one page."""

OURS = '<meta name="generator" content="simulate '
"""What a report has in its head, and what may therefore be replaced by another."""


def place_of(runs: Sequence[Run]) -> Path:
    """Return where the report of some runs is written unless a user says otherwise: in the current folder.

    The name of a run from elsewhere cannot lead out of it.
    """
    names = dict.fromkeys(re.sub(r"[^\w.-]+|^\.+", "-", str(run.manifest["name"]))[:60] for run in runs)
    return Path("-".join([*list(names)[:3], *(["and-more"] if len(names) > 3 else []), "report"]) + ".html")


def check_place(path: Path) -> None:
    """Raise `RunError` where a file is there that is no report of ours, before anything is computed for another."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            is_ours = OURS in file.read(10_000)
    except FileNotFoundError:
        return
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"{path}: cannot write: {reason}; choose another place with --to") from error
    if not is_ours:
        raise RunError(f"{path}: exists already, and is no report; choose another place with --to")


def save(runs: Sequence[Run], path: Path) -> Path:
    """Write the report of runs to a path, whole or not at all; an older report is replaced.

    Raises `RunError` where something else is there, and where the disk refuses.
    """
    check_place(path)
    return results.add_file(path, page(runs).encode(), "choose another place with --to")


def page(runs: Sequence[Run]) -> str:
    """Return the report of a run, or of several as a comparison; the same runs give the same text.

    Raises `SimulateError` for more runs than a page has room for, and `RunError` for one whose prior files no longer
    mean what it was made of.
    """
    if len(runs) > MOST_RUNS:
        raise SimulateError(f"{len(runs)} runs; a report has room for {MOST_RUNS}")
    if len({run.folder.resolve() for run in runs}) < len(runs):
        raise RunError("a run is given twice; a comparison is of different runs")
    opened = [Opened(run.folder, run.manifest, run.tree()) for run in runs]
    if len(runs) == 1:
        from simulate import report_content

        return write("report.html", **report_content.content(opened[0]))
    from simulate import report_comparison

    return write("comparison.html", **report_comparison.content(opened))


@dataclass(frozen=True)
class Opened(Run):
    """A run whose draws are opened once, however often they are asked for."""

    draws: xr.DataTree

    def tree(self, *groups: str) -> xr.DataTree:
        return self.draws
