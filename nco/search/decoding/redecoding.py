"""Decoding again: a few trips of the best rollout are forgotten, and driven anew by the policy.

Trips that begin and end at one depot can be driven in any order, so that the depot after some of
them is a state that the policy knows. It alone says what becomes of the stops of the others. Which
trips are forgotten is random: those of a stop and of the stops near it. Several choices are decoded
side by side, each in several samples, and what is cheaper than before is kept. Rebuilding parts of
a solution by a policy follows Hottung and Tierney 2020 (NLNS) and Kim et al. 2021 (LCP).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nco.envs.pvrp import PVRP
from nco.errors import PolicyError, quoted
from nco.models.fleet import FleetEncoded
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.fleet_driving import driven_fleet
from nco.search.decoding.rollout import Decoder, Strategy, check_counts, rollout
from nco.search.decoding.rollouts import Rollouts

if TYPE_CHECKING:
    from nco.arrays import Floats
    from nco.envs.base import AnyEnvironment
    from nco.envs.pvrp import PVRPInstance, PVRPState
    from nco.models.pointer import Encoded
    from nco.search.decoding.expiry import Expired

_LEAST = 1e-6  # share of the cost that counts as better


@dataclass(frozen=True)
class Redecoding(Decoder):
    """Samples of vehicles with profiles, then parts of the best one again and again.

    Attributes:
        temperature: of samples.
        samples: rollouts of each view to begin with.
        choices: how many choices of trips are decoded side by side.
        each: samples of a choice in each view.
        trips: fewest and most trips of a choice.
        rounds: how often; None goes on until time is up.
    """

    temperature: float = 0.3
    samples: int = 64
    choices: int = 8
    each: int = 8
    trips: tuple[int, int] = (2, 4)
    rounds: int | None = 40

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.temperature < float("inf"):
            raise PolicyError(f"temperature is {quoted(self.temperature)}; give more than 0")
        check_counts(samples=self.samples, choices=self.choices, each=self.each, rounds=self.rounds)
        if not 1 <= self.trips[0] <= self.trips[1]:
            raise PolicyError(f"trips is {quoted(list(self.trips))}; give 1 <= fewest <= most")

    def search(
        self,
        env: AnyEnvironment,
        instance: Any,
        encoded: Encoded,
        generator: torch.Generator | None = None,
        expired: Expired | None = None,
    ) -> Rollouts:
        """See `Decoder`; the best rollout of each instance.

        Raises:
            PolicyError: the environment or the policy is none of vehicles with profiles that decide
                one after another, or nothing ends the search.
            TimeUp: before the first rollouts were complete.
        """
        if not isinstance(env, PVRP) or not isinstance(encoded, FleetEncoded) or encoded.exchange:
            raise PolicyError(
                "trips are decoded again by policies of vehicles with profiles that decide one "
                "after another; use another strategy"
            )
        if self.rounds is None and expired is None:
            raise PolicyError("rounds is None, which needs a time limit; give a number of rounds")
        draw = Strategy(temperature=self.temperature, starts=1, repeats=self.samples)
        first = rollout(env, instance, encoded, draw, generator, expired=expired).best()
        with torch.inference_mode():
            search = _Search(env, instance, encoded, first, self, generator)
            done = 0
            try:
                while self.rounds is None or done < self.rounds:
                    search.round(expired)
                    done += 1
            except TimeUp:
                pass
            return search.best()


@dataclass(frozen=True)
class _Trip:
    """A vehicle, its stops in their order, and what they cost."""

    vehicle: int
    stops: list[int]
    cost: float


class _Search:
    """The best trips of every instance."""

    def __init__(
        self,
        env: PVRP,
        instance: PVRPInstance,
        encoded: FleetEncoded,
        first: Rollouts,
        how: Redecoding,
        generator: torch.Generator | None,
    ) -> None:
        self._env, self._instance, self._encoded, self._how = env, instance, encoded, how
        self._generator = generator
        seed = torch.randint(2**62, (), generator=generator).item()
        self._rng = np.random.default_rng(int(seed))
        self._cost = instance.cost.double().numpy()
        self._forgone = instance.forgone.double().numpy()
        drive = self._cost.mean(1)
        self._apart = drive + drive.transpose(0, 2, 1)
        self._demand = instance.demand.numpy()
        turns = encoded.count // len(instance.cost)
        self._repeats = turns * how.choices * how.each
        self._fresh = env.reset(instance, self._repeats)
        self._trips = [
            self._read(b, actions) for b, actions in enumerate(first.actions[:, 0].tolist())
        ]

    def _read(self, b: int, actions: list[int]) -> list[_Trip]:
        """The trips of actions that are driven one after the other."""
        nodes, made, vehicle, stops = self._instance.nodes, [], -1, list[int]()
        for action in (*actions, 0):
            m, node = divmod(action, nodes)
            if stops and (node == 0 or m != vehicle):
                made.append(_Trip(vehicle, stops, self._spent(b, vehicle, stops)))
                stops = []
            if node and (not stops or stops[-1] != node):
                vehicle = m
                stops.append(node)
        return made

    def _spent(self, b: int, vehicle: int, stops: list[int]) -> float:
        way: Floats = self._cost[b, vehicle]
        path = [0, *stops, 0]
        return float(way[path[:-1], path[1:]].sum() + self._forgone[b, vehicle, stops].sum())

    def _choose(self, b: int) -> list[int]:
        """Numbers of the trips of a random stop and of those that are near it."""
        low, high = self._how.trips
        count = int(self._rng.integers(low, high + 1))
        trips = self._trips[b]
        own = trips[int(self._rng.integers(len(trips)))].stops
        centre = own[int(self._rng.integers(len(own)))]
        near = [self._apart[b, centre, trip.stops].min() for trip in trips]
        return [int(k) for k in np.argsort(near, kind="stable")[:count]]

    def round(self, expired: Expired | None) -> None:
        """Decodes several choices of trips anew, and keeps what is cheaper.

        Raises:
            TimeUp: `expired` said so.
        """
        how, batch = self._how, len(self._trips)
        chosen = [[self._choose(b) for _ in range(how.choices)] for b in range(batch)]
        state = self._begun(chosen)
        actions, last = driven_fleet(
            self._instance, self._encoded, state, how.temperature, self._generator, expired
        )
        cost = self._env.cost(self._instance, actions).numpy()
        cost = np.where(self._env.violation(last).numpy() > 0, np.inf, cost)
        for b in range(batch):
            self._keep(b, chosen[b], cost[b], actions[b])

    def _begun(self, chosen: list[list[list[int]]]) -> PVRPState:
        """All vehicles at the depot, after the trips that are not chosen.

        Rollouts of a view lie side by side, and in them those of a choice.
        """
        how, instance = self._how, self._instance
        batch, nodes = len(chosen), instance.nodes
        open_ = np.zeros((batch, how.choices, nodes), bool)
        used = np.zeros((batch, how.choices, instance.vehicles), np.int64)
        for b, of_one in enumerate(chosen):
            for c, numbers in enumerate(of_one):
                for k, trip in enumerate(self._trips[b]):
                    if k in numbers:
                        open_[b, c, trip.stops] = True
                    else:
                        used[b, c, trip.vehicle] += 1

        def spread(x: Any) -> torch.Tensor:
            each = torch.from_numpy(x).repeat_interleave(how.each, 1)
            return each.repeat(1, self._repeats // each.shape[1], *[1] * (each.ndim - 2))

        fresh = self._fresh
        return replace(
            fresh,
            visited=fresh.visited | ~spread(open_) & (torch.arange(nodes) > 0),
            left=spread((open_ * self._demand[:, None]).sum(2)),
            unserved=spread(open_.sum(2)),
            spare=fresh.spare - spread(used),
        )

    def _keep(self, b: int, chosen: list[list[int]], cost: Floats, actions: torch.Tensor) -> None:
        """Puts in what gains most, then all that gains elsewhere."""
        how, trips = self._how, self._trips[b]
        by_turn = cost.reshape(-1, how.choices, how.each).transpose(1, 0, 2)
        by_choice = by_turn.reshape(how.choices, -1)
        best = by_choice.argmin(1)
        before = np.array([sum(trips[k].cost for k in numbers) for numbers in chosen])
        gain = before - by_choice.min(1)
        gone: set[int] = set()
        new: list[_Trip] = []
        for c in np.argsort(-gain, kind="stable"):
            if gain[c] <= _LEAST * before[c] or gone & set(chosen[c]):
                continue
            turn, place = divmod(int(best[c]), how.each)
            row = (turn * how.choices + int(c)) * how.each + place
            gone |= set(chosen[c])
            new += self._read(b, actions[row].tolist())
        self._trips[b] = [trip for k, trip in enumerate(trips) if k not in gone] + new

    def best(self) -> Rollouts:
        """The trips one after the other."""
        nodes = self._instance.nodes
        rows = [
            [t.vehicle * nodes + n for t in trips for n in (*t.stops, 0)] for trips in self._trips
        ]
        most = max(map(len, rows))
        # The last action again changes nothing: the vehicle is at the depot.
        full = [row + [row[-1]] * (most - len(row)) for row in rows]
        actions = torch.tensor(full)[:, None]
        cost = self._env.cost(self._instance, actions)
        trips = torch.zeros_like(self._instance.trips)
        for b, own in enumerate(self._trips):
            for trip in own:
                trips[b, trip.vehicle] += 1
        over = (trips - self._instance.trips).clamp_min(0).sum(1, keepdim=True)
        return Rollouts(actions, cost, over)
