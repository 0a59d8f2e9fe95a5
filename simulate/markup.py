"""Text in the markup of what it is pasted into: plain, Markdown, LaTeX and HTML, each escaped."""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

LATEX = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "$": r"\$", "&": r"\&",
    "#": r"\#", "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "−": "$-$", "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$", "≈": r"$\approx$", "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip
BRACES = {"{": r"\{", "}": r"\}"}
"""Where they balance; where not, they go by name, because BibTeX counts escaped ones too."""


@dataclass(frozen=True)
class Span:
    """A piece of text: ``plain``, ``code`` (a name, a path), ``strong``, or the ``key`` of a bibliography's entry."""

    text: str
    kind: str = "plain"


type Paragraph = Sequence[Span]


def code(text: str) -> Span:
    return Span(text, "code")


def latex(text: str) -> str:
    r"""Return text that LaTeX shows as it is; a percent sign is kept to its number.

    >>> latex("90 % of $5_000 {R&D} -- 50\\50")
    '90~\\% of \\$5\\_000 \\{R\\&D\\} -{}- 50\\textbackslash{}50'
    """
    signs = {**LATEX, **BRACES} if balanced(text) else LATEX
    spelled = "".join(signs.get(sign, sign) for sign in unicodedata.normalize("NFC", text))
    return spelled.replace("--", "-{}-").replace(" \\%", "~\\%")


def balanced(text: str) -> bool:
    """Return whether each brace is closed after it is opened.

    >>> balanced("{a{b}}"), balanced("}{"), balanced("{")
    (True, False, False)
    """
    depths = list(itertools.accumulate({"{": 1, "}": -1}.get(sign, 0) for sign in text))
    return not depths or (depths[-1] == 0 and min(depths) >= 0)


def markdown(text: str) -> str:
    r"""Return text that Markdown shows as it is, in pandoc and where dollars begin a formula too.

    >>> markdown("$2.0bn_a to $3")
    '\\$2.0bn\\_a to \\$3'
    """
    return re.sub(r"([\\`*_{}\[\]<>#|$~^@&])", r"\\\1", text)


def backticked(text: str) -> str:
    """Return text as code in Markdown, between more backticks than it has in a row."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    gap = " " if "`" in text else ""
    return f"{fence}{gap}{text}{gap}{fence}"


def plain(text: str) -> str:
    return text


@dataclass(frozen=True)
class Markup:
    """How text is written in one markup: ``kinds`` wrap the kinds of `Span`, the others are escaped as plain."""

    escape: Callable[[str], str]
    kinds: Mapping[str, Callable[[str], str]]
    paragraph: Callable[[str], str] = plain

    def write(self, paragraphs: Iterable[Paragraph]) -> str:
        """Return paragraphs in this markup."""
        written = ("".join(self.span(span) for span in paragraph) for paragraph in paragraphs)
        return "\n\n".join(self.paragraph(text.rstrip()) for text in written)

    def span(self, span: Span) -> str:
        return self.kinds.get(span.kind, self.escape)(span.text)


def nothing(text: str) -> str:
    """Return no text: only LaTeX has keys."""
    return ""


MARKUPS = {
    "text": Markup(plain, {"key": nothing}),
    "markdown": Markup(markdown, {"code": backticked, "strong": lambda text: f"**{markdown(text)}**", "key": nothing}),
    "latex": Markup(
        latex,
        {
            "code": lambda text: rf"\texttt{{{latex(text)}}}",
            "strong": lambda text: rf"\textbf{{{latex(text)}}}",
            "key": lambda text: rf"~\cite{{{text}}}",
        },
    ),
    "html": Markup(
        html.escape,
        {
            "code": lambda text: f"<code>{html.escape(text)}</code>",
            "strong": lambda text: f"<strong>{html.escape(text)}</strong>",
            "key": nothing,
        },
        lambda text: f"<p>{text}</p>",
    ),
}
