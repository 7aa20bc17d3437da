"""Messages quote little of what was given, wherever they are written."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from instances import line_of_four

import nco
from nco import Solution
from nco.cli import main
from nco.commands._parser import brief
from nco.envs import environment
from nco.errors import MOST_QUOTED, NcoError
from nco.solver import check_limits
from nco.training.orders import order

PACKAGE = Path(nco.__file__).parent
LONG = "x" * 5000
BY_REPR = {  # what programmers alone see: no value of a user or a file comes here
    "__init__.py",
    "kernels/compiled.py",
    "kernels/fingerprint.py",
    "kernels/objects.py",
    "transit/__init__.py",
}


def _by_repr(tree: ast.AST) -> list[int]:
    """Lines with an f-string that shows a value by `!r`."""
    return sorted(
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FormattedValue) and node.conversion == ord("r")
    )


def test_no_message_quotes_by_repr():
    """F-strings show what was given by `quoted`, never by `!r`, which has no bound."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        lines = _by_repr(ast.parse(path.read_text(encoding="utf-8")))
        if name in BY_REPR:
            assert lines, f"{name} needs no exception any more"
        else:
            found += [f"nco/{name}:{line}" for line in lines]
    assert not found, "use nco.errors.quoted"


def test_repr_is_seen_in_every_message():
    """The walk sees `!r` in a raise, in a message that is kept, and in a nested f-string."""
    code = "raise E(f'{a!r}')\ntext = f'{b!r:.60}'\ntext = f'{c if d else f\"{e!r}\"}'\n"
    assert _by_repr(ast.parse(code)) == [1, 2, 3]
    assert not _by_repr(ast.parse("raise E(f'{quoted(a)} {b}')"))


@pytest.mark.parametrize(
    "command",
    [
        ("solve", f"{LONG}.json"),
        ("solve", "--time-limit", LONG),
        ("solve", "problem.json", LONG),
        ("check", LONG, LONG),
        ("bench", "solvers", "--method", LONG),
        ("bench", "policies", "--policy", LONG),
        ("train", LONG),
        ("train", "fit", "--config", LONG),
        ("transit", "design", "--city", LONG),
        ("city", "build", LONG, "--name", "a"),
        (LONG,),
    ],
    ids=lambda command: "-".join(word[:12] for word in command),
)
def test_commands_quote_little(command, capsys):
    """Whatever word is far too long, a command ends with exit code 2 and quotes little of it."""
    assert main(list(command)) == 2
    err = capsys.readouterr().err
    assert "error: " in err
    assert err.count("x") <= 2 * MOST_QUOTED


@pytest.mark.parametrize(
    "ask",
    [
        lambda: nco.solve(line_of_four(), method=LONG),
        lambda: nco.solve(line_of_four(), method="nearest", initial=LONG),
        lambda: check_limits(LONG, 0),
        lambda: environment(LONG),
        lambda: order(LONG),
    ],
    ids=["method", "initial", "limit", "environment", "order"],
)
def test_functions_quote_little(ask):
    """Errors of the Python API quote little of what was given."""
    with pytest.raises(NcoError) as refused:
        ask()
    assert str(refused.value).count("x") <= 2 * MOST_QUOTED


def test_findings_quote_little():
    """What checker and evaluation find names a stop by 200 characters of its name."""
    problem = replace(line_of_four(), names=("depot", LONG, "b", "c"))
    wrong = Solution.from_routes(problem, [[1, 1], [2, 3]])
    found = nco.check(problem, wrong).findings
    assert found
    for one in (*found, *wrong.violations):
        assert one.message.count("x") <= MOST_QUOTED


def test_what_can_be_chosen_is_told_whole():
    """A complaint about a wrong choice is brief, yet lists every choice."""
    choices = ", ".join(repr(f"choice {k}") for k in range(50))
    told = brief(f"argument VERB: invalid choice: '{LONG}' (choose from {choices})")
    assert told.endswith(f"(choose from {choices})")
    assert told.count("x") <= MOST_QUOTED
    assert len(brief(f"unrecognized arguments: {LONG}")) <= MOST_QUOTED
