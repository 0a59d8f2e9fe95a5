"""Questions to the draws of a run: probabilities, quantiles, ratios and differences of its quantities.

An expression (`simulate.expressions`) is computed draw by draw, so that what the quantities share stays shared.
Units are checked before anything is computed. A Monte Carlo error comes with every answer: ArviZ's, as in the
summary of a run, for a quantity and for a plain statistic of one; for all else, such as a conditional probability,
by the jackknife over blocks of draws (`simulate.jackknife`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate import jackknife, limits, report, summary
from simulate.errors import ExpressionError
from simulate.expressions import Call, Flaw, parse
from simulate.formulas import Checking, Formula, Quantities, quantile_of
from simulate.results import Run
from simulate.summary import Row
from simulate.units import written

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FEW = 100
"""Draws in which a condition holds below which an answer says that they are few."""

FEWEST = 4
"""Draws in which a condition must hold for there to be an answer."""


@dataclass(frozen=True)
class Column:
    """The draws of a part of an expression, ``(chain, draw)`` [``unit``]; 1 and 0 where it is true or false."""

    name: str
    unit: str
    values: Floats


@dataclass(frozen=True)
class Answer:
    """What an expression comes to.

    ``what`` is ``median`` for a quantity, whose interval is in ``row``; else the name of the statistic, or ``value``
    for what is computed of several. ``mcse`` is the Monte Carlo standard error of ``value``, both in ``unit``; NaN
    where the draws do not tell it. ``held`` is the number of draws in which its conditions hold.
    """

    expression: str
    what: str
    value: float
    mcse: float
    unit: str
    columns: tuple[Column, ...]
    row: Row | None = None
    draws: int = 0
    held: int | None = None

    @property
    def notes(self) -> list[str]:
        """What a reader of the number must know."""
        found = []
        if self.held is not None:
            few = ", which is few" if self.held < FEW else ""
            share = report.percent(100 * self.held / self.draws)
            found.append(f"the condition holds in {self.held:,} of {self.draws:,} draws ({share}){few}")
        if self.what == "P" and self.value in (0.0, 1.0) and self.held is None:
            found.append(f"true in {'none' if self.value == 0 else 'all'} of the {self.draws:,} draws")
        return found


def query(run: Run, expressions: Sequence[str], *, probability: float | None = None) -> list[Answer]:
    """Return the answers to expressions about a run, in their order.

    ``probability`` is that of the equal-tailed intervals; by default that of the run. Raises `ExpressionError` with
    everything that is wrong with any of the expressions.
    """
    own = float(next(iter(run.manifest["scopes"].values()))["probability"])
    return answers(Quantities.of(run), expressions, probability or own)


def answers(quantities: Quantities, expressions: Sequence[str], probability: float) -> list[Answer]:
    """Return the answers to expressions about quantities at hand, as `query` does."""
    asking = Asking(quantities, probability)
    with np.errstate(all="ignore"):
        found = [asking.answer(expression) for expression in expressions]
    if asking.flaws:
        raise ExpressionError(len(expressions), asking.flaws)
    return [answer for answer in found if answer]


@dataclass
class Asking:
    """Answers expressions about the draws of a run, and notes what is wrong with them."""

    quantities: Quantities
    probability: float
    flaws: list[tuple[str, int, str]] = field(default_factory=list)

    def answer(self, expression: str) -> Answer | None:
        """Return the answer to an expression, or None where something is wrong with it, which is noted."""
        checking = Checking(self.quantities)
        try:
            found = checking.whole(parse(expression, self.quantities.names))
            if found:
                return self.computed(expression, found, checking.made)
        except Flaw as caught:
            checking.flaws.append(caught)
        for flaw in sorted(checking.flaws, key=lambda one: one.start):
            text = f"{flaw.found}; {flaw.mend}" if flaw.mend else flaw.found
            self.flaws.append((expression, flaw.start, text))
        return None

    def computed(self, expression: str, found: Formula, made: Sequence[Formula]) -> Answer:
        """Return what a checked expression comes to. Raises `Flaw` where that is not finite."""
        everything = np.ones(self.quantities.size, dtype=bool)
        values = np.asarray(found.value(everything), dtype=float)
        if not np.isfinite(values).all():
            raise culprit(made, everything)
        unit = written(found.unit)
        common: dict[str, Any] = {
            "expression": expression,
            "unit": unit,
            "columns": tuple(self.column(expression, part) for part in parts(found, made)),
            "draws": self.quantities.size,
            "held": rarest(made, everything),
        }
        if found.varies:
            row = self.summarised(expression, found, values, unit)
            return Answer(**common, what="median", value=row.p50, mcse=row.mcse_p50, row=row)
        what = found.node.function if isinstance(found.node, Call) and found.of else "value"
        held = common["held"]
        mcse = self.error(found, what) if held is None or held >= FEWEST else math.nan
        if held is not None and not np.isfinite(mcse):
            raise Flaw(
                found.node.start,
                f"rests on {held} of {self.quantities.size:,} draws, too few to say how far it can be trusted",
                "give a condition that holds more often",
            )
        self.check_end(found, quantile_of(what), self.quantities.size if held is None else held)
        return Answer(**common, what=what, value=float(values), mcse=mcse)

    def check_end(self, found: Formula, chance: float | None, draws: int) -> None:
        """Raise `Flaw` for a quantile beyond which too few of the draws lie; q0 and q100 are none."""
        if chance is None or chance in (0.0, 1.0) or round(min(chance, 1 - chance) * draws, 9) >= limits.BEYOND:
            return
        least = 100 * limits.BEYOND / draws
        mend = f"ask for q{least:.2g} to q{100 - least:.6g}, or sample more draws"
        raise Flaw(found.node.start, f"lies where {draws:,} draws tell nothing", mend)

    def column(self, expression: str, part: Formula) -> Column:
        """Return the draws of a part of an expression, under its text."""
        name = " ".join(expression[part.node.start : part.node.end].split())
        return Column(name, "" if part.unit is None else written(part.unit), self.draws(part))

    def draws(self, part: Formula) -> Floats:
        return np.asarray(part.value(np.ones(self.quantities.size, dtype=bool)), float).reshape(self.quantities.shape)

    def summarised(self, expression: str, found: Formula, values: Floats, unit: str) -> Row:
        """Return the summary of a quantity; one with a statistic in it has the Monte Carlo error of that too."""
        if fault := limits.too_probable(self.probability, self.quantities.size):
            raise Flaw(found.node.start, fault)
        drawn = values.reshape(self.quantities.shape)
        row = summary.row(expression, "", self.quantities.group, unit, drawn, self.probability)
        if not found.statistical:
            return row
        ends = (0.5, (1 - self.probability) / 2, (1 + self.probability) / 2)
        median, lower, upper = self.jackknifed(lambda kept: np.quantile(found.value(kept), ends))
        return replace(row, mcse_p50=float(median), mcse_lower=float(lower), mcse_upper=float(upper))

    def error(self, found: Formula, what: str) -> float:
        """Return the Monte Carlo standard error of a statistic, or of what is computed of several."""
        if not found.of or found.condition or found.of.statistical:
            return float(self.jackknifed(found.value))
        drawn = self.draws(found.of)
        if not np.ptp(drawn) > 0:
            return math.nan if found.of.unit is None else 0.0
        from arviz_stats.base import array_stats

        probability = quantile_of(what)
        method = what if what in ("median", "sd") else "mean" if probability is None else "quantile"
        return float(array_stats.mcse(drawn, method=method, prob=probability))

    def jackknifed(self, statistic: Callable[[Mask], Any]) -> Floats:
        """Return the Monte Carlo standard error of a statistic of the draws kept; NaN where a block is all there is."""
        label = jackknife.blocks(*self.quantities.shape).ravel()
        return jackknife.error(np.array([statistic(label != block) for block in np.unique(label)], dtype=float))


def parts(found: Formula, made: Sequence[Formula]) -> list[Formula]:
    """Return what the draws of an expression are: its own, or those that its statistics are of; each once."""
    asked = [found] if found.varies else [part for one in made for part in (one.of, one.condition) if part]
    return list({(part.node.start, part.node.end): part for part in asked}.values())


def rarest(made: Sequence[Formula], everything: Mask) -> int | None:
    """Return in how many draws that condition holds which holds in the fewest; None where there is no condition."""
    conditions = [one.condition for one in made if one.condition]
    return min((int((np.asarray(one.value(everything)) == 1).sum()) for one in conditions), default=None)


def culprit(made: Sequence[Formula], everything: Mask) -> Flaw:
    """Return the flaw of the innermost part of an expression that is not finite in every draw."""
    for part in made:
        finite = np.isfinite(np.asarray(part.value(everything), dtype=float))
        if not finite.all():
            share = f"{report.percent(100 * float(1 - finite.mean()))} of the draws" if finite.any() else "any draw"
            where = f" in {share}" if part.varies else ""
            return Flaw(part.node.start, f"has no finite value{where}", part.undefined)
    return Flaw(0, "has no finite value")
