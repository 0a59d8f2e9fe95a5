"""What the captions of all figures of a run end with: level and kind of its intervals, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulate import report


def kept(manifest: Mapping[str, Any]) -> str:
    """Return what of a figure is of the draws kept alone, where these are not all."""
    number = manifest["sampling"].get("kept")
    return f" (densities, curves, parts and the inner intervals are of the {number:,} draws kept)" if number else ""


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


def capital(text: str) -> str:
    """Return text with its first letter as a capital, and the others as they are."""
    return f"{text[0].upper()}{text[1:]}"
