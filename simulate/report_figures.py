"""The figures of a report, as rows of what a run's manifest, draws and analysis say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from simulate import ledger, report, row_plots, sensitivity_plot, summary
from simulate import sensitivity_report as words
from simulate.ladder_plot import marks_of, over
from simulate.naming import SCOPE_LABELS, Named, Names
from simulate.pages import charts
from simulate.pages.axis import ends_of
from simulate.pages.charts import Bar, Curve, Row
from simulate.pages.ladder import Mark, Rung, ladder
from simulate.plot_axes import FARTHEST, amounts, inner_probability, percent, probability
from simulate.plot_look import BASES
from simulate.priors import Claim
from simulate.sensitivity import Sensitivity
from simulate.summary import published

Floats = NDArray[np.float64]

POINTS = 90
"""Of a curve."""
NARROW = 1.15
"""Ratio of the ends of an axis of one cost or of ratios, at least."""


def level(manifest: Mapping[str, Any]) -> str:
    """Return what the intervals of a run are: ``90 % credible interval``."""
    return f"{percent(manifest)} credible interval"


def colour(basis: str) -> str:
    """Return the class of a cost basis in the look."""
    return f"basis-{BASES.index(basis)}" if basis in BASES else "basis-none"


def heard(manifest: Mapping[str, Any]) -> bool:
    """Whether the draws of a run have heard evidence."""
    return bool(manifest["group"] == "posterior" and manifest["sampling"]["evidence"])


# ---------------------------------------------------------------------------------------------
# The ladder


def ladder_of(manifest: Mapping[str, Any], tree: Any) -> Markup:
    """Return the cost ladder of a run."""
    inner = 100 * inner_probability(probability(manifest))
    return ladder(
        [rung(manifest, tree, name) for name in scopes(manifest)],
        name=f"The cost ladder: what {manifest['subject']} spent, by what is counted",
        level=level(manifest),
        inner=f"{inner:g} %",
    )


def scopes(manifest: Mapping[str, Any]) -> list[str]:
    """Return the cost scopes of a run, narrowest first."""
    return [name for name in ledger.SCOPES if name in manifest["scopes"]]


def rung(manifest: Mapping[str, Any], tree: Any, name: str) -> Rung:
    """Return a scope of a run as a rung."""
    found = manifest["scopes"][name]
    inner = inner_probability(found["probability"])
    low, high = np.quantile(tree[manifest["group"]][name].to_numpy(), [(1 - inner) / 2, (1 + inner) / 2])
    return Rung(
        SCOPE_LABELS[name],
        found["basis"],
        found["median"],
        found["lower"],
        found["upper"],
        amounts(found),
        note=over(name, tree),
        inner=(float(low), float(high)),
        marks=tuple(Mark(one.value, one.text(), one.kind, one.used) for one in marks_of(manifest, name)),
    )


# ---------------------------------------------------------------------------------------------
# What drives a cost


def tornado(found: Sensitivity) -> Markup:
    """Return the medians of a cost where each unknown is low and where it is high."""
    drawn = sensitivity_plot.drawn(found)
    middle = found.spread.median.value
    values = [middle, *(end.value for one in drawn for end in (one.low, one.high))]
    return charts.rows(
        [influence(found, one, middle) for one in drawn],
        name=f"What carries the estimate of {SCOPE_LABELS[found.scope]}: its median where each unknown is low or high",
        ends=ends_of(values, NARROW),
        line=middle,
        legend=[
            ("less", "median in the lowest tenth of the unknown, or fact false"),
            ("more", "in the highest tenth, or fact true"),
        ],
    )


def influence(found: Sensitivity, one: Any, middle: float) -> Row:
    """Return an unknown as a row: its share of the variance, and what the median is where it is low or high."""
    low, high = (words.money(end, found.unit) for end in (one.low, one.high))
    share = sensitivity_plot.number_of(one.share)
    states = ("where it is false", "where it is true") if one.is_fact else ("where it is low", "where it is high")
    meaning = found.run.manifest["unknowns"].get(one.path, {}).get("meaning", "a disputed fact")
    named = Names.of(found.run.manifest)(one.path)
    return Row(
        named.name,
        named.path,
        (share, "of the variance" if one.share else "by the evidence"),
        f"{named.name} ({meaning}): {share} of the variance; median {low} {states[0]}, {high} {states[1]}",
        colour(found.run.manifest["scopes"][found.scope]["basis"]),
        "path",
        bars=(Bar(ordered(one.low.value, middle), "less", 12.0), Bar(ordered(middle, one.high.value), "more", 12.0)),
    )


def ordered(one: float, other: float) -> tuple[float, float]:
    return min(one, other), max(one, other)


# ---------------------------------------------------------------------------------------------
# Does it fit the evidence


def has_evidence(tree: Any, group: str) -> bool:
    """Whether a run holds what its draws expect of claims."""
    return f"{group}_predictive" in tree.children and "observed_data" in tree.children


def evidence(manifest: Mapping[str, Any], tree: Any) -> Markup:
    """Return each claim as the draws expect it, over the claim as it was made."""
    logs = row_plots.expected_over_claimed(tree, manifest["group"])["log_claims"]
    standing = {claim["name"]: claim for claim in manifest["claims"]}
    names = [str(name) for name in logs["claim"].to_numpy()]
    found = [expected(manifest, standing[name], logs.sel(claim=name).to_numpy().ravel()) for name in names]
    values = [1.0, *(min(max(end, 1 / FARTHEST), FARTHEST) for row in found for bar in row.bars for end in bar.ends)]
    kinds = dict.fromkeys(standing[name]["kind"] for name in names)
    marks = {"estimate": "the figure as published", "floor": "a lower bound", "ceiling": "an upper bound"}
    return charts.rows(
        found,
        name="What the draws expect each claim to say, over what it does say",
        ends=ends_of(values, 2.0),
        one="claim",
        line=1.0,
        height=30.0,
        legend=[
            ("outer", f"{percent(manifest)} predictive interval, around that of {inner_words(manifest)}"),
            *((kind, marks[kind]) for kind in kinds),
        ],
    )


def inner_words(manifest: Mapping[str, Any]) -> str:
    return f"{100 * inner_probability(probability(manifest)):g} %"


def expected(manifest: Mapping[str, Any], claim: Mapping[str, Any], logs: Floats) -> Row:
    """Return a claim as a row; ``logs`` are decimal logarithms of what the draws expect, over what it says."""
    outer, inner = interval(logs, probability(manifest)), interval(logs, inner_probability(probability(manifest)))
    share, side = row_plots.side(claim["kind"], logs)
    label, about = claim["label"] or claim["name"], row_plots.about(claim, Names.of(manifest))
    return Row(
        label,
        about,
        (share, f"expected {side} it"),
        f"{label} ({about}): {share} of what the draws expect lies {side} it",
        "basis-0",
        bars=(Bar(powers(outer), "outer", 8.0, -3.0), Bar(powers(inner), "inner", 11.0, -3.0)),
        mark=(claim["kind"], 1.0),
    )


def interval(values: Floats, chance: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - chance) / 2, (1 + chance) / 2])
    return float(low), float(high)


def powers(ends: tuple[float, float]) -> tuple[float, float]:
    """Return ten to the power of both ends, no farther than an axis of ratios reaches."""
    low, high = (min(max(10.0**end, 1 / FARTHEST), FARTHEST) for end in ends)
    return low, high


# ---------------------------------------------------------------------------------------------
# Before and after the evidence


def before_after(manifest: Mapping[str, Any], tree: Any, prior: Mapping[str, tuple[str, str]]) -> Markup:
    """Return the density of every scope, before and after the evidence; ``prior`` are its words before."""
    names = [name for name in scopes(manifest) if np.ptp(positive(tree, "posterior", name))]
    middle = [np.quantile(positive(tree, group, name), [0.005, 0.995]) for group in GROUPS for name in names]
    ends = ends_of([float(value) for pair in middle for value in pair])
    return charts.rows(
        [densities(manifest, tree, name, prior[name], ends) for name in names],
        name="The density of every cost, before and after the evidence",
        ends=ends,
        height=46.0,
        legend=[("shape", "after the evidence (posterior)"), ("before", "before it (prior)")],
    )


GROUPS = ("posterior", "prior")


def positive(tree: Any, group: str, name: str) -> Floats:
    """Return the draws of a scope that have a place on a logarithmic axis; where there are none, one."""
    draws = tree[group][name].to_numpy().ravel()
    return draws[draws > 0] if np.any(draws > 0) else np.ones(1)


def densities(
    manifest: Mapping[str, Any], tree: Any, name: str, prior: tuple[str, str], ends: tuple[float, float]
) -> Row:
    """Return a scope as a row of two densities, the higher of which fills its row."""
    after, before = (density(np.log(positive(tree, group, name)), ends) for group in GROUPS)
    most = max(height for curve in (after, before) for _, height in curve)
    curves = ((before, "outline"), (after, "shape"))
    found = manifest["scopes"][name]
    now = amounts(found)
    return Row(
        SCOPE_LABELS[name],
        f"before: {prior[0]}, {prior[1]}",
        now,
        f"{SCOPE_LABELS[name]}: median {prior[0]}, {level(manifest)} {prior[1]} before the evidence, "
        f"{now[0]}, {now[1]} after it",
        colour(found["basis"]),
        curves=tuple(Curve(tuple((value, height / most) for value, height in curve), css) for curve, css in curves),
    )


def density(logs: Floats, ends: tuple[float, float]) -> list[tuple[float, float]]:
    """Return the density of logarithms at values between the ends of an axis, as ArviZ estimates it."""
    if not np.ptp(logs) > 0:
        return [(float(np.exp(logs[0])), 0.0), (float(np.exp(logs[0])), 1.0)]
    from arviz_stats.base import array_stats

    grid, heights, _ = array_stats.kde(logs)
    inside = np.linspace(max(grid[0], np.log(ends[0])), min(grid[-1], np.log(ends[1])), POINTS)
    return list(zip(np.exp(inside).tolist(), np.interp(inside, grid, heights).tolist(), strict=True))


def chains(manifest: Mapping[str, Any], tree: Any, scope: str) -> Markup | None:
    """Return the density of a scope in each chain, over that of all; None where no sampler was needed."""
    draws = tree[manifest["group"]][scope].to_numpy()
    if manifest["verdict"]["method"] != "nuts" or len(draws) < 2 or not (draws > 0).all() or not np.ptp(draws):
        return None
    low, high = np.quantile(draws, [0.002, 0.998])
    ends = ends_of([float(low), float(high)], NARROW)
    every = density(np.log(draws.ravel()), ends)
    return charts.rows(
        [chain(manifest, scope, number, values, every, ends) for number, values in enumerate(draws, 1)],
        name=f"{SCOPE_LABELS[scope]} in each chain, over all chains",
        ends=ends,
        height=40.0,
        legend=[("shape", "this chain"), ("before", "all chains")],
    )


def chain(
    manifest: Mapping[str, Any],
    scope: str,
    number: int,
    values: Floats,
    every: Sequence[tuple[float, float]],
    ends: tuple[float, float],
) -> Row:
    """Return one chain as a row: its own density and that of all, and its own median and effective draws."""
    found = manifest["scopes"][scope]
    own = density(np.log(values), ends)
    row = summary.row(scope, "", str(manifest["group"]), found["unit"], values[None], found["probability"])
    most = max(height for _, height in (*own, *every))
    median, effective = summary.amount(row.p50, row.unit, row.mcse_p50), f"{row.ess_bulk:,.0f} effective"
    return Row(
        f"Chain {number}",
        f"{values.size:,} draws",
        (median, effective),
        f"Chain {number}: median {median}; of {values.size:,} draws {effective} (bulk)",
        colour(found["basis"]),
        curves=tuple(
            Curve(tuple((value, height / most) for value, height in curve), css)
            for curve, css in ((own, "shape"), (every, "outline"))
        ),
    )


def facts(manifest: Mapping[str, Any]) -> Iterator[Sequence[str | Named]]:
    """Yield each disputed fact with its probabilities."""
    names = Names.of(manifest)
    for path, probability_now in manifest["facts"].items():
        yield names(path), report.likely(manifest["fact_priors"][path]), report.likely(probability_now)


def says(claim: Claim, names: Names) -> str:
    """Return who says what, of what."""
    figure = published(claim.value, claim.unit)
    return f"{claim.label or claim.name} ({names(claim.about).name}, {report.KIND_WORDS[claim.kind]} {figure})"
