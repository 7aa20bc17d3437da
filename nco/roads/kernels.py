"""Compiled searches on links with turns.

Labels are costs at the *beginning* of a link, the turn into it included. A search starts with the
turns out of the source's links (`seed_turn`, `seed_cost` at the beginning of the link entered), and
a target is a link with what the part of it that is driven costs (`target_part`). So a source and a
target in the middle of links are exact, one behind the other on the same link as well.

How a link was reached is a turn: `via[l]` is the index of the turn, `-2 - turn` where that turn
leaves the source's link, and -1 where the link was not reached.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types the compiled functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.compiled import compiled
from nco.roads.heap import raised, without_first


@compiled(cache=False)
def _away(xyz, node, targets, rate):
    """The least that the way from a node to one of the target nodes can cost."""
    if rate == 0.0:
        return 0.0
    least = np.inf
    for other in targets:
        x = xyz[node, 0] - xyz[other, 0]
        y = xyz[node, 1] - xyz[other, 1]
        z = xyz[node, 2] - xyz[other, 2]
        least = min(least, x * x + y * y + z * z)
    return rate * np.sqrt(least)


@compiled(cache=False)
def label_seeds(cost, via, to_link, seed_turn, seed_cost):
    """Labels the links behind the turns that a search starts with."""
    for k in range(len(seed_turn)):
        link = to_link[seed_turn[k]]
        if seed_cost[k] < cost[link]:
            cost[link] = seed_cost[k]
            via[link] = -2 - seed_turn[k]


@compiled(cache=False)
def label_goals(cost, via, target_link, target_part):
    """Labels the links of the target."""
    for k in range(len(target_link)):
        if target_part[k] < cost[target_link[k]]:
            cost[target_link[k]] = target_part[k]
            via[target_link[k]] = -2 - k


@compiled(cache=False)
def _arrived(link, spent, target_link, target_part, best, reached):
    """The least cost of a target and its index, a link that is reached at a cost looked at."""
    for k in range(len(target_link)):
        if target_link[k] == link and spent + target_part[k] < best:
            best, reached = spent + target_part[k], k
    return best, reached


@compiled
def search(
    first, to_link, link_cost, turn_cost,
    seed_turn, seed_cost, target_link, target_part,
    tail, xyz, target_node, rate,
):  # fmt: skip
    """Dijkstra's algorithm (1959), or A* (Hart, Nilsson and Raphael 1968) where `rate` is not 0.

    Args:
        first: `[L + 1]`, where the turns out of each link begin.
        to_link: `[T]`, what they enter.
        link_cost: `[L]`, not negative; `inf` where closed.
        turn_cost: `[T]`, likewise.
        seed_turn: `[s]`, turns out of the source.
        seed_cost: `[s]`, costs after them.
        target_link: `[t]`, links of the target; none to label all links.
        target_part: `[t]`, what the way on them to the target costs.
        tail: `[L]`, where links begin.
        xyz: `[N, 3]`, metres, of the nodes.
        target_node: `[t]`, where the links of the target begin.
        rate: the least cost of a metre as the crow flies.

    Returns:
        Costs `[L]` at the beginning of links, `via` `[L]`, the index of the target that is
        cheapest (-1 where none is reached), and how many links were settled.
    """
    links = len(link_cost)
    cost = np.full(links, np.inf)
    key = np.empty(links)
    via = np.full(links, -1, dtype=np.int32)
    heap = np.empty(links, dtype=np.int32)
    place = np.full(links, -1, dtype=np.int32)
    size = 0
    label_seeds(cost, via, to_link, seed_turn, seed_cost)
    for turn in seed_turn:
        link = to_link[turn]
        key[link] = cost[link] + _away(xyz, tail[link], target_node, rate)
        size = raised(heap, place, key, size, link)
    best, reached, settled = np.inf, -1, 0
    while size > 0:
        link = heap[0]
        if key[link] >= best:
            break
        size = without_first(heap, place, key, size)
        settled += 1
        best, reached = _arrived(link, cost[link], target_link, target_part, best, reached)
        end = cost[link] + link_cost[link]
        if end >= best:
            continue
        for turn in range(first[link], first[link + 1]):
            onto = to_link[turn]
            new = end + turn_cost[turn]
            if new < cost[onto]:
                # The bound on the rest was added when the link was first seen.
                if np.isinf(cost[onto]):
                    key[onto] = new + _away(xyz, tail[onto], target_node, rate)
                else:
                    key[onto] += new - cost[onto]
                cost[onto] = new
                via[onto] = turn
                size = raised(heap, place, key, size, onto)
    return cost, via, reached, settled


@compiled
def search_back(into_first, into, from_link, link_cost, turn_cost, target_link, target_part):
    """Dijkstra's algorithm against the traffic: costs from the beginning of links to a target.

    Args:
        into_first: `[L + 1]`, where the turns into each link begin in `into`.
        into: `[T]`, indices of turns.
        from_link: `[T]`, what turns leave.
        link_cost: `[L]`.
        turn_cost: `[T]`.
        target_link: `[t]`.
        target_part: `[t]`.

    Returns:
        Costs `[L]` from the beginning of links to the target, and the turn `[L]` that leads on from
        each: -1 where there is none, -2 - index of the target where it is on that link.
    """
    links = len(link_cost)
    cost = np.full(links, np.inf)
    via = np.full(links, -1, dtype=np.int32)
    heap = np.empty(links, dtype=np.int32)
    place = np.full(links, -1, dtype=np.int32)
    size = 0
    label_goals(cost, via, target_link, target_part)
    for link in target_link:
        if cost[link] < np.inf:
            size = raised(heap, place, cost, size, link)
    while size > 0:
        link = heap[0]
        size = without_first(heap, place, cost, size)
        for k in range(into_first[link], into_first[link + 1]):
            turn = into[k]
            before = from_link[turn]
            new = link_cost[before] + turn_cost[turn] + cost[link]
            if new < cost[before]:
                cost[before] = new
                via[before] = turn
                size = raised(heap, place, cost, size, before)
    return cost, via


@compiled(cache=False)
def _step(
    first, turns, onto_of, link_cost, turn_cost, onto_pays,
    cost, via, heap, place, size, other, best, meeting,
):  # fmt: skip
    """Settles one link of one side of a search from both.

    Args:
        first: `[L + 1]`, where the turns of each link begin in `turns`.
        turns: `[T]`, indices of turns.
        onto_of: `[T]`, the link on the far side of each turn.
        link_cost: `[L]`.
        turn_cost: `[T]`.
        onto_pays: whether a step costs the link that it leads to, as it does against the traffic.
        cost: `[L]` of this side.
        via: `[L]` of this side.
        heap: of this side.
        place: of this side.
        size: of this side's heap.
        other: `[L]`, costs of the other side.
        best: the least cost of a path that is known.
        meeting: the link on which both sides meet on that path.

    Returns:
        `size`, `best` and `meeting` as they are now.
    """
    link = heap[0]
    size = without_first(heap, place, cost, size)
    for k in range(first[link], first[link + 1]):
        turn = turns[k]
        onto = onto_of[turn]
        new = cost[link] + turn_cost[turn] + link_cost[onto if onto_pays else link]
        if new < cost[onto]:
            cost[onto] = new
            via[onto] = turn
            size = raised(heap, place, cost, size, onto)
            if new + other[onto] < best:
                best, meeting = new + other[onto], onto
    return size, best, meeting


@compiled
def search_both(
    first, out, to_link, into_first, into, from_link, link_cost, turn_cost,
    seed_turn, seed_cost, target_link, target_part,
):  # fmt: skip
    """Dijkstra's algorithm from both sides at once (I. Pohl 1971); arguments as above.

    Returns:
        `via` `[L]` of both sides, as `search` and `search_back` have it, the link that both meet on
        (-1 where they do not), the cost, and how many links were settled.
    """
    links = len(link_cost)
    ahead, back = np.full(links, np.inf), np.full(links, np.inf)
    via, on = np.full(links, -1, dtype=np.int32), np.full(links, -1, dtype=np.int32)
    heap, heap_back = np.empty(links, dtype=np.int32), np.empty(links, dtype=np.int32)
    place, place_back = np.full(links, -1, dtype=np.int32), np.full(links, -1, dtype=np.int32)
    size, size_back = 0, 0
    label_seeds(ahead, via, to_link, seed_turn, seed_cost)
    label_goals(back, on, target_link, target_part)
    best, meeting, settled = np.inf, -1, 0
    for turn in seed_turn:
        size = raised(heap, place, ahead, size, to_link[turn])
    for link in target_link:
        if back[link] < np.inf:
            size_back = raised(heap_back, place_back, back, size_back, link)
        if ahead[link] + back[link] < best:
            best, meeting = ahead[link] + back[link], link
    while size > 0 and size_back > 0:
        if ahead[heap[0]] + back[heap_back[0]] >= best:
            break
        settled += 1
        if ahead[heap[0]] <= back[heap_back[0]]:
            size, best, meeting = _step(
                first, out, to_link, link_cost, turn_cost, False,
                ahead, via, heap, place, size, back, best, meeting,
            )  # fmt: skip
        else:
            size_back, best, meeting = _step(
                into_first, into, from_link, link_cost, turn_cost, True,
                back, on, heap_back, place_back, size_back, ahead, best, meeting,
            )  # fmt: skip
    return via, on, meeting, best, settled
