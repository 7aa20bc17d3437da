// The base map: tiles of the extract as vectors, drawn here, by day or by night, without a network.

import { GridLayer } from "/page/vendor/leaflet/leaflet-src.esm.js";
import { ask } from "../api.js";
import { tell } from "../app.js";
import { ink } from "../colours.js";
import { labelsOf } from "./labels.js";

const TILE = 256;
const STYLE = {
  // width in pixels at zoom 16, whether it has a rim, how it is coloured
  motorway: [8, true, "major"], trunk: [8, true, "major"], primary: [7.5, true, "major"],
  secondary: [6.5, true, "major"], tertiary: [6, true, "street"], residential: [5, true, "street"],
  unclassified: [5, true, "street"], living_street: [4.4, true, "street"],
  pedestrian: [3.6, true, "street"], service: [2.4, true, "street"],
};
const PATH = [0.9, false, "path"];
const ORDER = ["path", "steps", "bridleway", "footway", "cycleway", "track", ...Object.keys(STYLE).reverse()];

export const Base = GridLayer.extend({
  initialize({ city, version, bbox: [west, south, east, north], min_zoom: least, max_zoom: most, extent, attribution }) {
    this.extent = extent;
    this.query = new URLSearchParams({ ...(city ? { city } : {}), version });
    GridLayer.prototype.initialize.call(this, {
      pane: "base", minZoom: least, maxNativeZoom: most, maxZoom: 20, attribution, keepBuffer: 3,
      bounds: [[south, west], [north, east]],
    });
  },

  createTile(coords, done) {
    const tile = document.createElement("canvas");
    const { x: side } = this.getTileSize(); // larger than 256 beyond the last zoom that there is
    const ratio = sharpness();
    tile.width = tile.height = Math.round(side * ratio);
    ask("GET", `/v1/map/${coords.z}/${coords.x}/${coords.y}?${this.query}`).then((data) => {
      tile.data = data;
      tile.labels = labelsOf(data, coords, this.extent, TILE);
      this.paint(tile, coords.z);
      done(null, tile);
      tell("labels");
    }, (error) => done(error, tile));
    return tile;
  },

  /** Draws all tiles in the colours of now. */
  repaint() {
    for (const { el, coords } of Object.values(this._tiles ?? {})) if (el.data) this.paint(el, coords.z);
  },

  /** The labels of all tiles that are shown. */
  labels() {
    return Object.values(this._tiles ?? {}).filter(({ current }) => current).flatMap(({ el }) => el.labels ?? []);
  },

  paint(tile, zoom) {
    const context = tile.getContext("2d");
    const unit = this.extent / tile.width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = ink("land");
    context.fillRect(0, 0, tile.width, tile.height);
    context.setTransform(1 / unit, 0, 0, 1 / unit, 0, 0);
    const pixel = unit * sharpness();
    const grow = (tile.width / sharpness() / TILE) * Math.min(1, Math.max(0.3, 1.4 ** (zoom - 16)));
    context.lineCap = context.lineJoin = "round";
    const { data } = tile;
    for (const [layer, colour] of [["green", "park"], ["water", "water"], ["buildings", "building"]]) {
      context.fillStyle = ink(colour);
      for (const { at } of data[layer] ?? []) context.fill(path(at, true), "evenodd");
    }
    lines(context, data.waterways, () => [2, "water"], pixel);
    lines(context, data.rails, () => [1, "casing"], pixel);
    const streets = [...(data.streets ?? [])].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    const styled = (kind) => STYLE[kind] ?? PATH;
    const rims = streets.filter(({ kind }) => styled(kind)[1]);
    lines(context, rims, (kind) => [styled(kind)[0] * grow + 1.3, "casing"], pixel);
    lines(context, streets, (kind) => [styled(kind)[0] * grow, styled(kind)[2]], pixel);
  },
});

/** Pixels of a canvas a pixel of the page: a little more than there are, since tiles are stretched. */
const sharpness = () => Math.max(1.5, window.devicePixelRatio || 1);

function lines(context, features = [], style, pixel) {
  for (const { kind, at } of features) {
    const [wide, colour] = style(kind);
    context.lineWidth = wide * pixel;
    context.strokeStyle = ink(colour);
    context.stroke(path(at));
  }
}

function path(parts, close = false) {
  const found = new Path2D();
  for (const at of parts) {
    for (let k = 0; k < at.length; k += 2) {
      if (k) found.lineTo(at[k], at[k + 1]);
      else found.moveTo(at[k], at[k + 1]);
    }
    if (close) found.closePath();
  }
  return found;
}
