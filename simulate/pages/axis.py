"""The axis of a figure on a page: logarithmic, of money or of ratios, with as many round values as have room."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulate.pages import lettering
from simulate.plot_axes import limits, ratio_words, round_amounts, round_ratios
from simulate.summary import published

NARROWEST = 4.0
"""Ratio of the ends of an axis, at least."""

LARGE, SMALL = 13.0, 11.0
"""Sizes of type: labels and medians; all else."""

FOOT = 22.0
"""What the words of an axis take, above the rows and below them."""


@dataclass(frozen=True)
class Axis:
    """Where values lie: from ``low`` at ``left`` to ``high`` at ``left + width``; amounts in USD, lengths in SVG's.

    ``one`` is what ratios are to, on an axis of ratios; empty on one of money.
    """

    left: float
    width: float
    low: float
    high: float
    one: str = ""

    def place(self, value: float) -> float:
        """Return where a value lies; what is beyond an end, such as zero, lies at it."""
        inside = min(max(value, self.low), self.high)
        return self.left + self.width * math.log(inside / self.low) / math.log(self.high / self.low)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Place and words of the densest round values whose words leave one another room."""
        found: list[tuple[float, str]] = []
        for values in (
            round_ratios() if self.one else itertools.chain(round_amounts(self.low, self.high), self.coarse())
        ):
            shown = [(self.place(v), self.words(v)) for v in values if self.low <= v <= self.high]
            inside = [(place, words) for place, words in shown if self.has_room(place, words)]
            found = inside or found
            if len(inside) > 1 and are_apart(inside):
                return inside
        return found[:1]

    def coarse(self) -> Iterator[list[float]]:
        """Yield the multiples of round steps on a short axis whose tenth steps have no room."""
        step = 10.0 ** math.floor(math.log10(self.high - self.low))
        for part in (2.0, 5.0):
            first, last = math.ceil(self.low / (part * step)), math.floor(self.high / (part * step))
            yield [number * part * step for number in range(first, last + 1)]

    def words(self, value: float) -> str:
        """Return a round value in words."""
        return ratio_words(value, self.one) if self.one else published(value)

    def has_room(self, place: float, words: str) -> bool:
        """Whether the words of a tick reach no farther than the axis and half a letter."""
        beyond = lettering.width(words, SMALL) / 2 - SMALL / 2
        return self.left <= place - beyond and place + beyond <= self.left + self.width


@dataclass(frozen=True)
class Setting:
    """How rows are set: width, margins of the axis, heights of a row's words above its axis and of the rest."""

    name: str
    width: float
    left: float
    right: float
    words: float
    bars: float

    @property
    def is_narrow(self) -> bool:
        """Whether words have no room beside the axis, and stand above it."""
        return self.words > 0

    def axis(self, low: float, high: float, one: str = "") -> Axis:
        return Axis(self.left, self.width - self.left - self.right, low, high, one)


def are_apart(shown: Sequence[tuple[float, str]]) -> bool:
    """Whether the words of ticks leave one another room."""
    halves = [(place, lettering.width(words, SMALL) / 2) for place, words in shown]
    return all(b - a > half + other + SMALL for (a, half), (b, other) in itertools.pairwise(halves))


def ends_of(values: Sequence[float], factor: float = NARROWEST) -> tuple[float, float]:
    """Return the ends of an axis that shows some values; those that are not positive have no place on it.

    ``factor`` is the ratio of the ends, at least.
    """
    shown = [value for value in values if 0 < value < math.inf]
    return limits(shown or [1.0], factor=factor)
