"""Equations as MathML, which browsers show by themselves: nothing is loaded from elsewhere, and no script runs."""

from __future__ import annotations

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

LOG = logging.getLogger(__name__)

FUNCTION = re.compile(r"(<mi>(?:log|sin|exp)</mi>)(?!\s*<mo[^>]*>\()")
THIN_SPACE = '<mspace width="0.17em"></mspace>'
"""Stands between a function and what it is of; Docutils writes none."""


def mathml(latex: str, *, block: bool = False) -> str:
    """Return LaTeX as a MathML element. Raises `MathError` for what it does not know."""
    return FUNCTION.sub(rf"\1{THIN_SPACE}", str(tex2mathml(latex, as_block=block)).replace(r"\_", "_"))


def visit(translator: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """Write an equation in place of a node; one that is not understood is a warning of the build."""
    block = isinstance(node, nodes.math_block)
    try:
        shown = mathml(node.astext(), block=block)
    except MathError as error:
        LOG.warning("%s: %s", node.astext(), error, location=node)
        shown = translator.encode(node.astext())
    translator.body.append(f'<div class="equation">{shown}</div>' if block else shown)
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this Sphinx's way to show equations."""
    app.add_html_math_renderer("mathml", (visit, None), (visit, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
