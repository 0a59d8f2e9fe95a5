"""From what an analyst writes to a distribution: numbers, intervals, quantiles, parameters.

An entry of a prior file is one of

- a number, ``2048``, or a text, ``"8k to 12k GPU"``, ``"2 USD/GPU-hour"``, ``"5% to 20%"``;
- a table with exactly one of ``value``, ``interval`` (with ``level``), quantiles (``q05``, ``q50``,
  ``q95`` …) or the parameters of a ``family``, and ``unit``, ``sources``, ``note``;
- where disclosed cases can answer, a table with ``reference``: see `simulate.reference`.

An interval is the central 90 % one unless ``level`` says otherwise: its ends *are* the 5th and the
95th percentile. The family defaults to what the place in the file admits: log-normal for positive
quantities and logit-normal between two bounds. What may be negative needs a family that can be.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulate.distributions import (
    INFINITY,
    Distribution,
    Mixture,
    Standard,
    from_quantiles,
)
from simulate.errors import Fault
from simulate.families import BUILDERS, solve_quantiles, student_t
from simulate.units import UnitError, counted, factor, spoken

DEFAULT_LEVEL = 0.9
LARGEST = 1e30
"""No quantity of this field comes near; beyond it a slip is likelier than a number."""

MOST_COMPONENTS = 100
"""Of a mixture; its quantiles are found by searches over all of them."""

SUFFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "bn": 1e9, "T": 1e12, "%": 0.01}
DIGITS = r"(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+(?:_[0-9]+)*)"
"""Commas group thousands; a decimal comma is no number here."""
NUMBER = rf"[-+]?{DIGITS}(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?:bn|[kKMBT](?![A-Za-z])|%)?"
SINGLE = re.compile(rf"\s*(?P<low>{NUMBER})\s*(?P<unit>(?:1\s*/)?[^\d\s][^\d]*)?$")
RANGE = re.compile(rf"\s*(?P<low>{NUMBER})\s+to\s+(?P<high>{NUMBER})\s*(?P<unit>(?:1\s*/)?[^\d\s][^\d]*)?$")
QUANTILES = {f"q{percent:02d}": percent / 100 for percent in (1, 5, 10, 20, 25, 50, 75, 80, 90, 95, 99)}
GIVEN_BY = ("value", "interval", "quantiles", "parameters")

PARAMETERS: dict[str, tuple[frozenset[str], ...]] = {
    "normal": (frozenset({"mean", "sd"}),),
    "lognormal": (frozenset({"median", "sigma"}), frozenset({"mean", "sd"})),
    "logitnormal": (frozenset({"median", "sigma"}),),
    "truncated-normal": (frozenset({"mean", "sd"}),),
    "uniform": (frozenset({"low", "high"}),),
    "loguniform": (frozenset({"low", "high"}),),
    "triangular": (frozenset({"low", "mode", "high"}),),
    "pert": (frozenset({"low", "mode", "high"}),),
    "beta": (frozenset({"alpha", "beta"}),),
    "gamma": (frozenset({"shape", "scale"}), frozenset({"mean", "sd"})),
    "student-t": (frozenset({"df", "location", "scale"}),),
    "three-quantile": (),
    "mixture": (frozenset({"components"}),),
}
"""Each family and the sets of parameters that define it, besides intervals and quantiles."""

UNITLESS = frozenset({"sigma", "alpha", "beta", "shape", "df", "level", "weight"})
POSITIVE = frozenset({"sd", "sigma", "alpha", "beta", "shape", "df"})
SIGNED = frozenset({"normal", "student-t", "truncated-normal", "uniform", "triangular", "pert"})
"""Families that may reach below zero where the place admits it; the others are taken to be positive."""
FITTED_BY_QUANTILES = frozenset(PARAMETERS) - {"triangular", "pert", "mixture"}
PARAMETER_NAMES = frozenset().union(*(names for sets in PARAMETERS.values() for names in sets))
SPOKEN = ("low", "mode", "high", "median", "mean", "location", "sd", "sigma", "shape", "scale", "df", "alpha", "beta")
"""Parameters in the order in which one says them."""
BOUNDS = ("lower", "upper")
REMARKS = ("unit", "source", "sources", "note")
REFERRING = ("reference", "within", "architecture", "chip", "without")
KEYS = frozenset({"value", "interval", "level", "family", "text", *BOUNDS, *REMARKS, *QUANTILES, *PARAMETER_NAMES})
MEANINGS = {
    "value": "a fixed number",
    "text": "a number or an interval with its unit, as in the form without a table",
    "interval": "two ends, [low, high] or 'low to high': its quantiles, exactly",
    "level": "probability between the ends of the interval, the rest in equal parts outside",
    "family": "of the distribution; from what else is given and the range of the place, where not stated",
    **{key: f"{100 * p:g} % of the probability lies below" for key, p in QUANTILES.items()},
    "mean": "parameter: the mean (of a truncated-normal: before it is truncated)",
    "sd": "parameter: the standard deviation (of a truncated-normal: before it is truncated)",
    "median": "parameter: the median",
    "sigma": "parameter: the standard deviation of the logarithm, or of the logit",
    "low": "parameter: the least value there can be",
    "mode": "parameter: the most probable value",
    "high": "parameter: the largest value there can be",
    "alpha": "parameter: the first shape of a beta",
    "beta": "parameter: the second shape of a beta",
    "shape": "parameter: the shape of a gamma",
    "scale": "parameter: the scale of a gamma or of a student-t",
    "df": "parameter: the degrees of freedom of a student-t",
    "location": "parameter: the centre of a student-t",
    "components": "of a mixture: tables with a weight and a distribution each",
    "lower": "bound below which it cannot be, where that of the place is too wide",
    "upper": "bound above which it cannot be, likewise",
    "unit": "that of the place, or one that converts to it",
    "source": "the name of one of `sources`",
    "sources": "names of `sources` that say so",
    "note": "how it is known, in words; an entry has a source or a note",
    "reference": "the table of disclosed cases that answers: training_runs for an MFU, research_multipliers",
    "within": "a class of disclosed cases that is asked in place of all",
    "architecture": "of the run that is asked about: dense or moe",
    "chip": "the class of chips that it ran on; that of the run's chip, unless given",
    "without": "a family of disclosed runs that is left out",
}
"""What each key of the table form of an entry means."""


@dataclass(frozen=True)
class Place:
    """What a place in the prior file admits: the unit it is kept in, its range, what it means."""

    unit: str
    meaning: str
    lower: float = 0.0
    upper: float = INFINITY
    closed: bool = True
    """Whether a fixed value may be the lower bound itself; not so where it divides."""
    reference: str = ""
    """The table of disclosed cases that can answer for it."""

    def range_in_words(self) -> str:
        if math.isinf(self.lower) and math.isinf(self.upper):
            return "any number"
        if math.isinf(self.upper):
            return f"a number above {self.lower:g}"
        return f"a number between {self.lower:g} and {self.upper:g}"


@dataclass(frozen=True)
class Reference:
    """A request for what disclosed cases say: of which ``table``, ``within`` which of its classes.

    ``architecture`` and ``chip`` are traits of what is asked about, empty where not given; the cases of
    the family ``without`` are left out, so that a run does not vouch for itself.
    """

    table: str
    within: str = ""
    architecture: str = ""
    chip: str = ""
    without: str = ""


@dataclass(frozen=True)
class Entry:
    """A number of the prior file with its unit and its provenance.

    Exactly one of ``value`` (a constant) and ``distribution`` (an unknown) is set; both are in
    ``unit``, the unit of the place. Until its ``reference`` is followed, an entry that has one has
    neither.
    """

    unit: str
    value: float | None = None
    distribution: Distribution | None = None
    sources: tuple[str, ...] = ()
    note: str = ""
    given: str = ""
    """How the file gives it, in its own unit, for a reader."""
    reference: Reference | None = None


class FaultsFound(ValueError):
    """Everything wrong with one entry; each fault's path is relative to the entry."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(str(fault) for fault in faults))


@dataclass
class Reading:
    """The faults met while one entry is read; reading goes on as far as it can."""

    place: Place
    currencies: tuple[tuple[str, float], ...]
    faults: list[Fault] = field(default_factory=list)

    def fault(self, key: str, found: str, mend: str) -> None:
        self.faults.append(Fault(key, found, mend))

    def stop(self, key: str, found: str, mend: str) -> FaultsFound:
        self.fault(key, found, mend)
        return FaultsFound(self.faults)


def elicit(raw: Any, place: Place, currencies: tuple[tuple[str, float], ...] = ()) -> Entry:
    """Return the entry that ``raw`` (a number, a text or a table) gives at ``place``.

    Raises `FaultsFound` with everything that is wrong with it.
    """
    reading = Reading(place, currencies)
    if isinstance(raw, Mapping) and "reference" in raw:
        return referring(raw, reading)
    table = as_table(raw, reading)
    check_keys(table, reading)
    scale = unit_factor(table, reading)
    value, distribution = None, None
    if not reading.faults:
        way = way_given(table, reading)
        if way == "value":
            value = fixed(table, scale, reading)
        elif way:
            distribution = distribution_of(table, scale, place, reading)
    sources, note = provenance(table, reading)
    if reading.faults:
        raise FaultsFound(reading.faults)
    return Entry(place.unit, value, distribution, sources, note, spoken_form(table))


def referring(table: Mapping[str, Any], reading: Reading) -> Entry:
    """Return the entry of a table that refers to disclosed cases; they need no further source."""
    wanted = reading.place.reference
    for key in sorted(set(table) - {*REFERRING, *REMARKS}, key=str):
        reading.fault(str(key), "stands beside a reference", f"known here: {', '.join((*REFERRING, *REMARKS))}")
    if not wanted:
        reading.fault("reference", "no disclosed cases answer this", "give a value, an interval or quantiles")
    elif table["reference"] != wanted:
        reading.fault("reference", f"{str(table['reference'])[:40]!r} does not speak of this", f'write "{wanted}"')
    for key in REFERRING[1:]:
        if not isinstance(table.get(key, ""), str):
            reading.fault(key, f"{str(table[key])[:40]!r} is not a text", "write a name in quotes")
    sources, note = provenance({"note": "as disclosed cases have it", **table}, reading)
    if reading.faults:
        raise FaultsFound(reading.faults)
    asked = Reference(*(str(table.get(key, "")) for key in REFERRING))
    return Entry(reading.place.unit, sources=sources, note=note, reference=asked)


# ---------------------------------------------------------------------------------------------
# Reading


def as_table(raw: Any, reading: Reading) -> dict[str, Any]:
    """Return the table form of a bare number, a text or a table whose ``interval`` or ``text`` is text."""
    table = dict(raw) if isinstance(raw, Mapping) else {"text" if isinstance(raw, str) else "value": raw}
    key = "interval" if isinstance(table.get("interval"), str) else "text"
    if key not in table:
        return table
    text = table.pop(key)
    if key == "interval" and not RANGE.match(text):
        raise reading.stop("interval", f"{text[:60]!r} is not an interval", 'write "8k to 12k"')
    if beside := sorted(table.keys() & {"text", "value", "interval"}):
        raise reading.stop("", f"given in 2 ways ({key}, {beside[0]})", "keep one")
    if not isinstance(text, str):
        raise reading.stop("", f"{text!r} is not a text", 'write "8k to 12k GPU" or "2 USD/GPU-hour"')
    if match := RANGE.match(text):
        table["interval"] = [match["low"], match["high"]]
    elif match := SINGLE.match(text):
        table["value"] = match["low"]
    else:
        raise reading.stop("", f"{text[:60]!r} is not understood", 'write "8k to 12k GPU" or "2 USD/GPU-hour"')
    if match["unit"]:
        unit = match["unit"].strip()
        unit = f"1{unit}" if unit.startswith("/") else unit
        if table.get("unit", unit) != unit:
            raise reading.stop("unit", f"two units, {unit!r} and {table['unit']!r}", "keep one")
        table["unit"] = unit
    return table


def check_keys(table: Mapping[str, Any], reading: Reading) -> None:
    for key in sorted(set(table) - KEYS, key=str):
        reading.fault(str(key), "unknown key", f"known here: {', '.join(sorted(KEYS - {'text'}))}")


def provenance(table: Mapping[str, Any], reading: Reading) -> tuple[tuple[str, ...], str]:
    """Return the source names and the note of a table; a fault when it has neither."""
    names: list[str] = []
    for key in ("source", "sources"):
        given = table.get(key, [])
        listed = [given] if isinstance(given, str) else given
        if isinstance(listed, list) and all(isinstance(name, str) for name in listed):
            names += listed
        else:
            reading.fault(key, f"{str(given)[:60]!r} is not a list of source names", 'write sources = ["name", …]')
            return (), ""
    note = table.get("note", "")
    if not isinstance(note, str):
        reading.fault("note", f"{str(note)[:60]!r} is not a text", "write a sentence in quotes")
    elif not names and not note.strip():
        reading.fault("", "no source and no note", 'add sources = ["…"], or a note that says how it is known')
    return tuple(dict.fromkeys(names)), str(note)


def unit_factor(table: Mapping[str, Any], reading: Reading) -> float:
    """Return the factor from the unit given to that of the place; a plain number needs no unit."""
    unit, wanted = table.get("unit"), reading.place.unit
    if unit is None:
        if wanted:
            reading.fault("unit", "no unit", f'write unit = "{wanted}" or one that converts to it')
        return 1.0
    if not isinstance(unit, str):
        reading.fault("unit", f"{unit!r} is not a text", f'write unit = "{wanted}"')
        return 1.0
    try:
        return factor(unit, wanted, reading.currencies)
    except UnitError as error:
        reading.fault("unit", str(error), f"give it in {spoken(wanted)} or what converts to it")
        return 1.0


def way_given(table: Mapping[str, Any], reading: Reading) -> str:
    """Return how the number is given; a fault unless it is in exactly one of the ways."""
    ways = [
        way
        for way, keys in zip(GIVEN_BY, ({"value"}, {"interval"}, QUANTILES.keys(), PARAMETER_NAMES), strict=True)
        if keys & table.keys()
    ]
    if ways in (["interval", "parameters"], ["quantiles", "parameters"]) and (
        table.get("family") == "student-t" and PARAMETER_NAMES & table.keys() == {"df"}
    ):
        ways = ways[:1]
    if len(ways) == 1:
        return ways[0]
    found = f"given in {len(ways)} ways ({', '.join(ways)})" if ways else "no number"
    reading.fault("", found, "give a value, an interval, quantiles, or a family with its parameters")
    return ""


def number(table: Mapping[str, Any], key: str, reading: Reading, raw: Any = None) -> float:
    """Return a finite number; text may carry a suffix (``8k``, ``1.6bn``, ``5%``). NaN after a fault."""
    raw = table[key] if raw is None else raw
    parsed = parse_number(raw)
    if parsed is None:
        reading.fault(key, f"{str(raw)[:60]!r} is not a number", 'write digits, such as 8000 or "8k"')
        return math.nan
    if not math.isfinite(parsed) or abs(parsed) > LARGEST:
        reading.fault(key, f"{parsed!r} is no amount of anything here", "give a finite number of a sane size")
        return math.nan
    return parsed


def parse_number(raw: Any) -> float | None:
    """Return the number written as ``raw``, or None.

    >>> parse_number("1.6bn"), parse_number("5%"), parse_number(True)
    (1600000000.0, 0.05, None)
    """
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    if not isinstance(raw, str):
        try:
            return float(raw)
        except OverflowError:
            return INFINITY
    if not re.fullmatch(NUMBER, raw.strip()):
        return None
    digits = raw.strip().rstrip("bnkKMBT%")
    suffix = raw.strip()[len(digits) :]
    return float(digits.replace("_", "").replace(",", "")) * SUFFIXES[suffix] if suffix in SUFFIXES else None


def fixed(table: Mapping[str, Any], scale: float, reading: Reading) -> float:
    place = reading.place
    for key in sorted(table.keys() & {"level", "family", *BOUNDS}):
        reading.fault(key, "stands beside a fixed value", "drop it, or give an interval")
    value = number(table, "value", reading) * scale
    if abs(value) > LARGEST and not reading.faults:
        reading.fault("value", f"{value:g} is no amount of anything here", "give a finite number of a sane size")
    elif value < place.lower or value > place.upper or (value == place.lower and not place.closed):
        reading.fault("value", f"{value:g} is outside its range", f"give {place.range_in_words()}")
    return value


# ---------------------------------------------------------------------------------------------
# Building


def distribution_of(table: Mapping[str, Any], scale: float, place: Place, reading: Reading) -> Distribution | None:
    """Return the distribution in the unit of the place, or None after a fault."""
    lower, upper = bounds_of(table, scale, place, reading)
    family = family_of(table, lower, upper, reading)
    if reading.faults:
        return None
    built: Distribution | None
    if family == "mixture":
        built = mixture(table, scale, place, reading)
    elif table.keys() & (QUANTILES.keys() | {"interval"}):
        built = by_quantiles(family, table, scale, lower, upper, reading)
    else:
        built = by_parameters(family, table, scale, lower, upper, reading)
    if built is not None:
        check_support(built, Place(place.unit, place.meaning, lower, upper), reading)
    return built


def bounds_of(table: Mapping[str, Any], scale: float, place: Place, reading: Reading) -> tuple[float, float]:
    assumed = place.lower if str(table.get("family")) in SIGNED or "components" in table else max(place.lower, 0.0)
    lower = number(table, "lower", reading) * scale if "lower" in table else assumed
    upper = number(table, "upper", reading) * scale if "upper" in table else place.upper
    if lower < place.lower or upper > place.upper:
        reading.fault(
            "lower" if lower < place.lower else "upper",
            "outside the range of this quantity",
            f"it is {place.range_in_words()}",
        )
    if lower >= upper:
        reading.fault("lower", f"the bounds {lower:g} and {upper:g} leave nothing between them", "swap or widen them")
    return lower, upper


def family_of(table: Mapping[str, Any], lower: float, upper: float, reading: Reading) -> str:
    given = table.get("family")
    if given is not None and (not isinstance(given, str) or given not in PARAMETERS):
        reading.fault("family", f"unknown family {str(given)[:60]!r}", f"choose one of {', '.join(PARAMETERS)}")
    if given is not None:
        return str(given)
    if "components" in table:
        return "mixture"
    if PARAMETER_NAMES & table.keys():
        reading.fault("family", "parameters without a family", f"choose one of {', '.join(PARAMETERS)}")
    if len(QUANTILES.keys() & table.keys()) == 3:
        return "three-quantile"
    return "lognormal" if math.isinf(upper) else "logitnormal"


def quantiles_of(table: Mapping[str, Any], scale: float, reading: Reading) -> dict[float, float]:
    """Return probability → value in the unit of the place, increasing; empty after a fault."""
    if "interval" in table:
        if QUANTILES.keys() & table.keys():
            reading.fault("interval", "stands beside quantiles", "keep one")
        ends, level = table["interval"], table.get("level", DEFAULT_LEVEL)
        if not isinstance(ends, list) or len(ends) != 2:
            reading.fault("interval", f"{str(ends)[:60]} is not two numbers", "write interval = [low, high]")
            return {}
        level = number(table, "level", reading) if "level" in table else level
        if not 0 < level < 1:
            reading.fault("level", f"{level!r} is not a probability", "a 90 % interval has level = 0.9")
            return {}
        tail = (1 - level) / 2
        given = {
            tail: number(table, "interval", reading, ends[0]),
            1 - tail: number(table, "interval", reading, ends[1]),
        }
    else:
        if "level" in table:
            reading.fault("level", "stands beside quantiles", "drop it: q05 is the 5th percentile")
        given = {p: number(table, key, reading) for key, p in QUANTILES.items() if key in table}
    values = list(given.values())
    if not reading.faults and any(a >= b for a, b in itertools.pairwise(values)):
        words = " to ".join(f"{value:g}" for value in values)
        reading.fault(
            "interval" if "interval" in table else "", f"{words} does not increase", "put the lower end first"
        )
    return {} if reading.faults else {p: value * scale for p, value in given.items()}


def by_quantiles(
    family: str, table: Mapping[str, Any], scale: float, lower: float, upper: float, reading: Reading
) -> Distribution | None:
    if family not in FITTED_BY_QUANTILES:
        reading.fault("family", f"{family} does not come from an interval", "give low, mode and high")
        return None
    quantiles = quantiles_of(table, scale, reading)
    if reading.faults:
        return None
    wanted = 3 if family == "three-quantile" else 2
    if len(quantiles) != wanted:
        reading.fault("", f"{len(quantiles)} quantile(s) for {family}", f"give {wanted}")
        return None
    if family in ("normal", "student-t", "uniform"):
        lower, upper = -INFINITY, INFINITY
    outside = [value for value in quantiles.values() if not lower < value < upper]
    if outside or (family == "loguniform" and min(quantiles.values()) <= 0):
        key = "interval" if "interval" in table else ""
        refuse_outside(key, family, outside or list(quantiles.values()), (lower, upper), reading)
        return None
    try:
        return fit_quantiles(family, quantiles, lower, upper, table, reading)
    except ValueError as error:
        reading.fault("", str(error), "use other quantiles or another family")
        return None


def refuse_outside(
    key: str, family: str, values: list[float], bounds_given: tuple[float, float], reading: Reading
) -> None:
    """Say that quantiles reach outside what the family can, and what would do."""
    lower, upper = bounds_given
    ends = f"above {lower:g}" if math.isinf(upper) else f"between {lower:g} and {upper:g}"
    bounds = [f"lower = {lower:g}"] + ([] if math.isinf(upper) else [f"upper = {upper:g}"])
    if math.isinf(reading.place.lower):
        mend = 'use family = "normal"'
    else:
        mend = f'move the end inside, or use family = "truncated-normal" with a mean, a sd and {", ".join(bounds)}'
    reading.fault(
        key,
        f"{', '.join(f'{value:g}' for value in values)} cannot be a quantile of a {family} that lies {ends}",
        mend,
    )


def fit_quantiles(
    family: str,
    quantiles: dict[float, float],
    lower: float,
    upper: float,
    table: Mapping[str, Any],
    reading: Reading,
) -> Distribution | None:
    if family in ("normal", "three-quantile"):
        return from_quantiles(quantiles, lower, upper)
    if family == "lognormal":
        return from_quantiles(quantiles, lower, INFINITY)
    if family == "logitnormal":
        if math.isinf(upper):
            raise ValueError("a logitnormal needs an upper bound")
        return from_quantiles(quantiles, lower, upper)
    (p, a), (q, b) = sorted(quantiles.items())
    if family == "uniform":
        slope = (b - a) / (q - p)
        low, high = a - slope * p, a + slope * (1 - p)
        return Standard("uniform", (("low", low), ("high", high)), (low, high))
    if family == "loguniform":
        slope = math.log(b / a) / (q - p)
        low, high = a * math.exp(-slope * p), a * math.exp(slope * (1 - p))
        return Standard("loguniform", (("low", low), ("high", high)), (low, high))
    if family == "student-t":
        if "df" not in table:
            raise ValueError("a student-t from quantiles needs df")
        from scipy.special import stdtrit

        df = number(table, "df", reading)
        if not df > 0:
            raise ValueError("df must be above 0")
        low, high = (float(stdtrit(df, probability)) for probability in (p, q))
        width = (b - a) / (high - low)
        return student_t(df, a - width * low, width)
    return solve_quantiles(family, ((p, a), (q, b)), lower, upper)


def by_parameters(
    family: str, table: Mapping[str, Any], scale: float, lower: float, upper: float, reading: Reading
) -> Distribution | None:
    if "level" in table:
        reading.fault("level", "stands beside parameters", "drop it, or give an interval")
    given = frozenset(PARAMETER_NAMES & table.keys())
    if given not in PARAMETERS[family]:
        wanted = " or ".join("{" + ", ".join(sorted(names)) + "}" for names in PARAMETERS[family])
        reading.fault("", f"{family} with {{{', '.join(sorted(given))}}}", f"give {wanted or 'q05, q50 and q95'}")
        return None
    p = {key: number(table, key, reading) * (1.0 if key in UNITLESS else scale) for key in sorted(given)}
    for key in sorted(given & (POSITIVE | ({"scale"} if family in ("gamma", "student-t") else frozenset()))):
        if p[key] <= 0:
            reading.fault(key, f"{p[key]:g} is not above 0", "give a positive number")
    order = [p[key] for key in ("low", "mode", "high") if key in p]
    if order and (order != sorted(order) or order[0] == order[-1]):
        reading.fault("low", f"{' ≤ '.join(f'{v:g}' for v in order)} does not hold", "order low, mode, high")
    if reading.faults:
        return None
    try:
        built: Distribution = BUILDERS[family](p, lower, upper)
        return built
    except ValueError as error:
        reading.fault("", str(error), "use other parameters or another family")
        return None


def mixture(table: Mapping[str, Any], scale: float, place: Place, reading: Reading) -> Mixture | None:
    """Return a mixture of the ``components``, each a distribution with a ``weight``, in the unit of the table."""
    for key in sorted(table.keys() & (PARAMETER_NAMES | {"level"}) - {"components"}):
        reading.fault(key, "stands beside components", "give it in the component it belongs to")
    parts = table.get("components")
    if isinstance(parts, list) and len(parts) > MOST_COMPONENTS:
        reading.fault("components", f"{len(parts)} components", f"give at most {MOST_COMPONENTS}")
        return None
    if not isinstance(parts, list) or len(parts) < 2 or not all(isinstance(part, Mapping) for part in parts):
        reading.fault("components", "not a list of two or more tables", "each has a weight and a distribution")
        return None
    components, weights = [], []
    for position, part in enumerate(parts):
        inner = Reading(place, reading.currencies)
        weights.append(weight_of(part, inner))
        components.append(component(part, scale, inner))
        reading.faults += [
            Fault(f"components[{position}].{fault.path}".rstrip("."), fault.found, fault.mend) for fault in inner.faults
        ]
    if reading.faults:
        return None
    return Mixture(tuple(c for c in components if c), tuple(w / sum(weights) for w in weights))


def weight_of(part: Mapping[str, Any], reading: Reading) -> float:
    weight = number(part, "weight", reading) if "weight" in part else 0.0
    if not weight > 0:
        found = f"{weight:g} is not above 0" if "weight" in part else "missing, so it is not above 0"
        reading.fault("weight", found, "give each component a positive weight")
    return weight


def component(part: Mapping[str, Any], scale: float, reading: Reading) -> Distribution | None:
    """Return the distribution of one component of a mixture, or None after a fault."""
    try:
        body = as_table({key: value for key, value in part.items() if key != "weight"}, reading)
    except FaultsFound:
        return None
    check_keys(body, reading)
    for key in sorted(body.keys() & {*REMARKS, "components"}):
        reading.fault(key, "stands in a component", "give it once, beside components")
    way = way_given(body, reading) if not reading.faults else ""
    if way == "value":
        reading.fault("", "a fixed value in a mixture", "give an interval; a fact that is in dispute is an `exists`")
    return distribution_of(body, scale, reading.place, reading) if not reading.faults else None


def check_support(distribution: Distribution, place: Place, reading: Reading) -> None:
    """Refuse a family that reaches where the quantity cannot be; nothing is clipped later."""
    low, high = distribution.support
    if low >= place.lower and high <= place.upper:
        return
    ends = "log-normal" if math.isinf(place.upper) else "logit-normal or beta"
    reading.fault(
        "family",
        f"{distribution.family} from {low:g} to {high:g} reaches outside the quantity's range",
        f"it is {place.range_in_words()}: use a {ends}, or a truncated-normal",
    )


def spoken_form(table: Mapping[str, Any]) -> str:
    """Return how the file gives the number, in words: ``8k to 12k GPU (90 %)``."""
    unit = str(table.get("unit") or "")
    family = str(table.get("family", ""))
    if "value" in table:
        return counted(plain(table["value"]), unit)
    if "interval" in table:
        ends = table["interval"]
        low, high = ends.split(" to ") if isinstance(ends, str) else ends
        level = parse_number(table.get("level", DEFAULT_LEVEL)) or DEFAULT_LEVEL
        return f"{counted(f'{plain(low)} to {plain(high)}', unit)} ({100 * level:g} %{f', {family}' if family else ''})"
    keys = [*QUANTILES, *SPOKEN, *BOUNDS]
    given = ", ".join(f"{key} {plain(table[key])}" for key in keys if key in table)
    if "components" in table:
        given = " or ".join(f"{plain(part.get('weight'))} × [{spoken_form(part)}]" for part in table["components"])
    return counted(f"{f'{family}: ' if family else ''}{given}", unit)


def plain(raw: Any) -> str:
    """Return a number as a person writes it.

    >>> plain(12_000), plain(0.088), plain("8k"), plain(2.5e9), plain(9.894e14), plain(3.8e25)
    ('12,000', '0.088', '8k', '2.5bn', '989.4T', '3.8e+25')
    """
    if not isinstance(raw, float | int) or isinstance(raw, bool):
        return str(raw)
    size = next((scale for scale in (1e12, 1e9) if scale <= abs(raw) < 1e3 * scale), 0.0)
    if size:
        return f"{raw / size:.6g}{'T' if size > 1e9 else 'bn'}"
    return f"{raw:,.10g}" if abs(raw) < 1e9 else f"{raw:.6g}"
