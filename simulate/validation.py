"""Is the model of hours right? Disclosed training runs predicted from the others, and scored.

Each run is predicted by a fit that has seen no run of its family (leave-one-family-out), so that
near-duplicates cannot vouch for one another. The baseline knows nothing of chips, sizes and
architectures: log-MFU varies around one mean.

Scores are of the natural logarithm of the hours, so that a run of a thousand and one of ten million
hours count alike. References: Gneiting and Raftery (2007), JASA 102(477) (log score, CRPS); Dawid
(1984), J. R. Stat. Soc. A 147(2) (percentiles of what happened as a test of calibration).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from simulate import predictives, reference, regression
from simulate.errors import Fault, InputError
from simulate.reference import TrainingRun

if TYPE_CHECKING:
    from simulate.inference import Progress

Floats = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Probabilities of the intervals whose coverage is counted."""
SHOWN = 0.9
"""Probability of the interval that is shown for each run."""
BETTER = {"log_score": 1, "crps": -1}
"""Whether more of a score is better, or less."""
FEWEST = 3
"""Runs that a forecast needs to have seen, for the baseline to have a spread."""


class Forecast(Protocol):
    """A predictive distribution of log-MFU."""

    def cdf(self, y: Floats) -> Floats:
        """Return the probability of at most ``y``."""

    def pdf(self, y: Floats) -> Floats:
        """Return the density at ``y``."""

    def ppf(self, p: Floats) -> Floats:
        """Return the quantile of each probability."""

    def mcse(self, y: Floats) -> Floats:
        """Return the Monte Carlo standard error of the cdf at ``y``, elementwise."""

    def draws(self, rng: np.random.Generator) -> Floats:
        """Return draws, or as good as draws."""


@dataclass(frozen=True)
class ConstantMfu:
    """The baseline: the next log-MFU by the mean and the standard deviation of those seen.

    The predictive of a normal sample under the usual vague prior: Student t with ``n - 1`` degrees of
    freedom around the mean, with scale ``sd * sqrt(1 + 1/n)`` (Gelman et al. 2013, BDA3, section 3.2).
    """

    df: float
    location: float
    scale: float

    @classmethod
    def of(cls, y: Floats) -> ConstantMfu:
        n = len(y)
        return cls(n - 1.0, float(y.mean()), float(y.std(ddof=1) * np.sqrt(1 + 1 / n)))

    def cdf(self, y: Floats) -> Floats:
        from scipy.special import stdtr

        return np.asarray(stdtr(self.df, (y - self.location) / self.scale))

    def pdf(self, y: Floats) -> Floats:
        from scipy.stats import t

        return np.asarray(t.pdf(y, self.df, self.location, self.scale))

    def ppf(self, p: Floats) -> Floats:
        from scipy.special import stdtrit

        return np.asarray(self.location + self.scale * stdtrit(self.df, p))

    def mcse(self, y: Floats) -> Floats:
        return np.zeros(np.shape(y))

    def draws(self, rng: np.random.Generator) -> Floats:
        return self.ppf((np.arange(4000) + 0.5) / 4000)


@dataclass(frozen=True)
class Place:
    """Where the disclosed hours of a run lie in a forecast of them.

    ``lower``, ``median`` and ``upper`` are hours, the ends of the equal-tailed interval of probability
    `SHOWN`; ``percentile`` is the share of the forecast with fewer hours than disclosed [percent];
    ``mcse_...`` are the Monte Carlo standard errors of each.
    """

    lower: float
    median: float
    upper: float
    percentile: float
    mcse_lower: float
    mcse_median: float
    mcse_upper: float
    mcse_percentile: float

    def within(self, level: float) -> bool:
        """Whether the hours lie in the equal-tailed interval of that probability."""
        return abs(self.percentile - 50) <= 50 * level


@dataclass(frozen=True)
class Score(Place):
    """How a forecast of a run stands to what it took.

    ``log_score`` is the log density of the logarithm of the hours (higher is better), ``crps`` its
    continuous ranked probability score (lower is better).
    """

    log_score: float
    crps: float


@dataclass(frozen=True)
class Scored:
    """A run with the score of the model's forecast and of the baseline's."""

    run: TrainingRun
    model: Score
    baseline: Score

    @property
    def miss(self) -> float:
        """How far out in the forecast the run lies: 0 at the median, 1 beyond it all."""
        return abs(self.model.percentile - 50) / 50


@dataclass(frozen=True)
class Validation:
    """The scores of all runs, and why others have none."""

    scored: tuple[Scored, ...]
    skipped: tuple[tuple[str, str], ...]
    seen: int
    """How many runs the fits may see, less those of the family that is predicted."""

    @property
    def families(self) -> tuple[int, ...]:
        """How many of the scored runs each family has."""
        return tuple(Counter(item.run.family for item in self.scored).values())

    def scores(self, *, baseline: bool = False) -> list[Score]:
        """Return the score of each run, by the model or by the baseline."""
        return [item.baseline if baseline else item.model for item in self.scored]

    def coverage(self, level: float, *, baseline: bool = False) -> float:
        """Return the share of runs within their interval of probability ``level``."""
        return float(np.mean([score.within(level) for score in self.scores(baseline=baseline)]))

    def mean(self, name: str, *, baseline: bool = False) -> float:
        """Return the mean of a score over runs."""
        return float(np.mean([getattr(score, name) for score in self.scores(baseline=baseline)]))

    def gain(self, name: str) -> tuple[float, float]:
        """Return by how much the model's mean score is better than the baseline's, and its standard error.

        Runs of a family are not independent, so the error is that of a mean of clusters, with the
        correction ``G / (G - 1)`` for their number (Cameron and Miller 2015, J. Hum. Resour. 50(2),
        section II); of one family it is not known.
        """
        each = np.array([BETTER[name] * (getattr(i.model, name) - getattr(i.baseline, name)) for i in self.scored])
        names = [item.run.family for item in self.scored]
        sums = [sum(each[i] - each.mean() for i, n in enumerate(names) if n == one) for one in dict.fromkeys(names)]
        number = len(sums)
        error = math.sqrt(np.square(sums).sum() * number / (number - 1)) / len(each) if number > 1 else math.nan
        return float(each.mean()), error


def by_chance(sizes: Sequence[int], level: float) -> tuple[float, float]:
    """Return what coverage intervals of probability ``level`` show if they are exact: its central `SHOWN`.

    Groups of runs of these ``sizes`` lie in their intervals all or none: ones for runs that are
    independent, the sizes of families where these share one fate. The truth is between the two.

    >>> by_chance([1] * 27, 0.9)
    (0.8148148148148148, 1.0)
    """
    chances = np.ones(1)
    for size in sizes:
        chances = np.convolve(chances, np.r_[1 - level, np.zeros(size - 1), level])
    low, high = np.searchsorted(np.cumsum(chances), [(1 - SHOWN) / 2, (1 + SHOWN) / 2])
    return float(low) / sum(sizes), float(high) / sum(sizes)


def validate(
    known: Sequence[TrainingRun],
    unseen: Sequence[TrainingRun] | None = None,
    *,
    name: str = "the table of runs",
    progress: Progress | None = None,
) -> Validation:
    """Return the scores of the ``known`` runs, or of ``unseen`` ones, each by a fit without its family.

    ``name`` is what those to be scored are called. Raises `InputError` when no run can be scored, or too few
    are known.
    """
    members = reference.members(known)
    wanted = members if unseen is None else tuple(run for run in unseen if run.role == "yes" and run.complete)
    skipped = tuple((run.model, why_not(run)) for run in (known if unseen is None else unseen) if run not in wanted)
    if not wanted:
        faults = [Fault(model, f"not scored: {why}", "") for model, why in skipped]
        raise InputError(name, faults or [Fault("rows", "there are none", "give at least one run")])
    groups = list(dict.fromkeys(held_out(run, members) for run in wanted))
    folds = np.array([[run not in group for run in members] for group in groups], dtype=float)
    if folds.shape[1] == 0 or folds.sum(axis=1).min() < FEWEST:
        mend = f"at least {FEWEST} complete runs outside the family that is predicted"
        raise InputError("the table of known runs", [Fault("rows", "too few to learn from", mend)])
    data = predictives.mfu_regression(members, plain=False)
    fits = regression.fit(data, folds, predictives.generator("validation"), chains=4, progress=progress)
    scored = []
    for number, run in enumerate(wanted):
        if progress:
            progress("scoring", number, len(wanted))
        fold = groups.index(held_out(run, members))
        rng = predictives.generator("validation", run.model)
        forecast = regression.predict(fits[fold], run.traits.covariates(), rng)
        baseline = ConstantMfu.of(data.y[folds[fold] == 1])
        scored.append(Scored(run, score(run, forecast, rng), score(run, baseline, rng)))
    return Validation(tuple(scored), skipped, len(members))


def held_out(run: TrainingRun, members: Sequence[TrainingRun]) -> frozenset[TrainingRun]:
    """Return the runs that a fit must not see to predict one: its family, by whatever name, and itself."""
    families = {run.family, *(other.family for other in members if other.model == run.model)}
    return frozenset(other for other in members if other.family in families)


def why_not(run: TrainingRun) -> str:
    """Return why a run is not scored."""
    if not run.complete:
        return f"not disclosed: {', '.join(lacking(run))}"
    words = {"flag": "flagged", "target": "what the fit is to judge", "no": "not a fit case"}
    return f"{words[run.role]}: {run.note}" if run.note else words[run.role]


def lacking(run: TrainingRun) -> Iterator[str]:
    """Yield what is not known of a run that its physics needs."""
    needed = {"parameters": run.active_parameters, "tokens": run.tokens, "hours": run.gpu_hours}
    yield from (what for what, value in needed.items() if math.isnan(value))
    if math.isnan(run.peak_flops):
        yield f"the peak of {run.hardware or 'its chip'} (peak_tflops_bf16)"


def score(run: TrainingRun, forecast: Forecast, rng: np.random.Generator) -> Score:
    """Return how a forecast of log-MFU stands to a run, in terms of its hours."""
    happened = np.log(run.mfu)
    return Score(
        **vars(place(run, forecast)),
        log_score=float(np.log(forecast.pdf(happened))),
        crps=crps(forecast.draws(rng), float(happened)),
    )


def place(run: TrainingRun, forecast: Forecast) -> Place:
    """Return where the hours of a run lie in a forecast of its log-MFU.

    A quantile's error is that of the cdf there over the density, and relative to the hours.
    """
    tail = (1 - SHOWN) / 2
    happened, at = np.array(np.log(run.mfu)), forecast.ppf(np.array([1 - tail, 0.5, tail]))
    hours = run.ideal_hours / np.exp(at)
    lower, median, upper = hours.tolist()
    mcse_lower, mcse_median, mcse_upper = (hours * forecast.mcse(at) / forecast.pdf(at)).tolist()
    percentile, mcse_percentile = 100 * (1 - float(forecast.cdf(happened))), 100 * float(forecast.mcse(happened))
    return Place(lower, median, upper, percentile, mcse_lower, mcse_median, mcse_upper, mcse_percentile)


def crps(draws: Floats, happened: float) -> float:
    """Return the continuous ranked probability score of draws.

    ``E|X - y| - E|X - X'| / 2``: Gneiting and Raftery (2007), equation 21.

    >>> crps(np.array([1.0, 1.0]), 3.0)
    2.0
    """
    ordered = np.sort(draws)
    n = len(ordered)
    spread = 2 * float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum()) / n**2
    return float(np.abs(ordered - happened).mean()) - spread / 2


@dataclass(frozen=True)
class Judged(Place):
    """What a reference class says of the hours of a run that it has not seen."""

    reference_class: str
    runs: int
    families: int


def judged(known: Sequence[TrainingRun], target: TrainingRun) -> list[Judged]:
    """Return what the regression and each reference class say of a run that none of them has seen."""
    return [
        Judged(**vars(place(target, forecast)), reference_class=what, runs=runs, families=families)
        for what, runs, families, forecast in predictives.by_class(known, target)
    ]
