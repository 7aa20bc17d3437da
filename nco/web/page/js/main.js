// Puts the page together.

import { ask } from "./api.js";
import { known, on, store, tell } from "./app.js";
import { bar } from "./bar.js";
import { card } from "./card.js";
import { followCity } from "./cities.js";
import { derive, follow, upToDate } from "./derive.js";
import { dock } from "./dock.js";
import { emptyDocument } from "./document.js";
import { h } from "./dom.js";
import { followDraft, restore } from "./draft.js";
import { followDrops } from "./files.js";
import { icon } from "./icons.js";
import { followKeys } from "./keys.js";
import { CityMap } from "./map/map.js";
import { side } from "./side.js";
import { start } from "./start.js";
import { followTheme } from "./theme.js";
import { failed } from "./told.js";
import { t } from "./words.js";

const byId = (id) => document.getElementById(id);

async function begin() {
  followTheme(() => tell("theme"));
  const wanted = Promise.all([ask("GET", "/v1/about"), ask("GET", "/v1/cities")]);
  const map = new CityMap(byId("map"));
  bar(byId("bar"));
  side(byId("side"));
  const lower = dock(byId("dock"));
  views();
  const place = byId("place");
  const chosen = place.appendChild(h("div.card", { role: "region", "aria-label": t("card") }));
  const welcome = place.appendChild(h("div.welcome", {}));
  card(chosen);
  start(welcome);
  follow();
  followDrops();
  followKeys({ map, dock: lower });
  const [about, { cities }] = await wanted;
  known.about = about;
  await followCity(map, cities, about.tiles);
  tell("about");
  const onMap = (begin) => (detail) => { document.body.dataset.view = "map"; tell("map-shown"); begin(detail); };
  on("draw-zone", onMap(() => map.setMode("zone")));
  on("sketch", onMap(() => map.setMode("add")));
  on("move-places", onMap(() => map.setMode("place")));
  on("point-place", onMap((wanted) => map.point(wanted)));
  on("new", () => { store.load({ ...emptyDocument(), city: store.doc.city }, store.doc.stops.rows.length ? t("scenario.new") : ""); });
  let fit = false;
  on("opened", () => { fit = true; known.search = null; tell("search"); });
  on("read", () => { if (fit) { fit = false; map.fit(); } });
  map.onzone = () => tell("show-dock", "zones");
  followDraft();
  await (restore(known.cities) ? upToDate() : derive());
  document.body.dataset.ready = "yes";
}

/** On a phone one part is shown at a time. */
function views() {
  const buttons = [["map", "map"], ["side", "van"], ["dock", "table"], ["time", "time"]].map(([name, sign]) => h("button", {
    "data-to": name, onclick: () => {
      document.body.dataset.view = name === "time" ? "dock" : name;
      if (name === "time") tell("show-dock", "timeline");
      if (name === "dock") tell("show-dock", "stops");
      mark(name);
    },
  }, icon(sign), t(`view.${name}`)));
  const mark = (name) => buttons.forEach((one) => one.setAttribute("aria-current", String(one.dataset.to === name)));
  byId("views").append(...buttons);
  document.body.dataset.view = "map";
  mark("map");
  on("map-shown", () => mark("map"));
  on("reach", () => mark("dock"));
}

begin().catch(failed);
