"""In Python as on the command line."""

import dataclasses
import errno
import html
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import MINIMAL, Write

import simulate
from simulate import plot_files, results
from simulate.errors import RunError, SimulateError
from simulate.notebook import Run

REPOSITORY = Path(__file__).parent.parent
TITLED = MINIMAL.replace("One run at a rental rate", "One <run> & a rate")

USED = """import simulate
from simulate.notebook import Answers, Figure, Interval, Run

run: Run = simulate.run("semianalysis", set=["scope.horizon=3"], seed=7)
interval: Interval = run.interval("company")
answers: Answers = run.query("company / gpus")
figure: Figure = run.plot("ladder")
sentence: str = run.cite("company") + simulate.load("semianalysis").cite()
width: float = interval.upper - answers[0].value
rows: int = len(run.summary())
"""
WRONG = """median: str = interval.median
simulate.load(3)
"""


@pytest.fixture
def run(write: Write, tmp_path) -> Run:
    return simulate.run(write(TITLED), out=tmp_path / "out", draws=200, chains=2)


def test_a_run_is_written_and_found_again(run, write, tmp_path):
    assert results.load(run.folder).manifest["checksum"] == run.manifest["checksum"]
    assert simulate.run(write(TITLED), out=tmp_path / "out", draws=200, chains=2).folder == run.folder
    assert simulate.load(run.folder).folder == run.folder
    assert simulate.run(write(TITLED), out=tmp_path / "out", draws=200, chains=2, again=True).folder != run.folder


def test_an_interval_has_its_numbers_and_says_what_it_is(run):
    found = run.interval("final_run")
    assert found.lower < found.median < found.upper
    assert (found.probability, found.kind, found.unit) == (0.9, "eti", "USD")
    assert "90 % credible interval" in repr(found)
    assert repr(found).endswith("USD)")
    assert found.median == float(run.posterior["final_run"].median())


def test_a_summary_is_a_table_of_the_scopes(run):
    table = run.summary()
    assert list(table.index) == list(run.manifest["scopes"])
    assert table.loc["final_run", "median"] == run.interval("final_run").median


@pytest.mark.parametrize("change", [["chips.h800.rental_rate=4"], "chips.h800.rental_rate=4"])
def test_a_change_of_the_file_is_as_on_the_command_line(write, tmp_path, change):
    changed = simulate.run(write(MINIMAL), set=change, out=tmp_path, draws=200, chains=2)
    assert changed.manifest["settings"] == ["chips.h800.rental_rate=4"]
    assert "with chips.h800.rental_rate=4 set by hand" in repr(changed)
    assert "with chips.h800.rental_rate=4 set by hand" in repr(changed.query("final_run"))


def test_intervals_whose_ends_the_draws_do_not_reach_are_refused_before_anything_is_drawn(write, tmp_path):
    with pytest.raises(
        SimulateError, match=r"400 draws are too few for 99\.9 % intervals.*: use --probability 0.99 or"
    ):
        simulate.run(write(MINIMAL), out=tmp_path / "runs", draws=200, chains=2, probability=0.999)
    assert not (tmp_path / "runs").exists()


def test_numbers_of_numpy_are_as_good_as_those_of_python(write, tmp_path):
    given = {"draws": np.int64(20), "chains": np.int8(2), "seed": np.uint32(3), "probability": np.float32(0.5)}
    assert simulate.run(write(MINIMAL), out=tmp_path, **given).interval("final_run").probability == 0.5


def test_all_that_is_wrong_with_the_options_of_a_run_is_said_at_once(tmp_path):
    wrong = {"draws": -1, "chains": True, "seed": "a", "probability": 2, "target_accept": float("nan")}
    with pytest.raises(SimulateError) as caught:
        simulate.run("semianalysis", out=tmp_path, quasi=1, nuts="stan", seeds=3, **wrong)
    for part in (
        "draws: -1 is no whole number from 10 to",
        "chains: True is no whole number from 1 to 64",
        "seed: 'a' is no whole number from 0 to 4,294,967,295",
        "probability: 2 is no number between 0 and 1",
        "target_accept: nan is no number between 0 and 1",
        "quasi: 1 is neither True nor False",
        "nuts: 'stan' is no sampler; there are nutpie, pymc",
        "seeds: no option of a run; there are draws",
    ):
        assert part in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "given",
    [
        {"set": 3},
        {"set": None},
        {"set": [3]},
        {"out": 3},
        {"out": None},
        {"figures": "no"},
        {"again": "no"},
        {"nuts": np.array(["nutpie", "pymc"])},
    ],
)
def test_what_a_run_cannot_be_given_is_named(tmp_path, given):
    [name] = given
    with pytest.raises(SimulateError, match=f"^{name}: "):
        simulate.run("semianalysis", **{"out": tmp_path, **given})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", [{"folder": 3}, {"folder": "semianalysis", "out": 3}])
def test_a_place_that_is_none_is_named(given):
    with pytest.raises(SimulateError, match=f"^{[*given][-1]}: 3 is neither a text nor a path"):
        simulate.load(**given)


def test_questions_that_are_no_text_are_named(run):
    for wrong in (3, None, ["final_run"], Path("ladder")):
        for ask in (run.interval, run.cite, run.query, run.plot):
            with pytest.raises(SimulateError, match=r"^(name|scopes|expressions|kind): .* is no text"):
                ask(wrong)
    with pytest.raises(SimulateError, match="force: 'no' is neither True nor False"):
        run.cite(force="no")


def test_a_summary_says_whether_the_run_has_converged(run):
    assert run.summary()["converged"].all()
    verdict = {**run.manifest["verdict"], "converged": False}
    poor = Run(dataclasses.replace(run.on_disk, manifest={**run.manifest, "verdict": verdict}))
    assert not poor.summary()["converged"].any()


def test_a_run_can_be_cited_and_queried(run):
    assert "90 % credible interval" in run.cite("final_run")
    [answer] = run.query("P(final_run > 0 USD)")
    assert answer.value == 1.0


def test_what_a_notebook_shows_has_no_markup_of_the_file(run):
    shown = run._repr_html_()
    assert html.escape("One <run> & a rate") in shown
    assert "<run>" not in shown
    assert "exact" in shown


def test_answers_show_themselves_as_a_table_and_a_poor_run_says_so_there(run):
    answers = run.query("P(final_run > 0 USD)", "q90(final_run)")
    assert "q90(final_run)" in repr(answers)
    assert "USD; 400 draws, equal-tailed" in repr(answers)
    assert "<td>q90(final_run)</td>" in answers._repr_html_()
    answers.warning = "NOT CONVERGED"
    assert "NOT CONVERGED" in repr(answers)
    assert "<p>NOT CONVERGED</p>" in answers._repr_html_()


def test_a_figure_shows_itself_with_its_caption(run):
    figure = run.plot("exceedance", scope="final_run", theme="dark")
    assert figure.path.name == "exceedance-final_run-dark.png"
    assert "90 %" in repr(figure) or "probab" in repr(figure)
    shown = figure._repr_html_()
    assert f"{html.escape(figure.caption)}</figcaption>" in shown
    assert "data:image/png;base64,iVBOR" in shown


def test_a_figure_is_drawn_where_it_is_wanted(run, tmp_path):
    assert run.plot("exceedance", to=tmp_path / "new" / "place").path == tmp_path / "new" / "place" / "exceedance.png"
    assert not list(run.folder.rglob("exceedance*"))


def test_a_figure_that_cannot_be_written_says_where_else_and_leaves_no_folder(run, tmp_path, monkeypatch):
    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(plot_files, "place", full)
    with pytest.raises(RunError, match="free space, or choose another place with --to"):
        run.plot("exceedance", to=tmp_path / "new" / "place")
    assert not (tmp_path / "new").exists()


def test_what_there_is_not_is_said(run, tmp_path):
    with pytest.raises(SimulateError, match="no cost scope of this run; there are final_run"):
        run.interval("company")
    with pytest.raises(SimulateError, match="one figure at a time"):
        run.plot("all")
    with pytest.raises(RunError):
        simulate.load("nothing", out=tmp_path)


def test_it_is_typed_for_those_who_use_it(tmp_path):
    script = tmp_path / "user.py"
    script.write_text(USED + WRONG)
    options = ["--strict", "--no-incremental", "--follow-imports=silent", "--ignore-missing-imports"]
    command = [sys.executable, "-m", "mypy", *options, str(script)]
    where = {**os.environ, "MYPYPATH": str(REPOSITORY)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=where, check=False)
    found = re.findall(r"user\.py:(\d+): error: (.*)", done.stdout)
    assert [int(line) for line, _ in found] == [USED.count("\n") + 1, USED.count("\n") + 2], done.stdout


def test_its_types_are_shipped():
    assert (REPOSITORY / "simulate" / "py.typed").is_file()
    assert "py.typed" in (REPOSITORY / "setup.cfg").read_text(encoding="utf-8")
