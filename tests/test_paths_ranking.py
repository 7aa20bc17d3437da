"""Models of which path a driver takes, and lists of paths that end in time."""

import itertools

import numpy as np
import pytest
from test_paths_learned import town

from nco.errors import InputError
from nco.roads import Bidirectional, Costs, Path, Position, RoadGraph
from nco.roads.learn import Drive, Usage
from nco.roads.ranking.differences import FIELDS, measures, path_sizes, shares
from nco.roads.ranking.logit import Choice, fit
from nco.roads.ranking.ranker import Ranker
from nco.roads.ranking.recursive_logit import RecursiveLogit


@pytest.fixture(scope="module")
def graph() -> RoadGraph:
    return town(5)


def candidates(graph: RoadGraph, a: int, b: int) -> list[Path]:
    """Ways from one link to another at different costs."""
    rng = np.random.default_rng(a * 100 + b)
    ends = [Position.on(graph, k, both=False) for k in (a, b)]
    found = {}
    for _ in range(6):
        links = graph.links.duration_s * rng.uniform(0.1, 6, len(graph.links))
        path = Bidirectional(graph, Costs.of(graph, links)).path(*ends)
        found[path.links.tobytes()] = path
    return list(found.values())


def test_differences_are_of_what_is_not_shared(graph) -> None:
    """Common links drop out of the difference of two paths, and path sizes count them."""
    paths = candidates(graph, 0, 38)
    fields = measures(paths)
    one, other = paths[:2]
    only = ~np.isin(one.links, other.links)
    other_only = ~np.isin(other.links, one.links)
    km = (one.driven_m[only].sum() - other.driven_m[other_only].sum()) / 1000
    at = FIELDS.index("length_km")
    assert fields[0, at] - fields[1, at] == pytest.approx(km)
    assert path_sizes([one, one]) == pytest.approx([0.5, 0.5])
    assert path_sizes([one]) == pytest.approx([1.0])
    assert shares([one, one]).min() == pytest.approx(1.0)


def test_logit_finds_the_weights_that_made_the_choices() -> None:
    """Choices drawn by known weights give them back, and no other weights are likelier."""
    rng = np.random.default_rng(0)
    true = np.array([1.0, -2.0, 0.0])
    choices = []
    for _ in range(2000):
        x = rng.normal(size=(4, 3))
        odds = np.exp(x @ true)
        choices.append(Choice(x, int(rng.choice(4, p=odds / odds.sum()))))
    found = fit(choices, ridge=0)
    assert found.weights / found.scale == pytest.approx(true, abs=0.15)
    with pytest.raises(InputError, match="no choices"):
        fit([])
    with pytest.raises(InputError, match="finite"):
        fit([Choice(np.full((2, 1), np.nan), 0)])


def test_choices_may_be_shared() -> None:
    """Shares of alternatives teach what as many single choices do."""
    rng = np.random.default_rng(1)
    tables = [rng.normal(size=(3, 2)) for _ in range(40)]
    shared = fit([Choice(x, np.array([0.5, 0.5, 0.0]), 2.0) for x in tables])
    single = fit([Choice(x, k) for x in tables for k in (0, 1)])
    assert shared.weights / shared.scale == pytest.approx(single.weights / single.scale, abs=1e-3)


def test_what_others_drive_decides_where_the_map_does_not(graph) -> None:
    """Drivers who follow others are ranked rightly by who knows the others, with that reason."""
    requests, usages = [], []
    streets = np.random.default_rng(5).integers(0, 2, len(graph.links)) * 6
    usage = Usage(streets, np.full(len(streets), 2), 6)
    for a, b in itertools.product((0, 1, 4, 20, 24), (18, 19, 34, 38, 39)):
        paths = candidates(graph, a, b)
        if len(paths) > 1:
            followed = measures(paths, None, usage)[:, FIELDS.index("undriven_km")]
            requests.append((paths, Drive.along(paths[int(followed.argmin())])))
            usages.append(usage)
    knows = Ranker.learn(requests, None, usages)
    plain = Ranker.learn(requests)

    def right(order: list[int]) -> float:
        return float(
            np.mean([d.covered(p[k]) > 0.99 for (p, d), k in zip(requests, order, strict=True)])
        )

    found = [knows(paths, 1, None, usage) for paths, _ in requests]
    assert right([f.order[0] for f in found]) > 0.9
    chances = knows.chances(requests[0][0], None, usage)
    assert chances.sum() == pytest.approx(1.0)
    assert int(chances.argmax()) == found[0].order[0]
    with pytest.raises(InputError, match="no paths to choose from"):
        knows.chances([])
    assert right([plain(paths, 1).order[0] for paths, _ in requests]) < 0.9
    told = {reason.field for f in found for reasons in f.reasons for reason in reasons}
    assert told & {"undriven_km", "driven_km", "habit_km"}


def test_lists_put_first_what_was_driven_and_end(graph) -> None:
    """Drivers who want few turns see the path with the fewest first, told why, and lists end."""
    requests = []
    for a, b in itertools.product((0, 1, 4, 20, 24), (18, 19, 34, 38, 39)):
        paths = candidates(graph, a, b)
        turns = measures(paths)[:, FIELDS.index("turns")]
        if len(paths) > 1 and np.sort(turns)[0] < np.sort(turns)[1]:
            requests.append((paths, Drive.along(paths[int(turns.argmin())])))
    assert len(requests) > 3
    ranker = Ranker.learn(requests)
    lists = [ranker(paths, 3) for paths, _ in requests]
    right = [
        drive.covered(paths[found.order[0]]) > 0.99
        for (paths, drive), found in zip(requests, lists, strict=True)
    ]
    assert np.mean(right) > 0.8
    assert any(found.stopped for found in lists)
    told = [reason for found in lists for reason in found.reasons[0]]
    assert any(reason.field == "turns" and reason.difference < 0 for reason in told)
    assert all(reason.weight > 0 for reason in told)
    with pytest.raises(InputError, match="no request has two paths"):
        Ranker.learn([])
    with pytest.raises(InputError, match="0 paths"):
        ranker([])


def two_ways() -> RecursiveLogit:
    """From 0 to 3 over 1 (2 minutes) or over 2 (1 minute), and a way back from 1 to 0."""
    pairs = [(0, 1), (0, 2), (1, 3), (2, 3), (1, 0)]
    minutes = np.array([2.0, 1.0, 1.0, 1.0, 1.0])
    return RecursiveLogit(
        np.array([a for a, _ in pairs]), np.array([b for _, b in pairs]), minutes[:, None], 4
    )


def test_recursive_logit_is_the_sum_over_all_paths() -> None:
    """Chances are those of all ways, circles included, and gradients those of small changes."""
    model = two_ways()
    weight = -0.7
    round_once = np.exp(3 * weight)
    over_1, over_2 = np.exp(3 * weight), np.exp(2 * weight)
    total = (over_1 + over_2) / (1 - round_once)
    found, slope = model.log_likelihood([weight], [[0, 2, 3], [0, 1, 3], [0, 1, 0, 2, 3]])
    ways = [over_2, over_1, round_once * over_2]
    assert found == pytest.approx(np.log(np.array(ways) / total))
    ahead, back = (model.log_likelihood([weight + d], [[0, 2, 3]])[0][0] for d in (1e-5, -1e-5))
    assert slope[0, 0] == pytest.approx((ahead - back) / 2e-5, rel=1e-4)


def test_recursive_logit_is_fitted_and_refuses_what_is_wrong() -> None:
    """The fit is a maximum; paths without turns, empty lists and circles that pay are refused."""
    model = two_ways()
    paths = [[0, 2, 3]] * 7 + [[0, 1, 3]] * 3
    fitted = model.fit(paths)
    # Of the ways without circles, the odds are exp(weight of a minute), nearly.
    for change in (-0.05, 0.05):
        near = model.log_likelihood(fitted.weights + change, paths)[0].sum()
        assert near < fitted.log_likelihood
    with pytest.raises(InputError, match="no turn leads from link 2 to link 1"):
        model.fit([[0, 2, 1]])
    with pytest.raises(InputError, match="says nothing"):
        model.fit([])
    with pytest.raises(InputError, match="going in circles pays"):
        model.log_likelihood([2.0], paths)
