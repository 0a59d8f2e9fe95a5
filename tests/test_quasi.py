"""Quasi-random draws answer what random ones do, more exactly, and know by how much."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import FULL, MINIMAL

from simulate import cli, inference, pipeline, quasi, summary
from simulate.errors import SimulateError
from simulate.inference import Settings

SETTINGS = Settings(draws=128, chains=16, seed=3, prior_only=True, quasi=True)


LARGE = dataclasses.replace(SETTINGS, draws=2048, chains=8)


def medians(priors, scope: str, *, quasi: bool) -> np.ndarray:
    """Return the median of a scope from 16,384 draws, for twelve seeds."""
    every = [dataclasses.replace(LARGE, seed=seed, quasi=quasi) for seed in range(12)]
    return np.array([np.median(inference.prior(priors, settings).quantities[scope]) for settings in every])


@pytest.mark.parametrize(("text", "scope"), [(MINIMAL, "final_run"), (FULL, "development"), (FULL, "hardware")])
def test_the_median_of_a_scope_is_more_exact_than_by_chance(text, scope, load):
    ours, theirs = (medians(load(text), scope, quasi=way) for way in (True, False))
    # Twelve seeds know each spread to 21 %: equal ones would have such a ratio about once in twenty times.
    assert np.std(ours) < 0.6 * np.std(theirs)


def test_mean_and_quantiles_of_a_log_normal_cost_have_their_closed_forms(load):
    priors = load(MINIMAL)
    rows = summary.summarise(priors, inference.prior(priors, SETTINGS), "prior", 0.9, quasi=True)
    row = next(row for row in rows if row.variable == "final_run")
    middle = math.log(math.sqrt(1.5 * 3.0) * math.sqrt(2e6 * 3e6))
    reach = math.hypot(math.log(3.0 / 1.5), math.log(3e6 / 2e6)) / 2
    mean = math.exp(middle + (reach / 1.6448536269514722) ** 2 / 2)
    # Student t with 15 degrees of freedom lies beyond 4 once in 900 times.
    assert abs(row.mean - mean) < 4 * row.mcse_mean
    for found, error, side in ((row.p5, row.mcse_p5, -1), (row.p50, row.mcse_p50, 0), (row.p95, row.mcse_p95, 1)):
        assert abs(found - math.exp(middle + side * reach)) < 4 * error


def test_the_standard_error_is_the_spread_over_seeds(load):
    priors = load(FULL)
    spread = np.std(medians(priors, "company", quasi=True), ddof=1)
    values = inference.prior(priors, LARGE).quantities["company"]
    # Twelve seeds know the spread to 21 %, eight scramblings the error to 27 %: two of both together.
    assert quasi.errors(values, {"p50": 0.5})["mcse_p50"] == pytest.approx(spread, rel=0.7)


def test_a_disputed_fact_is_true_as_often_as_it_is_likely(load):
    states = inference.prior(load(FULL), SETTINGS).states["fleet.h100.exists"]
    assert np.abs(states.sum(axis=1) - 0.3 * 128).max() <= 1


def test_the_correlation_of_a_file_is_in_the_points(load):
    from scipy.stats import spearmanr

    values = inference.prior(load(FULL), SETTINGS).values
    found = spearmanr(*(values[f"chips.{chip}.server_cost"].ravel() for chip in ("h800", "h100"))).statistic
    assert found == pytest.approx(0.7, abs=0.02)


def test_points_lie_inside_the_cube_and_scramblings_differ():
    points = quasi.points(3, 64, [np.random.default_rng(seed) for seed in (1, 2)])
    assert ((points > 0) & (points < 1)).all()
    assert not np.isin(points[:, 0], points[:, 1]).any()


def test_what_is_wrong_with_the_settings_is_said_at_once(load, tmp_path):
    with pytest.raises(SimulateError) as caught:
        pipeline.run(load(FULL), Settings(draws=1000, chains=4, quasi=True), out=tmp_path)
    lines = str(caught.value).splitlines()
    assert [mend.rpartition("use ")[2] for mend in lines[:2]] == ["--draws 1024", "--chains 16"]
    assert lines[2].endswith("give --prior-only, or leave --quasi out")


def test_more_points_than_are_kept_are_refused():
    assert quasi.faults(2**17, 16) == [
        "2,097,152 quasi-random draws are more than are kept: use --draws 65536 or fewer"
    ]


def test_the_command_line_takes_numbers_that_fit_where_none_are_given(write, tmp_path):
    arguments = ["run", "--priors", str(write(MINIMAL)), "--quasi", "--no-figures", "--out", str(tmp_path)]
    done = CliRunner().invoke(cli.main, arguments)
    assert done.exit_code == 0, done.output
    assert "32,768 draws" in done.stdout
    assert "16 independent scramblings of Sobol' points give the standard errors" in done.stdout
