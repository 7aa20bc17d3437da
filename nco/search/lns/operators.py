"""Operators of the neighbourhood search by name, each compiled by itself and called by address.

All have one signature, `operator(instance, state, count)`: of a problem (`arrays.Instance`) and
where its search stands (`arrays.SearchState`), a removal takes about `count` stops out of their
routes by `changes.remove` and leaves times of routes out of date; an insertion puts back by
`changes.insert` what it can of the `count` stops that are left out. Neither may allocate. `removal`
and `insertion` register one, from whichever module; searches that begin afterwards use it.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators
# Numba's functions have few types.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nco.errors import InputError, quoted
from nco.kernels.llvm import intrinsic, ir, types
from nco.search.lns.options import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.search.lns.records import Instance, SearchState


@dataclass(frozen=True, eq=False)
class Operator:
    """A removal or an insertion.

    Attributes:
        kernel: its function, compiled when it is first used.
        weight: how often it is used at first, against the others of its kind.
        when: whether it is for such a problem.
    """

    kernel: Any
    weight: float
    when: Callable[[Instance], bool]

    @property
    def compiled(self) -> bool:
        """Whether it has an address."""
        return bool(self.kernel.loaded)

    def address(self, instance: Instance, state: SearchState) -> int:
        """Where its compiled code begins, for arguments of such types; it stays there."""
        return int(self.kernel.address(instance, state, 0))


def always(_: Instance) -> bool:
    """For an operator that is for every problem."""
    return True


def tied(instance: Instance) -> bool:
    """Whether stops are tied to one another."""
    return len(instance.ties) > 0


def guided(instance: Instance) -> bool:
    """For an operator that reads `Instance.heatmap`: whether there is a policy's."""
    return len(instance.heatmap) == len(instance.service)


def mixed(instance: Instance) -> bool:
    """For an operator that changes who drives: whether there are several kinds of vehicles."""
    return len(instance.first) > 2


def traded(instance: Instance) -> bool:
    """For an operator that puts stops on vehicles of another kind, one by one."""
    return mixed(instance) and not instance.chained and not (instance.mate >= 0).any()


def balanced(instance: Instance) -> bool:
    """For an operator that shortens the longest route: whether it costs anything."""
    return instance.longest > 0 or instance.peaks != 0


class Operators(dict[str, Operator]):
    """Operators of one sort, by name."""

    def register[F: Callable[..., None]](
        self, name: str, weight: float = 1.0, *, when: Callable[[Instance], bool] = always
    ) -> Callable[[F], F]:
        """Registers the function below it.

        Args:
            name: no other operator of the sort has it.
            weight: see `Operator`.
            when: see `Operator`.

        Raises:
            InputError: the name is taken, or the weight is no positive number.
        """
        if name in self:
            raise InputError(f"operator {quoted(name)} is already registered; choose another name")
        if not 0 < weight < float("inf"):
            raise InputError(
                f"operator {quoted(name)} has the weight {quoted(weight)}; give a positive number"
            )

        def register(function: F) -> F:
            self[name] = Operator(compiled(function), float(weight), when)
            return function

        return register


REMOVALS, INSERTIONS = Operators(), Operators()
removal, insertion = REMOVALS.register, INSERTIONS.register


def prepare(instance: Instance, state: SearchState) -> None:
    """Compiles, or loads, all operators, also those that are not for this problem."""
    for operator in (*REMOVALS.values(), *INSERTIONS.values()):
        operator.address(instance, state)


def prepared() -> bool:
    """Whether all operators have been compiled before."""
    return all(operator.compiled for operator in (*REMOVALS.values(), *INSERTIONS.values()))


@intrinsic
def call(_: Any, _address: Any, instance: Any, state: Any, _count: Any) -> Any:
    """`call(address, instance, state, count)` runs an operator, from compiled code."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = [context.get_value_type(kind) for kind in signature.args[1:]]
        code = ir.FunctionType(context.get_value_type(types.void), kinds).as_pointer()
        builder.call(builder.inttoptr(arguments[0], code), arguments[1:])
        return context.get_dummy_value()

    return types.void(types.int64, instance, state, types.int64), generate


@compiled
def _run(address: Any, instance: Any, state: Any, count: Any) -> None:
    """`run` in compiled code."""
    call(address, instance, state, count)


def run(operator: Operator, instance: Instance, state: SearchState, count: int = 0) -> None:
    """Runs an operator once, from Python."""
    _run(operator.address(instance, state), instance, state, count)
