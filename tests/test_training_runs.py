"""Whole runs: killed and resumed, begun from weights, imitating labels, and refused in time."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from test_models import small_policy
from training_runs import arguments, fit_elsewhere, losses, write_tables

from nco.commands.train import main
from nco.errors import FormatError, InputError, PolicyError, StorageError
from nco.files import locked
from nco.models.files import save_policy
from nco.search.policy.loaded import load_policy
from nco.training.curves import plot_curves, read_curves

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nco.training import autosave, precision
    from nco.training.checkpoints import AtomicCheckpoints
    from nco.training.data import CityData

# Lightning's own deprecations and advice; nothing of that is ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

SCHEDULE = ("--model.warmup", "0.2", "--model.cooldown", "0.4", "--trainer.max_epochs", "2")


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> list[str]:
    """Paths of three tables."""
    return write_tables(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def trained(tables, tmp_path_factory):
    """The folder of a run of six steps, with a checkpoint after every second one."""
    folder = tmp_path_factory.mktemp("trained")
    every = ("--trainer.callbacks.every_n_train_steps", "2", "--trainer.max_epochs", "1")
    assert main(["fit", *arguments(tables, folder, *every)]) == 0
    return folder


# Resuming -------------------------------------------------------------------------------------

KILLER = '''
import lightning, os, signal
from nco.training import autosave

autosave.EVERY_S = autosave._LEAST_PAUSE = 0

class Killer(lightning.Callback):
    """Ends its process without a word."""

    def __init__(self, step: int):
        self.step = step

    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)
'''


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tables, tmp_path):
    """Killed in its first epoch, it has the losses of an uninterrupted run: none is lost."""
    (tmp_path / "killer.py").write_text(KILLER)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main(["fit", *arguments(tables, whole, *SCHEDULE)]) == 0
    kill = ("--trainer.callbacks+", "killer.Killer", "--trainer.callbacks.init_args.step", "5")
    done = fit_elsewhere(arguments(tables, parts, *SCHEDULE, *kill), tmp_path)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert max(losses(parts)) >= 3
    assert main(["fit", *arguments(tables, parts, *SCHEDULE, "--ckpt_path", "last")]) == 0
    assert losses(whole) == losses(parts)
    assert sorted(losses(whole)) == list(range(12))
    assert [path.name for path in parts.glob("last*")] == ["last.ckpt"]


def test_autosave_keeps_to_its_clock_and_to_where_training_can_go_on(tables, tmp_path, monkeypatch):
    """Half a minute after the start at first; never within a cycle, nor over another run's file."""
    clock = itertools.count(0.0, 20.0)
    monkeypatch.setattr(autosave, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    written, write = [], AtomicCheckpoints.save_checkpoint

    def spy(self, checkpoint, path, storage_options=None):
        written.append((Path(path).name, checkpoint["global_step"]))
        write(self, checkpoint, path, storage_options)

    monkeypatch.setattr(AtomicCheckpoints, "save_checkpoint", spy)
    (tmp_path / "last.ckpt").write_bytes(b"of another run")
    cycle = ("--model.method", "PPO", "--model.method.epochs", "1", "--trainer.max_epochs", "1")
    assert main(["fit", *arguments(tables, tmp_path, *cycle)]) == 0
    assert written == [("last-v1.ckpt", 4), ("epoch=0-step=6.ckpt", 6), ("last-v1.ckpt", 6)]
    assert (tmp_path / "last.ckpt").read_bytes() == b"of another run"


@pytest.mark.parametrize(
    ("more", "step"),
    [
        (("--trainer.accumulate_grad_batches", "2"), 4),
        (("--model.method", "PPO", "--model.method.epochs", "1"), 8),
        (("--data.curriculum.stops", "[2, 3]", "--data.curriculum.epochs", "1.5"), 8),
    ],
)
def test_every_way_to_train_is_resumed_exactly(tables, tmp_path, more, step):
    """From any checkpoint, in mid-epoch too, the losses go on as they were."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    given = (
        *SCHEDULE, "--trainer.callbacks.every_n_train_steps", "2",
        "--trainer.callbacks.save_top_k", "-1", *more,
    )  # fmt: skip
    assert main(["fit", *arguments(tables, whole, *given)]) == 0
    from_ = ("--ckpt_path", str(whole / f"epoch=1-step={step}.ckpt"))
    assert main(["fit", *arguments(tables, parts, *given, *from_)]) == 0
    before, after = losses(whole), losses(parts)
    assert after == {k: v for k, v in before.items() if k >= step}
    assert after


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("--trainer.max_epochs", "0"), "max_epochs is 0, but .* trained for 1"),
        (("--trainer.max_steps", "5"), "max_steps is 5, but .* trained for 6"),
        (("--model.policy.init_args.heads", "2"), r"--model\.policy\.init_args\.heads is 2"),
        (("--model.learning_rate", "1e-4"), r"--model\.learning_rate is 0\.0001"),
        (("--model.method", "PPO"), r"--model\.method\.class_path is .*PPO"),
        (("--data.batch_size", "5"), r"--data\.batch_size is 5, but .* was trained with 4"),
        (("--data.stops", "[4, 7]"), r"--data\.stops is \[4, 7\]"),
        (("--data.cities+", "helsinki"), r"--data\.cities is"),
    ],
)  # fmt: skip
def test_options_that_contradict_a_checkpoint_are_refused(trained, tables, tmp_path, change, named):
    """Fewer epochs than it has, another network of the same shape, other data: by the option."""
    last = ("--ckpt_path", str(trained / "last.ckpt"))
    with pytest.raises(PolicyError, match=named):
        main(["fit", *arguments(tables, tmp_path, *last, *change)])
    assert not losses(tmp_path)


def test_what_does_not_change_training_may_differ(trained, tables, tmp_path):
    """Files may lie elsewhere, more epochs may follow, other cities may be validated on."""
    elsewhere = [str(shutil.copy(table, tmp_path)) for table in tables]
    given = arguments(
        elsewhere, tmp_path, "--ckpt_path", str(trained / "last.ckpt"), "--trainer.max_epochs", "2",
        "--data.validation_cities", json.dumps(elsewhere[2:]),
    )  # fmt: skip
    assert main(["fit", *given]) == 0
    assert sorted(losses(tmp_path)) == list(range(6, 12))


@pytest.mark.parametrize("verb", ["fit", "validate"])
def test_without_a_last_checkpoint_nothing_begins_anew(tables, tmp_path, verb):
    """`--ckpt_path last` in an empty folder is an error that says so."""
    with pytest.raises(PolicyError, match=f"no last checkpoint in {tmp_path}; leave the option"):
        main([verb, *arguments(tables, tmp_path, "--ckpt_path", "last")])
    assert not losses(tmp_path)


def test_weights_alone_cannot_be_gone_on_from(tables, tmp_path):
    """A checkpoint without the optimizer's state is for `--model.weights`."""
    given = arguments(tables, tmp_path, "--trainer.max_epochs", "1")
    assert main(["fit", *given, "--trainer.callbacks.save_weights_only", "true"]) == 0
    with pytest.raises(PolicyError, match="holds weights only"):
        main(["fit", *given, "--ckpt_path", "last"])


def test_an_interrupted_write_leaves_the_last_good_checkpoint(trained, tmp_path, monkeypatch):
    """Whatever ends a process before a new checkpoint is complete does not touch the old one."""
    last = tmp_path / "last.ckpt"
    last.write_bytes((trained / "last.ckpt").read_bytes())

    def stop(handle):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "fsync", stop)  # the content is written, the rename has not happened
        AtomicCheckpoints().save_checkpoint({"state_dict": {}}, last)
    assert last.read_bytes() == (trained / "last.ckpt").read_bytes()
    assert load_policy(last).problems == ("rcvrp",)
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(StorageError, match="cannot write"):
        AtomicCheckpoints().save_checkpoint({}, blocked / "last.ckpt")


# Weights and checkpoints of others ------------------------------------------------------------


def test_training_begins_with_given_weights(trained, tables, tmp_path, monkeypatch):
    """A checkpoint or a policy file of the same network; what was learnt is there."""
    written, write = [], AtomicCheckpoints.save_checkpoint

    def spy(self, checkpoint, path, storage_options=None):
        written.append(Path(path).name)
        write(self, checkpoint, path, storage_options)

    monkeypatch.setattr(AtomicCheckpoints, "save_checkpoint", spy)
    last = str(trained / "last.ckpt")
    still = ("--model.weights", last, "--model.learning_rate", "1e-12", "--trainer.max_epochs", "1")
    assert main(["fit", *arguments(tables, tmp_path, *still)]) == 0
    assert written == ["epoch=0-step=6.ckpt", "last.ckpt"]
    begun = load_policy(tmp_path / "last.ckpt")
    assert begun.card["training"]["weights"] == last
    before, after = load_policy(last).policy.state_dict(), begun.policy.state_dict()
    for name, tensor in before.items():
        torch.testing.assert_close(tensor, after[name], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("--model.policy.init_args.hidden", "32"), r"tensor 'blocks\.0\.up\.weight'"),
        (("--model.policy.init_args.layers", "1"), r"tensor '(bias|blocks)\."),
        (("--model.problems", "[rcvrp, rcvrptw]"), "of another network"),
    ],
)
def test_weights_of_another_network_are_refused(trained, tables, tmp_path, change, named):
    """The tensor that does not fit is named, for a checkpoint without options as well."""
    last, former = trained / "last.ckpt", tmp_path / "former.ckpt"
    checkpoint = torch.load(last, weights_only=True)
    del checkpoint["callbacks"]["KeptOptions"]
    torch.save(checkpoint, former)
    for option, path in (("--model.weights", last), ("--ckpt_path", former)):
        with pytest.raises(PolicyError, match=named):
            main(["fit", *arguments(tables, tmp_path, option, str(path), *change)])


@pytest.mark.parametrize("option", ["--model.weights", "--ckpt_path"])
@pytest.mark.parametrize("content", [None, b"", b"damaged", "cut", "foreign", "nan"])
def test_files_that_are_no_checkpoints_are_refused(trained, tables, tmp_path, option, content):
    """Missing, empty, damaged, cut off, of another program, or with NaN: found before a step."""
    path = tmp_path / "given.ckpt"
    if content == "cut":
        path.write_bytes((trained / "last.ckpt").read_bytes()[:20_000])
    elif content == "foreign":
        torch.save({"state_dict": {}}, path)
    elif content == "nan":
        checkpoint = torch.load(trained / "last.ckpt", weights_only=True)
        checkpoint["state_dict"]["policy.norm.weight"][0] = torch.nan
        torch.save(checkpoint, path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(PolicyError, match=r"given\.ckpt"):
        main(["fit", *arguments(tables, tmp_path, option, str(path))])


def test_a_damaged_last_checkpoint_is_named(tables, tmp_path):
    """`--ckpt_path last` looks at the file before Lightning does."""
    (tmp_path / "last.ckpt").write_bytes(b"damaged")
    with pytest.raises(PolicyError, match=r"last\.ckpt is .*damaged"):
        main(["fit", *arguments(tables, tmp_path, "--ckpt_path", "last")])


def test_a_folder_belongs_to_one_training(tables, tmp_path):
    """While another process writes its checkpoints there, a training does not begin."""
    folder = tmp_path / "run"
    with locked(folder), pytest.raises(PolicyError, match=r"another training .*run; wait"):
        main(["fit", *arguments(tables, folder)])
    assert not list(tmp_path.rglob("*.ckpt"))


def test_features_in_another_order_are_another_network(tables, tmp_path):
    """Tensors of equal shapes do not deceive: columns would mean something else."""
    policy = small_policy(width=16, heads=4, hidden=64)
    features = policy.features
    policy._init_args["features"]["node"] = features.node[::-1]
    save_policy(tmp_path / "other.safetensors", policy, ["rcvrp"])
    weights = ("--model.weights", str(tmp_path / "other.safetensors"))
    with pytest.raises(PolicyError, match="node features"):
        main(["fit", *arguments(tables, tmp_path, *weights)])


# Labels ---------------------------------------------------------------------------------------


def test_labels_are_computed_once_and_imitated(tables, tmp_path, monkeypatch, caplog):
    """A label run that was interrupted goes on; training on labels needs them complete enough."""
    path = tmp_path / "labels.npz"
    given = arguments(
        tables, tmp_path, "--data.labels.path", str(path), "--data.labels.groups", "3",
        "--data.labels.size", "4", "--data.labels.time_limit_s", "0.02",
        "--model.problems", "[atsp, rcvrp, rcvrptw]", "--model.method", "Imitation",
        "--trainer.max_epochs", "1",
    )  # fmt: skip
    with pytest.raises(FormatError, match="nco train label"):
        main(["fit", *given])
    from nco.training import teacher

    solve, solved = teacher.solve_by_cpu, []

    def interrupted(problem, cpu_s):
        if len(solved) == 6:
            raise KeyboardInterrupt
        solved.append(problem)
        return solve(problem, cpu_s)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(teacher, "solve_by_cpu", interrupted)
        main(["label", *given])
    with caplog.at_level("INFO", "nco"):
        assert main(["label", *given]) == 0
    assert "2 of 3 groups of labels are missing" in caplog.text
    assert main(["fit", *given]) == 0
    assert len(losses(tmp_path)) == 6
    with pytest.raises(FormatError, match=r"seed is 1234 there and 7 in"):
        main(["fit", *given, "--data.seed", "7"])
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(FormatError, match=r"labels\.npz cannot be read"):
        main(["fit", *given])
    without = arguments(tables, tmp_path, "--model.method", "Imitation")
    with pytest.raises(PolicyError, match=r"data\.labels\.path"):
        main(["fit", *without])
    with pytest.raises(FormatError, match=r"data\.labels is not set"):
        main(["label", *without])


def test_the_neighbourhood_search_labels_in_cpu_seconds(tables, tmp_path):
    """Its labels are feasible, and what another solver found stays."""
    path = tmp_path / "labels.npz"
    given = arguments(
        tables, tmp_path, "--data.labels.path", str(path), "--data.labels.groups", "1",
        "--data.labels.size", "2", "--data.labels.time_limit_s", "0.05",
        "--data.labels.solver", "lns",
    )  # fmt: skip
    assert main(["label", *given]) == 0
    before = path.read_bytes()
    assert main(["label", *given, "--data.labels.solver", "pyvrp"]) == 0
    assert path.read_bytes() == before


# Processor time -------------------------------------------------------------------------------


def test_training_ends_by_processor_time_and_goes_on_with_more(tables, tmp_path, monkeypatch):
    """What an earlier run used counts, other load does not, and rates fall by what was used."""
    from nco.training import budget

    clock = iter(range(10_000))
    monkeypatch.setattr(budget.time, "process_time", lambda: float(next(clock)))
    folder = tmp_path / "run"
    overlay = tmp_path / "overlay.yaml"

    def fit(minutes: float, *more: str) -> float:
        overlay.write_text(
            "trainer:\n  callbacks:\n"
            f"  - {{class_path: CpuBudget, init_args: {{minutes: {minutes}}}}}\n"
            "  - class_path: lightning.pytorch.callbacks.ModelCheckpoint\n"
            "    init_args: {save_last: true}\n"
        )
        given = arguments(tables, folder, "--trainer.max_epochs", "1000", *more)
        assert main(["fit", "--config", "smoke", "--config", str(overlay), *given[2:]]) == 0
        held = torch.load(folder / "last.ckpt", weights_only=True)
        assert held["lr_schedulers"][0]["_last_lr"][0] < 1e-3  # of 2e-3: it falls by the budget
        return held["callbacks"]["CpuBudget"]["used_s"]

    first = fit(0.5)
    assert 30 <= first < 60
    assert 90 <= fit(1.5, "--ckpt_path", "last") < 120


def test_labels_of_tables_that_changed_are_refused(tables, tmp_path):
    """Costs are compared when instances are drawn again."""
    (tmp_path / "labels").mkdir()
    given = arguments(
        tables, tmp_path, "--data.labels.path", str(tmp_path / "labels.npz"),
        "--data.labels.groups", "1", "--data.labels.size", "2",
        "--data.labels.time_limit_s", "0.02", "--model.method", "Imitation",
    )  # fmt: skip
    assert main(["label", *given]) == 0
    from nco.training.tables import load_table

    kept = load_table(Path(tables[0]))
    try:
        type(kept)(**{**vars(kept), "distance_m": kept.distance_m * 2}).save(Path(tables[0]))
        with pytest.raises(FormatError, match="tables of the cities have changed"):
            main(["fit", *given])
    finally:
        kept.save(Path(tables[0]))


# Options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--trainer.precision", "64-true"), "precision is '64-true'"),
        (("--model.method", "A2C"), "A2C"),
        (("--model.method", "PPO", "--model.method.clip", "2"), "clip is 2"),
        (("--model.method", "PPO", "--data.batches_per_epoch", "7"), "multiple of 4"),
        (("--data.distribution.demand", "[0, 3]"), "demand is"),
        (("--data.curriculum.stops", "[9, 5]"), r"curriculum\.stops"),
        (("--data.city_weights", "[1.0]"), "city_weights"),
        (("--data.problem_weights", "[-1.0]"), "problem_weights"),
        (("--data.backwards", "2"), "backwards is"),
        (("--data.stops", "[4, 60]"), "only 40 points"),
        (("--data.labels.path", "labels.txt"), "labels"),
        (("--data.validation_stops", "[1]"), "validation_stops"),
        (("--data.batch_size", "100000000"), r"data\.batch_size times data\.stops.* of memory"),
        (("--data.cities", "[helsinki]", "--data.table.whole", "100000000"), "of memory"),
        (("--data.cities", "[helsinki]", "--data.table.boxed", "100000000"), "of memory"),
        (("--data.labels.path", "l.npz", "--data.labels.size", "1000000000"), "of memory"),
        (("--data.labels.path", "l.npz", "--data.labels.jobs", "100000"), "labels.jobs is 100000"),
        (("--data.folder", "nowhere"), "no folder"),
        (("--data.references", "."), "a folder"),
    ],
)
def test_wrong_options_are_refused_before_the_first_step(tables, tmp_path, more, named):
    """Found when the run is set up; the message names the option."""
    with pytest.raises(InputError, match=named):
        main(["fit", *arguments(tables, tmp_path, *more)])
    assert not losses(tmp_path)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--trainer.accelerator", "tpu"), "torch_xla"),
        (("--trainer.accelerator", "abacus"), "abacus"),
        (("--trainer.devices", "many"), "devices"),
        (("--trainer.strategy", "deepspeed"), "DeepSpeed"),
        (("--trainer.max_epochs", "-5"), "max_epochs"),
        (("--trainer.accumulate_grad_batches", "0"), "accumulate_grad_batches is 0"),
        (("--trainer.accumulate_grad_batches", "-1"), "accumulate_grad_batches is -1"),
        (("--trainer.devices", "1000000"), "devices is 1000000; this machine has"),
        (("--trainer.num_nodes", "9"), "num_nodes is 9, but the environment does not say"),
        (("--trainer.max_epochs", "-1"), "max_epochs is -1, but the learning rate falls"),
        (("--model.policy.init_args.layers", "100000000"), "layers is 100000000; give 1000 at"),
        (("--model.starts", "1000000000"), "starts is 1000000000; give 100000 at most"),
        (("--trainer.val_check_interval", "2000"), "val_check_interval"),
        (("--trainer.callbacks.filename", "{epoch:q}"), "format code"),
        (("--trainer.callbacks.save_top_k", "-2"), "save_top_k"),
        (("--trainer.callbacks+", "no.such.Callback"), "no.such.Callback"),
        (("--model.policy", "torch.nn.Linear"), "subclass of <class 'Policy'>"),
        (("--model.policy.init_args.hidden", "1000000000000"), "hidden is 1000000000000"),
        (("--model.learning_rate", ".nan"), "learning_rate is nan"),
        (("--model.learning_rate", "1e30"), "training has diverged"),
        (("--model.weight_decay", "-1"), "weight_decay is -1"),
    ],
)  # fmt: skip
def test_what_others_refuse_is_said_in_a_sentence(tables, tmp_path, more, named):
    """Whatever Lightning, torch or a class of the config complain of names its option."""
    with pytest.raises(PolicyError, match=named) as raised:
        main(["fit", *arguments(tables, tmp_path, "--trainer.max_epochs", "2", *more)])
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600


@pytest.mark.parametrize("option", ["--trainer.callbacks.dirpath", "--trainer.logger.save_dir"])
def test_folders_that_cannot_be_written_are_named(tables, tmp_path, option):
    """Of checkpoints and of the log."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file"):
        main(["fit", *arguments(tables, tmp_path, option, str(tmp_path / "file" / "folder"))])


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("label", ("--data.labels.path", "{}/labels.npz")),
        ("references", ("--data.references", "{}/costs.json")),
        ("specialise", ("--out", "{}/mine.safetensors")),
    ],
)
def test_where_nothing_can_be_written_nothing_is_computed(tables, tmp_path, verb, options):
    """Labels, references and a city's policy take long, and are written when there are some."""
    (tmp_path / "file").write_text("in the way of a folder")
    given = [option.format(tmp_path / "file") for option in options]
    if verb == "specialise":
        given += ["--city", tables[0], "--stops", "4"]
    else:
        validated = ("--data.validation_cities", json.dumps(tables[2:]))
        given = arguments(tables, tmp_path, *validated, *given)
    with pytest.raises(StorageError, match="cannot write into"):
        main([verb, *given])


@pytest.mark.parametrize(
    "content",
    [None, "", "[1, 2]", "42", "model: [", "model:\n\t- x", b"\xff\xfe\x00", "[" * 10_000,
     "model: 3", "nothing: 1", "model: !!python/object/apply:os.getcwd []"],
)  # fmt: skip
def test_configs_that_are_none_are_refused(tmp_path, content):
    """Folders, damaged YAML, other types, unknown keys; and nothing in a config is called."""
    path = tmp_path / "config.yaml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PolicyError):
        main(["fit", "--config", str(path)])


def test_faults_of_ours_stay_faults(tables, tmp_path, monkeypatch):
    """An error in our code is no complaint about options, whatever its type."""

    def broken(*given, **more):
        raise ValueError("a fault")

    monkeypatch.setattr("nco.training.reinforce.rollout_loss", broken)
    with pytest.raises(ValueError, match=r"^a fault$") as raised:
        main(["fit", *arguments(tables, tmp_path)])
    assert not isinstance(raised.value, InputError)


def test_an_interrupt_is_one(tables, tmp_path, monkeypatch):
    """Lightning would end with the exit code of an answer that is not feasible."""

    def stop(*given, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("nco.training.reinforce.rollout_loss", stop)
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(KeyboardInterrupt):
            main(["fit", *arguments(tables, tmp_path)])
    finally:
        signal.signal(signal.SIGINT, before)


def test_damaged_tables_are_refused_before_the_first_step(tables, tmp_path):
    """A table with NaN or unreachable pairs is named, with what to do."""
    import numpy as np

    for bad in (np.nan, np.inf):
        with np.load(tables[0]) as file:
            fields = dict(file)
        fields["distance_m"][3, 4] = bad
        np.savez(tmp_path / "bad.npz", **fields)
        given = arguments([str(tmp_path / "bad.npz")], tmp_path)
        with pytest.raises(FormatError, match=r"'fake0': distance_m .* not finite"):
            main(["fit", *given])


def test_bf16_is_for_the_encoder_alone(tables, tmp_path, caplog):
    """It trains on any device, and says where it does not pay."""
    mixed = ("--trainer.precision", "bf16-mixed", "--trainer.max_epochs", "1")
    with caplog.at_level("WARNING", "nco"):
        assert main(["fit", *arguments(tables, tmp_path, *mixed)]) == 0
    assert ("bf16-mixed is slower" in caplog.text) != precision._has_amx()
    assert len(losses(tmp_path)) == 6


# Curves ---------------------------------------------------------------------------------------


def test_curves_are_drawn_from_what_runs_logged(trained, tmp_path, capsys):
    """One picture of one or several runs; a folder without a log is named."""
    curves = read_curves(trained)
    assert sorted(curves["train/loss"]) == list(range(6))
    assert 0 < curves["train/best_to_mean_rcvrp"][0] < 1
    out = tmp_path / "curves.png"
    assert main(["curves", str(trained), "--out", str(out)]) == 0
    assert out.read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(FormatError, match=r"no metrics\.csv"):
        plot_curves([tmp_path / "nothing"], out)
    with pytest.raises(FormatError, match="must end in"):
        plot_curves([trained], tmp_path / "curves.txt")
    (tmp_path / "metrics.csv").write_text("step,train/loss\n1,fast\n")
    with pytest.raises(FormatError, match="not a log"):
        read_curves(tmp_path)
    with pytest.raises(PolicyError, match="curves"):
        main(["curves", "--outt", "x"])


def test_half_precision_leaves_training_instances_almost_the_same(tables):
    """Costs are within 0.05 % each; coordinates, durations and windows are the same."""
    device = torch.device("cpu")
    exact, half = (
        CityData(tables, problems=["rcvrptw"], stops=(20, 20), half=half) for half in (False, True)
    )
    for data in (exact, half):
        data.setup("fit")
    a, b = (data.drawn(0, 0, device).instance for data in (exact, half))
    torch.testing.assert_close(a.cost, b.cost, rtol=2**-11, atol=1e-3)
    assert not torch.equal(a.cost, b.cost)
    for name in ("xy", "duration", "opens", "closes", "service", "demand"):
        assert torch.equal(getattr(a, name), getattr(b, name))
    assert half._pools.bytes == exact._pools.bytes * 3 // 4
    tours = CityData(tables, problems=["atsp"], stops=(20, 20), half=True)
    tours.setup("fit")
    assert tours._pools.bytes == exact._pools.bytes // 4
    assert json.dumps(tours.summary())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("method.init_args.rollouts", "100000000"),
        ("method.init_args.rounds", "100000000"),
        ("cities.longest", "[6, 1000000000]"),
        ("cities.lines", "[1, 1000000000]"),
        ("cities.trips", "[1, 1e300]"),
        ("cities.streets", "[1, .inf]"),
    ],
)
def test_absurd_sizes_of_bus_networks_are_refused_at_once(option, value, tmp_path, monkeypatch):
    """Before a city is drawn; half a minute went into what nobody can mean."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PolicyError, match=f"{option.rpartition('.')[2]} is .*; give .* at most"):
        main(["transit", "fit", "--config", "transit-ppo", f"--model.{option}", value])
