"""Each claim gets the first verdict whose rule applies, from its own sums and from the draws of a run."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from simulate import audit, audit_report, layers, loading, pipeline, register, results
from simulate.cli import main
from simulate.inference import Settings
from simulate.results import Run
from simulate.witness import Witness, ordinal

LAB = """
schema = 1
title = "A laboratory"
subject = "the lab"

[chips.h800]
rental_rate = { interval = [1.5, 3.0], unit = "USD/GPU-hour", sources = ["market"] }
server_cost = { interval = [26e3, 45e3], unit = "USD/GPU", sources = ["market"] }

[fleet.h800]
count  = { interval = [8e3, 12e3], unit = "GPU", sources = ["market"] }
exists = { probability = 0.5, note = "disputed" }

[runs.base]
chip = "h800"
part_of = "final_run"
gpu_hours = { interval = [2e6, 3e6], unit = "GPU-hour", sources = ["paper"] }

[sources.paper]
title = "A paper"
known = "primary"

[sources.market]
title = "A market"
known = "secondary"
"""
"""A final run of about $5M, and a fleet of about $350M or none; no evidence, so that draws are independent."""
HEAD = """
register = 1
title = "Claims"
articles.A = { publisher = "A paper", date = 2025-01-30 }
systems.lab = { label = "Lab", subject = "the lab", priors = "lab" }
systems.other = { label = "Other", subject = "another", priors = "other" }
sources.paper = { title = "A paper", known = "primary", authors = ["An author"] }
sources.unread = { title = "Another paper", known = "primary" }

[figures.cost]
value = "5.0M"
unit = "USD"
says = "what the paper has"
source = "paper"

[figures.hours]
value = "2.500M"
unit = "GPU-hour"
says = "hours of the paper"
source = "paper"
"""
PLAIN = {"article": "A", "claimant": "Someone", "says": "It cost so much.", "system": "lab", "topic": "cost",
         "quantity": "final_run", "scope": "final_run", "unit": "USD"}  # fmt: skip
FLOOR = {"kind": "floor", "value": "5.0M", "unit": "USD", "source": "paper"}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """A run of the small laboratory."""
    return run_of(LAB, tmp_path_factory.mktemp("lab"), Settings(draws=2000, chains=2))


@pytest.fixture(scope="module")
def fixed(tmp_path_factory) -> Run:
    """A run of the small laboratory with its hours given as a fact."""
    text = LAB.replace("interval = [2e6, 3e6]", "value = 2.5e6")
    return run_of(text, tmp_path_factory.mktemp("fixed"), Settings(draws=50, chains=2))


def run_of(text: str, folder: Path, settings: Settings) -> Run:
    (folder / "lab.toml").write_text(text)
    return pipeline.run(loading.load(str(folder / "lab.toml")), settings, out=folder / "results", figures=())


@pytest.fixture
def find(write, run):
    """Audit a claim that has these fields, and return the finding."""

    def find(*, by: list[Run] | None = None, **fields) -> audit.Finding:
        known = register.load(write(register_of({"A-1": fields})))
        [found] = audit.audit(known, [run] if by is None else by)
        return found

    return find


def register_of(claims: dict[str, dict]) -> str:
    """Return a register's text; a field of None is left out."""
    tables = [HEAD]
    for key, fields in claims.items():
        kept = {name: value for name, value in {**PLAIN, **fields}.items() if value is not None}
        tables += [f"[claims.{key}]", *(f"{name} = {toml(value)}" for name, value in kept.items())]
    return "\n".join(tables)


def toml(value) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {toml(item)}" for name, item in value.items()) + " }"
    return json.dumps(value)


def draws(run: Run, name: str) -> np.ndarray:
    return run.tree()["posterior"][name].to_numpy()


# ---------------------------------------------------------------------------------------------
# Verdicts, one rule each


def test_what_is_about_a_market_is_not_about_cost(find):
    found = find(topic="market", value="5M")
    assert (found.verdict, found.reason) == (audit.NOT_COST, "about a market")
    assert found.off == ()


def test_what_is_not_about_cost_says_all_the_same_whether_its_sums_hold(find):
    found = find(topic="date", value="9.0M", identity=["[A-1] = [cost]", "[A-1] >= [cost]"])
    assert found.verdict == audit.NOT_COST
    assert "does not hold: $9.0M, where An author has $5.0M (off by a factor of 1.8)" in found.reason
    assert "holds: $9.0M, at least $5.0M" in found.reason


def test_a_sum_that_fails_contradicts(find):
    found = find(value="5.0bn", identity=["[A-1] = [cost]"])
    assert found.verdict == audit.CONTRADICTS
    assert found.reason.startswith("$5.0bn, where An author has $5.0M (off by a factor of 1,000); above the 99th")


def test_a_floor_that_was_made_an_estimate_is_one(find):
    found = find(value="5.0M", said={**FLOOR, "by": "An official"})
    assert found.verdict == audit.BOUND
    assert found.reason.startswith("An official said at least $5.0M; here it is just $5.0M")


def test_a_floor_that_was_made_a_ceiling_is_one_too(find):
    found = find(value="5.0M", kind="ceiling", said=FLOOR)
    assert found.verdict == audit.BOUND
    assert found.reason.startswith("An author said at least $5.0M; here it is at most $5.0M")


def test_a_bound_that_stayed_one_is_none(find):
    assert find(value="5.0M", kind="floor", said=FLOOR).verdict == audit.CONSISTENT


def test_a_number_of_another_scope_is_told_its_rung(find):
    found = find(value="5.0M", shown_as="development")
    assert found.verdict == audit.WRONG_SCOPE
    assert found.reason.startswith("belongs to final_run; shown as development; ")


def test_a_part_of_a_scope_is_told_with_the_scope(find):
    found = find(value="9k", unit="GPU", quantity="fleet.h800.count", scope="hardware", shown_as="a cloud")
    assert found.reason.startswith("belongs to hardware (fleet.h800.count); shown as a cloud; ")


def test_a_wrong_number_of_a_wrong_scope_is_not_called_right(find):
    assert find(value="9.0bn", shown_as="development").verdict == audit.INCONSISTENT


def test_an_opinion_is_not_testable_and_says_why(find):
    found = find(topic="opinion", untestable="an opinion")
    assert (found.verdict, found.reason) == (audit.NOT_TESTABLE, "an opinion")


def test_a_claim_with_no_number_and_no_sum_is_not_testable(find):
    assert (find().verdict, find().reason) == (audit.NOT_TESTABLE, "states no number")


def test_a_claim_of_another_system_needs_a_run_of_it(find):
    found = find(system="other", value="5.0M")
    assert (found.verdict, found.reason) == (audit.NOT_TESTABLE, "needs a run of other")


def test_a_quantity_that_the_run_has_not_is_not_testable(find):
    found = find(quantity="company", value="5.0M")
    assert (found.verdict, found.reason) == (audit.NOT_TESTABLE, "the run has no company")


def test_a_figure_within_the_interval_is_consistent(find):
    assert find(value="5.0M").verdict == audit.CONSISTENT


def test_a_figure_outside_of_it_is_not(find):
    assert find(value="50M").verdict == audit.INCONSISTENT
    assert find(value="0.5M").verdict == audit.INCONSISTENT


@pytest.mark.parametrize(
    ("kind", "value", "verdict"),
    [
        ("floor", "0.5M", audit.CONSISTENT),
        ("floor", "50M", audit.INCONSISTENT),
        ("ceiling", "50M", audit.CONSISTENT),
        ("ceiling", "0.5M", audit.INCONSISTENT),
    ],
)
def test_a_bound_is_inconsistent_on_its_own_side_only(find, kind, value, verdict):
    assert find(kind=kind, value=value).verdict == verdict


def test_a_claim_in_words_is_consistent_with_the_sums_it_rests_on(find):
    found = find(topic="definition", identity=["[hours] * 2 = [hours] + [hours]"])
    assert found.verdict == audit.CONSISTENT
    assert found.percentile is None


def test_a_figure_cut_off_is_consistent_and_told(find):
    found = find(
        value="2.4M", unit="GPU-hour", quantity="final_gpu_hours", identity=["[A-1] = [hours] - 10000 * [hours] / 1e6"]
    )
    assert found.verdict == audit.CONSISTENT
    assert "cut off, not rounded: 2.4M GPU-hours, " in found.reason


# ---------------------------------------------------------------------------------------------
# The order of the rules

RULES = [
    (audit.NOT_COST, {"topic": "market"}),
    (audit.CONTRADICTS, {"identity": ["[A-1] <= [cost] / 2"]}),
    (audit.BOUND, {"said": FLOOR}),
    (audit.WRONG_SCOPE, {"shown_as": "company"}),
    (audit.NOT_TESTABLE, {"untestable": "an opinion"}),
    (audit.CONSISTENT, {}),
]


@pytest.mark.parametrize("first", range(len(RULES)))
def test_the_first_rule_that_applies_gives_the_verdict(find, first):
    all_that_apply = {name: value for _, fields in reversed(RULES[first:]) for name, value in fields.items()}
    assert find(value="5.0M", **all_that_apply).verdict == RULES[first][0]


# ---------------------------------------------------------------------------------------------
# Where a figure lies


def test_a_percentile_is_the_share_of_draws_below(find, run):
    found = find(value="4.0M")
    assert found.percentile == pytest.approx(100 * (draws(run, "final_run") < 4e6).mean())
    assert found.run == str(run.folder)


def test_the_interval_told_is_that_of_the_draws(find, run):
    low, high = np.quantile(draws(run, "final_run"), [0.05, 0.95])
    told = re.search(r"\$([\d.]+)M to \$([\d.]+)M \(90 %, posterior\)", find(value="5.0M").reason)
    assert told
    assert [float(end) for end in told.groups()] == pytest.approx([low / 1e6, high / 1e6], abs=0.06)


def test_what_may_not_exist_counts_as_none_in_those_draws(find, run):
    found = find(value="1.0", unit="GPU", quantity="fleet.h800.count", scope="hardware")
    assert found.percentile == pytest.approx(100 * (1 - draws(run, "fleet.h800.exists").mean()))
    assert "fleet.h800.exists has probability 0.50" in found.reason


def test_a_figure_is_compared_in_the_unit_of_its_quantity(find):
    yearly = find(value="17.5k", unit="USD/GPU/year", quantity="chips.h800.rental_rate")
    hourly = find(value="1.9964", unit="USD/GPU-hour", quantity="chips.h800.rental_rate")
    assert yearly.percentile == pytest.approx(hourly.percentile, abs=0.2)


def test_a_figure_of_another_dimension_is_not_tested(find):
    assert find(value="5.0M", unit="GPU").verdict == audit.NOT_TESTABLE


def test_what_the_run_has_fixed_has_no_percentile_and_is_no_independent_test(find, fixed):
    fields = {"unit": "GPU-hour", "quantity": "final_gpu_hours", "by": [fixed]}
    found = find(value="2.50M", **fields)
    assert found.reason == "the run has final_gpu_hours fixed at 2.5M GPU-hours"
    assert (found.verdict, found.percentile, found.independent) == (audit.CONSISTENT, None, False)
    assert find(value="2.52M", **fields).verdict == audit.INCONSISTENT
    assert find(value="2.52M", kind="ceiling", **fields).verdict == audit.CONSISTENT


@pytest.mark.parametrize(
    ("percentile", "words"),
    [(0.4, "below the 1st percentile"), (1, "1st percentile"), (2.4, "2nd percentile"), (3, "3rd percentile"),
     (11, "11th percentile"), (12, "12th percentile"), (22, "22nd percentile"), (99.6, "above the 99th percentile")],
)  # fmt: skip
def test_a_percentile_in_words(percentile, words):
    assert ordinal(percentile) == words


def test_a_verdict_is_judged_by_90_percent_where_the_run_has_less(find, run):
    scopes = {name: {**scope, "probability": 0.2} for name, scope in run.manifest["scopes"].items()}
    narrow = Run(run.folder, {**run.manifest, "scopes": scopes})
    value = f"{np.quantile(draws(run, 'final_run'), 0.8):.3e}"
    found = find(value=value, by=[narrow])
    assert found.verdict == audit.CONSISTENT
    assert "(20 %, posterior)" in found.reason
    assert {off.probability for off in found.off} == {0.2}


# ---------------------------------------------------------------------------------------------
# Whether agreement says anything


def test_a_figure_for_other_years_than_a_run_counts_is_not_held_against_it(find):
    assert find(value="5.0M").percentile is not None
    found = find(value="5.0M", years=4)
    assert (found.percentile, found.verdict, found.off) == (None, "not-testable", ())
    assert "counts 4 years, and the run others" in found.reason


def with_evidence(run: Run, **claim) -> Run:
    """Return a run that has heard a claim."""
    heard = {"about": "final_run", "value": 5.02e6, "unit": "USD", "used": True, **claim}
    return Run(run.folder, {**run.manifest, "claims": [heard]})


def test_a_figure_that_the_run_has_heard_is_said_so(find, run):
    found = find(value="5.0M", by=[with_evidence(run)])
    assert "the run has heard it as evidence" in found.reason
    assert found.independent is False


@pytest.mark.parametrize("claim", [{"used": False}, {"value": 6e6}, {"about": "hardware"}, {"unit": "GPU"}])
def test_other_evidence_leaves_a_test_independent(find, run, claim):
    found = find(value="5.0M", by=[with_evidence(run, **claim)])
    assert "heard" not in found.reason
    assert found.independent is True


def test_a_run_without_its_evidence_has_heard_nothing(find, run):
    heard = with_evidence(run)
    alone = Run(run.folder, {**heard.manifest, "group": "prior"})
    assert find(value="5.0M", by=[alone]).independent is True


def test_evidence_on_what_a_figure_is_computed_from_is_said_so(find, run):
    by = [with_evidence(run, about="gpu_hours[base]", value=2.5e6, unit="GPU-hour")]
    fields = {"value": "2.5M", "unit": "GPU-hour", "quantity": "final_gpu_hours"}
    assert "has heard what it is computed from" in find(**fields, identity=["[A-1] = [hours]"], by=by).reason
    assert find(**fields, by=by).independent is True


def test_a_claim_of_the_source_of_a_prior_is_no_independent_test(find):
    fields = {"value": "2.5M", "unit": "GPU-hour", "quantity": "final_gpu_hours"}
    assert "the run's priors have the same source" in find(**fields, source="paper").reason
    assert find(**fields, source="unread").independent is True


# ---------------------------------------------------------------------------------------------
# How far off


def test_how_far_off_is_the_quantiles_of_scope_over_figure(find, run):
    [own, *_] = find(value="4.0M").off
    expected = np.quantile(draws(run, "final_run") / 4e6, [0.05, 0.5, 0.95])
    assert (own.scope, own.probability) == ("final_run", 0.9)
    assert [own.lower, own.median, own.upper] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ("1.0M", "estimate", r"understates final_run by [\d.]+–[\d.]+×"),
        ("1.0M", "floor", r"lies below final_run by [\d.]+–[\d.]+×"),
        ("50M", "estimate", r"overstates final_run by [\d.]+–[\d.]+×"),
        ("50M", "ceiling", r"lies above final_run by [\d.]+–[\d.]+×"),
        ("5.0M", "estimate", r"final_run is 0\.[\d]+–1\.[\d]+ times it"),
        ("10k", "estimate", r"is 0\.[\d]+–0\.[\d]+ % of final_run"),
    ],
)
def test_how_far_off_in_words(find, value, kind, words):
    [own, *_] = find(value=value, kind=kind).off
    assert re.fullmatch(words, own.words)


def test_the_words_of_how_far_off_are_its_numbers(find):
    [own, *_] = find(value="1.0M").off
    low, high = re.findall(r"[\d.]+", own.words)
    assert [float(low), float(high)] == pytest.approx([own.lower, own.upper], rel=0.06)


def test_a_scope_that_may_be_nothing_is_told_from_zero(find):
    [own, *_] = find(value="350M", quantity="hardware", scope="hardware").off
    assert own.lower == 0
    assert re.fullmatch(r"hardware is 0–1\.\d+ times it", own.words)


def test_only_what_a_figure_is_of_can_it_overstate(find):
    off = {item.scope: item.words for item in find(value="9bn", scope="hardware", shown_as="final_run").off}
    assert off["final_run"].startswith("overstates final_run by")


def test_an_interval_is_taken_at_both_its_ends(find, run):
    [own, *_] = find(interval=["2M", "8M"]).off
    low, high = np.quantile(draws(run, "final_run"), [0.05, 0.95])
    assert [own.lower, own.upper] == pytest.approx([low / 8e6, high / 2e6])


def test_a_figure_in_another_unit_than_money_is_off_nothing(find):
    assert find(value="2.5M", unit="GPU-hour", quantity="final_gpu_hours").off == ()


# ---------------------------------------------------------------------------------------------
# Which runs are asked


def test_the_first_run_of_a_system_is_asked_and_the_others_named(write, run):
    known = register.load(write(register_of({"A-1": {"value": "5.0M"}})))
    second, stranger = (Run(run.folder, {**run.manifest, **change}) for change in ({"name": "2"}, {"subject": "x"}))
    assert audit.witnesses(known, [run, second, stranger]) == [run]
    words = audit_report.tested_by(known, [run, second, stranger])
    assert re.search(r"not asked: 2 \(.*, since lab \(.* speaks of the same", words)
    assert words.endswith("since no claim is of x")


def test_without_a_run_of_its_system_a_claim_has_its_arithmetic(find):
    assert find(value="5.0M", identity=["[A-1] = [cost]"], by=[]).reason == "$5.0M, as An author has it"


def test_a_witness_knows_no_quantity_without_its_index(run):
    witness = Witness(run)
    assert witness.draws("run_cost") is None
    assert witness.draws("run_cost[nobody]") is None
    assert witness.draws("final_run[base]") is None
    assert np.array_equal(witness.draws("run_cost[base]")[0], draws(run, "final_run"))


# ---------------------------------------------------------------------------------------------
# What is printed and written


@pytest.fixture(scope="module")
def done(run, tmp_path_factory):
    """An audit of a small register through the command line: (its result, the register's path)."""
    claims = {
        "A-1": {"value": "5.0M", "note": "A | note."},
        "A-2": {"topic": "market", "value": "-17", "unit": "percent"},
        "A-3": {"value": "9.0M", "identity": ["[A-3] = [cost]"]},
        "A-4": {"value": None, "interval": ["1M", "2M"], "shown_as": "development"},
        "A-5": {"topic": "opinion", "untestable": "an opinion"},
        "A-6": {"value": "2025-01", "unit": "", "topic": "date", "quantity": "a date"},
        "A-7": {"value": "350M", "quantity": "hardware", "scope": "hardware"},
    }
    path = tmp_path_factory.mktemp("register") / "claims.toml"
    path.write_text(register_of(claims))
    return CliRunner().invoke(main, ["audit", str(run.folder), "--register", str(path), "--json"]), path


def objects(text: str) -> dict[str, dict]:
    return {claim["id"]: claim for claim in json.loads(text)["claims"]}


def test_the_json_has_every_claim_with_the_same_keys(done):
    result, _ = done
    found = json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert set(found) == {"claims", "counts", "figures", "runs", "register", "page"}
    assert [claim["id"] for claim in found["claims"]] == [f"A-{number}" for number in range(1, 8)]
    assert len({frozenset(claim) for claim in found["claims"]}) == 1
    wanted = {"id", "verdict", "reason", "quantity", "scope", "value", "percentile", "off", "sums", "independent"}
    assert wanted <= found["claims"][0].keys()
    assert sum(found["counts"].values()) == 7


def test_the_json_has_numbers_as_numbers_dates_as_text_and_nulls_for_what_is_not(done):
    found = objects(done[0].stdout)
    assert (found["A-1"]["value"], found["A-1"]["unit"]) == (5e6, "USD")
    assert (found["A-4"]["low"], found["A-4"]["high"]) == (1e6, 2e6)
    assert (found["A-6"]["value"], found["A-6"]["high"]) == ("2025-01-01", "2025-01-31")
    assert [found["A-5"][key] for key in ("value", "percentile", "run", "independent", "source")] == [None] * 5
    assert all(isinstance(off[key], float) for off in found["A-1"]["off"] for key in ("lower", "median", "upper"))


def test_the_json_names_verdicts_and_sums(done):
    found = objects(done[0].stdout)
    assert {key: claim["verdict"] for key, claim in found.items()} == {
        "A-1": "consistent", "A-2": "not-about-cost", "A-3": "contradicts-arithmetic", "A-4": "inconsistent",
        "A-5": "not-testable", "A-6": "not-about-cost", "A-7": "consistent",
    }  # fmt: skip
    [failed] = found["A-3"]["sums"]
    assert (failed["identity"], failed["holds"]) == ("[A-3] = [cost]", False)


def test_the_page_is_beside_the_run_which_stays_intact(done, run):
    page = Path(json.loads(done[0].stdout)["page"])
    assert page == run.folder / "audit.md"
    assert results.load(run.folder).manifest["checksum"] == run.manifest["checksum"]
    text = page.read_text(encoding="utf-8")
    assert all(f"| A-{number} |" in text for number in range(1, 8))
    assert "A \\| note." in text


def test_every_row_of_the_page_has_the_columns_of_its_table(run, done):
    rows = (run.folder / "audit.md").read_text(encoding="utf-8").replace("\\|", "")
    assert {line.count("|") for line in rows.splitlines() if line.startswith("|")} == {8}


def test_a_second_audit_replaces_the_page(run, done, write):
    path = write(register_of({"B-1": {"value": "5.0M"}}))
    result = CliRunner().invoke(main, ["audit", str(run.folder), "--register", str(path)])
    text = (run.folder / "audit.md").read_text(encoding="utf-8")
    assert "B-1" in text
    assert "A-3" not in text
    assert result.stdout.splitlines()[-1].startswith("in full: ")
    assert [file.name for file in run.folder.iterdir() if file.name.startswith(".")] == []


def test_the_terminal_shows_each_claim_and_the_reasons_of_what_is_remarkable(run, done):
    result = CliRunner().invoke(main, ["audit", str(run.folder), "--register", str(done[1])])
    lines = result.stdout.splitlines()
    assert lines[1].startswith("tested by lab (posterior, ")
    assert sum(bool(re.match(r"A-\d  ", line)) for line in lines) == 7
    assert "  A-3  It cost so much." in lines
    assert "  A-1  It cost so much." not in lines
    assert "how far off (90 % credible interval)" in result.stdout


def test_a_run_that_has_not_converged_ends_in_3_after_its_audit(run, done, tmp_path):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    verdict = {**run.manifest["verdict"], "converged": False, "reasons": ["too few draws"]}
    manifest = results.signed({**run.manifest, "verdict": verdict})
    (folder / results.MANIFEST).write_text(json.dumps(manifest))
    result = CliRunner().invoke(main, ["audit", str(folder), "--register", str(done[1])])
    assert result.exit_code == 3
    assert "NOT CONVERGED, do not cite: lab" in result.stdout
    assert "not converged: lab: too few draws" in result.stderr
    assert "NOT CONVERGED" in (folder / "audit.md").read_text()


def test_a_page_that_cannot_be_written_loses_nothing_of_the_audit(run, done, tmp_path):
    folder = shutil.copytree(run.folder, tmp_path / "run", ignore=shutil.ignore_patterns("audit.md"))
    (folder / "audit.md").mkdir()
    result = CliRunner().invoke(main, ["audit", str(folder), "--register", str(done[1]), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["page"] is None
    assert re.search(r"audit.md: cannot write: .*; make the run's folder writable", result.stderr)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuchrun"], "nosuchrun: no such prior file, and no such run in"),
        (["--priors", "nosuch"], "nosuch: no such prior file, and no such run in"),
        (["--priors", "nosuch.toml"], "cannot be read"),
        (["--register", "nosuch.toml"], "nosuch.toml: 1 fault\n  file: cannot be read: no such file or directory"),
        (["--register", "."], "file: cannot be read: is a directory"),
        (["claims"], "register: this is a register of claims and no prior file"),
        (["a" * 5000], "no such prior file, and no such run in"),
        ([""], "'': no such prior file, and no such run in"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_so(arguments, message, tmp_path):
    result = CliRunner().invoke(main, ["audit", "--out", str(tmp_path), *arguments])
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_a_register_without_systems_needs_a_run(write, run, tmp_path):
    text = "\n".join(line for line in register_of({"A-1": {"system": None}}).splitlines() if "systems." not in line)
    path = str(write(text))
    result = CliRunner().invoke(main, ["audit", "--register", path, "--out", str(tmp_path)])
    assert (result.exit_code, "systems: none, so no run to test by" in result.stderr) == (1, True)
    assert CliRunner().invoke(main, ["audit", str(run.folder), "--register", path]).exit_code == 0


# ---------------------------------------------------------------------------------------------
# The shipped register and the shipped prior files

NAMED = {
    "A0-14": ("contradicts-arithmetic", "$5.58bn, not $5.576M"),
    "A0-16": ("contradicts-arithmetic", "$5.58bn, not $5.576M"),
    "A3-06": ("contradicts-arithmetic", "67.1bn parameters, where DeepSeek-AI has 671bn parameters"),
    "A1-09": ("contradicts-arithmetic", "400 is the ratio of no two of the article's amounts"),
    "A1-02": ("contradicts-arithmetic", "$100M ÷ $5.576M = 17.9"),
    "A3-17": ("contradicts-arithmetic", "$135M to $210M, not $63M"),
    "A3-09": ("wrong-scope", "belongs to final_run; shown as the cost of R1"),
    "A4-01": ("wrong-scope", "belongs to official_runs (later_runs_cost)"),
    "A4-05": ("wrong-scope", "belongs to official_runs; shown as development"),
    "A1-08": ("wrong-scope", "$944M ÷ 4 years = $236M/year"),
    "A0-28": ("bound-as-estimate", "S. Altman said at least $100M; here it is just $100M"),
    "A2-05": ("bound-as-estimate", "SemiAnalysis said at least $500M; here it is at most $500M"),
    "A0-24": ("inconsistent", "above the 99th percentile of fleet.h100.count"),
    "A0-05": ("consistent", "cut off, not rounded: $5.57M"),
    "A2-06": ("consistent", "the run has heard what it is computed from as evidence"),
    "A0-06": ("not-about-cost", "does not hold: 10 January 2025, 15 days after 26 December 2024"),
    "A3-22": ("not-about-cost", "does not hold: 1 - $2.19/Mtoken ÷ $60/Mtoken = 96.4 %, not 93 %"),
    "A3-23": ("not-about-cost", "does not hold: 30 January 2025, 10 days after 20 January 2025"),
    "A4-04": ("not-about-cost", "does not hold: January 2025, at least 229 days before 17 September 2025"),
    "A2-07": ("not-testable", "$1.629bn + $944M = $2.573bn"),
}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The shipped register audited by the prior files it names, and the folder of their runs."""
    out = tmp_path_factory.mktemp("results")
    result = CliRunner().invoke(main, ["audit", "--json", "--out", str(out)])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), out


@pytest.mark.sampling
def test_the_shipped_claims_get_the_verdicts_a_careful_reader_would_give(shipped):
    found = {claim["id"]: claim for claim in shipped[0]["claims"]}
    assert len(found) == 84
    assert {key: found[key]["verdict"] for key in NAMED} == {key: verdict for key, (verdict, _) in NAMED.items()}
    assert [key for key, (_, words) in NAMED.items() if words not in found[key]["reason"]] == []


@pytest.mark.sampling
def test_the_figures_that_fail_their_own_sums_are_told(shipped):
    figures = {item["figure"]: item["reason"] for item in shipped[0]["figures"]}
    assert list(figures) == ["r1-wall-days", "rl-alone", "fire-flyer-bought"]
    assert figures["rl-alone"] == "$202k + $82k = $284k, not $294,000 (off by 3.5 %)"


@pytest.mark.sampling
def test_the_papers_figure_understates_development_and_is_a_sliver_of_the_company(shipped):
    [claim] = [claim for claim in shipped[0]["claims"] if claim["id"] == "A2-02"]
    off = {item["scope"]: item for item in claim["off"]}
    assert off["development"]["in_words"].startswith("understates development by ")
    assert off["company"]["in_words"].endswith(" % of company")
    assert 1 < off["development"]["lower"] < off["development"]["upper"] < off["company"]["lower"]


@pytest.mark.sampling
def test_a_verdict_is_computed_from_the_value_and_never_stored(shipped, tmp_path):
    text = (layers.shipped_folder() / "claims.toml").read_text(encoding="utf-8")
    for wrong, right in (('"2,788.8M"', '"2.788M"'), ('"67.1bn"', '"671bn"'), ('value    = "400"', 'value    = "320"')):
        assert text.count(wrong) == 1
        text = text.replace(wrong, right)
    (tmp_path / "claims.toml").write_text(text, encoding="utf-8")
    mended = ["audit", "--json", "--out", str(shipped[1]), "--register", str(tmp_path / "claims.toml")]
    found = objects(CliRunner().invoke(main, mended).stdout)
    assert {key: found[key]["verdict"] for key in ("A0-16", "A3-06", "A1-09")} == {
        "A0-16": "consistent", "A3-06": "consistent", "A1-09": "consistent"}  # fmt: skip


@pytest.mark.sampling
def test_the_rows_that_the_readme_shows_are_rows_of_the_audit(shipped):
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- rows of: simulate audit -->\n```text\n(.*?)```", readme, re.DOTALL)[1]
    claims = {claim["id"]: claim for claim in shipped[0]["claims"]}
    rows = [re.split(r"  +", line.strip()) for line in block.splitlines()[2:]]
    assert len(rows) >= 5
    for identity, _, verdict, scope, percentile, off in rows:
        found = claims[identity]
        assert (verdict, scope) == (found["verdict_in_words"], found["scope"])
        assert percentile[0] in "<>" or abs(float(percentile) - found["percentile"]) < 4
        shown = [float(number) for number in re.findall(r"([\d.]+)–", off)]
        ends = {o["scope"]: o for o in found["off"]}
        for number, part in zip(shown, off.split("; ") if shown else [], strict=True):
            share = ends[re.search(r"development|company|ownership", part)[0]]
            low = 100 / share["upper"] if "%" in part else share["lower"]
            assert number == pytest.approx(low, rel=0.1)
