"""How far a published figure is from a scope: the ratio scope ÷ figure as an interval, and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulate.figures import Figure
from simulate.summary import amount, row

Floats = NDArray[np.float64]

TINY = 20.0
"""Ratio from which a figure is told as a share in percent."""
CLEARLY = 1.05
"""Ratio from which two digits show that it is above one."""


@dataclass(frozen=True)
class Off:
    """How far a figure is from a scope: the ratio scope ÷ figure, with its equal-tailed interval."""

    scope: str
    median: float
    lower: float
    upper: float
    probability: float
    words: str


@dataclass(frozen=True)
class Ends:
    """The ends of an interval of ratios, each with its Monte Carlo standard error."""

    lower: float
    mcse_lower: float
    upper: float
    mcse_upper: float

    def words(self, times: float = 1.0) -> str:
        """Return the ends, ``times`` a factor: ``6.8–24``."""
        low = two_digits(times * self.lower, times * self.mcse_lower)
        return "–".join(dict.fromkeys((low, two_digits(times * self.upper, times * self.mcse_upper))))

    def inverted(self) -> Ends:
        """Return the ends of one over the ratio."""
        low, high = 1 / self.upper, 1 / self.lower
        return Ends(low, self.mcse_upper * low**2, high, self.mcse_lower * high**2)


def distance(scope: str, draws: Floats, figure: Figure, probability: float, kind: str, *, is_own: bool) -> Off:
    """Return how far a figure is from a scope, from draws (chain, draw) of the scope, both in one unit.

    A figure that is an interval is taken at both its ends: the widest that the ratio can be. ``kind`` is
    that of the claim; ``is_own`` whether the figure is of the scope, or shown as it.
    """
    found = row(scope, "", "", "", draws / figure.value, probability)
    down, up = (figure.value / figure.high, figure.value / figure.low) if figure.is_interval else (1.0, 1.0)
    ends = Ends(down * found.lower, down * found.mcse_lower, up * found.upper, up * found.mcse_upper)
    return Off(scope, found.p50, ends.lower, ends.upper, probability, in_words(scope, ends, kind, is_own=is_own))


def in_words(scope: str, ends: Ends, kind: str, *, is_own: bool) -> str:
    """Return the ratio scope ÷ figure in words; only what a figure is of, or shown as, can it overstate.

    >>> in_words("company", Ends(230, 1, 450, 2), "estimate", is_own=False)
    'is 0.22–0.43 % of company'
    >>> in_words("development", Ends(6.84, 0.05, 24.1, 0.2), "estimate", is_own=False)
    'understates development by 6.8–24×'
    """
    if ends.lower >= TINY:
        return f"is {ends.inverted().words(100)} % of {scope}"
    if ends.lower >= CLEARLY:
        return f"{'understates' if kind == 'estimate' else 'lies below'} {scope} by {ends.words()}×"
    if is_own and ends.lower > 0 and ends.upper <= 1 / CLEARLY:
        return f"{'overstates' if kind == 'estimate' else 'lies above'} {scope} by {ends.inverted().words()}×"
    return f"{scope} is {ends.words()} times it"


def two_digits(value: float, mcse: float) -> str:
    """Return a ratio with at most two digits, fewer where its Monte Carlo error supports no more.

    >>> two_digits(23.7, 0.1), two_digits(0.998, 0.0), two_digits(0.0, 0.0)
    ('24', '1.0', '0')
    """
    if value <= 0:
        return "0"
    kept = float(f"{value:.2g}")
    return amount(kept, "", max(mcse, 10.0 ** (math.floor(math.log10(kept)) - 1)))
