"""Bad inputs of every kind end the command in words: with their path, without a traceback, a hang or half a folder."""

from __future__ import annotations

import contextlib
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import bad_inputs
import pytest
import test_bad_input
from click.testing import CliRunner, Result
from conftest import MINIMAL

from simulate import cli

HANGS = 30
"""Seconds after which a command that refuses its input is taken to hang; it takes a fraction of one."""


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    def late(*given: object) -> None:
        raise AssertionError(f"not done after {HANGS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(HANGS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """Call the command in an empty folder with a good prior file, and see it refuse; return what it said."""
    monkeypatch.chdir(tmp_path)
    Path("minimal.toml").write_text(MINIMAL)
    Path("grid.toml").write_text(f'{bad_inputs.AXES}"runs.base.gpu_hours" = [1e6, 2e6]\n')
    Path("other.toml").write_text(MINIMAL.replace("One run", "Another"))

    def refused(*arguments: str, codes: tuple[int, ...] = (1,)) -> str:
        with in_time():
            done: Result = CliRunner().invoke(cli.main, list(arguments))
        assert isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code in codes, done.output
        assert done.stdout == ""
        assert len(done.stderr) < 20_000
        assert not list(Path().glob("results/*/*")), "something was written"
        return done.stderr

    return refused


def flat(table):
    """Return (name of kind and case, case) of each case of a table."""
    return [pytest.param(case, id=f"{kind}: {name}") for kind, cases in table.items() for name, case in cases.items()]


def test_there_are_300_bad_inputs_of_60_kinds():
    counted = bad_inputs.counted()
    assert len(counted) >= 60
    assert sum(counted.values()) >= 300


def test_every_bad_prior_file_base_and_setting_that_is_told_its_faults_is_of_one_kind():
    told = Counter(name for names in bad_inputs.TOLD.values() for name in names)
    cases = [*test_bad_input.CASES, *(f"extends: {name}" for name in test_bad_input.EXTENDS)]
    cases += [f"setting: {name}" for name in test_bad_input.SETTINGS]
    assert told == Counter(cases), "give each case of test_bad_input one kind in bad_inputs.TOLD"


@pytest.mark.parametrize("content", flat(bad_inputs.FILES))
def test_a_bad_prior_file_is_told_with_its_path(refused, content):
    Path("bad.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refused("run", "--priors", "bad.toml").startswith("error: bad.toml: ")


@pytest.mark.parametrize("settings", flat(bad_inputs.SETTINGS))
def test_bad_settings_are_told_with_the_path_of_the_file(refused, settings):
    given = [part for setting in settings for part in ("--set", setting)]
    assert refused("run", "--priors", "minimal.toml", *given).startswith("error: minimal.toml: ")


@pytest.mark.parametrize("options", flat(bad_inputs.OPTIONS))
def test_a_bad_option_is_wrong_usage(refused, options):
    assert "Error: " in refused("run", "--priors", "minimal.toml", *options, codes=(2,))


@pytest.mark.parametrize("arguments", flat(bad_inputs.VERBS))
def test_bad_arguments_of_a_verb_are_told(refused, arguments):
    assert "rror: " in refused(*arguments, codes=(1, 2))


@pytest.mark.parametrize("reader", bad_inputs.READERS.values(), ids=bad_inputs.READERS)
@pytest.mark.parametrize("place", flat(bad_inputs.PLACES))
def test_what_is_no_file_is_told_by_every_verb_that_reads_one(refused, place, reader):
    place(Path("file.toml"))
    assert "file.toml" in refused(*(part.format("file.toml") for part in reader))


@pytest.mark.parametrize("name", bad_inputs.STEMS)
def test_a_name_that_no_folder_can_have_is_told(refused, name):
    Path(name).write_text(MINIMAL)
    assert "its name cannot be that of its runs" in refused("run", "--priors", f"./{name}")


@pytest.mark.parametrize("text", flat(bad_inputs.REGISTERS))
def test_a_bad_register_is_told_with_its_path(refused, text):
    Path("bad.toml").write_text(text)
    assert refused("audit", "--register", "bad.toml").startswith("error: bad.toml: ")


@pytest.mark.parametrize("content", flat(bad_inputs.TABLES))
def test_a_bad_table_of_runs_is_told_with_its_path(refused, content):
    Path("bad.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refused("validate", "--runs", "bad.csv").startswith("error: bad.csv: ")


@pytest.mark.parametrize("content", flat(bad_inputs.GRIDS))
def test_a_bad_grid_is_told_with_its_path(refused, content):
    Path("bad.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refused("sweep", "--priors", "minimal.toml", "--grid", "bad.toml").startswith("error: bad.toml: ")
