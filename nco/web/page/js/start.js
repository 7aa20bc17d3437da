// The page without a document: where to begin.

import { ask } from "./api.js";
import { known, on, store, tell } from "./app.js";
import { cityField, titleOf } from "./cities.js";
import { h, perFrame, refill } from "./dom.js";
import { chooseFiles, example } from "./files.js";
import { icon } from "./icons.js";
import { open } from "./scenarios.js";
import { failed } from "./told.js";
import { t } from "./words.js";

export function start(place) {
  let saved = [];
  const show = perFrame(() => {
    const { doc } = store;
    const empty = !doc.stops.rows.length && !doc.fleet.rows.length && !known.sketching;
    place.hidden = !empty;
    if (empty) refill(place, content(saved));
  });
  ask("GET", "/v1/scenarios").then((found) => { saved = found.scenarios; show(); }, () => {});
  on("doc about new", show);
  show();
}

function content(saved) {
  return h("div.start", {},
    h("h1", {}, t("start.title", { city: titleOf(known.city) })),
    h("p.soft", {}, t("start.lead")),
    cityField(),
    h("div.ways", {},
      h("button.way", { onclick: chooseFiles, "data-key": "files" }, icon("table"), h("strong", {}, t("start.files")), h("span.soft", {}, t("start.files.more"))),
      h("button.way", { onclick: () => example().catch(failed), "data-key": "example", id: "example" }, icon("map"), h("strong", {}, t("start.example")), h("span.soft", {}, t("start.example.more"))),
      h("button.way", { onclick: () => { known.sketching = true; tell("new"); tell("sketch"); }, "data-key": "sketch" }, icon("pin"), h("strong", {}, t("start.sketch")), h("span.soft", {}, t("start.sketch.more")))),
    saved.length > 0 && h("div.saved", {}, h("h3", {}, t("scenario.saved")),
      h("ul", {}, saved.slice(0, 6).map((one) => h("li", {}, h("button.link", { onclick: () => open(one.id) }, icon("open"), h("span.cut", {}, one.name)))))));
}
