"""Diagnoses of chains from one ranking are those of ArviZ, which ranks anew for each, to the last bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from simulate import convergence, inference, layers, loading, summary
from simulate.inference import Settings

Floats = NDArray[np.float64]
RNG = np.random.default_rng(1)

CHAINS: dict[str, Floats] = {
    "independent": RNG.normal(size=(4, 2000)),
    "an odd number": RNG.normal(size=(4, 501)),
    "one chain": RNG.normal(size=(1, 400)),
    "a random walk": np.cumsum(RNG.normal(size=(4, 1000)), axis=1),
    "one chain elsewhere": RNG.normal(size=(4, 500)) + np.array([[0.0], [0.0], [0.0], [3.0]]),
    "one chain wider": RNG.normal(size=(4, 500)) * np.array([[1.0], [1.0], [1.0], [5.0]]),
    "antithetic": np.repeat(RNG.normal(size=(4, 500)), 2, axis=1) * np.tile([1.0, -1.0], 500),
    "few values": RNG.integers(0, 4, (4, 1000)).astype(float),
    "a fact": (RNG.random((4, 1000)) < 0.02).astype(float),
    "a long tail": np.exp(50 * RNG.normal(size=(4, 1000))),
    "a handful": RNG.normal(size=(4, 7)),
    "infinite ones": np.where(RNG.random((4, 100)) < 0.6, np.inf, RNG.normal(size=(4, 100))),
}


@pytest.mark.parametrize("name", CHAINS)
@np.errstate(invalid="ignore")
def test_diagnoses_are_those_of_arviz_to_the_last_bit(name):
    assert convergence.mixing(CHAINS[name]) == pytest.approx(
        convergence.by_arviz(CHAINS[name]), rel=0, abs=0, nan_ok=True
    )


@pytest.mark.sampling
@pytest.mark.parametrize("name", ["semianalysis", "consensus"])
def test_diagnoses_of_all_of_a_posterior_are_those_of_arviz(name):
    priors = loading.load(layers.find(name))
    draws = inference.posterior(priors, Settings(500, 500))
    for variable, _, _, values in summary.variables(priors, draws):
        if np.ptp(values) > 0:
            assert convergence.mixing(values) == convergence.by_arviz(values), variable


def test_multiples_are_diagnosed_once(monkeypatch):
    values = np.random.default_rng(2).lognormal(size=(4, 100))
    found = convergence.mixing(values)
    monkeypatch.setattr(convergence, "normal_scores", lambda draws: pytest.fail("diagnosed again"))
    assert convergence.mixing(4.0 * values) == found


def test_what_does_not_vary_or_is_no_number_has_no_diagnosis():
    for values in (np.full((4, 100), 2.0), np.full((4, 100), np.nan)):
        assert all(math.isnan(found) for found in convergence.mixing(values).values())
