"""Every family is the one its name says, and its quantiles are the ones asked for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.interpolate import CubicHermiteSpline

from simulate import families
from simulate.distributions import (
    Distribution,
    Mixture,
    Standard,
    at_score,
    from_quantiles,
    lognormal,
    normal,
    to_link,
)
from simulate.tabulation import KNOTS, Tabulated, tabulate

INF = math.inf


def between(family: str, **ends: float) -> Standard:
    return Standard(family, tuple(ends.items()), (ends["low"], ends["high"]))


REFERENCES = {
    "normal": (normal(3.0, 2.0), stats.norm(3, 2)),
    "lognormal": (lognormal(10.0, 0.5), stats.lognorm(0.5, scale=10)),
    "shifted lognormal": (lognormal(11.0, 0.5, lower=1.0), stats.lognorm(0.5, loc=1, scale=10)),
    "truncated-normal": (families.truncated_normal(3, 2, 0, 5), stats.truncnorm(-1.5, 1, loc=3, scale=2)),
    "half-open truncated-normal": (
        families.truncated_normal(-1, 2, 0, INF),
        stats.truncnorm(0.5, INF, loc=-1, scale=2),
    ),
    "uniform": (between("uniform", low=2.0, high=5.0), stats.uniform(2, 3)),
    "loguniform": (between("loguniform", low=2.0, high=500.0), stats.loguniform(2, 500)),
    "triangular": (between("triangular", low=2.0, mode=3.0, high=7.0), stats.triang(0.2, loc=2, scale=5)),
    "right triangle": (between("triangular", low=2.0, mode=2.0, high=7.0), stats.triang(0.0, loc=2, scale=5)),
    "pert": (between("pert", low=2.0, mode=3.0, high=7.0), stats.beta(1.8, 4.2, loc=2, scale=5)),
    "beta": (families.beta(2, 5, 0, 1), stats.beta(2, 5)),
    "beta between bounds": (families.beta(2, 5, 10, 30), stats.beta(2, 5, loc=10, scale=20)),
    "gamma": (families.gamma(2, 3, 0), stats.gamma(2, scale=3)),
    "shifted gamma": (families.gamma(2, 3, 1), stats.gamma(2, loc=1, scale=3)),
    "student-t": (families.student_t(4, 1, 2), stats.t(4, loc=1, scale=2)),
}
BLENDS = {
    "overlapping mixture": Mixture((lognormal(10.0, 0.3), lognormal(20.0, 0.3)), (0.3, 0.7)),
    "mixture of two families": Mixture((families.gamma(4, 2, 0), lognormal(15.0, 0.4)), (0.4, 0.6)),
    "mixture of one twice": Mixture((lognormal(10.0, 0.3), lognormal(10.0, 0.3)), (0.5, 0.5)),
}
EVERY = {
    **{name: ours for name, (ours, _) in REFERENCES.items()},
    **BLENDS,
    "logitnormal": from_quantiles({0.05: 0.2, 0.95: 0.5}, 0.0, 1.0),
    "three-quantile": from_quantiles({0.05: 8.0, 0.5: 10.0, 0.95: 20.0}, 0.0),
    "three-quantile, left": from_quantiles({0.1: 0.1, 0.5: 0.3, 0.9: 0.35}, 0.0, 1.0),
    "three-quantile, unbounded": from_quantiles({0.1: -5.0, 0.5: 0.0, 0.9: 1.0}),
}
P = np.array([0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999])

BOUNDED = {name: d for name, d in EVERY.items() if math.isfinite(d.support[0])}

every = pytest.mark.parametrize("d", EVERY.values(), ids=EVERY.keys())
referred = pytest.mark.parametrize(("ours", "theirs"), REFERENCES.values(), ids=REFERENCES.keys())


@every
def test_the_value_at_one_normal_score_is_that_of_the_array(d: Distribution) -> None:
    z = [-8.0, -1.5, 0.0, 0.3, 8.0]
    np.testing.assert_allclose([at_score(d, one) for one in z], d.from_normal(z), rtol=1e-13)


@referred
@pytest.mark.parametrize("method", ["cdf", "pdf"])
def test_a_family_has_the_cdf_and_density_of_scipy(
    ours: Distribution, theirs: stats.rv_continuous, method: str
) -> None:
    low, high = theirs.ppf(0.0005), theirs.ppf(0.9995)
    x = np.linspace(low - 1, high + 1, 101)
    np.testing.assert_allclose(getattr(ours, method)(x), getattr(theirs, method)(x), rtol=1e-12, atol=1e-15)


@referred
def test_a_family_has_the_quantiles_of_scipy(ours: Distribution, theirs: stats.rv_continuous) -> None:
    np.testing.assert_allclose(ours.ppf(P), theirs.ppf(P), rtol=1e-12)


@referred
def test_a_normal_deviate_maps_to_the_quantile_of_its_probability(
    ours: Distribution, theirs: stats.rv_continuous
) -> None:
    z = np.linspace(-5, 5, 41)
    expected = np.where(z < 0, theirs.ppf(stats.norm.cdf(z)), theirs.isf(stats.norm.sf(z)))
    np.testing.assert_allclose(ours.from_normal(z), expected, rtol=1e-9, atol=1e-9)


def test_a_logitnormal_has_a_normal_logit() -> None:
    d = from_quantiles({0.05: 12.0, 0.95: 18.0}, 10.0, 30.0)
    logit = stats.norm.ppf(d.cdf(np.array([12.0, 14.0, 16.0, 18.0])))
    expected = np.log(np.array([2.0, 4.0, 6.0, 8.0]) / np.array([18.0, 16.0, 14.0, 12.0]))
    slope = (expected[-1] - expected[0]) / (logit[-1] - logit[0])
    np.testing.assert_allclose(expected, expected[0] + slope * (logit - logit[0]), rtol=1e-12)
    np.testing.assert_allclose(d.cdf([12.0, 18.0]), [0.05, 0.95], rtol=1e-12)


@pytest.mark.parametrize("mode", [2.0, 3.0, 6.5, 7.0])
def test_a_pert_has_the_mean_of_malcolm(mode: float) -> None:
    d = between("pert", low=2.0, mode=mode, high=7.0)
    p = (np.arange(200_000) + 0.5) / 200_000
    assert float(np.mean(d.ppf(p))) == pytest.approx((2 + 4 * mode + 7) / 6, rel=1e-6)


@every
def test_the_cdf_undoes_the_quantile(d: Distribution) -> None:
    np.testing.assert_allclose(d.cdf(d.ppf(P)), P, rtol=1e-9)


@every
def test_the_density_is_the_derivative_of_the_cdf(d: Distribution) -> None:
    # With a step of 1e-5 in probability a central difference is off by 1e-10 / 6 times f'' / f**3, which is
    # below 10,000 for these families where p is in (0.03, 0.97), and by rounding of 1e-11.
    x = d.ppf(np.array([0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97]))
    h = 1e-5 / d.pdf(x)
    np.testing.assert_allclose((d.cdf(x + h) - d.cdf(x - h)) / (2 * h), d.pdf(x), rtol=2e-7)


@every
def test_draws_eight_deviations_out_lie_in_the_support(d: Distribution) -> None:
    low, high = d.support
    x = d.from_normal(np.array([-8.0, -6.0, 6.0, 8.0]))
    assert np.isfinite(x).all()
    assert ((low <= x) & (x <= high)).all()


@pytest.mark.parametrize("d", BOUNDED.values(), ids=BOUNDED.keys())
def test_nothing_lies_outside_the_support(d: Distribution) -> None:
    low, high = d.support
    outside = np.array([x for x in (low - 5.0, low - 1e-9, high + 1e-9, high + 5.0) if math.isfinite(x)])
    np.testing.assert_array_equal(d.cdf(outside), (outside > low).astype(float))
    np.testing.assert_array_equal(d.pdf(outside), 0.0)


@every
def test_the_shape_of_the_deviates_is_kept(d: Distribution) -> None:
    assert np.shape(d.from_normal(0.5)) == ()
    assert np.shape(d.from_normal(np.zeros((2, 3)))) == (2, 3)


@every
def test_a_larger_deviate_is_a_larger_value(d: Distribution) -> None:
    assert (np.diff(d.from_normal(np.linspace(-5, 5, 101))) > 0).all()


@pytest.mark.parametrize("mixture", BLENDS.values(), ids=BLENDS.keys())
def test_the_quantile_of_a_mixture_inverts_its_cdf(mixture: Mixture) -> None:
    p = np.linspace(0.001, 0.999, 199)
    np.testing.assert_allclose(mixture.cdf(mixture.ppf(p)), p, rtol=1e-12)


def test_a_mixture_gives_each_component_its_weight() -> None:
    d = Mixture((between("uniform", low=1.0, high=2.0), between("uniform", low=10.0, high=20.0)), (0.25, 0.75))
    assert float(d.cdf(5.0)) == pytest.approx(0.25)
    assert float(d.ppf(0.125)) == pytest.approx(1.5)
    assert float(d.ppf(0.625)) == pytest.approx(15.0)


BOUNDS = [(-INF, INF), (0.0, INF), (1.0, INF), (0.0, 1.0), (10.0, 50.0)]


def within(bounds: tuple[float, float], share: float) -> float:
    """Return a value between bounds, spread over six decades where they are open above."""
    low, high = bounds
    if math.isinf(low):
        return 2000 * share - 1000
    return low + 10 ** (6 * share - 3) if math.isinf(high) else low + (high - low) * share


def shares(size: int) -> st.SearchStrategy[list[float]]:
    position = st.integers(1, 999).map(lambda n: n / 1000)
    return st.lists(position, min_size=size, max_size=size, unique=True).map(sorted)


@given(bounds=st.sampled_from(BOUNDS), at=shares(3), p=st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.25]))
def test_any_increasing_triple_is_hit(bounds: tuple[float, float], at: list[float], p: float) -> None:
    # A triple that is symmetric but for 1e-9 of its narrower gap, on the linked scale, is taken as
    # symmetric; a gap there is at most 14.
    x = [within(bounds, share) for share in at]
    d = from_quantiles(dict(zip((p, 0.5, 1 - p), x, strict=True)), *bounds)
    np.testing.assert_allclose(d.ppf([p, 0.5, 1 - p]), x, rtol=0, atol=14e-9 * (x[2] - x[0]))


@pytest.mark.parametrize("tilt", [1e-2, 1e-4, 1e-6, -1e-8, 0.0])
def test_a_nearly_symmetric_triple_is_hit(tilt: float) -> None:
    x = [8.0, 10.0 * (1 + tilt), 12.0]
    found = from_quantiles(dict(zip((0.05, 0.5, 0.95), x, strict=True))).ppf([0.05, 0.5, 0.95])
    np.testing.assert_allclose(found, x, rtol=0, atol=2e-9)


@given(bounds=st.sampled_from(BOUNDS), at=shares(3))
def test_a_distribution_through_any_triple_increases(bounds: tuple[float, float], at: list[float]) -> None:
    x = [within(bounds, share) for share in at]
    values = from_quantiles(dict(zip((0.05, 0.5, 0.95), x, strict=True)), *bounds).from_normal(np.linspace(-8, 8, 321))
    assert (np.diff(values) >= 0).all()
    assert ((bounds[0] <= values) & (values <= bounds[1])).all()


@given(
    bounds=st.sampled_from(BOUNDS),
    at=shares(2),
    levels=st.lists(st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.5, 0.8, 0.99]), min_size=2, max_size=2, unique=True),
)
def test_any_increasing_pair_is_hit(bounds: tuple[float, float], at: list[float], levels: list[float]) -> None:
    x = [within(bounds, share) for share in at]
    d = from_quantiles(dict(zip(sorted(levels), x, strict=True)), *bounds)
    np.testing.assert_allclose(d.ppf(sorted(levels)), x, rtol=1e-11, atol=1e-14 * (x[1] - x[0]))


@pytest.mark.parametrize(
    "quantiles",
    [
        {0.5: 1.0},
        {0.1: 1.0, 0.5: 2.0, 0.8: 3.0},
        {0.1: 1.0, 0.4: 2.0, 0.9: 3.0},
        {0.05: 1.0, 0.25: 2.0, 0.75: 3.0, 0.95: 4.0},
    ],
    ids=str,
)
def test_quantiles_that_define_no_member_are_refused(quantiles: dict[float, float]) -> None:
    with pytest.raises(ValueError, match=r"three quantiles are p, 0\.5 and 1 - p"):
        from_quantiles(quantiles, lower=0.0)


def test_three_quantiles_that_are_lognormal_give_the_lognormal() -> None:
    three = from_quantiles({0.05: 4.0, 0.5: 10.0, 0.95: 25.0}, lower=0.0)
    two = from_quantiles({0.05: 4.0, 0.95: 25.0}, lower=0.0)
    assert three.family == "lognormal"
    np.testing.assert_allclose(three.from_normal(np.linspace(-8, 8, 17)), two.from_normal(np.linspace(-8, 8, 17)))


SMOOTH = {name: d for name, d in EVERY.items() if name != "triangular"}
"""All but the one whose quantile function has a kink inside its support."""


@pytest.mark.parametrize("d", SMOOTH.values(), ids=SMOOTH.keys())
def test_a_table_interpolates_as_well_as_cubics_can(d: Distribution) -> None:
    # Cubic Hermite interpolation with exact slopes is off by at most h**4 / 384 of the fourth derivative,
    # which is the fourth difference over 384; probabilities near one are resolved to 2**-53.
    values, slopes = tabulate(d)
    inner = np.abs(KNOTS[:-1] + 0.01) < 6
    middles = (KNOTS[:-1] + 0.01)[inner]
    exact = d.from_normal(middles)
    off = np.abs(CubicHermiteSpline(KNOTS, values, slopes)(middles) - exact)
    fourth = np.pad(np.abs(np.diff(values, 4)), 2, mode="edge")
    cell = np.maximum(fourth[:-1], fourth[1:])[inner]
    assert (off <= 1.2 * cell / 384 + 2.0**-51 / d.pdf(exact) + 1e-14 * np.abs(exact)).all()


@pytest.mark.parametrize("d", SMOOTH.values(), ids=SMOOTH.keys())
def test_a_table_is_good_to_a_ten_millionth_of_the_spread(d: Distribution) -> None:
    values, slopes = tabulate(d)
    z = np.linspace(-4, 4, 1001)
    off = CubicHermiteSpline(KNOTS, values, slopes)(z) - d.from_normal(z)
    assert np.abs(off).max() < 1e-7 * float(d.ppf(0.95) - d.ppf(0.05))


@every
def test_a_table_rises_from_knot_to_knot(d: Distribution) -> None:
    values, slopes = tabulate(d)
    inner = np.abs(KNOTS) <= 7
    assert (np.diff(values[inner]) > 0).all()
    assert (slopes[inner] >= 0).all()
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()


def test_the_slopes_of_a_table_do_not_overshoot() -> None:
    gap = Mixture((between("uniform", low=1.0, high=2.0), between("uniform", low=10.0, high=20.0)), (0.5, 0.5))
    values, slopes = tabulate(gap)
    between_knots = CubicHermiteSpline(KNOTS, values, slopes)(np.linspace(-6, 6, 12_001))
    assert (np.diff(between_knots) >= -1e-12).all()


# ---------------------------------------------------------------------------------------------
# Distributions known at points


def known_at_points(d: Distribution, x: np.ndarray, total: float = 1.0) -> Tabulated:
    return Tabulated.from_cdf(x, d.cdf(x), total, *d.support)


SKEWED = from_quantiles({0.05: 8.0, 0.5: 10.0, 0.95: 20.0}, 0.0)
KNOWN = {
    "a log-normal": (lognormal(10.0, 0.5), np.geomspace(1.5, 60, 60)),
    "a logit-normal": (EVERY["logitnormal"], np.linspace(0.05, 0.8, 99)),
    "a skewed one": (SKEWED, np.geomspace(5, 100, 400)),
    "two humps": (BLENDS["overlapping mixture"], np.geomspace(2, 80, 400)),
}
TABLES = {name: (d, known_at_points(d, x)) for name, (d, x) in KNOWN.items()}
tables = pytest.mark.parametrize(("exact", "table"), TABLES.values(), ids=TABLES)
straight = pytest.mark.parametrize("table", [table for _, table in list(TABLES.values())[:2]], ids=list(TABLES)[:2])


@tables
def test_a_table_has_the_quantiles_of_what_it_was_made_of(exact: Distribution, table: Tabulated) -> None:
    np.testing.assert_allclose(table.ppf(P), exact.ppf(P), rtol=1e-3)
    np.testing.assert_allclose(table.cdf(exact.ppf(P)), P, rtol=1e-3)


@straight
def test_a_table_of_a_straight_line_is_exact_far_beyond_its_ends(table: Tabulated) -> None:
    z = np.array([-30.0, -9.0, -1.0, 0.0, 2.0, 9.0])
    line = np.polynomial.Polynomial.fit(table.normal, table.linked, 1)
    link = to_link(table.from_normal(z), *table.support)
    np.testing.assert_allclose(link, line(z), rtol=1e-8)


@tables
def test_the_tails_of_a_table_are_straight_on_its_linked_scale(exact: Distribution, table: Tabulated) -> None:
    for beyond in (np.linspace(-9, table.normal[0], 5), np.linspace(table.normal[-1], 9, 5)):
        link = to_link(table.from_normal(beyond), *table.support)
        np.testing.assert_allclose(np.diff(link, 2), 0, atol=1e-6)


@tables
def test_the_cdf_of_a_table_undoes_its_quantile(exact: Distribution, table: Tabulated) -> None:
    # Both are cubics through the same points, in turn of one another: they agree at the points and nearly so between.
    at = np.array(table.normal)
    np.testing.assert_allclose(stats.norm.ppf(table.cdf(table.from_normal(at))), at, atol=1e-6)
    np.testing.assert_allclose(table.cdf(table.ppf(P)), P, rtol=2e-3)


@tables
def test_a_table_rises_and_keeps_to_its_bounds(exact: Distribution, table: Tabulated) -> None:
    values = table.from_normal(np.linspace(-5, 5, 1001))
    assert (np.diff(values) > 0).all()
    low, high = table.support
    assert ((values > low) & (values < high)).all()
    outside = np.array([x for x in (low - 1.0, low, high, high + 1.0) if math.isfinite(x)])
    np.testing.assert_array_equal(table.cdf(outside), (outside > low).astype(float))
    np.testing.assert_array_equal(table.pdf(outside), 0.0)


@tables
def test_the_density_of_a_table_integrates_to_one(exact: Distribution, table: Tabulated) -> None:
    x = table.from_normal(np.linspace(-7, 7, 40_001))
    assert np.trapezoid(table.pdf(x), x) == pytest.approx(1, abs=1e-5)


def test_a_table_of_a_part_of_a_distribution_is_conditioned_on_it() -> None:
    whole = lognormal(10.0, 0.5)
    x = np.r_[np.geomspace(0.5, 19.9, 300), 20 - np.geomspace(0.1, 1e-6, 50)[1:]]
    below = Tabulated.from_cdf(x, whole.cdf(x), float(whole.cdf(20.0)), 0.0, 20.0)
    p = np.array([0.01, 0.5, 0.99])
    np.testing.assert_allclose(below.ppf(p), whole.ppf(p * float(whole.cdf(20.0))), rtol=1e-4)


def test_points_that_cannot_be_told_apart_are_dropped() -> None:
    x = np.array([1.0, 2.0, 2.0, 3.0, 4.0, 5.0])
    p = np.array([0.0, 0.2, 0.2, 0.2, 0.8, 1.0])
    table = Tabulated.from_cdf(x, p, 1.0, 0.0, INF)
    np.testing.assert_allclose(table.ppf([0.2, 0.8]), [2.0, 4.0])


@pytest.mark.parametrize("name", EVERY)
def test_draws_have_the_distribution_whose_name_they_bear(name):
    drawn = EVERY[name].rvs(np.random.default_rng(1), 4000)
    assert drawn.shape == (4000,)
    assert stats.kstest(drawn, EVERY[name].cdf).pvalue > 1e-4


def test_a_truncated_normal_far_out_is_drawn_between_its_ends():
    drawn = families.truncated_normal(-50, 1, 0, INF).rvs(np.random.default_rng(1), 1000)
    assert drawn.min() > 0
    assert drawn.mean() == pytest.approx(1 / 50, rel=0.15)  # nearly exponential; 1,000 of them know it to 3 %


def test_a_tabulated_distribution_is_a_straight_line_beyond_its_ends():
    table = Tabulated((-1.0, 0.0, 1.0), (-2.0, 0.0, 3.0), 0.0, INF)
    beyond, further = np.log(table.from_normal([2.0, 3.0])) - 3.0
    assert further == pytest.approx(2 * beyond)
