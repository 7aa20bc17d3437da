"""Passengers who travel on lines, one by one; docs/transit-simulator.md states the rules."""

from nco.transit.simulate.result import RewardWeights as RewardWeights
from nco.transit.simulate.result import Simulation as Simulation
from nco.transit.simulate.result import reward as reward
from nco.transit.simulate.settings import Settings as Settings
from nco.transit.simulate.simulation import Simulator as Simulator
from nco.transit.simulate.simulation import simulate as simulate

__all__ = ["RewardWeights", "Settings", "Simulation", "Simulator", "reward", "simulate"]
