"""Decoding the test sets: gaps to the references, every answer checked, and time."""

from __future__ import annotations

import math
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from nco.bench.policies.sets import PROBLEMS, moved
from nco.bench.summary import AGREEMENT
from nco.envs import environment
from nco.envs.convert import conversion
from nco.errors import InputError, PolicyError, quoted, shortened
from nco.models.files import read_policy
from nco.models.shipped import served_by, shipped
from nco.problem.check import check
from nco.problem.solution import Solution
from nco.search.decoding.rollout import Strategy
from nco.search.decoding.rollouts import Rollouts
from nco.search.decoding.views import EIGHT
from nco.solve import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nco.bench.policies.sets import Cases
    from nco.models.files import StoredPolicy
    from nco.models.policy import Policy
    from nco.problem import Problem

DECODINGS = {"greedy": Strategy(), "greedy-x8": Strategy(views=EIGHT)}
"""Greedy from every start, and that in eight views."""
BASELINES = ("nearest", "savings")
LATENCIES = 5  # instances that are solved one at a time
_ROLLOUTS = 12_800  # that are decoded together
_BASELINE_S = 60.0


@dataclass(frozen=True)
class Answers:
    """What one method made of the instances of a cell.

    Attributes:
        cost_m: by the checker, one an instance.
        errors: what is wrong with the answers, in words; empty if all are right.
        time_s: mean seconds an instance, decoded in batches where the method can.
        latency_s: median seconds of an instance from problem to routes, one at a time on one
            thread; None where it was not measured.
        threads: of `time_s`.
        device: that the answers come from.
        clock: what `time_s` is measured by: "cpu" where one thread works on its own, whose time
            other load on the machine hardly changes; else "wall".
    """

    cost_m: tuple[float, ...]
    errors: tuple[str, ...]
    time_s: float
    latency_s: float | None
    threads: int
    device: str
    clock: str


def problems_of(loaded: StoredPolicy) -> tuple[str, ...]:
    """Names of the environments that a policy serves."""
    return loaded.problems


def with_sets() -> tuple[str, ...]:
    """Names of the shipped policies that there are test sets for."""
    return tuple(name for name in shipped() if set(served_by(name)) & set(PROBLEMS))


def load(source: str) -> StoredPolicy:
    """A policy whose problems are known here.

    Raises:
        PolicyError: it cannot be loaded, or is for something else.
    """
    loaded = read_policy(source)
    if not set(problems_of(loaded)) & set(PROBLEMS):
        raise PolicyError(
            f"policy {quoted(source)} serves {', '.join(problems_of(loaded))}; there are test "
            f"sets for {', '.join(PROBLEMS)}"
        )
    return loaded


def device_of(name: str) -> torch.device:
    """The device of a name.

    Raises:
        InputError: there is no such device here.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"device {quoted(name)} cannot be used ({shortened(reason)}); use cpu"
        ) from error
    return device


def decoded(policy: Policy, problem: str, instance: Any, strategy: Strategy) -> Rollouts:
    """The best rollout of each of a batch of instances."""
    return strategy.decode(environment(problem), instance, policy).best()


def by_policy(
    loaded: StoredPolicy, cases: Cases, strategy: Strategy, device: torch.device
) -> Answers:
    """Decode all instances with a policy.

    Args:
        loaded: serves the problem.
        cases: what to decode.
        strategy: how.
        device: where.
    """
    name = cases.cell.problem
    policy, convert = loaded.policy.to(device), conversion(name)
    size = max(1, _ROLLOUTS // (cases.cell.stops * strategy.views))
    decoded(policy, name, cases.part(0, size, device), strategy)  # compiles and allocates
    solutions, claimed, time_s = [], [], 0.0
    clock, now_s = _clock(device, torch.get_num_threads())
    for begin in range(0, len(cases.problems), size):
        problems = cases.problems[begin : begin + size]
        batch = cases.part(begin, begin + len(problems), device)
        _wait(device)
        began = now_s()
        best = decoded(policy, name, batch, strategy)
        actions = best.actions[:, 0].tolist()  # waits for the device
        time_s += now_s() - began
        claimed += best.cost[:, 0].tolist()
        nodes = range(problems[0].size)
        for problem, taken in zip(problems, actions, strict=True):
            solutions.append(Solution.from_routes(problem, convert.routes(problem, nodes, taken)))
    cost_m, errors = judged(cases.problems, solutions, claimed)
    return Answers(
        cost_m=cost_m,
        errors=errors,
        time_s=time_s / len(cases.problems),
        latency_s=_latency_s(policy, cases, strategy, device),
        threads=torch.get_num_threads(),
        device=str(device),
        clock=clock,
    )


def by_method(method: str, cases: Cases) -> Answers:
    """Solve all instances by a method of `nco.solve`, one at a time."""
    solve(cases.problems[0], method, time_limit_s=_BASELINE_S)  # loads the method
    solutions, times = [], []
    for problem in cases.problems:
        began = time.process_time()
        solutions.append(solve(problem, method, time_limit_s=_BASELINE_S))
        times.append(time.process_time() - began)
    cost_m, errors = judged(cases.problems, solutions, [s.cost.total for s in solutions])
    return Answers(
        cost_m=cost_m,
        errors=errors,
        time_s=statistics.mean(times),
        latency_s=statistics.median(times),
        threads=1,
        device="cpu",
        clock="cpu",
    )


def judged(
    problems: Sequence[Problem], solutions: Sequence[Solution], claimed: Sequence[float]
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Costs by the checker, and what it finds wrong.

    Args:
        problems: one an answer.
        solutions: the answers.
        claimed: what each costs by the account of whoever found it.
    """
    costs, errors = [], []
    for k, (problem, solution, claim) in enumerate(zip(problems, solutions, claimed, strict=True)):
        report = check(problem, solution)
        costs.append(report.cost)
        if not report.feasible:
            errors += [f"instance {k}: {finding.message}" for finding in report.findings]
        elif not math.isclose(claim, report.cost, rel_tol=AGREEMENT, abs_tol=AGREEMENT):
            errors.append(f"instance {k}: costs {report.cost:.9g}, not {claim:.9g}")
    return tuple(costs), tuple(errors)


def _latency_s(policy: Policy, cases: Cases, strategy: Strategy, device: torch.device) -> float:
    convert, times = conversion(cases.cell.problem), []
    _, now_s = _clock(device, 1)
    with _one_thread():
        for problem in (cases.problems[0], *cases.problems[:LATENCIES]):
            began = now_s()
            given = convert.instance(problem, torch.float32)
            batch = moved(given.instance, device)
            best = decoded(policy, cases.cell.problem, batch, strategy)
            convert.routes(problem, given.nodes, best.actions[0, 0].tolist())
            times.append(now_s() - began)
    return statistics.median(times[1:])  # the first one warms up


def _clock(device: torch.device, threads: int) -> tuple[str, Callable[[], float]]:
    """The name of a clock and the clock; see `Answers.clock`."""
    if device.type == "cpu" and threads == 1:
        return "cpu", time.process_time
    return "wall", time.perf_counter


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
