"""The model of ``priors/semianalysis.toml`` as one would write it by hand in PyMC, and nothing else.

Non-centred, because log-normals as such gave a thousand divergences; nutpie, because PyMC's own NUTS took half
as long again, caches warm.
"""

from __future__ import annotations

from typing import Any

import arviz as az
import numpy as np
import pymc as pm
import pytensor.tensor as pt

from benchmarks.peers import figures as f
from benchmarks.peers.facts import with_facts


def build() -> pm.Model:
    """Return the model: one vector of normal scores for most unknowns, the two disputed facts summed over by hand."""
    coords = {
        "chip": f.CHIPS,
        "unknown": range(25),
        "amount": f.POSITIVE_NAMES,
        "part": f.SHARE_NAMES,
        "state": range(len(f.STATES)),
    }
    with pm.Model(coords=coords) as model:
        z = pm.Normal("z", dims="unknown")
        count = pm.Deterministic("count", log_normal(f.COUNT, z[:4]), dims="chip")
        power = pm.Deterministic("power", log_normal(f.POWER, z[4:8]), dims="chip")
        positive = pm.Deterministic("positive", log_normal(f.POSITIVE, z[8:16]), dims="amount")
        shares = pm.Deterministic("share", pt.sigmoid(f.SHARES[0] + f.SHARES[1] * z[16:19]), dims="part")
        bent = three_quantiles(z[19:22])
        attribution = pm.Uniform("attribution", *f.ATTRIBUTION)
        low, high, *shape = f.LIFE
        life = low + (high - low) * pm.Beta("life_position", *shape)
        shared = pm.StudentT("shared_error", nu=f.DF)

        pue, colocation, maintenance, window, rate, headcount, pay, overhead = (positive[i] for i in range(8))
        load, utilisation, mfu = (shares[i] for i in range(3))
        a100_cost, electricity, multiplier = bent[0], bent[1], 1 + bent[2]
        location, scale = f.SERVERS
        others = pt.exp(location + scale * (f.SERVER_CHOLESKY * z[22:]).sum(axis=1))
        server_cost = pm.Deterministic("server_cost", pt.concatenate([a100_cost[None], others]), dims="chip")

        pretraining = f.PRETRAINING_FLOP / (f.PEAK[1] * mfu * 3600)
        hours = pretraining + f.FINAL_HOURS + f.LATER_HOURS
        pm.Deterministic("final_run", (pretraining + f.FINAL_HOURS) * rate)
        official = pm.Deterministic("official_runs", hours * rate)
        research = pm.Deterministic("research_compute", multiplier * official)
        staff = headcount * pay * (1 + overhead)
        pm.Deterministic("development", research + window * staff)
        pm.Deterministic("staff", staff)
        per_gpu = power * (f.HOURS * load * (1 + pue) * electricity + 12 * colocation) + maintenance * server_cost
        pm.Deterministic("gpu_hour_owned", (server_cost / life + per_gpu) / (f.HOURS * utilisation), dims="chip")
        hardware = pm.Deterministic("hardware_if", (f.THERE * count * server_cost).sum(axis=1), dims="state")
        operations = pm.Deterministic(
            "operations_if", f.HORIZON * (f.THERE * count * per_gpu).sum(axis=1), dims="state"
        )
        supply = attribution * f.HOURS * window * (f.THERE * count * f.PEAK).sum(axis=1)
        log_use = pt.log(multiplier * hours * f.PEAK[1] / supply)

        pm.StudentT("stated_hours", nu=f.DF, mu=pt.log(pretraining), sigma=f.HOURS_SCALE, observed=f.LOG_HOURS)
        pm.Potential("known_models", -pt.softplus(-pt.log(multiplier / f.MULTIPLIER_FLOOR) / f.FLOOR_SCALE))
        each = (
            f.LOG_WEIGHT + fleet_evidence(count, hardware, operations, shared) - pt.softplus(log_use / f.CEILING_SCALE)
        )
        total = pm.math.logsumexp(each, keepdims=False)
        pm.Potential("fleet_evidence", total)
        pm.Deterministic("weight", pt.exp(each - total), dims="state")
    return model


def log_normal(parameters: Any, z: Any) -> Any:
    """Return log-normal unknowns from their normal scores."""
    location, scale = parameters
    return pt.exp(location + scale * z)


def three_quantiles(z: Any) -> Any:
    """Return positive unknowns through three quantiles each, from their normal scores."""
    location, scale, skew, bend = f.THREE_QUANTILES
    return pt.exp(location + scale * z + skew * (pt.sqrt(1 + (bend * z) ** 2) - 1))


def fleet_evidence(count: Any, hardware: Any, operations: Any, shared: Any) -> Any:
    """Return the log-likelihood of SemiAnalysis's five figures, ``(state,)``."""
    log_count = pt.log(count[1:])[:, None] * np.ones(len(f.STATES))
    targets = pt.concatenate([log_count, pt.log(hardware)[None], pt.log(operations)[None]])
    scale = f.FIGURE_SCALES[:, None]
    residual = (f.LOG_FIGURES[:, None] - targets - f.SHARED * scale * shared) / (f.OWN * scale)
    return (-(f.DF + 1) / 2 * pt.log1p(residual**2 / f.DF)).sum(axis=0)


def sample(seed: int = 1) -> Any:
    """Return 4 × 2000 draws after 1000 to tune."""
    with build():
        draws = pm.sample(
            2000, tune=1000, chains=4, cores=2, random_seed=seed, nuts_sampler="nutpie", progressbar=False
        )
    return with_facts(draws["posterior"].to_dataset(), seed)


if __name__ == "__main__":
    print(az.summary(sample(), ci_prob=0.9, ci_kind="eti", round_to="none").to_string())
