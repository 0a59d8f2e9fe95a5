"""Whatever befalls a run, every earlier one still verifies, nothing half is listed, and the next run works."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import CLAIM, MINIMAL
from processes import Ended, Warm, cold, moments

from simulate import results

pytestmark = [pytest.mark.sampling, pytest.mark.fault]

SHORT = ("--draws", "50", "--tune", "100", "--no-extend", "--again", "--quiet")
PLAIN = ("run", "--priors", "minimal.toml", "--no-figures", *SHORT)
DRAWN = ("run", "--priors", "minimal.toml", *SHORT)
SAMPLED = ("run", "--priors", "claimed.toml", "--no-figures", *SHORT)
KINDS = {PLAIN: "without figures", DRAWN: "with figures", SAMPLED: "with evidence"}
KILLS = {PLAIN: 70, DRAWN: 15, SAMPLED: 15}
"""How often each kind of run is killed, each time at another random moment."""
INTERRUPTIONS = {PLAIN: 20, DRAWN: 8, SAMPLED: 6}
COLD_INTERRUPTIONS = 12
"""Of commands that have yet to import what they need."""
LIMITS = (0, 600, 5_000, 40_000)
"""Bytes that a file may have, below what the files of a run have."""
ROOM = (0, 16, 48, 96, 160)
"""Kilobytes left on a disk, below what a run with figures takes."""
REMOVALS = 5
"""Times at which the folder of runs vanishes."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory) -> Iterator[Sequence[Warm]]:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "minimal.toml").write_text(MINIMAL)
    (folder / "claimed.toml").write_text(MINIMAL + CLAIM)
    started = [Warm(folder, "minimal.toml", "claimed.toml") for _ in range(2)]
    yield started
    for one in started:
        one.close()


@pytest.fixture
def warm(fleet: Sequence[Warm]) -> Iterator[Warm]:
    """Give what starts commands; in the end, runs are in order: those that were there, and a new one."""
    first = fleet[0](*DRAWN)
    assert first.code == 0, first.err
    yield fleet[0]
    before = complete(fleet[0])
    verified, listed = (fleet[0](*verb) for verb in (("verify", "--all"), ("list",)))
    assert (verified.code, verified.out.splitlines()[-1]) == (0, f"{len(before)} of {len(before)} runs in order")
    assert [line.split()[0] for line in listed.out.splitlines() if "Z-" in line] == [str(path) for path in before]
    again = fleet[0](*PLAIN)
    assert (again.code, again.err) == (0, "")
    assert (fleet[0].folder / again.out.strip() / "manifest.json").is_file()


def complete(warm: Warm) -> list[Path]:
    """Return what looks like a complete run, from the folder in which commands are run."""
    return sorted(path.relative_to(warm.folder) for path in (warm.folder / "results").glob("*/*Z-*"))


def unfinished(warm: Warm) -> set[str]:
    """Return what runs that were killed have left."""
    return {path.name for path in (warm.folder / "results").glob("*/.unfinished-*")}


def ordinary(done: Ended, *codes: int) -> None:
    """Fail unless a command ended as commands do: with one of its exit codes, in words."""
    assert done.code in codes, done
    assert "Traceback" not in done.err + done.out, done.err
    assert "Exception ignored" not in done.err, done.err


def struck(
    fleet: Sequence[Warm], command: tuple[str, ...], number: int, blow: signal.Signals, code: int
) -> list[Ended]:
    """Return what became of a command that was struck so many times at random moments, two commands at a time.

    A blow counts where the command ended by it; one that came when all was done is followed by another.
    """
    longest = min(fleet[0](*command).seconds for _ in range(2))

    def part(which: int) -> list[Ended]:
        ended: list[Ended] = []
        for moment in moments(which, 5 * number, longest):
            ended.append(fleet[which](*command, signals=[(moment, blow)]))
            if [done.code for done in ended].count(code) == (number + which) // 2:
                return ended
        raise AssertionError(f"of {len(ended)} blows too few found the command at work: {ended[-3:]}")

    with ThreadPoolExecutor(2) as pool:
        return [done for found in pool.map(part, (0, 1)) for done in found]


@pytest.mark.parametrize("command", KILLS, ids=KINDS.values())
def test_a_run_that_is_killed_leaves_all_others_in_order(fleet, warm, command):
    for done in struck(fleet, command, KILLS[command], signal.SIGKILL, -signal.SIGKILL):
        ordinary(done, -signal.SIGKILL, 0, 3)


@pytest.mark.parametrize("command", INTERRUPTIONS, ids=KINDS.values())
def test_an_interrupted_run_exits_130_and_leaves_nothing(fleet, warm, command):
    before = unfinished(warm)
    for done in struck(fleet, command, INTERRUPTIONS[command], signal.SIGINT, 130):
        ordinary(done, 130, 0, 3)
        assert done.code != 130 or done.err == "\ninterrupted; nothing unfinished was kept\n"
    assert unfinished(warm) == before


def test_an_interruption_while_it_starts_exits_130(warm):
    longest = min(cold(warm.folder, "list").seconds for _ in range(2))
    ended = [cold(warm.folder, "list", after=moment) for moment in moments(3, COLD_INTERRUPTIONS, longest)]
    assert 130 in [done.code for done in ended]
    for done in ended:
        # in its first thousandths of a second nobody listens yet, and the signal itself ends it: 130 for a shell
        if done.code != -signal.SIGINT:
            ordinary(done, 130, 0)


@pytest.mark.parametrize("bytes_", LIMITS)
def test_a_file_that_cannot_grow_is_an_error_with_its_mend(warm, bytes_):
    before = complete(warm)
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes_}, {resource.RLIM_INFINITY}))"
    done = warm(*DRAWN, before=limit)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert bytes_ < LIMITS[2] or "cannot write: file too large; choose another place with --out" in done.err
    assert complete(warm) == before


@pytest.fixture
def small_disk(warm: Warm) -> Iterator[Path]:
    """Give an empty file system of 400 kB in the folder; only the superuser can make one."""
    place = warm.folder / "disk"
    place.mkdir(exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", place], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no file system can be mounted here: full disks are tested by the limit on files alone")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("kilobytes", ROOM)
def test_a_full_disk_is_an_error_with_its_mend_and_leaves_nothing(warm, small_disk, kilobytes):
    (small_disk / "taken").write_bytes(bytes((400 - kilobytes) * 1000))
    done = warm(*DRAWN, "--out", "disk")
    ordinary(done, 1)
    assert "no space left on device; free space, or choose another place with --out" in done.err
    assert [path.name for path in small_disk.rglob("*") if path.is_file()] == ["taken"]


def test_a_run_that_fits_the_disk_once_there_is_room_works(warm, small_disk):
    (small_disk / "taken").write_bytes(bytes(390_000))
    assert warm(*PLAIN, "--out", "disk").code == 1
    (small_disk / "taken").unlink()
    assert warm(*PLAIN, "--out", "disk").code == 0


def test_a_folder_that_may_not_be_written_is_an_error_with_its_mend(warm, small_disk):
    assert warm(*PLAIN, "--out", "disk").code == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = warm(*PLAIN, "--out", "disk")
    ordinary(done, 1)
    assert "read-only file system; choose another place with --out" in done.err
    assert warm("verify", "--all", "--out", "disk").code == 0


def test_a_folder_that_vanishes_is_an_error_and_the_next_run_makes_it_anew(warm):
    longest = warm(*PLAIN).seconds
    for moment in moments(4, REMOVALS, longest):
        removal = f"import shutil, threading; threading.Timer({moment}, shutil.rmtree, ['gone', True]).start()"
        done = warm(*PLAIN, "--out", "gone", before=removal)
        ordinary(done, 0, 1)
        assert done.code == 0 or "gone" in done.err
    assert warm(*PLAIN, "--out", "gone").code == 0


def test_two_runs_of_one_file_at_once_are_two_runs(fleet, warm):
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda one: one(*PLAIN), fleet))
    assert [one.code for one in done] == [0, 0]
    assert len({one.out for one in done}) == 2


CLOCK = """
import datetime
class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return {}
datetime.datetime = Clock
"""
BACK = CLOCK.format("super().now(tz) - datetime.timedelta(days=4000)")
STILL = CLOCK.format("cls(2026, 1, 1, tzinfo=datetime.UTC)")


@pytest.mark.parametrize("clock", [BACK, STILL], ids=["gone back", "standing still"])
def test_a_wrong_clock_costs_no_run(warm, clock):
    folders = {warm(*PLAIN, before=clock).out.strip() for _ in range(2)}
    assert len(folders) == 2
    assert all((warm.folder / folder / "manifest.json").is_file() for folder in folders)


def test_a_clock_set_forward_does_not_remove_a_run_at_work(warm):
    folder = warm.folder / "results" / "minimal" / ".unfinished-at-work"
    folder.mkdir(parents=True)
    os.utime(folder, (0, 0))
    with results.held(folder):
        assert warm(*PLAIN).code == 0
        assert folder.exists()
    assert warm(*PLAIN).code == 0
    assert not folder.exists()
