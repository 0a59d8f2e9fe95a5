"""Draws and the verdict on them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

from simulate import inference, loading
from simulate.inference import Settings

SETTINGS = Settings(draws=2000, chains=4, seed=7)

FILE = """
schema = 1
title = "A fleet"
[chips.a]
note = "made up"
server_cost = "10k to 20k USD/GPU"
[chips.b]
note = "made up"
server_cost = "20k to 40k USD/GPU"
[fleet.a]
note = "made up"
count = "1k to 2k GPU"
[fleet.b]
note = "made up"
count = "1k to 3k GPU"
exists = { probability = 0.3 }
[correlations.prices]
note = "made up"
between = ["chips.a.server_cost", "chips.b.server_cost"]
rank = 0.7
"""
CLAIM = """
[evidence.total]
quantity = "hardware"
kind = "estimate"
value = "25M"
relative_error = 0.2
unit = "USD"
note = "made up"
"""
ANOTHER_CHIP_FIRST = FILE.replace(
    "[chips.a]",
    """
[chips.c]
note = "made up"
server_cost = "5k to 9k USD/GPU"
[fleet.c]
note = "made up"
count = "100 to 200 GPU"
[chips.a]""",
)


def load(tmp_path, text):
    path = tmp_path / "fleet.toml"
    path.write_text(text)
    return loading.load(path)


def good_statistics(chains: int = 4, draws: int = 2000) -> xr.Dataset:
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {
            "diverging": (("chain", "draw"), np.zeros((chains, draws), dtype=bool)),
            "energy": (("chain", "draw"), rng.standard_normal((chains, draws))),
        }
    )


GOOD = {"hardware": {"r_hat": 1.001, "ess_bulk": 3000.0, "ess_tail": 2500.0}}


def verdict(tmp_path, table=GOOD, **changes):
    draws = inference.prior(load(tmp_path, FILE), SETTINGS)
    statistics = good_statistics().assign(changes)
    return inference.judge(dataclasses.replace(draws, sample_stats=statistics), SETTINGS, table)


def test_the_same_seed_gives_the_same_prior_draws(tmp_path):
    priors = load(tmp_path, FILE)
    first, second = (inference.prior(priors, SETTINGS).quantities["hardware"] for _ in range(2))
    assert np.array_equal(first, second)


def test_another_seed_gives_other_draws(tmp_path):
    priors = load(tmp_path, FILE)
    other = dataclasses.replace(SETTINGS, seed=8)
    assert not np.array_equal(inference.prior(priors, SETTINGS).scores, inference.prior(priors, other).scores)


def test_adding_an_unknown_leaves_the_draws_of_the_others_unchanged(tmp_path):
    before = inference.prior(load(tmp_path, FILE), SETTINGS).values
    after = inference.prior(load(tmp_path, ANOTHER_CHIP_FIRST), SETTINGS).values
    assert set(after) > set(before)
    assert all(np.array_equal(before[path], after[path]) for path in before)


def test_a_prior_interval_holds_ninety_percent_of_the_draws(tmp_path):
    draws = inference.prior(load(tmp_path, FILE), SETTINGS).values["fleet.a.count"]
    share = ((draws > 1000) & (draws < 2000)).mean()
    assert share == pytest.approx(0.9, abs=4 * np.sqrt(0.9 * 0.1 / draws.size))


def test_correlated_unknowns_have_the_stated_rank_correlation(tmp_path):
    values = inference.prior(load(tmp_path, FILE), SETTINGS).values
    found = spearmanr(values["chips.a.server_cost"].ravel(), values["chips.b.server_cost"].ravel()).statistic
    assert found == pytest.approx(0.7, abs=4 * (1 - 0.7**2) / np.sqrt(8000))


def test_what_does_not_exist_costs_nothing(tmp_path):
    draws = inference.prior(load(tmp_path, FILE), SETTINGS)
    absent = draws.states["fleet.b.exists"] == 0
    only_a = draws.values["fleet.a.count"] * draws.values["chips.a.server_cost"]
    assert np.allclose(draws.quantities["hardware"][absent], only_a[absent])
    assert absent.mean() == pytest.approx(0.7, abs=4 * np.sqrt(0.7 * 0.3 / absent.size))


def test_an_unknown_the_evidence_does_not_speak_of_keeps_its_prior(tmp_path):
    priors = load(
        tmp_path, FILE + CLAIM.replace('"hardware"', '"fleet.a.count"').replace('"25M"', "1500").replace("USD", "GPU")
    )
    assert [unknown.path for unknown in priors.informed] == ["fleet.a.count"]


@pytest.mark.sampling
def test_an_unknown_that_no_evidence_informs_has_the_same_draws_with_evidence_and_without(tmp_path):
    few = Settings(draws=20, tune=100, chains=2, seed=7)
    on_count = CLAIM.replace('"hardware"', '"fleet.a.count"').replace('"25M"', "1500").replace("USD", "GPU")
    priors = load(tmp_path, FILE + on_count)
    before, after = inference.prior(priors, few).values, inference.posterior(priors, few).values
    same = {path for path in before if np.array_equal(before[path], after[path])}
    assert same == set(before) - {"fleet.a.count"}


def test_evidence_on_a_sum_informs_every_part_and_what_is_correlated_with_it(tmp_path):
    priors = load(tmp_path, FILE + CLAIM)
    assert {unknown.path for unknown in priors.informed} == {unknown.path for unknown in priors.unknowns}


def test_good_draws_are_converged(tmp_path):
    assert verdict(tmp_path).converged


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"r_hat": 1.02, "ess_bulk": 3000.0, "ess_tail": 3000.0}, "R-hat of hardware is 1.020"),
        ({"r_hat": 1.001, "ess_bulk": 390.0, "ess_tail": 3000.0}, "ess_bulk of hardware is 390"),
        ({"r_hat": 1.001, "ess_bulk": 3000.0, "ess_tail": 390.0}, "ess_tail of hardware is 390"),
    ],
)
def test_a_poor_diagnostic_of_any_quantity_is_no_convergence(tmp_path, row, reason):
    found = verdict(tmp_path, {**GOOD, "hardware": row})
    assert not found.converged
    assert reason in found.in_words()
    assert "do not cite" in found.in_words()


def test_a_divergent_transition_is_no_convergence(tmp_path):
    diverging = good_statistics()["diverging"].copy()
    diverging[2, 5] = True
    assert "1 divergent" in verdict(tmp_path, diverging=diverging).in_words()


def test_a_low_energy_fraction_is_no_convergence(tmp_path):
    energy = good_statistics()["energy"].cumsum("draw")
    assert "E-BFMI" in verdict(tmp_path, energy=energy).in_words()


def test_one_chain_cannot_be_judged(tmp_path):
    draws = dataclasses.replace(inference.prior(load(tmp_path, FILE), SETTINGS), sample_stats=good_statistics(1))
    table = {"hardware": {**GOOD["hardware"], "r_hat": float("nan")}}
    assert not inference.judge(draws, dataclasses.replace(SETTINGS, chains=1), table).converged


@pytest.mark.sampling
def test_whoever_is_told_of_the_progress_may_leave_off_the_drawing(tmp_path):
    class Enough(Exception):
        pass

    def enough(what: str, done: int, total: int) -> None:
        if what == "sampling":
            raise Enough

    minutes = dataclasses.replace(SETTINGS, draws=10_000, thin=2000)
    with pytest.raises(Enough):
        inference.posterior(load(tmp_path, FILE + CLAIM), minutes, enough)
