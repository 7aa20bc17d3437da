"""The timezone of a place on Earth."""

from __future__ import annotations

import numpy as np
from tzfpy import get_tz

from nco.arrays import Floats


def timezone_of(lonlat: Floats) -> str:
    """The name of the timezone in the middle of places, such as "Europe/Helsinki".

    Args:
        lonlat: `[N, 2]` degrees.
    """
    lon, lat = np.median(lonlat, axis=0).tolist()
    return str(get_tz(lon, lat))
