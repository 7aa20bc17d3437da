"""Insertion operators: where the stops go that are left out; see `nco.search.lns.operators`.

A stop is tried beside its nearest nodes and on an idle vehicle of each kind; everywhere, if it fits
nowhere there.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.draws import below, uniform
from nco.search.lns.changes import insert, longer_price
from nco.search.lns.operators import guided, insertion, mixed
from nco.search.lns.options import inner, pasted
from nco.search.lns.pairs import pair_delta
from nco.search.lns.peaks import more_for_peaks
from nco.search.lns.prices import more_for_times
from nco.search.lns.rules import allowed
from nco.search.lns.segments import merged, middle, opened, owner
from nco.search.lns.ties import keeps_ties

FURTHER = 10  # optional stops near another one, and of all, that are tried beside those removed
BLINK = 0.01  # chance that a place is overlooked (Christiaens and Vanden Berghe 2020)
_NEVER = 1e300
_LOG_SEEN = np.log(1.0 - BLINK)


@pasted
def _delta(instance, state, j, i, opening, bound):
    """What it costs to put a stop behind a place; `_NEVER` if it cannot be, or exceeds a bound.

    `opening` is the share of a vehicle's fixed cost that counts.
    """
    v, n = state.vehicle[i], state.next[i]
    for c in range(state.load.shape[1]):
        if state.load[v, c] + instance.demand[j, c] > instance.capacity[v, c]:
            return _NEVER
    k, a, b = instance.kind[v], state.place[i], state.place[n]
    delta = np.float64(instance.cost_into[k, j, a]) + np.float64(instance.cost[k, j, b])
    delta -= state.leaving[i]
    if not state.served[v]:
        delta += opened(instance, state, v, opening)
    if delta >= bound and not _saves(instance, v, k, a, j, b):
        return _NEVER
    if instance.times:
        prefix, suffix = state.prefix[i], state.suffix[n]
        seconds, early, latest, time_warp = merged(
            prefix[0], prefix[1], prefix[2], instance.service[j], instance.opens[j],
            instance.closes[j], instance.drive[k, a, j],
        )  # fmt: skip
        if time_warp > 0.0:
            return _NEVER
        seconds, early, latest, time_warp = merged(
            seconds, early, latest, suffix[0], suffix[1], suffix[2], instance.drive[k, j, b]
        )
        if time_warp > 0.0:
            return _NEVER
        if instance.ruled and not allowed(instance, state, j, i, seconds, latest):
            return _NEVER
        delta += _more_time(instance, state, j, i, seconds)
        if delta >= _NEVER:
            return _NEVER
    if instance.longest > 0.0 and not instance.by_time:
        metres = instance.metres
        longer = state.measure[v] + np.float64(metres[k, a, j]) + np.float64(metres[k, j, b])
        if state.served[v]:
            longer -= np.float64(metres[k, a, b])
        delta += longer_price(instance, state, v, longer)
    return delta


@inner
def _more_time(instance, state, j, i, seconds):
    """What a stop behind a place adds to prices of time; at least `_NEVER` if it cannot be.

    Those of makespan and longest leg are among them.
    """
    v, nobody, price = np.int64(state.vehicle[i]), np.int64(-1), 0.0
    new, none = (np.int64(j), np.int64(i)), (nobody, nobody)
    if instance.peaks != 0:
        price = more_for_peaks(instance, state, v, new, none)
    if instance.timetabled:
        return price + more_for_times(instance, state, v, new, none)
    price += instance.per_s[v] * (seconds - state.duty[v])
    if instance.longest > 0.0 and instance.by_time:
        price += longer_price(instance, state, v, seconds)
    return price


@pasted
def _saves(instance, v, k, a, j, b):
    """Whether a detour may lower what is priced beside arcs: time on duty, or a longest route.

    It does not where it takes as long as the arc that it replaces: without the stop, a vehicle
    could wait instead, so that the route takes no longer then (and likewise with metres).
    """
    if instance.peaks != 0:
        return True
    timed = instance.per_s[v] > 0.0 or instance.timetabled
    if instance.longest > 0.0:
        if instance.by_time:
            timed = True
        else:
            metres = instance.metres
            if metres[k, a, j] + metres[k, j, b] < metres[k, a, b]:
                return True
    if not timed:
        return False
    drive = instance.drive
    return drive[k, a, j] + instance.service[j] + drive[k, j, b] < drive[k, a, b]


@pasted
def _cost_behind(instance, state, j, i, opening, bound):
    """`_delta` of a stop, or of a shipment with its pickup behind a place."""
    if instance.mate[j] >= 0:
        return pair_delta(instance, state, j, i, opening, bound)
    return _delta(instance, state, j, i, opening, bound)


@pasted
def _near(instance, state, j, log_seen, wanted):
    """Fills `trial` with places beside a stop's nearest nodes and on idle vehicles; how many.

    `log_seen` is the logarithm of the chance that a place is seen; at 0 none is overlooked. Of
    idle vehicles one of each kind is tried, or one of a wanted kind.
    """
    count = 0
    for side in range(2):
        for n in instance.before[j] if side == 0 else instance.behind[j]:
            if n < 0:
                break
            if state.vehicle[n] >= 0:
                state.until_blink[0] -= 1
                if state.until_blink[0] < 0 and log_seen < 0.0:
                    state.until_blink[0] = int(np.log(1.0 - uniform(state.bits)) / log_seen)
                    continue
                state.trial[count] = n if side == 0 else state.prev[n]
                count += 1
    kinds = len(instance.first) - 1
    # Where two kinds cost the same for a stop, either may be the better one for those that follow.
    other = wanted if wanted >= 0 else below(state.bits, kinds) if kinds > 1 else 0
    for _ in range(1 if wanted >= 0 else kinds):
        count = _idle(instance, state, other, count)
        other = (other + 1) % kinds
    return count


@inner
def _idle(instance, state, kind, count):
    """Puts the first idle vehicle of a kind into `trial`; how many there are then."""
    if instance.chained:
        return _further(instance, state, kind, count)
    for v in range(instance.first[kind], instance.first[kind + 1]):
        if state.served[v] == 0:
            state.trial[count] = len(instance.service) + 2 * v
            return count + 1
    return count


@inner
def _further(instance, state, kind, count):
    """Puts further trips into `trial`: of vehicles in use, one of each, and of one that is idle."""
    size, idle = len(instance.service), True
    h = np.int64(instance.first[kind])
    while h < instance.first[kind + 1]:
        slots = instance.slots[h]
        if state.trips[h] > 0:
            for s in range(h, h + slots):
                if state.served[s] == 0 and state.opening[s] < _NEVER:
                    state.trial[count] = size + 2 * s
                    count += 1
        elif idle:
            state.trial[count] = size + 2 * middle(instance, h)
            count, idle = count + 1, False
        h += slots
    return count


@pasted
def _everywhere(instance, state, j, wanted):
    """Fills `trial` with all places on vehicles that have room for a stop; how many.

    Where a kind was wanted, idle vehicles of the others have not been tried.
    """
    count, size = 0, len(instance.service)
    if wanted >= 0:
        for kind in range(len(instance.first) - 1):
            count = _idle(instance, state, kind, count)
    for v in range(len(state.served)):
        if state.served[v] and _fits(instance, state, j, v):
            i = size + 2 * v
            while i != size + 2 * v + 1:
                state.trial[count] = i
                count += 1
                i = state.next[i]
    return count


@inner
def _worth(instance, state, j):
    """What a stop may cost to be inserted rather than left out; of a shipment, both stops."""
    worth, g = instance.prize[j], instance.group[j]
    if g >= 0:
        if state.group_served[g]:
            return -_NEVER
        worth = instance.group_prize[g]
    if instance.mate[j] >= 0:
        worth += instance.prize[instance.mate[j]]
    if worth < instance.reward and uniform(state.bits) < state.bold[0]:
        worth = instance.reward
    return worth


@inner
def _best(instance, state, j, log_seen, guide, wanted):
    """The place behind which a stop costs least, -1 for none, and what it costs there.

    `wanted` is a kind of vehicles that begin routes at no fixed cost, if any others do at all.
    """
    best, place, second = _worth(instance, state, j), np.int64(-1), np.int64(-1)
    if best <= -_NEVER:
        return place, best
    many = state.bank_size[0] > len(state.chosen)
    count, opening = _near(instance, state, j, log_seen, wanted), 0.0 if wanted >= 0 else 1.0
    for turn in range(2):
        for n in range(count):
            i = np.int64(state.trial[n])
            delta = _cost_behind(instance, state, j, i, opening, best + 2.0 * guide)
            if guide > 0.0 and delta < _NEVER:
                a, b = state.place[i], state.place[state.next[i]]
                delta -= guide * (instance.heatmap[a, j] + instance.heatmap[j, b])
                delta += guide * instance.heatmap[a, b]
            if delta < best:
                best, place, second = delta, i, state.second[0]
        # Of many optional stops one that fits nowhere near is no loss.
        if place >= 0 or turn or (many and best < instance.reward):
            break
        count, opening = _everywhere(instance, state, j, wanted), 1.0
    state.second[0] = second
    return place, best


@pasted
def _fits(instance, state, j, v):
    """Whether a vehicle has room for a stop."""
    for c in range(state.load.shape[1]):
        if state.load[v, c] + instance.demand[j, c] > instance.capacity[v, c]:
            return False
    return True


@pasted
def _shuffle(state, count):
    """Brings the stops that are left out into random order, the first `count` of them."""
    total = state.bank_size[0]
    for n in range(count):
        other = n + below(state.bits, total - n)
        a, b = state.bank[n], state.bank[other]
        state.bank[n], state.bank[other] = b, a
        state.bank_at[a], state.bank_at[b] = other, n


@inner
def _choose(instance, state):
    """Fills `chosen` with stops that are left out, in random order; how many.

    Alternatives to a stop that is served are passed over. Where optional stops are many more than
    go in at once, those just removed and some that lie together have a better chance.
    """
    count, most = 0, len(state.chosen)
    if instance.optional and state.bank_size[0] > most:
        count = _choose_together(instance, state)
        most = min(most, count + FURTHER)
    grouped = len(instance.group_prize) > 0
    _shuffle(state, state.bank_size[0] if grouped else min(state.bank_size[0], most))
    begun = count
    for n in range(state.bank_size[0]):
        if count >= most:
            break
        g = instance.group[state.bank[n]]
        if (g < 0 or not state.group_served[g]) and not _is_chosen(state, begun, state.bank[n]):
            state.chosen[count] = state.bank[n]
            count += 1
    for n in range(begun):  # in random order, too
        other = n + below(state.bits, count - n)
        state.chosen[n], state.chosen[other] = state.chosen[other], state.chosen[n]
    return count


@inner
def _is_chosen(state, count, j):
    """Whether a stop is among the first `count` of the chosen."""
    n = 0
    while n < count and state.chosen[n] != j:
        n += 1
    return n < count


@inner
def _choose_together(instance, state):
    """Fills `chosen` with stops just removed, and with some near one that is left out; how many."""
    count, most = 0, len(state.chosen)
    for entry in range(state.log_size[0]):
        j = np.int64(state.log[entry, 0])
        if count < most // 2 and state.log[entry, 1] >= 0 and state.bank_at[j] >= 0:
            state.chosen[count] = j
            count += 1
    seed = np.int64(state.bank[below(state.bits, state.bank_size[0])])
    if count > 0 and uniform(state.bits) < 0.5:
        seed = np.int64(state.chosen[below(state.bits, count)])
    together = 0
    for k in range(-1, instance.related.shape[1]):
        j = seed if k < 0 else np.int64(instance.related[seed, k])
        if j < 0 or count >= most or together >= FURTHER:
            break
        if state.bank_at[j] >= 0 and not _is_chosen(state, count, j):
            state.chosen[count] = j
            count, together = count + 1, together + 1
    return count


@inner
def _best_of_group(instance, state, g, log_seen, guide, wanted):
    """The stop of a group that costs least, and where; -1 for none."""
    best, stop, place = _NEVER, np.int64(-1), np.int64(-1)
    for n in range(instance.group_first[g], instance.group_first[g + 1]):
        j = np.int64(instance.members[n])
        if state.bank_at[j] < 0:  # nobody can serve it at all
            continue
        found, cost = _best(instance, state, j, log_seen, guide, wanted)
        if found >= 0 and cost < best:
            best, stop, place = cost, j, found
    return stop, place


@inner
def in_order(instance, state, log_seen, guide, wanted):
    """One after the other: in random order, large ones first, far ones first, or near ones."""
    count = _choose(instance, state)
    draw = below(state.bits, 11)
    if draw >= 4:
        for n in range(count):
            j, key = state.chosen[n], 0.0
            if draw < 8:
                for c in range(state.load.shape[1]):
                    key -= instance.demand[j, c]
            else:
                key = np.float64(instance.cost[0, state.place[len(instance.service)], j])
                if draw < 10:
                    key = -key
            m = n
            while m > 0 and state.found[m - 1, 0] > key:
                state.found[m, 0], state.chosen[m] = state.found[m - 1, 0], state.chosen[m - 1]
                m -= 1
            state.found[m, 0], state.chosen[m] = key, j
    for n in range(count):
        j = np.int64(state.chosen[n])
        g = np.int64(instance.group[j])
        if g >= 0:
            if state.group_served[g]:
                continue
            j, place = _best_of_group(instance, state, g, log_seen, guide, wanted)
        else:
            place, _ = _best(instance, state, j, log_seen, guide, wanted)
        if place >= 0:
            insert(instance, state, j, place)


@insertion("blinks", 6.0)
def blinks(instance, state, count):
    """One after the other where they cost least, with places overlooked now and then."""
    in_order(instance, state, _LOG_SEEN, 0.0, np.int64(-1))


@insertion("greedy")
def greedy(instance, state, count):
    """One after the other where they cost least."""
    in_order(instance, state, 0.0, 0.0, np.int64(-1))


@insertion("kind", 2.0, when=mixed)
def of_a_kind(instance, state, count):
    """One after the other, with new routes on vehicles of one kind, whatever these cost."""
    in_order(instance, state, _LOG_SEEN, 0.0, np.int64(below(state.bits, len(instance.first) - 1)))


@insertion("policy", when=guided)
def likely(instance, state, count):
    """One after the other, where arcs that a policy drives cost less."""
    in_order(instance, state, _LOG_SEEN, instance.guide, np.int64(-1))


@inner
def _rank(instance, state, n, vehicles):
    """Finds where the chosen stop of a number costs least on each of the best vehicles.

    Fills its row of `found`: place, regret, then cost and vehicle of the best, the second, ...
    """
    j, found, last = state.chosen[n], state.found[n], vehicles - 1
    worth = _worth(instance, state, j)
    found[0], found[1] = -1.0, 0.0
    for r in range(vehicles):
        found[2 + 2 * r], found[3 + 2 * r] = worth, -1.0
    if worth <= -_NEVER:
        return
    count = _near(instance, state, j, 0.0, np.int64(-1))
    for turn in range(2):
        for t in range(count):
            i = np.int64(state.trial[t])
            delta = _cost_behind(instance, state, j, i, 1.0, found[2 + 2 * last])
            if delta >= found[2 + 2 * last]:
                continue
            v, r = state.vehicle[i], 0
            while r < last and found[3 + 2 * r] != v:
                r += 1
            if delta >= found[2 + 2 * r]:
                continue
            while r > 0 and found[2 * r] > delta:
                found[2 + 2 * r], found[3 + 2 * r] = found[2 * r], found[1 + 2 * r]
                r -= 1
            found[2 + 2 * r], found[3 + 2 * r] = delta, v
            if r == 0:
                found[0] = i
        if found[0] >= 0.0 or turn:
            break
        count = _everywhere(instance, state, j, np.int64(-1))
    found[1] = 0.0
    for r in range(1, vehicles):
        found[1] += found[2 + 2 * r] - found[2]


@inner
def _by_regret(instance, state, vehicles):
    """First the stop that would lose most by going to its next-best vehicles."""
    left, found = _choose(instance, state), state.found
    for n in range(left):
        _rank(instance, state, n, vehicles)
    while left > 0:
        pick, most = -1, -1.0
        for n in range(left):
            if found[n, 0] >= 0.0 and found[n, 1] > most:
                pick, most = n, found[n, 1]
        if pick < 0:
            return
        vehicle, j = owner(instance, np.int64(found[pick, 3])), np.int64(state.chosen[pick])
        place, g = np.int64(found[pick, 0]), instance.group[j]
        if instance.mate[j] >= 0 and pair_delta(instance, state, j, place, 1.0, _NEVER) >= _NEVER:
            found[pick, 0] = -1.0
            continue
        if len(instance.ties) > 0 and not keeps_ties(instance, state, j, place):
            _rank(instance, state, pick, vehicles)
            continue
        insert(instance, state, j, place)
        left -= 1
        state.chosen[pick] = state.chosen[left]
        for c in range(2 + 2 * vehicles):
            found[pick, c] = found[left, c]
        for n in range(left):
            if g >= 0 and instance.group[state.chosen[n]] == g:
                found[n, 0] = -1.0
            elif owner(instance, np.int64(found[n, 3])) == vehicle:
                # Where it is second, its cost is a moment old.
                _rank(instance, state, n, vehicles)


@insertion("regret-2", 0.5)
def regret_2(instance, state, count):
    """By what is lost at the second-best vehicle (Ropke and Pisinger 2006)."""
    _by_regret(instance, state, np.int64(2))


@insertion("regret-3", 0.5)
def regret_3(instance, state, count):
    """By what is lost at the second-best and third-best vehicles."""
    _by_regret(instance, state, np.int64(3))


@insertion("regret-4", 0.5)
def regret_4(instance, state, count):
    """By what is lost at the second-best to fourth-best vehicles."""
    _by_regret(instance, state, np.int64(4))
