"""The command line, as a user meets it: as a process, with its exit codes, streams and speed of start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from conftest import MINIMAL

from simulate import loading, pipeline
from simulate.cli import main
from simulate.inference import Settings

REPOSITORY = Path(__file__).parent.parent
HEAVY = (
    "pymc", "pytensor", "arviz", "arviz_base", "arviz_stats", "arviz_plots", "numba", "nutpie", "matplotlib", "pandas",
    "xarray", "h5netcdf", "scipy", "starlette", "uvicorn", "jinja2", "anyio",
)  # fmt: skip
LIGHT = (*HEAVY, "numpy", "pint")
VERBS = (
    "run", "check", "show", "verify", "reproduce", "plot", "compare", "sensitivity", "pool", "audit", "validate",
    "calibrate", "list", "init", "schema", "cite", "query", "sweep", "explore",
)  # fmt: skip


def simulate(*arguments: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    program = "from simulate.cli import main; main(prog_name='simulate')"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def imported(*arguments: str, cwd: Path = REPOSITORY, of: tuple[str, ...] = HEAVY) -> set[str]:
    """Return which of some packages a command imports; it must succeed."""
    program = (
        "import sys\nfrom simulate.cli import main\n"
        f"try: main({list(arguments)!r}, prog_name='simulate', standalone_mode=True)\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print('IMPORTED', *(name for name in {of!r} if name in sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_each_verb_has_an_example_and_imports_nothing_heavy(verb):
    done = simulate(verb, "--help")
    assert f"simulate {verb}" in done.stdout.split("Example:")[1]
    assert imported(verb, "--help") == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("check", "semianalysis"),
        ("check", "consensus"),
        ("check", "semianalysis", "--set", "fleet.h100.count=5k to 15k GPUs"),
        ("list",),
        ("init", "lab"),
        ("schema",),
    ],
    ids=" ".join,
)
def test_what_only_reads_files_imports_neither_numpy_nor_anything_heavier(arguments, tmp_path):
    assert imported(*arguments, cwd=tmp_path, of=LIGHT) == set()


@pytest.mark.parametrize("verb", ["show", "verify"])
def test_what_only_reads_a_run_imports_nothing_heavy(verb, write, tmp_path):
    priors = loading.load(write(MINIMAL))
    run = pipeline.run(priors, Settings(10, prior_only=True), out=tmp_path, figures=())
    assert imported(verb, str(run.folder)) == set()


@pytest.mark.parametrize("words", [["show"], ["plot", "exceedance"]], ids=" ".join)
def test_what_shows_a_run_that_has_not_converged_shows_it_and_exits_3(words, write, unconverged, tmp_path):
    priors = loading.load(write(MINIMAL))
    run = pipeline.run(priors, Settings(100, prior_only=True), out=tmp_path / "good", figures=())
    verb, *kinds = words
    assert CliRunner().invoke(main, [verb, str(run.folder), *kinds]).exit_code == 0
    done = CliRunner().invoke(main, [verb, str(unconverged(run, tmp_path / "poor").folder), *kinds])
    assert done.exit_code == 3
    assert done.stdout.strip()
    assert "R-hat of gpus is 1.2" in done.stderr


def test_check_says_what_follows_from_a_file():
    done = simulate("check", "semianalysis")
    assert done.returncode == 0
    assert "scopes: final_run, official_runs, research_compute, development, hardware" in done.stdout


def test_check_of_several_files_reports_each_and_exits_1(tmp_path):
    (tmp_path / "bad.toml").write_text("schema = 1\ntitle = 3\nfoo = 1\n")
    done = simulate("check", "semianalysis", str(tmp_path / "bad.toml"), "nowhere")
    assert done.returncode == 1
    assert "ok: semianalysis" in done.stdout
    assert all(word in done.stderr for word in ("foo: unknown key", "title:", "nowhere: no such prior file"))


def test_check_says_what_is_missing_for_a_scope():
    done = simulate("check", "deepseek-reported")
    assert "no hardware: it needs count, server_cost" in done.stdout


def test_a_check_names_the_claims_that_a_setting_leaves_without_a_subject():
    done = simulate("check", "semianalysis", "--set", "fleet.h100.exists=false")
    assert "without effect here: evidence.semianalysis-h100, evidence.wang\n" in done.stdout


def test_the_prior_predictive_of_a_check_names_a_claim_the_priors_rule_out():
    done = simulate("check", "semianalysis", "--prior-predictive", "--set", "evidence.semianalysis-servers.value=9e12")
    assert "conflict:" in done.stdout
    assert "semianalysis-servers" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "--priors", "semianalysis", "--draws", "many"),
        ("run", "--priors", "semianalysis", "--probability", "90"),
        ("run", "--priors", "semianalysis", "--chains", "0"),
        ("frobnicate",),
    ],
)
def test_wrong_usage_exits_2(arguments):
    done = simulate(*arguments)
    assert done.returncode == 2
    assert "Error" in done.stderr


def test_a_bad_setting_is_an_error_with_its_path():
    done = simulate("run", "--priors", "semianalysis", "--set", "fleet.h100.count=15k to 5k")
    assert done.returncode == 1
    assert "fleet.h100.count" in done.stderr
    assert "Traceback" not in done.stderr


def test_list_names_the_shipped_prior_files():
    done = simulate("list")
    assert "semianalysis" in done.stdout
    assert "deepseek-reported" in done.stdout


def test_the_starter_file_checks_and_is_never_overwritten(tmp_path):
    assert simulate("init", "lab", cwd=tmp_path).stdout.strip() == "lab.toml"
    assert simulate("check", "lab.toml", cwd=tmp_path).returncode == 0
    again = simulate("init", "lab", cwd=tmp_path)
    assert again.returncode == 1
    assert "exists already" in again.stderr


def test_the_schema_is_json_that_names_every_section():
    schema = json.loads(simulate("schema").stdout)
    assert {"fleet", "runs", "evidence", "sources", "hosting"} <= schema["properties"].keys()


def test_show_of_no_run_says_where_to_look(tmp_path):
    done = simulate("show", "nothing", "--out", str(tmp_path))
    assert done.returncode == 1
    assert "simulate list" in done.stderr


def test_check_of_the_register_says_what_it_holds_and_imports_nothing_heavy():
    done = simulate("check", "claims")
    assert done.returncode == 0
    assert "84 claims of 5 articles" in done.stdout
    assert imported("check", "claims") <= {"scipy", "jinja2"}  # which pint looks for, the one itself, the other by dask


def test_an_audit_without_a_run_is_an_error_of_one_line(tmp_path):
    done = simulate("audit", "nosuchrun", "--out", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "nosuchrun: no such prior file, and no such run in" in done.stderr


def test_an_interruption_before_the_verb_begins_is_told_as_any_other(monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(click.Group, "make_context", interrupted)
    result = CliRunner().invoke(main, ["list"])
    assert (result.exit_code, result.stderr) == (130, "\ninterrupted; nothing unfinished was kept\n")
