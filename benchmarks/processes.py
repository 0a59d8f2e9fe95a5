"""Whole processes timed in turn, so that what else the machine does falls on both sides alike."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

SIMULATE = (sys.executable, "-c", "from simulate.cli import main; main()")


def measure(command: Sequence[str]) -> tuple[float, float]:
    """Return wall and processor time [s] of one process and its children.

    Python may cache the bytecode it compiles, whatever the shell says: an installed program has its own.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name: str, command: Sequence[str], peer: Sequence[str], runs: int) -> None:
    """Print how ``command`` compares with ``peer``, over ``runs`` pairs after one that is not counted."""
    pairs = [(measure(command), measure(peer)) for _ in range(runs + 1)][1:]
    for kind, which in (("wall", 0), ("processor", 1)):
        ours, theirs = ([pair[side][which] for pair in pairs] for side in (0, 1))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        print(
            f"{name:24} {kind:10} ours {statistics.median(ours):6.3g} s   peer {statistics.median(theirs):6.3g} s"
            f"   ratio {ratio:.2f}",
            flush=True,
        )


def runs_wanted(default: int) -> int:
    """Return the number of pairs that the command line asks for."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else default
