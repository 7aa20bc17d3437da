// What was not saved yet: it is there again after the page was reloaded or closed by mistake.

import { on, store, tell } from "./app.js";
import { documentFrom } from "./document.js";
import { settled } from "./dom.js";
import { say } from "./told.js";
import { t } from "./words.js";

const KEY = "nco.draft";
const WAIT_MS = 400;
const filled = (doc) => doc.stops.rows.length > 0 || doc.fleet.rows.length > 0;

let kept = null; // the document as it was saved last

/** Whether something of the document is on this page alone. */
export const unsaved = () => filled(store.doc) && store.doc !== kept;

/** The document is the one that the server has now. */
export function isSaved() {
  kept = store.doc;
  tell("saved");
}

function written(place, text) {
  try {
    if (text === null) place.removeItem(KEY);
    else place.setItem(KEY, text);
  } catch { /* a browser that keeps nothing: then the page itself has to stay open */ }
}

function read(place) {
  try {
    const data = JSON.parse(place.getItem(KEY));
    return data && { doc: { ...documentFrom(data.doc), day: data.doc.day ?? null, saved: data.doc.saved ?? null }, unsaved: data.unsaved };
  } catch {
    return null;
  }
}

/** The draft of this tab, or of the one that was closed last. */
const draft = () => read(sessionStorage) ?? read(localStorage);

/** Keeps a draft of what is worked on. */
export function followDraft() {
  const keep = settled(() => {
    const { doc } = store;
    const text = filled(doc) ? JSON.stringify({ doc, unsaved: unsaved() }) : null;
    written(sessionStorage, text);
    if (text !== null || !read(sessionStorage)) written(localStorage, text);
  }, WAIT_MS);
  on("doc saved", keep);
}

/** Goes on with what was worked on before; says so, and how to begin anew. */
export function restore(cities) {
  const found = draft();
  if (!found || !filled(found.doc)) return false;
  if (found.doc.city !== null && !cities.some((one) => one.name === found.doc.city)) return false;
  store.load(found.doc);
  if (!found.unsaved) isSaved();
  say(t("draft.restored"), { action: t("draft.anew"), run: () => tell("new") });
  tell("opened");
  return true;
}
