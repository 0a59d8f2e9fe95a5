"""What carries the answer: which unknown, which prior, which source, which assumption.

One cost scope of one run. Variance shares, tails and the value of information come from the joint draws
as they are; power-scaling from the log-densities that the run holds; sources are left out by sampling
anew; assumptions are set and the ledger computed again. Every number has its Monte Carlo error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulate import (
    given_data,
    inference,
    jackknife,
    ledger,
    power_scaling,
    propagation,
    refits,
    report,
    reproduction,
    shapley,
    summary,
)
from simulate.errors import RunError, SimulateError
from simulate.given_data import Link
from simulate.inference import Draws, Progress, Settings
from simulate.jackknife import Estimate
from simulate.power_scaling import Power
from simulate.priors import Constant, Priors, Unknown
from simulate.refits import Omission
from simulate.results import Run
from simulate.shapley import Effects
from simulate.summary import Row

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

FEWEST_DRAWS = 400
"""Draws below which shares and tails say nothing."""
REFIT_DRAWS, REFIT_TUNE = 1000, 500
"""Draws of each chain of a refit at the most: what moves by less than their error hardly matters."""
DOUBT = 0.05
"""Probability that anything is said to matter where nothing does."""
PATIENT = 0.95
"""Target acceptance of a refit that has not converged at first."""
WIDEST_SCOPE = "company"

ASSUMPTIONS: Mapping[str, tuple[float, ...]] = {
    "scope.attribution": (0.5, 0.75, 1.0),
    "scope.horizon": (3.0, 4.0, 5.0),
    "scope.window": (0.5, 1.0, 2.0),
    "hosting.life": (3.0, 4.0, 5.0),
    "hosting.utilisation": (0.5, 0.75, 1.0),
    "research.multiplier": (2.0, 4.0, 8.0),
}
"""What a scope is, rather than what a price or a count is; and the round values of one that is fixed."""
PERCENTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Spread:
    """Median and ends of the interval of a scope [USD]."""

    median: Estimate
    lower: Estimate
    upper: Estimate

    @classmethod
    def of(cls, row: Row) -> Spread:
        return cls(
            Estimate(row.p50, row.mcse_p50), Estimate(row.lower, row.mcse_lower), Estimate(row.upper, row.mcse_upper)
        )

    def moved_from(self, other: Spread) -> Spread:
        """Return this less another, with the errors of independent draws."""
        pairs = ((self.median, other.median), (self.lower, other.lower), (self.upper, other.upper))
        return Spread(*(Estimate(a.value - b.value, float(np.hypot(a.mcse, b.mcse))) for a, b in pairs))


@dataclass(frozen=True)
class Influence:
    """What one unknown or disputed fact does to the scope.

    ``share`` is its Shapley effect and ``alone`` the variance that knowing it alone takes away, both of what
    the scope is computed from (None for the rest, which act through the evidence). ``rank`` is Spearman's
    correlation; ``low`` and ``high`` the scope's median [USD] where it is below its 10th and above its 90th
    percentile, or false and true; ``left`` the share of the interval's width that is left when it is known.
    """

    path: str
    is_fact: bool
    share: Estimate | None
    alone: Estimate | None
    rank: Estimate
    low: Estimate
    high: Estimate
    left: Estimate

    @property
    def can_be_asked(self) -> bool:
        """Whether it is something of the world, not how far a claim is off."""
        return not refits.is_of_claims(self.path)


@dataclass(frozen=True)
class Group:
    """Unknowns that belong to one thing, such as a chip, and their shares together."""

    name: str
    members: tuple[str, ...]
    share: Estimate


@dataclass(frozen=True)
class LeftOut:
    """The scope without the claims of one origin, and how far it moves.

    ``kept`` are the unknowns whose priors cite that origin too, and stay. ``facts`` are the probabilities of
    the disputed facts. ``reasons`` say why the refit is not to be cited; empty where it converged.
    """

    omission: Omission
    kept: tuple[str, ...]
    spread: Spread
    move: Spread
    facts: Mapping[str, float]
    reasons: tuple[str, ...]

    @property
    def z(self) -> float:
        """The largest move of median and ends in its standard errors."""
        moves = (self.move.median, self.move.lower, self.move.upper)
        return max(abs(move.value) / move.mcse if move.mcse > 0 else 0.0 for move in moves)


@dataclass(frozen=True)
class Cell:
    """The scope where an assumption has a value, which is a percentile of its own or a round number."""

    value: float
    percentile: float | None
    spread: Spread


@dataclass(frozen=True)
class WhatIf:
    """An assumption set to one value after another.

    ``conditional`` says that the evidence informs it, so that each cell is the posterior given that value;
    else the ledger is computed again on all draws.
    """

    path: str
    unit: str
    is_fixed: bool
    conditional: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Sensitivity:
    """What carries one scope of one run. ``idle`` are assumptions that it does not depend on."""

    run: Run
    scope: str
    unit: str
    group: str
    probability: float
    seed: int
    spread: Spread
    facts: Mapping[str, float]
    is_log: bool
    influences: tuple[Influence, ...]
    effects: Effects | None
    groups: tuple[Group, ...]
    powers: tuple[Power, ...]
    evidence_powers: Mapping[str, Estimate]
    overall: Power | None
    left_out: tuple[LeftOut, ...]
    refitting: Settings | None
    what_ifs: tuple[WhatIf, ...]
    idle: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def width(self) -> float:
        """Width of the interval [USD]."""
        return self.spread.upper.value - self.spread.lower.value

    def to_ask(self) -> list[Influence]:
        """Return what can be asked for, most useful first, as far as it narrows the interval beyond doubt.

        That is Student's t of the jackknife at 5 % for all of them together (Bonferroni).
        """
        from scipy.stats import t

        limit = float(t.isf(DOUBT / max(1, len(self.influences)), jackknife.BLOCKS - 1))
        useful = [one for one in self.influences if one.can_be_asked and one.left.value + limit * one.left.mcse < 1]
        return sorted(useful, key=lambda one: one.left.value)

    def moving(self) -> list[LeftOut]:
        """Return what moves median or interval beyond doubt when it is left out, largest move of the median first.

        Two-sided at 5 % for the three moves of all of them together (Bonferroni).
        """
        from scipy.stats import norm

        limit = float(norm.isf(DOUBT / (2 * 3 * max(1, len(self.left_out)))))
        return [one for one in self.left_out if one.z > limit]


def analyse(
    run: Run,
    priors: Priors,
    *,
    scope: str | None = None,
    refit: bool = True,
    power: bool = True,
    seed: int = 1,
    cores: int = 1,
    progress: Progress | None = None,
) -> Sensitivity:
    """Return what carries a scope of a run: the company's cost where there is one, unless another is named.

    ``priors`` are those of the run (`priors_of`). ``seed`` is that of the random orders;
    refits take the run's own. Without ``refit`` no source is left out, and without ``power`` nothing is power-scaled,
    which take longest. Raises `RunError` for a scope that the run does not have or that does not
    vary, and for a run with too few draws.
    """
    return Analysing(run, priors, named_scope(run, scope), seed, progress or (lambda what, done, total: None)).all(
        refit, cores, power=power
    )


def priors_of(run: Run) -> Priors:
    """Return the priors of a run, read from the files that it keeps.

    Raises `RunError` for a pool, and where the files no longer mean to this version what the run was made of.
    """
    if report.is_pool(run.manifest):
        raise RunError(f"{run.folder}: a pool has no priors of its own; analyse its members, each by itself")
    priors = reproduction.recipe(run).priors
    if priors.digest != run.manifest["digest"]:
        made_with = run.manifest["versions"]["simulate"]
        raise RunError(f"{run.folder}: its prior files meant something else to simulate {made_with}; run them again")
    return priors


def named_scope(run: Run, scope: str | None) -> str:
    """Return the scope that is meant."""
    known = list(run.manifest["scopes"])
    if scope is None:
        return WIDEST_SCOPE if WIDEST_SCOPE in known else known[-1]
    if scope not in known:
        raise RunError(f"{scope}: no cost scope of {run.manifest['name']}; it has {', '.join(known)}")
    return scope


# ---------------------------------------------------------------------------------------------
# The draws of a run


@dataclass(frozen=True)
class Sample:
    """Draws of a run, flat: ``(draw,)``, chain after chain."""

    tree: xr.DataTree
    group: str
    chains: int
    draws: int

    @classmethod
    def of(cls, run: Run) -> Sample:
        tree, group = run.tree(), str(run.manifest["group"])
        sizes = tree[group].sizes
        return cls(tree, group, sizes["chain"], sizes["draw"])

    def of_variable(self, name: str) -> Floats:
        return np.asarray(self.tree[self.group][name].to_numpy().ravel())

    def log_density(self, group: str, name: str) -> Floats:
        return np.asarray(self.tree[group][name].to_numpy().ravel())

    def chained(self, values: Floats) -> Floats:
        """Return flat draws as ``(chain, draw)``."""
        return values.reshape(self.chains, self.draws)


def inputs(priors: Priors, scope: str) -> set[str]:
    """Return the paths that a scope is computed from: entries, and facts that gate them."""
    names = ledger.depends_on(scope)
    paths = {path for name in names for path in priors.layout.paths_of(name)}
    rows = {path for name in names for path in priors.layout.rows.get(name, ())}
    return paths | {fact.path for fact in priors.facts if (paths | rows) & set(fact.gates)}


def recomputed(priors: Priors, sample: Sample, scope: str, changes: Mapping[str, float]) -> Floats:
    """Return the scope on all draws, with some entries set to other values."""
    size = (sample.chains * sample.draws,)
    found: dict[str, Floats] = {}
    for path, entry in priors.entries.items():
        if path in changes or isinstance(entry, Constant):
            found[path] = np.full(size, changes.get(path, getattr(entry, "value", np.nan)))
        else:
            found[path] = sample.of_variable(path)
    for path, physics in priors.layout.derived.items():
        found[path] = ledger.physical_gpu_hours(*(found[part] for part in physics))
    states = {fact.path: sample.of_variable(fact.path) for fact in priors.facts}
    return np.asarray(ledger.evaluate(propagation.inputs(priors, found, states), [scope])[scope])


def family(path: str) -> str:
    """Return the thing that a path belongs to: a chip, a run, hosting, or itself.

    >>> family("chips.h800.server_cost"), family("fleet.h800.exists"), family("scope.attribution")
    ('h800', 'h800', 'scope.attribution')
    """
    section, _, rest = path.partition(".")
    if section in ("chips", "fleet"):
        return rest.partition(".")[0]
    if section in ("runs", "staff", "other"):
        return f"{section}.{rest.partition('.')[0]}"
    return section if section == "hosting" else path


# ---------------------------------------------------------------------------------------------
# Analysing


@dataclass
class Analysing:
    """Analyses one scope of a run, and notes what a reader must know."""

    run: Run
    priors: Priors
    scope: str
    seed: int
    progress: Progress
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sample = Sample.of(self.run)
        self.values = self.sample.of_variable(self.scope)
        self.estimate = self.run.manifest["scopes"][self.scope]
        self.probability = float(self.estimate["probability"])
        if self.values.size < FEWEST_DRAWS:
            raise RunError(f"{self.run.folder}: {self.values.size} draws, needs {FEWEST_DRAWS}; run with more --draws")
        if not np.ptp(self.values) > 0:
            raise RunError(f"{self.scope} does not vary in {self.run.folder}; there is nothing to explain")
        self.link = Link.of(self.values)
        self.output = self.link.forth(self.values)
        self.left = jackknife.masks(self.sample.chains, self.sample.draws)
        self.inputs = inputs(self.priors, self.scope)

    def all(self, refit: bool, cores: int, *, power: bool = True) -> Sensitivity:
        """Return everything, what takes longest last."""
        self.progress("variance shares", 0, 0)
        effects, players, groups = self.effects()
        self.progress("value of information", 0, 0)
        influences = self.influences(effects, players)
        self.progress("power-scaling", 0, 0)
        scaled = self.power_scaling([one.path for one in influences]) if power else ([], {}, None)
        powers, of_groups, overall = scaled
        self.progress("what if", 0, 0)
        what_ifs, idle = self.what_ifs()
        refitting = self.refit_settings(refit, cores)
        left_out = self.leave_out(refitting) if refitting else []
        return Sensitivity(
            run=self.run,
            scope=self.scope,
            unit=self.estimate["unit"],
            group=self.sample.group,
            probability=self.probability,
            seed=self.seed,
            spread=self.present(),
            facts=dict(self.run.manifest["facts"]),
            is_log=self.link.is_log,
            influences=tuple(influences),
            effects=effects,
            groups=tuple(groups),
            powers=tuple(powers),
            evidence_powers=of_groups,
            overall=overall,
            left_out=tuple(sorted(left_out, key=lambda one: -abs(one.move.median.value))),
            refitting=refitting,
            what_ifs=tuple(what_ifs),
            idle=tuple(idle),
            notes=tuple(self.notes),
        )

    def present(self) -> Spread:
        """Return the scope as the manifest has it."""
        return Spread(*(Estimate(self.estimate[k], self.estimate[f"mcse_{k}"]) for k in ("median", "lower", "upper")))

    def varying(self, paths: Sequence[str]) -> list[str]:
        return [path for path in paths if np.ptp(self.sample.of_variable(path)) > 0]

    # -- shares ---------------------------------------------------------------------------------

    def effects(self) -> tuple[Effects | None, list[str], list[Group]]:
        """Return the Shapley effects, the paths that they are of, and the groups of these."""
        every = [*(unknown.path for unknown in self.priors.unknowns), *(fact.path for fact in self.priors.facts)]
        players = self.varying([path for path in every if path in self.inputs])
        names = list(dict.fromkeys(family(path) for path in players))
        members = [[i for i, path in enumerate(players) if family(path) == name] for name in names]
        found = shapley.effects(
            [self.sample.of_variable(path) for path in players],
            self.output,
            self.left,
            inference.stream(self.seed, "sensitivity", "orders"),
            members,
        )
        if found is None:
            need = shapley.DRAWS_PER_TERM * (len(players) + 1)
            self.notes.append(f"No variance shares: {len(players)} unknowns need more than {need} draws.")
            return None, players, []
        groups = [
            Group(name, tuple(players[i] for i in part), share)
            for name, part, share in zip(names, members, found.together, strict=True)
        ]
        return found, players, sorted(groups, key=lambda group: -group.share.value)

    # -- tails, correlations, value of information ----------------------------------------------

    def influences(self, effects: Effects | None, players: Sequence[str]) -> list[Influence]:
        """Return what each unknown does that the scope is computed from or that the evidence informs."""
        informed = [unknown.path for unknown in self.informed()]
        facts = {fact.path for fact in self.priors.facts}
        others = self.varying([path for path in (*informed, *(facts if informed else ())) if path not in players])
        paths = [*players, *sorted(others)]
        shares = dict(zip(players, zip(effects.shares, effects.alone, strict=True), strict=True)) if effects else {}
        drawn = np.stack([self.sample.of_variable(path) for path in paths])
        ranks = given_data.rank_correlations(drawn, self.values, self.left)
        tails = given_data.tails(drawn, self.values, self.left)
        widths = given_data.widths_left(drawn, self.output, self.link, self.probability, self.left)
        found = []
        for path, row, rank, (low, high), left in zip(paths, drawn, ranks, tails, widths, strict=True):
            if path in facts:
                low, high = given_data.cases(row, self.values, self.left)
                left = given_data.width_left_by_fact(row, self.output, self.link, self.probability, self.left)
            share, alone = shares.get(path, (None, None))
            found.append(Influence(path, path in facts, share, alone, rank, low, high, left))
        return sorted(found, key=lambda one: (-one.share.value if one.share else 1.0, one.left.value))

    def informed(self) -> tuple[Unknown, ...]:
        """Return the unknowns that the evidence of the run speaks of; none where it was left out."""
        return self.priors.informed if self.sample.group == "posterior" and self.priors.evidence else ()

    # -- power-scaling --------------------------------------------------------------------------

    def power_scaling(self, paths: Sequence[str]) -> tuple[list[Power], dict[str, Estimate], Power | None]:
        """Return the sensitivities to each prior, to each group of claims, and to all priors and all evidence."""
        if "log_prior" not in self.sample.tree:
            self.notes.append("No power-scaling: the run is of the prior alone.")
            return [], {}, None
        groups = self.evidence_densities()
        evidence = np.sum(list(groups.values()), axis=0) if groups else None
        found = []
        for done, path in enumerate(paths):
            self.progress("power-scaling", done, len(paths))
            found.append(self.power(path, evidence))
        every = np.sum([self.sample.log_density("log_prior", p) for p in self.sample.tree["log_prior"]], axis=0)
        return (
            sorted(found, key=lambda power: -power.on_answer.value),
            {name: power_scaling.sensitivity(self.values, density, self.left) for name, density in groups.items()},
            self.powers(self.scope, self.values, every, evidence),
        )

    def power(self, path: str, evidence: Floats | None) -> Power:
        """Return the sensitivity of the scope to one prior, and of its unknown to the prior and the evidence."""
        density = self.sample.log_density("log_prior", path)
        found = self.powers(path, self.sample.of_variable(path), density, evidence)
        return replace(found, on_answer=power_scaling.sensitivity(self.values, density, self.left))

    def powers(self, path: str, values: Floats, prior: Floats, evidence: Floats | None) -> Power:
        """Return the sensitivity of some draws to a prior and to the evidence."""
        own, pull = power_scaling.sensitivity(values, prior, self.left), power_scaling.pull(values, prior)
        if evidence is None:
            return Power(path, own, own, None, power_scaling.diagnosis(own, None, (pull, 0.0)))
        heard = power_scaling.sensitivity(values, evidence, self.left)
        pulls = pull, power_scaling.pull(values, evidence)
        return Power(path, own, own, heard, power_scaling.diagnosis(own, heard, pulls))

    def evidence_densities(self) -> dict[str, Floats]:
        """Return the log-likelihood of each group of claims, ``(draw,)``."""
        if "log_likelihood" not in self.sample.tree:
            return {}
        values = self.sample.tree["log_likelihood"]["log_claims"]
        return {str(name): values.sel(group=name).to_numpy().ravel() for name in values["group"].to_numpy()}

    # -- what if --------------------------------------------------------------------------------

    def what_ifs(self) -> tuple[list[WhatIf], list[str]]:
        """Return the grid of assumptions, and those of the file that the scope does not depend on."""
        found, idle = [], []
        for path in ASSUMPTIONS:
            cells = self.what_if(path)
            if cells:
                found.append(cells)
            elif path in self.priors.entries:
                idle.append(path)
        return found, idle

    def what_if(self, path: str) -> WhatIf | None:
        """Return the scope for values of an assumption, or None where these change nothing."""
        entry = self.priors.entries.get(path)
        if isinstance(entry, Unknown) and self.is_tied(path):
            cells = tuple(self.conditional_cell(path, share) for share in PERCENTILES)
            return WhatIf(path, entry.unit, False, True, cells)
        if entry is None or path not in self.inputs:
            return None
        if isinstance(entry, Constant):
            cells = tuple(self.computed_cell(path, value, None) for value in ASSUMPTIONS[path])
            return WhatIf(path, entry.unit, True, False, cells)
        drawn = np.quantile(self.sample.of_variable(path), PERCENTILES)
        cells = tuple(self.computed_cell(path, float(v), p) for v, p in zip(drawn, PERCENTILES, strict=True))
        return WhatIf(path, entry.unit, False, False, cells)

    def is_tied(self, path: str) -> bool:
        """Whether an unknown goes with others in the draws: by the evidence, or by a stated correlation."""
        informed = {unknown.path for unknown in self.informed()}
        return path in informed or path in self.priors.correlations.paths

    def computed_cell(self, path: str, value: float, percentile: float | None) -> Cell:
        values = self.sample.chained(recomputed(self.priors, self.sample, self.scope, {path: value}))
        row = summary.row(self.scope, "", self.sample.group, self.estimate["unit"], values, self.probability)
        return Cell(value, percentile, Spread.of(row))

    def conditional_cell(self, path: str, percentile: float) -> Cell:
        drawn = self.sample.of_variable(path)
        found = given_data.at_percentile(drawn, self.output, self.link, percentile, self.probability, self.left)
        return Cell(float(np.quantile(drawn, percentile)), percentile, Spread(*found))

    # -- leaving sources out --------------------------------------------------------------------

    def refit_settings(self, refit: bool, cores: int) -> Settings | None:
        """Return how refits are made; None where there are none."""
        if not refit or not self.informed():
            self.notes += [] if refit else ["No source was left out (--no-refits)."]
            return None
        made = self.run.manifest["sampling"]
        return Settings(
            draws=min(made["draws"], REFIT_DRAWS),
            tune=min(made["tune"], REFIT_TUNE),
            chains=made["chains"],
            seed=made["seed"],
            target_accept=made["target_accept"],
            cores=cores,
        )

    def leave_out(self, settings: Settings) -> Iterator[LeftOut]:
        """Yield the scope without the claims of each origin, and without any."""
        omitted = refits.omissions(self.priors)
        for number, omission in enumerate(omitted):
            named = f"without {omission.name} ({number + 1} of {len(omitted)})"
            self.progress(named, 0, 0)
            found = self.without(omission, settings, named)
            if found:
                yield found

    def without(self, omission: Omission, settings: Settings, named: str) -> LeftOut | None:
        """Return the scope without some claims, or None and a note where that cannot be sampled.

        Where it has not converged it is sampled once more, twice as long and in smaller steps.
        """
        reduced = refits.without(self.priors, omission.claims)
        patient = replace(settings, draws=2 * settings.draws, tune=2 * settings.tune, target_accept=PATIENT)
        exact = replace(settings, draws=self.sample.draws)
        try:
            for attempt in (settings, patient) if reduced.evidence else (exact,):
                found = self.refitted(omission, reduced, attempt, named)
                if not found.reasons:
                    break
        except SimulateError as error:
            self.notes.append(f"Nothing is said of {omission.name}: without it, {error}.")
            return None
        return found

    def refitted(self, omission: Omission, reduced: Priors, settings: Settings, named: str) -> LeftOut:
        """Return the scope from one posterior without some claims."""
        draws = refits.posterior(reduced, settings, lambda what, done, total: self.progress(named, done, total))
        row = self.row(draws, self.scope, draws.quantities[self.scope])
        spread = Spread.of(row)
        kept = tuple(unknown.path for unknown in refits.citing(self.priors, omission.origins))
        reasons = inference.judge(draws, settings, self.diagnostics(reduced, draws, row)).reasons
        return LeftOut(omission, kept, spread, spread.moved_from(self.present()), draws.fact_probability, reasons)

    def row(self, draws: Draws, name: str, values: Floats) -> Row:
        return summary.row(name, "", "posterior", self.estimate["unit"], values, self.probability)

    def diagnostics(self, reduced: Priors, draws: Draws, of_scope: Row) -> dict[str, dict[str, float]]:
        """Return the convergence of the scope and of every unknown that was sampled."""
        rows = [self.row(draws, unknown.path, draws.values[unknown.path]) for unknown in reduced.informed]
        return summary.diagnostics([of_scope, *rows])
