"""Route planning on real cities: learned policies, exact checks, strong baselines.

```python
import nco

city = nco.city("helsinki")
problem = nco.sample.rcvrp(city, 50, seed=1)
solution = nco.solve(problem, "pyvrp", time_limit_s=1)
print(solution, nco.check(problem, solution))
```
"""

from importlib import import_module
from typing import Any

from nco import errors as errors
from nco.check import check as check
from nco.problem import Feature as Feature
from nco.problem import Objective as Objective
from nco.problem import Problem as Problem
from nco.problem import Profile as Profile
from nco.problem import Vehicle as Vehicle
from nco.route import Route as Route
from nco.solution import Solution as Solution
from nco.solve import methods as methods
from nco.solve import register as register
from nco.solve import solve as solve

__version__ = "0.1.0"

# Loaded on first use: they bring packages that take long to import.
_LAZY = {
    "City": "nco.data.city:City",
    "OsrmServer": "nco.data.server:OsrmServer",
    "TableCity": "nco.data.table:TableCity",
    "city": "nco.data.places:city",
    "load": "nco.data.formats:load",
    "load_policy": "nco.models.files:load_policy",
    "plot": "nco.plot",
    "sample": "nco.data.sample",
    "save": "nco.data.formats:save",
}

__all__ = [
    "City",
    "Feature",
    "Objective",
    "OsrmServer",
    "Problem",
    "Profile",
    "Route",
    "Solution",
    "TableCity",
    "Vehicle",
    "check",
    "city",
    "errors",
    "load",
    "load_policy",
    "methods",
    "plot",
    "register",
    "sample",
    "save",
    "solve",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'nco' has no attribute {name!r}")
    module, _, attribute = _LAZY[name].partition(":")
    value = import_module(module)
    value = getattr(value, attribute) if attribute else value
    globals()[name] = value
    return value
