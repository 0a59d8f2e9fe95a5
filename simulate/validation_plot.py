"""The calibration figure: coverage observed against promised, and every run's hours over those predicted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulate import plots, validation
from simulate.plot_axes import FARTHEST, limits, ratio_axis
from simulate.plot_caption import capital
from simulate.plot_look import THEMES, look
from simulate.plot_style import (
    LEADING,
    MEDIUM,
    SMALL,
    Sheet,
    blank,
    heading,
    house_style,
    legible,
    shorten,
    text_width,
    wrap,
)
from simulate.report import percent
from simulate.summary import amount
from simulate.validation import BETTER, LEVELS, SHOWN, Scored, Validation
from simulate.validation_report import NAMES, Examination, counted, coverage_words, score_words

KIND = "calibration"
SHOWS = "coverage observed against promised, and every run's hours over those predicted"

SQUARE, SQUARE_LEFT, SQUARE_FOOT = 150.0, 50.0, 44.0
"""Side of the panel of coverage, what its axis takes to the left and beneath [pt]."""
LEGEND_LEFT, LEGEND_ROW = 226.0, 13.0
ROW, FAMILY_GAP, ROWS_HEAD, ROWS_FOOT, GUTTER = 11.5, 5.0, 14.0, 20.0, 8.0
"""Heights of a row, of the gap between families, of what is above and below the rows, and a column gap [pt]."""
WIDEST = 0.36
MOST_ROWS = 100
"""Rows at the most; of more runs the worst are shown."""
MODEL, BASELINE = THEMES["light"].chains[:2]
GRID = np.linspace(0, 1, 201)


def save(folder: Path, found: Examination) -> None:
    """Write calibration.png, calibration.svg and calibration.txt into a folder."""
    with house_style():
        plots.write(folder, KIND, draw(found), caption(found), SHOWS)


def draw(found: Examination) -> Any:
    """Return the figure; call it within `house_style`."""
    groups = families(found.validation)
    height = sum(len(group) for group in groups) * ROW + (len(groups) - 1) * FAMILY_GAP
    top = SQUARE + SQUARE_FOOT + ROWS_HEAD
    made = blank(heading(True, "Do the intervals hold what they promise?", subtitle(found)), foot(found),
                 top + height + ROWS_FOOT)  # fmt: skip
    draw_coverage(made, found.validation)
    draw_legend(made, found.validation)
    draw_rows(made, groups, top, height)
    return made.figure


def subtitle(found: Examination) -> str:
    result = found.validation
    runs = counted(len(result.scored), "training run", "training runs")
    kinds = counted(len(result.families), "family", "families")
    return (
        f"Hours of {runs} of {kinds}, each predicted by a fit that has seen no run of its family. Table: {found.name}"
    )


def foot(found: Examination) -> str:
    from simulate import __version__

    return legible(f"simulate {__version__} · {found.name} {found.digest[:8]} · {found.validation.seen} runs known")


def caption(found: Examination) -> str:
    """Return a text that can stand below the figure, or in its place."""
    hidden = len(found.validation.scored) - sum(map(len, families(found.validation)))
    level = f"{100 * SHOWN:g} %"
    parts = [
        f"{capital(SHOWS)}.",
        f"{subtitle(found)}.",
        f"Above: the share of runs within their intervals, by the probability of these; bands hold {level} of what "
        "exact intervals would show, the dark one for independent runs, the light one for families all in or all out.",
        f"Below: bar, {level} interval over the median of the forecast; dot, disclosed hours over that median, red "
        "where outside; in numbers, those hours, and the share of the forecast with fewer.",
        f"Not shown: {hidden} runs nearer to their medians." * (hidden > 0),
        " ".join([*coverage_words(found.validation), *score_words(found.validation)]),
        f"{foot(found)}.",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def families(found: Validation) -> list[list[Scored]]:
    """Return the runs to be shown by family, in their order; of many, those farthest out."""
    shown = {id(item) for item in sorted(found.scored, key=lambda item: -item.miss)[:MOST_ROWS]}
    items = [item for item in found.scored if id(item) in shown]
    names = list(dict.fromkeys(item.run.family for item in items))
    return [[item for item in items if item.run.family == name] for name in names]


# ---------------------------------------------------------------------------------------------
# Coverage


def draw_coverage(made: Sheet, found: Validation) -> None:
    """Draw observed coverage against nominal, with what chance would do to exact intervals."""
    axes = made.axes(SQUARE_LEFT, 0, SQUARE, SQUARE)
    for sizes, colour in zip(bands(found), (look().tint(look().grey, 0.3), look().tint(look().grey, 0.6)), strict=True):
        low, high = np.array([validation.by_chance(sizes, level) for level in GRID]).T
        axes.fill_between(GRID, low, high, step="mid", facecolor=colour, linewidth=0, zorder=0)
    axes.plot([0, 1], [0, 1], color=look().soft, linewidth=0.8, linestyle=(0, (3, 2)))
    for baseline, colour in ((True, BASELINE), (False, MODEL)):
        axes.plot(*curve(found, baseline=baseline), color=colour, linewidth=1.4, solid_joinstyle="miter")
        marks = [found.coverage(level, baseline=baseline) for level in LEVELS]
        axes.plot(LEVELS, marks, "o", markersize=4, color=colour, markeredgecolor=look().paper, clip_on=False, zorder=3)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=TICKS, yticks=TICKS, xticklabels=WORDS, yticklabels=WORDS)
    axes.set_xlabel("probability of the interval")
    axes.set_ylabel("runs within it")


TICKS = (0, 0.25, 0.5, 0.75, 1)
WORDS = tuple(f"{100 * tick:g} %" for tick in TICKS)


def bands(found: Validation) -> tuple[Sequence[int], Sequence[int]]:
    """Return the sizes of groups of one fate: families, and runs that are independent."""
    return found.families, [1] * len(found.scored)


def curve(found: Validation, *, baseline: bool) -> tuple[Any, Any]:
    """Return the steps of coverage over all probabilities: a run is within from where its percentile is."""
    reached = sorted(abs(score.percentile - 50) / 50 for score in found.scores(baseline=baseline))
    x = np.repeat([0.0, *reached, 1.0], 2)[1:]
    y = np.repeat(np.arange(len(reached) + 1) / len(reached), 2)
    return x, np.r_[y, y[-1]]


def draw_legend(made: Sheet, found: Validation) -> None:
    """Draw what the lines and bands are, and the scores, beside the panel of coverage."""
    axes = made.axes(LEGEND_LEFT, 0, look().width - LEGEND_LEFT, SQUARE)
    axes.set(xlim=(0, look().width - LEGEND_LEFT), ylim=(SQUARE, 0))
    axes.set_axis_off()
    y = LEGEND_ROW / 2
    for draw_form, text in legend(found):
        draw_form(axes, y)
        for line in wrap(text, look().width - LEGEND_LEFT - 24, SMALL):
            axes.text(24, y + 0.35 * SMALL, line, size=SMALL, va="baseline")
            y += SMALL * LEADING
        y += LEGEND_ROW - SMALL * LEADING + 3


def legend(found: Validation) -> Iterator[tuple[Any, str]]:
    """Yield what draws a sign, and its text."""
    chance = f"chance, {100 * SHOWN:g} %, if"
    yield line_of(MODEL, "-"), f"model: {means(found, baseline=False)}"
    yield line_of(BASELINE, "-"), f"baseline, one MFU for all: {means(found, baseline=True)}"
    yield line_of(look().soft, (0, (3, 2)), 0.8), "what is promised"
    yield patch_of(look().tint(look().grey, 0.6)), f"{chance} each run is for itself"
    yield patch_of(look().tint(look().grey, 0.3)), f"{chance} families share one fate"


def means(found: Validation, *, baseline: bool) -> str:
    """Return the mean scores in words."""
    words = (f"{NAMES[name]} {found.mean(name, baseline=baseline):.2f}" for name in BETTER)
    return ", ".join(words).replace("-", "−")


def line_of(colour: str, style: Any, width: float = 1.4) -> Any:
    return lambda axes, y: axes.plot([0, 18], [y, y], color=colour, linewidth=width, linestyle=style)


def patch_of(colour: str) -> Any:
    return lambda axes, y: axes.plot([3, 15], [y, y], color=colour, linewidth=8, solid_capstyle="butt")


# ---------------------------------------------------------------------------------------------
# Rows


@dataclass(frozen=True)
class Columns:
    """Widths of the columns of names, hours and percentiles; the axis has what they leave [pt]."""

    names: float
    hours: float
    percentiles: float

    @property
    def left(self) -> float:
        return self.names + GUTTER

    @property
    def width(self) -> float:
        return look().width - self.names - self.hours - self.percentiles - 3 * GUTTER

    @property
    def ends(self) -> tuple[float, float]:
        """Where hours and percentiles end."""
        return look().width - self.percentiles - GUTTER, look().width


def columns(items: Sequence[Scored]) -> Columns:
    """Return columns that hold what is in them; names may be shortened."""
    names = max(text_width(legible(item.run.model), MEDIUM) for item in items)
    hours = max(text_width(numbers(item)[0], MEDIUM) for item in items)
    return Columns(min(look().width * WIDEST, names), hours, text_width(HEAD[1], SMALL))


HEAD = ("hours", "percentile")


def numbers(item: Scored) -> tuple[str, str]:
    """Return disclosed hours and their percentile in words."""
    return amount(item.run.gpu_hours, ""), percent(item.model.percentile)


def draw_rows(made: Sheet, groups: Sequence[Sequence[Scored]], top: float, height: float) -> None:
    """Draw a row for each run: its name, its hours over those predicted, hours and percentile."""
    items = [item for group in groups for item in group]
    found = columns(items)
    axes = made.axes(found.left, top, found.width, height)
    axes.set(ylim=(height, 0), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.patch.set_visible(False)
    ratio_axis(axes, *limits([1.0, *itertools.chain(*map(ratios, items))], factor=4.0), found.width, "predicted")
    axes.grid(axis="x", which="major")
    axes.axvline(0, color=look().soft, linewidth=0.8, zorder=1)
    made.text(found.left, top - 6, "disclosed hours over those predicted", SMALL, color=look().soft)
    for end, text in zip(found.ends, HEAD, strict=True):
        made.text(end, top - 6, text, SMALL, color=look().soft, ha="right")
    for item, y in placed(groups):
        draw_row(axes, item, y)
        write_row(made, item, top + y + 0.35 * MEDIUM, found)
    for y in gaps(groups):
        made.line(top + y)


def write_row(made: Sheet, item: Scored, y: float, found: Columns) -> None:
    """Write the name, the hours and the percentile of a run."""
    colour = look().ink if item.model.within(SHOWN) else look().alarm
    made.text(0, y, shorten(legible(item.run.model), found.names, MEDIUM), MEDIUM, color=colour)
    for end, text in zip(found.ends, numbers(item), strict=True):
        made.text(end, y, text, MEDIUM, color=colour, ha="right")


def placed(groups: Sequence[Sequence[Scored]]) -> Iterator[tuple[Scored, float]]:
    """Yield each run with the middle of its row [pt]."""
    top = 0.0
    for group in groups:
        for number, item in enumerate(group):
            yield item, top + (number + 0.5) * ROW
        top += len(group) * ROW + FAMILY_GAP


def gaps(groups: Sequence[Sequence[Scored]]) -> list[float]:
    """Return where the lines between families are [pt]."""
    heights = itertools.accumulate(len(group) * ROW + FAMILY_GAP for group in groups)
    return [height - FAMILY_GAP / 2 for height in heights][:-1]


def ratios(item: Scored) -> tuple[float, float, float]:
    """Return both ends of the interval and the disclosed hours, over the median of the forecast.

    What lies farther out than the axis reaches is drawn at its end.
    """
    median = item.model.median
    stated = min(max(item.run.gpu_hours / median, 1 / FARTHEST), FARTHEST)
    return item.model.lower / median, item.model.upper / median, stated


def draw_row(axes: Any, item: Scored, y: float) -> None:
    """Draw the interval of a run and its disclosed hours."""
    low, high, stated = (math.log10(ratio) for ratio in ratios(item))
    colour = MODEL if item.model.within(SHOWN) else look().alarm
    axes.plot([low, high], [y, y], color=look().tint(MODEL, 0.3), linewidth=5, solid_capstyle="butt")
    axes.plot(
        [stated],
        [y],
        "o",
        markersize=4.4,
        color=colour,
        markeredgecolor=look().paper,
        markeredgewidth=0.5,
        clip_on=False,
        zorder=3,
    )
