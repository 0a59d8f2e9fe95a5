"""A study on other machines, or on as many processes of this one as are asked for, by `dask.distributed`.

An extra (``pip install '.[cluster]'``). The scheduler gives work that a lost worker had to another one; what is
right here is what makes results the same as anywhere else: every worker must have the very versions that are here,
which is checked before anything is made, and by each worker before its first item, because some come later.

Items go out in batches that take about a second, and longer where there are many workers, a few for each at a time:
the scheduler is never sent all of a study, and spends next to nothing on each item.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulate import pipeline
from simulate.errors import SimulateError
from simulate.interruption import uninterrupted
from simulate.workforce import Job, Local, Workforce, deciding

TIMEOUT = 10.0
"""Seconds in which a scheduler must answer, and have a worker."""

TASK = 1.0
"""Seconds that a batch should take: long beside the milliseconds it costs the scheduler, short beside a wait."""

OFTEN = 100.0
"""Batches that should end in a second, of all workers together: with more workers than that they take longer."""

MOST = 1000
"""Items in a batch."""

AHEAD = 2
"""Batches that are out for each thread of the workers: one at work, one waiting."""

LOOK = 2.0
"""Seconds after which the workers are counted anew."""

NO_PAGES: dict[str, list[str]] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
"""What makes a cluster of our own serve no web page, nor any figure about itself."""

TRANSPORT = ("python", "dask", "distributed", "msgpack", "cloudpickle")
"""What has to be the same on client, scheduler and workers for them to understand one another."""

WHERE = ("system", "processor")
"""Of the versions, those that need not be here what they are on the workers, if they are the same on all of these."""


@contextlib.contextmanager
def workforce(workers: int | None, scheduler: str | None) -> Iterator[Workforce]:
    """Give who is to make results: those of a ``scheduler``'s address, or ``workers`` processes here.

    Without either it is a process for each core, and one worker is this process; neither needs the extra. Raises
    `SimulateError` where the extra is missing, no scheduler with a worker answers, or versions differ.
    """
    if scheduler is not None:
        with connected(scheduler) as found:
            yield found
    elif workers is None or workers == 1:
        yield Local(workers or pipeline.cores())
    else:
        with local(workers) as found:
            yield found


def library() -> Any:
    """Return `dask.distributed`. Raises `SimulateError` where it is not installed."""
    try:
        import distributed
    except ImportError:
        raise SimulateError(
            "--workers and --scheduler need dask.distributed, which is not installed: pip install '.[cluster]'; "
            "without them, all cores of this machine are used"
        ) from None
    return distributed


@contextlib.contextmanager
def local(workers: int) -> Iterator[Cluster]:
    """Give a cluster of so many processes on this machine alone, without a dashboard; it ends with the block."""
    distributed = library()
    import dask

    with uninterrupted(), dask.config.set(NO_PAGES):
        started = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        )
    with started, connected(started.scheduler_address) as found:
        yield found


@contextlib.contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Give the workers of the scheduler at an address."""
    distributed = library()
    if not address.strip():
        raise SimulateError("--scheduler: no address; give one such as tcp://10.0.0.1:8786")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other versions, which are refused below
        try:
            client = distributed.Client(address, timeout=TIMEOUT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise SimulateError(
                f"{address}: no scheduler answers there ({first_line(error)}); start one with `dask scheduler`, "
                "and workers with `dask worker ADDRESS`"
            ) from None
    with silent(), client:
        yield Cluster(client, address, agreed(client, address))


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Keep dask from logging what comes as an error in a line anyway."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]
    before = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


# ---------------------------------------------------------------------------------------------
# Versions


def agreed(client: Any, address: str) -> Mapping[str, str]:
    """Return the versions that all workers have. Raises `SimulateError` with every one that differs, and where."""
    try:
        client.wait_for_workers(1, timeout=TIMEOUT)
    except TimeoutError:
        raise SimulateError(f"{address}: no workers there; start some with `dask worker {address}`") from None
    transport = client.get_versions()
    here = {name: transport["client"]["packages"][name] for name in TRANSPORT}
    others = {"the scheduler": transport["scheduler"], **transport["workers"]}
    faults = [fault for name, found in others.items() if (fault := differing(name, found["packages"], here))]
    if faults:
        raise refused(address, faults)
    return common(address, on_workers(client, address))


def on_workers(client: Any, address: str) -> dict[str, Any]:
    """Return the versions on each worker. Raises `SimulateError` where this package cannot be imported there."""
    try:
        found: dict[str, Any] = client.run(pipeline.versions, on_error="return")
    except Exception as error:  # whatever a foreign environment makes of our code
        found = {"the workers": error}
    if broken := {name: error for name, error in found.items() if isinstance(error, BaseException)}:
        words = [f"{name}: {type(error).__name__}: {first_line(error)}" for name, error in broken.items()]
        raise refused(address, [f"{word} (is the package installed there?)" for word in words])
    return found


def common(address: str, found: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Return the versions of the workers, which must be those here, on processors that all compute alike."""
    first = dict(next(iter(found.values())))
    expected = {**pipeline.versions(), **{name: first[name] for name in WHERE}}
    faults = [fault for name, its in found.items() if (fault := differing(name, its, deciding(expected)))]
    if faults:
        raise refused(address, faults)
    return first


def differing(name: str, found: Mapping[str, Any], expected: Mapping[str, str]) -> str:
    """Return in words what differs at one place; empty where nothing does.

    >>> differing("tcp://10.0.0.2:40001", {"numpy": "2.3.0"}, {"numpy": "2.4.1"})
    'tcp://10.0.0.2:40001: numpy 2.3.0, not 2.4.1'
    """
    other = [f"{key} {found.get(key)}, not {value}" for key, value in expected.items() if found.get(key) != value]
    return f"{name}: {'; '.join(other)}" if other else ""


def refused(address: str, faults: Sequence[str]) -> SimulateError:
    lines = "\n".join(f"  {fault}" for fault in faults)
    return SimulateError(
        f"{address}: other code or libraries there than here, so results would not be the same:\n{lines}\n"
        "install the same versions everywhere, or use workers that are all alike"
    )


# ---------------------------------------------------------------------------------------------
# Work


@dataclass(frozen=True)
class Batch:
    """The results of some items, how long they took [s], and what went wrong in words."""

    results: list[Any]
    seconds: float
    error: str = ""


@dataclass
class Kept:
    """What a worker process keeps between batches: its versions, and the job as it was prepared last."""

    job: Job | None = None
    made: Any = None

    def prepared(self, job: Job) -> Any:
        if self.job is not job:
            self.job, self.made = job, job.prepared()
        return self.made


KEPT = Kept()
own_versions = functools.cache(pipeline.versions)


def handed_on(job: Job) -> Job:
    """Return a job: a task of its own, so that the scheduler can send it again where the worker that has it dies."""
    return job


def batch(job: Job, expected: Mapping[str, str], items: Sequence[Any]) -> Batch:
    """Return the results of some items, made on a worker; what went wrong comes back in words."""
    if fault := differing("a worker that came later", own_versions(), expected):
        return Batch([], 0.0, fault)
    start = time.perf_counter()
    try:
        made = KEPT.prepared(job)
        results = [made(item) for item in items]
    except SimulateError as error:
        return Batch([], 0.0, str(error))
    return Batch(results, time.perf_counter() - start)


def length(threads: int) -> float:
    """Return how long a batch should take with so many threads at work [s].

    >>> length(8), length(1000)
    (1.0, 10.0)
    """
    return max(TASK, threads / OFTEN)


@dataclass
class Cluster:
    """The workers of a scheduler."""

    client: Any
    address: str
    versions: Mapping[str, str]
    size: int = 1
    threads: int = 1
    looked: float = field(default=-LOOK)

    def make(self, job: Job, items: Iterator[Any]) -> Iterator[list[Any]]:
        """Yield results as `Workforce.make` says, batch by batch."""
        distributed = library()
        self.size = 1
        done = distributed.as_completed(loop=self.client.loop)
        try:
            shared = self.client.submit(handed_on, job, pure=False)
            self.send(done, shared, items)
            for future in done:
                found = self.received(future)
                if found.seconds:
                    self.size = max(1, min(MOST, round(length(self.threads) * len(found.results) / found.seconds)))
                yield found.results
                self.send(done, shared, items)
        except distributed.KilledWorker:
            raise SimulateError(
                "several workers died at the same items, perhaps for want of memory; what was done is kept, and the "
                "same command goes on from there"
            ) from None
        except (OSError, distributed.CancelledError) as error:
            raise SimulateError(
                f"{self.address}: the scheduler is gone ({first_line(error)}); what was done is kept, and the same "
                "command goes on from there"
            ) from None

    def send(self, done: Any, shared: Any, items: Iterator[Any]) -> None:
        """Send out batches until there are enough for all workers."""
        if time.monotonic() - self.looked >= LOOK:
            self.threads = max(1, sum(self.client.nthreads().values()))
            self.looked = time.monotonic()
        expected = deciding(self.versions)
        while done.count() < AHEAD * self.threads and (some := list(itertools.islice(items, self.size))):
            done.add(self.client.submit(batch, shared, expected, some, pure=False))

    def received(self, future: Any) -> Batch:
        """Return the batch of a future that is done. Raises `SimulateError` where one of its items cannot be made."""
        found = future.result()
        assert isinstance(found, Batch)
        if found.error:
            raise SimulateError(found.error)
        return found
