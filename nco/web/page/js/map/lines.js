// Lines of routes along the streets, leg by leg, around zones; straight until the server has told them.

import { ask } from "../api.js";
import { store, tell } from "../app.js";

const MOST = 20000;
const AT_ONCE = 200;
const legs = new Map();
let running = false;
let wanted = new Map();

const zonesOf = (vehicle) => store.doc.zones.filter((zone) => !zone.vehicles.length || zone.vehicles.includes(vehicle));
const around = (vehicle) => JSON.stringify(zonesOf(vehicle).map((zone) => zone.ring));
const key = ([a, b], [c, d], rings) => `${a},${b};${c},${d};${rings}`;

/** The line of a leg of a vehicle, or nothing yet. */
export function lineOf(from, to, vehicle) {
  return legs.get(key(from, to, around(vehicle)));
}

/** Asks for the legs of routes that are not known; tells "lines" as they come. */
export function wantLines(routes) {
  wanted = new Map();
  for (const route of routes) {
    const rings = around(route.name);
    const places = route.visits.map((visit) => visit.lonlat);
    for (let k = 1; k < places.length; k += 1) {
      if (route.visits[k].arrival_s === null) continue; // no way leads there
      const [from, to] = [places[k - 1], places[k]];
      if (!legs.has(key(from, to, rings))) wanted.set(key(from, to, rings), { from, to, rings });
    }
  }
  fetchAll();
}

async function fetchAll() {
  if (running) return;
  running = true;
  try {
    while (wanted.size) {
      const [first] = wanted.values();
      const some = [...wanted.values()].filter((leg) => leg.rings === first.rings).slice(0, AT_ONCE);
      await fetchSome(some);
      for (const { from, to, rings } of some) wanted.delete(key(from, to, rings));
      tell("lines");
    }
  } finally {
    running = false;
  }
}

/** Legs that follow one another are one question; what leads between others is not looked at. */
async function fetchSome(some) {
  const points = [some[0].from];
  const places = some.map(({ from, to }) => {
    const last = points.at(-1);
    if (last[0] !== from[0] || last[1] !== from[1]) points.push(from);
    points.push(to);
    return points.length - 2;
  });
  const avoid = JSON.parse(some[0].rings);
  const body = { points, ...(store.doc.city ? { city: store.doc.city } : {}), ...(avoid.length ? { avoid } : {}) };
  if (legs.size > MOST) legs.clear();
  try {
    const found = await ask("POST", "/v1/route", body);
    some.forEach(({ from, to, rings }, k) => legs.set(key(from, to, rings), found.legs[places[k]]));
  } catch {
    if (some.length > 1) {
      const half = some.length >> 1;
      await fetchSome(some.slice(0, half));
      await fetchSome(some.slice(half));
    } else {
      const [{ from, to, rings }] = some;
      legs.set(key(from, to, rings), [from, to]); // where no way leads, a straight line says so
    }
  }
}
