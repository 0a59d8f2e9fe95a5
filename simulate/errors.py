"""Errors a user can mend, and the exit code each one ends the command with.

::

    SimulateError            exit 1   anything below
    ├── InputError           exit 1   a prior file has faults; carries all of them
    ├── ExpressionError      exit 1   a question about a run that cannot be computed; carries all faults
    ├── RunError             exit 1   a run folder cannot be written or read
    │   └── DamagedRunError  exit 1   a run folder is not what its manifest says
    ├── NotReproducedError   exit 1   a run made again is another
    ├── NotConvergedError    exit 3   a result exists, and must not be cited
    └── NotCalibratedError   exit 3   a sampler does not find what was simulated

The errors carry data (paths, faults, a verdict); their text is made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LONGEST = 1000
"""Characters of a path, or of what stands there and its mend, in a message."""
MOST_SHOWN = 50
"""Faults that a message lists; what generated the file, or is no such file, has more than anyone reads."""


class SimulateError(Exception):
    """Base of every error that is shown as a message, not as a traceback."""

    exit_code = 1


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong with a prior file.

    ``path`` is where (a TOML path such as ``fleet.h800.count``, or ``line 3, column 7``), ``found`` is
    what stands there, and ``mend`` is what would do.
    """

    path: str
    found: str
    mend: str

    def __str__(self) -> str:
        parts = (shortened(part) for part in (self.path, "; ".join(filter(None, (self.found, self.mend)))))
        return ": ".join(parts)


def shortened(text: str) -> str:
    """Return text that may repeat a whole file, cut where nobody would read on."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


class InputError(SimulateError):
    """A prior file, or a ``--set``, that cannot be used; holds every fault, and its text the first `MOST_SHOWN`."""

    def __init__(self, source: str | Path, faults: list[Fault]) -> None:
        self.source = str(source)
        self.faults = sorted(set(faults))
        count = f"{len(self.faults)} fault{'s' if len(self.faults) != 1 else ''}"
        more = len(self.faults) - MOST_SHOWN
        rest = [f"  … and {more:,} more; mend these first"] if more > 0 else []
        shown = [f"  {fault}" for fault in self.faults[:MOST_SHOWN]]
        super().__init__("\n".join([f"{self.source}: {count}", *shown, *rest]))


class ExpressionError(SimulateError):
    """Expressions about a run that cannot be computed: each with where in it what is wrong, and what would do.

    ``flaws`` are (expression, position in it, what was found and the mend).
    """

    SHOWN = 100
    """Characters of a long expression that are shown around a flaw."""

    def __init__(self, asked: int, flaws: list[tuple[str, int, str]]) -> None:
        self.flaws = flaws
        wrong = len(dict.fromkeys(expression for expression, _, _ in flaws))
        lines = [f"{wrong} of {asked} expression{'s' if asked != 1 else ''} cannot be computed"]
        for position, (expression, start, text) in enumerate(flaws):
            shown, caret = self.around(expression, start)
            repeated = position > 0 and flaws[position - 1][0] == expression and len(expression) <= self.SHOWN
            lines += [] if repeated else [f"  {shown}"]
            lines.append(f"  {' ' * caret}^ {text}")
        super().__init__("\n".join(lines))

    @classmethod
    def around(cls, expression: str, start: int) -> tuple[str, int]:
        """Return what is shown of an expression, on one line, and where in that a position is."""
        first = max(0, start - cls.SHOWN // 2) if len(expression) > cls.SHOWN else 0
        shown = expression[first : first + cls.SHOWN]
        return "".join(sign if sign.isprintable() else "?" for sign in shown), start - first


class RunError(SimulateError):
    """A run folder that cannot be written, found or read."""


class DamagedRunError(RunError):
    """A run folder whose files are not those its manifest lists."""

    def __init__(self, folder: Path, problems: list[str]) -> None:
        self.folder = folder
        self.problems = problems
        super().__init__("\n".join([f"{folder}: damaged run", *(f"  {problem}" for problem in problems)]))


class NotReproducedError(SimulateError):
    """A run that, made again from its folder, did not come out the same."""


class NotConvergedError(SimulateError):
    """A run that exists on disk but whose draws do not support a citation."""

    exit_code = 3

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("not converged: " + "; ".join(reasons))


class NotCalibratedError(SimulateError):
    """A calibration that exists on disk and shows that something between prior file and draws is wrong."""

    exit_code = 3

    def __init__(self, failed: list[str]) -> None:
        self.failed = failed
        super().__init__(f"not calibrated: the ranks or frequencies of {', '.join(failed)} are not as they should be")
