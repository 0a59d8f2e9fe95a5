"""A file means the same however it is laid out, layered or set, and keeps what it does not use in sight."""

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FULL, MINIMAL, Load, Write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulate import layers, loading
from simulate.correlations import is_definite
from simulate.distributions import Distribution
from simulate.errors import InputError
from simulate.priors import Constant, Priors, Unknown

HOURS = "runs.base.gpu_hours"
RATE = "chips.h800.rental_rate"
P = np.array([0.05, 0.5, 0.95])


def distribution(priors: Priors, path: str) -> Distribution:
    entry = priors.entries[path]
    assert isinstance(entry, Unknown)
    return entry.distribution


def interval(priors: Priors, path: str) -> list[float]:
    return [float(q) for q in distribution(priors, path).ppf([0.05, 0.95])]


def value(priors: Priors, path: str) -> float:
    entry = priors.entries[path]
    assert isinstance(entry, Constant)
    return entry.value


# ---------------------------------------------------------------------------------------------
# Extends


def without(text: str, *sections: str) -> str:
    parts = re.split(r"\n(?=\[)", text)
    return "\n".join(part for part in parts if not part.startswith(tuple(f"[{name}" for name in sections)))


CITATION = re.compile(r'sources = \["([a-z-]+)"\]')
BARE = without(CITATION.sub(r'note = "\1"', FULL), "correlations", "evidence", "groups", "sources")
"""The full file less what spans its sections."""


def layered(write: Write, main: str, **bases: str) -> Priors:
    """Load ``main`` over its bases, with only the heading of its own."""
    for name, text in bases.items():
        write(text, f"{name}.toml")
    return loading.load(write(main, "main.toml"))


def test_a_base_gives_what_the_file_does_not(write: Write) -> None:
    priors = layered(write, 'extends = ["base.toml"]\ntitle = "Over"', base=MINIMAL)
    assert interval(priors, HOURS) == pytest.approx([2e6, 3e6])
    assert priors.title == "Over"


def test_a_title_is_not_inherited(write: Write) -> None:
    with pytest.raises(InputError, match="title: missing"):
        layered(write, 'extends = ["base.toml"]', base=MINIMAL)


def test_an_entry_replaces_that_of_its_base_whole(write: Write) -> None:
    over = '[runs.base.gpu_hours]\nvalue = 2.5\nunit = "MGPU-hour"\nnote = "another"\n'
    priors = layered(write, f'extends = ["base.toml"]\ntitle = "Over"\n{over}', base=MINIMAL)
    assert value(priors, HOURS) == pytest.approx(2.5e6)
    assert priors.entries[HOURS].note == "another"


def test_a_section_is_merged_with_that_of_its_base(write: Write) -> None:
    over = '[chips.h800]\nlabel = "H800"\n[runs.base]\nlabel = "The base model"\n'
    priors = layered(write, f'extends = ["base.toml"]\ntitle = "Over"\n{over}', base=MINIMAL)
    assert interval(priors, RATE) == pytest.approx([1.5, 3.0])
    assert (priors.labels["h800"], priors.labels["base"]) == ("H800", "The base model")


LATER = """
[runs.later]
chip = "h800"
part_of = "official_runs"
gpu_hours = { value = 1e5, unit = "GPU-hour", note = "made up" }
"""


@pytest.mark.parametrize("name", ["later", "alpha", "beta", "mean", "text", "value", "high", "kind", "q05"])
def test_a_run_is_added_to_those_of_the_base_whatever_its_name(name: str, write: Write) -> None:
    over = f'extends = ["base.toml"]\ntitle = "Over"\n{LATER.replace("later", name)}'
    assert layered(write, over, base=MINIMAL).layout.names["run"] == ("base", name)


def test_the_error_model_is_merged_with_that_of_its_base(write: Write) -> None:
    over = 'extends = ["base.toml"]\ntitle = "Over"\n[likelihood]\ndf = 7\n'
    base = FULL.replace("[groups.press]\ncorrelation = 0.8", "[likelihood]\ngroup_correlation = 0.25")
    priors = layered(write, over, base=base)
    assert (priors.df, priors.group_correlations["evidence.floor"]) == (7, 0.25)


def test_the_later_base_has_the_last_word(write: Write) -> None:
    main = 'schema = 1\ntitle = "Over"\nextends = ["a.toml", "b.toml"]\n'
    first, second = (MINIMAL.replace("[2e6, 3e6]", f"[{n}e6, 9e6]") for n in (1, 4))
    assert interval(layered(write, main, a=first, b=second), HOURS) == pytest.approx([4e6, 9e6])


def test_a_base_of_two_bases_does_not_undo_the_first(write: Write) -> None:
    changed = '[runs.base.gpu_hours]\nvalue = 7\nunit = "GPU-hour"\nnote = "changed"\n'
    priors = layered(
        write,
        'title = "Diamond"\nextends = ["left.toml", "right.toml"]\n',
        root=MINIMAL,
        left=f'extends = ["root.toml"]\n{changed}',
        right='extends = ["root.toml"]\n[chips.h800]\nlabel = "H800"\n',
    )
    assert (value(priors, HOURS), priors.labels["h800"]) == (7.0, "H800")


def test_the_texts_of_all_files_are_kept_bases_first(write: Write) -> None:
    main = 'title = "Over"\nextends = ["sub/a.toml"]\n'
    write('extends = ["b.toml"]\n', "sub/a.toml")
    write(MINIMAL, "sub/b.toml")
    texts = loading.load(write(main, "main.toml")).texts
    assert list(texts) == ["sub/b.toml", "sub/a.toml", "main.toml"]
    assert (texts["main.toml"], texts["sub/b.toml"]) == (main, MINIMAL)


def test_a_base_behind_a_link_is_kept_under_the_name_that_leads_to_it(write: Write, tmp_path: Path) -> None:
    write(MINIMAL, "real.toml")
    (tmp_path / "link.toml").symlink_to(tmp_path / "real.toml")
    main = write('schema = 1\ntitle = "x"\nextends = ["link.toml", "none/../real.toml"]\n', "main.toml")
    assert set(loading.load(main).texts) == {"link.toml", "real.toml", "main.toml"}


def test_a_shipped_base_is_found_from_anywhere_and_kept_with_the_run(write: Write) -> None:
    main = 'title = "Over"\nextends = ["common/hardware.toml", "prior.toml"]\n'
    write(MINIMAL)
    texts = loading.load(write(main, "main.toml")).texts
    assert texts["common/hardware.toml"] == (layers.shipped_folder() / "common" / "hardware.toml").read_text()
    for name, text in texts.items():
        write(text, f"copied/{name}")
    assert loading.load(write(main, "copied/main.toml")).texts == texts


def test_a_base_of_ones_own_goes_before_a_shipped_one_of_its_name(write: Write) -> None:
    priors = layered(write, 'title = "Over"\nextends = ["common/hardware.toml"]\n', **{"common/hardware": MINIMAL})
    assert priors.texts["common/hardware.toml"] == MINIMAL


def test_a_file_itself_is_no_shipped_one_though_it_has_the_name_of_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: no such file"):
        loading.load(tmp_path / "semianalysis.toml")


def test_a_file_is_found_where_the_starter_is_written(write: Write, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "priors").mkdir()
    assert layers.find("my-lab.toml") == Path("my-lab.toml")
    written = layers.write_starter("my-lab")
    assert layers.find("my-lab.toml") == layers.find("my-lab") == written == Path("priors/my-lab.toml")


def test_a_source_that_only_an_overridden_entry_cites_is_no_fault(write: Write) -> None:
    base = MINIMAL.replace('"GPU-hour", note = "made up for the tests"', '"GPU-hour", source = "s"')
    base += '[sources.s]\ntitle = "A source"\nknown = "primary"\n'
    over = 'extends = ["base.toml"]\ntitle = "Over"\n[runs.base.gpu_hours]\nvalue = 7\nunit = "GPU-hour"\nnote = "n"\n'
    assert value(layered(write, over, base=base), HOURS) == 7.0


def test_a_byte_order_mark_and_windows_line_ends_are_read(load: Load) -> None:
    assert load(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode()).title == "One run at a rental rate"


# ---------------------------------------------------------------------------------------------
# Digest


def test_the_digest_is_that_of_the_meaning_not_of_the_text(load: Load) -> None:
    head, chip, run = MINIMAL.replace("[runs", "[chips").split("[chips")
    assert "base" in run
    reordered = f"# a comment\n{head}[runs{run}\n[chips{chip}".replace(" = ", "  =  ")
    assert load(reordered).digest == load(MINIMAL).digest


@pytest.mark.parametrize(
    "change", [("3e6]", "3.1e6]"), ("3e6]", "3000001]"), ('GPU-hour", note', 'MGPU-hour", note'), ("made up", "found")]
)
def test_the_digest_depends_on_every_number_unit_and_note(change: tuple[str, str], load: Load) -> None:
    assert load(MINIMAL.replace(*change)).digest != load(MINIMAL).digest


def test_the_digest_depends_on_what_is_set(load: Load) -> None:
    assert load(MINIMAL, [f"{HOURS}=3e6"]).digest != load(MINIMAL).digest


def test_the_digest_is_the_sha256_of_canonical_json(load: Load) -> None:
    canonical = json.dumps(tomllib.loads(MINIMAL), sort_keys=True, separators=(",", ":"))
    assert load(MINIMAL).digest == hashlib.sha256(canonical.encode()).hexdigest()


# ---------------------------------------------------------------------------------------------
# --set


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("3e6", 3e6),
        ("3_000_000", 3e6),
        ("3M", 3e6),
        ('"3M"', 3e6),
        ("3 MGPU-hour", 3e6),
        ("2 GPU-year", 2 * 8766.0),
        ('{ value = 3, unit = "MGPU-hour" }', 3e6),
        ("{ value = 3 }", 3.0),
    ],
)
def test_a_set_value_keeps_the_unit_it_replaces_unless_it_has_its_own(
    expression: str, expected: float, load: Load
) -> None:
    assert value(load(MINIMAL, [f"{HOURS}={expression}"]), HOURS) == pytest.approx(expected)


@pytest.mark.parametrize(
    "expression",
    ["4M to 5M", "4e6 to 5e6", "4 to 5 MGPU-hour", "{ interval = [4e6, 5e6] }", "{ q05 = 4e6, q95 = 5e6 }"],
)
def test_a_set_interval_replaces_the_one_that_was(expression: str, load: Load) -> None:
    assert interval(load(MINIMAL, [f"{HOURS}={expression}"]), HOURS) == pytest.approx([4e6, 5e6])


@pytest.mark.parametrize("given", ['"2 to 3 MGPU-hour"', '{ interval = "2 to 3", unit = "MGPU-hour", note = "n" }'])
def test_a_setting_keeps_the_unit_inside_a_text(given: str, load: Load) -> None:
    original = '{ interval = [2e6, 3e6], unit = "GPU-hour", note = "made up for the tests" }'
    text = MINIMAL.replace(original, given).replace("[runs.base]", '[runs.base]\nnote = "n"')
    assert value(load(text, [f"{HOURS}=4"]), HOURS) == pytest.approx(4e6)


def test_a_set_entry_says_that_it_was_set_by_hand(load: Load) -> None:
    setting = f"{HOURS}=4M to 5M"
    priors = load(MINIMAL, [setting])
    assert priors.entries[HOURS].note == f"set by hand: {setting}"
    assert priors.settings == (setting,)


@pytest.mark.parametrize(
    ("setting", "probability"), [("=0.9", 0.9), ("={ probability = 0.25, note = 'n' }", 0.25), ("=25%", 0.25)]
)
def test_the_probability_of_a_fact_can_be_set(setting: str, probability: float, load: Load) -> None:
    priors = load(FULL, [f"fleet.h100.exists{setting}"])
    assert {fact.path: fact.probability for fact in priors.facts} == {"fleet.h100.exists": probability}


@pytest.mark.parametrize(("setting", "chips"), [("true", ("h800", "h100")), ("false", ("h800",))])
def test_a_fact_can_be_set_true_or_false(setting: str, chips: tuple[str, ...], load: Load) -> None:
    priors = load(BARE, [f"fleet.h100.exists={setting}"])
    assert (priors.facts, priors.layout.names["chip"]) == ((), chips)


def test_a_correlation_with_what_is_set_absent_is_no_fault(load: Load) -> None:
    assert load(FULL, ["fleet.h100.exists=false"]).layout.names["chip"] == ("h800",)


@pytest.mark.parametrize("written", ["exists = true\n", ""])
def test_what_was_certain_can_be_disputed(written: str, load: Load) -> None:
    text = FULL.replace("[fleet.h800]\n", f"[fleet.h800]\n{written}")
    facts = {fact.path: fact.probability for fact in load(text, ["fleet.h800.exists=0.5"]).facts}
    assert facts == {"fleet.h800.exists": 0.5, "fleet.h100.exists": 0.3}


def test_a_part_of_an_entry_can_be_set(load: Load) -> None:
    priors = load(MINIMAL, [f"{HOURS}.interval=[4e6, 5e6]"])
    assert interval(priors, HOURS) == pytest.approx([4e6, 5e6])
    assert priors.entries[HOURS].note == "made up for the tests"


def test_a_quoted_path_can_be_set(load: Load) -> None:
    assert value(load(MINIMAL, ['runs."base".gpu_hours = 7']), HOURS) == 7.0


@pytest.mark.parametrize(
    ("setting", "words"), [("title=2048 GPUs", "2048 GPUs"), ('title="12"', "12"), ("title=a = b", "a = b")]
)
def test_words_are_set_as_they_stand(setting: str, words: str, load: Load) -> None:
    assert load(MINIMAL, [setting]).title == words


def test_the_last_setting_wins(load: Load) -> None:
    assert value(load(MINIMAL, [f"{HOURS}=4", f"{HOURS}=5"]), HOURS) == 5.0


def test_a_new_number_can_be_set_without_a_note(load: Load) -> None:
    assert "research_compute" in load(MINIMAL, ["research.multiplier=2 to 5"]).scopes


@pytest.mark.parametrize(
    ("written", "setting", "log_value"),
    [
        ("6.0e8", "evidence.capex.value=5e8", np.log(5e8)),
        ('"600M"', "evidence.capex.value=5e8", np.log(5e8)),
        ('"600M"', "evidence.capex.value=500M", np.log(5e8)),
    ],
)
def test_the_figure_of_a_claim_can_be_set(written: str, setting: str, log_value: float, load: Load) -> None:
    priors = load(FULL.replace("6.0e8", written), [setting])
    assert np.log(priors.evidence[0].value) == pytest.approx(log_value)


@pytest.mark.parametrize(("setting", "used"), [("false", ["floor"]), ("true", ["capex", "floor"])])
def test_a_claim_can_be_left_out(setting: str, used: list[str], load: Load) -> None:
    assert [claim.name for claim in load(FULL, [f"evidence.capex.used={setting}"]).evidence] == used


# ---------------------------------------------------------------------------------------------
# Provenance


def test_sources_and_notes_of_a_table_serve_its_bare_entries(load: Load) -> None:
    entries = load(FULL).entries
    assert (entries["chips.h800.power"].sources, entries["chips.h800.power"].note) == ((), "made up")
    assert (entries["chips.h800.server_cost"].sources, entries["chips.h800.server_cost"].note) == (("price-list",), "")


def test_the_fact_of_a_table_has_the_provenance_of_the_table(load: Load) -> None:
    text = FULL.replace('{ probability = 0.3, note = "disputed" }', "{ probability = 0.3 }\nsources = ['report']")
    assert load(text).facts[0].sources == ("report",)


def test_an_entry_that_no_quantity_needs_is_listed_as_idle(load: Load) -> None:
    priors = load(FULL)
    assert priors.idle == ("chips.h100.rental_rate",)
    assert "chips.h100.rental_rate" not in priors.entries


def test_the_bias_of_a_source_without_evidence_is_idle(load: Load) -> None:
    assert "sources.analyst.bias" in load(FULL, ["evidence.capex.used=false"]).idle


def test_a_claim_is_labelled_by_who_made_it(load: Load) -> None:
    labels = {claim.name: claim.label for claim in load(FULL).claims}
    assert labels == {"capex": "An analyst", "floor": "An official"}


def test_a_thing_without_a_label_goes_by_its_name(load: Load) -> None:
    priors = load(FULL)
    assert (priors.labels["h800"], priors.labels.get("h100")) == ("H800", None)


# ---------------------------------------------------------------------------------------------
# What there is


def test_a_chip_that_does_not_exist_is_out_of_the_fleet(load: Load) -> None:
    priors = load(BARE.replace('{ probability = 0.3, note = "disputed" }', "false"))
    assert priors.layout.rows["count"] == ("fleet.h800.count",)
    assert not any(path.startswith("fleet.h100") for path in priors.entries)


def test_a_run_that_does_not_exist_costs_nothing(load: Load) -> None:
    priors = load(MINIMAL + LATER + "exists = false\n")
    assert priors.layout.names["run"] == ("base",)


@pytest.mark.parametrize(
    ("dropped", "lost"),
    [
        ("research", {"research_compute", "development"}),
        ("staff", {"development", "company"}),
        ("fleet", {"hardware", "operations", "ownership", "company"}),
        ("runs", {"final_run", "official_runs", "research_compute", "development"}),
    ],
)
def test_a_file_without_a_section_has_the_scopes_that_still_follow(dropped: str, lost: set[str], load: Load) -> None:
    every = {"final_run", "official_runs", "research_compute", "development"}
    every |= {"hardware", "operations", "ownership", "company"}
    assert set(load(without(BARE, dropped)).scopes) == every - lost


@pytest.mark.parametrize(("part_of", "scopes"), [("final_run", True), ("official_runs", False)])
def test_only_runs_of_the_base_model_make_a_final_run(part_of: str, scopes: bool, load: Load) -> None:
    assert ("final_run" in load(MINIMAL.replace('"final_run"', f'"{part_of}"')).scopes) is scopes


# ---------------------------------------------------------------------------------------------
# Runs by their physics

PHYSICS = """
schema = 1
title = "A run by its physics"

[chips.h800]
rental_rate = "2 USD/GPU-hour"
peak_flops = "989.4 TFLOP/second/GPU"
note = "made up"

[runs.v3]
chip = "h800"
part_of = "final_run"
active_parameters = "37 Gparameter"
tokens = "14.8 Ttoken"
mfu = "30% to 40%"
note = "made up"
"""


def test_hours_that_are_not_stated_follow_from_the_physics(load: Load) -> None:
    priors = load(PHYSICS)
    assert priors.layout.derived["runs.v3.gpu_hours"] == (
        "runs.v3.active_parameters",
        "runs.v3.tokens",
        "chips.h800.peak_flops",
        "runs.v3.mfu",
    )
    assert priors.evidence == ()


def test_hours_stated_beside_the_physics_are_evidence_on_it(load: Load) -> None:
    [claim] = load(PHYSICS + 'gpu_hours = "2.6M to 2.7M GPU-hour"\n').evidence
    assert (claim.kind, claim.about, claim.level) == ("estimate", "gpu_hours[v3]", 0.9)
    assert claim.value == pytest.approx(np.sqrt(2.6e6 * 2.7e6))
    assert claim.log_error == pytest.approx(np.log(2.7 / 2.6) / 2)


# ---------------------------------------------------------------------------------------------
# Claims


def claims(text: str, load: Load) -> dict[str, Any]:
    return {claim.name: claim for claim in load(text).claims}


CLAIM = '\n[evidence.c]\nquantity = "final_run"\nkind = "estimate"\nnote = "made up"\n'


@pytest.mark.parametrize(
    ("given", "expected", "log_error", "level"),
    [
        ('value = 5e6\nrelative_error = 0.2\nunit = "USD"', 5e6, np.log(1.2), 0.9),
        ('value = 5\nrelative_error = "20%"\nunit = "MUSD"', 5e6, np.log(1.2), 0.9),
        ('value = "5M"\nrelative_error = 0.2\nlevel = 0.5\nunit = "USD"', 5e6, np.log(1.2), 0.5),
        ('interval = [4e6, 9e6]\nunit = "USD"', 6e6, np.log(1.5), 0.9),
        ('interval = ["4M", "9M"]\nunit = "USD"', 6e6, np.log(1.5), 0.9),
        ('interval = "4M to 9M"\nunit = "USD"', 6e6, np.log(1.5), 0.9),
        ('interval = [4, 9]\nvalue = 5\nunit = "MUSD"\nlevel = 0.8', 5e6, np.log(1.5), 0.8),
    ],
)
def test_a_claim_is_a_figure_and_the_half_width_of_its_logarithm(
    given: str, expected: float, log_error: float, level: float, load: Load
) -> None:
    claim = claims(MINIMAL + CLAIM + given, load)["c"]
    assert claim.value == pytest.approx(expected)
    assert claim.log_error == pytest.approx(log_error)
    assert (claim.level, claim.unit) == (level, "USD")


def test_a_claim_that_is_only_shown_needs_no_error(load: Load) -> None:
    priors = load(MINIMAL + CLAIM + 'value = 5e6\nunit = "USD"\nused = false\n')
    assert (len(priors.claims), priors.evidence) == (1, ())


def test_a_claim_about_a_run_is_kept_when_a_chip_of_that_name_is_absent(load: Load) -> None:
    absent = '[fleet.h800]\ncount = { value = 3, unit = "GPU", note = "n" }\nexists = false\n'
    about = CLAIM.replace("final_run", "run_cost[h800]") + 'value = 5e6\nrelative_error = 0.2\nunit = "USD"\n'
    assert "c" in claims(MINIMAL.replace("[runs.base]", "[runs.h800]") + absent + about, load)


S = '[sources.s]\ntitle = "A source"\nknown = "primary"\n'
TWICE = MINIMAL.replace('unit = "GPU-hour", note = "made up for the tests"', 'unit = "GPU-hour", source = "s"') + S


@pytest.mark.parametrize("way", ["used = false", 'independent = "two audits"'])
def test_a_second_use_is_allowed_when_it_is_owned_up_to(way: str, load: Load) -> None:
    claim = CLAIM + f'value = 5e6\nrelative_error = 0.2\nunit = "USD"\nsource = "s"\n{way}\n'
    assert len(load(TWICE + claim).claims) == 1


def test_repetitions_of_a_claim_are_allowed_in_one_group(load: Load) -> None:
    claim = CLAIM + 'value = 5e6\nrelative_error = 0.2\nunit = "USD"\nsource = "s"\ngroup = "press"\n'
    priors = load(MINIMAL + S + claim + claim.replace("evidence.c", "evidence.d"))
    assert dict(priors.group_correlations) == {"press": 0.9}


def test_a_source_may_set_a_prior_that_its_claim_does_not_depend_on(load: Load) -> None:
    other = LATER.replace('note = "made up"', 'source = "s"')
    about = CLAIM.replace("final_run", "run_cost[base]")
    assert load(MINIMAL + S + other + about + 'value = 5e6\nrelative_error = 0.2\nunit = "USD"\nsource = "s"\n')


# ---------------------------------------------------------------------------------------------
# Units and currencies


def rate(raw: str, load: Load, more: str = "") -> Priors:
    return load(MINIMAL.replace('{ interval = [1.5, 3.0], unit = "USD/GPU-hour" }', raw) + more)


SAME_RATE = [
    '{ interval = [1.5, 3.0], unit = "USD/GPU-hour" }',
    '{ interval = [0.0015, 0.003], unit = "kUSD/GPU-hour" }',
    '{ interval = [36, 72], unit = "USD/GPU-day" }',
    '{ interval = ["1.5", "3"], unit = "$/GPU/h" }',
    '"1.5 to 3 USD/GPU-hour"',
    '{ q05 = 1.5, q95 = 3, unit = "USD/GPU-hour" }',
]


@pytest.mark.parametrize("raw", SAME_RATE)
def test_the_unit_in_which_a_number_is_given_changes_nothing(raw: str, load: Load) -> None:
    expected = distribution(load(MINIMAL), RATE).ppf(P)
    np.testing.assert_allclose(distribution(rate(raw, load), RATE).ppf(P), expected, rtol=1e-12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(low=st.floats(1.0, 1e3), ratio=st.floats(1.1, 100))
def test_thousands_of_dollars_are_dollars(low: float, ratio: float, load: Load) -> None:
    dollars = rate(f'{{ interval = [{low!r}, {low * ratio!r}], unit = "USD/GPU-hour" }}', load)
    thousands = rate(f'{{ interval = [{low / 1e3!r}, {low * ratio / 1e3!r}], unit = "kUSD/GPU-hour" }}', load)
    np.testing.assert_allclose(distribution(thousands, RATE).ppf(P), distribution(dollars, RATE).ppf(P), rtol=1e-11)


CNY = '[currencies.CNY]\nusd = { value = 0.125, note = "made up" }\n'


def test_a_currency_is_converted_where_it_stands(load: Load) -> None:
    priors = rate('{ interval = [12, 24], unit = "CNY/GPU-hour" }', load, CNY)
    assert interval(priors, RATE) == pytest.approx([1.5, 3.0])


def test_the_currency_of_a_claim_is_converted(load: Load) -> None:
    text = MINIMAL + CNY + CLAIM + 'value = 40\nrelative_error = 0.2\nunit = "MCNY"\n'
    assert claims(text, load)["c"].value == pytest.approx(5e6)


def test_a_rate_of_exchange_is_no_idle_entry(load: Load) -> None:
    assert load(MINIMAL + CNY).idle == ()


# ---------------------------------------------------------------------------------------------
# Correlations


def matrix(priors: Priors) -> np.ndarray:
    return np.array(priors.correlations.matrix)


def correlated(text: str, load: Load) -> np.ndarray:
    between = '["runs.base.gpu_hours", "chips.h800.rental_rate"]'
    return matrix(load(f'{MINIMAL}\n[correlations.c]\nbetween = {between}\nnote = "made up"\n{text}\n'))


@pytest.mark.parametrize("rank", [-0.9, 0.0, 0.5])
def test_a_rank_correlation_is_that_of_the_draws(rank: float, load: Load) -> None:
    # Pearson (1907): 2 sin(pi rank / 6) of a Gaussian copula.
    assert correlated(f"rank = {rank}", load)[0, 1] == pytest.approx(2 * np.sin(np.pi * rank / 6))


@pytest.mark.parametrize("stated", ["normal = 0.5", "normal = [[1, 0.5], [0.5, 1]]"])
def test_a_correlation_of_normal_scores_is_taken_as_it_is(stated: str, load: Load) -> None:
    np.testing.assert_array_equal(correlated(stated, load), [[1, 0.5], [0.5, 1]])


def test_pairs_that_nobody_mentions_are_uncorrelated(load: Load) -> None:
    pairs = [("load", "pue"), ("electricity", "colocation")]
    text = FULL + "".join(
        f'[correlations.{a}]\nbetween = ["hosting.{a}", "hosting.{b}"]\nnormal = 0.5\nnote = "made up"\n'
        for a, b in pairs
    )
    found = matrix(load(text))
    assert found.shape == (6, 6)
    assert (found[2:4, 4:6] == 0).all()
    assert found[2, 3] == found[4, 5] == 0.5


@given(st.integers(0, 2**32 - 1), st.integers(2, 8))
def test_a_matrix_is_definite_where_its_smallest_eigenvalue_is_above_the_least(seed: int, size: int) -> None:
    drawn = np.random.default_rng(seed).standard_normal((size, size))
    matrix = np.corrcoef(drawn)
    smallest = float(np.linalg.eigvalsh(matrix).min())
    assert is_definite(matrix.tolist(), smallest - 1e-9)
    assert not is_definite(matrix.tolist(), smallest + 1e-9)


def test_an_entry_is_an_unknown_or_a_constant(load: Load) -> None:
    priors = load(FULL)
    constants = {constant.path for constant in priors.constants}
    assert constants == {
        "scope.horizon",
        "chips.h800.peak_flops",
        "chips.h100.peak_flops",
        "runs.reasoning.active_parameters",
    }
    assert constants | {unknown.path for unknown in priors.unknowns} == set(priors.entries)
