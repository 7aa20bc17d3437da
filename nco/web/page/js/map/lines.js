// Lines of routes along the streets, leg by leg; straight until the server has told them.

import { ask } from "../api.js";
import { tell } from "../app.js";

const legs = new Map();
const MOST = 20000;
const AT_ONCE = 200;
let running = false;
let wanted = new Map();

const key = ([a, b], [c, d]) => `${a},${b};${c},${d}`;

/** The line of a leg, or nothing yet. */
export function lineOf(from, to) {
  return legs.get(key(from, to));
}

/** Asks for the legs of routes that are not known; tells "lines" as they come. */
export function wantLines(routes, city) {
  wanted = new Map();
  for (const route of routes) {
    const places = route.visits.map((visit) => visit.lonlat);
    for (let k = 1; k < places.length; k += 1) {
      if (!legs.has(key(places[k - 1], places[k]))) {
        wanted.set(key(places[k - 1], places[k]), [places[k - 1], places[k]]);
      }
    }
  }
  fetchAll(city);
}

async function fetchAll(city) {
  if (running) return;
  running = true;
  try {
    while (wanted.size) {
      // Legs that follow one another are one question; what leads between others is not looked at.
      const some = [...wanted.values()].slice(0, AT_ONCE);
      const points = [some[0][0]];
      const places = [];
      for (const [from, to] of some) {
        const last = points.at(-1);
        if (last[0] !== from[0] || last[1] !== from[1]) points.push(from);
        points.push(to);
        places.push(points.length - 2);
      }
      const found = await ask("POST", "/v1/route", city ? { points, city } : { points });
      if (legs.size > MOST) legs.clear();
      some.forEach(([from, to], k) => {
        legs.set(key(from, to), found.legs[places[k]]);
        wanted.delete(key(from, to));
      });
      tell("lines");
    }
  } catch {
    wanted.clear(); // straight lines do
  } finally {
    running = false;
  }
}
