"""A calibration as tables a person reads, as one object for machines, and as files beside its fits."""

from __future__ import annotations

import json
import math
import statistics
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from simulate import plots, report, results
from simulate.calibration import LEVEL, LOG_LIKELIHOOD, Calibration, Finding, p_words
from simulate.report import escape, markdown_table, table

NAME = "calibration"
FIGURE = tuple(f"{NAME}.{ending}" for ending in ("png", "svg", "txt"))
ABSENT = "–"
MOST_NAMED = 10
"""Poor fits that are named in the terminal."""


def cells(calibration: Calibration, names: Sequence[str] | None = None) -> list[list[str]]:
    """Return the table of the tests of ranks, header first, of all that was ranked or of some by ``names``."""
    rows = [["variable", "p (rank ECDF)", "adjusted", "chi-square", "largest difference", "effective draws", "verdict"]]
    for finding in calibration.findings:
        if names is None or finding.name in names:
            rows.append(row(calibration, finding))
    return rows


def row(calibration: Calibration, finding: Finding) -> list[str]:
    return [
        finding.name,
        p_words(finding.p_value),
        p_words(finding.adjusted),
        p_words(finding.chi_square),
        f"{finding.difference:+.2f}",
        effective(calibration, finding.name),
        "uniform" if finding.passed else "NOT UNIFORM",
    ]


def effective(calibration: Calibration, name: str) -> str:
    """Return the median of a variable's effective draws, of the fits in which it varies."""
    found = [fit.ess[name] for fit in calibration.fits if name in fit.ess]
    return f"{statistics.median(found):.0f}" if found else ABSENT


def fact_cells(calibration: Calibration) -> list[list[str]]:
    """Return the table of disputed facts, header first: how often true, how often expected to be."""
    rows = [["disputed fact", "true", "expected", "p", "adjusted", "verdict"]]
    for found in calibration.reliabilities():
        adjusted = calibration.adjust(found.p_value)
        verdict = "as expected" if adjusted > LEVEL else "NOT AS EXPECTED"
        counts = [f"{found.true} of {len(calibration.fits)}", f"{found.expected:.0f}"]
        rows.append([found.path, *counts, p_words(found.p_value), p_words(adjusted), verdict])
    return rows if len(rows) > 1 else []


def heading(calibration: Calibration) -> str:
    """Return what was done, in a sentence."""
    plan = calibration.plan
    return (
        f"Simulation-based calibration of {calibration.name}: {len(calibration.fits)} truths from the prior, each "
        f"ranked among {plan.ranked} draws of the fit of its simulated evidence; seed {plan.seed}"
    )


def sensitivity(calibration: Calibration) -> str:
    """Return what so many fits can see: how far off the middle of the ranks may be without leaving the band."""
    middle = calibration.values // 2 - 1
    low, high = (float(end[middle]) for end in calibration.band())
    return (
        f"what {len(calibration.fits)} fits cannot tell from a right median: one that lies above the truth in "
        f"{100 * low:.0f} to {100 * high:.0f} % of them in place of 50 %"
    )


def second_opinion(calibration: Calibration) -> str:
    """Return what the chi-square test says, which does not decide."""
    found = [finding.name for finding in calibration.findings if finding.chi_square <= LEVEL]
    return f"chi-square, which does not decide, objects to {', '.join(found)}" if found else "chi-square agrees"


def poor_words(calibration: Calibration, most: int | None = None) -> str:
    """Return how many fits something stands against, and which."""
    poor, number = calibration.poor, len(calibration.fits)
    if not poor:
        return f"none of the {number} fits has a poor diagnostic"
    named = [f"{fit} ({', '.join(reasons)})" for fit, reasons in list(poor.items())[:most]]
    more = ", …" if len(named) < len(poor) else ""
    return f"{len(poor)} of the {number} fits have a poor diagnostic, and are counted: {'; '.join(named)}{more}"


def diagnostics(calibration: Calibration) -> str:
    """Return the worst R-hat and effective draws of all fits, and how often bounds had to hold."""
    fits = calibration.fits
    least = min((value for fit in fits for value in fit.ess.values()), default=math.nan)
    longer = sum(fit.draws > calibration.plan.draws for fit in fits)
    held = len(fits) / sum(fit.tried for fit in fits)
    return (
        f"R-hat at most {max(fit.r_hat for fit in fits):.2f}, effective draws at least {least:.0f}, {longer} chains "
        f"made longer; floors and ceilings held in {report.percent(100 * held)} of the truths drawn"
    )


def terminal(calibration: Calibration) -> str:
    """Return what ``simulate calibrate`` prints."""
    parts = [heading(calibration), table(cells(calibration))]
    parts += [table(found) for found in [fact_cells(calibration)] if found]
    words = (poor_words(calibration, MOST_NAMED), diagnostics(calibration), sensitivity(calibration))
    return "\n\n".join([*parts, "\n".join([*words, second_opinion(calibration)]), calibration.in_words()])


def markdown(calibration: Calibration) -> str:
    """Return ``calibration.md``."""
    alarm = [] if calibration.passed else [f"> **{escape(calibration.in_words())}**"]
    facts = fact_cells(calibration)
    words = (second_opinion(calibration), sensitivity(calibration), diagnostics(calibration), poor_words(calibration))
    parts = ["# Calibration", *alarm, escape(heading(calibration)) + ".", escape(calibration.in_words()) + "."]
    parts += ["## Ranks of the truth", METHOD.format(level=100 * (1 - LEVEL), number=calibration.number)]
    parts += [markdown_table(cells(calibration))]
    parts += ["## Probabilities of disputed facts", markdown_table(facts)] if facts else []
    parts += ["## Fits", bullets(words), "## How it was made", bullets(provenance(calibration))]
    return "\n\n".join(parts) + "\n"


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)


def provenance(calibration: Calibration) -> tuple[str, ...]:
    """Return which file was calibrated, how each fit was made, and by which versions."""
    plan = calibration.plan
    return (
        f"prior file: {calibration.name} ({calibration.title}), digest {calibration.digest[:16]}",
        f"each fit: one chain, {plan.tune} draws to tune it and {plan.draws} kept, doubled up to {plan.doublings} "
        f"times while anything has fewer than {plan.ranked} effective draws; target acceptance {plan.target_accept:g}",
        ", ".join(f"{name} {version}" for name, version in calibration.versions.items()),
    )


METHOD = (
    "p: the probability of ranks as far from uniform as these, at the rank where they are farthest, if nothing is "
    "wrong (exact). Adjusted: times the {number} tests (Bonferroni), so that a sound sampler fails in none with "
    "{level:g} % probability; this decides. Chi-square: a second opinion, adjusted likewise. Largest difference: "
    "between the share of ranks up to a rank and the uniform. Effective draws: the median over fits, before thinning. "
    f"`{LOG_LIKELIHOOD}` is of the simulated evidence."
)


def for_machines(calibration: Calibration) -> dict[str, Any]:
    """Return a calibration as one JSON object."""
    return {
        "calibrated": calibration.passed,
        "verdict": calibration.in_words(),
        "priors": calibration.name,
        "digest": calibration.digest,
        "fits": len(calibration.fits),
        "seed": calibration.plan.seed,
        "ranked": calibration.plan.ranked,
        "level": LEVEL,
        "tests": calibration.number,
        "failed": list(calibration.failed),
        "variables": {finding.name: as_object(calibration, finding) for finding in calibration.findings},
        "facts": {found.path: {"true": found.true, "expected": found.expected, "p_value": found.p_value,
                               "adjusted": calibration.adjust(found.p_value)}
                  for found in calibration.reliabilities()},
        "poor_fits": {str(number): list(reasons) for number, reasons in calibration.poor.items()},
        "versions": dict(calibration.versions),
    }  # fmt: skip


def as_object(calibration: Calibration, finding: Finding) -> dict[str, Any]:
    return {
        "p_value": finding.p_value,
        "adjusted": finding.adjusted,
        "chi_square": finding.chi_square,
        "difference": finding.difference,
        "passed": finding.passed,
        "ranks": calibration.ranks(finding.name),
    }


# ---------------------------------------------------------------------------------------------
# Files


def save(calibration: Calibration, folder: Path, *, figure: bool = True) -> None:
    """Write the report of a calibration beside its fits, in the place of an older one; each file whole or not at all.

    Without ``figure`` an older figure is removed: it is of other fits. Raises `RunError` where the disk refuses.
    """
    with results.disk(folder):
        for name in FIGURE:
            (folder / name).unlink(missing_ok=True)
    text = json.dumps(for_machines(calibration), indent=2, allow_nan=False)
    results.add_page(folder, f"{NAME}.json", text + "\n")
    results.add_page(folder, f"{NAME}.md", markdown(calibration))
    if figure:
        draw(calibration, folder)


def draw(calibration: Calibration, folder: Path) -> None:
    """Write the figure of a calibration into a folder."""
    from simulate import calibration_plot
    from simulate.plot_style import house_style

    with results.disk(folder), tempfile.TemporaryDirectory(prefix=results.UNFINISHED, dir=folder) as place:
        with house_style():
            made = calibration_plot.draw(calibration)
            plots.write(Path(place), NAME, made, calibration_plot.caption(calibration), calibration_plot.SHOWS)
        for name in FIGURE:
            (Path(place) / name).replace(folder / name)
