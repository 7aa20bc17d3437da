// A table of the document as a spreadsheet: cells, ranges, the clipboard, all by mouse or keyboard.

import { TabulatorFull as Tabulator } from "/page/vendor/tabulator/tabulator_esm.min.js";
import { at, choose, known, on, point, store } from "./app.js";
import { meaning } from "./columns.js";
import { renamed, withTable } from "./document.js";
import { h, perFrame } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

const text = (value) => h("span.cut", {}, value ?? "");

export class Sheet {
  /** `kind`: stops or fleet; `further`: columns that are shown and not edited: {title, width, show(name)}. */
  constructor(kind, place, { further = [], lists = {} } = {}) {
    this.kind = kind;
    this.further = further;
    this.lists = lists;
    this.marks = new Map();
    this.lines = new Map(); // names by line, and
    this.looks = new Map(); // how rows look, by number
    this.ready = false;
    this.table = new Tabulator(place, {
      data: [], columns: this.columns(), index: "id", layout: "fitDataFill", height: "100%",
      placeholder: h("div.empty", {}, icon("table"), t(`${kind}.empty`)),
      selectableRange: 1, selectableRangeColumns: true, selectableRangeRows: true,
      selectableRangeClearCells: true, selectableRangeClearCellsValue: "",
      editTriggerEvent: "dblclick", headerSortClickElement: "icon",
      clipboard: true, clipboardCopyStyled: false, clipboardCopyRowRange: "range",
      clipboardCopyConfig: { rowHeaders: false, columnHeaders: false },
      clipboardPasteParser: "range", clipboardPasteAction: "range",
      columnDefaults: { resizable: "header" },
      rowHeader: {
        field: "mark", width: 46, frozen: true, headerSort: false, resizable: false, hozAlign: "right",
        formatter: (cell) => this.mark(cell),
      },
      rowFormatter: (row) => row.getElement().classList.toggle("chosen", this.isChosen(row)),
    });
    this.#listen(place);
  }

  #listen(place) {
    const { table } = this;
    table.on("tableBuilt", () => { this.ready = true; this.#keepFocus(place); this.show(); });
    table.on("cellEdited", () => this.harvest());
    table.on("clipboardPasted", () => this.harvest());
    table.on("rangeChanged", perFrame(() => this.#follow()));
    table.on("rowMouseOver", (_event, row) => this.#point(row));
    place.addEventListener("mouseleave", () => point(null));
    place.addEventListener("keydown", (event) => this.#typed(event));
    on("doc", ({ before, whole }) => {
      if (whole || before[this.kind] !== store.doc[this.kind]) this.show();
    });
    on("read problem view theme", perFrame(() => this.repaint()));
    on("choose", ({ from }) => this.#chosen(from));
  }

  /** The table takes the focus when it is filled; keys that are pressed then are not meant for it. */
  #keepFocus(place) {
    const holder = place.querySelector(".tabulator-tableholder");
    const take = holder.focus.bind(holder);
    holder.focus = (more) => { if (place.contains(document.activeElement)) take(more); };
    this.takeFocus = () => take({ preventScroll: true });
  }

  columns() {
    const { header } = store.doc[this.kind];
    const edited = header.map((title, k) => {
      const what = meaning(this.kind, title);
      const list = this.lists[what];
      return {
        title, field: `c${k}`, headerTooltip: false, minWidth: 56, maxInitialWidth: 260, width: undefined,
        titleFormatter: () => h(what ? "span" : "span.faint", { title: what ? "" : t("column.other") }, title),
        formatter: (cell) => this.cell(cell, k),
        editor: list ? "list" : "input",
        editorParams: list ? {
          valuesLookup: () => list(), autocomplete: true, freetext: true, allowEmpty: true, listOnEmpty: true,
          itemFormatter: (label) => text(label),
        } : { elementAttributes: { "aria-label": title } },
      };
    });
    const shown = this.further.map(({ key, width, show }) => ({
      title: key, field: key, width, headerSort: false, editable: false, cssClass: "shown",
      titleFormatter: () => h("span.soft", {}, t(key)),
      formatter: (cell) => show(this.nameOf(cell.getRow().getData().id)) ?? "",
    }));
    return [...edited, ...shown];
  }

  /** The number of the row and whether something is wrong with it. */
  mark(cell) {
    const { id } = cell.getRow().getData();
    const worst = this.marks.get(id + 2);
    const number = h("span.faint", {}, String(id + 1));
    if (!worst) return number;
    return h("span.row.mark", { title: worst.map((one) => one.text).join("\n") },
      h(`span.${worst.some((one) => one.level === "bad") ? "bad" : "warn"}`, {}, icon("alarm")), number);
  }

  cell(cell, column) {
    const marks = this.marks.get(cell.getRow().getData().id + 2) ?? [];
    const title = store.doc[this.kind].header[column];
    const what = meaning(this.kind, title);
    const found = marks.filter((one) => one.column === title || (what && one.column === what)
      || (one.column === "window" && what.startsWith("window")) || (one.column === "address" && what === "street"));
    const element = cell.getElement();
    element.classList.toggle("fault", found.some((one) => one.level === "bad"));
    element.classList.toggle("doubt", found.length > 0 && found.every((one) => one.level !== "bad"));
    element.title = found.map((one) => one.text).join("\n");
    return text(cell.getValue());
  }

  /** Shows the document's table; a cell that was edited here stays as it is. */
  show() {
    if (!this.ready) return;
    const table = store.doc[this.kind];
    const header = table.header.join("\u0000");
    const rows = table.rows.map((row, id) => this.#data(row, id));
    const now = this.table.getData();
    if (header === this.header && now.length === rows.length
      && rows.every((row, k) => table.header.every((_, c) => row[`c${c}`] === now[k][`c${c}`]))) return;
    const columns = header === this.header ? null : this.columns();
    this.header = header;
    if (columns) this.table.setColumns(columns);
    this.looks = new Map();
    const other = columns || rows.length !== now.length;
    this.table.replaceData(rows).then(() => { if (other) this.table.redraw(true); });
  }

  #data(row, id) {
    return Object.fromEntries([["id", id], ...row.map((cell, k) => [`c${k}`, cell])]);
  }

  repaint(whole = false) {
    if (!this.ready) return;
    this.lines = new Map(known[this.kind].read.map((row) => [row.line, row.name]));
    this.marks = new Map();
    for (const one of known.checks) {
      if (one.table !== this.kind || !one.line) continue;
      if (!this.marks.has(one.line)) this.marks.set(one.line, []);
      this.marks.get(one.line).push(one);
    }
    // Only rows that look different now are drawn again: there may be a thousand.
    const all = whole || document.documentElement.dataset.theme !== this.theme;
    this.theme = document.documentElement.dataset.theme;
    for (const row of this.table.getRows()) {
      const { id } = row.getData();
      const look = this.#look(id);
      if (all || this.looks.get(id) !== look) row.reformat();
      this.looks.set(id, look);
    }
  }

  /** What of a row does not stand in its cells. */
  #look(id) {
    const marks = (this.marks.get(id + 2) ?? []).map((one) => `${one.level} ${one.column} ${one.text}`);
    const name = this.nameOf(id);
    return [...marks, ...this.further.map(({ look }) => look?.(name) ?? "")].join("\n");
  }

  /** Takes what was typed, pasted or cleared into the document: one step of undo. */
  harvest() {
    const table = store.doc[this.kind];
    const rows = [...table.rows];
    let name = null;
    let changed = 0;
    for (const data of this.table.getData()) {
      const row = table.header.map((_, k) => String(data[`c${k}`] ?? ""));
      const before = rows[data.id];
      if (!before || row.every((cell, k) => cell === before[k])) continue;
      changed += 1;
      const column = table.header.findIndex((title) => meaning(this.kind, title) === "name");
      if (column >= 0 && row[column] !== before[column]) name = [before[column], row[column]];
      rows[data.id] = row;
    }
    if (!changed) return;
    store.change(t("undo.cells", { n: changed }), (doc) => {
      const next = withTable(doc, this.kind, { ...table, rows });
      return name && changed === 1 ? renamed(next, this.kind, ...name) : next;
    });
  }

  nameOf(id) {
    return this.lines.get(id + 2) ?? null;
  }

  rowOf(name) {
    return known[this.kind].read.find((row) => row.name === name)?.line - 2;
  }

  isChosen(row) {
    const name = this.nameOf(row.getData().id);
    return name !== null && (this.kind === "stops" ? at.chosen === name : at.chosenVehicle === name);
  }

  /** Rows of the cells that are selected. */
  selected() {
    const range = this.table.getRanges?.()[0];
    return range ? range.getRows().map((row) => row.getData().id) : [];
  }

  /** The column of the cell that is selected. */
  column() {
    const field = this.table.getRanges?.()[0]?.getColumns?.()[0]?.getField?.() ?? "";
    return /^c\d+$/.test(field) ? Number(field.slice(1)) : -1;
  }

  async reach(id, title = null) {
    const row = this.table.getRow(id);
    if (!row) return;
    await this.table.scrollToRow(row, "nearest", false).catch(() => {});
    const column = title === null ? -1 : store.doc[this.kind].header.findIndex((one) => one === title
      || meaning(this.kind, one) === title);
    const cell = column < 0 ? null : row.getCell(`c${column}`);
    if (!cell) return;
    this.table.getRanges().forEach((range) => range.setBounds(cell, cell));
    this.takeFocus();
  }

  /** It was turned to: it has a size now, and shows what was chosen elsewhere meanwhile. */
  shown() {
    if (!this.ready) return;
    this.table.redraw();
    this.#chosen("");
  }

  filter(words) {
    const wanted = words.trim().toLowerCase();
    if (!wanted) this.table.clearFilter();
    else this.table.setFilter((data) => Object.values(data).some((cell) => String(cell).toLowerCase().includes(wanted)));
  }

  #follow() {
    if (this.kind !== "stops" || !this.table.element.contains(document.activeElement)) return;
    const [id] = this.selected();
    if (id !== undefined) choose(this.nameOf(id), "stops");
  }

  #point(row) {
    const name = this.nameOf(row.getData().id);
    if (this.kind === "stops") point(name);
    else point(null, name);
  }

  #chosen(from) {
    if (!this.ready) return;
    this.table.getRows("visible").forEach((row) => row.getElement().classList.toggle("chosen", this.isChosen(row)));
    if (this.kind !== "stops" || from === "stops" || at.chosen === null) return;
    const id = this.rowOf(at.chosen);
    if (id >= 0) this.reach(id);
  }

  #typed(event) {
    if (event.target.matches("input, textarea, select")) return;
    if (event.key === "Delete" || event.key === "Backspace") setTimeout(() => this.harvest());
    const plain = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!plain && event.key !== "F2") return;
    const cell = this.table.getRanges?.()[0]?.getCells?.()[0]?.[0];
    if (!cell || !/^c\d+$/.test(cell.getField())) return;
    event.preventDefault();
    event.stopPropagation();
    cell.edit(true);
    const input = cell.getElement().querySelector("input");
    if (input && plain) { input.value = event.key; input.dispatchEvent(new Event("input")); }
  }
}
