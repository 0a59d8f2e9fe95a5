"""The report as a reader meets it: opened by double click in a real browser, on a screen, on a phone and on paper."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser import axe_violations, is_too_wide
from click.testing import CliRunner
from pypdf import PdfReader

from simulate import cli, layers, loading, pipeline, report
from simulate.inference import Settings
from simulate.results import Run

pytestmark = [pytest.mark.browser, pytest.mark.sampling]


@dataclass(frozen=True)
class Reported:
    """A run and the address of its report."""

    run: Run
    address: str
    path: Path


def reported(folder: Path, *names: str) -> Reported:
    found = [
        pipeline.run(
            loading.load(layers.find(name)), Settings(draws=250, tune=300, extend=False), out=folder, figures=()
        )
        for name in names
    ]
    path = folder / f"{'-'.join(names)}.html"
    done = CliRunner().invoke(cli.main, ["report", *(str(run.folder) for run in found), "--to", str(path)])
    assert done.exit_code in (0, 3), done.output
    return Reported(found[0], path.as_uri(), path)


@pytest.fixture(scope="module", params=["semianalysis", "consensus"])
def one(request, tmp_path_factory) -> Reported:
    return reported(tmp_path_factory.mktemp("reports"), request.param)


@pytest.fixture(scope="module")
def several(tmp_path_factory) -> Reported:
    return reported(tmp_path_factory.mktemp("reports"), "deepseek-reported", "reported-fleet-only")


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (360, "dark")], ids=["desk", "phone"])
def test_it_opens_without_a_complaint_or_a_request_fits_and_is_accessible(one, open_page, width, scheme):
    screen = open_page(one.address, width=width, scheme=scheme)
    assert (screen.errors, screen.requests) == ([], [one.address])
    screen.page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert not is_too_wide(screen.page)
    assert axe_violations(screen.page) == []
    assert screen.page.locator(".ladder svg.narrow").is_visible() == (width == 360)


def test_the_first_screen_has_the_headline_and_the_ladder(one, open_page):
    page = open_page(one.address).page
    median, ends = report.scope_words(one.run.manifest["scopes"]["company"])
    assert f"at {median} (90\N{NO-BREAK SPACE}% credible interval {ends}" in page.locator(".lead").inner_text()
    place = page.locator(".ladder svg.wide").bounding_box()
    assert place["y"] < 450
    assert page.locator(".ladder svg.narrow").is_hidden()


def test_the_keyboard_reaches_a_value_a_source_and_a_folded_part(one, open_page):
    page = open_page(one.address).page
    page.locator(".ladder svg.wide .tip").first.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert "Final training run (rental-equivalent): median" in page.locator(".tip-box").inner_text()
    page.locator("summary", has_text="Sentences to quote").press("Enter")
    assert page.locator("blockquote").first.is_visible()
    page.locator("#assumptions ~ details .refs a").first.press("Enter")
    assert page.locator(".sources li:target").is_visible()


def test_without_scripts_every_figure_and_its_values_are_there(one, open_page):
    page = open_page(one.address, scripts=False).page
    assert page.locator(".ladder svg.wide").is_visible()
    titles = page.locator(".ladder svg.wide .tip > title").all_text_contents()
    median, _ = report.scope_words(one.run.manifest["scopes"]["ownership"])
    assert any(f"Cost of ownership (owned, 4 years): median {median}" in title for title in titles)


def test_it_prints_with_all_that_is_folded(one, open_page, tmp_path):
    page = open_page(one.address, scheme="dark").page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("blockquote").first.is_visible()
    raw = page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    assert 8 < raw.count(b"/Type /Page\n") < 40


@pytest.mark.parametrize("height", ["10.2in", "11in"])
def test_on_paper_what_leads_to_a_figure_or_table_stands_on_its_page(one, open_page, tmp_path, height):
    page = open_page(one.address).page
    page.pdf(path=tmp_path / "page.pdf", width="8.5in", height=height)
    texts = (sheet.extract_text() for sheet in PdfReader(tmp_path / "page.pdf").pages)
    sheets = [" ".join(unicodedata.normalize("NFKC", text).split()) for text in texts]  # "fi" is one letter in print
    for title, follows in (
        ("The costs, scope by scope", "training run"),
        ("What drives it", "run anew. .* of the variance"),
        ("Does it fit the evidence", "disagrees with. .* expected"),
        ("Before and after the evidence", "no claim's. .* before:"),
        ("Assumptions, and where they come from", "a stated judgement. .* As given"),
    ):
        assert any(re.search(f"{title} .*{follows}", sheet) for sheet in sheets), title
    assert not any("Point at" in sheet for sheet in sheets)


def test_what_is_downloaded_is_the_run_s_summary(one, open_page, tmp_path):
    page = open_page(one.address).page
    with page.expect_download() as waiting:
        page.locator("a", has_text="Summary of all draws").click()
    waiting.value.save_as(tmp_path / "summary.csv")
    assert (tmp_path / "summary.csv").read_bytes() == (one.run.folder / "summary.csv").read_bytes()


def test_it_is_under_three_megabytes(one):
    assert one.path.stat().st_size < 3e6


def test_a_comparison_opens_fits_a_phone_and_is_accessible(several, open_page):
    screen = open_page(several.address, width=360)
    assert (screen.errors, screen.requests) == ([], [several.address])
    assert not is_too_wide(screen.page)
    assert axe_violations(screen.page) == []
    assert screen.page.locator("h3", has_text="Final training run").is_visible()
