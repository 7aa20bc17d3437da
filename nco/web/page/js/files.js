// Files that people drop or choose: tables of stops and of vehicles, and scenarios.

import { ask } from "./api.js";
import { store, tell } from "./app.js";
import { documentFrom, emptyDocument, FORMAT, spread, withTable } from "./document.js";
import { learn } from "./columns.js";
import { isSaved } from "./draft.js";
import { failed, say } from "./told.js";
import { t } from "./words.js";

const FLEET = /fleet|vehicle|van|truck|car|driver/i;

/** Takes files one after the other; says what each was. */
export async function take(files) {
  for (const file of files) {
    try {
      const suffix = /\.[^.]+$/.exec(file.name.toLowerCase())?.[0] ?? "";
      if (suffix === ".json") await takeScenario(file);
      else await takeTable(file, suffix);
    } catch (error) {
      if (error.message === "format") say(t("file.no_scenario", { name: file.name }), { bad: true });
      else failed(error);
    }
  }
}

async function takeScenario(file) {
  let data;
  try {
    data = JSON.parse(await file.text());
  } catch {
    throw new Error("format");
  }
  if (data?.format !== FORMAT) throw new Error("format");
  const doc = documentFrom(data);
  store.load(doc, t("undo.open", { name: doc.name || file.name }));
  tell("opened");
}

async function takeTable(file, suffix) {
  const raw = new Blob([await file.arrayBuffer()], { type: "application/octet-stream" });
  const city = store.doc.city ? `&city=${encodeURIComponent(store.doc.city)}` : "";
  const read = (kind) => ask("POST", `/v1/tables?kind=${kind}&suffix=${encodeURIComponent(suffix)}${city}`, raw);
  // What most of the titles belong to is what the table is; the name decides where they say neither.
  const [stops, fleet] = await Promise.all([read("stops"), read("fleet")]);
  const fits = (found) => found.columns.filter(Boolean).length;
  const isFleet = fits(fleet) > fits(stops) || (fits(fleet) === fits(stops) && FLEET.test(file.name));
  // A workbook may have a sheet of either kind: then each was read from its own.
  const apart = stops.header.join("\u0000") !== fleet.header.join("\u0000") && fits(stops) > 0 && fits(fleet) > 0;
  for (const [kind, found] of [["stops", stops], ["fleet", fleet]]) {
    if (!apart && (kind === "fleet") !== isFleet) continue;
    learn(kind, found.header, found.columns);
    setTable(kind, found.header, found.rows.map((row) => row.cells), found.columns);
    say(t(`file.${kind}`, { n: store.doc[kind].rows.length, name: file.name }));
  }
}

export function setTable(kind, header, rows, columns) {
  let table = { header: header.map(String), rows: rows.map((row) => header.map((_, k) => String(row[k] ?? ""))) };
  if (kind === "fleet") table = spread(table, columns.indexOf("count"));
  store.change(t(`undo.${kind}`), (doc) => {
    const next = withTable(doc, kind, table);
    return kind === "stops" ? { ...next, routes: null, kept: [], locked: [], day: null } : next;
  });
  tell("opened");
}

/** The example that the server has for its city. */
export async function example() {
  const { city } = store.doc;
  const found = await ask("GET", `/v1/example${city ? `?city=${encodeURIComponent(city)}` : ""}`);
  const doc = { ...emptyDocument(), name: t("example.name"), city: found.city ?? null };
  const text = ({ header, rows }) => ({ header: header.map(String), rows: rows.map((row) => row.map((cell) => String(cell ?? ""))) });
  const fleet = text(found.fleet);
  store.load({ ...doc, stops: text(found.stops), fleet: spread(fleet, fleet.header.indexOf("count")) }, t("undo.open", { name: doc.name }));
  isSaved(); // nobody minds to lose it
  tell("opened");
}

export function chooseFiles() {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.accept = ".csv,.tsv,.txt,.xlsx,.xlsm,.ods,.json";
  input.addEventListener("change", () => take([...input.files]));
  input.click();
}

/** Files can be dropped anywhere on the page. */
export function followDrops() {
  const { body } = document;
  let depth = 0;
  const has = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  window.addEventListener("dragenter", (event) => {
    if (!has(event)) return;
    depth += 1;
    body.dataset.drop = t("drop.here");
    body.classList.add("dropping");
  });
  window.addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) body.classList.remove("dropping"); });
  window.addEventListener("dragover", (event) => { if (has(event)) event.preventDefault(); });
  window.addEventListener("drop", (event) => {
    if (!has(event)) return;
    event.preventDefault();
    depth = 0;
    body.classList.remove("dropping");
    take([...event.dataTransfer.files]);
  });
}

/** Saves something under a name, as a download. */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
