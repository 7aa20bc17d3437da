"""The model of a fleet that solvers share: kinds, scales, costs, mending and insertion."""
