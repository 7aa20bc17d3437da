// Menus and questions: opened by a button, closed by Escape, used by keys as well.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

let opened = null;

/** A menu below a button: items are {label, icon, run, off}, "-" for a line, or a title. */
export function menu(button, items) {
  const again = opened?.button === button;
  opened?.close();
  if (again) return;
  const list = h("div.menu", { role: "menu" }, items.filter(Boolean).map((item) => {
    if (item === "-") return h("hr");
    if (typeof item === "string") return h("div.title", {}, item);
    const chosen = h("button", { role: "menuitem", disabled: item.off, onclick: () => { close(); item.run(); }, title: item.tip },
      item.icon && icon(item.icon), h("span.grow.cut", {}, item.label), item.key && h("kbd", {}, item.key));
    return item.bin ? h("div.row", {}, chosen, h("button.bin", {
      role: "menuitem", title: item.bin.label, "aria-label": item.bin.label, onclick: () => { close(); item.bin.run(); },
    }, icon("bin"))) : chosen;
  }));
  document.body.append(list);
  const box = button.getBoundingClientRect();
  const size = list.getBoundingClientRect();
  list.style.left = `${Math.max(6, Math.min(box.left, innerWidth - size.width - 6))}px`;
  list.style.top = `${box.bottom + size.height + 8 > innerHeight ? Math.max(6, box.top - size.height - 4) : box.bottom + 4}px`;
  button.setAttribute("aria-expanded", "true");
  const buttons = [...list.querySelectorAll("button:not(:disabled)")];
  buttons[0]?.focus();
  const key = (event) => {
    if (event.key === "Escape") { close(); button.focus(); event.stopPropagation(); }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const now = buttons.indexOf(document.activeElement);
    buttons.at((now + step + buttons.length) % buttons.length)?.focus();
  };
  const away = (event) => { if (!list.contains(event.target) && !button.contains(event.target)) close(); };
  list.addEventListener("keydown", key);
  document.addEventListener("pointerdown", away, true);
  opened = { button, close };
  function close() {
    list.remove();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", away, true);
    opened = null;
  }
}

/** Asks for a few values: fields are {key, label, value, type, options}; resolves to them, or to null. */
export function question(title, fields, sure = t("ok"), note = "") {
  return new Promise((resolve) => {
    const inputs = Object.fromEntries(fields.map((field) => [field.key, field.options
      ? h("select.field", { "aria-label": field.label }, field.options.map(([value, label]) => h("option", { value, selected: value === field.value }, label)))
      : h("input.field", { type: field.type ?? "text", value: field.value ?? "", placeholder: field.hint ?? "", "aria-label": field.label, list: undefined })]));
    const dialog = h("dialog", { "aria-label": title, onclose: () => { dialog.remove(); resolve(dialog.returnValue === "yes" ? values() : null); } },
      h("form", { method: "dialog" },
        h("h2", {}, title),
        note && h("p.soft", {}, note),
        fields.map((field) => h("label.pair", {}, h("span", {}, field.label), inputs[field.key])),
        h("div.ends", {},
          h("button.button", { type: "button", onclick: () => dialog.close("no") }, t("cancel")),
          h("button.button.main", { value: "yes" }, sure))));
    const values = () => Object.fromEntries(Object.entries(inputs).map(([key, input]) => [key, input.value.trim()]));
    document.body.append(dialog);
    dialog.returnValue = "no";
    dialog.showModal();
    Object.values(inputs)[0]?.select?.();
  });
}
