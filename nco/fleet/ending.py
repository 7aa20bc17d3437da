"""What an answer still takes when its search has ended: evaluating the routes, once or twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter

from nco.problem import Problem
from nco.problem.evaluate import evaluate
from nco.problem.route import Route

STOP_S = 5e-5  # of evaluating a stop, where no times are chosen
SAMPLE = 10  # stops, about, on the routes that are evaluated to see how long all take

_times: ContextVar[int] = ContextVar("times", default=1)


@contextmanager
def evaluated_again(again: bool) -> Iterator[None]:
    """Answers that are found within are those of another problem, on which they are evaluated too.

    Args:
        again: whether it is so.
    """
    token = _times.set(1 + again)
    try:
        yield
    finally:
        _times.reset(token)


def least_ending_s(problem: Problem) -> float:
    """Seconds that answers of a problem take at their end, before any routes are known."""
    return _times.get() * STOP_S * len(problem.stops)


def ending_s(problem: Problem, routes: Sequence[Route]) -> float:
    """Seconds that routes take to be evaluated, by what some of them take now."""
    stops = sum(len(route.stops) for route in routes)
    if not stops:
        return 0.0
    sample = routes[:: max(1, stops // SAMPLE)]
    evaluate(problem, [])  # what is made once and then known does not count
    begin = perf_counter()
    evaluate(problem, [])
    middle = perf_counter()
    evaluate(problem, sample)
    once_s, own_s = middle - begin, perf_counter() - middle
    seen = sum(len(route.stops) for route in sample)
    return _times.get() * (once_s + max(0.0, own_s - once_s) * stops / seen)
