"""What calls in Python are given, where Python itself would take anything: what will not do is said in words.

Each check returns what is wrong, empty where nothing is, so that `refuse` can say all of it at once.
"""

from __future__ import annotations

import os
from typing import Any

from simulate.errors import SimulateError
from simulate.limits import written


def refuse(*faults: str) -> None:
    """Raise `SimulateError` with the faults, if there are any."""
    if found := [fault for fault in faults if fault]:
        raise SimulateError("\n".join(found))


def text(name: str, value: Any) -> str:
    """Return what is wrong with a text.

    >>> text("kind", "ladder"), text("kind", None), text("scopes", ["company"])
    ('', 'kind: None is no text', "scopes: ['company'] is no text; give each text by itself")
    """
    if isinstance(value, str):
        return ""
    mend = "; give each text by itself" if isinstance(value, list | tuple | set | frozenset) else ""
    return f"{name}: {written(value)} is no text{mend}"


def texts(name: str, value: Any) -> str:
    """Return what is wrong with one text or a list of them.

    >>> texts("set", ["scope.horizon=3"]), texts("set", 3), texts("set", [3])
    ('', 'set: 3 is neither a text nor a list of texts', 'set: 3 is no text')
    """
    if isinstance(value, str):
        return ""
    if not isinstance(value, list | tuple | set | frozenset):
        return f"{name}: {written(value)} is neither a text nor a list of texts"
    return "\n".join(filter(None, (text(name, one) for one in value)))


def path(name: str, value: Any) -> str:
    """Return what is wrong with a path.

    >>> path("out", "results"), path("out", 3)
    ('', 'out: 3 is neither a text nor a path')
    """
    return "" if isinstance(value, str | os.PathLike) else f"{name}: {written(value)} is neither a text nor a path"


def switch(name: str, value: Any) -> str:
    """Return what is wrong with a truth value.

    >>> switch("again", True), switch("again", "no")
    ('', "again: 'no' is neither True nor False")
    """
    return "" if isinstance(value, bool) else f"{name}: {written(value)} is neither True nor False"
