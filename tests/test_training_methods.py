"""Learning methods: baselines, clipped steps, imitation of labels, and their wrong options."""

from __future__ import annotations

import warnings

import pytest
import torch
from directed import MAKE, PLAIN, check_plainly
from test_models import small_policy

from nco.baselines.pyvrp import PyVRP
from nco.envs import environment
from nco.envs.base import feasible
from nco.envs.convert import conversion
from nco.errors import FormatError, PolicyError
from nco.models.pointer import logits
from nco.training.batch import Drawn
from nco.training.imitation import Imitation
from nco.training.labels import Labels, padded
from nco.training.orders import ORDERS, order
from nco.training.ppo import PPO
from nco.training.preference import Preference, preferences
from nco.training.reinforce import Reinforce, rollout_loss
from nco.training.rollouts import advantages, encode, given, sample, turned_at_random
from nco.training.seeds import seeded
from nco.training.self_labelling import SelfLabelling, as_labels

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nco.training.budget import CpuBudget
    from nco.training.module import PolicyTraining

# Lightning's own deprecations and advice; nothing of that is ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

PROBLEMS = PLAIN


def drawn(name: str, label: torch.Tensor | None = None) -> Drawn:
    """A batch of four instances."""
    return Drawn(name, MAKE[name](4, 6, 0), seeded("cpu", name), label)


def gradients(policy) -> torch.Tensor:
    """All gradients as one vector."""
    return torch.cat([p.grad.flatten() for p in policy.parameters()])


# Advantages -----------------------------------------------------------------------------------


def test_advantages_compare_a_rollout_with_the_others():
    """Both baselines by hand; a rollout that costs what the others do has none."""
    cost = torch.tensor([[1.0, 2.0, 6.0], [5.0, 5.0, 5.0]])
    shared = advantages(cost, "shared", scaled=False)
    torch.testing.assert_close(shared[0], torch.tensor([-2.0, -1.0, 3.0]) / 3)
    others = advantages(cost, "leave_one_out", scaled=False)
    torch.testing.assert_close(others[0], torch.tensor([1 - 4.0, 2 - 3.5, 6 - 1.5]) / 3)
    assert advantages(cost)[0].std() == pytest.approx(1.0)
    assert advantages(cost)[1].abs().max() == 0


@pytest.mark.parametrize("options", [{"baseline": "leave_one_out"}, {"scaled": False}])
def test_the_loss_weighs_every_decision_by_its_advantage(options):
    """Its gradient is that of logits in plain torch, summed over decisions."""
    env, instance, policy = environment("rcvrp"), MAKE["rcvrp"](3, 5, 0), small_policy()
    rollout_loss(env, instance, policy, 4, seeded("cpu", 0), **options)[0].backward()
    found = gradients(policy)
    policy.zero_grad()
    again = sample(env, instance, policy, 4, seeded("cpu", 0))
    taken = torch.log_softmax(logits(again.encoded, again.decisions), -1)
    taken = taken.gather(2, again.action[..., None]).squeeze(-1)
    advantage = advantages(again.cost, **options)
    (taken * again.each_decision(advantage)).sum().div(advantage.numel()).backward()
    torch.testing.assert_close(found, gradients(policy), rtol=1e-3, atol=1e-5)


def test_maps_turned_at_random_keep_their_distances():
    """Each instance is under one symmetry: nothing but coordinates changes, and not all alike."""
    env, instance = environment("rcvrp"), MAKE["rcvrp"](32, 5, 0)
    seen = env.observe(instance)
    turned = turned_at_random(seen, seeded("cpu", 0))
    before, after = (torch.cdist(o.node[..., :2], o.node[..., :2]) for o in (seen, turned))
    torch.testing.assert_close(before, after)
    assert torch.equal(seen.node[..., 4:], turned.node[..., 4:])
    same = (seen.node == turned.node).all(-1).all(-1)
    assert 0 < same.sum() < 16


# PPO ------------------------------------------------------------------------------------------


def test_clipped_steps_follow_the_clipped_objective():
    """After a first step, the gradient is that of the clipped objective in plain torch."""
    env, policy, method = environment("rcvrp"), small_policy(), PPO(0.02, 1, 2)
    batch = drawn("rcvrp")
    method.loss(env, batch, policy, 6, 0).value.backward()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter -= 0.02 * parameter.grad.sign()
    policy.zero_grad()
    loss = method.loss(env, batch, policy, 6, 1)
    assert 0 < loss.logged["clipped"] < 1
    loss.value.backward()
    found = gradients(policy)
    policy.zero_grad()
    held = method._parts[1]
    score = logits(encode(policy, env.observe(held.instance)), held.decisions)
    new = torch.log_softmax(score, -1).gather(2, held.action[..., None]).squeeze(-1)
    ratio = (new - held.old).exp()
    worse = torch.maximum(ratio * held.advantage, ratio.clamp(1 - 0.02, 1 + 0.02) * held.advantage)
    (worse.sum() / (len(held.action) * 6)).backward()
    torch.testing.assert_close(found, gradients(policy), rtol=1e-3, atol=1e-5)


def test_every_rollout_is_learnt_from_as_often_as_asked():
    """The parts of an epoch are the batch; the first step of a cycle samples again."""
    env, policy, method = environment("atsp"), small_policy("atsp"), PPO(epochs=2, minibatches=3)
    assert method.cycle == 6
    method.loss(env, drawn("atsp"), policy, 3, 0)
    parts = method._parts
    for epoch in (parts[:3], parts[3:]):
        costs = torch.cat([part.instance.cost for part in epoch]).sum((1, 2)).sort().values
        torch.testing.assert_close(costs, drawn("atsp").instance.cost.sum((1, 2)).sort().values)
    method.loss(env, drawn("atsp"), policy, 3, 5)
    assert method._parts is parts
    method.loss(env, drawn("atsp"), policy, 3, 0)
    assert method._parts is not parts


# Preferences ----------------------------------------------------------------------------------


def test_the_better_of_two_rollouts_pulls_by_the_model_of_bradley_and_terry():
    """Value by hand, derivative by autograd; rollouts that cost the same say nothing."""
    cost = torch.tensor([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]])
    likelihood = torch.tensor([[-1.0, -3.0, 0.5], [-2.0, 0.0, 1.0]]).double().requires_grad_()
    value, pull = preferences(cost, likelihood, 0.5)
    by_hand = sum(-torch.log(torch.sigmoid(torch.tensor(0.5 * lead))) for lead in (2.0, -1.5))
    assert float(value.detach()) == pytest.approx(float(by_hand) / 2 / 2)
    value.backward()
    torch.testing.assert_close(likelihood.grad, pull.detach())
    assert pull[0, 0] < 0 < pull[0, 1] < pull[0, 2]
    assert pull[1].abs().max() == 0


def test_preferences_weigh_whole_rollouts():
    """The gradient is that of the pairs' loss in plain torch, and so is the value shown."""
    env, policy = environment("rcvrp"), small_policy()
    shown = Preference(0.1).loss(env, drawn("rcvrp"), policy, 5, 0).value
    shown.backward()
    found = gradients(policy)
    policy.zero_grad()
    again = sample(env, drawn("rcvrp").instance, policy, 5, drawn("rcvrp").generator)
    taken = torch.log_softmax(logits(again.encoded, again.decisions), -1)
    taken = taken.gather(2, again.action[..., None]).squeeze(-1)
    whole = torch.stack([taken[:, k::5].sum(1) for k in range(5)], 1)
    plain = preferences(again.cost, whole, 0.1)[0]
    plain.backward()
    torch.testing.assert_close(shown, plain, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found, gradients(policy), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", [Preference(0.2), SelfLabelling(orders=2, views=2)])
def test_costs_fall_by_preferences_and_by_own_labels(method):
    """A few steps on the same tours make what is sampled shorter."""
    env, policy = environment("atsp"), small_policy("atsp")
    instance = MAKE["atsp"](16, 7, 0)
    optimizer = torch.optim.Adam(policy.parameters(), 5e-3)

    def cost() -> float:
        return float(sample(env, instance, policy, 7, seeded("cpu", "judge")).cost.mean())

    before = cost()
    for k in range(30):
        loss = method.loss(env, Drawn("atsp", instance, seeded("cpu", k)), policy, 7, 0)
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
    assert cost() < 0.97 * before


def test_waiting_after_the_last_return_is_no_part_of_a_label():
    """One return to the depot stays; a tour may end at its first node."""
    waits = torch.tensor([[2, 0, 1, 0, 0, 0], [2, 1, 0, 0, 0, 0], [2, 3, 1, 4, 5, 0]])
    ends = [[2, 0, 1, 0, -1, -1], [2, 1, 0, -1, -1, -1], [2, 3, 1, 4, 5, 0]]
    assert as_labels(waits).tolist() == ends


# Imitation ------------------------------------------------------------------------------------


def labels(name: str) -> torch.Tensor:
    """Solutions of the instances of `drawn`."""
    kind = conversion(name)
    problems = kind.problems(drawn(name).instance)
    solved = [PyVRP(max_iterations=30).solve(p, 5.0, 1) for p in problems]
    actions = padded(
        [kind.actions(p, range(p.size), s.routes) for p, s in zip(problems, solved, strict=True)]
    )
    return torch.from_numpy(actions).long()


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_order_of_a_solution_is_the_solution(name):
    """Other orders are allowed, keep every rule, cost the same, and differ."""
    env, batch, label = environment(name), drawn(name), labels(name)
    actions = order(name)(label, 20, seeded("cpu", 1))
    assert feasible(env, batch.instance, actions).all()
    cost = env.cost(batch.instance, actions)
    torch.testing.assert_close(cost, cost[:, :1].expand_as(cost), rtol=1e-5, atol=1e-2)
    assert len({tuple(row) for row in actions[0].tolist()}) > 1
    for b in range(4):
        end = len(actions[b, 0]) if name == "atsp" else int((label[b] >= 0).sum())
        check_plainly(name, batch.instance, b, actions[b, 0, :end].tolist())


def test_what_breaks_a_rule_is_not_feasible():
    """Tours that miss a node, and routes that carry too much."""
    instance = MAKE["atsp"](1, 3, 0)
    assert feasible(environment("atsp"), instance, torch.tensor([[[2, 0, 3, 1]]])).all()
    assert not feasible(environment("atsp"), instance, torch.tensor([[[2, 0, 3, 3]]])).any()
    heavy = MAKE["rcvrp"](1, 3, 0, capacity=int(MAKE["rcvrp"](1, 3, 0).demand.max()))
    assert not feasible(environment("rcvrp"), heavy, torch.tensor([[[1, 2, 3, 0]]])).any()


@pytest.mark.parametrize("name", PROBLEMS)
def test_imitation_makes_labels_likely(name):
    """Its loss is the mean over real decisions, and a few steps bring it down."""
    env, policy, label = environment(name), small_policy(name), labels(name)
    actions = order(name)(label, 2, seeded("cpu", 1))
    _, action, counted, allowed = given(env, drawn(name).instance, actions)
    assert (allowed | ~counted).all()
    assert action.shape == (4, 2 * (label.shape[1] - 1))
    assert int(counted.sum()) == 2 * int(((label >= 0).sum(1) - 1).sum())
    optimizer = torch.optim.Adam(policy.parameters(), 5e-3)
    found = []
    for _ in range(25):
        loss = Imitation().loss(env, drawn(name, label), policy, 4, 0)
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
        found.append(float(loss.value))
    assert found[-1] < 0.8 * found[0]


def test_imitation_needs_labels_that_keep_the_rules():
    """Without labels, or with those of other instances, the message says what to run."""
    env, policy = environment("rcvrp"), small_policy()
    with pytest.raises(PolicyError, match=r"data\.labels\.path"):
        Imitation().loss(env, drawn("rcvrp"), policy, 2, 0)
    wrong = torch.tensor([[1, 2, 3, 4, 5, 6, 0]]).expand(4, -1)
    with pytest.raises(FormatError, match="nco train label"):
        Imitation().loss(env, drawn("rcvrp", wrong), policy, 2, 0)


# Options --------------------------------------------------------------------------------------


def test_every_environment_can_be_imitated():
    """A new environment must say which orders of actions lead to the same solution."""
    assert set(ORDERS) == set(PLAIN)
    with pytest.raises(PolicyError, match="pdp"):
        order("pdp")


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Reinforce("median"), "baseline"),
        (lambda: PPO(baseline="median"), "baseline"),
        (lambda: PPO(clip=1.0), "clip"),
        (lambda: PPO(epochs=0), "epochs"),
        (lambda: Preference(sharpness=0.0), "sharpness"),
        (lambda: SelfLabelling(orders=0), "orders"),
        (lambda: SelfLabelling(views=0), "views"),
        (lambda: CpuBudget(0.0), "minutes"),
        (lambda: Labels("labels.npz", solver="guess"), "solver"),
        (lambda: Labels("labels.txt"), "npz"),
        (lambda: Labels("labels.npz", groups=0), "groups"),
        (lambda: Labels("labels.npz", time_limit_s=0.0), "time_limit_s"),
        (lambda: PolicyTraining(lambda *_: small_policy(), starts=1), "starts"),
    ],
)
def test_impossible_options_of_methods_are_refused(make, named):
    """The message names the option."""
    with pytest.raises(PolicyError, match=named):
        make()


# Pieces ---------------------------------------------------------------------------------------


def test_a_piece_ends_where_it_fails_or_gains_no_more():
    """Its labels are charged, its gain is paired, and the reason is said."""
    from benchmarks.pieces import Piece, Row, gain, verdict

    labels = {"groups": 10, "size": 30, "time_limit_s": 0.2}
    assert Piece("p", [], options={"data": {"labels": labels}}).labels_min == pytest.approx(1.0)
    begun = {"atsp 50": [9.0], "atsp 100": [4.0, 6.0]}

    def row(minutes: float, gained: float) -> Row:
        return Row(minutes, {"atsp 50": [9.0], "atsp 100": [4.0 - gained, 6.0 - gained]})

    assert gain(begun, row(1, 0.5).gaps, 100) == [0.5, 0.5]
    assert gain(begun, row(1, 0.5).gaps) == [0.0, 0.5, 0.5]
    piece = Piece("p", [], minutes=100, gain=0.2, after=20, patience=2)
    assert verdict(piece, begun, [], 100) is None
    assert verdict(piece, begun, [row(10, 0.1)], 100) is None
    assert "0.2 were asked" in verdict(piece, begun, [row(10, 0.1), row(20, 0.15)], 100)
    better = [row(10, 0.1), row(20, 0.3)]
    assert verdict(piece, begun, better, 100) is None
    assert "no new best" in verdict(piece, begun, [*better, row(30, 0.2), row(40, 0.29)], 100)
    assert verdict(piece, begun, [*better, row(100, 0.9)], 100) == "its time is over"
