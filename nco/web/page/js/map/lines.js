// Lines of routes along the streets of each vehicle, leg by leg; straight until the server has told them.

import { ask } from "../api.js";
import { known, store, tell } from "../app.js";

const MOST = 20000;
const AT_ONCE = 200;
const legs = new Map();
let running = false;
let wanted = new Map();

let streets = { zones: null, fleet: null, city: null, of: new Map() };

/** Whether a vehicle drives around a zone; `van` is each of `van 1`, `van 2`, ... */
function avoids(vehicle, profile, { vehicles, profiles = [] }) {
  const own = vehicle.toLowerCase();
  const kind = own.includes(" ") ? own.slice(0, own.lastIndexOf(" ")) : own;
  if (profiles.includes(profile)) return true;
  return (!vehicles.length && !profiles.length) || vehicles.some((name) => [own, kind].includes(name.toLowerCase()));
}

/** What a vehicle drives on, as the server is asked for it, in one text. */
function streetsOf(vehicle) {
  const { zones, city } = store.doc;
  const fleet = known.fleet.read;
  if (streets.zones !== zones || streets.fleet !== fleet || streets.city !== city) {
    streets = { zones, fleet, city, of: new Map() };
  }
  if (!streets.of.has(vehicle)) {
    const profile = fleet.find((one) => one.name === vehicle)?.profile;
    const plain = profile || known.about?.profiles[0];
    const avoid = zones.filter((zone) => zone.ring.length > 2 && avoids(vehicle, plain, zone)).map((zone) => zone.ring);
    streets.of.set(vehicle, JSON.stringify({
      ...(city ? { city } : {}), ...(profile ? { profile } : {}), ...(avoid.length ? { avoid } : {}),
    }));
  }
  return streets.of.get(vehicle);
}

const key = ([a, b], [c, d], along) => `${a},${b};${c},${d};${along}`;

/** The line of a leg of a vehicle, or nothing yet. */
export function lineOf(from, to, vehicle) {
  return legs.get(key(from, to, streetsOf(vehicle)));
}

/** Asks for the legs of routes that are not known; tells "lines" as they come. */
export function wantLines(routes) {
  wanted = new Map();
  for (const route of routes) {
    const along = streetsOf(route.name);
    const places = route.visits.map((visit) => visit.lonlat);
    for (let k = 1; k < places.length; k += 1) {
      if (route.visits[k].arrival_s === null) continue; // no way leads there
      const [from, to] = [places[k - 1], places[k]];
      if (!legs.has(key(from, to, along))) wanted.set(key(from, to, along), { from, to, along });
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
      const some = [...wanted.values()].filter((leg) => leg.along === first.along).slice(0, AT_ONCE);
      await fetchSome(some);
      for (const { from, to, along } of some) wanted.delete(key(from, to, along));
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
  const body = { points, ...JSON.parse(some[0].along) };
  if (legs.size > MOST) legs.clear();
  try {
    const found = await ask("POST", "/v1/route", body);
    some.forEach(({ from, to, along }, k) => legs.set(key(from, to, along), found.legs[places[k]]));
  } catch {
    if (some.length > 1) {
      const half = some.length >> 1;
      await fetchSome(some.slice(0, half));
      await fetchSome(some.slice(half));
    } else {
      const [{ from, to, along }] = some;
      legs.set(key(from, to, along), [from, to]); // where no way leads, a straight line says so
    }
  }
}
