"""Our environments inside RL4CO: its checks, torchrl's, and RL4CO's own models."""

from __future__ import annotations

import warnings

import pytest
import torch
from directed import MAKE, PLAIN

from nco.envs import ENVIRONMENTS
from nco.errors import PolicyError, ProblemError

# Third parties warn at import and in training; nothing of that is ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nco.envs import rl4co as rl4co_env

STOPS = 9
NODES = STOPS + 1
every_problem = pytest.mark.parametrize("name", PLAIN)


def make_env(name, **kwargs):
    draw = iter(range(10**6))
    generator = rl4co_env.InstanceGenerator(
        lambda batch: MAKE[name](batch, STOPS, seed=next(draw)), STOPS + (name == "atsp")
    )
    return rl4co_env.RL4COEnv(name, generator, seed=3, **kwargs)


def random_rollout(env, td):
    actions = []
    while not td["done"].all():
        action = torch.multinomial(td["action_mask"].float(), 1).squeeze(-1)
        actions.append(action)
        td = env.step(td.set("action", action))["next"]
    return td, torch.stack(actions, 1)


@every_problem
def test_specs_hold(name):
    """What resets and steps return is what the specs say, by torchrl's own check."""
    from torchrl.envs.utils import check_env_specs

    check_env_specs(make_env(name, _torchrl_mode=True))


@every_problem
def test_random_rollouts_are_valid_and_cost_what_the_fast_environment_says(name):
    """One transition function serves both, so they cannot disagree; RL4CO's check agrees."""
    env = make_env(name)
    td = env.reset(batch_size=[5])
    instance = env._instance(td)
    done, actions = random_rollout(env, td)
    reward = env.get_reward(done, actions)
    cost = ENVIRONMENTS[name].cost(instance, actions[:, None])[:, 0]
    torch.testing.assert_close(reward, -cost)


@every_problem
def test_what_models_read_is_of_order_one(name):
    """Coordinates, shares of load, time and cost lie in [0, 1] from reset to the end."""
    env = make_env(name)
    td = env.reset(batch_size=[5])
    done, _ = random_rollout(env, td)
    shown = ("locs", "demand", "used_capacity", "cost_matrix", "time_windows", "durations",
             "current_time")  # fmt: skip
    for step in (td, done):
        for key in shown:
            if key in step:
                assert step[key].dtype == torch.float32
                assert 0 <= step[key].min() <= step[key].max() <= 1


@every_problem
def test_incomplete_rollouts_are_refused(name):
    """A missing last action is found."""
    env = make_env(name)
    done, actions = random_rollout(env, env.reset(batch_size=[1]))
    with pytest.raises(ProblemError, match="not complete"):
        env.check_solution_validity(done, actions[:, :-1])


@every_problem
def test_forbidden_actions_are_refused(name):
    """A stop served twice is found, with its rollout and step."""
    env = make_env(name)
    td = env.reset(batch_size=[2])
    with pytest.raises(ProblemError, match=r"rollout 0: node 1 .* step 1"):
        env.check_solution_validity(td, torch.tensor([[1, 1], [1, 0]]))


def test_overloaded_vehicles_are_refused():
    """No vehicle carries all stops."""
    env = make_env("rcvrp")
    everything = torch.arange(1, STOPS + 1)[None]
    with pytest.raises(ProblemError, match="too large"):
        env.check_solution_validity(env.reset(batch_size=[1]), everything)


def test_drawn_instances_must_have_the_promised_size():
    """A generator that draws another number of stops is found at once."""
    generator = rl4co_env.InstanceGenerator(lambda batch: MAKE["rcvrp"](batch, 5, 0), STOPS)
    with pytest.raises(ProblemError, match="num_loc"):
        rl4co_env.RL4COEnv("rcvrp", generator)


def test_unknown_problems_are_named():
    """The message lists what there is."""
    with pytest.raises(PolicyError, match="rcvrptw"):
        rl4co_env.RL4COEnv("tsp", None)


@every_problem
def test_starts_are_those_of_the_environment(name):
    """RL4CO's multi-start begins at every stop and never at a depot."""
    env = make_env(name)
    td = env.reset(batch_size=[2])
    expected = list(range(name != "atsp", NODES))
    assert env.get_num_starts(td) == len(expected)
    starts = env.select_start_nodes(td, len(expected))
    assert starts.tolist() == [s for s in expected for _ in range(2)]


def trains_a_step(env, policy) -> None:
    """One step of RL4CO's POMO changes the weights of a policy."""
    from rl4co.models import POMO

    model = POMO(env, policy)
    starts = env.get_num_starts(env.reset(batch_size=[4]))
    out = policy(env.reset(batch_size=[4]), env, phase="train", decode_type="multistart_sampling",
                 num_starts=starts)  # fmt: skip
    assert out["reward"].shape == (4 * starts,)
    before = [p.clone() for p in policy.parameters()]
    optimizer = torch.optim.Adam(policy.parameters(), 1e-2)
    batch = env.generator([4])
    loss = model.shared_step(batch, 0, phase="train")["loss"]
    loss.backward()
    optimizer.step()
    assert any(not torch.equal(a, b) for a, b in zip(before, policy.parameters(), strict=True))


@every_problem
def test_the_attention_model_trains_a_step(name):
    """RL4CO's attention model learns on it through RL4CO's own POMO."""
    from rl4co.models.zoo.am import AttentionModelPolicy

    env = make_env(name)
    policy = AttentionModelPolicy(
        env_name=env.name, embed_dim=16, num_encoder_layers=1, num_heads=2, feedforward_hidden=32
    )
    trains_a_step(env, policy)


def test_matnet_trains_a_step():
    """MatNet reads the directed costs of tours."""
    from rl4co.models.zoo.matnet import MatNetPolicy

    env = make_env("atsp")
    trains_a_step(env, MatNetPolicy(env_name="atsp", embed_dim=16, num_encoder_layers=1,
                                    num_heads=2))  # fmt: skip


def test_batches_pass_through_the_data_set_of_rl4co():
    """Drawn instances survive RL4CO's splitting into items and stacking."""
    env = make_env("rcvrptw")
    data = env.dataset([6])
    items = data.collate_fn([data[k] for k in (4, 1)])
    td = env.reset(items)
    torch.testing.assert_close(env._instance(td).duration, items["instance", "duration"])
