"""Bad inputs by kind, for every door: prior files, what they extend, settings, options, places, registers, tables.

The kinds of the prior files, bases and settings that have a test of their own in `test_bad_input` are in `TOLD`,
by the names that the cases have there; the cases here are given to the command line as they stand.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

from conftest import CLAIM, MINIMAL

HOURS = '{ interval = [2e6, 3e6], unit = "GPU-hour", note = "made up for the tests" }'

TOLD: dict[str, tuple[str, ...]] = {
    "empty file": ("file: empty",),
    "malformed TOML": ("file: malformed", "file: unclosed", "extends: malformed"),
    "key or table given twice": ("file: twice the same key", "file: twice the same table"),
    "wrong encoding": ("file: not utf-8",),
    "binary": ("file: binary", "file: nul bytes"),
    "absurd size": ("file: too large", "file: endless integer", "setting: an endless integer"),
    "deep nesting": (
        "file: deep lists", "file: deep tables", "file: deep inline tables", "setting: endless brackets",
        "setting: endless tables",
    ),
    "section of another shape": (
        "file: a list of files", "shape: a number for a section", "shape: a list for a section",
        "shape: a list of claims",
        "shape: a chip that is called date", "setting: below a text", "setting: below a number",
    ),
    "wrong schema version": ("shape: wrong schema version", "shape: schema as text", "shape: schema as truth"),
    "no title": ("shape: no title", "shape: empty title", "shape: title as number"),
    "no date": ("shape: date as text", "shape: a date that is none"),
    "unknown key": (
        "shape: unknown key at the top", "shape: unknown section", "shape: unknown key in a section",
        "shape: unknown key in a table", "shape: unknown key in an entry", "shape: unknown key in evidence",
        "shape: unknown key in a source", "shape: unknown key in a correlation", "shape: unknown key in a group",
        "shape: unknown key in the likelihood", "shape: unknown key in a fact", "setting: an unknown key",
        "setting: an unknown section",
    ),
    "not a name": (
        "shape: a name with a space", "shape: a name with a dot", "shape: an empty name", "shape: an endless name",
        "shape: a name beyond ASCII",
    ),
    "control character": (
        "shape: a control character", "shape: a control character in a name", "shape: a reversed direction of writing",
        "setting: a control character",
    ),
    "missing key": (
        "shape: a run of no chip", "shape: a run of no scope", "shape: staff without pay", "shape: no known",
        "shape: a source without a title", "evidence: no quantity", "evidence: no kind",
    ),
    "word that is not admitted": (
        "shape: a run of an unknown scope", "shape: bad known", "evidence: an unknown kind", "setting: words",
    ),
    "unknown unit": (
        "entry: wrong unit", "entry: a space in a unit", "entry: a text in the wrong unit", "evidence: a wrong unit",
        "evidence: a group of one that is wrong", "currency: not defined", "setting: a wrong unit",
    ),
    "wrong dimension": ("entry: wrong dimension", "evidence: a wrong dimension"),
    "no unit": ("entry: missing unit", "entry: unit as a number", "evidence: no unit"),
    "NaN": ("entry: nan", "entry: interval with nan", "evidence: a value of nan", "setting: nan", "entry: level nan"),
    "infinity": ("entry: infinite", "entry: interval with inf", "evidence: an infinite value"),
    "absurd number": ("entry: huge", "entry: huge by its unit"),
    "no number": (
        "entry: truth as a number", "entry: a date as a number", "entry: a list as a number",
        "entry: words as a number",
        "entry: a decimal comma", "entry: a text that is no number", "entry: no number", "evidence: a value as words",
        "evidence: a value as truth", "evidence: no value",
    ),
    "negative": (
        "entry: negative", "evidence: a negative value", "evidence: a value of zero", "setting: a negative number",
        "evidence: a negative value in an interval",
    ),
    "interval that does not increase": (
        "entry: interval reversed", "entry: interval of equals", "evidence: a reversed interval",
        "setting: a reversed interval", "entry: no source, no note and reversed",
    ),
    "no interval": (
        "entry: interval of one number", "entry: interval of three numbers", "entry: interval of none",
        "entry: interval as a number", "entry: interval as words", "entry: interval of words",
        "entry: interval of truths", "evidence: an interval of three",
    ),
    "interval out of range": (
        "entry: interval across zero", "entry: interval from zero", "entry: share above one",
        "entry: fixed share above one", "evidence: an interval from zero", "evidence: an interval around another value",
    ),
    "no probability": (
        "entry: level 0", "entry: level 1", "entry: level 90", "entry: level negative", "evidence: a level of 90",
        "section: a fact of probability 0", "section: a fact of probability 1", "section: a fact of probability 1.5",
        "section: a fact of probability nan",
    ),
    "given in two ways": (
        "entry: two ways at once", "entry: three ways at once", "entry: level of quantiles",
        "evidence: an error beside an interval",
    ),
    "unknown family": (
        "entry: unknown family", "entry: a list of families", "entry: parameters without a family",
        "entry: wrong parameters",
    ),
    "impossible parameters": ("entry: sd of zero", "entry: sd negative", "entry: triangular out of order"),
    "impossible mixture": ("entry: mixture of one", "entry: mixture without weight", "entry: mixture of a value"),
    "impossible quantiles": (
        "entry: quantiles not increasing", "entry: quantiles outside bounds", "entry: quantiles not symmetric",
        "entry: one quantile",
    ),
    "no provenance": (
        "entry: no source and no note", "evidence: no source", "correlation: no source", "section: a fact without note",
    ),
    "zero that divides": (
        "entry: zero for a divisor (mfu)", "entry: zero for a divisor (peak)", "entry: zero for a divisor (life)",
        "entry: zero for a divisor (utilisation)", "entry: zero for a bias", "setting: no years at all",
    ),
    "undefined source": (
        "section: undefined source", "section: undefined source of evidence", "section: undefined source of a fact",
        "entry: sources that are no names",
    ),
    "unused source": ("section: unused source",),
    "unknown chip": (
        "section: unknown chip of a run", "section: unknown chip of the fleet", "setting: a chip that is not there",
    ),
    "half of what goes together": (
        "section: a rate for one chip of two", "section: physics without tokens", "section: physics of mfu alone",
        "section: physics without a peak", "section: a run without hours", "section: an item without an amount",
        "section: an item of no scope",
    ),
    "more than goes together": (
        "section: fixed hours beside physics", "section: an item with both amounts",
        "section: hours without end beside physics",
    ),
    "no fact": (
        "section: a fact without probability", "section: a fact as a number", "section: a fact as a word",
        "section: more facts than can be marginalised",
    ),
    "nothing to compute": (
        "section: no cost at all", "section: a fleet without prices", "section: runs without a rate",
    ),
    "unknown quantity": (
        "evidence: an unknown quantity", "evidence: a sentence for a quantity", "evidence: an unknown path",
        "evidence: an absent scope",
    ),
    "wrong index": ("evidence: a wrong index", "evidence: a missing index", "evidence: an index too many"),
    "claim on what is fixed": ("evidence: a constant", "evidence: the hours of a constant"),
    "no error of a claim": ("evidence: no error", "evidence: an error of zero", "evidence: a negative error"),
    "figure used twice": (
        "evidence: double use by source", "evidence: double use of an unknown",
        "evidence: double use by what it is computed from", "evidence: double use by a sum",
        "evidence: a repeated claim",
    ),
    "impossible error model": (
        "evidence: a group of none", "evidence: a group that shares all", "evidence: errors of infinite variance",
    ),
    "correlation of no unknowns": (
        "correlation: correlation with a constant", "correlation: correlation of an unknown path",
        "correlation: correlation of a misspelt path", "correlation: correlation of one",
        "correlation: correlation with itself",
    ),
    "no correlation": (
        "correlation: correlation of 1", "correlation: correlation of -2", "correlation: correlation of nan",
        "correlation: correlation as a word", "correlation: rank and normal", "correlation: neither rank nor normal",
    ),
    "no correlation matrix": (
        "correlation: a matrix of another size", "correlation: a ragged matrix",
        "correlation: a matrix that is not symmetric", "correlation: a matrix without its diagonal",
        "correlation: not positive definite", "correlation: twice the same pair",
    ),
    "no currency": (
        "currency: of an uncertain worth", "currency: of no worth", "currency: of negative worth",
        "currency: called USD", "currency: called GPU",
    ),
    "no base": (
        "extends: missing", "extends: not toml", "extends: a number", "extends: a folder", "extends: a nul",
        "extends: a text",
    ),
    "circular extends": ("extends: itself", "extends: a circle", "extends: a chain too long"),
    "base outside the folder": ("extends: outside", "extends: an absolute path"),
    "no setting": (
        "setting: no equals sign", "setting: no expression", "setting: no path", "setting: no key",
        "setting: a table header", "setting: two lines", "setting: the schema", "setting: extends",
    ),
}  # fmt: skip
"""Kind of bad input and the names of its cases in `test_bad_input`."""


def hours(raw: str) -> str:
    return MINIMAL.replace(HOURS, raw)


def noted(raw: str) -> str:
    return hours(f'{{ {raw}, unit = "GPU-hour", note = "made up" }}')


def unit(raw: str) -> str:
    return hours(f'{{ value = 3, unit = "{raw}", note = "made up" }}')


def title(raw: str) -> str:
    return MINIMAL.replace("One run", raw)


def head(raw: str) -> str:
    return MINIMAL.replace("schema = 1", f"schema = 1\n{raw}")


def many(text: str, number: int, end: str = "\n") -> str:
    return end.join(text.format(i) for i in range(number))


QUOTED = '"b{}.toml"'

FILES: dict[str, dict[str, str | bytes]] = {
    "another format": {
        "JSON": json.dumps({"schema": 1}),
        "YAML": "schema: 1\ntitle: x\n",
        "INI": "[run]\nchip = h800\n",
        "HTML": "<html><script>alert(1)</script></html>",
        "gzip": gzip.compress(MINIMAL.encode()),
        "a pickle": b"cos\nsystem\n(S'true'\ntR.",
        "a zip's head": b"PK\x03\x04" + MINIMAL.encode(),
    },
    "wrong encoding": {
        "UTF-16": MINIMAL.encode("utf-16"),
        "UTF-32": MINIMAL.encode("utf-32"),
        "Latin-1": title("Öne").encode("latin-1"),
        "Shift JIS": title("日本").encode("shift-jis"),
        "overlong UTF-8": MINIMAL.encode() + b"\xc0\xaf",
        "half a surrogate pair": title("X").encode().replace(b"X", b"\xed\xa0\xbd"),
        "an escaped half of a pair": title("\\ud800"),
        "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + MINIMAL.encode(),
        "lines that end in CR alone": MINIMAL.replace("\n", "\r"),
    },
    "invisible or reversing character": {
        "left-to-right mark": title("\u200e"),
        "Arabic letter mark": title("\u061c"),
        "line separator": title("\u2028"),
        "tag": title("\U000e0041"),
        "isolate": title("\u2066"),
        "C1 control": title("\\u009b31m"),
        "carriage return": title("a\\rb"),
        "escape": title("\\u001b]0;x\\u0007"),
    },
    "too many keys": {
        "at the top": head(many("k{}=0", 30_000)),
        "in a section": f"{MINIMAL}[hosting]\n{many('k{}=0', 30_000)}",
        "in an entry": hours(f"{{ {many('k{}=0', 30_000, ', ')} }}"),
        "in a section, just admitted": f"{MINIMAL}[hosting]\n{many('k{}=0', 15_000)}",
        "a million": "k = 0\n" * 1_000_000,
    },
    "too many of a thing": {
        "chips": MINIMAL + many("[chips.c{}]", 25_000),
        "sources": MINIMAL + many('[sources.s{}]\ntitle="t"\nknown="primary"', 15_000),
        "citations": noted(f"value = 3, sources = [{many(QUOTED, 25_000, ', ')}]"),
        "claims": MINIMAL + many('[evidence.e{}]\nquantity="final_run"\nkind="estimate"\nvalue=5', 14_000),
        "bases": head(f"extends = [{many(QUOTED, 40_000, ', ')}]"),
        "components": noted(f"components = [{many('{{weight=1,interval=[1,2]}}', 3_000, ', ')}]"),
        "correlated unknowns": MINIMAL + f"[correlations.c]\nrank = 0.1\nbetween = [{many(QUOTED, 9_000, ', ')}]",
        "tables in a list": MINIMAL + "[[x]]\n" * 30_000,
    },
    "endless text": {
        "as a unit": unit("m" * 400_000),
        "as a unit in brackets": unit("(" * 400_000),
        "as a unit divided": unit("GPU/" * 200_000),
        "as a number": hours(f'"{"9" * 400_000}"'),
        "as a number with spaces": hours(f'"3{" " * 400_000}x"'),
        "as an interval": hours(f'"{"1 to " * 100_000}"'),
        "as an exponent": hours(f'"1e{"9" * 100_000} GPU-hour"'),
        "as a family": noted(f'interval = [1, 3], family = "{"x" * 400_000}"'),
        "as a key": f"{MINIMAL}\n{'k' * 400_000} = 1",
        "as dotted keys": ".".join("a" * 200_000) + " = 1",
    },
    "integer beyond floats": {
        "as a value": noted(f"value = {'1' * 4000}"),
        "as an end": noted(f"interval = [1, {'1' * 4000}]"),
        "as a level": noted(f"interval = [1, 2], level = {'1' * 4000}"),
        "as a quantile": noted(f"q05 = 1, q50 = 2, q95 = {'1' * 4000}"),
        "as a weight": noted(f"components = [{{weight={'1' * 4000}, interval=[1,2]}}, {{weight=1, interval=[2,3]}}]"),
        "as a figure": MINIMAL + CLAIM.replace("6e6", "1" * 4000),
        "as an error": MINIMAL + CLAIM.replace("0.2", "1" * 4000),
        "as the schema": MINIMAL.replace("schema = 1", f"schema = {'1' * 4000}"),
    },
    "unit that computes": {
        "a power": unit("GPU**9999"),
        "a tower of powers": unit("9**9**9**9"),
        "a call": unit("__import__('os')"),
        "a division by zero": unit("GPU/0"),
        "brackets": unit("()"),
        "a number before it": unit("1e400 GPU-hour"),
        "a degree": unit("°C"),
        "two prefixes": unit("kMUSD"),
        "a line": unit("GPU\\nhour"),
        "a no-break space": unit("\\u00a0"),
    },
    "number in another notation": {
        "Arabic digits": hours('"٣ GPU-hour"'),
        "a dash": hours('"1–2 GPU-hour"'),
        "a minus sign": hours('"−3 GPU-hour"'),
        "hexadecimal": hours('"0x10 GPU-hour"'),
        "two exponents": hours('"1e3e3 GPU-hour"'),
        "infinity": hours('"inf GPU-hour"'),
        "three ends": hours('"1 to 2 to 3 GPU-hour"'),
        "a comparison": hours('"< 3 GPU-hour"'),
        "a command": hours('"3 GPU-hour; rm -rf /"'),
    },
    "bounds that leave nothing": {
        "swapped": noted("lower = 3, upper = 2, interval = [1, 2]"),
        "nan": noted("lower = nan, interval = [1, 2]"),
        "infinite": noted("interval = [1, 2], upper = inf"),
        "at the ends": noted("interval = [1, 2], lower = 1, upper = 2"),
    },
    "no table of cases": {
        "unknown": noted('reference = "nowhere"'),
        "outside": noted('reference = "../../etc/passwd"'),
        "absolute": noted('reference = "/etc/passwd"'),
        "a number": noted("reference = 3"),
    },
    "other time": {
        "year 0": head("as_of = 0000-01-01"),
        "a moment": head("as_of = 2025-01-01T00:00:00Z"),
        "a time of day": head("as_of = 10:00:00"),
        "the 30th of February": head("as_of = 2025-02-30"),
    },
    "other money": {
        "euro": head('money = "EUR 2025"'),
        "a distant year": head('money = "USD 99999999"'),
        "none": head('money = ""'),
        "markup": head('money = "USD 2025<b>|"'),
        "a number": head("money = 2025"),
    },
}
"""Kind of bad prior file, and its cases."""

SETTINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "conflicting settings": {
        "an entry and below it": ("runs.base.gpu_hours=3", "runs.base.gpu_hours.interval=[1, 2]"),
        "a table and below it": ("runs=3", "runs.base.gpu_hours=3"),
        "two ways": ("runs.base.gpu_hours={ value = 3 }", "runs.base.gpu_hours.interval=[3, 4]"),
        "a chip that is set absent": ("fleet.h800.count=5", "chips=0"),
        "a run and its chip": ("runs.base.chip=h900", "runs.base.chip=h901"),
        "a scope removed": ("runs.base.part_of=company", "runs.base.gpu_hours=3"),
    },
    "setting of another shape": {
        "half a surrogate pair": ("title=a\udcff",),
        "a list for a title": ("title=[1]",),
        "a table for a section": ("chips={}",),
        "a thousand that are wrong": tuple(f"x.y{i}={i}" for i in range(1000)),
        "markup for a unit": ("runs.base.gpu_hours=3 <b>GPU-hour</b>",),
    },
}  # fmt: skip

OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "value of an option out of range": {
        "no draws": ("--draws", "0"),
        "draws below 10": ("--draws", "9"),
        "draws beyond reason": ("--draws", "1000000000000"),
        "negative tuning": ("--tune", "-1"),
        "no chains": ("--chains", "0"),
        "a thousand chains": ("--chains", "1000"),
        "a negative seed": ("--seed", "-1"),
        "a seed beyond 32 bits": ("--seed", str(2**32)),
        "probability 0": ("--probability", "0"),
        "probability 1": ("--probability", "1"),
        "probability 90": ("--probability", "90"),
    },
    "value of an option that is no number": {
        "draws in words": ("--draws", "many"),
        "draws with a fraction": ("--draws", "10.5"),
        "a hexadecimal seed": ("--seed", "0x10"),
        "probability nan": ("--probability", "nan"),
        "probability inf": ("--probability", "inf"),
        "probability in percent": ("--probability", "90%"),
        "an empty number": ("--chains", ""),
        "a number of four thousand digits": ("--seed", "1" * 5000),
    },
    "unknown option": {
        "misspelt": ("--drawz", "10"),
        "without its value": ("--draws",),
        "an argument too many": ("another.toml",),
        "a value for a flag": ("--quiet=maybe",),
    },
}  # fmt: skip
"""Options of ``simulate run``, by kind."""

VERBS: dict[str, dict[str, tuple[str, ...]]] = {
    "no run meant": {
        "show nothing": ("show", "nothing"),
        "show an empty name": ("show", ""),
        "show a path that is none": ("show", "a" * 5000),
        "plot nothing": ("plot", "nothing"),
        "reproduce nothing": ("reproduce", "nothing"),
        "verify nothing": ("verify", "nothing", "nowhere"),
        "verify neither": ("verify",),
        "sensitivity of nothing": ("sensitivity", "nothing"),
        "compare nothing": ("compare", "nothing", "nowhere"),
        "audit of nothing": ("audit", "nothing"),
    },
    "question or citation of no run": {
        "a question to nothing": ("query", "nothing", "company"),
        "no question": ("query", "minimal"),
        "a citation of nothing": ("cite", "nothing"),
        "an unknown markup": ("cite", "minimal", "--format", "word"),
        "a level of nan": ("query", "minimal", "company", "--probability", "nan"),
    },
    "no figure, weight, name or quantity": {
        "plot an unknown kind": ("plot", "minimal", "pie"),
        "a weight of 0": ("pool", "minimal.toml=0", "other.toml=1"),
        "a weight of nan": ("pool", "minimal.toml=nan", "other.toml=1"),
        "an infinite weight": ("pool", "minimal.toml=1e400", "other.toml=1"),
        "no weight": ("pool", "minimal.toml", "other.toml"),
        "one member": ("pool", "minimal.toml=1"),
        "too few fits": ("calibrate", "--priors", "minimal.toml", "--fits", "1"),
        "nothing to calibrate": ("calibrate", "--priors", "minimal.toml"),
        "a name that leads elsewhere": ("init", "../lab"),
        "an empty name": ("init", ""),
        "a name with a slash": ("init", "a/b"),
        "a name of dots": ("init", ".."),
    },
}  # fmt: skip
"""Arguments of other verbs, by kind."""


def pipe(path: Path) -> None:
    os.mkfifo(path)


def door(path: Path) -> None:
    listening = socket.socket(socket.AF_UNIX)
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(path.parent)  # the address of a socket is short
        listening.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)
        listening.close()


def linked(to: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(to)


PLACES: dict[str, dict[str, Callable[[Path], None]]] = {
    "folder or nothing for a file": {
        "nothing": lambda path: None,
        "a folder": Path.mkdir,
        "a link to nothing": linked("nothing"),
        "a link to a folder": linked("/"),
    },
    "link in a circle": {"to itself": linked("file.toml"), "to another": linked("./file.toml")},
    "no regular file": {
        "a pipe that nobody writes to": pipe,
        "a socket": door,
        "endless zeros": linked("/dev/zero"),
        "endless chance": linked("/dev/urandom"),
        "a terminal": linked("/dev/tty"),
        "a full device": linked("/dev/full"),
        "nothing at all": linked("/dev/null"),
        "memory": linked("/proc/self/mem"),
    },
}
"""What can stand where a file is meant: each is made at a path, and given to every verb that reads a file."""

READERS: dict[str, tuple[str, ...]] = {
    "check": ("check", "{}"),
    "run": ("run", "--priors", "{}"),
    "pool": ("pool", "{}=1", "minimal.toml=1"),
    "audit": ("audit", "--register", "{}"),
    "validate": ("validate", "--runs", "{}"),
    "calibrate": ("calibrate", "--priors", "{}"),
    "sweep": ("sweep", "--priors", "{}", "--grid", "grid.toml"),
    "sweep over": ("sweep", "--priors", "minimal.toml", "--grid", "{}"),
}
"""Verbs that read a file, and how they are given one."""

STEMS = ("..toml", "...toml", " .toml", "a\nb.toml", "a\x1b[31mb.toml", "\u202eb.toml")
"""Names of prior files below which no run can be kept, though what is in them is good."""

REGISTER = """
register = 1
title = "A register"
[articles.A]
publisher = "A paper"
date = 2025-01-01
[claims.A-1]
article = "A"
claimant = "someone"
topic = "cost"
quantity = "final_run"
says = "it cost 5 million"
value = "5M"
unit = "USD"
"""

REGISTERS: dict[str, dict[str, str]] = {
    "no register": {
        "empty": "",
        "a prior file": MINIMAL,
        "another version": REGISTER.replace("register = 1", "register = 2"),
        "no claims": REGISTER[: REGISTER.index("[claims")],
        "a table too many": f"{REGISTER}[verdicts]\na = 1\n",
        "too many keys": REGISTER + many("k{}=0", 25_000),
        "a control character": REGISTER.replace("someone", "some\\u001b[31mone"),
    },
    "sum that cannot be computed": {
        "code": f"{REGISTER}identity = [\"__import__('os').system('true') = 1\"]\n",
        "an attribute": f'{REGISTER}identity = ["[A-1].real = 1"]\n',
        "a power": f'{REGISTER}identity = ["[A-1] ** 99999999 = 1"]\n',
        "brackets without end": f'{REGISTER}identity = ["{"(" * 200}[A-1] = 1"]\n',
        "signs without end": f'{REGISTER}identity = ["{"-" * 290}[A-1] = 1"]\n',
        "a side too long": f'{REGISTER}identity = ["[A-1] = {"1+" * 200_000}1"]\n',
        "a division by zero": f'{REGISTER}identity = ["[A-1] / 0 = 1"]\n',
        "two relations": f'{REGISTER}identity = ["1 = [A-1] = 1"]\n',
        "nobody": f'{REGISTER}identity = ["[A-2] = 1"]\n',
        "another dimension": f'{REGISTER}identity = ["[A-1] = 1"]\n',
    },
}

AXES = 'schema = 1\ntitle = "A grid"\n[axes]\n'

GRIDS: dict[str, dict[str, str | bytes]] = {
    "no grid": {
        "empty": "",
        "a prior file": MINIMAL,
        "no axes": AXES,
        "not TOML": "axes = = 3",
        "binary": bytes(range(256)),
        "values without end": f'{AXES}"scope.horizon" = [{"1," * 30_000}]\n',
        "axes without end": AXES + many('"a.b{}" = [1, 2]', 15_000),
        "a key joined without end": AXES + ".".join("a" * 200_000) + " = 1",
        "an endless key": f"{AXES}{'k' * 400_000} = 1",
        "a control character": f'{AXES}"scope.hor\\u001b[31mizon" = [1]\n',
    },
    "axis that is none": {
        "no path of the prior file": f'{AXES}"runs.none.gpu_hours" = [1, 2]\n',
        "nan": f'{AXES}"runs.base.gpu_hours" = [nan]\n',
        "steps beyond reason": f'{AXES}"runs.base.gpu_hours" = {{ from = 1, to = 2, steps = 1000000000 }}\n',
        "points beyond reason": AXES + many('"runs.r{}.gpu_hours" = {{ from = 1, to = 2, steps = 1000 }}', 5),
        "an infinite end": f'{AXES}"runs.base.gpu_hours" = {{ from = 1, to = inf, steps = 2 }}\n',
    },
}

HEADER = "model,architecture,active_params,tokens,hardware,peak_tflops_bf16,gpu_hours,family,physics_test_eligible\n"
ROW = "X-7B,dense,7e9,1e12,A100,312,90000,X,yes\n"

TABLES: dict[str, dict[str, str | bytes]] = {
    "no table of training runs": {
        "empty": "",
        "a header alone": HEADER,
        "no header": ROW,
        "another separator": (HEADER + ROW).replace(",", ";"),
        "a column twice": HEADER.replace("family", "tokens") + ROW,
        "a cell without end": HEADER + '"' + "x" * 200_000 + '"' + ROW,
        "a quote without end": HEADER + '"X-7B,dense',
        "a nul": HEADER + ROW.replace("X-7B", "X\0"),
        "not UTF-8": b"\xff\xfe" + (HEADER + ROW).encode(),
        "too many rows": HEADER + ROW * 5000,
    },
    "row that is no training run": {
        "negative hours": HEADER + ROW.replace("90000", "-1"),
        "no tokens": HEADER + ROW.replace("1e12", "0"),
        "nan": HEADER + ROW.replace("7e9", "nan"),
        "infinite": HEADER + ROW.replace("7e9", "inf"),
        "a formula": HEADER + ROW.replace("7e9", "=7*1e9"),
        "an unknown architecture": HEADER + ROW.replace("dense", "sparse"),
        "a control character": HEADER + ROW.replace("X-7B", "X\x1b[31m"),
        "twice the same": HEADER + ROW + ROW,
    },
}


def counted() -> dict[str, int]:
    """Return how many bad inputs there are of each kind; of places, one for each verb that reads a file."""
    found = {kind: len(names) for kind, names in TOLD.items()}
    for table in (FILES, SETTINGS, OPTIONS, VERBS, REGISTERS, GRIDS, TABLES):
        for kind, cases in table.items():
            found[kind] = found.get(kind, 0) + len(cases)
    found |= {kind: len(cases) * len(READERS) for kind, cases in PLACES.items()}
    return found | {"name that no folder can have": len(STEMS)}
