// What is to be looked at before planning, each with what puts it right.

import { choose, known, on, store, tell } from "./app.js";
import { withAccepted } from "./checks.js";
import { columnOf, meaning, MORE, withMeaning, withMeant, withPlace } from "./columns.js";
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
  const [bad, warn] = ["bad", "warn"].map((level) => checks.filter((one) => one.level === level).length);
  return [
    h("p.lead.soft", {}, bad + warn ? t("checks.lead", { bad, warn }) : t("checks.notes", { n: known.stops.read.length })),
    checks.slice(0, MOST).map(one),
    checks.length > MOST && h("p.lead.faint", {}, t("checks.more", { n: checks.length - MOST })),
  ];
}

function one(check, number) {
  const goes = check.line > 0 || check.kind === "column";
  return h(`section.check.${check.level}`, {},
    h("button.what", { "data-key": `check ${number}`, disabled: !goes, onclick: () => reach(check) },
      icon(check.level === "bad" ? "alarm" : check.level === "warn" ? "help" : "table"),
      h("span.grow", {},
        goes && h("span", {}, h("strong", {}, check.name || t("check.row", { n: check.line - 1 })),
          h("span.faint", {}, ` ${check.kind === "column" ? t(`check.column.${check.table}`) : t("check.where", { row: check.line - 1, column: titled(check) })}`)),
        h("span.text", {}, check.text))),
    h("div.fixes", {}, fixes(check), check.level !== "bad" && leave(check)));
}

/** The title of a column as it stands in the person's own table. */
function titled({ table, column }) {
  return column ? store.doc[table].header[columnOf(store.doc[table], table, column)] ?? column : "";
}

function reach(check) {
  if (check.kind === "column") return tell("reach", { table: check.table, row: 0, column: check.title });
  tell("reach", { table: check.table, row: check.line - 2, column: check.column });
  if (check.table === "stops" && check.name) choose(check.name);
  return undefined;
}

function fixes(check) {
  const button = (label, run, at = null) => h("button.button.small", {
    onclick: () => { tell("ghost", null); run(); }, title: at?.how,
    // Where a candidate is, is seen on the map before it is taken.
    onmouseenter: () => tell("ghost", at), onmouseleave: () => tell("ghost", null),
  }, label);
  if (check.kind === "column") return meanings(check, button);
  const row = check.line - 2;
  const byHand = () => button(t("check.by_hand"), () => tell("point-place", { row, name: check.name }));
  const place = (lon, lat) => store.change(t("undo.place", { name: check.name }), (doc) => withPlace(doc, row, lon, lat));
  if (check.kind === "address") {
    return [
      ...(check.candidates ?? []).slice(0, 3).map((found, k) => button(
        k ? found.found : t("check.accept", { name: found.found }), () => place(found.lon, found.lat), found)),
      byHand(),
    ];
  }
  if (check.kind === "far") {
    return [button(t("check.to_street"), () => place(check.candidates[0].lon, check.candidates[0].lat), check.candidates[0]), byHand(), remove(check)];
  }
  if (check.kind === "odd" && check.column === "skills") {
    return [button(t("check.clear"), () => store.change(t("undo.cells", { n: 1 }), (doc) => withMeant(doc, "stops", row, "skills", "")))];
  }
  if (check.kind === "missing" && check.table === "fleet") return [button(t("check.add_fleet"), () => tell("add-fleet"))];
  if (check.kind === "missing") return [button(t("check.first_depot"), () => store.change(t("undo.depot"), (doc) => withMeant(doc, "stops", 0, "kind", "depot")))];
  const placeless = check.kind === "fault" && check.table === "stops" && PLACE.has(check.column);
  if ((check.kind === "fault" || check.kind === "much") && check.line > 1) return [placeless && byHand(), remove(check)];
  return [];
}

/** Whoever has looked at it need not look again. */
function leave(check) {
  return h("button.button.small.plain", {
    onclick: () => store.change(t("undo.accepted"), (doc) => withAccepted(doc, check)),
  }, t("check.leave"));
}

const PLACE = new Set(["", "address", "street", "lat", "lon", "lat_lon"]);

/** What a column may be called so that something is planned with it. */
function meanings({ table, title, guess }, button) {
  const there = new Set(store.doc[table].header.map((one) => meaning(table, one)));
  const use = (name) => store.change(t("undo.column"), (doc) => withMeaning(doc, table, title, name));
  return [
    guess && button(t("check.use", { title: t(`title.${guess}`) }), () => use(guess)),
    h("select.field.small", { "aria-label": t("check.use.as", { title }), "data-key": `use ${table} ${title}`, onchange: (event) => event.target.value && use(event.target.value) },
      h("option", { value: "" }, t("check.use.other")),
      MORE[table].filter((name) => !there.has(name)).map((name) => h("option", { value: name }, t(`title.${name}`)))),
  ];
}

function remove(check) {
  return h("button.button.small.plain", {
    onclick: () => store.change(t("undo.remove", { n: 1 }), (doc) => withoutRows(doc, check.table, [check.line - 2])),
  }, t("check.remove"));
}
