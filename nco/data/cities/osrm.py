"""OSRM in this process: tables, nearest streets and routes as numpy arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.data.cities.changes import Changes
from nco.data.cities.engine import Matrices, StreetRoute, tidy
from nco.data.cities.osrm_build import Built, build
from nco.errors import CityError, shortened

# OSRM keeps a table as a tree of tagged values, about 100 bytes a pair, until it is converted. It
# holds the interpreter lock meanwhile, so that no interruption is heeded: for 10 s of CPU where
# 2100 points were a single call of 4 million pairs, and for 1.6 s now, at 13 % more time for all.
_MOST_ALTERNATIVES = 100
_MOST_POINTS = 10_000  # of a drive
_PAIRS_PER_CALL = 500_000


@dataclass(frozen=True, eq=False)
class Matched:
    """One piece of a drive on the streets.

    Attributes:
        osm_nodes: `[n]`, OpenStreetMap's nodes along it.
        confidence: how sure OSRM is, 0 to 1.
        distance_m: metres along the streets.
        duration_s: seconds that OSRM would take.
        lonlat: `[p, 2]`, where its points were moved to.
        moved_m: `[p]`, how far.
    """

    osm_nodes: NDArray[np.int64]
    confidence: float
    distance_m: float
    duration_s: float
    lonlat: Floats
    moved_m: Floats


class Osrm:
    """An engine built from an extract.

    Args:
        base: the base path of a built engine, see `open_osrm`.
        contracted: whether it was built with a contraction hierarchy.

    Raises:
        CityError: OSRM cannot open it.
    """

    def __init__(self, base: Path, *, contracted: bool = False) -> None:
        import osrm

        self._osrm = osrm
        try:
            self._engine = osrm.OSRM(
                storage_config=str(base),
                algorithm="CH" if contracted else "MLD",
                use_shared_memory=False,
                max_alternatives=_MOST_ALTERNATIVES,
                max_locations_map_matching=_MOST_POINTS,
            )
        except RuntimeError as error:
            raise CityError(f"OSRM cannot open {base}: {shortened(error)}") from error

    def table(self, sources: Floats, targets: Floats | None = None) -> Matrices:
        """Distances and durations from every source to every target (the sources by default).

        Args:
            sources: `[S, 2]` lonlat.
            targets: `[T, 2]` lonlat.
        """
        points = sources if targets is None else np.concatenate([sources, targets])
        first = 0 if targets is None else len(sources)
        columns = len(points) - first
        rows = len(sources)
        if not rows or not columns or len(points) == 1:  # OSRM wants two places at least
            away_m, to_m = (self.nearest(part)[1] for part in (sources, points[first:]))
            return Matrices(np.zeros((rows, columns)), np.zeros((rows, columns)), away_m, to_m)
        # Every call names all points: where OSRM snaps one can depend on the others.
        coordinates = _pairs(points)
        step = max(1, _PAIRS_PER_CALL // columns)
        blocks = [
            self._block(coordinates, range(i, min(i + step, rows)), range(first, len(points)))
            for i in range(0, rows, step)
        ]
        distance_m, duration_s, moved_m = (
            np.concatenate([block[k] for block in blocks]) for k in range(3)
        )
        return tidy(
            distance_m,
            duration_s,
            square=targets is None,
            moved_m=moved_m,
            targets_moved_m=blocks[0][3],
        )

    def nearest(self, points: Floats) -> tuple[Floats, Floats]:
        """The nearest place on a street `[n, 2]` and how far away it is, in metres `[n]`."""
        snapped = np.empty((len(points), 2))
        distance_m = np.empty(len(points))
        for i, point in enumerate(_pairs(points)):
            parameters = self._osrm.NearestParameters(coordinates=[point], generate_hints=False)
            found = self._engine.Nearest(parameters)["waypoints"][0]
            snapped[i] = list(found["location"])
            distance_m[i] = found["distance"]
        return snapped, distance_m

    def route(self, points: Floats) -> StreetRoute:
        """The fastest route through the points in their order, each leg as in the table.

        Raises:
            CityError: no route leads from one of the points to the next; the message names it.
        """
        legs, distance_m, duration_s = [], [], []
        moved_m = np.zeros(len(points))
        # Leg by leg, for through several points at once OSRM forbids turning round at them,
        # which a table does not.
        coordinates = _pairs(points)
        for i, pair in enumerate(pairwise(coordinates)):
            parameters = self._osrm.RouteParameters(
                coordinates=list(pair),
                geometries="geojson",
                overview="full",
                generate_hints=False,
            )
            try:
                answer = self._engine.Route(parameters)
            except RuntimeError as error:
                raise CityError(
                    f"no route leads from point {i} to point {i + 1}: {shortened(error)}"
                ) from error
            found = answer["routes"][0]
            moved_m[i : i + 2] = np.maximum(moved_m[i : i + 2], _moved(answer["waypoints"]))
            legs.append(np.array([list(place) for place in found["geometry"]["coordinates"]]))
            distance_m.append(found["distance"])
            duration_s.append(found["duration"])
        return StreetRoute(tuple(legs), np.array(distance_m), np.array(duration_s), moved_m)

    def alternatives(self, ends: Floats, most: int) -> list[NDArray[np.int64]]:
        """OpenStreetMap's nodes along the fastest route between two places, and along others.

        Args:
            ends: `[2, 2]` lonlat.
            most: how many others may be given.

        Raises:
            CityError: no route leads from the first to the second.
        """
        parameters = self._osrm.RouteParameters(
            coordinates=_pairs(ends),
            number_of_alternatives=most,
            annotations=["nodes"],
            overview="false",
            generate_hints=False,
        )
        try:
            answer = self._engine.Route(parameters)
        except RuntimeError as error:
            raise CityError(f"no route leads from A to B: {shortened(error)}") from error
        return [_nodes(route) for route in answer["routes"]]

    def match(
        self, points: Floats, unix_s: Sequence[int] = (), radius_m: float = 15.0
    ) -> list[Matched]:
        """Where a drive went: the streets that are likeliest to have been driven.

        Args:
            points: `[n, 2]` lonlat, two at least.
            unix_s: `[n]`, when each was passed, in whole seconds that rise; left out if unknown.
            radius_m: by how much points are off, as a standard deviation.

        Returns:
            The pieces, where the drive is interrupted more than one; none where nothing fits.
        """
        parameters = self._osrm.MatchParameters(
            coordinates=_pairs(points),
            timestamps=list(unix_s),
            radiuses=[radius_m] * len(points),
            annotations=["nodes"],
            overview="false",
            gaps="split",
            tidy=True,
            generate_hints=False,
        )
        try:
            answer = self._engine.Match(parameters)
        except RuntimeError:  # NoMatch, TooBig
            return []
        places = [point for point in answer["tracepoints"] if point is not None]
        found = []
        for number, piece in enumerate(answer["matchings"]):
            own = [place for place in places if place["matchings_index"] == number]
            found.append(
                Matched(
                    _nodes(piece),
                    float(piece["confidence"]),
                    float(piece["distance"]),
                    float(piece["duration"]),
                    np.array([list(place["location"]) for place in own]),
                    _moved(own),
                )
            )
        return found

    def _block(
        self, coordinates: list[tuple[float, float]], rows: range, columns: range
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Metres, seconds, and how far rows and columns were moved."""
        parameters = self._osrm.TableParameters(
            coordinates=coordinates,
            sources=list(rows),
            destinations=list(columns),
            annotations=["duration", "distance"],
            generate_hints=False,
        )
        answer = self._engine.Table(parameters)
        shape = (len(rows), len(columns))
        return (
            _numbers(answer["distances"], shape),
            _numbers(answer["durations"], shape),
            _moved(answer["sources"]),
            _moved(answer["destinations"]),
        )


def open_osrm(
    extract: Path,
    profile: str = "car",
    *,
    contracted: bool = False,
    changes: Changes | None = None,
) -> tuple[Osrm, Built]:
    """Open the engine of an extract, building it if need be; see `build`.

    Raises:
        CityError: the extract is missing, damaged or without streets.
        StorageError: the cache folder cannot be written.
    """
    built = build(extract, profile, contracted=contracted, changes=changes)
    try:
        return Osrm(built.base, contracted=contracted), built
    except CityError:
        built = build(extract, profile, contracted=contracted, afresh=True, changes=changes)
        return Osrm(built.base, contracted=contracted), built


def _nodes(route: Any) -> NDArray[np.int64]:
    """OpenStreetMap's nodes along all legs of a route."""
    nodes: list[int] = []
    for leg in route["legs"]:
        own = [int(node) for node in leg["annotation"]["nodes"]]
        # A leg begins on the segment on which the one before it ended.
        if own[:2] == nodes[-2:]:
            own = own[2:]
        elif own[:1] == nodes[-1:]:
            own = own[1:]
        nodes += own
    return np.array(nodes, dtype=np.int64)


def _pairs(points: Floats) -> list[tuple[float, float]]:
    return list(zip(points[:, 0].tolist(), points[:, 1].tolist(), strict=True))


def _moved(waypoints: Iterable[Any]) -> Floats:
    """How far OSRM moved each point of an answer."""
    return np.array([waypoint["distance"] for waypoint in waypoints])


def _numbers(table: Iterable[Iterable[Any]], shape: tuple[int, int]) -> Floats:
    """OSRM's nested values as an array; None, which marks an unreachable pair, becomes inf."""
    # numpy reads None as NaN.
    flat = np.fromiter(chain.from_iterable(table), dtype=np.float64, count=shape[0] * shape[1])
    flat[np.isnan(flat)] = np.inf
    return flat.reshape(shape)
