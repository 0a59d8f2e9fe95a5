"""Measure what a sweep costs on one core, and work out what a million points cost on a cluster.

    python -m benchmarks.cluster [--priors NAME] [--fits N] [--tasks N]

Prints the section "Past one machine" of `docs/performance.md` as Markdown: processor time and bytes of a point, what
the scheduler and the client spend on it, the throughput of one and two workers, and the arithmetic for a million.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from simulate import cluster, grid_file, journal, layers, results, workforce
from simulate.cluster import Cluster
from simulate.grid import Grid, Point
from simulate.layers import Layers
from simulate.sweep import Outcome, Sweeping, checked
from simulate.workforce import Clock

POINTS = """
schema = 1
[settings]
draws = 1000
[axes]
"scope.horizon" = {{ from = 2, to = 6, steps = 2 }}
seed = {{ from = 1, to = {number}, steps = {number} }}
"""
"""Refits of 4 chains and 1000 kept draws each: two horizons, and as many seeds as it takes."""

STUDY = 1_000_000
CLUSTERS = (16, 256, 1024, 4096)
ENDLESS = 10_000
"""Cores beyond which what is measured here says nothing."""


@dataclass(frozen=True)
class Recorded:
    """A job that takes no time: every point has the outcome of one that was made before."""

    outcome: Outcome

    def prepared(self) -> Callable[[Point], Outcome]:
        return self.made

    def made(self, point: Point) -> Outcome:
        return dataclasses.replace(self.outcome, number=point.number, set=point.set, options=point.options.model_dump())


@dataclass(frozen=True)
class Cost:
    """What was measured: processor time [s] and bytes of a point, of a task, and points a second by workers."""

    fit: float
    line: float
    sent: float
    scheduler_task: float
    scheduler_point: float
    client_task: float
    client_point: float
    disk: float
    throughput: dict[int, float]

    def busy(self, task: float, point: float, cores: float) -> float:
        """Return the share of its time that is spent by what spends so much on a batch and on a point [s]."""
        return cores * (task / max(cluster.length(int(cores)), self.fit) + point / self.fit)

    def most(self, task: float, point: float) -> int:
        """Return how many cores keep it busy all the time."""
        return next((cores for cores in range(1, ENDLESS) if self.busy(task, point, cores) >= 1), ENDLESS)


# ---------------------------------------------------------------------------------------------
# Measuring


def study(folder: Path, number: int, priors: str) -> tuple[Layers, Grid]:
    """Return a prior file and a grid of ``2 × number`` points."""
    file = folder / f"grid-{number}.toml"
    file.write_text(POINTS.format(number=number))
    points = grid_file.read(file)
    return checked(layers.read(layers.find(priors)), points), points


def fitted(read: Layers, points: Grid, number: int) -> tuple[float, list[Outcome]]:
    """Return the processor time of a point [s], the median of some after two that are not counted; and the points."""
    made = Sweeping(read).prepared()
    seconds, outcomes = [], []
    for place in range(number + 2):
        start = time.process_time()
        outcomes.append(made(points.point(place)))
        seconds.append(time.process_time() - start)
    return statistics.median(seconds[2:]), outcomes[2:]


def throughput(read: Layers, points: Grid, workers: int, number: int) -> float:
    """Return points a second of a cluster of workers on this machine, after some by which each prepares itself."""
    with cluster.local(workers) as by:
        for _ in by.make(Sweeping(read), map(points.point, range(4 * workers))):
            pass
        start = time.perf_counter()
        made = sum(len(some) for some in by.make(Sweeping(read), map(points.point, range(number))))
        return made / (time.perf_counter() - start)


class Batches(Cluster):
    """A cluster whose batches have the size that they are given."""

    fixed = 1

    def send(self, done: object, shared: object, items: Iterator[object]) -> None:
        """Send out batches of that size."""
        self.size = self.fixed
        super().send(done, shared, items)


def overhead(outcome: Outcome, points: Grid, folder: Path, tasks: int, size: int) -> tuple[float, float]:
    """Return processor time of scheduler and client for a batch of so many points that take no time [s].

    The scheduler is a process of its own, with one worker; the client keeps every point in a journal.
    """
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    address = folder / f"scheduler-{size}.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([*command, "--no-dashboard", "--scheduler-file", str(address)], **quiet)  # type: ignore[call-overload]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(address)]
    hand = subprocess.Popen([*worker, "--nthreads", "1", "--no-nanny", "--no-dashboard"], **quiet)  # type: ignore[call-overload]
    try:
        while not address.exists():
            time.sleep(0.1)
        with cluster.connected(address_in(address)) as by:
            batches = Batches(by.client, by.address, by.versions)
            batches.fixed = size
            keep(batches, outcome, points, folder / f"warm-{size}", 50 * size)
            before, ours = processor(scheduler.pid), time.process_time()
            keep(batches, outcome, points, folder / f"kept-{size}", tasks * size)
            return (processor(scheduler.pid) - before) / tasks, (time.process_time() - ours) / tasks
    finally:
        for process in (hand, scheduler):
            process.terminate()
            process.wait()


def address_in(file: Path) -> str:
    """Return the address that a scheduler wrote into a file."""
    return str(json.loads(file.read_text())["address"])


def processor(pid: int) -> float:
    """Return the processor time of a process so far [s]."""
    found = psutil.Process(pid).cpu_times()
    return float(found.user + found.system)


def keep(by: Cluster, outcome: Outcome, points: Grid, folder: Path, number: int) -> None:
    """Make so many points and keep them as a sweep does."""
    place = journal.Journal(folder, "points.jsonl", results.signed({}), "point", "sweep", "benchmark")
    with place.opened({}) as file:
        clock = Clock(None, 0, number, "points")
        made = by.make(Recorded(outcome), map(points.point, range(number)))
        for _ in workforce.kept(place, file, made, dataclasses.asdict, clock):
            pass


def waiting(outcome: Outcome, folder: Path, times: int = 100) -> float:
    """Return how long the disk takes to keep a line, beside the processor time [s]: a median."""
    place = journal.Journal(folder, "points.jsonl", results.signed({}), "point", "sweep", "benchmark")
    seconds = []
    with place.opened({}) as file:
        for _ in range(times):
            start, ours = time.perf_counter(), time.process_time()
            place.append(file, [dataclasses.asdict(outcome)])
            seconds.append(time.perf_counter() - start - (time.process_time() - ours))
    return statistics.median(seconds)


def measure(priors: str, fits: int, tasks: int) -> Cost:
    """Return what everything costs here."""
    many = 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        read, points = study(folder, tasks * many, priors)
        fit, outcomes = fitted(read, points, fits)
        line = statistics.mean(
            len(journal.canonical(results.signed(dataclasses.asdict(outcome)))) + 1 for outcome in outcomes
        )
        sent = len(pickle.dumps(cluster.Batch(outcomes, 1.0))) / len(outcomes)
        single, of_many = (overhead(outcomes[0], points, folder, tasks, size) for size in (1, many))
        per_point = [max(0.0, more - one) / (many - 1) for one, more in zip(single, of_many, strict=True)]
        per_task = [one - each for one, each in zip(single, per_point, strict=True)]
        disk = waiting(outcomes[0], folder / "disk")
        by_workers = {workers: throughput(read, points, workers, 2 * fits * workers) for workers in (1, 2)}
    return Cost(fit, line, sent, per_task[0], per_point[0], per_task[1], per_point[1], disk, by_workers)


# ---------------------------------------------------------------------------------------------
# Working out


def section(cost: Cost, priors: str) -> str:
    """Return "Past one machine" as Markdown: what was measured, and what follows for a million points."""
    return "\n\n".join(["## Past one machine", measured(cost, priors), worked_out(cost), machine()]) + "\n"


def measured(cost: Cost, priors: str) -> str:
    rows = [
        ("processor time of a point (4 chains × 1000 kept draws, summary and verdict)", f"{cost.fit:.2f} s"),
        ("a point on disk (`points.jsonl`)", f"{cost.line:,.0f} bytes"),
        ("a point between worker and client", f"{cost.sent:,.0f} bytes"),
        ("scheduler, of a batch and of each point in it", per(cost.scheduler_task, cost.scheduler_point)),
        ("client, of a batch and of each point in it, kept", per(cost.client_task, cost.client_point)),
        ("client, waiting for the disk, of a batch", f"{1e3 * cost.disk:.2f} ms"),
        *((f"throughput of workers here: {n}", f"{each:.2f} points/s") for n, each in cost.throughput.items()),
    ]  # fmt: skip
    lines = "\n".join(f"| {what} | {value} |" for what, value in rows)
    return f"Measured on `{priors}`, each point a refit:\n\n| what | |\n|---|---|\n{lines}"


def per(task: float, point: float) -> str:
    return f"{1e3 * task:.2f} ms + {1e3 * point:.2f} ms"


def worked_out(cost: Cost) -> str:
    """Return the arithmetic for a study of a million points."""
    spent = {
        "scheduler": (cost.scheduler_task, cost.scheduler_point),
        "client": (cost.client_task + cost.disk, cost.client_point),
    }
    most = {name: cost.most(*its) for name, its in spent.items()}
    tight = min(most, key=lambda name: most[name])
    hours = STUDY * cost.fit / 3600
    lines = [
        f"Core-hours: {STUDY:,} × {cost.fit:.2f} s / 3600 = **{hours:,.0f}**.",
        f"On disk: {STUDY:,} × {cost.line:,.0f} bytes = {STUDY * cost.line / 1e9:.1f} GB of points.",
        f"A batch takes L = max({cluster.TASK:g} s, cores / {cluster.OFTEN:g}), and has L / {cost.fit:.2f} s points.",
        *(arithmetic(cost, name, *its, most[name]) for name, its in spent.items()),
        f"**So it saturates at about {rounded(most[tight])} cores, at the {tight}.** More workers than that wait.",
        "Not measured: how much more a batch costs a scheduler that has many workers, and the network between them.",
    ]
    table = "\n".join(f"| {n:,} | {hours / min(n, most[tight]):,.1f} h |" for n in CLUSTERS)
    return "\n".join(f"- {line}" for line in lines) + f"\n\n| cores | {STUDY:,} points |\n|---|---|\n{table}"


def arithmetic(cost: Cost, name: str, task: float, point: float, most: int) -> str:
    """Return how many cores one scheduler, or one client, keeps busy."""
    length = max(cluster.length(most), cost.fit)
    share = "all" if most < ENDLESS else "a part of"
    return (
        f"The {name} is busy {share} the time at C = {rounded(most)} cores: "
        f"C × ({1e3 * task:.2f} ms / {length:.1f} s + "
        f"{1e3 * point:.3f} ms / {cost.fit:.2f} s) = {cost.busy(task, point, most):.2f}."
    )


def rounded(cores: int) -> str:
    """Return a number of cores to two digits, which is more than the measurements support."""
    return f"{float(f'{cores:.2g}'):,.0f}"


def machine() -> str:
    names = ("dask", "distributed", "nutpie", "numpy", "numba")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    load = f"load average {os.getloadavg()[0]:.1f} at the end"
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), {load}, Python {platform.python_version()}, {versions}."
    )


def past_one_machine(priors: str = "semianalysis", fits: int = 20, tasks: int = 500) -> str:
    """Return the section, measured here and now."""
    return section(measure(priors, fits, tasks), priors)


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--priors", default="semianalysis")
    parser.add_argument("--fits", type=int, default=20, help="points whose processor time is measured")
    parser.add_argument("--tasks", type=int, default=500, help="empty batches by which the scheduler is measured")
    given = parser.parse_args()
    print(past_one_machine(given.priors, given.fits, given.tasks))


if __name__ == "__main__":
    main()
