// Zones that are drawn corner by corner, and stops that are added by a click.

import { choose, known, store, tell } from "../app.js";
import { withMeant, withPlace } from "../columns.js";
import { withRow } from "../document.js";
import { t } from "../words.js";

export function followZones(city) {
  const { map, scene } = city;
  const taken = ({ lng, lat }) => {
    if (city.mode === "zone") corner([lng, lat]);
    if (city.mode === "add") added([lng, lat]);
    if (city.mode === "point") pointed([lng, lat]);
  };
  map.on("click", ({ latlng }) => taken(latlng));
  city.place.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target !== city.place || !city.mode) return;
    event.preventDefault();
    taken(map.getCenter());
  });
  map.on("dblclick", () => { if (city.mode === "zone") close(); });
  window.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && city.mode === "zone" && scene.ring) close();
    if (event.key === "Escape" && city.mode) city.setMode(null);
  });
  city.onmode = (mode) => {
    scene.ring = mode === "zone" ? [] : null;
    city.redraw();
  };

  function corner(place) {
    const [first] = scene.ring;
    if (first && scene.ring.length > 2) {
      const [there, here] = [first, place].map(([lon, lat]) => map.latLngToContainerPoint([lat, lon]));
      if (there.distanceTo(here) < 12) return close();
    }
    const last = scene.ring.at(-1);
    if (last && last[0] === place[0] && last[1] === place[1]) return undefined;
    scene.ring.push(place);
    city.redraw();
    return undefined;
  }

  function close() {
    const ring = scene.ring;
    city.setMode(null);
    if (ring.length < 3) return;
    store.change(t("undo.zone"), (doc) => ({
      ...doc, zones: [...doc.zones, { name: t("zone.name", { n: doc.zones.length + 1 }), ring, vehicles: [] }],
    }));
    city.onzone?.();
  }

  function added([lon, lat]) {
    const begins = !store.doc.stops.rows.length; // the first is where vehicles begin
    const name = begins ? t("depot.name") : free(t("stop.name"));
    if (known.view?.isDay) {
      city.setMode(null);
      return tell("day-add", { lonlat: [lon, lat], name });
    }
    store.change(t("undo.add", { name }), (doc) => {
      const row = doc.stops.rows.length;
      const next = withMeant(withRow(doc, "stops", []), "stops", row, "name", name);
      return withPlace(begins ? withMeant(next, "stops", row, "kind", "depot") : next, row, lon, lat);
    });
    setTimeout(() => choose(name, "map"), 600);
    return undefined;
  }

  /** The place of a row that had none, or another one. */
  function pointed([lon, lat]) {
    const { row, name } = city.wanted;
    city.setMode(null);
    store.change(t("undo.place", { name }), (doc) => withPlace(doc, row, lon, lat));
    setTimeout(() => choose(name, "map"), 600);
  }

  function free(word) {
    const names = new Set(known.stops.read.map((one) => one.name));
    for (let k = known.stops.read.length || 1; ; k += 1) if (!names.has(`${word} ${k}`)) return `${word} ${k}`;
  }
}
