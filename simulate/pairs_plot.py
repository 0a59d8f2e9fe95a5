"""The figure of pairs: a cost scope and the unknowns that go with it most, each against each other, draw by draw.

ArviZ's `plot_pair` makes a figure of pyplot's and takes no axes, so this is drawn here in its manner.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulate.arviz_canvas import in_order
from simulate.naming import SCOPE_LABELS, Names
from simulate.plot_axes import extent, group_words, limits, round_amounts, ticks
from simulate.plot_look import look
from simulate.plot_style import SMALL, legible, name_lines, sheet, shorten
from simulate.summary import published

MOST_UNKNOWNS = 4
"""Unknowns that are shown with the scope."""
POINTS = 1000
"""Draws that are shown, evenly spaced."""
LEFT, FOOT, GAP, HEAD = 58.0, 44.0, 7.0, 13.0
"""Room for a scale on the left and below, between panels, and above each [pt]."""
UPRIGHT = 3.0
"""Width over height of the label of a tick."""
FEW = 200
"""Draws up to which each is drawn larger."""

FLAT = 0.8
"""Height of a panel over its width."""


def draw(manifest: Mapping[str, Any], tree: Any, scope: str) -> Any:
    """Return a scope, or the widest, and what goes with it most, in pairs, as a figure."""
    names, ranks = chosen(manifest, tree, scope)
    values = {name: thinned(tree[manifest["group"]][name].to_numpy()) for name in names}
    number = len(names) - 1
    side = (look().width - LEFT - (number - 1) * GAP) / number
    made = sheet(
        manifest,
        f"What goes with what: {SCOPE_LABELS[names[0]]}",
        f"Draws of the {group_words(manifest)} of the cost, in {manifest['money']}, and of the unknowns with the "
        f"highest rank correlation (Spearman's, above each panel). Draws shown: {len(values[names[0]]):,}",
        number * (FLAT * side + HEAD) + FOOT,
    )
    for row in range(number):
        for column in range(row + 1):
            x, y = names[1 + column], names[0] if row == number - 1 else names[2 + row]
            axes = made.axes(LEFT + column * (side + GAP), row * (FLAT * side + HEAD) + HEAD, side, FLAT * side)
            cloud(axes, values[x], values[y], ranks[x, y], side)
            scale(axes, "x", values[x], variable(tree, manifest, x), side, last=row == number - 1)
            scale(axes, "y", values[y], variable(tree, manifest, y), FLAT * side, last=column == 0)
    return made.figure


def chosen(manifest: Mapping[str, Any], tree: Any, scope: str) -> tuple[list[str], dict[tuple[str, str], float]]:
    """Return the scope and the unknowns that are shown, and the rank correlation of each pair."""
    from scipy.stats import spearmanr

    draws = tree[manifest["group"]]
    name = scope or in_order(manifest)[-1]
    paths = [name, *(path for path in manifest["unknowns"] if np.ptp(draws[path].to_numpy()) > 0)]
    found = np.atleast_2d(spearmanr(np.stack([draws[path].to_numpy().ravel() for path in paths]), axis=1).statistic)
    found = found if found.shape == (len(paths), len(paths)) else np.array([[1.0, found.item()], [found.item(), 1.0]])
    order = sorted(range(1, len(paths)), key=lambda i: -abs(found[0, i]))[: MOST_UNKNOWNS - look().is_narrow]
    kept = [0, *order]
    return [paths[i] for i in kept], {(paths[i], paths[j]): float(found[i, j]) for i in kept for j in kept}


def thinned(draws: Any) -> Any:
    """Return evenly spaced draws, no more than a panel can show."""
    flat = np.ravel(draws)
    return flat[:: math.ceil(flat.size / POINTS)]


def cloud(axes: Any, x: Any, y: Any, correlation: float, side: float) -> None:
    """Draw the draws of two variables, and write how far they go together."""
    axes.plot(
        x,
        y,
        ".",
        markersize=2.2 if len(x) > FEW else 4.0,
        color=look().chain(0),
        alpha=0.45,
        markeredgewidth=0,
        rasterized=True,
    )
    place = {"xy": (0.0, 1.0), "xycoords": "axes fraction", "xytext": (1.0, 2.0), "textcoords": "offset points"}
    axes.annotate(f"{round(correlation, 2) + 0.0:+.2f}".replace("-", "−"), **place, size=SMALL - 1, color=look().soft)


@dataclass(frozen=True)
class Variable:
    """What an axis is of, and its unit."""

    name: str
    unit: str

    @property
    def is_money(self) -> bool:
        return self.unit.startswith("USD")

    def words(self, value: float) -> str:
        """Return a value as the label of a tick."""
        return published(value, "USD" if self.is_money else "")


def variable(tree: Any, manifest: Mapping[str, Any], path: str) -> Variable:
    unit = str(tree[manifest["group"]][path].attrs.get("units", ""))
    return Variable(Names.of(manifest)(path).name, unit.removeprefix("1"))


def scale(axes: Any, side: str, values: Any, of: Variable, length: float, *, last: bool) -> None:
    """Give an axis few round ticks, labelled along the edge of the figure alone, and its name there."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    low, high, positive = ends(values)
    one = axes.xaxis if side == "x" else axes.yaxis
    if positive:
        getattr(axes, f"set_{side}scale")("log")
    getattr(axes, f"set_{side}lim")(low, high)
    places = marks(low, high, length * (1 if side == "x" else UPRIGHT), of) if positive else plain(low, high, values)
    one.set_major_locator(FixedLocator(places))
    one.set_minor_locator(NullLocator())
    one.set_major_formatter(FixedFormatter([of.words(place) if last else "" for place in places]))
    if last:
        room = length + GAP
        lines = [*name_lines(of.name, room, SMALL - 1, most=3), shorten(legible(of.unit), room, SMALL - 1)]
        getattr(axes, f"set_{side}label")("\n".join(filter(None, lines)), labelpad=2.0, size=SMALL - 1)


def ends(values: Any) -> tuple[float, float, bool]:
    """Return the ends of an axis, and whether it is logarithmic; that of a fact is not."""
    if float(values.min()) > 0:
        return (*limits(np.quantile(values, [0.002, 0.998]).tolist(), factor=1.02), True)
    margin = 0.08 * float(np.ptp(values))
    return float(values.min()) - margin, float(values.max()) + margin, False


def plain(low: float, high: float, values: Any) -> list[float]:
    """Return few round values on a linear axis; of a fact, false and true."""
    from matplotlib.ticker import MaxNLocator

    if set(np.unique(values)) <= {0.0, 1.0}:
        return [0.0, 1.0]
    return [float(place) for place in MaxNLocator(3).tick_values(low, high) if low <= place <= high]


def marks(low: float, high: float, length: float, of: Variable) -> list[float]:
    """Return at most three round values on an axis whose labels leave one another room."""
    found = ticks(round_amounts(low, high), of.words, low, high, length)
    reach = {value: extent(value, of.words, low, high, length) for value in found}
    inside = [value for value in found if reach[value][0] > -GAP / 2 and reach[value][1] < length + GAP / 2]
    found = inside or found[:1]
    while len(found) > 3:
        found = found[::2]
    return found


def caption(manifest: Mapping[str, Any], tree: Any, scope: str) -> str:
    """Return what the panels show, with the correlations to the scope."""
    (of, *unknowns), ranks = chosen(manifest, tree, scope)
    names = Names.of(manifest)
    said = "; ".join(f"{names(path)} {round(ranks[of, path], 2) + 0.0:+.2f}" for path in unknowns)
    return (
        f"{names(of)} and the {len(unknowns)} unknowns whose rank correlation with it is highest, draw "
        f"by draw; axes are logarithmic where all draws are above zero. Spearman's correlation with the cost: {said}."
    )
