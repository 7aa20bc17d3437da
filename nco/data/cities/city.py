"""A city: its streets, the engine that routes on them, matrices, samples and geometry."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arguments import of_kind, path_of
from nco.arrays import Floats
from nco.data.cities.cache import content_hash
from nco.data.cities.engine import Engine, Matrices, StreetRoute, as_lonlat
from nco.data.cities.roads import StreetNetwork, read_roads
from nco.data.cities.snapping import (
    MAX_SNAP_M,
    NEAR_M,
    Asked,
    Rule,
    Snapping,
    checked_limit,
    size_km,
    with_refused,
)
from nco.errors import CityError, quoted
from nco.memory import require_matrices

if TYPE_CHECKING:
    from nco.data.cities.area import Area
    from nco.data.cities.geocode.found import Address, Geocoded
    from nco.data.cities.geocode.server import Geocoder
    from nco.data.cities.server import OsrmServer


CREDIT = "© OpenStreetMap contributors"
COPIES = 4  # of a matrix at a time: metres and seconds, and both without the points refused


class City:
    """Streets and an engine that routes on them. Make one with a `from_...` method.

    Attributes:
        name: what it is called in reports and on maps.
        profile: `car`, `bicycle` or `foot`.
        engine: answers tables, nearest streets and routes.
        extract: the OpenStreetMap extract, None for a city behind a server.
        max_snap_m: how far a point may be moved onto a street; farther away it is refused.

    Raises:
        CityError: `max_snap_m` is no positive number.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        profile: str = "car",
        *,
        extract: Path | None = None,
        network: Path | None = None,
        facts: dict[str, Any] | None = None,
        max_snap_m: float = MAX_SNAP_M,
    ) -> None:
        self.name = name
        self.profile = profile
        self.engine = engine
        self.extract = extract
        self._network = network
        self._facts = facts or {}
        self.max_snap_m = checked_limit(max_snap_m)
        self._known: dict[tuple[float, ...], float] = {}

    def __repr__(self) -> str:
        return f"City({quoted(self.name)}, profile={quoted(self.profile)})"

    @classmethod
    def from_file(
        cls,
        extract: str | Path,
        *,
        name: str | None = None,
        profile: str = "car",
        max_snap_m: float = MAX_SNAP_M,
    ) -> "City":
        """Open an OpenStreetMap extract; its engine is built once and cached.

        Args:
            extract: `.osm.pbf` or `.osm`.
            name: remember the extract under this name, so that `nco.city(name)` finds it.
            profile: `car`, `bicycle` or `foot`.
            max_snap_m: how far a point may be moved onto a street.

        Raises:
            CityError: the extract is missing, damaged or without streets.
            StorageError: the cache folder cannot be written.
        """
        from nco.data.cities.osrm import open_osrm

        extract = path_of(extract, "extract", CityError).absolute()
        engine, built = open_osrm(extract, profile)
        if name is not None:
            from nco.data.cities.places import remember

            remember(name, extract)
        title = name or extract.name.removesuffix(".pbf").removesuffix(".osm")
        return cls(
            title,
            engine,
            profile,
            extract=extract,
            network=built.base,
            facts=built.info,
            max_snap_m=max_snap_m,
        )

    @classmethod
    def from_place(
        cls, place: str, *, profile: str = "car", max_snap_m: float = MAX_SNAP_M
    ) -> "City":
        """Fetch the streets of a place from OpenStreetMap, once, and open them.

        Args:
            place: such as "Delft, Netherlands"; `nco.city(place)` finds it from then on.
            profile: `car`, `bicycle` or `foot`.
            max_snap_m: how far a point may be moved onto a street.

        Raises:
            CityError: there is no such place, it is too large, or it has no streets.
            ServiceError: a public service is down, too slow or answers nonsense.
            StorageError: the cache folder cannot be written.
        """
        from nco.data.cities.overpass import fetch

        return cls.from_file(fetch(place), name=place, profile=profile, max_snap_m=max_snap_m)

    @classmethod
    def from_server(
        cls,
        server: "str | OsrmServer",
        *,
        name: str | None = None,
        extract: str | Path | None = None,
        max_snap_m: float = MAX_SNAP_M,
    ) -> "City":
        """A city whose matrices and routes come from an OSRM server.

        Args:
            server: its address, or an `OsrmServer` with other options.
            name: what to call it; the address if left out.
            extract: the extract the server was built from, to sample and draw its streets and to
                know what they cover.
            max_snap_m: how far a point may be moved onto a street.

        Raises:
            CityError: the extract is unusable.
            StorageError: the cache folder cannot be written.
        """
        from nco.data.cities.server import OsrmServer

        engine = OsrmServer(server) if isinstance(server, str) else server
        of_kind(engine, OsrmServer, "server", "its address, or an OsrmServer", CityError)
        title = name or engine.url
        if extract is None:
            return cls(title, engine, engine.profile, max_snap_m=max_snap_m)
        from nco.data.cities.osrm_build import PROFILES, build

        extract = path_of(extract, "extract", CityError).absolute()
        # A server may call its profile anything, "driving" for one.
        profile = engine.profile if engine.profile in PROFILES else "car"
        built = build(extract, profile)
        return cls(
            title,
            engine,
            profile,
            extract=extract,
            network=built.base,
            facts=built.info,
            max_snap_m=max_snap_m,
        )

    def contracted(self, *, most_streets: float = math.inf) -> "City":
        """The same city with an engine that answers tables in a fraction of the time.

        Its contraction hierarchy is built once and cached: a moment for the middle of a city, half
        a minute for a region. Durations are the same; of two routes that are equally fast it may
        measure the other.

        Args:
            most_streets: leave a larger city as it is.

        Returns:
            A city; this very one where it is behind a server, or too large.

        Raises:
            CityError: the extract is gone.
            StorageError: the cache folder cannot be written.
        """
        from nco.data.cities.osrm import Osrm, open_osrm

        if self.extract is None or not isinstance(self.engine, Osrm):
            return self
        if self._facts["streets"] > most_streets:
            return self
        engine, built = open_osrm(self.extract, self.profile, contracted=True)
        city = City(
            self.name,
            engine,
            self.profile,
            extract=self.extract,
            network=built.base,
            facts=built.info,
            max_snap_m=self.max_snap_m,
        )
        city._known = self._known  # the streets are the same
        return city

    def with_profile(self, profile: str) -> "City":
        """The same city for another profile; its engine is built once and cached.

        Args:
            profile: `car`, `bicycle` or `foot`.

        Raises:
            CityError: it has no extract, or no street for that profile.
            StorageError: the cache folder cannot be written.
        """
        if self.extract is None:
            raise CityError(
                f"{self.name} has no extract here, only a server; open one for each profile"
            )
        other = City.from_file(self.extract, profile=profile, max_snap_m=self.max_snap_m)
        other.name = self.name
        return other

    def save(self, path: str | Path) -> Path:
        """Write the city with its extract into one file; the engine is rebuilt where it is loaded.

        Args:
            path: ends in `.city`.

        Raises:
            CityError: it has no extract, or the path another ending.
            StorageError: it cannot be written.
        """
        from nco.data.cities.city_file import pack

        if self.extract is None:
            raise CityError(f"{self.name} has no extract here, only a server; it cannot be saved")
        return pack(path, self.name, self.profile, self.extract)

    @classmethod
    def load(
        cls, path: str | Path, *, profile: str | None = None, max_snap_m: float = MAX_SNAP_M
    ) -> "City":
        """Open a saved city; its engine comes from the cache or is rebuilt.

        Args:
            path: what `save` wrote.
            profile: another profile than it was saved with.
            max_snap_m: how far a point may be moved onto a street.

        Raises:
            CityError: the file is missing, truncated or something else.
            StorageError: the cache folder cannot be written.
        """
        from nco.data.cities.city_file import unpack

        name, saved_profile, extract = unpack(path)
        city = cls.from_file(extract, profile=profile or saved_profile, max_snap_m=max_snap_m)
        city.name = name
        return city

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the connected street network, in degrees."""
        if "bbox" not in self._facts:
            raise CityError(
                f"{self.name} has no streets here, only a server; its extent is unknown"
            )
        west, south, east, north = self._facts["bbox"]
        return west, south, east, north

    @cached_property
    def roads(self) -> StreetNetwork:
        """The street network, read on first use."""
        if self._network is None:
            raise CityError(
                f"{self.name} has no streets here, only a server; "
                "open its extract with City.from_file to sample or draw it"
            )
        return read_roads(self._network)

    @cached_property
    def area(self) -> "Area":
        """What the extract covers, found on first use; see `nco.data.cities.area`.

        Raises:
            CityError: the city has no streets here.
        """
        from nco.data.cities.area import Area

        return Area.of(self.roads)

    def covers(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Which places the extract covers.

        A place is covered if it is no more than 250 m from a street of the extract, or if such
        places surround it, as they do a large park.

        Args:
            points: `[n, 2]` lonlat.

        Returns:
            `[n]`.

        Raises:
            CityError: a coordinate is no coordinate, or the city has no streets here.
        """
        lonlat = as_lonlat(points)
        _ = self.bbox  # says so where nothing is known of streets
        return self._covered(lonlat, self.engine.nearest(lonlat)[1])

    def matrix(
        self,
        points: ArrayLike,
        *,
        targets: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        optional: ArrayLike | None = None,
    ) -> Matrices:
        """Distances and durations of the fastest routes between points.

        A point stands for a place on the nearest street; where that street is cut off from the
        others, on the nearest one that is not. How far that is, the answer tells.

        Args:
            points: `[n, 2]` lonlat.
            targets: `[m, 2]` lonlat; the points themselves if left out.
            names: what error messages call the points.
            optional: `[n]`, which points may be refused without an error, if there are no targets:
                no route leads to or from them, and `refused` says why.

        Returns:
            Metres and seconds, `[n, n]` or `[n, m]`, directed, `inf` where no route leads.

        Raises:
            CityError: a coordinate is no coordinate, or a point is farther than `max_snap_m` from
                any street or outside of the area that is covered.
            InputError: the matrices do not fit into the memory.
        """
        snapping = self._snapping()
        sources = Asked.of(points, "points", names, optional if targets is None else None)
        rows = len(sources.lonlat)
        require_matrices(rows, rows if targets is None else len(as_lonlat(targets)), COPIES)
        away_m, refused = snapping.beside(sources)
        if targets is not None:
            aims = Asked.of(targets, "targets")
            aims_away_m, _ = snapping.beside(aims)
            table = self.engine.table(sources.lonlat, aims.lonlat)
            moved_m, _ = snapping.moved(sources, away_m, table.moved_m)
            targets_moved_m, _ = snapping.moved(aims, aims_away_m, table.targets_moved_m)
            return replace(table, moved_m=moved_m, targets_moved_m=targets_moved_m)
        kept = np.array([i not in refused for i in range(len(away_m))], dtype=bool)
        table = self.engine.table(sources.lonlat[kept])
        by_table_m = away_m.copy()
        if table.moved_m is not None:
            by_table_m[kept] = table.moved_m
        moved_m, cut_off = snapping.moved(sources, away_m, by_table_m)
        reasons = {i: snapping.rule.reason(why) for i, why in sorted((cut_off | refused).items())}
        distance_m, duration_s = with_refused(table, kept, list(reasons))
        return Matrices(distance_m, duration_s, moved_m, moved_m, reasons)

    def nearest(self, points: ArrayLike) -> tuple[Floats, Floats]:
        """The nearest place on a street `[n, 2]` and how far away it is, in metres `[n]`."""
        return self.engine.nearest(as_lonlat(points))

    def route(self, points: ArrayLike) -> StreetRoute:
        """The fastest route along the streets through points in their order.

        Raises:
            CityError: fewer than two points, a bad one, or no route between two of them.
        """
        snapping, asked = self._snapping(), Asked.of(points)
        away_m, _ = snapping.beside(asked)
        if len(away_m) < 2:
            raise CityError(f"a route needs two points or more, {len(away_m)} given")
        found = self.engine.route(asked.lonlat)
        return replace(found, moved_m=snapping.moved(asked, away_m, found.moved_m)[0])

    def geometry(self, points: ArrayLike) -> list[Floats]:
        """Street geometry of a route for maps: one polyline `[k, 2]` (lonlat) a leg."""
        return list(self.route(points).legs)

    def geocode(
        self,
        addresses: "Iterable[str | Address | Mapping[str, str]]",
        *,
        server: "Geocoder | str | None" = None,
        postcode: str = "",
        city: str = "",
        most: int = 5,
    ) -> "list[Geocoded]":
        """Find addresses and named places: of each the likeliest one, how sure that is, and others.

        Args:
            addresses: such as "Mannerheimintie 5, 00100 Helsinki", or mappings with `address`,
                `postcode` and `city`.
            server: of Nominatim or Photon; None looks into the extract, offline.
            postcode: of the addresses that have none of their own.
            city: likewise.
            most: how many further candidates to tell of each.

        Raises:
            CityError: the city has no extract here, and no server was given.
            InputError: something that is no address.
            ServiceError: the server is down, slow or answers nonsense.
            StorageError: the cache folder cannot be written.
        """
        from nco.data.cities.geocode.asking import find_all, geocoder_of

        bbox = self.bbox if "bbox" in self._facts else None
        geocoder = geocoder_of(self.name, self.extract, server, bbox)
        return find_all(geocoder, addresses, postcode=postcode, city=city, most=most)

    def streets(self) -> list[Floats]:
        """One polyline `[k, 2]` (lonlat) a street, for drawing."""
        return self.roads.streets()

    def sample(
        self,
        n: int,
        seed: int,
        how: str = "road",
        *,
        within_km: float | None = None,
        centre: ArrayLike | None = None,
        clusters: int = 3,
        spread_km: float | None = None,
    ) -> Floats:
        """Draw different points on the streets that all reach one another.

        Args:
            n: how many.
            seed: the same seed gives the same points.
            how: `road` (uniform along the length of the streets), `cluster` (denser around
                random centres) or `node` (junctions and street ends).
            within_km: draw all of them from a square of this side; None for the whole city.
            centre: lonlat of the square's middle; a random place on a street if left out.
            clusters: how many centres `cluster` draws.
            spread_km: the distance over which `cluster` falls off by a factor e; 4 % of the
                longer side of the square or the city if left out.

        Returns:
            `[n, 2]` lonlat, rounded to 1e-6 degrees.

        Raises:
            CityError: there is no room for so many, or an option is wrong.
        """
        from nco.data.cities.scatter import Scatter

        middle = None
        if centre is not None:
            middle = as_lonlat(np.atleast_2d(np.asarray(centre, dtype=np.float64)), "centre")[0]
        return Scatter(self.roads, self.engine).draw(
            n,
            seed,
            how,
            within_km=within_km,
            centre=middle,
            clusters=clusters,
            spread_km=spread_km,
        )

    def info(self) -> dict[str, Any]:
        """What is known of the city, ready for JSON."""
        facts: dict[str, Any] = {"name": self.name, "profile": self.profile, **self._facts}
        if "bbox" in facts:
            facts["size_km"] = [round(side, 3) for side in size_km(self.bbox)]
            facts["covered_km2"] = round(self.area.km2, 3)
        facts["max_snap_m"] = self.max_snap_m
        if self.extract is not None:
            facts["extract"] = str(self.extract)
            facts["extract_bytes"] = self.extract.stat().st_size
            facts["sha256"] = content_hash(self.extract)
        facts["credit"] = CREDIT
        return facts

    def _snapping(self) -> Snapping:
        """The rule, as name and limit are now."""
        rule = Rule(self.name, self.max_snap_m, self._facts.get("bbox"))
        return Snapping(rule, self.engine, self._covered, self._known)

    def _covered(self, lonlat: Floats, away_m: Floats) -> NDArray[np.bool_]:
        """`[n]`; everything is, where only a server knows the streets."""
        covered = np.asarray(away_m <= NEAR_M)
        far = np.flatnonzero(~covered)
        if len(far):
            covered[far] = True if self._network is None else self.area.holds(lonlat[far])
        return covered
