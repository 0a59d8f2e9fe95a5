"""A tape of arithmetic played back in machine code: value forward, gradient backward.

The one compiled piece of the package, and the same for every prior file: what differs from file to file is
the tape, which is data. So a new file, claim or what-if compiles nothing. The codes of the operations stand
here because Numba keeps compiled code by the file that it comes from.

A tape is one block of bytes: a header of `HEADER` integers; the first knot and the distance of knots, the
constants, and the tables' values and slopes as floats; then the operands of all instructions and their runs
as unsigned 32-bit integers. A run is a stretch of instructions of one operation, none of which needs another of it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba import carray, cfunc, types  # type: ignore[attr-defined]
from numba.core import config
from numba.core.caching import FunctionCache
from numba.extending import register_jitable
from numpy.typing import NDArray

from simulate import keeping
from simulate.errors import SimulateError

Floats = NDArray[np.float64]
Integers = NDArray[np.uint32]
"""Unsigned, as every place of an array here: one that could be negative would be looked at again at each use."""
Bytes = NDArray[np.uint8]

ADD, SUBTRACT, MULTIPLY, DIVIDE, LOGADDEXP, MAXIMUM, MINIMUM = range(7)
EXP, LOG, LOG1P, SQRT, SIGMOID, TABLE = range(7, 13)
UNARY = frozenset({EXP, LOG, LOG1P, SQRT, SIGMOID, TABLE})
"""Operations of one operand; the second number of a `TABLE` says which table."""

HEADER = 8


def packed(
    inputs: int,
    constants: Floats,
    first: Integers,
    second: Integers,
    runs: Integers,
    knots: Floats,
    values: Floats,
    slopes: Floats,
) -> Bytes:
    """Return a tape as one block.

    ``runs`` (run, 3) are operation, first instruction and the one after the last; ``first`` and ``second``
    [instruction] are the slots of its operands: inputs, then constants, then instructions. ``values`` and
    ``slopes`` are (table, knot), ``knots`` [knot] evenly spaced.
    """
    header = np.array([inputs, len(constants), len(first), len(runs), *values.shape, 0, 0], dtype=np.int64)
    floats = np.concatenate([[knots[0], knots[1] - knots[0]], constants, values.ravel(), slopes.ravel()])
    integers = np.concatenate([first, second, runs.ravel()]).astype(np.uint32)
    parts = (header, floats.astype(np.float64), integers)
    return np.frombuffer(b"".join(part.tobytes() for part in parts), dtype=np.uint8)


@register_jitable
def play(x: Any, gradient: Any, header: Any, block: Bytes) -> Any:
    """Return the last number on a tape at ``x`` [input], and put its derivatives into ``gradient`` [input]."""
    inputs, constants, instructions, tabled = header[0], header[1], header[2], header[4] * header[5]
    ends = 8 * (HEADER + 2 + constants + 2 * tabled)
    floats, integers = block[8 * HEADER : ends].view(np.float64), block[ends:].view(np.uint32)
    first, second = integers[:instructions], integers[instructions : 2 * instructions]
    runs = integers[2 * instructions :]
    tables = floats[2 + constants :]
    base = np.uint64(inputs + constants)
    here = np.empty(base + instructions)
    change = np.zeros(base + instructions)
    for i in range(inputs):
        here[i] = x[i]
    for i in range(constants):
        here[inputs + i] = floats[2 + i]
    forward(here, base, first, second, runs, header[5], floats[0], floats[1], tables, tabled)
    change[-1] = 1.0
    backward(here, change, base, first, second, runs, header[5], floats[0], floats[1], tables, tabled)
    for i in range(inputs):
        gradient[i] = change[i]
    return here[-1]


@register_jitable
def forward(
    v: Floats,
    base: np.uint64,
    first: Integers,
    second: Integers,
    runs: Integers,
    knots: int,
    start: float,
    step: float,
    tables: Floats,
    tabled: int,
) -> None:
    """Put the result of every instruction into its slot of ``v``; the first is at ``base``."""
    for run in range(0, runs.shape[0], 3):
        operation, begin, end = runs[run], runs[run + 1], runs[run + 2]
        if operation == ADD:
            for i in range(begin, end):
                v[base + i] = v[first[i]] + v[second[i]]
        elif operation == SUBTRACT:
            for i in range(begin, end):
                v[base + i] = v[first[i]] - v[second[i]]
        elif operation == MULTIPLY:
            for i in range(begin, end):
                v[base + i] = v[first[i]] * v[second[i]]
        elif operation == DIVIDE:
            for i in range(begin, end):
                v[base + i] = v[first[i]] / v[second[i]]
        elif operation == LOGADDEXP:
            for i in range(begin, end):
                x, y = v[first[i]], v[second[i]]
                v[base + i] = max(x, y) + math.log1p(math.exp(-abs(x - y)))
        elif operation == MAXIMUM:
            for i in range(begin, end):
                v[base + i] = max(v[first[i]], v[second[i]])
        elif operation == MINIMUM:
            for i in range(begin, end):
                v[base + i] = min(v[first[i]], v[second[i]])
        elif operation == TABLE:
            for i in range(begin, end):
                row = second[i] * knots
                v[base + i] = looked_up(v[first[i]], start, step, knots, tables, row, tabled + row)
        else:
            forward_function(v, base, first, operation, begin, end)


@register_jitable
def forward_function(v: Floats, base: np.uint64, first: Integers, operation: int, begin: int, end: int) -> None:
    """Put the results of one run of functions of one number into their slots of ``v``."""
    if operation == EXP:
        for i in range(begin, end):
            v[base + i] = math.exp(v[first[i]])
    elif operation == LOG:
        for i in range(begin, end):
            v[base + i] = math.log(v[first[i]])
    elif operation == LOG1P:
        for i in range(begin, end):
            v[base + i] = math.log1p(v[first[i]])
    elif operation == SQRT:
        for i in range(begin, end):
            v[base + i] = math.sqrt(v[first[i]])
    elif operation == SIGMOID:
        for i in range(begin, end):
            v[base + i] = 1.0 / (1.0 + math.exp(-v[first[i]]))


@register_jitable
def backward(
    v: Floats,
    d: Floats,
    base: np.uint64,
    first: Integers,
    second: Integers,
    runs: Integers,
    knots: int,
    start: float,
    step: float,
    tables: Floats,
    tabled: int,
) -> None:
    """Add to ``d`` the derivatives of the last number by every slot, from the last instruction to the first."""
    for run in range(runs.shape[0] - 3, -1, -3):
        operation, begin, end = runs[run], runs[run + 1], runs[run + 2]
        if operation == ADD:
            for i in range(begin, end):
                d[first[i]] += d[base + i]
                d[second[i]] += d[base + i]
        elif operation == SUBTRACT:
            for i in range(begin, end):
                d[first[i]] += d[base + i]
                d[second[i]] -= d[base + i]
        elif operation == MULTIPLY:
            for i in range(begin, end):
                x, y = v[first[i]], v[second[i]]
                d[first[i]] += d[base + i] * y
                d[second[i]] += d[base + i] * x
        elif operation == DIVIDE:
            for i in range(begin, end):
                by = d[base + i] / v[second[i]]
                d[first[i]] += by
                d[second[i]] -= by * v[base + i]
        elif operation == LOGADDEXP:
            for i in range(begin, end):
                x, y = v[first[i]] - v[base + i], v[second[i]] - v[base + i]
                d[first[i]] += d[base + i] * math.exp(x)
                d[second[i]] += d[base + i] * math.exp(y)
        elif operation == MAXIMUM:
            for i in range(begin, end):
                d[first[i] if v[first[i]] >= v[second[i]] else second[i]] += d[base + i]
        elif operation == MINIMUM:
            for i in range(begin, end):
                d[first[i] if v[first[i]] <= v[second[i]] else second[i]] += d[base + i]
        elif operation == TABLE:
            for i in range(begin, end):
                row = second[i] * knots
                d[first[i]] += d[base + i] * slope_at(v[first[i]], start, step, knots, tables, row, tabled + row)
        else:
            backward_function(v, d, base, first, operation, begin, end)


@register_jitable
def backward_function(
    v: Floats, d: Floats, base: np.uint64, first: Integers, operation: int, begin: int, end: int
) -> None:
    """Add to ``d`` what one run of functions of one number hands on."""
    if operation == EXP:
        for i in range(begin, end):
            d[first[i]] += d[base + i] * v[base + i]
    elif operation == LOG:
        for i in range(begin, end):
            d[first[i]] += d[base + i] / v[first[i]]
    elif operation == LOG1P:
        for i in range(begin, end):
            d[first[i]] += d[base + i] / (1.0 + v[first[i]])
    elif operation == SQRT:
        for i in range(begin, end):
            d[first[i]] += 0.5 * d[base + i] / v[base + i]
    elif operation == SIGMOID:
        for i in range(begin, end):
            d[first[i]] += d[base + i] * v[base + i] * (1.0 - v[base + i])


@register_jitable
def looked_up(x: float, start: float, step: float, knots: int, tables: Floats, value: int, slope: int) -> float:
    """Return a tabulated function by cubic Hermite interpolation.

    Its values at the knots from ``start`` on begin at ``value`` in ``tables``, its slopes at ``slope``.
    """
    place = (x - start) / step
    knot = max(0, min(math.floor(place), knots - 2))
    t = place - knot
    r = 1.0 - t
    return float(
        tables[value + knot] * (1.0 + 2.0 * t) * r * r
        + tables[value + knot + 1] * t * t * (3.0 - 2.0 * t)
        + step * (tables[slope + knot] * t * r * r - tables[slope + knot + 1] * t * t * r)
    )


@register_jitable
def slope_at(x: float, start: float, step: float, knots: int, tables: Floats, value: int, slope: int) -> float:
    """Return the derivative of `looked_up`."""
    place = (x - start) / step
    knot = max(0, min(math.floor(place), knots - 2))
    t = place - knot
    r = 1.0 - t
    return float(
        6.0 * t * r * (tables[value + knot + 1] - tables[value + knot]) / step
        + tables[slope + knot] * r * (1.0 - 3.0 * t)
        + tables[slope + knot + 1] * t * (3.0 * t - 2.0)
    )


# ---------------------------------------------------------------------------------------------
# Compiled


POINTER = types.CPointer(types.double)  # type: ignore[no-untyped-call]
DENSITY = types.int64(types.uint64, POINTER, POINTER, POINTER, types.voidptr)
"""What nutpie calls: number of dimensions, position, gradient, log-density, tape. Zero where all went well."""
EXPANSION = types.int64(types.uint64, types.uint64, POINTER, POINTER, types.voidptr)


@dataclass(frozen=True)
class Compiled:
    """Log-density and its gradient on standard normals, and the identity, as C functions of a tape."""

    density: Any
    identity: Any

    def __call__(self, x: Floats, block: Bytes) -> tuple[float, Floats]:
        """Return the log-density at ``x`` [input], up to its constant, and its gradient [input]."""
        import ctypes

        x = np.ascontiguousarray(x, dtype=float)
        value, gradient = np.empty(1), np.empty(len(x))
        pointers = (ctypes.cast(array.ctypes.data, ctypes.POINTER(ctypes.c_double)) for array in (x, gradient, value))
        self.density.ctypes(len(x), *pointers, block.ctypes.data)
        return float(value[0]), gradient

    def same(self, x: Floats) -> bool:
        """Whether the identity is one."""
        import ctypes

        result = np.zeros(len(x))
        pointers = (ctypes.cast(array.ctypes.data, ctypes.POINTER(ctypes.c_double)) for array in (x, result))
        self.identity.ctypes(len(x), len(x), *pointers, 0)
        return bool((result == x).all())


def compile_with(cache: bool) -> Compiled:
    """Return the C functions; with ``cache`` as they were compiled before, where they were.

    The digest of this file is part of what is compiled, and so of what it is kept by. Machine code that is not what
    was kept is removed before Numba can load it: one wrong bit of it can give a wrong number.
    """
    digest = int.from_bytes(hashlib.sha256(Path(__file__).read_bytes()).digest()[:4])

    def density(dimensions, position, gradient, value, tape):  # type: ignore[no-untyped-def]
        if digest < 0:
            return 1
        header = carray(tape, (HEADER,), np.int64)
        floats = 2 + header[1] + 2 * header[4] * header[5]
        size = 8 * (HEADER + floats) + 4 * (2 * header[2] + 3 * header[3])
        total = play(position, gradient, header, carray(tape, (size,), np.uint8))
        finite = math.isfinite(total)
        for i in range(dimensions):
            total -= 0.5 * position[i] * position[i]
            gradient[i] -= position[i]
            finite = finite and math.isfinite(gradient[i])
        value[0] = total
        return 0 if finite else 3

    def identity(dimensions, expanded, position, result, tape):  # type: ignore[no-untyped-def]
        for i in range(dimensions):
            result[i] = position[i]
        return 0

    options: Any = {"fastmath": False, "error_model": "numpy"}
    if not cache:
        return Compiled(cfunc(DENSITY, **options)(density), cfunc(EXPANSION, **options)(identity))
    with kept_apart():
        kept: Any = FunctionCache(density)  # type: ignore[no-untyped-call]
        folder = Path(kept.cache_path)
        remove_altered(folder)
        found = Compiled(
            cfunc(DENSITY, cache=True, **options)(density), cfunc(EXPANSION, cache=True, **options)(identity)
        )
        sign(folder)
    return found


@contextlib.contextmanager
def kept_apart() -> Iterator[None]:
    """Let Numba keep what it compiles here where `simulate.keeping` keeps things, unless it was told where.

    Beside the source, as it does by itself, it would outlive an uninstallation, and the folder that is left would
    pass for the package. Raises `OSError` where nothing is kept.
    """
    settings: Any = config
    before = settings.CACHE_DIR
    if not before:
        folder = keeping.folder()
        if folder is None:
            raise OSError("nothing is kept")
        settings.CACHE_DIR = str(folder / "compiled")
    try:
        yield
    finally:
        settings.CACHE_DIR = before


SIGNED = "playback.compiled.json"
"""Beside what Numba keeps of this module: the SHA-256 of each of its files, by name."""


def of_this_module(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of all that Numba keeps of this module, by name."""
    kept = sorted(folder.glob("playback.compile_with.*.nb[ic]"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def remove_altered(folder: Path) -> None:
    """Remove what Numba keeps of this module unless all of it is as it was signed."""
    signed = None
    with contextlib.suppress(OSError, ValueError, RecursionError):
        signed = json.loads((folder / SIGNED).read_bytes())
    if of_this_module(folder) != signed:
        for path in folder.glob("playback.compile_with.*.nb[ic]"):
            path.unlink(missing_ok=True)


def sign(folder: Path) -> None:
    """Write down what Numba keeps of this module now, whole or not at all."""
    text = json.dumps(of_this_module(folder))
    with contextlib.suppress(OSError):
        if not (folder / SIGNED).is_file() or (folder / SIGNED).read_text() != text:
            unfinished = folder / f".{SIGNED}-{os.getpid()}"
            unfinished.write_text(text)
            unfinished.replace(folder / SIGNED)


@functools.cache
def compiled() -> Compiled:
    """Return the C functions, sound: what is kept of an earlier process is tried out before it is trusted.

    Raises `SimulateError` where even newly compiled ones compute something else than Python does.
    """
    for cache in (True, False):
        try:
            found = compile_with(cache)
        except Exception:  # a cache that is damaged, foreign or cannot be written fails in many ways
            if not cache:
                raise
            continue
        if is_sound(found):
            return found
    raise SimulateError("the compiled density does not compute what it should here; please report the processor")


def is_sound(found: Compiled) -> bool:
    """Whether C functions give what Python gives: for every operation the value and the slope, and the same draws."""
    step = 1e-6
    if not all(found.same(np.arange(1.0, n + 1)) for n in (1, 7, 130)):
        return False
    for operation, expected in EXPECTED.items():
        block = single(operation)
        for x, y in ((0.3, 0.7), (1.9, 0.4)):
            value, gradient = found(np.array([x, y]), block)
            wanted = expected(x, y) - 0.5 * (x * x + y * y)
            by_x = (expected(x + step, y) - expected(x - step, y)) / (2 * step) - x
            by_y = (expected(x, y + step) - expected(x, y - step)) / (2 * step) - y
            if not np.allclose([value, *gradient], [wanted, by_x, by_y], rtol=1e-7, atol=1e-7):
                return False
    return True


def single(operation: int) -> Bytes:
    """Return the tape of one operation on two inputs; its table is the square, on whole numbers."""
    knots = np.arange(-4.0, 5.0)
    run = np.array([[operation, 0, 1]], dtype=np.uint32)
    first, second = np.array([0], dtype=np.uint32), np.array([0 if operation == TABLE else 1], dtype=np.uint32)
    return packed(2, np.zeros(0), first, second, run, knots, knots[None] ** 2, 2 * knots[None])


EXPECTED: dict[int, Callable[[float, float], float]] = {
    ADD: lambda x, y: x + y,
    SUBTRACT: lambda x, y: x - y,
    MULTIPLY: lambda x, y: x * y,
    DIVIDE: lambda x, y: x / y,
    LOGADDEXP: lambda x, y: math.log(math.exp(x) + math.exp(y)),
    MAXIMUM: max,
    MINIMUM: min,
    EXP: lambda x, y: math.exp(x),
    LOG: lambda x, y: math.log(x),
    LOG1P: lambda x, y: math.log1p(x),
    SQRT: lambda x, y: math.sqrt(x),
    SIGMOID: lambda x, y: 1 / (1 + math.exp(-x)),
    TABLE: lambda x, y: x * x,
}
