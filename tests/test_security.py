"""Nothing from a file or a run is executed, fetched or acted on: not by us, a terminal, or what shows our pages."""

from __future__ import annotations

import ast
import json
import shutil
import socket
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import CLAIM, FULL, MINIMAL

import simulate
from simulate import characters, cli, loading, pipeline, report, results
from simulate.inference import Settings

SOURCES = sorted(Path(simulate.__file__).parent.rglob("*.py"))
FORBIDDEN_MODULES = {
    "pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "subprocess", "socket",
    "urllib.request", "http.client", "requests", "httpx", "ftplib", "ctypes", "runpy", "code", "webbrowser", "xmlrpc",
}  # fmt: skip
ADMITTED = {"playback": {"ctypes"}, "serving": {"socket"}, "exploring": {"socket", "webbrowser"}}
"""By module: pointers to its own arrays, for code that it compiled itself; a socket that listens, here unless told
otherwise, and asks nobody; the reader's browser, for the address of that socket and no other."""
DOORS = {"cli": {"say", "write"}, "__main__": {"main"}}
"""By module, the functions that print; the last prints words of ours alone, as do blocks for a module run by itself."""
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "input", "breakpoint"}
FORBIDDEN_METHODS = {"os.system", "os.popen", "os.execv", "os.execvp", "os.spawnv", "pd.read_pickle", "np.memmap"}
MARKUP = "<script>alert(1)</script> <img src=x onerror=alert(1)> [a](javascript:alert(1)) **b** `c` | d &lt;e&gt; $x^2$"
HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\u202egnp.exe\x9b31m\u2066"


def imported(tree: ast.AST) -> set[str]:
    """Return the dotted names of all that a module imports, and of what they lie in."""
    names = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{name.name}" for name in node.names]
    return {".".join(name.split(".")[:length]) for name in names for length in range(1, name.count(".") + 2)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_module_can_execute_or_fetch_what_it_reads(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not imported(tree) & FORBIDDEN_MODULES - ADMITTED.get(path.stem, set())
    assert not {call.id for call in called if isinstance(call, ast.Name)} & FORBIDDEN_CALLS
    assert not {ast.unparse(call) for call in called} & FORBIDDEN_METHODS
    assert not [
        word for node in ast.walk(tree) if isinstance(node, ast.keyword) and (word := node.arg) == "allow_pickle"
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_all_that_is_printed_goes_by_the_one_door(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    doors = DOORS.get(path.stem, set())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in doors]
    blocks = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)]
    allowed = {id(call) for part in (*functions, *blocks) for call in ast.walk(part)}
    printing = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_printing(node.func)]
    assert [node.lineno for node in printing if id(node) not in allowed] == []


def is_printing(function: ast.expr) -> bool:
    return ast.unparse(function) in ("print", "click.echo", "click.secho", "click.echo_via_pager", "sys.stdout.write")


# ---------------------------------------------------------------------------------------------
# The network


@pytest.mark.sampling
def test_a_file_with_addresses_is_run_and_shown_without_a_connection(tmp_path, monkeypatch):
    def refuse(*given: object, **more: object) -> None:
        raise AssertionError("a connection was asked for")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    text = FULL.replace('title = "A paper"', 'title = "A paper"\nurl = "http://127.0.0.1:9/x"')
    (tmp_path / "prior.toml").write_text(text)
    out = ["--out", str(tmp_path / "results")]
    done = CliRunner().invoke(cli.main, ["run", "--priors", str(tmp_path / "prior.toml"), "--prior-only", *out])
    assert done.exit_code == 0, done.output
    assert CliRunner().invoke(cli.main, ["show", "prior", *out]).exit_code == 0


# ---------------------------------------------------------------------------------------------
# Terminals


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> results.Run:
    folder = tmp_path_factory.mktemp("made")
    (folder / "prior.toml").write_text(MINIMAL + CLAIM.replace('"USD"\n', '"USD"\nused = false\n'))
    return pipeline.run(loading.load(folder / "prior.toml"), Settings(50), out=folder / "results", figures=())


def poisoned(node: Any, keys: tuple[str, ...] = ()) -> Any:
    """Return a manifest with what acts on a terminal behind every text in it that does not decide anything."""
    if isinstance(node, dict):
        return {key: value if key in FIXED else poisoned(value, (*keys, key)) for key, value in node.items()}
    if isinstance(node, list):
        return [poisoned(value, keys) for value in node]
    return f"{node}{HOSTILE}" if isinstance(node, str) else node


FIXED = ("files", "digest", "created", "unit", "kind", "group", "method", "format", "name", "settings", "versions")


@pytest.mark.sampling
@pytest.mark.parametrize(
    "verb",
    [
        ("show",),
        ("verify",),
        ("reproduce",),
        ("sensitivity", "--no-refits", "--no-figure"),
        ("audit",),
        ("cite", "--style", "full"),
        ("query", "final_run", "P(final_run > 5M)"),
        ("report",),
    ],
)
def test_text_of_a_foreign_run_cannot_act_on_the_terminal(made, tmp_path, monkeypatch, verb):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "prior" / f"20250101T000000.000Z-{made.manifest['digest'][:8]}"
    shutil.copytree(made.folder, folder)
    results.write_text(folder / "manifest.json", json.dumps(results.signed(poisoned(made.manifest))))
    done = CliRunner().invoke(cli.main, [verb[0], str(folder), *verb[1:], "--out", str(tmp_path / "results")])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.output
    assert not characters.CONTROL.search(done.output)


def test_a_title_in_a_list_and_a_name_in_an_error_cannot_act_on_the_terminal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("priors").mkdir()
    Path("priors/lab.toml").write_text('title = "a\\u001b[31mb\\u202e"\n')
    listed, told = (CliRunner().invoke(cli.main, verb) for verb in (["list"], ["check", f"{HOSTILE}.toml"]))
    assert "a?[31mb?" in listed.stdout
    assert "error: ?[2J" in told.stderr
    assert not characters.CONTROL.search(listed.output + told.output)


def test_a_label_of_two_lines_cannot_pass_for_a_line_of_ours():
    assert report.table([["claim"], ["x\nconverged: R-hat 1.00"]]).splitlines()[-1] == "x converged: R-hat 1.00"


# ---------------------------------------------------------------------------------------------
# Pages and figures


@pytest.mark.sampling
def test_text_of_a_file_cannot_inject_markup_into_its_pages_and_figures(tmp_path):
    from markdown_it import MarkdownIt

    text = MINIMAL.replace("One run at a rental rate", MARKUP).replace(
        "[chips.h800]", f"[chips.h800]\nlabel = '{MARKUP}'"
    )
    text += CLAIM.replace('note = "made', 'used = false\nsource = "s"\nnote = "made')
    (tmp_path / "prior.toml").write_text(f"{text}\n[sources.s]\ntitle = '{MARKUP}'\nknown = 'primary'\n")
    run = pipeline.run(loading.load(tmp_path / "prior.toml"), Settings(50), out=tmp_path / "results")
    page = MarkdownIt("commonmark").enable("table").render(run.report())
    tags = {element.tag for element in ElementTree.fromstring(f"<page>{page}</page>").iter()}
    assert tags <= {"page", "h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert "alert(1)" in page
    for path in (run.folder / "figures").glob("*.svg"):
        assert not {element.tag.rpartition("}")[2] for element in ElementTree.parse(path).iter()} & {
            "script",
            "img",
            "a",
        }


# ---------------------------------------------------------------------------------------------
# Draws


@pytest.mark.sampling
def test_draws_that_hold_a_pickled_object_are_refused_or_do_nothing(made, tmp_path):
    import h5py

    folder, mark = tmp_path / "run", tmp_path / "executed"
    shutil.copytree(made.folder, folder)
    with h5py.File(folder / "posterior.nc", "a") as file:
        raw = f"cos\nsystem\n(S'touch {mark}'\ntR."
        for holder in (file, file["posterior"], file["posterior"]["final_run"]):
            holder.attrs["pickled"] = np.frombuffer(raw.encode(), np.uint8)
            holder.attrs["__reduce__"] = raw
    manifest = {**made.manifest, "files": results.checksums(folder)}
    results.write_text(folder / "manifest.json", json.dumps(results.signed(manifest)))
    for verb in ("show", "plot", "reproduce"):
        done = CliRunner().invoke(cli.main, [verb, str(folder)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert not mark.exists()


@pytest.mark.sampling
@pytest.mark.parametrize("raw", [b"", b"no draws", b"\x89HDF\r\n\x1a\n", b"cos\nsystem\n(S'true'\ntR."])
def test_draws_that_are_none_are_named_though_their_checksum_is_right(made, tmp_path, raw):
    folder = shutil.copytree(made.folder, tmp_path / "run")
    (folder / "posterior.nc").write_bytes(raw)
    manifest = {**made.manifest, "files": results.checksums(folder)}
    results.write_text(folder / "manifest.json", json.dumps(results.signed(manifest)))
    done = CliRunner().invoke(cli.main, ["plot", str(folder)])
    assert (done.exit_code, done.stderr) == (
        1,
        f"error: {folder}: damaged run\n  posterior.nc: cannot be read as draws\n",
    )
