"""Whether the peers sample the product's posterior: percentiles side by side, in Monte Carlo errors.

    python -m benchmarks.peers.agreement [PEER]...        # pymc_by_hand, numpyro_by_hand, stan_by_hand

Prints, for each quantity, the 5th, 50th and 95th percentile of both, and the difference over the Monte Carlo
error of the difference. Exits with 1 where one is beyond `LIMIT`.
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.peers.figures import CHIPS, SCOPES
from simulate import inference, loading, summary
from simulate.inference import Settings
from simulate.summary import Row

PEERS = ("pymc_by_hand", "numpyro_by_hand", "stan_by_hand")
LIMIT = 4.0
"""Fifty figures are compared for each peer, and one in 16,000 lies beyond by chance."""

PERCENTILES = ("p5", "p50", "p95")
FACTS = {"h100_exists": "fleet.h100.exists", "h20_exists": "fleet.h20.exists"}
INDEXED = {  # by chip
    "count": "fleet.{}.count",
    "server_cost": "chips.{}.server_cost",
}


def products(seed: int) -> dict[str, Row]:
    """Return the product's summary by variable."""
    priors = loading.load("semianalysis")
    draws = inference.posterior(priors, Settings(seed=seed))
    return {row.name: row for row in summary.summarise(priors, draws, "posterior", 0.9)}


def peers(name: str, seed: int) -> dict[str, Row]:
    """Return a peer's summary by the product's names."""
    draws = importlib.import_module(f"benchmarks.peers.{name}").sample(seed)
    return {path: summary.row(path, "", "posterior", "", values, 0.9) for path, values in by_path(draws)}


def by_path(draws: Any) -> Iterator[tuple[str, Any]]:
    """Yield the draws of what has one name in the product, ``(chain, draw)``, by that name."""
    for name in SCOPES:
        yield name, draws[name].to_numpy()
    for name, path in FACTS.items():
        yield path, draws[name].to_numpy()
    for name, path in INDEXED.items():
        for position, chip in enumerate(CHIPS):
            yield path.format(chip), draws[name].to_numpy()[..., position]


def compared(ours: Mapping[str, Row], theirs: Mapping[str, Row]) -> Iterator[tuple[str, str, float, float, float]]:
    """Yield (variable, statistic, ours, theirs, difference in Monte Carlo errors); of facts the mean."""
    for name, row in theirs.items():
        for statistic in ("mean",) if name in FACTS.values() else PERCENTILES:
            a, b = getattr(ours[name], statistic), getattr(row, statistic)
            error = math.hypot(getattr(ours[name], f"mcse_{statistic}"), getattr(row, f"mcse_{statistic}"))
            yield name, statistic, a, b, (b - a) / error


def main() -> int:
    """Compare the peers that the command line names, or all."""
    ours, worst = products(seed=1), 0.0
    for peer in sys.argv[1:] or PEERS:
        print(f"\n{peer}\n\n| quantity | | product | peer | difference / MCSE |\n|---|---|---:|---:|---:|")
        rows = list(compared(ours, peers(peer, seed=1)))
        for name, statistic, a, b, z in rows:
            print(f"| {name} | {statistic} | {a:.5g} | {b:.5g} | {z:+.1f} |")
        largest = max(abs(z) for *_, z in rows)
        worst = max(worst, largest)
        print(f"\nlargest of {len(rows)} differences: {largest:.1f} Monte Carlo errors", flush=True)
    return int(not worst < LIMIT)


if __name__ == "__main__":
    sys.exit(main())
