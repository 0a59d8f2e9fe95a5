"""Runs beside one another: the same scopes, ratios and differences of draws that are paired."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import MINIMAL
from test_plots import ALL, CLAIMS, NOT_CONVERGED, claim, made_up, said, texts

from simulate import cli, comparison, comparison_plot, comparison_report, inference, loading, pipeline, plot_style
from simulate import results as folders
from simulate.comparison import compare
from simulate.errors import InputError, RunError
from simulate.inference import Settings, Verdict
from simulate.results import Run

SETTINGS = Settings(draws=50, chains=2)
DEAR = MINIMAL.replace("[1.5, 3.0]", "[3.0, 6.0]")
FIXED = MINIMAL.replace('interval = [1.5, 3.0], unit = "USD/GPU-hour"', 'value = 2, unit = "USD/GPU-hour"')
FLEET = (
    MINIMAL.replace("rental_rate", 'server_cost = "26k to 45k USD/GPU"\nrental_rate')
    + '[fleet.h800]\ncount = "8k to 12k GPU"\nnote = "made up"\n'
)

pytestmark = pytest.mark.sampling
DOUBTFUL = FLEET + "exists = { probability = 0.5 }\n"
FILES = {"cheap": MINIMAL, "dear": DEAR, "fixed": FIXED, "fleet": FLEET, "doubtful": DOUBTFUL}

Make = Callable[..., Run]


@pytest.fixture
def make(write, tmp_path) -> Make:
    """Make a run of one of the small files, or of a text under a name."""

    def make(name: str, settings: Settings = SETTINGS, text: str = "", folder: str = "", **more: Any) -> Run:
        path = write(text or FILES[name], f"{folder or 'files'}/{name}.toml")
        return pipeline.run(loading.load(path), settings, out=tmp_path / "results", figures=(), **more)

    return make


@pytest.fixture
def invoke(write, tmp_path):
    """Call the command with the small files by name; return its exit code, what it printed, and its folder of runs."""
    for name, text in FILES.items():
        write(text, f"priors/{name}.toml")

    def invoke(*arguments: str) -> tuple[int, str, str]:
        given = [str(tmp_path / f"priors/{one}.toml") if one in FILES else one for one in arguments]
        options = ["--draws", "50", "--chains", "2", "--out", str(tmp_path / "results")]
        done = CliRunner().invoke(cli.main, ["compare", *given, *options])
        return done.exit_code, done.stdout, done.stderr

    return invoke


def draws(run: Run, name: str) -> np.ndarray:
    return run.tree()["posterior"][name].to_numpy()


# ---------------------------------------------------------------------------------------------
# Ratios and differences


def test_the_ratio_of_a_run_to_itself_is_one_and_the_difference_nothing(make):
    run = make("cheap")
    ratio, difference = compare([run, run], ["final_run"], ["final_run"]).relations
    assert (ratio.row.lower, ratio.row.p50, ratio.row.upper) == (1.0, 1.0, 1.0)
    assert (difference.row.lower, difference.row.upper, difference.row.unit) == (0.0, 0.0, "USD")


def test_what_two_files_share_cancels_so_a_doubled_rental_rate_doubles_the_cost_in_every_draw(make):
    [ratio] = compare([make("dear"), make("cheap")], ["final_run"]).relations
    assert ratio.row.p50 == pytest.approx(2, rel=1e-12)
    assert ratio.row.upper - ratio.row.lower < 1e-12


def test_a_ratio_is_the_quantile_of_the_ratio_of_draws_not_the_ratio_of_quantiles(make):
    a, b = make("cheap"), make("fixed")
    [ratio] = compare([a, b], ["final_run"], probability=0.8).relations
    expected = np.quantile(draws(a, "final_run") / draws(b, "final_run"), [0.1, 0.5, 0.9])
    assert [ratio.row.lower, ratio.row.p50, ratio.row.upper] == pytest.approx(expected, rel=1e-12)


def test_a_difference_is_the_first_less_the_second(make):
    a, b = make("cheap"), make("dear")
    [difference] = compare([a, b], differences=["final_run"]).relations
    assert difference.row.mean == pytest.approx(draws(a, "final_run").mean() - draws(b, "final_run").mean())
    assert difference.row.mean < 0


def test_each_is_set_against_each_later_one_in_the_order_given(make):
    found = compare([make("dear"), make("cheap"), make("fixed")], ["final_run"]).relations
    assert [(r.first, r.second) for r in found] == [("dear", "cheap"), ("dear", "fixed"), ("cheap", "fixed")]


def test_with_nothing_asked_for_every_common_scope_is_set_in_ratio_to_the_first(make):
    found = compare([make("cheap"), make("fleet"), make("dear")]).relations
    assert [(r.quantity, r.first, r.second) for r in found] == [
        ("final_run", "fleet", "cheap"),
        ("final_run", "dear", "cheap"),
        ("official_runs", "fleet", "cheap"),
        ("official_runs", "dear", "cheap"),
    ]


def test_one_run_alone_has_a_table_and_no_ratio(make):
    alone = compare([make("cheap")])
    assert list(alone.scopes) == ["final_run", "official_runs"]
    assert (alone.relations, alone.notes) == ((), ())


@pytest.mark.parametrize(
    "quantity", ["official_gpu_hours", "chips.h800.rental_rate", "run_cost[base]", "gpu_hours[base]", "official_runs"]
)
def test_a_ratio_may_be_of_a_quantity_an_unknown_or_one_index(make, quantity):
    [ratio] = compare([make("dear"), make("cheap")], [quantity]).relations
    assert ratio.row.p50 == pytest.approx(1.0 if "hours" in quantity else 2.0)


def test_what_one_file_fixes_is_compared_with_what_another_does_not_know(make):
    a, b = make("cheap"), make("fixed")
    [ratio] = compare([a, b], ["chips.h800.rental_rate"]).relations
    assert ratio.row.p50 == pytest.approx(np.median(draws(a, "chips.h800.rental_rate")) / 2)


def test_every_quantity_that_cannot_be_compared_is_named_at_once_with_its_mend(make):
    with pytest.raises(InputError) as caught:
        compare([make("cheap"), make("dear")], ["cost", "run_cost", "run_cost[x]"], ["final_run[base]"])
    assert [(fault.path.split(" in ")[0], fault.found) for fault in caught.value.faults] == [
        ("cost", "there is no such quantity"),
        ("final_run[base]", "final_run has no index"),
        ("run_cost", "run_cost has one value per run"),
        ("run_cost[x]", "run_cost has no run 'x'"),
    ]
    assert "write run_cost[…] with one of base" in str(caught.value)


def test_a_ratio_of_one_run_is_an_error(make):
    with pytest.raises(InputError, match="there is one scenario; compare two or more"):
        compare([make("cheap")], ["final_run"])


def test_a_quantity_that_some_lack_is_compared_between_those_that_have_it_and_this_is_said(make):
    found = compare([make("cheap"), make("fleet"), make("doubtful")], differences=["gpus"])
    assert [(r.first, r.second) for r in found.relations] == [("fleet", "doubtful")]
    assert "gpus is left out of cheap: there is no such quantity." in found.notes


def test_there_is_no_ratio_to_what_may_be_zero_and_this_is_said(make):
    found = compare([make("fleet"), make("doubtful")], ["hardware"])
    assert found.relations == ()
    assert any("has no ratio of fleet and doubtful: doubtful is zero in" in note for note in found.notes)


@pytest.mark.parametrize("other", [Settings(seed=2), Settings(draws=60), Settings(chains=3)])
def test_runs_whose_draws_are_not_paired_have_a_table_but_no_ratio(make, other):
    changed = Settings(**{**vars(SETTINGS), **{k: v for k, v in vars(other).items() if v != vars(Settings())[k]}})
    runs = [make("cheap"), make("dear", changed)]
    alone = compare(runs)
    assert alone.relations == ()
    assert alone.notes[0].startswith("No ratios are given: draws are not paired (cheap: seed 1, 2 × 50 draws; dear: ")
    with pytest.raises(RunError, match="the same --seed, --chains and --draws"):
        compare(runs, ["final_run"])


# ---------------------------------------------------------------------------------------------
# Scopes


def test_a_scope_is_as_the_run_has_it(make):
    run = make("cheap")
    found = compare([run]).scopes["final_run"]["cheap"]
    assert {key: found[key] for key in run.manifest["scopes"]["final_run"]} == run.manifest["scopes"]["final_run"]


def test_a_run_of_another_probability_is_summarised_anew_and_this_is_said(make):
    run = make("cheap", probability=0.5)
    found = compare([run], probability=0.8)
    estimate = found.scopes["final_run"]["cheap"]
    assert [estimate["lower"], estimate["upper"]] == pytest.approx(np.quantile(draws(run, "final_run"), [0.1, 0.9]))
    assert found.notes == ("cheap was run with 50 % intervals; here all are 80 % intervals.",)


def test_a_prior_beside_a_posterior_is_said_to_be_one(make):
    found = compare([make("cheap"), make("dear", Settings(draws=50, chains=2, prior_only=True))])
    assert list(found.heads.values()) == ["cheap, posterior", "dear, prior"]
    assert "Not the same group of draws: cheap, posterior, dear, prior." in found.notes


def test_different_moneys_are_said(make):
    found = compare([make("cheap"), make("later", text=f'money = "USD 2030"\n{MINIMAL}')])
    assert "Not the same money: cheap, USD, later, USD 2030." in found.notes
    assert "later, USD 2030" in comparison_report.scope_cells(found)[0]


def test_a_scope_that_a_scenario_lacks_is_a_dash(make):
    rows = comparison_report.scope_cells(compare([make("cheap"), make("fleet")]))
    assert [row[0] for row in rows] == ["scope", "final_run", "official_runs", "hardware"]
    assert rows[3][1] == "–"
    assert rows[3][2].startswith("$")


def test_runs_of_one_name_are_told_apart(make):
    seeds = [make("cheap"), make("cheap", Settings(draws=50, chains=2, seed=2))]
    assert [one.name for one in compare(seeds).scenarios] == ["cheap (seed 1)", "cheap (seed 2)"]
    same = make("dear")
    assert [one.name for one in compare([same, seeds[0], same]).scenarios] == ["dear (1)", "cheap", "dear (2)"]
    files = [same, make("dear", text=MINIMAL, folder="elsewhere")]
    assert [one.name for one in compare(files).scenarios] == [f"dear ({run.manifest['digest'][:8]})" for run in files]


# ---------------------------------------------------------------------------------------------
# The command


def test_the_command_prints_tables_and_says_what_cancels(invoke):
    code, printed, err = invoke("dear", "cheap", "--ratio", "final_run", "--no-figure")
    assert (code, err) == (0, "")
    assert "final_run  dear / cheap  2.00    2.00 to 2.00" in printed
    assert "have the same draws, so what is shared cancels" in printed
    assert "90 % credible interval" in printed


def test_the_object_for_machines_is_json_and_the_one_in_the_folder(invoke):
    code, printed, _ = invoke("dear", "fleet", "--json", "--no-figure", "--difference", "final_run")
    found = json.loads(printed)
    kept = json.loads((Path(found.pop("folder")) / "comparison.json").read_text())
    assert (code, found) == (0, kept)
    assert set(found["scenarios"][0]) == {"name", "run", "converged", "digest", "seed"}
    assert set(found["scopes"]["final_run"]) == {"dear", "fleet"}
    assert set(found["scopes"]["hardware"]["fleet"]) == {"median", "lower", "upper", "probability", "kind", "unit"}
    [difference] = found["differences"]
    assert (difference["minuend"], difference["subtrahend"], difference["kind"]) == ("dear", "fleet", "eti")


def test_the_same_command_again_takes_the_runs_there_are_and_gives_the_same_files(invoke, tmp_path):
    folders_of = [Path(invoke("cheap", "dear")[1].split("comparison: ")[1].strip()) for _ in range(2)]
    assert folders_of[0] != folders_of[1]
    for path in folders_of[0].iterdir():
        assert path.read_bytes() == (folders_of[1] / path.name).read_bytes()
    assert {path.name for path in folders_of[0].iterdir()} == {
        f"comparison.{s}" for s in ("json", "md", "png", "svg", "txt")
    }
    assert len(folders.runs(tmp_path / "results")) == 2


def test_a_run_stands_beside_a_file(invoke, make):
    run = make("cheap")
    code, printed, _ = invoke(str(run.folder), "dear", "--json", "--no-figure")
    assert code == 0
    assert json.loads(printed)["scenarios"][0]["run"] == str(run.folder)


def test_bad_input_is_named_and_no_comparison_is_left(invoke, tmp_path):
    code, _, err = invoke("cheap", "nowhere", str(tmp_path / "missing.toml"))
    assert code == 1
    assert "nowhere: no such prior file, and no such run" in err
    assert "missing.toml" in err
    assert not (tmp_path / "results").exists()


def test_a_scenario_that_has_not_converged_is_named_on_every_output_and_the_command_exits_3(invoke, monkeypatch):
    poor = Verdict(False, "nuts", ("R-hat of x is 1.3",))
    monkeypatch.setattr(inference, "judge", lambda *given: poor)
    code, printed, err = invoke("cheap", "dear")
    folder = Path(printed.split("comparison: ")[1].strip())
    assert code == 3
    assert "cheap: R-hat of x is 1.3" in err
    shown = [printed, *((folder / f"comparison.{form}").read_text() for form in ("md", "svg", "txt"))]
    assert all("NOT CONVERGED" in text for text in shown)
    assert json.loads((folder / "comparison.json").read_text())["converged"] is False


def test_a_wide_table_is_continued_below():
    cells = [["scope", *(f"scenario-{n}" for n in range(9))]]
    blocks = comparison_report.folded(cells, 40)
    assert all(len("  ".join(block[0])) <= 40 for block in blocks)
    assert [name for block in blocks for name in block[0][1:]] == cells[0][1:]


# ---------------------------------------------------------------------------------------------
# The figure


@dataclass(frozen=True)
class MadeUp(Run):
    """A run that never was."""

    draws: Any = None

    def tree(self, *groups: str) -> Any:
        return self.draws


def beside(*runs: tuple[dict[str, Any], Any]) -> comparison.Comparison:
    return compare([MadeUp(Path(str(number)), *run) for number, run in enumerate(runs)])


def drawn(compared: comparison.Comparison) -> Any:
    with plot_style.house_style():
        return comparison_plot.draw(compared)


LONG = "an-extraordinarily-long-name-of-a-file-that-nobody-would-ever-read"
NINE = [made_up(ALL, CLAIMS[n::9], name=f"view-{n}", subject=f"lab {n % 2}") for n in range(8)]
FIGURES = {
    "one": [made_up({"hardware": 1e9})],
    "two": [made_up(ALL, CLAIMS), made_up({"final_run": 5e6}, name="small")],
    "nine": [*NINE, made_up(ALL, name=LONG, verdict={**NOT_CONVERGED, "reasons": ["R-hat"]})],
    "claims at one place": [made_up({"hardware": 1e9}, [claim(n, "hardware", value=1e9 + n) for n in range(20)])] * 2,
    "zero": [made_up({"hardware": 1e9}, zero=0.3), made_up({"hardware": 1e9}, zero=1.0)],
    "no spread": [made_up({"hardware": 1e9}, sigma=0.0)] * 2,
}
figures = pytest.mark.parametrize("runs", FIGURES.values(), ids=FIGURES)


@figures
def test_no_two_texts_of_the_figure_overlap_and_all_lie_on_the_sheet(runs):
    figure = drawn(beside(*runs))
    boxes = texts(figure)
    for (a, box), (b, other) in itertools.combinations(boxes.items(), 2):
        assert not box.overlaps(other), f"{a.get_text()!r} overlaps {b.get_text()!r}"
    for text, box in boxes.items():
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text


@figures
def test_no_interval_lies_under_a_text(runs):
    figure = drawn(beside(*runs))
    boxes = texts(figure).values()
    bars = [patch.get_window_extent() for patch in figure.axes[0].patches]
    assert not any(bar.overlaps(box) for bar in bars for box in boxes if bar.width > 0)


def test_a_figure_that_several_scenarios_show_has_one_mark_filled_where_it_is_evidence_in_one():
    one, other = claim(0, "hardware", value=1e9, used=False), claim(0, "hardware", value=1e9, used=True, label="again")
    compared = beside(made_up({"hardware": 1e9}, [one]), made_up({"hardware": 1e9}, [other]))
    [mark] = comparison_plot.marks_of(compared, "hardware")
    assert (mark.label, mark.used) == (plot_style.legible(one["label"]), True)


def test_equal_figures_about_different_subjects_are_two_marks_that_say_of_whom():
    runs = [
        made_up({"hardware": 1e9}, [claim(n, "hardware", value=1e9, kind="floor")], subject=f"lab {n}") for n in (0, 1)
    ]
    marks = comparison_plot.marks_of(beside(*runs), "hardware")
    assert sorted(mark.label[-7:] for mark in marks) == ["[lab 0]", "[lab 1]"]


def test_the_figure_has_a_row_for_each_scenario_that_has_the_scope():
    shown = said(drawn(beside(made_up(ALL, name="all"), made_up({"final_run": 5e6}, name="small"))))
    assert shown.splitlines().count("all") == len(ALL)
    assert shown.splitlines().count("small") == 1


def test_the_figure_says_over_how_many_years_a_cost_is_counted():
    one, (manifest, tree) = made_up({"ownership": 1e9}), made_up({"ownership": 1e9})
    assert "owned, 4 years" in said(drawn(beside(one, one)))
    other = tree.copy()
    other["constant_data"] = tree["constant_data"].dataset.assign({"scope.horizon": 3.0})
    assert "owned, not over the same years" in said(drawn(beside(one, (manifest, other))))


def test_the_caption_says_every_number_and_how_it_was_made():
    caption = comparison_plot.caption(beside(made_up(ALL, name="all"), made_up({"final_run": 5e6}, name="small")))
    for part in (
        "Final training run (rental-equivalent): all $",
        ", small $",
        "seed 7, 4 × 100 draws",
        "90 %",
        "0123456789abcdef",
    ):
        assert part in caption
