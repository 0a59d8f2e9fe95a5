"""A kept table is the one that was asked for, or it is computed anew."""

import json
from pathlib import Path

import pytest

from simulate import keeping, loading


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(keeping.FOLDER, str(tmp_path / "kept"))
    return tmp_path / "kept"


class Computing:
    """Computes a table, and counts how often."""

    def __init__(self, *values: float) -> None:
        self.values, self.times = values, 0

    def __call__(self) -> keeping.Columns:
        self.times += 1
        return {"x": list(self.values)}


def asked(compute: Computing, what: str = "a") -> list[float]:
    return keeping.kept([what], compute)["x"]


def test_a_table_is_computed_once_and_the_same_to_the_last_bit():
    compute = Computing(0.1, 1 / 3, float("inf"), 5e-324)
    assert asked(compute) == asked(compute) == [0.1, 1 / 3, float("inf"), 5e-324]
    assert compute.times == 1


def test_another_question_or_other_code_has_another_table(monkeypatch):
    compute = Computing(1.0)
    asked(compute, "a")
    asked(compute, "b")
    monkeypatch.setattr(keeping, "code", lambda: "other code")
    asked(compute, "a")
    assert compute.times == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("1.5", "2.5"),
        lambda text: json.dumps({**json.loads(text), "decides": "[]"}),
        lambda text: "[" * 100_000,
        lambda text: "null",
    ],
    ids=["empty", "cut off", "another number", "of another question", "deep", "nothing"],
)
def test_what_is_not_what_was_kept_is_computed_anew(folder, damage):
    compute = Computing(1.5)
    asked(compute)
    [path] = folder.glob("*.json")
    path.write_text(damage(path.read_text()))
    assert asked(compute) == [1.5]
    assert compute.times == 2


def test_a_file_under_another_ones_name_is_not_taken(folder):
    asked(Computing(1.0), "a")
    [first] = folder.glob("*.json")
    asked(Computing(2.0), "b")
    [second] = set(folder.glob("*.json")) - {first}
    first.write_bytes(second.read_bytes())
    assert asked(Computing(1.0), "a") == [1.0]


def test_where_nothing_can_be_written_everything_is_computed(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    compute = Computing(1.0)
    for place in (str(tmp_path / "file"), "", "/proc/nowhere"):
        monkeypatch.setenv(keeping.FOLDER, place)
        assert asked(compute) == [1.0]
    assert compute.times == 3


def test_a_predictive_read_back_is_the_one_that_was_fitted(folder):
    from simulate import predictives

    mfu = loading.load("semianalysis").entries["runs.v3-pretraining.mfu"].distribution
    tables = []
    for _ in range(2):
        predictives.mfu_table.cache_clear()
        tables.append(mfu.compute())
    assert list(folder.glob("*.json"))
    assert tables[0] == tables[1]
