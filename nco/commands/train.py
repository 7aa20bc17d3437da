"""`nco train`: policies are trained, measured, fine-tuned and written; the same for bus networks.

What trains hands its options to Lightning's command line (`nco.training.cli`).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from nco import console
from nco.answers import prepare
from nco.commands._parser import brief
from nco.errors import PolicyError, quoted
from nco.threads import sleep_while_waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nco.training.cli import Course

REFERENCE_CPU_S = 2.0


@dataclass(frozen=True)
class Verb:
    """A verb of training.

    Attributes:
        purpose: one line.
        run: takes the options.
    """

    purpose: str
    run: Callable[[list[str]], object]


def run(arguments: argparse.Namespace) -> int:
    """Run the verb that was handed on."""
    return main(arguments.rest)


def main(argv: list[str]) -> int:
    """Run a verb of training.

    Args:
        argv: what follows `nco train`.

    Returns:
        The exit code.

    Raises:
        NcoError: an option, a city or a file is wrong, found before the first step.
    """
    sleep_while_waiting()  # before torch is loaded
    try:
        _dispatch("nco train", VERBS, argv)
    except SystemExit as end:  # --help and --print_config end the parser
        return int(end.code or 0)
    return 0


def _dispatch(prog: str, verbs: Mapping[str, Verb], argv: list[str]) -> None:
    if not argv or argv[0] in ("-h", "--help"):
        console.write(_usage(prog, verbs))
    elif argv[0] in verbs:
        verbs[argv[0]].run(argv[1:])
    else:
        raise PolicyError(f"{prog} has no verb {quoted(argv[0])}; use {', '.join(verbs)}")


def _usage(prog: str, verbs: Mapping[str, Verb]) -> str:
    from nco.training.shipped import shipped_configs

    lines = (f"{name:12}{verb.purpose}" for name, verb in verbs.items())
    return "\n".join(
        [
            f"usage: {prog} {{{','.join(verbs)}}} [--OPTION VALUE ...]",
            "",
            *lines,
            "",
            f"`{prog} fit --help` lists every option. Shipped configs: {shipped_configs()}",
        ]
    )


# Policies for vehicle routing --------------------------------------------------------------------


def _routes() -> Course:
    # Methods are known by their short names once they are imported.
    from nco.models.files import read_policy
    from nco.training import (  # noqa: F401
        budget,
        imitation,
        ppo,
        preference,
        reinforce,
        self_labelling,
    )
    from nco.training.cli import Course
    from nco.training.data import CityData
    from nco.training.module import PolicyTraining

    def rows(_training: PolicyTraining, data: CityData) -> int:
        return data.batch_size * data.stops[1]

    return Course(PolicyTraining, read_policy, rows, CityData, {"model.problems": "data.problems"})


def _references(arguments: list[str]) -> None:
    validation = _routes().build(arguments).datamodule.validation
    if validation.references is not None:
        prepare(Path(validation.references.path).parent)
    validation.compute_references(REFERENCE_CPU_S)


def _label(arguments: list[str]) -> None:
    from nco.training.teacher import compute_labels

    data = _routes().build(arguments).datamodule
    lessons = data.lessons()
    prepare(Path(data.labels.path).parent)
    compute_labels(lessons)


def _export(arguments: list[str]) -> None:
    given = _files("nco train export", arguments)
    from nco.models.files import read_policy, save_policy

    stored = read_policy(given.checkpoint)
    save_policy(given.out, stored.policy, stored.problems, stored.card)


def _curves(arguments: list[str]) -> None:
    parser = _Parser("nco train curves", allow_abbrev=False)
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="of a run's log")
    parser.add_argument("--out", default="curves.png", help="png, svg or pdf (curves.png)")
    given = parser.parse_args(arguments)
    from nco.training.curves import plot_curves

    console.write(str(plot_curves(given.folders, given.out)))


def _specialise(arguments: list[str]) -> None:
    parser = _Parser(
        "nco train specialise", allow_abbrev=False,
        description="Fine-tune a policy on one city, and say what that gained between places of "
        "the city that were not trained on.",
    )  # fmt: skip
    parser.add_argument("--city", required=True, help="name, extract or table")
    parser.add_argument("--folder", help="of extracts, for names")
    parser.add_argument("--policy", default="general", help="name or file (general)")
    parser.add_argument("--depot", type=_lonlat, metavar="LON,LAT", help="of all instances")
    parser.add_argument(
        "--problem", action="append", dest="problems", metavar="P",
        help="atsp, rcvrp or rcvrptw, repeatable (all that the policy serves)",
    )  # fmt: skip
    parser.add_argument("--stops", type=int, default=50, help="of the largest instances (50)")
    parser.add_argument("--minutes", type=float, default=30.0, help="for everything (30)")
    parser.add_argument("--instances", type=int, default=32, help="measured on, each problem (32)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="specialised.safetensors", metavar="FILE.safetensors")
    given = vars(parser.parse_args(arguments))
    from nco.training.specialise import FineTuning, specialise

    out = Path(given.pop("out"))
    problems = given.pop("problems")
    settings = FineTuning(**given, problems=None if problems is None else tuple(problems))
    prepare(out.parent)
    gaps = specialise(settings, out)
    console.write("gap to PyVRP with eight views, on held-out places of the city")
    for gap in gaps:
        gain = f"{1 - gap.after / gap.before:.0%} less" if gap.before > 0 else "-"
        console.write(
            f"{gap.problem:8} {gap.before:6.2f} % before, {gap.after:6.2f} % after ({gain}; "
            f"gain {gap.before - gap.after:.2f} ± {gap.gain_error:.2f})"
        )
    console.write(f"written: {out}")


# Networks for bus lines --------------------------------------------------------------------------


def _lines() -> Course:
    from nco.training.cli import Course
    from nco.transit.learn.module import TransitTraining
    from nco.transit.policy.files import load_network

    def rows(training: TransitTraining, _data: None) -> int:
        return training.cities.stops[1]  # one city a step

    return Course(TransitTraining, load_network, rows, prog="nco train transit", seed=1)


def _export_network(arguments: list[str]) -> None:
    given = _files("nco train transit export", arguments)
    from nco.transit.policy.files import load_network, save_network

    loaded = load_network(given.checkpoint)
    save_network(given.out, loaded.network, loaded.card)


# Costs of links -----------------------------------------------------------------------------------


def _paths(arguments: list[str]) -> None:
    from nco.commands import _train_paths

    parser = _Parser(
        "nco train paths", allow_abbrev=False,
        description="Learn costs of links and turns from drives, so that paths are those that "
        "drivers choose; a fifth of the drivers is kept for measuring.",
    )  # fmt: skip
    _train_paths.add_options(parser)
    _train_paths.run(parser.parse_args(arguments))


# -------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are errors of ours."""

    def error(self, message: str) -> NoReturn:
        raise PolicyError(f"{self.prog}: {brief(message)}; see {self.prog} --help")


def _files(prog: str, arguments: list[str]) -> argparse.Namespace:
    parser = _Parser(prog, allow_abbrev=False)
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="a .ckpt file of training")
    parser.add_argument("out", metavar="OUT.safetensors", help="file to write")
    return parser.parse_args(arguments)


def _lonlat(text: str) -> tuple[float, float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is no place; give LON,LAT in degrees"
        ) from None
    return lon, lat


TRANSIT_VERBS = {
    "fit": Verb("train a network", lambda given: _lines().run("fit", given)),
    "export": Verb("turn a checkpoint into a file of weights", _export_network),
}

VERBS = {
    "fit": Verb(
        "train a policy; with --ckpt_path last it goes on exactly where it was stopped",
        lambda given: _routes().run("fit", given),
    ),
    "validate": Verb(
        "measure the mean gap of a checkpoint (--ckpt_path FILE) to the references",
        lambda given: _routes().run("validate", given),
    ),
    "references": Verb(
        "compute the reference costs that the config names, with PyVRP", _references
    ),
    "label": Verb("compute the solutions that data.labels names, for imitation", _label),
    "specialise": Verb("fine-tune a policy on one city for half an hour", _specialise),
    "curves": Verb("draw what runs logged: nco train curves runs/general", _curves),
    "export": Verb("turn a checkpoint into a policy file", _export),
    "paths": Verb("learn costs of links from drives, for several ways from A to B", _paths),
    "transit": Verb(
        "the same for bus networks: nco train transit fit --config transit-ppo",
        lambda given: _dispatch("nco train transit", TRANSIT_VERBS, given),
    ),
}
