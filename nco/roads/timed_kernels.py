"""The compiled search for earliest arrivals; labels are times at the beginning of links."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types the compiled functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.compiled import compiled
from nco.roads.heap import raised, without_first
from nco.roads.kernels import label_seeds


@compiled(cache=False)
def _after(begin, factor, low, high, now, usual):
    """When so many usual seconds of driving have passed, by the periods from `low` to `high`."""
    pace = 1.0
    for k in range(low, high):
        if begin[k] > now:
            if usual <= (begin[k] - now) * pace:
                return now + usual / pace
            usual -= (begin[k] - now) * pace
            now = begin[k]
        pace = factor[k]
    return now + usual / pace


@compiled
def earliest(
    first, to_link, link_s, turn_s,
    seed_turn, seed_time, target_link, target_s,
    group, period_first, begin, factor,
):  # fmt: skip
    """The earliest arrival at a target.

    Args:
        first: `[L + 1]`, where the turns out of each link begin.
        to_link: `[T]`, what they enter.
        link_s: `[L]`, usual seconds; `inf` where closed.
        turn_s: `[T]`, likewise.
        seed_turn: `[s]`, turns out of the source.
        seed_time: `[s]`, times after them.
        target_link: `[t]`, links of the target.
        target_s: `[t]`, usual seconds on them to the target.
        group: `[L]`, which traffic each link has.
        period_first: `[G + 1]`, where the periods of each traffic begin.
        begin: `[P]`, times of the clock.
        factor: `[P]`, how many times as fast as usual one drives from then on.

    Returns:
        `via` `[L]` as `nco.roads.kernels.search` has it, and the index of the target reached first,
        -1 where none is.
    """
    links = len(link_s)
    time = np.full(links, np.inf)
    via = np.full(links, -1, dtype=np.int32)
    heap = np.empty(links, dtype=np.int32)
    place = np.full(links, -1, dtype=np.int32)
    size = 0
    label_seeds(time, via, to_link, seed_turn, seed_time)
    for turn in seed_turn:
        size = raised(heap, place, time, size, to_link[turn])
    best, reached = np.inf, -1
    while size > 0:
        link = heap[0]
        now = time[link]
        if now >= best:
            break
        size = without_first(heap, place, time, size)
        low, high = period_first[group[link]], period_first[group[link] + 1]
        for k in range(len(target_link)):
            if target_link[k] == link:
                there = _after(begin, factor, low, high, now, target_s[k])
                if there < best:
                    best, reached = there, k
        for turn in range(first[link], first[link + 1]):
            usual = link_s[link] + turn_s[turn]
            if np.isinf(usual):
                continue
            new = _after(begin, factor, low, high, now, usual)
            onto = to_link[turn]
            if new < time[onto]:
                time[onto] = new
                via[onto] = turn
                size = raised(heap, place, time, size, onto)
    return via, reached
