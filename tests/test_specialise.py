"""A policy for one city: it is judged on places of its own, ends in time, and is written whole."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from city_tables import make_table
from test_models import small_policy

from nco.commands.train import main
from nco.errors import CityError, NcoError
from nco.models.files import save_policy
from nco.search.policy.loaded import load_policy
from nco.training import specialise as module
from nco.training.specialise import FineTuning, specialise

QUICK = {"stops": 8, "instances": 3, "reference_s": 0.05, "starts": 4, "batch_size": 8}


@pytest.fixture
def table(tmp_path):
    """A city as a file of points and matrices."""
    path = tmp_path / "town.npz"
    make_table(points=90).save(path)
    return str(path)


@pytest.fixture
def general(tmp_path):
    """An untrained policy of one problem."""
    return str(save_policy(tmp_path / "general.safetensors", small_policy(), ["rcvrp"]))


@pytest.fixture
def hasty(monkeypatch):
    """Training that may be as short as it likes."""
    monkeypatch.setattr(module, "_LEAST_S", 0.0)


@pytest.mark.usefixtures("hasty")
def test_a_city_gets_a_policy_of_its_own(table, general, tmp_path):
    """The gap falls, the weights change, and the card says what was measured."""
    out = tmp_path / "mine.safetensors"
    (gap,) = specialise(FineTuning(table, general, minutes=0.12, learning_rate=5e-3, **QUICK), out)
    assert gap.problem == "rcvrp"
    assert gap.after < gap.before
    mine = load_policy(out)
    assert mine.problems == ("rcvrp",)
    assert mine.card["measured"][0]["after"] == gap.after
    assert mine.card["training"]["steps"] > 0
    before = load_policy(general).policy.state_dict()
    after = mine.policy.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)


@pytest.mark.usefixtures("hasty")
def test_the_time_limit_holds_for_everything(table, general, tmp_path):
    """References, both measurements and training together."""
    began = time.monotonic()
    specialise(FineTuning(table, general, minutes=0.05, **QUICK), tmp_path / "mine.safetensors")
    assert time.monotonic() - began < 3.0 + 3.0


def test_places_are_trained_on_or_measured_on(table, general):
    """No point is in both halves but the depot, if one is given."""
    trained, held_out = module._pools(FineTuning(table, general))
    places = [{tuple(xy) for xy in pools.xy_m[0].tolist()} for pools in (trained, held_out)]
    assert len(trained.xy_m[0]) + len(held_out.xy_m[0]) == 90
    assert len(held_out.xy_m[0]) == 30
    assert len(places[0]) == 60


def test_a_depot_is_that_of_every_instance(monkeypatch, general):
    """All instances, trained on or measured on, begin at the same place."""
    town = make_table(points=90)
    monkeypatch.setattr(module, "table_of", lambda *_: town)
    monkeypatch.setattr(module, "find_sources", lambda *_: (None,))
    settings = FineTuning(
        "town", general, depot=(24.9, 60.2), instances=5, stops=8, reference_s=0.02
    )
    for pools in module._pools(settings):
        cases = module._cases("rcvrp", pools, settings)
        from_depot = set(pools.distance[0, 0].tolist())
        assert all(set(cost[0].tolist()) <= from_depot for cost in cases.instance.cost)


@pytest.mark.usefixtures("hasty")
def test_an_interrupt_keeps_what_was_learnt(table, general, tmp_path, monkeypatch):
    """Ctrl-C ends training at once; the policy is written, and its card says nothing of gaps."""
    real, calls = module._step, []

    def step(*given):
        calls.append(1)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(module, "_step", step)
    out = tmp_path / "mine.safetensors"
    with pytest.raises(KeyboardInterrupt):
        specialise(FineTuning(table, general, minutes=5.0, **QUICK), out)
    card = load_policy(out).card
    assert card["training"]["steps"] == 3
    assert card["measured"] == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"minutes": 0.0}, "minutes is 0"),
        ({"stops": 2}, "stops is 2"),
        ({"instances": 1}, "instances is 1"),
        ({"learning_rate": -1.0}, "learning_rate is -1"),
        ({"problems": ("atsp",)}, "serves rcvrp, not atsp"),
        ({"stops": 60}, "60 stops were asked for"),
        ({"minutes": 1e-4}, "over before training began"),
        ({"policy": "nobody"}, "'nobody' is unknown"),
        ({"instances": 10**9}, "1000000000 instances need .* of memory"),
        ({"stops": 10**7}, "of memory"),
    ],
)
def test_impossible_settings_are_refused(table, general, tmp_path, wrong, message):
    """Before the first step, and no file is written."""
    out = tmp_path / "mine.safetensors"
    with pytest.raises(NcoError, match=message):
        specialise(FineTuning(**{"city": table, "policy": general, **QUICK, **wrong}), out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--city", "atlantis"], "no city is called 'atlantis'"),
        (["--city", "TABLE", "--depot", "1,2"], "no depot can be added"),
        (["--city", "TABLE", "--depot", "here"], "'here' is no place"),
        (["--city", "TABLE", "--out", "mine.pt"], "must end in .safetensors"),
        (["--minutes", "1"], "--city"),
        (["--city", "TABLE", "--speed", "9"], "--speed"),
    ],
)
def test_the_command_refuses_by_name(table, general, options, message):
    """A city that does not exist, a place that is none, a strange ending."""
    given = [table if option == "TABLE" else option for option in options]
    with pytest.raises(NcoError, match=message):
        main(["specialise", "--policy", general, *given])


def test_a_depot_off_the_streets_is_refused():
    """A table whose depot nobody reaches is no table."""
    from nco.training.tables import build_table

    class Island:
        def sample(self, count, seed, kind, within_km=None):
            return np.random.default_rng(seed).random((count, 2))

        def matrix(self, points):
            distance = np.ones((len(points), len(points)))
            distance[0, 1:] = np.inf
            return type("Matrix", (), {"distance_m": distance, "duration_s": distance})

    with pytest.raises(CityError, match="depot at 1,2 does not reach"):
        build_table(Island(), "island", whole=8, boxed=0, boxes=1, seed=1, depot=(1.0, 2.0))
