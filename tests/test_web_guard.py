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
        assert ask("GET", "/v1/about", headers={"host": "[::1"}).status_code == 403
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
