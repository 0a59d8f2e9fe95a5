"""Answers about a run as a table a person reads, as one object for machines, and their draws as a file."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simulate import results, summary
from simulate.errors import RunError, SimulateError
from simulate.query import Answer, Column
from simulate.report import by_hand, finite, table
from simulate.results import Run
from simulate.summary import amount, published

ABSENT = "–"
EXTREME = 0.01
"""How close to 0 or 1 a probability is said to be that none or all of many draws speak for."""

LOOSEST = 0.3
"""A bound on a probability above which it says nothing."""

ROUNDING = 1e-12
"""Relative error that is arithmetic, and none of the draws."""

CSV, PARQUET = ".csv", ".parquet"
FORMATS = (CSV, PARQUET)


def terminal(run: Run, answers: Sequence[Answer]) -> str:
    """Return what ``simulate query`` prints."""
    manifest = run.manifest
    verdict = manifest["verdict"]
    alarm = [] if verdict["converged"] else [verdict["in_words"]]
    notes = [f"{answer.expression}: {note}" for answer in answers for note in answer.notes]
    heads = f"{heading(manifest, answers)}; run {run.folder}"
    return "\n\n".join([*alarm, heads, table(cells(answers)), *(["\n".join(notes)] if notes else [])])


def heading(manifest: Mapping[str, Any], answers: Sequence[Answer]) -> str:
    """Return of whose cost, in which money, from how many draws the answers are, and what the run changed."""
    made, kept = manifest["sampling"]["chains"] * manifest["sampling"]["draws"], answers[0].draws
    of_all = "" if kept == made else f" kept of {made:,}"
    return (
        f"{manifest['group'].capitalize()} for {manifest['subject']}, {manifest['money']}; {kept:,} draws{of_all}, "
        f"equal-tailed intervals{by_hand(manifest['settings'])}"
    )


def cells(answers: Sequence[Answer]) -> list[list[str]]:
    """Return the table of answers, header first; without intervals where no answer has one."""
    level = next((f"{100 * one.row.probability:g} % credible interval" for one in answers if one.row), "")
    rows = [["expression", "what", "value", level, "Monte Carlo error"]]
    rows += [[" ".join(a.expression.split()), a.what, in_words(a), interval(a), error(a)] for a in answers]
    shown = [0, 1, 2, 3, 4] if any(answer.row for answer in answers) else [0, 1, 2, 4]
    return [[row[column] for column in shown] for row in rows]


def in_words(answer: Answer) -> str:
    """Return the number that an answer is, with the digits that its Monte Carlo error supports."""
    mcse = answer.mcse if np.isfinite(answer.mcse) else 0.0
    if answer.row and answer.row.lower == answer.row.upper:
        return published(answer.value, answer.unit)
    if answer.what != "P":
        return amount(answer.value, answer.unit, mcse)
    if answer.value in (0.0, 1.0):
        bound = max(EXTREME, 3 / (answer.draws if answer.held is None else answer.held))
        return f"<{bound:.2g}" if answer.value == 0 else f">{1 - bound:.2g}"
    return probability_in_words(answer.value, mcse)


def probability_in_words(probability: float, mcse: float) -> str:
    """Return a probability as finely as the smaller of itself and its complement is known, or a bound on that.

    What is within two Monte Carlo errors of zero is only bounded, two errors above it.

    >>> probability_in_words(0.99525, 0.0022), probability_in_words(0.00475, 0.0022), probability_in_words(0.64, 0.01)
    ('0.995', '0.005', '0.64')
    >>> probability_in_words(0.9981, 0.0011), probability_in_words(0.0004, 0.0003)
    ('>0.995', '<0.001')
    """
    smaller, is_high = min(probability, 1 - probability), probability > 0.5
    above = smaller + 2 * mcse
    is_bounded = smaller < 2 * mcse and above < LOOSEST
    if is_bounded:
        places = -math.floor(math.log10(above))
        word = f"{math.ceil(above * 10**places) / 10**places:.{places}f}"
    else:
        word = amount(smaller, "", mcse)
    if is_high:
        word = f"{1 - float(word):.{len(word.partition('.')[2])}f}"
    return f"{'' if not is_bounded else '>' if is_high else '<'}{word}"


def interval(answer: Answer) -> str:
    """Return the equal-tailed interval of a quantity; nothing for a statistic, which is one number."""
    row = answer.row
    if row is None or row.lower == row.upper:
        return ABSENT
    low, high = amount(row.lower, row.unit, row.mcse_lower), amount(row.upper, row.unit, row.mcse_upper)
    return f"{low} to {high}"


def error(answer: Answer) -> str:
    """Return the Monte Carlo standard error of an answer, to one digit; none where the draws do not tell it."""
    ends = (answer.row.lower, answer.row.upper) if answer.row else ()
    if not answer.mcse > ROUNDING * max(map(abs, (answer.value, *ends))):
        return ABSENT
    return amount(answer.mcse, answer.unit, answer.mcse)


def for_machines(run: Run, answers: Sequence[Answer]) -> dict[str, Any]:
    """Return what ``simulate query --json`` prints; a number that does not exist is null."""
    manifest = run.manifest
    return {
        "run": str(run.folder),
        "converged": run.converged,
        "reasons": list(manifest["verdict"]["reasons"]),
        "group": manifest["group"],
        "money": manifest["money"],
        "digest": manifest["digest"],
        "seed": manifest["sampling"]["seed"],
        "answers": [answer_object(answer) for answer in answers],
    }


def answer_object(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON; of a quantity, with the ends of its interval and their Monte Carlo errors."""
    row = answer.row
    ends = {} if row is None else {
        "lower": row.lower, "upper": row.upper, "mcse_lower": finite(row.mcse_lower),
        "mcse_upper": finite(row.mcse_upper), "probability": row.probability, "kind": summary.KIND,
        "mean": row.mean, "sd": row.sd, "ess_bulk": finite(row.ess_bulk), "r_hat": finite(row.r_hat),
    }  # fmt: skip
    return {
        "expression": answer.expression,
        "what": answer.what,
        "value": answer.value,
        "mcse": finite(answer.mcse),
        "unit": answer.unit,
        **ends,
        "in_words": in_words(answer),
        "draws": answer.draws,
        "condition_holds_in": answer.held,
        "notes": answer.notes,
    }


# ---------------------------------------------------------------------------------------------
# Draws


def columns(answers: Sequence[Answer]) -> list[Column]:
    """Return the draws asked for, each once."""
    return list({column.name: column for answer in answers for column in answer.columns}.values())


def about(run: Run, drawn: Sequence[Column]) -> dict[str, Any]:
    """Return what a file of draws says of itself."""
    manifest = run.manifest
    return {
        "run": f"{manifest['name']}/{run.folder.name}",
        "digest": manifest["digest"],
        "seed": manifest["sampling"]["seed"],
        "simulate": manifest["versions"]["simulate"],
        "group": manifest["group"],
        "money": manifest["money"],
        "converged": run.converged,
        "units": {column.name: column.unit or "1" for column in drawn},
    }


def indexes(drawn: Sequence[Column]) -> dict[str, Any]:
    """Return the chain and the draw of each row, from 0."""
    chains, draws = drawn[0].values.shape
    return {"chain": np.repeat(np.arange(chains), draws), "draw": np.tile(np.arange(draws), chains)}


def as_csv(drawn: Sequence[Column], said: Mapping[str, Any]) -> bytes:
    """Return draws as CSV at full precision, with what they are in comment lines (``#``) before the header."""
    file = io.StringIO(newline="")
    file.writelines(f"# {key}: {value}\n" for key, value in said.items() if key != "units")
    file.writelines(f"# unit of {name}: {unit}\n" for name, unit in said["units"].items())
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*indexes(drawn), *(column.name for column in drawn)])
    lists = [values.tolist() for values in (*indexes(drawn).values(), *(column.values.ravel() for column in drawn))]
    writer.writerows(zip(*lists, strict=True))
    return file.getvalue().encode()


def as_parquet(drawn: Sequence[Column], said: Mapping[str, Any]) -> bytes:
    """Return draws as Parquet: the unit of a column is metadata of its field, what they are that of the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [pa.field(name, pa.int64()) for name in indexes(drawn)]
    fields += [pa.field(column.name, pa.float64(), metadata={"units": column.unit or "1"}) for column in drawn]
    arrays = [pa.array(values) for values in (*indexes(drawn).values(), *(column.values.ravel() for column in drawn))]
    schema = pa.schema(fields, metadata={"simulate": json.dumps(dict(said))})
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink)
    return bytes(sink.getvalue())


def check_place(path: Path, *, overwrite: bool) -> None:
    """Raise `SimulateError` where draws cannot be written to a path, before anything is computed for it."""
    if path.suffix.lower() not in FORMATS:
        raise SimulateError(f"{path}: no known kind of file; end its name in {' or '.join(FORMATS)}")
    if path.exists() and not overwrite:
        raise RunError(f"{path}: exists already; choose another name, or give --overwrite")
    if path.suffix.lower() == PARQUET:
        try:
            import pyarrow.parquet  # noqa: F401, what writes it is not everywhere
        except ImportError:
            raise SimulateError(f"{path}: Parquet needs pyarrow: pip install pyarrow, or end in {CSV}") from None


def save_draws(path: Path, run: Run, answers: Sequence[Answer], *, overwrite: bool = False) -> None:
    """Write the joint draws that answers are made of, a row for each draw, whole or not at all.

    Raises `SimulateError` for an unknown kind of file, a file that is there already, and a disk that refuses.
    """
    check_place(path, overwrite=overwrite)
    drawn = columns(answers)
    make = as_parquet if path.suffix.lower() == PARQUET else as_csv
    results.add_file(path, make(drawn, about(run, drawn)), "choose another place with --draws")
