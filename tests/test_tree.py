"""Tree search on policies: rollouts from given actions, and the solver that stands on it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch
from directed import MAKE, PLAIN, check_plainly, plain_cost
from test_decoding import problem_of, saved_policy
from test_models import small_policy
from test_strategies import checked, trained_a_little

import nco
from nco import Problem, Solution
from nco.envs import environment
from nco.envs.convert import CONVERSIONS
from nco.errors import PolicyError, UnsupportedError
from nco.search.decoding.completion import Asked, Begun, complete
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import GREEDY, Strategy, rollout
from nco.search.decoding.views import Seen
from nco.search.lns.solver import LNS
from nco.search.policy import solver as policy
from nco.search.tree.solver import TreeSearch, TreeSolver
from nco.solve import solver as registered

NAMES = PLAIN  # a tree is for one vehicle after another
SMALL = TreeSearch(rounds=4, width=16, trees=2)


def seen(name: str, instance: Any, views: int):
    """Instances in views, encoded by a policy that prefers near nodes."""
    env = environment(name)
    with torch.inference_mode():
        both = Seen.of(env, instance, views)
        return env, both.instance, both.encoded(env, trained_a_little(name))


# Rollouts from given actions ------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("views", [1, 2, 3, 4])
def test_rollouts_go_on_from_what_is_given(name, views):
    """Given the beginnings of greedy rollouts, of any length, their ends are found again."""
    env, instance, encoded = seen(name, MAKE[name](1, 9, 0), views)
    with torch.inference_mode():
        whole = rollout(env, instance, encoded)
        count = len(encoded.query)
        path = whole.actions.view(count, -1, whole.actions.shape[2])
        generator = torch.Generator().manual_seed(0)
        shape = path.shape[:2]
        length = torch.randint(1, path.shape[2] + 1, shape, generator=generator)
        # What is not given is not read.
        given = torch.arange(path.shape[2]) < length[..., None]
        starts = torch.arange(shape[1]).expand(shape)
        asked, place = Asked(path * given, length, starts).sorted()
        assert (asked.length.diff(dim=1) >= 0).all()
        begun = Begun(env.reset(instance, whole.cost.shape[1]), 0)
        found = complete(env, instance, encoded, begun, asked, GREEDY)
        steps = found.rollouts.actions.shape[2]
        again = found.rollouts.actions.gather(1, place[..., None].expand(-1, -1, steps))
    assert torch.equal(again, path[..., :steps])
    assert torch.equal(found.rollouts.cost.gather(1, place), whole.cost.view(shape))


@pytest.mark.parametrize("name", NAMES)
def test_choices_are_the_decisions_after_what_is_given(name):
    """Each has two actions or more, is the rollout's own, and the forced ones are left out."""
    env, instance, encoded = seen(name, MAKE[name](1, 8, 1), 2)
    with torch.inference_mode():
        starts = env.starts(instance)
        views, each = starts.shape
        length = torch.ones_like(starts)
        asked = Asked(starts[..., None], length, torch.arange(each).expand(views, -1))
        begun = Begun(env.reset(instance, each), 0)
        found = complete(env, instance, encoded, begun, asked, GREEDY)
        rows = torch.tensor([0, 3, each + 2])
        choices = found.choices(rows)
    paths = found.rollouts.actions.flatten(0, 1)[rows]
    assert (choices.decisions.allowed.sum(1) > 1).all()
    for p, (c, depth) in enumerate(zip(choices.rollout, choices.depth, strict=True)):
        assert choices.action[p] == paths[c, depth]
        assert choices.decisions.allowed[p, choices.action[p]]
        assert choices.decisions.roles[p, 0] == paths[c, depth - 1]
    # No stop is left to choose from before the last.
    last = [int(choices.depth[choices.rollout == c].max()) for c in range(3)]
    assert max(last) < paths.shape[1] - 1


def test_beginnings_that_were_driven_need_not_be_driven_again():
    """Rollouts from states on their way are those from the start."""
    env, instance, encoded = seen("rcvrp", MAKE["rcvrp"](1, 9, 0), 2)
    with torch.inference_mode():
        whole = rollout(env, instance, encoded, Strategy(starts=3))
        path = whole.actions  # one turn: a view an instance
        begun = Begun(env.reset(instance, 3), 0).driven(env, instance, path, 2)
        begun = begun.driven(env, instance, path, 4)
        origin = torch.tensor([[0, 2, 2, 1], [1, 1, 0, 2]])
        rows = torch.arange(2)[:, None]
        asked = Asked(path[rows, origin], torch.full((2, 4), 5), origin)
        found = complete(env, instance, encoded, begun, asked, GREEDY)
    assert torch.equal(found.rollouts.cost, whole.cost[rows, origin])


# The decoder ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("views", [1, 2, 6])
def test_every_rule_is_kept_and_greedy_is_never_better(name, views):
    """The best rollout of each view is valid, costs what it says, and starts are its floor."""
    env, instance, network = environment(name), MAKE[name](2, 9, 2), trained_a_little(name)
    found = replace(SMALL, views=views).decode(env, instance, network)
    assert found.cost.shape == (2, views)
    checked(name, instance, found)
    greedy = Strategy(views=views).decode(env, instance, network)
    assert (found.best().cost <= greedy.best().cost).all()


def test_searching_finds_better_rollouts():
    """On ten instances it improves on the greedy rollouts of all starts by some percent."""
    env, instance = environment("rcvrp"), MAKE["rcvrp"](10, 15, 0)
    network = trained_a_little("rcvrp")
    greedy = GREEDY.decode(env, instance, network).best().cost
    few, many = (
        TreeSearch(rounds=rounds, width=64, trees=1, descent=8).decode(env, instance, network)
        for rounds in (1, 12)
    )
    assert float(few.best().cost.mean()) < 0.99 * float(greedy.mean())
    assert float(many.best().cost.mean()) < 0.99 * float(few.best().cost.mean())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stops", [1, 2, 3])
def test_hardly_anything_to_decide(name, stops):
    """The search ends by itself, long before a million rounds."""
    instance = MAKE[name](1, stops, 0)
    found = TreeSearch(rounds=10**6).decode(environment(name), instance, small_policy(name))
    checked(name, instance, found)


def test_a_small_tour_is_solved():
    """With all moves in the tree the best of all tours is found, whatever the policy thinks."""
    env, instance = environment("atsp"), MAKE["atsp"](1, 5, 3)
    found = TreeSearch(rounds=100).decode(env, instance, small_policy("atsp"))
    best = min(
        plain_cost("atsp", instance, 0, [0, *rest]) for rest in itertools.permutations(range(1, 6))
    )
    assert float(found.cost) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("completion", [GREEDY, Strategy(temperature=1.0)])
def test_the_same_seed_finds_the_same(completion):
    """For the same number of rounds, more than a pass; samples follow the generator."""
    env, instance, network = environment("rcvrp"), MAKE["rcvrp"](1, 12, 0), small_policy()
    how = replace(SMALL, descent=2, completion=completion)
    found = [
        how.decode(env, instance, network, torch.Generator().manual_seed(seed)).actions.tolist()
        for seed in (1, 1)
    ]
    assert found[0] == found[1]


def test_a_tree_that_is_full_goes_on():
    """Values still come in where positions have no room."""
    env, instance, network = environment("rcvrp"), MAKE["rcvrp"](1, 12, 0), small_policy()
    found = replace(SMALL, positions=3).decode(env, instance, network)
    check_plainly("rcvrp", instance, 0, found.actions[0, 0].tolist())


def test_without_an_end_there_is_no_search():
    """Either rounds or a clock; and what is given up before the first rollout says so."""
    given = environment("rcvrp"), MAKE["rcvrp"](1, 5, 0), small_policy()
    with pytest.raises(PolicyError, match="rounds is None"):
        TreeSearch(rounds=None).decode(*given)
    with pytest.raises(TimeUp):
        SMALL.decode(*given, expired=lambda: True)
    left = iter([False] * 30)
    found = SMALL.decode(*given, expired=lambda: next(left, True))
    check_plainly("rcvrp", given[1], 0, found.actions[0, 0].tolist())


@pytest.mark.parametrize(
    "wrong", [{"rounds": 0}, {"trees": 0}, {"moves": 0}, {"kept": 0.0}, {"descent": 0}]
)
def test_impossible_options_are_refused(wrong):
    """The message names the option."""
    with pytest.raises(PolicyError, match=next(iter(wrong))):
        TreeSearch(**wrong)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("views", [1, 2, 4])
def test_a_tree_begins_at_a_known_rollout(name, views):
    """Whichever way views drive, the search is never behind it, and it is where a tree grows."""
    env, instance, network = environment(name), MAKE[name](1, 12, 4), small_policy(name)
    with torch.inference_mode():
        good = TreeSearch(rounds=20, width=32).decode(env, instance, network).best()
    first = tuple(good.actions[0, 0].tolist())
    how = TreeSearch(rounds=1, width=8, views=views)
    without, found = (
        replace(how, first=known).decode(env, instance, network).best() for known in ((), first)
    )
    assert float(found.cost) <= float(good.cost) + 1e-3
    assert float(without.cost) > float(good.cost)
    checked(name, instance, found)


@pytest.mark.parametrize("name", NAMES)
def test_a_rollout_that_breaks_a_rule_is_left_out(name):
    """One that serves a stop twice, or ends early, changes nothing."""
    env, instance, network = environment(name), MAKE[name](1, 7, 4), small_policy(name)
    how = TreeSearch(rounds=3, width=16)
    plain = how.decode(env, instance, network)
    for first in ((1, 1, 2, 3, 4, 5, 6, 7), (1, 2)):
        found = replace(how, first=first).decode(env, instance, network)
        assert float(found.best().cost) == float(plain.best().cost)


# The solver -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_solver_answers_with_checked_routes(tmp_path, name):
    """Any environment's policy, hardly any stops or some: feasible, and the checker agrees."""
    chosen = TreeSolver("mcts", SMALL, saved_policy(tmp_path, name))
    for stops in (1, 9):
        asked = CONVERSIONS[name].problem(MAKE[name](1, stops, 3), 0)
        found = nco.solve(asked, chosen, time_limit_s=20.0)
        assert found.feasible
        assert nco.check(asked, found)
        assert found.routes == nco.solve(asked, chosen, time_limit_s=20.0).routes


def test_the_method_is_registered_and_refuses_by_name():
    """It can do what policies can, and says what it cannot."""
    chosen = registered("mcts")
    assert chosen.name == "mcts"
    assert chosen.supports == policy.SOLVER.supports
    optional = Problem.from_matrices(
        problem_of(3).profiles[0].distance_m, demand=[0, 1, 1, 1], capacity=2, prize=[0, 1, 1, 1]
    )
    with pytest.raises(UnsupportedError, match=r"'mcts' cannot handle: .*optional"):
        nco.solve(optional, "mcts")


@pytest.mark.parametrize(("stops", "limit_s"), [(60, 0.4), (60, 0.005), (400, 0.3)])
def test_time_limits_hold(stops, limit_s):
    """The time is used where there is something to search, and kept with large problems."""
    problem, chosen = problem_of(stops, capacity=50), registered("mcts")
    found = nco.solve(problem, chosen, time_limit_s=limit_s)
    assert not found.violations
    assert found.time_s < 1.1 * limit_s + 0.05 + 0.3  # seconds of grace for a busy machine
    if limit_s == 0.4:  # in 5 ms there is no telling what else would end in time
        assert found.time_s > 0.8 * limit_s


def test_a_better_initial_solution_is_kept():
    """Nothing gets worse by asking, and the answer is the method's own."""
    problem = problem_of(15)
    good = nco.solve(problem, "pyvrp", time_limit_s=0.5)
    found = registered("mcts").solve(problem, 0.2, 3, initial=good)
    assert found.cost.total <= good.cost.total
    assert (found.method, found.seed) == ("mcts", 3)


def test_the_tree_goes_on_from_an_initial_solution():
    """Nothing but the initial solution is near the optimum, and a short search improves it."""
    problem = problem_of(40, capacity=50)
    # Ended by iterations: the same routes on every machine, of which the first has nine stops.
    first, *others = LNS(max_iterations=20_000).solve(problem, 60.0, 0).routes
    assert len(first.stops) > 2
    worse = Solution.from_routes(problem, [replace(first, stops=first.stops[::-1]), *others])
    chosen = TreeSolver("mcts", TreeSearch(rounds=3, views=2))
    alone = nco.solve(problem, chosen, time_limit_s=20.0)
    found = nco.solve(problem, chosen, time_limit_s=20.0, initial=worse)
    assert found.cost.total < min(alone.cost.total, worse.cost.total)


def test_at_a_second_it_is_ahead_of_the_policy_alone():
    """On a directed problem of fifty stops that nobody has seen."""
    problem = problem_of(50, capacity=50)
    alone = nco.solve(problem, "policy", time_limit_s=20.0)
    found = nco.solve(problem, "mcts", time_limit_s=1.0)
    assert found.cost.total < alone.cost.total
