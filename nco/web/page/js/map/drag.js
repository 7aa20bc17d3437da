// Stops that are dragged: onto another route, or to another place; what it costs is seen on the way.

import { choose, known, point, store, tell } from "../app.js";
import { withPlace } from "../columns.js";
import { h } from "../dom.js";
import { moved, trial } from "../hand.js";
import { t } from "../words.js";
import { showTip } from "./tip.js";

const FAR_PX = 5;
const REACH_PX = 46;

export function followDrag(city) {
  const { map, place, scene } = city;
  let held = null;

  place.addEventListener("pointerdown", (event) => {
    city.dragged = false;
    if (event.button !== 0 || city.mode === "zone" || city.mode === "add" || city.mode === "point" || event.target.closest(".leaflet-control")) return;
    const stop = city.stopAt(event, event.pointerType === "touch" ? 22 : 12);
    if (!stop) return;
    const row = known.stops.read.find((one) => one.name === stop.name);
    const movesPlace = city.mode === "place" || event.altKey || !known.view || row?.depot;
    if (row?.depot && city.mode !== "place") return;
    held = { stop, row, movesPlace, x: event.clientX, y: event.clientY, id: event.pointerId };
    map.dragging.disable();
  }, true);

  window.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.id) return;
    if (!scene.drag) {
      if (Math.hypot(event.clientX - held.x, event.clientY - held.y) < FAR_PX) return;
      point(null);
      place.classList.add("dragging");
    }
    city.dragged = true;
    const lonlat = city.lonlat(event);
    const target = held.movesPlace ? null : targetAt(lonlat);
    scene.drag = { name: held.stop.name, lonlat, vehicle: held.stop.vehicle, target };
    held.target = target;
    held.lonlat = lonlat;
    city.redraw();
    show(event);
  });

  window.addEventListener("pointerup", (event) => {
    if (!held || event.pointerId !== held.id) return;
    const { stop, row, movesPlace, target, lonlat } = held;
    const went = scene.drag !== null;
    end();
    if (!went) return;
    if (movesPlace && known.view?.isDay) tell("day-move", { name: stop.name, lonlat });
    else if (movesPlace) {
      store.change(t("undo.place", { name: stop.name }), (doc) => withPlace(doc, row.line - 2, ...lonlat));
    } else if (target) {
      store.change(t("undo.give", { name: stop.name, vehicle: target.vehicle }), (doc) => ({
        ...doc, routes: moved(doc.routes, stop.name, target),
      }));
    }
    choose(stop.name, "map");
  });
  window.addEventListener("pointercancel", () => { if (held) end(); });
  window.addEventListener("keydown", (event) => { if (held && event.key === "Escape") { event.stopPropagation(); end(); } }, true);

  function end() {
    held = null;
    scene.drag = null;
    map.dragging.enable();
    place.classList.remove("dragging");
    showTip(null);
    city.redraw();
  }

  /** Where a stop would go if it were dropped here. */
  function targetAt(lonlat) {
    const leg = scene.legAt(...lonlat, REACH_PX / 2 ** map.getZoom(), (one) => one.route.locked);
    if (!leg) return null;
    const { route } = leg;
    const visits = route.visits;
    const turn = visits.slice(0, leg.leg + 1).filter((visit) => !visit.depot).length;
    return {
      vehicle: route.name, number: route.vehicle, trip: route.trip, turn,
      before: visits[leg.leg].lonlat, after: visits[leg.leg + 1].lonlat,
    };
  }

  function show(event) {
    if (held.movesPlace) return showTip(event, null, null, h("span", {}, t("drag.place")));
    if (!held.target) return showTip(event, null, null, h("span.soft", {}, t("drag.nowhere")));
    const where = { clientX: event.clientX, clientY: event.clientY };
    const mine = held.target;
    trial(held.stop.name, mine, (content) => { if (held?.target && same(held.target, mine)) showTip(where, null, null, content); });
  }
}

const same = (a, b) => a.vehicle === b.vehicle && a.turn === b.turn && a.trip === b.trip;
