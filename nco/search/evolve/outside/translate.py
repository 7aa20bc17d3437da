"""What a function of the subset (`grammar`) returns, as one expression of the language.

A function is followed as it would run, with expressions for values: assignments are put in where
they are used, `for` is written out, and `if` becomes the language's. So it always ends, and what
does not fit into an expression is refused in the line where it grew too large.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nco.errors import InputError, listed, quoted
from nco.search.evolve.outside.values import (
    Value,
    apply,
    both,
    drawn,
    either,
    equal,
    less,
    negated,
    number,
    power,
)

MOST_ROUNDS, MOST_WORK = 16, 20_000
_CALLS = {"abs": 1, "sqrt": 1, "log": 1, "floor": 1, "min": 2, "max": 2}
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARED: dict[type[ast.cmpop], Callable[[Value, Value], Value]] = {
    ast.Lt: less,
    ast.Gt: lambda a, b: less(b, a),
    ast.LtE: lambda a, b: negated(less(b, a)),
    ast.GtE: lambda a, b: negated(less(a, b)),
    ast.Eq: equal,
    ast.NotEq: lambda a, b: negated(equal(a, b)),
}
type _Known = dict[str, Value]


class _LineError(InputError):
    """What is wrong in a line that is named already."""


@dataclass
class Translator:
    """Follows functions.

    Attributes:
        functions: that may be called, by name.
        left: how many steps it may still take, over all functions.
    """

    functions: Mapping[str, ast.FunctionDef]
    left: int = field(default=MOST_WORK)

    def result(self, function: ast.FunctionDef, given: list[Value]) -> Value:
        """What a function returns.

        Args:
            function: it only calls `functions` that stand above it.
            given: what its arguments are.

        Raises:
            InputError: it uses a name that is not there, returns nothing, or is too large; the
                message begins with the line.
        """
        names = [argument.arg for argument in function.args.args]
        if len(names) != len(given):
            raise _LineError(f"{function.name} takes {len(names)} arguments, not {len(given)}")
        known = dict(zip(names, given, strict=True))
        value = self._run(function.body, known, function)
        if value is None:
            raise _LineError(
                f"line {function.lineno}: {function.name} may end without a result; "
                "end it with return"
            )
        return value

    def _run(self, body: list[ast.stmt], known: _Known, within: ast.FunctionDef) -> Value | None:
        """What statements return; None if they end without. `known` is changed."""
        for k, statement in enumerate(body):
            try:
                self._step()
                if isinstance(statement, ast.Return):
                    return self._returned(statement, known, within)
                if isinstance(statement, ast.If):
                    if _returns(statement):
                        return self._parted(statement, body[k + 1 :], known, within)
                    self._merged(statement, known, within)
                elif isinstance(statement, ast.For):
                    if _returns(statement):
                        raise InputError("return behind the loop, not in it")
                    self._repeated(statement, known, within)
                else:
                    self._assigned(statement, known, within)
            except _LineError:
                raise
            except InputError as error:
                raise _LineError(f"line {statement.lineno}: {error}") from None
        return None

    def _returned(self, statement: ast.Return, known: _Known, within: ast.FunctionDef) -> Value:
        if statement.value is None:
            raise InputError("return a number")
        return self._value(statement.value, known, within)

    def _assigned(self, statement: ast.stmt, known: _Known, within: ast.FunctionDef) -> None:
        if isinstance(statement, ast.Assign):
            known[_name(statement.targets[0])] = self._value(statement.value, known, within)
        elif isinstance(statement, ast.AugAssign):
            before = self._looked_up(_name(statement.target), known)
            value = self._value(statement.value, known, within)
            known[_name(statement.target)] = _operated(statement.op, before, value)

    def _parted(
        self, statement: ast.If, rest: list[ast.stmt], known: _Known, within: ast.FunctionDef
    ) -> Value | None:
        """An `if` with a return in it: the rest follows on both sides."""
        test = self._truth(statement.test, known, within)
        one = self._run([*statement.body, *rest], dict(known), within)
        other = self._run([*statement.orelse, *rest], dict(known), within)
        if one is None or other is None:
            return None
        return apply("if", test, one, other)

    def _merged(self, statement: ast.If, known: _Known, within: ast.FunctionDef) -> None:
        """An `if` that only assigns: what differs afterwards depends on it."""
        test = self._truth(statement.test, known, within)
        one, other = dict(known), dict(known)
        self._run(statement.body, one, within)
        self._run(statement.orelse, other, within)
        for name in one.keys() & other.keys():
            same = one[name] == other[name]
            known[name] = one[name] if same else apply("if", test, one[name], other[name])

    def _repeated(self, statement: ast.For, known: _Known, within: ast.FunctionDef) -> None:
        """A `for`, written out."""
        for k in self._rounds(statement.iter, known, within):
            known[_name(statement.target)] = number(k)
            self._run(statement.body, known, within)

    def _rounds(self, of: ast.expr, known: _Known, within: ast.FunctionDef) -> range:
        if not (isinstance(of, ast.Call) and _name(of.func) == "range" and 1 <= len(of.args) <= 3):
            raise InputError("write for k in range(3)")
        bounds = [self._value(bound, known, within).known for bound in of.args]
        if None in bounds or any(bound != int(bound or 0) for bound in bounds):
            raise InputError("range takes whole numbers that are known beforehand")
        whole = [int(bound or 0) for bound in bounds]
        if len(whole) == 3 and whole[2] == 0:
            raise InputError("range takes no step of 0")
        rounds = range(*whole)
        if len(rounds) > MOST_ROUNDS:
            raise InputError(f"{len(rounds)} rounds are too many; {MOST_ROUNDS} are allowed")
        return rounds

    def _value(self, node: ast.expr, known: _Known, within: ast.FunctionDef) -> Value:
        """What an expression of Python is in the language."""
        self._step()
        match node:
            case ast.Constant(value=bool() as truth):
                return Value(float(truth), truth=True)
            case ast.Constant(value=int() | float() as plain):
                return number(plain)
            case ast.Name(id=name):
                return self._looked_up(name, known)
            case ast.BinOp(left=a, op=op, right=b):
                return _operated(op, self._value(a, known, within), self._value(b, known, within))
            case ast.UnaryOp(op=ast.USub(), operand=a):
                return apply("neg", self._value(a, known, within))
            case ast.UnaryOp(op=ast.UAdd(), operand=a):
                return self._value(a, known, within)
            case ast.IfExp(test=test, body=a, orelse=b):
                return apply(
                    "if",
                    self._truth(test, known, within),
                    self._value(a, known, within),
                    self._value(b, known, within),
                )
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._called(
                    name, [self._value(one, known, within) for one in arguments], within
                )
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp():
                return self._truth(node, known, within)
        raise InputError("use numbers, names, + - * /, comparisons and if")

    def _truth(self, node: ast.expr, known: _Known, within: ast.FunctionDef) -> Value:
        """What decides: a comparison, or several."""
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=a):
                return negated(self._truth(a, known, within))
            case ast.BoolOp(op=op, values=values):
                join = both if isinstance(op, ast.And) else either
                whole = self._truth(values[0], known, within)
                for other in values[1:]:
                    whole = join(whole, self._truth(other, known, within))
                return whole
            case ast.Compare(left=first, ops=ops, comparators=others):
                return self._compared([first, *others], ops, known, within)
        value = self._value(node, known, within)
        if not value.truth:
            raise InputError("compare with something, such as x > 0")
        return value

    def _compared(
        self, nodes: list[ast.expr], ops: list[ast.cmpop], known: _Known, within: ast.FunctionDef
    ) -> Value:
        values = [self._value(node, known, within) for node in nodes]
        parts = [
            _COMPARED[type(op)](one, other)
            for op, one, other in zip(ops, values[:-1], values[1:], strict=True)
        ]
        whole = parts[0]
        for part in parts[1:]:
            whole = both(whole, part)
        return whole

    def _called(self, name: str, given: list[Value], within: ast.FunctionDef) -> Value:
        if name == "random" and not given:
            return drawn(self.left)  # which no other step has
        if name in _CALLS:
            if _CALLS[name] == 1:
                return apply(name, *given)
            if len(given) < 2:
                raise InputError(f"{name} takes two or more arguments")
            whole = given[0]
            for value in given[1:]:
                whole = apply(name, whole, value)
            return whole
        function = self.functions.get(name)
        if function is None or function.lineno >= within.lineno:
            above = [one for one, f in self.functions.items() if f.lineno < within.lineno]
            raise InputError(
                f"{quoted(name)} cannot be called here; there are {listed([*_CALLS, *above])}"
            )
        return self.result(function, given)

    def _looked_up(self, name: str, known: _Known) -> Value:
        if name not in known:
            raise InputError(
                f"{quoted(name)} is not known here (on every way to this line); "
                f"there are {listed(known)}"
            )
        return known[name]

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise InputError("the program takes too many steps to be followed; make it shorter")


def _operated(op: ast.operator, a: Value, b: Value) -> Value:
    """What an operator makes of two values."""
    return power(a, b) if isinstance(op, ast.Pow) else apply(_OPERATORS[type(op)], a, b)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _returns(statement: ast.stmt) -> bool:
    """Whether there is a `return` in a statement."""
    return any(isinstance(node, ast.Return) for node in ast.walk(statement))
