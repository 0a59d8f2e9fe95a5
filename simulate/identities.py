"""Sums that must hold between published figures: arithmetic with units and with the precision printed.

``[A0-14] * [A0-15] = [A0-16]`` names figures in square brackets. Each is an interval: the last digit
printed that is not zero is good to half its unit, unless the figure states an error or is an interval
itself. Both sides are computed by interval arithmetic (Moore 1966) and an equality holds when they
overlap, so that what rounding can explain is never called an error.
"""

from __future__ import annotations

import ast
import datetime
import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulate.elicitation import SUFFIXES, parse_number
from simulate.summary import amount, published, with_unit
from simulate.units import canonical_spelling, registry

RELATIONS = ("=", ">=", "<=")
NAME = re.compile(r"\[([A-Za-z0-9._-]+)\]")
ANY_RATIO = re.compile(r"any ratio (?P<article>\S+) = \[(?P<name>[^\]]+)\]")
ALLOWED = re.compile(r"[\[\]\w.+*/() -]*")
TWO = 2


class IdentityError(ValueError):
    """An expression that cannot be read or whose units do not fit."""


@dataclass(frozen=True)
class Figure:
    """A published number as an interval ``low``, ``value``, ``high`` in ``unit``, and as it was ``printed``.

    ``place`` is the unit of the last digit printed, zero where the precision is stated otherwise.
    """

    low: float
    value: float
    high: float
    unit: str
    printed: str
    place: float = 0.0

    def cut(self) -> Figure:
        """Return the figure as one whose further digits were dropped instead of rounded."""
        return replace(self, low=self.value, high=self.value + math.copysign(self.place, self.value))

    def words(self) -> str:
        """Return the figure as printed."""
        return with_unit(self.printed, plural(self.unit))

    @property
    def is_wide(self) -> bool:
        """Whether it is an interval by its own statement, not by the digits printed."""
        return not self.place and self.high > self.low


@dataclass(frozen=True)
class Period:
    """A date: a day, or a month of which the day is not said."""

    first: datetime.date
    last: datetime.date

    def words(self) -> str:
        return f"{self.first:%B %Y}" if self.last > self.first else f"{self.first.day} {self.first:%B %Y}"


def period(raw: datetime.date | str) -> Period:
    """Return the period of a date, or of a month written ``2023-05``. Raises `ValueError`."""
    if isinstance(raw, datetime.date):
        return Period(raw, raw)
    first = datetime.date.fromisoformat(f"{raw}-01")
    after = (first.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
    return Period(first, after - datetime.timedelta(days=1))


type Known = Mapping[str, Figure | Period]


def figure(
    raw: float | str | None, unit: str, error: float | None = None, interval: tuple[float, float] | None = None
) -> Figure:
    """Return the figure that is printed as ``raw``, or as an ``interval``.

    >>> figure("2,788.8M", "GPU-hour")
    Figure(low=2788750000.0, value=2788800000.0, high=2788850000.0, unit='GPU-hour', printed='2,788.8M', place=100000.0)
    """
    if interval is not None:
        low, high = interval
        printed = f"{published(low, '')} to {published(high, '')}"
        return Figure(low, math.copysign(math.sqrt(low * high), low), high, unit, printed)
    value = parse_number(raw)
    if value is None:
        raise IdentityError(f"{raw!r} is not a number")
    printed = raw if isinstance(raw, str) else f"{raw:,.10g}"
    if error is not None:
        ends = sorted((value / (1 + error), value * (1 + error)))
        return Figure(ends[0], value, ends[1], unit, printed)
    place = last_place(raw)
    return Figure(value - place / TWO, value, value + place / TWO, unit, printed, place)


def last_place(raw: float | str | None) -> float:
    """Return the unit of the last digit printed that is not zero, or that stands behind the point.

    >>> last_place("5.57M"), last_place("50,000"), last_place("10.0")
    (10000.0, 10000.0, 0.1)
    """
    text = raw.strip() if isinstance(raw, str) else f"{raw:.15g}"
    mantissa, _, exponent = text.rstrip("bnkKMBT%").replace(",", "").replace("_", "").lower().partition("e")
    scale = SUFFIXES[text[len(text.rstrip("bnkKMBT%")) :]] * 10.0 ** int(exponent or 0)
    whole, _, decimals = mantissa.lstrip("+-").partition(".")
    if decimals:
        return float(f"1e-{len(decimals)}") * scale
    digits = whole.rstrip("0") or "0"
    return 10.0 ** (len(whole) - len(digits)) * scale


# ---------------------------------------------------------------------------------------------
# Intervals with units


@dataclass(frozen=True)
class Interval:
    """An interval with a unit of pint's."""

    low: float
    value: float
    high: float
    unit: Any

    def to(self, unit: Any) -> Interval:
        """Return the interval in another unit. Raises `IdentityError` where the dimension differs."""
        import pint

        try:
            factor = (1.0 * self.unit).to(unit).magnitude
        except pint.DimensionalityError:
            raise IdentityError(f"{self.unit} does not convert to {unit}") from None
        return Interval(self.low * factor, self.value * factor, self.high * factor, unit)

    def combined(self, other: Interval, operate: Callable[[Any, Any], Any]) -> Interval:
        """Return the interval of all results of an operation on two."""
        if operate in (operator.add, operator.sub):
            other = other.to(self.unit)
            unit = self.unit
        else:
            unit = operate(self.unit, other.unit)
        if operate is operator.truediv and other.low <= 0 <= other.high:
            raise IdentityError("divides by what may be zero")
        ends = [operate(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), operate(self.value, other.value), max(ends), unit)


OPERATIONS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def interval_of(item: Figure) -> Interval:
    unit = registry().Unit(canonical_spelling(item.unit)) if item.unit not in ("", "1") else plain_unit()
    return Interval(item.low, item.value, item.high, unit)


def plain_unit() -> Any:
    return registry().Unit("")


def evaluate(expression: str, known: Mapping[str, Figure]) -> Interval:
    """Return what one side of an identity comes to. Raises `IdentityError`."""
    names = NAME.findall(expression)
    if not ALLOWED.fullmatch(expression):
        raise IdentityError(f"{expression[:60]!r} has more than names in brackets, numbers and + - * / ( )")
    if missing := [name for name in names if name not in known]:
        raise IdentityError(f"no figure {missing[0]!r}")
    text = NAME.sub(lambda match: f"x{names.index(match.group(1))}", expression)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise IdentityError(f"{expression[:60]!r} is no expression") from None
    return computed(tree, [interval_of(known[name]) for name in names])


def computed(node: ast.expr, values: list[Interval]) -> Interval:
    """Return the interval of a syntax tree of names, numbers and the four operations."""
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        return computed(node.left, values).combined(computed(node.right, values), OPERATIONS[type(node.op)])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found = computed(node.operand, values)
        return Interval(-found.high, -found.value, -found.low, found.unit)
    if isinstance(node, ast.Name):
        return values[int(node.id.removeprefix("x"))]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Interval(node.value, node.value, node.value, plain_unit())
    raise IdentityError("only + - * / of figures and numbers")


# ---------------------------------------------------------------------------------------------
# Checks


@dataclass(frozen=True)
class Check:
    """What became of one identity: whether it holds, whether only as a cut-off figure, and the sum in words."""

    expression: str
    holds: bool
    truncated: bool
    words: str


def check(expression: str, known: Known, articles: Mapping[str, list[str]], mine: str = "") -> Check:
    """Return what becomes of an identity between ``known`` figures and dates.

    ``articles`` lists each article's figures of money; ``mine`` is the figure that may have been cut off
    instead of rounded. Raises `IdentityError` for an expression that cannot be read.
    """
    if match := ANY_RATIO.fullmatch(expression.strip()):
        return any_ratio(expression, match["article"], match["name"], known, articles)
    left, relation, right = sides(expression)
    dates = [
        item for side in (left, right) for name in NAME.findall(side) if isinstance(item := known.get(name), Period)
    ]
    if dates:
        return compare_dates(expression, relation, dates, bare=bool(NAME.fullmatch(left) and NAME.fullmatch(right)))
    figures = {name: value for name, value in known.items() if isinstance(value, Figure)}
    a, b = evaluate(left, figures), evaluate(right, figures)
    a = a.to(b.unit)
    holds = related(a, b, relation)
    truncated = False
    if not holds and mine in figures and figures[mine].place:
        dropped = {**figures, mine: figures[mine].cut()}
        truncated = related(evaluate(left, dropped).to(b.unit), evaluate(right, dropped), relation)
    return Check(expression, holds or truncated, truncated, sum_in_words(left, relation, right, a, b, holds, figures))


def sides(expression: str) -> tuple[str, str, str]:
    """Return left side, relation and right side. Raises `IdentityError` unless there is one relation."""
    parts = re.split(r"(>=|<=|=)", expression)
    if len(parts) != 3:
        raise IdentityError(f"{expression[:60]!r} needs one of {', '.join(RELATIONS)}")
    return parts[0].strip(), parts[1], parts[2].strip()


def related(a: Interval, b: Interval, relation: str) -> bool:
    """Whether some values in the two intervals stand in the relation."""
    slack = 1e-9 * max(abs(a.high), abs(b.high))
    at_least, at_most = a.high >= b.low - slack, a.low <= b.high + slack
    return {"=": at_least and at_most, ">=": at_least, "<=": at_most}[relation]


def compare_dates(expression: str, relation: str, dates: list[Period], *, bare: bool) -> Check:
    """Return whether two dates stand in a relation. Raises `IdentityError` for anything else with dates."""
    if len(dates) != TWO or not bare:
        raise IdentityError("a date stands alone on each side")
    a, b = dates
    holds = {"=": a.first <= b.last and b.first <= a.last, ">=": a.last >= b.first, "<=": a.first <= b.last}[relation]
    days = (a.first - b.last).days if a.first > b.last else (a.last - b.first).days
    order = f", {abs(days)} days {'later' if days > 0 else 'earlier'}" if a.first > b.last or b.first > a.last else ""
    return Check(expression, holds, False, f"{a.words()} against {b.words()}{order}")


def any_ratio(expression: str, article: str, name: str, known: Known, articles: Mapping[str, list[str]]) -> Check:
    """Return whether some two figures of money of an article, or sums of two, have a ratio."""
    wanted = known.get(name)
    amounts = [known[key] for key in articles.get(article, ())]
    if not isinstance(wanted, Figure) or not amounts:
        raise IdentityError(f"no figure {name!r}, or no money in {article}")
    exact = [replace(item, low=item.value, high=item.value) for item in amounts if isinstance(item, Figure)]
    single = [interval_of(item) for item in exact]
    sums = [a.combined(b, operator.add) for a, b in itertools.combinations(single, 2)]
    ratios = [a.combined(b, operator.truediv) for a, b in itertools.permutations((*single, *sums), 2)]
    target = interval_of(wanted)
    holds = any(related(ratio.to(target.unit), target, "=") for ratio in ratios)
    near = sorted({f"{ratio.value:.3g}" for ratio in ratios}, key=lambda r: abs(math.log(float(r) / wanted.value)))[:4]
    found = "is the ratio of two" if holds else "is the ratio of no two"
    nearest = ", ".join(near)
    money = ", ".join(item.words() for item in amounts if isinstance(item, Figure))
    words = f"{wanted.words()} {found} of the article's amounts ({money}) or of their sums; the nearest are {nearest}"
    return Check(expression, holds, False, words)


# ---------------------------------------------------------------------------------------------
# Words


PLURALS = {
    "percent": "%",
    **{unit: f"{unit}s" for unit in ("GPU-hour", "parameter", "token", "hour", "day", "month", "year")},
}


def plural(unit: str) -> str:
    """Return a unit as it stands behind a number.

    >>> plural("GPU-hour"), plural("percent"), plural("USD")
    ('GPU-hours', '%', 'USD')
    """
    return PLURALS.get(unit, unit)


def sum_in_words(
    left: str, relation: str, right: str, a: Interval, b: Interval, holds: bool, known: Mapping[str, Figure]
) -> str:
    """Return an identity with its figures put in, what it comes to, and by how much it fails."""
    unit = spelled(b.unit)
    bare = tuple(bool(NAME.fullmatch(side) or parse_number(side) is not None) for side in (left, right))
    wide = any(known[name].is_wide for name in NAME.findall(left + right))
    result, claimed = (
        shown_side(side, known) if is_bare else f"{shown_side(side, known)} = {rounded(found, unit, wide)}"
        for side, found, is_bare in ((left, a, bare[0]), (right, b, bare[1]))
    )
    off = "" if holds else factor_words(a, b)
    if bare[0] and relation == "=":
        return f"{result} against {claimed}{off}"
    between = {"=": "stated", ">=": "at least", "<=": "at most"}[relation]
    between = between if holds else {"stated": "not"}.get(between, f"not {between}")
    return f"{result}, {between} {claimed}{off}"


def shown_side(side: str, known: Mapping[str, Figure]) -> str:
    """Return a side of an identity with the figures in the place of their names."""
    signs = re.sub(r"\s*/\s*", " ÷ ", side.replace("*", "×"))
    return NAME.sub(lambda match: known[match.group(1)].words(), signs)


def spelled(unit: Any) -> str:
    """Return a unit of pint's as we spell it."""
    text = "" if str(unit) == "dimensionless" else str(unit)
    ordered = text.replace("GPU * hour", "GPU-hour").replace(" ", "")
    return ordered.replace("FLOP/GPU/second", "FLOP/second/GPU")


def rounded(found: Interval, unit: str, wide: bool) -> str:
    """Return an interval to three digits: its ends where a figure in it is an interval, or its middle."""
    if not wide:
        return amount(found.value, plural(unit))
    low, high = amount(found.low, plural(unit)), amount(found.high, plural(unit))
    return low if low == high else f"{low} to {high}"


def factor_words(a: Interval, b: Interval) -> str:
    """Return by what factor two sides differ, where both are positive."""
    if min(a.value, b.value) <= 0:
        return ""
    size = max(a.value / b.value, b.value / a.value)
    far = f"{100 * (size - 1):.2g} %" if size < NEARLY else f"a factor of {float(f'{size:.3g}'):,g}"
    return f" (off by {far})"


NEARLY = 1.2
"""Factor below which a difference is told in percent."""
