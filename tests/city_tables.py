"""Tables of a city without streets, for tests of training."""

from __future__ import annotations

from fake_city import FakeCity

from nco.training.tables import CityTable, build_table


def make_table(seed: int = 1, points: int = 60) -> CityTable:
    """A table of a city without streets."""
    whole = points * 2 // 3
    return build_table(
        FakeCity(), f"fake{seed}", whole=whole, boxed=points - whole, boxes=2, seed=seed
    )
