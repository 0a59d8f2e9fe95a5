"""The figure of a comparison: a block for each cost scope, a row for each scenario, one axis of money for all.

Nothing overlaps by construction: each interval has a row of its own, and so has each published claim,
from which a line leads up through the intervals of its block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulate.comparison import Comparison, Scenario
from simulate.ladder_plot import (
    CLAIM_ROW,
    GAP,
    GUTTER,
    LEGEND_ROW,
    LEGEND_TOP,
    NARROWEST,
    Frame,
    Item,
    Mark,
    bar,
    claim_words,
    dot,
    draw_legend,
    draw_mark,
    flow,
    mark_items,
)
from simulate.naming import SCOPE_LABELS
from simulate.plot_axes import amounts, inner_probability, limits, money_axis
from simulate.plot_look import look
from simulate.plot_style import LARGE, SMALL, Sheet, blank, heading, legible, shorten, text_width
from simulate.summary import published

SHOWS = "every cost scope in each scenario, on one axis of money, and the published claims about it"

HEAD_ROW, ROW = 19.0, 13.0
"""Heights of the head of a block and of a scenario in it [pt]."""

WIDEST = 0.3
"""Share of the sheet that the names of scenarios may take."""

TALL = 300.0
"""Height from which the axis is labelled above too [pt]."""

AXIS_HEAD = 14.0

STYLES = ("bold", "normal")
"""Weights of the median and of the interval in numbers."""


@dataclass(frozen=True)
class Line:
    """A scenario in a block: its estimate, in numbers and in words."""

    name: str
    found: Mapping[str, Any]
    words: tuple[str, str]


@dataclass(frozen=True)
class Columns:
    """Where names, axis and numbers lie; medians end at ``medians`` [pt], intervals at the right end."""

    frame: Frame
    medians: float


@dataclass(frozen=True)
class Block:
    """A cost scope: what each scenario that has it says, and the published claims about it."""

    label: str
    basis: str
    years: str
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]

    @property
    def height(self) -> float:
        """What the block takes of the figure [pt]."""
        return HEAD_ROW + ROW * len(self.lines) + CLAIM_ROW * len(self.marks) + GAP


def draw(comparison: Comparison) -> Any:
    """Return a comparison as a Matplotlib figure."""
    blocks = blocks_of(comparison)
    rows = list(flow(legend_items(comparison, blocks)))
    height = sum(block.height for block in blocks)
    top = AXIS_HEAD if height > TALL else 0.0
    made = blank(
        heading(comparison.converged, title(comparison), subtitle(comparison)),
        foot(comparison),
        top + height + LEGEND_TOP + len(rows) * LEGEND_ROW,
    )
    columns = columns_of(blocks)
    axes = axis(made, columns.frame, top, height)
    for block in blocks:
        draw_block(made, axes, block, top, columns)
        top += block.height
    draw_legend(made, rows, top + LEGEND_TOP)
    return made.figure


def title(comparison: Comparison) -> str:
    number = len(comparison.scenarios)
    return f"The same costs in {number} scenarios" if number > 1 else f"The costs of {comparison.scenarios[0].name}"


def subtitle(comparison: Comparison) -> str:
    return (
        f"Median and {100 * comparison.probability:g} % equal-tailed credible interval of the "
        f"{' and the '.join(comparison.values('group'))}, in {' and '.join(comparison.values('money'))}"
    )


def foot(comparison: Comparison) -> str:
    """Return where the figure comes from."""
    versions = dict.fromkeys(one.manifest["versions"]["simulate"] for one in comparison.scenarios)
    ways = dict.fromkeys(one.way for one in comparison.scenarios)
    names = ", ".join(f"{one.name} {one.manifest['digest'][:8]}" for one in comparison.scenarios)
    return legible(f"simulate {', '.join(versions)} · {'; '.join(ways)} · {names}")


def caption(comparison: Comparison) -> str:
    """Return a text that can stand below the figure or in its place, its numbers included."""
    blocks = blocks_of(comparison)
    level = f"{100 * comparison.probability:g} %"
    inner = f"{100 * inner_probability(comparison.probability):g} %"
    scopes = "; ".join(
        f"{block.label} ({block.basis}{block.years}): {', '.join(map(in_words, block.lines))}" for block in blocks
    )
    scenarios = "; ".join(f"{one.name}, {one.manifest['title']}, {one.way}" for one in comparison.scenarios)
    verdicts = "; ".join(f"{one.name}, {one.manifest['verdict']['in_words']}" for one in comparison.scenarios)
    parts = [
        *([] if comparison.converged else ["NOT CONVERGED, do not cite."]),
        f"{SHOWS[0].upper()}{SHOWS[1:]}.",
        f"{subtitle(comparison)}. Dot, median; dark bar, {inner} interval; light bar, {level}. "
        "A scenario without a scope has no row there.",
    ]
    if any(block.marks for block in blocks):
        parts.append("Marks are published claims: filled, evidence in a scenario at least; hollow, only shown.")
    return (
        "\n".join([*parts, f"{scopes}.", f"Scenarios: {scenarios}.", f"Verdicts: {verdicts}.", made(comparison)]) + "\n"
    )


def in_words(line: Line) -> str:
    return f"{line.name} {line.words[0]} ({line.words[1]})"


def made(comparison: Comparison) -> str:
    """Return digests and versions."""
    digests = "; ".join(f"{one.name} {one.manifest['digest'][:16]}" for one in comparison.scenarios)
    versions = comparison.scenarios[0].manifest["versions"]
    return f"Digests: {digests}. simulate {versions['simulate']}, Matplotlib {versions['matplotlib']}."


# ---------------------------------------------------------------------------------------------
# What is drawn


def blocks_of(comparison: Comparison) -> list[Block]:
    """Return the blocks of a comparison, narrowest scope first."""
    return [block_of(comparison, name, found) for name, found in comparison.scopes.items()]


def block_of(comparison: Comparison, name: str, estimates: Mapping[str, Mapping[str, Any]]) -> Block:
    heads = comparison.heads
    lines = tuple(Line(legible(heads[one]), found, amounts(found)) for one, found in estimates.items())
    basis, years = next(iter(estimates.values()))["basis"], {found["years"] for found in estimates.values()}
    told = years.pop() if len(years) == 1 else ", not over the same years"
    return Block(SCOPE_LABELS[name], basis, told, lines, marks_of(comparison, name))


def marks_of(comparison: Comparison, name: str) -> tuple[Mark, ...]:
    """Return the claims about a scope in any scenario, each figure once, smallest first.

    It is filled when it is evidence in one of them; where they are not of one subject, it says of which.
    """
    told = len(comparison.values("subject")) > 1
    found: list[list[Said]] = []
    for said in (said for one in comparison.scenarios for said in said_by(one, name)):
        same = next((group for group in found if said.is_like(group[0])), None)
        found.append([said]) if same is None else same.append(said)
    marks = [mark_of(group, told) for group in found]
    return tuple(sorted(marks, key=lambda mark: (mark.value, mark.label)))


@dataclass(frozen=True)
class Said:
    """A claim as one scenario has it."""

    value: float
    kind: str
    used: bool
    label: str
    figure: str
    subject: str

    def is_like(self, other: Said) -> bool:
        """Whether two scenarios have the same figure: of one subject, or in the same words."""
        alike = (self.kind, published(self.value)) == (other.kind, published(other.value))
        return alike and (self.subject == other.subject or self.label == other.label)


def said_by(scenario: Scenario, name: str) -> list[Said]:
    """Return the claims of a scenario about a scope; for a prior none of them is evidence."""
    subject, counts = legible(scenario.manifest["subject"]), scenario.manifest["group"] == "posterior"
    return [
        Said(claim["value"], claim["kind"], claim["used"] and counts, *claim_words(claim), subject)
        for claim in scenario.manifest["claims"]
        if claim["about"] == name
    ]


def mark_of(group: Sequence[Said], told: bool) -> Mark:
    """Return the mark of a figure that several scenarios may have, in the words of the first."""
    first = group[0]
    label = f"{first.label} [{first.subject}]" if told else first.label
    return Mark(first.value, first.kind, any(said.used for said in group), label, first.figure)


def columns_of(blocks: Sequence[Block]) -> Columns:
    """Return the columns, with the axis that names and numbers leave room for, and that shows all there is."""
    lines = [line for block in blocks for line in block.lines]
    names = min(WIDEST * look().width, max(text_width(line.name, SMALL) for line in lines))
    medians, intervals = (max(text_width(line.words[i], SMALL, STYLES[i]) for line in lines) for i in (0, 1))
    values = [value for line in lines for value in (line.found["lower"], line.found["median"], line.found["upper"])]
    values += [mark.value for block in blocks for mark in block.marks]
    low, high = limits([value for value in values if value > 0] or [1.0], factor=NARROWEST)
    ends = look().width - intervals - GUTTER
    return Columns(Frame(names + GUTTER, ends - medians - names - 2 * GUTTER, low, high), ends)


def legend_items(comparison: Comparison, blocks: Sequence[Block]) -> list[Item]:
    """Return what the figure needs explained; the colours are those of the bases, named in each block."""
    inner = 100 * inner_probability(comparison.probability)
    interval = Item("interval", f"median, {inner:g} % and {100 * comparison.probability:g} % interval")
    return [interval, *mark_items([mark for block in blocks for mark in block.marks])]


# ---------------------------------------------------------------------------------------------
# Drawing


def axis(made: Sheet, frame: Frame, top: float, height: float) -> Any:
    """Return the axis of money; its data are as high as the sheet counts, from its own top."""
    axes = made.axes(frame.left, top, frame.width, height)
    axes.set(ylim=(top + height, top), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.patch.set_visible(False)
    money_axis(axes, frame.low, frame.high, frame.width)
    axes.grid(axis="x", which="major")
    axes.tick_params(axis="x", which="major", labeltop=top > 0)
    return axes


def draw_block(made: Sheet, axes: Any, block: Block, top: float, columns: Columns) -> None:
    """Draw a block whose rows begin at ``top``."""
    colour, frame = look().basis(block.basis), columns.frame
    made.line(top)
    draw_head(made, block, top)
    start, end = top + HEAD_ROW, top + HEAD_ROW + ROW * len(block.lines)
    for row, line in enumerate(block.lines):
        draw_line(made, axes, line, start + (row + 0.5) * ROW, columns, colour)
    for row, mark in enumerate(block.marks):
        pale = look().tint(colour, 0.7)
        axes.plot([mark.value] * 2, [start, end], color=pale, linewidth=0.7, dashes=(2, 2), zorder=0.9)
        draw_mark(axes, mark, colour, end + (row + 0.5) * CLAIM_ROW, frame)


def draw_head(made: Sheet, block: Block, top: float) -> None:
    """Write what scope a block is of, and its basis; the grid does not run through the words."""
    paper = {"facecolor": look().paper, "edgecolor": "none", "pad": 1.0}
    base, left = top + 0.7 * HEAD_ROW, text_width(block.label, LARGE, "bold") + GUTTER
    made.text(0, base, block.label, LARGE, weight="bold", bbox=paper)
    made.text(left, base, block.basis + block.years, SMALL, color=look().soft, bbox=paper)


def draw_line(made: Sheet, axes: Any, line: Line, middle: float, columns: Columns, colour: str) -> None:
    """Draw a scenario: its name, both intervals and the median, and its numbers."""
    base, frame = middle + 0.35 * SMALL, columns.frame
    made.text(0, base, shorten(line.name, frame.left - GUTTER, SMALL), SMALL)
    made.text(columns.medians, base, line.words[0], SMALL, weight=STYLES[0], ha="right")
    made.text(look().width, base, line.words[1], SMALL, color=look().soft, ha="right")
    axes.add_patch(bar((line.found["lower"], line.found["upper"]), middle, 5, frame, look().tint(colour, 0.35)))
    axes.add_patch(bar(line.found["inner"], middle, 7, frame, colour))
    if line.found["median"] >= frame.low:
        dot(axes, line.found["median"], middle)
