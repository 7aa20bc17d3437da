"""What is to be solved, what an answer is, what it costs, and whether that is true.

`problem`, `vehicle` and `objective` state it; `solution` and `route` answer it; `evaluate` and
`schedule` say what the answer costs and when, `reasons` why a stop is left out. `check` judges
all of it and shares no code with them.
"""

from nco.problem.objective import Feature as Feature
from nco.problem.objective import Objective as Objective
from nco.problem.problem import Problem as Problem
from nco.problem.tied import DifferentVehicles as DifferentVehicles
from nco.problem.tied import Precedence as Precedence
from nco.problem.tied import SameVehicle as SameVehicle
from nco.problem.tied import Sequence as Sequence
from nco.problem.ties import Group as Group
from nco.problem.ties import Shipment as Shipment
from nco.problem.vehicle import Profile as Profile
from nco.problem.vehicle import Vehicle as Vehicle
from nco.problem.work_rules import Break as Break
from nco.problem.work_rules import Rest as Rest

__all__ = [
    "Break",
    "DifferentVehicles",
    "Feature",
    "Group",
    "Objective",
    "Precedence",
    "Problem",
    "Profile",
    "Rest",
    "SameVehicle",
    "Sequence",
    "Shipment",
    "Vehicle",
]
