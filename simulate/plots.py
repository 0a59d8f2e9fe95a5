"""The figures of a run, drawn from its manifest and its draws and from nothing else.

The same run gives the same files, byte for byte. Each figure is a PNG, an SVG and a caption.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate import report, results
from simulate.errors import SimulateError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: Mapping[str, str] = {
    "ladder": "every cost scope on one axis of money, and the published claims about it",
    "forest": "the intervals of every cost scope, before and after the evidence",
    "posterior": "the density of every cost scope",
    "prior-posterior": "the density of every cost scope, before and after the evidence",
    "ranks": "whether the chains agree",
    "evidence": "every claim against what the draws expect of it",
}
"""All kinds of figures, and what each shows."""

DEFAULT = tuple(KINDS)
"""The kinds that a run draws, those that apply to it."""

DPI = 200
PNG_METADATA: dict[str, Any] = {"Software": None}
SVG_METADATA: dict[str, Any] = {"Date": None, "Creator": None}


def draw(kind: str, manifest: Mapping[str, Any], tree: Any) -> Figure:
    """Return a figure of a run, ready to be saved or shown.

    ``tree`` are the run's draws (`simulate.results.Run.tree`). Raises `SimulateError` for a kind that
    does not exist or that the run has nothing for.
    """
    from simulate.plot_style import house_style

    check([kind], manifest, tree)
    with house_style():
        figure: Figure = painter(kind)(manifest, tree)
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
    with results.disk(folder), house_style():
        for kind in wanted:
            if named or not lacking(kind, manifest, tree):
                folder.mkdir(parents=True, exist_ok=True)
                write(folder, kind, painter(kind)(manifest, tree), caption(kind, manifest, tree), KINDS[kind])


def absent(folder: Path, kinds: Sequence[str]) -> list[str]:
    """Return the kinds whose files a folder does not hold; the caption is the last of them to be written."""
    return [kind for kind in kinds if not (folder / f"{kind}.txt").is_file()]


def write(folder: Path, name: str, figure: Any, text: str, shows: str) -> None:
    """Write the files of one figure: ``text`` is its caption, and ``shows`` what it shows, in a few words."""
    (folder / f"{name}.png").write_bytes(rendered(figure, "png", PNG_METADATA))
    (folder / f"{name}.svg").write_bytes(rendered(figure, "svg", {**SVG_METADATA, "Title": capital(shows)}))
    results.write_text(folder / f"{name}.txt", text)


def capital(text: str) -> str:
    """Return text with its first letter as a capital, and the others as they are."""
    return f"{text[0].upper()}{text[1:]}"


def rendered(figure: Any, form: str, metadata: Mapping[str, Any]) -> bytes:
    """Return a figure as the content of a file."""
    file = io.BytesIO()
    figure.savefig(file, format=form, dpi=DPI, metadata=metadata)
    return file.getvalue()


def painter(kind: str) -> Callable[[Mapping[str, Any], Any], Any]:
    """Return what draws a kind."""
    from simulate import ladder_plot, panel_plots, row_plots

    return {
        "ladder": ladder_plot.draw,
        "forest": row_plots.forest,
        "posterior": panel_plots.posterior,
        "prior-posterior": panel_plots.prior_posterior,
        "ranks": panel_plots.ranks,
        "evidence": row_plots.evidence,
    }[kind]


def check(kinds: Sequence[str], manifest: Mapping[str, Any], tree: Any) -> None:
    """Raise `SimulateError` unless all kinds exist and the run has something for each."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise SimulateError(f"{', '.join(unknown)}: no such figure; there are {', '.join(KINDS)}")
    reasons = [f"{kind}: {reason}" for kind in kinds if (reason := lacking(kind, manifest, tree))]
    if reasons:
        raise SimulateError("\n".join(reasons))


def lacking(kind: str, manifest: Mapping[str, Any], tree: Any) -> str:
    """Return why a run has nothing for a kind of figure, and what would do; empty when it has."""
    from simulate import panel_plots

    if not manifest["scopes"]:
        return "the run has no cost scope; `simulate check FILE` says what each one needs"
    if kind in ("prior-posterior", "ranks") and manifest["group"] != "posterior":
        return "the run is of the prior alone; run it without --prior-only"
    if kind in ("prior-posterior", "evidence") and not manifest["sampling"]["evidence"]:
        return "the file has no evidence; give it a claim that is used ([evidence.NAME])"
    if kind == "evidence" and f"{manifest['group']}_predictive" not in tree.children:
        return "the run is a pool, which hears no evidence of its own; see its members"
    if kind == "ranks" and manifest["verdict"]["method"] == "exact":
        return "the draws are independent, there are no chains to compare; this is no fault"
    if kind == "ranks" and manifest["sampling"]["chains"] < 2:
        return "one chain has no other to be compared with; run with --chains 4"
    if kind in ("posterior", "prior-posterior") and not panel_plots.varying(manifest, tree):
        return "no cost scope varies enough for a density; run with more --draws, or see the ladder"
    return ""


# ---------------------------------------------------------------------------------------------
# Captions


def caption(kind: str, manifest: Mapping[str, Any], tree: Any) -> str:
    """Return a text that can stand below a figure, or in its place."""
    from simulate import ladder_plot, panel_plots, row_plots

    words = {**panel_plots.CAPTIONS, **row_plots.CAPTIONS}
    shown = ladder_plot.caption(manifest, tree) if kind == "ladder" else words[kind]
    verdict = manifest["verdict"]
    alarm = [] if verdict["converged"] else ["NOT CONVERGED, do not cite."]
    return "\n".join([*alarm, f"{capital(KINDS[kind])}.", shown, made(manifest)]) + "\n"


def kept(manifest: Mapping[str, Any]) -> str:
    """Return what of a figure is of the draws kept alone, where these are not all."""
    number = manifest["sampling"].get("kept")
    return f" (densities and the inner intervals are of the {number:,} draws kept)" if number else ""


def made(manifest: Mapping[str, Any]) -> str:
    """Return level and kind of the intervals, group, money, prior file, seed, draws, verdict and versions."""
    from simulate.plot_axes import percent

    sampling, versions = manifest["sampling"], manifest["versions"]
    return (
        f"Medians and {percent(manifest)} equal-tailed credible intervals of the {manifest['group']}, for "
        f"{manifest['subject']}, in {manifest['money']}. "
        f"{report.origin(manifest).capitalize()}: {manifest['name']} ({manifest['title']}), "
        f"digest {manifest['digest'][:16]}, {report.evidence_words(manifest)}. "
        f"{sampling['sampler']}, {sampling['chains']} × {sampling['draws']} draws{kept(manifest)}, "
        f"seed {sampling['seed']}; "
        f"{manifest['verdict']['in_words']}. "
        f"simulate {versions['simulate']}, ArviZ {versions['arviz']}, Matplotlib {versions['matplotlib']}."
    )
