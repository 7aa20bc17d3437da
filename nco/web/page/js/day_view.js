// The plan of a day in the shape of any other plan, so that map and timeline show it as well.

import { known } from "./app.js";
import { totalsOf } from "./view.js";
import { t } from "./words.js";

export const placeName = (route) => t("day.of_vehicle", { name: route.name });

export function dayView({ plan, now_s }) {
  const { problem } = known;
  const depots = new Set(problem ? problem.names.slice(0, problem.depots ?? 1) : []);
  const windows = new Map(known.stops.read.map((row) => [row.name, row.windows_s]));
  const routes = plan.routes.filter((route) => route.calls.length).map((route) => {
    let number = 0;
    const visits = [route.start, ...route.calls, ...(route.end ? [route.end] : [])].map((call, k, all) => {
      const depot = k === 0 || depots.has(call.name) || (route.end && k === all.length - 1);
      const latest = windows.get(call.name)?.at(-1)?.[1] ?? null;
      return {
        ...call, depot: Boolean(depot), number: depot ? 0 : ++number,
        // A stop is begun as soon as its vehicle sets out for it: nothing of it can be changed then.
        done: call.begun || (k > 0 && all[k - 1].departure_s !== null && all[k - 1].departure_s <= now_s),
        lonlat: plan.places[call.name] ?? [0, 0], waiting_s: Math.max(0, call.start_s - call.arrival_s), load: [], breaks: call.pauses,
        late_s: depot || latest === null || call.start_s < latest + 1 ? 0 : call.start_s - latest,
      };
    });
    const stops = visits.filter((visit) => !visit.depot);
    const name = problem?.fleet[route.vehicle]?.name ?? t("vehicle.name", { n: route.vehicle + 1 });
    return {
      name, vehicle: route.vehicle, trip: 0, visits, stops, distance_m: route.distance_m,
      // Where no way leads there is no time of arrival.
      duration_s: visits.at(-1).arrival_s === null ? 0 : visits.at(-1).arrival_s - visits[0].departure_s, driving_s: null,
      late: stops.filter((visit) => visit.late_s > 0).length, waiting_s: stops.reduce((sum, visit) => sum + visit.waiting_s, 0),
      load: 0, capacity: null, broken: [], locked: true, // what is changed by hand goes through the day's own buttons
    };
  });
  const byStop = new Map();
  routes.forEach((route) => route.stops.forEach((visit, turn) => byStop.set(visit.name, { route, visit, turn })));
  const unserved = Object.entries(plan.unassigned).map(([name, reason]) => ({ name, reason, required: true, lonlat: plan.places[name] }));
  const answer = { cost: plan.cost, violations: plan.violations };
  return { answer, problem, routes, byStop, unserved, violations: plan.violations, totals: totalsOf(answer, routes, unserved), isDay: true };
}
