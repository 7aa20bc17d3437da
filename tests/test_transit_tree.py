"""Lines by policies and by tree search, with a network and without."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from test_transit_env import grid

from nco.errors import ProblemError
from nco.kernels import tree as mcts
from nco.transit.design.guide import (
    DemandGuide,
    NetworkGuide,
    WalkGuide,
    build,
    finish_line,
    greedy,
    sampler,
)
from nco.transit.design.method import Budget
from nco.transit.design.objective import ExactObjective
from nco.transit.design.policy import PolicyBeam, PolicySampling
from nco.transit.design.registry import design
from nco.transit.design.tree import LineTrees, TreeDesign, likeliest
from nco.transit.instance.lines import check_lines, pad_lines
from nco.transit.instance.mandl import mandl
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.policy.environment import TransitEnv
from nco.transit.policy.network import TransitNetwork


def environment(objective):
    """Of a plain objective."""
    return TransitEnv(objective.instance)


def networked(env):
    """The guide of a small untrained network."""
    torch.manual_seed(0)
    return NetworkGuide(env, TransitNetwork(width=8, heads=2, layers=1, hidden=8).eval())


METHODS = [
    PolicySampling(environment, WalkGuide, rollouts=4),
    PolicySampling(environment, networked, rollouts=4),
    PolicyBeam(environment, networked, width=3),
    TreeDesign(environment, WalkGuide, starts=4, effort=6, width=3),
    TreeDesign(environment, networked, starts=4, effort=6, width=3),
    TreeDesign(environment, DemandGuide, starts=4, effort=6, width=3, tree=False),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m.name}-{m.guide.__name__}")
def test_designs_are_legal_counted_and_repeatable(method):
    """Within the budget, as good as the best that was evaluated, the same for the same seed."""
    found = []
    for _ in range(2):
        objective = ExactObjective(grid(hub=4, lines=3, max_stops=5))
        design = method.design(objective, Budget(evaluations=23), seed=3)
        assert design.evaluations == objective.evaluations <= 23
        assert check_lines(objective.instance, design.lines, connected=False) == []
        again = ExactObjective(objective.instance).costs(pad_lines(design.lines, 3, 5)[None])
        assert design.cost == again[0]
        found.append((design.lines, design.cost))
    assert found[0] == found[1]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m.name}-{m.guide.__name__}")
def test_what_is_given_is_never_made_worse(method):
    """Lines of any method can be begun with, longer ones and more of them too."""
    instance = TransitInstance.mandl(6)
    objective = ExactObjective(instance)
    given = PolicySampling(environment, WalkGuide).design(objective, Budget(evaluations=200))
    design = method.design(ExactObjective(instance), Budget(evaluations=12), 0, [given.lines])
    assert design.cost <= given.cost
    broken = (*given.lines, (0, 1))
    assert method.design(ExactObjective(instance), Budget(evaluations=12), 0, [broken]).lines


def test_tree_search_beats_sampling_without_a_network():
    """At equal numbers of evaluations on Mandl's network, in each of three seeds."""
    instance = TransitInstance.mandl(6)
    for seed in range(3):
        cost = [
            method.design(ExactObjective(instance), Budget(evaluations=400), seed).cost
            for method in (
                PolicySampling(environment, WalkGuide, rollouts=50),
                TreeDesign(environment, WalkGuide),
            )
        ]
        assert cost[1] < cost[0]


def every_line(env, state):
    """All lines that can be built next."""
    if int(state.line):
        return [tuple(state.lines[0, 0][state.lines[0, 0] >= 0].tolist())]
    moves = env.moves(state)[0]
    lines = (every_line(env, env.step(state, m[None])) for m in moves if m >= 0)
    return list(itertools.chain.from_iterable(lines))


@pytest.mark.parametrize("hub", [0, None])
def test_a_tree_finds_the_best_line_and_evaluates_none_twice(hub):
    """Given enough leaves, by brute force."""
    env = TransitEnv(grid(side=2, hub=hub, lines=1, max_stops=4))
    worth = {line: float(k * 7 % 11) for k, line in enumerate(every_line(env, env.reset(1)))}
    asked = []

    def costs(lines):
        asked.extend(tuple(rows[0][rows[0] >= 0].tolist()) for rows in lines)
        return np.array([worth[line] for line in asked[-len(lines) :]])

    pick = sampler(torch.Generator().manual_seed(1))
    trees = LineTrees(WalkGuide(env), env.reset(1), costs, pick, 100)
    trees.search(100, 3, mcts.Rule())
    assert trees.trees.finished.all()
    assert sorted(asked) == sorted(worth)
    assert trees.cost[0] == min(worth.values())
    assert worth[tuple(trees.line[0][trees.line[0] >= 0].tolist())] == trees.cost[0]


def test_trees_side_by_side_keep_their_own_best():
    """Costs that depend on the closed lines are not mixed up."""
    env = TransitEnv(grid(hub=4, lines=2, max_stops=4))
    lines = build(WalkGuide(env), env.reset(3), sampler(torch.Generator().manual_seed(2))).lines
    roots = env.reopened(lines, torch.tensor([0, 1, 0]))
    objective = ExactObjective(env.instance)
    pick = sampler(torch.Generator().manual_seed(3))
    trees = LineTrees(WalkGuide(env), roots, objective.costs, pick, 12)
    trees.search(4, 2, mcts.Rule())
    whole = roots.lines.clone()
    whole[:, 1] = trees.line
    np.testing.assert_allclose(objective.costs(whole.numpy().astype(np.int16)), trees.cost)


def test_rollouts_without_a_choice_left_wait_for_the_others():
    """Lines are closed together, and every move is told of once."""
    env = TransitEnv(grid(hub=4, lines=2, max_stops=5))
    state, guide = env.reset(5), WalkGuide(env, close=0.4)
    pick = sampler(torch.Generator().manual_seed(0))
    done, made = finish_line(guide, None, state, torch.arange(5), pick)
    assert (done.line == 1).all()
    stops = (done.lines[:, 0] >= 0).sum(1)
    told = torch.bincount(torch.cat([step.row for step in made]), minlength=5)
    # One move for each stop after the hub, and one for closing, unless the line is full.
    assert torch.equal(told, stops - 1 + (stops < 5))


def test_a_walk_closes_as_often_as_it_is_told():
    """And always where there is nothing else to do."""
    env = TransitEnv(grid(hub=4, lines=1))
    guide, state = WalkGuide(env, close=0.2), env.reset(1)
    state = env.step(state, torch.tensor([1]))
    moves = env.moves(state)
    log_p, _ = guide.judge(None, state, moves, torch.zeros(1, dtype=torch.int64))
    assert log_p.exp().sum().item() == pytest.approx(1.0)
    assert log_p.exp()[moves == env.close].item() == pytest.approx(0.2)
    only = torch.where(moves == env.close, moves, -1)
    log_p, _ = guide.judge(None, state, only, torch.zeros(1, dtype=torch.int64))
    assert log_p.exp()[only >= 0].tolist() == [1.0]


def test_a_prior_by_demand_leads_to_where_people_go():
    """Moves are likelier the more demand a stop has with the line; they add up to one."""
    demand = np.zeros((9, 9))
    demand[4, 1], demand[4, 3] = 90.0, 10.0
    objective = ExactObjective(grid(hub=4, lines=1, max_stops=5).changed(demand=demand))
    guide = DemandGuide(environment(objective), close=0.2)
    state = guide.env.step(guide.env.reset(1), torch.tensor([7]))
    for one in (guide.env.reset(1), state):
        moves = guide.env.moves(one)
        log_p, value = guide.judge(None, one, moves, torch.zeros(1, dtype=torch.int64))
        chance = dict(zip(moves[0].tolist(), log_p[0].exp().tolist(), strict=True))
        assert sum(p for move, p in chance.items() if move >= 0) == pytest.approx(1.0)
        assert not value.any()
    fresh = guide.env.reset(1)
    moves = guide.env.moves(fresh)
    log_p, _ = guide.judge(None, fresh, moves, torch.zeros(1, dtype=torch.int64))
    chance = dict(zip(moves[0].tolist(), log_p[0].exp().tolist(), strict=True))
    assert chance[1] > chance[3] > chance[5] > 0
    moves = guide.env.moves(state)
    log_p, _ = guide.judge(None, state, moves, torch.zeros(1, dtype=torch.int64))
    chance = dict(zip(moves[0].tolist(), log_p[0].exp().tolist(), strict=True))
    assert chance[guide.env.close] == pytest.approx(0.2)


def test_the_likeliest_moves_contain_what_was_done():
    """Even if it was the least likely of all."""
    moves, log_p = torch.arange(5)[None], torch.tensor([[0.1, 0.4, 0.3, 0.15, 0.05]]).log()
    kept, kept_p, taken = likeliest(moves, log_p, torch.tensor([4]), 3)
    assert kept[0, taken[0]] == 4
    assert set(kept[0].tolist()) == {1, 2, 4}
    assert kept_p.exp().sum().item() == pytest.approx(0.75)
    wide, wide_p, same = likeliest(moves, log_p, torch.tensor([4]), 7)
    assert wide.tolist() == [[0, 1, 2, 3, 4, -1, -1]]
    assert same.tolist() == [4]
    assert wide_p[0, 5:].isinf().all()


def test_greedy_rollouts_are_all_alike():
    """Nothing is left to chance."""
    env = TransitEnv(grid(hub=4, lines=2))
    lines = build(networked(env), env.reset(3), greedy).lines
    assert (lines == lines[:1]).all()


@pytest.mark.parametrize("method", ["mcts", "policy-sampling", "policy-beam"])
def test_lines_to_begin_with_are_checked_and_used(method):
    """A line over a missing link is refused by place; good lines are never lost, short or not."""
    instance = mandl(6)
    with pytest.raises(ProblemError, match=r"line 0, place 0: there is no link"):
        design(instance, method, evaluations=5, initial=[[(0, 14), (1, 3)]])
    good = design(instance, "annealing", evaluations=3000)
    found = design(instance, method, evaluations=20, initial=[good.lines])
    assert found.cost <= good.cost
    fewer = design(instance, method, evaluations=20, initial=[good.lines[:5]])
    assert not check_lines(instance, fewer.lines, connected=False) or fewer.lines == good.lines[:5]


def test_a_search_goes_on_from_a_design_with_too_few_lines():
    """The tree begins near it: a line is added, which is more than it finds from nothing."""
    instance = mandl(6)
    good = design(instance, "annealing", evaluations=3000)
    alone = design(instance, "mcts", evaluations=40)
    found = design(instance, "mcts", evaluations=40, initial=[good.lines[:5]])
    assert found.cost < alone.cost


def test_a_network_sees_on_its_own_device():
    """Scenes and choices go to where its weights are, and answers come back to the rollouts."""
    env = TransitEnv(mandl(2))

    class Elsewhere(torch.nn.Linear):
        def mix(self, scenes):
            assert {tensor.device.type for tensor in vars(scenes).values()} == {"meta"}
            return scenes

        def judge_moves(self, mixed, choices):
            assert {tensor.device.type for tensor in vars(choices).values()} == {"meta"}
            return Answer(torch.zeros(choices.allowed.shape)), Answer(torch.zeros(1))

    class Answer:
        def __init__(self, values):
            self.values = values

        def to(self, device):
            assert device.type == "cpu"
            return self.values

    guide = NetworkGuide(env, Elsewhere(1, 1, device="meta"))  # type: ignore[arg-type]
    state = env.reset(1)
    log_p, _ = guide.judge(guide.look(state), state, env.moves(state), torch.zeros(1).long())
    assert log_p.device.type == "cpu"
