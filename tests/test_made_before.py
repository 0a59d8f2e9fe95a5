"""A finished run of the same content, settings and versions is shown by ``simulate run``, not repeated."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import MINIMAL

from simulate import cli, pipeline, plots, results

NOTICE = "made before, "


@pytest.fixture
def run(write, tmp_path):
    """Run a small prior file; return its exit code, what it printed, and standard error."""
    path = write(MINIMAL)

    def run(*options: str, figures: bool = False, draws: int = 50) -> tuple[int, str, str]:
        fixed = ["--draws", str(draws), "--chains", "2", "--out", str(tmp_path / "results")]
        arguments = ["run", "--priors", str(path), *fixed, *options]
        done = CliRunner().invoke(cli.main, [*arguments, *([] if figures else ["--no-figures"])])
        return done.exit_code, done.stdout, done.stderr

    return run


@pytest.fixture
def folders(tmp_path):
    return lambda: results.runs(tmp_path / "results")


def test_a_run_that_was_made_before_is_shown_and_said_to_be_old(run, folders):
    first, second = run(), run()
    assert second[:2] == first[:2]
    assert (first[2], second[2][: len(NOTICE)]) == ("", NOTICE)
    assert "UTC" in second[2]
    assert "--again" in second[2]
    assert len(folders()) == 1


@pytest.mark.parametrize("form", ["--json", "--quiet"])
def test_a_run_that_was_made_before_is_printed_in_every_form_as_it_was_then(run, form):
    first, second = run(form), run(form)
    assert second[:2] == first[:2]
    assert second[2].startswith(NOTICE)


def test_asked_for_again_a_run_is_made_beside_the_older_one_with_the_same_numbers(run, folders):
    run()
    [older] = folders()
    before = results.checksums(older)
    _, printed, notice = run("--again")
    assert (len(folders()), notice) == (2, "")
    assert str(folders()[1]) in printed
    assert results.checksums(older) == before
    assert len({(folder / "summary.csv").read_bytes() for folder in folders()}) == 1


@pytest.mark.parametrize("options", [("--seed", "2"), ("--set", "runs.base.gpu_hours=2e6"), ("--prior-only",)])
def test_what_differs_in_anything_is_another_run(run, folders, options):
    run()
    assert run(*options)[2] == ""
    assert len(folders()) == 2


@pytest.mark.parametrize("key", ["simulate", "code", "processor", "numpy"])
def test_a_run_made_on_other_versions_is_not_taken_for_the_same(run, folders, monkeypatch, key):
    run()
    now = pipeline.versions()
    monkeypatch.setattr(pipeline, "versions", lambda: {**now, key: "another"})
    assert run()[2] == ""
    assert len(folders()) == 2


def test_the_versions_name_what_the_last_bit_depends_on():
    found = pipeline.versions()
    assert len(found["code"]) == 16
    assert set(found["processor"].split(", ")) <= {*np.show_config(mode="dicts")["SIMD Extensions"]["found"], ""}


def test_a_damaged_run_is_made_anew(run, folders):
    run()
    (folders()[0] / "summary.csv").write_text("")
    assert run()[2] == ""
    assert len(folders()) == 2


def test_a_run_in_another_place_is_not_looked_for(run, tmp_path):
    run()
    assert run("--out", str(tmp_path / "elsewhere"))[2] == ""


def test_the_figures_that_a_run_lacks_are_drawn_when_they_are_asked_for(run, folders):
    run()
    assert run(figures=True)[2].startswith(NOTICE)
    [folder] = folders()
    assert (folder / "figures" / "ladder.png").is_file()
    assert results.load(folder)


def test_the_figures_that_a_run_has_are_left_as_they_are(run, folders, monkeypatch):
    run(figures=True)
    drawn = []
    monkeypatch.setattr(plots, "write", lambda folder, name, *rest: drawn.append(name))
    run(figures=True)
    assert drawn == []


def test_a_figure_half_drawn_is_drawn_again(tmp_path):
    (tmp_path / "ladder.png").write_bytes(b"half")
    assert plots.absent(tmp_path, ["ladder"]) == ["ladder"]
    (tmp_path / "ladder.txt").write_text("whole")
    assert plots.absent(tmp_path, ["ladder"]) == []


def test_a_run_that_had_not_converged_exits_as_it_did_when_it_was_made(run, folders):
    run("--quiet")
    manifest = json.loads((folders()[0] / "manifest.json").read_text())
    manifest["verdict"] |= {"converged": False, "reasons": ["made up"]}
    (folders()[0] / "manifest.json").write_text(json.dumps(results.signed(manifest)))
    assert run("--quiet")[0] == 3
