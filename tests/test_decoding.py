"""Decoding: seeds, strategies, time limits, and the solver that stands on it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from directed import MAKE, PLAIN, check_plainly, directed_rcvrp
from test_models import small_policy

import nco
from nco.envs import environment
from nco.envs.convert import CONVERSIONS
from nco.envs.observe import fill_frame
from nco.errors import PolicyError, UnsupportedError
from nco.models.attention import AttentionPolicy
from nco.models.files import save_policy, shipped
from nco.models.pointer import sampled
from nco.problem import Problem, Profile, Vehicle
from nco.problem.check import check
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import GREEDY, Strategy
from nco.search.decoding.views import at_most, turned
from nco.search.policy import solver as policy
from nco.search.policy.loaded import load_policy
from nco.search.policy.solver import PolicySolver

ENV = environment("rcvrp")


def problem_of(stops: int, vehicles: int | None = None, capacity: float = 20) -> Problem:
    """A directed problem on a map."""
    rng = np.random.default_rng(stops)
    xy = rng.uniform(0, 1000, (stops + 1, 2))
    distance = np.linalg.norm(xy[:, None] - xy, axis=-1) * rng.uniform(1, 1.5, (stops + 1,) * 2)
    np.fill_diagonal(distance, 0)
    demand = np.array([0.0, *rng.integers(1, 10, stops)])
    return Problem.from_matrices(
        distance, demand=demand, capacity=capacity, vehicles=vehicles, xy=xy
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> str:
    """An untrained policy on disk."""
    path = tmp_path_factory.mktemp("policy") / "small.safetensors"
    return str(save_policy(path, small_policy(), ["rcvrp"]))


@pytest.mark.parametrize(
    ("strategy", "rollouts"),
    [
        (Strategy(), 7),
        (Strategy(starts=3), 3),
        (Strategy(views=8), 56),
        (Strategy(views=2, starts=2, repeats=3, temperature=0.5), 12),
    ],
)
def test_strategies_give_valid_rollouts(strategy, rollouts):
    """Every rollout keeps every rule, and there are as many as the strategy says."""
    instance = directed_rcvrp(2, 7, 0)
    generator = torch.Generator().manual_seed(0)
    found = strategy.decode(ENV, instance, small_policy(), generator)
    assert found.actions.shape[:2] == (2, rollouts)
    for b in range(2):
        for s in range(rollouts):
            check_plainly("rcvrp", instance, b, found.actions[b, s].tolist())
    torch.testing.assert_close(found.best().cost[:, 0], found.cost.min(1).values)


def test_sampling_follows_the_seed():
    """The same seed samples the same rollouts; another seed samples others."""
    instance, policy = directed_rcvrp(1, 12, 0), small_policy()
    draws = [
        Strategy(temperature=1.0)
        .decode(ENV, instance, policy, torch.Generator().manual_seed(s))
        .actions
        for s in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1])
    assert draws[0].shape != draws[2].shape or not torch.equal(draws[0], draws[2])


def test_samples_follow_their_probabilities():
    """Frequencies of 20 000 draws are the softmax, and closed actions are never drawn."""
    logits = torch.tensor([-torch.inf, 0.0, 1.0, -torch.inf, 2.0, -torch.inf])
    many = logits.expand(1, 20_000, -1)
    draw = torch.rand(1, 20_000, generator=torch.Generator().manual_seed(0))
    drawn = sampled(many, 1.0, draw).flatten()
    share = torch.bincount(drawn, minlength=6) / 20_000
    torch.testing.assert_close(share, logits.softmax(0), atol=0.02, rtol=0)


def test_views_turn_the_map_and_keep_its_shape():
    """The eight views are different and keep all pairwise distances."""
    seen = ENV.observe(directed_rcvrp(1, 6, 0))
    views = turned(seen, 8).node.double()
    flat = {tuple(v.flatten().round(decimals=5).tolist()) for v in views}
    assert len(flat) == 8
    for columns in ([0, 1], [2, 3]):
        apart = torch.cdist(views[..., columns], views[..., columns])
        torch.testing.assert_close(apart, apart[:1].expand_as(apart), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(views[..., 4:], views[:1, :, 4:].expand_as(views[..., 4:]))


@pytest.mark.parametrize("name", sorted(MAKE))
def test_half_of_the_views_drive_backwards(name):
    """Two views are the greedy answers of an instance and of the reversed one, turned round."""
    env, instance, policy = environment(name), MAKE[name](2, 8, 0), small_policy(name)
    ahead, back = (GREEDY.decode(env, i, policy) for i in (instance, env.reversed(instance)))
    both = Strategy(views=2).decode(env, instance, policy)
    torch.testing.assert_close(both.cost, torch.cat([ahead.cost, back.cost], 1))
    torch.testing.assert_close(both.cost, env.cost(instance, both.actions))
    odd = Strategy(views=3).decode(env, instance, policy)
    torch.testing.assert_close(odd.cost[:, : ahead.cost.shape[1]], ahead.cost)


@pytest.mark.parametrize(
    ("views", "limit", "expected"),
    [(8, 9, 8), (8, 7, 6), (8, 1, 1), (8, 0, 1), (5, 4, 4), (1, 0, 1)],
)
def test_views_are_as_many_as_there_is_room_for(views, limit, expected):
    """Pairs of directions stay together, and one view always remains."""
    assert at_most(views, limit) == expected


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": -1.0}, {"views": 17}, {"starts": 0}, {"repeats": 0}],
)
def test_impossible_strategies_are_refused(wrong):
    """The message names the option."""
    with pytest.raises(PolicyError, match=next(iter(wrong))):
        Strategy(**wrong)


def test_decoding_can_be_given_up():
    """A deadline ends decoding between two steps."""
    with pytest.raises(TimeUp):
        GREEDY.decode(ENV, directed_rcvrp(1, 5, 0), small_policy(), expired=lambda: True)


@pytest.mark.parametrize("stops", [1, 2, 30])
@pytest.mark.parametrize("strategy", [Strategy(), Strategy(views=8)])
def test_the_solver_answers_with_checked_routes(source, stops, strategy):
    """Every stop is served, nothing is violated, and the checker agrees on the cost."""
    problem = problem_of(stops)
    found = PolicySolver("policy", strategy, source).solve(problem, 5.0, 0)
    assert found.feasible
    assert check(problem, found).feasible
    again = PolicySolver("policy", strategy, source).solve(problem, 5.0, 0)
    assert again.routes == found.routes


def test_no_stops_need_no_routes(source):
    """An empty problem has an empty answer."""
    problem = Problem.from_matrices(np.zeros((1, 1)), demand=np.zeros(1), capacity=1.0)
    assert PolicySolver("policy", source=source).solve(problem, 1.0, 0).routes == ()


def test_too_few_vehicles_give_a_partial_answer(source):
    """What cannot be carried is unassigned; nothing else is broken."""
    found = PolicySolver("policy", source=source).solve(problem_of(20, vehicles=2), 5.0, 0)
    assert not found.feasible
    assert not found.violations
    assert found.unassigned
    assert len(found.routes) == 2


def test_a_tight_fleet_is_filled(source):
    """Unit demands always pack: exactly enough vehicles must do."""
    problem = problem_of(12)
    distance = problem.profiles[0].distance_m
    tight = Problem.from_matrices(
        distance, vehicles=[Vehicle(capacity=(3.0,))] * 4, demand=[0.0] + [1.0] * 12
    )
    assert PolicySolver("policy", source=source).solve(tight, 5.0, 0).feasible


def test_a_better_initial_solution_is_kept(source):
    """Nothing gets worse by asking."""
    from nco.solve import solve

    problem = problem_of(15)
    good = solve(problem, "savings", time_limit_s=1.0)
    found = PolicySolver("policy", source=source).solve(problem, 1.0, 0, initial=good)
    assert found.cost.total <= good.cost.total


def test_sampling_uses_its_time_and_no_more(source):
    """Sampling goes on until the limit and improves on greedy decoding, or keeps it."""
    problem = problem_of(15)
    greedy = PolicySolver("policy", source=source).solve(problem, 5.0, 0)
    sampled = PolicySolver("policy", Strategy(temperature=1.0), source).solve(problem, 0.5, 0)
    assert sampled.cost.total <= greedy.cost.total
    assert 0.2 < sampled.time_s < 0.8


@pytest.mark.parametrize(("stops", "limit_s"), [(60, 0.005), (400, 0.05), (800, 0.4)])
def test_time_limits_hold_on_large_problems(source, stops, limit_s):
    """Where the network has no time, nearest neighbour answers, and the answer is complete."""
    problem = problem_of(stops)
    PolicySolver("policy", source=source).solve(problem_of(5), 1.0, 0)  # loads the policy
    found = PolicySolver("policy", source=source).solve(problem, limit_s, 0)
    assert not found.violations
    assert found.time_s < 1.1 * limit_s + 0.5  # half a second of grace for a busy machine


def test_frames_are_normalised_by_the_larger_extent():
    """A wide map is not stretched into a square."""
    xy = fill_frame(torch.tensor([[[0.0, 0.0], [10.0, 2.0]]]))
    assert xy[0].tolist() == [[-1.0, pytest.approx(-0.2)], [1.0, pytest.approx(0.2)]]


# Problems and policies ------------------------------------------------------------------------


def saved_policy(folder, name: str) -> str:
    """An untrained policy of an environment on disk."""
    return str(save_policy(folder / f"{name}.safetensors", small_policy(name), [name]))


@pytest.mark.parametrize("name", sorted(CONVERSIONS))
def test_a_policy_of_any_environment_solves_its_problems(tmp_path, name):
    """The file says what it is for; nothing else has to."""
    chosen = PolicySolver("policy", source=saved_policy(tmp_path, name))
    for stops in (1, 9):
        asked = CONVERSIONS[name].problem(MAKE[name](1, stops, 3), 0)
        assert nco.solve(asked, chosen, time_limit_s=5.0).feasible


def test_a_policy_for_time_windows_also_solves_problems_without(tmp_path):
    """A more general policy serves a less general problem, and not the other way round."""
    general = PolicySolver("policy", source=saved_policy(tmp_path, "rcvrptw"))
    assert nco.solve(problem_of(9), general, time_limit_s=5.0).feasible
    tour = PolicySolver("policy", source=saved_policy(tmp_path, "atsp"))
    refusal = r"atsp.safetensors' can solve atsp and cannot handle: capacity"
    with pytest.raises(UnsupportedError, match=refusal):
        nco.solve(problem_of(9), tour)


def test_a_policy_made_for_other_features_is_refused(tmp_path):
    """A network of another version is found before it computes anything."""
    known = dataclasses.replace(environment("rcvrp").features, node=("x", "y"))
    old = AttentionPolicy(known, width=16, heads=2, decoder_heads=2, layers=1, hidden=16)
    path = save_policy(tmp_path / "old.safetensors", old, ["rcvrp"])
    with pytest.raises(PolicyError, match="does not know x from depot"):
        nco.solve(problem_of(4), PolicySolver("policy", source=str(path)))


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """An empty folder in place of that of the shipped policies."""
    policy._loaded.cache_clear()
    for module in ("files", "shipped"):
        monkeypatch.setattr(f"nco.models.{module}.WEIGHTS", tmp_path)
    yield tmp_path
    policy._loaded.cache_clear()


def test_the_policy_is_chosen_by_what_the_problem_asks(weights):
    """Of the shipped policies the least general one answers that covers the problem."""
    solver = PolicySolver("policy")
    assert solver.supports == frozenset()
    tour = CONVERSIONS["atsp"].problem(MAKE["atsp"](1, 5, 0), 0)
    with pytest.raises(UnsupportedError, match="can solve nothing"):
        solver.solve(tour, 1.0, 0)
    for name in ("rcvrptw", "atsp"):
        saved_policy(weights, name)
    assert solver.supports == CONVERSIONS["rcvrptw"].features
    assert solver._policy(tour)[1] == "atsp"
    assert solver._policy(problem_of(5))[1] == "rcvrptw"


def test_shipped_policies_do_not_claim_time_windows_before_there_are_any():
    """Unless weights for them are in the package, the method refuses by name."""
    asked = CONVERSIONS["rcvrptw"].problem(MAKE["rcvrptw"](1, 5, 0), 0)
    served = {name for source in shipped() for name in load_policy(source).problems}
    covered = any(CONVERSIONS[name].covers(asked) for name in served)
    assert ("policy" in nco.methods(asked)) == covered


@pytest.mark.parametrize("name", PLAIN)
def test_unreachable_stops_are_reported_and_the_rest_is_solved(tmp_path, name):
    """A stop that is cut off is unassigned; one that misses only some pairs is fitted in."""
    whole = CONVERSIONS[name].problem(MAKE[name](1, 8, 0), 0)
    profile = whole.profiles[0]
    distance, duration = profile.distance_m.copy(), profile.duration_s.copy()
    for matrix in (distance, duration):
        matrix[: len(matrix) - 1, -1] = np.inf  # no street leads to the last stop
        matrix[1, 2] = matrix[2, 1] = np.inf
    cut = Profile(distance_m=distance, duration_s=duration)
    asked = dataclasses.replace(whole, profiles=(cut,))
    found = nco.solve(asked, PolicySolver("policy", source=saved_policy(tmp_path, name)))
    assert [entry.stop for entry in found.unassigned] == [whole.size - 1]
    assert "no street leads to it" in found.unassigned[0].reason
    assert not found.violations


def test_stops_that_no_vehicle_can_serve_are_unassigned_with_a_reason(tmp_path):
    """The others are served; and where nothing can be served the answer is empty."""
    solver = PolicySolver("policy", source=saved_policy(tmp_path, "rcvrptw"))
    distance = np.full((4, 4), 10.0) - 10 * np.eye(4)
    for closes, served in ((9.0, {2, 3}), (10.0, {1, 2, 3})):
        windows = [[0, 50.0], [0, closes], [0, 40.0], [0, 40.0]]
        asked = Problem.from_matrices(distance, window_s=windows)
        found = solver.solve(asked, 5.0, 0)
        assert {stop for route in found.routes for stop in route.stops} == served
        assert {entry.stop for entry in found.unassigned} == {1, 2, 3} - served
        assert not found.violations
    nothing = Problem.from_matrices(distance, window_s=[[0, 15.0]] * 4)
    assert solver.solve(nothing, 5.0, 0).routes == ()
