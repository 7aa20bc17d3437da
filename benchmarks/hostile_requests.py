"""What a server does with requests that mean no good, and with being killed while it saves.

    python benchmarks/hostile_requests.py [--kills 5] [--drip 1200]

A server of its own is started on loopback. Each line is a request, or a flood of them, that a page
of another site, another program or a broken client may send; `no` in front says that the server did
something that it should not have, and the exit code is 1 then. At last it is killed in the midst of
saving, again and again: every scenario that it has said it saved must be there afterwards, whole.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from serving import serving

JSON = {"content-type": "application/json"}
EVIL = "<img src=x onerror=alert(1)>"
_wrong: list[str] = []


def tell(what: str, fine: bool, found: object) -> None:
    """A line of the table."""
    print(f"{'  ' if fine else 'no'}  {what}: {found}", flush=True)
    if not fine:
        _wrong.append(what)


async def raw(base: str, *parts: bytes, pause_s: float = 0.0, wait_s: float = 90.0) -> bytes:
    """Bytes as they are, with pauses between them, and the beginning of the answer."""
    there = urlsplit(base)
    reader, writer = await asyncio.open_connection(there.hostname, there.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return await asyncio.wait_for(reader.read(500), wait_s)
    except TimeoutError:
        return b"(nothing, and not cut off)"
    except OSError as error:
        return repr(error).encode()
    finally:
        writer.close()


async def who_may(base: str) -> None:
    """Other names, other sites."""
    host = urlsplit(base).netloc
    port = host.rpartition(":")[2]
    async with httpx.AsyncClient(base_url=base) as ask:
        for name in (
            "evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}",
            f"localhost.evil.example:{port}", f"localhost:{port}@evil.example", "[::1].evil", "",
            f"127.0.0.1:{port}, evil.example", "0.0.0.0", "2130706433.evil",
        ):  # fmt: skip
            reply = await ask.get("/v1/scenarios", headers={"host": name})
            tell(f"Host {name!r}", reply.status_code in (400, 403), reply.status_code)
        for origin in (
            "https://evil.example", "null", f"http://{host}.evil.example", "http://localhost:1",
            f"https://evil.example#{host}", f"http://evil.example\\@{host}", "file://",
        ):  # fmt: skip
            reply = await ask.post(
                "/v1/scenarios",
                content=b'{"name": "x", "content": 1}',
                headers={"origin": origin, "content-type": "text/plain"},
            )
            tell(f"a form of {origin!r}", reply.status_code == 403, reply.status_code)
        kept = (await ask.get("/v1/scenarios")).json()["scenarios"]
        tell("nothing was saved by them", not kept, len(kept))
        reply = await ask.get("/page/js/main.js", headers={"origin": "https://evil.example"})
        tell("a script that another site asks for", reply.status_code == 403, reply.status_code)


async def what_is_sent(base: str) -> None:
    """Bodies, paths and names."""
    deep = b"[" * 100_000
    bodies = {
        "100,000 brackets": deep + b"]" * 100_000,
        "deep in a field": b'{"problem": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
        "brackets that do not close": deep,
        "a number of a million digits": b'{"time_limit_s": ' + b"9" * 1_000_000 + b"}",
        "NaN": b'{"problem": {"format": "nco-problem", "profiles": NaN}}',
        "no UTF-8": b"\xff\xfe{}",
        "zeros": b"\0" * 1000,
        "a name of 10 MB": b'{"name": "' + b"x" * 9_900_000 + b'", "content": 1}',
    }
    async with httpx.AsyncClient(base_url=base, timeout=120) as ask:
        for path in ("/", "/v1/solve", "/v1/problems", "/v1/scenarios", "/v1/tables", "/v1/plans"):
            for what, body in bodies.items():
                begun = time.monotonic()
                reply = await ask.post(path, content=body, headers=JSON)
                took_s = time.monotonic() - begun
                # A job is begun before its problem is looked at, and fails then.
                job = path == "/v1/solve" and reply.status_code == 202
                fine = (job or 400 <= reply.status_code < 500) and took_s < 30
                if not fine:
                    tell(f"POST {path}, {what}", fine, f"{reply.status_code} in {took_s:.1f} s")
        tell(f"{len(bodies)} malformed bodies at six paths", True, "refused")
        for path in (
            "/page/../../pyproject.toml", "/page/..%2f..%2fpyproject.toml", "/page//etc/passwd",
            "/page/%2e%2e/app.py", "/page/..\\app.py", "/page/js/%00", "/v1/scenarios/..%2f..",
            "/v1/map?city=/etc/passwd", "/v1/example?city=../../x", "/v1/plans/%2e%2e",
            "/v1/problems/'%20or%201=1", "/table/v1/car/1,2;3,4?sources=" + "0;" * 20_000,
        ):  # fmt: skip
            reply = await ask.get(path)
            tell(f"GET {path[:50]}", 400 <= reply.status_code < 500, reply.status_code)
        told = (await ask.get(f"/v1/map?city={EVIL}")).headers
        tell("what names it, is no page", "json" in told["content-type"], told["content-type"])
        policy = told["content-security-policy"]
        tell("scripts from here alone", "default-src 'self'" in policy, policy.split(";")[0])
    head = f"POST /v1/solve HTTP/1.1\r\nHost: {urlsplit(base).netloc}\r\n".encode()
    for what, size in (("10^18", b"1" + b"0" * 18), ("-1", b"-1"), ("0x10", b"0x10")):
        told = await raw(base, head + b"Content-Length: " + size + b"\r\n\r\n{}")
        tell(f"a body of {what} bytes", b" 4" in told[:16], told[:30])
    both = b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    told = await raw(base, head + both + b"GET /v1/about HTTP/1.1\r\n")
    tell("length and chunks at once", told.count(b"HTTP/1.1 200") == 0, told[:30])
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    told = await raw(base, head + b"Transfer-Encoding: chunked\r\n\r\n", *([chunk] * 30))
    tell("chunks without end", b"413" in told[:16] or b"Reset" in told, told[:30])


async def slow(base: str, count: int) -> None:
    """Clients that hold their connections: others are served all the same, soon."""
    there = urlsplit(base)
    line = f"GET / HTTP/1.1\r\nHost: {there.netloc}\r\nX: ".encode()
    held = []
    for k in range(count):
        _, writer = await asyncio.open_connection(there.hostname, there.port)
        writer.write(line if k % 2 else b"")
        held.append(writer)
    begun, told = time.monotonic(), 0
    async with httpx.AsyncClient(base_url=base, timeout=60) as ask:
        while time.monotonic() - begun < 120:
            for writer in held:
                if not writer.is_closing():
                    writer.write(b"x")
            try:
                told = (await ask.get("/v1/about")).status_code
            except httpx.HTTPError as error:
                told = repr(error)
            if told == 200:
                break
            await asyncio.sleep(1)
    for writer in held:
        writer.close()
    took_s = time.monotonic() - begun
    tell(f"{count} headers that drip", told == 200, f"others are served after {took_s:.0f} s")
    told = await raw(base, line, *([b"x"] * 300), pause_s=0.1)
    tell("a header that drips is cut off", b"not cut" not in told, told[:40] or "closed")
    head = f"POST / HTTP/1.1\r\nHost: {there.netloc}\r\nContent-Length: 1000\r\n\r\n".encode()
    told = await raw(base, head, *([b" "] * 450), pause_s=0.1)
    tell("a body that drips", b"408" in told, told[:30])


async def killed(rounds: int) -> None:
    """Kills a server while six clients save; what it has acknowledged is there afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        data, sure = Path(folder) / "kept.sqlite", {}
        for turn in range(rounds + 1):
            async with (
                serving("--quiet", "--no-warm-up", data=data) as (base, _),
                httpx.AsyncClient(base_url=base, timeout=60) as ask,
            ):
                lost = 0
                for number, size in sure.items():
                    reply = await ask.get(f"/v1/scenarios/{number}")
                    lost += reply.status_code != 200 or len(reply.json()["content"]) < size
                if turn:
                    enough = len(sure) >= 6 * turn and not lost
                    tell(f"kill -9, number {turn}", enough, f"{len(sure)} saved, {lost} lost")
                if turn == rounds:
                    return
                saving = [asyncio.create_task(_save(ask, k, sure)) for k in range(6)]
                while len(sure) < 6 * (turn + 1):
                    await asyncio.sleep(0.1 + 0.05 * turn)
                for task in saving:
                    task.cancel()
            # `serving` ends it by SIGKILL, requests under way included


async def _save(ask: httpx.AsyncClient, k: int, sure: dict[str, int]) -> None:
    number, size = None, 0
    while True:
        size += 1000
        body = {"name": f"{k} {EVIL}", "content": "x" * size}
        way = ("POST", "/v1/scenarios") if number is None else ("PUT", f"/v1/scenarios/{number}")
        reply = await ask.request(*way, json=body)
        reply.raise_for_status()
        number = reply.json()["id"]
        sure[number] = size


async def attack(options: argparse.Namespace) -> None:
    """All of it."""
    async with serving("--quiet", "--no-warm-up") as (base, _):
        await who_may(base)
        await what_is_sent(base)
        await slow(base, options.drip)
    await killed(options.kills)


def main() -> int:
    """Attacks and tells."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--drip", type=int, default=1200, help="connections that are held")
    asyncio.run(attack(parser.parse_args()))
    return int(bool(_wrong))


if __name__ == "__main__":
    sys.exit(main())
