"""Prior draws by the hundred million: made in blocks, summarised as they come, and let go.

What no evidence informs is drawn independently, so nothing needs more than one look at a draw. Each block is
drawn from streams named by the seed, the unknown and the block, goes through the same ledger as every other
draw, and leaves behind sums of powers and what lies near the quantiles (`simulate.quantiles`). Blocks are
worked on side by side and taken in their order, so that the numbers are the same on one core and on many.

The first `KEPT` draws are those of a run of that many, and are kept for ArviZ to look at; all others count
in the summary and in the standing of the claims, and are not kept.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate import inference, propagation, summary
from simulate.elicitation import LARGEST
from simulate.inference import Draws, Progress, Settings, Verdict
from simulate.priors import Priors
from simulate.quantiles import SLACK, Orders, OutsideError, Sifted, sift
from simulate.summary import ClaimStanding, Row

Floats = NDArray[np.float64]

MOST_IN_MEMORY = 100_000
"""Draws, of all chains together, up to which independent draws are kept whole."""

KEPT = 8_000
"""Draws that are kept of those that are streamed."""

BLOCK = 128_000
"""Draws of a block, but for the first ones, which are fewer: they soon show what need not be kept of the others."""

FIRST_BLOCK = 16_000

BATCH = 32_000
"""Draws that go through the ledger at once: so few that an array of them stays in the processor's cache."""

BITS = np.random.SFC64
"""The fastest of NumPy's generators of bits."""

POOLED = 3_000_000
"""Numbers in the array that is made to be let go (`keep_pages`)."""


@dataclass(frozen=True)
class Streamed:
    """What is left of streamed draws: those ``kept``, and what is known of all of them.

    ``rows`` are of the prior; ``absurd`` names quantities with draws that are no numbers or too large to be any.
    """

    draws: int
    kept: Draws
    rows: tuple[Row, ...]
    standings: tuple[ClaimStanding, ...]
    absurd: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        return inference.exact(self.absurd, {"draws": self.draws, "kept": self.kept.scores[0].size})

    def settled(self, prior_only: bool) -> tuple[Draws | None, list[Row], Verdict]:
        """Return posterior draws, rows and verdict; without evidence the posterior is the prior."""
        if prior_only:
            return None, list(self.rows), self.verdict
        return self.kept, [*(replace(row, group="posterior") for row in self.rows), *self.rows], self.verdict


def is_due(priors: Priors, settings: Settings) -> bool:
    """Whether a run is of independent draws that are too many to be kept."""
    independent = settings.prior_only or not priors.evidence
    return independent and settings.chains * settings.draws > MOST_IN_MEMORY


def stream(priors: Priors, settings: Settings, probability: float, progress: Progress | None = None) -> Streamed:
    """Return the summary of ``chains × draws`` prior draws, with intervals of ``probability``.

    Its quantiles are exact: order statistics of all draws. Where one was missed, which is all but
    impossible, the same draws are made again and more of them are kept.
    """
    kept = inference.prior(priors, replace(settings, draws=KEPT // settings.chains))
    keep_pages()
    slack = SLACK
    while True:
        try:
            return drawn_once(priors, settings, kept, Tallies(priors, kept, probability, slack), progress)
        except OutsideError:
            slack *= 2


def drawn_once(
    priors: Priors, settings: Settings, kept: Draws, tallies: Tallies, progress: Progress | None
) -> Streamed:
    """Return what `stream` does from one pass; raises `OutsideError` where a quantile was missed."""
    total = settings.chains * settings.draws

    def work(number: int, size: int) -> list[Batch]:
        with np.errstate(all="ignore"):
            return [tallies.of(draws) for draws in block(priors, settings.seed, number, size)]

    for batches in in_order(work, blocks(total - tallies.draws), settings.cores):
        for batch in batches:
            tallies.add(batch)
        if progress:
            progress("drawing", tallies.draws, total)
    return Streamed(total, kept, tuple(tallies.rows()), tuple(tallies.standings()), tuple(tallies.absurd()))


def blocks(total: int) -> Iterator[tuple[int, int]]:
    """Yield number and size of each block of ``total`` draws.

    >>> list(blocks(150_000))
    [(0, 16000), (1, 32000), (2, 64000), (3, 38000)]
    """
    number, size = 0, FIRST_BLOCK
    while total > 0:
        yield number, min(size, total)
        total -= size
        number, size = number + 1, min(2 * size, BLOCK)


def keep_pages() -> None:
    """Let the C library keep what arrays give back, where it is glibc; elsewhere nothing is lost.

    Otherwise each array of a batch is fresh from the system, and its pages take longer than what is
    computed in them. glibc keeps what is smaller than the largest array that was ever given back to it.
    """
    np.empty(POOLED)


def in_order[T](work: Callable[..., T], items: Iterable[tuple[Any, ...]], cores: int) -> Iterator[T]:
    """Yield ``work(*item)`` of each item in turn, with a few of them under way at any time.

    NumPy lets other threads run while it computes, so threads are enough.
    """
    waiting = iter(items)
    with ThreadPoolExecutor(max_workers=cores) as pool:
        under_way: deque[Future[T]] = deque(pool.submit(work, *item) for item in itertools.islice(waiting, cores + 1))
        try:
            while under_way:
                done = under_way.popleft().result()
                under_way.extend(pool.submit(work, *item) for item in itertools.islice(waiting, 1))
                yield done
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


# ---------------------------------------------------------------------------------------------
# A block


def block(priors: Priors, seed: int, number: int, size: int) -> Iterator[Draws]:
    """Yield a block of independent prior draws, `BATCH` at a time, each with shape ``(draw,)``.

    Its streams are named by the seed, the unknown or fact, and the block. What is not correlated is drawn
    the fastest way its distribution knows, so there are no scores, and claims are not replicated.
    """
    paths = [*(unknown.path for unknown in priors.unknowns), *(fact.path for fact in priors.facts)]
    streams = {path: inference.stream(seed, "prior", path, f"block {number}", bits=BITS) for path in paths}
    for start in range(0, size, BATCH):
        yield batch_of(priors, streams, min(BATCH, size - start))


def batch_of(priors: Priors, streams: Mapping[str, np.random.Generator], size: int) -> Draws:
    """Return the next draws of the streams of a block, each ``(size,)``."""
    together = correlated(priors, streams, size)
    drawn = {
        unknown.path: unknown.distribution.from_normal(together[unknown.path])
        if unknown.path in together
        else unknown.distribution.rvs(streams[unknown.path], size)
        for unknown in priors.unknowns
    }
    states = {fact.path: (streams[fact.path].random(size) < fact.probability).astype(float) for fact in priors.facts}
    found = propagation.entries(priors, drawn, (size,))
    nothing = np.empty((0, size))
    return Draws(nothing, found, states, propagation.quantities(priors, found, states), nothing, nothing, {})


def correlated(priors: Priors, streams: Mapping[str, np.random.Generator], size: int) -> dict[str, Floats]:
    """Return the normal scores of the unknowns that move together, each ``(size,)``.

    Written out by rows, because what a matrix product gives to the last bit depends on the number of cores.
    """
    paths = priors.correlations.paths
    scores = [streams[path].standard_normal(size) for path in paths]
    rows = priors.correlations.cholesky()
    return {
        path: sum((share * score for share, score in zip(row, scores[: place + 1], strict=False)), np.zeros(size))
        for place, (path, row) in enumerate(zip(paths, rows, strict=True))
    }


# ---------------------------------------------------------------------------------------------
# What is left of it


@dataclass(frozen=True)
class Powers:
    """Least and largest of a batch of draws, and the sums of the first four powers of their distances from a point."""

    least: float
    largest: float
    sums: Floats

    @classmethod
    def of(cls, values: Floats, point: float) -> Powers:
        distance = values - point
        square = distance * distance
        sums = [distance.sum(), square.sum()]
        np.multiply(distance, square, out=distance)
        np.multiply(square, square, out=square)
        return cls(float(values.min()), float(values.max()), np.array([*sums, distance.sum(), square.sum()]))

    def __add__(self, other: Powers) -> Powers:
        # NumPy's least and largest keep what is no number, where Python's may lose it.
        least = float(np.minimum(self.least, other.least))
        return Powers(least, float(np.maximum(self.largest, other.largest)), self.sums + other.sums)


@dataclass(frozen=True)
class Batch:
    """What is left of a batch of draws: powers and sifted draws of each variable, and how many lie below each claim."""

    draws: int
    powers: list[Powers]
    sifted: list[Sifted]
    below: Floats


class Tallies:
    """What is known of all draws so far, variable by variable in the order of `simulate.summary.variables`.

    It starts from ``kept`` draws (chain, draw), whose means are the points that powers are taken about.
    """

    def __init__(self, priors: Priors, kept: Draws, probability: float, slack: float) -> None:
        self.priors = priors
        self.probability = probability
        known = list(summary.variables(priors, kept))
        self.names = [(variable, index, unit) for variable, index, unit, _ in known]
        self.points = [float(values.mean()) for *_, values in known]
        self.chances = summary.probabilities(probability)
        # (1 − 0.9) / 2 is 0.05 but for rounding, and one interval serves both.
        apart = {round(chance, 12): chance for chance in self.chances.values()}
        self.orders = [Orders(sorted(apart.values()), slack) for _ in known]
        self.draws = 0
        self.powers = [Powers(math.inf, -math.inf, np.zeros(4)) for _ in known]
        self.below: Floats = np.zeros(len(priors.claims))
        self.add(self.of(kept))

    def of(self, draws: Draws) -> Batch:
        """Return what is left of a batch of draws."""
        values = [np.ravel(drawn) for *_, drawn in summary.variables(self.priors, draws)]
        return Batch(
            draws=values[0].size if values else 0,
            powers=[Powers.of(each, point) for each, point in zip(values, self.points, strict=True)],
            sifted=[sift(each, orders.intervals) for each, orders in zip(values, self.orders, strict=True)],
            below=np.array([np.count_nonzero(target < claim.value) for claim, target in self.targets(draws)], float),
        )

    def targets(self, draws: Draws) -> Iterator[tuple[Any, Floats]]:
        return summary.spoken_of(self.priors, draws)

    def add(self, batch: Batch) -> None:
        """Take in what is left of a batch of draws."""
        self.draws += batch.draws
        self.below = self.below + batch.below
        self.powers = [old + new for old, new in zip(self.powers, batch.powers, strict=True)]
        for orders, sifted in zip(self.orders, batch.sifted, strict=True):
            orders.add(sifted)

    def rows(self) -> Iterator[Row]:
        """Yield the summary of every variable; raises `OutsideError` where a quantile was missed."""
        for name, point, powers, orders in zip(self.names, self.points, self.powers, self.orders, strict=True):
            yield self.row(name, point, powers, orders)

    def row(self, name: tuple[str, str, str], point: float, powers: Powers, orders: Orders) -> Row:
        """Return the summary of one variable; draws that are no numbers have no quantiles."""
        variable, index, unit = name
        counted = not math.isnan(powers.least)
        ends: dict[str, Any] = {}
        for key, q in self.chances.items():
            ends[key] = orders.quantile(q) if counted else math.nan
            ends[f"mcse_{key}"] = orders.mcse(q) if counted else math.nan
        spread = moments(point, powers.sums, self.draws)
        if not powers.largest > powers.least:
            spread = {**dict.fromkeys(spread, 0.0), "mean": powers.least}
        effective = float(self.draws) if powers.largest > powers.least else math.nan
        return Row(
            variable=variable, index=index, group="prior", unit=unit, **ends, **spread, ess_bulk=effective,
            ess_tail=effective, r_hat=math.nan, probability=self.probability, draws=self.draws,
        )  # fmt: skip

    def standings(self) -> Iterator[ClaimStanding]:
        """Yield where each claim of the file lies among all draws."""
        for claim, below in zip(self.priors.claims, self.below, strict=True):
            percentile = 100 * float(below) / self.draws
            yield summary.standing(claim, percentile, percentile)

    def absurd(self) -> Iterator[str]:
        """Yield the names of quantities with draws that are no numbers or too large to be any."""
        quantities = self.priors.quantities
        found = zip(self.names, self.powers, strict=True)
        yield from dict.fromkeys(
            variable
            for (variable, _, _), powers in found
            if variable in quantities and not max(-powers.least, powers.largest) < LARGEST
        )


def moments(point: float, sums: Floats, draws: int) -> dict[str, float]:
    """Return mean, standard deviation and their Monte Carlo errors of independent draws.

    From the sums of powers of the distances from ``point``. The error of the standard deviation is
    ``sqrt((m4 - m2**2) / (4 m2 draws))``, with the central moments ``m2`` and ``m4``.
    """
    first, second, third, fourth = (float(power) for power in sums / draws)
    variance = second - first**2
    m4 = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
    sd = math.sqrt(max(variance, 0.0) * draws / (draws - 1))
    error = math.sqrt(max(m4 - variance**2, 0.0) / (4 * variance * draws)) if variance > 0 else 0.0
    return {"mean": point + first, "sd": sd, "mcse_mean": sd / math.sqrt(draws), "mcse_sd": error}
