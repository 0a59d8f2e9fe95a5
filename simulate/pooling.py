"""A linear opinion pool: several runs mixed into one by stated weights.

The pool's density is ``p(x) = sum_i w_i p_i(x)``, the members' densities by their shares (Stone 1961,
"The opinion pool", Annals of Mathematical Statistics 32(4), 1339-1342). For each chain and draw one
member is drawn with its share as the probability, and its draw at that place is taken whole, so that
what belongs together in a member stays together, and every sum of the ledger holds in the pool.

The shares are a judgement about the members. No evidence is heard on them, and none anew.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulate import (
    comparison,
    datatree,
    inference,
    layers,
    ledger,
    pipeline,
    plots,
    report,
    results,
    streaming,
    summary,
)
from simulate.datatree import SAMPLE
from simulate.elicitation import parse_number
from simulate.errors import Fault, InputError
from simulate.inference import Progress, Settings, Verdict
from simulate.priors import Priors
from simulate.results import Run
from simulate.summary import ClaimStanding, Row

if TYPE_CHECKING:
    import xarray as xr

NAME = "pool"
"""Of a pool's folder below the folder of runs."""

Picks = NDArray[np.int64]


@dataclass(frozen=True)
class Weighed:
    """What a user names as a member, and its weight, a positive number of any size."""

    given: str
    weight: float


@dataclass(frozen=True)
class Member:
    """A run in a pool, with its weight and its share, the probability that a draw is its."""

    name: str
    run: Run
    weight: float
    share: float

    @property
    def manifest(self) -> Mapping[str, Any]:
        return self.run.manifest


# ---------------------------------------------------------------------------------------------
# What a user gives


def parse(texts: Sequence[str]) -> list[Weighed]:
    """Return members as a user writes them, ``FILE=WEIGHT``.

    Raises `InputError` with everything that is wrong with them.
    """
    faults: list[Fault] = []
    found = [weighed(text, faults) for text in texts]
    names = [identity(one.given) for one in found]
    for position, one in enumerate(found):
        if names[position] in names[:position]:
            faults.append(Fault(one.given, "is given twice", "give it once, with one weight"))
    if len(found) < 2:
        faults.append(Fault("FILE=WEIGHT", f"{len(found)} given", "a pool has two members or more"))
    if faults:
        raise InputError("simulate pool", faults)
    return found


def weighed(text: str, faults: list[Fault]) -> Weighed:
    """Return one member as a user writes it; ``faults`` gains what is wrong with it."""
    given, sign, number = text.rpartition("=")
    if not sign or not given:
        faults.append(Fault(text, "no member with a weight", "write FILE=WEIGHT, such as consensus=2"))
        return Weighed(text, math.nan)
    weight = parse_number(number)
    if weight is None or not 0 < weight < math.inf:
        faults.append(Fault(text, f"{number!r} is not a positive number", "leave out who has no weight"))
    return Weighed(given, weight or math.nan)


def identity(given: str) -> str:
    """Return the same text for two ways to name the same file or folder."""
    path = layers.find(given) if layers.is_known(given) else Path(given)
    return str(path.resolve()) if path.exists() else given


def check(given: Sequence[str], found: Sequence[Run | Priors], settings: Settings) -> None:
    """Raise `InputError` with all that keeps runs, or the runs of prior files, from being pooled."""
    kinds = [kind_of(one, settings) for one in found]
    faults = []
    for position, (name, one) in enumerate(zip(given, kinds, strict=True)):
        if one["digest"] in [other["digest"] for other in kinds[:position]]:
            faults.append(Fault(name, "has the same content as one before", "give it once, with one weight"))
    for key, mend in (
        ("subject", "a pool is about one subject"),
        ("money", "a pool is in one money"),
        ("group", "pool posteriors, or priors alone"),
        ("draws", "a pool takes draws by their place: make the runs with the same --chains and --draws"),
    ):
        if len({one[key] for one in kinds}) > 1:
            each = "; ".join(f"{name}: {one[key]}" for name, one in zip(given, kinds, strict=True))
            faults.append(Fault(key, each, mend))
    faults += [
        Fault(name, f"has kept {one['kept']} of its {one['draws']} draws alone", "make the run with fewer --draws")
        for name, one in zip(given, kinds, strict=True)
        if one["kept"]
    ]
    if faults:
        raise InputError("simulate pool", faults)


def kind_of(found: Run | Priors, settings: Settings) -> dict[str, str]:
    """Return what the members of a pool must have in common, and their digest, which they must not."""
    if isinstance(found, Run):
        said, made = found.manifest, found.manifest["sampling"]
        common = {key: str(said[key]) for key in ("digest", "subject", "money", "group")}
        return {**common, "draws": f"{made['chains']} × {made['draws']}", "kept": str(made.get("kept", ""))}
    return {
        "digest": found.digest,
        "subject": found.subject,
        "money": found.money,
        "group": "prior" if settings.prior_only else "posterior",
        "draws": f"{settings.chains} × {settings.draws}",
        "kept": str(streaming.KEPT) if streaming.is_due(found, settings) else "",
    }


def members(weights: Sequence[float], runs: Sequence[Run]) -> tuple[Member, ...]:
    """Return runs as the members of a pool, their weights made shares that add up to 1."""
    total = math.fsum(weights)
    named = comparison.named(runs)
    return tuple(
        Member(one.name, run, weight, weight / total) for one, run, weight in zip(named, runs, weights, strict=True)
    )


# ---------------------------------------------------------------------------------------------
# The pool


def pool(
    members: Sequence[Member],
    settings: Settings,
    *,
    out: Path = Path("results"),
    probability: float = 0.9,
    figures: Sequence[str] = plots.DEFAULT,
    progress: Progress | None = None,
) -> Run:
    """Mix runs into one, summarise and write it as a run; return it.

    ``settings`` give the seed of the mixture; `check` says what the members must have in common. Raises
    `InputError` where they have no scope in common, and `RunError` where the disk refuses.
    """
    clock = pipeline.Clock(progress)
    with results.writing(out, NAME, digest(members)) as finish, np.errstate(all="ignore"):
        with clock("mixing"):
            tree = mixture(members, settings.seed)
        with clock("summary"):
            rows = summarise(tree, group_of(members), probability)
            manifest = describe(members, settings, tree, rows)
            tree.attrs = {"simulate": json.dumps(pipeline.attributes(manifest), sort_keys=True)}
        with clock("writing"), results.disk(finish.folder):
            write_priors(finish.folder, members)
            results.write_tree(finish.folder, tree)
            results.write_summary(finish.folder, rows)
            results.write_report(finish.folder, report.markdown(manifest))
        with clock("figures"):
            plots.save(finish.folder / results.FIGURES, figures, manifest, tree)
        return finish({**manifest, "timings": clock.seconds})


def digest(members: Sequence[Member]) -> str:
    """Return the SHA-256 of the members' digests and shares, in their order."""
    content = [[member.manifest["digest"], member.share] for member in members]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def group_of(members: Sequence[Member]) -> str:
    return str(members[0].manifest["group"])


def picks(members: Sequence[Member], seed: int) -> Picks:
    """Return the position of the member that each draw is of, ``(chain, draw)``."""
    made = members[0].manifest["sampling"]
    shares = [member.share for member in members]
    rng = inference.stream(seed, "pool")
    return rng.choice(len(members), size=(made["chains"], made["draws"]), p=shares)


def mixture(members: Sequence[Member], seed: int) -> xr.DataTree:
    """Return the draws of a pool: prior, posterior where the members have one, and what all take as given.

    Raises `InputError` where no scope is left.
    """
    import xarray as xr

    trees = [member.run.tree() for member in members]
    chosen = picks(members, seed)
    groups = {
        group: with_member(mixed([tree[group].dataset for tree in trees], chosen), chosen, members)
        for group in dict.fromkeys(("prior", group_of(members)))
    }
    if not set(ledger.SCOPES) & set(groups["prior"]):
        each = "; ".join(f"{member.name}: {', '.join(member.manifest['scopes'])}" for member in members)
        raise InputError("simulate pool", [Fault("scopes", f"none in common ({each})", "pool files that share one")])
    groups["constant_data"] = shared([tree["constant_data"].dataset for tree in trees])
    return xr.DataTree.from_dict({f"/{name}": datatree.with_sample_coords(data) for name, data in groups.items()})


def mixed(groups: Sequence[xr.Dataset], chosen: Picks) -> xr.Dataset:
    """Return the variables that every group has in the same unit, each draw from the member chosen for it.

    Of an index such as ``run``, the labels that all have are kept.
    """
    import xarray as xr

    found: dict[str, Any] = {}
    labels: dict[str, list[str]] = {}
    for name, first in groups[0].data_vars.items():
        here = [group[name] for group in groups[1:] if name in group]
        if len(here) < len(groups) - 1 or any(one.attrs.get("units") != first.attrs.get("units") for one in here):
            continue
        all_of, index = aligned([first, *here])
        stacked = np.stack([one.to_numpy() for one in all_of])
        if stacked.size:
            places = chosen.reshape(1, *chosen.shape, *(1,) * (stacked.ndim - 3))
            found[str(name)] = (first.dims, np.take_along_axis(stacked, places, axis=0)[0], dict(first.attrs))
            labels |= index
    return xr.Dataset(found, coords=labels)


def aligned(arrays: Sequence[xr.DataArray]) -> tuple[list[xr.DataArray], dict[str, list[str]]]:
    """Return arrays at the labels that all of them have on each index, and those labels."""
    first, *others = arrays
    labels = {
        str(dim): [str(x) for x in first[dim].to_numpy() if all(dim in one.dims and x in one[dim] for one in others)]
        for dim in first.dims
        if dim not in SAMPLE
    }
    return [one.sel(labels) for one in arrays], labels


def with_member(data: xr.Dataset, chosen: Picks, members: Sequence[Member]) -> xr.Dataset:
    """Return the draws with the position of the member that each one is of."""
    names = ", ".join(f"{position} {member.name}" for position, member in enumerate(members))
    return data.assign(member=(SAMPLE, chosen, {"units": "1", "long_name": f"member the draw is of: {names}"}))


def shared(constants: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return the constants that are the same in every member."""
    first, *others = constants
    kept = [
        name
        for name, value in first.data_vars.items()
        if not value.dims and all(name in other and other[name].equals(value) for other in others)
    ]
    return first[kept]


# ---------------------------------------------------------------------------------------------
# What there is to say about it


def summarise(tree: xr.DataTree, group: str, probability: float) -> list[Row]:
    """Return a row for every variable of the pool, the group that is shown first."""
    return [
        summary.row(name, index, one, unit, values, probability)
        for one in dict.fromkeys((group, "prior"))
        for name, index, unit, values in variables(tree[one].dataset)
    ]


def variables(data: xr.Dataset) -> Iterator[tuple[str, str, str, Any]]:
    """Yield (variable, index, unit, draws) of all but the member's position; draws are (chain, draw)."""
    for name, found in data.drop_vars("member").data_vars.items():
        unit = comparison.unit_of(found)
        dims = [dim for dim in found.dims if dim not in SAMPLE]
        for label in found[dims[0]].to_numpy() if dims else ():
            yield str(name), str(label), unit, found.sel({dims[0]: label}).to_numpy()
        if not dims:
            yield str(name), "", unit, found.to_numpy()


def describe(members: Sequence[Member], settings: Settings, tree: xr.DataTree, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the manifest of a pool, with the keys of any run's and its ``members``."""
    group = group_of(members)
    shown = [row for row in rows if row.group == group]
    verdict = judge(members, shown)
    manifests = [member.manifest for member in members]
    said = claims(members)
    return {
        "format": results.FORMAT,
        "name": NAME,
        "title": title(members),
        "subject": manifests[0]["subject"],
        "money": manifests[0]["money"],
        "as_of": max((one["as_of"] for one in manifests if one["as_of"]), default=None),
        "note": note(members, tree),
        "digest": digest(members),
        "settings": [f"{m.name}: {setting}" for m in members for setting in m.manifest["settings"]],
        "group": group,
        "sampling": sampling(members, settings, sum(claim["used"] for claim in said)),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "versions": pipeline.versions(),
        "verdict": {**dataclasses.asdict(verdict), "in_words": verdict.in_words()},
        "scopes": {row.variable: pipeline.scope(row) for row in summary.scope_rows(shown)},
        "facts": weighted(members, "facts"),
        "fact_priors": weighted(members, "fact_priors"),
        "claims": [dataclasses.asdict(one) for one in standings(said, tree, group)],
        "correlations": [],
        "unknowns": unknowns(members, tree[group].dataset),
        "idle": [],
        "cross_check": None,
        "labels": {key: label for one in reversed(manifests) for key, label in one["labels"].items()},
        "members": [described(position, member, tree) for position, member in enumerate(members)],
    }


def described(position: int, member: Member, tree: xr.DataTree) -> dict[str, Any]:
    """Return a member as the manifest lists it; ``draws`` are those of the pool that are of it."""
    return {
        "name": member.name,
        "run": str(member.run.folder),
        "digest": member.manifest["digest"],
        "seed": member.manifest["sampling"]["seed"],
        "converged": member.run.converged,
        "weight": member.weight,
        "share": member.share,
        "draws": int((tree["prior"]["member"] == position).sum()),
    }


def title(members: Sequence[Member]) -> str:
    return f"Pool of {', '.join(f'{report.share_words(member.share)} {member.name}' for member in members)}"


def note(members: Sequence[Member], tree: xr.DataTree) -> str:
    """Return what a reader of the pool must know: what it is, what is left out, what does not agree."""
    sentences = [
        "A linear opinion pool (Stone 1961): each draw is a member's, whole, taken with its share as the probability. "
        "The shares are a judgement: no evidence was heard on them, and the members' evidence, each member's own, "
        "is not heard again."
    ]
    lost = {member.name: lacking(member, members) for member in members}
    if any(lost.values()):
        each = "; ".join(f"{name} lacks {', '.join(scopes)}" for name, scopes in lost.items() if scopes)
        sentences.append(f"What not every member has is left out: {each}.")
    sentences += [f"The members do not count the same time: {found}." for found in spans(members, tree)]
    return " ".join(sentences)


def lacking(member: Member, members: Sequence[Member]) -> list[str]:
    """Return the scopes that some other member has and this one has not."""
    some = {name for other in members for name in other.manifest["scopes"]}
    return [name for name in ledger.SCOPES if name in some - set(member.manifest["scopes"])]


def spans(members: Sequence[Member], tree: xr.DataTree) -> Iterator[str]:
    """Yield each span of time that a scope of the pool is counted over, and that is not the same in all members."""
    needed = {name for scope in ledger.SCOPES if scope in tree["prior"] for name in ledger.depends_on(scope)}
    for name in (name for name in ("horizon", "window") if name in needed):
        fixed = {m.name: m.run.tree()["constant_data"].dataset.get(f"scope.{name}") for m in members}
        years = {who: "uncertain" if found is None else f"{float(found):g}" for who, found in fixed.items()}
        if len(set(years.values())) > 1:
            yield f"scope.{name} is {', '.join(f'{value} in {who}' for who, value in years.items())}"


def sampling(members: Sequence[Member], settings: Settings, evidence: int) -> dict[str, Any]:
    """Return how the draws were made; what the members do not have in common is theirs to say."""
    made = [member.manifest["sampling"] for member in members]
    common = {key: value if all(one[key] == value for one in made) else None for key, value in made[0].items()}
    sampler = f"mixture of {len(members)} runs"
    return {**common, "seed": settings.seed, "sampler": sampler, "evidence": evidence}


def judge(members: Sequence[Member], rows: Sequence[Row]) -> Verdict:
    """Return the verdict on a pool: that of each member, and on the mixture itself as on any draws."""
    made = members[0].manifest["sampling"]
    verdicts = {member.name: member.manifest["verdict"] for member in members}
    reasons = [f"{name}: {reason}" for name, found in verdicts.items() for reason in found["reasons"]]
    total = {"draws": made["chains"] * made["draws"]}
    if all(found["method"] == "exact" for found in verdicts.values()):
        return Verdict(not reasons, "exact", tuple(reasons), total)
    worst, poor = inference.mixing(summary.diagnostics(list(rows)), made["chains"])
    reasons += poor
    return Verdict(not reasons, "mixture", tuple(reasons), {**worst, **total})


def weighted(members: Sequence[Member], key: str) -> dict[str, float]:
    """Return the probability of each fact that all members dispute: the mean of theirs by their shares."""
    common = [path for path in members[0].manifest[key] if all(path in member.manifest[key] for member in members)]
    return {path: math.fsum(member.share * member.manifest[key][path] for member in members) for path in common}


def claims(members: Sequence[Member]) -> list[dict[str, Any]]:
    """Return the claims of all members, each figure once, used where it is evidence in one of them."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for claim in (claim for member in members for claim in member.manifest["claims"]):
        key = (claim["about"], claim["kind"], summary.published(claim["value"], claim["unit"]))
        before = found.setdefault(key, dict(claim))
        before["used"] = before["used"] or claim["used"]
    return list(found.values())


def standings(said: Sequence[Mapping[str, Any]], tree: xr.DataTree, group: str) -> list[ClaimStanding]:
    """Return where the claims about what the pool has lie in it; none of them is evidence here."""
    found = []
    for claim in said:
        drawn = [comparison.look_up(tree, one, claim["about"]) for one in (group, "prior")]
        shares = [
            100 * float((one.values < claim["value"]).mean()) for one in drawn if isinstance(one, comparison.Drawn)
        ]
        if len(shares) == len(drawn):
            kept = {key: claim[key] for key in ("name", "label", "about", "kind", "value", "unit")}
            found.append(ClaimStanding(**kept, used=False, percentile=shares[0], prior_percentile=shares[1]))
    return found


def unknowns(members: Sequence[Member], data: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Return the unknowns of the pool, each with what its members say of it."""
    known = [member.manifest["unknowns"] for member in members]
    paths = [path for path in known[0] if path in data and all(path in one for one in known)]
    return {path: together(members, [one[path] for one in known]) for path in paths}


def together(members: Sequence[Member], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one unknown as a mixture of what the members say of it."""
    parts = zip(members, entries, strict=True)
    return {
        "given": "; ".join(f"{report.share_words(member.share)} {entry['given']}" for member, entry in parts),
        "meaning": entries[0]["meaning"],
        "family": "mixture",
        "sources": list(dict.fromkeys(source for entry in entries for source in entry["sources"])),
        "note": "",
    }


def write_priors(folder: Path, members: Sequence[Member]) -> None:
    """Write the prior files of every member, as they were read, in a folder of its name."""
    for member in members:
        base = member.run.folder / results.PRIORS
        texts = {
            f"{member.name}/{path.relative_to(base).as_posix()}": path.read_text(encoding="utf-8")
            for path in sorted(base.rglob("*"))
            if path.is_file()
        }
        results.write_priors(folder, texts)
