// What a person should look at before planning: faults, doubtful places, odd windows.

import { known } from "./app.js";
import { columnOf, guessOf, unknownColumns } from "./columns.js";
import { clock, span } from "./format.js";
import { t } from "./words.js";

const SHORT_S = 300;
const DAY_S = 86400;

/** Lines of stops that are not planned with until they are corrected. */
export function leftOut(doc) {
  const out = new Set(known.stops.faults.map((fault) => fault.line).filter((line) => line > 1));
  for (const one of known.stops.doubtful) if (one.refused) out.add(one.line);
  for (const row of known.stops.read) if (tooMuch(row)) out.add(row.line);
  doc.stops.rows.forEach((row, k) => { if (row.every((cell) => !String(cell).trim())) out.add(k + 2); });
  return out;
}

/** Rows of stops that nobody plans before they are corrected: {name, line, text}. */
export function waitingRows(doc) {
  const out = leftOut(doc);
  const rows = [...out].filter((line) => doc.stops.rows[line - 2]?.some((cell) => String(cell).trim()));
  return rows.map((line) => ({
    line, name: nameAt(doc, "stops", line) || t("check.row", { n: line - 1 }),
    text: known.checks.find((one) => one.table === "stops" && one.line === line && one.level === "bad")?.text ?? "",
  }));
}

/** All of them: {kind, level, line, column, name, text, candidates}; `table` says whose line it is. */
export function checksOf(doc) {
  const all = [
    ...trouble(), ...faults("stops", doc), ...faults("fleet", doc), ...missing(doc),
    ...aside(doc, true), ...doubtful(), ...odd(doc), ...aside(doc, false),
  ];
  return all.filter((one) => one.level === "bad" || !doc.accepted.includes(keyOf(one)));
}

/** What is accepted of a check: it comes again when it says something else. */
export const keyOf = ({ kind, table, name, column, text }) => [kind, table, name, column, text].join(" · ");

/** A document in which a check is left as it is. */
export const withAccepted = (doc, check) => ({ ...doc, accepted: [...doc.accepted, keyOf(check)] });

function faults(table, doc) {
  return known[table].faults.map((fault) => ({
    kind: "fault", level: "bad", table, line: fault.line, column: fault.column, text: fault.text,
    name: nameAt(doc, table, fault.line),
  }));
}

function nameAt(doc, table, line) {
  const column = columnOf(doc[table], table, "name");
  return doc[table].rows[line - 2]?.[Math.max(0, column)] ?? "";
}

function doubtful() {
  return known.stops.doubtful.map((one) => ({
    ...one, table: "stops", level: one.refused ? "bad" : "warn",
    column: one.kind === "address" ? "address" : "lat",
  }));
}

function missing(doc) {
  const found = [];
  if (doc.stops.rows.length && known.stops.read.length && !known.stops.read.some((row) => row.depot)) {
    found.push({ kind: "missing", level: "bad", table: "stops", text: t("check.no_depot") });
  }
  if (doc.stops.rows.length && !doc.fleet.rows.length) {
    found.push({ kind: "missing", level: "bad", table: "fleet", text: t("check.no_fleet") });
  }
  return found;
}

/** Windows, demands and skills that can be read and still make little sense. */
function odd(doc) {
  const found = [];
  const fleet = known.fleet.read;
  const shifts = fleet.map((one) => one.shift_s);
  const skills = new Set(fleet.flatMap((one) => one.skills));
  const places = new Map();
  for (const row of known.stops.read) {
    const add = (column, text) => found.push({
      kind: "odd", level: "warn", table: "stops", line: row.line, column, name: row.name, text,
    });
    if (row.depot) continue;
    for (const [from, to] of row.windows_s) {
      if (to !== null && to - from < SHORT_S && to < DAY_S) add("window", t("check.short", { length: span(to - from) }));
      const open = shifts.some(([start, end]) => (to ?? Infinity) >= (start ?? 0) && from <= (end ?? Infinity));
      if (fleet.length && !open) add("window", t("check.off_shift", { from: clock(from), to: clock(to) }));
    }
    const most = tooMuch(row);
    if (most) found.push({ ...most, kind: "much", level: "bad", table: "stops", line: row.line, column: "demand", name: row.name });
    const lacking = row.skills.filter((word) => !skills.has(word));
    if (fleet.length && lacking.length) add("skills", t("check.no_skill", { words: lacking.join(", ") }));
    const place = `${row.lon.toFixed(5)} ${row.lat.toFixed(5)} ${row.windows_s} ${row.demand}`;
    if (places.has(place)) add("lat", t("check.twice", { name: places.get(place) }));
    else places.set(place, row.name);
  }
  return found;
}

/** A demand that no vehicle can carry: {text}; null where one can. */
function tooMuch(row) {
  const fleet = known.fleet.read;
  for (const [k, n] of [...row.demand.entries()]) {
    const most = Math.max(...fleet.map((one) => (one.capacity.length ? one.capacity[k] ?? 0 : Infinity)));
    if (fleet.length && n > most) return { text: t("check.too_much", { n, most }) };
  }
  return null;
}

/** Columns that nothing is planned with: those that look like something that counts, or the others. */
function aside(doc, guessed) {
  return ["stops", "fleet"].flatMap((table) => unknownColumns(doc, table).flatMap((column) => {
    const guess = guessOf(doc, table, column);
    if (Boolean(guess) !== guessed) return [];
    const title = doc[table].header[column];
    return [{ kind: "column", level: guess ? "warn" : "note", table, title, guess, name: title, text: t(guess ? "check.guess" : "check.aside") }];
  }));
}

function trouble() {
  return known.trouble ? [{ kind: "trouble", level: "bad", text: known.trouble }] : [];
}
