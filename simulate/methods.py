"""The paragraphs on how the numbers of a run were made, for a methods section and for a full citation.

Every number is the run's: of its manifest and of the prior files in its folder.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from simulate import ledger, report, sources
from simulate.ingredients import Ingredient
from simulate.markup import Paragraph, Span, code
from simulate.naming import Named, Names, listed
from simulate.priors import Claim, Constant, Unknown
from simulate.results import Run
from simulate.summary import published

COUNTED = ("scope.horizon", "scope.window", "scope.attribution")
FAMILIES = {
    "lognormal": "log-normal", "logitnormal": "logit-normal", "loguniform": "log-uniform", "pert": "PERT",
    "student-t": "Student t", "three-quantile": "by three quantiles", "predictive": "predicted from disclosed cases",
}  # fmt: skip
FLEET = ("hardware", "operations", "ownership")
LIBRARIES = ("python", "nutpie", "pymc", "arviz", "numpy")
MANY = 8
"""Pairs of correlated inputs from which they are counted instead of listed."""


def plural(number: int, noun: str) -> str:
    """Return how many there are of something.

    >>> plural(1, "source"), plural(2_000, "draw")
    ('1 source', '2,000 draws')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def named(names: Sequence[Named]) -> list[Span]:
    """Return names in a list, each with its path as code."""
    found: list[Span] = []
    for position, one in enumerate(names):
        joint = "" if position == 0 else " and " if position == len(names) - 1 else ", "
        found += [Span(f"{joint}{one.words} ("), code(one.path), Span(")")]
    return found


# ---------------------------------------------------------------------------------------------
# The methods


def paragraphs(run: Run, found: Sequence[Ingredient], scopes: Sequence[str]) -> list[Paragraph]:
    """Return the paragraphs on methods: what was computed, from what, with what evidence, and how well."""
    manifest = run.manifest
    parts = [[*estimated(run, scopes), *pooled(manifest)]]
    for one in found:
        name = f"{one.name}. " if len(found) > 1 else ""
        parts.append([*([Span(name, "strong")] if name else []), *inputs(one, scopes), *evidence(one)])
    parts += [
        [*facts(manifest), *correlations(manifest), *draws(manifest), *intervals(manifest), *without(found, scopes)]
    ]
    return [*parts, identity(run)]


def estimated(run: Run, scopes: Sequence[str]) -> Iterator[Span]:
    manifest = run.manifest
    version = manifest["versions"]["simulate"]
    yield Span(f"We estimated, for {manifest['subject']} and in {manifest['money']}, ")
    for position, name in enumerate(scopes):
        item = ledger.QUANTITIES[name]
        joint = "" if position == 0 else " and " if position == len(scopes) - 1 else "; "
        yield Span(joint)
        yield code(name)
        yield Span(f" ({item.label}; {item.basis})")
    yield Span(f" with simulate {version}, a Bayesian cost ledger that computes every scope from one set of inputs. ")
    if set(scopes) & set(FLEET):
        yield Span("The servers are counted whole, whoever else uses them")
        yield from (
            [Span("; only "), code("company"), Span(" counts a share")] if "company" in manifest["scopes"] else []
        )
        yield Span(". ")
    if len({ledger.QUANTITIES[name].basis.partition(" ")[0] for name in scopes}) > 1:
        yield Span("Rental equivalents and ownership are different bases and are never added. ")


def pooled(manifest: Mapping[str, Any]) -> Iterator[Span]:
    if report.is_pool(manifest):
        shares = [f"{one['name']} ({report.share_words(one['share'])})" for one in manifest["members"]]
        yield Span(f"It is a pool of {listed(shares)}. {manifest['note']} ")


def inputs(one: Ingredient, scopes: Sequence[str]) -> Iterator[Span]:
    """Yield what the prior file gives: how many inputs, of which families, and on what they rest."""
    priors, entries = one.priors, [entry for path, entry in one.priors.entries.items() if path in one.used]
    unknowns = [entry for entry in entries if isinstance(entry, Unknown) and not is_error(entry)]
    fixed = [entry for entry in entries if isinstance(entry, Constant)]
    families = Counter(unknown.distribution.family for unknown in unknowns).most_common()
    kinds = listed([f"{number} {FAMILIES.get(name, name)}" for name, number in families])
    needed = sum(unknown.path in one.needed_by(scopes) for unknown in unknowns)
    title = priors.title.rstrip(".")
    as_of = f", as of {priors.as_of}" if priors.as_of else ""
    yield Span("The prior file ")
    yield code(priors.name)
    by_hand = f", with {'; '.join(priors.settings)} set by hand" if priors.settings else ""
    yield Span(f" (“{title}”{as_of}{by_hand}) gives {plural(len(unknowns), 'uncertain input')}")
    yield Span(f"{f' ({kinds})' if unknowns else ''} and {plural(len(fixed), 'fixed one')}; ")
    yield Span(f"{needed} of the uncertain ones enter the scopes named here. ")
    yield from assumed(one, scopes)
    yield from rested(one)
    felt = one.bearing_on(scopes)
    judged = [u.path for u in unknowns if not u.sources and u.distribution.family != "predictive" and u.path in felt]
    if judged:
        yield Span("Without a source, by a stated judgement, stand ")
        yield from [*named([*map(Names.of_file(priors), judged)]), Span(". ")]


def rested(one: Ingredient) -> Iterator[Span]:
    """Yield how many sources all stands on that the draws were computed from, whatever scopes are asked for."""
    works = sources.used([one])
    if not works:
        return
    used = listed(
        [
            "inputs",
            *(["disputed facts"] if one.priors.facts else []),
            *(["claims"] if one.heard and one.priors.evidence else []),
        ]
    )
    known = listed([f"{number} {kind}" for kind, number in Counter(w.known for w in works if w.known).most_common()])
    yield Span(f"All {used} used, also those that the scopes named here do not need, rest on ")
    yield Span(f"{plural(len(works), 'source')}{f' ({known})' if known else ''}. ")


def is_error(unknown: Unknown) -> bool:
    """Whether an unknown is the error that a group of claims shares, which no file gives."""
    return unknown.path.startswith("groups.")


def assumed(one: Ingredient, scopes: Sequence[str]) -> Iterator[Span]:
    """Yield what is taken for the horizon, the window and the share of the fleet, where the scopes need it."""
    needed, names = one.needed_by(scopes), Names.of_file(one.priors)
    found = [
        f"{names(path).words}, {entry.given}"
        for path in COUNTED
        if path in needed and (entry := one.priors.entries.get(path))
    ]
    if found:
        yield Span(f"Counted are: {'; '.join(found)}. ")


def evidence(one: Ingredient) -> Iterator[Span]:
    """Yield the claims that were heard, by origin, with the error that each is given."""
    claims = one.priors.evidence
    if not claims:
        yield Span("No evidence is given, so that the posterior is the prior. ")
        return
    if not one.heard:
        yield Span(f"Evidence is left out ({plural(len(claims), 'piece')} of it): these are the priors alone. ")
        return
    verb = "was" if len(claims) == 1 else "were"
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.group, []).append(claim)
    yield Span(
        f"{plural(len(claims), 'piece')} of evidence from {plural(len(groups), 'origin')} {verb} heard, with errors "
        f"on the logarithm, of which the factors named here span the central 90 % or the level stated: "
    )
    yield Span("; ".join(group_words(one, name, members) for name, members in groups.items()) + ". ")
    if any(claim.kind == "estimate" for claim in claims):
        yield Span(f"Errors of estimates are Student t with {one.priors.df:g} degrees of freedom")
        yield Span(", those of bounds logistic. " if any(c.kind != "estimate" for c in claims) else ". ")
    else:
        yield Span("Errors of bounds are logistic. ")


def group_words(one: Ingredient, name: str, claims: Sequence[Claim]) -> str:
    """Return the claims of one origin: what each says, of what, and within what factor."""
    names = Names.of_file(one.priors)
    said = ", ".join(claim_words(claim, names) for claim in claims)
    if len(claims) < 2:
        return said
    shared = f"errors correlated at {one.priors.group_correlations[name]:g}" if claims[0].error else "one origin"
    return f"from {name}, {shared}: {said}"


def claim_words(claim: Claim, names: Names) -> str:
    factor = f"within a factor of {math.exp(claim.log_error):.3g}"
    at = "" if claim.level == 0.9 else f", {100 * claim.level:g} %"
    label = claim.label or claim.name
    says = f"{report.KIND_WORDS[claim.kind]} {published(claim.value, claim.unit)}"
    return f"{label} ({names(claim.about).words}, {says}, {factor}{at})"


def facts(manifest: Mapping[str, Any]) -> Iterator[Span]:
    """Yield the disputed facts, with their probabilities before the evidence, and after it where it was heard."""
    if not manifest["facts"]:
        return
    names, drawn = Names.of(manifest), manifest["verdict"]["method"] == "exact"
    how = "drawn by their prior probabilities" if drawn else "marginalised exactly"
    yield Span(f"Disputed facts were {how}: ")
    for position, (path, probability) in enumerate(manifest["facts"].items()):
        before = f"{manifest['fact_priors'][path]:g}"
        after = "" if drawn or manifest["group"] == "prior" else f", posterior {report.likely(probability)}"
        yield Span(f"{'; ' if position else ''}{names(path).words} (")
        yield code(path)
        yield Span(f", prior probability {before}{after})")
    yield Span(". ")


def correlations(manifest: Mapping[str, Any]) -> Iterator[Span]:
    pairs = manifest["correlations"]
    if not pairs:
        return
    yield Span("Stated rank correlations, by a Gaussian copula: ")
    if len(pairs) > MANY:
        ranks = [pair["stated_rank"] for pair in pairs]
        yield Span(f"{len(pairs)} pairs of inputs, from {min(ranks):.2f} to {max(ranks):.2f}. ")
        return
    names = Names.of(manifest)
    each = [f"{' and '.join(names(p).words for p in pair['between'])} {pair['stated_rank']:.2f}" for pair in pairs]
    yield Span("; ".join(each) + ". ")


def draws(manifest: Mapping[str, Any]) -> Iterator[Span]:
    """Yield how the draws were made, and the verdict on them, which says how a run was extended."""
    made = manifest["sampling"]
    total = made["chains"] * made["draws"]
    yield Span(
        f"{total:,} draws were taken: {made['sampler']}, {made['chains']} × {made['draws']:,}, seed {made['seed']}"
    )
    if manifest["verdict"]["method"] == "nuts" and not manifest["verdict"]["extensions"]:
        thin = f", one of every {made['thin']} kept" if made["thin"] > 1 else ""
        yield Span(f", after {made['tune']:,} to tune each chain, target acceptance {made['target_accept']:g}{thin}")
    yield Span(". " + " ".join(f"{line[0].upper()}{line[1:]}." for line in report.verdict_lines(manifest)) + " ")


def intervals(manifest: Mapping[str, Any]) -> Iterator[Span]:
    probability = next(iter(manifest["scopes"].values()))["probability"]
    low, high = 50 * (1 - probability), 50 * (1 + probability)
    yield Span(
        f"Point estimates are medians, and intervals equal-tailed {100 * probability:g} % credible intervals, from the "
        f"{low:g} % to the {high:g} % quantile of the {manifest['group']}; no more digits are given than their Monte "
        f"Carlo errors support. "
    )


def without(found: Sequence[Ingredient], scopes: Sequence[str]) -> Iterator[Span]:
    """Yield what the prior files give and what did nothing: idle, or with no effect on the scopes named."""
    idle = [*of_each(found, lambda one: one.priors.idle)]
    rest = [*of_each(found, lambda one: silenced(one, scopes))]
    if idle:
        yield from [Span("Given, and needed by no quantity of the ledger: "), *idle, Span(". ")]
    if rest:
        yield from [Span("Without any effect on the scopes named here: "), *rest, Span(". ")]
    if not idle and not rest:
        yield Span("Every uncertain input has an effect on the scopes named here. ")


def of_each(found: Sequence[Ingredient], paths: Callable[[Ingredient], Sequence[str]]) -> Iterator[Span]:
    """Yield the names of some entries of each prior file, by the file where there are several."""
    each = [(one, named([*map(Names.of_file(one.priors), paths(one))])) for one in found]
    for position, (one, names) in enumerate((one, names) for one, names in each if names):
        yield Span(f"{'; ' if position else ''}{f'of {one.name}, ' if len(found) > 1 else ''}")
        yield from names


def silenced(one: Ingredient, scopes: Sequence[str]) -> list[str]:
    """Return the paths of the uncertain inputs that have no effect on some scopes."""
    bearing = one.bearing_on(scopes)
    return [u.path for u in one.priors.unknowns if u.path not in bearing and not is_error(u)]


# ---------------------------------------------------------------------------------------------
# A full citation


def details(run: Run, found: Sequence[Ingredient], scopes: Sequence[str]) -> list[Paragraph]:
    """Return the model, the evidence, the draws and what identifies the run."""
    manifest = run.manifest
    model = [
        Span("Model: "),
        Span(f"the cost ledger of simulate {manifest['versions']['simulate']}, {report.origin(manifest)} "),
        *([] if report.is_pool(manifest) else [code(str(manifest["name"])), Span(" ")]),
        Span(f"(“{manifest['title'].rstrip('.')}”)"),
        Span(f", set by hand: {'; '.join(manifest['settings'])}. " if manifest["settings"] else ". "),
    ]
    if set(scopes) & set(FLEET):
        model.append(Span("Servers are counted whole, whoever else uses them. "))
    return [model, [Span("Evidence: "), *heard(found)], [Span("Draws: "), *draws(manifest)], identity(run)]


def heard(found: Sequence[Ingredient]) -> Iterator[Span]:
    """Yield how many claims were heard, and from which origins."""
    for position, one in enumerate(found):
        claims = one.priors.evidence
        groups = Counter(claim.group for claim in claims)
        origin = [f"{name} ({plural(number, 'claim')})" for name, number in groups.items() if number > 1]
        alone = [claim.label or claim.name for claim in claims if groups[claim.group] == 1]
        name = f"{one.name}: " if len(found) > 1 else ""
        if not claims:
            text = "none"
        elif not one.heard:
            text = f"{plural(len(claims), 'piece')} left out"
        else:
            text = (
                f"{plural(len(claims), 'piece')} from {plural(len(groups), 'origin')}: {'; '.join([*origin, *alone])}"
            )
        yield Span(f"{'; ' if position else ''}{name}{text}")
    yield Span(".")


def identity(run: Run) -> Paragraph:
    """Return all that it takes to find the run, and to make it again."""
    manifest = run.manifest
    versions = manifest["versions"]
    libraries = ", ".join(f"{name} {versions[name]}" for name in LIBRARIES if name in versions)
    return [
        Span("Run "),
        code(f"{manifest['name']}/{run.folder.name}"),
        Span(f", made {report.date(manifest)} with simulate {versions['simulate']} ({libraries}); "),
        Span(f"seed {manifest['sampling']['seed']}; SHA-256 of its content "),
        code(str(manifest["digest"])),
        Span("."),
    ]
