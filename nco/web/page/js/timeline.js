// The day as a chart: driving, waiting, service and breaks of each vehicle, by the clock.

import { at, choose, chooseVehicle, known, on, point, store } from "./app.js";
import { colourOf } from "./colours.js";
import { h, perFrame, refill, svg } from "./dom.js";
import { clock, span } from "./format.js";
import { moved, trial } from "./hand.js";
import { icon } from "./icons.js";
import { showTip } from "./map/tip.js";
import { t } from "./words.js";

const ROW = 30;
const HEAD = 24;
const NAMES = 128;
const HOUR_PX = [40, 64, 100, 160, 260];

export function timeline() {
  const place = h("div.timeline", { tabindex: "0", "aria-label": t("timeline") });
  let zoom = null;
  let frame = null;
  let shown = null; // the vehicle that was chosen when it was drawn
  let width = 0; // to ask the element for it would lay out the whole page at once
  const show = perFrame(() => {
    if (!width) return; // it is not looked at
    frame = draw(place, zoom, width);
    shown = at.chosenVehicle;
  });
  on("view theme day", show);
  on("choose", ({ from }) => { if (from === "vehicle" || at.chosenVehicle !== shown) show(); else mark(place); });
  on("point", () => mark(place));
  new ResizeObserver(([{ contentRect }]) => {
    const shownAgain = !width;
    width = contentRect.width;
    if (zoom === null || shownAgain) show();
  }).observe(place);
  place.addEventListener("wheel", (event) => {
    if (!event.ctrlKey || !frame) return;
    event.preventDefault();
    const now = HOUR_PX.findIndex((one) => one >= frame.hour);
    zoom = HOUR_PX[Math.max(0, Math.min(HOUR_PX.length - 1, (now < 0 ? 2 : now) - Math.sign(event.deltaY)))];
    show();
  }, { passive: false });
  place.addEventListener("pointermove", (event) => {
    const found = event.target.closest("[data-stop]");
    const row = event.target.closest("[data-row]");
    if (frame?.held) return;
    point(found?.dataset.stop ?? null, row?.dataset.row ?? null);
    showTip(event, found && { name: found.dataset.stop });
  });
  place.addEventListener("pointerleave", () => { point(null); if (!frame?.held) showTip(null); });
  drags(place, () => frame);
  return place;
}

function draw(place, zoom, width) {
  const { view } = known;
  if (!view?.routes.length) {
    refill(place, h("div.empty", {}, icon("time"), t("timeline.empty")));
    return null;
  }
  // Vehicles that stay in have a lane as well: stops can be given to them.
  const fleet = view.isDay ? [] : (view.problem?.fleet ?? []).map((one) => one.name);
  const names = [...new Set([...fleet, ...view.routes.map((one) => one.name)])];
  const times = view.routes.flatMap((one) => one.visits.flatMap((visit) => [visit.arrival_s, visit.departure_s]))
    .filter((time) => time !== null);
  const first = Math.floor(Math.min(...times) / 3600);
  const last = Math.ceil(Math.max(...times, first * 3600 + 1) / 3600);
  const room = width - NAMES - 26;
  const hour = zoom ?? Math.max(26, room / Math.max(1, last - first));
  const wide = hour * (last - first);
  const x = (seconds) => (seconds === null ? NaN : NAMES + hour * (seconds / 3600 - first));
  const high = HEAD + ROW * names.length;
  const chart = svg("svg", { width: NAMES + wide + 22, height: high, role: "img", "aria-label": t("timeline") });
  const each = hour < 34 ? 2 : 1;
  for (let k = first; k <= last; k += 1) {
    const major = (k - first) % each === 0;
    chart.append(svg(major ? "line.hour" : "line.half", { x1: x(3600 * k), x2: x(3600 * k), y1: HEAD - 4, y2: high }));
    if (major) chart.append(svg("text.hour", { x: x(3600 * k), y: 14, "text-anchor": "middle" }, clock(3600 * k)));
  }
  // Lanes that stayed as they were are kept: after a change by hand that is all but one or two.
  const before = lanes.get(place) ?? new Map();
  const now = new Map();
  names.forEach((name, k) => {
    const look = lookOf(view, name, [k, hour, first, wide]);
    const kept = before.get(name);
    const lane = kept?.look === look ? kept.lane : row(view, name, HEAD + ROW * k, x, wide);
    now.set(name, { look, lane });
    lane.classList.toggle("quiet", at.chosenVehicle !== null && at.chosenVehicle !== name);
    chart.append(lane);
  });
  lanes.set(place, now);
  if (known.day?.now_s >= first * 3600) {
    chart.append(svg("line.clock", { x1: x(known.day.now_s), x2: x(known.day.now_s), y1: HEAD - 6, y2: high }));
  }
  refill(place, chart);
  mark(place);
  return { x, hour, first, names, view, time: (px) => 3600 * (first + (px - NAMES) / hour) };
}

const lanes = new WeakMap();

/** Everything that a lane is drawn from, in a word. */
function lookOf(view, name, frame) {
  const visits = view.routes.filter((one) => one.name === name)
    .flatMap((route) => route.visits.map((visit) => `${visit.name} ${visit.start_s} ${visit.late_s > 0} ${visit.done ?? ""}`));
  return [...frame, colourOf(numberOf(view, name)), ...visits].join("\n");
}

const numberOf = (view, name) => view.routes.find((one) => one.name === name)?.vehicle ?? view.problem.vehicleOf.get(name);

/** What of a lane is no working time of its vehicle. */
function offShift(group, view, name, top, x, wide) {
  const [from, to] = known.fleet.read.find((one) => one.name === name)?.shift_s ?? [0, null];
  const rest = (begin, end) => end > begin && group.append(svg("rect.off", { x: begin, y: top + 1, width: end - begin, height: ROW - 2 }));
  rest(NAMES, Math.min(x(from ?? 0), NAMES + wide));
  if (to !== null) rest(Math.max(x(to), NAMES), NAMES + wide);
}

function row(view, name, top, x, wide) {
  const routes = view.routes.filter((one) => one.name === name);
  const group = svg("g.lane", { "data-row": name });
  group.append(svg("rect.lane-back", { x: 0, y: top, width: NAMES + wide + 12, height: ROW }));
  offShift(group, view, name, top, x, wide);
  for (const route of routes) {
    const colour = colourOf(route.vehicle);
    route.visits.forEach((visit, k) => {
      const before = route.visits[k - 1];
      if (before) bar(group, "drive", x(before.departure_s), x(visit.arrival_s), top + 12, 6, { fill: colour }, visit);
      if (visit.waiting_s > 30) {
        bar(group, "wait", x(visit.start_s - visit.waiting_s), x(visit.start_s), top + 9, 12, { stroke: colour }, visit);
      }
      if (!visit.depot) {
        const late = visit.late_s > 0 ? ".late" : "";
        const block = bar(group, `service${late}`, x(visit.start_s), Math.max(x(visit.departure_s), x(visit.start_s) + 5), top + 5, 20,
          { fill: colour, rx: 3 }, visit);
        block.classList.toggle("done", Boolean(visit.done));
        if (x(visit.departure_s) - x(visit.start_s) > 15) {
          group.append(svg("text.turn", { x: (x(visit.start_s) + x(visit.departure_s)) / 2, y: top + 19, "text-anchor": "middle" }, String(visit.number)));
        }
      } else if (visit.departure_s > visit.arrival_s) {
        bar(group, "depot", x(visit.arrival_s), x(visit.departure_s), top + 9, 12, {}, visit);
      }
      for (const [begin, length] of visit.breaks ?? []) {
        bar(group, "break", x(begin), x(begin + length), top + 8, 14, {}, visit)
          .append(svg("title", {}, t("timeline.break", { length: span(length) })));
      }
    });
  }
  if (!routes.length) group.append(svg("text.idle", { x: NAMES + 8, y: top + ROW / 2 + 4 }, t("timeline.idle")));
  const label = svg("g.who", { role: "button", tabindex: "0", "aria-label": name },
    svg("rect.who-back", { x: 0, y: top, width: NAMES - 6, height: ROW }),
    svg("circle", { cx: 14, cy: top + ROW / 2, r: 5, fill: colourOf(numberOf(view, name)) }),
    svg("text", { x: 26, y: top + ROW / 2 + 4 }, name.length > 14 ? `${name.slice(0, 13)}…` : name));
  label.addEventListener("click", () => chooseVehicle(name));
  label.addEventListener("keydown", (event) => { if (event.key === "Enter") chooseVehicle(name); });
  group.append(label);
  return group;
}

function bar(group, kind, from, to, y, high, more, visit) {
  if (!Number.isFinite(from) || !Number.isFinite(to)) return svg("rect"); // where no way leads
  const [first, ...others] = kind.split(".");
  const found = svg(`rect.bar.${[first, ...others].join(".")}`, { x: from, y, width: Math.max(0, to - from), height: high, ...more });
  if (first === "service" || first === "wait") found.dataset.stop = visit.name;
  group.append(found);
  return found;
}

function mark(place) {
  for (const one of place.querySelectorAll(".pointed, .bar.chosen")) one.classList.remove("pointed", "chosen");
  if (at.chosen) place.querySelector(`.service[data-stop="${CSS.escape(at.chosen)}"]`)?.classList.add("chosen");
  if (at.stop) place.querySelectorAll(`[data-stop="${CSS.escape(at.stop)}"]`).forEach((one) => one.classList.add("pointed"));
  if (at.vehicle) place.querySelector(`[data-row="${CSS.escape(at.vehicle)}"]`)?.classList.add("pointed");
}

/** Service that is dragged to another time or vehicle. */
function drags(place, frameOf) {
  let held = null;
  place.addEventListener("pointerdown", (event) => {
    const found = event.target.closest(".service");
    if (!found || event.button !== 0) return;
    held = { name: found.dataset.stop, x: event.clientX, y: event.clientY, id: event.pointerId, went: false, block: found };
  });
  window.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.id) return;
    if (!held.went && Math.hypot(event.clientX - held.x, event.clientY - held.y) < 5) return;
    const frame = frameOf();
    if (!frame) return;
    held.went = true;
    frame.held = true;
    place.classList.add("dragging");
    held.target = targetAt(frame, event);
    const { target } = held;
    if (!target) return showTip(event, null, null, h("span.soft", {}, t("drag.nowhere.time")));
    const where = { clientX: event.clientX, clientY: event.clientY };
    trial(held.name, target, (content) => { if (held?.target === target || same(held?.target, target)) showTip(where, null, null, content); });
  });
  window.addEventListener("pointerup", (event) => {
    if (!held || event.pointerId !== held.id) return;
    const { name, target, went } = held;
    held = null;
    place.classList.remove("dragging");
    const frame = frameOf();
    if (frame) frame.held = false;
    if (!went) return choose(name, "timeline");
    showTip(null);
    if (target) {
      store.change(t("undo.give", { name, vehicle: target.vehicle }), (doc) => ({ ...doc, routes: moved(doc.routes, name, target) }));
      choose(name, "timeline");
    }
  });

  function targetAt(frame, event) {
    const box = place.querySelector("svg").getBoundingClientRect();
    const lane = Math.floor((event.clientY - box.top - HEAD) / ROW);
    const vehicle = frame.names[lane];
    const routes = frame.view.routes.filter((one) => one.name === vehicle);
    if (!vehicle || routes[0]?.locked || event.clientX < box.left + NAMES) return null;
    if (!routes.length) return { vehicle, number: numberOf(frame.view, vehicle), trip: 0, turn: 0 };
    const time = frame.time(event.clientX - box.left);
    const route = routes.findLast((one) => one.visits[0].departure_s <= time) ?? routes[0];
    const turn = route.stops.filter((visit) => visit.start_s < time).length;
    return { vehicle, number: route.vehicle, trip: route.trip, turn };
  }
}

const same = (a, b) => a && b && a.vehicle === b.vehicle && a.turn === b.turn && a.trip === b.trip;
