"""Draws to numbers a reader can cite: quantiles, intervals, Monte Carlo errors, supported digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate import ledger, propagation, quasi
from simulate.convergence import mixing
from simulate.inference import Draws
from simulate.priors import Claim, Priors
from simulate.quantiles import ranks_around
from simulate.units import counted

Floats = NDArray[np.float64]

KIND = "eti"
"""Intervals are equal-tailed: they survive a change of unit or of logarithm."""

PERCENTILES = (0.05, 0.5, 0.95)
MOST_DIGITS = 3


@dataclass(frozen=True)
class Row:
    """The summary of one variable in one group of draws.

    ``lower`` and ``upper`` bound the equal-tailed interval of ``probability``; ``mcse_…`` are Monte
    Carlo standard errors in the unit of the variable (zero for a variable that does not vary); ``draws`` is
    the number of draws that all of these are of.
    """

    variable: str
    index: str
    group: str
    unit: str
    p5: float
    p50: float
    p95: float
    mean: float
    sd: float
    mcse_p5: float
    mcse_p50: float
    mcse_p95: float
    mcse_mean: float
    mcse_sd: float
    ess_bulk: float
    ess_tail: float
    r_hat: float
    probability: float
    lower: float
    upper: float
    mcse_lower: float
    mcse_upper: float
    draws: int

    @property
    def name(self) -> str:
        """The variable with its index, as in ``run_cost[r1]``."""
        return f"{self.variable}[{self.index}]" if self.index else self.variable


NOTHING: dict[str, Any] = dict.fromkeys((found.name for found in fields(Row)), math.nan)


def variables(priors: Priors, draws: Draws) -> Iterator[tuple[str, str, str, Floats]]:
    """Yield (variable, index, unit, draws) of every unknown, fact and ledger quantity; draws are (chain, draw)."""
    for unknown in priors.unknowns:
        yield unknown.path, "", unknown.unit, draws.values[unknown.path]
    for path in priors.layout.derived:
        yield path, "", "GPU-hour", draws.values[path]
    for fact in priors.facts:
        yield fact.path, "", "", draws.states[fact.path]
    for name, value in draws.quantities.items():
        item = ledger.QUANTITIES[name]
        if not item.dim:
            yield name, "", item.unit, value
        for position, index in enumerate(priors.layout.names[item.dim] if item.dim else ()):
            yield name, index, item.unit, value[position]


def summarise(priors: Priors, draws: Draws, group: str, probability: float, *, quasi: bool = False) -> list[Row]:
    """Return a row for every variable of one group of draws; of ``quasi``-random ones, with their own errors."""
    sampled = draws.sample_stats is not None
    errors = scrambling_errors if quasi else chain_errors if sampled else independent_errors
    return [
        row(variable, index, group, unit, values, probability, errors)
        for variable, index, unit, values in variables(priors, draws)
    ]


def cited(priors: Priors, draws: Draws, group: str, probability: float) -> list[Row]:
    """Return the rows of the cost scopes, and of all else what a verdict needs of it: the other numbers are NaN.

    Independent draws need no verdict on the rest. For many summaries, of which few numbers are kept.
    """
    sampled = draws.sample_stats is not None
    errors = chain_errors if sampled else independent_errors

    def summed_up(one: tuple[str, str, str, Floats]) -> Row:
        variable, index, unit, values = one
        if variable in ledger.SCOPES:
            return row(variable, index, group, unit, values, probability, errors)
        return Row(**{**NOTHING, "variable": variable, "index": index, "group": group, "unit": unit, **mixing(values)})

    return [summed_up(one) for one in variables(priors, draws) if one[0] in ledger.SCOPES or sampled]


def row(
    variable: str,
    index: str,
    group: str,
    unit: str,
    values: Floats,
    probability: float,
    errors: Callable[[Floats, Mapping[str, float]], dict[str, Any]] | None = None,
) -> Row:
    """Return the summary of draws ``(chain, draw)``; ``errors`` are `chain_errors` or what else the draws call for."""
    chances = probabilities(probability)
    quantiles = dict(zip(chances, np.quantile(values, list(chances.values())).tolist(), strict=True))
    mean, sd = float(values.mean()), float(values.std(ddof=1)) if values.size > 1 else 0.0
    common: dict[str, Any] = {
        "variable": variable, "index": index, "group": group, "unit": unit, **quantiles, "mean": mean,
        "probability": probability, "draws": values.size,
    }  # fmt: skip
    if not np.ptp(values) > 0:
        still: dict[str, Any] = dict.fromkeys(("sd", "mcse_mean", "mcse_sd", *(f"mcse_{key}" for key in chances)), 0.0)
        unknown: dict[str, Any] = dict.fromkeys(("ess_bulk", "ess_tail", "r_hat"), math.nan)
        return Row(**common, **still, **unknown)
    return Row(**common, sd=sd, **(errors or chain_errors)(values, chances))


def chain_errors(values: Floats, chances: Mapping[str, float]) -> dict[str, Any]:
    """Return Monte Carlo errors, effective sample sizes and rank-normalised R-hat of draws ``(chain, draw)``.

    They are ArviZ's (Vehtari et al. 2021, Bayesian Analysis 16(2)). ``chances`` maps quantiles to probabilities.
    """
    from arviz_stats.base import array_stats

    @cache
    def mcse(method: str, prob: float | None = None) -> float:
        return float(array_stats.mcse(values, method=method, prob=prob))

    return {
        **{f"mcse_{key}": mcse("quantile", round(chance, 12)) for key, chance in chances.items()},
        "mcse_mean": mcse("mean"),
        "mcse_sd": mcse("sd"),
        **mixing(values),
    }


def independent_errors(values: Floats, chances: Mapping[str, float]) -> dict[str, Any]:
    """Return Monte Carlo errors of independent draws ``(chain, draw)``: each is effective, and no chain can lag.

    Of quantiles as `quantiles.Orders.mcse` has them; of the standard deviation, ``sqrt((m4 - m2**2) / (4 m2 draws))``
    with the central moments ``m2`` and ``m4``.
    """
    ordered, draws = np.sort(values, axis=None), values.size
    sd = float(values.std(ddof=1))
    square = ((values - values.mean()) / sd) ** 2 if sd > 0 else np.ones_like(values)
    around = {key: ranks_around(draws, chance) for key, chance in chances.items()}
    return {
        **{f"mcse_{key}": float(ordered[high] - ordered[low]) / 2 for key, (low, high) in around.items()},
        "mcse_mean": sd / math.sqrt(draws),
        "mcse_sd": sd * float(square.std()) / math.sqrt(4 * square.mean() * draws),
        "ess_bulk": float(draws),
        "ess_tail": float(draws),
        "r_hat": math.nan,
    }


def scrambling_errors(values: Floats, chances: Mapping[str, float]) -> dict[str, Any]:
    """Return the standard errors of quasi-random draws ``(scrambling, draw)``, to which no diagnostics apply."""
    return {**quasi.errors(values, chances), **dict.fromkeys(("ess_bulk", "ess_tail", "r_hat"), math.nan)}


def probabilities(probability: float) -> dict[str, float]:
    """Return the quantiles of a `Row` by name, as probabilities, for intervals of ``probability``."""
    p5, p50, p95 = PERCENTILES
    return {"p5": p5, "p50": p50, "p95": p95, "lower": (1 - probability) / 2, "upper": (1 + probability) / 2}


def diagnostics(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Return the convergence diagnostics of each row by name."""
    return {
        row.name: {"r_hat": row.r_hat, "ess_bulk": row.ess_bulk, "ess_tail": row.ess_tail, "mcse": mcse_share(row)}
        for row in rows
    }


def mcse_share(row: Row) -> float:
    """Return the largest Monte Carlo error of what a reader cites of a scope, over its interval's width."""
    if row.variable not in ledger.SCOPES or not row.upper > row.lower:
        return math.nan
    return max(row.mcse_lower, row.mcse_p50, row.mcse_upper) / (row.upper - row.lower)


def scope_rows(rows: list[Row]) -> list[Row]:
    """Return the rows of the cost scopes, in the order of the ledger."""
    found = {row.variable: row for row in rows if row.variable in ledger.SCOPES}
    return [found[name] for name in ledger.SCOPES if name in found]


@dataclass(frozen=True)
class ClaimStanding:
    """Where a claim's figure lies among the draws of what it speaks of.

    ``percentile`` is the share of draws below the figure, in percent; ``prior_percentile`` the same
    before the evidence.
    """

    name: str
    label: str
    about: str
    kind: str
    value: float
    unit: str
    used: bool
    percentile: float
    prior_percentile: float


def standings(priors: Priors, draws: Draws, prior: Draws) -> list[ClaimStanding]:
    """Return where each claim of the file lies in the posterior and in the prior."""
    in_draws, in_prior = (
        [100 * float((values < claim.value).mean()) for claim, values in spoken_of(priors, group)]
        for group in (draws, prior)
    )
    return [standing(*each) for each in zip(priors.claims, in_draws, in_prior, strict=True)]


def spoken_of(priors: Priors, draws: Draws) -> Iterator[tuple[Claim, Floats]]:
    """Yield every claim of the file, and the draws of what it speaks of."""
    for claim in priors.claims:
        yield claim, propagation.target_of(claim, priors, draws.values, draws.states, draws.quantities)


def standing(claim: Claim, percentile: float, prior_percentile: float) -> ClaimStanding:
    """Return where a claim lies, given the percentiles of its figure."""
    return ClaimStanding(
        claim.name,
        claim.label,
        claim.about,
        claim.kind,
        claim.value,
        claim.unit,
        claim.used,
        percentile,
        prior_percentile,
    )


# ---------------------------------------------------------------------------------------------
# Numbers as a reader sees them


SCALES = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))


def step_supported(value: float, mcse: float) -> float:
    """Return the step to whose multiples ``value`` is rounded: one unit of its last digit.

    A unit is at least one Monte Carlo standard error. One digit is kept, and there are never more than `MOST_DIGITS`.
    Where only one would be, and half of its unit is at least two errors, the step is that half: 76 with an error of 1.1
    is 75, not 80.

    >>> step_supported(2.5437e9, 0.004e9), step_supported(2.5437e9, 0.07e9), step_supported(76.4e6, 1.1e6)
    (10000000.0, 100000000.0, 5000000.0)
    """
    if value == 0 or not math.isfinite(value):
        return 0.0
    largest = 10.0 ** math.floor(math.log10(abs(value)))
    if mcse == math.inf:
        return largest
    finest = largest / 10 ** (MOST_DIGITS - 1)
    unit = 10.0 ** math.ceil(math.log10(mcse)) if mcse > finest else finest
    if unit < largest:
        return unit
    return largest / 2 if mcse <= largest / 4 else largest


def amount(value: float, unit: str = "USD", mcse: float = 0.0) -> str:
    """Return a number in words, rounded to what its Monte Carlo error supports.

    >>> amount(2.5437e9, mcse=0.004e9), amount(76.45e6, mcse=1.1e6), amount(66180.9, "GPU"), amount(0.0491, "")
    ('$2.54bn', '$75M', '66.2k GPU', '0.0491')
    """
    step = step_supported(value, mcse)
    if not step:
        return with_unit(f"{value:g}", unit)
    steps = round(value / step)
    rounded = steps * step
    if f"{step:e}".startswith("5") and steps % 2 == 0:
        step *= 2  # a whole number of units
    step = max(step, step_supported(rounded, 0.0))
    scale, suffix = scale_of(rounded)
    decimals = max(0, -math.floor(math.log10(step / scale) + 1e-9))
    return with_unit(f"{rounded / scale:,.{decimals}f}{suffix}", unit)


def published(value: float, unit: str = "USD") -> str:
    """Return a figure as its author gave it, to five digits: it has no Monte Carlo error.

    >>> published(1.629e9), published(10_000, "GPU"), published(1.0, "")
    ('$1.629bn', '10k GPU', '1')
    """
    scale, suffix = scale_of(value)
    return with_unit(f"{value / scale:.5g}{suffix}", unit)


def scale_of(value: float) -> tuple[float, str]:
    return next(((scale, word) for scale, word in SCALES if abs(value) >= scale * (1 - 1e-9)), (1.0, ""))


def with_unit(number: str, unit: str) -> str:
    """Return a number with its unit, dollars in front: ``$2.1/GPU-hour``, ``66.2k GPU``, ``3 USD^2``."""
    if unit.partition("/")[0] != "USD":
        return counted(number, unit)
    return f"{'-' if number.startswith('-') else ''}${number.removeprefix('-')}{unit.removeprefix('USD')}"
