"""What the exact evaluator's compiled loops are handed, as tuples of arrays by reference.

Shapes as in `nco.transit.evaluate.kernels`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nco.kernels.by_reference import by_reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nco.arrays import Bools, Floats
    from nco.transit.evaluate.result import Counts
    from nco.transit.evaluate.times import Code
    from nco.transit.instance.transit_instance import TransitInstance


@by_reference
class Given(NamedTuple):
    """An instance in one code; never changed.

    Attributes:
        link: `[N, N]` times, -1 where there is no link.
        demand: `[N * S]` trips.
        minutes: in a unit of time.
        trips: all of them.
        bits: of an entry, for the number of rides.
        boarding: what a ride costs besides its time, as an entry.
        far: the entry for no way.
        limit: above which entries mean nothing.
        transfer: time of one.
        min_stops: fewest of a line.
        max_stops: most of a line.
        hub: where all lines begin, or -1.
        line_count: how many lines there are to be.
        terminals: `[N]` where lines may begin and end.
        stride: S.
        vectors: how many are in a row.
    """

    link: NDArray[Any]
    demand: Floats
    minutes: float
    trips: float
    bits: int
    boarding: int
    far: int
    limit: int
    transfer: int
    min_stops: int
    max_stops: int
    hub: int
    line_count: int
    terminals: Bools
    stride: int
    vectors: int

    @classmethod
    def of(cls, instance: TransitInstance, code: Code) -> Given:
        """An instance in a code."""
        demand = np.zeros((instance.size, code.stride))
        demand[:, : instance.size] = instance.demand
        terminals = instance.terminals
        bits, boarding, far, limit, transfer = (int(number) for number in code.numbers)
        return cls(
            np.ascontiguousarray(code.link),
            demand.ravel(),
            float(code.unit_s / 60),
            float(instance.trips),
            bits,
            boarding,
            far,
            limit,
            transfer,
            int(instance.min_stops),
            int(instance.max_stops),
            -1 if instance.hub is None else int(instance.hub),
            int(instance.lines),
            np.ones(instance.size, bool) if terminals is None else np.ascontiguousarray(terminals),
            code.stride,
            code.vectors,
        )


@by_reference
class Room(NamedTuple):
    """What loops overwrite, for one thread.

    Attributes:
        dist: `[N * S]` entries; in the end those of the last set.
        rows: `[2 * S]`.
        there: `[L]`.
        back: `[L]`.
        on: `[N]` stops that lines have at each node.
        group: `[N]`.
        size: `[N]`.
    """

    dist: NDArray[Any]
    rows: NDArray[Any]
    there: NDArray[np.int64]
    back: NDArray[np.int64]
    on: NDArray[np.int32]
    group: NDArray[np.int32]
    size: NDArray[np.int32]

    @classmethod
    def of(cls, code: Code, stops: int) -> Room:
        """Room for lines of so many stops."""
        nodes = len(code.link)
        return cls(
            np.empty(nodes * code.stride, code.dtype),
            np.empty(2 * code.stride, code.dtype),
            *np.empty((2, stops), np.int64),
            *np.empty((3, nodes), np.int32),
        )


@by_reference
class Found(NamedTuple):
    """What loops fill for each set of lines.

    Attributes:
        values: `[B, 7]`.
        violations: `[B, 8]`.
        exact: `[B]` whether entries were large enough for all times.
    """

    values: Floats
    violations: Counts
    exact: Bools


@by_reference
class Base(NamedTuple):
    """A set of lines that was evaluated before, and whose lines stay.

    Attributes:
        dist: `[N * S]`.
        on: `[N]`.
        length: of all lines there and back.
        violations: `[8]`.
        lines: `[R + 1, L]` its lines, and a row that is overwritten.
    """

    dist: NDArray[Any]
    on: NDArray[np.int32]
    length: int
    violations: NDArray[np.int32]
    lines: NDArray[np.int16]
