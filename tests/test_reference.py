"""Disclosed cases: how their tables are read, what they predict, and how a prior file asks for it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from simulate import loading, pipeline, predictives, reference, regression
from simulate.errors import InputError
from simulate.inference import Settings
from simulate.reference import CLASSES, TrainingRun, Traits, chip_class, read_training_runs
from simulate.regression import Predictive
from simulate.tabulation import Tabulated

FOLDER = Path(__file__).parent.parent / "priors" / "reference"
RUNS, MULTIPLIERS = ((FOLDER / f"{name}.csv").read_text(encoding="utf-8") for name in reference.TABLES)
V3 = Traits("H100", 37e9, True)

HEADER = "model,architecture,active_params,tokens,hardware,peak_tflops_bf16,gpu_hours,family,physics_test_eligible\n"
ROW = "X-7B,dense,7e9,1e12,NVIDIA A100 80GB,312,90000,X,yes\n"


def found(text: str, known: tuple[TrainingRun, ...] = ()) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        read_training_runs(text, "runs.csv", known)
    return [(fault.path, fault.found) for fault in caught.value.faults]


def only(text: str, known: tuple[TrainingRun, ...] = ()) -> TrainingRun:
    (run,) = read_training_runs(text, "runs.csv", known)
    return run


# ---------------------------------------------------------------------------------------------
# Reading


def test_a_row_is_read_in_units_of_the_ledger():
    run = only(HEADER + ROW)
    assert (run.model, run.family, run.role, run.complete) == ("X-7B", "X", "yes", True)
    assert (run.active_parameters, run.tokens, run.peak_flops, run.gpu_hours) == (7e9, 1e12, 312e12, 90e3)
    assert run.mfu == pytest.approx(6 * 7e9 * 1e12 / (312e12 * 3600 * 90e3))


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        ("90000", "-90000", "line 2: gpu_hours", "'-90000' is not a positive number"),
        ("90000", "0", "line 2: gpu_hours", "'0' is not a positive number"),
        ("90000", "many", "line 2: gpu_hours", "'many' is not a positive number"),
        ("1e12", "1e40", "line 2: tokens", "'1e40' is not a positive number"),
        ("7e9", "nan", "line 2: active_params", "'nan' is not a positive number"),
        ("312", "-1", "line 2: peak_tflops_bf16", "'-1' is not a positive number"),
        ("dense", "sparse", "line 2: architecture", "'sparse'"),
        ("X-7B", "", "line 2: model", "0 characters"),
        ("X-7B", "X" * 101, "line 2: model", "101 characters"),
        ("X-7B", "X\x1b[31m", "line 2: model", "holds a control character"),
        (",yes", ",maybe", "line 2: physics_test_eligible", "'maybe'"),
    ],
)
def test_each_fault_of_a_row_says_where_it_is(old, new, path, what):
    assert found(HEADER + ROW.replace(old, new, 1)) == [(path, what)]


def test_all_faults_come_at_once_each_with_its_line():
    text = HEADER + "\n" + ROW.replace("dense", "x").replace("7e9", "-1") + ROW
    assert [path for path, _ in found(text)] == ["X-7B", "line 3: active_params", "line 3: architecture"]


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("", "header", f"has no {', '.join(reference.NEEDED)}"),
        ("a;b\n1;2\n", "header", f"has no {', '.join(reference.NEEDED)}"),
        (HEADER.replace("tokens,", "") + ROW, "header", "has no tokens"),
        (HEADER.replace("family", "tokens") + ROW, "header", "tokens stands there twice"),
        (HEADER + ROW + ROW, "X-7B", "stands there more than once"),
        (HEADER + '"X-7B,dense', "line 1", "unexpected end of data"),
        (HEADER + ROW * 1001, "rows", "1,001 of them"),
    ],
)
def test_a_text_that_is_no_such_table_is_a_fault(text, path, what):
    assert found(text) == [(path, what)]


@pytest.mark.parametrize("change", [str.upper, lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_a_byte_order_mark_other_line_ends_and_capitals_in_a_row_change_nothing(change):
    head, row = HEADER, ROW.replace("dense", "DENSE")
    text = head + row if change is str.upper else change(head + row)
    assert only(text) == only(head + row)


def test_runs_without_a_family_have_that_of_their_lineage_and_of_the_siblings_in_the_shipped_table():
    shipped = read_training_runs(RUNS, "shipped")
    names = ("Pythia-410M", "Llama 2 7B", "Llama 2 70B", "DeepSeek-V2-Lite", "Qwen1.5-7B")
    text = HEADER + "".join(ROW.replace("X-7B", name).replace(",X,", ",,") for name in names)
    families = [run.family for run in read_training_runs(text, "mine", shipped)]
    assert families == ["Pythia", "llama 2", "llama 2", "DeepSeek LLM/V2", "qwen1.5"]


def test_an_empty_cell_is_not_known_and_extra_cells_and_columns_are_ignored():
    run = only("colour," + HEADER + "red,X,dense,,1e12,Chip,,90000,,,spare\n")
    assert not run.complete
    assert (run.family, run.role) == ("x", "yes")
    assert math.isnan(run.active_parameters)
    assert math.isnan(run.peak_flops)


def test_what_a_file_leaves_out_known_runs_lend():
    text = "model,architecture,active_params,tokens,hardware,gpu_hours\nX-7B,dense,7e9,1e12,NVIDIA A100 80GB,90000\n"
    known = read_training_runs(HEADER + ROW, "known")
    assert only(text, known) == known[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NVIDIA A100 40GB", "A100"), ("A800", "A100"), ("h800 H800 SXM", "H100"), ("GH200", "H100"),
        ("NVIDIA H20", "other"), ("GB200 NVL72", "B200"), ("TPU v5p", "TPU"), ("V100 SXM", "V100"), ("", "other"),
    ],
)  # fmt: skip
def test_a_chip_is_of_the_generation_that_its_name_tells(name, expected):
    assert chip_class(name) == expected


@pytest.mark.parametrize(
    ("row", "path", "what"),
    [
        ("A,0.9,early,yes\n", "A", "not above 1"),
        ("A,much,early,yes\n", "line 2: multiplier", "'much' is not a positive number"),
    ],
)
def test_a_faulty_multiplier_is_named(row, path, what):
    with pytest.raises(InputError) as caught:
        reference.read_multipliers("case,multiplier,era,use\n" + row)
    assert [(fault.path, fault.found) for fault in caught.value.faults] == [(path, what)]


# ---------------------------------------------------------------------------------------------
# The shipped tables


@pytest.fixture(scope="module")
def shipped() -> tuple[TrainingRun, ...]:
    return read_training_runs(RUNS, "training_runs")


@pytest.mark.parametrize("within", CLASSES)
def test_neither_v3_nor_r1_is_in_any_fit(shipped, within):
    members = reference.members(shipped, within)
    assert members
    assert not [
        run.model for run in members if run.family == "DeepSeek V3/R1" or "V3" in run.model or "R1" in run.model
    ]


def test_the_stated_hours_of_v3_are_an_mfu_of_0_346(shipped):
    (target,) = [run for run in shipped if run.role == "target"]
    assert target.mfu == pytest.approx(0.3463, abs=5e-5)
    assert target.traits == V3


def test_classes_hold_who_they_say(shipped):
    runs = {within: reference.members(shipped, within) for within in CLASSES}
    assert all(run.traits.chip == "H100" for run in runs["h-class"])
    assert all(run.active_parameters >= 1e10 for run in runs["large"])
    assert set(runs["large-h-class"]) == set(runs["large"]) & set(runs["h-class"])
    assert {run.architecture for run in runs["moe"]} == {"MoE"}


def test_a_family_can_be_left_out(shipped):
    without = reference.members(shipped, without="Llama 3")
    assert len(reference.members(shipped)) - len(without) == 5


# ---------------------------------------------------------------------------------------------
# Predictives


@pytest.fixture(scope="module")
def mfu() -> Tabulated:
    return predictives.mfu_table(RUNS, V3, "", "")


def test_a_predicted_mfu_is_between_0_and_1(mfu):
    values = mfu.from_normal(np.linspace(-8, 8, 401))
    assert ((values > 0) & (values < 1)).all()
    assert (np.diff(values) > 0).all()
    assert mfu.support == (0.0, 1.0)


def test_a_predicted_mfu_is_the_mixture_given_that_it_is_below_1(mfu):
    fit = predictives.mfu_fit(RUNS, "", "")
    mixture = regression.predict(fit, V3.covariates(), predictives.generator("mfu", "", repr(V3)))
    p = np.array([1e-4, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999])
    at = mixture.ppf(p * float(mixture.cdf(np.array(0.0))))
    error = mixture.mcse(at) / mixture.pdf(at)
    assert (np.abs(np.log(mfu.ppf(p)) - at) < error / 10).all()


def test_a_mixture_of_which_a_third_is_above_1_is_cut_there_and_keeps_its_shape_below():
    mixture = Predictive(np.array([-0.5, 0.2]), np.array([0.4, 0.6]))
    cut = predictives.tabulated(mixture, 0.0, 0.0, 1.0)
    p = np.array([0.001, 0.05, 0.5, 0.95, 0.999])
    np.testing.assert_allclose(cut.ppf(p), np.exp(mixture.ppf(p * float(mixture.cdf(np.array(0.0))))), rtol=2e-4)


def test_the_density_of_a_predicted_mfu_integrates_to_1(mfu):
    x = mfu.from_normal(np.linspace(-6, 6, 20_001))
    assert np.trapezoid(mfu.pdf(x), x) == pytest.approx(1, abs=1e-4)


def test_a_research_multiplier_is_above_1_and_its_recent_cases_are_higher():
    early, recent = (predictives.multiplier_table(MULTIPLIERS, within) for within in ("early", "recent"))
    assert early.from_normal(-8.0) >= 1
    assert float(early.ppf(0.5)) < 0.5 * float(recent.ppf(0.5))


def test_the_same_table_gives_the_same_numbers_whoever_asks(mfu):
    predictives.mfu_fit.cache_clear()
    predictives.mfu_table.cache_clear()
    assert predictives.mfu_table(RUNS, V3, "", "") == mfu


def test_a_narrow_class_takes_its_members_plain(shipped):
    a, b = Traits("H100", 37e9, True), Traits("H100", 1e9, False)
    low, high = (predictives.mfu_table(RUNS, traits, "h-class", "").ppf(np.array([0.05, 0.95])) for traits in (a, b))
    np.testing.assert_allclose(low, high, rtol=0.05)


# ---------------------------------------------------------------------------------------------
# In a prior file

PHYSICS = """
schema = 1
title = "A run by its physics"

[chips.h800]
peak_flops = { value = 989.4e12, unit = "FLOP/second/GPU" }
rental_rate = { interval = [1.5, 3.0], unit = "USD/GPU-hour" }
note = "made up for the tests"

[runs.base]
chip = "h800"
part_of = "final_run"
active_parameters = { value = 37e9, unit = "parameter" }
tokens = { value = 14.8e12, unit = "token" }
mfu = { reference = "training_runs", architecture = "moe" }
note = "made up for the tests"
"""
RESEARCH = '\n[research]\nmultiplier = { reference = "research_multipliers" }\n'


def asking(mfu: str) -> str:
    return PHYSICS.replace('reference = "training_runs", architecture = "moe"', mfu)


def test_a_prior_file_that_refers_to_disclosed_cases_has_their_predictive(load, mfu):
    unknowns = {unknown.path: unknown for unknown in load(PHYSICS + RESEARCH).unknowns}
    asked = unknowns["runs.base.mfu"]
    np.testing.assert_array_equal(asked.distribution.ppf([0.05, 0.95]), mfu.ppf([0.05, 0.95]))
    assert "27 disclosed runs, as 37bn active, mixture of experts, H100 class, of 13 families" in asked.given
    assert unknowns["research.multiplier"].distribution.support == (1.0, math.inf)


def test_a_class_and_a_family_left_out_are_said(load):
    (asked,) = [u for u in load(asking('reference = "training_runs", within = "h-class", without = "Phi"')).unknowns
                if u.path == "runs.base.mfu"]  # fmt: skip
    assert asked.given == "predicted from 11 runs on H100-class chips, of 6 families"


def test_a_size_that_no_model_has_is_refused_at_its_path(faults):
    text = PHYSICS.replace("value = 37e9", "value = 1e-320")
    assert ("runs.base.active_parameters", "9.99989e-321 is no size of a model") in faults(text)


def test_a_reference_can_be_set_by_hand(load):
    text = PHYSICS.replace('{ reference = "training_runs", architecture = "moe" }', "{ interval = [0.2, 0.5] }")
    setting = 'runs.base.mfu={ reference = "training_runs", architecture = "dense", chip = "A100" }'
    (asked,) = [unknown for unknown in load(text, [setting]).unknowns if unknown.path == "runs.base.mfu"]
    assert "37bn active, dense, A100 class" in asked.given


def test_the_digest_changes_with_the_table(load, write):
    before = load(PHYSICS).digest
    write(RUNS, "reference/training_runs.csv")
    assert load(PHYSICS).digest == before
    write(RUNS.replace("2664000", "2664001"), "reference/training_runs.csv")
    assert load(PHYSICS).digest != before


def test_a_table_beside_the_prior_file_comes_before_the_shipped_one(load, write):
    write(HEADER + ROW, "reference/training_runs.csv")
    (asked,) = [unknown for unknown in load(PHYSICS).unknowns if unknown.path == "runs.base.mfu"]
    assert asked.given.startswith("predicted from 1 disclosed runs")


def test_a_run_keeps_the_tables_it_used_and_can_be_run_from_there(load, tmp_path):
    priors = load(PHYSICS + RESEARCH)
    settings = Settings(draws=100, chains=2, prior_only=True)
    done = pipeline.run(priors, settings, out=tmp_path / "results", figures=())
    kept = done.folder / "priors"
    assert {path.name for path in (kept / "reference").iterdir()} == {"training_runs.csv", "research_multipliers.csv"}
    again = loading.load(kept / "prior.toml")
    assert again.digest == priors.digest
    twice = pipeline.run(again, settings, out=tmp_path / "again", figures=())
    assert twice.manifest["scopes"] == done.manifest["scopes"]


@pytest.mark.parametrize(
    ("mfu", "path", "what"),
    [
        ('reference = "training_runs"', "architecture", "'' is none"),
        ('reference = "training_runs", architecture = "sparse"', "architecture", "'sparse' is none"),
        ('reference = "training_runs", architecture = "moe", within = "x"', "within", "there is no class 'x'"),
        ('reference = "training_runs", architecture = "moe", chip = "h1"', "chip", "there is no class 'h1'"),
        ('reference = "training_runs", architecture = "moe", without = "x"', "without", "there is no family 'x'"),
        ('reference = "training_runs", architecture = 3', "architecture", "'3' is not a text"),
        ('reference = "training_runs", within = "moe", value = 0.3', "value", "stands beside a reference"),
        ('reference = "research_multipliers"', "reference", "'research_multipliers' does not speak of this"),
        ('reference = "epoch_chips"', "reference", "'epoch_chips' does not speak of this"),
        ('reference = "nowhere"', "reference", "no table 'nowhere'"),
        ('reference = "../training_runs"', "reference", "no table '../training_runs'"),
    ],
)
def test_what_an_mfu_cannot_be_asked_is_a_fault(faults, mfu, path, what):
    assert faults(asking(mfu)) == [(f"runs.base.mfu.{path}", what)]


@pytest.mark.parametrize("asked", ['within = "late"', 'architecture = "moe"', 'chip = "H100"', 'without = "Llama 3"'])
def test_what_a_multiplier_cannot_be_asked_is_a_fault(faults, asked):
    text = PHYSICS + RESEARCH.replace(" }", f", {asked} }}")
    assert faults(text) == [("research.multiplier", "asks for what the table does not hold")]


def test_an_unknown_that_no_table_speaks_of_cannot_refer_to_one(faults):
    text = PHYSICS.replace('tokens = { value = 14.8e12, unit = "token" }', 'tokens = { reference = "training_runs" }')
    assert faults(text) == [("runs.base.tokens.reference", "no disclosed cases answer this")]


def test_an_mfu_without_a_size_to_ask_for_is_a_fault(faults):
    text = PHYSICS.replace('active_parameters = { value = 37e9, unit = "parameter" }\n', "")
    assert "runs.base.active_parameters" in [path for path, _ in faults(text)]


@pytest.mark.parametrize(
    ("name", "text", "path", "what"),
    [
        ("training_runs", HEADER + ROW.replace("90000", "-1"), "line 2: gpu_hours", "'-1' is not a positive number"),
        ("training_runs", HEADER + ROW.replace(",yes", ",no"), "rows", "none for all disclosed runs"),
        ("training_runs", "", "header", f"has no {', '.join(reference.NEEDED)}"),
        ("research_multipliers", "case,multiplier,era,use\nA,0.5,early,yes\n", "A", "not above 1"),
        ("research_multipliers", "case,multiplier,era,use\n", "rows", "none for cases"),
    ],
)
def test_a_fault_in_a_table_of_ones_own_names_the_table(faults, write, name, text, path, what):
    write(text, f"reference/{name}.csv")
    assert faults(PHYSICS + RESEARCH) == [(f"reference/{name}.csv: {path}", what)]


def test_a_table_that_is_no_text_is_a_fault(faults, write):
    write(b"\xff\xfe", "reference/training_runs.csv")
    assert faults(PHYSICS) == [("reference/training_runs.csv: file", "is not UTF-8 text")]
