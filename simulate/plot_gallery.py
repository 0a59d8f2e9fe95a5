"""The page that shows every kind of figure once, small: ``python -m simulate.plot_gallery RUN FOLDER``.

Writes ``figures.md`` into the folder and the pictures, reduced, into ``figures/`` beside it.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from simulate import plot_order, plots, results
from simulate.naming import listed
from simulate.plot_caption import capital
from simulate.plot_order import EVERY, Order
from simulate.results import Run

PAGE, PICTURES = "figures.md", "figures"
WIDTH, COLOURS = 520, 256
"""Width of a picture [px], and how many colours it has left."""

HEAD = """# Figures

Every figure that `simulate` draws, here of `{name}` at the size of a column. Each comes as PNG, SVG or PDF, the same
bytes for the same run, with a caption beside it (`ladder.txt` beside `ladder.png`) that says what is shown, at which
level and kind, from which prior file, digest, seed and versions. A run that has not converged says so in all of them.

```sh
simulate run --priors {name}
simulate plot {name} ladder tornado --format pdf --size column --theme dark
simulate plot {name} all
```

A run draws {default} by itself. The others are drawn by `simulate plot RUN KIND…`, for a page (155 mm) or a column
(85 mm), on white or on black, in colours that stay apart for readers who see fewer; `--scope` names the cost scope of
{scoped}.

This page is made by `python -m simulate.plot_gallery {name} docs`.
"""


def write(run: Run, folder: Path) -> Path:
    """Write the gallery of a run; return the path of the page."""
    with tempfile.TemporaryDirectory() as place:
        order = Order((EVERY,), ("png",), size="column")
        drawn = {path.stem.removesuffix("-column"): path for path in plot_order.fill(order, run, Path(place))}
        (folder / PICTURES).mkdir(parents=True, exist_ok=True)
        for kind, path in drawn.items():
            results.write_bytes(folder / PICTURES / f"{kind}.png", reduced(path.read_bytes()))
    results.write_text(folder / PAGE, page(str(run.manifest["name"]), list(drawn)))
    return folder / PAGE


def page(name: str, kinds: list[str]) -> str:
    """Return the page in Markdown."""
    head = HEAD.format(
        name=name,
        default=listed([f"`{kind}`" for kind in plots.DEFAULT]),
        scoped=listed([f"`{kind}`" for kind in plots.KINDS if kind in plots.OF_ONE_SCOPE]),
    )
    parts = [f"## {kind}\n\n{shows(kind)}.\n\n![{shows(kind)}]({PICTURES}/{kind}.png)\n" for kind in kinds]
    return "\n".join([head, *parts])


def shows(kind: str) -> str:
    return capital(plots.KINDS[kind])


def reduced(content: bytes) -> bytes:
    """Return a PNG of fewer pixels and colours."""
    from PIL import Image

    whole = Image.open(io.BytesIO(content)).convert("RGB")
    small = whole.resize((WIDTH, round(whole.height * WIDTH / whole.width)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE).save(
        file, "png", optimize=True
    )
    return file.getvalue()


if __name__ == "__main__":
    write(results.load(results.find(sys.argv[1], Path("results"))), Path(sys.argv[2]))
