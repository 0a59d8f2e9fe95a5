"""How unknowns move together: the correlations of a prior file as one Gaussian copula."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulate import schema
from simulate.errors import Fault
from simulate.layout import is_there
from simulate.priors import Constant, Correlations, Unknown


def spearman_to_normal(rank: float) -> float:
    """Return the normal-score correlation with Spearman correlation ``rank``.

    Pearson (1907): ``2 sin(pi rank / 6)``; exact for a Gaussian copula.
    """
    return 2 * math.sin(math.pi * rank / 6)


SMALLEST_EIGENVALUE = 1e-8
"""Below it a correlation matrix is singular as far as its Cholesky factor goes."""


def is_definite(matrix: Sequence[Sequence[float]], least: float) -> bool:
    """Whether every eigenvalue of a symmetric matrix is above ``least``: whether what is left has a Cholesky factor.

    >>> is_definite([[1.0, 0.5], [0.5, 1.0]], 0.49), is_definite([[1.0, 0.5], [0.5, 1.0]], 0.51)
    (True, False)
    """
    factor: list[list[float]] = []
    for i, row in enumerate(matrix):
        here: list[float] = []
        for j, above in enumerate(factor):
            here.append((row[j] - math.sumprod(here, above[:j])) / above[j])
        left = row[i] - least - math.sumprod(here, here)
        if left <= 0:
            return False
        factor.append([*here, math.sqrt(left)])
    return True


def smallest_eigenvalue(matrix: Sequence[Sequence[float]]) -> float:
    import numpy as np

    return float(np.linalg.eigvalsh(np.array(matrix)).min())


@dataclass
class Correlating:
    """Reads the correlations of a file, and notes their faults.

    ``entries`` are all of the file; one that is not in use, or that a setting has fixed, drops out of its
    correlations, which leaves those of the others as they are.
    """

    file: schema.PriorFile
    entries: Mapping[str, Unknown | Constant]
    settings: bool
    faults: list[Fault]

    def fault(self, path: str, found: str, mend: str) -> None:
        self.faults.append(Fault(path, found, mend))

    def correlations(self, kept: Mapping[str, Unknown | Constant]) -> Correlations:
        """Return one matrix over the correlated unknowns in use; pairs nobody mentions are uncorrelated."""
        pairs: dict[frozenset[str], float] = {}
        paths: dict[str, None] = {}
        for name, item in self.file.correlations.items():
            where = f"correlations.{name}"
            self.check_names(where, item)
            matrix = self.correlation_matrix(where, item)
            paths |= dict.fromkeys(path for path in item.between if isinstance(kept.get(path), Unknown))
            for i, a in enumerate(item.between):
                for j, b in enumerate(item.between[:i]):
                    if matrix is not None and pairs.setdefault(frozenset((a, b)), matrix[i][j]) != matrix[i][j]:
                        self.fault(where, f"a second correlation of {a} and {b}", "state each pair once")
        if self.faults or len(paths) < 2:
            return Correlations()
        full = [[1.0 if a == b else pairs.get(frozenset((a, b)), 0.0) for b in paths] for a in paths]
        if not is_definite(full, SMALLEST_EIGENVALUE):
            self.fault(
                "correlations",
                f"not positive definite (smallest eigenvalue {smallest_eigenvalue(full):.2g})",
                "these correlations cannot hold together: weaken some, or state the missing pairs",
            )
            return Correlations()
        return Correlations(tuple(paths), tuple(map(tuple, full)))

    def check_names(self, where: str, item: schema.Correlation) -> None:
        """Note what is not the path of an unknown, what is named twice, and a lack of provenance."""
        for position, path in enumerate(item.between):
            fixed = isinstance(self.entries.get(path), Constant) and not self.settings
            if fixed or (path not in self.entries and not self.is_absent(path)):
                found = f"{path!r} is {'a fixed value' if fixed else 'not the path of an unknown'}"
                self.fault(f"{where}.between[{position}]", found, "name the path of an unknown")
        if len(set(item.between)) < len(item.between):
            self.fault(f"{where}.between", "names an unknown twice", "name each once")
        if not item.sources and not item.note.strip():
            self.fault(where, "no source and no note", "say how the correlation is known")

    def is_absent(self, path: str) -> bool:
        """Whether a path lies in a table that is stated not to exist."""
        section, _, rest = path.partition(".")
        tables = getattr(self.file, section, None)
        table = tables.get(rest.partition(".")[0]) if isinstance(tables, dict) else None
        return table is not None and not is_there(table)

    def correlation_matrix(self, where: str, item: schema.Correlation) -> list[list[float]] | None:
        """Return the correlations of the normal scores that an item states."""
        given = [raw for raw in (item.rank, item.normal) if raw is not None]
        if len(given) != 1:
            self.fault(where, f"{len(given)} of rank and normal", "give one of them")
            return None
        n, raw = len(item.between), given[0]
        matrix = raw if isinstance(raw, list) else [[1.0 if i == j else raw for j in range(n)] for i in range(n)]
        square = len(matrix) == n and all(len(row) == n for row in matrix)
        if not square or any(matrix[i][j] != matrix[j][i] or matrix[i][i] != 1 for i in range(n) for j in range(n)):
            self.fault(where, f"not a symmetric {n} × {n} matrix with a diagonal of 1", "one row per unknown, in order")
            return None
        if any(not -1 < matrix[i][j] < 1 for i in range(n) for j in range(i)):
            self.fault(where, "a correlation outside (-1, 1)", "1 and -1 make two unknowns one: write one unknown")
            return None
        if item.rank is None:
            return matrix
        return [[1.0 if i == j else spearman_to_normal(matrix[i][j]) for j in range(n)] for i in range(n)]
