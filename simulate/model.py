"""The prior file as a PyMC model.

One standard-normal vector carries every unknown (non-centred); locations, scales, tables and the
figures of the claims are data, so that a file of the same structure is the same model with other
numbers. The ledger is the one of `simulate.ledger`, over all combinations of the disputed facts as
one more axis; the evidence is one observed vector, ``log_claims``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from simulate import evidence, ledger
from simulate.distributions import Johnson
from simulate.evidence import Terms, perceive_mixture
from simulate.priors import Claim, Priors, Unknown
from simulate.propagation import SMALLEST
from simulate.tabulation import KNOTS, tabulate

STEP = float(KNOTS[1] - KNOTS[0])


def build(priors: Priors, terms: Terms | None = None) -> pm.Model:
    """Return the model of a prior file that has evidence: its own ``terms``, or others given.

    Free variable ``z`` with dim ``unknown``: normal scores, before their correlations, of the unknowns
    that the evidence speaks of (`Priors.informed`); the others are independent of it and stay as they are.
    Observed variable ``log_claims`` with dim ``claim``: the logarithm of each claim's figure. Raises
    `ValueError` for a file without evidence, whose posterior is its prior.
    """
    if not priors.evidence:
        raise ValueError("a prior file without evidence needs no sampler")
    terms = terms or evidence.terms(priors)
    states, log_probability = evidence.combinations(priors.facts)
    coords = {
        "unknown": [unknown.path for unknown in priors.informed],
        "claim": [claim.name for claim in priors.evidence],
        "group": list(terms.groups),
    }
    with pm.Model(coords=coords) as model:
        z = pm.Normal("z", 0.0, 1.0, dims="unknown")
        log_quantity = log_targets(priors, entries(priors, z), states, terms)
        log_claims(log_quantity, terms, log_probability)
    return model


# ---------------------------------------------------------------------------------------------
# Unknowns


@dataclasses.dataclass(frozen=True)
class Entries:
    """Every entry of the file as one vector, and the position of each path in it.

    One gather for all chips costs one node of the graph; one node for each path would cost hundreds.
    """

    vector: Any
    positions: dict[str, int]

    def __contains__(self, path: str) -> bool:
        return path in self.positions

    def __getitem__(self, path: str) -> Any:
        return self.vector[self.positions[path]]

    def rows(self, paths: Sequence[str]) -> Any:
        """Return the values at some paths, shape ``(path,)``."""
        return self.vector[np.array([self.positions[path] for path in paths])]


def entries(priors: Priors, z: Any) -> Entries:
    """Return the entries the evidence needs, unknowns as functions of ``z``, and the hours of physics."""
    scores = correlate(priors, z)
    blocks, order = [], []
    for kind, members in by_kind(priors.informed).items():
        block = scores[np.array([position for position, _ in members])]
        blocks.append(transform(kind, [unknown for _, unknown in members], block))
        order += [unknown.path for _, unknown in members]
    if priors.constants:
        blocks.append(pm.Data("constants", np.array([constant.value for constant in priors.constants])))
        order += [constant.path for constant in priors.constants]
    given = Entries(pt.concatenate(blocks), {path: row for row, path in enumerate(order)})
    derived = {path: parts for path, parts in priors.layout.derived.items() if given.positions.keys() >= set(parts)}
    if not derived:
        return given
    hours = ledger.physical_gpu_hours(*(given.rows(column) for column in zip(*derived.values(), strict=True)))
    order += list(derived)
    return Entries(pt.concatenate([given.vector, hours]), {path: row for row, path in enumerate(order)})


def correlate(priors: Priors, z: Any) -> Any:
    """Return normal scores with the correlations put in, elementwise: a matrix product compiles ten times as long."""
    paths = priors.correlations.paths
    order = {unknown.path: position for position, unknown in enumerate(priors.informed)}
    if not order.keys() & set(paths):
        return z
    positions = [order[path] for path in paths]
    cholesky = pm.Data("cholesky", priors.correlations.cholesky())
    return pt.set_subtensor(z[positions], (cholesky * z[positions][None, :]).sum(axis=1))


def by_kind(unknowns: Sequence[Unknown]) -> dict[str, list[tuple[int, Unknown]]]:
    """Return the unknowns with their positions, grouped by how they are computed from ``z``."""
    kinds: dict[str, list[tuple[int, Unknown]]] = {}
    for position, unknown in enumerate(unknowns):
        distribution = unknown.distribution
        kind = distribution.link if isinstance(distribution, Johnson) else "table"
        kinds.setdefault(kind, []).append((position, unknown))
    return kinds


def transform(kind: str, unknowns: Sequence[Unknown], z: Any) -> Any:
    """Return the values of unknowns of one kind from their normal scores, shape ``(unknown,)``."""
    if kind == "table":
        return interpolate(unknowns, z)
    rows = [unknown.distribution for unknown in unknowns]
    data = {
        name: pm.Data(f"{kind}_{name}", np.array([getattr(row, name) for row in rows], dtype=float))
        for name in ("location", "scale", "skew", "bend")
    }
    g = data["location"] + data["scale"] * z
    if any(row.skew for row in rows if isinstance(row, Johnson)):
        g = g + data["skew"] * (pt.sqrt(1.0 + (data["bend"] * z) ** 2) - 1.0)
    if kind == "identity":
        return g
    lower = pm.Data(f"{kind}_lower", np.array([row.support[0] for row in rows]))
    if kind == "log":
        return lower + pt.exp(g)
    width = pm.Data(f"{kind}_width", np.array([row.support[1] - row.support[0] for row in rows]))
    return lower + width * pt.sigmoid(g)


def interpolate(unknowns: Sequence[Unknown], z: Any) -> Any:
    """Return quantile functions tabulated at `KNOTS`, by monotone cubic Hermite interpolation."""
    tables = [tabulate(unknown.distribution) for unknown in unknowns]
    values = pm.Data("table_values", np.stack([values for values, _ in tables]))
    slopes = pm.Data("table_slopes", np.stack([slopes for _, slopes in tables]))
    position = (z - KNOTS[0]) / STEP
    knot = pt.clip(pt.floor(position), 0, len(KNOTS) - 2).astype("int64")
    t = position - knot
    row = np.arange(len(unknowns))
    rest = 1.0 - t
    return (
        values[row, knot] * (1.0 + 2.0 * t) * rest**2
        + values[row, knot + 1] * t**2 * (3.0 - 2.0 * t)
        + STEP * (slopes[row, knot] * t * rest**2 - slopes[row, knot + 1] * t**2 * rest)
    )


# ---------------------------------------------------------------------------------------------
# What the claims speak of


def log_targets(priors: Priors, found: Entries, states: np.ndarray[Any, Any], terms: Terms) -> Any:
    """Return the logarithm of what each claim speaks of, ``(claim, combination)``, biases and shared errors put in."""
    gate = {path: row for fact, row in zip(priors.facts, states, strict=True) for path in fact.gates}
    ones = np.ones(states.shape[1])
    layout = priors.layout
    wanted = {claim.target for claim in priors.evidence if claim.years is None} & ledger.QUANTITIES.keys()
    needs = frozenset().union(*(claim.needs for claim in priors.evidence))
    given: dict[str, Any] = {name: found[path] for name, path in layout.scalars.items() if path in found}
    for name, paths in layout.rows.items():
        if name in needs and all(path in found for path in paths):
            column = found.rows(paths)[:, None]
            gates = np.array([gate.get(path, ones) for path in paths])
            given[name] = column if (gates == 1).all() else column * gates
    given |= {name: list(positions) for name, positions in layout.positions.items()}
    quantities = ledger.evaluate(given, wanted)
    rows = [target_of(claim, priors, found, given, quantities) + pt.zeros(len(ones)) for claim in priors.evidence]
    log_quantity = pt.log(pt.maximum(pt.stack(rows), SMALLEST))
    sharing = [row for row, claim in enumerate(priors.evidence) if claim.error]
    if sharing:
        errors = found.rows([priors.evidence[row].error for row in sharing])
        shared = pm.Data("claim_shared_scale", terms.shared[sharing]) * errors
        log_quantity = pt.inc_subtensor(log_quantity[sharing], shared[:, None])
    for row, claim in enumerate(priors.evidence):
        for bias in claim.biased_by:
            log_quantity = pt.inc_subtensor(log_quantity[row], pt.log(found[bias]))
    return log_quantity


def target_of(
    claim: Claim, priors: Priors, found: Entries, given: Mapping[str, Any], quantities: Mapping[str, Any]
) -> Any:
    """Return the quantity or unknown that a claim speaks of, over the years that it counts, without biases."""
    path = f"runs.{claim.index}.gpu_hours" if claim.target == "gpu_hours" else claim.target
    if path in found:
        return found[path]
    if claim.years is not None:
        quantities = ledger.evaluate({**given, ledger.HORIZON: claim.years}, [claim.target])
    value = quantities[claim.target]
    return value[priors.layout.names[ledger.QUANTITIES[claim.target].dim].index(claim.index)] if claim.index else value


def log_claims(log_quantity: Any, terms: Terms, log_probability: np.ndarray[Any, Any]) -> Any:
    """Return the observed claims: marginally over the combinations of facts, a mixture of `evidence` terms."""
    symbolic = dataclasses.replace(
        terms,
        log_value=pm.Data("log_value", terms.log_value),
        scale=pm.Data("claim_scale", terms.scale),
    )
    weights = pm.Data("log_probability", log_probability)

    def logp(value: Any, log_quantity: Any, weights: Any) -> Any:
        observed = dataclasses.replace(symbolic, log_value=value)
        each = evidence.log_likelihood(log_quantity, observed, pt)
        return pt.logsumexp(weights + each.sum(axis=0))

    def random(log_quantity: Any, weights: Any, rng: np.random.Generator, size: Any = None) -> Any:
        return perceive_mixture(log_quantity, weights, terms, rng)

    return pm.CustomDist(
        "log_claims",
        log_quantity,
        weights,
        logp=logp,
        random=random,
        signature="(c,k),(k)->(c)",
        observed=symbolic.log_value,
        dims="claim",
    )
