"""What the draws say of an output given one input, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from simulate import given_data, jackknife
from simulate.given_data import Link
from simulate.jackknife import Estimate

LEFT = jackknife.masks(4, 2000)
RNG = np.random.default_rng(1)
X, NOISE = RNG.standard_normal((2, 8000))
FACT = (RNG.random(8000) < 0.4).astype(float)
PLAIN, LOG = Link(False), Link(True)


def left(x: np.ndarray, y: np.ndarray, link: Link = PLAIN) -> Estimate:
    return given_data.widths_left(x[None], y, link, 0.9, LEFT)[0]


def near(found: Estimate, expected: float, slack: float = 0.0) -> bool:
    return abs(found.value - expected) < 4 * found.mcse + slack


def test_knowing_the_only_unknown_leaves_no_width():
    assert left(X, X).value < 0.01
    assert left(np.exp(X), 0.5 * X, LOG).value < 0.01


def test_knowing_what_has_no_effect_leaves_it_all():
    assert near(left(X, NOISE), 1)


def test_knowing_half_of_the_variance_leaves_the_root_of_a_half_of_the_width():
    assert near(left(X, X + NOISE), np.sqrt(0.5))


def test_the_width_is_that_of_the_money_not_of_its_logarithm():
    reach = ndtri(0.95)
    expected = np.exp(0.5) * np.sinh(reach) / np.sinh(reach * np.sqrt(2))
    assert near(left(X, X + NOISE, LOG), expected)


def test_knowing_a_fact_leaves_the_mean_of_the_widths_given_it():
    y = NOISE + 5 * FACT

    def quantile(p: float) -> float:
        return float(brentq(lambda v: 0.6 * ndtr(v) + 0.4 * ndtr(v - 5) - p, -9, 9))

    found = given_data.width_left_by_fact(FACT, y, PLAIN, 0.9, LEFT)
    assert near(found, 2 * ndtri(0.95) / (quantile(0.95) - quantile(0.05)))


def test_medians_in_the_tails_are_those_at_the_fifth_and_the_ninety_fifth_percentile():
    [(low, high)] = given_data.tails(X[None], X + NOISE, LEFT)
    assert near(low, -ndtri(0.95), slack=0.02)
    assert near(high, ndtri(0.95), slack=0.02)


def test_medians_by_a_fact_are_those_where_it_is_false_and_true():
    low, high = given_data.cases(FACT, NOISE + 5 * FACT, LEFT)
    assert near(low, 0)
    assert near(high, 5)


def test_rank_correlation_is_spearmans():
    rho = 0.6
    [found] = given_data.rank_correlations(X[None], rho * X + np.sqrt(1 - rho**2) * NOISE, LEFT)
    assert near(found, 6 / np.pi * np.arcsin(rho / 2))


@pytest.mark.parametrize("percentile", [0.1, 0.5, 0.9])
def test_at_a_percentile_the_output_is_that_given_the_input(percentile):
    found = given_data.at_percentile(X, X + NOISE, PLAIN, percentile, 0.9, LEFT)
    expected = ndtri(percentile) + np.array([0.0, ndtri(0.05), ndtri(0.95)])
    assert all(near(one, value) for one, value in zip(found, expected, strict=True))


def test_numbers_do_not_depend_on_the_order_of_the_draws():
    order = RNG.permutation(8000)
    for statistic in (given_data.rank_correlations, given_data.tails):
        first, second = (statistic(x[None], y, LEFT) for x, y in ((X, X + NOISE), (X[order], (X + NOISE)[order])))
        assert np.allclose([one.value for one in flat(first)], [one.value for one in flat(second)])
    assert left(X, X + NOISE).value == pytest.approx(left(X[order], (X + NOISE)[order]).value)


def flat(found: list) -> list[Estimate]:
    return [one for item in found for one in (item if isinstance(item, tuple) else (item,))]


def test_an_output_is_explained_by_its_logarithm_where_it_is_positive():
    assert Link.of(np.exp(X)) == LOG
    assert Link.of(np.maximum(X, 0)) == PLAIN
