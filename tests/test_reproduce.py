"""A run can be made again from its folder alone, and what is not the same is noticed and named."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import FULL, MINIMAL

from simulate import cli, layers, loading, pipeline, pooling, reproduction, results
from simulate.errors import DamagedRunError, RunError
from simulate.inference import Settings
from simulate.results import Run

SETTINGS = Settings(draws=500, tune=7, chains=2, seed=3)
REFERRING = MINIMAL.replace(
    'gpu_hours = { interval = [2e6, 3e6], unit = "GPU-hour", note = "made up for the tests" }',
    """active_parameters = "37e9 parameter"
tokens = "14.8T token"
mfu = { reference = "training_runs", architecture = "moe", note = "made up" }
note = "made up"
""",
).replace("rental_rate", 'peak_flops = "989.4e12 FLOP/second/GPU"\nrental_rate')

pytestmark = pytest.mark.sampling


@pytest.fixture
def make(write, tmp_path):
    """Make a run of a text; ``texts`` are further files beside it."""

    def make(text: str = MINIMAL, settings: tuple[str, ...] = (), sampling: Settings = SETTINGS, **more: Any) -> Run:
        priors = loading.load(write(text, "lab/prior.toml"), settings)
        return pipeline.run(priors, sampling, out=tmp_path / "results", figures=(), **more)

    return make


def sign(run: Run, change: Mapping[str, Any]) -> Run:
    """Return a run whose manifest and files were changed by one who knows how to sign them."""
    manifest = {**run.manifest, **change, "files": results.checksums(run.folder)}
    (run.folder / "manifest.json").write_text(json.dumps(results.signed(manifest)))
    return results.load(run.folder)


def older(run: Run, **sampling: Any) -> Run:
    """Return a run as if it were made on an older NumPy, with other draws where the seed is changed."""
    versions = {**run.manifest["versions"], "numpy": "1.0"}
    return sign(run, {"versions": versions, "sampling": {**run.manifest["sampling"], **sampling}})


def invoke(run: Run, *options: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.main, ["reproduce", str(run.folder), *options])
    return done.exit_code, done.stdout, done.stderr


def altered(run: Run, variable: str) -> Run:
    """Return a run with the last bit of one draw changed, and signed."""
    tree = run.tree().load()
    tree.close()
    values = tree["posterior"][variable].values
    values[1, 17] = np.nextafter(values[1, 17], np.inf)
    results.write_tree(run.folder, tree)
    return sign(run, {})


# ---------------------------------------------------------------------------------------------
# On the same versions


def test_the_same_comes_out_on_the_same_versions(make):
    code, printed, error = invoke(make())
    assert (code, error) == (0, "")
    assert printed.endswith("the same: every draw is identical, bit for bit, and so is summary.csv\n")
    assert re.search(r"^versions +the same$", printed, re.MULTILINE)


def test_the_folder_is_all_that_is_needed(make, tmp_path, monkeypatch):
    run = make(REFERRING)
    shutil.move(run.folder, tmp_path / "handed over")
    shutil.rmtree(tmp_path / "lab")
    monkeypatch.setattr(layers, "shipped_folder", lambda: tmp_path / "nowhere")
    assert reproduction.reproduce(results.load(tmp_path / "handed over")).identical


@pytest.mark.parametrize(
    ("settings", "sampling", "more"),
    [
        (("runs.base.gpu_hours=2e6 to 5e6", 'chips.h800.rental_rate="2 to 3"'), SETTINGS, {}),
        ((), Settings(draws=20, chains=3, seed=9, prior_only=True), {}),
        ((), SETTINGS, {"probability": 0.5}),
    ],
)
def test_what_was_asked_of_the_run_is_asked_again(make, settings, sampling, more):
    found = reproduction.reproduce(make(settings=settings, sampling=sampling, **more))
    assert found.identical
    assert found.same


def test_a_sampled_run_comes_out_the_same_but_for_the_time_it_took(make):
    found = reproduction.reproduce(make(FULL, sampling=Settings(draws=50, tune=100, chains=2)))
    assert found.identical
    assert found.compared > 100


def test_one_bit_of_one_draw_is_noticed_and_the_variable_named(make):
    code, printed, error = invoke(altered(make(), "final_run"))
    assert code == 1
    assert "NOT THE SAME: on the same versions, posterior/final_run should be identical" in printed
    assert "made again, it is not the same" in error


def test_a_summary_that_is_not_the_same_to_the_byte_is_noticed(make):
    run = make()
    path = run.folder / "summary.csv"
    path.write_bytes(path.read_bytes() + b"\n")
    code, printed, _ = invoke(sign(run, {}))
    assert (code, "on the same versions, summary.csv should be identical" in printed) == (1, True)


def test_other_draws_on_the_same_versions_are_not_the_same_however_close(make):
    run = make()
    found = reproduction.reproduce(sign(run, {"sampling": {**run.manifest["sampling"], "seed": 4}}))
    assert (found.agreeing, found.same) == (True, False)


# ---------------------------------------------------------------------------------------------
# On other versions


def test_on_other_versions_the_same_draws_are_the_same_and_the_versions_named(make):
    code, printed, _ = invoke(older(make()))
    assert code == 0
    assert f"numpy 1.0 → {np.__version__}" in printed
    assert "the same, on other versions (numpy): every draw is identical" in printed


def test_on_other_versions_other_draws_are_the_same_within_their_monte_carlo_error(make):
    code, printed, error = invoke(older(make(), seed=4))
    assert (code, error) == (0, "")
    assert "the same within Monte Carlo error, on other versions (numpy): " in printed
    assert "6 comparisons, 1 % false alarms" in printed


@pytest.mark.parametrize(("end", "far", "same"), [("upper", 2.0, True), ("upper", 8.0, False), ("median", 8.0, False)])
def test_an_end_that_moved_beyond_chance_is_named(make, end, far, same):
    run = older(make(), seed=4)
    scopes = json.loads(json.dumps(run.manifest["scopes"]))
    now = reproduction.reproduce(run).run.manifest["scopes"]["final_run"]
    scopes["final_run"][end] = now[end] + far * np.hypot(now[f"mcse_{end}"], now[f"mcse_{end}"])
    found = reproduction.reproduce(sign(run, {"scopes": scopes}))
    assert found.same is same
    assert found.largest.end == end or same


def test_the_limit_is_that_of_a_normal_with_all_comparisons_taken_together(make):
    found = reproduction.reproduce(make())
    assert len(found.shifts) == 6
    assert found.limit == pytest.approx(3.1440, abs=1e-4)  # two-sided normal quantile of 0.01 / 6


def test_a_difference_is_counted_in_combined_monte_carlo_errors():
    assert reproduction.Shift("x", "median", "USD", 10.0, 20.0, 3.0, 4.0).z == 2.0
    assert reproduction.Shift("x", "median", "USD", 10.0, 10.0, 0.0, 0.0).z == 0.0
    assert reproduction.Shift("x", "median", "USD", 10.0, 11.0, 0.0, 0.0).z == np.inf


def test_a_scope_that_is_missing_or_in_another_unit_is_not_the_same(make):
    run = older(make(), seed=4)
    scopes = dict(run.manifest["scopes"])
    more = {"hardware": scopes["final_run"], "official_runs": {**scopes["official_runs"], "unit": "EUR"}}
    found = reproduction.reproduce(sign(run, {"scopes": {**scopes, **more}}))
    assert found.lost == ("official_runs is in USD, not in EUR", "hardware is missing")
    assert not found.same


def test_intervals_of_draws_that_have_not_converged_are_not_shown_to_be_the_same(make):
    run = older(make(), seed=4)
    verdict = {**run.manifest["verdict"], "converged": False}
    code, printed, _ = invoke(sign(run, {"verdict": verdict}))
    assert code == 1
    assert "it has not converged, so its Monte Carlo errors are not to be trusted" in printed


def test_a_setting_that_the_run_does_not_state_is_said_to_be_assumed(make):
    run = make()
    sampling = {key: value for key, value in run.manifest["sampling"].items() if key != "target_accept"}
    assert "target_accept, by default" in invoke(sign(run, {"sampling": sampling}))[1]


# ---------------------------------------------------------------------------------------------
# What cannot be made again


def test_a_run_whose_prior_files_no_longer_load_is_named_with_their_faults(make):
    run = make()
    (run.folder / "priors/prior.toml").write_text(MINIMAL.replace("chip = ", "chips = "))
    code, printed, error = invoke(sign(run, {}))
    assert (code, printed) == (1, "")
    assert f"{run.folder}: cannot be made again: its prior files do not load" in error
    assert "runs.base.chips: unknown key" in error


def test_prior_files_that_are_not_those_of_the_run_are_noticed(make):
    run = make()
    (run.folder / "priors/prior.toml").write_text(MINIMAL.replace("3.0]", "3.5]"))
    with pytest.raises(RunError, match="are not those that it was made of"):
        reproduction.reproduce(sign(run, {}))


def test_another_digest_on_other_versions_is_one_more_difference(make):
    found = reproduction.reproduce(sign(older(make()), {"digest": "0" * 64}))
    assert set(found.versions) == {"numpy", "digest"}


def test_a_run_without_its_prior_file_is_named(make):
    run = make()
    (run.folder / "priors/prior.toml").unlink()
    with pytest.raises(RunError, match="holds no prior file 'prior'"):
        reproduction.reproduce(sign(run, {}))


def test_a_run_in_another_format_is_named(make):
    assert "its format is 0, and simulate" in invoke(sign(make(), {"format": 0}))[2]


def test_a_pool_is_sent_to_its_members_with_the_commands_that_make_it_again(make, tmp_path):
    runs = [make(), make(MINIMAL.replace("3.0]", "6.0]"))]
    settings, out = Settings(seed=5), tmp_path / "results"
    pooled = pooling.pool(pooling.members([3, 1], runs), settings, out=out, probability=0.8, figures=())
    code, _, error = invoke(pooled)
    *members, command = [line.split()[1:] for line in error.splitlines()[1:]]
    assert (code, members) == (1, [["reproduce", str(run.folder)] for run in runs])
    done = CliRunner().invoke(cli.main, [*command, "--out", str(out), "--no-figures", "--quiet"])
    assert Path(done.stdout.strip(), "summary.csv").read_bytes() == (pooled.folder / "summary.csv").read_bytes()


@pytest.mark.parametrize("change", [{"sampling": {}}, {"scopes": {}}, {"settings": None}, {"created": "then"}])
def test_a_manifest_that_does_not_say_how_the_run_was_made_is_damage(make, change):
    with pytest.raises(DamagedRunError, match="does not say how the run was made"):
        reproduction.recipe(sign(make(), change))


def test_a_setting_that_is_no_number_is_damage(make):
    run = make()
    with pytest.raises(DamagedRunError):
        reproduction.recipe(sign(run, {"sampling": {**run.manifest["sampling"], "draws": "many"}}))


def test_a_damaged_run_is_not_made_again(make):
    run = make()
    (run.folder / "summary.md").unlink()
    assert "summary.md: missing" in invoke(run)[2]


# ---------------------------------------------------------------------------------------------
# The new run, and what is printed


def test_the_new_run_is_not_kept(make, tmp_path, monkeypatch):
    run = make()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    assert reproduction.reproduce(run).kept is None
    assert list((tmp_path / "temporary").iterdir()) == []
    assert len(results.runs(tmp_path / "results")) == 1


def test_the_new_run_is_kept_where_it_is_asked_for(make, tmp_path):
    code, printed, _ = invoke(make(), "--keep", "--out", str(tmp_path / "kept"))
    [kept] = results.runs(tmp_path / "kept")
    assert code == 0
    assert str(kept) in printed
    assert results.load(kept)


def test_the_object_for_machines_says_what_the_words_say(make):
    code, printed, _ = invoke(older(make(), seed=4), "--json")
    found = json.loads(printed)
    assert (code, found["same"], found["identical"], found["again"]) == (0, True, False, None)
    assert found["versions"] == {"numpy": {"before": "1.0", "now": np.__version__}}
    assert [(one["scope"], one["end"]) for one in found["intervals"]][:2] == [
        ("final_run", "median"),
        ("final_run", "lower"),
    ]
    assert "posterior/final_run" in found["differing"]


def test_text_of_a_manifest_cannot_act_on_the_terminal(make):
    run = make()
    versions = {**run.manifest["versions"], "numpy": "\x1b[2J1.0"}
    printed = invoke(sign(run, {"versions": versions}))[1]
    assert "\x1b" not in printed
    assert "?[2J1.0" in printed


@pytest.mark.parametrize("name", ["prior", "prior.txt"])
def test_a_prior_file_of_any_ending_is_found_in_the_folder(write, tmp_path, name):
    write(MINIMAL.replace('title = "One run at a rental rate"', ""), "lab/prior.toml")
    text = 'schema = 1\ntitle = "One run at a rental rate"\nextends = ["prior.toml"]\n'
    priors = loading.load(write(text, f"lab/{name}"))
    run = pipeline.run(priors, SETTINGS, out=tmp_path / "results", figures=())
    assert reproduction.main_file(run.folder, "prior") == Path(run.folder, "priors", name)
    assert reproduction.reproduce(run).identical


@pytest.mark.parametrize("bases", ['"link.toml"', '"sub/../real.toml"', '"real.toml", "link.toml"'])
def test_a_base_is_found_in_the_folder_by_the_name_that_the_file_gives_it(write, make, tmp_path, bases):
    real = write(MINIMAL.replace('title = "One run at a rental rate"', ""), "lab/real.toml")
    (tmp_path / "lab/link.toml").symlink_to(real)
    (tmp_path / "lab/sub").mkdir()
    run = make(f'schema = 1\ntitle = "One run at a rental rate"\nextends = [{bases}]\n')
    assert reproduction.reproduce(run).identical
