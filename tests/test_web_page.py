"""What the planner's page asks for beyond problems and jobs: the map, an example, zones, files."""

import pytest
from in_process import Served, serving

pytest.importorskip("fastapi", reason="the extra `web` is not installed")


@pytest.fixture(scope="module")
def ask():
    with serving() as served:
        yield served


def test_the_map_is_cut_into_tiles_that_browsers_keep(ask: Served):
    """A tile by its version is kept for good; without one, and what is wrong, never."""
    about = ask("GET", "/v1/map").json()
    place = "/v1/map/14/9327/4742"
    kept = ask("GET", f"{place}?version={about['version']}")
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-encoding"] == "gzip"
    assert "Mannerheimintie" in {one.get("name") for one in kept.json()["streets"]}
    plain = ask("GET", place, headers={"accept-encoding": "identity"})
    assert (plain.headers["cache-control"], plain.json()) == ("no-cache", kept.json())
    assert ask("GET", "/v1/map/20/0/0?version=1").headers["cache-control"] == "no-cache"
    assert ask("GET", "/v1/map?city=/etc/passwd").status_code == 422
