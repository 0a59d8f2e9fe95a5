"""What a reader calls the entries of a prior file and the quantities of the ledger: one short name for each.

Figures and pages say "H800: number owned"; the path, ``fleet.h800.count``, is for `--set`, queries and files, and
stands beside the name or in the caption.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulate.priors import Priors

SECTIONS = {
    "scope": "What is counted",
    "fleet": "The fleet",
    "chips": "Chips",
    "hosting": "Hosting",
    "runs": "Training runs",
    "research": "Research",
    "staff": "Staff",
    "other": "Other spending",
    "groups": "Errors that claims share",
    "sources": "Biases of sources",
    "currencies": "Currencies",
}
"""The sections of a prior file that hold numbers, in the order of a page."""

ENTRIES: Mapping[str, Mapping[str, str]] = {
    "scope": {"horizon": "horizon", "window": "development window", "attribution": "share of the fleet"},
    "hosting": {
        "load": "average power draw",
        "pue": "power overhead, PUE",
        "electricity": "electricity price",
        "colocation": "colocation price",
        "maintenance": "maintenance per year",
        "life": "hardware life",
        "utilisation": "hours in use",
    },
    "chips": {
        "server_cost": "server cost",
        "power": "rated power",
        "peak_flops": "peak speed",
        "rental_rate": "rental rate",
    },
    "fleet": {"count": "number owned", "exists": "owned at all"},
    "runs": {
        "gpu_hours": "GPU-hours",
        "active_parameters": "active parameters",
        "tokens": "training tokens",
        "mfu": "MFU",
        "exists": "run at all",
    },
    "research": {"multiplier": "research multiplier"},
    "staff": {
        "headcount": "headcount",
        "pay": "pay",
        "overhead": "cost on top of pay",
        "exists": "employed at all",
    },
    "other": {"amount": "spent once", "yearly": "spent each year", "exists": "spent at all"},
    "groups": {"error": "shared error"},
    "sources": {"bias": "bias"},
    "currencies": {"usd": "worth in USD"},
}
"""The words for each key of each section; no two sections that name the same things share any."""

LABELLED = frozenset({"chips", "fleet", "runs", "staff", "other"})
"""Sections whose tables a prior file can give a label."""

SCOPES = {
    "final_run": "final training run",
    "official_runs": "all official runs",
    "research_compute": "research compute",
    "development": "development",
    "hardware": "server hardware",
    "operations": "fleet operation",
    "ownership": "cost of ownership",
    "company": "the company, in all",
}
"""The cost scopes of the ledger."""

QUANTITIES = {
    **SCOPES,
    "gpus": "GPUs owned",
    "operating_per_kw": "running cost per kW",
    "operating_per_gpu": "running cost per GPU",
    "gpu_hour_owned": "owner's cost per GPU-hour",
    "gpu_hours": "GPU-hours",
    "run_cost": "cost to rent",
    "run_cost_owned": "owner's cost",
    "later_runs_cost": "later training runs",
    "official_gpu_hours": "GPU-hours of official runs",
    "final_gpu_hours": "GPU-hours of the final run",
    "final_run_owned": "final run at owner's cost",
    "staff": "staff per year",
    "fleet_use": "fleet compute needed",
}
"""All quantities of the ledger; those with an index are called by what it names, and then by these words."""

INDEXED = re.compile(r"(?P<quantity>[a-z_]+)\[(?P<key>.+)\]")


@dataclass(frozen=True)
class Named:
    """What a reader calls something, in ``words`` as they stand within a sentence, and its path in a file or query."""

    words: str
    path: str

    @property
    def name(self) -> str:
        """The words as they stand by themselves."""
        return capital(self.words)

    def __str__(self) -> str:
        return f"{self.name} ({self.path})"


@dataclass(frozen=True)
class Names:
    """The names of a prior file's entries by path, no two the same; and of anything else that has a path."""

    labels: Mapping[str, str]
    known: Mapping[str, str]

    @classmethod
    def among(cls, paths: Iterable[str], labels: Mapping[str, str]) -> Names:
        return cls(labels, distinct(paths, labels))

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Names:
        """Return the names of a run's unknowns and facts."""
        return cls.among((*manifest["unknowns"], *manifest["facts"]), manifest.get("labels", {}))

    @classmethod
    def of_file(cls, priors: Priors) -> Names:
        """Return the names of a prior file's entries and facts."""
        return cls.among((*priors.entries, *(fact.path for fact in priors.facts)), priors.labels)

    def __call__(self, path: str) -> Named:
        return Named(self.known.get(path) or words(path, self.labels), path)


def distinct(paths: Iterable[str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return words for each path: with the key in place of the label, and then the path, where two would be alike.

    >>> distinct(["chips.a.power", "chips.b.power"], {"a": "H800", "b": "H800"})
    {'chips.a.power': 'a: rated power', 'chips.b.power': 'b: rated power'}
    """
    found = {path: words(path, labels) for path in paths}
    steps: tuple[Callable[[str], str], ...] = (lambda path: words(path, {}), str)
    for plainer in steps:
        times = Counter(map(capital, found.values()))
        found = {path: plainer(path) if times[capital(text)] > 1 else text for path, text in found.items()}
    return found


def words(path: str, labels: Mapping[str, str]) -> str:
    """Return the words for an entry, a fact or a quantity; ``labels`` are those that a prior file gives its tables.

    >>> labels = {"h800": "H800", "v3": "V3 pre-training"}
    >>> words("fleet.h800.count", labels), words("scope.attribution", labels), words("groups.report.error", labels)
    ('H800: number owned', 'share of the fleet', 'report: shared error')
    >>> words("ownership", labels), words("gpu_hours[v3]", labels), words("other_things.log_size", labels)
    ('cost of ownership', 'V3 pre-training: GPU-hours', 'log size')
    """
    if found := INDEXED.fullmatch(path):
        key = found["key"]
        return f"{labels.get(key, key)}: {QUANTITIES.get(found['quantity'], spoken(found['quantity']))}"
    if "." not in path:
        return QUANTITIES.get(path, spoken(path))
    section, rest = path.split(".", 1)
    key, _, last = rest.rpartition(".")
    said = ENTRIES.get(section, {}).get(last, spoken(last)) or path
    return f"{labels.get(key, key) if section in LABELLED else key}: {said}" if key else said


def spoken(key: str) -> str:
    """Return a key in words."""
    return key.replace("_", " ").strip() or key


def capital(text: str) -> str:
    """Return text with a capital where it begins with a plain word; a key or a brand stays as it is written.

    >>> capital("people: pay"), capital("v3-context: MFU"), capital("xAI: pay")
    ('People: pay', 'v3-context: MFU', 'xAI: pay')
    """
    first = text.split(":")[0].split(" ")[0]
    return f"{text[:1].upper()}{text[1:]}" if first.isalpha() and first.islower() else text


SCOPE_LABELS = {name: capital(text) for name, text in SCOPES.items()}
"""The cost scopes as they stand by themselves."""


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"]), listed([])
    ('a, b and c', 'a', '')
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
