"""Prior files of any size, as text: a lab whose fleet, staff, spending and claims are made up."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simulate import loading
from simulate.layers import Layers
from simulate.priors import Priors

HEAD = """
schema = 1
title  = "A lab of any size"
money  = "USD 2025"

[scope]
horizon     = { value = 4, unit = "year" }
attribution = { interval = [0.3, 0.9] }
note        = "made up"

[hosting]
load        = { interval = [0.6, 0.9] }
pue         = { interval = [1.1, 1.4] }
electricity = { interval = [0.05, 0.12], unit = "USD/kWh" }
colocation  = { interval = [80, 150], unit = "USD/kW/month" }
maintenance = { interval = ["1%", "5%"], unit = "1/year" }
note        = "made up"

[staff.people]
headcount = { interval = [100, 200], unit = "person" }
pay       = { interval = [1e5, 4e5], unit = "USD/person/year" }
overhead  = { interval = [0.2, 0.5] }
note      = "made up"
"""
HEAD_UNKNOWNS, CHIP_UNKNOWNS = 9, 3

CHIP = """
[chips.c{number}]
server_cost = {{ interval = [{low}, {high}], unit = "USD/GPU" }}
power       = {{ interval = [1.2, 1.5], unit = "kW/GPU" }}
note        = "made up"

[fleet.c{number}]
count = {{ interval = [8e3, 12e3], unit = "GPU" }}
note  = "made up"
"""
FACT = "exists = { probability = 0.5 }\n"

ITEM = """
[other.item{number}]
part_of = ["company"]
amount  = {{ interval = [{low}, {high}], unit = "USD" }}
note    = "made up"
"""

CLAIM = """
[evidence.claim{number}]
quantity       = "{quantity}"
kind           = "estimate"
value          = {value}
relative_error = 0.4
unit           = "{unit}"
note           = "made up"
"""
CLAIMED = {
    "company": (5e8, "USD"),
    "ownership": (6e8, "USD"),
    "hardware": (3.5e8, "USD"),
    "operations": (2e8, "USD"),
    "gpus": (1e4, "GPU"),
}
"""What claims speak of in turn, about what it comes to for each chip, and its unit."""


@dataclass(frozen=True)
class Size:
    """How large a prior file is; facts are of as many chips, one each."""

    unknowns: int = 25
    claims: int = 5
    facts: int = 0
    chips: int = 1

    @property
    def combinations(self) -> int:
        return 2**self.facts


def text(size: Size) -> str:
    """Return a prior file: what chips and staff leave of its unknowns are items of spending."""
    items = size.unknowns - HEAD_UNKNOWNS - CHIP_UNKNOWNS * size.chips
    if items < 0 or size.facts > size.chips:
        raise ValueError(f"{size} has too few unknowns for its chips, or too few chips for its facts")
    return "".join([HEAD, *chips(size), *(item(number) for number in range(items)), *claims(size)])


def chips(size: Size) -> Iterator[str]:
    for number in range(size.chips):
        yield CHIP.format(number=number, low=26e3 + 500 * number, high=45e3 + 500 * number)
        yield FACT if number < size.facts else ""


def item(number: int) -> str:
    share = 1 + number % 7
    return ITEM.format(number=number, low=1e5 * share, high=2e6 * share)


def claims(size: Size) -> Iterator[str]:
    """Yield claims whose figures lie within a fifth of one another's middle."""
    for number in range(size.claims):
        quantity = list(CLAIMED)[number % len(CLAIMED)]
        value, unit = CLAIMED[quantity]
        there = size.chips - size.facts / 2
        spread = 0.8 + 0.4 * (number * 7 % 11) / 11
        yield CLAIM.format(number=number, quantity=quantity, value=value * there * spread, unit=unit)


def load(size: Size) -> Priors:
    """Return the checked prior file of a size, read from memory."""
    written, name = text(size), "growing.toml"
    content = tomllib.loads(written)
    return loading.check(Layers(Path(name), content, {name: written}, {name: content}))
