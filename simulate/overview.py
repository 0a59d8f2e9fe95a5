"""What there is, in a few lines: a prior file, what its priors imply, the files and runs at hand."""

from __future__ import annotations

from pathlib import Path

from simulate import layers, ledger
from simulate.errors import Fault, RunError
from simulate.priors import Priors

CONFLICT = 1.0
"""Percent of prior draws beyond a claim below which the prior all but rules it out."""


def of_priors(priors: Priors) -> str:
    """Return what a checked prior file holds and which scopes follow from it."""
    shown = len(priors.claims) - len(priors.evidence)
    lines = [
        f"ok: {priors.name}: {priors.title}",
        f"  {len(priors.unknowns)} unknowns, {len(priors.constants)} fixed values, {len(priors.facts)} disputed facts, "
        f"{len(priors.evidence)} pieces of evidence, {shown} claims only shown, {len(priors.sources)} sources",
        f"  scopes: {', '.join(priors.scopes)}",
    ]
    for name in ledger.SCOPES:
        if name not in priors.scopes:
            lines.append(f"  no {name}: it needs {', '.join(ledger.missing(name, priors.layout.inputs))}")
    if priors.idle:
        lines.append(f"  without effect here: {', '.join(priors.idle)}")
    return "\n".join([*lines, f"  digest {priors.digest}"])


def of_prior_predictive(priors: Priors) -> str:
    """Return the scopes that the priors alone imply, and the claims that the priors all but rule out."""
    from simulate import inference, report, summary
    from simulate.pipeline import scope

    draws = inference.prior(priors, inference.Settings(draws=5000))
    rows = [
        summary.row(name, "", "prior", ledger.QUANTITIES[name].unit, draws.quantities[name], 0.9)
        for name in priors.scopes
    ]
    scopes = {row.variable: scope(row) for row in rows}
    parts = [report.table(report.scope_cells({"scopes": scopes, "money": priors.money}))] if scopes else []
    for standing in summary.standings(priors, draws, draws):
        tail = min(standing.percentile, 100 - standing.percentile)
        if standing.kind == "estimate" and tail < CONFLICT:
            side = "below" if standing.percentile > 50 else "above"
            parts.append(
                f"conflict: {100 - tail:.1f} % of prior draws of {standing.about} lie {side} the claim "
                f"{standing.name}; one of the two is off, or they speak of different things"
            )
    return "\n".join(parts)


def of_prior_files() -> str:
    """Return the prior files in ``priors/`` and those shipped, with their titles."""
    lines = ["prior files:"]
    folders = dict.fromkeys(path.resolve() for path in (Path("priors"), layers.shipped_folder()) if path.is_dir())
    seen: dict[str, str] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            if path.stem != layers.REGISTER:
                seen.setdefault(path.stem, title(path))
    width = max((len(name) for name in seen), default=0)
    return "\n".join([*lines, *(f"  {name.ljust(width)}  {text}" for name, text in sorted(seen.items()))])


def title(path: Path) -> str:
    """Return the title of a prior file, or that it cannot be read."""
    faults: list[Fault] = []
    content = layers.parse(layers.read_text(path, "", faults), "", faults)
    found = " ".join(str(content.get("title", "")).split())
    return "(not a prior file; `simulate check` says why)" if faults else found


def of_runs(out: Path) -> str:
    """Return the complete runs below ``out``, with their verdicts."""
    from simulate import results

    lines = [f"  {folder}  {verdict(folder)}" for folder in results.runs(out)]
    return "\n".join([f"runs in {out}:", *(lines or ["  none yet: simulate run --priors semianalysis"])])


def verdict(folder: Path) -> str:
    """Return in a word or two how a run stands, from its manifest alone."""
    from simulate import results

    try:
        return "converged" if results.read_manifest(folder)["verdict"]["converged"] else "NOT CONVERGED"
    except (RunError, KeyError, TypeError):
        return "damaged"
