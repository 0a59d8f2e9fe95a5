"""Figures of the draws themselves, drawn by ArviZ on sheets of ours.

ArviZ is given the axes to draw on, so that no window system and no figure of pyplot's is involved. Its
choices (probability, kind of interval, point estimate) are always spelled out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulate import ledger
from simulate.plot_axes import (
    FARTHEST,
    amounts,
    inner_probability,
    limits,
    money_axis,
    percent,
    probability,
    ratio_axis,
)
from simulate.plot_style import (
    CHAIN_COLOURS,
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
    symbol,
    text_width,
    tint,
)
from simulate.summary import published

GUTTER = 20.0
PANEL = (WIDTH - GUTTER) / 2
PANEL_TITLE, PANEL_BODY, PANEL_FOOT = 26.0, 52.0, 24.0
PANEL_HEIGHT = PANEL_TITLE + PANEL_BODY + PANEL_FOOT
ROW, ROW_FOOT = 27.0, 20.0

VIEW = 0.998
"""Share of the draws that a panel of densities shows; the densities are of all."""

FEWEST = 10
"""Draws above zero that a density needs."""

MOST_RANKED, MOST_RANKS = 6, 500
"""Variables in the figure of ranks, and draws of each chain in it, evenly spaced."""

BAND = 0.99
"""Share of good chains whose ranks stay in the band."""

GREY = tint(SOFT, 0.6)
KIND_WORDS = {"estimate": "", "floor": "at least ", "ceiling": "at most "}

Mapped = dict[str, tuple[list[str], list[Any] | None]]
"""For each of ArviZ's aesthetics, the dims it is mapped to, and its values."""


# ---------------------------------------------------------------------------------------------
# Densities, in panels


def posterior(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the density of each scope, with median and interval, as a figure."""
    import arviz_plots as azp

    group = manifest["group"]
    data = logarithms(tree, group, manifest)
    made, panels = grid(
        manifest,
        f"How sure is it? The {group} of each cost",
        f"Density over the logarithm of {manifest['money']}. "
        f"Dot, median; line, {percent(manifest)} equal-tailed interval",
        [(SCOPE_LABELS[name], words(manifest["scopes"][name], data[name])) for name in data],
    )
    azp.plot_dist(
        grouped({group: data}),
        group=group,
        kind="kde",
        **chosen(manifest),
        plot_collection=collection(made, dict(zip(data, panels, strict=True)), data, by_basis(manifest, data)),
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

    groups = {group: logarithms(tree, group, manifest) for group in ("prior", "posterior")}
    names = [name for name in groups["posterior"] if name in groups["prior"]]
    groups = {group: data[names] for group, data in groups.items()}
    made, panels = grid(
        manifest,
        "What did the evidence change?",
        f"Prior (grey) and posterior of each cost: density over the logarithm of {manifest['money']}",
        [(SCOPE_LABELS[name], words(manifest["scopes"][name], groups["posterior"][name])) for name in names],
    )
    both = groups["posterior"].expand_dims(group=["prior", "posterior"])
    mapped: Mapped = {"color": (["group"], [GREY, INK])}
    drawn = azp.plot_prior_posterior(
        grouped(groups),
        kind="kde",
        plot_collection=collection(made, dict(zip(names, panels, strict=True)), both, mapped),
        visuals={"face": {"alpha": 0.25}, "dist": {"width": 1.2}, "title": False},
    )
    for legend in list(made.figure.legends):
        legend.remove()
    for name, axes in zip(names, panels, strict=True):
        for part in ("dist", "face"):
            drawn.get_viz(part, name, group="posterior").set_color(basis_colour(manifest["scopes"][name]["basis"]))
        money_panel(axes, [data[name] for data in groups.values()])
    return made.figure


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


def in_order(manifest: Mapping[str, Any]) -> list[str]:
    """Return the scopes of a run, narrowest first."""
    return [name for name in ledger.SCOPES if name in manifest["scopes"]]


def words(found: Mapping[str, Any], logs: Any) -> str:
    """Return median and interval of a scope, and the share of draws that a density leaves out."""
    median, interval = amounts(found)
    zero = float(np.isnan(logs.to_numpy()).mean())
    return f"{median}  ({interval})" + (f", zero in {100 * zero:.0f} %" if zero else "")


def money_panel(axes: Any, logs: Sequence[Any]) -> None:
    """Give a panel of densities its axis of money, as long as what all but a few draws need."""
    tails = [(1 - VIEW) / 2, (1 + VIEW) / 2]
    ends = 10 ** np.concatenate([np.nanquantile(values, tails) for values in logs])
    low, high = limits([float(end) for end in ends], factor=1.5, margin=0.03)
    money_axis(axes, low, high, PANEL, in_logarithms=True)
    top = max(float(np.nanmax(line.get_ydata())) for line in axes.lines)
    axes.set_ylim(-0.1 * top, 1.05 * top)


def by_basis(manifest: Mapping[str, Any], names: Any) -> Mapped:
    """Return the mapping of each scope to the colour of its basis."""
    return {"color": (["__variable__"], [basis_colour(manifest["scopes"][name]["basis"]) for name in names])}


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
        [(legible(SCOPE_LABELS.get(name, name)), f"R-hat {r_hat[name]:.3f}") for name in data],
    )
    chains = data.sizes["chain"]
    colours = [CHAIN_COLOURS[chain % len(CHAIN_COLOURS)] for chain in range(chains)]
    mapped: Mapped = {"color": (["chain"], colours), "overlay": (["chain"], None)}
    azp.plot_rank(
        grouped({"posterior": data}),
        envelope_prob=BAND,
        plot_collection=collection(made, dict(zip(data, panels, strict=True)), data, mapped),
        visuals={"ecdf_lines": {"width": 1.0}, "title": False, "xlabel": False},
    )
    for name, axes in zip(data, panels, strict=True):
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


# ---------------------------------------------------------------------------------------------
# Intervals, in rows


def forest(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the intervals of all scopes, the prior's in grey below the posterior's, as a figure."""
    import arviz_plots as azp

    names = in_order(manifest)
    groups = ["prior", "posterior"] if manifest["group"] == "posterior" else ["prior"]
    made, axes, width = rows(
        manifest,
        f"Every cost at a glance: {' and '.join(groups)}",
        f"{interval_words(manifest)}, in {manifest['money']}" + ("; grey, prior" if len(groups) > 1 else ""),
        [(SCOPE_LABELS[name], manifest["scopes"][name]["basis"]) for name in names],
        [amounts(manifest["scopes"][name]) for name in names],
    )
    for group in groups:
        under = group != manifest["group"]
        shift = 7.0 if under else -1.5 * (len(groups) > 1)
        data = tree[group].dataset[names].load()
        mapped = by_basis(manifest, names)
        if under:
            mapped["color"] = (["__variable__"], [GREY] * len(names))
        mapped |= {"y": (["__variable__"], [middle(row) + shift for row in range(len(names))])}
        target = collection(made, axes, data, mapped)
        azp.plot_forest(grouped({group: data}), group=group, plot_collection=target, **forest_style(manifest, under))
    ends = [float(end) for group in groups for name in names for end in interval(tree[group][name], manifest)]
    money_axis(axes, *limits([end for end in ends if end > 0] or [1.0]), width)
    axes.grid(axis="x", which="major")
    return made.figure


def evidence(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return what the draws predict each claim to say, over what it does say, as a figure."""
    import arviz_plots as azp

    group = f"{manifest['group']}_predictive"
    logs = (tree[group].dataset["log_claims"] - tree["observed_data"].dataset["log_claims"]).load() / math.log(10)
    data = logs.drop_vars(("kind", "claim_unit"), errors="ignore").to_dataset(name="log_claims")
    standing = {claim["name"]: claim for claim in manifest["claims"]}
    claims = [standing[name] for name in data["claim"].to_numpy().tolist()]
    made, axes, width = rows(
        manifest,
        f"Does the {manifest['group']} fit the evidence?",
        f"Each claim as the {manifest['group']} expects it, over the claim as made. {interval_words(manifest)}. "
        "Right: the share expected below it, or above a floor",
        [(legible(claim["label"] or claim["name"]), about(claim)) for claim in claims],
        [side(claim["kind"], data["log_claims"].sel(claim=claim["name"]).to_numpy()) for claim in claims],
    )
    mapped: Mapped = {"y": (["claim"], [middle(row) - 2.0 for row in range(len(claims))])}
    mapped["color"] = (["claim"], [CHAIN_COLOURS[0]] * len(claims))
    target = collection(made, axes, data, mapped)
    azp.plot_forest(grouped({group: data}), group=group, plot_collection=target, **forest_style(manifest))
    axes.axvline(0, color=SOFT, linewidth=0.8, zorder=1)
    for row, claim in enumerate(claims):
        symbol(axes, 0, middle(row) + 7.5, claim["kind"], claim["used"], INK)
    ends = [10**end for claim in claims for end in interval(data["log_claims"].sel(claim=claim["name"]), manifest)]
    low, high = limits([1.0, *(min(max(float(end), 1 / FARTHEST), FARTHEST) for end in ends)], factor=2.0)
    ratio_axis(axes, low, high, width)
    axes.grid(axis="x", which="major")
    return made.figure


def forest_style(manifest: Mapping[str, Any], small: bool = False) -> dict[str, Any]:
    """Return how ArviZ is to draw intervals."""
    size = 0.6 if small else 1.0
    return {
        "combined": True,
        "labels": [],
        **chosen(manifest, two=True),
        "visuals": {
            "twig": {"width": 1.5 * size},
            "trunk": {"width": 5.0 * size},
            "point_estimate": {"facecolor": PAPER, "size": 24 * size, "width": 1.0, "zorder": 3},
            "ticklabels": False,
            "remove_axis": False,
        },
    }


def middle(row: int) -> float:
    """Return where the middle of a row is [pt]."""
    return ROW * (row + 0.5)


def interval(draws: Any, manifest: Mapping[str, Any]) -> Any:
    """Return the ends of the interval of draws."""
    tail = (1 - probability(manifest)) / 2
    return np.quantile(draws.to_numpy(), [tail, 1 - tail])


def interval_words(manifest: Mapping[str, Any]) -> str:
    inner = 100 * inner_probability(probability(manifest))
    return f"Median, {inner:g} % and {percent(manifest)} equal-tailed intervals"


def about(claim: Mapping[str, Any]) -> str:
    """Return what a claim says, and of what."""
    quantity = SCOPE_LABELS.get(claim["about"], claim["about"])
    return legible(f"{quantity}: {KIND_WORDS[claim['kind']]}{published(claim['value'], claim['unit'])}")


def side(kind: str, logs: Any) -> tuple[str, str]:
    """Return the share of predictions on the side of the claim that a bound speaks of, and the side."""
    share = float((logs >= 0).mean()) if kind == "floor" else float((logs < 0).mean())
    return f"{100 * share:.0f} %", "above" if kind == "floor" else "below"


# ---------------------------------------------------------------------------------------------
# Sheets for ArviZ to draw on


def grid(
    manifest: Mapping[str, Any], title: str, subtitle: str, panels: Sequence[tuple[str, str]]
) -> tuple[Sheet, list[Any]]:
    """Return a sheet with two columns of panels, given title and words of each."""
    made = sheet(manifest, title, subtitle, math.ceil(len(panels) / 2) * PANEL_HEIGHT)
    found = []
    for number, (label, text) in enumerate(panels):
        left, top = (number % 2) * (PANEL + GUTTER), (number // 2) * PANEL_HEIGHT
        made.text(left, top + LARGE, shorten(label, PANEL, LARGE, "bold"), LARGE, weight="bold")
        made.text(left, top + LARGE + SMALL * LEADING, shorten(text, PANEL, SMALL), SMALL, color=SOFT)
        axes = made.axes(left, top + PANEL_TITLE, PANEL, PANEL_BODY)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        found.append(axes)
    return made, found


def rows(
    manifest: Mapping[str, Any],
    title: str,
    subtitle: str,
    labels: Sequence[tuple[str, str]],
    numbers: Sequence[tuple[str, str]],
) -> tuple[Sheet, Any, float]:
    """Return a sheet with a row for each label, its axes between labels and numbers, and their width [pt]."""
    height = ROW * len(labels)
    made = sheet(manifest, title, subtitle, height + ROW_FOOT)
    left = min(WIDTH / 2.5, wider(labels)) + GUTTER / 2
    width = WIDTH - left - wider(numbers) - GUTTER / 2
    for row, (words_left, words_right) in enumerate(zip(labels, numbers, strict=True)):
        for line, (size, style) in enumerate(((LARGE, {"weight": "bold"}), (SMALL, {"color": SOFT}))):
            y = middle(row) - 0.5 + line * SMALL * LEADING
            weight = style.get("weight", "normal")
            made.text(0, y, shorten(words_left[line], left - GUTTER / 2, size, weight), size, **style)
            made.text(WIDTH, y, words_right[line], size, ha="right", **style)
        if row:
            made.line(ROW * row)
    axes = made.axes(left, 0, width, height)
    axes.set(ylim=(height, 0), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.patch.set_visible(False)
    return made, axes, width


def wider(lines: Sequence[tuple[str, str]]) -> float:
    """Return the width of a column of bold and small lines [pt]."""
    return max(max(text_width(bold, LARGE, "bold"), text_width(small, SMALL)) for bold, small in lines)


def collection(made: Sheet, axes: Any, data: Any, mapped: Mapped) -> Any:
    """Return ArviZ's plot collection for axes of ours: a dict of them by variable, or one for all."""
    import arviz_plots as azp
    import xarray as xr

    def hold(thing: Any) -> Any:
        return np.array(thing, dtype=object)

    figure = {"figure": ((), hold(made.figure))}
    if isinstance(axes, dict):
        plots = xr.Dataset({name: ((), hold(one)) for name, one in axes.items()})
        places = xr.DataTree.from_dict({"/": xr.Dataset(figure), "/plot": plots})
    else:
        one_place = xr.Dataset({**figure, "plot": (("column",), hold([axes]))}, coords={"column": ["forest"]})
        places = xr.DataTree(one_place)
    return azp.PlotCollection(
        data,
        places,
        backend="matplotlib",
        aes={key: dims for key, (dims, _) in mapped.items()},
        **{key: values for key, (_, values) in mapped.items() if values is not None},
    )


def grouped(groups: Mapping[str, Any]) -> Any:
    """Return datasets as a DataTree of groups."""
    import xarray as xr

    return xr.DataTree.from_dict({f"/{name}": data for name, data in groups.items()})


def chosen(manifest: Mapping[str, Any], *, two: bool = False) -> dict[str, Any]:
    """Return the summary that ArviZ is to draw: our interval and the median, or two intervals."""
    outer = probability(manifest)
    level = {"ci_probs": (inner_probability(outer), outer)} if two else {"ci_prob": outer}
    return {**level, "ci_kind": "eti", "point_estimate": "median"}
