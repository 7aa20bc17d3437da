// Names on the map: of streets along them, of places; as many as do not cover one another.

import { ink } from "../colours.js";

const FIRST_ZOOM = 15;
const MAJOR = new Set(["primary", "secondary", "tertiary", "trunk"]);

/** What can be labelled in a tile, in the plane of zoom 0. */
export function labelsOf(data, { x, y, z }, extent, tile) {
  const unit = tile / extent / 2 ** z;
  const placeX = (value) => value * unit + (tile * x) / 2 ** z;
  const placeY = (value) => value * unit + (tile * y) / 2 ** z;
  const found = [];
  for (const { name, at, kind } of data.places ?? []) {
    if (name) found.push({ text: name, x: placeX(at[0][0]), y: placeY(at[0][1]), room: Infinity, angle: 0, rank: 0, kind });
  }
  for (const { name, at, kind } of data.streets ?? []) {
    if (!name) continue;
    const best = longest(at[0]);
    if (!best) continue;
    found.push({
      text: name, x: placeX(best.x), y: placeY(best.y), angle: best.angle, room: best.length * unit,
      rank: MAJOR.has(kind) ? 1 : 2,
    });
  }
  return found.sort((a, b) => a.rank - b.rank || b.room - a.room);
}

/** The middle of the longest piece of a line that is nearly straight. */
function longest(at) {
  let best = null;
  for (let k = 0; k + 3 < at.length; k += 2) {
    const angle = Math.atan2(at[k + 3] - at[k + 1], at[k + 2] - at[k]);
    let end = k + 2;
    while (end + 3 < at.length) {
      const next = Math.atan2(at[end + 3] - at[end + 1], at[end + 2] - at[end]);
      if (Math.abs(Math.sin(next - angle)) > 0.16) break;
      end += 2;
    }
    const length = Math.hypot(at[end] - at[k], at[end + 1] - at[k + 1]);
    if (!best || length > best.length) {
      let turn = Math.atan2(at[end + 1] - at[k + 1], at[end] - at[k]);
      if (turn > Math.PI / 2) turn -= Math.PI;
      if (turn < -Math.PI / 2) turn += Math.PI;
      best = { x: (at[k] + at[end]) / 2, y: (at[k + 1] + at[end + 1]) / 2, length, angle: turn };
    }
  }
  return best;
}

export function drawLabels(pen, labels) {
  if (pen.zoom < FIRST_ZOOM - 2) return;
  const { context } = pen;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = ink("halo");
  context.fillStyle = ink("place-name");
  const taken = [];
  const near = new Map();
  for (const { text, x: planeX, y: planeY, room, angle, rank } of labels) {
    if (rank > 0 && pen.zoom < FIRST_ZOOM) continue;
    const [x, y] = pen.atPlane(planeX, planeY);
    if (x < -40 || y < -40 || x > pen.width + 40 || y > pen.height + 40) continue;
    context.font = rank === 0 ? "600 12px system-ui, sans-serif" : "10.5px system-ui, sans-serif";
    const wide = context.measureText(text).width;
    if (room * pen.scale < wide * 1.05) continue;
    const half = { w: (Math.abs(Math.cos(angle)) * wide + 12) / 2, h: (Math.abs(Math.sin(angle)) * wide + 14) / 2 };
    if (taken.some((one) => Math.abs(one.x - x) < one.w + half.w && Math.abs(one.y - y) < one.h + half.h)) continue;
    if ((near.get(text) ?? []).some(([a, b]) => Math.hypot(a - x, b - y) < 340)) continue;
    taken.push({ x, y, ...half });
    near.set(text, [...(near.get(text) ?? []), [x, y]]);
    context.save();
    context.translate(x, y);
    context.rotate(angle);
    context.strokeText(text, 0, 0);
    context.fillText(text, 0, 0);
    context.restore();
  }
}
