// The list of routes: one line a vehicle, its stops below, what is broken, what is left out.

import { at, choose, chooseVehicle, known, on, point, store, tell } from "./app.js";
import { h, perFrame, refill } from "./dom.js";
import { amount, clock, km, span } from "./format.js";
import { icon } from "./icons.js";
import { dot } from "./map/tip.js";
import { t } from "./words.js";

const open = new Set();

export function routesPanel() {
  const place = h("div.routes", {});
  const show = perFrame(() => refill(place, content()));
  on("view choose theme problem", show);
  on("point", () => mark(place));
  place.addEventListener("mouseleave", () => point(null));
  show();
  return place;
}

function content() {
  const { view } = known;
  if (!view) return h("div.empty", {}, icon("van"), t(known.problem ? "routes.none" : "routes.nothing"));
  return [waiting(view), unserved(view), ...view.routes.map((route) => one(route)), idle(view)];
}

/** Rows that are not planned before they are corrected: easily forgotten, once there is a plan. */
function waiting(view) {
  if (!view.waiting?.length) return null;
  return h("section.unserved.waiting", { "aria-label": t("waiting.title", { n: view.waiting.length }) },
    h("h3.bad.row", {}, icon("alarm"), t("waiting.title", { n: view.waiting.length })),
    h("div.chips", {}, view.waiting.map((row) => h("button.chip", {
      title: row.text, onclick: () => tell("reach", { table: "stops", row: row.line - 2, column: "name" }),
    }, row.name))),
    h("button.button.small", { onclick: () => tell("show-side", "checks") }, t("waiting.checks")));
}

function unserved(view) {
  if (!view.unserved.length) return null;
  const reasons = Map.groupBy(view.unserved, (stop) => stop.reason);
  return h("section.unserved", { "aria-label": t("unserved") },
    h("h3.bad.row", {}, icon("alarm"), t("unserved.title", { n: view.unserved.length })),
    [...reasons].map(([reason, stops]) => h("div.reason", {},
      h("div.soft", {}, reason),
      h("div.chips", {}, stops.map((stop) => h("button.chip", {
        "data-stop": stop.name, onclick: () => choose(stop.name), onmouseenter: () => point(stop.name),
      }, stop.name))))));
}

function one(route) {
  const key = `${route.name} ${route.trip}`;
  const isOpen = open.has(key) || (at.chosen && route.stops.some((visit) => visit.name === at.chosen));
  const full = route.capacity ? Math.min(1, route.load / route.capacity) : null;
  const turn = () => { if (isOpen) open.delete(key); else open.add(key); tell("choose", { from: "list" }); };
  return h("section.route", {
    "data-vehicle": route.name, class: at.chosenVehicle === route.name ? "chosen" : undefined,
    onmouseenter: () => point(null, route.name),
  },
    h("div.line", {},
      h("button.twist", { "data-key": `twist ${key}`, "aria-expanded": String(isOpen), "aria-label": t("route.open", { name: route.name }), onclick: turn },
        icon(isOpen ? "down" : "right")),
      h("button.who", { "data-key": `who ${key}`, onclick: () => chooseVehicle(route.name), title: t("route.choose") },
        dot(route.vehicle), h("span.cut", {}, route.name), route.trip > 0 && h("span.faint", {}, t("route.trip", { n: route.trip + 1 }))),
      h("span.number.soft", { title: t("route.stops.tip") }, String(route.stops.length)),
      h("span.number", {}, km(route.distance_m)),
      h("span.number", {}, span(route.duration_s)),
      h("button.button.small.square.plain", {
        "data-key": `lock ${key}`, "aria-pressed": String(route.locked), title: t(route.locked ? "route.unlock" : "route.lock"),
        "aria-label": t(route.locked ? "route.unlock" : "route.lock"), onclick: () => lock(route.name),
      }, icon(route.locked ? "lock" : "unlock"))),
    h("div.under", {},
      h("span.faint", {}, `${clock(route.visits[0].departure_s)}–${clock(route.visits.at(-1).arrival_s)}`),
      full !== null && h("span.load", { title: t("route.load", { load: amount(route.load), capacity: amount(route.capacity) }) },
        h("i", { style: { width: `${100 * full}%`, background: route.load > route.capacity ? "var(--bad)" : "var(--faint)" } })),
      route.late > 0 && h("span.tag.bad", {}, t("route.late", { n: route.late })),
      route.waiting_s > 600 && h("span.tag", {}, t("route.waits", { length: span(route.waiting_s) }))),
    route.broken.filter((broken) => broken.kind !== "time window").map((broken) => h("div.bad.small", {}, broken.message)),
    isOpen && h("ol.stops", {}, route.stops.map((visit) => h("li", {},
      h("button.stop", {
        "data-key": `stop ${visit.name}`, "data-stop": visit.name, class: at.chosen === visit.name ? "chosen" : undefined,
        onclick: () => choose(visit.name), onmouseenter: () => point(visit.name, route.name),
      },
        h("span.faint.number", {}, String(visit.number)), h("span.cut.grow", {}, visit.name),
        visit.late_s > 0 && h("span.tag.bad", {}, t("late.by", { length: span(visit.late_s) })),
        h("span.number", {}, clock(visit.start_s)))))));
}

function idle(view) {
  const driven = new Set(view.routes.map((route) => route.name));
  const names = (known.problem?.fleet ?? []).map((one) => one.name).filter((name) => !driven.has(name));
  return names.length ? h("div.idle.faint", {}, t("routes.idle", { n: names.length, names: names.join(", ") })) : null;
}

export function lock(name) {
  if (known.view?.isDay) return;
  const is = store.doc.locked.includes(name);
  store.change(t(is ? "undo.unlock" : "undo.lock", { name }), (doc) => ({
    ...doc, locked: is ? doc.locked.filter((one) => one !== name) : [...doc.locked, name],
  }));
}

function mark(place) {
  for (const element of place.querySelectorAll("[data-vehicle]")) {
    element.classList.toggle("pointed", element.dataset.vehicle === at.vehicle);
  }
  for (const element of place.querySelectorAll("[data-stop]")) {
    element.classList.toggle("pointed", element.dataset.stop === at.stop);
  }
}
