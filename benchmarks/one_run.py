"""Time one run of the product against the same model written by hand in PyMC: whole processes, in turn.

    python -m benchmarks.one_run [RUNS]

Prints, for each measure, the median of both and the median of the ratios pair by pair. The first pair warms
the caches and is not counted. Sampling settings are the same on both sides: 4 chains, 1,000 draws to tune
and 2,000 kept, two cores.
"""

from __future__ import annotations

import os
import sys
import tempfile

from benchmarks.processes import SIMULATE, compare, runs_wanted

RUN = (*SIMULATE, "run", "--priors", "semianalysis", "--quiet")
PEER = (sys.executable, "-m", "benchmarks.peers.pymc_by_hand")


def main() -> None:
    """Run the comparison with and without figures."""
    runs = runs_wanted(5)
    print(f"{os.cpu_count()} processors, {runs} pairs")
    with tempfile.TemporaryDirectory() as out:
        compare("run, with figures", [*RUN, "--out", out], PEER, runs)
        compare("run, without figures", [*RUN, "--out", out, "--no-figures"], PEER, runs)


if __name__ == "__main__":
    main()
