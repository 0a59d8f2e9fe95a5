"""The files of a figure: the same bytes for the same figure, at the size that it is meant for, whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from simulate import results
from simulate.plot_look import look

FORMATS = ("png", "svg", "pdf")
"""The formats there are; the first two are those of a run's own figures."""

DOTS = 200
"""Of a PNG, for each inch of the width that is set."""

COMPRESSION = 3
"""Of a PNG, from 1 to 9: more takes half as long again and makes them no smaller."""


def write(
    folder: Path,
    name: str,
    figure: Any,
    text: str,
    title: str,
    formats: Sequence[str] = FORMATS[:2],
    keep: Collection[str] = (),
) -> list[Path]:
    """Write a figure in each format, and its caption ``text`` last; return the paths of the figure.

    A file of the folder that is named in ``keep`` is left as it is.
    """
    for form in formats:
        if f"{name}.{form}" not in keep:
            place(folder / f"{name}.{form}", {"png": png, "svg": svg, "pdf": pdf}[form](figure, title))
    if f"{name}.txt" not in keep:
        place(folder / f"{name}.txt", text.encode())
    return [folder / f"{name}.{form}" for form in formats]


def place(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; an older one is replaced."""
    unfinished = path.with_name(f"{results.UNFINISHED}{path.name}-{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def png(figure: Any, title: str) -> bytes:
    """Return a figure as a PNG that says how large it is meant to be."""
    file = io.BytesIO()
    dots = DOTS / look().scale
    options = {"compress_level": COMPRESSION, "dpi": (dots, dots)}
    figure.savefig(file, format="png", dpi=DOTS, metadata={"Software": None}, pil_kwargs=options)
    return file.getvalue()


def svg(figure: Any, title: str) -> bytes:
    """Return a figure as an SVG, its width and height those it is meant to have."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    content = file.getvalue()
    if look().scale == 1:
        return content
    for size, inches in zip(("width", "height"), figure.get_size_inches(), strict=True):
        set_size, meant = (f'{size}="{72 * inches * scale:.9g}pt"'.encode() for scale in (1.0, look().scale))
        content = content.replace(set_size, meant, 1)
    return content


def pdf(figure: Any, title: str) -> bytes:
    """Return a figure as a PDF of one page of the size it is meant to have, with its fonts in it.

    Matplotlib counts in points that cannot be made smaller, so the page scales what is drawn on it.
    """
    from matplotlib.backends.backend_mixed import MixedModeRenderer
    from matplotlib.backends.backend_pdf import Op, PdfFile, RendererPdf

    content = io.BytesIO()
    dots, scale = figure.dpi, look().scale
    width, height = figure.get_size_inches()
    file = PdfFile(content, metadata={"CreationDate": None, "Creator": None, "Producer": None, "Title": title})
    try:
        figure.dpi = 72
        file.newPage(width * scale, height * scale)
        file.width, file.height = width, height  # to which lines are cut, before they are scaled
        file.output(scale, 0, 0, scale, 0, 0, Op.concat_matrix)
        pen = RendererPdf(file, DOTS, height, width)
        renderer = MixedModeRenderer(figure, width, height, DOTS, pen)
        figure.draw(renderer)
        renderer.finalize()
        file.finalize()
    finally:
        file.close()
        figure.dpi = dots
    return content.getvalue()
