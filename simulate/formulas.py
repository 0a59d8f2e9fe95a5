"""Expressions checked against a run: which quantities they name, their units, and how they are computed.

Checking comes before computing: what is added or compared has one unit, a statistic is of something that varies, what
is true or false is not added. All flaws of an expression are found at once. A number without a unit takes that of what
it is added to or compared with.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulate import comparison
from simulate.comparison import Drawn
from simulate.datatree import SAMPLE
from simulate.expressions import OPERATIONS, QUANTILE, STATISTICS, Call, Flaw, Name, Node, Number, Operation
from simulate.results import Run
from simulate.units import composed, conversion, parsed, spoken, written

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

PLAIN = ""
HOURS = "gpu_hours"
"""Written with a run's name, the hours of it, which lie at a path."""

ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide,
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "and": np.multiply, "or": np.maximum,
}  # fmt: skip
FOLDS: Mapping[str, Callable[[Any, Any], Any]] = {"sum": np.add, "min": np.minimum, "max": np.maximum}
SUMS, PRODUCTS, COMPARISONS, LOGIC = ("+", "-"), ("*", "/"), ("<", "<=", ">", ">="), ("and", "or", "not")


@dataclass(frozen=True)
class Quantities:
    """What a run has draws of: names with the labels of their index, and the draws ``(chain, draw)``."""

    tree: xr.DataTree
    group: str
    facts: frozenset[str]

    @classmethod
    def of(cls, run: Run) -> Quantities:
        group = str(run.manifest["group"])
        return cls(run.tree(group, "constant_data"), group, frozenset(run.manifest["facts"]))

    @cached_property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The names of quantities, unknowns, facts and fixed entries, each with the labels of its index, if any."""
        found = {str(name): labels(value) for name, value in self.tree[self.group].dataset.data_vars.items()}
        constants = self.tree["constant_data"].dataset.data_vars.items()
        found |= {str(name): () for name, value in constants if not value.dims}
        runs = tuple(match[1] for name in found if (match := re.fullmatch(r"runs\.(.+)\.gpu_hours", name)))
        return {**found, **({HOURS: runs} if runs else {})}

    @property
    def shape(self) -> tuple[int, int]:
        """Chains, and draws of each."""
        sizes = self.tree[self.group].sizes
        return int(sizes[SAMPLE[0]]), int(sizes[SAMPLE[1]])

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def labels(found: xr.DataArray) -> tuple[str, ...]:
    dims = [dim for dim in found.dims if dim not in SAMPLE]
    return tuple(str(label) for label in found[dims[0]].to_numpy()) if dims else ()


@dataclass(frozen=True)
class Formula:
    """A part of an expression that has been checked.

    ``unit`` is that of what it comes to, as `simulate.units.parsed` has it; None where that is true or false, 1 or 0.
    ``value`` maps the draws to keep, ``(chain * draw,)`` of truths, to what it comes to in each of them or, where it
    does not vary (``varies``), to one number. ``bare`` is a number without a unit. ``statistical`` says that there is
    a statistic in it; one that is itself a statistic is ``of`` a formula, under a ``condition`` or none.
    ``undefined`` is what would do where it is not finite.
    """

    node: Node
    unit: Any
    value: Callable[[Mask], Any]
    varies: bool
    bare: bool = False
    statistical: bool = False
    of: Formula | None = None
    condition: Formula | None = None
    undefined: str = ""


@dataclass
class Checking:
    """Checks the parts of an expression; ``made`` are the formulas of all of them, the inner ones first."""

    quantities: Quantities
    flaws: list[Flaw] = field(default_factory=list)
    made: list[Formula] = field(default_factory=list)

    def flaw(self, node: Node, found: str, mend: str = "") -> None:
        self.flaws.append(Flaw(node.start, found, mend))

    def whole(self, node: Node) -> Formula | None:
        """Return the formula of an expression, or None where something is wrong with it."""
        found = self.formula(node)
        if found and not found.varies and not found.statistical:
            self.flaw(node, "names no quantity of the run", "a number alone needs no draws")
        if found and found.varies and found.unit is None:
            self.flaw(node, "is true or false in each draw", "ask for its probability: P(…)")
        return None if self.flaws else found

    def formula(self, node: Node) -> Formula | None:
        """Return the formula of a part of an expression, or None after a flaw."""
        kinds: Mapping[type[Node], Callable[[Any], Formula | None]] = {
            Number: self.number, Name: self.name, Operation: self.operation, Call: self.call,
        }  # fmt: skip
        found = kinds[type(node)](node)
        if found:
            self.made.append(found)
        return found

    def number(self, node: Number) -> Formula:
        unit, value = parsed(node.unit), node.value
        if unit.dimensionless:
            value, unit = value * (conversion(unit, parsed(PLAIN)) or 1.0), parsed(PLAIN)
        return Formula(node, unit, lambda kept: value, varies=False, bare=not node.unit)

    # -----------------------------------------------------------------------------------------
    # Names

    def name(self, node: Name) -> Formula | None:
        """Return the formula of a quantity at its index."""
        known = self.quantities.names
        if node.name not in known:
            self.flaw(node, f"there is no {node.name[:60]!r} in this run", self.near(node.name))
            return None
        found = comparison.look_up(self.quantities.tree, self.quantities.group, node.address)
        if not isinstance(found, Drawn):
            each = f", or all of them: sum({node.name})" if known[node.name] and not node.index else ""
            mend = f"write {node.name}[…] with one of {', '.join(known[node.name])}" if known[node.name] else found.mend
            self.flaw(node, found.found, mend + each)
            return None
        values = found.values.ravel()
        unit = None if node.name in self.quantities.facts else parsed(found.unit)
        return Formula(node, unit, lambda kept: values[kept], varies=True)

    def near(self, name: str) -> str:
        """Return what would do in the place of a name that is not known."""
        known = [one for one in self.quantities.names if one != "member"]
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        close += [one for one in known if name and one.endswith(f".{name}") and one not in close][:3]
        if close:
            return f"did you mean {' or '.join(close)}?"
        scopes = [one for one in known if "." not in one]
        return f"there are {', '.join(scopes)}, and the paths of the prior file"

    # -----------------------------------------------------------------------------------------
    # Operations

    def operation(self, node: Operation) -> Formula | None:
        """Return the formula of a sign, a sum, a product, a comparison, or of logical words."""
        found = [self.formula(operand) for operand in node.operands]
        given = [one for one in found if one]
        if len(given) < len(found):
            return None
        logical = node.symbol in LOGIC
        fitting = [self.is_truth(one) if logical else self.is_number(one) for one in given]
        if not all(fitting):
            return None
        if len(given) == 1:
            return self.signed(node, given[0])
        if node.symbol in PRODUCTS:
            return self.product(node, *given)
        return self.joined(node, given, ARITHMETIC[node.symbol], truth=logical or node.symbol in COMPARISONS)

    def is_number(self, found: Formula) -> bool:
        if found.unit is None:
            self.flaw(found.node, "is true or false, and no number", "P(…) of it is a number")
        return found.unit is not None

    def is_truth(self, found: Formula) -> bool:
        if found.unit is not None:
            self.flaw(found.node, "is a number, and neither true nor false", "compare it, as in company > 2bn")
        return found.unit is None

    def signed(self, node: Operation, one: Formula) -> Formula:
        """Return the formula of what a sign or ``not`` stands before."""
        inner = one.value
        signs: Mapping[str, Callable[[Mask], Any]] = {
            "minus": lambda kept: -inner(kept), "plus": inner, "not": lambda kept: 1.0 - inner(kept),
        }  # fmt: skip
        return replace(one, node=node, value=signs[node.symbol], of=None, condition=None, undefined="")

    def product(self, node: Operation, left: Formula, right: Formula) -> Formula:
        """Return the formula of a product or a quotient, in the unit that follows."""
        combine, power = (np.multiply, 1) if node.symbol == "*" else (np.divide, -1)
        scale, unit = composed(left.unit, right.unit, power)
        first, second = left.value, right.value
        undefined = "give a condition under which it divides by no zero, as in median(a / b | b > 0)"
        return Formula(
            node,
            unit,
            lambda kept: scale * combine(np.asarray(first(kept), dtype=float), second(kept)),
            left.varies or right.varies,
            left.bare and right.bare,
            left.statistical or right.statistical,
            undefined=undefined if power < 0 else "",
        )

    def joined(
        self, node: Node, given: Sequence[Formula], combine: Callable[[Any, Any], Any], *, truth: bool = False
    ) -> Formula | None:
        """Return the formula of numbers of one unit, or of truths, joined by an operation from the left."""
        aligned = self.aligned(given) if given[0].unit is not None else [one.value for one in given]
        if aligned is None:
            return None

        def value(kept: Mask) -> Any:
            whole = np.asarray(aligned[0](kept), dtype=float)
            for one in aligned[1:]:
                other = one(kept)
                unknown = np.isnan(whole) | np.isnan(other)
                whole = np.where(unknown, np.nan, combine(whole, other))
            return whole

        unit = next((one.unit for one in given if not one.bare), given[0].unit)
        return Formula(
            node,
            None if truth else unit,
            value,
            any(one.varies for one in given),
            not truth and all(one.bare for one in given),
            any(one.statistical for one in given),
        )

    def aligned(self, given: Sequence[Formula]) -> list[Callable[[Mask], Any]] | None:
        """Return how numbers are computed in one unit, that of the first that has one; None after a flaw."""
        wanted = next((one.unit for one in given if not one.bare), given[0].unit)
        scales = [1.0 if one.bare else conversion(one.unit, wanted) for one in given]
        for one, scale in zip(given, scales, strict=True):
            if scale is None:
                unit, other = spoken(written(one.unit)), spoken(written(wanted))
                self.flaw(one.node, f"{unit} beside {other}", "give both in units that convert to one another")
        if None in scales:
            return None
        return [scaled(one.value, scale or 1.0) for one, scale in zip(given, scales, strict=True)]

    # -----------------------------------------------------------------------------------------
    # Functions

    def call(self, node: Call) -> Formula | None:
        """Return the formula of a function."""
        if node.is_statistic:
            return self.statistic(node)
        if node.function not in OPERATIONS:
            known = (*STATISTICS, "q05", "q90", *OPERATIONS)
            close = difflib.get_close_matches(node.function, known, n=1, cutoff=0.6)
            mend = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}, and other quantiles"
            self.flaw(node, f"there is no function {node.function[:40]!r}", mend)
            return None
        if node.condition:
            self.flaw(node.condition, f"{node.function} takes no condition", "a statistic does, such as median(… | …)")
        given = self.arguments(node)
        if given is None or node.condition:
            return None
        return self.logarithm(node, given) if node.function == "log" else self.folded(node, given)

    def arguments(self, node: Call) -> list[Formula] | None:
        """Return the arguments of an operation, an indexed quantity at all its labels; None after a flaw."""
        spread = [part for argument in node.arguments for part in self.spread(argument)]
        found = [self.formula(part) for part in spread]
        given = [one for one in found if one and self.is_number(one)]
        return given if len(given) == len(found) else None

    def spread(self, node: Node) -> list[Node]:
        """Return a name without its index at every label of it."""
        if not isinstance(node, Name) or node.index:
            return [node]
        return [replace(node, index=label) for label in self.quantities.names.get(node.name, ())] or [node]

    def folded(self, node: Call, given: list[Formula]) -> Formula | None:
        if len(given) < 2 and len(node.arguments) < 2 and self.spread(node.arguments[0]) == [node.arguments[0]]:
            mend = f"write {node.function}(a, b), or give a quantity that has an index, such as run_cost"
            self.flaw(node, f"{node.function} of one number", mend)
            return None
        return self.joined(node, given, FOLDS[node.function])

    def logarithm(self, node: Call, given: list[Formula]) -> Formula | None:
        """Return the formula of a natural logarithm, which a plain number has."""
        if len(given) != 1:
            self.flaw(node, f"log of {len(given)} numbers", "give one")
            return None
        (one,) = given
        if not one.unit.dimensionless:
            self.flaw(
                one.node, f"log of {written(one.unit)}", f"divide by a unit, as in log(… / 1 {written(one.unit)})"
            )
            return None
        inner = one.value
        positive = "log takes numbers above zero"
        return replace(one, node=node, value=lambda kept: np.log(inner(kept)), of=None, bare=False, undefined=positive)

    def statistic(self, node: Call) -> Formula | None:
        """Return the formula of a statistic of the draws, of those in which its condition holds if it has one."""
        given = [self.formula(argument) for argument in node.arguments]
        condition = self.formula(node.condition) if node.condition else None
        if None in given or (node.condition and not condition):
            return None
        if len(given) != 1:
            self.flaw(node.arguments[1], f"{node.function} is of one thing", "ask once for each")
            return None
        of = given[0]
        if of is None or not self.may_be_asked(node, of, condition):
            return None
        reduce, truth = reduction(node.function), node.function == "P" or of.unit is None
        return Formula(
            node,
            parsed(PLAIN) if truth else of.unit,
            lambda kept: conditional(reduce, of, condition, kept),
            varies=False,
            statistical=True,
            of=of,
            condition=condition,
            undefined="the condition holds in too few draws" if condition else "",
        )

    def may_be_asked(self, node: Call, of: Formula, condition: Formula | None) -> bool:
        """Whether a statistic can be of this, under that condition; a flaw where not."""
        before = len(self.flaws)
        if node.function == "P":
            self.is_truth(of)
        elif node.function not in ("E", "mean"):
            self.is_number(of)
        if condition:
            self.is_truth(condition)
        for one in (of, condition):
            if one and not one.varies:
                self.flaw(one.node, "is the same in every draw", "a statistic is of something that varies")
        if (quantile := QUANTILE.fullmatch(node.function)) and not float(quantile["percent"]) > 0:
            self.flaw(node, f"there is no quantile {node.function}", "write q05 for the 5th percentile")
        return len(self.flaws) == before


def scaled(value: Callable[[Mask], Any], scale: float) -> Callable[[Mask], Any]:
    return value if scale == 1.0 else lambda kept: scale * value(kept)


def quantile_of(function: str) -> float | None:
    """Return the probability that the name of a quantile means; None for another function.

    >>> quantile_of("q90"), quantile_of("q2.5"), quantile_of("mean")
    (0.9, 0.025, None)
    """
    found = QUANTILE.fullmatch(function)
    return float(found["percent"]) / 100 if found else None


def reduction(function: str) -> Callable[[Floats], float]:
    """Return what a statistic makes of draws."""
    probability = 0.5 if function == "median" else quantile_of(function)
    if probability is not None:
        return lambda draws: float(np.quantile(draws, probability))
    if function == "sd":
        return lambda draws: float(draws.std(ddof=1)) if len(draws) > 1 else math.nan
    return lambda draws: float(draws.mean())


def conditional(reduce: Callable[[Floats], float], of: Formula, condition: Formula | None, kept: Mask) -> float:
    """Return a statistic of the draws kept in which a condition holds; NaN where it holds in none."""
    drawn = np.asarray(of.value(kept), dtype=float)
    if condition:
        true = np.asarray(condition.value(kept))
        if np.isnan(true).any():
            return math.nan
        drawn = drawn[true == 1]
    return reduce(drawn) if drawn.size else math.nan
