"""Exact tests of ranks and of events, against simulation and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulate import uniformity

SIMULATIONS = 4000
SIGMAS = 4.0
"""A correct frequency is off by more than four of its standard errors once in 16,000 times."""


def simulated_ranks(n: int, values: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, values, (SIMULATIONS, n))


def is_inside(ranks: np.ndarray, values: int, level: float) -> bool:
    low, high = uniformity.band(len(ranks), values, level)
    share = uniformity.cumulative(ranks, values) / len(ranks)
    return bool(((low <= share) & (share <= high)).all())


@pytest.mark.parametrize(("n", "values"), [(30, 10), (100, 20), (200, 100)])
@pytest.mark.parametrize("p", [0.01, 0.05, 0.3])
def test_the_probability_of_staying_inside_is_that_of_simulated_ranks(n, values, p):
    farthest = np.array([uniformity.farthest_out(ranks, values) for ranks in simulated_ranks(n, values)])
    tail = float(np.quantile(farthest, p))
    expected = uniformity.stays_inside(tail, n, values)
    error = np.sqrt(expected * (1 - expected) / SIMULATIONS)
    assert (farthest > tail).mean() == pytest.approx(expected, abs=SIGMAS * error)


@pytest.mark.parametrize(("n", "values"), [(50, 10), (200, 100)])
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_uniform_ranks_leave_the_band_no_more_often_than_its_level(n, values, level):
    left = np.mean([not is_inside(ranks, values, level) for ranks in simulated_ranks(n, values, seed=2)])
    assert left <= level + SIGMAS * np.sqrt(level * (1 - level) / SIMULATIONS)
    assert left > level / 2


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.sampled_from([0.05, 0.3]))
def test_ranks_leave_the_band_exactly_where_their_p_value_says_so(ranks, level):
    assert is_inside(np.array(ranks), 10, level) == (uniformity.ecdf_p_value(ranks, 10) > level)


def test_two_ranks_of_two_values_have_the_p_values_of_two_coins():
    assert uniformity.ecdf_p_value([0, 1], 2) == pytest.approx(1.0)
    assert uniformity.ecdf_p_value([0, 0], 2) == pytest.approx(0.5)


@pytest.mark.parametrize("ranks", [np.arange(200) // 4, 25 + np.arange(200) // 4, 50 + np.arange(200) // 4])
def test_ranks_that_bunch_anywhere_are_not_uniform(ranks):
    assert uniformity.ecdf_p_value(ranks, 100) < 1e-6
    assert uniformity.chi_square_p_value(ranks, 100) < 1e-6


def test_the_chi_square_is_pearsons_on_bins_of_five_or_more():
    ranks = np.random.default_rng(3).integers(0, 100, 60)
    counts = np.bincount(ranks // 10, minlength=10)
    assert uniformity.chi_square_p_value(ranks, 100) == pytest.approx(stats.chisquare(counts).pvalue)


def test_a_few_ranks_are_too_few_for_a_chi_square():
    assert uniformity.chi_square_p_value([1, 2, 3], 100) == 1.0


@pytest.mark.parametrize("number", [0, 3, 10])
def test_events_of_one_probability_have_the_p_value_of_a_binomial(number):
    happened = [n < number for n in range(10)]
    below, above = stats.binom.cdf(number, 10, 0.4), stats.binom.sf(number - 1, 10, 0.4)
    assert uniformity.events_p_value(happened, [0.4] * 10) == pytest.approx(min(1.0, 2 * min(below, above)))


def test_events_that_were_all_but_certain_not_to_happen_are_noticed():
    assert uniformity.events_p_value([True, True], [0.001, 0.002]) == pytest.approx(2 * 0.001 * 0.002)
