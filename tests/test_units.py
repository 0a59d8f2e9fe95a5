"""A number is converted once, by the field's own units, and a slip in a unit is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate.units import COMMON, UnitError, converted, factor

CONVERSIONS = [
    ("USD", "USD", 1.0),
    ("$", "USD", 1.0),
    ("kUSD", "USD", 1e3),
    ("MUSD", "USD", 1e6),
    ("GUSD", "USD", 1e9),
    ("kGPU", "GPU", 1e3),
    ("kUSD/GPU", "USD/GPU", 1e3),
    ("USD/GPU/hour", "USD/GPU-hour", 1.0),
    ("USD/GPU-h", "USD/GPU-hour", 1.0),
    ("USD/(GPU*hour)", "USD/GPU-hour", 1.0),
    ("USD/GPU-day", "USD/GPU-hour", 1 / 24),
    ("GPU-hours", "GPU-hour", 1.0),
    ("MGPU-hour", "GPU-hour", 1e6),
    ("GPU-year", "GPU-hour", 8766.0),
    ("USD/MWh", "USD/kWh", 1e-3),
    ("USD/kW-month", "USD/kW/month", 1.0),
    ("USD/kW/year", "USD/kW/month", 1 / 12),
    ("W/GPU", "kW/GPU", 1e-3),
    ("TFLOP/s/GPU", "FLOP/second/GPU", 1e12),
    ("PFLOP/second/GPU", "FLOP/second/GPU", 1e15),
    ("Gparameter", "parameter", 1e9),
    ("Ttoken", "token", 1e12),
    ("month", "year", 1 / 12),
    ("week", "day", 7.0),
    ("day", "year", 1 / 365.25),
    ("kUSD/person/month", "USD/person/year", 12e3),
    ("%", "", 0.01),
    ("percent", "", 0.01),
    ("%/year", "1/year", 0.01),
    ("1/month", "1/year", 12.0),
    ("", "", 1.0),
    ("1", "", 1.0),
    ("dimensionless", "", 1.0),
]

MISMATCHES = [
    ("USD", "GPU"),
    ("USD/GPU", "USD/GPU-hour"),
    ("kW", "kWh"),
    ("GPU-hour", "GPU"),
    ("USD", ""),
    ("", "USD"),
    ("%", "USD"),
    ("person", "GPU"),
    ("FLOP/GPU", "FLOP/second/GPU"),
]

UNKNOWN = ["k USD", "M USD", "kg", "EUR", "usd", "GPUs hours of work", "-hour", "bn USD", "USD/", "/year", "USD per"]

HOSTILE = [
    "9**9**9",
    "USD**9**9**9",
    "USD^99999999",
    "1e999999999*USD",
    "USD**USD",
    "((((((((((((((((((((((((((((((USD",
    "(" * 100_000,
    "USD*" * 100_000 + "USD",
    "__import__('os').system('true')",
    "USD\x00",
    "USD\nGPU",
    "USD # a comment",
    "ŪSD",
    "{}",
    "{0.__class__}",
    "lambda",
    "",
]


@pytest.mark.parametrize(("unit", "wanted", "expected"), CONVERSIONS)
def test_a_unit_converts_to_that_of_its_place(unit: str, wanted: str, expected: float) -> None:
    assert factor(unit, wanted) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(("unit", "wanted"), COMMON)
def test_a_common_unit_converts_without_the_registry_as_with_it(unit: str, wanted: str) -> None:
    assert factor(unit, wanted) == COMMON[unit, wanted] == converted(unit, wanted)


@pytest.mark.parametrize(("unit", "wanted"), MISMATCHES)
def test_a_unit_of_another_dimension_is_refused_by_name(unit: str, wanted: str) -> None:
    with pytest.raises(UnitError, match="does not convert to") as caught:
        factor(unit, wanted)
    assert repr(unit) in str(caught.value)
    assert (wanted or "a plain number") in str(caught.value)


@pytest.mark.parametrize("unit", UNKNOWN)
def test_a_unit_the_field_does_not_have_is_unknown(unit: str) -> None:
    with pytest.raises(UnitError, match="unknown unit"):
        factor(unit, "USD")


@pytest.mark.parametrize("unit", HOSTILE, ids=lambda unit: repr(unit[:20]))
def test_a_hostile_unit_is_refused_unevaluated(unit: str) -> None:
    with pytest.raises(UnitError) as caught:
        factor(unit, "USD")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("unit", ["TUSD", "kEUR", "CNY/GPU"])
def test_the_message_of_an_unknown_unit_names_it(unit: str) -> None:
    with pytest.raises(UnitError, match=unit):
        factor(unit, "GPU")


def test_a_currency_converts_at_its_worth() -> None:
    assert factor("kCNY/GPU", "USD/GPU", (("CNY", 0.14),)) == pytest.approx(140.0, rel=1e-14)


def test_a_currency_is_known_only_to_the_file_that_defines_it() -> None:
    factor("EUR", "USD", (("EUR", 1.1),))
    with pytest.raises(UnitError, match="unknown unit 'EUR'"):
        factor("EUR", "USD")


@given(st.sampled_from(CONVERSIONS))
def test_a_conversion_and_its_inverse_cancel(case: tuple[str, str, float]) -> None:
    unit, wanted, _ = case
    assert factor(unit, wanted) * factor(wanted, unit) == pytest.approx(1.0, rel=1e-14)


@given(st.text(max_size=80))
def test_any_text_as_a_unit_is_a_factor_or_a_unit_error(text: str) -> None:
    try:
        found = factor(text, "USD")
    except UnitError:
        return
    assert found > 0
