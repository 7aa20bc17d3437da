"""Genetic search: seeds, a population that is kept good and different, crossover and education.

Two engines share one interface. HGS-CVRP's C++ engine takes plain capacity problems; for all
else PyVRP's C++ local search educates the children of our own population.
"""
