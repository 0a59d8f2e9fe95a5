"""What is written of a run: its numbers, its words, its sources, and when it is refused."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import FULL, MINIMAL
from hypothesis import given
from hypothesis import strategies as st
from pybtex.database import parse_string

from simulate import bibliography, cli, loading, pipeline, pooling, report, results, sources
from simulate.bibliography import Item, bibtex, csl
from simulate.citations import FORMATS, STYLES, cite
from simulate.errors import NotConvergedError, RunError, SimulateError
from simulate.inference import Settings
from simulate.ingredients import ingredients
from simulate.markup import MARKUPS, Span
from simulate.results import Run

REPOSITORY = Path(__file__).parent.parent
SUBJECT = 'subject = "R&D_Lab <b>"\n'
IDLE = """
[chips.b200]
server_cost = { interval = [30e3, 60e3], unit = "USD/GPU", sources = ["unread"] }

[sources.unread]
title = "Of a chip that nobody has"
known = "primary"
"""
RICH = (
    FULL.replace('title = "Every section once"\n', f'title = "Every section once"\n{SUBJECT}')
    .replace("multiplier = { interval = [2, 8] }", 'multiplier = { reference = "research_multipliers" }')
    .replace('rank = 0.7\nnote = "made up"', 'rank = 0.7\nsources = ["correlator"]')
    .replace('usd = { value = 0.14, note = "made up" }', 'usd = { value = 0.14, sources = ["bank"] }')
    .replace('amount = { interval = [1e6, 20e6], unit = "USD" }', 'amount = { interval = [7e6, 140e6], unit = "CNY" }')
    + '[sources.correlator]\ntitle = "A correlator"\nknown = "derived"\n'
    + '[sources.bank]\ntitle = "A bank"\nknown = "primary"\n'
    + IDLE
)
BY_HAND = ("hosting.pue=1.2 to 1.3", "scope.horizon=3 to 5")


@pytest.fixture(scope="module")
def make(tmp_path_factory) -> Callable[..., Run]:
    """Run a prior file's text; once for each text, name and settings of its own."""
    folder, made = tmp_path_factory.mktemp("cite"), {}

    def make(text: str, name: str = "file", *by_hand: str, prior_only: bool = True, seed: int = 1) -> Run:
        key = (text, name, by_hand, prior_only, seed)
        if key not in made:
            path = folder / str(len(made)) / f"{name}.toml"
            path.parent.mkdir()
            path.write_text(text)
            settings = Settings(draws=200, prior_only=prior_only, seed=seed)
            made[key] = pipeline.run(loading.load(path, by_hand), settings, out=path.parent / "results", figures=())
        return made[key]

    return make


@pytest.fixture(scope="module")
def rich(make) -> Run:
    """A run of the priors alone, of a prior file with something of everything."""
    return make(RICH)


def keys(run: Run) -> set[str]:
    return {work.key for work in sources.used(ingredients(run))}


def failed(run: Run) -> Run:
    said = {"converged": False, "reasons": ["R-hat of gpus is 1.2"], "in_words": "NOT CONVERGED, do not cite: R-hat"}
    return dataclasses.replace(run, manifest={**run.manifest, "verdict": {**run.manifest["verdict"], **said}})


# --- The sentence ----------------------------------------------------------------------------


def test_a_sentence_has_median_interval_level_money_and_run_with_the_digits_of_the_summary(rich):
    median, interval = report.scope_words(rich.manifest["scopes"]["ownership"])
    assert cite(rich, ["ownership"]) == (
        "From priors alone, with 2 pieces of evidence left out, we estimate R&D_Lab <b>'s four-year cost of ownership "
        f"at {median} (90 % credible interval {interval}; 2025 US dollars; run file/{rich.folder.name})."
    )


def test_horizon_and_subject_are_those_of_the_run(make):
    text = FULL.replace('title = "Every', 'subject = "OpenAI\'s GPT-4"\ntitle = "Every')
    said = cite(make(text, "gpt", "scope.horizon=3"))
    assert "the three-year total cost of OpenAI's GPT-4" in said
    assert "the rental-equivalent cost of all training runs counted for OpenAI's GPT-4 at" in said
    assert "the purchase cost of the servers counted for OpenAI's GPT-4 at" in said
    assert "the three-year cost of operating the servers counted for OpenAI's GPT-4 at" in said


def test_a_sentence_says_what_was_changed_of_its_prior_file(make):
    said = cite(make(FULL, "file", "scope.horizon=3"), ["company"], form="markdown")
    assert "; with `scope.horizon=3` set by hand; run `file/" in said
    many = make(FULL, "file", "scope.horizon=3", *(f"hosting.pue=1.{n}" for n in range(1, 4)))
    assert "; with scope.horizon=3, hosting.pue=1.1, hosting.pue=1.2 and 1 more set by hand; run" in cite(
        many, ["company"]
    )


def test_an_uncertain_horizon_is_given_as_an_interval(make):
    said = cite(make(FULL, "file", *BY_HAND), ["ownership"])
    assert re.search(
        r"cost of ownership over an uncertain horizon of 3\.?\d* to [45]\.?\d* years \(90 % prior interval\) at", said
    )


def test_a_run_without_evidence_says_so(make):
    run = make(MINIMAL, "file", prior_only=False)
    assert cite(run).startswith("From stated priors, with no evidence to weigh, we estimate the rental-equivalent cost")


def test_all_scopes_are_cited_unless_some_are_named_and_what_is_none_is_refused(rich):
    assert len(cite(rich).split("\n\n")) == len(rich.manifest["scopes"])
    with pytest.raises(SimulateError, match="wages, rent: no cost scope of file; it has final_run, "):
        cite(rich, ["wages", "company", "rent"])


def test_the_full_style_says_equal_tailed_and_all_that_identifies_the_run(rich):
    said = cite(rich, ["company"], style="full")
    assert "90 % equal-tailed credible interval" in said
    found = rich.manifest
    for part in (
        found["digest"],
        "seed 1",
        f"simulate {found['versions']['simulate']}",
        found["verdict"]["in_words"][1:],
    ):
        assert part in said


# --- Refusals --------------------------------------------------------------------------------


def test_a_run_that_has_not_converged_is_refused_with_the_reason(rich):
    for form in FORMATS:
        with pytest.raises(NotConvergedError, match=r"R-hat of gpus is 1\.2"):
            cite(failed(rich), form=form)


@pytest.mark.parametrize("form", FORMATS)
def test_a_citation_that_is_forced_says_that_the_run_has_not_converged(rich, form):
    assert "NOT CONVERGED, do not cite" in cite(failed(rich), ["final_run"], form=form, force=True)
    assert "NOT CONVERGED" not in cite(rich, ["final_run"], form=form)


@pytest.mark.parametrize("style", STYLES)
def test_each_sentence_of_a_poor_run_has_the_warning_and_the_reasons_come_once(rich, style):
    run = failed(rich)
    said = cite(run, ["final_run", "company"], style=style, force=True)
    sentences = [line for line in said.split("\n\n") if "we estimate" in line]
    assert all(line.startswith("NOT CONVERGED, do not cite. From") for line in sentences)
    assert said.startswith("NOT CONVERGED, do not cite.")
    assert said.count(run.manifest["verdict"]["in_words"]) == 1


def test_the_command_exits_3_for_a_run_that_has_not_converged_unless_forced(rich, unconverged, tmp_path):
    run = str(unconverged(rich, tmp_path).folder)
    refused = CliRunner().invoke(cli.main, ["cite", run])
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "R-hat of gpus is 1.2" in refused.stderr
    assert CliRunner().invoke(cli.main, ["cite", run, "--force"]).exit_code == 0


def test_a_run_whose_files_mean_something_else_now_is_not_described(rich):
    other = dataclasses.replace(rich, manifest={**rich.manifest, "digest": "0" * 64})
    with pytest.raises(RunError, match="mean something else"):
        cite(other, form="bibtex")


# --- Methods ---------------------------------------------------------------------------------


def test_methods_name_the_inputs_that_did_nothing(make):
    said = cite(make(RICH), ["ownership"], style="methods")
    idle = said.split("needed by no quantity of the ledger: ")[1].split(". ")[0]
    assert set(idle.split(" and ")) == {
        "b200: server cost (chips.b200.server_cost)",
        "h100: rental rate (chips.h100.rental_rate)",
    }
    without = said.split("Without any effect on the scopes named here: ")[1].split(". ")[0]
    paths = {"hosting.life", "hosting.utilisation", "staff.researchers.pay"}
    assert paths <= set(re.findall(r"\(([^)]+)\)", without))
    assert "hosting.pue" not in without


def test_what_did_nothing_to_a_scope_leaves_it_as_it_was(make):
    run, changed = make(RICH), make(RICH, "file", "staff.researchers.pay=900e3 to 990e3", "runs.reasoning.tokens=9e12")
    said = cite(run, ["final_run"], style="methods").split("Without any effect")[1]
    assert all(path in said for path in ("staff.researchers.pay", "runs.reasoning.tokens"))
    assert changed.manifest["scopes"]["final_run"] == run.manifest["scopes"]["final_run"]


def test_methods_say_the_disputed_facts_settings_and_judgements(make):
    said = cite(make(FULL, "file", *BY_HAND), style="methods")
    assert "h100: owned at all (fleet.h100.exists, prior probability 0.3)" in said
    assert "with hosting.pue=1.2 to 1.3; scope.horizon=3 to 5 set by hand" in said
    assert (
        "average power draw (hosting.load)"
        in said.split("Without a source, by a stated judgement, stand ")[1].split(". ")[0]
    )


def test_methods_count_the_sources_of_all_that_was_used_and_say_so(rich):
    said = cite(rich, ["final_run"], style="methods")
    used = "All inputs and disputed facts used, also those that the scopes named here do not need, rest on"
    assert f"{used} {len(keys(rich))} sources (" in said


def test_methods_say_of_priors_alone_that_facts_were_drawn(rich):
    assert "Disputed facts were drawn by their prior probabilities: h100: owned at all (" in cite(rich, style="methods")


def test_what_has_no_effect_is_no_judgement_that_a_result_stands_on(rich):
    judged, without = (
        cite(rich, ["hardware"], style="methods").split(before)[1].split(". ")[0]
        for before in ("by a stated judgement, stand ", "Without any effect on the scopes named here: ")
    )
    assert "hosting.load" in without
    assert "chips.h100.server_cost" in judged
    assert not set(re.findall(r"\(([^)]+)\)", judged)) & set(re.findall(r"\(([^)]+)\)", without))


# --- Sources ---------------------------------------------------------------------------------


def test_the_sources_are_those_of_what_was_used_and_no_others(rich):
    named = {key for key in keys(rich) if not key.startswith("research_multipliers")}
    assert named == {"report", "price-list", "paper", "correlator", "bank"}  # not: unread, analyst, official


def test_a_currency_in_which_nothing_is_given_is_no_source(rich, load, tmp_path):
    priors = load(RICH.replace('[7e6, 140e6], unit = "CNY"', '[1e6, 20e6], unit = "USD"'))
    results.write_priors(tmp_path, priors.texts)
    said = {**rich.manifest, "name": priors.name, "digest": priors.digest}
    assert "bank" not in keys(Run(tmp_path, said))


def test_disclosed_cases_that_a_number_is_predicted_from_are_sources(rich):
    text = (REPOSITORY / "priors" / "reference" / "research_multipliers.csv").read_text()
    found = [work for work in sources.used(ingredients(rich)) if work.key.startswith("research_multipliers")]
    assert any("disclosed case: GPT-3" in work.locator for work in found)
    assert all(work.title in re.sub(r"\s+", " ", text) for work in found)


@pytest.mark.sampling
def test_evidence_that_was_heard_is_a_source_and_is_described(make):
    run = make(FULL, "heard", prior_only=False)
    assert {"analyst", "official", "report"} <= keys(run)
    said = cite(run, ["hardware"], style="methods", force=True)
    assert "An analyst (server hardware, about $600M, within a factor of 1.3)" in said
    assert re.search(
        r"h100: owned at all \(fleet\.h100\.exists, prior probability 0\.3, posterior [<>]?0\.\d\d\)", said
    )


@pytest.mark.sampling
def test_a_pool_is_cited_with_its_shares_and_the_sources_of_all_members(make, tmp_path):
    runs = [make(FULL, "one"), make(RICH.replace(SUBJECT, "").replace("A bank", "The bank"), "two", "scope.horizon=3")]
    run = pooling.pool(pooling.members([3, 1], runs), Settings(draws=200), out=tmp_path, figures=())
    assert cite(run, ["company"]).startswith("Pooling 75 % one and 25 % two, from priors alone, ")
    assert "total cost over the years that each member counts" in cite(run, ["company"])
    assert {"report", "bank", "correlator"} <= keys(run)
    assert "horizon, 4 years" in cite(run, style="methods")
    assert "horizon, 3 years" in cite(run, style="methods")
    without = cite(run, ["hardware"], style="methods").split("Without any effect on the scopes named here: ")[1]
    assert [part.split(", ")[0] for part in without.split("\n")[0].split("; ")] == ["of one", "of two"]


# --- Bibliographies --------------------------------------------------------------------------


def test_bibtex_and_csl_hold_the_software_the_run_and_the_sources_under_the_same_keys(rich):
    parsed = parse_string(cite(rich, form="bibtex"), "bibtex")
    listed = json.loads(cite(rich, form="csl-json"))
    assert list(parsed.entries) == [item["id"] for item in listed]
    assert set(parsed.entries) == {"simulate", bibliography.key_of(rich)} | keys(rich)
    assert rich.manifest["digest"] in parsed.entries[bibliography.key_of(rich)].fields["note"]


def test_the_software_is_that_of_the_citation_file(rich):
    said = (REPOSITORY / "CITATION.cff").read_text()
    software = json.loads(cite(rich, form="csl-json"))[0]
    assert f'title: "{software["title"]}"\n' in said
    assert f'- name: "{software["author"][0]["literal"]}"\n' in said
    assert f"license: {bibliography.SOFTWARE['license']}\n" in said


TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)


@given(TEXT, st.lists(TEXT, max_size=3), TEXT, st.sampled_from(["", "2024", "2024-05", "2024-05-17"]))
def test_any_text_makes_bibtex_that_parses_to_one_entry(text, authors, url, date):
    item = Item("key", "webpage", text, tuple(authors), text, date, f"https://a.org/{url}", note=text)
    parsed = parse_string(bibtex([item, dataclasses.replace(item, key="next")]), "bibtex")
    assert list(parsed.entries) == ["key", "next"]
    assert {"title", "url", "note"} <= set(parsed.entries["key"].fields)


def test_persons_organisations_and_others_are_told_apart():
    authors = ("D. Patel", "Ärger, Jörg", "House Committee on A and B", "An et al.")
    parsed = parse_string(bibtex([Item("k", "document", "T", authors)]), "bibtex").entries["k"]
    assert [str(person) for person in parsed.persons["author"]] == [
        "Patel, D.", "Ärger, Jörg", "{House Committee on A and B}", "{An}", "others",
    ]  # fmt: skip
    assert csl([Item("k", "document", "T", authors)])[0]["author"][1] == {"family": "Ärger", "given": "Jörg"}


def test_what_is_not_known_of_a_source_is_left_out():
    assert csl([Item("k", "document", "T")]) == [{"id": "k", "type": "document", "title": "T"}]
    assert bibtex([Item("k", "document", "T")]) == "@misc{k,\n  title = {{T}},\n}\n"


def test_keys_that_differ_in_case_alone_are_told_apart():
    found = sources.with_own_keys([sources.Source("a", "T"), sources.Source("A", "U"), sources.Source("a", "V")])
    assert [work.key for work in found] == ["a", "A-2", "a-3"]


# --- Markup ----------------------------------------------------------------------------------


def test_html_shows_the_text_and_nothing_of_it_is_a_tag(rich):
    text, page = (cite(rich, style="methods", form=form) for form in ("text", "html"))
    assert "&lt;b&gt;" in page
    assert html.unescape(re.sub(r"</?(p|code|strong)>", "", page)) == text


def test_latex_escapes_what_it_would_read_and_cites_the_key_of_the_bibliography(rich):
    said = cite(rich, ["company"], form="latex")
    assert r"R\&D\_Lab \textless{}b\textgreater{}'s" in said
    assert r"90~\% credible" in said
    assert rf"\cite{{{bibliography.key_of(rich)}}}" in said
    assert not re.search(r"(?<!\\)[$&%#_]", said)


@given(TEXT)
def test_markdown_has_no_mark_of_a_text_unescaped(text):
    written = MARKUPS["markdown"].write([[Span(text)]])
    assert not re.search(r"[`*_{}\[\]<>#|$~^@&\\]", re.sub(r"\\.", "", written))
    assert re.sub(r"\\(.)", r"\1", written) == text


@pytest.mark.parametrize("form", ["html", "bibtex"])
def test_the_command_prints_what_the_function_returns(rich, form):
    done = CliRunner().invoke(cli.main, ["cite", str(rich.folder), "company", "--format", form])
    assert done.exit_code == 0
    assert done.stdout == cite(rich, ["company"], form=form).rstrip("\n") + "\n"


def test_the_command_offers_the_formats_and_styles_there_are():
    offered = {one.name: one.type.choices for one in cli.cite.params if hasattr(one.type, "choices")}
    assert (tuple(offered["form"]), tuple(offered["style"])) == (FORMATS, STYLES)


def test_json_has_text_and_numbers(rich):
    found = json.loads(cite(rich, ["company"], form="json", style="full"))
    assert found["text"] == cite(rich, ["company"], style="full")
    kept = ("median", "lower", "upper", "mcse_median", "mcse_lower", "mcse_upper", "probability", "kind")
    assert found["scopes"]["company"].items() >= {key: rich.manifest["scopes"]["company"][key] for key in kept}.items()
    assert found["seed"] == 1


@pytest.mark.parametrize("form", ["bibtex", "csl-json"])
def test_a_style_of_what_has_none_is_refused(rich, form):
    with pytest.raises(SimulateError, match=f"{form} has none"):
        cite(rich, form=form, style="methods")


@pytest.mark.parametrize("asked", [{"form": "docx"}, {"style": "long"}])
def test_a_form_or_style_that_there_is_not_is_refused_with_those_there_are(rich, asked):
    with pytest.raises(SimulateError, match=r"is no (form|style) of a citation; there are (text|short), "):
        cite(rich, **asked)
