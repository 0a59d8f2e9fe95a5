"""Power-scaling against ArviZ's own function, and its words in cases where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from arviz_stats import psense

from simulate import jackknife, power_scaling
from simulate.jackknife import Estimate

LEFT = jackknife.masks(4, 2000)
RNG = np.random.default_rng(1)


def posterior(figure: float, error: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return draws of a standard normal prior after one figure, and the logarithms of prior and likelihood."""
    precision = 1 + error**-2
    draws = figure * error**-2 / precision + RNG.standard_normal(8000) / np.sqrt(precision)
    return draws, -0.5 * draws**2, -0.5 * ((draws - figure) / error) ** 2


def words(figure: float, error: float) -> str:
    draws, prior, likelihood = posterior(figure, error)
    found = [power_scaling.sensitivity(draws, density, LEFT) for density in (prior, likelihood)]
    pulls = power_scaling.pull(draws, prior), power_scaling.pull(draws, likelihood)
    return power_scaling.diagnosis(*found, pulls)


def test_the_number_is_arvizs():
    draws, prior, likelihood = posterior(1.0, 0.7)
    groups = {"posterior": draws, "log_prior": prior, "log_likelihood": likelihood}
    shaped = {f"/{k}": xr.Dataset({"x": (("chain", "draw"), v.reshape(4, 2000))}) for k, v in groups.items()}
    tree = xr.DataTree.from_dict(shaped)
    for group, density in (("prior", prior), ("likelihood", likelihood)):
        assert power_scaling.distance(draws, density) == pytest.approx(float(psense(tree, group=group)["x"]))


def test_a_figure_far_from_a_firm_prior_is_a_conflict_that_pulls_both_ways():
    assert words(6.0, 1.0) == "possible prior-data conflict: the evidence pulls it up, the prior down"
    assert words(-6.0, 1.0) == "possible prior-data conflict: the evidence pulls it down, the prior up"


def test_a_vague_figure_leaves_the_prior_speaking():
    assert words(0.0, 30.0) == "a little more or less weight on the prior moves it, on the evidence hardly"


def test_a_sharp_figure_leaves_the_prior_nothing_to_say():
    assert words(0.5, 0.05) == "a little more or less weight on the evidence moves it, on the prior hardly"


def test_a_sensitivity_at_the_threshold_is_said_to_be_near_it():
    found = power_scaling.diagnosis(Estimate(0.055, 0.004), Estimate(0.3, 0.01), (1.0, 1.0))
    assert found == "prior and evidence both shape it, and pull the same way; near the threshold"


def test_the_error_is_of_the_size_by_which_repetitions_differ():
    found = [power_scaling.sensitivity(*posterior(1.0, 0.7)[:2], LEFT) for _ in range(12)]
    spread = np.std([one.value for one in found], ddof=1)
    assert 0.4 < np.mean([one.mcse for one in found]) / spread < 2.5


def test_a_fact_is_weighted_as_it_is():
    fact = (RNG.random(8000) < 0.9).astype(float)
    density = np.log(np.where(fact == 1, 0.6, 0.4))
    expected = np.exp(0.01 * density)
    assert np.allclose(power_scaling.weights(density, 1.01), expected / expected.sum())


def test_what_does_not_vary_is_not_sensitive():
    assert power_scaling.distance(RNG.standard_normal(100), np.full(100, -0.7)) == 0.0
