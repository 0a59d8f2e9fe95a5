"""The regression draws from its posterior: against closed forms, against PyMC, and by what it is there for."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy import stats
from scipy.integrate import quad

from simulate import predictives, reference, regression
from simulate.inference import ESS_PER_CHAIN, R_HAT_LIMIT
from simulate.regression import Fit, Predictive, Regression, predict

TABLE = Path(__file__).parent.parent / "priors" / "reference" / "training_runs.csv"
ERRORS = 5.0
"""Monte Carlo standard errors that a mean or a deviation may be off; by chance it is in one of two million."""


def shipped() -> Regression:
    runs = reference.read_training_runs(TABLE.read_text(encoding="utf-8"), "training_runs")
    return predictives.mfu_regression(reference.members(runs), plain=False)


def levels(y: list[float], family: list[int], **more: float) -> Regression:
    """Return cases around one level, with a wide prior around zero."""
    scales = {"within": 0.2, "between": 0.3} | more
    return Regression(
        np.array(y),
        np.ones((len(y), 1)),
        np.array(family),
        np.zeros(1),
        np.array([3.0]),
        scales["within"],
        scales["between"],
    )


def fitted(data: Regression, seed: int = 1, **settings: int) -> Fit:
    (found,) = regression.fit(data, np.ones((1, len(data.y))), np.random.default_rng(seed), **settings)
    return found


def assert_mean(draws: np.ndarray, expected: float) -> None:
    assert abs(draws.mean() - expected) < ERRORS * array_stats.mcse(draws, method="mean")


def assert_sd(draws: np.ndarray, expected: float) -> None:
    assert abs(draws.std() - expected) < ERRORS * array_stats.mcse(draws, method="sd")


@pytest.fixture
def normal_errors(monkeypatch):
    """Make the errors normal: a Student t of a hundred million degrees of freedom."""
    monkeypatch.setattr(regression, "DF", 1e8)


@pytest.fixture
def known_spreads(monkeypatch):
    """Leave both spreads at the scales of their priors."""
    monkeypatch.setattr(regression.Spread, "draw", lambda self, number, square: None)


# ---------------------------------------------------------------------------------------------
# Closed forms


def test_cases_that_scatter_by_a_million_leave_the_coefficients_their_prior():
    data = replace(shipped(), y=np.where(np.arange(27) % 2, 1e6, -1e6), within=1e6)
    for j, column in enumerate(fitted(data).coefficients.T):
        assert_mean(column.reshape(8, -1), data.mean[j])
        assert_sd(column.reshape(8, -1), data.sd[j])


def test_a_fold_that_sees_nothing_has_half_t_spreads():
    data = shipped()
    (found,) = regression.fit(data, np.zeros((1, 27)), np.random.default_rng(1))
    for draws, scale in ((found.within, data.within), (found.between, data.between)):
        for p in (0.1, 0.5, 0.9):
            below = (draws < scale * stats.t(3).ppf((1 + p) / 2)).reshape(8, -1).astype(float)
            assert_mean(below, p)


def test_with_normal_errors_and_known_spreads_the_posterior_is_the_conjugate_one(normal_errors, known_spreads):
    data = shipped()
    same = data.family[:, None] == data.family
    noise = data.within**2 * np.eye(27) + data.between**2 * same
    cov = np.linalg.inv(data.x.T @ np.linalg.solve(noise, data.x) + np.diag(data.sd**-2))
    mean = cov @ (data.x.T @ np.linalg.solve(noise, data.y) + data.mean / data.sd**2)
    for j, column in enumerate(fitted(data).coefficients.T):
        assert_mean(column.reshape(8, -1), mean[j])
        assert_sd(column.reshape(8, -1), math.sqrt(cov[j, j]))


def test_doubling_all_hours_halves_the_mfu_that_is_predicted():
    # With the prior moved along the shift is exact; the chains then take the same path.
    data, shift = shipped(), math.log(2)
    doubled = replace(data, y=data.y - shift, mean=data.mean - shift * np.eye(len(data.mean))[0])
    before, after = (predict(fitted(d, draws=50), data.x[0], np.random.default_rng(2)) for d in (data, doubled))
    np.testing.assert_allclose(after.location, before.location - shift, atol=1e-9)
    np.testing.assert_allclose(after.scale, before.scale, rtol=1e-9)


# ---------------------------------------------------------------------------------------------
# What it is there for


def test_copies_in_one_family_count_as_about_one_case():
    y = [0.0, 0.1, -0.1, 0.05, *np.linspace(0.95, 1.05, 12)]
    alone, copied, apart = ([0, 1, 2, 3, 4], [0, 1, 2, 3, *[4] * 12], list(range(16)))
    means = [fitted(levels(y[: len(f)], f)).coefficients.mean() for f in (alone, copied, apart)]
    assert means[0] < means[1] < means[0] + 0.2 * (means[2] - means[0])


def test_cases_that_agree_to_the_last_digit_can_be_fitted():
    found = fitted(levels([1.0] * 20, [0] * 20))
    assert np.isfinite(found.coefficients).all()
    assert found.within.min() >= regression.LEAST * 0.2


def outlier_moves() -> float:
    """Return by how much one strange case of ten moves their level."""
    usual = [0.05 * (i - 4.5) for i in range(10)]
    with_one = [*usual[:-1], 3.0]
    before, after = (fitted(levels(y, list(range(10)), between=0.01)).coefficients.mean() for y in (usual, with_one))
    return float(after - before)


def test_an_outlier_moves_the_fit_less_than_under_a_normal(monkeypatch):
    robust = outlier_moves()
    monkeypatch.setattr(regression, "DF", 1e8)
    assert robust < 0.5 * outlier_moves()


def test_what_a_fold_does_not_see_does_not_matter():
    data = levels([0.0, 0.1, 5.0], [0, 1, 2])
    other = levels([0.0, 0.1, -7.0], [0, 1, 2])
    folds = np.array([[1.0, 1.0, 0.0]])
    (a,), (b,) = (regression.fit(d, folds, np.random.default_rng(1), draws=20) for d in (data, other))
    np.testing.assert_array_equal(a.coefficients, b.coefficients)


def test_a_fit_to_the_shipped_runs_has_converged():
    for name, draws in fitted(shipped()).by_chain().items():
        assert array_stats.rhat(draws, method="rank") < R_HAT_LIMIT, name
        assert array_stats.ess(draws, method="bulk") > ESS_PER_CHAIN * len(draws), name


def test_progress_is_told():
    told: list[tuple[str, int, int]] = []
    fit = partial(regression.fit, levels([0.0, 1.0], [0, 1]), np.ones((1, 2)), np.random.default_rng(1))
    fit(draws=100, tune=50, thin=1, progress=lambda *what: told.append(what))
    assert told == [("fitting", 0, 150), ("fitting", 100, 150)]


# ---------------------------------------------------------------------------------------------
# PyMC


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
def test_the_same_model_in_pymc_has_the_same_posterior():
    import pymc as pm

    data = shipped()
    with pm.Model():
        coefficients = pm.Normal("coefficients", data.mean, data.sd)
        within, between = (pm.HalfStudentT(n, nu=3, sigma=s) for n, s in (("within", 0.2), ("between", 0.3)))
        effects = between * pm.Normal("effects", 0, 1, shape=data.families)
        pm.StudentT("y", nu=4, mu=data.x @ coefficients + effects[data.family], sigma=within, observed=data.y)
        options = {"draws": 1000, "chains": 2, "random_seed": 1, "target_accept": 0.9, "progressbar": False}
        theirs = pm.sample(nuts_sampler="pymc", **options).posterior
    ours = fitted(data, thin=8).by_chain()
    each = {f"coefficient {j}": theirs["coefficients"].to_numpy()[..., j] for j in range(len(data.mean))}
    for name, draws in (each | {n: theirs[n].to_numpy() for n in ("within", "between")}).items():
        for method, of in (("mean", np.mean), ("sd", np.std)):
            error = math.hypot(*(array_stats.mcse(d, method=method) for d in (draws, ours[name])))
            assert abs(of(draws) - of(ours[name])) < ERRORS * error, (name, method)


# ---------------------------------------------------------------------------------------------
# The predictive


MIXED = Predictive(np.array([-1.0, 0.0, 0.5, 2.0]), np.array([0.3, 0.5, 0.2, 1.0]))


def test_the_quantile_of_a_predictive_inverts_its_cdf():
    p = np.array([1e-6, 0.05, 0.5, 0.95, 1 - 1e-6])
    np.testing.assert_allclose(MIXED.cdf(MIXED.ppf(p)), p, rtol=1e-8)


def test_the_density_of_a_predictive_integrates_to_its_cdf():
    area, _ = quad(lambda y: float(MIXED.pdf(np.array(y))), -60, 1.3, points=[-1, 0, 0.5], limit=400)
    assert area == pytest.approx(float(MIXED.cdf(np.array(1.3)) - MIXED.cdf(np.array(-60.0))), abs=1e-7)


def test_a_predictive_is_the_mixture_of_its_parts():
    parts = [stats.t(4, m, s).cdf(0.7) for m, s in zip(MIXED.location, MIXED.scale, strict=True)]
    assert float(MIXED.cdf(np.array(0.7))) == pytest.approx(np.mean(parts))


def test_draws_of_a_predictive_are_spread_as_it_is():
    wide = Predictive(np.tile(MIXED.location, 5000), np.tile(MIXED.scale, 5000))
    draws = wide.draws(np.random.default_rng(1))
    assert stats.kstest(MIXED.cdf(draws), "uniform").pvalue > 1e-4


def test_the_error_of_a_cdf_is_that_of_a_share_where_the_parts_are_points():
    points = Predictive(np.random.default_rng(1).standard_normal(8000), np.full(8000, 1e-9), chains=8)
    expected = math.sqrt(0.5 * 0.5 / 8000)
    assert float(points.mcse(np.array(0.0))) == pytest.approx(expected, rel=0.15)


def test_a_new_family_adds_its_own_spread():
    many = 40_000
    found = Fit(np.full((many, 1), 2.0), np.full(many, 0.1), np.full(many, 0.7), 8)
    location = predict(found, np.array([1.5]), np.random.default_rng(1)).location
    assert abs(location.mean() - 3.0) < ERRORS * 0.7 / math.sqrt(many)
    assert abs(location.std() - 0.7) < ERRORS * 0.7 / math.sqrt(2 * many)
