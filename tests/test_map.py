"""The interactive map: nothing is fetched, everything is there, strange input is refused."""

import builtins
import re
from dataclasses import replace

import numpy as np
import pytest
from instances import line_of_four

from nco import Problem, Solution, plot, sample
from nco.errors import InputError, StorageError
from nco.plot.layers import mercator


@pytest.fixture(scope="module")
def page(helsinki):
    """Two answers on one map, the second without the last stop."""
    problem = sample.rcvrp(helsinki, 10, seed=1)
    whole = Solution.from_routes(problem, [[1, 2, 3], [4, 5, 6, 7], [8, 9, 10]], method="first")
    part = Solution.from_routes(problem, [[3, 2, 1], [7, 6, 5, 4], [8, 9]], method="second")
    return plot.map(problem, [whole, part], helsinki, title="Ten <b>stops</b>")


def test_map_fetches_nothing_when_it_opens(page):
    """No script, style, image, font or frame has an address outside of the file."""
    document = re.sub(r"(<script\b[^>]*>).*?(</script>)", r"\1\2", page.html, flags=re.DOTALL)
    assert len(document) < 20_000
    for tag in re.findall(r"<(?:script|link|img|iframe|source|object|embed)\b[^>]*>", document):
        assert not re.search(r"""\b(?:src|href|data)\s*=""", tag), tag
    assert "@import" not in document
    # In scripts, the url(...) of styles are icons written out as data.
    assert not re.search(r"url\(\s*[\"']?https?:", page.html)


def test_map_names_layers_credits_and_escapes(page):
    """Both layers, the credit and the missing stop are there; the title is text, not HTML."""
    for text in ("first: ", "second: ", "not feasible", "OpenStreetMap contributors"):
        assert text in page.html
    assert "Ten <b>stops</b>" not in page.html


def test_map_saves_and_shows_in_notebooks(page, tmp_path):
    """The file is the document; a notebook gets it in a frame of its own."""
    assert page.save(tmp_path / "map.html").read_text() == page.html
    assert page._repr_html_().startswith("<iframe srcdoc=")
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write"):
        page.save(tmp_path / "file" / "map.html")


def test_one_solution_without_city_is_enough(helsinki):
    """Without a city the routes are straight lines."""
    problem = sample.rcvrp(helsinki, 5, seed=1)
    solution = Solution.from_routes(problem, [[1, 2], [3, 4, 5]], method="by hand")
    for given in (solution, [solution], {"any name": solution}):
        html = plot.map(problem, given).html
        assert problem.name in html
        assert "by hand: " in html


def test_map_needs_a_place_and_a_solution(helsinki):
    """Problems without lonlat and empty lists are refused with what to do."""
    problem = line_of_four()
    with pytest.raises(InputError, match="no lonlat"):
        plot.map(problem, Solution.from_routes(problem, [[1]]))
    with pytest.raises(InputError, match="solutions is empty"):
        plot.map(sample.rcvrp(helsinki, 3, seed=1), [])


def test_map_says_what_to_install(helsinki, monkeypatch):
    """Without Bokeh the error names the extra."""
    problem = sample.rcvrp(helsinki, 3, seed=1)
    real = builtins.__import__

    def without_bokeh(name, *rest):
        if name.startswith("bokeh"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_bokeh)
    with pytest.raises(InputError, match=r"nco-routing\[maps\]"):
        plot.map(problem, Solution.from_routes(problem, [[1]]))


def test_unreachable_pair_is_drawn_straight_and_never_arrives(helsinki):
    """A solution over an unreachable pair can still be looked at."""
    points = helsinki.sample(3, 1)
    distance = np.full((3, 3), 100.0)
    np.fill_diagonal(distance, 0)
    distance[0, 1] = np.inf
    problem = Problem.from_matrices(distance, distance, lonlat=points)
    html = plot.map(problem, Solution.from_routes(problem, [[1, 2]]), helsinki).html
    assert "never" in html


def test_mercator_matches_known_values():
    """The origin is the origin, and 180 degrees east is half the equator."""
    found = mercator(np.array([[0.0, 0.0], [180.0, 0.0], [0.0, 60.0]]))
    np.testing.assert_allclose(found, [[0, 0], [20037508.34, 0], [0, 8399737.89]], atol=0.01)


def test_map_tells_the_details_of_a_stop(helsinki):
    """What a table says of a stop is read on hover, of stops that are left out as well."""
    problem = replace(
        sample.rcvrp(helsinki, 3, seed=1), details={1: {"phone": "040 1"}, 2: {"notes": "ring"}}
    )
    page = plot.map(problem, Solution.from_routes(problem, [[1]])).html
    assert "phone: 040 1" in page and "notes: ring" in page
