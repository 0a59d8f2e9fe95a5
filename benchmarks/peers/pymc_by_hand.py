"""The model of ``priors/semianalysis.toml`` as one would write it by hand in PyMC, and nothing else."""

from __future__ import annotations

import itertools

import arviz as az
import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy.stats import norm, t

Z90 = norm.ppf(0.95)
CHIPS = ("a100", "h800", "h100", "h20")
PEAK = np.array([312e12, 989e12, 989.4e12, 148e12])
HOURS = 8766.0


def lognormal(name: str, low: float, high: float, shift: float = 0.0):
    a, b = np.log(low - shift), np.log(high - shift)
    x = pm.LogNormal(name, (a + b) / 2, (b - a) / (2 * Z90))
    return x + shift


def logitnormal(name: str, low: float, high: float):
    a, b = np.log(low / (1 - low)), np.log(high / (1 - high))
    return pm.LogitNormal(name, (a + b) / 2, (b - a) / (2 * Z90))


def two_piece(name: str, low: float, middle: float, high: float, shift: float = 0.0):
    """Return a positive unknown through three quantiles (J-QPD-S)."""
    lo, mi, hi = (np.log(v - shift) for v in (low, middle, high))
    narrow = min(mi - lo, hi - mi)
    bend = np.sinh(np.arccosh((hi - lo) / (2 * narrow))) / Z90
    size = narrow / (bend * Z90)
    tilt = np.sign(lo + hi - 2 * mi) * Z90 * bend
    z = pm.Normal(name)
    g = mi + size * bend * np.sqrt(1 + tilt**2) * z + size * tilt * (pt.sqrt(1 + (bend * z) ** 2) - 1)
    return shift + pt.exp(g)


with pm.Model() as model:
    load = logitnormal("load", 0.5, 0.9)
    pue = lognormal("pue", 1.15, 1.5, shift=1.0)
    electricity = two_piece("electricity", 0.05, 0.082, 0.11)
    colocation = lognormal("colocation", 60, 180)
    maintenance = lognormal("maintenance", 0.02, 0.06)
    life = 3 + 3 * pm.Beta("life", 1 + 4 / 3, 1 + 8 / 3)
    utilisation = logitnormal("utilisation", 0.5, 0.95)
    window = lognormal("window", 0.8, 1.6)
    attribution = pm.Uniform("attribution", 0.5, 1.0)
    horizon = 4.0

    a100_cost = two_piece("a100_cost", 10_500, 13_000, 20_000)
    rho = 2 * np.sin(np.pi * 0.5 / 6)
    scores = pm.MvNormal("price_scores", np.zeros(3), np.full((3, 3), rho) + (1 - rho) * np.eye(3))
    ends = np.log([[28_000, 50_000], [32_000, 57_000], [18_000, 30_000]])
    others = pt.exp(ends.mean(axis=1) + (ends[:, 1] - ends[:, 0]) / (2 * Z90) * scores)
    server_cost = pt.concatenate([a100_cost[None], others])
    power = pt.stack(
        [
            lognormal("a100_power", 0.32, 0.6),
            lognormal("h800_power", 1.15, 1.45),
            lognormal("h100_power", 1.15, 1.45),
            lognormal("h20_power", 0.7, 1.0),
        ]
    )
    a100 = lognormal("a100", 9_300, 10_700)
    h800 = lognormal("h800", 2_500, 20_000)
    h100 = lognormal("h100", 2_000, 30_000)
    h20 = lognormal("h20", 5_000, 50_000)
    count = pt.stack([a100, h800, h100, h20])

    rate = lognormal("rental_rate", 1.4, 3.5)
    mfu = logitnormal("mfu", 0.16, 0.44)
    pretraining = 6 * 37e9 * 14.8e12 / (989e12 * mfu * 3600)
    multiplier = two_piece("multiplier", 1.5, 4, 10, shift=1.0)
    headcount = lognormal("headcount", 120, 250)
    pay = lognormal("pay", 75_000, 265_000)
    overhead = lognormal("overhead", 0.25, 0.40)

    per_kw = HOURS * load * pue * electricity + 12 * colocation
    per_gpu = power * per_kw + maintenance * server_cost
    final_hours = pretraining + 119_000 + 5_000
    hours = final_hours + 147_000
    final_run = pm.Deterministic("final_run", final_hours * rate)
    official_runs = pm.Deterministic("official_runs", hours * rate)
    research = pm.Deterministic("research_compute", multiplier * official_runs)
    staff = headcount * pay * (1 + overhead)
    pm.Deterministic("development", research + window * staff)

    # Two disputed facts, summed over by hand.
    states = np.array(list(itertools.product((1, 0), repeat=2)))
    log_weight = np.log([0.5 * 0.7, 0.5 * 0.3, 0.5 * 0.7, 0.5 * 0.3])
    there = np.column_stack([np.ones((4, 2)), states])
    hardware = (there * count * server_cost).sum(axis=1)
    operations = horizon * (there * count * per_gpu).sum(axis=1)
    need = multiplier * hours * PEAK[1]
    use = need / (attribution * HOURS * window * (there * count * PEAK).sum(axis=1))

    df = 4.0
    factors = np.log1p([0.4, 0.5, 0.5, 0.3, 0.35]) / t.ppf(0.95, df)
    figures = np.log([10_000, 10_000, 30_000, 1.629e9, 944e6])
    ones = pt.ones(4)
    targets = pt.stack([h800 * ones, h100 * ones, h20 * ones, hardware, operations])
    residual = (figures[:, None] - pt.log(targets)) / factors[:, None]
    n, share = 5, 0.5
    distance = ((residual**2).sum(axis=0) - share / (1 + (n - 1) * share) * residual.sum(axis=0) ** 2) / (1 - share)
    group = -(df + n) / 2 * pt.log1p(distance / df)
    fits = -pt.logaddexp(0.0, pt.log(use) * np.log(19) / np.log(1.1))
    pm.Potential("fleet_evidence", pt.logsumexp(log_weight + group + fits))
    pm.Potential("known_models", -pt.logaddexp(0.0, -pt.log(multiplier / 2.03) * np.log(19) / np.log(1.15)))
    stated, spread = np.log(np.sqrt(2.61e6 * 2.72e6)), np.log(2.72 / 2.61) / 2 / t.ppf(0.95, df)
    pm.StudentT("stated_hours", nu=df, mu=pt.log(pretraining), sigma=spread, observed=stated)

    posterior = pt.exp(log_weight + group + fits - pt.logsumexp(log_weight + group + fits))
    for place, name in ((0, "h100_exists"), (1, "h20_exists")):
        pm.Deterministic(name, (posterior * states[:, place]).sum())
    pm.Deterministic("hardware_mean", (posterior * hardware).sum())
    pm.Deterministic("operations_mean", (posterior * operations).sum())


if __name__ == "__main__":
    with model:
        draws = pm.sample(2000, tune=1000, chains=4, cores=2, random_seed=1, nuts_sampler="pymc", progressbar=False)
    print(az.summary(draws, ci_prob=0.9, ci_kind="eti", round_to="none").to_string())
