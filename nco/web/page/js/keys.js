// Keys that work everywhere but where something is typed.

import { at, choose, known, store, tell } from "./app.js";
import { chooseNothing } from "./dock.js";
import { moved } from "./hand.js";
import { help } from "./help.js";
import { lock } from "./panel_routes.js";
import { save } from "./scenarios.js";
import { plan, stop } from "./search.js";
import { t } from "./words.js";

export function followKeys({ map, dock }) {
  const plain = {
    p: () => (known.view?.isDay ? tell("day-again") : plan()),
    s: () => stop(),
    f: () => map.fit(),
    l: () => at.chosenVehicle && lock(at.chosenVehicle),
    n: () => next(),
    "[": () => turn(-1),
    "]": () => turn(1),
    "?": () => help(),
    1: () => dock.show("stops"),
    2: () => dock.show("fleet"),
    3: () => dock.show("zones"),
    4: () => dock.show("timeline"),
    Escape: () => chooseNothing(),
  };
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey) {
      const key = event.key.toLowerCase();
      if (key === "s") { event.preventDefault(); save(); }
      if (typing && !typing.matches("select")) return; // texts have an undo of their own
      if (key === "z") { event.preventDefault(); if (event.shiftKey) store.redo(); else store.undo(); }
      if (key === "y") { event.preventDefault(); store.redo(); }
      return;
    }
    if (typing || event.altKey || (event.target.closest(".tabulator") && event.key !== "Escape")) return;
    const run = plain[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (run) { event.preventDefault(); run(); }
  });
}

/** The next stop of the route, or the first that is left out. */
function next() {
  const { view } = known;
  if (!view) return;
  const served = at.chosen ? view.byStop.get(at.chosen) : null;
  const found = served ? served.route.stops[(served.turn + 1) % served.route.stops.length]?.name : view.unserved[0]?.name ?? view.routes[0]?.stops[0]?.name;
  if (found) choose(found, "keys");
}

/** The chosen stop earlier or later on its route. */
export function turn(step) {
  const served = known.view?.byStop.get(at.chosen);
  if (!served || served.route.locked || known.view.isDay) return;
  const { route } = served;
  const to = served.turn + step;
  if (to < 0 || to >= route.stops.length) return;
  const target = { vehicle: route.name, trip: route.trip, turn: step > 0 ? to + 1 : to };
  store.change(t("undo.turn", { name: at.chosen }), (doc) => ({ ...doc, routes: moved(doc.routes, at.chosen, target) }));
}
