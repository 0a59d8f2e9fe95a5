"""Processes of their own for tests: the command in one that starts at once, or Python that has done nothing else."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import simulate

copied = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")


def in_another_process(code: str) -> str:
    """Return what Python prints that does ``code`` alone, and so can be copied; it imports tests by their names."""
    paths = [str(Path(__file__).parent), str(Path(simulate.__file__).parents[1])]
    done = subprocess.run(
        (sys.executable, "-c", code),
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.returncode == 0
    return done.stdout


COMMAND = "import os; os.write(1, b'begun\\n'); from simulate.__main__ import main; main()"
WARM = """
import json, os, sys, time, warnings
warnings.simplefilter("ignore")
from simulate import loading, pipeline
from simulate.__main__ import main
from simulate.inference import Settings
from simulate.interruption import Interruption
for name in json.loads(sys.argv[1]):  # so that everything is imported that such a run imports
    pipeline.run(loading.load(name), Settings(20, 100, 2), out=pipeline.Path("warming"))
print("ready", flush=True)
listen = Interruption.listen
for line in sys.stdin:
    asked = json.loads(line)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        def begin(interruption):
            listen(interruption)
            os.close(writing)  # tells the parent
        Interruption.listen = begin
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(asked["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(os.open(asked["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        sys.argv = ["simulate", *asked["arguments"]]
        exec(asked["before"])
        main()
    os.close(writing)
    os.read(reading, 1)  # nothing, once the child listens or is no more
    os.close(reading)
    start = time.monotonic()
    for moment, number in asked["signals"]:
        time.sleep(max(0.0, start + moment - time.monotonic()))
        os.kill(child, number)  # one that has ended is there until it is waited for
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, time.monotonic() - start, flush=True)
"""
"""``before`` is Python that the child runs first: it limits what the disk takes, or sets its clock.

Time is counted from when the command listens for Ctrl-C: before, on a busy machine, the signal would end the fork.
"""


@dataclass(frozen=True)
class Ended:
    """What became of a command: exit code (minus the signal that ended it), output, errors, and how long it took."""

    code: int
    out: str
    err: str
    seconds: float


class Warm:
    """Starts commands in a folder, one after the other; it is warm once it has run some prior files."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        command = [sys.executable, "-c", WARM, json.dumps(names)]
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.line() == "ready"

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def __call__(
        self, *arguments: object, signals: Sequence[tuple[float, signal.Signals]] = (), before: str = ""
    ) -> Ended:
        """Run a command; send it signals, each so many seconds after its start."""
        assert self.process.stdin
        files = {name: str(self.folder / f"{name}-{self.process.pid}.txt") for name in ("out", "err")}
        asked = {"arguments": [str(one) for one in arguments], "signals": signals, "before": before, **files}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        code, seconds = self.line().split()
        texts = [Path(file).read_text(encoding="utf-8") for file in files.values()]
        return Ended(int(code), *texts, float(seconds))

    def close(self) -> None:
        self.process.communicate()


def moments(seed: int, number: int, longest: float) -> Iterator[float]:
    """Yield random moments of a run [s]."""
    chance = random.Random(seed)
    return (chance.uniform(0.0, longest) for _ in range(number))


def cold(folder: Path, *arguments: object, after: float | None = None) -> Ended:
    """Run a command in a fresh interpreter; interrupt it so many seconds after its first line of Python."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    start = time.monotonic()
    if after is not None:
        time.sleep(after)
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    return Ended(process.returncode, out, err, time.monotonic() - start)
