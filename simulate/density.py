"""The posterior density of a prior file as a tape, recorded from the same equations that NumPy draws run through.

On the standard-normal scores ``z`` of the unknowns that the evidence speaks of, the density is that of ``z``
times the likelihood of the claims, summed over all combinations of the disputed facts. `simulate.model` says
the same in PyMC, by the same equations and another derivative; the tests hold the two together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate import evidence, ledger, propagation, tape
from simulate.distributions import Distribution, Johnson
from simulate.evidence import Terms
from simulate.priors import Priors
from simulate.tabulation import KNOTS, tabulate
from simulate.tape import Number, Recorder


def record(priors: Priors, terms: Terms) -> NDArray[np.uint8]:
    """Return the tape of the log-likelihood, of the normal scores of `Priors.informed` in their order.

    ``terms`` are the claims with their figures and errors. What plays the tape (`simulate.playback`) adds the
    density of the scores, up to its constant. The likelihood of each combination of facts is an array of the
    shape ``(claim, combination)``, as for draws.
    """
    recorder = Recorder(len(priors.informed), KNOTS)
    found = values(priors, recorder)
    states, log_probability = evidence.combinations(priors.facts)
    targets = propagation.log_targets_over(priors, found, states, terms, xp=tape)
    each = evidence.log_likelihood(targets, terms, tape).sum(axis=0)
    total = tape.logsumexp(log_probability + each)
    return recorder.tape(total if isinstance(total, Number) else recorder.numbers()[0] * 0.0 + total)


def values(priors: Priors, recorder: Recorder) -> dict[str, Any]:
    """Return the entries that the evidence needs by path: numbers of the recorder, or constants."""
    scores = dict(zip((unknown.path for unknown in priors.informed), recorder.numbers(), strict=True))
    found: dict[str, Any] = {constant.path: constant.value for constant in priors.constants}
    for unknown in priors.informed:
        found[unknown.path] = transformed(unknown.distribution, correlated(priors, scores, unknown.path), recorder)
    for path, physics in priors.layout.derived.items():
        if found.keys() >= set(physics):
            found[path] = ledger.physical_gpu_hours(*(found[part] for part in physics))
    return found


def correlated(priors: Priors, scores: dict[str, Number], path: str) -> Any:
    """Return the normal score of an unknown with its correlations put in."""
    paths = priors.correlations.paths
    if path not in paths:
        return scores[path]
    row = priors.correlations.cholesky()[paths.index(path)]
    return sum(weight * scores[other] for weight, other in zip(row, paths, strict=True) if weight)


def transformed(distribution: Distribution, z: Any, recorder: Recorder) -> Any:
    """Return the value of an unknown from its normal score: in closed form, or from a table of `tabulate`."""
    if not isinstance(distribution, Johnson):
        return recorder.tabulated(z, *tabulate(distribution))
    g = distribution.location + distribution.scale * z
    if distribution.skew:
        g = g + distribution.skew * (((distribution.bend * z) ** 2 + 1.0).sqrt() - 1.0)
    if distribution.link == "identity":
        return g
    if distribution.link == "log":
        return distribution.lower + g.exp()
    return distribution.lower + (distribution.upper - distribution.lower) * g.sigmoid()
