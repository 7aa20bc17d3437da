"""Archives that lie about their sizes, JSON that is too deep, and what messages quote."""

import gzip
import pickle
import time
import zipfile
import zlib

import numpy as np
import pytest

from nco.archives import BrokenArchiveError, gunzip, inflate, read_members, read_npy, read_npz
from nco.data.cities.city import City
from nco.data.cities.server import OsrmServer
from nco.data.cities.table import TableCity
from nco.data.formats.json_file import read_json
from nco.errors import (
    MOST_QUOTED,
    CityError,
    FormatError,
    PolicyError,
    ServiceError,
    listed,
    quoted,
    shortened,
)
from nco.json_text import parse_json
from nco.models.files import read_policy
from nco.training.labels import read_labels
from nco.training.tables import load_table
from nco.transit.policy.files import load_network
from nco.transit.sources.gtfs_stops import read_gtfs_stops


def zipped(path, members, method=zipfile.ZIP_DEFLATED):
    """A zip file of some members."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(scope="module")
def bomb(tmp_path_factory):
    """Little that unpacks to half a gigabyte, under names that readers ask for."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.zip"
    names = ("stops.txt", "city.json", "about.npy", "lonlat.npy")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in names:
            with archive.open(name, "w") as member:
                for _ in range(130):
                    member.write(bytes(1 << 20))
    return path


@pytest.mark.parametrize(
    ("read", "error", "ending"),
    [
        (read_gtfs_stops, FormatError, ".zip"),
        (City.load, CityError, ".city"),
        (TableCity.load, CityError, ".npz"),
        (TableCity.from_rrnco, CityError, ".npz"),
        (load_table, FormatError, ".npz"),
        (lambda path: read_labels(path, {}), FormatError, ".npz"),
        (read_policy, PolicyError, ".ckpt"),
        (load_network, PolicyError, ".ckpt"),
    ],
)
def test_bombs_are_refused_by_what_they_claim(bomb, tmp_path, read, error, ending):
    """Nothing is unpacked of what would fill the memory."""
    path = tmp_path / f"bomb{ending}"
    path.symlink_to(bomb)
    began = time.process_time()
    with pytest.raises(error, match="would unpack from"):
        read(path)
    assert time.process_time() - began < 2


def npy(head, body=b""):
    """An array's file with any header."""
    raw = head.encode()
    return b"\x93NUMPY\x01\x00" + len(raw).to_bytes(2, "little") + raw + body


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (200000000000,)}\n"), "claims"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}\n"), "claims to be"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n", b"x"), "not plain"),
        (npy("{'descr': '|V0', 'fortran_order': False, 'shape': (9,)}\n"), "not plain numbers"),
        (npy("(" * 5000), "is no array"),
        (npy("'''"), "is no array"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0,)*0}\n"), "is no array"),
        (b"text", "is no array"),
        (b"", "is no array"),
    ],
)
def test_arrays_that_are_none(tmp_path, content, message):
    """A header is checked against what is there before an array is made."""
    with pytest.raises(BrokenArchiveError, match=message):
        read_npz(zipped(tmp_path / "a.npz", {"a.npy": content}))


def test_arrays_come_back(tmp_path):
    """Shapes, orders and types of numpy's own files are read as they were written."""
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
        "empty": np.zeros((0, 2), np.float32),
        "name": np.array("Käpylä"),
        "one": np.array(3),
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    back = read_npz(tmp_path / "a.npz")
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
    back["a"][0, 0] = 7  # is its own


def test_member_longer_than_it_says(tmp_path):
    """A member that claims little and unpacks to much is not unpacked beyond its claim."""
    raw = bytearray(zipped(tmp_path / "a.zip", {"x": bytes(1 << 20)}).read_bytes())
    at = raw.index(b"PK\x01\x02") + 24
    raw[at : at + 4] = (100).to_bytes(4, "little")
    (tmp_path / "b.zip").write_bytes(raw)
    with pytest.raises(BrokenArchiveError):
        read_members(tmp_path / "b.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(tmp_path, method):
    """Only what zip files mostly are is unpacked; others may ask for any memory."""
    with pytest.raises(BrokenArchiveError, match="packed otherwise"):
        read_members(zipped(tmp_path / "a.zip", {"x": b"1"}, method))


def test_inflating_checks_the_size():
    """Too much, too little, and a size out of all proportion are refused."""
    raw = zlib.compress(bytes(800))
    assert inflate(raw, 800) == bytes(800)
    for size in (799, 801, 1 << 40):
        with pytest.raises(BrokenArchiveError):
            inflate(raw, size)


@pytest.mark.parametrize("opened", ["[", '{"a":', '[{"a":'])
def test_deep_nesting_is_refused(tmp_path, opened):
    """Ten megabytes of brackets are a sentence, from a file and from a server."""
    text = opened * (10**7 // len(opened))
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(text)
    path = tmp_path / "deep.json"
    path.write_text(text)
    with pytest.raises(FormatError, match="nested too deeply"):
        read_json(path)


def test_deep_answer_of_a_server(monkeypatch):
    """A server that answers brackets is a ServiceError."""
    server = OsrmServer("http://127.0.0.1:1")
    monkeypatch.setattr(server, "_ask", lambda url: (200, b"[" * 10**7))
    with pytest.raises(ServiceError, match="is it an OSRM server"):
        server.nearest(np.zeros((1, 2)))


GIVEN = {
    "text": "x" * 10**6,
    "number": 10**5000,
    "texts": ["y" * 500] * 10**5,
    "key": {"k" * 10**5: 1},
    "bytes": b"z" * 10**6,
    "array": np.zeros(10**6),
}


@pytest.mark.parametrize("value", GIVEN.values(), ids=GIVEN)
def test_messages_quote_little(value):
    """However much was given, a message shows 200 characters of it, and both ends of a text."""
    assert len(quoted(value)) <= MOST_QUOTED
    assert len(listed([shortened("n" * 500)] * 5)) <= MOST_QUOTED
    assert quoted("short") == "'short'"
    assert shortened("a" * 500 + "b").endswith("b")


def test_quoting_what_is_nested_too_deeply():
    """No recursion error comes of an error message."""
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert quoted(deep) == "[[[[...]]]]"
    while deep:  # Python itself would recurse to free it
        deep = deep.pop()


def test_pickles_are_not_opened(tmp_path):
    """A pickled file that is given as a network or policy is refused by name."""
    path = tmp_path / "p.ckpt"
    path.write_bytes(pickle.dumps({"state_dict": {}}))
    for read in (read_policy, load_network):
        with pytest.raises(PolicyError, match="pickled files are not opened"):
            read(path)


def test_gzip_files_are_read_or_refused(tmp_path):
    """What is packed comes back; a cut one, one that is none, and one that fills the memory not."""
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"abc"))
    assert gunzip(path) == b"abc"
    for raw in (gzip.compress(b"abc" * 100)[:-9], b"abc", gzip.compress(bytes(130 << 20), 1)):
        path.write_bytes(raw)
        with pytest.raises(BrokenArchiveError):
            gunzip(path)


def test_single_arrays_are_read_or_refused(tmp_path):
    """A header that claims more than there is, or is Python, gets nowhere."""
    path = tmp_path / "x.npy"
    np.save(path, np.arange(3))
    assert read_npy(path).tolist() == [0, 1, 2]
    whole = path.read_bytes()
    for raw in (whole.replace(b"(3,)", b"(9,)"), whole.replace(b"(3,)", b"((((")):
        path.write_bytes(raw)
        with pytest.raises(BrokenArchiveError):
            read_npy(path)
