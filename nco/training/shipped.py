"""Configs that come with the package, by their names."""

from __future__ import annotations

from pathlib import Path

from nco.errors import PolicyError, quoted

CONFIGS = Path(__file__).parent / "configs"


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


def shipped_configs() -> str:
    """Names of the configs that come with the package."""
    return ", ".join(sorted(path.stem for path in CONFIGS.glob("*.yaml")))


def _config(name: str) -> str:
    shipped = CONFIGS / f"{name}.yaml"
    if shipped.is_file():
        return str(shipped)
    if not Path(name).is_file():
        raise PolicyError(
            f"config {quoted(name)} is no file; shipped configs are {shipped_configs()}"
        )
    return name
