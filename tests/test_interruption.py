"""Ctrl-C is heard whoever swallows it, and not heard where whoever started the command has it ignored."""

from __future__ import annotations

import signal
import time
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from simulate import cli, interruption, loading
from simulate.__main__ import main


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    monkeypatch.setattr("sys.unraisablehook", lambda swallowed: None)
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def swallow(**given):
    """Be a library that makes an error of its own of an interruption."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise RuntimeError("a library's own error") from None


def test_an_interruption_that_python_had_to_ignore_comes_again():
    interruption.Interruption().ignored(SimpleNamespace(exc_type=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        time.sleep(10)


@pytest.mark.parametrize(("came", "told"), [(False, 1), (True, 0)])
def test_what_an_interruption_left_half_made_is_not_told(monkeypatch, came, told):
    said = []
    monkeypatch.setattr("sys.__unraisablehook__", said.append)
    heard = interruption.Interruption()
    heard.came = came
    heard.ignored(SimpleNamespace(exc_type=AttributeError))
    assert len(said) == told


@pytest.mark.parametrize("end", [swallow, lambda **given: signal.raise_signal(signal.SIGINT)])
def test_an_interruption_exits_130_whatever_a_library_makes_of_it(monkeypatch, capsys, end):
    monkeypatch.setattr(cli, "main", end)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "\ninterrupted; nothing unfinished was kept\n"


def test_an_error_of_ours_is_not_taken_for_an_interruption(monkeypatch):
    def fail(**given):
        raise RuntimeError("a mistake")

    monkeypatch.setattr(cli, "main", fail)
    with pytest.raises(RuntimeError, match="a mistake"):
        main()


def test_an_ignored_interruption_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interruption.Interruption().listen()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_want_of_memory_is_an_error_with_its_mend(monkeypatch):
    def fail(*given):
        raise MemoryError

    monkeypatch.setattr(loading, "load", fail)
    done = CliRunner().invoke(cli.main, ["run", "--priors", "semianalysis"])
    assert (done.exit_code, done.stderr) == (1, "error: not enough memory; use fewer --draws or --chains\n")
