"""Neighbourhood search: remove some stops, insert them again, keep what annealing accepts."""
