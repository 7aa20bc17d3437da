// A canvas on the map that moves with it, for whatever draws itself.

import { Renderer } from "/page/vendor/leaflet/leaflet-src.esm.js";
import { perFrame } from "../dom.js";

const BASE = 256 / (2 * Math.PI);
const RAD = Math.PI / 180;

/** Places in the plane of Web Mercator at zoom 0, in pixels, as Leaflet's own projection has them. */
export const planeX = (lon) => BASE * (lon * RAD + Math.PI);
export const planeY = (lat) => BASE * (Math.PI - Math.log(Math.tan(Math.PI / 4 + (lat * RAD) / 2)));

/** Lengths are drawn relative to an origin nearby, because paths have single precision. */
export const origin = { x: 0, y: 0 };

export function placeOrigin(lon, lat) {
  origin.x = planeX(lon);
  origin.y = planeY(lat);
}

export function pathOf(lines, close = false) {
  const path = new Path2D();
  for (const line of lines) {
    line.forEach(([lon, lat], k) => {
      const x = planeX(lon) - origin.x;
      const y = planeY(lat) - origin.y;
      if (k) path.lineTo(x, y);
      else path.moveTo(x, y);
    });
    if (close) path.closePath();
  }
  return path;
}

/** A layer; `draw(pen)` draws it, in pixels of the map (`pen.at`) or along paths (`pen.along`). */
export const Drawn = Renderer.extend({
  initialize(draw, pane, padding = 0.25) {
    Renderer.prototype.initialize.call(this, { pane, padding });
    this._draw = draw;
    this.redraw = perFrame(() => this._paint());
  },

  _initContainer() {
    this._container = document.createElement("canvas");
    this._context = this._container.getContext("2d");
  },

  _destroyContainer() {
    this._container.remove();
  },

  _updatePaths() {},

  _update() {
    if (this._map._animatingZoom && this._bounds) return;
    Renderer.prototype._update.call(this);
    const size = this._bounds.getSize();
    const ratio = window.devicePixelRatio || 1;
    const canvas = this._container;
    canvas._leaflet_pos = this._bounds.min;
    canvas.style.transform = `translate3d(${this._bounds.min.x}px, ${this._bounds.min.y}px, 0)`;
    if (canvas.width !== Math.round(size.x * ratio) || canvas.height !== Math.round(size.y * ratio)) {
      canvas.width = Math.round(size.x * ratio);
      canvas.height = Math.round(size.y * ratio);
      canvas.style.width = `${size.x}px`;
      canvas.style.height = `${size.y}px`;
    }
    this._paint();
  },

  _paint() {
    if (!this._map || !this._bounds || this._map._animatingZoom) return;
    const map = this._map;
    const context = this._context;
    const ratio = window.devicePixelRatio || 1;
    const { min } = this._bounds;
    const scale = 2 ** map.getZoom();
    const corner = map.getPixelOrigin();
    const left = (origin.x * scale - corner.x) - min.x;
    const top = (origin.y * scale - corner.y) - min.y;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this._container.width, this._container.height);
    const plain = () => context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const size = this._bounds.getSize();
    plain();
    this._draw({
      context, scale, zoom: map.getZoom(), width: size.x, height: size.y,
      atPlane: (x, y) => [(x - origin.x) * scale + left, (y - origin.y) * scale + top],
      at: (lon, lat) => [
        (planeX(lon) - origin.x) * scale + left, (planeY(lat) - origin.y) * scale + top,
      ],
      along(work) {
        context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * left, ratio * top);
        work(1 / scale);
        plain();
      },
    });
  },
});
