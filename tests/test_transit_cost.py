"""What a bus network costs: by hand, against the simulation, and in the design of a city."""

import json
from itertools import pairwise

import numpy as np
import pytest
from fake_city import FakeCity
from test_transit_simulate import street

from nco.cli import main
from nco.errors import InputError
from nco.transit.answer import describe
from nco.transit.design.city_objective import CityObjective
from nco.transit.design.named import usual_method, usual_objective
from nco.transit.design.registry import design
from nco.transit.files.native import save_instance
from nco.transit.instance.city import from_city
from nco.transit.instance.lines import check_lines, pad_lines
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.learn.cities import Cities
from nco.transit.operate.network_cost import CostModel, line_detours
from nco.transit.operate.prices import Prices
from nco.transit.simulate.settings import Settings
from nco.transit.simulate.simulation import simulate

BARE = Settings.city(dwell_s=60.0, layover_s=0.0)


def test_one_line_by_hand():
    """Ride, wait, frequency, buses and money of one line with one kind of trip, on paper."""
    instance = street({(0, 3): 90.0})
    prices = Prices(hour=10.0, wait=2.0, bus_hour=40.0, bus_km=2.0, min_per_h=1.0, comfort=1.0)
    found = CostModel(instance, prices, BARE).of([[0, 1, 2, 3]])
    # A round is 6 * 180 s; a bus and hour costs 40 and 20 km of driving 40.
    best = np.sqrt(10 * 2 * 90 / (2 * 80 * 0.3))
    assert found.per_h == pytest.approx([best])
    assert best > 90 / 40
    assert found.buses.tolist() == [2]  # 6.12 an hour times 0.3 hours
    assert found.ride_h == pytest.approx(90 * 540 / 3600)
    assert found.wait_h == pytest.approx(90 * 0.5 / best, rel=1e-4)
    assert (found.transfers, found.walk_h, found.lost, found.walked) == (0, 0, 0, 0)
    assert found.bus_km == pytest.approx(6 * best)
    assert found.operator == pytest.approx(2 * 40 + 2 * 6 * best)
    weighed_h = found.ride_h + 2 * found.wait_h
    assert found.weighed_h == pytest.approx(weighed_h)
    assert found.cost == pytest.approx(found.operator + 10 * weighed_h)


def test_full_buses_run_more_often():
    """Where the fullest stretch asks for more than waiting does, it decides; beyond, it costs."""
    instance = street({(0, 1): 3000.0}, capacity=50)
    prices = Prices(bus_hour=1000.0, max_per_h=40.0, comfort=1.0)
    found = CostModel(instance, prices, BARE).of([[0, 1]])
    assert found.per_h == pytest.approx([40.0])
    assert found.overload == pytest.approx(1000.0)
    roomy = CostModel(instance.changed(capacity=100), prices, BARE).of([[0, 1]])
    assert roomy.per_h == pytest.approx([30.0])
    assert roomy.overload == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_the_simulation_finds_the_same_hours(seed):
    """Ride, transfers and waits of the model are those of passengers, one by one."""
    instance = Cities(stops=(14, 18), lines=(4, 6)).draw(seed).changed(capacity=10_000)
    lines = design(CityObjective(instance), "greedy", evaluations=8, seed=seed).lines
    settings = Settings.city(dwell_s=20.0, latecomers=False)
    # Journeys are as attractive with any weight of waits, so that both choose the same.
    prices = Prices(wait=1.0, transfer_min=5.0)
    model = CostModel(instance, prices, settings)
    cost = model.of(lines)
    riders = instance.changed(demand=cost.taken)
    found = simulate(riders, lines, settings, per_h=cost.per_h)
    assert found.waiting == found.riding == 0
    assert found.mean_ride_s == pytest.approx(3600 * cost.ride_h / cost.ridden, rel=0.03)
    assert found.mean_transfers == pytest.approx(cost.transfer_share, abs=0.03)
    assert found.mean_wait_s == pytest.approx(3600 * cost.wait_h / cost.ridden, rel=0.15)


def test_parts_add_up_to_what_trips_are_worth():
    """Walking, waiting, riding and transfers, weighed, are what the riders' journeys are worth."""
    city = from_city(FakeCity(), stops=16, lines=4, seed=2, trips_per_hour=900)
    prices = Prices(walk=0.2, most_walk_m=3000.0, patience_min=1e6)
    cost = CostModel(city, prices).of(design(city, "greedy", evaluations=4).lines)
    assert cost.lost == 0
    assert cost.walk_h > 0
    riders = cost.by_bus
    worth_h = (city.demand * cost.weighed_s)[riders].sum() / 3600
    parts_h = 0.2 * cost.walk_h + 2 * cost.wait_h + cost.ride_h + 8 / 60 * cost.transfers
    assert parts_h == pytest.approx(worth_h, rel=1e-4)
    assert cost.walked + cost.ridden == pytest.approx(cost.trips)
    assert cost.taken.sum() == pytest.approx(cost.ridden)


def test_passengers_walk_to_the_better_stop():
    """People walk from a stop without a line to one that has it, unless that is too far."""
    lonlat = np.array([[24.9, 60.1], [24.9, 60.102], [24.9, 60.12], [24.9, 60.14]])
    instance = street({(0, 3): 50.0}, lonlat=lonlat)
    near = CostModel(instance, Prices(most_walk_m=400.0)).of([[1, 2, 3]])
    far = CostModel(instance, Prices(most_walk_m=100.0)).of([[1, 2, 3]])
    assert near.ridden == pytest.approx(50.0)
    assert near.taken[1, 3] == pytest.approx(50.0)
    assert 3600 * near.walk_h / 50 == pytest.approx(222.4 * 1.3 / 1.25, rel=0.01)
    assert far.lost == pytest.approx(50.0)
    assert far.cost > near.cost


def test_detours_of_lines():
    """A line against the fastest way between its ends; the worse direction counts."""
    instance = TransitInstance.mandl()
    found = line_detours(instance.link_s, instance.drive_s, ((0, 1, 2), (0, 1, 3, 4), (2, 1, 4)))
    assert found[0] == 1.0
    for value, line in zip(found, ((0, 1, 2), (0, 1, 3, 4), (2, 1, 4)), strict=True):
        along = sum(instance.link_s[a, b] for a, b in pairwise(line))
        assert value == pytest.approx(along / instance.drive_s[line[0], line[-1]])


def test_who_finds_no_seat_stands_and_that_costs():
    """Passengers above the seats, for as long as they ride, at half an hour more an hour."""
    instance = street({(0, 1): 60.0}, capacity=10)
    fixed = np.array([8.0])
    prices = Prices(hour=10.0, seats=0.5, stand=1.5)
    found = CostModel(instance, prices, BARE).of([[0, 1]], per_h=fixed)
    assert found.stand_h == pytest.approx((60 - 5 * found.per_h[0]) * 180 / 3600)
    roomy = CostModel(instance, Prices(hour=10.0, seats=1.0), BARE).of([[0, 1]], per_h=fixed)
    assert roomy.stand_h == 0.0
    assert found.cost - roomy.cost == pytest.approx(10 * 0.5 * found.stand_h)


def test_transfers_beyond_the_norm_cost_and_losing_passengers_is_no_way_out():
    """One change a trip costs what is beyond the norm; a line less, which loses them, no less."""
    city = street({(0, 3): 50.0}, min_stops=2, lines=2)
    patient, strict = Prices(most_transfers=np.inf), Prices(most_transfers=0.25)
    changing, lost = ((0, 1), (1, 2, 3)), ((0, 1), (1, 2))
    for lines, transfers in ((changing, 1.0), (lost, 0.0)):
        pair = pad_lines(lines, 2, city.max_stops)[None]
        free, held = (CityObjective(city, prices).costs(pair)[0] for prices in (patient, strict))
        assert CostModel(city, strict).of(lines).transfers == pytest.approx(50.0 * transfers)
        assert held - free == pytest.approx(75.0)
    direct = pad_lines(((0, 1, 2, 3), (0, 1)), 2, city.max_stops)[None]
    assert CityObjective(city, strict).costs(direct) == CityObjective(city, patient).costs(direct)


def test_a_design_meets_the_norm_with_the_same_buses():
    """Fewer than one trip in four changes, where minutes alone make more change."""
    city = from_city(FakeCity(), stops=16, lines=4, min_stops=2, seed=1, trips_per_hour=900)
    plain = CityObjective(city, Prices(most_transfers=np.inf))
    before = plain.model.of(design(plain, evaluations=400).lines)
    held = CityObjective(city.changed(fleet=before.fleet))
    after = held.model.of(design(held, evaluations=800).lines)
    assert before.transfer_share > 0.25 > after.transfers_or_lost
    assert after.fleet <= before.fleet


def test_lines_led_astray_are_costly_and_told(caplog):
    """A line that comes back to where it began costs more than any fair one, and is a violation."""
    city = from_city(FakeCity(), stops=12, lines=1, seed=1, trips_per_hour=300)
    objective = CityObjective(city)

    def cost_of(line: list[int]) -> float:
        return float(objective.costs(pad_lines([line], 1, city.max_stops)[None])[0])

    ring, fair = _ring(city), design(objective, evaluations=60).lines[0]
    assert objective.model.of([ring]).line_detour[0] > 1.6
    assert cost_of(ring) > cost_of(fair)
    facts, _ = describe(city, [ring], Settings.city(), connected=False, model=objective.model)
    assert any("times the fastest way between its ends" in text for text in facts["violations"])


def _ring(city: TransitInstance) -> list[int]:
    """Three stops that are neighbours of one another but for the first link, the longest way."""
    for a in range(city.size):
        for b in city.neighbours[a]:
            for c in city.neighbours[b]:
                for d in city.neighbours[c]:
                    line = (a, b, c, d)
                    ratio = line_detours(city.link_s, city.drive_s, (line,))[0]
                    if len(set(line)) == 4 and ratio > 1.65:
                        return list(line)
    raise AssertionError("no ring")


def test_a_city_is_designed_by_cost(tmp_path, capsys):
    """By default, with lines that nobody is led astray by; files and facts agree."""
    city = from_city(FakeCity(), stops=15, lines=3, seed=4, trips_per_hour=900)
    city = city.changed(moved_m=np.zeros(city.size))
    assert usual_objective(city) == "cost"
    assert usual_objective(TransitInstance.mandl()) == "passenger"
    assert usual_method(CityObjective(city)) == "hyper"
    path = save_instance(tmp_path / "city.json", city)
    out = tmp_path / "out"
    arguments = ["transit", "design", str(path), "--evaluations", "300", "--out", str(out)]
    assert main([*arguments, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["objective"], data["method"]) == ("cost", "hyper")
    parts = data["cost_parts"]
    assert parts["largest_line_detour"] < 1.6
    assert parts["fleet"] == data["simulation"]["fleet"]
    changes = parts["transfers_per_trip"] * parts["by_bus"] + parts["lost"]
    beyond = max(0.0, changes / (1 - parts["on_foot"]) - Prices().most_transfers)
    money = 60 * parts["cost_per_h"] / (12.0 * parts["trips_per_h"])
    assert data["cost"] == pytest.approx(money + 100 * beyond)
    assert check_lines(city, data["lines"], connected=False) == []
    lines = str(out / "lines.txt")
    assert main(["transit", "evaluate", str(path), lines]) == 0
    assert "largest detour of a line" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hour": 0.0}, "hour is 0.0"),
        ({"most_line_detour": 0.9}, "most_line_detour is 0.9"),
        ({"bus_km": -1.0}, "bus_km is -1.0"),
        ({"min_per_h": 40.0}, "below min_per_h"),
        ({"wait": float("nan")}, "wait is nan"),
        ({"most_transfers": -0.1}, "most_transfers is -0.1"),
    ],
)
def test_prices_out_of_range(changes, message):
    """Prices that make no sense are refused by name."""
    with pytest.raises(InputError, match=message):
        Prices(**changes)
