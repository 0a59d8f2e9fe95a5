"""What a cost scope is the sum of, in the draws: the ledger's own equations with all but one term at zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate import ledger

Floats = NDArray[np.float64]

ROUNDING = 1e-9
"""Share of a whole below which what is left of it is lost in rounding."""


@dataclass(frozen=True)
class Part:
    """A term of a scope's sum: draws ``(chain, draw)`` [USD]."""

    label: str
    values: Floats


@dataclass(frozen=True)
class Draws:
    """The draws of a run by name, and what it takes as given."""

    tree: Any
    group: str

    def __call__(self, name: str) -> Any:
        """Return a variable ``(chain, draw)``, or the constant that stands for it."""
        held = self.tree[self.group] if self.has_drawn(name) else self.tree["constant_data"]
        return held[name].to_numpy()

    def has_drawn(self, name: str) -> bool:
        return name in self.tree[self.group].data_vars

    def has(self, name: str) -> bool:
        return self.has_drawn(name) or name in self.tree["constant_data"].data_vars


def parts(manifest: Mapping[str, Any], tree: Any, scope: str) -> list[Part]:
    """Return the terms that a scope is the sum of, largest mean first; they add up to it in every draw.

    What the ledger adds that has no term of its own here, such as data or offices, is the last.
    """
    draws = Draws(tree, manifest["group"])
    whole = draws(scope)
    found = [part for part in TERMS[scope](draws, manifest.get("labels", {})) if np.any(part.values)]
    rest = whole - sum(part.values for part in found)
    if np.max(np.abs(rest)) > ROUNDING * np.max(whole):
        found.append(Part("Other spending", rest))
    return sorted(found, key=lambda part: -float(part.values.mean()))


def shown(manifest: Mapping[str, Any]) -> list[str]:
    """Return the scopes of a run that have parts, widest first."""
    return [scope for scope in TERMS if scope in manifest["scopes"]]


def of_company(draws: Draws, labels: Mapping[str, str]) -> Iterator[Part]:
    """Yield the company's share of servers and of their operation, and its staff."""
    share, horizon, staff = draws("scope.attribution"), draws("scope.horizon"), draws("staff")
    for part in fleet(draws, labels):
        yield Part(part.label, ledger.company(share, part.values, horizon, 0.0))
    yield Part("Staff", ledger.company(share, 0.0, horizon, staff))


def of_ownership(draws: Draws, labels: Mapping[str, str]) -> Iterator[Part]:
    """Yield servers and their operation."""
    yield from fleet(draws, labels)


def of_development(draws: Draws, labels: Mapping[str, str]) -> Iterator[Part]:
    """Yield the official runs, the compute of research beyond them, and staff."""
    window, staff = draws("scope.window"), draws("staff")
    yield from of_research_compute(draws, labels)
    yield Part("Staff", ledger.development(0.0, window, staff))


def of_research_compute(draws: Draws, labels: Mapping[str, str]) -> Iterator[Part]:
    """Yield the official runs and the compute of research beyond them."""
    yield from of_official_runs(draws, labels)
    yield Part("Further research", draws("research_compute") - draws("official_runs"))


def of_official_runs(draws: Draws, labels: Mapping[str, str]) -> Iterator[Part]:
    """Yield each run."""
    costs = draws.tree[draws.group]["run_cost"]
    for name in costs["run"].to_numpy().tolist():
        yield Part(f"Run {labels.get(name, name)}", costs.sel(run=name).to_numpy())


def fleet(draws: Draws, labels: Mapping[str, str]) -> Iterator[Part]:
    """Yield the servers of each chip, or of all where the file does not say how they add up, and their operation."""
    every = draws("hardware")
    found = [Part(f"Servers: {labels.get(chip, chip)}", servers(draws, chip)) for chip in chips(draws)]
    together = sum((part.values for part in found), np.zeros_like(every))
    adds_up = bool(found) and np.allclose(together, every, rtol=ROUNDING)
    yield from found if adds_up else [Part("Servers", every)]
    yield Part("Operation of the servers", draws("operations"))


def chips(draws: Draws) -> list[str]:
    """Return the chips of the fleet whose number and price the run holds."""
    names = [str(name).split(".")[1] for name in fleet_paths(draws) if str(name).endswith(".count")]
    return [name for name in dict.fromkeys(names) if draws.has(f"chips.{name}.server_cost")]


def fleet_paths(draws: Draws) -> list[str]:
    variables = [*draws.tree[draws.group].data_vars, *draws.tree["constant_data"].data_vars]
    return [str(name) for name in variables if str(name).startswith("fleet.")]


def servers(draws: Draws, chip: str) -> Floats:
    """Return what the servers of one chip cost, where they exist."""
    count = draws(f"fleet.{chip}.count")
    exists = draws(f"fleet.{chip}.exists") if draws.has(f"fleet.{chip}.exists") else 1.0
    one = np.broadcast_to(count * exists, draws("hardware").shape)[None]
    return np.asarray(ledger.hardware(one, np.asarray(draws(f"chips.{chip}.server_cost"))[None]))


type Terms = Callable[[Draws, Mapping[str, str]], Iterator[Part]]

TERMS: Mapping[str, Terms] = {
    "company": of_company,
    "ownership": of_ownership,
    "development": of_development,
    "research_compute": of_research_compute,
    "official_runs": of_official_runs,
}
"""The scopes that are sums, widest first, and what gives their terms."""
