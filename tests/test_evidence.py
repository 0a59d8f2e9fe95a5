"""A claim weighs what its error says, once, and says it of what is there."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from conftest import MINIMAL, Load
from scipy import stats
from scipy.special import logsumexp

from simulate import evidence, propagation
from simulate.evidence import Terms
from simulate.priors import Fact, Priors

LOG_Q = np.log(np.array([1e6, 3e6, 4.9e6, 5e6, 6e6, 2e7]))


def claim(name: str, value: float = 5e6, error: float = 0.3, kind: str = "estimate", more: str = "") -> str:
    return (
        f'\n[evidence.{name}]\nquantity = "final_run"\nkind = "{kind}"\nvalue = {value!r}\n'
        f'relative_error = {error!r}\nunit = "USD"\nnote = "made up"\n{more}\n'
    )


def terms(load: Load, *claims: str, df: float = 4.0, correlation: float | None = None) -> Terms:
    group = "" if correlation is None else f"[groups.g]\ncorrelation = {correlation}\n"
    return evidence.terms(load(f"{MINIMAL}[likelihood]\ndf = {df}\n{group}{''.join(claims)}"))


def grouped(*claims: tuple[float, float], kind: str = "estimate") -> list[str]:
    """Return claims (value, relative error) of one group."""
    return [claim(f"c{n}", value, error, kind, 'group = "g"') for n, (value, error) in enumerate(claims)]


def log_likelihood(found: Terms, log_quantity: np.ndarray = LOG_Q) -> np.ndarray:
    """Return the log-likelihood of all claims about one quantity, the error they share averaged out."""
    errors = stats.t(found.df).ppf((np.arange(1000) + 0.5) / 1000) if found.shared.any() else np.zeros(1)
    claims = log_quantity[None, :, None] + found.shared[:, None, None] * errors
    return logsumexp(evidence.log_likelihood(claims, found).sum(axis=0), axis=-1) - np.log(len(errors))


# ---------------------------------------------------------------------------------------------
# Estimates


@pytest.mark.parametrize("df", [2.0, 4.0, 30.0, 1000.0])
@pytest.mark.parametrize("error", [0.05, 0.3, 3.0])
def test_a_lone_estimate_has_a_student_t_error(df: float, error: float, load: Load) -> None:
    scale = np.log1p(error) / stats.t(df).ppf(0.95)
    expected = stats.t(df, loc=LOG_Q, scale=scale).logpdf(np.log(5e6))
    np.testing.assert_allclose(log_likelihood(terms(load, claim("c", error=error), df=df)), expected, rtol=1e-10)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.99])
def test_the_stated_error_holds_at_its_level(level: float, load: Load) -> None:
    found = terms(load, claim("c", error=0.2, more=f"level = {level}"))
    error = stats.t(4, scale=found.scale[0])
    assert error.cdf(np.log(1.2)) - error.cdf(-np.log(1.2)) == pytest.approx(level)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("claims", [((5e6, 0.2), (5.4e6, 0.4)), ((5.2e6, 0.2), (4.8e6, 0.1), (6e6, 1.0), (5e6, 0.2))])
def test_a_group_of_nearly_normal_errors_has_their_joint_density(
    claims: tuple[tuple[float, float], ...], correlation: float, load: Load
) -> None:
    found = terms(load, *grouped(*claims), correlation=correlation, df=1000.0)
    scale = np.log1p([error for _, error in claims]) / stats.norm.ppf(0.95)
    shape = np.outer(scale, scale) * (correlation + (1 - correlation) * np.eye(len(claims)))
    log_value, near = np.log([value for value, _ in claims]), np.log([4.8e6, 5e6, 5.2e6])
    expected = [stats.multivariate_normal(np.full(len(claims), q), shape).logpdf(log_value) for q in near]
    # a Student t of 1000 degrees of freedom differs from the normal by (z**4 - 2 z**2 - 1) / 4000, and |z| < 6 here
    np.testing.assert_allclose(log_likelihood(found, near), expected, rtol=0, atol=len(claims) * 6**4 / 4000)


@pytest.mark.parametrize("correlation", [0.2, 0.5, 0.9])
def test_each_claim_of_a_group_still_has_its_stated_error(correlation: float, load: Load) -> None:
    found = terms(load, *grouped((5e6, 0.3), (5e6, 0.3)), correlation=correlation)
    rng = np.random.default_rng(5)
    shared = found.shared[:, None] * rng.standard_t(4, (1, DRAWS))
    perceived = evidence.perceive(shared, found, rng)
    inside = (np.abs(perceived) < np.log(1.3)).mean(axis=1)
    np.testing.assert_allclose(inside, 0.9, rtol=0, atol=SIGMAS * standard_error(0.9))


def test_claims_of_separate_groups_are_independent(load: Load) -> None:
    both = log_likelihood(terms(load, claim("a", 4e6), claim("b", 7e6)))
    alone = [log_likelihood(terms(load, claim(name, value))) for name, value in (("a", 4e6), ("b", 7e6))]
    np.testing.assert_allclose(both, sum(alone), rtol=1e-12)


def spread(found: Terms) -> float:
    """Return the half-width of the central 90 % of the logarithm that flat prior and claims leave."""
    grid = np.linspace(-4, 4, 2_001) + found.log_value[0]
    weight = np.exp(log_likelihood(found, grid))
    cumulative = np.cumsum(weight) / weight.sum()
    return float(np.interp(0.95, cumulative, grid) - np.interp(0.05, cumulative, grid)) / 2


@pytest.mark.parametrize("df", [4.0, 1000.0])
def test_repetitions_that_share_their_error_count_as_about_one(df: float, load: Load) -> None:
    one = spread(terms(load, claim("c"), df=df))
    five = spread(terms(load, *grouped(*[(5e6, 0.3)] * 5), df=df, correlation=0.999))
    assert five == pytest.approx(one, rel=0.02)


@pytest.mark.parametrize("correlation", [0.2, 0.5, 0.9])
def test_repetitions_count_by_what_they_do_not_share(correlation: float, load: Load) -> None:
    one = spread(terms(load, claim("c"), df=1000.0))
    five = spread(terms(load, *grouped(*[(5e6, 0.3)] * 5), df=1000.0, correlation=correlation))
    assert one / five == pytest.approx(np.sqrt(5 / (1 + 4 * correlation)), rel=0.1)


# ---------------------------------------------------------------------------------------------
# Floors and ceilings


@pytest.mark.parametrize("error", [0.05, 0.5])
def test_a_floor_holds_with_a_logistic_error(error: float, load: Load) -> None:
    found = terms(load, claim("c", error=error, kind="floor"))
    expected = stats.logistic(loc=LOG_Q, scale=np.log1p(error) / np.log(19)).logsf(np.log(5e6))
    np.testing.assert_allclose(log_likelihood(found), expected, rtol=1e-10)


@pytest.mark.parametrize("error", [0.05, 0.5])
def test_a_ceiling_holds_with_a_logistic_error(error: float, load: Load) -> None:
    found = terms(load, claim("c", error=error, kind="ceiling"))
    expected = stats.logistic(loc=LOG_Q, scale=np.log1p(error) / np.log(19)).logcdf(np.log(5e6))
    np.testing.assert_allclose(log_likelihood(found), expected, rtol=1e-10)


@pytest.mark.parametrize("kind", ["floor", "ceiling"])
def test_the_stated_error_of_a_bound_holds_at_its_level(kind: str, load: Load) -> None:
    found = terms(load, claim("c", error=0.2, kind=kind, more="level = 0.8"))
    error = stats.logistic(scale=found.scale[0])
    assert error.cdf(np.log(1.2)) - error.cdf(-np.log(1.2)) == pytest.approx(0.8)


@pytest.mark.parametrize(("kind", "strictest"), [("floor", 7e6), ("ceiling", 3e6)])
@pytest.mark.parametrize("order", list(itertools.permutations((3e6, 5e6, 7e6)))[:4], ids=str)
def test_the_strictest_bound_of_a_group_rules(kind: str, strictest: float, order: Sequence[float], load: Load) -> None:
    group = terms(load, *grouped(*[(value, 0.3) for value in order], kind=kind), correlation=0.9)
    alone = terms(load, claim("c", strictest, kind=kind))
    np.testing.assert_allclose(log_likelihood(group), log_likelihood(alone), rtol=1e-12)


def test_an_estimate_a_floor_and_a_ceiling_of_one_group_all_count(load: Load) -> None:
    kinds = [("estimate", 5e6), ("floor", 4e6), ("ceiling", 8e6)]
    group = [claim(kind, value, kind=kind, more='group = "g"') for kind, value in kinds]
    alone = [log_likelihood(terms(load, claim(kind, value, kind=kind))) for kind, value in kinds]
    np.testing.assert_allclose(log_likelihood(terms(load, *group, correlation=0.9)), sum(alone), rtol=1e-12)


def test_far_off_the_likelihood_is_small_and_finite(load: Load) -> None:
    found = terms(load, claim("a"), claim("b", kind="floor"), claim("c", kind="ceiling"))
    off = log_likelihood(found, np.log(np.array([propagation.SMALLEST, 1e-6, 1e300])))
    assert np.isfinite(off).all()
    assert (off < -50).all()


# ---------------------------------------------------------------------------------------------
# Disputed facts


def fact(name: str, probability: float) -> Fact:
    return Fact(name, probability, (), (), "")


@pytest.mark.parametrize("probabilities", [(), (0.3,), (0.3, 0.9), (0.1, 0.5, 0.8)], ids=str)
def test_combinations_enumerate_the_facts_with_their_probabilities(probabilities: tuple[float, ...]) -> None:
    states, log_probability = evidence.combinations([fact(f"f{p}", p) for p in probabilities])
    assert {tuple(column) for column in states.T} == set(itertools.product((0.0, 1.0), repeat=len(probabilities)))
    assert (states[:, 0] == 1).all()
    np.testing.assert_allclose(logsumexp(log_probability), 0.0, atol=1e-12)
    np.testing.assert_allclose(states @ np.exp(log_probability), probabilities, rtol=1e-12)


def test_ten_facts_are_a_thousand_combinations() -> None:
    states, log_probability = evidence.combinations([fact(f"f{n}", 0.5) for n in range(10)])
    assert states.shape == (10, 1024)
    np.testing.assert_allclose(log_probability, 10 * np.log(0.5))


FLEET = """
schema = 1
title = "A disputed fleet"

[chips.a]
server_cost = { value = 20e3, unit = "USD/GPU", note = "made up" }

[chips.b]
server_cost = { interval = [30e3, 40e3], unit = "USD/GPU", note = "made up" }

[fleet.a]
count = { value = 1000, unit = "GPU", note = "made up" }
exists = { probability = 0.4, note = "disputed" }

[fleet.b]
count = { value = 500, unit = "GPU", note = "made up" }
exists = { probability = 0.75, note = "disputed" }

[evidence.capex]
quantity = "hardware"
kind = "estimate"
value = 30e6
relative_error = 0.2
unit = "USD"
source = "s"

[sources.s]
title = "A source"
known = "secondary"
"""


def targets_over(priors: Priors, *z: float) -> np.ndarray:
    """Return the log targets at normal scores ``z`` (unknown,), over all combinations of facts."""
    states, _ = evidence.combinations(priors.facts)
    found = propagation.values(priors, np.array(z)[:, None])
    return propagation.log_targets_over(priors, found, states)[:, 0]


def test_each_combination_has_the_fleet_of_its_facts(load: Load) -> None:
    hardware = np.exp(targets_over(load(FLEET), 0.0)[0, :3])
    price = np.sqrt(30e3 * 40e3)
    np.testing.assert_allclose(hardware, [20e6 + 500 * price, 20e6, 500 * price], rtol=1e-12)


def test_what_does_not_exist_is_all_but_impossible_to_have_been_seen(load: Load) -> None:
    priors = load(FLEET)
    each = evidence.log_likelihood(targets_over(priors, 0.0)[:, None, :], evidence.terms(priors))[0, 0]
    assert each[3] < each[:3].min() - 20


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_biased_source_reports_the_quantity_times_its_bias(factor: float, load: Load) -> None:
    biased = FLEET + f"bias = {{ value = {factor} }}\nnote = 'made up'\n"
    plain = targets_over(load(FLEET), 0.0)
    np.testing.assert_allclose(targets_over(load(biased), 0.0)[:, :3], plain[:, :3] + np.log(factor), rtol=1e-12)


def test_a_bias_is_an_unknown_of_its_own(load: Load) -> None:
    biased = load(FLEET + "bias = { interval = [0.5, 2.0] }\nnote = 'made up'\n")
    at = [targets_over(biased, 0.3, z)[0, 0] for z in (0.0, stats.norm.ppf(0.95))]
    assert at[1] - at[0] == pytest.approx(np.log(2))


# ---------------------------------------------------------------------------------------------
# Replications

DRAWS = 40_000
SIGMAS = 4.0
"""A correct frequency is off by more than four of its standard errors once in 16,000 times."""


def replicate(found: Terms, log_quantity: float, seed: int = 7) -> np.ndarray:
    """Return replicated claims less what they replicate: (claim, draw)."""
    quantity = np.full((len(found.log_value), DRAWS), log_quantity)
    return evidence.perceive(quantity, found, np.random.default_rng(seed))


def standard_error(p: float) -> float:
    return float(np.sqrt(p * (1 - p) / DRAWS))


@pytest.mark.parametrize("kind", ["floor", "ceiling"])
@pytest.mark.parametrize("quantity", [3e6, 5e6, 6e6])
def test_a_bound_holds_as_often_as_its_likelihood_says(kind: str, quantity: float, load: Load) -> None:
    found = terms(load, claim("c", kind=kind))
    above = replicate(found, np.log(quantity))[0] >= found.log_value[0]
    p = float(np.exp(log_likelihood(found, np.log(np.array([quantity])))[0]))
    assert (above if kind == "floor" else ~above).mean() == pytest.approx(p, abs=SIGMAS * standard_error(p))


@pytest.mark.parametrize("kind", ["floor", "ceiling"])
def test_the_bounds_of_a_group_hold_together_as_often_as_their_likelihood_says(kind: str, load: Load) -> None:
    found = terms(load, *grouped((3e6, 0.3), (5e6, 0.3), (7e6, 0.3), kind=kind), correlation=0.5)
    above = replicate(found, np.log(5e6)) >= found.log_value[:, None]
    p = float(np.exp(log_likelihood(found, np.log(np.array([5e6])))[0]))
    together = (above if kind == "floor" else ~above).all(axis=0).mean()
    assert together == pytest.approx(p, abs=SIGMAS * standard_error(p))


@pytest.mark.parametrize("p", [0.05, 0.25, 0.5, 0.75, 0.95])
@pytest.mark.parametrize("correlation", [None, 0.8])
def test_a_replicated_estimate_has_the_quantiles_of_its_error(p: float, correlation: float | None, load: Load) -> None:
    claims = [claim("a"), claim("b", error=0.1)] if correlation is None else grouped((5e6, 0.3), (5e6, 0.1))
    found = terms(load, *claims, correlation=correlation)
    quantile = np.log(5e6) + stats.t(4, scale=found.scale).ppf(p)
    below = (replicate(found, np.log(5e6)) < quantile[:, None]).mean(axis=1)
    np.testing.assert_allclose(below, p, rtol=0, atol=SIGMAS * standard_error(p))


def test_replicated_estimates_of_two_groups_err_apart(load: Load) -> None:
    both = (replicate(terms(load, claim("a"), claim("b")), 0.0) > 0).all(axis=0).mean()
    assert both == pytest.approx(0.25, abs=SIGMAS * standard_error(0.25))


def test_replications_draw_the_facts_too(load: Load) -> None:
    found = terms(load, claim("c", error=0.01))
    log_quantity = np.broadcast_to(np.log([1e6, 1e9]), (DRAWS, 1, 2))
    drawn = evidence.perceive_mixture(log_quantity, np.log([0.3, 0.7]), found, np.random.default_rng(3))
    assert drawn.shape == (DRAWS, 1)
    assert (drawn[:, 0] > np.log(1e7)).mean() == pytest.approx(0.7, abs=SIGMAS * standard_error(0.7))


def test_replications_follow_their_seed(load: Load) -> None:
    found = terms(load, claim("a"), claim("b", kind="floor"))
    np.testing.assert_array_equal(replicate(found, 0.0, seed=1), replicate(found, 0.0, seed=1))
    assert (replicate(found, 0.0, seed=1) != replicate(found, 0.0, seed=2)).all()


# ---------------------------------------------------------------------------------------------
# Correlated unknowns


@pytest.mark.parametrize("rank", [-0.8, 0.0, 0.5])
def test_draws_have_the_stated_rank_correlation(rank: float, load: Load) -> None:
    between = '["runs.base.gpu_hours", "chips.h800.rental_rate"]'
    priors = load(f'{MINIMAL}[correlations.c]\nbetween = {between}\nrank = {rank}\nnote = "made up"\n')
    z = np.random.default_rng(5).standard_normal((2, DRAWS))
    found = propagation.values(priors, z)
    spearman = stats.spearmanr(found["runs.base.gpu_hours"], found["chips.h800.rental_rate"]).statistic
    # The standard error of a rank correlation is at most about 1 / sqrt(n - 1).
    assert spearman == pytest.approx(rank, abs=SIGMAS / np.sqrt(DRAWS - 1))


def test_a_correlation_leaves_each_distribution_as_it_is(load: Load) -> None:
    between = '["runs.base.gpu_hours", "chips.h800.rental_rate"]'
    priors = load(f'{MINIMAL}[correlations.c]\nbetween = {between}\nrank = 0.8\nnote = "made up"\n')
    found = propagation.values(priors, np.random.default_rng(5).standard_normal((2, DRAWS)))
    for path, interval in (("runs.base.gpu_hours", (2e6, 3e6)), ("chips.h800.rental_rate", (1.5, 3.0))):
        for end, p in zip(interval, (0.05, 0.95), strict=True):
            assert (found[path] < end).mean() == pytest.approx(p, abs=SIGMAS * standard_error(p))
