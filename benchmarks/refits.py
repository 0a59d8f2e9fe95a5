"""How fast the same question is answered with other numbers.

    python -m benchmarks.refits [RUNS]

First in one process, from Python: the claims of ``semianalysis`` with other figures, 4 chains of 500 draws to
tune and 1,000 kept, on all cores; then with the summary of the cost scopes. Then the same file with another ``--set``
each time, read and checked as `simulate run` does. Last, `simulate compare` over eight prior files against one
`simulate run`, whole processes in turn, each into a folder that is empty.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.processes import SIMULATE, Measure, measure, rows, runs_wanted
from simulate import density, evidence, inference, ledger, loading, samplers, summary
from simulate.evidence import Terms
from simulate.inference import Draws, Settings
from simulate.pipeline import cores
from simulate.priors import Priors

REFITS = 20
SCENARIOS = (
    "consensus",
    "reported-fleet-only",
    "semianalysis",
    "semianalysis-first-edition",
    "lambert",
    "reuters-billion",
    "caixin",
    "fifty-thousand-h100",
)


def others(terms: Terms, seed: int) -> Terms:
    """Return the claims with figures within a tenth or so of their own."""
    factors = np.random.default_rng(seed).normal(0.0, 0.1, len(terms.log_value))
    return dataclasses.replace(terms, log_value=terms.log_value + factors)


def summarised(priors: Priors, draws: Draws) -> list[summary.Row]:
    """Return the rows of the cost scopes alone."""
    return [
        summary.row(name, "", "posterior", unit, values, 0.9)
        for name, _, unit, values in summary.variables(priors, draws)
        if name in ledger.SCOPES
    ]


class Stopwatch(dict[str, tuple[float, float]]):
    """Wall and processor time [s] of what was done, by name."""

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        wall, processor = time.perf_counter(), time.process_time()
        result = work()
        self[name] = (time.perf_counter() - wall, time.process_time() - processor)
        return result

    def total(self, name: str, *parts: str) -> None:
        self[name] = (sum(self[part][0] for part in parts), sum(self[part][1] for part in parts))


def fitted(priors: Priors, terms: Terms, settings: Settings) -> Stopwatch:
    """Return the times of the parts of one refit."""
    watch = Stopwatch()
    watch("record", lambda: density.record(priors, terms))
    drawn, stats = watch("sample (record included)", lambda: samplers.sample(priors, terms, settings, None))
    draws = watch("complete", lambda: inference.completed(priors, terms, settings, drawn, stats))
    watch("summarise scopes", lambda: summarised(priors, draws))
    watch.total("fit", "sample (record included)", "complete")
    watch.total("fit and summary", "fit", "summarise scopes")
    return watch


def asked_anew(settings: Settings) -> Stopwatch:
    """Return the times of the parts of ``--set`` in a loop: all is read and checked each time."""
    watch = Stopwatch()
    changes = [f"research.multiplier={2 + 0.1 * settings.seed:.1f} to 6", "scope.horizon=3"]
    priors = watch("read and check with --set", lambda: loading.load("semianalysis", changes))
    draws = watch("fit with --set", lambda: inference.posterior(priors, settings, None))
    watch("summarise with --set", lambda: summarised(priors, draws))
    watch.total("--set, all of it", *list(watch))
    return watch


def refit() -> None:
    """Print how long refits take, by their parts, and how many are made in a second."""
    priors = loading.load("semianalysis")
    own = evidence.terms(priors)
    settings = [Settings(draws=1000, tune=500, seed=seed, cores=cores()) for seed in range(REFITS + 1)]
    parts = [fitted(priors, others(own, one.seed), one) | asked_anew(one) for one in settings][1:]
    print(f"{REFITS} refits in one process on {cores()} cores\n")
    print("| part | wall [ms] | processor [ms] | a second |\n|---|---:|---:|---:|")
    for name in parts[0]:
        wall, processor = ([1e3 * part[name][kind] for part in parts] for kind in (0, 1))
        print(f"| {name} | {spread(wall)} | {spread(processor)} | {1e3 / statistics.median(wall):.1f} |", flush=True)


def spread(values: Sequence[float]) -> str:
    """Return the median, and the least and the largest."""
    return f"{statistics.median(values):.3g} ({min(values):.3g}–{max(values):.3g})"


def fresh(*arguments: str) -> Measure:
    """Return what one command takes that writes into an empty folder."""
    with tempfile.TemporaryDirectory() as out:
        return measure((*SIMULATE, *arguments, "--out", out))


def compare_scenarios(runs: int) -> None:
    """Print what eight scenarios beside one another cost, in runs of one."""
    many, one = ("compare", *SCENARIOS), ("run", "--priors", "semianalysis", "--quiet")
    pairs = [(fresh(*many), fresh(*one)) for _ in range(runs + 1)][1:]
    print(f"\n`simulate compare` over {len(SCENARIOS)} files against one `simulate run`, {runs} pairs\n")
    print("| | measure | compare | run | ratio, median (least–largest) |\n|---|---|---:|---:|---:|")
    for row in rows("eight scenarios", pairs):
        print(row, flush=True)


def main() -> None:
    """Run both."""
    runs = runs_wanted(5)
    print(f"{os.cpu_count()} processors")
    refit()
    compare_scenarios(runs)


if __name__ == "__main__":
    main()
