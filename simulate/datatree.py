"""Draws as an ArviZ DataTree: one variable for each TOML path and each ledger quantity, with units.

Groups follow ArviZ's names. Variables have dims ``chain``, ``draw`` and, where they are indexed,
``chip``, ``run`` or ``claim``; ``attrs["units"]`` and ``attrs["long_name"]`` say what they are.
``log_prior`` is the density of each unknown's normal score, the scale on which its prior is
power-scaled: a wider or narrower interval about the same median.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from simulate import evidence, ledger
from simulate.inference import Draws
from simulate.priors import Priors

SAMPLE = ("chain", "draw")


def assemble(priors: Priors, prior: Draws, posterior: Draws | None, attributes: Mapping[str, Any]) -> xr.DataTree:
    """Return the tree of a run; without ``posterior`` it has only the groups of the prior."""
    groups = {"prior": parameters(priors, prior)}
    if posterior is not None:
        groups["posterior"] = parameters(priors, posterior)
        groups["unconstrained_posterior"] = xr.Dataset(
            {"z": indexed(posterior.scores, "unknown", "1", "normal score before correlation")},
            coords={"unknown": [unknown.path for unknown in priors.unknowns]},
        )
        groups["log_prior"] = log_prior(priors, posterior)
    if posterior is not None and posterior.sample_stats is not None:
        groups["sample_stats"] = thinned(numeric_only(posterior.sample_stats), posterior.scores.shape[-1])
    if priors.evidence:
        groups["prior_predictive"] = claims(priors, prior)
        groups["observed_data"] = observed(priors)
        if posterior is not None:
            groups["posterior_predictive"] = claims(priors, posterior)
            groups["log_likelihood"] = log_likelihood(priors, posterior)
    groups["constant_data"] = constants(priors)
    tree = xr.DataTree.from_dict({f"/{name}": with_sample_coords(data) for name, data in groups.items()})
    tree.attrs = {"simulate": json.dumps(dict(attributes), sort_keys=True)}
    return tree


def parameters(priors: Priors, draws: Draws) -> xr.Dataset:
    """Return unknowns, disputed facts and ledger quantities."""
    gated = {path for fact in priors.facts for path in fact.gates}
    found = {
        u.path: plain(draws.values[u.path], u.unit, u.meaning + (", if it exists" if u.path in gated else ""))
        for u in priors.unknowns
    }
    found |= {path: plain(draws.values[path], "GPU-hour", "hours from physics") for path in priors.layout.derived}
    found |= {fact.path: plain(draws.states[fact.path], "1", "disputed fact: 1 true, 0 false") for fact in priors.facts}
    coords: dict[str, list[str]] = {}
    for name, value in draws.quantities.items():
        item = ledger.QUANTITIES[name]
        if item.dim:
            found[name] = indexed(value, item.dim, item.unit, item.label)
            coords[item.dim] = list(priors.layout.names[item.dim])
        else:
            found[name] = plain(value, item.unit, item.label)
        found[name].attrs |= {"basis": item.basis} if item.basis else {}
    return xr.Dataset(found, coords=coords)


def plain(values: Any, unit: str, label: str) -> xr.DataArray:
    return xr.DataArray(np.array(values, dtype=float), dims=SAMPLE, attrs={"units": unit or "1", "long_name": label})


def indexed(values: Any, dim: str, unit: str, label: str) -> xr.DataArray:
    """Return draws ``(dim, chain, draw)`` in ArviZ's order, ``(chain, draw, dim)``."""
    moved = np.moveaxis(np.array(values, dtype=float), 0, -1)
    return xr.DataArray(moved, dims=(*SAMPLE, dim), attrs={"units": unit or "1", "long_name": label})


def log_prior(priors: Priors, draws: Draws) -> xr.Dataset:
    density = -0.5 * draws.scores**2 - 0.5 * math.log(2 * math.pi)
    found = {u.path: plain(row, "1", "log density") for u, row in zip(priors.unknowns, density, strict=True)}
    for fact in priors.facts:
        state = draws.states[fact.path]
        probability = np.where(state == 1, fact.probability, 1 - fact.probability)
        found[fact.path] = plain(np.log(probability), "1", "log probability")
    return xr.Dataset(found)


def claims(priors: Priors, draws: Draws) -> xr.Dataset:
    """Return the claims that the draws predict; a floor or ceiling predicts what it would perceive."""
    predicted = indexed(draws.perceived, "claim", "1", "natural logarithm of the figure, in the claim's unit")
    return xr.Dataset({"log_claims": predicted}, coords=claim_coords(priors))


def claim_coords(priors: Priors) -> dict[str, Any]:
    return {
        "claim": [claim.name for claim in priors.evidence],
        "kind": ("claim", [claim.kind for claim in priors.evidence]),
        "claim_unit": ("claim", [claim.unit or "1" for claim in priors.evidence]),
    }


def observed(priors: Priors) -> xr.Dataset:
    figures = np.log([claim.value for claim in priors.evidence])
    return xr.Dataset({"log_claims": ("claim", figures, {"units": "1"})}, coords=claim_coords(priors))


def log_likelihood(priors: Priors, draws: Draws) -> xr.Dataset:
    """Return the log-likelihood of each group of claims: within one, claims share an error."""
    groups = list(evidence.terms(priors).groups)
    values = indexed(draws.log_likelihood, "group", "1", "log-likelihood of a group of claims")
    return xr.Dataset({"log_claims": values}, coords={"group": groups})


def constants(priors: Priors) -> xr.Dataset:
    """Return what the model takes as given: fixed entries, and the claims' figures and errors."""
    found: dict[str, Any] = {
        c.path: ((), c.value, {"units": c.unit or "1", "long_name": c.meaning}) for c in priors.constants
    }
    coords: dict[str, Any] = {}
    if priors.evidence:
        terms = evidence.terms(priors)
        coords = claim_coords(priors)
        found["claim_value"] = (
            "claim",
            np.exp(terms.log_value),
            {"units": "1", "long_name": "figure, in the claim's unit"},
        )
        found["claim_scale"] = (
            "claim",
            terms.scale,
            {"units": "1", "long_name": "scale of the own error of its logarithm"},
        )
        found["claim_shared_scale"] = (
            "claim",
            terms.shared,
            {"units": "1", "long_name": "scale of the error shared with its group"},
        )
    if priors.facts:
        coords["fact"] = [fact.path for fact in priors.facts]
        found["fact_probability"] = ("fact", [fact.probability for fact in priors.facts], {"units": "1"})
    return xr.Dataset(found, coords=coords)


def numeric_only(stats: xr.Dataset) -> xr.Dataset:
    """Return the sampler's statistics that a NetCDF file can hold."""
    kept = {name: values for name, values in stats.data_vars.items() if values.dtype.kind in "biuf"}
    return xr.Dataset({name: (values.dims, values.to_numpy()) for name, values in kept.items()})


def thinned(stats: xr.Dataset, draws: int) -> xr.Dataset:
    """Return the statistics of the draws that were kept; one that diverged on the way to one counts for it."""
    step = stats.sizes["draw"] // draws
    kept = stats.isel(draw=slice(step - 1, None, step))
    if step > 1 and "diverging" in stats:
        blocks = stats["diverging"].to_numpy().reshape(stats.sizes["chain"], draws, step)
        kept = kept.assign(diverging=(("chain", "draw"), blocks.any(axis=-1)))
    return kept


def with_sample_coords(data: xr.Dataset) -> xr.Dataset:
    """Return the dataset with chains and draws numbered from 0."""
    return data.assign_coords({dim: np.arange(data.sizes[dim]) for dim in SAMPLE if dim in data.sizes})
