"""Readers of what evolves, of networks that run, of feeds and of caches, with their files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from extracts import town_xml

import nco
from fuzzing.mutations import BYTES, JSON, TEXT, ZIP
from nco.data.cities import nominatim, osrm_build
from nco.data.cities.base_map import features
from nco.data.cities.cache import read_json
from nco.data.cities.geocode import index
from nco.data.cities.geocode.scan import scan
from nco.errors import InputError
from nco.search.evolve import files as evolved
from nco.search.evolve.evolution import Evolution
from nco.search.evolve.judge import Trial
from nco.search.evolve.llm.model import Model
from nco.search.evolve.seeds import INSERTIONS, REMOVALS
from nco.search.evolve.state import State, text_of
from nco.training.curves import read_curves
from nco.transit.answer import read_design
from nco.transit.instance.demand import read_zones
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.operate.network_files import load_network
from nco.transit.sources.demand import read_demand
from nco.transit.sources.gtfs_feed import read_feed
from nco.web.reply import RefusedError
from nco.web.store import Store

PERIOD = {
    "day": "work",
    "days": ["monday"],
    "first_s": 0,
    "last_s": 7200,
    "demand": 1.0,
    "name": "p",
}
NETWORK = {
    "format": "nco-transit-network", "lines": [[0, 1, 2], [2, 5, 7]], "names": ["1", "2"],
    "periods": [PERIOD], "per_h": [[4, 6]], "fleet": 5, "blocks": True, "kept": 1.0,
    "dwell_s": 20.0, "layover_s": 300.0,
}  # fmt: skip
FEED = {
    "stops": "stop_id,stop_name,stop_lat,stop_lon\na,A,60.1,24.9\nb,B,60.2,24.9\n",
    "routes": "route_id,route_short_name,route_type\nr,1,3\n",
    "trips": "route_id,service_id,trip_id,direction_id,block_id\nr,w,t,0,\nr,w,u,1,\n",
    "stop_times": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nt,08:00:00,08:00:10,a,1\n"
        "t,08:10:00,08:10:00,b,2\nu,25:00:00,25:00:00,b,1\nu,,,a,2\n"
    ),
    "calendar": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "w,1,1,1,1,1,0,0,20260302,20260320\n"
    ),
    "calendar_dates": "service_id,date,exception_type\nw,20260303,2\n",
    "frequencies": "trip_id,start_time,end_time,headway_secs\nt,08:00:00,09:00:00,600\n",
}
ANSWER = {
    "choices": [{"message": {"role": "assistant", "content": "x"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4},
}
PLACES = [{"lat": "60.1", "lon": "24.9", "boundingbox": ["1", "2", "3", "4"], "osm_id": 4}]


def readers(folder: Path) -> Iterator[tuple[str, Path, Any, Any]]:
    """Name, file, ways to damage it and reader of each."""
    folder = folder / "kept"
    folder.mkdir()
    yield from _evolving(folder)
    yield from _running(folder)
    yield from _caches(folder)
    answers = {"llm": ANSWER, "places": PLACES}
    for name, answer in answers.items():
        (folder / f"{name}.answer").write_text(json.dumps(answer))
    yield "server llm", folder / "llm.answer", JSON, _asked_model
    yield "server places", folder / "places.answer", JSON, _asked_places
    (folder / "run").mkdir()
    metrics = folder / "run" / "metrics.csv"
    metrics.write_text("step,train/loss,val/gap_percent\n1,0.5,\n2,0.4,7.5\n")
    yield "metrics.csv", metrics, TEXT, lambda path: read_curves(path.parent)


def _evolving(folder: Path) -> Iterator[tuple[str, Path, Any, Any]]:
    yield "operators.json", folder / "operators.json", JSON, evolved.read_operators
    (folder / "operators.json").write_bytes(evolved.SHIPPED.read_bytes())
    square = nco.Problem.from_matrices([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    begun = Evolution([square] * 2, Trial(5), 1)
    outs, ins = text_of(REMOVALS["string"]), text_of(INSERTIONS["blinks"])
    state = State(
        1, 2.0, [outs], [ins], [(outs, ins)], {(outs, ins): [0.1, 0.2]}, [[1.0], [2.0]],
        dict(begun._rng.bit_generator.state), [0.1],
    )  # fmt: skip
    evolved.write_state(folder / "state.json", state, {"seed": 1})

    def go_on(path: Path) -> None:
        Evolution([square] * 2, Trial(5), 1, state=evolved.read_state(path, {"seed": 1}))

    yield "state.json", folder / "state.json", JSON, go_on


def _running(folder: Path) -> Iterator[tuple[str, Path, Any, Any]]:
    mandl = TransitInstance.mandl()
    (folder / "network.json").write_text(json.dumps(NETWORK))
    (folder / "design.json").write_text(
        json.dumps({"format": "nco-transit-design", "lines": [[0, 1, 2]]})
    )
    yield "network.json", folder / "network.json", JSON, lambda p: load_network(p.parent, mandl)
    yield "design.json", folder / "design.json", JSON, read_design
    with zipfile.ZipFile(folder / "whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in FEED.items():
            archive.writestr(f"{name}.txt", text)
    tables = {
        "demand.csv": (
            "orig,dest,volume\na,b,10\nb,a,3\n",
            lambda p: read_demand(p, {"a": 0, "b": 1}),
        ),
        "zones.csv": ("lon,lat,people,jobs\n24.9,60.1,100,50\n24.91,60.1,5,900\n", read_zones),
    }
    for name, (text, read) in tables.items():
        (folder / name).write_text(text)
        yield name, folder / name, TEXT, read
    yield "whole.zip", folder / "whole.zip", ZIP, read_feed
    (folder / "feed").mkdir()
    for name, text in FEED.items():
        file = folder / "feed" / f"{name}.txt"
        file.write_text(text)
        if name != "stops":  # read by others
            yield f"feed {name}.txt", file, TEXT, lambda path: read_feed(path.parent)


def _caches(folder: Path) -> Iterator[tuple[str, Path, Any, Any]]:
    """What can be made anew: a damaged one is not there."""
    extract = folder / "kept.osm"
    extract.write_text(town_xml(), encoding="utf-8")
    found = index.build(scan(extract))
    (folder / "index.npz").write_bytes(index._packed(found))
    drawn = features.read(extract, [9.99, -0.01, 10.03, 0.11], "x")
    (folder / "drawn.npz").write_bytes(features._packed(drawn))
    (folder / "cities.json").write_text('{"a": "/tmp/a.osm", "b": "/tmp/b.osm"}')
    engine = folder / "engine"
    engine.mkdir()
    (engine / "a.osrm").write_bytes(b"x" * 100)
    osrm_build._seal(engine, {"nodes": 3})
    database = Store(folder / "kept.db")
    database.add_scenario("one", '{"a": 1}', 9)
    database.close()
    yield "index.npz", folder / "index.npz", ZIP, _remade(index._kept)
    yield "drawn.npz", folder / "drawn.npz", ZIP, _remade(lambda p: features._kept(p, "x"))
    yield "cities.json", folder / "cities.json", JSON, _remade(lambda path: read_json(path) or None)
    manifest = engine / osrm_build._MANIFEST
    yield "manifest", manifest, JSON, _remade(lambda path: osrm_build._whole(path.parent))
    yield "kept.db", folder / "kept.db", BYTES, _scenarios


def _remade(read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    def reads(path: Path) -> Any:
        found = read(path)
        if found is None:
            raise InputError("made anew")
        return found

    return reads


def _scenarios(path: Path) -> object:
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    store = Store(path)
    try:
        return [store.scenario(row["id"]) for row in store.scenarios()]
    except RefusedError as error:  # an id that is another one meanwhile
        raise InputError(str(error)) from None
    finally:
        store.close()


def _asked_model(path: Path) -> object:
    model = Model("http://127.0.0.1:1/v1", "m")
    vars(model)["_ask"] = lambda _url, _data: (200, path.read_bytes())
    return model.answer([("user", "x")])


def _asked_places(path: Path) -> object:
    return nominatim.search(lambda _url: (200, path.read_bytes()), "http://localhost", "x")
