// The document that is edited, with undo: each change makes a new one that shares what stayed.

const MOST = 200;

export class Store extends EventTarget {
  #past = [];
  #future = [];
  #last = "";

  constructor(document) {
    super();
    this.doc = document;
  }

  /** Changes the document. Changes in a row with the same `merge` are undone together. */
  change(label, make, merge = "") {
    const next = make(this.doc);
    if (next === this.doc) return;
    if (!merge || merge !== this.#last || !this.#past.length) {
      this.#past.push({ label, doc: this.doc });
      if (this.#past.length > MOST) this.#past.shift();
    }
    this.#last = merge;
    this.#future = [];
    this.#set(next);
  }

  /** Another document; the former comes back by undo, where `label` says how it went. */
  load(document, label = "") {
    this.#past = label ? [{ label, doc: this.doc, whole: true }] : [];
    this.#future = [];
    this.#last = "";
    this.#set(document, true);
  }

  /** Keeps something that is no change of a person's, such as an id that the server gave. */
  note(make) {
    this.#set(make(this.doc));
  }

  undo() {
    const step = this.#past.pop();
    if (!step) return null;
    this.#future.push({ ...step, doc: this.doc });
    this.#last = "";
    this.#set(step.doc, step.whole);
    return step.label;
  }

  redo() {
    const step = this.#future.pop();
    if (!step) return null;
    this.#past.push({ ...step, doc: this.doc });
    this.#last = "";
    this.#set(step.doc, step.whole);
    return step.label;
  }

  get undoable() { return this.#past.at(-1)?.label ?? null; }
  get redoable() { return this.#future.at(-1)?.label ?? null; }

  #set(next, whole = false) {
    const before = this.doc;
    this.doc = next;
    this.dispatchEvent(new CustomEvent("change", { detail: { before, whole } }));
  }
}
