"""From the layers of a prior file to `Priors`: every entry typed, and what spans sections checked.

Citations are resolved, references followed, correlations tested, and no figure is used twice. All
faults of a file come at once.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulate import layers, ledger, referring, schema
from simulate import layout as laying
from simulate.claims import Claiming
from simulate.correlations import Correlating
from simulate.elicitation import parse_number
from simulate.errors import Fault, InputError
from simulate.families import student_t
from simulate.priors import Claim, Priors, Unknown

MOST_FACTS = 10
"""Disputed facts are marginalised over all their combinations, so 2**10 at the most."""


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
    file = referring.answered(file, read, faults)
    priors = assemble(file, read, faults)
    if faults:
        raise InputError(read.path, faults)
    return priors


def digest(content: Mapping[str, Any], references: Mapping[str, str]) -> str:
    """Return the SHA-256 of merged content and the tables it refers to, in canonical JSON, in hexadecimal."""
    whole = {**content, "references": references} if references else content
    canonical = json.dumps(whole, sort_keys=True, ensure_ascii=True, default=str, separators=(",", ":"))
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
# Assembling


def assemble(file: schema.PriorFile, read: layers.Layers, faults: list[Fault]) -> Priors:
    """Return the priors of a typed file; ``faults`` gains what spans its sections."""
    layout = laying.Laying(file, faults).layout()
    entries = {path: entry for path, entry in laying.entries(file) if path not in layout.derived}
    facts = laying.facts(file)
    claiming = Claiming(file, layout, entries, facts, bool(read.settings), faults)
    claims, errors = shared_errors(claiming.claims(), file.likelihood.df)
    entries |= errors
    needed = laying.needed(layout) | {
        path for claim in claims if claim.used for path in (claim.target, claim.error, *claim.biased_by)
    }
    kept = {path: entry for path, entry in entries.items() if path in needed}
    used_facts = tuple(fact for fact in facts if set(fact.gates) & (kept.keys() | layout.derived.keys()))
    if len(used_facts) > MOST_FACTS:
        mend = f"at most {MOST_FACTS} can be marginalised exactly"
        faults.append(Fault("exists", f"{len(used_facts)} disputed facts", mend))
    if not set(ledger.SCOPES) & ledger.available(layout.inputs).keys() and not faults:
        mend = "give at least runs with a rental rate, or a fleet with server costs"
        faults.append(Fault("file", "no cost follows from it", mend))
    correlating = Correlating(file, entries, bool(read.settings), faults)
    idle = {path for path in entries.keys() - kept.keys() if is_own(path, read)}
    return Priors(
        name=read.path.stem,
        title=" ".join(file.title.split()),
        subject=" ".join(file.subject.split()) or "the company",
        money=file.money,
        as_of=file.as_of,
        note=file.note,
        entries=kept,
        idle=tuple(sorted(idle | set(claiming.left_out))),
        facts=used_facts,
        claims=tuple(claims),
        correlations=correlating.correlations(kept),
        layout=layout,
        labels=laying.labels(file),
        sources=file.sources,
        df=file.likelihood.df,
        group_correlations={claim.group: claiming.group_correlation(claim.group) for claim in claims if claim.used},
        digest=digest(read.content, read.references),
        texts=read.texts,
        settings=read.settings,
    )


def shared_errors(claims: list[Claim], df: float) -> tuple[list[Claim], dict[str, Unknown]]:
    """Return the claims with the path of the error they share, and that error of each group, an unknown.

    Only estimates with weight share an error, and only where there are two in a group.
    """
    members = Counter(claim.group for claim in claims if claim.used and claim.kind == "estimate")
    errors = {}
    for group, number in members.items():
        if number > 1:
            meaning = f"error that the {number} estimates of {group} share, in units of their scales"
            path = f"groups.{group}.error"
            errors[path] = Unknown(path, student_t(df, 0.0, 1.0), "", meaning, f"Student t, df {df:g}", (), "")
    sharing = [
        replace(claim, error=f"groups.{claim.group}.error")
        if claim.used and claim.kind == "estimate" and members[claim.group] > 1
        else claim
        for claim in claims
    ]
    return sharing, errors


def is_own(path: str, read: layers.Layers) -> bool:
    """Whether the main file itself gives an entry; a base file may hold more than one file needs."""
    own = read.own.get(read.path.name, {})
    return layers.value_at(own, path.split(".")) is not None and not path.startswith("currencies.")
