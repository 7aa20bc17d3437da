// Routes and stops as they are drawn, and what is where on the screen.

import { at, known, store } from "../app.js";
import { colourOf, ink } from "../colours.js";
import { lineOf } from "./lines.js";
import { pathOf, planeX, planeY } from "./drawn.js";

const NEAR_PX = 14;

export class Scene {
  constructor() {
    this.routes = [];
    this.stops = [];
    this.depots = [];
    this.ghost = null; // a place that is only thought of: {lon, lat}
    this.drag = null; // {name, lonlat, from, target}; see drag.js
  }

  /** Takes over what is to be drawn. */
  take() {
    const { view } = known;
    this.routes = (view?.routes ?? []).map((route) => {
      const lines = [];
      const places = route.visits;
      for (let k = 1; k < places.length; k += 1) {
        const [from, to] = [places[k - 1].lonlat, places[k].lonlat];
        lines.push(lineOf(from, to, route.name) ?? [from, to]);
      }
      return { name: route.name, vehicle: route.vehicle, route, path: pathOf(lines), lines };
    });
    const doubt = new Map();
    for (const one of known.checks) {
      if (one.table === "stops" && one.line) doubt.set(one.line, one.level === "bad" ? "bad" : doubt.get(one.line) ?? "warn");
    }
    const unserved = new Set((view?.unserved ?? []).map((one) => one.name));
    this.depots = [];
    this.stops = [];
    for (const row of known.stops.read) {
      const served = view?.byStop.get(row.name);
      const one = {
        name: row.name, lon: row.lon, lat: row.lat, level: doubt.get(row.line) ?? null,
        vehicle: served?.route.vehicle ?? -1, owner: served?.route.name ?? null,
        number: served?.visit.number ?? 0, late: (served?.visit.late_s ?? 0) > 0,
        unserved: unserved.has(row.name), done: served?.visit.done ?? false,
      };
      (row.depot ? this.depots : this.stops).push(one);
    }
    if (view?.isDay) this.#added(view);
  }

  /** On a day, stops are where they are now; those that came up are in no table. */
  #added(view) {
    const listed = new Map(this.stops.map((one) => [one.name, one]));
    for (const { route, visit } of view.byStop.values()) {
      const [lon, lat] = visit.lonlat;
      const one = listed.get(visit.name);
      if (one) Object.assign(one, { lon, lat });
      else {
        this.stops.push({
          name: visit.name, lon, lat, level: null, vehicle: route.vehicle, owner: route.name, number: visit.number,
          late: visit.late_s > 0, unserved: false, done: visit.done,
        });
      }
    }
    this.stops = this.stops.filter((one) => one.owner || one.unserved); // others were cancelled
  }

  draw(pen) {
    this.#zones(pen);
    this.#routes(pen);
    this.#stops(pen);
    if (this.drag) this.#dragged(pen);
    if (this.ghost) dot(pen.context, ...pen.at(this.ghost.lon, this.ghost.lat), 9, ink("focus"), ink("halo"));
  }

  #zones(pen) {
    const { context } = pen;
    for (const zone of [...store.doc.zones, ...(this.ring ? [{ ring: this.ring, open: true }] : [])]) {
      if (!zone.ring.length) continue;
      context.beginPath();
      zone.ring.forEach(([lon, lat], k) => context[k ? "lineTo" : "moveTo"](...pen.at(lon, lat)));
      if (!zone.open) context.closePath();
      context.fillStyle = `color-mix(in srgb, ${ink("bad")} 12%, transparent)`;
      context.strokeStyle = ink("bad");
      context.lineWidth = 1.6;
      context.setLineDash([6, 4]);
      if (!zone.open) context.fill();
      context.stroke();
      context.setLineDash([]);
      if (zone.open) for (const [lon, lat] of zone.ring) dot(context, ...pen.at(lon, lat), 4, ink("bad"));
      else label(context, zone.name, ...pen.at(...middle(zone.ring)));
    }
  }

  #routes(pen) {
    const { context } = pen;
    const chosen = at.chosenVehicle;
    const marked = at.vehicle ?? this.drag?.target?.vehicle ?? null;
    context.lineJoin = context.lineCap = "round";
    const ordered = [...this.routes].sort((a, b) => weight(a) - weight(b));
    function weight(one) { return one.name === marked ? 2 : one.name === chosen ? 1 : 0; }
    pen.along((pixel) => {
      for (const one of ordered) {
        const quiet = chosen !== null && one.name !== chosen && one.name !== marked;
        context.globalAlpha = quiet ? 0.16 : 1;
        const wide = one.name === marked || one.name === chosen ? 5 : 3.2;
        context.strokeStyle = ink("halo");
        context.lineWidth = (wide + 2) * pixel;
        if (!quiet) context.stroke(one.path);
        context.strokeStyle = colourOf(one.vehicle);
        context.lineWidth = wide * pixel;
        context.stroke(one.path);
      }
      context.globalAlpha = 1;
    });
    if (pen.zoom >= 15) this.#arrows(pen, chosen, marked);
  }

  /** Which way a route goes, on those that somebody looks at. */
  #arrows(pen, chosen, marked) {
    const { context } = pen;
    for (const one of this.routes) {
      if (one.name !== chosen && one.name !== marked) continue;
      context.fillStyle = ink("halo");
      for (const line of one.lines) {
        let far = 30;
        let last = pen.at(...line[0]);
        for (const place of line.slice(1)) {
          const next = pen.at(...place);
          const length = Math.hypot(next[0] - last[0], next[1] - last[1]);
          while (far < length) {
            const share = far / length;
            arrow(context, last[0] + share * (next[0] - last[0]), last[1] + share * (next[1] - last[1]),
              Math.atan2(next[1] - last[1], next[0] - last[0]));
            far += 90;
          }
          far -= length;
          last = next;
        }
      }
    }
  }

  #stops(pen) {
    const { context } = pen;
    const radius = pen.zoom >= 16 ? 9 : pen.zoom >= 14 ? 7.5 : 5;
    const chosenVehicle = at.chosenVehicle;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `600 ${radius > 8 ? 10 : 8.5}px system-ui, sans-serif`;
    this.screen = [];
    for (const one of this.stops) {
      const [x, y] = pen.at(one.lon, one.lat);
      this.screen.push([x, y, one]);
      if (x < -20 || y < -20 || x > pen.width + 20 || y > pen.height + 20) continue;
      if (this.drag?.name === one.name) continue;
      const quiet = chosenVehicle !== null && one.owner !== chosenVehicle && at.stop !== one.name;
      context.globalAlpha = quiet ? 0.25 : 1;
      spot(context, x, y, one, radius);
    }
    context.globalAlpha = 1;
    for (const one of this.depots) {
      const [x, y] = pen.at(one.lon, one.lat);
      this.screen.push([x, y, one]);
      context.fillStyle = ink("text");
      context.strokeStyle = ink("halo");
      context.lineWidth = 2;
      context.beginPath();
      context.roundRect(x - 9, y - 9, 18, 18, 4);
      context.fill();
      context.stroke();
      context.fillStyle = ink("halo");
      context.beginPath();
      context.moveTo(x - 5, y);
      context.lineTo(x, y - 5);
      context.lineTo(x + 5, y);
      context.lineTo(x + 5, y + 5);
      context.lineTo(x - 5, y + 5);
      context.fill();
    }
    for (const name of new Set([at.chosen, at.stop])) {
      const found = name && this.screen.find(([, , one]) => one.name === name);
      if (!found) continue;
      const [x, y, one] = found;
      if (this.drag?.name !== name && !this.depots.includes(one)) spot(context, x, y, one, radius + 2);
      context.strokeStyle = name === at.chosen ? ink("focus") : ink("text");
      context.lineWidth = 2.5;
      context.beginPath();
      context.arc(x, y, radius + 5, 0, 7);
      context.stroke();
    }
  }

  #dragged(pen) {
    const { context } = pen;
    const { lonlat, target, vehicle } = this.drag;
    const here = pen.at(...lonlat);
    if (target) {
      context.strokeStyle = colourOf(target.number);
      context.lineWidth = 2.5;
      context.setLineDash([5, 4]);
      context.beginPath();
      context.moveTo(...pen.at(...target.before));
      context.lineTo(...here);
      context.lineTo(...pen.at(...target.after));
      context.stroke();
      context.setLineDash([]);
    }
    dot(context, ...here, 10, colourOf(target?.number ?? vehicle), ink("halo"));
  }

  /** The stop that is nearest to a point of the screen, if one is near. */
  stopAt(x, y, reach = NEAR_PX) {
    let best = null;
    let least = reach;
    for (const [a, b, one] of this.screen ?? []) {
      const far = Math.hypot(a - x, b - y);
      if (far < least) [best, least] = [one, far];
    }
    return best;
  }

  /** The leg that is nearest to a place: {route, leg, before, after}; within so many units of the plane. */
  legAt(lon, lat, reach, skip = () => false) {
    const [x, y] = [planeX(lon), planeY(lat)];
    let best = null;
    let least = reach;
    for (const one of this.routes) {
      if (skip(one)) continue;
      one.lines.forEach((line, leg) => {
        let [ax, ay] = [planeX(line[0][0]), planeY(line[0][1])];
        for (let k = 1; k < line.length; k += 1) {
          const [bx, by] = [planeX(line[k][0]), planeY(line[k][1])];
          const [dx, dy] = [bx - ax, by - ay];
          const share = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
          const far = Math.hypot(ax + share * dx - x, ay + share * dy - y);
          if (far < least) [best, least] = [{ route: one.route, leg }, far];
          [ax, ay] = [bx, by];
        }
      });
    }
    return best;
  }
}

function spot(context, x, y, one, radius) {
  const colour = one.vehicle >= 0 ? colourOf(one.vehicle) : one.unserved ? ink("panel") : ink("soft");
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = one.done ? ink("panel") : colour;
  context.fill();
  context.lineWidth = 1.6;
  context.strokeStyle = one.done ? colour : one.unserved ? ink("bad") : ink("halo");
  context.stroke();
  if (one.vehicle >= 0 && radius > 6) {
    context.fillStyle = one.done ? colour : ink("halo");
    context.fillText(one.number, x, y + 0.5);
  } else if (one.unserved) {
    context.fillStyle = ink("bad");
    context.fillText("!", x, y + 0.5);
  }
  const level = one.late ? "bad" : one.level;
  if (level && !one.unserved) dot(context, x + radius * 0.8, y - radius * 0.8, 3.6, ink(level), ink("halo"));
}

function dot(context, x, y, radius, fill, rim = null) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = fill;
  context.fill();
  if (rim) { context.strokeStyle = rim; context.lineWidth = 1.5; context.stroke(); }
}

function arrow(context, x, y, angle) {
  context.save();
  context.translate(x, y);
  context.rotate(angle);
  context.beginPath();
  context.moveTo(3.5, 0);
  context.lineTo(-2.5, -2.6);
  context.lineTo(-2.5, 2.6);
  context.fill();
  context.restore();
}

function middle(ring) {
  return [0, 1].map((k) => ring.reduce((sum, place) => sum + place[k], 0) / ring.length);
}

function label(context, text, x, y) {
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.strokeStyle = ink("halo");
  context.strokeText(text, x, y);
  context.fillStyle = ink("bad");
  context.fillText(text, x, y);
}
