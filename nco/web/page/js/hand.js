// Changes by hand, and what each of them costs and breaks before it is made.

import { latest } from "./api.js";
import { known, store } from "./app.js";
import { judged } from "./derive.js";
import { h } from "./dom.js";
import { failed } from "./told.js";
import { dot } from "./map/tip.js";
import { clock, km, signed, span } from "./format.js";
import { t } from "./words.js";
import { viewOf } from "./view.js";

/** Routes with a stop taken out. */
export const without = (routes, name) => routes
  .map((route) => (route.stops.includes(name) ? { ...route, stops: route.stops.filter((one) => one !== name) } : route))
  .filter((route) => route.stops.length);

/** Routes with a stop as the `turn`-th of a vehicle's trip; at its end without a turn. */
export function moved(routes, name, { vehicle, turn = Infinity, trip = 0 }) {
  let seen = -1;
  let done = false;
  const next = routes.map((route) => {
    const mine = route.vehicle === vehicle && (seen += 1) === trip;
    const at = route.stops.indexOf(name);
    if (!mine && at < 0) return route;
    const stops = route.stops.filter((one) => one !== name);
    if (!mine) return { ...route, stops };
    done = true;
    const where = Math.min(turn, route.stops.length);
    return { ...route, stops: stops.toSpliced(at >= 0 && at < where ? where - 1 : where, 0, name) };
  }).filter((route) => route.stops.length);
  return done ? next : [...next, { vehicle, stops: [name] }];
}

const judgeTrial = latest(async (signal, routes) => judged(routes, signal, false));
let asked = "";
let waiting = null;

/** Shows what a move would cost; `show` is given elements, at once and again when it is judged. */
export function trial(name, target, show) {
  const key = `${name} ${target.vehicle} ${target.trip} ${target.turn}`;
  if (key === asked && waiting) { waiting.show = show; show(waiting.content); return; }
  asked = key;
  const mine = (waiting = { show, content: [title(target), h("div.soft", {}, t("drag.judging"))] });
  show(mine.content);
  judgeTrial(moved(store.doc.routes, name, target)).then((answer) => {
    if (!answer || waiting !== mine) return;
    const next = viewOf(answer, known.problem, store.doc);
    const at = next.byStop.get(name)?.visit;
    mine.content = [title(target), ...difference(known.view, next),
      at && h("div.soft", {}, t("drag.at", { at: clock(at.start_s) }))];
    mine.show(mine.content);
  }, failed);
}

const title = (target) => h("div", {}, dot(target.number), h("strong", {}, target.vehicle));

/** What is different between two plans, line by line. */
export function difference(before, after) {
  const [a, b] = [before.totals, after.totals];
  const told = [];
  const metres = b.distance_m - a.distance_m;
  const time = b.duration_s - a.duration_s;
  told.push(h(metres > 0 ? "div.bad" : "div.good", {},
    `${signed(km(metres), metres)} · ${signed(span(time), time)}`));
  for (const [what, n] of [["late", b.late - a.late], ["unserved", b.unserved - a.unserved]]) {
    if (n) told.push(h(n > 0 ? "div.bad" : "div.good", {}, t(`more.${what}`, { n: signed(String(n), n) })));
  }
  const old = new Set(before.violations.map((one) => one.message));
  for (const one of after.violations.filter((broken) => !old.has(broken.message)).slice(0, 3)) {
    told.push(h("div.bad", {}, one.message));
  }
  return told;
}
