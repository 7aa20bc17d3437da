"""A map drawn from costs."""

import numpy as np
import pytest

from nco.fleet import plane
from nco.fleet.plane import plane_of


def apart(xy: np.ndarray) -> np.ndarray:
    """`[N, N]` distances in the plane."""
    return np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))


@pytest.mark.parametrize("nodes", [1, 2, 3, 40, 400])
def test_a_map_has_the_distances_that_it_is_drawn_from(nodes):
    """Of places in a plane, the same places come back but for a turn, however many there are."""
    distance = apart(np.random.default_rng(nodes).uniform(0, 9000, (nodes, 2)))
    assert apart(plane_of(distance)) == pytest.approx(distance, abs=1e-3)


def test_few_eigenvectors_draw_the_map_of_all(monkeypatch):
    """Where streets make detours and their directions differ, iteration ends at the same map."""
    rng = np.random.default_rng(1)
    streets = apart(rng.uniform(0, 9000, (400, 2))) * rng.uniform(1.0, 1.6, (400, 400))
    np.fill_diagonal(streets, 0.0)
    few = plane_of(streets)
    monkeypatch.setattr(plane, "WHOLE", 400)
    largest = np.abs(few).max()
    assert apart(few) == pytest.approx(apart(plane_of(streets)), abs=1e-3 * largest)
    monkeypatch.undo()
    assert (plane_of(streets) == few).all()


def test_beyond_few_nodes_not_all_eigenvectors_are_asked_for(monkeypatch):
    """A time limit does not have to wait for them."""
    asked = []
    eigh = np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda x: asked.append(len(x)) or eigh(x))
    plane_of(apart(np.random.default_rng(2).uniform(0, 1, (plane.WHOLE + 1, 2))))
    assert asked == [plane.WIDTH]
