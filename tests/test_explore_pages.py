"""The page of `simulate explore` in a real browser: used by mouse and keyboard, and read as a reader reads it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from browser import PATIENCE, axe_violations, is_too_wide
from conftest import CLAIM, MINIMAL

pytestmark = [pytest.mark.browser, pytest.mark.sampling]

COUNT = '.control[data-path="fleet.h800.count"]'
HOURS = '.control[data-path="runs.base.gpu_hours"]'


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("explore")
    (folder / "small.toml").write_text(MINIMAL + CLAIM)
    command = [sys.executable, "-m", "simulate", "explore", "--priors", "small.toml", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        assert process.stdout
        yield process.stdout.readline().split(": ")[1].strip().removesuffix("small/")
        process.terminate()


def wait(page: Any, state: str = "posterior") -> None:
    """Wait until the page says that it shows something of that state."""
    page.wait_for_selector(f'.standing[data-state="{state}"]', timeout=4 * PATIENCE)


def company(page: Any) -> str:
    """Return the numbers of the widest scope as they stand in the ladder."""
    return str(page.locator("#ladder svg.wide .tip:not(.claim)").last.get_attribute("aria-label"))


@pytest.mark.parametrize("name", ["semianalysis", "consensus"])
def test_the_page_is_accessible_complains_of_nothing_and_asks_nobody_else(open_page, address, name):
    screen = open_page(f"{address}{name}/")
    wait(screen.page)
    for group in screen.page.locator("details.group").all():
        group.evaluate("group => group.open = true")
    assert axe_violations(screen.page) == []
    screen.page.emulate_media(color_scheme="dark")
    assert axe_violations(screen.page) == []
    assert screen.errors == []
    assert all(request.startswith((address, "data:")) for request in screen.requests)


def test_the_page_fits_a_phone_and_keeps_its_number_in_sight(open_page, address):
    page = open_page(f"{address}consensus/", width=390, height=844).page
    wait(page)
    page.locator(COUNT).scroll_into_view_if_needed()
    assert not is_too_wide(page)
    assert page.locator(".headline-median").bounding_box()["y"] >= 0
    assert axe_violations(page) == []


@pytest.mark.parametrize("name", ["semianalysis", "consensus"])
def test_dragging_an_end_moves_the_ladder_at_once_and_letting_go_refits(open_page, address, name):
    page = open_page(f"{address}{name}/").page
    wait(page)
    before = company(page)
    thumb = page.locator(f"{COUNT} input[type=range]").nth(1)
    thumb.scroll_into_view_if_needed()
    box = thumb.bounding_box()
    place = float(thumb.input_value()) / 1000
    x, y = box["x"] + 10 + place * (box["width"] - 20), box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=5)
    wait(page, "prior")
    moving = company(page)
    page.mouse.up()
    wait(page)
    assert len({before, moving, company(page)}) == 3
    assert page.locator("#verdict").inner_text().startswith("converged")
    assert page.locator(".standing").inner_text() == "posterior, converged"


def test_arrow_keys_move_an_end_and_its_value_is_said(open_page, address):
    page = open_page(f"{address}small/").page
    wait(page)
    thumb = page.locator(f"{HOURS} input[type=range]").first
    assert (thumb.get_attribute("aria-label"), thumb.get_attribute("aria-valuetext")) == (
        "Base: GPU-hours, low end",
        "2M GPU-hour",
    )
    thumb.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    wait(page)
    low = page.locator(f"{HOURS} .fields input").first.input_value()
    assert thumb.get_attribute("aria-valuetext") == f"{low} GPU-hour"
    assert float(low.removesuffix("M")) > 2
    assert f"set=runs.base.gpu_hours%3D{low}+to+3M" in page.url


def test_an_end_cannot_be_dragged_past_the_other(open_page, address):
    page = open_page(f"{address}small/").page
    thumb = page.locator(f"{HOURS} input[type=range]").first
    thumb.focus()
    page.keyboard.press("End")
    low, high = (float(field.input_value().removesuffix("M")) for field in page.locator(f"{HOURS} .fields input").all())
    assert low < high


def test_a_link_shows_the_same_in_another_tab(open_page, address):
    page = open_page(f"{address}semianalysis/").page
    page.locator(f"{COUNT} .fields input").first.fill("4k")
    page.keyboard.press("Enter")
    page.locator('.control[data-path="fleet.h100.exists"] input[value=false]').check()
    page.get_by_role("checkbox", name="SemiAnalysis: $944M to operate").uncheck()
    page.locator('.control[data-path="scope.horizon"] .fields input').fill("3")
    page.keyboard.press("Tab")
    wait(page)
    other = open_page(page.url).page
    wait(other)
    assert other.locator("#ladder").inner_text() == page.locator("#ladder").inner_text()
    assert other.locator("#count").inner_text() == "4 changes"
    assert other.locator("#digest").inner_text() == page.locator("#digest").inner_text()


def test_two_tabs_do_not_disturb_one_another(open_page, address):
    one, other = open_page(f"{address}small/").page, open_page(f"{address}small/").page
    wait(one)
    wait(other)
    before = company(other)
    one.locator(f"{HOURS} .fields input").nth(1).fill("9M")
    one.keyboard.press("Enter")
    other.get_by_role("checkbox", name="claim").uncheck()
    other.get_by_role("checkbox", name="claim").check()
    wait(one)
    wait(other)
    assert company(other) == before != company(one)


def test_bad_input_gets_a_message_beside_its_control_and_the_page_lives_on(open_page, address):
    screen = open_page(f"{address}small/")
    page = screen.page
    wait(page)
    before = company(page)
    high = page.locator(f"{HOURS} .fields input").nth(1)
    high.fill("1M")
    page.keyboard.press("Enter")
    wait(page, "poor")
    assert "does not increase" in page.locator(f"{HOURS} .fault").inner_text()
    assert high.get_attribute("aria-invalid") == "true"
    assert company(page) == before
    assert screen.errors == []
    assert axe_violations(page) == []
    page.locator(f"{HOURS} .reset").click()
    wait(page)
    assert page.locator(f"{HOURS} .fault").is_hidden()


def test_an_address_with_a_faulty_change_names_its_control_and_leads_to_it(open_page, address):
    screen = open_page(f"{address}semianalysis/?set=fleet.h800.count%3Dbanana")
    page = screen.page
    wait(page, "poor")
    assert "H800: number owned: 'banana" in page.locator("#failure").inner_text()
    assert page.locator("#verdict").inner_text().startswith("Nothing can be shown before this is mended")
    page.locator("#failure a").click()
    assert page.evaluate("document.activeElement.value") == "banana"
    assert axe_violations(page) == []
    page.locator("#reset").click()
    wait(page)
    assert page.locator("#failure").inner_text() == ""


def test_a_fact_a_claim_and_a_source_are_switched(open_page, address):
    page = open_page(f"{address}semianalysis/").page
    wait(page)
    page.get_by_role("heading", name="Sources of claims").click()
    source = page.locator(".source", has_text="SemiAnalysis").first.locator("input")
    source.uncheck()
    wait(page)
    assert not page.get_by_role("checkbox", name="SemiAnalysis: $1.63bn of servers").is_checked()
    assert "off=semianalysis-servers" in page.url
    page.get_by_role("checkbox", name="SemiAnalysis: $1.63bn of servers").check()
    assert source.evaluate("box => box.indeterminate")
    page.locator("#reset").click()
    wait(page)
    assert "?" not in page.url


def test_what_is_not_converged_is_said_loudly(open_page, address):
    page = open_page(f"{address}small/").page
    wait(page)
    said = "NOT CONVERGED, do not cite: R-hat of gpus is 1.2"

    def spoil(route: Any) -> None:
        found = route.fetch().json()
        route.fulfill(json={**found, "converged": False, "standing": "NOT CONVERGED", "verdict": said})

    page.route("**/posterior", spoil)
    page.get_by_role("checkbox", name="claim").uncheck()
    wait(page, "poor")
    assert page.locator(".standing").inner_text() == "NOT CONVERGED: do not cite"
    assert page.locator("#verdict.alarm").inner_text() == said


def test_controls_are_found_by_their_words(open_page, address):
    page = open_page(f"{address}consensus/").page
    page.get_by_label("Find a control").fill("hosting.electricity")
    assert page.locator(".control:visible").count() == 1
    assert page.locator("#found").inner_text() == "1 found"


def test_the_file_is_downloaded_as_it_is_on_the_screen(open_page, address):
    page = open_page(f"{address}small/").page
    page.locator(f"{HOURS} .fields input").first.fill("1M")
    page.keyboard.press("Enter")
    wait(page)
    with page.expect_download() as downloading:
        page.locator("#file").click()
    text = downloading.value.path().read_text()
    assert downloading.value.suggested_filename == "small-as-shown.toml"
    assert tomllib.loads(text)["runs"]["base"]["gpu_hours"]["interval"] == [1_000_000, 3_000_000]
    assert re.search(r"simulate run --priors small-as-shown\.toml", page.locator("#command").inner_text())


def test_a_server_that_is_gone_is_said(open_page, address):
    page = open_page(f"{address}small/").page
    wait(page)
    page.route("**/posterior", lambda route: route.abort())
    page.get_by_role("checkbox", name="claim").uncheck()
    wait(page, "poor")
    assert "no answer" in page.locator(".standing").inner_text()
