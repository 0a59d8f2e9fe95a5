"""Run folders: whole or not at all, never overwritten, verified when read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from simulate import results
from simulate.errors import DamagedRunError, RunError

MANIFEST = {
    "verdict": {"converged": True},
    "name": "lab",
    "settings": [],
    "sampling": {"prior_only": False, "evidence": 2},
}
DIGEST = "0123456789abcdef"


def write(out: Path, **changes: object) -> results.Run:
    with results.writing(out, "lab", DIGEST) as finish:
        results.write_report(finish.folder, "# tables\n")
        return finish({**MANIFEST, **changes})


def change_manifest(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_finished_run_is_in_a_folder_named_after_its_file_time_and_digest(tmp_path):
    folder = write(tmp_path).folder
    assert folder.parent == tmp_path / "lab"
    assert folder.name.endswith("Z-01234567")


def test_the_manifest_lists_every_file_with_its_checksum(tmp_path):
    run = write(tmp_path)
    assert run.manifest["files"] == {"summary.md": results.sha256(run.folder / "summary.md")}


def test_an_interrupted_run_leaves_no_folder_behind(tmp_path):
    def interrupted():
        with results.writing(tmp_path, "lab", DIGEST) as finish:
            results.write_report(finish.folder, "half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list((tmp_path / "lab").iterdir()) == []


def test_a_run_being_written_is_not_listed(tmp_path):
    with results.writing(tmp_path, "lab", DIGEST) as finish:
        (finish.folder / "manifest.json").write_text("{}")
        assert results.runs(tmp_path) == []


def test_runs_of_the_same_moment_do_not_overwrite_one_another(tmp_path):
    assert len({write(tmp_path).folder for _ in range(20)}) == 20


def test_a_loaded_run_is_the_one_that_was_written(tmp_path):
    run = write(tmp_path)
    assert results.load(run.folder) == run


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda folder: (folder / "summary.md").write_text("# other\n"), "summary.md: altered"),
        (lambda folder: (folder / "summary.md").unlink(), "summary.md: missing"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json"),
        (lambda folder: change_manifest(folder, name="another"), "manifest.json: altered"),
        (lambda folder: change_manifest(folder, files={}), "manifest.json: altered"),
        (lambda folder: change_manifest(folder, files={"../../secret": "0"}), "manifest.json: altered"),
        (lambda folder: (folder / "manifest.json").write_text('{"files": 3}'), "manifest.json"),
        (lambda folder: (folder / "manifest.json").write_bytes(b"\xff\xfe"), "manifest.json"),
    ],
)
def test_a_damaged_run_is_named_when_it_is_loaded(tmp_path, damage, named):
    folder = write(tmp_path).folder
    damage(folder)
    with pytest.raises(DamagedRunError, match=named):
        results.load(folder)


def test_a_file_added_later_is_no_damage(tmp_path):
    folder = write(tmp_path).folder
    (folder / "notes.txt").write_text("mine")
    assert results.load(folder).converged


def test_a_folder_without_a_manifest_is_no_run(tmp_path):
    with pytest.raises(RunError, match="no run here"):
        results.load(tmp_path)


def test_a_run_is_found_by_its_file_its_name_or_its_folder(tmp_path):
    first, last = write(tmp_path).folder, write(tmp_path).folder
    assert results.find("lab", tmp_path) == last
    assert results.find(first.name, tmp_path) == first
    assert results.find(str(first), tmp_path) == first


def test_the_pointer_of_a_citation_finds_its_run_and_no_other(tmp_path):
    folder = write(tmp_path).folder
    assert results.find(f"lab/{folder.name}", tmp_path) == folder
    assert results.find(f"lab/{folder.name[:15]}", tmp_path) == folder
    with pytest.raises(RunError, match="no such run"):
        results.find(f"b/{folder.name}", tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": ["scope.horizon=3"]}, "made with scope.horizon=3"),
        ({"sampling": {"prior_only": True, "evidence": 2}}, "without its evidence"),
        ({"verdict": {"converged": False}}, "which has not converged"),
    ],
)
def test_the_name_of_a_file_that_means_another_run_than_the_plain_one_says_so(tmp_path, changes, words):
    plain, last = write(tmp_path), write(tmp_path, **changes)
    said = results.remark("lab", last, tmp_path)
    assert said == f"lab: its latest run, {words}; the latest without that is {plain.folder.name}"
    assert results.remark(last.folder.name, last, tmp_path) == ""  # that run and no other was asked for
    assert results.remark("lab", plain, tmp_path) == ""


def test_an_ambiguous_name_lists_what_it_could_mean(tmp_path):
    folders = [write(tmp_path).folder.name for _ in range(2)]
    with pytest.raises(RunError, match=folders[0]):
        results.find(DIGEST[:8], tmp_path)


def test_a_place_that_cannot_be_written_is_an_error_with_its_mend(tmp_path):
    (tmp_path / "lab").write_text("a file where the folder should be")
    with pytest.raises(RunError, match="--out"), results.writing(tmp_path, "lab", DIGEST):
        pass


def test_a_full_disk_is_an_error_with_its_mend(tmp_path):
    with pytest.raises(RunError, match="no space left"), results.disk(tmp_path), open("/dev/full", "w") as full:
        full.write("x" * 100_000)


def test_what_a_killed_run_left_is_removed_after_a_day(tmp_path):
    old, new = (tmp_path / "lab" / f"{results.UNFINISHED}{name}" for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    write(tmp_path)
    assert (old.exists(), new.exists()) == (False, True)


def test_the_prior_files_of_a_run_keep_their_folders(tmp_path):
    results.write_priors(tmp_path, {"lab.toml": "a", "common/hosting.toml": "b"})
    assert (tmp_path / "priors/common/hosting.toml").read_text() == "b"


def test_a_manifest_is_readable_json(tmp_path):
    manifest = json.loads((write(tmp_path).folder / "manifest.json").read_text())
    assert manifest["verdict"]["converged"] is True


def test_what_is_no_run_is_moved_to_its_place_whole_and_taken_for_no_run(tmp_path):
    with results.writing(tmp_path, "comparisons", DIGEST) as finish:
        results.write_report(finish.folder, "# tables\n")
        place = finish.move()
    assert place.parent == tmp_path / "comparisons"
    assert [path.name for path in place.iterdir()] == ["summary.md"]
    assert results.runs(tmp_path) == []
