"""How much room text takes in a figure of a page, without knowing the font that a reader's screen has for it."""

from __future__ import annotations

import unicodedata

from simulate import shortening

AVERAGE, WIDE = 0.56, 1.05
"""Width of a letter over the size of its type: a generous mean of the sans-serif fonts that screens have, and of a
letter that is as wide as it is high, as in Chinese."""


def width(text: str, size: float) -> float:
    """Return about the width of a line of text, in the unit of ``size``.

    >>> round(width("Development", 10.0), 1)
    61.6
    """
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return size * (AVERAGE * (len(text) - wide) + WIDE * wide)


def shorten(text: str, room: float, size: float) -> str:
    """Return text on one line that fits; see `simulate.shortening`.

    >>> shorten("Research  compute", 60.0, 10.0)
    'Research…'
    """
    return shortening.shorten(" ".join(text.split()), room, lambda part: width(part, size))
