"""Which Python may come in: a list of what is allowed, so that whatever is not on it is refused.

A program is settings and functions, one for each expression of the language:

```python
kind = "removal"
draws = 6
spread = "near"


def anchor(detour):
    return detour


def take(near, crowd):
    close = near / max(crowd, 0.1)
    if close < 2 and random() < 0.8:
        return 1
    return 0
```

Settings are numbers, texts, True or False. A function is given features by their names, assigns,
decides by `if`, repeats by `for k in range(3)` and returns a number. It may call `min`, `max`,
`abs`, `sqrt`, `log`, `floor`, `random()` (another number every time) and functions above it. Names
of a second and third phase end in `_2` and `_3`. There is nothing else: no attribute, no index, no
import, no text in a function, no `while`, no recursion.

Only the standard library is used here, and no text is run: this works in a caged process.
"""

from __future__ import annotations

import ast
import re
import warnings

from nco.errors import InputError, quoted

MOST_TEXT, MOST_PARTS, MOST_DEEP = 16_000, 2_000, 40
MOST_DIGITS = 40
_LONG_NUMBER = re.compile(rf"[0-9_]{{{MOST_DIGITS + 1}}}")
_ALLOWED = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return,
    ast.Assign, ast.AugAssign, ast.If, ast.For, ast.Pass, ast.Expr,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow,
    ast.UnaryOp, ast.USub, ast.UAdd, ast.Not, ast.BoolOp, ast.And, ast.Or,
    ast.Compare, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
    ast.IfExp, ast.Call, ast.Name, ast.Load, ast.Store, ast.Constant,
)  # fmt: skip
_INSTEAD = {
    ast.While: "a while loop has no bound; write for k in range(3)",
    ast.Import: "nothing can be imported; min, max, abs, sqrt, log and floor are there",
    ast.ImportFrom: "nothing can be imported; min, max, abs, sqrt, log and floor are there",
    ast.Attribute: "nothing has attributes here; write sqrt(x) for math.sqrt(x)",
    ast.Subscript: "there is nothing to index; a function is given its features by name",
    ast.Lambda: "write def",
    ast.AnnAssign: "leave the annotation out",
    ast.Tuple: "assign one name at a time",
    ast.ClassDef: "write settings and functions",
}


def parsed(text: object) -> ast.Module:
    """The syntax tree of a program that has only what is allowed.

    Raises:
        InputError: it has something else, or is too large; the message says in which line.
    """
    if not isinstance(text, str):
        raise InputError("a program is text")
    if len(text) > MOST_TEXT:
        raise InputError(
            f"the program has {len(text)} characters; {MOST_TEXT} are the most there may be"
        )
    for n, line in enumerate(text.split("\n"), 1):  # parsers take long over them
        if _LONG_NUMBER.search(line):
            raise InputError(f"line {n}: no number has more than {MOST_DIGITS} digits")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        raise InputError(f"line {error.lineno or 1}: {error.msg}; write Python") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"it cannot be read as Python ({type(error).__name__})") from None
    _check(tree)
    return tree


def _check(tree: ast.Module) -> None:
    """Refuses what is not on the list, and what is too large or too deep.

    Raises:
        InputError: in words for whoever wrote it.
    """
    count, line = 0, 1
    level: list[tuple[int, ast.AST]] = [(1, tree)]
    for deep in range(MOST_DEEP):
        below: list[tuple[int, ast.AST]] = []
        for above, node in level:
            count += 1
            line = getattr(node, "lineno", above)
            if count > MOST_PARTS:
                raise InputError(f"line {line}: the program is too long; leave something out")
            _check_one(node, line, deep)
            below += [(line, child) for child in ast.iter_child_nodes(node)]
        if not below:
            return
        level = below
    raise InputError(f"line {line}: it is nested too deeply; use names for what is within")


def _check_one(node: ast.AST, line: int, deep: int) -> None:
    """Refuses one node.

    Raises:
        InputError: it is not allowed there.
    """
    if not isinstance(node, _ALLOWED):
        name = type(node).__name__
        instead = _INSTEAD.get(type(node), "use numbers, names, + - * /, comparisons and if")
        raise InputError(f"line {line}: {name} is not allowed: {instead}")
    if isinstance(node, ast.FunctionDef):
        _check_function(node, deep)
    elif isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise InputError(f"line {line}: a call is a name and arguments, such as min(a, b)")
    elif isinstance(node, ast.For):
        if not isinstance(node.target, ast.Name) or node.orelse:
            raise InputError(f"line {line}: write for k in range(3)")
    elif isinstance(node, ast.Assign) and not (
        len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    ):
        raise InputError(f"line {line}: assign one name at a time")
    elif isinstance(node, ast.Expr) and not _is_text(node.value):
        raise InputError(f"line {line}: this does nothing; assign it to a name or return it")
    elif isinstance(node, ast.Name) and node.id.startswith("_"):
        raise InputError(f"line {line}: {quoted(node.id)}: names begin with a letter")


def _check_function(function: ast.FunctionDef, deep: int) -> None:
    """Refuses what is more than a name, names of arguments and statements.

    Raises:
        InputError: in words for whoever wrote it.
    """
    given = function.args
    line = function.lineno
    if deep > 1:
        raise InputError(f"line {line}: write functions beside one another, not in one another")
    if (
        given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg or given.defaults
        or function.decorator_list or getattr(function, "type_params", None)
    ):  # fmt: skip
        raise InputError(f"line {line}: write def {function.name}(a, b) and nothing more")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
