"""The figures of a run, drawn by a process of their own while the run is computed and written.

Drawing and the libraries for it take as long as everything else. The process imports them while chains are drawn,
and draws from the same draws in memory, so that the figures are those that this process would draw. Where there is
one core, or the process is no more, this process draws them.

What both need is imported once, where the process is a copy of this one.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from simulate import plots, processes
from simulate.errors import RunError
from simulate.postponing import imported

SHARED = ("xarray", "scipy.stats")
"""What both processes need, and one imports for both."""
PREPARED = ("arviz", "simulate.ladder_plot", "simulate.panel_plots", "simulate.row_plots", "simulate.chain_plots")


@dataclass
class Drawing:
    """Draws figures into a folder: elsewhere where there is a ``connection`` to another process."""

    folder: Path
    kinds: Sequence[str]
    connection: Connection | None = None
    asked: tuple[Mapping[str, Any], Any] | None = None

    def begin(self, manifest: Mapping[str, Any], tree: Any) -> None:
        """Ask for the figures of a run; `end` waits for them."""
        self.asked = manifest, tree
        if self.connection:
            try:
                self.connection.send((self.folder, tuple(self.kinds), dict(manifest), tree))
            except (BrokenPipeError, ConnectionResetError):
                self.connection = None

    def end(self) -> None:
        """Return when the figures are there. Raises `RunError` where the disk refuses."""
        if not self.asked or not self.kinds:
            return
        if self.connection:
            with contextlib.suppress(EOFError, ConnectionResetError):
                if error := self.connection.recv():
                    raise RunError(error)
                return
        plots.save(self.folder, self.kinds, *self.asked)


@contextlib.contextmanager
def drawing(folder: Path, kinds: Sequence[str], cores: int) -> Iterator[Drawing]:
    """Give what draws some kinds of figures into a folder; its process, where it has one, ends with the block."""
    if not kinds or cores < 2:
        yield Drawing(folder, kinds)
        return
    ours, process = processes.start(work, shared=share)
    try:
        yield Drawing(folder, kinds, ours)
    finally:
        ours.close()
        process.terminate()
        process.join()


def share() -> None:
    """Import what both processes need."""
    imported(*SHARED)


def work(connection: Connection) -> None:
    """Draw what is asked for, once, and answer with what went wrong, in words."""
    imported(*PREPARED)
    warm()
    with contextlib.suppress(EOFError, BrokenPipeError):
        folder, kinds, manifest, tree = connection.recv()
        try:
            with np.errstate(all="ignore"):
                plots.save(folder, kinds, manifest, tree)
            connection.send("")
        except RunError as error:
            connection.send(str(error))


def warm() -> None:
    """Draw something, so that fonts are found and what is loaded late is loaded before it is waited for."""
    from matplotlib.figure import Figure

    from simulate.plot_style import house_style

    with house_style():
        figure = Figure()
        axes = figure.subplots()
        axes.plot([1.0, 10.0], [0.0, 1.0], label="$10^6$")
        axes.set(xscale="log", title="–")
        axes.legend()
        for form in ("png", "svg"):
            figure.savefig(io.BytesIO(), format=form)
