"""Run folders: written whole or not at all, never overwritten, verified when they are read.

A run is built in a hidden folder beside its place and renamed as the last step, so that whatever
happens there is either a complete run or none::

    results/<prior file>/<UTC stamp>-<digest>/
        manifest.json   versions, seed, settings, digest, verdict, timings, checksums of all the rest
        priors/         the exact prior files
        posterior.nc    an ArviZ DataTree
        summary.csv     every variable at full precision
        summary.md      the tables a reader sees
        figures/        PNG and SVG, each with its caption
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import datetime
import errno
import fcntl
import hashlib
import io
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate.errors import DamagedRunError, RunError

if TYPE_CHECKING:
    import xarray as xr

MANIFEST = "manifest.json"
POSTERIOR = "posterior.nc"
SUMMARY = "summary.csv"
REPORT = "summary.md"
FIGURES = "figures"
PRIORS = "priors"
FORMAT = 1
"""Of a run folder; another one is another number."""
UNFINISHED = ".unfinished-"
ABANDONED = 86_400.0
"""Seconds after which an unfinished run that no process holds is nobody's."""
LARGEST_MANIFEST = 100_000_000
"""Bytes; a manifest has some tens of thousands."""


@dataclass(frozen=True)
class Run:
    """A complete run on disk, whose files were those of its manifest when it was opened."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def converged(self) -> bool:
        return bool(self.manifest["verdict"]["converged"])

    def tree(self, *groups: str) -> xr.DataTree:
        """Return the draws as an ArviZ DataTree, read lazily: all groups, or the named ones alone, which is faster.

        Raises `DamagedRunError` where they are no draws.
        """
        import xarray as xr

        # not by whatever is installed besides: what wrote them reads them
        path, engine = self.folder / POSTERIOR, "h5netcdf"
        try:
            if not groups:
                return xr.open_datatree(path, engine=engine)
            return xr.DataTree.from_dict({name: xr.open_dataset(path, group=name, engine=engine) for name in groups})
        except (OSError, ValueError, KeyError) as error:
            raise DamagedRunError(self.folder, [f"{POSTERIOR}: cannot be read as draws"]) from error

    def summary(self) -> list[dict[str, str]]:
        """Return the rows of ``summary.csv``."""
        with (self.folder / SUMMARY).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def report(self) -> str:
        """Return the text of ``summary.md``."""
        return (self.folder / REPORT).read_text(encoding="utf-8")


def stamp(now: datetime.datetime) -> str:
    """Return a UTC time as it stands in a folder's name, sortable, to the millisecond."""
    return now.strftime("%Y%m%dT%H%M%S.") + f"{now.microsecond // 1000:03d}Z"


@contextlib.contextmanager
def writing(out: Path, name: str, digest: str) -> Iterator[Finish]:
    """Give a folder to write a run into (``finish.folder``), and what ends it: ``finish(manifest)``.

    What is no run has no manifest, and is ended by ``finish.move()``. Whatever was written is removed when
    the block ends unfinished. Raises `RunError` where the disk refuses.
    """
    parent = out / name
    with disk(parent):
        parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(parent)
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=parent))
        folder.chmod(0o755)
    try:
        with held(folder):
            yield Finish(folder, parent, digest)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(parent: Path) -> None:
    """Remove what runs that were killed more than a day ago left; not one at work, whatever the clock says."""
    for folder in parent.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):  # another process may be removing it
            if time.time() - folder.stat().st_mtime > ABANDONED:
                with held(folder) as is_ours:
                    if is_ours:
                        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Hold a folder for as long as this process works in it or lives; give whether no other process holds it.

    On a file system that knows no locks every folder is free, and the age of a folder alone decides.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        free = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        except OSError:
            pass
        yield free
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Finish:
    """Finishes a folder: gives a run its manifest, and moves whatever it is to its place."""

    folder: Path
    parent: Path
    digest: str

    def __call__(self, manifest: Mapping[str, Any]) -> Run:
        """Return the run, at a name of its own that did not exist before."""
        with disk(self.parent):
            complete = signed({**manifest, "files": checksums(self.folder)})
            write_text(self.folder / MANIFEST, json.dumps(complete, indent=2) + "\n")
        return Run(self.move(), complete)

    def move(self) -> Path:
        """Move the folder as it is to a name of its own that did not exist before; return its place."""
        with disk(self.parent):
            place = renamed(self.folder, self.parent, self.digest)
            sync(self.parent)
            return place


def renamed(folder: Path, parent: Path, digest: str) -> Path:
    """Give a folder the first free name from now on, and return it; the clock may stand still, or have gone back."""
    moment = datetime.datetime.now(datetime.UTC)
    while True:
        place = parent / f"{stamp(moment)}-{digest[:8]}"
        try:
            if not place.exists():
                folder.rename(place)
                return place
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # that of a run which came first
                raise
        moment += datetime.timedelta(milliseconds=1)


@contextlib.contextmanager
def disk(place: Path, mend: str = "choose another place with --out") -> Iterator[None]:
    """Turn what a disk refuses into an error a user understands."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        free = "free space, or " if error.errno == errno.ENOSPC else ""
        raise RunError(f"{place}: cannot write: {reason}; {free}{mend}") from error


@contextlib.contextmanager
def present(folder: Path) -> Iterator[None]:
    """Have a folder there to write into; of what had to be made for it nothing empty is left."""
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for place in new:
            with contextlib.suppress(OSError):  # what came to hold something stays
                place.rmdir()


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: Any) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Make a rename last through a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_priors(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the prior files as they were read, main one and bases, under ``priors/``."""
    for name, text in texts.items():
        path = folder / PRIORS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)


def write_tree(folder: Path, tree: xr.DataTree) -> None:
    """Write the draws as NetCDF, made in memory: the HDF5 library does not survive a disk that fills up.

    By h5netcdf, though the NetCDF library itself takes a fifth of the time: what it writes in memory makes it crash
    later, when it has some files open.
    """
    write_bytes(folder / POSTERIOR, tree.to_netcdf(engine="h5netcdf"))


def write_summary(folder: Path, rows: Iterable[Any]) -> None:
    """Write the summary rows (dataclasses) as CSV at full precision."""
    table = [dataclasses.asdict(row) for row in rows]
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, fieldnames=list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write_text(folder / SUMMARY, file.getvalue())


def write_report(folder: Path, text: str) -> None:
    write_text(folder / REPORT, text)


def add_page(folder: Path, name: str, text: str) -> Path:
    """Write a page beside a run's own files, whole or not at all, and return its path; an older one is replaced."""
    return add_file(folder / name, text.encode(), "make the run's folder writable")


def add_file(path: Path, content: bytes, mend: str) -> Path:
    """Write a file, whole or not at all, and return its path; an older one is replaced.

    Raises `RunError` where the disk refuses, with what would mend it.
    """
    with disk(path, mend):
        unfinished = path.with_name(f"{UNFINISHED}{path.name}-{os.getpid()}")
        try:
            write_bytes(unfinished, content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its path there, the manifest left out."""
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files(folder)}


def files(folder: Path) -> list[Path]:
    """Return every file below a folder, the manifest left out."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)


def signed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest with the SHA-256 of its own canonical JSON, under ``checksum``."""
    content = {key: value for key, value in manifest.items() if key != "checksum"}
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return {**content, "checksum": hashlib.sha256(canonical.encode()).hexdigest()}


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(folder: Path) -> Run:
    """Return the run in ``folder``, verified against its manifest.

    Raises `RunError` when there is no run, `DamagedRunError` when a file is missing or altered. Files
    that were added later, such as figures, are no damage.
    """
    manifest = read_manifest(folder)
    expected = manifest["files"]
    if problems := [f"{name}: {found}" for name in expected if (found := problem(folder / name, expected[name]))]:
        raise DamagedRunError(folder, problems)
    return Run(folder, manifest)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest in ``folder``, checked against its own checksum.

    Raises `RunError` when there is none, `DamagedRunError` when it is none of a run or altered.
    """
    path = folder / MANIFEST
    try:
        if not path.is_file():
            raise RunError(f"{folder}: no run here (no {MANIFEST}); `simulate list` shows the runs there are")
        if path.stat().st_size > LARGEST_MANIFEST:
            raise DamagedRunError(folder, [f"{MANIFEST}: larger than {LARGEST_MANIFEST:,} bytes"])
        manifest = json.loads(path.read_text(encoding="utf-8"))
        whole = signed(manifest)["checksum"] == manifest["checksum"]
        within = all(isinstance(sum_, str) and is_below(name) for name, sum_ in manifest["files"].items())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DamagedRunError(folder, [f"{MANIFEST}: cannot be read: {reason}"]) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedRunError(folder, [f"{MANIFEST}: not a manifest ({type(error).__name__})"]) from error
    if not whole:
        raise DamagedRunError(folder, [f"{MANIFEST}: altered since it was written"])
    if not within:
        raise DamagedRunError(folder, [f"{MANIFEST}: lists files that are not in the run's folder"])
    return dict(manifest)


def is_below(name: str) -> bool:
    """Whether a path from a folder stays in it."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


def problem(file: Path, checksum: str) -> str:
    """Return what is wrong with a file of a run; empty when it is what it was."""
    try:
        if not file.is_file():
            return "missing"
        return "" if sha256(file) == checksum else "altered since it was written"
    except OSError as error:
        return f"cannot be read: {(error.strerror or str(error)).lower()}"


def runs(out: Path) -> list[Path]:
    """Return the folders of complete runs below ``out``, oldest first within each prior file."""
    return sorted(path.parent for path in out.glob(f"*/*/{MANIFEST}") if not path.parent.name.startswith("."))


def find(run: str, out: Path, *, what: str = "run") -> Path:
    """Return the folder that a user means by ``run``.

    That is a folder, a prior file's name (its latest run), a part of a run's name, or the pointer of a citation,
    ``lab/20260101T…``, whose end may be left off.

    Raises `RunError` when nothing or more than one run matches; ``what`` is what there might have been.
    """
    with contextlib.suppress(OSError, ValueError):  # what cannot even be a path is none of a run
        if Path(run).is_dir() and (Path(run) / MANIFEST).exists():
            return Path(run)
    known = runs(out)
    of_file = [folder for folder in known if folder.parent.name == run]
    matching = of_file[-1:] or [folder for folder in known if run and is_part(run, folder)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise RunError(
            f"{run}: {len(matching)} runs match; give more of the name:\n" + "\n".join(f"  {f}" for f in matching)
        )
    name = " ".join(run.split())[:60] or "''"
    raise RunError(f"{name}: no such {what} in {out}; `simulate list` shows what there is")


def is_part(text: str, folder: Path) -> bool:
    """Whether text is a part of a run's name, or the beginning of its pointer where it names the prior file too."""
    return f"{folder.parent.name}/{folder.name}".startswith(text) if "/" in text else text in folder.name


def remark(given: str, run: Run, out: Path) -> str:
    """Return what is to be said where the name of a prior file means its latest run, and that is no plain one.

    A plain run changed nothing of its file by ``--set``, has heard all of its evidence, and has converged; whether the
    file is another by now is not looked at. Empty for any other name of a run, and for a plain one.
    """
    unlike = peculiarities(run.manifest)
    if given != run.folder.parent.name or Path(given) == run.folder or not unlike:
        return ""
    plain = next((folder for folder in reversed(runs(out)) if folder.parent.name == given and is_plain(folder)), None)
    other = f"; the latest without that is {plain.name}" if plain else ""
    return f"{given}: its latest run, {', '.join(unlike)}{other}"


def is_plain(folder: Path) -> bool:
    """Whether there is a plain run in a folder, in the sense of `remark`."""
    try:
        return not peculiarities(read_manifest(folder))
    except RunError:
        return False


def peculiarities(manifest: Mapping[str, Any]) -> list[str]:
    """Return what makes a run another than its prior file stands for."""
    settings = manifest["settings"]
    return [
        *([f"made with {', '.join(settings)}"] if settings else []),
        *(["without its evidence"] if manifest["sampling"]["prior_only"] and manifest["sampling"]["evidence"] else []),
        *([] if manifest["verdict"]["converged"] else ["which has not converged"]),
    ]
