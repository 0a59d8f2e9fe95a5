"""Calibration by simulation: what is right passes, what is wrong is caught, and what is done stays done."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import MINIMAL
from scipy import stats
from scipy.special import logsumexp

from simulate import (
    calibration,
    calibration_report,
    calibration_run,
    cli,
    density,
    evidence,
    inference,
    journal,
    loading,
    pipeline,
    propagation,
)
from simulate.calibration import Calibration, Fit, Fitter, Plan
from simulate.errors import DamagedRunError, RunError, SimulateError
from simulate.workforce import Local

pytestmark = pytest.mark.sampling

REPOSITORY = Path(__file__).parent.parent

ONE = MINIMAL.replace("{ interval = [1.5, 3.0], unit", "{ value = 2, unit")
"""One unknown, the hours of a run, and a fixed price."""


def claim(name: str, value: float, kind: str = "estimate", error: float = 0.3, more: str = "") -> str:
    return (
        f'\n[evidence.{name}]\nquantity = "final_run"\nkind = "{kind}"\nvalue = {value!r}\n'
        f'relative_error = {error!r}\nunit = "USD"\nnote = "made up"\n{more}\n'
    )


ESTIMATED = ONE + claim("c", 5e6, error=0.2)
BOUNDED = (
    ESTIMATED
    + claim("low", 4.6e6, "floor", more='group = "g"')
    + claim("lower", 4.2e6, "floor", 0.4, more='group = "g"')
    + claim("high", 5.6e6, "ceiling")
)
DISPUTED = """
schema = 1
title = "A fleet that may not exist"
[chips.a]
server_cost = { interval = [20e3, 40e3], unit = "USD/GPU", note = "made up" }
[fleet.a]
count = { value = 1000, unit = "GPU", note = "made up" }
exists = { probability = 0.6, note = "disputed" }
[chips.b]
server_cost = { value = 30e3, unit = "USD/GPU", note = "made up" }
[fleet.b]
count = { value = 500, unit = "GPU", note = "made up" }
exists = { probability = 0.5, note = "disputed" }
""" + claim("capex", 4e7, error=0.5).replace("final_run", "hardware")

PLAN = Plan(ranked=19, draws=38, tune=100, doublings=0)
FITS = 120
UNLIKELY = 1e-3
"""A calibrated sampler fails a test here in one of a thousand seeds."""

GRID = np.linspace(-8, 8, 2001)


def load(tmp_path: Path, text: str, name: str = "prior"):
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    return loading.load(path)


def exact(priors) -> calibration.Sampler:
    """Return what draws from the posterior of a file with one unknown without a chain, from a grid."""
    states, log_probability = evidence.combinations(priors.facts)
    targets = propagation.log_targets_over(priors, propagation.values(priors, GRID[None]), states)

    def sampler(terms, settings):
        each = evidence.log_likelihood(targets, terms).sum(axis=0)
        log_density = stats.norm.logpdf(GRID) + logsumexp(log_probability + each, axis=-1)
        cumulative = np.cumsum(np.exp(log_density - log_density.max()))
        uniform = inference.stream(settings.seed, "exact").random((1, settings.draws))
        return {priors.informed[0].path: np.interp(uniform, cumulative / cumulative[-1], GRID)}, None

    return sampler


def off_by(factor: float, priors) -> calibration.Sampler:
    """Return what takes the errors of the claims to be ``factor`` of what they are."""
    right = exact(priors)
    return lambda terms, settings: right(dataclasses.replace(terms, scale=factor * terms.scale), settings)


def deaf(priors) -> calibration.Sampler:
    """Return what draws from the prior whatever the evidence."""
    path = priors.informed[0].path

    def sampler(terms, settings):
        return {path: inference.stream(settings.seed, "deaf").standard_normal((1, settings.draws))}, None

    return sampler


def calibrated(priors, sampler, fits: int = FITS) -> Calibration:
    fitter = Fitter(priors, PLAN, sampler)
    found = tuple(fitter.fit(number) for number in range(fits))
    place = calibration_run.place_of(priors, PLAN, Path("results"), pipeline.versions())
    return calibration_run.describe(priors, PLAN, place, found)


def least(found: Calibration) -> float:
    return min(finding.adjusted for finding in found.all_findings)


# ---------------------------------------------------------------------------------------------
# What is right passes


@pytest.mark.parametrize("text", [ESTIMATED, BOUNDED, DISPUTED], ids=["estimate", "bounds", "facts"])
def test_exact_draws_are_calibrated(text, tmp_path):
    priors = load(tmp_path, text)
    assert least(calibrated(priors, exact(priors))) > UNLIKELY


def test_every_unknown_fact_and_scope_is_ranked_and_the_likelihood(tmp_path):
    found = calibration.variables(load(tmp_path, DISPUTED))
    assert found == ("chips.a.server_cost", "fleet.a.exists", "fleet.b.exists", "hardware", "log_likelihood")


def test_what_does_not_vary_is_not_ranked(tmp_path):
    fixed = ONE.replace("{ interval = [2e6, 3e6], unit", "{ value = 2.5e6, unit")
    multiplied = fixed + '[research]\nmultiplier = { interval = [2, 5], note = "made up" }\n'
    text = multiplied + claim("c", 2e7).replace("final_run", "research_compute")
    assert calibration.variables(load(tmp_path, text)) == ("research.multiplier", "research_compute", "log_likelihood")


@pytest.mark.parametrize("seed", range(5))
def test_a_truth_is_kept_only_where_every_bound_holds(seed, tmp_path):
    terms = evidence.terms(load(tmp_path, BOUNDED))
    perceived = np.random.default_rng(seed).normal(np.log(5e6), 0.2, (4, 100))
    names = ("c", "low", "lower", "high")
    low, lower, high = (np.exp(perceived[names.index(name)]) for name in names[1:])
    expected = (low >= 4.6e6) & (lower >= 4.2e6) & (high <= 5.6e6)
    assert (calibration.bounds_hold(perceived, terms) == expected).all()


def test_estimates_are_simulated_and_bounds_stay_as_they_are_stated(tmp_path):
    priors = load(tmp_path, BOUNDED)
    stated, heard = evidence.terms(priors), calibration.simulated(priors, np.random.default_rng(1)).terms
    changed = stated.log_value != heard.log_value
    assert (changed == (stated.sign == 0)).all()


def test_bounds_that_are_ignored_in_the_simulation_are_noticed(tmp_path, monkeypatch):
    priors = load(tmp_path, ESTIMATED + claim("low", 5e6, "floor", 0.02))
    monkeypatch.setattr(calibration, "bounds_hold", lambda perceived, terms: np.ones(perceived.shape[1], dtype=bool))
    assert not calibrated(priors, exact(priors)).passed


def test_bounds_that_never_hold_are_an_error_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "MOST_BATCHES", 2)
    priors = load(tmp_path, ONE + claim("c", 1e15, "floor", 0.01))
    with pytest.raises(SimulateError, match="hold together in none of 400 prior draws"):
        calibration.simulated(priors, np.random.default_rng(1))


def test_a_claim_about_what_does_not_exist_is_simulated_as_the_likelihood_hears_it(tmp_path):
    priors = load(tmp_path, DISPUTED)
    drawn = inference.prior(priors, inference.Settings(draws=4000, chains=1, seed=3))
    nothing = (drawn.quantities["hardware"] == 0)[0]
    residual = (drawn.perceived[0, 0, nothing] - np.log(propagation.SMALLEST)) / evidence.terms(priors).scale[0]
    assert nothing.mean() == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / 4000))
    assert stats.kstest(residual, stats.t(priors.df).cdf).pvalue > UNLIKELY


def test_a_figure_for_what_does_not_exist_leaves_no_doubt_that_it_does_not(tmp_path):
    priors = load(tmp_path, DISPUTED)
    fitter = Fitter(priors, PLAN, exact(priors))
    facts = [fitter.fit(number).facts for number in range(40)]
    neither = [found for found in facts if not any(true for true, _ in found.values())]
    assert neither
    assert all(p < 1e-9 for found in neither for _, p in found.values())


# ---------------------------------------------------------------------------------------------
# What is wrong is caught


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_a_likelihood_with_wrong_errors_is_caught(factor, tmp_path):
    priors = load(tmp_path, ESTIMATED)
    found = calibrated(priors, off_by(factor, priors))
    assert found.failed
    assert found.in_words().startswith("NOT CALIBRATED in 120 fits: ")


def test_a_fit_that_has_heard_nothing_is_caught_by_the_likelihood_alone(tmp_path):
    priors = load(tmp_path, ESTIMATED)
    assert calibrated(priors, deaf(priors)).failed == ("log_likelihood",)


def test_a_probability_of_a_fact_that_is_too_low_is_caught(tmp_path):
    priors = load(tmp_path, DISPUTED)
    found = calibrated(priors, exact(priors))
    low = tuple(
        dataclasses.replace(fit, facts={path: (true, p / 2) for path, (true, p) in fit.facts.items()})
        for fit in found.fits
    )
    assert "P(fleet.a.exists)" in dataclasses.replace(found, fits=low).failed


# ---------------------------------------------------------------------------------------------
# Ranks and diagnostics


def test_the_rank_of_a_tie_is_drawn_evenly():
    rng = np.random.default_rng(1)
    ranks = [calibration.rank(1.0, np.array([0.0, 1.0, 1.0, 2.0]), rng) for _ in range(3000)]
    assert stats.chisquare(np.bincount(ranks)[1:]).pvalue > UNLIKELY
    assert set(ranks) == {1, 2, 3}


def test_rounding_makes_no_difference_between_truth_and_draw():
    ranks = {calibration.rank(0.3, np.array([0.1 + 0.2] * 9), np.random.default_rng(seed)) for seed in range(50)}
    assert len(ranks) > 5


def fit(number: int = 0, **changes) -> Fit:
    good = Fit(number, {"a": 5}, {}, {"a": 300.0}, 1.01, "a", 0, 990, 1)
    return dataclasses.replace(good, **changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"r_hat": 1.07}, "R-hat of a is 1.07"),
        ({"ess": {"a": 55.0, "b": 80.0}}, "55 effective draws of a"),
        ({"divergences": 2}, "2 divergent transitions"),
    ],
)
def test_a_poor_fit_is_named_and_still_counted(changes, reason):
    fits = (fit(0), fit(1, **changes), fit(2))
    found = Calibration("x", "X", "0" * 64, Plan(), {}, ("a",), (), (), fits)
    assert found.poor == {1: (reason,)}
    assert found.ranks("a") == [5, 5, 5]
    assert f"1 of the 3 fits have a poor diagnostic, and are counted: 1 ({reason})" in calibration_report.poor_words(
        found
    )


def test_a_chain_that_does_not_move_is_a_poor_fit(tmp_path):
    priors = load(tmp_path, ESTIMATED)
    stuck = np.repeat([[0.0, 1.0]], PLAN.draws // 2, axis=1)
    found = Fitter(priors, PLAN, lambda terms, settings: ({priors.informed[0].path: stuck}, None)).fit(0)
    assert found.r_hat == calibration.STUCK
    assert json.loads(journal.canonical(dataclasses.asdict(found)))["r_hat"] == calibration.STUCK
    assert len(found.reasons(PLAN)) == 2


def test_draws_beyond_all_reason_are_an_error_that_names_them(tmp_path):
    priors = load(tmp_path, ESTIMATED)
    absurd = np.full((1, PLAN.draws), 1e4)
    with pytest.raises(SimulateError, match=r"draws of .*final_run.* beyond all reason in fit 7"):
        Fitter(priors, PLAN, lambda terms, settings: ({priors.informed[0].path: absurd}, None)).fit(7)


def test_a_chain_with_too_few_effective_draws_is_made_anew_and_longer(tmp_path):
    priors, lengths = load(tmp_path, ESTIMATED), []
    right = exact(priors)

    def sticky(terms, settings):
        lengths.append(settings.draws)
        drawn, stats_ = right(terms, dataclasses.replace(settings, draws=settings.draws // 19))
        return {path: np.repeat(z, 19, axis=1) for path, z in drawn.items()}, stats_

    plan = dataclasses.replace(PLAN, draws=190, doublings=2)
    assert Fitter(priors, plan, sticky).fit(1).draws == lengths[-1] > 190
    assert lengths == [190, 380, 760][: len(lengths)]


# ---------------------------------------------------------------------------------------------
# Any order, and going on


@pytest.fixture
def priors(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "sampler", exact)
    return load(tmp_path, DISPUTED)


def run(priors, out: Path, fits: int = 8) -> tuple[Calibration, Path]:
    return calibration_run.calibrate(priors, PLAN, fits, out=out)


def test_a_fit_is_the_same_whichever_came_before(priors):
    fitter = Fitter(priors, PLAN, exact(priors))
    forward = [fitter.fit(number) for number in range(4)]
    assert [fitter.fit(number) for number in (3, 2, 1, 0)] == forward[::-1]


def test_another_seed_gives_other_fits(priors):
    other = dataclasses.replace(PLAN, seed=2)
    assert Fitter(priors, PLAN, exact(priors)).fit(0) != Fitter(priors, other, exact(priors)).fit(0)


def test_going_on_gives_what_one_go_gives(priors, tmp_path):
    run(priors, tmp_path / "twice", 3)
    twice, folder = run(priors, tmp_path / "twice")
    once, other = run(priors, tmp_path / "once")
    assert once == twice
    assert (folder / "fits.jsonl").read_bytes() == (other / "fits.jsonl").read_bytes()


def test_what_is_there_is_not_made_again(priors, tmp_path, monkeypatch):
    before, _ = run(priors, tmp_path)
    monkeypatch.setattr(calibration, "sampler", None)
    assert run(priors, tmp_path)[0] == before
    assert len(run(priors, tmp_path, 5)[0].fits) == 5


def test_an_interruption_keeps_what_is_done_and_says_how_much(priors, tmp_path, monkeypatch):
    calls = iter(range(100))

    def stopped(terms, settings):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return exact(priors)(terms, settings)

    monkeypatch.setattr(calibration, "sampler", lambda priors: stopped)
    with pytest.raises(KeyboardInterrupt, match="3 of 8 fits are kept; the same command goes on from there"):
        run(priors, tmp_path / "stopped")
    assert run(priors, tmp_path / "stopped")[0] == run(priors, tmp_path / "once")[0]


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_half_written_last_line_is_made_again(cut, priors, tmp_path):
    before, folder = run(priors, tmp_path)
    content = (folder / "fits.jsonl").read_bytes()
    (folder / "fits.jsonl").write_bytes(content[:-cut])
    assert run(priors, tmp_path)[0] == before
    assert (folder / "fits.jsonl").read_bytes() == content


def test_a_half_written_head_is_begun_anew(priors, tmp_path):
    before, folder = run(priors, tmp_path)
    (folder / "fits.jsonl").write_bytes(b'{"format"')
    assert run(priors, tmp_path)[0] == before


@pytest.mark.parametrize(
    ("line", "damage"),
    [
        (3, lambda line: line.replace(b'"number":1', b'"number":7')),
        (4, lambda line: b"\x00" * len(line)),
        (5, lambda line: b""),
        (6, lambda line: b'{"checksum": 1}'),
        (7, lambda line: b"[" * 100_000),
    ],
)
def test_a_damaged_line_is_named(line, damage, priors, tmp_path):
    _, folder = run(priors, tmp_path)
    lines = (folder / "fits.jsonl").read_bytes().splitlines()
    lines[line - 1] = damage(lines[line - 1])
    (folder / "fits.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(DamagedRunError, match=f"fits.jsonl: line {line} is not a fit as it was written"):
        run(priors, tmp_path)


def test_a_fit_that_is_there_twice_is_noticed(priors, tmp_path):
    _, folder = run(priors, tmp_path)
    content = (folder / "fits.jsonl").read_bytes()
    (folder / "fits.jsonl").write_bytes(content + content.splitlines()[-1] + b"\n")
    with pytest.raises(DamagedRunError, match="there twice"):
        run(priors, tmp_path)


def test_fits_of_another_file_are_refused(priors, tmp_path):
    _, folder = run(priors, tmp_path)
    _, other = run(load(tmp_path, ESTIMATED, "other"), tmp_path)
    shutil.copy(other / "fits.jsonl", folder / "fits.jsonl")
    with pytest.raises(DamagedRunError, match="line 1 is not of this prior file, plan and version"):
        run(priors, tmp_path)


def test_another_seed_version_or_model_has_a_folder_of_its_own(priors, tmp_path, monkeypatch):
    def place(plan: Plan = PLAN) -> Path:
        return calibration_run.place_of(priors, plan, tmp_path, pipeline.versions()).folder

    first, seeded = place(), place(dataclasses.replace(PLAN, seed=2))
    monkeypatch.setattr(evidence, "log_likelihood", lambda targets, terms: targets)
    other = place()
    monkeypatch.setattr(calibration_run, "model_digest", lambda: "another")
    assert len({first, seeded, other, place()}) == 4


def test_two_at_once_are_one_too_many(priors, tmp_path):
    _, folder = run(priors, tmp_path, 2)
    with (folder / "fits.jsonl").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="another calibration is adding to it"):
            run(priors, tmp_path)


def test_a_disk_that_refuses_is_an_error_of_one_line(priors, tmp_path):
    (tmp_path / "calibration").write_text("in the way")
    with pytest.raises(RunError, match="cannot write"):
        run(priors, tmp_path)


def test_a_file_without_evidence_has_nothing_to_calibrate(tmp_path):
    with pytest.raises(SimulateError, match="nothing to calibrate"):
        run(load(tmp_path, MINIMAL), tmp_path)


def test_the_rest_of_the_time_is_told_by_the_fits_made(priors, tmp_path):
    told = []
    calibration_run.calibrate(priors, PLAN, 3, out=tmp_path, progress=lambda *words: told.append(words))
    assert told[0] == ("compiling", 0, 3)
    assert [done for _, done, _ in told] == [0, 1, 2]
    assert told[1][0].startswith("1 of 3 fits, ")


# ---------------------------------------------------------------------------------------------
# Report


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[Calibration, Calibration]:
    """A calibration that passes, and one that does not."""
    priors = load(tmp_path_factory.mktemp("both"), DISPUTED)
    return calibrated(priors, exact(priors)), calibrated(priors, off_by(0.2, priors))


def test_the_verdict_is_everywhere(both, tmp_path):
    for found, word in zip(both, ("calibrated as far as 120 fits can tell", "NOT CALIBRATED"), strict=True):
        calibration_report.save(found, tmp_path)
        assert word in calibration_report.terminal(found)
        texts = [(tmp_path / f"calibration.{ending}").read_text() for ending in ("md", "txt")]
        assert all(word.lower() in text.lower() for text in texts)
        assert json.loads((tmp_path / "calibration.json").read_text())["calibrated"] is found.passed


def test_the_files_of_a_calibration_are_all_there(both, tmp_path):
    calibration_report.save(both[0], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"calibration.{ending}" for ending in ("md", "json", "png", "svg", "txt")
    }


def test_an_older_figure_does_not_stay_beside_newer_numbers(both, tmp_path):
    calibration_report.save(both[0], tmp_path)
    calibration_report.save(both[1], tmp_path, figure=False)
    assert {path.suffix for path in tmp_path.iterdir()} == {".md", ".json"}


def test_the_cells_can_be_of_the_scopes_alone(both):
    header, *rows = calibration_report.cells(both[0], both[0].scopes)
    assert header[:2] == ["variable", "p (rank ECDF)"]
    assert [row[0] for row in rows] == ["hardware"]


def test_the_object_has_the_ranks_and_what_failed(both):
    found = calibration_report.for_machines(both[1])
    assert set(found["failed"]) <= {*found["variables"], *(f"P({path})" for path in found["facts"])}
    assert found["failed"]
    assert len(found["variables"]["hardware"]["ranks"]) == found["fits"] == FITS


@pytest.mark.parametrize(("broken", "code"), [(False, None), (True, 3)])
def test_the_command_prints_the_object_and_exits_with_3_where_it_fails(broken, code, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(calibration, "sampler", (lambda priors: off_by(0.2, priors)) if broken else exact)
    monkeypatch.setattr(pipeline, "cores", lambda: 1)
    (tmp_path / "prior.toml").write_text(ESTIMATED)
    arguments = [
        "--priors",
        str(tmp_path / "prior.toml"),
        "--fits",
        "60",
        "--json",
        "--no-figure",
        "--out",
        str(tmp_path),
    ]
    with pytest.raises(SystemExit) as ended:
        cli.main(["calibrate", *arguments], prog_name="simulate")
    printed = json.loads(capsys.readouterr().out)
    assert (ended.value.code or None) == code
    assert printed["calibrated"] is not broken
    assert (Path(printed["folder"]) / "calibration.md").is_file()


# ---------------------------------------------------------------------------------------------
# With the sampler itself

QUICK = Plan(ranked=39, draws=390, tune=200, doublings=1)


def start(*arguments: str) -> subprocess.Popen[str]:
    program = "from simulate.cli import main; main(prog_name='simulate')"
    command = [sys.executable, "-c", program, "calibrate", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_nuts_is_calibrated_and_a_likelihood_broken_in_the_sampler_alone_is_caught(tmp_path, monkeypatch):
    priors = load(tmp_path, DISPUTED)
    right, _ = calibration_run.calibrate(priors, QUICK, 60, out=tmp_path / "right")
    whole = density.record

    def broken(priors, terms):
        return whole(priors, dataclasses.replace(terms, scale=terms.scale / 5))

    monkeypatch.setattr(density, "record", broken)
    wrong, _ = calibration_run.calibrate(priors, QUICK, 60, out=tmp_path / "wrong")
    assert least(right) > UNLIKELY
    assert {"chips.a.server_cost", "hardware", "log_likelihood"} & set(wrong.failed)


def test_a_fit_by_nuts_depends_on_its_number_alone(tmp_path):
    priors = load(tmp_path, BOUNDED)
    fitter = Fitter(priors, QUICK, calibration.sampler(priors))
    first = fitter.fit(0)
    fitter.fit(5)
    assert fitter.fit(0) == first


def test_two_processes_make_what_one_makes(tmp_path):
    priors = load(tmp_path, DISPUTED)
    one, _ = calibration_run.calibrate(priors, QUICK, 6, out=tmp_path / "one")
    two, _ = calibration_run.calibrate(priors, QUICK, 6, out=tmp_path / "two", by=Local(2))
    assert one == two


def test_ctrl_c_ends_with_130_and_the_next_go_takes_what_is_there(tmp_path):
    (tmp_path / "prior.toml").write_text(DISPUTED)
    arguments = ("--priors", str(tmp_path / "prior.toml"), "--fits", "10000", "--no-figure", "--out", str(tmp_path))
    process = start(*arguments)
    while (before := "".join(path.read_text() for path in tmp_path.glob("calibration/*/fits.jsonl"))).count("\n") < 4:
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    [path] = tmp_path.glob("calibration/*/fits.jsonl")
    assert process.returncode == 130
    assert "fits are kept; the same command goes on from there" in err
    assert path.read_text().startswith(before)
