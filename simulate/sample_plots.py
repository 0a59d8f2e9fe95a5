"""Figures of the draws themselves, drawn by ArviZ on sheets of ours.

ArviZ is given the axes to draw on, so that no window system and no figure of pyplot's is involved; its
choices (probability, kind of interval, point estimate) are always spelled out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulate import ledger
from simulate.plot_style import (
    ALARM,
    CHAIN_COLOURS,
    INK,
    LARGE,
    LEADING,
    MARKERS,
    MEDIUM,
    PAPER,
    SCOPE_LABELS,
    SMALL,
    SOFT,
    WIDTH,
    Sheet,
    amounts,
    basis_colour,
    inner_probability,
    legible,
    limits,
    money_axis,
    percent,
    probability,
    ratio_axis,
    sheet,
    shorten,
    text_width,
    tint,
    wrap,
)
from simulate.summary import published

GUTTER = 18.0
PANEL = (WIDTH - GUTTER) / 2
PANEL_TITLE, PANEL_BODY, PANEL_FOOT = 25.0, 52.0, 24.0
PANEL_HEIGHT = PANEL_TITLE + PANEL_BODY + PANEL_FOOT

VIEW = 0.998
"""Share of the draws that a panel of densities shows; the densities are of all."""

FEWEST = 10
"""Draws above zero that a density needs."""

MOST_RANKED, MOST_RANKS = 6, 500
"""Variables in the figure of ranks, and draws of each chain it takes, evenly spaced."""

BAND = 0.99
FARTHEST = 1e4
"""Where the axis of predicted over published figures ends at the latest."""

ETI: dict[str, Any] = {"ci_kind": "eti", "point_estimate": "median"}
ROW = 27.0


# ---------------------------------------------------------------------------------------------
# Densities


def posterior(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the density of each scope, with median and interval, as a figure."""
    import arviz_plots as azp
    import xarray as xr

    group = manifest["group"]
    data = logarithms(tree, group, manifest)
    made, panels = grid(
        manifest,
        f"How sure is it? The {group} of each cost",
        f"Density over the logarithm of {manifest['money']}; dot, median; line, {percent(manifest)} equal-tailed interval",
        [(SCOPE_LABELS[name], words(manifest["scopes"][name], data[name])) for name in data],
    )
    collection = on_axes(data, made, dict(zip(data, panels, strict=True)), by_basis(manifest, data))
    azp.plot_dist(
        xr.DataTree.from_dict({f"/{group}": data}),
        group=group,
        kind="kde",
        ci_prob=probability(manifest),
        **ETI,
        plot_collection=collection,
        stats={key: {"skipna": True} for key in ("credible_interval", "point_estimate")},
        visuals={
            "face": {"alpha": 0.25},
            "dist": {"width": 1.2},
            "credible_interval": {"color": INK, "width": 1.6},
            "point_estimate": {"facecolor": PAPER, "edgecolor": INK, "size": 20, "zorder": 3},
            "point_estimate_text": False,
            "title": False,
        },
    )
    for name, axes in zip(data, panels, strict=True):
        money_panel(axes, [data[name]])
    return made.figure


def prior_posterior(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the density of each scope before and after the evidence as a figure."""
    import arviz_plots as azp
    import xarray as xr

    groups = {group: logarithms(tree, group, manifest) for group in ("prior", "posterior")}
    both = [name for name in groups["posterior"] if name in groups["prior"]]
    groups = {group: data[both] for group, data in groups.items()}
    made, panels = grid(
        manifest,
        "What did the evidence change? Prior and posterior of each cost",
        f"Density over the logarithm of {manifest['money']}: grey, prior; in colour, posterior",
        [(SCOPE_LABELS[name], words(manifest["scopes"][name], groups["posterior"][name])) for name in both],
    )
    for name, axes in zip(both, panels, strict=True):
        colours = [tint(SOFT, 0.7), basis_colour(manifest["scopes"][name]["basis"])]
        one = {group: data[[name]] for group, data in groups.items()}
        frame = one["posterior"].expand_dims(group=["prior", "posterior"])
        azp.plot_prior_posterior(
            xr.DataTree.from_dict({f"/{group}": data for group, data in one.items()}),
            kind="kde",
            plot_collection=on_axes(frame, made, {name: axes}, {"color": (["group"], colours)}),
            visuals={"face": {"alpha": 0.25}, "dist": {"width": 1.2}, "title": False, "legend": False},
        )
        money_panel(axes, [data[name] for data in one.values()])
    return made.figure


def logarithms(tree: Any, group: str, manifest: Mapping[str, Any]) -> Any:
    """Return the decimal logarithms of the scopes that vary, as a dataset; of zero there is none (NaN)."""
    import xarray as xr

    found = {}
    for name in in_order(manifest):
        draws = tree[group][name].to_numpy()
        if varies(draws):
            found[name] = (("chain", "draw"), np.log10(draws, out=np.full_like(draws, np.nan), where=draws > 0))
    return xr.Dataset(found)


def varies(draws: Any) -> bool:
    """Return whether draws have a density: enough above zero, and not all the same."""
    above = draws[draws > 0]
    return above.size >= FEWEST and float(np.ptp(np.log10(above))) > 1e-9


def in_order(manifest: Mapping[str, Any]) -> list[str]:
    """Return the scopes of a run, narrowest first."""
    return [name for name in ledger.SCOPES if name in manifest["scopes"]]


def words(found: Mapping[str, Any], logs: Any) -> str:
    """Return what stands under the title of a panel: median, interval, and the share of draws at zero."""
    median, interval = amounts(found)
    zero = float(np.isnan(logs.to_numpy()).mean())
    return f"{median} ({interval})" + (f", {100 * zero:.0f} % of draws zero" if zero else "")


def money_panel(axes: Any, logs: Sequence[Any]) -> None:
    """Give a panel of densities its axis of money: what all but a few draws lie in."""
    tails = [(1 - VIEW) / 2, (1 + VIEW) / 2]
    ends = 10 ** np.concatenate([np.nanquantile(values, tails) for values in logs])
    low, high = limits([float(end) for end in ends], factor=1.5, margin=0.03)
    money_axis(axes, low, high, PANEL, in_logarithms=True)
    top = max(float(np.max(line.get_ydata())) for line in axes.lines)
    axes.set_ylim(-0.1 * top, 1.05 * top)


def by_basis(manifest: Mapping[str, Any], data: Any) -> dict[str, tuple[list[str], list[str]]]:
    """Return the mapping of each scope to the colour of its basis."""
    return {"color": (["__variable__"], [basis_colour(manifest["scopes"][name]["basis"]) for name in data])}


# ---------------------------------------------------------------------------------------------
# Ranks


def ranks(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the ranks of each chain's draws among all, for the variables that mix worst, as a figure."""
    import arviz_plots as azp
    import xarray as xr

    found = worst_mixing(manifest, tree["posterior"])
    chains = found[next(iter(found))]["draws"].shape[0]
    thin = math.ceil(found[next(iter(found))]["draws"].shape[1] / MOST_RANKS)
    data = xr.Dataset({name: (("chain", "draw"), one["draws"][:, ::thin]) for name, one in found.items()})
    made, panels = grid(
        manifest,
        "Did the chains find the same? Ranks of each chain among all",
        "Distribution of each chain's ranks less the uniform, for the variables with the highest R-hat. "
        f"{100 * BAND:g} % of good chains stay in the band",
        [(legible(one["label"]), f"R-hat {one['r_hat']:.3f}") for one in found.values()],
    )
    colours = [CHAIN_COLOURS[chain % len(CHAIN_COLOURS)] for chain in range(chains)]
    collection = on_axes(
        data.assign_coords(chain=np.arange(chains)), made, dict(zip(data, panels, strict=True)),
        {"color": (["chain"], colours), "overlay": (["chain"], [None] * chains)},
    )  # fmt: skip
    azp.plot_rank(
        xr.DataTree.from_dict({"/posterior": data.assign_coords(chain=np.arange(chains))}),
        plot_collection=collection,
        envelope_prob=BAND,
        visuals={"ecdf_lines": {"width": 1.0}, "title": False, "xlabel": False, "p_value_text": False},
    )
    for one, axes in zip(found.values(), panels, strict=True):
        rank_panel(axes, band(min(data.sizes["draw"], one["ess"] / chains)))
    return made.figure


def worst_mixing(manifest: Mapping[str, Any], draws: Any) -> dict[str, dict[str, Any]]:
    """Return the scopes and unknowns with the highest R-hat, by name: label, draws, R-hat, effective draws."""
    from arviz_stats.base import array_stats

    labels = {**{path: path for path in manifest["unknowns"]}, **{name: SCOPE_LABELS[name] for name in in_order(manifest)}}
    found = {}
    for name, label in labels.items():
        values = draws[name].to_numpy()
        if np.ptp(values) > 0:
            found[name] = {"label": label, "draws": values, "r_hat": float(array_stats.rhat(values, method="rank"))}
    worst = sorted(found, key=lambda name: (-found[name]["r_hat"], name))[:MOST_RANKED]
    return {name: {**found[name], "ess": float(array_stats.ess(found[name]["draws"], method="bulk"))} for name in worst}


def band(effective: float) -> float:
    """Return how far the distribution of a good chain's ranks strays from the uniform.

    ``sqrt(log(2 / (1 - BAND)) / (2 n))`` for ``n`` effective draws: Massart (1990), Annals of
    Probability 18(3), corollary 1 (Dvoretzky, Kiefer and Wolfowitz).
    """
    return math.sqrt(math.log(2 / (1 - BAND)) / (2 * effective))


def rank_panel(axes: Any, width: float) -> None:
    """Give a panel of ranks its band and axes."""
    axes.axhspan(-width, width, color=tint(SOFT, 0.15), linewidth=0, zorder=0)
    far = max([width, *(float(np.max(np.abs(line.get_ydata()))) for line in axes.lines)])
    axes.set(xlim=(0, 1), ylim=(-1.1 * far, 1.1 * far), xticks=[0, 0.5, 1])
    axes.set_xticklabels(["lowest", "rank", "highest"])
    for label, side in zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True):
        label.set_horizontalalignment(side)


# ---------------------------------------------------------------------------------------------
# Intervals in rows


def forest(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the intervals of all scopes, the prior's in grey below the posterior's, as a figure."""
    import arviz_plots as azp

    names = in_order(manifest)
    shown = [manifest["group"], *(["prior"] if manifest["group"] == "posterior" else [])]
    labels = [(SCOPE_LABELS[name], manifest["scopes"][name]["basis"]) for name in names]
    numbers = [amounts(manifest["scopes"][name]) for name in names]
    made, axes, width = rows(
        manifest,
        "Every cost at a glance: " + " and ".join(reversed(shown)),
        f"Median, {inner_percent(manifest)} and {percent(manifest)} equal-tailed intervals, in {manifest['money']}"
        + ("; grey: prior" if len(shown) > 1 else ""),
        labels,
        numbers,
    )
    for group in reversed(shown):
        data = tree[group].dataset[names].load()
        plain = group != manifest["group"]
        colours = [tint(SOFT, 0.7) if plain else basis_colour(manifest["scopes"][name]["basis"]) for name in names]
        places = [ROW * (row + 0.5) + (6.5 if plain else -1.0 if len(shown) > 1 else 0.0) for row in range(len(names))]
        mapping = {"y": (["__variable__"], places), "color": (["__variable__"], colours),
                   "overlay": (["__variable__"], [None] * len(names))}  # fmt: skip
        azp.plot_forest(tree, group=group, var_names=names, **forest_style(manifest, plain),
                        plot_collection=on_axes(data, made, axes, mapping))  # fmt: skip
    spread = [float(q) for group in shown for name in names for q in quantiles(tree[group][name], manifest) if q > 0]
    money_axis(axes, *limits(spread or [1.0]), width)
    axes.grid(axis="x", which="major")
    return made.figure


def forest_style(manifest: Mapping[str, Any], small: bool = False) -> dict[str, Any]:
    """Return how ArviZ's forest is drawn."""
    size = 0.6 if small else 1.0
    return {
        "combined": True,
        "labels": [],
        "ci_probs": (inner_probability(probability(manifest)), probability(manifest)),
        **ETI,
        "visuals": {
            "twig": {"width": 1.4 * size},
            "trunk": {"width": 4.5 * size},
            "point_estimate": {"facecolor": PAPER, "size": 22 * size, "width": 1.0, "zorder": 3},
            "ticklabels": False,
        },
    }


def quantiles(draws: Any, manifest: Mapping[str, Any]) -> Any:
    """Return the ends of the interval of draws."""
    tail = (1 - probability(manifest)) / 2
    return np.quantile(draws.to_numpy(), [tail, 1 - tail])


def inner_percent(manifest: Mapping[str, Any]) -> str:
    return f"{100 * inner_probability(probability(manifest)):g} %"


def evidence(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return what the draws predict each claim to say, over what it says, as a figure."""
    import arviz_plots as azp
    import xarray as xr

    group = f"{manifest['group']}_predictive"
    ratio = (tree[group]["log_claims"] - tree["observed_data"]["log_claims"]).load() / math.log(10)
    standing = {claim["name"]: claim for claim in manifest["claims"]}
    claims = [standing[name] for name in ratio["claim"].to_numpy().tolist()]
    made, axes, width = rows(
        manifest,
        f"Does it agree with the evidence? What the {manifest['group']} predicts of each claim",
        f"Median, {inner_percent(manifest)} and {percent(manifest)} intervals of the figure that the claim would "
        "give, over the figure it gives; at the right, the share of predictions on that side of it",
        [(shorten(legible(claim["label"] or claim["name"]), 0.38 * WIDTH, LARGE, "bold"), about(claim)) for claim in claims],
        [side(claim["kind"], ratio.sel(claim=claim["name"]).to_numpy()) for claim in claims],
    )
    places = [ROW * (row + 0.5) for row in range(len(claims))]
    data = ratio.to_dataset(name="log_claims").drop_vars(("kind", "claim_unit"), errors="ignore")
    mapping = {"y": (["claim"], places), "overlay": (["claim"], [None] * len(claims))}
    azp.plot_forest(xr.DataTree.from_dict({f"/{group}": data}), group=group, **forest_style(manifest),
                    plot_collection=on_axes(data, made, axes, mapping))  # fmt: skip
    axes.axvline(0, color=SOFT, linewidth=0.8, zorder=1)
    for claim, y in zip(claims, places, strict=True):
        axes.plot([0], [y + 8.5], MARKERS[claim["kind"]], markersize=4.5, color=INK, markeredgewidth=0, clip_on=False)
    tail = (1 - probability(manifest)) / 2
    low, high = (float(q) for q in 10 ** np.clip(np.quantile(ratio, [tail, 1 - tail], axis=(0, 1)), -4, 4).T.ravel()[[0, -1]])
    ratio_axis(axes, low, high, width)
    return made.figure
