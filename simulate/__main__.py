"""The command from its first moment to its last: Ctrl-C ends it with 130, whatever is being imported or compiled.

Nothing heavy is imported before the interruption is listened for.
"""

from __future__ import annotations

import sys
from typing import Any

from simulate.interruption import INTERRUPTED, NOTHING_KEPT, Interruption


def main() -> None:
    """Run the command line, and exit with its code."""
    interruption = Interruption()
    status: Any = None
    try:
        interruption.listen()
        from simulate.cli import main as command

        command(prog_name="simulate")
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:
        interruption.came = True
    except Exception:
        if not interruption.came:
            raise
    finally:
        interruption.stop()
    if interruption.came and status != INTERRUPTED:  # else it has been said
        print(f"\n{NOTHING_KEPT}", file=sys.stderr)
        status = INTERRUPTED
    sys.exit(status)


if __name__ == "__main__":
    main()
