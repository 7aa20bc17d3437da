"""OSRM's own alternatives, on the links of the graph."""

from __future__ import annotations

import numpy as np

from nco.data.cities.osrm import Osrm
from nco.errors import UnsupportedError
from nco.roads.several.ours import along
from nco.roads.several.query import Chosen, Query


def osrm(query: Query, chosen: Chosen) -> None:
    """Offers what the engine of the city gives, in its order.

    OSRM knows its own costs only. What uses links that are closed is refused.
    """
    engine = query.city.engine if query.city is not None else None
    if not isinstance(engine, Osrm):
        raise UnsupportedError(
            "method 'osrm' asks the engine of a city; give city=, one opened from an extract"
        )
    ends = np.array([query.source.lonlat, query.target.lonlat])
    for nodes in engine.alternatives(ends, query.k - 1):
        path = along(query.graph, nodes, query.source, query.target)
        if path is None:
            chosen.refused["begin, end or lead elsewhere on the map"] += 1
        else:
            chosen.offer_as_is(path)
