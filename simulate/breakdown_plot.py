"""The figure of a breakdown: what a cost scope is the sum of, a row for each part, each with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulate import report, summary
from simulate.breakdown import Part, parts, shown
from simulate.naming import SCOPE_LABELS
from simulate.plot_axes import group_words, money_scale, percent, probability, span
from simulate.plot_look import look
from simulate.plot_style import legible
from simulate.row_plots import OVER, UNDER, middle, rows
from simulate.summary import Row, amount

MOST = 10
"""Parts that have a row of their own; the smaller ones share one."""
BAR = 9.0
"""Height of a bar [pt]."""
SHARED = "Servers and their operation count by the company's share alone"
"""Of the company's cost: the ladder's own rungs have both in full."""


def draw(manifest: Mapping[str, Any], tree: Any, scope: str) -> Any:
    """Return what a scope, or the widest that is a sum, is made of, as a figure."""
    chosen, found = kept(manifest, tree, scope)
    made, axes, width = rows(
        manifest,
        f"What it is made of: {SCOPE_LABELS[chosen]}",
        f"Bar, mean, which alone adds up; dot and line, median and {percent(manifest)} equal-tailed credible interval "
        f"of the {group_words(manifest)}, in {manifest['money']}{counted(chosen)}",
        [(legible(part.label), share) for part, _, share in found],
        [numbers(row) for _, row, _ in found],
    )
    for number, (part, row, _) in enumerate(found):
        colour = look().basis(manifest["scopes"][chosen]["basis"]) if number == 0 else look().soft
        draw_part(axes, middle(number), row, float(part.values.mean()), colour)
    ends = [end for _, row, _ in found for end in (row.lower, row.upper, row.mean)]
    money_scale(axes, [0.0, *ends], width)
    axes.grid(axis="x", which="major")
    axes.axvline(0, color=look().soft, linewidth=0.6)
    return made.figure


def counted(scope: str) -> str:
    """Return, after what else is said of a scope, how its parts count where they do not in full."""
    return f". {SHARED}" if scope == "company" else ""


def kept(manifest: Mapping[str, Any], tree: Any, scope: str) -> tuple[str, list[tuple[Part, Row, str]]]:
    """Return the scope that is meant, and the rows: the whole, then its parts, with their shares of its mean."""
    chosen = scope or shown(manifest)[0]
    found = gathered(parts(manifest, tree, chosen))
    whole = Part("In all", tree[manifest["group"]][chosen].to_numpy())
    of = float(whole.values.mean())
    named = [(whole, "the parts below together")]
    named += [(part, f"{report.percent(100 * float(part.values.mean()) / of)} of the mean") for part in found]
    return chosen, [(part, row_of(manifest, part), words) for part, words in named]


def gathered(found: Sequence[Part]) -> list[Part]:
    """Return parts, those that are too many gathered into one."""
    if len(found) <= MOST:
        return list(found)
    rest = found[MOST - 1 :]
    return [*found[: MOST - 1], Part(f"{len(rest)} smaller parts", np.asarray(sum(part.values for part in rest)))]


def row_of(manifest: Mapping[str, Any], part: Part) -> Row:
    return summary.row(part.label, "", manifest["group"], "USD", part.values, probability(manifest))


def numbers(row: Row) -> tuple[str, str]:
    """Return median and interval in words."""
    low, high = amount(row.lower, row.unit, row.mcse_lower), amount(row.upper, row.unit, row.mcse_upper)
    return amount(row.p50, row.unit, row.mcse_p50), span(low, high)


def draw_part(axes: Any, y: float, row: Row, mean: float, colour: str) -> None:
    """Draw a part: its mean as a bar from zero, and below it interval and median."""
    axes.barh(y + OVER, mean, BAR, color=look().tint(colour, 0.55), linewidth=0)
    axes.plot([row.lower, row.upper], [y + UNDER] * 2, color=look().ink, linewidth=1.4, solid_capstyle="butt")
    edge = {"markeredgecolor": look().ink, "markeredgewidth": 0.9}
    axes.plot([row.p50], [y + UNDER], "o", markersize=4.2, color=look().paper, **edge, clip_on=False)


def caption(manifest: Mapping[str, Any], tree: Any, scope: str) -> str:
    """Return what the parts are, their numbers included."""
    chosen, found = kept(manifest, tree, scope)
    said = "; ".join(f"{legible(p.label)} {numbers(row)[0]} ({numbers(row)[1]}), {share}" for p, row, share in found)
    return (
        f"{SCOPE_LABELS[chosen]} as the sum of its parts, each computed by the ledger's equation in every draw. Means "
        f"add up; medians and ends of intervals do not{counted(chosen)}. {said}."
    )
