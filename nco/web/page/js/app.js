// What all parts of the page share: the document, what the server made of it, what is pointed at.

import { Store } from "./store.js";
import { emptyDocument } from "./document.js";

export const store = new Store(emptyDocument());

/** What the server said of the present document; see derive.js. */
export const known = {
  about: null, // the server itself
  cities: [], // that are served
  city: null, // whose streets are used
  stops: { read: [], faults: [], doubtful: [], columns: [] },
  fleet: { read: [], faults: [], doubtful: [], columns: [] },
  problem: null, // {id, names, vehicles, ...} once it can be planned
  trouble: null, // why it cannot
  view: null, // the plan as it is shown; see view.js
  planned: null, // the plan of the document, and
  day: null, // the day that was begun, and
  dayProblem: null, // the problem that its vehicles were named by
  dayView: null, // its plan; which of the two is shown depends on what is looked at
  dayOn: false,
  checks: [],
  search: null, // the search that runs, or ran last; see search.js
  busy: new Set(),
};

/** What the pointer or the keyboard is at. */
export const at = { stop: null, vehicle: null, chosen: null, chosenVehicle: null };

const bus = new EventTarget();

export function tell(topic, detail) {
  bus.dispatchEvent(new CustomEvent(topic, { detail }));
}

export function on(topics, heard) {
  for (const topic of topics.split(" ")) bus.addEventListener(topic, (event) => heard(event.detail));
}

store.addEventListener("change", (event) => tell("doc", event.detail));

/** Shows the plan of the day while the day is looked at, else that of the document. */
export function settleView() {
  known.view = (known.dayOn && known.dayView) || known.planned;
  tell("view");
}

/** The pointer is over a stop, a vehicle, or nothing. */
export function point(stop, vehicle = null) {
  if (at.stop === stop && at.vehicle === vehicle) return;
  at.stop = stop;
  at.vehicle = vehicle;
  tell("point");
}

/** A stop is chosen: everything shows it. */
export function choose(stop, from = "") {
  if (at.chosen === stop) return;
  at.chosen = stop;
  tell("choose", { from });
}

/** A vehicle is chosen: the others step back. */
export function chooseVehicle(name) {
  at.chosenVehicle = at.chosenVehicle === name ? null : name;
  tell("choose", { from: "vehicle" });
}
