"""The pages of the site say what is so; that they build without a warning is checked by .ci/run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Literal

import click
import pytest
from conftest import Write
from generators import commands, keys

from simulate import cli, loading, schema
from simulate.elicitation import KEYS, MEANINGS, REFERRING

DOCS = Path(__file__).parent.parent / "docs"
STARTER = (Path(__file__).parent.parent / "simulate" / "starter.toml").read_text(encoding="utf-8")
PAGES = sorted(DOCS.rglob("*.md"))
LINES = sorted(
    {
        (path.name, line.split(" #")[0].strip())
        for path in [*PAGES, *DOCS.glob("how-to/*.md")]
        for line in path.read_text(encoding="utf-8").replace("\\\n", "").splitlines()
        if re.match(r" *(\| .* \| `)?simulate [a-z]+ [^|…]*$", line.rstrip("`| "))
    }
)


def described(node: object) -> list[str]:
    """Return the properties of a JSON Schema that have no description."""
    found = []
    for name, table in node["$defs"].items():
        found += [f"{name}.{key}" for key, item in table.get("properties", {}).items() if not says(item)]
    return found


def says(item: dict) -> bool:
    return "description" in item or "$ref" in str(item)


def test_every_key_of_a_prior_file_says_what_it_means():
    assert described(schema.json_schema()) == []


def test_every_table_and_key_of_a_prior_file_is_in_the_reference():
    page = keys.tables()
    for heading, model in keys.models():
        section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
        own = {field.alias or name for name, field in model.model_fields.items() if not keys.table_of(field)}
        assert {row.split("|")[1].strip(" `") for row in section.splitlines() if row.startswith("| `")} == own


def test_the_reference_says_unit_range_and_default_as_the_code_has_them():
    page = keys.tables()
    assert "| `count` | [quantity](#quantities), `GPU` | accelerators owned; a number above 0 | **required** |" in page
    assert re.search(r"\| `money` \| text \| .* \| `USD` \|", page)
    assert re.search(r"\| `used` \| true or false \| .* \| `true` \|", page)


def test_every_table_of_the_schema_is_in_the_reference():
    tables = {model.__name__ for _, model in keys.models()}
    assert tables == {"PriorFile", *schema.json_schema()["$defs"]} - {"Quantity", "Year", "Name"}


def test_every_key_of_a_quantity_has_a_meaning():
    assert set(MEANINGS) == KEYS | set(REFERRING)
    assert keys.numbers().count("\n| `") == len(MEANINGS) - 1


def test_types_are_said_in_words():
    assert keys.spoken(list[str]) == "list of text"
    assert keys.spoken(float | None) == "number"
    assert keys.spoken(Literal["a", "b"]) == '`"a"` or `"b"`'


def test_every_command_and_option_is_in_the_reference():
    page = commands.page()
    for name, command in cli.main.commands.items():
        section = page.split(f"## simulate {name}\n")[1].split("\n## ")[0]
        for option in (one for one in command.params if isinstance(one, click.Option)):
            assert f"| `{option.opts[0]}" in section


def test_text_of_a_help_is_no_markup_in_the_reference():
    assert commands.escaped("P(a | b) * run_cost[r1]") == r"P(a \| b) \* run\_cost\[r1\]"


@pytest.mark.parametrize(("page", "line"), LINES)
def test_a_command_in_the_pages_is_one_that_there_is(page, line):
    found = re.search(r"simulate [a-z]+ [^`]*", line)
    _, name, *arguments = shlex.split(found[0])
    arguments = arguments[: arguments.index(">")] if ">" in arguments else arguments
    cli.main.commands[name].make_context(name, arguments)


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", (DOCS / "how-to/add-evidence.md").read_text(), re.S))
def test_a_claim_that_a_page_shows_is_heard(block, write: Write):
    text = re.sub(r"\[evidence\.analyst\].*?\n\n", block + "\n", STARTER, flags=re.S)
    assert [claim.name for claim in loading.load(str(write(text))).evidence].count("analyst") == 1
