"""One way to shorten a text to the room that a figure has, whatever measures it."""

from __future__ import annotations

import re
from collections.abc import Callable


def shorten(text: str, room: float, width: Callable[[str], float]) -> str:
    """Return text that fits, an ellipsis where it was cut: before its `ending`, or else at its end.

    >>> shorten("R1 fine-tuning data: GPU-hours", 24, len), shorten("A long sentence", 8, len)
    ('R1 fine-tuni…: GPU-hours', 'A long…')
    """
    if width(text) <= room:
        return text
    end = ending(text)
    if width(f"…{end}") > room / 2:
        end = ""
    head = text.removesuffix(end)
    while head and width(f"{head}…{end}") > room:
        head = head[:-1]
    return f"{head.rstrip()}…{end}"


def ending(text: str) -> str:
    """Return what a text says of its subject, or the figure after that: more than the end of the subject's own name.

    >>> ending("R1: GPU-hours"), ending("R1: GPU-hours, 2.7M GPU-hour"), ending("A sentence, and another")
    (': GPU-hours', ', 2.7M GPU-hour', '')
    """
    marks = list(re.finditer(r": |, (?=(at least |at most )?[$\d])", text))
    return text[marks[-1].start() :] if marks else ""
