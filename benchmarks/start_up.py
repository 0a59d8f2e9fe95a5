"""Time the verbs that only read against a bare `import click`: whole processes, in turn.

    python -m benchmarks.start_up [RUNS]

Prints, for each measure, the median of both and the median of the ratios round by round; the first round is not
counted. The last row is a check that has to import pint, for a unit that is not among the common ones.
"""

from __future__ import annotations

import os
import sys

from benchmarks.processes import SIMULATE, runs_wanted, table

CLICK = (sys.executable, "-c", "import click")
COMMANDS = {
    "help": ("--help",),
    "check semianalysis": ("check", "semianalysis"),
    "check consensus": ("check", "consensus"),
    "list": ("list",),
    "check, with a rare unit": ("check", "semianalysis", "--set", "scope.horizon=208.7 week"),
}


def main() -> None:
    """Run the comparison for each command."""
    runs = runs_wanted(11)
    print(f"{os.cpu_count()} processors, {runs} rounds\n")
    commands = {name: (*SIMULATE, *arguments) for name, arguments in COMMANDS.items()}
    table({**commands, "click": CLICK}, {name: (name, "click") for name in commands}, runs)


if __name__ == "__main__":
    main()
