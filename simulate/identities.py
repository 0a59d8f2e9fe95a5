"""Sums that must hold between published figures: arithmetic with units and with the precision printed.

``[A0-14] * [A0-15] = [A0-16]`` names figures in square brackets, each an interval. Both sides are computed by
interval arithmetic (Moore 1966) and an equality holds when they overlap, so that what rounding can explain is
never called an error.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulate.elicitation import parse_number
from simulate.figures import LONGEST, Figure, IdentityError, Known, Period, finite, plural, span
from simulate.summary import published, scale_of, with_unit
from simulate.units import parsed

RELATIONS = ("=", ">=", "<=")
NAME = re.compile(r"\[([A-Za-z0-9._-]+)\]")
ANY_RATIO = re.compile(r"any ratio (?P<article>\S+) = \[(?P<name>[^\]]+)\]")
ALLOWED = re.compile(r"[0-9_.eE+*/() -]*")
"""What an expression may hold besides names in brackets."""
MOST_AMOUNTS = 40
"""Amounts of an article among which any ratio is still looked for."""
WIDE = 0.1
"""Width over value from which a sum is told with its ends."""
NEARLY = 1.1
"""Factor below which a difference is told in percent."""
CLOSE = 1.01
"""Factor below which a difference needs more digits to be seen."""


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
            sides = (spelled(one) or "a plain number" for one in (self.unit, unit))
            raise IdentityError("{} does not convert to {}".format(*sides), "mend a unit, or the sum") from None
        return Interval(self.low * factor, self.value * factor, self.high * factor, unit)

    def combined(self, other: Interval, operate: Callable[[Any, Any], Any]) -> Interval:
        """Return the interval of all results of an operation on two."""
        if operate in (operator.add, operator.sub):
            other = other.to(self.unit)
            unit = self.unit
        else:
            unit = operate(self.unit, other.unit)
        if operate is operator.truediv and other.low <= 0 <= other.high:
            raise IdentityError("divides by what may be zero", "divide by what cannot be")
        ends = [operate(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), operate(self.value, other.value), max(ends), unit)

    @property
    def is_wide(self) -> bool:
        """Whether its middle alone would say more than is known."""
        return self.high - self.low > WIDE * abs(self.value)


OPERATIONS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def interval_of(item: Figure) -> Interval:
    """Return a figure as an interval with its unit. Raises `UnitError` for a unit that is unknown."""
    return Interval(item.low, item.value, item.high, parsed(item.unit))


def evaluate(expression: str, known: Mapping[str, Figure]) -> Interval:
    """Return what one side of an identity comes to. Raises `IdentityError`."""
    if len(expression) > LONGEST:
        raise IdentityError(f"has {len(expression)} characters", f"split it: a side has at most {LONGEST}")
    if not ALLOWED.fullmatch(NAME.sub("", expression)):
        raise IdentityError(f"{expression[:60]!r} has more than names in brackets, numbers and + - * / ( )")
    names = list(dict.fromkeys(NAME.findall(expression)))
    if missing := [name for name in names if name not in known]:
        raise IdentityError(f"no figure {', '.join(map(repr, missing))}", "name a claim or a figure with a number")
    text = NAME.sub(lambda match: f" x{names.index(match.group(1))} ", expression)
    found = computed(syntax(text, expression), {f"x{i}": interval_of(known[name]) for i, name in enumerate(names)})
    if not all(map(math.isfinite, (found.low, found.value, found.high))):
        raise IdentityError(f"{expression[:60]!r} comes to no finite number", "mend the sum")
    return found


def syntax(text: str, expression: str) -> ast.expr:
    """Return the syntax tree of an expression. Raises `IdentityError` where it has none."""
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise IdentityError(f"{expression[:60]!r} is no expression") from None


def computed(node: ast.expr, values: Mapping[str, Interval]) -> Interval:
    """Return the interval of a syntax tree of names, numbers and the four operations."""
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        return computed(node.left, values).combined(computed(node.right, values), OPERATIONS[type(node.op)])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found = computed(node.operand, values)
        return Interval(-found.high, -found.value, -found.low, found.unit)
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        number = finite(node.value)
        return Interval(number, number, number, parsed(""))
    raise IdentityError("has more than + - * / of figures and numbers")


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
    names = NAME.findall(left + right)
    if any(isinstance(known.get(name), Period) for name in names):
        return compare_dates(expression, relation, known, bare=is_name(left) and is_name(right))
    figures = {name: value for name, value in known.items() if isinstance(value, Figure)}
    a, b = both(left, right, figures)
    holds = related(a, b, relation)
    truncated = False
    if not holds and mine in names and figures[mine].place:
        truncated = related(*both(left, right, {**figures, mine: figures[mine].cut()}), relation)
    return Check(expression, holds or truncated, truncated, sum_in_words(left, relation, right, a, b, holds, figures))


def both(left: str, right: str, figures: Mapping[str, Figure]) -> tuple[Interval, Interval]:
    """Return what the two sides come to, in the unit of the right one. Raises `IdentityError`."""
    a, b = evaluate(left, figures), evaluate(right, figures)
    return a.to(b.unit), b


def is_name(side: str) -> bool:
    return bool(NAME.fullmatch(side))


def sides(expression: str) -> tuple[str, str, str]:
    """Return left side, relation and right side. Raises `IdentityError` unless there is one relation."""
    parts = re.split(r"(>=|<=|=)", expression)
    if len(parts) != 3:
        raise IdentityError(f"{expression[:60]!r} has not one relation", f"use {', '.join(RELATIONS)} once")
    return parts[0].strip(), parts[1], parts[2].strip()


def related(a: Interval, b: Interval, relation: str) -> bool:
    """Whether some values in the two intervals stand in the relation."""
    slack = 1e-9 * max(abs(a.high), abs(b.high))
    at_least, at_most = a.high >= b.low - slack, a.low <= b.high + slack
    return {"=": at_least and at_most, ">=": at_least, "<=": at_most}[relation]


def compare_dates(expression: str, relation: str, known: Known, *, bare: bool) -> Check:
    """Return whether two dates stand in a relation. Raises `IdentityError` for anything else with dates."""
    dates = [item for name in NAME.findall(expression) if isinstance(item := known.get(name), Period)]
    if len(dates) != 2 or not bare:
        raise IdentityError("sets a date against what is none", "compare one date with another")
    a, b = dates
    holds = {"=": a.first <= b.last and b.first <= a.last, ">=": a.last >= b.first, "<=": a.first <= b.last}[relation]
    return Check(expression, holds, False, dates_in_words(a, b))


def dates_in_words(a: Period, b: Period) -> str:
    """Return how two dates lie to each other.

    >>> from simulate.figures import period
    >>> dates_in_words(period("2025-01-10"), period("2024-12-26"))
    '10 January 2025, 15 days after 26 December 2024'
    """
    if a == b:
        return f"{a.words()}, the same date"
    if a.first <= b.last and b.first <= a.last:
        return f"{a.words()}, which agrees with {b.words()}"
    days, order = ((a.first - b.last).days, "after") if a.first > b.last else ((b.first - a.last).days, "before")
    least = "" if a.is_day and b.is_day else "at least "
    return f"{a.words()}, {least}{days:,} day{'s' if days > 1 else ''} {order} {b.words()}"


def any_ratio(expression: str, article: str, name: str, known: Known, articles: Mapping[str, list[str]]) -> Check:
    """Return whether some two figures of money of an article, or sums of two, have a ratio.

    What is summed on one side is not on the other. Raises `IdentityError`.
    """
    wanted = known.get(name)
    amounts = [item for key in articles.get(article, ()) if isinstance(item := known[key], Figure) and item.value > 0]
    if not isinstance(wanted, Figure) or wanted.low <= 0:
        raise IdentityError(f"no positive figure {name!r}", "name a claim or a figure with a number")
    if not 2 <= len(amounts) <= MOST_AMOUNTS:
        raise IdentityError(f"{len(amounts)} amounts of money in {article!r}", f"there must be 2 to {MOST_AMOUNTS}")
    target = interval_of(wanted).to(parsed(""))
    ratios = list(ratios_of([item.value for item in amounts]))
    holds = any(target.low <= ratio <= target.high for ratio in ratios)
    near = sorted({f"{ratio:.3g}" for ratio in ratios}, key=lambda r: abs(math.log(float(r) / target.value)))[:3]
    money = ", ".join(item.words() for item in amounts)
    found = f"{wanted.words()} is the ratio of {'two' if holds else 'no two'} of the article's amounts ({money})"
    return Check(expression, holds, False, f"{found} or of their sums; the nearest are {', '.join(near)}")


def ratios_of(amounts: list[float]) -> Iterator[float]:
    """Yield the ratios of all amounts and sums of two that have none in common."""
    number = range(len(amounts))
    groups = [*((i,) for i in number), *itertools.combinations(number, 2)]
    for one, other in itertools.permutations(groups, 2):
        if not set(one) & set(other):
            yield sum(amounts[i] for i in one) / sum(amounts[i] for i in other)


# ---------------------------------------------------------------------------------------------
# Words


def sum_in_words(
    left: str, relation: str, right: str, a: Interval, b: Interval, holds: bool, known: Mapping[str, Figure]
) -> str:
    """Return an identity with its figures put in, what it comes to, and by how much it fails."""
    named = [known[name] for name in NAME.findall(left + right)]
    tolerated = relation == "=" and any(item.error for item in named)
    off = "" if holds and not tolerated else off_words(a, b, any(item.is_interval for item in named))
    if relation == "=" and is_name(left) and is_name(right):
        return compared_in_words(known[left[1:-1]], known[right[1:-1]], off)
    digits = digits_wanted(right, known) if holds else 3 if factor(a, b) > CLOSE else 5
    unit = next((known[side[1:-1]].unit for side in (right, left) if is_name(side)), spelled(b.unit))
    first, second = (side_in_words(side, found, unit, digits, known) for side, found in ((left, a), (right, b)))
    if holds and relation == "=":
        same = is_bare(right) and not is_bare(left) and is_alike(a, b, digits, known.get(right[1:-1]))
        return f"{first}, as stated" if same else f"{first}, stated {second}"
    order = {"=": "", ">=": "at least ", "<=": "at most "}[relation]
    return f"{first}, {'' if holds else 'not '}{order}{second}{off}"


def is_alike(a: Interval, b: Interval, digits: int, stated: Figure | None) -> bool:
    """Whether what a sum comes to is told in the same digits as what is stated, an interval by its ends."""
    ends = ((a.low, b.low), (a.high, b.high)) if stated and stated.is_interval else ((a.value, b.value),)
    return all(rounded(x, "", digits) == rounded(y, "", digits) for x, y in ends)


def compared_in_words(a: Figure, b: Figure, off: str) -> str:
    """Return a figure beside another of the same thing."""
    if not b.whose:
        return f"{a.words()} against {b.words()}{off}"
    same = published(a.value, "") == published(b.value, "") and a.is_interval == b.is_interval
    has = "have" if b.whose.endswith("et al.") else "has"
    return f"{a.words()}, as {b.whose} {has} it" if same else f"{a.words()}, where {b.whose} {has} {b.words()}{off}"


def side_in_words(side: str, found: Interval, unit: str, digits: int, known: Mapping[str, Figure]) -> str:
    """Return a side of an identity with the figures in the place of their names, and what it comes to."""
    signs = re.sub(r"\s*/\s*", " ÷ ", re.sub(r"\s*\*\s*", " × ", side))
    text = NAME.sub(lambda match: known[match.group(1)].words(), signs)
    if is_bare(side):
        return text
    middle = rounded(found.value, unit, digits)
    if not found.is_wide:
        return f"{text} = {middle}"
    low, high = rounded(found.low, "", 3), rounded(found.high, "", 3)
    if any(known[name].is_interval for name in NAME.findall(side)):
        return f"{text} = {span(low, high, plural(unit))}"
    return f"{text} = {middle} ({span(low, high, 'USD' * unit.startswith('USD'))})"


def is_bare(side: str) -> bool:
    """Whether a side is one figure or one number, so that there is nothing to compute."""
    return is_name(side) or parse_number(side) is not None


def digits_wanted(right: str, known: Mapping[str, Figure]) -> int:
    """Return how many digits to show of what comes to a figure: as many as are printed of it, three to six."""
    item = known.get(right[1:-1])
    if item is None or not item.place or not item.value:
        return 3
    return min(max(3, math.floor(math.log10(abs(item.value) / item.place) + 1e-9) + 1), 6)


def rounded(value: float, unit: str, digits: int) -> str:
    """Return a number to a number of digits.

    >>> rounded(5.5776e9, "USD", 3), rounded(999.96, "GPU-hour", 3)
    ('$5.58bn', '1k GPU-hours')
    """
    kept = float(f"{value:.{digits}g}")
    scale, suffix = scale_of(kept)
    return with_unit(f"{kept / scale:.{digits}g}{suffix}", plural(unit))


def spelled(unit: Any) -> str:
    """Return a unit of pint's as we spell it."""
    text = "" if str(unit) == "dimensionless" else str(unit)
    ordered = text.replace("GPU * hour", "GPU-hour").replace(" ", "")
    return ordered.replace("FLOP/GPU/second", "FLOP/second/GPU").replace("USD/GPU/hour", "USD/GPU-hour")


def factor(a: Interval, b: Interval) -> float:
    """Return the factor between the middles of two sides, infinite where they are not both positive."""
    return max(a.value / b.value, b.value / a.value) if min(a.value, b.value) > 0 else math.inf


def off_words(a: Interval, b: Interval, is_span: bool) -> str:
    """Return by what factor two sides differ, where both are positive; of spans, between their nearest ends."""
    if min(a.low, b.low) <= 0:
        return ""
    size = max(a.low / b.high, b.low / a.high) if is_span else factor(a, b)
    least = "at least " if is_span else ""
    return f" (off by {least}{f'{100 * (size - 1):.2g} %' if size < NEARLY else f'a factor of {three_digits(size)}'})"


def three_digits(size: float) -> str:
    return f"{float(f'{size:.3g}'):,g}"
