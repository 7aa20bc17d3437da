"""The planner: a day that is planned, driven and planned again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

import numpy as np

from nco import _validate as validate
from nco.arguments import of_kind, several
from nco.errors import InputError, counted, quoted
from nco.fleet.reductions.reduced import reduced
from nco.planner.asked import NEW, Asked, checked_fields, refuse_overlaps, refuse_shipments
from nco.planner.day import Goods, Stop, Trip, VehicleDay, day_of
from nco.planner.going_on import begin
from nco.planner.places import Arcs, Places, Roads, roads_of
from nco.planner.plan import Plan, plan_of
from nco.planner.report import departure, drive, refuse_torn
from nco.planner.rest import Remaining, Trips, rest_of
from nco.planner.search import searched
from nco.problem import Shipment
from nco.problem.given import given_problem
from nco.problem.solution import Cost, Solution
from nco.solve import DEFAULT_METHOD, solver
from nco.solver import Clock, Prepares, check_limits, supported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from nco.problem import Problem
    from nco.problem.vehicle import Vehicle
    from nco.solver import Solver

PLAN_S, REPLAN_S = 2.0, 0.2
AFTER_S = 6e-5  # a node: to keep for what follows the search, before that was measured
MOST_AFTER = 0.5  # share of the time that is kept for it
LEAST_S, LEAST_PAIR_S = 0.03, 2e-7  # of search, where the rest has taken all of the time


class Planner:
    """Plans a day again and again while it is driven.

    City, matrices and compiled loops stay; a change of the day costs what it changes. See
    `docs/planning.md` for what is fixed when.

    Args:
        problem: the day. Stops, depots and vehicles keep their names and numbers.
        city: what the matrices of new places are asked of, one a profile; None means that new
            places come with their `Arcs`. A small `City` is contracted, see `City.contracted`.
        method: plans, and plans again.
        seed: of the method.

    Raises:
        InputError: there is a city but the problem has no lonlat, or not one city a profile, or an
            argument is of another kind.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        city: Roads | Sequence[Roads] | None = None,
        method: str | Solver = DEFAULT_METHOD,
        seed: int = 0,
    ) -> None:
        given_problem(problem)
        roads = roads_of(city)
        if roads and problem.lonlat is None:
            raise InputError(
                f"problem {quoted(problem.name)} has no lonlat, so that no city can tell how far "
                "new places are; leave city out and give arcs= with new stops"
            )
        if roads and len(roads) != len(problem.profiles):
            raise InputError(
                f"{counted(len(roads), 'city')} are given for "
                f"{counted(len(problem.profiles), 'profile')}; give one for "
                "each, in their order"
            )
        self._method, self._seed = method, seed
        self._day = day_of(problem, Places(problem, roads))
        refuse_shipments(self._day)
        self._planned: Trips = {}
        self._known: Remaining | None = None
        self._after_s: float | None = None
        chosen = solver(method)
        known = supported(chosen, problem)
        seen = reduced(problem, known).problem
        if isinstance(chosen, Prepares) and seen.features <= known:
            chosen.prepare(seen)  # so that the first plan is there in time, too

    @property
    def now_s(self) -> float:
        """Present time, see `advance`."""
        return self._day.now_s

    @property
    def places(self) -> tuple[str, ...]:
        """The places that count: depots, stops to be served, stops where vehicles under way are.

        Rows and columns of `Arcs` are in this order.
        """
        own, duties = self._day.problem, self._day.duties
        standing = [duty.last.name for duty in duties if duty.under_way]
        return (*own.names[: own.depots], *self.waiting, *standing)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Names of the stops that nobody has begun, which may still be changed."""
        return tuple(self._day.waiting)

    def place_of(self, name: str) -> tuple[float, float] | None:
        """Where a stop or a depot is, as lonlat; None where that is not known.

        Raises:
            InputError: there is no such stop.
        """
        day = self._day
        if name not in day.stops and name not in day.problem.names[: day.problem.depots]:
            raise InputError(f"there is no stop or depot {quoted(name)}")
        known = day.places.lonlat[day.place(name)]
        return None if known is None else (float(known[0]), float(known[1]))

    @property
    def rest(self) -> Problem | None:
        """What is left to be decided; None where nothing is."""
        return self._rest().problem

    @property
    def rest_planned(self) -> Solution | None:
        """The present plan of `rest`, for files and sheets of it; None where nothing is left."""
        rest = self._rest()
        if rest.problem is None:
            return None
        return Solution.from_routes(rest.problem, rest.routes(self._planned))

    def plan(self, time_limit_s: float = PLAN_S) -> Plan:
        """Plans what is left; the first plan of a day deserves more time than later ones.

        Raises:
            InputError: the limit makes no sense.
            UnsupportedError: the method cannot do what the rest asks.
        """
        return self.replan(time_limit_s)

    def replan(self, time_limit_s: float = REPLAN_S) -> Plan:
        """Plans what is left, beginning with the present plan and what has changed.

        Args:
            time_limit_s: for everything: rows of matrices, the rest, the search, the times. The
                search gets what the others leave, a moment at least.

        Raises:
            InputError: the limit makes no sense.
            UnsupportedError: the method cannot do what the rest asks.
        """
        check_limits(time_limit_s, self._seed)
        clock = Clock(time_limit_s)
        rest = self._rest()
        problem, found, begin_s, search_s = rest.problem, None, 0.0, 0.0
        if problem is not None:
            routes = rest.routes(self._planned)
            after_s = AFTER_S * problem.size if self._after_s is None else self._after_s
            search_s = clock.left_s - min(after_s, MOST_AFTER * time_limit_s)
            search_s = max(search_s, LEAST_S + LEAST_PAIR_S * problem.size**2)
            begin_s = clock.elapsed_s
            found = searched(problem, routes, self._method, search_s, self._seed)
        made = self._planned_by(rest, found)
        if found is not None:
            self._after_s = max(0.0, clock.elapsed_s - begin_s - search_s)
        return replace(made, time_s=clock.elapsed_s)

    def adopt(self, solution: Solution) -> Plan:
        """Takes over a solution of the rest that was found elsewhere as the present plan.

        Raises:
            InputError: it is no solution, or nothing is left to be decided.
            ProblemError: the solution is not one of `rest`.
        """
        give = "an nco.Solution of Planner.rest, as nco.solve makes one"
        of_kind(solution, Solution, "solution", give)
        rest = self._rest()
        if rest.problem is None:
            raise InputError("nothing is left to be decided, so there is no solution to adopt")
        found = Solution.from_routes(rest.problem, solution.routes, method=solution.method)
        return self._planned_by(rest, found)

    def add(
        self,
        name: str,
        lonlat: ArrayLike | None = None,
        *,
        arcs: Arcs | Sequence[Arcs] | None = None,
        vehicles: Sequence[int] | None = None,
        **asked: Unpack[Asked],
    ) -> None:
        """Adds a stop.

        Args:
            name: that nothing else has or had on this day.
            lonlat: degrees, where there is a city.
            arcs: rows and columns of its matrices, one `Arcs` a profile, where there is none.
            vehicles: numbers of those that may serve it; None means all.
            **asked: what it asks for, see `Asked`; what is not named is as in a `Problem`.

        Raises:
            InputError: the name is taken or no text, or there is no place or two.
            ProblemError: a number is malformed.
            CityError: the place is not in the city.
        """
        if not isinstance(name, str):
            raise InputError(f"a stop is called {quoted(name)}; names are text")
        if name in self._day.stops or name in self._day.problem.names[: self._day.problem.depots]:
            past = " (it was cancelled)" if name in self._day.cancelled else ""
            raise InputError(
                f"stop {quoted(name)} is already there{past}; give new stops new names"
            )
        able = None
        if vehicles is not None:
            able = frozenset(several(vehicles, "vehicles", "numbers of those that may serve it"))
            for number in able:
                self._duty(number)
        checked = checked_fields(name, {**NEW, **asked}, self._day.problem.dimensions)
        place = self._place(name, lonlat, arcs)
        made = Stop(name=name, place=place, vehicles=able, **checked)
        refuse_overlaps(made)
        refuse_shipments(replace(self._day, stops={name: made}))
        self._day.stops[name] = made
        self._known = None

    def move(
        self,
        name: str,
        lonlat: ArrayLike | None = None,
        *,
        arcs: Arcs | Sequence[Arcs] | None = None,
    ) -> None:
        """Moves a stop that nobody is at or bound for; place as in `add`.

        It leaves the present plan with what it goes along with: where it belongs now, the next one
        says.

        Raises:
            InputError: there is no such stop to be served, or no place or two.
            CityError: the place is not in the city.
        """
        stop = self._open_stop(name, "moved")
        self._day.stops[name] = replace(stop, place=self._place(name, lonlat, arcs))
        self._unplan(self._day.tied(name))

    def change(self, name: str, **asked: Unpack[Asked]) -> None:
        """Changes what a stop asks for; what is not named, or None, stays.

        Args:
            name: of the stop.
            **asked: see `Asked`.

        Raises:
            InputError: there is no such stop to be served.
            ProblemError: a number is malformed.
        """
        stop = self._open_stop(name, "changed")
        given = {field: value for field, value in asked.items() if value is not None}
        made = replace(stop, **checked_fields(name, given, self._day.problem.dimensions))
        refuse_overlaps(made)
        refuse_shipments(replace(self._day, stops={name: made}))
        self._day.stops[name] = made
        self._known = None

    def cancel(self, name: str) -> None:
        """Takes a stop out that nobody is at or bound for.

        With one end of a shipment the other one is cancelled as well; goods that are on board
        already stay there to the end of the trip.

        Raises:
            InputError: there is no such stop to be served.
        """
        self._open_stop(name, "cancelled")
        ends = ({goods.pickup, goods.delivery} for goods in self._day.shipments)
        gone = next((pair for pair in ends if name in pair), {name}) - self._day.begun.keys()
        self._unplan(self._day.tied(name))
        self._day.cancelled |= gone

    def add_shipment(
        self, pickup: str, delivery: str, amount: float | Sequence[float] = ()
    ) -> None:
        """Makes two stops that nobody has begun the ends of a shipment, see `nco.Shipment`.

        Args:
            pickup: where the goods are.
            delivery: where they go.
            amount: room that they take in between, one number a dimension; () is none.

        Raises:
            InputError: there is no such stop to be served, or it is tied to others already.
            ProblemError: the amount is malformed.
        """
        day = self._day
        for name in (pickup, delivery):
            self._open_stop(name, "shipped")
            if len(day.tied(name)) > 1 or any(name in names for names, _ in day.groups):
                raise InputError(
                    f"stop {quoted(name)} is part of a shipment, a group or a sequence already; "
                    "add a stop for each end of a shipment"
                )
        if pickup == delivery:
            raise InputError(
                f"pickup and delivery are both {quoted(pickup)}; give two stops, at the same place "
                "if need be"
            )
        given = Shipment(pickup=0, delivery=1, amount=amount).amount  # type: ignore[arg-type]
        room = validate.vector(
            np.array(given or (0.0,) * day.problem.dimensions), "amount", day.problem.dimensions
        )
        made = Goods(pickup, delivery, room)
        refuse_shipments(replace(day, shipments=[*day.shipments, made]))
        day.shipments.append(made)
        self._unplan({pickup, delivery})

    def add_vehicle(self, vehicle: Vehicle) -> int:
        """Puts a further vehicle into service, at its depot, and returns its number.

        Args:
            vehicle: as in the problem of the day; arrays are by its nodes.

        Raises:
            ProblemError: it does not fit the problem.
        """
        replace(self._day.problem, vehicles=(*self._day.problem.vehicles, vehicle))  # checks it
        self._day.duties.append(VehicleDay(vehicle))
        self._known = None
        return len(self._day.duties) - 1

    def drop_vehicle(self, vehicle: int) -> None:
        """Takes a vehicle out of service, where it is.

        What it has not begun to serve goes to others, with the stop that it is bound for.

        Raises:
            InputError: there is no such vehicle in service.
        """
        duty = self._in_service(vehicle)
        if duty.trips and duty.last.arrival_s > self.now_s:
            trip = duty.trips[-1]
            trip.end = None
            missed = [call.name for call in trip.calls if call.start_s > self.now_s]
            trip.calls = [call for call in trip.calls if call.start_s <= self.now_s]
            self._release(missed)
        duty.dropped = True
        self._planned.pop(vehicle, None)
        self._known = None

    def advance(self, now_s: float) -> None:
        """Lets the present plan go on until a time: what it begins until then is fixed.

        A stop is begun when a vehicle sets out for it, a trip when it leaves the depot if the
        vehicle may drive several.

        Raises:
            InputError: the time is before the last one.
        """
        now_s = validate.number(now_s, "now_s", InputError)
        if not self.now_s <= now_s < np.inf:
            raise InputError(
                f"now_s is {quoted(now_s)}, but it was {self.now_s} before; time only goes on: "
                "give a number of seconds that is no smaller"
            )
        rest = self._rest()
        routes = tuple(rest.routes(self._planned))
        plan = self._whole(rest, Solution(routes, (), (), Cost()) if rest.problem else None)
        begin(self._day, plan, now_s)
        self._unplan(set(self._day.begun))
        self._day.now_s, self._known = now_s, None

    def served(self, vehicle: int, stops: Sequence[str], ready_s: float) -> None:
        """Reports from the road what a vehicle has really done on its present trip.

        This replaces what `advance` took for granted: stops that are not named are to be served
        again.

        Args:
            vehicle: its number.
            stops: all stops of the trip that it has served or is bound for, in order; not empty.
            ready_s: when it can leave the last of them. For a vehicle of several trips: when it is
                back at its depot, and the stops are all of the trip.

        Raises:
            InputError: a stop is not there, was named twice, or is another vehicle's.
        """
        duty = self._in_service(vehicle)
        names = list(several(stops, "stops", "the names of all stops of the trip, in order"))
        for name in names:
            of_kind(name, str, "a stop", "its name, which is text")
        ready_s = validate.number(ready_s, "ready_s", InputError)
        trip = duty.trips[-1] if duty.trips and not self._home(duty) else None
        own = {call.name for call in trip.calls} if trip else set()
        if not names or len(set(names)) < len(names) or not 0 <= ready_s < np.inf:
            raise InputError(
                f"vehicle {quoted(vehicle)} is reported with stops {quoted(names)} and ready_s "
                f"{quoted(ready_s)}; name each stop of its present trip once, one at least, and "
                "give a time in seconds"
            )
        for name in names:
            if name not in own:
                self._open_stop(name, "reported")
        refuse_torn(self._day, duty, names)
        self._day.places.complete(self._near())
        self._release([name for name in own if name not in names])
        if trip is None:
            trip = Trip(departure(self._day, duty, names, ready_s), [])
            duty.trips.append(trip)
        drive(self._day, duty, names, ready_s)
        self._day.begun |= dict.fromkeys(names, vehicle)
        self._unplan(set(names))

    def _near(self) -> list[int]:
        """The numbers of `places`."""
        return [self._day.place(name) for name in self.places]

    def _rest(self) -> Remaining:
        if self._known is None:
            self._day.places.complete(self._near())
            self._known = rest_of(self._day)
        return self._known

    def _planned_by(self, rest: Remaining, found: Solution | None) -> Plan:
        """Makes a solution the present plan."""
        self._planned = rest.trips(found.routes) if found else {}
        return self._whole(rest, found)

    def _whole(self, rest: Remaining, found: Solution | None) -> Plan:
        return plan_of(self._day, rest, found)

    def _unplan(self, names: set[str]) -> None:
        """Takes stops out of the plan, and trips that are empty then."""
        kept = {
            v: [trip._replace(stops=[n for n in trip.stops if n not in names]) for trip in trips]
            for v, trips in self._planned.items()
        }
        self._planned = {v: [trip for trip in trips if trip.stops] for v, trips in kept.items()}
        self._known = None

    def _release(self, names: Sequence[str]) -> None:
        """Lets stops be served again that a vehicle did not come to."""
        for name in names:
            del self._day.begun[name]
            stop = self._day.stops[name]
            known = self._day.places.lonlat[stop.place]
            # Stops that have come up since then know no way to a place that was done with.
            if self._day.places.asks and known is not None:
                self._day.stops[name] = replace(stop, place=self._day.places.at(known, name))

    def _home(self, duty: VehicleDay) -> bool:
        """Whether a vehicle is at its depot between trips, or after its last."""
        end = duty.trips[-1].end
        return end is not None and end.arrival_s <= self.now_s and not duty.over

    def _place(
        self, name: str, lonlat: ArrayLike | None, arcs: Arcs | Sequence[Arcs] | None
    ) -> int:
        if lonlat is not None and arcs is None:
            return self._day.places.at(lonlat, name)
        if arcs is not None and self._day.places.asks:
            raise InputError(f"{quoted(name)} has arcs, but the planner asks its city; give lonlat")
        if arcs is not None and lonlat is None:
            return self._day.places.by(arcs, name, self._near())
        raise InputError(
            f"{quoted(name)} has {'no place' if arcs is None else 'two places'}; give lonlat "
            "or arcs"
        )

    def _open_stop(self, name: str, verb: str) -> Stop:
        """A stop that nobody has begun."""
        if not isinstance(name, str) or name not in self._day.stops:
            raise InputError(
                f"there is no stop {quoted(name)} to be {verb}; `Planner.places` lists what there "
                "is"
            )
        if name in self._day.cancelled:
            raise InputError(f"stop {quoted(name)} cannot be {verb}: it was cancelled before")
        if name in self._day.begun:
            raise InputError(
                f"stop {quoted(name)} cannot be {verb}: vehicle {self._day.begun[name]} has "
                "served it or is bound for it; report what the vehicle really does with "
                "Planner.served, or add a new stop"
            )
        return self._day.stops[name]

    def _duty(self, vehicle: int) -> VehicleDay:
        whole = isinstance(vehicle, int | np.integer) and not isinstance(vehicle, bool)
        if not (whole and 0 <= vehicle < len(self._day.duties)):
            raise InputError(
                f"there is no vehicle {quoted(vehicle)}; vehicles are 0 to "
                f"{len(self._day.duties) - 1}"
            )
        return self._day.duties[vehicle]

    def _in_service(self, vehicle: int) -> VehicleDay:
        duty = self._duty(vehicle)
        if duty.dropped:
            raise InputError(
                f"vehicle {quoted(vehicle)} has dropped out; use another, or Planner.add_vehicle"
            )
        return duty
