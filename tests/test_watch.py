"""Better answers that a search tells of while it goes on."""

import pytest

import nco
from nco import progress


@pytest.fixture(scope="module")
def problem(helsinki) -> nco.Problem:
    return nco.sample.rcvrp(helsinki, 20, seed=3)


@pytest.mark.parametrize("method", ["pyvrp", "savings"])
def test_what_is_told_gets_better_and_ends_with_the_answer(problem, method):
    """Each is better than the one before, valid, in time, and the answer comes last."""
    told = []
    found = nco.solve(problem, method, time_limit_s=0.3, watch=told.append)
    assert told[-1] == found
    ranks = [one.rank for one in told]
    assert ranks == sorted(ranks, reverse=True)
    for one in told:
        assert (one.method, one.time_s <= found.time_s) == (method, True)
        again = nco.Solution.from_routes(problem, one.routes)
        assert again.cost.total == pytest.approx(one.cost.total)


def test_what_a_listener_raises_ends_the_search(problem):
    """A program that has seen enough is heeded."""

    def enough(_solution: nco.Solution) -> None:
        raise StopIteration("enough")

    with pytest.raises(StopIteration, match="enough"):
        nco.solve(problem, "pyvrp", time_limit_s=30, watch=enough)
    assert not progress.listened()


def test_nothing_is_computed_where_nobody_listens():
    """A search may tell as often as it likes."""
    tell = progress.Teller()

    def never() -> list:
        raise AssertionError

    tell(1.0, never)
    heard = []
    with progress.listening(heard.append):
        for cost in (3.0, 4.0, 2.0):
            tell(cost, never)
    assert len(heard) == 2
