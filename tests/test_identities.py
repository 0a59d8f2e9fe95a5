"""Sums between published figures: their precision is that of the digits printed, and units are converted."""

from __future__ import annotations

import contextlib
import datetime
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate import identities
from simulate.figures import IdentityError, figure, interval, period

PRINTED = st.from_regex(r"[1-9][0-9]{0,5}(\.[0-9]{1,4})?(k|M|bn|T)?", fullmatch=True)
SIZES = st.integers(min_value=-6, max_value=6).map(lambda power: 10.0**power)


def check(expression, mine="", money=(), **figures):
    """Check an identity between figures: each is text in dollars, a pair of value and unit, or made already."""
    known = {}
    for name, given_as in figures.items():
        value, unit = given_as if isinstance(given_as, tuple) else (given_as, "USD")
        known[name] = figure(value, unit, whose=name) if isinstance(value, str | int | float) else value
    return identities.check(expression, known, {"article": list(money)}, mine)


# ---------------------------------------------------------------------------------------------
# The precision of a figure


@pytest.mark.parametrize(
    ("printed", "low", "high"),
    [
        ("5.576M", 5.5755e6, 5.5765e6),
        ("2,788.8M", 2788.75e6, 2788.85e6),
        ("1.60bn", 1.595e9, 1.605e9),
        ("50,000", 45_000, 55_000),
        ("2048", 2047.5, 2048.5),
        ("-17", -17.5, -16.5),
        ("96.4%", 0.9635, 0.9645),
        ("1.5e3", 1450, 1550),
        (2.5, 2.45, 2.55),
        (0, -0.5, 0.5),
    ],
)
def test_a_figure_is_good_to_half_of_its_last_digit(printed, low, high):
    found = figure(printed, "USD")
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_a_stated_error_reaches_by_a_factor_to_both_sides():
    found = figure("10,000", "GPU", error=0.25)
    assert (found.low, found.value, found.high) == (8000, 10_000, 12_500)


def test_an_error_of_nothing_is_exact():
    assert figure(2, "USD/GPU-hour", error=0).low == figure(2, "USD/GPU-hour", error=0).high == 2


def test_the_value_of_an_interval_is_its_geometric_middle():
    assert interval("10bn", "40bn", "USD").value == pytest.approx(20e9)


@pytest.mark.parametrize("ends", [(2, 1), (0, 1), (-1, 1), (1, 1), (math.nan, 1), (1, math.inf), ("x", 1)])
def test_an_interval_that_does_not_increase_from_above_zero_is_refused(ends):
    with pytest.raises(IdentityError):
        interval(*ends, "USD")


@pytest.mark.parametrize("raw", ["abc", "", "5 USD", math.nan, math.inf, "1e400", "1e99999999999", 10**400, True])
def test_what_is_no_number_of_a_sane_size_is_no_figure(raw):
    with pytest.raises(IdentityError):
        figure(raw, "USD")


@given(PRINTED, SIZES)
def test_a_figure_always_equals_itself(printed, size):
    assert check("[a] = [a]", a=printed).holds
    assert check(f"[a] * {size!r} = {size!r} * [a]", a=printed).holds


@given(PRINTED, PRINTED, SIZES)
def test_scaling_both_sides_keeps_a_relation(a, b, size):
    for relation in identities.RELATIONS:
        scaled = check(f"[a] * {size!r} {relation} [b] * {size!r}", a=a, b=b)
        assert scaled.holds == check(f"[a] {relation} [b]", a=a, b=b).holds


@given(PRINTED, PRINTED)
def test_figures_that_are_equal_are_at_least_and_at_most_each_other(a, b):
    equal, least, most = (check(f"[a] {relation} [b]", a=a, b=b).holds for relation in ("=", ">=", "<="))
    assert equal == (least and most)


# ---------------------------------------------------------------------------------------------
# Relations


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("[a] = [b]", False),
        ("[a] >= [b]", False),
        ("[a] <= [b]", True),
        ("[b] >= [a]", True),
        ("[a] + [a] = [b]", True),
        ("[b] - [a] = [a]", True),
        ("[b] / [a] = 2", True),
        ("([a] + [b]) / 3 = [a]", True),
        ("-[a] <= 0 * [b]", True),
    ],
)
def test_each_relation_and_operation_means_what_it_says(expression, holds):
    assert check(expression, a="1.00M", b="2.00M").holds is holds


def test_what_rounding_can_explain_is_no_error():
    assert check("[a] * 2 = [c]", a="2.788", c="5.6").holds
    assert not check("[a] * 2 = [c]", a="2.788", c="5.56").holds


def test_an_interval_equals_what_it_overlaps():
    hours = interval("54M", "60M", "GPU-hour")
    assert check("[gpus] * [days] = [hours]", gpus=("25,000", "GPU"), days=("95", "day"), hours=hours).holds
    assert not check("[gpus] * [days] = [hours]", gpus=("25,000", "GPU"), days=("120", "day"), hours=hours).holds


def check_cut(printed):
    known = {"exact": figure("5.5761M", "USD"), "mine": figure(printed, "USD")}
    return identities.check("[mine] = [exact]", known, {}, "mine")


@pytest.mark.parametrize(("printed", "cut"), [("5.57M", True), ("5.58M", False), ("5.5M", True), ("5.56M", False)])
def test_a_figure_may_have_been_cut_off_instead_of_rounded(printed, cut):
    found = check_cut(printed)
    assert found.truncated is cut
    assert found.holds is (cut or printed == "5.58M")


def test_only_the_claims_own_figure_may_have_been_cut_off():
    known = {"exact": figure("5.5761M", "USD"), "other": figure("5.57M", "USD")}
    assert not identities.check("[other] = [exact]", known, {}, "exact").holds


# ---------------------------------------------------------------------------------------------
# Units


def test_units_are_converted():
    hours = check("[gpus] * [days] = [hours]", gpus=("512", "GPU"), days=("8.25", "day"), hours=("101k", "GPU-hour"))
    assert hours.holds
    assert check("[a] = [b]", a=("2", "USD/GPU-hour"), b=("17.5k", "USD/GPU/year")).holds


def test_a_percentage_is_a_hundredth():
    assert check("1 - [new] / [old] = [less]", new="2.19", old="60.0", less=("96.4", "percent")).holds
    assert check("[new] / [old] = [share]", new="2.19", old="60.0", share=("3.7%", "")).holds


def test_what_was_printed_a_thousand_times_too_large_is_shown_with_its_sum():
    found = check("[h] * [rate] = [cost]", h=("2,788.8M", "GPU-hour"), rate=("2.0", "USD/GPU-hour"), cost="5.576M")
    assert not found.holds
    assert found.words == "2,788.8M GPU-hours × $2.0/GPU-hour = $5.58bn, not $5.576M (off by a factor of 1,000)"


@pytest.mark.parametrize(
    "expression", ["[usd] = [gpus]", "[usd] + [gpus] = [usd]", "[usd] = 5", "[usd] * [gpus] = [usd]"]
)
def test_units_that_do_not_fit_are_an_error(expression):
    with pytest.raises(IdentityError, match="does not convert to"):
        check(expression, usd="5", gpus=("5", "GPU"))


# ---------------------------------------------------------------------------------------------
# Any ratio


@pytest.mark.parametrize(
    ("ratio", "holds"), [("320", True), ("189", True), ("509", True), ("400", False), ("321", False)]
)
def test_any_ratio_is_that_of_two_amounts_or_sums_that_have_none_in_common(ratio, holds):
    amounts = {"cost": "5M", "capex": "1.6bn", "opex": "944M"}
    found = check("any ratio article = [r]", money=amounts, r=figure(ratio, "", error=0.002), **amounts)
    assert found.holds is holds
    assert ("no two" in found.words) is not holds


def test_any_ratio_names_the_amounts_and_the_nearest_ratios():
    found = check("any ratio article = [r]", money=("a", "b"), r=("400", ""), a="5M", b="1.6bn")
    assert found.words.startswith("400 is the ratio of no two of the article's amounts ($5M, $1.6bn) or of their sums;")
    assert found.words.endswith("the nearest are 320, 0.00313")


@pytest.mark.parametrize("amounts", [{}, {"a": "5M"}, {f"a{i}": "5M" for i in range(41)}, {"a": "0", "b": "-1"}])
def test_any_ratio_wants_some_amounts_and_not_too_many(amounts):
    with pytest.raises(IdentityError, match=r"amounts of money in 'article'"):
        check("any ratio article = [r]", money=amounts, r=("2", ""), **amounts)


# ---------------------------------------------------------------------------------------------
# Dates


@pytest.mark.parametrize(
    ("expression", "holds"),
    [("[day] = [month]", True), ("[day] = [day]", True), ("[late] = [day]", False), ("[day] <= [late]", True),
     ("[late] <= [month]", False), ("[late] >= [month]", True), ("[month] <= [day]", True), ("[month] >= [day]", True)],
)  # fmt: skip
def test_dates_are_compared_and_a_month_is_all_its_days(expression, holds):
    dates = {"day": datetime.date(2025, 1, 20), "month": "2025-01", "late": "2025-09-17"}
    known = {name: period(raw) for name, raw in dates.items()}
    assert identities.check(expression, known, {}).holds is holds


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("2025-01-10", "2024-12-26", "10 January 2025, 15 days after 26 December 2024"),
        ("2025-01-19", "2025-01-20", "19 January 2025, 1 day before 20 January 2025"),
        ("2023-05", "2023-07-17", "May 2023, at least 47 days before 17 July 2023"),
        ("2024-02-29", "2024-02", "29 February 2024, which agrees with February 2024"),
        ("2025-01-20", "2025-01-20", "20 January 2025, the same date"),
        ("9999-12", "9999-12", "December 9999, the same date"),
    ],
)
def test_dates_are_told_by_their_distance(a, b, words):
    assert identities.check("[a] = [b]", {"a": period(a), "b": period(b)}, {}).words == words


@pytest.mark.parametrize(
    "expression", ["[day] = 5", "[day] = [usd]", "[day] + [day] = [day]", "[day] = [day] * 1", "[usd] = [day]"]
)
def test_a_date_is_compared_with_a_date_only(expression):
    with pytest.raises(IdentityError, match="a date against what is none"):
        check(expression, day=period("2025-01-20"), usd="5")


@pytest.mark.parametrize("raw", ["2025-13", "2025-02-30", "soon", "25-01", "٢٠٢٥-٠١"])
def test_what_is_no_date_is_an_error(raw):
    with pytest.raises(IdentityError, match="neither a number nor a date"):
        period(raw)


# ---------------------------------------------------------------------------------------------
# Words


@pytest.mark.parametrize(
    ("expression", "figures", "words"),
    [
        ("[a] = [b]", {"a": "5.576M", "b": "5.576M"}, "$5.576M, as b has it"),
        ("[a] = [b]", {"a": "5.6M", "b": "5.576M"}, "$5.6M, where b has $5.576M"),
        ("[a] = [b]", {"a": ("67.1bn", "parameter"), "b": ("671bn", "parameter")},
         "67.1bn parameters, where b has 671bn parameters (off by a factor of 10)"),
        ("[a] + [b] = [c]", {"a": "1.629bn", "b": "944M", "c": "2.573bn"}, "$1.629bn + $944M = $2.573bn, as stated"),
        ("[a] / [b] = [c]", {"a": "2.788M", "b": "30.84M", "c": figure("0.1", "", error=0.25)},
         "$2.788M ÷ $30.84M = 0.0904, stated 0.1"),
        ("[a] >= [b]", {"a": "5M", "b": "6M"}, "$5M, at least $6M"),
        ("[a] >= [b]", {"a": "5.0M", "b": "7.0M"}, "$5.0M, not at least $7.0M (off by a factor of 1.4)"),
        ("[a] * [b] = [c]", {"a": ("2,048", "GPU"), "b": ("2", "month"), "c": ("9.99M", "GPU-hour")},
         "2,048 GPU × 2 months = 2.99M GPU-hours (2.24M to 3.74M), not 9.99M GPU-hours (off by a factor of 3.34)"),
        ("[a] / 1000 = [b]", {"a": "2,788.8M", "b": "2.788M"},
         "$2,788.8M ÷ 1000 = $2.7888M, not $2.788M (off by 0.029 %)"),
        ("1 - [a] / [b] = [c]", {"a": "2.19", "b": "60.0", "c": ("93", "percent")},
         "1 - $2.19 ÷ $60.0 = 96.4 %, not 93 % (off by 3.6 %)"),
    ],
)  # fmt: skip
def test_a_sum_is_told_with_its_figures_and_by_how_much_it_fails(expression, figures, words):
    assert check(expression, **figures).words == words


def test_a_sum_with_intervals_is_told_by_its_ends_and_its_least_distance():
    hours, rate = interval("54M", "60M", "GPU-hour"), interval(2.5, 3.5, "USD/GPU-hour")
    found = check("[hours] * [rate] = [cost]", hours=hours, rate=rate, cost="63M")
    assert found.words.endswith("$2.5 to $3.5/GPU-hour = $135M to $210M, not $63M (off by at least a factor of 2.13)")


def test_a_loose_figure_is_told_with_its_tolerance():
    assert figure("1", "", error=1).words() == "1 within a factor of 2"
    assert figure("10,000", "GPU", error=0.2).words() == "10,000 GPU"


@given(PRINTED, PRINTED)
def test_words_show_the_figures_as_printed_but_for_their_suffix(a, b):
    words = check("[a] = [b]", a=a, b=b).words
    assert a.replace("T", "tn") in words


# ---------------------------------------------------------------------------------------------
# What cannot be read


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("[a]", "has not one relation"),
        ("[a] = [a] = [a]", "has not one relation"),
        ("[a] == [a]", "has not one relation"),
        ("[a] < [a]", "has not one relation"),
        ("", "has not one relation"),
        ("[a] = [nowhere]", "no figure 'nowhere'"),
        ("[a] / ([a] - [a]) = 1", "divides by what may be zero"),
        ("[a] / 0 = [a]", "divides by what may be zero"),
        ("9**9**9 = 1", "has more than"),
        ("9//2 = 1", "has more than"),
        ("1(2) = 1", "has more than"),
        ("+[a] = [a]", "has more than"),
        ("__import__ = 1", "has more than"),
        ("_ = 1", "has more than"),
        ("x0 = [a]", "has more than"),
        ("e = [a]", "has more than"),
        ("[] = [a]", "has more than"),
        ("[а] = 5€", "has more than"),
        ("True = 1", "has more than"),
        ("[a][a] = [a]", "is no expression"),
        ("[a]1 = [a]", "is no expression"),
        ("([a] = [a]", "is no expression"),
        (" = [a]", "is no expression"),
        ("1e = [a]", "is no expression"),
        ("1e999 = [a]", "no amount of anything"),
        (
            "[huge] * [huge] * [huge] * [huge] * [huge] * [huge] * [huge] * [huge] * [huge] * [huge] * [huge] = 1",
            "no finite",
        ),
        ("+".join(["1"] * 5000) + " = [a]", "has 9999 characters"),
        ("(" * 149 + "1" + ")" * 149 + " = [a]", "does not convert"),
        ("-" * 299 + "1 = [a]", "does not convert"),
    ],
)
def test_an_expression_that_cannot_be_read_says_why(expression, found):
    with pytest.raises(IdentityError, match=re.escape(found)) as caught:
        check(expression, a="5M", huge="1e29")
    assert caught.value.mend


@given(st.text(alphabet="[]ab0129.eE+-*/()= <>_x", max_size=40))
def test_no_expression_whatever_ends_in_anything_but_a_check_or_its_error(text):
    with contextlib.suppress(IdentityError):
        assert check(text, a="5M", b="2").words


@given(st.text(alphabet="0123456789.,_+-eEkKMBTbn%", min_size=1, max_size=12))
def test_no_text_whatever_ends_in_anything_but_a_figure_or_its_error(text):
    with contextlib.suppress(IdentityError):
        found = figure(text, "USD")
        assert found.low <= found.value <= found.high
