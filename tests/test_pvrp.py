"""Profiled vehicles that decide together: rules, conversions, the network, and how it learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from directed import check_plainly, directed_pvrp, directed_rcvrp

import nco
from nco import Objective, Problem, Profile, Vehicle
from nco.envs import environment
from nco.envs.convert import conversion
from nco.envs.instances import pad
from nco.envs.pvrp import PVRP, PVRPInstance
from nco.envs.rcvrp import UNLIMITED
from nco.errors import FormatError, PolicyError, UnsupportedError
from nco.models.attention import AttentionPolicy
from nco.models.files import save_policy
from nco.models.fleet import FleetEncoded
from nco.models.pointer import logits
from nco.models.profiled import ProfiledPolicy
from nco.problem.check import check
from nco.search.decoding import fleet_driving
from nco.search.decoding.fleet_driving import drives_fleet
from nco.search.decoding.redecoding import Redecoding
from nco.search.decoding.rollout import GREEDY, Strategy, decisions_of, rollout
from nco.search.decoding.together import Together, driven_together
from nco.search.decoding.views import Seen
from nco.search.policy.solver import PolicySolver
from nco.search.tree.solver import TreeSearch
from nco.solve import solver
from nco.training.batch import Drawn
from nco.training.fleet_imitation import FleetImitation, Plan
from nco.training.growing import grow_from
from nco.training.labels import padded
from nco.training.reinforce import Reinforce
from nco.training.together import ReinforceTogether

ENV = PVRP()
SMALL = {"width": 16, "heads": 2, "decoder_heads": 2, "layers": 2, "hidden": 16, "pair_width": 4}


def small_policy(seed: int = 0, **options) -> ProfiledPolicy:
    """A tiny network whose vehicles have something to tell one another."""
    torch.manual_seed(seed)
    policy = ProfiledPolicy(ENV.features, **SMALL, exchange_width=8, exchange_heads=2, **options)
    for exchange in policy.exchanges:
        torch.nn.init.normal_(exchange.combine.weight)
    return policy.eval()


def first_scores(policy: ProfiledPolicy, instance: PVRPInstance) -> torch.Tensor:
    """`[B, M, N]` logits of the first decision."""
    with torch.no_grad():
        encoded = policy.encode(ENV.observe(instance))
        state = ENV.reset(instance, 1)
        found = logits(encoded, decisions_of(ENV, instance, state, encoded.count))
    return found.view(len(instance.cost), instance.vehicles, instance.nodes)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Rules ----------------------------------------------------------------------------------------


def test_one_vehicle_without_profile_is_the_plain_problem(tmp_path):
    """A network that grew out of a plain one decides as that one, at the same cost."""
    plain = directed_rcvrp(2, 9, 0)
    permitted = torch.ones(2, 1, 10, dtype=torch.bool)
    permitted[..., 0] = False
    instance = PVRPInstance(
        plain.cost[:, None], plain.xy, torch.zeros(2, 1, 10), permitted, plain.demand,
        plain.capacity[:, None], torch.full((2, 1), UNLIMITED),
    )  # fmt: skip
    torch.manual_seed(1)
    old = AttentionPolicy(environment("rcvrptw").features, **SMALL).eval()
    path = save_policy(tmp_path / "old.safetensors", old, ["rcvrp", "rcvrptw"])
    policy = small_policy()
    grow_from(policy, path)
    expected = Strategy(starts=9).decode(environment("rcvrp"), plain, old)
    found = Strategy(starts=10).decode(ENV, instance, policy)
    torch.testing.assert_close(found.cost[:, 1:], expected.cost)


def test_vehicles_have_no_more_trips_than_they_have():
    """One trip each is enough here if the first is not cut short."""
    instance = replace(
        directed_pvrp(1, 4, 0, fleet=2),
        permitted=torch.tensor([[[False, True, True, True, True]]]).expand(1, 2, 5),
        demand=torch.tensor([[0, 5, 5, 5, 5]]),
        capacity=torch.full((1, 2), 10),
        trips=torch.ones(1, 2, dtype=torch.int64),
    )
    state = ENV.step(instance, ENV.reset(instance, 1), torch.tensor([[1]]))
    assert not ENV.mask(instance, state)[0, 0, 0]  # the first vehicle must not return half empty
    state = ENV.step(instance, state, torch.tensor([[2]]))
    state = ENV.step(instance, state, torch.tensor([[0]]))
    allowed = ENV.mask(instance, state)[0, 0].view(2, 5)
    assert allowed.tolist() == [[False] * 5, [False, False, False, True, True]]
    assert ENV.violation(state).item() == 0


def test_trips_beyond_the_limit_are_counted():
    """Where nobody else can, a vehicle leaves once too often: rollouts end and say so."""
    instance = replace(
        directed_pvrp(1, 3, 0, fleet=1),
        permitted=torch.tensor([[[False, True, True, True]]]),
        demand=torch.tensor([[0, 6, 6, 6]]),
        capacity=torch.full((1, 1), 10),
        trips=torch.full((1, 1), 2),
    )
    state = ENV.reset(instance, 1)
    for action in (1, 0, 2, 0, 3):
        assert ENV.mask(instance, state)[0, 0, action]
        state = ENV.step(instance, state, torch.tensor([[action]]))
    assert ENV.done(state).all()
    assert ENV.violation(state).item() == 1


# Conversions ----------------------------------------------------------------------------------


def mixed_problem(**changes) -> Problem:
    """A van, two alike vans and a bicycle, with times, preferences and a zone."""
    rng = np.random.default_rng(4)
    n = 9
    metres = rng.uniform(100, 900, (n, n))
    np.fill_diagonal(metres, 0.0)
    demand = np.r_[0.0, rng.integers(1, 5, n - 1)]
    zone = np.ones(n, bool)
    zone[3] = False
    wishes = np.r_[0.0, rng.uniform(0, 1, n - 1)]
    van = Vehicle(capacity=(9.0,), max_trips=n, allowed=zone, cost_per_s=2.0)
    fields = {
        "profiles": (
            Profile(distance_m=metres, duration_s=metres / 9, name="van"),
            Profile(distance_m=metres.T, duration_s=metres.T / 4, name="bicycle"),
        ),
        "vehicles": (
            replace(van, preference=wishes, allowed=None),
            van,
            Vehicle(
                capacity=(5.0,), profile=1, max_trips=n, preference=(1 - wishes) * (demand > 0)
            ),
            van,
        ),
        "demand": demand,
        "service_s": np.r_[0.0, rng.uniform(10, 90, n - 1)],
        "objective": Objective(distance=0.0, duration=0.8, preference=200.0),
    }
    return Problem(**{**fields, **changes})


def test_costs_of_profiles_are_those_of_the_problem():
    """Rollouts cost what evaluation and checker say, but for a constant of every stop."""
    problem, kind = mixed_problem(), conversion("pvrp")
    assert kind.covers(problem)
    given = kind.instance(problem, torch.float32)
    assert given.instance.vehicles == 3  # alike vehicles are one, with the trips of both
    found = Strategy(temperature=1.0, starts=4, repeats=3).decode(
        ENV, given.instance, small_policy(), generator()
    )
    shifts = []
    for actions, cost in zip(found.actions[0].tolist(), found.cost[0].tolist(), strict=True):
        routes = kind.routes(problem, given.nodes, actions)
        solution = nco.Solution.from_routes(problem, routes)
        assert check(problem, solution).feasible
        shifts.append(solution.cost.total - cost)
        again = kind.actions_of(problem, routes, given.nodes)
        assert float(ENV.cost(given.instance, torch.tensor(again)[None, None])) == pytest.approx(
            cost, rel=1e-5
        )
    assert max(shifts) - min(shifts) < 1e-5 * max(found.cost[0].tolist())


def test_trips_are_dealt_out_among_vehicles_that_are_alike():
    """No vehicle drives more trips than it may, and what is too much is left out."""
    problem = mixed_problem()
    vehicles = [replace(v, max_trips=1) for v in problem.vehicles]
    problem = replace(problem, vehicles=tuple(vehicles))
    nodes = range(problem.size)
    actions = [9 + 1, 9, 9 + 2, 9 + 4, 9, 9 + 5, 9]  # three trips of the kind of two vans
    routes = conversion("pvrp").routes(problem, nodes, actions)
    assert sorted((r.vehicle, r.stops) for r in routes) == [(1, (2, 4)), (3, (1,))]


def test_stops_that_a_profile_does_not_reach_are_not_permitted_to_it():
    """They are left to the others; what nobody reaches is no node."""
    problem = mixed_problem()
    van, bicycle = problem.profiles
    cut = np.array(van.distance_m)
    cut[5] = cut[:, 5] = np.inf
    cut[5, 5] = 0.0
    seconds = np.where(np.isinf(cut), np.inf, van.duration_s)
    blocked = replace(van, distance_m=cut, duration_s=seconds)
    kind = conversion("pvrp")
    given = kind.instance(replace(problem, profiles=(blocked, bicycle)), torch.float32)
    assert given.instance.permitted[0, :, 5].tolist() == [False, False, True]
    given = kind.instance(
        replace(problem, profiles=(blocked, replace(blocked, name="bicycle"))), torch.float32
    )
    assert 5 not in given.nodes


def test_streets_that_fall_apart_are_noted(tmp_path, caplog):
    """A stop that a vehicle reaches, but not from its other stops, goes to another one."""
    problem = mixed_problem()
    van, bicycle = problem.profiles
    cut = np.array(van.distance_m)
    cut[1:5, 5] = cut[6:, 5] = np.inf
    seconds = np.where(np.isinf(cut), np.inf, van.duration_s)
    problem = replace(problem, profiles=(replace(van, distance_m=cut, duration_s=seconds), bicycle))
    path = save_policy(tmp_path / "p.safetensors", small_policy(), ["pvrp"])
    found = nco.solve(problem, PolicySolver("policy", source=str(path)), time_limit_s=20.0)
    assert found.feasible
    assert not found.unassigned
    assert "could serve 1 stop that do not all reach its other stops" in caplog.text
    assert "(nodes 5)" in caplog.text


def test_problems_of_profiles_are_solved_and_checked(tmp_path):
    """By a policy file, with what nobody can serve unassigned; others are refused by name."""
    path = save_policy(tmp_path / "p.safetensors", small_policy(), ["pvrp"])
    solver = PolicySolver("policy", source=str(path))
    problem = mixed_problem()
    found = nco.solve(problem, solver, time_limit_s=20.0)
    assert found.feasible
    assert check(problem, found).feasible
    closed = np.ones(problem.size, bool)
    closed[6] = False
    nobody = tuple(replace(v, allowed=closed) for v in problem.vehicles)
    found = nco.solve(replace(problem, vehicles=nobody), solver, time_limit_s=20.0)
    assert [u.stop for u in found.unassigned] == [6]
    assert found.unassigned[0].reason
    windows = np.tile([0.0, 1e5], (problem.size, 1))
    with pytest.raises(UnsupportedError, match="time windows"):
        nco.solve(replace(problem, window_s=windows), solver, time_limit_s=1.0)


def test_a_larger_fleet_than_the_policy_has_seen_is_noted(tmp_path, caplog):
    """It is decoded all the same."""
    path = save_policy(tmp_path / "p.safetensors", small_policy(), ["pvrp"], {"vehicles": [2, 2]})
    found = nco.solve(mixed_problem(), PolicySolver("policy", source=str(path)), time_limit_s=20.0)
    assert found.feasible
    assert "3 different vehicles are more than the policy has learned with (2)" in caplog.text


# Network --------------------------------------------------------------------------------------


def test_vehicles_may_come_in_any_order():
    """Permuting them permutes their scores and changes nothing else."""
    instance, order = directed_pvrp(2, 7, 0, fleet=4), torch.tensor([2, 0, 3, 1])
    names = ("cost", "forgone", "permitted", "capacity", "trips")
    shuffled = replace(instance, **{name: getattr(instance, name)[:, order] for name in names})
    policy = small_policy()
    torch.testing.assert_close(
        first_scores(policy, shuffled), first_scores(policy, instance)[:, order]
    )


def test_vehicles_and_stops_that_are_not_there_change_nothing():
    """An instance in a batch with a larger fleet and more stops is scored as alone."""
    one, other = directed_pvrp(1, 5, 0, fleet=2), directed_pvrp(1, 8, 1, fleet=4)
    for policy in (small_policy(), small_policy(communicate=False)):
        whole = first_scores(policy, pad([one, other]))
        torch.testing.assert_close(whole[:1, :2, :6], first_scores(policy, one))
        torch.testing.assert_close(whole[1:], first_scores(policy, other))
        assert whole[0, 2:].isinf().all()
        assert whole[0, :, 6:].isinf().all()


def test_vehicles_tell_one_another():
    """What one vehicle may do matters to another's scores; without communication it does not."""
    instance = directed_pvrp(1, 6, 0, fleet=2)
    capacity = instance.capacity.clone()
    capacity[:, 1] = 9
    other = replace(instance, capacity=capacity)
    for communicate in (True, False):
        policy = small_policy(communicate=communicate)
        before, after = first_scores(policy, instance), first_scores(policy, other)
        alike = torch.allclose(before[0, 0], after[0, 0], atol=1e-5)
        assert alike is not communicate


def test_views_and_parts_are_what_they_are_alone():
    """Encoding several turns of the map at once, or some of the instances, changes no score."""
    instance, policy = directed_pvrp(2, 6, 0), small_policy()
    views = GREEDY.decode(ENV, instance, policy).cost
    both = Strategy(views=3).decode(ENV, instance, policy)
    torch.testing.assert_close(both.cost[:, : views.shape[1]], views)
    with torch.no_grad():
        encoded = policy.encode(ENV.observe(instance))
        state = ENV.reset(instance, 1)
        whole = logits(encoded, decisions_of(ENV, instance, state, 2))
        assert isinstance(encoded, FleetEncoded)
        second = replace(
            decisions_of(ENV, instance, state, 2),
            **{
                name: getattr(decisions_of(ENV, instance, state, 2), name)[1:]
                for name in ("roles", "context", "allowed")
            },
        )
        torch.testing.assert_close(logits(encoded.part(slice(1, 2)), second), whole[1:])


@pytest.mark.parametrize("views", [1, 2])
def test_rollouts_of_the_network_keep_every_rule(views):
    """Greedy and sampled, forwards and backwards, one after another and all at once."""
    instance, policy = directed_pvrp(2, 7, 3), small_policy()
    ways = (
        Strategy(views=views, temperature=1.0, starts=3),
        Together(views=views),
        Together(views=views, temperature=1.0, starts=3),
    )
    for how in ways:
        found = how.decode(ENV, instance, policy, generator())
        torch.testing.assert_close(found.cost, ENV.cost(instance, found.actions))
        for b in range(2):
            for actions in found.actions[b].tolist():
                check_plainly("pvrp", instance, b, actions)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize(("views", "trips"), [(1, UNLIMITED), (4, 2)])
def test_compiled_rollouts_are_those_of_torch(views, trips, temperature):
    """The same actions from the same random numbers, also beyond the limit of trips."""
    instance, policy = directed_pvrp(2, 12, 3, fleet=4, trips=trips), small_policy(ask=False)
    seen = Seen.of(ENV, instance, views)
    with torch.inference_mode():
        encoded = seen.encoded(ENV, policy)
    how = Strategy(temperature=temperature, starts=6)
    assert drives_fleet(ENV, encoded, 6)
    given = ENV, seen.instance, encoded, how
    compiled = rollout(*given, generator())
    stepped = rollout(*given, generator(), trace=[])
    shared = compiled.actions.shape[2]
    assert torch.equal(compiled.actions, stepped.actions[..., :shared])
    assert torch.equal(compiled.violation, stepped.violation)
    torch.testing.assert_close(compiled.cost, stepped.cost)


def test_what_is_decoded_again_keeps_every_rule_and_gets_no_dearer():
    """Each instance of a batch, in several views, with trips that are scarce."""
    instance, policy = directed_pvrp(2, 14, 2, fleet=4, trips=3), small_policy(ask=False)
    how = Redecoding(samples=2, choices=3, each=2, rounds=1, views=4)
    once = how.decode(ENV, instance, policy, generator()).best()
    found = replace(how, rounds=6).decode(ENV, instance, policy, generator()).best()
    assert (found.cost <= once.cost + 1e-3).all()
    torch.testing.assert_close(found.cost, ENV.cost(instance, found.actions))
    for b in range(2):
        check_plainly("pvrp", instance, b, found.actions[b, 0].tolist())


def test_sampling_decodes_again_where_vehicles_decide_one_after_another(monkeypatch):
    """`policy-sample` does for profiles, and samples plainly where all vehicles are alike."""
    asked = []
    search = Redecoding.search
    monkeypatch.setattr(Redecoding, "search", lambda *given: asked.append(1) or search(*given))
    problem = nco.sample.pvrp(None, 12, seed=3, vehicles=3, preference="sector")
    greedy = nco.solve(problem, "policy", time_limit_s=0.3)
    found = nco.solve(problem, "policy-sample", time_limit_s=0.3)
    assert found.cost.total <= greedy.cost.total
    assert not nco.check(problem, found).findings
    assert asked == [1]
    nco.solve(nco.sample.pvrp(None, 12, seed=3, vehicles=3), "policy-sample", time_limit_s=0.3)
    assert asked == [1]


def test_loops_of_fleets_are_loaded_before_the_clock(monkeypatch):
    """A policy prepares them where vehicles differ, and not where all are alike."""
    asked = []
    monkeypatch.setattr(fleet_driving, "prepare", lambda: asked.append(1))
    for method in ("policy", "policy-sample"):
        asked.clear()
        solver(method).prepare(nco.sample.pvrp(None, 6, seed=3, vehicles=3))
        assert asked == []
        solver(method).prepare(nco.sample.pvrp(None, 6, seed=3, vehicles=3, preference="sector"))
        assert asked == [1]


def test_what_cannot_be_decoded_again_is_said():
    """Policies that exchange before each decision, and searches without an end."""
    instance = directed_pvrp(1, 8, 2)
    with pytest.raises(PolicyError, match="decide one after another"):
        Redecoding().decode(ENV, instance, small_policy(), generator())
    with pytest.raises(PolicyError, match="rounds is None"):
        Redecoding(rounds=None).decode(ENV, instance, small_policy(ask=False), generator())
    with pytest.raises(PolicyError, match="fewest <= most"):
        Redecoding(trips=(3, 2))


def test_a_policy_grows_only_into_what_has_its_sizes(tmp_path):
    """The message names the tensor."""
    wide = AttentionPolicy(environment("rcvrp").features, **{**SMALL, "width": 32}).eval()
    path = save_policy(tmp_path / "wide.safetensors", wide, ["rcvrp"])
    with pytest.raises(PolicyError, match=r"shape .* in the config's network"):
        grow_from(small_policy(), path)


# Learning -------------------------------------------------------------------------------------


def labelled(instance: PVRPInstance) -> torch.Tensor:
    """Solutions: every vehicle serves in one trip each what it is the first to be permitted."""
    kind = conversion("pvrp")
    problems = kind.problems(instance)
    solved = [nco.solve(p, "nearest", time_limit_s=5.0) for p in problems]
    assert all(s.feasible for s in solved)
    nodes = range(instance.nodes)
    made = padded([kind.actions(p, nodes, s.routes) for p, s in zip(problems, solved, strict=True)])
    return torch.from_numpy(made).long()


def test_right_decisions_lead_to_the_label_in_any_order():
    """Whoever takes any of them drives trips of the label, and spends no more than it does."""
    instance = directed_pvrp(2, 7, 5)
    label = labelled(instance)
    plan = Plan.of(label, instance)
    state, dice, taken = ENV.reset(instance, 4), generator(1), []
    while not ENV.done(state).all():
        right = plan.right(state).flatten(2) & ENV.mask(instance, state)
        right = torch.where(ENV.done(state)[..., None], ENV.mask(instance, state), right)
        draw = torch.rand(right.shape, generator=dice).masked_fill(~right, -1.0)
        taken.append(draw.argmax(-1))
        state = ENV.step(instance, state, taken[-1])
    expected = ENV.cost(instance, label.clamp_min(0)[:, None]).expand(-1, 4)
    assert (ENV.cost(instance, torch.stack(taken, 2)) <= 1.001 * expected).all()


def test_what_is_as_good_as_a_label_is_right():
    """Alike vehicles may begin a trip at both its ends; one that spends more may not."""
    drive = 10.0 * (1.0 - torch.eye(4)).expand(1, 3, 4, 4).clone()
    drive[0, 2] *= 1.5
    permitted = torch.ones(1, 3, 4, dtype=torch.bool)
    permitted[..., 0] = False
    instance = PVRPInstance(
        drive, torch.zeros(1, 4, 2), torch.zeros(1, 3, 4), permitted, torch.tensor([[0, 1, 1, 1]]),
        torch.full((1, 3), 10), torch.full((1, 3), UNLIMITED),
    )  # fmt: skip
    plan = Plan.of(torch.tensor([[1, 2, 3, 0]]), instance)
    ends = [False, True, False, True]
    assert plan.begins.tolist() == [[ends, ends, [False] * 4]]
    backwards = ENV.step(instance, ENV.reset(instance, 1), torch.tensor([[4 + 3]]))
    allowed = ENV.mask(instance, backwards).view(1, 1, 3, 4)
    assert torch.nonzero(plan.right(backwards) & allowed).tolist() == [[0, 0, 1, 2]]
    one_way = replace(instance, cost=drive + torch.triu(drive))
    assert plan.of(torch.tensor([[3, 2, 1, 0]]), one_way).begins[0, 0].tolist() == [
        False, False, False, True,
    ]  # fmt: skip
    scarce = replace(instance, trips=torch.ones(1, 3, dtype=torch.int64))
    assert Plan.of(torch.tensor([[1, 2, 3, 0]]), scarce).begins.sum() == 1


def test_labels_that_break_a_rule_are_refused():
    """A stop by a vehicle that may not serve it is no lesson."""
    instance = directed_pvrp(1, 5, 5)
    label = labelled(instance)
    zone = replace(instance, permitted=torch.zeros_like(instance.permitted))
    with pytest.raises(FormatError, match="breaks its rules"):
        FleetImitation().loss(ENV, Drawn("pvrp", zone, generator(), label), small_policy(), 2, 0)


@pytest.mark.parametrize("method", [FleetImitation(), Reinforce(free=True), ReinforceTogether()])
def test_methods_give_every_weight_a_gradient(method):
    """Exchange among vehicles included."""
    instance = directed_pvrp(2, 6, 0)
    policy = small_policy().train()
    drawn = Drawn("pvrp", instance, generator(), labelled(instance))
    method.loss(ENV, drawn, policy, 4, 0).value.backward()
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        if parameter.ndim > 1:
            assert parameter.grad.abs().max() > 0, name


def test_a_policy_learns_a_label_by_heart():
    """Ten steps make the right decisions clearly more likely."""
    instance = directed_pvrp(2, 6, 0)
    policy, label = small_policy().train(), labelled(instance)
    optimizer, losses = torch.optim.Adam(policy.parameters(), 1e-2), []
    for step in range(12):
        drawn = Drawn("pvrp", instance, generator(step), label)
        loss = FleetImitation(turn=False).loss(ENV, drawn, policy, 3, 0).value
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


def test_likelihoods_of_simultaneous_decisions_are_those_of_what_was_done():
    """Among the first choices of two vehicles, all that is possible has probability one."""
    instance = directed_pvrp(1, 2, 0, fleet=2)
    instance = replace(instance, permitted=torch.tensor([[[False, True, True]] * 2]))
    policy = small_policy()
    with torch.no_grad():
        encoded = policy.encode(ENV.observe(instance))
    seen: dict[tuple[int, ...], float] = {}
    rounds = []
    driven_together(ENV, instance, encoded, 4000, 1.0, generator(), rounds)
    with torch.no_grad():
        chance = rounds[0].log_likelihood(encoded.mapped(torch.clone)).exp()[0]
    stuck = rounds[0].stuck[0]
    for k in range(4000):
        lone = (int(rounds[0].action[0, k]),) if stuck[k] else ()
        seen[(*rounds[0].node[0, k].tolist(), *lone)] = float(chance[k])
    assert all(done[0] != done[1] or not done[0] for done in seen)  # no conflict
    assert sum(seen.values()) == pytest.approx(1.0, abs=1e-4)


def test_tree_search_is_refused_by_name():
    """It looks ahead along one vehicle."""
    with pytest.raises(PolicyError, match="'pvrp'"):
        TreeSearch(rounds=2).decode(ENV, directed_pvrp(1, 4, 0), small_policy())
    with pytest.raises(PolicyError, match="'rcvrp'"):
        Together().decode(
            environment("rcvrp"),
            directed_rcvrp(1, 4, 0),
            AttentionPolicy(environment("rcvrp").features, **SMALL).eval(),
        )
