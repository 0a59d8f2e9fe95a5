"""The PyMC model is the prior file: its ledger, its evidence and its disputed facts, with gradients."""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from arviz_stats.base import array_stats
from conftest import FULL, MINIMAL, Load
from scipy import stats
from scipy.special import logsumexp

from simulate import density, evidence, inference, layers, loading, model, playback, propagation, samplers
from simulate.distributions import Distribution
from simulate.priors import Priors, Unknown

pytestmark = pytest.mark.sampling

FAMILIES = {
    "lognormal": "interval = [1e6, 20e6]",
    "shifted": "interval = [2e6, 20e6], lower = 1e6",
    "logitnormal": "interval = [2e6, 20e6], lower = 1e6, upper = 30e6",
    "three": "q05 = 1e6, q50 = 2e6, q95 = 20e6",
    "three-bounded": "q10 = 2e6, q50 = 15e6, q90 = 20e6, lower = 1e6, upper = 30e6",
    "truncated": 'family = "truncated-normal", mean = 5e6, sd = 6e6',
    "uniform": 'family = "uniform", low = 1e6, high = 20e6',
    "loguniform": 'family = "loguniform", low = 1e6, high = 20e6',
    "pert": 'family = "pert", low = 1e6, mode = 3e6, high = 20e6',
    "beta-family": 'family = "beta", alpha = 2, beta = 5, lower = 1e6, upper = 30e6',
    "gamma-family": 'family = "gamma", mean = 10e6, sd = 6e6',
    "blend": "components = [{ weight = 1, interval = [1e6, 9e6] }, { weight = 2, interval = [5e6, 20e6] }]",
}
"""Every family that a positive amount can have, but the triangular, whose density has a kink."""

ITEMS = "".join(
    f'\n[other.{name}]\npart_of = ["development"]\namount = {{ {raw}, unit = "USD", note = "made up" }}\n'
    for name, raw in FAMILIES.items()
)


def claim(name: str, quantity: str, value: float, unit: str = "USD", kind: str = "estimate", more: str = "") -> str:
    return (
        f'\n[evidence.{name}]\nquantity = "{quantity}"\nkind = "{kind}"\nvalue = {value!r}\n'
        f'relative_error = 0.4\nunit = "{unit}"\nnote = "made up"\n{more}\n'
    )


EVERYTHING = (
    FULL.replace("mfu = { interval", 'gpu_hours = { interval = [1e5, 2e5], unit = "GPU-hour" }\nmfu = { interval')
    .replace("[other.data]", "[other.data]\nexists = { probability = 0.6 }")
    .replace("rank = 0.7", "rank = -0.7")
    + ITEMS
    + claim("making", "development", 3e8)
    + claim("making-too", "development", 5e8, more='group = "press"')
    + claim("owned", "ownership", 2e9, kind="ceiling")
    + claim("all", "company", 5e8, kind="floor")
    + claim("three-years", "ownership", 9e8)
    + "years = 3\n"
    + claim("possible", "fleet_use", 1.0, unit="", kind="ceiling")
    + claim("base-run", "run_cost[base]", 6e6)
    + claim("hours", "gpu_hours[base]", 2.8e6, "GPU-hour")
    + claim("hour", "gpu_hour_owned[h800]", 1.6, "USD/GPU-hour")
    + claim("fleet", "fleet.h100.count", 9e3, "GPU")
    + '\n[correlations.people]\nbetween = ["staff.researchers.pay", "hosting.pue", "fleet.h800.count"]\nnormal = '
    + '[[1, 0.3, -0.4], [0.3, 1, 0.2], [-0.4, 0.2, 1]]\nnote = "made up"\n'
)

compiled_by_numba = pytest.mark.filterwarnings("ignore:Numba will use object mode")
"""PyMC's predictive functions warn that numba leaves the drawing of claims to Python."""

LogDensity = Callable[[np.ndarray], float]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Priors:
    path = tmp_path_factory.mktemp("everything") / "prior.toml"
    path.write_text(EVERYTHING)
    return loading.load(path)


@pytest.fixture(scope="module")
def built(everything: Priors) -> pm.Model:
    return model.build(everything)


@pytest.fixture(scope="module")
def logp(built: pm.Model) -> LogDensity:
    compiled = built.compile_logp(mode="FAST_COMPILE")
    return lambda z: float(compiled({"z": z}))


@pytest.fixture(scope="module")
def dlogp(built: pm.Model) -> Callable[[np.ndarray], np.ndarray]:
    compiled = built.compile_dlogp(mode="FAST_COMPILE")
    return lambda z: np.asarray(compiled({"z": z}))


def exact(priors: Priors, built: pm.Model, z: np.ndarray) -> float:
    """Return the log density at the model's scores ``z``, by NumPy and the exact quantile functions."""
    scores = dict(zip(built.coords["unknown"], z, strict=True))
    rows = np.array([[scores.get(unknown.path, 0.0)] for unknown in priors.unknowns])
    states, log_probability = evidence.combinations(priors.facts)
    targets = propagation.log_targets_over(priors, propagation.values(priors, rows), states)
    each = evidence.log_likelihood(targets, evidence.terms(priors)).sum(axis=0)[0]
    return float(stats.norm.logpdf(z).sum() + logsumexp(log_probability + each))


def at(built: pm.Model, seed: int, spread: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, len(built.coords["unknown"]))


# ---------------------------------------------------------------------------------------------
# The density


def test_the_file_of_these_tests_has_everything(everything: Priors, built: pm.Model) -> None:
    families = {unknown.distribution.family for unknown in everything.unknowns}
    assert families == {
        *("lognormal", "logitnormal", "three-quantile", "truncated-normal", "uniform", "loguniform"),
        *("pert", "beta", "gamma", "mixture", "student-t"),
    }
    assert len(everything.facts) == 2
    assert {c.kind for c in everything.evidence} == {"estimate", "floor", "ceiling"}
    assert "sources.analyst.bias" in built.coords["unknown"]
    assert any(c.target == "gpu_hours" and c.index == "reasoning" for c in everything.evidence)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("spread", [0.3, 1.0, 2.0])
def test_the_density_is_that_of_the_ledger_and_the_evidence(
    seed: int, spread: float, everything: Priors, built: pm.Model, logp: LogDensity
) -> None:
    # Tables are off by at most 1e-6 of a value where |z| < 6, and no claim here has a scale below 0.1.
    z = at(built, seed, spread)
    assert logp(z) == pytest.approx(exact(everything, built, z), rel=1e-6)


@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0, 8.0])
def test_the_gradient_is_finite(spread: float, built: pm.Model, dlogp: Callable[[np.ndarray], np.ndarray]) -> None:
    assert np.isfinite(dlogp(spread * np.sign(at(built, 1)))).all()
    assert np.isfinite(dlogp(at(built, 2, spread))).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_is_the_slope_of_the_density(
    seed: int, built: pm.Model, logp: LogDensity, dlogp: Callable[[np.ndarray], np.ndarray]
) -> None:
    # Central differences with h = 1e-4: off by about 1e-8 of the curvature, and by 1e-16 * 100 / 1e-4 of rounding.
    z, h = at(built, seed, 0.7), 1e-4
    slopes = [(logp(z + h * e) - logp(z - h * e)) / (2 * h) for e in np.eye(len(z))]
    np.testing.assert_allclose(dlogp(z), slopes, rtol=1e-5, atol=1e-6)


def test_the_model_has_the_paths_of_the_file_as_its_names(everything: Priors, built: pm.Model) -> None:
    assert set(built.coords["unknown"]) <= {unknown.path for unknown in everything.unknowns}
    assert list(built.coords["claim"]) == [c.name for c in everything.evidence]


def test_an_unknown_that_no_claim_speaks_of_is_not_sampled(load: Load) -> None:
    text = MINIMAL + '[research]\nmultiplier = { interval = [2, 5], note = "n" }\n' + claim("c", "final_run", 5e6)
    assert set(model.build(load(text)).coords["unknown"]) == {"runs.base.gpu_hours", "chips.h800.rental_rate"}


def test_a_file_without_evidence_needs_no_model(load: Load) -> None:
    with pytest.raises(ValueError, match="without evidence"):
        model.build(load(MINIMAL))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_table_in_the_model_is_the_quantile_function(name: str, everything: Priors) -> None:
    # Cubic Hermite between knots 0.02 apart: off by 0.02**4 / 384 = 4e-10 of the fourth derivative, which
    # for these families is below 50 spreads (2e-8); above z = 4, by what 2**-53 of probability is worth.
    unknown = everything.entries[f"other.{name}.amount"]
    assert isinstance(unknown, Unknown)
    distribution: Distribution = unknown.distribution
    points = np.linspace(-5.99, 5.99, 41)
    z = pt.vector("z")
    with pm.Model():
        compiled = pytensor.function([z], model.interpolate([unknown] * len(points), z), mode="FAST_COMPILE")
    spread = float(distribution.ppf(0.95) - distribution.ppf(0.05))
    found = distribution.from_normal(points)
    bound = 2e-8 * np.maximum(spread, np.abs(found)) + 2.0**-51 / distribution.pdf(found)
    assert (np.abs(compiled(points) - found) <= bound).all()


# ---------------------------------------------------------------------------------------------
# Disputed facts

DISPUTED = """
schema = 1
title = "A fleet of which two thirds are disputed"

[chips.a]
server_cost = { interval = [20e3, 40e3], unit = "USD/GPU", note = "made up" }

[chips.b]
server_cost = { value = 30e3, unit = "USD/GPU", note = "made up" }

[chips.c]
server_cost = { value = 10e3, unit = "USD/GPU", note = "made up" }

[fleet.a]
count = { value = 1000, unit = "GPU", note = "made up" }

[fleet.b]
count = { value = 500, unit = "GPU", note = "made up" }
exists = { probability = 0.4, note = "disputed" }

[fleet.c]
count = { value = 2000, unit = "GPU", note = "made up" }
exists = { probability = 0.7, note = "disputed" }
""" + claim("capex", "hardware", 6e7)

GRID = np.linspace(-8, 8, 1601)
B = {True: 0.4, False: 0.6}
C = {True: 0.7, False: 0.3}


def weighted(load: Load, b: bool, c: bool) -> np.ndarray:
    """Return prior times likelihood over `GRID` where the facts are known, by the file that says so."""
    settings = [f"fleet.{name}.exists={str(fact).lower()}" for name, fact in (("b", b), ("c", c))]
    priors = load(DISPUTED, settings)
    targets = propagation.log_targets_over(priors, propagation.values(priors, GRID[None]), np.ones((0, 1)))
    likelihood = np.exp(evidence.log_likelihood(targets, evidence.terms(priors))[0, :, 0])
    return B[b] * C[c] * stats.norm.pdf(GRID) * likelihood


def test_the_density_is_the_weighted_sum_of_what_may_be(load: Load) -> None:
    expected = sum(weighted(load, b, c) for b, c in itertools.product((True, False), repeat=2))
    compiled = model.build(load(DISPUTED)).compile_logp()
    picked = np.arange(200, 1401, 200)
    found = [float(compiled({"z": GRID[[i]]})) for i in picked]
    np.testing.assert_allclose(found, np.log(expected[picked]), rtol=1e-9)


def test_the_posterior_of_the_facts_is_that_of_every_case_by_itself(load: Load) -> None:
    mass = {(b, c): weighted(load, b, c).sum() for b, c in itertools.product((True, False), repeat=2)}
    expected = {
        f"fleet.{name}.exists": sum(m for key, m in mass.items() if key[i]) / sum(mass.values())
        for i, name in enumerate("bc")
    }
    draws = inference.posterior(load(DISPUTED), inference.Settings(draws=1000, chains=2, cores=1, seed=3))
    for path, p in expected.items():
        # The probability is a mean over draws of a weight in (0, 1): its error is at most that of a coin.
        ess = array_stats.ess(draws.states[path], method="mean")
        assert draws.fact_probability[path] == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / ess))


# ---------------------------------------------------------------------------------------------
# What is sampled is the tape: the same density by another derivative


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("spread", [0.3, 1.0, 2.0])
def test_the_tape_has_the_gradient_of_the_model(
    everything: Priors, built: pm.Model, dlogp: Callable[..., np.ndarray], seed: int, spread: float
) -> None:
    z = at(built, seed, spread)
    _, gradient = playback.compiled()(z, density.record(everything, evidence.terms(everything)))
    np.testing.assert_allclose(gradient, dlogp(z), rtol=1e-8, atol=1e-8)


def test_the_tape_has_the_density_of_the_model_up_to_its_constant(
    everything: Priors, built: pm.Model, logp: LogDensity
) -> None:
    tape, points = density.record(everything, evidence.terms(everything)), [at(built, seed) for seed in range(10)]
    found = [playback.compiled()(z, tape)[0] for z in points]
    np.testing.assert_allclose(np.diff(found), np.diff([logp(z) for z in points]), atol=1e-8)


def test_the_tape_has_the_density_of_a_model_with_other_figures(everything: Priors) -> None:
    terms = evidence.terms(everything)
    heard = dataclasses.replace(terms, log_value=terms.log_value + 0.1 * np.arange(len(terms.log_value)))
    other, z = model.build(everything, heard), np.linspace(-1, 1, len(everything.informed))
    _, gradient = playback.compiled()(z, density.record(everything, heard))
    expected = other.compile_dlogp(mode="FAST_COMPILE")({"z": z})
    np.testing.assert_allclose(gradient, expected, rtol=1e-8, atol=1e-8)


SHIPPED = [path.stem for path in sorted(layers.shipped_folder().glob("*.toml")) if not layers.is_register(path)]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_file_has_the_same_gradient_on_tape_and_in_its_model(name: str) -> None:
    priors = loading.load(name)
    if not priors.evidence or not priors.informed:
        return
    z = np.random.default_rng(1).normal(size=len(priors.informed))
    _, gradient = playback.compiled()(z, density.record(priors, evidence.terms(priors)))
    expected = model.build(priors).compile_dlogp(mode="FAST_COMPILE")({"z": z})
    np.testing.assert_allclose(gradient, expected, rtol=1e-8, atol=1e-8)


def test_what_no_fact_leaves_is_a_constant_on_the_tape(load: Load) -> None:
    text = DISPUTED.replace("[fleet.a]", '[fleet.a]\nexists = { probability = 0.5, note = "made up" }')
    priors = load(text)
    z = np.array([0.4])
    _, gradient = playback.compiled()(z, density.record(priors, evidence.terms(priors)))
    expected = model.build(priors).compile_dlogp(mode="FAST_COMPILE")({"z": z})
    np.testing.assert_allclose(gradient, expected, rtol=1e-8, atol=1e-8)


def test_both_samplers_find_the_same_posterior(load: Load) -> None:
    priors = load(DISPUTED)
    found = [
        inference.posterior(priors, inference.Settings(draws=1000, chains=2, cores=1, seed=3, nuts=nuts))
        for nuts in samplers.NAMES
    ]
    for p in (0.05, 0.5, 0.95):
        a, b = (np.log(draws.quantities["hardware"]) for draws in found)
        error = np.hypot(*(float(array_stats.mcse(x, method="quantile", prob=p)) for x in (a, b)))
        assert abs(np.quantile(a, p) - np.quantile(b, p)) < 4 * error


# ---------------------------------------------------------------------------------------------
# A closed form

CONJUGATE = (
    MINIMAL.replace("{ interval = [1.5, 3.0], unit", "{ value = 2, unit")
    + "[likelihood]\ndf = 1000\n"
    + claim("c", "final_run", 7e6)
)


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> tuple[pm.Model, object]:
    path = tmp_path_factory.mktemp("conjugate") / "prior.toml"
    path.write_text(CONJUGATE)
    with model.build(loading.load(path)) as conjugate:
        tree = pm.sample(
            2000, tune=500, chains=2, cores=1, random_seed=1, nuts_sampler="pymc", progressbar=False, quiet=True
        )
    return conjugate, tree


def closed_form() -> tuple[float, float]:
    """Return mean and standard deviation of the posterior of ``z``, a product of two normals."""
    location, scale = np.log(np.sqrt(2e6 * 3e6)), np.log(3 / 2) / (2 * stats.norm.ppf(0.95))
    # A Student t of df = 1000 has 1000 / 998 of the variance of its scale, and is normal but for 1e-3.
    error = np.log(1.4) / stats.t(1000).ppf(0.95) * np.sqrt(1000 / 998)
    precision = 1 + (scale / error) ** 2
    return (np.log(7e6 / 2) - location) * scale / error**2 / precision, 1 / np.sqrt(precision)


def test_a_lognormal_and_an_estimate_have_the_posterior_of_two_normals(sampled: tuple[pm.Model, object]) -> None:
    mean, sd = closed_form()
    z = sampled[1]["posterior"]["z"].to_numpy()[..., 0]
    assert z.mean() == pytest.approx(mean, abs=4 * array_stats.mcse(z, method="mean") + 1e-3)
    assert z.std() == pytest.approx(sd, abs=4 * array_stats.mcse(z, method="sd") + 1e-3)


@compiled_by_numba
def test_the_prior_predictive_is_that_of_the_evidence(sampled: tuple[pm.Model, object]) -> None:
    n = 4000
    with sampled[0]:
        tree = pm.sample_prior_predictive(n, random_seed=1)
    log_claims = tree["prior_predictive"]["log_claims"].to_numpy()
    assert log_claims.shape == (1, n, 1)
    mean = np.log(2 * np.sqrt(2e6 * 3e6))
    variance = (np.log(1.5) / (2 * stats.norm.ppf(0.95))) ** 2 + (np.log(1.4) / stats.norm.ppf(0.95)) ** 2
    assert log_claims.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / n))
    assert log_claims.std() == pytest.approx(np.sqrt(variance), rel=4 / np.sqrt(2 * n) + 1e-3)


@compiled_by_numba
def test_the_posterior_predictive_lies_between_prior_and_claim(sampled: tuple[pm.Model, object]) -> None:
    with sampled[0]:
        tree = pm.sample_posterior_predictive(sampled[1], random_seed=1, progressbar=False)
    log_claims = tree["posterior_predictive"]["log_claims"].to_numpy()
    assert log_claims.shape == (2, 2000, 1)
    assert np.log(2 * np.sqrt(2e6 * 3e6)) < log_claims.mean() < np.log(7e6)


@compiled_by_numba
def test_the_predictive_of_everything_has_every_claim(everything: Priors, built: pm.Model) -> None:
    with built:
        tree = pm.sample_prior_predictive(50, random_seed=1)
    log_claims = tree["prior_predictive"]["log_claims"]
    assert log_claims.shape == (1, 50, len(everything.evidence))
    assert np.isfinite(log_claims.to_numpy()).all()
    assert list(log_claims.coords["claim"].to_numpy()) == [c.name for c in everything.evidence]
