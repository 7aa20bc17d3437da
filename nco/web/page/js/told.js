// Short messages at the bottom: what was done, and what went wrong.

import { ServerError } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

const LONG_MS = 6000;

/** Says something for a while, or until what it returns is called: `until` says that it is. */
export function say(text, { bad = false, action = null, run = null, until = false } = {}) {
  const place = document.getElementById("told");
  while (place.children.length > 2) place.firstChild.remove();
  const close = () => toast.remove();
  const toast = h(bad ? "div.toast.bad" : "div.toast", {},
    h("span", {}, text),
    action && h("button.button.small", { onclick: () => { close(); run(); } }, action),
    h("button.button.small.square.plain", { onclick: close, "aria-label": t("close") }, icon("close")));
  place.append(toast);
  if (!until) setTimeout(close, bad ? 3 * LONG_MS : LONG_MS);
  return close;
}

/** Tells of an error in words for people. */
export function failed(error) {
  if (error instanceof ServerError) {
    say(error.status === 0 ? t("error.unreachable") : error.message, { bad: true });
    return;
  }
  console.error(error);
  say(t("error.page", { text: error.message }), { bad: true });
}
