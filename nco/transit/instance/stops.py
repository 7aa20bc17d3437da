"""Where stops go in a city: spread over its streets, or thinned out from given places."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arrays import Bools, Floats
from nco.data.cities.roads import haversine_m
from nco.errors import CityError
from nco.transit.instance.streets import SampledCity

# Candidates drawn for each stop; a city too small for so many is asked for fewer.
_CANDIDATES = (4, 2, 1)
# A place is good where the ways to the nearest others and back differ by less than this.
_LOOP_S = 30.0
_OTHERS = 10


def spread(lonlat: Floats, most: int, spacing_m: float = 0.0) -> NDArray[np.int64]:
    """Choose places far from one another: each next one is the farthest from those before.

    The first one is nearest to the middle. Gonzalez (1985) shows that no choice of so many covers
    the rest within less than half the distance that this one needs.

    Args:
        lonlat: `[n, 2]` degrees.
        most: how many at most.
        spacing_m: the least distance between two of them, as the crow flies.

    Returns:
        Their numbers in the order of choice.
    """
    chosen = [int(haversine_m(lonlat, np.median(lonlat, axis=0)).argmin())]
    gap_m = haversine_m(lonlat, lonlat[chosen[0]])
    while len(chosen) < min(most, len(lonlat)):
        far = int(gap_m.argmax())
        if gap_m[far] <= 0 or gap_m[far] < spacing_m:
            break
        chosen.append(far)
        gap_m = np.minimum(gap_m, haversine_m(lonlat, lonlat[far]))
    return np.array(chosen, dtype=np.int64)


def both_ways(duration_s: Floats) -> Bools:
    """Choose places that buses of both directions pass, half of them or more.

    On a one-way street or a divided road the way in one direction is a loop. Lines run both ways
    over the same stops, which in the street are a pair on its two sides; a single place stands
    for both where the times there and back are much alike.

    Args:
        duration_s: `[n, n]` seconds between all places.

    Returns:
        `[n]`, whether the way back from half of the nearest others differs by little.
    """
    n = len(duration_s)
    apart_s, differ_s = duration_s + duration_s.T, np.abs(duration_s - duration_s.T)
    near = np.argsort(apart_s, axis=1, kind="stable")[:, 1 : _OTHERS + 1]
    loop_s = np.median(differ_s[np.arange(n)[:, None], near], axis=1)
    return np.asarray(loop_s <= max(_LOOP_S, float(np.median(loop_s))))


def draw_stops(
    city: SampledCity,
    count: int,
    seed: int,
    *,
    spacing_m: float | None = None,
    within_km: float | None = None,
    centre: ArrayLike | None = None,
) -> Floats:
    """Draw stops on the streets of a city that all reach one another, mostly on two-way streets.

    Args:
        city: draws points on its streets.
        count: how many stops.
        seed: the same seed gives the same stops.
        spacing_m: the least distance between two of them; None for as far apart as they can be.
        within_km: all of them in a square of this side; None for the whole city.
        centre: lonlat of the square's middle.

    Returns:
        `[count, 2]` degrees.

    Raises:
        CityError: there is no room for so many.
    """
    if count < 2:
        raise CityError(f"{count} stops were asked for; a bus needs 2 or more")
    for factor in _CANDIDATES:
        try:
            places = city.sample(factor * count, seed, within_km=within_km, centre=centre)
            break
        except CityError:
            if factor == _CANDIDATES[-1]:
                raise
    good = both_ways(city.matrix(places).duration_s)
    if good.sum() >= count:
        places = places[good]
    chosen = spread(places, count, spacing_m or 0.0)
    if len(chosen) < count:
        raise CityError(
            f"only {len(chosen)} of {count} stops found room in {city.name} at a spacing of "
            f"{spacing_m or 0:g} m; ask for fewer, a smaller spacing_m or a larger within_km"
        )
    return np.asarray(places[chosen])
