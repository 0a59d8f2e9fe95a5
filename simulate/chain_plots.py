"""Figures of the chains, drawn by ArviZ on sheets of ours: ranks, traces, and the energy of the sampler."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from simulate import convergence
from simulate.arviz_canvas import Mapped, collection, grouped, in_order
from simulate.naming import Names
from simulate.panel_plots import CURVE, DENSITY, grid
from simulate.plot_look import look
from simulate.plot_style import LARGE, LEADING, SMALL, Sheet, legible, sheet, text_width
from simulate.summary import published

MOST_RANKED, MOST_RANKS = 6, 400
"""Variables in the figures of ranks and traces, and draws of each chain in that of ranks, evenly spaced."""

MOST_TRACED = 500
"""Draws of each chain in a trace, evenly spaced."""

BAND = 0.99
"""Share of good chains whose ranks stay in the band."""

SCALE = 38.0
"""Room for the scale, left of a trace [pt]."""

ENERGY_HEIGHT, ENERGY_FOOT = 110.0, 40.0
"""Heights of the densities of energy, and of what is below them [pt]."""

POOR_BFMI = 0.3
"""Below it a chain explores its energies too slowly: Betancourt (2016), arXiv:1604.00695."""

CAPTIONS = {
    "ranks": "For the scopes and unknowns with the highest R-hat: the distribution of each chain's ranks among the "
    f"draws of all chains, less the uniform, from up to {MOST_RANKS} evenly spaced draws of each. The band is as wide "
    f"as a good chain stays in with {100 * BAND:g} % probability, given its effective draws.",
    "trace": "For the scopes and unknowns with the highest R-hat, the draws of each chain in their order, with R-hat "
    "and bulk effective sample size (ESS), up to "
    f"{MOST_TRACED} evenly spaced draws of each, a colour for each chain. Good chains look alike and wander nowhere. "
    "Ticks below, where there are any, are divergent transitions.",
    "energy": "The energy of the Hamiltonian in all draws about its mean, and its changes from draw to draw. Where the "
    "changes are much narrower, the sampler cannot reach the tails in reasonable time. BFMI is the mean squared change "
    f"over the variance, of each chain; below {POOR_BFMI:g} it is poor (Betancourt 2016).",
}
"""What each figure shows, in words."""


def ranks(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the ranks of each chain's draws among all, for the variables that mix worst, as a figure.

    Of ArviZ's only the lines are shown: its envelope and its test take draws as independent or are slow, and the
    band here is `band`.
    """
    import arviz_plots as azp

    names = Names.of(manifest)
    data, r_hat, effective = worst_mixing(manifest, tree["posterior"].dataset, MOST_RANKS)
    made, panels = grid(
        manifest,
        "Did the chains find the same? Ranks of each chain among all",
        "How far the distribution of each chain's ranks is from uniform, for what mixes worst. "
        f"A good chain stays in the band with {100 * BAND:g} % probability",
        {name: (names(name).name, f"R-hat {r_hat[name]:.3f}") for name in data},
    )
    chains = data.sizes["chain"]
    azp.plot_rank(
        grouped({"posterior": data}),
        envelope_prob=BAND,
        method="envelope",
        thin=False,
        stats={"ecdf_pit": {"n_simulations": 1}},
        plot_collection=collection(made, panels, data, by_chain(chains)),
        visuals={"ecdf_lines": {"width": 1.0}, "title": False, "xlabel": False, "credible_interval": False},
    )
    for name, axes in panels.items():
        rank_panel(axes, band(min(data.sizes["draw"], effective[name] / chains)))
    return made.figure


def caption(kind: str, manifest: Mapping[str, Any], tree: Any) -> str:
    """Return what a figure of the chains shows, with the variables in it."""
    if kind == "energy":
        return CAPTIONS[kind]
    names, (data, *_) = Names.of(manifest), worst_mixing(manifest, tree["posterior"].dataset, MOST_RANKS)
    return f"{CAPTIONS[kind]} Shown: {'; '.join(str(names(name)) for name in data)}."


def by_chain(chains: int) -> Mapped:
    """Return a colour for each chain."""
    return {"color": (["chain"], [look().chain(chain) for chain in range(chains)]), "overlay": (["chain"], None)}


def worst_mixing(manifest: Mapping[str, Any], draws: Any, most: int) -> tuple[Any, dict[str, float], dict[str, float]]:
    """Return the scopes and unknowns with the highest R-hat: at most so many draws, R-hat and effective draws."""
    values = {name: draws[name].to_numpy() for name in [*in_order(manifest), *manifest["unknowns"]]}
    r_hat = {name: split_r_hat(found) for name, found in values.items() if np.ptp(found) > 0}
    worst = sorted(r_hat, key=lambda name: (-r_hat[name], name))[:MOST_RANKED]
    effective = {name: convergence.mixing(values[name])["ess_bulk"] for name in worst}
    thin = math.ceil(draws.sizes["draw"] / most)
    return draws[worst].isel(draw=slice(None, None, thin)).load(), r_hat, effective


def split_r_hat(values: Any) -> float:
    """Return the rank-normalised R-hat of draws ``(chain, draw)``; of one chain, that of its halves."""
    if len(values) > 1:
        return convergence.mixing(values)["r_hat"]  # remembered from the summary, and from figure to caption
    from arviz_stats.base import array_stats

    return float(array_stats.rhat(values, method="rank"))


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
    axes.axhspan(-width, width, color=look().tint(look().soft, 0.15), linewidth=0, zorder=0)
    far = max(width, *(float(np.max(np.abs(line.get_ydata()))) for line in axes.lines))
    axes.set(xlim=(0, 1), ylim=(-1.1 * far, 1.1 * far), xticks=[0, 0.5, 1])
    for label, side in zip(
        axes.set_xticklabels(["lowest", "rank", "highest"]), ("left", "center", "right"), strict=True
    ):
        label.set_horizontalalignment(side)


# ---------------------------------------------------------------------------------------------
# Traces, in panels


def trace(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the draws of each chain in their order, for the variables that mix worst, as a figure."""
    import arviz_plots as azp

    names = Names.of(manifest)
    data, r_hat, effective = worst_mixing(manifest, tree["posterior"].dataset, MOST_TRACED)
    words = {name: f"R-hat {r_hat[name]:.3f}, ESS {effective[name]:,.0f}{unit_of(data[name])}" for name in data}
    made, panels = grid(
        manifest,
        "Do the chains wander? Draws in their order",
        "Each chain in its colour, for what mixes worst: a good one looks like the others, and nowhere stays or drifts",
        {name: (names(name).name, words[name]) for name in data},
        left=SCALE,
    )
    azp.plot_trace(
        traced(tree, data),
        plot_collection=collection(made, panels, data, by_chain(data.sizes["chain"])),
        visuals={
            "trace": {"width": 0.5, "alpha": 0.8},
            "divergence": {"color": look().alarm},
            "title": False,
            "xlabel": False,
            "ticklabels": False,
        },
    )
    for name, axes in panels.items():
        trace_panel(axes, data[name], tree["posterior"].sizes["draw"])
    return made.figure


def unit_of(values: Any) -> str:
    """Return the unit of a variable in words."""
    unit = str(values.attrs.get("units", "")).removeprefix("1")
    return f"; {legible(unit)}" if unit else ""


def traced(tree: Any, data: Any) -> Any:
    """Return the draws that are shown, and where a draw diverged, that one or one left out after it."""
    if "sample_stats" not in tree.children or "diverging" not in tree["sample_stats"]:
        return grouped({"posterior": data})
    diverging = tree["sample_stats"]["diverging"].to_numpy()
    step = math.ceil(diverging.shape[1] / data.sizes["draw"])
    shown = np.logical_or.reduceat(diverging, np.arange(0, diverging.shape[1], step), axis=1)
    stats = data[[]].assign(diverging=(("chain", "draw"), shown))
    return grouped({"posterior": data, "sample_stats": stats})


def trace_panel(axes: Any, values: Any, draws: int) -> None:
    """Give a panel of traces its axes: money or the unknown's own unit upwards, draws to the right."""
    from matplotlib.ticker import MaxNLocator

    unit = str(values.attrs.get("units", ""))
    low, high = axes.get_ylim()
    places = [place for place in MaxNLocator(3).tick_values(low, high) if low <= place <= high]
    labels = [published(place, "USD" if unit.startswith("USD") else "") for place in places]
    axes.set_yticks(places, labels)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", which="major")
    ends = zip(axes.set_xticks([0, draws - 1], ["1", f"draw {draws:,}"]), ("left", "right"), strict=True)
    for tick, side in ends:
        tick.label1.set_horizontalalignment(side)
    axes.set_xlim(0, draws - 1)


# ---------------------------------------------------------------------------------------------
# Energy


def energy(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the energies of the sampler and their changes as a figure."""
    import arviz_plots as azp
    import arviz_stats as azs
    import xarray as xr

    stats = tree["sample_stats"].dataset[["energy"]].load()
    bfmi = azs.bfmi(grouped({"sample_stats": stats}))["energy"].to_numpy().tolist()
    made = sheet(
        manifest,
        "Does the sampler reach the tails?",
        "Density of the energy in all draws about its mean, and of its changes from draw to draw: as wide, if all is "
        f"well. BFMI of each chain should be above {POOR_BFMI:g}",
        ENERGY_HEIGHT + ENERGY_FOOT,
    )
    axes = made.axes(0, 0, look().width, ENERGY_HEIGHT)
    colours = [look().soft, look().chain(0)]
    both = xr.Dataset(coords={"energy": ["marginal", "transition"]}).assign(Energy=("energy", [0.0, 0.0]))
    azp.plot_energy(
        grouped({"sample_stats": stats}),
        kind="kde",
        show_bfmi=False,
        plot_collection=collection(made, axes, both, {"color": (["energy"], colours)}, column="energy"),
        stats=DENSITY,
        visuals={**CURVE, "legend": False},
    )
    energy_axes(made, axes, bfmi, colours)
    return made.figure


def energy_axes(made: Sheet, axes: Any, bfmi: list[float], colours: list[str]) -> None:
    """Give the densities of energy their axis and legend, and say what each chain's BFMI is."""
    axes.spines["left"].set_visible(False)
    low, high = axes.get_xlim()
    places = [place for place in axes.xaxis.get_major_locator().tick_values(low, high) if low <= place <= high]
    axes.set(yticks=[], ylim=(0, None), xticks=places, xlim=(low, high))
    x, y = 0.0, ENERGY_HEIGHT + 2.9 * SMALL
    for text, colour in zip(("energy about its mean", "change from draw to draw"), colours, strict=True):
        made.text(x, y, text, SMALL, color=colour, weight="bold")
        x += text_width(text, SMALL, "bold") + 2 * LARGE
    words = ", ".join(f"{one:.2f}" for one in bfmi)
    poor = min(bfmi) < POOR_BFMI
    made.text(0, y + SMALL * LEADING, f"BFMI of the chains: {words}", SMALL, color=look().alarm if poor else look().ink)
