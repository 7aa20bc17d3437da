// What columns of a person's table mean: the server knows all their titles.

import { withCell, withColumn } from "./document.js";

const meanings = { stops: new Map(), fleet: new Map() };

export function learn(kind, header, columns) {
  meanings[kind] = new Map(header.map((title, k) => [title, columns[k]]));
}

/** The number of the column that means something; -1 where there is none. */
export function columnOf(table, kind, name) {
  return table.header.findIndex((title) => (meanings[kind].get(title) ?? title) === name);
}

export const meaning = (kind, title) => meanings[kind].get(title) ?? title;

/** A document with a cell by what its column means; the column is added where there is none. */
export function withMeant(doc, kind, row, name, value) {
  let next = doc;
  if (columnOf(doc[kind], kind, name) < 0) next = withColumn(doc, kind, name);
  return withCell(next, kind, row, columnOf(next[kind], kind, name), value);
}

export function cellOf(table, kind, row, name) {
  const column = columnOf(table, kind, name);
  return column < 0 ? "" : table.rows[row]?.[column] ?? "";
}

/** A document with a stop at another place. */
export function withPlace(doc, row, lon, lat) {
  const both = columnOf(doc.stops, "stops", "lat_lon");
  if (both >= 0) return withCell(doc, "stops", row, both, `${lat.toFixed(6)}, ${lon.toFixed(6)}`);
  return withMeant(withMeant(doc, "stops", row, "lat", lat.toFixed(6)), "stops", row, "lon", lon.toFixed(6));
}

/** Numbers of columns that hold something and that nothing is planned with. */
export function unknownColumns(doc, kind) {
  const { header, rows } = doc[kind];
  return header.flatMap((title, k) => (meanings[kind].get(title) === "" && title.trim()
    && rows.some((row) => String(row[k]).trim()) ? [k] : []));
}

const TIMES = /^\d{1,2}([:.]\d{2})?(:\d{2})?\s*(-|–|to)\s*\d{1,2}([:.]\d{2})?(:\d{2})?$/;
const LENGTH = /min|unload|service|drop/i;
const mostly = (cells, is) => cells.length > 0 && cells.filter(is).length >= 0.8 * cells.length;

/** What a column may be by what it holds; null where that says nothing, or where there is one. */
export function guessOf(doc, kind, column) {
  const cells = doc[kind].rows.map((row) => String(row[column]).trim()).filter(Boolean);
  const free = (name) => (columnOf(doc[kind], kind, name) < 0 ? name : null);
  const hours = kind === "stops" ? free("window") && free("window_start") && "window" : free("shift") && free("shift_start") && "shift";
  if (mostly(cells, (cell) => TIMES.test(cell))) return hours;
  if (!mostly(cells, (cell) => /^\d{1,5}([.,]\d+)?$/.test(cell))) return null;
  if (kind === "fleet") return free("capacity");
  return LENGTH.test(doc.stops.header[column]) ? free("service") : free("demand");
}

/** A document in which a column is called by what it means. */
export function withMeaning(doc, kind, title, name) {
  const { header, rows } = doc[kind];
  return { ...doc, [kind]: { header: header.map((one) => (one === title ? name : one)), rows } };
}

/** Names that a cell may hold for the choice of a column, and those to add. */
export const MORE = {
  stops: ["window", "window_start", "window_end", "service", "setup", "demand", "demand_2", "pickup",
    "skills", "priority", "prize", "required", "allowed_vehicles", "release", "soft_start", "soft_end",
    "late_cost_per_hour", "early_cost_per_hour", "same_vehicle", "different_vehicles", "visit_before",
    "group", "pickup_of", "address", "postcode", "city", "phone", "notes"],
  fleet: ["start", "end", "capacity", "capacity_2", "shift", "break_start", "break_end", "break_length",
    "skills", "fixed_cost", "cost_per_km", "cost_per_hour", "overtime_after", "cost_per_overtime_hour",
    "max_distance", "max_duration", "max_driving", "max_stops", "trips", "loading", "unloading", "speed",
    "profile", "rest_after", "rest_length", "driver"],
};
