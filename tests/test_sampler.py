"""Training instances of each problem against the tables and against `nco.data.sample`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from city_tables import make_table
from fake_city import FakeCity

from nco.data import sample
from nco.data.sample import (
    HORIZON,
    SERVICE,
    WINDOW,
    draw_demand,
    draw_windows,
    rcvrp_capacity,
    rcvrptw_capacity,
)
from nco.envs.convert import CONVERSIONS
from nco.envs.rcvrptw import TICKS_PER_S, servable
from nco.training.distribution import PLAIN, Distribution
from nco.training.places import draw_places
from nco.training.pools import Pools
from nco.training.sampler import draw_atsp, draw_rcvrp, draw_rcvrptw
from nco.training.seeds import seeded


def drawn_places(pools: Pools, batch: int, stops: int, seed: int):
    """The cities and points behind a batch of the same seed."""
    return draw_places(pools, batch, stops, PLAIN, seeded("cpu", seed))


def test_tours_are_gathered_from_their_city():
    """The number of nodes is that asked for, the start among them."""
    made = [make_table(k) for k in range(2)]
    pools = Pools.of(made)
    instance = draw_atsp(pools, 5, 9, PLAIN, seeded("cpu", 1))
    city, place = drawn_places(pools, 5, 8, 1)
    for b in range(5):
        index = place[b].numpy()
        expected = made[city[b]].distance_m[np.ix_(index, index)]
        np.testing.assert_array_equal(instance.cost[b].numpy(), expected)


def test_durations_are_gathered_from_the_same_points_as_costs():
    """Distance and duration are those of one pair, the duration rounded up to a tick."""
    made = [make_table(k) for k in range(2)]
    pools = Pools.of(made)
    instance = draw_rcvrptw(pools, 5, 9, PLAIN, seeded("cpu", 1))
    city, place = drawn_places(pools, 5, 9, 1)
    for b in range(5):
        pair = np.ix_(place[b].numpy(), place[b].numpy())
        table = made[city[b]]
        np.testing.assert_array_equal(instance.cost[b].numpy(), table.distance_m[pair])
        late = instance.duration[b].numpy() / TICKS_PER_S - table.duration_s[pair]
        assert late.min() > -1e-3
        assert late.max() < 1 / TICKS_PER_S + 1e-3


def test_drawn_stops_can_all_be_served():
    """A vehicle that drives there and back meets every window, in cities of any size."""
    pools = Pools.of([make_table(k) for k in range(2)])
    law = Distribution(places=(0.4, 0.3, 0.3), far_depot=0.5, free_capacity=0.5)
    instance = draw_rcvrptw(pools, 200, 12, law, seeded("cpu", 3))
    assert servable(instance).all()
    near = Pools(*(getattr(pools, f) for f in pools.__dataclass_fields__))
    near.duration.div_(1000, rounding_mode="floor")  # everything is within a second
    assert servable(draw_rcvrptw(near, 200, 12, law, seeded("cpu", 3))).all()


def shares(window: np.ndarray, service: np.ndarray, duration: np.ndarray) -> dict[str, np.ndarray]:
    """What windows of one instance are made of, in units of its longest duration."""
    longest = duration.max()
    window, service, duration = window / longest, service / longest, duration / longest
    length = window[1:, 1] - window[1:, 0]
    room = HORIZON - service[1:] - length - 2 * np.maximum(duration[0, 1:], duration[1:, 0])
    return {
        "service": service[1:],
        "length": length,
        "place in the room": (window[1:, 0] - duration[0, 1:]) / room,
        "horizon": window[0, 1:],
    }


def test_windows_follow_the_law_of_the_sample_module():
    """Means and spreads of services, lengths and openings are those of `draw_windows`."""
    instance = draw_rcvrptw(Pools.of([make_table()]), 300, 15, PLAIN, seeded("cpu", 5))
    rng = np.random.default_rng(0)
    ours: dict[str, list[np.ndarray]] = {}
    theirs: dict[str, list[np.ndarray]] = {}
    window_s = torch.stack([instance.opens, instance.closes], -1).numpy() / TICKS_PER_S
    assert (window_s == np.rint(window_s)).all()
    for b in range(300):
        duration_s = instance.duration[b].numpy() / TICKS_PER_S
        service_s = instance.service[b].numpy() / TICKS_PER_S
        assert window_s[b, 0, 0] == service_s[0] == 0
        for name, values in shares(window_s[b], service_s, duration_s).items():
            ours.setdefault(name, []).append(values)
        for name, values in shares(*draw_windows(rng, duration_s), duration_s).items():
            theirs.setdefault(name, []).append(values)
    for name in ours:
        a, b = np.concatenate(ours[name]), np.concatenate(theirs[name])
        assert a.mean() == pytest.approx(b.mean(), abs=0.02), name
        assert a.std() == pytest.approx(b.std(), abs=0.02), name
        np.testing.assert_allclose(
            np.quantile(a, [0.1, 0.5, 0.9]), np.quantile(b, [0.1, 0.5, 0.9]), atol=0.03
        )
    service = np.concatenate(ours["service"])
    assert SERVICE[0] - 0.01 < service.min() < service.max() < SERVICE[1] + 0.01
    assert np.concatenate(ours["length"]).max() < WINDOW[1] + 0.01


@pytest.mark.parametrize(
    ("draw", "capacity"), [(draw_rcvrp, rcvrp_capacity), (draw_rcvrptw, rcvrptw_capacity)]
)
def test_demands_and_capacities_follow_the_sample_module(draw, capacity):
    """Whole demands of the same mean, and the capacity of the problem's own table."""
    instance = draw(Pools.of([make_table()]), 200, 30, PLAIN, seeded("cpu", 7))
    expected = draw_demand(np.random.default_rng(0), 6000)[1:]
    drawn = instance.demand[:, 1:].double()
    assert float(drawn.mean()) == pytest.approx(expected.mean(), abs=0.15)
    assert float(drawn.std()) == pytest.approx(expected.std(), abs=0.15)
    assert instance.demand[:, 0].eq(0).all()
    assert instance.capacity.eq(capacity(30)).all()


@pytest.mark.parametrize("name", sorted(CONVERSIONS))
@pytest.mark.parametrize("seed", range(5))
def test_sampled_problems_convert_without_loss(name, seed):
    """Problems of the sample module ask for what their environment covers and keep all stops."""
    asked = getattr(sample, name)(FakeCity(), 12, seed=seed)
    convert = CONVERSIONS[name]
    assert convert.covers(asked)
    assert convert.instance(asked, torch.float32).nodes == tuple(range(asked.size))
