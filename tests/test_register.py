"""The register of published claims: the shipped one is whole, and a faulty one says all that is wrong with it."""

from __future__ import annotations

import datetime
import re

import pytest
from conftest import Write

from simulate import layers, register
from simulate.errors import InputError
from simulate.figures import Figure, Period
from simulate.register import Register

IDS = [
    *(f"A0-{number:02}" for number in range(1, 29)),
    *(f"A1-{number:02}" for number in range(1, 11)),
    *(f"A2-{number:02}" for number in range(1, 15)),
    *(f"A3-{number:02}" for number in range(1, 25)),
    *(f"A4-{number:02}" for number in range(1, 9)),
]
SMALL = """
register = 1
title = "A small register"

[articles.A]
publisher = "A paper"
date = 2025-01-30

[systems.lab]
label = "Lab"
subject = "the lab"
priors = "lab"

[figures.hours]
value = "2.0M"
unit = "GPU-hour"
says = "hours"
source = "report"

[figures.born]
value = 2025-01-01
says = "a date"
source = "report"

[claims.A-1]
article = "A"
claimant = "Someone"
says = "It cost $5M."
system = "lab"
topic = "cost"
quantity = "final_run"
scope = "final_run"
value = "5M"
unit = "USD"
source = "report"

[sources.report]
title = "A report"
known = "primary"
"""
CLAIM = 'value = "5M"\nunit = "USD"\n'
FOREIGN = re.compile(r"pydantic|<class|NoneType|\b(None|int|float|str|dict|dictionary|Traceback|Error)\b|Undefined")


@pytest.fixture(scope="module")
def shipped() -> Register:
    return register.load(layers.shipped_folder() / "claims.toml")


@pytest.fixture
def faults(write: Write):
    """Return (path, what was found) of every fault of a register's text."""

    def faults(text: str | bytes) -> list[tuple[str, str]]:
        with pytest.raises(InputError) as caught:
            register.load(write(text, "register.toml"))
        assert not FOREIGN.search(str(caught.value))
        assert all("\n" not in str(fault) and fault.mend for fault in caught.value.faults)
        return [(fault.path, fault.found) for fault in caught.value.faults]

    return faults


def claim(body: str) -> str:
    """Return the small register with another figure in its claim."""
    assert SMALL.count(CLAIM) == 1
    return SMALL.replace(CLAIM, f"{body}\n")


# ---------------------------------------------------------------------------------------------
# The shipped register


def test_it_has_the_84_claims_each_once_and_in_order(shipped):
    assert [claim.id for claim in shipped.claims] == IDS
    assert len(IDS) == 84


@pytest.mark.parametrize("name", ["claimant", "says", "quantity", "topic"])
def test_every_claim_says_who_what_and_of_what(shipped, name):
    assert all(getattr(claim.entry, name).strip() for claim in shipped.claims)


def test_every_claim_is_of_an_article_with_a_publisher_and_a_date(shipped):
    articles = [shipped.articles[claim.entry.article] for claim in shipped.claims]
    assert all(claim.id.startswith(f"{claim.entry.article}-") for claim in shipped.claims)
    assert all(article.publisher and article.date for article in articles)


def test_every_claim_has_a_source_unless_its_article_is_it(shipped):
    own = [c.id for c in shipped.claims if not c.entry.source and c.entry.topic not in register.NOT_ABOUT_COST]
    assert own == ["A0-10", "A0-21", "A0-22", "A0-23", "A0-25", "A1-09", "A3-08", "A3-19", "A3-20", "A4-08"]


def test_every_figure_that_claims_are_held_against_has_a_source_and_words(shipped):
    assert all(figure.source and figure.says for figure, _ in shipped.figures.values())


def test_every_claim_with_a_number_of_money_has_its_unit(shipped):
    assert all(claim.figure.unit for claim in shipped.claims if claim.figure and "$" in claim.entry.says)


def test_the_digits_of_a_claim_stand_in_its_words(shipped):
    printed = {c.id: (c.entry.value, c.entry.says) for c in shipped.claims if isinstance(c.entry.value, str)}
    digits = {key: re.sub(r"[^0-9.]", "", value).rstrip("0").rstrip(".") for key, (value, _) in printed.items()}
    missing = [key for key, (_, says) in printed.items() if digits[key] not in says.replace(",", "")]
    assert missing == ["A0-13", "A3-04", "A4-04"]  # two months, May, January


def test_no_verdict_is_stored_in_it(shipped):
    text = shipped.path.read_text(encoding="utf-8")
    assert not re.search(r"^\s*(verdict|percentile|status)\b", text, flags=re.MULTILINE)


def test_every_source_is_cited_and_every_system_has_claims(shipped):
    cited = {claim.entry.source for claim in shipped.claims} | {figure.source for figure, _ in shipped.figures.values()}
    cited |= {claim.entry.said.source for claim in shipped.claims if claim.entry.said}
    assert shipped.sources.keys() - cited == set()
    assert {claim.entry.system for claim in shipped.claims} == {"", *shipped.systems}


def test_the_sums_that_fail_among_its_own_figures_are_the_known_ones(shipped):
    failing = [key for key, (_, checks) in shipped.figures.items() if not all(check.holds for check in checks)]
    assert failing == ["r1-wall-days", "rl-alone", "fire-flyer-bought"]


# ---------------------------------------------------------------------------------------------
# What a claim can state


@pytest.mark.parametrize(
    ("body", "low", "high"),
    [
        ('value = "5.0M"', 4.95e6, 5.05e6),
        ("value = 5_000_000\nerror = 0", 5e6, 5e6),
        ('value = "4M"\nerror = 0.25', 3.2e6, 5e6),
        ('interval = ["2M", "6M"]', 2e6, 6e6),
    ],
)
def test_a_figure_is_a_value_as_printed_with_an_error_or_an_interval(write, body, low, high):
    [only] = register.load(write(claim(f'{body}\nunit = "USD"'))).claims
    assert isinstance(only.stated, Figure)
    assert (only.stated.low, only.stated.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(
    ("body", "first", "last"),
    [
        ("value = 2025-01-20", "2025-01-20", "2025-01-20"),
        ('value = "2025-01-20"', "2025-01-20", "2025-01-20"),
        ('value = "2024-02"', "2024-02-01", "2024-02-29"),
        ('interval = ["2021-01", "2021-12"]', "2021-01-01", "2021-12-31"),
        ('interval = [2021-03-01, "2021-12"]', "2021-03-01", "2021-12-31"),
    ],
)
def test_a_date_is_a_day_a_month_or_all_between_two(write, body, first, last):
    [only] = register.load(write(claim(body))).claims
    assert only.stated == Period(datetime.date.fromisoformat(first), datetime.date.fromisoformat(last))


def test_a_claim_may_be_in_words_only(write):
    [only] = register.load(write(claim(""))).claims
    assert only.stated is None
    assert only.figure is None


def test_a_source_speaks_by_its_one_author_its_publisher_or_its_title(shipped):
    who = {name: register.whose(source) for name, source in shipped.sources.items()}
    assert who["deepseek-v3"] == "DeepSeek-AI"
    assert who["semianalysis-2025"] == "SemiAnalysis"
    assert who["altman-2023"] == "S. Altman"
    assert who["list-prices"] == "general knowledge"
    assert who["derived"] == "our arithmetic"


# ---------------------------------------------------------------------------------------------
# Faults


@pytest.mark.parametrize(
    ("body", "path", "found"),
    [
        ('value = "much"', "value", "'much' is neither a number nor a date"),
        ("value = true", "value", "'True' is neither a number, a text nor a date"),
        ("value = [5]", "value", "is neither a number, a text nor a date"),
        ("value = { a = 5 }", "value", "is neither a number, a text nor a date"),
        ("value = 2025-01-20T10:00:00", "value", "'2025-01-20 10:00:00' is neither a number, a text nor a date"),
        ("value = nan", "value", "nan is no amount of anything here"),
        ("value = inf", "value", "inf is no amount of anything here"),
        ('value = "1e400"', "value", "1e400 is no amount of anything here"),
        ('value = "2025-13"', "value", "'2025-13' is neither a number nor a date"),
        ("interval = [2, 1]", "interval", "2 to 1 does not increase from above zero"),
        ("interval = [1, inf]", "interval", "inf is no amount of anything here"),
        ("interval = [1]", "interval", "should have at least 2 items, not 1"),
        ('interval = ["2021-12", "2021-01"]', "interval", "December 2021 to January 2021 does not increase"),
        ('interval = [1, "2021-01"]', "interval", "'2021-01' is not a number"),
        ("value = 1\ninterval = [1, 2]", "interval", "stands beside a value or an error"),
        ("value = 1\nerror = -1", "error", "'-1' should be greater than or equal to 0"),
        ("value = 1\nerror = inf", "error", "'inf' should be a finite number"),
        ('value = 1\nunit = "k USD"', "unit", "unknown unit 'k USD'"),
        ('value = 1\nunit = "USD**9999999"', "unit", "unknown unit 'USD**9999999'"),
        ('value = 2025-01-20\nunit = "USD"', "unit", "a date has none"),
        ('identity = ["[A-1] = [hours]"]', "identity[0]", "'A-1' states no number and no date"),
        ('identity = ["[hours] = [hour]"]', "identity[0]", "no figure 'hour'"),
        ('identity = ["[hours] = [born]"]', "identity[0]", "sets a date against what is none"),
        ('identity = "[hours] = [hours]"', "identity", "'[hours] = [hours]' is not a list"),
        ('said = { kind = "floor", value = "much", source = "report" }', "said.value", "'much' is not a number"),
        ('said = { kind = "floor", value = 1, unit = "x", source = "report" }', "said.unit", "unknown unit 'x'"),
        ('said = { kind = "floor", value = 1, source = "nowhere" }', "said.source", "'nowhere' is not defined"),
        ('kind = "about"', "kind", "'about' should be 'estimate', 'floor' or 'ceiling'"),
        ('verdict = "wrong"', "verdict", "unknown key"),
    ],
)
def test_a_fault_of_a_claim_is_told_once_and_where(faults, body, path, found):
    assert faults(claim(body)) == [(f"claims.A-1.{path}", found)]


def test_all_faults_come_at_once(faults):
    text = claim('value = "much"\nidentity = ["[nobody] = 1", "5 = 5 = 5"]').replace('"A"', '"B"', 1)
    text = text.replace('scope = "final_run"', 'scope = "everything"').replace('"GPU-hour"', '"hours of GPUs"')
    assert [path for path, _ in faults(text)] == [
        "claims.A-1.article",
        "claims.A-1.identity[0]",
        "claims.A-1.identity[1]",
        "claims.A-1.scope",
        "claims.A-1.value",
        "figures.hours.unit",
    ]


def test_a_sum_with_a_faulty_figure_is_no_second_fault(faults):
    text = claim('value = "5M"\nunit = "k USD"\nidentity = ["[A-1] = [hours]"]')
    assert faults(text) == [("claims.A-1.unit", "unknown unit 'k USD'")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("register", "missing: this is no register of claims")]),
        ("register = 1", [("articles", "missing"), ("claims", "missing"), ("title", "missing")]),
        (SMALL.replace("register = 1", "register = 2"), [("register", "'2' should be 1")]),
        (SMALL.replace("register = 1", "register = true"), [("register", "'true' should be 1")]),
        ('register = 1\ntitle = ""\narticles = 3\nclaims = {}',
         [("articles", "'3' is not a table"), ("claims", "should have at least 1 item, not 0"),
          ("title", "'' is empty")]),
        (SMALL.replace("figures.hours", "figures.A-1"), [("figures.A-1", "has the name of a claim")]),
        (SMALL.replace("claims.A-1", 'claims."A 1"'), [("claims.A 1", "not a name")]),
        (SMALL.replace("A report", "A \\u0007 report"), [("sources.report.title", "holds a control character")]),
        (b"\xff\xfe", [("file", "is not UTF-8 text")]),
        ("#" * 2_000_000, [("file", "larger than 1,000,000 bytes")]),
    ],
)  # fmt: skip
def test_a_register_that_is_none_says_so(faults, text, expected):
    assert faults(text) == expected


def test_an_id_that_stands_twice_is_a_fault_of_the_syntax(faults):
    [(path, found)] = faults(SMALL + "\n[claims.A-1]\n")
    assert path == "TOML"
    assert "twice" in found


@pytest.mark.parametrize("name", [".", "nowhere.toml", "\0", "a" * 5000])
def test_what_is_no_file_is_a_fault(name, tmp_path):
    with pytest.raises(InputError, match="file: cannot be read"):
        register.load(tmp_path / name)


def test_a_register_is_told_from_a_prior_file(write):
    assert layers.is_register(write(SMALL))
    assert not layers.is_register(write("schema = 1"))
    with pytest.raises(InputError, match="register: this is a register of claims and no prior file"):
        layers.read(write(SMALL))


def test_the_register_beside_the_prior_files_goes_before_the_shipped_one(write, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert register.find() == layers.shipped_folder() / "claims.toml"
    write(SMALL, "priors/claims.toml")
    assert register.load(register.find()).title == "A small register"
