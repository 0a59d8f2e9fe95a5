"""Results on disk as they are made: one checksummed line each, added and never rewritten, so that a study can go on.

::

    <folder>/
        priors/       the exact prior files
        <name>        what the results are of, then one result a line, each with its checksum

The first line holds all that decides a result. What was being written when a process ended is half a line at the
end, which is cut off; anything else that is not as it was written is damage, and named.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulate import results
from simulate.errors import DamagedRunError, RunError

MEND = "; remove the folder to begin anew"
MOST_NAMED = 20
"""Damaged lines that are named one by one."""

BLOCK = 65_536
"""Bytes that are read at once in search of the last whole line."""


@dataclass(frozen=True)
class Journal:
    """The file ``name`` in ``folder`` and its first line, ``head``, signed.

    ``one`` is what a line holds and ``whole`` what all of them are, in words, such as a fit and a calibration;
    ``of`` is what the head says.
    """

    folder: Path
    name: str
    head: Mapping[str, Any]
    one: str
    whole: str
    of: str

    @property
    def file(self) -> Path:
        return self.folder / self.name

    @contextlib.contextmanager
    def opened(self, texts: Mapping[str, str], beside: Mapping[str, str] = {}) -> Iterator[Any]:
        """Give the file, open to append to and to nobody else, and cut off a line that was half written.

        A new one gets its head, ``texts`` as prior files, and what else belongs ``beside`` it. Raises `RunError` where
        the disk refuses or another process is at work here.
        """
        with results.disk(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            file = self.file.open("a+b")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError(f"{self.folder}: another {self.whole} is adding to it; wait for that one") from None
            with results.disk(self.folder):
                end = end_of_lines(file)
                file.truncate(end)
                if not end:
                    results.write_priors(self.folder, texts)
                    for name, text in beside.items():
                        results.write_text(self.folder / name, text)
                    self.append(file, [self.head])
            yield file

    def append(self, file: Any, contents: Iterable[Mapping[str, Any]]) -> list[int]:
        """Add lines, wait until the disk has them, and return where each begins [byte].

        Raises `RunError` where the disk refuses.
        """
        places = []
        with results.disk(self.folder):
            end = file.seek(0, os.SEEK_END)
            for content in contents:
                places.append(end)
                end += file.write(canonical(results.signed(content)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return places

    def entries[T](self, read: Callable[[Any], T | None]) -> Iterator[tuple[int, T]]:
        """Yield each result with its place in the file [byte], as ``read`` has it: None for what is no result.

        Raises `DamagedRunError`, after the last, with every line that is not what was written here.
        """
        problems: list[str] = []
        with self.file.open("rb") as file:
            if parsed(file.readline()) != json.loads(canonical(self.head)):
                raise self.damaged([f"line 1 is not of this {self.of}"])
            while True:
                place = file.tell()
                if not (line := file.readline()):
                    break
                found = read(content) if (content := parsed(line)) else None
                if found is not None:
                    yield place, found
                elif len(problems) < MOST_NAMED:
                    problems.append(f"line {self.row(place)} is not a {self.one} as it was written")
        if problems:
            raise self.damaged(problems)

    def row(self, place: int) -> int:
        """Return the number of the line at a place in the file."""
        with self.file.open("rb") as file:
            return 1 + sum(file.read(min(BLOCK, place - at)).count(b"\n") for at in range(0, place, BLOCK))

    def at(self, file: Any, place: int) -> Any:
        """Return the content of the line at a place in the file, open to read."""
        file.seek(place)
        return parsed(file.readline())

    def damaged(self, problems: Iterable[str]) -> DamagedRunError:
        return DamagedRunError(self.folder, [f"{self.name}: {problem}{MEND}" for problem in problems])

    def twice(self) -> DamagedRunError:
        return self.damaged([f"a {self.one} is there twice"])


def end_of_lines(file: Any) -> int:
    """Return where the last whole line of a file ends [byte]."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - BLOCK)
        file.seek(start)
        if found := file.read(end - start).rfind(b"\n") + 1:
            return int(start + found)
        end = start
    return 0


def canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def mark(decides: Mapping[str, Any]) -> str:
    """Return the eight hexadecimal digits by which what decides a study is told from the rest."""
    return hashlib.sha256(canonical(decides).encode()).hexdigest()[:8]


def parsed(line: bytes) -> Any:
    """Return a line's content when its checksum is right, and else None."""
    with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
        content = json.loads(line)
        if content["checksum"] == results.signed(content)["checksum"]:
            return content
    return None
