"""What carries an answer, as tables a person reads, as one object for machines, and as a folder of both."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from simulate import plot_files, report, results, summary
from simulate.figures import plural
from simulate.jackknife import Estimate
from simulate.plot_caption import capital
from simulate.power_scaling import THRESHOLD
from simulate.report import escape, markdown_table, table
from simulate.sensitivity import Cell, Influence, LeftOut, Sensitivity, Spread, WhatIf
from simulate.summary import amount, published

FOLDER = "sensitivity"
"""Where analyses lie in the folder of runs."""

NAME = "sensitivity"
ABSENT = "–"
SHOWN = 10
"""Unknowns in a table of the terminal."""

SHARES = """
Shares are Shapley effects: of the variance of {what}, each unknown gets the mean of what it adds over all orders
in which unknowns can be learnt, so that what dependent ones explain in common is divided between them. They add up
to 1 with the part that is not explained. What a set of unknowns explains is fitted to the joint draws, as a
polynomial in the normal scores of its members, {kind}. An unknown that the scope is not computed from has no
share: it acts through the evidence. ± is one Monte Carlo standard error, here and below, by the jackknife over
blocks of draws{orders}."""

ALONE = """
Alone: the share of the variance that knowing this one unknown takes away, with all that it says of the others. Rank
correlation: Spearman's. Low and high: the median where the unknown is in the lowest and in the highest tenth of its
draws, or the fact false and true."""

LEFT = """
The interval that is left, on average, once the unknown is known exactly: the width of the {level} given the unknown,
over the present {width}. From the joint draws: they are cut into bins along the unknown, and what varies within a bin
by the unknown itself is taken off by a cubic spline. An unknown that is all there is would seem to leave {bias} of the
width instead of nothing."""

POWER = """
Power-scaling, by ArviZ: how far a distribution moves for each doubling of a component's weight, found from a weight
1 % more and less; from {threshold} on it counts (Kallioinen et al. 2024). On the scope: the weight of this one prior.
On itself: the weight of its prior, and of all evidence together. A correlated prior is scaled on its score before the
correlation; a fact at even odds stays there whatever its weight. Sensitivity is not error: a stated judgement that
matters is sensitive, and may be right."""

REFITS = """
Each row samples the posterior anew without the claims of one origin: {way}. A move is the difference to the run, its
error that of both. The priors that cite the same source stay as they are. A claim without a source is its own origin;
one that cites two stands in the rows of both."""

WHAT_IF = """
Computed: the assumption is set in every draw and the ledger computed again; nothing else changes. Given the evidence:
the evidence, or a stated correlation, ties this unknown to others, so that each cell is the distribution where it has
that value, from the nearest tenth of the draws. An assumption that the file fixes is set to round values; the evidence
was heard with the file's own."""


# ---------------------------------------------------------------------------------------------
# Numbers


def with_error(estimate: Estimate, unit: str = "", factor: float = 1.0, *, signed: bool = False) -> str:
    """Return a number with its Monte Carlo error, both to the first digit of the error.

    >>> with_error(Estimate(0.5331, 0.0104), "%", 100), with_error(Estimate(-2.1e7, 1.2e7), "USD", signed=True)
    ('53 ± 1 %', '-$20M ± $10M')
    """
    value, error = estimate.value * factor, abs(estimate.mcse * factor)
    money = unit.startswith("USD")
    place = place_of(error)
    shown = unit if money else ""
    text = amount(round(value / place) * place if place else value, shown, place)
    text = f"+{text}" if signed and value > 0 and not text.lstrip("$").startswith("0") else text
    behind = amount(round(error / place) * place, shown, place) if place else ""
    return " ".join(part for part in (text, f"± {behind}" if behind else "", "" if money else unit) if part)


def place_of(error: float) -> float:
    """Return the decimal place of the first digit of an error once it is rounded to that; zero for none.

    >>> place_of(0.23), place_of(0.97), place_of(0.0)
    (0.1, 1.0, 0.0)
    """
    return 10.0 ** math.floor(math.log10(float(f"{error:.0e}"))) if error > 0 else 0.0


def percent(estimate: Estimate | None) -> str:
    """Return a share in percent with its error."""
    return with_error(estimate, "%", 100) if estimate else ABSENT


def level(found: Sensitivity) -> str:
    """Return the words for the interval: ``90 % credible interval``."""
    return f"{100 * found.probability:g} % credible interval"


def money(estimate: Estimate, unit: str) -> str:
    return amount(estimate.value, unit, estimate.mcse)


def interval(spread: Spread, unit: str) -> str:
    return f"{money(spread.lower, unit)} to {money(spread.upper, unit)}"


# ---------------------------------------------------------------------------------------------
# Tables, header first; empty where there is nothing to say


def influence_cells(found: Sensitivity, most: int | None = None) -> list[list[str]]:
    """Return what each unknown does."""
    head = ["unknown", "share of variance", "alone", "rank correlation", "median if low", "if high", "interval left"]
    return [head, *(influence_row(one, found.unit) for one in found.influences[:most])]


def influence_row(one: Influence, unit: str) -> list[str]:
    low, high = (money(end, unit) for end in (one.low, one.high))
    return [one.path, percent(one.share), percent(one.alone), with_error(one.rank), low, high, percent(one.left)]


def group_cells(found: Sensitivity) -> list[list[str]]:
    """Return the shares of chips, runs and other things, with what is not explained."""
    if not found.effects:
        return []
    rows = [[group.name, str(len(group.members)), percent(group.share)] for group in found.groups]
    return [["what", "unknowns", "share of variance"], *rows, ["not explained", "", percent(found.effects.unexplained)]]


def asking_cells(found: Sensitivity) -> list[list[str]]:
    """Return what is worth asking for, most useful first."""
    rows = [[str(n), one.path, percent(one.left), narrower(found, one)] for n, one in enumerate(found.to_ask(), 1)]
    return [["", "ask for", "interval left", "narrower by"], *rows] if rows else []


def narrower(found: Sensitivity, one: Influence) -> str:
    """Return by how much the interval gets narrower."""
    return with_error(Estimate((1 - one.left.value) * found.width, one.left.mcse * found.width), found.unit)


def power_cells(found: Sensitivity) -> list[list[str]]:
    """Return the power-scaling sensitivities of each prior."""
    rows = [
        [one.path, with_error(one.on_answer), with_error(one.prior), heard(one.evidence), one.words]
        for one in found.powers
    ]
    head = ["prior of", f"on {found.scope}", "on itself", "evidence on it", "reading"]
    return [head, *rows] if rows else []


def heard(evidence: Estimate | None) -> str:
    return ABSENT if evidence is None else with_error(evidence)


def evidence_cells(found: Sensitivity) -> list[list[str]]:
    """Return the power-scaling sensitivities of each group of claims."""
    ordered = sorted(found.evidence_powers.items(), key=lambda item: -item[1].value)
    rows = [[name.removeprefix("evidence."), with_error(value)] for name, value in ordered]
    return [["evidence", f"on {found.scope}"], *rows] if rows else []


def left_out_cells(found: Sensitivity) -> list[list[str]]:
    """Return the scope without each origin, and its moves; the run itself first."""
    if not found.left_out:
        return []
    head = ["left out", "claims", "median", level(found), "median moves", "lower end", "upper end"]
    facts = list(found.facts)
    whole = ["nothing", "", money(found.spread.median, found.unit), interval(found.spread, found.unit), "", "", ""]
    rows = [[*head, *(f"P({path})" for path in facts)], [*whole, *(report.likely(found.facts[path]) for path in facts)]]
    return rows + [left_out_row(one, found.unit, facts) for one in found.left_out]


def left_out_row(one: LeftOut, unit: str, facts: Sequence[str]) -> list[str]:
    name = one.omission.name + ("" if not one.reasons else " (NOT CONVERGED)")
    moves = (with_error(move, unit, signed=True) for move in (one.move.median, one.move.lower, one.move.upper))
    states = (report.likely(one.facts[path]) if path in one.facts else ABSENT for path in facts)
    claims = str(len(one.omission.claims))
    return [name, claims, money(one.spread.median, unit), interval(one.spread, unit), *moves, *states]


def clear_cells(found: Sensitivity) -> list[list[str]]:
    """Return the origins without which the scope moves beyond doubt, with what fits a terminal."""
    moving = found.moving()
    shown = [one for one in found.left_out if one in moving or one.reasons]
    rows = [left_out_row(one, found.unit, ())[:5] for one in shown]
    return [left_out_cells(found)[0][:5], *rows] if rows else []


def what_if_cells(found: Sensitivity) -> list[list[str]]:
    """Return the grid of assumptions: a row for each value of each."""
    rows = [what_if_row(one, cell, found.unit) for one in found.what_ifs for cell in one.cells]
    return [["assumption", "value", "percentile", "median", level(found), "how"], *rows] if rows else []


def what_if_row(one: WhatIf, cell: Cell, unit: str) -> list[str]:
    value = published(float(f"{cell.value:.2g}"), plural(one.unit))
    percentile = "" if cell.percentile is None else f"p{100 * cell.percentile:.0f}"
    way = "given the evidence" if one.conditional else "computed"
    return [one.path, value, percentile, money(cell.spread.median, unit), interval(cell.spread, unit), way]


# ---------------------------------------------------------------------------------------------
# Sentences


def alarm(found: Sensitivity) -> list[str]:
    """Return the warning that the run has not converged, where it has not."""
    verdict = found.run.manifest["verdict"]
    return [] if verdict["converged"] else [verdict["in_words"]]


def heading(found: Sensitivity) -> str:
    """Return what is explained, and of which run."""
    made = found.run.manifest["sampling"]
    return (
        f"What carries {found.scope} of {found.run.manifest['name']}: {money(found.spread.median, found.unit)} "
        f"({level(found)} {interval(found.spread, found.unit)}), {found.group}, "
        f"{made['chains'] * made['draws']:,} draws, seed {made['seed']}"
    )


def explained(found: Sensitivity) -> str:
    """Return how much of the variance the shares speak of."""
    if not found.effects:
        return ""
    what = f"log {found.scope}" if found.is_log else found.scope
    return f"Shares are of the variance of {what}; not explained: {percent(found.effects.unexplained)}."


def advice(found: Sensitivity, called: Callable[[str], object] = str) -> str:
    """Return what a journalist would ask for; ``called`` is what each path is called."""
    useful = found.to_ask()[:3]
    if not useful:
        return "Ask for: no single number, exactly known, would narrow the interval beyond Monte Carlo error."
    words = (f"{called(one.path)} ({percent(one.left)})" for one in useful)
    return f"Ask for: {', '.join(words)}; in brackets, how wide the interval would be, were it known exactly, of now."


def weighing(found: Sensitivity) -> str:
    """Return what power-scaling says of all priors and all evidence, and where they may conflict."""
    if not found.overall:
        return ""
    prior, evidence = with_error(found.overall.prior), heard(found.overall.evidence)
    text = f"Power-scaling of {found.scope}: all priors {prior}, all evidence {evidence}; {found.overall.words}."
    torn = [one.path for one in found.powers if "conflict" in one.words]
    return f"{text} Possible prior-data conflict in {', '.join(torn)}." if torn else text


def idle(found: Sensitivity) -> str:
    return f"{found.scope} does not depend on {', '.join(found.idle)}." if found.idle else ""


def others(found: Sensitivity) -> str:
    """Return which origins can be left out without a move beyond doubt."""
    moving = found.moving()
    names = [one.omission.name for one in found.left_out if one not in moving and not one.reasons]
    return f"Left out, these move nothing beyond Monte Carlo error: {'; '.join(names)}." if names else ""


def kept(found: Sensitivity) -> str:
    """Return which priors stay although their source's claims were left out."""
    each = (f"{one.omission.name} ({', '.join(one.kept)})" for one in found.left_out if one.kept)
    words = "; ".join(each)
    return f"Cited by priors too, which stay when its claims are left out: {words}." if words else ""


def faults(found: Sensitivity) -> list[str]:
    """Return why refits are not to be cited."""
    return [f"Without {one.omission.name}: {'; '.join(one.reasons)}." for one in found.left_out if one.reasons]


def refit_words(found: Sensitivity) -> str:
    """Return how refits were made."""
    made = found.refitting
    if made is None:
        return ""
    return f"{made.chains} × {made.draws} draws after {made.tune}, seed {made.seed}; without any, the prior is drawn"


# ---------------------------------------------------------------------------------------------
# Pages


def terminal(found: Sensitivity) -> str:
    """Return what ``simulate sensitivity`` prints."""
    parts = [*alarm(found), heading(found), table(influence_cells(found, SHOWN))]
    if (more := len(found.influences) - SHOWN) > 0:
        parts.append(f"and {more} more, in the file below")
    parts += [explained(found), advice(found), weighing(found)]
    parts += [table(cells) for cells in (group_cells(found), clear_cells(found)) if cells]
    parts += [others(found), *(table(cells) for cells in (what_if_cells(found),) if cells)]
    parts += [idle(found), *found.notes, *faults(found), *alarm(found)]
    return "\n\n".join(part for part in parts if part)


def markdown(found: Sensitivity) -> str:
    """Return ``sensitivity.md``."""
    parts = [f"# {escape(heading(found))}", *(f"> **{escape(text)}**" for text in alarm(found))]
    parts += [advice(found), weighing(found)]
    for title, cells, note in sections(found):
        parts += [f"## {title}", markdown_table(cells), note] if cells else []
    parts += [idle(found), kept(found), *faults(found), *found.notes]
    return "\n\n".join(part if part.startswith(("#", "|", ">")) else escape(part) for part in parts if part) + "\n"


def sections(found: Sensitivity) -> list[tuple[str, list[list[str]], str]]:
    """Return title, table and method of each part."""
    effects = found.effects
    what = f"the logarithm of {found.scope}" if found.is_log else found.scope
    orders = f" and over {effects.orders} orders" if effects else ""
    shares = SHARES.format(what=what, kind=effects.kind if effects else "", orders=orders)
    width = amount(found.width, found.unit)
    bias = "half a percent" if found.run.manifest["sampling"]["draws"] >= 2000 else "one or two percent"
    return [
        ("Which unknown", influence_cells(found), (shares if effects else "") + ALONE),
        ("By what it belongs to", group_cells(found), "Sums of the shares above."),
        ("What to ask for", asking_cells(found), LEFT.format(level=level(found), width=width, bias=bias)),
        ("Which prior", power_cells(found), POWER.format(threshold=THRESHOLD)),
        ("Which evidence", evidence_cells(found), "The weight of all claims of a group together."),
        ("Which source", left_out_cells(found), REFITS.format(way=refit_words(found))),
        ("What if", what_if_cells(found), WHAT_IF),
    ]


# ---------------------------------------------------------------------------------------------
# Machines, and the folder


def for_machines(found: Sensitivity) -> dict[str, Any]:
    """Return an analysis as one JSON object, at full precision."""
    manifest = found.run.manifest
    effects = found.effects
    return {
        "run": str(found.run.folder),
        "digest": manifest["digest"],
        "converged": manifest["verdict"]["converged"],
        "scope": found.scope,
        "unit": found.unit,
        "group": found.group,
        "probability": found.probability,
        "kind": summary.KIND,
        "seed": found.seed,
        "explains": f"log {found.scope}" if found.is_log else found.scope,
        "spread": plain(found.spread),
        "unknowns": [plain(one) for one in found.influences],
        "shares": plain({"unexplained": effects.unexplained, "fit": effects.kind, "orders": effects.orders})
        if effects
        else None,
        "groups": [plain(group) for group in found.groups],
        "ask_for": [one.path for one in found.to_ask()],
        "power_scaling": {
            "threshold": THRESHOLD,
            "overall": plain(found.overall),
            "priors": [plain(one) for one in found.powers],
            "evidence": plain(found.evidence_powers),
        },
        "left_out": [left_out_object(one) for one in found.left_out],
        "refits": plain(found.refitting),
        "what_if": [plain(one) for one in found.what_ifs],
        "does_not_depend_on": list(found.idle),
        "notes": list(found.notes),
    }  # fmt: skip


def left_out_object(one: LeftOut) -> dict[str, Any]:
    """Return a refit as JSON, with the settings by which ``simulate run`` gives the same posterior."""
    settings = [f"evidence.{name}.used=false" for name in one.omission.claims if not name.startswith("runs.")]
    whole = len(settings) == len(one.omission.claims)
    return {**plain(one), "converged": not one.reasons, "settings": settings if whole else None}


def plain(value: Any) -> Any:
    """Return dataclasses, mappings and sequences as JSON has them; a number that is not finite is null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return report.finite(value)


def save(found: Sensitivity, out: Path, *, figure: bool = True) -> Path:
    """Write tables, object and figure of an analysis into a folder of their own below ``out``; return it.

    Whole or not at all, as a run is. Raises `RunError` where the disk refuses.
    """
    with results.writing(out, FOLDER, digest(found)) as finish, results.disk(finish.folder):
        text = json.dumps(for_machines(found), indent=2, allow_nan=False)
        results.write_text(finish.folder / f"{NAME}.json", text + "\n")
        results.write_text(finish.folder / f"{NAME}.md", markdown(found))
        if figure:
            draw(found, finish.folder)
        return finish.move()


def draw(found: Sensitivity, folder: Path) -> None:
    """Write the figure of an analysis into a folder."""
    from simulate import sensitivity_plot
    from simulate.plot_style import house_style

    with house_style():
        made = sensitivity_plot.draw(found)
        plot_files.write(folder, NAME, made, sensitivity_plot.caption(found), capital(sensitivity_plot.SHOWS))


def digest(found: Sensitivity) -> str:
    """Return the SHA-256 of what is analysed: the run, the scope, and how."""
    refits = dataclasses.asdict(found.refitting) if found.refitting else {}
    refits.pop("cores", None)
    asked = [found.run.manifest["checksum"], found.scope, found.seed, refits]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()
