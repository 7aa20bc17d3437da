"""Problems in other words: features that a solver lacks are said by features that it has.

A reduction is a function from a problem to one that asks for the same of routes and charges the
same for them, without one feature. It gives None where that cannot be said exactly. Nodes keep
their order; where depots are added, stops move back by as many places.
"""
