"""A calibration on disk: fits are made in any order and by any workforce, kept one by one, and never made twice.

::

    results/calibration/<prior file>-<digest>-<hash of plan, versions and model>/
        priors/             the exact prior files
        fits.jsonl          what is calibrated, then one fit a line (`simulate.journal`)
        calibration.md …    the report, made anew from the fits each time

A fit depends on prior file, plan and number alone, so that neither an interruption nor who makes it changes a
result. The hash keeps apart what cannot be put together: another seed, another version of a library, another model.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulate import calibration, inference, journal, results, samplers, workforce
from simulate.calibration import Calibration, Fit, Fitter, Plan
from simulate.errors import SimulateError
from simulate.inference import Progress, Settings
from simulate.journal import Journal
from simulate.priors import Priors
from simulate.workforce import Clock, Local, Workforce

FOLDER = "calibration"
"""Where calibrations lie in the folder of runs."""

FITS = "fits.jsonl"

DRAWS = 20
"""Draws from the prior by which it is known."""

LIBRARIES = ("arviz-stats", "numba", "numpy", "nutpie", "scipy")
"""Those whose versions can change a fit."""

MODEL = ("density.py", "distributions.py", "playback.py", "tabulation.py", "tape.py")
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
class Fitting:
    """The job of making fits by their numbers."""

    priors: Priors
    plan: Plan

    def prepared(self) -> Callable[[int], Fit]:
        return Fitter(self.priors, self.plan, calibration.sampler(self.priors)).fit


@np.errstate(all="ignore")
def calibrate(
    priors: Priors,
    plan: Plan,
    fits: int,
    *,
    out: Path,
    by: Workforce | None = None,
    progress: Progress | None = None,
) -> tuple[Calibration, Path]:
    """Return the calibration of a prior file by that many fits, and its folder; fits that are there are taken.

    They are made ``by`` a workforce, this process where none is given. Raises `SimulateError` for a file without
    evidence or whose bounds hardly ever hold, `RunError` where the disk refuses, `DamagedRunError` where what is
    there are not fits of this file and plan, and `KeyboardInterrupt` with what was kept when interrupted.
    """
    if not priors.evidence:
        raise SimulateError(
            f"{priors.name}: no evidence, so nothing is fitted: the posterior is the prior, drawn independently; "
            "there is nothing to calibrate"
        )
    by = by or Local()
    kept_in = place_of(priors, plan, out, by.versions)
    with kept_in.opened(priors.texts) as file:
        done = read(kept_in)
        missing = [number for number in range(fits) if number not in done]
        clock = Clock(progress, fits - len(missing), fits, "fits")
        made = by.make(Fitting(priors, plan), iter(missing))
        for _, fit in workforce.kept(kept_in, file, made, dataclasses.asdict, clock):
            done[fit.number] = fit
    chosen = tuple(done[number] for number in range(fits))
    return describe(priors, plan, kept_in, chosen), kept_in.folder


def describe(priors: Priors, plan: Plan, place: Journal, fits: tuple[Fit, ...]) -> Calibration:
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


def place_of(priors: Priors, plan: Plan, out: Path, versions: Mapping[str, str]) -> Journal:
    """Return where the fits of a prior file and a plan by some versions are kept."""
    decides = {
        "format": 1,
        "plan": dataclasses.asdict(plan),
        "versions": {name: versions[name] for name in ("simulate", "python", *LIBRARIES)},
        "model": model_digest(),
        "prior": prior_digest(priors),
    }
    folder = out / FOLDER / f"{priors.name}-{priors.digest[:8]}-{journal.mark(decides)}"
    names = list(calibration.variables(priors))
    head = results.signed({**decides, "digest": priors.digest, "variables": names})
    return Journal(folder, FITS, head, "fit", "calibration", "prior file, plan and version")


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
    return hashlib.sha256(
        journal.canonical({name: digits(values) for name, values in found.items()}).encode()
    ).hexdigest()


def digits(values: Any) -> list[str]:
    return [f"{value:.9g}" for value in values.ravel()]


def read(place: Journal) -> dict[int, Fit]:
    """Return the fits there are, by number.

    Raises `DamagedRunError` with every line that is not what was written here.
    """
    fits = [fit for _, fit in place.entries(lambda content: as_fit(content, place))]
    found = {fit.number: fit for fit in fits}
    if len(found) < len(fits):
        raise place.twice()
    return found


def as_fit(content: Any, place: Journal) -> Fit | None:
    """Return a line as a fit of what is calibrated here, and None for anything else."""
    if content.keys() != {*(field.name for field in dataclasses.fields(Fit)), "checksum"}:
        return None
    fit = Fit(**{key: value for key, value in content.items() if key != "checksum"})
    facts = {path: (bool(true), float(p)) for path, (true, p) in fit.facts.items()}
    return dataclasses.replace(fit, facts=facts) if set(fit.ranks) == set(place.head["variables"]) else None
