"""Whole processes timed in turn, so that what else the machine does falls on both sides alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

SIMULATE = (sys.executable, "-c", "from simulate.cli import main; main()")


class Measure(NamedTuple):
    """What a process and its children took: wall and processor time [s], memory of the largest of them [MB]."""

    wall: float
    processor: float
    memory: float


def measure(command: Sequence[str]) -> Measure:
    """Return what one process takes. Raises `CalledProcessError` where it fails.

    Python may cache the bytecode it compiles, whatever the shell says: an installed program has its own.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Measure(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def in_turn(command: Sequence[str], peer: Sequence[str], runs: int) -> list[tuple[Measure, Measure]]:
    """Return ``runs`` pairs of measures, after one pair that warms the caches and is not counted."""
    return [(measure(command), measure(peer)) for _ in range(runs + 1)][1:]


def table(compared: Mapping[str, tuple[Sequence[str], Sequence[str]]], runs: int) -> None:
    """Print how each command compares with its peer, as a Markdown table."""
    print("| | measure | ours | peer | ratio, median (least–largest) |\n|---|---|---:|---:|---:|")
    for name, (command, peer) in compared.items():
        for row in rows(name, in_turn(command, peer, runs)):
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
