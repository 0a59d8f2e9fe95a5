"""Characters of files and runs from elsewhere that must not reach a terminal as they are."""

from __future__ import annotations

import re

CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters that act on a terminal, turn the direction of writing, cannot be seen, or are none (half of a pair)."""


def shown(text: str) -> str:
    r"""Return text as a terminal may have it, with a question mark for each character that could act on it.

    >>> shown("red: \x1b[31m")
    'red: ?[31m'
    """
    return CONTROL.sub("?", text)
