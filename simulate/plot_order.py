"""An order for figures of a run that is on disk: which kinds, of what scope, in what look and formats, and where to.

The figures that a run was written with are under its checksums and stay as they are; others lie beside them, a look
or scope other than the usual in their names: ``ladder-column-dark.pdf``, ``tornado-ownership.png``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulate import plot_files, plot_look, plots, results
from simulate.errors import SimulateError
from simulate.inference import Progress
from simulate.results import Run
from simulate.sensitivity import Sensitivity, analyse, priors_of

EVERY = "all"
"""Stands for all kinds that a run has something for."""


@dataclass(frozen=True)
class Order:
    """What is asked for; no kinds mean those that a run draws by itself."""

    kinds: tuple[str, ...] = ()
    formats: tuple[str, ...] = plot_files.FORMATS[:2]
    theme: str = "light"
    size: str = "page"
    scope: str = ""

    def file_name(self, kind: str) -> str:
        """Return the name of a figure's files, without the format.

        >>> Order(theme="dark", size="column", scope="ownership").file_name("tornado")
        'tornado-ownership-column-dark'
        """
        usual = Order()
        parts = (
            self.scope if kind in plots.OF_ONE_SCOPE else "",
            self.size if self.size != usual.size else "",
            self.theme if self.theme != usual.theme else "",
        )
        return "-".join([kind, *filter(None, parts)])


def fill(order: Order, run: Run, to: Path | None = None, progress: Progress | None = None) -> list[Path]:
    """Draw what an order asks for, and return the paths of the figures.

    ``to`` is the folder, by default the run's own. Raises `SimulateError` for a kind, theme, size or format that
    does not exist or that the run has nothing for, before anything is written, and `RunError` where the disk refuses.
    """
    kinds = meant(order)
    look, tree = plot_look.made(order.theme, order.size), run.tree()
    if order.kinds and EVERY not in order.kinds:
        plots.check(kinds, run.manifest, tree, order.scope)
    kinds = [kind for kind in kinds if not plots.lacking(kind, run.manifest, tree, order.scope)]
    folder = to or run.folder / results.FIGURES
    own = [] if to else [Path(name).name for name in run.manifest["files"] if name.startswith(f"{results.FIGURES}/")]
    kept = [kind for kind in kinds if {f"{order.file_name(kind)}.{form}" for form in order.formats} <= set(own)]
    analysis = analysed(kinds, order, run, progress)
    for number, kind in enumerate(kinds):
        if progress:
            progress("drawing", number, len(kinds))
        if kind not in kept and (kind not in plots.ANALYSED or analysis):
            plots.make(
                folder,
                kind,
                run.manifest,
                tree,
                formats=order.formats,
                name=order.file_name(kind),
                keep=own,
                scope=order.scope,
                analysis=analysis,
                look=look,
            )
    paths = [folder / f"{order.file_name(kind)}.{form}" for kind in kinds for form in order.formats]
    return [path for path in paths if path.is_file()]


def meant(order: Order) -> list[str]:
    """Return the kinds that an order means. Raises `SimulateError` for what does not exist, all at once."""
    faults = [
        f"{', '.join(unknown)}: no such {what}; there are {', '.join(known)}"
        for what, given, known in (
            ("figure", order.kinds, (*plots.KINDS, EVERY)),
            ("format", order.formats, plot_files.FORMATS),
        )
        if (unknown := [one for one in given if one not in known])
    ]
    faults += plot_look.faults(order.theme, order.size)
    kinds = [*plots.KINDS] if EVERY in order.kinds else list(dict.fromkeys(order.kinds or plots.DEFAULT))
    if order.scope and not faults and not plots.OF_ONE_SCOPE & set(kinds):
        faults = [f"--scope {order.scope}: only {', '.join(sorted(plots.OF_ONE_SCOPE))} are of one cost scope"]
    if faults:
        raise SimulateError("\n".join(faults))
    return kinds


def analysed(kinds: Sequence[str], order: Order, run: Run, progress: Progress | None) -> Sensitivity | None:
    """Return the analysis that some kinds show, none where there are no such kinds.

    Neither refits nor power-scaling, which these kinds do not show. Where every kind was asked for, a run that cannot
    be analysed, such as a pool, goes without.
    """
    if not plots.ANALYSED & set(kinds):
        return None
    try:
        return analyse(run, priors_of(run), scope=order.scope or None, refit=False, power=False, progress=progress)
    except SimulateError:
        if EVERY in order.kinds:
            return None
        raise
