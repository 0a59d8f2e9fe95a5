"""Units of the ledger, and the one conversion a number gets: when it is parsed.

A registry of our own holds only the units of the field, so that a slip such as ``k USD`` is an
error (pint's default registry reads it as US dollars times the Boltzmann constant). A year is
365.25 days (8766 hours), a month a twelfth of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint

DEFINITIONS = (
    "kilo- = 1e3 = k-",
    "mega- = 1e6 = M-",
    "giga- = 1e9 = G-",
    "tera- = 1e12 = T-",
    "peta- = 1e15 = P-",
    "USD = [money]",
    "GPU = [accelerator]",
    "person = [person]",
    "parameter = [parameter]",
    "token = [token]",
    "FLOP = [operation]",
    "second = [time] = s",
    "minute = 60 * second",
    "hour = 3600 * second = h",
    "day = 24 * hour",
    "week = 7 * day",
    "year = 365.25 * day",
    "month = year / 12",
    "watt = [power] = W",
    "watt_hour = watt * hour = Wh",
    "percent = 0.01",
)
COMMON = {
    ("%", ""): 0.01,
    ("percent", ""): 0.01,
    ("%/year", "1/year"): 0.01,
    ("kUSD", "USD"): 1e3,
    ("MUSD", "USD"): 1e6,
    ("USD/month", "USD/year"): 12.0,
    ("kUSD/GPU", "USD/GPU"): 1e3,
    ("USD/GPU/hour", "USD/GPU-hour"): 1.0,
    ("USD/GPU/h", "USD/GPU-hour"): 1.0,
    ("USD/GPU-h", "USD/GPU-hour"): 1.0,
    ("W/GPU", "kW/GPU"): 1e-3,
    ("TFLOP/s/GPU", "FLOP/second/GPU"): 1e12,
    ("TFLOP/second/GPU", "FLOP/second/GPU"): 1e12,
    ("USD/MWh", "USD/kWh"): 1e-3,
    ("USD/kW-month", "USD/kW/month"): 1.0,
    ("USD/kW/year", "USD/kW/month"): 1 / 12,
    ("month", "year"): 1 / 12,
    ("months", "year"): 1 / 12,
    ("years", "year"): 1.0,
    ("GPUs", "GPU"): 1.0,
    ("GPU-hours", "GPU-hour"): 1.0,
    ("GPU-days", "GPU-hour"): 24.0,
    ("MGPU-hour", "GPU-hour"): 1e6,
    ("parameters", "parameter"): 1.0,
    ("tokens", "token"): 1.0,
    ("persons", "person"): 1.0,
    ("USD/person/month", "USD/person/year"): 12.0,
    ("kUSD/person/year", "USD/person/year"): 1e3,
}
"""What the registry answers to the common spellings: importing pint takes longer than all else of a check (tested)."""
PLAIN = ("", "1", "dimensionless")
ALLOWED = re.compile(r"(1\s*/)?[A-Za-z_%$*/()\- ]*")
COMPOUND = re.compile(r"[A-Za-z_]+(?:-[A-Za-z_]+)+")
LONGEST = 60


class UnitError(ValueError):
    """A unit that is unknown, or of another dimension than the place it stands in."""


@lru_cache(maxsize=64)
def registry(currencies: tuple[tuple[str, float], ...] = ()) -> pint.UnitRegistry:
    """Return the registry, with ``currencies`` given as (code, worth of one in USD)."""
    import pint

    units: pint.UnitRegistry = pint.UnitRegistry(None)
    for definition in DEFINITIONS:
        units.define(definition)
    for code, worth in currencies:
        units.define(f"{code} = {worth!r} * USD")
    return units


def canonical_spelling(unit: str) -> str:
    """Return ``unit`` as pint reads it: ``GPU-hour`` is a product, ``%`` is percent, ``$`` is USD.

    >>> canonical_spelling("USD/GPU-hour")
    'USD/(GPU*hour)'
    """
    spelled = unit.strip().replace("%", "percent").replace("$", "USD")
    return COMPOUND.sub(lambda match: "(" + match.group().replace("-", "*") + ")", spelled)


@lru_cache(maxsize=1024)
def factor(unit: str, wanted: str, currencies: tuple[tuple[str, float], ...] = ()) -> float:
    """Return the number that turns a value in ``unit`` into one in ``wanted``.

    Raises `UnitError` when ``unit`` is unknown or has another dimension than ``wanted``.

    >>> factor("kW/GPU", "watt/GPU")
    1000.0
    """
    if len(unit) > LONGEST:  # before anything whose time grows with the square of the length
        raise UnitError(f"unknown unit {unit[:LONGEST]!r}")
    if canonical_spelling(unit) == canonical_spelling(wanted) or {unit, wanted} <= set(PLAIN):
        return 1.0
    known = COMMON.get((unit, wanted))
    return converted(unit, wanted, currencies) if known is None else known


def converted(unit: str, wanted: str, currencies: tuple[tuple[str, float], ...] = ()) -> float:
    """Return the factor by the registry. Raises `UnitError` as `factor` does."""
    import pint

    units = registry(currencies)
    try:
        if not ALLOWED.fullmatch(unit):
            raise ValueError
        given = units.Quantity(1.0, "" if unit in PLAIN else canonical_spelling(unit))
        return float(given.to("" if wanted in PLAIN else canonical_spelling(wanted)).magnitude)
    except pint.DimensionalityError:
        raise UnitError(f"unit {unit!r} does not convert to {spoken(wanted)}") from None
    except Exception:  # pint raises its parser's errors as they come: tokenizer, attribute, recursion
        raise UnitError(f"unknown unit {unit[:LONGEST]!r}") from None


@lru_cache(maxsize=1024)
def parsed(unit: str) -> Any:
    """Return a unit as pint's own, to compute with. Raises `UnitError` when it is unknown.

    >>> str(parsed("GPU-hour") / parsed("GPU"))
    'hour'
    """
    try:
        if len(unit) > LONGEST or not (unit in PLAIN or ALLOWED.fullmatch(unit)):
            raise ValueError
        return registry().Unit("" if unit in PLAIN else canonical_spelling(unit))
    except Exception:  # as above
        raise UnitError(f"unknown unit {unit[:LONGEST]!r}") from None


def composed(first: Any, second: Any, power: int) -> tuple[float, Any]:
    """Return the factor and the unit of ``first * second**power``, units as `parsed` returns them.

    Units of one dimension are merged into one, and cancel where they can.

    >>> scale, unit = composed(parsed("kW"), parsed("watt"), -1)
    >>> round(scale), written(unit)
    (1000, '')
    """
    found = registry().Quantity(1.0, first * second**power).to_reduced_units()
    return float(found.magnitude), found.units


def conversion(unit: Any, wanted: Any) -> float | None:
    """Return the number that turns a value in ``unit`` into one in ``wanted``, both `parsed`; None where none does.

    >>> conversion(parsed("year"), parsed("hour")), conversion(parsed("USD"), parsed("GPU"))
    (8766.0, None)
    """
    if unit == wanted:
        return 1.0
    if unit.dimensionality != wanted.dimensionality:
        return None
    return float(registry().Quantity(1.0, unit).to(wanted).magnitude)


def written(unit: Any) -> str:
    """Return a unit as the ledger writes it; nothing for a plain number.

    >>> written(parsed("USD") / parsed("GPU-hour")), written(parsed("USD") * parsed("USD")), written(parsed("1"))
    ('USD/GPU/hour', 'USD^2', '')
    """
    if unit.dimensionless:
        return ""
    spelled = f"{unit:C}".replace("**", "^").replace("*", "-")
    return spelled.replace("kilowatt_hour", "kWh").replace("kilowatt", "kW")


def spoken(unit: str) -> str:
    """Return a unit as a message names it; a plain number has none."""
    return "a plain number" if unit in PLAIN else unit


PLURALS = {"person": "people", **{unit: f"{unit}s" for unit in ("year", "month", "week", "day", "hour")}}


def counted(number: str, unit: str) -> str:
    """Return a number, or a range in words, with its unit as it stands behind it; an accelerator has one form alone.

    >>> counted("4", "year"), counted("1", "year"), counted("6 to 30", "month"), counted("8k", "GPU"), counted("2", "")
    ('4 years', '1 year', '6 to 30 months', '8k GPU', '2')
    """
    return f"{number} {unit if number == '1' else PLURALS.get(unit, unit)}".strip()
