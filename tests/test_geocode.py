"""Addresses and named places, found in an extract."""

import time
from pathlib import Path

import numpy as np
import pytest
from extracts import STEP, osm_xml, town_xml
from hypothesis import given, settings
from hypothesis import strategies as st

from nco.data.cities.cache import cache_dir
from nco.data.cities.city import City
from nco.data.cities.geocode import index as indices
from nco.data.cities.geocode import words
from nco.data.cities.geocode.asking import extract_geocoder, find_all
from nco.data.cities.geocode.found import Address, Certainty
from nco.data.cities.geocode.index import build
from nco.data.cities.geocode.numbers import agreement, house, houses
from nco.data.cities.geocode.scan import scan
from nco.data.cities.geocode.search import ExtractGeocoder
from nco.data.cities.roads import haversine_m
from nco.errors import CityError, InputError


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> ExtractGeocoder:
    """The geocoder of a hand-made town."""
    path = tmp_path_factory.mktemp("town") / "town.osm"
    path.write_text(town_xml(), encoding="utf-8")
    return ExtractGeocoder(build(scan(path)), "neustadt")


def place(lon: float, lat: float) -> tuple[float, float]:
    """A place of the town by its coordinates there."""
    return 10 + lon * STEP, lat * STEP


@pytest.mark.parametrize(
    ("text", "word", "found", "where"),
    [
        ("Königstraße 1", "exact", "Königstraße 1, 12345 Neustadt an der Au", place(0.2, 0.1)),
        ("KOENIGSTR. 1", "exact", "Königstraße 1", place(0.2, 0.1)),
        ("König Straße 1, 12345 Neustadt", "exact", "Königstraße 1", place(0.2, 0.1)),
        ("konigstrasse 1 Neustadt an der Au", "exact", "Königstraße 1", place(0.2, 0.1)),
        ("Königstraße1 Neustadt", "exact", "Königstraße 1", place(0.2, 0.1)),
        ("Königstraße Nr. 1", "exact", "Königstraße 1", place(0.2, 0.1)),
        ("1 Königstraße", "exact", "Königstraße 1", place(0.2, 0.1)),
        ("Königstraße, 1", "exact", "Königstraße 1", place(0.2, 0.1)),
        ("ACME GmbH, Königstr. 1, D-12345 Neustadt", "exact", "Königstraße 1", place(0.2, 0.1)),
        ("Kungsgatan 1", "exact", "Königstraße 1", place(0.2, 0.1)),
        ("Königstraße 7", "exact", "Königstraße 5;7", place(1, 0.1)),
        ("Königstraße 1 b, Apt 5", "exact", "Königstraße 1,", place(0.2, 0.1)),
        ("Königstraße 40", "exact", "Königstraße 40a", place(9, 0.1)),
        ("Königstraße 31", "exact", "Königstraße 31", place(7.2, 1.1)),
        ("Königsstraße 1", "exact", "Königstraße 1", place(0.2, 0.1)),
        ("Hafenk. 10", "exact", "Hafenkatu 10", place(0.1, 1)),
        ("Hafenk 10", "exact", "Hafenkatu 10", place(0.1, 1)),
        ("Hafenkatu 14", "interpolated", "Hafenkatu 14", place(0.1, 1.8)),
        ("Königstraße 6", "interpolated", "Königstraße 6", place(1.35, -0.1)),
        ("Café Größe", "place", "Café Größe", place(5, 0.2)),
        ("Cafe Grosse, Neustadt", "place", "Café Größe", place(5, 0.2)),
        ("Saint Marys Ln", "street", "St. Mary's Lane", place(1, 4)),
    ],
)
def test_an_address_is_found_however_it_is_written(
    town: ExtractGeocoder, text: str, word: str, found: str, where: tuple[float, float]
) -> None:
    """Case, accents, abbreviations, order and what stands around make no difference."""
    answer = town.find(Address(text))
    assert (answer.word, answer.doubtful) == (word, False), answer
    assert answer.best is not None
    assert answer.best.label.startswith(found)
    assert float(haversine_m(np.array(answer.lonlat), np.array(where))) < 25


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Dorfstraße 5", "as likely is"),
        ("K-Laden", "as likely is"),
        ("Königstraße 1, Turku", "not on the map: turku"),
        ("Königstraße 1, 54321 Neustadt", "its postcode is 12345"),
        ("Königstraße", "1.2 km long"),
        ("Königstraße 5000", ""),
        ("Königstraße 50", "no number beyond 40a"),
        ("Neustadt an der Au", "place=town"),
        ("Konichstraße 1", "was asked"),
        ("Nowhere 3, Neustadt", "not used: Nowhere 3"),
    ],
)
def test_what_is_not_sure_is_doubtful(town: ExtractGeocoder, text: str, said: str) -> None:
    """Two places of one name, another town, a long street, a number that cannot be there."""
    answer = town.find(Address(text))
    assert answer.best is not None
    assert answer.word is Certainty.DOUBTFUL
    assert said in answer.best.how


def test_city_and_postcode_choose(town: ExtractGeocoder) -> None:
    """Of two streets of one name the one in the city or postcode that was given is meant."""
    in_town, in_village = place(2.1, 1), place(1, 100.05)
    assert town.find(Address("Dorfstr. 5", city="Altdorf")).lonlat == pytest.approx(in_village)
    assert town.find(Address("Dorfstr. 5", "12345")).lonlat == pytest.approx(in_town)
    assert town.find(Address("Dorfstr. 5, Neustadt")).lonlat == pytest.approx(in_town)
    wrong = town.find(Address("Königstraße 1", city="Altdorf"))
    assert wrong.doubtful
    assert "it is in Neustadt" in str(wrong)


def test_candidates_come_in_order(town: ExtractGeocoder) -> None:
    """The next candidates are there for a person to choose from, and no more than asked for."""
    answer = town.find(Address("Dorfstraße 5"), most=1)
    assert len(answer.others) == 1
    assert {"Neustadt" in answer.others[0].label, "Neustadt" in str(answer.best)} == {True, False}
    row = answer.row()
    assert row["word"] == "doubtful"
    assert row["others"][0]["found"] == answer.others[0].label


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "no address"), (" ,;", "no address"), ("x" * 1000, "longer"), ("Zzz 1", "no street")],
)
def test_nothing_is_found_for_a_reason(town: ExtractGeocoder, text: str, why: str) -> None:
    """What is no address, or of no street here, has no place and says why."""
    answer = town.find(Address(text))
    assert (answer.lonlat, answer.word, answer.sure) == (None, Certainty.NOTHING, 0)
    assert why in answer.why
    assert answer.row()["lon"] is None


@given(st.text(max_size=80), st.text(max_size=8), st.text(max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_text_has_an_answer(text: str, postcode: str, city: str) -> None:
    """Nothing that can be written raises or is surer than sure."""
    answer = GEOCODER.find(Address(text, postcode, city))
    assert all(0 < found.sure <= 1 for found in (answer.best, *answer.others) if found)


def _geocoder() -> ExtractGeocoder:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "town.osm"
        path.write_text(town_xml(), encoding="utf-8")
        return ExtractGeocoder(build(scan(path)))


GEOCODER = _geocoder()


@pytest.mark.parametrize(
    "text",
    [
        "a. " * 90,
        "1 " * 140,
        "Königstraße " * 25,
        "a" * 300,
        "5-" * 140,
        ", ".join(["Dorfstr 5"] * 30),
    ],
)
def test_long_questions_take_a_moment(town: ExtractGeocoder, text: str) -> None:
    """Texts made to be read in many ways are answered as soon as others."""
    began = time.process_time()
    town.find(Address(text[:300]))
    assert time.process_time() - began < 1


def test_keys_and_numbers() -> None:
    """Spellings of one name have one key; numbers agree as far as they do."""
    for a, b in (("Berliner Str.", "Berlinerstraße"), ("Main St", "main street"), ("Ærø", "aro")):
        assert words.joined(words.key(a)) == words.joined(words.key(b))
    assert words.key("16th Ave") != words.key("15th Ave")
    read = [house(text) for text in ("5a", "5 A", "5-9", "12/b", "x", "05")]
    assert [one.text if one else None for one in read] == ["5a", "5a", "5-9", "12b", None, None]
    five, range_ = houses("5")[0], houses("5-9")[0]
    assert agreement(five, five) == 1
    assert agreement(house("7"), range_) > agreement(house("6"), range_) == 0


def test_an_index_is_built_once_and_remade_if_damaged(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cached index is read without the extract being read again; a damaged one is built."""
    path = tmp_path / "town.osm"
    path.write_text(town_xml(), encoding="utf-8")
    first = indices.open_index(path)
    [kept] = (cache_dir() / "geocode").glob("*.npz")
    monkeypatch.setattr(indices, "scan", None)
    second = indices.open_index(path)
    assert (first.streets, first.numbers) == (second.streets, second.numbers)
    np.testing.assert_array_equal(first.line_lonlat, second.line_lonlat)
    monkeypatch.undo()
    monkeypatch.setenv("NCO_CACHE", str(cache))
    kept.write_bytes(kept.read_bytes()[:100])
    assert indices.open_index(path).numbers == first.numbers


def test_a_city_geocodes(cache: Path, tmp_path: Path) -> None:
    """A city finds texts and mappings, each with what is known of all of them."""
    path = tmp_path / "town.osm"
    path.write_text(town_xml(), encoding="utf-8")
    city = City.from_file(path)
    texts = city.geocode(["Dorfstr. 5", "Dorfstr. 5"], city="Altdorf")
    mapped = city.geocode([{"address": "Dorfstr. 5", "city": "Altdorf"}])
    assert texts[0] == texts[1] == mapped[0]
    assert city.covers([texts[0].lonlat]).all()
    with pytest.raises(InputError, match=r"addresses\[1\] is 7"):
        city.geocode(["Dorfstr. 5", 7])  # type: ignore[list-item]
    with pytest.raises(InputError, match="give a list"):
        city.geocode("Dorfstr. 5")
    path.unlink()
    with pytest.raises(CityError, match=r"which is gone; .* build the city again"):
        city.geocode(["Dorfstr. 5"])


def test_a_city_behind_a_server_says_what_to_do() -> None:
    """Without an extract there are no addresses, which is said."""
    with pytest.raises(CityError, match="Nominatim or Photon"):
        City.from_server("http://127.0.0.1:9").geocode(["Dorfstr. 5"])


def test_an_extract_without_addresses_says_so(tmp_path: Path) -> None:
    """Streets fetched without addresses are told from addresses that are not there."""
    path = tmp_path / "bare.osm"
    path.write_text(osm_xml({1: (10, 0), 2: (10.01, 0)}, [([1, 2], {"highway": "primary"})]))
    found = find_all(extract_geocoder(path, "bare"), ["Kaivokatu 1"])
    assert "no addresses, only streets" in found[0].why


def test_a_damaged_extract_is_refused(tmp_path: Path) -> None:
    """A truncated extract is named, with what to do."""
    path = tmp_path / "cut.osm"
    path.write_text(town_xml()[:900], encoding="utf-8")
    with pytest.raises(CityError, match=r"cut\.osm cannot be read"):
        scan(path)


def test_helsinki_finds_its_own_addresses(helsinki: City) -> None:
    """Every house of the built-in city is found by its street and number, where it stands."""
    assert helsinki.extract is not None
    index = indices.open_index(helsinki.extract)
    chosen = np.random.default_rng(1).choice(len(index.numbers), 150, replace=False)
    street = np.searchsorted(index.house_start, chosen, side="right") - 1
    asked = [f"{index.streets[s]} {index.numbers[h]}" for s, h in zip(street, chosen, strict=True)]
    found = helsinki.geocode(asked)
    off_m = haversine_m(np.array([one.lonlat for one in found]), index.house_lonlat[chosen])
    assert np.mean([one.word is Certainty.EXACT for one in found]) > 0.95
    assert np.mean(off_m < 150) > 0.95
    assert helsinki.geocode(["Mannerheimintie 5, 00100 Helsinki"])[0].sure == 1
