"""A program of the language, as plain data, from text in the subset of Python (`grammar`)."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from typing import Any

from nco.errors import InputError, listed, quoted
from nco.search.evolve.language import (
    FEATURES,
    HOLES,
    MOST_PHASES,
    Insertion,
    Phase,
    holes_of,
    program_of,
    to_json,
)
from nco.search.evolve.outside.grammar import parsed
from nco.search.evolve.outside.translate import Translator
from nco.search.evolve.outside.values import draws_twice, feature

_PHASE = tuple(field.name for field in fields(Phase))
_INSERTION = tuple(field.name for field in fields(Insertion))
_SUFFIX = re.compile(r"(.*)_([1-9])", re.ASCII)


def plain_program(text: object) -> dict[str, Any]:
    """A program as `language.to_json` writes it, or what is wrong: the task of a caged process.

    Args:
        text: of the program.

    Returns:
        `{"program": ...}`, or `{"fault": words for whoever wrote the text}`.
    """
    try:
        return {"program": translated(text)}
    except InputError as error:
        return {"fault": str(error)}


def translated(text: object) -> dict[str, Any]:
    """A program as `language.to_json` writes it.

    Raises:
        InputError: the text is no program of the subset; the message says where and why.
    """
    tree = parsed(text)
    settings, functions = _read(tree)
    kind = settings.pop("kind", None)
    if kind == "removal":
        data = _removal(settings, functions)
    elif kind == "insertion":
        data = _insertion(settings, functions)
    else:
        raise InputError(
            f'kind is {quoted(kind)}; begin the program with kind = "removal" or "insertion"'
        )
    return to_json(program_of(data))


def _read(tree: ast.Module) -> tuple[dict[str, Any], dict[str, ast.FunctionDef]]:
    """Settings and functions, by name."""
    settings: dict[str, Any] = {}
    functions: dict[str, ast.FunctionDef] = {}
    for statement in tree.body:
        line = statement.lineno
        if isinstance(statement, ast.FunctionDef):
            name = statement.name
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
        elif isinstance(statement, ast.Expr):  # a text that says what the program is for
            continue
        else:
            raise InputError(f"line {line}: beside functions there are settings only, name = value")
        if name in settings or name in functions:
            raise InputError(f"line {line}: {quoted(name)} is there twice")
        if isinstance(statement, ast.FunctionDef):
            functions[name] = statement
        elif isinstance(statement, ast.Assign):
            settings[name] = _plain(statement.value, line)
    return settings, functions


def _plain(node: ast.expr, line: int) -> Any:
    """The value of a setting."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str | int | float):
        raise InputError(f"line {line}: a setting is a number, a text, True or False")
    if sign < 0:
        if isinstance(node.value, str | bool):
            raise InputError(f"line {line}: only numbers have a sign")
        return -node.value
    return node.value


def _removal(settings: dict[str, Any], functions: dict[str, ast.FunctionDef]) -> dict[str, Any]:
    phases: list[dict[str, Any]] = [{} for _ in range(MOST_PHASES)]
    for name, value in settings.items():
        phase, base = _phase_of(name)
        if base not in _PHASE:
            raise InputError(f"{quoted(name)} is no setting of a removal: {listed(_PHASE)}")
        phases[phase][base] = value
    for name in functions:
        phase, base = _phase_of(name)
        if base in HOLES:
            phases[phase][base] = _expression(name, HOLES[base], functions)
        elif base in _PHASE:
            raise InputError(f"{quoted(name)} is a number or a text, no function")
    while phases and not phases[-1]:
        phases.pop()
    if not phases or not all(phases):
        raise InputError("a removal says something of its first phase, and of all up to the last")
    return {"kind": "removal", "phases": phases}


def _phase_of(name: str) -> tuple[int, str]:
    """Which phase a name is of, from 0, and the name without its number."""
    found = _SUFFIX.fullmatch(name)
    if found is None:
        return 0, name
    number = int(found[2])
    if number > MOST_PHASES and found[1] in _PHASE:
        raise InputError(f"{quoted(name)}: a removal has {MOST_PHASES} phases at most")
    return min(number, MOST_PHASES) - 1, found[1]


def _insertion(settings: dict[str, Any], functions: dict[str, ast.FunctionDef]) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": "insertion"}
    for name, value in settings.items():
        if name not in _INSERTION:
            raise InputError(f"{quoted(name)} is no setting of an insertion: {listed(_INSERTION)}")
        data[name] = value
    mode = data.get("mode", Insertion().mode)
    holes = holes_of(Insertion(mode if isinstance(mode, str) else ""))
    for name in functions:
        if name in holes:
            data[name] = _expression(name, holes[name], functions)
        elif name in _INSERTION:
            raise InputError(f"{quoted(name)} is a number or a text, no function")
    return data


def _expression(name: str, hole: str, functions: dict[str, ast.FunctionDef]) -> Any:
    """What a function of features is in the language."""
    function = functions[name]
    usable = [one for one, known in FEATURES.items() if hole in known.holes]
    for argument in function.args.args:
        if argument.arg not in usable:
            raise InputError(
                f"line {function.lineno}: {name} is given {quoted(argument.arg)}; "
                f"it may be given {', '.join(usable)}"
            )
    value = Translator(functions).result(
        function, [feature(argument.arg) for argument in function.args.args]
    )
    if draws_twice(value):
        raise InputError(
            f"line {function.lineno}: {name} uses a random number more than once; write random() "
            "at each place, which is another number every time"
        )
    return value.tree
