"""Insertion operators: where the stops go that are left out; see `nco.search.lns.operators`."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.draws import below, uniform
from nco.search.lns.changes import insert
from nco.search.lns.operators import guided, insertion, mixed
from nco.search.lns.options import inner, pasted
from nco.search.lns.pairs import pair_delta
from nco.search.lns.places import LOG_SEEN, NEVER, cost_behind, everywhere, near, worth_of
from nco.search.lns.segments import owner
from nco.search.lns.ties import keeps_ties

FURTHER = 10  # optional stops near another one, and of all, that are tried beside those removed


@inner
def best_place(instance, state, j, log_seen, guide, wanted):
    """The place behind which a stop costs least, -1 for none, and what it costs there.

    `wanted` is a kind of vehicles that begin routes at no fixed cost, if any others do at all.
    """
    best, place, second = worth_of(instance, state, j), np.int64(-1), np.int64(-1)
    if best <= -NEVER:
        return place, best
    many = state.bank_size[0] > len(state.chosen)
    count, opening = near(instance, state, j, log_seen, wanted), 0.0 if wanted >= 0 else 1.0
    for turn in range(2):
        for n in range(count):
            i = np.int64(state.trial[n])
            delta = cost_behind(instance, state, j, i, opening, best + 2.0 * guide)
            if guide > 0.0 and delta < NEVER:
                a, b = state.place[i], state.place[state.next[i]]
                delta -= guide * (instance.heatmap[a, j] + instance.heatmap[j, b])
                delta += guide * instance.heatmap[a, b]
            if delta < best:
                best, place, second = delta, i, state.second[0]
        # Of many optional stops one that fits nowhere near is no loss.
        if place >= 0 or turn or (many and best < instance.reward):
            break
        count, opening = everywhere(instance, state, j, wanted), 1.0
    state.second[0] = second
    return place, best


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
def choose(instance, state):
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
    best, stop, place = NEVER, np.int64(-1), np.int64(-1)
    for n in range(instance.group_first[g], instance.group_first[g + 1]):
        j = np.int64(instance.members[n])
        if state.bank_at[j] < 0:  # nobody can serve it at all
            continue
        found, cost = best_place(instance, state, j, log_seen, guide, wanted)
        if found >= 0 and cost < best:
            best, stop, place = cost, j, found
    return stop, place


@inner
def in_order(instance, state, log_seen, guide, wanted):
    """One after the other: in random order, large ones first, far ones first, or near ones."""
    count = choose(instance, state)
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
            place, _ = best_place(instance, state, j, log_seen, guide, wanted)
        if place >= 0:
            insert(instance, state, j, place)


@insertion("blinks", 6.0)
def blinks(instance, state, count):
    """One after the other where they cost least, with places overlooked now and then."""
    in_order(instance, state, LOG_SEEN, 0.0, np.int64(-1))


@insertion("greedy")
def greedy(instance, state, count):
    """One after the other where they cost least."""
    in_order(instance, state, 0.0, 0.0, np.int64(-1))


@insertion("kind", 2.0, when=mixed)
def of_a_kind(instance, state, count):
    """One after the other, with new routes on vehicles of one kind, whatever these cost."""
    in_order(instance, state, LOG_SEEN, 0.0, np.int64(below(state.bits, len(instance.first) - 1)))


@insertion("policy", when=guided)
def likely(instance, state, count):
    """One after the other, where arcs that a policy drives cost less."""
    in_order(instance, state, LOG_SEEN, instance.guide, np.int64(-1))


@inner
def _rank(instance, state, n, vehicles):
    """Finds where the chosen stop of a number costs least on each of the best vehicles.

    Fills its row of `found`: place, regret, then cost and vehicle of the best, the second, ...
    """
    j, found, last = state.chosen[n], state.found[n], vehicles - 1
    worth = worth_of(instance, state, j)
    found[0], found[1] = -1.0, 0.0
    for r in range(vehicles):
        found[2 + 2 * r], found[3 + 2 * r] = worth, -1.0
    if worth <= -NEVER:
        return
    count = near(instance, state, j, 0.0, np.int64(-1))
    for turn in range(2):
        for t in range(count):
            i = np.int64(state.trial[t])
            delta = cost_behind(instance, state, j, i, 1.0, found[2 + 2 * last])
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
        count = everywhere(instance, state, j, np.int64(-1))
    found[1] = 0.0
    for r in range(1, vehicles):
        found[1] += found[2 + 2 * r] - found[2]


@inner
def _by_regret(instance, state, vehicles):
    """First the stop that would lose most by going to its next-best vehicles."""
    left, found = choose(instance, state), state.found
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
        if instance.mate[j] >= 0 and pair_delta(instance, state, j, place, 1.0, NEVER) >= NEVER:
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
