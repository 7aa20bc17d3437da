"""Folders of checkpoints belong to one training at a time."""

from types import SimpleNamespace

import pytest
from lightning.pytorch.callbacks import ModelCheckpoint

from nco.errors import PolicyError, StorageError
from nco.training.checkpoints import OneTraining


def trainer(*folders, first=True):
    """What the callback looks at: where checkpoints go."""
    writers = [ModelCheckpoint(dirpath=folder) for folder in folders]
    return SimpleNamespace(checkpoint_callbacks=writers, is_global_zero=first)


def test_two_trainings_do_not_share_a_folder(tmp_path):
    """The second is told so at once; when the first has ended, however it did, it may."""
    one, two = OneTraining(), OneTraining()
    here = trainer(tmp_path / "run", tmp_path / "run", tmp_path / "more")
    one.on_fit_start(here, None)
    with pytest.raises(PolicyError, match=r"another training writes its checkpoints to .*run"):
        two.on_fit_start(trainer(tmp_path / "other", tmp_path / "run"), None)
    two.on_exception(here, None, RuntimeError())
    two.on_fit_start(trainer(tmp_path / "other"), None)
    two.on_fit_start(trainer(tmp_path / "run", first=False), None)  # a process of the first
    one.on_fit_end(here, None)
    two.on_fit_start(here, None)
    two.on_fit_end(here, None)


def test_a_folder_that_cannot_be_made(tmp_path):
    """That is a matter of storage, not of another training."""
    (tmp_path / "file").write_text("keep")
    with pytest.raises(StorageError, match="cannot lock"):
        OneTraining().on_fit_start(trainer(tmp_path / "file" / "run"), None)
