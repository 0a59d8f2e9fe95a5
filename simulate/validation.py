"""Is the model of hours right? Disclosed training runs predicted from the others, and scored.

Each run is predicted by a fit that has seen no run of its family (leave-one-family-out), so that
near-duplicates cannot vouch for one another. The baseline knows nothing of chips, sizes and
architectures: log-MFU varies around one mean.

Scores are of the natural logarithm of the hours, so that a run of a thousand and one of ten million
hours count alike. References: Gneiting and Raftery (2007), JASA 102(477) (log score, CRPS); Dawid
(1984), J. R. Stat. Soc. A 147(2) (percentiles of what happened as a test of calibration).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulate import reference, regression
from simulate.errors import Fault, InputError
from simulate.reference import TrainingRun

Floats = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Probabilities of the intervals whose coverage is counted."""
SHOWN = 0.9
"""Probability of the interval that is shown for each run."""


class Forecast(Protocol):
    """A predictive distribution of log-MFU."""

    def cdf(self, y: Floats) -> Floats:
        """Return the probability of at most ``y``."""

    def pdf(self, y: Floats) -> Floats:
        """Return the density at ``y``."""

    def ppf(self, p: Floats) -> Floats:
        """Return the quantile of each probability."""

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

    def draws(self, rng: np.random.Generator) -> Floats:
        return self.ppf((np.arange(4000) + 0.5) / 4000)


@dataclass(frozen=True)
class Score:
    """How one forecast of one run stands to what the run took.

    ``lower``, ``median`` and ``upper`` are hours, the ends of the equal-tailed interval of probability
    `SHOWN`; ``percentile`` is where the disclosed hours lie in the forecast [percent]; ``log_score`` is
    the log density of their logarithm (higher is better), ``crps`` its continuous ranked probability
    score (lower is better).
    """

    lower: float
    median: float
    upper: float
    percentile: float
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
    def families(self) -> int:
        return len({item.run.family for item in self.scored})

    def coverage(self, level: float, *, baseline: bool = False) -> float:
        """Return the share of runs within their interval of probability ``level``."""
        scores = (item.baseline if baseline else item.model for item in self.scored)
        return float(np.mean([abs(score.percentile - 50) <= 50 * level for score in scores]))

    def mean(self, name: str, *, baseline: bool = False) -> float:
        """Return the mean of a score over runs."""
        return float(np.mean([getattr(item.baseline if baseline else item.model, name) for item in self.scored]))

    def gain(self, name: str) -> tuple[float, float]:
        """Return the mean of a score less the baseline's, and its standard error over families.

        Runs of a family are not independent, so the error is that of a mean of clusters (Cameron and
        Miller 2015, J. Hum. Resour. 50(2), equation 11 for the mean).
        """
        each = np.array([getattr(item.model, name) - getattr(item.baseline, name) for item in self.scored])
        names = [item.run.family for item in self.scored]
        off = each - each.mean()
        sums = [sum(o for o, n in zip(off, names, strict=True) if n == name_) for name_ in dict.fromkeys(names)]
        return float(each.mean()), float(np.sqrt(np.square(sums).sum()) / len(each))


def validate(known: Sequence[TrainingRun], unseen: Sequence[TrainingRun] | None = None) -> Validation:
    """Return the scores of the ``known`` runs, or of ``unseen`` ones, each by a fit without its family.

    Raises `InputError` when no run can be scored.
    """
    members = reference.members(known)
    wanted = members if unseen is None else tuple(run for run in unseen if run.role == "yes" and run.complete)
    skipped = tuple((run.model, why_not(run)) for run in (unseen or known) if run not in wanted)
    if not wanted:
        mend = "a run needs role yes (or no such column), parameters, tokens, chip and hours"
        raise InputError("the table of runs", [Fault("rows", "none that can be scored", mend)])
    groups = list(dict.fromkeys(held_out(run, members) for run in wanted))
    data = reference.mfu_regression(members, plain=False)
    folds = np.array([[run not in group for run in members] for group in groups], dtype=float)
    fits = regression.fit(data, folds, reference.generator("validation"), chains=4)
    scored = []
    for run in wanted:
        fold = groups.index(held_out(run, members))
        rng = reference.generator("validation", run.model)
        forecast = regression.predict(fits[fold], run.traits.covariates(), rng)
        baseline = ConstantMfu.of(data.y[folds[fold] == 1])
        scored.append(Scored(run, score(run, forecast, rng), score(run, baseline, rng)))
    return Validation(tuple(scored), skipped, len(members))


def held_out(run: TrainingRun, members: Sequence[TrainingRun]) -> frozenset[TrainingRun]:
    """Return the runs that a fit must not see to predict one: those of its family, and itself."""
    return frozenset(other for other in members if other.family == run.family or other.model == run.model)


def why_not(run: TrainingRun) -> str:
    """Return why a run is not scored."""
    if not run.complete:
        return "parameters, tokens, chip or hours are not disclosed"
    words = {"flag": "flagged", "target": "what the fit is to judge", "no": "not a fit case"}
    return f"{words[run.role]}: {run.note}" if run.note else words[run.role]


def score(run: TrainingRun, forecast: Forecast, rng: np.random.Generator) -> Score:
    """Return how a forecast of log-MFU stands to a run, in terms of its hours."""
    happened = np.array(np.log(run.mfu))
    tail = (1 - SHOWN) / 2
    low, middle, high = np.exp(forecast.ppf(np.array([tail, 0.5, 1 - tail])))
    return Score(
        run.ideal_hours / float(high),
        run.ideal_hours / float(middle),
        run.ideal_hours / float(low),
        100 * (1 - float(forecast.cdf(happened))),
        float(np.log(forecast.pdf(happened))),
        crps(forecast.draws(rng), float(happened)),
    )


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
class Judged:
    """What a reference class says of a run it has not seen: its hours, and where those stated lie.

    ``percentile`` is the share of the predictive with fewer hours than stated [percent].
    """

    reference_class: str
    runs: int
    families: int
    lower: float
    median: float
    upper: float
    percentile: float


def judged(known: Sequence[TrainingRun], target: TrainingRun) -> list[Judged]:
    """Return what the regression and each reference class say of a run that none of them has seen."""
    tail = (1 - SHOWN) / 2
    found = []
    for what, runs, families, forecast in reference.by_class(known, target):
        low, middle, high = np.exp(forecast.ppf(np.array([tail, 0.5, 1 - tail])))
        percentile = 100 * (1 - float(forecast.cdf(np.array(np.log(target.mfu)))))
        lower, median, upper = (target.ideal_hours / float(mfu) for mfu in (high, middle, low))
        found.append(Judged(what, runs, families, lower, median, upper, percentile))
    return found
