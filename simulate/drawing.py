"""The figures of a run, drawn by a process of their own while the run is written; what it has not begun, by this one.

The process is a copy of this one, with its draws and all that it has imported, so that the figures are those that this
process would draw. Where there is one core, or no copy is sound, or the copy is no more, this process draws them all.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from simulate import plots, processes
from simulate.errors import RunError
from simulate.postponing import imported

PREPARED = ("arviz", "simulate.ladder_plot", "simulate.panel_plots", "simulate.row_plots", "simulate.chain_plots")


@dataclass
class Drawing:
    """Draws figures of some kinds into a folder, with ``beside`` in another process too, where that is sound."""

    folder: Path
    kinds: Sequence[str]
    beside: bool
    asked: tuple[Mapping[str, Any], Any] | None = None
    other: Other | None = None

    def prepare(self) -> None:
        """Import what draws, and draw something, so that fonts are found and what is loaded late is loaded."""
        if self.kinds:
            imported(*PREPARED)
            warm()

    def begin(self, manifest: Mapping[str, Any], tree: Any) -> None:
        """Begin the figures of a run; `end` waits for them."""
        self.asked = manifest, tree
        if self.kinds and self.beside and processes.is_copied():
            tickets = ticketed(len(self.kinds))
            try:
                self.other = Other(*processes.start(work, self, tickets, shared=self.prepare), tickets)
            except OSError:  # the machine allows no more processes
                os.close(tickets)

    def end(self) -> None:
        """Return when the figures are there. Raises `RunError` where the disk refuses."""
        if self.other:
            self.draw_waiting(self.other.tickets)
            with contextlib.suppress(EOFError, ConnectionResetError):
                if error := self.other.connection.recv():
                    raise RunError(error)
        if self.asked:
            self.draw(plots.absent(self.folder, self.kinds))

    def draw_waiting(self, tickets: int) -> None:
        """Draw the figures that nobody has begun, one after another."""
        while ticket := os.read(tickets, 1):
            self.draw([self.kinds[ticket[0]]])

    def draw(self, kinds: Sequence[str]) -> None:
        assert self.asked
        plots.save(self.folder, kinds, *self.asked)


@dataclass(frozen=True)
class Other:
    """A process that draws, and the ``tickets`` that both processes take."""

    connection: Connection
    process: Any
    tickets: int

    def end(self) -> None:
        """End the process, whatever it is at."""
        self.process.terminate()
        self.process.join()
        self.connection.close()
        os.close(self.tickets)


def ticketed(number: int) -> int:
    """Return the end of a pipe from which whoever reads a byte takes a ticket: a number from 0 on, once; then nothing.

    A copy of this process has the same end.
    """
    end, start = os.pipe()
    os.write(start, bytes(range(number)))
    os.close(start)
    return end


@contextlib.contextmanager
def drawing(folder: Path, kinds: Sequence[str], beside: bool) -> Iterator[Drawing]:
    """Give what draws some kinds of figures into a folder; its process, where it has one, ends with the block."""
    found = Drawing(folder, kinds, beside)
    try:
        yield found
    finally:
        if found.other:
            found.other.end()


def work(connection: Connection, drawing: Drawing, tickets: int) -> None:
    """Draw figures, and answer with what went wrong, in words."""
    with contextlib.suppress(BrokenPipeError):
        try:
            with np.errstate(all="ignore"):
                drawing.draw_waiting(tickets)
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
