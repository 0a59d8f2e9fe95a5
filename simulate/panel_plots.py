"""Figures in panels, one for each scope: densities, drawn by ArviZ on sheets of ours."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulate import report
from simulate.arviz_canvas import (
    Mapped,
    chosen,
    collection,
    grouped,
    in_order,
)
from simulate.naming import SCOPE_LABELS
from simulate.plot_axes import (
    amounts,
    group_words,
    limits,
    money_axis,
    percent,
)
from simulate.plot_look import look
from simulate.plot_style import LARGE, LEADING, SMALL, Sheet, name_lines, sheet, shorten

GUTTER = 20.0
PANEL_TITLE, PANEL_BODY, PANEL_FOOT = 26.0, 52.0, 24.0
"""Heights of what a panel is made of [pt]."""

VIEW = 0.998
"""Share of the draws that a panel of densities shows; the densities are of all."""

DENSITY = {"dist": {"grid_len": 256}}
FEWEST = 10
"""Draws above zero that a density needs."""

ENDS = ("lower", "median", "upper")

CURVE: dict[str, Any] = {"face": {"alpha": 0.25}, "dist": {"width": 1.2}, "title": False}
"""How ArviZ is to draw a density."""

CAPTIONS = {
    "posterior": "Gaussian kernel densities over the logarithm of money; dot, median; line, interval. A panel shows "
    f"the central {100 * VIEW:g} % of the draws, the density is of all; draws of zero are counted in words.",
    "prior-posterior": "Gaussian kernel densities over the logarithm of money; grey, prior; in colour, posterior. A "
    f"panel shows the central {100 * VIEW:g} % of either's draws, the densities are of all.",
}
"""What each figure shows, in words."""


def grid(
    manifest: Mapping[str, Any],
    title: str,
    subtitle: str,
    panels: Mapping[str, tuple[str, str]],
    *,
    columns: int = 2,
    body: float = PANEL_BODY,
    left: float = 0.0,
) -> tuple[Sheet, dict[str, Any]]:
    """Return a sheet with columns of panels, each with its title and words, and their axes.

    ``body`` is the height of axes, and ``left`` the room for a scale beside them [pt].
    """
    width = panel_width(columns)
    titles = {name: name_lines(label, width, LARGE, "bold") for name, (label, _) in panels.items()}
    lines = [max(map(len, row)) for row in itertools.batched(titles.values(), columns)]
    ends = list(itertools.accumulate((n - 1) * LARGE * LEADING + PANEL_TITLE + body + PANEL_FOOT for n in lines))
    made = sheet(manifest, title, subtitle, ends[-1])
    found = {}
    for number, (name, (_, text)) in enumerate(panels.items()):
        x, top = (number % columns) * (width + GUTTER), ends[number // columns] - PANEL_TITLE - body - PANEL_FOOT
        for above, line in enumerate(reversed(titles[name])):
            made.text(x, top + LARGE * (1 - above * LEADING), line, LARGE, weight="bold")
        made.text(x, top + LARGE + SMALL * LEADING, shorten(text, width, SMALL), SMALL, color=look().soft)
        axes = made.axes(x + left, top + PANEL_TITLE, width - left, body)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        found[name] = axes
    return made, found


def panel_width(columns: int = 2) -> float:
    """Return the width of a panel [pt]."""
    return (look().width - (columns - 1) * GUTTER) / columns


# ---------------------------------------------------------------------------------------------
# Densities, in panels


def posterior(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the density of each scope, with median and interval, as a figure."""
    import arviz_plots as azp

    group = manifest["group"]
    data = logarithms(tree, group, manifest)
    made, panels = grid(
        manifest,
        f"How sure is the {group_words(manifest)}?",
        f"Density over the logarithm of {manifest['money']}. "
        f"Dot, median; line, {percent(manifest)} equal-tailed credible interval",
        {name: (SCOPE_LABELS[name], words(manifest["scopes"][name], data[name])) for name in data},
    )
    mapped: Mapped = {"color": (["__variable__"], [look().basis(manifest["scopes"][name]["basis"]) for name in data])}
    azp.plot_dist(
        grouped({group: data}),
        group=group,
        kind="kde",
        **chosen(manifest),
        plot_collection=collection(made, panels, data, mapped),
        stats={**DENSITY, **reported(manifest, data)},
        visuals={**CURVE, **summary_style()},
    )
    for name, axes in panels.items():
        money_panel(axes, [data[name]])
    return made.figure


def summary_style() -> dict[str, Any]:
    """Return how ArviZ is to draw median and interval beneath a density."""
    return {
        "credible_interval": {"color": look().ink, "width": 1.6},
        "point_estimate": {"facecolor": look().paper, "edgecolor": look().ink, "size": 20, "zorder": 3},
        "point_estimate_text": False,
    }


def prior_posterior(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the density of each scope before and after the evidence as a figure."""
    import arviz_plots as azp

    found = {group: logarithms(tree, group, manifest) for group in ("prior", "posterior")}
    names = [name for name in found["posterior"] if name in found["prior"]]
    groups = {group: data[names] for group, data in found.items()}
    made, panels = grid(
        manifest,
        "What did the evidence change?",
        f"Prior (grey) and posterior of each cost: density over the logarithm of {manifest['money']}. In numbers, "
        f"median and {percent(manifest)} equal-tailed credible interval of the posterior",
        {name: (SCOPE_LABELS[name], words(manifest["scopes"][name], groups["posterior"][name])) for name in names},
    )
    both = groups["posterior"].expand_dims(group=list(groups))
    drawn = azp.plot_prior_posterior(
        grouped(groups),
        kind="kde",
        plot_collection=collection(made, panels, both, {"color": (["group"], [look().grey, look().ink])}),
        stats=DENSITY,
        visuals=CURVE,
    )
    for legend in list(made.figure.legends):
        legend.remove()
    for name, axes in panels.items():
        recolour(drawn, name, look().basis(manifest["scopes"][name]["basis"]))
        money_panel(axes, [data[name] for data in groups.values()])
    return made.figure


def recolour(drawn: Any, name: str, colour: str) -> None:
    """Give the posterior of a panel that ArviZ has drawn the colour of its scope's basis."""
    for part in ("dist", "face"):
        drawn.get_viz(part, name, group="posterior").set_color(colour)


def logarithms(tree: Any, group: str, manifest: Mapping[str, Any]) -> Any:
    """Return the decimal logarithms of the scopes that vary, as a dataset; zero has none (NaN)."""
    import xarray as xr

    found = {}
    for name in in_order(manifest):
        draws = tree[group][name].to_numpy()
        if varies(draws):
            found[name] = (("chain", "draw"), np.log10(draws, out=np.full_like(draws, np.nan), where=draws > 0))
    return xr.Dataset(found)


def varies(draws: Any) -> bool:
    """Return whether draws have a density: enough of them above zero, and not all the same."""
    above = draws[draws > 0]
    return above.size >= FEWEST and float(np.ptp(np.log10(above))) > 1e-9


def varying(names: Sequence[str], manifest: Mapping[str, Any], tree: Any) -> bool:
    """Return whether any of some scopes of a run has a density."""
    return any(varies(tree[manifest["group"]][name].to_numpy()) for name in names)


def words(found: Mapping[str, Any], logs: Any) -> str:
    """Return median and interval of a scope, and the share of draws that a density leaves out."""
    zero = float(np.isnan(logs.to_numpy()).mean())
    return money_words(found, zero)


def money_words(found: Mapping[str, Any], zero: float) -> str:
    """Return median and interval of a scope, and the share of its draws that are zero."""
    median, interval = amounts(found)
    return f"{median}  ({interval})" + (f", zero in {report.percent(100 * zero)}" if zero else "")


def reported(manifest: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """Return interval and median of the manifest as ArviZ takes them, in logarithms.

    An interval from zero begins at the least draw above it; a median of zero is not drawn (NaN).
    """
    import xarray as xr

    found = manifest["scopes"]
    logs = {(n, key): math.log10(found[n][key]) if found[n][key] > 0 else math.nan for n in data for key in ENDS}
    least = {name: float(data[name].min()) if found[name]["upper"] > 0 else math.nan for name in data}
    lower = {name: least[name] if math.isnan(logs[name, "lower"]) else logs[name, "lower"] for name in data}
    ends = {name: ("ci_bound", [lower[name], logs[name, "upper"]]) for name in data}
    return {
        "credible_interval": xr.Dataset(ends, coords={"ci_bound": ["lower", "upper"]}),
        "point_estimate": xr.Dataset({name: ((), logs[name, "median"]) for name in data}),
    }


def money_panel_limits(logs: Sequence[Any]) -> tuple[float, float]:
    """Return the ends of an axis that shows all but a few of some draws, given as decimal logarithms [USD]."""
    tails = [(1 - VIEW) / 2, (1 + VIEW) / 2]
    ends = 10 ** np.concatenate([np.nanquantile(values, tails) for values in logs])
    return limits([float(end) for end in ends], factor=1.02, margin=0.03)


def money_panel(axes: Any, logs: Sequence[Any]) -> None:
    """Give a panel of densities its axis of money, as long as what all but a few draws need."""
    low, high = money_panel_limits(logs)
    money_axis(axes, low, high, panel_width(), in_logarithms=True)
    top = max(float(np.nanmax(line.get_ydata())) for line in axes.lines)
    axes.set_ylim(-0.1 * top, 1.05 * top)
