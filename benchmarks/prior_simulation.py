"""Time the prior simulation against the bare NumPy time of drawing the same unknowns.

    python -m benchmarks.prior_simulation [--draws N] [--pairs N]      the ratio, at 10^6 draws unless told
    python -m benchmarks.prior_simulation --peak 100_000_000           time and peak memory of one large run

The product draws every unknown and disputed fact, computes the whole ledger, every quantile, moment and Monte Carlo
error, and where each claim lies. `peers/numpy_by_hand.py` draws and transforms the unknowns, and nothing else, on
one core. Neither side imports or writes anything while it is timed; both are in one process, in turn.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks.peers import numpy_by_hand
from simulate import loading, streaming
from simulate.inference import Settings
from simulate.priors import Priors

CHAINS = 4


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processor time [s] of some work."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def stream(priors: Priors, draws: int, cores: int) -> streaming.Streamed:
    """Return the product's simulation."""
    settings = Settings(draws // CHAINS, chains=CHAINS, prior_only=True, cores=cores)
    with np.errstate(all="ignore"):
        return streaming.stream(priors, settings, 0.9)


def by_hand(priors: Priors) -> Callable[[int], object]:
    """Return the peer's simulation, given the table of the MFU, which is made before anything is timed."""
    mfu = next(unknown.distribution for unknown in priors.unknowns if unknown.path.endswith(".mfu"))
    score = np.linspace(-7, 7, 400)
    found = np.asarray(mfu.from_normal(score))
    return lambda draws: numpy_by_hand.draw(draws, 1, score, np.log(found / (1 - found)))


def compare(priors: Priors, draws: int, pairs: int) -> None:
    """Print the ratios, on one core and on all there are, after one pair that is not counted."""
    peer = by_hand(priors)
    for cores in sorted({1, os.cpu_count() or 1}):
        both = [
            (measure(lambda n=cores: stream(priors, draws, n)), measure(lambda: peer(draws)))  # type: ignore[misc]
            for _ in range(pairs + 1)
        ][1:]
        for kind, which in (("wall", 0), ("processor", 1)):
            ours, theirs = ([pair[side][which] for pair in both] for side in (0, 1))
            ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
            print(
                f"{draws:,} draws, {cores} core{'s' if cores > 1 else ' '} {kind:10} "
                f"ours {statistics.median(ours):5.2f} s   bare {statistics.median(theirs):5.2f} s   ratio {ratio:.2f}",
                flush=True,
            )


def peak(priors: Priors, draws: int) -> None:
    """Print time and peak memory of one simulation."""
    wall, processor = measure(lambda: stream(priors, draws, os.cpu_count() or 1))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{draws:,} draws: {wall:.1f} s wall, {processor:.1f} s processor, peak {most:.0f} MiB, this process as a whole"
    )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--peak", type=int, metavar="DRAWS")
    given = parser.parse_args()
    priors = loading.load("semianalysis")
    if given.peak:
        peak(priors, given.peak)
    else:
        compare(priors, given.draws, given.pairs)


if __name__ == "__main__":
    main()
