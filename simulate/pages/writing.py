"""Templates to HTML: everything is escaped that is not markup of ours, and what a template lacks is an error.

The look (``look.css``) and the one script that all pages share (``tips.js``) stand in the page itself, so that a
policy of the page can admit them by their digest and forbid all else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape


def write(template: str, **content: Any) -> str:
    """Return a page, or a part of one, from a template of `simulate.pages`; text in ``content`` is escaped."""
    return environment().get_template(template).render(**content)


def markup(template: str, **content: Any) -> Markup:
    """Return what `write` returns as markup, to stand in another template as it is."""
    return Markup(write(template, **content))


@cache
def environment() -> Environment:
    """Return the environment of all templates."""
    made = Environment(
        loader=PackageLoader("simulate", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"px": px, "link": link, "dotted": dotted, "coded": coded, "tied": tied}
    made.globals |= {"own": own, "digest": digest}
    return made


@cache
def own(name: str) -> Markup:
    """Return a file of ours, such as ``look.css``, as markup."""
    return Markup(files("simulate").joinpath("pages", name).read_text(encoding="utf-8"))


def digest(text: str) -> str:
    """Return how a Content-Security-Policy names a script or a style by its content.

    >>> digest("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def px(length: float) -> str:
    """Return a length as SVG has it, to a tenth, the same on every machine.

    >>> px(12.0), px(3.14159), px(-0.01)
    ('12', '3.1', '0')
    """
    return f"{round(length, 1) + 0.0:g}"


def dotted(path: str) -> Markup:
    """Return a path of a prior file that may be broken over lines at its dots, underscores and brackets.

    >>> dotted("fleet.h800.count")
    Markup('fleet.<wbr>h800.<wbr>count')
    """
    return Markup(re.sub(r"([._\[])(?=.)", r"\1<wbr>", str(escape(path))))


def coded(text: str) -> Markup:
    """Return text of a file with what it has between backticks as code.

    >>> coded("set `a < b`, or `c")
    Markup('set <code>a &lt; b</code>, or `c')
    """
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))


def tied(text: str) -> str:
    r"""Return text in which a percent sign stays on the line of its number.

    >>> tied("a 90 % interval")
    'a 90\xa0% interval'
    """
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def link(url: str) -> str:
    """Return an address of the web that a reader may follow, empty for any other, such as ``javascript:``.

    >>> link("https://arxiv.org/abs/2412.19437"), link("javascript:alert(1)"), link("//elsewhere.org")
    ('https://arxiv.org/abs/2412.19437', '', '')
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme in ("http", "https") and parts.netloc else ""
