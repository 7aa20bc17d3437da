"""Who takes the bus: shares by hand, what must hold of any logit, and what lines change."""

import numpy as np
import pytest
from fake_city import FakeCity
from test_transit_simulate import street

from nco.errors import InputError
from nco.transit.instance.city import from_city
from nco.transit.operate.mode_choice import ModeChoice, chosen
from nco.transit.operate.network_cost import CostModel
from nco.transit.operate.prices import Prices
from nco.transit.simulate.settings import Settings

BARE = Settings.city(dwell_s=60.0, layover_s=0.0)


def test_shares_by_hand():
    """One kind of trip, a bus at given intervals and a car: both logits on paper."""
    model = CostModel(street({(0, 3): 90.0}), Prices(wait=2.0), BARE)
    choice = ModeChoice(scale=0.05, bus_min=3.0, car_min=5.0, car_faster=1.5, with_car=0.6)
    found = chosen(model, [[0, 1, 2, 3]], choice, per_h=np.array([6.0]))
    per_h = found.cost.per_h[0]
    bus_min = 3 * 3 + 2 * 30 / per_h + 3.0  # three rides with their dwell, and twice the wait
    car_min = 3 * 2 / 1.5 + 5.0
    odds = np.exp(-0.05 * np.array([bus_min, car_min]))
    share = 0.6 * odds[0] / odds.sum() + 0.4
    assert found.bus[0, 3] == pytest.approx(90 * share, rel=1e-4)
    assert found.car[0, 3] == pytest.approx(90 * (1 - share), rel=1e-4)
    assert found.cost.ridden == pytest.approx(90 * share, rel=1e-4)
    worth = 0.6 * -np.log(odds.sum()) / 0.05 + 0.4 * bus_min
    assert found.worth_min[0, 3] == pytest.approx(worth, rel=1e-4)


@pytest.fixture(scope="module")
def town():
    """Twelve stops, some within a walk of one another."""
    return from_city(FakeCity(), stops=12, lines=2, seed=1, trips_per_hour=400)


def test_every_trip_has_one_mode_and_better_lines_draw_more(town):
    """Modes add up to the demand, more buses draw more, and nobody is worse off with more modes."""
    model = CostModel(town, Prices(patience_min=200.0))
    a, b = town.neighbours[0][:2]
    lines = [(a, 0, b)]
    choice = ModeChoice()
    often, seldom = (chosen(model, lines, choice, per_h=np.array([x])) for x in (20.0, 2.0))
    for found in (often, seldom):
        total = found.bus + found.car + found.foot + found.stay
        assert np.allclose(total, model.demand)
        assert sum(found.shares().values()) == pytest.approx(1.0)
        assert found.cost.trips == pytest.approx(found.bus.sum())
    assert often.bus.sum() > seldom.bus.sum() > 0.0
    trips = model.demand > 0
    assert (often.worth_min[trips] <= seldom.worth_min[trips] + 1e-9).all()
    nobody = chosen(model, lines, ModeChoice(with_car=0.0))
    assert nobody.car.sum() == 0.0
    # Where neither bus nor foot leads and there is no car, nobody travels.
    assert nobody.stay.sum() > 0.0


def test_frequencies_follow_from_who_comes(town):
    """Without given frequencies the shares settle: the same again from the passengers they give."""
    model = CostModel(town.changed(demand=20 * town.demand), Prices(patience_min=200.0))
    lines = [(*town.neighbours[0][:1], 0, *town.neighbours[0][1:2])]
    found = chosen(model, lines, ModeChoice())
    again = chosen(model, lines, ModeChoice(), per_h=found.cost.per_h)
    assert again.bus.sum() == pytest.approx(found.bus.sum(), rel=0.02)
    assert found.cost.per_h.sum() < model.of(lines).per_h.sum()


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"scale": 0.0}, "scale is 0.0"), ({"with_car": 1.5}, "with_car is 1.5"),
     ({"car_min": float("nan")}, "car_min is nan")],
)  # fmt: skip
def test_constants_out_of_range(changes, message):
    """Refused by name."""
    with pytest.raises(InputError, match=message):
        ModeChoice(**changes)
