"""From a checked prior file to a complete run folder: the one place where the rooms meet."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulate import (
    __version__,
    chains,
    datatree,
    inference,
    keeping,
    ledger,
    limits,
    plots,
    report,
    results,
    samplers,
    streaming,
    summary,
)
from simulate.drawing import drawing
from simulate.errors import RunError
from simulate.inference import Draws, Progress, Settings, Verdict
from simulate.priors import Priors
from simulate.results import Run
from simulate.samplers import Sampler
from simulate.summary import ClaimStanding, Row

LIBRARIES = ("arviz", "arviz-base", "arviz-plots", "arviz-stats", "h5netcdf", "h5py", "matplotlib", "numba",
             "numpy", "nutpie", "pymc", "pytensor", "scipy", "xarray")  # fmt: skip


def run(
    priors: Priors,
    settings: Settings,
    *,
    out: Path = Path("results"),
    probability: float = 0.9,
    figures: Sequence[str] = plots.DEFAULT,
    progress: Progress | None = None,
    beside: bool = False,
) -> Run:
    """Sample, summarise and write one run; return it as it stands on disk.

    ``probability`` is that of the credible intervals. With ``beside`` and figures, copies of this process draw the
    chains and the figures, where there are cores and a copy is sound. Raises `SimulateError` for settings that the
    file does not allow, and `RunError` where the disk refuses; a run that has not converged is written too, and says
    so.
    """
    limits.check(priors, settings, probability)
    clock = Clock(progress)
    beside = beside and settings.cores > 1
    with (
        results.writing(out, priors.name, priors.digest) as finish,
        drawing(finish.folder / results.FIGURES, figures, beside) as drawn,
        np.errstate(all="ignore"),
    ):
        with chains.drawn_beside(priors, settings, drawn.prepare if beside and figures else None) as by:
            prior, posterior, rows, verdict, standings = sampled(priors, settings, probability, clock, by)
        shown = prior if posterior is None else posterior
        with clock("cross-check"):
            verdict, checked = crossed(priors, settings, rows, verdict, progress)
        manifest = describe(priors, settings, shown, rows, standings, verdict) | {"cross_check": checked}
        with clock("writing"), results.disk(finish.folder):
            tree = datatree.assemble(priors, prior, posterior, attributes(manifest))
            drawn.begin(manifest, tree)
            results.write_priors(finish.folder, priors.texts)
            results.write_tree(finish.folder, tree)
            results.write_summary(finish.folder, rows)
            results.write_report(finish.folder, report.markdown(manifest))
        with clock("figures"):
            drawn.end()
        return finish({**manifest, "timings": clock.seconds})


def made_before(priors: Priors, settings: Settings, out: Path, probability: float) -> Run | None:
    """Return the latest intact run of a prior file with these settings and versions, where there is one."""
    for folder in reversed(results.runs(out)):
        if folder.parent.name == priors.name and folder.name.endswith(priors.digest[:8]):
            with contextlib.suppress(RunError):
                found = results.load(folder)
                if is_of(found.manifest, priors, settings, probability):
                    return found
    return None


def is_of(manifest: Mapping[str, Any], priors: Priors, settings: Settings, probability: float) -> bool:
    """Whether a run is what these versions would make of a prior file; the number of cores changes nothing."""
    asked = dataclasses.asdict(settings)
    del asked["cores"]
    return (
        manifest.get("digest") == priors.digest
        and manifest.get("versions") == versions()
        and asked.items() <= manifest["sampling"].items()
        and all(scope["probability"] == probability for scope in manifest["scopes"].values())
    )


def complete(run: Run, figures: Sequence[str]) -> None:
    """Draw those of the figures asked for that a run lacks and has something for.

    Raises `RunError` where the disk refuses.
    """
    folder = run.folder / results.FIGURES
    if lacking := plots.absent(folder, figures):
        plots.save(folder, lacking, run.manifest, run.tree())


class Clock:
    """Measures the parts of a run, and says when one starts."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        if self.progress:
            self.progress(part, 0, 0)
        start = time.perf_counter()
        yield
        self.seconds[part] = round(time.perf_counter() - start, 3)


def sampled(
    priors: Priors, settings: Settings, probability: float, clock: Clock, by: Sampler | None
) -> tuple[Draws, Draws | None, list[Row], Verdict, list[ClaimStanding]]:
    """Return the draws of prior and posterior, their rows, the verdict, and where the claims lie in them.

    ``by`` is as in `settled`.
    """
    streamed, progress = None, clock.progress
    with clock("prior"):
        if streaming.is_due(priors, settings):
            streamed = streaming.stream(priors, settings, probability, progress)
        prior = streamed.kept if streamed else inference.prior(priors, settings)
    with clock("posterior"):
        posterior, rows, verdict = (
            streamed.settled(settings.prior_only)
            if streamed
            else settled(priors, settings, prior, probability, progress, by=by)
        )
    with clock("summary"):
        shown = prior if posterior is None else posterior
        standings = list(streamed.standings) if streamed else summary.standings(priors, shown, prior)
    return prior, posterior, rows, verdict, standings


Summarise = Callable[[Priors, Draws, str, float], list[Row]]
"""Returns the rows of draws of a group, with intervals of a probability, in the way of `summary.summarise`."""


def settled(
    priors: Priors,
    settings: Settings,
    prior: Draws,
    probability: float,
    progress: Progress | None,
    summarise: Summarise | None = None,
    by: Sampler | None = None,
) -> tuple[Draws | None, list[Row], Verdict]:
    """Return posterior draws, their rows and the verdict, after as many extensions as it takes or as there are.

    ``by`` is what draws, in place of the sampler that the settings name.
    """
    efforts, number = inference.efforts(settings), 0
    extensions: list[str] = []
    while True:
        posterior = draw_posterior(priors, efforts[number], prior, progress, by)
        if progress:
            progress("diagnosing", 0, 0)
        rows, verdict = judged(priors, efforts[number], prior, posterior, probability, summarise)
        verdict = dataclasses.replace(verdict, extensions=tuple(extensions))
        if verdict.converged or verdict.method != "nuts" or settings.chains < 2 or not settings.extend:
            return posterior, rows, verdict
        number = inference.next_effort(number, verdict)
        if number >= len(efforts):
            return posterior, rows, verdict
        extensions.append(inference.effort_in_words(efforts[number]))
        if progress:
            progress(f"not converged, {extensions[-1]}", 0, 0)


def crossed(
    priors: Priors, settings: Settings, rows: list[Row], verdict: Verdict, progress: Progress | None
) -> tuple[Verdict, dict[str, Any] | None]:
    """Return the verdict with what another way to the posterior says, and that as the manifest keeps it."""
    if not settings.cross_check or not priors.evidence or settings.prior_only:
        return verdict, None
    from simulate import cross_check

    found = cross_check.cross_check(priors, rows, settings.seed, progress)
    kept = {**dataclasses.asdict(found), "agrees": found.agrees, "in_words": found.in_words()}
    if found.agrees:
        return verdict, kept
    reasons = (*verdict.reasons, found.in_words())
    return dataclasses.replace(verdict, converged=False, reasons=reasons), kept


def draw_posterior(
    priors: Priors, settings: Settings, prior: Draws, progress: Progress | None, by: Sampler | None
) -> Draws | None:
    """Return posterior draws: none for a prior-only run, the prior's own where there is no evidence."""
    if settings.prior_only:
        return None
    return inference.posterior(priors, settings, progress, by=by) if priors.evidence else prior


def judged(
    priors: Priors,
    settings: Settings,
    prior: Draws,
    posterior: Draws | None,
    probability: float,
    summarise: Summarise | None,
) -> tuple[list[Row], Verdict]:
    """Return the rows of both groups, those shown first, and the verdict on them."""
    summarise = summarise or functools.partial(summary.summarise, quasi=settings.quasi)
    of_prior = summarise(priors, prior, "prior", probability)
    if posterior is None:
        return of_prior, inference.judge(prior, settings, {})
    rows = summarise(priors, posterior, "posterior", probability)
    return rows + of_prior, inference.judge(posterior, settings, summary.diagnostics(rows))


# ---------------------------------------------------------------------------------------------
# The manifest


def describe(
    priors: Priors,
    settings: Settings,
    draws: Draws,
    rows: list[Row],
    standings: list[ClaimStanding],
    verdict: Verdict,
) -> dict[str, Any]:
    """Return the manifest of a run, except for its timings and checksums."""
    shown = [row for row in rows if row.group == ("prior" if settings.prior_only else "posterior")]
    return {
        "format": results.FORMAT,
        "name": priors.name,
        "title": priors.title,
        "subject": priors.subject,
        "money": priors.money,
        "as_of": priors.as_of.isoformat() if priors.as_of else None,
        "note": priors.note,
        "digest": priors.digest,
        "settings": list(priors.settings),
        "group": shown[0].group,
        "sampling": sampling(priors, settings, verdict),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "versions": versions(),
        "verdict": {**dataclasses.asdict(verdict), "in_words": verdict.in_words()},
        "scopes": {row.variable: scope(row) for row in summary.scope_rows(shown)},
        "facts": dict(draws.fact_probability),
        "fact_priors": {fact.path: fact.probability for fact in priors.facts},
        "claims": [dataclasses.asdict(standing) for standing in standings],
        "correlations": correlations(priors, draws),
        "unknowns": {u.path: {"given": u.given, "meaning": u.meaning, "family": u.distribution.family,
                              "sources": list(u.sources), "note": u.note} for u in priors.unknowns},
        "idle": list(priors.idle),
        "labels": dict(priors.labels),
    }  # fmt: skip


def scope(row: Row) -> dict[str, Any]:
    """Return a cost scope as machines and figures read it."""
    item = ledger.QUANTITIES[row.variable]
    return {
        "median": row.p50,
        "lower": row.lower,
        "upper": row.upper,
        "probability": row.probability,
        "kind": summary.KIND,
        "unit": row.unit,
        "basis": item.basis,
        "label": item.label,
        "mcse_median": row.mcse_p50,
        "mcse_lower": row.mcse_lower,
        "mcse_upper": row.mcse_upper,
    }


def sampling(priors: Priors, settings: Settings, verdict: Verdict) -> dict[str, Any]:
    """Return how the draws were made; the number of cores is left out, because it changes nothing."""
    found = dataclasses.asdict(settings)
    del found["cores"]
    kept = {"kept": verdict.diagnostics["kept"]} if "kept" in verdict.diagnostics else {}
    exact = "scrambled Sobol' points (SciPy)" if settings.quasi else "independent draws (NumPy)"
    return {
        **found,
        **kept,
        "sampler": exact if verdict.method == "exact" else samplers.NAMES[settings.nuts],
        "evidence": len(priors.evidence),
    }


def correlations(priors: Priors, draws: Draws) -> list[dict[str, Any]]:
    """Return the stated correlation of each pair of unknowns and what the draws kept show (Spearman's)."""
    from scipy.stats import spearmanr

    stated = priors.correlations
    found = []
    for i, a in enumerate(stated.paths):
        for j, b in enumerate(stated.paths[:i]):
            achieved = spearmanr(np.ravel(draws.values[a]), np.ravel(draws.values[b])).statistic
            rank = 6 / np.pi * np.arcsin(stated.matrix[i][j] / 2)
            found.append({"between": [b, a], "stated_rank": float(rank), "achieved_rank": float(achieved)})
    return found


def versions() -> dict[str, str]:
    """Return the versions that the numbers of a run can depend on."""
    return {
        "simulate": __version__,
        "code": keeping.code(),
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def processor() -> str:
    """Return the vector instructions that NumPy uses here; the last bit of a logarithm depends on them."""
    found: Any = np.show_config(mode="dicts")
    return ", ".join(found["SIMD Extensions"]["found"])


def attributes(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the manifest that the draws carry with them."""
    keys = ("name", "title", "subject", "money", "digest", "settings", "sampling", "versions", "verdict", "created")
    return {key: manifest[key] for key in keys}


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
