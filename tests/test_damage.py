"""A run that is not as it was written is named, with what is wrong, by every verb that reads one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import MINIMAL

from simulate import cli, loading, pipeline
from simulate.inference import Settings

pytestmark = pytest.mark.sampling

VERBS = {
    "show": ("show", "{}"),
    "plot": ("plot", "{}", "ladder"),
    "verify": ("verify", "{}"),
    "reproduce": ("reproduce", "{}"),
    "compare": ("compare", "{}", "{}"),
    "sensitivity": ("sensitivity", "{}"),
    "audit": ("audit", "{}"),
    "cite": ("cite", "{}"),
    "query": ("query", "{}", "final_run"),
    "report": ("report", "{}"),
    "pool": ("pool", "{}=1", "other=1"),
}


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def altered(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def removed(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def unreadable(path: Path) -> None:
    path.unlink()
    path.symlink_to("/proc/self/mem")  # a regular file whose first byte cannot be read, by the superuser neither


def edited(path: Path) -> None:
    path.write_text(path.read_text().replace('"median": ', '"median": 1'))


def of_another(path: Path) -> None:
    shutil.copy(path.parents[2] / "another" / path.name, path)


def huge(path: Path) -> None:
    os.truncate(path, 200_000_000)


def content(raw: bytes):
    return lambda path: path.write_bytes(raw)


def with_nan(path: Path) -> None:
    found = json.loads(path.read_text())
    found["scopes"]["final_run"]["median"] = float("nan")
    path.write_text(json.dumps(found))


def elsewhere(path: Path) -> None:
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "files": {"../../../../etc/passwd": "0"}}))


DAMAGES = {
    "draws cut": ("posterior.nc", cut),
    "draws altered": ("posterior.nc", altered),
    "draws empty": ("posterior.nc", emptied),
    "draws removed": ("posterior.nc", removed),
    "draws a folder": ("posterior.nc", folder),
    "draws a pipe": ("posterior.nc", pipe),
    "draws a link in a circle": ("posterior.nc", circle),
    "draws unreadable": ("posterior.nc", unreadable),
    "draws of another run": ("posterior.nc", of_another),
    "draws a pickle": ("posterior.nc", content(b"cos\nsystem\n(S'true'\ntR.")),
    "summary altered": ("summary.csv", altered),
    "tables removed": ("summary.md", removed),
    "prior file edited": ("priors/prior.toml", altered),
    "manifest cut": ("manifest.json", cut),
    "manifest empty": ("manifest.json", emptied),
    "manifest edited": ("manifest.json", edited),
    "manifest unreadable": ("manifest.json", unreadable),
    "manifest of another run": ("manifest.json", of_another),
    "manifest huge": ("manifest.json", huge),
    "manifest with NaN": ("manifest.json", with_nan),
    "manifest that leads elsewhere": ("manifest.json", elsewhere),
    "manifest not JSON": ("manifest.json", content(b"files: none\n")),
    "manifest not UTF-8": ("manifest.json", content(b"\xff\xfe\x00")),
    "manifest a list": ("manifest.json", content(b"[1, 2]")),
    "manifest a number": ("manifest.json", content(b"3")),
    "manifest of lists": ("manifest.json", content(b'{"files": [], "checksum": ""}')),
    "manifest nested deeply": ("manifest.json", content(b"[" * 100_000)),
    "manifest of an endless number": ("manifest.json", content(b'{"files": ' + b"1" * 5000 + b"}")),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Three runs below one folder: of a prior file, of another, and another of the first."""
    out = tmp_path_factory.mktemp("runs")
    for name, text, seed in (("prior", MINIMAL, 1), ("other", MINIMAL, 1), ("prior", MINIMAL, 2)):
        (out / f"{name}.toml").write_text(text)
        made = pipeline.run(loading.load(out / f"{name}.toml"), Settings(20, seed=seed), out=out / "made", figures=())
        kept = out / "results" / name / made.folder.name if seed == 1 else out / "results" / "another"
        shutil.copytree(made.folder, kept)
    return out / "results"


@pytest.fixture
def results(runs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(runs, tmp_path / "results"))


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
@pytest.mark.parametrize(("name", "damage"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named_by_every_verb_that_reads_a_run(results, name, damage, verb):
    run = next((results / "prior").iterdir())
    damage(run / name)
    done = CliRunner().invoke(cli.main, [*(part.format(run) for part in verb), "--out", str(results)])
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 1
    assert f"{run}: damaged run" in done.stderr
    assert f"\n  {name if 'another' not in str(damage) else ''}" in done.stderr


def test_every_verb_that_takes_a_run_is_tried():
    taking = {name for name, verb in cli.main.commands.items() if any("RUN" in (p.metavar or "") for p in verb.params)}
    assert taking <= VERBS.keys()


def test_a_damaged_run_is_listed_as_damaged_and_its_neighbours_as_they_are(results):
    run = next((results / "prior").iterdir())
    cut(run / "manifest.json")
    lines = CliRunner().invoke(cli.main, ["list", "--out", str(results)]).stdout.splitlines()
    assert f"  {run}  damaged" in lines
    assert sum(line.endswith("  converged") for line in lines) == 1


def test_a_damaged_run_is_not_taken_for_the_one_that_was_made_before(results, tmp_path):
    run = next((results / "prior").iterdir())
    altered(run / "posterior.nc")
    (tmp_path / "prior.toml").write_text(MINIMAL)
    command = ["run", "--priors", str(tmp_path / "prior.toml"), "--draws", "20", "--no-figures", "--quiet"]
    done = CliRunner().invoke(cli.main, [*command, "--out", str(results)])
    assert Path(done.stdout.strip()) not in (run, Path())
