"""The command line: each verb loads, calls and prints; everything heavy is imported where it is used.

Exit codes: 0 done, 1 an error with its mend, 2 wrong usage, 3 a run that has not converged or a sampler
that is not calibrated, 130 interrupted.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulate import limits
from simulate.characters import shown
from simulate.errors import (
    Fault,
    InputError,
    NotCalibratedError,
    NotConvergedError,
    NotReproducedError,
    SimulateError,
)
from simulate.interruption import INTERRUPTED, NOTHING_KEPT

if TYPE_CHECKING:
    from simulate.results import Run

RESULTS = Path("results")


class Boundary(click.Group):
    """The one place where an expected error becomes a message and an exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        # Else the interpreter looks through all there is for garbage before it ends, and frees it with itself.
        atexit.register(gc.freeze)
        try:
            return super().main(*args, **kwargs)
        except SimulateError as error:
            say(f"error: {error}", err=True)
            sys.exit(error.exit_code)
        except MemoryError:
            say("error: not enough memory; use fewer --draws or --chains", err=True)
            sys.exit(SimulateError.exit_code)
        except OSError as error:
            say(f"error: cannot write the output: {(error.strerror or str(error)).lower()}", err=True)
            with contextlib.suppress(OSError):
                sys.stdout.close()
            sys.exit(SimulateError.exit_code)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with interruption_told():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with interruption_told():
            return super().invoke(ctx)


@contextlib.contextmanager
def interruption_told() -> Iterator[None]:
    """End the command in our words when it is interrupted; click has its own."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        say(f"\n{str(interruption) or NOTHING_KEPT}", err=True)
        sys.exit(INTERRUPTED)


def say(text: object, *, err: bool = False) -> None:
    """Print text, and nothing in it that could act on a terminal: it may come from a file or a run of others."""
    click.echo(shown(str(text)), err=err)


def example(text: str) -> Callable[[Any], Any]:
    """Show a command that runs as it stands below the help of a verb."""

    def add(command: click.Command) -> click.Command:
        command.epilog = f"\b\nExample:\n  {text}"
        return command

    return add


@click.group(
    cls=Boundary,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExample:\n  simulate run --priors semianalysis",
)
@click.version_option(package_name="costladder", prog_name="simulate")
def main() -> None:
    """Estimate what an AI lab's models really cost, with credible intervals.

    A prior file (TOML) holds what is unknown, with units and sources, and what others have claimed.
    """
    # Plugins of pydantic that happen to be installed have no say in what a file means; looking for them takes time.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


OUT = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    show_default=True,
    help="Folder of runs.",
)
SET = click.option(
    "--set", "settings", multiple=True, metavar="PATH=EXPR", help="Change an entry: 'fleet.h100.count=5000 to 15000'."
)
DRAWS = click.option(
    "--draws", type=click.IntRange(*limits.SAMPLED), default=2000, show_default=True, help="Kept draws of each chain."
)
TUNE = click.option(
    "--tune", type=click.IntRange(*limits.TUNE), default=1000, show_default=True, help="Draws to tune each chain."
)
CHAINS = click.option(
    "--chains", type=click.IntRange(*limits.CHAINS), default=4, show_default=True, help="Independent chains."
)
SEED = click.option(
    "--seed", type=click.IntRange(*limits.SEED), default=1, show_default=True, help="The same seed, the same numbers."
)


class Between(click.FloatRange):
    """A number in an open interval: NaN is in none, though it compares as if it were."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        return number if number == number else self.fail(f"{value} is no number.", param, ctx)


PROBABILITY = click.option(
    "--probability",
    type=Between(0, 1, min_open=True, max_open=True),
    default=0.9,
    show_default=True,
    help="Of the credible intervals.",
)
PRIORS = click.option(
    "--priors", "name", required=True, metavar="FILE|NAME", help="A prior file, or the name of a shipped one."
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="So many processes on this machine, by dask; without it, one for each core, without dask.",
)
SCHEDULER = click.option("--scheduler", metavar="ADDRESS", help="The workers of a dask scheduler, in place of here.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@example("simulate run --priors semianalysis --set 'scope.horizon=3' --seed 7")
@main.command()
@click.option(
    "--priors", "name", required=True, metavar="FILE|NAME", help="A prior file, or the name of a shipped one."
)
@click.option(
    "--draws",
    type=click.IntRange(*limits.DRAWS),
    default=2000,
    show_default=True,
    help="Kept draws of each chain; where no evidence is heard, any number, of which 8,000 are kept.",
)
@TUNE
@CHAINS
@SEED
@OUT
@click.option("--prior-only", is_flag=True, help="Leave the evidence out: what the priors alone imply.")
@click.option("--quasi", is_flag=True, help="Quasi-random draws, where no evidence is heard: fewer do.")
@SET
@PROBABILITY
@click.option("--no-extend", is_flag=True, help="Do not sample more where the run has not converged.")
@click.option(
    "--sampler",
    type=click.Choice(limits.SAMPLERS),
    default="nutpie",
    show_default=True,
    help="Whose NUTS; that of PyMC compiles a model for each file.",
)
@click.option("--cross-check", is_flag=True, help="Compare with sequential Monte Carlo, which shares no sampler.")
@click.option("--no-figures", is_flag=True, help="Draw no figures.")
@click.option("--again", is_flag=True, help="Make the run even where there is one with the same numbers.")
@click.option("--quiet", is_flag=True, help="Print only the run's folder.")
@JSON
def run(
    name: str,
    draws: int,
    tune: int,
    chains: int,
    seed: int,
    out: Path,
    prior_only: bool,
    quasi: bool,
    settings: Sequence[str],
    probability: float,
    no_extend: bool,
    sampler: str,
    cross_check: bool,
    no_figures: bool,
    again: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Sample a prior file and write a complete run.

    Prints every cost scope with its credible interval, the claims beside it, the disputed facts, the
    convergence verdict, and where the run is. A run of the same content, settings and versions that is
    there already is shown in its place, with the figures it lacks drawn, unless --again is given. A run
    that falls short is extended: more draws, then a higher target acceptance. Exits with 3 when it has
    not converged all the same.
    """
    from simulate import loading

    with Progress(not quiet and sys.stderr.isatty()) as progress:
        priors = loading.load(name, settings)
        progress("starting", 0, 0)
        from simulate import pipeline, plots, report
        from simulate import quasi as points
        from simulate.inference import Settings

        sampling = Settings(
            points.DRAWS if quasi and is_default("draws") else draws,
            tune,
            points.SCRAMBLINGS if quasi and is_default("chains") else chains,
            seed,
            cores=pipeline.cores(),
            prior_only=prior_only,
            extend=not no_extend,
            cross_check=cross_check,
            quasi=quasi,
            nuts=sampler,
        )
        figures = () if no_figures else plots.DEFAULT
        before = None if again else pipeline.made_before(priors, sampling, out, probability)
        if before:
            progress("drawing", 0, 0)
            pipeline.complete(before, figures)
        done = before or pipeline.run(
            priors,
            sampling,
            out=out,
            probability=probability,
            figures=figures,
            progress=progress if progress.shown else None,
            beside=True,
        )
    if before:
        say(report.made_before(before.manifest), err=True)
    if as_json:
        say(json.dumps(report.for_machines(done.folder, done.manifest), allow_nan=False))
    else:
        say(done.folder if quiet else f"{report.terminal(done.manifest)}\n\nrun: {done.folder}")
    if not done.converged:
        raise NotConvergedError(list(done.manifest["verdict"]["reasons"]))


def opened(given: str, out: Path) -> Run:
    """Return the run that a user means, and say so where its name stands for something else."""
    from simulate import results

    found = results.load(results.find(given, out))
    if remark := results.remark(given, found, out):
        say(remark, err=True)
    return found


def is_default(name: str) -> bool:
    """Whether an option of the command was left as it is by default."""
    return click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.DEFAULT


@example("simulate check semianalysis --prior-predictive")
@main.command()
@click.argument("names", nargs=-1, required=True, metavar="FILE|NAME...")
@SET
@click.option(
    "--prior-predictive", is_flag=True, help="Also say what the priors imply, and where the claims lie in it."
)
def check(names: Sequence[str], settings: Sequence[str], prior_predictive: bool) -> None:
    """Check prior files and registers of claims: syntax, units, sources, and figures used twice.

    All faults of a file come at once, each with its path and what would mend it.
    """
    from simulate import layers, loading, overview

    failures = []
    for name in names:
        try:
            if layers.is_register(layers.find(name)):
                from simulate import register

                say(register.in_words(register.load(layers.find(name))))
                continue
            priors = loading.load(name, settings)
        except InputError as error:
            failures.append(error)
            continue
        say(overview.of_priors(priors))
        if prior_predictive:
            say("\n" + overview.of_prior_predictive(priors))
    if failures:
        for failure in failures:
            say(f"error: {failure}", err=True)
        sys.exit(InputError.exit_code)


@example("simulate show semianalysis")
@main.command()
@click.argument("run", metavar="RUN")
@OUT
def show(run: str, out: Path) -> None:
    """Print the tables of a run: its folder, a part of its name, or its prior file's name (the latest).

    Exits with 3 when it has not converged.
    """
    from simulate import report

    found = opened(run, out)
    say(f"{report.terminal(found.manifest)}\n\nrun: {found.folder}")
    stop_unless_converged([found])


@example("simulate verify --all")
@main.command()
@click.argument("runs", nargs=-1, metavar="RUN...")
@click.option("--all", "every", is_flag=True, help="All runs in the folder of runs.")
@OUT
@JSON
def verify(runs: Sequence[str], every: bool, out: Path, as_json: bool) -> None:
    """Check that runs are as they were written, by the checksums of their manifests.

    Names what is missing or altered, and exits with 1 when anything is. Files that were added later, such
    as figures, are no damage.
    """
    if bool(runs) == every:
        raise click.UsageError("name the runs to verify, or give --all")
    from simulate import verification

    folders = verification.every(out) if every else verification.meant(runs, out)
    findings = [verification.verify(folder) for folder in folders]
    if as_json:
        say(json.dumps(verification.for_machines(findings)))
    else:
        for text, is_error in verification.in_words(findings):
            say(text, err=is_error)
        say(f"{sum(finding.intact for finding in findings)} of {len(findings)} runs in order")
    if not all(finding.intact for finding in findings):
        sys.exit(SimulateError.exit_code)


@example("simulate reproduce semianalysis")
@main.command()
@click.argument("run", metavar="RUN")
@OUT
@click.option("--keep", is_flag=True, help="Keep the new run, in the folder of runs.")
@JSON
def reproduce(run: str, out: Path, keep: bool, as_json: bool) -> None:
    """Make a run again from its folder alone, and compare.

    On the same versions every draw must be identical, bit for bit, and summary.csv byte for byte. On other
    versions, which are named, median and interval of every scope must be the same within their Monte Carlo
    errors. Exits with 1 when they are not.
    """
    found = opened(run, out)
    with Progress(not as_json and sys.stderr.isatty()) as progress:
        progress("starting", 0, 0)
        from simulate import reproduction, reproduction_report

        shown = progress if progress.shown else None
        done = reproduction.reproduce(found, keep=out if keep else None, progress=shown)
    if as_json:
        say(json.dumps(reproduction_report.for_machines(done), allow_nan=False))
    else:
        say(reproduction_report.terminal(done))
    if not done.same:
        raise NotReproducedError(f"{found.folder}: made again, it is not the same")


@example("simulate plot semianalysis ladder tornado --format pdf --size column")
@main.command()
@click.argument("run", metavar="RUN")
@click.argument("kinds", nargs=-1, metavar="[KIND]...")
@OUT
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), help="Folder to draw into, instead of the run's own."
)
@click.option("--format", "formats", multiple=True, metavar="png|svg|pdf", help="May be repeated.  [default: png, svg]")
@click.option("--theme", default="light", show_default=True, metavar="light|dark", help="Colours on white or on black.")
@click.option(
    "--size", default="page", show_default=True, metavar="page|column", help="Set for 155 mm or for a column of 85 mm."
)
@click.option("--scope", default="", metavar="SCOPE", help="Of figures of one cost scope; the widest there is.")
def plot(
    run: str,
    kinds: Sequence[str],
    out: Path,
    to: Path | None,
    formats: Sequence[str],
    theme: str,
    size: str,
    scope: str,
) -> None:
    """Draw figures of a run, each with its caption: those that a run draws by itself unless some are named.

    Of a run: ladder, forest, posterior, prior-posterior, evidence. Of one cost scope, or of it where it is named:
    breakdown, exceedance, pairs, sensitivity, tornado. Of the chains: energy, ranks, trace. Or all of them: all.
    A figure that the run was written with is left as it is. Exits with 3 when the run has not converged.
    """
    from simulate.plot_order import Order, fill

    found = opened(run, out)
    order = Order(tuple(kinds), tuple(formats) or Order.formats, theme, size, scope)
    with Progress(sys.stderr.isatty()) as progress:
        paths = fill(order, found, to, progress if progress.shown else None)
    for path in paths:
        say(path)
    stop_unless_converged([found])


@example("simulate cite semianalysis ownership --style full")
@main.command()
@click.argument("run", metavar="RUN")
@click.argument("scopes", nargs=-1, metavar="[SCOPE]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "latex", "html", "bibtex", "csl-json", "json"]),
    default="text",
    show_default=True,
    help="Markup of the text, or a bibliography: the software, the run and the sources it used.",
)
@click.option(
    "--style",
    type=click.Choice(["short", "full", "methods"]),
    help="A sentence for each scope, the default; with what it rests on; or how it was made.",
)
@click.option("--force", is_flag=True, help="Cite a run that has not converged; the text says so.")
@OUT
def cite(run: str, scopes: Sequence[str], form: str, style: str | None, force: bool, out: Path) -> None:
    """Write what to quote of a run: median, interval with its level and kind, and where they come from.

    All its cost scopes, unless some are named. Everything is read from the run's folder. A run that has not
    converged is refused, with the reason, and exit code 3.
    """
    from simulate import citations

    found = opened(run, out)
    try:
        text = citations.cite(found, scopes, form=form, style=style, force=force)
    except NotConvergedError as error:
        raise NotConvergedError([*error.reasons, "--force cites it all the same, and says so"]) from None
    say(text.rstrip("\n"))


@example("simulate query semianalysis 'P(company > 1.6 bn)' 'company / final_run' 'q90(development)'")
@main.command()
@click.argument("run", metavar="RUN")
@click.argument("expressions", nargs=-1, required=True, metavar="EXPR...")
@OUT
@click.option(
    "--probability",
    type=Between(0, 1, min_open=True, max_open=True),
    help="Of the credible intervals; that of the run, unless given.",
)
@click.option("--draws", type=click.Path(path_type=Path), metavar="FILE", help="Write the joint draws: .csv, .parquet")
@click.option("--overwrite", is_flag=True, help="Let --draws replace a file.")
@JSON
def query(
    run: str,
    expressions: Sequence[str],
    out: Path,
    probability: float | None,
    draws: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Ask a run for probabilities, quantiles, ratios and differences of its quantities.

    An expression is made of quantities of the ledger and paths of the prior file (company, gpus,
    fleet.h800.count, run_cost[r1]), numbers with suffixes and units ($500M, 30k GPU), + - * / and
    parentheses, min, max, sum and log, and statistics: P(a > b), mean (or E), median, sd, q05, q90 …,
    each also under a condition, P(a > b | fleet.h100.exists), with and, or and not. A number without a
    unit takes that of what it is compared with or added to: P(gpus > 50k). What is no statistic
    gives its median and interval. Exits with 3 when the run has not converged.
    """
    found = opened(run, out)
    from simulate import query_report
    from simulate.query import query as ask

    if draws:
        query_report.check_place(draws, overwrite=overwrite)
    answers = ask(found, expressions, probability=probability)
    if draws:
        query_report.save_draws(draws, found, answers, overwrite=overwrite)
    if as_json:
        say(json.dumps(query_report.for_machines(found, answers), allow_nan=False))
    else:
        say(query_report.terminal(found, answers))
    stop_unless_converged([found])


@example("simulate report semianalysis --to deepseek.html")
@main.command("report")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to; NAME-report.html in the current folder, unless given.",
)
@OUT
def report_(runs: Sequence[str], to: Path | None, out: Path) -> None:
    """Write one HTML page that says what a run says, or several side by side.

    The headline and the ladder, the costs with their numbers to download, the claims, what drives the result, how it
    fits the evidence, every assumption with its sources, diagnostics, and how to make it again. It loads nothing and
    can be sent, printed and kept; the same runs give the same bytes. A report that is there already is replaced,
    any other file is not. Exits with 3 when a run has not converged, which the page says everywhere.
    """
    found = [opened(run, out) for run in runs]
    with Progress(sys.stderr.isatty()) as progress:
        progress("writing the report", 0, 0)
        from simulate import report_page

        path = report_page.save(found, to or report_page.place_of(found))
    say(path)
    stop_unless_converged(found)


@example("simulate audit --priors semianalysis")
@main.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "--priors", "files", multiple=True, metavar="FILE|NAME", help="Test by this prior file, run where needed."
)
@click.option("--register", metavar="FILE", help="A register of claims other than the shipped one.")
@click.option("--seed", type=click.IntRange(*limits.SEED), default=1, show_default=True, help="Of runs that are made.")
@OUT
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def audit(runs: Sequence[str], files: Sequence[str], register: str | None, seed: int, out: Path, as_json: bool) -> None:
    """Test every published claim: its own arithmetic, its scope, and where it lies in a posterior.

    Each claim is tested by the run of the system it speaks of. Without RUN and --priors these are the
    prior files that the register names for its systems, run where there is no such run yet. Writes
    audit.md into the first run's folder. Exits with 3 when a run has not converged.
    """
    from simulate import register as registers

    with Progress(not as_json and sys.stderr.isatty()) as progress:
        progress("reading the register", 0, 0)
        known = registers.load(registers.find(register))
        given = [*runs, *files] or [system.priors for system in known.systems.values()]
        if not given:
            raise InputError(known.path, [Fault("systems", "none, so no run to test by", "name a RUN, or add one")])
        from simulate import audit_report, obtaining, pipeline
        from simulate.audit import audit as audited
        from simulate.inference import Settings

        sampling = Settings(seed=seed, cores=pipeline.cores())
        shown = progress if progress.shown else None
        found = obtaining.obtain_all(list(dict.fromkeys(given)), sampling, out=out, probability=0.9, progress=shown)
        findings = audited(known, found)
    page, refused = audit_report.write(known, findings, found)
    if as_json:
        say(json.dumps(audit_report.for_machines(known, findings, found, page), allow_nan=False))
    else:
        say(audit_report.terminal(known, findings, found, page))
    if refused:
        raise refused
    stop_unless_converged(found)


def stop_unless_converged(runs: Sequence[Any]) -> None:
    """Raise `NotConvergedError` when one of several runs has not converged."""
    reasons = [f"{run.manifest['name']}: {reason}" for run in runs for reason in run.manifest["verdict"]["reasons"]]
    if not all(run.converged for run in runs):
        raise NotConvergedError(reasons)


@example("simulate compare consensus gpt-4 --ratio final_run")
@main.command()
@click.argument("given", nargs=-1, required=True, metavar="RUN|FILE...")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="Show these scopes alone.")
@click.option("--ratio", "ratios", multiple=True, metavar="QUANTITY", help="Of a scope, or of 'gpus', 'run_cost[r1]' …")
@click.option("--difference", "differences", multiple=True, metavar="QUANTITY", help="Likewise, first less second.")
@DRAWS
@TUNE
@CHAINS
@SEED
@OUT
@PROBABILITY
@JSON
@click.option("--no-figure", is_flag=True, help="Draw no figure.")
def compare(
    given: Sequence[str],
    scopes: Sequence[str],
    ratios: Sequence[str],
    differences: Sequence[str],
    draws: int,
    tune: int,
    chains: int,
    seed: int,
    out: Path,
    probability: float,
    as_json: bool,
    no_figure: bool,
) -> None:
    """Set runs, or prior files, beside one another: the same scopes, their ratios and differences.

    A prior file is run, unless it was run before with the same settings; a name that could be both
    means the prior file. Draws are paired: with one seed, what no evidence informs has the same draws in
    all scenarios, and cancels in ratios and differences; what is sampled is independent between them.
    Without --ratio and --difference, every scope is set in ratio to that of the first.
    """
    from simulate import obtaining, pipeline
    from simulate.inference import Settings

    with Progress(sys.stderr.isatty()) as progress:
        sampling = Settings(draws, tune, chains, seed, cores=pipeline.cores())
        shown = progress if progress.shown else None
        runs = obtaining.obtain_all(given, sampling, out=out, probability=probability, progress=shown)
        progress("comparing", 0, 0)
        from simulate import comparison, comparison_report

        compared = comparison.compare(runs, ratios, differences, scopes=scopes, probability=probability)
        folder = comparison_report.save(compared, out, figure=not no_figure)
    if as_json:
        printed = {"folder": str(folder), **comparison_report.for_machines(compared)}
        say(json.dumps(printed, allow_nan=False))
    else:
        say(f"{comparison_report.terminal(compared)}\n\ncomparison: {folder}")
    if not compared.converged:
        raise NotConvergedError(compared.reasons)


@example("simulate pool consensus=3 lambert=1")
@main.command()
@click.argument("given", nargs=-1, required=True, metavar="FILE=WEIGHT...")
@DRAWS
@TUNE
@CHAINS
@SEED
@OUT
@PROBABILITY
@click.option("--no-figures", is_flag=True, help="Draw no figures.")
@click.option("--quiet", is_flag=True, help="Print only the pool's folder.")
@JSON
def pool(
    given: Sequence[str],
    draws: int,
    tune: int,
    chains: int,
    seed: int,
    out: Path,
    probability: float,
    no_figures: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Mix prior files, or runs, into one posterior by stated weights: a linear opinion pool.

    The pool is a run like any other, in the folder pool. Weights are positive numbers of any size;
    they are a judgement, and no evidence is heard on them. A prior file is run, unless it was run before
    with the same settings. Exits with 3 when a member has not converged.
    """
    from simulate import obtaining, pipeline, plots, pooling, report
    from simulate.inference import Settings

    with Progress(not quiet and sys.stderr.isatty()) as progress:
        weighed = pooling.parse(given)
        sampling = Settings(draws, tune, chains, seed, cores=pipeline.cores())
        shown = progress if progress.shown else None
        names = [one.given for one in weighed]
        found = obtaining.all_meant(names, out)
        pooling.check(names, found, sampling)
        runs = obtaining.made(found, sampling, out=out, probability=probability, progress=shown)
        members = pooling.members([one.weight for one in weighed], runs)
        figures = () if no_figures else plots.DEFAULT
        done = pooling.pool(members, sampling, out=out, probability=probability, figures=figures, progress=shown)
    if as_json:
        say(json.dumps(report.for_machines(done.folder, done.manifest), allow_nan=False))
    elif quiet:
        say(done.folder)
    else:
        say(f"{report.terminal(done.manifest)}\n\nrun: {done.folder}")
    if not done.converged:
        raise NotConvergedError(list(done.manifest["verdict"]["reasons"]))


@example("simulate validate --runs my-runs.csv")
@main.command()
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Runs of your own, in the columns of training_runs.csv; one without a family has that of its name.",
)
@OUT
@click.option("--no-figure", is_flag=True, help="Draw no figure.")
@JSON
def validate(runs: Path | None, out: Path, no_figure: bool, as_json: bool) -> None:
    """Predict the hours of training runs whose hours are known, and score the intervals.

    Each disclosed run is predicted by runs of other families: coverage of the 50, 80, 90 and 95 %
    intervals, log score and CRPS against a constant MFU, the worst misses, and how the hours stated for
    DeepSeek-V3 lie in each reference class. With --runs the runs of a file are predicted and scored the
    same way. Writes page, numbers and figure into a folder of their own.
    """
    from simulate import validation_page, validation_report

    with Progress(sys.stderr.isatty()) as progress:
        found = validation_report.examine(runs, progress if progress.shown else None)
        progress("writing", 0, 0)
        folder = validation_page.write(out, found, figure=not no_figure)
    if as_json:
        say(json.dumps({**validation_report.for_machines(found), "folder": str(folder)}, allow_nan=False))
    else:
        say(f"{validation_report.terminal(found)}\n\nvalidation: {folder}")


@example("simulate calibrate --priors semianalysis --fits 100")
@main.command()
@PRIORS
@click.option("--fits", type=click.IntRange(10, 10_000), default=100, show_default=True, help="How many, in all.")
@SEED
@WORKERS
@SCHEDULER
@OUT
@JSON
@click.option("--no-figure", is_flag=True, help="Draw no figure.")
def calibrate(
    name: str,
    fits: int,
    seed: int,
    workers: int | None,
    scheduler: str | None,
    out: Path,
    as_json: bool,
    no_figure: bool,
) -> None:
    """Check the sampler by simulation: does it find truths drawn from the prior as often as its intervals say.

    Draws a truth, simulates the evidence of the file from it, fits that by what makes a run, and ranks the truth among
    the draws, for every unknown, fact and cost scope (simulation-based calibration). Fits are kept one by one: the
    same command goes on where it was stopped, and more --fits add to those there are. Exits with 3 when the ranks
    are not uniform.
    """
    at_one_place(workers, scheduler)
    from simulate import loading

    with Progress(sys.stderr.isatty()) as progress:
        priors = loading.load(name)
        progress("starting", 0, 0)
        from simulate import calibration_report, calibration_run, cluster
        from simulate.calibration import Plan

        shown = progress if progress.shown else None
        with cluster.workforce(workers, scheduler) as by:
            found, folder = calibration_run.calibrate(priors, Plan(seed), fits, out=out, by=by, progress=shown)
        progress("reporting", 0, 0)
        calibration_report.save(found, folder, figure=not no_figure)
    if as_json:
        printed = {"folder": str(folder), **calibration_report.for_machines(found)}
        say(json.dumps(printed, allow_nan=False))
    else:
        say(f"{calibration_report.terminal(found)}\n\ncalibration: {folder}")
    if not found.passed:
        raise NotCalibratedError(list(found.failed))


def at_one_place(workers: int | None, scheduler: str | None) -> None:
    """Refuse workers here and elsewhere at once."""
    if workers is not None and scheduler is not None:
        raise click.UsageError("give --workers or --scheduler, not both: a scheduler has workers of its own")


@example("simulate sweep --priors semianalysis --grid docs/sweep.toml")
@main.command()
@PRIORS
@click.option(
    "--grid", "file", required=True, type=click.Path(path_type=Path), metavar="FILE", help="What is set at each point."
)
@SET
@WORKERS
@SCHEDULER
@OUT
@JSON
def sweep(
    name: str,
    file: Path,
    settings: Sequence[str],
    workers: int | None,
    scheduler: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Sample a prior file at every point of a grid, or of a sampled design, into one tidy table.

    A point is what `run --set` would make, with the same numbers: any unknown, constant, fact or claim, and the
    options of `run`. Writes CSV and Parquet, a row for each point and scope. Points are kept one by one: the same
    command goes on where it was stopped. Exits with 3 when a point has not converged, which its rows say.
    """
    at_one_place(workers, scheduler)
    from simulate import grid_file, layers

    with Progress(sys.stderr.isatty()) as progress:
        read, points = layers.read(layers.find(name), settings), grid_file.read(file)
        progress("starting", 0, 0)
        from simulate import cluster, sweep_report, sweep_run

        shown = progress if progress.shown else None
        with cluster.workforce(workers, scheduler) as by:
            done = sweep_run.sweep(read, points, out=out, by=by, progress=shown)
        progress("writing", 0, 0)
        found = sweep_report.save(done)
    if as_json:
        say(json.dumps(sweep_report.for_machines(done, found), allow_nan=False))
    else:
        say(f"{sweep_report.terminal(done, found)}\n\nsweep: {done.folder}")
    if found.poor:
        raise NotConvergedError(found.reasons)


@example("simulate sensitivity consensus --scope ownership")
@main.command()
@click.argument("given", metavar="RUN|FILE")
@click.option("--scope", metavar="SCOPE", help="The cost scope to explain; company, where there is one.")
@click.option("--no-refits", is_flag=True, help="Leave no source out, which takes a refit for each.")
@SEED
@OUT
@JSON
@click.option("--no-figure", is_flag=True, help="Draw no figure.")
def sensitivity(
    given: str, scope: str | None, no_refits: bool, seed: int, out: Path, as_json: bool, no_figure: bool
) -> None:
    """Say what carries the answer: which unknown, prior, source and assumption a cost scope hangs on.

    Variance shares that hold under dependence, a tornado, what knowing each unknown would be worth (what to
    ask for), power-scaling of priors and evidence, the posterior without the claims of each source, and a grid of
    assumptions. A prior file is run, unless it was run before; a name that could be both means the file.
    """
    from simulate import obtaining, pipeline
    from simulate.inference import Settings

    with Progress(sys.stderr.isatty()) as progress:
        sampling = Settings(seed=seed, cores=pipeline.cores())
        shown = progress if progress.shown else None
        run = obtaining.obtain(given, sampling, out=out, progress=shown)
        from simulate import sensitivity, sensitivity_report

        found = sensitivity.analyse(
            run,
            sensitivity.priors_of(run),
            scope=scope,
            refit=not no_refits,
            seed=seed,
            cores=sampling.cores,
            progress=shown,
        )
        folder = sensitivity_report.save(found, out, figure=not no_figure)
    if as_json:
        say(json.dumps({"folder": str(folder), **sensitivity_report.for_machines(found)}, allow_nan=False))
    else:
        say(f"{sensitivity_report.terminal(found)}\n\nsensitivity: {folder}")
    if not run.converged:
        raise NotConvergedError(list(run.manifest["verdict"]["reasons"]))


@example("simulate explore --priors semianalysis")
@main.command()
@click.option("--priors", "name", metavar="FILE|NAME", help="The prior file to open, or the name of a shipped one.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8420, show_default=True, help="Of the page; 0: any.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; others reach no loopback.")
@click.option("--no-browser", is_flag=True, help="Open no browser.")
def explore(name: str | None, port: int, host: str, no_browser: bool) -> None:
    """Serve a page on this machine: move what is assumed, and see what follows.

    A control for each unknown, disputed fact and claim of a prior file. Each movement is answered by a simulation of
    the priors, and letting go by the posterior, sampled as `run` does, with its verdict. The address of the page, or
    the file that it hands over, holds every change; `simulate run` of that file gives the same numbers. Ctrl-C ends
    it.
    """
    from simulate import exploring

    with Progress(sys.stderr.isatty()) as progress:
        progress("starting", 0, 0)
        ready = exploring.ready(name, host, port, exact=not is_default("port"))
        progress("compiling", 0, 0)
        exploring.warm(ready.shelf)
    ready.serve(say, browser=not no_browser)
    say("stopped")


@example("simulate list")
@main.command("list")
@OUT
def list_(out: Path) -> None:
    """List the prior files at hand and the runs there are."""
    from simulate import overview

    say(overview.of_prior_files())
    say("\n" + overview.of_runs(out))


@example("simulate init my-lab")
@main.command()
@click.argument("name")
def init(name: str) -> None:
    """Write NAME.toml, a commented prior file that runs as it is, to start from."""
    from simulate import layers

    say(layers.write_starter(name))


@example("simulate schema > prior-file.schema.json")
@main.command()
def schema() -> None:
    """Print the JSON Schema of prior files, for editors that complete and check TOML."""
    from simulate.schema import json_schema

    say(json.dumps(json_schema(), indent=2))


class Progress:
    """One line on the terminal that says what is being done; nothing when not shown.

    Calling it has the form of `simulate.inference.Progress`.
    """

    def __init__(self, shown: bool) -> None:
        self.shown = shown
        self.start = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self.write("")

    def __call__(self, what: str, done: int, total: int) -> None:
        share = f" {100 * done // total} %" if total else ""
        hint = " (longer the first time)" if what == "compiling" else ""
        self.write(f"{time.monotonic() - self.start:4.0f} s  {what}{share}{hint}")

    def write(self, line: str) -> None:
        if self.shown:
            click.echo(f"\r\x1b[K{shown(line)}", nl=False, err=True)
