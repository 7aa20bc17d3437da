"""A city: its streets, the engine that routes on them, matrices, samples and geometry."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from nco.arguments import of_kind, path_of
from nco.arrays import Floats
from nco.data.cities.cache import content_hash
from nco.data.cities.engine import as_lonlat
from nco.data.cities.routed import Routed
from nco.data.cities.snapping import MAX_SNAP_M, size_km
from nco.errors import CityError, quoted

if TYPE_CHECKING:
    from nco.data.cities.geocode.found import Address, Geocoded
    from nco.data.cities.geocode.server import Geocoder
    from nco.data.cities.server import OsrmServer
    from nco.roads.several import Several


CREDIT = "© OpenStreetMap contributors"


class City(Routed):
    """Streets and an engine that routes on them. Make one with a `from_...` method.

    Attributes:
        name: what it is called in reports and on maps.
        profile: `car`, `bicycle` or `foot`.
        engine: answers tables, nearest streets and routes.
        extract: the OpenStreetMap extract, None for a city behind a server.
        max_snap_m: how far a point may be moved onto a street; farther away it is refused.
        changes: what differs from the streets of the extract, of a variant; else None.

    Raises:
        CityError: `max_snap_m` is no positive number.
    """

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
    ) -> City:
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
    ) -> City:
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
        server: str | OsrmServer,
        *,
        name: str | None = None,
        extract: str | Path | None = None,
        max_snap_m: float = MAX_SNAP_M,
    ) -> City:
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

    def contracted(self, *, most_streets: float = math.inf) -> City:
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
        engine, built = open_osrm(self.extract, self.profile, contracted=True, changes=self.changes)
        city = City(
            self.name,
            engine,
            self.profile,
            extract=self.extract,
            network=built.base,
            facts=built.info,
            max_snap_m=self.max_snap_m,
            changes=self.changes,
        )
        city._known = self._known  # the streets are the same
        return city

    def variant(
        self,
        name: str | None = None,
        *,
        closed: Any = (),
        classes: Sequence[str] = (),
        streets: Sequence[str] = (),
        speeds: float | Mapping[str, float] = 1.0,
        costs: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
    ) -> City:
        """The same city with streets closed, or faster or slower, for its profile.

        OSRM customises the engine of the extract with other speeds, once for the same changes:
        what is the same for all variants is built with the first one, and each takes the last step
        alone. No route leads to, from or through what is closed, nor is a point of a closed area
        moved out of it. Streets open in one direction stay so. A variant of a variant has the
        changes of both.

        Args:
            name: of the variant; the city's own if left out.
            closed: areas that may not be entered: corners `[k, 2]` (lonlat) of one, a polygon of
                shapely or GeoJSON, or several of them.
            classes: roads that are closed by their class, the tag `highway` of OpenStreetMap, such
                as "motorway".
            streets: that are closed, by their names.
            speeds: how many times as fast streets are: one number, or one a class.
            costs: `(tail, head, seconds)`, `[k]` each: how long single edges take, by the nodes of
                `city.roads.edges()`; `inf` closes. OSRM counts tenths of a second, one at least.

        Raises:
            CityError: the city has no extract; there is no such street, class or edge; or nothing
                differs, or nothing is left.
            StorageError: the cache folder cannot be written.
        """
        from nco.data.cities.changes import Asked
        from nco.data.cities.links import read_node_ids
        from nco.data.cities.osrm import Osrm, open_osrm
        from nco.data.cities.ways import read_ways

        if self.extract is None or self._network is None or not isinstance(self.engine, Osrm):
            raise CityError(
                f"{self.name} has no engine of its own here; open its extract with City.from_file"
            )
        asked = Asked(closed, classes, streets, speeds, costs)
        ids = read_node_ids(self._network)
        changes = asked.on(self.name, self.roads, ids, read_ways(self.extract)).over(self.changes)
        engine, built = open_osrm(self.extract, self.profile, changes=changes)
        return City(
            self.name if name is None else name,
            engine,
            self.profile,
            extract=self.extract,
            network=built.base,
            facts=built.info,
            max_snap_m=self.max_snap_m,
            changes=changes,
        )

    def with_profile(self, profile: str) -> City:
        """The streets of the extract for another profile; its engine is built once and cached.

        Changes of a variant are of its own profile, and are not taken over.

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
            CityError: it has no extract, it is a variant, or the path has another ending.
            StorageError: it cannot be written.
        """
        from nco.data.cities.city_file import pack

        if self.extract is None:
            raise CityError(f"{self.name} has no extract here, only a server; it cannot be saved")
        if self.changes is not None:
            raise CityError(
                f"{self.name} is a variant; save the city itself, and make the variant where it is "
                "loaded"
            )
        return pack(path, self.name, self.profile, self.extract)

    @classmethod
    def load(
        cls, path: str | Path, *, profile: str | None = None, max_snap_m: float = MAX_SNAP_M
    ) -> City:
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

    def geocode(
        self,
        addresses: Iterable[str | Address | Mapping[str, str]],
        *,
        server: Geocoder | str | None = None,
        postcode: str = "",
        city: str = "",
        most: int = 5,
    ) -> list[Geocoded]:
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

    def paths(
        self,
        a: Any,
        b: Any,
        k: int = 3,
        *,
        method: str = "plateau",
        avoid: Any = (),
        prefer: Any = (),
        through: Sequence[Any] = (),
        **options: Any,
    ) -> Several:
        """Several good paths from A to B; the first is the fastest unless the method says other.

        Args:
            a: lon, lat in degrees, or an address.
            b: likewise.
            k: how many; there may be fewer, and `why_fewer` of the answer says why.
            method: `plateau`, `penalty`, `via` and so on, see `nco.roads.several.METHODS`.
            avoid: motorways, main roads, tolls, ferries, tunnels, bridges, the name of a street, or
                an area (corners `[k, 2]`, a polygon of shapely or GeoJSON); one or a list of them.
                No path uses any of it.
            prefer: the same words; costs half.
            through: places in between that all paths pass.
            **options: `limits` and `costs` of `nco.roads.paths`.

        Raises:
            InputError: a place, a word or a number is wrong, or A and B are the same.
            CityError: a place is not near any street, or the city has no extract here.
            NoPathError: no path leads from A to B; the message says what binds.
            StorageError: the cache folder cannot be written.
        """
        # Roads are built on cities, so that their module is looked up and not imported.
        ask = import_module("nco.roads.several.cities").city_paths
        found: Several = ask(
            self, a, b, k, method=method, avoid=avoid, prefer=prefer, through=through, **options
        )
        return found

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
