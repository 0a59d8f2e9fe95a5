"""Published claims: what each speaks of, how wrong it may be, and that no figure is used twice."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulate import ledger, schema
from simulate.distributions import at_score, normal_quantile
from simulate.elicitation import DEFAULT_LEVEL, parse_number
from simulate.errors import Fault
from simulate.layout import is_there
from simulate.priors import Claim, Constant, Fact, Layout, Unknown
from simulate.units import UnitError, counted, factor, spoken

TARGET = re.compile(r"(?P<name>[a-z_]+)(?:\[(?P<index>[A-Za-z0-9_-]+)\])?")
SUMS = {"ownership": ("hardware", "operations")}
"""Quantities that are the sum of others: one source's figures for all three are two figures."""


def hours_path(match: re.Match[str]) -> str:
    """Return the path of the stated hours that a quantity names, as in ``gpu_hours[r1]``, or its name."""
    return f"runs.{match['index']}.gpu_hours" if match["name"] == "gpu_hours" else match["name"]


@dataclass
class Claiming:
    """Reads the claims of a file, and notes their faults.

    With ``settings`` (a what-if), claims about what is set to be absent or fixed are left out rather than
    refused; ``left_out`` names them.
    """

    file: schema.PriorFile
    layout: Layout
    entries: Mapping[str, Unknown | Constant]
    facts: tuple[Fact, ...]
    settings: bool
    faults: list[Fault]
    left_out: list[str] = field(default_factory=list)

    def fault(self, path: str, found: str, mend: str) -> None:
        self.faults.append(Fault(path, found, mend))

    def claims(self) -> list[Claim]:
        """Return every claim of the file, and the stated hours of runs with physics; check them together."""
        written = [self.claim(name, item) for name, item in self.file.evidence.items() if not self.is_moot(name, item)]
        stated = [self.stated_hours(path) for path in self.layout.derived]
        found = [claim for claim in (*written, *stated) if claim is not None]
        self.check_double_use(found)
        self.check_groups(found)
        return found

    def is_moot(self, name: str, item: schema.Evidence) -> bool:
        """Whether a claim speaks of what the file or a setting takes away; such a claim is left out."""
        text = item.quantity
        match = TARGET.fullmatch(text)
        if match:
            quantity = ledger.QUANTITIES.get(match["name"])
            section = {"chip": "fleet", "run": "runs"}.get(quantity.dim if quantity else "run", "")
            known = quantity is not None or match["name"] == "gpu_hours"
            gone = known and self.is_gone(section, match["index"] or "")
        else:
            section, _, rest = text.partition(".")
            key, _, entry = rest.partition(".")
            gone = self.is_gone(section, key, entry)
        path = hours_path(match) if match else text
        if item.used and self.settings and isinstance(self.entries.get(path), Constant):
            gone = True
        if gone:
            self.left_out.append(f"evidence.{name}")
        return gone

    def is_gone(self, section: str, key: str, entry: str = "") -> bool:
        """Whether a table is stated not to exist; with ``entry``, only for an entry that it could have."""
        tables = getattr(self.file, section, None) if section else None
        table = tables.get(key) if isinstance(tables, Mapping) else None
        return table is not None and not is_there(table) and (not entry or entry in type(table).model_fields)

    def claim(self, name: str, item: schema.Evidence) -> Claim | None:
        path = f"evidence.{name}"
        before = len(self.faults)
        target, index, unit = self.target(path, item)
        scale = self.claim_unit(path, item, unit)
        years = self.years(path, item, target)
        over = f" ({counted(f'{years:g}', 'year')})" if years else ""
        value, low, high, log_error, level = self.amount(path, item)
        sources = tuple([item.source] if item.source else []) + tuple(item.sources)
        if not sources and not item.note.strip():
            self.fault(path, "no source and no note", 'add source = "…"')
        for prior in item.computed_from:
            if item.used and not item.independent:
                self.fault(
                    f"{path}.computed_from",
                    f"used twice: the figure is computed from {prior}, which sets a prior",
                    "write used = false to only show it",
                )
        if len(self.faults) > before:
            return None
        return Claim(
            name,
            item.kind,
            target,
            index,
            value * scale,
            log_error,
            level,
            low * scale,
            high * scale,
            unit or "",
            item.used,
            item.group or path,
            (item.label or item.claimant or self.publisher(sources)) + over,
            sources,
            self.biases(sources),
            item.note,
            years=years,
        )

    def years(self, path: str, item: schema.Evidence, target: str) -> float | None:
        """Return the years that a claim counts, None where they are those of the file or where it counts none."""
        if item.years is None:
            return None
        if ledger.HORIZON not in ledger.depends_on(target):
            self.fault(f"{path}.years", f"{target} is not over the horizon", "remove it")
        known = self.entries.get("scope.horizon")
        return None if isinstance(known, Constant) and known.value == item.years else item.years

    def biases(self, sources: tuple[str, ...]) -> tuple[str, ...]:
        """Return the paths of the stated biases of some sources."""
        known = self.file.sources
        return tuple(f"sources.{name}.bias" for name in sources if name in known and known[name].bias)

    def publisher(self, sources: tuple[str, ...]) -> str:
        found = [self.file.sources[name] for name in sources if name in self.file.sources]
        return (found[0].publisher or found[0].title) if found else ""

    def stated_hours(self, path: str) -> Claim | None:
        """Return a run's stated hours as evidence on its physics."""
        key = path.split(".")[1]
        entry = self.file.runs[key].gpu_hours
        if entry is None:
            return None
        if entry.distribution is None:
            self.fault(
                path,
                "a fixed number beside the run's physics",
                "give the interval that the statement is good to; it is evidence",
            )
            return None
        reach = normal_quantile((1 + DEFAULT_LEVEL) / 2)
        low, middle, high = (at_score(entry.distribution, z) for z in (-reach, 0.0, reach))
        if not 0 < low <= high < math.inf:
            self.fault(path, f"from {low:g} to {high:g} says nothing of the hours", "give an interval of a sane width")
            return None
        return Claim(
            path,
            "estimate",
            "gpu_hours",
            key,
            middle,
            math.log(high / low) / 2,
            DEFAULT_LEVEL,
            low,
            high,
            entry.unit,
            True,
            path,
            f"{self.file.runs[key].label or key}: hours as stated",
            entry.sources,
            self.biases(entry.sources),
            entry.note,
        )

    def target(self, path: str, item: schema.Evidence) -> tuple[str, str, str | None]:
        """Return (target, index, unit) of what a claim speaks of; no unit when it is not to be found."""
        where, text, layout = f"{path}.quantity", item.quantity, self.layout
        if text in self.entries:
            if item.used and isinstance(self.entries[text], Constant):
                self.fault(where, f"{text} is a fixed value, which no evidence can move", "give it an interval")
            return text, "", self.entries[text].unit
        match = TARGET.fullmatch(text)
        if match and item.used and isinstance(self.entries.get(hours_path(match)), Constant):
            self.fault(where, f"{text} is a fixed value, which no evidence can move", "give it an interval")
        quantities = ledger.available(layout.inputs)
        if not match or match["name"] not in (*ledger.QUANTITIES, "gpu_hours"):
            known = ", ".join((*quantities, "gpu_hours"))
            self.fault(where, f"{text[:60]!r} is no quantity here", f"name one of {known}, or the path of an unknown")
            return text, "", None
        name, index = match["name"], match["index"] or ""
        if name not in quantities and name not in layout.rows:
            self.fault(
                where,
                f"{name} does not follow from this file",
                f"it still needs {', '.join(ledger.missing(name, layout.inputs))}",
            )
            return name, index, None
        found = ledger.QUANTITIES.get(name)
        dim, unit = (found.dim, found.unit) if found else ("run", "GPU-hour")
        if dim and index not in layout.names[dim]:
            self.fault(
                where, f"{name} has one value per {dim}", f"write {name}[…] with one of {', '.join(layout.names[dim])}"
            )
        if index and not dim:
            self.fault(where, f"{name} has no index", f"write {name}")
        return name, index, unit

    def claim_unit(self, path: str, item: schema.Evidence, unit: str | None) -> float:
        """Return the factor from the claim's unit to that of what it speaks of."""
        if unit is None:
            return 1.0
        currencies = tuple((code, float(table.usd.value or 0)) for code, table in self.file.currencies.items())
        if item.unit is None:
            if unit:
                self.fault(f"{path}.unit", "no unit", f'write unit = "{unit}" or one that converts to it')
            return 1.0
        try:
            return factor(item.unit, unit, currencies)
        except UnitError as error:
            self.fault(f"{path}.unit", str(error), f"give it in {spoken(unit)} or what converts to it")
            return 1.0

    def amount(self, path: str, item: schema.Evidence) -> tuple[float, float, float, float, float]:
        """Return (value, low, high, log error, level) of a claim, in its own unit."""
        level = DEFAULT_LEVEL if item.level is None else item.level
        low = high = math.nan
        if item.interval is not None:
            low, high = self.ends(path, item.interval)
        value = math.sqrt(low * high) if low > 0 and high > 0 else math.nan
        if item.value is not None:
            value = self.positive(f"{path}.value", item.value)
        elif item.interval is None:
            self.fault(path, "no value and no interval", "give one of them")
        if 0 < low < high and not low <= value <= high:
            self.fault(f"{path}.value", "outside the claim's own interval", "one of the two is a slip")
        log_error = math.log(high / low) / 2 if low > 0 else math.nan
        if item.relative_error is not None:
            if item.interval is not None:
                self.fault(f"{path}.relative_error", "stands beside an interval", "keep one")
            log_error = math.log1p(self.positive(f"{path}.relative_error", item.relative_error))
        elif item.interval is None and item.used:
            self.fault(path, "no error", "give relative_error (0.2: within a factor of 1.2, 90 %), or an interval")
        return value, low, high, log_error, level

    def positive(self, path: str, raw: float | str) -> float:
        parsed = parse_number(raw)
        if parsed is None or not 0 < parsed < 1e30:
            self.fault(path, f"{str(raw)[:60]!r} is not a positive number", "claims are kept as logarithms")
            return math.nan
        return parsed

    def ends(self, path: str, interval: list[float | str] | str) -> tuple[float, float]:
        pair = interval.split(" to ") if isinstance(interval, str) else interval
        if len(pair) != 2:
            self.fault(
                f"{path}.interval", f"{str(interval)[:60]!r} is not an interval", 'write [low, high] or "8k to 12k"'
            )
            return math.nan, math.nan
        low, high = (self.positive(f"{path}.interval", end) for end in pair)
        if low >= high:
            self.fault(f"{path}.interval", f"{low:g} to {high:g} does not increase", "put the lower end first")
        return low, high

    def check_double_use(self, claims: list[Claim]) -> None:
        """Refuse evidence from a source that also set a prior of what it speaks of."""
        for claim in claims:
            item = self.file.evidence.get(claim.name)
            if not claim.used or item is None or item.independent:
                continue
            known = {path: entry.sources for path, entry in self.entries.items()}
            paths = self.paths_of(claim)
            known |= {fact.path: fact.sources for fact in self.facts if set(fact.gates) & set(paths)}
            paths += [fact.path for fact in self.facts if fact.path in known]
            shared = [path for path in paths if set(known.get(path, ())) & set(claim.sources)]
            if shared:
                self.fault(
                    f"evidence.{claim.name}",
                    f"used twice: its source also set the prior of {', '.join(dict.fromkeys(shared))}, "
                    f"which {claim.about} is computed from",
                    'write used = false to only show it, or independent = "why the two figures do not depend"',
                )
        self.check_sums(claims)
        self.check_repeats(claims)

    def paths_of(self, claim: Claim) -> list[str]:
        """Return the paths that what a claim speaks of is computed from."""
        if claim.target in self.entries:
            return [claim.target]
        names = sorted(claim.needs)
        return [path for name in names for path in self.layout.paths_of(name, claim.index)]

    def check_sums(self, claims: list[Claim]) -> None:
        for whole, parts in SUMS.items():
            for claim in claims:
                if claim.target != whole or not claim.used:
                    continue
                beside = {c.target for c in claims if c.used and set(c.sources) & set(claim.sources)}
                if beside >= set(parts):
                    self.fault(
                        f"evidence.{claim.name}",
                        f"used twice: one source's {whole} is its {' + '.join(parts)}, which are evidence too",
                        "write used = false for one of the three",
                    )

    def check_repeats(self, claims: list[Claim]) -> None:
        seen: dict[tuple[str, str, str, str], Claim] = {}
        for claim in claims:
            for source in claim.sources if claim.used else ():
                key = (source, claim.target, claim.index, claim.kind)
                first = seen.setdefault(key, claim)
                if first is not claim and first.group != claim.group:
                    self.fault(
                        f"evidence.{claim.name}",
                        f"used twice: {source} says it in evidence.{first.name} too",
                        "put both in one group, or write used = false",
                    )

    def check_groups(self, claims: list[Claim]) -> None:
        for name in self.file.groups.keys() - {item.group for item in self.file.evidence.values()}:
            self.fault(f"groups.{name}", "no evidence is in it", "remove it, or name it in a claim's group")

    def group_correlation(self, group: str) -> float:
        found = self.file.groups.get(group)
        return self.file.likelihood.group_correlation if found is None else found.correlation
