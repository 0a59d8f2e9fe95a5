"""The posterior without the claims of one origin."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import FULL, MINIMAL

from simulate import inference, refits
from simulate.inference import Settings

MORE = (
    FULL
    + """
[evidence.again]
quantity = "hardware"
kind = "estimate"
value = 5.0e8
relative_error = 0.3
unit = "USD"
group = "press"
source = "reporter"

[evidence.least]
quantity = "fleet.h100.count"
kind = "floor"
value = 9e3
relative_error = 0.3
unit = "GPU"
group = "press"
sources = ["reporter", "official"]

[evidence.most]
quantity = "fleet.h800.count"
kind = "ceiling"
value = 11e3
relative_error = 0.3
unit = "GPU"
note = "no one's claim"

[sources.reporter]
title = "A reporter"
known = "secondary"
"""
)
"""Four origins: a group with two estimates and a floor, a source of two claims in it, another floor, no source."""

STATED = MINIMAL.replace(
    "rental_rate", 'peak_flops = { value = 989.4e12, unit = "FLOP/second/GPU" }\nrental_rate'
).replace(
    "gpu_hours =",
    'active_parameters = "37e9 parameter"\ntokens = "14.8e12 token"\nmfu = { interval = [0.2, 0.5] }\n'
    'note = "made up"\ngpu_hours =',
)
"""Hours that follow from physics, and are stated too: evidence without an entry of its own."""

COST = """
[evidence.cost]
quantity = "final_run"
kind = "estimate"
value = 20e6
relative_error = 0.3
unit = "USD"
note = "made up"
"""

SETTINGS = Settings(draws=500, tune=500, chains=2, seed=3)


def test_each_source_each_group_and_all_can_be_left_out_and_each_set_once(load):
    found = {one.name: set(one.claims) for one in refits.omissions(load(MORE))}
    assert found == {
        "analyst": {"capex"},
        "reporter": {"again", "least"},
        "official": {"floor", "least"},
        "evidence.most": {"most"},
        "group press": {"capex", "again", "least"},
        "all evidence": {"capex", "floor", "again", "least", "most"},
    }


def test_origins_of_the_same_claims_are_one_row(load):
    text = FULL.replace('source = "analyst"', 'sources = ["analyst", "official"]')
    names = [one.name for one in refits.omissions(load(text))]
    assert names == ["analyst, group press", "all evidence"]


def test_a_file_without_evidence_has_nothing_to_leave_out(load):
    assert refits.omissions(load(MINIMAL)) == []


@pytest.mark.parametrize("names", [["again"], ["capex"], ["capex", "again", "least"], ["floor", "most"]])
def test_what_is_left_is_what_the_file_says_with_those_claims_only_shown(load, names):
    reduced = refits.without(load(MORE), names)
    expected = load(MORE, [f"evidence.{name}.used=false" for name in names])
    assert repr(reduced.evidence) == repr(expected.evidence)
    assert repr(reduced.entries) == repr(expected.entries)


def test_leaving_out_the_only_source_gives_the_prior_back(load):
    priors = load(STATED)
    [only] = refits.omissions(priors)
    found = refits.posterior(refits.without(priors, only.claims), SETTINGS, None)
    expected = inference.prior(priors, SETTINGS)
    assert np.array_equal(found.quantities["final_run"], expected.quantities["final_run"])


@pytest.mark.sampling
def test_a_refit_is_the_posterior_of_the_file_with_those_claims_only_shown(load):
    found = refits.posterior(refits.without(load(STATED + COST), ["cost"]), SETTINGS, None)
    expected = inference.posterior(load(STATED + COST, ["evidence.cost.used=false"]), SETTINGS)
    assert np.array_equal(found.quantities["final_run"], expected.quantities["final_run"])
