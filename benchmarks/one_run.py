"""Time one run of the product against the same model written by hand: whole processes, in turn.

    python -m benchmarks.one_run [RUNS]

Prints, for each measure, the medians of both and of the ratios round by round. The first round warms the caches and
is not counted. Sampling settings are the same on both sides: 4 chains, 1,000 draws to tune and 2,000 kept, two cores.
The peer in PyMC is there always; those in NumPyro and Stan where their packages are.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile

from benchmarks.processes import SIMULATE, runs_wanted, table

RUN = (*SIMULATE, "run", "--priors", "semianalysis", "--quiet", "--again")
PEERS = {"PyMC": ("pymc", "pymc_by_hand"), "NumPyro": ("numpyro", "numpyro_by_hand"), "Stan": ("stan", "stan_by_hand")}
"""By name: the package that a peer needs, and its module."""


def by_hand(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"benchmarks.peers.{module}")


def main() -> None:
    """Run the comparison, with figures and without against PyMC, without against the others."""
    runs = runs_wanted(5)
    print(f"{os.cpu_count()} processors, {runs} rounds\n")
    peers = {name: by_hand(module) for name, (package, module) in PEERS.items() if importlib.util.find_spec(package)}
    compared = {f"{peer}, without figures": ("bare", peer) for peer in peers}
    with tempfile.TemporaryDirectory() as out:
        commands = {"whole": (*RUN, "--out", out), "bare": (*RUN, "--out", out, "--no-figures"), **peers}
        table(commands, {"PyMC, everything written and drawn": ("whole", "PyMC"), **compared}, runs)


if __name__ == "__main__":
    main()
