"""The tornado of an analysis: the median of a cost scope where each unknown is low and where it is high."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulate import sensitivity_report as words
from simulate.given_data import TAIL
from simulate.ladder_plot import LEGEND_ROW, LEGEND_TOP, Item, draw_legend, flow
from simulate.naming import SCOPE_LABELS, Names
from simulate.plot_axes import money_scale, span
from simulate.plot_look import look
from simulate.plot_style import MEDIUM, legible
from simulate.row_plots import middle, row_height, rows
from simulate.sensitivity import Influence, Sensitivity
from simulate.summary import amount, with_unit

MOST = 12
"""Unknowns that are drawn."""
BAR = 10.0
"""Height of a bar [pt]."""
ENDS = ("lowest tenth of the unknown, or fact false", "highest tenth, or fact true")
"""What the two bars of an unknown are."""


def draw(found: Sensitivity) -> Any:
    """Return the tornado of an analysis as a figure."""
    drawn, names = widest(found), Names.of(found.run.manifest)
    colour = look().basis(found.run.manifest["scopes"][found.scope]["basis"])
    shades = look().tint(colour, 0.4), colour
    explained = list(flow([Item("basis", text, shade) for text, shade in zip(ENDS, shades, strict=True)]))
    made, axes, width = rows(
        found.run.manifest,
        f"What moves it most: {SCOPE_LABELS[found.scope]}",
        subtitle(found),
        [(legible(names(one.path).name), given(found, one)) for one in drawn],
        [(span(*ends(one, found.unit)), moved(one)) for one in drawn],
        MEDIUM,
        foot=LEGEND_TOP + LEGEND_ROW * len(explained),
    )
    centre = found.spread.median.value
    for number, one in enumerate(drawn):
        for end, shade in zip((one.low, one.high), shades, strict=True):
            axes.barh(middle(number), end.value - centre, BAR, left=centre, color=shade, linewidth=0)
    axes.axvline(centre, color=look().ink, linewidth=0.8)
    money_scale(axes, [centre, *(end.value for one in drawn for end in (one.low, one.high))], width)
    axes.grid(axis="x", which="major")
    draw_legend(made, explained, row_height() * len(drawn) + LEGEND_TOP)
    return made.figure


def widest(found: Sensitivity) -> list[Influence]:
    """Return the unknowns that move the median most, most first, as far as they do so beyond their errors."""
    moving = [one for one in found.influences if swing(one) > 2 * np.hypot(one.low.mcse, one.high.mcse)]
    return sorted(moving or found.influences[:1], key=lambda one: -swing(one))[:MOST]


def swing(one: Influence) -> float:
    """Return how far apart the medians at both ends are [USD]."""
    return abs(one.high.value - one.low.value)


def subtitle(found: Sensitivity) -> str:
    return (
        f"Median of the {found.group}, in {found.run.manifest['money']}, where an unknown is below its p10 or above "
        f"its p90, a fact false or true. Line: all draws, {words.money(found.spread.median, found.unit)}, "
        f"{100 * found.probability:g} % equal-tailed credible interval {words.interval(found.spread, found.unit)}"
    )


def given(found: Sensitivity, one: Influence) -> str:
    """Return the range of an unknown outside of which it is low or high."""
    if one.is_fact:
        return "false or true"
    values = found.run.tree(found.group)[found.group][one.path]
    low, high = np.quantile(values.to_numpy(), [TAIL, 1 - TAIL])
    unit = str(values.attrs.get("units", "")).removeprefix("1")
    money = "USD" if unit.startswith("USD") else ""
    both = [amount(float(end), money) for end in (low, high)]
    words_of = f"p10–p90: {span(*both) if low >= 0 else ' to '.join(both)}"
    return legible(words_of + unit.removeprefix("USD") if money else with_unit(words_of, unit))


def ends(one: Influence, unit: str) -> tuple[str, str]:
    """Return the medians at both ends in words, the lower first."""
    low, high = sorted((one.low, one.high), key=lambda end: end.value)
    return words.money(low, unit), words.money(high, unit)


def moved(one: Influence) -> str:
    """Return which way the scope goes with the unknown."""
    return "rises with it" if one.high.value > one.low.value else "falls with it"


def caption(found: Sensitivity) -> str:
    """Return what the bars show, their numbers included."""
    drawn, names = widest(found), Names.of(found.run.manifest)
    said = "; ".join(
        f"{names(one.path)}, {' to '.join(ends(one, found.unit))}, {moved(one)} ({given(found, one)})" for one in drawn
    )
    return (
        f"{words.heading(found)}. Bars lead from the median of all draws to the median of the tenth of the draws in "
        "which the unknown is lowest and highest, or the fact false and true: with all that goes with "
        "it by dependence or by the evidence. Only what moves the median by more than two Monte Carlo errors is "
        f"drawn, at most {MOST}. {said}."
    )
