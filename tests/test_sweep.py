"""A sweep: each row is what a run would say, whatever was made before, and what is done stays done."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest
from conftest import FULL, MINIMAL

from simulate import cli, grid_file, layers, ledger, loading, pipeline, sweep, sweep_report, sweep_run, sweep_table
from simulate.errors import DamagedRunError, RunError
from simulate.sweep_run import Swept
from simulate.workforce import Local

CLAIM = """
[evidence.c]
quantity = "final_run"
kind = "estimate"
value = 5e6
relative_error = 0.2
unit = "USD"
note = "made up"
"""
RATE = '"chips.h800.rental_rate"'
HEAD = "schema = 1\n[settings]\ndraws = 100\n[axes]\n"
EXACT = f'{HEAD}{RATE} = [2, "2 to 4", {{ q05 = 1, q50 = 2, q95 = 5 }}]\n"runs.base.exists" = [true, 0.5]\n'
"""Six points without evidence."""

SAMPLED = f'{HEAD}{RATE} = ["1.5 to 3", 2]\n"evidence.c.used" = [true, false]\nseed = [1, 2]\nprobability = [0.8]\n'
"""Eight points, of which four have evidence."""


@pytest.fixture
def swept(tmp_path, write):
    def swept(points: str = EXACT, priors: str = MINIMAL, out: str = "out", by: Local | None = None) -> Swept:
        return sweep_run.sweep(
            layers.read(write(priors)), grid_file.read(write(points, "grid.toml")), out=tmp_path / out, by=by
        )

    return swept


def table(done: Swept) -> list[dict[str, str]]:
    sweep_report.save(done)
    with (done.folder / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def files(done: Swept) -> tuple[bytes, bytes]:
    sweep_report.save(done)
    return (done.folder / "sweep.csv").read_bytes(), (done.folder / "sweep.parquet").read_bytes()


def same_as_run(done: Swept, number: int, folder: Path, priors: Path) -> None:
    """Assert that the rows of a point are what the manifest of a run with the same settings has."""
    point = done.grid.point(number)
    run = pipeline.run(loading.load(priors, point.set), sweep.sampling(point.options), out=folder,
                       probability=point.options.probability, figures=())  # fmt: skip
    rows = [row for row in table(done) if row["point"] == str(number)]
    assert {row["scope"]: [float(row[key]) for key in sweep.ESTIMATE] for row in rows} == {
        name: [found[key] for key in sweep.ESTIMATE] for name, found in run.manifest["scopes"].items()
    }
    facts = {key: float(row[key]) for row in rows for key in row if key.startswith("P(") and row[key]}
    assert facts == {f"P({path})": p for path, p in run.manifest["facts"].items()}
    assert {row["digest"] for row in rows} == {run.manifest["digest"]}
    verdict = run.manifest["verdict"]
    expected = (verdict["method"], str(verdict["converged"]).lower(), "; ".join(verdict["reasons"]))
    assert {(row["method"], row["converged"], row["reasons"]) for row in rows} == {expected}


@pytest.mark.parametrize("number", [0, 3, 5])
def test_a_point_without_evidence_is_what_a_run_says(number, swept, tmp_path):
    same_as_run(swept(), number, tmp_path / "runs", tmp_path / "prior.toml")


@pytest.mark.sampling
@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_point_with_evidence_is_what_a_run_says(number, swept, tmp_path):
    same_as_run(swept(SAMPLED, MINIMAL + CLAIM), number, tmp_path / "runs", tmp_path / "prior.toml")


@pytest.mark.sampling
def test_two_processes_make_what_one_makes(swept):
    assert files(swept(SAMPLED, MINIMAL + CLAIM)) == files(swept(SAMPLED, MINIMAL + CLAIM, "two", Local(2)))


def test_the_table_has_a_row_for_each_point_and_scope_with_the_settings_as_columns(swept):
    rows = table(swept())
    assert [(row["point"], row["scope"]) for row in rows[:3]] == [
        ("0", "final_run"), ("0", "official_runs"), ("1", "final_run"),
    ]  # fmt: skip
    assert rows[4]["chips.h800.rental_rate"] == "2 to 4"
    assert {row["runs.base.exists"] for row in rows} == {"true", "0.5"}
    assert {(row["unit"], row["probability"], row["kind"], row["draws"]) for row in rows} == {
        ("USD", "0.9", "eti", "100")
    }


def test_the_scopes_of_a_point_come_in_the_order_of_the_ledger(swept):
    done = swept(f"{HEAD}prior_only = [true]\n", FULL)
    assert [row["scope"] for row in table(done)] == list(ledger.SCOPES)


def test_parquet_says_what_csv_says_in_types(swept):
    done = swept(f"{HEAD}{RATE} = {{ from = 1, to = 3, steps = 3 }}\nprior_only = [true, false]\n")
    rows = table(done)
    found = pyarrow.parquet.read_table(done.folder / "sweep.parquet")
    assert found.column("chips.h800.rental_rate").to_pylist() == [float(row["chips.h800.rental_rate"]) for row in rows]
    assert found.column("median").to_pylist() == [float(row["median"]) for row in rows]
    assert found.column("prior_only").to_pylist()[::2] == [True, False] * 3
    assert json.loads(found.schema.metadata[b"simulate"])["digest"] == done.priors.digest


def test_the_probability_of_a_fact_is_a_column_and_empty_where_nothing_is_disputed(swept):
    column = [(row["runs.base.exists"], row["P(runs.base.exists)"]) for row in table(swept())]
    assert {(state, p == "") for state, p in column} == {("true", True), ("0.5", False)}


def test_a_table_in_blocks_is_the_same_table(swept, monkeypatch):
    done = swept()
    text, _ = files(done)
    monkeypatch.setattr(sweep_table, "BLOCK", 5)
    assert files(done)[0] == text


def test_what_no_setting_touches_has_the_same_draws_at_all_points(swept):
    done = swept(f'{HEAD}{RATE} = [2, 3]\n"runs.base.label" = ["a"]\n')
    first, second = (float(row["median"]) for row in table(done) if row["scope"] == "final_run")
    assert second / first == pytest.approx(1.5, rel=1e-12)


def test_an_impossible_combination_is_a_row_that_says_why(swept, capsys):
    axes = '"chips.h800.rental_rate.q05" = [1, 3]\n"chips.h800.rental_rate.q95" = [2, 5]\n'
    quantiles = MINIMAL.replace("interval = [1.5, 3.0]", "q05 = 1.5, q95 = 4.0")
    done = swept(HEAD + axes, quantiles)
    bad = [row for row in table(done) if row["converged"] == "false"]
    assert [(row["point"], row["scope"], row["median"]) for row in bad] == [("2", "", "")]
    assert "chips.h800.rental_rate" in bad[0]["reasons"]
    assert sweep_report.find(done).reasons[0] == "1 of 4 points"


def test_going_on_gives_what_one_go_gives(swept, monkeypatch):
    calls = iter(range(100))
    whole = sweep.sampled

    def stopped(priors, point):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return whole(priors, point)

    monkeypatch.setattr(sweep, "sampled", stopped)
    with pytest.raises(KeyboardInterrupt, match="3 of 6 points are kept; the same command goes on from there"):
        swept()
    assert files(swept()) == files(swept(out="other"))
    assert next(calls) == 4 + 3 + 6


def test_what_is_there_is_not_made_again(swept, monkeypatch):
    before = files(swept())
    monkeypatch.setattr(sweep, "sampled", None)
    assert files(swept()) == before


@pytest.mark.parametrize("number", [2, 5])
def test_a_damaged_line_is_named(number, swept):
    done = swept()
    lines = done.journal.file.read_bytes().splitlines(keepends=True)
    lines[number - 1] = lines[number - 1].replace(b'"converged":true', b'"converged":false')
    done.journal.file.write_bytes(b"".join(lines))
    with pytest.raises(DamagedRunError, match=f"points.jsonl: line {number} is not a point as it was written"):
        swept()


def test_a_line_that_changes_before_the_tables_are_made_is_noticed(swept):
    done = swept()
    done.journal.file.write_bytes(done.journal.file.read_bytes()[:-9])
    with pytest.raises(DamagedRunError, match="point 5 has changed since it was read"):
        sweep_report.save(done)


def test_points_of_another_grid_are_refused_and_have_a_folder_of_their_own(swept):
    done, other = swept(), swept(EXACT.replace("draws = 100", "draws = 101"))
    assert done.folder != other.folder
    other.journal.file.write_bytes(done.journal.file.read_bytes())
    with pytest.raises(DamagedRunError, match="line 1 is not of this prior file, grid and version"):
        swept(EXACT.replace("draws = 100", "draws = 101"))


def test_other_code_or_another_library_is_another_folder_and_a_drawing_library_is_none(swept):
    first = swept()
    for name, same in (("code", False), ("numpy", False), ("matplotlib", True)):
        versions = {**pipeline.versions(), name: "another"}
        place = sweep_run.place_of(first.priors, first.grid, first.folder.parents[1], versions)
        assert (place.folder == first.folder) is same


def test_a_disk_that_refuses_leaves_the_older_tables(swept, monkeypatch):
    done = swept()
    before = files(done)

    def full(self, block):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sweep_table.ParquetTable, "add", full)
    with pytest.raises(RunError, match="free space"):
        sweep_table.write(done, [])
    assert tuple((done.folder / name).read_bytes() for name in ("sweep.csv", "sweep.parquet")) == before
    assert not list(done.folder.glob(".unfinished*"))


def test_a_point_that_has_not_converged_is_no_extreme_and_is_named(swept):
    done = swept()
    points = list(done.outcomes())
    found = sweep_report.Findings()
    for point, outcome in points:
        poor = point.number == 0
        changed = dataclasses.replace(outcome, converged=False, reasons=("R-hat of x is 1.2",)) if poor else outcome
        found.hear(point, changed)
    assert found.reasons == ["1 of 6 points", "point 0: R-hat of x is 1.2"]
    assert 0 not in {end.point.number for ends in (found.lowest, found.highest) for end in ends.values()}
    assert "NOT CONVERGED, do not cite: 1 of 6 points; point 0" in sweep_report.terminal(done, found)


@pytest.mark.parametrize(("chains", "code"), [(2, None), (1, 3)])
@pytest.mark.sampling
def test_the_command_prints_the_object_and_exits_with_3_where_a_point_has_not_converged(
    chains, code, write, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(pipeline, "cores", lambda: 1)
    points = write(f"{HEAD}{RATE} = [2]\nchains = [{chains}]\ndraws = [1000]\n".replace("draws = 100\n", ""), "g.toml")
    arguments = ["--priors", str(write(MINIMAL + CLAIM)), "--grid", str(points), "--out", str(tmp_path), "--json"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["sweep", *arguments], prog_name="simulate")
    printed = json.loads(capsys.readouterr().out)
    assert (ended.value.code or None) == code
    assert printed["converged"] is (code is None)
    assert {name for name in printed["files"] if (Path(printed["folder"]) / name).is_file()} == set(printed["files"])


@pytest.mark.sampling
def test_a_fit_does_not_import_pymc(write):
    program = (
        "import sys\nfrom pathlib import Path\nfrom simulate import grid_file, layers, sweep\n"
        "read, points = layers.read(Path(sys.argv[1])), grid_file.read(Path(sys.argv[2]))\n"
        "assert sweep.Sweeping(read).outcome(points.point(0)).method == 'nuts'\n"
        "print(*(name for name in ('pymc', 'pytensor') if name in sys.modules))"
    )
    files = [str(write(MINIMAL + CLAIM)), str(write(SAMPLED, "grid.toml"))]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", program, *files], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
