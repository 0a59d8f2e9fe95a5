"""Posteriors that no one should have converge, or the run says that they did not."""

from __future__ import annotations

import json

import pytest
from conftest import CLAIM, FULL, MINIMAL
from processes import cold

pytestmark = pytest.mark.sampling

CONTRADICTION = MINIMAL + CLAIM + CLAIM.replace("evidence.claim", "evidence.other").replace("6e6", "6e9")
FAR_FLOOR = MINIMAL + CLAIM.replace("estimate", "floor").replace("6e6", "6e9")
RARE = FULL.replace("probability = 0.3", "probability = 0.001").replace("value = 6.0e8", "value = 9.0e8")
RUN = """
[runs.r{0}]
chip = "h800"
part_of = "official_runs"
gpu_hours = {{ interval = [{1}, {2}], unit = "GPU-hour", note = "made up" }}
"""
MANY = MINIMAL + "".join(RUN.format(n, 1e3 * (n + 1), 5e3 * (n + 1)) for n in range(200)) + CLAIM
"""202 unknowns, and a claim on the sum of a few of them."""


@pytest.mark.parametrize(
    "text",
    [CONTRADICTION, FAR_FLOOR, RARE, MANY.replace('"final_run"\nkind', '"official_runs"\nkind')],
    ids=["claims a thousandfold apart", "a floor a thousandfold above", "a fact of one in a thousand", "200 unknowns"],
)
def test_it_converges_or_says_that_it_did_not(text, tmp_path):
    (tmp_path / "extreme.toml").write_text(text)
    done = cold(tmp_path, "run", "--priors", "extreme.toml", "--no-figures", "--json", "--draws", "1000")
    assert done.code in (0, 3), done.err
    found = json.loads(done.out)
    assert found["converged"] is (done.code == 0)
    assert ("not converged" in done.err) is (done.code == 3)
    assert all(scope["lower"] <= scope["median"] <= scope["upper"] for scope in found["scopes"].values())
    if done.code == 0:
        assert found["diagnostics"]["r_hat"] < 1.01
        assert min(found["diagnostics"][name] for name in ("ess_bulk", "ess_tail")) > 400
