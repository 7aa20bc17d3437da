"""Writes a table of points in a square whose streets are straight lines, to train on.

    python -m benchmarks.plane_table runs/plane.npz

Problems of profiled vehicles are mostly drawn there, as the published ones are; see
`nco/training/configs/profiled.yaml`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from nco.training.tables import METRES_PER_DEGREE, CityTable

POINTS, SIDE_DEGREES, SPEED_M_S, SEED = 1000, 0.06, 10.0, 1


def plane() -> CityTable:
    """The table: at the equator, where a degree is as long in both directions."""
    lonlat = np.random.default_rng(SEED).uniform(0, SIDE_DEGREES, (POINTS, 2))
    xy_m = lonlat * METRES_PER_DEGREE
    distance_m = np.linalg.norm(xy_m[:, None] - xy_m[None], axis=-1).astype(np.float32)
    return CityTable("plane", lonlat, distance_m, distance_m / np.float32(SPEED_M_S), POINTS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    plane().save(parser.parse_args().path)
