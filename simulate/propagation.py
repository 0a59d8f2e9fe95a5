"""Draws of the unknowns through the ledger, in NumPy.

The same path serves the prior simulation and the posterior draws. Everything has its path or index
first and the batch of draws behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate import evidence, ledger
from simulate.priors import Claim, Priors, Unknown

Floats = NDArray[np.float64]

SMALLEST = 1e-300
"""Stands for zero under a logarithm: a claim about something that does not exist is all but impossible."""


def correlate(priors: Priors, z: Floats) -> Floats:
    """Return independent normal scores ``(unknown, …)`` with the file's correlations put in."""
    paths = priors.correlations.paths
    if not paths:
        return z
    order = {unknown.path: position for position, unknown in enumerate(priors.unknowns)}
    positions = [order[path] for path in paths]
    scores = z.copy()
    scores[positions] = np.tensordot(priors.correlations.cholesky(), z[positions], axes=1)
    return scores


def values(priors: Priors, z: Floats) -> dict[str, Floats]:
    """Return every entry by path from normal scores ``(unknown, …)``, each with the batch's shape.

    Hours that follow from a run's physics are entries too.
    """
    rows = correlate(priors, z)
    drawn = {u.path: u.distribution.from_normal(row) for u, row in zip(priors.unknowns, rows, strict=True)}
    return entries(priors, drawn, z.shape[1:])


def entries(priors: Priors, drawn: Mapping[str, Floats], batch: tuple[int, ...]) -> dict[str, Floats]:
    """Return every entry by path, in the order of the file, from those ``drawn``; the others are constants."""
    found: dict[str, Floats] = {}
    for path, entry in priors.entries.items():
        value = drawn[path] if isinstance(entry, Unknown) else entry.value
        found[path] = np.broadcast_to(np.asarray(value, dtype=float), batch)
    for path, physics in priors.layout.derived.items():
        found[path] = ledger.physical_gpu_hours(*(found[part] for part in physics))
    return found


def inputs(priors: Priors, found: Mapping[str, Floats], states: Mapping[str, Floats]) -> dict[str, Any]:
    """Return the ledger's inputs; ``states`` gives each disputed fact's path as 0 or 1, like a draw."""
    gate = {path: states[fact.path] for fact in priors.facts for path in fact.gates}

    def gated(path: str) -> Floats:
        return found[path] * gate[path] if path in gate else found[path]

    layout = priors.layout
    result: dict[str, Any] = {name: found[path] for name, path in layout.scalars.items() if path in found}
    for name, paths in layout.rows.items():
        if all(path in found for path in paths):
            result[name] = np.stack([gated(path) for path in paths])
    return result | {name: list(positions) for name, positions in layout.positions.items()}


def quantities(priors: Priors, found: Mapping[str, Floats], states: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return every ledger quantity, indexed ones with their index first."""
    return ledger.evaluate(inputs(priors, found, states))


def log_targets(
    priors: Priors,
    found: Mapping[str, Floats],
    states: Mapping[str, Floats],
    ledger_values: Mapping[str, Floats],
    terms: evidence.Terms,
    xp: Any = np,
) -> Floats:
    """Return the logarithm of what each claim speaks of, ``(claim, …)``.

    The bias of its source and the error it shares with its group are put in. ``xp`` is the array module,
    `numpy` or `simulate.tape`.
    """
    rows = []
    for claim, scale in zip(priors.evidence, terms.shared, strict=True):
        target = xp.log(xp.maximum(target_of(claim, priors, found, states, ledger_values), SMALLEST))
        bias = sum(xp.log(found[path]) for path in claim.biased_by)
        rows.append(target + bias + (scale * found[claim.error] if claim.error else 0.0))
    return np.stack(rows)


def target_of(
    claim: Claim,
    priors: Priors,
    found: Mapping[str, Floats],
    states: Mapping[str, Floats],
    ledger_values: Mapping[str, Floats],
) -> Floats:
    """Return the quantity or unknown that a claim speaks of, over the years that it counts, without biases."""
    if claim.target in found:
        return found[claim.target]
    if claim.target == "gpu_hours":
        return found[f"runs.{claim.index}.gpu_hours"]
    if claim.years is not None:
        given = inputs(priors, found, states) | {ledger.HORIZON: claim.years}
        ledger_values = ledger.evaluate(given, [claim.target])
    value = ledger_values[claim.target]
    if not claim.index:
        return value
    row: Floats = value[priors.layout.names[ledger.QUANTITIES[claim.target].dim].index(claim.index)]
    return row


def log_targets_over(
    priors: Priors, found: Mapping[str, Floats], states: Floats, terms: evidence.Terms | None = None, xp: Any = np
) -> Floats:
    """Return `log_targets` for every combination of facts: ``(claim, …, combination)``.

    ``states`` is ``(fact, combination)``; ``terms`` are the file's own evidence unless others are given.
    """
    terms, each = terms or evidence.terms(priors), []
    for column in states.T:
        state = {fact.path: np.asarray(value) for fact, value in zip(priors.facts, column, strict=True)}
        each.append(log_targets(priors, found, state, quantities(priors, found, state), terms, xp))
    return np.stack(each, axis=-1)
