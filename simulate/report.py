"""A run's manifest as tables a person reads: in the terminal and in ``summary.md``."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulate.summary import amount, published

MOST_NAMED = 3
"""Names in a sentence before the rest is counted."""

KIND_WORDS = {"estimate": "about", "floor": "at least", "ceiling": "at most"}


def level(scopes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the words for the interval of a run: ``90 % credible interval``."""
    probability = next(iter(scopes.values()))["probability"]
    return f"{100 * probability:g} % credible interval"


def scope_cells(manifest: Mapping[str, Any]) -> list[list[str]]:
    """Return the table of scopes, header first: scope, basis, median, interval, unit."""
    money = manifest["money"]
    header = ["scope", "basis", "median", level(manifest["scopes"]), "unit"]
    return [header, *([name, found["basis"], *scope_words(found), money] for name, found in manifest["scopes"].items())]


def scope_words(found: Mapping[str, Any]) -> tuple[str, str]:
    """Return median and interval in words, with the digits their Monte Carlo errors support."""
    median, low, high = (
        amount(found[key], found["unit"], found[f"mcse_{key}"]) for key in ("median", "lower", "upper")
    )
    return median, f"{low} to {high}"


def claim_cells(manifest: Mapping[str, Any]) -> list[list[str]]:
    """Return the table of claims, header first; empty when the file has none."""
    claims, group = manifest["claims"], manifest["group"]
    if not claims:
        return []
    keys = ["percentile"] if group == "prior" else ["percentile", "prior_percentile"]
    names = {"percentile": f"{group} below it", "prior_percentile": "prior below it"}
    rows = [["claim", "speaks of", "says", *(names[key] for key in keys), "weight"]]
    for claim in claims:
        says = f"{KIND_WORDS[claim['kind']]} {published(claim['value'], claim['unit'])}"
        weight = "shown only" if not claim["used"] else "left out" if group == "prior" else "evidence"
        rows.append([claim["label"] or claim["name"], claim["about"], says, *(percent(claim[k]) for k in keys), weight])
    return rows


def fact_cells(manifest: Mapping[str, Any]) -> list[list[str]]:
    """Return the table of disputed facts, header first; empty when there are none."""
    groups = ["prior"] if manifest["group"] == "prior" else ["prior", "posterior"]
    rows = [["disputed fact", *groups]]
    for path, probability in manifest["facts"].items():
        found = {"prior": manifest["fact_priors"][path], "posterior": probability}
        rows.append([path, *(likely(found[group]) for group in groups)])
    return rows if len(rows) > 1 else []


def is_pool(manifest: Mapping[str, Any]) -> bool:
    """Whether a run is a mixture of others."""
    return bool(manifest.get("members"))


def origin(manifest: Mapping[str, Any]) -> str:
    """Return what the name of a run is the name of."""
    return "pool" if is_pool(manifest) else "prior file"


def member_cells(manifest: Mapping[str, Any]) -> list[list[str]]:
    """Return the table of a pool's members and their shares, header first; empty for any other run."""
    if not is_pool(manifest):
        return []
    members = manifest["members"]
    rows = [[m["name"], share_words(m["share"]), f"{m['draws']:,}", m["run"]] for m in members]
    return [["member", "share", "draws taken", "run"], *rows]


def share_words(share: float) -> str:
    """Return a share of a pool in percent, to three digits.

    >>> share_words(0.25), share_words(1 / 3)
    ('25 %', '33.3 %')
    """
    return f"{100 * share:.3g} %"


def percent(share: float) -> str:
    """Return a percentage of draws without pretending to 0 or 100.

    >>> percent(0.0), percent(55.4), percent(99.8)
    ('<1 %', '55 %', '>99 %')
    """
    return "<1 %" if share < 1 else ">99 %" if share > 99 else f"{share:.0f} %"


def likely(probability: float) -> str:
    """Return a probability to two decimals, or that it is closer to 0 or 1 than they can say.

    >>> likely(0.4712), likely(0.9984)
    ('0.47', '>0.99')
    """
    return "<0.01" if probability < 0.01 else ">0.99" if probability > 0.99 else f"{probability:.2f}"


def named(names: Sequence[str]) -> str:
    """Return names in words, the first few and how many more.

    >>> named(["a", "b"]), named(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c and 2 more')
    """
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def table(cells: list[list[str]]) -> str:
    """Return rows of text in aligned columns."""
    cells = [[" ".join(cell.split()) for cell in row] for row in cells]  # a line of its own could pass for our words
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


def markdown_table(cells: list[list[str]]) -> str:
    """Return rows as a Markdown table; text from a file cannot break out of its cell."""
    rows = ["| " + " | ".join(escape(cell) for cell in row) + " |" for row in cells]
    return "\n".join([rows[0], "|" + " --- |" * len(cells[0]), *rows[1:]])


def escape(text: str) -> str:
    """Return text that Markdown shows as it is."""
    for character in "\\`*_{}[]<>#|&~":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def terminal(manifest: Mapping[str, Any]) -> str:
    """Return what ``simulate run`` and ``simulate show`` print."""
    parts = [f"{manifest['title']}\n{heading(manifest)}", table(scope_cells(manifest))]
    tables = (claim_cells(manifest), fact_cells(manifest), member_cells(manifest))
    parts += [table(cells) for cells in tables if cells]
    parts += [manifest["note"]] if is_pool(manifest) else []
    return "\n\n".join([*parts, "\n".join(verdict_lines(manifest))])


def verdict_lines(manifest: Mapping[str, Any]) -> list[str]:
    """Return what is said of the draws: the verdict on them, and what another way to them found."""
    crossed = manifest.get("cross_check")
    return [manifest["verdict"]["in_words"], *([crossed["in_words"]] if crossed else [])]


def made_before(manifest: Mapping[str, Any]) -> str:
    """Return what ``simulate run`` says of a run that it found and did not make."""
    return f"made before, {date(manifest)}, and not again: it would be the same; --again makes another"


def date(manifest: Mapping[str, Any]) -> str:
    """Return when a run was made, to the minute.

    >>> date({"created": "2026-11-23T01:55:26.940+00:00"})
    '2026-11-23 01:55 UTC'
    """
    return f"{datetime.datetime.fromisoformat(manifest['created']).astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"


def heading(manifest: Mapping[str, Any]) -> str:
    """Return what the numbers are: prior or posterior, of whom, in what money, how many draws, and what was changed."""
    sampling = manifest["sampling"]
    draws = sampling["chains"] * sampling["draws"]
    return (
        f"{manifest['group'].capitalize()} for {manifest['subject']}, {manifest['money']}; "
        f"{draws:,} draws{kept_words(manifest)}, seed {sampling['seed']}, {evidence_words(manifest)}, "
        f"equal-tailed intervals{by_hand(manifest['settings'])}"
    )


def by_hand(settings: Sequence[str]) -> str:
    """Return what was changed of a prior file for one run, empty where nothing was.

    >>> by_hand(["scope.horizon=3"]), by_hand([])
    ('; with scope.horizon=3 set by hand', '')
    """
    return f"; with {named(settings)} set by hand" if settings else ""


def kept_words(manifest: Mapping[str, Any]) -> str:
    """Return how many of the draws are kept, where it is not all: `` (8,000 kept)``."""
    kept = manifest["sampling"].get("kept")
    return f" ({kept:,} kept)" if kept else ""


def for_machines(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``simulate run --json`` prints; a number that does not exist is null."""
    keys = ("median", "lower", "upper", "probability", "kind", "unit", "basis")
    verdict = manifest["verdict"]
    return {
        "run": str(folder),
        "converged": verdict["converged"],
        "diagnostics": {
            "method": verdict["method"],
            "reasons": list(verdict["reasons"]),
            **{key: finite(value) for key, value in verdict["diagnostics"].items()},
        },
        "seed": manifest["sampling"]["seed"],
        "scopes": {name: {key: found[key] for key in keys} for name, found in manifest["scopes"].items()},
        "facts": dict(manifest["facts"]),
        **({"members": list(manifest["members"])} if is_pool(manifest) else {}),
    }


def finite(value: Any) -> Any:
    """Return a number, or None for one that is not finite: JSON has no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def evidence_words(manifest: Mapping[str, Any]) -> str:
    """Return how much evidence the draws have heard: ``8 pieces of evidence``, ``no evidence``."""
    number = manifest["sampling"]["evidence"]
    if not number:
        return "no evidence"
    pieces = f"{number} piece{'s' if number > 1 else ''} of evidence"
    return f"{pieces} left out" if manifest["group"] == "prior" else pieces


def markdown(manifest: Mapping[str, Any]) -> str:
    """Return ``summary.md``."""
    parts: list[str] = [f"# {escape(manifest['title'])}", escape(heading(manifest)) + "."]
    if not manifest["verdict"]["converged"]:
        parts.append(f"> **{escape(manifest['verdict']['in_words'])}**")
    parts += ["## Cost scopes", markdown_table(scope_cells(manifest))]
    for title, cells in (
        ("Published claims", claim_cells(manifest)),
        ("Disputed facts", fact_cells(manifest)),
        ("Members", member_cells(manifest)),
    ):
        parts += [f"## {title}", markdown_table(cells)] if cells else []
    parts += [escape(manifest["note"])] if is_pool(manifest) else []
    parts += correlation_part(manifest)
    parts += [
        "## Convergence",
        escape("; ".join(verdict_lines(manifest))) + ".",
        "## How it was made",
        provenance(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def correlation_part(manifest: Mapping[str, Any]) -> list[str]:
    pairs = manifest["correlations"]
    if not pairs:
        return []
    cells = [["between", "and", "stated", f"in the {manifest['group']}{kept_words(manifest)}"]]
    cells += [[*pair["between"], f"{pair['stated_rank']:.2f}", f"{pair['achieved_rank']:.2f}"] for pair in pairs]
    return ["## Rank correlations", markdown_table(cells)]


def provenance(manifest: Mapping[str, Any]) -> str:
    """Return the settings and versions of a run as a Markdown list."""
    sampling, versions = manifest["sampling"], manifest["versions"]
    settings = "; ".join(manifest["settings"]) or "none"
    lines: Iterable[str] = (
        f"{origin(manifest)}: {escape(manifest['name'])}, digest {manifest['digest'][:16]}",
        f"settings by hand: {escape(settings)}",
        f"sampler: {sampling['sampler']}, {sampling['chains']} × {sampling['draws']} draws{kept_words(manifest)}, "
        f"seed {sampling['seed']}",
        ", ".join(f"{name} {versions[name]}" for name in ("simulate", "python", "pymc", "arviz", "numpy")),
        f"made: {manifest['created']}",
    )
    return "\n".join(f"- {line}" for line in lines)
