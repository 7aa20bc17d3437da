// The day as it is driven: the clock, what was served, what comes up, and the plan of the rest.

import { ask } from "./api.js";
import { at, choose, known, on, settleView, store, tell } from "./app.js";
import { dayView, placeName } from "./day_view.js";
import { h, perFrame, refill } from "./dom.js";
import { clock, seconds, span } from "./format.js";
import { icon } from "./icons.js";
import { dot } from "./map/tip.js";
import { menu, question } from "./menu.js";
import { failed, say } from "./told.js";
import { routesOf } from "./view.js";
import { t } from "./words.js";

const AGAIN_S = 0.5;
const STEPS = [15, 60];

export function dayPanel() {
  const place = h("div.day", {});
  const show = perFrame(() => refill(place, content()));
  on("view day problem doc busy choose", show);
  on("doc", ({ before }) => { if (before.day !== store.doc.day && known.day?.id !== store.doc.day) load(); });
  on("problem", () => { if (known.day && known.dayProblem !== known.problem) took(known.day); });
  on("day-add", add);
  on("day-again", again);
  on("day-move", ({ name, lonlat }) => change({ op: "move", name, lonlat }, t("day.moved", { name })));
  show();
  return place;
}

/** Takes what the server says of the day, and shows it where the day is looked at. */
function took(state) {
  known.day = state;
  known.dayProblem = known.problem;
  known.dayView = state.plan ? dayView(state) : null;
  tell("day");
  settleView();
}

async function load() {
  const { day } = store.doc;
  known.day = known.dayView = null;
  tell("day");
  if (!day) return settleView();
  try {
    const state = await ask("GET", `/v1/plans/${encodeURIComponent(day)}`);
    if (day === store.doc.day && !(known.day?.changes > state.changes)) took(state); // else it is of the past
  } catch (error) {
    if (error.status === 404) store.note((doc) => ({ ...doc, day: null }));
    else failed(error);
  }
  return undefined;
}

async function begin() {
  const { problem } = known;
  working(true);
  try {
    const { id } = await ask("POST", "/v1/plans", { problem_id: problem.id, ...(store.doc.city ? { city: store.doc.city } : {}) });
    const routes = routesOf(store.doc.routes, problem);
    const state = await ask("POST", `/v1/plans/${id}/changes`, { op: "adopt", routes });
    known.day = state; // before the day has its number: it need not be asked for again
    store.note((doc) => ({ ...doc, day: id }));
    took(state);
    say(t("day.begun"));
  } catch (error) {
    failed(error);
  } finally {
    working(false);
  }
}

let busy = false;
function working(is) {
  busy = is;
  if (is) known.busy.add("day");
  else known.busy.delete("day");
  tell("day");
}

/** One thing happens; the rest is planned again where that changes it. */
async function change(what, told = "", again = true) {
  if (busy) return false;
  working(true);
  const path = `/v1/plans/${encodeURIComponent(store.doc.day)}/changes`;
  try {
    let state = await ask("POST", path, what);
    if (again) state = await ask("POST", path, { op: "replan", time_limit_s: AGAIN_S });
    took(state);
    if (told) say(told);
    return true;
  } catch (error) {
    failed(error);
    return false;
  } finally {
    working(false);
  }
}

const again = () => change({ op: "replan", time_limit_s: 4 * AGAIN_S }, t("day.again.done"), false);
const advance = (now_s) => change({ op: "advance", now_s }, "", false);

async function end() {
  if (!await question(t("day.end"), [], t("day.end"), t("day.end.sure"))) return;
  try {
    await ask("DELETE", `/v1/plans/${encodeURIComponent(store.doc.day)}`);
  } catch (error) {
    if (error.status !== 404) failed(error);
  }
  store.note((doc) => ({ ...doc, day: null }));
}

async function add({ lonlat, name }) {
  const given = await question(t("day.add"), [
    { key: "name", label: t("day.name"), value: name }, { key: "demand", label: t("card.demand"), value: "1", type: "number" },
    { key: "from", label: t("day.from"), hint: "9:00" }, { key: "to", label: t("day.to"), hint: "12:00" },
    { key: "minutes", label: t("day.minutes"), value: "5", type: "number" },
  ], t("day.add"));
  if (!given?.name) return;
  const from = seconds(given.from) ?? 0;
  const to = seconds(given.to);
  await change({
    op: "add", name: given.name, lonlat, demand: Number(given.demand) || 0, service_s: 60 * (Number(given.minutes) || 0),
    ...(given.from || given.to ? { window_s: [from, to] } : {}),
  }, t("day.added", { name: given.name }));
}

function content() {
  const { day } = store.doc;
  if (!day) {
    return h("div.empty", {}, icon("clock"), t("day.empty"),
      h("button.button.main", { "data-key": "begin", id: "begin-day", disabled: !known.view?.routes.length || busy || known.view.totals.distance_m === null,
        title: known.view?.totals.distance_m === null ? t("day.cannot") : "", onclick: begin }, icon("play"), t("day.begin")));
  }
  const view = known.dayView;
  if (!view) return h("div.empty", {}, icon("clock"), t("day.loading"));
  return [now(), events(), view.unserved.length > 0 && left(view), view.routes.map(vehicle), over()];
}

function now() {
  const { now_s: time } = known.day;
  const first = Math.min(...known.dayView.routes.map((route) => route.visits[0].departure_s));
  const last = Math.max(...known.dayView.routes.map((route) => route.visits.at(-1).arrival_s ?? 0));
  const base = time || Math.floor(first / 900) * 900;
  const set = (text) => {
    const to = seconds(text);
    if (to !== null) advance(to);
  };
  return h("div.clock-row", {},
    h("label.row", {}, h("span.soft", {}, t("day.now")),
      h("input.field.clock-now", { value: clock(base), size: 5, "data-key": "now", "aria-label": t("day.now"), disabled: busy, onchange: (event) => set(event.target.value) })),
    wall() > base && wall() < last && h("button.button.small", { "data-key": "wall", disabled: busy, title: t("day.wall.tip"), onclick: () => advance(wall()) }, t("day.wall", { at: clock(wall()) })),
    STEPS.map((minutes) => h("button.button.small", { "data-key": `step ${minutes}`, disabled: busy, onclick: () => advance(base + 60 * minutes) }, `+${span(60 * minutes)}`)),
    h("span.grow"), busy && h("span.faint", {}, t("day.busy")));
}

/** What the clock on the wall says, in seconds of the day. */
function wall() {
  const now = new Date();
  return 3600 * now.getHours() + 60 * now.getMinutes();
}

function events() {
  const chosen = at.chosen && known.dayView.byStop.get(at.chosen);
  const open = chosen && !chosen.visit.done;
  return h("div.events", {},
    h("button.button.small", { "data-key": "add", disabled: busy, onclick: () => tell("sketch") }, icon("add"), t("day.add")),
    h("button.button.small", {
      "data-key": "cancel", disabled: busy || !open, title: open ? t("day.cancel.what", { name: at.chosen }) : t("day.cancel.tip"),
      onclick: () => change({ op: "cancel", name: at.chosen }, t("day.cancelled", { name: at.chosen })).then((done) => done && choose(null)),
    }, icon("close"), t("day.cancel")),
    h("button.button.small", { "data-key": "move", disabled: busy, title: t("day.move.tip"), onclick: () => tell("move-places") }, icon("move"), t("day.move")));
}

function left(view) {
  return h("section.unserved", {}, h("h3.bad.row", {}, icon("alarm"), t("unserved.title", { n: view.unserved.length })),
    view.unserved.map((stop) => h("div.reason", {}, h("strong", {}, stop.name), h("span.soft", {}, stop.reason))));
}

function vehicle(route) {
  const done = route.stops.filter((visit) => visit.done);
  const next = route.stops.find((visit) => !visit.done);
  const bound = done.at(-1);
  const more = h("button.button.small.square.plain", {
    "aria-label": t("day.more", { name: route.name }), title: t("day.more", { name: route.name }), disabled: busy,
    onclick: () => menu(more, [
      bound && { label: t("day.report", { name: bound.name }), icon: "check", run: () => report(route, done) },
      next && { label: t("day.report.next", { name: next.name }), icon: "check", run: () => report(route, [...done, next]) },
      { label: t("day.drop", { name: route.name }), icon: "bin", run: () => drop(route) },
    ]),
  }, icon("more"));
  return h("section.route", { "data-vehicle": route.name },
    h("div.line.duty", {}, h("span.who", {}, dot(route.vehicle), h("span.cut", {}, route.name)),
      h("span.number.soft", {}, t("day.of", { n: done.length, all: route.stops.length })), more),
    h("div.under", {}, h("span.progress", {}, h("i", { style: { width: `${(100 * done.length) / Math.max(1, route.stops.length)}%` } })),
      next ? h("button.link.cut", { onclick: () => choose(next.name) }, t("day.next", { name: next.name, at: clock(next.start_s) })) : h("span.soft", {}, t("day.home", { at: clock(route.visits.at(-1).arrival_s) }))));
}

async function drop(route) {
  const name = { name: route.name };
  if (!await question(t("day.drop", name), [], t("day.drop", name), t("day.drop.sure"))) return;
  await change({ op: "drop_vehicle", vehicle: route.vehicle }, t("day.dropped"));
}

/** Says what a vehicle has really done, and when it could leave the last of it. */
async function report(route, done) {
  const last = done.at(-1);
  const given = await question(t("day.report", { name: last.name }), [{ key: "at", label: t("day.ready"), value: clock(Math.max(known.day.now_s, last.departure_s)) }], t("day.report.do"), placeName(route));
  const ready_s = given && seconds(given.at);
  if (given && ready_s === null) say(t("day.no_time"), { bad: true });
  if (!given || ready_s === null) return;
  await change({ op: "served", vehicle: route.vehicle, stops: done.map((visit) => visit.name), ready_s }, t("day.reported", { name: last.name }));
}

function over() {
  return h("div.pad.row", {}, h("span.grow"), h("button.button.small.plain", { onclick: end }, t("day.end")));
}
