"""A process beside this one ends with the connection to it, whatever other processes there are."""

import multiprocessing
import sys

import pytest
from conftest import CLAIM, MINIMAL
from processes import copied

from simulate import pipeline, processes
from simulate.inference import Settings
from simulate.workforce import Local


def echo(connection):
    connection.send(connection.recv())


@pytest.fixture(params=["a copy", "anew"])
def start(request, monkeypatch):
    if request.param == "a copy" and sys.platform != "linux":
        pytest.skip("processes are copied on Linux alone")
    monkeypatch.setattr(processes, "is_copied", lambda: request.param == "a copy")
    return lambda: processes.start(echo, shared=lambda: None)


def test_it_answers(start):
    connection, process = start()
    connection.send("a word")
    assert connection.recv() == "a word"
    process.join(60)
    assert process.exitcode == 0


def test_it_ends_with_its_connection_though_another_was_started_after_it(start):
    (first, one), (second, other) = start(), start()
    first.close()
    one.join(60)
    assert (one.exitcode, other.is_alive()) == (1, True)
    second.close()
    other.join(60)
    assert other.exitcode == 1


def test_a_process_with_threads_is_not_copied(monkeypatch):
    monkeypatch.setattr(processes, "LIVELY", frozenset())
    monkeypatch.setattr(processes.sys, "platform", "linux")
    monkeypatch.setattr(processes.threading, "active_count", lambda: 1)
    assert processes.is_copied()
    monkeypatch.setattr(processes.threading, "active_count", lambda: 2)
    assert not processes.is_copied()


def test_a_process_that_has_imported_what_has_threads_is_not_copied(monkeypatch):
    monkeypatch.setattr(processes.sys, "platform", "linux")
    monkeypatch.setattr(processes.threading, "active_count", lambda: 1)
    monkeypatch.setattr(processes, "LIVELY", frozenset({"json.decoder"}))
    monkeypatch.delitem(sys.modules, "json.decoder", raising=False)
    assert processes.is_copied()
    monkeypatch.setitem(sys.modules, "json.decoder", object())
    assert not processes.is_copied()


def refused(*args):
    raise BlockingIOError("the machine allows no more")


class Doubling:
    def prepared(self):
        return lambda item: 2 * item


@copied
@pytest.mark.sampling
def test_where_no_process_can_start_this_one_does_the_work(monkeypatch, load, tmp_path):
    monkeypatch.setattr(processes, "is_copied", lambda: True)
    monkeypatch.setattr(multiprocessing.get_context("fork").Process, "start", refused)
    assert list(Local(2).make(Doubling(), iter([1, 2, 3]))) == [[2], [4], [6]]
    priors, settings = load(MINIMAL + CLAIM), Settings(draws=50, tune=100, chains=2, cores=2)
    done = pipeline.run(priors, settings, out=tmp_path, figures=("ladder",), beside=True)
    assert (done.folder / "figures" / "ladder.png").is_file()
