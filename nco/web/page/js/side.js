// The side: what the plan amounts to, and below it routes, checks, comparison and the day.

import { known, on, settleView } from "./app.js";
import { comparePanel } from "./compare.js";
import { dayPanel } from "./day.js";
import { h, perFrame } from "./dom.js";
import { checksPanel } from "./panel_checks.js";
import { planPanel } from "./panel_plan.js";
import { routesPanel } from "./panel_routes.js";
import { markTab, roundTabs } from "./tabs.js";
import { t } from "./words.js";

const VIEWS = ["checks", "routes", "compare", "day"];

export function side(place) {
  const views = { checks: checksPanel(), routes: routesPanel(), compare: comparePanel(), day: dayPanel() };
  const count = h("span.tag", {});
  const tabs = VIEWS.map((name) => h("button.tab", { role: "tab", "data-view": name, onclick: () => show(name) }, t(`side.${name}`), name === "checks" && count));
  place.append(planPanel(), h("div.head", {}, h("div.tabs", { role: "tablist", "aria-label": t("side") }, tabs)),
    ...VIEWS.map((name) => { views[name].classList.add("view"); views[name].setAttribute("role", "tabpanel"); return views[name]; }));
  function show(name) {
    const day = name === "day";
    if (known.dayOn !== day) {
      known.dayOn = day;
      settleView();
    }
    VIEWS.forEach((one) => { views[one].hidden = one !== name; });
    markTab(tabs, name);
  }
  roundTabs(tabs, show);
  on("read problem", perFrame(() => {
    const bad = known.checks.filter((one) => one.level === "bad").length;
    const all = known.checks.filter((one) => one.level !== "note").length;
    count.textContent = all || "";
    count.className = `tag ${bad ? "bad" : "warn"}`;
    count.hidden = !all;
  }));
  let begun = null;
  on("search", () => {
    if (known.search?.running && known.search !== begun) show("routes");
    begun = known.search;
  });
  on("show-side", show);
  show("checks");
  return { show };
}
