"""Packages that others import though nothing here uses them, left until something does."""

from __future__ import annotations

import contextlib
import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

OPTIONAL = ("jax", "numpyro")
"""What ArviZ looks for when it is imported: for want of them it reads the source of every caller, half a second."""


def imported(*names: str) -> None:
    """Import modules of ArviZ, or what imports it, without a look for what is `OPTIONAL`."""
    with postponed(*OPTIONAL):
        for name in names:
            importlib.import_module(name)


@contextlib.contextmanager
def postponed(*names: str) -> Iterator[None]:
    """Import packages only when something of them is asked for, if something imported here asks for it at all.

    What imported them here keeps a stand-in, which becomes the package at the first use.
    """
    stand_ins = {name: StandIn(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for stand_in in stand_ins.values():
            stand_in.leave()


class StandIn(types.ModuleType):
    """Stands in for a package, and imports it for the first name that is asked for; names of Python's own are none."""

    def __getattr__(self, wanted: str) -> Any:
        if wanted.startswith("__"):
            raise AttributeError(wanted)
        self.leave()
        return getattr(importlib.import_module(self.__name__), wanted)

    def leave(self) -> None:
        """Leave the place of the package to the package."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
