"""One point of a sweep: the prior file with what the grid sets there, sampled and judged as `run` does.

What is kept of a point is what a run's manifest says of its scopes, facts and verdict, to the last digit; the draws
are not. All points have the seed of the grid unless the seed is an axis, so that what does not depend on the axes has
the same draws at all of them, and what differs between points is what was set.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulate import inference, layers, limits, loading, pipeline, streaming, summary
from simulate.errors import Fault, InputError, SimulateError
from simulate.grid import Grid, Options, Point
from simulate.inference import Settings
from simulate.layers import Layers
from simulate.priors import Priors

ESTIMATE = ("median", "lower", "upper", "mcse_median", "mcse_lower", "mcse_upper")
"""What is kept of a scope, by the names of a manifest."""


@dataclass(frozen=True)
class Outcome:
    """What came out at a point.

    ``scopes`` maps each cost scope to its `ESTIMATE` [``units``]; ``facts`` each disputed fact to its probability.
    ``digest`` is that of the prior file with what was ``set``. A point at which nothing can be sampled has no scopes,
    and its ``reasons`` say why.
    """

    number: int
    set: tuple[str, ...]
    options: Mapping[str, Any]
    digest: str
    group: str
    method: str
    converged: bool
    reasons: tuple[str, ...]
    scopes: Mapping[str, tuple[float | None, ...]]
    units: Mapping[str, str]
    facts: Mapping[str, float]


@dataclass(frozen=True)
class Sweeping:
    """The job of making outcomes of points. ``read`` is the prior file, whose tables serve every point."""

    read: Layers

    def prepared(self) -> Callable[[Point], Outcome]:
        return self.outcome

    @np.errstate(all="ignore")
    def outcome(self, point: Point) -> Outcome:
        """Return what comes out at a point, the same whoever makes it and whatever was made before."""
        try:
            priors = loading.check(layers.changed(self.read, point.set))
            return sampled(priors, point)
        except SimulateError as error:
            return impossible(point, error)


def sampled(priors: Priors, point: Point) -> Outcome:
    """Return what comes out of a prior file with the options of a point. Raises as `pipeline.run` does."""
    settings, probability = sampling(point.options), point.options.probability
    limits.check(priors, settings, probability)
    if streaming.is_due(priors, settings):
        streamed = streaming.stream(priors, settings, probability)
        prior, (posterior, rows, verdict) = streamed.kept, streamed.settled(settings.prior_only)
    else:
        prior = inference.prior(priors, settings)
        summarise = summarising("prior" if settings.prior_only else "posterior")
        posterior, rows, verdict = pipeline.settled(priors, settings, prior, probability, None, summarise)
    shown = [row for row in rows if row.group == rows[0].group]
    scopes = {row.variable: pipeline.scope(row) for row in summary.scope_rows(shown)}
    return Outcome(
        point.number,
        point.set,
        point.options.model_dump(),
        priors.digest,
        rows[0].group,
        verdict.method,
        verdict.converged,
        verdict.reasons,
        {name: tuple(finite(found[key]) for key in ESTIMATE) for name, found in scopes.items()},
        {name: found["unit"] for name, found in scopes.items()},
        dict((prior if posterior is None else posterior).fact_probability),
    )


def summarising(shown: str) -> pipeline.Summarise:
    """Return what summarises the group that is shown, as far as it is kept; the prior of a posterior is not."""
    return lambda priors, draws, group, probability: (
        summary.cited(priors, draws, group, probability) if group == shown else []
    )


def sampling(options: Options) -> Settings:
    """Return the options of a point as `inference` has them; the number of cores changes nothing."""
    found = options.model_dump(exclude={"probability", "sampler"})
    return Settings(**found, nuts=options.sampler, cores=1)


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def impossible(point: Point, error: SimulateError) -> Outcome:
    """Return the outcome of a point at which nothing can be sampled, with what stands against it."""
    reasons = tuple(map(str, error.faults)) if isinstance(error, InputError) else (str(error),)
    return Outcome(point.number, point.set, point.options.model_dump(), "", "", "none", False, reasons, {}, {}, {})


def read_outcome(content: Mapping[str, Any]) -> Outcome | None:
    """Return a line of a journal as an outcome, and None for anything else."""
    if content.keys() != {*(field.name for field in dataclasses.fields(Outcome)), "checksum"}:
        return None
    found = {key: value for key, value in content.items() if key != "checksum"}
    scopes = {name: tuple(values) for name, values in found["scopes"].items()}
    return Outcome(**{**found, "set": tuple(found["set"]), "reasons": tuple(found["reasons"]), "scopes": scopes})


def checked(read: Layers, grid: Grid) -> Layers:
    """Return a prior file with the tables that any value of a grid refers to, so that no point reads from disk.

    Raises `InputError` with all that is wrong with the values written in the grid, each set by itself; a value that
    can only stand beside others may.
    """
    loading.check(read)
    faults: list[Fault] = []
    tables = dict(read.references)
    for where, alone, together in grid.trials():
        found = tried(read, (alone,), tables)
        if found and tried(read, together, tables):
            faults += [Fault(where, f"{fault.path}: {fault.found}", fault.mend) for fault in found]
    if faults:
        raise InputError(grid.path, faults)
    return dataclasses.replace(read, references=tables)


def tried(read: Layers, settings: tuple[str, ...], tables: dict[str, str]) -> list[Fault]:
    """Return what is wrong with a prior file that has some settings; ``tables`` gains those that it refers to."""
    try:
        there = layers.changed(read, settings)
        tables |= there.references
        loading.check(there)
    except InputError as error:
        return error.faults
    return []
