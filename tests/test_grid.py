"""The grid file: which points it means, and every fault of it at once."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from conftest import MINIMAL
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulate import grid, grid_file, layers, sweep
from simulate.errors import InputError
from simulate.grid import Grid, Options

RATE = '"chips.h800.rental_rate"'


@pytest.fixture
def points(write):
    def points(axes: str, head: str = "", settings: str = "") -> Grid:
        return grid_file.read(write(f"schema = 1\n{head}\n[settings]\n{settings}\n[axes]\n{axes}\n", "grid.toml"))

    return points


@pytest.fixture
def refused(points):
    """Return (path, what was found) of every fault of a grid."""

    def refused(axes: str, head: str = "", settings: str = "") -> list[tuple[str, str]]:
        with pytest.raises(InputError) as caught:
            points(axes, head, settings)
        return [(fault.path, fault.found) for fault in caught.value.faults]

    return refused


def test_a_factorial_grid_has_every_combination_the_last_axis_changing_first(points):
    found = points('"a.b" = [1, 2]\n"a.c" = ["x", true, [3, 4]]')
    assert [found.point(number).set for number in range(found.size)] == [
        ("a.b=1", "a.c=x"), ("a.b=1", "a.c=true"), ("a.b=1", "a.c=[3, 4]"),
        ("a.b=2", "a.c=x"), ("a.b=2", "a.c=true"), ("a.b=2", "a.c=[3, 4]"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("{ from = 2, to = 6, steps = 3 }", ["2", "4", "6"]),
        ("{ from = 6, to = 2, steps = 3 }", ["6", "4", "2"]),
        ("{ from = 0, to = 1, steps = 3 }", ["0.0", "0.5", "1.0"]),
        ('{ from = "1k GPU", to = "2k", steps = 2 }', ["1000.0 GPU", "2000.0 GPU"]),
        ('{ from = 1, to = 4, steps = 3, spacing = "log" }', ["1.0", "2.0", "4.0"]),
    ],
)
def test_steps_are_even_and_include_both_ends(form, expected, points):
    found = points(f'"a.b" = {form}')
    assert [found.point(number).set for number in range(found.size)] == [(f"a.b={value}",) for value in expected]


@pytest.mark.parametrize("design", ["sobol", "latin-hypercube"])
def test_a_design_has_each_part_of_every_axis_once(design, points):
    head = f'design = "{design}"\npoints = 16\nseed = 7'
    found = points('"a.b" = { interval = [10, 26] }\n"a.c" = { interval = "1 to 16 GPU", spacing = "log" }', head)
    both = np.array([found.values(number) for number in range(16)])
    assert sorted(np.floor(both[:, 0] - 10)) == list(range(16))
    assert sorted(np.floor(16 * np.log(both[:, 1]) / math.log(16))) == list(range(16))
    assert found.point(3).set == (f"a.b={both[3, 0]}", f"a.c={both[3, 1]} GPU")


def test_a_design_is_its_seeds_and_values_have_equal_parts_of_it(points):
    def of(seed: int) -> list[tuple[object, ...]]:
        head = f'design = "sobol"\npoints = 8\nseed = {seed}'
        found = points('"a.b" = { interval = [0, 1] }\n"a.c" = ["x", "y"]', head)
        return [found.values(number) for number in range(8)]

    assert of(1) == of(1) != of(2)
    assert [value for _, value in of(1)].count("x") == 4


def test_options_are_set_for_all_points_or_run_through(points):
    found = points('"a.b" = [1]\nseed = [1, 2]', settings="draws = 500\nprobability = 0.8")
    assert [found.point(number).options.seed for number in range(2)] == [1, 2]
    assert found.point(0).options == Options(draws=500, probability=0.8, seed=1)
    assert found.point(0).set == ("a.b=1",)


values = st.recursive(
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["C"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=5,
)


@given(values)
def test_an_expression_gives_its_value_back(value):
    assert layers.parse_expression(grid.expression(value)) == value


@pytest.mark.parametrize(
    ("axes", "path", "found"),
    [
        ('"a.b" = []', "axes.a.b", "should have at least 1 item, not 0"),
        ('"a.b" = {}', "axes.a.b", "gives no values"),
        ('"a.b" = { values = [1], interval = [1, 2] }', "axes.a.b", "given in 2 ways (values, interval)"),
        ('"a.b" = { from = 1, steps = 3 }', "axes.a.b.to", "missing"),
        ('"a.b" = { from = 1, to = 3 }', "axes.a.b.steps", "missing"),
        ('"a.b" = { from = 1, to = 1, steps = 2 }', "axes.a.b.to", "both ends are the same"),
        ('"a.b" = { from = "1 GPU", to = "2 USD", steps = 2 }', "axes.a.b.to", "two units, 'GPU' and 'USD'"),
        ('"a.b" = { from = "much", to = 2, steps = 2 }', "axes.a.b.from", "'much' is not a number"),
        ('"a.b" = { from = 0, to = 2, steps = 2, spacing = "log" }', "axes.a.b.spacing",
         "an end is not positive, so it has no logarithm"),
        ('"a.b" = { interval = [1, 2] }', "axes.a.b.interval", "a factorial grid has no room for all of it"),
        ('"a.b" = { valeus = [1] }', "axes.a.b.valeus", "unknown key"),
        ('"frobnicate" = [1]', "axes.frobnicate", "is neither a path nor an option"),
        ('"a b.c" = [1]', "axes.a b.c", "is no path"),
        ("draws = [500, 2.5]", "axes.draws.values[1]", "2.5 is not a whole number"),
        ("chains = [0]", "axes.chains.values[0]", "should be greater than or equal to 1"),
        ('"a.b" = [1]\n"a.b.value" = [2]', "axes.a.b.value", "sets what a.b sets"),
        ("a.b = [1]", "axes.a.b", "unknown key"),
    ],
)  # fmt: skip
def test_a_faulty_axis_is_named_with_what_is_wrong(axes, path, found, refused):
    assert any(where == path and found in what for where, what in refused(axes)), refused(axes)


@pytest.mark.parametrize(
    ("head", "settings", "path"),
    [
        ("points = 8", "", "points"),
        ('design = "sobol"', "", "points"),
        ('design = "sobol"\npoints = 12', "", "points"),
        ('design = "grid"', "", "design"),
        ("", "drawz = 1", "settings.drawz"),
        ("", "seed = -1", "settings.seed"),
        ("", "seed = 3", "settings.seed"),
    ],
)
def test_a_faulty_head_is_named(head, settings, path, refused):
    assert [where for where, _ in refused("seed = [1, 2]", head, settings)] == [path]


def test_all_faults_come_at_once(refused):
    assert len(refused('"a.b" = {}\n"c.d" = { from = 1 }\nx = [1]', "points = 2")) == 5


def test_a_fault_of_shape_hides_none_of_an_axis(refused):
    found = refused('"a.b" = { from = 1, steps = 3 }\nseed = [1, "x"]', "colour = 3", "draws = 5")
    assert [where for where, _ in found] == ["axes.a.b.to", "axes.seed.values[1]", "colour", "settings.draws"]


def test_a_factorial_grid_beyond_reason_is_refused(refused):
    axes = "\n".join(f'"a.{letter}" = {{ from = 1, to = 1000, steps = 1000 }}' for letter in "bcd")
    assert refused(axes) == [("axes", "1,000,000,000 points")]


def test_a_value_that_the_prior_file_refuses_is_named_where_it_stands_in_the_grid(points, write):
    found = points(f'{RATE} = [2, "3 to 1", "2 GPU"]\n"scope.horizn" = [1, 2]')
    with pytest.raises(InputError) as caught:
        sweep.checked(layers.read(write(MINIMAL)), found)
    assert [fault.path for fault in caught.value.faults] == [
        "axes.chips.h800.rental_rate.values[1]",
        "axes.chips.h800.rental_rate.values[2]",
        "axes.scope.horizn.values[0]",
        "axes.scope.horizn.values[1]",
    ]


def test_a_value_that_can_only_stand_beside_another_may(points, write):
    claim = '[evidence.c]\nquantity = "final_run"\nkind = "estimate"\nvalue = 5e6\nrelative_error = 0.2\n'
    read = layers.read(write(f'{MINIMAL}{claim}unit = "USD"\nnote = "made up"\n'))
    found = points('"evidence.c.value" = [50]\n"evidence.c.quantity" = ["chips.h800.rental_rate"]\n'
                   '"evidence.c.unit" = ["USD/GPU-hour"]')  # fmt: skip
    assert sweep.checked(read, found) == read


def test_the_grid_that_the_documentation_shows_is_the_one_beside_it_and_is_one():
    folder = Path(__file__).parent.parent / "docs"
    page, file = (folder / "sweep.md").read_text(), folder / "sweep.toml"
    shown = page.split("```toml\n")[1].split("```")[0]
    assert tomllib.loads(shown) == tomllib.loads(file.read_text())
    assert grid_file.read(file).size == 36
    sweep.checked(layers.read(layers.find("semianalysis")), grid_file.read(file))


def test_options_have_the_defaults_of_the_command():
    from simulate import cli

    run = {option.name: option.default for option in cli.run.params}
    ours = Options().model_dump(exclude={"extend", "prior_only"})  # flags, off unless given
    assert {name: run[name] for name in ours} == ours
    with pytest.raises(ValidationError):
        Options(seed=2**32)
