"""Learning bus lines: made-up cities, lessons from search and from chance, and going on."""

from __future__ import annotations

import json
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Timer

from nco.commands.train import main
from nco.errors import PolicyError
from nco.transit.design.guide import NetworkGuide
from nco.transit.learn.cities import Cities
from nco.transit.learn.lessons import judge, town
from nco.transit.learn.module import TransitTraining
from nco.transit.learn.ppo import TransitPPO
from nco.transit.learn.selfplay import SelfPlay
from nco.transit.policy.files import load_network
from nco.transit.policy.network import TransitNetwork

# Lightning and torch warn of themselves.
pytestmark = pytest.mark.filterwarnings("ignore")

TINY = Cities(stops=(8, 12), lines=(2, 3), longest=(4, 5), trips=(40.0, 60.0))
METHODS = [
    TransitPPO(designs=2, rollouts=4, rounds=1),
    SelfPlay(designs=2, rounds=1, first=4, leaves=2, width=2),
]
either = pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)


def small():
    """An untrained network."""
    torch.manual_seed(0)
    return TransitNetwork(width=8, heads=2, layers=1, hidden=8)


def lessons_of(method, network, city=5):
    """What a method collects in a city."""
    place = town(TINY, city, 1.0)
    guide = NetworkGuide(place.env, network.eval())
    return method.collect(place, city, guide, torch.Generator().manual_seed(1), 2.0)


def test_cities_follow_from_their_seed_and_keep_to_their_ranges():
    """In sizes, streets a stop, and demand."""
    cities = Cities(stops=(20, 40), streets=(1.6, 1.8), trips=(100.0, 100.0))
    for seed in range(5):
        city, again = cities.draw(seed), cities.draw(seed)
        assert np.array_equal(city.demand, again.demand)
        assert np.array_equal(city.link_s, again.link_s)
        assert 20 <= city.size <= 40
        assert 1.4 <= len(city.links) / city.size <= 1.9
        assert city.trips == pytest.approx(100.0 * city.lines, rel=0.3)
    assert cities.draw(1).size != cities.draw(2).size or cities.draw(1).hub != cities.draw(2).hub


def test_ranges_that_are_empty_are_refused():
    """The message names them."""
    with pytest.raises(PolicyError, match=r"stops is \[9, 8\]"):
        Cities(stops=(9, 8))


@either
def test_lessons_are_of_moves_that_are_allowed(method):
    """Targets are probabilities, and lines under way are lines of the city."""
    lessons, spreads = lessons_of(method, small())
    assert np.isfinite(spreads).all()
    place = town(TINY, 5, 1.0)
    for lesson in lessons:
        torch.testing.assert_close(lesson.target.sum(1), torch.ones(len(lesson.target)))
        assert not lesson.target[lesson.moves < 0].any()
        assert ((lesson.moves >= 0).sum(1) > 1).all()
        assert ((lesson.line >= 0).sum(1) == lesson.stops).all()
        for line, stops in zip(lesson.line.tolist(), lesson.stops.tolist(), strict=True):
            for a, b in pairwise(line[:stops]):
                assert b in place.instance.neighbours[a]
        assert torch.isfinite(lesson.gain).all()


def test_old_probabilities_are_those_the_network_gives_again():
    """So that ratios begin at one: features from lessons are those of the rollouts."""
    network = small()
    torch.nn.init.normal_(network.score.weight)
    lessons, _ = lessons_of(METHODS[0], network)
    with torch.inference_mode():
        found = judge(network, TINY, lessons)
    log_p = (found.log_p.masked_fill(found.log_p.isinf(), 0.0) * found.target).sum(1)
    torch.testing.assert_close(log_p, found.old)


def test_gains_of_search_are_not_negative():
    """Values are measured from the first line, which is one of those that were found."""
    lessons, _ = lessons_of(METHODS[1], small())
    assert all((lesson.gain >= 0).all() for lesson in lessons)


def test_cities_are_learned_from_together():
    """Two lessons are judged as each alone."""
    network = small()
    torch.nn.init.normal_(network.score.weight)
    lessons = [lesson for city in (5, 6) for lesson in lessons_of(METHODS[1], network, city)[0]]
    with torch.inference_mode():
        together = judge(network, TINY, lessons)
        alone = [judge(network, TINY, [lesson]) for lesson in lessons]
    torch.testing.assert_close(together.value, torch.cat([one.value for one in alone]))
    assert len(together.target) == sum(len(lesson.target) for lesson in lessons)


@either
def test_a_lesson_is_learned(method):
    """Its loss falls when it is repeated."""
    network = small()
    lessons, _ = lessons_of(method, network)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(25):
        loss, _ = method.loss(judge(network, TINY, lessons))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.02


def arguments(folder, method, steps):
    """A command line for very little training."""
    path = folder / "config.yaml"
    callback = "lightning.pytorch.callbacks.ModelCheckpoint"
    content = {
        "seed_everything": 1,
        "model": {
            "method": method,
            "network": {"width": 8, "heads": 2, "layers": 1, "hidden": 8},
            "cities": {k: list(v) if isinstance(v, tuple) else v for k, v in vars(TINY).items()},
            "batch": 1,
            "cooldown": 0.0,
        },
        "trainer": {
            "accelerator": "cpu",
            "default_root_dir": str(folder / "run"),
            "logger": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "callbacks": [
                {
                    "class_path": callback,
                    "init_args": {
                        "dirpath": str(folder), "save_last": True, "every_n_train_steps": 2,
                    },
                }
            ],
        },
    }  # fmt: skip
    path.write_text(json.dumps(content))
    return ["transit", "fit", "--config", str(path), "--trainer.max_steps", str(steps)]


SPECS = [
    {
        "class_path": "nco.transit.learn.ppo.TransitPPO",
        "init_args": {"designs": 2, "rollouts": 3, "rounds": 1},
    },
    {
        "class_path": "nco.transit.learn.selfplay.SelfPlay",
        "init_args": {"designs": 2, "rounds": 1, "first": 3, "leaves": 1, "width": 2},
    },
]


@pytest.mark.parametrize("spec", SPECS, ids=["ppo", "selfplay"])
def test_training_goes_on_exactly_where_it_was_stopped(spec, tmp_path):
    """Buffer, running spread and cities included; and what it leaves is a network."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
    main(arguments(whole, spec, 4))
    main(arguments(parts, spec, 2))
    main([*arguments(parts, spec, 4), "--ckpt_path", str(parts / "last.ckpt")])
    one, other = (load_network(folder / "last.ckpt") for folder in (whole, parts))
    assert one.card["training"]["steps"] == 4
    assert any(parameter.abs().sum() > 0 for parameter in one.network.score.parameters())
    for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_options_that_make_no_sense_are_refused(tmp_path):
    """By errors of ours, before anything is played."""
    for name, value in (("buffer", "100000000000000000000"), ("seed", "-1")):
        with pytest.raises(PolicyError, match=f"{name} is {value}|{name} {value}"):
            main([*arguments(tmp_path, SPECS[0], 1), f"--model.{name}", value])
    with pytest.raises(PolicyError, match="demand_shares"):
        main([*arguments(tmp_path, SPECS[0], 1), "--model.demand_shares", "[0.0]"])
    with pytest.raises(PolicyError, match="clip 2"):
        TransitPPO(clip=2)
    with pytest.raises(PolicyError, match="trust 1"):
        SelfPlay(trust=1)


@pytest.mark.parametrize(
    ("steps", "clock_s", "done"),
    [(-1, None, 0.0), (100, None, 0.5), (-1, (30.0, 90.0), 0.25), (100, (90.0, 30.0), 0.75)],
)
def test_what_is_done_counts_steps_or_time(steps, clock_s, done):
    """The learning rate falls towards whichever end is nearer; without any end it stays."""

    class Stopped(Timer):
        def time_elapsed(self, stage=None):
            return clock_s[0]

        def time_remaining(self, stage=None):
            return clock_s[1]

    callbacks = [] if clock_s is None else [Stopped()]
    module = TransitTraining(TransitPPO(), small())
    module.trainer = SimpleNamespace(max_steps=steps, global_step=50, callbacks=callbacks)
    assert module._done() == done
