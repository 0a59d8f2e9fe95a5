"""The model of ``priors/semianalysis.toml`` as one would write it by hand in Stan (``model.stan``), and nothing else.

On Python 3.13, `benchmarks.peers.stan_object` comes first. PyStan keeps the compiled model from one process to
the next, and the draws too where a seed is given: what is timed gives none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import stan

from benchmarks.peers import figures as f
from benchmarks.peers.facts import with_facts

CODE = Path(__file__).with_name("model.stan")
INTERNAL = ("each", "share_logit", "bent", "per_gpu", "hours", "pretraining")
"""What the program computes on the way, which the other peers do not report."""


def data() -> dict[str, Any]:
    """Return what the program declares as its data."""
    return {
        "chips": len(f.CHIPS),
        "states": len(f.STATES),
        "peak": f.PEAK,
        "count_prior": np.array(f.COUNT),
        "power_prior": np.array(f.POWER),
        "positive_prior": np.array(f.POSITIVE),
        "share_prior": np.array(f.SHARES),
        "three_quantiles": f.THREE_QUANTILES,
        "server_prior": np.array(f.SERVERS),
        "server_cholesky": f.SERVER_CHOLESKY,
        "attribution_ends": np.array(f.ATTRIBUTION),
        "life_ends": np.array(f.LIFE[:2]),
        "life_shape": np.array(f.LIFE[2:]),
        "hours_per_year": f.HOURS,
        "horizon": f.HORIZON,
        "pretraining_flop": f.PRETRAINING_FLOP,
        "final_hours": f.FINAL_HOURS,
        "later_hours": f.LATER_HOURS,
        "df": f.DF,
        "shared_share": f.SHARED,
        "own_share": f.OWN,
        "log_figures": f.LOG_FIGURES,
        "figure_scales": f.FIGURE_SCALES,
        "log_hours": f.LOG_HOURS,
        "hours_scale": f.HOURS_SCALE,
        "multiplier_floor": f.MULTIPLIER_FLOOR,
        "floor_scale": f.FLOOR_SCALE,
        "ceiling_scale": f.CEILING_SCALE,
        "there": f.THERE,
        "log_weight": f.LOG_WEIGHT,
    }


def sample(seed: int | None = None) -> Any:
    """Return 4 × 2000 draws after 1000 to tune, as many chains at a time as there are cores."""
    built = stan.build(CODE.read_text(), data=data(), random_seed=seed)
    fit = built.sample(num_chains=4, num_samples=2000, num_warmup=1000)
    names = [name for name in fit.param_names if name not in INTERNAL]
    draws = az.from_dict({"posterior": {name: by_chain(fit[name], 4) for name in names}})
    return with_facts(draws["posterior"].to_dataset(), 1 if seed is None else seed)


def by_chain(values: Any, chains: int) -> Any:
    """Return draws ``(chain, draw, …)`` of PyStan's ``(…, draw and chain)``, whose chains vary fastest."""
    values = values[0] if values.shape[0] == 1 else values
    split = values.reshape(*values.shape[:-1], -1, chains)
    return np.moveaxis(split, (-1, -2), (0, 1))


if __name__ == "__main__":
    print(az.summary(sample(), ci_prob=0.9, ci_kind="eti", round_to="none").to_string())
