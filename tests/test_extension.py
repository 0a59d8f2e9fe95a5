"""A run that falls short: what is tried next, what is said of it, and when it gives up."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from conftest import FULL

from simulate import inference, pipeline
from simulate.cross_check import Comparison, CrossCheck
from simulate.inference import Settings, Verdict

pytestmark = pytest.mark.sampling

POOR = Verdict(False, "nuts", ("R-hat of x is 1.02",), {"divergences": 0, "bfmi": 0.9})
DIVERGENT = Verdict(False, "nuts", ("3 divergent transitions",), {"divergences": 3, "bfmi": 0.9})
GOOD = Verdict(True, "nuts", (), {"divergences": 0, "bfmi": 0.9, "r_hat": 1.0, "ess_bulk": 900.0, "ess_tail": 900.0})


def attempts(monkeypatch, load, tmp_path, verdicts, **changes):
    """Run with the verdicts given in turn; return the settings tried and the run."""
    tried, given = [], iter(verdicts)

    def draw(priors, settings, prior, progress, by):
        tried.append(settings)
        return prior

    monkeypatch.setattr(pipeline, "draw_posterior", draw)
    monkeypatch.setattr(inference, "judge", lambda *rest: next(given))
    settings = Settings(draws=20, chains=2, cores=1, **changes)
    return tried, pipeline.run(load(FULL), settings, out=tmp_path, figures=())


def test_a_run_that_mixes_poorly_gets_more_draws_and_keeps_as_many(monkeypatch, load, tmp_path):
    tried, run = attempts(monkeypatch, load, tmp_path, [POOR, POOR, GOOD])
    assert [(s.draws, s.thin, s.target_accept) for s in tried] == [(20, 1, 0.9), (20, 2, 0.9), (20, 4, 0.9)]
    assert "4 times the draws, every fourth kept" in run.manifest["verdict"]["in_words"]
    assert run.tree()["posterior"].sizes["draw"] == 20


def test_a_run_with_divergences_gets_a_higher_acceptance_at_once(monkeypatch, load, tmp_path):
    tried, _ = attempts(monkeypatch, load, tmp_path, [DIVERGENT, GOOD])
    assert [s.target_accept for s in tried] == [0.9, 0.95]


def test_a_run_gives_up_after_the_last_effort_and_says_what_it_tried(monkeypatch, load, tmp_path):
    tried, run = attempts(monkeypatch, load, tmp_path, [POOR] * 5)
    assert len(tried) == len(inference.efforts(Settings()))
    assert not run.converged
    assert (
        "do not cite (extended: 8 times the draws, every eighth kept, target acceptance 0.99)"
        in (run.manifest["verdict"]["in_words"])
    )


def test_a_run_is_not_extended_when_the_user_forbids_it(monkeypatch, load, tmp_path):
    tried, run = attempts(monkeypatch, load, tmp_path, [POOR], extend=False)
    assert len(tried) == 1
    assert not run.converged


def test_an_acceptance_that_was_asked_for_is_never_lowered():
    asked = inference.efforts(Settings(target_accept=0.97))
    assert [s.target_accept for s in asked] == [0.97, 0.97, 0.97, 0.97, 0.99]


def test_a_scope_whose_interval_is_mostly_monte_carlo_error_is_not_converged():
    table = {"company": {"r_hat": 1.0, "ess_bulk": 900.0, "ess_tail": 900.0, "mcse": 0.2}}
    _, reasons = inference.mixing(table, 4)
    assert reasons == [
        "the Monte Carlo error of the interval of company is 20 % of its width, not below 10 %; use more --draws"
    ]


def test_what_would_mend_several_poor_diagnostics_is_said_once():
    table = {"company": {"r_hat": 1.0, "ess_bulk": 90.0, "ess_tail": 80.0, "mcse": 0.2}}
    _, reasons = inference.mixing(table, 4)
    assert len(reasons) == 3
    assert "; ".join(reasons).count("use more --draws") == 1


def cross_checked(z):
    return CrossCheck((Comparison("company", 0.5, 2.0e9, 2.1e9, z),), limit=5.0, populations=8, particles=2000)


def test_a_cross_check_that_agrees_is_a_line_of_the_manifest_and_of_the_report(monkeypatch, load, tmp_path):
    monkeypatch.setattr("simulate.cross_check.cross_check", lambda *given: cross_checked(1.2))
    _, run = attempts(monkeypatch, load, tmp_path, [GOOD], cross_check=True)
    assert run.manifest["cross_check"]["agrees"] is True
    assert "company at the 50 % quantile by 1.2 standard errors" in run.report()
    assert json.loads((run.folder / "manifest.json").read_text())["cross_check"]["comparisons"][0]["z"] == 1.2


def test_a_cross_check_that_disagrees_forbids_citing_the_run(monkeypatch, load, tmp_path):
    monkeypatch.setattr("simulate.cross_check.cross_check", lambda *given: cross_checked(-9.0))
    _, run = attempts(monkeypatch, load, tmp_path, [GOOD], cross_check=True)
    assert not run.converged
    assert "SEQUENTIAL MONTE CARLO DISAGREES" in run.manifest["verdict"]["in_words"]


def test_draws_are_thinned_from_a_longer_run_and_its_divergences_stay_counted(load):
    priors = load(FULL)
    draws = inference.posterior(priors, Settings(draws=50, tune=100, chains=2, cores=1, thin=3))
    assert draws.scores.shape[1:] == (2, 50)
    assert draws.sample_stats.sizes["draw"] == 150


def test_the_posterior_of_semianalysis_is_that_of_sequential_monte_carlo():
    from simulate import cross_check, loading, summary

    priors = loading.load("semianalysis")
    rows = summary.summarise(priors, inference.posterior(priors, Settings()), "posterior", 0.9)
    found = cross_check.cross_check(priors, rows, 1)
    assert found.agrees, found.in_words()


def test_sequential_monte_carlo_agrees_with_nuts_and_notices_a_wrong_posterior(load):
    from simulate import cross_check, summary

    priors = load(FULL)
    draws = inference.posterior(priors, Settings(draws=1000, cores=2))
    rows = summary.summarise(priors, draws, "posterior", 0.9)
    assert cross_check.cross_check(priors, rows, 1).agrees
    shifted = [
        dataclasses.replace(row, lower=1.2 * row.lower, p50=1.2 * row.p50, upper=1.2 * row.upper) for row in rows
    ]
    found = cross_check.cross_check(priors, shifted, 1)
    assert not found.agrees
    assert np.isfinite([item.z for item in found.comparisons]).all()
