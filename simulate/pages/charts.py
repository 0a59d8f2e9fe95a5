"""Figures of a page in rows, as inline SVG: bars, points, marks and curves on one logarithmic axis.

Like the ladder they are set for a screen and for a phone, and each row says its values in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from simulate.pages import lettering
from simulate.pages.axis import FOOT, LARGE, SMALL, Axis, Setting
from simulate.pages.writing import markup


@dataclass(frozen=True)
class Bar:
    """From one value to another; ``css`` is its class in the look, ``shift`` how far below the middle it lies."""

    ends: tuple[float, float]
    css: str
    height: float = 10.0
    shift: float = 0.0


@dataclass(frozen=True)
class Curve:
    """A density: values with their heights, from 0 to 1 of what a row has; ``css`` is its class in the look."""

    points: tuple[tuple[float, float], ...]
    css: str


@dataclass(frozen=True)
class Row:
    """A row of a figure: its label and what stands beneath, numbers and what stands beneath, and what it ``said``.

    ``colour`` is a class of the look, and ``note_css`` that of what stands beneath the label. ``mark`` is the kind of a
    claim and its value.
    """

    label: str
    note: str
    words: tuple[str, str]
    said: str
    colour: str = "basis-none"
    note_css: str = "small"
    bars: tuple[Bar, ...] = ()
    point: float | None = None
    mark: tuple[str, float] | None = None
    curves: tuple[Curve, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A row in its place."""

    row: Row
    label: str
    note: str
    top: float
    middle: float
    bottom: float
    paths: tuple[tuple[str, str], ...]


LEAST_LEFT, MOST_LEFT = 256.0, 330.0
"""What the words of rows take beside the axis: no less, so that figures look alike, and no more."""


def settings(found: Sequence[Row], height: float) -> tuple[Setting, Setting]:
    """Return both settings for rows whose bars take some height."""
    words = [max(lettering.width(row.label, LARGE), lettering.width(row.note, SMALL)) for row in found]
    left = min(MOST_LEFT, max([LEAST_LEFT, *(width + 8 for width in words)]))
    wide = Setting("wide", 720.0, left, 116.0, 0.0, max(36.0, height))
    return wide, Setting("narrow", 360.0, 8.0, 8.0, 34.0, height)


def rows(
    found: Sequence[Row],
    *,
    name: str,
    ends: tuple[float, float],
    one: str = "",
    line: float | None = None,
    legend: Sequence[tuple[str, str]] = (),
    height: float = 24.0,
) -> Markup:
    """Return rows as a figure to put into a page.

    ``name`` says what the figure shows, ``ends`` are those of the axis, of money [USD] or, with a name for ``one``, of
    ratios. ``line`` is a value to draw a line at. ``legend`` are classes of the look and what they mean.
    """
    drawn = []
    for setting in settings(found, height):
        axis = setting.axis(*ends, one)
        drawn.append((setting, axis, list(placed(found, setting, axis))))
    return markup("charts.html", name=name, drawn=drawn, line=line, legend=legend, foot=FOOT)


def placed(found: Sequence[Row], setting: Setting, axis: Axis) -> Iterator[Placed]:
    """Yield rows one below the other."""
    top = FOOT
    for row in found:
        bottom = top + setting.words + setting.bars
        middle = bottom - setting.bars / 2
        room, beneath = rooms(setting)
        label, note = lettering.shorten(row.label, room, LARGE), lettering.shorten(row.note, beneath, SMALL)
        paths = tuple((curve.css, path(curve, axis, bottom - 4, setting.bars - 8)) for curve in row.curves)
        yield Placed(row, label, note, top, middle, bottom, paths)
        top = bottom + 2


def rooms(setting: Setting) -> tuple[float, float]:
    """Return what a label and its note have room for."""
    beside = setting.left - 8
    return (setting.width * 0.68, setting.width * 0.72) if setting.is_narrow else (beside, beside)


def path(curve: Curve, axis: Axis, base: float, height: float) -> str:
    """Return a curve as the outline of an area above ``base``."""
    points = [f"{axis.place(value):.1f} {base - height * share:.1f}" for value, share in curve.points]
    first, last = (axis.place(curve.points[end][0]) for end in (0, -1))
    return f"M{first:.1f} {base:.1f}L{'L'.join(points)}L{last:.1f} {base:.1f}z"
