"""Problems of any size and kind, solved together by one policy."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from nco.envs import environment
from nco.envs.convert import CONVERSIONS, conversion
from nco.envs.convert_pvrp import cut_off
from nco.envs.instances import each, pad
from nco.envs.pvrp import PVRPInstance
from nco.errors import InputError, PolicyError, UnsupportedError, counted, listed, quoted
from nco.problem import Problem
from nco.problem.solution import Solution
from nco.search.decoding.rollout import GREEDY
from nco.search.decoding.views import at_most
from nco.solver import Clock, check_limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nco.envs.convert import Converted
    from nco.models.files import StoredPolicy
    from nco.problem.route import Route
    from nco.search.decoding.rollout import Decoder

log = logging.getLogger("nco")

# Encoding keeps about a kilobyte a pair of nodes and view; this many fit into 1 GB, and GPUs
# have more and are only busy with more.
PAIRS_AND_VIEWS = {"cpu": 1_000_000, "cuda": 20_000_000}
# Instances share a batch while the largest has at most this many times the nodes of the smallest.
_STRETCH = 1.25
_REPORT_S = 2.0


@dataclass(frozen=True)
class _Task:
    """A problem with the environment that it is solved in.

    Attributes:
        number: in the list of problems.
        problem: to solve.
        name: of the environment.
        given: the problem as an instance.
    """

    number: int
    problem: Problem
    name: str
    given: Converted[Any]


def solve_all(
    loaded: StoredPolicy,
    problems: Sequence[Problem],
    strategy: Decoder | None = None,
    *,
    seed: int = 0,
    batch_size: int = 64,
) -> list[Solution]:
    """Solves problems with a policy, those alike in kind and size side by side.

    Args:
        loaded: the policy; it is used on the device where its weights are.
        problems: of any sizes and of any kinds that the policy serves.
        strategy: how to decode; None is greedy from every stop.
        seed: of whatever is random; the same problems, seed and batch size give the same answers.
        batch_size: most instances that are decoded together.

    Returns:
        One solution a problem, in their order. Its time is that of its batch, shared out.

    Raises:
        InputError: the seed or the batch size makes no sense, or a problem is none.
        UnsupportedError: the policy is not for what a problem asks.
        PolicyError: the policy does not fit this version of nco.
    """
    check_limits(1.0, seed)
    if batch_size < 1:
        raise InputError(f"batch_size is {quoted(batch_size)}; give 1 or more")
    refuse_strangers(loaded, "the policy")
    names = [_name_of(number, problem, loaded) for number, problem in enumerate(problems)]
    how = GREEDY if strategy is None else strategy
    device = next(loaded.policy.parameters()).device
    clock, reported_s = Clock(math.inf), 0.0
    solutions: dict[int, Solution] = {}
    tasks = [
        _Task(number, problem, name, conversion(name).instance(problem, torch.float32))
        for number, (problem, name) in enumerate(zip(problems, names, strict=True))
    ]
    for group in _groups(tasks, batch_size, how.views, device.type):
        began_s = clock.elapsed_s
        routes = _decoded(loaded, group, how, seed, device)
        each_s = (clock.elapsed_s - began_s) / len(group)
        for task, found in zip(group, routes, strict=True):
            solutions[task.number] = Solution.from_routes(
                task.problem, found, method="policy", seed=seed, time_s=each_s
            )
        if clock.elapsed_s - reported_s > _REPORT_S:
            reported_s = clock.elapsed_s
            log.info("solved %d of %d problems", len(solutions), len(tasks))
    return [solutions[number] for number in range(len(tasks))]


def refuse_strangers(loaded: StoredPolicy, who: str) -> None:
    """Refuses a policy that does not know what its environments show.

    Args:
        loaded: the policy.
        who: what messages call it.

    Raises:
        PolicyError: it is for an unknown environment, or was made for other features.
    """
    for name in loaded.problems:
        if name not in CONVERSIONS:
            raise PolicyError(
                f"{who} is for {quoted(name)}, which this version of nco does not know; it knows "
                f"{', '.join(CONVERSIONS)}"
            )
        shown = environment(name).features
        if not shown <= loaded.policy.features:
            lacking = [
                feature
                for kind in vars(shown)
                for feature in getattr(shown, kind)
                if feature not in getattr(loaded.policy.features, kind)
            ]
            raise PolicyError(
                f"{who} does not know {', '.join(lacking)}, which {quoted(name)} shows; it is of "
                "another version of nco, train it again"
            )


def serving(
    problem: Problem, policies: Sequence[StoredPolicy], who: str
) -> tuple[StoredPolicy, str]:
    """The policy for a problem, and the environment to decode it in: the least general one.

    Args:
        problem: to solve.
        policies: to choose from.
        who: what messages call them.

    Raises:
        UnsupportedError: no policy is for what the problem asks.
    """
    for name in CONVERSIONS:
        if conversion(name).covers(problem):
            for loaded in policies:
                if name in loaded.problems:
                    return loaded, name
    served = [name for name in CONVERSIONS if any(name in p.problems for p in policies)]
    features = frozenset().union(*(conversion(name).features for name in served))
    lacking = ", ".join(sorted(problem.features - features)) or "all this together"
    raise UnsupportedError(
        f"{who} can solve {', '.join(served) or 'nothing'} and cannot handle: {lacking}; "
        "give another policy or choose another method"
    )


def note_unusual(loaded: StoredPolicy, instance: object, problem: Problem) -> None:
    """Says what is unusual about a fleet; it is decoded all the same.

    It may be larger than any that the policy has seen, and the streets of a vehicle may not lead
    from each of its stops to all others: some are then left to other vehicles, or are put in when
    everything else is planned.

    Args:
        loaded: the policy, whose card may say `vehicles`, the fewest and the most.
        instance: to decode.
        problem: whose instance it is.
    """
    if isinstance(instance, PVRPInstance):
        for name, lost in cut_off(problem).items():
            log.warning(
                "%s could serve %s that do not all reach its other stops, or are not reached "
                "from them (nodes %s): the policy leaves them to other vehicles",
                quoted(name),
                counted(len(lost), "stop"),
                listed(lost),
            )
    seen = loaded.card.get("vehicles")
    if isinstance(instance, PVRPInstance) and isinstance(seen, list) and seen:
        most = seen[-1]
        if isinstance(most, int) and instance.vehicles > most:
            log.warning(
                "%d different vehicles are more than the policy has learned with (%d): routes may "
                "be worse than usual",
                instance.vehicles,
                most,
            )


def served_routes(
    problem: Problem,
    name: str,
    nodes: Sequence[int],
    actions: Sequence[int],
    clock: Clock,
) -> list[Route]:
    """The routes of a rollout, with the stops that it lacks where they fit.

    Args:
        problem: what was decoded.
        name: of the environment.
        nodes: of the instance, see `Converted.nodes`; the depot alone where no vehicle can serve
            anything.
        actions: of the rollout.
        clock: insertion stops when it is over.
    """
    from nco.fleet.mending import completed

    found = conversion(name).routes(problem, nodes, actions) if len(nodes) > 1 else []
    served = sum(len(route.stops) for route in found)
    return found if served == len(problem.stops) else completed(problem, found, clock)


def _name_of(number: int, problem: Problem, loaded: StoredPolicy) -> str:
    if not isinstance(problem, Problem):
        raise InputError(f"problem {number} is {type(problem).__name__}; give an nco.Problem")
    try:
        return serving(problem, [loaded], "the policy")[1]
    except UnsupportedError as error:
        raise UnsupportedError(f"problem {number}: {error}") from None


def _groups(
    tasks: Sequence[_Task], batch_size: int, views: int, device: str
) -> Iterator[list[_Task]]:
    """Tasks of one environment and of similar size, as many as memory is for."""
    most = PAIRS_AND_VIEWS.get(device, PAIRS_AND_VIEWS["cpu"])
    group: list[_Task] = []
    # The largest come first: what does not fit fails at once.
    for task in sorted(tasks, key=lambda t: (t.name, -len(t.given.nodes), t.number)):
        nodes = len(task.given.nodes)
        if group:
            largest = len(group[0].given.nodes)
            if (
                task.name != group[0].name
                or len(group) == batch_size
                or (len(group) + 1) * views * largest**2 > most
                or largest > _STRETCH * nodes
            ):
                yield group
                group = []
        group.append(task)
    if group:
        yield group


def _decoded(
    loaded: StoredPolicy, group: list[_Task], how: Decoder, seed: int, device: torch.device
) -> list[list[Route]]:
    """The routes of each of a group."""
    clock, nodes, name = Clock(math.inf), len(group[0].given.nodes), group[0].name
    taken: list[list[int]] = [[]] * len(group)
    if nodes > 1:
        views = at_most(how.views, PAIRS_AND_VIEWS.get(device.type, 0) // nodes**2)
        if views < how.views:
            log.info("%d nodes: %d of %d views fit into memory", nodes, views, how.views)
        note_unusual(loaded, group[0].given.instance, group[0].problem)
        whole = each(pad([task.given.instance for task in group]), lambda _, x: x.to(device))
        generator = torch.Generator(device).manual_seed(seed)
        how = replace(how, views=views)
        found = how.decode(environment(name), whole, loaded.policy, generator)
        taken = found.best().actions[:, 0].tolist()
    return [
        served_routes(task.problem, name, task.given.nodes, _own(actions, nodes, task.given), clock)
        for task, actions in zip(group, taken, strict=True)
    ]


def _own(actions: Sequence[int], nodes: int, given: Converted[Any]) -> list[int]:
    """Actions in a batch of so many nodes as those of one instance, which may have fewer."""
    parts = (divmod(action, nodes) for action in actions)
    return [vehicle * len(given.nodes) + node for vehicle, node in parts]
