"""Problems of any size and kind solved by one call, and what is refused."""

from __future__ import annotations

import dataclasses
import logging
from functools import reduce
from operator import or_

import numpy as np
import pytest
import torch
from directed import MAKE

from nco.envs import ENVIRONMENTS, environment
from nco.envs.convert import CONVERSIONS
from nco.errors import InputError, PolicyError, ProblemError, UnsupportedError
from nco.models.attention import AttentionPolicy
from nco.models.files import save_policy
from nco.problem import Problem, Profile, Vehicle
from nco.problem.check import check
from nco.search.decoding.active import ActiveSearch
from nco.search.decoding.beam import Beam
from nco.search.decoding.rollout import Strategy
from nco.search.policy import batch
from nco.search.policy.loaded import LoadedPolicy, load_policy
from nco.search.policy.solver import ACTIVE, BEAM, PolicySolver

NAMES = tuple(CONVERSIONS)


@pytest.fixture(scope="module")
def general(tmp_path_factory) -> LoadedPolicy:
    """An untrained policy for all problems, from disk."""
    torch.manual_seed(0)
    features = reduce(or_, (env.features for env in ENVIRONMENTS.values()))
    policy = AttentionPolicy(features, width=16, heads=2, decoder_heads=2, layers=1, hidden=16)
    path = tmp_path_factory.mktemp("policy") / "general.safetensors"
    return load_policy(save_policy(path, policy, NAMES))


def asked(name: str, stops: int, seed: int = 0) -> Problem:
    """A random directed problem."""
    return CONVERSIONS[name].problem(MAKE[name](1, stops, seed), 0)


def mixed() -> list[Problem]:
    """Problems of all kinds and of many sizes, some of one stop."""
    sizes = (1, 4, 5, 13, 30, 4)
    return [asked(name, stops, seed) for seed, stops in enumerate(sizes) for name in NAMES]


@pytest.mark.parametrize(
    "strategy", [None, Strategy(1.0, views=2), Beam(2, starts=3), ActiveSearch(2, starts=4)]
)
def test_problems_of_all_kinds_and_sizes_are_solved_in_one_call(general, strategy):
    """The checker finds nothing wrong with any solution, and each says where it comes from."""
    problems = mixed()
    solutions = general.solve(problems, strategy, seed=7, batch_size=4)
    for problem, solution in zip(problems, solutions, strict=True):
        report = check(problem, solution)
        assert report.feasible, str(report)
        assert (solution.method, solution.seed) == ("policy", 7)
        assert 0 < solution.time_s < 60


def test_one_problem_gives_one_solution_and_none_gives_none(general):
    """The same routes as in a list, and as the solver finds."""
    problem = asked("rcvrp", 9)
    alone = general.solve(problem)
    assert general.solve([problem])[0].routes == alone.routes
    assert general.solve([asked("rcvrp", 12), problem])[1].cost == alone.cost
    assert general.solve([]) == []


def test_batches_hold_what_is_alike(general, monkeypatch):
    """Kinds are never mixed, sizes only where they are similar, and memory bounds them."""
    tasks = [
        batch._Task(k, problem, name, CONVERSIONS[name].instance(problem, torch.float32))
        for k, (name, problem) in enumerate(
            (name, asked(name, stops)) for name in NAMES for stops in (4, 20, 21, 24, 25, 60)
        )
    ]
    groups = list(batch._groups(tasks, 3, 8, "cpu"))
    assert sorted(task.number for group in groups for task in group) == list(range(len(tasks)))
    for group in groups:
        sizes = [len(task.given.nodes) for task in group]
        assert len(group) <= 3
        assert len({task.name for task in group}) == 1
        assert max(sizes) <= 1.25 * min(sizes)
    monkeypatch.setitem(batch.PAIRS_AND_VIEWS, "cpu", 2 * 8 * 26**2)
    assert max(map(len, batch._groups(tasks, 64, 8, "cpu"))) == 2
    monkeypatch.setitem(batch.PAIRS_AND_VIEWS, "cpu", 100)
    assert check(tasks[5].problem, general.solve(tasks[5].problem, Strategy(views=8))).feasible


def test_what_no_vehicle_can_serve_is_unassigned_with_its_reason(general):
    """Windows, too few vehicles and missing streets, next to problems without fault."""
    distance = np.full((4, 4), 10.0) - 10 * np.eye(4)
    late = Problem.from_matrices(distance, window_s=[[0, 50.0], [0, 9.0], [0, 40.0], [0, 40.0]])
    nothing = Problem.from_matrices(distance, window_s=[[0, 15.0]] * 4)
    whole = asked("rcvrp", 8)
    far = whole.profiles[0].distance_m.copy()
    far[:-1, -1] = np.inf
    far[1, 2] = far[2, 1] = np.inf
    cut = dataclasses.replace(whole, profiles=(Profile(distance_m=far, duration_s=far),))
    empty = Problem.from_matrices(np.zeros((1, 1)), demand=np.zeros(1), capacity=1.0)
    short = dataclasses.replace(whole, vehicles=whole.vehicles[:1])
    problems = [late, nothing, cut, empty, short, asked("rcvrptw", 5)]
    left = []
    for problem, solution in zip(problems, general.solve(problems), strict=True):
        assert not solution.violations
        assert {finding.kind for finding in check(problem, solution).findings} <= {"unserved"}
        assert all(entry.reason for entry in solution.unassigned)
        left.append([entry.stop for entry in solution.unassigned])
    assert left[:4] == [[1], [1, 2, 3], [8], []]
    assert left[4]
    assert left[5] == []


def test_fewer_nodes_than_neighbours_are_no_fault(general):
    """A network that looks at some nearest nodes sees those that there are."""
    for name in NAMES:
        for stops in (1, 2, 3):
            problem = asked(name, stops)
            assert check(problem, general.solve(problem)).feasible


def test_impossible_numbers_are_refused_before_anything_is_solved():
    """A matrix with a hole or a stop larger than every vehicle never becomes a problem."""
    distance = 1.0 - np.eye(3)
    with pytest.raises(ProblemError, match="more than any vehicle carries"):
        Problem.from_matrices(
            distance, demand=[0, 3.0, 30.0], vehicles=[Vehicle(capacity=(9.0,))] * 3
        )
    distance[0, 1] = np.nan
    with pytest.raises(ProblemError, match=r"(?i)nan|not a number"):
        Problem.from_matrices(distance, demand=np.zeros(3), capacity=1.0)


def test_wrong_questions_are_refused_by_name(general):
    """Each message says what was given; nothing was solved before."""
    problem = asked("rcvrp", 3)
    with pytest.raises(InputError, match="batch_size is 0"):
        general.solve(problem, batch_size=0)
    with pytest.raises(InputError, match="seed is -1"):
        general.solve(problem, seed=-1)
    with pytest.raises(InputError, match="problem 1 is str"):
        general.solve([problem, "rcvrp"])
    tour = dataclasses.replace(general, problems=("atsp",))
    with pytest.raises(UnsupportedError, match=r"problem 1: the policy can solve atsp.*capacity"):
        tour.solve([asked("atsp", 3), problem])
    with pytest.raises(PolicyError, match="the policy is for 'tsp'"):
        dataclasses.replace(general, problems=("tsp",)).solve(problem)
    with pytest.raises(PolicyError, match="steps is None"):
        general.solve(problem, ActiveSearch(None))


def test_long_lists_report_progress(general, monkeypatch, caplog):
    """Whoever waits more than two seconds is told how far it is."""
    monkeypatch.setattr(batch, "_REPORT_S", 0.0)
    with caplog.at_level(logging.INFO, "nco"):
        general.solve([asked("rcvrp", 3), asked("atsp", 3)])
    assert "solved 2 of 2 problems" in caplog.text


@pytest.mark.parametrize("solver", [BEAM, ACTIVE])
@pytest.mark.parametrize("name", NAMES)
def test_searching_methods_keep_their_time_and_beat_greedy(tmp_path, general, solver, name):
    """They answer by the limit, with checked routes that are no worse than greedy ones."""
    path = str(save_policy(tmp_path / "p.safetensors", general.policy, NAMES))
    problem = asked(name, 20)
    greedy = PolicySolver("policy", source=path).solve(problem, 5.0, 0)
    found = dataclasses.replace(solver, source=path).solve(problem, 0.6, 0)
    assert check(problem, found).feasible
    assert found.cost.total <= greedy.cost.total + 1e-6
    assert found.time_s < 1.2  # half a second of grace for a busy machine


def test_environments_know_all_their_policies_features(general):
    """What is saved for all problems shows every environment what it needs."""
    for name in NAMES:
        assert environment(name).features <= general.policy.features
