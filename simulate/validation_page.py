"""The page of a validation, in Markdown: ``docs/validation.md`` is the one of the shipped tables.

Nothing in it depends on when, where or by which machine it was made.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from simulate import reference, regression, replication, results
from simulate.naming import listed
from simulate.predictives import BETWEEN, MFU_MEAN, MFU_SD, WITHIN
from simulate.reference import CLASS_NAMES, CLASSES, LARGE, PIVOT
from simulate.report import escape, markdown_table
from simulate.summary import published
from simulate.validation import LEVELS, SHOWN, Scored, Validation
from simulate.validation_report import (
    Examination,
    class_cells,
    counted,
    coverage_cells,
    coverage_words,
    for_machines,
    heading,
    multiplier_cells,
    run_cells,
    score_cells,
    score_words,
    skipped_cells,
    standing_words,
    worst,
)

NAME = "validation"
WRITTEN = "<!-- Written by simulate validate: change the tables or simulate/validation_page.py, not this page. -->"
WIDTH = 118


def markdown(found: Examination, *, figure: bool = True) -> str:
    """Return ``validation.md``; ``figure`` says that a calibration.png lies beside it."""
    if found.unseen:
        title = f"# Hours of the runs in {escape(found.name)}, predicted from disclosed ones"
        sections = [result(found, figure), scores(found), caveats(found)]
    else:
        title = "# Validation: the hours of runs whose answer is known"
        sections = [opening(), result(found, figure), model(), data(found), scores(found), caveats(found)]
        sections += [classes(found), multipliers(found), replications()]
    return "\n\n".join([WRITTEN, title, *(part for section in sections for part in section)]) + "\n"


def write(out: Path, found: Examination, *, figure: bool = True) -> Path:
    """Write page, numbers and figure into a folder of their own below ``out``; return it.

    Raises `RunError` where the disk refuses.
    """
    from simulate import validation_plot

    with results.writing(out, NAME, found.digest) as finish, results.disk(finish.folder):
        results.write_text(finish.folder / f"{NAME}.md", markdown(found, figure=figure))
        numbers = json.dumps(for_machines(found), indent=2, allow_nan=False)
        results.write_text(finish.folder / f"{NAME}.json", f"{numbers}\n")
        if figure:
            validation_plot.save(finish.folder, found)
        return finish.move()


def prose(text: str) -> str:
    """Return a paragraph in lines of a fixed width."""
    whole = re.sub("`[^`]*`", lambda code: code[0].replace(" ", "\0"), " ".join(text.split()))
    return textwrap.fill(whole, WIDTH, break_long_words=False, break_on_hyphens=False).replace("\0", " ")


def opening() -> Iterator[str]:
    """Yield what the page is about."""
    yield prose("""
        How long does a training run take? Its hours follow from the parameters, the tokens and the chip, but for one
        number that few disclose: the MFU, how much of the chips' arithmetic went into the model. A prior file that
        says `mfu = { reference = "training_runs", architecture = "moe" }` takes it from runs that have disclosed
        their hours. Such a prior deserves belief only if it predicts runs whose answer is known. This page tests
        that; `simulate validate` writes it anew, and `simulate validate --runs FILE` does the same with runs of your
        own.
    """)


# ---------------------------------------------------------------------------------------------
# The result


def result(found: Examination, figure: bool) -> Iterator[str]:
    """Yield coverage and scores, and what they amount to."""
    scored = found.validation
    yield "## The result"
    yield prose(f"{escape(heading(found))}. The baseline knows nothing of a run: log-MFU varies about one mean.")
    yield markdown_table(coverage_cells(scored))
    yield prose(f"""
        By chance: with {100 * SHOWN:g} % probability, intervals that are exactly right would show a coverage in this
        range, were each run independent of the others, or were those of a family all in or all out. The truth is
        between the two.
    """)
    yield markdown_table(score_cells(scored))
    yield prose(" ".join([*coverage_words(scored), *score_words(scored)]))
    if figure:
        yield "![Coverage observed and promised, and each run's hours over those predicted](calibration.png)"


# ---------------------------------------------------------------------------------------------
# Model and data


def model() -> Iterator[str]:
    """Yield equations and priors, as `simulate.regression` and `simulate.predictives` have them."""
    yield "## The model"
    yield prose("""
        A run of $N$ active parameters on $D$ tokens takes six floating-point operations for each pair of them (Kaplan
        et al. 2020, arXiv:2001.08361), so that its accelerator-hours are
    """)
    yield r"$$\text{hours} = \frac{6ND}{\text{peak}\cdot\text{MFU}\cdot 3600},$$"
    yield prose("""
        with the dense BF16 peak of the chip [FLOP/s], whatever arithmetic was used. All but the MFU is known of a
        disclosed run; its logarithm, for run $i$ of family $f(i)$, is
    """)
    yield r"$$\log\text{MFU}_i = x_i\cdot b + u_{f(i)} + e_i, \quad u_f\sim N(0,\tau),\quad e_i \sim t_4(0, \sigma).$$"
    yield prose(f"""
        The covariates $x$ are what is known before a run starts: the generation of its chip
        ({", ".join(CLASS_NAMES)}), its size, how much size matters on that generation, and whether it is a mixture of
        experts. The effect $u$ of a family makes near-duplicates, such as the sizes of one release, count as about
        one. Student-t errors with {regression.DF:g} degrees of freedom keep a strange run from bending the rest.
        Priors, of log-MFU:
    """)
    yield markdown_table(prior_cells())
    yield prose("""
        Every conditional distribution is a standard one, so that the model is drawn by Gibbs sampling, all held-out
        families at once (Geweke 1993 for the errors; Wand et al. 2011 for the half-t priors); that the same model in
        PyMC has the same posterior is a test. A forecast is for a run of a family that has not been seen. A prior
        file gets it conditioned on an MFU below 1; the scores here do without. A narrower *reference class*
        (`within`) takes its plain members instead: the same model without covariates and without the other runs.
    """)


def prior_cells() -> list[list[str]]:
    """Return the priors of the model; those of coefficients also as factors of MFU."""
    number = len(CLASS_NAMES)
    middle = f"a dense run of {PIVOT / 1e9:.0f}bn active parameters, about {math.exp(MFU_MEAN[0]):.2g}"
    places = {
        middle: 0,
        "a generation of chips": 1,
        "ten times the size": 1 + number,
        "ten times the size, on one generation besides": 2 + number,
        "a mixture of experts": len(MFU_SD) - 1,
    }
    coefficients = [
        [what, f"normal, sd {MFU_SD[at]:g}", f"{math.exp(1.645 * MFU_SD[at]):.1f}"] for what, at in places.items()
    ]
    half_t = f"half-t, {regression.SPREAD_DF:g} degrees of freedom, scale"
    spreads = {"spread between families, τ": BETWEEN, "spread within them, σ": WITHIN}
    return [
        ["what", "prior", "90 % within a factor of"],
        *coefficients,
        *([what, f"{half_t} {scale:g}", "–"] for what, scale in spreads.items()),
    ]


def data(found: Examination) -> Iterator[str]:
    """Yield what is in the table, and what is left out."""
    roles = Counter(run.role if run.complete else "incomplete" for run in found.known)
    fitted = reference.members(found.known)
    families = {run.family for run in fitted}
    yield "## The data, and what is left out"
    yield prose(f"""
        The table of disclosed runs has {counted(len(found.known), "row", "rows")}, each with its source and a note.
        {counted(len(fitted), "run", "runs")} of {counted(len(families), "family", "families")} are fitted and scored.
        The others are listed below, each with its reason: {roles["incomplete"]} lack parameters, tokens, a peak or
        hours; {roles["flag"]} carry a caveat; {roles["no"]} are no cases for a fit; {roles["target"]} is
        what the fit is to judge. {apart(found, families)}
    """)
    yield prose("""
        Hours are billed hours where those are disclosed, so that downtime and repeated steps are in them. Some runs
        give logged iteration time instead, which leaves both out, and some give days times chips, rounded.
    """)


def apart(found: Examination, fitted: set[str]) -> str:
    """Return that no run of the families to be judged is in a fit, where that is so."""
    judged = {run.family for run in found.known if run.role == "target"}
    names = listed(sorted(escape(family) for family in judged))
    return f"No run of {names} is in any fit on this page." if judged and not judged & fitted else ""


# ---------------------------------------------------------------------------------------------
# Scores and caveats


def scores(found: Examination) -> Iterator[str]:
    """Yield how the scores are made, and every run's."""
    scored = found.validation
    yield "## Every run"
    yield prose("""
        Each run is predicted by a fit that has seen no run of its family. To leave out one run at a time would
        flatter the model: Llama 3 70B would vouch for Llama 3.1 70B, which is nearly the same run. Families are
        releases, not laboratories: LLaMA 1 and Llama 3 are two.
    """)
    yield prose("""
        Scores are of the natural logarithm of the hours, so that a small run and a large one count alike. The log
        score is the log of the density that the forecast gave to what happened; the CRPS is the mean distance from
        forecast to outcome, less half that between two draws of the forecast (Gneiting and Raftery 2007). A
        percentile is the share of the forecast with fewer hours than the run took. The baseline is the predictive of
        a normal sample of the same log-MFUs. The standard error of a gain is that of a mean over families (Cameron
        and Miller 2015).
    """)
    yield f"Farthest out in their forecasts, worst first{note(worst(scored)[0])}:"
    yield markdown_table(run_cells(worst(scored)))
    yield "All of them:"
    yield markdown_table(run_cells(scored.scored))
    if scored.skipped:
        yield "Not scored:"
        yield markdown_table(skipped_cells(scored))


def note(first: Scored) -> str:
    """Return what the table says of a run, in parentheses; nothing where it says nothing."""
    said = escape(first.run.note).rstrip(".")
    return f" (the table's note on {escape(first.run.model)}: {said})" if said else ""


def caveats(found: Examination) -> Iterator[str]:
    """Yield what the result does not show."""
    lines = [*chance_caveats(found.validation), *found.unseen * [family_caveat()], gain_caveat(found.validation)]
    lines += [] if found.unseen else [sight_caveat()]
    lines.append("""
        Only runs that were disclosed are here. Laboratories publish hours when they like to be known for them, and
        nobody publishes those of a run that was given up.
    """)
    yield "## What this does not show"
    yield "\n".join(f"- {textwrap.indent(prose(line), '  ').strip()}" for line in lines)


def chance_caveats(found: Validation) -> Iterator[str]:
    """Yield what chance and Monte Carlo error can do to the counts."""
    runs, families = len(found.scored), len(found.families)
    scatter = 100 * math.sqrt(SHOWN * (1 - SHOWN) / families)
    yield f"""
        {counted(runs, "run", "runs")} of {counted(families, "family", "families")} are few. With as many independent
        runs as there are families, coverage by {100 * SHOWN:g} % intervals would scatter by {scatter:.0f} percentage
        points.
    """
    if close := sum(map(is_near_an_end, found.scored)):
        yield f"""
            {counted(close, "run lies", "runs lie")} within two Monte Carlo errors of an end of an interval: with
            another seed, so many could be on its other side.
        """


def is_near_an_end(one: Scored) -> bool:
    """Whether Monte Carlo error alone may decide if a run is in one of the intervals."""
    distances = (abs(abs(one.model.percentile - 50) - 50 * level) for level in LEVELS)
    return min(distances) < 2 * one.model.mcse_percentile


def gain_caveat(found: Validation) -> str:
    """Return how sure the gain is, and how much of it hangs on the worst run."""
    gain, error = found.gain("log_score")
    first = worst(found)[0]
    part = (first.model.log_score - first.baseline.log_score) / len(found.scored)
    known = (
        f"a standard error of {error:.2f}; less than two can be chance" if error > 0 else "an error that is not known"
    )
    verb = "costs" if part < 0 else "makes"
    return f"""
        The gain in log score is {gain:+.2f} with {known}. {escape(first.run.model)} alone {verb} {abs(part):.2f} of
        it.
    """


def sight_caveat() -> str:
    return """
        The covariates were chosen with these runs in sight: that generation, size and architecture matter was seen in
        them before the model was written, and leaving out a family does not undo that. Runs that were not in sight
        are the better test: `simulate validate --runs FILE`.
    """


def family_caveat() -> str:
    return """
        Without a column `family`, a run's family is read off its name (the name without sizes, and its first version
        number), which can part what belongs together.
    """


# ---------------------------------------------------------------------------------------------
# Reference classes, multipliers, published estimates


def classes(found: Examination) -> Iterator[str]:
    """Yield how the answer moves with the reference class, for each run that is judged."""
    yield "## The answer depends on the reference class"
    yield prose("""
        Which runs are like the one that is asked about? The data do not say, and the answer moves with the choice. Of
        a run that no fit has seen (the H100 class is H100, H200, H800 and GH200):
    """)
    for target, judged in found.classes:
        yield f"**{escape(target.model)}**, {published(target.gpu_hours, '')} hours stated, an MFU of {target.mfu:.3f}:"
        yield markdown_table(class_cells(judged))
        yield prose(escape(standing_words(target, judged)))
    yield prose(f"""
        So whoever finds stated hours implausible and whoever finds them ordinary may both have counted right: they
        compared with other runs. {size_words(found, "h-class")} {size_words(found, "moe")} The table says how usual
        the hours would be, not whether they are true.
    """)


def size_words(found: Examination, within: str) -> str:
    """Return how many members of a class are small, and how their MFU compares."""
    runs = reference.members(found.known, within)
    small = [run.mfu for run in runs if run.active_parameters < LARGE]
    large = [run.mfu for run in runs if run.active_parameters >= LARGE]
    if not small or not large:
        return ""
    return (
        f"Of the {len(runs)} {CLASSES[within][0]}, {len(small)} have fewer than {LARGE / 1e9:.0f}bn active parameters "
        f"(median MFU {np.median(small):.2f}; of the rest {np.median(large):.2f})."
    )


def multipliers(found: Examination) -> Iterator[str]:
    """Yield what the classes of cases say of the research multiplier."""
    yield "## The research multiplier"
    yield prose("""
        Total development compute over the final run, for
        `research.multiplier = { reference = "research_multipliers" }`: the same model without covariates, of
        log(multiplier - 1), each case a laboratory of its own. The early cases count single projects and one fleet,
        and some are floors; the late ones count all research compute of a laboratory. Which of them a laboratory is
        like is a judgement that the prior file has to make.
    """)
    yield markdown_table(multiplier_cells(found.multipliers))


def replications() -> Iterator[str]:
    """Yield published estimates of others, computed again."""
    yield "## Published estimates, computed again"
    yield prose("""
        A second test, on figures that no one here made: estimates by Epoch AI, computed from the inputs that it
        states (`priors/reference/epoch_*.csv`, each with its source). Nothing is fitted to the published figures.
    """)
    yield "### What training runs cost, amortised"
    yield prose("""
        Cottier et al. (2024), arXiv:2405.21015: chip-hours times what an hour wears off a chip, and its energy. The
        authors have revised some of their figures, by up to the factor in the table's head: a ratio *within* it is no
        farther from theirs than they are from themselves. Chips come out some months older here, and so cheaper, than
        theirs.
    """)
    yield markdown_table(replication.amortised_cells(replication.amortised()))
    yield "### What it took to develop a model"
    yield prose("""
        The same authors: the final run times a factor for experiments, and staff. With one factor for all experiments
        the medians agree and our intervals are wider. The authors' notebook draws a factor for each part of the cost,
        each by itself, so that it averages out; done the same way, the widths are theirs for the two larger models,
        and still wider for the two smaller.
    """)
    yield markdown_table(replication.development_cells(replication.development()))
    yield "### A forecast, scored after the fact"
    yield prose("""
        In January 2025 E. Erdil of Epoch AI put DeepSeek-R1's reinforcement learning at about $1M, before anything
        was disclosed. In September the hours were, and came to $294,000 at DeepSeek's own rate, the making of
        fine-tuning data and R1-Zero included. The forecast was a point; the table gives it the factor that Epoch
        states for training compute in general, and the one that it would have needed.
    """)
    yield markdown_table(replication.forecast_cells(replication.forecast()))
