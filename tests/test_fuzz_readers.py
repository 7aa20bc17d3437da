"""Damaged files end in nco's own errors, whatever the reader."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SHARES = 4


@pytest.mark.parametrize("share", range(SHARES))
def test_two_thousand_damaged_files(tmp_path, monkeypatch, share):
    """Each is read, or refused by a typed error that quotes little (`benchmarks/fuzz_readers.py`).

    Time and memory are the benchmark's to measure, on a machine that does nothing else.
    """
    monkeypatch.syspath_prepend(BENCHMARKS)
    import fuzz_readers

    monkeypatch.setattr(fuzz_readers, "MOST_S", float("inf"))
    monkeypatch.setattr(fuzz_readers, "MOST_BYTES", float("inf"))
    numbers = iter(range(1_000_000 + share, 1_002_000, SHARES))
    found = fuzz_readers.outcomes(tmp_path / "files", 0, numbers)
    assert not [entry[:3] for entry in found if entry[2].startswith("!")]
