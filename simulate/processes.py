"""Processes beside this one, each at the other end of a connection: copies of this one where that is sound.

A copy has imported what this process has, in no time and in the same memory; elsewhere a process starts anew, and
imports the main module again.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from simulate.interruption import uninterrupted

LIVELY = frozenset({"pymc", "distributed"})
"""Packages that may have threads at work, which a copy would lack."""

OURS: weakref.WeakSet[Connection] = weakref.WeakSet()
"""This process's ends of the connections that are open."""


def start(work: Callable[..., None], *given: Any, shared: Callable[[], None]) -> tuple[Connection, Any]:
    """Start a process that does ``work(connection, *given)``; return the other end of the connection, and the process.

    ``shared`` imports what both need, before a copy is made. The connection closes with the process that holds its
    other end, however that ends. Ctrl-C is left to this process. Raises `OSError` where the machine allows no more.
    """
    copied = is_copied()
    if copied:
        shared()
    context: Any = multiprocessing.get_context("fork" if copied else "spawn")
    ours, theirs = context.Pipe()
    OURS.add(ours)
    process = context.Process(target=begin, args=(work, theirs, *given), daemon=True)
    with uninterrupted(), warnings.catch_warnings():
        # Python warns of threads of any library; those that there are wait for work here, and are left behind
        warnings.filterwarnings("ignore", ".*multi-threaded.*", DeprecationWarning)
        try:
            process.start()
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
    return ours, process


def is_copied() -> bool:
    """Whether a copy is sound: on Linux, and while no other thread could hold a lock."""
    return sys.platform == "linux" and threading.active_count() == 1 and not LIVELY & sys.modules.keys()


def begin(work: Callable[..., None], connection: Connection, *given: Any) -> None:
    """Do the work; a copy first lets go of the ends of others, which would not close while it holds them."""
    for other in list(OURS):
        other.close()
    work(connection, *given)
