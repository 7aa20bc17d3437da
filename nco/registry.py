"""Registries of methods by name: `nco.solve` and `nco.transit.design.registry` each have one."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nco.arguments import of_kind
from nco.errors import InputError, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping


def add_method(methods: MutableMapping[str, str], name: str, target: str) -> None:
    """Adds a method.

    Args:
        methods: the registry, name to "package.module:attribute".
        name: of the method.
        target: what the name stands for.

    Raises:
        InputError: the name is taken, or one of the two is no such text.
    """
    of_kind(name, str, "name", "the name of the method, as text")
    if not isinstance(target, str) or not re.fullmatch(r"[\w.]+:\w+", target):
        raise InputError(f"target is {quoted(target)}; give 'package.module:attribute'")
    if name in methods:
        raise InputError(f"method {quoted(name)} is already registered as {methods[name]}")
    methods[name] = target


def load_method(methods: Mapping[str, str], name: str) -> Any:
    """What a name stands for, its module loaded.

    Raises:
        InputError: no such method, or there is nothing where it was registered.
    """
    if name not in methods:
        raise InputError(f"method {quoted(name)} is unknown; known are {', '.join(methods)}")
    module, attribute = methods[name].split(":")
    try:
        return getattr(import_module(module), attribute)
    except (AttributeError, ModuleNotFoundError) as error:
        given = quoted(methods[name])
        raise InputError(
            f"method {quoted(name)} is registered as {given}, but {shortened(error)}"
        ) from error
