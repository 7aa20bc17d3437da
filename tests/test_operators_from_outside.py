"""Operators that strangers write: what of Python they may use, and what becomes of it."""

from __future__ import annotations

import ast
import math
import random
import re

import pytest
from random_operators import Writer

from nco.errors import InputError
from nco.sandbox.cage import Outcome
from nco.search.evolve import trial
from nco.search.evolve.language import BIG, FEATURES, HOLES, Phase, Removal, program_of, to_json
from nco.search.evolve.outside import door
from nco.search.evolve.outside.door import admitted, program_from_text
from nco.search.evolve.outside.program import translated
from nco.search.evolve.outside.text import text_of

FAR = '''
"""Stops that cost much, and those near them."""
kind = "removal"
draws = 6
spread = "near"


def closeness(a, b):
    return a / max(b, 0.1)


def anchor(detour):
    return detour


def take(near, crowd):
    close = closeness(near, crowd)
    if close < 2 and random() < 0.8:
        return 1
    return 0
'''


def expression(code: str, hole: str = "take") -> object:
    """What the body of a function becomes, which is given `near` and `crowd`."""
    body = "\n".join(f"    {line}" for line in code.splitlines())
    data = translated(f'kind = "removal"\n\ndef {hole}(near, crowd, random):\n{body}\n')
    return data["phases"][0][hole]


def test_a_program_comes_in_by_the_door():
    """Text becomes a program of the language, by way of a caged process."""
    assert program_from_text(FAR) == Removal(
        (
            Phase(
                draws=6,
                spread="near",
                anchor="detour",
                take=(
                    "if",
                    (
                        "min",
                        ("<", ("/", "near", ("max", "crowd", 0.1)), 2.0),
                        ("<", "random", 0.8),
                    ),
                    1.0,
                    0.0,
                ),
            ),
        )
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("return 1 + 2 * 3", 7.0),
        ("return near > 1", ["<", 1.0, "near"]),
        ("return near >= 1", ["-", 1.0, ["<", "near", 1.0]]),
        ("return not near > 1", ["-", 1.0, ["<", 1.0, "near"]]),
        ("return near == 1", ["<", ["abs", ["-", "near", 1.0]], 1e-9]),
        ("return 0 < near < 2", ["min", ["<", 0.0, "near"], ["<", "near", 2.0]]),
        ("return near < 0 or crowd < 1", ["max", ["<", "near", 0.0], ["<", "crowd", 1.0]]),
        ("return near ** 2", ["*", "near", "near"]),
        ("return -near", ["neg", "near"]),
        ("return max(near, crowd, 2)", ["max", ["max", "near", "crowd"], 2.0]),
        ("return near if crowd > 2 else 0", ["if", ["<", 2.0, "crowd"], "near", 0.0]),
        ("x = 0\nfor k in range(1, 4): x += k * near\nreturn x / 1",
         ["/", ["+", ["+", ["+", 0.0, ["*", 1.0, "near"]], ["*", 2.0, "near"]],
                ["*", 3.0, "near"]], 1.0]),
        ("if near < 1:\n    near = 5\nreturn near", ["if", ["<", "near", 1.0], 5.0, "near"]),
        ("if near < 1:\n    return 5\nelif near < 2:\n    return 6\nreturn 7",
         ["if", ["<", "near", 1.0], 5.0, ["if", ["<", "near", 2.0], 6.0, 7.0]]),
        ("if 1 < 2:\n    return near\nreturn crowd", "near"),
        ("return near / 0", ["/", "near", 0.0]),
        ("return near if crowd > 0 else 1", ["if", "crowd", "near", 1.0]),
        ("return random() * random()", ["*", "random", "random"]),
        ("return random if near < 1 else random * 2",
         ["if", ["<", "near", 1.0], "random", ["*", "random", 2.0]]),
    ],
)  # fmt: skip
def test_python_is_said_in_the_language(code, expected):
    """Comparisons, logic, branches and loops become what they mean."""
    assert expression(code) == expected


REFUSED = {
    "": "kind is None",
    "kind = 5": "kind is 5",
    'kind = "removal"\nimport os': "line 2: Import",
    'kind = "removal"\nfrom os import *': "line 2: ImportFrom",
    'kind = "removal"\n__import__("os")': "line 2: this does nothing",
    'kind = "removal"\nx = __import__("os")': "line 2: '__import__': names begin with a letter",
    'kind = "removal"\ndef take(near): return __builtins__': "line 2: '__builtins__'",
    'kind = "removal"\ndef take(near): return near.__class__': "line 2: Attribute",
    'kind = "removal"\ndef take(near): return near[0]': "line 2: Subscript",
    'kind = "removal"\ndef take(near): return [near]': "line 2: List is",
    'kind = "removal"\ndef take(near): return (lambda: 1)()': "line 2: ",
    'kind = "removal"\ndef take(near): return f"{near}"': "line 2: JoinedStr",
    'kind = "removal"\ndef take(near): return "near"': "line 2: use numbers",
    'kind = "removal"\ndef take(near): return None': "line 2: use numbers",
    'kind = "removal"\ndef take(near): return 1j': "line 2: use numbers",
    'kind = "removal"\ndef take(near): return near % 2': "line 2: Mod",
    'kind = "removal"\ndef take(near): return near @ near': "line 2: MatMult",
    'kind = "removal"\ndef take(near): return near is near': "line 2: Is is",
    'kind = "removal"\ndef take(near): return (x := 1)': "line 2: NamedExpr",
    'kind = "removal"\ndef take(near): return eval(near)': "line 2: 'eval' cannot be called",
    'kind = "removal"\ndef take(near): return min(near, key=near)': "line 2: a call is a name",
    'kind = "removal"\ndef take(near): return min(*near)': "line 2: Starred",
    'kind = "removal"\ndef take(near): return min(near)': "line 2: min takes two",
    'kind = "removal"\ndef take(near): return sqrt(near, near)': "line 2: sqrt takes 1",
    'kind = "removal"\ndef take(near): return take(near)': "line 2: 'take' cannot be called",
    'kind = "removal"\ndef take(near): return b(near)\ndef b(a): return a': "line 2: 'b' cannot",
    'kind = "removal"\ndef b(a): return a\ndef take(near): return b(1, 2)': "b takes 1 arguments",
    'kind = "removal"\ndef take(near): return far': "line 2: 'far' is not known",
    'kind = "removal"\ndef take(near): x += 1': "line 2: 'x' is not known",
    'kind = "removal"\ndef take(near):\n  if near < 1: x = 1\n  return x': "line 4: 'x' is not",
    'kind = "removal"\ndef take(near):\n  for k in range(3): y = k\n  return y + z': "line 4: 'z'",
    'kind = "removal"\ndef take(best): return best': "line 2: take is given 'best'",
    'kind = "removal"\ndef take(near): pass': "line 2: take may end without",
    'kind = "removal"\ndef take(near): return': "line 2: return a number",
    'kind = "removal"\ndef take(near):\n  if near: return 1\n  return 0': "line 3: compare with",
    'kind = "removal"\ndef take(near):\n  while True: pass': "line 3: While",
    'kind = "removal"\ndef take(near):\n  for k in near: pass\n  return 1': "line 3: write for k",
    'kind = "removal"\ndef take(near):\n  for k in range(99): pass\n  return 1': "99 rounds",
    'kind = "removal"\ndef take(near):\n  for k in range(near): pass\n  return 1': "whole numbers",
    'kind = "removal"\ndef take(near):\n  for k in range(1, 2, 0): pass\n  return 1': "step of 0",
    'kind = "removal"\ndef take(near):\n  for k in range(3): return k': "behind the loop",
    'kind = "removal"\ndef take(near):\n  global near\n  return 1': "line 3: Global",
    'kind = "removal"\ndef take(near):\n  del near\n  return 1': "line 3: Delete",
    'kind = "removal"\ndef take(near):\n  try: return 1\n  except: return 2': "line 3: Try",
    'kind = "removal"\ndef take(near):\n  with near: return 1': "line 3: With",
    'kind = "removal"\ndef take(near):\n  yield near': "line 3: ",
    'kind = "removal"\nasync def take(near): return 1': "line 2: AsyncFunctionDef",
    'kind = "removal"\n@take\ndef take(near): return 1': "nothing more",
    'kind = "removal"\ndef take(near=1): return 1': "nothing more",
    'kind = "removal"\ndef take(*near): return 1': "nothing more",
    'kind = "removal"\ndef take[T](near): return 1': "line 2: ",
    'kind = "removal"\ndef take(near):\n  def f(): return 1\n  return f()': "not in one another",
    'kind = "removal"\nclass take: pass': "line 2: ClassDef",
    'kind = "removal"\nif 1 < 2: draws = 3': "line 2: beside functions",
    'kind = "removal"\ndraws, share = 1': "line 2: ",
    'kind = "removal"\ndraws = draws_2 = 1': "line 2: assign one name",
    'kind = "removal"\ndraws = 1\ndraws = 2': "line 3: 'draws' is there twice",
    'kind = "removal"\ndraws = 1 + 1': "line 2: a setting is",
    'kind = "removal"\ndraws = -"x"': "line 2: only numbers",
    'kind = "removal"\ndraws = 10**9': "line 2: a setting is",
    'kind = "removal"\ndraws = 1000': "draws of phases[0] is 1000",
    'kind = "removal"\nshare = 1e999': "share of phases[0] is inf",
    'kind = "removal"\nblink = 0.1': "'blink' is no setting of a removal",
    'kind = "removal"\ndraws_4 = 1': "3 phases at most",
    'kind = "removal"\ndraws_2 = 1': "of its first phase",
    'kind = "removal"\ndef draws(near): return 1': "'draws' is a number",
    'kind = "removal"\ndef take(near): return 1e10': "line 2: numbers are from",
    'kind = "removal"\ndef take(near): return 0x' + "f" * 300: "line 2: numbers are from",
    'kind = "removal"\ndef take(near): return ' + "9" * 5000: "line 2: no number has more than 40",
    'kind = "removal"\ndef take(near): return near ** 9': "line 2: a power is",
    'kind = "removal"\ndef take(near): return near ** crowd': "line 2: 'crowd' is not known",
    'kind = "removal"\ndef take(near, random): return random * random': "number more than once",
    'kind = "removal"\ndef take(near):\n  for k in range(9): near = near * near\n  return near': (
        "line 3: the expression has more than 64 parts"
    ),
    'kind = "removal"\ndef take(near): return ' + "+".join(["near"] * 60): "nested too deeply",
    'kind = "removal"\ndef take(near): return ' + "(" * 300: "line 2: too many nested",
    'kind = "removal"\ndef take(near): return ' + "-" * 9000 + "1": "cannot be read|too deeply",
    'kind = "removal"\n' + "x = 1\n" * 2000: "line 501: |is there twice|too long",
    "x" * 16_001: "16000 characters at most",
    "kind = 'removal'\n\0": "null bytes",
    "kind = '\ud800'": "cannot be read",
    'kind = "insertion"\nmode = "best"': "mode of an insertion is 'best'",
    'kind = "insertion"\ndef order(regret): return regret': "order is given 'regret'",
    'kind = "insertion"\ndef take(near): pass\ndef blink(near): return 1': "'blink' is a number",
}  # fmt: skip


@pytest.mark.parametrize("code", REFUSED)
def test_what_is_not_on_the_list_is_refused_by_its_line(code):
    """Whatever else Python has ends in words that say where and what to write instead."""
    with pytest.raises(InputError) as error:
        translated(code) if len(code) <= 16_000 else program_from_text(code)
    assert re.search(f"{re.escape(REFUSED[code])}|{REFUSED[code]}", str(error.value))
    assert len(str(error.value)) < 600


def test_following_a_program_has_an_end():
    """Functions that call one another twice and loops in loops take bounded work."""
    calls = "\n".join(
        f"def f{k}(a):\n    return min(f{k - 1}(a), f{k - 1}(a))" for k in range(1, 30)
    )
    for body in (
        f'kind = "removal"\ndef f0(a): return 1\n{calls}\ndef take(near): return f29(near)',
        'kind = "removal"\ndef take(near):\n  x = 0\n'
        + "".join("  " + " " * k + f"for k{k} in range(16):\n" for k in range(8))
        + " " * 12 + "x = 0\n  return x",
        'kind = "removal"\ndef take(near):\n'
        + "".join(f"  if near < {k}:\n    x = 1\n    if near < 0: return 1\n" for k in range(40))
        + "  return 0",
    ):  # fmt: skip
        with pytest.raises(InputError, match=r"too many steps|more than 64 parts"):
            translated(body)


class Number(float):
    """A number that reckons as the language does, to run the text itself in Python."""

    def __new__(cls, value):  # noqa: D102
        return super().__new__(cls, max(-BIG, min(BIG, float(value))))

    def __add__(self, other):
        return Number(float(self) + float(other))

    def __radd__(self, other):
        return Number(float(other) + float(self))

    def __sub__(self, other):
        return Number(float(self) - float(other))

    def __rsub__(self, other):
        return Number(float(other) - float(self))

    def __mul__(self, other):
        return Number(float(self) * float(other))

    __rmul__ = __mul__

    def __truediv__(self, other):
        return Number(float(self) / float(other) if abs(other) >= 1e-9 else float(self))

    def __rtruediv__(self, other):
        return Number(other) / self

    def __neg__(self):
        return Number(-float(self))

    def __abs__(self):
        return Number(abs(float(self)))

    def __pow__(self, other): return sqrt(self) if other == 0.5 else self * self  # fmt: skip


def sqrt(a):
    return Number(math.sqrt(abs(a)))


def log(a):
    return Number(math.log(abs(a)) if abs(a) >= 1e-9 else 0)


def value(tree, given):
    """What an expression of the language is, slowly."""
    if isinstance(tree, float | int):
        return Number(tree)
    if isinstance(tree, str):
        return given[tree]
    name, *rest = tree
    a, *more = (value(part, given) for part in rest)
    b = more[0] if more else None
    return {
        "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b,
        "min": lambda: min(a, b), "max": lambda: max(a, b), "<": lambda: Number(a < b),
        "neg": lambda: -a, "abs": lambda: abs(a), "sqrt": lambda: sqrt(a), "log": lambda: log(a),
        "floor": lambda: Number(math.floor(a)), "if": lambda: b if a > 0 else more[1],
    }[name]()  # fmt: skip


class _Wrapped(ast.NodeTransformer):
    """Numbers of a text as `Number`, so that Python reckons as the language does."""

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            return node
        return ast.Call(ast.Name("Number", ast.Load()), [node], [])


def test_a_program_that_is_shown_can_be_given_back():
    """What strangers are shown of a program is read as one that does the same."""
    dice, compared = random.Random(3), 0
    for _ in range(60):
        try:
            program = program_of(translated(Writer(dice).program()))
        except InputError:
            continue
        again = program_of(translated(text_of(program)))
        assert type(again) is type(program)
        one, other = to_json(program), to_json(again)
        for before, after in zip(
            one.get("phases", [one]), other.get("phases", [other]), strict=True
        ):
            given = {name: Number(dice.uniform(-3, 9)) for name in FEATURES}
            for name in before:
                if name in (*HOLES, "order", "place"):
                    assert value(after[name], given) == value(before[name], given)
                    compared += 1
                else:
                    assert after[name] == before[name]
    assert compared > 60


@pytest.mark.parametrize(
    "code",
    [
        "x = random()\nreturn x + x",
        "x = random()\nif x < near:\n    return x\nreturn 0",
        "x = random\ny = x\nreturn x - y",
        "x = random() if near < 1 else crowd\nreturn x * x",
    ],
)
def test_the_same_random_number_is_not_used_twice(code):
    """In the language it would be another one, so the program would not do what it says."""
    with pytest.raises(InputError, match="a random number more than once"):
        expression(code)


def test_translated_programs_mean_what_their_text_means():
    """Random programs, run by Python itself and as the language's expressions, say the same."""
    dice, compared = random.Random(5), 0
    for _ in range(120):
        text = Writer(dice).program()
        try:
            data = translated(text)
        except InputError:
            continue
        run = {
            "Number": Number,
            "sqrt": sqrt,
            "log": log,
            "floor": lambda a: Number(math.floor(a)),
            "range": lambda *bounds: map(Number, range(*map(int, bounds))),
        }
        tree = ast.fix_missing_locations(_Wrapped().visit(ast.parse(text)))
        exec(compile(tree, "random", "exec"), run)
        holes = data["phases"][0] if data["kind"] == "removal" else data
        for name in ("anchor", "take", "length", "keep", "order", "place"):
            if name not in run or name not in holes:
                continue
            given = {one: Number(dice.uniform(-3, 9)) for one in FEATURES}
            code = run[name].__code__
            found = run[name](*(given[one] for one in code.co_varnames[: code.co_argcount]))
            expected = float(value(holes[name], given))
            assert float(found) == pytest.approx(expected, rel=1e-9, abs=1e-9), text
            compared += 1
    assert compared > 80


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(None, "it did not end within 2 s"),
        Outcome({"program": {"kind": "removal", "phases": []}}),
        Outcome({"program": [[[]]]}),
        Outcome({"fault": 5}),
        Outcome([1]),
        Outcome("x"),
        Outcome(float("nan")),
    ],
)
def test_what_a_cage_answers_is_not_trusted(outcome, monkeypatch):
    """Whatever a process of that kind may answer, no program that is none comes in."""
    monkeypatch.setattr(door, "caged", lambda *_: outcome)
    with pytest.raises(InputError):
        program_from_text(FAR)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 15_000,
        "x = " + "-" * 15_000 + "1",
        "x = " + "1+" * 7_900 + "1",
        "x = " + "[" * 90 + "]" * 90,
        "x" + ".x" * 7_000,
        "if 1 < 2:\n" + "".join(" " * k + "if 1 < 2:\n" for k in range(1, 99)) + " " * 99 + "x = 1",
        "\ufeffimport os; os.kill(os.getppid(), 9)",
        "# -*- coding: idna -*-\n",
        "f'{" * 140 + "1" + "}'" * 140,
        "x = '\\N{" + "A" * 200 + "}'",
        "\x0c\r\x0c\r\tkind = 5",
    ],
)
def test_texts_that_parsers_choke_on_stay_in_the_cage(text):
    """They end in an error within the limits, whatever becomes of the process that reads them."""
    with pytest.raises(InputError):
        program_from_text(text)


@pytest.mark.parametrize("text", [None, 5, b"x", ["x"], "x" * 20_000])
def test_what_is_no_text_is_refused(text):
    """Before a process is started for it."""
    with pytest.raises(InputError, match="text of 16000 characters"):
        program_from_text(text)


@pytest.mark.parametrize(
    ("before", "taken", "after", "fault"),
    [
        ([[1, 2, 3], [4]], [2], [[1, 3], [4]], None),
        ([[1, 2, 3], [4]], [], [[1, 2, 3], [4]], None),
        ([[1, 2, 3], [4]], [2, 2], [[1, 3], [4]], "taken twice"),
        ([[1, 2, 3], [4]], [5], [[1, 2, 3], [4]], "on no route"),
        ([[1, 2, 3], [4]], [-1], [[1, 2, 3], [4]], "on no route"),
        ([[1, 2, 3], [4]], [1, 2, 3], [[], [4]], "2 are the most"),
        ([[1, 2, 3], [4]], [2], [[3, 1], [4]], "other stops"),
        ([[1, 2, 3], [4]], [2], [[1, 2, 3], [4]], "other stops"),
        ([[1, 2, 3], [4]], [2], [[1, 3, 2], [4]], "other stops"),
    ],
)
def test_faults_of_removals_are_seen(before, taken, after, fault):
    """Stops taken twice, from nowhere, too many, or others than it says."""
    found = trial.removal_fault(before, taken, after, 2)
    assert found is None if fault is None else fault in found


@pytest.mark.parametrize(
    ("trips", "left_out", "fault"),
    [
        ([[1, 2], [3]], [], None),
        ([[2, 1], []], [3], None),
        ([[1, 2], [2, 3]], [], "twice"),
        ([[1, 2], [3]], [3], "twice"),
        ([[1, 2], []], [], "missing"),
        ([[1, 2], [3, 4]], [], "missing"),
        ([[0, 1, 2], [3]], [], "missing"),
    ],
)
def test_faults_of_plans_are_seen(trips, left_out, fault):
    """Each stop is there once: on a route or left out."""
    found = trial.plan_fault(trips, left_out, range(1, 4))
    assert found is None if fault is None else fault in found


def test_programs_are_tried_before_they_are_used(monkeypatch):
    """Good ones pass; one that leaves no plan, or breaks a rule, is refused with what it left."""
    removal, insertion = admitted(FAR), program_of({"kind": "insertion"})
    trial.try_out(insertion)
    walked = trial._trips

    def loses_one(*arguments):
        first, *rest = walked(*arguments)
        return [first[1:], *rest]

    def all_on_one(*arguments):
        trips = walked(*arguments)
        return [[stop for trip in trips for stop in trip], *([] for _ in trips[1:])]

    for wrong, fault in ((loses_one, "missing"), (all_on_one, "capacity|load")):
        monkeypatch.setattr(trial, "_trips", wrong)
        for program in (removal, insertion):
            with pytest.raises(InputError, match=f"no plan on a small problem: .*({fault})"):
                trial.try_out(program)
