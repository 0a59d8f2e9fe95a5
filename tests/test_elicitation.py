"""What an analyst writes is the distribution they get, or a refusal that says what would do."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulate.elicitation import PARAMETER_NAMES, SPOKEN, Entry, FaultsFound, Place, elicit

COUNT = Place("GPU", "accelerators")
PRICE = Place("USD/GPU-hour", "rental rate")
PLAIN = Place("", "a positive number")
SHARE = Place("", "a share", 0.0, 1.0)
PUE = Place("", "power usage effectiveness", 1.0)
ANY = Place("", "any number", -math.inf)

KNOWN: dict[str, Any] = {"note": "made up for the tests"}


def read(place: Place, **table: Any) -> Entry:
    return elicit({**KNOWN, **table}, place)


def quantiles(place: Place, *levels: float, **table: Any) -> np.ndarray:
    distribution = read(place, **table).distribution
    assert distribution is not None
    return distribution.ppf(levels)


def refusals(place: Place, **table: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(FaultsFound) as caught:
        read(place, **table)
    return [(fault.path, fault.found, fault.mend) for fault in caught.value.faults]


# ---------------------------------------------------------------------------------------------
# Fixed values


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (8000, 8e3),
        (0.5, 0.5),
        ("8000", 8e3),
        ("8_000", 8e3),
        ("8,000", 8e3),
        ("12,345,678.5", 12345678.5),
        ("8k", 8e3),
        ("8K", 8e3),
        ("2.5M", 2.5e6),
        ("1.6bn", 1.6e9),
        ("1.6B", 1.6e9),
        ("14.8T", 14.8e12),
        ("5%", 0.05),
        ("1e3", 1e3),
        ("1.5E+3", 1.5e3),
        ("2e-3k", 2.0),
        (" 8k ", 8e3),
        ("+3", 3.0),
    ],
)
def test_a_number_may_carry_a_suffix(written: float | str, expected: float) -> None:
    assert read(PLAIN, value=written).value == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    "written",
    ["", "k", "8kk", "8 k", "8n", "8x", "0x10", "1e", "--1", "1.2.3", "about 8", "nan", "inf", "1k5", "٣ ٣", "8%%"],
)
def test_a_text_that_is_no_number_is_refused(written: str) -> None:
    assert [path for path, _, _ in refusals(PLAIN, value=written)] == ["value"]


@pytest.mark.parametrize("written", ["1,5", "0,088", "12,34", "1,2345", ",5", "1,000,5"])
def test_a_decimal_comma_is_refused(written: str) -> None:
    assert refusals(PLAIN, value=written)


@pytest.mark.parametrize("written", [math.nan, math.inf, -math.inf, 1e31, 10**400, "1e400"])
def test_a_number_beyond_reason_is_refused(written: float | str) -> None:
    assert [path for path, _, _ in refusals(PLAIN, value=written)] == ["value"]


@pytest.mark.parametrize("written", [True, False, None, [1], {"a": 1}])
def test_what_is_no_number_is_refused(written: Any) -> None:
    assert ("value", f"{str(written)!r} is not a number") in [fault[:2] for fault in refusals(PLAIN, value=written)]


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("2 USD/GPU-hour", PRICE, 2.0),
        ("2$/GPU/hour", PRICE, 2.0),
        ("48 USD/GPU-day", PRICE, 2.0),
        ("2 kUSD/GPU-hour", PRICE, 2000.0),
        ("10k GPU", COUNT, 10_000.0),
        ("10 kGPU", COUNT, 10_000.0),
        ("10kGPU", COUNT, 10_000.0),
        ("1,000GPU", COUNT, 1000.0),
        ("35%", SHARE, 0.35),
        ("35 %", SHARE, 0.35),
        ("0.35", SHARE, 0.35),
        ("2 1/year", Place("1/year", "upkeep"), 2.0),
        ("2 %/year", Place("1/year", "upkeep"), 0.02),
    ],
)
def test_a_text_is_a_number_and_its_unit(text: str, place: Place, expected: float) -> None:
    assert read(place, text=text).value == pytest.approx(expected, rel=1e-12)


def test_a_value_is_converted_to_the_unit_of_its_place() -> None:
    entry = read(PRICE, value=48, unit="USD/GPU-day")
    assert (entry.value, entry.unit) == (pytest.approx(2.0), "USD/GPU-hour")


def test_a_fixed_value_is_no_distribution() -> None:
    assert read(COUNT, value=2048, unit="GPU").distribution is None


@pytest.mark.parametrize(
    ("place", "value"), [(SHARE, 1.2), (SHARE, -0.1), (PUE, 0.9), (PLAIN, -1.0)], ids=["above", "below", "pue", "sign"]
)
def test_a_fixed_value_outside_its_range_is_refused(place: Place, value: float) -> None:
    [(path, found, mend)] = refusals(place, value=value)
    assert path == "value"
    assert "outside its range" in found
    assert place.range_in_words() in mend


@pytest.mark.parametrize("extra", [{"level": 0.8}, {"family": "normal"}, {"lower": 0.0}, {"upper": 9.0}], ids=str)
def test_a_fixed_value_has_no_shape(extra: dict[str, Any]) -> None:
    [(path, found, _)] = refusals(PLAIN, value=3, **extra)
    assert (path, found) == (next(iter(extra)), "stands beside a fixed value")


# ---------------------------------------------------------------------------------------------
# Intervals and quantiles


@pytest.mark.parametrize(
    "table",
    [
        {"interval": [8000, 12000], "unit": "GPU"},
        {"interval": ["8k", "12k"], "unit": "GPU"},
        {"interval": [8, 12], "unit": "kGPU"},
        {"interval": "8k to 12k GPU"},
        {"interval": "8k to 12k", "unit": "GPU"},
        {"interval": "8 to 12 kGPU"},
        {"text": "8,000 to 12,000 GPU"},
        {"q05": 8000, "q95": 12000, "unit": "GPU"},
        {"q05": "8k", "q95": "12k", "unit": "GPU"},
    ],
    ids=str,
)
def test_an_interval_is_its_5th_and_95th_percentile(table: dict[str, Any]) -> None:
    np.testing.assert_allclose(quantiles(COUNT, 0.05, 0.95, **table), [8000, 12000], rtol=1e-12)


def test_a_bare_text_says_nothing_of_how_it_is_known() -> None:
    with pytest.raises(FaultsFound, match="no source and no note"):
        elicit("8k to 12k GPU", COUNT)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, "98%"])
def test_the_level_of_an_interval_is_the_probability_within_it(level: float | str) -> None:
    share = 0.98 if level == "98%" else float(level)
    distribution = read(PLAIN, interval=[3, 7], level=level).distribution
    assert distribution is not None
    np.testing.assert_allclose(distribution.cdf([3, 7]), [(1 - share) / 2, (1 + share) / 2], rtol=1e-12)


@pytest.mark.parametrize("key", ["q01", "q05", "q10", "q20", "q25"])
def test_a_quantile_key_is_its_percentile(key: str) -> None:
    p = int(key[1:]) / 100
    mirrored = f"q{100 - int(key[1:])}"
    found = quantiles(PLAIN, p, 0.5, 1 - p, **{key: 2, "q50": 3, mirrored: 9})
    np.testing.assert_allclose(found, [2, 3, 9], rtol=1e-9)


def test_an_asymmetric_pair_of_quantiles_is_hit() -> None:
    np.testing.assert_allclose(quantiles(PLAIN, 0.1, 0.5, q10=2, q50=3), [2, 3], rtol=1e-12)


@pytest.mark.parametrize(
    ("place", "family"),
    [(COUNT, "lognormal"), (PUE, "lognormal"), (SHARE, "logitnormal"), (ANY, "lognormal")],
    ids=["positive", "above one", "share", "any"],
)
def test_the_family_follows_from_the_range_of_the_place(place: Place, family: str) -> None:
    interval = [0.2, 0.4] if place is SHARE else [1.1, 1.4]
    distribution = read(place, interval=interval, **({"unit": "GPU"} if place.unit else {})).distribution
    assert distribution is not None
    assert distribution.family == family
    assert distribution.support == (max(place.lower, 0), place.upper)


def test_three_quantiles_make_a_three_quantile_distribution() -> None:
    distribution = read(COUNT, q05=8, q50=9, q95=20, unit="GPU").distribution
    assert distribution is not None
    assert distribution.family == "three-quantile"
    assert distribution.support == (0.0, math.inf)


def test_bounds_of_its_own_make_a_positive_quantity_logitnormal() -> None:
    distribution = read(COUNT, interval=[8, 12], lower=5, upper=20, unit="kGPU").distribution
    assert distribution is not None
    assert (distribution.family, distribution.support) == ("logitnormal", (5000.0, 20000.0))


FITTED = [
    ("normal", ANY, [-3, 5], {}),
    ("lognormal", PLAIN, [3, 7], {}),
    ("lognormal", PUE, [1.1, 1.4], {}),
    ("logitnormal", SHARE, [0.2, 0.6], {}),
    ("uniform", PLAIN, [3, 7], {}),
    ("loguniform", PLAIN, [3, 7], {}),
    ("student-t", ANY, [-3, 5], {"df": 3}),
    ("gamma", PLAIN, [3, 7], {}),
    ("gamma", PLAIN, [0.01, 7], {}),
    ("gamma", PUE, [1.1, 1.4], {}),
    ("beta", SHARE, [0.2, 0.6], {}),
    ("beta", SHARE, [0.01, 0.99], {}),
    ("beta", PLAIN, [12, 15], {"lower": 10, "upper": 30}),
    ("truncated-normal", SHARE, [0.2, 0.6], {}),
    ("truncated-normal", PLAIN, [3, 10], {}),
    ("truncated-normal", PUE, [1.1, 1.4], {}),
]


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.98])
@pytest.mark.parametrize(("family", "place", "interval", "more"), FITTED, ids=lambda case: str(case)[:24])
def test_a_family_fitted_to_an_interval_has_its_ends_as_quantiles(
    family: str, place: Place, interval: list[float], more: dict[str, float], level: float
) -> None:
    # Families without a closed form are solved until they miss by less than 1e-9 of their width.
    distribution = read(place, family=family, interval=interval, level=level, **more).distribution
    assert distribution is not None
    assert distribution.family == family
    ends = distribution.ppf([(1 - level) / 2, (1 + level) / 2])
    np.testing.assert_allclose(ends, interval, rtol=0, atol=1e-9 * (more.get("upper", interval[1])))


@settings(max_examples=40)
@given(st.lists(st.integers(1, 999), min_size=2, max_size=2, unique=True).map(sorted))
def test_every_interval_of_shares_has_a_beta(ends: list[int]) -> None:
    interval = [end / 1000 for end in ends]
    np.testing.assert_allclose(quantiles(SHARE, 0.05, 0.95, interval=interval, family="beta"), interval, atol=2e-9)


@settings(max_examples=40)
@given(low=st.floats(1e-3, 1e6), ratio=st.floats(1.05, 1000))
def test_every_positive_interval_has_a_gamma(low: float, ratio: float) -> None:
    interval = [low, low * ratio]
    found = quantiles(PLAIN, 0.05, 0.95, interval=interval, family="gamma")
    np.testing.assert_allclose(found, interval, rtol=0, atol=2e-9 * interval[1])


@given(low=st.floats(1e-3, 1e3), ratio=st.floats(1.01, 1e3), scale=st.floats(1e-3, 1e3))
def test_an_interval_of_scaled_ends_is_the_scaled_distribution(low: float, ratio: float, scale: float) -> None:
    once = quantiles(PLAIN, 0.01, 0.4, 0.99, interval=[low, low * ratio])
    scaled = quantiles(PLAIN, 0.01, 0.4, 0.99, interval=[low * scale, low * ratio * scale])
    np.testing.assert_allclose(scaled, once * scale, rtol=1e-11)


@pytest.mark.parametrize("family", ["triangular", "pert"])
def test_a_family_of_end_points_does_not_come_from_an_interval(family: str) -> None:
    [(path, found, mend)] = refusals(PLAIN, interval=[3, 7], family=family)
    assert (path, mend) == ("family", "give low, mode and high")
    assert family in found


@pytest.mark.parametrize(
    "table",
    [
        {"interval": [3, 7], "family": "truncated-normal", "lower": 2.99, "upper": 100},
        {"interval": [1, 5000], "family": "truncated-normal"},
    ],
    ids=str,
)
def test_an_interval_that_no_member_has_is_refused(table: dict[str, Any]) -> None:
    assert any("no truncated-normal has the quantiles" in found for _, found, _ in refusals(PLAIN, **table))


# ---------------------------------------------------------------------------------------------
# Parameters

PARAMETRISED = [
    ({"family": "normal", "mean": 3, "sd": 2}, ANY, stats.norm(3, 2)),
    ({"family": "lognormal", "median": 10, "sigma": 0.5}, PLAIN, stats.lognorm(0.5, scale=10)),
    (
        {"family": "lognormal", "mean": 10, "sd": 4},
        PLAIN,
        stats.lognorm(math.sqrt(math.log(1.16)), scale=10 / math.sqrt(1.16)),
    ),
    ({"family": "lognormal", "median": 1.3, "sigma": 0.5}, PUE, stats.lognorm(0.5, loc=1, scale=0.3)),
    ({"family": "truncated-normal", "mean": 0.4, "sd": 0.3}, SHARE, stats.truncnorm(-4 / 3, 2, loc=0.4, scale=0.3)),
    (
        {"family": "truncated-normal", "mean": 3, "sd": 2, "upper": 5},
        PLAIN,
        stats.truncnorm(-1.5, 1, loc=3, scale=2),
    ),
    ({"family": "uniform", "low": 2, "high": 5}, PLAIN, stats.uniform(2, 3)),
    ({"family": "loguniform", "low": 2, "high": 50}, PLAIN, stats.loguniform(2, 50)),
    ({"family": "triangular", "low": 2, "mode": 3, "high": 7}, PLAIN, stats.triang(0.2, loc=2, scale=5)),
    ({"family": "pert", "low": 2, "mode": 3, "high": 7}, PLAIN, stats.beta(1.8, 4.2, loc=2, scale=5)),
    ({"family": "beta", "alpha": 2, "beta": 5}, SHARE, stats.beta(2, 5)),
    ({"family": "beta", "alpha": 2, "beta": 5, "lower": 10, "upper": 30}, PLAIN, stats.beta(2, 5, loc=10, scale=20)),
    ({"family": "gamma", "shape": 2, "scale": 3}, PLAIN, stats.gamma(2, scale=3)),
    ({"family": "gamma", "mean": 6, "sd": 3}, PLAIN, stats.gamma(4, scale=1.5)),
    ({"family": "gamma", "mean": 1.4, "sd": 0.2}, PUE, stats.gamma(4, loc=1, scale=0.1)),
    ({"family": "student-t", "df": 4, "location": 1, "scale": 2}, ANY, stats.t(4, loc=1, scale=2)),
]


@pytest.mark.parametrize(("table", "place", "reference"), PARAMETRISED, ids=lambda case: str(case)[:50])
def test_a_family_takes_its_usual_parameters(table: dict[str, Any], place: Place, reference: Any) -> None:
    p = np.array([0.01, 0.05, 0.5, 0.95, 0.99])
    np.testing.assert_allclose(quantiles(place, *p, **table), reference.ppf(p), rtol=1e-10)


def test_a_logitnormal_has_its_median_and_its_spread_on_the_logit() -> None:
    found = quantiles(SHARE, 0.5, stats.norm.cdf(1), family="logitnormal", median=0.2, sigma=0.5)
    np.testing.assert_allclose(found, [0.2, 1 / (1 + 4 * math.exp(-0.5))], rtol=1e-12)


@pytest.mark.parametrize(
    "table",
    [
        {"family": "lognormal", "median": 10, "sigma": 0.5},
        {"family": "lognormal", "mean": 10, "sd": 4},
        {"family": "truncated-normal", "mean": 10, "sd": 4, "upper": 30},
        {"family": "uniform", "low": 2, "high": 5},
        {"family": "loguniform", "low": 2, "high": 5},
        {"family": "triangular", "low": 2, "mode": 3, "high": 7},
        {"family": "pert", "low": 2, "mode": 3, "high": 7},
        {"family": "beta", "alpha": 2, "beta": 5, "lower": 1, "upper": 30},
        {"family": "gamma", "shape": 2, "scale": 3},
        {"family": "gamma", "mean": 6, "sd": 3},
        {"components": [{"weight": 1, "interval": [1, 2]}, {"weight": 3, "interval": [5, 6]}]},
        {"q10": 2, "q50": 3, "q90": 9},
    ],
    ids=lambda table: str(table)[:40],
)
def test_the_unit_scales_every_family(table: dict[str, Any]) -> None:
    p = (0.01, 0.3, 0.5, 0.9, 0.99)
    plain, thousands = (quantiles(COUNT, *p, unit=unit, **table) for unit in ("GPU", "kGPU"))
    np.testing.assert_allclose(thousands, 1000 * plain, rtol=1e-9)


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ({"family": "gamma", "shape": -1, "scale": 1}, "shape"),
        ({"family": "gamma", "shape": 1, "scale": 0}, "scale"),
        ({"family": "lognormal", "mean": 3, "sd": 0}, "sd"),
        ({"family": "lognormal", "median": 3, "sigma": -1}, "sigma"),
        ({"family": "beta", "alpha": 0, "beta": 1, "upper": 3}, "alpha"),
        ({"family": "lognormal", "median": -3, "sigma": 1}, ""),
        ({"family": "lognormal", "mean": 0, "sd": 1}, ""),
        ({"family": "gamma", "mean": -2, "sd": 1}, ""),
        ({"family": "logitnormal", "median": 3, "sigma": 1}, ""),
        ({"family": "logitnormal", "median": 3, "sigma": 1, "upper": 2}, ""),
        ({"family": "loguniform", "low": 0, "high": 3}, ""),
        ({"family": "triangular", "low": 3, "mode": 2, "high": 7}, "low"),
        ({"family": "triangular", "low": 3, "mode": 3, "high": 3}, "low"),
        ({"family": "pert", "low": 3, "mode": 9, "high": 7}, "low"),
        ({"family": "uniform", "low": 7, "high": 3}, "low"),
        ({"family": "uniform", "low": 3, "high": 3}, "low"),
        ({"family": "student-t", "interval": [3, 7]}, ""),
        ({"family": "student-t", "interval": [3, 7], "df": 0}, ""),
        ({"family": "beta", "interval": [3, 7]}, ""),
        ({"family": "logitnormal", "interval": [3, 7]}, ""),
        ({"family": "mixture", "interval": [3, 7]}, "components"),
        ({"family": "lognormal", "interval": [3, 7], "mean": 4, "sd": 1}, ""),
        ({"family": "three-quantile", "interval": [3, 7]}, ""),
        ({"family": "lognormal", "mean": 3, "sigma": 1}, ""),
        ({"family": "lognormal", "mean": 3}, ""),
        ({"family": "weibull", "shape": 3, "scale": 1}, "family"),
        ({"mean": 3, "sd": 1}, "family"),
    ],
    ids=lambda case: str(case)[:60],
)
def test_parameters_without_a_distribution_are_refused(table: dict[str, Any], path: str) -> None:
    assert path in [found for found, _, _ in refusals(PLAIN, **table)]


def test_a_beta_by_parameters_needs_an_upper_bound_too() -> None:
    assert refusals(PUE, family="beta", alpha=2, beta=5)


# ---------------------------------------------------------------------------------------------
# Support


@pytest.mark.parametrize(
    ("place", "interval"), [(PLAIN, [-1, 5]), (PLAIN, [0, 5]), (PUE, [0.9, 1.4]), (PUE, [1.0, 1.4])], ids=str
)
def test_an_interval_that_reaches_below_names_the_truncated_normal(place: Place, interval: list[float]) -> None:
    [(path, found, mend)] = refusals(place, interval=interval)
    assert path == "interval"
    assert f"{interval[0]:g} cannot be a quantile of a lognormal" in found
    assert "truncated-normal" in mend
    assert f"lower = {place.lower:g}" in mend


@pytest.mark.parametrize("interval", [[0.5, 1.2], [0, 0.5], [-0.1, 1.1]], ids=str)
def test_an_interval_that_leaves_the_shares_names_the_truncated_normal(interval: list[float]) -> None:
    [(path, found, mend)] = refusals(SHARE, interval=interval)
    assert path == "interval"
    assert "between 0 and 1" in found
    assert "truncated-normal" in mend


def test_the_remedy_for_an_interval_across_zero_works() -> None:
    distribution = read(PLAIN, family="truncated-normal", mean=2, sd=1.8, lower=0).distribution
    assert distribution is not None
    assert distribution.support == (0.0, math.inf)


def test_an_interval_across_zero_needs_a_family_that_can_be_negative() -> None:
    [(_, _, mend)] = refusals(ANY, interval=[-1, 5])
    assert 'family = "normal"' in mend


@pytest.mark.parametrize(
    "more", [{"family": "normal"}, {"family": "student-t", "df": 4}, {"family": "uniform"}], ids=str
)
def test_what_may_be_negative_is_so_by_its_family(more: dict[str, Any]) -> None:
    found = quantiles(ANY, 0.05, 0.5, 0.95, interval=[-1, 5], **more)
    np.testing.assert_allclose(found, [-1, 2, 5], rtol=1e-9)


@pytest.mark.parametrize(
    ("place", "table"),
    [
        (PLAIN, {"family": "normal", "mean": 5, "sd": 1}),
        (PLAIN, {"family": "normal", "interval": [4, 6]}),
        (PLAIN, {"family": "student-t", "df": 4, "location": 5, "scale": 1}),
        (PLAIN, {"family": "uniform", "low": -1, "high": 1}),
        (PLAIN, {"family": "uniform", "interval": [0.1, 10]}),
        (PLAIN, {"family": "triangular", "low": -1, "mode": 1, "high": 2}),
        (SHARE, {"family": "lognormal", "median": 0.3, "sigma": 0.1}),
        (SHARE, {"family": "gamma", "shape": 2, "scale": 0.1}),
        (SHARE, {"family": "uniform", "low": 0.5, "high": 1.5}),
        (PUE, {"family": "uniform", "low": 0.9, "high": 1.5}),
    ],
    ids=lambda case: str(case)[:60],
)
def test_a_family_that_reaches_outside_the_range_is_refused(place: Place, table: dict[str, Any]) -> None:
    [(path, found, mend)] = refusals(place, **table)
    assert path == "family"
    assert "reaches outside the quantity's range" in found
    assert place.range_in_words() in mend


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ({"interval": [3, 7], "lower": -2}, "lower"),
        ({"interval": [3, 7], "lower": 8, "upper": 2}, "lower"),
        ({"interval": [3, 7], "lower": 4}, "interval"),
        ({"interval": [3, 7], "upper": 6}, "interval"),
    ],
    ids=str,
)
def test_bounds_that_do_not_hold_are_refused(table: dict[str, Any], path: str) -> None:
    assert path in [found for found, _, _ in refusals(PLAIN, **table)]


@pytest.mark.parametrize(
    "table", [{"q05": 3, "q95": 7, "upper": 6}, {"q05": 3, "q50": 4, "q95": 7, "upper": 6}], ids=str
)
def test_a_quantile_beyond_its_bound_is_no_fault_of_an_interval_that_is_not_there(table: dict[str, Any]) -> None:
    assert [path for path, _, _ in refusals(PLAIN, **table)] in ([""], ["q95"])


@pytest.mark.parametrize(
    "table",
    [
        {"interval": [10, 20], "family": "lognormal", "upper": 21},
        {"interval": [10, 20], "family": "uniform", "upper": 20.1},
        {"interval": [10, 20], "family": "loguniform", "upper": 20.1},
        {"interval": [10, 20], "family": "gamma", "upper": 21},
        {"family": "gamma", "shape": 2, "scale": 1, "upper": 2},
        {"family": "lognormal", "median": 10, "sigma": 1, "upper": 12},
        {"family": "uniform", "low": 2, "high": 10, "upper": 5},
        {"family": "triangular", "low": 2, "mode": 3, "high": 10, "upper": 5},
        {"components": [{"weight": 1, "interval": [1, 2]}, {"weight": 1, "interval": [5, 6]}], "upper": 4},
    ],
    ids=lambda table: str(table)[:60],
)
def test_a_bound_that_the_family_would_cross_is_refused(table: dict[str, Any]) -> None:
    assert refusals(PLAIN, **table)


# ---------------------------------------------------------------------------------------------
# Mixtures

TWO = [{"weight": 1, "interval": [1, 2]}, {"weight": 3, "interval": [10, 20]}]


def test_the_weights_of_a_mixture_need_not_sum_to_one() -> None:
    distribution = read(PLAIN, components=TWO).distribution
    assert distribution is not None
    assert float(distribution.cdf(5.0)) == pytest.approx(0.25, abs=1e-4)


@pytest.mark.parametrize(
    ("components", "path"),
    [
        ([], "components"),
        ([{"weight": 1, "interval": [1, 2]}], "components"),
        ("1 to 2", "components"),
        ([1, 2], "components"),
        ([{"interval": [1, 2]}, TWO[1]], "components[0].weight"),
        ([TWO[0], {"weight": 0, "interval": [1, 2]}], "components[1].weight"),
        ([TWO[0], {"weight": -1, "interval": [1, 2]}], "components[1].weight"),
        ([TWO[0], {"weight": 1, "interval": [2, 1]}], "components[1].interval"),
        ([TWO[0], {"weight": 1, "interval": [-1, 1]}], "components[1].interval"),
        ([TWO[0], {"weight": 1, "interval": [1, 2], "unit": "kGPU"}], "components[1].unit"),
        ([TWO[0], {"weight": 1, "interval": [1, 2], "colour": 3}], "components[1].colour"),
        ([TWO[0], {"weight": 1, "value": 3}], "components[1]"),
        ([TWO[0], {"weight": 1, "interval": "foo"}], "components[1].interval"),
    ],
    ids=str,
)
def test_a_component_that_is_wrong_is_refused_by_its_position(components: Any, path: str) -> None:
    assert path in [found for found, _, _ in refusals(PLAIN, components=components)]


def test_a_component_may_be_a_text() -> None:
    distribution = read(PLAIN, components=[{"weight": 1, "interval": "1 to 2"}, TWO[1]]).distribution
    assert distribution is not None
    assert float(distribution.cdf(1.0)) == pytest.approx(0.25 * 0.05, abs=1e-12)


@pytest.mark.parametrize("key", ["interval", "text"])
def test_a_unit_inside_the_text_of_a_component_is_refused(key: str) -> None:
    components = [{"weight": 1, key: "1 to 2 kGPU"}, {"weight": 1, "interval": [1, 2]}]
    assert "components[0].unit" in [path for path, _, _ in refusals(COUNT, components=components, unit="GPU")]


@pytest.mark.parametrize(
    "table",
    [
        {"components": TWO, "level": 0.8},
        {"components": TWO, "mean": 3},
        {"components": [{**TWO[0], "family": "lognormal", "mean": 9, "sd": 1}, TWO[1]]},
    ],
    ids=["level", "mean", "component"],
)
def test_a_key_that_a_mixture_would_ignore_is_refused(table: dict[str, Any]) -> None:
    assert refusals(PLAIN, family="mixture", **table)


# ---------------------------------------------------------------------------------------------
# One way only


@pytest.mark.parametrize(
    "table",
    [
        {"value": 3, "interval": [1, 2]},
        {"value": 3, "q05": 1, "q95": 2},
        {"value": 3, "family": "lognormal", "mean": 1, "sd": 2},
        {"interval": [1, 2], "q05": 1, "q95": 2},
        {"interval": [1, 2], "family": "lognormal", "mean": 1, "sd": 2},
        {"q05": 1, "q95": 2, "family": "lognormal", "mean": 1, "sd": 2},
        {"interval": [1, 2], "components": TWO},
        {"text": "1 to 2", "value": 3},
        {"text": "3", "value": 4},
        {"text": "1 to 2", "interval": [3, 4]},
        {"family": "lognormal", "mean": 1, "sd": 2, "level": 0.5},
        {"q05": 1, "q95": 2, "level": 0.5},
    ],
    ids=str,
)
def test_a_number_given_in_two_ways_is_refused(table: dict[str, Any]) -> None:
    assert refusals(PLAIN, **table)


@pytest.mark.parametrize("table", [{}, {"unit": ""}, {"level": 0.9}, {"family": "lognormal"}], ids=str)
def test_an_entry_without_a_number_is_refused(table: dict[str, Any]) -> None:
    assert [found for _, found, _ in refusals(PLAIN, **table)] == ["no number"]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ({"interval": "8k to 12k GPU", "unit": "kGPU"}, "two units"),
        ({"text": "8 kGPU", "unit": "GPU"}, "two units"),
    ],
    ids=str,
)
def test_two_units_are_refused(table: dict[str, Any], found: str) -> None:
    assert [(path, words[: len(found)]) for path, words, _ in refusals(COUNT, **table)] == [("unit", found)]


def test_a_unit_may_be_said_twice_when_it_is_the_same() -> None:
    assert read(COUNT, text="8k GPU ", unit="GPU").value == 8000


# ---------------------------------------------------------------------------------------------
# Provenance


@pytest.mark.parametrize("remark", [{"source": "a"}, {"sources": ["a"]}, {"note": "known"}], ids=str)
def test_a_source_or_a_note_says_how_a_number_is_known(remark: dict[str, Any]) -> None:
    entry = elicit({"value": 3, **remark}, PLAIN)
    assert (entry.sources, entry.note) == ((), "known") if "note" in remark else (("a",), "")


@pytest.mark.parametrize("remark", [{}, {"note": ""}, {"note": "  "}, {"sources": []}], ids=str)
def test_a_number_without_source_and_note_is_refused(remark: dict[str, Any]) -> None:
    with pytest.raises(FaultsFound, match="no source and no note"):
        elicit({"value": 3, **remark}, PLAIN)


@pytest.mark.parametrize("sources", [3, ["a", 3], {"a": 1}, [["a"]]], ids=str)
def test_sources_are_names(sources: Any) -> None:
    assert "sources" in [path for path, _, _ in refusals(PLAIN, value=3, sources=sources)]


def test_source_and_sources_together_are_all_kept() -> None:
    assert set(elicit({"value": 3, "source": "a", "sources": ["b"]}, PLAIN).sources) == {"a", "b"}


@pytest.mark.parametrize("note", [5, ["a"], True], ids=str)
def test_a_note_is_a_text(note: Any) -> None:
    with pytest.raises(FaultsFound):
        elicit({"value": 3, "note": note}, PLAIN)


def test_every_fault_of_an_entry_is_told_at_once() -> None:
    with pytest.raises(FaultsFound) as caught:
        elicit({"interval": [7, 3], "unit": "kg", "colour": "red"}, COUNT)
    assert {fault.path for fault in caught.value.faults} >= {"", "unit", "colour"}


def test_a_missing_note_does_not_hide_a_reversed_interval() -> None:
    with pytest.raises(FaultsFound) as caught:
        elicit({"interval": [7, 3]}, PLAIN)
    assert {fault.path for fault in caught.value.faults} == {"", "interval"}


@pytest.mark.parametrize("family", [["lognormal"], 3, {"a": 1}, True], ids=str)
def test_a_family_is_a_name(family: Any) -> None:
    assert [path for path, _, _ in refusals(PLAIN, interval=[3, 7], family=family)] == ["family"]


# ---------------------------------------------------------------------------------------------
# In a reader's words


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"value": 12000, "unit": "GPU"}, "12,000 GPU"),
        ({"interval": ["8k", "12k"], "unit": "GPU"}, "8k to 12k GPU (90 %)"),
        ({"interval": [8000, 12000], "unit": "GPU", "level": 0.8}, "8,000 to 12,000 GPU (80 %)"),
        ({"interval": "8 to 12 kGPU", "family": "gamma"}, "8 to 12 kGPU (90 %, gamma)"),
        ({"family": "pert", "high": 9, "mode": 4, "low": 2.5, "unit": "GPU"}, "pert: low 2.5, mode 4, high 9 GPU"),
    ],
    ids=str,
)
def test_an_entry_keeps_how_it_was_given(table: dict[str, Any], words: str) -> None:
    assert read(COUNT, **table).given == words


def test_every_parameter_of_a_family_can_be_said():
    assert set(SPOKEN) == PARAMETER_NAMES - {"components"}
