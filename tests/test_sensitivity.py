"""What carries an answer: the analysis of a run, its tables, its figure and its command."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import FULL, MINIMAL
from test_plots import said, texts

from simulate import (
    cli,
    inference,
    loading,
    naming,
    pipeline,
    plot_style,
    sensitivity,
    sensitivity_plot,
    sensitivity_report,
)
from simulate.errors import RunError
from simulate.inference import Settings, Verdict
from simulate.jackknife import Estimate
from simulate.refits import Omission
from simulate.results import Run
from simulate.sensitivity import Sensitivity

TIED = (
    MINIMAL
    + """
[research]
multiplier = { interval = [2, 8], note = "made up" }

[correlations.both]
between = ["research.multiplier", "chips.h800.rental_rate"]
normal = 0.8
note = "made up"
"""
)
"""No evidence, and an assumption that goes with a price."""

SETTINGS = Settings(draws=500, chains=2, tune=300, extend=False)

Make = Callable[..., Run]


@pytest.fixture(scope="module")
def make(tmp_path_factory) -> Make:
    """Make a run of a text."""

    def make(text: str, settings: Settings = SETTINGS, name: str = "small") -> Run:
        folder = tmp_path_factory.mktemp("runs")
        (folder / f"{name}.toml").write_text(text)
        return pipeline.run(loading.load(folder / f"{name}.toml"), settings, out=folder / "results", figures=())

    return make


@pytest.fixture(scope="module")
def analyse(make) -> Callable[..., Sensitivity]:
    """Analyse a run of a text, without refits unless asked for."""

    def analyse(text: str | Run, settings: Settings = SETTINGS, **more: Any) -> Sensitivity:
        run = text if isinstance(text, Run) else make(text, settings)
        return sensitivity.analyse(run, sensitivity.priors_of(run), **{"refit": False, **more})

    return analyse


@pytest.fixture(scope="module")
def small(analyse) -> Sensitivity:
    return analyse(TIED)


@pytest.fixture(scope="module")
def full_run(make) -> Run:
    return make(FULL)


@pytest.fixture(scope="module")
def full(analyse, full_run) -> Sensitivity:
    """The cost of the company in a file with everything, sources left out too."""
    return analyse(full_run, refit=True)


def quantiles(run: Run, group: str, name: str) -> list[float]:
    return np.quantile(run.tree()[group][name].to_numpy(), [0.5, 0.05, 0.95]).tolist()


def numbers(spread: sensitivity.Spread) -> list[float]:
    return [spread.median.value, spread.lower.value, spread.upper.value]


# ---------------------------------------------------------------------------------------------
# Without evidence: nothing is sampled


def test_of_a_product_of_log_normals_each_factor_has_its_variance_of_the_logarithm(analyse):
    found = analyse(MINIMAL)
    sizes = {"chips.h800.rental_rate": np.log(3 / 1.5) ** 2, "runs.base.gpu_hours": np.log(3 / 2) ** 2}
    for one in found.influences:
        expected = sizes[one.path] / sum(sizes.values())
        assert abs(one.share.value - expected) < 4 * one.share.mcse


def test_only_what_the_scope_is_computed_from_has_a_share(analyse, small):
    other = analyse(small.run, scope="final_run")
    assert [one.path for one in other.influences] == ["chips.h800.rental_rate", "runs.base.gpu_hours"]


def test_shares_by_thing_are_sums_of_shares(small):
    shares = {one.path: one.share.value for one in small.influences}
    for group in small.groups:
        assert group.share.value == pytest.approx(sum(shares[path] for path in group.members))


def test_the_widest_scope_is_explained_unless_another_is_named(small, analyse):
    assert small.scope == "research_compute"
    assert analyse(small.run, scope="final_run").scope == "final_run"


def test_a_scope_that_the_run_lacks_is_an_error_that_names_those_it_has(small, analyse):
    with pytest.raises(RunError, match="company: no cost scope of small; it has final_run, official_runs, research_c"):
        analyse(small.run, scope="company")


def test_too_few_draws_are_an_error(analyse):
    with pytest.raises(RunError, match="100 draws, needs 400"):
        analyse(MINIMAL, Settings(draws=50, chains=2))


def test_a_scope_that_does_not_vary_is_an_error(analyse):
    fixed = MINIMAL.replace("interval = [1.5, 3.0]", "value = 2").replace("interval = [2e6, 3e6]", "value = 2e6")
    with pytest.raises(RunError, match="official_runs does not vary"):
        analyse(fixed)


def test_a_run_whose_files_mean_something_else_now_is_refused(small, monkeypatch):
    monkeypatch.setattr(loading, "digest", lambda *given: "0" * 64)
    with pytest.raises(RunError, match="meant something else to simulate"):
        sensitivity.priors_of(small.run)


def test_a_pool_is_referred_to_its_members(small):
    pool = dataclasses.replace(small.run, manifest={**small.run.manifest, "members": [{"name": "one"}]})
    with pytest.raises(RunError, match="a pool has no priors of its own; analyse its members"):
        sensitivity.priors_of(pool)


def test_what_seems_to_move_by_chance_is_not_said_to_move(small):
    nothing = sensitivity.Spread(*[Estimate(0.0, 1.0)] * 3)
    moves = [dataclasses.replace(nothing, median=Estimate(value, 1.0)) for value in (2.5, 9.0)]
    rows = [sensitivity.LeftOut(Omission((str(n),), ("c",)), (), nothing, move, {}, ()) for n, move in enumerate(moves)]
    found = dataclasses.replace(small, left_out=tuple(rows))
    assert [one.omission.name for one in found.moving()] == ["1"]
    assert "these move nothing beyond Monte Carlo error: 0." in sensitivity_report.terminal(found)


def test_without_evidence_every_prior_speaks_and_no_source_can_be_left_out(analyse, small):
    found = analyse(small.run, refit=True)
    assert found.left_out == ()
    assert {power.words for power in found.powers} == {"there is no evidence: the prior is all"}


def test_of_a_run_of_the_prior_alone_there_is_no_power_scaling_and_this_is_said(analyse):
    found = analyse(FULL, dataclasses.replace(SETTINGS, prior_only=True), refit=True)
    assert found.powers == found.left_out == ()
    assert "No power-scaling: the run is of the prior alone." in found.notes
    assert found.group == "prior"


def test_an_assumption_that_goes_with_others_is_conditioned_on_not_set(small):
    [grid] = small.what_ifs
    low, _, high = (cell.spread.median for cell in grid.cells)
    assert (grid.path, grid.conditional) == ("research.multiplier", True)
    ends = np.quantile(small.run.tree()["posterior"]["research.multiplier"], [0.1, 0.9])
    assert high.value / low.value > 1.2 * ends[1] / ends[0]


def test_the_same_seed_gives_the_same_analysis(small, analyse):
    assert analyse(small.run) == small


# ---------------------------------------------------------------------------------------------
# With evidence, disputed facts and refits


@pytest.mark.sampling
def test_a_ledger_is_explained_but_for_a_small_part(full):
    shares = sum(one.share.value for one in full.influences if one.share)
    assert shares + full.effects.unexplained.value == pytest.approx(1)
    assert full.effects.unexplained.value < 0.1


@pytest.mark.sampling
def test_a_disputed_fact_and_the_bias_of_a_source_are_unknowns_too_the_latter_without_a_share(full):
    found = {one.path: one for one in full.influences}
    assert found["fleet.h100.exists"].is_fact
    assert found["fleet.h100.exists"].high.value > found["fleet.h100.exists"].low.value
    assert found["sources.analyst.bias"].share is None
    assert "sources.analyst.bias" not in [one.path for one in full.to_ask()]


@pytest.mark.sampling
def test_recomputing_with_nothing_changed_gives_the_run_again(full_run):
    priors, sample = sensitivity.priors_of(full_run), sensitivity.Sample.of(full_run)
    for scope in full_run.manifest["scopes"]:
        assert np.array_equal(sensitivity.recomputed(priors, sample, scope, {}), sample.of_variable(scope))


@pytest.mark.sampling
def test_twice_the_horizon_is_twice_the_operation(full_run):
    priors, sample = sensitivity.priors_of(full_run), sensitivity.Sample.of(full_run)
    twice = sensitivity.recomputed(priors, sample, "operations", {"scope.horizon": 8.0})
    assert np.allclose(twice, 2 * sample.of_variable("operations"), rtol=1e-12)


@pytest.mark.sampling
def test_the_grid_sets_what_no_evidence_informs_and_names_what_changes_nothing(full):
    assert [(one.path, one.conditional, one.is_fixed) for one in full.what_ifs] == [
        ("scope.attribution", False, False),
        ("scope.horizon", False, True),
    ]
    assert full.idle == ("scope.window", "hosting.life", "hosting.utilisation", "research.multiplier")
    assert numbers(full.what_ifs[1].cells[1].spread) == pytest.approx(numbers(full.spread))


@pytest.mark.sampling
def test_without_any_evidence_the_scope_is_that_of_the_prior(full, full_run):
    [everything] = [one for one in full.left_out if one.omission.name == "all evidence"]
    assert numbers(everything.spread) == pytest.approx(quantiles(full_run, "prior", "company"))
    assert everything.facts == {"fleet.h100.exists": 0.3}


@pytest.mark.sampling
def test_each_origin_is_left_out_and_its_move_is_the_difference(full):
    assert {one.omission.name for one in full.left_out} == {"analyst, group press", "official", "all evidence"}
    for one in full.left_out:
        assert one.move.median.value == pytest.approx(one.spread.median.value - full.spread.median.value)
        assert one.move.median.mcse == pytest.approx(np.hypot(one.spread.median.mcse, full.spread.median.mcse))


@pytest.mark.sampling
def test_a_refit_that_does_not_converge_is_tried_once_more_and_then_says_so(full_run, analyse, monkeypatch):
    tried = []

    def judge(draws: Any, settings: Settings, table: Any) -> Verdict:
        tried.append(settings.target_accept)
        return Verdict(draws.sample_stats is None, "nuts", () if draws.sample_stats is None else ("R-hat is 1.3",))

    monkeypatch.setattr(inference, "judge", judge)
    monkeypatch.setattr(sensitivity, "REFIT_DRAWS", 50)
    found = analyse(full_run, refit=True)
    assert tried == [0.9, 0.95, 0.9, 0.95, 0.9]
    assert "analyst, group press (NOT CONVERGED)" in sensitivity_report.terminal(found)


# ---------------------------------------------------------------------------------------------
# Tables and figure


@pytest.mark.parametrize(
    ("estimate", "unit", "words"),
    [
        (Estimate(0.5331, 0.0104), "", "0.53 ± 0.01"),
        (Estimate(0.0004, 0.002), "", "0 ± 0.002"),
        (Estimate(-1.23e8, 2.6e7), "USD", "-$120M ± $30M"),
        (Estimate(4.0, 0.0), "", "4.00"),
    ],
)
def test_a_number_stands_with_its_error_both_to_the_errors_first_digit(estimate, unit, words):
    assert sensitivity_report.with_error(estimate, unit) == words


@pytest.mark.sampling
def test_the_page_has_every_part_with_its_method(full):
    page = sensitivity_report.markdown(full)
    for part in ("Which unknown", "What to ask for", "Which prior", "Which evidence", "Which source", "What if"):
        assert f"## {part}\n" in page
    for method in ("Shapley effects", "cubic spline", "Kallioinen", "samples the posterior anew", "ledger computed"):
        assert method in page


@pytest.mark.sampling
def test_the_object_for_machines_has_errors_methods_and_settings(full):
    found = json.loads(json.dumps(sensitivity_report.for_machines(full), allow_nan=False))
    assert found["unknowns"][0]["share"].keys() == {"value", "mcse"}
    assert found["shares"]["fit"] == full.effects.kind
    settings = {one["omission"]["claims"][0]: one["settings"] for one in found["left_out"]}
    assert settings["floor"] == ["evidence.floor.used=false"]


def long_names(found: Sensitivity) -> Sensitivity:
    named = [dataclasses.replace(one, path=f"chips.{'very-' * 12}long-{n}") for n, one in enumerate(found.influences)]
    return dataclasses.replace(found, influences=tuple(named * 9))


def of_losses(found: Sensitivity) -> Sensitivity:
    """Turn the scope into an income, as one with negative items can be."""
    turned = [dataclasses.replace(one, low=Estimate(-1e6, 1e5), high=Estimate(3e6, 1e5)) for one in found.influences]
    spread = sensitivity.Spread(Estimate(1e5, 1e4), Estimate(-2e6, 1e5), Estimate(4e6, 1e5))
    return dataclasses.replace(found, influences=tuple(turned), spread=spread)


def nothing_felt(found: Sensitivity) -> Sensitivity:
    none = Estimate(0.0, 0.0)
    felt = [
        dataclasses.replace(one, share=none, low=none, high=none, left=Estimate(1.0, 0.1)) for one in found.influences
    ]
    return dataclasses.replace(found, influences=tuple(felt))


@pytest.mark.parametrize("change", [lambda found: found, long_names, of_losses, nothing_felt])
def test_no_two_texts_of_the_figure_overlap_and_all_lie_on_the_sheet(small, change):
    with plot_style.house_style():
        figure = sensitivity_plot.draw(change(small))
    figure.draw_without_rendering()
    boxes = texts(figure)
    for (a, box), (b, other) in itertools.combinations(boxes.items(), 2):
        assert not box.overlaps(other), f"{a.get_text()!r} overlaps {b.get_text()!r}"
    for text, box in boxes.items():
        assert box.x0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text


def test_the_figure_and_its_caption_say_the_same_numbers(small):
    with plot_style.house_style():
        shown = said(sensitivity_plot.draw(small))
    caption = sensitivity_plot.caption(small)
    names = naming.Names.of(small.run.manifest)
    for one in small.influences:
        assert names(one.path).name in shown
        assert f"{names(one.path)}, share {sensitivity_report.percent(one.share)}" in caption


# ---------------------------------------------------------------------------------------------
# The command


@pytest.fixture
def invoke(write, tmp_path):
    """Call the command; return its exit code, what it printed, and what it complained of."""
    write(MINIMAL, "priors/small.toml")

    def invoke(*arguments: str) -> tuple[int, str, str]:
        given = [str(tmp_path / "priors/small.toml") if one == "small" else one for one in arguments]
        done = CliRunner().invoke(cli.main, ["sensitivity", *given, "--out", str(tmp_path / "results")])
        return done.exit_code, done.stdout, done.stderr

    return invoke


def test_the_same_command_again_takes_the_run_there_is_and_gives_the_same_files(invoke):
    folders = [Path(invoke("small")[1].split("\nsensitivity: ")[1].strip()) for _ in range(2)]
    assert folders[0] != folders[1]
    assert {path.name for path in folders[0].iterdir()} == {
        f"sensitivity.{s}" for s in ("json", "md", "png", "svg", "txt")
    }
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes()


def test_one_object_is_printed_for_machines_and_no_figure_where_none_is_wanted(invoke):
    code, printed, _ = invoke("small", "--json", "--no-figure", "--scope", "final_run")
    found = json.loads(printed)
    assert (code, found["scope"], found["ask_for"][0]) == (0, "final_run", "chips.h800.rental_rate")
    assert sorted(path.name for path in Path(found["folder"]).iterdir()) == ["sensitivity.json", "sensitivity.md"]


def test_bad_input_is_one_line_and_nothing_is_left(invoke, tmp_path):
    code, _, err = invoke("small", "--scope", "nonsense")
    assert code == 1
    assert err == "error: nonsense: no cost scope of small; it has final_run, official_runs\n"
    assert not (tmp_path / "results" / "sensitivity").exists()


def test_a_run_that_has_not_converged_is_said_on_every_output_and_the_command_exits_3(invoke, monkeypatch):
    monkeypatch.setattr(inference, "judge", lambda *given: Verdict(False, "nuts", ("R-hat of x is 1.3",)))
    code, printed, err = invoke("small")
    folder = Path(printed.split("\nsensitivity: ")[1].strip())
    assert code == 3
    assert "R-hat of x is 1.3" in err
    shown = [printed, *((folder / f"sensitivity.{form}").read_text() for form in ("md", "svg", "txt"))]
    assert all("NOT CONVERGED" in text for text in shown)
