"""Quantiles of draws that are not kept are those of the draws as a whole."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulate.quantiles import FEWEST, Orders, OutsideError, sift

CHANCES = (0.0005, 0.05, 0.5, 0.51, 0.95)
KINDS = {
    "smooth": lambda rng, n: rng.lognormal(0, 2, n),
    "zero half the time": lambda rng, n: rng.lognormal(0, 1, n) * (rng.random(n) < 0.5),
    "a fact": lambda rng, n: (rng.random(n) < 0.5).astype(float),
    "rounded": lambda rng, n: np.round(rng.normal(0, 30, n)),
    "constant": lambda rng, n: np.ones(n),
    "few": lambda rng, n: rng.normal(size=n // 1000),
}


def batches(kind: str, number: int = 40) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [KINDS[kind](rng, 5000) for _ in range(number)]


def taken(drawn: list[np.ndarray], late: int = 0, slack: float = 5.5) -> Orders:
    """Return the orders of batches, each sifted by the intervals that there were ``late`` batches before."""
    orders = Orders(CHANCES, slack)
    known = [orders.intervals] * (late + 1)
    for values in drawn:
        orders.add(sift(values, known[-1 - late]))
        known.append(orders.intervals)
    return orders


@pytest.mark.parametrize("late", [0, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_quantiles_of_a_stream_are_those_of_all_its_draws(kind, late):
    drawn = batches(kind)
    found = [taken(drawn, late).quantile(chance) for chance in CHANCES]
    assert found == np.quantile(np.concatenate(drawn), CHANCES).tolist()


def test_the_order_in_which_draws_come_changes_nothing():
    drawn = batches("smooth")
    one, other = taken(drawn), taken(drawn[::-1])
    assert [one.quantile(q) for q in CHANCES] == [other.quantile(q) for q in CHANCES]
    assert [one.mcse(q) for q in CHANCES] == [other.mcse(q) for q in CHANCES]


@pytest.mark.parametrize("kind", ["smooth", "a fact", "constant"])
def test_what_is_kept_is_a_small_part(kind):
    orders = taken(batches(kind, 200))
    reach = sum(11 * math.sqrt(1e6 * q * (1 - q)) + 2 * 5.5**2 for q in CHANCES)
    assert orders.draws == 1_000_000
    assert orders.held <= FEWEST + 2 * reach


def test_an_order_statistic_that_was_let_go_is_an_error_and_no_guess():
    low, high = np.zeros(20_000) + np.arange(20_000) / 1e6, np.full(20_000, 10.0)
    orders = taken([low, high, high, high])
    with pytest.raises(OutsideError):
        orders.quantile(0.5)


def test_the_monte_carlo_error_of_a_quantile_is_that_of_the_binomial():
    rng = np.random.default_rng(2)
    orders = taken([rng.normal(size=5000) for _ in range(40)])
    # The distance of two order statistics 448 ranks apart is itself known to 1/sqrt(448) = 5 %; five of those.
    assert orders.mcse(0.5) == pytest.approx(math.sqrt(0.25 / 200_000) * math.sqrt(2 * math.pi), rel=0.25)
