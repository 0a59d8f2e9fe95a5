"""The main job, end to end: from a prior file through the command line to a run folder."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import FULL

REPOSITORY = Path(__file__).parent.parent
SCOPES = [
    "final_run", "official_runs", "research_compute", "development", "hardware", "operations", "ownership", "company",
]  # fmt: skip
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
pytestmark = pytest.mark.sampling


def start(*arguments: str, **options) -> subprocess.Popen[str]:
    program = "from simulate.cli import main; main(prog_name='simulate')"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", program, "run", *arguments]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run of the main job: (printed object, its folder, standard error)."""
    out = tmp_path_factory.mktemp("results")
    code, printed, err = finish(start("--priors", "priors/semianalysis.toml", "--json", "--out", str(out)))
    assert code == 0, err
    found = json.loads(printed)
    return found, Path(found["run"]), err


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A run of what DeepSeek itself published."""
    out = tmp_path_factory.mktemp("results")
    code, printed, err = finish(start("--priors", "priors/deepseek-reported.toml", "--json", "--out", str(out)))
    assert code == 0, err
    return json.loads(printed)


@pytest.fixture(scope="module")
def tree(done):
    import arviz as az

    return az.from_netcdf(done[1] / "posterior.nc").load()


def test_the_main_job_converges_and_gives_every_scope(done):
    printed = done[0]
    assert printed["converged"] is True
    assert list(printed["scopes"]) == SCOPES
    keys = {"median", "lower", "upper", "probability", "kind", "unit", "basis"}
    assert all(set(scope) == keys and scope["unit"] == "USD" for scope in printed["scopes"].values())
    assert all(scope["lower"] < scope["median"] < scope["upper"] for scope in printed["scopes"].values())


def test_the_table_of_the_readme_is_what_one_gets(done):
    scopes = json.loads((done[1] / "manifest.json").read_text())["scopes"]
    block = re.search(r"<!-- output: .*?```text\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)[1]
    shown = {line.split()[0]: re.findall(r"\$([\d.]+)(bn|M)", line) for line in block.splitlines() if "$" in line}
    assert list(shown) == SCOPES
    for name, figures in shown.items():
        for key, (digits, scale) in zip(("median", "lower", "upper"), figures, strict=True):
            place = (
                10.0 ** -len(digits.partition(".")[2])
                if "." in digits
                else 10.0 ** (len(digits.rstrip("0")) < len(digits))
            )
            unit = {"M": 1e6, "bn": 1e9}[scale]
            far = abs(float(digits) * unit - scopes[name][key])
            assert far < 0.5 * place * unit + 8 * scopes[name][f"mcse_{key}"], (name, key)


def test_nothing_but_the_object_is_printed_in_a_pipe(done):
    assert done[2] == ""


def test_the_disputed_facts_have_posterior_probabilities(done):
    facts = done[0]["facts"]
    assert set(facts) == {"fleet.h100.exists", "fleet.h20.exists"}
    assert all(0 < probability < 1 for probability in facts.values())


def test_the_tree_has_the_groups_that_arviz_works_on(tree):
    wanted = {"posterior", "prior", "prior_predictive", "posterior_predictive", "observed_data", "log_likelihood"}
    assert wanted | {"log_prior", "sample_stats", "constant_data"} <= set(tree.children)


def test_every_variable_of_the_tree_has_a_unit_and_a_name(tree):
    for group in ("posterior", "prior"):
        assert all(v.attrs["units"] and v.attrs["long_name"] for v in tree[group].data_vars.values())


def test_the_draws_satisfy_the_ledger(tree):
    posterior = tree["posterior"]
    assert np.allclose(posterior["ownership"], posterior["hardware"] + posterior["operations"])
    final = posterior["run_cost"].sel(run=["v3-pretraining", "v3-context", "v3-post-training"]).sum("run")
    assert np.allclose(posterior["final_run"], final)
    assert np.allclose(posterior["research_compute"], posterior["research.multiplier"] * posterior["official_runs"])


def test_the_ladder_is_ordered_in_every_draw(tree):
    posterior = tree["posterior"]
    rungs = ["final_run", "official_runs", "research_compute", "development"]
    assert all((posterior[a] < posterior[b]).all() for a, b in itertools.pairwise(rungs))


def test_what_is_printed_is_what_the_draws_say(done, tree):
    for name, scope in done[0]["scopes"].items():
        quantiles = tree["posterior"][name].quantile([0.05, 0.5, 0.95]).to_numpy()
        assert np.allclose(quantiles, [scope["lower"], scope["median"], scope["upper"]], rtol=1e-12)


def test_the_summary_holds_every_variable_of_both_groups_with_its_errors(done, tree):
    with (done[1] / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    for group in ("posterior", "prior"):
        names = {row["variable"] for row in rows if row["group"] == group}
        assert names == set(tree[group].data_vars)
    ownership = next(row for row in rows if row["variable"] == "ownership" and row["group"] == "posterior")
    assert 0 < float(ownership["mcse_p95"]) < float(ownership["sd"])


def test_arviz_finds_what_the_evidence_moves_and_what_it_does_not(tree):
    import arviz as az

    found = az.psense_summary(tree, var_names=["runs.v3-pretraining.mfu", "staff"])["likelihood"]
    assert found["runs.v3-pretraining.mfu"] > 5 * found["staff"]


@pytest.mark.parametrize(
    ("plot", "options"),
    [
        ("plot_ppc_interval", {"var_names": ["log_claims"]}),
        ("plot_rank_dist", {"var_names": ["ownership"]}),
        ("plot_prior_posterior", {"var_names": ["ownership"]}),
        ("plot_forest", {"var_names": ["ownership", "company"]}),
        ("plot_energy", {}),
    ],
)
def test_arviz_draws_the_run_with_no_help(tree, plot, options):
    import arviz as az

    thinned = tree.isel(draw=slice(None, None, 20))
    assert getattr(az, plot)(thinned, backend="none", **options) is not None


def test_the_run_keeps_the_exact_prior_files_and_its_checksums(done):
    folder = done[1]
    for name in ("semianalysis.toml", "common/hardware.toml", "common/hosting.toml"):
        assert (folder / "priors" / name).read_bytes() == (REPOSITORY / "priors" / name).read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {"posterior.nc", "summary.csv", "summary.md", "figures/ladder.png"} <= set(manifest["files"])
    assert {"pymc", "arviz", "numpy", "python"} <= set(manifest["versions"])
    assert manifest["sampling"]["sampler"] == "nutpie NUTS"


def test_the_same_seed_gives_the_same_summary_twice_and_at_once(done, tmp_path):
    arguments = ("--priors", "semianalysis", "--no-figures", "--quiet", "--again", "--out", str(tmp_path))
    both = [start(*arguments), start(*arguments)]
    folders = [Path(finish(process)[1].strip()) for process in both]
    assert folders[0] != folders[1]
    texts = {(folder / "summary.csv").read_bytes() for folder in (*folders, done[1])}
    assert len(texts) == 1


@pytest.mark.skipif(len(CORES) < 2, reason="there is one core, or no way to keep a process to one")
def test_one_core_and_two_give_the_same_summary_to_the_byte(tmp_path):
    short = ("--draws", "200", "--tune", "300", "--no-figures", "--quiet", "--priors", "semianalysis")
    both = [
        start(
            *short,
            *("--out", str(tmp_path / str(number))),
            preexec_fn=lambda number=number: os.sched_setaffinity(0, CORES[:number]),
        )
        for number in (1, 2)
    ]
    folders = [Path(finish(process)[1].strip()) for process in both]
    assert len({(folder / "summary.csv").read_bytes() for folder in folders}) == 1


def test_a_run_that_has_not_converged_says_so_everywhere_and_exits_3(tmp_path):
    short = ("--draws", "20", "--tune", "100", "--out", str(tmp_path))
    code, printed, err = finish(start("--priors", "semianalysis", *short))
    assert code == 3
    folder = Path(printed.split("run: ")[1].strip())
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["verdict"]["converged"] is False
    captions = [path.read_text() for path in (folder / "figures").glob("*.txt")]
    texts = [printed, err.upper(), (folder / "summary.md").read_text(), *captions]
    assert len(captions) > 3
    assert all("NOT CONVERGED" in text for text in texts)


def test_an_interrupted_run_exits_130_and_leaves_nothing(tmp_path):
    process = start("--priors", "semianalysis", "--draws", "100000", "--out", str(tmp_path), start_new_session=True)
    time.sleep(12)
    os.killpg(process.pid, signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130
    assert "Traceback" not in err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_fleet_that_may_not_exist_can_be_tested_against_the_research_it_must_hold(tmp_path):
    starter = (REPOSITORY / "simulate" / "starter.toml").read_text()
    disputed = 'exists = { probability = 0.5, note = "who says so, and who denies it" }'
    (tmp_path / "lab.toml").write_text(starter.replace(f"# {disputed}", disputed))
    arguments = ("--priors", str(tmp_path / "lab.toml"), "--json", "--no-figures", "--out", str(tmp_path))
    code, printed, err = finish(start(*arguments))
    assert (code, err) == (0, "")
    assert json.loads(printed)["facts"]["fleet.h100.exists"] > 0.99


def test_the_output_of_a_prior_only_run_says_that_evidence_was_left_out(tmp_path):
    arguments = ("--priors", "semianalysis", "--prior-only", "--no-figures", "--out", str(tmp_path))
    _, printed, _ = finish(start(*arguments))
    assert "8 pieces of evidence left out" in printed
    assert "posterior" not in printed.lower()


def test_what_deepseek_printed_adds_up(reported):
    scopes = reported["scopes"]
    assert scopes["final_run"]["median"] == pytest.approx(5_576_000, rel=1e-3)
    assert scopes["official_runs"]["median"] == pytest.approx(5_870_000, rel=1e-3)
    assert list(scopes) == ["final_run", "official_runs"]


def test_the_rounding_of_what_was_printed_is_all_the_interval_there_is(reported):
    scope = reported["scopes"]["final_run"]
    # 2,648K to 2,680K hours of pre-training, 118.5K to 119.5K of context extension, 4.5K to 5.5K of post-training
    assert 0 < scope["upper"] - scope["lower"] < 2.0 * (32_000 + 1_000 + 1_000)


def test_a_wider_interval_is_asked_for_by_its_probability(tmp_path, reported):
    arguments = (
        "--priors",
        "deepseek-reported",
        "--json",
        "--no-figures",
        "--out",
        str(tmp_path),
        "--probability",
        "0.99",
    )
    wide = json.loads(finish(start(*arguments))[1])["scopes"]["final_run"]
    assert wide["probability"] == 0.99
    assert wide["lower"] < reported["scopes"]["final_run"]["lower"]


def test_a_prior_only_run_leaves_the_evidence_out(tmp_path, done):
    arguments = ("--priors", "semianalysis", "--prior-only", "--json", "--no-figures", "--out", str(tmp_path))
    code, printed, _ = finish(start(*arguments))
    found = json.loads(printed)
    assert code == 0
    assert found["facts"] == {"fleet.h100.exists": 0.5, "fleet.h20.exists": 0.7}
    prior, posterior = (x["scopes"]["hardware"] for x in (found, done[0]))
    assert prior["upper"] - prior["lower"] > posterior["upper"] - posterior["lower"]


def test_a_setting_changes_one_entry_of_the_run(tmp_path):
    arguments = ("--priors", "semianalysis", "--prior-only", "--json", "--no-figures", "--out", str(tmp_path))
    half = json.loads(finish(start(*arguments, "--set", "scope.horizon=2"))[1])["scopes"]["operations"]
    full = json.loads(finish(start(*arguments))[1])["scopes"]["operations"]
    assert half["median"] == pytest.approx(full["median"] / 2)


def test_show_prints_the_tables_that_the_run_printed(tmp_path):
    code, printed, err = finish(start("--priors", "deepseek-reported", "--out", str(tmp_path)))
    assert code == 0, err
    program = "from simulate.cli import main; main(prog_name='simulate')"
    show = [sys.executable, "-c", program, "show", "deepseek-reported", "--out", str(tmp_path)]
    shown = subprocess.run(show, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert shown.stdout == printed


def test_the_first_run_after_an_installation_gives_the_numbers_of_the_next(tmp_path):
    (tmp_path / "full.toml").write_text(FULL)
    environment = {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={tmp_path / 'cache'}"}
    short = ["--draws", "20", "--tune", "100", "--no-extend", "--no-figures", "--again", "--quiet"]
    summaries = []
    for _ in range(2):
        program = "from simulate.cli import main; main()"
        command = [sys.executable, "-c", program, "run", "--priors", "full.toml", *short]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        summaries.append((tmp_path / done.stdout.strip() / "summary.csv").read_bytes())
    assert summaries[0] == summaries[1]
