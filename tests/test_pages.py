"""What all pages share: nothing of a file becomes markup, the look can be read, and the ladder is the ladder."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import jinja2
import pytest
from browser import axe_violations, is_too_wide
from conftest import Write

from simulate import ledger
from simulate.pages import axis, charts, lettering, writing
from simulate.pages.ladder import SETTINGS, Mark, Rung, ladder, placed

HOSTILE = "</title><script>alert(1)</script>\"' onfocus=alert(1) {{ 7 * 7 }}"
RUNGS = [
    Rung("Final run", ledger.RENTAL, 6.2e6, 3.9e6, 9.8e6, ("$6.2M", "$3.9M–9.8M"), inner=(5.2e6, 7.4e6)),
    Rung(
        "Ownership",
        ledger.OWNED,
        2.4e9,
        1.9e9,
        3.0e9,
        ("$2.4bn", "$1.9–3.0bn"),
        before=(0.9e9, 4e9),
        marks=(Mark(2.573e9, "SemiAnalysis: $2.573bn", used=True), Mark(5e8, "A letter: at least $500M", "floor")),
    ),
]


def drawn(rungs: list[Rung] = RUNGS, **given: object) -> str:
    return ladder(rungs, **{"name": "What did it cost?", "level": "90 % credible interval", **given})


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(re.sub(r"(tabindex|open)(?=[ >])", r'\1=""', f"<page>{text}</page>"))


def numbers(element: ElementTree.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def test_text_of_a_file_is_text_in_the_ladder():
    hostile = [replace(RUNGS[1], label=HOSTILE, words=(HOSTILE, HOSTILE), marks=(Mark(2e9, HOSTILE),))]
    elements = list(parsed(drawn(hostile, name=HOSTILE, level=HOSTILE)).iter())
    assert "script" not in {element.tag for element in elements}
    assert not any("onfocus" in element.attrib for element in elements)
    assert f"{HOSTILE} (only shown)" in "".join(elements[0].itertext())


def test_what_a_template_lacks_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="nothing"):
        writing.environment().from_string("{{ nothing }}").render()


def test_a_bar_reaches_from_end_to_end_of_its_interval():
    [bar] = [e for e in parsed(drawn(RUNGS[:1], ends=(1e6, 1e8))).iter("rect") if e.get("class") == "outer"][:1]
    left, width = numbers(bar, "x", "width")
    wide = SETTINGS[0]
    at = wide.axis(1e6, 1e8).place
    assert (left, left + width) == pytest.approx((at(3.9e6), at(9.8e6)), abs=0.11)


def test_every_interval_and_claim_says_its_numbers_to_who_cannot_see_it():
    said = [element.get("aria-label") for element in parsed(drawn()).iter("g") if element.get("role") == "img"]
    assert len(said) == 2 * 4
    assert "Ownership (owned): median $2.4bn, 90 % credible interval $1.9–3.0bn" in said
    assert "A letter: at least $500M, a published lower bound about: Ownership, only shown" in said


def test_the_table_has_every_number_of_the_figure():
    [table] = parsed(drawn()).iter("table")
    text = " ".join(table.itertext())
    assert all(words in text for rung in RUNGS for words in (*rung.words, *(mark.words for mark in rung.marks)))
    assert "<table>" not in drawn(table=False)


def test_nothing_of_a_ladder_overlaps():
    for setting in SETTINGS:
        rungs = list(placed(RUNGS, setting, setting.axis(1e6, 1e10)))
        assert all(above.bottom <= below.top for above, below in itertools.pairwise(rungs))
        for claim in (claim for rung in rungs for claim in rung.claims):
            end = claim.text + (-1 if claim.is_left else 1) * lettering.width(claim.short, 11.0)
            assert -1 <= end <= setting.width + 1


@pytest.mark.parametrize("rungs", [[], [replace(RUNGS[0], median=0.0, lower=0.0, upper=0.0)], RUNGS[:1]])
def test_a_ladder_of_nothing_of_zero_and_of_one_rung_is_well_formed(rungs):
    assert "nan" not in drawn(rungs)
    assert parsed(drawn(rungs)) is not None


def test_ticks_have_room_on_every_axis():
    for width, (low, high) in itertools.product(
        (340.0, 410.0), ((1e6, 4e6), (1e6, 3e7), (1e6, 1e9), (1e6, 1e12), (1.5e9, 2.4e9), (9.9e8, 1.2e9))
    ):
        found = axis.Axis(0.0, width, low, high).ticks
        assert len(found) >= 2
        assert all(b[0] - a[0] > lettering.width(b[1], 11.0) for a, b in itertools.pairwise(found))


def test_the_same_rungs_give_the_same_text():
    assert drawn() == drawn()


# ---------------------------------------------------------------------------------------------
# The look


def colours(scheme: str) -> dict[str, str]:
    """Return the colours of the look in a scheme by name."""
    light, dark = re.findall(r":root \{(.*?)\}", writing.own("look.css"), flags=re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): (#\w{6});", light))
    return found | (dict(re.findall(r"--([\w-]+): (#\w{6});", dark)) if scheme == "dark" else {})


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("paper", ["paper", "sunk"])
def test_text_and_graphics_stand_out_from_the_paper(scheme, paper):
    found = colours(scheme)
    text = ("ink", "soft", "link", "alarm")
    assert all(contrast(found[name], found[paper]) >= 4.5 for name in text)
    assert all(contrast(colour, found[paper]) >= 3 for name, colour in found.items() if name.startswith("basis"))


def page(*figures: str) -> str:
    made = writing.environment().from_string(
        '{% extends "base.html" %}{% block title %}A page{% endblock %}'
        "{% block main %}<h1>A page</h1>{% for figure in figures %}{{ figure }}{% endfor %}{% endblock %}"
    )
    return made.render(figures=figures)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_a_page_with_a_ladder_is_accessible_and_fits(write: Write, open_page, scheme, width):
    path = write(
        page(ladder(RUNGS, name="What?", level="90 % credible interval", inner="50 %", before="before")), "page.html"
    )
    screen = open_page(path.as_uri(), scheme=scheme, width=width)
    assert axe_violations(screen.page) == []
    assert not is_too_wide(screen.page)
    assert (screen.errors, screen.requests) == ([], [path.as_uri()])


@pytest.mark.browser
def test_values_are_shown_to_the_mouse_and_to_the_keyboard_and_go_away(write: Write, open_page):
    path = write(page(ladder(RUNGS, name="What?", level="90 % credible interval")), "page.html")
    shown = open_page(path.as_uri()).page
    box = shown.locator(".tip-box")
    shown.locator("svg.wide .tip").nth(1).hover()
    assert "Ownership (owned): median $2.4bn" in box.inner_text()
    shown.keyboard.press("Escape")
    assert box.is_hidden()
    shown.keyboard.press("Tab")
    shown.keyboard.press("Tab")
    assert "Final run (rental-equivalent): median $6.2M" in box.inner_text()


@pytest.mark.browser
def test_axe_finds_what_is_wrong(write: Write, open_page):
    path = write("<html><body><img src='data:,'></body></html>", "page.html")
    assert any("image-alt" in violation for violation in axe_violations(open_page(path.as_uri()).page))


def test_a_row_cuts_no_words_that_there_is_room_for_beside_its_axis():
    note = "V3 pre-training: GPU-hours, 2.6644M GPU-hour"
    row = charts.Row("V3", note, ("50 %", "below"), "said", "basis-0", bars=(charts.Bar((0.9, 1.1), "outer", 8.0),))
    wide = charts.rows([row], name="Claims", ends=(0.5, 2.0), one="claim").split("<svg")[1]
    assert f">{note}</text>" in wide
