"""Cities that several tests use."""

from pathlib import Path

import pytest
from extracts import toy_xml

from nco.data.cities.city import City
from nco.data.cities.places import city
from nco.threads import sleep_while_waiting

pytest.register_assert_rewrite("states")  # so that what `walk` asserts is shown as in tests

# Before a test loads torch: under limits of half a second, threads that wait busily leave policies
# no time for an answer while anything else holds a core.
sleep_while_waiting()


@pytest.fixture(scope="session")
def helsinki() -> City:
    """The built-in city; its engine stays in the platform's cache folder."""
    return city("helsinki")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NCO_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def toy_extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hand-made grid city, see `extracts.toy_xml`."""
    path = tmp_path_factory.mktemp("toy") / "toy.osm"
    path.write_text(toy_xml())
    return path


@pytest.fixture(scope="session")
def shared_cities() -> Path:
    """The folder of real extracts, which not every machine has."""
    folder = Path(__file__).parents[1].parent / "shared" / "data" / "cities"
    if not folder.is_dir():
        pytest.skip("the shared extracts are not on this machine")
    return folder
