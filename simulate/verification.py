"""Whether runs are as they were written, by the checksums of their manifests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulate import layers, report, results
from simulate.characters import shown
from simulate.errors import DamagedRunError, RunError, SimulateError


@dataclass(frozen=True)
class Finding:
    """A run folder, what is wrong with it, and how many of its files were checked against the manifest.

    ``added`` are files that are there and not in the manifest, such as figures drawn later: no damage.
    """

    folder: Path
    problems: tuple[str, ...] = ()
    checked: int = 0
    added: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        return not self.problems


def verify(folder: Path) -> Finding:
    """Return how the run in a folder compares with its manifest."""
    try:
        run = results.load(folder)
    except DamagedRunError as error:
        return Finding(folder, tuple(error.problems))
    except RunError:
        return Finding(folder, (f"{results.MANIFEST}: missing",))
    listed = set(run.manifest["files"])
    added = sorted({path.relative_to(folder).as_posix() for path in results.files(folder)} - listed)
    return Finding(folder, (), len(listed), tuple(added))


def meant(given: Sequence[str], out: Path) -> list[Path]:
    """Return the folders that several names mean; one that lost its manifest is meant by its path.

    Raises `SimulateError` with everything that means no run.
    """
    found, errors = [], []
    for name in given:
        try:
            found.append(Path(name) if is_remains(Path(name)) else results.find(name, out))
        except SimulateError as error:
            errors.append(str(error))
    if errors:
        raise SimulateError("\n".join(errors))
    return found


def every(out: Path) -> list[Path]:
    """Return the folders of all runs below ``out``, those that lost their manifest among them."""
    places = (path for path in out.glob("*/*") if not path.name.startswith("."))
    return sorted({*results.runs(out), *filter(is_remains, places)})


def is_remains(folder: Path) -> bool:
    """Whether a folder holds what a run is made of, without its manifest."""
    if layers.is_file(folder / results.MANIFEST):
        return False
    return any(layers.is_file(folder / name) for name in (results.POSTERIOR, results.SUMMARY))


# ---------------------------------------------------------------------------------------------
# What is printed


def in_words(findings: Sequence[Finding]) -> Iterator[tuple[str, bool]]:
    """Yield what there is to say of each run, and whether that is an error."""
    for finding in findings:
        damage = DamagedRunError(finding.folder, list(finding.problems))
        text = intact_words(finding) if finding.intact else f"error: {damage}"
        yield shown(text), not finding.intact


def intact_words(finding: Finding) -> str:
    added = f"; added since: {report.named(finding.added)}" if finding.added else ""
    return f"intact: {finding.folder}: {finding.checked} files{added}"


def for_machines(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return what ``simulate verify --json`` prints."""
    return {
        "intact": all(finding.intact for finding in findings),
        "runs": [
            {
                "run": str(finding.folder),
                "intact": finding.intact,
                "problems": list(finding.problems),
                "checked": finding.checked,
                "added": list(finding.added),
            }
            for finding in findings
        ],
    }
