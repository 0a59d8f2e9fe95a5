"""A run made again from its folder alone, and whether the same came out.

The folder holds all that makes the numbers: the prior files with the tables they refer to, and, in the
manifest, the entries set by hand, the settings of the sampler with its seed, and the probability of the
intervals. On the same versions every draw is the same bit for bit, and ``summary.csv`` byte for byte. On
other versions draws may differ; then the intervals are the same within their Monte Carlo errors, or not.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate import __version__, loading, pipeline, report, results, samplers
from simulate.errors import DamagedRunError, InputError, RunError
from simulate.inference import Progress, Settings
from simulate.priors import Priors
from simulate.results import Run

if TYPE_CHECKING:
    import xarray as xr

FALSE_ALARM = 0.01
"""Probability that some median or end of an interval is called another where only chance differs, over all together.

It is nominal: with a few hundred effective draws, the Monte Carlo errors are themselves known to a few percent, and
it is somewhat larger.
"""

ROUNDING = 1e-9
"""Relative difference that another order of the same additions may make."""

ENDS = ("median", "lower", "upper")

CLOCKS = ("perf_counter_start", "perf_counter_diff", "process_time_diff")
"""Statistics of the sampler that are times, and never the same."""


# ---------------------------------------------------------------------------------------------
# What a folder says of how its run was made


@dataclass(frozen=True)
class Recipe:
    """What a run is made of; ``assumed`` are settings that it does not state, taken as they are by default."""

    priors: Priors
    settings: Settings
    probability: float
    assumed: tuple[str, ...] = ()


def recipe(run: Run) -> Recipe:
    """Return what a run was made of, from its folder alone.

    Raises `RunError` for a pool, for a run in another format, and for one whose prior files no longer
    load; `DamagedRunError` for a manifest that lacks what every run's has.
    """
    manifest = run.manifest
    try:
        refuse(run)
        settings, assumed = settings_of(manifest["sampling"])
        probability = float(next(iter(manifest["scopes"].values()))["probability"])
        by_hand = [str(setting) for setting in manifest["settings"]]
        name, made_with = str(manifest["name"]), str(manifest["versions"]["simulate"])
        # What is compared in the end must be there before minutes are spent on it.
        _ = list(shifts(manifest["scopes"], manifest["scopes"])), report.date(manifest), manifest["digest"]
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        raise DamagedRunError(run.folder, [f"{results.MANIFEST}: does not say how the run was made"]) from error
    try:
        priors = loading.load(main_file(run.folder, name), by_hand)
    except InputError as error:
        raise RunError(
            f"{run.folder}: cannot be made again: its prior files do not load "
            f"(made with simulate {made_with}, this is {__version__})\n{error}"
        ) from error
    return Recipe(priors, settings, probability, assumed)


def refuse(run: Run) -> None:
    """Raise `RunError` for what cannot be made again from its folder alone."""
    found = run.manifest.get("format")
    if found != results.FORMAT:
        raise RunError(
            f"{run.folder}: cannot be made again: its format is {found!r}, and simulate {__version__} reads "
            f"{results.FORMAT}; the version that made it is in its {results.MANIFEST}, and can make it again"
        )
    if report.is_pool(run.manifest):
        raise RunError(pool_words(run))


def pool_words(run: Run) -> str:
    """Return why a pool cannot be made again from its folder, and the commands that make it elsewhere."""
    members, seed = run.manifest["members"], run.manifest["sampling"]["seed"]
    probability = next(iter(run.manifest["scopes"].values()))["probability"]
    parts = " ".join(f"{member['run']}={member['weight']}" for member in members)
    return "\n".join(
        [
            f"{run.folder}: cannot be made again from its folder alone: a pool is mixed from the draws of its "
            f"{len(members)} members, which their own runs hold; where these still are,",
            *(f"  simulate reproduce {member['run']}" for member in members),
            f"  simulate pool {parts} --seed {seed} --probability {probability}",
        ]
    )


def settings_of(sampling: Mapping[str, Any]) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings that a manifest states, and the names of those that it does not.

    Runs were made by PyMC's NUTS before there was a choice to state.

    Raises `KeyError` and `TypeError` where what was always stated is missing or no number.
    """
    default = dataclasses.asdict(Settings(cores=pipeline.cores(), nuts=samplers.PYMC))
    known = {name: sampling[name] for name in ("draws", "tune", "chains", "seed")}
    known |= {name: sampling[name] for name in default if name in sampling and name != "cores"}
    if wrong := [
        name for name, value in known.items() if not isinstance(value, str if name == "nuts" else int | float)
    ]:
        raise TypeError(", ".join(wrong))
    assumed = tuple(name for name in default if name not in known and name != "cores")
    return Settings(**{**default, **known}), assumed


def main_file(folder: Path, name: str) -> Path:
    """Return the main one of a run's prior files: of its name, and only a main one may not end in ``.toml``.

    Raises `RunError` when there is none.
    """
    found = [path for path in (folder / results.PRIORS).glob("*") if path.stem == name and path.is_file()]
    if not found:
        raise RunError(f"{folder}: cannot be made again: it holds no prior file {name!r}")
    return min(found, key=lambda path: (path.suffix == ".toml", path.name))


# ---------------------------------------------------------------------------------------------
# Making it again


@dataclass(frozen=True)
class Shift:
    """The median of a scope, or one end of its interval, before and now, with Monte Carlo errors; all in ``unit``."""

    scope: str
    end: str
    unit: str
    before: float
    now: float
    mcse_before: float
    mcse_now: float

    @property
    def z(self) -> float:
        """The difference in combined Monte Carlo standard errors; infinite where there is none to compare it with."""
        if math.isclose(self.before, self.now, rel_tol=ROUNDING):
            return 0.0
        error = math.hypot(self.mcse_before, self.mcse_now)
        return abs(self.now - self.before) / error if error > 0 else math.inf


@dataclass(frozen=True)
class Reproduction:
    """A run and what came out when it was made again.

    ``versions`` are those that differ, before and now; ``differing`` the variables of the draws that are not
    the same bit for bit, of ``compared``; ``shifts`` compare the medians and intervals of the scopes; ``lost``
    are scopes that the rerun has not.
    """

    run: Run
    kept: Path | None
    versions: Mapping[str, tuple[str, str]]
    assumed: tuple[str, ...]
    compared: int
    differing: tuple[str, ...]
    same_summary: bool
    shifts: tuple[Shift, ...]
    lost: tuple[str, ...]
    converged: bool
    """Both of them: Monte Carlo errors of draws that have not converged are not to be trusted."""

    @property
    def identical(self) -> bool:
        """Whether every draw is the same bit for bit, and the summary byte for byte."""
        return not self.differing and self.same_summary

    @property
    def limit(self) -> float:
        """The largest `Shift.z` that is chance: two-sided, Bonferroni over all shifts."""
        from scipy.stats import norm

        return float(norm.isf(FALSE_ALARM / (2 * max(1, len(self.shifts)))))

    @property
    def largest(self) -> Shift:
        return max(self.shifts, key=lambda shift: shift.z)

    @property
    def agreeing(self) -> bool:
        """Whether all intervals are the same within their Monte Carlo errors."""
        return self.converged and not self.lost and all(shift.z <= self.limit for shift in self.shifts)

    @property
    def same(self) -> bool:
        """Whether what should be the same is: everything on the same versions, the intervals on others."""
        return self.identical or (bool(self.versions) and (not self.differing or self.agreeing))


def reproduce(run: Run, *, keep: Path | None = None, progress: Progress | None = None) -> Reproduction:
    """Make a run again from its folder alone, and compare.

    The new run is kept below the folder ``keep``, or not at all. Raises as `recipe` does, and `RunError`
    where the disk refuses.
    """
    made = recipe(run)
    versions = differing_versions(run, made.priors)
    with place(keep) as out:
        again = pipeline.run(
            made.priors, made.settings, out=out, probability=made.probability, figures=(), progress=progress
        )
        compared, differing = differing_draws(drawn(run), drawn(again))
        return Reproduction(
            run=run,
            kept=again.folder if keep else None,
            versions=versions,
            assumed=made.assumed,
            compared=compared,
            differing=differing,
            same_summary=same_content(run.folder / results.SUMMARY, again.folder / results.SUMMARY),
            shifts=tuple(shifts(run.manifest["scopes"], again.manifest["scopes"])),
            lost=tuple(lost(run.manifest["scopes"], again.manifest["scopes"])),
            converged=run.converged and again.converged,
        )


@contextlib.contextmanager
def place(keep: Path | None) -> Iterator[Path]:
    """Give the folder that is asked for, or one that is removed in the end."""
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="simulate-") as folder:
        yield Path(folder)


def differing_versions(run: Run, priors: Priors) -> dict[str, tuple[str, str]]:
    """Return the versions that are not those of a run, before and now.

    Raises `RunError` where all are the same, and yet the run's prior files have another digest.
    """
    before, now = run.manifest["versions"], pipeline.versions()
    names = dict.fromkeys((*before, *now))
    found = {name: (str(before.get(name, "–")), str(now.get(name, "–"))) for name in names}
    found = {name: pair for name, pair in found.items() if pair[0] != pair[1]}
    if priors.digest == run.manifest["digest"]:
        return found
    if not found:
        raise RunError(
            f"{run.folder}: cannot be made again: the prior files in it are not those that it was made of "
            f"(digest {priors.digest[:16]}, not {str(run.manifest['digest'])[:16]})"
        )
    return {**found, "digest": (str(run.manifest["digest"])[:16], priors.digest[:16])}


# ---------------------------------------------------------------------------------------------
# Comparing


def drawn(run: Run) -> xr.DataTree:
    """Return the draws of a run, read whole."""
    tree = run.tree()
    try:
        return tree.load()
    finally:
        tree.close()


def differing_draws(before: xr.DataTree, now: xr.DataTree) -> tuple[int, tuple[str, ...]]:
    """Return how many variables two trees have, and the names of those that are not the same bit for bit.

    Times that the sampler took are left out.
    """
    one, other = dict(arrays(before)), dict(arrays(now))
    names = list(dict.fromkeys((*one, *other)))
    return len(names), tuple(name for name in names if one.get(name) != other.get(name))


def arrays(tree: xr.DataTree) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield name and content of every variable of a tree: dimensions, type, and bytes or texts."""
    for group in tree.groups:
        for name, variable in tree[group].dataset.variables.items():
            if name not in CLOCKS:
                values = variable.to_numpy()
                content = values.tolist() if values.dtype.hasobject else values.tobytes()
                yield f"{group}/{name}".lstrip("/"), (variable.dims, values.shape, str(values.dtype), content)


def same_content(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def shifts(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Shift]:
    """Yield median and ends of every scope that both have in one unit."""
    for name, old in before.items():
        new = now.get(name, {})
        if old["unit"] == new.get("unit"):
            for end in ENDS:
                yield Shift(name, end, old["unit"], old[end], new[end], old[f"mcse_{end}"], new[f"mcse_{end}"])


def lost(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield the scopes that the rerun lacks, or has in another unit."""
    for name, old in before.items():
        if name not in now:
            yield f"{name} is missing"
        elif old["unit"] != now[name]["unit"]:
            yield f"{name} is in {now[name]['unit']}, not in {old['unit']}"
