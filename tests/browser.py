"""A real browser for tests of pages: Debian's Chromium, driven by Playwright, with nothing of the network in reach.

Where there is no Chromium, tests that ask for one are skipped, and in the CI they fail. Playwright's event loop runs in
the thread of the tests for as long as it is open, so that it is closed after each file of tests: others want their own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
PATIENCE = 15_000
"""Milliseconds after which what a page does not do is a failure."""


@dataclass(frozen=True)
class Screen:
    """A page that is open, what its console complained of, and what it asked for."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Open = Callable[..., Screen]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium; skip where there is none, unless this is the CI."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        lacking = "no Chromium here; `apt-get install chromium` brings Debian's"
        pytest.fail(lacking) if os.environ.get("CI") else pytest.skip(lacking)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Return what opens an address (``file://…``) as a reader with such a screen sees it."""
    contexts = []

    def open_page(
        address: str, *, width: int = 1200, height: int = 900, scheme: str = "light", scripts: bool = True
    ) -> Screen:
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=scripts)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        screen = Screen(context.new_page())
        screen.page.on("console", lambda said: screen.errors.append(said.text) if said.type == "error" else None)
        screen.page.on("pageerror", lambda error: screen.errors.append(str(error)))
        screen.page.on("request", lambda request: screen.requests.append(request.url))
        screen.page.goto(address)
        return screen

    yield open_page
    for context in contexts:
        context.close()


def axe_violations(page: Any) -> list[str]:
    """Return what the accessibility engine axe-core finds wrong on a page as it is, each with where it is."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]  # the rest takes longest
    return [f"{rule['id']}: {rule['help']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def is_too_wide(page: Any) -> bool:
    """Whether a page moves sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
