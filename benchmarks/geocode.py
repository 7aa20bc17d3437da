"""What the geocoder finds of a city's own houses: as they are written, misspelt, and unknown.

    python benchmarks/geocode.py helsinki lauf.osm.pbf ...

For each city and kind of question, over houses drawn at random: how far off the answers that are
not doubtful are (median and 90 %, metres), the share of them that are farther off than 100 m
(wrong without a warning), the share that is doubtful, and milliseconds a question. Kinds:

- `as written`: street, number and town as the map has them.
- `typo`: a letter of the street is dropped, doubled, changed, or two are swapped.
- `unknown`: every house of that number is taken off the map first, so that its place follows from
  its neighbours.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from nco.data.cities.geocode.asking import geocoder_of
from nco.data.cities.geocode.found import Address
from nco.data.cities.geocode.index import Index, open_index
from nco.data.cities.geocode.search import ExtractGeocoder
from nco.data.cities.places import city
from nco.data.cities.roads import haversine_m

WRONG_M = 100.0
KINDS = ("as written", "typo", "unknown")


def main() -> None:
    """Measure and print a line a city and kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cities", nargs="+", help="names, or paths of extracts")
    parser.add_argument("--count", type=int, default=200, help="houses of each city (200)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"{'city':<22}{'kind':<12}{'n':>5}{'median m':>10}{'90 % m':>8}{'wrong %':>9}"
          f"{'doubtful %':>12}{'ms':>7}")  # fmt: skip
    for name in arguments.cities:
        opened = city(name)
        assert opened.extract is not None
        index = open_index(opened.extract)
        rng = np.random.default_rng(arguments.seed)
        count = min(arguments.count, len(index.numbers))
        chosen = rng.choice(len(index.numbers), count, replace=False).tolist()
        geocoder = geocoder_of(opened.name, opened.extract)
        for kind in KINDS:
            off_m, doubtful, spent_s = [], 0, 0.0
            for h in chosen:
                asked = _question(index, h, kind, rng)
                one = geocoder
                if kind == "unknown":
                    one = ExtractGeocoder(_without(index, h), opened.name)
                began = time.perf_counter()
                found = one.find(asked)
                spent_s += time.perf_counter() - began
                if found.doubtful or found.lonlat is None:
                    doubtful += 1
                else:
                    there = index.house_lonlat[h]
                    off_m.append(float(haversine_m(np.array(found.lonlat), there)))
            median, most = np.percentile(off_m, [50, 90]) if off_m else (np.nan, np.nan)
            wrong = np.mean(np.array(off_m) > WRONG_M) if off_m else 0.0
            print(f"{opened.name[:21]:<22}{kind:<12}{count:>5}{median:>10.0f}{most:>8.0f}"
                  f"{100 * wrong:>9.1f}{100 * doubtful / count:>12.1f}"
                  f"{1000 * spent_s / count:>7.1f}", flush=True)  # fmt: skip


def _question(index: Index, h: int, kind: str, rng: np.random.Generator) -> Address:
    street = index.streets[int(np.searchsorted(index.house_start, h, side="right")) - 1]
    if kind == "typo":
        street = _misspelt(street, rng)
    town = int(index.house_town[h])
    return Address(f"{street} {index.numbers[h]}", "", index.towns[town] if town >= 0 else "")


def _misspelt(text: str, rng: np.random.Generator) -> str:
    k = int(rng.integers(1, max(2, len(text) - 1)))
    letter = "abcdefghijklmnopqrstuvwxyz"[int(rng.integers(26))]
    kinds = (
        text[:k] + text[k + 1 :],
        text[:k] + text[k : k + 1] + text[k:],
        text[:k] + letter + text[k + 1 :],
        text[:k] + text[k + 1 : k + 2] + text[k : k + 1] + text[k + 2 :],
    )
    return kinds[int(rng.integers(len(kinds)))]


def _without(index: Index, h: int) -> Index:
    """An index without the houses of one number of one street."""
    s = int(np.searchsorted(index.house_start, h, side="right")) - 1
    rows = range(index.house_start[s], index.house_start[s + 1])
    numbers = list(index.numbers)
    for k in rows:
        if numbers[k] == index.numbers[h]:
            numbers[k] = ""
    return replace(index, numbers=numbers)


if __name__ == "__main__":
    main()
