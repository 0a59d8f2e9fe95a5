"""Runs that are there, or are made where they are not; several of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from simulate import layers, loading, pipeline, results, workforce
from simulate.errors import SimulateError
from simulate.inference import Progress, Settings
from simulate.priors import Priors
from simulate.results import Run

WORTH_PROCESSES = 4
"""Prior files to run from which processes of their own save more time than they take to start."""


@dataclass(frozen=True)
class Runs:
    """How prior files are run, for whoever runs them (`workforce.Job`); the result is the run's folder."""

    sampling: Settings
    out: Path
    probability: float

    def prepared(self) -> Callable[[Priors], Path]:
        return self.folder

    def folder(self, priors: Priors, progress: Progress | None = None) -> Path:
        """Return the folder of a new run without figures."""
        named = progress and (lambda what, done, total: progress(f"{priors.name}: {what}", done, total))
        return pipeline.run(
            priors, self.sampling, out=self.out, probability=self.probability, figures=(), progress=named
        ).folder


def obtain(
    given: str,
    sampling: Settings,
    *,
    out: Path = Path("results"),
    probability: float = 0.9,
    progress: Progress | None = None,
) -> Run:
    """Return the run that ``given`` means, made where there is none yet.

    ``given`` is the folder of a run, a prior file or the name of one, or a part of a run folder's name in
    ``out``; a name that could be both means the prior file. A run on disk is taken as it is. Of a prior
    file, the latest intact run in ``out`` with the same content, settings, probability and versions is
    taken, which holds the very numbers that a new one would; where there is none, one is made, without
    figures. Raises `InputError` for a prior file with faults and `RunError` where nothing or too much is meant.
    """
    [found] = made([meant(given, out)], sampling, out=out, probability=probability, progress=progress)
    return found


def obtain_all(
    given: Sequence[str], sampling: Settings, *, out: Path, probability: float, progress: Progress | None
) -> list[Run]:
    """Return the runs that several mean, each as `obtain` says; faults of all come before anything is made."""
    return made(all_meant(given, out), sampling, out=out, probability=probability, progress=progress)


def meant(given: str, out: Path) -> Run | Priors:
    """Return the run or the prior file that ``given`` means, as `obtain` says."""
    if layers.is_file(Path(given) / results.MANIFEST):
        return results.load(Path(given))
    if given.endswith(".toml") or layers.is_known(given):
        return loading.load(given)
    return results.load(results.find(given, out, what="prior file, and no such run"))


def all_meant(given: Sequence[str], out: Path) -> list[Run | Priors]:
    """Return what each of several means; what is wrong with any of them is said at once (`SimulateError`)."""
    found, errors = [], []
    for one in given:
        try:
            found.append(meant(one, out))
        except SimulateError as error:
            errors.append(str(error))
    if errors:
        raise SimulateError("\n".join(errors))
    return found


def made(
    found: Sequence[Run | Priors], sampling: Settings, *, out: Path, probability: float, progress: Progress | None
) -> list[Run]:
    """Return runs as they are, and of prior files the runs there are or new ones."""
    known = [one if isinstance(one, Run) else pipeline.made_before(one, sampling, out, probability) for one in found]
    both = list(zip(found, known, strict=True))
    lacking = {one.digest: one for one, run in both if isinstance(one, Priors) and run is None}
    new = new_runs(list(lacking.values()), Runs(sampling, out, probability), progress)
    return [one if isinstance(one, Run) else run or new[one.digest] for one, run in both]


def new_runs(files: Sequence[Priors], how: Runs, progress: Progress | None) -> dict[str, Run]:
    """Return a new run of each prior file by its digest: many at once by processes of their own, few one by one."""
    if len(files) < WORTH_PROCESSES or how.sampling.cores < 2:
        return {priors.digest: results.load(how.folder(priors, progress)) for priors in files}
    alone = replace(how, sampling=replace(how.sampling, cores=1))
    clock = workforce.Clock(progress, 0, len(files), "runs")
    found: dict[str, Run] = {}
    for folders in workforce.Local(how.sampling.cores).make(alone, iter(files)):
        clock.tick(len(folders))
        found |= {run.manifest["digest"]: run for run in map(results.load, folders)}
    return found
