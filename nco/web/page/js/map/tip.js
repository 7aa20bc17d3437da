// What is under the pointer, in a few words beside it.

import { known } from "../app.js";
import { colourOf } from "../colours.js";
import { h } from "../dom.js";
import { amount, clock, km, span, windows } from "../format.js";
import { t } from "../words.js";

let tip = null;

function shown(event, ...content) {
  tip ??= document.body.appendChild(h("div.hint", { role: "tooltip" }));
  tip.replaceChildren(...content.flat().filter(Boolean));
  const { innerWidth, innerHeight } = window;
  const box = tip.getBoundingClientRect();
  const x = event.clientX + 14 + box.width > innerWidth ? event.clientX - box.width - 10 : event.clientX + 14;
  const y = event.clientY + 16 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 16;
  tip.style.left = `${Math.max(4, x)}px`;
  tip.style.top = `${Math.max(4, y)}px`;
}

export function showTip(event, stop = null, route = null, more = null) {
  if (!event || (!stop && !route && !more)) {
    tip?.remove();
    tip = null;
    return;
  }
  if (event.pointerType === "touch" && !more) return;
  shown(event, more ?? (stop ? ofStop(stop.name) : ofRoute(route)));
}

function ofStop(name) {
  const row = known.stops.read.find((one) => one.name === name);
  const served = known.view?.byStop.get(name);
  const left = known.view?.unserved.find((one) => one.name === name);
  return [
    h("strong", {}, name),
    row && row.windows_s.some(([a, b]) => a || b !== null) && h("div.soft", {}, windows(row.windows_s)),
    row && !row.depot && row.demand.some(Boolean) && h("div.soft", {}, t("tip.demand", { n: row.demand.map(amount).join(" / ") })),
    served && h("div", {}, dot(served.route.vehicle), t("tip.served", {
      vehicle: served.route.name, n: served.visit.number, at: clock(served.visit.start_s),
    })),
    served && served.visit.waiting_s > 60 && h("div.soft", {}, t("tip.waits", { length: span(served.visit.waiting_s) })),
    served && served.visit.late_s > 0 && h("div.bad", {}, t("tip.late", { length: span(served.visit.late_s) })),
    left && h("div.bad", {}, left.reason),
  ];
}

function ofRoute(route) {
  return [
    h("div", {}, dot(route.vehicle), h("strong", {}, route.name)),
    h("div.soft", {}, t("tip.route", { n: route.stops.length, km: km(route.distance_m), time: span(route.duration_s) })),
  ];
}

export const dot = (vehicle) => h("span.dot", { style: { "--dot": colourOf(vehicle) } });
