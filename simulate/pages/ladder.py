"""The cost ladder of a page, as inline SVG drawn from plain rows: every scope on one axis of money, claims beneath.

It is set twice, for a screen and for a phone, and the look of the page shows the one that fits. Each interval and
each claim says its values when it is pointed at or reached by keyboard, and the same stands in a table below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from simulate.pages import lettering
from simulate.pages.axis import FOOT, SMALL, Axis, Setting, ends_of
from simulate.pages.writing import markup
from simulate.plot_look import BASES

GAP = 9.0
"""Between a claim's mark and its words."""

CLAIM = 17.0
"""Height of a claim's row."""

KIND_WORDS = {
    "estimate": "a published figure",
    "floor": "a published lower bound",
    "ceiling": "a published upper bound",
}


@dataclass(frozen=True)
class Mark:
    """A published claim about a scope: its ``value`` [USD], the ``words`` that name it, figure included, its ``kind``.

    ``kind`` is estimate, floor or ceiling; ``used`` says whether it is evidence, and not only shown.
    """

    value: float
    words: str
    kind: str = "estimate"
    used: bool = False


@dataclass(frozen=True)
class Rung:
    """A cost scope: its label, its cost ``basis``, which decides its colour, and its median and interval [USD].

    ``words`` are median and interval as they are to be read, with the digits that their Monte Carlo errors support.
    ``note`` goes on after the basis, such as ``, 4 years``. ``inner`` is an interval of less probability,
    ``before`` one to compare with, such as the prior's.
    """

    label: str
    basis: str
    median: float
    lower: float
    upper: float
    words: tuple[str, str]
    note: str = ""
    inner: tuple[float, float] | None = None
    before: tuple[float, float] | None = None
    marks: tuple[Mark, ...] = ()


SETTINGS = (Setting("wide", 720.0, 168.0, 142.0, 0.0, 40.0), Setting("narrow", 360.0, 6.0, 6.0, 34.0, 22.0))


@dataclass(frozen=True)
class Placed:
    """A rung in its place: the top of its rows, the middle of its bar, its axis, its claims, and where it ends."""

    rung: Rung
    top: float
    middle: float
    axis: Axis
    claims: tuple[Claim, ...]
    bottom: float

    @property
    def css(self) -> str:
        """The class of the rung's colour."""
        return f"basis-{BASES.index(self.rung.basis)}" if self.rung.basis in BASES else "basis-none"


@dataclass(frozen=True)
class Claim:
    """A mark in its place: its words begin at ``text``, or end there when they stand to its left."""

    mark: Mark
    x: float
    y: float
    text: float
    is_left: bool
    short: str


def ladder(
    rungs: Sequence[Rung],
    *,
    name: str,
    level: str,
    inner: str = "",
    before: str = "",
    ends: tuple[float, float] | None = None,
    table: bool = True,
    legend: bool = True,
) -> Markup:
    """Return rungs as a figure to put into a page.

    ``name`` says what the figure shows, for readers who cannot see it; ``level`` what the intervals are, such as
    ``90 % credible interval``, ``inner`` the probability of the inner ones, such as ``50 %``, and ``before`` what those
    to compare with are. ``ends`` are those of the axis [USD], so that it stays when the rungs are drawn anew;
    without them it shows all there is. ``table`` adds the numbers as a table, closed at first, and
    ``legend`` what the marks mean.
    """
    low, high = ends or ends_of([value for rung in rungs for value in values(rung)])
    drawn = [(setting, list(placed(rungs, setting, setting.axis(low, high)))) for setting in SETTINGS]
    marks = [mark for rung in rungs for mark in rung.marks]
    return markup(
        "ladder.html",
        rungs=rungs,
        drawn=drawn,
        name=name,
        level=level,
        inner=inner,
        before=before,
        table=table,
        legend=legend,
        foot=FOOT,
        bases=[basis for basis in BASES if any(rung.basis == basis for rung in rungs)],
        all_bases=BASES,
        kinds=kinds(marks),
        evidence=any(mark.used for mark in marks),
        shown_only=any(not mark.used for mark in marks),
        kind_words=KIND_WORDS,
    )


def values(rung: Rung) -> Iterator[float]:
    """Yield what the axis must show of a rung [USD]."""
    yield from (rung.lower, rung.median, rung.upper, *(rung.inner or ()), *(rung.before or ()))
    yield from (mark.value for mark in rung.marks)


def kinds(marks: Sequence[Mark]) -> list[str]:
    """Return the kinds of claims that there are."""
    return [kind for kind in KIND_WORDS if any(mark.kind == kind for mark in marks)]


def placed(rungs: Sequence[Rung], setting: Setting, axis: Axis) -> Iterator[Placed]:
    """Yield rungs one below the other."""
    top = FOOT
    for rung in rungs:
        bars = top + setting.words + setting.bars
        claims = tuple(claim(mark, axis, setting, bars + row * CLAIM) for row, mark in enumerate(rung.marks))
        bottom = bars + len(claims) * CLAIM + (6 if claims else 2)
        yield Placed(rung, top, bars - setting.bars / 2, axis, claims, bottom)
        top = bottom


def claim(mark: Mark, axis: Axis, setting: Setting, top: float) -> Claim:
    """Return a mark with its words on the side that has room for them, shortened where neither has."""
    x = axis.place(mark.value)
    right, left = setting.width - x - GAP, x - GAP
    is_left = lettering.width(mark.words, SMALL) > right and left > right
    short = lettering.shorten(mark.words, left if is_left else right, SMALL)
    return Claim(mark, x, top + CLAIM / 2, x - GAP if is_left else x + GAP, is_left, short)
