"""The report of a run: everything is in it, nothing of a file acts in it, and it can be read by anyone."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import CLAIM, FULL, MINIMAL

from simulate import cli, loading, pipeline, plot_style, pooling, report, report_page, results
from simulate.errors import RunError, SimulateError
from simulate.inference import Settings
from simulate.naming import Names
from simulate.pages import writing
from simulate.pages.writing import dotted
from simulate.results import Run

pytestmark = pytest.mark.sampling

SECTIONS = [
    "costs",
    "claims",
    "drivers",
    "evidence",
    "before-after",
    "assumptions",
    "sources",
    "diagnostics",
    "reproduce",
]
MARKUP = "</title><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7 * 7 }} &lt; \" ' `b`"


@dataclass
class Seen(HTMLParser):
    """What a page is made of: its elements with their attributes, in order, and its text."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def seen(page: str) -> Seen:
    found = Seen()
    found.feed(page)
    return found


def run_of(text: str, folder: Path, name: str = "prior", by_hand: Sequence[str] = (), **given: object) -> Run:
    (folder / f"{name}.toml").write_text(text)
    settings = Settings(**{"draws": 1000, "tune": 500, **given})
    return pipeline.run(loading.load(folder / f"{name}.toml", by_hand), settings, out=folder / "results", figures=())


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Run:
    text = FULL.replace('title = "A paper"', 'title = "A paper"\nurl = "https://example.org/paper"')
    run = run_of(text, tmp_path_factory.mktemp("made"))
    assert run.converged
    return run


@pytest.fixture(scope="module")
def page(made) -> str:
    return report_page.page([made])


def section(page: str, name: str) -> Seen:
    """Return one section of a page."""
    start = page.index(f'<h2 id="{name}"')
    return seen(page[start : page.find("<h2 ", start + 1)])


def rows_of(page: str, path: str) -> list[str]:
    """Return the rows of tables that begin with what has a path."""
    return [
        row for row in re.findall(r'<tr role="row">.*?</tr>', page, re.DOTALL) if f">{dotted(path)}</span></th>" in row
    ]


def broken(path: str) -> str:
    """Return a path as `seen` reads it, which takes a place to break a line for a space."""
    return " ".join(dotted(path).split("<wbr>"))


# ---------------------------------------------------------------------------------------------
# What is in it


def test_the_headline_and_the_ladder_come_first_and_every_section_after(page):
    places = [page.index('class="lead"'), page.index("figure ladder"), *(page.index(f'<h2 id="{s}"') for s in SECTIONS)]
    assert places == sorted(places)


def test_the_headline_has_median_interval_level_and_money_of_the_widest_scope(made, page):
    median, ends = report.scope_words(made.manifest["scopes"]["company"])
    [said] = re.findall(r'<p class="lead">(.*?)</p>', page)
    assert said.endswith(f"at {median} (90\N{NO-BREAK SPACE}% credible interval {ends}; 2025 US dollars).")


def test_every_scope_is_in_the_table_with_the_digits_its_errors_support(made, page):
    costs = section(page, "costs").text
    for found in made.manifest["scopes"].values():
        assert all(words in costs for words in report.scope_words(found))


@pytest.mark.parametrize("name", ["costs", "drivers", "before-after", "diagnostics"])
def test_no_amount_has_more_than_three_digits(page, name):
    amounts = re.findall(r"\$([\d,.]*\d)", section(page, name).text)
    assert len(amounts) > 10
    assert all(len(amount.replace(",", "").replace(".", "").lstrip("0")) <= 3 for amount in amounts)


def test_no_median_in_the_diagnostics_is_given_finer_than_its_monte_carlo_error(made, page):
    [shown] = rows_of(page[page.index('<h2 id="diagnostics"') :], "company")
    row = next(row for row in made.summary() if row["variable"] == "company" and row["group"] == "posterior")
    number, scale = re.match(r"\$([\d.]+)(M|bn)", seen(shown.partition("</th>")[2]).text).groups()
    digits = number.replace(".", "") if "." in number else number.rstrip("0")
    step = 10.0 ** (len(number.partition(".")[0]) - len(digits)) * {"M": 1e6, "bn": 1e9}[scale]
    assert step >= float(row["mcse_p50"])


def test_every_number_leads_to_its_sources(page):
    [link] = seen(rows_of(page[page.index('<h2 id="assumptions"') :], "runs.base.gpu_hours")[0]).all("a")
    item = page[page.index(f'<li id="{link["href"][1:]}">') :].partition("</li>")[0]
    assert '<a href="https://example.org/paper" rel="noopener noreferrer">A paper</a>' in item
    assert link["aria-label"].endswith("A paper")


def test_every_link_within_the_page_leads_somewhere_and_no_name_is_given_twice(page):
    found = seen(page)
    names = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    inside = {link["href"][1:] for link in found.all("a") if link["href"].startswith("#")}
    assert inside <= set(names)
    assert len(names) == len(set(names))


def test_what_has_no_source_is_called_a_judgement(page):
    [row] = rows_of(page[page.index('<h2 id="assumptions"') :], "scope.attribution")
    assert "judgement" in row


def test_every_assumption_stands_by_its_name_with_its_path_beside_it(made, page):
    text = section(page, "assumptions").text
    names = Names.of(made.manifest)
    for path, entry in made.manifest["unknowns"].items():
        assert f"{names(path).name} {entry['meaning']} {broken(path)}" in text


def test_what_drives_a_cost_is_called_by_its_name_and_path_in_the_figure_and_in_the_table(page):
    text = section(page, "drivers").text
    assert "H800: number owned fleet.h800.count" in text
    assert f"H800: number owned {broken('fleet.h800.count')}" in text


def test_the_disputed_fact_and_the_claims_are_told_before_and_after(made, page):
    probability = report.likely(made.manifest["facts"]["fleet.h100.exists"])
    assert f"h100: owned at all {broken('fleet.h100.exists')} 0.30 {probability}" in section(page, "before-after").text
    assert "An analyst Server hardware hardware about $600M" in section(page, "claims").text


def test_the_downloads_are_the_files_of_the_run(made, page):
    files = {
        link["download"]: link["href"].partition("base64,")[2] for link in seen(page).all("a") if "download" in link
    }
    assert base64.b64decode(files["prior-summary.csv"]) == (made.folder / "summary.csv").read_bytes()
    assert base64.b64decode(files["prior.toml"]) == (made.folder / "priors" / "prior.toml").read_bytes()
    assert base64.b64decode(files["prior-costs.csv"]).count(b"\n") == 6 + len(made.manifest["scopes"])
    assert b"@dataset" in base64.b64decode(files["prior.bib"])


def test_every_chain_of_the_headline_is_drawn_with_its_own_median(made, page):
    told = {g["aria-label"] for g in section(page, "diagnostics").all("g") if "aria-label" in g}
    medians = np.median(made.tree()["posterior"]["company"], axis=1) / 1e6
    said = [float(re.match(r"Chain \d: median \$(\d+)M", text)[1]) for text in sorted(told)]
    assert said == pytest.approx(medians.tolist(), abs=50)  # to one digit, at the least


def test_it_says_how_to_make_the_run_again(made, page):
    told = section(page, "reproduce").text
    assert "simulate run --priors prior --draws 1000 --tune 500" in told
    assert f"simulate reproduce {made.folder.name}" in told
    assert made.manifest["digest"] in told


def test_the_same_run_gives_the_same_bytes(made, page):
    assert report_page.page([results.load(made.folder)]) == page


@pytest.mark.parametrize(
    "text",
    [MINIMAL, MINIMAL + CLAIM, MINIMAL + CLAIM.replace('"USD"', '"USD"\nused = false')],
    ids=["no", "one", "shown"],
)
def test_a_small_file_has_a_report_too(tmp_path, text):
    found = seen(report_page.page([run_of(text, tmp_path)]))
    assert "We estimate" in found.text or "we estimate" in found.text
    assert "nan" not in found.text.split()


def test_priors_alone_are_said_to_be_that(tmp_path):
    text = report_page.page([run_of(FULL, tmp_path, prior_only=True)])
    assert "From priors alone, with 2 pieces of evidence left out" in text
    assert 'id="before-after"' not in text


def test_what_was_changed_by_hand_is_said_wherever_a_number_is(tmp_path):
    run = run_of(FULL, tmp_path, by_hand=["scope.horizon=3"], prior_only=True)
    page = report_page.page([run])
    assert re.search(r'<p class="lead">[^<]*; with scope.horizon=3 set by hand\)\.</p>', page)
    assert "equal-tailed intervals; with scope.horizon=3 set by hand" in report.terminal(run.manifest)
    assert "scope.horizon=3" in plot_style.provenance(run.manifest)


def test_a_pool_says_of_what_it_is_one(tmp_path):
    runs = [run_of(MINIMAL, tmp_path, name) for name in ("one", "other")]
    members = pooling.members([3.0, 1.0], runs)
    pool = pooling.pool(members, Settings(1000, tune=500), out=tmp_path / "results", probability=0.9, figures=())
    found = seen(report_page.page([pool])).text
    assert "one 75 %" in found
    assert "Not told for this run: a pool has no priors of its own" in found


# ---------------------------------------------------------------------------------------------
# What is not in it


def hostile(text: str) -> str:
    """Return a prior file with markup in every text of it, and an address that is none."""
    for title in ("Every section once", "A paper", "A report", "An analyst"):
        text = text.replace(f'"{title}"', f"'''{MARKUP}'''")
    text = text.replace('"made up"', f"'''{MARKUP}'''").replace('label = "H800"', f"label = '''{MARKUP}'''")
    text = text.replace('group = "press"', f"group = \"press\"\nlabel = '''{MARKUP}'''")
    return text.replace("[sources.report]", '[sources.report]\nurl = "javascript:alert(1)"')


def test_nothing_of_a_file_is_markup_script_or_address(tmp_path):
    found = seen(report_page.page([run_of(hostile(FULL), tmp_path)]))
    assert len(found.all("script")) == len(found.all("style")) == 1
    assert not found.all("img")
    assert not [
        name for _, attributes in found.elements for name in attributes if name.startswith("on") or name == "style"
    ]
    assert "{{ 7 * 7 }}" in found.text
    addresses = {link["href"].partition(":")[0] for link in found.all("a") if not link["href"].startswith("#")}
    assert addresses == {"data"}


def test_the_page_admits_its_own_style_and_script_and_forbids_all_else(page):
    [policy] = [
        meta["content"] for meta in seen(page).all("meta") if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag in ("style", "script"):
        assert writing.digest(page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]) in policy
    assert not [attributes for _, attributes in seen(page).elements if attributes.get("src", "data:")[:5] != "data:"]


def test_nothing_of_this_machine_is_in_the_page(made, page):
    assert str(made.folder.parent) not in page
    assert str(Path.home()) not in page


# ---------------------------------------------------------------------------------------------
# Several runs


def test_several_runs_are_set_side_by_side_with_what_differs(made, tmp_path):
    other = run_of(FULL.replace("interval = [2, 8]", "interval = [3, 9]"), tmp_path, "other", ["scope.horizon=3 to 5"])
    found = seen(report_page.page([made, other]))
    assert "Not counted over the same years: prior, 4 years; other, uncertain years." in found.text
    labels = " ".join(one.get("aria-label", "") for one in found.all("g"))
    assert "prior (owned, 4 years): median" in labels
    assert "other (owned, uncertain years): median" in labels
    for run in (made, other):
        assert all(words in found.text for words in report.scope_words(run.manifest["scopes"]["company"]))
    differing = section(report_page.page([made, other]), "assumptions").text
    assert "2 to 8 (90 %)" in differing
    assert "3 to 9 (90 %)" in differing
    assert f"over the official runs {broken('research.multiplier')}" in differing
    assert "Research multiplier" in differing
    assert "hosting" not in differing


def test_a_run_beside_itself_is_refused(made):
    with pytest.raises(RunError, match="given twice"):
        report_page.page([made, made])


def test_more_runs_than_there_is_room_for_are_refused(made):
    with pytest.raises(SimulateError, match="13 runs; a report has room for 12"):
        report_page.page([made] * 13)


# ---------------------------------------------------------------------------------------------
# The command


def invoke(*words: object):
    return CliRunner().invoke(cli.main, ["report", *map(str, words)])


def test_the_command_writes_the_page_beside_where_one_is_and_says_where(made, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = invoke(made.folder)
    assert (done.exit_code, done.stdout) == (0, "prior-report.html\n")
    assert Path("prior-report.html").read_text() == page
    assert results.load(made.folder)
    assert not list(made.folder.glob("*.html"))


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "..", "a/../../b", "\x1b[2J", "x" * 300])
def test_the_name_of_a_foreign_run_cannot_lead_out_of_the_folder(name):
    place = report_page.place_of([Run(Path("run"), {"name": name})])
    assert place.parent == Path()
    assert re.fullmatch(r"[\w-][\w.-]*-report\.html", str(place))
    assert len(str(place)) < 100


def test_a_report_is_replaced_by_another_and_any_other_file_is_not(made, page, tmp_path):
    mine = tmp_path / "mine.html"
    mine.write_text("<p>mine</p>")
    done = invoke(made.folder, "--to", mine)
    assert (done.exit_code, mine.read_text()) == (1, "<p>mine</p>")
    assert "exists already, and is no report" in done.stderr
    mine.write_text(page[:2000])
    assert invoke(made.folder, "--to", mine).exit_code == 0
    assert mine.read_text() == page


def test_a_disk_that_refuses_is_told_in_words(made, tmp_path):
    done = invoke(made.folder, "--to", tmp_path / "none" / "page.html")
    assert done.exit_code == 1
    assert "cannot write: no such file or directory; choose another place with --to" in done.stderr


def test_a_run_that_has_not_converged_says_so_everywhere_and_exits_with_3(made, tmp_path, unconverged):
    run = unconverged(made, tmp_path)
    done = invoke(run.folder, "--to", tmp_path / "page.html")
    assert done.exit_code == 3
    page = (tmp_path / "page.html").read_text()
    assert "<title>NOT CONVERGED: " in page
    assert page.index("NOT CONVERGED, do not cite: R-hat") < page.index('class="lead"')
    assert '<p class="lead">NOT CONVERGED, do not cite. We' in page
    assert all("NOT CONVERGED" in section(page, name).text for name in SECTIONS)
    assert all(link["download"].startswith("NOT-CONVERGED-") for link in seen(page).all("a")
               if link.get("download", "").startswith(("prior-", "NOT")))  # fmt: skip
    beside = report_page.page([made, run])
    assert "<title>NOT CONVERGED: " in beside


def test_a_run_whose_files_mean_something_else_now_is_refused_in_words(made, tmp_path):
    folder = Path(shutil.copytree(made.folder, tmp_path / "run"))
    path = folder / "priors" / "prior.toml"
    path.write_text(path.read_text().replace("[0.5, 2]", "[0.5, 3]"))
    manifest = {**made.manifest, "files": results.checksums(folder)}
    results.write_text(folder / "manifest.json", json.dumps(results.signed(manifest)))
    done = invoke(folder, "--to", tmp_path / "page.html")
    assert done.exit_code == 1
    assert "mean something else" in done.stderr
    assert not (tmp_path / "page.html").exists()
