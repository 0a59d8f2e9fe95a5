"""Time one run of the product against the same model written by hand in PyMC: whole processes, in turn.

    python -m benchmarks.one_run [RUNS]

Prints, for each measure, the median of both and the median of the ratios pair by pair. The first pair warms
the caches and is not counted. Sampling settings are the same on both sides: 4 chains, 1,000 draws to tune
and 2,000 kept, two cores.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

RUN = [sys.executable, "-c", "from simulate.cli import main; main()", "run", "--priors", "semianalysis", "--quiet"]
PEER = [sys.executable, "-m", "benchmarks.peers.pymc_by_hand"]


def measure(command: list[str]) -> tuple[float, float]:
    """Return wall and processor time [s] of one process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name: str, command: list[str], runs: int) -> None:
    """Print how ``command`` compares with the peer, over ``runs`` pairs after one that is not counted."""
    pairs = [(measure(command), measure(PEER)) for _ in range(runs + 1)][1:]
    for kind, which in (("wall", 0), ("processor", 1)):
        ours, theirs = ([pair[side][which] for pair in pairs] for side in (0, 1))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        print(
            f"{name:24} {kind:10} ours {statistics.median(ours):6.1f} s   peer {statistics.median(theirs):6.1f} s"
            f"   ratio {ratio:.2f}",
            flush=True,
        )


def main() -> None:
    """Run the comparison with and without figures."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{os.cpu_count()} processors, {runs} pairs")
    with tempfile.TemporaryDirectory() as out:
        compare("run, with figures", [*RUN, "--out", out], runs)
        compare("run, without figures", [*RUN, "--out", out, "--no-figures"], runs)


if __name__ == "__main__":
    main()
