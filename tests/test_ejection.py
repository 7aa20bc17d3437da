"""Stops that fit nowhere take the place of others, as plain code says."""

import numpy as np
import pytest
from instances import directed

from nco import Problem, Route, Shipment, Vehicle
from nco.fleet.kinds import kinds_of
from nco.search.lns import changes
from nco.search.lns.search import Search


def tight(**fields: object) -> Problem:
    """Twelve stops with windows, of which four vehicles can serve three each."""
    at = np.r_[0.0, np.tile([100.0, 200.0, 300.0], 4)]
    opens = np.r_[0.0, np.repeat([0.0, 1000.0, 2000.0, 3000.0], 3)]
    return Problem.from_matrices(
        abs(at[:, None] - at),
        vehicles=[Vehicle(capacity=(3.0,), fixed_cost=1e6)] * 4,
        demand=np.r_[0.0, np.ones(12)],
        window_s=np.stack([opens, opens + 900.0], 1),
        **fields,
    )


def shipped() -> Problem:
    """Ten shipments of size 1 between random places, on vehicles that carry two at a time."""
    pairs = [Shipment(pickup=1 + 2 * k, delivery=2 + 2 * k, amount=(1.0,)) for k in range(10)]
    return Problem.from_matrices(
        directed(21, 3),
        vehicles=[Vehicle(capacity=(2.0,), fixed_cost=1e6)] * 4,
        demand=np.zeros(21),
        shipments=tuple(pairs),
    )


def skilled() -> Problem:
    """The same twelve stops, of which half of the vehicles may serve the first eight alone."""
    return Problem.from_matrices(
        tight().profiles[0].distance_m,
        vehicles=[
            Vehicle(capacity=(3.0,), fixed_cost=1e6, allowed=np.arange(13) <= 8),
            Vehicle(capacity=(3.0,), fixed_cost=1e6),
        ]
        * 2,
        demand=np.r_[0.0, np.ones(12)],
        window_s=tight().window_s,
    )


@pytest.mark.parametrize(
    "problem", [tight(), shipped(), skilled()], ids=["windows", "shipments", "skills"]
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_known_of_routes_stays_true(problem, seed):
    """After every iteration, total and loads are those of the same routes built anew."""
    search = Search(problem, kinds_of(problem), [], seed)
    used = np.flatnonzero(search.state.served > 0).astype(np.int32)
    part = search.part(used[: max(1, len(used) - 1)], search.instance.stops, seed)
    absences = np.zeros(len(search.instance.service))
    for _ in range(30):
        part.serve_all(absences, 1)
        state = part.state
        total, load = float(state.total[0]), state.load.copy()
        changes.rebuild(part.instance, state, state.next.copy())
        assert state.total[0] == pytest.approx(total, rel=1e-9)
        assert np.allclose(state.load, load)
        assert not state.late.any()
        assert state.total[0] < part.instance.barred / 2


def test_a_stop_takes_the_place_of_one_that_goes_elsewhere():
    """A stop that only a full van may serve goes onto it when another moves to the idle one."""
    at = np.array([0.0, 10.0, 20.0, 30.0])
    problem = Problem.from_matrices(
        abs(at[:, None] - at),
        vehicles=[
            Vehicle(capacity=(2.0,)),
            Vehicle(capacity=(1.0,), allowed=[True, True, True, False]),
        ],
        demand=[0.0, 1.0, 1.0, 1.0],
    )
    search = Search(problem, kinds_of(problem), [Route(0, (1, 2))], 0)
    assert search.incomplete
    search.serve_all(np.zeros(4), 50)
    assert not search.incomplete
    changes.rebuild(search.instance, search.state, search.state.next.copy())
    assert not search.state.bank_size[0]
