"""Monte Carlo errors by leaving out blocks of draws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.signal import lfilter

from simulate import jackknife

CHAINS, DRAWS = 4, 2000


def test_blocks_are_stretches_of_one_chain_and_hold_every_draw_once():
    label = jackknife.blocks(CHAINS, DRAWS)
    assert np.unique(label, return_counts=True)[1].tolist() == [400] * 20
    assert (np.diff(label, axis=1) >= 0).all()
    assert all(not set(a) & set(b) for a, b in itertools.pairwise(label))


@pytest.mark.parametrize(("chains", "draws", "number"), [(1, 500, 20), (64, 30, 64), (2, 3, 6)])
def test_there_are_twenty_blocks_or_one_for_each_chain_or_draw(chains, draws, number):
    assert len(jackknife.masks(chains, draws)) == number


def test_the_error_of_a_mean_of_autocorrelated_draws_is_that_of_their_effective_number():
    rho, rng = 0.8, np.random.default_rng(1)
    chains = lfilter([np.sqrt(1 - rho**2)], [1, -rho], rng.standard_normal((CHAINS, DRAWS)), axis=1).ravel()
    _, error = jackknife.jackknifed(lambda mask: np.array([chains[mask].mean()]), jackknife.masks(CHAINS, DRAWS))
    expected = np.sqrt((1 + rho) / (1 - rho) / chains.size)
    assert error[0] == pytest.approx(expected, rel=3 / np.sqrt(2 * 19))


def test_the_error_of_a_median_is_that_of_theory():
    draws = np.random.default_rng(2).standard_normal(CHAINS * DRAWS)
    _, error = jackknife.jackknifed(lambda mask: np.array([np.median(draws[mask])]), jackknife.masks(CHAINS, DRAWS))
    assert error[0] == pytest.approx(np.sqrt(np.pi / 2 / draws.size), rel=3 / np.sqrt(2 * 19))


def test_the_bias_of_a_variance_over_n_is_found():
    draws = np.random.default_rng(3).standard_normal(40)
    replicates = np.array([np.delete(draws, i).var() for i in range(40)])
    assert draws.var() - jackknife.bias(draws.var(), replicates) == pytest.approx(draws.var(ddof=1))
