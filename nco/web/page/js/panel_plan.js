// The top of the side: what the plan amounts to, and the curve of the search.

import { known, on, store } from "./app.js";
import { curve } from "./curve.js";
import { h, perFrame, refill } from "./dom.js";
import { km, money, span } from "./format.js";
import { icon } from "./icons.js";
import { plan, stop } from "./search.js";
import { t } from "./words.js";

export function planPanel() {
  const place = h("div.plan-head", {});
  const show = perFrame(() => refill(place, searching(), totals()));
  on("search view problem busy doc theme", show);
  setInterval(() => { if (known.search?.running) show(); }, 200);
  show();
  return place;
}

function searching() {
  const { search } = known;
  if (!search || known.view?.isDay) return null;
  const now_s = search.offset_s + (search.running ? (performance.now() - search.begun) / 1000 : 0);
  const { best } = search;
  const cost = search.running ? best?.cost : known.planned?.totals.cost;
  const state = search.running
    ? search.stopping ? t("search.stopping") : search.state === "queued" ? t("search.queued")
      : t("search.running", { now: Math.min(now_s - search.offset_s, search.limit_s).toFixed(0), whole: search.limit_s })
    : t("search.done", { n: (search.spent_s ?? now_s).toFixed(1) });
  return h("div.searching", {},
    h("div.row", {},
      h("span.soft.grow", {}, state),
      cost !== undefined && cost !== null && h("span", { title: t("search.cost") }, h("span.soft", {}, `${t("total.cost")} `), h("strong", {}, money(cost))),
      search.running
        ? h("button.button.small", { "data-key": "stop", onclick: stop, disabled: search.stopping || !search.id, title: t("search.stop.tip") },
          icon("stop"), t("search.stop"))
        : h("button.button.small", { "data-key": "further", onclick: () => plan({ further: true }), disabled: !known.problem, title: t("search.further.tip") },
          icon("play"), t("search.further"))),
    curve(search, search.running ? now_s : search.spent_s ?? now_s));
}

function totals() {
  const { view } = known;
  if (!view) return null;
  const { totals: sum } = view;
  const left = sum.unserved + (view.waiting?.length ?? 0);
  const one = (key, value, level = "") => h(`div.total${level ? `.${level}` : ""}`, { title: t(`total.${key}.tip`) },
    h("span.value", {}, value), h("span.what", {}, t(`total.${key}`, { n: value })));
  return h("div.totals", { role: "group", "aria-label": t("totals") },
    one("km", km(sum.distance_m)),
    one("hours", span(sum.duration_s)),
    one("vehicles", `${sum.vehicles}/${known.problem?.fleet.length ?? store.doc.fleet.rows.length}`),
    sum.broken > sum.late ? one("broken", String(sum.broken), "bad") : one("late", String(sum.late), sum.late ? "bad" : "good"),
    one("unserved", String(left), left ? "bad" : "good"),
    one("balance", `${Math.round(100 * sum.balance)} %`));
}
