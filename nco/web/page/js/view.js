// A plan as it is shown: routes with visits, what is late and why, and its totals.

import { colourOf } from "./colours.js";

/** Routes of names as the server takes them; what is not there any more is left out. */
export function routesOf(routes, problem) {
  return routes
    .filter((route) => problem.vehicleOf.has(route.vehicle))
    .map((route) => ({
      vehicle: problem.vehicleOf.get(route.vehicle),
      stops: route.stops.map((name) => problem.nodeOf.get(name)).filter((node) => node !== undefined),
      ...(problem.nodeOf.has(route.reload_at) ? { reload_at: problem.nodeOf.get(route.reload_at) } : {}),
    }))
    .filter((route) => route.stops.length);
}

/** Routes of the server as names. */
export function namesOf(routes, problem) {
  return routes.filter((route) => route.stops.length).map((route) => ({
    vehicle: problem.fleet[route.vehicle].name,
    stops: route.stops.map((node) => problem.names[node]),
    ...(route.reload_at === undefined || route.reload_at === null ? {} : { reload_at: problem.names[route.reload_at] }),
  }));
}

/** What is broken, by the name of the vehicle in place of its number. */
function named({ message, vehicle }, problem) {
  const known = vehicle === null ? message : message.replace(`vehicle ${vehicle} `, `${problem.fleet[vehicle].name} `);
  return (problem.demand?.[0]?.length ?? 1) > 1 ? known : known.replace(" in dimension 0", "");
}

export function viewOf(answer, problem, doc) {
  const broken = new Map();
  const violations = answer.violations.map((one) => ({ ...one, message: named(one, problem) }));
  for (const one of violations) {
    const vehicle = one.vehicle ?? -1;
    if (!broken.has(vehicle)) broken.set(vehicle, []);
    broken.get(vehicle).push(one);
  }
  const depots = new Set(Array.from({ length: problem.depots ?? 1 }, (_, k) => k));
  const seen = new Map();
  const routes = answer.schedule.map((route) => {
    const name = problem.fleet[route.vehicle].name;
    const trip = seen.get(name) ?? 0;
    seen.set(name, trip + 1);
    let number = 0;
    const visits = route.visits.map((visit) => ({
      ...visit,
      lonlat: problem.lonlat[visit.node],
      depot: depots.has(visit.node),
      number: depots.has(visit.node) ? 0 : ++number,
    }));
    const stops = visits.filter((visit) => !visit.depot);
    return {
      ...route, name, trip, visits, stops,
      late: stops.filter((visit) => visit.late_s > 0).length,
      waiting_s: stops.reduce((sum, visit) => sum + visit.waiting_s, 0),
      load: Math.max(0, ...visits.map((visit) => visit.load[0] ?? 0)),
      capacity: problem.fleet[route.vehicle].capacity?.[0] ?? null,
      broken: broken.get(route.vehicle) ?? [],
      locked: doc.locked.includes(name),
    };
  });
  const byStop = new Map();
  routes.forEach((route) => route.stops.forEach((visit, k) => byStop.set(visit.name, { route, visit, turn: k })));
  const unserved = answer.unassigned.map((one) => ({
    name: problem.names[one.stop], reason: one.reason, required: one.required,
    lonlat: problem.lonlat[one.stop],
  }));
  return {
    answer, problem, routes, byStop, unserved, violations,
    totals: totalsOf(answer, routes, unserved),
  };
}

export function totalsOf(answer, routes, unserved) {
  const hours = new Map();
  for (const route of routes) hours.set(route.vehicle, (hours.get(route.vehicle) ?? 0) + route.duration_s);
  const each = [...hours.values()];
  const sum = each.reduce((a, b) => a + b, 0);
  return {
    cost: answer.cost.total,
    distance_m: answer.cost.distance_m,
    duration_s: sum,
    driving_s: routes.reduce((a, route) => a + (route.driving_s ?? 0), 0),
    waiting_s: routes.reduce((a, route) => a + route.waiting_s, 0),
    vehicles: each.length,
    late: routes.reduce((a, route) => a + route.late, 0),
    broken: answer.violations.length,
    unserved: unserved.length,
    longest_s: Math.max(0, ...each),
    shortest_s: each.length ? Math.min(...each) : 0,
    // How even the days are: 100 % where all are as long as the longest.
    balance: each.length ? sum / each.length / Math.max(...each, 1e-9) : 1,
  };
}

export const colour = (route) => colourOf(route.vehicle);
