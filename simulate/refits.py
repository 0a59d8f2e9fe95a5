"""Leaving evidence out: the same posterior without the claims of one origin, by sampling anew.

The posterior is that of ``--set evidence.NAME.used=false``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from simulate import inference, loading
from simulate.inference import Draws, Progress, Settings
from simulate.priors import Priors, Unknown

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


def posterior(reduced: Priors, settings: Settings, progress: Progress | None) -> Draws:
    """Return the posterior of priors with fewer claims, or their prior where no claim is left."""
    return inference.posterior(reduced, settings, progress) if reduced.evidence else inference.prior(reduced, settings)


def citing(priors: Priors, sources: Sequence[str]) -> tuple[Unknown, ...]:
    """Return the unknowns whose priors cite one of some sources; these stay when its claims are left out."""
    return tuple(unknown for unknown in priors.unknowns if set(unknown.sources) & set(sources))
