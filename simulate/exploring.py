"""`simulate explore` from its command to its end: which files have a page, where, and who is told."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from simulate import exploration, layers, serving
from simulate.changes import Changes
from simulate.changing import Base, changed
from simulate.errors import SimulateError
from simulate.serving import Place, Shelf

FIRST = "semianalysis"
"""The file whose page comes first where none is named."""


@dataclass(frozen=True)
class Ready:
    """A server that listens and does not answer yet."""

    shelf: Shelf
    host: str
    listening: socket

    @property
    def address(self) -> str:
        return Place(self.host, self.listening.getsockname()[1]).address

    def words(self) -> list[str]:
        """Return what the command says when it starts."""
        local = serving.is_local(self.listening.getsockname()[0])
        open_to_all = [] if local else ["whoever can reach this machine there can use it"]
        return [f"explore {self.shelf.first}: {self.address}{self.shelf.first}/", *open_to_all, "Ctrl-C ends it"]

    def serve(self, say: Callable[[str], object], *, browser: bool) -> None:
        """Say where the page is, and answer until Ctrl-C; with ``browser``, open the page in the reader's.

        Raises `KeyboardInterrupt` when Ctrl-C has ended it.
        """

        def announce() -> None:
            for line in self.words():
                say(line)

        if browser:
            threading.Thread(target=webbrowser.open, args=(self.address,), daemon=True).start()
        server = serving.serving(self.shelf, self.host, self.listening, announce)
        server.run(sockets=[self.listening])
        if server.interrupted:
            raise KeyboardInterrupt("stopped")


def ready(name: str | None, host: str, port: int, *, exact: bool) -> Ready:
    """Return a server for a prior file, and for all others at hand.

    Raises `InputError` with the faults of the file, and `SimulateError` where the port cannot be had.
    """
    path = layers.find(name or FIRST)
    shelf = Shelf({**at_hand(), path.stem: path}, path.stem)
    shelf.open(path.stem)
    return Ready(shelf, host, serving.listen(host, port, exact=exact))


def at_hand() -> dict[str, Path]:
    """Return the prior files in ``priors/`` and those shipped, by name."""
    folders = [folder for folder in (layers.shipped_folder(), Path("priors")) if folder.is_dir()]
    found = {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    return {name: path for name, path in sorted(found.items()) if not layers.is_register(path)}


def warm(shelf: Shelf) -> None:
    """Sample the first file once, so that no page waits for what is imported and compiled on the way."""
    base: Base = shelf.opened(shelf.first)
    try:
        exploration.refitted(changed(base, Changes()))
    except SimulateError:
        return  # its page says so
