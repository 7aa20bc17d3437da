"""Training: the data module, learning, resuming, and every wrong option."""

from __future__ import annotations

import json
import os
import warnings

import pytest
import torch
from directed import MAKE, directed_rcvrp
from test_models import small_policy
from training_runs import arguments, fit_elsewhere, write_tables

import nco
from nco.commands.train import main
from nco.envs import environment
from nco.envs.convert import conversion
from nco.errors import FormatError, InputError, PolicyError
from nco.search.decoding.rollout import GREEDY
from nco.search.policy.loaded import load_policy
from nco.search.policy.solver import PolicySolver
from nco.training.references import References

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nco.training.data import CityData
    from nco.training.module import PolicyTraining
    from nco.training.reinforce import rollout_loss

# Lightning's own deprecations and advice; nothing of that is ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> list[str]:
    """Paths of three tables."""
    return write_tables(tmp_path_factory.mktemp("tables"))


# Data module ----------------------------------------------------------------------------------


def prepared(tables: list[str], **options) -> CityData:
    data = CityData(tables[:2], stops=(5, 8), batch_size=4, **options)
    data.setup("fit")
    return data


def test_batches_follow_from_seed_epoch_and_number(tables):
    """The same key gives the same batch in any run; any other key gives another."""
    data, again = prepared(tables), prepared(tables)
    device = torch.device("cpu")
    first = data.drawn(3, 7, device).instance
    assert torch.equal(first.cost, again.drawn(3, 7, device).instance.cost)
    for other in (data.drawn(3, 8, device), data.drawn(4, 7, device)):
        cost = other.instance.cost
        assert cost.shape != first.cost.shape or not torch.equal(cost, first.cost)
    sizes = {data.drawn(0, k, device).instance.cost.shape[1] for k in range(40)}
    assert sizes == {6, 7, 8, 9}


def test_processes_take_different_numbers_of_equal_size(tables, monkeypatch):
    """Together they draw every batch once, and batches of one step have one size."""
    data = prepared(tables, batches_per_epoch=9)
    for rank in range(2):
        monkeypatch.setattr(CityData, "_process", lambda self, rank=rank: (rank, 2))
        assert len(data.train_dataloader()) == 4
    device = torch.device("cpu")
    for place in range(4):
        left, right = (data.drawn(0, rank + 2 * place, device).instance for rank in range(2))
        assert left.cost.shape == right.cost.shape
        assert not torch.equal(left.cost, right.cost)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"problems": ["tsp"]}, "tsp"),
        ({"stops": (9, 5)}, "stops"),
        ({"batch_size": 0}, "batch_size"),
        ({"batches_per_epoch": 0}, "batches_per_epoch"),
    ],
)
def test_impossible_data_options_are_refused(tables, options, named):
    """The message names the option, before any table is read."""
    with pytest.raises(PolicyError, match=named):
        CityData(tables, **options)


def test_validation_cities_must_be_unseen(tables):
    """A city that is trained on says nothing about other cities."""
    with pytest.raises(PolicyError, match="validation_cities"):
        CityData(tables, validation_cities=tables[:1])
    with pytest.raises(PolicyError, match="cities is empty"):
        CityData([])


def test_problems_are_drawn_by_weight(tables):
    """What weighs nothing never comes; three times the weight comes about three times as often."""
    data = prepared(tables, problems=["atsp", "rcvrp", "rcvrptw"], problem_weights=[3.0, 0.0, 1.0])
    drawn = [data.drawn(0, number, torch.device("cpu")).problem for number in range(80)]
    assert drawn.count("rcvrp") == 0
    assert 48 <= drawn.count("atsp") <= 72


def test_some_batches_drive_backwards(tables):
    """The share that is asked for, and else the same instances."""
    never, always = prepared(tables), prepared(tables, backwards=1.0)
    ahead, back = (data.drawn(1, 2, torch.device("cpu")).instance for data in (never, always))
    assert torch.equal(back.cost, ahead.cost.transpose(1, 2))
    assert torch.equal(back.demand, ahead.demand)


# Learning -------------------------------------------------------------------------------------


def test_the_loss_is_the_policy_gradient():
    """Its gradient is that of advantages times log-likelihoods, recomputed step by step."""
    env, instance, policy = environment("rcvrp"), directed_rcvrp(2, 5, 0), small_policy()
    loss, cost = rollout_loss(env, instance, policy, 4, torch.Generator().manual_seed(0))
    assert cost.shape == (2, 4)
    assert loss.requires_grad
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in policy.parameters())


def test_training_makes_routes_shorter():
    """A hundred steps on one distribution beat the untrained policy clearly."""
    env, policy = environment("rcvrp"), small_policy()
    fresh = directed_rcvrp(64, 10, 10**6)
    before = GREEDY.decode(env, fresh, policy).cost.mean()
    optimizer = torch.optim.Adam(policy.parameters(), 3e-3)
    generator = torch.Generator().manual_seed(0)
    for k in range(60):
        loss, _ = rollout_loss(env, directed_rcvrp(16, 10, k), policy, 8, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert GREEDY.decode(env, fresh, policy).cost.mean() < 0.9 * before


@pytest.mark.parametrize(
    ("option", "value"),
    [("starts", 1), ("learning_rate", 0.0), ("warmup", 2.0), ("cooldown", -1.0)],
)
def test_impossible_training_options_are_refused(option, value):
    """The message names the option."""
    with pytest.raises(PolicyError, match=option):
        PolicyTraining(lambda *_: small_policy(), **{option: value})


# The command ----------------------------------------------------------------------------------


def test_validation_measures_the_gap_to_references(tables, tmp_path, capsys, caplog):
    """References are computed by one verb, used by another, and the checkpoint is exported."""
    stored = tmp_path / "references.json"
    unseen = (
        "--data.validation_cities", json.dumps(tables[2:]), "--data.references", str(stored),
        "--data.validation_stops", "[5]", "--data.validation_instances", "3",
    )  # fmt: skip
    given = arguments(tables, tmp_path, *unseen)
    with pytest.raises(FormatError, match="nco train references"):
        main(["validate", *given])
    with caplog.at_level("WARNING", "nco"):
        main(["fit", *given, "--trainer.max_epochs", "1"])
    assert "without validation" in caplog.text
    import nco.commands.train as cli

    cli.REFERENCE_CPU_S, kept = 0.1, cli.REFERENCE_CPU_S
    try:
        assert main(["references", *given]) == 0
    finally:
        cli.REFERENCE_CPU_S = kept
    assert main(["fit", *given, "--trainer.max_epochs", "1"]) == 0
    capsys.readouterr()
    last = str(tmp_path / "last.ckpt")
    assert main(["validate", *given, "--ckpt_path", last]) == 0
    assert "val/gap_percent" in capsys.readouterr().out
    assert main(["export", last, str(tmp_path / "mine.safetensors")]) == 0
    mine = load_policy(tmp_path / "mine.safetensors", "rcvrp")
    assert mine.card["training"]["steps"] == 6
    assert mine.card["training"]["cities"] == tables[:2]


@pytest.mark.parametrize("name", ["atsp", "rcvrptw"])
def test_every_problem_trains_by_the_same_command(tables, tmp_path, monkeypatch, name):
    """One option names the problem, from references to a policy file that solves it."""
    monkeypatch.setattr("nco.commands.train.REFERENCE_CPU_S", 0.1)
    given = arguments(
        tables, tmp_path, "--model.problems", f"[{name}]", "--trainer.max_epochs", "1",
        "--data.validation_cities", json.dumps(tables[2:]),
        "--data.references", str(tmp_path / "references.json"),
        "--data.validation_stops", "[5]", "--data.validation_instances", "2",
    )  # fmt: skip
    assert main(["references", *given]) == 0
    assert main(["fit", *given]) == 0
    assert main(["export", str(tmp_path / "last.ckpt"), str(tmp_path / "mine.safetensors")]) == 0
    asked = conversion(name).problem(MAKE[name](1, 7, 0), 0)
    method = PolicySolver("policy", source=str(tmp_path / "mine.safetensors"))
    assert nco.solve(asked, method, time_limit_s=5.0).feasible


def test_references_of_other_instances_are_not_used(tmp_path):
    """A key that is not stored is refused, and so is a damaged file."""
    references = References(str(tmp_path / "r.json"))
    references.store("a", {"cost_m": [1.0]})
    references.store("b", {"cost_m": [2.0, 3.0]})
    assert references.costs("b", 2).tolist() == [2.0, 3.0]
    with pytest.raises(FormatError, match="lack"):
        references.costs("c", 1)
    with pytest.raises(FormatError, match="must hold 3 positive costs"):
        references.costs("b", 3)


@pytest.mark.parametrize(
    "content",
    ["[", "[1]", '{"a": [1]}', '{"a": {}}', '{"a": {"cost_m": "1"}}', '{"a": {"cost_m": [null]}}',
     '{"a": {"cost_m": [-1.0]}}', '{"a": {"cost_m": [1e39]}}', "[" * 100_000],
)  # fmt: skip
def test_damaged_references_are_refused(tmp_path, content):
    """Whatever a file of references holds that no costs are."""
    path = tmp_path / "r.json"
    path.write_text(content)
    with pytest.raises(FormatError, match=r"r\.json"):
        References(str(path)).costs("a", 1)


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["fly"], "fly"),
        (["fit", "--config", "nothing"], "nothing"),
        (["fit", "--config=nothing"], "nothing"),
        (["fit", "--config", "smoke", "--data.citties", "[x]"], "citties"),
        (["fit", "--config", "smoke", "--model.learning_rat", "1"], "learning_rat 1"),
        (["validate", "--config", "smoke"], "nothing to validate on"),
        (["fit", "--config", "smoke", "--data.cities", "[atlantis]"], "atlantis"),
        (["fit", "--config", "smoke", "--model.learning_rate", "fast"], "learning_rate"),
        (["fit", "--config", "smoke", "--model.starts", "1"], "starts"),
        (["fit", "--config", "smoke", "--model.problems", "tsp"], "tsp"),
        (["fit", "--config", "smoke", "--model.policy.init_args.heads", "5"], "heads"),
        (["fit", "--config", "smoke", "--model.policy", "os.system"], "policy"),
        (["export", "one"], "export"),
    ],
)
def test_wrong_options_are_typed_errors(argv, named, capsys):
    """Found before the first step; the message names the option."""
    with pytest.raises(InputError, match=named):
        main(argv)


@pytest.mark.parametrize("chosen", [None, "active"])
def test_threads_sleep_while_they_wait_unless_the_user_chose(monkeypatch, chosen):
    """Busy waiting makes training many times slower where another process holds a core."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if chosen:
        monkeypatch.setenv("OMP_WAIT_POLICY", chosen)
    else:
        monkeypatch.setenv("OMP_WAIT_POLICY", "")  # so that it is taken back after the test
        monkeypatch.delenv("OMP_WAIT_POLICY")
    assert main([]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == (chosen or "passive")


def test_help_names_verbs_and_configs(capsys):
    """`nco train` alone says what there is."""
    assert main([]) == 0
    out = capsys.readouterr().out
    for word in ("fit", "validate", "references", "export", "smoke", "general"):
        assert word in out


WITNESS = '''
import lightning, torch.distributed as dist

class Witness(lightning.Callback):
    """Writes what each process saw and what its weights became."""

    def __init__(self, folder: str):
        self.folder, self.seen = folder, []

    def on_train_batch_start(self, trainer, module, batch, index):
        self.seen.append(float(batch.instance.cost.sum()))

    def on_train_end(self, trainer, module):
        weight = float(module.policy.embedding.weight.detach().sum())
        with open(f"{self.folder}/{trainer.global_rank}.txt", "w") as file:
            file.write(repr((self.seen, weight)))
'''


@pytest.mark.slow
def test_two_processes_draw_different_instances_and_agree_on_weights(tables, tmp_path):
    """Two gloo processes see no instance twice, and end with the same weights."""
    (tmp_path / "witness.py").write_text(WITNESS)
    more = (
        "--trainer.devices", "2", "--trainer.strategy", "ddp", "--trainer.max_epochs", "1",
        "--trainer.callbacks+", "witness.Witness",
        "--trainer.callbacks.init_args.folder", str(tmp_path),
    )  # fmt: skip
    done = fit_elsewhere(arguments(tables, tmp_path, *more), tmp_path)
    assert done.returncode == 0, done.stderr
    (seen_a, weight_a), (seen_b, weight_b) = (
        eval((tmp_path / f"{rank}.txt").read_text()) for rank in range(2)
    )
    assert len(seen_a) == len(seen_b) == 3
    assert not set(seen_a) & set(seen_b)
    assert weight_a == weight_b
