"""Figures and maps.

Functions take `ax` (None makes a new figure) and return the axes they drew on; none shows
anything. `map` makes the interactive map, `transit` and `fronts` draw bus lines.
"""

from nco.plot.alternatives_page import alternatives as alternatives
from nco.plot.figures import anytime as anytime
from nco.plot.figures import asymmetry as asymmetry
from nco.plot.figures import routes as routes
from nco.plot.figures import streets as streets
from nco.plot.page import map as map  # noqa: A004 -- the name that users know from other packages
from nco.plot.tradeoff_figure import tradeoff as tradeoff
from nco.plot.transit_figures import fronts as fronts
from nco.plot.transit_figures import transit as transit

__all__ = [
    "alternatives",
    "anytime",
    "asymmetry",
    "fronts",
    "map",
    "routes",
    "streets",
    "tradeoff",
    "transit",
]
