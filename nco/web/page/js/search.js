// A search on the server: begun, followed by its events, stopped early, gone on with.

import { ask } from "./api.js";
import { known, store, tell } from "./app.js";
import { posed } from "./derive.js";
import { cellOf, columnOf } from "./columns.js";
import { failed, say } from "./told.js";
import { namesOf, routesOf } from "./view.js";
import { t } from "./words.js";

/**
 * What is left to plan around locked routes: the problem without their vehicles and stops.
 * null where nothing is locked.
 */
function around(doc) {
  const locked = new Set(doc.locked);
  const fixed = (doc.routes ?? []).filter((route) => locked.has(route.vehicle));
  if (!locked.size) return null;
  const stops = new Set(fixed.flatMap((route) => route.stops));
  const lineOut = new Set(known.stops.read.filter((row) => stops.has(row.name)).map((row) => row.line));
  const name = (row) => cellOf(doc.fleet, "fleet", row, "name");
  const vehicles = doc.fleet.rows.filter((_, k) => !locked.has(name(k)));
  const ties = ["same_vehicle", "different_vehicles", "visit_before", "pickup_of", "delivery_of", "group"];
  const apart = ties.filter((tie) => columnOf(doc.stops, "stops", tie) >= 0);
  return { fixed, lineOut, fleet: { ...doc.fleet, rows: vehicles }, apart };
}

function requestOf(doc) {
  const request = posed(doc);
  const rest = around(doc);
  if (!rest) return { request, fixed: [] };
  const lines = new Set(rest.lineOut);
  const whole = posed({ ...doc, stops: { ...doc.stops, rows: doc.stops.rows.map((row, k) => (lines.has(k + 2) ? row.map(() => "") : row)) } });
  return { request: { ...whole, fleet: rest.fleet }, fixed: rest.fixed, apart: rest.apart };
}

/** Begins a search; `further`: from the present routes on. */
export async function plan({ further = false } = {}) {
  if (known.search?.running || !known.problem) return;
  const { doc } = store;
  const search = (known.search = {
    running: true, stopping: false, begun: performance.now(), limit_s: doc.options.time_limit_s,
    points: [], best: null, offset_s: further ? known.search?.spent_s ?? 0 : 0,
    before: further ? known.search?.points ?? [] : [],
  });
  tell("search");
  try {
    const { request, fixed, apart = [] } = requestOf(doc);
    if (apart.length) say(t("lock.ties", { columns: apart.join(", ") }), { bad: true });
    let problem = known.problem;
    if (fixed.length || doc.locked.length) {
      problem = await ask("POST", "/v1/problems", request);
      problem.nodeOf = new Map(problem.names.map((name, node) => [name, node]));
      problem.fleet = problem.vehicles.flatMap((one) => Array.from({ length: one.count ?? 1 }, () => one));
      problem.vehicleOf = new Map(problem.fleet.map((one, k) => [one.name, k]));
    }
    search.problem = problem;
    search.fixed = fixed;
    const body = { problem_id: problem.id, time_limit_s: search.limit_s };
    if (doc.options.method) body.method = doc.options.method;
    if (further && doc.routes) {
      const initial = routesOf(doc.routes, problem);
      if (initial.length) body.initial = initial;
    }
    const job = await ask("POST", "/v1/solve", body);
    search.id = job.id;
    follow(search);
  } catch (error) {
    ended(search);
    failed(error);
  }
}

function follow(search) {
  const source = new EventSource(`/v1/solve/${search.id}/events`);
  source.addEventListener("state", ({ data }) => {
    search.state = JSON.parse(data).state;
    tell("search");
  });
  source.addEventListener("better", ({ data }) => {
    const better = JSON.parse(data);
    search.state = "running";
    search.best = better;
    search.points.push({ time_s: search.offset_s + better.time_s, cost: better.cost, unassigned: better.unassigned });
    if (better.routes) show(search, better.routes, false);
    tell("search");
  });
  source.addEventListener("end", () => {
    source.close();
    finish(search);
  });
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) finish(search); };
}

async function finish(search) {
  try {
    const answer = await ask("GET", `/v1/solve/${search.id}/result`);
    const cost = answer.cost.total;
    search.points.push({ time_s: search.offset_s + answer.time_s, cost, unassigned: answer.unassigned.length });
    search.spent_s = search.offset_s + answer.time_s;
    search.done = answer;
    show(search, answer.routes, true);
    for (const note of answer.notes ?? []) say(note);
  } catch (error) {
    if (error.kind !== "Cancelled") failed(error);
  } finally {
    ended(search);
  }
}

function show(search, routes, last) {
  const names = [...search.fixed, ...namesOf(routes, search.problem)];
  // What comes while it searches is not undone step by step: the whole plan is one change.
  store.change(t("undo.plan"), (doc) => ({ ...doc, routes: names }), `plan ${search.id}`);
  if (last) tell("planned");
}

function ended(search) {
  search.running = false;
  tell("search");
}

/** The search returns the best that it has. */
export async function stop() {
  const { search } = known;
  if (!search?.running || !search.id || search.stopping) return;
  search.stopping = true;
  tell("search");
  try {
    await ask("POST", `/v1/solve/${search.id}/stop`);
  } catch (error) {
    failed(error);
  }
}
