"""Whole processes timed in turn, so that what else the machine does falls on both sides alike."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SIMULATE = (sys.executable, "-c", "from simulate.cli import main; main()")


class Measure(NamedTuple):
    """What a process and its children took: wall and processor time [s], and the most memory at once [MB].

    Memory is that of all of them together, what they share counted once, looked at every twentieth of a second.
    """

    wall: float
    processor: float
    memory: float


def measure(command: Sequence[str], **variables: str) -> Measure:
    """Return what one process takes, with environment ``variables``. Raises `CalledProcessError` where it fails.

    Python may cache the bytecode it compiles, whatever the shell says: an installed program has its own.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | variables
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watch = Watch(process.pid)
    watch.start()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    watch.over.set()
    watch.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Measure(wall, used.ru_utime + used.ru_stime, watch.most / 1024)


class Watch(threading.Thread):
    """Watches how much memory a process and its children hold together, and keeps the most [KiB]."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.over = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.05):
            self.most = max(self.most, sum(map(proportional, family(self.pid))))


def family(pid: int) -> Iterable[int]:
    """Yield a process and all that descend from it."""
    yield pid
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in listed.read_text().split():
                yield from family(int(child))


def proportional(pid: int) -> int:
    """Return the memory of a process [KiB], what it shares divided among those who share it."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def in_turn(commands: Mapping[str, Sequence[str]], runs: int) -> dict[str, list[Measure]]:
    """Return ``runs`` measures of each command, after one that warms the caches and is not counted."""
    rounds = [{name: measure(command) for name, command in commands.items()} for _ in range(runs + 1)][1:]
    return {name: [one[name] for one in rounds] for name in commands}


def table(commands: Mapping[str, Sequence[str]], compared: Mapping[str, tuple[str, str]], runs: int) -> None:
    """Measure commands in turn, and print how pairs of them compare, as a Markdown table."""
    found = in_turn(commands, runs)
    print("| | measure | ours | peer | ratio, median (least–largest) |\n|---|---|---:|---:|---:|")
    for name, (ours, peer) in compared.items():
        for row in rows(name, list(zip(found[ours], found[peer], strict=True))):
            print(row, flush=True)


def rows(name: str, pairs: Sequence[tuple[Measure, Measure]]) -> Iterable[str]:
    """Yield the rows of a table: medians of both sides, and the ratios pair by pair."""
    for kind, unit in (("wall", "s"), ("processor", "s"), ("memory", "MB")):
        ours, theirs = ([getattr(side, kind) for side in sides] for sides in zip(*pairs, strict=True))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        medians = " | ".join(f"{statistics.median(side):.3g} {unit}" for side in (ours, theirs))
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        yield f"| {name} | {kind} | {medians} | {spread} |"


def runs_wanted(default: int) -> int:
    """Return the number of pairs that the command line asks for."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else default
