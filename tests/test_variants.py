"""The variants in docs/variants.md are solved as well as can be, as trying everything says."""

import contextlib
import io
import re
from dataclasses import replace
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest

from nco import Problem, Route, Solution

PAGE = (Path(__file__).parents[1] / "docs" / "variants.md").read_text(encoding="utf-8")
PARTS = re.findall(r"^### (.*?)\n(.*?)(?=^##|\Z)", PAGE, flags=re.DOTALL | re.MULTILINE)
FIRST = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[0]
CODE = {
    title: re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0]
    for title, text in PARTS
    if "```" in text
}

type Points = dict[frozenset[int], set[tuple[float, float]]]
"""Cost and length of what serves a set of stops, none of them worse in both than another."""


def best(problem: Problem) -> float:
    """The least cost: vehicle by vehicle all sets of stops in all orders; ties hold on a route."""
    weights = problem.objective
    reached: Points = {frozenset(): {(0.0, 0.0)}}
    for v in range(len(problem.vehicles)):
        own, further = _own(problem, v), dict[frozenset[int], set[tuple[float, float]]]()
        for served, points in reached.items():
            for more, ways in own.items():
                if not served & more:
                    both = {(a + c, max(b, d)) for a, b in points for c, d in ways}
                    further.setdefault(served | more, set()).update(both)
        reached = {key: _front(points) for key, points in further.items()}
    found = []
    for served, points in reached.items():
        whole = Solution.from_routes(problem, [Route(0, tuple(served))], explain=False)
        missing = any(u.required for u in whole.unassigned)
        split = any(v.kind == "group" for v in whole.violations)
        whole_ties = all(
            {*tie.stops} <= served or not {*tie.stops} & served for tie in problem.ties
        )
        if not (missing or split) and whole_ties:
            found += [cost + weights.longest_route * length for cost, length in points]
    return min(found)


def _own(problem: Problem, v: int) -> Points:
    """What one vehicle may serve; stops of a tie all of them or none."""
    alone = replace(problem, objective=replace(problem.objective, longest_route=0.0, unserved=0.0))
    found: Points = {frozenset(): {(0.0, 0.0)}}
    for size in range(1, len(problem.stops) + 1):
        for subset in combinations(problem.stops, size):
            if any(0 < len({*t.stops} & {*subset}) < len(t.stops) for t in problem.ties):
                continue
            points = set()
            for order in permutations(subset):
                one = Solution.from_routes(alone, [Route(v, order)], explain=False)
                if not one.violations:
                    points.add((one.cost.total, one.cost.distance_m))
            if points:
                found[frozenset(subset)] = _front(points)
    return found


def _front(points: set[tuple[float, float]]) -> set[tuple[float, float]]:
    kept: set[tuple[float, float]] = set()
    shortest = np.inf
    for cost, length in sorted(points):
        if length < shortest:
            kept.add((cost, length))
            shortest = length
    return kept


def bottleneck(metres: np.ndarray) -> float:
    """The least longest leg of all tours."""
    tours = ([0, *order, 0] for order in permutations(range(1, len(metres))))
    return min(float(metres[tour[:-1], tour[1:]].max()) for tour in tours)


def test_there_are_twenty_one() -> None:
    """Eleven and ten, of which energy that is refilled is refused twice; none is long."""
    assert len(PARTS) == 21
    assert len(CODE) == 19
    assert all(len(code.strip().splitlines()) <= 12 for code in CODE.values())


@pytest.mark.parametrize("title", CODE)
def test_a_variant_is_solved_to_the_best(title: str) -> None:
    """What a block prints is feasible, is what the page says, and no answer costs less."""
    names: dict[str, object] = {}
    exec(FIRST, names)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(CODE[title], names)
    said = re.findall(r"^# (.*)$", CODE[title], flags=re.MULTILINE)
    assert printed.getvalue().splitlines() == said
    if title.startswith("Bottleneck"):
        assert said == [f"{bottleneck(names['metres']):.1f} feasible"]
        return
    problem = names["problem"]
    assert said == [f"{best(problem):.1f} feasible"]
