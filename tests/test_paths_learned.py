"""Costs of links learned from drives, and several paths by them."""

import gzip
from pathlib import Path as FilePath

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from nco.commands.train import main
from nco.errors import FormatError, InputError, PolicyError
from nco.roads import Costs, Dijkstra, NodePairs, Position, RoadGraph
from nco.roads.classes import class_number
from nco.roads.hierarchy import Hierarchy
from nco.roads.learn import (
    CostNetwork,
    Drive,
    LearnedPaths,
    Settings,
    groups_of,
    learn_costs,
    learn_known,
    learn_memory,
    load_costs,
    read_drives,
    save_costs,
)
from nco.roads.learn.course import measure, read_settings
from nco.roads.learn.flow import density, flow
from nco.roads.learn.gradient import gradient
from nco.roads.learn.known import learn_factors
from nco.roads.learn.made_up import Population
from nco.roads.learn.memory import Memory
from nco.roads.learn.network import Perceptron
from nco.roads.learn.training import METHODS, drive_cost, with_noise
from nco.roads.several import Limits, paths
from nco.roads.several.query import Query

SIDE = 9
STEP = 0.002
FEW = Settings(steps=16, rate=0.1, batch=24, groups=2, rounds=1, usage=False)


def town(side: int = SIDE, name: str = "town") -> RoadGraph:
    """A grid of streets; every fourth one is a main road, not quicker than the others."""
    number = np.arange(side * side).reshape(side, side)
    rows = [
        (a, b, i % 4 == 0, f"row {i}")
        for i in range(side)
        for a, b in zip(number[i], number[i, 1:], strict=False)
    ]
    columns = [
        (a, b, i % 4 == 0, f"column {i}")
        for i in range(side)
        for a, b in zip(number[:, i], number[1:, i], strict=False)
    ]
    streets = rows + columns
    both = streets + [(b, a, large, street) for a, b, large, street in streets]
    lonlat = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) * STEP
    kinds = [class_number("secondary" if large else "residential") for _, _, large, _ in both]
    return RoadGraph.from_links(
        lonlat + np.array([10.0, 0.0]),
        [a for a, *_ in both],
        [b for _, b, *_ in both],
        name=name,
        road_class=kinds,
        streets=[street for *_, street in both],
        max_speed_kmh=40.0,
        osm_node=1000 + np.arange(side * side),
    )


@pytest.fixture(scope="module")
def graph() -> RoadGraph:
    return town()


@pytest.fixture(scope="module")
def drives(graph: RoadGraph) -> list[Drive]:
    return Population(noise=0.0, spread=0.1).drives(graph, 30, each=3, seed=1)


@pytest.fixture(scope="module")
def network(graph: RoadGraph, drives: list[Drive]) -> CostNetwork:
    return learn_memory(graph, drives, learn_costs(graph, drives, FEW), FEW)


def test_hidden_preferences_are_learned_and_hold_elsewhere(graph, drives, network) -> None:
    """Drives of others, here and in another town, are covered better than by time alone."""
    for place in (graph, town(12, "other")):
        others = Population(noise=0.0, spread=0.1).drives(place, 15, seed=2)
        found = measure(place, network, others)
        assert found.drives == 45
        assert found.covered[0] > found.usual + 0.05
        assert found.covered[0] <= found.covered[1] <= found.covered[2]


def test_the_untrained_network_is_free_flow_and_nothing_is_negative(graph) -> None:
    """Untrained costs are seconds and equal small costs of turns; any weights give costs."""
    costs = CostNetwork.untrained().costs(graph)
    assert costs.links == pytest.approx(graph.links.duration_s)
    more = costs.turns - graph.turns.duration_s
    assert more.min() > 0
    assert np.ptp(more) < 1e-6
    rng = np.random.default_rng(0)
    wild = CostNetwork(
        *(
            Perceptron(
                **{n: rng.normal(0, 50, w.shape).astype(np.float32) for n, w in vars(part).items()}
            )
            for part in vars(CostNetwork.untrained()).values()
        )
    )
    assert (wild.costs(graph).links > 0).all()
    assert np.isfinite(wild.costs(graph).turns).all()


def test_the_gradient_is_that_of_finite_differences() -> None:
    """Each weight's gradient is what a small change of it makes."""
    rng = np.random.default_rng(3)
    net = Perceptron.untrained(4, 3, 0)
    net = Perceptron(**{n: rng.normal(size=w.shape) for n, w in vars(net).items()})
    x, upon = rng.normal(size=(5, 4)), rng.normal(size=5)
    found = gradient(net, x, upon)
    for name, weights in vars(net).items():
        at = (0,) * weights.ndim
        ends = []
        for change in (1e-2, -1e-2):
            moved = weights.copy()
            moved[at] += change
            ends.append((upon * Perceptron(**{**vars(net), name: moved})(x)).sum())
        assert found[name][at] == pytest.approx((ends[0] - ends[1]) / 2e-2, rel=2e-2, abs=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_every_way_to_the_gradient_learns(graph, drives, method) -> None:
    """Large streets become cheaper than small ones by each method, from the same drives."""
    settings = Settings(method=method, steps=12, rate=0.03, batch=24, groups=2, usage=False)
    costs = learn_costs(graph, drives, settings).costs(graph)
    small = graph.links.road_class == class_number("residential")
    factor = costs.links / graph.links.duration_s
    assert factor[small].mean() > factor[~small].mean()


def test_noise_is_in_the_gradient_of_links_and_turns(graph, drives) -> None:
    """What a small change of a link or a turn makes of a drive over the noisy path is its slope."""
    costs = Costs(graph.links.duration_s, np.full(len(graph.turns), 4.0))
    noisy = with_noise(graph, costs, 0.5, np.random.default_rng(3), "perturbed")
    search, drive = Hierarchy(graph, noisy), drives[0]
    found = search.path(drive.source, drive.target)
    by_link, by_turn = np.zeros(len(graph.links)), np.zeros(len(graph.turns))
    METHODS["perturbed"](search, drive, found, costs, Settings(), by_link, by_turn)

    def loss(links: np.ndarray, turns: np.ndarray) -> float:
        plain = Costs(links, turns)
        times = Costs(links * noisy.links / costs.links, turns * noisy.turns / costs.turns)
        return float(np.log(drive_cost(drive, plain) / found.cost(times)))

    for k in {*drive.links.tolist(), *found.links.tolist()}:
        more = costs.links.copy()
        more[k] *= np.exp(1e-6)
        assert (loss(more, costs.turns) - loss(costs.links, costs.turns)) / 1e-6 == pytest.approx(
            by_link[k], abs=1e-4
        )
    for k in {*drive.turns.tolist(), *found.turns.tolist()}:
        more = costs.turns.copy()
        more[k] += 1e-6
        assert (loss(costs.links, more) - loss(costs.links, costs.turns)) / 1e-6 == pytest.approx(
            by_turn[k], abs=1e-4
        )


def test_learned_costs_keep_their_unit(graph, drives) -> None:
    """However long it learns, what was driven costs about its seconds of free flow."""
    settings = Settings(steps=150, rate=0.1, batch=8, groups=2)
    costs = learn_costs(graph, drives, settings).costs(graph)
    seconds = np.zeros(len(graph.links))
    for drive in drives:
        np.add.at(seconds, drive.links, drive.shares * graph.links.duration_s[drive.links])
    factor = costs.links / graph.links.duration_s
    assert (seconds * factor).sum() == pytest.approx(seconds.sum(), rel=0.2)


def test_the_same_seed_learns_the_same(graph, drives) -> None:
    """Weights do not depend on anything but drives, settings and seed."""
    settings = Settings(steps=2, batch=8, groups=2)
    first, again = (learn_costs(graph, drives, settings) for _ in range(2))
    assert np.array_equal(first.links.skip, again.links.skip)
    assert np.array_equal(first.turns.hidden, again.turns.hidden)


def test_the_skeleton_has_the_cheapest_paths(graph, network) -> None:
    """A skeleton's cheapest path is that of the whole graph, from its ends and in its sums."""
    costs = network.costs(graph)
    plain = Dijkstra(graph, costs)
    rng = np.random.default_rng(4)
    for _ in range(5):
        a, b = (Position.on(graph, int(k), 0.3) for k in rng.choice(len(graph.links), 2))
        best = plain.path(a, b)
        if len(best) == 1:
            continue
        query = Query(graph, costs, a, b, 3, Limits(), plain)
        part = query.skeleton
        assert part.path(part.link_costs, part.turn_costs).cost(costs) == pytest.approx(
            best.cost(costs)
        )
        assert (np.diff(part.links) > 0).all()
        assert len(part.links) < len(graph.links)
        # At other costs it finds what the whole graph has, as long as that is not too dear.
        other = costs.links * rng.uniform(0.7, 1.5, len(graph.links))
        cheapest = Dijkstra(graph, Costs(other, costs.turns)).path(a, b)
        if cheapest.cost(costs) <= query.most:
            found = part.path(other[part.links], part.turn_costs)
            assert found.links.tolist() == cheapest.links.tolist()


def test_learned_paths_lead_over_plateaus(graph, network) -> None:
    """By learned costs the same paths are found as by the method of plateaus at these costs."""
    ours = LearnedPaths(graph, network)
    rng = np.random.default_rng(5)
    more = 0
    for _ in range(8):
        a, b = (Position.on(graph, int(k), 0.3) for k in rng.choice(len(graph.links), 2))
        whole = paths(graph, a, b, 3, search=ours.search, method="plateau")
        found = ours(a, b, 3)
        assert len(found) >= len(whole)
        for path, other in zip(whole, found, strict=False):
            assert path.cost(ours.search.costs) == pytest.approx(other.cost(ours.search.costs))
        more += len(whole)
    assert more > 8


def test_memory_knows_what_was_used(graph, network) -> None:
    """Links of an earlier path are marked, the way back along them too."""
    costs = network.costs(graph)
    a, b = Position.on(graph, 0), Position.on(graph, 40)
    best = Dijkstra(graph, costs).path(a, b)
    part = Query(graph, costs, a, b, 3, Limits(), Dijkstra(graph, costs)).skeleton
    seen = Memory(part).features([best])
    used = np.isin(part.links, best.links)
    assert (seen[:, 0] == used).all()
    back = np.isin(part.links, graph.links.reverse[best.links]) & ~used
    assert (seen[:, 2] == back).all()
    assert (seen[:, 1] == 0).all()


def test_learned_paths_keep_the_limits_and_rules(graph, drives) -> None:
    """Paths differ, stay within the stretch, and the registered method keeps what is avoided."""
    ours = LearnedPaths(graph, CostNetwork.untrained())
    drive = drives[0]
    found = ours(drive.source, drive.target, 3, Limits(share=0.5))
    assert len(found) >= 2
    least = found[0].cost(ours.search.costs)
    assert all(path.cost(ours.search.costs) <= 1.25 * least * 1.001 for path in found)
    assert len({tuple(path.links) for path in found}) == len(found)
    asked = paths(graph, drive.source, drive.target, 3, method="learned")
    assert 1 <= len(asked) <= 3
    assert len(paths(graph, drive.source, drive.target, 3, method="conditioned")) >= 1
    open_costs = Costs.usual(graph)
    links = open_costs.links.copy()
    closed = asked[0].links[1]
    links[closed] = np.inf
    around = paths(
        graph, drive.source, drive.target, 2, Costs(links, open_costs.turns), method="learned"
    )
    assert all(closed not in path.links for path in around)


def test_files_are_read_as_written(tmp_path: FilePath, network) -> None:
    """Weights and card come back; what is damaged or of something else is refused."""
    path = save_costs(tmp_path / "a.safetensors", network, {"about": "a test"})
    again = load_costs(path)
    assert np.array_equal(again.network.memory.hidden, network.memory.hidden)
    assert again.card["about"] == "a test"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(PolicyError, match="holds no learned costs"):
        load_costs(path)
    with pytest.raises(PolicyError, match="there are no learned costs 'nowhere'; use"):
        load_costs("nowhere")
    with pytest.raises(PolicyError, match=r"must end in .safetensors"):
        save_costs(tmp_path / "a.bin", network)


def test_shipped_costs_have_a_card() -> None:
    """The network that comes with the package says what it was learned from."""
    loaded = load_costs()
    assert loaded.card["drives"] > 0
    assert loaded.card["parameters"] == loaded.network.parameters


def test_drives_are_read(tmp_path: FilePath, graph) -> None:
    """Whole drives become links with their driver and hour; what is wrong is said."""
    matched, trips = tmp_path / "m.csv.gz", tmp_path / "t.csv"
    nodes = " ".join(str(1000 + k) for k in range(6))
    matched.write_bytes(gzip.compress(f"trip,osm_nodes\n1,{nodes}\n2,{nodes}\n".encode()))
    trips.write_text("trip,taxi,start_utc,good\n1,t7,7200,1\n2,t8,0,0\n")
    (drive,) = read_drives(graph, matched, trips)
    assert (drive.driver, drive.hour, len(drive.links)) == ("t7", 2.0, 5)
    assert drive.covered_m.sum() == pytest.approx(5 * 222.4, rel=0.01)
    trips.write_text("trip,good\n1,0\n2,0\n")
    with pytest.raises(FormatError, match="no drive lies on the streets of town"):
        read_drives(graph, matched, trips)
    matched.write_bytes(b"no gzip")
    with pytest.raises(FormatError, match="damaged or no text"):
        read_drives(graph, matched, trips)
    with pytest.raises(FormatError, match="lies on no street"):
        Drive.of(graph, NodePairs(graph).links([1, 2]), driver="x")


def test_drivers_stay_together(drives) -> None:
    """All drives of a driver are in one group."""
    group = groups_of(drives, 4, 1)
    assert len(set(group.tolist())) == 4
    for driver in {d.driver for d in drives}:
        assert len({g for d, g in zip(drives, group, strict=True) if d.driver == driver}) == 1


def test_wrong_settings_are_refused(tmp_path: FilePath, graph, drives) -> None:
    """Settings, configs and drivers that teach nothing are refused with what is allowed."""
    with pytest.raises(InputError, match="method is 'magic'; use perturbed"):
        Settings(method="magic")
    with pytest.raises(InputError, match="steps is 0; give 1 or more"):
        Settings(steps=0)
    with pytest.raises(InputError, match="noise is nan"):
        Settings(noise=float("nan"))
    with pytest.raises(InputError, match="teach no costs"):
        learn_costs(graph, drives[:3], FEW)
    with pytest.raises(FormatError, match="config 'nothing'"):
        read_settings("nothing")
    bad = tmp_path / "bad.toml"
    bad.write_text("steps = 'many'\n")
    with pytest.raises(InputError, match="steps is 'many'; give int"):
        read_settings(bad)
    assert read_settings("porto", steps=5).steps == 5
    with pytest.raises(InputError, match="small is -1"):
        Population(small=-1)
    with pytest.raises(InputError, match="give --drives MATCHED TRIPS, or --made-up N"):
        main(["paths", "nowhere.osm.pbf"])


def test_costs_of_another_format_are_refused(network, tmp_path) -> None:
    """Tensors that fit are no learned costs while the file states another format, or none."""
    path = save_costs(tmp_path / "costs.safetensors", network)
    tensors = load_tensors(path.read_bytes())
    for metadata, given in (({"format": "nco road costs 1"}, "costs 1"), (None, "None")):
        path.write_bytes(save_tensors(tensors, metadata=metadata))
        with pytest.raises(PolicyError, match=f"{given}.*this version reads 'nco road costs 2'"):
            load_costs(path)


def test_what_leads_somewhere_has_flow(graph) -> None:
    """The one street between two towns is on more paths than any other; it is the same again."""
    lonlat = [(10 + x * STEP, y * STEP) for x in (0, 1, 4, 5) for y in (0, 1)]
    ends = [(0, 1), (0, 2), (1, 3), (2, 3), (2, 4), (4, 5), (4, 6), (5, 7), (6, 7)]
    both = [*ends, *((b, a) for a, b in ends)]
    towns = RoadGraph.from_links(lonlat, [a for a, _ in both], [b for _, b in both])
    passed = flow(towns)
    assert passed.max() == max(passed[both.index((2, 4))], passed[both.index((4, 2))])
    assert (flow.__wrapped__(towns) == passed).all()
    assert (density(graph) >= 1).all()
    inner, corner = graph.links.tail == SIDE * SIDE // 2, graph.links.tail == 0
    assert density(graph)[inner].min() > density(graph)[corner].max()


def test_habits_of_a_place_are_known(graph) -> None:
    """A street that drivers shun for no reason on the map becomes dear; where few are, nothing."""
    usual = Costs.free_flow(graph)
    shunned = graph.links.name == graph.names.index("row 4")
    felt = Costs(np.where(shunned, 3.0, 1.0) * usual.links, usual.turns)
    search, rng = Dijkstra(graph, felt), np.random.default_rng(0)
    drives = []
    for driver in range(60):
        a, b = (Position.on(graph, int(k), 0.3) for k in rng.choice(len(graph.links), 2))
        drives.append(Drive.along(search.path(a, b), driver=str(driver)))
    settings = Settings(factor_steps=12, batch=24, groups=2, steps=1)
    factors = learn_factors(graph, drives, usual, settings).links / usual.links
    assert factors[shunned].mean() > factors[~shunned].mean() + 0.05
    assert np.abs(np.log(factors[~shunned])).mean() < 0.1
    # One drive alone moves little, and less the stronger it is drawn to nothing.
    strong = Settings(factor_steps=12, batch=24, groups=2, steps=1, shrinkage=100.0)
    still = learn_factors(graph, drives[:2], usual, strong).links / usual.links
    assert np.abs(np.log(still)).max() < 0.05
    known = learn_known(graph, drives, settings)
    assert np.isfinite(known.links).all()
    with pytest.raises(InputError, match="shrinkage is 0"):
        Settings(shrinkage=0)
