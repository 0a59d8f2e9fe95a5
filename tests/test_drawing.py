"""Figures drawn beside the run are the figures, and are there whatever becomes of the process that draws them."""

import os
import sys
import time
from pathlib import Path

import pytest
from conftest import CLAIM, MINIMAL
from processes import copied, in_another_process

from simulate import pipeline, plots, processes, results
from simulate.drawing import drawing, ticketed
from simulate.errors import RunError
from simulate.inference import Settings
from simulate.postponing import postponed

pytestmark = pytest.mark.sampling

KINDS = ("ladder", "forest", "posterior", "ranks")


@pytest.fixture
def run(load, tmp_path):
    done = pipeline.run(load(MINIMAL + CLAIM), Settings(100, chains=2), out=tmp_path / "results", figures=())
    return results.load(done.folder)


def drawn(run, folder, beside, harm=lambda drawing: None):
    with drawing(folder, KINDS, beside) as found:
        found.begin(run.manifest, run.tree().load())
        harm(found)
        found.end()
    return files(folder)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def kill(found):
    found.other.process.kill()
    found.other.process.join()


def wait(found):
    """Leave all figures to the other process."""
    while plots.absent(found.folder, KINDS):
        assert found.other.process.is_alive()
        time.sleep(0.05)


HARMS = {"helped": lambda found: None, "left alone": wait, "killed": kill}


def alone(folder, case, to):
    """Draw a run in a process that has done nothing else, and so can be copied."""
    assert processes.is_copied()
    try:
        drawn(results.load(Path(folder)), Path(to), True, HARMS[case])
    except RunError as error:
        print(error)


@pytest.fixture
def beside(run):
    def beside(case, to):
        code = f"import test_drawing; test_drawing.alone({str(run.folder)!r}, {case!r}, {str(to)!r})"
        return in_another_process(code)

    return beside


@copied
@pytest.mark.parametrize("case", HARMS)
def test_the_same_bytes_are_drawn_whoever_draws_them(run, beside, tmp_path, case):
    here = drawn(run, tmp_path / "here", False)
    assert {f"{kind}.png" for kind in KINDS} < here.keys()
    beside(case, tmp_path / "there")
    assert files(tmp_path / "there") == here


@copied
def test_what_the_disk_refuses_is_told_by_this_one(beside, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot write" in beside("helped", tmp_path / "file")


def test_each_ticket_is_taken_once():
    tickets = ticketed(3)
    assert [os.read(tickets, 1) for _ in range(4)] == [b"\0", b"\1", b"\2", b""]
    os.close(tickets)


def test_a_postponed_package_is_imported_when_something_of_it_is_asked_for(monkeypatch, tmp_path):
    (tmp_path / "late_package.py").write_text("value = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    with postponed("late_package"):
        import late_package
    assert "late_package" not in sys.modules
    assert late_package.value == 3
    assert "late_package" in sys.modules
