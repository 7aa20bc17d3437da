"""Planning through the day: a plan that is mended while vehicles drive it.

`day` knows what is asked and what vehicles have done of it, `places` the matrices, which grow;
`rest` makes an ordinary problem of what is left, `plan` whole routes of its solution, and
`planner` the object that holds all of them.
"""

from nco.planner.day import Call as Call
from nco.planner.places import Arcs as Arcs
from nco.planner.plan import Plan as Plan
from nco.planner.plan import WholeRoute as WholeRoute
from nco.planner.planner import Planner as Planner
