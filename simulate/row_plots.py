"""Figures in rows, an interval in each: scopes and claims, drawn by ArviZ on sheets of ours."""

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
from simulate.naming import SCOPE_LABELS, Names
from simulate.plot_axes import (
    FARTHEST,
    amounts,
    group_words,
    inner_probability,
    limits,
    money_axis,
    percent,
    probability,
    ratio_axis,
)
from simulate.plot_look import look
from simulate.plot_style import (
    KIND_WORDS,
    LARGE,
    LEADING,
    MEDIUM,
    SMALL,
    Sheet,
    legible,
    sheet,
    shorten,
    symbol,
    text_width,
)
from simulate.summary import published

GUTTER = 10.0
"""Between the columns of a row: words, axis, numbers [pt]."""

ROW, ROW_FOOT = 27.0, 20.0
"""Height of a row, and what the axis takes below the last [pt]."""

HEAD = 22.5
"""Height of the words of a row that have no room beside its axis [pt]."""

OVER, UNDER = -2.0, 7.0
"""How far from the middle of a row lie the interval and what is beneath it [pt]."""

WIDEST = 0.5
"""Share of the sheet that the column of words may take."""


CAPTIONS = {
    "forest": "White dot, median; thick and thin line, {inner} and {outer} interval; grey below, the prior's.",
    "evidence": "For each claim used as evidence, the figure that the draws expect of its author, errors and biases "
    "included, over the figure published: white dot, median; thick and thin line, {inner} and {outer} predictive "
    "interval. Diamond, estimate; triangle to the right, floor; to the left, ceiling. "
    "In numbers, the share of expected figures below the published one, or above a floor.",
}
"""What each figure shows, in words; ``inner`` and ``outer`` are the probabilities of its intervals."""


def forest(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return the intervals of all scopes, the prior's in grey below the posterior's, as a figure."""
    names = in_order(manifest)
    group, both = manifest["group"], manifest["group"] == "posterior" and manifest["sampling"]["evidence"] > 0
    groups = ["prior", "posterior"] if both else [group]
    made, axes, width = rows(
        manifest,
        f"Every cost at a glance: {' and '.join(groups)}",
        f"{interval_words(manifest, 'credible')} of the {group_words(manifest)}, in {manifest['money']}"
        f"{'; grey, prior' * both}",
        [(SCOPE_LABELS[name], manifest["scopes"][name]["basis"]) for name in names],
        [amounts(manifest["scopes"][name]) for name in names],
    )
    colours = {name: look().basis(manifest["scopes"][name]["basis"]) for name in names}
    if both:
        scope_rows(made, axes, manifest, tree["prior"], dict.fromkeys(names, look().grey), shift=UNDER, size=0.6)
    scope_rows(made, axes, manifest, tree[group], colours, shift=OVER if both else 0.0)
    ends = np.concatenate([interval(tree[one][name], manifest) for one in groups for name in names])
    money_axis(axes, *limits(ends[ends > 0].tolist() or [1.0]), width)
    axes.grid(axis="x", which="major")
    return made.figure


def scope_rows(
    made: Sheet,
    axes: Any,
    manifest: Mapping[str, Any],
    draws: Any,
    colours: Mapping[str, str],
    *,
    shift: float,
    size: float = 1.0,
) -> None:
    """Draw the interval of each scope in its row, ``shift`` below its middle [pt]."""
    import arviz_plots as azp

    names = list(colours)
    data = draws.dataset[names].load()
    places = [middle(row) + shift for row in range(len(names))]
    mapped: Mapped = {"y": (["__variable__"], places), "color": (["__variable__"], list(colours.values()))}
    azp.plot_forest(
        grouped({"posterior": data}),
        plot_collection=collection(made, axes, data, mapped),
        **forest_style(manifest, size),
    )


def evidence(manifest: Mapping[str, Any], tree: Any) -> Any:
    """Return what the draws expect each claim to say, over what it does say, as a figure."""
    group = manifest["group"]
    data = expected_over_claimed(tree, group)
    standing = {claim["name"]: claim for claim in manifest["claims"]}
    claims = [standing[name] for name in data["claim"].to_numpy().tolist()]
    names = Names.of(manifest)
    logs = {claim["name"]: data["log_claims"].sel(claim=claim["name"]) for claim in claims}
    made, axes, width = rows(
        manifest,
        f"Does the {group} fit the evidence?",
        f"Each claim as the {group} expects it, over the claim as made. {interval_words(manifest, 'predictive')}. "
        "Right: the share expected below it, or above a floor",
        [(legible(claim["label"] or claim["name"]), about(claim, names)) for claim in claims],
        [side(claim["kind"], logs[claim["name"]].to_numpy()) for claim in claims],
        MEDIUM,
    )
    claim_rows(made, axes, manifest, data, claims)
    ends = 10 ** np.concatenate([interval(draws, manifest) for draws in logs.values()])
    ratio_axis(axes, *limits([1.0, *np.clip(ends, 1 / FARTHEST, FARTHEST).tolist()], factor=2.0), width)
    axes.grid(axis="x", which="major")
    return made.figure


def caption(kind: str, manifest: Mapping[str, Any]) -> str:
    """Return what a figure shows; of the evidence also what its claims speak of, with the path of each."""
    inner = f"{100 * inner_probability(probability(manifest)):g} %"
    shown = CAPTIONS[kind].format(inner=inner, outer=percent(manifest))
    if kind != "evidence":
        return shown
    names = Names.of(manifest)
    subjects = dict.fromkeys(str(names(claim["about"])) for claim in manifest["claims"] if claim["used"])
    return f"{shown} The claims speak of: {'; '.join(subjects)}."


def expected_over_claimed(tree: Any, group: str) -> Any:
    """Return the decimal logarithm of each claim as the draws expect it, over the claim, as a dataset."""
    logs = tree[f"{group}_predictive"].dataset["log_claims"] - tree["observed_data"].dataset["log_claims"]
    return (logs / math.log(10)).drop_vars(("kind", "claim_unit"), errors="ignore").to_dataset(name="log_claims").load()


def claim_rows(
    made: Sheet, axes: Any, manifest: Mapping[str, Any], data: Any, claims: Sequence[Mapping[str, Any]]
) -> None:
    """Draw the interval of each claim in its row, and the claim itself, by its kind, beneath."""
    import arviz_plots as azp

    places = [middle(row) + OVER for row in range(len(claims))]
    mapped: Mapped = {"y": (["claim"], places), "color": (["claim"], [look().chain(0)] * len(claims))}
    azp.plot_forest(
        grouped({"posterior": data}),
        plot_collection=collection(made, axes, data, mapped),
        **forest_style(manifest),
    )
    axes.axvline(0, color=look().soft, linewidth=0.8, zorder=1)
    for row, claim in enumerate(claims):
        symbol(axes, 0, middle(row) + UNDER, claim["kind"], claim["used"], look().ink)


def forest_style(manifest: Mapping[str, Any], size: float = 1.0) -> dict[str, Any]:
    """Return how ArviZ is to draw intervals."""
    return {
        "group": "posterior",
        "combined": True,
        "labels": [],
        **chosen(manifest, two=True),
        "visuals": {
            "twig": {"width": 1.5 * size},
            "trunk": {"width": 5.0 * size},
            "point_estimate": {"facecolor": look().paper, "size": 24 * size, "width": 1.0, "zorder": 3},
            "ticklabels": False,
            "remove_axis": False,
        },
    }


def middle(row: int) -> float:
    """Return where the middle of a row is [pt]."""
    return row_height() * (row + 1) - ROW / 2


def row_height() -> float:
    """Return the height of a row [pt]."""
    return HEAD + ROW if look().is_narrow else ROW


def interval(draws: Any, manifest: Mapping[str, Any]) -> Any:
    """Return the ends of the interval of draws."""
    tail = (1 - probability(manifest)) / 2
    return np.quantile(draws.to_numpy(), [tail, 1 - tail])


def interval_words(manifest: Mapping[str, Any], what: str) -> str:
    """Return what the intervals of a figure are; ``what`` is credible, or predictive."""
    inner = 100 * inner_probability(probability(manifest))
    return f"Median, {inner:g} % and {percent(manifest)} equal-tailed {what} intervals"


def about(claim: Mapping[str, Any], names: Names) -> str:
    """Return what a claim says, and of what."""
    said = f"{KIND_WORDS[claim['kind']]}{published(claim['value'], claim['unit'])}"
    return legible(f"{names(claim['about']).name}, {said}")


def side(kind: str, logs: Any) -> tuple[str, str]:
    """Return the share of predictions on the side of the claim that a bound speaks of, and the side."""
    share = float((logs >= 0).mean()) if kind == "floor" else float((logs < 0).mean())
    return report.percent(100 * share), "above" if kind == "floor" else "below"


# ---------------------------------------------------------------------------------------------
# The sheet


def rows(
    manifest: Mapping[str, Any],
    title: str,
    subtitle: str,
    labels: Sequence[tuple[str, str]],
    numbers: Sequence[tuple[str, str]],
    size: float = LARGE,
    foot: float = ROW_FOOT,
) -> tuple[Sheet, Any, float]:
    """Return a sheet with a row for each label, its axes between labels and numbers, and their width [pt].

    ``foot`` is the room below the last row, for the axis and what may follow [pt].
    """
    height = row_height() * len(labels)
    made = sheet(manifest, title, subtitle, height + foot)
    room, left, width = columns(labels, numbers, size)
    for row, (label, number) in enumerate(zip(labels, numbers, strict=True)):
        y = middle(row) - 0.5 - (HEAD if look().is_narrow else 0)
        made.words(0, y, shorten(label[0], room, size, "bold"), size, weight="bold")
        made.words(0, y + SMALL * LEADING, shorten(label[1], room, SMALL), SMALL, color=look().soft)
        made.words(look().width, y, number[0], size, weight="bold", ha="right")
        made.words(look().width, y + SMALL * LEADING, number[1], SMALL, color=look().soft, ha="right")
        if row:
            made.line(row_height() * row)
    axes = made.axes(left, 0, width, height)
    axes.set(ylim=(height, 0), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.patch.set_visible(False)
    return made, axes, width


def columns(
    labels: Sequence[tuple[str, str]], numbers: Sequence[tuple[str, str]], size: float
) -> tuple[float, float, float]:
    """Return the room for words, and where the axis begins and how wide it is [pt]: beside them, or below."""
    if look().is_narrow:
        return look().width - wider(numbers, size) - GUTTER, 0.0, look().width
    room = min(look().width * WIDEST, wider(labels, size))
    return room, room + GUTTER / 2, look().width - room - wider(numbers, size) - GUTTER


def wider(lines: Sequence[tuple[str, str]], size: float) -> float:
    """Return the width of a column of bold lines of that size and small ones [pt]."""
    return max(max(text_width(bold, size, "bold"), text_width(small, SMALL)) for bold, small in lines)
