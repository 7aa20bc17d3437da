"""Training instances of each problem against the tables and against `nco.sample`."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from city_tables import make_table
from directed import random_rollouts
from fake_city import FakeCity

from nco.data.sampling import sample
from nco.data.sampling.sample import (
    HORIZON,
    SERVICE,
    WINDOW,
    draw_demand,
    draw_windows,
    rcvrp_capacity,
    rcvrptw_capacity,
)
from nco.envs import environment
from nco.envs.convert import CONVERSIONS
from nco.envs.rcvrptw import TICKS_PER_S, servable
from nco.errors import PolicyError
from nco.training.curriculum import Curriculum
from nco.training.distribution import PLAIN, Distribution
from nco.training.places import draw_places
from nco.training.pools import Pools
from nco.training.sampler import DRAW, draw_atsp, draw_rcvrp, draw_rcvrptw
from nco.training.seeds import seeded
from nco.training.tables import build_table


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


# What a distribution may ask for -----------------------------------------------------------------


def drawn(law: Distribution, batch: int = 200, stops: int = 20):
    """A batch of RCVRPTW."""
    return draw_rcvrptw(Pools.of([make_table()]), batch, stops, law, seeded("cpu", 11))


def test_demands_follow_their_kind_and_range():
    """Uniform, equal and skewed demands, with capacity for about as many stops a route."""
    base = dataclasses.replace(PLAIN, demand=(5, 50))
    made = {
        name: drawn(dataclasses.replace(base, demands=weights))
        for name, weights in {
            "uniform": (1, 0, 0), "equal": (0, 1, 0), "skewed": (0, 0, 1)
        }.items()
    }  # fmt: skip
    assert made["equal"].demand[:, 1:].eq(1).all()
    for name in ("uniform", "skewed"):
        demand = made[name].demand[:, 1:]
        assert demand.min() == 5
        assert demand.max() == 50
    assert made["skewed"].demand[:, 1:].double().median() < 15
    for instance in made.values():
        mean = instance.demand[:, 1:].double().mean()
        assert float(instance.capacity.double().mean() / mean) == pytest.approx(30 / 5, rel=0.1)
        assert (instance.capacity >= instance.demand.amax(1)).all()
        assert servable(instance).all()
    mixed = drawn(dataclasses.replace(base, demands=(1, 1, 1)))
    assert 30 < int(mixed.demand[:, 1:].eq(1).all(1).sum()) < 110


def test_windows_may_be_wide_or_absent_and_days_longer():
    """Shares are those asked for, and every stop can still be served."""
    law = dataclasses.replace(
        PLAIN, wide=0.5, windowless=(0.2, 0.6), horizon=(4.6, 6.0), service=(0.0, 0.05)
    )
    instance = drawn(law)
    assert servable(instance).all()
    longest = instance.duration.amax((1, 2)).double()
    day = instance.closes[:, 0] / longest
    assert 4.5 < day.min() < 4.8 < 5.8 < day.max() < 6.1
    assert (instance.service[:, 1:] / longest[:, None]).max() < 0.06
    open_ = instance.closes[:, 1:] >= instance.closes[:, :1]
    assert float(open_.double().mean()) == pytest.approx(0.4, abs=0.05)
    length = ((instance.closes - instance.opens)[:, 1:] / longest[:, None]).masked_fill(open_, 0)
    assert float((length.amax(1) > 0.5).double().mean()) == pytest.approx(0.5, abs=0.15)


def test_clusters_and_boxes_are_as_large_as_asked_for():
    """One tight cluster is tighter than a box of half a kilometre, and that than a city."""
    pools = Pools.of([build_table(FakeCity(), "x", whole=1500, boxed=0, boxes=1, seed=0)])
    laws = {
        "cluster": Distribution(places=(0, 0, 1), clusters=(1, 1), cluster_m=(100, 100)),
        "box": Distribution(places=(0, 1, 0), box_m=2_000),
        "city": Distribution(places=(1, 0, 0)),
    }
    extent = {}
    for name, law in laws.items():
        near = dataclasses.replace(law, far_depot=0.0)
        _, place = draw_places(pools, 30, 4, near, seeded("cpu", 0))
        xy = pools.xy_m[0][place]
        extent[name] = float((xy.amax(1) - xy.amin(1)).amax(-1).median())
    assert extent["cluster"] < extent["box"] < 2_100 < extent["city"]


def test_cities_are_drawn_by_weight():
    """A city of weight 0 is never drawn."""
    pools = Pools.of([make_table(k) for k in range(3)], weights=[1.0, 0.0, 3.0])
    city, _ = draw_places(pools, 400, 5, PLAIN, seeded("cpu", 0))
    assert torch.bincount(city, minlength=3)[1] == 0
    assert 250 < int((city == 2).sum()) < 350


def test_sizes_grow_with_the_curriculum():
    """Evenly from the first range to the last, and no further."""
    grow = Curriculum(stops=(5, 10), epochs=4)
    at = [grow.at(epochs, (20, 50)) for epochs in (0, 2, 4, 9)]
    assert at == [(5, 10), (12, 30), (20, 50), (20, 50)]
    assert Curriculum().at(0, (20, 50)) == (20, 50)
    with pytest.raises(PolicyError, match=r"curriculum\.epochs"):
        Curriculum(epochs=-1)


@pytest.mark.parametrize("name", sorted(DRAW))
def test_half_precision_changes_costs_by_less_than_a_thousandth(name):
    """The cost of whole rollouts on single-precision and on half-precision matrices."""
    tables = [make_table(k) for k in range(3)]
    exact, half = (
        DRAW[name](Pools.of(tables, half=h), 50, 15, PLAIN, seeded("cpu", 3)) for h in (False, True)
    )
    env = environment(name)
    actions = random_rollouts(env, exact, 4, 0)
    there, here = env.cost(exact, actions), env.cost(half, actions)
    assert ((there - here).abs() / there).max() < 2**-11
    assert not torch.equal(there, here)


def test_half_precision_holds_any_distance():
    """Distances beyond what half precision can count are scaled, and none overflows."""
    table = make_table()
    wide = dataclasses.replace(table, distance_m=table.distance_m * 1000)
    pools = Pools.of([wide, table], half=True)
    every = torch.arange(60)[None].expand(2, -1)
    found = pools.distance_m(torch.tensor([0, 1]), every)
    assert found.isfinite().all()
    torch.testing.assert_close(found[0], torch.from_numpy(wide.distance_m), rtol=2**-11, atol=1.0)
