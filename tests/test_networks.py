"""All networks and their options: what every encoder must keep to, and what each option means."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from directed import MAKE, PLAIN, directed_rcvrp
from test_learning import sampled_costs
from test_models import first_logits

from nco.envs import ENVIRONMENTS, environment
from nco.envs.rcvrp import RCVRPInstance
from nco.errors import PolicyError
from nco.models.adaptive_bias import GatedBias, Pairs
from nco.models.attention import AttentionPolicy
from nco.models.files import save_policy
from nco.models.graph import GraphPolicy
from nco.models.mixing import AttentionFree
from nco.models.node_embedding import drawn_distances, nearest_distances
from nco.models.pointer import Decisions, logits
from nco.models.rrnco import PUBLISHED, RADAR, RRNCOPolicy
from nco.models.spectral import balanced, singular_factors
from nco.search.decoding.rollout import GREEDY
from nco.search.decoding.views import turned
from nco.search.policy.loaded import load_policy

SMALL = {"width": 16, "heads": 2, "decoder_heads": 2, "layers": 2, "hidden": 16}
FEW = {"neighbours": 4, "bias_width": 8}

NETWORKS = {
    "attention": (AttentionPolicy, {}),
    "rrnco": (RRNCOPolicy, FEW),
    "published": (RRNCOPolicy, {**PUBLISHED, **FEW, "heads": 1}),
    "published paper form": (RRNCOPolicy, {**PUBLISHED, **FEW, "heads": 1, "form": "paper"}),
    "sampled": (RRNCOPolicy, {**FEW, "nearest": "sampled"}),
    "raw angles": (RRNCOPolicy, {**FEW, "angle": "raw"}),
    "no angles": (RRNCOPolicy, {**FEW, "angle": "none", "gate": "scalar"}),
    "joint": (RRNCOPolicy, {**FEW, "bias": "joint"}),
    "distance": (RRNCOPolicy, {**FEW, "bias": "distance", "angle": "none"}),
    "own biases": (RRNCOPolicy, {**FEW, "shared_bias": False}),
    "two streams": (RRNCOPolicy, {**FEW, "form": "attention"}),
    "instance norm": (RRNCOPolicy, {**FEW, "norm": "instance", "form": "attention"}),
    "spectral": (RRNCOPolicy, {**FEW, "spectral": 5}),
    "radar": (RRNCOPolicy, {**RADAR, **FEW, "spectral": 3}),
    "sinkhorn": (RRNCOPolicy, {**FEW, "sinkhorn": 3}),
    "sinkhorn code": (RRNCOPolicy, {**FEW, "sinkhorn": 3, "form": "code"}),
    "graph": (GraphPolicy, {"neighbours": 3, "edge_width": 8}),
    "gatv2": (GraphPolicy, {"neighbours": 3, "edge_width": 8, "convolution": "gatv2"}),
}  # fmt: skip
DRAWS = {"published", "published paper form", "sampled"}
ALL = pytest.mark.parametrize("network", NETWORKS)
SETTLED = pytest.mark.parametrize("network", [name for name in NETWORKS if name not in DRAWS])
UNION = reduce(or_, (environment(name).features for name in sorted(ENVIRONMENTS)))


def small(network: str, features=UNION):
    """A network that is built and run in milliseconds."""
    kind, options = NETWORKS[network]
    sizes = {
        name: size for name, size in SMALL.items() if name != "heads" or "heads" not in options
    }
    torch.manual_seed(0)
    return kind(features, **{**options, **sizes}).eval()


def padded(observation, extra: int):
    """The observation with more nodes, which are full of nonsense and not there."""
    batch, nodes = observation.node.shape[:2]
    present = torch.ones(batch, nodes + extra, dtype=torch.bool)
    present[:, nodes:] = False
    return replace(
        observation,
        node=F.pad(observation.node, (0, 0, 0, extra), value=3.0),
        pair=F.pad(observation.pair, (0, extra, 0, extra), value=0.01),
        present=present,
    )


@pytest.mark.parametrize("name", PLAIN)
@ALL
def test_one_network_serves_every_problem_and_size(network, name):
    """Built for all features, it decodes each problem, from as few nodes as it can on."""
    policy = small(network)
    for stops in (5, 12) if network in DRAWS else (1, 12):
        found = GREEDY.decode(environment(name), MAKE[name](2, stops, 0), policy)
        assert torch.isfinite(found.cost).all()


@SETTLED
def test_stops_may_be_listed_in_any_order(network):
    """Permuting the stops permutes the logits and changes nothing else."""
    instance = directed_rcvrp(2, 8, 0)
    generator = torch.Generator().manual_seed(1)
    order = torch.cat([torch.zeros(1).long(), 1 + torch.randperm(8, generator=generator)])
    shuffled = RCVRPInstance(
        instance.cost[:, order][:, :, order], instance.xy[:, order], instance.demand[:, order],
        instance.capacity, instance.vehicles,
    )  # fmt: skip
    policy = small(network)
    expected = first_logits(policy, "rcvrp", instance)[..., order]
    found = first_logits(policy, "rcvrp", shuffled)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@ALL
def test_encoders_tell_there_from_back(network):
    """Embeddings of a matrix and of its transpose differ, whatever the decoder sees."""
    env, instance, policy = environment("rcvrp"), directed_rcvrp(1, 8, 0), small(network)
    back = replace(instance, cost=instance.cost.transpose(1, 2))
    with torch.no_grad():
        there, other = (policy.embed(env.observe(given)) for given in (instance, back))
    for one, two in zip(there, other, strict=True):
        assert not torch.allclose(one, two, atol=1e-3)


@SETTLED
@pytest.mark.parametrize("name", ["atsp", "rcvrptw"])
def test_nodes_that_are_not_there_change_nothing(network, name):
    """An instance filled up to a larger size has the same embeddings and decisions."""
    env, instance, policy = environment(name), MAKE[name](2, 6, 0), small(network)
    seen = env.observe(instance)
    with torch.no_grad():
        alone, filled = policy.encode(seen), policy.encode(padded(seen, 5))
    n = seen.node.shape[1]
    torch.testing.assert_close(filled.query[:, :, :n], alone.query, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(filled.key[:, :, :n], alone.key, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(filled.target[:, :n], alone.target, rtol=1e-3, atol=1e-4)
    for tensor in filled.tensors:
        assert torch.isfinite(tensor).all()


@ALL
def test_views_are_what_each_of_them_is_alone(network):
    """Encoding eight views at once is encoding each of them, padded or not."""
    env, policy = environment("rcvrp"), small(network)
    seen = turned(padded(env.observe(directed_rcvrp(2, 6, 0)), 2), 8)
    with torch.no_grad():
        together = torch.stack(policy.embed(seen)).unflatten(1, (2, 8))
        for view in range(8):
            node = seen.node.view(2, 8, *seen.node.shape[1:])[:, view]
            alone = torch.stack(policy.embed(replace(seen, node=node)))
            torch.testing.assert_close(together[:, :, view], alone, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", PLAIN)
@ALL
def test_every_parameter_learns(network, name):
    """Every problem gives all parameters a gradient; that of all features moves all maps."""
    env, instance = environment(name), MAKE[name](3, 7, 0)
    policy = small(network).train()
    state = env.reset(instance, 1)
    allowed = torch.ones(3, 1, 8, dtype=torch.bool)
    decisions = Decisions(env.roles(state), env.context(instance, state), allowed)
    score = logits(policy.encode(env.observe(instance)), decisions)
    score.log_softmax(-1)[..., 2].sum().backward()
    for tensor, parameter in policy.named_parameters():
        assert parameter.grad is not None, tensor
        assert torch.isfinite(parameter.grad).all(), tensor
        if name == "rcvrptw" and parameter.ndim > 1:
            assert parameter.grad.abs().max() > 1e-9, tensor


@pytest.mark.filterwarnings("ignore")  # Lightning's own deprecations
@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("rrnco", "rcvrp"),
        ("published paper form", "atsp"),
        ("radar", "atsp"),
        ("graph", "rcvrp"),
        ("gatv2", "atsp"),
    ],
)
def test_networks_learn(network, name):
    """Twenty steps on a city make sampled rollouts clearly cheaper."""
    sampled = sampled_costs(small(network).train(), name, steps=20, batch=12, stops=10)
    assert sum(sampled[-5:]) < 0.9 * 5


@ALL
def test_policy_files_keep_every_option(network, tmp_path):
    """A saved network is built again and decides alike."""
    policy, instance = small(network), directed_rcvrp(2, 8, 0)
    path = save_policy(tmp_path / "policy.safetensors", policy, sorted(ENVIRONMENTS))
    again = load_policy(path, "rcvrp").policy
    assert again.spec() == policy.spec()
    torch.testing.assert_close(
        first_logits(again, "rcvrp", instance), first_logits(policy, "rcvrp", instance)
    )


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        (RRNCOPolicy, {"form": "fast"}, "form is 'fast'; it must be one of paper, code"),
        (RRNCOPolicy, {"nearest": "random"}, "nearest"),
        (RRNCOPolicy, {"gate": "both"}, "gate"),
        (RRNCOPolicy, {"bias": "none"}, "bias"),
        (RRNCOPolicy, {"angle": "degrees"}, "angle"),
        (RRNCOPolicy, {"norm": "batch"}, "norm"),
        (RRNCOPolicy, {"neighbours": 0}, "neighbours"),
        (RRNCOPolicy, {"spectral": 0}, "spectral"),
        (RRNCOPolicy, {"sinkhorn": -1}, "sinkhorn"),
        (RRNCOPolicy, {"heads": 3}, "heads"),
        (GraphPolicy, {"convolution": "gcn"}, "convolution"),
        (GraphPolicy, {"neighbours": 0}, "neighbours"),
    ],
)
def test_unknown_options_are_refused(kind, options, named):
    """The message names the option and what is allowed."""
    with pytest.raises(PolicyError, match=named):
        kind(UNION, **{**SMALL, **options})


@pytest.mark.parametrize(("kind", "lost"), [("node", "x"), ("pair", "cost")])
def test_features_that_are_read_must_be_there(kind, lost):
    """A network that reads a feature is not built for environments that lack it."""
    left = tuple(name for name in getattr(UNION, kind) if name != lost)
    with pytest.raises(PolicyError, match=f"lack '{lost}'"):
        RRNCOPolicy(replace(UNION, **{kind: left}), **SMALL)


def test_too_few_nodes_to_draw_from_are_refused():
    """The message says how many there are and what to do; padding does not count."""
    env, policy = environment("rcvrp"), small("sampled")
    for seen in (
        env.observe(directed_rcvrp(2, 3, 0)),
        padded(env.observe(directed_rcvrp(2, 3, 0)), 9),
    ):
        with pytest.raises(PolicyError, match=r"4 nodes, and 4 neighbours .* nearest='nearest'"):
            policy.encode(seen)


def test_draws_repeat_in_evaluation_and_after_a_resumption():
    """Evaluation always draws alike; training goes on where its weights say that it was."""
    env, policy = environment("rcvrp"), small("sampled")
    seen = env.observe(directed_rcvrp(2, 12, 0))

    def drawn(policy) -> torch.Tensor:
        with torch.no_grad():
            return policy.embed(seen)[0]

    torch.testing.assert_close(drawn(policy), drawn(policy), rtol=0, atol=0)
    policy.train()
    first = drawn(policy)
    resumed = small("sampled").train()
    resumed.load_state_dict(policy.state_dict())
    second = drawn(policy)
    assert not torch.equal(first, second)
    torch.testing.assert_close(drawn(resumed), second, rtol=0, atol=0)


def test_neighbours_are_near_and_come_in_order():
    """Nearest ones are the smallest costs; drawn ones are often near, alike in both directions."""
    cost = directed_rcvrp(1, 9, 3).cost / 1000
    found = nearest_distances(cost, 12, None)
    torch.testing.assert_close(
        found[0, 4, :9], torch.cat([cost[0, 4, :4], cost[0, 4, 5:]]).sort()[0]
    )
    assert (found[..., 9:] == found[..., 8:9]).all()
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack([drawn_distances(cost, 3, None, generator)[0] for _ in range(200)])
    assert (draws.diff(dim=-1) >= 0).all()
    assert (draws > 0).all()
    assert draws.mean() < 0.8 * cost[cost > 0].mean()


@pytest.mark.parametrize("durations", [False, True])
def test_the_folded_bias_is_the_published_one(durations):
    """Applying the last maps before the weighing changes nothing but the cost."""
    torch.manual_seed(0)
    bias = GatedBias(durations, "raw", 6, 1, 148)
    name = "rcvrptw" if durations else "rcvrp"
    pairs = Pairs.of(environment(name).observe(MAKE[name](2, 5, 0)), "raw")
    given = [pairs.plane("cost"), pairs.angle, *([pairs.plane("duration")] if durations else [])]
    first, second = (
        list(zip(layer.weight.split(6), layer.bias.split(6), strict=True))
        for layer in (bias.first, bias.second)
    )
    embedded = [
        F.linear(F.relu(F.linear(plane.movedim(1, -1), *one)), *two)
        for one, two, plane in zip(first, second, given, strict=True)
    ]
    gate = bias.gate(torch.cat(embedded, -1))
    if durations:
        weights = torch.softmax(bias.choice(F.silu(gate)) / bias.temperature.exp(), -1)
    else:
        weights = torch.cat([torch.sigmoid(gate), 1 - torch.sigmoid(gate)], -1)
    fused = sum(weights[..., m : m + 1] * z for m, z in enumerate(embedded))
    expected = bias.scale * bias.output(fused).squeeze(-1)
    torch.testing.assert_close(bias(pairs)[:, 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", ["paper", "code"])
def test_attention_free_mixing_is_its_formula(form):
    """Subtracting maxima changes nothing, and extreme biases break nothing."""
    torch.manual_seed(0)
    mixing = AttentionFree(6, 1, form, None)
    x, y, bias = torch.randn(2, 5, 6), torch.randn(2, 5, 6), torch.randn(2, 1, 5, 5)
    key, value = mixing.memory(y).chunk(2, -1)
    a, k = bias[:, 0], key
    if form == "code":
        a, k = torch.softmax(a, -1), torch.softmax(k, 1)
    part = (a.exp() @ (k.exp() * value)) / (a.exp() @ k.exp())
    expected = mixing.combine(torch.sigmoid(mixing.query(x)) * part)
    one = torch.ones(())
    torch.testing.assert_close(mixing(x, y, bias, None, one), expected, rtol=1e-4, atol=1e-5)
    assert torch.isfinite(mixing(x, 500 * y, 500 * bias, None, one)).all()


def test_balanced_weights_sum_to_one_both_ways():
    """Rows do exactly, columns nearly; nodes that are not there have no weight."""
    score = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(0))
    present = torch.ones(3, 6, dtype=torch.bool)
    present[1, 4:] = False
    weight = balanced(score, 30, present).exp()
    torch.testing.assert_close(weight.sum(-1), present.float())
    torch.testing.assert_close(weight.sum(-2), present.float(), rtol=1e-3, atol=1e-3)
    assert (weight[1, 4:] == 0).all()


def test_singular_factors_rebuild_a_matrix_of_their_rank():
    """The best approximation of the rank; others are zero, and so are those of zeros."""
    low = torch.rand(2, 8, 3) @ torch.rand(2, 3, 8)
    rows, columns = singular_factors(low, 3)
    torch.testing.assert_close(rows @ columns.transpose(1, 2), low, rtol=1e-3, atol=1e-3)
    rows, columns = singular_factors(torch.zeros(1, 2, 2), 4)
    assert rows.shape == (1, 2, 4)
    assert not rows.any()
    assert not columns.any()
