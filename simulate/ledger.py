"""The cost ledger: every equation once, on anything that does arithmetic.

Floats, NumPy arrays and PyTensor tensors all work. An indexed input or quantity (one value per chip,
training run, staff group or item) has that index as its *first* axis, and whatever batch of draws or
fact combinations there is behind it, so that scalars broadcast against it unchanged.

`QUANTITIES` is a directed graph read off the equations' own signatures: a quantity exists when all
it needs exists, and a scope whose inputs a prior file does not give is absent, never guessed.

Two bases are kept apart and never added: *rental-equivalent* (accelerator-hours times a rental rate)
and *owned* (purchase plus operation of a fleet). A year has 8766 hours.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

HOURS_PER_YEAR = 8766.0
MONTHS_PER_YEAR = 12.0
SECONDS_PER_HOUR = 3600.0

RENTAL = "rental-equivalent"
RENTAL_AND_SPENDING = "rental-equivalent + spending"
OWNED = "owned"
OWNED_AND_SPENDING = "owned + spending"

type Number = Any
"""A float, a NumPy array or a PyTensor tensor."""


@dataclass(frozen=True)
class Quantity:
    """A ledger quantity: its equation, and what a reader must know to read it.

    ``dim`` is the index of its first axis (``chip``, ``run``, …) or empty; ``needs`` are the inputs
    and quantities its equation cannot do without, ``may_use`` those it can.
    """

    name: str
    equation: Callable[..., Number]
    unit: str
    label: str
    basis: str
    dim: str
    needs: tuple[str, ...]
    may_use: tuple[str, ...]

    @property
    def is_scope(self) -> bool:
        """Whether the quantity is a cost a reader would quote."""
        return self.name in SCOPES


SCOPES = (
    "final_run",
    "official_runs",
    "research_compute",
    "development",
    "hardware",
    "operations",
    "ownership",
    "company",
)
"""The cost scopes, in the order they are reported."""

QUANTITIES: dict[str, Quantity] = {}


def quantity(
    unit: str, label: str, *, basis: str = "", dim: str = ""
) -> Callable[[Callable[..., Number]], Callable[..., Number]]:
    """Enter an equation in `QUANTITIES`; its parameters name what it is computed from."""

    def enter(equation: Callable[..., Number]) -> Callable[..., Number]:
        parameters = inspect.signature(equation).parameters.values()
        needs = tuple(p.name for p in parameters if p.default is p.empty)
        may_use = tuple(p.name for p in parameters if p.default is not p.empty)
        name = equation.__name__
        QUANTITIES[name] = Quantity(name, equation, unit, label, basis, dim, needs, may_use)
        return equation

    return enter


def physical_gpu_hours(active_parameters: Number, tokens: Number, peak_flops: Number, mfu: Number) -> Number:
    """Return the accelerator-hours of a training run from its physics [GPU-hour].

    ``hours = 6 * active_parameters * tokens / (peak_flops * mfu * 3600)``, with ``peak_flops``
    [FLOP/second/GPU] and ``mfu`` the model FLOP utilisation of billed hours in (0, 1].

    References: Kaplan et al. (2020), arXiv:2001.08361, section 2.1 (6 FLOP per parameter and token);
    Chowdhery et al. (2022), arXiv:2204.02311, appendix B (MFU).

    >>> round(physical_gpu_hours(37e9, 14.8e12, 989.4e12, 0.3463))
    2663715
    """
    return 6.0 * active_parameters * tokens / (peak_flops * mfu * SECONDS_PER_HOUR)


# ---------------------------------------------------------------------------------------------
# The fleet: purchase and operation


@quantity("GPU", "accelerators in the fleet")
def gpus(count: Number) -> Number:
    """Return the size of the fleet: ``sum_c count_c``."""
    return count.sum(axis=0)


@quantity("USD", "server hardware of the fleet", basis=OWNED)
def hardware(count: Number, server_cost: Number) -> Number:
    """Return what the servers cost to buy: ``sum_c count_c * server_cost_c``.

    ``server_cost`` is all-in per accelerator: chip, server and network.
    """
    return (count * server_cost).sum(axis=0)


@quantity("USD/kW/year", "running cost of a kilowatt of servers", basis=OWNED)
def operating_per_kw(load: Number, pue: Number, electricity: Number, colocation: Number) -> Number:
    """Return energy and floor space per kilowatt of server power and year.

    ``8766 * load * pue * electricity + 12 * colocation``, with ``load`` the mean power over the rated
    power, ``electricity`` [USD/kWh] and ``colocation`` [USD/kW/month].

    >>> round(operating_per_kw(0.75, 1.25, 0.088, 100.0), 2)
    1923.19
    """
    return HOURS_PER_YEAR * load * pue * electricity + MONTHS_PER_YEAR * colocation


@quantity("USD/GPU/year", "running cost of an accelerator", basis=OWNED, dim="chip")
def operating_per_gpu(power: Number, operating_per_kw: Number, maintenance: Number, server_cost: Number) -> Number:
    """Return energy, floor space and upkeep of one accelerator for one year.

    ``power_c * operating_per_kw + maintenance * server_cost_c``, with ``power`` the rated power of the
    server per accelerator [kW/GPU] and ``maintenance`` the share of the purchase price per year.
    """
    return power * operating_per_kw + maintenance * server_cost


@quantity("USD", "operation of the fleet over the horizon", basis=OWNED)
def operations(count: Number, operating_per_gpu: Number, horizon: Number) -> Number:
    """Return the running cost of the fleet: ``horizon * sum_c count_c * operating_per_gpu_c``."""
    return horizon * (count * operating_per_gpu).sum(axis=0)


@quantity("USD", "total cost of ownership of the fleet over the horizon", basis=OWNED)
def ownership(hardware: Number, operations: Number) -> Number:
    """Return the fleet's total cost of ownership: ``hardware + operations``.

    >>> ownership(1629e6, 944e6)
    2573000000.0
    """
    return hardware + operations


@quantity("USD/GPU/hour", "owner's cost of an accelerator-hour", basis=OWNED, dim="chip")
def gpu_hour_owned(server_cost: Number, life: Number, operating_per_gpu: Number, utilisation: Number) -> Number:
    """Return what an hour of use costs the owner.

    ``(server_cost_c / life + operating_per_gpu_c) / (8766 * utilisation)``, written off in a straight
    line over ``life`` [year]; ``utilisation`` is the share of hours in use.

    >>> round(gpu_hour_owned(31_728.0, 4.0, 4_250.0, 1.0), 2)
    1.39
    """
    return (server_cost / life + operating_per_gpu) / (HOURS_PER_YEAR * utilisation)


# ---------------------------------------------------------------------------------------------
# Training runs, at a rental rate and at the owner's cost


@quantity("USD", "rental-equivalent cost of a run", basis=RENTAL, dim="run")
def run_cost(gpu_hours: Number, rental_rate: Number) -> Number:
    """Return the cost of renting the accelerators of each run: ``gpu_hours * rental_rate``.

    References: DeepSeek-AI (2024), arXiv:2412.19437, Table 1.

    >>> run_cost(2.788e6, 2.0)
    5576000.0
    """
    return gpu_hours * rental_rate


@quantity("USD", "owner's cost of a run", basis=OWNED, dim="run")
def run_cost_owned(gpu_hours: Number, gpu_hour_owned: Number, chip_of_run: Any) -> Number:
    """Return each run at the owner's cost of its chip; ``chip_of_run`` are positions on ``chip``."""
    return gpu_hours * gpu_hour_owned[chip_of_run]


@quantity("USD", "final training run of the base model", basis=RENTAL)
def final_run(run_cost: Number, final_runs: Any) -> Number:
    """Return the sum over the runs of the base model; ``final_runs`` are positions on ``run``."""
    return run_cost[final_runs].sum(axis=0)


@quantity("USD", "all counted training runs", basis=RENTAL)
def official_runs(run_cost: Number) -> Number:
    """Return the sum over the runs of the base model and of what was trained from it."""
    return run_cost.sum(axis=0)


@quantity("USD", "runs made from the base model", basis=RENTAL)
def later_runs_cost(run_cost: Number, later_runs: Any) -> Number:
    """Return the sum over the runs made from the base model; ``later_runs`` are positions on ``run``."""
    return run_cost[later_runs].sum(axis=0)


@quantity("GPU-hour", "accelerator-hours of all counted training runs")
def official_gpu_hours(gpu_hours: Number) -> Number:
    """Return ``sum_r gpu_hours_r``."""
    return gpu_hours.sum(axis=0)


@quantity("GPU-hour", "accelerator-hours of the final training run")
def final_gpu_hours(gpu_hours: Number, final_runs: Any) -> Number:
    """Return the hours of the runs of the base model; ``final_runs`` are positions on ``run``."""
    return gpu_hours[final_runs].sum(axis=0)


@quantity("USD", "final training run at the owner's cost", basis=OWNED)
def final_run_owned(run_cost_owned: Number, final_runs: Any) -> Number:
    """Return the runs of the base model at what an hour costs the owner of the fleet."""
    return run_cost_owned[final_runs].sum(axis=0)


# ---------------------------------------------------------------------------------------------
# Development: research, people, everything else


@quantity("USD", "research and training compute", basis=RENTAL)
def research_compute(multiplier: Number, official_runs: Number) -> Number:
    """Return all compute of the development, at rental rates: ``multiplier * official_runs``.

    ``multiplier`` is total development compute over the official runs, at least 1, so that the
    official runs are counted in it.
    """
    return multiplier * official_runs


@quantity("USD/year", "staff", basis="spending")
def staff(headcount: Number, pay: Number, overhead: Number) -> Number:
    """Return the yearly cost of staff: ``sum_g headcount_g * pay_g * (1 + overhead_g)``."""
    return (headcount * pay * (1.0 + overhead)).sum(axis=0)


@quantity("USD", "development: research compute, staff and other spending", basis=RENTAL_AND_SPENDING)
def development(
    research_compute: Number,
    window: Number,
    staff: Number,
    development_amounts: Number | None = None,
    development_rates: Number | None = None,
) -> Number:
    """Return what it took to make the models, over the development window [year].

    ``research_compute + window * (staff + yearly items) + one-off items``.
    """
    yearly = staff + total(development_rates)
    return research_compute + window * yearly + total(development_amounts)


@quantity("USD", "the company over the horizon: its share of the fleet, staff, other", basis=OWNED_AND_SPENDING)
def company(
    attribution: Number,
    ownership: Number,
    horizon: Number,
    staff: Number,
    company_amounts: Number | None = None,
    company_rates: Number | None = None,
) -> Number:
    """Return the company's total cost over the horizon.

    ``attribution * ownership + horizon * (staff + yearly items) + one-off items``; ``attribution`` is
    its share of a fleet it shares with others. The fleet is owned, so no rental is added.
    """
    yearly = staff + total(company_rates)
    return attribution * ownership + horizon * yearly + total(company_amounts)


def total(items: Number | None) -> Number:
    """Return the sum of items over their index, zero when there are none."""
    return 0.0 if items is None else items.sum(axis=0)


# ---------------------------------------------------------------------------------------------
# Can the fleet have done it?


@quantity("", "share of the fleet's compute that the development needs")
def fleet_use(
    multiplier: Number,
    gpu_hours: Number,
    run_peak_flops: Number,
    count: Number,
    fleet_peak_flops: Number,
    window: Number,
    attribution: Number,
) -> Number:
    """Return development compute over what the attributed fleet can do in the window.

    ``multiplier * sum_r gpu_hours_r * peak_r / (attribution * 8766 * window * sum_c count_c * peak_c)``:
    hours on different chips are made commensurable by their peak. Above 1 the development could not
    have run on the fleet, so a ceiling of 1 on this quantity is evidence. One FLOP/second for an hour is
    added to the supply, lost in the rounding of any real one, so that no fleet gives a number too.
    """
    need = multiplier * (gpu_hours * run_peak_flops).sum(axis=0)
    supply = attribution * HOURS_PER_YEAR * window * (count * fleet_peak_flops).sum(axis=0)
    return need / (supply + 1.0)


# ---------------------------------------------------------------------------------------------
# The graph


HORIZON = "horizon"
"""The input that says how many years are counted."""


def available(inputs: Iterable[str]) -> dict[str, Quantity]:
    """Return the quantities that follow from the named inputs, in order of computation."""
    known = set(inputs)
    found: dict[str, Quantity] = {}
    for name, item in QUANTITIES.items():
        if known.issuperset(item.needs):
            known.add(name)
            found[name] = item
    return found


def missing(name: str, inputs: Iterable[str]) -> list[str]:
    """Return the inputs that quantity ``name`` still lacks."""
    known = set(inputs)
    if name in known:
        return []
    if name not in QUANTITIES:
        return [name]
    return sorted({lack for need in QUANTITIES[name].needs for lack in missing(need, known)})


def depends_on(name: str) -> frozenset[str]:
    """Return every input and quantity that ``name`` is computed from, itself included."""
    if name not in QUANTITIES:
        return frozenset({name})
    item = QUANTITIES[name]
    return frozenset({name}).union(*(depends_on(need) for need in (*item.needs, *item.may_use)))


def evaluate(inputs: Mapping[str, Number], wanted: Iterable[str] | None = None) -> dict[str, Number]:
    """Return the quantities that follow from ``inputs``, or only ``wanted`` and what they need.

    ``inputs`` maps input names to floats, arrays or tensors, indexed ones with their index first.
    """
    needed = None if wanted is None else frozenset().union(*(depends_on(name) for name in wanted))
    values = dict(inputs)
    results: dict[str, Number] = {}
    for name, item in available(inputs).items():
        if needed is None or name in needed:
            arguments = {key: values[key] for key in (*item.needs, *item.may_use) if key in values}
            results[name] = values[name] = item.equation(**arguments)
    return results
