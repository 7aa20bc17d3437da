"""Policy files: round trip, and a clear refusal of everything else."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save
from test_models import small_policy

from nco.envs import ENVIRONMENTS
from nco.errors import PolicyError, StorageError
from nco.models.files import CHECKPOINT_KEY, FORMAT, build, save_policy, shipped
from nco.problem import Problem
from nco.search.policy.loaded import load_policy
from nco.search.policy.solver import PolicySolver


@pytest.fixture
def saved(tmp_path):
    """An untrained policy on disk."""
    return save_policy(tmp_path / "p.safetensors", small_policy(), ["rcvrp"], {"note": "untrained"})


def checkpoint(path, **changes):
    """A training checkpoint as Lightning writes it."""
    policy = small_policy()
    content = {
        "state_dict": {f"policy.{k}": v for k, v in policy.state_dict().items()},
        CHECKPOINT_KEY: {"problems": ["rcvrp"], "policy": policy.spec()},
        **changes,
    }
    torch.save(content, path)
    return path


def rewritten(path, tensors=None, **metadata):
    """The same file with other tensors or metadata."""
    own = {
        "format": FORMAT,
        "problems": json.dumps(["rcvrp"]),
        "policy": json.dumps(small_policy().spec()),
    }
    path.write_bytes(save(tensors or load_file(path), metadata={**own, **metadata}))
    return path


def test_saved_policies_come_back_the_same(saved):
    """Weights, architecture, problem and card all round-trip."""
    loaded = load_policy(saved)
    assert loaded.problems == ("rcvrp",)
    assert loaded.card["note"] == "untrained"
    assert loaded.policy.spec() == small_policy().spec()
    assert not loaded.policy.training
    for name, tensor in small_policy().state_dict().items():
        assert torch.equal(loaded.policy.state_dict()[name], tensor)


def test_checkpoints_load_by_the_same_call(tmp_path):
    """A training checkpoint is read without unpickling anything."""
    loaded = load_policy(checkpoint(tmp_path / "last.ckpt"))
    assert loaded.policy.spec() == small_policy().spec()


def test_shipped_policies_load_and_have_a_card():
    """Every policy in the package is usable and says what it is for."""
    served = set()
    for name in shipped():
        loaded = load_policy(name)
        served.update(loaded.problems)
        assert loaded.card["problems"] == list(loaded.problems)
        assert "measured" in loaded.card
        assert sum(p.numel() for p in loaded.policy.parameters()) < 1_500_000
    assert served == set(ENVIRONMENTS)


def test_loading_imports_nothing_heavy():
    """The cold start of `nco solve` is torch's, not Lightning's or RL4CO's."""
    heavy = (
        "lightning", "rl4co", "tensordict", "torch_geometric", "scipy", "sympy", "matplotlib",
        "numba",
    )  # fmt: skip
    code = (
        "import sys, nco.search.policy.solver; from nco.models.files import read_policy;"
        f"read_policy('general'); print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("size", [0, 4, 100, -1])
def test_truncated_files_are_refused(saved, size):
    """Whatever is cut off, the message names the file."""
    saved.write_bytes(saved.read_bytes()[:size])
    with pytest.raises(PolicyError, match=r"p\.safetensors"):
        load_policy(saved)


def test_files_for_another_problem_are_refused(saved):
    """Both problems are named."""
    with pytest.raises(PolicyError, match="for rcvrp, not for 'atsp'"):
        load_policy(saved, "atsp")


def test_metadata_that_is_damaged_is_refused(saved):
    """A file whose description of its network cannot be read is named."""
    with pytest.raises(PolicyError, match=r"p\.safetensors does not say what network"):
        load_policy(rewritten(saved, policy="{"))


def test_a_problem_that_nobody_knows_is_refused(saved):
    """A policy of a later version, say, is named with its problem."""
    solver = PolicySolver("policy", source=str(rewritten(saved, problems=json.dumps(["tsptw"]))))
    with pytest.raises(PolicyError, match=r"p\.safetensors' is for 'tsptw'"):
        solver.solve(Problem.from_matrices([[0.0, 1.0], [1.0, 0.0]]), 1.0, 0)


def test_foreign_safetensors_are_refused(saved):
    """Tensors alone are no policy."""
    with pytest.raises(PolicyError, match="format"):
        load_policy(rewritten(saved, format="other"))


def test_missing_surplus_and_misshapen_tensors_are_named(saved):
    """The message names the tensor that is wrong."""
    tensors = load_file(saved)
    with pytest.raises(PolicyError, match=r"lacks tensor 'embedding\.weight'"):
        load_policy(rewritten(saved, {k: v for k, v in tensors.items() if k != "embedding.weight"}))
    with pytest.raises(PolicyError, match=r"'embedding\.bias' has shape \(3,\)"):
        load_policy(rewritten(saved, {**tensors, "embedding.bias": torch.zeros(3)}))
    with pytest.raises(PolicyError, match="extra"):
        load_policy(rewritten(saved, {**tensors, "extra": torch.zeros(3)}))
    with pytest.raises(PolicyError, match="finite"):
        load_policy(
            rewritten(saved, {**tensors, "embedding.bias": tensors["embedding.bias"] * torch.nan})
        )


@pytest.mark.parametrize(
    "spec",
    [
        {"class_path": "os.system", "init_args": {"command": "true"}},
        {"class_path": "nco.models.files.read_policy", "init_args": {"source": "x"}},
        {"class_path": "nco.models.nothing.Policy", "init_args": {}},
        {"class_path": "nco.models.attention.torch", "init_args": {}},
        {"class_path": "AttentionPolicy", "init_args": {}},
        {"class_path": "nco.models.attention.AttentionPolicy", "init_args": {"wdith": 3}},
        {"class_path": "nco.models.attention.AttentionPolicy"},
        "nco.models.attention.AttentionPolicy",
    ],
)
def test_only_policies_of_ours_are_built(spec):
    """Nothing else that a file may name is ever called."""
    with pytest.raises(PolicyError):
        build(spec)


def test_files_with_code_are_not_run(tmp_path):
    """A checkpoint that would execute something on unpickling is refused before it does."""
    ran = tmp_path / "ran"

    class Attack:
        def __reduce__(self):
            return ran.touch, ()

    path = tmp_path / "bad.ckpt"
    torch.save({"state_dict": {}, CHECKPOINT_KEY: Attack()}, path)
    with pytest.raises(PolicyError, match=r"bad\.ckpt"):
        load_policy(path)
    path.write_bytes(pickle.dumps(Attack()))
    with pytest.raises(PolicyError, match=r"bad\.ckpt"):
        load_policy(path)
    assert not ran.exists()


def test_checkpoints_of_other_programs_are_refused(tmp_path):
    """A checkpoint without our entry is no policy."""
    path = tmp_path / "other.ckpt"
    torch.save({"state_dict": {}}, path)
    with pytest.raises(PolicyError, match="no checkpoint of nco"):
        load_policy(path)


def test_unknown_and_missing_files_are_named(tmp_path):
    """The message says what may be given."""
    with pytest.raises(PolicyError, match="general"):
        load_policy("unheard-of")
    with pytest.raises(PolicyError, match="does not exist"):
        load_policy(tmp_path / "none.safetensors")
    with pytest.raises(PolicyError, match="safetensors"):
        save_policy(tmp_path / "p.bin", small_policy(), ["rcvrp"])


def test_a_damaged_card_is_named(saved):
    """The card is data, too, and is checked."""
    saved.with_suffix(".json").write_text("{")
    with pytest.raises(PolicyError, match=r"p\.json"):
        load_policy(saved)


def test_a_failed_write_keeps_the_old_file(saved, monkeypatch):
    """What stood there before is still there and still loads."""
    before = saved.read_bytes()

    def full(*args):
        raise StorageError("disk full")

    monkeypatch.setattr("nco.cards.write_atomic", full)
    with pytest.raises(StorageError):
        save_policy(saved, small_policy(width=32), "rcvrp")
    assert saved.read_bytes() == before
