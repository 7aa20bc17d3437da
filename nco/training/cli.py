"""The command line of training: Lightning's, over a module and its data, with errors of ours.

`Course` says what is trained; `nco/commands/train.py` has the verbs. A config is a file, or the
name of a shipped one.
"""

from __future__ import annotations

import warnings
from argparse import ArgumentError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.cli import LightningCLI

from nco.errors import NcoError, PolicyError, StorageError
from nco.memory import require_memory
from nco.threads import torch_threads
from nco.training.autosave import Autosave
from nco.training.checkpoints import OneTraining
from nco.training.memory import keep_freed_memory
from nco.training.resuming import KeptOptions, check_resumed, last_checkpoint
from nco.training.shipped import with_shipped_configs
from nco.training.sizes import check_sizes
from nco.training.threads import threads_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NOISE = (
    # Lightning would rather read sys.argv itself. That is what started this process, and what
    # Lightning starts other processes with, so it must stay as it is.
    ".*args parameter is intended to run from within Python",
    # Torch on Lightning's account; no validation; a run that goes on in its folder.
    ".*isinstance.treespec, LeafSpec.*is deprecated",
    ".*Total length of `list` across ranks is zero",
    ".*Checkpoint directory .* exists and is not empty",
    ".*torch.distributed.reduce_op. is deprecated",
    # What is drawn follows from the count of batches, so loaders have nothing to resume or load.
    ".*your dataloader is not resumable",
    ".*does not have many workers",
)
# A misspelt option must not pass as an abbreviation of another.
_STRICT: dict[str, Any] = {"exit_on_error": False, "allow_abbrev": False}
_MOST_SAID, _MOST_GIVEN = 400, 80  # characters of others' messages, of lines with values in them


@dataclass(frozen=True)
class Course:
    """What is trained.

    Attributes:
        module: the Lightning module.
        load: reads a checkpoint of it; raises `PolicyError` for any other file.
        rows: embeddings of a batch, by module and data; see `threads_for`.
        data: where batches come from; None for a module that draws its own.
        links: options that follow from others.
        prog: the words before a verb.
        seed: of everything random, where the config has none.
    """

    module: type[Any]
    load: Callable[[Path], object]
    rows: Callable[[Any, Any], int]
    data: type[Any] | None = None
    links: dict[str, str] = field(default_factory=dict)
    prog: str = "nco train"
    seed: int = 1234

    def run(self, verb: str, arguments: list[str]) -> None:
        """Trains (`fit`) or measures (`validate`).

        Raises:
            NcoError: an option, a city or a file is wrong.
        """
        self._cli(verb, arguments)

    def build(self, arguments: list[str]) -> LightningCLI:
        """Module, data and trainer as the options say, for verbs that are not Lightning's.

        Raises:
            NcoError: an option, a city or a file is wrong.
        """
        return self._cli(None, arguments)

    def _cli(self, verb: str | None, arguments: list[str]) -> LightningCLI:
        keep_freed_memory()
        with _sentences(f"{self.prog} {verb or 'fit'}"), warnings.catch_warnings():
            for message in _NOISE:
                warnings.filterwarnings("ignore", message)
            with ExitStack() as threads:
                return _CommandLine(self, verb, with_shipped_configs(arguments), threads)


class _CommandLine(LightningCLI):
    """Lightning's command line, which refuses what cannot be used before anything begins."""

    def __init__(
        self, course: Course, verb: str | None, arguments: list[str], threads: ExitStack
    ) -> None:
        self._course, self._verb, self._threads = course, verb, threads
        super().__init__(
            course.module,
            course.data,
            save_config_callback=KeptOptions,
            save_config_kwargs={"overwrite": True},
            args=arguments if verb is None else [verb, *arguments],
            run=verb is not None,
            seed_everything_default=course.seed,
            auto_configure_optimizers=False,
            trainer_defaults={
                "use_distributed_sampler": False,
                "callbacks": [OneTraining(), Autosave()],
            },
            parser_kwargs=_STRICT if verb is None else {**_STRICT, verb: {**_STRICT}},
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Those of Lightning's that are used."""
        known = LightningCLI.subcommands()
        return {verb: known[verb] for verb in ("fit", "validate")}

    def add_arguments_to_parser(self, parser: Any) -> None:
        """Links what module and data must agree on."""
        for source, target in self._course.links.items():
            parser.link_arguments(source, target)

    def parse_arguments(self, parser: Any, args: Any) -> None:
        """Checks the file to go on from, which Lightning reads next."""
        super().parse_arguments(parser, args)
        path = self._given().get("ckpt_path")
        if path is not None and path != "last":
            self._check(Path(path))

    def instantiate_classes(self) -> None:
        """Builds module, data and trainer, and checks whether the run goes on from a checkpoint."""
        check_sizes(self.config if self._verb is None else self._given())
        super().instantiate_classes()
        path = self._given().get("ckpt_path")
        if path == "last":
            path = last_checkpoint(self.trainer)
            self._check(path)
            self.config_init[self._verb]["ckpt_path"] = str(path)
        if path is not None and self._verb == "fit":
            check_resumed(Path(path), self.trainer)
        rows = self._course.rows(self.model, self.datamodule)
        if self.trainer.strategy.root_device.type == "cpu":
            # Going back needs what went into every layer, and as many gradients.
            inputs = sum(p.shape[1] for p in self.model.parameters() if p.ndim == 2)
            require_memory(
                2 * 4 * rows * inputs,
                f"the activations of {rows} embeddings a batch (data.batch_size times data.stops)",
            )
        self._threads.enter_context(torch_threads(threads_for(self.model, rows)))

    def _given(self) -> Any:
        return {} if self._verb is None else self.config[self._verb]

    def _check(self, path: Path) -> None:
        if path.suffix != ".ckpt":
            raise PolicyError(f"--ckpt_path is {path}; give `last` or a .ckpt file of nco")
        self._course.load(path)


@contextmanager
def _sentences(prog: str) -> Iterator[None]:
    """Turns what others raise about options, memory and files into errors of ours.

    Raises:
        NcoError: says what cannot be used.
        Exception: a fault of ours, as it was.
    """
    try:
        yield
    except NcoError:
        raise
    except SystemExit as end:
        # Lightning catches Ctrl-C and ends the process with the code of failures.
        if isinstance(end.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    except Exception as error:
        told = next((cause for cause in _causes(error) if isinstance(cause, NcoError)), None)
        told = told or _told(error, prog)
        if told is None:
            raise
        raise told from error


def _told(error: Exception, prog: str) -> NcoError | None:
    """An error of ours that says what another one says, unless that is a fault of ours."""
    text = _shortened(str(error)) or type(error).__name__
    if isinstance(error, MemoryError) or "out of memory" in text or "allocate memory" in text:
        return PolicyError(
            f"{prog}: out of memory ({text}); make data.batch_size, data.stops or the network "
            "smaller"
        )
    if isinstance(error, ArgumentError | MisconfigurationException):
        return PolicyError(f"{prog}: {text}; `{prog} --help` lists every option")
    if _is_ours(error):
        return None
    if isinstance(error, OSError):
        return StorageError(f"{prog}: {text}; choose folders that can be written, with free space")
    return PolicyError(f"{prog}: {text}; `{prog} --help` lists every option")


def _is_ours(error: Exception) -> bool:
    """Whether code of ours raised an error, or had something other than Lightning do so.

    What Lightning raises, and torch or classes of a config where no code of ours stands between,
    is about options.
    """
    frames = walk_tb(error.__traceback__)
    rooms = [frame.f_globals.get("__name__", "").partition(".")[0] for frame, _ in frames]
    here = [frame.f_globals.get("__name__") for frame, _ in walk_tb(error.__traceback__)]
    below = rooms[len(here) - here[::-1].index(__name__) :]
    return "nco" in below and below[-1] != "lightning"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _shortened(text: str) -> str:
    """A message of others in one line, without values of pages."""
    lines = (line.strip() for line in text.splitlines())
    kept = " ".join(line for line in lines if "Given value" not in line or len(line) <= _MOST_GIVEN)
    return kept if len(kept) <= _MOST_SAID else f"{kept[:_MOST_SAID]} ..."
