// Scenarios that the server keeps, by name.

import { ask } from "./api.js";
import { store, tell } from "./app.js";
import { documentFrom, FORMAT } from "./document.js";
import { isSaved } from "./draft.js";
import { question } from "./menu.js";
import { failed, say } from "./told.js";
import { t } from "./words.js";

export async function scenarioItems() {
  let all = [];
  try {
    all = (await ask("GET", "/v1/scenarios")).scenarios;
  } catch (error) {
    failed(error);
  }
  return [
    { label: t("save"), icon: "save", run: save, key: "Ctrl S" },
    { label: t("scenario.save_as"), icon: "save", run: () => saveAs() },
    "-",
    all.length ? t("scenario.saved") : t("scenario.none"),
    ...all.slice(0, 30).map((one) => ({
      label: one.name, icon: "open", run: () => open(one.id),
      bin: { label: t("scenario.remove", { name: one.name }), run: () => remove(one) },
    })),
  ];
}

export async function open(id) {
  try {
    const found = await ask("GET", `/v1/scenarios/${id}`);
    const doc = { ...documentFrom(found.content), day: found.content.day ?? null, saved: { id: found.id, version: found.version } };
    store.load(doc, t("undo.open", { name: doc.name }));
    isSaved();
    tell("opened");
  } catch (error) {
    if (error.message === "format") say(t("file.no_scenario", { name: id }), { bad: true });
    else failed(error);
  }
}

/** Deletes a scenario on the server, and says how it comes back: it is fetched first. */
async function remove({ id, name }) {
  try {
    const found = await ask("GET", `/v1/scenarios/${id}`);
    await ask("DELETE", `/v1/scenarios/${id}`);
    if (store.doc.saved?.id === id) store.note((doc) => ({ ...doc, saved: null }));
    const back = () => ask("POST", "/v1/scenarios", { name, content: found.content }).then(() => say(t("scenario.is_saved", { name })), failed);
    say(t("scenario.removed", { name }), { action: t("undo"), run: back });
  } catch (error) {
    failed(error);
  }
}

const content = () => {
  const { saved, ...kept } = store.doc;
  return { ...kept, format: FORMAT };
};

export async function save() {
  const { saved, name } = store.doc;
  if (!saved || !name) return saveAs();
  try {
    const row = await ask("PUT", `/v1/scenarios/${saved.id}`, { name, content: content(), version: saved.version });
    store.note((doc) => ({ ...doc, saved: { id: saved.id, version: row.version } }));
    isSaved();
    say(t("scenario.is_saved", { name }));
  } catch (error) {
    if (error.status === 409) say(t("scenario.changed"), { bad: true, action: t("scenario.save_as"), run: saveAs });
    else if (error.status === 404) await saveAs();
    else failed(error);
  }
  return undefined;
}

async function saveAs() {
  const given = await question(t("scenario.save_as"), [{ key: "name", label: t("scenario.name"), value: store.doc.name || t("scenario.today", { date: new Date().toISOString().slice(0, 10) }) }], t("save"));
  if (!given?.name) return;
  try {
    store.note((doc) => ({ ...doc, name: given.name }));
    const row = await ask("POST", "/v1/scenarios", { name: given.name, content: content() });
    store.note((doc) => ({ ...doc, saved: { id: row.id, version: row.version } }));
    isSaved();
    say(t("scenario.is_saved", { name: given.name }));
  } catch (error) {
    failed(error);
  }
}
