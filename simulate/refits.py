"""Leaving evidence out: the same posterior without the claims of one origin, by sampling anew.

A model is compiled once. To leave a claim out, its error is made so large, or its bound so easy to keep,
that it says nothing; what is left has the scales that the file would give it without those claims. The
posterior is that of ``--set evidence.NAME.used=false``, without compiling it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulate import evidence, inference, loading
from simulate.compiled import Nuts
from simulate.inference import Draws, Progress, Settings
from simulate.priors import Priors, Unknown

Floats = NDArray[np.float64]

NO_ERROR_SO_LARGE = 1e9
"""Scale of the logarithm of a claim that is left out: its density is the same everywhere."""
ALL = "all evidence"


@dataclass(frozen=True)
class Omission:
    """Claims that stand or fall together, and the origins whose claims they are: sources or a group."""

    origins: tuple[str, ...]
    claims: tuple[str, ...]

    @property
    def name(self) -> str:
        return ", ".join(self.origins)


def omissions(priors: Priors) -> list[Omission]:
    """Return what can be left out: the claims of each source, of each group, and all; each set once.

    A claim without a source is its own origin.
    """
    found: dict[str, list[str]] = {}
    for claim in priors.evidence:
        for source in claim.sources or (f"evidence.{claim.name}",):
            found.setdefault(source, []).append(claim.name)
    for claim in priors.evidence:
        if claim.group not in (claim.name, f"evidence.{claim.name}"):
            found.setdefault(f"group {claim.group}", []).append(claim.name)
    every = tuple(claim.name for claim in priors.evidence)
    same: dict[tuple[str, ...], list[str]] = {}
    for origin, claims in found.items():
        same.setdefault(tuple(claims), []).append(origin)
    parts = [Omission(tuple(origins), claims) for claims, origins in same.items() if claims != every]
    return [*parts, Omission((ALL,), every)] if every else []


def without(priors: Priors, names: Sequence[str]) -> Priors:
    """Return the priors with some claims only shown, as ``used = false`` has them."""
    shown = [dataclasses.replace(c, used=c.used and c.name not in names, error="") for c in priors.claims]
    claims, errors = loading.shared_errors(shown, priors.df)
    needed = {path for claim in claims if claim.used for path in claim.biased_by}
    kept = {
        path: entry
        for path, entry in priors.entries.items()
        if not is_of_claims(path) or (path.startswith("sources.") and path in needed)
    }
    return dataclasses.replace(priors, claims=tuple(claims), entries={**kept, **errors})


def is_of_claims(path: str) -> bool:
    """Whether an entry serves claims alone: the error of a group, or the bias of a source."""
    return path.split(".")[0] in ("groups", "sources")


def silenced(priors: Priors, reduced: Priors) -> dict[str, Floats]:
    """Return the model's data, by name, with which the claims that ``reduced`` lacks say nothing."""
    full, left = evidence.terms(priors), evidence.terms(reduced)
    place = {claim.name: position for position, claim in enumerate(reduced.evidence)}
    log_value, scale, shared = full.log_value.copy(), full.scale.copy(), full.shared.copy()
    for row, claim in enumerate(priors.evidence):
        if claim.name in place:
            scale[row], shared[row] = left.scale[place[claim.name]], left.shared[place[claim.name]]
        elif full.sign[row]:
            log_value[row], shared[row] = -full.sign[row] * NO_ERROR_SO_LARGE, 0.0
        else:
            scale[row], shared[row] = NO_ERROR_SO_LARGE, 0.0
    data = {"log_value": log_value, "claim_scale": scale}
    sharing = [row for row, claim in enumerate(priors.evidence) if claim.error]
    return data | ({"claim_shared_scale": shared[sharing]} if sharing else {})


class Refitting:
    """Samples a prior file again and again with some of its claims left out, on one compiled model."""

    def __init__(self, priors: Priors) -> None:
        self.priors = priors

    @cached_property
    def sampler(self) -> Nuts:
        return Nuts(self.priors)

    def posterior(self, reduced: Priors, settings: Settings, progress: Progress | None) -> Draws:
        """Return the posterior of the priors with fewer claims, or their prior where no claim is left.

        Chains start where those of a run may: at the medians of the priors, or up to one score beside.
        """
        if not reduced.evidence:
            return inference.prior(reduced, settings)
        rng = inference.stream(settings.seed, "refit", *(claim.name for claim in reduced.evidence))
        starts = [{"z": rng.uniform(-1, 1, len(self.priors.informed))} for _ in range(settings.chains)]
        data = silenced(self.priors, reduced)
        scores, stats = self.sampler.given(data, settings, progress=progress, starts=starts)
        wanted = {unknown.path for unknown in reduced.informed}
        sampled = {path: row for path, row in scores.items() if path in wanted}
        return inference.completed(reduced, evidence.terms(reduced), settings, sampled, stats)


def citing(priors: Priors, sources: Sequence[str]) -> tuple[Unknown, ...]:
    """Return the unknowns whose priors cite one of some sources; these stay when its claims are left out."""
    return tuple(unknown for unknown in priors.unknowns if set(unknown.sources) & set(sources))
