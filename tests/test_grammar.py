"""Whatever a prior file holds, well-formed or not, it is a prior file or an error that names it and what is wrong."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from conftest import FULL, MINIMAL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulate import loading
from simulate.errors import InputError
from simulate.priors import Priors

EXAMPLES = 150
"""Of each grammar."""

SECTIONS = {
    "scope": {"horizon": "year", "window": "year", "attribution": ""},
    "hosting": {"load": "", "pue": "", "electricity": "USD/kWh", "life": "year", "utilisation": ""},
    "research": {"multiplier": ""},
}
TABLES = {
    "chips": {"server_cost": "USD/GPU", "power": "kW/GPU", "peak_flops": "FLOP/second/GPU",
              "rental_rate": "USD/GPU-hour"},
    "fleet": {"count": "GPU"},
    "runs": {"gpu_hours": "GPU-hour", "mfu": "", "tokens": "token"},
    "staff": {"headcount": "person", "pay": "USD/person/year"},
    "other": {"amount": "USD", "yearly": "USD/year"},
}  # fmt: skip
NAMES = st.sampled_from(["h800", "h100", "base", "value", "kind", "q05", "date", "a-b", "interval"])
NUMBERS = st.one_of(
    st.floats(0.01, 100),
    st.integers(-3, 10**6),
    st.sampled_from([0, -0.0, 1e-320, 1e300, float("nan"), float("inf"), 10**400, "3k", "5%", "2,5", "many", True]),
)
KNOWN = st.sampled_from(["made up", "", "\u202e", "a\nb", "<b>|"])


def numbers(unit: str) -> st.SearchStrategy[Any]:
    """Return what may stand for a number of a unit."""
    given_by = st.one_of(
        st.fixed_dictionaries({"value": NUMBERS}),
        st.fixed_dictionaries({"interval": st.lists(NUMBERS, min_size=1, max_size=3)}, optional={"level": NUMBERS}),
        st.fixed_dictionaries({"q05": NUMBERS, "q50": NUMBERS, "q95": NUMBERS}, optional={"upper": NUMBERS}),
        st.fixed_dictionaries({"family": st.sampled_from(["normal", "gamma", "x"]), "mean": NUMBERS, "sd": NUMBERS}),
    )  # fmt: skip
    remarks = st.fixed_dictionaries(
        {"unit": st.sampled_from([unit, unit, unit, "", "k USD", "GPU"])},
        optional={"note": KNOWN, "sources": st.lists(NAMES, max_size=2), "x": NUMBERS},
    )
    return st.one_of(NUMBERS, st.builds(lambda one, other: {**one, **other}, given_by, remarks))


def table(entries: dict[str, str], required: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    optional = {key: numbers(unit) for key, unit in entries.items()}
    return st.fixed_dictionaries(required or {"note": st.just("made up")}, optional=optional)


EXISTS = st.one_of(st.booleans(), st.fixed_dictionaries({"probability": NUMBERS, "note": KNOWN}))
RUNS = {"chip": NAMES, "part_of": st.sampled_from(["final_run", "official_runs", "company"]), "note": KNOWN}
CLAIMS = st.fixed_dictionaries(
    {
        "quantity": st.sampled_from(["final_run", "hardware", "gpus", "run_cost[base]", "chips.h800.power", "?"]),
        "kind": st.sampled_from(["estimate", "floor", "ceiling", "guess"]),
        "value": NUMBERS,
        "unit": st.sampled_from(["USD", "GPU", "USD/year"]),
        "note": KNOWN,
    },
    optional={"relative_error": NUMBERS, "group": NAMES, "source": NAMES, "used": st.booleans()},
)
CORRELATIONS = st.fixed_dictionaries(
    {"between": st.lists(st.sampled_from(["hosting.load", "hosting.pue", "runs.base.mfu"]), max_size=3), "note": KNOWN},
    optional={"rank": NUMBERS, "normal": NUMBERS},
)  # fmt: skip
FILES = st.fixed_dictionaries(
    {"schema": st.sampled_from([1, 1, 1, 2]), "title": KNOWN},
    optional={
        **{name: table(entries) for name, entries in SECTIONS.items()},
        "chips": st.dictionaries(NAMES, table(TABLES["chips"]), max_size=2),
        "fleet": st.dictionaries(NAMES, table(TABLES["fleet"], {"exists": EXISTS, "note": KNOWN}), max_size=2),
        "runs": st.dictionaries(NAMES, table(TABLES["runs"], RUNS), max_size=2),
        "staff": st.dictionaries(NAMES, table(TABLES["staff"]), max_size=1),
        "other": st.dictionaries(NAMES, table(TABLES["other"]), max_size=1),
        "evidence": st.dictionaries(NAMES, CLAIMS, max_size=3),
        "correlations": st.dictionaries(NAMES, CORRELATIONS, max_size=2),
        "extends": st.lists(st.sampled_from(["prior.toml", "../x.toml", "nothing.toml"]), max_size=2),
        "as_of": st.dates(),
    },
)


def toml(value: Any) -> str:
    """Return a value as it stands behind an equals sign."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False).replace("\u202e", "\\u202e")
    return repr(value).replace("datetime.date", "") if isinstance(value, int | float) else value.isoformat()


def loaded(folder: Path, content: bytes) -> Priors | None:
    """Return the priors of a file, or None after an error in words."""
    path = folder / "prior.toml"
    path.write_bytes(content)
    try:
        return loading.load(path)
    except InputError as error:
        told = error
    assert str(told).startswith(f"{path}: ")
    assert all(fault.path and (fault.found or fault.mend) for fault in told.faults)
    return None


once = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])


@once
@given(content=FILES)
def test_a_file_of_the_grammar_is_a_prior_file_or_an_error(content: dict[str, Any], tmp_path: Path) -> None:
    text = "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in content.items())
    assert tomllib.loads(text).keys() == content.keys()
    found = loaded(tmp_path, text.encode())
    assert found is None or found.scopes


LOWS, RATIOS = st.floats(1e-3, 1e6), st.floats(1.001, 1e3)
WAYS = st.sampled_from(
    [
        "interval = [{low!r}, {high!r}]",
        "interval = [{low!r}, {high!r}], level = 0.5",
        'interval = "{low:.6f} to {high:.6f}"',
        "q05 = {low!r}, q95 = {high!r}",
        "q10 = {low!r}, q50 = {middle!r}, q90 = {high!r}",
        'family = "loguniform", low = {low!r}, high = {high!r}',
        'family = "pert", low = {low!r}, mode = {middle!r}, high = {high!r}',
        "components = [{{ weight = 1, interval = [{low!r}, {high!r}] }}, {{ weight = 3, q05 = 1, q95 = 2 }}]",
        "value = {low!r}",
    ]
)


@once
@given(way=WAYS, low=LOWS, ratio=RATIOS, prefix=st.sampled_from(["", "k", "M"]))
def test_a_well_formed_file_is_a_prior_file(way: str, low: float, ratio: float, prefix: str, tmp_path: Path) -> None:
    given_by = way.format(low=low, middle=low * ratio**0.5, high=low * ratio)
    hours = f'gpu_hours = {{ {given_by}, unit = "{prefix}GPU-hour", note = "made up" }}'
    found = loaded(tmp_path, f"{MINIMAL[: MINIMAL.index('gpu_hours')]}{hours}\n".encode())
    assert found is not None
    assert found.scopes == ("final_run", "official_runs")


LINES = st.integers(0, 200)
RAW = st.sampled_from(
    ["= =", "[x]", "nan", '"', "]", "{", "schema = 1", "\u0007", "interval = [3, 1]", "unit = 'kg'", ""]
)


@once
@given(text=st.sampled_from([MINIMAL, FULL]), where=st.lists(LINES, min_size=1, max_size=4), what=RAW)
def test_a_good_file_with_other_lines_is_a_prior_file_or_an_error(
    text: str, where: list[int], what: str, tmp_path: Path
) -> None:
    lines = text.splitlines()
    for number in where:
        lines[number % len(lines)] = what
    loaded(tmp_path, "\n".join(lines).encode())


@once
@given(text=st.sampled_from([MINIMAL, FULL]), at=st.floats(0, 1), length=st.integers(0, 20), what=st.binary(max_size=4))
def test_a_good_file_with_other_bytes_is_a_prior_file_or_an_error(
    text: str, at: float, length: int, what: bytes, tmp_path: Path
) -> None:
    content, start = text.encode(), int(at * len(text))
    loaded(tmp_path, content[:start] + what + content[start + length :])


@pytest.mark.parametrize("text", [MINIMAL, FULL])
def test_a_file_that_ends_anywhere_is_a_prior_file_or_an_error(text: str, tmp_path: Path) -> None:
    for end in range(0, len(text), 7):
        loaded(tmp_path, text[:end].encode())
