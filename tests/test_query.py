"""Questions to a run: what an expression comes to, how sure that is, and what is said of one that is none."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import FULL
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from simulate import cli, loading, pipeline, query_report, results
from simulate.errors import ExpressionError, RunError, SimulateError
from simulate.expressions import MOST_CHARACTERS, parse
from simulate.formulas import Checking, Quantities
from simulate.inference import Settings
from simulate.query import Answer, answers, query
from simulate.results import Run

HYPHENS = FULL.replace("[runs.base]", "[runs.v3-base]")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """A run of the priors alone, of every section of a prior file."""
    folder = tmp_path_factory.mktemp("query")
    path = folder / "full.toml"
    path.write_text(HYPHENS)
    settings = Settings(draws=1000, prior_only=True)
    return pipeline.run(loading.load(path), settings, out=folder / "results", figures=())


@pytest.fixture(scope="module")
def quantities(run) -> Quantities:
    return Quantities.of(run)


@pytest.fixture(scope="module")
def draws(quantities):
    return {str(name): value.to_numpy() for name, value in quantities.tree["prior"].dataset.data_vars.items()}


@pytest.fixture
def ask(quantities):
    def ask(expression: str) -> Answer:
        (answer,) = answers(quantities, [expression], 0.9)
        return answer

    return ask


@pytest.fixture
def flaws(quantities):
    """Return (the text from where it is wrong, what is said of it) for each flaw of some expressions."""

    def flaws(*expressions: str) -> list[tuple[str, str]]:
        with pytest.raises(ExpressionError) as caught:
            answers(quantities, expressions, 0.9)
        return [(expression[start:], text) for expression, start, text in caught.value.flaws]

    return flaws


def invoke(run: Run, *arguments: str):
    return CliRunner().invoke(cli.main, ["query", str(run.folder), *arguments])


# --- What an expression comes to -------------------------------------------------------------


def test_a_quantity_has_the_median_interval_and_errors_of_the_summary(run, ask):
    row = ask("ownership").row
    found = run.manifest["scopes"]["ownership"]
    assert (row.p50, row.lower, row.upper) == (found["median"], found["lower"], found["upper"])
    assert (row.mcse_p50, row.mcse_lower) == (found["mcse_median"], found["mcse_lower"])


def test_a_probability_is_a_share_of_the_draws(ask, draws):
    assert ask("P(company > ownership)").value == (draws["company"] > draws["ownership"]).mean()


@pytest.mark.parametrize("number", ["0.5 bn", "$0.5bn", "$500M", "500_000k USD", "5e8"])
def test_numbers_are_read_with_suffixes_units_and_dollars(ask, draws, number):
    assert ask(f"P(company > {number})").value == (draws["company"] > 5e8).mean()


def test_a_ratio_is_taken_draw_by_draw_in_the_unit_that_follows(ask, draws):
    found = ask("ownership / gpus")
    assert found.value == np.median(draws["ownership"] / draws["gpus"])
    assert found.unit == "USD/GPU"


def test_units_of_time_are_converted(ask, draws):
    found = ask("staff * 6 month / (1 year)")
    assert found.value == pytest.approx(np.median(draws["staff"]) / 2, rel=1e-12)
    assert found.unit == "USD/year"


def test_a_share_of_unlike_times_is_a_plain_number(ask, draws):
    found = ask("operating_per_gpu[h800] / gpu_hour_owned[h800]")
    assert found.value == pytest.approx(
        np.median(draws["operating_per_gpu"][..., 0] / draws["gpu_hour_owned"][..., 0]) / 8766, rel=1e-12
    )
    assert found.unit == ""


def test_a_statistic_of_a_quantity_is_that_of_its_draws(ask, draws):
    assert ask("q90(development)").value == np.quantile(draws["development"], 0.9)
    assert ask("E(company)").value == draws["company"].mean()
    assert ask("sd(company)").value == draws["company"].std(ddof=1)


def test_a_condition_leaves_the_draws_in_which_it_holds(ask, draws):
    there = draws["fleet.h100.exists"] == 1
    found = ask("P(gpus > 15k | fleet.h100.exists)")
    assert found.value == (draws["gpus"][there] > 15e3).mean()
    assert found.held == there.sum()


def test_and_or_not_and_chained_comparisons_are_logic(ask, draws):
    gpus, there = draws["gpus"], draws["fleet.h100.exists"] == 1
    expected = ((gpus > 9e3) & (gpus < 12e3) & ~there) | (gpus > 20e3)
    assert ask("P(9k GPU < gpus < 12k and not fleet.h100.exists or gpus > 20k)").value == expected.mean()


def test_the_sum_over_an_index_is_the_quantity_that_is_that_sum(ask):
    assert ask("sum(run_cost)").value == pytest.approx(ask("official_runs").value, rel=1e-12)


def test_a_hyphen_in_a_path_is_no_minus(ask, draws):
    hours = draws["runs.v3-base.gpu_hours"]
    assert ask("runs.v3-base.gpu_hours-1M GPU-hour").value == np.median(hours - 1e6)
    assert ask("gpu_hours[v3-base]").value == np.median(hours)


NUMBERS = st.integers(1, 99).map(str)
SUMS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"{parts[0]} {parts[1]} {parts[2]}"),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
    ),
    max_leaves=12,
)


@given(SUMS)
def test_arithmetic_binds_as_in_any_language(text):
    checking = Checking(Quantities.__new__(Quantities))
    try:
        expected = eval(text)
    except ZeroDivisionError:
        return
    with np.errstate(all="ignore"):
        assert checking.formula(parse(text, ())).value(np.array([True])) == pytest.approx(expected, rel=1e-9, abs=1e-9)


# --- How sure it is --------------------------------------------------------------------------


@pytest.mark.parametrize("expression", ["P(gpus > 10k | fleet.h100.exists or gpus < 11k)", "1 - P(gpus > 10k)"])
def test_the_jackknife_finds_the_error_of_independent_draws(ask, expression):
    found = ask(expression)
    exact = np.sqrt(found.value * (1 - found.value) / (found.held or found.draws))
    low, high = np.sqrt(chi2.ppf([0.001, 0.999], 19) / 19)  # the jackknife's own error, of 20 blocks
    assert low < found.mcse / exact < high


def test_an_event_that_no_draw_shows_is_not_called_impossible(run, ask):
    found = ask("P(gpus > 1M)")
    assert query_report.in_words(found) == "<0.01"
    assert query_report.for_machines(run, [found])["answers"][0]["mcse"] is None
    assert found.notes == ["true in none of the 4,000 draws"]


@pytest.mark.parametrize("held", ["gpus > 24k", "gpus < 11k or gpus > 24k", "gpus > 12k"])
def test_a_probability_and_its_complement_are_told_alike(ask, held):
    one, other = (query_report.in_words(ask(f"P({what})")) for what in (held, f"not ({held})"))
    assert float(one.strip("<>")) + float(other.strip("<>")) == pytest.approx(1)
    assert (one[0] == "<") == (other[0] == ">")


def test_a_probability_next_to_certainty_is_bounded_by_what_the_draws_allow(ask):
    for cut in ("23k", "24k", "25k"):
        found = ask(f"P(gpus < {cut})")
        said = query_report.in_words(found)
        assert said.startswith(">") == (1 - found.value < 2 * found.mcse)
        assert float(said.strip(">")) < 1
        assert not said.startswith(">") or float(said.strip(">")) <= found.value


@pytest.mark.parametrize("expression", ["median(company | {})", "P(company > 1bn | {})", "q90(company | {}) / 2"])
def test_what_rests_on_a_handful_of_draws_is_refused(flaws, draws, expression):
    third = float(np.sort(draws["gpus"], axis=None)[-3])
    [(_, said)] = flaws(expression.format(f"gpus >= {third!r}"))
    assert "rests on 3 of 4,000 draws" in said


def test_an_end_that_the_draws_do_not_reach_is_refused(flaws, run):
    [(_, said)] = flaws("q99.99(company)")
    assert "4,000 draws tell nothing; ask for q0.05 to q99.95" in said
    with pytest.raises(SimulateError, match=r"too few for 99\.99 % intervals"):
        query(run, ["company"], probability=0.9999)
    assert query(run, ["P(company > 1 bn)"], probability=0.9999)  # which has no interval


def test_a_condition_that_seldom_holds_is_said_to(ask):
    assert "which is few" in ask("mean(gpus | gpus > 24k)").notes[0]


def test_the_probability_of_the_intervals_can_be_chosen(run, draws):
    (found,) = query(run, ["company"], probability=0.5)
    assert (found.row.lower, found.row.upper) == tuple(np.quantile(draws["company"], [0.25, 0.75]))


# --- What is wrong with one ------------------------------------------------------------------


def test_money_and_chips_are_not_added_and_the_place_is_said(flaws):
    assert flaws("company + gpus") == [("gpus", "GPU beside USD; give both in units that convert to one another")]


def test_the_caret_stands_under_what_is_wrong(run):
    done = invoke(run, "P(company > 30k GPU)")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[1:] == [
        "  P(company > 30k GPU)",
        "              ^ GPU beside USD; give both in units that convert to one another",
    ]


def test_all_faulty_expressions_are_named_at_once_and_what_was_meant(flaws):
    found = flaws("compny / final_run", "company", "fleet.h80.count + ownershp")
    assert [where for where, _ in found] == ["compny / final_run", "fleet.h80.count + ownershp", "ownershp"]
    assert [text.split("; did you mean ")[1].split()[0].strip("?") for _, text in found] == [
        "company",
        "fleet.h800.count",
        "ownership",
    ]


@pytest.mark.parametrize(
    ("expression", "where", "said"),
    [
        ("run_cost", "run_cost", "one of v3-base, reasoning, or all of them: sum(run_cost)"),
        ("company > 1bn", "company", "ask for its probability: P(…)"),
        ("P(company)", "company", "is a number, and neither true nor false"),
        ("2 + 3", "2", "names no quantity"),
        ("median(3)", "3", "is the same in every draw"),
        ("log(company)", "company", "log of USD"),
        ("company / (gpus - gpus)", "company", "has no finite value in any draw"),
        ("mean(gpus | gpus > 1T)", "mean", "the condition holds in too few draws"),
        ("max(company, 1,000)", ",000", "a comma in a number"),
        ("company == 1bn", "==", "draws are never equal"),
        ("30 quux", "quux", "no unit 'quux'"),
    ],
)
def test_what_cannot_be_computed_is_said_where_it_stands(flaws, expression, where, said):
    ((text, message),) = flaws(expression)
    assert text.startswith(where)
    assert said in message


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "(lambda: 1)()", "company.__class__", "9**9**9**9", "(" * 900,
        "-" * 999 + "1",
        "not " * 240 + "company", "1+" * 400 + "company", "P(" * 300, "x" * (MOST_CHARACTERS + 1), "\x1b[2J", "", "\0",
        "1e999 * company", "company[[", "company[" + "a" * 500 + "]",
    ],
)  # fmt: skip
def test_a_hostile_expression_is_an_error_and_nothing_else(quantities, text):
    with pytest.raises(ExpressionError) as caught:
        answers(quantities, [text], 0.9)
    assert str(caught.value).replace("\n", "").isprintable()


# --- The draws -------------------------------------------------------------------------------


def saved(run: Run, path: Path, *expressions: str) -> list[list[str]]:
    query_report.save_draws(path, run, query(run, expressions))
    lines = path.read_text().splitlines()
    return list(csv.reader(itertools.dropwhile(lambda line: line.startswith("#"), lines)))


def test_the_draws_of_an_answer_give_the_answer(run, ask, tmp_path):
    header, *rows = saved(run, tmp_path / "d.csv", "P(company > ownership | fleet.h100.exists)", "company / gpus")
    assert header == ["chain", "draw", "company > ownership", "fleet.h100.exists", "company / gpus"]
    drawn = np.array(rows, dtype=float)
    assert drawn[drawn[:, 3] == 1, 2].mean() == ask("P(company > ownership | fleet.h100.exists)").value
    assert np.median(drawn[:, 4]) == ask("company / gpus").value


def test_a_file_of_draws_says_its_units_and_its_run(run, tmp_path):
    saved(run, tmp_path / "d.csv", "company / gpus")
    text = (tmp_path / "d.csv").read_text()
    assert "# unit of company / gpus: USD/GPU\n" in text
    assert f"# digest: {run.manifest['digest']}\n" in text


def test_parquet_holds_the_same_draws_with_units_as_metadata(run, draws, tmp_path):
    query_report.save_draws(tmp_path / "d.parquet", run, query(run, ["company", "P(gpus > 10k)"]))
    table = pq.read_table(tmp_path / "d.parquet")
    assert np.array_equal(table["company"].to_numpy(), draws["company"].ravel())
    assert table.schema.field("company").metadata == {b"units": b"USD"}
    assert json.loads(table.schema.metadata[b"simulate"])["seed"] == 1


def test_a_file_that_is_there_is_replaced_only_when_told(run, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("mine")
    refused = invoke(run, "company", "--draws", str(path))
    assert (refused.exit_code, path.read_text()) == (1, "mine")
    assert "--overwrite" in refused.stderr
    assert invoke(run, "company", "--draws", str(path), "--overwrite").exit_code == 0
    assert path.read_text().startswith("# run: ")


def test_a_place_where_draws_cannot_be_written_is_an_error_and_nothing_is_left(run, tmp_path):
    with pytest.raises(SimulateError, match=r"\.csv or \.parquet"):
        query_report.check_place(tmp_path / "d.xlsx", overwrite=False)
    with pytest.raises(RunError, match="no such file or directory"):
        saved(run, tmp_path / "missing" / "d.csv", "company")
    assert list(tmp_path.iterdir()) == []


# --- The command -----------------------------------------------------------------------------


def test_the_command_prints_every_answer_with_level_and_kind(run):
    done = invoke(run, "company", "P(company > 100M)")
    assert done.exit_code == 0
    assert "4,000 draws, equal-tailed intervals" in done.stdout
    assert "90 % credible interval" in done.stdout


def test_json_has_the_numbers_and_their_errors(run, ask):
    (found,) = json.loads(invoke(run, "company", "--json").stdout)["answers"]
    answer = ask("company")
    assert (found["value"], found["mcse"], found["lower"]) == (answer.value, answer.mcse, answer.row.lower)


def test_a_run_that_has_not_converged_answers_and_exits_3(run, tmp_path, unconverged):
    done = invoke(unconverged(run, tmp_path), "company")
    assert done.exit_code == 3
    assert done.stdout.startswith("NOT CONVERGED")
    assert results.load(run.folder).converged
