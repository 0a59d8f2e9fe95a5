"""What to write of a run: a sentence to quote, a full citation, the paragraph on methods, and a bibliography.

All of it is made from the run's folder, so that text and numbers cannot disagree; no name, horizon or level is written
here. A run that has not converged is not cited, unless it is forced, and then every text says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulate import bibliography, report, sources
from simulate.errors import NotConvergedError, SimulateError
from simulate.ingredients import ingredients
from simulate.markup import MARKUPS, Paragraph, Span, code
from simulate.naming import listed
from simulate.report import level, scope_words
from simulate.results import Run
from simulate.summary import amount

STYLES = ("short", "full", "methods")
BIBTEX, CSL_JSON, JSON = "bibtex", "csl-json", "json"
FORMATS = (*MARKUPS, BIBTEX, CSL_JSON, JSON)

HORIZON = "scope.horizon"

NOUNS = {
    "final_run": ("the rental-equivalent cost of ", "final training run", ""),
    "official_runs": ("the rental-equivalent cost of all training runs counted for ", "", ""),
    "research_compute": ("the rental-equivalent cost of ", "research and training compute", ""),
    "development": ("", "cost of development", " (compute at rental rates, staff and other spending)"),
    "hardware": ("the purchase cost of the servers counted for ", "", ""),
    "operations": ("the {years}cost of operating the servers counted for ", "", "{over}"),
    "ownership": ("", "{years}cost of ownership", "{over}"),
    "company": ("", "{years}total cost", "{over} (its share of the servers, staff and other spending)"),
}
"""Each scope in words that are true of any subject, in three parts, with the years it counts.

They are what stands before the subject, what belongs to it, if anything does (a model has no servers), and what
stands after it.
"""

NUMERALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def cite(
    run: Run, scopes: Sequence[str] = (), *, form: str = "text", style: str | None = None, force: bool = False
) -> str:
    """Return a citation of some cost scopes of a run, all unless some are named.

    ``form`` is one of `FORMATS`, ``style`` one of `STYLES`, the first unless given; a bibliography has no style and no
    scopes. Raises `NotConvergedError` for a run that has not converged, unless ``force``, and `SimulateError` for what
    is no scope, no form or no style, and for a style of what has none.
    """
    for what, given, known in (("form", form, FORMATS), ("style", style or STYLES[0], STYLES)):
        if given not in known:
            raise SimulateError(f"{given!r} is no {what} of a citation; there are {', '.join(known)}")
    if style and form in (BIBTEX, CSL_JSON):
        raise SimulateError(f"a style shapes a text, and {form} has none: leave the style out, or name another form")
    style = style or STYLES[0]
    wanted = named_scopes(run, scopes)
    if not run.converged and not force:
        raise NotConvergedError(list(run.manifest["verdict"]["reasons"]))
    if form in (BIBTEX, CSL_JSON):
        found = bibliography.items(run, sources.used(ingredients(run)))
        return bibliography.bibtex(found) if form == BIBTEX else dumps(bibliography.csl(found))
    if form == JSON:
        return dumps(for_machines(run, wanted, style))
    return MARKUPS[form].write(paragraphs(run, wanted, style))


def dumps(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def named_scopes(run: Run, scopes: Sequence[str]) -> list[str]:
    """Return the scopes that are meant, each once; raises `SimulateError` with all that are none."""
    known = run.manifest["scopes"]
    if unknown := [name[:40] for name in scopes if name not in known]:
        raise SimulateError(f"{', '.join(unknown)}: no cost scope of {run.manifest['name']}; it has {', '.join(known)}")
    return list(dict.fromkeys(scopes)) or list(known)


def paragraphs(run: Run, scopes: Sequence[str], style: str) -> list[Paragraph]:
    """Return a citation in a style, before it is written in any markup."""
    if style == "short":
        return [*sentences(run, scopes, short=True), *reasons(run)]
    from simulate import methods

    found = ingredients(run)
    if style == "methods":
        return [*([alarm(run)] if not run.converged else []), *methods.paragraphs(run, found, scopes)]
    return [*sentences(run, scopes, short=False), *methods.details(run, found, scopes)]


def alarm(run: Run) -> list[Span]:
    """Return the warning that stands before everything a forced citation says, since each may be quoted alone."""
    return [] if run.converged else [Span("NOT CONVERGED, do not cite.", "strong"), Span(" ")]


def reasons(run: Run) -> list[Paragraph]:
    """Return why a run must not be cited, once for all its sentences; the longer styles say it of the draws."""
    return [] if run.converged else [[Span(f"{run.manifest['verdict']['in_words']}.")]]


# ---------------------------------------------------------------------------------------------
# The sentence


def sentences(run: Run, scopes: Sequence[str], *, short: bool) -> list[Paragraph]:
    """Return a sentence on each scope, each one to be quoted alone."""
    nouns = in_words(run, scopes)
    return [[*alarm(run), *sentence(run, scope, nouns[scope], short=short)] for scope in scopes]


def sentence(run: Run, scope: str, noun: str, *, short: bool) -> list[Span]:
    """Return one sentence on a scope: median, interval with its level and kind, money, and where the run is."""
    manifest = run.manifest
    found = manifest["scopes"][scope]
    median, ends = scope_words(found)
    kind = level({scope: found})
    kind = kind if short else kind.replace("credible", "equal-tailed credible")
    text = f"{lead(manifest)} {noun} at {median} ({kind} {ends}; {money(manifest['money'])}; "
    pointer = Span(bibliography.key_of(run), "key")
    return [
        Span(text[0].upper() + text[1:]),
        *by_hand(manifest["settings"]),
        Span("run "),
        code(f"{manifest['name']}/{run.folder.name}"),
        pointer,
        Span(")."),
    ]


def by_hand(settings: Sequence[str]) -> Iterator[Span]:
    """Yield what a run changed of its prior file, as it stands among the particulars of a sentence."""
    if not settings:
        return
    yield Span("with ")
    for position, setting in enumerate(settings[: report.MOST_NAMED]):
        yield from ([Span(", ")] if position else []) + [code(setting)]
    more = len(settings) - report.MOST_NAMED
    yield Span(f"{f' and {more} more' if more > 0 else ''} set by hand; ")


def lead(manifest: Mapping[str, Any]) -> str:
    """Return whose estimate it is and what it has heard: nothing more for a posterior that has evidence."""
    pooled = ""
    if report.is_pool(manifest):
        shares = [f"{report.share_words(one['share'])} {one['name']}" for one in manifest["members"]]
        pooled = f"pooling {listed(shares)}, "
    if manifest["group"] == "prior":
        return f"{pooled}from priors alone, with {report.evidence_words(manifest)}, we estimate"
    if not manifest["sampling"]["evidence"]:
        return f"{pooled}from stated priors, with no evidence to weigh, we estimate"
    return f"{pooled}we estimate"


def in_words(run: Run, scopes: Sequence[str]) -> dict[str, str]:
    """Return scopes in words: whose each is, what it is, over how many years where it counts years."""
    subject = str(run.manifest["subject"])
    years, over = horizon(run) if any("{years}" in "".join(NOUNS[scope]) for scope in scopes) else ("", "")
    return {
        scope: "".join(
            (
                before.format(years=years),
                belonging(what.format(years=years), subject) if what else subject,
                after.format(over=over),
            )
        )
        for scope, (before, what, after) in NOUNS.items()
        if scope in scopes
    }


def belonging(what: str, subject: str) -> str:
    """Return what belongs to a subject, which may itself belong to another.

    >>> belonging("cost", "DeepSeek"), belonging("cost", "Labs"), belonging("cost", "OpenAI's GPT-4")
    ("DeepSeek's cost", "Labs' cost", "the cost of OpenAI's GPT-4")
    """
    if re.search(r"['’]s?\b", subject):
        return f"the {what} of {subject}"
    return f"{subject}{"'" if subject.endswith('s') else "'s"} {what}"


def horizon(run: Run) -> tuple[str, str]:
    """Return the years that a scope counts, before and after its noun; after it, those that are uncertain, and of what.

    They are of the posterior only where there is evidence.
    """
    group = str(run.manifest["group"])
    tree = run.tree(group, "constant_data")
    constants, draws = tree["constant_data"].dataset, tree[group].dataset
    if HORIZON in constants and not constants[HORIZON].dims:
        return f"{years_in_words(float(constants[HORIZON]))}-year ", ""
    if HORIZON not in draws:
        return "", " over the years that each member counts"
    found = next(row for row in run.summary() if row["variable"] == HORIZON and row["group"] == run.manifest["group"])
    low, high = (amount(float(found[end]), "", float(found[f"mcse_{end}"])) for end in ("lower", "upper"))
    whose = group if run.manifest["sampling"]["evidence"] else "prior"
    of_what = f"{100 * float(found['probability']):g} % {whose} interval"
    return "", f" over an uncertain horizon of {low} to {high} years ({of_what})"


def years_in_words(years: float) -> str:
    """Return a number of years as it stands before a noun.

    >>> years_in_words(4.0), years_in_words(2.5)
    ('four', '2.5')
    """
    whole = years.is_integer() and 1 <= years <= len(NUMERALS)
    return NUMERALS[int(years) - 1] if whole else f"{years:g}"


def money(text: str) -> str:
    """Return the money of a run in words.

    >>> money("USD 2025"), money("USD")
    ('2025 US dollars', 'US dollars')
    """
    found = re.fullmatch(r"USD(?: (\d{4}))?", text.strip())
    return (f"{found[1]} US dollars" if found[1] else "US dollars") if found else text


# ---------------------------------------------------------------------------------------------
# For machines


def for_machines(run: Run, scopes: Sequence[str], style: str) -> dict[str, Any]:
    """Return a citation as one object: its text in a style, its numbers, and all that identifies the run."""
    manifest = run.manifest
    errors = ("mcse_median", "mcse_lower", "mcse_upper")
    keys = ("median", "lower", "upper", *errors, "probability", "kind", "unit", "basis", "label")
    works = bibliography.items(run, sources.used(ingredients(run)))
    nouns = in_words(run, scopes)
    return {
        "run": f"{manifest['name']}/{run.folder.name}",
        "subject": manifest["subject"],
        "money": manifest["money"],
        "group": manifest["group"],
        "converged": run.converged,
        "reasons": list(manifest["verdict"]["reasons"]),
        "style": style,
        "text": MARKUPS["text"].write(paragraphs(run, scopes, style)),
        "scopes": {
            name: {key: manifest["scopes"][name][key] for key in keys} | quoted(manifest["scopes"][name], nouns[name])
            for name in scopes
        },
        "facts": {
            path: {"prior": manifest["fact_priors"][path], manifest["group"]: probability}
            for path, probability in manifest["facts"].items()
        },
        "seed": manifest["sampling"]["seed"],
        "digest": manifest["digest"],
        "versions": manifest["versions"],
        "created": manifest["created"],
        "settings": list(manifest["settings"]),
        "bibliography": bibliography.csl(works),
    }


def quoted(found: Mapping[str, Any], noun: str) -> dict[str, str]:
    """Return a scope and its numbers as the sentence has them."""
    median, ends = scope_words(found)
    return {"in_words": noun, "median_in_words": median, "interval_in_words": ends}
