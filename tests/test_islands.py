"""Islands: shares of routes, what they exchange, time limits, and who has none."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from instances import line_of_four, problems
from test_lns import ring

import nco
from nco import Objective, Problem, Solution
from nco.baselines.pyvrp import PyVRP
from nco.cli import main
from nco.data.formats.registry import save
from nco.errors import InputError, UnsupportedError
from nco.fleet.kinds import kinds_of
from nco.search.auto import Auto
from nco.search.genetic.solver import Genetic
from nco.search.lns.islands import run_islands
from nco.search.lns.parts import parted, parts_of
from nco.search.lns.search import Search
from nco.search.lns.solver import LNS
from nco.solver import MAX_JOBS, Clock, check_limits

AUTO = Auto(LNS(max_iterations=200), Genetic("genetic", (), max_iterations=6), PyVRP(30))


def begun(problem: Problem, seed: int = 0) -> Search:
    """A search of a problem from its own first routes."""
    return Search(problem, kinds_of(problem), [], seed)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_parts_are_all_there_is_and_share_nothing(count):
    """Every stop and vehicle is in one part, those of a route together, in parts of like size."""
    problem = ring(80, prize=[np.inf] + [1e6] * 77 + [0.0] * 3)
    search = begun(problem)
    search.run(300, 0.5, 1.0)
    state = search.state
    assert state.bank_size[0] > 0  # some are left out
    parts = parts_of(search, count, np.random.default_rng(0))
    vehicles, stops = (np.concatenate(x) for x in zip(*parts, strict=True))
    assert sorted(vehicles) == list(range(len(state.served)))
    assert sorted(stops) == list(range(1, 81))
    for own, members in parts:
        assert {int(v) for v in state.vehicle[members]} - {-1} <= set(own.tolist())
        assert abs(len(members) - 80 / count) <= 12


def test_neighbouring_routes_come_together():
    """Two towns are not both in the same half of a cut that has room for one of them."""
    xy = np.vstack([[[0.0, 0.0]], *(np.arange(24)[:, None] + [x, 0.0] for x in (-5e3, 5e3))])
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    problem = Problem.from_matrices(distance, demand=[0] + [1] * 48, capacity=4)
    search = begun(problem)
    search.run(2000, 0.5, 1.0)
    for seed in range(5):
        parts = parts_of(search, 2, np.random.default_rng(seed))
        assert sorted(sorted(stops)[0] for _, stops in parts) == [1, 25]
        assert all(len(stops) == 24 for _, stops in parts)


def test_parts_put_together_are_the_whole_again():
    """Without a search in between, nothing changes; after it, cost is that of the routes."""
    problem = ring(40)
    search = begun(problem)
    before, cost = search.routes, search.cost
    rng = np.random.default_rng(1)
    for iterations in (0, 300):
        shares = parts_of(search, 3, rng)
        parts = [search.part(*share, seed) for seed, share in enumerate(shares)]
        for part in parts:
            if iterations:
                part.run(iterations, 0.9, 1.0)
        search.join([(own, part) for (own, _), part in zip(shares, parts, strict=True)])
        if not iterations:
            assert search.routes == before and search.cost == pytest.approx(cost)
    assert search.cost < cost
    found = Solution.from_routes(problem, search.routes)
    assert found.feasible and search.cost == pytest.approx(found.cost.total, rel=1e-5)


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(problem=problems(max_stops=7), seed=st.integers(0, 1000))
def test_islands_keep_every_rule(problem, seed):
    """Whatever a problem asks, routes of islands break nothing and cost what the search says."""
    problem = replace(problem, vehicles=[replace(v, max_trips=1) for v in problem.vehicles])
    if not any(kind.stops.any() for kind in kinds_of(problem)):
        return
    search = begun(problem, seed)
    run_islands(search, 3, Clock(60.0), 60, seed)
    found = Solution.from_routes(problem, search.routes)
    assert not found.violations
    if found.feasible and problem.objective.longest_route == 0:
        # Stops that no vehicle can serve are not the search's business.
        hopeless = [j for j in problem.stops if j not in search.instance.stops]
        total = found.cost.total - problem.objective.unserved * problem.prize[hopeless].sum()
        assert search.cost == pytest.approx(total, rel=1e-5, abs=1e-3)


@pytest.mark.parametrize("windows", [False, True])
def test_parts_keep_every_rule(windows):
    """Many routes of two kinds of vehicles, with windows and without: the checker is content."""
    opens = np.arange(61.0) * 100
    window_s = np.stack([opens, opens + 4e4], 1) if windows else None
    if window_s is not None:
        window_s[0] = (0, np.inf)
    problem = ring(60, window_s=window_s, service_s=[0.0] + [60.0] * 60)
    small = replace(problem.vehicles[0], capacity=(3,), fixed_cost=10.0)
    problem = replace(problem, vehicles=(*problem.vehicles[:12], *(small,) * 12))
    assert parted(begun(problem), 2)
    found = LNS(max_iterations=1000, jobs=2).solve(problem, 60.0, 0)
    assert found.feasible and nco.check(problem, found).feasible


def test_the_same_seed_and_jobs_find_the_same():
    """Exchange happens at fixed iterations, whichever thread is quicker."""
    for problem in (ring(60), ring(12), replace(ring(40), objective=Objective(longest_route=1.0))):
        for jobs in (2, 3):
            method = LNS(max_iterations=400, jobs=jobs)
            one, other = (method.solve(problem, 60.0, seed=5) for _ in range(2))
            assert one.routes == other.routes


def test_two_islands_get_further_than_one():
    """After the same number of iterations each, on a ring of many routes."""
    problem = ring(150)
    cost = [
        np.mean(
            [LNS(max_iterations=400, jobs=k).solve(problem, 60.0, s).cost.total for s in (0, 1)]
        )
        for k in (1, 3)
    ]
    assert cost[1] < cost[0]


@pytest.mark.parametrize("stops", [12, 60])
def test_islands_begin_from_the_initial_solution(stops):
    """A good solution is at least kept, by islands of wholes as by those of parts."""
    problem = ring(stops)
    good = LNS(max_iterations=4000).solve(problem, 60.0, 0)
    found = LNS(max_iterations=1, jobs=2).solve(problem, 60.0, 1, initial=good)
    assert found.cost.total <= good.cost.total


@pytest.mark.parametrize("method", [LNS(jobs=2), Auto().with_jobs(2)], ids=["lns", "auto"])
@pytest.mark.parametrize(("stops", "limit_s"), [(30, 0.5), (200, 0.25), (200, 1.0)])
def test_islands_end_in_time(method, stops, limit_s):
    """Limits hold to 10 % + 50 ms, with half a second for other load; no thread is left."""
    problem = ring(stops)
    nco.solve(problem, method, time_limit_s=0.5)  # loads whatever is loaded on first use
    threads, begin = threading.active_count(), time.perf_counter()
    found = nco.solve(problem, method, time_limit_s=limit_s)
    assert time.perf_counter() - begin < 1.1 * limit_s + 0.05 + 0.5
    assert found.feasible and threading.active_count() == threads


def test_auto_has_islands_of_each_of_its_methods():
    """By HGS-CVRP, by PyVRP's local search and for several trips: all answer, and by seed."""
    trips = replace(ring(8), vehicles=[replace(v, max_trips=2) for v in ring(8).vehicles])
    for problem in (ring(20), ring(155), trips):
        one, other = (nco.solve(problem, AUTO, seed=3, jobs=2, time_limit_s=5.0) for _ in range(2))
        assert one.feasible and one.routes == other.routes and one.method == "auto"


def test_a_single_job_is_what_it_was():
    """`jobs=1` changes nothing."""
    problem, method = ring(30), LNS(max_iterations=300)
    plain = nco.solve(problem, method, seed=2, time_limit_s=60.0)
    assert nco.solve(problem, method, seed=2, time_limit_s=60.0, jobs=1).routes == plain.routes


@pytest.mark.parametrize("jobs", [0, -1, MAX_JOBS + 1])
def test_senseless_jobs_are_refused(jobs):
    """The message says what was given and what is allowed."""
    with pytest.raises(InputError, match=rf"jobs is {jobs}; .* from 1 to {MAX_JOBS}"):
        check_limits(1.0, 0, jobs)
    with pytest.raises(InputError, match="jobs is"):
        nco.solve(line_of_four(), "lns", jobs=jobs)


def test_methods_without_islands_refuse_by_name():
    """Nobody waits for cores that a method leaves idle."""
    with pytest.raises(UnsupportedError, match=r"'nearest' runs on one core.*auto or lns"):
        nco.solve(line_of_four(), "nearest", jobs=2)


def test_command_line_takes_jobs(tmp_path, capsys):
    """`--jobs 2` solves by islands; other methods and senseless numbers are exit code 2."""
    path = str(save(line_of_four(), tmp_path / "four.json"))
    limit = ["--time-limit", "0.2", "--quiet"]
    assert main(["solve", path, "--method", "lns", "--jobs", "2", *limit]) == 0
    assert "lns" in capsys.readouterr().out
    assert main(["solve", path, "--method", "lns,nearest", "--jobs", "2", *limit]) == 2
    assert "'nearest' runs on one core" in capsys.readouterr().err
    for jobs in ("0", "100"):
        assert main(["solve", path, "--method", "lns", "--jobs", jobs, *limit]) == 2
        assert "jobs" in capsys.readouterr().err


@pytest.mark.parametrize("method", nco.methods())
def test_every_method_uses_several_cores_or_refuses_them(method):
    """None crashes, and none leaves a process behind."""
    lists = Path("/proc/self/task")

    def children() -> set[str]:
        return {p for found in lists.glob("*/children") for p in found.read_text().split()}

    problem, before = ring(12), children()
    try:
        found = nco.solve(problem, method, time_limit_s=0.2, jobs=2)
    except UnsupportedError as refused:
        assert "runs on one core" in str(refused)
    else:
        assert nco.check(problem, found)
    assert children() <= before
