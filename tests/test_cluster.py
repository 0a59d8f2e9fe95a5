"""Work on a cluster: the same results as at home, whoever dies, and nothing from workers that are not alike."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import MINIMAL

from simulate import calibration_run, cluster, grid_file, layers, loading, pipeline, sweep_report, sweep_run
from simulate.calibration import Plan
from simulate.cluster import Cluster
from simulate.errors import SimulateError
from simulate.workforce import Local

pytestmark = pytest.mark.sampling

REPOSITORY = Path(__file__).parent.parent

CLAIM = """
[evidence.c]
quantity = "final_run"
kind = "estimate"
value = 5e6
relative_error = 0.2
unit = "USD"
note = "made up"
"""
POINTS = """
schema = 1
[settings]
draws = 100
[axes]
"evidence.c.used" = [true, false]
seed = { from = 1, to = 6, steps = 6 }
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder with a prior file and a grid of twelve points."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "prior.toml").write_text(MINIMAL + CLAIM)
    (folder / "grid.toml").write_text(POINTS)
    return folder


@pytest.fixture(scope="module")
def by() -> Iterator[Cluster]:
    """Two worker processes on this machine."""
    with cluster.local(2) as found:
        yield found


def swept(home: Path, out: Path, by) -> tuple[bytes, bytes]:
    done = sweep_run.sweep(layers.read(home / "prior.toml"), grid_file.read(home / "grid.toml"), out=out, by=by)
    sweep_report.save(done)
    return (done.folder / "sweep.csv").read_bytes(), (done.folder / "sweep.parquet").read_bytes()


@pytest.fixture(scope="module")
def serial(home) -> tuple[bytes, bytes]:
    return swept(home, home / "serial", Local())


def test_a_sweep_is_what_one_process_makes(home, serial, by):
    assert swept(home, home / "cluster", by) == serial


def test_a_calibration_is_what_one_process_makes(home, by):
    priors, plan = loading.load(home / "prior.toml"), Plan(ranked=19, draws=190, tune=100, doublings=0)
    one, _ = calibration_run.calibrate(priors, plan, 6, out=home / "one")
    two, _ = calibration_run.calibrate(priors, plan, 6, out=home / "two", by=by)
    assert one == two


@dataclass
class Slow:
    """A job that takes its time and says who did it."""

    seconds: float

    def prepared(self) -> Callable[[int], tuple[int, int]]:
        return self.done

    def done(self, item: int) -> tuple[int, int]:
        time.sleep(self.seconds)
        return item, os.getpid()


def flat(made: Iterator[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    return [one for some in made for one in some]


def test_a_worker_that_is_killed_midway_costs_nothing_but_time(home, serial, by):
    killed = []

    def kill(what: str, done: int, total: int) -> None:
        if done and not killed:
            killed.append(next(iter(by.client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    done = sweep_run.sweep(
        layers.read(home / "prior.toml"), grid_file.read(home / "grid.toml"), out=home / "killed", by=by, progress=kill
    )
    sweep_report.save(done)
    assert killed[0] not in by.client.run(os.getpid).values()
    assert ((done.folder / "sweep.csv").read_bytes(), (done.folder / "sweep.parquet").read_bytes()) == serial


def test_items_are_done_once_each_by_all_workers(by):
    by.client.wait_for_workers(2)
    found = flat(by.make(Slow(0.05), iter(range(60))))
    assert sorted(item for item, _ in found) == list(range(60))
    assert len({pid for _, pid in found}) == 2


def test_short_items_go_out_many_at_a_time(by):
    sizes = [len(some) for some in by.make(Slow(0.001), iter(range(2000)))]
    assert sum(sizes) == 2000
    assert max(sizes) > 50


@dataclass
class Failing:
    def prepared(self) -> Callable[[int], int]:
        return self.done

    def done(self, item: int) -> int:
        raise SimulateError(f"item {item} cannot be made")


def test_an_error_of_an_item_comes_back_in_its_words(by):
    with pytest.raises(SimulateError, match="item 3 cannot be made"):
        list(by.make(Failing(), iter([3])))


def test_another_client_gets_what_the_address_has(by):
    with cluster.workforce(None, by.address) as found:
        assert found.versions == pipeline.versions()
        assert sorted(item for item, _ in flat(found.make(Slow(0.0), iter(range(5))))) == list(range(5))


@pytest.mark.parametrize("name", ["code", "numpy", "python"])
def test_workers_with_other_versions_are_refused_with_what_differs(name, by, monkeypatch):
    here = {**pipeline.versions(), name: "0.0"}
    monkeypatch.setattr(cluster.pipeline, "versions", lambda: here)
    monkeypatch.setattr(cluster, "on_workers", lambda client, address: {"tcp://far": {**here, name: "9.9"}})
    with pytest.raises(SimulateError, match=rf"tcp://far: {name} 9.9, not 0.0"), cluster.connected(by.address):
        pass


def test_workers_on_another_processor_than_here_are_welcome_if_they_are_alike(monkeypatch):
    here, far = pipeline.versions(), {**pipeline.versions(), "processor": "another"}
    assert cluster.common("there", {"a": far, "b": far}) == far
    with pytest.raises(SimulateError, match="b: processor"):
        cluster.common("there", {"a": far, "b": here})


def test_a_worker_that_comes_later_with_other_versions_makes_nothing(by):
    found = cluster.batch(Failing(), {"numpy": "0.0"}, [1])
    assert found.results == []
    assert found.error.startswith("a worker that came later: numpy ")


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = "from simulate.cli import main; main(prog_name='simulate')"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_scheduler_that_does_not_answer_is_an_error_of_one_line(monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 0.5)
    with pytest.raises(SimulateError, match=r"tcp://127\.0\.0\.1:1: no scheduler answers there"):
        cluster.workforce(None, "tcp://127.0.0.1:1").__enter__()


@pytest.mark.parametrize("flags", [("--workers", "2"), ("--scheduler", "tcp://127.0.0.1:1")])
def test_without_dask_the_error_says_how_to_get_it(flags, home, tmp_path):
    (tmp_path / "distributed.py").write_text("raise ImportError\n")
    files = ("--priors", str(home / "prior.toml"), "--grid", str(home / "grid.toml"), "--out", str(tmp_path))
    done = start("sweep", *files, *flags, PYTHONPATH=f"{tmp_path}{os.pathsep}{REPOSITORY}")
    assert done.returncode == 1
    assert "pip install '.[cluster]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_here_and_elsewhere_at_once_are_wrong_usage():
    done = start("calibrate", "--priors", "semianalysis", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert "not both" in done.stderr


def test_ctrl_c_keeps_what_is_there_and_the_next_go_takes_it(home, tmp_path):
    (tmp_path / "many.toml").write_text(POINTS.replace("to = 6, steps = 6", "to = 500, steps = 500"))
    program = "from simulate.cli import main; main(prog_name='simulate')"
    files = ["--priors", str(home / "prior.toml"), "--grid", str(tmp_path / "many.toml"), "--out", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-c", program, "sweep", *files, "--workers", "2"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while (kept := "".join(path.read_text() for path in tmp_path.glob("sweep/*/points.jsonl"))).count("\n") < 4:
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "points are kept; the same command goes on from there" in err
    assert "Traceback" not in err
    assert next(tmp_path.glob("sweep/*/points.jsonl")).read_text().startswith(kept)
