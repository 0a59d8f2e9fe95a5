"""A run is taken where there is one, and made of its prior file where there is none."""

from __future__ import annotations

import dataclasses

import pytest
from conftest import MINIMAL

from simulate import obtaining, pipeline, results
from simulate.errors import InputError, RunError, SimulateError
from simulate.inference import Settings

SETTINGS = Settings(draws=20, chains=2)


@pytest.fixture
def obtain(write, tmp_path):
    """Obtain a run of a small prior file, or of what is given."""
    path = write(MINIMAL)

    def obtain(given=str(path), settings=SETTINGS, **more):
        return obtaining.obtain(given, settings, out=tmp_path / "results", **more)

    return obtain


def test_a_prior_file_is_run_without_figures(obtain):
    run = obtain()
    assert run.manifest["name"] == "prior"
    assert not (run.folder / results.FIGURES).exists()


def test_a_prior_file_that_was_run_is_not_run_again(obtain):
    assert obtain() == obtain()


@pytest.mark.parametrize(
    "change", [{"seed": 2}, {"draws": 21}, {"chains": 3}, {"tune": 5}, {"target_accept": 0.95}, {"prior_only": True}]
)
def test_another_setting_is_another_run(obtain, change):
    assert obtain().folder != obtain(settings=dataclasses.replace(SETTINGS, **change)).folder


def test_the_number_of_cores_makes_no_other_run(obtain):
    assert obtain() == obtain(settings=dataclasses.replace(SETTINGS, cores=7))


def test_another_probability_is_another_run(obtain):
    assert obtain().folder != obtain(probability=0.8).folder


def test_another_version_is_another_run(obtain, monkeypatch):
    before = obtain()
    monkeypatch.setattr(pipeline, "__version__", "0.0.0")
    assert obtain().folder != before.folder


def test_a_changed_prior_file_is_run_anew(obtain, write):
    before = obtain()
    write(MINIMAL.replace("3.0]", "3.5]"))
    assert obtain().folder != before.folder


def test_a_damaged_run_is_made_again(obtain):
    before = obtain()
    (before.folder / results.SUMMARY).write_text("")
    assert obtain().folder != before.folder


def test_the_latest_of_the_same_runs_is_taken(obtain, load, tmp_path):
    obtain()
    last = pipeline.run(load(MINIMAL), SETTINGS, out=tmp_path / "results", figures=())
    assert obtain().folder == last.folder


def test_a_run_is_taken_by_its_folder_or_a_part_of_its_name_whatever_the_settings(obtain):
    run, other = obtain(), Settings(draws=30)
    assert obtain(str(run.folder), other) == run
    assert obtain(run.folder.name[:-4], other) == run


def test_a_name_that_could_be_both_means_the_prior_file(obtain, monkeypatch, tmp_path):
    run = obtain()
    (tmp_path / "priors").mkdir()
    (tmp_path / "priors" / "prior.toml").write_text(MINIMAL)
    assert obtain("prior") == run
    monkeypatch.chdir(tmp_path)
    assert obtain("prior", Settings(draws=30)).folder != run.folder


def test_what_is_neither_a_file_nor_a_run_is_an_error(obtain):
    with pytest.raises(RunError, match="nowhere: no such prior file, and no such run in"):
        obtain("nowhere")
    with pytest.raises(InputError, match="nowhere"):
        obtain("nowhere.toml")


def test_what_is_wrong_with_several_files_is_said_at_once(write, tmp_path):
    bad = write("schema = 1\n", "bad.toml")
    with pytest.raises(SimulateError) as caught:
        obtaining.all_meant([str(write(MINIMAL)), str(bad), "nowhere"], tmp_path)
    assert "bad.toml: " in str(caught.value)
    assert "nowhere: no such" in str(caught.value)


@pytest.mark.sampling
def test_many_files_are_run_side_by_side_with_the_numbers_that_each_has_alone(write, tmp_path, monkeypatch):
    monkeypatch.setattr(obtaining, "WORTH_PROCESSES", 2)
    files = [
        str(write(MINIMAL.replace("1.5", str(rate)), f"rate{number}.toml")) for number, rate in enumerate((1, 1.2))
    ]
    together = obtaining.obtain_all(files, SETTINGS, out=tmp_path / "a", probability=0.9, progress=None)
    alone = [obtaining.obtain(file, SETTINGS, out=tmp_path / "b") for file in files]
    assert [run.manifest["name"] for run in together] == ["rate0", "rate1"]
    for one, other in zip(together, alone, strict=True):
        assert (one.folder / "summary.csv").read_bytes() == (other.folder / "summary.csv").read_bytes()
