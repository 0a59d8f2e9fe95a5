"""Figures drawn beside the run are the figures, and are there whatever becomes of the process that draws them."""

import os
import signal
import sys

import pytest
from conftest import MINIMAL

from simulate import pipeline, results
from simulate.drawing import drawing
from simulate.errors import RunError
from simulate.inference import Settings
from simulate.postponing import postponed

pytestmark = pytest.mark.sampling

KINDS = ("ladder", "forest")


@pytest.fixture
def run(load, tmp_path):
    done = pipeline.run(load(MINIMAL), Settings(100, chains=2), out=tmp_path / "results", figures=())
    return results.load(done.folder)


def drawn(run, folder, cores, harm=lambda drawing: None):
    with drawing(folder, KINDS, cores) as found:
        harm(found)
        found.begin(run.manifest, run.tree().load())
        found.end()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_another_process_draws_the_same_bytes(run, tmp_path):
    assert drawn(run, tmp_path / "here", 1) == drawn(run, tmp_path / "there", 2)


def test_where_that_process_dies_this_one_draws(run, tmp_path):
    import multiprocessing

    def kill(found):
        for child in multiprocessing.active_children():
            os.kill(child.pid, signal.SIGKILL)
            child.join()

    assert drawn(run, tmp_path / "here", 1) == drawn(run, tmp_path / "there", 2, kill)


def test_what_the_disk_refuses_that_process_is_told_by_this_one(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        drawn(run, tmp_path / "file", 2)


def test_a_postponed_package_is_imported_when_something_of_it_is_asked_for(monkeypatch, tmp_path):
    (tmp_path / "late_package.py").write_text("value = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    with postponed("late_package"):
        import late_package
    assert "late_package" not in sys.modules
    assert late_package.value == 3
    assert "late_package" in sys.modules
