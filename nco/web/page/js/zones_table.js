// Zones that vehicles avoid: their names, and which vehicles that is.

import { known, on, store, tell } from "./app.js";
import { h, perFrame, refill } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

export function zonesTable() {
  const place = h("div.zones", {});
  const show = perFrame(() => refill(place, content()));
  on("doc problem read", show);
  show();
  return place;
}

function change(number, values) {
  store.change(t("undo.zone"), (doc) => ({
    ...doc, zones: doc.zones.map((zone, k) => (k === number ? { ...zone, ...values } : zone)),
  }));
}

function content() {
  const { zones } = store.doc;
  const draw = h("button.button.small", { "data-key": "draw", onclick: () => tell("draw-zone") }, icon("zone"), t("zone.draw"));
  if (!zones.length) return h("div.empty", {}, icon("zone"), t("zones.empty"), draw);
  const names = known.fleet.read.map((one) => one.name);
  return [
    h("table.plain", {},
      h("thead", {}, h("tr", {}, h("th", {}, t("zone")), h("th", {}, t("zone.vehicles")), h("th", {}))),
      h("tbody", {}, zones.map((zone, k) => h("tr", {},
        h("td", {}, h("input.field.small", { value: zone.name, "data-key": `zone ${k}`, "aria-label": t("zone"), onchange: (event) => change(k, { name: event.target.value }) })),
        h("td", {}, h("div.chips", {},
          h("button.chip", { "aria-pressed": String(!zone.vehicles.length), onclick: () => change(k, { vehicles: [] }) }, t("zone.all")),
          names.map((name) => h("button.chip", {
            "aria-pressed": String(zone.vehicles.includes(name)), "data-key": `zone ${k} ${name}`,
            onclick: () => change(k, { vehicles: zone.vehicles.includes(name) ? zone.vehicles.filter((one) => one !== name) : [...zone.vehicles, name] }),
          }, name)))),
        h("td", {}, h("button.button.small.square.plain", {
          "aria-label": t("zone.remove"), title: t("zone.remove"),
          onclick: () => store.change(t("undo.zone"), (doc) => ({ ...doc, zones: doc.zones.toSpliced(k, 1) })),
        }, icon("bin"))))))),
    h("div.pad", {}, draw),
  ];
}
