"""The page of `simulate explore`, and the answers that its script puts into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from simulate import changes as changing_of
from simulate import controls, exploration
from simulate.changes import Changes
from simulate.changing import Base, file_name
from simulate.errors import InputError, shortened
from simulate.exploration import PROBABILITY, Outcome
from simulate.layers import Layers
from simulate.pages import writing
from simulate.pages.axis import ends_of
from simulate.pages.ladder import Mark, Rung, ladder, values
from simulate.plot_axes import inner_probability

STYLES, SCRIPTS = ("look.css", "explore.css"), ("tips.js", "explore.js")
LEVEL = f"{100 * PROBABILITY:g} % credible interval"
INNER = f"{100 * inner_probability(PROBABILITY):g} %"

LEAST = 0.001
"""Amounts below it have no place on an axis of money [USD]."""


@dataclass(frozen=True)
class Page:
    """The text of a page, and what it may do (Content-Security-Policy)."""

    text: str
    policy: str


@cache
def policy() -> str:
    """Return the policy of all pages here: styles and scripts of ours alone, and questions to this server alone."""
    styles, scripts = (" ".join(writing.digest(writing.own(name)) for name in names) for names in (STYLES, SCRIPTS))
    return (
        f"default-src 'none'; img-src data:; style-src {styles}; script-src {scripts}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def page(base: Base, query: str, names: Sequence[str]) -> Page:
    """Return the page of a prior file with the changes of an address in its controls.

    Changes that cannot be read, or that have no control, are named on the page and not made.
    """
    notices: list[str] = []
    try:
        made = changing_of.read(query)
    except InputError as error:
        made = Changes()
        notices += [f"Of the address: {shortened(str(fault))}." for fault in error.faults]
    notices += lacking(base, made)
    found = list(controls.numbers(base, made))
    doubted = list(controls.facts(base, made))
    return Page(
        writing.write(
            "explore.html",
            base=base,
            priors=base.priors,
            names=names,
            notices=notices,
            titles=controls.GROUPS,
            groups=controls.groups(found, doubted),
            opened=controls.opened(found, doubted, made),
            facts=doubted,
            claims=list(controls.claims(base, made)),
            sources=list(controls.sources(base)),
            source_words={name: controls.source_words(source) for name, source in base.priors.sources.items()},
            urls={name: source.url for name, source in base.priors.sources.items()},
            file=file_name(base.priors.name),
            level=LEVEL,
            styles=STYLES,
            scripts=SCRIPTS,
        ),
        policy(),
    )


def lacking(base: Base, made: Changes) -> list[str]:
    """Return what an address holds that this file has nothing for."""
    known = base.places.keys() & base.priors.entries.keys() | {fact.path for fact in base.priors.facts}
    claims = {claim.name for claim in base.priors.claims}
    gone = [
        *(path for path in made.entries if path not in known),
        *(name for name in made.claims if name not in claims),
    ]
    found = [f"The address changes {shortened(name)}, which has no control here; that is left out." for name in gone]
    if made.of and not base.priors.digest.startswith(made.of):
        found.append(
            f"The address was made from another version of this file ({made.of[:12]}; now {base.priors.digest[:8]}): "
            "what was not changed by hand may differ."
        )
    return found


def index(names: Sequence[str]) -> Page:
    """Return the page that leads to the others."""
    return Page(writing.write("explore_index.html", names=names, fault="", name="", styles=STYLES), policy())


def faulty(name: str, error: InputError) -> Page:
    """Return the page of a prior file that has faults, or of changes that make faults."""
    return Page(writing.write("explore_index.html", names=[], fault=str(error), name=name, styles=STYLES), policy())


def faults(error: InputError) -> list[dict[str, str]]:
    """Return faults with their paths, by which a page finds the control that each belongs to."""
    return [
        {"path": fault.path, "text": shortened("; ".join(filter(None, (fault.found, fault.mend))))}
        for fault in error.faults
    ]


# ---------------------------------------------------------------------------------------------
# Answers


def answer(
    base: Base, made: Changes, shown: Layers, outcome: Outcome, ends: tuple[float, float] | None
) -> dict[str, Any]:
    """Return what the script of the page shows of an outcome; ``ends`` are those of the axis so far [USD]."""
    rungs = [rung(found) for found in exploration.rungs(outcome)]
    low, high = reach([value for one in rungs for value in values(one)], ends)
    return {
        "ladder": ladder(
            rungs,
            name=f"What {base.priors.subject} spent, by what is counted: {exploration.standing(outcome)}",
            level=LEVEL,
            inner=INNER,
            before="the priors alone, before any claim" if outcome.hears else "",
            ends=(low, high),
        ),
        "ends": [low, high],
        "group": outcome.group,
        "converged": outcome.verdict.converged,
        "standing": exploration.standing(outcome),
        "verdict": outcome.verdict.in_words(),
        "headline": headline(outcome, rungs),
        "facts": exploration.facts(outcome),
        "intervals": exploration.intervals(outcome),
        "digest": outcome.priors.digest[:8],
        "command": f"simulate run --priors {shown.path.name}",
        "mute": mute(base, made, outcome),
    }


def mute(base: Base, made: Changes, outcome: Outcome) -> list[str]:
    """Return the claims that are switched on and have no weight all the same: their subject is fixed, or not there."""
    heard = {claim.name for claim in outcome.priors.evidence}
    return [c.name for c in base.priors.claims if made.claims.get(c.name, c.used) and c.name not in heard]


def reach(shown: Sequence[float], ends: tuple[float, float] | None) -> tuple[float, float]:
    """Return the ends of the axis: as they are while they show all there is, else wider; below `LEAST` is nothing."""
    placed = [value for value in shown if value >= LEAST]
    low, high = ends_of(placed)
    if ends is None:
        return low, high
    return (
        ends[0] if not placed or min(placed) >= ends[0] else low,
        ends[1] if not placed or max(placed) <= ends[1] else high,
    )


def rung(found: dict[str, Any]) -> Rung:
    return Rung(**{**found, "marks": tuple(Mark(**mark) for mark in found["marks"])})


def headline(outcome: Outcome, rungs: Sequence[Rung]) -> dict[str, str]:
    """Return the widest scope in words, for the line that stays in sight."""
    if not rungs:
        return {"label": "No cost follows from this file", "median": "", "interval": ""}
    last = rungs[-1]
    return {
        "label": last.label + last.note,
        "median": last.words[0],
        "interval": f"{LEVEL} {last.words[1]}; {outcome.priors.money}",
    }
