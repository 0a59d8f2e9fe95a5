"""The figure of growth: processor time of preparing and of sampling against the size of a prior file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.growing import SIZE_OF, Measured, slope
from simulate.plot_look import look
from simulate.plot_style import MEDIUM, SMALL, Sheet, blank, heading, house_style, text_width

TITLE = "What a larger prior file costs"
SUBTITLE = "Processor time [s]; at the end of each line the power of the size that it grows with there"
FOOT = "4 chains, 500 draws to tune and 1,000 kept; python -m benchmarks.growing"
LINES = {"sampling": (0, "o", "sampling"), "preparing": (2, "s", "load and record")}
AXES = {
    "unknowns": "unknowns",
    "claims": "claims",
    "disputed facts": "combinations of facts",
    "chips": "kinds of chip",
}
LEFT, GUTTER, HEIGHT, ABOVE, BELOW = 30.0, 12.0, 130.0, 16.0, 26.0
"""Room for the scale, between panels, of a panel, for the key above and the labels below [pt]."""


def save(path: Path, found: Mapping[str, Sequence[Measured]]) -> None:
    """Write the figure as a PNG."""
    with house_style():
        draw(found).savefig(path, dpi=200)


def draw(found: Mapping[str, Sequence[Measured]]) -> Any:
    """Return the figure: one panel for each series, on one scale of time."""
    made = blank(heading(True, TITLE, SUBTITLE), FOOT, ABOVE + HEIGHT + BELOW)
    width = (look().width - LEFT - GUTTER * (len(found) - 1)) / len(found)
    times = [getattr(one, kind) for series in found.values() for one in series for kind in LINES]
    for number, (series, measured) in enumerate(found.items()):
        axes = made.axes(LEFT + number * (width + GUTTER), ABOVE, width, HEIGHT)
        panel(axes, series, measured, (0.6 * min(times), 1.8 * max(times)), first=number == 0)
    key(made)
    return made.figure


def panel(axes: Any, series: str, measured: Sequence[Measured], limits: tuple[float, float], first: bool) -> None:
    """Draw one series on logarithmic axes."""
    x = [float(SIZE_OF[series](one.size)) for one in measured]
    for kind, (basis, marker, _) in LINES.items():
        colour = look().bases[basis]
        y = [getattr(one, kind) for one in measured]
        axes.plot(x, y, marker=marker, markersize=3.5, linewidth=1.0, color=colour, clip_on=False)
        place = {"xytext": (0, 7), "textcoords": "offset points", "ha": "right", "size": SMALL, "color": colour}
        axes.annotate(f"{slope(x[-2:], y[-2:]):.1f}".replace("-", "−"), (x[-1], y[-1]), **place)
    axes.set(xscale="log", yscale="log", ylim=limits)
    axes.set_xticks(x, [f"{value:g}" for value in x], size=SMALL - 1)
    axes.minorticks_off()
    axes.set_xlabel(AXES[series])
    axes.grid(axis="y")
    ticks = [tick for tick in (0.01, 0.1, 1.0, 10.0, 100.0) if limits[0] <= tick <= limits[1]]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks] if first else [""] * len(ticks))


def key(made: Sheet) -> None:
    """Say above the panels which line is which."""
    left = LEFT
    for basis, _, label in LINES.values():
        made.text(left, 5, label, MEDIUM, color=look().bases[basis], weight="bold")
        left += text_width(label, MEDIUM, "bold") + GUTTER
    made.text(left, 5, "both axes logarithmic", MEDIUM, color=look().soft)
