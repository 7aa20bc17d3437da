"""A problem as solvers see it: the clock begins near 0, and no number is tiny or huge.

Solvers count in integers and in single precision, and tolerances are relative to what is counted.
Both go wrong where a clock counts from 1970, a matrix is in kilometres or a fixed cost dwarfs all
streets. Therefore problems are brought into their normal form before anybody looks at their
numbers. All scales are powers of two, and the clock is moved back by a time of the problem, so
nothing is rounded; routes are the same in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nco.problem.problem import Problem
from nco.problem.work_rules import Break, Rest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nco.arrays import Floats
    from nco.problem.objective import Objective
    from nco.problem.vehicle import Vehicle

LONGEST_S = (1.0, 2.0**20)  # what times to drive, to serve or to wait for may be at most
DEAREST = (1.0, 2.0**30)  # what the dearest arc may cost
LARGEST = (1.0, 2.0**40)  # what a vehicle may hold
MIDDLE = 12  # what is outside of such a range comes to about 2 to the power of this
MOST_DOUBLED = 1000  # what is smaller still stays small: a float ends at 2 to the power of 1024
IDLE = 8.0  # time before anything happens that is left out, in lengths of what follows
MOMENT_S = 2.0**-10  # more than any tolerance
DWARFED = 16.0  # fixed costs of vehicles beyond so many times all else are lowered


@dataclass(frozen=True)
class Normal:
    """The normal form of a problem, and the way back.

    Attributes:
        problem: the same nodes and vehicles, in other units. Its costs order routes as those of the
            given problem do, but differ from them in scale and in the fixed cost of vehicles.
        zero_s: time of the given problem at which the clock of this one shows 0.
        per_s: units of time of this one in a second of the given one.
    """

    problem: Problem
    zero_s: float = 0.0
    per_s: float = 1.0

    def time_s(self, time: float) -> float:
        """A time of the given problem's clock, from one of this clock."""
        return self.zero_s + time / self.per_s


def normal(problem: Problem) -> Normal:
    """The normal form of a problem; one that needs no change is its own."""
    known: Normal | None = vars(problem).get("_normal")
    if known is None:
        known = _normal(problem)
        vars(known.problem)["_normal"] = Normal(known.problem)
        vars(problem)["_normal"] = known
    return known


def _normal(problem: Problem) -> Normal:
    vehicles = list({v.sameness: v for v in problem.vehicles}.values())
    zero_s = _zero(problem, vehicles)
    longest_s = max(
        *(_largest(profile.duration_s) for profile in problem.profiles),
        _largest(problem.service_s),
        _largest(problem.setup_s),
        *(max(v.loading_s, v.unloading_s) for v in vehicles),
        *(_largest(v.service_s) for v in vehicles if v.service_s is not None),
        _largest(problem.release_s - zero_s),
        _largest(problem.window_s[:, 0] - zero_s),
        *(vehicle.shift_s[0] - zero_s for vehicle in vehicles),
    )
    per_s = _into(longest_s, LONGEST_S)
    units = np.array([_units(problem, vehicles, k) for k in range(problem.dimensions)])
    per_cost, offset = _costs(problem, vehicles, zero_s)
    if zero_s == offset == 0 and per_s == per_cost == 1 and (units == 1).all():
        return Normal(problem)

    def moved(time: Floats) -> Floats:
        return np.maximum(time - zero_s, 0.0) * per_s

    def moved_pair(pair: tuple[float, float]) -> tuple[float, float]:
        return tuple(moved(np.array(pair)).tolist())

    windows = {j: _from_zero(problem.windows[j], zero_s) for j in problem.more_windows_s}
    first = problem.window_s.copy()
    for j, own in windows.items():
        first[j] = own[0]

    known = {
        vehicle.sameness: replace(
            vehicle,
            shift_s=tuple(moved(np.array(vehicle.shift_s)).tolist()),
            capacity=tuple((np.array(vehicle.capacity) * units).tolist()),
            fixed_cost=vehicle.fixed_cost - offset,
            max_duration_s=vehicle.max_duration_s * per_s,
            max_driving_s=vehicle.max_driving_s * per_s,
            loading_s=vehicle.loading_s * per_s,
            unloading_s=vehicle.unloading_s * per_s,
            service_s=None if vehicle.service_s is None else vehicle.service_s * per_s,
            breaks=tuple(
                Break(window_s=moved_pair(one.window_s), length_s=one.length_s * per_s)
                for one in vehicle.breaks
            ),
            rest=None
            if vehicle.rest is None
            else Rest(
                after_driving_s=vehicle.rest.after_driving_s * per_s,
                length_s=vehicle.rest.length_s * per_s,
            ),
            overtime_after_s=float(moved(np.array(vehicle.overtime_after_s))),
        )
        for vehicle in vehicles
    }
    other = replace(
        problem,
        vehicles=tuple(known[vehicle.sameness] for vehicle in problem.vehicles),
        profiles=tuple(
            profile
            if per_s == 1 and (zero_s == 0 or not profile.traffic)
            else replace(
                profile,
                duration_s=profile.duration_s * per_s,
                traffic=tuple(
                    (float(moved(np.array(begin))), factor)
                    for begin, factor in _from_now(profile.traffic, zero_s)
                ),
            )
            for profile in problem.profiles
        ),
        window_s=moved(first),
        more_windows_s={j: tuple(map(moved_pair, own[1:])) for j, own in windows.items()},
        soft_window_s=moved(problem.soft_window_s),
        service_s=problem.service_s * per_s,
        setup_s=problem.setup_s * per_s,
        release_s=np.where(problem.release_s > 0, moved(problem.release_s), 0.0),
        demand=problem.demand * units,
        pickup=problem.pickup * units,
        shipments=tuple(
            replace(shipment, amount=tuple((np.array(shipment.amount) * units).tolist()))
            for shipment in problem.shipments
        ),
        objective=_weighed(problem.objective, per_cost, per_s),
    )
    return Normal(other, zero_s, per_s)


def _from_zero(
    windows: Sequence[tuple[float, float]], zero_s: float
) -> Sequence[tuple[float, float]]:
    """Windows that do not close before the clock begins; the last one if all do."""
    return [pair for pair in windows if pair[1] >= zero_s] or windows[-1:]


def _from_now(
    traffic: Sequence[tuple[float, float]], zero_s: float
) -> Sequence[tuple[float, float]]:
    """Periods that do not end before the clock begins."""
    ended = sum(begin <= zero_s for begin, _ in traffic)
    return traffic[max(0, ended - 1) :]


def _zero(problem: Problem, vehicles: Iterable[Vehicle]) -> float:
    """A time before which nobody can leave, or has anything to do."""
    window = problem.hours_s
    shifts = np.array([vehicle.shift_s for vehicle in vehicles])
    opened = [0.0 if v.open_start else float(window[v.start, 0]) for v in vehicles]
    leaves = np.maximum(shifts[:, 0], opened)
    begin = float(leaves.min())
    if problem.objective.makespan:  # is counted from then on; what has closed by then is never met
        closed = min(float(window[:, 1].min()), float(shifts[:, 1].min())) < begin
        return begin - MOMENT_S if closed else begin
    if problem.timetabled:  # what drivers and streets do may begin at any time, and matters then
        times = [one.window_s[0] for v in vehicles for one in v.breaks]
        times += [vehicle.overtime_after_s for vehicle in vehicles]
        priced = (problem.early_per_s > 0) | (problem.late_per_s > 0)
        times += [*problem.soft_window_s[priced].ravel().tolist(), *window[:, 1].tolist()]
        return float(math.floor(min([begin, *times])))
    opens, closes = np.append(window[:, 0], leaves), np.append(window[:, 1], shifts[:, 1])
    early = float(closes.min())
    if early < begin:
        lead = _rounded(max(_largest(profile.duration_s) for profile in problem.profiles))
        if begin - early <= IDLE * (float(opens.max()) - begin + lead):
            return float(math.floor(early))
        # What closes far too early is never met, as is what closes at 0 if nobody leaves then.
        return begin - lead
    later, ready = opens[opens > begin], float(problem.release_s.max(initial=begin))
    first = float(min(later.min(initial=np.inf), closes.min(initial=np.inf)))
    idle = begin
    if ready < first:  # goods that come before anything opens or closes: one waits for them, too
        idle = max(begin, ready)
    else:
        released = problem.release_s[problem.release_s > begin]
        later, first = np.append(later, released), min(first, float(released.min(initial=np.inf)))
    last = float(later.max(initial=first))
    if np.isfinite(first) and first - idle > IDLE * (last - first):
        # Whoever leaves so much before that is home, or waits, when the first of these comes.
        lead = _rounded(_all_driven(problem, max(vehicle.max_trips for vehicle in vehicles)))
        if first - idle > IDLE * (last - first + lead):
            return first - lead
    return begin


def day_s(problem: Problem) -> float:
    """Seconds beyond which no vehicle is on its way, waiting included."""
    vehicles = [vehicle for vehicle, _ in problem.fleet]
    return _day_s(problem, vehicles, _zero(problem, vehicles))


def most_of_hours(problem: Problem, vehicles: Sequence[Vehicle], day_s: float) -> float:
    """What soft windows and overtime cost at most in so many seconds."""
    weights, used = problem.objective, min(len(problem.stops), len(problem.vehicles))
    rates = weights.soft_windows * float(problem.early_per_s.sum() + problem.late_per_s.sum())
    rates += weights.overtime * used * max(v.cost_per_overtime_s for v in vehicles)
    return rates * day_s


def _day_s(problem: Problem, vehicles: Sequence[Vehicle], zero_s: float) -> float:
    whole_s = _largest(problem.window_s[:, 0] - zero_s) + _largest(problem.release_s - zero_s)
    whole_s += max(vehicle.shift_s[0] - zero_s for vehicle in vehicles)
    return whole_s + _all_driven(problem, max(vehicle.max_trips for vehicle in vehicles))


def _all_driven(problem: Problem, trips: int) -> float:
    """No route takes longer, if nobody waits."""
    drives = [np.where(np.isinf(p.duration_s), 0.0, p.duration_s) for p in problem.profiles]
    returns = problem.size if trips > 1 else 1
    legs = max(float(drive.max(axis=0).sum() + returns * drive.max()) for drive in drives)
    vehicles = [vehicle for vehicle, _ in problem.fleet]
    own = [v.service_s for v in vehicles if v.service_s is not None]
    service = np.max([problem.service_s, *own], axis=0)
    depots = returns * max(v.loading_s + v.unloading_s for v in vehicles)
    legs /= min(v.speed for v in vehicles)
    return legs + depots + float(service.sum() + problem.setup_s.sum())


def _rounded(amount: float) -> float:
    """The next power of two, which takes no digits away from a time that it is subtracted from."""
    return 2.0 ** math.ceil(math.log2(amount)) if amount > 0 else 1.0


def _units(problem: Problem, vehicles: Iterable[Vehicle], k: int) -> float:
    capacity = _largest(np.array([vehicle.capacity[k] for vehicle in vehicles]))
    moved = float(problem.demand[:, k].sum() + problem.pickup[:, k].sum())
    moved += sum(shipment.amount[k] for shipment in problem.shipments)
    return _into(capacity or moved, LARGEST)


def _costs(problem: Problem, vehicles: Sequence[Vehicle], zero_s: float) -> tuple[float, float]:
    """Units of cost in one of the problem, and by what the fixed cost of vehicles is lowered.

    Fixed costs that outweigh all else together decide how many vehicles drive, and nothing but
    that: they still do where all are lowered alike.
    """
    weights = problem.objective
    profiles = [(_largest(p.distance_m), _largest(p.duration_s)) for p in problem.profiles]
    by_m = [(profiles[v.profile][0], weights.distance * v.cost_per_m) for v in vehicles]
    by_s = [(profiles[v.profile][1], weights.duration * v.cost_per_s) for v in vehicles]
    dearest = max(m * rate + s * rate_s for (m, rate), (s, rate_s) in zip(by_m, by_s, strict=True))
    fixed = weights.fixed * np.array([vehicle.fixed_cost for vehicle in vehicles])
    given = np.append(problem.prize, [group.prize for group in problem.groups])
    prizes = weights.unserved * np.where(np.isinf(given), 0.0, given)
    gains = [np.abs(v.preference).max() for v in vehicles if v.preference is not None]
    dearest = dearest or max(float(prizes.max()), weights.preference * max(gains, default=0.0))
    lowest, offset = float(fixed.min()), 0.0
    stops, used = len(problem.stops), min(len(problem.stops), len(problem.vehicles))
    if lowest > DWARFED * stops * dearest:
        whole_s = _day_s(problem, vehicles, zero_s)
        longest = whole_s if weights.longest_by == "duration" else 2 * stops * max(profiles)[0]
        rest = 2 * stops * dearest + used * max(rate for _, rate in by_s) * whole_s
        rest += float(prizes.sum()) + weights.preference * stops * 2 * max(gains, default=0.0)
        rest += most_of_hours(problem, vehicles, whole_s)
        rest += (weights.longest_route + weights.longest_leg) * longest + weights.makespan * whole_s
        rest += used * (float(fixed.max()) - lowest)
        if 0 < DWARFED * rest < lowest:
            offset = (lowest - _rounded(2 * rest)) / weights.fixed
    return _into(dearest or lowest, DEAREST), offset


def _weighed(objective: Objective, per_cost: float, per_s: float) -> Objective:
    by_time = objective.longest_by == "duration"
    return replace(
        objective,
        distance=objective.distance * per_cost,
        duration=objective.duration * per_cost / per_s,
        fixed=objective.fixed * per_cost,
        preference=objective.preference * per_cost,
        unserved=objective.unserved * per_cost,
        longest_route=objective.longest_route * per_cost / (per_s if by_time else 1.0),
        longest_leg=objective.longest_leg * per_cost / (per_s if by_time else 1.0),
        makespan=objective.makespan * per_cost / per_s,
        soft_windows=objective.soft_windows * per_cost / per_s,
        overtime=objective.overtime * per_cost / per_s,
    )


def _into(most: float, allowed: tuple[float, float]) -> float:
    """The power of two that brings the largest of some numbers into a range that it is out of."""
    if most <= 0 or allowed[0] <= most <= allowed[1]:
        return 1.0
    return 2.0 ** min(MIDDLE - math.floor(math.log2(most)), MOST_DOUBLED)


def _largest(values: Floats) -> float:
    """The largest finite entry, 0 if there is none above."""
    return float(np.max(values, initial=0.0, where=np.isfinite(values)))
