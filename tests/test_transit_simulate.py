"""Passenger simulation: what can be counted by hand, what is conserved, and who chooses what."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nco.errors import ProblemError
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.simulate.days import simulate_days
from nco.transit.simulate.demand import trips
from nco.transit.simulate.simulation import (
    RewardWeights,
    Settings,
    Simulation,
    Simulator,
    reward,
    simulate,
)

BOTH = (Settings(), Settings.alphatransit())
HOUR = Settings(horizon_s=7200.0, demand_s=(0.0, 3600.0))

drawn = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def street(
    trips_per_h: dict[tuple[int, int], float], stops: int = 4, **changes: object
) -> TransitInstance:
    """Stops in a row, 120 s and 1 km apart."""
    link_s = np.full((stops, stops), np.inf)
    np.fill_diagonal(link_s, 0.0)
    for k in range(stops - 1):
        link_s[k, k + 1] = link_s[k + 1, k] = 120.0
    demand = np.zeros((stops, stops))
    for pair, rate in trips_per_h.items():
        demand[pair] = rate
    fields = {
        "link_s": link_s,
        "link_m": np.where(link_s == 120.0, 1000.0, link_s),
        "demand": demand,
        "lines": 1,
    }
    return TransitInstance(**{**fields, **changes})  # type: ignore[arg-type]


@st.composite
def networks(draw: st.DrawFn) -> tuple[TransitInstance, list[list[int]]]:
    """A street with chords, lines that walk along it at random, and random demand."""
    n = draw(st.integers(3, 9))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    link_s = np.full((n, n), np.inf)
    np.fill_diagonal(link_s, 0.0)
    chords = [tuple(sorted(rng.choice(n, 2, replace=False).tolist())) for _ in range(n)]
    for a, b in [(k, k + 1) for k in range(n - 1)] + chords:
        link_s[a, b], link_s[b, a] = rng.integers(30, 300, 2)
    demand = rng.integers(0, 60, (n, n)) * (rng.random((n, n)) < 0.5)
    np.fill_diagonal(demand, 0)
    instance = TransitInstance(
        link_s=link_s, demand=demand, lines=3, capacity=int(rng.integers(1, 30))
    )
    lines = []
    for _ in range(draw(st.integers(0, 4))):
        line = [int(rng.integers(n))]
        while len(line) < 6:
            near = [v for v in instance.neighbours[line[-1]] if v not in line]
            if not near:
                break
            line.append(int(rng.choice(near)))
        if len(line) > 1:
            lines.append(line)
    return instance, lines


@drawn
@given(network=networks(), which=st.sampled_from(BOTH), poisson=st.booleans())
def test_nobody_is_lost(network, which, poisson):
    """Passengers are arrived, riding, waiting or unserved; no bus is ever too full."""
    instance, lines = network
    chosen = replace(which, arrivals="poisson" if poisson else "even", board_s=2.0)
    found = simulate(instance, lines, chosen, passengers=True)
    everyone = found.passengers
    assert everyone is not None
    assert found.generated == found.arrived + found.riding + found.waiting + found.unserved
    assert found.generated == len(everyone.time_s)
    assert 0 <= found.peak_load <= instance.capacity
    assert found.service_rate_of_all <= found.service_rate_of_connected + 1e-12
    spent = everyone.wait_s + everyone.ride_s
    left = chosen.horizon_s - everyone.time_s
    midway = (everyone.status == 1) | (everyone.status == 2)
    assert np.allclose(spent[midway], left[midway])
    assert (spent <= left + 1e-6).all()
    assert not spent[everyone.status == 0].any()


@drawn
@given(network=networks())
def test_expected_itineraries_fit_what_happens(network):
    """Who arrives has boarded; rides take at least the fastest way and a dwell at its start."""
    instance, lines = network
    everyone = simulate(instance, lines, passengers=True).passengers
    assert everyone is not None
    there = everyone.status == 3
    fastest = instance.drive_s[everyone.origin, everyone.destination]
    assert (everyone.boardings[there] >= 1).all()
    # A passenger may come at the last moment of the dwell.
    assert (everyone.ride_s[there] >= fastest[there] - 1e-6).all()


@pytest.mark.parametrize("chosen", BOTH)
def test_the_first_to_come_boards_first(chosen):
    """On one overloaded line, passengers of a stop board in the order in which they came."""
    instance = street({(0, 3): 300.0, (0, 2): 200.0, (1, 3): 100.0}, capacity=10)
    found = simulate(instance, [[0, 1, 2, 3]], chosen, per_h=[4.0], passengers=True)
    everyone = found.passengers
    assert everyone is not None
    for stop in (0, 1):
        here = everyone.origin == stop
        boarded = everyone.boarded_s[here]
        assert (np.diff(boarded[np.isfinite(boarded)]) >= 0).all()
        assert (np.diff(np.isfinite(boarded).astype(int)) <= 0).all()
    assert found.waiting > 0
    assert found.peak_load == 10


def test_counted_by_hand():
    """One bus, one passenger every six minutes: every time is as worked out on paper."""
    # A round takes 2 * (60 + 120) = 360 s: the bus opens at stop 0 at 0, 360, 720, ... and is at
    # stop 1 180 s later. Ten passengers an hour come 360 s apart, the first 0.618 of that after 0.
    instance = street({(0, 1): 10.0}, stops=2)
    found = simulate(instance, [[0, 1]], HOUR, per_h=[10.0], passengers=True)
    everyone = found.passengers
    assert everyone is not None
    first = 360.0 * 0.6180339887498949
    assert everyone.time_s == pytest.approx(first + 360.0 * np.arange(10))
    assert everyone.wait_s == pytest.approx(np.full(10, 360.0 - first))
    assert everyone.ride_s == pytest.approx(np.full(10, 180.0))
    assert (found.arrived, found.fleet, found.peak_load) == (10, 1, 1)
    assert found.service_rate_of_all == found.service_rate_of_connected == 1.0
    assert found.mean_travel_s == pytest.approx(360.0 - first + 180.0)
    assert found.load[0].tolist() == [[10], [0]]
    assert found.route_m == 1000.0
    assert found.route_efficiency_per_km == 10.0
    # Departures 60 s after opening while passengers come: 10 there, 10 back, before the last of
    # them boards.
    assert found.bus_m == 20 * 1000.0
    assert found.utilisation == pytest.approx(9 / 40 / 20)


@drawn
@given(network=networks(), lead_s=st.floats(0.0, 40_000.0))
def test_no_figure_depends_on_the_warm_up(network, lead_s):
    """Buses are spread along their lines at the start; who begins earlier finds the same.

    A clock that begins later moves rides by the last digits alone; a bus and a passenger at the
    very same moment may then change their order, which figures of few passengers show.
    """
    instance, lines = network
    chosen = Settings(horizon_s=6000.0, demand_s=(0.0, 3600.0))
    later = replace(chosen, horizon_s=6000.0 + lead_s, demand_s=(lead_s, 3600.0 + lead_s))
    one, other = simulate(instance, lines, chosen), simulate(instance, lines, later)
    assert one.generated == other.generated
    assert one.unserved == other.unserved
    few = max(1.0, 0.02 * one.generated)
    for name in ("arrived", "riding", "waiting"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=few)
    assert one.mean_wait_s == pytest.approx(other.mean_wait_s, rel=0.02, abs=5.0)
    assert one.mean_ride_s == pytest.approx(other.mean_ride_s, rel=0.02, abs=5.0)
    assert one.utilisation == pytest.approx(other.utilisation, rel=0.05, abs=0.01)
    assert one.bus_m == pytest.approx(other.bus_m, rel=0.02)


def test_long_lines_are_not_half_empty_of_buses():
    """On a line of 100 minutes nobody waits longer than a headway, wherever the line is long."""
    stops = 34
    instance = street({(k, k + 1): 6.0 for k in range(stops - 1)}, stops=stops)
    found = simulate(instance, [list(range(stops))], per_h=[6.0], passengers=True)
    everyone = found.passengers
    assert everyone is not None
    assert found.waiting == 0
    assert everyone.wait_s.max() <= 600.0 + 1e-6
    # Doors are open for 60 of 600 s: (540^2 / 2) / 600.
    assert found.mean_wait_s == pytest.approx(243.0, rel=0.1)


def test_buses_begin_where_their_timetable_has_them():
    """The first openings of every stop are those of a timetable that began long before."""
    instance, settings = street({(0, 3): 30.0}), replace(HOUR, layover_s=45.0)
    simulator = Simulator(instance, settings)
    begins = simulator.prepare([[0, 1, 2, 3]], per_h=[7.0]).service
    late = Simulator(instance, replace(settings, horizon_s=27_200.0, demand_s=(20_000.0, 23_600.0)))
    then = late.prepare([[0, 1, 2, 3]], per_h=[7.0]).service
    period_s = float(begins.period_s[0])
    assert (begins.begin_s <= 0).all()
    assert (begins.begin_s > -period_s).all()
    moved_s = (then.due_s - begins.due_s - 20_000.0) % period_s
    assert np.minimum(moved_s, period_s - moved_s).max() < 1e-6


def test_days_of_random_demand_have_errors():
    """Means of several days come with errors, and doubling the warm-up changes none by more."""
    instance = street({(0, 3): 60.0, (1, 2): 31.0, (3, 0): 40.0}, stops=12)
    lines = [list(range(12))]
    found = simulate_days(instance, lines, days=8)
    doubled = simulate_days(
        instance, lines, Settings(horizon_s=11_500.0, demand_s=(3000.0, 10_000.0)), days=8
    )
    assert found["mean_wait_s"].error > 0
    assert found["generated"].mean == pytest.approx(131 * 7000 / 3600, abs=30)
    for name, figure in found.items():
        assert abs(doubled[name].mean - figure.mean) <= figure.error, name
    alone = simulate(instance, lines, replace(Settings(), arrivals="poisson", seed=0))
    assert alone.mean_wait_s == pytest.approx(found["mean_wait_s"].mean, rel=0.3)
    with pytest.raises(ProblemError, match="days is 1"):
        simulate_days(instance, lines, days=1)


def test_latecomers_board_until_doors_close():
    """Who comes while doors are open waits for nothing, unless latecomers are left behind."""
    instance = street({(0, 1): 60.0}, stops=2)
    for latecomers in (True, False):
        chosen = replace(HOUR, latecomers=latecomers)
        found = simulate(instance, [[0, 1]], chosen, per_h=[10.0], passengers=True)
        assert found.passengers is not None
        assert (found.passengers.wait_s == 0.0).any() == latecomers


def test_more_capacity_never_serves_fewer():
    """On one line, larger buses serve at least as many, and the largest serve all."""
    line, overloaded = [[0, 1, 2, 3]], {(0, 3): 200.0, (1, 2): 100.0, (3, 0): 50.0}
    served = [
        simulate(street(overloaded, capacity=c), line, HOUR, per_h=[3.0]).served
        for c in (1, 2, 5, 10, 20, 40, 80, 1000)
    ]
    assert served == sorted(served)
    assert served[0] < served[-1] == 350


def test_planned_by_maximum_load():
    """Frequencies have room for the fullest segment, and the loads are those of the demand."""
    instance = street({(0, 3): 90.0, (1, 2): 31.0, (3, 2): 10.0})
    found = simulate(instance, [[0, 1, 2, 3]], HOUR)
    assert found.planned_per_h is not None
    assert found.planned_per_h[0].tolist() == [[90.0, 121.0, 90.0], [0.0, 0.0, 10.0]]
    assert found.per_h.tolist() == [4.0]  # ceil(121 / 40)
    assert found.fleet == 2  # 4 an hour times a round of 6 * 180 s = 1.2 buses
    roomy = simulate(instance, [[0, 1, 2, 3]], replace(HOUR, comfort=0.5))
    assert roomy.per_h.tolist() == [7.0]  # ceil(121 / 20)
    assert simulate(instance, [[0, 1, 2, 3]], replace(HOUR, fixed_per_h=9.0)).per_h == [9.0]


def test_common_lines_share_passengers():
    """Two lines between the same stops share passengers by frequency; a detour attracts nobody."""
    instance = street({(0, 1): 90.0}, lines=3)
    found = simulate(
        instance, [[0, 1], [0, 1], [1, 2, 3]], HOUR, per_h=[8.0, 4.0, 1.0], passengers=True
    )
    carried = [int(load.sum()) for load in found.load]
    assert sum(carried) == 90
    assert carried[0] > carried[1] > 0 == carried[2]
    assert found.passengers is not None
    assert found.passengers.wait_s.max() <= 3600.0 / 8.0


def test_nobody_boards_the_wrong_way():
    """Passengers let a bus pass that first goes away from where they want to be."""
    found = simulate(street({(1, 3): 60.0}), [[0, 1, 2, 3]], HOUR, per_h=[3.0])
    assert found.load[0].tolist() == [[0, 60, 60], [0, 0, 0]]
    # AlphaTransit's passengers board it and ride round.
    round_trips = simulate(street({(1, 3): 60.0}), [[0, 1, 2, 3]], Settings.alphatransit())
    assert round_trips.load[0][1, 0] > 0


def test_transfers_are_counted():
    """Who has to change lines changes once, and waits twice."""
    instance = street({(0, 3): 20.0, (0, 1): 20.0})
    found = simulate(instance, [[0, 1], [1, 2, 3]], HOUR, per_h=[6.0, 6.0], passengers=True)
    assert (found.arrived, found.transfer_share, found.mean_transfers) == (40, 0.5, 0.5)
    assert found.passengers is not None
    far = found.passengers.destination == 3
    assert found.passengers.boardings[far].tolist() == [2] * 20
    assert found.passengers.boardings[~far].tolist() == [1] * 20


def test_dwell_grows_with_passengers():
    """Seconds for each who boards lengthen rides of those on board by just these seconds."""
    instance = street({(0, 1): 10.0}, stops=2)
    found = simulate(instance, [[0, 1]], replace(HOUR, board_s=7.0), per_h=[5.0], passengers=True)
    assert found.passengers is not None
    assert set(found.passengers.ride_s.round(6).tolist()) <= {187.0, 194.0}


def test_empty_demand():
    """Without passengers there are zeros, not divisions by zero, and lines still run."""
    for chosen in BOTH:
        found = simulate(street({}), [[0, 1, 2, 3]], chosen)
        assert (found.generated, found.served, found.coverage) == (0, 0, 0.0)
        assert found.service_rate_of_all == found.service_rate_of_connected == 0.0
        assert found.mean_travel_s == found.utilisation == found.mean_transfers == 0.0
        assert found.fleet >= 1
        assert found.bus_m > 0.0
        assert np.isfinite(reward(found))


def test_no_lines():
    """No lines serve nobody and cost nothing."""
    for chosen in BOTH:
        found = simulate(street({(0, 3): 36.0}), [], chosen)
        assert found.unserved == found.generated > 0
        assert (found.fleet, found.bus_m, found.overlap, reward(found)) == (0, 0.0, 0.0, 0.0)


def test_a_line_that_nobody_uses():
    """It runs at the least frequency, empty, and changes nothing for the others."""
    instance = street({(0, 1): 60.0})
    alone = simulate(instance, [[0, 1]], HOUR)
    found = simulate(instance, [[0, 1], [2, 3]], HOUR)
    assert found.load[1].tolist() == [[0], [0]]
    assert found.per_h.tolist() == [alone.per_h[0], HOUR.min_per_h]
    assert found.mean_wait_s == alone.mean_wait_s


def test_demand_between_separate_lines_is_unserved():
    """Trips between lines that do not meet are unserved, and neither rate hides it."""
    instance = street({(0, 1): 30.0, (0, 3): 10.0})
    for chosen in (HOUR, replace(Settings.alphatransit(), surge=1.0)):
        found = simulate(instance, [[0, 1], [2, 3]], chosen)
        assert found.coverage == 0.75
        assert found.unserved == pytest.approx(0.25 * found.generated, abs=1)
        assert found.service_rate_of_all < found.service_rate_of_connected


def test_fleet_is_kept():
    """With fewer buses than planned, all are used, lines run less often, and no line stops."""
    instance = street({(0, 3): 400.0, (1, 2): 31.0}, lines=2)
    lines = [[0, 1, 2, 3], [1, 2]]
    free = simulate(instance, lines, HOUR)
    tight = simulate(instance.changed(fleet=3), lines, HOUR)
    assert free.fleet > tight.fleet == 3
    assert tight.buses.min() == 1
    assert tight.per_h[0] < free.per_h[0]
    with pytest.raises(ProblemError, match="fleet is 1 but there are 2 lines"):
        simulate(instance.changed(fleet=1), lines)


def test_cars_delay_buses():
    """Cars of the demand that does not take the bus make rides longer, by the BPR formula."""
    instance = street({(0, 1): 2000.0}, stops=2)
    chosen = replace(HOUR, demand_share=0.5, fixed_per_h=30.0)
    free = simulate(instance, [[0, 1]], chosen)
    busy = simulate(instance, [[0, 1]], replace(chosen, link_capacity_per_h=1000.0))
    assert busy.mean_ride_s - free.mean_ride_s == pytest.approx(0.15 * 120.0)
    slow = simulate(instance, [[0, 1]], replace(chosen, road_factor=2.0))
    assert slow.mean_ride_s - free.mean_ride_s == pytest.approx(120.0)


def test_even_arrivals_add_up():
    """Fractions of passengers are rounded together, and come spread over the period."""
    rng = np.random.default_rng(1)
    demand = rng.random((20, 20))
    came = trips(demand, HOUR)
    assert len(came.time_s) == round(float(demand.sum()))
    assert (np.diff(came.time_s) >= 0).all()
    quarters = np.histogram(came.time_s, 4, (0.0, 3600.0))[0]
    assert quarters.min() > 0.8 * quarters.max()


def test_poisson_arrivals_are_seeded():
    """The same seed gives the same passengers, another one others; the mean is the demand."""
    demand = np.full((10, 10), 20.0)
    one, same, other = (
        trips(demand, replace(HOUR, arrivals="poisson", seed=seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one.time_s, same.time_s)
    assert len(one.time_s) != len(other.time_s)
    assert abs(len(one.time_s) - 2000) < 4 * np.sqrt(2000)


@drawn
@given(network=networks())
def test_threads_change_nothing(network):
    """A batch by threads, a batch by one, and single simulations are the same."""
    instance, lines = network
    sets = [lines, lines[:1], lines[::-1], []]
    simulator = Simulator(instance)
    alone = [simulate(instance, chosen) for chosen in sets]
    assert simulator.batch(sets, threads=3) == alone
    assert simulator.batch(sets, threads=1) == alone
    with pytest.raises(ProblemError, match="threads is 0"):
        simulator.batch(sets, threads=0)


def test_reward_is_a_weighted_sum():
    """Every weight does what its name says."""
    found = simulate(street({(0, 3): 20.0, (0, 1): 20.0}), [[0, 1], [1, 2, 3]], HOUR)
    names = ("coverage", "service", "wait", "ride", "overlap", "fleet", "utilisation")
    nothing = dict.fromkeys(names, 0.0)
    parts = {name: reward(found, RewardWeights(**{**nothing, name: 1.0})) for name in names}
    assert parts == pytest.approx(
        {
            "coverage": 1.0,
            "service": 1.0,
            "wait": -min(found.mean_wait_s / 1800.0, 1.0),
            "ride": -found.mean_ride_s / 2400.0,
            "overlap": 0.0,
            "fleet": -found.fleet / 2,
            "utilisation": found.utilisation,
        }
    )
    weights = RewardWeights()
    total = sum(getattr(weights, name) * parts[name] for name in names)
    assert reward(found) == pytest.approx(total)


def test_overlap():
    """Lines over the same segments overlap fully; each direction is the same segment."""
    instance = street({(0, 3): 20.0})
    assert simulate(instance, [[0, 1, 2], [2, 1, 0]]).overlap == 1.0
    assert simulate(instance, [[0, 1, 2], [1, 2, 3]]).overlap == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizon_s": 0.0}, "horizon_s is 0.0"),
        ({"demand_s": (5.0, 5.0)}, "demand_s is"),
        ({"demand_s": (0.0, 20_000.0)}, "by the horizon"),
        ({"demand_share": 1.5}, "demand_share is 1.5"),
        ({"surge": -1.0}, "surge is -1.0"),
        ({"arrivals": "odd"}, "it must be 'even' or 'poisson'"),
        ({"planning_rounds": 0}, "planning_rounds is 0"),
        ({"fixed_per_h": np.inf}, "fixed_per_h is inf"),
        ({"link_capacity_per_h": 0.0}, "link_capacity_per_h is 0.0"),
    ],
)
def test_settings_out_of_range(changes, message):
    """Settings that make no sense are refused by name."""
    with pytest.raises(ProblemError, match=message):
        Settings(**changes)


def test_lines_that_cannot_run():
    """Missing links, unknown stops and lines of one stop are refused with their place."""
    for lines, message in (
        ([[0, 2]], "line 0, place 0"),
        ([[0, 1], [3, 4]], "line 1, place 1"),
        ([[0]], "line 0 has 1 stop"),
    ):
        with pytest.raises(ProblemError, match=message):
            simulate(street({}), lines)
    with pytest.raises(ProblemError, match="per_h"):
        simulate(street({}), [[0, 1]], per_h=[1.0, 2.0])


@pytest.fixture(scope="module")
def bloomington() -> Path:
    """The folder of the published network, which not every machine has."""
    folder = Path(__file__).parents[1].parent / "shared" / "data" / "transit" / "bloomington"
    if not folder.is_dir():
        pytest.skip("the shared transit data are not on this machine")
    return folder


@pytest.mark.parametrize(("share", "fleet"), [(0.3, 89), (1.0, 281)])
def test_published_fleet_of_the_real_lines(bloomington, share, fleet):
    """By AlphaTransit's rules the real lines of Bloomington need the fleet that it reports."""
    from nco.transit.files.bloomington import read_bloomington, read_bloomington_lines

    instance = read_bloomington(bloomington)
    _, lines = read_bloomington_lines(bloomington, instance)
    found: Simulation = simulate(instance, lines, Settings.alphatransit(share))
    assert found.fleet == fleet
