"""From the layers of a prior file to `Priors`: every entry typed, and what spans sections checked.

Citations are resolved, references followed, correlations tested, and no figure is used twice. All
faults of a file come at once.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from simulate import layers, ledger, schema
from simulate.distributions import normal_quantile
from simulate.elicitation import DEFAULT_LEVEL, Entry, parse_number
from simulate.errors import Fault, InputError
from simulate.priors import Claim, Constant, Correlations, Fact, Layout, Priors, Unknown
from simulate.units import UnitError, factor, spoken

MOST_FACTS = 10
"""Disputed facts are marginalised over all their combinations, so 2**10 at the most."""

TARGET = re.compile(r"(?P<name>[a-z_]+)(?:\[(?P<index>[A-Za-z0-9_-]+)\])?")
SUMS = {"ownership": ("hardware", "operations")}
"""Quantities that are the sum of others: one source's figures for all three are two figures."""


def load(path: str | Path, settings: Sequence[str] = ()) -> Priors:
    """Return the checked prior file at ``path`` (or of that name), with ``PATH=EXPR`` settings applied.

    Raises `InputError` with every fault found.
    """
    found = layers.find(path)
    return check(layers.read(found, settings))


def check(read: layers.Layers) -> Priors:
    """Return what layers mean, or raise `InputError` with every fault in them."""
    currencies, faults = currencies_of(read.content)
    file, shape_faults = schema.read(read.content, currencies)
    faults += shape_faults + citation_faults(read)
    if file is None:
        raise InputError(read.path, faults)
    building = Building(file, read)
    priors = building.priors()
    faults += building.faults
    if faults:
        raise InputError(read.path, faults)
    return priors


def digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of merged content, in canonical JSON, as 64 hexadecimal digits."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def currencies_of(content: Mapping[str, Any]) -> tuple[tuple[tuple[str, float], ...], list[Fault]]:
    """Return the worth in USD of each currency the content defines, as constants only."""
    worths, faults = [], []
    section = content.get("currencies")
    for code, table in section.items() if isinstance(section, Mapping) else ():
        raw = table.get("usd") if isinstance(table, Mapping) else None
        worth = parse_number(raw.get("value") if isinstance(raw, Mapping) else raw)
        if worth is None or not 0 < worth < math.inf:
            faults.append(
                Fault(f"currencies.{code}.usd", "is no fixed positive number", 'give { value = 0.14, note = "…" }')
            )
        elif re.fullmatch("[A-Z]{3}", code) and code not in ("USD", "GPU"):
            worths.append((code, worth))
        else:
            faults.append(
                Fault(f"currencies.{code}", "cannot be a currency's name", "use three capitals, not USD or GPU")
            )
    return tuple(worths), faults


# ---------------------------------------------------------------------------------------------
# Citations


def citations(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, source name) for every citation in raw content."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            here = f"{path}.{key}" if path else str(key)
            names = [value] if isinstance(value, str) else value
            if key in ("source", "sources") and path and isinstance(names, list):
                yield from ((here, name) for name in names if isinstance(name, str))
            else:
                yield from citations(value, here)
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from citations(value, f"{path}[{position}]")


def citation_faults(read: layers.Layers) -> list[Fault]:
    """Return a fault for each citation of an undefined source and each source that no file cites."""
    defined = read.content.get("sources")
    known = set(defined) if isinstance(defined, Mapping) else set()
    faults = [
        Fault(path, f"cites {name[:60]!r}, which is not defined", f"define [sources.{name[:60]}], or cite another")
        for path, name in citations(read.content)
        if name not in known
    ]
    cited = {name for content in (read.content, *read.own.values()) for _, name in citations(content)}
    faults += [Fault(f"sources.{name}", "is cited nowhere", "cite it, or remove it") for name in known - cited]
    return faults


# ---------------------------------------------------------------------------------------------
# Building


@dataclass
class Building:
    """Makes `Priors` of a typed file, and notes the faults that span sections."""

    file: schema.PriorFile
    read: layers.Layers
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: str, found: str, mend: str) -> None:
        self.faults.append(Fault(path, found, mend))

    def priors(self) -> Priors:
        file = self.file
        facts = self.facts()
        layout = self.layout()
        entries = {path: entry for path, entry in self.entries() if path not in layout.derived}
        needed = self.needed(layout)
        claims = self.claims(layout, entries)
        needed |= {path for claim in claims for path in claim.biased_by if claim.used}
        needed |= {claim.target for claim in claims if claim.used and claim.target in entries}
        self.check_double_use(claims, layout, entries)
        self.check_groups(claims)
        kept = {path: entry for path, entry in entries.items() if path in needed}
        used_facts = tuple(fact for fact in facts if set(fact.gates) & (kept.keys() | layout.derived.keys()))
        if len(used_facts) > MOST_FACTS:
            self.fault(
                "exists", f"{len(used_facts)} disputed facts", f"at most {MOST_FACTS} can be marginalised exactly"
            )
        if not ledger.available(layout.inputs) and not self.faults:
            self.fault(
                "file", "no cost follows from it", "give at least runs with a rental rate, or a fleet with server costs"
            )
        return Priors(
            name=self.read.path.stem,
            title=file.title,
            subject=file.subject or "the company",
            money=file.money,
            as_of=file.as_of,
            note=file.note,
            entries=kept,
            idle=tuple(sorted(entries.keys() - kept.keys() - {f"currencies.{code}.usd" for code in file.currencies})),
            facts=used_facts,
            claims=tuple(claims),
            correlations=self.correlations(kept),
            layout=layout,
            labels=self.labels(),
            sources=file.sources,
            df=file.likelihood.df,
            group_correlations={claim.group: self.group_correlation(claim.group) for claim in claims if claim.used},
            digest=digest(self.read.content),
            texts=self.read.texts,
            settings=self.read.settings,
        )

    # -- entries ----------------------------------------------------------------------------------

    def tables(self) -> Iterator[tuple[str, schema.Section]]:
        """Yield (path, table) of every table that holds entries and is not stated to be absent."""
        file = self.file
        for name, table in (("scope", file.scope), ("hosting", file.hosting), ("research", file.research)):
            if table is not None:
                yield name, table
        for name in ("chips", "fleet", "runs", "staff", "other", "sources", "currencies"):
            for key, table in getattr(file, name).items():
                if self.is_there(table):
                    yield f"{name}.{key}", table

    @staticmethod
    def is_there(table: Any) -> bool:
        existence = getattr(table, "exists", None)
        return existence is None or existence.probability > 0

    def entries(self) -> Iterator[tuple[str, Unknown | Constant]]:
        """Yield every entry of the file with its path."""
        for path, table in self.tables():
            for key in type(table).model_fields:
                entry = getattr(table, key)
                if isinstance(entry, Entry):
                    meaning = next(m.meaning for m in type(table).model_fields[key].metadata if hasattr(m, "meaning"))
                    yield f"{path}.{key}", as_entry(f"{path}.{key}", entry, meaning)

    def present(self, section: str) -> dict[str, Any]:
        """Return the tables of a section that are not stated to be absent."""
        return {key: table for key, table in getattr(self.file, section).items() if self.is_there(table)}

    def labels(self) -> dict[str, str]:
        tables = [
            (key, table)
            for section in ("chips", "runs", "staff", "other")
            for key, table in getattr(self.file, section).items()
        ]
        return {key: table.label for key, table in tables if table.label}

    # -- layout -----------------------------------------------------------------------------------

    def layout(self) -> Layout:
        rows: dict[str, tuple[str, ...]] = {}
        names: dict[str, tuple[str, ...]] = {}
        dims: dict[str, str] = {}
        self.lay_fleet(rows, names, dims)
        derived, positions = self.lay_runs(rows, names, dims)
        self.lay_people_and_items(rows, names, dims)
        return Layout(self.scalars(), rows, derived, positions, names, dims)

    def scalars(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path, table in self.tables():
            if path in ("scope", "hosting", "research"):
                found |= {
                    key: f"{path}.{key}" for key in type(table).model_fields if isinstance(getattr(table, key), Entry)
                }
        return found

    def lay_fleet(
        self, rows: dict[str, tuple[str, ...]], names: dict[str, tuple[str, ...]], dims: dict[str, str]
    ) -> None:
        fleet = self.present("fleet")
        for key in fleet:
            if key not in self.file.chips:
                self.fault(f"fleet.{key}", f"there is no chip {key!r}", f"define [chips.{key}]")
        if not fleet:
            return
        names["chip"] = tuple(fleet)
        rows["count"], dims["count"] = tuple(f"fleet.{key}.count" for key in fleet), "chip"
        for name, attribute in (("server_cost", "server_cost"), ("power", "power"), ("fleet_peak_flops", "peak_flops")):
            self.lay_chip_attribute(rows, dims, name, attribute, "chip", list(fleet), strict=name != "fleet_peak_flops")

    def lay_chip_attribute(
        self,
        rows: dict[str, tuple[str, ...]],
        dims: dict[str, str],
        name: str,
        attribute: str,
        dim: str,
        chips: list[str],
        *,
        strict: bool,
    ) -> None:
        """Lay one attribute of the chips in use; given for some and not for others it is a fault."""
        lacking = [key for key in dict.fromkeys(chips) if getattr(self.file.chips.get(key), attribute, None) is None]
        if not lacking:
            rows[name], dims[name] = tuple(f"chips.{key}.{attribute}" for key in chips), dim
        elif strict and len(lacking) < len(set(chips)):
            for key in lacking:
                self.fault(f"chips.{key}.{attribute}", "missing, while other chips in use have it", "add it")

    def lay_runs(
        self, rows: dict[str, tuple[str, ...]], names: dict[str, tuple[str, ...]], dims: dict[str, str]
    ) -> tuple[dict[str, tuple[str, str, str, str]], dict[str, tuple[int, ...]]]:
        runs = self.present("runs")
        derived: dict[str, tuple[str, str, str, str]] = {}
        positions: dict[str, tuple[int, ...]] = {}
        for key, run in runs.items():
            if run.chip not in self.file.chips:
                self.fault(f"runs.{key}.chip", f"there is no chip {run.chip!r}", f"define [chips.{run.chip}]")
            if self.has_physics(key, run):
                derived[f"runs.{key}.gpu_hours"] = (
                    f"runs.{key}.active_parameters",
                    f"runs.{key}.tokens",
                    f"chips.{run.chip}.peak_flops",
                    f"runs.{key}.mfu",
                )
            elif run.gpu_hours is None:
                self.fault(
                    f"runs.{key}",
                    "no accelerator-hours",
                    f"give gpu_hours, or active_parameters, tokens and mfu, and chips.{run.chip}.peak_flops",
                )
        if not runs:
            return derived, positions
        names["run"] = tuple(runs)
        chips = [run.chip for run in runs.values()]
        rows["gpu_hours"], dims["gpu_hours"] = tuple(f"runs.{key}.gpu_hours" for key in runs), "run"
        self.lay_chip_attribute(rows, dims, "rental_rate", "rental_rate", "run", chips, strict=True)
        self.lay_chip_attribute(rows, dims, "run_peak_flops", "peak_flops", "run", chips, strict=False)
        final = tuple(i for i, run in enumerate(runs.values()) if run.part_of == "final_run")
        if final:
            positions["final_runs"] = final
        fleet = list(self.present("fleet"))
        if set(chips) <= set(fleet):
            positions["chip_of_run"] = tuple(fleet.index(chip) for chip in chips)
        return derived, positions

    def has_physics(self, key: str, run: schema.Run) -> bool:
        """Whether a run's hours follow from its physics; half a physics is a fault."""
        given = {name: getattr(run, name) for name in ("active_parameters", "tokens", "mfu")}
        lacking = [f"runs.{key}.{name}" for name, entry in given.items() if entry is None]
        if len(lacking) == len(given):
            return False
        chip = self.file.chips.get(run.chip)
        if chip is not None and chip.peak_flops is None:
            lacking.append(f"chips.{run.chip}.peak_flops")
        for path in lacking:
            self.fault(path, "missing, while the rest of the run's physics is there", "add it, or drop the rest")
        return not lacking

    def lay_people_and_items(
        self, rows: dict[str, tuple[str, ...]], names: dict[str, tuple[str, ...]], dims: dict[str, str]
    ) -> None:
        staff = self.present("staff")
        if staff:
            names["group"] = tuple(staff)
            for name in ("headcount", "pay", "overhead"):
                rows[name], dims[name] = tuple(f"staff.{key}.{name}" for key in staff), "group"
        for key, item in self.present("other").items():
            given = [name for name in ("amount", "yearly") if getattr(item, name) is not None]
            if len(given) != 1:
                self.fault(f"other.{key}", f"{len(given)} of amount and yearly", "give the one or the other")
                continue
            for scope in dict.fromkeys(item.part_of):
                name = f"{scope}_{'amounts' if given == ['amount'] else 'rates'}"
                rows[name] = (*rows.get(name, ()), f"other.{key}.{given[0]}")
                names[name], dims[name] = (*names.get(name, ()), key), name

    def needed(self, layout: Layout) -> set[str]:
        """Return the paths that some quantity of the file is computed from."""
        inputs = frozenset().union(*(ledger.depends_on(name) for name in ledger.available(layout.inputs)))
        return {path for name in inputs for path in layout.paths_of(name)}

    def facts(self) -> tuple[Fact, ...]:
        found = []
        gated = {"fleet": ("count",), "runs": ("gpu_hours",), "staff": ("headcount",), "other": ("amount", "yearly")}
        for section, names in gated.items():
            for key, table in getattr(self.file, section).items():
                existence = table.exists
                if existence.disputed:
                    gates = tuple(f"{section}.{key}.{name}" for name in names)
                    found.append(
                        Fact(f"{section}.{key}.exists", existence.probability, gates, existence.sources, existence.note)
                    )
        return tuple(found)

    # -- claims -----------------------------------------------------------------------------------

    def claims(self, layout: Layout, entries: Mapping[str, Unknown | Constant]) -> list[Claim]:
        written = [self.claim(name, item, layout, entries) for name, item in self.file.evidence.items()]
        stated = [self.stated_hours(path) for path in layout.derived]
        return [claim for claim in (*written, *stated) if claim is not None]

    def claim(
        self, name: str, item: schema.Evidence, layout: Layout, entries: Mapping[str, Unknown | Constant]
    ) -> Claim | None:
        path = f"evidence.{name}"
        before = len(self.faults)
        target, index, unit = self.target(path, item.quantity, layout, entries)
        scale = self.claim_unit(path, item, unit)
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
        biased_by = tuple(
            f"sources.{source}.bias" for source in sources if (s := self.file.sources.get(source)) and s.bias
        )
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
            unit,
            item.used,
            item.group or name,
            item.label or item.claimant or self.publisher(sources),
            sources,
            biased_by,
            item.note,
        )

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
        low, middle, high = (float(q) for q in entry.distribution.from_normal([-reach, 0.0, reach]))
        return Claim(
            path.replace(".", "-"),
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
            "stated hours",
            entry.sources,
            (),
            entry.note,
        )

    def target(
        self, path: str, text: str, layout: Layout, entries: Mapping[str, Unknown | Constant]
    ) -> tuple[str, str, str]:
        """Return (target, index, unit) of what a claim speaks of."""
        where = f"{path}.quantity"
        if text in entries:
            if isinstance(entries[text], Constant):
                self.fault(where, f"{text} is a fixed value, which no evidence can move", "give it an interval")
            return text, "", entries[text].unit
        match = TARGET.fullmatch(text)
        quantities = ledger.available(layout.inputs)
        if not match or match["name"] not in (*ledger.QUANTITIES, "gpu_hours"):
            known = ", ".join((*quantities, "gpu_hours"))
            self.fault(where, f"{text[:60]!r} is no quantity here", f"name one of {known}, or the path of an unknown")
            return text, "", ""
        name, index = match["name"], match["index"] or ""
        if name not in quantities and name not in layout.rows:
            self.fault(
                where,
                f"{name} does not follow from this file",
                f"it still needs {', '.join(ledger.missing(name, layout.inputs))}",
            )
            return name, index, ""
        item = ledger.QUANTITIES.get(name)
        dim, unit = (item.dim, item.unit) if item else ("run", "GPU-hour")
        if dim and index not in layout.names[dim]:
            self.fault(
                where, f"{name} has one value per {dim}", f"write {name}[…] with one of {', '.join(layout.names[dim])}"
            )
        if index and not dim:
            self.fault(where, f"{name} has no index", f"write {name}")
        return name, index, unit

    def claim_unit(self, path: str, item: schema.Evidence, unit: str) -> float:
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
        if low > 0 and not low <= value <= high:
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

    # -- what spans claims ------------------------------------------------------------------------

    def check_double_use(self, claims: list[Claim], layout: Layout, entries: Mapping[str, Unknown | Constant]) -> None:
        """Refuse evidence from a source that also set a prior of what it speaks of."""
        for claim in claims:
            item = self.file.evidence.get(claim.name)
            if not claim.used or item is None or item.independent:
                continue
            inputs = [claim.target] if claim.target in entries else sorted(ledger.depends_on(claim.target))
            paths = [p for name in inputs for p in ([name] if name in entries else layout.paths_of(name, claim.index))]
            shared = [path for path in paths if path in entries and set(entries[path].sources) & set(claim.sources)]
            if shared:
                self.fault(
                    f"evidence.{claim.name}",
                    f"used twice: its source also set the prior of {', '.join(dict.fromkeys(shared))}, "
                    f"which {claim.about} is computed from",
                    'write used = false to only show it, or independent = "why the two figures do not depend"',
                )
        self.check_sums(claims)
        self.check_repeats(claims)

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
        for name in self.file.groups.keys() - {claim.group for claim in claims}:
            self.fault(f"groups.{name}", "no evidence is in it", "remove it, or name it in a claim's group")

    def group_correlation(self, group: str) -> float:
        found = self.file.groups.get(group)
        return self.file.likelihood.group_correlation if found is None else found.correlation

    # -- correlations -----------------------------------------------------------------------------

    def correlations(self, entries: Mapping[str, Unknown | Constant]) -> Correlations:
        """Return one matrix over all correlated unknowns; pairs nobody mentions are uncorrelated."""
        pairs: dict[frozenset[str], float] = {}
        paths: dict[str, None] = {}
        for name, item in self.file.correlations.items():
            where = f"correlations.{name}"
            for position, path in enumerate(item.between):
                if not isinstance(entries.get(path), Unknown):
                    self.fault(
                        f"{where}.between[{position}]",
                        f"{path!r} is not an unknown that is in use",
                        "name the path of one",
                    )
            if len(set(item.between)) < len(item.between):
                self.fault(f"{where}.between", "names an unknown twice", "name each once")
            if not item.sources and not item.note.strip():
                self.fault(where, "no source and no note", "say how the correlation is known")
            matrix = self.correlation_matrix(where, item)
            paths |= dict.fromkeys(item.between)
            for i, a in enumerate(item.between):
                for j, b in enumerate(item.between[:i]):
                    if matrix is not None and pairs.setdefault(frozenset((a, b)), matrix[i][j]) != matrix[i][j]:
                        self.fault(where, f"a second correlation of {a} and {b}", "state each pair once")
        if self.faults or not paths:
            return Correlations()
        full = [[1.0 if a == b else pairs.get(frozenset((a, b)), 0.0) for b in paths] for a in paths]
        smallest = float(np.linalg.eigvalsh(np.array(full)).min())
        if smallest < 1e-8:
            self.fault(
                "correlations",
                f"not positive definite (smallest eigenvalue {smallest:.2g})",
                "these correlations cannot hold together: weaken some, or state the missing pairs",
            )
        return Correlations(tuple(paths), tuple(map(tuple, full)))

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


def spearman_to_normal(rank: float) -> float:
    """Return the normal-score correlation with Spearman correlation ``rank``.

    Pearson (1907): ``2 sin(pi rank / 6)``; exact for a Gaussian copula.
    """
    return 2 * math.sin(math.pi * rank / 6)


def as_entry(path: str, entry: Entry, meaning: str) -> Unknown | Constant:
    if entry.distribution is None:
        return Constant(path, float(entry.value or 0.0), entry.unit, meaning, entry.given, entry.sources, entry.note)
    return Unknown(path, entry.distribution, entry.unit, meaning, entry.given, entry.sources, entry.note)
