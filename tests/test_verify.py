"""A run that is not as it was written is named, with what is wrong with it."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulate import cli, results, verification

DIGEST = "0123456789abcdef"


def made(out: Path, name: str = "lab") -> Path:
    """Return the folder of a run with two files."""
    with results.writing(out, name, DIGEST) as finish:
        results.write_text(finish.folder / "summary.csv", "a,b\n1,2\n")
        results.write_report(finish.folder, "# tables\n")
        return finish({"name": name, "verdict": {"converged": True}}).folder


def flip(path: Path) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def verify(tmp_path):
    """Call the command; return its exit code, what it printed, and standard error."""

    def verify(*arguments: object) -> tuple[int, str, str]:
        done = CliRunner().invoke(cli.main, ["verify", *map(str, arguments), "--out", str(tmp_path)])
        return done.exit_code, done.stdout, done.stderr

    return verify


def test_an_intact_run_is_said_to_be_intact(verify, tmp_path):
    folder = made(tmp_path)
    assert verify("lab") == (0, f"intact: {folder}: 2 files\n1 of 1 runs in order\n", "")


@pytest.mark.parametrize("name", ["summary.csv", "summary.md", "manifest.json"])
def test_one_flipped_bit_anywhere_is_damage_with_the_name_of_the_file(verify, tmp_path, name):
    folder = made(tmp_path)
    flip(folder / name)
    code, printed, error = verify(folder)
    assert (code, printed) == (1, "0 of 1 runs in order\n")
    assert error.startswith(f"error: {folder}: damaged run\n  {name}: ")


def test_everything_that_is_wrong_with_a_run_is_named(tmp_path):
    folder = made(tmp_path)
    flip(folder / "summary.csv")
    (folder / "summary.md").unlink()
    assert verification.verify(folder).problems == ("summary.csv: altered since it was written", "summary.md: missing")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    folder = made(tmp_path)
    monkeypatch.setattr(results, "sha256", refuse)
    assert "summary.md: cannot be read: permission denied" in verification.verify(folder).problems


def test_a_folder_in_the_place_of_a_file_is_damage(tmp_path):
    folder = made(tmp_path)
    (folder / "summary.md").unlink()
    (folder / "summary.md").mkdir()
    assert verification.verify(folder).problems == ("summary.md: missing",)


def test_of_several_runs_each_is_reported(verify, tmp_path):
    good, bad = made(tmp_path), made(tmp_path, "other")
    flip(bad / "summary.md")
    code, printed, error = verify("lab", bad)
    assert (code, printed.splitlines()[0]) == (1, f"intact: {good}: 2 files")
    assert f"{bad}: damaged" in error


def test_all_means_all_even_those_that_lost_their_manifest(verify, tmp_path):
    folders = [made(tmp_path, name) for name in ("lab", "lab", "other")]
    (folders[1] / "manifest.json").unlink()
    code, printed, error = verify("--all")
    assert (code, printed.splitlines()[-1]) == (1, "2 of 3 runs in order")
    assert error == f"error: {folders[1]}: damaged run\n  manifest.json: missing\n"


def test_a_run_that_lost_its_manifest_is_meant_by_its_folder(verify, tmp_path):
    folder = made(tmp_path)
    (folder / "manifest.json").unlink()
    assert "manifest.json: missing" in verify(folder)[2]


def test_what_is_no_run_is_not_verified(verify, tmp_path):
    made(tmp_path)
    with results.writing(tmp_path, "comparisons", DIGEST) as finish:
        results.write_report(finish.folder, "# tables\n")
        finish.move()
        assert verify("--all")[1].endswith("1 of 1 runs in order\n")


def test_a_file_added_later_is_named_and_is_no_damage(verify, tmp_path):
    folder = made(tmp_path)
    results.add_page(folder, "audit.md", "# audit\n")
    code, printed, _ = verify("--all")
    assert (code, printed.splitlines()[0]) == (0, f"intact: {folder}: 2 files; added since: audit.md")


def test_the_object_for_machines_says_what_the_words_say(verify, tmp_path):
    good, bad = made(tmp_path), made(tmp_path, "other")
    flip(bad / "summary.md")
    code, printed, _ = verify("--all", "--json")
    found = json.loads(printed)
    assert (code, found["intact"]) == (1, False)
    assert [(one["run"], one["intact"]) for one in found["runs"]] == [(str(good), True), (str(bad), False)]
    assert found["runs"][1]["problems"] == ["summary.md: altered since it was written"]


def test_names_that_mean_no_run_come_all_at_once(verify):
    code, _, error = verify("nothing", "nowhere")
    assert code == 1
    assert "nothing: no such run" in error
    assert "nowhere: no such run" in error


@pytest.mark.parametrize("arguments", [(), ("lab", "--all")])
def test_neither_or_both_of_runs_and_all_is_wrong_usage(verify, arguments):
    assert verify(*arguments)[0] == 2


def test_of_no_runs_all_are_in_order(verify):
    assert verify("--all") == (0, "0 of 0 runs in order\n", "")
