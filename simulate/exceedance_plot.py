"""The figure of exceedance: how probable it is that a cost is above an amount, in panels, one for each scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulate import report
from simulate.naming import SCOPE_LABELS
from simulate.panel_plots import grid, money_panel_limits, money_words, panel_width
from simulate.plot_axes import group_words, money_axis, percent
from simulate.plot_look import look
from simulate.plot_style import KIND_WORDS, legible, symbol
from simulate.summary import published

SCALE = 27.0
"""Room for the scale of probability, left of a panel [pt]."""

BODY = 62.0
POINTS = 400
"""Points that a curve is drawn through."""

LEVELS = (0.0, 0.5, 1.0)


def draw(manifest: Mapping[str, Any], tree: Any, scope: str) -> Any:
    """Return the probability that each scope, or the one named, is above an amount, as a figure."""
    draws = tree[manifest["group"]]
    names = shown(manifest, tree, scope)
    columns = 1 if scope else 2
    made, panels = grid(
        manifest,
        "How probable is it that it cost more?",
        f"Probability, by the {group_words(manifest)}, that a cost is above an amount of {manifest['money']}. "
        f"Dot, median; shaded, {percent(manifest)} equal-tailed credible interval{marked(manifest, names)}",
        {name: (SCOPE_LABELS[name], words(manifest, name, draws[name].to_numpy())) for name in names},
        columns=columns,
        body=BODY * (2 if scope else 1),
        left=SCALE,
    )
    for name, axes in panels.items():
        panel(axes, manifest, name, draws[name].to_numpy(), panel_width(columns) - SCALE)
    return made.figure


def marked(manifest: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return what the marks of a figure are, where it has any."""
    return "; diamonds and triangles, published claims" if any(about(manifest, name) for name in names) else ""


def words(manifest: Mapping[str, Any], name: str, draws: Any) -> str:
    """Return median and interval of a scope, and the share of its draws that are zero."""
    return money_words(manifest["scopes"][name], float((draws <= 0).mean()))


def shown(manifest: Mapping[str, Any], tree: Any, scope: str) -> list[str]:
    """Return the scopes that have a curve: those that vary, or the one named."""
    from simulate.arviz_canvas import in_order
    from simulate.panel_plots import varies

    return [scope] if scope else [s for s in in_order(manifest) if varies(tree[manifest["group"]][s].to_numpy())]


def panel(axes: Any, manifest: Mapping[str, Any], name: str, draws: Any, width: float) -> None:
    """Draw the curve of a scope, its interval and median, and the claims about it."""
    found, colour = manifest["scopes"][name], look().basis(manifest["scopes"][name]["basis"])
    amounts, above = curve(draws)
    low, high = money_panel_limits([np.log10(amounts)])
    axes.set_ylim(0, 1)
    axes.axvspan(max(found["lower"], low), found["upper"], color=look().tint(colour, 0.18), linewidth=0, zorder=0)
    axes.plot(amounts, above, color=colour, linewidth=1.4)
    if found["median"] > 0:
        edge = {"markeredgecolor": look().ink, "markeredgewidth": 0.9}
        axes.plot([found["median"]], [0.5], "o", markersize=4.8, color=look().paper, **edge)
    for claim in about(manifest, name):
        if low <= claim["value"] <= high:
            used = claim["used"] and manifest["group"] == "posterior"
            symbol(axes, claim["value"], 1 - claim["percentile"] / 100, claim["kind"], used, look().ink)
    money_axis(axes, low, high, width)
    axes.set_yticks(LEVELS, [f"{100 * level:g} %" for level in LEVELS])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", which="major")


def curve(draws: Any) -> tuple[Any, Any]:
    """Return amounts above zero and the share of the draws above each, at evenly spaced ranks.

    >>> amounts, above = curve(np.array([0.0, 1.0, 2.0, 4.0]))
    >>> amounts.tolist(), above.tolist()
    ([1.0, 2.0, 4.0], [0.5, 0.25, 0.0])
    """
    ordered = np.sort(np.ravel(draws))
    above = 1 - np.arange(1, len(ordered) + 1) / len(ordered)
    first = int(np.searchsorted(ordered, 0.0, side="right"))
    kept = np.unique(np.linspace(first, len(ordered) - 1, POINTS).round().astype(int))
    return ordered[kept], above[kept]


def about(manifest: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """Return the claims about a scope."""
    return [claim for claim in manifest["claims"] if claim["about"] == name]


def caption(manifest: Mapping[str, Any], tree: Any, scope: str) -> str:
    """Return what the curves show, with the probability beyond each claim."""
    names = shown(manifest, tree, scope)
    parts = [beyond(claim) for name in names for claim in about(manifest, name)]
    said = (
        " Marks are published claims on a panel's axis: diamond, estimate; triangle to the right, floor; to the left, "
        "ceiling; filled, used as evidence; hollow, only shown. Probability of a cost above a published figure: "
        f"{'; '.join(parts)}."
        if parts
        else ""
    )
    return f"The share of the draws above each amount, 1 - F(x).{said}"


def beyond(claim: Mapping[str, Any]) -> str:
    """Return how probable a cost above a claim's figure is, in words."""
    words = f"{KIND_WORDS[claim['kind']]}{published(claim['value'], claim['unit'])}"
    share = report.percent(100 - claim["percentile"])
    return f"{SCOPE_LABELS[claim['about']]}, {words} ({legible(claim['label'] or claim['name'])}), {share}"
