"""Operators of the neighbourhood search: by name, joined from outside, and what regret is."""

from collections.abc import Iterator

import numpy as np
import pytest
from test_lns import begun, ring

from nco import Problem, Route
from nco.errors import InputError
from nco.fleet.kinds import kinds_of
from nco.search.lns import arrays, changes, operators
from nco.search.lns.operators import INSERTIONS, REMOVALS
from nco.search.lns.search import Search
from nco.search.lns.solver import LNS


@pytest.fixture
def registered() -> Iterator[None]:
    """What a test registers is forgotten after it."""
    known = [dict(table) for table in (REMOVALS, INSERTIONS)]
    yield
    for table, before in zip((REMOVALS, INSERTIONS), known, strict=True):
        table.clear()
        table.update(before)


def test_an_operator_from_outside_joins_the_search(registered):
    """A function registered elsewhere is compiled, called and judged like the others."""

    @operators.removal("highest", 2.0)
    def highest(instance, state, count):
        """Takes out the stops of the highest numbers."""
        left = count
        for j in range(len(instance.service) - 1, -1, -1):
            if left > 0 and state.vehicle[j] >= 0:
                changes.remove(instance, state, np.int64(j))
                left -= 1

    _, instance, state = begun(ring(24))
    state.log_size[0] = 0
    operators.run(REMOVALS["highest"], instance, state, 5)
    assert sorted(state.bank[: state.bank_size[0]]) == [20, 21, 22, 23, 24]
    problem = ring(24)
    search = Search(problem, kinds_of(problem), [], 0)
    search.run(300, 0.0, 1.0)
    search.learn()
    used = [name for name, operator in REMOVALS.items() if operator.when(search.instance)]
    shares = dict(zip(used, search.earned[0], strict=True))
    assert shares["highest"] not in (0.0, 2.0)


@pytest.mark.slow
def test_operators_from_outside_may_be_of_either_kind(registered):
    """Insertions are registered as removals are, and code without a file is not cached but runs."""
    scope = {"np": np, "changes": changes}
    source = (
        "def first_fit(instance, state, count):\n"
        "    for _ in range(count):\n"
        "        changes.insert(instance, state, np.int64(state.bank[0]), np.int64(13))\n"
    )
    exec(source, scope)
    operators.insertion("first fit")(scope["first_fit"])
    problem = ring(12, capacity=12)
    fleet = arrays.Fleet.of(problem, kinds_of(problem), [])
    instance = arrays.instance_of(problem, fleet)
    state = arrays.empty_state(instance, 0)
    changes.rebuild(instance, state, arrays.successors_of([], fleet, instance))
    operators.run(INSERTIONS["first fit"], instance, state, 12)
    assert state.bank_size[0] == 0 and state.served[0] == 12


@pytest.mark.parametrize("register", [operators.removal, operators.insertion])
def test_names_and_shares_are_looked_at(register, registered):
    """A name is given once, and a share is a positive number."""
    with pytest.raises(InputError, match="already registered"):
        register("random" if register is operators.removal else "greedy")
    for share in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="positive number"):
            register("new", share)
    assert "new" not in REMOVALS and "new" not in INSERTIONS


@pytest.mark.parametrize("name", ["regret-2", "regret-3", "regret-4"])
def test_who_has_no_other_place_is_served_first(name):
    """Two stops want the last room of a van; the one for which no other van is near gets it."""
    line = np.array([0.0, 10.0, 11.0, 12.0, 900.0, 901.0])  # depot, ..., two stops far away
    distance = np.abs(line[:, None] - line[None])
    problem = Problem.from_matrices(distance, demand=[0, 1, 1, 1, 1, 1], capacity=2, vehicles=3)
    fleet = arrays.Fleet.of(problem, kinds_of(problem), [])
    instance = arrays.instance_of(problem, fleet)
    for seed in range(8):
        state = arrays.empty_state(instance, seed)
        changes.rebuild(instance, state, arrays.successors_of([Route(0, (4,))], fleet, instance))
        operators.run(INSERTIONS[name], instance, state)
        assert state.vehicle[5] == state.vehicle[4]


def test_all_operators_are_compiled_before_the_clock(registered):
    """What only some problems use is compiled by `prepare` as well, and so is what joined later."""
    problem = ring(6)
    LNS().prepare(problem)
    assert operators.prepared()

    @operators.removal("none")
    def none(instance, state, count):
        """Takes out no stops."""

    assert not operators.prepared()
    LNS().prepare(problem)
    assert operators.prepared()
