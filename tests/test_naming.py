"""Names: every key of a prior file and every quantity has one, and no two entries are called the same."""

from __future__ import annotations

from types import NoneType
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from simulate import ledger, naming, schema

KEYS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,3}", fullmatch=True)


def of_schema() -> dict[str, set[str]]:
    """Return the keys of each section of a prior file that hold a number or a fact."""
    found: dict[str, set[str]] = {}
    for section, field in schema.PriorFile.model_fields.items():
        table = [one for one in (*get_args(field.annotation), field.annotation) if one is not NoneType]
        for one in table:
            if isinstance(one, type) and issubclass(one, schema.Table):
                found[section] = {key for key in one.model_fields if schema.is_entry_field(one, key)}
    return {section: keys for section, keys in found.items() if keys}


def test_every_key_of_every_section_has_words_and_every_section_a_title():
    words = {section: set(keys) for section, keys in naming.ENTRIES.items()}
    assert words == {**of_schema(), "groups": {"error"}}
    assert naming.SECTIONS.keys() == words.keys()


def test_every_quantity_of_the_ledger_has_a_name():
    assert naming.QUANTITIES.keys() == ledger.QUANTITIES.keys() | {"gpu_hours"}
    assert tuple(naming.SCOPE_LABELS) == ledger.SCOPES


def test_a_quantity_has_a_capital_only_where_it_stands_by_itself():
    named = naming.Names.among([], {})("hardware")
    assert (named.words, named.name) == ("server hardware", "Server hardware")


@given(st.dictionaries(KEYS, KEYS | st.just("H800")), st.lists(KEYS, unique=True, min_size=2))
def test_no_two_entries_have_the_same_name(labels: dict[str, str], keys: list[str]) -> None:
    paths = [f"{section}.{key}.{last}" for section in ("chips", "fleet", "runs", "staff", "other") for key in keys
             for last in naming.ENTRIES[section]]  # fmt: skip
    names = naming.Names.among(paths, labels)
    assert len({names(path).name for path in paths}) == len(paths)


def test_a_label_that_two_tables_share_gives_way_to_their_keys():
    names = naming.Names.among(["chips.h800.power", "chips.old.power", "fleet.h800.count"], {"h800": "H", "old": "H"})
    said = [names(path).name for path in ("chips.h800.power", "chips.old.power", "fleet.h800.count")]
    assert said == ["h800: rated power", "Old: rated power", "H: number owned"]


@given(st.text())
def test_whatever_is_named_has_a_name(path: str) -> None:
    assert bool(naming.Named(naming.words(path, {}), path).name.strip()) == bool(path.strip())
