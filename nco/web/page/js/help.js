// What the keys do.

import { h } from "./dom.js";
import { t } from "./words.js";

const KEYS = [["P", "key.plan"], ["S", "key.stop"], ["Ctrl Z", "key.undo"], ["Ctrl Shift Z", "key.redo"], ["Ctrl S", "key.save"],
  ["1 – 4", "key.dock"], ["[ ]", "key.turn"], ["N", "key.next"], ["F", "key.fit"], ["L", "key.lock"], ["Esc", "key.escape"], ["?", "key.help"]];

export function help() {
  const dialog = h("dialog", { "aria-label": t("help"), onclose: () => dialog.remove() },
    h("form", { method: "dialog" }, h("h2", {}, t("help")),
      h("dl.keys", {}, KEYS.map(([key, what]) => [h("dt", {}, key.split(" ").map((one) => (one === "–" ? " – " : h("kbd", {}, one)))), h("dd", {}, t(what))])),
      h("p.soft", {}, t("help.drag")),
      h("div.ends", {}, h("button.button.main", {}, t("close")))));
  document.body.append(dialog);
  dialog.showModal();
}
