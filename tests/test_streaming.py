"""Prior draws that are too many to keep are summarised as if they had been kept."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import FULL, MINIMAL

from simulate import cli, inference, pipeline, report, reproduction, results, streaming, summary
from simulate.errors import InputError, SimulateError
from simulate.inference import Settings

SETTINGS = Settings(draws=5_000, chains=2, seed=3, prior_only=True)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Stream ten thousand draws in a dozen blocks, as if they were a hundred million."""
    for name, value in {"MOST_IN_MEMORY": 3000, "KEPT": 800, "FIRST_BLOCK": 300, "BLOCK": 1000, "BATCH": 400}.items():
        monkeypatch.setattr(streaming, name, value)


def everything(priors, settings=SETTINGS):
    """Return all draws of a stream by variable, made again and kept."""
    kept = inference.prior(priors, dataclasses.replace(settings, draws=streaming.KEPT // settings.chains))
    groups = [kept]
    for number, size in streaming.blocks(settings.chains * settings.draws - streaming.KEPT):
        groups += streaming.block(priors, settings.seed, number, size)
    each = [[np.ravel(values) for *_, values in summary.variables(priors, group)] for group in groups]
    return [np.concatenate(parts) for parts in zip(*each, strict=True)]


def test_the_summary_is_that_of_all_draws(load):
    priors = load(FULL)
    rows = streaming.stream(priors, SETTINGS, 0.8).rows
    for row, values in zip(rows, everything(priors), strict=True):
        expected = np.quantile(values, [0.05, 0.5, 0.95, (1 - 0.8) / 2, (1 + 0.8) / 2]).tolist()
        assert [row.p5, row.p50, row.p95, row.lower, row.upper] == expected, row.name
        assert (row.mean, row.sd) == pytest.approx((values.mean(), values.std(ddof=1)), rel=1e-12), row.name


def test_errors_of_mean_and_spread_are_those_of_independent_draws(load):
    row = streaming.stream(load(MINIMAL), SETTINGS, 0.9).rows[-1]
    values = everything(load(MINIMAL))[-1]
    fourth = ((values - values.mean()) ** 4).mean()
    assert row.mcse_mean == pytest.approx(values.std(ddof=1) / 100)
    assert row.mcse_sd == pytest.approx(math.sqrt((fourth - values.var() ** 2) / (4 * values.var() * 10_000)))


def test_the_number_of_cores_changes_nothing(load):
    one, three = (streaming.stream(load(FULL), dataclasses.replace(SETTINGS, cores=n), 0.9) for n in (1, 3))
    assert str(one.rows) == str(three.rows)  # as text, in which what is no number equals itself


def test_a_log_normal_cost_has_its_closed_form(load):
    final_run = next(row for row in streaming.stream(load(MINIMAL), SETTINGS, 0.9).rows if row.variable == "final_run")
    middle = math.log(math.sqrt(1.5 * 3.0) * math.sqrt(2e6 * 3e6))
    spread = math.hypot(math.log(3.0 / 1.5), math.log(3e6 / 2e6)) / 2
    for chance, found, error in (("p5", final_run.p5, final_run.mcse_p5), ("p50", final_run.p50, final_run.mcse_p50)):
        assert abs(found - math.exp(middle - spread * (chance == "p5"))) < 5 * error


def test_the_draws_kept_are_those_of_a_run_of_that_many(load):
    streamed = streaming.stream(load(FULL), SETTINGS, 0.9)
    alone = inference.prior(load(FULL), dataclasses.replace(SETTINGS, draws=400))
    assert np.array_equal(streamed.kept.quantities["company"], alone.quantities["company"])


def test_quantiles_that_were_missed_are_found_by_drawing_again(load, monkeypatch):
    expected = streaming.stream(load(MINIMAL), SETTINGS, 0.9).rows
    monkeypatch.setattr("simulate.quantiles.FEWEST", 10)
    monkeypatch.setattr(streaming, "SLACK", 0.001)
    found = streaming.stream(load(MINIMAL), SETTINGS, 0.9).rows
    assert [row.p50 for row in found] == [row.p50 for row in expected]


def test_claims_lie_where_all_draws_put_them(load):
    priors = load(FULL)
    standing = streaming.stream(priors, SETTINGS, 0.9).standings[0]
    names = [row.name for row in streaming.stream(priors, SETTINGS, 0.9).rows]
    hardware = everything(priors)[names.index("hardware")]
    assert standing.percentile == pytest.approx(100 * (hardware < 6.0e8).mean(), abs=1e-9)


def test_draws_beyond_all_reason_are_no_result(load, monkeypatch, tmp_path):
    monkeypatch.setattr(streaming, "LARGEST", 1e7)
    run = pipeline.run(load(MINIMAL), SETTINGS, out=tmp_path, figures=())
    assert not run.converged
    assert "final_run beyond all reason" in report.terminal(run.manifest)


def test_a_file_without_evidence_has_the_same_rows_before_and_after(load, tmp_path):
    settings = dataclasses.replace(SETTINGS, prior_only=False)
    run = pipeline.run(load(MINIMAL), settings, out=tmp_path, figures=())
    before, after = ([row["p95"] for row in run.summary() if row["group"] == one] for one in ("prior", "posterior"))
    assert before == after
    assert {"prior", "posterior", "log_prior"} <= set(run.tree().children)


def test_a_streamed_run_says_how_many_draws_it_has_kept(load, tmp_path):
    run = pipeline.run(load(FULL), SETTINGS, out=tmp_path, figures=())
    assert {row["draws"] for row in run.summary()} == {"10000"}
    assert run.tree()["prior"].sizes == {"chain": 2, "draw": 400, "chip": 2, "run": 2}
    assert run.manifest["sampling"]["kept"] == 800
    assert "10,000 draws (800 kept)" in run.report()
    assert "order statistics of them all" in run.report()


@pytest.mark.sampling
def test_a_streamed_run_can_be_made_again_shown_drawn_and_compared(load, tmp_path):
    run = pipeline.run(load(FULL), SETTINGS, out=tmp_path, figures=())
    assert reproduction.reproduce(results.load(run.folder)).identical
    for command in (["show"], ["verify"], ["plot"], ["compare"], ["sensitivity", "--no-refits"]):
        done = CliRunner().invoke(cli.main, [command[0], str(run.folder), *command[1:], "--out", str(tmp_path)])
        assert (done.exit_code, done.exception) == (0, None), (command, done.output)
        if command[0] == "compare":
            assert "has kept 800 of its 10,000 draws" in done.stdout


def test_a_streamed_run_is_no_member_of_a_pool(load, tmp_path):
    from simulate import pooling

    run = pipeline.run(load(FULL), SETTINGS, out=tmp_path, figures=())
    with pytest.raises(InputError, match="has kept 800 of its 2 × 5000 draws alone"):
        pooling.check(["a"], [run], SETTINGS)


def test_more_draws_than_a_sampled_run_keeps_are_refused_before_anything_is_drawn(load, tmp_path):
    with pytest.raises(SimulateError, match=r"has 2 pieces of evidence.*or --prior-only"):
        pipeline.run(load(FULL), Settings(draws=200_001), out=tmp_path)
    assert not list(tmp_path.glob("*/*/*"))


def test_the_command_line_takes_any_number_of_draws(write, tmp_path):
    arguments = ["run", "--priors", str(write(FULL)), "--prior-only", "--draws", "5000", "--no-figures", "--json"]
    done = CliRunner().invoke(cli.main, [*arguments, "--out", str(tmp_path)])
    assert json.loads(done.stdout)["diagnostics"] == {"method": "exact", "reasons": [], "draws": 20_000, "kept": 800}
