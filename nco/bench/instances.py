"""What a suite runs on.

An instance knows its `source`, plain data that it follows from and that names it on every machine
alike: no path of a folder is part of it. Its `group` is what its gaps are averaged with.
"""

from nco.bench.cities import Drawn
from nco.bench.stored import Stored

Instance = Drawn | Stored
