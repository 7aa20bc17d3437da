// What is to be looked at before planning, each with what puts it right.

import { choose, known, on, store, tell } from "./app.js";
import { withMeant, withPlace } from "./columns.js";
import { withoutRows } from "./document.js";
import { h, perFrame, refill } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

const MOST = 200;

export function checksPanel() {
  const place = h("div.checks", {});
  const show = perFrame(() => refill(place, content()));
  on("read problem", show);
  show();
  return place;
}

function content() {
  const { checks } = known;
  if (!store.doc.stops.rows.length) return h("div.empty", {}, icon("table"), t("checks.nothing"));
  if (!checks.length) return h("div.empty", {}, icon("check"), t("checks.none", { n: known.stops.read.length }));
  const bad = checks.filter((one) => one.level === "bad").length;
  return [
    h("p.lead.soft", {}, t("checks.lead", { bad, warn: checks.length - bad })),
    checks.slice(0, MOST).map(one),
    checks.length > MOST && h("p.lead.faint", {}, t("checks.more", { n: checks.length - MOST })),
  ];
}

function one(check, number) {
  const goes = check.line > 0;
  return h(`section.check.${check.level}`, {},
    h("button.what", { "data-key": `check ${number}`, disabled: !goes, onclick: () => reach(check) },
      icon(check.level === "bad" ? "alarm" : "help"),
      h("span.grow", {},
        goes && h("span", {}, h("strong", {}, check.name || t("check.row", { n: check.line - 1 })),
          h("span.faint", {}, ` ${t("check.where", { row: check.line - 1, column: check.column ?? "" })}`)),
        h("span.text", {}, check.text))),
    h("div.fixes", {}, fixes(check)));
}

function reach(check) {
  tell("reach", { table: check.table, row: check.line - 2, column: check.column });
  if (check.table === "stops" && check.name) choose(check.name);
}

function fixes(check) {
  const button = (label, run, at = null) => h("button.button.small", {
    onclick: () => { tell("ghost", null); run(); }, title: at?.how,
    // Where a candidate is, is seen on the map before it is taken.
    onmouseenter: () => tell("ghost", at), onmouseleave: () => tell("ghost", null),
  }, label);
  const row = check.line - 2;
  const place = (lon, lat) => store.change(t("undo.place", { name: check.name }), (doc) => withPlace(doc, row, lon, lat));
  if (check.kind === "address") {
    return [
      ...(check.candidates ?? []).slice(0, 3).map((found, k) => button(
        k ? found.found : t("check.accept", { name: found.found }), () => place(found.lon, found.lat), found)),
    ];
  }
  if (check.kind === "far") {
    return [button(t("check.to_street"), () => place(check.candidates[0].lon, check.candidates[0].lat), check.candidates[0]), remove(check)];
  }
  if (check.kind === "odd" && check.column === "skills") {
    return [button(t("check.clear"), () => store.change(t("undo.cells", { n: 1 }), (doc) => withMeant(doc, "stops", row, "skills", "")))];
  }
  if (check.kind === "missing" && check.table === "fleet") return [button(t("check.add_fleet"), () => tell("add-fleet"))];
  if (check.kind === "missing") return [button(t("check.first_depot"), () => store.change(t("undo.depot"), (doc) => withMeant(doc, "stops", 0, "kind", "depot")))];
  if ((check.kind === "fault" || check.kind === "much") && check.line > 1) return [remove(check)];
  return [];
}

function remove(check) {
  return h("button.button.small.plain", {
    onclick: () => store.change(t("undo.remove", { n: 1 }), (doc) => withoutRows(doc, check.table, [check.line - 2])),
  }, t("check.remove"));
}
