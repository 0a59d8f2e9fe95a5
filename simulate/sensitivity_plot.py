"""The figure of an analysis: a row for each unknown, with its variance share, its tornado, and what it is worth.

Three columns on one row, so that an unknown can be followed across them; nothing overlaps by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from simulate import sensitivity_report as words
from simulate.jackknife import Estimate
from simulate.ladder_plot import GUTTER
from simulate.naming import SCOPE_LABELS, Named, Names
from simulate.plot_axes import money_scale
from simulate.plot_caption import made as made_words
from simulate.plot_look import look
from simulate.plot_style import SMALL, Sheet, blank, heading, name_lines, provenance, text_width, wrap
from simulate.sensitivity import Influence, Sensitivity
from simulate.summary import amount

SHOWS = "which unknowns carry the interval of one cost scope, and what knowing each would be worth"

MOST = 14
"""Unknowns that are drawn."""
WORTH_DRAWING = 0.005
"""Share of the variance, or of the interval's width, below which an unknown is not drawn."""
HEAD, ROW, BAR = 32.0, 15.0, 8.0
"""Heights of the heads of the columns, of a row, and of a bar in it [pt]."""
LINE = 1.2 * SMALL
"""Height of a further line of a name [pt]."""
TICKS = 24.0
LEGEND_ROW = 13.0
NUMBER = 30.0
"""Width of a number beside a bar [pt]."""
SMALL_BARS = 46.0
"""Width of the bars of shares and of worth [pt]."""
WIDEST, WIDEST_NARROW = 0.32, 0.4
"""Share of the sheet that names may take."""


@dataclass(frozen=True)
class Places:
    """Where the three columns begin, how wide their axes are, and where the middle of each row is [pt].

    ``names`` are those of the rows, in lines.
    """

    names: tuple[list[str], ...]
    middles: tuple[float, ...]
    height: float
    share: float
    tornado: float
    tornado_width: float
    worth: float


def draw(found: Sensitivity) -> Any:
    """Return an analysis as a Matplotlib figure."""
    rows = drawn(found)
    places = placed(rows, Names.of(found.run.manifest))
    top = heading(not words.alarm(found), title(found), subtitle(found))
    made = blank(top, provenance(found.run.manifest), HEAD + places.height + TICKS + legend_height())
    heads(made, places)
    for lines, middle in zip(places.names, places.middles, strict=True):
        for number, line in enumerate(lines):
            base = middle + (number - (len(lines) - 1) / 2) * LINE + 0.35 * SMALL
            made.text(0, HEAD + base, line, SMALL)
    colour = look().basis(found.run.manifest["scopes"][found.scope]["basis"])
    bars(made, places, places.share, [one.share for one in rows], colour)
    tornado(made, places, found, rows, colour)
    bars(made, places, places.worth, [worth(one) for one in rows], colour)
    legend(made, HEAD + places.height + TICKS, colour)
    return made.figure


def drawn(found: Sensitivity) -> list[Influence]:
    """Return the unknowns that the figure has room for: by share, those without one by what they are worth."""
    size = sorted(found.influences, key=lambda one: -weight(one))
    kept = [one for one in size if weight(one) > WORTH_DRAWING][:MOST] or size[:1]
    return sorted(kept, key=lambda one: (-one.share.value if one.share else 1.0, one.left.value))


def weight(one: Influence) -> float:
    """Return the share of an unknown in the variance or, beyond doubt, in the interval's width."""
    return max(one.share.value if one.share else 0.0, worth(one).value - 2 * worth(one).mcse)


def worth(one: Influence) -> Estimate:
    """Return by what share the interval gets narrower when an unknown is known."""
    return Estimate(1 - one.left.value, one.left.mcse)


def title(found: Sensitivity) -> str:
    return f"What carries the estimate: {SCOPE_LABELS[found.scope]}"


def subtitle(found: Sensitivity) -> str:
    manifest = found.run.manifest
    return (
        f"{manifest['subject']}: {words.money(found.spread.median, found.unit)}, "
        f"{100 * found.probability:g} % equal-tailed credible interval {words.interval(found.spread, found.unit)} "
        f"({found.group}, {manifest['money']})"
    )


def placed(rows: Sequence[Influence], names: Names) -> Places:
    widest = (WIDEST_NARROW if look().is_narrow else WIDEST) * look().width
    lines = tuple(name_lines(names(one.path).name, widest, SMALL) for one in rows)
    heights = [ROW + (len(each) - 1) * LINE for each in lines]
    ends = list(accumulate(heights))
    middles = tuple(end - height / 2 for end, height in zip(ends, heights, strict=True))
    share = max(text_width(line, SMALL) for each in lines for line in each) + GUTTER
    tornado = share + bar_width() + NUMBER + GUTTER
    worth_at = look().width - bar_width() - NUMBER
    return Places(lines, middles, ends[-1], share, tornado, worth_at - tornado - GUTTER, worth_at)


def bar_width() -> float:
    """Return the width of the bars of shares and of worth [pt]; where there is no room, their numbers must do."""
    return 6.0 if look().is_narrow else SMALL_BARS


def heads(made: Sheet, places: Places) -> None:
    """Write what each column shows."""
    narrow = look().is_narrow
    for left, lines in (
        (places.share, ("Share of", "variance")),
        (places.tornado, ("Median where", "low or high") if narrow else ("Median where it is", "low or high")),
        (places.worth, ("Worth", "asking") if narrow else ("Interval narrower,", "if known, by")),
    ):
        for number, line in enumerate(lines):
            made.text(left, SMALL + number * 1.25 * SMALL, line, SMALL, color=look().soft)


def bars(made: Sheet, places: Places, left: float, values: Sequence[Estimate | None], colour: str) -> None:
    """Draw a column of shares as bars from zero, each with its number and one standard error."""
    axes = made.axes(left, HEAD, bar_width(), places.height)
    axes.set_visible(not look().is_narrow)
    most = max([value.value + value.mcse for value in values if value] + [1e-9])
    axes.set(xlim=(0, most), ylim=(places.height, 0))
    axes.set_axis_off()
    for middle, value in zip(places.middles, values, strict=True):
        if value is not None:
            axes.barh(middle, max(0.0, value.value), BAR, color=colour, linewidth=0)
            ends = [max(0.0, value.value - value.mcse), max(0.0, value.value + value.mcse)]
            axes.plot(ends, [middle] * 2, color=look().ink, linewidth=0.8, solid_capstyle="butt")
        made.text(left + bar_width() + NUMBER, HEAD + middle + 0.35 * SMALL, number_of(value), SMALL, ha="right")


def number_of(value: Estimate | None) -> str:
    """Return a share in percent, with the digits that its error supports; none is below zero.

    >>> [number_of(Estimate(share, 0.007)) for share in (-0.002, 0.007, 0.118)]
    ['0 %', '<1 %', '12 %']
    """
    if value is None:
        return words.ABSENT
    if value.value < 0.01 and value.value <= 2 * value.mcse:
        return "<1 %" if value.value > 0 else "0 %"
    return f"{amount(100 * value.value, '', 100 * value.mcse)} %"


def tornado(made: Sheet, places: Places, found: Sensitivity, rows: Sequence[Influence], colour: str) -> None:
    """Draw the medians at both ends of each unknown, as bars from the median of all draws."""
    axes = made.axes(places.tornado, HEAD, places.tornado_width, places.height)
    axes.set(ylim=(places.height, 0), yticks=[])
    axes.spines["left"].set_visible(False)
    centre = found.spread.median.value
    values = [centre, *(end.value for one in rows for end in (one.low, one.high))]
    money_scale(axes, values, places.tornado_width)
    axes.grid(axis="x", which="major")
    for middle, one in zip(places.middles, rows, strict=True):
        for end, shade in ((one.low, look().tint(colour, 0.4)), (one.high, colour)):
            axes.barh(middle, end.value - centre, BAR, left=centre, color=shade, linewidth=0)
    axes.axvline(centre, color=look().ink, linewidth=0.8)


def legend(made: Sheet, top: float, colour: str) -> None:
    """Explain the bars."""
    axes = made.axes(0, top, look().width, legend_height())
    axes.set(xlim=(0, look().width), ylim=(legend_height(), 0))
    axes.set_axis_off()
    x, y = 0.0, 12.0
    for shade, text in (
        (look().tint(colour, 0.4), "lowest tenth of the unknown, or fact false"),
        (colour, "highest tenth, or fact true"),
    ):
        width = 21 + text_width(text, SMALL) + 1.5 * GUTTER
        if x and x + width > look().width:
            x, y = 0.0, y + LEGEND_ROW
        axes.barh(y, 16, BAR, left=x, color=shade, linewidth=0)
        axes.text(x + 21, y, text, size=SMALL, va="center")
        x += width
    for line in notes():
        y += LEGEND_ROW
        axes.text(0, y, line, size=SMALL, color=look().soft, va="center")


def notes() -> list[str]:
    """Return what else the figure needs explained, in lines."""
    worth = "Worth asking: by what share the interval is narrower, if known. " if look().is_narrow else ""
    thin = "" if look().is_narrow else "Thin lines: one Monte Carlo standard error. "
    return wrap(f"{worth}{thin}A dash: acts through the evidence alone.", 0.95 * look().width, SMALL)


def legend_height() -> float:
    """Return what the legend takes [pt]."""
    return LEGEND_ROW * (len(notes()) + (2 if look().is_narrow else 1)) + 4


def caption(found: Sensitivity) -> str:
    """Return a text that can stand below the figure or in its place, its numbers included."""
    names = Names.of(found.run.manifest)
    rows = "; ".join(in_words(one, names(one.path), found.unit) for one in drawn(found))
    parts = [
        *(["NOT CONVERGED, do not cite."] if words.alarm(found) else []),
        f"{SHOWS[0].upper()}{SHOWS[1:]}.",
        f"{words.heading(found)}.",
        "Shares of variance (Shapley effects); medians where the unknown is in its lowest and highest tenth, or the "
        "fact false and true; by what share the interval would be narrower, were the unknown known exactly.",
        f"{rows}.",
        f"{words.explained(found)} {words.advice(found, names)}",
        made_words(found.run.manifest),
    ]
    return "\n".join(parts) + "\n"


def in_words(one: Influence, named: Named, unit: str) -> str:
    low, high = (words.money(end, unit) for end in (one.low, one.high))
    return f"{named}, share {words.percent(one.share)}, {low} and {high}, narrower by {words.percent(worth(one))}"
