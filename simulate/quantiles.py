"""Exact quantiles of draws that are too many to keep, in one pass and little memory.

Of the draws so far, those around the rank of each quantile are kept, and those below are counted. As draws
come in, the rank of a quantile among them settles as ``sqrt(n q (1 - q))``, so that what must be kept of
``n`` draws is about ``11 sqrt(n q (1 - q))``, both sides together. In the end an order statistic whose
place is among what was kept is *exact*, the very one that sorting all draws would give; where its place is
not, `Orders` says so, and never guesses.

What comes out depends on the draws alone, not on the order in which they come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

SLACK = 5.5
"""Standard deviations of a rank that is kept to either side; 4e-8 is the chance to miss in one narrowing."""

FEWEST = 8192
"""Draws that may be kept before any are let go, whatever the rest says."""

FEW = 1024
"""Draws that are sorted without a look at whether they need be."""

ONE_SIGMA = (0.1586553, 0.8413447)
"""Probabilities of one standard deviation to either side, as ArviZ has them."""


class OutsideError(Exception):
    """An order statistic is not among what was kept: the draws must be made again, and more of them kept."""


@dataclass(frozen=True)
class Interval:
    """Values from ``low`` to ``high``, which are kept, for the quantiles of ``chances``."""

    low: float
    high: float
    chances: tuple[float, ...]


@dataclass(frozen=True)
class Kept:
    """Increasing values, and how often each was drawn: once, where ``repeats`` are None."""

    values: Floats
    repeats: Counts | None = None

    def __len__(self) -> int:
        return len(self.values)

    def part(self, interval: Interval) -> slice:
        """Return where the values of an interval are."""
        first = int(np.searchsorted(self.values, interval.low))
        return slice(first, int(np.searchsorted(self.values, interval.high, side="right")))

    def of(self, part: slice) -> Kept:
        return Kept(self.values[part], None if self.repeats is None else self.repeats[part])

    def number(self, part: slice) -> int:
        """Return how many draws a part of the values stands for."""
        return part.stop - part.start if self.repeats is None else int(self.repeats[part].sum())

    def place(self, rank: int) -> int:
        """Return where the draw is that has ``rank`` others before it here."""
        return rank if self.repeats is None else int(np.searchsorted(np.cumsum(self.repeats), rank, side="right"))


def joined_up(parts: Sequence[Kept]) -> Kept:
    """Return parts that follow one another as one."""
    repeats = [part.repeats for part in parts if part.repeats is not None]
    return Kept(np.concatenate([part.values for part in parts]), np.concatenate(repeats) if repeats else None)


def merged(parts: Sequence[Kept]) -> Kept:
    """Return the values of all parts, each once where most of them repeat one another."""
    values = np.concatenate([part.values for part in parts])
    if all(part.repeats is None for part in parts):
        values.sort(kind="stable")  # which makes use of parts that are sorted already
        again = values[1:] == values[:-1]
        if np.count_nonzero(again) <= len(values) // 2:
            return Kept(values)
        repeats = np.ones(len(values), dtype=np.int64)
    else:
        ones = (np.ones(len(part), dtype=np.int64) if part.repeats is None else part.repeats for part in parts)
        order = np.argsort(values)
        values, repeats = values[order], np.concatenate(list(ones))[order]
        again = values[1:] == values[:-1]
    starts = np.flatnonzero(np.r_[True, ~again])
    return Kept(values[starts], np.add.reduceat(repeats, starts))


@dataclass(frozen=True)
class Sifted:
    """What is needed of a batch of ``draws``: how many lie ``below`` each of the ``intervals``, and those in any."""

    draws: int
    intervals: tuple[Interval, ...]
    below: tuple[int, ...]
    near: Kept


def sift(values: Floats, intervals: tuple[Interval, ...]) -> Sifted:
    """Return what is needed of a batch of draws, given the intervals, which increase and do not touch."""
    within = np.zeros(len(values), dtype=bool)
    below = []
    for interval in intervals:
        less = values < interval.low
        below.append(int(np.count_nonzero(less)))
        within ^= less
        within ^= values <= interval.high
    return Sifted(len(values), intervals, tuple(below), near(values[within], intervals))


def near(values: Floats, intervals: tuple[Interval, ...]) -> Kept:
    """Return values in order; those that are all at ends of intervals, such as 0 or 1 of a fact, without a sort."""
    ends = {end for interval in intervals for end in (interval.low, interval.high)}
    if len(values) > FEW and values[0] in ends:
        each = np.array(sorted(ends))
        repeats = np.array([np.count_nonzero(values == end) for end in each])
        if repeats.sum() == len(values):
            return Kept(each[repeats > 0], repeats[repeats > 0])
    return Kept(np.sort(values))


class Orders:
    """The order statistics around the quantiles of ``chances``, probabilities in (0, 1), of all draws so far.

    ``slack`` is that of `SLACK`.
    """

    def __init__(self, chances: Sequence[float], slack: float = SLACK) -> None:
        self.slack = slack
        self.intervals = (Interval(-math.inf, math.inf, tuple(chances)),)
        self.below: tuple[int, ...] = (0,)
        self.draws = 0
        self.kept = Kept(np.empty(0))
        self.waiting: list[Kept] = []
        self.held = 0
        self.most = FEWEST

    def add(self, sifted: Sifted) -> None:
        """Take in a batch of draws, sifted by the intervals as they are or as they were before."""
        near, below = sifted.near, sifted.below
        if sifted.intervals is not self.intervals:
            below = tuple(count_below(interval, sifted) for interval in self.intervals)
            near = joined_up([near.of(near.part(interval)) for interval in self.intervals])
        self.below = tuple(old + more for old, more in zip(self.below, below, strict=True))
        self.draws += sifted.draws
        self.waiting.append(near)
        self.held += len(near)
        if self.held > self.most:
            self.narrow()

    def narrow(self) -> None:
        """Let go of the draws that are too far from any quantile's rank ever to be it."""
        self.settle()
        found = sorted(
            (self.narrowed(place, chance) for place, one in enumerate(self.intervals) for chance in one.chances),
            key=lambda pair: (pair[0].low, pair[0].high),
        )
        joined = found[:1]
        for one, below in found[1:]:
            last, before = joined[-1]
            if one.low <= last.high:
                joined[-1] = Interval(last.low, max(last.high, one.high), last.chances + one.chances), before
            else:
                joined.append((one, below))
        self.intervals, self.below = (tuple(each) for each in zip(*joined, strict=True))
        self.kept = joined_up([self.kept.of(self.kept.part(interval)) for interval in self.intervals])
        self.held = len(self.kept)
        self.most = max(FEWEST, 2 * self.held)

    def narrowed(self, place: int, chance: float) -> tuple[Interval, int]:
        """Return the part of an interval in which the quantile of ``chance`` can still lie, and the draws below it."""
        interval, below = self.intervals[place], self.below[place]
        part = self.kept.part(interval)
        here = self.kept.of(part)
        middle = chance * (self.draws - 1) - below
        reach = self.slack * math.sqrt(self.draws * chance * (1 - chance)) + self.slack**2
        low, high = interval.low, interval.high
        # A quantile that has been missed already leaves its interval as it is; `order` will say so.
        first, last, number = math.floor(middle - reach), math.ceil(middle + reach), self.kept.number(part)
        if 0 <= last < number:
            high = float(here.values[here.place(last)])
        if 0 <= first < number:
            place = int(np.searchsorted(here.values, here.values[here.place(first)]))
            low, below = float(here.values[place]), below + here.number(slice(0, place))
        return Interval(low, high, (chance,)), below

    def settle(self) -> None:
        """Sort what has come in."""
        if self.waiting:
            self.kept = merged([self.kept, *self.waiting])
            self.waiting = []
            self.held = len(self.kept)

    def order(self, rank: int) -> float:
        """Return the draw with ``rank`` others before it, of all draws so far in their order.

        Raises `OutsideError` where it is not among what was kept.
        """
        self.settle()
        for interval, below in zip(self.intervals, self.below, strict=True):
            part = self.kept.part(interval)
            if below <= rank < below + self.kept.number(part):
                here = self.kept.of(part)
                return float(here.values[here.place(rank - below)])
        raise OutsideError

    def quantile(self, chance: float) -> float:
        """Return the quantile of a probability as `numpy.quantile` has it: linear between two order statistics.

        Raises `OutsideError`.
        """
        at = chance * (self.draws - 1)
        rank = math.floor(at)
        share = at - rank
        one, other = self.order(rank), self.order(min(rank + 1, self.draws - 1))
        step = other - one
        return other - step * (1 - share) if share >= 0.5 else one + step * share

    def mcse(self, chance: float) -> float:
        """Return the Monte Carlo standard error of the quantile of a probability, of independent draws.

        Half the distance of the order statistics that are one standard deviation of the binomial count to
        either side, as ArviZ has it (Vehtari et al. 2021, Bayesian Analysis 16(2), section 4.2), with the
        number of draws for the effective number. Raises `OutsideError`.
        """
        lower, upper = ranks_around(self.draws, chance)
        return (self.order(upper) - self.order(lower)) / 2


@cache
def ranks_around(draws: int, chance: float) -> tuple[int, int]:
    """Return the ranks one standard deviation to either side of a quantile's, of independent draws."""
    from scipy.special import betaincinv

    low, high = betaincinv(draws * chance + 1, draws * (1 - chance) + 1, ONE_SIGMA) * draws - 1
    return math.floor(max(low, 0)), math.ceil(min(high, draws - 1))


def count_below(interval: Interval, sifted: Sifted) -> int:
    """Return how many of a batch lie below an interval that is part of one it was sifted by."""
    for old, below in zip(sifted.intervals, sifted.below, strict=True):
        if old.low <= interval.low and interval.high <= old.high:
            return below + sifted.near.number(
                sifted.near.part(replace(old, high=np.nextafter(interval.low, -math.inf)))
            )
    raise ValueError("intervals only ever narrow")
