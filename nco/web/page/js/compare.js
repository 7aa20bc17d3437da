// Two plans side by side: what each amounts to, measured on the same problem, and what differs.

import { known, on, store } from "./app.js";
import { judged } from "./derive.js";
import { h, perFrame, refill } from "./dom.js";
import { km, money, span } from "./format.js";
import { icon } from "./icons.js";
import { question } from "./menu.js";
import { failed } from "./told.js";
import { viewOf } from "./view.js";
import { t } from "./words.js";

const NOW = "";
const LINES = [
  ["cost", (sum) => sum.cost, money], ["km", (sum) => sum.distance_m, km], ["hours", (sum) => sum.duration_s, span],
  ["driving", (sum) => sum.driving_s, span], ["waiting", (sum) => sum.waiting_s, span], ["vehicles", (sum) => sum.vehicles, String],
  ["late", (sum) => sum.late, String], ["broken", (sum) => sum.broken, String], ["unserved", (sum) => sum.unserved, String],
  ["longest", (sum) => sum.longest_s, span], ["balance", (sum) => -sum.balance, (value) => `${Math.round(-100 * value)} %`],
];
const views = new Map();
let pair = [NOW, null];

export function comparePanel() {
  const place = h("div.compare", {});
  const show = perFrame(() => refill(place, content(show)));
  on("view problem doc", show);
  show();
  return place;
}

export async function keep() {
  const { doc } = store;
  if (!doc.routes) return;
  const given = await question(t("compare.keep"), [{ key: "name", label: t("compare.name"), value: t("compare.plan", { n: doc.kept.length + 1 }) }], t("compare.keep"));
  if (!given?.name) return;
  store.change(t("undo.keep"), (now) => ({ ...now, kept: [...now.kept.filter((one) => one.name !== given.name), { name: given.name, routes: now.routes }] }));
  pair = [NOW, given.name];
}

const routesOf = (name) => (name === NOW ? store.doc.routes : store.doc.kept.find((one) => one.name === name)?.routes);

/** A plan as it is on the present problem; asked for where it is not known. */
function viewOfPlan(name, again) {
  if (name === NOW) return known.view;
  const routes = routesOf(name);
  if (!routes || !known.problem) return null;
  const kept = views.get(routes);
  if (kept?.problem === known.problem) return kept;
  if (kept !== "asked") {
    views.set(routes, "asked");
    judged(routes).then((answer) => {
      views.set(routes, viewOf(answer, known.problem, store.doc));
      again();
    }, failed);
  }
  return null;
}

function content(again) {
  const { kept, routes } = store.doc;
  const add = h("button.button.small", { "data-key": "keep", onclick: keep, disabled: !routes }, icon("add"), t("compare.keep"));
  if (!kept.length) return h("div.empty", {}, icon("compare"), t("compare.empty"), add);
  if (!kept.some((one) => one.name === pair[1]) && pair[1] !== NOW) pair[1] = kept.at(-1).name;
  if (pair[0] !== NOW && !kept.some((one) => one.name === pair[0])) pair[0] = NOW;
  const [a, b] = pair.map((name) => viewOfPlan(name, again));
  const choice = (k) => h("select.field.small", {
    "aria-label": t("compare.choose", { n: k + 1 }), "data-key": `choice ${k}`,
    onchange: (event) => { pair[k] = event.target.value; again(); },
  }, [NOW, ...kept.map((one) => one.name)].map((name) => h("option", { value: name, selected: name === pair[k] }, name || t("compare.now"))));
  return [
    h("table.plain.sums", {},
      h("thead", {}, h("tr", {}, h("th", {}), h("th.number", {}, choice(0)), h("th.number", {}, choice(1)), h("th.number", {}, t("compare.difference")))),
      h("tbody", {}, LINES.map(([key, value, shown]) => line(key, a ? value(a.totals) : undefined, b ? value(b.totals) : undefined, shown)))),
    a && b && changed(a, b),
    h("div.pad.row.wrap", {}, add,
      pair[1] !== NOW && h("button.button.small", { onclick: () => store.change(t("undo.take", { name: pair[1] }), (doc) => ({ ...doc, routes: routesOf(pair[1]) })) }, t("compare.take", { name: pair[1] })),
      pair[1] !== NOW && h("button.button.small.square.plain", {
        title: t("compare.remove", { name: pair[1] }), "aria-label": t("compare.remove", { name: pair[1] }),
        onclick: () => store.change(t("undo.keep"), (doc) => ({ ...doc, kept: doc.kept.filter((one) => one.name !== pair[1]) })),
      }, icon("bin"))),
  ];
}

function line(key, a, b, shown) {
  const told = (value) => (value === undefined ? "…" : value === null ? "–" : shown(value));
  const more = Number.isFinite(a) && Number.isFinite(b) ? b - a : 0;
  const text = shown(Math.abs(more)) === shown(0) ? "" : key === "balance"
    ? `${more < 0 ? "+" : "−"}${Math.abs(Math.round(100 * more))} %`
    : `${more > 0 ? "+" : "−"}${shown(Math.abs(more))}`;
  return h("tr", { title: t(`total.${key}.tip`) }, h("th", { scope: "row" }, t(`total.${key}`)), h("td.number", {}, told(a)), h("td.number", {}, told(b)),
    h(`td.number${!text ? "" : more > 0 ? ".bad" : ".good"}`, {}, text));
}

function changed(a, b) {
  const owner = (view, name) => view.byStop.get(name)?.route.name ?? t("unserved");
  const names = [...new Set([...a.byStop.keys(), ...b.byStop.keys()])].filter((name) => owner(a, name) !== owner(b, name));
  if (!names.length) return h("p.lead.soft", {}, t("compare.same"));
  return h("details.lead", {}, h("summary", {}, t("compare.changed", { n: names.length })),
    h("ul.moves", {}, names.slice(0, 200).map((name) => h("li", {}, h("span.cut.grow", {}, name), h("span.soft", {}, `${owner(a, name)} → ${owner(b, name)}`)))));
}
