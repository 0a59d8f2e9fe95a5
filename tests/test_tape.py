"""What is recorded is what is computed: values, derivatives, and nothing twice."""

import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate import playback, tape
from simulate.tape import Number, Recorder

KNOTS = np.linspace(-8, 8, 161)

UNARY: list[Callable[[Any], Any]] = [
    lambda x: np.exp(0.3 * x),
    lambda x: np.log(x * x + 1.5),
    lambda x: np.log1p(x**2),
    lambda x: np.sqrt(x**2 + 0.5),
    lambda x: -x,
    lambda x: x / 3.0,
]
BINARY: list[Callable[[Any, Any, Any], Any]] = [
    lambda x, y, xp: x + y,
    lambda x, y, xp: 2.0 - x - y,
    lambda x, y, xp: x * y * 0.3,
    lambda x, y, xp: x / (y * y + 1.0),
    lambda x, y, xp: 1.0 / (x * x + y * y + 1.0),
    lambda x, y, xp: xp.logaddexp(x, y),
    lambda x, y, xp: xp.maximum(x, y + 0.1),
    lambda x, y, xp: xp.minimum(x, y - 0.1),
]
STEPS = st.lists(st.tuples(st.integers(0, 13), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12)


def computed(steps: list[tuple[int, int, int]], x: Any, xp: Any) -> Any:
    """Return what a list of steps makes of two numbers, each from what came before it."""
    found = list(x)
    for which, a, b in steps:
        one, other = found[a % len(found)], found[b % len(found)]
        found.append(UNARY[which](one) if which < len(UNARY) else BINARY[which - len(UNARY)](one, other, xp))
    return found[-1] + 0.01 * (found[0] + found[1])


def recorded(function: Callable[[list[Number]], Any], inputs: int = 2) -> Any:
    recorder = Recorder(inputs, KNOTS)
    return recorder.tape(function(recorder.numbers()))


def played(block: Any, x: Any) -> tuple[float, np.ndarray]:
    """Return value and gradient of a tape, without the normal density that playing adds."""
    x = np.asarray(x, dtype=float)
    value, gradient = playback.compiled()(x, block)
    return value + 0.5 * (x**2).sum(), gradient + x


@given(STEPS, st.floats(-2, 2), st.floats(-2, 2))
def test_a_tape_gives_the_value_that_numpy_gives(steps, x, y):
    expected = float(computed(steps, (x, y), np))
    block = recorded(lambda numbers: computed(steps, numbers, tape))
    assert played(block, [x, y])[0] == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(STEPS, st.floats(-2, 2), st.floats(-2, 2))
def test_a_tape_gives_the_slope_along_any_line(steps, x, y):
    block = recorded(lambda numbers: computed(steps, numbers, tape))
    at, line, step = np.array([x, y]), np.array([0.6, -0.8]), 1e-6
    ahead, behind = (played(block, at + sign * step * line)[0] for sign in (1, -1))
    _, gradient = played(block, at)
    beside = [played(block, at + 10 * sign * step * line)[1] for sign in (1, -1)]
    if np.allclose(*beside, rtol=1e-2, atol=1e-2):  # not at the kink of a maximum
        assert (ahead - behind) / (2 * step) == pytest.approx(float(gradient @ line), rel=1e-4, abs=1e-4)


def test_what_follows_from_constants_alone_is_not_recorded():
    recorder = Recorder(1, KNOTS)
    [x] = recorder.numbers()
    assert x * 0.0 == 0.0
    assert tape.maximum(3.0, 2.0) == 3.0
    assert (x * 1.0 + 0.0 - 0).slot == x.slot
    assert recorder.instructions == []


def test_the_same_operation_is_recorded_once():
    recorder = Recorder(2, KNOTS)
    x, y = recorder.numbers()
    assert (x * y + (y * x).exp()).slot == ((y * x).exp() + x * y).slot
    assert len(recorder.instructions) == 3


def test_what_the_result_does_not_need_is_left_out():
    def function(numbers):
        numbers[0].exp()
        return numbers[0] + numbers[1]

    assert len(recorded(function)) == len(recorded(lambda numbers: numbers[0] + numbers[1]))


def test_arrays_of_numbers_compute_elementwise():
    x = np.array([0.3, -1.2, 2.0])
    weights = np.array([[1.0, 2.0, 0.0], [0.5, 0.0, 3.0]])

    def function(numbers, xp):
        rows = (weights * np.exp(np.stack(numbers))[None, :]).sum(axis=1)
        return xp.min(np.log(rows)[:, None] * np.ones((1, 2)), axis=0).sum()

    block = recorded(lambda numbers: function(numbers, tape), inputs=3)
    assert played(block, x)[0] == pytest.approx(float(function(list(x), np)), rel=1e-12)


def test_the_logarithm_of_a_sum_of_exponentials_is_exact_far_out():
    x = np.array([-800.0, 3.0, 2.0, -5.0, 900.0])
    block = recorded(lambda numbers: tape.logsumexp(np.array(numbers)), inputs=5)
    found = played(block, x)
    assert found[0] == pytest.approx(900.0, rel=1e-9)
    assert found[1] == pytest.approx([0, 0, 0, 0, 1], abs=1e-9)


def test_a_table_is_the_cubic_through_its_knots():
    recorder = Recorder(1, KNOTS)
    block = recorder.tape(recorder.tabulated(recorder.numbers()[0], KNOTS**3, 3 * KNOTS**2))
    value, gradient = played(block, [1.2345])
    assert value == pytest.approx(1.2345**3, rel=1e-12)
    assert gradient[0] == pytest.approx(3 * 1.2345**2, rel=1e-12)


def test_only_squares_can_be_recorded():
    [x] = Recorder(1, KNOTS).numbers()
    with pytest.raises(NotImplementedError, match="squares"):
        x**3


# ---------------------------------------------------------------------------------------------
# What is kept of the compiler's work


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from numba.core import config

    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def kept(cache: Path, ending: str) -> list[Path]:
    return sorted(cache.rglob(f"*.{ending}"))


@pytest.mark.sampling
@pytest.mark.parametrize(("ending", "damage"), [("nbi", b""), ("nbc", pickle.dumps("something else"))])
def test_a_damaged_cache_is_not_believed(cache, ending, damage):
    playback.compile_with(cache=True)
    assert kept(cache, ending)
    for path in kept(cache, ending):
        path.write_bytes(damage)
    playback.compiled.cache_clear()
    assert played(recorded(lambda numbers: numbers[0] * numbers[1].exp()), [2.0, 0.5])[0] == 2 * math.exp(0.5)
    playback.compiled.cache_clear()


@pytest.mark.sampling
def test_machine_code_with_one_bit_turned_is_compiled_anew(cache):
    playback.compile_with(cache=True)
    [path] = [path for path in kept(cache, "nbc") if "identity" in path.name]
    content = path.read_bytes()
    turned = bytearray(content)
    turned[len(turned) // 2] ^= 8
    path.write_bytes(turned)
    assert playback.is_sound(playback.compile_with(cache=True))
    assert path.read_bytes() != turned


@pytest.mark.sampling
def test_nothing_is_left_beside_the_source_that_would_pass_for_the_package(monkeypatch, tmp_path):
    from numba.core import config

    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setenv("SIMULATE_CACHE", str(tmp_path))
    playback.compile_with(cache=True)
    assert kept(tmp_path, "nbc")
    assert not kept(Path(playback.__file__).parent, "nb[ic]")


def test_functions_that_compute_something_else_are_noticed():
    wrong = playback.Compiled(playback.compiled().density, playback.compiled().identity)
    assert playback.is_sound(wrong)
    object.__setattr__(wrong, "density", Off(wrong.density))
    assert not playback.is_sound(wrong)


class Off:
    """A density that is off by a thousandth."""

    def __init__(self, density: Any) -> None:
        self.right = density

    def ctypes(self, dimensions, position, gradient, value, block):
        self.right.ctypes(dimensions, position, gradient, value, block)
        value[0] += 1e-3
