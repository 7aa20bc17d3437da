"""The exact evaluator against published values and against one that is slow and plainly right."""

from __future__ import annotations

from itertools import pairwise, permutations
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.errors import ProblemError
from nco.transit.evaluate.exact import KINDS, TRANSFER_S, Evaluation, Evaluator, evaluate
from nco.transit.evaluate.tensors import TorchEvaluator
from nco.transit.files.benchmark import read_benchmark
from nco.transit.instance.lines import Lines, check_lines, pad_lines, parse_lines
from nco.transit.instance.published import NETWORKS, published
from nco.transit.instance.transit_instance import TransitInstance

PENALTY = 1e-6  # of a transfer, beside its seconds: of ways that are as fast, the one with fewer


def slow(instance: TransitInstance, lines: Lines, transfer_s: float = TRANSFER_S) -> Evaluation:
    """Every passenger through the graph of lines and stops, one after the other."""
    graph = nx.DiGraph()
    graph.add_nodes_from(("walk", node) for node in range(instance.size))
    for r, line in enumerate(lines):
        for k, node in enumerate(line):
            graph.add_edge(("walk", node), (r, k), weight=transfer_s + PENALTY, rides=1)
            graph.add_edge((r, k), ("walk", node), weight=0.0, rides=0)
        for k, (a, b) in enumerate(pairwise(line)):
            if a != b and np.isfinite(instance.link_s[a, b]):
                graph.add_edge((r, k), (r, k + 1), weight=instance.link_s[a, b], rides=0)
                graph.add_edge((r, k + 1), (r, k), weight=instance.link_s[b, a], rides=0)
    time_s, counts = 0.0, [0.0] * 5
    for origin in range(instance.size):
        for place, path in nx.single_source_dijkstra_path(graph, ("walk", origin)).items():
            trips = instance.demand[origin, place[1]] if place[0] == "walk" else 0.0
            if not trips:
                continue
            arcs = [graph.edges[arc] for arc in pairwise(path)]
            rides = sum(arc["rides"] for arc in arcs)
            time_s += trips * (sum(arc["weight"] for arc in arcs) - transfer_s - rides * PENALTY)
            counts[min(rides, 4)] += trips
    total, reached = instance.demand.sum(), sum(counts)
    both_s = sum(
        instance.link_s[a, b] + instance.link_s[b, a]
        for line in lines
        for a, b in pairwise(line)
        if np.isfinite(instance.link_s[a, b])
    )
    direct, one, two = (count / total if total else 0.0 for count in counts[1:4])
    return Evaluation(
        (time_s / reached / 60 if reached else np.inf) if total else 0.0,
        both_s / 120,
        direct,
        one,
        two,
        unserved=1.0 - direct - one - two if total else 0.0,
        unreached=1.0 - reached / total if total else 0.0,
    )


def assert_same(found: Evaluation, expected: Evaluation, rel: float = 1e-9) -> None:
    """All values but the violations."""
    for name in Evaluation.__dataclass_fields__:
        if name != "violations":
            value = pytest.approx(getattr(expected, name), rel=rel, abs=1e-9)
            assert getattr(found, name) == value, name


@st.composite
def networks(draw: st.DrawFn) -> TransitInstance:
    """Small connected networks, directed or not, in minutes, seconds, milliseconds or fractions."""
    n = draw(st.integers(2, 9))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    unit_s = draw(st.sampled_from([60.0, 1.0, 0.001, np.pi]))
    link = np.full((n, n), np.inf)
    np.fill_diagonal(link, 0.0)
    pairs = [(k, int(rng.integers(k))) for k in range(1, n)]  # a tree keeps it in one piece
    pairs += [
        tuple(rng.choice(n, 2, replace=False).tolist()) for _ in range(draw(st.integers(0, n)))
    ]
    longest = draw(st.sampled_from([3, 20, 300]))
    for a, b in pairs:
        link[a, b] = link[b, a] = rng.integers(1, longest) * unit_s
        if draw(st.booleans()):
            link[b, a] = rng.integers(1, longest) * unit_s
    demand = np.where(rng.random((n, n)) < 0.7, rng.integers(0, 50, (n, n)), 0).astype(float)
    np.fill_diagonal(demand, 0.0)
    return TransitInstance(link_s=link, demand=demand, lines=draw(st.integers(1, 5)))


@st.composite
def designs(draw: st.DrawFn) -> tuple[TransitInstance, Lines]:
    """A network and lines that can run on it."""
    instance = draw(networks())
    lines = tuple(draw(walks(instance)) for _ in range(draw(st.integers(0, 6))))
    return instance, lines


@st.composite
def walks(draw: st.DrawFn, instance: TransitInstance) -> tuple[int, ...]:
    """A line of two stops or more that may come by a stop again."""
    line = [draw(st.integers(0, instance.size - 1))]
    for _ in range(draw(st.integers(1, 7))):
        line.append(draw(st.sampled_from(instance.neighbours[line[-1]])))
    return tuple(line)


def row_of_stops(count: int, minutes: float = 4.0) -> TransitInstance:
    """Stops in a row, one trip each way between the two ends."""
    link = np.full((count, count), np.inf)
    np.fill_diagonal(link, 0.0)
    for k in range(count - 1):
        link[k, k + 1] = link[k + 1, k] = 60.0 * minutes
    demand = np.zeros((count, count))
    demand[0, -1] = demand[-1, 0] = 1.0
    return TransitInstance(link_s=link, demand=demand, lines=count - 1)


@pytest.fixture(scope="module")
def transit_files() -> Path:
    """The benchmark files of Mumford, skipping where they are not on this machine."""
    folder = Path(__file__).parents[1].parent / "shared" / "data" / "transit" / "mumford"
    if not folder.exists():
        pytest.skip("the shared transit files are not on this machine")
    return folder


@pytest.mark.parametrize("number", range(len(published("mandl"))))
def test_published_lines_on_mandl_have_their_published_values(number: int) -> None:
    """Lines of six authors, to the digits that they or those who quote them gave."""
    lines = published("mandl")[number]
    found = evaluate(TransitInstance.mandl(len(lines.lines)), lines.lines)
    assert found.feasible
    if lines.travel_min is not None:
        digits = 2 if lines.source == "arbex" else 8
        assert round(found.travel_min, digits) == lines.travel_min
    if lines.operator_min is not None:
        assert found.operator_min == lines.operator_min
    if lines.shares:
        shares = (found.direct, found.one_transfer, found.two_transfers, found.unserved)
        assert [round(100 * share, 2) for share in shares] == list(lines.shares)
    assert_same(found, slow(TransitInstance.mandl(), lines.lines), rel=1e-7)


@pytest.mark.parametrize("network", NETWORKS[1:])
def test_published_lines_on_mumford_have_their_published_values(
    network: str, transit_files: Path
) -> None:
    """The ends of Huesselmann's fronts, to all the digits of his files."""
    evaluator = Evaluator(read_benchmark(transit_files / network))
    for lines in published(network):
        found = evaluator.evaluate(lines.lines)
        assert found.feasible
        assert found.travel_min == pytest.approx(lines.travel_min, rel=1e-14)
        assert found.operator_min == lines.operator_min


@settings(max_examples=150, deadline=None)
@given(designs(), st.sampled_from([0.0, 300.0, 12.345]))
def test_agrees_with_passengers_one_after_the_other(
    design: tuple[TransitInstance, Lines], transfer_s: float
) -> None:
    """Dijkstra on the graph of lines and stops finds the same, whatever times and directions."""
    instance, lines = design
    expected = slow(instance, lines, transfer_s)
    found = Evaluator(instance, transfer_s).batch(pad_lines(lines, max(1, len(lines)), 8)[None])[0]
    if transfer_s:
        assert_same(found, expected, rel=1e-6)
    else:
        assert found.travel_min == pytest.approx(expected.travel_min, rel=1e-6)


@settings(max_examples=100, deadline=None)
@given(designs(), st.data())
def test_changes_give_what_evaluation_from_scratch_gives(
    design: tuple[TransitInstance, Lines], data: st.DataObject
) -> None:
    """Added, taken out, replaced in any order: all numbers are the very same."""
    instance, lines = design
    evaluator = Evaluator(instance)
    state = evaluator.state(lines)
    for _ in range(4):
        new, count = data.draw(walks(instance)), len(lines)
        place = data.draw(st.integers(0, max(0, count - 1)))
        change = data.draw(st.sampled_from(["add", "remove", "replace"] if count else ["add"]))
        rest = (*lines[:place], *lines[place + 1 :])
        if change == "add":
            lines, state = (*lines, new), evaluator.with_line(state, new)
        elif change == "remove":
            lines, state = rest, evaluator.without_line(state, place)
        else:
            lines = (*lines[:place], new, *lines[place + 1 :])
            state = evaluator.replace_line(state, place, new)
        assert state.lines == lines
        assert state.evaluation == evaluator.evaluate(lines)
        insertions = evaluator.insertions(state, pad_lines([new, new[:2]]))
        assert insertions[0] == evaluator.evaluate((*lines, new))
        assert insertions[1] == evaluator.evaluate((*lines, new[:2]))


@settings(max_examples=60, deadline=None)
@given(networks(), st.data())
def test_violations_are_those_of_check_lines(
    instance: TransitInstance, data: st.DataObject
) -> None:
    """As many of each kind, for lines that may be anything."""
    node = st.integers(0, instance.size - 1)
    rules = {
        "min_stops": 2,
        "max_stops": data.draw(st.integers(2, 4)),
        "hub": data.draw(st.none() | st.just(0)),
        "terminals": data.draw(st.none() | st.just(np.arange(instance.size) < 2)),
    }
    try:
        instance = instance.changed(**rules)
    except ProblemError:
        return
    lines = tuple(
        map(tuple, data.draw(st.lists(st.lists(node, min_size=1, max_size=6), max_size=5)))
    )
    found = Evaluator(instance).batch(pad_lines(lines, max(1, len(lines)), 6)[None])[0]
    expected = check_lines(instance, lines)
    for kind, count in zip(KINDS, found.violations, strict=True):
        # Where links are missing, the evaluator does not take a line's parts as joined.
        if kind != "unconnected" or not found.violations[KINDS.index("missing link")]:
            assert count == sum(v.kind == kind for v in expected), kind


def test_a_way_with_more_rides_than_its_bits_hold() -> None:
    """Eighty lines of one link each in a row: 79 transfers, in the code for long ways."""
    count = 81
    instance = row_of_stops(count)
    found = evaluate(instance, [(k, k + 1) for k in range(count - 1)])
    assert found.travel_min == 4 * 80 + 5 * 79
    assert (found.unserved, found.unreached) == (1.0, 0.0)


def test_short_and_long_ways_in_one_batch() -> None:
    """Sets that need the long code are evaluated with it, and their neighbours are not changed."""
    instance = row_of_stops(81, minutes=1.0)
    pairs = [range(k, k + 2) for k in range(80)]
    sets = [[range(81)], pairs, [range(40)], [range(41), range(40, 81)]]
    batch = np.stack([pad_lines(lines, 80, 81) for lines in sets])
    found = Evaluator(instance).batch(batch)
    assert found.travel_min.tolist() == [80.0, 80.0 + 5 * 79, np.inf, 85.0]
    assert found.direct.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert found.unreached.tolist() == [0.0, 0.0, 1.0, 0.0]
    assert found.violations[:, KINDS.index("unconnected")].tolist() == [0, 0, 41, 0]


def test_of_ways_as_fast_the_one_without_transfer_counts() -> None:
    """Ten minutes direct, or twice 2.5 with a transfer of five."""
    link = np.array([[0, 150, 600], [150, 0, 150], [600, 150, 0.0]])
    demand = np.zeros((3, 3))
    demand[0, 2] = 7.0
    instance = TransitInstance(link_s=link, demand=demand, lines=3)
    found = evaluate(instance, [(0, 1), (1, 2), (0, 2)])
    assert (found.travel_min, found.direct) == (10.0, 1.0)


def test_directed_times() -> None:
    """There 10 minutes and back 4: passengers pay their own way, the operator half of both."""
    link = np.array([[0.0, 600.0], [240.0, 0.0]])
    instance = TransitInstance(link_s=link, demand=np.array([[0, 3.0], [1.0, 0]]), lines=1)
    found = evaluate(instance, [(1, 0)])
    assert found.travel_min == (3 * 10 + 4) / 4
    assert found.operator_min == 7.0


def test_no_demand_and_no_lines() -> None:
    """Nobody to serve costs nothing; nobody served of some takes forever."""
    mandl = TransitInstance.mandl(1)
    empty = evaluate(mandl.changed(demand=None), [(0, 1, 2)])
    assert (empty.travel_min, empty.unserved, empty.operator_min) == (0.0, 0.0, 10.0)
    nothing = Evaluator(mandl).batch(np.full((1, 1, 2), -1, np.int16))[0]
    assert (nothing.travel_min, nothing.unserved, nothing.operator_min) == (np.inf, 1.0, 0.0)
    assert nothing.broken == {"unconnected": 14, "number of lines": 1}
    assert len(Evaluator(mandl).batch(np.empty((0, 6, 8), np.int16))) == 0


def test_threads_change_nothing() -> None:
    """Batches of lines in any order over three threads."""
    mandl = TransitInstance.mandl(6)
    some = [pad_lines(lines.lines, 8, 8) for lines in published("mandl")] * 3
    one, three = (Evaluator(mandl).batch(np.stack(some), threads=threads) for threads in (1, 3))
    assert [one[b] for b in range(len(some))] == [three[b] for b in range(len(some))]


def test_order_and_direction_of_lines_do_not_matter() -> None:
    """Lines the other way round and in other orders give the very same numbers."""
    lines = published("mandl")[2].lines
    evaluator = Evaluator(TransitInstance.mandl())
    expected = evaluator.evaluate(lines)
    for order in list(permutations(range(6)))[::97]:
        turned = [lines[r][:: -1 if r % 2 else 1] for r in order]
        assert evaluator.evaluate(turned) == expected


DEVICES = ("cpu", *(["cuda"] if torch.cuda.is_available() else []))


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=60, deadline=None)
@given(design=designs())
def test_tensors_give_the_same(device: str, design: tuple[TransitInstance, Lines]) -> None:
    """All values of random designs, on whole batches at once."""
    instance, lines = design
    batch = np.stack([pad_lines(part, max(1, len(lines)), 8) for part in (lines, lines[1:], ())])
    expected = Evaluator(instance).batch(batch)
    found = TorchEvaluator(instance, device)(torch.from_numpy(batch))
    for name in Evaluation.__dataclass_fields__:
        if name != "violations":
            values = getattr(found, name).cpu().numpy()
            np.testing.assert_allclose(values, getattr(expected, name), rtol=1e-12, atol=1e-12)


def test_tensors_hold_times_and_transfers_of_every_pair() -> None:
    """Three stops on two lines: five minutes of transfer between the outer ones, and one apart."""
    instance = row_of_stops(4)
    found = TorchEvaluator(instance)(torch.tensor([[[0, 1], [1, 2]]]))
    assert found.time_s[0, 0].tolist() == [0.0, 240.0, 780.0, np.inf]
    assert found.transfers[0, 0].tolist() == [-1, 0, 1, -1]


def test_tensors_that_are_no_lines_are_refused() -> None:
    """Wrong shapes, wrong types and stops that do not exist."""
    evaluator = TorchEvaluator(row_of_stops(4))
    with pytest.raises(ProblemError, match="give whole numbers"):
        evaluator(torch.zeros(1, 1, 2))
    with pytest.raises(ProblemError, match="nodes are 0 to 3"):
        evaluator(torch.full((1, 1, 2), 4))


def test_bad_input_is_refused_by_name() -> None:
    """Messages say what was given and what is allowed."""
    evaluator = Evaluator(TransitInstance.mandl())
    with pytest.raises(ProblemError, match="line 1, place 0: there is no link from node 0"):
        evaluator.evaluate(parse_lines("0-1*0-14"))
    with pytest.raises(ProblemError, match=r"nodes are 0 to 14"):
        evaluator.batch(np.full((1, 1, 2), 15))
    with pytest.raises(ProblemError, match=r"give whole numbers \[B, R, L\]"):
        evaluator.batch(np.zeros((2, 2), int))
    with pytest.raises(ProblemError, match="threads is 0"):
        evaluator.batch(np.zeros((1, 1, 2), int), threads=0)
    with pytest.raises(ProblemError, match="transfer_s is -1"):
        Evaluator(TransitInstance.mandl(), -1.0)
    with pytest.raises(ProblemError, match="line 3 does not exist; lines are 0 to 0"):
        evaluator.without_line(evaluator.state([(0, 1)]), 3)
    with pytest.raises(ProblemError, match="candidate 1 has no stops"):
        evaluator.insertions(evaluator.state([(0, 1)]), np.array([[0, 1], [-1, -1]]))
