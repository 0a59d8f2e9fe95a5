"""How figures look: the colours of a theme and the width of a sheet, the same for all that is drawn at a time.

The colours of costs and chains are those of Okabe and Ito (2008), Color Universal Design, which stay apart under
every common deficiency of colour vision; on dark paper they are lighter, so that each is at least 3 : 1 against it
(WCAG 2.2, success criterion 1.4.11).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from simulate import ledger
from simulate.errors import SimulateError

MARGIN = 10.0
"""Around everything; what an axis says at its ends may reach into it [pt]."""

MILLIMETRE = 72 / 25.4
"""In points."""


@dataclass(frozen=True)
class Theme:
    """The colours of figures: text, lines and paper; cost bases from rented to owned; and chains."""

    ink: str
    soft: str
    grey: str
    rule: str
    paper: str
    alarm: str
    bases: tuple[str, str, str, str]
    chains: tuple[str, ...]

    def basis(self, basis: str) -> str:
        """Return the colour of a cost basis: blues for renting, vermillion and orange for owning."""
        return dict(zip(BASES, self.bases, strict=True)).get(basis, self.soft)

    def chain(self, number: int) -> str:
        """Return the colour of a chain; after eight they come again."""
        return self.chains[number % len(self.chains)]

    def tint(self, colour: str, share: float) -> str:
        """Return a colour thinned with the paper: ``share`` of it is left.

        >>> THEMES["light"].tint("#000000", 0.2)
        '#cccccc'
        """
        pairs = ((int(colour[i : i + 2], 16), int(self.paper[i : i + 2], 16)) for i in (1, 3, 5))
        return "#" + "".join(f"{round(paper + (part - paper) * share):02x}" for part, paper in pairs)


BASES = (ledger.RENTAL, ledger.RENTAL_AND_SPENDING, ledger.OWNED, ledger.OWNED_AND_SPENDING)

THEMES = {
    "light": Theme(
        ink="#1c1c1c",
        soft="#666666",
        grey="#a3a3a3",
        rule="#dddddd",
        paper="#ffffff",
        alarm="#c00000",
        bases=("#0072B2", "#56B4E9", "#D55E00", "#E69F00"),
        chains=("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999"),
    ),
    "dark": Theme(
        ink="#f0f0f0",
        soft="#b0b0b0",
        grey="#7c7c7c",
        rule="#3c3f44",
        paper="#16181c",
        alarm="#ff8080",
        bases=("#2f8fd0", "#8fd0f7", "#e8703a", "#f5bd45"),
        chains=("#2f8fd0", "#f5bd45", "#10b58a", "#dd9cc0", "#8fd0f7", "#e8703a", "#f0e442", "#a8a8a8"),
    ),
}
"""The themes there are, by name."""

SIZES = {"page": (420.0, 1.0), "column": (300.0, 85 * MILLIMETRE / (300.0 + 2 * MARGIN))}
"""The sizes there are: the width that is set [pt], and what it is reduced by on the page.

A page is 155 mm wide; a column 85 mm, so that its smallest type is 5.3 pt.
"""


@dataclass(frozen=True)
class Look(Theme):
    """A theme at a size: the ``width`` of what a sheet holds [pt], and the ``scale`` it is reproduced at."""

    width: float
    scale: float

    @property
    def is_narrow(self) -> bool:
        """Whether words have no room beside an axis, and stand above it."""
        return self.width < SIZES["page"][0]


def faults(theme: str, size: str) -> list[str]:
    """Return what is wrong with the names of a theme and a size."""
    return [
        f"{given}: no such {what}; there are {', '.join(known)}"
        for what, given, known in (("theme", theme, THEMES), ("size", size, SIZES))
        if given not in known
    ]


def made(theme: str = "light", size: str = "page") -> Look:
    """Return the look of a theme at a size. Raises `SimulateError` for one that does not exist."""
    if found := faults(theme, size):
        raise SimulateError("\n".join(found))
    width, scale = SIZES[size]
    return Look(**vars(THEMES[theme]), width=width, scale=scale)


CURRENT: ContextVar[Look] = ContextVar("look")


def look() -> Look:
    """Return how to draw now: light on a page, unless `looking` says otherwise."""
    return CURRENT.get(DEFAULT)


DEFAULT = made()


@contextlib.contextmanager
def looking(chosen: Look) -> Iterator[None]:
    """Draw with another look."""
    before = CURRENT.set(chosen)
    try:
        yield
    finally:
        CURRENT.reset(before)
