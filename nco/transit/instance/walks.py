"""Ways on foot from places to stops: on the city's paths, or as the crow flies and a detour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.arrays import Floats
from nco.data.cities.roads import haversine_m

if TYPE_CHECKING:
    from nco.transit.instance.streets import SampledCity

WALK_DETOUR = 1.3  # ways on foot by distances as the crow flies, where paths are unknown


def metres_on_foot(
    places: Floats,
    stops: Floats,
    foot: SampledCity | None = None,
    detour: float = WALK_DETOUR,
) -> Floats:
    """`[P, N]` metres on foot from places to stops, there or back, whichever is less.

    Args:
        places: `[P, 2]` degrees.
        stops: `[N, 2]` degrees.
        foot: the city for people on foot; None takes `detour` times the crow's way.
        detour: see there.

    Returns:
        Metres; `inf` where no path leads, or none is near.
    """
    if foot is None:
        return np.asarray(detour * haversine_m(places[:, None], stops[None]))
    count = len(places)
    points = np.concatenate([places, stops])
    both = foot.matrix(points, optional=np.ones(len(points), dtype=bool)).distance_m
    return np.minimum(both[:count, count:], both[count:, :count].T)
