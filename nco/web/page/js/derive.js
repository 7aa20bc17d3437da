// What the server makes of the document: tables read, problem posed, routes judged. Follows each change.

import { ask, latest } from "./api.js";
import { known, on, settleView, store, tell } from "./app.js";
import { checksOf, leftOut, waitingRows } from "./checks.js";
import { learn } from "./columns.js";
import { now, settled } from "./dom.js";
import { failed } from "./told.js";
import { routesOf, viewOf } from "./view.js";

const nothing = () => ({ read: [], faults: [], doubtful: [], columns: [] });

function busy(what, is) {
  if (is) known.busy.add(what);
  else known.busy.delete(what);
  tell("busy");
}

/** Has something done while the page shows that it works on it. */
async function working(what, work) {
  busy(what, true);
  try {
    return await work();
  } catch (error) {
    if (error.name !== "AbortError") failed(error);
    return undefined;
  } finally {
    busy(what, false);
  }
}

async function read(kind, table, signal) {
  if (!table.rows.length) return nothing();
  const city = kind === "stops" && store.doc.city ? `&city=${encodeURIComponent(store.doc.city)}` : "";
  const found = await ask("POST", `/v1/tables?kind=${kind}${city}`, table, { signal });
  learn(kind, found.header, found.columns);
  return found;
}

/** The request that poses the problem of a document, without what cannot be planned. */
export function posed(doc) {
  const out = leftOut(doc);
  const stops = { header: doc.stops.header, rows: doc.stops.rows.filter((_, k) => !out.has(k + 2)) };
  const request = {
    stops,
    options: { allow_unassigned: true, accept_doubtful: true },
  };
  if (doc.city) request.options.city = doc.city;
  if (doc.fleet.rows.length) request.fleet = doc.fleet;
  const zones = doc.zones.filter((zone) => zone.ring.length > 2);
  if (zones.length) request.zones = zones;
  return request;
}

const readTables = latest(async (signal, kinds) => {
  const found = await Promise.all(kinds.map((kind) => read(kind, store.doc[kind], signal)));
  if (signal.aborted) return;
  kinds.forEach((kind, k) => { known[kind] = found[k]; });
  known.checks = checksOf(store.doc);
  tell("read");
});

const pose = latest(async (signal) => {
  const { doc } = store;
  known.trouble = null;
  const depot = known.stops.read.some((row) => row.depot);
  if (!depot || known.stops.read.length < 2 || !doc.fleet.rows.length || known.fleet.faults.length) {
    known.problem = null;
    return;
  }
  try {
    const found = await ask("POST", "/v1/problems", posed(doc), { signal });
    found.nodeOf = new Map(found.names.map((name, node) => [name, node]));
    found.fleet = found.vehicles.flatMap((one) => Array.from({ length: one.count ?? 1 }, () => one));
    found.vehicleOf = new Map(found.fleet.map((one, k) => [one.name, k]));
    known.problem = found;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    known.problem = null;
    if (!error.status || error.status >= 500) throw error;
    known.trouble = error.message;
  }
});

/** Judges routes of names; null where there is no problem that they belong to. */
export async function judged(routes, signal, explain = true) {
  const { problem } = known;
  if (!problem) return null;
  const body = { routes: routesOf(routes, problem), explain };
  try {
    return await ask("POST", `/v1/problems/${problem.id}/evaluate`, body, { signal });
  } catch (error) {
    if (error.status !== 404) throw error;
    await pose(); // the server has begun anew, and does not know it any more
    return ask("POST", `/v1/problems/${known.problem.id}/evaluate`, body, { signal });
  }
}

export const judge = latest(async (signal) => {
  const { routes } = store.doc;
  if (!routes || !known.problem) {
    known.planned = null;
    settleView();
    return;
  }
  if (known.judgedRoutes === routes && known.planned?.problem === known.problem && known.judgedLocks === store.doc.locked) return;
  const answer = await judged(routes, signal);
  if (signal.aborted || !answer) return;
  known.judgedRoutes = routes;
  known.judgedLocks = store.doc.locked;
  known.planned = { ...viewOf(answer, known.problem, store.doc), waiting: waitingRows(store.doc) };
  settleView();
  now(); // who has changed something by hand waits for this
});

// Changes of what is planned, and how many of them are in the problem that is known.
let changes = 0, posedChanges = 0;
const waiting = [];

/** Waits until the problem is that of the document: whoever plans at once plans what is shown. */
export const upToDate = () =>
  posedChanges === changes ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));

async function all(kinds) {
  const begun = changes;
  await working("read", async () => {
    if (kinds.length) await readTables(kinds);
    await pose();
    known.checks = checksOf(store.doc);
    tell("problem");
    await judge();
  });
  if (begun !== changes) return; // what came meanwhile is on its way
  posedChanges = changes;
  for (const resolve of waiting.splice(0)) resolve();
}

let wanted = new Set();
const soon = settled(() => {
  const kinds = [...wanted];
  wanted = new Set();
  all(kinds);
}, 180);

/** Nothing is known of another document yet. */
function forget() {
  Object.assign(known, { stops: nothing(), fleet: nothing(), problem: null, trouble: null, planned: null, checks: [] });
  tell("read");
  settleView();
}

/** Reads everything again, now. */
export const derive = () => all(["stops", "fleet"]);

export function follow() {
  on("doc", ({ before, whole }) => {
    const { doc } = store;
    if (whole) forget();
    const changed = ["stops", "fleet"].filter((kind) => whole || before[kind] !== doc[kind]);
    changed.forEach((kind) => wanted.add(kind));
    if (changed.length || before.zones !== doc.zones || before.city !== doc.city) {
      changes += 1;
      soon();
    }
    else if (before.accepted !== doc.accepted) { known.checks = checksOf(doc); tell("problem"); }
    else if (before.routes !== doc.routes || before.locked !== doc.locked) working("judge", judge);
  });
}
