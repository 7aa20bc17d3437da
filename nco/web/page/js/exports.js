// What leaves the page: sheets for drivers, files for other programs, the scenario as one file.

import { fileOf } from "./api.js";
import { known, store } from "./app.js";
import { FORMAT } from "./document.js";
import { download } from "./files.js";
import { failed, say } from "./told.js";
import { routesOf } from "./view.js";
import { has, t } from "./words.js";

const ICONS = { sheets: "drop", pdf: "print", html: "print" };

export function exportItems() {
  const formats = known.about?.formats ?? [];
  const off = !known.view?.routes.length;
  const item = (format) => ({
    label: has(`format.${format}`) ? t(`format.${format}`) : format, icon: ICONS[format] ?? "out", off,
    run: () => written(format),
  });
  const people = ["pdf", "html", "sheets"].filter((one) => formats.includes(one));
  return [
    known.view?.isDay && t("export.rest"), t("export.people"), ...people.map(item),
    "-", t("export.programs"), ...formats.filter((one) => !people.includes(one)).map(item),
    "-", { label: t("export.scenario"), icon: "save", run: scenario },
  ];
}

/** The plan as a file; of a day that is looked at, what is left of it. */
async function written(format) {
  const over = say(t("export.begun"), { until: true });
  try {
    const city = store.doc.city ? { city: store.doc.city } : {};
    const { blob, name } = known.view.isDay
      ? await fileOf(`/v1/plans/${encodeURIComponent(store.doc.day)}/export`, { format, ...city })
      : await fileOf(`/v1/problems/${known.problem.id}/export`, { routes: routesOf(store.doc.routes, known.problem), format, ...city });
    download(blob, named(name));
    say(t("export.done", { name }));
  } catch (error) {
    failed(error);
  } finally {
    over();
  }
}

/** A name for a file that begins with that of the scenario. */
function named(name) {
  const words = store.doc.name.replace(/[^\p{L}\p{N} _-]/gu, "").trim().slice(0, 60);
  return words ? `${words} ${name}` : name;
}

function scenario() {
  const { saved, day, ...kept } = store.doc;
  const text = JSON.stringify({ ...kept, format: FORMAT }, null, 1);
  download(new Blob([text], { type: "application/json" }), named("scenario.json"));
}
