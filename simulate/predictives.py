"""What disclosed cases predict of a case of a new family: regressions on the tables of `simulate.reference`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulate import keeping, regression
from simulate.reference import (
    CLASS_NAMES,
    CLASSES,
    TRAINING_RUNS,
    Multiplier,
    TrainingRun,
    Traits,
    cases_within,
    members,
    read_training_runs,
)
from simulate.regression import Fit, Predictive, Regression
from simulate.tabulation import Tabulated

Floats = NDArray[np.float64]

SEED = 20250131
"""A reference is data, not a draw: whatever the seed of a run, it says the same."""

MFU_MEAN = np.array([math.log(0.3), *[0.0] * (2 * len(CLASS_NAMES) + 2)])
MFU_SD = np.array([0.5, *[0.3] * len(CLASS_NAMES), 0.2, *[0.2] * len(CLASS_NAMES), 0.3])
"""Priors of the coefficients of log-MFU: a middle of 0.3 within a factor of 2.3 (90 %), chips that differ
by a factor of 1.6, a tenfold size and the architecture that each change it by 1.4 to 1.6."""
WITHIN, BETWEEN = 0.2, 0.3
"""Scales of the half-t priors of the spread within and between families, of log-MFU."""


def mfu_regression(runs: Sequence[TrainingRun], *, plain: bool) -> Regression:
    """Return log-MFU on what is known of each run, or, ``plain``, on nothing but its family."""
    x = np.array([run.traits.covariates() for run in runs])
    names = list(dict.fromkeys(run.family for run in runs))
    keep = slice(0, 1) if plain else slice(None)
    return Regression(
        np.log([run.mfu for run in runs]),
        x[:, keep],
        np.array([names.index(run.family) for run in runs]),
        MFU_MEAN[keep],
        MFU_SD[keep],
        WITHIN,
        BETWEEN,
    )


def multiplier_regression(cases: Sequence[Multiplier]) -> Regression:
    """Return log(multiplier - 1) around one mean; each case is a laboratory of its own."""
    excess = np.log([case.multiplier - 1 for case in cases])
    each = np.arange(len(cases))
    return Regression(excess, np.ones((len(cases), 1)), each, np.zeros(1), np.array([1.5]), 0.5, 1.0)


def generator(*purpose: str) -> np.random.Generator:
    from simulate.inference import stream

    return stream(SEED, "reference", *purpose)


@lru_cache(maxsize=16)
def mfu_fit(text: str, within: str, without: str) -> Fit:
    """Return the fit to a table of training runs."""
    runs = members(read_training_runs(text, TRAINING_RUNS), within or "all", without)
    data = mfu_regression(runs, plain=bool(within))
    (fit,) = regression.fit(data, np.ones((1, len(runs))), generator("mfu", within))
    return fit


@lru_cache(maxsize=64)
def mfu_table(text: str, traits: Traits, within: str, without: str) -> Tabulated:
    """Return the predictive of the MFU of a run; it cannot be above 1, and is conditioned on that."""

    def computed() -> Tabulated:
        covariates = traits.covariates()[:1] if within else traits.covariates()
        fit = mfu_fit(text, within, without)
        predictive = regression.predict(fit, covariates, generator("mfu", within, repr(traits)))
        return tabulated(predictive, 0.0, math.log(1.0), 1.0)

    return kept(computed, "mfu", text, repr(traits), within, without)


@lru_cache(maxsize=8)
def multiplier_table(text: str, within: str) -> Tabulated:
    """Return the predictive of a research multiplier, which is above 1."""
    return kept(lambda: tabulated(excess(text, within), 1.0, math.inf, math.inf), "multiplier", text, within)


def kept(computed: Callable[[], Tabulated], *asked: str) -> Tabulated:
    """Return a table of this module, fitted only where no earlier process has fitted the same."""

    def columns() -> keeping.Columns:
        table = computed()
        return {
            "normal": list(table.normal),
            "linked": list(table.linked),
            "support": [table.lower, table.upper],
        }

    found = keeping.kept(asked, columns)
    lower, upper = found["support"]
    return Tabulated(tuple(found["normal"]), tuple(found["linked"]), lower, upper)


@lru_cache(maxsize=8)
def excess(text: str, within: str) -> Predictive:
    """Return the predictive of log(multiplier - 1)."""
    cases = cases_within(text, within)
    (fit,) = regression.fit(multiplier_regression(cases), np.ones((1, len(cases))), generator("multiplier", within))
    return regression.predict(fit, np.ones(1), generator("multiplier", within, "new"))


def tabulated(predictive: Predictive, lower: float, ceiling: float, upper: float) -> Tabulated:
    """Return the predictive of ``lower + exp(y)``, given that ``y`` is below ``ceiling``, as a distribution.

    Where ``upper`` is a physical bound, such as an MFU of 1, the predictive is conditioned on it.
    """
    middle, reach = (
        float(np.median(predictive.location)),
        float(np.median(predictive.scale)) + float(predictive.location.std()),
    )
    y = middle + reach * np.sinh(np.linspace(-4.5, 4.5, 361))
    if math.isfinite(ceiling):
        y = np.concatenate([y[y < ceiling - 0.02 * reach], ceiling - 0.02 * reach * np.geomspace(1, 1e-3, 12)[1:]])
    return Tabulated.from_cdf(
        lower + np.exp(y), predictive.cdf(y), float(predictive.cdf(np.array(ceiling))), lower, upper
    )


def by_class(runs: Sequence[TrainingRun], target: TrainingRun) -> Iterator[tuple[str, int, int, Predictive]]:
    """Yield (what, runs, families, predictive of the target's log-MFU) for the regression and each class."""
    for within in ("", *CLASSES):
        kept = members(runs, within or "all")
        data = mfu_regression(kept, plain=bool(within))
        (fit,) = regression.fit(data, np.ones((1, len(kept))), generator("mfu", within))
        covariates = target.traits.covariates()[:1] if within else target.traits.covariates()
        what = CLASSES[within][0] if within else "the regression on all runs (chip, size, architecture)"
        yield (
            what,
            len(kept),
            data.families,
            regression.predict(fit, covariates, generator("class", within, target.model)),
        )
