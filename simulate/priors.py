"""A prior file as the typed, checked value that the rest of the package works on.

Everything here is frozen and true; `simulate.loading` makes it from files.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulate import ledger, schema
from simulate.distributions import Distribution

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Unknown:
    """An uncertain number: a distribution [``unit``] at a TOML path, and how it is known."""

    path: str
    distribution: Distribution
    unit: str
    meaning: str
    given: str
    sources: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Constant:
    """A number taken as exact, at a TOML path."""

    path: str
    value: float
    unit: str
    meaning: str
    given: str
    sources: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Fact:
    """A disputed fact: true with ``probability``; where it is false, the paths it ``gates`` are zero."""

    path: str
    probability: float
    gates: tuple[str, ...]
    sources: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Claim:
    """A published figure for a ledger quantity or an unknown, in the unit of what it speaks of.

    ``target`` is a quantity with an optional index (``run_cost``, ``v3``), or a path with none.
    ``log_error`` is the half-width, in natural logarithms, of the claim's central interval of
    probability ``level``; NaN for a claim that is only shown. ``biased_by`` are paths of source biases.
    """

    name: str
    kind: str
    target: str
    index: str
    value: float
    log_error: float
    level: float
    low: float
    high: float
    unit: str
    used: bool
    group: str
    label: str
    sources: tuple[str, ...]
    biased_by: tuple[str, ...]
    note: str
    error: str = ""
    """Path of the error that the claim shares with its group, where it shares one."""
    years: float | None = None
    """The years that the figure counts, where the horizon of the file is another."""

    @property
    def about(self) -> str:
        """What the claim speaks of, as a prior file writes it."""
        return f"{self.target}[{self.index}]" if self.index else self.target

    @property
    def needs(self) -> frozenset[str]:
        """Every input and quantity that what the claim speaks of is computed from; no horizon but its own, if any."""
        needed = ledger.depends_on(self.target)
        return needed if self.years is None else needed - {ledger.HORIZON}


@dataclass(frozen=True)
class Correlations:
    """The Gaussian copula: correlations of the normal scores of ``paths``; ``matrix`` is (path, path)."""

    paths: tuple[str, ...] = ()
    matrix: tuple[tuple[float, ...], ...] = ()

    def cholesky(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the lower Cholesky factor of the matrix, shape ``(path, path)``."""
        import numpy as np

        return np.linalg.cholesky(np.array(self.matrix)) if self.paths else np.zeros((0, 0))


@dataclass(frozen=True)
class Layout:
    """Where each input of the ledger comes from.

    ``scalars`` maps an input to a path, ``rows`` an indexed input to a path per position, ``derived``
    a path to the four paths of its physics, ``positions`` an input to fixed positions; ``names``
    gives the labels of each index.
    """

    scalars: Mapping[str, str]
    rows: Mapping[str, tuple[str, ...]]
    derived: Mapping[str, tuple[str, str, str, str]]
    positions: Mapping[str, tuple[int, ...]]
    names: Mapping[str, tuple[str, ...]]
    dims: Mapping[str, str]

    @property
    def inputs(self) -> tuple[str, ...]:
        return (*self.scalars, *self.rows, *self.positions)

    def paths_of(self, name: str, index: str = "") -> Iterator[str]:
        """Yield the leaf paths that an input is read from, at one index where it has that index."""
        found = self.rows.get(name) or ((self.scalars[name],) if name in self.scalars else ())
        for position, path in enumerate(found):
            labels = self.names[self.dims[name]] if name in self.rows else ()
            if index in labels and labels[position] != index:
                continue
            yield from self.derived.get(path, (path,))


@dataclass(frozen=True)
class Priors:
    """A prior file, read and checked."""

    name: str
    title: str
    subject: str
    money: str
    as_of: datetime.date | None
    note: str
    entries: Mapping[str, Unknown | Constant]
    idle: tuple[str, ...]
    """Paths of entries that no quantity of this file needs."""
    facts: tuple[Fact, ...]
    claims: tuple[Claim, ...]
    correlations: Correlations
    layout: Layout
    labels: Mapping[str, str]
    sources: Mapping[str, schema.Source]
    df: float
    group_correlations: Mapping[str, float]
    digest: str
    texts: Mapping[str, str]
    settings: tuple[str, ...] = ()

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        return tuple(entry for entry in self.entries.values() if isinstance(entry, Unknown))

    @property
    def informed(self) -> tuple[Unknown, ...]:
        """The unknowns that the evidence speaks of, directly, through the ledger or by correlation.

        The others keep their prior exactly, so there is nothing to sample for them.
        """
        paths = {path for claim in self.evidence for path in (claim.target, claim.error, *claim.biased_by)}
        for claim in self.evidence:
            for name in claim.needs:
                paths |= set(self.layout.paths_of(name))
        if paths & set(self.correlations.paths):
            paths |= set(self.correlations.paths)
        return tuple(unknown for unknown in self.unknowns if unknown.path in paths)

    @property
    def constants(self) -> tuple[Constant, ...]:
        return tuple(entry for entry in self.entries.values() if isinstance(entry, Constant))

    @property
    def evidence(self) -> tuple[Claim, ...]:
        """The claims that have weight in the posterior."""
        return tuple(claim for claim in self.claims if claim.used)

    @property
    def quantities(self) -> dict[str, ledger.Quantity]:
        """The ledger quantities that follow from this file."""
        return ledger.available(self.layout.inputs)

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(name for name in ledger.SCOPES if name in self.quantities)
