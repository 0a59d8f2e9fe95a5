"""Runs in Python and in notebooks: the same as on the command line, as objects that show themselves.

>>> import simulate
>>> run = simulate.run("semianalysis")  # doctest: +SKIP
>>> run.interval("company")  # doctest: +SKIP
company: $1.95bn (90 % credible interval $1.33bn to $2.7bn; USD 2025)
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate import arguments, citations, report, results
from simulate.errors import SimulateError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from simulate.query import Answer


@dataclass(frozen=True)
class Interval:
    """An equal-tailed credible interval of ``probability`` and the median, in ``unit``, as full numbers.

    ``in_words`` has the digits that the Monte Carlo errors support.
    """

    name: str
    lower: float
    median: float
    upper: float
    probability: float
    kind: str
    unit: str
    in_words: str

    def __repr__(self) -> str:
        return self.in_words


class Answers(list["Answer"]):
    """Answers to questions about a run, in their order, which show themselves as a table.

    ``heading`` says of whose cost, in which money, they are; ``warning`` that the run has not converged, and is empty
    where it has.
    """

    def __init__(self, answers: Iterable[Answer], heading: str = "", warning: str = "") -> None:
        super().__init__(answers)
        self.heading = heading
        self.warning = warning

    def remarks(self) -> list[str]:
        """Return what a reader of the numbers must know."""
        notes = [f"{answer.expression}: {note}" for answer in self for note in answer.notes]
        return [*filter(None, [self.warning]), *notes]

    def __repr__(self) -> str:
        from simulate import query_report

        parts = [self.heading, report.table(query_report.cells(self)), *self.remarks()] if self else ["no question"]
        return "\n\n".join(filter(None, parts))

    def _repr_html_(self) -> str:
        from simulate import query_report

        return as_html(self.heading, query_report.cells(self), self.remarks()) if self else "no question"


@dataclass(frozen=True)
class Figure:
    """A figure of a run, in the file ``path``, and the caption that goes with it."""

    path: Path

    @property
    def caption(self) -> str:
        return self.path.with_suffix(".txt").read_text(encoding="utf-8").strip()

    def __repr__(self) -> str:
        return f"{self.path}\n\n{self.caption}"

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self.path.read_bytes()).decode()
        what = html.escape(self.caption.splitlines()[0])
        shown = f'<img alt="{what}" src="data:image/png;base64,{picture}" style="max-width: 100%">'
        text = f'<figcaption style="white-space: pre-line">{html.escape(self.caption)}</figcaption>'
        return f"<figure>{shown}{text}</figure>"


@dataclass(frozen=True)
class Run:
    """A run on disk, of which everything can be asked.

    ``posterior`` and ``prior`` are groups of the DataTree ``tree``, with dims ``chain`` and ``draw`` and units as
    attributes, ready for ArviZ. A run that has not converged says so wherever it is shown.
    """

    on_disk: results.Run

    @property
    def folder(self) -> Path:
        return self.on_disk.folder

    @property
    def manifest(self) -> Mapping[str, Any]:
        return self.on_disk.manifest

    @property
    def converged(self) -> bool:
        return self.on_disk.converged

    @property
    def tree(self) -> xr.DataTree:
        """The draws as an ArviZ DataTree, read lazily."""
        return self.on_disk.tree()

    @property
    def posterior(self) -> xr.DataTree:
        """The draws that the intervals are of; those of the prior where no evidence was heard."""
        return self.tree.children[self.manifest["group"]]

    @property
    def prior(self) -> xr.DataTree:
        return self.tree.children["prior"]

    def summary(self) -> pd.DataFrame:
        """Return median, interval and Monte Carlo errors of every cost scope, a row each, at full precision.

        ``converged`` is the verdict on the run, the same in every row.
        """
        import pandas as pd

        columns = ["median", "lower", "upper", "probability", "kind", "unit", "basis"]
        errors = ["mcse_median", "mcse_lower", "mcse_upper"]
        table = pd.DataFrame.from_dict(self.manifest["scopes"], orient="index")[columns + errors]
        return table.assign(converged=self.converged).rename_axis("scope")

    def interval(self, name: str) -> Interval:
        """Return the interval of a cost scope. Raises `SimulateError` for what is none of the run."""
        arguments.refuse(arguments.text("name", name))
        found = self.manifest["scopes"].get(name)
        if found is None:
            known = ", ".join(self.manifest["scopes"])
            raise SimulateError(
                f"{name[:40]!r}: no cost scope of this run; there are {known}; `query` takes any quantity"
            )
        median, ends = report.scope_words(found)
        warning = "" if self.converged else "NOT CONVERGED, do not cite: "
        words = f"{warning}{name}: {median} ({report.level(self.manifest['scopes'])} {ends}; {self.manifest['money']})"
        numbers = {key: found[key] for key in ("lower", "median", "upper", "probability", "kind", "unit")}
        return Interval(name, **numbers, in_words=words)

    def query(self, *expressions: str) -> Answers:
        """Return the answers to expressions such as ``"P(company > 1.6 bn)"``, as `simulate.query.query` does."""
        from simulate import query, query_report

        arguments.refuse(*(arguments.text("expressions", one) for one in expressions))
        answers = query.query(self.on_disk, expressions)
        heading = query_report.heading(self.manifest, answers) if answers else ""
        warning = "" if self.converged else str(self.manifest["verdict"]["in_words"])
        return Answers(answers, heading, warning)

    def cite(self, *scopes: str, form: str = "text", style: str | None = None, force: bool = False) -> str:
        """Return what to write of the run, as `simulate.citations.cite` does."""
        texts = [("form", form), *([("style", style)] if style is not None else []), *(("scopes", s) for s in scopes)]
        arguments.refuse(*(arguments.text(*one) for one in texts), arguments.switch("force", force))
        return citations.cite(self.on_disk, scopes, form=form, style=style, force=force)

    def plot(
        self,
        kind: str = "ladder",
        *,
        scope: str = "",
        theme: str = "light",
        size: str = "page",
        to: str | Path | None = None,
    ) -> Figure:
        """Draw a figure of the run, as ``simulate plot`` does: any of its kinds, as a PNG.

        ``to`` is the folder to draw into, by default that of the run's own figures. Raises `SimulateError` for a
        kind, scope, theme or size that there is not, and `RunError` where the disk refuses.
        """
        from simulate.plot_order import EVERY, Order, fill

        texts = {"kind": kind, "scope": scope, "theme": theme, "size": size}
        arguments.refuse(
            *(arguments.text(name, value) for name, value in texts.items()),
            arguments.path("to", to) if to is not None else "",
        )
        if kind == EVERY:
            raise SimulateError(f"{kind}: one figure at a time; `simulate plot` draws all")
        [path] = fill(Order((kind,), ("png",), theme, size, scope), self.on_disk, Path(to) if to is not None else None)
        return Figure(path)

    def __repr__(self) -> str:
        return f"{report.terminal(self.manifest)}\n\nrun: {self.folder}"

    def _repr_html_(self) -> str:
        """Return the table of scopes and the verdict, for a notebook."""
        verdict = str(self.manifest["verdict"]["in_words"])
        return as_html(str(self.manifest["title"]), report.scope_cells(self.manifest), [verdict])


def as_html(caption: str, cells: Sequence[Sequence[str]], remarks: Sequence[str]) -> str:
    """Return a table, header first, and what is to be said of it; all of it is text, whatever it looks like."""
    header, *rows = cells
    lines = ["".join(f"<th>{html.escape(cell)}</th>" for cell in header)]
    lines += ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    table = "".join(f"<tr>{line}</tr>" for line in lines)
    below = "".join(f"<p>{html.escape(remark)}</p>" for remark in remarks)
    return f"<table><caption>{html.escape(caption)}</caption>{table}</table>{below}"


def run(
    priors: str | Path,
    *,
    set: str | Sequence[str] = (),
    out: str | Path = "results",
    probability: float = 0.9,
    figures: bool = False,
    again: bool = False,
    **sampling: Any,
) -> Run:
    """Return the run of a prior file: the one there is with the same numbers, or a new one, written to ``out``.

    ``priors`` is a file or the name of a shipped one, ``set`` a change or several as on the command line
    (``"fleet.h100.count=5k to 15k"``), ``sampling`` fields of `simulate.inference.Settings` such as ``seed`` or
    ``draws``. A run that has not converged is returned too, and says so. Raises `InputError` with every fault of the
    file, `SimulateError` with all that is wrong with what is given besides, and `RunError` where the disk refuses.
    """
    from simulate import limits, loading, pipeline, plots
    from simulate.inference import Settings

    arguments.refuse(
        *(arguments.path(name, value) for name, value in {"priors": priors, "out": out}.items()),
        arguments.texts("set", set),
        *(arguments.switch(name, value) for name, value in {"figures": figures, "again": again}.items()),
    )
    given = limits.plain({"cores": pipeline.cores(), **sampling, "probability": probability})
    probability, settings = given.pop("probability"), Settings(**given)
    found = loading.load(str(priors), (set,) if isinstance(set, str) else tuple(set))
    wanted = plots.DEFAULT if figures else ()
    before = None if again else pipeline.made_before(found, settings, Path(out), probability)
    if before:
        pipeline.complete(before, wanted)
        return Run(before)
    return Run(pipeline.run(found, settings, out=Path(out), probability=probability, figures=wanted))


def load(folder: str | Path, *, out: str | Path = "results") -> Run:
    """Return a run in ``out``: by its folder, a part of its name, its prior file (the latest), or a citation's pointer.

    Raises `RunError` where there is none, and `DamagedRunError` where it is not as it was written.
    """
    arguments.refuse(arguments.path("folder", folder), arguments.path("out", out))
    return Run(results.load(results.find(str(folder), Path(out))))
