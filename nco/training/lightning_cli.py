"""Lightning's command line over the training module and the data module, with typed errors."""

from __future__ import annotations

import warnings
from argparse import ArgumentError
from typing import TYPE_CHECKING, Any

from lightning.pytorch.cli import LightningCLI

from nco.errors import NcoError, PolicyError

# Methods are known by their short names once they are imported.
from nco.training import imitation, ppo, reinforce  # noqa: F401
from nco.training.checkpoints import OneTraining, check_file, last_checkpoints
from nco.training.data import CityData
from nco.training.module import PolicyTraining

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOISE = (
    # Lightning would rather read sys.argv itself. That is what started this process, and what
    # Lightning starts other processes with, so it must stay as it is.
    ".*args parameter is intended to run from within Python",
    # Torch on Lightning's account; no validation; a run that goes on in its folder.
    ".*isinstance.treespec, LeafSpec.*is deprecated",
    ".*Total length of `list` across ranks is zero",
    ".*Checkpoint directory .* exists and is not empty",
    ".*torch.distributed.reduce_op. is deprecated",
    # What is drawn follows from the count of batches, so loaders have nothing to resume.
    ".*your dataloader is not resumable",
)
# A misspelt option must not pass as an abbreviation of another.
_STRICT: dict[str, Any] = {"exit_on_error": False, "allow_abbrev": False}


class TrainCLI(LightningCLI):
    """Links what model and data must agree on, and refuses what cannot be used in time."""

    def add_arguments_to_parser(self, parser: Any) -> None:
        """Model and data have the same problems."""
        parser.link_arguments("model.problems", "data.problems")

    def parse_arguments(self, parser: Any, args: Any) -> None:
        """Checks the file to go on from, which Lightning reads next."""
        super().parse_arguments(parser, args)
        path = self._ckpt_path()
        if path is not None and path != "last":
            check_file(path)

    def instantiate_classes(self) -> None:
        """Builds model, data and trainer.

        Raises:
            NcoError: an option is wrong.
        """
        try:
            super().instantiate_classes()
        except ValueError as error:
            raise typed(error) from error
        if self._ckpt_path() == "last":
            for path in last_checkpoints(self.trainer):
                check_file(path)

    def _ckpt_path(self) -> str | None:
        chosen = self.config.get("subcommand")
        return self.config[chosen].get("ckpt_path") if chosen else None


def command(arguments: list[str], verb: str | None = None) -> TrainCLI:
    """Reads a command line, builds what it names, and runs a verb of Lightning's.

    Args:
        arguments: options.
        verb: `fit` or `validate`; None only builds.

    Raises:
        NcoError: an option, a city or a file is wrong.
    """
    parser = {**_STRICT, "fit": _STRICT, "validate": _STRICT} if verb else _STRICT
    with warnings.catch_warnings():
        for message in _NOISE:
            warnings.filterwarnings("ignore", message)
        try:
            return TrainCLI(
                PolicyTraining,
                CityData,
                args=[verb, *arguments] if verb else arguments,
                run=verb is not None,
                seed_everything_default=1234,
                auto_configure_optimizers=False,
                trainer_defaults={"use_distributed_sampler": False, "callbacks": OneTraining()},
                save_config_kwargs={"overwrite": True},
                parser_kwargs=parser,
            )
        except ArgumentError as error:
            raise typed(error) from error


def typed(error: Exception) -> NcoError:
    """The error of ours behind an error of the parser, or a `PolicyError` with its message."""
    for cause in _causes(error):
        if isinstance(cause, NcoError):
            return cause
    return PolicyError(f"nco train: {error}; `nco train fit --help` lists every option")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
