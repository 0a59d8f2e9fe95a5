"""What a run was made of, read back from the prior files in its folder: its own, or those of each member of a pool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulate import __version__, layers, layout, ledger, loading, report, results
from simulate.errors import InputError, RunError
from simulate.priors import Priors
from simulate.results import Run

MARK = re.compile(r" \([^()]*\)$")
"""What tells apart, in a pool, members whose prior files have one name."""


@dataclass(frozen=True)
class Ingredient:
    """A prior file that a run was made of, as it was read (``layers``) and what it means (``priors``).

    ``name`` is that of the run, or of the member in the pool. ``heard`` says whether its evidence was.
    """

    name: str
    layers: layers.Layers
    priors: Priors
    heard: bool

    @property
    def used(self) -> frozenset[str]:
        """Paths of the entries that the draws were computed from."""
        given = frozenset(self.priors.entries)
        return given if self.heard else given & layout.needed(self.priors.layout)

    def needed_by(self, scopes: Sequence[str]) -> frozenset[str]:
        """Return the paths of the entries that some cost scopes are computed from."""
        return frozenset(path for scope in scopes for path in self.inputs_of(scope)) & self.used

    def inputs_of(self, scope: str) -> Iterator[str]:
        """Yield the paths that a scope is computed from; the final run needs the runs it is made of alone."""
        found, names = self.priors.layout, ledger.depends_on(scope)
        chosen = "final_runs" in names and scope == "final_run"
        runs = [found.names["run"][n] for n in found.positions.get("final_runs", ())] if chosen else [""]
        for name in names:
            for run in runs if found.dims.get(name) == "run" else [""]:
                yield from found.paths_of(name, run)

    def bearing_on(self, scopes: Sequence[str]) -> frozenset[str]:
        """Return the paths that can have an effect on some scopes: needed by them, or tied to what is.

        A claim that was heard ties together all that it is computed from, with the errors and biases in it; so does
        a stated correlation, where there is such a tie.
        """
        found = set(self.needed_by(scopes))
        ties = list(self.ties()) if self.heard and self.priors.evidence else []
        while more := {path for tie in ties if tie & found for path in tie} - found:
            found |= more
        return frozenset(found)

    def ties(self) -> Iterator[frozenset[str]]:
        """Yield the sets of paths that a claim or the correlations make depend on one another."""
        for claim in self.priors.evidence:
            paths = {claim.target, claim.error, *claim.biased_by}
            for name in claim.needs:
                paths |= set(self.priors.layout.paths_of(name, claim.index))
            yield frozenset(paths & self.used)
        yield frozenset(self.priors.correlations.paths)


def ingredients(run: Run) -> tuple[Ingredient, ...]:
    """Return the prior files that a run was made of.

    Raises `RunError` where they no longer load, or mean to this version what the run was not made of.
    """
    manifest, folder = run.manifest, run.folder / results.PRIORS
    heard, settings = manifest["group"] != "prior", [str(setting) for setting in manifest["settings"]]
    if report.is_pool(manifest):
        digests = {member["name"]: member["digest"] for member in manifest["members"]}
        order = list(digests)
        found = sorted(members(folder, settings, heard=heard), key=lambda one: order.index(one.name.split(": ")[0]))
    else:
        digests = {str(manifest["name"]): manifest["digest"]}
        found = [ingredient(folder, str(manifest["name"]), settings, heard=heard)]
    if other := [one.name for one in found if digests.get(one.name, one.priors.digest) != one.priors.digest]:
        raise RunError(
            f"{run.folder}: to simulate {__version__}, its prior files mean something else than to "
            f"{manifest['versions']['simulate']}, which made it ({', '.join(other)}); run them again"
        )
    return tuple(found)


def members(folder: Path, settings: Sequence[str], *, heard: bool, before: str = "") -> Iterator[Ingredient]:
    """Yield the prior files of the members of a pool, and of the members of a pool in it."""
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        own = [setting.removeprefix(f"{place.name}: ") for setting in settings if setting.startswith(f"{place.name}: ")]
        if main_file(place, place.name):
            yield ingredient(place, place.name, own, heard=heard, before=before)
        else:
            yield from members(place, own, heard=heard, before=f"{before}{place.name}: ")


def ingredient(folder: Path, name: str, settings: Sequence[str], *, heard: bool, before: str = "") -> Ingredient:
    """Return the prior file of a name in a folder, with its settings; raises `RunError`."""
    path = main_file(folder, name)
    if path is None:
        raise RunError(f"{folder}: holds no prior file {name!r}")
    try:
        read = layers.read(path, settings)
        return Ingredient(f"{before}{name}", read, loading.check(read), heard)
    except InputError as error:
        raise RunError(f"{folder}: its prior files do not load in simulate {__version__}\n{error}") from error


def main_file(folder: Path, name: str) -> Path | None:
    """Return the main file of a name in a folder of prior files, or None."""
    for stem in (name, MARK.sub("", name)):
        found = [path for path in folder.glob("*") if path.stem == stem and path.is_file()]
        if found:
            return min(found, key=lambda path: (path.suffix == ".toml", path.name))
    return None
