"""Threads of torch: one for a search, and for training as many as its tensors are worth."""

from __future__ import annotations

import threading

import pytest
import torch
from instances import line_of_four

import nco
from nco import Solution
from nco.threads import torch_threads
from nco.training.threads import threads_for

CHOSEN = 3


@pytest.fixture(autouse=True)
def chosen(monkeypatch):
    """A number of threads that a user gave torch, with nothing in the environment."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(CHOSEN)
    yield
    torch.set_num_threads(before)


class Counting:
    """A solver that looks how many threads torch has."""

    name = "counting"
    supports = frozenset(nco.problem.Feature)

    def __init__(self) -> None:
        self.seen: list[int] = []

    def solve(self, problem, time_limit_s, seed, initial=None):
        """Solves another problem meanwhile."""
        nco.solve(line_of_four(), "nearest")
        self.seen.append(torch.get_num_threads())
        return Solution.from_routes(problem, [])


def test_a_search_from_python_has_one_thread_and_gives_the_others_back():
    """As on the command line; also if another search begins and ends in it."""
    solver = Counting()
    nco.solve(line_of_four(), solver)
    assert solver.seen == [1]
    assert torch.get_num_threads() == CHOSEN


def test_a_number_in_the_environment_is_the_users(monkeypatch):
    """Who sets OMP_NUM_THREADS keeps what torch has."""
    monkeypatch.setenv("OMP_NUM_THREADS", str(CHOSEN))
    solver = Counting()
    nco.solve(line_of_four(), solver)
    assert solver.seen == [CHOSEN]


def test_searches_that_overlap_give_back_what_there_was_before_the_first():
    """The one that begins later ends later, and does not take one thread for the user's choice."""
    begun, ended, left = threading.Event(), threading.Event(), []

    def later():
        with torch_threads(1):
            begun.set()
            ended.wait()
        left.append(torch.get_num_threads())

    other = threading.Thread(target=later)
    with torch_threads(1):
        other.start()
        begun.wait()
    ended.set()
    other.join()
    assert left == [CHOSEN]
    assert torch.get_num_threads() == CHOSEN


@pytest.mark.parametrize(
    ("rows", "hidden", "count"),
    [(32 * 12, 64, 1), (64, 64, 1), (1024, 64, 2), (1600, 256, CHOSEN), (0, 64, 1)],
)
def test_small_tensors_are_trained_on_one_thread(rows, hidden, count):
    """What one thread computes in the time that it takes to wait for others is not shared out."""
    assert threads_for(torch.nn.Linear(32, hidden), rows) == count
