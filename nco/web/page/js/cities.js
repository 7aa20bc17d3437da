// Which of the cities that are served a day is in.

import { known, on, store, tell } from "./app.js";
import { h } from "./dom.js";
import { failed } from "./told.js";
import { t } from "./words.js";

/** What people call a city, which may be named by the file of its extract. */
export function titleOf(city) {
  const name = (city?.name ?? "").split(/[\\/]/).at(-1).replace(/(\.osm)?(\.pbf)?$/, "");
  return name.charAt(0).toUpperCase() + name.slice(1);
}

const cityOf = (doc) => known.cities.find((one) => one.name === doc.city) ?? known.cities[0] ?? null;

/** Shows the city of the document, and again whenever that is another one. */
export async function followCity(map, cities, tiles) {
  known.cities = cities.filter((one) => one.bbox);
  known.city = cityOf(store.doc);
  on("doc", () => {
    const city = cityOf(store.doc);
    if (city === known.city) return;
    known.city = city;
    tell("about");
    map.open(city, tiles).catch(failed);
  });
  if (known.city) await map.open(known.city, tiles);
  else failed(new Error(cities[0]?.error ?? t("error.no_city")));
}

/** Another city: what was planned in the last one is left. */
function change(city) {
  store.change(t("undo.city"), (doc) => ({ ...doc, city: city.name, routes: null, kept: [], locked: [], day: null }));
}

/** Entries of a menu; none where there is nothing to choose. */
export function cityItems() {
  if (known.cities.length < 2) return [];
  return ["-", t("city"), ...known.cities.map((one) => ({
    label: titleOf(one), icon: one === known.city ? "check" : "map", off: one === known.city, run: () => change(one),
  }))];
}

/** The same as a field. */
export function cityField() {
  if (known.cities.length < 2) return null;
  return h("label.pair", {}, h("span.soft", {}, t("city")),
    h("select.field", { "data-key": "city", "aria-label": t("city"), onchange: (event) => change(known.cities[event.target.selectedIndex]) },
      known.cities.map((one) => h("option", { value: one.name, selected: one === known.city }, titleOf(one)))));
}
