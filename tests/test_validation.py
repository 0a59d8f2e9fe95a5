"""The model of hours is scored on runs it has not seen, and what is scored is told as it is."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats
from test_plots import texts

from simulate import (
    calibration_page,
    cli,
    loading,
    overview,
    plot_look,
    plot_style,
    predictives,
    reference,
    regression,
    validation,
    validation_page,
    validation_plot,
)
from simulate import validation_report as report
from simulate.errors import InputError, RunError
from simulate.reference import TrainingRun
from simulate.validation import ConstantMfu, Score, Scored, Validation, by_chance, crps, validate

REPOSITORY = Path(__file__).parent.parent
TABLE = REPOSITORY / "priors" / "reference" / "training_runs.csv"
HEADER = "model,architecture,active_params,tokens,hardware,gpu_hours\n"
"""The columns that a file of runs needs."""
PLAIN = "A-7B,dense,7e9,1e12,NVIDIA A100 80GB,90000\nB-70B,dense,70e9,1e12,NVIDIA H100 SXM,400000\n"


@pytest.fixture(scope="module")
def known() -> tuple[TrainingRun, ...]:
    return reference.read_training_runs(TABLE.read_text(encoding="utf-8"), "training_runs")


@pytest.fixture
def quick(monkeypatch):
    """Fit with few draws: enough where the numbers are not the question."""
    monkeypatch.setattr(regression, "fit", partial(regression.fit, draws=50, tune=50, thin=1))


@pytest.fixture(scope="module")
def shipped() -> report.Examination:
    return report.examine()


def made_up(*percentiles: float, families: int = 1000, **more: float) -> Validation:
    """Return a validation of runs that lie at these percentiles of both forecasts, in families in turn."""
    run = TrainingRun("", "", "dense", "NVIDIA A100 80GB", 7e9, 1e12, 312e12, 90e3)
    items = []
    for number, percentile in enumerate(percentiles):
        score = Score(60e3, 90e3, 135e3, percentile, 1e3, 1e3, 1e3, 0.5, more.get("log_score", -0.5), 0.2)
        named = replace(run, model=f"Run {number}", family=f"Family {number % families}")
        items.append(Scored(named, score, replace(score, log_score=-0.7 - 0.1 * (number % 3))))
    return Validation(tuple(items), (("Other", "flagged"),), 27)


def named(found: Validation, name: str) -> Validation:
    """Return a validation whose runs have a name and their number."""
    runs = [replace(item.run, model=f"{name}{n}", note="*note*") for n, item in enumerate(found.scored)]
    return replace(found, scored=tuple(replace(item, run=run) for item, run in zip(found.scored, runs, strict=True)))


def examined(found: Validation, name: str = "runs.csv") -> report.Examination:
    return report.Examination(name, "0123456789abcdef", True, (), found)


# ---------------------------------------------------------------------------------------------
# What is seen and what is scored


def test_a_held_out_family_is_never_seen(known, quick):
    changed = tuple(replace(run, gpu_hours=9 * run.gpu_hours) if run.family == "Pythia" else run for run in known)
    before, after = ({item.run.model: item.model for item in validate(runs).scored} for runs in (known, changed))
    pythias = [run.model for run in known if run.family == "Pythia"]
    assert len(pythias) == 5
    assert all(before[model].median == after[model].median for model in pythias)
    assert before["Llama 3 8B"].median != after["Llama 3 8B"].median


def test_a_run_that_is_known_by_name_is_predicted_without_its_family_whatever_a_file_calls_that(known):
    members = reference.members(known)
    run = replace(next(run for run in members if run.model == "Llama 3 8B"), family="another name")
    assert {other.family for other in validation.held_out(run, members)} == {"Llama 3"}


def test_v3_and_whatever_else_is_no_fit_case_is_skipped_with_its_reason(known, quick):
    found = validate(known)
    skipped = dict(found.skipped)
    assert len(found.scored) + len(skipped) == len(known)
    assert skipped["DeepSeek-V3 (pre-training)"].startswith("what the fit is to judge")
    assert skipped["Nemotron-4 340B"] == "not disclosed: hours"
    assert skipped["GLM-130B"].startswith("flagged: ")
    assert skipped["DeepSeek-R1-Zero (RL)"] == "not disclosed: tokens"


def test_percentile_and_interval_say_the_same(known, quick):
    for item in validate(known).scored:
        for score in (item.model, item.baseline):
            assert (score.lower <= item.run.gpu_hours <= score.upper) == score.within(0.9)
            assert (item.run.gpu_hours < score.median) == (score.percentile < 50)


def test_a_run_that_is_three_times_off_is_the_worst_miss(known, quick):
    usual = [run for run in known if run.model in ("Pythia-6.9B", "Llama 3 70B", "OpenELM-3B")]
    off = replace(usual[0], gpu_hours=3 * usual[0].gpu_hours)
    found = validate(known, [off, *usual[1:]])
    assert report.worst(found)[0].run == off
    assert not report.worst(found)[0].model.within(0.9)


def test_the_same_runs_have_the_same_scores(known, quick):
    assert validate(known) == validate(known)


def test_too_few_known_runs_are_an_error(known, quick):
    few = [run for run in known if run.family in ("LLaMA 1", "YaLM")]
    with pytest.raises(InputError, match="too few to learn from"):
        validate(few)


# ---------------------------------------------------------------------------------------------
# Scores


def test_coverage_is_the_share_of_runs_within():
    found = made_up(1, 4, 6, 20, 50, 60, 94, 96)
    assert [found.coverage(level) for level in (0.5, 0.8, 0.9, 0.95)] == [2 / 8, 3 / 8, 5 / 8, 7 / 8]


@pytest.mark.parametrize(("mean", "sd", "happened"), [(0.0, 1.0, 0.3), (2.0, 0.5, 0.0), (-1.0, 3.0, 8.0)])
def test_the_crps_of_a_normal_is_the_closed_one(mean, sd, happened):
    z = (happened - mean) / sd
    expected = sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi))
    draws = stats.norm(mean, sd).ppf((np.arange(100_000) + 0.5) / 100_000)
    assert crps(draws, happened) == pytest.approx(expected, abs=1e-4 * sd)


def test_the_baseline_is_the_predictive_of_a_normal_sample():
    y = np.array([-1.5, -1.2, -0.9, -1.0, -1.9])
    theirs = stats.t(4, y.mean(), y.std(ddof=1) * math.sqrt(1.2))
    ours = ConstantMfu.of(y)
    at = np.array([-3.0, -1.3, 0.0])
    for method in ("cdf", "pdf"):
        np.testing.assert_allclose(getattr(ours, method)(at), getattr(theirs, method)(at))
    np.testing.assert_allclose(ours.ppf(np.array([0.05, 0.5])), theirs.ppf([0.05, 0.5]))


def test_the_error_of_a_gain_is_that_of_independent_families():
    found = made_up(*[50] * 6)
    each = np.array([0.2, 0.3, 0.4] * 2)
    assert found.gain("log_score") == pytest.approx((each.mean(), each.std(ddof=1) / math.sqrt(6)))


def test_copies_of_families_do_not_make_a_gain_surer():
    once, twice = made_up(*[50] * 3), made_up(*[50] * 6, families=3)
    assert once.gain("log_score") == pytest.approx(twice.gain("log_score"))


def test_of_one_family_the_error_of_a_gain_is_not_known():
    found = made_up(50, 60, families=1)
    assert math.isnan(found.gain("crps")[1])
    assert json.loads(json.dumps(report.for_machines(examined(found)), allow_nan=False))["gain"]["crps"] == {
        "mean": 0.0, "standard_error": None,
    }  # fmt: skip


def test_chance_is_binomial_for_independent_runs_and_wider_for_families():
    low, high = by_chance([1] * 27, 0.8)
    np.testing.assert_allclose((low, high), stats.binom(27, 0.8).ppf([0.05, 0.95]) / 27)
    wide = by_chance([9, 9, 9], 0.8)
    assert wide[0] < low < high <= wide[1]


def test_a_percentile_knows_its_monte_carlo_error(known):
    members = reference.members(known)
    data = predictives.mfu_regression(members, plain=False)
    places = []
    for seed in range(8):
        (fit,) = regression.fit(data, np.ones((1, 27)), np.random.default_rng(seed), draws=250)
        forecast = regression.predict(fit, members[0].traits.covariates(), np.random.default_rng(seed))
        places.append(validation.place(members[0], forecast))
    for name in ("lower", "median", "upper", "percentile"):
        spread = np.std([getattr(place, name) for place in places], ddof=1)
        stated = np.mean([getattr(place, f"mcse_{name}") for place in places])
        # A standard deviation of eight is within a factor of 2 of the true one in 99 % of cases.
        assert 0.5 < spread / stated < 2, name


# ---------------------------------------------------------------------------------------------
# Runs of one's own


def test_a_file_needs_neither_family_nor_peak_nor_role(write, quick):
    found = report.examine(write(HEADER + PLAIN, "mine.csv"))
    assert [item.run.family for item in found.validation.scored] == ["a", "b"]
    assert (found.name, found.unseen, found.classes) == ("mine.csv", True, ())


@pytest.mark.parametrize("change", [lambda text: b"\xef\xbb\xbf" + text, lambda text: text.replace(b"\n", b"\r\n")])
def test_a_byte_order_mark_and_other_line_ends_change_no_score(write, quick, change):
    text = (HEADER + PLAIN).encode()
    plain, changed = (report.examine(write(one, "mine.csv")).validation for one in (text, change(text)))
    assert plain == changed


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("", "header", "has no model"),
        (HEADER, "rows", "there are none"),
        ("name,hours\nA,1\n", "header", "has no model"),
        (HEADER + PLAIN + PLAIN, "A-7B", "stands there more than once"),
        (HEADER + PLAIN.replace("90000", "-90000"), "line 2: gpu_hours", "'-90000' is not a positive number"),
        (HEADER + "A,dense,7e9,1e12,A chip,9\n", "A", "the peak of A chip"),
        (HEADER + "A,dense,,,NVIDIA A100 80GB,9\n", "A", "not disclosed: parameters, tokens"),
        (b"\xff\xfe\x00", "file", "is not UTF-8 text"),
        (b"a" * 1_000_001, "file", "larger than 1,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_scored_is_an_error_that_names_it(write, text, path, what):
    file = write(text, "mine.csv")
    with pytest.raises(InputError) as caught:
        report.examine(file)
    assert caught.value.source == str(file)
    assert any(fault.path == path and what in fault.found for fault in caught.value.faults)


@pytest.mark.parametrize("name", ["", "nowhere.csv", "null\0.csv"])
def test_a_path_without_a_file_is_an_error(tmp_path, name):
    with pytest.raises(InputError, match="cannot be read"):
        report.examine(tmp_path / name)


def test_hours_beyond_all_measure_are_scored_and_drawn_without_a_warning(write, quick, tmp_path):
    rows = "A,dense,7e9,1e12,NVIDIA A100 80GB,1\nB,moe,1e3,5,NVIDIA A100 80GB,1e29\n"
    found = report.examine(write(HEADER + rows, "far.csv"))
    assert all(math.isfinite(item.model.log_score) for item in found.validation.scored)
    assert (validation_page.write(tmp_path / "results", found) / "calibration.png").exists()


# ---------------------------------------------------------------------------------------------
# What is said


def test_standing_words_name_each_class_once_from_fewest_hours_to_most():
    target = TrainingRun("T", "T", "MoE", "NVIDIA H800 SXM", 37e9, 14.8e12, 989.4e12, 2.664e6)
    judged = [
        validation.Judged(1e6, 2e6, 3e6, percentile, 1e4, 1e4, 1e4, 0.5, name, 9, 3)
        for name, percentile in (("large runs", 40.0), ("all runs", 50.0), ("small runs", 3.0), ("others", 10.0))
    ]
    parts = ("below it by small runs", "near its favourable edge by others", "well inside by large runs and all runs")
    assert report.standing_words(target, judged).endswith(f": {'; '.join(parts)}.")


def test_text_of_a_file_cannot_break_out_of_the_page():
    page = validation_page.markdown(examined(named(made_up(50, 60), "a|b <script> [x](y)"), "x|y.csv"))
    assert "<script>" not in page
    assert all(line.replace("\\|", "").count("|") == line.replace("\\|", "").count(" |") + 1
               for line in page.splitlines() if line.startswith("| "))  # fmt: skip


def test_a_page_without_figure_links_none():
    assert "calibration.png" not in validation_page.markdown(examined(made_up(50, 60)), figure=False)


def test_code_is_not_broken_between_lines():
    text = "word " * 20 + '`mfu = { reference = "training_runs" }` and more'
    assert '`mfu = { reference = "training_runs" }`' in validation_page.prose(text)


# ---------------------------------------------------------------------------------------------
# The figure

FIGURES = {
    "one run": made_up(50),
    "twenty-seven": made_up(*np.linspace(0.1, 99.9, 27), families=13),
    "sixty of two families": made_up(*np.linspace(0.1, 99.9, 60), families=2),
    "more than there is room for": made_up(*np.linspace(0.1, 99.9, 150)),
    "long names": named(made_up(1, 50), f"深 $x$ {'long ' * 15}"),
}


def drawn(found: Validation):
    with plot_style.house_style():
        figure = validation_plot.draw(examined(found, "runs $1$ 深.csv"))
        figure.draw_without_rendering()
        return figure


@pytest.mark.parametrize("found", FIGURES.values(), ids=FIGURES)
def test_no_two_texts_of_the_figure_overlap_and_all_lie_on_the_sheet(found):
    figure = drawn(found)
    boxes = texts(figure)
    for (a, box), (b, other) in itertools.combinations(boxes.items(), 2):
        assert not box.overlaps(other), f"{a.get_text()!r} overlaps {b.get_text()!r}"
    inside = figure.bbox.padded(0.5)
    assert all(inside.contains(box.x0, box.y0) and inside.contains(box.x1, box.y1) for box in boxes.values())


def test_runs_outside_their_interval_are_marked():
    colours = {text.get_text(): text.get_color() for text in texts(drawn(made_up(50, 2)))}
    assert (colours["Run 0"], colours["Run 1"]) == (plot_look.look().ink, plot_look.look().alarm)


def test_of_many_runs_the_worst_are_drawn_and_the_caption_says_so():
    found = FIGURES["more than there is room for"]
    shown = [item for group in validation_plot.families(found) for item in group]
    assert len(shown) == validation_plot.MOST_ROWS
    assert min(item.miss for item in shown) >= max(item.miss for item in found.scored if item not in shown)
    assert "Not shown: 50 runs" in validation_plot.caption(examined(found))


def test_the_curve_of_coverage_passes_through_every_level():
    found = FIGURES["twenty-seven"]
    x, y = validation_plot.curve(found, baseline=False)
    for level in (0.123, 0.5, 0.8, 0.9, 0.95):
        assert y[np.searchsorted(x, level, side="right") - 1] == pytest.approx(found.coverage(level))


def test_the_same_validation_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        validation_plot.save(tmp_path / name, examined(FIGURES["twenty-seven"]))
    for form in ("png", "svg", "txt"):
        first, second = ((tmp_path / name / f"calibration.{form}").read_bytes() for name in ("a", "b"))
        assert first == second


# ---------------------------------------------------------------------------------------------
# The shipped runs, and the command


@pytest.mark.sampling
def test_on_the_shipped_runs_90_percent_intervals_hold_85_to_97_percent(shipped):
    assert 0.85 <= shipped.validation.coverage(0.9) <= 0.97
    assert (len(shipped.validation.scored), len(shipped.validation.families)) == (27, 13)


@pytest.mark.sampling
@pytest.mark.parametrize("name", validation.BETTER)
def test_on_the_shipped_runs_the_model_beats_the_baseline(shipped, name):
    assert shipped.validation.gain(name)[0] > 0


@pytest.mark.sampling
def test_the_stated_hours_of_v3_are_near_the_edge_of_one_class_well_inside_another_and_outside_a_third(shipped):
    ((target, judged),) = shipped.classes
    found = {item.reference_class: report.standing(item.percentile) for item in judged}
    assert target.gpu_hours == 2_664_000
    assert found["runs on H100-class chips"] == "near its favourable edge"
    assert found["runs of at least 10bn active parameters"] == "well inside"
    assert found["mixtures of experts"] == "below it"


@pytest.mark.sampling
def test_the_page_in_docs_is_the_one_that_is_written(shipped):
    page = (REPOSITORY / "docs" / "validation.md").read_text(encoding="utf-8")
    above, mark, _ = page.partition(calibration_page.MARK)
    assert mark
    assert above.rstrip() == validation_page.markdown(shipped).rstrip()
    assert (REPOSITORY / "docs" / "calibration.png").exists()


@pytest.mark.parametrize("name", ["semianalysis", "consensus"])
def test_the_page_in_docs_has_the_calibration_of_the_file_as_it_is(name):
    page = (REPOSITORY / "docs" / "validation.md").read_text(encoding="utf-8")
    section = page.partition(calibration_page.MARK)[2].partition(f"### {name}\n")[2].partition("\n### ")[0]
    priors = loading.load(name)
    assert f"of {name}: 500 truths from the prior" in section
    assert f"digest {priors.digest[:16]}" in section
    assert all(f"| {scope} |".replace("_", "\\_") in section for scope in priors.scopes)
    assert "NOT" not in section
    assert (REPOSITORY / "docs" / f"calibration-{name}.png").exists()


def test_the_page_in_docs_has_one_title():
    page = (REPOSITORY / "docs" / "validation.md").read_text(encoding="utf-8")
    assert calibration_page.written(page, []).endswith(f"{calibration_page.HEAD}\n")
    assert calibration_page.HEAD in page
    assert sum(line.startswith("# ") for line in page.splitlines()) == 1


def invoke(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.main, ["validate", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_prints_its_tables_and_writes_a_folder_that_is_no_run(write, quick, tmp_path):
    out = tmp_path / "results"
    code, printed, told = invoke("--runs", str(write(HEADER + PLAIN, "mine.csv")), "--out", str(out))
    (folder,) = (out / "validation").iterdir()
    names = {"validation.md", "validation.json", "calibration.png", "calibration.svg", "calibration.txt"}
    assert (code, told) == (0, "")
    assert printed.startswith("GPU-hours of 2 runs of 2 families in mine.csv")
    assert printed.endswith(f"validation: {folder}\n")
    assert {path.name for path in folder.iterdir()} == names
    assert "none yet" in overview.of_runs(out)


def test_the_object_for_machines_has_its_keys_and_is_the_one_in_the_folder(write, quick, tmp_path):
    file = str(write(HEADER + PLAIN, "mine.csv"))
    code, printed, _ = invoke("--runs", file, "--json", "--no-figure", "--out", str(tmp_path / "results"))
    found = json.loads(printed)
    folder = Path(found.pop("folder"))
    assert code == 0
    assert json.loads((folder / "validation.json").read_text()) == found
    assert {"n", "coverage", "log_score", "crps", "baseline", "runs"} <= found.keys()
    assert list(found["coverage"]) == list(found["baseline"]["coverage"]) == ["0.5", "0.8", "0.9", "0.95"]
    assert {"model", "hours", "lower", "median", "upper", "percentile"} <= found["runs"][0].keys()
    assert (found["n"], [run["hours"] for run in found["runs"]]) == (2, [90000, 400000])


def test_the_command_reads_the_table_beside_the_priors_of_the_current_folder(write, quick, tmp_path, monkeypatch):
    text = TABLE.read_text(encoding="utf-8").replace("YaLM-100B", "Another run")
    write(text, "priors/reference/training_runs.csv")
    monkeypatch.chdir(tmp_path)
    assert "Another run" in [item.run.model for item in report.examine().validation.scored]


def test_bad_input_is_named_and_nothing_is_written(write, tmp_path):
    file = write(HEADER, "mine.csv")
    code, printed, told = invoke("--runs", str(file), "--out", str(tmp_path / "results"))
    assert (code, printed) == (1, "")
    assert told.startswith(f"error: {file}: 1 fault\n")
    assert not (tmp_path / "results").exists()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(RunError, match="--out"):
        validation_page.write(tmp_path / "results", examined(made_up(50, 60)), figure=False)
