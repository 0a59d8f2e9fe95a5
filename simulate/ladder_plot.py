"""The cost ladder: every cost scope of a run on one axis of money, narrowest on top, claims beneath each.

Nothing overlaps by construction: a rung's bar has a row of its own, each claim another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulate import ledger
from simulate.naming import SCOPE_LABELS
from simulate.plot_axes import amounts, group_words, inner_probability, limits, money_axis, percent, probability
from simulate.plot_look import BASES, look
from simulate.plot_style import (
    KIND_WORDS,
    LARGE,
    LEADING,
    MARKERS,
    SMALL,
    Sheet,
    legible,
    sheet,
    shorten,
    symbol,
    text_width,
)
from simulate.summary import published

GUTTER = 9.0
"""Between the columns of a rung: words, axis, numbers [pt]."""

HEAD, BAR_ROW, CLAIM_ROW, GAP = 22.0, 27.0, 11.5, 6.0
"""Heights of what a rung is made of [pt]; it has a head where its words have no room beside the bars."""

NARROW_BAR_ROW = 20.0

NARROWEST = 4.0
"""Ratio of the axis's ends, at least."""

MARK_GAP = 6.5
LEGEND_TOP, LEGEND_ROW = 28.0, 13.0
FORM_WIDTHS = {"basis": 16.0, "interval": 31.0, "estimate": 13.0, "floor": 13.0, "ceiling": 13.0}

HAS_AMOUNT = re.compile(r"[$€£¥]\s?\d|\d\s?(?:k|M|bn|tn|B|million|billion|trillion)\b", re.IGNORECASE)
OVER_HORIZON = frozenset({"operations", "ownership", "company"})


@dataclass(frozen=True)
class Mark:
    """A published claim about a scope."""

    value: float
    kind: str
    used: bool
    label: str
    figure: str

    def text(self, room: float = math.inf) -> str:
        """Return label and figure, the label shortened to what room there is [pt]."""
        return shorten(self.label, room - text_width(self.figure, SMALL), SMALL) + self.figure


@dataclass(frozen=True)
class Rung:
    """A cost scope: its interval, the inner one, its median, and the claims about it [USD]."""

    label: str
    basis: str
    colour: str
    median: float
    outer: tuple[float, float]
    inner: tuple[float, float]
    words: tuple[str, str]
    marks: tuple[Mark, ...]

    @property
    def height(self) -> float:
        """What the rung takes of the ladder [pt]."""
        return self.bars + CLAIM_ROW * len(self.marks) + GAP

    @property
    def bars(self) -> float:
        """What its words and bars take of it [pt]."""
        return HEAD + NARROW_BAR_ROW if look().is_narrow else BAR_ROW


@dataclass(frozen=True)
class Frame:
    """Where the axis lies on the sheet, ``left`` and ``width`` [pt], and the values at its ends [USD]."""

    left: float
    width: float
    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where a value lies on the axis [pt]; what is below its left end, such as zero, lies at it."""
        return self.width * math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)

    def value(self, place: Any) -> Any:
        """Return the values at places on the axis."""
        return self.low * (self.high / self.low) ** (place / self.width)


def draw(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the ladder of a run as a Matplotlib figure."""
    rungs = rungs_of(manifest, tree)
    rows = list(flow(legend_items(manifest, rungs)))
    height = sum(rung.height for rung in rungs)
    made = sheet(manifest, title(manifest), subtitle(manifest), height + LEGEND_TOP + len(rows) * LEGEND_ROW)
    frame = frame_of(rungs)
    axes = made.axes(frame.left, 0, frame.width, height)
    axes.set(ylim=(height, 0), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.patch.set_visible(False)
    money_axis(axes, frame.low, frame.high, frame.width)
    axes.grid(axis="x", which="major")
    top = 0.0
    for rung in rungs:
        draw_rung(made, axes, rung, top, frame)
        top += rung.height
    draw_legend(made, rows, height + LEGEND_TOP)
    return made.figure


def title(manifest: Mapping[str, Any]) -> str:
    by = "" if manifest["group"] == "posterior" else ", by the prior alone"
    return f"What did {manifest['subject']} spend{by}? It depends on what is counted"


def subtitle(manifest: Mapping[str, Any]) -> str:
    return (
        f"Median and {percent(manifest)} equal-tailed credible interval of the {group_words(manifest)}, "
        f"in {manifest['money']}. Priors: {manifest['title']}"
    )


def caption(manifest: Mapping[str, Any], tree: Any) -> str:
    """Return what the ladder shows, its numbers included."""
    rungs = rungs_of(manifest, tree)
    scopes = "; ".join(f"{rung.label} ({rung.basis}) {rung.words[0]}, {rung.words[1]}" for rung in rungs)
    marks = [mark for rung in rungs for mark in rung.marks]
    elsewhere = len(manifest["claims"]) - len(marks)
    inner = 100 * inner_probability(probability(manifest))
    parts = [
        f"Each rung is one cost scope: dot, median; dark bar, {inner:g} % interval; light bar, {percent(manifest)}."
    ]
    if marks:
        parts.append("Marks are published claims: filled, used as evidence; hollow, only shown.")
    if any(name in OVER_HORIZON for name in manifest["scopes"]) and "scope.horizon" not in tree["constant_data"]:
        parts.append("Uncertain years: the horizon that these costs are counted over is uncertain too.")
    if elsewhere:
        parts.append(f"Claims about other quantities, not shown: {elsewhere}.")
    return " ".join([*parts, f"{scopes}."])


# ---------------------------------------------------------------------------------------------
# What is drawn


def rungs_of(manifest: Mapping[str, Any], tree: Any) -> list[Rung]:
    """Return the rungs of a run, narrowest scope first."""
    draws = tree[manifest["group"]]
    return [
        rung_of(name, manifest["scopes"][name], draws[name].to_numpy(), over(name, tree), marks_of(manifest, name))
        for name in ledger.SCOPES
        if name in manifest["scopes"]
    ]


def rung_of(name: str, found: Mapping[str, Any], draws: Any, years: str, marks: tuple[Mark, ...]) -> Rung:
    inner = inner_probability(found["probability"])
    low, high = np.quantile(draws, [(1 - inner) / 2, (1 + inner) / 2])
    return Rung(
        label=SCOPE_LABELS[name],
        basis=found["basis"] + years,
        colour=look().basis(found["basis"]),
        median=found["median"],
        outer=(found["lower"], found["upper"]),
        inner=(float(low), float(high)),
        words=amounts(found),
        marks=marks,
    )


def over(scope: str, tree: Any) -> str:
    """Return what goes on after the basis of a scope of a run: the years it is counted over, where it is."""
    constants = tree["constant_data"]
    return span_of(scope, float(constants["scope.horizon"]) if "scope.horizon" in constants else None)


def span_of(scope: str, years: float | None) -> str:
    """Return over what years a scope is counted, where it is; they are None where they are uncertain.

    >>> span_of("ownership", 4.0), span_of("ownership", None), span_of("final_run", 4.0)
    (', 4 years', ', uncertain years', '')
    """
    if scope not in OVER_HORIZON:
        return ""
    return ", uncertain years" if years is None else f", {years:g} year{'s' if years != 1 else ''}"


def marks_of(manifest: Mapping[str, Any], name: str) -> tuple[Mark, ...]:
    """Return the claims about a scope, smallest figure first; for a prior none of them is evidence."""
    counts = manifest["group"] == "posterior"
    found = [
        Mark(claim["value"], claim["kind"], claim["used"] and counts, *claim_words(claim))
        for claim in manifest["claims"]
        if claim["about"] == name
    ]
    return tuple(sorted(found, key=lambda mark: (mark.value, mark.label)))


def claim_words(claim: Mapping[str, Any]) -> tuple[str, str]:
    """Return a claim's label and, where the label does not say it, its figure.

    >>> claim_words({"label": "A paper", "name": "p", "kind": "floor", "value": 5e8, "unit": "USD"})
    ('A paper', ': at least $500M')
    """
    label = legible(claim["label"] or claim["name"])
    figure = f": {KIND_WORDS[claim['kind']]}{published(claim['value'], claim['unit'])}"
    return label, "" if HAS_AMOUNT.search(label) else figure


def places(rung: Rung) -> list[float]:
    """Return what the axis must show of a rung; zero has no place on a log axis."""
    values = (*rung.outer, rung.median, *(mark.value for mark in rung.marks))
    return [value for value in values if value > 0]


def frame_of(rungs: Sequence[Rung]) -> Frame:
    """Return the axis that the columns of words and numbers leave room for, and that shows all there is."""
    low, high = limits([value for rung in rungs for value in places(rung)] or [1.0], factor=NARROWEST)
    if look().is_narrow:
        return Frame(0.0, look().width, low, high)
    words = max(max(text_width(r.label, LARGE, "bold"), text_width(r.basis, SMALL)) for r in rungs)
    numbers = max(max(text_width(r.words[0], LARGE, "bold"), text_width(r.words[1], SMALL)) for r in rungs)
    return Frame(words + GUTTER, look().width - words - numbers - 2 * GUTTER, low, high)


# ---------------------------------------------------------------------------------------------
# Drawing


def draw_rung(made: Sheet, axes: Any, rung: Rung, top: float, frame: Frame) -> None:
    """Draw a rung whose rows begin at ``top``."""
    if top:
        made.line(top)
    middle = top + BAR_ROW / 2 + 1
    bars = top + HEAD + NARROW_BAR_ROW / 2 + 1 if look().is_narrow else middle
    words = zip((rung.label, rung.basis), rung.words, ({"weight": "bold"}, {"color": look().soft}), strict=True)
    for row, (left, right, style) in enumerate(words):
        y, size = middle - 1.5 + row * SMALL * LEADING, (LARGE, SMALL)[row]
        made.words(0, y, left, size, **style)
        made.words(look().width, y, right, size, ha="right", **style)
    draw_bars(axes, rung, bars, frame)
    for row, mark in enumerate(rung.marks):
        draw_mark(axes, mark, rung.colour, top + rung.bars + (row + 0.5) * CLAIM_ROW, frame)


def draw_bars(axes: Any, rung: Rung, middle: float, frame: Frame) -> None:
    """Draw both intervals and the median of a rung; of zero, which has no place on the axis, say so."""
    axes.add_patch(bar(rung.outer, middle, 8, frame, look().tint(rung.colour, 0.35)))
    axes.add_patch(bar(rung.inner, middle, 11, frame, rung.colour))
    if rung.outer[0] < frame.low:
        zero = "from $0" if rung.outer[1] else "at $0"
        axes.annotate(zero, (frame.low, middle - 6.5), size=SMALL - 1, color=look().soft, va="baseline")
    if rung.median >= frame.low:
        dot(axes, rung.median, middle)


def bar(interval: tuple[float, float], middle: float, height: float, frame: Frame, color: str) -> Any:
    """Return an interval as a bar with round corners, square ones where it reaches zero."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    left, right = (frame.place(value) for value in interval)
    radius = min(3.5, (right - left) / 2)
    outline = rounded(left, right, height / 2, 0.0 if interval[0] < frame.low else radius, radius)
    corners = np.column_stack([frame.value(outline.vertices[:, 0]), middle + outline.vertices[:, 1]])
    return PathPatch(Path(corners, outline.codes), facecolor=color, linewidth=0)


def rounded(left: float, right: float, half: float, start: float, end: float) -> Any:
    """Return the outline of a bar about y = 0 whose corners have the radius ``start`` and ``end`` [pt]."""
    from matplotlib.path import Path

    corners = [(right, -half, end), (right, half, end), (left, half, start), (left, -half, start)]
    before = [(-1, 0), (0, -1), (1, 0), (0, 1)]
    after = [(0, 1), (-1, 0), (0, -1), (1, 0)]
    points: list[tuple[float, float]] = []
    for (x, y, radius), (ax, ay), (bx, by) in zip(corners, before, after, strict=True):
        points += [(x + ax * radius, y + ay * radius), (x, y), (x + bx * radius, y + by * radius)]
    codes = [Path.LINETO, Path.CURVE3, Path.CURVE3] * len(corners)
    return Path(np.array([*points, points[0]]), [Path.MOVETO, *codes[1:], Path.CLOSEPOLY])


def dot(axes: Any, x: float, y: float) -> None:
    """Draw a median."""
    edge = {"markeredgecolor": look().ink, "markeredgewidth": 0.9}
    axes.plot([x], [y], "o", markersize=4.8, color=look().paper, **edge, clip_on=False)


def draw_mark(axes: Any, mark: Mark, colour: str, middle: float, frame: Frame) -> None:
    """Draw a claim, its text to the right or, where that has no room, to the left."""
    symbol(axes, mark.value, middle, mark.kind, mark.used, colour)
    x = frame.left + frame.place(mark.value)
    rooms = {1: look().width - x - MARK_GAP, -1: x - MARK_GAP}
    side = 1 if text_width(mark.text(), SMALL) <= rooms[1] or rooms[1] >= rooms[-1] else -1
    axes.annotate(
        mark.text(rooms[side]),
        (mark.value, middle),
        xytext=(side * MARK_GAP, -0.35 * SMALL),
        textcoords="offset points",
        ha="left" if side > 0 else "right",
        va="baseline",
        size=SMALL,
        bbox={"facecolor": look().paper, "edgecolor": "none", "pad": 0.6},
        annotation_clip=False,
    )


# ---------------------------------------------------------------------------------------------
# The legend


@dataclass(frozen=True)
class Item:
    """An entry of the legend; ``form`` is a basis, an interval, or a kind of claim. Without a colour it is grey."""

    form: str
    text: str
    colour: str = ""
    used: bool = True

    @property
    def width(self) -> float:
        """What the entry takes of a row [pt]."""
        return FORM_WIDTHS[self.form] + text_width(self.text, SMALL)


def legend_items(manifest: Mapping[str, Any], rungs: Sequence[Rung]) -> list[Item]:
    """Return what the figure needs explained, and no more."""
    bases = {found["basis"] for found in manifest["scopes"].values()}
    items = [Item("basis", basis, look().basis(basis)) for basis in BASES if basis in bases]
    inner = 100 * inner_probability(probability(manifest))
    items.append(Item("interval", f"median, {inner:g} % and {percent(manifest)} interval"))
    return items + mark_items([mark for rung in rungs for mark in rung.marks])


def mark_items(marks: Sequence[Mark]) -> list[Item]:
    """Return what the marks of a figure need explained."""
    items = []
    evidence = any(mark.used for mark in marks)
    for kind, text in (("estimate", "published claim"), ("floor", "claimed floor"), ("ceiling", "claimed ceiling")):
        if any(mark.kind == kind for mark in marks):
            items.append(Item(kind, text if evidence else f"{text}, only shown", used=evidence))
    if evidence and not all(mark.used for mark in marks):
        items.append(Item("estimate", "hollow: only shown, not evidence", used=False))
    return items


def flow(items: Sequence[Item]) -> Iterator[list[tuple[float, Item]]]:
    """Yield the rows of the legend: what fits side by side, with its places from the left [pt]."""
    row: list[tuple[float, Item]] = []
    x = 0.0
    for item in items:
        if row and x + item.width > look().width:
            yield row
            row, x = [], 0.0
        row.append((x, item))
        x += item.width + 1.5 * GUTTER
    yield row


def draw_legend(made: Sheet, rows: Sequence[Sequence[tuple[float, Item]]], top: float) -> None:
    height = len(rows) * LEGEND_ROW
    axes = made.axes(0, top, look().width, height)
    axes.set(xlim=(0, look().width), ylim=(height, 0))
    axes.set_axis_off()
    for number, row in enumerate(rows):
        for x, item in row:
            draw_item(axes, item, x, (number + 0.5) * LEGEND_ROW)


def draw_item(axes: Any, item: Item, x: float, y: float) -> None:
    """Draw an entry of the legend: its form, then its text."""
    colour = item.colour or look().soft
    if item.form in MARKERS:
        symbol(axes, x + 4, y, item.form, item.used, colour)
    elif item.form == "basis":
        axes.plot([x + 3, x + 9], [y, y], color=colour, linewidth=6.5, solid_capstyle="round")
    else:
        axes.plot([x + 3, x + 23], [y, y], color=look().tint(colour, 0.35), linewidth=6, solid_capstyle="round")
        axes.plot([x + 9, x + 17], [y, y], color=colour, linewidth=8, solid_capstyle="round")
        dot(axes, x + 13, y)
    axes.text(x + FORM_WIDTHS[item.form], y + 0.35 * SMALL, item.text, size=SMALL, va="baseline")
