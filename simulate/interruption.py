"""Ctrl-C, listened for and remembered."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

INTERRUPTED = 130
"""Exit code after Ctrl-C, that of shells: 128 and the number of the signal."""

NOTHING_KEPT = "interrupted; nothing unfinished was kept"


class Interruption:
    """Listens for Ctrl-C, and remembers it: libraries turn it into errors of theirs, or swallow it in a callback."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt

    def listen(self) -> None:
        """Begin to listen, unless whoever started the command has it ignored."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self)
            sys.unraisablehook = self.ignored

    def ignored(self, swallowed: Any) -> None:
        """Interrupt again where Python had to ignore the interruption; what it left half made need not close well."""
        if issubclass(swallowed.exc_type, KeyboardInterrupt):
            repeat()
        elif not self.came:
            sys.__unraisablehook__(swallowed)

    def stop(self) -> None:
        """Ignore what comes while the interpreter ends: there is nothing left to interrupt."""
        if signal.getsignal(signal.SIGINT) is self:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def repeat() -> None:
    """Interrupt once more, a moment later."""
    again = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT))
    again.daemon = True
    again.start()


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Start processes that leave Ctrl-C to this one; they take over whether it is ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
