"""A sweep on disk: points are made in any order and by any workforce, kept one by one, and never made twice.

::

    results/sweep/<prior file>-<digest>-<hash of grid and versions>/
        priors/         the exact prior files
        grid.toml       the grid, as it was given first
        points.jsonl    what is swept, then one point a line (`simulate.journal`)
        sweep.csv …     the tables, made anew from the points each time

A point depends on prior file, grid and number alone. What is held in memory is where each point's line begins, never
the points themselves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate import journal, loading, results, workforce
from simulate.grid import Grid, Point
from simulate.inference import Progress
from simulate.journal import Journal
from simulate.layers import Layers
from simulate.priors import Priors
from simulate.sweep import Outcome, Sweeping, checked, read_outcome
from simulate.workforce import Clock, Local, Workforce

FOLDER = "sweep"
"""Where sweeps lie in the folder of runs."""

POINTS = "points.jsonl"
GRID = "grid.toml"
NONE = -1


@dataclass(frozen=True)
class Swept:
    """A sweep that is complete on disk; ``places`` [point] are where the points' lines begin."""

    priors: Priors
    grid: Grid
    journal: Journal
    places: NDArray[np.int64]

    @property
    def folder(self) -> Path:
        return self.journal.folder

    def outcomes(self) -> Iterator[tuple[Point, Outcome]]:
        """Yield every point with what came out there, by number; one at a time is in memory."""
        with self.journal.file.open("rb") as file:
            for number, place in enumerate(self.places):
                content = self.journal.at(file, int(place))
                outcome = read_outcome(content) if content else None
                if outcome is None:
                    raise self.journal.damaged([f"point {number} has changed since it was read"])
                yield self.grid.point(number), outcome


def sweep(
    read: Layers, grid: Grid, *, out: Path, by: Workforce | None = None, progress: Progress | None = None
) -> Swept:
    """Return the sweep of a prior file over a grid; points that are there are taken, others made ``by`` a workforce.

    Raises `InputError` with what is wrong with the values of the grid, `RunError` where the disk refuses,
    `DamagedRunError` where what is there are not points of this sweep, and `KeyboardInterrupt` with what was kept
    when interrupted. A point at which nothing can be sampled is kept as such.
    """
    by = by or Local()
    job = Sweeping(checked(read, grid))
    priors = loading.check(read)
    place = place_of(priors, grid, out, by.versions)
    with place.opened(priors.texts, {GRID: grid.text}) as file:
        places = index(place, grid)
        numbers = np.flatnonzero(places == NONE)
        missing = (grid.point(int(number)) for number in numbers)
        clock = Clock(progress, grid.size - len(numbers), grid.size, "points")
        for at, outcome in workforce.kept(place, file, by.make(job, missing), dataclasses.asdict, clock):
            places[outcome.number] = at
    return Swept(priors, grid, place, places)


def place_of(priors: Priors, grid: Grid, out: Path, versions: Mapping[str, str]) -> Journal:
    """Return where the points of a prior file and a grid by some versions are kept."""
    decides = {
        "format": 1,
        "grid": grid.decides,
        "versions": workforce.deciding(versions),
    }
    folder = out / FOLDER / f"{priors.name}-{priors.digest[:8]}-{journal.mark(decides)}"
    head: dict[str, Any] = {**decides, "digest": priors.digest, "settings": list(priors.settings)}
    return Journal(folder, POINTS, results.signed(head), "point", "sweep", "prior file, grid and version")


def index(place: Journal, grid: Grid) -> NDArray[np.int64]:
    """Return where the line of each point begins [byte], (point), `NONE` where there is none yet.

    Raises `DamagedRunError` with every line that is not what was written here.
    """
    places = np.full(grid.size, NONE, dtype=np.int64)
    twice = False
    for at, number in place.entries(lambda content: number_of(content, grid)):
        twice = twice or places[number] != NONE
        places[number] = at
    if twice:
        raise place.twice()
    return places


def number_of(content: Any, grid: Grid) -> int | None:
    """Return the number of the point that a line is of, and None for what is no point of this grid."""
    outcome = read_outcome(content)
    if outcome is None or not 0 <= outcome.number < grid.size:
        return None
    point = grid.point(outcome.number)
    same = outcome.set == point.set and dict(outcome.options) == point.options.model_dump()
    return outcome.number if same else None
