"""What the options of a run that decide numbers may be: each by itself, and for a prior file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from simulate.errors import SimulateError

if TYPE_CHECKING:
    from simulate.inference import Settings
    from simulate.priors import Priors

DRAWS = (10, 1_000_000_000)
"""Draws of a chain, where no evidence is heard."""

SAMPLED = (10, 200_000)
"""Draws of a chain that are sampled; all are kept."""

TUNE = (100, 100_000)
CHAINS = (1, 64)
SEED = (0, 2**32 - 1)

BEYOND = 2
"""Draws that must lie beyond an end of an interval, on average, for it to be one."""
SAMPLERS = ("nutpie", "pymc")

WHOLE = {"draws": DRAWS, "tune": TUNE, "chains": CHAINS, "seed": SEED, "cores": (1, 1024), "thin": (1, 10_000)}
SHARES = ("probability", "target_accept")
SWITCHES = ("prior_only", "extend", "cross_check", "quasi")


def plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options by their names in Python as plain numbers, whatever kind of number they were given as.

    Raises `SimulateError` with all that is wrong with them.
    """
    found, faults = {}, []
    for name, value in given.items():
        try:
            found[name] = plain_option(name, value)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise SimulateError("\n".join(faults))
    return found


def plain_option(name: str, value: Any) -> Any:
    """Return the value of an option as a plain one. Raises `ValueError` with what is wrong and what would do."""
    if name in WHOLE:
        least, most = WHOLE[name]
        if is_number(value, Integral) and least <= int(value) <= most:
            return int(value)
        raise ValueError(f"{written(value)} is no whole number from {least} to {most:,}")
    if name in SHARES:
        if is_number(value, Real) and 0 < float(value) < 1:
            return float(value)
        raise ValueError(f"{written(value)} is no number between 0 and 1")
    if name in SWITCHES:
        if isinstance(value, bool):
            return value
        raise ValueError(f"{written(value)} is neither True nor False")
    if name == "nuts":
        if isinstance(value, str) and value in SAMPLERS:
            return value
        raise ValueError(f"{written(value)} is no sampler; there are {', '.join(SAMPLERS)}")
    raise ValueError(f"no option of a run; there are {', '.join([*WHOLE, *SHARES, *SWITCHES, 'nuts'])}")


def is_number(value: Any, kind: type) -> bool:
    """Whether a value is a number of a kind, of Python or NumPy; a truth value is none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def written(value: Any) -> str:
    """Return a value as Python writes it, cut where nobody would read on."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def too_probable(probability: float, draws: int) -> str:
    """Return what is wrong with intervals of a probability of so many draws, empty where nothing is."""
    if round((1 - probability) / 2 * draws, 9) >= BEYOND:
        return ""
    most = 1 - 2 * BEYOND / draws
    way = f"use --probability {math.floor(most * 1e6) / 1e6:g} or less, or " if most > 0 else ""
    needed = math.ceil(round(2 * BEYOND / (1 - probability), 3))
    return (
        f"{draws:,} draws are too few for {100 * probability:.9g} % intervals, beyond whose ends hardly one of them "
        f"lies: {way}{needed:,} draws in all"
    )


def check(priors: Priors, settings: Settings, probability: float) -> None:
    """Raise `SimulateError` with all that is wrong with settings, and intervals of a probability, for a file."""
    from simulate import quasi

    sampled = bool(priors.evidence) and not settings.prior_only
    found = quasi.faults(settings.draws, settings.chains) if settings.quasi else []
    heard = f"{priors.name} has {len(priors.evidence)} piece{'s' if len(priors.evidence) > 1 else ''} of evidence"
    if settings.quasi and sampled:
        found.append(
            f"{heard}, and quasi-random draws are for what none informs: give --prior-only, or leave --quasi out"
        )
    most = SAMPLED[1]
    if sampled and settings.draws > most:
        found.append(
            f"{heard}, and {settings.draws:,} sampled draws of a chain are more than are kept: use --draws "
            f"{most} or fewer, or --prior-only, which takes any number"
        )
    found += filter(None, [too_probable(probability, settings.draws * settings.chains)])
    if found:
        raise SimulateError("\n".join(found))
