"""Time the first run after an installation against the first run of the peer in PyMC: nothing is kept from before.

    python -m benchmarks.cold

Once each, in turn: every cache that either side keeps between processes (Numba's, PyTensor's, our tables) is in an
empty folder. The bytecode of the libraries is there.
"""

from __future__ import annotations

import tempfile

from benchmarks.one_run import PEERS, RUN, by_hand
from benchmarks.processes import Measure, measure, rows

PAIRS = 1


def cold(*command: str) -> Measure:
    """Return what a command takes that finds nothing kept."""
    with tempfile.TemporaryDirectory() as place:
        kept = {"NUMBA_CACHE_DIR": f"{place}/numba", "SIMULATE_CACHE": f"{place}/tables"}
        return measure(command, **kept, PYTENSOR_FLAGS=f"base_compiledir={place}/pytensor")


def main() -> None:
    """Run the comparison."""
    with tempfile.TemporaryDirectory() as out:
        pairs = [(cold(*RUN, "--out", out), cold(*by_hand(PEERS["PyMC"][1]))) for _ in range(PAIRS)]
    print("| | measure | ours | peer | ratio, median (least–largest) |\n|---|---|---:|---:|---:|")
    for row in rows("PyMC, first run, everything written and drawn", pairs):
        print(row, flush=True)


if __name__ == "__main__":
    main()
