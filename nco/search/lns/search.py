"""A running neighbourhood search: its routes, its temperature, what its operators earned."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.fleet.kinds import renumbered
from nco.problem.route import Route
from nco.search.lns import insertion, removal, trading  # noqa: F401 (they register operators)
from nco.search.lns.annealing import anneal, construct
from nco.search.lns.arrays import BOLD, Fleet, empty_state, instance_of, successors_of
from nco.search.lns.chains import spread
from nco.search.lns.changes import objective, rebuild
from nco.search.lns.ejection import serve_all
from nco.search.lns.paying import paying_parts
from nco.search.lns.settings import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.arrays import Floats
    from nco.fleet.columns import Columns
    from nco.fleet.kinds import Kind
    from nco.problem import Problem
    from nco.search.lns.arrays import Ints, Singles
    from nco.search.lns.records import Instance, SearchState
    from nco.search.lns.settings import Settings

GUIDE = 0.3  # mean costs of a stop that an arc may be longer for being on all of a policy's routes
KINDS = 8  # of vehicles, of which each is tried in turn to begin routes on
SHARED = 0.3  # of the longest route's price, that all routes have when temperatures are chosen
ADAPT = 1000  # iterations, after which operators get other weights
MEMORY = 0.9  # share of what was known of operators that then counts beside what is new
LEAST = 0.2  # share of its first chance that every operator keeps


class Search:
    """Routes that a search goes on from; single-threaded, but several may run side by side.

    Args:
        problem: to solve.
        kinds: of its vehicles.
        routes: to start from; they break no rule.
        seed: of all that is random.
        heatmap: `[N, N]` share of a policy's routes that drive an arc; without, none guides.
        settings: its operators, and how hot it begins.
    """

    def __init__(
        self,
        problem: Problem,
        kinds: Sequence[Kind],
        routes: Sequence[Route],
        seed: int,
        heatmap: Singles | None = None,
        settings: Settings = DEFAULT,
    ) -> None:
        self._settings = settings
        self._fleet = Fleet.of(problem, kinds, routes)
        self._instance = instance_of(problem, self._fleet, heatmap)
        self._state = empty_state(self._instance, seed)
        self._begin(successors_of(routes, self._fleet, self._instance), begun=bool(routes))
        state = self._state
        self._successors = state.next.copy()
        self._cost = np.array([objective(self._instance, state)])
        if heatmap is not None:
            self._instance = self._instance._replace(guide=GUIDE * self._unit)
        operators = settings.operators(self._instance)
        self._codes = np.zeros((2, max(map(len, operators))), np.int64)
        for codes, own in zip(self._codes, operators, strict=True):
            codes[: len(own)] = [operator.address(self._instance, state) for operator in own]
        self._shares = [np.array([operator.weight for operator in own]) for own in operators]
        self._earned = [shares.copy() for shares in self._shares]
        self._scores = np.zeros((*self._codes.shape, 2))
        self._stop = np.zeros(1, np.int64)
        self.iterations = 0

    def _begin(self, following: Ints, *, begun: bool) -> None:
        """Inserts what is missing; where nothing is begun, on the kinds of vehicles in turn.

        Where stops may be left out, also without any that costs more than it is worth.
        """
        state, kinds = self._state, len(self._instance.first) - 1
        wanted = [-1, *range(kinds if not begun and 1 < kinds <= KINDS else 0)]
        found: list[tuple[float, Ints]] = []

        def construct_on(successors: Ints, kind: int) -> None:
            rebuild(self._instance, state, successors)
            construct(self._instance, state, kind)
            found.append((objective(self._instance, state), state.next.copy()))

        for kind in wanted:
            state.bold[0] = BOLD
            construct_on(following, kind)
            if self._instance.optional:  # routes without any stop would say nothing
                self._unit = self._mean_cost()
                state.bold[0] = 0.0
                construct_on(following, kind)
        if self._instance.optional and not (self._instance.mate >= 0).any():
            state.bold[0] = 1.0
            construct_on(following, -1)
            state.bold[0] = 0.0
            construct_on(paying_parts(self._instance, state), -1)
        state.bold[0] = BOLD
        if len(found) > 1:
            rebuild(self._instance, state, min(found, key=lambda pair: pair[0])[1])
        if not self._instance.optional:
            self._unit = self._mean_cost()

    def _mean_cost(self) -> float:
        """Of a stop on a route, where the search stands."""
        state, instance = self._state, self._instance
        out = instance.stops[state.vehicle[instance.stops] < 0]
        missing = instance.prize[out].sum() + instance.group_prize[state.group_served == 0].sum()
        fixed = float(instance.fixed[state.served > 0].sum() + state.paid.sum())
        driven = abs(float(state.total[0] - missing) - fixed + self._gained())
        whole = driven + min(fixed, driven or fixed)  # vehicles may cost far more than all arcs
        measure = state.measure
        if instance.chained:  # all trips of a vehicle have its measure
            measure = measure[np.arange(len(measure)) == instance.head]
        whole += SHARED * instance.longest * float(measure.sum())
        whole += SHARED * float(state.peak[:, :2].sum(0) @ instance.peak)
        return max(whole / max(1, len(instance.stops) - len(out)), 1e-9)

    def _gained(self) -> float:
        """Preferences of the stops on routes, without which routes cost what they drive."""
        gained, vehicle = 0.0, self._state.vehicle[self._instance.stops]
        kind = np.append(self._fleet.kind, -1)[vehicle]
        for k, group in enumerate(self._fleet.kinds):
            if group.gain is not None:
                gained += float(group.gain[self._instance.stops[kind == k]].sum())
        return gained

    @property
    def incomplete(self) -> bool:
        """Whether a required stop is left out where the search stands."""
        state, instance = self._state, self._instance
        bank = state.bank[: state.bank_size[0]]
        groups = instance.group_prize[state.group_served == 0]
        reward = instance.reward
        return bool((instance.prize[bank] >= reward).any() or (groups >= reward).any())

    @property
    def cost(self) -> float:
        """Of the best routes, with what is left out."""
        return float(self._cost[0])

    def note(self, columns: Columns) -> None:
        """Notes the routes of where the search stands; those that break a rule are none."""
        instance, state = self._instance, self._state
        size, following, leaving = (
            len(instance.service),
            state.next.tolist(),
            state.leaving.tolist(),
        )
        beside = instance.per_s * state.duty + state.times_cost + instance.fixed
        for v in np.flatnonzero((state.served > 0) & ~state.late).tolist():
            place, cost, stops = size + 2 * v, float(beside[v]), list[int]()
            while (place := following[place]) < size:
                stops.append(place)
                cost += leaving[place]
            cost += leaving[size + 2 * v]
            if cost < instance.barred:
                columns.note(self._fleet.kinds[self._fleet.kind[v]].numbers[0], stops, cost)

    @property
    def routes(self) -> list[Route]:
        """The best routes."""
        duties, depots, following = [], self._depots(), self._successors.tolist()
        for places in self._fleet.vehicles:
            trips = [
                Route(0, tuple(trip), depots.get(v))
                for v, trip in zip(places, self._trips(places, following), strict=True)
            ]
            duties.append((self._fleet.kind[places[0]], trips))
        return renumbered(self._fleet.kinds, duties)

    def _trips(self, places: Sequence[int], following: Sequence[int]) -> list[list[int]]:
        """Stops of some trips, by what follows each place."""
        size, found = len(self._instance.service), []
        for v in places:
            trip, place = list[int](), following[size + 2 * v]
            while place < size:
                trip.append(place)
                place = following[place]
            found.append(trip)
        return found

    def _depots(self) -> dict[int, int]:
        """Where the trips of the best routes end, if there may be several of a vehicle."""
        if not self._instance.chained:
            return {}
        state = empty_state(self._instance, 0)
        rebuild(self._instance, state, self._successors)
        size = len(self._instance.service)
        return dict(enumerate(state.place[size + 1 :: 2].tolist()))

    def _spread(self, successors: Ints) -> Ints:
        """The same routes, with empty places between the trips of each vehicle."""
        if not self._instance.chained:
            return successors
        size, found = len(self._instance.service), empty_state(self._instance, 0).next
        for places in self._fleet.vehicles:
            trips = [v for v in places if successors[size + 2 * v] < size]
            for v, n in zip(trips, spread(len(trips), len(places)), strict=True):
                i, j = size + 2 * places[n], int(successors[size + 2 * v])
                while j < size:
                    found[i], i, j = j, j, int(successors[j])
                found[i] = size + 2 * places[n] + 1
        return found

    @property
    def successors(self) -> Ints:
        """`[N + 2 M]` the place behind each, of the best routes."""
        return self._successors

    @property
    def instance(self) -> Instance:
        """What is searched, for compiled loops; not to be changed."""
        return self._instance

    @property
    def state(self) -> SearchState:
        """Where the search stands; not to be changed."""
        return self._state

    @property
    def earned(self) -> Sequence[Floats]:
        """How often operators of removal and of insertion are used, as shares."""
        return self._earned

    def beside(self, seed: int) -> Search:
        """Another search of the same problem from the same routes; what they share is read only."""
        return self._on(self._fleet, self._instance, self._state.next, seed)

    def part(self, vehicles: Ints, stops: Ints, seed: int) -> Search:
        """A search of some routes of where this one stands; vehicles are numbered anew.

        Args:
            vehicles: `[m]` of the search, in order.
            stops: those on their routes, and left-out ones that may join them.
            seed: of all that is random.
        """
        whole, known = self._instance, self._fleet
        numbers, kinds, most = (tuple(x[v] for v in vehicles) for x in known[1:])
        places = _places(len(whole.service), vehicles)
        instance = whole._replace(
            place=whole.place[places],
            opens=whole.opens[places],
            closes=whole.closes[places],
            kind=whole.kind[vehicles],
            first=np.searchsorted(vehicles, whole.first).astype(np.int32),
            capacity=whole.capacity[vehicles],
            fixed=whole.fixed[vehicles],
            per_s=whole.per_s[vehicles],
            most=whole.most[vehicles] if whole.limited else whole.most,
            **_hours_of(whole, vehicles),
            stops=stops,
        )
        number = np.full(len(whole.place) + 1, -1, np.int32)  # the last for what leads nowhere
        number[places] = np.arange(len(places), dtype=np.int32)
        following = number[self._state.next[places]]
        return self._on(Fleet(known.kinds, numbers, kinds, most), instance, following, seed)

    def serve_all(self, absences: Floats, iterations: int) -> int:
        """See `ejection.serve_all`."""
        return int(serve_all(self._instance, self._state, absences, iterations, self._stop))

    def adopt(self, vehicles: Ints, part: Search) -> None:
        """Goes on from where the search of some vehicles stands; all others are idle.

        Args:
            vehicles: as given to `part`.
            part: serves all stops.
        """
        size = len(self._instance.service)
        places = _places(size, vehicles)
        known = np.append(places, -1).astype(np.int32)
        self._successors[:] = empty_state(self._instance, 0).next
        own = np.concatenate([self._instance.stops, np.arange(size, len(places))])
        self._successors[places[own]] = known[part.state.next[own]]
        rebuild(self._instance, self._state, self._successors)
        self._cost[0] = objective(self._instance, self._state)
        self.iterations += part.iterations

    def join(self, parts: Sequence[tuple[Ints, Search]]) -> None:
        """Goes on from where searches of parts stand, and keeps their best routes if they are.

        Args:
            parts: vehicles of each, as given to `part`; every vehicle on a route is in one.
        """
        best, stand = self._state.next.copy(), self._state.next.copy()
        size = len(self._instance.service)
        for vehicles, part in parts:
            places = _places(size, vehicles)
            own = np.concatenate([part.instance.stops, np.arange(size, len(places))])
            known = np.append(places, -1).astype(np.int32)  # the last for what leads nowhere
            best[places[own]] = known[part.successors[own]]
            stand[places[own]] = known[part.state.next[own]]
        rebuild(self._instance, self._state, best)
        cost = objective(self._instance, self._state)
        if cost < self.cost:
            self._successors[:], self._cost[0] = best, cost
        rebuild(self._instance, self._state, stand)
        for _, part in parts:
            part.learn()
        earned = zip(*(part.earned for _, part in parts), strict=True)
        self._earned = [np.mean(shares, axis=0) for shares in earned]
        self.iterations += max(part.iterations for _, part in parts)

    def go_on_from(self, other: Search) -> None:
        """Takes over the best routes of a search on the same problem and vehicles."""
        self._successors[:] = self._spread(other.successors)
        self._cost[0] = other.cost
        rebuild(self._instance, self._state, self._successors)

    def offer(self, routes: Sequence[Route]) -> None:
        """Goes on from routes that break no rule, if they are better than the best so far."""
        rebuild(self._instance, self._state, successors_of(routes, self._fleet, self._instance))
        cost = objective(self._instance, self._state)
        if cost < self.cost:
            self._successors[:], self._cost[0] = self._state.next, cost
        rebuild(self._instance, self._state, self._successors)

    def _on(self, fleet: Fleet, instance: Instance, following: Ints, seed: int) -> Search:
        """A search from successors of other places, by operators that earned as much as here."""
        state = empty_state(instance, seed)
        rebuild(instance, state, following)
        other = copy(self)
        vars(other).update(
            _fleet=fleet,
            _instance=instance,
            _state=state,
            _successors=state.next.copy(),
            _cost=np.array([objective(instance, state)]),
            _earned=list(self._earned),
            _scores=np.zeros_like(self._scores),
            iterations=0,
        )
        return other

    def stop(self) -> None:
        """Ends this search, and those made from it, within an iteration; from any thread."""
        self._stop[0] = 1

    def run(self, iterations: int, begin: float, end: float) -> None:
        """Searches on; how many iterations are run in one go changes nothing.

        Args:
            iterations: how many, unless the search is stopped.
            begin: share of the whole cooling that is over before.
            end: share that is over then.
        """
        made = 0
        while made < iterations and not self._stop[0]:
            count = min(iterations - made, ADAPT - self.iterations % ADAPT)
            shares = (begin + (end - begin) * n / iterations for n in (made, made + count))
            first, ratio = self._unit * self._settings.hot, self._settings.cold / self._settings.hot
            hot, cold = (first * ratio**share for share in shares)
            self.iterations += anneal(
                self._instance, self._state, self._successors, self._cost, count, hot, cold,
                self._settings.most, self._codes, self._weights(), self._scores, self._stop,
            )  # fmt: skip
            made += count
            if self.iterations % ADAPT == 0:
                self.learn()
                if self._instance.chained:
                    rebuild(self._instance, self._state, self._spread(self._state.next))

    def _weights(self) -> Floats:
        """`[2, O]` cumulative weights of operators."""
        weights = np.ones(self._codes.shape)
        for row, earned in zip(weights, self._earned, strict=True):
            row[: len(earned)] = np.cumsum(earned) / earned.sum()
            row[len(earned) - 1 :] = 1.0
        return weights

    def learn(self) -> None:
        """Gives operators that earn more a better chance (Ropke and Pisinger 2006)."""
        for k, shares in enumerate(self._shares):
            sums, uses = self._scores[k, : len(shares)].T
            mean = sums.sum() / max(1.0, uses.sum())
            if not mean:
                continue
            rate = np.where(uses > 0, sums / np.maximum(uses, 1.0) / mean, 1.0)
            wanted = shares * np.clip(rate, LEAST, 1 / LEAST)
            self._earned[k] = MEMORY * self._earned[k] + (1 - MEMORY) * wanted
        self._scores[:] = 0.0


def _hours_of(whole: Instance, vehicles: Ints) -> dict[str, Any]:
    """What `lns.timetable` looks up by vehicle."""
    names = ("breaks", "pause", "rest", "overtime", "leaves", "returns", "rate")
    return {n: getattr(whole, n)[vehicles] for n in names} if whole.timetabled else {}


def _places(size: int, vehicles: Ints) -> Ints:
    """`[N + 2 m]` the nodes, and where routes of some vehicles begin and end."""
    ends = size + 2 * np.repeat(vehicles, 2)
    ends[1::2] += 1
    return np.concatenate([np.arange(size), ends]).astype(np.int32)
