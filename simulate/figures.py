"""Published figures: a number with the precision it was printed to, or a date.

The last digit printed that is not zero is good to half its unit, unless the figure states an error or
is an interval itself.
"""

from __future__ import annotations

import calendar
import datetime
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulate.elicitation import LARGEST, SUFFIXES, parse_number
from simulate.summary import published, with_unit

MONTH = re.compile(r"\d{4}-\d{2}")
LONGEST = 300
"""Characters of a number, or of one side of an identity."""
LOOSE = 0.5
"""Stated error from which a figure is told with its tolerance."""


class IdentityError(ValueError):
    """A figure or an expression that cannot be read, or whose units do not fit; ``mend`` says what would do."""

    def __init__(
        self, found: str, mend: str = "write names in brackets, numbers, + - * / ( ) and one relation"
    ) -> None:
        self.mend = mend
        super().__init__(found)


@dataclass(frozen=True)
class Figure:
    """A published number as an interval ``low``, ``value``, ``high`` in ``unit``, and as it was ``printed``.

    ``place`` is the unit of the last digit printed, zero where the precision is stated otherwise: as an
    ``error``, or by an interval. ``whose`` it is, where it is told beside another.
    """

    low: float
    value: float
    high: float
    unit: str
    printed: str
    place: float = 0.0
    error: float | None = None
    whose: str = ""

    def cut(self) -> Figure:
        """Return the figure as one whose further digits were dropped instead of rounded."""
        return replace(self, low=self.value, high=self.value + math.copysign(self.place, self.value))

    def words(self) -> str:
        """Return the figure as printed, with its tolerance where that is loose."""
        unit = plural(self.unit)
        if self.is_interval:
            low, _, high = self.printed.partition(" to ")
            return span(low, high, unit)
        text = with_unit(respelled(self.printed), unit)
        return f"{text} within a factor of {1 + self.error:g}" if self.error and self.error >= LOOSE else text

    @property
    def is_interval(self) -> bool:
        """Whether it is an interval by its own statement, not by the digits printed or a stated error."""
        return not self.place and self.error is None and self.high > self.low


@dataclass(frozen=True)
class Period:
    """A date: a day, or longer where the day is not said."""

    first: datetime.date
    last: datetime.date

    @property
    def is_day(self) -> bool:
        return self.first == self.last

    def words(self) -> str:
        """Return the date as a reader writes it.

        >>> period("2023-05").words(), period(datetime.date(2025, 1, 20)).words()
        ('May 2023', '20 January 2025')
        """
        if self.is_day:
            return f"{self.first.day} {self.first:%B %Y}"
        if (self.first.day, self.first.month, self.last.day, self.last.month) == (1, 1, 31, 12):
            return " to ".join(dict.fromkeys((f"{self.first.year}", f"{self.last.year}")))
        return " to ".join(dict.fromkeys((f"{self.first:%B %Y}", f"{self.last:%B %Y}")))


def period(raw: Any) -> Period:
    """Return the period of a date, or of text: ``2025-01-10`` a day, ``2023-05`` a month.

    Raises `IdentityError`.
    """
    try:
        if isinstance(raw, datetime.date):
            return Period(raw, raw)
        if not MONTH.fullmatch(str(raw)):
            return period(datetime.date.fromisoformat(str(raw)))
        first = datetime.date.fromisoformat(f"{raw}-01")
    except ValueError:
        raise IdentityError(
            f"{str(raw)[:60]!r} is neither a number nor a date", "write 5.576M, or 2025-01-20"
        ) from None
    return Period(first, first.replace(day=calendar.monthrange(first.year, first.month)[1]))


type Known = Mapping[str, Figure | Period]


def figure(raw: Any, unit: str, error: float | None = None, whose: str = "") -> Figure:
    """Return the figure that is printed as ``raw``. Raises `IdentityError`.

    >>> figure("2,788.8M", "GPU-hour").words(), figure("2,788.8M", "GPU-hour").place
    ('2,788.8M GPU-hours', 100000.0)
    """
    value = finite(raw)
    printed = raw.strip() if isinstance(raw, str) else f"{raw:,.10g}"
    if error is not None:
        ends = sorted((value / (1 + error), value * (1 + error)))
        return Figure(ends[0], value, ends[1], unit, printed, 0.0, error, whose)
    place = last_place(raw)
    return Figure(value - place / 2, value, value + place / 2, unit, printed, place, None, whose)


def interval(low: Any, high: Any, unit: str, whose: str = "") -> Figure:
    """Return the figure that is an interval by its own statement. Raises `IdentityError`.

    Its value is the geometric middle.
    """
    a, b = finite(low), finite(high)
    if not 0 < a < b:
        raise IdentityError(f"{low} to {high} does not increase from above zero", "put the lower end first")
    return Figure(a, math.sqrt(a * b), b, unit, f"{published(a, '')} to {published(b, '')}", whose=whose)


def finite(raw: Any) -> float:
    """Return the number written as ``raw``. Raises `IdentityError` where it is none, or none of a sane size."""
    try:
        value = parse_number(raw)
    except ArithmeticError:
        value = math.inf
    if value is None:
        raise IdentityError(f"{str(raw)[:60]!r} is not a number", "write one such as 5.576M")
    if not (value == 0 or 1 / LARGEST < abs(value) < LARGEST) or len(str(raw)) > LONGEST:
        raise IdentityError(f"{str(raw)[:60]} is no amount of anything here", "give a finite number of a sane size")
    return value


def last_place(raw: float | str | None) -> float:
    """Return the unit of the last digit printed that is not zero, or that stands behind the point.

    >>> last_place("5.57M"), last_place("50,000"), last_place("10.0")
    (10000.0, 10000.0, 0.1)
    """
    text = raw.strip() if isinstance(raw, str) else f"{raw:.15g}"
    mantissa, _, exponent = text.rstrip("bnkKMBT%").replace(",", "").replace("_", "").lower().partition("e")
    scale = SUFFIXES[text[len(text.rstrip("bnkKMBT%")) :]] * 10.0 ** min(int(exponent or 0), LONGEST)
    whole, _, decimals = mantissa.lstrip("+-").partition(".")
    if decimals:
        return float(f"1e-{len(decimals)}") * scale
    digits = whole.rstrip("0") or "0"
    return 10.0 ** (len(whole) - len(digits)) * scale


# ---------------------------------------------------------------------------------------------
# Words


PLURALS = {
    "percent": "%",
    **{unit: f"{unit}s" for unit in ("GPU-hour", "parameter", "token", "hour", "day", "month", "year")},
}
RESPELLED = {"T": "tn", "B": "bn", "K": "k"}


def plural(unit: str) -> str:
    """Return a unit as it stands behind a number.

    >>> plural("GPU-hour"), plural("percent"), plural("USD")
    ('GPU-hours', '%', 'USD')
    """
    return PLURALS.get(unit, unit)


def respelled(printed: str) -> str:
    """Return a printed number with the suffixes of our tables, its digits as they are."""
    return f"{printed[:-1]}{RESPELLED.get(printed[-1:], printed[-1:])}"


def span(low: str, high: str, unit: str) -> str:
    """Return two ends with their unit once, but each with its dollar.

    >>> span("2.5", "3.5", "USD/GPU-hour"), span("0", "12k", "GPU")
    ('$2.5 to $3.5/GPU-hour', '0 to 12k GPU')
    """
    return f"{with_unit(low, 'USD') if unit.startswith('USD') else low} to {with_unit(high, unit)}"
