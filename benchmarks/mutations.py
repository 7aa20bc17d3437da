"""What a mutation run changes in source code: one small fault at a time, spliced into the text."""

from __future__ import annotations

import ast
import copy
import hashlib
from dataclasses import dataclass

COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_PAIRS = [
    ("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("any", "all"), ("floor", "ceil"),
    ("isinf", "isfinite"), ("zeros", "ones"), ("startswith", "endswith"), ("lstrip", "rstrip"),
]  # fmt: skip
TWINS = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
SYMMETRIC = {"min", "max", "minimum", "maximum", "isclose", "array_equal", "_same", "allclose"}
SILENT = {"log", "logging", "warnings", "cast"}  # calls that only tell somebody something


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        path: of the file, below the tree.
        line: where it begins.
        last: line where it ends.
        kind: of the fault.
        old: what stands there.
        new: what is put in its place.
        begin: characters before it.
        loads: whether it runs when the module is imported, and not in a function.
        key: the same as long as the statement around it stays, wherever that stands.
    """

    path: str
    line: int
    last: int
    kind: str
    old: str
    new: str
    begin: int
    loads: bool
    key: str

    def applied(self, source: str) -> str:
        """The source with the fault in it."""
        return source[: self.begin] + self.new + source[self.begin + len(self.old) :]

    def __str__(self) -> str:
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.path}:{self.line} {self.kind}: {old} -> {new}"


def mutants_of(path: str, source: str) -> list[Mutant]:
    """All faults that can be put into a file.

    Left alone are docstrings, annotations, decorators, the wording of messages, what is logged,
    and imports.
    """
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    return finder.found


class _Finder(ast.NodeVisitor):
    def __init__(self, path: str, source: str) -> None:
        self.path, self.source, self.found = path, source, list[Mutant]()
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = source.splitlines()
        self._scope: list[str] = []
        self._functions = 0
        self._statement = ast.Pass()
        self._known: set[str] = set()

    def _place(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def _put(self, node: ast.expr | ast.stmt, kind: str, new: ast.AST | str) -> None:
        begin = self._place(node.lineno, node.col_offset)
        end = self._place(node.end_lineno or 0, node.end_col_offset or 0)
        old = self.source[begin:end]
        text = new if isinstance(new, str) else ast.unparse(new)
        if isinstance(node, ast.expr) and not isinstance(node, ast.Constant):
            text = f"({text})"
        where = ast.get_source_segment(self.source, self._statement) or ""
        inside = begin - self._place(self._statement.lineno, self._statement.col_offset)
        name = "|".join([self.path, *self._scope, where, str(inside), kind, text])
        key = hashlib.sha256(name.encode()).hexdigest()[:16]
        self.found.append(
            Mutant(
                self.path, node.lineno, node.end_lineno or node.lineno, kind, old, text, begin,
                not self._functions, key,
            )
        )  # fmt: skip

    def visit(self, node: ast.AST) -> None:
        if not isinstance(node, ast.stmt):
            super().visit(node)
            return
        before, self._statement = self._statement, node
        super().visit(node)
        self._statement = before

    # What is left alone, and scopes.

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        known, self._known = self._known, {a.arg for a in ast.walk(node.args) if _is_arg(a)}
        self._scope.append(node.name)
        self._functions += 1
        self._block(node.body)
        self._functions -= 1
        self._scope.pop()
        self._known = known

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._scope.append(node.name)
        self._block(node.body)
        self._scope.pop()

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None: ...
    def visit_Import(self, node: ast.Import) -> None: ...
    def visit_ImportFrom(self, node: ast.ImportFrom) -> None: ...
    def visit_TypeAlias(self, node: ast.TypeAlias) -> None: ...

    def visit_Raise(self, node: ast.Raise) -> None:
        self._put(node, "no raise", "pass")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def _block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                self.visit(statement)

    # Statements.

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            if _root(node.value.func) in SILENT:
                return
            self._put(node, "dropped", "pass")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        names = {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        if "__all__" in names:
            return
        stored = [n for t in node.targets for n in ast.walk(t) if _stored_in(n)]
        if stored or (names and names <= self._known):
            self._put(node, "dropped", "pass")
        self.generic_visit(node)
        self._known |= names

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._put(node, "dropped", "pass")
        other = copy.copy(node)
        other.op = ARITHMETIC[type(node.op)]()
        self._put(node, "arithmetic", other)
        self.generic_visit(node)

    def visit_Break(self, node: ast.Break) -> None:
        self._put(node, "dropped", "pass")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._put(node, "dropped", "pass")

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if len(node.body) == 1 and isinstance(node.body[0], ast.Return):
            self._put(node.body[0], "no return", "pass")
        self._negate(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for condition in node.ifs:
            self._negate(condition)
        self.generic_visit(node)

    def _negate(self, test: ast.expr) -> None:
        # The opposite of an equality is a mutant of its own, and so is leaving a `not` out.
        equality = ast.Eq | ast.NotEq | ast.In | ast.NotIn | ast.Is | ast.IsNot
        match test:
            case ast.Constant() | ast.UnaryOp(op=ast.Not()):
                return
            case ast.Compare(ops=[operator]) if isinstance(operator, equality):
                return
        self._put(test, "negated", ast.UnaryOp(ast.Not(), test))

    # Expressions.

    def visit_Compare(self, node: ast.Compare) -> None:
        for k, operator in enumerate(node.ops):
            other = copy.copy(node)
            other.ops = [*node.ops[:k], COMPARE[type(operator)](), *node.ops[k + 1 :]]
            self._put(node, "comparison", other)
        for side in (node.left, *node.comparators):
            self._rename(side)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        text = any(isinstance(side, ast.JoinedStr) for side in (node.left, node.right))
        if not text and type(node.op) in ARITHMETIC:
            other = copy.copy(node)
            other.op = ARITHMETIC[type(node.op)]()
            self._put(node, "arithmetic", other)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        self._put(node, "no sign", node.operand)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = copy.copy(node)
        other.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self._put(node, "and/or", other)
        for k in range(len(node.values)):
            rest = [value for n, value in enumerate(node.values) if n != k]
            part = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            self._put(node, "condition left out", part)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._put(node, "constant", str(not value))
        elif isinstance(value, int):
            self._put(node, "constant", str(value + 1))
            if value == 1:
                self._put(node, "constant", "0")
        elif isinstance(value, float):
            self._put(node, "constant", repr(2 * value if value else 1.0))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == "inf":
            self._put(node, "constant", "0.0")
        elif node.attr in TWINS:
            self._put(node, "twin", ast.Attribute(node.value, TWINS[node.attr], ast.Load()))
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._rename(node.slice)
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key in node.keys:
            if key is not None:
                self._rename(key)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if _root(node.func) in SILENT:
            return
        if isinstance(node.func, ast.Name) and node.func.id in TWINS:
            self._put(node.func, "twin", TWINS[node.func.id])
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
            self._rename(node.args[0])
        plain = [a for a in node.args[:2] if not isinstance(a, ast.Starred | ast.JoinedStr)]
        differ = len({ast.unparse(a) for a in plain}) == 2
        if differ and _name(node.func) not in SYMMETRIC:
            other = copy.copy(node)
            other.args = [plain[1], plain[0], *node.args[2:]]
            self._put(node, "swapped arguments", other)
        for keyword in node.keywords:
            # That two sequences are of one length is an assertion, not behaviour.
            if keyword.arg != "strict" and not isinstance(keyword.value, ast.JoinedStr):
                other = copy.copy(node)
                other.keywords = [k for k in node.keywords if k is not keyword]
                self._put(node, f"without {keyword.arg}", other)
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg != "strict":
            self.visit(node.value)

    def _rename(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._put(node, "constant", repr(node.value + "?"))


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else _root(node)


def _is_arg(node: ast.AST) -> bool:
    return isinstance(node, ast.arg)


def _stored_in(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store)
