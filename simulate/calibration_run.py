"""A calibration on disk and on all cores: fits are made in any order, kept one by one, and never made twice.

::

    results/calibration/<prior file>-<digest>-<hash of plan, versions and model>/
        priors/             the exact prior files
        fits.jsonl          what is calibrated, then one fit a line, each with its checksum
        calibration.md …    the report, made anew from the fits each time

A fit depends on prior file, plan and number alone, so that neither an interruption nor the number of processes
changes a result. The hash keeps apart what cannot be put together: another seed, another version of a library,
another model.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import inspect
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from simulate import calibration, inference, pipeline, results, samplers
from simulate.calibration import Calibration, Fit, Fitter, Plan
from simulate.errors import DamagedRunError, RunError, SimulateError
from simulate.inference import Progress, Settings
from simulate.priors import Priors

FOLDER = "calibration"
"""Where calibrations lie in the folder of runs."""

FITS = "fits.jsonl"

DRAWS = 20
"""Draws from the prior by which it is known."""

LIBRARIES = ("arviz-stats", "numba", "numpy", "nutpie", "scipy")
"""Those whose versions can change a fit."""

MODEL = ("density.py", "distributions.py", "playback.py", "tape.py")
"""The files that say what is sampled; what the rest computes shows in draws from the prior (`prior_digest`)."""

FITTING: tuple[Any, ...] = (
    calibration.Fitter,
    calibration.simulated,
    samplers.sample,
    samplers.by_nutpie,
    samplers.taped,
    inference.completed,
)
"""What makes a fit of the model: how the sampler is called, and what is done with its draws."""


@dataclass(frozen=True)
class Place:
    """The folder of a calibration, and what the fits in it are of."""

    folder: Path
    head: Mapping[str, Any]

    @property
    def file(self) -> Path:
        return self.folder / FITS


@np.errstate(all="ignore")
def calibrate(
    priors: Priors,
    plan: Plan,
    fits: int,
    *,
    out: Path,
    cores: int = 1,
    progress: Progress | None = None,
) -> tuple[Calibration, Path]:
    """Return the calibration of a prior file by that many fits, and its folder; fits that are there are taken.

    Raises `SimulateError` for a file without evidence or whose bounds hardly ever hold, `RunError` where the disk
    refuses, `DamagedRunError` where what is there are not fits of this file and plan, and `KeyboardInterrupt` with
    what was kept when interrupted.
    """
    if not priors.evidence:
        raise SimulateError(
            f"{priors.name}: no evidence, so nothing is fitted: the posterior is the prior, drawn independently; "
            "there is nothing to calibrate"
        )
    place = place_of(priors, plan, out)
    with opened(place, priors) as file:
        done = read(place)
        missing = [number for number in range(fits) if number not in done]
        clock = Clock(progress, fits - len(missing), fits)
        try:
            for fit in made(priors, plan, missing, min(cores, len(missing))):
                done[fit.number] = fit
                append(file, place, dataclasses.asdict(fit))
                clock.tick()
        except KeyboardInterrupt:
            kept = f"{clock.done} of {fits} fits are kept; the same command goes on from there"
            raise KeyboardInterrupt(f"interrupted; {kept}") from None
    chosen = tuple(done[number] for number in range(fits))
    return describe(priors, plan, place, chosen), place.folder


def describe(priors: Priors, plan: Plan, place: Place, fits: tuple[Fit, ...]) -> Calibration:
    return Calibration(
        priors.name,
        priors.title,
        priors.digest,
        plan,
        place.head["versions"],
        tuple(place.head["variables"]),
        priors.scopes,
        tuple(fact.path for fact in priors.facts),
        fits,
    )


@dataclass
class Clock:
    """Says how many fits there are and how long the rest takes, by those made since it was started."""

    progress: Progress | None
    done: int
    total: int
    start: float = dataclasses.field(default_factory=time.monotonic)
    made: int = 0

    def __post_init__(self) -> None:
        self.say("compiling")

    def tick(self) -> None:
        self.done, self.made = self.done + 1, self.made + 1
        left = (self.total - self.done) * (time.monotonic() - self.start) / self.made
        self.say(f"{self.done} of {self.total} fits, {duration(left)} left,")

    def say(self, what: str) -> None:
        if self.progress and self.done < self.total:
            self.progress(what, self.done, self.total)


def duration(seconds: float) -> str:
    """Return a time to wait in words.

    >>> duration(42.0), duration(754.0)
    ('42 s', '13 min')
    """
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


# ---------------------------------------------------------------------------------------------
# Fits, on all cores


def made(priors: Priors, plan: Plan, numbers: list[int], processes: int) -> Iterator[Fit]:
    """Yield the fits of some numbers, in the order in which they are done."""
    if not numbers:
        return
    if processes > 1:
        yield from made_by(priors, plan, numbers, processes)
        return
    fitter = Fitter(priors, plan, calibration.sampler(priors))
    yield from map(fitter.fit, numbers)


def made_by(priors: Priors, plan: Plan, numbers: list[int], processes: int) -> Iterator[Fit]:
    """Yield fits that several processes make, each of which compiles the model once.

    A worker whose pipe is closed ends: at the latest with the process that started it, however that ends.
    """
    context = multiprocessing.get_context("spawn")
    waiting = iter(numbers)
    workers: dict[Connection, Any] = {}
    try:
        for _ in range(processes):
            ours, theirs = context.Pipe()
            workers[ours] = context.Process(target=work, args=(theirs, priors, plan), daemon=True)
            with uninterrupted():
                workers[ours].start()
            theirs.close()
            ours.send(next(waiting, None))
        yield from collected(workers, waiting)
    finally:
        for connection, worker in workers.items():
            connection.close()
            worker.terminate()
            worker.join()


def collected(workers: Iterable[Connection], waiting: Iterator[int]) -> Iterator[Fit]:
    """Yield the fits that workers send, and send each of them the next number that is ``waiting``, or that none is."""
    busy = set(workers)
    while busy:
        for connection in wait(busy):
            assert isinstance(connection, Connection)
            fit = received(connection)
            upcoming = next(waiting, None)
            connection.send(upcoming)
            busy -= {connection} if upcoming is None else set()
            yield fit


def received(connection: Connection) -> Fit:
    """Return the fit that a worker sends. Raises `SimulateError` where it could make none, or is no more."""
    try:
        found = connection.recv()
    except EOFError:
        raise SimulateError("a process that made fits has died, perhaps for want of memory") from None
    if isinstance(found, Fit):
        return found
    raise SimulateError(found)


def work(connection: Connection, priors: Priors, plan: Plan) -> None:
    """Make the fits whose numbers come, until there is none, and send each back, or what went wrong in words."""
    fitter = None
    with contextlib.suppress(EOFError, BrokenPipeError):
        while (number := connection.recv()) is not None:
            try:
                fitter = fitter or Fitter(priors, plan, calibration.sampler(priors))
                connection.send(fitter.fit(number))
            except SimulateError as error:
                connection.send(str(error))


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Start processes that leave Ctrl-C to this one; they take over whether it is ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# ---------------------------------------------------------------------------------------------
# Fits, on disk


def place_of(priors: Priors, plan: Plan, out: Path) -> Place:
    """Return where the fits of a prior file and a plan are kept."""
    versions = {name: pipeline.versions()[name] for name in ("simulate", "python", *LIBRARIES)}
    decides = {
        "format": 1,
        "plan": dataclasses.asdict(plan),
        "versions": versions,
        "model": model_digest(),
        "prior": prior_digest(priors),
    }
    mark = hashlib.sha256(canonical(decides).encode()).hexdigest()[:8]
    folder = out / FOLDER / f"{priors.name}-{priors.digest[:8]}-{mark}"
    names = list(calibration.variables(priors))
    return Place(folder, results.signed({**decides, "digest": priors.digest, "variables": names}))


def model_digest() -> str:
    """Return the SHA-256 of the code that says what the model is and how it is fitted."""
    texts = [(Path(__file__).parent / name).read_text(encoding="utf-8") for name in MODEL]
    return hashlib.sha256("".join([*texts, *(inspect.getsource(part) for part in FITTING)]).encode()).hexdigest()


def prior_digest(priors: Priors) -> str:
    """Return the SHA-256 of draws from the prior and of what follows from them: ledger, likelihood, replicated claims.

    To nine digits: fits of a file that means something else, by other code or another table, are other fits.
    """
    drawn = inference.prior(priors, Settings(DRAWS, chains=1))
    found = {**calibration.followed(priors, drawn), "perceived": drawn.perceived}
    return hashlib.sha256(canonical({name: digits(values) for name, values in found.items()}).encode()).hexdigest()


def digits(values: Any) -> list[str]:
    return [f"{value:.9g}" for value in values.ravel()]


def canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


@contextlib.contextmanager
def opened(place: Place, priors: Priors) -> Iterator[Any]:
    """Give the file of fits, open to append to and to nobody else, and cut off a line that was half written.

    Raises `RunError` where the disk refuses or another process is at work here.
    """
    with results.disk(place.folder):
        place.folder.mkdir(parents=True, exist_ok=True)
        file = place.file.open("a+b")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{place.folder}: another calibration is adding to it; wait for that one") from None
        with results.disk(place.folder):
            file.seek(0)
            end = file.read().rfind(b"\n") + 1
            file.truncate(end)
            if not end:
                results.write_priors(place.folder, priors.texts)
                append(file, place, place.head)
        yield file


def append(file: Any, place: Place, content: Mapping[str, Any]) -> None:
    """Add a line, and wait until the disk has it. Raises `RunError` where the disk refuses."""
    with results.disk(place.folder):
        file.write(canonical(results.signed(content)).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(place: Place) -> dict[int, Fit]:
    """Return the fits there are, by number.

    Raises `DamagedRunError` with every line that is not what was written here.
    """
    head, *lines = place.file.read_text(encoding="utf-8", errors="replace").splitlines()
    if parsed(head) != json.loads(canonical(place.head)):
        raise DamagedRunError(place.folder, [f"{FITS}: line 1 is not of this prior file, plan and version{MEND}"])
    fits = [as_fit(parsed(line), place) for line in lines]
    problems = [f"{FITS}: line {row} is not a fit as it was written{MEND}" for row in rows_of_none(fits)]
    found = {fit.number: fit for fit in fits if fit}
    if not problems and len(found) < len(fits):
        problems = [f"{FITS}: a fit is there twice{MEND}"]
    if problems:
        raise DamagedRunError(place.folder, problems)
    return found


MEND = "; remove the folder to begin anew"


def rows_of_none(fits: Iterable[Fit | None]) -> list[int]:
    """Return the line numbers of what is no fit; the first line of a file is its head."""
    return [row for row, fit in enumerate(fits, start=2) if fit is None]


def parsed(line: str) -> Any:
    """Return a line's content when its checksum is right, and else None."""
    with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
        content = json.loads(line)
        if content["checksum"] == results.signed(content)["checksum"]:
            return content
    return None


def as_fit(content: Any, place: Place) -> Fit | None:
    """Return a line as a fit of what is calibrated here, and None for anything else."""
    if not content or content.keys() != {*(field.name for field in dataclasses.fields(Fit)), "checksum"}:
        return None
    fit = Fit(**{key: value for key, value in content.items() if key != "checksum"})
    facts = {path: (bool(true), float(p)) for path, (true, p) in fit.facts.items()}
    return dataclasses.replace(fit, facts=facts) if set(fit.ranks) == set(place.head["variables"]) else None
