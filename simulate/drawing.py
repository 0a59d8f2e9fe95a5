"""The figures of a run, drawn by a process of their own while the run is computed and written.

Drawing and the libraries for it take as long as everything else. The process imports them while chains are drawn,
and draws from the same draws in memory, so that the figures are those that this process would draw. Where there is
one core, or the process is no more, this process draws them.

Where the system forks safely, the process begins as a copy of this one, which shares what both need: it is not
imported twice, nor held twice in memory.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import multiprocessing
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from simulate import plots
from simulate.errors import RunError
from simulate.interruption import uninterrupted
from simulate.postponing import OPTIONAL, postponed

SHARED = ("xarray", "scipy.stats")
"""What both processes need, and one imports for both."""
LIVELY = frozenset({"nutpie", "pymc", "distributed"})
"""Packages with threads of their own, which a copy of the process would lack."""
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
    ours, process = started()
    try:
        yield Drawing(folder, kinds, ours)
    finally:
        ours.close()
        process.terminate()
        process.join()


def started() -> tuple[Connection, Any]:
    """Return a connection to a process that waits for figures to draw, and the process."""
    forks = is_forkable()
    context: Any = multiprocessing.get_context("fork" if forks else "spawn")
    ours, theirs = context.Pipe()
    if forks:
        for name in SHARED:
            importlib.import_module(name)
    process = context.Process(target=work, args=(theirs, ours) if forks else (theirs,), daemon=True)
    with uninterrupted(), warnings.catch_warnings():
        # Python warns of threads of any library; those there are at this point wait for work, and are left behind
        warnings.filterwarnings("ignore", ".*multi-threaded.*", DeprecationWarning)
        process.start()
    theirs.close()
    return ours, process


def is_forkable() -> bool:
    """Whether a copy of this process is sound: on Linux, and before it has threads that could hold a lock."""
    return sys.platform == "linux" and threading.active_count() == 1 and not LIVELY & sys.modules.keys()


def work(connection: Connection, other: Connection | None = None) -> None:
    """Draw what is asked for, once, and answer with what went wrong, in words.

    A copy of the process that asks has its end of the connection too, and would not see it close.
    """
    if other:
        other.close()
    with postponed(*OPTIONAL):
        for name in PREPARED:
            importlib.import_module(name)
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
