"""Who may ask a server, and how much of it is read."""

import pytest
from in_process import serving

from nco.errors import InputError
from nco.web.settings import Limits, Settings

pytest.importorskip("fastapi", reason="the extra `web` is not installed")
TOKEN = "0123456789abcdef"


def test_a_server_that_others_reach_needs_a_token():
    """Without one it does not start, and a short one is none."""
    for host in ("0.0.0.0", "192.168.1.5", "::", "planner.example"):
        with pytest.raises(InputError, match="there is no token"):
            Settings(host=host)
    for host in ("127.0.0.1", "localhost", "::1", "127.3.2.1"):
        assert Settings(host=host).on_loopback
    with pytest.raises(InputError, match="has 5 characters; give 16 or more"):
        Settings(token="short")
    with pytest.raises(InputError, match="other characters"):
        Settings(token="0123456789abcdef; Path=/")
    with pytest.raises(InputError, match="limit stops is 0; give a positive number"):
        Limits(stops=0)


def test_the_token_opens_and_nothing_else_does():
    """As a header, as a cookie, or once in the address of the page, which sets the cookie."""
    with serving(host="0.0.0.0", token=TOKEN) as ask:
        given = {"authorization": f"Bearer {TOKEN}"}
        assert ask("GET", "/v1/about").status_code == 401
        assert ask("GET", "/v1/about", headers={"authorization": "Bearer no"}).status_code == 401
        assert ask("GET", "/v1/about", headers=given).status_code == 200
        assert ask("GET", "/", headers={"cookie": f"nco_token={TOKEN}x"}).status_code == 401
        assert ask("GET", "/", headers={"cookie": f"nco_token={TOKEN}"}).status_code == 200
        page = ask("GET", f"/?token={TOKEN}")
        assert page.status_code == 200
        assert "HttpOnly; SameSite=Strict" in page.headers["set-cookie"]
        assert ask("POST", f"/v1/matrix?token={TOKEN}", json={}).status_code == 401
        assert ask("GET", f"/?token={TOKEN}" + "&a=1" * 99).status_code == 401


def test_pages_of_other_sites_may_not_ask():
    """Neither by another name for this machine, nor from another origin that is not allowed."""
    with serving(origins=("https://ours.example",)) as ask:
        rebound = ask("GET", "/v1/about", headers={"host": "evil.example"})
        assert (rebound.status_code, rebound.json()["error"]["kind"]) == (403, "WrongHost")
        for host in ("[::1", "[::1].evil", "127.0.0.1:1, evil.example", "localhost:1@evil", ""):
            assert ask("GET", "/v1/about", headers={"host": host}).status_code == 403, host
        for host in ("[::1]:8765", "localhost", "127.0.0.1:1"):
            assert ask("GET", "/v1/about", headers={"host": host}).status_code == 200, host
        other = ask("POST", "/", headers={"origin": "https://evil.example"}, json={})
        assert (other.status_code, other.json()["code"]) == (403, 2)
        assert ask("GET", "/v1/about", headers={"origin": "null"}).status_code == 403
        own = ask("GET", "/v1/about", headers={"origin": "http://127.0.0.1:8765"})
        assert own.status_code == 200
        ours = {"origin": "https://ours.example", "access-control-request-method": "POST"}
        before = ask("OPTIONS", "/v1/solve", headers=ours)
        assert before.headers["access-control-allow-origin"] == "https://ours.example"
        policy = own.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert own.headers["x-content-type-options"] == "nosniff"


def test_bodies_are_read_up_to_the_limit():
    """What is larger is refused, whether it says so or comes in pieces."""

    async def pieces():
        for _ in range(20):
            yield b" " * 100

    with serving(limits={"body_bytes": 1000}) as ask:
        long = ask("POST", "/v1/problems", content=b" " * 1001)
        assert (long.status_code, long.json()["error"]["kind"]) == (413, "TooLargeError")
        as_vroom = ask("POST", "/", content=b" " * 1001)
        assert (as_vroom.status_code, as_vroom.json()["code"]) == (413, 4)
        assert ask("POST", "/v1/problems", content=pieces()).status_code == 413
        lying = ask("POST", "/v1/problems", headers={"content-length": "x"}, content=pieces())
        assert lying.status_code == 413


def test_a_page_loads_pictures_of_the_tile_server_that_was_named_and_of_no_other():
    """Without one the page asks nobody else; what is no address of tiles is refused."""
    with serving(tiles="https://tile.example:81/a/{z}/{x}/{y}.png?k=1") as ask:
        reply = ask("GET", "/v1/about")
        policy = reply.headers["content-security-policy"]
        assert "img-src 'self' data: blob: https://tile.example:81;" in policy
        assert reply.json()["tiles"].startswith("https://tile.example:81/")
    with serving() as ask:
        assert "img-src 'self' data: blob:;" in ask("GET", "/").headers["content-security-policy"]
    for wrong in ("tile.example/{z}/{x}/{y}", "https://t.example/{z}/{x}", "https://a b/{z}{x}{y}"):
        with pytest.raises(InputError, match="tiles is"):
            Settings(tiles=wrong)


def test_who_does_not_send_or_read_is_cut_off(monkeypatch):
    """Silence, half a header, and half a second one; and an answer that nobody takes in."""
    import asyncio

    import uvicorn

    from nco.web import hurried

    monkeypatch.setattr(hurried, "HEADERS_S", 0.3)
    monkeypatch.setattr(hurried, "WRITTEN_S", 0.3)

    async def app(scope, receive, send):
        assert scope["type"] == "http"
        large = scope["path"] == "/large"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(200 if large else 1):
            body = b"x" * (1 << 20 if large else 1)
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def told(*parts: bytes, reads: bool = True) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        found = b""
        for part in parts:
            writer.write(part)
            found += await asyncio.wait_for(reader.read(500), 5) if reads else b""
        if not reads:
            await asyncio.sleep(1.5)
        while len(found) < 1 << 28:
            try:
                more = await asyncio.wait_for(reader.read(1 << 20), 5)
            except ConnectionError:
                break
            if not more:
                break
            found += more
        writer.close()
        return found

    async def all_of():
        nonlocal port
        config = uvicorn.Config(
            app, port=0, http=hurried.Hurried, ws="none", lifespan="off", log_level="critical"
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        ask = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
        assert await told() == await told(b"GET / HT") == b""
        assert (await told(ask % b"", b"GET / HT")).startswith(b"HTTP/1.1 200")
        assert len(await told(ask % b"large", reads=False)) < 150 << 20
        server.should_exit = True
        await running

    port = 0
    asyncio.run(all_of())
