"""What a page asks for is written in Markdown by the code that it describes, and read as if it stood in the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from generators import commands, keys

OTHERS = "OTHER PAGES"
"""Stands in the contents of the site for every page that they do not name."""

ATTRIBUTES = (
    ("<pre>", '<pre tabindex="0">'),
    ('<div class="equation">', '<div class="equation" tabindex="0">'),
    ('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper'),
    ('role="heading">', 'role="heading" aria-level="2">'),
)
"""What Sphinx and its theme leave out for those who use a keyboard or a screen reader."""


def directive(write: Callable[[], str]) -> type[SphinxDirective]:
    """Return a directive that puts Markdown, headings and all, in its place."""

    class Generated(SphinxDirective):
        def run(self) -> list[nodes.Node]:
            return self.parse_text_to_nodes(write(), allow_section_headings=True)

    return Generated


def name_others(app: Sphinx, page: str, source: list[str]) -> None:
    """Name in the contents the pages that they do not: a new page needs no change of them."""
    if page == "index" and OTHERS in source[0]:
        here = sorted(path.stem for path in Path(app.srcdir).glob("*.md"))
        source[0] = source[0].replace(
            OTHERS, "\n".join(name for name in here if name not in {page, *source[0].split()})
        )


def serve_everyone(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.Node) -> None:
    """Let what scrolls be reached by keyboard, and give captions of the contents the level that a heading has."""
    for part in ("body", "furo_navigation_tree"):
        for before, after in ATTRIBUTES:
            context[part] = context.get(part, "").replace(before, after)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directives of the reference pages."""
    app.add_directive("commands", directive(commands.page))
    app.add_directive("prior-file-tables", directive(keys.tables))
    app.add_directive("prior-file-numbers", directive(keys.numbers))
    app.add_directive("prior-file-families", directive(keys.families))
    app.add_directive("prior-file-units", directive(keys.units))
    app.connect("source-read", name_others)
    app.connect("html-page-context", serve_everyone, priority=900)
    app.connect("env-get-outdated", lambda *_: ["index"])
    return {"parallel_read_safe": True, "parallel_write_safe": True}
