// The document: what a person has typed, drawn and decided. Only plain data; all functions are pure.

const STOPS = ["name", "kind", "address", "lat", "lon", "demand", "window", "service", "skills"];
const FLEET = ["name", "start", "capacity", "shift", "skills"];

export const FORMAT = "nco-scenario";

export function emptyDocument() {
  return {
    format: FORMAT,
    version: 1,
    name: "",
    city: null,
    stops: { header: STOPS, rows: [] },
    fleet: { header: FLEET, rows: [] },
    accepted: [], // checks that a person has looked at and left as they are; see checks.js
    zones: [], // {name, ring: [[lon, lat], ...], vehicles: [names]}; no vehicles: all of them
    routes: null, // [{vehicle, stops, reload_at}], by names; reload_at: where it loads for its next trip
    locked: [], // names of vehicles whose routes stay
    kept: [], // plans to compare: {name, routes}
    options: { time_limit_s: 10 },
    day: null, // id of the day that was begun
    saved: null, // {id, version} on the server
  };
}

/** A document in a file that somebody gives us; throws where it is none. */
export function documentFrom(data) {
  const table = (one) => one && Array.isArray(one.header) && Array.isArray(one.rows)
    && one.rows.every(Array.isArray);
  if (data?.format !== FORMAT || !table(data.stops) || !table(data.fleet)) throw new Error("format");
  const text = ({ header, rows }) => ({
    header: header.map(String),
    rows: rows.map((row) => header.map((_, k) => (row[k] ?? "") + "")),
  });
  const routes = (list) => (Array.isArray(list)
    ? list.map((one) => ({
      vehicle: String(one.vehicle), stops: [...one.stops].map(String),
      ...(typeof one.reload_at === "string" ? { reload_at: one.reload_at } : {}),
    })) : null);
  const zones = (Array.isArray(data.zones) ? data.zones : []).map((zone) => ({
    name: String(zone.name ?? ""),
    ring: zone.ring.map(([lon, lat]) => [Number(lon), Number(lat)]),
    vehicles: (zone.vehicles ?? []).map(String),
    ...(Array.isArray(zone.profiles) && zone.profiles.length ? { profiles: zone.profiles.map(String) } : {}),
  }));
  return {
    ...emptyDocument(),
    name: String(data.name ?? "").slice(0, 200),
    city: data.city === null || data.city === undefined ? null : String(data.city),
    stops: text(data.stops),
    fleet: text(data.fleet),
    accepted: (Array.isArray(data.accepted) ? data.accepted : []).map(String),
    zones,
    routes: routes(data.routes),
    locked: (data.locked ?? []).map(String),
    kept: (data.kept ?? []).map((one) => ({ name: String(one.name), routes: routes(one.routes) ?? [] })),
    options: {
      time_limit_s: Number(data.options?.time_limit_s) || 10,
      ...(typeof data.options?.method === "string" ? { method: data.options.method } : {}),
    },
  };
}

const blank = (table) => table.header.map(() => "");

export function withTable(doc, kind, table) {
  return { ...doc, [kind]: table };
}

export function withCell(doc, kind, row, column, value) {
  const table = doc[kind];
  if (table.rows[row]?.[column] === value) return doc;
  const rows = [...table.rows];
  rows[row] = rows[row].with(column, value);
  return withTable(doc, kind, { ...table, rows });
}

export function withRow(doc, kind, cells, at = doc[kind].rows.length) {
  const table = doc[kind];
  const row = blank(table);
  for (const [column, value] of cells) row[column] = value;
  return withTable(doc, kind, { ...table, rows: table.rows.toSpliced(at, 0, row) });
}

export function withoutRows(doc, kind, numbers) {
  const gone = new Set(numbers);
  const table = doc[kind];
  return withTable(doc, kind, { ...table, rows: table.rows.filter((_, k) => !gone.has(k)) });
}

export function withColumn(doc, kind, title) {
  const table = doc[kind];
  if (table.header.includes(title)) return doc;
  return withTable(doc, kind, {
    header: [...table.header, title],
    rows: table.rows.map((row) => [...row, ""]),
  });
}

export function withoutColumn(doc, kind, column) {
  const table = doc[kind];
  return withTable(doc, kind, {
    header: table.header.toSpliced(column, 1),
    rows: table.rows.map((row) => row.toSpliced(column, 1)),
  });
}

/** Vehicles a row each, where a table says how many there are of one: each can be chosen then. */
export function spread(table, count) {
  if (count < 0) return table;
  const name = table.header.findIndex((title) => /^(name|vehicle|vehicle name|driver)$/i.test(title.trim()));
  const rows = table.rows.flatMap((row) => {
    const times = Math.min(Number.parseInt(row[count] || "1", 10) || 1, 500);
    if (times === 1) return [row.toSpliced(count, 1)];
    return Array.from({ length: times }, (_, k) => {
      const one = name < 0 ? row : row.with(name, `${row[name]} ${k + 1}`);
      return one.toSpliced(count, 1);
    });
  });
  return { header: table.header.toSpliced(count, 1), rows };
}

/** Routes without stops that are not there any more, and with new names of those renamed. */
export function renamed(doc, kind, from, to) {
  if (!doc.routes || from === to) return doc;
  const name = (one) => (one === from ? to : one);
  const change = (routes) => routes.map((route) => (kind === "stops"
    ? { ...route, stops: route.stops.map(name), ...(route.reload_at ? { reload_at: name(route.reload_at) } : {}) } : { ...route, vehicle: name(route.vehicle) }));
  return {
    ...doc,
    routes: change(doc.routes),
    kept: doc.kept.map((one) => ({ ...one, routes: change(one.routes) })),
    locked: kind === "fleet" ? doc.locked.map(name) : doc.locked,
  };
}
