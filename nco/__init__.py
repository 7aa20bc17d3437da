"""Route planning on real cities: learned policies, exact checks, strong baselines.

```python
import nco

city = nco.city("helsinki")
problem = nco.sample.rcvrp(city, 50, seed=1)
solution = nco.solve(problem, "pyvrp", time_limit_s=1)
print(solution, nco.check(problem, solution))
```

Every public name is loaded on first use: `import nco` itself imports nothing heavy, not even
numpy, so that the command line answers at once.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nco._moved import forward

if TYPE_CHECKING:
    from nco import errors as errors
    from nco import plot as plot
    from nco.data.cities.city import City as City
    from nco.data.cities.geocode.server import GeocodeServer as GeocodeServer
    from nco.data.cities.places import city as city
    from nco.data.cities.server import OsrmServer as OsrmServer
    from nco.data.cities.table import TableCity as TableCity
    from nco.data.formats.registry import load as load
    from nco.data.formats.registry import save as save
    from nco.data.sampling import sample as sample
    from nco.planner import Planner as Planner
    from nco.problem import Break as Break
    from nco.problem import DifferentVehicles as DifferentVehicles
    from nco.problem import Feature as Feature
    from nco.problem import Group as Group
    from nco.problem import Objective as Objective
    from nco.problem import Precedence as Precedence
    from nco.problem import Problem as Problem
    from nco.problem import Profile as Profile
    from nco.problem import Rest as Rest
    from nco.problem import SameVehicle as SameVehicle
    from nco.problem import Sequence as Sequence
    from nco.problem import Shipment as Shipment
    from nco.problem import Vehicle as Vehicle
    from nco.problem.check import check as check
    from nco.problem.contradictions import contradictions as contradictions
    from nco.problem.route import Route as Route
    from nco.problem.solution import Solution as Solution
    from nco.problem.splitting import split as split
    from nco.search.policy.loaded import load_policy as load_policy
    from nco.sheets import write_sheets as write_sheets
    from nco.solve import methods as methods
    from nco.solve import register as register
    from nco.solve import solve as solve
    from nco.solve_many import solve_many as solve_many
    from nco.tradeoff import tradeoff as tradeoff
    from nco.transit.instance.transit_instance import TransitInstance as TransitInstance

__version__ = "0.1.0"

# Public name -> "module:attribute" that it stands for, or the module itself.
_PUBLIC = {
    "Break": "nco.problem:Break",
    "City": "nco.data.cities.city:City",
    "DifferentVehicles": "nco.problem:DifferentVehicles",
    "Feature": "nco.problem:Feature",
    "GeocodeServer": "nco.data.cities.geocode.server:GeocodeServer",
    "Group": "nco.problem:Group",
    "Objective": "nco.problem:Objective",
    "OsrmServer": "nco.data.cities.server:OsrmServer",
    "Planner": "nco.planner:Planner",
    "Precedence": "nco.problem:Precedence",
    "Problem": "nco.problem:Problem",
    "Profile": "nco.problem:Profile",
    "Rest": "nco.problem:Rest",
    "Route": "nco.problem.route:Route",
    "SameVehicle": "nco.problem:SameVehicle",
    "Sequence": "nco.problem:Sequence",
    "Shipment": "nco.problem:Shipment",
    "Solution": "nco.problem.solution:Solution",
    "TableCity": "nco.data.cities.table:TableCity",
    "TransitInstance": "nco.transit.instance.transit_instance:TransitInstance",
    "Vehicle": "nco.problem:Vehicle",
    "check": "nco.problem.check:check",
    "city": "nco.data.cities.places:city",
    "contradictions": "nco.problem.contradictions:contradictions",
    "errors": "nco.errors",
    "load": "nco.data.formats.registry:load",
    "load_policy": "nco.search.policy.loaded:load_policy",
    "methods": "nco.solve:methods",
    "plot": "nco.plot",
    "register": "nco.solve:register",
    "sample": "nco.data.sampling.sample",
    "save": "nco.data.formats.registry:save",
    "solve": "nco.solve:solve",
    "solve_many": "nco.solve_many:solve_many",
    "split": "nco.problem.splitting:split",
    "tradeoff": "nco.tradeoff:tradeoff",
    "write_sheets": "nco.sheets:write_sheets",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'nco' has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    value: Any = import_module(module)
    value = getattr(value, attribute) if attribute else value
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})


class _Package(ModuleType):
    """Keeps `nco.solve` and `nco.check` functions.

    Importing modules of those names makes Python bind them here as attributes of the package;
    the function inside is bound in their place.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and _PUBLIC.get(name) == f"{value.__name__}:{name}":
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
forward()
