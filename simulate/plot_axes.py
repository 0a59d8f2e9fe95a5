"""Axes of money and of ratios, and the numbers beside them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from simulate.plot_look import look
from simulate.plot_style import SMALL, text_width
from simulate.summary import amount, published

INNER = 0.5
"""Probability of the inner of two intervals."""

SMALL_TICK = (1.5, 0.4)
"""Length and width of a tick without a label [pt]."""

FARTHEST = 1e4
"""Where an axis of ratios ends at the latest."""


def span(lower: str, upper: str) -> str:
    """Return an interval of money in words, its unit once where both ends have the same.

    >>> span("$1.32bn", "$2.86bn"), span("$850M", "$1.06bn")
    ('$1.32–2.86bn', '$850M–1.06bn')
    """
    suffix = upper.lstrip("$0123456789.,")
    short = lower.removesuffix(suffix) if lower.lstrip("$0123456789.,") == suffix else lower
    return f"{short}–{upper.removeprefix('$')}"


def amounts(found: Mapping[str, Any]) -> tuple[str, str]:
    """Return median and interval of a scope of the manifest, with the digits their errors support."""
    median, low, high = (amount(found[k], found["unit"], found[f"mcse_{k}"]) for k in ("median", "lower", "upper"))
    return median, span(low, high)


def percent(manifest: Mapping[str, Any]) -> str:
    """Return the probability of a run's intervals in words: ``90 %``."""
    return f"{100 * probability(manifest):g} %"


def probability(manifest: Mapping[str, Any]) -> float:
    """Return the probability of a run's intervals."""
    return float(next(iter(manifest["scopes"].values()))["probability"])


def group_words(manifest: Mapping[str, Any]) -> str:
    """Return what the draws of a run are: the prior, or a posterior that may be no more than that."""
    without = manifest["group"] == "posterior" and not manifest["sampling"]["evidence"]
    return "posterior (no evidence: the prior)" if without else str(manifest["group"])


def inner_probability(outer: float) -> float:
    """Return the probability of the inner interval: a half, or half the outer where that is no more."""
    return INNER if outer > INNER else outer / 2


def limits(values: Sequence[float], factor: float = 10.0, margin: float = 0.05) -> tuple[float, float]:
    """Return the ends of a log axis for positive values: at least ``factor`` apart, with a margin on both sides."""
    low, high = math.log10(min(values)), math.log10(max(values))
    short = max(0.0, math.log10(factor) - (high - low)) / 2
    low, high = low - short, high + short
    extra = margin * (high - low)
    return 10 ** (low - extra), 10 ** (high + extra)


def money_axis(axes: Any, low: float, high: float, width: float, *, in_logarithms: bool = False) -> None:
    """Make the x axis of ``axes`` a log axis of money, ``width`` wide [pt].

    ``in_logarithms`` says that what is drawn are decimal logarithms already.
    """
    if not in_logarithms:
        axes.set_xlim(low, high)
        axes.set_xscale("log")
    major = ticks(round_amounts(low, high), published, low, high, width)
    set_ticks(axes, low, high, major, published, math.log10 if in_logarithms else float)


def money_scale(axes: Any, values: Sequence[float], width: float) -> None:
    """Make the x axis of ``axes`` one of money, linear and ``width`` wide [pt], with as many ticks as have room."""
    from matplotlib.ticker import MaxNLocator

    margin = 0.04 * (max(values) - min(values))
    low, high = min(values) - margin, max(values) + margin
    axes.set_xlim(low, high)
    for number in (5, 4, 3, 2, 1):
        places = [place for place in MaxNLocator(number).tick_values(low, high) if low <= place <= high]
        room = sum(text_width(published(place), SMALL) + SMALL for place in places)
        if room < width:
            break
    axes.set_xticks(places, [published(place) for place in places])


def ratio_axis(axes: Any, low: float, high: float, width: float, one: str = "claim") -> None:
    """Make the x axis of ``axes``, on which decimal logarithms of ratios are drawn, say so, ``width`` wide [pt].

    ``one`` is what the ratios are to.
    """

    def words(ratio: float) -> str:
        return ratio_words(ratio, one)

    major = ticks(round_ratios(), words, low, high, width)
    set_ticks(axes, low, high, major, words, math.log10)


def ratio_words(ratio: float, one: str = "claim") -> str:
    """Return a ratio in words.

    >>> ratio_words(0.5), ratio_words(1.0), ratio_words(10.0)
    ('÷2', 'claim', '×10')
    """
    if ratio == 1:
        return one
    return f"×{ratio:g}" if ratio > 1 else f"÷{1 / ratio:g}"


def set_ticks(
    axes: Any,
    low: float,
    high: float,
    major: Sequence[float],
    label: Callable[[float], str],
    place: Callable[[float], float],
) -> None:
    """Set limits, labelled ticks and, at every first digit, small ones, where ``place`` puts them."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    exponents = decades(low, high)
    digits = range(1, 10) if len(exponents) < 8 else (1,)
    minor = [m * 10.0**d for d in exponents for m in digits if low <= m * 10.0**d <= high]
    axes.set_xlim(place(low), place(high))
    axes.xaxis.set_major_locator(FixedLocator([place(value) for value in major]))
    axes.xaxis.set_major_formatter(FixedFormatter([label(value) for value in major]))
    axes.xaxis.set_minor_locator(NullLocator())
    small_ticks(axes, [place(value) for value in minor if value not in major])


def small_ticks(axes: Any, places: Sequence[float]) -> None:
    """Draw ticks without labels below an axis, all as one line: Matplotlib's own cost as much as five lines each."""
    from matplotlib.lines import Line2D
    from matplotlib.markers import TICKDOWN

    line = Line2D(
        places,
        [0.0] * len(places),
        linestyle="none",
        marker=TICKDOWN,
        markersize=SMALL_TICK[0],
        markeredgewidth=SMALL_TICK[1],
        color=look().soft,
        transform=axes.get_xaxis_transform(),
    )
    axes.figure.add_artist(line)


def ticks(
    sets: Iterable[Sequence[float]], label: Callable[[float], str], low: float, high: float, width: float
) -> list[float]:
    """Return the first set with two or more values on the axis whose labels leave each other room.

    Where there is none, one value. The axis is logarithmic and ``width`` wide [pt].
    """
    shown: list[float] = []
    for values in sets:
        labelled = [(v, *extent(v, label, low, high, width)) for v in values if low <= v <= high]
        inside = [(v, left, right) for v, left, right in labelled if left > -SMALL and right < width + SMALL]
        shown = [v for v, _, _ in inside] or shown
        if len(inside) > 1 and all(b[1] - a[2] > SMALL / 2 for a, b in itertools.pairwise(inside)):
            return shown
    return shown[:1]


def extent(value: float, label: Callable[[float], str], low: float, high: float, width: float) -> tuple[float, float]:
    """Return from where to where the label of a tick reaches on an axis [pt]."""
    middle = width * math.log(value / low) / math.log(high / low)
    half = text_width(label(value), SMALL) / 2
    return middle - half, middle + half


def decades(low: float, high: float) -> range:
    """Return the powers of ten from at or below ``low`` to at or above ``high``."""
    return range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)


def round_amounts(low: float, high: float) -> Iterator[list[float]]:
    """Yield sets of round numbers on an axis, densest first; of a wide axis only powers of ten."""
    exponents = decades(low, high)
    if high < 3 * low:
        step = 10.0 ** math.floor(math.log10(high - low))
        for part in (0.1, 0.2, 0.5, 1.0):
            first, last = math.ceil(low / (part * step)), math.floor(high / (part * step))
            yield [k * part * step for k in range(first, last + 1)]
    wide = sum(low <= 10.0**d <= high for d in exponents) > 3
    for digits in () if wide else ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,), (2,), (5,)):
        yield [m * 10.0**d for d in exponents for m in digits]
    for every in (1, 3, 2, 6):
        yield [10.0**d for d in exponents if d % every == 0]


def round_ratios() -> Iterator[list[float]]:
    """Yield sets of round ratios on both sides of 1, densest first."""
    fine, coarse = (1.1, 1.2, 1.5, 2, 3, 5, 10), ((2, 5, 10, 20, 50, 100), (3, 10, 30, 100), (2, 10, 100))
    for above in (fine, fine[1:], fine[2:], *coarse, (10, 100, 1000, 10000), (100, 10000), (10000,)):
        yield [*(1 / value for value in reversed(above)), 1.0, *(float(value) for value in above)]
