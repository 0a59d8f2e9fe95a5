"""Chains drawn by a process of their own, while this one imports what comes after them.

What compiles and plays a tape (LLVM, Arrow) is in the memory of a process that ends with the sampling, and is imported
beside what summarises, writes and draws. The draws are the same wherever they are made.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from simulate import processes, samplers
from simulate.errors import SimulateError
from simulate.evidence import Terms
from simulate.postponing import imported
from simulate.priors import Priors
from simulate.samplers import Drawn, Sampler

if TYPE_CHECKING:
    from simulate.inference import Progress, Settings


@contextlib.contextmanager
def drawn_beside(priors: Priors, settings: Settings, meanwhile: Callable[[], None] | None) -> Iterator[Sampler | None]:
    """Give a sampler that has a process of its own until the block ends; None where it is not used, or cannot be.

    ``meanwhile`` is what this process does while chains are drawn; with nothing to do it draws them itself.
    """
    used = priors.informed and not settings.prior_only and settings.nuts == samplers.NUTPIE
    if not meanwhile or not used or not processes.is_copied():
        yield None
        return
    try:
        connection, process = processes.start(work, shared=share)
    except OSError:  # the machine allows no more
        yield None
        return
    try:
        yield Beside(connection, meanwhile)
    finally:
        process.terminate()
        process.join()
        connection.close()


@dataclass
class Beside:
    """Draws chains by the process at the other end of a connection; here, once that process is no more."""

    connection: Connection
    meanwhile: Callable[[], None] | None
    """What this process does while the first chains are drawn."""

    def __call__(self, priors: Priors, terms: Terms, settings: Settings, progress: Progress | None) -> Drawn:
        """Return what `samplers.by_nutpie` does, and raise what it raises."""
        with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
            self.connection.send((priors, terms, settings, progress is not None))
            samplers.import_next()
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile:
                meanwhile()
            while True:
                match self.connection.recv():
                    case "done", scores, statistics:
                        return scores, statistics
                    case "progress", told if progress:
                        progress(*told)
                    case "error", words:
                        raise SimulateError(words)
        return samplers.by_nutpie(priors, terms, settings, progress)


def share() -> None:
    """Import what both processes need."""
    imported("scipy.stats")


def work(connection: Connection) -> None:
    """Draw the chains that are asked for, and send them back, or what went wrong in words."""
    samplers.import_nutpie()

    def tell(*told: Any) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more; what comes after the chains ends this process
            connection.send(("progress", told))

    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            priors, terms, settings, shown = connection.recv()
            try:
                drawn = samplers.by_nutpie(priors, terms, settings, tell if shown else None, meanwhile=lambda: None)
                connection.send(("done", *drawn))
            except SimulateError as error:
                connection.send(("error", str(error)))
