"""Who makes the results of a study: this process, or several on this machine. `simulate.cluster` has other machines.

A study is many jobs of one kind, each of which depends on its item alone. So results are the same whoever makes
them, in whatever order.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from simulate import pipeline, processes, samplers
from simulate.errors import SimulateError
from simulate.inference import Progress
from simulate.journal import Journal

IDLE = frozenset({"arviz", "arviz-base", "arviz-plots", "h5netcdf", "h5py", "matplotlib", "xarray"})
"""Libraries whose versions change what is drawn and written of a run, and not its numbers."""


def deciding(versions: Mapping[str, str]) -> dict[str, str]:
    """Return those of the versions that decide numbers."""
    return {name: version for name, version in versions.items() if name not in IDLE}


class Job(Protocol):
    """What is done to each item; it is sent to each worker once, and so can be pickled."""

    def prepared(self) -> Callable[[Any], Any]:
        """Return what makes the result of an item, with all that is needed for every one of them."""


class Workforce(Protocol):
    """Makes the results of items."""

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions that make them, as `pipeline.versions` has them."""

    def make(self, job: Job, items: Iterator[Any]) -> Iterator[list[Any]]:
        """Yield results, some at a time, in the order in which they are done.

        Raises `SimulateError` where one cannot be made.
        """


@dataclass(frozen=True)
class Local:
    """The process itself, or as many ``processes`` of its own, each of which takes an item at a time."""

    processes: int = 1

    @property
    def versions(self) -> Mapping[str, str]:
        return pipeline.versions()

    def make(self, job: Job, items: Iterator[Any]) -> Iterator[list[Any]]:
        first = list(itertools.islice(items, self.processes))
        every = itertools.chain(first, items)
        if len(first) > 1:
            yield from made_by(job, every, len(first))
        elif first:
            yield from made_here(job, every)


def kept(
    journal: Journal,
    file: Any,
    made: Iterator[list[Any]],
    line: Callable[[Any], Mapping[str, Any]],
    clock: Clock,
) -> Iterator[tuple[int, Any]]:
    """Yield results once the disk has them, each with the place of its ``line`` in the journal.

    Raises `KeyboardInterrupt` with what was kept when interrupted.
    """
    try:
        for some in made:
            places = journal.append(file, map(line, some))
            clock.tick(len(some))
            yield from zip(places, some, strict=True)
    except KeyboardInterrupt:
        words = f"{clock.done} of {clock.total} {clock.what} are kept; the same command goes on from there"
        raise KeyboardInterrupt(f"interrupted; {words}") from None


@dataclass
class Clock:
    """Says how many results (``what``) there are and how long the rest takes, by those made since it was started."""

    progress: Progress | None
    done: int
    total: int
    what: str
    start: float = field(default_factory=time.monotonic)
    made: int = 0

    def __post_init__(self) -> None:
        self.say("compiling")

    def tick(self, number: int = 1) -> None:
        self.done, self.made = self.done + number, self.made + number
        left = (self.total - self.done) * (time.monotonic() - self.start) / self.made
        self.say(f"{self.done} of {self.total} {self.what}, {duration(left)} left,")

    def say(self, what: str) -> None:
        if self.progress and self.done < self.total:
            self.progress(what, self.done, self.total)


def duration(seconds: float) -> str:
    """Return a time to wait in words.

    >>> duration(42.0), duration(754.0), duration(30_000.0)
    ('42 s', '13 min', '8.3 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


# ---------------------------------------------------------------------------------------------
# Processes of our own


def made_here(job: Job, items: Iterator[Any]) -> Iterator[list[Any]]:
    """Yield results that this process makes."""
    made = job.prepared()
    yield from ([made(item)] for item in items)


def made_by(job: Job, items: Iterator[Any], number: int) -> Iterator[list[Any]]:
    """Yield results that several processes make, each of which prepares the job once; this one, where none can start.

    A worker whose pipe is closed ends: at the latest with the process that started it, however that ends.
    """
    workers: dict[Connection, Any] = {}
    try:
        with contextlib.suppress(OSError):  # the machine allows no more: those that there are do all
            for _ in range(number):
                connection, worker = processes.start(work, job, shared=samplers.prepare)
                workers[connection] = worker
                connection.send(next(items, None))
        yield from collected(workers, items) if workers else made_here(job, items)
    finally:
        for connection, worker in workers.items():
            connection.close()
            worker.terminate()
            worker.join()


def collected(workers: Iterable[Connection], waiting: Iterator[Any]) -> Iterator[list[Any]]:
    """Yield what workers send, and send each of them the next item that is ``waiting``, or that none is."""
    busy = set(workers)
    while busy:
        for connection in wait(busy):
            assert isinstance(connection, Connection)
            result = received(connection)
            upcoming = next(waiting, None)
            connection.send(upcoming)
            busy -= {connection} if upcoming is None else set()
            yield [result]


def received(connection: Connection) -> Any:
    """Return the result that a worker sends. Raises `SimulateError` where it could make none, or is no more."""
    try:
        result, error = connection.recv()
    except (EOFError, ConnectionResetError):
        raise SimulateError(
            "a process that was at work has died, perhaps for want of memory; what was done is kept, and the same "
            "command goes on from there"
        ) from None
    if error:
        raise SimulateError(error)
    return result


def work(connection: Connection, job: Job) -> None:
    """Make the results of the items that come, until there is none, and send each back, or what went wrong in words."""
    made = None
    with contextlib.suppress(EOFError, BrokenPipeError):
        while (item := connection.recv()) is not None:
            try:
                made = made or job.prepared()
                connection.send((made(item), ""))
            except SimulateError as error:
                connection.send((None, str(error)))
