"""The figures of a run, drawn from its manifest and its draws and from nothing else.

The same run gives the same files, byte for byte. Each figure is a PNG, an SVG and a caption.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate import plot_files, results
from simulate.errors import SimulateError
from simulate.plot_caption import capital, made

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simulate.plot_look import Look
    from simulate.sensitivity import Sensitivity

KINDS: Mapping[str, str] = {
    "ladder": "every cost scope on one axis of money, and the published claims about it",
    "forest": "the intervals of every cost scope, before and after the evidence",
    "posterior": "the density of every cost scope",
    "prior-posterior": "the density of every cost scope, before and after the evidence",
    "ranks": "whether the chains agree",
    "evidence": "every claim against what the draws expect of it",
    "exceedance": "how probable it is that a cost is above an amount, for every scope",
    "breakdown": "what a cost is the sum of, each part with its uncertainty",
    "tornado": "the median of a cost where each unknown is low and where it is high",
    "sensitivity": "which unknowns carry the interval of one cost scope, and what knowing each would be worth",
    "pairs": "a cost and the unknowns that go with it most, draw by draw",
    "trace": "the draws of each chain in their order",
    "energy": "whether the sampler reaches the tails",
}
"""All kinds of figures, and what each shows."""

DEFAULT = ("ladder", "forest", "posterior", "prior-posterior", "ranks", "evidence")
"""The kinds that a run draws, those that apply to it."""

OF_ONE_SCOPE = frozenset({"exceedance", "breakdown", "tornado", "sensitivity", "pairs"})
"""The kinds that are of one cost scope, or can be."""

ANALYSED = frozenset({"tornado", "sensitivity"})
"""The kinds that show what `simulate.sensitivity` finds."""

OF_CHAINS = frozenset({"ranks", "trace", "energy"})


def draw(
    kind: str,
    manifest: Mapping[str, Any],
    tree: Any,
    *,
    scope: str = "",
    analysis: Sensitivity | None = None,
    look: Look | None = None,
) -> Figure:
    """Return a figure of a run, ready to be saved or shown.

    ``tree`` are the run's draws (`simulate.results.Run.tree`); ``scope`` the cost scope of a kind that is of one,
    by default the widest; ``analysis`` what a tornado or the figure of an analysis shows. Raises `SimulateError`
    for a kind that does not exist or that the run has nothing for.
    """
    from simulate.plot_style import house_style

    check([kind], manifest, tree, scope)
    check_analysis(kind, analysis)
    with house_style(look):
        figure: Figure = painter(kind)(manifest, tree, scope, analysis)
        figure.draw_without_rendering()
        return figure


def save(folder: Path, kinds: Sequence[str], manifest: Mapping[str, Any], tree: Any, *, named: bool = False) -> None:
    """Write ``<kind>.png``, ``<kind>.svg`` and the caption ``<kind>.txt`` of each kind into a folder.

    A kind that the run has nothing for is left out in silence, or, where the kinds are ``named`` by the
    user, an error. Raises `SimulateError` for that and for a kind that does not exist, before anything is
    written, and `RunError` where the disk refuses.
    """
    from simulate.plot_style import house_style

    wanted = list(dict.fromkeys(kinds))
    check(wanted if named else [kind for kind in wanted if kind not in KINDS], manifest, tree)
    for kind in wanted:
        check_analysis(kind, None)
    with results.disk(folder), house_style():
        for kind in wanted:
            if named or not lacking(kind, manifest, tree):
                folder.mkdir(parents=True, exist_ok=True)
                write(folder, kind, painter(kind)(manifest, tree, "", None), caption(kind, manifest, tree), KINDS[kind])


def make(
    folder: Path,
    kind: str,
    manifest: Mapping[str, Any],
    tree: Any,
    *,
    formats: Sequence[str] = plot_files.FORMATS[:2],
    name: str = "",
    keep: Collection[str] = (),
    scope: str = "",
    analysis: Sensitivity | None = None,
    look: Look | None = None,
) -> list[Path]:
    """Write one figure in each format, and its caption, into a folder, by its kind or another name; return the paths.

    The files of a folder named in ``keep`` stay as they are. Raises `SimulateError` as `draw` does, and `RunError`
    where the disk refuses, which then leaves no new folder behind.
    """
    from simulate.plot_style import house_style

    check([kind], manifest, tree, scope)
    check_analysis(kind, analysis)
    with results.disk(folder, "choose another place with --to"), results.present(folder), house_style(look):
        figure = painter(kind)(manifest, tree, scope, analysis)
        text = caption(kind, manifest, tree, scope=scope, analysis=analysis)
        return plot_files.write(folder, name or kind, figure, text, capital(KINDS[kind]), formats, keep)


def absent(folder: Path, kinds: Sequence[str]) -> list[str]:
    """Return the kinds whose files a folder does not hold; the caption is the last of them to be written."""
    return [kind for kind in kinds if not (folder / f"{kind}.txt").is_file()]


def write(folder: Path, name: str, figure: Any, text: str, shows: str) -> None:
    """Write the files of one figure: ``text`` is its caption, and ``shows`` what it shows, in a few words."""
    plot_files.write(folder, name, figure, text, capital(shows))


def painter(kind: str) -> Callable[[Mapping[str, Any], Any, str, Any], Any]:
    """Return what draws a kind, from manifest, draws, scope and analysis."""
    if kind in ANALYSED:
        from simulate import sensitivity_plot, tornado_plot

        of_analysis = {"tornado": tornado_plot.draw, "sensitivity": sensitivity_plot.draw}[kind]
        return lambda manifest, tree, scope, analysis: of_analysis(analysis)
    if kind in OF_ONE_SCOPE:
        of_scope = module(kind).draw
        return lambda manifest, tree, scope, analysis: of_scope(manifest, tree, scope)
    of_run = whole_run(kind)
    return lambda manifest, tree, scope, analysis: of_run(manifest, tree)


def whole_run(kind: str) -> Callable[[Mapping[str, Any], Any], Any]:
    """Return what draws a kind that is of all scopes."""
    from simulate import chain_plots, ladder_plot, panel_plots, row_plots

    return {
        "ladder": ladder_plot.draw,
        "forest": row_plots.forest,
        "posterior": panel_plots.posterior,
        "prior-posterior": panel_plots.prior_posterior,
        "evidence": row_plots.evidence,
        "ranks": chain_plots.ranks,
        "trace": chain_plots.trace,
        "energy": chain_plots.energy,
    }[kind]


def module(kind: str) -> Any:
    """Return the module of a kind that is of one scope, with its ``draw`` and ``caption``."""
    from simulate import breakdown_plot, exceedance_plot, pairs_plot

    return {"exceedance": exceedance_plot, "breakdown": breakdown_plot, "pairs": pairs_plot}[kind]


def check(kinds: Sequence[str], manifest: Mapping[str, Any], tree: Any, scope: str = "") -> None:
    """Raise `SimulateError` unless all kinds exist and the run has something for each."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise SimulateError(f"{', '.join(unknown)}: no such figure; there are {', '.join(KINDS)}")
    reasons = [f"{kind}: {reason}" for kind in kinds if (reason := lacking(kind, manifest, tree, scope))]
    if reasons:
        raise SimulateError("\n".join(reasons))


def check_analysis(kind: str, analysis: Sensitivity | None) -> None:
    """Raise `SimulateError` where a kind shows an analysis and there is none."""
    if kind in ANALYSED and analysis is None:
        raise SimulateError(f"{kind}: shows an analysis of the run; `simulate plot RUN {kind}` makes it")


def lacking(kind: str, manifest: Mapping[str, Any], tree: Any, scope: str = "") -> str:
    """Return why a run has nothing for a kind of figure, and what would do; empty when it has."""
    if not manifest["scopes"]:
        return "the run has no cost scope; `simulate check FILE` says what each one needs"
    if scope and scope not in manifest["scopes"]:
        return f"{scope} is no cost scope of the run; it has {', '.join(manifest['scopes'])}"
    if kind in OF_CHAINS or kind == "prior-posterior":
        return lacking_posterior(kind, manifest, tree)
    if kind == "evidence":
        return lacking_evidence(manifest, tree)
    return lacking_spread(kind, manifest, tree, scope)


def lacking_posterior(kind: str, manifest: Mapping[str, Any], tree: Any) -> str:
    """Return why a run has no posterior to show, or no chains that made it."""
    if manifest["group"] != "posterior":
        return "the run is of the prior alone; run it without --prior-only"
    if kind == "prior-posterior":
        return NO_EVIDENCE if not manifest["sampling"]["evidence"] else lacking_spread(kind, manifest, tree, "")
    if manifest["verdict"]["method"] == "exact":
        return "the draws are independent, there are no chains to compare; this is no fault"
    if kind == "energy":
        held = "sample_stats" in tree.children and "energy" in tree["sample_stats"]
        return "" if held else "the run holds no energies, which a sampler by gradients alone has; see ranks"
    if kind == "ranks" and manifest["sampling"]["chains"] < 2:
        return "one chain has no other to be compared with; run with --chains 4"
    return ""


def lacking_evidence(manifest: Mapping[str, Any], tree: Any) -> str:
    """Return why a run has no claims to be compared with."""
    if not manifest["sampling"]["evidence"]:
        return NO_EVIDENCE
    if f"{manifest['group']}_predictive" not in tree.children:
        return "the run is a pool, which hears no evidence of its own; see its members"
    return ""


def lacking_spread(kind: str, manifest: Mapping[str, Any], tree: Any, scope: str) -> str:
    """Return why no scope, or not the one named, has a spread or parts to show."""
    from simulate import panel_plots

    if kind == "breakdown":
        return lacking_parts(manifest, scope)
    if kind in ("posterior", "prior-posterior", "exceedance", "pairs"):
        wanted = [scope] if scope else list(manifest["scopes"])
        if not panel_plots.varying(wanted, manifest, tree):
            return "no cost scope varies enough for a density; run with more --draws, or see the ladder"
    return ""


def lacking_parts(manifest: Mapping[str, Any], scope: str) -> str:
    """Return why a run, or the scope named, is no sum of parts."""
    from simulate import breakdown, report

    if report.is_pool(manifest):
        return "the run is a pool, whose members need not count the same parts; see its members"
    known = breakdown.shown(manifest)
    if scope and scope not in known:
        return f"{scope} is no sum of parts here; there are {', '.join(known) or 'none'}"
    return "" if known else "no cost scope of the run is a sum of parts; see the ladder"


NO_EVIDENCE = "the file has no evidence; give it a claim that is used ([evidence.NAME])"


# ---------------------------------------------------------------------------------------------
# Captions


def caption(
    kind: str,
    manifest: Mapping[str, Any],
    tree: Any,
    *,
    scope: str = "",
    analysis: Any = None,
) -> str:
    """Return a text that can stand below a figure, or in its place; ``analysis`` as in `draw`."""
    if kind == "sensitivity":
        from simulate import sensitivity_plot

        return sensitivity_plot.caption(analysis)
    verdict = manifest["verdict"]
    alarm = [] if verdict["converged"] else ["NOT CONVERGED, do not cite."]
    shown = explained(kind, manifest, tree, scope, analysis)
    return "\n".join([*alarm, f"{capital(KINDS[kind])}.", shown, made(manifest)]) + "\n"


def explained(kind: str, manifest: Mapping[str, Any], tree: Any, scope: str, analysis: Any) -> str:
    """Return what a figure shows, and how to read it."""
    from simulate import chain_plots, ladder_plot, panel_plots, row_plots

    if kind == "tornado":
        from simulate import tornado_plot

        return tornado_plot.caption(analysis)
    if kind == "ladder":
        return ladder_plot.caption(manifest, tree)
    if kind in OF_ONE_SCOPE:
        said: str = module(kind).caption(manifest, tree, scope)
        return said
    if kind in OF_CHAINS:
        return chain_plots.caption(kind, manifest, tree)
    return row_plots.caption(kind, manifest) if kind in row_plots.CAPTIONS else panel_plots.CAPTIONS[kind]
