"""Transit instances and lines: what is accepted, what is refused, and what follows from them."""

import re

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.errors import FormatError, ProblemError
from nco.transit.instance.bounds import line_exists
from nco.transit.instance.lines import (
    check_lines,
    format_lines,
    pad_lines,
    parse_lines,
    refuse_bad_lines,
    unpad_lines,
)
from nco.transit.instance.mend import fastest_way, mend_lines
from nco.transit.instance.transit_instance import TransitInstance

# The best known lines for passengers of Mumford (2013), published as text.
PUBLISHED = "0-1-2-5-7-9-10-12*4-3-5-7-14-6*11-3-5-14-8*9-13-12*1-4*1-3"


def link_matrix(n, links):
    """`[n, n]` seconds with `inf` where there is no link; a triple is a link both ways."""
    link_s = np.full((n, n), np.inf)
    np.fill_diagonal(link_s, 0)
    for i, j, seconds in links:
        link_s[i, j] = link_s[j, i] = seconds
    return link_s


def street(n=4, **fields):
    """Stops 0 to n - 1 in a row, a minute apart."""
    link_s = link_matrix(n, [(k, k + 1, 60) for k in range(n - 1)])
    return TransitInstance(**{"link_s": link_s, "lines": 1} | fields)


@st.composite
def connected(draw, most=7):
    """A random connected network with directed times."""
    n = draw(st.integers(2, most))
    tree = [(draw(st.integers(0, k - 1)), k) for k in range(1, n)]
    more = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=n))
    link_s = link_matrix(n, [])
    for i, j in tree + [(i, j) for i, j in more if i != j]:
        link_s[i, j], link_s[j, i] = draw(st.integers(1, 99)), draw(st.integers(1, 99))
    return link_s


def test_mandl_is_built_in():
    """Size, demand and the lower bound of travel time are those of the literature."""
    mandl = TransitInstance.mandl()
    assert (mandl.size, len(mandl.links), mandl.trips) == (15, 21, 15570)
    assert (mandl.lines, mandl.min_stops, mandl.max_stops) == (6, 2, 8)
    bound_min = (mandl.demand * mandl.drive_s).sum() / mandl.trips / 60
    assert bound_min == pytest.approx(10.0058, abs=5e-5)
    assert TransitInstance.mandl(lines=8).lines == 8


def test_instances_are_equal_by_value_and_read_only():
    """Two of the same content are equal, another number of lines is not, and nothing can change."""
    assert TransitInstance.mandl() == TransitInstance.mandl()
    assert TransitInstance.mandl() != TransitInstance.mandl(7)
    mandl = TransitInstance.mandl()
    for array in (mandl.link_s, mandl.demand, mandl.drive_s, mandl.links):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 1] = 1


def test_empty_demand_is_fine():
    """Without demand there are no trips, and everything else is there."""
    assert street().trips == 0
    assert street(demand=np.zeros((4, 4))) == street()


@settings(deadline=None)
@given(connected())
def test_drive_times_are_directed_shortest_ways(link_s):
    """All-pairs times agree with Dijkstra's on the same links, in both directions."""
    instance = TransitInstance(link_s=link_s, lines=1)
    graph = nx.DiGraph()
    for i, j in np.argwhere(np.isfinite(link_s) & (link_s > 0)).tolist():
        graph.add_edge(i, j, weight=link_s[i, j])
    for i, times in nx.all_pairs_dijkstra_path_length(graph):
        assert instance.drive_s[i].tolist() == [times[j] for j in range(len(link_s))]
    for i, near in enumerate(instance.neighbours):
        assert list(near) == sorted(graph[i])
    assert len(instance.links) * 2 == graph.number_of_edges()


@settings(deadline=None)
@given(connected(), st.data())
def test_fastest_way_takes_the_drive_time(link_s, data):
    """The links of the way add up to the drive time, and it repeats no stop."""
    instance = TransitInstance(link_s=link_s, lines=1)
    a, b = (data.draw(st.integers(0, len(link_s) - 1)) for _ in range(2))
    way = fastest_way(instance, a, b)
    assert (way[0], way[-1]) == (a, b)
    assert len(set(way)) == len(way)
    assert link_s[way[:-1], way[1:]].sum() == instance.drive_s[a, b]


BAD = {
    "negative time": ({"link_s": -link_matrix(3, [(0, 1, 1)])}, r"link_s\[0, 1\] is -1"),
    "no time": ({"link_s": link_matrix(2, [(0, 1, 0)])}, r"link_s\[0, 1\] is 0.*inf says"),
    "one way": ({"link_s": [[0, 5], [np.inf, 0]]}, r"link_s\[0, 1\] is 5 but \[1, 0\] is inf"),
    "in pieces": (
        {"link_s": link_matrix(4, [(0, 1, 1), (2, 3, 1)]), "names": "abcd"},
        r"from node 0 \('a'\) to node 2 \('c'\), 3 \('d'\)",
    ),
    "metres elsewhere": (
        {"link_m": link_matrix(4, [(0, 1, 9)])},
        r"link \[1, 2\] has 60 s and inf",
    ),
    "demand at home": ({"demand": np.eye(4)}, r"demand\[0, 0\] is 1"),
    "negative demand": ({"demand": -np.ones((4, 4))}, r"demand\[0, 0\] is -1"),
    "demand of another size": ({"demand": np.zeros((3, 3))}, "demand is 3 x 3; it must be 4 x 4"),
    "no lines": ({"lines": 0}, "lines is 0"),
    "one stop": ({"min_stops": 1}, "min_stops is 1; it must be a whole number of at least 2"),
    "bounds crossed": ({"min_stops": 3, "max_stops": 2}, "max_stops is 2 and min_stops 3"),
    "link of ages": ({"link_s": street().link_s * 1e300}, r"link_s\[0, 1\] is .*at most"),
    "too many stops": ({"min_stops": 5, "max_stops": 9}, "min_stops is 5.*on these 4 nodes"),
    "hub outside": ({"hub": 4}, "hub is 4; it must be a node, 0 to 3"),
    "short from the hub": ({"hub": 1, "min_stops": 4}, "begins at the hub, node 1,"),
    "no terminals": ({"terminals": [False] * 4}, "0 of them true"),
    "one terminal": ({"terminals": [True, False, False, False]}, "ends at terminals"),
    "no buses": ({"fleet": 0}, "fleet is 0"),
    "half a bus": ({"capacity": 0.5}, "capacity is 0.5"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_instances_name_the_place(case):
    """Each mistake is refused by a message that says where it is."""
    fields, message = BAD[case]
    with pytest.raises(ProblemError, match=message):
        street(**fields)


@settings(deadline=None)
@given(connected(6), st.integers(2, 7), st.data())
def test_a_line_exists_exactly_where_a_path_does(link_s, stops, data):
    """The search for a line agrees with trying all simple paths."""
    n = len(link_s)
    near = TransitInstance(link_s=link_s, lines=1).neighbours
    graph = nx.Graph([(i, j) for i in range(n) for j in near[i]])
    start, end = (data.draw(st.integers(0, n - 1)) for _ in range(2))
    most = data.draw(st.integers(stops, 8))
    paths = [] if start == end else nx.all_simple_paths(graph, start, end)
    truth = any(stops <= len(path) <= most for path in paths)
    assert line_exists(near, [start], {end}, stops, most) == truth


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=6), min_size=1, max_size=5))
def test_text_and_arrays_of_lines_read_back(lines):
    """The published form and the padded array lose nothing."""
    lines = tuple(map(tuple, lines))
    assert parse_lines(format_lines(lines)) == lines
    assert unpad_lines(pad_lines(lines, rows=6, width=7)) == lines
    assert pad_lines(lines).shape == (len(lines), max(map(len, lines)))


def test_published_text_may_end_in_a_star():
    """Spaces, line breaks and a last star are no lines."""
    assert parse_lines(" 0-1-2 *\n3-4*\n") == ((0, 1, 2), (3, 4))


@pytest.mark.parametrize(
    ("text", "place"), [("0-1*2-x", "line 1, place 1: 'x'"), ("", "line 0, place 0"), ("0--1", "1")]
)
def test_text_that_is_no_line_names_the_place(text, place):
    """What cannot be read is named by line and place."""
    with pytest.raises(FormatError, match=place):
        parse_lines(text)


def test_lines_that_do_not_fit_an_array_are_refused():
    """Neither a row nor a stop is dropped in silence."""
    for size in ({"rows": 1}, {"width": 2}):
        with pytest.raises(ProblemError, match="2 lines of up to 3 stops"):
            pad_lines([[0, 1, 2], [3, 4]], **size)


def test_published_lines_break_nothing():
    """Lines of the literature are valid as they stand."""
    lines = parse_lines(PUBLISHED)
    assert check_lines(TransitInstance.mandl(), lines) == []
    assert refuse_bad_lines(TransitInstance.mandl(), lines) == lines


@pytest.mark.parametrize(
    ("lines", "kind", "message"),
    [
        ([[0, 1, 3]], "missing link", r"line 0, place 1: there is no link from node 1 \('1'\)"),
        ([[0, 1, 4]], "unknown stop", "line 0, place 2: node 4 does not exist"),
        ([[0, 1, 0]], "repeated stop", "line 0, place 2: node 0 is there 2 times"),
        ([[0]], "too short", "line 0 has 1 stop; 2 to 3 are allowed"),
        ([[0, 1, 2, 3]], "too long", "line 0 has 4 stops; 2 to 3 are allowed"),
        ([[1, 2, 3]], "hub", "line 0 begins at node 1; it must begin at the hub, 0"),
        ([[0, 1]], "terminal", "line 0, place 1: it ends at node 1, which is no terminal"),
        ([[0, 1, 2]], "unconnected", r"node 3 \('3'\) is not joined"),
        ([], "number of lines", "there are 0 lines; it must be 1"),
    ],
)
def test_violations_name_line_and_place(lines, kind, message):
    """Each rule that lines break is found, with the place in words."""
    instance = street(max_stops=3, hub=0, terminals=[True, False, True, True])
    found = {violation.kind: violation.message for violation in check_lines(instance, lines)}
    assert kind in found
    assert re.search(message, found[kind])


def test_lines_that_share_no_stop_are_not_one_network():
    """Two halves of a street are connected by a third line only, and the check can be left out."""
    instance = street(lines=2)
    kinds = [violation.kind for violation in check_lines(instance, [[0, 1], [2, 3]])]
    assert kinds == ["unconnected", "unconnected"]
    assert check_lines(instance, [[0, 1], [2, 3]], connected=False) == []
    assert check_lines(instance, [[0, 1], [1, 2, 3]]) == []


@pytest.mark.parametrize("lines", [[[0, 1], [1]], [[0, 1], [1, 3]], [[0, 1], [1, 1]], [[0, -1]]])
def test_lines_no_bus_can_run_on_are_refused(lines):
    """A single stop, a missing link, a stop twice in a row and an unknown one name their line."""
    with pytest.raises(ProblemError, match=f"line {len(lines) - 1}"):
        refuse_bad_lines(street(), lines)


def test_mended_lines_take_the_fastest_way(caplog):
    """A missing link is replaced, the log says where, and whole lines stay as they are."""
    assert mend_lines(street(), [[0, 3], [1, 2]], ["north", "south"]) == ((0, 1, 2, 3), (1, 2))
    assert "line 'north' goes from 0 to 3" in caplog.text
    assert "1, 2" in caplog.text
    assert "south" not in caplog.text


def test_no_line_has_more_stops_than_there_are():
    """A generous bound makes no room for lines that cannot be."""
    assert street(max_stops=10**11).max_stops == street().size


@pytest.mark.parametrize("lines", [[(0.5, 1)], [0, 1], "0-1", [("0", "1")]])
def test_what_is_no_line_is_refused(lines):
    """Fractions, flat lists and text are no nodes of lines."""
    with pytest.raises(ProblemError, match="lines are the nodes"):
        check_lines(street(), lines)
