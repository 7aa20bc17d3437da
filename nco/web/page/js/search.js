// A search on the server: begun, followed by its events, stopped early, gone on with.

import { ask } from "./api.js";
import { known, store, tell } from "./app.js";
import { upToDate } from "./derive.js";
import { failed, say } from "./told.js";
import { namesOf, routesOf } from "./view.js";
import { t } from "./words.js";

/** Begins a search; `further`: from the present routes on. */
export async function plan({ further = false } = {}) {
  if (known.search?.running || !known.problem) return;
  const search = (known.search = {
    running: true, stopping: false, begun: performance.now(), limit_s: store.doc.options.time_limit_s,
    points: [], best: null, offset_s: further ? known.search?.spent_s ?? 0 : 0,
    before: further ? known.search?.points ?? [] : [],
  });
  tell("search");
  try {
    await upToDate();
    const { doc } = store;
    const { problem } = known;
    if (!problem) return ended(search); // the checks say why
    search.problem = problem;
    const body = { problem_id: problem.id, time_limit_s: search.limit_s };
    if (doc.options.method) body.method = doc.options.method;
    const driven = new Set((doc.routes ?? []).map((route) => route.vehicle));
    const locked = doc.locked.filter((name) => driven.has(name) && problem.vehicleOf.has(name));
    if ((further || locked.length) && doc.routes) {
      const initial = routesOf(doc.routes, problem);
      if (initial.length) body.initial = initial;
    }
    if (locked.length && body.initial) body.locked = locked.map((name) => problem.vehicleOf.get(name));
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
  const names = namesOf(routes, search.problem);
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
