"""Numbers a reader sees: intervals, Monte Carlo errors and the digits they support."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate import summary


def draws(seed: int = 1, chains: int = 4, n: int = 1000) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(0.0, 0.5, (chains, n))


def test_the_interval_is_equal_tailed_at_the_stated_probability():
    row = summary.row("x", "", "posterior", "USD", draws(), 0.5)
    assert (row.lower, row.upper) == tuple(np.quantile(draws(), [0.25, 0.75]))
    assert (row.p5, row.p95) == tuple(np.quantile(draws(), [0.05, 0.95]))


def test_the_monte_carlo_error_of_a_quantile_is_its_spread_over_repetitions():
    medians = [np.median(draws(seed)) for seed in range(2, 202)]
    row = summary.row("x", "", "posterior", "USD", draws(), 0.9)
    # the spread of 200 repetitions is itself known to 1/sqrt(2·199) = 5 %; the estimate from 4,000 draws to about 10 %
    assert row.mcse_p50 == pytest.approx(np.std(medians), rel=0.35)


@pytest.mark.parametrize(
    ("name", "of"), [("p50", np.median), ("p95", lambda x: np.quantile(x, 0.95)), ("mean", np.mean)]
)
def test_the_errors_of_independent_draws_are_their_spread_over_repetitions(name, of):
    repeated = np.std([of(draws(seed)) for seed in range(2, 202)])
    row = summary.row("x", "", "prior", "USD", draws(), 0.9, summary.independent_errors)
    assert getattr(row, f"mcse_{name}") == pytest.approx(repeated, rel=0.35)
    assert (row.ess_bulk, row.ess_tail) == (4000, 4000)


@pytest.mark.parametrize("scale", [1e-165, 1e-310, 1e150])
def test_numbers_whose_squares_no_float_can_hold_have_finite_errors(scale):
    row = summary.row("x", "", "prior", "USD", scale * draws(), 0.9, summary.independent_errors)
    assert 0 < row.mcse_p50 < row.p50
    assert np.isfinite([row.mcse_mean, row.mcse_sd]).all()


def test_a_variable_that_does_not_vary_has_no_error_and_no_diagnostics():
    row = summary.row("x", "", "posterior", "USD", np.full((4, 100), 2.0), 0.9)
    assert (row.p50, row.sd, row.mcse_p50) == (2.0, 0.0, 0.0)
    assert math.isnan(row.r_hat)


@pytest.mark.parametrize(
    ("value", "unit", "mcse", "words"),
    [
        (2.5437e9, "USD", 0.0, "$2.54bn"),
        (2.5437e9, "USD", 0.03e9, "$2.5bn"),
        (2.5437e9, "USD", 0.3e9, "$3bn"),
        (76.45e6, "USD", 1.11e6, "$75M"),
        (97e6, "USD", 1.11e6, "$95M"),
        (98e6, "USD", 1.11e6, "$100M"),
        (82e6, "USD", 1.11e6, "$80M"),
        (3.9e6, "USD", 50e6, "$4M"),
        (3.9e6, "USD", math.inf, "$4M"),
        (2.5, "year", 0.0, "2.50 years"),
        (5.576e6, "USD", 0.0, "$5.58M"),
        (999_900.0, "USD", 0.0, "$1.00M"),
        (0.0881, "USD/kWh", 0.0, "$0.0881/kWh"),
        (66_180.9, "GPU", 0.0, "66.2k GPU"),
        (0.0, "USD", 0.0, "$0"),
    ],
)
def test_a_figure_reads_as_a_person_writes_it(value, unit, mcse, words):
    assert summary.amount(value, unit, mcse) == words


@given(st.floats(1e-3, 1e13), st.floats(1e-6, 0.04))
def test_no_digit_is_shown_below_the_monte_carlo_error(value, relative):
    step = summary.step_supported(value, relative * value)
    assert step >= relative * value * (1 - 1e-9)


@given(st.floats(1e-3, 1e13), st.floats(1e-6, 0.04))
def test_rounding_never_hides_a_tenth_of_a_figure_whose_error_is_small(value, relative):
    words = summary.amount(value, "", relative * value).replace(",", "")
    for scale, word in summary.SCALES:
        words = words.replace(word, f"e{math.log10(scale):g}")
    assert abs(float(words) - value) <= max(0.05, 2.5 * relative) * value * (1 + 1e-9)
