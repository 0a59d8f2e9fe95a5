"""What a validation says as tables: in the terminal and for machines; `simulate.validation_page` has the page."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulate import layers, predictives, reference, validation
from simulate.naming import listed
from simulate.reference import MULTIPLIER_CLASSES, RESEARCH_MULTIPLIERS, TRAINING_RUNS, TrainingRun
from simulate.report import finite, percent, table
from simulate.summary import amount, published
from simulate.validation import BETTER, LEVELS, SHOWN, Judged, Place, Score, Scored, Validation

if TYPE_CHECKING:
    from simulate.inference import Progress

NAMES = {"log_score": "log score", "crps": "CRPS"}
WORST = 5
EDGE = 15.0
"""Percentile within which the hours lie near the edge of a forecast."""


@dataclass(frozen=True)
class Examination:
    """A validation with what it was made of.

    ``name`` and ``digest`` (SHA-256) are those of what was scored; ``unseen`` says that it is a file of one's
    own. The known runs are also asked what they say of the runs to be judged, by class.
    """

    name: str
    digest: str
    unseen: bool
    known: tuple[TrainingRun, ...]
    validation: Validation
    classes: tuple[tuple[TrainingRun, tuple[Judged, ...]], ...] = ()
    multipliers: str = ""
    """Text of the table of research multipliers."""


def examine(path: Path | None = None, progress: Progress | None = None) -> Examination:
    """Return the validation of the known runs, or of the runs in a file; raises `InputError` with every fault."""
    text = table_text(TRAINING_RUNS)
    known = reference.read_training_runs(text, f"{TRAINING_RUNS}.csv")
    if path is not None:
        theirs = layers.text_of(path)
        runs = reference.read_training_runs(theirs, str(path), known)
        scored = validation.validate(known, runs, name=str(path), progress=progress)
        return Examination(path.name, digest(text, theirs), True, known, scored)
    scored = validation.validate(known, progress=progress)
    targets = [run for run in known if run.role == "target" and run.complete]
    classes = tuple((target, tuple(validation.judged(known, target))) for target in targets)
    multipliers = table_text(RESEARCH_MULTIPLIERS)
    return Examination(f"{TRAINING_RUNS}.csv", digest(text, multipliers), False, known, scored, classes, multipliers)


def table_text(name: str) -> str:
    """Return the text of a table of disclosed cases: in ``priors/`` of the current folder, or shipped."""
    path = layers.find_table(name)
    assert path is not None, f"{name}.csv is not shipped"
    return layers.text_of(path)


def digest(*texts: str) -> str:
    """Return the SHA-256 of texts, in hexadecimal."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


# ---------------------------------------------------------------------------------------------
# Tables


def coverage_cells(found: Validation) -> list[list[str]]:
    """Return how many runs lie in their intervals.

    By chance is the central `SHOWN` of what exact intervals would show: `simulate.validation.by_chance`.
    """
    number = len(found.scored)
    rows = [["interval", "model", "baseline", "by chance, each run for itself", "by chance, families as one"]]
    for level in LEVELS:
        each = [share_words(found.coverage(level, baseline=baseline), number) for baseline in (False, True)]
        chances = (validation.by_chance(sizes, level) for sizes in ([1] * number, found.families))
        rows.append([f"{100 * level:g} %", *each, *(f"{100 * low:.0f} to {100 * high:.0f} %" for low, high in chances)])
    return rows


def share_words(share: float, number: int) -> str:
    return f"{round(share * number)} of {number}, {100 * share:.0f} %"


def score_cells(found: Validation) -> list[list[str]]:
    """Return the mean scores; a gain is positive where the model is better."""
    rows = [["score", "model", "baseline", "gain", "its standard error"]]
    for name, sign in BETTER.items():
        gain, error = found.gain(name)
        means = [f"{found.mean(name, baseline=baseline):.2f}" for baseline in (False, True)]
        better = "higher" if sign > 0 else "lower"
        rows.append([f"{NAMES[name]} ({better} is better)", *means, f"{gain:+.2f}", number_words(error)])
    return rows


def coverage_words(found: Validation) -> Iterator[str]:
    """Yield what coverage by the outer and by the inner interval amounts to."""
    level = LEVELS[0]
    outer, inner = found.coverage(SHOWN), found.coverage(level)
    low, high = validation.by_chance([1] * len(found.scored), level)
    words = {
        1: "more than it should: in their middle, forecasts are rather too wide",
        -1: "fewer than it should: in their middle, forecasts are rather too narrow",
        0: "as many as it should",
    }[int(np.sign(inner - level))]
    yield f"The {100 * SHOWN:g} % interval holds {100 * outer:.0f} % of the runs."
    yield f"The {100 * level:g} % interval holds {100 * inner:.0f} %, {words}."
    yield f"Chance alone would do that to {counted(len(found.scored), 'run', 'runs')}." * (low <= inner <= high)


def score_words(found: Validation) -> Iterator[str]:
    """Yield the gains in units of their standard errors, where these are known."""
    for name in BETTER:
        gain, error = found.gain(name)
        if error > 0:
            yield f"The gain in {NAMES[name]} is {gain / error:.1f} of its standard errors."


def number_words(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "not known of one family"


def worst(found: Validation) -> list[Scored]:
    """Return the runs that lie farthest out in their forecasts, worst first."""
    return sorted(found.scored, key=lambda item: -item.miss)[:WORST]


def run_cells(items: Sequence[Scored]) -> list[list[str]]:
    """Return each run's hours and where they lie in their forecast."""
    rows = [["run", "family", "which is", "MFU", "hours", "median", f"{100 * SHOWN:g} % interval", "percentile"]]
    return rows + [[*described(item.run), *place_words(item.model)] for item in items]


def described(run: TrainingRun) -> tuple[str, str, str, str, str]:
    """Return a run's name, family, traits, MFU and hours."""
    return run.model, run.family, reference.words(run.traits), f"{run.mfu:.2f}", published(run.gpu_hours, "")


def place_words(found: Place) -> tuple[str, str, str]:
    """Return median, interval and percentile, with the digits that their Monte Carlo errors support."""
    median, low, high = (
        amount(getattr(found, key), "", getattr(found, f"mcse_{key}")) for key in ("median", "lower", "upper")
    )
    return median, f"{low} to {high}", percentile_words(found)


def percentile_words(found: Place) -> str:
    """Return where the hours lie in a forecast, never as 0 or 100.

    >>> percentile_words(Place(1, 2, 3, 99.7, 0, 0, 0, 0.1))
    '>99 %'
    """
    return percent(found.percentile)


def skipped_cells(found: Validation) -> list[list[str]]:
    """Return the runs that are not scored, and why."""
    return [["run", "why it is not scored"], *([model, why] for model, why in found.skipped)]


def class_cells(judged: Sequence[Judged]) -> list[list[str]]:
    """Return what each reference class says of a run's hours, and where those stated lie."""
    header = [
        "reference class",
        "runs",
        "families",
        "median",
        f"{100 * SHOWN:g} % interval",
        "stated hours at",
        "in the interval",
    ]
    return [
        header,
        *(
            [item.reference_class, str(item.runs), str(item.families), *place_words(item), standing(item.percentile)]
            for item in judged
        ),
    ]


STANDINGS = ("below it", "near its favourable edge", "well inside", "near its unfavourable edge", "above it")
"""Where stated hours can lie in an interval, fewest first: few hours are favourable."""


def standing(percentile: float) -> str:
    """Return in words where stated hours lie in the interval that is shown.

    >>> standing(2.0), standing(10.0), standing(50.0)
    ('below it', 'near its favourable edge', 'well inside')
    """
    ends = (50 * (1 - SHOWN), EDGE, 100 - EDGE, 50 * (1 + SHOWN))
    return STANDINGS[sum(percentile > end for end in ends)]


def standing_words(target: TrainingRun, judged: Sequence[Judged]) -> str:
    """Return in a sentence how stated hours lie in the forecasts of the classes."""
    by_place: dict[str, list[str]] = {place: [] for place in STANDINGS}
    for item in judged:
        by_place[standing(item.percentile)].append(item.reference_class)
    parts = "; ".join(f"{place} by {listed(classes)}" for place, classes in by_place.items() if classes)
    stated = f"the {published(target.gpu_hours, '')} hours stated for {target.model}"
    return f"Where {stated} lie in the {100 * SHOWN:g} % interval depends on what they are compared with: {parts}."


def multiplier_cells(text: str) -> list[list[str]]:
    """Return what each class of cases says of total development compute over the final run."""
    rows = [["cases", "number", "median", f"{100 * SHOWN:g} % interval"]]
    tail = (1 - SHOWN) / 2
    for within, what in MULTIPLIER_CLASSES.items():
        predictive = predictives.excess(text, within)
        at = predictive.ppf(np.array([0.5, tail, 1 - tail]))
        errors = np.exp(at) * predictive.mcse(at) / predictive.pdf(at)
        median, low, high = (amount(1 + float(np.exp(y)), "", e) for y, e in zip(at, errors.tolist(), strict=True))
        rows.append(
            [
                what if within else "all cases",
                str(len(reference.cases_within(text, within))),
                median,
                f"{low} to {high}",
            ]
        )
    return rows


# ---------------------------------------------------------------------------------------------
# The terminal, and machines


def heading(found: Examination) -> str:
    """Return what was predicted, and from what."""
    scored, families = len(found.validation.scored), len(found.validation.families)
    runs, kinds = counted(scored, "run", "runs"), counted(families, "family", "families")
    return f"GPU-hours of {runs} of {kinds} in {found.name}, each predicted by runs of other families"


def counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def terminal(found: Examination) -> str:
    """Return what ``simulate validate`` prints."""
    result = found.validation
    parts = [heading(found), table(coverage_cells(result)), table(score_cells(result))]
    parts += ["farthest out in their forecasts:", table(run_cells(worst(result)))]
    for target, judged in found.classes:
        parts += [f"{target.model}, which no fit has seen:", table(class_cells(judged)), standing_words(target, judged)]
    if result.skipped:
        parts.append("\n".join(["not scored:", *(f"  {model}: {why}" for model, why in result.skipped)]))
    return "\n\n".join(parts)


def for_machines(found: Examination) -> dict[str, Any]:
    """Return what ``simulate validate --json`` prints; a number that does not exist is null."""
    result = found.validation
    return {
        "n": len(result.scored),
        **scores_for_machines(result),
        "baseline": scores_for_machines(result, baseline=True),
        "gain": {name: gain_for_machines(result, name) for name in BETTER},
        "families": len(result.families),
        "probability": SHOWN,
        "runs": [run_for_machines(item) for item in result.scored],
        "skipped": [{"model": model, "why": why} for model, why in result.skipped],
        "classes": [judged_for_machines(target, item) for target, judged in found.classes for item in judged],
        "name": found.name,
        "digest": found.digest,
    }


def scores_for_machines(found: Validation, *, baseline: bool = False) -> dict[str, Any]:
    """Return coverage by level and the mean scores."""
    coverage = {f"{level:g}": found.coverage(level, baseline=baseline) for level in LEVELS}
    return {"coverage": coverage, **{name: found.mean(name, baseline=baseline) for name in BETTER}}


def gain_for_machines(found: Validation, name: str) -> dict[str, float | None]:
    mean, error = found.gain(name)
    return {"mean": mean, "standard_error": finite(error)}


def run_for_machines(item: Scored) -> dict[str, Any]:
    baseline = score_for_machines(item.baseline)
    run = {"model": item.run.model, "family": item.run.family, "hours": item.run.gpu_hours}
    return {**run, **score_for_machines(item.model), "baseline": baseline}


def score_for_machines(score: Score) -> dict[str, Any]:
    return dataclasses.asdict(score)


def judged_for_machines(target: TrainingRun, item: Judged) -> dict[str, Any]:
    found = {key: value for key, value in dataclasses.asdict(item).items() if key != "reference_class"}
    return {"model": target.model, "hours": target.gpu_hours, "class": item.reference_class, **found}
