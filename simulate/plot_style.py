"""What all figures have in common: size, type, colours, money axis, heading, and the rule for foreign text.

Lengths are in points (1/72 inch) from the top left of a sheet, the way a page is set. Nothing here or
in the figures depends on a user's matplotlibrc, arvizrc or screen, and nothing is left behind in
Matplotlib's global state.
"""

from __future__ import annotations

import contextlib
import gc
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from simulate import shortening
from simulate.plot_look import MARGIN, Look, look, looking

FONT = "DejaVu Sans"
"""The font that comes with Matplotlib: the same letters, so the same layout, on every machine."""

HUGE, LARGE, MEDIUM, SMALL = 12.0, 10.0, 8.5, 8.0
"""Sizes of type [pt]: title; labels and numbers; text; basis, claims, ticks, provenance."""

LEADING = 1.3

ALONE = 0.35
"""Share of the width up to which a last line looks left alone."""

MARKERS = {"estimate": "D", "floor": ">", "ceiling": "<"}
KIND_WORDS = {"estimate": "", "floor": "at least ", "ceiling": "at most "}

OURS: dict[str, Any] = {
    "font.family": [FONT],
    "font.size": SMALL,
    "text.parse_math": False,
    "axes.linewidth": 0.6,
    "axes.labelsize": SMALL,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 3,
    "xtick.major.width": 0.6,
    "xtick.minor.size": 1.5,
    "xtick.minor.width": 0.4,
    "grid.linewidth": 0.5,
    "svg.hashsalt": "simulate",
    "svg.fonttype": "path",
}
GLOBAL = ("backend", "date", "docstring", "interactive", "timezone", "toolbar", "webagg")
"""Settings that belong to the process, not to a figure."""


def settings() -> dict[str, Any]:
    """Return our settings of Matplotlib, with the colours of the present look."""
    soft = ("axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    paper = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
    colours = {**dict.fromkeys(soft, look().soft), **dict.fromkeys(paper, look().paper)}
    return {**OURS, **colours, "text.color": look().ink, "grid.color": look().rule}


@contextlib.contextmanager
def house_style(chosen: Look | None = None) -> Iterator[None]:
    """Draw by our settings alone, in the look chosen, and give back whatever settings there were."""
    import arviz_base
    import matplotlib as mpl

    own_arviz = {"plot.backend": "matplotlib", "plot.max_subplots": None, "plot.density_kind": "kde",
                 "stats.module": "base", "stats.round_to": "none", "data.sample_dims": ("chain", "draw")}  # fmt: skip
    with mpl.rc_context(), arviz_base.rc_context(own_arviz), looking(chosen or look()), uncollected():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", mpl.MatplotlibDeprecationWarning)
            defaults = mpl.rcParamsDefault.items()
            mpl.rcParams.update({key: value for key, value in defaults if not key.startswith(GLOBAL)})
        mpl.rcParams.update(settings())
        yield


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Leave garbage for later: looking for it in what figures are made of takes a fifth of the time of drawing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# ---------------------------------------------------------------------------------------------
# Text: a prior file may say anything, and the figure must still be right


def legible(text: str) -> str:
    r"""Return text on one line, with a box for each character that the font does not have.

    >>> legible("深  $5\n5")
    '□ $5 5'
    """
    known = letters()
    return "".join(c if ord(c) in known else "□" for c in unicodedata.normalize("NFC", " ".join(text.split())))


@lru_cache(maxsize=1)
def letters() -> frozenset[int]:
    """Return the characters that the font has, plain and bold."""
    plain, bold = (set(face(weight).get_charmap()) for weight in ("normal", "bold"))
    return frozenset(plain & bold)


@lru_cache(maxsize=2)
def face(weight: str) -> Any:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return get_font(findfont(FontProperties(family=[FONT], weight=weight)))


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return the width of a line of text [pt]."""
    from matplotlib.font_manager import FontProperties

    font = FontProperties(family=[FONT], weight=weight, size=size)
    return float(ruler().get_text_width_height_descent(text, font, False)[0]) * 72 / RULER_DPI


RULER_DPI = 200


@lru_cache(maxsize=1)
def ruler() -> Any:
    from matplotlib.backends.backend_agg import RendererAgg

    return RendererAgg(1, 1, RULER_DPI)


def shorten(text: str, width: float, size: float, weight: str = "normal") -> str:
    """Return text that fits a width [pt]; see `simulate.shortening`."""
    return shortening.shorten(text, width, lambda part: text_width(part, size, weight))


def wrap(text: str, width: float, size: float, weight: str = "normal", *, most: int = 3) -> list[str]:
    """Return text as at most ``most`` lines that fit a width; what is too long is shortened.

    A word that is wider by itself is broken after its hyphens, as names of sources have them.
    """
    lines = [""]
    for word in legible(text).split(" "):
        parts = re.findall(r"[^-]*-+|[^-]+", word) if text_width(word, size, weight) > width else [word]
        for number, part in enumerate(parts):
            longer = f"{lines[-1]}{' ' if lines[-1] and not number else ''}{part}"
            if not lines[-1] or len(lines) == most or text_width(longer, size, weight) <= width:
                lines[-1] = longer
            else:
                lines.append(part)
    return [shorten(line, width, size, weight) for line in lines]


def balanced(text: str, width: float, size: float, weight: str = "normal", *, most: int = 3) -> list[str]:
    """Return what `wrap` does, in lines about as long as one another where the last would be left almost alone."""
    lines = wrap(text, width, size, weight, most=most)
    if len(lines) < 2 or text_width(lines[-1], size, weight) > ALONE * width:
        return lines
    narrower = (wrap(text, width * share / 100, size, weight, most=most) for share in range(50, 100, 5))
    fits = (found for found in narrower if len(found) == len(lines) and " ".join(found) == " ".join(lines))
    return next(fits, lines)


def name_lines(name: str, width: float, size: float, weight: str = "normal", *, most: int = 2) -> list[str]:
    """Return a name (`simulate.naming`) in lines that fit a width; broken after its colon, where that is enough."""
    text = legible(name)
    head, mark, said = text.partition(": ")
    both = [f"{head}:", said]
    if text_width(text, size, weight) > width and mark and all(text_width(t, size, weight) <= width for t in both):
        return both
    return wrap(text, width, size, weight, most=most)


# ---------------------------------------------------------------------------------------------
# The sheet: heading above, provenance below, room for axes between


@dataclass(frozen=True)
class Sheet:
    """A figure with its heading and provenance set; ``top`` is where its body begins [pt].

    Places are counted from the top left of the body; around everything there is a margin.
    """

    figure: Any
    top: float
    height: float

    def axes(self, left: float, top: float, width: float, height: float) -> Any:
        """Return new axes at a place [pt]."""
        x, y = self.place(left, top + height)
        return self.figure.add_axes((x, y, width / (look().width + 2 * MARGIN), height / self.height))

    def text(self, left: float, top: float, text: str, size: float, **style: Any) -> Any:
        """Write text whose baseline is at a place [pt]."""
        return self.figure.text(*self.place(left, top), text, size=size, va="baseline", **style)

    def words(self, left: float, top: float, text: str, size: float, **style: Any) -> Any:
        """Write the words of a row; where they stand above its axis, no grid runs through them."""
        paper = {"facecolor": look().paper, "edgecolor": "none", "pad": 2.0}
        return self.text(left, top, text, size, **style, bbox=paper if look().is_narrow else None)

    def line(self, top: float) -> None:
        """Draw a hairline across the sheet."""
        from matplotlib.lines import Line2D

        (left, y), (right, _) = self.place(0, top), self.place(look().width, top)
        self.figure.add_artist(Line2D([left, right], [y, y], color=look().rule, linewidth=0.5, zorder=0))

    def place(self, left: float, top: float) -> tuple[float, float]:
        """Return a place [pt] as the fractions of the figure that Matplotlib counts in."""
        return (MARGIN + left) / (look().width + 2 * MARGIN), 1 - (self.top + top) / self.height


def sheet(manifest: Mapping[str, Any], title: str, subtitle: str, body: float) -> Sheet:
    """Return a sheet for a run, with room for a body of that height [pt]."""
    return blank(heading(manifest["verdict"]["converged"], title, subtitle), provenance(manifest), body)


def blank(lines: Sequence[tuple[str, float, dict[str, Any]]], foot: str, body: float) -> Sheet:
    """Return a sheet with a heading, a foot in small type, and room for a body of that height [pt]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    head = sum(size * LEADING for _, size, _ in lines) + SMALL
    feet, leading = wrap(foot, look().width, SMALL - 1), LEADING * (SMALL - 1)
    height = MARGIN + head + body + 2.5 * SMALL + leading * (len(feet) - 1) + MARGIN
    figure = Figure(figsize=((look().width + 2 * MARGIN) / 72, height / 72), facecolor=look().paper)
    FigureCanvasAgg(figure)
    made = Sheet(figure, MARGIN + head, height)
    y = -head
    for text, size, style in lines:
        y += size * LEADING
        made.text(0, y - 0.3 * size, text, size, **style)
    for number, line in enumerate(feet):
        made.text(0, body + 2 * SMALL + number * leading, line, SMALL - 1, color=look().soft)
    return made


def heading(converged: bool, title: str, subtitle: str) -> list[tuple[str, float, dict[str, Any]]]:
    """Return the lines above a figure: text, size and style of each."""
    alarm, most = [] if converged else ["NOT CONVERGED — do not cite"], 5 if look().is_narrow else 3
    titles = balanced(title, look().width, HUGE, "bold")
    return [
        *((line, LARGE, {"color": look().alarm, "weight": "bold"}) for line in alarm),
        *((line, HUGE, {"color": look().ink, "weight": "bold"}) for line in titles),
        ("", SMALL / LEADING / 4, {}),
        *((line, MEDIUM, {"color": look().soft}) for line in balanced(subtitle, look().width, MEDIUM, most=most)),
    ]


def provenance(manifest: Mapping[str, Any]) -> str:
    """Return where a figure comes from."""
    sampling = manifest["sampling"]
    return legible(
        f"simulate {manifest['versions']['simulate']} · {manifest['name']} {manifest['digest'][:8]} · "
        f"{sampling['chains']} × {sampling['draws']:,} draws, seed {sampling['seed']}"
        f"{''.join(f' · {setting}' for setting in manifest['settings'])}"
    )


def symbol(axes: Any, x: float, y: float, kind: str, used: bool, colour: str) -> None:
    """Draw the mark of a claim: its form is the kind, filled when it is evidence."""
    size = 4.5 if kind == "estimate" else 5.5
    face = colour if used else look().paper
    axes.plot([x], [y], MARKERS[kind], markersize=size, color=face, markeredgecolor=colour, clip_on=False)
