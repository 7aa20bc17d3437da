"""Lines that join as many trips as they can without a change."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from nco.errors import ProblemError
from nco.transit.design.city_objective import CityObjective
from nco.transit.design.direct import DirectLines, joined_share
from nco.transit.design.hyper import Hyper
from nco.transit.design.registry import design
from nco.transit.instance.lines import check_lines
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.operate.network_cost import line_detours
from nco.transit.operate.prices import Prices
from nco.transit.simulate.demand import trips
from nco.transit.simulate.settings import Settings


def star(arms=4, steps=3, lines=2):
    """Arms that meet in stop 0, and trips from each arm's end to the next but one."""
    n = 1 + arms * steps
    link_s = np.full((n, n), np.inf)
    np.fill_diagonal(link_s, 0.0)
    for arm in range(arms):
        way = [0, *range(1 + arm * steps, 1 + (arm + 1) * steps)]
        for a, b in pairwise(way):
            link_s[a, b] = link_s[b, a] = 120.0
    demand = np.zeros((n, n))
    ends = [(arm + 1) * steps for arm in range(arms)]
    for arm, end in enumerate(ends):
        demand[end, ends[(arm + 2) % arms]] = 60.0
    return TransitInstance(link_s=link_s, demand=demand, lines=lines, min_stops=2, max_stops=n)


def searching(instance, seed=0, most_detour=1.6):
    """A search on plain driving times."""
    return DirectLines(instance, instance.link_s, instance.drive_s, most_detour, seed)


def test_lines_run_through_where_people_go():
    """Of four arms those are joined to one line between which people travel; nobody changes."""
    instance = star()
    lines = searching(instance).lines(20_000)
    assert joined_share(instance, lines) == 1.0
    assert not check_lines(instance, lines, connected=False)


@pytest.mark.parametrize("seed", range(3))
def test_no_line_is_led_astray(seed):
    """On random streets every line keeps the detour that is allowed, and the bounds."""
    generator = np.random.default_rng(seed)
    n = 12
    link_s = np.where(generator.random((n, n)) < 0.4, generator.uniform(60, 300, (n, n)), np.inf)
    link_s = np.minimum(link_s, link_s.T)
    ring = np.arange(n)
    link_s[ring, (ring + 1) % n] = link_s[(ring + 1) % n, ring] = 200.0
    np.fill_diagonal(link_s, 0.0)
    instance = TransitInstance(
        link_s=link_s, demand=1.0 - np.eye(n), lines=3, min_stops=2, max_stops=8
    )
    search = searching(instance, seed, 1.3)
    lines = search.lines(20_000)
    assert not check_lines(instance, lines, connected=False)
    assert line_detours(instance.link_s, instance.drive_s, lines).max() < 1.3
    again = search.rebuilt(lines, [1])
    assert [again[0], again[2]] == [lines[0], lines[2]]
    assert not check_lines(instance, again, connected=False)


def test_the_default_method_begins_with_them():
    """Where transfers are held down, nobody has to change on the star; else it is not tried."""
    instance = star()
    objective = CityObjective(instance)
    found = design(objective, Hyper(starts=4), evaluations=40)
    assert objective.model.of(found.lines).transfers == pytest.approx(0.0, abs=1e-3)
    free = CityObjective(instance, Prices(most_transfers=np.inf))
    assert free.constructions(0, 2, 1.0) == []
    assert free.rebuilt(found.lines, [0]) is None


def test_what_is_unlawful_is_known_beforehand():
    """A line that comes back to where it began takes much longer than the way between its ends."""
    ring = np.full((6, 6), np.inf)
    for k in range(6):
        ring[k, (k + 1) % 6] = ring[(k + 1) % 6, k] = 60.0
    np.fill_diagonal(ring, 0.0)
    instance = TransitInstance(link_s=ring, demand=1.0 - np.eye(6), lines=1, max_stops=6)
    objective = CityObjective(instance)
    assert objective.lawful([(0, 1, 2, 3)])
    assert not objective.lawful([(0, 1, 2, 3, 4)])


def test_nobody_and_far_too_many_are_refused():
    """Without trips nothing can be weighed; as many as no machine holds are no demand."""
    instance = star()
    with pytest.raises(ProblemError, match="nobody travels"):
        CityObjective(instance.changed(demand=np.zeros_like(instance.demand)))
    with pytest.raises(ProblemError, match="nobody travels"):
        CityObjective(instance, settings=Settings.city(demand_share=0.0))
    with pytest.raises(ProblemError, match="too many"):
        trips(1e12 * instance.demand, Settings())
