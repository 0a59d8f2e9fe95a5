"""Tables that take seconds to compute, kept for the next process.

A table is kept under the digest of everything that it follows from: what was asked, the code that computes
it, and the versions of Python, NumPy and SciPy and the processor's vector instructions, so that what is stale
or comes from another machine is not found. What is read must have the checksum that was written with it, and
must say that it is what was asked for; anything else is computed anew. It is JSON, so reading it runs nothing.
Where no folder can be written, nothing is kept.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

FOLDER = "SIMULATE_CACHE"
"""Environment variable that names the folder of what is kept; empty to keep nothing."""

Columns = dict[str, list[float]]
"""A table as columns by name."""


def kept(asked: Sequence[str], compute: Callable[[], Columns]) -> Columns:
    """Return what ``compute`` gives, or gave an earlier process for the same.

    ``asked`` is all that the table depends on besides the code of this package. Raises only what ``compute`` raises.
    """
    decides = canonical([*asked, code(), *surroundings()])
    path = place(hashlib.sha256(decides.encode()).hexdigest())
    found = read(path, decides)
    if found is None:
        found = compute()
        write(path, decides, found)
    return found


def folder() -> Path | None:
    """Return where things are kept between processes, or None where nothing is: never in the package's own folder."""
    named = os.environ.get(FOLDER)
    if named is not None:
        return Path(named) if named else None
    import platformdirs

    return platformdirs.user_cache_path("costladder")


def place(mark: str) -> Path | None:
    """Return the file of what is kept under a mark, or None where nothing is kept."""
    found = folder()
    return found / f"{mark}.json" if found else None


def read(path: Path | None, decides: str) -> Columns | None:
    """Return the columns in a file, or None where they are not, whole and unaltered, what is asked for."""
    if path is None:
        return None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        content = json.loads(path.read_bytes())
        columns = {str(name): [float(value) for value in values] for name, values in content["columns"].items()}
        if content["decides"] == decides and content["checksum"] == checksum(decides, columns):
            return columns
    return None


def write(path: Path | None, decides: str, columns: Columns) -> None:
    """Keep columns, whole or not at all."""
    if path is None:
        return
    text = json.dumps({"decides": decides, "columns": columns, "checksum": checksum(decides, columns)})
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(unfinished, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(unfinished)


def checksum(decides: str, columns: Columns) -> str:
    return hashlib.sha256(canonical([decides, columns]).encode()).hexdigest()


def canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


@functools.cache
def code() -> str:
    """Return the start of the SHA-256 of this package's sources: between releases, a version's code changes."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:16]


@functools.cache
def surroundings() -> tuple[str, ...]:
    """Return what the last digit of a computation can depend on besides its code."""
    import numpy as np
    import scipy

    features: Any = np.show_config(mode="dicts")
    simd = ",".join(features["SIMD Extensions"]["found"])
    return sys.version.split()[0], np.__version__, scipy.__version__, platform.machine(), simd
