"""A heap of links with four children a node, by key; keys may sink while a link is in it."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types the compiled functions by what they are called with.

from __future__ import annotations

from nco.kernels.compiled import compiled


@compiled(cache=False)
def raised(heap, place, key, size, link):
    """Puts a link in, or moves it up after its key sank; returns how many are in.

    Args:
        heap: `[L]`, the links in it.
        place: `[L]`, where each link is in the heap; -1 where it is not.
        key: `[L]`.
        size: how many are in.
        link: which one.
    """
    at = place[link]
    if at < 0:
        at = size
        size += 1
    value = key[link]
    while at > 0:
        above = (at - 1) >> 2
        if key[heap[above]] <= value:
            break
        heap[at] = heap[above]
        place[heap[at]] = at
        at = above
    heap[at] = link
    place[link] = at
    return size


@compiled(cache=False)
def without_first(heap, place, key, size):
    """Takes the first link out; returns how many are left. Arguments are as for `raised`."""
    place[heap[0]] = -1
    size -= 1
    if size == 0:
        return size
    link = heap[size]
    value = key[link]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= size:
            break
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if key[heap[other]] < key[heap[least]]:
                least = other
        if key[heap[least]] >= value:
            break
        heap[at] = heap[least]
        place[heap[at]] = at
        at = least
    heap[at] = link
    place[link] = at
    return size
