"""Figures in panels, one for each scope or unknown: densities and ranks, drawn by ArviZ on sheets of ours."""

from __future__ import annotations

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
from simulate.plot_axes import (
    amounts,
    group_words,
    limits,
    money_axis,
    percent,
)
from simulate.plot_style import (
    CHAIN_COLOURS,
    GREY,
    INK,
    LARGE,
    LEADING,
    PAPER,
    SCOPE_LABELS,
    SMALL,
    SOFT,
    WIDTH,
    Sheet,
    basis_colour,
    legible,
    sheet,
    shorten,
    tint,
)

GUTTER = 20.0
PANEL = (WIDTH - GUTTER) / 2
PANEL_TITLE, PANEL_BODY, PANEL_FOOT = 26.0, 52.0, 24.0
PANEL_HEIGHT = PANEL_TITLE + PANEL_BODY + PANEL_FOOT
"""Sizes of a panel, of which there are two side by side [pt]."""

VIEW = 0.998
"""Share of the draws that a panel of densities shows; the densities are of all."""

DENSITY = {"dist": {"grid_len": 256}}
FEWEST = 10
"""Draws above zero that a density needs."""

ENDS = ("lower", "median", "upper")

MOST_RANKED, MOST_RANKS = 6, 400
"""Variables in the figure of ranks, and draws of each chain in it, evenly spaced."""

BAND = 0.99
"""Share of good chains whose ranks stay in the band."""

CURVE: dict[str, Any] = {"face": {"alpha": 0.25}, "dist": {"width": 1.2}, "title": False}
SUMMARY: dict[str, Any] = {
    "credible_interval": {"color": INK, "width": 1.6},
    "point_estimate": {"facecolor": PAPER, "edgecolor": INK, "size": 20, "zorder": 3},
    "point_estimate_text": False,
}
"""How ArviZ is to draw a density, and what is beneath it."""

CAPTIONS = {
    "posterior": "Gaussian kernel densities over the logarithm of money; dot, median; line, interval. A panel shows "
    f"the central {100 * VIEW:g} % of the draws, the density is of all; draws of zero are counted in words.",
    "prior-posterior": "Gaussian kernel densities over the logarithm of money; grey, prior; in colour, posterior. A "
    f"panel shows the central {100 * VIEW:g} % of either's draws, the densities are of all.",
    "ranks": "For the scopes and unknowns with the highest R-hat: the distribution of each chain's ranks among the "
    f"draws of all chains, less the uniform, from up to {MOST_RANKS} evenly spaced draws of each. The band is as wide "
    f"as a good chain stays in with {100 * BAND:g} % probability, given its effective draws.",
}
"""What each figure shows, in words."""


def grid(
    manifest: Mapping[str, Any], title: str, subtitle: str, panels: Mapping[str, tuple[str, str]]
) -> tuple[Sheet, dict[str, Any]]:
    """Return a sheet with two columns of panels, each with its title and words, and their axes."""
    made = sheet(manifest, title, subtitle, math.ceil(len(panels) / 2) * PANEL_HEIGHT)
    found = {}
    for number, (name, (label, text)) in enumerate(panels.items()):
        left, top = (number % 2) * (PANEL + GUTTER), (number // 2) * PANEL_HEIGHT
        made.text(left, top + LARGE, shorten(label, PANEL, LARGE, "bold"), LARGE, weight="bold")
        made.text(left, top + LARGE + SMALL * LEADING, shorten(text, PANEL, SMALL), SMALL, color=SOFT)
        axes = made.axes(left, top + PANEL_TITLE, PANEL, PANEL_BODY)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        found[name] = axes
    return made, found


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
        f"Dot, median; line, {percent(manifest)} equal-tailed interval",
        {name: (SCOPE_LABELS[name], words(manifest["scopes"][name], data[name])) for name in data},
    )
    mapped: Mapped = {"color": (["__variable__"], [basis_colour(manifest["scopes"][name]["basis"]) for name in data])}
    azp.plot_dist(
        grouped({group: data}),
        group=group,
        kind="kde",
        **chosen(manifest),
        plot_collection=collection(made, panels, data, mapped),
        stats={**DENSITY, **reported(manifest, data)},
        visuals={**CURVE, **SUMMARY},
    )
    for name, axes in panels.items():
        money_panel(axes, [data[name]])
    return made.figure


def prior_posterior(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the density of each scope before and after the evidence as a figure."""
    import arviz_plots as azp

    found = {group: logarithms(tree, group, manifest) for group in ("prior", "posterior")}
    names = [name for name in found["posterior"] if name in found["prior"]]
    groups = {group: data[names] for group, data in found.items()}
    made, panels = grid(
        manifest,
        "What did the evidence change?",
        f"Prior (grey) and posterior of each cost: density over the logarithm of {manifest['money']}",
        {name: (SCOPE_LABELS[name], words(manifest["scopes"][name], groups["posterior"][name])) for name in names},
    )
    both = groups["posterior"].expand_dims(group=list(groups))
    drawn = azp.plot_prior_posterior(
        grouped(groups),
        kind="kde",
        plot_collection=collection(made, panels, both, {"color": (["group"], [GREY, INK])}),
        stats=DENSITY,
        visuals=CURVE,
    )
    for legend in list(made.figure.legends):
        legend.remove()
    for name, axes in panels.items():
        recolour(drawn, name, basis_colour(manifest["scopes"][name]["basis"]))
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


def varying(manifest: Mapping[str, Any], tree: Any) -> bool:
    """Return whether any scope of a run has a density."""
    return any(varies(tree[manifest["group"]][name].to_numpy()) for name in manifest["scopes"])


def words(found: Mapping[str, Any], logs: Any) -> str:
    """Return median and interval of a scope, and the share of draws that a density leaves out."""
    median, interval = amounts(found)
    zero = float(np.isnan(logs.to_numpy()).mean())
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


def money_panel(axes: Any, logs: Sequence[Any]) -> None:
    """Give a panel of densities its axis of money, as long as what all but a few draws need."""
    tails = [(1 - VIEW) / 2, (1 + VIEW) / 2]
    ends = 10 ** np.concatenate([np.nanquantile(values, tails) for values in logs])
    low, high = limits([float(end) for end in ends], factor=1.02, margin=0.03)
    money_axis(axes, low, high, PANEL, in_logarithms=True)
    top = max(float(np.nanmax(line.get_ydata())) for line in axes.lines)
    axes.set_ylim(-0.1 * top, 1.05 * top)


# ---------------------------------------------------------------------------------------------
# Ranks, in panels


def ranks(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the ranks of each chain's draws among all, for the variables that mix worst, as a figure."""
    import arviz_plots as azp

    data, r_hat, effective = worst_mixing(manifest, tree["posterior"].dataset)
    made, panels = grid(
        manifest,
        "Did the chains find the same? Ranks of each chain among all",
        "How far the distribution of each chain's ranks is from uniform, for what mixes worst. "
        f"A good chain stays in the band with {100 * BAND:g} % probability",
        {name: (legible(SCOPE_LABELS.get(name, name)), f"R-hat {r_hat[name]:.3f}") for name in data},
    )
    chains = data.sizes["chain"]
    colours = [CHAIN_COLOURS[chain % len(CHAIN_COLOURS)] for chain in range(chains)]
    azp.plot_rank(
        grouped({"posterior": data}),
        envelope_prob=BAND,
        plot_collection=collection(made, panels, data, {"color": (["chain"], colours), "overlay": (["chain"], None)}),
        visuals={"ecdf_lines": {"width": 1.0}, "title": False, "xlabel": False},
    )
    for name, axes in panels.items():
        rank_panel(axes, band(min(data.sizes["draw"], effective[name] / chains)))
    return made.figure


def worst_mixing(manifest: Mapping[str, Any], draws: Any) -> tuple[Any, dict[str, float], dict[str, float]]:
    """Return the scopes and unknowns with the highest R-hat: draws, thinned, R-hat and effective draws."""
    from arviz_stats.base import array_stats

    values = {name: draws[name].to_numpy() for name in [*in_order(manifest), *manifest["unknowns"]]}
    r_hat = {name: float(array_stats.rhat(v, method="rank")) for name, v in values.items() if np.ptp(v) > 0}
    worst = sorted(r_hat, key=lambda name: (-r_hat[name], name))[:MOST_RANKED]
    effective = {name: float(array_stats.ess(values[name], method="bulk")) for name in worst}
    thin = math.ceil(draws.sizes["draw"] / MOST_RANKS)
    return draws[worst].isel(draw=slice(None, None, thin)).load(), r_hat, effective


def band(effective: float) -> float:
    """Return how far the distribution of ``effective`` ranks may be from the uniform, with probability `BAND`.

    ``sqrt(log(2 / (1 - BAND)) / (2 n))``: Massart (1990), Annals of Probability 18(3), corollary 1.

    >>> round(band(500), 3)
    0.073
    """
    return math.sqrt(math.log(2 / (1 - BAND)) / (2 * effective))


def rank_panel(axes: Any, width: float) -> None:
    """Give a panel of ranks its band and axes, in the place of ArviZ's test of every draw as independent."""
    for artist in [*axes.texts, *axes.collections]:
        artist.remove()
    axes.axhspan(-width, width, color=tint(SOFT, 0.15), linewidth=0, zorder=0)
    far = max(width, *(float(np.max(np.abs(line.get_ydata()))) for line in axes.lines))
    axes.set(xlim=(0, 1), ylim=(-1.1 * far, 1.1 * far), xticks=[0, 0.5, 1])
    for label, side in zip(
        axes.set_xticklabels(["lowest", "rank", "highest"]), ("left", "center", "right"), strict=True
    ):
        label.set_horizontalalignment(side)
