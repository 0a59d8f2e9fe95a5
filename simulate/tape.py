"""Arithmetic written down instead of done: the ledger and the likelihood, recorded as a tape.

A `Number` is not known yet. What is computed from one is written down by its `Recorder`, and is a `Number`
again; NumPy's arrays of them compute elementwise like arrays of floats. So the equations record
themselves, and there is one text of each. What follows from constants alone is computed at once, and the
same operation on the same operands is written down once: what does not depend on the disputed facts is
computed once for all their combinations.

The functions here are the part of NumPy that does not know how to call a method of what it is given; this
module stands where `evidence` and `propagation` take an array module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate import playback
from simulate.playback import UNARY

Floats = NDArray[np.float64]

COMMUTATIVE = frozenset({playback.ADD, playback.MULTIPLY, playback.LOGADDEXP, playback.MAXIMUM, playback.MINIMUM})


@dataclass
class Recorder:
    """Writes down operations; a slot is an input (0, 1, …), a constant (-1, -2, …) or an instruction after the inputs.

    ``tables`` are values and slopes of functions at the ``knots`` that all of them share.
    """

    inputs: int
    knots: Floats
    instructions: list[tuple[int, int, int]] = field(default_factory=list)
    constants: list[float] = field(default_factory=list)
    tables: list[tuple[Floats, Floats]] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)

    def numbers(self) -> list[Number]:
        """Return the inputs."""
        return [Number(self, slot) for slot in range(self.inputs)]

    def slot(self, value: Any) -> int:
        """Return where a number is, or a constant, which is entered where it is new."""
        if isinstance(value, Number):
            return value.slot
        constant = float(value)
        if constant not in self.known:
            self.constants.append(constant)
            self.known[constant] = -len(self.constants)
        return self.known[constant]

    def write(self, operation: int, first: int, second: int = 0) -> Number:
        """Return the result of an operation on two slots, written down unless it was before."""
        if operation in COMMUTATIVE and first > second:
            first, second = second, first
        instruction = (operation, first, second)
        slot = self.known.get(instruction)
        if slot is None:
            slot = self.known[instruction] = self.inputs + len(self.instructions)
            self.instructions.append(instruction)
        return Number(self, slot)

    def tabulated(self, x: Number, values: Floats, slopes: Floats) -> Number:
        """Return a tabulated function of ``x``."""
        self.tables.append((values, slopes))
        return self.write(playback.TABLE, x.slot, len(self.tables) - 1)

    def tape(self, result: Number) -> NDArray[np.uint8]:
        """Return what `simulate.playback` plays: the instructions that ``result`` needs, it the last of them.

        They are sorted by how many others come before them at the least, so that those of one operation
        which do not need one another stand together.
        """
        levels = self.levels(result.slot)
        order = sorted(levels, key=lambda slot: (levels[slot], self.instructions[slot - self.inputs][0], slot))
        base = self.inputs + len(self.constants)
        place = {slot: base + row for row, slot in enumerate(order)}
        place |= {slot: slot for slot in range(self.inputs)}
        place |= {-row - 1: self.inputs + row for row in range(len(self.constants))}
        chosen = [self.instructions[slot - self.inputs] for slot in order]
        first = np.array([place[x] for _, x, _ in chosen], dtype=np.uint32)
        second = np.array([y if code in UNARY else place[y] for code, _, y in chosen], dtype=np.uint32)
        runs = stretches([(code, levels[slot]) for (code, _, _), slot in zip(chosen, order, strict=True)])
        tables = np.array(self.tables).reshape(len(self.tables), 2, len(self.knots))
        constants = np.array(self.constants, dtype=float)
        return playback.packed(
            self.inputs, constants, first, second, runs, self.knots, tables[:, 0], tables[:, 1]
        )  # fmt: skip

    def levels(self, result: int) -> dict[int, int]:
        """Return the instructions that a slot needs, each with the length of the longest way to it."""
        needed = {result}
        for slot in range(result, self.inputs - 1, -1):
            if slot in needed:
                needed.update(self.operands(slot))
        found: dict[int, int] = {}
        for slot in sorted(needed):
            if slot >= self.inputs:
                found[slot] = 1 + max(found.get(operand, 0) for operand in self.operands(slot))
        return found

    def operands(self, slot: int) -> tuple[int, ...]:
        operation, first, second = self.instructions[slot - self.inputs]
        return (first,) if operation in UNARY else (first, second)


def stretches(kinds: Sequence[tuple[int, int]]) -> NDArray[np.uint32]:
    """Return (operation, begin, end) of every stretch of equal (operation, level), shape ``(run, 3)``.

    >>> stretches([(0, 1), (0, 1), (2, 1), (2, 2)]).tolist()
    [[0, 0, 2], [2, 2, 3], [2, 3, 4]]
    """
    begins = [row for row, kind in enumerate(kinds) if not row or kind != kinds[row - 1]]
    ends = [*begins[1:], len(kinds)]
    runs = [(kinds[begin][0], begin, end) for begin, end in zip(begins, ends, strict=True)]
    return np.array(runs, dtype=np.uint32).reshape(len(runs), 3)


class Number:
    """A number that is not known yet, at a slot of what a recorder has written down."""

    __slots__ = ("recorder", "slot")

    def __init__(self, recorder: Recorder, slot: int) -> None:
        self.recorder = recorder
        self.slot = slot

    def with_(self, operation: int, first: Any, second: Any) -> Number:
        """Return an operation on two operands, of which this is one."""
        return self.recorder.write(operation, self.recorder.slot(first), self.recorder.slot(second))

    def __add__(self, other: Any) -> Any:
        if is_array(other):
            return NotImplemented
        return self if equals(other, 0) else self.with_(playback.ADD, self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if is_array(other):
            return NotImplemented
        return self if equals(other, 0) else self.with_(playback.SUBTRACT, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.with_(playback.SUBTRACT, other, self)

    def __mul__(self, other: Any) -> Any:
        if is_array(other):
            return NotImplemented
        if equals(other, 0):
            return 0.0
        return self if equals(other, 1) else self.with_(playback.MULTIPLY, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if is_array(other):
            return NotImplemented
        if isinstance(other, Number):
            return self.with_(playback.DIVIDE, self, other)
        return self * (1.0 / float(other))

    def __rtruediv__(self, other: Any) -> Any:
        return 0.0 if equals(other, 0) else self.with_(playback.DIVIDE, other, self)

    def __neg__(self) -> Any:
        return self * -1.0

    def __pow__(self, power: int) -> Any:
        if power != 2:
            raise NotImplementedError("only squares can be recorded")
        return self * self

    def one(self, operation: int) -> Number:
        return self.recorder.write(operation, self.slot)

    def exp(self) -> Number:
        return self.one(playback.EXP)

    def log(self) -> Number:
        return self.one(playback.LOG)

    def log1p(self) -> Number:
        return self.one(playback.LOG1P)

    def sqrt(self) -> Number:
        return self.one(playback.SQRT)

    def sigmoid(self) -> Number:
        return self.one(playback.SIGMOID)


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0


def equals(value: Any, constant: float) -> bool:
    return not isinstance(value, Number) and float(value) == constant


# ---------------------------------------------------------------------------------------------
# As an array module

stack = np.stack


def function(method: str, known: Callable[[Any], Any]) -> Any:
    """Return a function of an array that calls a method of numbers, and computes what is known."""
    return np.frompyfunc(lambda x: getattr(x, method)() if isinstance(x, Number) else float(known(x)), 1, 1)


log = function("log", np.log)
log1p = function("log1p", np.log1p)


def elementwise(operation: int, known: Callable[[Any, Any], Any]) -> Any:
    """Return a function of two arrays that writes an operation down, or computes it where both are known."""

    def either(x: Any, y: Any) -> Any:
        for operand in (x, y):
            if isinstance(operand, Number):
                return operand.with_(operation, x, y)
        return float(known(x, y))

    return np.frompyfunc(either, 2, 1)


logaddexp = elementwise(playback.LOGADDEXP, np.logaddexp)
maximum = elementwise(playback.MAXIMUM, np.maximum)
minimum = elementwise(playback.MINIMUM, np.minimum)


def min(x: Any, axis: int) -> Any:
    """Return the least along an axis."""
    return minimum.reduce(x, axis=axis)


def logsumexp(x: Any) -> Any:
    """Return the logarithm of the sum of exponentials, halves first, so that no operation waits for all others."""
    x = list(np.ravel(x))
    while len(x) > 1:
        x = [*(logaddexp(a, b) for a, b in zip(x[::2], x[1::2], strict=False)), *(x[-1:] if len(x) % 2 else [])]
    return x[0]
