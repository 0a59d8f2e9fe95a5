"""In Python as on the command line."""

import html

import pytest
from conftest import MINIMAL, Write

import simulate
from simulate import results
from simulate.errors import RunError, SimulateError
from simulate.notebook import Run

TITLED = MINIMAL.replace("One run at a rental rate", "One <run> & a rate")


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
    assert found.median == float(run.posterior["final_run"].median())


def test_a_summary_is_a_table_of_the_scopes(run):
    table = run.summary()
    assert list(table.index) == list(run.manifest["scopes"])
    assert table.loc["final_run", "median"] == run.interval("final_run").median


def test_a_change_of_the_file_is_as_on_the_command_line(write, tmp_path):
    changed = simulate.run(write(MINIMAL), set=["chips.h800.rental_rate=4"], out=tmp_path, draws=200, chains=2)
    assert changed.manifest["settings"] == ["chips.h800.rental_rate=4"]


def test_a_run_can_be_cited_and_queried(run):
    assert "90 % credible interval" in run.cite("final_run")
    [answer] = run.query("P(final_run > 0 USD)")
    assert answer.value == 1.0


def test_what_a_notebook_shows_has_no_markup_of_the_file(run):
    shown = run._repr_html_()
    assert html.escape("One <run> & a rate") in shown
    assert "<run>" not in shown
    assert "exact" in shown


def test_what_there_is_not_is_said(run, tmp_path):
    with pytest.raises(SimulateError, match="no cost scope of this run; there are final_run"):
        run.interval("company")
    with pytest.raises(SimulateError, match="seeds: no setting; there are draws"):
        simulate.run("semianalysis", seeds=3)
    with pytest.raises(RunError):
        simulate.load("nothing", out=tmp_path)
