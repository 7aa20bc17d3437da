"""What a map shows below routes, from the extract itself: kinds, features, the sea, tiles."""

from nco.data.cities.base_map.features import Features as Features
from nco.data.cities.base_map.features import open_features as open_features
from nco.data.cities.base_map.tiles import EXTENT as EXTENT
from nco.data.cities.base_map.tiles import tile as tile

__all__ = ["EXTENT", "Features", "open_features", "tile"]
