"""Published estimates of others, computed again from the inputs that their authors state.

Three tests of the arithmetic and of the intervals on figures that no one here made, all of Epoch AI:

`amortised`
    its table of amortised training costs, run by run (Cottier et al. 2024, arXiv:2405.21015);
`development`
    its intervals for what it took to develop GPT-3, OPT-175B, GPT-4 and Gemini Ultra (the same);
`forecast`
    its guess of January 2025 for DeepSeek-R1's reinforcement learning, scored against the disclosed bill.

Every figure stands in ``priors/reference/epoch_*.csv`` with its source and how it is known. Nothing is
fitted: where a published figure is missed, the row says so. Money is USD of 2023 except in `forecast`,
which compares two bills of early 2025.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from simulate import summary
from simulate.distributions import INFINITY, Johnson, from_quantiles
from simulate.inference import stream
from simulate.layers import shipped_folder
from simulate.ledger import HOURS_PER_YEAR, SECONDS_PER_HOUR, Number

Floats = NDArray[np.float64]

PROBABILITY = 0.9
DRAWS = 10_000
CHAINS = 4
"""Batches of independent draws, so that Monte Carlo errors are computed as those of a run are."""
BOUNDS = {"normal": (-INFINITY, INFINITY), "lognormal": (0.0, INFINITY), "logitnormal": (0.0, 1.0)}
STANDARD = NormalDist()


# ---------------------------------------------------------------------------------------------
# What the authors state


def reference(name: str) -> list[dict[str, str]]:
    """Return the rows of a shipped reference table."""
    with (shipped_folder() / "reference" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(cell: str) -> float | None:
    """Return the number in a cell, or None where it is empty."""
    return float(cell) if cell else None


def inputs() -> dict[str, Johnson]:
    """Return Epoch's stated 90 % intervals by name, each met exactly by a distribution of the stated family."""
    return {row["name"]: input_of(row) for row in reference("epoch_inputs")}


def input_of(row: Mapping[str, str]) -> Johnson:
    stated = {0.05: number(row["low"]), 0.5: number(row["median"]), 0.95: number(row["high"])}
    lower, upper = BOUNDS[row["family"]]
    return from_quantiles({p: x for p, x in stated.items() if x is not None}, lower, upper)


@dataclass(frozen=True)
class Drawing:
    """Draws ``(chain, draw)`` of the stated inputs for one model, independent of one another.

    Streams are named by model and input. Each input's draws fall one into each of as many equally probable
    strata (Latin hypercube: McKay, Beckman and Conover 1979, Technometrics 21(2)), so that its own quantiles
    have next to no Monte Carlo error; errors computed as of independent draws are then upper bounds.
    """

    inputs: Mapping[str, Johnson]
    model: str
    draws: int
    seed: int

    def normal(self, name: str) -> Floats:
        """Return standard normal draws, one from each stratum, from the stream of this model and name."""
        number = CHAINS * self.draws
        rng = stream(self.seed, "replication", self.model, name)
        return np.asarray(ndtri((rng.permutation(number) + rng.random(number)) / number)).reshape(CHAINS, -1)

    def of(self, name: str, part: str = "") -> Floats:
        """Return draws of an input; a ``part`` has draws of its own."""
        return np.asarray(self.inputs[name].from_normal(self.normal(f"{name} {part}".strip())))

    def factor(self, name: str) -> Floats:
        """Return draws of an input over its median: its error where the central value is already counted."""
        return np.asarray(self.of(name) / self.inputs[name].from_normal(0.0))


def summarised(name: str, values: Floats) -> summary.Row:
    """Return median, equal-tailed 90 % interval and Monte Carlo errors of draws [USD]."""
    return summary.row(name, "", "replication", "USD", values, PROBABILITY)


# ---------------------------------------------------------------------------------------------
# Amortised cost of a run


def hourly_write_off(price: Number, years: Number, trend: Number) -> Number:
    """Return what an hour wears off a chip [USD/chip-hour].

    ``price`` [USD/chip] at release falls by ``trend`` [decimal orders of magnitude/year] for ``years`` until
    training starts, and is then written off at the same rate:
    ``price · 10^(-trend·years) · trend · ln 10 / 8766``. Cottier et al. (2024), arXiv:2405.21015.

    >>> round(hourly_write_off(31_186, 2.22, 0.14), 4)
    0.5607
    """
    return price * 10.0 ** (-trend * years) * trend * math.log(10) / HOURS_PER_YEAR


def amortised_cost(hours: Number, write_off: Number, power: Number, pue: Number, electricity: Number) -> Number:
    """Return ``hours · (write_off + power · pue · electricity)`` [USD].

    ``hours`` [chip-hour], ``write_off`` [USD/chip-hour], mean system ``power`` [kW/chip], ``electricity``
    [USD/kWh]. Cottier et al. (2024), arXiv:2405.21015.
    """
    return hours * (write_off + power * pue * electricity)


@dataclass(frozen=True)
class Chip:
    """An accelerator: month of its first shipment, dense 16-bit peak [FLOP/second], mean system power [kW/chip].

    Dates are general knowledge; a date within a month is its 15th.
    """

    kind: str
    released: datetime
    peak_flops: float
    mean_kw: float


@dataclass(frozen=True)
class Stated:
    """Chip-hours as a source gives them."""

    hours: float

    def drawn(self, drawing: Drawing) -> Floats:
        """Return draws of the chip-hours: chips and time, each with its stated error."""
        return np.asarray(self.hours * drawing.of("chips") * drawing.of("time"))


@dataclass(frozen=True)
class Derived:
    """Chip-hours of a run that disclosed its compute [FLOP] and an interval of MFU on chips of a peak [FLOP/second]."""

    flop: float
    peak_flops: float
    mfu: tuple[float, float]

    @property
    def hours(self) -> float:
        """``flop / (peak · MFU · 3600)`` at the middle of the interval."""
        return self.flop / (self.peak_flops * sum(self.mfu) / 2 * SECONDS_PER_HOUR)

    def drawn(self, drawing: Drawing) -> Floats:
        """Return draws of the chip-hours: compute and peak with their stated errors, MFU within its interval."""
        measured = from_quantiles({0.05: self.mfu[0], 0.95: self.mfu[1]}, 0.0, 1.0)
        rate = self.peak_flops * drawing.of("peak") * measured.from_normal(drawing.normal("mfu"))
        return np.asarray(self.flop * drawing.of("compute") / (rate * SECONDS_PER_HOUR))


@dataclass(frozen=True)
class Editions:
    """A model's costs in Epoch's table [USD]: acquisition and amortised, and amortised as revised later, if it was."""

    acquisition: float
    first: float
    revised: float | None

    @property
    def revision(self) -> float | None:
        """The factor between the editions."""
        return None if self.revised is None else apart(self.revised / self.first)


@dataclass(frozen=True)
class Run:
    """A training run of Epoch's table.

    ``known`` is how its hours are known, ``site`` is who runs the hall (hyperscaler or other), ``note`` a caveat.
    """

    model: str
    announced: datetime
    chip: Chip
    chips: float
    hours: Stated | Derived
    known: str
    site: str
    note: str
    editions: Editions

    @property
    def price(self) -> float:
        """What a chip cost with its server and network [USD/chip]: acquisition over the number of chips.

        The acquisition column already has the overheads of server and interconnect in it, so they are not
        multiplied in again; only their stated errors are.
        """
        return self.editions.acquisition / self.chips

    @property
    def age(self) -> float:
        """Years from the chip's release to the start of training.

        Training is taken to have ended when the model was announced and to have lasted chip-hours over
        chips. Epoch also allows for the delivery of the chips and for writing up; that is left out here, so
        that chips come out some months older, and cheaper, than Epoch's.
        """
        lasted = timedelta(hours=self.hours.hours / self.chips)
        return (self.announced - lasted - self.chip.released) / timedelta(hours=HOURS_PER_YEAR)


def editions() -> dict[str, Editions]:
    """Return the costs in Epoch's table by model."""
    return {
        row["model"]: Editions(float(row["acquisition_usd"]), float(row["amortised_usd"]), number(row["revised_usd"]))
        for row in reference("epoch_amortised")
    }


def noise(among: Mapping[str, Editions]) -> float:
    """Return the largest factor between the two editions of one model: how far the method is from itself."""
    return max(model.revision for model in among.values() if model.revision is not None)


def runs() -> list[Run]:
    """Return the runs of Epoch's table whose chips and hours are known."""
    chips, costs = {row["chip"]: chip_of(row) for row in reference("epoch_chips")}, editions()
    return [run_of(row, chips[row["chip"]], costs[row["model"]]) for row in reference("epoch_runs")]


def chip_of(row: Mapping[str, str]) -> Chip:
    released = datetime.fromisoformat(row["released"])
    return Chip(row["kind"].lower(), released, float(row["peak_flops"]), float(row["mean_kw"]))


def run_of(row: Mapping[str, str], chip: Chip, costs: Editions) -> Run:
    announced, chips = datetime.fromisoformat(row["announced"]), float(row["chips"])
    known, site, note = row["known"], row["site"], row["note"]
    return Run(row["model"], announced, chip, chips, hours_of(row, chip), known, site, note, costs)


def hours_of(row: Mapping[str, str], chip: Chip) -> Stated | Derived:
    if row["chip_hours"]:
        return Stated(float(row["chip_hours"]))
    return Derived(float(row["flop"]), chip.peak_flops, (float(row["mfu_low"]), float(row["mfu_high"])))


def cost_drawn(run: Run, drawing: Drawing) -> Floats:
    """Return draws of a run's amortised cost [USD 2023]."""
    price = run.price * drawing.of(f"price_{run.chip.kind}") * drawing.factor("server") * drawing.factor("interconnect")
    years = run.age + drawing.of("age") * 24 / HOURS_PER_YEAR
    write_off = hourly_write_off(price, years, drawing.of("trend"))
    power = run.chip.mean_kw * drawing.factor(f"power_{run.chip.kind}")
    pue, electricity = drawing.of(f"pue_{run.site}"), drawing.of("electricity")
    return np.asarray(amortised_cost(run.hours.drawn(drawing), write_off, power, pue, electricity))


@dataclass(frozen=True)
class AmortisedRow:
    """A run's amortised cost by its authors and by us; ``noise`` is the largest factor between their two editions."""

    run: Run
    ours: summary.Row
    noise: float

    @property
    def ratio(self) -> float:
        """Our median over the first edition, whose acquisition cost we start from."""
        return self.ours.p50 / self.run.editions.first

    @property
    def revised_ratio(self) -> float | None:
        """Our median over the revised edition."""
        return None if self.run.editions.revised is None else self.ours.p50 / self.run.editions.revised

    def standing(self, ratio: float) -> str:
        """Return whether a ratio is within or beyond the noise, or at its edge: two Monte Carlo errors or less away."""
        distance = math.log(apart(ratio) / self.noise)
        if abs(distance) <= 2 * self.ours.mcse_p50 / self.ours.p50:
            return "at the edge"
        return "within" if distance < 0 else "beyond"

    @property
    def covered(self) -> bool:
        """Whether the first edition lies in our 90 % interval."""
        return self.ours.lower <= self.run.editions.first <= self.ours.upper


def apart(ratio: float) -> float:
    """Return a ratio as a factor of at least 1.

    >>> apart(0.5), apart(2.0)
    (2.0, 2.0)
    """
    return max(ratio, 1 / ratio)


def amortised(draws: int = DRAWS, seed: int = 1) -> list[AmortisedRow]:
    """Return Epoch's amortised costs beside ours, from 4 × ``draws`` draws of its stated intervals."""
    largest, stated = noise(editions()), inputs()
    return [
        AmortisedRow(run, summarised(run.model, cost_drawn(run, Drawing(stated, run.model, draws, seed))), largest)
        for run in runs()
    ]


# ---------------------------------------------------------------------------------------------
# Cost of developing a model


@dataclass(frozen=True)
class Interval:
    """A published 5th, 50th and 95th percentile [USD]."""

    low: float
    middle: float
    high: float

    @property
    def width(self) -> float:
        """From the 5th to the 95th percentile [USD]."""
        return self.high - self.low


@dataclass(frozen=True)
class DevelopmentRow:
    """A development cost by its authors and by us, and compute alone.

    ``ours`` has one experiment factor for all of compute, ``parted`` one for each part of it, ``compute``
    is the compute in ``ours``, without staff.
    """

    model: str
    published: Interval
    ours: summary.Row
    parted: summary.Row
    compute: summary.Row

    @property
    def ratio(self) -> float:
        """Our median over theirs."""
        return self.ours.p50 / self.published.middle

    @property
    def overlap(self) -> bool:
        """Whether their interval and ours have a cost in common."""
        return self.ours.p5 <= self.published.high and self.published.low <= self.ours.p95

    @property
    def width_ratio(self) -> float:
        """Width of our interval over that of theirs, both in USD."""
        return width(self.ours) / self.published.width

    @property
    def parted_width_ratio(self) -> float:
        return width(self.parted) / self.published.width

    @property
    def compute_width_ratio(self) -> float:
        """Width of their interval, staff included, over that of compute alone: below 1 it has lost uncertainty."""
        return self.published.width / width(self.compute)


def width(row: summary.Row) -> float:
    """Return the width of the 90 % interval [USD]."""
    return row.p95 - row.p5


def interval(row: Mapping[str, str], name: str) -> Interval:
    """Return the three percentiles that a table gives for ``name``."""
    return Interval(*(float(row[f"{name}_{key}"]) for key in ("q05", "q50", "q95")))


def parts(stated: Mapping[str, Johnson]) -> dict[str, float]:
    """Return the share of each part in the cost of compute: chips, server, interconnect and energy.

    From the middles of the ranges that Cottier et al. (2024) give for their shares in development cost,
    with staff taken out; ``hardware`` there is chips, server and interconnect.
    """
    share = {name: float(stated[f"{name}_share"].from_normal(0.0)) for name in ("server", "interconnect", "energy")}
    hardware = float(stated["hardware_share"].from_normal(0.0))
    share["chips"] = hardware - share["server"] - share["interconnect"]
    return {name: value / (hardware + share["energy"]) for name, value in share.items()}


def total(compute: Floats, staff: Interval | None, drawing: Drawing) -> Floats:
    """Return compute with the staff who used it [USD].

    Staff is the stated cost, independent of compute, or, where only its share in the whole is stated,
    ``compute / (1 - share)``: it then grows with compute.
    """
    if staff is None:
        return np.asarray(compute / (1 - drawing.of("staff_share")))
    stated = from_quantiles({0.05: staff.low, 0.5: staff.middle, 0.95: staff.high}, lower=0.0)
    return np.asarray(compute + stated.from_normal(drawing.normal("staff")))


def development_row(row: Mapping[str, str], final_run: float, drawing: Drawing) -> DevelopmentRow:
    """Return one development cost: the final run times the experiment factor, and staff."""
    staff = interval(row, "staff") if row["staff_q50"] else None
    compute = final_run * drawing.of("experiments")
    shares = parts(drawing.inputs)
    parted = final_run * sum(share * drawing.of("experiments", part) for part, share in shares.items())
    return DevelopmentRow(
        drawing.model,
        interval(row, "published"),
        summarised("ours", total(compute, staff, drawing)),
        summarised("parted", total(np.asarray(parted), staff, drawing)),
        summarised("compute", compute),
    )


def development(draws: int = DRAWS, seed: int = 1) -> list[DevelopmentRow]:
    """Return Epoch's development costs beside ours, from 4 × ``draws`` draws.

    The final run is the first edition's amortised cost, energy included, as a point: Epoch's intervals do
    not have its error in them either. Those for GPT-3, OPT-175B and GPT-4 are narrower than the experiment
    factor alone would make the cost of compute. In ``development_cost.ipynb`` (commit 3c6aafa) chips, server,
    interconnect and energy are each drawn from an interval that the factor spans, independently, so that it
    averages out; ``parted`` does the same, and has the published widths for GPT-4 and Gemini Ultra.
    """
    costs, stated = editions(), inputs()
    return [
        development_row(row, costs[row["model"]].first, Drawing(stated, row["model"], draws, seed))
        for row in reference("epoch_development")
    ]


# ---------------------------------------------------------------------------------------------
# A forecast, scored


@dataclass(frozen=True)
class ForecastRow:
    """A log-normal forecast and what came of it.

    ``median`` and ``outcome`` [USD]; ``factor`` spans the central 90 %: from median / factor to median · factor.
    """

    name: str
    median: float
    factor: float
    outcome: float

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        return math.log(self.factor) / STANDARD.inv_cdf((1 + PROBABILITY) / 2)

    @property
    def z(self) -> float:
        """Where the outcome fell, in standard deviations of the logarithm."""
        return math.log(self.outcome / self.median) / self.sigma

    @property
    def percentile(self) -> float:
        """The forecast's probability of at most the outcome [%]."""
        return 100 * STANDARD.cdf(self.z)

    @property
    def log_score(self) -> float:
        """Log density of ln(outcome); higher is better."""
        return -math.log(self.sigma) + math.log(STANDARD.pdf(self.z))

    @property
    def crps(self) -> float:
        """Continuous ranked probability score in units of ln USD; lower is better.

        ``σ·(z·(2Φ(z) - 1) + 2φ(z) - 1/√π)``: Gneiting and Raftery (2007), J. Am. Stat. Assoc. 102, section 4.2.
        """
        z = self.z
        return self.sigma * (z * (2 * STANDARD.cdf(z) - 1) + 2 * STANDARD.pdf(z) - 1 / math.sqrt(math.pi))

    @property
    def covered(self) -> bool:
        """Whether the outcome lies in the central 90 % interval."""
        return apart(self.outcome / self.median) <= self.factor


def forecast() -> list[ForecastRow]:
    """Return the forecast with its stated factor, and with the least that has the outcome in its 90 % interval.

    The forecaster gave a point; the factor is the one Epoch states for training compute in general. The
    outcome is hours times DeepSeek's assumed rate, and counts R1-Zero and the making of fine-tuning data.
    """
    (row,) = reference("epoch_r1_forecast")
    median, outcome = float(row["forecast_usd"]), float(row["outcome_hours"]) * float(row["outcome_rate"])
    factors = {"as stated": float(row["factor"]), "as it would have needed": apart(outcome / median)}
    return [ForecastRow(name, median, factor, outcome) for name, factor in factors.items()]


# ---------------------------------------------------------------------------------------------
# Tables


def amortised_cells(rows: list[AmortisedRow]) -> list[list[str]]:
    """Return the table of amortised costs, header first; there is at least one row."""
    against = f"against ×{rows[0].noise:.2f}"
    header = ["run", "chip-hours known as", "Epoch, first edition [USD 2023]", "Epoch, revised [USD 2023]"]
    header += ["ours, median [90 % interval] [USD 2023]", f"ours ÷ first, {against}", f"ours ÷ revised, {against}"]
    return [[*header, "first edition in our interval"], *map(amortised_cell, rows)]


def amortised_cell(row: AmortisedRow) -> list[str]:
    first, revised = row.run.editions.first, row.run.editions.revised
    return [
        row.run.model,
        row.run.known,
        summary.amount(first),
        "–" if revised is None else summary.amount(revised),
        bracketed(row.ours),
        f"{quotient(row.ours, row.ratio)}, {row.standing(row.ratio)}",
        "–"
        if row.revised_ratio is None
        else f"{quotient(row.ours, row.revised_ratio)}, {row.standing(row.revised_ratio)}",
        yes(row.covered),
    ]


def development_cells(rows: list[DevelopmentRow]) -> list[list[str]]:
    """Return the table of development costs, header first; widths are of 90 % intervals in USD."""
    header = ["model", "Epoch, median [5–95 %] [USD 2023]", "ours, one experiment factor [USD 2023]"]
    header += ["medians, ours ÷ Epoch", "intervals overlap", "widths, ours ÷ Epoch", "widths, Epoch ÷ compute alone"]
    header += ["ours, a factor for each part [USD 2023]", "its width ÷ Epoch"]
    return [header, *map(development_cell, rows)]


def development_cell(row: DevelopmentRow) -> list[str]:
    theirs = row.published
    low, middle, high = (summary.published(x) for x in (theirs.low, theirs.middle, theirs.high))
    return [
        row.model,
        f"{middle} [{low} to {high}]",
        bracketed(row.ours),
        quotient(row.ours, row.ratio),
        yes(row.overlap),
        f"{row.width_ratio:.1f}",
        f"{row.compute_width_ratio:.1f}",
        bracketed(row.parted),
        f"{row.parted_width_ratio:.1f}",
    ]


def forecast_cells(rows: list[ForecastRow]) -> list[list[str]]:
    """Return the table of the scored forecast, header first; exact, without Monte Carlo."""
    header = ["spread of the forecast", "median [USD]", "90 % interval [USD]", "outcome [USD]", "its percentile [%]"]
    return [
        [*header, "in the interval", "log score [ln USD]", "CRPS [ln USD]"],
        *(
            [
                f"{row.name}: ×{row.factor:.3g} either way",
                summary.published(row.median),
                f"{summary.amount(row.median / row.factor)} to {summary.amount(row.median * row.factor)}",
                summary.published(row.outcome),
                f"{row.percentile:.1f}",
                yes(row.covered),
                f"{row.log_score:.2f}",
                f"{row.crps:.2f}",
            ]
            for row in rows
        ),
    ]


def bracketed(row: summary.Row) -> str:
    """Return median and 90 % interval in words, with the digits their Monte Carlo errors support."""
    figures = ((row.p50, row.mcse_p50), (row.lower, row.mcse_lower), (row.upper, row.mcse_upper))
    median, low, high = (summary.amount(value, row.unit, mcse) for value, mcse in figures)
    return f"{median} [{low} to {high}]"


def quotient(ours: summary.Row, ratio: float) -> str:
    """Return the ratio of our median to a figure, with the digits that the median's Monte Carlo error supports."""
    return summary.amount(ratio, "", ratio * ours.mcse_p50 / ours.p50)


def yes(fact: bool) -> str:
    return "yes" if fact else "no"
