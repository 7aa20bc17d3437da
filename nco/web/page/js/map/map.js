// The map: what is below, what is drawn on it, and what the pointer does there.

import { Control, map as makeMap, tileLayer } from "/page/vendor/leaflet/leaflet-src.esm.js";
import { ask } from "../api.js";
import { at, choose, known, on, point, store } from "../app.js";
import { h, perFrame } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../words.js";
import { Base } from "./base.js";
import { followDrag } from "./drag.js";
import { Drawn, placeOrigin } from "./drawn.js";
import { drawLabels } from "./labels.js";
import { wantLines } from "./lines.js";
import { Scene } from "./scene.js";
import { showTip } from "./tip.js";
import { followZones } from "./zones.js";

export class CityMap {
  constructor(place) {
    this.place = place;
    place.cityMap = this; // for tests, and for whoever looks at it in the console
    this.map = makeMap(place, {
      zoomControl: false, attributionControl: true, zoomSnap: 0.5, wheelPxPerZoomLevel: 90, maxZoom: 20,
      doubleClickZoom: false,
    });
    this.map.attributionControl.setPrefix(false);
    for (const [name, level] of [["base", 150], ["labels", 250], ["scene", 400]]) {
      this.map.createPane(name).style.zIndex = level;
    }
    this.scene = new Scene();
    this.mode = null; // what a click does: null, "zone", "add", "place", "point"
    this.map.setView([0, 0], 2);
    this.#tools();
  }

  /** Shows a city: its frame, its base map, or tiles of a server that the user named. */
  async open(city, tiles) {
    this.city = city;
    const [west, south, east, north] = city.bbox;
    placeOrigin((west + east) / 2, (south + north) / 2);
    this.frame = [[south, west], [north, east]];
    this.map.fitBounds(this.frame);
    if (this.drawn) {
      this.scene.take(); // what is drawn is measured from the middle of the city
      this.redraw();
    } else this.#begin();
    await this.#below(city, tiles);
  }

  #begin() {
    this.labels = new Drawn((pen) => { if (this.base) drawLabels(pen, this.base.labels()); }, "labels", 0.1).addTo(this.map);
    this.drawn = new Drawn((pen) => this.scene.draw(pen), "scene", 0.2).addTo(this.map);
    this.redraw = () => this.drawn.redraw();
    this.#listen();
  }

  async #below(city, tiles) {
    if (tiles) {
      this.tiles ??= tileLayer(tiles, { pane: "base", maxZoom: 20, attribution: city.credit }).addTo(this.map);
      return;
    }
    this.base?.remove();
    this.base = null;
    try {
      const about = await ask("GET", `/v1/map?city=${encodeURIComponent(city.name)}`);
      if (city !== this.city) return; // another one was chosen meanwhile
      this.base = new Base({ city: city.name, ...about }).addTo(this.map);
    } catch {
      this.map.attributionControl.addAttribution(city.credit); // routes on plain ground do as well
    }
  }

  #listen() {
    const { map, scene } = this;
    const retake = perFrame(() => { scene.take(); this.redraw(); });
    on("read problem view lines", retake);
    on("view", () => { if (known.view) wantLines(known.view.routes); });
    on("ghost", (place) => { scene.ghost = place; this.redraw(); });
    on("point choose", () => this.redraw());
    on("doc", ({ before }) => { if (before.zones !== store.doc.zones) this.redraw(); });
    on("labels", perFrame(() => this.labels.redraw()));
    on("theme", () => { this.base?.repaint(); this.labels.redraw(); this.redraw(); });
    on("choose", ({ from }) => { if (from !== "map") this.#reach(); });
    new ResizeObserver(() => map.invalidateSize({ pan: false })).observe(this.place);
    followDrag(this);
    followZones(this);
    this.place.addEventListener("pointermove", (event) => this.#hover(event));
    this.place.addEventListener("pointerleave", () => { point(null); showTip(null); });
    map.on("click", (event) => this.#clicked(event));
  }

  /** The stop under the pointer. */
  stopAt(event, reach) {
    const [x, y] = this.pixel(event);
    return this.scene.stopAt(x, y, reach);
  }

  /** Where an event is on the canvas of the scene. */
  pixel(event) {
    const box = this.drawn._container.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  lonlat(event) {
    const { lng, lat } = this.map.mouseEventToLatLng(event);
    return [lng, lat];
  }

  #hover(event) {
    if (isDragging(this) || event.target.closest(".leaflet-control")) return;
    const stop = this.stopAt(event);
    const leg = stop ? null : this.scene.legAt(...this.lonlat(event), 7 / 2 ** this.map.getZoom());
    point(stop?.name ?? null, stop ? stop.owner : leg?.route.name ?? null);
    this.place.style.cursor = this.mode ? "crosshair" : stop || leg ? "pointer" : "";
    showTip(event, stop, leg?.route);
  }

  #clicked({ originalEvent: event }) {
    if (this.mode || this.dragged) return;
    const stop = this.stopAt(event);
    if (stop) choose(stop.name, "map");
    else {
      const leg = this.scene.legAt(...this.lonlat(event), 7 / 2 ** this.map.getZoom());
      at.chosenVehicle = leg ? leg.route.name : null;
      at.chosen = null;
      choose(undefined, "map");
    }
  }

  /** Brings what was chosen elsewhere into sight. */
  #reach() {
    const found = this.scene.stops.find((one) => one.name === at.chosen);
    if (found && !this.map.getBounds().pad(-0.08).contains([found.lat, found.lon])) {
      this.map.panTo([found.lat, found.lon]);
    }
  }

  /** All stops, or the whole city where there are none. */
  fit() {
    const all = known.stops.read;
    if (!all.length) return void this.map.fitBounds(this.frame);
    const lons = all.map((one) => one.lon);
    const lats = all.map((one) => one.lat);
    this.map.fitBounds([[Math.min(...lats), Math.min(...lons)], [Math.max(...lats), Math.max(...lons)]],
      { padding: [36, 36], maxZoom: 17 });
  }

  /** A click says where the stop of a row is: {row, name}. */
  point(wanted) {
    this.wanted = wanted;
    this.setMode("point");
  }

  setMode(mode) {
    this.mode = mode;
    this.place.dataset.mode = mode ?? "";
    for (const [name, button] of Object.entries(this.buttons)) {
      if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(name === mode));
    }
    this.note.hidden = !mode;
    this.note.replaceChildren(...(mode ? [
      t(`mode.${mode}`, { name: this.wanted?.name ?? "" }),
      mode !== "place" && h("div.by-keys", {}, t("mode.keys")),
    ].filter(Boolean) : []));
    if (mode && document.activeElement?.matches(":focus-visible")) this.place.focus({ preventScroll: true });
    this.onmode?.(mode);
  }

  #tools() {
    const button = (name, sign, run, toggle = false) => h("button.button.square", {
      title: t(`map.${name}`), "aria-label": t(`map.${name}`), onclick: run, "aria-pressed": toggle ? "false" : undefined,
    }, typeof sign === "string" ? icon(sign) : sign);
    const toggled = (mode) => () => this.setMode(this.mode === mode ? null : mode);
    this.buttons = {
      in: button("in", "add", () => this.map.zoomIn(1)),
      out: button("out", h("span", {}, "−"), () => this.map.zoomOut(1)),
      fit: button("fit", "fit", () => this.fit()),
      add: button("add", "pin", toggled("add"), true),
      place: button("place", "move", toggled("place"), true),
      zone: button("zone", "zone", toggled("zone"), true),
    };
    const bar = h("div.map-tools", {}, ...Object.values(this.buttons));
    this.note = h("div.map-note", { hidden: true, role: "status" });
    const Bar = Control.extend({ onAdd: () => bar });
    this.map.addControl(new Bar({ position: "topleft" }));
    for (const kind of ["click", "dblclick", "mousedown", "pointerdown", "touchstart"]) {
      bar.addEventListener(kind, (event) => event.stopPropagation());
    }
    this.place.append(this.note, h("div.crosshair", { "aria-hidden": "true" }));
  }
}

const isDragging = (map) => map.scene.drag !== null;
