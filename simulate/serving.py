"""The server of `simulate explore`: a page for each prior file at hand, and what it answers.

It keeps nothing of a reader: a page sends all its changes each time, so that tabs do not disturb one another. One
simulation and one refit run at a time; what a page no longer waits for is not begun, or is left off, its chains too.

A page of elsewhere cannot drive it: requests must name this server as their host, which a name of elsewhere that leads
here does not; what computes must come from a page of this server and be JSON, which no form can send; and nothing
here may be framed, embedded or read by pages of elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from simulate import changes, changing, exploration
from simulate.changing import Base
from simulate.errors import InputError, SimulateError
from simulate.exploration import Outcome
from simulate.layers import Layers
from simulate.pages import explore

LARGEST = 200_000
"""Bytes of a request."""

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

PATIENCE = 20
"""Seconds that answers under way have to come to an end when the server is to stop."""

GONE = 499
"""Status of an answer that nobody waits for any more."""


@dataclass(frozen=True)
class Place:
    """Where the server listens."""

    host: str
    port: int

    @property
    def address(self) -> str:
        loopback = "::1" if ":" in self.host else "127.0.0.1"
        name = loopback if is_any(self.host) else self.host
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}/"

    def is_named(self, given: str) -> bool:
        """Whether a ``Host`` means this server: its own name or a loopback's, or any address where it listens on all.

        A name of elsewhere that was made to lead here (DNS rebinding) is none of these.
        """
        name, _, port = given.rpartition(":")
        name = name.strip("[]")
        if port != str(self.port):
            return False
        if name in ("localhost", "127.0.0.1", "::1", self.host):
            return True
        return is_any(self.host) and is_address(name)


def is_any(host: str) -> bool:
    return is_address(host) and ipaddress.ip_address(host).is_unspecified


def is_local(address: str) -> bool:
    """Whether only this machine can reach a server at an address."""
    return ipaddress.ip_address(address).is_loopback


def is_address(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(text))
    return False


# ---------------------------------------------------------------------------------------------
# Who may ask


class Gate:
    """Lets through what names this server and, where it computes, comes from its own pages."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self.app = app
        self.place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refused = self.refusal(scope) if scope["type"] == "http" else PlainTextResponse("no", 403)
        await (refused or self.app)(scope, receive, partial(guarded, send))

    def refusal(self, scope: Scope) -> Response | None:
        """Return what is answered to a request that may not pass, or None."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.place.is_named(hosts[0]):
            return PlainTextResponse(f"this server has another name: {self.place.address}, or what --host gives", 421)
        if scope["method"] in ("GET", "HEAD"):
            return None
        if scope["method"] != "POST":
            return PlainTextResponse("not here", 405)
        if headers.getlist("origin") != [f"http://{hosts[0]}"]:
            return PlainTextResponse("only pages of this server may ask", 403)
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return PlainTextResponse("send JSON", 415)
        if "transfer-encoding" in headers:  # whose length shows only as it is read
            return PlainTextResponse("say how long the question is", 411)
        size = headers.get("content-length", "")
        return None if size.isdigit() and int(size) <= LARGEST else PlainTextResponse("too large", 413)


async def guarded(send: Send, message: Any) -> None:
    """Send an answer that no page of elsewhere can frame or embed."""
    if message["type"] == "http.response.start":
        given = {name.lower() for name, _ in message["headers"]}
        more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
        message = {**message, "headers": [*message["headers"], *(pair for pair in more if pair[0] not in given)]}
    await send(message)


# ---------------------------------------------------------------------------------------------
# What is answered


@dataclass
class Shelf:
    """The prior files that have a page, by name, each read when its page is opened."""

    files: Mapping[str, Path]
    first: str
    read: dict[str, Base] = field(default_factory=dict)

    def open(self, name: str) -> Base:
        """Return a prior file as it is now. Raises `KeyError` where it has no page, `InputError` with its faults."""
        self.read[name] = Base.load(self.files[name])
        return self.read[name]

    def opened(self, name: str) -> Base:
        """Return a prior file as it was when its page was opened last."""
        return self.read.get(name) or self.open(name)


@dataclass(frozen=True)
class Ask:
    """What a page asks: its changes, the file it was made from, and the ends of the axis that it shows [USD]."""

    query: str
    of: str
    ends: tuple[float, float] | None

    @classmethod
    def read(cls, body: bytes) -> Ask:
        """Return the question in a body. Raises `ValueError` for anything else."""
        content = json.loads(body)
        if not isinstance(content, dict) or not all(isinstance(content.get(key), str) for key in ("query", "of")):
            raise ValueError("no question")
        (content["query"] + content["of"]).encode()  # half of a surrogate pair is no text
        ends = content.get("ends")
        if ends is None:
            return cls(content["query"], content["of"], None)
        low, high = (float(end) for end in ends)
        if not 0 < low < high < 1e30:
            raise ValueError("no axis")
        return cls(content["query"], content["of"], (low, high))


class Superseded(Exception):
    """Nobody waits for this any more."""


@dataclass
class Server:
    """Answers the pages of a shelf."""

    shelf: Shelf
    place: Place
    stopping: threading.Event = field(default_factory=threading.Event)
    simulating: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    refitting: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    def app(self) -> ASGIApp:
        routes = [
            Route("/", self.index),
            Route("/{name}/", self.page),
            Route("/{name}/prior", self.prior, methods=["POST"]),
            Route("/{name}/posterior", self.posterior, methods=["POST"]),
            Route("/{name}/file.toml", self.file),
        ]
        return Gate(Starlette(routes=routes), self.place)

    async def index(self, request: Request) -> Response:
        """Lead to the page of the first file."""
        return RedirectResponse(f"/{self.shelf.first}/") if self.shelf.first else self.listed()

    def listed(self, status: int = 200) -> Response:
        return in_html(explore.index(sorted(self.shelf.files)), status)

    async def page(self, request: Request) -> Response:
        """Answer with the page of a prior file, its controls as the address has them."""
        name = request.path_params["name"]
        if name not in self.shelf.files:
            return self.listed(404)
        try:
            base = await to_thread.run_sync(self.shelf.open, name)
            made = await to_thread.run_sync(partial(explore.page, base, request.url.query, sorted(self.shelf.files)))
        except InputError as error:
            return in_html(explore.faulty(name, error), 422)
        return in_html(made)

    async def file(self, request: Request) -> Response:
        """Answer with the prior file that holds what a page shows."""
        name = request.path_params["name"]
        if name not in self.shelf.files:
            return self.listed(404)
        try:
            shown, text = await to_thread.run_sync(written, self.shelf.opened(name), request.url.query)
        except InputError as error:
            return in_html(explore.faulty(name, error), 422)
        disposition = f'attachment; filename="{shown.path.name}"'
        return Response(text, media_type="application/toml", headers={"Content-Disposition": disposition})

    async def prior(self, request: Request) -> Response:
        """Answer with the prior simulation of a page's changes."""
        return await self.answer(request, self.simulating, lambda shown, _: exploration.simulated(shown))

    async def posterior(self, request: Request) -> Response:
        """Answer with the posterior of a page's changes, once those before it are done."""
        return await self.answer(request, self.refitting, exploration.refitted)

    async def answer(
        self, request: Request, limiter: CapacityLimiter, compute: Callable[[Layers, Any], Outcome]
    ) -> Response:
        """Answer a question by what ``compute`` makes of the changed file, unless nobody waits for it any more."""
        name = request.path_params["name"]
        if name not in self.shelf.files:
            return JSONResponse({"faults": [{"path": "", "text": "there is no such page"}]}, 404)
        try:
            ask = Ask.read(await request.body())
        except ClientDisconnect:
            return Response(status_code=GONE)
        except (ValueError, TypeError, RecursionError, OverflowError):
            return JSONResponse({"faults": [{"path": "", "text": "the page sent what is no question"}]}, 400)
        gone = threading.Event()

        def stop(*told: Any) -> None:
            if gone.is_set() or self.stopping.is_set():
                raise Superseded

        def work() -> dict[str, Any]:
            stop()
            base, made = self.shelf.opened(name), changes.read(ask.query)
            if not ask.of or not base.priors.digest.startswith(ask.of):
                raise SimulateError(f"{name} has changed since this page was opened; load it again")
            shown = changing.changed(base, made)
            return explore.answer(base, made, shown, compute(shown, stop), ask.ends)

        try:
            async with watched(request, gone):
                return JSONResponse(await to_thread.run_sync(work, limiter=limiter))
        except Superseded:
            return Response(status_code=GONE)
        except InputError as error:
            return JSONResponse({"faults": explore.faults(error)})
        except SimulateError as error:
            return JSONResponse({"faults": [{"path": "", "text": str(error)}]})


@contextlib.asynccontextmanager
async def watched(request: Request, gone: threading.Event) -> Any:
    """Set ``gone`` when whoever asks no longer waits."""

    async def watch() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(0.02)
        gone.set()

    watching = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        watching.cancel()


def written(base: Base, query: str) -> tuple[Layers, str]:
    """Return a changed prior file and its text, checked. Raises `InputError` with all that is wrong with it."""
    from simulate import loading

    made = changes.read(query)
    shown = changing.changed(base, made)
    loading.check(shown)
    return shown, changing.text(shown, base, made)


def in_html(page: explore.Page, status: int = 200) -> Response:
    return HTMLResponse(page.text, status, {"Content-Security-Policy": page.policy})


# ---------------------------------------------------------------------------------------------
# Listening


class Quiet(uvicorn.Server):
    """A server that Ctrl-C ends as it should be ended: with no error and no traceback, and what it draws is left off.

    It announces itself once Ctrl-C is its own.
    """

    interrupted = False
    """Whether Ctrl-C ended it."""

    def __init__(self, config: uvicorn.Config, stopping: threading.Event, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self.stopping = stopping
        self.announce = announce

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.interrupted |= sig == signal.SIGINT
        self.stopping.set()
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.announce()
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(host: str, port: int, *, exact: bool) -> socket.socket:
    """Return a socket that listens; on another port where that one is taken, unless it must be ``exact``.

    Raises `SimulateError` where it cannot be had.
    """
    if not host.strip():
        raise SimulateError("cannot listen nowhere; give --host an address, or 0.0.0.0 for all of this machine")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in (port,) if exact else (port, 0):
        try:
            return socket.create_server((host, number), family=family, backlog=128)
        except (OSError, OverflowError) as error:
            last = error
    raise SimulateError(f"cannot listen on {host}, port {port}: {refusal(last)}")


def refusal(error: Exception) -> str:
    """Return why a socket cannot be had, and what would do."""
    reason = (getattr(error, "strerror", "") or str(error)).partition(" (")[0].lower()
    if getattr(error, "errno", 0) in (errno.EADDRINUSE, errno.EACCES):
        return f"{reason}; give another --port, or 0 for any free one"
    return f"{reason}; give another --host: an address or a name of this machine"


def serving(shelf: Shelf, host: str, listening: socket.socket, announce: Callable[[], None] = lambda: None) -> Quiet:
    """Return what answers on a socket once it is run, and has been announced, until Ctrl-C."""
    answering = Server(shelf, Place(host, listening.getsockname()[1]))
    config = uvicorn.Config(
        answering.app(),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=PATIENCE,
    )
    return Quiet(config, answering.stopping, announce)
