"""The network for bus lines: sizes, orders of nodes, batches, files."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from test_transit_env import grid, random_rollouts

from nco.errors import PolicyError
from nco.transit.learn.cities import Cities
from nco.transit.policy.environment import TransitEnv
from nco.transit.policy.files import load_network, save_network, shipped_networks
from nco.transit.policy.graph import join_choices, join_scenes
from nco.transit.policy.network import TransitNetwork
from nco.transit.policy.observe import Observer

CITIES = Cities(stops=(6, 14), lines=(2, 4), longest=(3, 8), trips=(50.0, 100.0), hub=0.5)


@pytest.fixture
def network():
    """An untrained network that does not judge all moves alike."""
    torch.manual_seed(0)
    made = TransitNetwork(width=16, heads=2, layers=2, hidden=16).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


def asked(instance, seed=0, rollouts=3):
    """Scenes, choices and moves in the middle of lines that are built anew."""
    env = TransitEnv(instance)
    done = random_rollouts(env, rollouts, seed)
    state = env.reopened(done.lines, torch.arange(rollouts) % instance.lines)
    for _ in range(2):
        state = env.step(state, env.moves(state)[:, :-1].amax(1).clamp(min=0))
    state = replace(state, line=state.line.clamp(max=instance.lines - 1))
    seen, moves = Observer(env).see(state), env.moves(state)
    return seen.scenes(), seen.choices(state, moves, torch.arange(rollouts)), moves


@torch.inference_mode()
def judged(network, scenes, choices):
    """Log-probabilities and values."""
    return network.judge_moves(network.mix(scenes), choices)


def test_probabilities_are_of_allowed_moves(network):
    """They sum to one, and moves that are not there have none."""
    scenes, choices, _ = asked(CITIES.draw(1))
    log_p, value = judged(network, scenes, choices)
    torch.testing.assert_close(log_p.exp().sum(1), torch.ones(3))
    assert (log_p.isinf() == ~choices.allowed).all()
    assert value.shape == (3,)


def test_it_is_small_and_begins_without_a_preference():
    """Less than half a million numbers; untrained, all moves are alike and values are zero."""
    fresh = TransitNetwork()
    assert fresh.parameters_count < 500_000
    scenes, choices, _ = asked(grid(hub=4))
    log_p, value = judged(fresh, scenes, choices)
    expected = -choices.allowed.sum(1, keepdim=True).float().log()
    torch.testing.assert_close(log_p[choices.allowed], expected.expand_as(log_p)[choices.allowed])
    assert not value.any()


@pytest.mark.parametrize("seed", range(4))
def test_numbers_of_nodes_do_not_matter(network, seed):
    """With nodes in another order, moves have the same probabilities."""
    plain = CITIES.draw(seed)
    order = np.random.default_rng(seed).permutation(plain.size)
    place = np.argsort(order)
    other = plain.changed(
        link_s=plain.link_s[np.ix_(order, order)],
        demand=plain.demand[np.ix_(order, order)],
        hub=None if plain.hub is None else int(place[plain.hub]),
        xy=None,
    )
    envs = TransitEnv(plain), TransitEnv(other)
    done = random_rollouts(envs[0], 2, seed).lines
    moved = torch.where(done < 0, -1, torch.from_numpy(place)[done.clamp(min=0)])
    found = []
    for env, lines in zip(envs, (done, moved), strict=True):
        state = env.reopened(lines, torch.tensor([0, 1]))
        if plain.hub is None:
            first = torch.tensor([0, 1]) if env is envs[0] else torch.from_numpy(place[:2])
            state = env.step(state, first)
        seen, moves = Observer(env).see(state), env.moves(state)
        log_p, value = judged(network, seen.scenes(), seen.choices(state, moves, torch.arange(2)))
        named = [
            {int(order[m] if env is envs[1] and m < plain.size else m): float(p)
             for m, p in zip(row, row_p, strict=True) if m >= 0}
            for row, row_p in zip(moves.tolist(), log_p.tolist(), strict=True)
        ]  # fmt: skip
        found.append((named, value))
    for ours, theirs in zip(found[0][0], found[1][0], strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)
    torch.testing.assert_close(found[0][1], found[1][1])


def test_cities_of_different_sizes_are_judged_together_as_alone(network):
    """Joined scenes do not hear of each other."""
    parts = [asked(CITIES.draw(seed), seed) for seed in (1, 2, 5)]
    scenes, choices = [p[0] for p in parts], [p[1] for p in parts]
    log_p, value = judged(network, join_scenes(scenes), join_choices(choices, scenes))
    begin = 0
    for one, own in zip(scenes, choices, strict=True):
        alone_p, alone_value = judged(network, one, own)
        rows = slice(begin, begin + len(alone_p))
        wide = alone_p.shape[1]
        torch.testing.assert_close(log_p[rows, :wide], alone_p)
        assert log_p[rows, wide:].isinf().all()
        torch.testing.assert_close(value[rows], alone_value)
        begin += len(alone_p)


def test_demand_far_away_is_heard_of(network):
    """Edges of demand carry what links alone would not in two layers."""
    plain = grid(side=6, hub=0)
    demand = np.zeros((36, 36))
    demand[35, 30] = 30.0
    values = []
    for amount in (1.0, 9.0):
        changed = demand.copy()
        changed[1, 35] = amount
        scenes, choices, _ = asked(plain.changed(demand=changed))
        values.append(judged(network, scenes, choices)[0])
    assert not torch.allclose(values[0], values[1], atol=1e-4)


def test_every_number_of_the_network_is_learned(network):
    """Gradients reach all of them."""
    scenes, choices, _ = asked(CITIES.draw(3))
    log_p, value = network.judge_moves(network.mix(scenes), choices)
    (log_p[choices.allowed].square().sum() + value.square().sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        # A number that is added to all scores of a choice cannot matter.
        assert name == "score.bias" or parameter.grad.abs().max() > 0, name


def test_sizes_that_do_not_fit_are_refused():
    """The message names them."""
    with pytest.raises(PolicyError, match="heads must divide width"):
        TransitNetwork(width=10, heads=4)


def test_files_keep_a_network(network, tmp_path):
    """What is loaded judges as what was saved; the card is plain text."""
    path = save_network(tmp_path / "mine.safetensors", network, {"note": "a test"})
    loaded = load_network(path)
    scenes, choices, _ = asked(CITIES.draw(1))
    for a, b in zip(
        judged(network, scenes, choices), judged(loaded.network, scenes, choices), strict=True
    ):
        assert torch.equal(a, b)
    assert json.loads(path.with_suffix(".json").read_text())["note"] == "a test"


def test_files_of_something_else_are_refused(network, tmp_path):
    """Damaged, foreign, missing or wrongly named ones, each with a message."""
    foreign = tmp_path / "foreign.safetensors"
    save_file({"x": torch.zeros(1)}, foreign)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"no weights")
    for path in (foreign, damaged):
        with pytest.raises(PolicyError, match=r"no (network for bus lines|safetensors)"):
            load_network(path)
    with pytest.raises(PolicyError, match="is unknown"):
        load_network(tmp_path / "missing.safetensors")
    with pytest.raises(PolicyError, match="must end in"):
        save_network(tmp_path / "mine.bin", network)


@pytest.mark.parametrize("name", shipped_networks())
def test_shipped_networks_load(name):
    """Each with a card that says how it was trained and what was measured."""
    card = load_network(name).card
    assert {"training", "measured"} <= card.keys()
