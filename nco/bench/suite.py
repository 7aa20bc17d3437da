"""What is measured: every method at every budget on every instance of every city."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from nco.errors import InputError
from nco.solver import check_limits

PROBLEMS = ("rcvrp", "rcvrptw", "atsp")


@dataclass(frozen=True, kw_only=True)
class Task:
    """One run.

    Attributes:
        city: name or path.
        problem: a sampler of `nco.sample`.
        size: stops (nodes for "atsp").
        seed: of the instance and of the method.
        within_km: side of the square that points are drawn from; None for the whole city.
        method: name of the method.
        budget_s: its time limit.
    """

    city: str
    problem: str
    size: int
    seed: int
    within_km: float | None
    method: str
    budget_s: float

    @property
    def instance(self) -> tuple[str, str, int, int, float | None]:
        """What the run shares with the other methods and budgets."""
        return (self.city, self.problem, self.size, self.seed, self.within_km)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Instances, methods and budgets.

    Attributes:
        cities: names or paths.
        problem: a sampler of `nco.sample`.
        size: stops of each instance.
        instances: how many in each city.
        seed: of the first instance in each city; the others follow.
        within_km: side of the square that points are drawn from; None for the whole city.
        methods: names of methods.
        budgets_s: time limits.

    Raises:
        InputError: something is empty, unknown or makes no sense.
    """

    cities: tuple[str, ...] = ("helsinki",)
    problem: str = "rcvrp"
    size: int = 50
    instances: int = 10
    seed: int = 0
    within_km: float | None = None
    methods: tuple[str, ...] = ("policy", "ortools", "pyvrp", "vroom")
    budgets_s: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        from nco.solve import METHODS

        if self.problem not in PROBLEMS:
            raise InputError(f"problem is {self.problem!r}; use one of {', '.join(PROBLEMS)}")
        for name in ("cities", "methods", "budgets_s"):
            if not getattr(self, name):
                raise InputError(f"{name} is empty; give at least one")
        for method in self.methods:
            if method not in METHODS:
                raise InputError(f"method {method!r} is unknown; known are {', '.join(METHODS)}")
        for budget_s in self.budgets_s:
            check_limits(budget_s, self.seed)
        for name in ("size", "instances"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; give 1 or more")

    def tasks(self) -> Iterator[Task]:
        """Every run, methods side by side so that a slow minute of the machine meets all."""
        for city in self.cities:
            for seed in range(self.seed, self.seed + self.instances):
                for budget_s in self.budgets_s:
                    for method in self.methods:
                        yield Task(
                            city=city,
                            problem=self.problem,
                            size=self.size,
                            seed=seed,
                            within_km=self.within_km,
                            method=method,
                            budget_s=budget_s,
                        )

    def describe(self) -> dict[str, Any]:
        """The suite as plain data."""
        return asdict(self)
