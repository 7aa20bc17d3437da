"""Several paths measured: against recorded drives, and over random pairs of places.

Each method answers each request with the most paths that are asked for; what the first K of them
are worth is read from that. A drive is covered by a path as far as its metres lie on links of the
path, directed; the best of K paths counts. Drives that take more than 1.5 times the cheapest cost
are tours and counted apart. Intervals are a bootstrap over groups of drives, such as taxis.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from nco.data.cities.city import City
from nco.data.formats.json_file import read_text
from nco.errors import FormatError, NcoError, quoted, shortened
from nco.files import appending
from nco.json_text import parse_json, record
from nco.roads import Costs, Limits, Path, Position
from nco.roads.matching import MatchedDrive
from nco.roads.several import paths, qualities
from nco.roads.several.cities import Ready, ready
from nco.roads.several.ours import node_pairs
from nco.stats import grouped_interval

TOUR = 1.5
_FAR_M = 2000.0


@dataclass(frozen=True)
class Request:
    """A to B, and what was driven there if that is known.

    Attributes:
        name: of the trip or the pair.
        ends: lonlat of both.
        drive: None for a random pair.
        group: what drives are resampled by.
    """

    name: str
    ends: tuple[tuple[float, float], tuple[float, float]]
    drive: MatchedDrive | None = None
    group: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one method gave for one request; lists are by the rank of paths.

    Attributes:
        method: that answered.
        request: its name.
        group: of the request.
        ms: milliseconds that the answer took.
        distance_m: of the first path.
        covered: share of the drive that each path covers; empty without a drive.
        drive_stretch: cost of the drive over that of the cheapest path; 0 without a drive.
        stretch: of each path.
        shared: largest share of an earlier path.
        local: whether each passes the T-test.
        admissible: whether each is within (0.25, 0.25, 0.8).
        failed: why there is no answer; empty where there is one.
    """

    method: str
    request: str
    group: str
    ms: float
    distance_m: float = 0.0
    covered: tuple[float, ...] = ()
    drive_stretch: float = 0.0
    stretch: tuple[float, ...] = ()
    shared: tuple[float, ...] = ()
    local: tuple[bool, ...] = ()
    admissible: tuple[bool, ...] = ()
    failed: str = ""


def random_requests(city: City, pairs: int, seed: int) -> list[Request]:
    """Pairs of places on the streets of a city."""
    points = city.sample(2 * pairs, seed).tolist()
    return [
        Request(f"pair {i}", (tuple(points[i]), tuple(points[pairs + i])), group=str(i))
        for i in range(pairs)
    ]


def measure(
    city: City,
    requests: Sequence[Request],
    methods: Sequence[str],
    k: int,
    out: FilePath,
    *,
    limits: Limits | None = None,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> list[Outcome]:
    """Ask all methods all requests; what the file has already is not asked again.

    Args:
        city: opened from an extract.
        requests: what to ask.
        methods: names of `nco.roads.several.METHODS`.
        k: how many paths to ask for.
        out: file of results, a JSON object a line; it is made or continued.
        limits: what alternatives must keep.
        tell: is told how many are done, of how many.

    Raises:
        FormatError: the file is none of results.
        StorageError: it cannot be written.
    """
    here, limits = ready(city), Limits() if limits is None else limits
    asked = json.dumps({"k": k, "limits": asdict(limits), "graph": len(here.graph.links)})
    known = read_outcomes(out, asked)
    wanted = [(method, request) for method in methods for request in requests]
    with appending(out) as append:
        if not known and not (out.is_file() and out.stat().st_size):
            append(asked)
        for number, (method, request) in enumerate(wanted):
            key = (method, request.name)
            if key not in known:
                known[key] = _answer(here, request, method, k, limits)
                append(json.dumps(asdict(known[key])))
            tell(number + 1, len(wanted))
    return [known[method, request.name] for method, request in wanted]


def read_outcomes(out: FilePath, asked: str) -> dict[tuple[str, str], Outcome]:
    """What a file of results has already, by method and request; nothing if there is none.

    Raises:
        FormatError: it is of another question than `asked`, or damaged.
        StorageError: it cannot be read.
    """
    if not out.is_file():
        return {}
    lines = read_text(out).split("\n")[:-1]  # what comes after the last one was cut off
    if lines and lines[0] != asked:
        raise FormatError(
            f"{out} holds results of another question, {quoted(lines[0])}; choose another file"
        )
    found = {}
    for number, line in enumerate(lines[1:], start=2):
        try:
            outcome = record(Outcome, parse_json(line))
        except ValueError as error:
            raise FormatError(f"{out}, line {number} is no result: {shortened(error)}") from None
        found[outcome.method, outcome.request] = outcome
    return found


def _answer(here: Ready, request: Request, method: str, k: int, limits: Limits) -> Outcome:
    a, b = request.ends
    try:
        source, target = here.snap.pair(a, b)
        begun = time.perf_counter()
        found = paths(
            here.graph, source, target, k,
            method=method, limits=limits, search=here.search, city=here.city, trees=here.trees,
        )  # fmt: skip
        ms = 1000 * (time.perf_counter() - begun)
    except NcoError as error:
        return Outcome(method, request.name, request.group, 0.0, failed=shortened(error))
    if not len(found):
        return Outcome(method, request.name, request.group, ms, failed=found.why_fewer)
    quality = qualities(found.paths, here.search)
    covered, stretch = _drive(here, request, found.paths, source, target)
    return Outcome(
        method=method,
        request=request.name,
        group=request.group,
        ms=ms,
        distance_m=found[0].length_m,
        covered=covered,
        drive_stretch=stretch,
        stretch=tuple(one.stretch for one in quality),
        shared=tuple(one.shared for one in quality),
        local=tuple(one.locally_optimal for one in quality),
        admissible=tuple(one.admissible for one in quality),
    )


def _drive(
    here: Ready, request: Request, found: Sequence[Path], source: Position, target: Position
) -> tuple[tuple[float, ...], float]:
    """How much of the drive each path covers, and what the drive costs over the cheapest path."""
    if request.drive is None:
        return (), 0.0
    graph = here.graph
    driven = node_pairs(graph).links(request.drive.osm_nodes)
    total = float(driven.covered_m.sum())
    if total <= 0:
        return (), 0.0
    original = graph.links.original
    covered = tuple(
        float(driven.covered_m[np.isin(original[driven.links], original[path.links])].sum() / total)
        for path in found
    )
    costs: Costs = here.search.costs
    length = graph.links.length_m[driven.links]
    share = np.divide(driven.covered_m, length, out=np.zeros(len(length)), where=length > 0)
    turns = graph.turns_along(driven.links)
    spent = float((np.minimum(share, 1) * costs.links[driven.links]).sum())
    spent += float(costs.turns[turns[turns >= 0]].sum())
    least = here.search.cost(source, target)
    return covered, spent / least if least > 0 else 0.0


@dataclass(frozen=True)
class Row:
    """A method at some K, over all requests that it answered.

    Attributes:
        method: its name.
        k: how many of its paths count.
        requests: how many there are.
        failed: how many it did not answer.
        returned: mean number of paths.
        with_k: share of requests over 2 km with K paths.
        admissible_k: share of those with K admissible paths.
        coverage: mean share of a drive that the best path covers; NaN without drives.
        interval: of it, 95 %.
        beyond: share of drives covered beyond 0.9.
        tours: coverage of drives that are tours.
        stretch: mean, of alternatives.
        shared: mean of the largest share of an earlier path, of alternatives.
        local: share of paths that pass the T-test.
        ms: median.
        ms_95: 95 % of requests take no longer.
    """

    method: str
    k: int
    requests: int
    failed: int
    returned: float
    with_k: float
    admissible_k: float
    coverage: float
    interval: tuple[float, float]
    beyond: float
    tours: float
    stretch: float
    shared: float
    local: float
    ms: float
    ms_95: float


def rows(outcomes: Sequence[Outcome], ks: Sequence[int]) -> list[Row]:
    """A row for each method and each K."""
    methods = list(dict.fromkeys(one.method for one in outcomes))
    return [
        _row(method, k, [one for one in outcomes if one.method == method])
        for method in methods
        for k in ks
    ]


def _row(method: str, k: int, outcomes: list[Outcome]) -> Row:
    good = [one for one in outcomes if not one.failed]
    far = [one for one in good if one.distance_m > _FAR_M]
    drives = [one for one in good if one.covered]
    usual = [one for one in drives if one.drive_stretch <= TOUR]
    best = np.array([max(one.covered[:k]) for one in drives])
    others = [i for one in good for i in one.stretch[1:k]]
    times = [one.ms for one in good]
    return Row(
        method=method,
        k=k,
        requests=len(outcomes),
        failed=len(outcomes) - len(good),
        returned=_mean([min(k, len(one.stretch)) for one in good]),
        with_k=_mean([len(one.stretch) >= k for one in far]),
        admissible_k=_mean([sum(one.admissible[:k]) >= k for one in far]),
        coverage=_mean(best),
        interval=grouped_interval(best.tolist(), [one.group for one in drives]),
        beyond=_mean(best > 0.9),
        tours=_mean([max(one.covered[:k]) for one in drives if one not in usual]),
        stretch=_mean(others),
        shared=_mean([i for one in good for i in one.shared[1:k]]),
        local=_mean([i for one in good for i in one.local[:k]]),
        ms=float(np.median(times)) if times else float("nan"),
        ms_95=float(np.quantile(times, 0.95)) if times else float("nan"),
    )


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
