// The cost as it falls while a search goes on: a step down for each better answer.

import { svg } from "./dom.js";
import { money } from "./format.js";
import { t } from "./words.js";

const WIDE = 320;
const HIGH = 62;
const TOP = 8;

export function curve(search, now_s) {
  const points = [...search.before, ...search.points].filter((point) => point.cost !== null);
  const whole_s = Math.max(search.offset_s + search.limit_s, now_s, 0.1);
  const box = svg("svg.curve", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img",
    "aria-label": points.length ? t("curve.label", { cost: money(points.at(-1).cost) }) : t("curve.waiting") });
  // Costs with stops left out are no costs of the same thing, so the scale is that of the best kind.
  const least = Math.min(...points.map((point) => point.unassigned));
  const shown = points.filter((point) => point.unassigned === least);
  if (shown.length) {
    const low = Math.min(...shown.map((point) => point.cost));
    const high = Math.max(...shown.map((point) => point.cost), low * 1.01 + 1e-9);
    const x = (time_s) => (WIDE * Math.min(time_s, whole_s)) / whole_s;
    const y = (cost) => TOP + (HIGH - 2 * TOP) * (1 - (cost - low) / (high - low));
    let d = `M${x(shown[0].time_s)},${y(shown[0].cost)}`;
    for (const point of shown.slice(1)) d += `H${x(point.time_s)}V${y(point.cost)}`;
    const end = search.running ? Math.min(now_s, whole_s) : Math.max(shown.at(-1).time_s, search.spent_s ?? 0);
    d += `H${x(end)}`;
    box.append(svg("path.area", { d: `${d}V${HIGH}H${x(shown[0].time_s)}Z` }), svg("path.line", { d }));
  }
  box.append(svg("line.now", { x1: (WIDE * Math.min(now_s, whole_s)) / whole_s, x2: (WIDE * Math.min(now_s, whole_s)) / whole_s, y1: 0, y2: HIGH }));
  return box;
}
