"""A claim over the horizon is of the years that it counts, whatever horizon a cost is asked over."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import FULL, Load, Write

from simulate import changes, changing, inference, loading
from simulate.changing import Base
from simulate.errors import InputError
from simulate.inference import Settings
from simulate.priors import Priors

FOUR = (
    FULL + '[evidence.upkeep]\nquantity = "operations"\nkind = "estimate"\nvalue = 9e8\nrelative_error = 0.2\n'
    'unit = "USD"\nlabel = "An upkeep"\nnote = "of four years"\n'
)
SETTINGS = Settings(draws=200, tune=200, chains=2, cores=1)


def years(priors: Priors) -> dict[str, float | None]:
    return {claim.name: claim.years for claim in priors.claims}


def test_a_figure_for_four_years_stays_one_where_another_horizon_is_set(load: Load) -> None:
    assert set(years(load(FOUR)).values()) == {None}
    found = load(FOUR, ["scope.horizon=48 month"])
    assert set(years(found).values()) == {None}
    found = load(FOUR, ["scope.horizon=8"])
    assert years(found) == {"capex": None, "floor": None, "upkeep": 4.0}
    assert [claim.label for claim in found.claims if claim.years] == ["An upkeep (4 years)"]
    one = load(FOUR.replace("horizon = { value = 4", "horizon = { value = 1"), ["scope.horizon=8"])
    assert [claim.label for claim in one.claims if claim.years] == ["An upkeep (1 year)"]


@pytest.mark.sampling
def test_over_twice_the_years_the_same_evidence_gives_twice_the_operation(load: Load) -> None:
    four, eight = (inference.posterior(load(FOUR, by_hand), SETTINGS) for by_hand in ([], ["scope.horizon=8"]))
    np.testing.assert_allclose(eight.quantities["operations"], 2 * four.quantities["operations"], rtol=1e-12)
    np.testing.assert_array_equal(eight.log_likelihood, four.log_likelihood)
    np.testing.assert_array_equal(eight.perceived, four.perceived)


@pytest.mark.sampling
def test_a_claim_does_not_say_over_how_many_years_a_cost_is_asked(load: Load) -> None:
    priors = load(FOUR, ["scope.horizon=1 to 9 year"])
    assert "scope.horizon" not in [unknown.path for unknown in priors.informed]
    drawn, prior = inference.posterior(priors, SETTINGS), inference.prior(priors, SETTINGS)
    np.testing.assert_array_equal(drawn.values["scope.horizon"], prior.values["scope.horizon"])


def test_a_file_with_a_horizon_of_its_own_takes_over_what_is_said_of_the_other(write: Write) -> None:
    write(FOUR, "base.toml")
    above = (
        'schema = 1\ntitle = "Above"\nextends = ["base.toml"]\n'
        '[scope]\nhorizon = { value = 2, unit = "year" }\nnote = "mine"\n'
    )
    assert years(loading.load(write(above)))["upkeep"] == 4.0
    _, own = FOUR.split("[evidence.upkeep]")
    assert years(loading.load(write(f"{above}[evidence.upkeep]{own}")))["upkeep"] is None


def test_a_claim_can_say_how_many_years_it_counts(load: Load) -> None:
    stated = FOUR.replace('note = "of four years"', 'note = "of six"\nyears = 6')
    assert years(load(stated))["upkeep"] == 6.0
    assert years(load(stated, ["scope.horizon=8"]))["upkeep"] == 6.0
    assert years(load(stated, ["scope.horizon=6"]))["upkeep"] is None


def test_years_of_what_counts_none_are_refused(load: Load) -> None:
    with pytest.raises(InputError, match=r"evidence.capex.years: hardware is not over the horizon"):
        load(FULL.replace('quantity = "hardware"', 'quantity = "hardware"\nyears = 4'))


def test_the_file_that_a_page_hands_over_says_of_how_many_years_a_claim_is(write: Write) -> None:
    base = Base.load(write(FOUR))
    made = changes.read("set=scope.horizon=8")
    shown = changing.changed(base, made)
    assert years(loading.check(shown))["upkeep"] == 4.0
    assert "years = 4" in changing.text(shown, base, made)
