"""What `simulate explore` shows is what `simulate run` of the file it hands over computes, and only its pages ask."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import CLAIM, FULL, MINIMAL, Write
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate import (
    changes,
    changing,
    cli,
    controls,
    exploration,
    exploring,
    inference,
    layers,
    loading,
    pipeline,
    results,
    serving,
)
from simulate.changes import Changes
from simulate.changing import Base
from simulate.errors import InputError, SimulateError
from simulate.inference import Settings
from simulate.interruption import INTERRUPTED
from simulate.pages import explore, writing
from simulate.serving import Place, Shelf

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="="), min_size=1, max_size=40).map(str.strip)
HOSTILE = "</title><script>alert(1)</script>\"' onfocus=alert(1) {{ 7 * 7 }}"


@pytest.fixture
def base(write: Write) -> Base:
    return Base.load(write(FULL))


def content(base: Base, query: str) -> dict[str, Any]:
    return changing.changed(base, changes.read(query)).content


def refused(base: Base, query: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        loading.check(changing.changed(base, changes.read(query)))
    return [fault.path for fault in caught.value.faults]


# ---------------------------------------------------------------------------------------------
# Changes


@given(st.dictionaries(WORDS, WORDS), st.dictionaries(WORDS, st.booleans()))
def test_an_address_holds_exactly_its_changes(entries, claims):
    made = Changes(entries, claims, "3f2a91bc")
    assert changes.read(made.query()) == made


@pytest.mark.parametrize(
    "query",
    ["title=x", "set=fleet.h800.count", f"set=a={'9' * 400}", "&".join(["off=a"] * 2000), "set=%ff=1", "of=1&x[]=2"],
)
def test_what_is_no_change_is_refused(query):
    with pytest.raises(InputError):
        changes.read(query)


@pytest.mark.parametrize("path", ["title", "sources.paper.url", "chips.h800.label", "extends", "fleet", "a b", ""])
def test_only_what_has_a_control_can_be_changed(base, path):
    assert path in refused(base, Changes({path: "1"}).query())


@pytest.mark.parametrize("text", ["", "many", "nan", "inf", "1e400", "5 to", "12k to 8k", "-5", "[1, 2]", "\x1b[31m"])
def test_what_is_no_number_is_refused_at_its_path(base, text):
    [path] = refused(base, Changes({"fleet.h800.count": text}).query())
    assert path.startswith("fleet.h800.count")


@pytest.mark.parametrize("text", ["0", "1", "2", "perhaps", ""])
def test_what_is_no_probability_is_refused_at_its_fact(base, text):
    assert refused(base, Changes({"fleet.h100.exists": text}).query()) == ["fleet.h100.exists"]


# ---------------------------------------------------------------------------------------------
# The changed file


def test_a_file_without_changes_means_what_it_meant(base):
    again = loading.check(changing.changed(base, Changes()))
    assert list(again.entries.values()) == list(base.priors.entries.values())
    assert repr(again.claims) == repr(base.priors.claims)
    assert (again.facts, again.title) == (base.priors.facts, base.priors.title)


def test_a_changed_file_says_so_in_its_title_and_its_note(base):
    found = content(base, "set=fleet.h800.count=5k to 9k&off=capex")
    assert found["title"] == "Every section once (changed by hand)"
    assert "fleet.h800.count = 5k to 9k; capex not heard" in found["note"]
    assert "8,000 to 12,000 GPU (90 %)" in found["fleet"]["h800"]["count"]["note"]


@pytest.mark.parametrize(
    ("entry", "family"),
    [
        ("interval = [8e3, 12e3]", "lognormal"),
        ("interval = [8e3, 12e3], family = 'uniform'", "uniform"),
        ("interval = [8e3, 12e3], family = 'gamma'", "gamma"),
        ("interval = [8e3, 12e3], lower = 2048", "lognormal"),
        ("q05 = 8e3, q50 = 9e3, q95 = 12e3", "three-quantile"),
    ],
)
def test_a_new_interval_keeps_family_and_bounds(write, entry, family):
    base = Base.load(write(FULL.replace("interval = [8e3, 12e3]", entry)))
    made = loading.check(changing.changed(base, Changes({"fleet.h800.count": "4000 to 30k"})))
    before, after = (p.entries["fleet.h800.count"].distribution for p in (base.priors, made))
    assert after.family == family
    assert changing.ends_of(made.entries["fleet.h800.count"]) == pytest.approx((4000, 30_000))
    assert after.support == before.support or family in ("uniform", "three-quantile")


def test_the_median_of_three_quantiles_keeps_its_place_between_them(write):
    base = Base.load(write(FULL.replace("interval = [8e3, 12e3]", "q05 = 1e3, q50 = 2e3, q95 = 8e3")))
    found = content(base, "set=fleet.h800.count=10000 to 80000")["fleet"]["h800"]["count"]
    assert found["q50"] == pytest.approx(20_000)


def test_what_was_fixed_by_hand_is_moved_by_no_claim_and_no_correlation(write):
    claim = CLAIM.replace("final_run", "chips.h800.server_cost").replace("6e6", "3e4").replace('"USD"', '"USD/GPU"')
    base = Base.load(write(FULL + claim))
    made = loading.check(changing.changed(base, Changes({"chips.h800.server_cost": "30000"})))
    assert "claim" not in {claim.name for claim in made.evidence}
    assert (base.priors.correlations.paths, made.correlations.paths) != ((), ())
    assert made.correlations.paths == ()


def test_a_claim_is_switched_off_as_a_setting_switches_it_off(base, load):
    made = loading.check(changing.changed(base, Changes(claims={"capex": False})))
    same = load(FULL, ["evidence.capex.used=false"])
    assert repr((made.claims, made.informed)) == repr((same.claims, same.informed))


def test_stated_hours_that_are_not_heard_leave_the_physics_alone(write):
    stated = 'mfu = { interval = [0.2, 0.5] }\ngpu_hours = { interval = [1e5, 2e5], unit = "GPU-hour" }'
    base = Base.load(write(FULL.replace("mfu = { interval = [0.2, 0.5] }", stated)))
    assert base.hours == {"runs.reasoning.gpu_hours"}
    made = loading.check(changing.changed(base, Changes(claims={"runs.reasoning.gpu_hours": False})))
    assert {claim.name for claim in base.priors.evidence} - {claim.name for claim in made.evidence} == base.hours
    assert made.layout.derived == base.priors.layout.derived


def test_a_claim_that_nobody_made_is_refused(base):
    assert refused(base, "off=nobody") == ["evidence.nobody"]


@pytest.mark.parametrize("name", ["semianalysis", "consensus", "gpt-4", "lambert", "register"])
def test_the_file_handed_over_holds_what_is_on_the_screen(name, tmp_path):
    base = Base.load(layers.find(name))
    [first, *_] = (one for one in controls.numbers(base, Changes()) if len(one.file) == 2)
    made = Changes({first.path: " to ".join(first.file)}, {claim.name: False for claim in base.priors.evidence[:1]})
    shown = changing.changed(base, made)
    text = changing.text(shown, base, made)
    (tmp_path / shown.path.name).write_text(text)
    assert tomllib.loads(text) == shown.content
    assert loading.load(tmp_path / shown.path.name).digest == loading.check(shown).digest


# ---------------------------------------------------------------------------------------------
# Answers


@pytest.mark.sampling
@pytest.mark.parametrize("prior_only", [False, True])
def test_a_run_of_the_file_handed_over_has_the_same_numbers_to_the_last_digit(tmp_path, prior_only):
    base = Base.load(layers.find("semianalysis"))
    made = changes.read(
        "set=fleet.h800.count=3000 to 15000&set=fleet.h100.exists=0.2&set=scope.horizon=3&off=known-models"
    )
    shown = changing.changed(base, made)
    found = exploration.simulated(shown) if prior_only else exploration.refitted(shown)
    (tmp_path / "shown.toml").write_text(changing.text(shown, base, made))
    more = ["--out", str(tmp_path), "--no-figures", *(["--prior-only"] if prior_only else [])]
    done = CliRunner().invoke(cli.main, ["run", "--priors", str(tmp_path / "shown.toml"), *more])
    run = results.load(results.find("shown", tmp_path))
    assert run.manifest["scopes"] == found.scopes
    assert run.manifest["facts"] == dict(found.draws.fact_probability)
    assert run.manifest["verdict"]["in_words"] == found.verdict.in_words()
    assert run.folder.name.endswith(found.priors.digest[:8])
    assert all(f"{rung['words'][0]} " in done.stdout for rung in exploration.rungs(found))


@pytest.mark.sampling
def test_a_page_without_changes_has_the_numbers_of_its_file(tmp_path):
    base = Base.load(layers.find("consensus"))
    found = exploration.refitted(changing.changed(base, Changes()))
    run = pipeline.run(base.priors, Settings(), out=tmp_path, figures=())
    assert run.manifest["scopes"] == found.scopes


@pytest.mark.sampling
def test_what_is_not_converged_says_so_in_the_answer(base, monkeypatch):
    monkeypatch.setattr(inference, "R_HAT_LIMIT", 0.5)
    monkeypatch.setattr(exploration, "settings_of_runs", lambda: Settings(200, 200, extend=False))
    shown = changing.changed(base, Changes())
    found = explore.answer(base, Changes(), shown, exploration.refitted(shown), None)
    assert (found["converged"], found["standing"]) == (False, "NOT CONVERGED")
    assert found["verdict"].startswith("NOT CONVERGED, do not cite")


def test_the_digits_of_an_interval_are_those_its_effective_draws_support():
    draws = np.random.default_rng(1).lognormal(9, 0.5, (4, 2000))
    many, few = (exploration.ends(draws, effective, "GPU") for effective in (8000.0, 100.0))
    assert many["low"] == few["low"] == pytest.approx(float(np.quantile(draws, 0.05)))
    assert (many["words"], few["words"]) == ("3.6k to 18k GPU", "4k to 20k GPU")


def test_the_axis_stays_while_it_shows_all_there_is_and_widens_where_not():
    assert explore.reach([2e6, 5e8], (1e6, 1e9)) == (1e6, 1e9)
    low, high = explore.reach([2e5, 5e8, 0.0], (1e6, 1e9))
    assert low < 2e5
    assert high == 1e9


ODD = st.sampled_from(
    ["0", "1", "-1", "0 to 1", "1e-320 to 1e-310", "1e29", "1e30", "0.5 to 1", "1 to 1e29", "-5 to 5", "99.99%",
     "1.0000001 to 1.00000011", "true", "\u0663", "1_000 to 2,000", " to ", "1T to 2T"]
)  # fmt: skip


@settings(max_examples=60)
@given(st.data())
def test_whatever_is_typed_is_answered_or_refused_in_words(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "odd.toml"
    path.write_text(FULL)
    base = Base.load(path)
    paths = sorted((base.places.keys() & base.priors.entries.keys()) | {fact.path for fact in base.priors.facts})
    made = Changes(data.draw(st.dictionaries(st.sampled_from(paths), ODD, min_size=1, max_size=4)))
    assert explore.page(base, made.query(), []).text
    assert in_words(base, made)


def in_words(base: Base, made: Changes) -> str:
    """Return the verdict on an answer to changes, or what is wrong with them; nothing else may be raised."""
    try:
        shown = changing.changed(base, changes.read(made.query()))
        return str(explore.answer(base, made, shown, exploration.simulated(shown), None)["verdict"])
    except InputError as error:
        return "; ".join(map(str, error.faults))


def test_amounts_that_are_next_to_nothing_have_no_place_on_the_axis():
    assert explore.reach([1e-320, 0.0, 1e6, 4e6], None) == explore.reach([1e6, 4e6], None)


# ---------------------------------------------------------------------------------------------
# The server


@dataclass(frozen=True)
class Client:
    """A server that answers on this machine, and what asks it."""

    port: int
    of: str

    def ask(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> tuple[int, Any, str]:
        """Return status, headers and text of an answer; headers given replace those of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            return self.answered(connection, method, path, body, headers)

    def answered(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | str | None,
        headers: dict[str, str],
    ) -> tuple[int, Any, str]:
        usual = {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"} if body else {}
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        connection.request(method, path, body, {**usual, **given})
        found = connection.getresponse()
        return found.status, found.headers, found.read().decode()

    def post(self, query: str = "", what: str = "prior", **more: Any) -> tuple[int, Any]:
        body = json.dumps({"query": query, "of": self.of, "ends": None, **more})
        status, _, text = self.ask("POST", f"/prior/{what}", body)
        return status, json.loads(text)


@pytest.fixture
def client(write: Write) -> Iterator[Client]:
    path = write(MINIMAL.replace("One run at a rental rate", HOSTILE.replace('"', "'")) + CLAIM)
    with running(Shelf({"prior": path}, "prior"), "127.0.0.1") as port:
        yield Client(port, Base.load(path).priors.digest[:8])


@contextlib.contextmanager
def running(shelf: Shelf, host: str) -> Iterator[int]:
    """Answer at a host meanwhile; give the port."""
    listening = serving.listen(host, 0, exact=True)
    server = serving.serving(shelf, host, listening)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


BODY = json.dumps({"query": "", "of": "", "ends": None})


@pytest.mark.parametrize(
    "host", ["evil.example:{}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{}", "[::2]:{}", ""]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_under_another_name_is_refused(client, host, method):
    body = BODY if method == "POST" else None
    status, _, text = client.ask(method, "/prior/", body, Host=host.format(client.port))
    assert status in (400, 421)
    assert "chips" not in text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": ""}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Type": "multipart/form-data"}, 415),
    ],
)
def test_a_page_of_elsewhere_and_a_form_cannot_ask(client, headers, status):
    assert client.ask("POST", "/prior/prior", BODY, **headers)[0] == status


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH"])
def test_nothing_but_get_and_post_is_admitted_and_no_preflight_answered(client, method):
    status, headers, _ = client.ask(method, "/prior/prior", BODY, Access_Control_Request_Method="POST")
    assert status == 405
    assert not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", ["/prior/", "/nothing/", "/prior/file.toml", "/prior/file.toml?set=a", "/"])
def test_every_answer_forbids_others_to_frame_embed_and_read_it(client, path):
    _, headers, _ = client.ask("GET", path)
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_the_policy_of_the_page_admits_its_own_styles_and_scripts_alone(client):
    _, headers, text = client.ask("GET", "/prior/")
    policy = headers["Content-Security-Policy"]
    inline = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, flags=re.DOTALL)
    assert len(inline) == 4
    assert all(writing.digest(each) in policy for each in inline)
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_text_of_a_file_and_of_an_address_is_text_on_the_page(client):
    query = Changes({"runs.base.gpu_hours": HOSTILE, HOSTILE: "1"}, {HOSTILE: True}, HOSTILE).query()
    status, _, text = client.ask("GET", f"/prior/?{query}")
    assert status == 200
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 2


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"1", b'{"query": 3}', b"\xff", b"[" * 5000, b'{"query": "", "of": "", "ends": [1]}',
     b'{"query": "", "of": "", "ends": ["a", NaN]}', b'{"query": "", "of": "", "ends": [5, 1]}',
     b'{"query": "", "of": "", "ends": {"a": 1, "b": 2}}', b'{"query": "\\ud800", "of": ""}',
     b'{"query": "", "of": "\\udfff"}'],
)  # fmt: skip
def test_what_is_no_question_gets_a_message(client, body):
    headers = {"Origin": f"http://127.0.0.1:{client.port}", "Content_Type": "application/json"}
    status, _, text = client.ask("POST", "/prior/prior", body or b" ", **headers)
    assert status == 400
    assert json.loads(text)["faults"][0]["text"]


def test_too_large_a_question_is_refused_unread(client):
    assert client.ask("POST", "/prior/prior", b"x" * 300_000)[0] == 413


def test_a_question_that_does_not_say_how_long_it_is_is_refused_unread(client):
    chunked = {"Content_Length": "10", "Transfer_Encoding": "chunked"}
    assert client.ask("POST", "/prior/prior", BODY, **chunked)[0] == 411
    assert client.ask("POST", "/prior/prior", BODY, Transfer_Encoding="chunked")[0] == 411


def test_who_leaves_before_the_question_is_asked_leaves_no_error(write, caplog):
    with running(Shelf({"prior": write(MINIMAL)}, "prior"), "127.0.0.1") as port:
        host = f"127.0.0.1:{port}"
        lines = ("POST /prior/prior HTTP/1.1", f"Host: {host}", f"Origin: http://{host}",
                 "Content-Type: application/json", "Content-Length: 100", "", "{")  # fmt: skip
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall("\r\n".join(lines).encode())
            time.sleep(0.2)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_bad_input_is_answered_with_the_path_of_its_control(client):
    status, found = client.post("set=runs.base.gpu_hours=3M to 2M&set=chips.h800.rental_rate=x&off=nobody")
    assert status == 200
    paths = [fault["path"] for fault in found["faults"]]
    assert paths == ["chips.h800.rental_rate", "evidence.nobody", "runs.base.gpu_hours.interval"]


def test_a_page_of_a_file_that_has_changed_on_disk_since_is_told_so(client):
    status, found = client.post(of="00000000")
    assert status == 200
    assert "load it again" in found["faults"][0]["text"]


def test_a_prior_simulation_is_that_of_a_prior_only_run(client, write):
    status, found = client.post("set=runs.base.gpu_hours=1M to 2M")
    assert (status, found["standing"], found["converged"]) == (200, "prior simulation", True)
    assert "$2.9M" in found["headline"]["median"] or found["headline"]["median"].startswith("$")
    assert "90 % credible interval" in found["headline"]["interval"]


@pytest.mark.sampling
def test_tabs_that_ask_at_once_each_get_their_own_answer(client):
    queries = [f"set=runs.base.gpu_hours={low}M to {low + 1}M" for low in (1, 20, 300)] * 2
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda query: client.post(query, "posterior")[1]["digest"], queries))
    assert found[:3] == found[3:]
    assert len(set(found)) == 3


def test_the_file_is_handed_over_as_one(client):
    status, headers, text = client.ask("GET", "/prior/file.toml?set=runs.base.gpu_hours%3D1M+to+2M")
    assert status == 200
    assert headers["Content-Disposition"] == 'attachment; filename="prior-as-shown.toml"'
    assert tomllib.loads(text)["runs"]["base"]["gpu_hours"]["interval"] == [1_000_000, 2_000_000]


def test_a_file_with_faults_has_a_page_that_names_them(client, write):
    write("schema = 1\ntitle = 3\n")
    status, _, text = client.ask("GET", "/prior/")
    assert status == 422
    assert "title: 3" in text or "title:" in text


def test_a_name_without_a_page_leads_to_those_that_have_one(client):
    status, _, text = client.ask("GET", "/..%2f..%2fetc%2fpasswd/")
    assert status == 404
    status, _, text = client.ask("GET", "/elsewhere/")
    assert (status, 'href="/prior/"' in text) == (404, True)


@pytest.mark.parametrize(
    ("host", "named", "is_named"),
    [
        ("127.0.0.1", "localhost:80", True),
        ("127.0.0.1", "192.0.2.1:80", False),
        ("0.0.0.0", "192.0.2.1:80", True),
        ("0.0.0.0", "evil.example:80", False),
        ("::", "[2001:db8::1]:80", True),
        ("lab.example", "lab.example:80", True),
        ("lab.example", "evil.example:80", False),
    ],
)
def test_which_names_mean_the_server(host, named, is_named):
    assert Place(host, 80).is_named(named) == is_named


def leave(client: Client) -> None:
    """Ask for a posterior, and be gone before it is there."""
    body = json.dumps({"query": "", "of": client.of, "ends": None})
    host = f"127.0.0.1:{client.port}"
    lines = ("POST /prior/posterior HTTP/1.1", f"Host: {host}", f"Origin: http://{host}",
             "Content-Type: application/json", f"Content-Length: {len(body)}", "", body)  # fmt: skip
    with socket.create_connection(("127.0.0.1", client.port)) as connection:
        connection.sendall("\r\n".join(lines).encode())
        time.sleep(0.05)


def test_a_refit_that_no_page_waits_for_any_more_is_not_begun(client, monkeypatch):
    begun = []

    def slow(shown: Any, stop: Any) -> Any:
        begun.append(shown)
        time.sleep(0.5)
        return exploration.simulated(shown)

    monkeypatch.setattr(exploration, "refitted", slow)
    for _ in range(5):
        leave(client)
    assert client.post("", "posterior")[0] == 200
    assert len(begun) == 2


@pytest.mark.sampling
def test_a_refit_that_no_page_waits_for_any_more_is_left_off_while_it_draws(client, monkeypatch):
    efforts = itertools.chain([Settings(draws=10_000, thin=2000)], itertools.repeat(Settings(200, 200, extend=False)))
    monkeypatch.setattr(exploration, "settings_of_runs", lambda: next(efforts))
    leave(client)  # minutes of drawing
    assert client.post("", "posterior")[0] == 200


@pytest.mark.sampling
def test_a_refit_of_what_was_just_simulated_does_not_simulate_it_again(base, monkeypatch):
    made = []
    prior = inference.prior
    monkeypatch.setattr(exploration, "of_prior", exploration.Simulations())
    monkeypatch.setattr(inference, "prior", lambda *given: made.append(given) or prior(*given))
    for query in ("", "set=fleet.h800.count=5k to 9k", "set=fleet.h800.count=5k to 9k&off=capex", ""):
        shown = changing.changed(base, changes.read(query))
        simulated, refitted = exploration.simulated(shown), exploration.refitted(shown)
        alone = exploration.Simulations().make(refitted.priors, exploration.settings_of_runs())[0]
        made.pop()
        assert all((simulated.draws.values[path] == values).all() for path, values in alone.values.items())
    assert len(made) == 3


def test_a_port_that_is_taken_is_named_unless_any_will_do():
    with serving.listen("127.0.0.1", 0, exact=True) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SimulateError, match=f"port {port}: .*--port"):
            serving.listen("127.0.0.1", port, exact=True)
        with serving.listen("127.0.0.1", port, exact=False) as other:
            assert other.getsockname()[1] != port


@pytest.mark.parametrize("host", ["192.0.2.55", "nowhere.invalid", "[::1]", "127.0.0.1:80", " ", ""])
def test_a_host_that_is_not_of_this_machine_is_named(host):
    with pytest.raises(SimulateError, match=r"cannot listen .*--host") as caught:
        serving.listen(host, 0, exact=True)
    assert "--port" not in str(caught.value)
    assert "(" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "::1", "::"])
def test_the_page_is_where_it_is_said_to_be_and_answers_there(write, host):
    path = write(MINIMAL + CLAIM)
    if ":" in host and not has_ipv6():
        pytest.skip("no IPv6 here")
    with running(Shelf({"prior": path}, "prior"), host) as port:
        address = Place(host, port).address
        headers = {"Origin": address.rstrip("/"), "Content-Type": "application/json"}
        body = json.dumps({"query": "", "of": Base.load(path).priors.digest, "ends": None}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{address}prior/prior", body, headers)) as answer:
            assert json.load(answer)["standing"] == "prior simulation"


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "simulate", "explore", "--no-browser", "--port", "0", *more]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=folder, start_new_session=True)


@pytest.mark.sampling
def test_the_command_says_where_the_page_is_and_ctrl_c_ends_it_with_a_plain_line(write, tmp_path):
    path = write(MINIMAL)
    with started(tmp_path, "--priors", str(path)) as process:
        assert process.stdout
        first = process.stdout.readline()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert re.fullmatch(r"explore prior: http://127\.0\.0\.1:\d+/prior/\n", first)
    assert (process.returncode, out, err) == (INTERRUPTED, "", "\nstopped\n")


@pytest.mark.sampling
def test_ctrl_c_while_a_page_waits_ends_it_with_a_plain_line_too(write, tmp_path):
    path = write(FULL)
    with started(tmp_path, "--priors", str(path)) as process, ThreadPoolExecutor(1) as pool:
        assert process.stdout
        port = int(process.stdout.readline().split(":")[-1].split("/")[0])
        process.stdout.readline()
        waiting = pool.submit(Client(port, Base.load(path).priors.digest).post, "", "posterior")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        waiting.exception()
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert (process.returncode, out, err) == (INTERRUPTED, "", "\nstopped\n")


def test_exploring_a_file_with_faults_is_an_error_that_names_them(write):
    path = write("schema = 1\ntitle = 3\n")
    with pytest.raises(InputError, match="title"):
        exploring.ready(str(path), "127.0.0.1", 0, exact=True)
