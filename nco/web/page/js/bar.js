// The bar on top: which scenario, undo and redo, the button that plans, and everything else in menus.

import { known, on, store, tell } from "./app.js";
import { cityItems } from "./cities.js";
import { h, perFrame } from "./dom.js";
import { unsaved } from "./draft.js";
import { exportItems } from "./exports.js";
import { chooseFiles, example } from "./files.js";
import { icon } from "./icons.js";
import { menu } from "./menu.js";
import { plan, stop } from "./search.js";
import { save, scenarioItems } from "./scenarios.js";
import { turnTheme } from "./theme.js";
import { failed, say } from "./told.js";
import { t } from "./words.js";
import { help } from "./help.js";

const SECONDS = [2, 5, 10, 30, 60, 120, 300];

export function bar(place) {
  const button = (tip, sign, run, more = {}) => h("button.button.square.plain", { title: t(tip), "aria-label": t(tip), onclick: run, ...more }, icon(sign));
  const name = h("input.field.name", {
    "aria-label": t("scenario.name"), placeholder: t("scenario.unnamed"), maxlength: 200,
    onchange: (event) => store.change(t("undo.name"), (doc) => ({ ...doc, name: event.target.value }), "name"),
  });
  const open = button("scenario.open", "open", async () => menu(open, await scenarioItems()), { "aria-haspopup": "menu" });
  const keep = button("save", "save", save, { class: "keep" });
  const undo = button("undo", "undo", () => undone(store.undo(), "undone"));
  const redo = button("redo", "redo", () => undone(store.redo(), "redone"));
  const seconds = h("select.field.seconds", {
    "aria-label": t("search.limit"), title: t("search.limit"),
    onchange: (event) => store.note((doc) => ({ ...doc, options: { ...doc.options, time_limit_s: Number(event.target.value) } })),
  });
  const go = h("button.button.main", { onclick: () => (known.search?.running ? stop() : driven() ? tell("day-again") : plan()), id: "plan" });
  const out = h("button.button", { "aria-haspopup": "menu", onclick: () => menu(out, exportItems()) }, icon("out"), h("span.wide", {}, t("export")));
  const more = button("more", "more", () => menu(more, [
    { label: t("start.files"), icon: "table", run: chooseFiles },
    { label: t("start.example"), icon: "map", run: () => example().catch(failed) },
    { label: t("scenario.new"), icon: "drop", run: () => tell("new") },
    ...cityItems(),
    "-",
    { label: t("theme"), icon: document.documentElement.dataset.theme === "dark" ? "sun" : "moon", run: () => turnTheme(() => tell("theme")) },
    { label: t("help"), icon: "help", key: "?", run: help },
  ]), { "aria-haspopup": "menu" });
  place.append(
    h("div.brand", {}, h("img", { src: "/page/icon.svg", alt: "" }), h("span", {}, "nco")),
    h("span.split"), name, open, keep, h("span.split"), undo, redo,
    h("span.grow"), seconds, go, out, more);

  const show = perFrame(() => {
    const { doc } = store;
    if (document.activeElement !== name) name.value = doc.name;
    keep.classList.toggle("unsaved", unsaved());
    keep.title = unsaved() ? t("save.unsaved") : t("save");
    undo.disabled = !store.undoable;
    redo.disabled = !store.redoable;
    undo.title = store.undoable ? t("undo.what", { what: store.undoable }) : t("undo");
    redo.title = store.redoable ? t("redo.what", { what: store.redoable }) : t("redo");
    const most = known.about?.limits.time_limit_s ?? 300;
    const all = [...new Set([...SECONDS.filter((one) => one <= most), doc.options.time_limit_s])].sort((a, b) => a - b);
    seconds.replaceChildren(...all.map((one) => h("option", { value: one, selected: one === doc.options.time_limit_s }, t("search.seconds", { n: one }))));
    const { search } = known;
    const running = Boolean(search?.running);
    const word = driven() ? "day.again" : doc.routes ? "plan.again" : "plan";
    go.replaceChildren(icon(running ? "stop" : driven() ? "again" : "play"), running ? t(search.stopping ? "search.stopping" : "search.stop") : t(word));
    go.disabled = running ? search.stopping || !search.id : driven() ? known.busy.has("day") : !known.problem || known.busy.has("read");
    go.title = running ? t("search.stop.tip") : driven() ? t("day.again.tip") : known.problem ? t("plan.tip") : t("plan.cannot");
    seconds.hidden = driven();
  });
  on("doc search problem busy about theme saved view day", show);
  show();
}

/** Whether the day is looked at: then what is planned is what is left of it. */
const driven = () => Boolean(known.view?.isDay);

function undone(what, key) {
  if (what) say(t(key, { what }));
}
