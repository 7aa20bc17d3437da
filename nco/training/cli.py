"""`nco train`: the Lightning CLI over `PolicyTraining` and `CityData`.

    nco train fit --config general --data.folder extracts
    nco train fit --config general --data.folder extracts --ckpt_path last
    nco train validate --config general --data.folder extracts --ckpt_path runs/general/last.ckpt
    nco train references --config general --data.folder extracts
    nco train label --config general --data.folder extracts --data.labels.path labels.npz
    nco train specialise --city helsinki --policy general --out mine.safetensors
    nco train curves runs/general --out curves.png
    nco train export runs/general/last.ckpt mine.safetensors
    nco train transit fit --config transit-ppo

A config is a file, or the name of a shipped one (`nco/training/configs`).
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import NoReturn

from nco.errors import NcoError, PolicyError

CONFIGS = Path(__file__).parent / "configs"
VERBS = ("fit", "validate", "references", "label", "specialise", "curves", "export", "transit")
REFERENCE_CPU_S = 2.0

USAGE = f"""usage: nco train {{{",".join(VERBS)}}} --config CONFIG [--OPTION VALUE ...]

fit         train a policy; with --ckpt_path last it goes on exactly where it was stopped
validate    measure the mean gap of a checkpoint (--ckpt_path FILE) to the references
references  compute the reference costs that the config names, with PyVRP
label       compute the solutions that data.labels names, with PyVRP, for imitation
specialise  fine-tune a policy on one city for half an hour: nco train specialise --city X
curves      draw what runs logged: nco train curves runs/general --out curves.png
export      turn a checkpoint into a policy file: nco train export LAST.ckpt OUT.safetensors
transit     the same for bus networks: nco train transit fit --config transit-ppo

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
        elif argv[0] == "transit":
            from nco.transit.learn import module as transit

            transit.main(argv[1:])
        elif argv[0] == "curves":
            _curves(argv[1:])
        elif argv[0] == "specialise":
            _specialise(argv[1:])
        else:
            _run(argv[0], with_shipped_configs(argv[1:]))
    except SystemExit as end:  # --help and --print_config end the parser
        return int(end.code or 0)
    return 0


class _Parser(ArgumentParser):
    """A parser whose complaints are errors of ours."""

    def error(self, message: str) -> NoReturn:
        raise PolicyError(f"{self.prog}: {message}; see {self.prog} --help")


def _export(arguments: list[str]) -> None:
    from nco.models.files import read_policy, save_policy

    if len(arguments) != 2:
        raise PolicyError(f"nco train export takes CHECKPOINT and OUT.safetensors, not {arguments}")
    loaded = read_policy(arguments[0])
    save_policy(arguments[1], loaded.policy, loaded.problems, loaded.card)


def _curves(arguments: list[str]) -> None:
    from nco.training.curves import plot_curves

    parser = _Parser("nco train curves", allow_abbrev=False)
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="of a run's log")
    parser.add_argument("--out", default="curves.png", help="png, svg or pdf (curves.png)")
    given = parser.parse_args(arguments)
    sys.stdout.write(f"{plot_curves(given.folders, given.out)}\n")


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
    from nco.training.specialise import Plan, specialise

    out = Path(given.pop("out"))
    if out.suffix != ".safetensors":
        raise PolicyError(f"--out is {out}; a policy file must end in .safetensors")
    problems = given.pop("problems")
    plan = Plan(**given, problems=None if problems is None else tuple(problems))
    sys.stdout.write("gap to PyVRP with eight views, on held-out places of the city\n")
    for gap in specialise(plan, out):
        gain = f"{1 - gap.after / gap.before:.0%} less" if gap.before > 0 else "-"
        sys.stdout.write(
            f"{gap.problem:8} {gap.before:6.2f} % before, {gap.after:6.2f} % after ({gain}; "
            f"gain {gap.before - gap.after:.2f} ± {gap.gain_error:.2f})\n"
        )
    sys.stdout.write(f"written: {out}\n")


def _lonlat(text: str) -> tuple[float, float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no place; give LON,LAT in degrees") from None
    return lon, lat


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
    from nco.training.lightning_cli import command
    from nco.training.memory import keep_freed_memory
    from nco.training.references import compute_references
    from nco.training.teacher import compute_labels

    keep_freed_memory()
    if verb == "references":
        compute_references(command(arguments).datamodule.validation, REFERENCE_CPU_S)
    elif verb == "label":
        compute_labels(command(arguments).datamodule.lessons())
    else:
        command(arguments, verb)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NcoError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
