"""The model of ``priors/semianalysis.toml`` as one would write it by hand in NumPyro, and nothing else.

JAX keeps what it compiles from one process to the next, where it is told to: here beside the other caches of
the user.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import arviz as az
import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import softplus
from jax.scipy.special import logsumexp
from numpyro.infer import MCMC, NUTS

from benchmarks.peers import figures as f
from benchmarks.peers.facts import with_facts

CACHE = Path.home() / ".cache" / "costladder-benchmarks" / "jax"


def model() -> None:
    """Unknowns in vectors, the two disputed facts summed over by hand."""
    count = numpyro.sample("count", dist.LogNormal(*f.COUNT))
    power = numpyro.sample("power", dist.LogNormal(*f.POWER))
    positive = numpyro.sample("positive", dist.LogNormal(*f.POSITIVE))
    logits = numpyro.sample("share_logit", dist.Normal(*f.SHARES))
    bent = three_quantiles(numpyro.sample("three_quantile_score", dist.Normal(jnp.zeros(3), 1)))
    scores = numpyro.sample("server_score", dist.Normal(jnp.zeros(3), 1))
    attribution = numpyro.sample("attribution", dist.Uniform(*f.ATTRIBUTION))
    low, high, *shape = f.LIFE
    life = low + (high - low) * numpyro.sample("life_position", dist.Beta(*shape))
    shared = numpyro.sample("shared_error", dist.StudentT(f.DF))

    pue, colocation, maintenance, window, rate, headcount, pay, overhead = positive
    load, utilisation, mfu = numpyro.deterministic("share", jax.nn.sigmoid(logits))
    a100_cost, electricity, multiplier = bent[0], bent[1], 1 + bent[2]
    location, scale = f.SERVERS
    others = jnp.exp(location + scale * (f.SERVER_CHOLESKY @ scores))
    server_cost = numpyro.deterministic("server_cost", jnp.concatenate([a100_cost[None], others]))

    pretraining = f.PRETRAINING_FLOP / (f.PEAK[1] * mfu * 3600)
    hours = pretraining + f.FINAL_HOURS + f.LATER_HOURS
    numpyro.deterministic("final_run", (pretraining + f.FINAL_HOURS) * rate)
    official = numpyro.deterministic("official_runs", hours * rate)
    research = numpyro.deterministic("research_compute", multiplier * official)
    staff = numpyro.deterministic("staff", headcount * pay * (1 + overhead))
    numpyro.deterministic("development", research + window * staff)
    per_gpu = power * (f.HOURS * load * (1 + pue) * electricity + 12 * colocation) + maintenance * server_cost
    numpyro.deterministic("gpu_hour_owned", (server_cost / life + per_gpu) / (f.HOURS * utilisation))
    hardware = numpyro.deterministic("hardware_if", (f.THERE * count * server_cost).sum(axis=1))
    operations = numpyro.deterministic("operations_if", f.HORIZON * (f.THERE * count * per_gpu).sum(axis=1))
    supply = attribution * f.HOURS * window * (f.THERE * count * f.PEAK).sum(axis=1)
    log_use = jnp.log(multiplier * hours * f.PEAK[1] / supply)

    numpyro.sample("stated_hours", dist.StudentT(f.DF, jnp.log(pretraining), f.HOURS_SCALE), obs=f.LOG_HOURS)
    numpyro.factor("known_models", -softplus(-jnp.log(multiplier / f.MULTIPLIER_FLOOR) / f.FLOOR_SCALE))
    each = f.LOG_WEIGHT + fleet_evidence(count, hardware, operations, shared) - softplus(log_use / f.CEILING_SCALE)
    total = logsumexp(each)
    numpyro.factor("fleet_evidence", total)
    numpyro.deterministic("weight", jnp.exp(each - total))


def three_quantiles(z: Any) -> Any:
    """Return positive unknowns through three quantiles each, from their normal scores."""
    location, scale, skew, bend = f.THREE_QUANTILES
    return jnp.exp(location + scale * z + skew * (jnp.sqrt(1 + (bend * z) ** 2) - 1))


def fleet_evidence(count: Any, hardware: Any, operations: Any, shared: Any) -> Any:
    """Return the log-likelihood of SemiAnalysis's five figures, ``(state,)``."""
    log_count = jnp.broadcast_to(jnp.log(count[1:])[:, None], (3, len(f.STATES)))
    targets = jnp.concatenate([log_count, jnp.log(hardware)[None], jnp.log(operations)[None]])
    scale = f.FIGURE_SCALES[:, None]
    centre = targets + f.SHARED * scale * shared
    return dist.StudentT(f.DF, centre, f.OWN * scale).log_prob(f.LOG_FIGURES[:, None]).sum(axis=0)


def sample(seed: int = 1) -> Any:
    """Return 4 × 2000 draws after 1000 to tune, two chains at a time."""
    jax.config.update("jax_compilation_cache_dir", str(CACHE))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    numpyro.enable_x64()
    numpyro.set_host_device_count(2)
    runs = MCMC(
        NUTS(model), num_warmup=1000, num_samples=2000, num_chains=4, chain_method="vectorized", progress_bar=False
    )
    runs.run(jax.random.key(seed))
    return with_facts(az.from_numpyro(runs)["posterior"].to_dataset(), seed)


if __name__ == "__main__":
    print(az.summary(sample(), ci_prob=0.9, ci_kind="eti", round_to="none").to_string())
