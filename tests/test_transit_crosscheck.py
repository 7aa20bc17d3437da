"""The passenger simulation against UXsim's buses and passengers in plain Python."""

import sys
from pathlib import Path

import numpy as np
import pytest
from test_transit_simulate import street

from nco.cli import main
from nco.errors import InputError, ProblemError
from nco.transit.files.native import save_instance
from nco.transit.instance.mandl import mandl
from nco.transit.simulate.crosscheck import crosscheck
from nco.transit.simulate.simulation import Settings

LINES = [[0, 1, 2, 5, 7, 9, 10, 11], [8, 14, 6, 9, 12], [4, 3, 5, 7, 9, 13]]
SHORT = {"horizon_s": 3600.0, "demand_s": (0.0, 2400.0)}


@pytest.fixture(autouse=True)
def uxsim() -> object:
    """UXsim, or no test."""
    return pytest.importorskip("uxsim")


@pytest.mark.parametrize(
    ("settings", "per_h"),
    [
        (Settings(demand_share=0.5, **SHORT), None),
        # Lines of the same headway would always come together, and who comes first is chance.
        (Settings(demand_share=0.3, dispatch="spread", layover_s=120.0, **SHORT), [17, 20, 23]),
        (Settings.alphatransit(0.5, **SHORT), None),
    ],
    ids=["timetable", "crowded", "alphatransit"],
)
def test_both_simulations_agree(settings: Settings, per_h: list[float] | None):
    """Without cars the same passengers are served, and wait and ride as long, to two per cent."""
    found = crosscheck(mandl(), LINES, settings, per_h=per_h)
    ours = found.ours
    assert found.arrived + found.riding + found.waiting + found.unserved == ours.generated
    assert found.unserved == ours.unserved
    assert found.arrived == pytest.approx(ours.arrived, rel=0.02)
    assert found.service_rate_of_all == pytest.approx(ours.service_rate_of_all, abs=0.01)
    assert found.mean_wait_s == pytest.approx(ours.mean_wait_s, rel=0.02)
    assert found.mean_ride_s == pytest.approx(ours.mean_ride_s, rel=0.02)
    assert found.drive_ratio == pytest.approx(1.0, abs=0.005)
    assert "service rate" in str(found)


def test_cars_hold_up_buses():
    """More cars than a lane takes come to the way of the only line: buses take longer there."""
    crowd = street({(0, 3): 1400.0, (1, 3): 1200.0})
    settings = Settings(
        demand_share=0.01, fixed_per_h=12.0, horizon_s=1800.0, demand_s=(0.0, 1200.0)
    )
    alone, among = (
        crosscheck(crowd, [[0, 1, 2, 3]], settings, cars=cars) for cars in (False, True)
    )
    assert (alone.cars, alone.drive_ratio) == (0, pytest.approx(1.0, abs=0.01))
    assert among.cars > 500
    assert among.drive_ratio > 1.1
    assert among.mean_ride_s > alone.mean_ride_s
    assert np.isfinite(list(among.facts().values())).all()


def test_dwell_that_uxsim_cannot_do():
    """A dwell that depends on passengers, or none, is refused by name."""
    for settings in (Settings(board_s=2.0), Settings(dwell_s=0.0)):
        with pytest.raises(ProblemError, match="dwell_s is"):
            crosscheck(mandl(), LINES, settings)


def test_uxsim_is_an_extra(monkeypatch: pytest.MonkeyPatch):
    """Without UXsim the error says what to install."""
    monkeypatch.setitem(sys.modules, "uxsim", None)
    with pytest.raises(InputError, match=r"nco-routing\[uxsim\]"):
        crosscheck(mandl(), LINES)


def test_evaluate_prints_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """`nco transit evaluate --uxsim` prints UXsim's numbers below ours."""
    save_instance(tmp_path / "street.json", street({(0, 3): 60.0}))
    (tmp_path / "lines.txt").write_text("0-1-2-3")
    arguments = ["transit", "evaluate", str(tmp_path / "street.json"), str(tmp_path / "lines.txt")]
    assert main([*arguments, "--demand-share", "0.5", "--uxsim", "--quiet"]) == 0
    assert "UXsim: service rate of all" in capsys.readouterr().out
