"""The figure of a calibration: how far the ranks of the truth are from uniform, in panels, with their envelope."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulate import ledger
from simulate.calibration import LEVEL, LOG_LIKELIHOOD, Calibration, Finding, p_words
from simulate.naming import SCOPE_LABELS
from simulate.plot_look import look
from simulate.plot_style import LEADING, MEDIUM, SMALL, Sheet, blank, heading, legible, shorten

SHOWS = "how far the ranks of simulated truths are from uniform, for every cost scope and the worst of the rest"

COLUMNS, GUTTER = 3, 16.0
PANEL_TITLE, PANEL_BODY, PANEL_FOOT = 24.0, 54.0, 22.0
PANEL_HEIGHT = PANEL_TITLE + PANEL_BODY + PANEL_FOOT
"""Heights of a panel [pt]."""

AXIS = 22.0
"""Room for the scale, left of the first panel of a row [pt]."""

MOST_SHOWN = 18
"""Panels at most."""


def draw(calibration: Calibration) -> Any:
    """Return a calibration as a Matplotlib figure."""
    found = shown(calibration)
    rows, width = math.ceil(len(found) / COLUMNS), panel_width()
    made = blank(headed(calibration), foot(calibration), rows * PANEL_HEIGHT)
    high = scale(calibration, found)
    for number, finding in enumerate(found):
        left, top = (number % COLUMNS) * (width + GUTTER), (number // COLUMNS) * PANEL_HEIGHT
        panel(made, calibration, finding, (left, top), high, first=number % COLUMNS == 0)
    return made.figure


def panel_width() -> float:
    return (look().width - (COLUMNS - 1) * GUTTER) / COLUMNS


def shown(calibration: Calibration) -> list[Finding]:
    """Return what has a panel: the scopes in their order, the log-likelihood, and the rest from the worst on."""
    always = (*calibration.scopes, LOG_LIKELIHOOD)
    scopes = [finding for finding in calibration.findings if finding.name in always]
    rest = [finding for finding in calibration.findings if finding.name not in always]
    return [*scopes, *sorted(rest, key=lambda finding: finding.p_value)][:MOST_SHOWN]


def headed(calibration: Calibration) -> list[tuple[str, float, dict[str, Any]]]:
    """Return the lines above the figure; a verdict against it in red."""
    title = f"Does the sampler find {len(calibration.fits)} simulated truths? {calibration.name}"
    subtitle = (
        "Share of truths up to each rank among the draws, less the uniform. Dark band: of this panel alone with 95 % "
        f"probability; light: of all {calibration.number} tests together"
    )
    alarm = [] if calibration.passed else [("NOT CALIBRATED", MEDIUM, {"color": look().alarm, "weight": "bold"})]
    return [*alarm, *heading(True, title, subtitle)]


def foot(calibration: Calibration) -> str:
    """Return where the figure comes from."""
    plan = calibration.plan
    return legible(
        f"simulate {calibration.versions['simulate']} · {calibration.name} {calibration.digest[:8]} · "
        f"{len(calibration.fits)} fits, {plan.ranked} of {plan.draws:,} draws ranked, seed {plan.seed}"
    )


def scale(calibration: Calibration, found: list[Finding]) -> float:
    """Return how far the axes of all panels reach: beyond the envelope, and beyond what leaves it."""
    low, high = calibration.band()
    widest = float(np.max(high - low)) / 2
    return 1.15 * max(widest, *(abs(finding.difference) for finding in found))


def panel(
    made: Sheet, calibration: Calibration, finding: Finding, place: tuple[float, float], high: float, *, first: bool
) -> None:
    """Draw the ranks of one variable."""
    (left, top), width = place, panel_width()
    label = legible(SCOPE_LABELS.get(finding.name, finding.name.replace(LOG_LIKELIHOOD, "log-likelihood")))
    made.text(left, top + MEDIUM, shorten(label, width, MEDIUM, "bold"), MEDIUM, weight="bold")
    fine = f"p = {p_words(finding.p_value)}"
    words, colour = (fine, look().soft) if finding.passed else ("NOT UNIFORM", look().alarm)
    made.text(left, top + MEDIUM + SMALL * LEADING, words, SMALL, color=colour)
    axes = made.axes(left + AXIS, top + PANEL_TITLE, width - AXIS, PANEL_BODY)
    draw_ranks(axes, calibration, finding)
    scaled(axes, high, first=first)


def draw_ranks(axes: Any, calibration: Calibration, finding: Finding) -> None:
    """Draw the distribution function of ranks less the uniform, over the two bands."""
    for of_all, share in ((True, 0.1), (False, 0.25)):
        (x, low), (_, up) = (from_uniform(end) for end in calibration.band(of_all=of_all))
        axes.fill_between(x, low, up, step="mid", color=look().tint(look().soft, share), linewidth=0)
    axes.axhline(0, color=look().grey, linewidth=0.5)
    line = {"drawstyle": "steps-mid", "color": colour_of(calibration, finding), "linewidth": 1.2}
    axes.plot(*from_uniform(shares(calibration, finding)), **line)


def colour_of(calibration: Calibration, finding: Finding) -> str:
    if not finding.passed:
        return look().alarm
    return look().basis(ledger.QUANTITIES[finding.name].basis) if finding.name in calibration.scopes else look().ink


def shares(calibration: Calibration, finding: Finding) -> Any:
    """Return the share of truths up to each rank but the last."""
    from simulate.uniformity import cumulative

    return cumulative(calibration.ranks(finding.name), calibration.values) / len(calibration.fits)


def from_uniform(share: Any) -> tuple[Any, Any]:
    """Return where each rank ends on an axis from 0 to 1, and a share less the uniform, which is 0 at both ends."""
    uniform = np.linspace(0, 1, len(share) + 2)
    return uniform, np.concatenate([[0.0], share, [1.0]]) - uniform


def scaled(axes: Any, high: float, *, first: bool) -> None:
    """Give a panel its axes: the same in all, numbers at the left of each row."""
    step = next(step for step in (0.2, 0.1, 0.05, 0.02, 0.01, 0.005) if step < high)
    axes.set(xlim=(0, 1), ylim=(-high, high), xticks=[0, 0.5, 1], yticks=[-step, 0, step])
    axes.set_yticklabels([f"−{step:g}", "0", f"+{step:g}"] if first else ["", "", ""])
    labels = axes.set_xticklabels(["lowest", "rank", "highest"])
    for label, side in zip(labels, ("left", "center", "right"), strict=True):
        label.set_horizontalalignment(side)


def caption(calibration: Calibration) -> str:
    """Return a text that can stand below the figure or in its place."""
    from simulate.calibration_report import MOST_NAMED, poor_words, second_opinion
    from simulate.calibration_report import heading as done
    from simulate.plot_caption import capital

    number, panels = len(calibration.findings), len(shown(calibration))
    lines = (
        "How far the ranks of simulated truths are from uniform: the cost scopes, the log-likelihood and the worst of "
        f"the rest, {panels} of {number} variables.",
        f"{done(calibration)}.",
        f"{MEANING} {BANDS}",
        f"{calibration.in_words()}; {second_opinion(calibration)}.",
        f"{poor_words(calibration, MOST_NAMED)}.",
        ", ".join(f"{name} {version}" for name, version in calibration.versions.items()) + ".",
    )
    return "\n".join(capital(line) for line in lines) + "\n"


MEANING = (
    "Each line is the share of truths up to a rank among the draws, less that of uniform ranks: above zero throughout, "
    "the draws lie too high; below, too low; an S through zero, their spread is wrong."
)
BANDS = (
    f"Dark band: where it stays with {100 * (1 - LEVEL):g} % probability, all ranks together, if nothing is wrong; "
    "light: likewise for all tests together (Säilynoja, Bürkner and Vehtari 2022, arXiv:2103.10522)."
)
