// The lower part: tables of stops, vehicles and zones, and the timeline.

import { at, choose, known, on, store, tell } from "./app.js";
import { MORE, meaning, withMeant } from "./columns.js";
import { withColumn, withoutColumn, withoutRows, withRow } from "./document.js";
import { h, perFrame, settled } from "./dom.js";
import { clock } from "./format.js";
import { icon } from "./icons.js";
import { dot } from "./map/tip.js";
import { menu } from "./menu.js";
import { Sheet } from "./sheet.js";
import { markTab, roundTabs } from "./tabs.js";
import { timeline } from "./timeline.js";
import { t } from "./words.js";
import { zonesTable } from "./zones_table.js";

const VIEWS = ["stops", "fleet", "zones", "timeline"];

export function dock(place) {
  const views = {
    stops: h("div.view.full", { role: "tabpanel" }, h("div.sheet", { id: "sheet-stops" })),
    fleet: h("div.view.full", { role: "tabpanel" }, h("div.sheet", { id: "sheet-fleet" })),
    zones: h("div.view", { role: "tabpanel" }, zonesTable()),
    timeline: h("div.view.full", { role: "tabpanel" }, timeline()),
  };
  const counts = Object.fromEntries(VIEWS.map((name) => [name, h("span.tag", {})]));
  const tabs = VIEWS.map((name) => h("button.tab", { role: "tab", "data-view": name, onclick: () => show(name) }, t(`dock.${name}`), counts[name]));
  const tools = h("div.tools", {});
  const sash = h("div.sash", { role: "separator", tabindex: "0", "aria-orientation": "horizontal", "aria-label": t("dock.size") });
  place.append(sash, h("div.head", {}, h("div.tabs", { role: "tablist", "aria-label": t("dock") }, tabs), h("span.grow"), tools), ...Object.values(views));
  size(sash);

  const sheets = {
    stops: new Sheet("stops", views.stops.firstChild, {
      further: [
        { key: "column.vehicle", width: 110, show: (name) => vehicleOf(name), look: (name) => known.view?.byStop.get(name)?.route.name ?? "" },
        { key: "column.arrival", width: 76, show: (name) => arrivalOf(name), look: (name) => lookOf(name) },
      ],
      lists: { kind: () => ["stop", "depot", "pickup", "delivery"] },
    }),
    fleet: new Sheet("fleet", views.fleet.firstChild, {
      lists: { start: depots, end: () => [...depots(), "any"] },
    }),
  };
  let now = "stops";

  function show(name) {
    now = name;
    for (const view of VIEWS) views[view].hidden = view !== name;
    markTab(tabs, name);
    tools.replaceChildren(...(sheets[name] ? tableTools(sheets[name]) : []));
    sheets[name]?.shown();
  }
  roundTabs(tabs, show);

  on("doc read problem view", perFrame(() => {
    counts.stops.textContent = store.doc.stops.rows.length || "";
    counts.fleet.textContent = store.doc.fleet.rows.length || "";
    counts.zones.textContent = store.doc.zones.length || "";
    counts.timeline.textContent = "";
    VIEWS.forEach((name) => { counts[name].hidden = !counts[name].textContent; });
    const bad = (kind) => known.checks.some((one) => one.table === kind && one.level === "bad");
    for (const kind of ["stops", "fleet"]) counts[kind].className = bad(kind) ? "tag bad" : "tag";
  }));
  on("reach", ({ table, row, column }) => {
    document.body.dataset.view = "dock";
    show(table);
    if (row >= 0) sheets[table].reach(row, column);
  });
  on("add-fleet", () => {
    addVehicles();
    show("fleet");
  });
  on("show-dock", (name) => show(name));
  show(now);
  return { show, sheets };
}

const depots = () => known.stops.read.filter((row) => row.depot).map((row) => row.name);

function vehicleOf(name) {
  const served = known.view?.byStop.get(name);
  if (served) return h("span.row.cut", {}, dot(served.route.vehicle), served.route.name);
  return known.view?.unserved.some((one) => one.name === name) ? h("span.bad", {}, t("unserved")) : null;
}

function lookOf(name) {
  const visit = known.view?.byStop.get(name)?.visit;
  return visit ? `${clock(visit.start_s)} ${visit.late_s > 0}` : "";
}

function arrivalOf(name) {
  const visit = known.view?.byStop.get(name)?.visit;
  return visit && h(visit.late_s > 0 ? "span.bad" : "span", {}, clock(visit.start_s));
}

/** Three vehicles to begin with, or one more like the last. */
export function addVehicles() {
  store.change(t("undo.vehicle"), (doc) => {
    const { rows, header } = doc.fleet;
    const count = rows.length ? 1 : 3;
    let next = doc;
    for (let k = 0; k < count; k += 1) {
      const last = next.fleet.rows.at(-1);
      const name = t("vehicle.name", { n: next.fleet.rows.length + 1 });
      next = withRow(next, "fleet", last ? [...last.entries()] : []);
      next = withMeant(next, "fleet", next.fleet.rows.length - 1, "name", name);
      if (!last && header.includes("shift")) next = withMeant(next, "fleet", 0, "shift", "8:00-17:00");
    }
    return next;
  });
}

function tableTools(sheet) {
  const { kind } = sheet;
  const find = h("input.field.small", {
    type: "search", placeholder: t("table.find"), "aria-label": t("table.find"), size: 10,
    oninput: settled((event) => sheet.filter(event.target.value), 120),
  });
  const add = h("button.button.small", { title: t(`${kind}.add`), onclick: () => (kind === "fleet" ? addVehicles() : addStop(sheet)) }, icon("add"), h("span.wide", {}, t("table.row")));
  const remove = h("button.button.small.square", { title: t("table.remove"), "aria-label": t("table.remove"), onclick: () => {
    const rows = sheet.selected();
    if (rows.length) store.change(t("undo.remove", { n: rows.length }), (doc) => withoutRows(doc, kind, rows));
  } }, icon("bin"));
  const columns = h("button.button.small", { "aria-haspopup": "menu", onclick: () => menu(columns, columnItems(sheet)) }, h("span", {}, t("table.columns")));
  return [find, add, remove, columns];
}

function columnItems(sheet) {
  const { kind } = sheet;
  const { header } = store.doc[kind];
  const there = new Set(header.map((title) => meaning(kind, title)));
  const at = sheet.column();
  return [
    at >= 0 && { label: t("column.remove", { title: header[at] }), icon: "bin", run: () => store.change(t("undo.column"), (doc) => withoutColumn(doc, kind, at)) },
    at >= 0 && "-",
    t("column.add"),
    ...MORE[kind].filter((name) => !there.has(name)).map((name) => ({
      label: t(`title.${name}`), tip: name, run: () => store.change(t("undo.column"), (doc) => withColumn(doc, kind, name)),
    })),
  ];
}

function addStop(sheet) {
  const { rows } = store.doc.stops;
  store.change(t("undo.add", { name: t("stop.name") }), (doc) => withRow(doc, "stops", []));
  setTimeout(() => sheet.reach(rows.length, "name"), 60);
}

/** The border between map and dock, by pointer or arrow keys. */
function size(sash) {
  const root = document.documentElement;
  const set = (px) => root.style.setProperty("--dock", `${Math.round(Math.max(80, Math.min(innerHeight - 180, px)))}px`);
  sash.addEventListener("pointerdown", (event) => {
    sash.setPointerCapture(event.pointerId);
    sash.onpointermove = (move) => set(innerHeight - move.clientY);
  });
  sash.addEventListener("pointerup", () => { sash.onpointermove = null; });
  sash.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 24, ArrowDown: -24 }[event.key];
    if (step) set(sash.parentElement.offsetHeight + step);
  });
}

/** Leaves a choice: nothing is marked any more. */
export function chooseNothing() {
  at.chosenVehicle = null;
  choose(null);
  tell("choose", { from: "" });
}
