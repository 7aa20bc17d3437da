"""`nco train`: the Lightning CLI over `PolicyTraining` and `CityData`.

    nco train fit --config general --data.folder extracts
    nco train fit --config general --data.folder extracts --ckpt_path last
    nco train validate --config general --data.folder extracts --ckpt_path runs/general/last.ckpt
    nco train references --config general --data.folder extracts
    nco train label --config general --data.folder extracts --data.labels.path labels.npz
    nco train curves runs/general --out curves.png
    nco train export runs/general/last.ckpt mine.safetensors

A config is a file, or the name of a shipped one (`nco/training/configs`).
"""

from __future__ import annotations

import sys
import warnings
from argparse import ArgumentError, ArgumentParser
from pathlib import Path
from typing import Any

from nco.errors import NcoError, PolicyError

CONFIGS = Path(__file__).parent / "configs"
VERBS = ("fit", "validate", "references", "label", "curves", "export")
REFERENCE_TIME_S = 2.0

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

USAGE = f"""usage: nco train {{{",".join(VERBS)}}} --config CONFIG [--OPTION VALUE ...]

fit         train a policy; with --ckpt_path last it goes on exactly where it was stopped
validate    measure the mean gap of a checkpoint (--ckpt_path FILE) to the references
references  compute the reference costs that the config names, with PyVRP
label       compute the solutions that data.labels names, with PyVRP, for imitation
curves      draw what runs logged: nco train curves runs/general --out curves.png
export      turn a checkpoint into a policy file: nco train export LAST.ckpt OUT.safetensors

`nco train fit --help` lists every option. Shipped configs: """


def main(argv: list[str]) -> int:
    """Runs a verb.

    Args:
        argv: what follows `nco train`.

    Returns:
        The exit code.

    Raises:
        NcoError: an option, a city or a file is wrong, found before the first step.
    """
    if not argv or argv[0] in ("-h", "--help"):
        names = ", ".join(sorted(path.stem for path in CONFIGS.glob("*.yaml")))
        sys.stdout.write(f"{USAGE}{names}\n")
        return 0
    if argv[0] not in VERBS:
        raise PolicyError(f"nco train has no verb {argv[0]!r}; use {', '.join(VERBS)}")
    try:
        if argv[0] == "export":
            _export(argv[1:])
        elif argv[0] == "curves":
            _curves(argv[1:])
        else:
            _run(argv[0], with_shipped_configs(argv[1:]))
    except ArgumentError as error:
        raise _typed(error) from error
    except SystemExit as end:  # --help and --print_config end the parser
        return int(end.code or 0)
    return 0


def _export(arguments: list[str]) -> None:
    from nco.models.files import load_policy, save_policy

    if len(arguments) != 2:
        raise PolicyError(f"nco train export takes CHECKPOINT and OUT.safetensors, not {arguments}")
    loaded = load_policy(arguments[0])
    save_policy(arguments[1], loaded.policy, loaded.problems, loaded.card)


def _curves(arguments: list[str]) -> None:
    from nco.training.curves import plot_curves

    parser = ArgumentParser("nco train curves", exit_on_error=False, allow_abbrev=False)
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="of a run's log")
    parser.add_argument("--out", default="curves.png", help="png, svg or pdf (curves.png)")
    given = parser.parse_args(arguments)
    sys.stdout.write(f"{plot_curves(given.folders, given.out)}\n")


def with_shipped_configs(arguments: list[str]) -> list[str]:
    """Replaces names of shipped configs by their paths.

    Raises:
        PolicyError: a config is neither a file nor shipped.
    """
    found = []
    for k, argument in enumerate(arguments):
        name, given, value = argument.partition("=")
        if k and arguments[k - 1] in ("--config", "-c"):
            found.append(_config(argument))
        elif given and name in ("--config", "-c"):
            found.append(f"{name}={_config(value)}")
        else:
            found.append(argument)
    return found


def _config(name: str) -> str:
    shipped = CONFIGS / f"{name}.yaml"
    if shipped.is_file():
        return str(shipped)
    if not Path(name).is_file():
        known = ", ".join(sorted(path.stem for path in CONFIGS.glob("*.yaml")))
        raise PolicyError(f"config {name!r} is no file; shipped configs are {known}")
    return name


def _run(verb: str, arguments: list[str]) -> None:
    from lightning.pytorch.cli import LightningCLI

    # Methods are known by their short names once they are imported.
    from nco.training import imitation, ppo, reinforce  # noqa: F401
    from nco.training.checkpoints import check_file, last_checkpoints
    from nco.training.data import CityData
    from nco.training.memory import keep_freed_memory
    from nco.training.module import PolicyTraining
    from nco.training.references import compute_references
    from nco.training.teacher import compute_labels

    class TrainCLI(LightningCLI):
        """Links what model and data must agree on, and checks checkpoints before use."""

        def add_arguments_to_parser(self, parser: Any) -> None:
            parser.link_arguments("model.problems", "data.problems")

        def before_fit(self) -> None:
            self._check(self.config_init["fit"]["ckpt_path"])

        def before_validate(self) -> None:
            self._check(self.config_init["validate"]["ckpt_path"])

        def _check(self, path: str | None) -> None:
            paths = last_checkpoints(self.trainer) if path == "last" else [path] if path else []
            for each in paths:
                check_file(each)

    keep_freed_memory()
    train = verb in ("fit", "validate")
    # A misspelt option must not pass as an abbreviation of another.
    strict = {"exit_on_error": False, "allow_abbrev": False}
    with warnings.catch_warnings():
        for message in _NOISE:
            warnings.filterwarnings("ignore", message)
        cli = TrainCLI(
            PolicyTraining,
            CityData,
            args=[verb, *arguments] if train else arguments,
            run=train,
            seed_everything_default=1234,
            auto_configure_optimizers=False,
            trainer_defaults={"use_distributed_sampler": False},
            save_config_kwargs={"overwrite": True},
            parser_kwargs={**strict, "fit": strict, "validate": strict} if train else strict,
        )
    if verb == "references":
        compute_references(cli.datamodule.validation, REFERENCE_TIME_S)
    if verb == "label":
        compute_labels(cli.datamodule.lessons())


def _typed(error: ArgumentError) -> NcoError:
    """The error of ours behind an error of the parser, or a `PolicyError` with its message."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, NcoError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return PolicyError(f"nco train: {error}; `nco train fit --help` lists every option")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NcoError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
