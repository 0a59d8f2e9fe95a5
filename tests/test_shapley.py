"""Shapley effects against closed forms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from simulate import jackknife, shapley
from simulate.shapley import Effects

LEFT = jackknife.masks(4, 2000)
Z = np.random.default_rng(1).standard_normal((12, 8000))
FACT = (np.random.default_rng(2).random(8000) < 0.3).astype(float)


def effects(players: Sequence[np.ndarray], y: np.ndarray, **more: Sequence[Sequence[int]]) -> Effects:
    found = shapley.effects(players, y, LEFT, np.random.default_rng(0), **more)
    assert found is not None
    return found


def correlated(rho: float) -> np.ndarray:
    return rho * Z[0] + np.sqrt(1 - rho**2) * Z[1]


def agrees(found: Sequence[jackknife.Estimate], expected: Sequence[float]) -> bool:
    return all(abs(one.value - value) < 4 * one.mcse + 1e-3 for one, value in zip(found, expected, strict=True))


def test_shares_of_an_additive_independent_sum_are_the_shares_of_its_variances():
    found = effects([Z[0], Z[1], Z[2]], 3 * Z[0] + 2 * Z[1] + Z[2])
    assert agrees(found.shares, [9 / 14, 4 / 14, 1 / 14])
    assert agrees(found.alone, [9 / 14, 4 / 14, 1 / 14])


def test_two_exchangeable_correlated_inputs_share_equally():
    found = effects([Z[0], correlated(0.8)], Z[0] + correlated(0.8))
    assert agrees(found.shares, [0.5, 0.5])


@pytest.mark.parametrize("rho", [-0.5, 0.3, 0.9])
def test_two_correlated_normals_have_the_effects_of_owen_and_prieur(rho):
    a, b = 2.0, 1.0
    variance = a**2 + b**2 + 2 * rho * a * b
    first = (a**2 * (2 - rho**2) + b**2 * rho**2 + 2 * rho * a * b) / (2 * variance)
    assert agrees(effects([Z[0], correlated(rho)], a * Z[0] + b * correlated(rho)).shares, [first, 1 - first])


def test_an_input_without_effect_has_no_share():
    found = effects([Z[0], Z[1]], Z[0])
    assert abs(found.shares[1].value) < 4 * found.shares[1].mcse
    assert found.shares[1].mcse < 0.001


def test_an_interaction_is_shared_equally_although_neither_explains_anything_alone():
    found = effects([Z[0], Z[1]], Z[0] * Z[1])
    assert agrees(found.shares, [0.5, 0.5])
    assert agrees(found.alone, [0.0, 0.0])


def test_a_fact_that_gates_an_amount_has_its_closed_form():
    assert agrees(effects([FACT, Z[0]], FACT * Z[0]).shares, [0.35, 0.65])


def test_a_monotone_change_of_an_input_changes_nothing():
    y = Z[0] + Z[1]
    assert effects([np.exp(Z[0]), Z[1]], y).shares == effects([Z[0], Z[1]], y).shares


def test_shares_and_what_is_not_explained_add_up_to_one():
    found = effects([Z[0], correlated(0.5), FACT], Z[0] + correlated(0.5) ** 2 + FACT + Z[3])
    assert sum(share.value for share in found.shares) + found.unexplained.value == pytest.approx(1)


def test_what_no_input_explains_is_named():
    assert agrees([effects([Z[0], Z[1]], Z[0] + Z[2]).unexplained], [0.5])


def test_many_orders_are_drawn_at_random_and_their_error_is_counted():
    found = effects(list(Z[:8]), Z[:8].T @ np.arange(8.0))
    assert found.orders == shapley.ORDERS
    assert agrees(found.shares, np.arange(8) ** 2 / 140)


def test_a_group_has_the_shares_of_its_members():
    found = effects([Z[0], Z[1], Z[2]], 3 * Z[0] + 2 * Z[1] + Z[2], groups=[[0, 2], [1]])
    assert found.together[0].value == pytest.approx(found.shares[0].value + found.shares[2].value)
    assert agrees(found.together, [10 / 14, 4 / 14])


def test_what_dependent_skewed_inputs_explain_together_is_what_nearest_neighbours_find():
    x = np.exp(0.7 * np.stack([Z[0], correlated(0.6), 0.5 * Z[0] + Z[2]]))
    y = np.log(x[0] + x[1] * x[2] + 0.5 * np.exp(Z[3]))
    y = (y - y.mean()) / y.std()
    terms = shapley.polynomial(list(x[:2]))
    columns = np.column_stack([terms.values, y])
    fitted = shapley.explained(columns.T @ columns, terms, np.array([0, 1]))[-1]
    near = cKDTree(np.log(x[:2]).T).query(np.log(x[:2]).T, 9)[1]
    assert fitted == pytest.approx(1 - y[near].var(axis=1, ddof=1).mean(), abs=0.02)


def test_the_number_of_threads_changes_nothing():
    with threadpool_limits(1):
        first = effects(list(Z[:6]), Z[:6].sum(axis=0))
    with threadpool_limits(4):
        assert effects(list(Z[:6]), Z[:6].sum(axis=0)) == first


@pytest.mark.parametrize(("draws", "kind"), [(8000, shapley.PAIRS), (500, shapley.CUBIC), (200, shapley.LINEAR)])
def test_the_fit_is_as_rich_as_the_draws_allow(draws, kind):
    assert shapley.polynomial(list(Z[:12, :draws])).kind == kind


def test_too_few_draws_have_no_shares():
    few = Z[:12, :100]
    assert shapley.effects(list(few), few[0], jackknife.masks(1, 100), np.random.default_rng(0)) is None
