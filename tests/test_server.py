"""An OSRM server over HTTP: a real one on loopback, and ones that misbehave."""

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from loopback import Answer, loopback

from nco.data.cities.city import City
from nco.data.cities.osrm_build import build
from nco.data.cities.server import OsrmServer
from nco.data.cities.web import Ask
from nco.errors import CityError, ServiceError

POINTS = np.array([[24.94, 60.17], [24.945, 60.171]])


@pytest.fixture(scope="module")
def routed(helsinki: City) -> Iterator[str]:
    """The wheel's own `osrm-routed` with the built-in city; refuses tables above 20 points."""
    import osrm

    tool = Path(osrm.__file__).parent / "bin" / "osrm-routed"
    if not tool.is_file():
        pytest.skip("this build of osrm-bindings has no osrm-routed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert helsinki.extract is not None
    base = build(helsinki.extract).base
    options = ["-a", "mld", "-i", "127.0.0.1", "-p", str(port), "-t", "1", "-l", "ERROR"]
    process = subprocess.Popen([tool, *options, "--max-table-size", "20", base])
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def test_table_in_blocks(routed: str, helsinki: City) -> None:
    """A table larger than the server allows is the in-process one, square or not."""
    points = helsinki.sample(47, seed=1)
    remote = City.from_server(OsrmServer(routed, max_table=20))
    here, there = helsinki.matrix(points), remote.matrix(points)
    assert (here.distance_m == there.distance_m).all()
    assert (here.duration_s == there.duration_s).all()
    assert remote.matrix(points[:1]).duration_s.tolist() == [[0.0]]
    part = remote.matrix(points[:3], targets=points[3:])
    assert (part.duration_s == here.duration_s[:3, 3:]).all()


def test_table_finds_the_servers_limit(routed: str, helsinki: City) -> None:
    """Told that a table is too big, the client halves its blocks until it is not."""
    points = helsinki.sample(47, seed=1)
    server = OsrmServer(routed, max_table=100)
    assert (server.table(points).duration_s == helsinki.matrix(points).duration_s).all()
    assert server.max_table < 100


def test_route_and_nearest(routed: str, helsinki: City) -> None:
    """The server's legs and snapped places are those of the engine in process."""
    remote = City.from_server(routed, name="helsinki by wire")
    points = np.concatenate([helsinki.sample(11, seed=2), helsinki.sample(1, seed=3)] * 10)
    here, there = helsinki.route(points), remote.route(points)
    assert there.distance_m == pytest.approx(here.distance_m, abs=0.11)
    assert there.duration_s == pytest.approx(here.duration_s, abs=0.11)
    for ours, theirs in zip(here.legs, there.legs, strict=True):
        # Steps round to 1e-5 degrees what the whole geometry gives in full.
        assert ours[[0, -1]] == pytest.approx(theirs[[0, -1]], abs=2e-5)
        assert len(theirs) >= 2
    assert remote.nearest(points)[0] == pytest.approx(helsinki.nearest(points)[0], abs=1e-6)


def test_city_behind_a_server_can_have_streets(routed: str, helsinki: City) -> None:
    """With its extract it samples and draws; without, it says what is missing."""
    remote = City.from_server(OsrmServer(routed, "driving"), extract=helsinki.extract)
    points = remote.sample(5, seed=1)
    assert (points == helsinki.sample(5, seed=1)).all()
    assert remote.bbox == helsinki.bbox
    bare = City.from_server(routed)
    for act in (lambda: bare.sample(2, 0), lambda: bare.bbox, lambda: bare.save("x.city")):
        with pytest.raises(CityError, match="only a server"):
            act()
    assert bare.info()["name"] == routed


def test_point_far_away(routed: str) -> None:
    """Points are checked as on a city in process."""
    with pytest.raises(CityError, match="swap"):
        City.from_server(routed).matrix([[60.17, 24.94]])


def test_server_that_is_down() -> None:
    """A refused connection is retried, then said plainly."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ServiceError, match=r"cannot be reached .*\(3 tries\)"):
        OsrmServer(url, retries=2, pause_s=0.01).table(POINTS)


def test_server_that_is_slow() -> None:
    """No answer within the time-out ends the wait."""
    release = threading.Event()

    def slow(path: str, body: bytes, before: int) -> Answer:
        release.wait(5)
        return 200, b"{}"

    with loopback(slow) as url:
        started = time.perf_counter()
        with pytest.raises(ServiceError, match=r"within 0.2 s"):
            OsrmServer(url, timeout_s=0.2, retries=0).table(POINTS)
        assert time.perf_counter() - started < 2
        release.set()


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    ],
    ids=["body", "headers"],
)
def test_server_that_drips(first: bytes, drop: bytes) -> None:
    """Bytes that keep trickling do not keep the client for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(first)
                while not stop.wait(0.02):
                    try:
                        connection.sendall(drop)
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        server = OsrmServer(
            f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.4, retries=0
        )
        with pytest.raises(ServiceError, match=r"within 0.4 s"):
            server.table(POINTS)
        stop.set()
        thread.join(5)


def test_redirects_lead_to_the_web_only() -> None:
    """A server may say that something has moved, but not to a file, nor to FTP."""
    for target, expected in (
        ("/other", "Ok"),
        ("ftp://127.0.0.1:1/x", None),
        ("file:///etc", None),
    ):
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def answer(listener: socket.socket = listener, target: str = target) -> None:
                for reply in (
                    f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOk",
                ):
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(4096)
                        connection.sendall(reply.encode())

            threading.Thread(target=answer, daemon=True).start()
            ask = Ask(timeout_s=1, retries=0)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            if expected is not None:
                assert ask(url) == (200, expected.encode())
                continue
            try:
                assert ask(url)[0] == 302
            except ServiceError as error:
                assert "ftp" in str(error)


@pytest.mark.parametrize("status", [429, 503])
def test_busy_server_is_asked_again(status: int) -> None:
    """Too many requests, or a hiccup, then the answer."""
    table = {"code": "Ok", "distances": [[0, 7], [8, 0]], "durations": [[0, None], [-1, 0]]}

    def busy(path: str, body: bytes, before: int) -> Answer:
        return (status, b"wait") if before < 2 else (200, json.dumps(table).encode())

    with loopback(busy) as url:
        found = OsrmServer(url, pause_s=0.01).table(POINTS)
    assert found.distance_m.tolist() == [[0, np.inf], [8, 0]]
    assert found.duration_s.tolist() == [[0, np.inf], [0, 0]]


@pytest.mark.parametrize(
    ("status", "reply", "message"),
    [
        (200, b"<html>hello</html>", "not JSON"),
        (200, b"[1, 2]", "JSON list"),
        (200, b"{}", "refused"),
        (200, b'{"code": "Ok"}', "without 'distances'"),
        (200, b'{"code": "Ok", "distances": [[0]], "durations": [[0]]}', r"shape \[1, 1\]"),
        (200, b'{"code": "Ok", "distances": [[0, 1], [2]], "durations": []}', "not numbers"),
        (200, b'{"code": "Ok", "distances": [[0, -99], [2, 0]], "durations": [[0]]}', "negative"),
        (400, b'{"code": "InvalidUrl", "message": "no"}', "InvalidUrl: no"),
        (400, b'{"code": "TooBig", "message": "no"}', "too big"),
        (404, b"nothing here", "status 404"),
        (200, b"\xff\xfe\x00", "not JSON"),
    ],
)
def test_server_that_answers_nonsense(status: int, reply: bytes, message: str) -> None:
    """Whatever is wrong with the answer, the error says so and names the server."""
    with loopback(lambda path, body, before: (status, reply)) as url:
        with pytest.raises(ServiceError, match=message) as caught:
            OsrmServer(url, retries=0).table(POINTS)
        assert url in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        b'{"code": "Ok", "waypoints": []}',
        b'{"code": "Ok", "waypoints": [3]}',
        b'{"code": "Ok", "waypoints": [{"location": [1], "distance": 2}]}',
        b'{"code": "Ok", "waypoints": [{"distance": 2}]}',
        b'{"code": "Ok", "routes": []}',
        b'{"code": "Ok", "routes": [{"legs": []}]}',
        b'{"code": "Ok", "routes": [{"legs": [{"steps": [{}], "distance": 1, "duration": 1}]}]}',
        b'{"code": "Ok", "routes": [{"legs": [7]}]}',
    ],
)
def test_nonsense_from_route_and_nearest(reply: bytes) -> None:
    """Answers without the parts they should have are errors, not crashes."""
    with loopback(lambda path, body, before: (200, reply)) as url:
        server = OsrmServer(url, retries=0)
        ask = server.nearest if b"waypoints" in reply else server.route
        with pytest.raises(ServiceError, match="OSRM server"):
            ask(POINTS)


def test_no_route_is_a_matter_of_the_points() -> None:
    """A server that works and finds no route is no service error."""
    reply = b'{"code": "NoRoute", "message": "Impossible route between points"}'
    with loopback(lambda path, body, before: (400, reply)) as url, pytest.raises(CityError):
        OsrmServer(url).route(POINTS)


def test_addresses_follow_osrms_interface() -> None:
    """Coordinates are lon,lat with six decimals and annotations ask for both tables."""
    asked: list[str] = []

    def listen(path: str, body: bytes, before: int) -> Answer:
        asked.append(path)
        return 200, b'{"code": "Ok", "distances": [[0, 1], [1, 0]], "durations": [[0, 1], [1, 0]]}'

    with loopback(listen) as url:
        OsrmServer(f"{url}/", "driving").table(POINTS)
    assert re.fullmatch(
        r"/table/v1/driving/24.940000,60.170000;24.945000,60.171000\?annotations=.*", asked[0]
    )


@pytest.mark.parametrize("options", [{"max_table": 1}, {"retries": -1}, {"timeout_s": 0}])
def test_wrong_options(options: dict[str, int]) -> None:
    """Options out of range are refused before anything is sent."""
    with pytest.raises(ServiceError, match="must be"):
        OsrmServer("http://127.0.0.1", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["file:///etc/hosts", "127.0.0.1:5000", ""])
def test_no_web_address(url: str) -> None:
    """Only http and https are spoken."""
    with pytest.raises(ServiceError, match="http://"):
        OsrmServer(url).table(POINTS)
