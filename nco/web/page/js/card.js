// The chosen stop: what is known of it, and what can be done with it by hand.

import { at, known, on, store, tell } from "./app.js";
import { cellOf, withMeant } from "./columns.js";
import { chooseNothing } from "./dock.js";
import { h, perFrame, refill } from "./dom.js";
import { amount, clock, span, windows } from "./format.js";
import { moved, without } from "./hand.js";
import { icon } from "./icons.js";
import { turn } from "./keys.js";
import { has, t } from "./words.js";

export function card(place) {
  const show = perFrame(() => {
    const content = at.chosen ? of(at.chosen) : null;
    place.hidden = !content;
    refill(place, content ?? []);
  });
  on("choose view read theme", show);
  show();
}

function of(name) {
  const served = known.view?.byStop.get(name);
  const row = known.stops.read.find((one) => one.name === name)
    ?? (served && { name, windows_s: [[0, null]], demand: [], skills: [], details: {}, service_s: served.visit.departure_s - served.visit.start_s });
  if (!row) return null;
  const left = known.view?.unserved.find((one) => one.name === name);
  const fact = (key, value) => value && h("div.fact", {}, h("dt", {}, t(key)), h("dd", {}, value));
  const details = Object.entries(row.details).filter(([key, value]) => value && /^(address|phone|notes)$/.test(key));
  return [
    h("div.row", {}, h("h2.grow.cut", { title: name }, name),
      row.line && h("button.button.small.plain", { onclick: () => tell("reach", { table: "stops", row: row.line - 2, column: "name" }) }, t("card.table")),
      h("button.button.small.square.plain", { "aria-label": t("close"), title: t("close"), onclick: chooseNothing }, icon("close"))),
    h("dl.facts", {},
      fact("card.window", windows(row.windows_s)),
      row.demand.some(Boolean) && fact("card.demand", row.demand.map(amount).join(" / ")),
      row.service_s > 0 && fact("card.service", span(row.service_s)),
      row.skills.length > 0 && fact("card.skills", row.skills.join(", ")),
      served && fact("card.arrival", [clock(served.visit.arrival_s), served.visit.waiting_s > 60 ? ` (${t("tip.waits", { length: span(served.visit.waiting_s) })})` : ""]),
      details.map(([key, value]) => h("div.fact.wide", {}, h("dt", {}, has(`title.${key}`) ? t(`title.${key}`) : key), h("dd", {}, value)))),
    served?.visit.late_s > 0 && h("p.bad", {}, t("tip.late", { length: span(served.visit.late_s) })),
    left && h("p.bad", {}, left.reason),
    !row.depot && known.view && !known.view.isDay && hands(name, row, served),
  ];
}

function hands(name, row, served) {
  const vehicles = known.problem?.fleet.map((one) => one.name) ?? [];
  const fixed = cellOf(store.doc.stops, "stops", row.line - 2, "allowed_vehicles").trim();
  const give = (vehicle) => store.change(t("undo.give", { name, vehicle }), (doc) => ({
    ...doc, routes: vehicle ? moved(doc.routes, name, { vehicle }) : without(doc.routes, name),
  }));
  const fix = () => store.change(t(fixed ? "undo.free" : "undo.fix", { name }), (doc) => withMeant(doc, "stops", row.line - 2, "allowed_vehicles", fixed ? "" : served.route.name));
  return h("div.hands", {},
    h("label.pair.grow", {}, h("span.soft", {}, t("card.vehicle")),
      h("select.field.small", { "data-key": "vehicle", "aria-label": t("card.vehicle"), disabled: served?.route.locked, onchange: (event) => give(event.target.value) },
        h("option", { value: "", selected: !served }, t("card.nobody")),
        vehicles.map((one) => h("option", { value: one, selected: served?.route.name === one }, one)))),
    served && h("span.row.turns", {},
      h("button.button.small.square", { "data-key": "up", title: t("card.earlier"), "aria-label": t("card.earlier"), onclick: () => turn(-1), disabled: served.turn === 0 || served.route.locked }, icon("up")),
      h("button.button.small.square", { "data-key": "down", title: t("card.later"), "aria-label": t("card.later"), onclick: () => turn(1), disabled: served.turn === served.route.stops.length - 1 || served.route.locked }, icon("down"))),
    (served || fixed) && h("button.button.small", { "data-key": "fix", "aria-pressed": String(Boolean(fixed)), title: t("card.fix.tip"), onclick: fix },
      icon("pin"), fixed ? t("card.fixed", { vehicle: fixed }) : t("card.fix")));
}
