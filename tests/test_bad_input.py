"""A prior file that cannot be used says where, what stands there and what would do; all of it at once."""

import re
from pathlib import Path

import pytest
from conftest import FULL, MINIMAL, Faults, Load, Write

from simulate import loading
from simulate.errors import InputError

HOURS = '{ interval = [2e6, 3e6], unit = "GPU-hour", note = "made up for the tests" }'
ENDLESS = '{ family = "lognormal", median = 1e6, sigma = 1e6, unit = "GPU-hour", note = "made up" }'
NOTED = 'note = "made up"'
FOREIGN = re.compile(
    r"pydantic|<class|NoneType|\b(None|int|float|str|dict|dictionary|instance of|Traceback|errors\.)\b"
)
"""Words of the language and the libraries, which a prior file does not have."""

Expected = tuple[tuple[str, str], ...]


def edit(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the text"
        text = text.replace(old, new)
    return text


def full(*changes: tuple[str, str]) -> str:
    return edit(FULL, *changes)


def hours(raw: str) -> str:
    return edit(MINIMAL, (HOURS, raw))


def noted(raw: str) -> str:
    """Return the file with its hours given as ``raw``, with the unit and a note."""
    return hours(f'{{ {raw}, unit = "GPU-hour", {NOTED} }}')


def load_factor(raw: str) -> str:
    return f"{MINIMAL}[hosting]\nload = {{ {raw}, {NOTED} }}\n"


def claim(name: str = "claim", **keys: str) -> str:
    """Return an evidence table; keys are raw TOML, an empty one is left out."""
    given = {
        "quantity": '"final_run"',
        "kind": '"estimate"',
        "value": "5e6",
        "relative_error": "0.2",
        "unit": '"USD"',
        "note": '"made up"',
        **keys,
    }
    return f"\n[evidence.{name}]\n" + "".join(f"{key} = {raw}\n" for key, raw in given.items() if raw)


def source(name: str) -> str:
    return f'\n[sources.{name}]\ntitle = "A source"\nknown = "primary"\n'


def correlation(name: str = "c", **keys: str) -> str:
    given = {
        "between": '["runs.base.gpu_hours", "chips.h800.rental_rate"]',
        "rank": "0.5",
        "note": '"made up"',
        **keys,
    }
    return f"\n[correlations.{name}]\n" + "".join(f"{key} = {raw}\n" for key, raw in given.items() if raw)


def physics(**keys: str) -> str:
    """Return a run known by its physics alone."""
    given = {
        "active_parameters": '{ value = 37e9, unit = "parameter" }',
        "tokens": '{ value = 14.8e12, unit = "token" }',
        "mfu": "{ interval = [0.3, 0.4] }",
        "peak_flops": '{ value = 989e12, unit = "FLOP/second/GPU" }',
        **keys,
    }
    peak = given.pop("peak_flops")
    run = "".join(f"{key} = {raw}\n" for key, raw in given.items() if raw) + NOTED
    return edit(
        MINIMAL,
        (f"gpu_hours = {HOURS}", run),
        ("[chips.h800]", "[chips.h800]" + (f"\npeak_flops = {peak}" if peak else "")),
    )


def facts(number: int) -> str:
    chips = "".join(
        f'[fleet.c{n}]\ncount = {{ value = 5, unit = "GPU" }}\nexists = {{ probability = 0.5 }}\n{NOTED}\n'
        f'[chips.c{n}]\nserver_cost = {{ value = 5, unit = "USD/GPU", {NOTED} }}\n'
        for n in range(number)
    )
    return f'schema = 1\ntitle = "Disputed"\n{chips}'


FILES: dict[str, tuple[str | bytes, Expected]] = {
    "empty": ("", (("schema", "missing"), ("title", "missing"))),
    "malformed": ("schema = = 1", (("TOML", "line 1, column 10"),)),
    "unclosed": (MINIMAL + "[evidence", (("TOML", "expected ']'"),)),
    "twice the same key": (MINIMAL + "\ngpu_hours = 3", (("TOML", "overwrite"),)),
    "twice the same table": (MINIMAL + '[chips.h800]\nlabel = "x"', (("TOML", "twice"),)),
    "not utf-8": (MINIMAL.encode() + b'note = "\xff\xfe"', (("file", "not UTF-8"),)),
    "binary": (b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)), (("file", "not UTF-8"),)),
    "nul bytes": (b"\x00" * 100, (("TOML", "line 1"),)),
    "too large": (MINIMAL + "#" * 1_000_001, (("file", "larger than 1,000,000 bytes"),)),
    "deep lists": ("a = " + "[" * 5000 + "]" * 5000, (("TOML", "nested too deeply"),)),
    "deep tables": ("[" + ".".join("a" * 400) + "]", (("TOML", "nested too deeply"),)),
    "deep inline tables": ("x = " + "{a = " * 14 + "1" + "}" * 14, (("TOML", "nested too deeply"),)),
    "endless integer": ("schema = " + "1" * 5000, (("TOML", "5000 digits"),)),
    "a list of files": ("[[runs]]\nchip = 3", (("schema", "missing"), ("title", "missing"), ("runs", ""))),
}

SHAPES: dict[str, tuple[str, Expected]] = {
    "wrong schema version": (edit(MINIMAL, ("schema = 1", "schema = 2")), (("schema", "2"),)),
    "schema as text": (edit(MINIMAL, ("schema = 1", 'schema = "1"')), (("schema", "1"),)),
    "schema as truth": (edit(MINIMAL, ("schema = 1", "schema = true")), (("schema", "true"),)),
    "no title": (edit(MINIMAL, ('title = "One run at a rental rate"', "")), (("title", "missing"),)),
    "empty title": (edit(MINIMAL, ("One run at a rental rate", "")), (("title", ""),)),
    "title as number": (edit(MINIMAL, ('"One run at a rental rate"', "3")), (("title", "3"),)),
    "date as text": (edit(MINIMAL, ("schema = 1", 'schema = 1\nas_of = "2025-01-31"')), (("as_of", "2025-01-31"),)),
    "unknown key at the top": (edit(MINIMAL, ("schema = 1", "schema = 1\nversion = 1")), (("version", "unknown key"),)),
    "unknown section": (MINIMAL + "[flet.h800]\n", (("flet", "unknown key"),)),
    "unknown key in a section": (MINIMAL + "[hosting]\npeu = 1.2\n", (("hosting.peu", "unknown key"),)),
    "unknown key in a table": (
        edit(MINIMAL, ("[chips.h800]", '[chips.h800]\ncolour = "red"')),
        (("chips.h800.colour", "unknown key"),),
    ),
    "unknown key in an entry": (
        noted("interval = [2e6, 3e6], sure = 3"),
        (("runs.base.gpu_hours.sure", "unknown key"),),
    ),
    "unknown key in evidence": (MINIMAL + claim(weight="3"), (("evidence.claim.weight", "unknown key"),)),
    "unknown key in a source": (
        full(('title = "A paper"', 'title = "A paper"\nyear = 2025')),
        (("sources.paper.year", "unknown key"),),
    ),
    "unknown key in a correlation": (
        MINIMAL + correlation(pearson="0.5"),
        (("correlations.c.pearson", "unknown key"),),
    ),
    "unknown key in a group": (
        full(("correlation = 0.8", "correlation = 0.8\nx = 1")),
        (("groups.press.x", "unknown key"),),
    ),
    "unknown key in the likelihood": (MINIMAL + "[likelihood]\nnu = 4\n", (("likelihood.nu", "unknown key"),)),
    "unknown key in a fact": (
        full(("{ probability = 0.3, ", "{ probability = 0.3, odds = 3, ")),
        (("fleet.h100.exists.odds", "unknown key"),),
    ),
    "a number for a section": (MINIMAL + "[fleet]\nh800 = 3\n", (("fleet.h800", "3"),)),
    "a list for a section": (edit(MINIMAL, ("schema = 1", "schema = 1\nstaff = [1]")), (("staff", ""),)),
    "a list of claims": (
        MINIMAL + claim().replace("[evidence.claim]", "[[evidence]]"),
        (("evidence", ""),),
    ),
    "a name with a space": (MINIMAL + '[chips."h 800"]\n', (("chips.h 800", "not a name"),)),
    "a name with a dot": (MINIMAL + '[chips."h.800"]\n', (("chips.h.800", "not a name"),)),
    "an empty name": (MINIMAL + '[chips.""]\n', (("chips", "not a name"),)),
    "an endless name": (MINIMAL + f"[chips.{'a' * 61}]\n", ((f"chips.{'a' * 61}", "60 characters"),)),
    "a name beyond ASCII": (MINIMAL + '[chips."héros"]\n', (("chips.héros", "not a name"),)),
    "a run of no chip": (edit(MINIMAL, ('chip = "h800"\n', "")), (("runs.base.chip", "missing"),)),
    "a run of no scope": (edit(MINIMAL, ('part_of = "final_run"\n', "")), (("runs.base.part_of", "missing"),)),
    "a run of an unknown scope": (edit(MINIMAL, ('"final_run"', '"final"')), (("runs.base.part_of", "final"),)),
    "staff without pay": (
        full(('pay = { interval = [100e3, 400e3], unit = "USD/person/year" }\n', "")),
        (("staff.researchers.pay", "missing"),),
    ),
    "bad known": (
        full(('"A paper"\nknown = "primary"', '"A paper"\nknown = "sure"')),
        (("sources.paper.known", "sure"),),
    ),
    "no known": (full(('"A paper"\nknown = "primary"', '"A paper"')), (("sources.paper.known", "missing"),)),
    "a source without a title": (
        full(('[sources.paper]\ntitle = "A paper"', "[sources.paper]")),
        (("sources.paper.title", "missing"),),
    ),
    "a control character": (edit(MINIMAL, ("One run", "One\\u001b[31m run")), (("title", "control character"),)),
    "a control character in a name": (MINIMAL + '[chips."a\\u0007b"]\n', (("chips.a?b", "control character"),)),
    "a reversed direction of writing": (
        edit(MINIMAL, ("One run", "One\\u202e run")),
        (("title", "control character"),),
    ),
    "a date that is none": (MINIMAL + claim(date="3"), (("evidence.claim.date", "3"),)),
    "a chip that is called date": (MINIMAL + "[chips.date]\nlabel = 3\n", (("chips.date.label", "3"),)),
}

ENTRY = "runs.base.gpu_hours"

ENTRIES: dict[str, tuple[str, Expected]] = {
    "wrong unit": (hours(f'{{ value = 3, unit = "kg", {NOTED} }}'), ((f"{ENTRY}.unit", "unknown unit 'kg'"),)),
    "a space in a unit": (
        hours(f'{{ value = 3, unit = "k GPU-hour", {NOTED} }}'),
        ((f"{ENTRY}.unit", "unknown unit"),),
    ),
    "wrong dimension": (
        hours(f'{{ value = 3, unit = "USD", {NOTED} }}'),
        ((f"{ENTRY}.unit", "'USD' does not convert to GPU-hour"),),
    ),
    "missing unit": (hours(f"{{ value = 3, {NOTED} }}"), ((f"{ENTRY}.unit", "no unit"),)),
    "unit as a number": (hours(f"{{ value = 3, unit = 3, {NOTED} }}"), ((f"{ENTRY}.unit", "3 is not a text"),)),
    "nan": (noted("value = nan"), ((f"{ENTRY}.value", "nan"),)),
    "infinite": (noted("value = inf"), ((f"{ENTRY}.value", "inf"),)),
    "huge": (noted("value = 1e31"), ((f"{ENTRY}.value", "1e+31"),)),
    "huge by its unit": (hours(f'{{ value = 1e30, unit = "PGPU-hour", {NOTED} }}'), ((f"{ENTRY}.value", "1e+45"),)),
    "truth as a number": (noted("value = true"), ((f"{ENTRY}.value", "True"),)),
    "a date as a number": (noted("value = 2025-01-31"), ((f"{ENTRY}.value", "2025-01-31"),)),
    "a list as a number": (noted("value = [3]"), ((f"{ENTRY}.value", "[3]"),)),
    "words as a number": (noted('value = "many"'), ((f"{ENTRY}.value", "'many' is not a number"),)),
    "a decimal comma": (noted('value = "2,5"'), ((f"{ENTRY}.value", "2,5"),)),
    "negative": (noted("value = -3"), ((f"{ENTRY}.value", "-3 is outside its range"),)),
    "interval reversed": (noted("interval = [3, 2]"), ((f"{ENTRY}.interval", "3 to 2 does not increase"),)),
    "interval of equals": (noted("interval = [3, 3]"), ((f"{ENTRY}.interval", "3 to 3 does not increase"),)),
    "interval of one number": (noted("interval = [3]"), ((f"{ENTRY}.interval", "is not two numbers"),)),
    "interval of three numbers": (noted("interval = [1, 2, 3]"), ((f"{ENTRY}.interval", "is not two numbers"),)),
    "interval of none": (noted("interval = []"), ((f"{ENTRY}.interval", "is not two numbers"),)),
    "interval as a number": (noted("interval = 3"), ((f"{ENTRY}.interval", "is not two numbers"),)),
    "interval as words": (noted('interval = "a few"'), ((f"{ENTRY}.interval", "'a few' is not an interval"),)),
    "interval of words": (noted('interval = ["few", 3]'), ((f"{ENTRY}.interval", "'few' is not a number"),)),
    "interval of truths": (
        noted("interval = [false, true]"),
        ((f"{ENTRY}.interval", "'False' is not a number"), (f"{ENTRY}.interval", "'True' is not a number")),
    ),
    "interval with nan": (noted("interval = [nan, 3]"), ((f"{ENTRY}.interval", "nan"),)),
    "interval with inf": (noted("interval = [1, inf]"), ((f"{ENTRY}.interval", "inf"),)),
    "interval across zero": (noted("interval = [-1, 3]"), ((f"{ENTRY}.interval", "-1 cannot be a quantile"),)),
    "interval from zero": (noted("interval = [0, 3]"), ((f"{ENTRY}.interval", "0 cannot be a quantile"),)),
    "share above one": (load_factor("interval = [0.5, 1.5]"), (("hosting.load.interval", "1.5 cannot be a quantile"),)),
    "fixed share above one": (load_factor("value = 1.5"), (("hosting.load.value", "1.5 is outside its range"),)),
    "level 0": (noted("interval = [1, 3], level = 0"), ((f"{ENTRY}.level", "0"),)),
    "level 1": (noted("interval = [1, 3], level = 1"), ((f"{ENTRY}.level", "1"),)),
    "level 90": (noted("interval = [1, 3], level = 90"), ((f"{ENTRY}.level", "90"),)),
    "level negative": (noted("interval = [1, 3], level = -0.9"), ((f"{ENTRY}.level", "-0.9"),)),
    "level nan": (
        noted("interval = [1, 3], level = nan"),
        ((f"{ENTRY}.level", "nan is no amount"), (f"{ENTRY}.level", "nan is not a probability")),
    ),
    "level of quantiles": (noted("q05 = 1, q95 = 3, level = 0.9"), ((f"{ENTRY}.level", "stands beside quantiles"),)),
    "two ways at once": (noted("value = 2, interval = [1, 3]"), ((ENTRY, "given in 2 ways"),)),
    "three ways at once": (
        noted('value = 2, interval = [1, 3], family = "lognormal", mean = 2, sd = 1'),
        ((ENTRY, "given in 3 ways"),),
    ),
    "no number": (hours(f'{{ unit = "GPU-hour", {NOTED} }}'), ((ENTRY, "no number"),)),
    "unknown family": (
        noted('interval = [1, 3], family = "weibull"'),
        ((f"{ENTRY}.family", "unknown family 'weibull'"),),
    ),
    "a list of families": (noted('interval = [1, 3], family = ["normal"]'), ((f"{ENTRY}.family", ""),)),
    "parameters without a family": (noted("mean = 2, sd = 1"), ((f"{ENTRY}.family", "parameters without a family"),)),
    "wrong parameters": (noted('family = "gamma", mean = 2, scale = 1'), ((ENTRY, "gamma with {mean, scale}"),)),
    "sd of zero": (noted('family = "lognormal", mean = 2, sd = 0'), ((f"{ENTRY}.sd", "0 is not above 0"),)),
    "sd negative": (noted('family = "lognormal", mean = 2, sd = -1'), ((f"{ENTRY}.sd", "-1 is not above 0"),)),
    "triangular out of order": (
        noted('family = "triangular", low = 1, mode = 5, high = 3'),
        ((f"{ENTRY}.low", "does not hold"),),
    ),
    "mixture of one": (
        noted("components = [{ weight = 1, interval = [1, 3] }]"),
        ((f"{ENTRY}.components", "two or more"),),
    ),
    "mixture without weight": (
        noted("components = [{ weight = 1, interval = [1, 3] }, { interval = [5, 6] }]"),
        ((f"{ENTRY}.components[1].weight", "is not above 0"),),
    ),
    "mixture of a value": (
        noted("components = [{ weight = 1, interval = [1, 3] }, { weight = 1, value = 6 }]"),
        ((f"{ENTRY}.components[1]", ""),),
    ),
    "quantiles not increasing": (noted("q05 = 3, q50 = 2, q95 = 4"), ((ENTRY, "3 to 2 to 4 does not increase"),)),
    "quantiles outside bounds": (noted("q05 = 1, q50 = 2, q95 = 4, upper = 3"), ((ENTRY, "4 cannot be a quantile"),)),
    "quantiles not symmetric": (noted("q05 = 1, q50 = 2, q90 = 4"), ((ENTRY, "p, 0.5 and 1 - p"),)),
    "one quantile": (noted("q50 = 1"), ((ENTRY, "1 quantile"),)),
    "no source and no note": (hours('{ value = 3, unit = "GPU-hour" }'), ((ENTRY, "no source and no note"),)),
    "no source, no note and reversed": (
        hours('{ interval = [3, 2], unit = "GPU-hour" }'),
        ((ENTRY, "no source and no note"), (f"{ENTRY}.interval", "3 to 2 does not increase")),
    ),
    "a text that is no number": (hours('"plenty"'), ((ENTRY, "'plenty' is not understood"),)),
    "a text in the wrong unit": (hours('"2M kg"'), ((f"{ENTRY}.unit", "unknown unit 'kg'"), (ENTRY, "no source"))),
    "sources that are no names": (
        noted("value = 3, sources = [3]"),
        ((f"{ENTRY}.sources", "not a list of source names"),),
    ),
    "zero for a divisor (mfu)": (physics(mfu="{ value = 0 }"), (("runs.base.mfu.value", ""),)),
    "zero for a divisor (peak)": (
        physics(peak_flops=f'{{ value = 0, unit = "FLOP/second/GPU", {NOTED} }}'),
        (("chips.h800.peak_flops.value", ""),),
    ),
    "zero for a divisor (life)": (
        full(("life = { interval = [3, 6], unit", "life = { value = 0, unit")),
        (("hosting.life.value", ""),),
    ),
    "zero for a divisor (utilisation)": (
        full(("utilisation = { interval = [0.5, 0.9] }", "utilisation = 0")),
        (("hosting.utilisation.value", ""),),
    ),
    "zero for a bias": (full(("bias = { interval = [0.8, 1.4] }", "bias = 0")), (("sources.analyst.bias.value", ""),)),
}

SECTIONS: dict[str, tuple[str, Expected]] = {
    "undefined source": (
        noted('value = 3, sources = ["nobody"]'),
        ((f"{ENTRY}.sources", "cites 'nobody', which is not defined"),),
    ),
    "undefined source of evidence": (
        MINIMAL + claim(source='"nobody"'),
        (("evidence.claim.source", "cites 'nobody', which is not defined"),),
    ),
    "undefined source of a fact": (
        full(('0.3, note = "disputed"', '0.3, sources = ["nobody"]')),
        (("fleet.h100.exists.sources", "cites 'nobody'"),),
    ),
    "unused source": (MINIMAL + source("idle"), (("sources.idle", "is cited nowhere"),)),
    "unknown chip of a run": (
        edit(MINIMAL, ('chip = "h800"', 'chip = "h900"')),
        (("runs.base.chip", "no chip 'h900'"),),
    ),
    "unknown chip of the fleet": (
        MINIMAL + f'[fleet.h900]\ncount = {{ value = 3, unit = "GPU", {NOTED} }}\n',
        (("fleet.h900", "no chip 'h900'"),),
    ),
    "a rate for one chip of two": (
        full(
            ('rental_rate = { interval = [1.8, 3.5], unit = "USD/GPU-hour" }\n', ""),
            ('"h800"\npart_of = "official', '"h100"\npart_of = "official'),
        ),
        (("chips.h100.rental_rate", "missing, while other chips in use have it"),),
    ),
    "physics without tokens": (
        physics(tokens=""),
        (("runs.base.tokens", "missing, while the rest"), ("runs.base", "no accelerator-hours")),
    ),
    "physics of mfu alone": (
        physics(tokens="", active_parameters=""),
        (
            ("runs.base.tokens", "missing"),
            ("runs.base.active_parameters", "missing"),
            ("runs.base", "no accelerator-hours"),
        ),
    ),
    "physics without a peak": (
        physics(peak_flops=""),
        (("chips.h800.peak_flops", "missing, while the rest"), ("runs.base", "no accelerator-hours")),
    ),
    "a run without hours": (
        edit(MINIMAL, (f"gpu_hours = {HOURS}", "")),
        (("runs.base", "no accelerator-hours"),),
    ),
    "fixed hours beside physics": (
        edit(physics(), ("[runs.base]", '[runs.base]\ngpu_hours = { value = 2.6e6, unit = "GPU-hour" }')),
        (("runs.base.gpu_hours", "a fixed number beside the run's physics"),),
    ),
    "hours without end beside physics": (
        edit(
            physics(),
            ("[runs.base]", f"[runs.base]\ngpu_hours = {ENDLESS}"),
        ),
        (("runs.base.gpu_hours", "from 0 to inf says nothing of the hours"),),
    ),
    "an item without an amount": (
        MINIMAL + f'[other.data]\npart_of = ["company"]\n{NOTED}\n',
        (("other.data", "0 of amount and yearly"),),
    ),
    "an item with both amounts": (
        MINIMAL
        + '[other.data]\npart_of = ["company"]\namount = { value = 3, unit = "USD" }\n'
        + f'yearly = {{ value = 3, unit = "USD/year" }}\n{NOTED}\n',
        (("other.data", "2 of amount and yearly"),),
    ),
    "an item of no scope": (
        MINIMAL + f'[other.data]\npart_of = []\namount = {{ value = 3, unit = "USD" }}\n{NOTED}\n',
        (("other.data.part_of", "at least 1"),),
    ),
    "a fact of probability 0": (
        full(("{ probability = 0.3", "{ probability = 0")),
        (("fleet.h100.exists.probability", "0"),),
    ),
    "a fact of probability 1": (
        full(("{ probability = 0.3", "{ probability = 1")),
        (("fleet.h100.exists.probability", "1"),),
    ),
    "a fact of probability 1.5": (
        full(("{ probability = 0.3", "{ probability = 1.5")),
        (("fleet.h100.exists.probability", "1.5"),),
    ),
    "a fact of probability nan": (
        full(("{ probability = 0.3", "{ probability = nan")),
        (("fleet.h100.exists.probability", "nan"),),
    ),
    "a fact without note": (full((', note = "disputed"', "")), (("fleet.h100.exists", "no source and no note"),)),
    "a fact without probability": (
        full(("{ probability = 0.3, ", "{ ")),
        (("fleet.h100.exists.probability", ""),),
    ),
    "a fact as a number": (
        full(('{ probability = 0.3, note = "disputed" }', "0.3")),
        (("fleet.h100.exists", "0.3"),),
    ),
    "a fact as a word": (
        full(('{ probability = 0.3, note = "disputed" }', '"maybe"')),
        (("fleet.h100.exists", "maybe"),),
    ),
    "more facts than can be marginalised": (facts(11), (("exists", "11 disputed facts"),)),
    "no cost at all": ('schema = 1\ntitle = "Nothing"\n', (("file", "no cost follows from it"),)),
    "a fleet without prices": (
        f'schema = 1\ntitle = "t"\n[chips.x]\n[fleet.x]\ncount = {{ value = 3, unit = "GPU", {NOTED} }}\n',
        (("file", "no cost follows from it"),),
    ),
    "runs without a rate": (
        edit(MINIMAL, ('rental_rate = { interval = [1.5, 3.0], unit = "USD/GPU-hour" }\n', "")),
        (("file", "no cost follows from it"),),
    ),
}

TARGET = "evidence.claim.quantity"

EVIDENCE: dict[str, tuple[str, Expected]] = {
    "an unknown quantity": (MINIMAL + claim(quantity='"finalrun"'), ((TARGET, "'finalrun' is no quantity here"),)),
    "a sentence for a quantity": (MINIMAL + claim(quantity='"what it cost"'), ((TARGET, "is no quantity here"),)),
    "an unknown path": (MINIMAL + claim(quantity='"runs.v3.gpu_hours"'), ((TARGET, "is no quantity here"),)),
    "an absent scope": (
        MINIMAL + claim(quantity='"ownership"'),
        ((TARGET, "ownership does not follow from this file"),),
    ),
    "a wrong index": (MINIMAL + claim(quantity='"run_cost[v3]"'), ((TARGET, "run_cost has one value per run"),)),
    "a missing index": (MINIMAL + claim(quantity='"run_cost"'), ((TARGET, "run_cost has one value per run"),)),
    "an index too many": (MINIMAL + claim(quantity='"final_run[base]"'), ((TARGET, "final_run has no index"),)),
    "a constant": (
        noted("value = 2e6") + claim(quantity=f'"{ENTRY}"', unit='"GPU-hour"'),
        ((TARGET, "is a fixed value"),),
    ),
    "the hours of a constant": (
        noted("value = 2e6") + claim(quantity='"gpu_hours[base]"', unit='"GPU-hour"'),
        ((TARGET, "is a fixed value"),),
    ),
    "no quantity": (MINIMAL + claim(quantity=""), ((TARGET, "missing"),)),
    "no kind": (MINIMAL + claim(kind=""), (("evidence.claim.kind", "missing"),)),
    "an unknown kind": (MINIMAL + claim(kind='"about"'), (("evidence.claim.kind", "about"),)),
    "no error": (MINIMAL + claim(relative_error=""), (("evidence.claim", "no error"),)),
    "no value": (MINIMAL + claim(value=""), (("evidence.claim", "no value and no interval"),)),
    "a value of zero": (MINIMAL + claim(value="0"), (("evidence.claim.value", "is not a positive number"),)),
    "a negative value": (MINIMAL + claim(value="-5"), (("evidence.claim.value", "is not a positive number"),)),
    "a value as words": (
        MINIMAL + claim(value='"much"'),
        (("evidence.claim.value", "'much' is not a positive number"),),
    ),
    "a value as truth": (MINIMAL + claim(value="true"), (("evidence.claim.value", "True"),)),
    "a value of nan": (MINIMAL + claim(value="nan"), (("evidence.claim.value", "nan"),)),
    "an infinite value": (MINIMAL + claim(value="inf"), (("evidence.claim.value", "inf"),)),
    "an error of zero": (
        MINIMAL + claim(relative_error="0"),
        (("evidence.claim.relative_error", "is not a positive number"),),
    ),
    "a negative error": (
        MINIMAL + claim(relative_error="-0.2"),
        (("evidence.claim.relative_error", "is not a positive number"),),
    ),
    "an interval around another value": (
        MINIMAL + claim(relative_error="", interval="[6e6, 7e6]"),
        (("evidence.claim.value", "outside the claim's own interval"),),
    ),
    "a reversed interval": (
        MINIMAL + claim(value="", relative_error="", interval="[7e6, 6e6]"),
        (("evidence.claim.interval", "does not increase"),),
    ),
    "an interval from zero": (
        MINIMAL + claim(value="", relative_error="", interval="[0, 6e6]"),
        (("evidence.claim.interval", "is not a positive number"),),
    ),
    "an interval of three": (
        MINIMAL + claim(value="", relative_error="", interval="[1, 2, 3]"),
        (("evidence.claim.interval", "is not an interval"),),
    ),
    "an error beside an interval": (
        MINIMAL + claim(interval="[4e6, 6e6]"),
        (("evidence.claim.relative_error", "stands beside an interval"),),
    ),
    "a negative value in an interval": (
        MINIMAL + claim(value="-5", relative_error="", interval="[4e6, 6e6]"),
        (("evidence.claim.value", "is not a positive number"), ("evidence.claim.value", "outside the claim's own")),
    ),
    "a level of 90": (MINIMAL + claim(level="90"), (("evidence.claim.level", "90"),)),
    "no unit": (MINIMAL + claim(unit=""), (("evidence.claim.unit", "no unit"),)),
    "a wrong unit": (MINIMAL + claim(unit='"M USD"'), (("evidence.claim.unit", "unknown unit 'M USD'"),)),
    "a wrong dimension": (MINIMAL + claim(unit='"GPU"'), (("evidence.claim.unit", "does not convert to USD"),)),
    "no source": (MINIMAL + claim(note=""), (("evidence.claim", "no source and no note"),)),
    "double use by source": (
        noted('interval = [2e6, 3e6], source = "s"') + source("s") + claim(source='"s"'),
        (("evidence.claim", "used twice: its source also set the prior of runs.base.gpu_hours"),),
    ),
    "double use of an unknown": (
        noted('interval = [2e6, 3e6], source = "s"')
        + source("s")
        + claim(quantity=f'"{ENTRY}"', unit='"GPU-hour"', source='"s"'),
        (("evidence.claim", "used twice: its source also set the prior of runs.base.gpu_hours"),),
    ),
    "double use by what it is computed from": (
        MINIMAL + claim(computed_from=f'["{ENTRY}"]'),
        (("evidence.claim.computed_from", f"computed from {ENTRY}"),),
    ),
    "double use by a sum": (
        FULL
        + claim("total", quantity='"ownership"', source='"analyst"')
        + claim("running", quantity='"operations"', source='"analyst"'),
        (("evidence.total", "one source's ownership is its hardware + operations"),),
    ),
    "a repeated claim": (
        MINIMAL + source("s") + claim(source='"s"') + claim("again", source='"s"'),
        (("evidence.again", "used twice: s says it in evidence.claim too"),),
    ),
    "a group of none": (MINIMAL + "[groups.press]\ncorrelation = 0.5\n", (("groups.press", "no evidence is in it"),)),
    "a group of one that is wrong": (
        MINIMAL + claim(unit='"kg"', group='"press"') + "[groups.press]\ncorrelation = 0.5\n",
        (("evidence.claim.unit", "unknown unit 'kg'"),),
    ),
    "a group that shares all": (full(("correlation = 0.8", "correlation = 1")), (("groups.press.correlation", "1"),)),
    "errors of infinite variance": (MINIMAL + "[likelihood]\ndf = 1\n", (("likelihood.df", "1"),)),
}

MOVES: dict[str, tuple[str, Expected]] = {
    "correlation with a constant": (
        noted("value = 2e6") + correlation(),
        (("correlations.c.between[0]", "is a fixed value"),),
    ),
    "correlation of an unknown path": (
        MINIMAL + correlation(between='["runs.v3.gpu_hours", "chips.h800.rental_rate"]'),
        (("correlations.c.between[0]", "'runs.v3.gpu_hours' is not the path of an unknown"),),
    ),
    "correlation of a misspelt path": (
        MINIMAL + correlation(between='["runs.base.gpu_huors", "chips.h800.rental_rate"]'),
        (("correlations.c.between[0]", "'runs.base.gpu_huors' is not the path of an unknown"),),
    ),
    "correlation of one": (
        MINIMAL + correlation(between='["chips.h800.rental_rate"]'),
        (("correlations.c.between", "at least 2"),),
    ),
    "correlation with itself": (
        MINIMAL + correlation(between=f'["{ENTRY}", "{ENTRY}"]'),
        (("correlations.c.between", "names an unknown twice"),),
    ),
    "correlation of 1": (MINIMAL + correlation(rank="1"), (("correlations.c", "outside (-1, 1)"),)),
    "correlation of -2": (MINIMAL + correlation(rank="-2"), (("correlations.c", "outside (-1, 1)"),)),
    "correlation of nan": (MINIMAL + correlation(rank="nan"), (("correlations.c", ""),)),
    "correlation as a word": (MINIMAL + correlation(rank='"high"'), (("correlations.c.rank", "high"),)),
    "rank and normal": (MINIMAL + correlation(normal="0.5"), (("correlations.c", "2 of rank and normal"),)),
    "neither rank nor normal": (MINIMAL + correlation(rank=""), (("correlations.c", "0 of rank and normal"),)),
    "no source": (MINIMAL + correlation(note=""), (("correlations.c", "no source and no note"),)),
    "a matrix of another size": (
        MINIMAL + correlation(rank="[[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]"),
        (("correlations.c", "not a symmetric 2 × 2 matrix"),),
    ),
    "a ragged matrix": (
        MINIMAL + correlation(rank="[[1, 0.5], [0.5]]"),
        (("correlations.c", "not a symmetric 2 × 2 matrix"),),
    ),
    "a matrix that is not symmetric": (
        MINIMAL + correlation(rank="[[1, 0.5], [0.4, 1]]"),
        (("correlations.c", "not a symmetric 2 × 2 matrix"),),
    ),
    "a matrix without its diagonal": (
        MINIMAL + correlation(rank="[[0, 0.5], [0.5, 0]]"),
        (("correlations.c", "with a diagonal of 1"),),
    ),
    "twice the same pair": (
        MINIMAL + correlation() + correlation("d", rank="0.6"),
        (("correlations.d", "a second correlation of"),),
    ),
    "not positive definite": (
        FULL
        + correlation(
            between='["hosting.load", "hosting.pue", "hosting.electricity"]',
            rank="",
            normal="[[1, 0.9, 0.9], [0.9, 1, -0.9], [0.9, -0.9, 1]]",
        ),
        (("correlations", "not positive definite"),),
    ),
}

CURRENCIES: dict[str, tuple[str, Expected]] = {
    "of an uncertain worth": (
        full(('usd = { value = 0.14, note = "made up" }', 'usd = { interval = [0.1, 0.2], note = "made up" }')),
        (("currencies.CNY.usd", "no fixed positive number"),),
    ),
    "of no worth": (full(("value = 0.14", "value = 0")), (("currencies.CNY.usd", "no fixed positive number"),)),
    "of negative worth": (
        full(("value = 0.14", "value = -1")),
        (("currencies.CNY.usd", "no fixed positive number"), ("currencies.CNY.usd.value", "outside its range")),
    ),
    "called USD": (
        full(("[currencies.CNY]", "[currencies.USD]")),
        (("currencies.USD", "cannot be a currency's name"),),
    ),
    "called GPU": (
        full(("[currencies.CNY]", "[currencies.GPU]")),
        (("currencies.GPU", "cannot be a currency's name"),),
    ),
    "not defined": (
        full(('unit = "USD/GPU", sources = ["price-list"]', 'unit = "EUR/GPU", sources = ["price-list"]')),
        (("chips.h800.server_cost.unit", "unknown unit 'EUR/GPU'"),),
    ),
}

CASES = {
    f"{name}: {case}": row
    for name, table in {
        "file": FILES,
        "shape": SHAPES,
        "entry": ENTRIES,
        "section": SECTIONS,
        "evidence": EVIDENCE,
        "correlation": MOVES,
        "currency": CURRENCIES,
    }.items()
    for case, row in table.items()
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_a_bad_file_is_told_its_faults_and_no_others(text: str | bytes, expected: Expected, faults: Faults) -> None:
    found = faults(text)
    unmet = [fault for fault in expected if not any(fault[0] == path and fault[1] in words for path, words in found)]
    assert not unmet, f"{unmet} not in {found}"
    assert len(found) == len(expected), found


@pytest.mark.parametrize("text", [text for text, _ in CASES.values()], ids=CASES.keys())
def test_a_fault_is_told_in_the_words_of_the_file(text: str | bytes, write: Write) -> None:
    with pytest.raises(InputError) as caught:
        loading.load(write(text))
    for fault in caught.value.faults:
        assert not FOREIGN.search(f"{fault.found} {fault.mend}"), str(fault)
        assert fault.mend or fault.path == "TOML"


@pytest.mark.parametrize("text", [MINIMAL, FULL, physics(), facts(10)], ids=["minimal", "full", "physics", "ten facts"])
def test_the_files_that_are_spoiled_here_are_good(text: str, load: Load) -> None:
    assert load(text).scopes


# ---------------------------------------------------------------------------------------------
# All at once

FIVE_OF_SHAPE = {
    "title": ('title = "Every section once"', "title = 3"),
    "hosting.load.interval": ("load = { interval = [0.6, 0.9] }", "load = { interval = [0.9, 0.6] }"),
    "hosting.electricity.unit": ('[0.05, 0.12], unit = "USD/kWh"', '[0.05, 0.12], unit = "USD/kW"'),
    "sources.paper.known": ('title = "A paper"\nknown = "primary"', 'title = "A paper"\nknown = "sure"'),
    "fleet.h100.exists.probability": ("{ probability = 0.3", "{ probability = 3"),
}
FIVE_OF_MEANING = {
    "runs.base.chip": ('[runs.base]\nchip = "h800"', '[runs.base]\nchip = "h900"'),
    "evidence.capex.unit": ('relative_error = 0.3\nunit = "USD"', 'relative_error = 0.3\nunit = "GPU"'),
    "evidence.floor": ("value = 9e3\nrelative_error = 0.2", "value = 9e3"),
    "correlations.prices": ("rank = 0.7", "rank = 0.7\nnormal = 0.7"),
    "sources.report.sources": ('title = "A report"', 'title = "A report"\nsources = ["nobody"]'),
}


@pytest.mark.parametrize("changes", [FIVE_OF_SHAPE, FIVE_OF_MEANING], ids=["shape", "meaning"])
def test_five_faults_are_told_at_once(changes: dict[str, tuple[str, str]], faults: Faults) -> None:
    assert {path for path, _ in faults(full(*changes.values()))} >= changes.keys()


def test_a_fault_of_shape_does_not_hide_one_of_meaning(faults: Faults) -> None:
    text = full(FIVE_OF_SHAPE["hosting.load.interval"], FIVE_OF_MEANING["runs.base.chip"])
    assert {path for path, _ in faults(text)} == {"hosting.load.interval", "runs.base.chip"}


def test_the_message_counts_and_lists_the_faults(write: Write) -> None:
    path = write(full(*FIVE_OF_SHAPE.values()))
    with pytest.raises(InputError) as caught:
        loading.load(path)
    first, *rest = str(caught.value).splitlines()
    assert first == f"{path}: 5 faults"
    assert [line.split(": ")[0].strip() for line in rest] == sorted(FIVE_OF_SHAPE)
    assert caught.value.exit_code == 1


# ---------------------------------------------------------------------------------------------
# Files that are not there


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: no such file"):
        loading.load(tmp_path / "absent.toml")


def test_a_folder_is_no_prior_file(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(InputError, match="is a directory"):
        loading.load(tmp_path / "folder.toml")


@pytest.mark.parametrize("name", ["absent", "", "a\x00b.toml", "x" * 300])
def test_a_name_that_no_file_has_is_told(name: str) -> None:
    with pytest.raises(InputError):
        loading.load(name)


# ---------------------------------------------------------------------------------------------
# Extends

BASE = edit(MINIMAL, ("One run at a rental rate", "A base"))
EXTENDS: dict[str, tuple[dict[str, str], str, str]] = {
    "missing": ({"main.toml": 'extends = ["absent.toml"]'}, "extends[0]", "no such file 'absent.toml'"),
    "not toml": ({"main.toml": 'extends = ["base.yaml"]', "base.yaml": ""}, "extends[0]", "is not a .toml file"),
    "a number": ({"main.toml": "extends = [3]"}, "extends[0]", "'3' is not a .toml file"),
    "a folder": ({"main.toml": 'extends = ["sub.toml"]', "sub.toml/x": ""}, "extends[0]", "no such file"),
    "itself": ({"main.toml": 'extends = ["main.toml"]'}, "extends[0]", "extends itself in a circle"),
    "a circle": (
        {"main.toml": 'extends = ["a.toml"]', "a.toml": 'extends = ["b.toml"]', "b.toml": 'extends = ["a.toml"]'},
        "b.toml: extends[0]",
        "extends itself in a circle",
    ),
    "outside": ({"main.toml": 'extends = ["../main.toml"]'}, "extends[0]", "leaves the folder"),
    "an absolute path": ({"main.toml": 'extends = ["/etc/hosts.toml"]'}, "extends[0]", "leaves the folder"),
    "a nul": ({"main.toml": 'extends = ["a\\u0000.toml"]'}, "extends[0]", "no such file"),
    "malformed": ({"main.toml": 'extends = ["a.toml"]', "a.toml": "x = = 3"}, "a.toml: TOML", "line 1"),
    "a chain too long": (
        {"main.toml": 'extends = ["1.toml"]', **{f"{n}.toml": f'extends = ["{n + 1}.toml"]' for n in range(1, 12)}},
        "8.toml: extends[0]",
        "a chain of more than 8 files",
    ),
    "a text": ({"main.toml": 'extends = "base.toml"', "base.toml": BASE}, "extends", ""),
}


@pytest.mark.parametrize(("files", "path", "found"), EXTENDS.values(), ids=EXTENDS.keys())
def test_a_base_that_cannot_be_used_is_told(files: dict[str, str], path: str, found: str, write: Write) -> None:
    for name, text in files.items():
        write(text, f"folder/{name}")
    with pytest.raises(InputError) as caught:
        loading.load(write(files["main.toml"] + MINIMAL, "folder/main.toml"))
    assert any(fault.path == path and found in fault.found for fault in caught.value.faults), str(caught.value)


def test_a_link_out_of_the_folder_is_no_way_out(write: Write, tmp_path: Path) -> None:
    outside = write(BASE, "elsewhere/base.toml")
    main = write('extends = ["link.toml"]\n' + MINIMAL, "folder/main.toml")
    (tmp_path / "folder" / "link.toml").symlink_to(outside)
    with pytest.raises(InputError, match="leaves the folder"):
        loading.load(main)


# ---------------------------------------------------------------------------------------------
# --set

SETTINGS: dict[str, tuple[str, str, str]] = {
    "no equals sign": ("runs.base.gpu_hours", "--set", "is not PATH=EXPR"),
    "no expression": ("runs.base.gpu_hours=", "--set", "is not PATH=EXPR"),
    "no path": ("=3", "--set", "is not PATH=EXPR"),
    "no key": ("runs..gpu_hours=3", "--set", "is not PATH=EXPR"),
    "a table header": ("[runs]=3", "--set", "is not PATH=EXPR"),
    "two lines": ("runs.base\n.gpu_hours=3", "--set", "is not PATH=EXPR"),
    "the schema": ("schema=2", "--set", "schema cannot be set"),
    "extends": ("extends=['a.toml']", "--set", "extends cannot be set"),
    "below a text": ("title.x=3", "--set", "title is no table"),
    "below a number": ("runs.base.chip.x=3", "--set", "chip is no table"),
    "an unknown key": ("runs.base.hours=3", "runs.base.hours", "unknown key"),
    "an unknown section": ("flet.h800.count=3", "flet", "unknown key"),
    "words": ("runs.base.gpu_hours=plenty", ENTRY, "'plenty' is not understood"),
    "a wrong unit": ("runs.base.gpu_hours=3 kg", f"{ENTRY}.unit", "unknown unit 'kg'"),
    "nan": ("runs.base.gpu_hours=nan", f"{ENTRY}.value", "nan"),
    "a negative number": ("runs.base.gpu_hours=-3", f"{ENTRY}.value", "outside its range"),
    "no years at all": ("scope.horizon=0 year", "scope.horizon.value", "outside its range"),
    "a reversed interval": ("runs.base.gpu_hours=3M to 2M", f"{ENTRY}.interval", "does not increase"),
    "an endless integer": ("runs.base.gpu_hours=" + "1" * 5000, "", ""),
    "endless brackets": ("runs.base.gpu_hours=" + "[" * 5000, "", ""),
    "endless tables": ("runs.base.gpu_hours=" + "{a=" * 300 + "1" + "}" * 300, "", ""),
    "a control character": ("title=a\x1b[31mb", "", ""),
    "a chip that is not there": ("runs.base.chip=h900", "runs.base.chip", "no chip 'h900'"),
}


@pytest.mark.parametrize(("setting", "path", "found"), SETTINGS.values(), ids=SETTINGS.keys())
def test_a_setting_that_cannot_be_is_told(setting: str, path: str, found: str, faults: Faults) -> None:
    told = faults(MINIMAL, [setting])
    assert any(where.startswith(path) and found in words for where, words in told), told


def test_every_bad_setting_is_told(faults: Faults) -> None:
    assert len(faults(MINIMAL, ["schema=2", "title.x=3", "nonsense"])) == 3
