"""Lines: their published text form, padded arrays, and the check against an instance.

A line is the nodes of its stops in order and runs both ways. The published form writes nodes from
0 on, `-` between the stops of a line and `*` between lines: `0-1-2*3-4`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import index

import numpy as np
from numpy.typing import NDArray

from nco.errors import FormatError, ProblemError, counted, quoted
from nco.transit.instance.transit_instance import TransitInstance

Lines = tuple[tuple[int, ...], ...]
LinesLike = Iterable[Iterable[int]]
_MOST_DIGITS = 9


@dataclass(frozen=True)
class LineViolation:
    """Something that lines must not do.

    Attributes:
        kind: "unknown stop", "missing link", "repeated stop", "too short", "too long", "hub",
            "terminal", "unconnected" or "number of lines".
        message: what and where, in words.
        line: number of the line concerned, if one is.
        position: place in the line (0 is its first stop), if one is.
        node: the node concerned, if one is.
    """

    kind: str
    message: str
    line: int | None = None
    position: int | None = None
    node: int | None = None


def as_lines(lines: LinesLike) -> Lines:
    """Nested tuples of plain integers.

    Raises:
        ProblemError: it is something else than lines of whole numbers.
    """
    try:
        return tuple(tuple(index(node) for node in line) for line in lines)
    except TypeError:
        raise ProblemError(
            "lines are the nodes of each line in order, such as [(0, 1, 2), (3, 4)]; "
            "read text by nco.transit.instance.lines.parse_lines"
        ) from None


def parse_lines(text: str) -> Lines:
    """Read the published form, `0-1-2*3-4`; spaces, line breaks and a last `*` do not matter.

    Raises:
        FormatError: a stop is no whole number of 0 or more; the message names line and place.
    """
    compact = "".join(text.split())
    lines = []
    for r, part in enumerate(compact.rstrip("*").split("*")):
        stops = part.split("-")
        for k, stop in enumerate(stops):
            if not (stop.isascii() and stop.isdigit() and len(stop) <= _MOST_DIGITS):
                raise FormatError(
                    f"line {r}, place {k}: {quoted(stop)} is no node; write nodes from 0 on, '-' "
                    "between stops and '*' between lines, such as 0-1-2*3-4"
                )
        lines.append(tuple(int(stop) for stop in stops))
    return tuple(lines)


def format_lines(lines: LinesLike) -> str:
    """Write the published form, `0-1-2*3-4`."""
    return "*".join("-".join(str(int(node)) for node in line) for line in lines)


def pad_lines(
    lines: LinesLike, rows: int | None = None, width: int | None = None
) -> NDArray[np.int16]:
    """Lines as an array for compiled code.

    Args:
        lines: nodes in order.
        rows: R; the number of lines if left out.
        width: L; the longest line if left out.

    Returns:
        `[R, L]` nodes, -1 after the end of a line and in rows without one.

    Raises:
        ProblemError: there are more lines than rows, or a line is longer than the width.
    """
    given = as_lines(lines)
    longest = max(map(len, given), default=0)
    rows = len(given) if rows is None else rows
    width = longest if width is None else width
    if rows < len(given) or width < longest:
        raise ProblemError(
            f"{counted(len(given), 'line')} of up to {longest} stops do not fit into [{rows}, "
            f"{width}]; "
            "give more rows or a larger width"
        )
    padded = np.full((rows, width), -1, np.int16)
    for row, line in zip(padded, given, strict=False):
        row[: len(line)] = line
    return padded


def unpad_lines(padded: NDArray[np.integer]) -> Lines:
    """The lines in an array that `pad_lines` made; empty rows are left out."""
    rows = (row[row >= 0].tolist() for row in np.asarray(padded))
    return tuple(tuple(row) for row in rows if row)


def check_lines(
    instance: TransitInstance, lines: LinesLike, *, connected: bool = True
) -> list[LineViolation]:
    """Everything that lines break, in the order of the lines.

    Args:
        instance: what they are for.
        lines: nodes in order.
        connected: whether lines must join all nodes into one network, as the benchmarks ask.

    Returns:
        Nothing if the lines are as they should be. Lines that are alike break nothing.
    """
    given = as_lines(lines)
    found = [v for r, line in enumerate(given) for v in _check_line(instance, r, line)]
    if len(given) != instance.lines:
        found.append(
            LineViolation(
                "number of lines",
                f"there are {counted(len(given), 'line')}; it must be {instance.lines}",
            )
        )
    return found + (_unconnected(instance, given) if connected else [])


def refuse_bad_lines(instance: TransitInstance, lines: LinesLike) -> Lines:
    """The lines as tuples, if a bus can run on each: known stops, existing links, two or more.

    Bounds, hub and repeated stops are not asked for: real lines break them and can be evaluated.

    Raises:
        ProblemError: the message names the line, the place and the nodes.
    """
    given = as_lines(lines)
    for r, line in enumerate(given):
        if len(line) < 2:
            raise ProblemError(f"line {r} has {counted(len(line), 'stop')}; a line needs 2 or more")
        for violation in _check_path(instance, r, line):
            raise ProblemError(f"{violation.message}; see TransitInstance.neighbours")
    return given


def _check_line(instance: TransitInstance, r: int, line: Sequence[int]) -> list[LineViolation]:
    found = _check_path(instance, r, line)
    for node, count in Counter(line).items():
        if count > 1:
            place = [k for k, other in enumerate(line) if other == node][1]
            text = f"line {r}, place {place}: node {node} is there {count} times"
            found.append(LineViolation("repeated stop", text, r, place, node))
    bounds = f"{instance.min_stops} to {instance.max_stops} are allowed"
    if len(line) < instance.min_stops:
        found.append(
            LineViolation(
                "too short", f"line {r} has {counted(len(line), 'stop')}; {bounds}", line=r
            )
        )
    if len(line) > instance.max_stops:
        found.append(
            LineViolation(
                "too long", f"line {r} has {counted(len(line), 'stop')}; {bounds}", line=r
            )
        )
    return found + (_check_ends(instance, r, line) if line else [])


def _check_path(instance: TransitInstance, r: int, line: Sequence[int]) -> list[LineViolation]:
    """Unknown stops, or, where all are known, missing links."""
    n, names = instance.size, instance.names
    found = [
        LineViolation(
            "unknown stop",
            f"line {r}, place {k}: node {node} does not exist; nodes are 0 to {n - 1}",
            r,
            k,
            node,
        )
        for k, node in enumerate(line)
        if not 0 <= node < n
    ]
    if found:
        return found
    return [
        LineViolation(
            "missing link",
            f"line {r}, place {k}: there is no link from node {a} ({quoted(names[a])}) to node {b} "
            f"({quoted(names[b])})",
            r,
            k,
            a,
        )
        for k, (a, b) in enumerate(pairwise(line))
        if a == b or np.isinf(instance.link_s[a, b])
    ]


def _check_ends(instance: TransitInstance, r: int, line: Sequence[int]) -> list[LineViolation]:
    found = []
    ends = {0: line[0], len(line) - 1: line[-1]}
    if instance.hub is not None:
        if line[0] != instance.hub:
            text = f"line {r} begins at node {line[0]}; it must begin at the hub, {instance.hub}"
            found.append(LineViolation("hub", text, r, 0, line[0]))
        ends.pop(0)
    if instance.terminals is not None:
        for place, node in ends.items():
            if 0 <= node < instance.size and not instance.terminals[node]:
                text = f"line {r}, place {place}: it ends at node {node}, which is no terminal"
                found.append(LineViolation("terminal", text, r, place, node))
    return found


def _unconnected(instance: TransitInstance, lines: Lines) -> list[LineViolation]:
    """Nodes outside of the largest network of lines that share stops."""
    group = np.arange(instance.size)
    for line in lines:
        known = [node for node in line if 0 <= node < instance.size]
        if known:
            joined = np.isin(group, group[known])
            group[joined] = group[known[0]]
    largest = np.bincount(group).argmax()
    return [
        LineViolation(
            "unconnected",
            f"node {node} ({quoted(instance.names[node])}) is not joined to the largest "
            "network of lines",
            node=node,
        )
        for node in np.flatnonzero(group != largest).tolist()
    ]
