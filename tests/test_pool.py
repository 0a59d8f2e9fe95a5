"""A pool: runs mixed by stated weights, draw by draw, into a run like any other."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from conftest import FULL, MINIMAL
from test_compare import DEAR, DOUBTFUL, FLEET

from simulate import cli, comparison, inference, loading, pipeline, plots, pooling, report, results
from simulate.errors import InputError
from simulate.inference import Settings, Verdict
from simulate.results import Run

pytestmark = pytest.mark.sampling

SETTINGS = Settings(draws=200, chains=2)
LESS_DOUBTFUL = DOUBTFUL.replace("0.5", "0.2")
SHOWN = """
[evidence.paper]
label = "A paper: $5.5M"
quantity = "final_run"
kind = "estimate"
value = "5.5M"
unit = "USD"
used = false
note = "made up"
"""
FILES = {
    "cheap": MINIMAL + SHOWN,
    "dear": DEAR + SHOWN.replace("A paper", "The paper"),
    "fleet": FLEET,
    "doubtful": DOUBTFUL,
    "less": LESS_DOUBTFUL,
}


@pytest.fixture
def make(write, tmp_path) -> Callable[..., Run]:
    """Make a run of one of the small files, or of a text under a name."""

    def make(name: str, settings: Settings = SETTINGS, text: str = "") -> Run:
        path = write(text or FILES[name], f"files/{name}.toml")
        return pipeline.run(loading.load(path), settings, out=tmp_path / "results", figures=())

    return make


@pytest.fixture
def pool(make, tmp_path) -> Callable[..., Run]:
    """Pool small files by weight, or runs with weights."""

    def pool(*runs: Run, settings: Settings = SETTINGS, figures: tuple[str, ...] = (), **weights: float) -> Run:
        found = runs or [make(name) for name in weights]
        members = pooling.members(list(weights.values()), found)
        return pooling.pool(members, settings, out=tmp_path / "results", figures=figures)

    return pool


@pytest.fixture
def invoke(write, tmp_path):
    """Call the command with the small files by name; return its exit code and what it printed."""
    for name, text in FILES.items():
        write(text, f"priors/{name}.toml")

    def invoke(*arguments: str) -> tuple[int, str, str]:
        given = [f"{tmp_path}/priors/{one.replace('=', '.toml=')}" if "=" in one else one for one in arguments]
        options = ["--draws", "50", "--chains", "2", "--out", str(tmp_path / "results"), "--no-figures"]
        done = CliRunner().invoke(cli.main, ["pool", *given, *options])
        return done.exit_code, done.stdout, done.stderr

    return invoke


def values(run: Run, name: str, group: str = "posterior") -> np.ndarray:
    return run.tree()[group][name].to_numpy()


# ---------------------------------------------------------------------------------------------
# The mixture


def test_a_member_has_its_share_of_the_draws_within_binomial_error(pool):
    second = values(pool(cheap=1, dear=3), "member") == 1
    # the standard deviation of a frequency of n = 400 draws is sqrt(p (1 - p) / n); 4 of them
    assert second.mean() == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / second.size))


def test_each_draw_is_a_members_draw_at_that_place_taken_whole(make, pool):
    members = [make("cheap"), make("dear")]
    mixed = pool(*members, cheap=1, dear=1)
    picked = values(mixed, "member") == 1
    for group in ("prior", "posterior"):
        for name in ("final_run", "chips.h800.rental_rate", "official_gpu_hours"):
            expected = np.where(picked, values(members[1], name, group), values(members[0], name, group))
            assert np.array_equal(values(mixed, name, group), expected)


def test_the_mean_of_a_pool_is_the_mean_of_its_members_weighted_by_their_draws(make, pool):
    members = [make("cheap"), make("dear")]
    mixed = pool(*members, cheap=1, dear=3)
    picked = values(mixed, "member")
    means = [values(run, "final_run")[picked == place].mean() for place, run in enumerate(members)]
    assert values(mixed, "final_run").mean() == pytest.approx(
        np.average(means, weights=[(picked == 0).sum(), picked.sum()])
    )


def test_the_ledger_holds_in_every_draw_of_a_pool(pool):
    mixed = pool(cheap=1, dear=1)
    cost = values(mixed, "official_gpu_hours") * values(mixed, "chips.h800.rental_rate")
    assert np.allclose(values(mixed, "official_runs"), cost)


def test_the_same_seed_gives_the_same_pool_and_another_another(make, pool):
    members = [make("cheap"), make("dear")]
    first, again = (pool(*members, cheap=1, dear=1) for _ in range(2))
    other = pool(*members, settings=dataclasses.replace(SETTINGS, seed=2), cheap=1, dear=1)
    texts = [(run.folder / "summary.csv").read_bytes() for run in (first, again, other)]
    assert texts[0] == texts[1] != texts[2]


def test_weights_of_any_size_become_shares_that_add_up_to_one(make):
    members = pooling.members([2, 6], [make("cheap"), make("dear")])
    assert [(member.weight, member.share) for member in members] == [(2, 0.25), (6, 0.75)]


def test_shares_change_the_digest_and_the_scale_of_weights_does_not(make):
    runs = [make("cheap"), make("dear")]
    digests = [pooling.digest(pooling.members(weights, runs)) for weights in ([1, 3], [2, 6], [1, 2])]
    assert digests[0] == digests[1] != digests[2]


def test_a_variable_is_pooled_where_all_have_it_in_one_unit_and_its_index_in_common():
    def group(unit: str, runs: list[str]) -> xr.Dataset:
        cost = xr.DataArray(np.ones((1, 2, len(runs))), dims=("chain", "draw", "run"), attrs={"units": "USD"})
        rate = xr.DataArray(np.ones((1, 2)), dims=("chain", "draw"), attrs={"units": unit})
        return xr.Dataset({"run_cost": cost, "rate": rate}, coords={"run": runs})

    mixed = pooling.mixed([group("USD", ["v3", "r1"]), group("EUR", ["r1", "r2"])], np.zeros((1, 2), dtype=int))
    assert list(mixed.data_vars) == ["run_cost"]
    assert mixed["run"].to_numpy().tolist() == ["r1"]


# ---------------------------------------------------------------------------------------------
# The run


def test_a_pool_is_a_complete_run_with_every_key_of_a_run(make, pool, tmp_path):
    member = make("cheap")
    mixed = pool(member, make("dear"), cheap=1, dear=1)
    assert results.load(mixed.folder).converged
    assert set(member.manifest) <= set(mixed.manifest)
    assert set(member.manifest["sampling"]) == set(mixed.manifest["sampling"])
    assert results.find("pool", tmp_path / "results") == mixed.folder
    assert {p.name for p in member.folder.iterdir()} == {p.name for p in mixed.folder.iterdir()}


def test_the_summary_of_a_pool_has_every_variable_of_both_groups(pool):
    mixed = pool(cheap=1, dear=1)
    for group in ("prior", "posterior"):
        names = {row["variable"] for row in mixed.summary() if row["group"] == group}
        assert names == set(mixed.tree()[group].data_vars) - {"member"}


def test_its_tables_state_the_shares_and_that_they_are_a_judgement(pool):
    mixed = pool(cheap=1, dear=3)
    for text in (mixed.report(), report.terminal(mixed.manifest)):
        assert "75 %" in text
        assert "The shares are a judgement" in text
    members = mixed.manifest["members"]
    assert [(one["name"], one["weight"], one["share"]) for one in members] == [("cheap", 1, 0.25), ("dear", 3, 0.75)]
    assert sum(one["draws"] for one in members) == 400


def test_a_scope_that_a_member_lacks_is_left_out_and_this_is_said(pool):
    mixed = pool(cheap=1, fleet=1)
    assert list(mixed.manifest["scopes"]) == ["final_run", "official_runs"]
    assert "cheap lacks hardware." in mixed.manifest["note"]
    assert "gpus" not in mixed.tree()["posterior"]


def test_the_probability_of_a_fact_is_the_members_mean_by_share(pool):
    found = pool(doubtful=1, less=3).manifest
    assert found["facts"]["fleet.h800.exists"] == pytest.approx(0.25 * 0.5 + 0.75 * 0.2)
    assert found["fact_priors"] == found["facts"]


def test_a_claim_that_several_members_have_is_shown_once_as_no_evidence(pool):
    mixed = pool(cheap=1, dear=1)
    [claim] = mixed.manifest["claims"]
    assert (claim["label"], claim["used"]) == ("A paper: $5.5M", False)
    assert claim["percentile"] == pytest.approx(100 * (values(mixed, "final_run") < 5.5e6).mean())


def test_the_prior_files_of_all_members_are_kept(pool):
    mixed = pool(cheap=1, dear=1)
    for name in ("cheap", "dear"):
        assert (mixed.folder / "priors" / name / f"{name}.toml").read_text() == FILES[name]


def test_priors_alone_are_pooled_into_a_prior(make, pool):
    alone = dataclasses.replace(SETTINGS, prior_only=True)
    mixed = pool(make("full", alone, FULL), make("dearer", alone, FULL.replace("26e3", "30e3")), a=1, b=1)
    assert mixed.manifest["group"] == "prior"
    assert "posterior" not in mixed.tree().children
    assert "2 pieces of evidence left out" in report.terminal(mixed.manifest)


def test_members_that_count_different_years_are_named(make, pool):
    alone = dataclasses.replace(SETTINGS, prior_only=True)
    mixed = pool(make("four", alone, FULL), make("two", alone, FULL.replace("value = 4,", "value = 2,")), a=1, b=1)
    assert "do not count the same time: scope.horizon is 4 in four, 2 in two." in mixed.manifest["note"]


def test_figures_of_a_pool_are_drawn_and_those_of_evidence_and_of_parts_say_why_not(make, pool):
    alone = dataclasses.replace(SETTINGS, prior_only=True)
    mixed = pool(
        make("full", alone, FULL), make("dearer", alone, FULL.replace("26e3", "30e3")), a=1, b=1, figures=plots.DEFAULT
    )
    drawn = {path.stem for path in (mixed.folder / "figures").iterdir()}
    assert drawn == {"ladder", "forest", "posterior"}
    assert "hears no evidence of its own" in plots.lacking("evidence", mixed.manifest, mixed.tree())
    assert "need not count the same parts" in plots.lacking("breakdown", mixed.manifest, mixed.tree())
    assert "Pool: pool (Pool of 50 % full, 50 % dearer)" in (mixed.folder / "figures" / "ladder.txt").read_text()


def test_a_pool_of_pools_and_a_comparison_with_a_member_work(make, pool):
    cheap, dear = make("cheap"), make("dear")
    mixed = pool(cheap, dear, cheap=1, dear=1)
    assert pool(mixed, dear, pool=1, dear=1).manifest["title"] == "Pool of 50 % pool, 50 % dear"
    compared = comparison.compare([mixed, cheap], ["final_run"])
    assert "pool is a pool with cheap in it, whose very draws are 50 % of the pool's." in compared.notes


# ---------------------------------------------------------------------------------------------
# The verdict


def judged(make, **second: Any) -> Verdict:
    """Return the verdict on a pool whose second member was sampled, as its verdict is changed."""
    runs = [make("cheap"), make("dear")]
    verdict = {**runs[1].manifest["verdict"], "method": "nuts", **second}
    runs[1] = dataclasses.replace(runs[1], manifest={**runs[1].manifest, "verdict": verdict})
    members = pooling.members([1, 1], runs)
    return pooling.judge(members, pooling.summarise(pooling.mixture(members, 1), "posterior", 0.9))


def test_a_pool_of_independent_draws_is_exact(pool):
    assert pool(cheap=1, dear=1).manifest["verdict"]["in_words"].startswith("exact")


def test_a_pool_with_a_sampled_member_is_judged_by_its_own_mixing_too(make):
    found = judged(make)
    assert found.method == "mixture"
    assert set(found.diagnostics) == {"r_hat", "ess_bulk", "ess_tail", "draws"}


def test_a_pool_is_not_converged_when_a_member_is_not_and_names_it(make):
    found = judged(make, converged=False, reasons=["R-hat of x is 1.3"])
    assert not found.converged
    assert found.reasons[0] == "dear: R-hat of x is 1.3"


def test_the_words_for_a_mixture_give_its_diagnostics():
    good = {"r_hat": 1.002, "ess_bulk": 3000.0, "ess_tail": 2500.0, "draws": 8000}
    words = Verdict(True, "mixture", (), good).in_words()
    assert words.startswith("converged: every member, and their mixture with R-hat at most 1.002, effective draws")


# ---------------------------------------------------------------------------------------------
# What cannot be pooled


def test_all_that_is_wrong_with_weights_is_named_at_once():
    with pytest.raises(InputError) as caught:
        pooling.parse(["a", "b=", "=2", "c=0", "d=-1", "e=much", "f=1e999", "g=1", "g=2"])
    assert [fault.path for fault in caught.value.faults] == sorted(
        ["a", "b=", "=2", "c=0", "d=-1", "e=much", "f=1e999", "g"]
    )


@pytest.mark.parametrize("texts", [[], ["a=1"]])
def test_fewer_than_two_members_are_no_pool(texts):
    with pytest.raises(InputError, match="two members or more"):
        pooling.parse(texts)


def test_weights_may_be_percentages_and_names_may_hold_equals_signs():
    assert [(one.given, one.weight) for one in pooling.parse(["a=b=25%", "c=0.75"])] == [("a=b", 0.25), ("c", 0.75)]


def test_one_file_by_two_names_is_given_twice(write):
    path = write(MINIMAL)
    with pytest.raises(InputError, match="is given twice"):
        pooling.parse([f"{path}=1", f"{path.parent}/../{path.parent.name}/{path.name}=1"])


@pytest.mark.parametrize(
    ("text", "settings", "found"),
    [
        (MINIMAL, SETTINGS, "has the same content as one before"),
        (f'money = "USD 2030"\n{DEAR}', SETTINGS, "money: a: USD; b: USD 2030"),
        (f'subject = "Another lab"\n{DEAR}', SETTINGS, "subject: a: the company; b: Another lab"),
        (DEAR, Settings(draws=100, chains=2), "draws: a: 2 × 200; b: 2 × 100"),
        (DEAR, Settings(draws=200, chains=2, prior_only=True), "group: a: posterior; b: prior"),
    ],
)
def test_members_that_do_not_belong_together_are_an_error(make, load, text, settings, found):
    other = make("other", settings, text)
    with pytest.raises(InputError, match=found):
        pooling.check(["a", "b"], [load(MINIMAL), other], SETTINGS)


def test_members_with_no_scope_in_common_are_an_error(make, pool):
    servers = FLEET.replace("rental_rate", "power").replace(
        '[1.5, 3.0], unit = "USD/GPU-hour"', '[1, 2], unit = "kW/GPU"'
    )
    servers = servers[: servers.index("[runs.base]")] + servers[servers.index("[fleet.h800]") :]
    with pytest.raises(InputError, match="none in common"):
        pool(make("cheap"), make("servers", SETTINGS, servers), a=1, b=1)


# ---------------------------------------------------------------------------------------------
# The command


def test_the_command_prints_the_pool_and_where_it_is(invoke):
    code, printed, err = invoke("cheap=1", "dear=3")
    assert (code, err) == (0, "")
    assert "Pool of 25 % cheap, 75 % dear" in printed
    assert results.load(results.Path(printed.split("run: ")[1].strip())).converged


def test_the_object_for_machines_names_the_members_and_their_shares(invoke):
    found = json.loads(invoke("cheap=1", "dear=3", "--json")[1])
    assert {"run", "converged", "diagnostics", "seed", "scopes", "facts", "members"} == set(found)
    assert [one["share"] for one in found["members"]] == [0.25, 0.75]


def test_bad_weights_are_named_before_anything_is_run(invoke, tmp_path):
    code, _, err = invoke("cheap=1", "dear=no", "nowhere")
    assert code == 1
    assert "'no' is not a positive number" in err
    assert "nowhere: no member with a weight" in err
    assert not (tmp_path / "results").exists()


def test_a_pool_whose_member_has_not_converged_exits_3_and_names_it(invoke, monkeypatch):
    monkeypatch.setattr(inference, "judge", lambda *given: Verdict(False, "exact", ("draws beyond all reason",)))
    code, printed, err = invoke("cheap=1", "dear=1")
    assert code == 3
    assert "NOT CONVERGED" in printed
    assert "cheap: draws beyond all reason" in err
