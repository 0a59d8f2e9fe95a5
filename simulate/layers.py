"""The layers of a prior file: its text, the files it ``extends``, and what ``--set`` changes.

The one module that reads prior files from disk. What comes out is plain TOML content, merged, with
the texts it was merged from, so that a run can keep exactly what it used.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from simulate.characters import CONTROL, shown
from simulate.elicitation import RANGE, SINGLE
from simulate.errors import Fault, InputError

LARGEST_FILE = 1_000_000
DEEPEST_NESTING = 12
KEY = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
DOTTED = re.compile(rf"(?<![\w-]){KEY}(?:[ \t]*+\.[ \t]*+{KEY}){{40}}")
"""More keys joined by dots than tables can lie in one another."""
LONGEST_CHAIN = 8
MOST_VALUES = 20_000
"""Numbers, texts, lists and tables in a file; what is checked in pairs would take hours of more."""
WORDS = frozenset({"label", "chip", "part_of", "exists", "note", "sources"})
"""Keys of the tables that hold numbers which are no numbers themselves."""
REGISTER = "claims"
"""Name of the register of published claims, which lies beside the prior files and is none."""
REFERENCE = "reference"
"""Folder of the tables of disclosed cases, beside the prior files."""
STARTER = Path(__file__).parent / "starter.toml"
SHIPPED = Path(__file__).parent / "shipped"
IN_REPOSITORY = Path(__file__).parent.parent / "priors"


@dataclass(frozen=True)
class Layers:
    """A prior file read and merged: content, the files by name, and each file's own content."""

    path: Path
    content: dict[str, Any]
    texts: dict[str, str]
    """Text of each file, by the path from the folder of the main one that leads to it; bases first."""
    own: dict[str, dict[str, Any]]
    """Content of each file before merging, by the same names."""
    settings: tuple[str, ...] = ()
    """The ``PATH=EXPR`` overrides, as given."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Text of each table of disclosed cases that an entry refers to, by its name."""


def shipped_folder() -> Path:
    """Return the folder of the prior files that come with the package."""
    return SHIPPED if SHIPPED.is_dir() else IN_REPOSITORY


def find(name: str | Path) -> Path:
    """Return the prior file that ``name`` means: a path, or the name of a file in ``priors/`` or shipped.

    A file that is not here but in ``priors/``, where `write_starter` puts it, is meant too. Raises `InputError` when
    there is none.
    """
    given = Path(name)
    if given.suffix == ".toml" and len(given.parts) == 1 and not is_file(given) and is_file("priors" / given):
        return "priors" / given
    if given.suffix == ".toml" or len(given.parts) != 1 or is_file(given):
        return given
    for folder in (Path("priors"), shipped_folder()):
        if is_file(folder / f"{name}.toml"):
            return folder / f"{name}.toml"
    known = ", ".join(sorted(path.stem for path in shipped_folder().glob("*.toml")))
    raise InputError(str(name)[:60], [Fault(str(name)[:60], "no such prior file", f"give a path, or one of {known}")])


def is_known(name: str | Path) -> bool:
    """Whether there is a prior file that ``name`` means."""
    try:
        return is_file(find(name))
    except InputError:
        return False


def is_file(path: Path) -> bool:
    """Whether there is a file at a path; no, when the path cannot even be one."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_register(path: Path) -> bool:
    """Whether a file is a register of claims and no prior file."""
    faults: list[Fault] = []
    text = read_text(path, "", faults)
    return "register" in text and "register" in parse(text, "", faults)


def write_starter(name: str) -> Path:
    """Write a commented prior file to start from, in ``priors/`` where there is such a folder; return its path.

    Raises `InputError` when the name will not do or is taken.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise InputError(name[:60], [Fault("NAME", "not a file's name", "use letters, digits, dots, - and _")])
    folder = Path("priors") if Path("priors").is_dir() else Path()
    path = folder / f"{name.removesuffix('.toml')}.toml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(STARTER.read_text(encoding="utf-8"))
    except FileExistsError:
        raise InputError(path, [Fault("file", "exists already", "choose another name")]) from None
    except OSError as error:
        raise InputError(
            path, [Fault("file", f"cannot be written: {error.strerror}", "choose another folder")]
        ) from None
    return path


def read(path: Path, settings: Sequence[str] = ()) -> Layers:
    """Return the merged layers of the prior file at ``path`` with ``settings`` (``PATH=EXPR``) applied.

    Raises `InputError` with every fault that keeps the content from being known.
    """
    gathering = Gathering(path.parent)
    content = gathering.merged(path)
    if "register" in content and "schema" not in content:
        mend = "give it to `simulate audit` as --register"
        gathering.faults.append(Fault("register", "this is a register of claims and no prior file", mend))
    if gathering.faults:
        raise InputError(path, gathering.faults)
    return changed(Layers(path, content, gathering.texts, gathering.own), settings)


def changed(read: Layers, settings: Sequence[str]) -> Layers:
    """Return layers with ``settings`` (``PATH=EXPR``) applied, and with the tables that they then refer to.

    A table that was read before is not read again. Raises `InputError` with every fault of the settings.
    """
    content, faults = read.content, list[Fault]()
    for setting in settings:
        content = override(content, setting, faults)
    content = of_their_years(content, read.content)
    faults += [Fault(where, "holds a control character", "remove it") for where in control_characters(content)]
    faults += [] if is_a_name(read.path.stem) else [Fault("file", "its name cannot be that of its runs", "rename it")]
    references = dict(reference_tables(read.path.parent, content, faults, read.references))
    if faults:
        raise InputError(read.path, faults)
    texts = read.texts | {f"{REFERENCE}/{name}.csv": text for name, text in references.items()}
    return replace(read, content=content, texts=texts, settings=(*read.settings, *settings), references=references)


def of_their_years(content: dict[str, Any], before: Mapping[str, Any], own: Mapping[str, Any] = {}) -> dict[str, Any]:
    """Return content in which claims count the years that they did ``before``, when the horizon was another number.

    A figure for four years stays one, whatever horizon a cost is asked over. Claims that are given or changed in the
    ``own`` content of the file that has the new horizon are of that.
    """
    horizon, claims = value_at(before, ["scope", "horizon"]), value_at(content, ["evidence"])
    years = None if horizon in (None, value_at(content, ["scope", "horizon"])) else fixed_years(horizon)
    if years is None or not isinstance(claims, Mapping):
        return content
    from simulate import ledger

    def counted(name: str, item: Any) -> Any:
        quantity = item.get("quantity") if isinstance(item, Mapping) else None
        is_over_years = isinstance(quantity, str) and ledger.HORIZON in ledger.depends_on(quantity)
        is_own = isinstance(own.get("evidence"), Mapping) and name in own["evidence"]
        return item if not is_over_years or is_own or "years" in item else {**item, "years": years}

    return {**content, "evidence": {name: counted(name, item) for name, item in claims.items()}}


def fixed_years(horizon: Any) -> float | None:
    """Return a horizon as a file gives it in years, or None where that is no fixed number."""
    from simulate.elicitation import FaultsFound, elicit
    from simulate.schema import HORIZON

    table = horizon if isinstance(horizon, Mapping) else {"text" if isinstance(horizon, str) else "value": horizon}
    try:
        return elicit({**table, "note": "of the file"}, HORIZON).value
    except FaultsFound:
        return None


def is_a_name(stem: str) -> bool:
    """Whether runs can be kept below a name: no dots alone, which lead elsewhere, and all can be printed."""
    return bool(stem.strip(". ")) and stem.isprintable() and not CONTROL.search(stem)


def reference_tables(
    folder: Path, content: Mapping[str, Any], faults: list[Fault], texts: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield name and text of each table that content refers to: of ``texts``, beside the prior file, or shipped."""
    for name, where in {name: where for where, name in referred(content)}.items():
        if name in texts:
            yield name, texts[name]
            continue
        found = find_table(name, folder) if re.fullmatch(r"[\w-]+", name) else None
        if found is None:
            known = sorted(path.stem for path in (shipped_folder() / REFERENCE).glob("*.csv"))
            faults.append(Fault(where, f"no table {name[:40]!r}", f"there are {', '.join(known)}"))
        else:
            yield name, read_text(found, f"{REFERENCE}/{name}.csv: ", faults)


def find_table(name: str, folder: Path = Path("priors")) -> Path | None:
    """Return the table of disclosed cases of that name, in a folder of prior files or shipped, or None."""
    places = (place / REFERENCE / f"{name}.csv" for place in (folder, shipped_folder()))
    return next((place for place in places if is_file(place)), None)


def text_of(path: Path) -> str:
    """Return the text of a file that stands for itself; raises `InputError` when it cannot be had."""
    faults: list[Fault] = []
    text = read_text(path, "", faults)
    if faults:
        raise InputError(path, faults)
    return text


def referred(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, name) of every table that content refers to."""
    for key, value in node.items() if isinstance(node, Mapping) else ():
        here = f"{path}.{key}" if path else str(key)
        if key == "reference" and isinstance(value, str):
            yield here, value
        else:
            yield from referred(value, here)


class Gathering:
    """Reads a file and what it extends; each base once, none from outside the folder of the main file.

    A base that is not there is read from where the shipped files are, as if it lay beside or below the main file.
    """

    def __init__(self, root: Path) -> None:
        self.folder = Path(os.path.abspath(root))
        self.root = root.resolve()
        self.texts: dict[str, str] = {}
        self.own: dict[str, dict[str, Any]] = {}
        self.faults: list[Fault] = []

    def merged(self, path: Path, chain: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the content of ``path`` over that of the files it extends; ``chain`` led here."""
        name = path.resolve().relative_to(self.root).as_posix() if chain else path.name
        before = f"{name}: " if chain else ""
        text = read_text(self.lying(path) if chain else path, before, self.faults)
        content = parse(text, before, self.faults)
        merged: dict[str, Any] = {}
        bases = content.get("extends", [])
        for position, base in enumerate(bases if isinstance(bases, list) else []):
            where = f"{before}extends[{position}]"
            target = self.base(base, path, where)
            known = "" if target is None else target.resolve().relative_to(self.root).as_posix()
            if target is None:
                continue
            if known in self.own:
                self.texts.setdefault(self.reached(target), read_text(self.lying(target), f"{where}: ", self.faults))
            elif known in (*chain, name):
                self.faults.append(Fault(where, f"{base!r} extends itself in a circle", "break the circle"))
            elif len(chain) >= LONGEST_CHAIN:
                self.faults.append(Fault(where, f"a chain of more than {LONGEST_CHAIN} files", "flatten it"))
            else:
                merged = merge(merged, without_heading(self.merged(target, (*chain, name))))
        self.texts[self.reached(path)], self.own[name] = text, content
        return of_their_years(merge(merged, content), merged, content)

    def reached(self, path: Path) -> str:
        """Return where a copy of a file must lie for the other copies to find it, be it a link here or not."""
        here = Path(os.path.abspath(path))
        found = (
            here.relative_to(self.folder) if here.is_relative_to(self.folder) else path.resolve().relative_to(self.root)
        )
        return found.as_posix()

    def lying(self, path: Path) -> Path:
        """Return where a file is read: at its path or, where none is there, at the same path among the shipped ones."""
        shipped = shipped_folder() / self.reached(path)
        return shipped if not is_file(path) and is_file(shipped) else path

    def base(self, base: Any, path: Path, where: str) -> Path | None:
        """Return the file that an ``extends`` entry names, or None after a fault."""
        if not isinstance(base, str) or not base.endswith(".toml"):
            self.faults.append(Fault(where, f"{str(base)[:60]!r} is not a .toml file", 'write "common/hosting.toml"'))
            return None
        target = Path(os.path.normpath(path.parent / base))
        try:
            inside = target.resolve().is_relative_to(self.root)
            exists = inside and self.lying(target).is_file()
        except (OSError, ValueError, RuntimeError):
            inside, exists = True, False
        if not inside:
            self.faults.append(
                Fault(where, f"{base!r} leaves the folder of the prior file", "keep bases beside or below it")
            )
        elif not exists:
            mend = "the path is relative to the file that extends, or that of a shipped one: common/hosting.toml"
            self.faults.append(Fault(where, f"no such file {base!r}", mend))
        return target if inside and exists else None


def read_text(path: Path, before: str, faults: list[Fault]) -> str:
    """Return the text of a file; a fault and empty text when it cannot be had."""
    where = f"{before}file"
    try:
        if not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):  # a pipe may never say a word
            faults.append(Fault(where, "is no regular file", "give a file of text"))
            return ""
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            faults.append(Fault(where, f"larger than {LARGEST_FILE:,} bytes", "such a file is a few kilobytes of text"))
            return ""
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        faults.append(Fault(where, "is not UTF-8 text", "save it as UTF-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        faults.append(Fault(where, f"cannot be read: {reason.lower()}", "check the path"))
    return ""


def parse(text: str, before: str, faults: list[Fault]) -> dict[str, Any]:
    """Return TOML content; a fault and nothing when it is malformed or nested beyond reason."""
    if DOTTED.search(text):  # of which the parser's time grows with the square
        faults.append(Fault(f"{before}TOML", "nested too deeply", "no section is deeper than four tables"))
        return {}
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        faults.append(Fault(f"{before}TOML", str(error)[:200].lower(), "mend the syntax there"))
    except RecursionError:
        faults.append(Fault(f"{before}TOML", "nested too deeply", "no section is deeper than four tables"))
    else:
        if fault := shape_fault(content, f"{before}TOML"):
            faults.append(fault)
        else:
            return content
    return {}


def shape_fault(content: Mapping[str, Any], where: str) -> Fault | None:
    """Return what is wrong with content of any meaning: that it is nested too deeply, or holds too much."""
    if depth(content) > DEEPEST_NESTING:
        return Fault(where, "nested too deeply", "no section is deeper than four tables")
    if (number := values_in(content)) > MOST_VALUES:
        return Fault(where, f"holds {number:,} values", f"at most {MOST_VALUES:,}: such a file has a few hundred")
    return None


def values_in(node: Any) -> int:
    """Return how many values lie in tables and lists, themselves counted."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return sum(1 + values_in(child) for child in children)


def depth(content: Any) -> int:
    """Return how many tables and lists lie inside one another."""
    level, layer = 0, [content]
    while layer and level <= DEEPEST_NESTING:
        level += 1
        layer = [
            child
            for node in layer
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
    return level


def without_heading(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a base's content less what only speaks of the base itself."""
    return {key: value for key, value in content.items() if key not in ("title", "note", "extends")}


def merge(base: Mapping[str, Any], over: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return ``base`` with ``over`` laid on it: sections merge, an entry replaces an entry whole."""
    merged = dict(base)
    for key, value in over.items():
        below, here = merged.get(key), (*path, key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        if both and not (is_entry(here) or is_claim(here) or key == "exists"):
            merged[key] = merge(cast("Mapping[str, Any]", below), value, here)
        else:
            merged[key] = value
    return merged


def is_entry(keys: Sequence[str]) -> bool:
    """Whether a number of the file stands at a path, by the section it is in."""
    depth = 2 if keys[0] in ("scope", "hosting", "research") else 3
    sections = ("scope", "hosting", "research", "chips", "fleet", "runs", "staff", "other")
    if keys[0] in ("sources", "currencies"):
        return len(keys) == depth and keys[-1] in ("bias", "usd")
    return len(keys) == depth and keys[0] in sections and keys[-1] not in WORDS


def is_claim(keys: Sequence[str]) -> bool:
    return len(keys) == 2 and keys[0] in ("evidence", "correlations")


def override(content: Mapping[str, Any], setting: str, faults: list[Fault]) -> dict[str, Any]:
    """Return ``content`` with one ``PATH=EXPR`` applied; the unit of what it replaces is kept."""
    text, _, expression = setting.partition("=")
    keys = key_path(text)
    if not keys or not expression.strip():
        faults.append(Fault(f"--set {setting[:60]}", "is not PATH=EXPR", "write fleet.h100.count='5000 to 15000'"))
        return dict(content)
    if keys[0] in ("schema", "extends"):
        faults.append(Fault(f"--set {setting[:60]}", f"{keys[0]} cannot be set", "edit the file"))
        return dict(content)
    new = replacement(keys, value_at(content, keys), parse_expression(expression), setting)
    if depth([new]) > DEEPEST_NESTING:
        faults.append(Fault(f"--set {setting[:60]}", "nested too deeply", "write a number, an interval or one table"))
        return dict(content)
    return put(content, keys, new, faults, setting)


def key_path(text: str) -> list[str]:
    """Return the keys of a dotted TOML path, or nothing when it is none.

    >>> key_path('runs."a.b".mfu')
    ['runs', 'a.b', 'mfu']
    """
    try:
        node: Any = tomllib.loads(f"{text.strip()} = 0") if text.strip() and "\n" not in text else 0
    except (ValueError, RecursionError):
        return []
    keys = []
    while isinstance(node, dict) and len(node) == 1:
        key, node = next(iter(node.items()))
        keys.append(key)
    return keys


def parse_expression(expression: str) -> Any:
    """Return the TOML value of an expression, or its text: ``5000 to 15000`` needs no quotes."""
    try:
        return tomllib.loads(f"x = {expression.strip()}")["x"] if "\n" not in expression else expression
    except (ValueError, RecursionError):
        return expression.strip()


def value_at(content: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """Return what stands at a path, or None."""
    node: Any = content
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def replacement(keys: Sequence[str], before: Any, new: Any, setting: str) -> Any:
    """Return what a setting puts in the place of ``before``: an entry stays an entry, with its unit."""
    note = {"note": f"set by hand: {setting}"}
    if keys[-1] == "exists" and len(keys) == 3:
        return (
            {**note, **new}
            if isinstance(new, Mapping)
            else new
            if isinstance(new, bool)
            else {"probability": new, **note}
        )
    if not is_entry(keys):
        return new
    written = isinstance(before, str) and (RANGE.match(before) or SINGLE.match(before))
    unit_before = written["unit"] if written else before.get("unit") if isinstance(before, Mapping) else None
    unit = {"unit": unit_before} if unit_before else {}
    if isinstance(new, Mapping):
        return {**unit, **note, **new}
    if not isinstance(new, str):
        return {"interval" if isinstance(new, list) else "value": new, **unit, **note}
    own_unit = any((match := pattern.match(new)) and match["unit"] for pattern in (RANGE, SINGLE))
    return {"text": new, **({} if own_unit else unit), **note}


def put(
    content: Mapping[str, Any], keys: Sequence[str], value: Any, faults: list[Fault], setting: str
) -> dict[str, Any]:
    """Return ``content`` with ``value`` at the path, whose parent must exist or be a section."""
    key, rest = keys[0], keys[1:]
    if not rest:
        return {**content, key: value}
    below = content.get(key, {})
    if not isinstance(below, Mapping):
        faults.append(Fault(f"--set {setting[:60]}", f"{key} is no table", "name a path of the file"))
        return dict(content)
    return {**content, key: put(below, rest, value, faults, setting)}


def control_characters(node: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of texts and keys that could act on a terminal."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if CONTROL.search(key):
                yield f"{path}.{shown(key)}".lstrip(".")
            yield from control_characters(value, f"{path}.{shown(key)}".lstrip("."))
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from control_characters(value, f"{path}[{position}]")
    elif isinstance(node, str) and CONTROL.search(node):
        yield path
