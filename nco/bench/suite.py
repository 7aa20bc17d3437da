"""What is measured: every method at every budget on every instance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nco.bench.instances import Instance
from nco.errors import InputError, quoted
from nco.solver import check_limits

_OVERHEAD_S = 0.2  # drawing, converting and checking, roughly


@dataclass(frozen=True, kw_only=True)
class Task:
    """One run.

    Attributes:
        instance: what is solved; its seed is the method's as well.
        method: name of the method.
        budget_s: its time limit.
    """

    instance: Instance
    method: str
    budget_s: float

    @property
    def key(self) -> str:
        """The same on every machine."""
        return key(self.instance.source, self.method, self.budget_s)

    @property
    def planned_s(self) -> float:
        """How long it takes at most, roughly."""
        return self.budget_s + _OVERHEAD_S


def key(source: dict[str, Any], method: str, budget_s: float) -> str:
    """What tells runs of a suite apart."""
    return json.dumps([source, method, float(budget_s)], sort_keys=True)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Instances, methods and budgets.

    Attributes:
        instances: see `nco.bench.instances`.
        methods: names of methods.
        budgets_s: time limits.

    Raises:
        InputError: something is empty, unknown or makes no sense.
    """

    instances: tuple[Instance, ...]
    methods: tuple[str, ...] = ("auto", "policy", "pyvrp", "hgs", "vroom", "ortools")
    budgets_s: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        from nco.solve import METHODS

        for name in ("instances", "methods", "budgets_s"):
            values = getattr(self, name)
            if not values:
                raise InputError(f"{name} is empty; give at least one")
            object.__setattr__(self, name, tuple(dict.fromkeys(values)))
        for method in self.methods:
            if method not in METHODS:
                raise InputError(
                    f"method {quoted(method)} is unknown; known are {', '.join(METHODS)}"
                )
        for instance in self.instances:
            for budget_s in self.budgets_s:
                check_limits(budget_s, instance.seed)

    @property
    def digest(self) -> str:
        """Follows from the instances; methods and budgets may be added to a suite."""
        sources = sorted(json.dumps(i.source, sort_keys=True) for i in self.instances)
        return hashlib.sha256("\n".join(sources).encode()).hexdigest()[:12]

    def tasks(self) -> Iterator[Task]:
        """Every run, methods side by side so that a slow minute of the machine meets all."""
        for instance in self.instances:
            for budget_s in self.budgets_s:
                for method in self.methods:
                    yield Task(instance=instance, method=method, budget_s=budget_s)

    def describe(self) -> dict[str, Any]:
        """The suite as plain data."""
        return {
            "digest": self.digest,
            "instances": [instance.name for instance in self.instances],
            "methods": self.methods,
            "budgets_s": self.budgets_s,
        }
