"""The equations give the published totals, and hang together as a ladder of scopes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulate import ledger

Inputs = dict[str, Any]

POSITIVE = st.floats(1e-3, 1e6)
FACTOR = st.floats(1.0, 1e3)


def whole(chips: int = 2, runs: int = 3, batch: tuple[int, ...] = ()) -> Inputs:
    """Return every input of the ledger, indexed ones with a batch of draws behind their index."""
    rng = np.random.default_rng(1)

    def draw(low: float, high: float, *index: int) -> Any:
        return rng.uniform(low, high, (*index, *batch))

    return {
        "count": draw(1e3, 1e4, chips),
        "server_cost": draw(2e4, 5e4, chips),
        "power": draw(1, 2, chips),
        "fleet_peak_flops": draw(1e14, 1e15, chips),
        "run_peak_flops": draw(1e14, 1e15, runs),
        "gpu_hours": draw(1e5, 1e6, runs),
        "rental_rate": draw(1, 3, runs),
        "final_runs": [0, 2],
        "later_runs": [1],
        "chip_of_run": [0, 1, 1],
        "load": draw(0.5, 0.9),
        "pue": draw(1.1, 1.5),
        "electricity": draw(0.05, 0.1),
        "colocation": draw(80, 150),
        "maintenance": draw(0.01, 0.05),
        "life": draw(3, 6),
        "utilisation": draw(0.5, 0.9),
        "horizon": draw(3, 5),
        "window": draw(1, 2),
        "attribution": draw(0.3, 0.9),
        "multiplier": draw(1, 8),
        "headcount": draw(50, 200, 2),
        "pay": draw(1e5, 4e5, 2),
        "overhead": draw(0.2, 0.5, 2),
        "development_amounts": draw(1e6, 1e7, 1),
        "development_rates": draw(1e6, 1e7, 2),
        "company_amounts": draw(1e6, 1e7, 2),
        "company_rates": draw(1e6, 1e7, 1),
    }


def runs(*hours: float, rate: float = 2.0, final: list[int] | None = None) -> Inputs:
    return {
        "gpu_hours": np.array(hours),
        "rental_rate": np.full(len(hours), rate),
        **({} if final is None else {"final_runs": final}),
    }


# ---------------------------------------------------------------------------------------------
# Published totals

V3 = (2_664_000, 119_000, 5_000)
"""Pre-training, context extension and post-training of V3 [GPU-hour]; arXiv:2412.19437, Table 1."""
R1 = (101_000, 5_000, 41_000)
"""R1-Zero, data creation and R1 [GPU-hour]; arXiv:2501.12948v2, Table 7."""


@pytest.mark.parametrize(("hours", "expected"), [(V3, 5_576_000), (R1, 294_000), (V3 + R1, 5_870_000)], ids=str)
def test_hours_at_two_dollars_are_the_published_costs(hours: tuple[float, ...], expected: float) -> None:
    assert ledger.evaluate(runs(*hours))["official_runs"] == expected


def test_the_final_run_is_only_the_base_model() -> None:
    found = ledger.evaluate(runs(*V3, *R1, final=[0, 1, 2]))
    assert (found["final_run"], found["official_runs"]) == (5_576_000, 5_870_000)


def test_the_pretraining_of_v3_took_its_published_arithmetic() -> None:
    hours = ledger.physical_gpu_hours(37e9, 14.8e12, 1.0, 1.0)
    assert float(f"{hours * ledger.SECONDS_PER_HOUR:.3e}") == 3.286e24


def test_the_published_hours_of_v3_follow_from_its_implied_mfu() -> None:
    # 0.3463 stands for 0.34625 to 0.34635, 2664K for 2663.5K to 2664.5K.
    low, high = (ledger.physical_gpu_hours(37e9, 14.8e12, 989.4e12, mfu) for mfu in (0.34635, 0.34625))
    assert low <= 2_664_500
    assert high >= 2_663_500


COUNTS = np.array([10_000, 30_000, 10_000, 10_000])
"""A100, H20, H800 and H100 of the fleet in SemiAnalysis (2025), "DeepSeek Debates", table of the cost of ownership."""
SERVER_COSTS = np.array([23_716, 24_228, 31_728, 34_728])
OPERATING = np.array([3_925, 3_225, 4_250, 5_750])
MILLION = 1e6
HALF_DOLLAR = 0.5 * 60_000
"""Half a unit of the last printed digit of a cost per accelerator, over the fleet."""


def semianalysis() -> dict[str, Any]:
    hardware = ledger.hardware(COUNTS, SERVER_COSTS)
    operations = ledger.operations(COUNTS, OPERATING, 4.0)
    return {"hardware": hardware, "operations": operations, "ownership": ledger.ownership(hardware, operations)}


@pytest.mark.parametrize(
    ("name", "printed", "rounding"),
    [
        ("hardware", 1_629, HALF_DOLLAR),
        ("operations", 944, 4 * HALF_DOLLAR),
        ("ownership", 2_573, 5 * HALF_DOLLAR),
    ],
)
def test_the_cells_of_semianalysis_give_its_totals(name: str, printed: float, rounding: float) -> None:
    assert semianalysis()[name] == pytest.approx(printed * MILLION, abs=0.5 * MILLION + rounding)


def test_operating_an_accelerator_is_its_share_of_power_and_upkeep() -> None:
    found = ledger.evaluate(
        {
            "load": 0.75,
            "pue": 1.25,
            "electricity": 0.088,
            "colocation": 100.0,
            "power": np.array([1.3]),
            "maintenance": 0.02,
            "server_cost": np.array([31_728.0]),
        }
    )
    energy = 1.3 * 0.75 * 1.25 * 0.088 * 8766
    assert found["operating_per_gpu"][0] == pytest.approx(energy + 1.3 * 12 * 100 + 0.02 * 31_728, rel=1e-14)


def test_an_hour_in_use_carries_the_idle_ones() -> None:
    costs = [ledger.gpu_hour_owned(32_000.0, 4.0, 4_000.0, utilisation) for utilisation in (1.0, 0.5)]
    assert costs[0] == pytest.approx(12_000 / 8766)
    assert costs[1] == pytest.approx(2 * costs[0])


# ---------------------------------------------------------------------------------------------
# Proportions

PROPORTIONAL = [
    ("rental_rate", ("run_cost", "final_run", "official_runs", "research_compute")),
    ("gpu_hours", ("run_cost", "run_cost_owned", "official_gpu_hours", "research_compute", "fleet_use")),
    ("server_cost", ("hardware",)),
    ("count", ("gpus", "hardware", "operations", "ownership")),
    ("horizon", ("operations",)),
    ("multiplier", ("research_compute", "fleet_use")),
    ("headcount", ("staff",)),
    ("pay", ("staff",)),
]


@pytest.mark.parametrize(("price", "costs"), PROPORTIONAL, ids=[price for price, _ in PROPORTIONAL])
@given(factor=FACTOR)
def test_a_multiple_of_a_price_is_a_multiple_of_its_cost(price: str, costs: tuple[str, ...], factor: float) -> None:
    before = ledger.evaluate(whole())
    after = ledger.evaluate({**whole(), price: factor * whole()[price]})
    for cost in costs:
        np.testing.assert_allclose(after[cost], factor * before[cost], rtol=1e-12)


@given(hours=POSITIVE, rate=POSITIVE)
def test_doubling_a_price_doubles_its_cost(hours: float, rate: float) -> None:
    assert ledger.run_cost(hours, 2 * rate) == 2 * ledger.run_cost(hours, rate)


@given(count=POSITIVE, more=st.floats(1e-3, 1.0))
def test_a_larger_fleet_is_used_less(count: float, more: float) -> None:
    inputs = whole(chips=1, runs=3) | {"chip_of_run": [0, 0, 0]}
    small, large = (
        ledger.evaluate({**inputs, "count": np.array([n])}, ["fleet_use"])["fleet_use"] for n in (count, count + more)
    )
    assert large < small


def test_a_fleet_that_works_without_pause_is_used_in_full() -> None:
    found = ledger.fleet_use(
        multiplier=1.0,
        gpu_hours=np.array([8766.0 * 100]),
        run_peak_flops=np.array([1e15]),
        count=np.array([100.0]),
        fleet_peak_flops=np.array([1e15]),
        window=1.0,
        attribution=1.0,
    )
    assert found == 1.0


@pytest.mark.parametrize("key", sorted(whole().keys() - {"final_runs", "later_runs", "chip_of_run"}))
def test_the_company_pays_for_its_own_share_and_no_rental(key: str) -> None:
    before = ledger.evaluate(whole())["company"]
    after = ledger.evaluate({**whole(), key: 1.5 * whole()[key]})["company"]
    rental = {"rental_rate", "gpu_hours", "multiplier", "window", "run_peak_flops", "fleet_peak_flops"}
    apart = rental | {"life", "utilisation", "development_amounts", "development_rates"}
    assert (after == before) == (key in apart)


# ---------------------------------------------------------------------------------------------
# The ladder


@given(st.integers(0, 2**32 - 1))
def test_the_rungs_of_the_ladder_hold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inputs = {key: value if isinstance(value, list) else value * rng.uniform(1, 3) for key, value in whole().items()}
    found = ledger.evaluate(inputs)
    assert found["final_run"] <= found["official_runs"] <= found["research_compute"] <= found["development"]
    assert found["final_run"] + found["later_runs_cost"] == pytest.approx(found["official_runs"], rel=1e-14)
    assert found["hardware"] + found["operations"] == found["ownership"]
    assert found["hardware"] < found["ownership"]


def test_development_adds_people_and_items_over_its_window() -> None:
    found = ledger.development(10.0, 1.5, 4.0, np.array([1.0, 2.0]), np.array([6.0]))
    assert found == 10 + 1.5 * (4 + 6) + 3


def test_the_company_adds_people_and_items_over_its_horizon() -> None:
    found = ledger.company(0.5, 100.0, 4.0, 3.0, np.array([1.0, 2.0]), np.array([6.0]))
    assert found == 50 + 4 * (3 + 6) + 3


@pytest.mark.parametrize("scope", ["development", "company"])
def test_a_scope_without_other_items_has_none(scope: str) -> None:
    without = {key: value for key, value in whole().items() if not key.endswith(("amounts", "rates"))}
    zero = {key: 0.0 * value for key, value in whole().items() if key not in without}
    assert ledger.evaluate(without)[scope] == ledger.evaluate({**without, **zero})[scope]


def test_a_rental_and_an_owned_cost_are_never_added() -> None:
    rental = {"run_cost", "final_run", "official_runs", "research_compute", "development", "rental_rate"}
    owned = {name for name, item in ledger.QUANTITIES.items() if item.basis.startswith("owned")}
    assert {name for name in owned if ledger.depends_on(name) & rental} == set()


@pytest.mark.parametrize("name", ledger.SCOPES)
def test_a_scope_is_in_dollars_on_a_stated_basis(name: str) -> None:
    item = ledger.QUANTITIES[name]
    assert (item.unit, item.is_scope, item.dim) == ("USD", True, "")
    assert item.basis.startswith(("owned", "rental-equivalent"))


# ---------------------------------------------------------------------------------------------
# The graph


@pytest.mark.parametrize("absent", sorted(whole()))
def test_a_scope_without_an_input_it_needs_is_absent(absent: str) -> None:
    inputs = {key: value for key, value in whole().items() if key != absent}
    optional = {"development_amounts", "development_rates", "company_amounts", "company_rates"}
    lost = set() if absent in optional else {name for name in ledger.QUANTITIES if absent in ledger.depends_on(name)}
    assert set(ledger.evaluate(inputs)) == ledger.QUANTITIES.keys() - lost


def in_order(case: object) -> str:
    """Return the name of a case, the same in every process."""
    return str(sorted(case) if isinstance(case, set) else case)[:30]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"count", "server_cost"}, {"gpus", "hardware"}),
        ({"gpu_hours", "rental_rate"}, {"run_cost", "official_runs", "official_gpu_hours"}),
        ({"headcount", "pay", "overhead"}, {"staff"}),
        (set(), set()),
    ],
    ids=in_order,
)
def test_only_what_follows_from_the_inputs_is_available(inputs: set[str], expected: set[str]) -> None:
    assert set(ledger.available(inputs)) == expected


@pytest.mark.parametrize(
    ("name", "inputs", "expected"),
    [
        ("hardware", {"count"}, ["server_cost"]),
        ("ownership", {"count", "server_cost", "horizon", "power", "maintenance", "load", "pue"}, None),
        ("final_run", {"gpu_hours", "rental_rate"}, ["final_runs"]),
        ("research_compute", {"gpu_hours"}, ["multiplier", "rental_rate"]),
        ("hardware", {"count", "server_cost"}, []),
        ("staff", set(), ["headcount", "overhead", "pay"]),
        ("development", set(whole()), []),
    ],
    ids=in_order,
)
def test_what_is_missing_is_named(name: str, inputs: set[str], expected: list[str] | None) -> None:
    wanted = ["colocation", "electricity"] if expected is None else expected
    assert ledger.missing(name, inputs) == wanted


@pytest.mark.parametrize("name", ledger.QUANTITIES)
def test_a_quantity_follows_once_what_is_missing_is_added(name: str) -> None:
    assert name in ledger.available(ledger.missing(name, ()))


@pytest.mark.parametrize("name", ledger.QUANTITIES)
def test_a_quantity_is_the_same_with_or_without_the_others(name: str) -> None:
    alone = ledger.evaluate(whole(), [name])
    np.testing.assert_array_equal(alone[name], ledger.evaluate(whole())[name])
    assert set(alone) <= ledger.depends_on(name)


# ---------------------------------------------------------------------------------------------
# Any arithmetic


@pytest.mark.parametrize("name", ledger.QUANTITIES)
def test_draws_in_a_batch_are_those_draws_one_by_one(name: str) -> None:
    inputs = whole(batch=(4,))
    batch = ledger.evaluate(inputs)[name]
    for draw in range(4):
        one = {key: value if isinstance(value, list) else value[..., draw] for key, value in inputs.items()}
        np.testing.assert_allclose(batch[..., draw], ledger.evaluate(one)[name], rtol=1e-14)


@pytest.mark.parametrize(
    ("equation", "arguments"),
    [
        (ledger.operating_per_kw, (0.75, 1.25, 0.088, 100.0)),
        (ledger.gpu_hour_owned, (31_728.0, 4.0, 4_250.0, 0.8)),
        (ledger.run_cost, (2.788e6, 2.0)),
        (ledger.ownership, (1.6e9, 0.9e9)),
        (ledger.research_compute, (4.0, 5.87e6)),
        (ledger.physical_gpu_hours, (37e9, 14.8e12, 989.4e12, 0.35)),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_floats_and_arrays_agree(equation: Callable[..., Any], arguments: tuple[float, ...]) -> None:
    arrays = [np.full((2, 3), argument) for argument in arguments]
    np.testing.assert_array_equal(equation(*arrays), np.full((2, 3), equation(*arguments)))


@pytest.mark.sampling
@pytest.mark.parametrize("batch", [(), (4,)], ids=["one", "batch"])
def test_arrays_and_tensors_agree(batch: tuple[int, ...]) -> None:
    import pytensor
    import pytensor.tensor as pt

    inputs = whole(batch=batch)
    tensors = {key: value if isinstance(value, list) else pt.as_tensor(value) for key, value in inputs.items()}
    expected = ledger.evaluate(inputs)
    compiled = pytensor.function([], list(ledger.evaluate(tensors).values()), mode="FAST_COMPILE")
    for name, found in zip(expected, compiled(), strict=True):
        np.testing.assert_allclose(found, expected[name], rtol=1e-12, err_msg=name)
