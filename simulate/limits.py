"""What a prior file allows of the settings of a run."""

from __future__ import annotations

from simulate import quasi
from simulate.errors import SimulateError
from simulate.inference import Settings
from simulate.priors import Priors

MOST_SAMPLED = 200_000
"""Draws of a chain that a run with evidence keeps at the most."""


def check(priors: Priors, settings: Settings) -> None:
    """Raise `SimulateError` with all that is wrong with settings for a file."""
    sampled = bool(priors.evidence) and not settings.prior_only
    found = quasi.faults(settings.draws, settings.chains) if settings.quasi else []
    heard = f"{priors.name} has {len(priors.evidence)} piece{'s' if len(priors.evidence) > 1 else ''} of evidence"
    if settings.quasi and sampled:
        found.append(
            f"{heard}, and quasi-random draws are for what none informs: give --prior-only, or leave --quasi out"
        )
    if sampled and settings.draws > MOST_SAMPLED:
        found.append(
            f"{heard}, and {settings.draws:,} sampled draws of a chain are more than are kept: use --draws "
            f"{MOST_SAMPLED} or fewer, or --prior-only, which takes any number"
        )
    if found:
        raise SimulateError("\n".join(found))
